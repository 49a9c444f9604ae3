/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The newest kernel's interfaces on older kernels. HAVE_* come from
 * compat/Kbuild.probe, which looks into the headers of the target tree; nothing
 * outside this folder tests them.
 */
#ifndef _STRATA_COMPAT_H
#define _STRATA_COMPAT_H

#include <linux/mm.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/sysctl.h>
#include <net/dropreason.h>
/* split off linux/skbuff.h and net/sock.h in 6.9 */
#ifdef HAVE_PROTO_MEMORY
#include <net/proto_memory.h>
#endif
#ifdef HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
#ifdef HAVE_SKBUFF_REF
#include <linux/skbuff_ref.h>
#endif
#ifdef HAVE_NET_GSO
#include <net/gso.h>
#endif

/* drop reasons that came later */
#ifndef HAVE_DROP_TCP_ABORT_ON_DATA
#define SKB_DROP_REASON_TCP_ABORT_ON_DATA	SKB_DROP_REASON_TCP_CLOSE
#endif
#ifndef HAVE_DROP_TCP_OLD_SEQUENCE
#define SKB_DROP_REASON_TCP_OLD_SEQUENCE	SKB_DROP_REASON_TCP_INVALID_SEQUENCE
#endif
#ifndef HAVE_DROP_TCP_INVALID_ACK_SEQUENCE
#define SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE SKB_DROP_REASON_TCP_INVALID_SEQUENCE
#endif
#ifndef HAVE_DROP_TCP_MINTTL
#define SKB_DROP_REASON_TCP_MINTTL		SKB_DROP_REASON_NOT_SPECIFIED
#endif
#ifndef HAVE_DROP_DUP_FRAG
#define SKB_DROP_REASON_DUP_FRAG		SKB_DROP_REASON_NOT_SPECIFIED
#define SKB_DROP_REASON_FRAG_REASM_TIMEOUT	SKB_DROP_REASON_NOT_SPECIFIED
#define SKB_DROP_REASON_FRAG_TOO_FAR		SKB_DROP_REASON_NOT_SPECIFIED
#endif
#ifndef HAVE_DROP_SOCKET_CLOSE
#define SKB_DROP_REASON_SOCKET_CLOSE		SKB_DROP_REASON_NOT_SPECIFIED
#endif

/* "no drop, free it": only compared with, never handed to the kernel */
#ifndef HAVE_SKB_CONSUMED
#define SKB_CONSUMED				((enum skb_drop_reason)SKB_DROP_REASON_MAX)
#endif

/*
 * proto_ops.accept takes struct proto_accept_arg since 6.10, which also gives back whether
 * no more connections wait
 */
#ifdef HAVE_PROTO_ACCEPT_ARG
#define STRATA_ACCEPT_ARGS	struct socket *sock, struct socket *newsock, \
				struct proto_accept_arg *arg
#define STRATA_ACCEPT_FLAGS	(arg->flags)
#define STRATA_ACCEPT_KERN	(arg->kern)
#define STRATA_ACCEPT_EMPTY(empty)	((void)(arg->is_empty = (empty)))
#else
#define STRATA_ACCEPT_ARGS	struct socket *sock, struct socket *newsock, \
				int flags, bool kern
#define STRATA_ACCEPT_FLAGS	(flags)
#define STRATA_ACCEPT_KERN	(kern)
#define STRATA_ACCEPT_EMPTY(empty)	((void)(empty))
#endif

/*
 * Members that struct proto_ops has in some kernels only. sendfile() comes through
 * sendpage before 6.5, as sendmsg(MSG_SPLICE_PAGES) since.
 */
#ifdef HAVE_SENDPAGE
#define STRATA_IF_SENDPAGE(...)		__VA_ARGS__,
#else
#define STRATA_IF_SENDPAGE(...)
#endif
#ifdef HAVE_SPLICE_EOF
#define STRATA_IF_SPLICE_EOF(...)	__VA_ARGS__,
#else
#define STRATA_IF_SPLICE_EOF(...)
#endif

/* have the core pass SOL_SOCKET options to proto_ops.setsockopt; before 6.2 it does not */
static inline void strata_custom_sockopt(struct socket *sock)
{
#ifdef SOCK_CUSTOM_SOCKOPT
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
#endif
}

/*
 * Sysctl tables carry their size since 6.6 and must not end with an empty entry
 * since 6.11; before, they must. strata_register_sysctl() takes a table with one
 * empty entry behind its @size valid ones.
 */
#ifdef HAVE_SYSCTL_SZ
#define strata_register_sysctl(net, path, table, size) \
	register_net_sysctl_sz(net, path, table, size)
#else
#define strata_register_sysctl(net, path, table, size) \
	register_net_sysctl(net, path, table)
#endif

/* what a proc_handler gets; const since 6.11 */
#ifdef HAVE_CONST_CTL_TABLE
#define STRATA_CTL_TABLE	const struct ctl_table
#else
#define STRATA_CTL_TABLE	struct ctl_table
#endif

/*
 * References of reassembly queues. Newer: inet_frag_find() takes none (RCU), and
 * inet_frag_kill() counts into *@refs those to be put later. Older: find takes
 * one, kill drops the table's own at once; a timer always holds one.
 */
#ifdef HAVE_FRAG_KILL_REFS
#define strata_frag_kill(q, refs)	inet_frag_kill(q, refs)
#define strata_frag_put_found(q, refs)	inet_frag_putn(q, refs)
#define strata_frag_put_timer(q, refs)	inet_frag_putn(q, refs)
#else
#define strata_frag_kill(q, refs)	do { (void)(refs); inet_frag_kill(q); } while (0)
#define strata_frag_put_found(q, refs)	do { (void)(refs); inet_frag_put(q); } while (0)
#define strata_frag_put_timer(q, refs)	do { (void)(refs); inet_frag_put(q); } while (0)
#endif

/* struct tcp_info: the window we offer, since 6.2 */
#ifdef HAVE_TCP_INFO_RCV_WND
#define strata_tcp_info_rcv_wnd(info, val)	((info)->tcpi_rcv_wnd = (val))
#else
#define strata_tcp_info_rcv_wnd(info, val)	((void)(val))
#endif

/* struct tcp_info: timeouts, since 6.7 */
#ifdef HAVE_TCP_INFO_TOTAL_RTO
#define strata_tcp_info_total_rto(info, n, episodes, ms)	\
	((info)->tcpi_total_rto = (n),				\
	 (info)->tcpi_total_rto_recoveries = (episodes),	\
	 (info)->tcpi_total_rto_time = (ms))
#else
#define strata_tcp_info_total_rto(info, n, episodes, ms)	\
	((void)(n), (void)(episodes), (void)(ms))
#endif

/* SCM_TIMESTAMPING_OPT_STATS has tried paths since 6.2 */
#ifdef HAVE_TCP_NLA_REHASH
#define strata_put_rehash(skb, val)	nla_put_u32(skb, TCP_NLA_REHASH, val)
#else
#define strata_put_rehash(skb, val)	(0)
#endif

/* skb_set_delivery_time() was told "monotonic" by a bool before 6.11 */
#ifndef HAVE_SKB_CLOCK
#define SKB_CLOCK_MONOTONIC			true
#endif

/* nor did the time of sendmsg() name its clock */
#ifndef HAVE_SKB_CLOCKID
static inline void skb_set_delivery_type_by_clockid(struct sk_buff *skb, ktime_t kt,
						    clockid_t clockid)
{
	skb->tstamp = kt;
}
#endif

/* flags of SO_TIMESTAMPING that came in 6.2 and 6.12 */
#ifndef HAVE_TS_OPT_ID_TCP
#define SOF_TIMESTAMPING_OPT_ID_TCP		0
#endif
#ifndef HAVE_TS_OPT_RX_FILTER
#define SOF_TIMESTAMPING_OPT_RX_FILTER		0
#endif

/* before 6.3 a mapping's flags are written as they are */
#ifndef HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* take the pages out of a mapping: of the two functions, the one that modules get */
#ifdef HAVE_ZAP_PAGE_RANGE
#define strata_zap_pages(vma, address, len)	zap_page_range(vma, address, len)
#else
#define strata_zap_pages(vma, address, len)	zap_page_range_single(vma, address, len, NULL)
#endif

/* sendmsg() may hand over pages since 6.5, which sendpage() did before */
#ifdef HAVE_SPLICE_PAGES
#define strata_skb_splice(skb, iter, max, gfp)	skb_splice_from_iter(skb, iter, max, gfp)
#define MSG_SENDPAGE_NOTLAST			0
#else
#define strata_skb_splice(skb, iter, max, gfp)	((ssize_t)-EOPNOTSUPP)
#ifndef MSG_SPLICE_PAGES
#define MSG_SPLICE_PAGES			0
#endif
#endif

#endif /* _STRATA_COMPAT_H */
