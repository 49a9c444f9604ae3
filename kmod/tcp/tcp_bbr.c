// SPDX-License-Identifier: GPL-2.0-only
/*
 * BBR: congestion control by a model of the path (draft-cardwell-iccrg-bbr-congestion-
 * control-00, version 1). The model has two numbers, each the extreme of a window of time:
 *
 *   bw       the largest delivery rate of the last 10 round trips
 *   min_rtt  the smallest round trip of the last 10 seconds
 *
 * Data leaves at a gain times bw (pacing), and what is in flight is bounded by a gain times
 * their product. The gains follow the mode:
 *
 *   STARTUP    2.89: doubles the rate each round trip until bw grows no more
 *   DRAIN      1/2.89: until the queue that STARTUP built is gone
 *   PROBE_BW   5/4, 3/4, then 1 for six round trips: asks for more, gives it back
 *   PROBE_RTT  4 segments for 200 ms, when min_rtt has not been seen anew for 10 s
 *
 * Links that gather ACKs deliver in bursts: the window is raised by the most that was ever
 * acknowledged above bw in the last rounds, so that it does not run dry meanwhile.
 *
 * A module of its own, strata_bbr.ko. Pure: no socket, no clock.
 */
#include <linux/build_bug.h>
#include <linux/inet_diag.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/string.h>
#include "tcp_bbr.h"

#define BW_SHIFT	24	/* bw: segments per µs, times 2^24 */
#define GAIN_SHIFT	8
#define GAIN_ONE	256	/* 2^GAIN_SHIFT */
#define GAIN_HIGH	739	/* 2 / ln 2: the least that doubles the rate each round (4.3.2.1) */
#define GAIN_DRAIN	88	/* its inverse */
#define GAIN_CWND	(2 * GAIN_ONE)
#define CYCLE_LEN	8
#define BW_ROUNDS	10
#define EXTRA_ROUNDS	5
#define EXTRA_MAX_US	100000
#define MIN_RTT_US	10000000
#define PROBE_RTT_US	200000
#define MIN_CWND	4
#define FULL_BW_ROUNDS	3
#define MARGIN_PERCENT	1	/* of the rate kept below bw, so that queues can drain */

enum bbr_mode { BBR_STARTUP, BBR_DRAIN, BBR_PROBE_BW, BBR_PROBE_RTT };

/* gains of PROBE_BW, a min_rtt each */
static const u16 cycle_gain[CYCLE_LEN] = {
	GAIN_ONE * 5 / 4, GAIN_ONE * 3 / 4,
	GAIN_ONE, GAIN_ONE, GAIN_ONE, GAIN_ONE, GAIN_ONE, GAIN_ONE,
};

struct bbr {
	u64	min_rtt_us_at;		/* when min_rtt was last seen, µs */
	u64	cycle_at;		/* start of this phase of PROBE_BW, µs */
	u64	probe_rtt_end;		/* PROBE_RTT may end then, µs; 0: cwnd is not down yet */
	u64	extra_at;		/* start of the sampling of extra, µs */
	u32	bw[2];			/* maximum of this half of the window and the one before */
	u32	bw_half;		/* round in which this half began */
	u32	min_rtt_us;
	u32	rounds;			/* round trips so far */
	u32	round_end;		/* delivered then ends the round */
	u32	low_until;		/* samples from before this count were held low by us */
	u32	full_bw;		/* bw when STARTUP last grew */
	u32	extra[2];		/* most acknowledged above bw, as @bw */
	u32	extra_half;
	u32	extra_acked;		/* in this sampling, segments */
	u16	prior_cwnd;		/* before recovery or PROBE_RTT, segments, at most 65535 */
	u16	mss;
	u8	mode;
	u8	phase;			/* of PROBE_BW */
	u8	full_rounds;		/* without growth */
	u8	prev_state;		/* enum strata_ca_state */
	bool	conserve:1;		/* packet conservation, first round of recovery */
	bool	round_start:1;
	bool	idle_restart:1;
	bool	probe_rtt_round:1;	/* a round has passed in PROBE_RTT */
	bool	seen_rtt:1;
};

static struct bbr *bbr_of(struct strata_tcp_cong *c)
{
	static_assert(sizeof(struct bbr) <= sizeof(c->priv));
	return strata_cong_priv(c);
}

static u32 bbr_bw(const struct bbr *b)
{
	return b->bw[0] > b->bw[1] ? b->bw[0] : b->bw[1];
}

static bool full_bw(const struct bbr *b)
{
	return b->full_rounds >= FULL_BW_ROUNDS;
}

static u32 pacing_gain(const struct bbr *b)
{
	switch (b->mode) {
	case BBR_STARTUP:
		return GAIN_HIGH;
	case BBR_DRAIN:
		return GAIN_DRAIN;
	case BBR_PROBE_BW:
		/* a report may look while another algorithm moves in */
		return cycle_gain[b->phase % CYCLE_LEN];
	default:
		return GAIN_ONE;
	}
}

static u32 cwnd_gain(const struct bbr *b)
{
	switch (b->mode) {
	case BBR_STARTUP:
	case BBR_DRAIN:
		return GAIN_HIGH;
	case BBR_PROBE_BW:
		return GAIN_CWND;
	default:
		return GAIN_ONE;
	}
}

/* @bw times @gain in bytes per second, less the margin */
static u64 bbr_rate(const struct bbr *b, u64 bw, u32 gain)
{
	u64 rate = bw * b->mss;

	rate = (rate * gain) >> GAIN_SHIFT;
	rate = (rate * (1000000 / 100 * (100 - MARGIN_PERCENT))) >> BW_SHIFT;
	return rate;
}

/* before the first sample: the initial window in a round trip, or in a millisecond */
static void init_pacing(struct strata_tcp_cong *c, u32 srtt_us)
{
	struct bbr *b = bbr_of(c);
	u32 rtt = srtt_us ? srtt_us : 1000;

	b->seen_rtt = srtt_us;
	c->pacing_rate = bbr_rate(b, div_u64((u64)c->cwnd << BW_SHIFT, rtt), GAIN_HIGH);
}

static void set_pacing(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);
	u64 rate = bbr_rate(b, bbr_bw(b), pacing_gain(b));

	if (!b->seen_rtt && cs->srtt_us)
		init_pacing(c, cs->srtt_us);
	/* until the pipe is known to be full a low sample says nothing */
	if (full_bw(b) || rate > c->pacing_rate)
		c->pacing_rate = rate;
}

/* @bw times min_rtt times @gain, segments (4.2.3.2) */
static u32 bbr_bdp(const struct bbr *b, u32 bw, u32 gain)
{
	u64 w;

	if (b->min_rtt_us == ~0U)
		return 10;
	w = (u64)bw * b->min_rtt_us;
	return (((w * gain) >> GAIN_SHIFT) + (1 << BW_SHIFT) - 1) >> BW_SHIFT;
}

static u32 tso_segs(const struct strata_tcp_cong *c)
{
	const struct bbr *b = (const void *)c->priv;
	u64 bytes = c->pacing_rate >> 10;
	u32 segs;

	if (bytes > 65535)
		bytes = 65535;
	segs = (u32)bytes / (b->mss ? b->mss : 1);
	return segs > 2 ? segs : 2;
}

/* room for what offloads hold back at both ends, and for delayed ACKs (4.2.3.2) */
static u32 quantise(struct strata_tcp_cong *c, u32 segs)
{
	const struct bbr *b = bbr_of(c);

	segs += 3 * tso_segs(c);
	segs = (segs + 1) & ~1U;
	if (b->mode == BBR_PROBE_BW && !b->phase)
		segs += 2;
	return segs;
}

static u32 bbr_inflight(struct strata_tcp_cong *c, u32 gain)
{
	return quantise(c, bbr_bdp(bbr_of(c), bbr_bw(bbr_of(c)), gain));
}

static void save_cwnd(struct strata_tcp_cong *c)
{
	struct bbr *b = bbr_of(c);
	u32 cwnd = c->cwnd;

	if (b->prev_state >= STRATA_CA_RECOVERY || b->mode == BBR_PROBE_RTT)
		cwnd = b->prior_cwnd > cwnd ? b->prior_cwnd : cwnd;
	b->prior_cwnd = cwnd < 65535 ? cwnd : 65535;
}

/* a maximum over the last @len rounds, kept as that of two halves */
static void max_update(u32 max[2], u32 *half, u32 round, u32 len, u32 v)
{
	u32 age = round - *half;

	if (age >= len) {
		max[1] = age < 2 * len ? max[0] : 0;
		max[0] = 0;
		*half = round;
	}
	if (v > max[0])
		max[0] = v;
}

static void update_round(struct bbr *b, const struct strata_cong_sample *cs)
{
	b->round_start = false;
	if (cs->delivered < 0 || !cs->interval_us)
		return;
	if (strata_seq_before(cs->prior_delivered, b->round_end))
		return;
	b->round_end = cs->delivered_total;
	b->rounds++;
	b->round_start = true;
	b->conserve = false;
}

/* was the sample's flight kept low by the application, or by PROBE_RTT? */
static bool sample_low(const struct bbr *b, const struct strata_cong_sample *cs)
{
	return cs->app_limited ||
	       (b->low_until && strata_seq_before(cs->prior_delivered, b->low_until));
}

/* 4.1.1.4 */
static void update_bw(struct bbr *b, const struct strata_cong_sample *cs)
{
	u64 bw;

	if (cs->delivered < 0 || !cs->interval_us)
		return;
	bw = div_u64((u64)(u32)cs->delivered << BW_SHIFT, cs->interval_us);
	if (bw > ~0U)
		bw = ~0U;
	if (!sample_low(b, cs) || bw >= bbr_bw(b))
		max_update(b->bw, &b->bw_half, b->rounds, BW_ROUNDS / 2, (u32)bw);
}

/* how many more than bw says were acknowledged since the sampling began? */
static void update_extra(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);
	u64 us = cs->now_us - b->extra_at;
	u32 expected, extra;

	if (!cs->acked || cs->delivered < 0 || !cs->interval_us)
		return;
	expected = (u32)(((u64)bbr_bw(b) * (us < 10000000 ? us : 10000000)) >> BW_SHIFT);
	/* slower than bw, or for too long: another begins with this ACK */
	if (b->extra_acked <= expected || b->extra_acked + cs->acked >= 1 << 20) {
		b->extra_acked = 0;
		b->extra_at = cs->now_us;
		expected = 0;
	}
	b->extra_acked += cs->acked;
	extra = b->extra_acked - expected;
	if (extra > c->cwnd)
		extra = c->cwnd;
	max_update(b->extra, &b->extra_half, b->rounds, EXTRA_ROUNDS, extra);
}

static u32 extra_cwnd(const struct bbr *b)
{
	u32 extra = b->extra[0] > b->extra[1] ? b->extra[0] : b->extra[1];
	u32 most = (u32)(((u64)bbr_bw(b) * EXTRA_MAX_US) >> BW_SHIFT);

	if (!full_bw(b))
		return 0;
	return extra < most ? extra : most;
}

/* 4.3.4.2: is this phase of the cycle over? */
static bool phase_done(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);
	bool full = cs->now_us - b->cycle_at > b->min_rtt_us;
	u32 gain = cycle_gain[b->phase];

	if (gain == GAIN_ONE)
		return full;
	/* more: until it was really in flight, or something was lost */
	if (gain > GAIN_ONE)
		return full && (cs->lost || cs->prior_in_flight >= bbr_inflight(c, gain));
	/* less: until the queue is gone */
	return full || cs->prior_in_flight <= bbr_inflight(c, GAIN_ONE);
}

static void enter_probe_bw(struct bbr *b, const struct strata_cong_sample *cs)
{
	b->mode = BBR_PROBE_BW;
	/* any phase but the one that drains: flows shall not probe in step (4.3.4.3) */
	b->phase = (u8)((cs->now_us ^ cs->una) % (CYCLE_LEN - 1));
	b->phase = b->phase ? b->phase + 1 : 0;
	b->cycle_at = cs->now_us;
}

static void update_phase(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);

	if (b->mode != BBR_PROBE_BW || !phase_done(c, cs))
		return;
	b->phase = (b->phase + 1) % CYCLE_LEN;
	b->cycle_at = cs->now_us;
}

/* 4.3.2.2: three rounds with less than a quarter of growth: the pipe is full */
static void check_full(struct bbr *b, const struct strata_cong_sample *cs)
{
	u32 bw = bbr_bw(b);

	if (full_bw(b) || !b->round_start || sample_low(b, cs))
		return;
	if (bw >= (u64)b->full_bw * 5 / 4) {
		b->full_bw = bw;
		b->full_rounds = 0;
		return;
	}
	b->full_rounds++;
}

static void check_drain(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);

	if (b->mode == BBR_STARTUP && full_bw(b)) {
		b->mode = BBR_DRAIN;
		c->ssthresh = bbr_inflight(c, GAIN_ONE);
	}
	if (b->mode == BBR_DRAIN && cs->in_flight <= bbr_inflight(c, GAIN_ONE))
		enter_probe_bw(b, cs);
}

static void leave_probe_rtt(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);

	b->min_rtt_us_at = cs->now_us;
	if (c->cwnd < b->prior_cwnd)
		c->cwnd = b->prior_cwnd;
	if (full_bw(b))
		enter_probe_bw(b, cs);
	else
		b->mode = BBR_STARTUP;
}

static void run_probe_rtt(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);

	b->low_until = cs->delivered_total + cs->in_flight;
	if (!b->low_until)
		b->low_until = 1;
	if (!b->probe_rtt_end) {
		if (cs->in_flight > MIN_CWND)
			return;
		b->probe_rtt_end = cs->now_us + PROBE_RTT_US;
		b->probe_rtt_round = false;
		b->round_end = cs->delivered_total;
		return;
	}
	if (b->round_start)
		b->probe_rtt_round = true;
	if (b->probe_rtt_round && cs->now_us >= b->probe_rtt_end)
		leave_probe_rtt(c, cs);
}

/* 4.1.2, 4.3.5 */
static void update_min_rtt(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);
	bool expired = cs->now_us > b->min_rtt_us_at + MIN_RTT_US;

	if (cs->rtt_us && (cs->rtt_us <= b->min_rtt_us || expired)) {
		b->min_rtt_us = cs->rtt_us;
		b->min_rtt_us_at = cs->now_us;
	}
	if (expired && !b->idle_restart && b->mode != BBR_PROBE_RTT) {
		save_cwnd(c);
		b->mode = BBR_PROBE_RTT;
		b->probe_rtt_end = 0;
	}
	if (b->mode == BBR_PROBE_RTT)
		run_probe_rtt(c, cs);
	if (cs->delivered > 0)
		b->idle_restart = false;
}

/* 4.2.3.4: recovery. True: cwnd is decided */
static bool recover(struct strata_tcp_cong *c, const struct strata_cong_sample *cs, u8 state)
{
	struct bbr *b = bbr_of(c);
	u8 prev = b->prev_state;

	if (cs->lost)
		c->cwnd = c->cwnd > cs->lost ? c->cwnd - cs->lost : 1;
	b->prev_state = state;
	if (state == STRATA_CA_RECOVERY && prev != STRATA_CA_RECOVERY) {
		/* the first round: as many leave as arrive */
		b->conserve = true;
		b->round_end = cs->delivered_total;
		c->cwnd = cs->in_flight + cs->acked;
	} else if (prev >= STRATA_CA_RECOVERY && state < STRATA_CA_RECOVERY) {
		if (c->cwnd < b->prior_cwnd)
			c->cwnd = b->prior_cwnd;
		b->conserve = false;
	}
	if (!b->conserve)
		return false;
	if (c->cwnd < cs->in_flight + cs->acked)
		c->cwnd = cs->in_flight + cs->acked;
	return true;
}

/* 4.2.3 */
static void set_cwnd(struct strata_tcp_cong *c, const struct strata_cong_sample *cs, u8 state)
{
	struct bbr *b = bbr_of(c);
	u32 target;

	if (cs->acked && !recover(c, cs, state)) {
		target = quantise(c, bbr_bdp(b, bbr_bw(b), cwnd_gain(b)) + extra_cwnd(b));
		if (full_bw(b))
			c->cwnd = c->cwnd + cs->acked < target ? c->cwnd + cs->acked : target;
		else if (c->cwnd < target || cs->delivered_total < 10)
			c->cwnd += cs->acked;
		if (c->cwnd < MIN_CWND)
			c->cwnd = MIN_CWND;
	}
	if (c->cwnd > c->cwnd_clamp)
		c->cwnd = c->cwnd_clamp;
	if (b->mode == BBR_PROBE_RTT && c->cwnd > MIN_CWND)
		c->cwnd = MIN_CWND;
}

static void bbr_cong_control(struct strata_tcp_cong *c, const struct strata_cong_sample *cs,
			     u8 state)
{
	struct bbr *b = bbr_of(c);

	b->mss = cs->mss < 65535 ? cs->mss : 65535;
	update_round(b, cs);
	update_bw(b, cs);
	update_extra(c, cs);
	update_phase(c, cs);
	check_full(b, cs);
	check_drain(c, cs);
	update_min_rtt(c, cs);
	set_pacing(c, cs);
	set_cwnd(c, cs, state);
}

static void bbr_init(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct bbr *b = bbr_of(c);

	b->mss = cs->mss < 65535 ? cs->mss : 65535;
	b->min_rtt_us = cs->min_rtt_us;
	b->min_rtt_us_at = cs->now_us;
	b->cycle_at = cs->now_us;
	b->extra_at = cs->now_us;
	b->round_end = cs->delivered_total;
	b->mode = BBR_STARTUP;
	c->ssthresh = STRATA_SSTHRESH_INF;
	init_pacing(c, cs->srtt_us);
}

/* loss is no measure of the path: the threshold stays, the window is remembered */
static u32 bbr_ssthresh(struct strata_tcp_cong *c, u64 now_us)
{
	save_cwnd(c);
	return c->ssthresh;
}

static u32 bbr_undo_cwnd(struct strata_tcp_cong *c)
{
	struct bbr *b = bbr_of(c);

	/* what looked like a full pipe was a spurious loss */
	b->full_bw = 0;
	if (!full_bw(b))
		b->full_rounds = 0;
	return c->cwnd;
}

static void bbr_set_state(struct strata_tcp_cong *c, u8 state, u64 now_us)
{
	struct bbr *b = bbr_of(c);

	if (state != STRATA_CA_LOSS)
		return;
	b->prev_state = STRATA_CA_LOSS;
	b->full_bw = 0;
	b->round_start = true;
}

/*
 * 4.3.4.4: after silence the first flight leaves at bw, not at a gain; and PROBE_RTT whose time
 * is over by then does not wait for an ACK to end
 */
static void bbr_cwnd_event(struct strata_tcp_cong *c, enum strata_cong_event ev, u64 now_us)
{
	struct bbr *b = bbr_of(c);

	if (ev != STRATA_CE_TX_START || !b->rounds)
		return;
	b->idle_restart = true;
	b->extra_at = now_us;
	b->extra_acked = 0;
	if (b->mode == BBR_PROBE_BW && full_bw(b)) {
		c->pacing_rate = bbr_rate(b, bbr_bw(b), GAIN_ONE);
	} else if (b->mode == BBR_PROBE_RTT && b->probe_rtt_end && b->probe_rtt_round &&
		   now_us >= b->probe_rtt_end) {
		const struct strata_cong_sample cs = { .now_us = now_us };

		leave_probe_rtt(c, &cs);
	}
}

/* below 1.2 Mbit/s one segment at a time: two would be a burst */
static u32 bbr_min_tso_segs(const struct strata_tcp_cong *c)
{
	return c->pacing_rate < 1200000 / 8 ? 1 : 2;
}

static size_t bbr_get_info(struct strata_tcp_cong *c, u32 ext, int *attr, void *info)
{
	const struct bbr *b = bbr_of(c);
	struct tcp_bbr_info *to = info;
	u64 bw;

	if (!(ext & (1U << (INET_DIAG_BBRINFO - 1) | 1U << (INET_DIAG_VEGASINFO - 1))))
		return 0;
	bw = ((u64)bbr_bw(b) * b->mss * 1000000) >> BW_SHIFT;
	memset(to, 0, sizeof(*to));
	to->bbr_bw_lo = (u32)bw;
	to->bbr_bw_hi = (u32)(bw >> 32);
	to->bbr_min_rtt = b->min_rtt_us;
	to->bbr_pacing_gain = pacing_gain(b);
	to->bbr_cwnd_gain = cwnd_gain(b);
	*attr = INET_DIAG_BBRINFO;
	return sizeof(*to);
}

struct strata_tcp_cong_ops strata_bbr = {
	.name		= "bbr",
	.owner		= THIS_MODULE,
	.flags		= STRATA_CONG_NEEDS_PACING,
	.init		= bbr_init,
	.ssthresh	= bbr_ssthresh,
	.cong_control	= bbr_cong_control,
	.undo_cwnd	= bbr_undo_cwnd,
	.set_state	= bbr_set_state,
	.cwnd_event	= bbr_cwnd_event,
	.min_tso_segs	= bbr_min_tso_segs,
	.get_info	= bbr_get_info,
	.sndbuf_windows	= 3,	/* what was sent in a round may be sent again in the next */
};
