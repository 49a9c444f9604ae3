/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Congestion control: tcp_cong.c, tcp_reno.c, tcp_cubic.c. A module of its own
 * may register ops; it sees this header alone, never a socket.
 *
 * locking: struct strata_tcp_cong belongs to its socket (socket lock); the
 * registry has a spinlock for writers and RCU readers; an ops in use is pinned
 * by a reference on its module.
 */
#ifndef _STRATA_TCP_CONG_H
#define _STRATA_TCP_CONG_H

#include <linux/list.h>
#include <linux/types.h>
#include "conf.h"

struct module;
struct strata_tcp_cong;

/* wants ECN negotiated, ECT on every segment, and each CE echoed as it comes (RFC 8257) */
#define STRATA_CONG_NEEDS_ECN		0x1
#define STRATA_CONG_RESTRICTED		0x2	/* choosing it needs CAP_NET_ADMIN */
#define STRATA_CONG_NEEDS_PACING	0x4	/* sets pacing_rate itself */

#define STRATA_SSTHRESH_INF		0x7fffffffU
#define STRATA_CWND_MAX			0x3fffffffU
#define STRATA_PACING_INF		(~0ULL)

/* what an ACK tells congestion control; all filled before any op sees it */
struct strata_cong_sample {
	u64	now_us;
	u32	acked;		/* segments newly ACKed or SACKed */
	u32	lost;		/* segments newly marked lost */
	u32	rtt_us;		/* this ACK's sample; 0: none (Karn) */
	u32	srtt_us;	/* 0: unknown */
	u32	min_rtt_us;	/* windowed minimum; ~0U unknown */
	u32	una;		/* SND.UNA after this ACK */
	u32	nxt;		/* SND.NXT */
	u32	mss;		/* bytes */
	u32	in_flight;	/* segments, after this ACK */
	u32	prior_in_flight; /* before it */
	u32	delivered_total; /* scb.delivered */
	u32	delivered_ce;	/* of these by ACKs with ECE */
	/* delivery rate (strata_rate_sample) */
	u32	prior_delivered;
	s32	delivered;	/* segments in interval_us; -1 invalid */
	u32	interval_us;
	bool	app_limited;
	bool	cwnd_limited;	/* the last flight filled cwnd: strata_cong_is_limited() */
	bool	una_advanced;
	bool	only_dup;	/* it acknowledges and SACKs nothing new: a D-SACK, a duplicate */
	bool	ece;
	bool	ecn_ok;		/* the connection has ECN (RFC 3168) */
	u16	init_cwnd;	/* strata_cong_start(): the route's, segments; 0: RFC 6928's */
};

enum strata_cong_event {
	STRATA_CE_TX_START,	/* about to transmit with nothing in flight */
	STRATA_CE_CWND_RESTART,	/* window cut after idle */
	STRATA_CE_CWR_DONE,	/* end of CWR or Recovery */
	STRATA_CE_LOSS,		/* retransmission timeout */
};

/*
 * All ops but get_info run under the socket lock, in BH or process context, and must not
 * sleep. Required: name, ssthresh, undo_cwnd and one of cong_avoid, cong_control.
 */
struct strata_tcp_cong_ops {
	/* connection established, or chosen on a live one; priv is zeroed */
	void	(*init)(struct strata_tcp_cong *c, const struct strata_cong_sample *cs);
	void	(*release)(struct strata_tcp_cong *c);
	/* every ACK that says something, before it is judged; cwnd is not to be touched */
	void	(*in_ack)(struct strata_tcp_cong *c, const struct strata_cong_sample *cs);
	/* new slow start threshold at a loss event, segments, >= 2 */
	u32	(*ssthresh)(struct strata_tcp_cong *c, u64 now_us);
	/* grow cwnd for an ACK in Open or Disorder (and slow start in Loss) */
	void	(*cong_avoid)(struct strata_tcp_cong *c, const struct strata_cong_sample *cs);
	/* instead of cong_avoid and PRR: full control of cwnd and pacing_rate */
	void	(*cong_control)(struct strata_tcp_cong *c, const struct strata_cong_sample *cs,
				u8 state);
	/* recovery state is about to change to @state */
	void	(*set_state)(struct strata_tcp_cong *c, u8 state, u64 now_us);
	void	(*cwnd_event)(struct strata_tcp_cong *c, enum strata_cong_event ev, u64 now_us);
	/* every ACK that delivers, in any state, before cong_avoid (RTT, HyStart++) */
	void	(*acked)(struct strata_tcp_cong *c, const struct strata_cong_sample *cs);
	/* the reduction was spurious: cwnd to return to */
	u32	(*undo_cwnd)(struct strata_tcp_cong *c);
	/*
	 * TCP_CC_INFO, inet_diag: fills @info (union tcp_cc_info) and INET_DIAG_* @attr; bytes.
	 * Under RCU alone: priv may change meanwhile, or be on its way to another algorithm
	 */
	size_t	(*get_info)(struct strata_tcp_cong *c, u32 ext, int *attr, void *info);
	/* least segments of a burst; NULL: tcp_min_tso_segs */
	u32	(*min_tso_segs)(const struct strata_tcp_cong *c);
	u32	sndbuf_windows;			/* the send buffer is for, at most; 0: two */

	char			name[STRATA_CC_NAME_MAX];
	u32			flags;		/* STRATA_CONG_* */
	struct module		*owner;
	struct list_head	list;		/* registry */
};

/* congestion state of a connection */
struct strata_tcp_cong {
	const struct strata_tcp_cong_ops *ops;	/* never NULL after strata_cong_init() */
	u32	cwnd;		/* segments, >= 1 */
	u32	ssthresh;	/* segments; STRATA_SSTHRESH_INF: not yet known */
	u32	cwnd_cnt;	/* segments acknowledged towards the next increment */
	u32	cwnd_clamp;	/* cwnd never grows above */
	u32	prior_cwnd;	/* before the last reduction (undo) */
	u32	prior_ssthresh;	/* before the last reduction */
	u32	cwnd_used;	/* most in flight since cwnd_stamp_us (RFC 7661, 2861) */
	u32	limited_seq;	/* cwnd-limited state holds until this is acknowledged */
	u32	max_out;	/* most in flight in that window of data */
	bool	limited;	/* the flight filled cwnd */
	bool	initialised;	/* ops->init has run */
	u16	init_cwnd;	/* initial and restart window by the route, segments; or 0 */
	u64	cwnd_stamp_us;	/* when the window was last found fully used */
	u64	pacing_rate;	/* bytes per second; STRATA_PACING_INF: none */
	u64	max_pacing_rate; /* SO_MAX_PACING_RATE */
	u64	priv[13];	/* the ops' own */
};

static inline void *strata_cong_priv(struct strata_tcp_cong *c)
{
	return c->priv;
}

static inline bool strata_cong_in_slow_start(const struct strata_tcp_cong *c)
{
	return c->cwnd < c->ssthresh;
}

/* registry */

int strata_cong_register(struct strata_tcp_cong_ops *ops);	/* -EINVAL, -EEXIST */
/* after it no new user; waits for readers */
void strata_cong_unregister(struct strata_tcp_cong_ops *ops);
/* find by name and pin its module; NULL if unknown. Any context */
const struct strata_tcp_cong_ops *strata_cong_get(const char *name);
/* pin one found under RCU; NULL if its module is leaving, or if there is none */
const struct strata_tcp_cong_ops *strata_cong_pin(const struct strata_tcp_cong_ops *ops);
void strata_cong_put(const struct strata_tcp_cong_ops *ops);
/*
 * names with blanks between (tcp_available_congestion_control); @all: restricted ones
 * too. Length
 */
size_t strata_cong_list(char *buf, size_t size, bool all);
/*
 * only @names, with blanks between, are unrestricted (tcp_allowed_congestion_control). 0, -ENOENT:
 * one is unknown, and nothing has changed. @names is cut to pieces
 */
int strata_cong_allow(char *names);
extern struct strata_tcp_cong_ops strata_reno, strata_cubic;
int strata_cong_module_init(void);	/* registers Reno and CUBIC */
void strata_cong_module_exit(void);

/* a connection's use of it */

/*
 * new connection. @ops: pinned, ownership moves to @c; NULL: Reno. cwnd: IW after
 * strata_cong_start()
 */
void strata_cong_init(struct strata_tcp_cong *c, const struct strata_tcp_cong_ops *ops);
/*
 * established: cs->init_cwnd, or the IW of cs->mss (@syn_lost: SYN or SYN-ACK was retransmitted:
 * 1, RFC 6298 5.7/5681 3.1), ops->init
 */
void strata_cong_start(struct strata_tcp_cong *c, const struct strata_cong_sample *cs,
		       bool syn_lost);
/* the connection is over and its socket may open another: as new but for the choices made */
void strata_cong_reset(struct strata_tcp_cong *c);
/* change on a live connection; @ops pinned, moves to @c; the old one is released and put */
void strata_cong_change(struct strata_tcp_cong *c, const struct strata_tcp_cong_ops *ops,
			const struct strata_cong_sample *cs);
/* connection ends: release and put; idempotent */
void strata_cong_exit(struct strata_tcp_cong *c);
static inline void strata_cong_event(struct strata_tcp_cong *c, enum strata_cong_event ev,
				     u64 now_us)
{
	if (c->ops->cwnd_event)
		c->ops->cwnd_event(c, ev, now_us);
}

/* initial window in segments (RFC 6928 2) */
u32 strata_cong_iw(u32 mss);
/*
 * slow start by @acked (RFC 5681 3.1, byte counting in segments as native); returns
 * what is left over
 */
u32 strata_cong_slow_start(struct strata_tcp_cong *c, u32 acked);
/* additive increase: one segment per @w acknowledged */
void strata_cong_add(struct strata_tcp_cong *c, u32 w, u32 acked);
/* idle for @idle_us (> RTO) with nothing in flight: RFC 2861 3.1, RFC 5681 4.1; @rto_us > 0 */
void strata_cong_idle(struct strata_tcp_cong *c, u32 mss, u64 idle_us, u32 rto_us, u64 now_us);
/*
 * After sending: was cwnd the limit? @una, @nxt after it; @in_flight segments; @limited:
 * the output loop stopped at cwnd. Validates the window when the application is the
 * limit for an RTO (RFC 2861 3.2) if @slow_start_after_idle. RFC 7661's intent.
 */
void strata_cong_validate(struct strata_tcp_cong *c, u32 una, u32 nxt, u32 in_flight, bool limited,
			  u32 rto_us, u64 now_us, bool slow_start_after_idle);
/*
 * Packets grow from @old to @new bytes: cwnd stays as many bytes as it was; nothing to undo.
 * @state: enum strata_ca_state
 */
void strata_cong_resize(struct strata_tcp_cong *c, u32 old, u32 new, u8 state, u64 now_us);
/* may cwnd grow: the flight filled it, or half of it in slow start */
static inline bool strata_cong_is_limited(const struct strata_tcp_cong *c)
{
	if (c->limited)
		return true;
	/* slow start doubles per round trip: half full is full (RFC 7661 4.1) */
	return strata_cong_in_slow_start(c) && c->cwnd < 2 * c->max_out;
}

/* pacing rate from cwnd and srtt (percent ratios: tcp_pacing_ss_ratio, _ca_ratio) */
void strata_cong_update_pacing(struct strata_tcp_cong *c, u32 mss, u32 srtt_us, u32 in_flight,
			       u32 ss_ratio, u32 ca_ratio);

#endif /* _STRATA_TCP_CONG_H */
