/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct strata_tcp_sock: the control information of one TCP connection. tp->snd.una
 * is SND.UNA, tp->rcv.nxt is RCV.NXT of RFC 9293 3.3.1, and so on. The sub-structs of
 * the pure algorithms are in tcp_alg.h.
 */
#ifndef _STRATA_TCP_SOCK_H
#define _STRATA_TCP_SOCK_H

#include "tcp_parts.h"

/**
 * struct strata_tcp_sock - see the file's head
 *
 * locking: the socket lock, except where a member says otherwise.
 */
struct strata_tcp_sock {
	struct strata_sock		ep;	/* first */

	/* per-packet, receive and send */
	struct strata_tcp_snd		snd;
	struct strata_tcp_rcv_space	rcv;
	struct strata_tcp_swnd		swnd;	/* SND.WND */
	struct strata_tcp_rwnd		rwnd;	/* RCV.WND */
	unsigned long			todo;
	unsigned long			deferred;	/* STRATA_DEFER_*, STRATA_TSQ_* */
	struct strata_tcp_ackdelay	ack;
	struct strata_tcp_scb		scb;	/* scoreboard counters */
	struct strata_tcp_rtt		rtt;
	struct strata_tcp_cong		cong;
	struct strata_tcp_rack		rack;
	struct strata_tcp_recovery	rec;
	struct strata_tcp_tlp		tlp;
	struct strata_tcp_rate		rate;
	struct strata_tcp_mtup		mtup;

	/* options agreed on (RFC 7323, 2018, 3168) */
	u8	ts_ok:1,
		sack_ok:1,
		wscale_ok:1,
		ecn_ok:1,	/* in SYN-SENT: asked for */
		ecn_echo:1,	/* CE came: ECE on all ACKs until CWR */
		ecn_seen:1,	/* a segment with ECT or CE has come */
		ecn_ce:1,	/* DCTCP.CE of RFC 8257 3.2: so was the last segment */
		syn_retrans:1,	/* the SYN or SYN-ACK was sent again */
		tw_pending:1,	/* FIN came in FIN-WAIT-2: TIME-WAIT once its ACK is out */
		rto_again:1;	/* the RTO has backed off and now asks for a retransmission */

	/* user's choices */
	u8	nodelay:1,
		cork:1,
		keepalive_on:1,
		thin_lto:1,
		defer_on:1,
		inq_cmsg:1,
		ack_alone:1,	/* ACKs do not wait for an answer to a first write */
		fo_connect:1,	/* TCP_FASTOPEN_CONNECT */
		fo_no_cookie:1,
		cong_by_route:1, /* RTAX_CC_ALGO has chosen it */
		cong_fixed:1;	/* and locked it */

	u32	ecn_prior_nxt;		/* RCV.NXT when ecn_ce changed */
	u32	ts_recent;		/* TS.Recent */
	u32	ts_recent_stamp;	/* seconds, when it was taken (ktime_get_seconds) */
	/* added to our clock, random per connection (RFC 7323 5.4) */
	u32	ts_offset;

	/* queues: sk->sk_write_queue: not sent yet; sk->tcp_rtx_queue: sent, rb-tree by seq;
	 * sk->sk_receive_queue: in order. rtx_by_time lists the latter by last transmission
	 */
	struct list_head	rtx_by_time;
	struct rb_root		ofo;		/* out of order, by seq */
	struct sk_buff		*ofo_last;
	struct strata_sack_rcv	sack_rcv;	/* blocks to report */
	/* marked by earlier ACKs: skipped */
	struct strata_sack_block sack_seen[STRATA_TCP_MAX_SACKS];
	/* nothing LOST and not retransmitted lies below it */
	u32			rexmit_seq;

	/* timers (tcp_timer.c); each holds a reference to the socket while pending */
	struct timer_list	rexmit_timer;
	struct timer_list	delack_timer;
	struct hrtimer		pacing_timer;
	struct hrtimer		comp_timer;	/* of compressed ACKs (tcp_compress.c) */
	enum strata_tcp_timer	timer_kind;
	/* jiffies; also when the timer is later than that */
	unsigned long		timer_expires;
	u8			retries;	/* RTOs or window probes without progress */
	u8			probes_out;	/* window or keepalive probes without an answer */
	u8			pacing_ready;	/* pacing_timer has been set up */
	u8			linger2_on;
	u8			comp_ready;	/* comp_timer has been set up */
	u8			comp_acks;	/* ACKs it holds back */
	u8			comp_dups;	/* those of ack.comp_nxt that went at once */
	/* first retransmission of this episode, 0 */
	u64			retrans_start_us;
	u32			probes_tstamp;	/* ms, first unanswered window probe, 0 */

	/* user timeouts and counts; 0: sysctl. jiffies unless said */
	u32	keepalive_time;
	u32	keepalive_intvl;
	u8	keepalive_probes;
	u8	syn_retries;
	u8	defer_accept;		/* SYN-ACKs to wait */
	u8	save_syn;		/* TCP_SAVE_SYN: STRATA_SAVE_SYN_* */
	int	linger2;		/* jiffies; < 0: no FIN-WAIT-2 */
	u32	rto_min_us;		/* tcp_rto_min_us, when the socket was made */
	u32	user_timeout;		/* ms */
	u32	notsent_lowat;		/* bytes */
	/* TCP_WINDOW_CLAMP, bytes, 0: none; the limit in force is rwnd.clamp */
	u32	window_clamp;
	u32	tx_delay;		/* TCP_TX_DELAY, µs */
	/* what was sent or acknowledged last of which a stamp is taken; read without the lock */
	struct {
		u64	sent_us;	/* when it leaves, or left */
		u32	key;		/* the stamp's byte */
		u8	ttl;		/* of the ACK; 0: none */
	} stamp;

	/* bookkeeping */
	u32	lsndtime;		/* jiffies data was last sent */
	u32	ack_time;		/* jiffies an acceptable ACK last came */
	/* when the SYN or SYN-ACK last left (RTT sample unless syn_retrans) */
	u64	syn_us;
	/* pacing: earliest departure of the next segment, ns; clock of mstamp_us */
	u64	pace_ns;
	struct strata_tcp_drs	drs;	/* receive buffer autotuning */
	u32	drs_tsecr;		/* TSecr that gave the receiver's last RTT sample */
	/* clock of the current entry, read once (strata_tcp_mstamp) */
	u64	mstamp_us;

	/* counted for struct tcp_info and reports */
	u64	bytes_sent, bytes_acked, bytes_received, bytes_retrans;
	u32	segs_out, segs_in, data_segs_out, data_segs_in;
	u32	rcv_ooopack;
	struct strata_tcp_chrono chrono;
	u32	last_oow_ack;		/* jiffies of the last ACK for an unacceptable segment */
	bool	in_output;		/* see strata_tcp_write_space() */
	bool	oow_paws;		/* what was unacceptable last: its timestamp (counters) */
	int	soft_err;		/* last ICMP error, told if the connection fails */
	u32	pmtu;			/* the path MTU snd.mss was made for */

	struct strata_tcp_tfo	tfo;

	/* passive open */
	struct list_head		accept_node;
	/* until accepted; counted. SYN-RECEIVED children */
	struct sock			*listener;
	/* headers of the SYN it came from (TCP_SAVED_SYN), or NULL */
	struct strata_tcp_syn		*syn;
	struct strata_tcp_listener	lst;

	/* STRATA_TCP_IN_*; entered by sk->sk_nulls_node */
	u8				table;
	struct llist_node		tsq_node;	/* tcp_output.c: completion list of a CPU */
};

static inline struct strata_tcp_sock *strata_tcp_sk(const struct sock *sk)
{
	return (struct strata_tcp_sock *)sk;
}

/** strata_tcp_clock_us() - the clock of TCP, µs, monotonic */
static inline u64 strata_tcp_clock_us(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_USEC);
}

/** strata_tcp_mstamp() - read the clock once per entry into TCP */
static inline u64 strata_tcp_mstamp(struct strata_tcp_sock *tp)
{
	tp->mstamp_us = strata_tcp_clock_us();
	return tp->mstamp_us;
}

/** strata_tcp_timeouts() - in a row without progress; probes of a closed window are none */
static inline u8 strata_tcp_timeouts(const struct strata_tcp_sock *tp)
{
	return READ_ONCE(tp->timer_kind) == STRATA_TIMER_PERSIST ? 0 : READ_ONCE(tp->retries);
}

/** strata_tcp_now_ms() - the clock of the current entry, ms */
static inline u32 strata_tcp_now_ms(const struct strata_tcp_sock *tp)
{
	return (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC);
}

/** strata_tcp_fq_depart_us() - tcp_tsq.c: when a segment leaves that sch_fq may hold back */
u64 strata_tcp_fq_depart_us(const struct strata_tcp_sock *tp);

/** strata_tcp_depart_us() - when a segment that is sent now leaves, on the clock of mstamp_us */
static inline u64 strata_tcp_depart_us(const struct strata_tcp_sock *tp)
{
	if (unlikely(READ_ONCE(tp->ep.sk.sk_pacing_status) == SK_PACING_FQ))
		return strata_tcp_fq_depart_us(tp);
	return tp->mstamp_us;
}

/** strata_tcp_ts_now() - the clock of TSval, ms (RFC 7323 5.4) */
static inline u32 strata_tcp_ts_now(const struct strata_tcp_sock *tp)
{
	return (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC) + tp->ts_offset;
}

/** strata_tcp_tsval() - TSval for a segment sent now, ms */
static inline u32 strata_tcp_tsval(const struct strata_tcp_sock *tp)
{
	return (u32)div_u64(strata_tcp_depart_us(tp), USEC_PER_MSEC) + tp->ts_offset;
}

#endif /* _STRATA_TCP_SOCK_H */
