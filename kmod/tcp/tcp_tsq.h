/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcp_tsq.c: the small-queue limit and pacing, departure times. Part of tcp_int.h.
 */
#ifndef _STRATA_TCP_TSQ_H
#define _STRATA_TCP_TSQ_H

#include "tcp_sock.h"

/** strata_tcp_throttled() - is enough below TCP that @len octets of @skb had better wait? Locked */
bool strata_tcp_throttled(struct sock *sk, const struct sk_buff *skb, u32 len);
/** strata_tcp_copy_below() - is the last copy of @skb that was sent still on this host? */
bool strata_tcp_copy_below(const struct sock *sk, const struct sk_buff *skb);

/** strata_tcp_still_below() - has the last copy of @skb not left this host? Then wait. Locked */
bool strata_tcp_still_below(struct sock *sk, const struct sk_buff *skb);
/** strata_tcp_completed() - an skb of ours left the host; any context */
void strata_tcp_completed(struct sock *sk);
/** strata_tcp_resume() - go on sending after a completion or a pause. Locked */
void strata_tcp_resume(struct sock *sk);
bool strata_tcp_pace_wait(struct sock *sk);
void strata_tcp_pace_next(struct sock *sk, const struct sk_buff *skb);
/** strata_tcp_paced() - must the next segment wait for its time? Then the timer runs. Locked */
static inline bool strata_tcp_paced(struct sock *sk)
{
	/* with the cmpxchg of whoever asked for it (SO_MAX_PACING_RATE, sch_fq) */
	return unlikely(smp_load_acquire(&sk->sk_pacing_status) == SK_PACING_NEEDED) &&
	       strata_tcp_pace_wait(sk);
}

/** strata_tcp_pace_sent() - @skb was sent: when may the next be? Locked */
static inline void strata_tcp_pace_sent(struct sock *sk, const struct sk_buff *skb)
{
	if (unlikely(READ_ONCE(sk->sk_pacing_status) != SK_PACING_NONE))
		strata_tcp_pace_next(sk, skb);
}

DECLARE_STATIC_KEY_FALSE(strata_tcp_tx_delay_used);

/** strata_tcp_set_tx_delay() - TCP_TX_DELAY. Locked */
void strata_tcp_set_tx_delay(struct sock *sk, u32 us);
/** strata_tcp_has_departure() - does sch_fq have to be told when a segment of @sk is to leave? */
static inline bool strata_tcp_has_departure(const struct sock *sk)
{
	return READ_ONCE(sk->sk_pacing_status) == SK_PACING_FQ ||
	       static_branch_unlikely(&strata_tcp_tx_delay_used);
}

/** strata_tcp_set_departure() - tell it. Locked */
void strata_tcp_set_departure(const struct sock *sk, struct sk_buff *skb);
void strata_tcp_pace_stop(struct sock *sk);
int strata_tcp_output_init(void);
void strata_tcp_output_exit(void);

#endif
