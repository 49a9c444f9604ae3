// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP options on the wire: parsing and building.
 *
 * RFC 9293 3.1, 3.2 (end, no-operation, MSS; unknown options are skipped by
 * their length, MUST-6, MUST-7), RFC 7323 2.2 and 3.2 (window scale,
 * timestamps), RFC 2018 2 and 3 (SACK), RFC 7413 4.1.1 (Fast Open; RFC 6994
 * for its experimental form).
 *
 * Nearly every segment of an established connection carries exactly NOP NOP
 * TS, which is recognised by one comparison. Everything else goes option by
 * option; an option whose length is below 2 or leaves the header ends the
 * parsing, one whose length is wrong for its kind is skipped.
 */
#include <linux/string.h>
#include "tcp_alg.h"

enum {
	OPT_EOL		= 0,
	OPT_NOP		= 1,
	OPT_MSS		= 2,
	OPT_WSCALE	= 3,
	OPT_SACKOK	= 4,
	OPT_SACK	= 5,
	OPT_TS		= 8,
	OPT_FASTOPEN	= 34,
	OPT_EXP		= 254,
};

enum {
	LEN_MSS		= 4,
	LEN_WSCALE	= 3,
	LEN_SACKOK	= 2,
	LEN_SACK_BASE	= 2,
	LEN_SACK_BLOCK	= 8,
	LEN_TS		= 10,
	LEN_FO_BASE	= 2,
	LEN_FO_EXP_BASE	= 4,
};

#define TCP_HDR_LEN		20
#define FO_EXP_MAGIC		0xf989
/* NOP NOP TS 10 */
#define TS_ALIGNED		0x0101080aU

static u16 get16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static u32 get32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static u8 *put16(u8 *p, u16 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
	return p + 2;
}

static u8 *put32(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 24);
	p[1] = (u8)(v >> 16);
	p[2] = (u8)(v >> 8);
	p[3] = (u8)v;
	return p + 4;
}

static void got_ts(struct strata_tcp_opts *o, const u8 *val)
{
	o->tsval = get32(val);
	o->tsecr = get32(val + 4);
	o->flags |= STRATA_OPT_TS;
}

/* RFC 7413 4.1.1: no cookie, or an even number of octets from 4 to 16 */
static bool got_cookie(struct strata_tcp_opts *o, unsigned int off, unsigned int len)
{
	if (len && (len < STRATA_TCP_MIN_COOKIE || len > STRATA_TCP_MAX_COOKIE || len & 1))
		return false;
	o->fo_off = off;
	o->fo_len = len;
	o->flags |= STRATA_OPT_FASTOPEN;
	return true;
}

/* options of a SYN; @val: their @len octets of value. False if malformed */
static bool parse_syn(const u8 *th, u8 kind, unsigned int off, unsigned int len,
		      struct strata_tcp_opts *o)
{
	const u8 *val = th + off;

	switch (kind) {
	case OPT_MSS:
		if (len != LEN_MSS - 2 || !get16(val))
			return false;
		o->mss = get16(val);
		o->flags |= STRATA_OPT_MSS;
		return true;
	case OPT_WSCALE:
		if (len != LEN_WSCALE - 2)
			return false;
		o->wscale = val[0] > STRATA_TCP_MAX_WSCALE ? STRATA_TCP_MAX_WSCALE : val[0];
		o->flags |= STRATA_OPT_WSCALE;
		return true;
	case OPT_SACKOK:
		if (len != LEN_SACKOK - 2)
			return false;
		o->flags |= STRATA_OPT_SACKOK;
		return true;
	case OPT_FASTOPEN:
		if (!got_cookie(o, off, len))
			return false;
		o->flags &= ~STRATA_OPT_FO_EXP;
		return true;
	case OPT_EXP:
		/* other experiments are none of our business */
		if (len < 2 || get16(val) != FO_EXP_MAGIC)
			return true;
		if (!got_cookie(o, off + 2, len - 2))
			return false;
		o->flags |= STRATA_OPT_FO_EXP;
		return true;
	}
	return true;
}

static bool parse_one(const u8 *th, u8 kind, unsigned int off, unsigned int len, bool syn,
		      struct strata_tcp_opts *o)
{
	switch (kind) {
	case OPT_TS:
		if (len != LEN_TS - 2)
			return false;
		got_ts(o, th + off);
		return true;
	case OPT_SACK:
		if (!len || len % LEN_SACK_BLOCK)
			return false;
		if (!syn) {
			o->sack_off = off;
			o->nsack = len / LEN_SACK_BLOCK;
		}
		return true;
	}
	return syn ? parse_syn(th, kind, off, len, o) : true;
}

void strata_tcp_parse_options(const u8 *th, unsigned int hdrlen, bool syn,
			      struct strata_tcp_opts *o)
{
	unsigned int off = TCP_HDR_LEN;

	memset(o, 0, sizeof(*o));
	if (hdrlen == TCP_HDR_LEN + 12 && get32(th + off) == TS_ALIGNED) {
		got_ts(o, th + off + 4);
		return;
	}
	/* the header's length field cannot say more, but do not rely on it */
	if (hdrlen > TCP_HDR_LEN + STRATA_TCP_MAX_OPTLEN)
		hdrlen = TCP_HDR_LEN + STRATA_TCP_MAX_OPTLEN;

	while (off < hdrlen) {
		u8 kind = th[off];
		u8 len;

		if (kind == OPT_EOL)
			return;
		if (kind == OPT_NOP) {
			off++;
			continue;
		}
		if (hdrlen - off < 2 || th[off + 1] < 2 || th[off + 1] > hdrlen - off) {
			o->flags |= STRATA_OPT_BAD;
			return;
		}
		len = th[off + 1];
		if (!parse_one(th, kind, off + 2, len - 2, syn, o))
			o->flags |= STRATA_OPT_BAD;
		off += len;
	}
}

unsigned int strata_tcp_read_sack(const u8 *th, const struct strata_tcp_opts *o,
				  struct strata_sack_block block[STRATA_TCP_MAX_SACKS])
{
	const u8 *p = th + o->sack_off;
	unsigned int i;

	for (i = 0; i < o->nsack && i < STRATA_TCP_MAX_SACKS; i++, p += LEN_SACK_BLOCK) {
		block[i].start = get32(p);
		block[i].end = get32(p + 4);
	}
	return i;
}

void strata_tcp_read_cookie(const u8 *th, const struct strata_tcp_opts *o,
			    struct strata_tcp_cookie *c)
{
	memset(c, 0, sizeof(*c));
	c->len = -1;
	if (!(o->flags & STRATA_OPT_FASTOPEN))
		return;
	c->len = (s8)o->fo_len;
	c->exp = o->flags & STRATA_OPT_FO_EXP;
	memcpy(c->val, th + o->fo_off, o->fo_len);
}

void strata_tcp_put_cookie(struct strata_tcp_opts_out *o, const struct strata_tcp_cookie *c)
{
	if (c->len < 0)
		return;
	o->flags |= STRATA_OPT_FASTOPEN | (c->exp ? STRATA_OPT_FO_EXP : 0);
	o->fo_len = (u8)c->len;
	memcpy(o->fo_cookie, c->val, o->fo_len);
}

/* bytes of all options but SACK blocks and the cookie; SACKOK rides in the padding of TS */
static unsigned int fixed_len(u8 flags)
{
	unsigned int len = 0;

	if (flags & STRATA_OPT_MSS)
		len += 4;
	if (flags & STRATA_OPT_TS)
		len += 12;
	else if (flags & STRATA_OPT_SACKOK)
		len += 4;
	if (flags & STRATA_OPT_WSCALE)
		len += 4;
	return len;
}

unsigned int strata_tcp_sack_room(u8 flags)
{
	unsigned int n = (STRATA_TCP_MAX_OPTLEN - fixed_len(flags) - 4) / LEN_SACK_BLOCK;

	return n < STRATA_TCP_MAX_SACKS ? n : STRATA_TCP_MAX_SACKS;
}

static unsigned int sacks_that_fit(const struct strata_tcp_opts_out *o)
{
	unsigned int room = strata_tcp_sack_room(o->flags);

	return o->nsack < room ? o->nsack : room;
}

/* bytes of the Fast Open option with padding, 0 if there is none or no room behind @used */
static unsigned int cookie_len(const struct strata_tcp_opts_out *o, unsigned int used)
{
	unsigned int len = o->flags & STRATA_OPT_FO_EXP ? LEN_FO_EXP_BASE : LEN_FO_BASE;

	if (!(o->flags & STRATA_OPT_FASTOPEN) || o->fo_len > STRATA_TCP_MAX_COOKIE)
		return 0;
	len = (len + o->fo_len + 3) & ~3U;
	return used + len <= STRATA_TCP_MAX_OPTLEN ? len : 0;
}

unsigned int strata_tcp_options_len_any(const struct strata_tcp_opts_out *o)
{
	unsigned int n = sacks_that_fit(o);
	unsigned int len = fixed_len(o->flags);

	if (n)
		len += 4 + n * LEN_SACK_BLOCK;
	return len + cookie_len(o, len);
}

static u8 *put_ts(u8 *p, const struct strata_tcp_opts_out *o)
{
	if (o->flags & STRATA_OPT_SACKOK) {
		*p++ = OPT_SACKOK;
		*p++ = LEN_SACKOK;
	} else {
		*p++ = OPT_NOP;
		*p++ = OPT_NOP;
	}
	*p++ = OPT_TS;
	*p++ = LEN_TS;
	p = put32(p, o->tsval);
	return put32(p, o->tsecr);
}

static u8 *put_cookie(u8 *p, const struct strata_tcp_opts_out *o, unsigned int room)
{
	u8 *end = p + room;

	if (o->flags & STRATA_OPT_FO_EXP) {
		*p++ = OPT_EXP;
		*p++ = LEN_FO_EXP_BASE + o->fo_len;
		p = put16(p, FO_EXP_MAGIC);
	} else {
		*p++ = OPT_FASTOPEN;
		*p++ = LEN_FO_BASE + o->fo_len;
	}
	memcpy(p, o->fo_cookie, o->fo_len);
	p += o->fo_len;
	while (p < end)
		*p++ = OPT_NOP;
	return p;
}

unsigned int strata_tcp_build_options(u8 *to, const struct strata_tcp_opts_out *o)
{
	unsigned int i, n;
	u8 *p = to;

	if (strata_tcp_opts_only_ts(o)) {
		put32(put32(put32(p, TS_ALIGNED), o->tsval), o->tsecr);
		return 12;
	}
	n = sacks_that_fit(o);
	if (o->flags & STRATA_OPT_MSS) {
		*p++ = OPT_MSS;
		*p++ = LEN_MSS;
		p = put16(p, o->mss);
	}
	if (o->flags & STRATA_OPT_TS) {
		p = put_ts(p, o);
	} else if (o->flags & STRATA_OPT_SACKOK) {
		*p++ = OPT_NOP;
		*p++ = OPT_NOP;
		*p++ = OPT_SACKOK;
		*p++ = LEN_SACKOK;
	}
	if (o->flags & STRATA_OPT_WSCALE) {
		*p++ = OPT_NOP;
		*p++ = OPT_WSCALE;
		*p++ = LEN_WSCALE;
		*p++ = o->wscale;
	}
	if (n) {
		*p++ = OPT_NOP;
		*p++ = OPT_NOP;
		*p++ = OPT_SACK;
		*p++ = LEN_SACK_BASE + n * LEN_SACK_BLOCK;
		for (i = 0; i < n; i++) {
			p = put32(p, o->sack[i].start);
			p = put32(p, o->sack[i].end);
		}
	}
	i = cookie_len(o, (unsigned int)(p - to));
	if (i)
		p = put_cookie(p, o, i);
	return (unsigned int)(p - to);
}

/* SYN cookies, RFC 4987 3.6 */

#define COOKIE_TS_BITS	6
#define COOKIE_WSCALE	0x0fU
#define COOKIE_SACK	0x10U
#define COOKIE_ECN	0x20U

u32 strata_tcp_cookie_ts(u32 now_ms, const struct strata_tcp_opts *syn, bool ecn)
{
	u32 ts = now_ms >> COOKIE_TS_BITS << COOKIE_TS_BITS;

	ts |= syn->flags & STRATA_OPT_WSCALE ? syn->wscale : COOKIE_WSCALE;
	if (syn->flags & STRATA_OPT_SACKOK)
		ts |= COOKIE_SACK;
	if (ecn)
		ts |= COOKIE_ECN;
	return strata_seq_after(ts, now_ms) ? ts - (1U << COOKIE_TS_BITS) : ts;
}

bool strata_tcp_cookie_ts_read(u32 ts, struct strata_tcp_opts *o)
{
	if (ts & COOKIE_SACK)
		o->flags |= STRATA_OPT_SACKOK;
	o->wscale = ts & COOKIE_WSCALE;
	if (o->wscale == COOKIE_WSCALE) {
		o->wscale = 0;
		return ts & COOKIE_ECN;
	}
	o->flags |= STRATA_OPT_WSCALE;
	return ts & COOKIE_ECN;
}
