// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited of struct tcp_info (Linux 4.10): a
 * clock that counts for one reason at a time. Where several hold, the one that explains the
 * connection's rate best counts: no room in the send buffer before the peer's window before
 * being busy at all.
 */

#include <linux/kernel.h>
#include "tcp_alg.h"

static void chrono_set(struct strata_tcp_chrono *c, enum strata_chrono what, u64 now_us)
{
	if (c->now != STRATA_CHRONO_IDLE && now_us > c->since_us)
		WRITE_ONCE(c->us[c->now], c->us[c->now] + now_us - c->since_us);
	WRITE_ONCE(c->since_us, now_us);
	WRITE_ONCE(c->now, what);
}

void strata_chrono_start(struct strata_tcp_chrono *c, enum strata_chrono what, u64 now_us)
{
	if (what > c->now)
		chrono_set(c, what, now_us);
}

void strata_chrono_stop(struct strata_tcp_chrono *c, enum strata_chrono what, bool idle,
			u64 now_us)
{
	if (idle && c->now != STRATA_CHRONO_IDLE)
		chrono_set(c, STRATA_CHRONO_IDLE, now_us);
	else if (!idle && what == c->now && what != STRATA_CHRONO_BUSY)
		chrono_set(c, STRATA_CHRONO_BUSY, now_us);
}

u64 strata_chrono_read(const struct strata_tcp_chrono *c, enum strata_chrono what, u64 now_us)
{
	u64 us = READ_ONCE(c->us[what]), since = READ_ONCE(c->since_us);

	if (READ_ONCE(c->now) == what && what != STRATA_CHRONO_IDLE && now_us > since)
		us += now_us - since;
	return us;
}
