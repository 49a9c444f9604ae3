/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct strata_tcp_sock: the control information of one TCP connection. tp->snd.una
 * is SND.UNA, tp->rcv.nxt is RCV.NXT of RFC 9293 3.3.1, and so on. The sub-structs of
 * the pure algorithms are in tcp_alg.h.
 */
#ifndef _STRATA_TCP_SOCK_H
#define _STRATA_TCP_SOCK_H

#include <linux/hrtimer.h>
#include <linux/llist.h>
#include <linux/rbtree.h>
#include "../tcp.h"
#include "../stats.h"
#include "tcp_seg.h"

/* tp->todo: what the receive path, timers and user calls want sent; cleared by tcp_output.c only */
#define STRATA_TODO_ACK		BIT(0)	/* an ACK now */
#define STRATA_TODO_DATA	BIT(1)	/* look whether data (and FIN) may go */
#define STRATA_TODO_REXMIT	BIT(2)	/* retransmit what is marked lost */
#define STRATA_TODO_PROBE	BIT(3)	/* a window probe */
#define STRATA_TODO_TLP		BIT(4)	/* a tail loss probe */
#define STRATA_TODO_KEEPALIVE	BIT(5)	/* a keepalive probe */
#define STRATA_TODO_SYN		BIT(6)	/* (re)send the SYN or, in SYN-RECEIVED, SYN-ACK */
#define STRATA_TODO_CHALLENGE	BIT(7)	/* a challenge ACK, rate-limited (RFC 5961) */
#define STRATA_TODO_DUPACK	BIT(8)	/* an ACK for an unacceptable segment, rate-limited */
#define STRATA_TODO_PUSH	BIT(9)	/* ignore Nagle once: user pushed, FIN, MSG_EOR */
#define STRATA_TODO_MORE	BIT(10)	/* MSG_MORE: the last short segment may wait */

/* what the one retransmission timer is armed for */
enum strata_tcp_timer {
	STRATA_TIMER_NONE,
	STRATA_TIMER_RTO,	/* RFC 6298 */
	STRATA_TIMER_TLP,	/* RFC 8985 7 */
	STRATA_TIMER_REO,	/* RFC 8985 6.2 step 5 */
	STRATA_TIMER_PERSIST,	/* RFC 9293 3.8.6.1 */
};

/**
 * struct strata_tcp_snd - send sequence space; the peer's window is in tp->swnd
 * @iss, @una, @nxt, @up: RFC 9293 3.3.1
 * @write_seq: behind the last byte the user wrote (and the FIN, once queued)
 * @pushed_seq: last byte marked with PSH
 * @sml_end: end of the last short segment (Minshall's Nagle)
 * @mss: payload of a full segment with the options we send, bytes; follows the path MTU
 * @mss_clamp: peer's MSS option (536 without) or TCP_MAXSEG, without options
 * @user_mss: TCP_MAXSEG, 0: none
 */
struct strata_tcp_snd {
	u32	iss;
	u32	una;
	u32	nxt;
	u32	up;
	u32	write_seq;
	u32	pushed_seq;
	u32	sml_end;
	u16	mss;
	u16	mss_clamp;
	u16	user_mss;
};

/**
 * struct strata_tcp_rcv_space - receive sequence space; the window we offer is in tp->rwnd
 * @irs, @nxt, @up: RFC 9293 3.3.1; @up: sequence number of the urgent byte
 * @copied_seq: next byte the user will read
 * @ssthresh: limit of the window we offer until the peer's segments have proved to
 *	fill the memory they take (bytes)
 * @mss: estimate of the segments the peer sends, bytes
 * @adv_mss: MSS option we sent
 * @urg_data: STRATA_URG_* and the byte
 */
struct strata_tcp_rcv_space {
	u32	irs;
	u32	nxt;
	u32	up;
	u32	copied_seq;
	u32	ssthresh;
	u16	mss;
	u16	adv_mss;
	u16	urg_data;
};

/* rcv.urg_data: the urgent byte, and what is known of it */
#define STRATA_URG_VALID	0x0100	/* the byte is in the low octet */
#define STRATA_URG_NOTYET	0x0200	/* announced, not here yet */
#define STRATA_URG_READ		0x0400	/* the user has read it */

/* tp->deferred: work that came while the user owned the socket; done by strata_tcp_release_cb().
 * Each bit of the first group holds a reference while set. Atomic bit operations, no lock
 */
enum strata_tcp_deferred {
	STRATA_DEFER_OUTPUT,	/* small-queue or pacing: send more */
	STRATA_DEFER_REXMIT,	/* retransmission timer */
	STRATA_DEFER_DELACK,	/* delayed ACK timer */
	STRATA_DEFER_PMTU,	/* path MTU was lowered */
	STRATA_DEFER_REFS,
	STRATA_TSQ_THROTTLED = STRATA_DEFER_REFS,	/* over the small-queue limit: wake at completion */
	STRATA_TSQ_QUEUED,	/* on a CPU's list; holds a reference */
};

/**
 * struct strata_tcp_ackdelay - delayed ACKs (RFC 1122 4.2.3.2)
 * @pending: STRATA_ACK_*; @quick: ACKs to send at once before delaying
 * @pingpong: interactive session: piggyback; @ato: delay, jiffies
 * @lrcvtime: jiffies data last came; @last_seg: bytes of it
 */
#define STRATA_ACK_SCHED	0x01	/* owed */
#define STRATA_ACK_TIMER	0x02	/* and the delay timer runs */
#define STRATA_ACK_NOW		0x04	/* and may not wait */

struct strata_tcp_ackdelay {
	u8		pending;
	u8		quick;
	u8		pingpong;
	u8		retry;
	u32		ato;
	u32		last_seg;
	unsigned long	timeout;
	unsigned long	lrcvtime;
};

/* tp->table: which table of tcp_lookup.c it is in; that bucket's lock */
#define STRATA_TCP_IN_NONE	0
#define STRATA_TCP_IN_EST	1
#define STRATA_TCP_IN_LISTEN	2

struct strata_tcp_reqs;

/**
 * struct strata_tcp_listener - only in LISTEN: connections that wait for accept()
 * @reqs: half-open requests (tcp_request.c), NULL outside LISTEN; RCU
 * @queue: established children, linked by strata_tcp_sock.accept_node
 * @qlen, @max: children queued and the backlog
 * locking: @lock protects @queue and @qlen; BH off
 */
struct strata_tcp_listener {
	struct strata_tcp_reqs __rcu *reqs;
	spinlock_t		lock;
	struct list_head	queue;
	u32			qlen;
	u32			max;
};

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

	/* options agreed on (RFC 7323, 2018, 3168) */
	u8	ts_ok:1,
		sack_ok:1,
		wscale_ok:1,
		ecn_ok:1,
		syn_retrans:1,	/* the SYN or SYN-ACK was sent again */
		tw_pending:1;	/* FIN came in FIN-WAIT-2: TIME-WAIT once its ACK is out */

	/* user's choices */
	u8	nodelay:1,
		cork:1,
		keepalive_on:1,
		thin_lto:1,
		defer_on:1,
		inq_cmsg:1,
		quickack_off:1;

	u32	ts_recent;		/* TS.Recent */
	u32	ts_recent_stamp;	/* seconds, when it was taken (ktime_get_seconds) */
	u32	ts_offset;		/* added to our clock, random per connection (RFC 7323 5.4) */

	/* queues: sk->sk_write_queue: not sent yet; sk->tcp_rtx_queue: sent, rb-tree by seq;
	 * sk->sk_receive_queue: in order. rtx_by_time lists the latter by last transmission
	 */
	struct list_head	rtx_by_time;
	struct rb_root		ofo;		/* out of order, by seq */
	struct sk_buff		*ofo_last;
	struct strata_sack_rcv	sack_rcv;	/* blocks to report */
	struct strata_sack_block sack_seen[STRATA_TCP_MAX_SACKS]; /* marked by earlier ACKs: skipped */
	u32			rexmit_seq;	/* nothing LOST and not retransmitted lies below it */

	/* timers (tcp_timer.c); each holds a reference to the socket while pending */
	struct timer_list	rexmit_timer;
	struct timer_list	delack_timer;
	struct hrtimer		pacing_timer;
	enum strata_tcp_timer	timer_kind;
	unsigned long		timer_expires;	/* jiffies; also when the timer is later than that */
	u8			retries;	/* RTOs in a row without progress */
	u8			probes_out;	/* window or keepalive probes without an answer */
	u8			pacing_armed;
	u8			linger2_on;
	u64			retrans_start_us;	/* first retransmission of this episode, 0 */
	u32			probes_tstamp;	/* ms, first unanswered window probe, 0 */

	/* user timeouts and counts; 0: sysctl. jiffies unless said */
	u32	keepalive_time;
	u32	keepalive_intvl;
	u8	keepalive_probes;
	u8	syn_retries;
	u8	defer_accept;		/* SYN-ACKs to wait */
	u8	pad;
	int	linger2;		/* jiffies; < 0: no FIN-WAIT-2 */
	u32	user_timeout;		/* ms */
	u32	notsent_lowat;		/* bytes */
	u32	window_clamp;		/* TCP_WINDOW_CLAMP, bytes, 0: none; the limit in force is rwnd.clamp */

	/* bookkeeping */
	u32	lsndtime;		/* jiffies data was last sent */
	u32	ack_time;		/* jiffies an acceptable ACK last came */
	u64	syn_us;			/* when the SYN or SYN-ACK last left (RTT sample unless syn_retrans) */
	u64	pace_us;		/* earliest departure of the next segment, pacing; clock of mstamp_us */
	struct strata_tcp_drs	drs;	/* receive buffer autotuning */
	u32	drs_tsecr;		/* TSecr that gave the receiver's last RTT sample */
	u64	mstamp_us;		/* clock of the current entry, read once (strata_tcp_mstamp) */

	/* counted for struct tcp_info and reports */
	u64	bytes_sent, bytes_acked, bytes_received, bytes_retrans;
	u32	segs_out, segs_in, data_segs_out, data_segs_in;
	u32	rcv_ooopack;
	u64	busy_us, rwnd_limited_us, sndbuf_limited_us;
	u32	last_oow_ack;		/* jiffies of the last ACK for an unacceptable segment */
	int	soft_err;		/* last ICMP error, told if the connection fails */
	u32	pmtu;			/* the path MTU snd.mss was made for */

	/* passive open */
	struct list_head		accept_node;
	struct sock			*listener;	/* until accepted; counted. SYN-RECEIVED children */
	struct strata_tcp_listener	lst;

	u8				table;		/* STRATA_TCP_IN_*; entered by sk->sk_nulls_node */
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

/** strata_tcp_tsval() - TSval for a segment sent now, ms (RFC 7323 5.4) */
static inline u32 strata_tcp_tsval(const struct strata_tcp_sock *tp)
{
	return (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC) + tp->ts_offset;
}

#endif /* _STRATA_TCP_SOCK_H */
