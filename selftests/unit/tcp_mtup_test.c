// SPDX-License-Identifier: GPL-2.0-only
/*
 * The search of RFC 4821 7 for the path MTU.
 */
#include "unit.h"

static const struct strata_mtup_shape plain = { .clamp = 1460, .least = 48 };
static const struct strata_mtup_shape stamps = { .clamp = 1460, .least = 48, .optlen = 12 };

TEST(sizes)	/* RFC 6691: the MSS is without options, the payload with them */
{
	u32 mtu;

	EXPECT_EQ(1460, strata_mtup_mss(&plain, 1500));
	EXPECT_EQ(1448, strata_mtup_mss(&stamps, 1500));
	EXPECT_EQ(1460, strata_mtup_mss(&plain, 9000));		/* the peer takes no more */
	EXPECT_EQ(48, strata_mtup_mss(&plain, 60));
	EXPECT_EQ(36, strata_mtup_mss(&stamps, 0));
	for (mtu = 100; mtu <= 1500; mtu++) {
		EXPECT_EQ(mtu, strata_mtup_mtu(&plain, strata_mtup_mss(&plain, mtu)));
		EXPECT_EQ(mtu, strata_mtup_mtu(&stamps, strata_mtup_mss(&stamps, mtu)));
	}
}

TEST(off)	/* without it the path's MTU counts, and nothing else */
{
	struct strata_tcp_mtup m;

	strata_mtup_init(&m, &plain, 1024, false, 0);
	EXPECT_EQ(1460, strata_mtup_bound(&m, &plain, 1500));
	EXPECT_EQ(960, strata_mtup_bound(&m, &plain, 1000));
	EXPECT_EQ(1460, strata_mtup_bound(&m, &plain, 1500));
	EXPECT_EQ(1000, m.high);	/* but the search would end where a router said */
}

TEST(on)	/* 7.2 */
{
	struct strata_tcp_mtup m;

	strata_mtup_init(&m, &stamps, 1024, true, 0);
	EXPECT_EQ(1024, strata_mtup_bound(&m, &stamps, 1500));
	EXPECT_EQ(1076, m.low);
	EXPECT_EQ(1500, m.high);
	EXPECT_EQ(548, strata_mtup_bound(&m, &stamps, 600));
	EXPECT_EQ(600, m.high);
}

TEST(middle)	/* 7.3 */
{
	struct strata_tcp_mtup m = { .enabled = true, .low = 1064, .high = 1500 };

	EXPECT_EQ(1242, strata_mtup_next(&m, &plain, 8));
	EXPECT_EQ(1242, strata_mtup_next(&m, &plain, 436));
	EXPECT_EQ(0, strata_mtup_next(&m, &plain, 437));
	m.low = 1493;
	EXPECT_EQ(0, strata_mtup_next(&m, &plain, 8));
	m.low = 1461;		/* above high: never, but where the peer is the limit */
	m.high = 1300;
	EXPECT_EQ(0, strata_mtup_next(&m, &plain, -1000));
	m.low = 1065;
	m.high = 1501;
	EXPECT_EQ(1243, strata_mtup_next(&m, &plain, 8));
}

/* 7.3, 7.6: it finds what the path takes, whatever that is, in as many probes as bits */
TEST(converges)
{
	u32 path;

	for (path = 1064; path <= 1500; path++) {
		struct strata_tcp_mtup m;
		u32 mss, n = 0;

		strata_mtup_init(&m, &plain, 1024, true, 0);
		while ((mss = strata_mtup_next(&m, &plain, 8))) {
			ASSERT_LT(n++, 10);
			strata_mtup_sent(&m, &plain, 77, 77 + mss);
			ASSERT_EQ(mss + 40, m.probe);
			ASSERT_FALSE(strata_mtup_arrived(&m, 77));
			ASSERT_FALSE(strata_mtup_arrived(&m, 76 + mss));
			ASSERT_TRUE(strata_mtup_arrived(&m, 77 + mss));
			if (m.probe <= path)
				strata_mtup_success(&m);
			else
				strata_mtup_failure(&m);
			ASSERT_EQ(0, m.probe);
			ASSERT_LE(m.low, path);
			ASSERT_GE(m.high, path);
		}
		ASSERT_LT(path - m.low, 8);
		ASSERT_EQ(m.low - 40, strata_mtup_bound(&m, &plain, 1500));
	}
}

TEST(verdicts)	/* 7.6.1, 7.6.2 */
{
	struct strata_tcp_mtup m = { .low = 1064, .high = 1500, .probe = 1282 };

	strata_mtup_failure(&m);
	EXPECT_EQ(1281, m.high);
	EXPECT_EQ(1064, m.low);
	EXPECT_EQ(0, m.probe);
	m.probe = 1172;
	strata_mtup_success(&m);
	EXPECT_EQ(1281, m.high);
	EXPECT_EQ(1172, m.low);
	EXPECT_EQ(0, m.probe);
}

TEST(arrived)	/* sequence numbers wrap */
{
	struct strata_tcp_mtup m = { .low = 1064, .high = 1500 };

	EXPECT_FALSE(strata_mtup_arrived(&m, 0));	/* none is out */
	strata_mtup_sent(&m, &plain, 0xfffffff0u, 0xfffffff0u + 1242);
	EXPECT_FALSE(strata_mtup_arrived(&m, 0xfffffff0u));
	EXPECT_FALSE(strata_mtup_arrived(&m, 1225));
	EXPECT_TRUE(strata_mtup_arrived(&m, 1226));
}

TEST(black_hole)	/* 7.7 */
{
	struct strata_tcp_mtup m;
	static const u32 want[] = { 1024, 512, 256, 128, 64, 48, 48 };
	u32 i;

	strata_mtup_init(&m, &plain, 1024, false, 5);
	for (i = 0; i < 7; i++) {
		strata_mtup_black_hole(&m, &plain, 1024, 48, 100);
		EXPECT_TRUE(m.enabled);
		EXPECT_EQ(100, m.since_ms);
		EXPECT_EQ(want[i], strata_mtup_bound(&m, &plain, 1500));
	}
	/* never above base, never below floor and least */
	strata_mtup_init(&m, &plain, 4000, true, 0);
	strata_mtup_black_hole(&m, &plain, 300, 48, 0);
	EXPECT_EQ(300, m.low - 40);
	strata_mtup_black_hole(&m, &plain, 300, 200, 0);
	EXPECT_EQ(200, m.low - 40);
	strata_mtup_black_hole(&m, &(struct strata_mtup_shape){ .clamp = 1460, .least = 250 }, 300,
			       200, 0);
	EXPECT_EQ(250, m.low - 40);
}

TEST(again)	/* 7.5 */
{
	struct strata_tcp_mtup m;

	strata_mtup_init(&m, &plain, 1024, true, 0xffffff00u);
	m.high = 1100;
	strata_mtup_again(&m, &plain, 1024, 1500, 10, 0xffffff00u + 9999);
	EXPECT_EQ(1100, m.high);
	strata_mtup_again(&m, &plain, 1030, 1400, 10, 0xffffff00u + 10000);
	EXPECT_EQ(1400, m.high);	/* what the device cannot take is not tried */
	EXPECT_EQ(1070, m.low);
	EXPECT_EQ(0xffffff00u + 10000, m.since_ms);
}

TEST_HARNESS_MAIN
