// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiving side, in the order of tcp_segment.c, tcp_data.c and tcp_ofo.c. The program
 * reads at once. All segments are full ones.
 */
#include "sim.h"

enum {
	ACK_SCHED = 1, ACK_TIMER = 2, ACK_NOW = 4,
	ATO_MIN = 1000000 / TICK_US / 25,
	DELACK_MAX = 1000000 / TICK_US / 5,
	MAX_QUICKACKS = 16,
};

static u32 win_from_space(const struct sim_receiver *r, s32 space)
{
	return space > 0 ? strata_wnd_from_space(r->ratio, space) : 0;
}

static u32 space_now(const struct sim_receiver *r)
{
	return win_from_space(r, (s32)r->rcvbuf - (s32)(r->waiting * TRUESIZE));
}

void rcv_init(struct sim_receiver *r, const struct sim_cell *cell, struct sim_link *l)
{
	memset(r, 0, sizeof(*r));
	r->link = l;
	r->segs = cell->segs;
	r->have = calloc(cell->segs, sizeof(*r->have));
	if (!r->have)
		abort();
	r->nxt = ISS;
	r->rcvbuf = RCVBUF;
	r->ratio = STRATA_WND_RATIO;
	r->done_us = NEVER;
	strata_wnd_init(&r->rwnd, r->nxt, win_from_space(r, r->rcvbuf),
			win_from_space(r, RCVBUF_MAX), 0, MSS, true);
	r->ssthresh = r->rwnd.wnd;
	strata_drs_init(&r->drs, r->nxt, r->nxt, r->rwnd.wnd, r->rwnd.wnd,
			START_US);
	r->lrcvtime = START_US / TICK_US;
}

void rcv_exit(struct sim_receiver *r)
{
	free(r->have);
}

static void quick_credit(struct sim_receiver *r)
{
	u32 quick = r->rwnd.wnd / (2 * MSS);

	quick = quick < 2 ? 2 : quick > MAX_QUICKACKS ? MAX_QUICKACKS : quick;
	if (r->quick < quick)
		r->quick = quick;
}

/* strata_tcp_rcv_dup() */
static void duplicate(struct sim_receiver *r, u32 start, u32 end)
{
	quick_credit(r);
	r->ato = ATO_MIN;
	strata_sack_rcv_dup(&r->sack_rcv, start, end);
}

/* strata_tcp_select_window(), strata_tcp_xmit_ctl() */
static void send_ack(struct sim_receiver *r)
{
	struct sim_ack a = { .ack = r->nxt, .tsecr = r->ts_recent };
	u32 full = win_from_space(r, r->rcvbuf), free = space_now(r), wnd;

	if (full > r->rwnd.clamp)
		full = r->rwnd.clamp;
	if (free > r->ssthresh)
		free = r->ssthresh;
	wnd = strata_wnd_select(&r->rwnd, r->nxt, free, full, MSS);
	a.wnd = (u32)strata_wnd_commit(&r->rwnd, r->nxt, wnd) << r->rwnd.wscale;
	a.tsval = (u32)(r->mstamp_us / 1000);
	a.nsack = strata_sack_rcv_fill(&r->sack_rcv, a.sack, strata_tcp_sack_room(STRATA_OPT_TS));
	if (r->quick)
		r->quick--;
	r->pending = 0;
	link_ack(r->link, r->mstamp_us, &a);
}

static void measure_ratio(struct sim_receiver *r)
{
	u8 ratio = strata_wnd_ratio(MSS, TRUESIZE);

	if (ratio == r->ratio)
		return;
	r->ratio = ratio;
	r->rwnd.clamp = win_from_space(r, r->rcvbuf);
	if (r->drs.space > r->rwnd.clamp)
		r->drs.space = r->rwnd.clamp;
}

static void measure_ato(struct sim_receiver *r)
{
	u64 now = r->mstamp_us / TICK_US, gap = now - r->lrcvtime;
	u32 rto = ticks(STRATA_RTO_INIT_US);

	if (!r->ato) {
		quick_credit(r);
		r->ato = ATO_MIN;
	} else if (gap <= ATO_MIN / 2) {
		r->ato = r->ato / 2 + ATO_MIN / 2;
	} else if (gap < r->ato) {
		r->ato = r->ato / 2 + (u32)gap;
		if (r->ato > rto)
			r->ato = rto;
	} else if (gap > rto) {
		quick_credit(r);
	}
	r->lrcvtime = now;
}

static void measure_rtt(struct sim_receiver *r, const struct sim_data *d)
{
	u32 ms = (u32)(r->mstamp_us / 1000) - d->tsecr;

	if (!d->tsecr || d->tsecr == r->sender_tsval)
		return;
	r->sender_tsval = d->tsecr;
	strata_drs_rtt_ts(&r->drs, (ms ? ms : 1) * 1000);
}

static void grow_window(struct sim_receiver *r)
{
	u32 most = space_now(r), step = 2 * MSS;

	if (most > r->rwnd.clamp)
		most = r->rwnd.clamp;
	if (r->ssthresh >= most)
		return;
	r->ssthresh += step < most - r->ssthresh ? step : most - r->ssthresh;
	r->quick |= 1;
}

/* strata_tcp_rcv_space_adjust() */
static void adjust_space(struct sim_receiver *r)
{
	u32 win = strata_drs_adjust(&r->drs, r->nxt, r->nxt, MSS, r->mstamp_us);
	u32 space = strata_wnd_space(r->ratio, win);

	if (space > RCVBUF_MAX)
		space = RCVBUF_MAX;
	if (!win || space <= r->rcvbuf)
		return;
	r->rcvbuf = space;
	r->rwnd.clamp = win_from_space(r, r->rcvbuf);
}

static void in_order(struct sim_receiver *r, const struct sim_data *d)
{
	u32 i = (r->nxt - ISS) / MSS;
	bool holes = r->waiting;

	r->pending |= ACK_SCHED;
	measure_ratio(r);
	measure_rtt(r, d);
	measure_ato(r);
	grow_window(r);
	r->have[i++] = true;
	r->nxt += MSS;
	for (; i < r->segs && r->have[i]; i++) {
		r->nxt += MSS;
		r->waiting--;
	}
	if (holes)
		r->pending |= ACK_NOW;
	if (r->sack_rcv.n)
		strata_sack_rcv_advance(&r->sack_rcv, r->nxt);
	adjust_space(r);
	if (i == r->segs)
		r->done_us = r->mstamp_us;
}

/* strata_tcp_ofo_add(): what is contiguous with it to the left is one entry with it */
static void out_of_order(struct sim_receiver *r, u32 seq)
{
	u32 i = (seq - ISS) / MSS, start = i;

	r->pending |= ACK_SCHED | ACK_NOW;
	if (r->have[i]) {
		duplicate(r, seq, seq + MSS);
		return;
	}
	r->have[i] = true;
	r->waiting++;
	while (start && r->have[start - 1])
		start--;
	strata_sack_rcv_add(&r->sack_rcv, ISS + start * MSS, seq + MSS);
	grow_window(r);
}

/* strata_tcp_ack_check() */
static void ack_check(struct sim_receiver *r)
{
	u64 now = r->mstamp_us / TICK_US;
	u32 ato = r->ato;

	if (!(r->pending & ACK_SCHED))
		return;
	if ((r->pending & ACK_NOW) || r->quick || r->waiting || r->nxt - r->rwnd.wup > MSS) {
		send_ack(r);
		return;
	}
	if (ato < ATO_MIN)
		ato = ATO_MIN;
	if (ato > DELACK_MAX)
		ato = DELACK_MAX;
	if (r->pending & ACK_TIMER) {
		if (r->timeout <= now + (ato >> 2)) {
			send_ack(r);
			return;
		}
		if (now + ato >= r->timeout)
			return;
	}
	r->pending |= ACK_TIMER;
	r->timeout = now + ato;
}

void rcv_data(struct sim_receiver *r, u64 now, const struct sim_data *d)
{
	r->mstamp_us = now;
	/* RFC 7323 4.3 */
	if (!strata_seq_after(d->seq, r->rwnd.wup) && (s32)(d->tsval - r->ts_recent) >= 0)
		r->ts_recent = d->tsval;
	switch (strata_wnd_check(d->seq, d->seq + MSS, r->nxt, strata_wnd_left(&r->rwnd, r->nxt))) {
	case STRATA_SEQ_OK:
		if (d->seq == r->nxt)
			in_order(r, d);
		else
			out_of_order(r, d->seq);
		break;
	case STRATA_SEQ_OLD:
		duplicate(r, d->seq, d->seq + MSS);
		r->pending |= ACK_SCHED | ACK_NOW;
		break;
	default:
		r->pending |= ACK_SCHED | ACK_NOW;
	}
	ack_check(r);
}

u64 rcv_timer(const struct sim_receiver *r)
{
	return r->pending & ACK_TIMER ? r->timeout * TICK_US : NEVER;
}

void rcv_timer_fired(struct sim_receiver *r, u64 now)
{
	r->mstamp_us = now;
	r->ato = r->ato << 1 < ticks(STRATA_RTO_INIT_US) ? r->ato << 1 : ticks(STRATA_RTO_INIT_US);
	send_ack(r);
}
