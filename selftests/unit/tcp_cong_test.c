// SPDX-License-Identifier: GPL-2.0-only
/*
 * Congestion control without an algorithm in particular: registry, initial window (RFC 6928),
 * slow start and Reno (RFC 5681), idle and unused windows (RFC 2861, 7661), pacing.
 */
#include <errno.h>
#include "unit.h"

static u32 two(struct strata_tcp_cong *c, u64 now_us)
{
	return 2;
}

static u32 same(struct strata_tcp_cong *c)
{
	return c->cwnd;
}

static void nothing(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
}

static int inits, releases;

static void count_init(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	inits++;
	c->priv[0] = 1;
}

static void count_release(struct strata_tcp_cong *c)
{
	releases++;
}

TEST(registry)
{
	static struct module mod;
	static struct strata_tcp_cong_ops own = {
		.name = "own", .owner = &mod, .init = count_init, .release = count_release,
		.ssthresh = two, .undo_cwnd = same, .cong_avoid = nothing,
		.flags = STRATA_CONG_RESTRICTED,
	};
	struct strata_tcp_cong_ops bad = own;
	const struct strata_tcp_cong_ops *ops;
	struct strata_cong_sample cs = { .mss = 1000 };
	struct strata_tcp_cong c;
	char buf[64];

	ASSERT_EQ(0, strata_cong_module_init());
	EXPECT_EQ(-EEXIST, strata_cong_register(&strata_reno));
	bad.cong_avoid = NULL;
	EXPECT_EQ(-EINVAL, strata_cong_register(&bad));
	bad = own;
	bad.ssthresh = NULL;
	EXPECT_EQ(-EINVAL, strata_cong_register(&bad));
	bad = own;
	bad.name[0] = '\0';
	EXPECT_EQ(-EINVAL, strata_cong_register(&bad));
	ASSERT_EQ(0, strata_cong_register(&own));
	EXPECT_EQ(14, strata_cong_list(buf, sizeof(buf), true));
	EXPECT_STREQ("reno cubic own", buf);
	strata_cong_list(buf, sizeof(buf), false);
	EXPECT_STREQ("reno cubic", buf);
	EXPECT_EQ(4, strata_cong_list(buf, 8, true));
	EXPECT_STREQ("reno", buf);
	EXPECT_EQ(0, strata_cong_list(buf, 0, true));

	/* who may be chosen by everybody */
	strcpy(buf, "own nobody");
	EXPECT_EQ(-ENOENT, strata_cong_allow(buf));
	strata_cong_list(buf, sizeof(buf), false);
	EXPECT_STREQ("reno cubic", buf);
	strcpy(buf, "own reno ");
	EXPECT_EQ(0, strata_cong_allow(buf));
	strata_cong_list(buf, sizeof(buf), false);
	EXPECT_STREQ("reno own", buf);
	strcpy(buf, "");
	EXPECT_EQ(0, strata_cong_allow(buf));
	EXPECT_EQ(0, strata_cong_list(buf, sizeof(buf), false));
	strcpy(buf, "reno cubic");
	EXPECT_EQ(0, strata_cong_allow(buf));

	EXPECT_EQ(NULL, strata_cong_get("own2"));
	ops = strata_cong_get("own");
	ASSERT_EQ(&own, ops);
	EXPECT_EQ(1, mod.refs);
	strata_cong_init(&c, ops);
	EXPECT_EQ(0, inits);
	strata_cong_start(&c, &cs, false);
	EXPECT_EQ(1, inits);
	strata_cong_change(&c, strata_cong_get("reno"), &cs);
	EXPECT_EQ(1, releases);
	EXPECT_EQ(0, mod.refs);
	EXPECT_EQ(0, c.priv[0]);
	/* Strata's own is not pinned */
	EXPECT_EQ(0, shim_module.refs);
	strata_cong_exit(&c);
	strata_cong_exit(&c);
	EXPECT_EQ(0, shim_module.refs);
	mod.going = true;
	EXPECT_EQ(NULL, strata_cong_get("own"));
	strata_cong_unregister(&own);
	strata_cong_module_exit();
	EXPECT_EQ(0, strata_cong_list(buf, sizeof(buf), true));
}

TEST(initial_window)	/* RFC 6928 2: min(10 MSS, max(2 MSS, 14600)) */
{
	struct strata_cong_sample cs = { .mss = 1460 };
	struct strata_tcp_cong c;

	EXPECT_EQ(10, strata_cong_iw(536));
	EXPECT_EQ(10, strata_cong_iw(1460));
	EXPECT_EQ(9, strata_cong_iw(1500));
	EXPECT_EQ(2, strata_cong_iw(8960));
	EXPECT_EQ(2, strata_cong_iw(65483));
	strata_cong_init(&c, NULL);
	strata_cong_start(&c, &cs, false);
	EXPECT_EQ(10, c.cwnd);
	strata_cong_start(&c, &cs, true);
	EXPECT_EQ(1, c.cwnd);
}

static struct strata_tcp_cong reno(u32 cwnd, u32 ssthresh)
{
	struct strata_tcp_cong c;

	strata_cong_init(&c, NULL);
	c.cwnd = cwnd;
	c.ssthresh = ssthresh;
	return c;
}

static void acks(struct strata_tcp_cong *c, u32 n, u32 each)
{
	struct strata_cong_sample cs = { .acked = each, .cwnd_limited = true };

	while (n--)
		c->ops->cong_avoid(c, &cs);
}

TEST(reno_slow_start)	/* RFC 5681 3.1: doubles per window, stops at ssthresh */
{
	struct strata_tcp_cong c = reno(10, STRATA_SSTHRESH_INF);

	acks(&c, 10, 1);
	EXPECT_EQ(20, c.cwnd);
	acks(&c, 1, 20);	/* one ACK for all */
	EXPECT_EQ(40, c.cwnd);
	c.ssthresh = 45;
	acks(&c, 1, 20);
	EXPECT_EQ(45, c.cwnd);
	EXPECT_EQ(15, c.cwnd_cnt);
	c = reno(10, 100);
	c.cwnd_clamp = 15;
	acks(&c, 1, 20);
	EXPECT_EQ(15, c.cwnd);
}

TEST(reno_avoidance)	/* one segment per window acknowledged, however it is acknowledged */
{
	struct strata_tcp_cong c = reno(10, 10);
	u32 i;

	acks(&c, 9, 1);
	EXPECT_EQ(10, c.cwnd);
	acks(&c, 1, 1);
	EXPECT_EQ(11, c.cwnd);
	acks(&c, 1, 11);
	EXPECT_EQ(12, c.cwnd);
	for (i = 0; i < 50; i++)
		acks(&c, c.cwnd / 2, 2);
	EXPECT_GE(c.cwnd, 59);
	EXPECT_LE(c.cwnd, 62);
	EXPECT_EQ(c.cwnd / 2, c.ops->ssthresh(&c, 0));
	c = reno(10, 10);
	acks(&c, 1, 15);	/* what is left over counts for the next */
	EXPECT_EQ(11, c.cwnd);
	EXPECT_EQ(5, c.cwnd_cnt);
	c.cwnd = 3;
	EXPECT_EQ(2, c.ops->ssthresh(&c, 0));
	c.prior_cwnd = 40;
	EXPECT_EQ(40, c.ops->undo_cwnd(&c));
}

TEST(no_growth_unused)	/* RFC 7661: what is not used proves nothing */
{
	struct strata_tcp_cong c = reno(10, STRATA_SSTHRESH_INF);
	struct strata_cong_sample cs = { .acked = 10, .cwnd_limited = false };

	c.ops->cong_avoid(&c, &cs);
	EXPECT_EQ(10, c.cwnd);
	strata_cong_validate(&c, 0, 1000, 4, false, 200000, 1, true);
	EXPECT_FALSE(strata_cong_is_limited(&c));
	strata_cong_validate(&c, 0, 1000, 6, false, 200000, 2, true);
	EXPECT_TRUE(strata_cong_is_limited(&c));	/* slow start: more than half */
	c.ssthresh = 5;
	EXPECT_FALSE(strata_cong_is_limited(&c));
	strata_cong_validate(&c, 500, 2000, 10, true, 200000, 3, true);
	EXPECT_TRUE(strata_cong_is_limited(&c));
	strata_cong_validate(&c, 1500, 2500, 3, false, 200000, 4, true);
	EXPECT_TRUE(strata_cong_is_limited(&c));	/* until that window is acknowledged */
	strata_cong_validate(&c, 2000, 3000, 3, false, 200000, 5, true);
	EXPECT_FALSE(strata_cong_is_limited(&c));
}

TEST(idle_restart)	/* RFC 2861 3.1, 5681 4.1: half per RTO down to the restart window */
{
	struct strata_tcp_cong c = reno(160, 80);

	strata_cong_idle(&c, 1460, 200000, 200000, 1);
	EXPECT_EQ(160, c.cwnd);
	strata_cong_idle(&c, 1460, 500000, 200000, 1000000);
	EXPECT_EQ(40, c.cwnd);
	EXPECT_EQ(120, c.ssthresh);
	strata_cong_idle(&c, 1460, 1ULL << 60, 200000, 1ULL << 61);
	EXPECT_EQ(10, c.cwnd);
	c.cwnd = 4;
	strata_cong_idle(&c, 1460, 1ULL << 60, 200000, 3ULL << 60);
	EXPECT_EQ(4, c.cwnd);
	strata_cong_idle(&c, 1460, 1ULL << 60, 0, 1ULL << 62);
	EXPECT_EQ(4, c.cwnd);
}

TEST(idle_counts_once)	/* RFC 2861 3.1: the same silence does not halve again */
{
	struct strata_tcp_cong c = reno(80, 40);

	strata_cong_idle(&c, 1460, 300000, 200000, 1000000);
	EXPECT_EQ(40, c.cwnd);
	strata_cong_idle(&c, 1460, 301000, 200000, 1001000);
	EXPECT_EQ(40, c.cwnd);
	strata_cong_idle(&c, 1460, 510000, 200000, 1210000);
	EXPECT_EQ(20, c.cwnd);
}

TEST(application_limited)	/* RFC 2861 3.2 */
{
	struct strata_tcp_cong c = reno(100, 50);
	u64 now = 1000000;

	c.cwnd_stamp_us = now;
	strata_cong_validate(&c, 1, 10, 20, false, 200000, now + 199999, true);
	EXPECT_EQ(100, c.cwnd);
	strata_cong_validate(&c, 11, 20, 20, false, 200000, now + 200000, false);
	EXPECT_EQ(100, c.cwnd);
	strata_cong_validate(&c, 21, 30, 15, false, 200000, now + 200000, true);
	EXPECT_EQ(60, c.cwnd);
	EXPECT_EQ(75, c.ssthresh);
}

TEST(pacing)
{
	struct strata_tcp_cong c = reno(100, 50);

	strata_cong_update_pacing(&c, 1000, 0, 0, 200, 120);
	EXPECT_EQ(STRATA_PACING_INF, c.pacing_rate);
	strata_cong_update_pacing(&c, 1000, 100000, 0, 200, 120);
	EXPECT_EQ(1200000, c.pacing_rate);
	c.ssthresh = STRATA_SSTHRESH_INF;
	strata_cong_update_pacing(&c, 1000, 100000, 0, 200, 120);
	EXPECT_EQ(2000000, c.pacing_rate);
	c.max_pacing_rate = 500;
	strata_cong_update_pacing(&c, 1000, 100000, 0, 200, 120);
	EXPECT_EQ(500, c.pacing_rate);
}

TEST_HARNESS_MAIN
