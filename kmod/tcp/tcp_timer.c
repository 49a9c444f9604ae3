// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers: deadlines, and what was left for the user's release of the socket. What the sending
 * side does when one fires is in tcp_timeout.c.
 *
 * One timer serves the sending side; tp->timer_kind says for what: retransmission
 * (RFC 6298 5), tail loss probe and reordering (RFC 8985), or the probe of a closed
 * window (RFC 9293 3.8.6.1). Another delays ACKs (RFC 1122 4.2.3.2). sk->sk_timer is the
 * slow one (tcp_keepalive.c).
 *
 * A timer does not send: it changes state, sets todo bits, and calls
 * strata_tcp_output(). If the user owns the socket when it fires, a bit of
 * tp->deferred reminds strata_tcp_release_cb().
 *
 * Deadlines move far more often than they are met, so a running timer is left alone if it
 * fires no later than the new deadline, and looks at the deadline when it does;
 * clearing is only forgetting.
 *
 * locking: handlers run in BH and take the socket lock; the rest under it. A pending timer
 * holds a reference (sk_reset_timer()).
 */

#include "tcp_int.h"

/* RFC 5482: no later than the user's limit, of which @elapsed ms are over */
static unsigned long until_limit(const struct strata_tcp_sock *tp, u64 elapsed, unsigned long when)
{
	if (elapsed >= tp->user_timeout)
		return 1;
	return clamp(msecs_to_jiffies(tp->user_timeout - (u32)elapsed), 1UL, when);
}

static unsigned long rto_when(const struct strata_tcp_sock *tp)
{
	unsigned long when = strata_tcp_rto_jiffies(tp);

	/* the limit is not for a SYN-ACK */
	if (likely(!tp->user_timeout || !tp->retries) || !tp->retrans_start_us ||
	    strata_tcp_fastopen_pending(tp))
		return when;
	return until_limit(tp, div_u64(tp->mstamp_us - tp->retrans_start_us, USEC_PER_MSEC), when);
}

static unsigned long persist_when(const struct strata_tcp_sock *tp)
{
	unsigned long most = usecs_to_jiffies(STRATA_RTO_MAX_US);
	unsigned long when = min(strata_tcp_rto_jiffies(tp) << min_t(u8, tp->retries, 16), most);
	u32 now_ms = (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC);

	if (likely(!tp->user_timeout || !tp->probes_tstamp))
		return when;
	return until_limit(tp, max((s32)(now_ms - tp->probes_tstamp), 0), when);
}

void strata_tcp_timer_set(struct sock *sk, enum strata_tcp_timer kind, unsigned long when)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	when += jiffies;
	WRITE_ONCE(tp->timer_kind, kind);
	WRITE_ONCE(tp->timer_expires, when);
	if (!timer_pending(&tp->rexmit_timer) ||
	    time_before(when, READ_ONCE(tp->rexmit_timer.expires)))
		sk_reset_timer(sk, &tp->rexmit_timer, when);
}

void strata_tcp_timer_clear(struct sock *sk)
{
	WRITE_ONCE(strata_tcp_sk(sk)->timer_kind, STRATA_TIMER_NONE);
}

void strata_tcp_timer_rto(struct sock *sk)
{
	strata_tcp_timer_set(sk, STRATA_TIMER_RTO, rto_when(strata_tcp_sk(sk)));
}

void strata_tcp_timer_rearm(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;

	/* it is the SYN-ACK's until that is acknowledged */
	if (strata_tcp_fastopen_pending(tp))
		return;
	if (tp->scb.packets_out) {
		if (READ_ONCE(conf->tcp_early_retrans) >= 3 &&
		    strata_tlp_ok(&tp->tlp, &tp->scb, tp->rec.state)) {
			u32 delack = tp->scb.packets_out == 1 ? tp->rtt.rto_min_us : 0;
			u32 pto = strata_tlp_pto(strata_rtt_srtt(&tp->rtt), delack,
						 strata_rtt_rto(&tp->rtt));

			strata_tcp_timer_set(sk, STRATA_TIMER_TLP,
					     max_t(unsigned long, strata_tcp_jiffies(pto), 1));
		} else {
			strata_tcp_timer_rto(sk);
		}
	} else if (!skb_queue_empty(&sk->sk_write_queue)) {
		strata_tcp_timer_set(sk, STRATA_TIMER_PERSIST, persist_when(tp));
	} else {
		strata_tcp_timer_clear(sk);
	}
}

void strata_tcp_delack_set(struct sock *sk, unsigned long when)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	tp->ack.pending |= STRATA_ACK_SCHED | STRATA_ACK_TIMER;
	tp->ack.timeout = jiffies + when;
	if (!timer_pending(&tp->delack_timer) ||
	    time_before(tp->ack.timeout, READ_ONCE(tp->delack_timer.expires)))
		sk_reset_timer(sk, &tp->delack_timer, tp->ack.timeout);
}

void strata_tcp_delack_clear(struct sock *sk)
{
	strata_tcp_sk(sk)->ack.pending &= ~STRATA_ACK_TIMER;
}

/* the sending side's timer. Locked */
static void rexmit_run(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	enum strata_tcp_timer kind = tp->timer_kind;

	if (((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN)) || kind == STRATA_TIMER_NONE)
		return;
	if (time_after(tp->timer_expires, jiffies)) {
		sk_reset_timer(sk, &tp->rexmit_timer, tp->timer_expires);
		return;
	}
	strata_tcp_mstamp(tp);
	if ((kind == STRATA_TIMER_RTO || kind == STRATA_TIMER_TLP) &&
	    strata_tcp_held_by_fq(sk, kind))
		return;
	strata_tcp_timer_clear(sk);
	switch (kind) {
	case STRATA_TIMER_RTO:
		strata_tcp_rto_fired(sk);
		break;
	case STRATA_TIMER_PERSIST:
		strata_tcp_persist_fired(sk);
		break;
	case STRATA_TIMER_TLP:
		tp->todo |= STRATA_TODO_TLP;
		break;
	case STRATA_TIMER_REO:
		strata_tcp_rack_timeout(sk);
		break;
	default:
		break;
	}
	strata_tcp_output(sk);
}

void strata_tcp_backoff_revert(struct sock *sk, u32 seq)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb = strata_tcp_rtx_head(sk);
	u64 due;

	if (!skb || seq != tp->snd.una || !tp->retries || !tp->rtt.backoff ||
	    strata_tcp_probe_like(sk) || tp->timer_kind != STRATA_TIMER_RTO)
		return;
	tp->rtt.backoff--;
	strata_tcp_mstamp(tp);
	due = STRATA_TCP_TX(skb)->xmit_us + strata_rtt_rto(&tp->rtt);
	if (due > tp->mstamp_us) {
		strata_tcp_timer_set(sk, STRATA_TIMER_RTO,
				     min(strata_tcp_jiffies(due - tp->mstamp_us), rto_when(tp)));
		return;
	}
	WRITE_ONCE(tp->timer_expires, jiffies);
	rexmit_run(sk);
}

/* RFC 1122 4.2.3.2: the answer did not come in time to carry the ACK. Locked */
static void delack_run(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN)) ||
	    strata_tcp_compress_due(sk) || !(tp->ack.pending & STRATA_ACK_TIMER))
		return;
	if (time_after(tp->ack.timeout, jiffies)) {
		sk_reset_timer(sk, &tp->delack_timer, tp->ack.timeout);
		return;
	}
	tp->ack.pending &= ~STRATA_ACK_TIMER;
	if (!(tp->ack.pending & STRATA_ACK_SCHED))
		return;
	if (tp->ack.pending & STRATA_ACK_RIDE) {
		tp->ack_alone = 1;
	} else if (strata_tcp_interactive(tp)) {
		/* not so interactive after all */
		tp->ack.pingpong = 0;
		tp->ack.ato = STRATA_TCP_ATO_MIN;
	} else {
		tp->ack.ato = min_t(u32, tp->ack.ato << 1, strata_tcp_rto_jiffies(tp));
	}
	strata_inc(strata_sk_net(sk), TCPEXT_DELAYEDACKS);
	tp->todo |= STRATA_TODO_ACK;
	strata_tcp_output(sk);
}

void strata_tcp_defer(struct sock *sk, enum strata_tcp_deferred what)
{
	if (!test_and_set_bit(what, &strata_tcp_sk(sk)->deferred))
		sock_hold(sk);
}

static void rexmit_fire(struct timer_list *t)
{
	struct strata_tcp_sock *tp = container_of(t, struct strata_tcp_sock, rexmit_timer);
	struct sock *sk = &tp->ep.sk;

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		rexmit_run(sk);
	else
		strata_tcp_defer(sk, STRATA_DEFER_REXMIT);
	bh_unlock_sock(sk);
	sock_put(sk);
}

static void delack_fire(struct timer_list *t)
{
	struct strata_tcp_sock *tp = container_of(t, struct strata_tcp_sock, delack_timer);
	struct sock *sk = &tp->ep.sk;

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk)) {
		delack_run(sk);
	} else {
		strata_inc(strata_sk_net(sk), TCPEXT_DELAYEDACKLOCKED);
		strata_tcp_defer(sk, STRATA_DEFER_DELACK);
	}
	bh_unlock_sock(sk);
	sock_put(sk);
}

static void deferred_run(struct sock *sk, enum strata_tcp_deferred what)
{
	switch (what) {
	case STRATA_DEFER_OUTPUT:
		strata_tcp_resume(sk);
		break;
	case STRATA_DEFER_REXMIT:
		rexmit_run(sk);
		break;
	case STRATA_DEFER_DELACK:
		delack_run(sk);
		break;
	case STRATA_DEFER_PMTU:
		strata_tcp_path_changed(sk);
		break;
	case STRATA_DEFER_ACK:
		/* unless data has carried it meanwhile */
		if (strata_tcp_sk(sk)->ack.pending & STRATA_ACK_SCHED) {
			strata_tcp_sk(sk)->todo |= STRATA_TODO_ACK;
			strata_tcp_output(sk);
		}
		break;
	default:
		break;
	}
}

void strata_tcp_release_cb(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int what;

	if (likely(!(READ_ONCE(tp->deferred) & (BIT(STRATA_DEFER_REFS) - 1))))
		return;
	for (what = 0; what < STRATA_DEFER_REFS; what++) {
		if (!test_and_clear_bit(what, &tp->deferred))
			continue;
		deferred_run(sk, what);
		__sock_put(sk);
	}
}

bool strata_tcp_flush_backlog(struct sock *sk)
{
	if (!sk_flush_backlog(sk))
		return false;
	/* 6.1's core leaves that to the release */
	strata_tcp_release_cb(sk);
	return true;
}

void strata_tcp_timers_init(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	timer_setup(&tp->rexmit_timer, rexmit_fire, 0);
	timer_setup(&tp->delack_timer, delack_fire, 0);
	timer_setup(&sk->sk_timer, strata_tcp_slow_fire, 0);
	tp->pacing_ready = 0;
	tp->comp_ready = 0;
	tp->comp_acks = 0;
	tp->timer_kind = STRATA_TIMER_NONE;
}

void strata_tcp_timers_stop(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	strata_tcp_timer_clear(sk);
	tp->ack.pending = 0;
	strata_tcp_stop_timer(sk, &tp->rexmit_timer);
	strata_tcp_stop_timer(sk, &tp->delack_timer);
	strata_tcp_keepalive_clear(sk);
	strata_tcp_pace_stop(sk);
	strata_tcp_compress_stop(sk);
}
