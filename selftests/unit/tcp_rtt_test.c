// SPDX-License-Identifier: GPL-2.0-only
/* RFC 6298: series computed by hand, backoff, limits; the windowed minimum against a naive one. */
#include "unit.h"

TEST(before_first_sample)	/* 2.1 */
{
	struct strata_tcp_rtt r;

	strata_rtt_init(&r);
	EXPECT_EQ(1000000, strata_rtt_rto(&r));
	EXPECT_EQ(0, strata_rtt_srtt(&r));
	EXPECT_EQ(~0U, strata_rtt_min(&r));
}

/*
 * 2.2, 2.3, one sample per round trip; in ms: R = 1000: SRTT 1000, RTTVAR 500, RTO 3000.
 * R = 1400: RTTVAR = 3/4 * 500 + 1/4 * 400 = 475, SRTT = 7/8 * 1000 + 1/8 * 1400 = 1050.
 */
TEST(by_hand)
{
	struct strata_tcp_rtt r;

	strata_rtt_init(&r);
	strata_rtt_sample(&r, 1000000, 1000, 2000);
	EXPECT_EQ(1000000, strata_rtt_srtt(&r));
	EXPECT_EQ(3000000, strata_rtt_rto(&r));
	strata_rtt_sample(&r, 1400000, 2000, 3000);
	EXPECT_EQ(1050000, strata_rtt_srtt(&r));
	EXPECT_EQ(4 * 475000, r.mdev_us);
	/* the variance in force is that of the last whole round trip */
	EXPECT_EQ(1050000 + 2000000, strata_rtt_rto(&r));
	/* R = 1050: dev 0: mdev = 3/4 * 475 = 356.25; the round's maximum was 500 */
	strata_rtt_sample(&r, 1050000, 3000, 4000);
	EXPECT_EQ(1050000, strata_rtt_srtt(&r));
	EXPECT_EQ(4 * 356250, r.mdev_us);
	/* rounds end: the variance in force falls by a quarter of the distance to 4 * 356.25 */
	EXPECT_EQ(2000000, r.rttvar_us);
	strata_rtt_sample(&r, 1050000, 3500, 4000);
	strata_rtt_sample(&r, 1050000, 4001, 5000);
	/* (the third round's maximum was 3/4 of that: 1068750) */
	EXPECT_EQ(2000000 - (2000000 - 1068750) / 4, r.rttvar_us);
}

TEST(rto_floor)	/* 200 ms under the variance term */
{
	struct strata_tcp_rtt r;
	u32 i;

	strata_rtt_init(&r);
	for (i = 0; i < 1000; i++)
		strata_rtt_sample(&r, 10000, 1000 * i + 1, 1000 * (i + 1));
	EXPECT_EQ(10000, strata_rtt_srtt(&r));
	EXPECT_EQ(210000, strata_rtt_rto(&r));
	strata_rtt_init(&r);
	strata_rtt_sample(&r, 0, 0, 1000);
	/* 0 counts as 1 us: SRTT 0 means that there is none */
	EXPECT_EQ(200001, strata_rtt_rto(&r));
}

TEST(fast_samples_do_not_hide_variance)	/* RFC 7323 G: many samples per round trip */
{
	struct strata_tcp_rtt r;
	u32 i;

	strata_rtt_init(&r);
	strata_rtt_sample(&r, 500000, 0, 100000);
	for (i = 1; i < 100; i++)
		strata_rtt_sample(&r, 500000, i * 1000, 100000);
	/* still the first round: 4 * RTTVAR of the first sample stands */
	EXPECT_EQ(500000 + 1000000, strata_rtt_rto(&r));
}

TEST(faster_path_keeps_rto_down)
{
	struct strata_tcp_rtt r;
	u32 i, before;

	strata_rtt_init(&r);
	for (i = 0; i < 200; i++)
		strata_rtt_sample(&r, 400000, i * 1000 + 1, (i + 1) * 1000);
	before = strata_rtt_rto(&r);
	strata_rtt_sample(&r, 100000, 200001, 201000);
	EXPECT_LE(strata_rtt_rto(&r), before);
}

TEST(backoff)	/* 5.5, 5.7 */
{
	struct strata_tcp_rtt r;
	u32 i, last = 0;

	strata_rtt_init(&r);
	for (i = 0; i < 7; i++) {
		EXPECT_EQ(1000000U << i, strata_rtt_rto(&r));
		strata_rtt_backoff(&r);
	}
	for (i = 0; i < 1000; i++) {
		strata_rtt_backoff(&r);
		EXPECT_GE(strata_rtt_rto(&r), last);
		last = strata_rtt_rto(&r);
	}
	EXPECT_EQ(120000000, last);
	strata_rtt_sample(&r, 100000, 1, 2);
	EXPECT_EQ(0, r.backoff);
	EXPECT_EQ(300000, strata_rtt_rto(&r));
	strata_rtt_init(&r);
	strata_rtt_backoff(&r);
	strata_rtt_syn_retransmitted(&r);
	EXPECT_EQ(3000000, strata_rtt_rto(&r));
}

TEST(random_stays_in_limits)
{
	struct strata_tcp_rtt r;
	u32 i, seq = 0;

	unit_seed(4);
	strata_rtt_init(&r);
	for (i = 0; i < 1000000; i++) {
		u32 rtt = unit_rnd() >> unit_below(32);

		seq += unit_below(3000);
		strata_rtt_sample(&r, rtt, seq, seq + unit_below(100000));
		ASSERT_GE(strata_rtt_rto(&r), 200000);
		ASSERT_LE(strata_rtt_rto(&r), 120000000);
		ASSERT_NE(0, r.srtt_us);
		ASSERT_LE(strata_rtt_srtt(&r), 120000000);
	}
}

/* never above the true minimum by more than three quarters of a window allow, never below it */
TEST(min_filter)
{
	enum { N = 20000, WIN = 1000 };
	static u32 t[N], v[N];
	struct strata_tcp_rtt r;
	u32 i, k, now = 0xffff0000, m, half;

	unit_seed(5);
	strata_rtt_init(&r);
	for (i = 0; i < N; i++) {
		now += unit_below(40);
		t[i] = now;
		v[i] = 1000 + unit_below(5000);
		strata_rtt_min_update(&r, WIN, now, v[i]);
		m = ~0U;
		half = ~0U;
		for (k = i + 1; k-- && now - t[k] <= WIN;) {
			if (v[k] < m)
				m = v[k];
			if (now - t[k] <= WIN / 4 && v[k] < half)
				half = v[k];
		}
		ASSERT_GE(strata_rtt_min(&r), m);
		ASSERT_LE(strata_rtt_min(&r), half);
	}
	/* constant input after a low one: it is forgotten when it is out of the window */
	strata_rtt_min_update(&r, WIN, now += 5000, 10);
	EXPECT_EQ(10, strata_rtt_min(&r));
	/* all three are too old */
	strata_rtt_min_update(&r, WIN, now += 5000, 6000);
	EXPECT_EQ(6000, strata_rtt_min(&r));
	strata_rtt_min_update(&r, WIN, now += 10, 20);
	for (i = 0; i < 120; i++)
		strata_rtt_min_update(&r, WIN, now += 10, 700);
	EXPECT_EQ(700, strata_rtt_min(&r));
}

TEST(timeouts)	/* rows of timeouts, and the time they last */
{
	struct strata_tcp_timeouts t = { };

	strata_rtt_timeouts_over(&t, 5);
	EXPECT_EQ(0, strata_rtt_timeouts_ms(&t, 1000));
	strata_rtt_timeouts_fired(&t, true, 1000);
	strata_rtt_timeouts_fired(&t, false, 1400);
	EXPECT_EQ(2, t.n);
	EXPECT_EQ(1, t.episodes);
	EXPECT_EQ(500, strata_rtt_timeouts_ms(&t, 1500));
	strata_rtt_timeouts_over(&t, 1600);
	strata_rtt_timeouts_over(&t, 1700);
	EXPECT_EQ(600, strata_rtt_timeouts_ms(&t, 9000));
	/* one begins while another lasts: no time is lost */
	strata_rtt_timeouts_fired(&t, true, 10000);
	strata_rtt_timeouts_fired(&t, true, 10100);
	EXPECT_EQ(3, t.episodes);
	EXPECT_EQ(750, strata_rtt_timeouts_ms(&t, 10150));
	strata_rtt_timeouts_over(&t, 10150);
	/* none lasts: it is the first of another, whatever the caller thinks; 0 is a time too */
	strata_rtt_timeouts_fired(&t, false, 0);
	EXPECT_EQ(4, t.episodes);
	EXPECT_EQ(5, t.n);
	EXPECT_NE(0, t.since_ms);
}

TEST_HARNESS_MAIN
