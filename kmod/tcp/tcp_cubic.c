// SPDX-License-Identifier: GPL-2.0-only
/*
 * CUBIC, RFC 9438, with HyStart++, RFC 9406.
 *
 * After a reduction the window follows
 *
 *	W_cubic(t) = C * (t - K)^3 + W_max,   K = cbrt((W_max - cwnd_epoch) / C)
 *
 * with C = 0.4 segments/s^3 and the reduction to beta = 0.7: fast back to where the
 * loss was, flat there, then on to probe. Where Reno with the same beta would be beyond
 * it, cwnd follows that, W_est (4.3), a segment behind. Fast convergence (4.7) lets W_max
 * fall when the path's share shrinks. t counts only time in which the window was in use (5.8).
 *
 * HyStart++ ends the first slow start when the round trip's minimum grows: growth by a
 * quarter (CSS) for up to five round trips, then avoidance; if the delay falls
 * back, slow start goes on. Its limit L per ACK is infinite, as for paced senders.
 *
 * Windows are in segments; fixed point: 1/1024 (suffix _k) or 2^-20 (suffix _m); time
 * in ms inside the cubic.
 */
#include <linux/build_bug.h>
#include <linux/math64.h>
#include <linux/module.h>
#include "tcp_alg.h"

#define MIN_RTT_THRESH_US	4000U	/* RFC 9406 4.3 */
#define MAX_RTT_THRESH_US	16000U
#define MIN_RTT_DIVISOR		8
#define N_RTT_SAMPLE		8
#define CSS_GROWTH_DIVISOR	4
#define CSS_ROUNDS		5

#define RTT_INF			(~0U)

/* a step holds as long as cwnd does, but no longer than 1/32 s, as native's */
#define STEP_US			31250U

/* limit of |t - K| in ms: its cube stays below 2^63 */
#define MAX_DT_MS		2000000U

struct cubic {
	u64	epoch_us;	/* start of this avoidance stage; 0: none yet */
	u64	last_us;	/* latest ACK seen in it */
	u64	w_est_m;	/* Reno's window */
	u32	w_max;		/* segments; 0: none (start, or after a timeout) */
	u32	prior_w_max;	/* before the last reduction (undo) */
	u32	k_ms;
	u32	cwnd_prior;	/* segments at the last reduction */
	u32	step;		/* segments to be acknowledged for one more ... */
	u32	step_cwnd;	/* ... at this cwnd, as of step_us */
	u64	step_us;
	/* HyStart++ */
	u32	round_end;	/* windowEnd */
	u32	last_min_us;	/* lastRoundMinRTT */
	u32	cur_min_us;	/* currentRoundMinRTT */
	u32	css_base_us;	/* cssBaselineMinRtt */
	u8	samples;	/* rttSampleCount, saturates */
	u8	css_rounds;
	bool	css;
};

static_assert(sizeof(struct cubic) <= sizeof(((struct strata_tcp_cong *)0)->priv));

static struct cubic *cubic_of(struct strata_tcp_cong *c)
{
	return strata_cong_priv(c);
}

/* largest r with r^3 <= a */
static u32 cube_root(u64 a)
{
	u64 r = 0;
	int bit;

	/* cbrt(2^64) < 2^22 */
	for (bit = 21; bit >= 0; bit--) {
		u64 t = r | 1ULL << bit;

		if (t <= 2642245 && t * t * t <= a)
			r = t;
	}
	return (u32)r;
}

/* 4.2: K in ms for a distance of @d_k (1/1024 segments): cbrt(d / 0.4) s */
static u32 cubic_k(u64 d_k)
{
	/* cbrt(d_k / 1024 / 0.4 * 10^9) = cbrt(d_k * 10^9 / 409.6) */
	if (d_k < 1ULL << 30)
		return cube_root(div_u64(d_k * 10000000000ULL, 4096));
	return cube_root((d_k >> 12) * 10000000000ULL);
}

/* C * |t - K|^3 in 1/1024 segments */
static u64 cubic_delta(u32 dt_ms)
{
	u64 d = dt_ms < MAX_DT_MS ? dt_ms : MAX_DT_MS;
	u64 cube = d * d * d;

	/* 0.4 * 1024 / 10^9 = 4096 / 10^10 */
	if (d < 100000)
		return div_u64(div_u64(cube * 4096, 100000), 100000);
	return div_u64(div_u64(cube, 1000000) * 4096, 10000);
}

/*
 * 4.2: W_cubic(t) in whole segments, t in ms since the epoch. What is less than one segment from
 * W_max is at W_max, below it and above
 */
static u64 w_cubic(const struct cubic *q, u32 t_ms)
{
	u64 delta;

	if (t_ms >= q->k_ms)
		return q->w_max + (cubic_delta(t_ms - q->k_ms) >> 10);
	delta = cubic_delta(q->k_ms - t_ms) >> 10;
	return delta < q->w_max ? q->w_max - delta : 0;
}

static void start_epoch(struct strata_tcp_cong *c, struct cubic *q, u64 now_us)
{
	q->epoch_us = now_us ? now_us : 1;
	q->last_us = q->epoch_us;
	q->step_cwnd = 0;
	q->w_est_m = (u64)c->cwnd << 20;
	if (c->cwnd < q->w_max) {
		q->k_ms = cubic_k((u64)(q->w_max - c->cwnd) << 10);
	} else {
		q->k_ms = 0;
		q->w_max = c->cwnd;
	}
}

/* 4.3: W_est grows by alpha = 3 (1 - beta) / (1 + beta) = 9/17 per window, by 1 above cwnd_prior */
static void grow_est(const struct strata_tcp_cong *c, struct cubic *q, u32 acked)
{
	u64 inc = (u64)acked << 20;

	if (q->w_est_m >> 20 < q->cwnd_prior)
		inc = div_u64(inc * 9, 17);
	q->w_est_m += div_u64(inc, c->cwnd);
}

/* 4.4, 4.5: segments to be acknowledged for one more: cwnd / (target - cwnd), at least two */
static u32 step_towards(u64 target, u32 cwnd)
{
	u32 w;

	if (target <= cwnd)
		return STRATA_CWND_MAX;
	w = (u32)div64_u64(cwnd, target - cwnd);
	return w > 2 ? w : 2;
}

/*
 * 4.3 to 4.5. Where a flight is shorter than the round trip its ACKs come at once: W_est has then
 * done a round trip's steps while W_cubic(t) has hardly moved. So W_est does not replace the
 * cubic's steps: cwnd grows towards the larger of both.
 */
static void avoid(struct strata_tcp_cong *c, struct cubic *q, const struct strata_cong_sample *cs,
		  u32 acked)
{
	u32 t_ms, w;

	if (!q->epoch_us)
		start_epoch(c, q, cs->now_us);
	q->last_us = cs->now_us;

	if (q->step_cwnd != c->cwnd || cs->now_us - q->step_us > STEP_US) {
		t_ms = (u32)div_u64(cs->now_us - q->epoch_us, 1000);
		q->step = step_towards(w_cubic(q, t_ms + cs->srtt_us / 1000), c->cwnd);
		q->step_cwnd = c->cwnd;
		q->step_us = cs->now_us;
	}
	grow_est(c, q, acked);
	w = step_towards(q->w_est_m >> 20, c->cwnd);
	strata_cong_add(c, q->step < w ? q->step : w, acked);
}

/* time that does not count: idle, or the application was the limit (5.8) */
static void skip_time(struct cubic *q, u64 now_us)
{
	if (q->epoch_us && now_us > q->last_us) {
		q->epoch_us += now_us - q->last_us;
		q->last_us = now_us;
	}
}

/* HyStart++ */

static void hystart_round(struct cubic *q, u32 nxt)
{
	q->last_min_us = q->cur_min_us;
	q->cur_min_us = RTT_INF;
	q->samples = 0;
	q->round_end = nxt;
}

static void hystart_reset(struct cubic *q, u32 nxt)
{
	q->cur_min_us = RTT_INF;
	hystart_round(q, nxt);
	q->css = false;
	q->css_rounds = 0;
	q->css_base_us = RTT_INF;
}

/* RFC 9406 4.2: has the delay grown by an eighth, between 4 and 16 ms? */
static bool delay_grew(const struct cubic *q)
{
	u32 thresh;

	if (q->samples < N_RTT_SAMPLE || q->cur_min_us == RTT_INF || q->last_min_us == RTT_INF)
		return false;
	thresh = q->last_min_us / MIN_RTT_DIVISOR;
	if (thresh < MIN_RTT_THRESH_US)
		thresh = MIN_RTT_THRESH_US;
	if (thresh > MAX_RTT_THRESH_US)
		thresh = MAX_RTT_THRESH_US;
	return q->cur_min_us >= q->last_min_us + thresh;
}

static void hystart_ack(struct strata_tcp_cong *c, struct cubic *q,
			const struct strata_cong_sample *cs)
{
	if (cs->rtt_us) {
		if (cs->rtt_us < q->cur_min_us)
			q->cur_min_us = cs->rtt_us;
		if (q->samples < 0xff)
			q->samples++;
	}
	if (!q->css) {
		if (delay_grew(q)) {
			q->css = true;
			q->css_rounds = 0;
			q->css_base_us = q->cur_min_us;
			c->cwnd_cnt = 0;
		}
	} else if (q->samples >= N_RTT_SAMPLE && q->cur_min_us < q->css_base_us) {
		/* the delay was a burst's: go on */
		q->css = false;
		q->css_base_us = RTT_INF;
		c->cwnd_cnt = 0;
	}
	if (strata_seq_before(cs->una, q->round_end))
		return;
	hystart_round(q, cs->nxt);
	if (q->css && ++q->css_rounds >= CSS_ROUNDS) {
		c->ssthresh = c->cwnd;
		c->cwnd_cnt = 0;
	}
}

/* ops */

static void cubic_init(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	hystart_reset(cubic_of(c), cs->nxt);
}

static void cubic_acked(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	/* RFC 9406 4.3: the first slow start only, where ssthresh is unknown */
	if (c->ssthresh == STRATA_SSTHRESH_INF)
		hystart_ack(c, cubic_of(c), cs);
}

static void cubic_cong_avoid(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct cubic *q = cubic_of(c);
	u32 acked = cs->acked;

	if (!cs->cwnd_limited) {
		skip_time(q, cs->now_us);
		return;
	}
	if (strata_cong_in_slow_start(c)) {
		if (q->css && c->ssthresh == STRATA_SSTHRESH_INF) {
			acked += c->cwnd_cnt;
			c->cwnd_cnt = acked % CSS_GROWTH_DIVISOR;
			acked /= CSS_GROWTH_DIVISOR;
		}
		acked = strata_cong_slow_start(c, acked);
		if (!acked)
			return;
	}
	avoid(c, q, cs, acked);
}

/* 4.6, 4.7 */
static u32 cubic_ssthresh(struct strata_tcp_cong *c, u64 now_us)
{
	struct cubic *q = cubic_of(c);
	u64 next;

	q->prior_w_max = q->w_max;
	/* fast convergence: the share shrank, leave room: (1 + beta) / 2 = 17/20 */
	q->w_max = c->cwnd < q->w_max ? (u32)div_u64((u64)c->cwnd * 17, 20) : c->cwnd;
	q->cwnd_prior = c->cwnd;
	q->epoch_us = 0;
	next = div_u64((u64)c->cwnd * 7, 10);
	return next > 2 ? (u32)next : 2;
}

/* 4.8: the stage after a timeout starts with W_max = cwnd, K = 0 */
static void cubic_set_state(struct strata_tcp_cong *c, u8 state, u64 now_us)
{
	struct cubic *q = cubic_of(c);

	if (state == STRATA_CA_LOSS) {
		q->w_max = 0;
		q->epoch_us = 0;
	}
}

/*
 * 4.9: back to the window and the W_max before; a new stage continues from there. But a window that
 * has grown beyond it stays, and all that goes with it
 */
static u32 cubic_undo_cwnd(struct strata_tcp_cong *c)
{
	struct cubic *q = cubic_of(c);

	/* what was acknowledged since counts towards nothing that slow start may add */
	c->cwnd_cnt = 0;
	if (c->cwnd > c->prior_cwnd)
		return c->cwnd;
	q->w_max = q->prior_w_max;
	q->epoch_us = 0;
	return c->prior_cwnd;
}

static void cubic_cwnd_event(struct strata_tcp_cong *c, enum strata_cong_event ev, u64 now_us)
{
	if (ev == STRATA_CE_TX_START)
		skip_time(cubic_of(c), now_us);
}

struct strata_tcp_cong_ops strata_cubic = {
	.name		= "cubic",
	.owner		= THIS_MODULE,
	.init		= cubic_init,
	.ssthresh	= cubic_ssthresh,
	.cong_avoid	= cubic_cong_avoid,
	.set_state	= cubic_set_state,
	.cwnd_event	= cubic_cwnd_event,
	.acked		= cubic_acked,
	.undo_cwnd	= cubic_undo_cwnd,
};
