/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Timers of a connection, and what is left for the release of its lock. Part of tcp_int.h.
 */
#ifndef _STRATA_TCP_TIMER_H
#define _STRATA_TCP_TIMER_H

#include "tcp_sock.h"

#define STRATA_TCP_TIMEWAIT_LEN	(60 * HZ)	/* RFC 9293 3.4.2: 2 MSL, MSL 30 s as native */
#define STRATA_TCP_ATO_MIN	(HZ / 25)	/* delayed ACK, jiffies */
#define STRATA_TCP_RIDE		DIV_ROUND_UP(HZ, 250)
#define STRATA_TCP_DELACK_MAX	(HZ / 5)

/** strata_tcp_jiffies() - @us in jiffies, rounded up; usecs_to_jiffies() would be a call */
static inline unsigned long strata_tcp_jiffies(u32 us)
{
	return div_u64((u64)us * HZ + USEC_PER_SEC - 1, USEC_PER_SEC);
}

/**
 * strata_tcp_delack_max() - the longest that an ACK waits, jiffies: a peer with the same minimum
 * RTO must not time out before
 */
static inline u32 strata_tcp_delack_max(const struct strata_tcp_sock *tp)
{
	u32 rto_min = max_t(u32, strata_tcp_jiffies(tp->rtt.rto_min_us), 2);

	return min_t(u32, rto_min - 1, STRATA_TCP_DELACK_MAX);
}

/** strata_tcp_rto_jiffies() - the RTO with its backoff, at least 1 */
static inline unsigned long strata_tcp_rto_jiffies(const struct strata_tcp_sock *tp)
{
	return max_t(unsigned long, strata_tcp_jiffies(strata_rtt_rto(&tp->rtt)), 1);
}

/* most are not pending when they are stopped */
static inline void strata_tcp_stop_timer(struct sock *sk, struct timer_list *timer)
{
	if (timer_pending(timer))
		sk_stop_timer(sk, timer);
}

/* tcp_timer.c */

/**
 * strata_tcp_release_cb() - struct proto.release_cb: what timers and completions left while the
 * user owned @sk
 */
void strata_tcp_release_cb(struct sock *sk);
/** strata_tcp_defer() - leave @what to strata_tcp_release_cb(). BH lock held, owned by user */
void strata_tcp_defer(struct sock *sk, enum strata_tcp_deferred what);

void strata_tcp_timers_init(struct sock *sk);
/** strata_tcp_timers_stop() - stop all of @sk's, drop their references; does not wait. Locked */
void strata_tcp_timers_stop(struct sock *sk);
/** strata_tcp_timer_set() - arm the retransmission timer for @kind, @when jiffies from now */
void strata_tcp_timer_set(struct sock *sk, enum strata_tcp_timer kind, unsigned long when);
/** strata_tcp_timer_rto() - arm it for the RTO, sooner if TCP_USER_TIMEOUT ends before */
void strata_tcp_timer_rto(struct sock *sk);
void strata_tcp_timer_clear(struct sock *sk);
/**
 * strata_tcp_timer_rearm() - after an ACK or a transmission: RTO, TLP, persist or nothing (RFC
 * 6298 5, 8985 7.2)
 */
void strata_tcp_timer_rearm(struct sock *sk);
/**
 * strata_tcp_backoff_revert() - an ICMP error tells that the segment at @seq, sent again, has met a
 * broken link: no sign of congestion, so its timeout has not doubled (RFC 6069). BH off, locked,
 * not owned by the user
 */
void strata_tcp_backoff_revert(struct sock *sk, u32 seq);
void strata_tcp_delack_set(struct sock *sk, unsigned long when);
void strata_tcp_delack_clear(struct sock *sk);

/* tcp_timeout.c: the sending side's timer has fired. Locked; the caller outputs */

/** strata_tcp_rto_fired(), _persist_fired() - RFC 6298 5.4-5.7; RFC 9293 3.8.6.1 */
void strata_tcp_rto_fired(struct sock *sk);
void strata_tcp_persist_fired(struct sock *sk);
/**
 * strata_tcp_held_by_fq() - is what @kind is armed for late only because sch_fq holds it, or did?
 * Then the timer was set anew, or the connection given up
 */
bool strata_tcp_held_by_fq(struct sock *sk, enum strata_tcp_timer kind);
/** strata_tcp_probe_like() - does what is sent again stand for the probe of a closed window? */
bool strata_tcp_probe_like(const struct sock *sk);
/** strata_tcp_give_up() - the peer is silent: fail with ETIMEDOUT, or with what ICMP said */
void strata_tcp_give_up(struct sock *sk);

/* tcp_keepalive.c: sk->sk_timer. Locked */

/** strata_tcp_keepalive_time() - idle time before the first probe, jiffies */
static inline unsigned long strata_tcp_keepalive_time(const struct strata_tcp_sock *tp)
{
	return tp->keepalive_time ?: READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_keepalive_time);
}

/** strata_tcp_keepalive_set() - (re)arm or stop sk->sk_timer: keepalive, FIN-WAIT-2 */
void strata_tcp_keepalive_set(struct sock *sk, unsigned long when);
void strata_tcp_keepalive_clear(struct sock *sk);
/* its handler */
void strata_tcp_slow_fire(struct timer_list *t);

#endif /* _STRATA_TCP_TIMER_H */
