// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: RFC 9293 3.8.6 (SWS avoidance, never shrunk), 3.10.7.4 (acceptability, updates),
 * RFC 7323 2 (scale), Nagle, and receive buffer autotuning.
 */
#include "unit.h"

TEST(first_window)	/* RFC 7323 2.2, 2.3 */
{
	struct strata_tcp_rwnd w;

	strata_wnd_init(&w, 77, 65535, 6291456, 0, 1460, true);
	EXPECT_EQ(7, w.wscale);
	EXPECT_EQ(65535 / 1460 * 1460, w.wnd);
	EXPECT_EQ(77, w.wup);
	strata_wnd_init(&w, 77, 65535, 6291456, 0, 1460, false);
	EXPECT_EQ(0, w.wscale);
	EXPECT_EQ(65535, w.clamp);
	strata_wnd_init(&w, 77, 1 << 20, ~0U, 0, 1460, true);
	EXPECT_EQ(14, w.wscale);
	EXPECT_LE(w.wnd, 65535);
	strata_wnd_init(&w, 0, 1 << 20, 1 << 20, 3000, 1460, true);
	EXPECT_EQ(0, w.wscale);
	EXPECT_EQ(2920, w.wnd);
	/* less than a segment of space is still offered */
	strata_wnd_init(&w, 0, 500, 500, 0, 1460, true);
	EXPECT_EQ(500, w.wnd);
}

/*
 * A receiver with random buffer use: the right edge never moves left, never promises more
 * than is free when it moves, and moves only by a useful step (3.8.6.2.2).
 */
TEST(right_edge)
{
	unsigned int round, i;

	unit_seed(10);
	for (round = 0; round < 300; round++) {
		u32 full = 1000 + unit_below(1 << (10 + unit_below(14)));
		u32 mss = 100 + unit_below(9000), queued = 0, nxt = unit_rnd();
		struct strata_tcp_rwnd w;
		u32 edge;

		strata_wnd_init(&w, nxt, full, full, 0, mss, round & 1);
		edge = nxt + w.wnd;
		for (i = 0; i < 3000; i++) {
			u32 left = strata_wnd_left(&w, nxt), unit = 1U << w.wscale;
			u32 come = left ? unit_below(left + 1) : 0;
			u32 step = full / 2 < mss ? full / 2 : mss, wnd, after;
			u16 field;

			ASSERT_EQ(edge - nxt, left);
			nxt += come;
			queued += come;
			left -= come;
			queued -= unit_below(3) ? 0 : unit_below(queued + 1);
			wnd = strata_wnd_select(&w, nxt, queued < full ? full - queued : 0, full,
						mss);
			ASSERT_LE(wnd, 65535U << w.wscale);
			field = strata_wnd_commit(&w, nxt, wnd);
			after = (u32)field << w.wscale;
			ASSERT_EQ(after, strata_wnd_left(&w, nxt));
			ASSERT_GE(after, left);
			ASSERT_LT((s32)(after - left), (s32)(1 << 30));
			/* no small steps, but for the rounding to the scale's unit */
			if (after - left >= unit) {
				ASSERT_LE(after, full - queued);
				if (queued)
					ASSERT_GE(after - left + unit - 1, step);
			}
			edge = nxt + after;
		}
	}
}

TEST(shrink)	/* tcp_shrink_window: what the memory can hold, wherever the edge was */
{
	struct strata_tcp_rwnd w = { .wnd = 65536, .clamp = 1 << 20, .wscale = 4 };

	/* a multiple of the unit, rounded down */
	EXPECT_EQ(20000, strata_wnd_shrink(&w, 20015, 65536, 1000, 1 << 20));
	/* the other limit is none of the memory's: rounded up */
	EXPECT_EQ(10000, strata_wnd_shrink(&w, 20015, 65536, 1000, 9999));
	/* less than half is free, and too little */
	EXPECT_EQ(0, strata_wnd_shrink(&w, 999, 65536, 1000, 1 << 20));
	EXPECT_EQ(0, strata_wnd_shrink(&w, 15, 65536, 1, 1 << 20));
	EXPECT_EQ(992, strata_wnd_shrink(&w, 999, 1900, 1000, 1 << 20));
	/* the field's limit */
	EXPECT_EQ(65535 << 4, strata_wnd_shrink(&w, 1 << 24, 1 << 24, 1000, 1 << 24));
}

TEST(sws_receiver_examples)
{
	struct strata_tcp_rwnd w = { .wnd = 10000, .wup = 0, .clamp = 65535 };

	/* 9000 came, 500 were read: free 1500, left 1000, step 1000: the edge stays */
	EXPECT_EQ(1000, strata_wnd_select(&w, 9000, 1500, 10000, 1000));
	/* 1000 more free: moves */
	EXPECT_EQ(2000, strata_wnd_select(&w, 9000, 2000, 10000, 1000));
	/* full buffer: what was offered stays, then zero */
	EXPECT_EQ(1000, strata_wnd_select(&w, 9000, 0, 10000, 1000));
	EXPECT_EQ(0, strata_wnd_select(&w, 10000, 999, 10000, 1000));
	EXPECT_EQ(1000, strata_wnd_select(&w, 10000, 1000, 10000, 1000));
	/* a buffer below two segments opens by half of it */
	EXPECT_EQ(0, strata_wnd_select(&w, 10000, 399, 800, 1000));
	EXPECT_EQ(400, strata_wnd_select(&w, 10000, 400, 800, 1000));
	/* between two steps nothing moves, with and without a scale */
	EXPECT_EQ(1000, strata_wnd_select(&w, 9000, 1999, 10000, 1000));
	w.wscale = 2;
	EXPECT_EQ(1000, strata_wnd_select(&w, 9000, 1999, 10000, 1000));
	EXPECT_EQ(2000, strata_wnd_select(&w, 9000, 2003, 10000, 1000));
	/* what is left of an offer is rounded up: the edge may move right, never left */
	EXPECT_EQ(1000, strata_wnd_select(&w, 9003, 0, 10000, 1000));
	w.wscale = 0;
	EXPECT_FALSE(strata_wnd_update_due(&w, 9000, 1999));
	EXPECT_TRUE(strata_wnd_update_due(&w, 9000, 2000));
	EXPECT_FALSE(strata_wnd_update_due(&w, 10000, 0));
	EXPECT_TRUE(strata_wnd_update_due(&w, 10000, 1000));
}

/* the table of 3.10.7.4, by counting octets; pure ACKs at the right edge are taken too */
TEST(acceptable)
{
	u32 base, wnd, len, i;
	int off;

	for (i = 0; i < 2; i++) {
		base = i ? 0xfffffff8 : 1000;
		for (wnd = 0; wnd < 8; wnd++)
			for (len = 0; len < 6; len++)
				for (off = -8; off <= 12; off++) {
					enum strata_seq_check v = strata_wnd_check(base + off,
						base + off + len, base, wnd);
					bool first = off >= 0 && off < (int)wnd;
					bool last = off + (int)len - 1 >= 0 &&
						    off + (int)len - 1 < (int)wnd;
					bool ok;

					if (!len)
						ok = off >= 0 && off <= (int)wnd;
					else
						ok = wnd && (first || last ||
						     (off < 0 && off + (int)len > (int)wnd));
					ASSERT_EQ(ok, v == STRATA_SEQ_OK) {
						TH_LOG("wnd %u len %u off %d", wnd, len, off);
					}
					if (v == STRATA_SEQ_OLD)
						ASSERT_TRUE(off < 0 && off + (int)len <= 0);
					if (v == STRATA_SEQ_FUTURE)
						ASSERT_TRUE(off > 0 && off >= (int)wnd);
					if (v == STRATA_SEQ_ZERO_WND)
						ASSERT_TRUE(!wnd && off <= 0 &&
							    off + (int)len > 0);
				}
	}
}

TEST(send_window)	/* 3.10.7.4 fifth check */
{
	struct strata_tcp_swnd s = { .wnd = 1000, .max = 1000, .wl1 = 50 };

	EXPECT_FALSE(strata_wnd_snd_update(&s, 10, 10, 49, 5000));	/* older segment */
	EXPECT_TRUE(strata_wnd_snd_update(&s, 10, 10, 51, 500));	/* newer: may shrink */
	EXPECT_EQ(500, s.wnd);
	EXPECT_EQ(51, s.wl1);
	EXPECT_FALSE(strata_wnd_snd_update(&s, 10, 10, 51, 400));	/* reordered ACK */
	EXPECT_TRUE(strata_wnd_snd_update(&s, 10, 10, 51, 700));	/* window update */
	EXPECT_TRUE(strata_wnd_snd_update(&s, 10, 10, 51, 0));		/* closed */
	EXPECT_EQ(0, s.wnd);
	EXPECT_TRUE(strata_wnd_snd_update(&s, 10, 11, 50, 2000));	/* acknowledges more */
	EXPECT_EQ(2000, s.wnd);
	EXPECT_EQ(2000, s.max);
}

TEST(nagle_and_sws)	/* 3.8.6.2.1, 3.7.4 */
{
	EXPECT_TRUE(strata_snd_ok(1000, 5000, 1000, 9000, STRATA_SND_SMALL_OUT));
	EXPECT_TRUE(strata_snd_ok(10, 5000, 1000, 9000, 0));
	EXPECT_FALSE(strata_snd_ok(10, 5000, 1000, 9000, STRATA_SND_SMALL_OUT));
	EXPECT_TRUE(strata_snd_ok(10, 5000, 1000, 9000, STRATA_SND_SMALL_OUT | STRATA_SND_NODELAY));
	EXPECT_TRUE(strata_snd_ok(10, 5000, 1000, 9000, STRATA_SND_SMALL_OUT | STRATA_SND_FIN));
	EXPECT_FALSE(strata_snd_ok(10, 5000, 1000, 9000, STRATA_SND_CORK | STRATA_SND_NODELAY));
	EXPECT_TRUE(strata_snd_ok(1000, 5000, 1000, 9000, STRATA_SND_CORK));
	/* the window would cut it: only half of the largest window makes it worth while */
	EXPECT_FALSE(strata_snd_ok(5000, 400, 1000, 9000, STRATA_SND_NODELAY | STRATA_SND_IDLE));
	EXPECT_FALSE(strata_snd_ok(5000, 499, 1000, 999, STRATA_SND_NODELAY));
	EXPECT_TRUE(strata_snd_ok(5000, 500, 1000, 999, STRATA_SND_NODELAY));
	EXPECT_FALSE(strata_snd_ok(5000, 0, 1000, 0, STRATA_SND_NODELAY));
	EXPECT_TRUE(strata_snd_ok(5000, 1, 1000, 9000, STRATA_SND_FORCE));
}

/* a sender that doubles per round trip is never limited; one that is steady is not overfed */
TEST(autotune)
{
	struct strata_tcp_drs d;
	u32 seq = 0xfff00000, rate = 14600, wnd = 65535, got;
	u64 now = 1000;
	int i;

	strata_drs_init(&d, seq, seq, wnd, 14600, now);
	/* no RTT yet */
	EXPECT_EQ(0, strata_drs_adjust(&d, seq + 100000, seq + 100000, 1460, now + 1000000));
	strata_drs_rtt_ts(&d, 20000);
	EXPECT_EQ(20000, strata_drs_rtt(&d));
	for (i = 0; i < 8; i++) {
		seq += rate;
		now += 20000;
		got = strata_drs_adjust(&d, seq, seq, 1460, now);
		if (got > wnd)
			wnd = got;
		rate *= 2;
		ASSERT_GE(wnd, rate);
		EXPECT_EQ(0, strata_drs_adjust(&d, seq + 1, seq + 1, 1460, now + 100));
	}
	got = wnd;
	for (i = 0; i < 8; i++) {
		seq += rate / 2;
		now += 20000;
		ASSERT_EQ(0, strata_drs_adjust(&d, seq, seq, 1460, now));
	}
	/* the most that can be asked for */
	now += 20000;
	ASSERT_EQ(1 << 30, strata_drs_adjust(&d, seq + 0x7fff0000, seq + 0x7fff0000, 1460, now));
}

/* a reader that lags, or that a filled hole gives much at once, asks for no more window */
TEST(autotune_lag)
{
	struct strata_tcp_drs d;

	strata_drs_init(&d, 0, 0, 65535, 14600, 1000);
	strata_drs_rtt_ts(&d, 20000);
	EXPECT_EQ(0, strata_drs_adjust(&d, 30000, 50000, 1460, 21000));
	/* nor one that has read less than what waits */
	EXPECT_EQ(0, strata_drs_adjust(&d, 31000, 90000, 1460, 41000));
	EXPECT_LT(0, strata_drs_adjust(&d, 71000, 71000, 1460, 61000));
}

/* how much of the memory is payload, and the window it backs */
TEST(ratio)
{
	EXPECT_EQ(160, strata_wnd_ratio(1448, 2304));
	EXPECT_EQ(1, strata_wnd_ratio(1, 4096));
	EXPECT_EQ(255, strata_wnd_ratio(4096, 4096));
	EXPECT_EQ(STRATA_WND_RATIO, strata_wnd_ratio(0, 0));
	EXPECT_EQ(65536, strata_wnd_from_space(STRATA_WND_RATIO, 131072));
	EXPECT_EQ(81920, strata_wnd_from_space(160, 131072));
	EXPECT_EQ(131072, strata_wnd_space(160, 81920));
	EXPECT_EQ(~0U, strata_wnd_space(1, 1U << 30));
}

/* a sender that fills the first window in each round trip, and would send more, gets more */
TEST(autotune_first_window)
{
	struct strata_tcp_drs d;

	strata_drs_init(&d, 0, 0, 65535, 65535, 0);
	strata_drs_rtt_ts(&d, 100000);
	EXPECT_LT(65535, strata_drs_adjust(&d, 65535, 65535, 1460, 100000));
}

TEST(autotune_rtt_without_timestamps)
{
	struct strata_tcp_drs d;
	u32 nxt = 5000, i;

	strata_drs_init(&d, nxt, nxt, 10000, 10000, 0);
	strata_drs_rtt_measure(&d, nxt + 9999, 10000, 5000);
	EXPECT_EQ(0, strata_drs_rtt(&d));
	strata_drs_rtt_measure(&d, nxt + 10000, 10000, 30000);
	EXPECT_EQ(30000, strata_drs_rtt(&d));
	/* slower rounds are the sender's doing */
	strata_drs_rtt_measure(&d, nxt + 20000, 10000, 100000);
	EXPECT_EQ(30000, strata_drs_rtt(&d));
	strata_drs_rtt_measure(&d, nxt + 30000, 10000, 110000);
	EXPECT_EQ(10000, strata_drs_rtt(&d));
	for (i = 0; i < 100; i++)
		strata_drs_rtt_ts(&d, 50000);
	EXPECT_LE(49990, strata_drs_rtt(&d));
}

TEST_HARNESS_MAIN
