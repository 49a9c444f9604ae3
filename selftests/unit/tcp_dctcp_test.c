// SPDX-License-Identifier: GPL-2.0-only
/* DCTCP (RFC 8257 3.3-3.5): alpha against its formula, and what it does to the window. */
#include <math.h>
#include <linux/inet_diag.h>
#include "tcp_dctcp.h"
#include "unit.h"

static struct strata_tcp_cong c;
static struct strata_cong_sample cs;

static void setup(u32 cwnd, bool ecn)
{
	memset(&cs, 0, sizeof(cs));
	cs.mss = 1000;
	cs.una = -5000;	/* wraps */
	cs.nxt = -5000;
	cs.ecn_ok = ecn;
	strata_cong_init(&c, NULL);
	strata_cong_change(&c, &strata_dctcp, &cs);
	strata_cong_start(&c, &cs, false);
	c.cwnd = cwnd;
}

/* a window of @n segments is delivered, @marked of them by ACKs with ECE */
static void window(u32 n, u32 marked)
{
	u32 i;

	cs.nxt = cs.una + n;
	strata_dctcp.in_ack(&c, &cs);
	for (i = 0; i < n; i++) {
		cs.una++;
		cs.delivered_total++;
		cs.delivered_ce += i < marked;
		strata_dctcp.in_ack(&c, &cs);
	}
}

static u32 alpha(void)
{
	struct tcp_dctcp_info info;
	int attr = 0;

	if (strata_dctcp.get_info(&c, ~0U, &attr, &info) != sizeof(info) ||
	    attr != INET_DIAG_DCTCPINFO)
		return ~0U;
	return info.dctcp_alpha;
}

TEST(begins_with_one)	/* 4.2 */
{
	setup(10, true);
	EXPECT_EQ(1024, alpha());
	EXPECT_EQ(5, strata_dctcp.ssthresh(&c, 0));
}

TEST(alpha_formula)	/* 3.3: alpha = alpha * (1 - g) + g * M */
{
	double want = 1;
	u32 i, n, marked;

	unit_seed(8);
	setup(10, true);
	for (i = 0; i < 2000; i++) {
		n = 1 + unit_below(200);
		marked = unit_below(n + 1);
		window(n, marked);
		want += ((double)marked / n - want) / 16;
		/* 1024ths, cut at each step: the error of each fades with g */
		ASSERT_LT(fabs(alpha() / 1024.0 - want), 32 / 1024.0);
	}
}

TEST(once_per_window)	/* 3.3: M is of a whole window of data */
{
	u32 i;

	setup(10, true);
	window(10, 0);
	i = alpha();
	EXPECT_EQ(1024 - 64, i);
	cs.nxt = cs.una + 10;
	strata_dctcp.in_ack(&c, &cs);
	i = alpha();
	cs.una += 9;
	cs.delivered_total += 9;
	cs.delivered_ce += 9;
	strata_dctcp.in_ack(&c, &cs);
	EXPECT_EQ(i, alpha());
	cs.una++;
	cs.delivered_total++;
	strata_dctcp.in_ack(&c, &cs);
	EXPECT_LT(i - i / 16, alpha());
}

TEST(extremes)	/* 4.2: in the end nothing marked is 0, and all marked is 1 */
{
	u32 i;

	setup(10, true);
	for (i = 0; i < 200; i++)
		window(10, 0);
	EXPECT_EQ(0, alpha());
	c.cwnd = 100;
	EXPECT_EQ(100, strata_dctcp.ssthresh(&c, 0));
	for (i = 0; i < 200; i++)
		window(10, 10);
	EXPECT_LE(1000, alpha());
	EXPECT_GE(1024, alpha());
	EXPECT_GE(52, strata_dctcp.ssthresh(&c, 0));
}

TEST(reduction)	/* 3.3: cwnd * (1 - alpha / 2), and two segments at least */
{
	u32 i, w;

	setup(1000, true);
	for (i = 0; i < 30; i++) {
		window(20, i % 5);
		w = 1000 - 1000 * alpha() / 2048;
		EXPECT_LE(w, strata_dctcp.ssthresh(&c, 0));
		EXPECT_GE(w + 1, strata_dctcp.ssthresh(&c, 0));
	}
	setup(2, true);
	EXPECT_EQ(2, strata_dctcp.ssthresh(&c, 0));
}

TEST(loss)	/* 3.5: half, whatever alpha is */
{
	u32 i;

	setup(100, true);
	for (i = 0; i < 200; i++)
		window(10, 0);
	c.ssthresh = strata_dctcp.ssthresh(&c, 0);
	strata_dctcp.set_state(&c, STRATA_CA_RECOVERY, 0);
	EXPECT_EQ(50, c.ssthresh);
	EXPECT_EQ(100, strata_dctcp.undo_cwnd(&c));
	/* ECE alone: as alpha says */
	c.cwnd = 100;
	c.ssthresh = strata_dctcp.ssthresh(&c, 0);
	strata_dctcp.set_state(&c, STRATA_CA_CWR, 0);
	EXPECT_EQ(100, c.ssthresh);
	/* a timeout, and another of the same data */
	c.ssthresh = strata_dctcp.ssthresh(&c, 0);
	strata_dctcp.set_state(&c, STRATA_CA_LOSS, 0);
	EXPECT_EQ(50, c.ssthresh);
	c.cwnd = 1;
	strata_dctcp.set_state(&c, STRATA_CA_LOSS, 0);
	EXPECT_EQ(50, c.ssthresh);
}

TEST(grows_as_reno)	/* 3.4: RFC 5681 */
{
	struct strata_tcp_cong reno;
	u32 i;

	unit_seed(34);
	setup(10, true);
	strata_cong_init(&reno, &strata_reno);
	for (i = 0; i < 5000; i++) {
		if (!unit_below(100)) {
			c.ssthresh = 2 + unit_below(200);
			c.cwnd = 1 + unit_below(200);
			c.cwnd_cnt = 0;
			reno.ssthresh = c.ssthresh;
			reno.cwnd = c.cwnd;
			reno.cwnd_cnt = 0;
		}
		cs.acked = 1 + unit_below(5);
		cs.cwnd_limited = unit_below(8);
		strata_dctcp.cong_avoid(&c, &cs);
		strata_reno.cong_avoid(&reno, &cs);
		ASSERT_EQ(reno.cwnd, c.cwnd);
		ASSERT_EQ(reno.cwnd_cnt, c.cwnd_cnt);
	}
}

TEST(without_ecn)	/* as Reno, RFC 5681 3.1 */
{
	setup(100, false);
	window(100, 0);
	EXPECT_EQ(50, strata_dctcp.ssthresh(&c, 0));
}

TEST_HARNESS_MAIN
