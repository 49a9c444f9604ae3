// SPDX-License-Identifier: GPL-2.0-only
/*
 * SACK: RFC 2018, RFC 2883. Examples, and both ends against naive models that keep one
 * flag per octet (receiver) and per segment (sender's scoreboard): 10^6 operations.
 */
#include "unit.h"

enum { SPACE = 400 };

/* receiver */

static bool have[SPACE];

static void contiguous(u32 at, u32 *start, u32 *end)
{
	for (*start = at; *start && have[*start - 1]; (*start)--)
		;
	for (*end = at; *end < SPACE && have[*end]; (*end)++)
		;
}

/* each block is a whole range of what is held, disjoint, the first holds the latest arrival */
TEST(receiver_model)
{
	struct strata_sack_block out[4];
	unsigned int op, i, k, n;
	struct strata_sack_rcv r;
	u32 base = 0, nxt = 0, s, e, at;

	unit_seed(20);
	for (op = 0; op < 1000000; op++) {
		if (op % 1000 == 0) {
			memset(have, 0, sizeof(have));
			memset(&r, 0, sizeof(r));
			base = op % 2000 ? 0xffffff00 : unit_rnd();
			nxt = 0;
		}
		at = nxt + 1 + unit_below(SPACE - 2);
		if (at < SPACE - 1 && unit_below(8)) {
			e = at + 1 + unit_below(12);
			for (i = at; i < e && i < SPACE; i++)
				have[i] = true;
			contiguous(at, &s, &e);
			if (s > nxt) {
				strata_sack_rcv_add(&r, base + s, base + e);
				ASSERT_EQ(base + s, r.block[0].start);
				ASSERT_EQ(base + e, r.block[0].end);
			} else {
				nxt = e;
				strata_sack_rcv_advance(&r, base + nxt);
			}
		} else if (nxt < SPACE) {
			have[nxt] = true;
			contiguous(nxt, &s, &e);
			nxt = e;
			strata_sack_rcv_advance(&r, base + nxt);
		}
		n = strata_sack_rcv_fill(&r, out, 4);
		ASSERT_EQ(n, r.n);
		for (i = 0; i < n; i++) {
			contiguous(out[i].start - base, &s, &e);
			ASSERT_EQ(base + s, out[i].start);
			ASSERT_EQ(base + e, out[i].end);
			ASSERT_GT(s, nxt);
			for (k = 0; k < i; k++)
				ASSERT_NE(out[k].start, out[i].start);
		}
	}
}

TEST(receiver_order)	/* RFC 2018 4: most recent first, at most what fits */
{
	struct strata_sack_block out[4];
	struct strata_sack_rcv r = { };
	u32 i;

	for (i = 1; i <= 5; i++)
		strata_sack_rcv_add(&r, i * 100, i * 100 + 50);
	ASSERT_EQ(4, r.n);
	ASSERT_EQ(3, strata_sack_rcv_fill(&r, out, 3));
	EXPECT_EQ(500, out[0].start);
	EXPECT_EQ(400, out[1].start);
	EXPECT_EQ(300, out[2].start);
	strata_sack_rcv_add(&r, 350, 400);	/* joins two */
	ASSERT_EQ(3, strata_sack_rcv_fill(&r, out, 4));
	EXPECT_EQ(300, out[0].start);
	EXPECT_EQ(450, out[0].end);
	strata_sack_rcv_prune(&r, 320, 330);	/* reneging keeps the front */
	EXPECT_EQ(320, r.block[0].end);
	strata_sack_rcv_prune(&r, 0, 1000);
	EXPECT_EQ(0, r.n);
}

TEST(receiver_dsack)	/* RFC 2883 4: once, and first */
{
	struct strata_sack_block out[4];
	struct strata_sack_rcv r = { };

	strata_sack_rcv_add(&r, 3000, 3500);
	strata_sack_rcv_dup(&r, 500, 1000);
	ASSERT_EQ(2, strata_sack_rcv_fill(&r, out, 3));
	EXPECT_EQ(500, out[0].start);
	EXPECT_EQ(3000, out[1].start);
	ASSERT_EQ(1, strata_sack_rcv_fill(&r, out, 3));
	EXPECT_EQ(3000, out[0].start);
	strata_sack_rcv_dup(&r, 500, 1000);
	strata_sack_rcv_dup(&r, 1000, 1200);
	strata_sack_rcv_dup(&r, 7, 7);
	EXPECT_EQ(0, strata_sack_rcv_fill(&r, out, 0));
	EXPECT_EQ(2, strata_sack_rcv_fill(&r, out, 4));
	EXPECT_EQ(1200, out[0].end);
	/* 4.2.2: of two that do not touch the first */
	strata_sack_rcv_dup(&r, 500, 1000);
	strata_sack_rcv_dup(&r, 2000, 2500);
	EXPECT_EQ(2, strata_sack_rcv_fill(&r, out, 4));
	EXPECT_EQ(500, out[0].start);
	EXPECT_EQ(1000, out[0].end);
}

/* sender: blocks */

TEST(check_examples)
{
	struct strata_sack_in in;
	struct strata_sack_block b[4] = {
		{ 3500, 4000 }, { 2000, 2500 }, { 2500, 3000 }, { 9, 3 },
	};

	strata_sack_check(&in, b, 4, 1000, 5000, 65535);
	ASSERT_EQ(2, in.n);
	EXPECT_FALSE(in.has_dup);
	EXPECT_EQ(2000, in.block[0].start);
	EXPECT_EQ(3000, in.block[0].end);
	EXPECT_EQ(3500, in.block[1].start);
	EXPECT_TRUE(strata_sack_covers(&in, 2000, 3000));
	EXPECT_FALSE(strata_sack_covers(&in, 2999, 3501));
	/* RFC 2883 4.1.1: duplicate below the ACK */
	b[0] = (struct strata_sack_block){ 500, 1000 };
	strata_sack_check(&in, b, 2, 1000, 5000, 65535);
	EXPECT_TRUE(in.has_dup);
	EXPECT_EQ(1, in.n);
	/* 4.2: duplicate inside the second block */
	b[0] = (struct strata_sack_block){ 2100, 2200 };
	strata_sack_check(&in, b, 2, 1000, 5000, 65535);
	EXPECT_TRUE(in.has_dup);
	EXPECT_EQ(2100, in.dup.start);
	EXPECT_EQ(1, in.n);
	/* too old, and beyond what was sent */
	b[0] = (struct strata_sack_block){ 1000 - 70000, 1000 - 69000 };
	b[1] = (struct strata_sack_block){ 4999, 5001 };
	strata_sack_check(&in, b, 2, 1000, 5000, 65535);
	EXPECT_FALSE(in.has_dup);
	EXPECT_EQ(0, in.n);
	/* astride the ACK: no honest receiver says that */
	b[0] = (struct strata_sack_block){ 900, 1100 };
	strata_sack_check(&in, b, 1, 1000, 5000, 65535);
	EXPECT_EQ(0, in.n);
	EXPECT_FALSE(in.has_dup);
}

TEST(check_random)
{
	struct strata_sack_block b[4];
	struct strata_sack_in in;
	u32 i, k, n, ack, nxt;

	unit_seed(21);
	for (i = 0; i < 300000; i++) {
		ack = unit_rnd();
		nxt = ack + unit_below(200);
		for (k = 0; k < 4; k++) {
			b[k].start = ack - 50 + unit_below(300);
			b[k].end = unit_below(20) ? b[k].start + unit_below(60) : unit_rnd();
		}
		n = unit_below(5);
		strata_sack_check(&in, b, n, ack, nxt, 30);
		/* nothing of a good block is lost; the first may be a D-SACK */
		for (k = 1; k < n; k++)
			if (strata_seq_before(b[k].start, b[k].end) &&
			    strata_seq_after(b[k].start, ack) && strata_seq_leq(b[k].end, nxt))
				ASSERT_TRUE(strata_sack_covers(&in, b[k].start, b[k].end));
		for (k = 0; k < in.n; k++) {
			ASSERT_TRUE(strata_seq_before(in.block[k].start, in.block[k].end));
			ASSERT_TRUE(strata_seq_after(in.block[k].start,
						     k ? in.block[k - 1].end : ack));
			ASSERT_TRUE(strata_seq_leq(in.block[k].end, nxt));
		}
		if (in.has_dup) {
			ASSERT_TRUE(strata_seq_before(in.dup.start, in.dup.end));
			ASSERT_TRUE(strata_seq_leq(in.dup.end, nxt));
			ASSERT_TRUE(strata_seq_geq(in.dup.start, ack - 30));
		}
	}
}

/* sender: scoreboard against a recount of the marks */

enum { QUEUE = 64, MSS = 100 };

static struct strata_tcp_tx q[QUEUE];
static unsigned int qn;

static void check_counts(struct __test_metadata *_metadata, const struct strata_tcp_scb *s)
{
	u32 out = 0, sacked = 0, lost = 0, retrans = 0;
	unsigned int i;

	for (i = 0; i < qn; i++) {
		out += q[i].pcount;
		sacked += q[i].sacked & STRATA_TX_SACKED ? q[i].pcount : 0;
		lost += q[i].sacked & STRATA_TX_LOST ? q[i].pcount : 0;
		retrans += q[i].sacked & STRATA_TX_RETRANS ? q[i].pcount : 0;
		ASSERT_NE(STRATA_TX_SACKED | STRATA_TX_LOST,
			  q[i].sacked & (STRATA_TX_SACKED | STRATA_TX_LOST));
		ASSERT_EQ(q[i].pcount, strata_tcp_pcount(q[i].end_seq - q[i].seq, MSS));
	}
	ASSERT_EQ(out, s->packets_out);
	ASSERT_EQ(sacked, s->sacked_out);
	ASSERT_EQ(lost, s->lost_out);
	ASSERT_EQ(retrans, s->retrans_out);
	ASSERT_LE(sacked + lost, out);
	ASSERT_EQ(out - sacked - lost + retrans, strata_tcp_in_flight(s));
}

static void remove_first(void)
{
	memmove(q, q + 1, --qn * sizeof(q[0]));
}

static void random_step(struct __test_metadata *_metadata, struct strata_tcp_scb *s, u32 *nxt)
{
	u32 before = s->delivered, was, got;
	struct strata_tcp_tx *tx;
	unsigned int i;

	if (!qn || (qn < QUEUE - 1 && !unit_below(3))) {
		tx = &q[qn++];
		memset(tx, 0, sizeof(*tx));
		tx->seq = *nxt;
		tx->mss = MSS;
		*nxt += 1 + unit_below(12 * MSS);
		tx->end_seq = *nxt;
		tx->pcount = strata_tcp_pcount(tx->end_seq - tx->seq, MSS);
		strata_scb_sent(s, tx);
		return;
	}
	i = unit_below(qn);
	tx = &q[i];
	was = tx->sacked;
	switch (unit_below(8)) {
	case 0:
		ASSERT_EQ(!(was & STRATA_TX_SACKED), strata_scb_sacked(s, tx));
		ASSERT_EQ(before + (was & STRATA_TX_SACKED ? 0 : tx->pcount), s->delivered);
		ASSERT_TRUE(strata_seq_geq(s->high_sack, tx->end_seq));
		break;
	case 1:
	case 2:
		got = strata_scb_lost(s, tx);
		ASSERT_EQ(!(was & STRATA_TX_SACKED) &&
			  (!(was & STRATA_TX_LOST) || was & STRATA_TX_RETRANS), got);
		break;
	case 3:
		if (was & STRATA_TX_LOST && !(was & STRATA_TX_RETRANS)) {
			strata_scb_retrans(s, tx);
			ASSERT_EQ(STRATA_TX_RETRANS | STRATA_TX_EVER_RETRANS,
				  tx->sacked & (STRATA_TX_RETRANS | STRATA_TX_EVER_RETRANS));
		}
		break;
	case 4:
		if (tx->end_seq - tx->seq > 1 && qn < QUEUE) {
			memmove(tx + 2, tx + 1, (qn - i - 1) * sizeof(*tx));
			qn++;
			strata_scb_split(s, tx, tx + 1, tx->seq + 1 +
					 unit_below(tx->end_seq - tx->seq - 1));
			ASSERT_EQ(tx->end_seq, tx[1].seq);
		}
		break;
	case 5:
		got = strata_scb_acked(s, &q[0]);
		ASSERT_EQ(before + got, s->delivered);
		remove_first();
		break;
	case 6:
		if (q[0].pcount > 1) {
			u32 segs = 1 + unit_below(q[0].pcount - 1);

			strata_scb_acked_part(s, &q[0], segs, q[0].seq + segs * MSS);
		}
		break;
	case 7:
		if (unit_below(20))
			strata_scb_unlost(s, tx);
		else
			for (i = 0; i < qn; i++)
				strata_scb_unsack(s, &q[i]);
	}
}

TEST(scoreboard_model)
{
	struct strata_tcp_scb s;
	u32 nxt = 0xffff0000;
	unsigned int op;

	unit_seed(22);
	strata_scb_init(&s, 3, true);
	qn = 0;
	for (op = 0; op < 1000000; op++) {
		random_step(_metadata, &s, &nxt);
		check_counts(_metadata, &s);
	}
	while (qn) {
		strata_scb_acked(&s, &q[0]);
		remove_first();
	}
	ASSERT_EQ(0, s.packets_out | s.sacked_out | s.lost_out | s.retrans_out);
}

TEST(flags_when_split)
{
	struct strata_tcp_tx tx = { .seq = 10, .end_seq = 211, .flags = 0x19, .pcount = 3,
				    .mss = MSS, .bits = STRATA_TXB_EOR }, tail;
	struct strata_tcp_scb s;

	strata_scb_init(&s, 3, true);
	strata_scb_sent(&s, &tx);
	strata_scb_split(&s, &tx, &tail, 110);
	EXPECT_EQ(0x10, tx.flags);
	EXPECT_EQ(0x19, tail.flags);
	EXPECT_EQ(0, tx.bits);
	EXPECT_EQ(STRATA_TXB_EOR, tail.bits);
	EXPECT_EQ(3, s.packets_out);
	EXPECT_EQ(48, sizeof(tx));
}

TEST(reordering)
{
	struct strata_tcp_tx tx = { .seq = 900, .end_seq = 1000, .pcount = 1 };
	struct strata_tcp_scb s;

	strata_scb_init(&s, 3, true);
	strata_scb_sent(&s, &tx);
	strata_scb_sacked(&s, &tx);
	strata_scb_reordered(&s, 1000, 100, 300);
	EXPECT_EQ(0, s.reord_seen);
	strata_scb_reordered(&s, 500, 100, 300);
	EXPECT_EQ(1, s.reord_seen);
	EXPECT_EQ(5, s.reordering);
	strata_scb_reordered(&s, 0, 1, 300);
	EXPECT_EQ(300, s.reordering);
	/* the ACK that filled the hole took the SACKed segments away too */
	strata_scb_acked(&s, &tx);
	strata_scb_reordered(&s, 500, 100, 300);
	EXPECT_EQ(3, s.reord_seen);
}

/* without SACK: duplicates count as segments that left; every one is delivered once */
TEST(newreno_counts)
{
	struct strata_tcp_tx tx[10];
	struct strata_tcp_scb s;
	u32 i;

	strata_scb_init(&s, 3, false);
	for (i = 0; i < 10; i++) {
		tx[i] = (struct strata_tcp_tx){ .seq = i, .end_seq = i + 1, .pcount = 1 };
		strata_scb_sent(&s, &tx[i]);
	}
	for (i = 0; i < 20; i++)
		strata_scb_reno_dupack(&s);
	EXPECT_EQ(10, s.sacked_out);
	EXPECT_EQ(0, strata_tcp_in_flight(&s));
	strata_scb_init(&s, 3, false);
	for (i = 0; i < 10; i++)
		strata_scb_sent(&s, &tx[i]);
	for (i = 0; i < 9; i++)
		strata_scb_reno_dupack(&s);
	EXPECT_TRUE(strata_scb_lost(&s, &tx[0]));
	EXPECT_EQ(9, s.sacked_out);
	strata_scb_retrans(&s, &tx[0]);
	EXPECT_EQ(1, strata_tcp_in_flight(&s));
	for (i = 0; i < 10; i++)
		strata_scb_acked(&s, &tx[i]);
	strata_scb_reno_acked(&s, 10);
	EXPECT_EQ(10, s.delivered);
	EXPECT_EQ(0, s.packets_out | s.sacked_out | s.lost_out | s.retrans_out);
}

TEST_HARNESS_MAIN
