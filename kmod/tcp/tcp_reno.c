// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reno: RFC 5681 3.1. Slow start by what was acknowledged (RFC 3465, without its
 * limit per ACK, since merged and thinned ACKs would otherwise slow it down),
 * then one segment per window; half the window at a loss.
 */
#include <linux/module.h>
#include "tcp_alg.h"

/* equation (4): half of what is in flight, at least 2; cwnd when the window was used in full */
static u32 reno_ssthresh(struct strata_tcp_cong *c, u64 now_us)
{
	return c->cwnd / 2 > 2 ? c->cwnd / 2 : 2;
}

static void reno_cong_avoid(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	u32 acked = cs->acked;

	if (!cs->cwnd_limited)
		return;
	if (strata_cong_in_slow_start(c)) {
		acked = strata_cong_slow_start(c, acked);
		if (!acked)
			return;
	}
	strata_cong_add(c, c->cwnd, acked);
}

static u32 reno_undo_cwnd(struct strata_tcp_cong *c)
{
	return c->cwnd > c->prior_cwnd ? c->cwnd : c->prior_cwnd;
}

struct strata_tcp_cong_ops strata_reno = {
	.name		= "reno",
	.owner		= THIS_MODULE,
	.ssthresh	= reno_ssthresh,
	.cong_avoid	= reno_cong_avoid,
	.undo_cwnd	= reno_undo_cwnd,
};
