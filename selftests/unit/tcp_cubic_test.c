// SPDX-License-Identifier: GPL-2.0-only
/*
 * CUBIC against RFC 9438's formulas in floating point, and HyStart++ (RFC 9406) by its rules.
 */
#include <math.h>
#include "unit.h"

static struct strata_tcp_cong c;
static struct strata_cong_sample cs;

static void setup(u32 cwnd, u32 rtt_us)
{
	memset(&cs, 0, sizeof(cs));
	cs.now_us = 1000000;
	cs.mss = 1000;
	cs.srtt_us = rtt_us;
	cs.min_rtt_us = rtt_us;
	cs.cwnd_limited = true;
	cs.una_advanced = true;
	strata_cong_init(&c, &strata_cubic);
	strata_cong_start(&c, &cs, false);
	c.cwnd = cwnd;
}

static void loss(void)
{
	c.prior_cwnd = c.cwnd;
	c.ssthresh = c.ops->ssthresh(&c, cs.now_us);
	c.cwnd = c.ssthresh;
}

/* one round trip of ACKs of @each segments, evenly spread */
static void round_trip(u32 rtt_us, u32 each)
{
	u32 n = c.cwnd / each ? c.cwnd / each : 1, i;
	u64 start = cs.now_us;

	for (i = 1; i <= n; i++) {
		cs.now_us = start + (u64)rtt_us * i / n;
		cs.acked = each;
		c.ops->cong_avoid(&c, &cs);
	}
}

/* the model of 4.2 to 4.5, one ACK at a time, to the letter: ACKs are spread over the round trip */
struct model {
	double cwnd, w_max, k, w_est, prior, epoch;
};

static void model_ack(struct model *m, double now, double rtt, u32 acked)
{
	double t = now - m->epoch, w, target;

	m->w_est += (m->w_est < m->prior ? 3 * 0.3 / 1.7 : 1) * acked / floor(m->cwnd);
	w = 0.4 * pow(t - m->k, 3) + m->w_max;
	if (w < m->w_est) {
		if (m->w_est > m->cwnd)
			m->cwnd = m->w_est;
		return;
	}
	target = 0.4 * pow(t + rtt - m->k, 3) + m->w_max;
	if (target > 1.5 * m->cwnd)
		target = 1.5 * m->cwnd;
	if (target > m->cwnd)
		m->cwnd += acked * (target - m->cwnd) / floor(m->cwnd);
}

/* from a loss at @w for @secs: never further from the model than 1 % and 1.5 segments */
static void follow(struct __test_metadata *_metadata, u32 w, u32 rtt_us, double secs)
{
	struct model m;
	u64 start;
	u32 i, n;

	setup(w, rtt_us);
	c.ssthresh = w;
	loss();
	cs.now_us += rtt_us;
	m = (struct model){ .cwnd = c.cwnd, .w_max = w, .w_est = c.cwnd, .prior = w,
			    .epoch = cs.now_us / 1e6 };
	m.k = cbrt((w - (double)c.cwnd) / 0.4);
	/* the first ACK starts the epoch in both */
	cs.acked = 1;
	c.ops->cong_avoid(&c, &cs);
	model_ack(&m, cs.now_us / 1e6, rtt_us / 1e6, 1);
	while (cs.now_us / 1e6 - m.epoch < secs) {
		n = c.cwnd > 256 ? 256 : c.cwnd;
		start = cs.now_us;
		for (i = 1; i <= n; i++) {
			cs.now_us = start + (u64)rtt_us * i / n;
			cs.acked = c.cwnd / n;
			c.ops->cong_avoid(&c, &cs);
			model_ack(&m, cs.now_us / 1e6, rtt_us / 1e6, cs.acked);
		}
		ASSERT_LE(fabs(c.cwnd - m.cwnd), 1.5 + m.cwnd * 0.01) {
			TH_LOG("W %u RTT %u t %f: %u, model %f", w, rtt_us,
			       cs.now_us / 1e6 - m.epoch, c.cwnd, m.cwnd);
		}
	}
	strata_cong_exit(&c);
}

TEST(cubic_curve)
{
	static const u32 w[] = { 8, 20, 100, 1000, 10000, 200000 };
	static const u32 rtt[] = { 1000, 20000, 100000, 300000 };
	unsigned int i, k;

	for (i = 0; i < 6; i++)
		for (k = 0; k < 4; k++)
			follow(_metadata, w[i], rtt[k], k ? 30 : 3);
}

TEST(cubic_reduction)	/* 4.6 beta = 0.7, at least 2 */
{
	setup(100, 100000);
	EXPECT_EQ(70, c.ops->ssthresh(&c, 0));
	c.cwnd = 2;
	EXPECT_EQ(2, c.ops->ssthresh(&c, 0));
	setup(STRATA_CWND_MAX, 1000);
	EXPECT_EQ((u32)((u64)STRATA_CWND_MAX * 7 / 10), c.ops->ssthresh(&c, 0));
}

/* 4.2: back at W_max after K: reached, and flat around it */
TEST(cubic_plateau)
{
	double k = cbrt(0.3 * 1000 / 0.4);
	u64 start;

	setup(1000, 100000);
	c.ssthresh = 1000;
	loss();
	start = cs.now_us;
	while (cs.now_us - start < k * 1e6)
		round_trip(100000, 2);
	EXPECT_GE(c.cwnd, 990);
	EXPECT_LE(c.cwnd, 1002);
	while (cs.now_us - start < 2 * k * 1e6)
		round_trip(100000, 2);
	EXPECT_GE(c.cwnd, 1250);
	EXPECT_LE(c.cwnd, 1350);
}

/* a flight of cwnd whose ACKs come within @burst_us of a round trip of @rtt_us */
static void burst(u32 rtt_us, u32 burst_us)
{
	u64 start = cs.now_us;
	u32 n = c.cwnd, i;

	for (i = 0; i < n; i++) {
		cs.now_us = start + (u64)burst_us * i / n;
		cs.acked = 1;
		c.ops->cong_avoid(&c, &cs);
	}
	cs.now_us = start + rtt_us;
}

/*
 * 4.3, 4.4: the flight is far shorter than the round trip. W_est has by then grown by a round
 * trip's 0.53 and W_cubic(t) by 0.15, yet W_cubic(t + RTT) is nearly two segments away
 */
TEST(cubic_burst)
{
	u32 i, first;

	setup(19, 300000);
	c.ssthresh = 19;
	loss();
	EXPECT_EQ(13, c.cwnd);
	burst(300000, 20000);
	EXPECT_LE(14, c.cwnd);
	first = c.cwnd;
	burst(300000, 20000);
	EXPECT_LT(first, c.cwnd);
	/* K is 2.47 s; W_max is reached and held, though the curve itself gets there only at K */
	for (i = 2; i < 7; i++)
		burst(300000, 20000);
	EXPECT_EQ(19, c.cwnd);
	for (; i < 11; i++)
		burst(300000, 20000);
	EXPECT_EQ(19, c.cwnd);
}

/* credit that an ACK earned while the step was long counts when it is short again */
TEST(cubic_credit)
{
	u32 before, i;

	setup(100, 300000);
	c.ssthresh = 100;
	loss();
	/* up to the plateau, where the step is longer than the window */
	for (i = 0; i < 14; i++)
		burst(300000, 60000);
	EXPECT_EQ(100, c.cwnd);
	burst(300000, 60000);
	before = c.cwnd;
	cs.now_us += 2000000;	/* the curve goes on: cwnd may grow by several per round trip */
	cs.acked = 1;
	c.ops->cong_avoid(&c, &cs);
	EXPECT_EQ(before + 1, c.cwnd);
}

TEST(cubic_fast_convergence)	/* 4.7: two losses, the second below the first: W_max = 0.85 cwnd */
{
	double k;
	u64 start;

	setup(1000, 100000);
	c.ssthresh = 1000;
	loss();
	EXPECT_EQ(700, c.cwnd);
	loss();
	EXPECT_EQ(490, c.cwnd);
	start = cs.now_us;
	k = cbrt((595 - 490) / 0.4);
	while (cs.now_us - start < k * 1e6)
		round_trip(100000, 1);
	EXPECT_GE(c.cwnd, 585);
	EXPECT_LE(c.cwnd, 600);
}

/* one ACK of one segment, @n of them in a round trip */
static void one_ack(u32 n)
{
	cs.now_us += 100000 / n;
	cs.acked = 1;
	c.ops->cong_avoid(&c, &cs);
}

TEST(cubic_same_share)	/* 4.7: a loss at the same window is no smaller share */
{
	u64 start;

	setup(100, 100000);
	c.ssthresh = 100;
	loss();
	while (c.cwnd < 100)
		one_ack(c.cwnd);
	loss();
	EXPECT_EQ(70, c.cwnd);
	/* W_max is 100 still, reached after K = cbrt(30 / 0.4) s; 85 half a second earlier */
	start = cs.now_us;
	while (cs.now_us - start < 4220000)
		one_ack(c.cwnd);
	EXPECT_GE(c.cwnd, 98);
	EXPECT_LE(c.cwnd, 101);
}

/* 4.3: small windows and short round trips grow as Reno's, however it is acknowledged */
TEST(cubic_reno_friendly)
{
	u32 i, each;

	for (each = 1; each < 8; each += 6) {
		setup(20, 1000);
		c.ssthresh = 20;
		loss();
		for (i = 0; i < 200; i++)
			round_trip(1000, each);
		/* 0.53 per round trip from 14 to 20, then 1; a round of sevens may leave out six */
		EXPECT_GE(c.cwnd, 14 + 6 + (each == 1 ? 180 : 160));
		EXPECT_LE(c.cwnd, 14 + 6 + 195);
	}
}

TEST(cubic_alpha_one)	/* 4.3: from cwnd_prior on, not from W_max, which fast convergence lowers */
{
	u32 i;

	setup(100, 1000);
	c.ssthresh = 100;
	loss();
	loss();
	EXPECT_EQ(49, c.cwnd);		/* W_max 59, cwnd_prior 70 */
	for (i = 0; i < 39; i++)
		round_trip(1000, 1);
	EXPECT_GE(c.cwnd, 68);
	EXPECT_LE(c.cwnd, 71);
	for (i = 0; i < 100; i++)
		round_trip(1000, 1);
	EXPECT_GE(c.cwnd, 160);
	EXPECT_LE(c.cwnd, 171);
}

TEST(cubic_undo)	/* 4.9 */
{
	u32 i, now;

	setup(1000, 100000);
	c.ssthresh = 1000;
	loss();
	EXPECT_EQ(1000, c.ops->undo_cwnd(&c));
	/* 4.9.2: beyond it already: all as it is */
	setup(100, 100000);
	c.ssthresh = 100;
	loss();
	for (i = 0; i < 200 && c.cwnd <= 110; i++)
		round_trip(100000, 1);
	now = c.cwnd;
	EXPECT_LT(110, now);
	EXPECT_EQ(now, c.ops->undo_cwnd(&c));
	c.cwnd = now;
	round_trip(100000, 1);
	EXPECT_LE(now, c.cwnd);
	EXPECT_GE(now + now / 2, c.cwnd);
}

/* 4.4: cwnd cut within a stage (RFC 2861, another MSS): back by half a segment per segment */
TEST(cubic_cut)
{
	u32 i;

	setup(300, 50000);
	c.ssthresh = 70;
	for (i = 0; i < 40; i++)
		round_trip(50000, 1);
	EXPECT_LE(300, c.cwnd);
	c.cwnd = 70;
	round_trip(50000, 1);
	EXPECT_LE(c.cwnd, 105 + 1);	/* one for the credit there was */
	round_trip(50000, 1);
	EXPECT_LE(c.cwnd, 159 + 1);
	EXPECT_GE(c.cwnd, 100);
}

/* 4.9: credit of avoidance is none for slow start, which an undo may return to */
TEST(cubic_undo_credit)
{
	u32 i;

	setup(100, 1000);
	c.ssthresh = 100;
	loss();
	for (i = 0; i < 10; i++)
		round_trip(1000, 1);
	c.cwnd_cnt += 1000;
	c.cwnd = c.ops->undo_cwnd(&c);
	EXPECT_EQ(0, c.cwnd_cnt);
}

/* 4.8: ssthresh as after a loss; W_max = W_est = cwnd, K = 0: convex from the start */
TEST(cubic_after_timeout)
{
	struct model m;
	u32 i;

	setup(1000, 100000);
	c.ssthresh = 1000;
	loss();
	EXPECT_EQ(700, c.ssthresh);
	c.ops->set_state(&c, STRATA_CA_LOSS, cs.now_us);
	m = (struct model){ .w_max = 700 };
	for (i = 0; i < 40; i++)
		round_trip(100000, 1);
	m.cwnd = 0.4 * pow(4.0, 3) + 700;
	EXPECT_LE(fabs(c.cwnd - m.cwnd), 15);
	/* W_est: slow start from one segment to 14, then 0.53 per round trip up to 20, then 1 */
	setup(20, 1000);
	c.ssthresh = 20;
	loss();
	c.ops->set_state(&c, STRATA_CA_LOSS, cs.now_us);
	c.cwnd = 1;
	while (c.cwnd < c.ssthresh)
		round_trip(1000, 1);
	for (i = 0; i < 11; i++)
		round_trip(1000, 1);
	EXPECT_GE(c.cwnd, 19);
	EXPECT_LE(c.cwnd, 21);
}

TEST(cubic_after_hystart)	/* 4.10: no loss: W_max = cwnd, K = 0, and Reno's alpha is 1 */
{
	u32 i;

	setup(1000, 300000);
	c.ssthresh = 1000;
	for (i = 0; i < 27; i++)
		round_trip(300000, 1);
	/* 0.4 * 8.1^3 = 213; as fast as 24 in a round trip by then */
	EXPECT_GE(c.cwnd, 1000 + 213 - 30);
	EXPECT_LE(c.cwnd, 1000 + 213 + 30);
	setup(20, 1000);
	c.ssthresh = 20;
	for (i = 0; i < 50; i++)
		round_trip(1000, 1);
	EXPECT_GE(c.cwnd, 20 + 45);
	EXPECT_LE(c.cwnd, 20 + 50);
}

TEST(cubic_unused)	/* 4.6, 5.8: a reduction starts from cwnd: unused it does not grow */
{
	u32 i;

	setup(10, 100000);
	cs.cwnd_limited = false;
	for (i = 0; i < 20; i++)
		round_trip(100000, 1);
	EXPECT_EQ(10, c.cwnd);
	c.ssthresh = 10;
	loss();
	for (i = 0; i < 600; i++)
		round_trip(100000, 1);
	EXPECT_EQ(7, c.cwnd);
}

TEST(cubic_idle_time_does_not_count)	/* 5.8 */
{
	u32 before;

	setup(1000, 100000);
	c.ssthresh = 1000;
	loss();
	round_trip(100000, 1);
	before = c.cwnd;
	cs.now_us += 3600 * 1000000ULL;
	c.ops->cwnd_event(&c, STRATA_CE_TX_START, cs.now_us);
	round_trip(100000, 1);
	EXPECT_LE(c.cwnd, before + before / 10);
	cs.cwnd_limited = false;
	cs.now_us += 3600 * 1000000ULL;
	c.ops->cong_avoid(&c, &cs);
	cs.cwnd_limited = true;
	before = c.cwnd;
	round_trip(100000, 1);
	EXPECT_LE(c.cwnd, before + before / 10);
}

TEST(cubic_random_is_sane)
{
	u32 i, before;

	unit_seed(40);
	setup(10, 50000);
	for (i = 0; i < 1000000; i++) {
		before = c.cwnd;
		cs.now_us += unit_rnd() >> unit_below(32);
		cs.acked = 1 + unit_below(64);
		cs.srtt_us = 1 + unit_below(2000000);
		cs.rtt_us = unit_below(2) ? 1 + unit_below(1000000) : 0;
		cs.una += cs.acked;
		cs.nxt = cs.una + unit_below(1000);
		cs.cwnd_limited = unit_below(4);
		c.ops->acked(&c, &cs);
		c.ops->cong_avoid(&c, &cs);
		ASSERT_GE(c.cwnd, before);
		/* 4.4: target at most 1.5 cwnd per window; slow start: what was acknowledged */
		ASSERT_LE(c.cwnd, before + 1 +
			  (before < c.ssthresh ? cs.acked : cs.acked / 2));
		if (!unit_below(50)) {
			loss();
			if (!unit_below(4)) {
				c.ops->set_state(&c, STRATA_CA_LOSS, cs.now_us);
				c.cwnd = 1;
			}
		}
		if (!unit_below(2000))
			c.cwnd = 1 + (unit_rnd() >> 6);
		ASSERT_GE(c.cwnd, 1);
		ASSERT_GE(c.ssthresh, 2);
	}
}

/* HyStart++: rounds of @n ACKs with @rtt each */
static void hystart_round_of(u32 n, u32 rtt_us)
{
	u32 i;

	cs.nxt = cs.una + n;
	for (i = 0; i < n; i++) {
		cs.una++;
		cs.acked = 1;
		cs.rtt_us = rtt_us;
		/* what was sent meanwhile */
		cs.nxt = cs.una + n;
		cs.now_us += rtt_us / n;
		c.ops->acked(&c, &cs);
		c.ops->cong_avoid(&c, &cs);
	}
}

TEST(hystart_css_then_avoidance)	/* RFC 9406 4.2 */
{
	u32 before, i;

	setup(16, 40000);
	for (i = 0; i < 4; i++) {
		before = c.cwnd;
		hystart_round_of(16, 40000);
		EXPECT_EQ(before + 16, c.cwnd);		/* plain slow start */
	}
	/* threshold: 40 ms / 8 = 5 ms; 4.9 ms more is not enough */
	before = c.cwnd;
	hystart_round_of(16, 44900);
	EXPECT_EQ(before + 16, c.cwnd);
	/* the growth is from the last round to this one: 5.7 ms */
	before = c.cwnd;
	hystart_round_of(16, 50600);
	EXPECT_LT(c.cwnd, before + 16);
	EXPECT_GT(c.cwnd, before + 4);
	EXPECT_EQ(STRATA_SSTHRESH_INF, c.ssthresh);
	/* conservative: a quarter, at most CSS_ROUNDS rounds, the one it began in counted */
	for (i = 0; i < 8 && c.ssthresh == STRATA_SSTHRESH_INF; i++) {
		before = c.cwnd;
		hystart_round_of(16, 50600);
		if (c.ssthresh == STRATA_SSTHRESH_INF) {
			EXPECT_GE(c.cwnd, before + 3);
			EXPECT_LE(c.cwnd, before + 5);
		}
	}
	EXPECT_GE(i, 4);
	EXPECT_LE(i, 5);
	EXPECT_LE(c.ssthresh, c.cwnd);
}

TEST(hystart_resumes)	/* RFC 9406 4.2: the delay fell back: slow start goes on */
{
	u32 before, i;

	setup(16, 40000);
	for (i = 0; i < 3; i++)
		hystart_round_of(16, 40000);
	hystart_round_of(16, 60000);
	before = c.cwnd;
	hystart_round_of(16, 60000);
	EXPECT_LE(c.cwnd, before + 5);
	hystart_round_of(16, 50000);
	before = c.cwnd;
	hystart_round_of(16, 50000);
	EXPECT_EQ(before + 16, c.cwnd);
	EXPECT_EQ(STRATA_SSTHRESH_INF, c.ssthresh);
}

TEST(hystart_limits)	/* 4.3: threshold 4 to 16 ms, eight samples, first slow start only */
{
	u32 i;

	setup(16, 8000);
	for (i = 0; i < 3; i++)
		hystart_round_of(16, 8000);
	for (i = 0; i < 7; i++)
		hystart_round_of(16, 8000 + (i & 1) * 3900);	/* less than 4 ms */
	EXPECT_EQ(16 + 10 * 16, c.cwnd);
	setup(16, 400000);
	for (i = 0; i < 3; i++)
		hystart_round_of(16, 400000);
	i = c.cwnd;
	hystart_round_of(16, 416500);				/* more than 16 ms */
	EXPECT_LT(c.cwnd, i + 16);
	/* seven samples per round say nothing */
	setup(16, 40000);
	for (i = 0; i < 6; i++)
		hystart_round_of(7, 40000 + i * 20000);
	EXPECT_EQ(16 + 42, c.cwnd);
	/* ssthresh is known */
	setup(16, 40000);
	c.ssthresh = 1000;
	for (i = 0; i < 10; i++)
		hystart_round_of(16, 40000 + i * 20000);
	EXPECT_EQ(16 + 160, c.cwnd);
}

TEST_HARNESS_MAIN
