/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of struct strata_tcp_sock that are TCP's alone, and the bits they use.
 */
#ifndef _STRATA_TCP_PARTS_H
#define _STRATA_TCP_PARTS_H

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
#define STRATA_TODO_ACK_PRIOR	BIT(11)	/* before the ACK, one up to ecn_prior_nxt (RFC 8257) */
#define STRATA_TODO_SPACE	BIT(12)	/* memory was freed: when all is sent, look who waits */

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
 * @ratio: payload of the receive buffer's memory, 1/256
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
	u8	ratio;
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
	STRATA_DEFER_ACK,	/* segments of the backlog want one */
	STRATA_DEFER_REFS,
	/* over the small-queue limit: wake at completion */
	STRATA_TSQ_THROTTLED = STRATA_DEFER_REFS,
	STRATA_TSQ_QUEUED,	/* on a CPU's list; holds a reference */
};

#define STRATA_ACK_SCHED	0x01	/* owed */
#define STRATA_ACK_TIMER	0x02	/* and the delay timer runs */
#define STRATA_ACK_NOW		0x04	/* and may not wait */
#define STRATA_ACK_NOMEM	0x08	/* and closes the window */
#define STRATA_ACK_PUSHED	0x10	/* the end of a write seems to be there */
#define STRATA_ACK_PUSHED2	0x20	/* twice since the last ACK */
#define STRATA_ACK_RIDE		0x40	/* a tick for the answer to carry it */
#define STRATA_ACK_ANSWER	0x80	/* of data that came with an ACK of ours */

#define STRATA_QUICK_ALWAYS	U8_MAX	/* RTAX_QUICKACK */

/**
 * struct strata_tcp_ackdelay - delayed ACKs (RFC 1122 4.2.3.2)
 * @pending: STRATA_ACK_*; @quick: ACKs to send at once before delaying, or _QUICK_ALWAYS
 * @pingpong: data that answered data: piggyback; @ato: delay, jiffies
 * @lrcvtime: jiffies data last came; @last_seg: bytes of it
 * @comp_nxt: RCV.NXT to which strata_tcp_sock.comp_dups belongs
 */
struct strata_tcp_ackdelay {
	u8		pending;
	u8		quick;
	u8		pingpong;
	u8		retry;
	u32		ato;
	u32		last_seg;
	u32		comp_nxt;
	unsigned long	timeout;
	unsigned long	lrcvtime;
};

/* tp->save_syn, values of TCP_SAVE_SYN: from which header on */
#define STRATA_SAVE_SYN_IP	1
#define STRATA_SAVE_SYN_LINK	2

/* tp->table: which table of tcp_lookup.c it is in; that bucket's lock */
#define STRATA_TCP_IN_NONE	0
#define STRATA_TCP_IN_EST	1
#define STRATA_TCP_IN_LISTEN	2

struct strata_tcp_reqs;
struct strata_tcp_req;
struct strata_tcp_syn;
struct strata_fastopen_keys;

/**
 * struct strata_tcp_tfo - Fast Open (RFC 7413) of one connection; tcp_fastopen.c
 * @cookie: the option of the next SYN or SYN-ACK, with @syn_now; then none again
 * @msg: what send() has for the SYN, while it opens; NULL else
 * @copied: bytes of it that the SYN took
 * @active: a send() or connect() with Fast Open has begun
 * @deferred: connect() has returned, the first send() opens; @held: no SYN has left yet
 * @syn_now: the next SYN is the fast one
 * @asked, @exp: the SYN had the option, the experimental one; @syn_data: and data
 * @data_acked: data on the SYN was taken, either side's (TCPI_OPT_SYN_DATA)
 * @probe: the first try since the pause for a blackhole ended
 * @client_fail: TFO_* of struct tcp_info
 * @req, @lsk: passive side: the request that the child came from, and its listener, until the
 *	SYN-ACK is acknowledged; both counted, NULL else
 *
 * locking: the socket lock; @req may be compared with NULL without.
 */
struct strata_tcp_tfo {
	struct strata_tcp_cookie cookie;
	struct msghdr		*msg;
	u32			copied;
	u8			active:1,
				deferred:1,
				held:1,
				syn_now:1,
				asked:1,
				exp:1,
				syn_data:1,
				data_acked:1;
	u8			probe:1,
				client_fail:2;
	struct strata_tcp_req	*req;
	struct sock		*lsk;
};

/**
 * struct strata_tcp_listener - only in LISTEN: connections that wait for accept()
 * @reqs: half-open requests (tcp_request.c), NULL outside LISTEN; RCU
 * @queue: established children, linked by strata_tcp_sock.accept_node
 * @qlen, @max: children queued and the backlog
 * @fo_keys: keys of Fast Open cookies (TCP_FASTOPEN_KEY), NULL: the namespace's; RCU
 * @fo_max: Fast Open children that may wait for the ACK of their SYN-ACK, 0: none
 * @fo_qlen: those that do, and @fo_reset: struct strata_tcp_req.wait of those that were reset
 *	in the last minute
 * locking: @lock protects @queue, @qlen, @fo_qlen and @fo_reset; BH off
 */
struct strata_tcp_listener {
	struct strata_tcp_reqs __rcu *reqs;
	spinlock_t		lock;	/* see above */
	struct list_head	queue;
	u32			qlen;
	u32			max;
	struct strata_fastopen_keys __rcu *fo_keys;
	u32			fo_max;
	u32			fo_qlen;
	struct list_head	fo_reset;
};

#endif /* _STRATA_TCP_PARTS_H */
