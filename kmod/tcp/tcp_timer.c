// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers, and what was left for the user's release of the socket.
 *
 * One timer serves the sending side; tp->timer_kind says for what: retransmission
 * (RFC 6298 5), tail loss probe and reordering (RFC 8985), or the probe of a closed
 * window (RFC 9293 3.8.6.1). Another delays ACKs (RFC 1122 4.2.3.2). sk->sk_timer is the
 * slow one: keepalive (RFC 9293 3.8.4) and the end of an orphan's FIN-WAIT-2.
 *
 * A timer does not send: it changes state, sets todo bits, and calls
 * strata_tcp_output(). If the user owns the socket when it fires, a bit of
 * tp->deferred reminds strata_tcp_release_cb().
 *
 * Deadlines move far more often than they are met, so a running timer is left alone if it
 * fires no later than the new deadline, and looks at the deadline when it does;
 * clearing is only forgetting.
 *
 * When to give up (RFC 1122 4.2.3.5, RFC 5482): as native, tcp_retries2 timeouts count as the
 * time they would have taken from the smallest RTO on, so that the number means the same on
 * every path. TCP_USER_TIMEOUT is a time: the last timer ends with it, not with a whole backoff.
 *
 * locking: handlers run in BH and take the socket lock; the rest under it. A pending timer
 * holds a reference (sk_reset_timer()).
 */

#include "tcp_int.h"

#define RTO_MAX_MS	(STRATA_RTO_MAX_US / USEC_PER_MSEC)
#define RTO_MIN_MS	(STRATA_RTO_MIN_US / USEC_PER_MSEC)
#define RTO_INIT_MS	(STRATA_RTO_INIT_US / USEC_PER_MSEC)
#define THIN_RETRIES	6

static unsigned long rto_jiffies(const struct strata_tcp_sock *tp)
{
	return max_t(unsigned long, strata_tcp_jiffies(strata_rtt_rto(&tp->rtt)), 1);
}

/* RFC 5482: no later than the user's limit, of which @elapsed ms are over */
static unsigned long until_limit(const struct strata_tcp_sock *tp, u64 elapsed, unsigned long when)
{
	if (elapsed >= tp->user_timeout)
		return 1;
	return clamp(msecs_to_jiffies(tp->user_timeout - (u32)elapsed), 1UL, when);
}

static unsigned long rto_when(const struct strata_tcp_sock *tp)
{
	unsigned long when = rto_jiffies(tp);

	/* the limit is not for a SYN-ACK */
	if (likely(!tp->user_timeout || !tp->retries) || !tp->retrans_start_us ||
	    strata_tcp_fastopen_pending(tp))
		return when;
	return until_limit(tp, div_u64(tp->mstamp_us - tp->retrans_start_us, USEC_PER_MSEC), when);
}

static unsigned long persist_when(const struct strata_tcp_sock *tp)
{
	unsigned long most = usecs_to_jiffies(STRATA_RTO_MAX_US);
	unsigned long when = min(rto_jiffies(tp) << min_t(u8, tp->retries, 16), most);
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
			u32 delack = tp->scb.packets_out == 1 ? tp->rto_min_us : 0;
			u32 pto = strata_tlp_pto(strata_rtt_srtt(&tp->rtt), delack,
						 strata_rtt_rto(&tp->rtt));

			strata_tcp_timer_set(sk, STRATA_TIMER_TLP,
					     max_t(unsigned long, strata_tcp_jiffies(pto), 1));
		} else {
			strata_tcp_timer_set(sk, STRATA_TIMER_RTO, rto_when(tp));
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

void strata_tcp_keepalive_set(struct sock *sk, unsigned long when)
{
	sk_reset_timer(sk, &sk->sk_timer, jiffies + when);
}

/* most are not pending when they are stopped */
static void stop_timer(struct sock *sk, struct timer_list *timer)
{
	if (timer_pending(timer))
		sk_stop_timer(sk, timer);
}

void strata_tcp_keepalive_clear(struct sock *sk)
{
	stop_timer(sk, &sk->sk_timer);
}

static void give_up(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	strata_inc(strata_sk_net(sk), TCPEXT_ABORTONTIMEOUT);
	strata_tcp_fail(sk, tp->soft_err ?: ETIMEDOUT);
}

/* ms that @n timeouts in a row take, the first after @first_ms */
static u32 timeouts_ms(u32 n, u32 first_ms)
{
	u32 doublings = ilog2(RTO_MAX_MS / first_ms);

	n = min(n, 255U);
	if (n <= doublings)
		return ((2U << n) - 1) * first_ms;
	return ((2U << doublings) - 1) * first_ms + (n - doublings) * RTO_MAX_MS;
}

/* has this episode of timeouts lasted as long as @n of them, or the user's limit? */
static bool timed_out(const struct strata_tcp_sock *tp, u32 n, u32 user_ms)
{
	u64 elapsed;

	if (!tp->retries || !tp->retrans_start_us)
		return false;
	elapsed = div_u64(tp->mstamp_us - tp->retrans_start_us, USEC_PER_MSEC);
	return elapsed >= (user_ms ?: timeouts_ms(n, RTO_MIN_MS));
}

/* timeouts an orphan may take: nobody waits for it */
static u32 orphan_retries(const struct sock *sk, bool alive)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 n = READ_ONCE(strata_sk_net(sk)->conf.tcp_orphan_retries);

	if (tp->soft_err && !alive)
		return 0;
	return !n && alive ? 8 : n;
}

/* RFC 4821 7.7: perhaps only what is as large as this is lost */
static void black_hole(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	struct strata_mtup_shape shape = strata_tcp_shape(tp);

	if (!READ_ONCE(conf->tcp_mtu_probing))
		return;
	strata_mtup_black_hole(&tp->mtup, &shape, READ_ONCE(conf->tcp_base_mss),
			       READ_ONCE(conf->tcp_mtu_probe_floor),
			       (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC));
	strata_tcp_sync_mss(sk, tp->pmtu);
}

/* our SYN, or SYN-ACK, has not been answered: once too often? */
static bool syn_exhausted(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	u32 limit = tp->syn_retries;

	/* one more than for a request, as native: somebody may have accepted it already */
	if (strata_tcp_fastopen_pending(tp))
		return tp->retries >= (limit ?: READ_ONCE(conf->tcp_synack_retries) + 1);
	if (tp->user_timeout && tp->retrans_start_us &&
	    tp->mstamp_us - tp->retrans_start_us >= (u64)tp->user_timeout * USEC_PER_MSEC)
		return true;
	limit = limit ?: READ_ONCE(conf->tcp_syn_retries);
	if (sk->sk_state != TCP_SYN_SENT)
		return tp->retries >= limit;
	/* those that do not double come on top, but not beyond the time without them: as native */
	if (tp->retrans_start_us && tp->mstamp_us - tp->retrans_start_us >=
	    (u64)timeouts_ms(limit, RTO_INIT_MS) * USEC_PER_MSEC)
		return true;
	return tp->retries >= limit + READ_ONCE(conf->tcp_syn_linear_timeouts);
}

/* RFC 9293 3.8.6.1: does what is sent again stand for the probe of a window that has closed? */
static bool probe_like(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	return !tp->swnd.wnd && !tp->user_timeout && !sock_flag(sk, SOCK_DEAD);
}

/* a retransmission timeout: is it one too many? Then the connection is over */
static bool rto_exhausted(struct sock *sk, bool syn)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	u32 limit = READ_ONCE(conf->tcp_retries2);
	u32 now = (u32)jiffies;
	bool over;

	if (syn) {
		over = syn_exhausted(sk);
		goto out;
	}
	/* the path may be dead (RFC 1122 4.2.3.5 R1): ask for another */
	if (timed_out(tp, READ_ONCE(conf->tcp_retries1), 0)) {
		black_hole(sk);
		strata_path_put(&tp->ep.path);
	}
	if (sock_flag(sk, SOCK_DEAD)) {
		bool alive = strata_rtt_rto(&tp->rtt) < STRATA_RTO_MAX_US;

		limit = orphan_retries(sk, alive);
		if (strata_tcp_orphan_shed(sk, alive || !timed_out(tp, limit, 0)))
			return true;
	}
	if (probe_like(sk)) {
		/*
		 * who answers lives (SHLD-17); silence since something new was sent ends it
		 * after two longest RTOs, as native
		 */
		over = min(now - tp->ack_time, now - tp->lsndtime) >
		       2 * usecs_to_jiffies(STRATA_RTO_MAX_US);
		/* R2 begins when the window is open again */
		tp->retrans_start_us = 0;
		tp->retries = 0;
	} else {
		over = timed_out(tp, limit, tp->user_timeout);
	}
out:
	if (!strata_tcp_fastopen_pending(tp))
		strata_tcp_fastopen_timeout(sk, over);
	if (over)
		give_up(sk);
	return over;
}

/*
 * A stream so thin that only timeouts repair it, and whose user does not want them to double: for
 * the first six, as native
 */
static bool thin_linear(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	return sk->sk_state == TCP_ESTABLISHED && tp->scb.packets_out < 4 &&
	       tp->cong.ssthresh < STRATA_SSTHRESH_INF && tp->retries <= THIN_RETRIES &&
	       (tp->thin_lto || READ_ONCE(strata_sk_net(sk)->conf.tcp_thin_linear_timeouts));
}

/* does the timeout that has just been counted double the next? Not the first ones of a SYN */
static bool backs_off(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 linear = READ_ONCE(strata_sk_net(sk)->conf.tcp_syn_linear_timeouts);

	return sk->sk_state != TCP_SYN_SENT || tp->rtt.timeouts.n > linear;
}

/* FIN-WAIT-1 of a simultaneous open: closed before our SYN was acknowledged */
static bool syn_out(const struct strata_tcp_sock *tp)
{
	return tp->snd.una == tp->snd.iss && !tp->bytes_acked;
}

static void syn_again(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	tp->syn_retrans = 1;
	if (!tp->retrans_start_us)
		tp->retrans_start_us = tp->syn_us;
	WRITE_ONCE(tp->scb.total_retrans, tp->scb.total_retrans + 1);
	strata_inc(strata_sk_net(sk), TCP_RETRANSSEGS);
	tp->todo |= STRATA_TODO_SYN;
}

/* RFC 6298 5.4-5.7 */
static void rto_fired(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool syn = sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV ||
		   strata_tcp_fastopen_pending(tp);

	if (!syn && !tp->scb.packets_out && !syn_out(tp)) {
		strata_tcp_timer_rearm(sk);	/* what has not left is probed for */
		return;
	}
	if (rto_exhausted(sk, syn))
		return;
	strata_inc(strata_sk_net(sk), TCPEXT_TIMEOUTS);
	if (syn || !probe_like(sk))
		strata_rtt_timeouts_fired(&tp->rtt.timeouts, !tp->retries, strata_tcp_now_ms(tp));
	if (syn) {
		syn_again(sk);
	} else {
		if (!tp->retrans_start_us)
			tp->retrans_start_us = tp->mstamp_us;
		strata_tcp_enter_loss(sk);
		/* without it the peer takes nothing else */
		if (unlikely(syn_out(tp)))
			syn_again(sk);
	}
	if (tp->retries < U8_MAX)
		tp->retries++;
	if (thin_linear(sk))
		tp->rtt.backoff = 0;
	else if (backs_off(sk))
		strata_rtt_backoff(&tp->rtt);
	strata_tcp_timer_set(sk, STRATA_TIMER_RTO, rto_when(tp));
}

/* RFC 9293 3.8.6.1: the window has been closed for a while */
static void persist_fired(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 now_ms = (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC);
	u32 backoff = READ_ONCE(strata_sk_net(sk)->conf.tcp_retries2), most = backoff;

	if (tp->scb.packets_out || skb_queue_empty(&sk->sk_write_queue)) {
		tp->probes_out = 0;
		return;
	}
	if (!tp->probes_tstamp)
		tp->probes_tstamp = now_ms ?: 1;
	if (tp->user_timeout && (s32)(now_ms - tp->probes_tstamp) >= (s32)tp->user_timeout) {
		give_up(sk);
		return;
	}
	if (sock_flag(sk, SOCK_DEAD)) {
		bool alive = rto_jiffies(tp) << min_t(u8, tp->retries, 16) <
			     usecs_to_jiffies(STRATA_RTO_MAX_US);

		most = orphan_retries(sk, alive);
		if (!alive && tp->retries >= most) {
			give_up(sk);
			return;
		}
		if (strata_tcp_orphan_shed(sk, true))
			return;
	}
	if (tp->probes_out >= most) {
		give_up(sk);
		return;
	}
	tp->probes_out++;
	if (tp->retries < backoff)
		tp->retries++;
	strata_tcp_timer_rearm(sk);
	tp->todo |= STRATA_TODO_PROBE;
}

/* has the timer's segment no answer because sch_fq holds it, or did? Then the timer goes on */
static bool held_by_fq(struct sock *sk, enum strata_tcp_timer kind)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u64 rto = strata_rtt_rto(&tp->rtt), sent;
	struct sk_buff *skb;

	if (likely(READ_ONCE(sk->sk_pacing_status) != SK_PACING_FQ) || !tp->scb.packets_out)
		return false;
	skb = kind == STRATA_TIMER_TLP ? strata_tcp_rtx_tail(sk) : strata_tcp_rtx_head(sk);
	if (strata_tcp_copy_below(sk, skb)) {
		/* but not for ever */
		if (kind == STRATA_TIMER_RTO) {
			if (!tp->retrans_start_us)
				tp->retrans_start_us = tp->mstamp_us;
			if (rto_exhausted(sk, false))
				return true;
			if (tp->retries < U8_MAX)
				tp->retries++;
		}
		strata_tcp_timer_set(sk, kind, rto_jiffies(tp));
		return true;
	}
	/* RFC 6298 5.1 counts from its departure; but what was SACKed waits for no RTO */
	sent = STRATA_TCP_TX(skb)->xmit_us;
	if (kind != STRATA_TIMER_RTO || (STRATA_TCP_TX(skb)->sacked & STRATA_TX_SACKED) ||
	    sent > tp->mstamp_us || sent + rto <= tp->mstamp_us)
		return false;
	strata_tcp_timer_set(sk, kind, strata_tcp_jiffies(sent + rto - tp->mstamp_us));
	return true;
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
	if ((kind == STRATA_TIMER_RTO || kind == STRATA_TIMER_TLP) && held_by_fq(sk, kind))
		return;
	strata_tcp_timer_clear(sk);
	switch (kind) {
	case STRATA_TIMER_RTO:
		rto_fired(sk);
		break;
	case STRATA_TIMER_PERSIST:
		persist_fired(sk);
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

	if (!skb || seq != tp->snd.una || !tp->retries || !tp->rtt.backoff || probe_like(sk) ||
	    tp->timer_kind != STRATA_TIMER_RTO)
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
		tp->ack.ato = min_t(u32, tp->ack.ato << 1, rto_jiffies(tp));
	}
	strata_inc(strata_sk_net(sk), TCPEXT_DELAYEDACKS);
	tp->todo |= STRATA_TODO_ACK;
	strata_tcp_output(sk);
}

static u32 keepalive_intvl(const struct strata_tcp_sock *tp)
{
	return tp->keepalive_intvl ?:
	       READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_keepalive_intvl);
}

/* RFC 9293 3.8.4; jiffies until the timer is needed again, 0: the connection is over */
static unsigned long keepalive_run(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 limit = tp->keepalive_probes ?:
		    READ_ONCE(strata_sk_net(sk)->conf.tcp_keepalive_probes);
	unsigned long idle_max = strata_tcp_keepalive_time(tp);
	u32 now = (u32)jiffies;
	u32 idle;

	/* what is outstanding has timers of its own */
	if (tp->scb.packets_out || !skb_queue_empty(&sk->sk_write_queue))
		return idle_max;
	idle = min(now - (u32)tp->ack.lrcvtime, now - tp->ack_time);
	if (idle < idle_max)
		return idle_max - idle;
	if (tp->user_timeout ? tp->probes_out && idle >= msecs_to_jiffies(tp->user_timeout) :
			       tp->probes_out >= limit) {
		strata_tcp_send_active_reset(sk, GFP_ATOMIC);
		give_up(sk);
		return 0;
	}
	tp->probes_out++;
	strata_inc(strata_sk_net(sk), TCPEXT_KEEPALIVE);
	tp->todo |= STRATA_TODO_KEEPALIVE;
	strata_tcp_output(sk);
	return keepalive_intvl(tp);
}

/*
 * An orphan in FIN-WAIT-2: what its timer has waited for is over, or only what is more than an
 * object in TIME-WAIT can stand for
 */
static void fin_wait2_run(struct sock *sk)
{
	if (strata_tcp_sk(sk)->linger2 >= 0 &&
	    strata_tcp_fin_timeout(sk) > STRATA_TCP_TIMEWAIT_LEN) {
		strata_tcp_time_wait(sk, TCP_FIN_WAIT2, STRATA_TCP_TIMEWAIT_LEN);
		return;
	}
	strata_tcp_send_active_reset(sk, GFP_ATOMIC);
	strata_tcp_done(sk);
}

static void slow_fire(struct timer_list *t)
{
	struct sock *sk = container_of(t, struct sock, sk_timer);
	unsigned long next = 0;

	bh_lock_sock(sk);
	if (sock_owned_by_user(sk)) {
		/* unless the owner has set it anew since it fired */
		next = timer_pending(t) ? 0 : HZ / 20;
	} else if (sk->sk_state == TCP_FIN_WAIT2 && sock_flag(sk, SOCK_DEAD)) {
		fin_wait2_run(sk);
	} else if (sock_flag(sk, SOCK_KEEPOPEN) &&
		   !((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT))) {
		strata_tcp_mstamp(strata_tcp_sk(sk));
		next = keepalive_run(sk);
	}
	if (next)
		strata_tcp_keepalive_set(sk, next);
	bh_unlock_sock(sk);
	sock_put(sk);
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
	timer_setup(&sk->sk_timer, slow_fire, 0);
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
	stop_timer(sk, &tp->rexmit_timer);
	stop_timer(sk, &tp->delack_timer);
	stop_timer(sk, &sk->sk_timer);
	strata_tcp_pace_stop(sk);
	strata_tcp_compress_stop(sk);
}
