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
 * For sockets of AF_INET the core does more with a stamp when it takes it: counts the byte from
 * where the program asked (SOF_TIMESTAMPING_OPT_ID), and describes the connection beside it
 * (SOF_TIMESTAMPING_OPT_STATS). For ours sk->sk_error_report does, which is called as soon as the
 * stamp is on the error queue; whoever reads it even sooner gets it without a description.
 *
 * locking: the socket lock, but for strata_tcp_tstamp_recv() and strata_tcp_error_report(), which
 * come from anywhere: what is described may be of two moments, as with struct tcp_info.
 */

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <net/netlink.h>
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

static void tstamp_about(struct strata_tcp_sock *tp, u32 key, u64 sent_us, u8 ttl)
{
	WRITE_ONCE(tp->stamp.key, key);
	WRITE_ONCE(tp->stamp.sent_us, sent_us);
	WRITE_ONCE(tp->stamp.ttl, ttl);
}

void strata_tcp_tstamp_sent(struct strata_tcp_sock *tp, const struct sk_buff *skb)
{
	tstamp_about(tp, skb_shinfo(skb)->tskey, strata_tcp_depart_us(tp), 0);
}

void strata_tcp_tstamp_acked(struct sock *sk, struct sk_buff *skb, const struct sk_buff *ack,
			     u32 prior_una)
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
	tstamp_about(strata_tcp_sk(sk), key, STRATA_TCP_TX(skb)->xmit_us, ip_hdr(ack)->ttl);
	__skb_tstamp_tx(skb, NULL, NULL, sk, SCM_TSTAMP_ACK);
	skb->tcp_tsorted_anchor = link;
}

#define STATS_MAX	(16 * nla_total_size_64bit(sizeof(u64)) + 20 * nla_total_size(sizeof(u32)))

static int put_u64(struct sk_buff *skb, int attr, u64 val)
{
	return nla_put_u64_64bit(skb, attr, val, TCP_NLA_PAD);
}

/* in native's order. @id: the stamp's byte */
static int put_stats(struct sk_buff *skb, struct sock *sk, u32 id)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct tcp_info i;
	u8 ttl = READ_ONCE(tp->stamp.ttl);
	bool known = READ_ONCE(tp->stamp.key) == id;

	strata_tcp_get_info(sk, &i);
	return put_u64(skb, TCP_NLA_BUSY, i.tcpi_busy_time) ||
	       put_u64(skb, TCP_NLA_RWND_LIMITED, i.tcpi_rwnd_limited) ||
	       put_u64(skb, TCP_NLA_SNDBUF_LIMITED, i.tcpi_sndbuf_limited) ||
	       put_u64(skb, TCP_NLA_DATA_SEGS_OUT, i.tcpi_data_segs_out) ||
	       put_u64(skb, TCP_NLA_TOTAL_RETRANS, i.tcpi_total_retrans) ||
	       put_u64(skb, TCP_NLA_PACING_RATE, i.tcpi_pacing_rate) ||
	       put_u64(skb, TCP_NLA_DELIVERY_RATE, i.tcpi_delivery_rate) ||
	       nla_put_u32(skb, TCP_NLA_SND_CWND, i.tcpi_snd_cwnd) ||
	       nla_put_u32(skb, TCP_NLA_REORDERING, i.tcpi_reordering) ||
	       nla_put_u32(skb, TCP_NLA_MIN_RTT, i.tcpi_min_rtt) ||
	       nla_put_u8(skb, TCP_NLA_RECUR_RETRANS, i.tcpi_retransmits) ||
	       nla_put_u8(skb, TCP_NLA_DELIVERY_RATE_APP_LMT, i.tcpi_delivery_rate_app_limited) ||
	       nla_put_u32(skb, TCP_NLA_SND_SSTHRESH, i.tcpi_snd_ssthresh) ||
	       nla_put_u32(skb, TCP_NLA_DELIVERED, i.tcpi_delivered) ||
	       nla_put_u32(skb, TCP_NLA_DELIVERED_CE, i.tcpi_delivered_ce) ||
	       nla_put_u32(skb, TCP_NLA_SNDQ_SIZE,
			   max_t(s32, READ_ONCE(tp->snd.write_seq) - READ_ONCE(tp->snd.una), 0)) ||
	       nla_put_u8(skb, TCP_NLA_CA_STATE, i.tcpi_ca_state) ||
	       put_u64(skb, TCP_NLA_BYTES_SENT, i.tcpi_bytes_sent) ||
	       put_u64(skb, TCP_NLA_BYTES_RETRANS, i.tcpi_bytes_retrans) ||
	       nla_put_u32(skb, TCP_NLA_DSACK_DUPS, i.tcpi_dsack_dups) ||
	       nla_put_u32(skb, TCP_NLA_REORD_SEEN, i.tcpi_reord_seen) ||
	       nla_put_u32(skb, TCP_NLA_SRTT, i.tcpi_rtt) ||
	       nla_put_u16(skb, TCP_NLA_TIMEOUT_REHASH, 0) ||
	       nla_put_u32(skb, TCP_NLA_BYTES_NOTSENT, i.tcpi_notsent_bytes) ||
	       /* of another write's last byte: not known any more */
	       (known && put_u64(skb, TCP_NLA_EDT,
				 READ_ONCE(tp->stamp.sent_us) * NSEC_PER_USEC)) ||
	       (known && ttl && nla_put_u8(skb, TCP_NLA_TTL, ttl)) ||
	       strata_put_rehash(skb, 0);
}

/* what the core has left out of the stamp @skb; no memory: it stays as it is */
static void tstamp_finish(struct sock *sk, struct sk_buff *skb)
{
	struct sock_exterr_skb *serr = SKB_EXT_ERR(skb);
	u32 flags = READ_ONCE(sk->sk_tsflags), id = skb_shinfo(skb)->tskey;

	serr->unused = STRATA_STAMP_DONE;
	if (flags & SOF_TIMESTAMPING_OPT_ID)
		serr->ee.ee_data = id - atomic_read(&sk->sk_tskey);
	if (!(flags & SOF_TIMESTAMPING_OPT_STATS) || skb->len ||
	    pskb_expand_head(skb, 0, STATS_MAX, GFP_ATOMIC))
		return;
	if (put_stats(skb, sk, id))
		skb_trim(skb, 0);
	else
		serr->opt_stats = 1;
}

void strata_tcp_error_report(struct sock *sk)
{
	struct sk_buff_head *queue = &sk->sk_error_queue;
	struct socket_wq *wq;
	unsigned long flags;
	struct sk_buff *skb;

	spin_lock_irqsave(&queue->lock, flags);
	skb_queue_reverse_walk(queue, skb) {
		if (SKB_EXT_ERR(skb)->ee.ee_origin != SO_EE_ORIGIN_TIMESTAMPING)
			continue;
		if (SKB_EXT_ERR(skb)->unused == STRATA_STAMP_DONE)
			break;
		tstamp_finish(sk, skb);
	}
	spin_unlock_irqrestore(&queue->lock, flags);

	/* as the core's own */
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLERR);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_ERR);
	rcu_read_unlock();
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
