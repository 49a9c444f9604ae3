// SPDX-License-Identifier: GPL-2.0-only
/*
 * Round trip time, retransmission timeout and the windowed minimum.
 *
 * RFC 6298: SRTT and RTTVAR with gains 1/8 and 1/4, RTO = SRTT + 4 * RTTVAR.
 * With several samples per round trip (timestamps, a sample per ACK) gain 1/4
 * would forget a deviation within a fraction of the round trip (RFC 7323
 * appendix G). So the smoothed deviation runs per sample, and what enters the
 * timeout is its maximum over a round trip: it rises at once and falls by a
 * quarter of the distance once per round trip. The floor of 200 ms is put under
 * the variance term, as the native stack does: RTO = SRTT + max(200 ms, ...).
 * A sample far below SRTT raises the deviation by an eighth of the usual: a
 * path that became faster must not raise the timeout.
 *
 * The minimum over a window of time keeps the best three samples of which each
 * is younger than the one before (the filter of Kathleen Nichols), so that an
 * expiring minimum has a successor of known age.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include "tcp_alg.h"

static void set_rto(struct strata_tcp_rtt *r)
{
	u32 rto = (r->srtt_us >> 3) + r->rttvar_us;

	r->rto_us = rto < r->rto_max_us ? rto : r->rto_max_us;
}

void strata_rtt_init(struct strata_tcp_rtt *r)
{
	unsigned int i;

	memset(r, 0, sizeof(*r));
	r->rto_us = STRATA_RTO_INIT_US;
	r->rto_min_us = STRATA_RTO_MIN_US;
	r->rto_max_us = STRATA_RTO_MAX_US;
	for (i = 0; i < 3; i++)
		r->min[i].v = ~0U;
}

/* 2.2: first sample: SRTT = R, RTTVAR = R / 2 */
static void first_sample(struct strata_tcp_rtt *r, u32 rtt_us, u32 nxt)
{
	r->srtt_us = rtt_us << 3;
	r->mdev_us = rtt_us << 1;
	r->rttvar_us = r->mdev_us > r->rto_min_us ? r->mdev_us : r->rto_min_us;
	r->mdev_max_us = r->rttvar_us;
	r->rtt_seq = nxt;
}

/* 2.3: SRTT += (R - SRTT) / 8; RTTVAR += (|R - SRTT| - RTTVAR) / 4 */
static void smooth(struct strata_tcp_rtt *r, u32 rtt_us)
{
	s32 err = (s32)(rtt_us - (r->srtt_us >> 3));
	s32 dev = err < 0 ? -err : err;

	r->srtt_us = (u32)((s32)r->srtt_us + err);
	dev -= (s32)(r->mdev_us >> 2);
	if (err < 0 && dev > 0)
		dev >>= 3;
	r->mdev_us = (u32)((s32)r->mdev_us + dev);
}

void strata_rtt_sample(struct strata_tcp_rtt *r, u32 rtt_us, u32 una, u32 nxt)
{
	/* 0 would read as "no sample"; the scaled values must not overflow */
	if (!rtt_us)
		rtt_us = 1;
	if (rtt_us > STRATA_RTO_MAX_US)
		rtt_us = STRATA_RTO_MAX_US;

	r->backoff = 0;
	if (!r->srtt_us) {
		first_sample(r, rtt_us, nxt);
		set_rto(r);
		return;
	}
	smooth(r, rtt_us);
	if (!r->srtt_us)
		r->srtt_us = 1;
	if (r->mdev_us > r->mdev_max_us) {
		r->mdev_max_us = r->mdev_us;
		if (r->mdev_max_us > r->rttvar_us)
			r->rttvar_us = r->mdev_max_us;
	}
	if (strata_seq_after(una, r->rtt_seq)) {
		if (r->mdev_max_us < r->rttvar_us)
			r->rttvar_us -= (r->rttvar_us - r->mdev_max_us) >> 2;
		r->rtt_seq = nxt;
		r->mdev_max_us = r->rto_min_us;
	}
	set_rto(r);
}

u32 strata_rtt_rto_backed_off(const struct strata_tcp_rtt *r)
{
	u64 rto = (u64)r->rto_us << (r->backoff < 31 ? r->backoff : 31);

	return rto < r->rto_max_us ? (u32)rto : r->rto_max_us;
}

void strata_rtt_backoff(struct strata_tcp_rtt *r)
{
	if (r->backoff < 0xff)
		r->backoff++;
}

void strata_rtt_syn_retransmitted(struct strata_tcp_rtt *r)
{
	r->backoff = 0;
	if (!r->srtt_us && r->rto_us < 3 * STRATA_RTO_INIT_US)
		r->rto_us = 3 * STRATA_RTO_INIT_US;
}

void strata_rtt_timeouts_fired(struct strata_tcp_timeouts *t, bool first, u32 now_ms)
{
	if (first || !t->since_ms) {
		strata_rtt_timeouts_over(t, now_ms);
		t->episodes++;
		t->since_ms = now_ms ? now_ms : 1;
	}
	t->n++;
}

void strata_rtt_timeouts_over(struct strata_tcp_timeouts *t, u32 now_ms)
{
	if (!t->since_ms)
		return;
	t->ms += now_ms - t->since_ms;
	t->since_ms = 0;
}

u32 strata_rtt_timeouts_ms(const struct strata_tcp_timeouts *t, u32 now_ms)
{
	u32 since = READ_ONCE(t->since_ms);

	return READ_ONCE(t->ms) + (since ? now_ms - since : 0);
}

static u32 min_reset(struct strata_tcp_rtt *r, struct strata_minmax_s s)
{
	r->min[0] = s;
	r->min[1] = s;
	r->min[2] = s;
	return s.v;
}

/* @s is none of the best three; age the window */
static void min_age(struct strata_tcp_rtt *r, u32 win_ms, struct strata_minmax_s s)
{
	u32 age = s.t_ms - r->min[0].t_ms;

	if (age > win_ms) {
		/* the best expired: the others move up, twice if the second did too */
		r->min[0] = r->min[1];
		r->min[1] = r->min[2];
		r->min[2] = s;
		if (s.t_ms - r->min[0].t_ms > win_ms) {
			r->min[0] = r->min[1];
			r->min[1] = r->min[2];
		}
	} else if (r->min[1].t_ms == r->min[0].t_ms && age > win_ms / 4) {
		/* a quarter passed without a second choice: take one from here */
		r->min[1] = s;
		r->min[2] = s;
	} else if (r->min[2].t_ms == r->min[1].t_ms && age > win_ms / 2) {
		r->min[2] = s;
	}
}

u32 strata_rtt_min_update(struct strata_tcp_rtt *r, u32 win_ms, u32 now_ms, u32 rtt_us)
{
	struct strata_minmax_s s = { .t_ms = now_ms, .v = rtt_us };

	if (r->min[0].v == ~0U || rtt_us <= r->min[0].v || now_ms - r->min[2].t_ms > win_ms)
		return min_reset(r, s);

	if (rtt_us <= r->min[1].v) {
		r->min[1] = s;
		r->min[2] = s;
	} else if (rtt_us <= r->min[2].v) {
		r->min[2] = s;
	}
	min_age(r, win_ms, s);
	return r->min[0].v;
}
