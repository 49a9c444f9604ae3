// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the sending side does when its timer fires (RFC 6298 5.4-5.7, RFC 9293 3.8.6.1): what is
 * to be sent again, whether the next timeout doubles, and when to give up.
 *
 * When to give up (RFC 1122 4.2.3.5, RFC 5482): as native, tcp_retries2 timeouts count as the
 * time they would have taken from the smallest RTO on, so that the number means the same on
 * every path. TCP_USER_TIMEOUT is a time: the last timer ends with it, not with a whole backoff.
 *
 * Nothing is sent here: todo bits are set, the caller outputs.
 *
 * locking: the socket lock; process context or BH.
 */

#include "tcp_int.h"

#define RTO_MAX_MS	(STRATA_RTO_MAX_US / USEC_PER_MSEC)
#define RTO_MIN_MS	(STRATA_RTO_MIN_US / USEC_PER_MSEC)
#define RTO_INIT_MS	(STRATA_RTO_INIT_US / USEC_PER_MSEC)
#define THIN_RETRIES	6

void strata_tcp_give_up(struct sock *sk)
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
bool strata_tcp_probe_like(const struct sock *sk)
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
	if (strata_tcp_probe_like(sk)) {
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
		strata_tcp_give_up(sk);
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
void strata_tcp_rto_fired(struct sock *sk)
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
	if (syn || !strata_tcp_probe_like(sk))
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
	if (thin_linear(sk)) {
		tp->rtt.backoff = 0;
	} else if (backs_off(sk)) {
		strata_rtt_backoff(&tp->rtt);
		tp->rto_again = !syn;
	}
	strata_tcp_timer_rto(sk);
}

/* RFC 9293 3.8.6.1: the window has been closed for a while */
void strata_tcp_persist_fired(struct sock *sk)
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
		strata_tcp_give_up(sk);
		return;
	}
	if (sock_flag(sk, SOCK_DEAD)) {
		bool alive = strata_tcp_rto_jiffies(tp) << min_t(u8, tp->retries, 16) <
			     usecs_to_jiffies(STRATA_RTO_MAX_US);

		most = orphan_retries(sk, alive);
		if (!alive && tp->retries >= most) {
			strata_tcp_give_up(sk);
			return;
		}
		if (strata_tcp_orphan_shed(sk, true))
			return;
	}
	if (tp->probes_out >= most) {
		strata_tcp_give_up(sk);
		return;
	}
	tp->probes_out++;
	if (tp->retries < backoff)
		tp->retries++;
	strata_tcp_timer_rearm(sk);
	tp->todo |= STRATA_TODO_PROBE;
}

/* has the timer's segment no answer because sch_fq holds it, or did? Then the timer goes on */
bool strata_tcp_held_by_fq(struct sock *sk, enum strata_tcp_timer kind)
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
		strata_tcp_timer_set(sk, kind, strata_tcp_rto_jiffies(tp));
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
