// SPDX-License-Identifier: GPL-2.0-only
/*
 * DCTCP: congestion control by the share of marked data (RFC 8257), for networks whose switches
 * set CE early. Once per window of data, M being the part of it that was marked,
 *
 *	alpha = (1 - g) * alpha + g * M			3.3
 *	cwnd  = cwnd * (1 - alpha / 2)		if any was	3.4
 *
 * so that a few marks cost little and a full window of them costs what Reno pays. It begins with
 * alpha 1, as if all were marked (4.2). A loss halves the window as ever (3.5). Without ECN on
 * the connection it is Reno.
 *
 * The receiver's side, which echoes each CE and not the news of one (3.2), is tcp_ecn.c's.
 *
 * A module of its own, strata_dctcp.ko. Pure: no socket, no clock.
 */
#include <linux/build_bug.h>
#include <linux/inet_diag.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/string.h>
#include "tcp_dctcp.h"

#define ALPHA_SHIFT	10
#define ALPHA_ONE	1024U	/* 2^ALPHA_SHIFT */
#define G_SHIFT		4	/* g = 1/16 (4.2) */

struct dctcp {
	u32	alpha;		/* 1024ths */
	u32	window_end;	/* what ends the window of data under observation */
	u32	delivered;	/* totals at its start, segments */
	u32	delivered_ce;
	u32	now_delivered;	/* totals at the last ACK, and its MSS: for reports */
	u32	now_ce;
	u32	mss;
	u32	loss_cwnd;	/* before the last reduction */
	bool	reduced;	/* by ssthresh, since the state last changed */
	u8	on;		/* 1: the connection has ECN */
};

static struct dctcp *dctcp_of(struct strata_tcp_cong *c)
{
	static_assert(sizeof(struct dctcp) <= sizeof(c->priv));
	return strata_cong_priv(c);
}

static void observe(struct dctcp *d, const struct strata_cong_sample *cs)
{
	d->window_end = cs->nxt;
	d->delivered = cs->delivered_total;
	d->delivered_ce = cs->delivered_ce;
}

static void dctcp_init(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct dctcp *d = dctcp_of(c);

	d->on = cs->ecn_ok;
	d->alpha = ALPHA_ONE;
	d->mss = cs->mss;
	d->now_delivered = cs->delivered_total;
	d->now_ce = cs->delivered_ce;
	observe(d, cs);
}

/* 3.3; alpha decays to zero at last, in spite of its few bits */
static u32 next_alpha(u32 alpha, u32 delivered, u32 marked)
{
	u32 decay = alpha >> G_SHIFT;

	alpha -= decay ? decay : alpha;
	if (marked)
		alpha += (u32)div_u64((u64)marked * (ALPHA_ONE >> G_SHIFT), delivered);
	return alpha < ALPHA_ONE ? alpha : ALPHA_ONE;
}

static void dctcp_in_ack(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
{
	struct dctcp *d = dctcp_of(c);

	d->now_delivered = cs->delivered_total;
	d->now_ce = cs->delivered_ce;
	d->mss = cs->mss;
	if (strata_seq_before(cs->una, d->window_end))
		return;
	if (cs->delivered_total != d->delivered)
		d->alpha = next_alpha(d->alpha, cs->delivered_total - d->delivered,
				      cs->delivered_ce - d->delivered_ce);
	observe(d, cs);
}

static u32 at_least_two(u32 cwnd)
{
	return cwnd > 2 ? cwnd : 2;
}

/* 3.4 */
static u32 dctcp_ssthresh(struct strata_tcp_cong *c, u64 now_us)
{
	struct dctcp *d = dctcp_of(c);

	d->loss_cwnd = c->cwnd;
	d->reduced = true;
	if (!d->on)
		return at_least_two(c->cwnd / 2);
	return at_least_two(c->cwnd - (u32)(((u64)c->cwnd * d->alpha) >> (ALPHA_SHIFT + 1)));
}

/* 3.5: a loss is answered with half the window; a timeout only if it is not one more of a row */
static void dctcp_set_state(struct strata_tcp_cong *c, u8 state, u64 now_us)
{
	struct dctcp *d = dctcp_of(c);

	if (state == STRATA_CA_RECOVERY || (state == STRATA_CA_LOSS && d->reduced)) {
		d->loss_cwnd = c->cwnd;
		c->ssthresh = at_least_two(c->cwnd / 2);
	}
	d->reduced = false;
}

static void dctcp_cong_avoid(struct strata_tcp_cong *c, const struct strata_cong_sample *cs)
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

static u32 dctcp_undo_cwnd(struct strata_tcp_cong *c)
{
	const struct dctcp *d = dctcp_of(c);

	return c->cwnd > d->loss_cwnd ? c->cwnd : d->loss_cwnd;
}

/* of @segs since the window's start; where the next one starts meanwhile, none */
static u32 observed_bytes(const struct dctcp *d, s32 segs)
{
	return segs > 0 ? d->mss * segs : 0;
}

static size_t dctcp_get_info(struct strata_tcp_cong *c, u32 ext, int *attr, void *info)
{
	const struct dctcp *d = dctcp_of(c);
	struct tcp_dctcp_info *to = info;

	if (!(ext & (1U << (INET_DIAG_DCTCPINFO - 1) | 1U << (INET_DIAG_VEGASINFO - 1))))
		return 0;
	memset(to, 0, sizeof(*to));
	if (d->on) {
		to->dctcp_enabled = 1;
		to->dctcp_alpha = d->alpha;
		to->dctcp_ab_ecn = observed_bytes(d, d->now_ce - d->delivered_ce);
		to->dctcp_ab_tot = observed_bytes(d, d->now_delivered - d->delivered);
	}
	*attr = INET_DIAG_DCTCPINFO;
	return sizeof(*to);
}

struct strata_tcp_cong_ops strata_dctcp = {
	.name		= "dctcp",
	.owner		= THIS_MODULE,
	/* for networks that mark, under one administration (RFC 8257 5) */
	.flags		= STRATA_CONG_NEEDS_ECN | STRATA_CONG_RESTRICTED,
	.init		= dctcp_init,
	.in_ack		= dctcp_in_ack,
	.ssthresh	= dctcp_ssthresh,
	.cong_avoid	= dctcp_cong_avoid,
	.set_state	= dctcp_set_state,
	.undo_cwnd	= dctcp_undo_cwnd,
	.get_info	= dctcp_get_info,
};
