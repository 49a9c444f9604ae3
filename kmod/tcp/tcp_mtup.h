/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path MTU discovery by the segments themselves: tcp_mtup.c. Included by tcp_alg.h, whose
 * conventions hold.
 */
#ifndef _STRATA_TCP_MTUP_H
#define _STRATA_TCP_MTUP_H

#include <linux/types.h>

/* how the size of a packet and its payload hang together on a connection; bytes */
struct strata_mtup_shape {
	u32	clamp;		/* largest payload the peer takes, without options */
	u32	least;		/* no segment is made smaller than that, without options */
	u32	optlen;		/* of the options that every segment carries */
};

/* RFC 4821 7: bytes of an IP packet */
struct strata_tcp_mtup {
	u32	low;		/* search_low: such packets pass */
	u32	high;		/* search_high: larger ones do not, or are not wanted */
	u32	probe;		/* size of the probe that is out, 0: none */
	u32	start;		/* first sequence number of it */
	u32	end;		/* and the one behind it */
	u32	since_ms;	/* when the search began (anew) */
	bool	enabled;
};

/* payload of a packet of @mtu bytes, and the packet of a payload of @mss */
u32 strata_mtup_mss(const struct strata_mtup_shape *s, u32 mtu);
u32 strata_mtup_mtu(const struct strata_mtup_shape *s, u32 mss);
/* a connection begins: @base: tcp_base_mss; @enabled: probe from the start (7.2) */
void strata_mtup_init(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 base,
		      bool enabled, u32 now_ms);
/* payload of a segment on a path said to take @pmtu, which also ends the search upwards */
u32 strata_mtup_bound(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 pmtu);
/*
 * Timeouts in a row without progress (7.7): the first time only the search begins, at what
 * low is; from then on low is halved, not below @floor.
 */
void strata_mtup_black_hole(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 base,
			    u32 floor, u32 now_ms);
/* payload of the next probe; 0: the range is narrower than @threshold, the search is over */
u32 strata_mtup_next(const struct strata_tcp_mtup *m, const struct strata_mtup_shape *s,
		     s32 threshold);
/*
 * The search is over: after @interval_s begin anew from @mss up to what @pmtu and the peer
 * allow (7.5: the path may have changed)
 */
void strata_mtup_again(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 mss,
		       u32 pmtu, u32 interval_s, u32 now_ms);
/* the probe [@start, @end) left */
void strata_mtup_sent(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 start,
		      u32 end);
/* SND.UNA is @una: has the probe arrived (7.6.1)? */
bool strata_mtup_arrived(const struct strata_tcp_mtup *m, u32 una);
/* it has: low rises */
void strata_mtup_success(struct strata_tcp_mtup *m);
/* it alone is lost (7.6.2): high falls */
void strata_mtup_failure(struct strata_tcp_mtup *m);

#endif /* _STRATA_TCP_MTUP_H */
