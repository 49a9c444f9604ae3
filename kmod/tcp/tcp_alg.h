/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The algorithms of TCP, without a socket: each function works on a sub-struct
 * its caller owns, and time is an argument. These files compile on the host too.
 *
 * Conventions. Sequence numbers are u32 in host order; ranges are [start, end).
 * Windows and lengths are bytes; cwnd, ssthresh and the scoreboard count
 * segments. Times named *_us are µs of one monotonic clock (u64 absolute, u32
 * differences), *_ms are ms (u32, wraps); nothing is in jiffies. No function
 * sleeps or takes a lock: the owner of the struct serialises (socket lock).
 *
 * tcp_loss.h: scoreboard, RACK, recovery; tcp_cong.h: congestion control; tcp_chrono.h: what
 * the sender was limited by.
 */
#ifndef _STRATA_TCP_ALG_H
#define _STRATA_TCP_ALG_H

#include <linux/types.h>

/* sequence arithmetic, RFC 9293 3.4: modulo 2^32, valid for distances below 2^31 */

static inline bool strata_seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool strata_seq_after(u32 a, u32 b)
{
	return (s32)(b - a) < 0;
}

static inline bool strata_seq_leq(u32 a, u32 b)
{
	return (s32)(a - b) <= 0;
}

static inline bool strata_seq_geq(u32 a, u32 b)
{
	return (s32)(b - a) <= 0;
}

/* lo <= seq <= hi */
static inline bool strata_seq_between(u32 seq, u32 lo, u32 hi)
{
	return hi - lo >= seq - lo;
}

/* a range of sequence numbers: start inclusive, end exclusive */
struct strata_sack_block {
	u32	start;
	u32	end;
};

/* options: tcp_options.c */

#define STRATA_OPT_TS		0x01	/* tsval, tsecr */
#define STRATA_OPT_SACKOK	0x02	/* SYN: SACK permitted */
#define STRATA_OPT_WSCALE	0x04	/* SYN: wscale */
#define STRATA_OPT_MSS		0x08	/* SYN: mss */
#define STRATA_OPT_FASTOPEN	0x10	/* SYN: cookie; no octets: a request for one */
#define STRATA_OPT_FO_EXP	0x20	/* the cookie came as experiment 254/0xf989 */
#define STRATA_OPT_BAD		0x80	/* at least one malformed option was skipped */

#define STRATA_TCP_MAX_OPTLEN	40
#define STRATA_TCP_MAX_WSCALE	14	/* RFC 7323 2.3 */
#define STRATA_TCP_MAX_SACKS	4
#define STRATA_TCP_MIN_COOKIE	4	/* RFC 7413 4.1.1 */
#define STRATA_TCP_MAX_COOKIE	16

/* what the options of a received segment said; 16 bytes, lives in skb->cb */
struct strata_tcp_opts {
	u32	tsval;
	u32	tsecr;
	u16	mss;		/* bytes, never 0 with STRATA_OPT_MSS */
	u8	wscale;		/* 0..14 */
	u8	flags;		/* STRATA_OPT_* */
	u8	sack_off;	/* first SACK block, from the start of the TCP header */
	u8	nsack;		/* blocks, 0..4 */
	u8	fo_off;		/* cookie, from the start of the TCP header */
	u8	fo_len;		/* octets of cookie: 0 or 4..16 */
};

/*
 * Parse all options. @th: TCP header, readable for @hdrlen bytes (data offset *
 * 4, at least 20); @syn: the SYN flag (options that belong on a SYN are ignored
 * elsewhere). Writes all of @o. Never fails: malformed options are ignored
 * (STRATA_OPT_BAD), parsing ends at one whose length cannot be trusted. Of
 * duplicates the last counts.
 */
void strata_tcp_parse_options(const u8 *th, unsigned int hdrlen, bool syn,
			      struct strata_tcp_opts *o);
/* copy out the @o->nsack blocks of the same header, as sent (not validated); their number */
unsigned int strata_tcp_read_sack(const u8 *th, const struct strata_tcp_opts *o,
				  struct strata_sack_block block[STRATA_TCP_MAX_SACKS]);

/* a Fast Open cookie (RFC 7413 4.1.1) */
struct strata_tcp_cookie {
	s8	len;		/* octets: 4..16; 0: a request for one; -1: no option */
	bool	exp;		/* in the experimental option */
	u8	val[STRATA_TCP_MAX_COOKIE];
};

/* copy out the cookie of the same header; len -1: there was no such option */
void strata_tcp_read_cookie(const u8 *th, const struct strata_tcp_opts *o,
			    struct strata_tcp_cookie *c);

/*
 * A SYN cookie has no room for options; the timestamp of its SYN-ACK has, and the peer echoes it
 * (RFC 4987 3.6). Its low six bits, as native: the peer's shift (15: no scaling), SACK, ECN.
 */

/* @now_ms with that: a time at most 64 ms before it, so that later timestamps do not go back */
u32 strata_tcp_cookie_ts(u32 now_ms, const struct strata_tcp_opts *syn, bool ecn);
/* read it out of @ts into @o (wscale, STRATA_OPT_{SACKOK,WSCALE}); true: ECN */
bool strata_tcp_cookie_ts_read(u32 ts, struct strata_tcp_opts *o);

/* options to send; @flags STRATA_OPT_{MSS,TS,SACKOK,WSCALE,FASTOPEN,FO_EXP} */
struct strata_tcp_opts_out {
	u32			tsval;
	u32			tsecr;
	u16			mss;		/* bytes */
	u8			wscale;
	u8			flags;
	u8			nsack;		/* blocks wanted; those that fit are sent */
	u8			fo_len;		/* 0 or 4..16; does not fit: left out */
	struct strata_sack_block sack[STRATA_TCP_MAX_SACKS];
	u8			fo_cookie[STRATA_TCP_MAX_COOKIE];
};

/* a timestamp and nothing else, as on nearly all segments */
static inline bool strata_tcp_opts_only_ts(const struct strata_tcp_opts_out *o)
{
	return o->flags == STRATA_OPT_TS && !o->nsack;
}

/* bytes that strata_tcp_build_options() will write: a multiple of 4, at most 40 */
unsigned int strata_tcp_options_len_any(const struct strata_tcp_opts_out *o);
static inline unsigned int strata_tcp_options_len(const struct strata_tcp_opts_out *o)
{
	return strata_tcp_opts_only_ts(o) ? 12 : strata_tcp_options_len_any(o);
}

/*
 * Write the options behind the fixed header, in native's layout (NOP NOP TS;
 * SYN: MSS, SACKOK+TS, NOP WSCALE). @to has room for 40 bytes. Returns
 * strata_tcp_options_len().
 */
unsigned int strata_tcp_build_options(u8 *to, const struct strata_tcp_opts_out *o);
/* add the option for @c, if it has one, to what will be sent */
void strata_tcp_put_cookie(struct strata_tcp_opts_out *o, const struct strata_tcp_cookie *c);
/* how many SACK blocks fit beside these STRATA_OPT_* */
unsigned int strata_tcp_sack_room(u8 flags);

/* round trip time: tcp_rtt.c, RFC 6298 */

#define STRATA_RTO_INIT_US	1000000U	/* RFC 6298 2.1 */
#define STRATA_RTO_MIN_US	200000U		/* floor of the variance term, as native */
#define STRATA_RTO_MAX_US	120000000U

/* a sample of the windowed minimum */
struct strata_minmax_s {
	u32	t_ms;
	u32	v;
};

/* timeouts of the retransmission timer, the SYN's and the SYN-ACK's with them */
struct strata_tcp_timeouts {
	u16	n;		/* all; wraps */
	u16	episodes;	/* rows of them that no ACK interrupts; wraps */
	u32	since_ms;	/* when the episode that lasts began; 0: none lasts */
	u32	ms;		/* time of those that are over */
};

/* the timer fires at @now_ms; @first: of an episode */
void strata_rtt_timeouts_fired(struct strata_tcp_timeouts *t, bool first, u32 now_ms);
/* what was lost is repaired, or was not lost; nothing happens while no episode lasts */
void strata_rtt_timeouts_over(struct strata_tcp_timeouts *t, u32 now_ms);
/* time of all episodes up to now, ms; readable without the owner's lock */
u32 strata_rtt_timeouts_ms(const struct strata_tcp_timeouts *t, u32 now_ms);

struct strata_tcp_rtt {
	u32	srtt_us;	/* smoothed, scaled by 8; 0: no sample yet */
	u32	mdev_us;	/* mean deviation, scaled by 4 */
	u32	mdev_max_us;	/* its maximum in this round trip, scaled by 4 */
	u32	rttvar_us;	/* 4 * RTTVAR, smoothed over round trips, floored */
	u32	rtt_seq;	/* SND.NXT at the start of this round trip */
	u32	rto_us;		/* without backoff */
	u32	rto_min_us;	/* floor of the variance term (route, socket) */
	u32	rto_max_us;
	u8	backoff;	/* doublings since the last valid sample */
	struct strata_minmax_s min[3];	/* best, second, third in the window */
	struct strata_tcp_timeouts timeouts;
};

void strata_rtt_init(struct strata_tcp_rtt *r);
/*
 * A round trip was measured. Karn's rule is the caller's (RFC 6298 3): never from
 * a segment that was retransmitted, unless a timestamp tells which copy it was.
 * Ends the backoff (5.7). @una, @nxt: SND.UNA and SND.NXT now.
 */
void strata_rtt_sample(struct strata_tcp_rtt *r, u32 rtt_us, u32 una, u32 nxt);
/* smoothed round trip, µs; 0 if unknown */
static inline u32 strata_rtt_srtt(const struct strata_tcp_rtt *r)
{
	return r->srtt_us >> 3;
}

/* timeout with backoff, µs, at most rto_max_us; the second is its rare part */
u32 strata_rtt_rto_backed_off(const struct strata_tcp_rtt *r);
static inline u32 strata_rtt_rto(const struct strata_tcp_rtt *r)
{
	return r->backoff ? strata_rtt_rto_backed_off(r) : r->rto_us;
}

/* the retransmission timer fired (5.5) */
void strata_rtt_backoff(struct strata_tcp_rtt *r);
/* RFC 6298 5.7: SYN was retransmitted and there is no sample: RTO 3 s; call when established */
void strata_rtt_syn_retransmitted(struct strata_tcp_rtt *r);
/* feed the minimum filter: window @win_ms, time @now_ms; returns the minimum, µs */
u32 strata_rtt_min_update(struct strata_tcp_rtt *r, u32 win_ms, u32 now_ms, u32 rtt_us);
/* minimum RTT, µs; ~0U if unknown */
static inline u32 strata_rtt_min(const struct strata_tcp_rtt *r)
{
	return r->min[0].v;
}

#include "tcp_wnd.h"
#include "tcp_mtup.h"
#include "tcp_loss.h"
#include "tcp_cong.h"
#include "tcp_chrono.h"

#endif /* _STRATA_TCP_ALG_H */
