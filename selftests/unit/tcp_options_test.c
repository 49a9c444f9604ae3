// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sequence arithmetic (RFC 9293 3.4) and options (RFC 9293 3.2, 7323, 2018, 7413):
 * layout, round trip, malformed options one by one, and random headers.
 */
#include "unit.h"

static const u32 edges[] = { 0, 1, 2, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001,
			     0xfffffffe, 0xffffffff };

TEST(seq_properties)
{
	unsigned int i;

	unit_seed(1);
	for (i = 0; i < 1000000; i++) {
		u32 a = i & 1 ? unit_rnd() : edges[unit_below(9)];
		u32 d = 1 + unit_below(0x7fffffff);
		u32 b = a + d;

		ASSERT_TRUE(strata_seq_before(a, b));
		ASSERT_FALSE(strata_seq_before(b, a));
		ASSERT_TRUE(strata_seq_after(b, a));
		ASSERT_FALSE(strata_seq_after(a, b));
		ASSERT_TRUE(strata_seq_leq(a, b) && strata_seq_leq(a, a));
		ASSERT_TRUE(strata_seq_geq(b, a) && strata_seq_geq(b, b));
		ASSERT_FALSE(strata_seq_before(a, a) || strata_seq_after(a, a));
		ASSERT_TRUE(strata_seq_between(a + unit_below(d), a, b));
		ASSERT_TRUE(strata_seq_between(a, a, b) && strata_seq_between(b, a, b));
		ASSERT_FALSE(strata_seq_between(a - 1, a, b));
		ASSERT_FALSE(strata_seq_between(b + 1, a, b));
	}
}

/* parse @n octets of options in a buffer that ends with them */
static void parse(struct strata_tcp_opts *o, const u8 *opt, unsigned int n, bool syn)
{
	u8 *th = malloc(20 + n);

	memset(th, 0x5a, 20);
	if (n)
		memcpy(th + 20, opt, n);
	strata_tcp_parse_options(th, 20 + n, syn, o);
	free(th);
}

#define PARSE(o, syn, ...) do {						\
	static const u8 _b[] = { __VA_ARGS__ };				\
	parse(o, _b, sizeof(_b), syn);					\
} while (0)

TEST(parse_none)
{
	struct strata_tcp_opts o;

	parse(&o, NULL, 0, true);
	EXPECT_EQ(0, o.flags);
	EXPECT_EQ(16, sizeof(o));
}

TEST(parse_aligned_ts)
{
	struct strata_tcp_opts o;

	PARSE(&o, false, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8);
	EXPECT_EQ(STRATA_OPT_TS, o.flags);
	EXPECT_EQ(0x01020304, o.tsval);
	EXPECT_EQ(0x05060708, o.tsecr);
	/* the same in another place goes the slow way */
	PARSE(&o, false, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1);
	EXPECT_EQ(STRATA_OPT_TS, o.flags);
	EXPECT_EQ(0x05060708, o.tsecr);
}

TEST(parse_syn)
{
	struct strata_tcp_opts o;

	PARSE(&o, true, 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7);
	EXPECT_EQ(STRATA_OPT_MSS | STRATA_OPT_SACKOK | STRATA_OPT_TS | STRATA_OPT_WSCALE, o.flags);
	EXPECT_EQ(1460, o.mss);
	EXPECT_EQ(7, o.wscale);
	EXPECT_EQ(9, o.tsval);
	/* the same without SYN: only the timestamps count */
	PARSE(&o, false, 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7);
	EXPECT_EQ(STRATA_OPT_TS, o.flags);
	EXPECT_EQ(0, o.mss);
}

TEST(parse_wscale_clamped)	/* RFC 7323 2.3 */
{
	struct strata_tcp_opts o;

	PARSE(&o, true, 3, 3, 14, 0);
	EXPECT_EQ(14, o.wscale);
	PARSE(&o, true, 3, 3, 15, 0);
	EXPECT_EQ(14, o.wscale);
	PARSE(&o, true, 3, 3, 255, 0);
	EXPECT_EQ(14, o.wscale);
}

TEST(parse_malformed)
{
	struct strata_tcp_opts o;

	PARSE(&o, true, 2);			/* kind without length */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 2, 0, 5, 180);		/* length 0 */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 2, 1, 5, 180);		/* length 1 */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 2, 5, 5, 180);		/* beyond the header */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 77, 5, 1, 2);		/* by one octet */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 2, 3, 5, 4, 2, 0);	/* MSS of 3: skipped, the next one counts */
	EXPECT_EQ(STRATA_OPT_BAD | STRATA_OPT_SACKOK, o.flags);
	PARSE(&o, true, 2, 4, 0, 0);		/* MSS 0 */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 3, 2, 4, 3, 9);		/* window scale of 2, SACK permitted of 3 */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, false, 8, 9, 1, 1, 1, 1, 1, 1, 1);
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, false, 5, 2, 5, 9, 0, 0, 0, 1, 0, 0, 0);	/* SACK of 0 and of 7 octets */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	EXPECT_EQ(0, o.nsack);
	PARSE(&o, true, 0, 2, 4, 5, 180);	/* behind the end of the list */
	EXPECT_EQ(0, o.flags);
	PARSE(&o, true, 77, 3, 9, 2, 4, 5, 180);	/* unknown kind: skipped (MUST-6) */
	EXPECT_EQ(STRATA_OPT_MSS, o.flags);
	PARSE(&o, true, 2, 4, 5, 180, 2, 4, 1, 0);	/* twice: the last */
	EXPECT_EQ(256, o.mss);
}

TEST(parse_fastopen)	/* RFC 7413 4.1.1 */
{
	struct strata_tcp_opts o;

	PARSE(&o, true, 34, 2);
	EXPECT_EQ(STRATA_OPT_FASTOPEN, o.flags);
	EXPECT_EQ(0, o.fo_len);
	PARSE(&o, true, 1, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8);
	EXPECT_EQ(STRATA_OPT_FASTOPEN, o.flags);
	EXPECT_EQ(8, o.fo_len);
	EXPECT_EQ(23, o.fo_off);
	PARSE(&o, true, 34, 5, 1, 2, 3);	/* odd */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 34, 7, 1, 2, 3, 4, 5);	/* odd, and long enough */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 34, 4, 1, 2);		/* short */
	EXPECT_EQ(STRATA_OPT_BAD, o.flags);
	PARSE(&o, true, 254, 8, 0xf9, 0x89, 1, 2, 3, 4);
	EXPECT_EQ(STRATA_OPT_FASTOPEN | STRATA_OPT_FO_EXP, o.flags);
	EXPECT_EQ(4, o.fo_len);
	EXPECT_EQ(24, o.fo_off);
	PARSE(&o, true, 254, 3, 0xf9, 254, 4, 1, 2);	/* other experiments */
	EXPECT_EQ(0, o.flags);
}

TEST(cookie)	/* RFC 7413 4.1.1: what is read, and what is sent, octet by octet */
{
	static const u8 syn[] = { 2, 4, 5, 0xb4, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1 };
	static const u8 exp[] = { 254, 8, 0xf9, 0x89, 9, 8, 7, 6 };
	static const u8 ask[] = { 34, 2, 1, 1 };
	struct strata_tcp_opts_out out = { .flags = STRATA_OPT_MSS, .mss = 1460 };
	struct strata_tcp_cookie c;
	struct strata_tcp_opts o;
	u8 th[60] = { 0 }, b[40];

	memcpy(th + 20, syn, sizeof(syn));
	strata_tcp_parse_options(th, 20 + sizeof(syn), true, &o);
	strata_tcp_read_cookie(th, &o, &c);
	EXPECT_EQ(8, c.len);
	EXPECT_FALSE(c.exp);
	EXPECT_EQ(0, memcmp(c.val, syn + 6, 8));
	strata_tcp_put_cookie(&out, &c);
	ASSERT_EQ(sizeof(syn), strata_tcp_build_options(b, &out));
	EXPECT_EQ(0, memcmp(b, syn, sizeof(syn)));

	memcpy(th + 20, exp, sizeof(exp));
	strata_tcp_parse_options(th, 20 + sizeof(exp), true, &o);
	strata_tcp_read_cookie(th, &o, &c);
	EXPECT_EQ(4, c.len);
	EXPECT_TRUE(c.exp);
	memset(&out, 0, sizeof(out));
	strata_tcp_put_cookie(&out, &c);
	ASSERT_EQ(sizeof(exp), strata_tcp_build_options(b, &out));
	EXPECT_EQ(0, memcmp(b, exp, sizeof(exp)));

	memset(&c, 0, sizeof(c));
	memset(&out, 0, sizeof(out));
	strata_tcp_put_cookie(&out, &c);
	ASSERT_EQ(sizeof(ask), strata_tcp_build_options(b, &out));
	EXPECT_EQ(0, memcmp(b, ask, sizeof(ask)));

	c.len = -1;
	memset(&out, 0, sizeof(out));
	strata_tcp_put_cookie(&out, &c);
	EXPECT_EQ(0, strata_tcp_build_options(b, &out));
	strata_tcp_parse_options(th, 20, true, &o);
	strata_tcp_read_cookie(th, &o, &c);
	EXPECT_EQ(-1, c.len);
}

TEST(build_native_layout)
{
	static const u8 syn[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7 };
	static const u8 ts[] = { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 };
	struct strata_tcp_opts_out o = { .tsval = 1, .tsecr = 2, .mss = 1460, .wscale = 7 };
	u8 b[40];

	o.flags = STRATA_OPT_MSS | STRATA_OPT_SACKOK | STRATA_OPT_TS | STRATA_OPT_WSCALE;
	ASSERT_EQ(sizeof(syn), strata_tcp_build_options(b, &o));
	EXPECT_EQ(0, memcmp(b, syn, sizeof(syn)));
	o.flags = STRATA_OPT_TS;
	ASSERT_EQ(sizeof(ts), strata_tcp_build_options(b, &o));
	EXPECT_EQ(0, memcmp(b, ts, sizeof(ts)));
	EXPECT_EQ(3, strata_tcp_sack_room(STRATA_OPT_TS));
	EXPECT_EQ(4, strata_tcp_sack_room(0));
}

static void random_out(struct strata_tcp_opts_out *o)
{
	unsigned int i;

	memset(o, 0, sizeof(*o));
	o->flags = unit_rnd() & (STRATA_OPT_TS | STRATA_OPT_SACKOK | STRATA_OPT_WSCALE |
				 STRATA_OPT_MSS | STRATA_OPT_FASTOPEN | STRATA_OPT_FO_EXP);
	if (!(o->flags & STRATA_OPT_FASTOPEN))
		o->flags &= ~STRATA_OPT_FO_EXP;
	o->tsval = unit_rnd();
	o->tsecr = unit_rnd();
	o->mss = 1 + unit_below(65535);
	o->wscale = unit_below(15);
	o->nsack = unit_below(5);
	o->fo_len = unit_below(3) ? 4 + 2 * unit_below(7) : 0;
	for (i = 0; i < 4; i++) {
		o->sack[i].start = unit_rnd();
		o->sack[i].end = unit_rnd();
	}
	for (i = 0; i < 16; i++)
		o->fo_cookie[i] = unit_rnd();
}

TEST(round_trip)
{
	struct strata_sack_block block[4];
	struct strata_tcp_opts_out o;
	struct strata_tcp_opts in;
	unsigned int i, k, len, n, fo;
	bool syn;
	u8 th[60];

	unit_seed(2);
	for (i = 0; i < 200000; i++) {
		random_out(&o);
		syn = o.flags & ~STRATA_OPT_TS;
		if (syn)
			o.nsack = 0;
		len = strata_tcp_options_len(&o);
		ASSERT_LE(len, 40);
		ASSERT_EQ(0, len % 4);
		memset(th, 0xee, sizeof(th));
		ASSERT_EQ(len, strata_tcp_build_options(th + 20, &o));
		for (k = 20 + len; k < 60; k++)
			ASSERT_EQ(0xee, th[k]);
		strata_tcp_parse_options(th, 20 + len, syn, &in);
		/* a cookie may not have fitted */
		fo = STRATA_OPT_FASTOPEN | STRATA_OPT_FO_EXP;
		ASSERT_EQ(o.flags & ~fo, in.flags & ~fo);
		if (in.flags & STRATA_OPT_FASTOPEN) {
			ASSERT_EQ(o.flags & fo, in.flags & fo);
			ASSERT_EQ(o.fo_len, in.fo_len);
			ASSERT_EQ(0, memcmp(th + in.fo_off, o.fo_cookie, o.fo_len));
		} else if (o.flags & STRATA_OPT_FASTOPEN) {
			ASSERT_GT(len + 2 + o.fo_len + (o.flags & STRATA_OPT_FO_EXP ? 2 : 0), 40);
		}
		if (o.flags & STRATA_OPT_TS) {
			ASSERT_EQ(o.tsval, in.tsval);
			ASSERT_EQ(o.tsecr, in.tsecr);
		}
		if (o.flags & STRATA_OPT_MSS)
			ASSERT_EQ(o.mss, in.mss);
		if (o.flags & STRATA_OPT_WSCALE)
			ASSERT_EQ(o.wscale, in.wscale);
		n = strata_tcp_read_sack(th, &in, block);
		ASSERT_EQ(syn ? 0 : o.nsack < (o.flags & STRATA_OPT_TS ? 3 : 4) ? o.nsack :
			  (o.flags & STRATA_OPT_TS ? 3 : 4), n);
		ASSERT_EQ(0, memcmp(block, o.sack, n * sizeof(block[0])));
	}
}

/* RFC 4987 3.6: what goes into the timestamp comes out, and time does not go back (RFC 7323 5.3) */
TEST(cookie_ts)
{
	unsigned int i;

	unit_seed(4987);
	for (i = 0; i < 1000000; i++) {
		u32 now = i & 1 ? unit_rnd() : unit_below(300) - 150, ts;
		struct strata_tcp_opts syn = { .wscale = unit_below(15) }, ack = { .mss = 77 };
		bool ecn = unit_rnd() & 1;

		syn.flags = unit_rnd() & (STRATA_OPT_WSCALE | STRATA_OPT_SACKOK);
		ts = strata_tcp_cookie_ts(now, &syn, ecn);
		ASSERT_LE(now - ts, 64);
		ASSERT_EQ(ecn, strata_tcp_cookie_ts_read(ts, &ack));
		ASSERT_EQ(syn.flags, ack.flags);
		ASSERT_EQ(syn.flags & STRATA_OPT_WSCALE ? syn.wscale : 0, ack.wscale);
		ASSERT_EQ(77, ack.mss);
	}
}

/* random headers, half of them from options that are nearly right, exactly as long as allocated */
TEST(fuzz)
{
	static const u8 kinds[] = { 0, 1, 2, 3, 4, 5, 8, 34, 254, 77 };
	static const u8 lens[] = { 0, 1, 2, 3, 4, 10, 18, 26, 34, 40 };
	struct strata_sack_block block[4];
	struct strata_tcp_opts o;
	unsigned int i, k, n;
	u8 *th;

	unit_seed(3);
	for (i = 0; i < 1000000; i++) {
		n = unit_below(11) * 4;
		th = malloc(20 + n);
		for (k = 0; k < 20 + n; k++)
			th[k] = unit_rnd();
		for (k = 20; i & 1 && k + 1 < 20 + n; k += 1 + unit_below(10)) {
			th[k] = kinds[unit_below(sizeof(kinds))];
			th[k + 1] = lens[unit_below(sizeof(lens))];
		}
		strata_tcp_parse_options(th, 20 + n, unit_rnd() & 1, &o);
		ASSERT_LE(o.wscale, 14);
		ASSERT_LE(o.nsack, 4);
		ASSERT_LE(o.fo_len, 16);
		ASSERT_LE(o.fo_off + o.fo_len, 20 + n);
		if (o.nsack)
			ASSERT_LE(o.sack_off + 8 * o.nsack, 20 + n);
		if (o.flags & STRATA_OPT_MSS)
			ASSERT_NE(0, o.mss);
		strata_tcp_read_sack(th, &o, block);
		free(th);
	}
}

TEST_HARNESS_MAIN
