// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows, both ways.
 *
 * Receiver: the window is an offer that is never taken back (RFC 9293 3.8.6,
 * SHLD-14) unless the memory ends before it does (tcp_data.c), so it is kept as
 * the sequence number where it was made and a length; what is left of it follows
 * from RCV.NXT. It grows only by a useful amount
 * (3.8.6.2.2, MUST-39), else the right edge stays. Window scale per RFC 7323
 * 2.2. The size of the buffer behind it follows what the user reads: a sender
 * in slow start doubles per round trip, so twice the bytes read in the last
 * round trip, and more while that grows, never limits it (dynamic right-sizing).
 *
 * Sender: window updates in order of age (3.10.7.4 fifth check), and the
 * decision to hold a small segment back: silly window avoidance (3.8.6.2.1,
 * MUST-38) and Nagle (3.7.4) with Minshall's change: only a small segment in
 * flight, not any segment, holds the next small one.
 */
#include <linux/math64.h>
#include <linux/string.h>
#include "tcp_alg.h"

/* bytes: the largest window there is, RFC 7323 2.3 */
#define DRS_MAX		0x40000000U
/* bytes of the first round trip that are nothing special: an initial window (RFC 6928) */
#define DRS_FIRST	14600U

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* multiple of the unit the window field has */
static u32 scale_down(u32 wnd, u8 wscale)
{
	return wnd >> wscale << wscale;
}

void strata_wnd_init(struct strata_tcp_rwnd *w, u32 rcv_nxt, u32 space, u32 max_space,
		     u32 clamp, u32 mss, bool scaling)
{
	memset(w, 0, sizeof(*w));
	w->wup = rcv_nxt;
	w->clamp = clamp ? clamp : 65535U << STRATA_TCP_MAX_WSCALE;
	space = min_u32(space, w->clamp);

	/* whole segments, so that the last one is not cut short */
	if (mss && space > mss)
		space -= space % mss;
	/* a SYN's window field is not scaled (RFC 7323 2.2) */
	w->wnd = min_u32(space, 65535);

	if (!scaling) {
		w->clamp = min_u32(w->clamp, 65535);
		return;
	}
	if (max_space < space)
		max_space = space;
	max_space = min_u32(max_space, w->clamp);
	while (w->wscale < STRATA_TCP_MAX_WSCALE && max_space >> w->wscale > 65535)
		w->wscale++;
	w->clamp = min_u32(w->clamp, 65535U << w->wscale);
}

u32 strata_wnd_select(const struct strata_tcp_rwnd *w, u32 rcv_nxt, u32 free, u32 full,
		      u32 rcv_mss)
{
	u32 left = strata_wnd_left(w, rcv_nxt);
	u32 limit = min_u32(w->clamp, 65535U << w->wscale);
	bool empty = free >= full;
	u32 step, wnd;

	full = min_u32(full, limit);
	free = min_u32(free, limit);
	/* Fr = 1/2 (3.8.6.2.2); a buffer below one segment must still move */
	step = min_u32(full / 2, rcv_mss);
	if (!step)
		step = 1;

	/* a useful step, or the buffer is empty; else the offer made stands */
	wnd = free >= left + step || empty ? free : left;
	wnd = scale_down(wnd, w->wscale);

	/*
	 * What was offered stays offered. RCV.NXT moves by less than a unit, so
	 * round what is left up: the edge may move right by less than one unit.
	 */
	if (wnd < left) {
		wnd = left;
		if (wnd != scale_down(wnd, w->wscale))
			wnd = scale_down(wnd, w->wscale) + (1U << w->wscale);
	}
	return min_u32(wnd, 65535U << w->wscale);
}

u32 strata_wnd_shrink(const struct strata_tcp_rwnd *w, u32 free, u32 full, u32 least, u32 limit)
{
	u32 unit = 1U << w->wscale;

	free = scale_down(free, w->wscale);
	if (free < full / 2 && (free < least || free < unit))
		return 0;
	/* a limit that the memory does not set may be passed by less than a unit */
	if (free > limit)
		free = scale_down(limit + unit - 1, w->wscale);
	return min_u32(free, 65535U << w->wscale);
}

u16 strata_wnd_commit(struct strata_tcp_rwnd *w, u32 rcv_nxt, u32 wnd)
{
	wnd = min_u32(scale_down(wnd, w->wscale), 65535U << w->wscale);
	w->wnd = wnd;
	w->wup = rcv_nxt;
	return (u16)(wnd >> w->wscale);
}

bool strata_wnd_update_due(const struct strata_tcp_rwnd *w, u32 rcv_nxt, u32 wnd)
{
	u32 left = strata_wnd_left(w, rcv_nxt);

	return wnd && wnd / 2 >= left;
}

u8 strata_wnd_ratio(u32 len, u32 truesize)
{
	u64 ratio = truesize ? div_u64((u64)len << 8, truesize) : STRATA_WND_RATIO;

	return ratio < 1 ? 1 : ratio > 255 ? 255 : (u8)ratio;
}

u32 strata_wnd_space(u8 ratio, u32 wnd)
{
	u64 space = div_u64((u64)wnd << 8, ratio);

	return space < ~0U ? (u32)space : ~0U;
}

enum strata_seq_check strata_wnd_check(u32 seq, u32 end, u32 rcv_nxt, u32 left)
{
	u32 edge = rcv_nxt + left;

	if (strata_seq_before(end, rcv_nxt) || (end == rcv_nxt && seq != end))
		return STRATA_SEQ_OLD;
	if (seq == end)
		return strata_seq_after(seq, edge) ? STRATA_SEQ_FUTURE : STRATA_SEQ_OK;
	if (!left)
		return strata_seq_after(seq, rcv_nxt) ? STRATA_SEQ_FUTURE : STRATA_SEQ_ZERO_WND;
	return strata_seq_before(seq, edge) ? STRATA_SEQ_OK : STRATA_SEQ_FUTURE;
}

bool strata_wnd_snd_update(struct strata_tcp_swnd *s, u32 una, u32 ack, u32 seq, u32 wnd)
{
	if (!strata_seq_after(ack, una) && !strata_seq_after(seq, s->wl1) &&
	    (seq != s->wl1 || (wnd < s->wnd && wnd)))
		return false;

	s->wl1 = seq;
	s->wnd = wnd;
	if (wnd > s->max)
		s->max = wnd;
	return true;
}

bool strata_snd_ok(u32 data, u32 usable, u32 mss, u32 max_wnd, u32 flags)
{
	u32 len = min_u32(data, usable);

	if (flags & STRATA_SND_FORCE)
		return true;
	/* (1) a full segment */
	if (len >= mss)
		return true;
	/* the window cuts it: only if it is half of the largest window (Fs = 1/2), (3) */
	if (usable < data)
		return max_wnd && len >= (max_wnd + 1) / 2;
	/* all of it goes (2); FIN waits for nothing */
	if (flags & STRATA_SND_FIN)
		return true;
	if (flags & STRATA_SND_CORK)
		return false;
	if (flags & (STRATA_SND_NODELAY | STRATA_SND_IDLE))
		return true;
	return !(flags & STRATA_SND_SMALL_OUT);
}

void strata_drs_init(struct strata_tcp_drs *d, u32 copied_seq, u32 rcv_nxt, u32 rcv_wnd,
		     u32 space, u64 now_us)
{
	memset(d, 0, sizeof(*d));
	d->seq = copied_seq;
	/* less than the window: a sender that it limits reads as growth */
	d->space = min_u32(space, DRS_FIRST);
	d->time_us = now_us;
	d->rtt_seq = rcv_nxt + rcv_wnd;
	d->rtt_time_us = now_us;
}

void strata_drs_rtt_ts(struct strata_tcp_drs *d, u32 rtt_us)
{
	s32 err;

	if (!rtt_us)
		rtt_us = 1;
	if (rtt_us > STRATA_RTO_MAX_US)
		rtt_us = STRATA_RTO_MAX_US;
	if (!d->rtt_us) {
		d->rtt_us = rtt_us << 3;
		return;
	}
	err = (s32)(rtt_us - (d->rtt_us >> 3));
	d->rtt_us = (u32)((s32)d->rtt_us + err);
}

void strata_drs_rtt_measure(struct strata_tcp_drs *d, u32 rcv_nxt, u32 rcv_wnd, u64 now_us)
{
	u64 took;

	if (strata_seq_before(rcv_nxt, d->rtt_seq))
		return;
	took = now_us - d->rtt_time_us;
	if (took > STRATA_RTO_MAX_US)
		took = STRATA_RTO_MAX_US;
	/* a sender that does not fill the window takes longer: only the shortest counts */
	if (took && (!d->rtt_us || took << 3 < d->rtt_us))
		d->rtt_us = (u32)took << 3;
	d->rtt_seq = rcv_nxt + rcv_wnd;
	d->rtt_time_us = now_us;
}

u32 strata_drs_adjust(struct strata_tcp_drs *d, u32 copied_seq, u32 rcv_nxt, u32 mss, u64 now_us)
{
	s32 copied = copied_seq - d->seq - (rcv_nxt - copied_seq);
	u64 wnd = 0;

	if (!d->rtt_us || now_us - d->time_us < d->rtt_us >> 3)
		return 0;
	if (copied > (s32)d->space) {
		/* slow start doubles in the round trip that the new window takes to matter */
		wnd = 2 * (u64)copied + 16 * (u64)mss;
		if (wnd > DRS_MAX)
			wnd = DRS_MAX;
		if (d->space)
			wnd += 2 * div_u64(wnd * (copied - d->space), d->space);
		d->space = copied;
	}
	d->seq = copied_seq;
	d->time_us = now_us;
	return wnd < DRS_MAX ? (u32)wnd : DRS_MAX;
}
