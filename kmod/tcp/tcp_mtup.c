// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packetization layer path MTU discovery (RFC 4821): the search, without segments.
 *
 * Where routers send no ICMP, or a firewall drops it, segments that are too large vanish (RFC
 * 2923 2.1). Then TCP finds out itself. low is a size that passes and gives the MSS; high is one
 * that does not, or that nobody wants to try. A probe of a size between them shows which of
 * the two moves (7.3: here the middle); once they are as close as tcp_probe_threshold the
 * search rests for tcp_probe_interval.
 *
 * Names, sizes and moments are those of the native stack, which begins at tcp_base_mss: at
 * once with tcp_mtu_probing 2, with 1 only after timeouts in a row have shown a black hole.
 */
#include <linux/string.h>
#include "tcp_alg.h"

#define IP_TCP_HDR	40U	/* without options; IPv4 */
#define MS_PER_SEC	1000U

u32 strata_mtup_mss(const struct strata_mtup_shape *s, u32 mtu)
{
	u32 mss = mtu > IP_TCP_HDR ? mtu - IP_TCP_HDR : 0;

	if (mss > s->clamp)
		mss = s->clamp;
	if (mss < s->least)
		mss = s->least;
	return mss - s->optlen;
}

u32 strata_mtup_mtu(const struct strata_mtup_shape *s, u32 mss)
{
	return mss + s->optlen + IP_TCP_HDR;
}

void strata_mtup_init(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 base,
		      bool enabled, u32 now_ms)
{
	memset(m, 0, sizeof(*m));
	m->enabled = enabled;
	m->low = strata_mtup_mtu(s, base);
	m->high = s->clamp + IP_TCP_HDR;
	m->since_ms = now_ms;
}

u32 strata_mtup_bound(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 pmtu)
{
	u32 mss = strata_mtup_mss(s, pmtu);
	u32 low = strata_mtup_mss(s, m->low);

	if (m->high > pmtu)
		m->high = pmtu;
	return m->enabled && low < mss ? low : mss;
}

void strata_mtup_black_hole(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 base,
			    u32 floor, u32 now_ms)
{
	u32 mss;

	if (!m->enabled) {
		m->enabled = true;
		m->since_ms = now_ms;
		return;
	}
	mss = strata_mtup_mss(s, m->low) / 2;
	if (mss > base)
		mss = base;
	if (mss < floor)
		mss = floor;
	if (mss < s->least)
		mss = s->least;
	m->low = strata_mtup_mtu(s, mss);
}

u32 strata_mtup_next(const struct strata_tcp_mtup *m, const struct strata_mtup_shape *s,
		     s32 threshold)
{
	u32 size = strata_mtup_mss(s, m->low / 2 + m->high / 2 + (m->low & m->high & 1));

	if (size > strata_mtup_mss(s, m->high) || (s32)(m->high - m->low) < threshold)
		return 0;
	return size;
}

void strata_mtup_again(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 mss,
		       u32 pmtu, u32 interval_s, u32 now_ms)
{
	if (now_ms - m->since_ms < (u64)interval_s * MS_PER_SEC)
		return;
	m->probe = 0;
	m->high = s->clamp + IP_TCP_HDR;
	if (m->high > pmtu)
		m->high = pmtu;
	m->low = strata_mtup_mtu(s, mss);
	m->since_ms = now_ms;
}

void strata_mtup_sent(struct strata_tcp_mtup *m, const struct strata_mtup_shape *s, u32 start,
		      u32 end)
{
	m->probe = strata_mtup_mtu(s, end - start);
	m->start = start;
	m->end = end;
}

bool strata_mtup_arrived(const struct strata_tcp_mtup *m, u32 una)
{
	return m->probe && strata_seq_geq(una, m->end);
}

void strata_mtup_success(struct strata_tcp_mtup *m)
{
	m->low = m->probe;
	m->probe = 0;
}

void strata_mtup_failure(struct strata_tcp_mtup *m)
{
	m->high = m->probe - 1;
	m->probe = 0;
}
