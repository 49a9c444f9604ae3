// SPDX-License-Identifier: GPL-2.0-only
/*
 * An object as a message of sock_diag: struct inet_diag_msg and the attributes of inet_diag,
 * as ss(8) reads them. The family in it is Strata's; addresses are IPv4 in the first word.
 *
 * A socket's name is the kernel's cookie. TIME-WAIT objects and requests have none: theirs is
 * a keyed hash of where they lie in memory, which says nothing of the memory.
 */

#include <linux/random.h>
#include <linux/siphash.h>
#include "diag_int.h"

static siphash_aligned_key_t cookie_key __read_mostly;

void strata_diag_cookie_init(void)
{
	get_random_bytes(&cookie_key, sizeof(cookie_key));
}

void strata_diag_cookie(const struct strata_tcp_view *view, u32 cookie[2])
{
	u64 name;

	if (view->sk) {
		sock_diag_save_cookie(view->sk, cookie);
		return;
	}
	name = siphash_1u64(view->cookie, &cookie_key);
	cookie[0] = (u32)name;
	cookie[1] = (u32)(name >> 32);
}

size_t strata_diag_size(void)
{
	return NLMSG_ALIGN(sizeof(struct inet_diag_msg)) +
	       nla_total_size(1) +				/* SHUTDOWN */
	       nla_total_size(1) +				/* TOS */
	       nla_total_size(4) +				/* MARK */
	       nla_total_size(4) +				/* CLASS_ID */
	       nla_total_size_64bit(8) +			/* CGROUP_ID */
	       nla_total_size(sizeof(struct inet_diag_sockopt)) +
	       nla_total_size(sizeof(struct inet_diag_meminfo)) +
	       nla_total_size(SK_MEMINFO_VARS * sizeof(u32)) +
	       nla_total_size_64bit(sizeof(struct tcp_info)) +
	       nla_total_size(STRATA_CC_NAME_MAX) +
	       nla_total_size(sizeof(union tcp_cc_info));
}

static void fill_base(const struct strata_diag_query *q, struct inet_diag_msg *m,
		      const struct strata_tcp_view *view)
{
	memset(m, 0, sizeof(*m));
	m->idiag_family = strata_family;
	m->idiag_state = view->state;
	m->idiag_timer = view->timer;
	m->idiag_retrans = view->timer == 2 || view->timer == 4 ? view->probes : view->retrans;
	if (view->timer)
		m->idiag_expires = jiffies_delta_to_msecs(view->expires - jiffies);
	m->id.idiag_sport = view->lport;
	m->id.idiag_dport = view->rport;
	m->id.idiag_src[0] = view->laddr;
	m->id.idiag_dst[0] = view->raddr;
	m->id.idiag_if = view->ifindex;
	strata_diag_cookie(view, m->id.idiag_cookie);
	m->idiag_rqueue = view->rx_queue;
	m->idiag_wqueue = view->tx_queue;
	m->idiag_uid = from_kuid_munged(q->user_ns, view->uid);
	m->idiag_inode = view->ino;
}

static bool wants(const struct strata_diag_query *q, unsigned int attr)
{
	return q->ext & BIT(attr - 1);
}

static int put_sockopt(struct sk_buff *skb, const struct strata_sock *ep)
{
	struct inet_diag_sockopt opt = {
		.recverr = ep->recverr,
		.recverr_rfc4884 = ep->recverr_ext,
		.is_icsk = ep->proto == IPPROTO_TCP,
		.freebind = ep->freebind,
		.mc_loop = ep->mc_loop,
		.bind_address_no_port = ep->bind_no_port,
	};

	return nla_put(skb, INET_DIAG_SOCKOPT, sizeof(opt), &opt);
}

/* cgroup and priority: what qdiscs and firewalls go by */
#ifdef CONFIG_SOCK_CGROUP_DATA
static u32 class_of(const struct sock *sk)
{
	return sock_cgroup_classid(&sk->sk_cgrp_data);
}

static int put_cgroup(struct sk_buff *skb, struct sock *sk)
{
	return nla_put_u64_64bit(skb, INET_DIAG_CGROUP_ID,
				 cgroup_id(sock_cgroup_ptr(&sk->sk_cgrp_data)), INET_DIAG_PAD);
}
#else
static u32 class_of(const struct sock *sk)
{
	return 0;
}

static int put_cgroup(struct sk_buff *skb, struct sock *sk)
{
	return 0;
}
#endif

static int put_class(const struct strata_diag_query *q, struct sk_buff *skb, struct sock *sk)
{
	if (wants(q, INET_DIAG_TCLASS) &&
	    nla_put_u32(skb, INET_DIAG_CLASS_ID, class_of(sk) ?: READ_ONCE(sk->sk_priority)))
		return -EMSGSIZE;
	return put_cgroup(skb, sk);
}

static int put_memory(const struct strata_diag_query *q, struct sk_buff *skb, struct sock *sk)
{
	if (wants(q, INET_DIAG_MEMINFO)) {
		struct inet_diag_meminfo mem = {
			.idiag_rmem = sk_rmem_alloc_get(sk),
			.idiag_wmem = READ_ONCE(sk->sk_wmem_queued),
			.idiag_fmem = READ_ONCE(sk->sk_forward_alloc),
			.idiag_tmem = sk_wmem_alloc_get(sk),
		};

		if (nla_put(skb, INET_DIAG_MEMINFO, sizeof(mem), &mem))
			return -EMSGSIZE;
	}
	if (wants(q, INET_DIAG_SKMEMINFO))
		return sock_diag_put_meminfo(sk, skb, INET_DIAG_SKMEMINFO);
	return 0;
}

/* INET_DIAG_BBRINFO or _DCTCPINFO, for whoever asks for that or for INET_DIAG_VEGASINFO */
static int put_cc_info(const struct strata_diag_query *q, struct sk_buff *skb, struct sock *sk)
{
	union tcp_cc_info info;
	size_t size = 0;
	int attr;

	if (READ_ONCE(sk->sk_state) < TCP_TIME_WAIT)
		size = strata_tcp_cc_info(sk, q->ext, &attr, &info);
	return size ? nla_put(skb, attr, size, &info) : 0;
}

static int put_tcp(const struct strata_diag_query *q, struct sk_buff *skb, struct sock *sk)
{
	struct nlattr *attr;

	if (wants(q, INET_DIAG_INFO)) {
		attr = nla_reserve_64bit(skb, INET_DIAG_INFO, sizeof(struct tcp_info),
					 INET_DIAG_PAD);
		if (!attr)
			return -EMSGSIZE;
		strata_tcp_get_info(sk, nla_data(attr));
	}
	if (wants(q, INET_DIAG_CONG) &&
	    nla_put_string(skb, INET_DIAG_CONG, strata_tcp_cong_name(sk)))
		return -EMSGSIZE;
	return put_cc_info(q, skb, sk);
}

static int put_socket(const struct strata_diag_query *q, struct sk_buff *skb, struct sock *sk)
{
	const struct strata_sock *ep = strata_sk(sk);
	int err;

	err = nla_put_u8(skb, INET_DIAG_SHUTDOWN, READ_ONCE(sk->sk_shutdown));
	if (!err && wants(q, INET_DIAG_TOS))
		err = nla_put_u8(skb, INET_DIAG_TOS, ep->tos);
	if (!err && q->net_admin)
		err = nla_put_u32(skb, INET_DIAG_MARK, READ_ONCE(sk->sk_mark));
	if (!err)
		err = put_class(q, skb, sk);
	if (!err)
		err = put_sockopt(skb, ep);
	if (!err)
		err = put_memory(q, skb, sk);
	if (!err && ep->proto == IPPROTO_TCP)
		err = put_tcp(q, skb, sk);
	return err;
}

int strata_diag_fill(const struct strata_diag_query *q, const struct strata_diag_to *to,
		     const struct strata_tcp_view *view)
{
	struct nlmsghdr *nlh;
	int err = 0;

	nlh = nlmsg_put(to->skb, to->portid, to->seq, to->type, sizeof(struct inet_diag_msg),
			to->flags);
	if (!nlh)
		return -EMSGSIZE;
	fill_base(q, nlmsg_data(nlh), view);
	if (view->sk)
		err = put_socket(q, to->skb, view->sk);
	else if (q->net_admin)
		err = nla_put_u32(to->skb, INET_DIAG_MARK, view->mark);
	if (err) {
		nlmsg_cancel(to->skb, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(to->skb, nlh);
	return 0;
}
