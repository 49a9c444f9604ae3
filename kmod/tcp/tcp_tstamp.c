// SPDX-License-Identifier: GPL-2.0-only
/*
 * SO_TIMESTAMPING (Documentation/networking/timestamping.rst): when the last byte of a write
 * was queued to the device, left it and was acknowledged, on the error queue; and when the
 * bytes that are read arrived.
 *
 * A stamp belongs to one byte. Its sequence number is the packet's tskey, which the kernel's
 * GSO, too, understands, so that the segment that holds the byte is stamped. The core stamps
 * what leaves; this file stamps what is acknowledged.
 *
 * With SOF_TIMESTAMPING_OPT_ID a program wants the byte counted from when it asked. For
 * sockets of AF_INET the core subtracts sk_tskey; for ours strata_ip_recv_error() does.
 *
 * locking: the socket lock, but for strata_tcp_tstamp_recv().
 */

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include "tcp_int.h"

static bool tstamp_wanted(const struct sk_buff *skb)
{
	return (STRATA_TCP_TX(skb)->bits & STRATA_TXB_TSTAMP) ||
	       (skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP);
}

void strata_tcp_tstamp_key(struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 flags = READ_ONCE(sk->sk_tsflags);

	/* the core sets it to 0 when the option is switched on */
	if (!(flags & SOF_TIMESTAMPING_OPT_ID) || atomic_read(&sk->sk_tskey))
		return;
	atomic_set(&sk->sk_tskey,
		   flags & SOF_TIMESTAMPING_OPT_ID_TCP ? tp->snd.write_seq : tp->snd.una);
}

void strata_tcp_tstamp_mark(struct sock *sk, u32 tsflags)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue) ?: strata_tcp_rtx_tail(sk);
	struct skb_shared_info *shinfo;

	if (!(tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK) || !skb)
		return;
	shinfo = skb_shinfo(skb);
	sock_tx_timestamp(sk, tsflags, &shinfo->tx_flags);
	if (tsflags & SOF_TIMESTAMPING_TX_ACK)
		STRATA_TCP_TX(skb)->bits |= STRATA_TXB_TSTAMP;
	shinfo->tskey = STRATA_TCP_TX(skb)->seq + skb->len - 1;
}

void strata_tcp_tstamp_split(struct sk_buff *skb, struct sk_buff *rest)
{
	struct skb_shared_info *from = skb_shinfo(skb), *to = skb_shinfo(rest);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb), *tail = STRATA_TCP_TX(rest);

	/* the bit went with the end of the range */
	if (likely(!tstamp_wanted(skb) && !tstamp_wanted(rest)))
		return;
	if (strata_seq_before(from->tskey, tail->seq)) {
		tx->bits |= tail->bits & STRATA_TXB_TSTAMP;
		tail->bits &= ~STRATA_TXB_TSTAMP;
		return;
	}
	to->tx_flags |= from->tx_flags & SKBTX_ANY_TSTAMP;
	from->tx_flags &= ~SKBTX_ANY_TSTAMP;
	to->tskey = from->tskey;
}

void strata_tcp_tstamp_acked(struct sock *sk, struct sk_buff *skb, u32 prior_una)
{
	u32 key = skb_shinfo(skb)->tskey;
	struct list_head link;

	if (strata_seq_before(key, prior_una) ||
	    !strata_seq_before(key, strata_tcp_sk(sk)->snd.una))
		return;
	/* as for every clone of an entry: see tcp_queue.c */
	link = skb->tcp_tsorted_anchor;
	skb->_skb_refdst = 0;
	skb->destructor = NULL;
	__skb_tstamp_tx(skb, NULL, NULL, sk, SCM_TSTAMP_ACK);
	skb->tcp_tsorted_anchor = link;
}

/* SO_TIMESTAMP, SO_TIMESTAMPNS */
static void put_stamp(struct msghdr *msg, const struct sock *sk, struct timespec64 ts)
{
	bool new = sock_flag(sk, SOCK_TSTAMP_NEW);
	long us = ts.tv_nsec / NSEC_PER_USEC;

	if (sock_flag(sk, SOCK_RCVTSTAMPNS) && new) {
		struct __kernel_timespec val = { .tv_sec = ts.tv_sec, .tv_nsec = ts.tv_nsec };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPNS_NEW, sizeof(val), &val);
	} else if (sock_flag(sk, SOCK_RCVTSTAMPNS)) {
		struct __kernel_old_timespec val = { .tv_sec = ts.tv_sec, .tv_nsec = ts.tv_nsec };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPNS_OLD, sizeof(val), &val);
	} else if (new) {
		struct __kernel_sock_timeval val = { .tv_sec = ts.tv_sec, .tv_usec = us };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMP_NEW, sizeof(val), &val);
	} else {
		struct __kernel_old_timeval val = { .tv_sec = ts.tv_sec, .tv_usec = us };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMP_OLD, sizeof(val), &val);
	}
}

void strata_tcp_tstamp_recv(struct msghdr *msg, const struct sock *sk, ktime_t soft, ktime_t hard)
{
	struct scm_timestamping_internal tss = { };
	u32 flags = READ_ONCE(sk->sk_tsflags);
	bool filter = flags & SOF_TIMESTAMPING_OPT_RX_FILTER;

	if (soft && sock_flag(sk, SOCK_RCVTSTAMP))
		put_stamp(msg, sk, ktime_to_timespec64(soft));
	if (!(flags & SOF_TIMESTAMPING_SOFTWARE) ||
	    (filter && !(flags & SOF_TIMESTAMPING_RX_SOFTWARE)))
		soft = 0;
	if (!(flags & SOF_TIMESTAMPING_RAW_HARDWARE) ||
	    (filter && !(flags & SOF_TIMESTAMPING_RX_HARDWARE)))
		hard = 0;
	if (!soft && !hard)
		return;
	if (soft)
		tss.ts[0] = ktime_to_timespec64(soft);
	if (hard)
		tss.ts[2] = ktime_to_timespec64(hard);
	if (sock_flag(sk, SOCK_TSTAMP_NEW))
		put_cmsg_scm_timestamping64(msg, &tss);
	else
		put_cmsg_scm_timestamping(msg, &tss);
}
