/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows: tcp_window.c. Included by tcp_alg.h, whose conventions hold.
 */
#ifndef _STRATA_TCP_WND_H
#define _STRATA_TCP_WND_H

#include <linux/types.h>

/* receive window: what we told the peer it may send */
struct strata_tcp_rwnd {
	u32	wnd;		/* bytes offered at @wup */
	u32	wup;		/* RCV.NXT when it was offered */
	u32	clamp;		/* never offer more (buffer, TCP_WINDOW_CLAMP) */
	u8	wscale;		/* our shift, 0 until negotiated */
};

/*
 * First window of a connection. @space: bytes of receive buffer usable as window;
 * @max_space: what autotuning may make of it (chooses the shift); @clamp: 0 or a
 * limit; @mss: our MSS; @scaling: offer the option. Fills @w with wup = @rcv_nxt.
 * The shift applies only if the peer's SYN carries the option, and never to a
 * SYN's own window field (RFC 7323 2.2).
 */
void strata_wnd_init(struct strata_tcp_rwnd *w, u32 rcv_nxt, u32 space, u32 max_space,
		     u32 clamp, u32 mss, bool scaling);
/* what is left of the offered window at @rcv_nxt: RCV.WND, bytes */
static inline u32 strata_wnd_left(const struct strata_tcp_rwnd *w, u32 rcv_nxt)
{
	s32 left = w->wup + w->wnd - rcv_nxt;

	return left < 0 ? 0 : left;
}

/*
 * The window to offer now (pure). @free: free bytes of window space in the
 * buffer, @full: all of it; @rcv_mss: estimated size of the peer's segments.
 * RFC 9293 3.8.6.2.2: the right edge moves by min(full / 2, MSS) or stays, and never left
 * (3.8.6); 0 when less than that is free. A multiple of 1 << wscale.
 */
u32 strata_wnd_select(const struct strata_tcp_rwnd *w, u32 rcv_nxt, u32 free, u32 full,
		      u32 rcv_mss);
/*
 * The same where the edge may move left (tcp_shrink_window; RFC 9293 3.8.6 SHLD-14 says that it
 * should not, RFC 7323 2.4 that peers must bear it): what the memory can hold, no more than about
 * @limit. 0: less than half of @full is free, and less than @least
 */
u32 strata_wnd_shrink(const struct strata_tcp_rwnd *w, u32 free, u32 full, u32 least, u32 limit);
/* an ACK with window @wnd leaves: remember it; returns the header's window field */
u16 strata_wnd_commit(struct strata_tcp_rwnd *w, u32 rcv_nxt, u32 wnd);
/*
 * the user read: does @wnd = strata_wnd_select() merit a window update (at least twice
 * what is left)
 */
bool strata_wnd_update_due(const struct strata_tcp_rwnd *w, u32 rcv_nxt, u32 wnd);

/*
 * Receive memory is counted in truesize. How much of it is payload is measured, as native does
 * since 6.6, when a segment larger than those before comes: 1/256
 */
#define STRATA_WND_RATIO	128	/* before the first one: half */

/* @len bytes of payload took @truesize bytes of memory */
u8 strata_wnd_ratio(u32 len, u32 truesize);
/* memory that a window of @wnd bytes needs; at most 2^32 - 1 */
u32 strata_wnd_space(u8 ratio, u32 wnd);
/* the window that @space bytes of memory can back */
static inline u32 strata_wnd_from_space(u8 ratio, u32 space)
{
	return (u64)space * ratio >> 8;
}

/* verdicts of the first check */
enum strata_seq_check {
	STRATA_SEQ_OK,
	STRATA_SEQ_OLD,		/* wholly before RCV.NXT: ACK it, drop */
	STRATA_SEQ_FUTURE,	/* wholly beyond the window: ACK it, drop */
	STRATA_SEQ_ZERO_WND,	/* at RCV.NXT but no window: use ACK, URG and RST, not the data */
};

/*
 * RFC 9293 3.10.7.4 first check. @end: @seq plus data, SYN and FIN; @left:
 * strata_wnd_left(). A segment without data is also taken at the right edge, where
 * the ACKs of a peer lie that has filled our window.
 */
enum strata_seq_check strata_wnd_check(u32 seq, u32 end, u32 rcv_nxt, u32 left);

/* send window: what the peer lets us send */
struct strata_tcp_swnd {
	u32	wnd;		/* SND.WND, bytes, scaled up */
	u32	max;		/* largest ever offered (SWS, RFC 5961 5.2) */
	u32	wl1;		/* SEG.SEQ of the last update */
	u8	wscale;		/* the peer's shift */
};

/*
 * Take the window of an acceptable ACK (call before SND.UNA moves). @una:
 * SND.UNA; @wnd: bytes, scaled up. Newer is: it acknowledges more, or a later
 * sequence number, or, both equal, it opens the window or closes it fully
 * (reordered ACKs must not take credit back). True if SND.WND changed or was confirmed.
 */
bool strata_wnd_snd_update(struct strata_tcp_swnd *s, u32 una, u32 ack, u32 seq, u32 wnd);

#define STRATA_SND_NODELAY	0x01	/* TCP_NODELAY */
#define STRATA_SND_CORK		0x02	/* TCP_CORK or MSG_MORE: hold partial segments */
#define STRATA_SND_FIN		0x08	/* carries FIN */
#define STRATA_SND_SMALL_OUT	0x10	/* a partial segment is out and not acknowledged */
#define STRATA_SND_IDLE		0x20	/* SND.NXT == SND.UNA */
#define STRATA_SND_FORCE	0x40	/* override timeout, urgent data, probe */

/*
 * May a new segment go now, as far as SWS avoidance (RFC 9293 3.8.6.2.1) and
 * Nagle (3.7.4, in Minshall's form: one small segment at a time) are concerned?
 * @data: bytes to send (D), @usable: bytes of window left for it (U), @mss:
 * effective MSS, @max_wnd: strata_tcp_swnd.max, @flags: STRATA_SND_*.
 */
bool strata_snd_ok(u32 data, u32 usable, u32 mss, u32 max_wnd, u32 flags);

/*
 * receive buffer autotuning (dynamic right-sizing): the window follows twice what is
 * read per RTT
 */
struct strata_tcp_drs {
	u32	rtt_us;		/* receiver's RTT estimate, scaled by 8; 0: unknown */
	u32	rtt_seq;	/* round without timestamps ends at this RCV.NXT */
	u64	rtt_time_us;	/* and began then */
	u32	space;		/* bytes read in the last round */
	u32	seq;		/* copied_seq at its start */
	u64	time_us;	/* its start */
};

/* @space: first window, bytes */
void strata_drs_init(struct strata_tcp_drs *d, u32 copied_seq, u32 rcv_nxt, u32 rcv_wnd,
		     u32 space, u64 now_us);
/* a sample from an echoed timestamp (data in order, tsecr not yet used); µs */
void strata_drs_rtt_ts(struct strata_tcp_drs *d, u32 rtt_us);
/* without timestamps: in-order data came; a window's worth takes at least an RTT */
void strata_drs_rtt_measure(struct strata_tcp_drs *d, u32 rcv_nxt, u32 rcv_wnd, u64 now_us);
/*
 * The user read up to @copied_seq. Returns 0, or once per round trip in which more was read
 * than ever the window in bytes that the buffer should allow from now on
 * (the caller limits it by tcp_rmem[2] and grows rcvbuf and clamp, never down). What waits
 * up to @rcv_nxt counts against it, as native does: a reader that lags asks for no more.
 */
u32 strata_drs_adjust(struct strata_tcp_drs *d, u32 copied_seq, u32 rcv_nxt, u32 mss, u64 now_us);
/* receiver's RTT, µs; 0 if unknown */
static inline u32 strata_drs_rtt(const struct strata_tcp_drs *d)
{
	return d->rtt_us >> 3;
}

#endif /* _STRATA_TCP_WND_H */
