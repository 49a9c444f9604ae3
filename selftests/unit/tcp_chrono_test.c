// SPDX-License-Identifier: GPL-2.0-only
/* tcpi_busy_time and its parts: one reason counts at a time, and the strongest. */
#include "unit.h"

static u64 rd(const struct strata_tcp_chrono *c, enum strata_chrono what, u64 now)
{
	return strata_chrono_read(c, what, now);
}

TEST(busy)
{
	struct strata_tcp_chrono c = { };

	EXPECT_EQ(0, rd(&c, STRATA_CHRONO_BUSY, 1000));
	strata_chrono_start(&c, STRATA_CHRONO_BUSY, 1000);
	EXPECT_EQ(500, rd(&c, STRATA_CHRONO_BUSY, 1500));
	strata_chrono_start(&c, STRATA_CHRONO_BUSY, 1600);	/* it is already */
	strata_chrono_stop(&c, STRATA_CHRONO_BUSY, false, 1700);	/* and goes on */
	EXPECT_EQ(1000, rd(&c, STRATA_CHRONO_BUSY, 2000));
	strata_chrono_stop(&c, STRATA_CHRONO_BUSY, true, 3000);
	EXPECT_EQ(2000, rd(&c, STRATA_CHRONO_BUSY, 9000));
	strata_chrono_start(&c, STRATA_CHRONO_BUSY, 10000);
	EXPECT_EQ(2001, rd(&c, STRATA_CHRONO_BUSY, 10001));
}

TEST(one_at_a_time)
{
	struct strata_tcp_chrono c = { };

	strata_chrono_start(&c, STRATA_CHRONO_BUSY, 0);
	strata_chrono_start(&c, STRATA_CHRONO_RWND, 100);
	EXPECT_EQ(100, rd(&c, STRATA_CHRONO_BUSY, 400));
	EXPECT_EQ(300, rd(&c, STRATA_CHRONO_RWND, 400));
	strata_chrono_stop(&c, STRATA_CHRONO_RWND, false, 500);
	strata_chrono_stop(&c, STRATA_CHRONO_RWND, false, 550);	/* not what counts */
	EXPECT_EQ(400, rd(&c, STRATA_CHRONO_RWND, 700));
	EXPECT_EQ(300, rd(&c, STRATA_CHRONO_BUSY, 700));
	EXPECT_EQ(0, rd(&c, STRATA_CHRONO_SNDBUF, 700));
}

TEST(strongest_counts)
{
	struct strata_tcp_chrono c = { };

	strata_chrono_start(&c, STRATA_CHRONO_SNDBUF, 0);
	strata_chrono_start(&c, STRATA_CHRONO_RWND, 100);
	strata_chrono_stop(&c, STRATA_CHRONO_RWND, false, 200);
	EXPECT_EQ(300, rd(&c, STRATA_CHRONO_SNDBUF, 300));
	EXPECT_EQ(0, rd(&c, STRATA_CHRONO_RWND, 300));
	strata_chrono_stop(&c, STRATA_CHRONO_SNDBUF, false, 300);
	EXPECT_EQ(50, rd(&c, STRATA_CHRONO_BUSY, 350));
	/* nothing is left to send: whatever it was is over */
	strata_chrono_start(&c, STRATA_CHRONO_SNDBUF, 400);
	strata_chrono_stop(&c, STRATA_CHRONO_BUSY, true, 500);
	EXPECT_EQ(400, rd(&c, STRATA_CHRONO_SNDBUF, 9999));
	EXPECT_EQ(100, rd(&c, STRATA_CHRONO_BUSY, 9999));
}

TEST(idle_is_not_kept)
{
	struct strata_tcp_chrono c = { };

	strata_chrono_stop(&c, STRATA_CHRONO_BUSY, true, 500);
	strata_chrono_stop(&c, STRATA_CHRONO_RWND, true, 900);
	EXPECT_EQ(0, rd(&c, STRATA_CHRONO_IDLE, 1000));
	strata_chrono_start(&c, STRATA_CHRONO_RWND, 1000);
	EXPECT_EQ(0, rd(&c, STRATA_CHRONO_IDLE, 2000));
	EXPECT_EQ(1000, rd(&c, STRATA_CHRONO_RWND, 2000));
}

TEST(clock_of_another_cpu)	/* a reader without the lock may be a little behind */
{
	struct strata_tcp_chrono c = { };

	strata_chrono_start(&c, STRATA_CHRONO_BUSY, 1000);
	EXPECT_EQ(0, rd(&c, STRATA_CHRONO_BUSY, 999));
	strata_chrono_start(&c, STRATA_CHRONO_RWND, 990);
	EXPECT_EQ(0, rd(&c, STRATA_CHRONO_BUSY, 2000));
}

TEST_HARNESS_MAIN
