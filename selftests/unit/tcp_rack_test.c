// SPDX-License-Identifier: GPL-2.0-only
/*
 * RACK-TLP, RFC 8985: the examples of section 3.3 and 3.4, the reordering window, time left,
 * the tail loss probe's timeout and verdicts; delivery rate.
 */
#include "unit.h"

enum { MS = 1000, RTT = 100 * MS };

static struct strata_tcp_tx tx[8];

/* P1.. with 1000 octets each, sent @gap_us apart from time 1 s on */
static void flight(struct strata_tcp_scb *s, unsigned int n, u32 gap_us)
{
	unsigned int i;

	strata_scb_init(s, 3, true);
	memset(tx, 0, sizeof(tx));
	for (i = 0; i < n; i++) {
		tx[i].seq = i * 1000;
		tx[i].end_seq = (i + 1) * 1000;
		tx[i].pcount = 1;
		tx[i].xmit_us = 1000000 + i * gap_us;
		strata_scb_sent(s, &tx[i]);
	}
}

static void delivered(struct strata_tcp_rack *r, struct strata_tcp_scb *s, unsigned int i, u64 now)
{
	strata_rack_update(r, &tx[i], now, RTT, false);
	strata_scb_sacked(s, &tx[i]);
}

/* 3.3.1 tail of a flight: P1, P2, P3; only P2's ACK returns ... P1 is lost after the window */
TEST(example_time_threshold)
{
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;
	u32 reo;

	flight(&s, 3, MS);
	strata_rack_init(&r);
	delivered(&r, &s, 1, 1001000 + RTT);
	EXPECT_EQ(RTT, r.rtt_us);
	reo = strata_rack_reo_wnd(&r, &s, false, true, RTT, RTT);
	EXPECT_EQ(RTT / 4, reo);
	/* nothing is known of the round trip: no waiting (3.3.2) */
	EXPECT_EQ(0, strata_rack_reo_wnd(&r, &s, false, true, 0, ~0U));
	/* P1 left 1 ms before P2: its time is up 24 ms after this ACK */
	EXPECT_EQ(24 * MS, strata_rack_lost(&r, &tx[0], reo, 1001000 + RTT));
	EXPECT_EQ(1, strata_rack_lost(&r, &tx[0], reo, 1000000 + RTT + RTT / 4 - 1));
	EXPECT_EQ(0, strata_rack_lost(&r, &tx[0], reo, 1000000 + RTT + RTT / 4));
	/* P3 left later: nothing is known of it */
	EXPECT_EQ(STRATA_RACK_NEVER, strata_rack_lost(&r, &tx[2], reo, 9000000));
}

/* 3.3.1: three SACKed and never a reordering: no waiting (as DupThresh would have it) */
TEST(example_dupthresh)
{
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;
	unsigned int i;

	flight(&s, 4, 0);
	strata_rack_init(&r);
	for (i = 1; i < 4; i++)
		delivered(&r, &s, i, 1000000 + RTT);
	EXPECT_EQ(0, strata_rack_reo_wnd(&r, &s, false, true, RTT, RTT));
	/* tcp_recovery may say that it does not count */
	EXPECT_EQ(RTT / 4, strata_rack_reo_wnd(&r, &s, false, false, RTT, RTT));
	EXPECT_EQ(0, strata_rack_lost(&r, &tx[0], 0, 1000000 + RTT));
	s.reord_seen = 1;
	EXPECT_EQ(RTT / 4, strata_rack_reo_wnd(&r, &s, false, true, RTT, RTT));
	s.reord_seen = 0;
	s.sacked_out = 1;
	EXPECT_EQ(RTT / 4, strata_rack_reo_wnd(&r, &s, false, true, RTT, RTT));
	EXPECT_EQ(0, strata_rack_reo_wnd(&r, &s, true, true, RTT, RTT));
}

/* 3.3.2: a retransmission that is lost again is found when a later one is delivered */
TEST(example_lost_retransmission)
{
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;

	flight(&s, 4, 0);
	strata_rack_init(&r);
	delivered(&r, &s, 3, 1000000 + RTT);
	EXPECT_EQ(0, strata_rack_lost(&r, &tx[0], 0, 1000000 + RTT));
	strata_scb_lost(&s, &tx[0]);
	strata_scb_lost(&s, &tx[1]);
	tx[0].xmit_us = 1000000 + RTT;
	strata_scb_retrans(&s, &tx[0]);
	tx[1].xmit_us = 1000000 + RTT + 1;
	strata_scb_retrans(&s, &tx[1]);
	EXPECT_EQ(STRATA_RACK_NEVER, strata_rack_lost(&r, &tx[0], 0, 1000000 + RTT + 1));
	delivered(&r, &s, 1, 1000001 + 2 * RTT);
	EXPECT_EQ(0, strata_rack_lost(&r, &tx[0], 0, 1000001 + 2 * RTT));
	EXPECT_TRUE(strata_scb_lost(&s, &tx[0]));
	EXPECT_EQ(0, s.retrans_out);
}

TEST(ties_by_sequence)	/* 6.2 step 2: RACK_sent_after() */
{
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;

	flight(&s, 3, 0);
	strata_rack_init(&r);
	delivered(&r, &s, 1, 1000000 + RTT);
	EXPECT_EQ(2000, r.end_seq);
	delivered(&r, &s, 0, 1000000 + RTT + 5);
	EXPECT_EQ(2000, r.end_seq);
	EXPECT_EQ(STRATA_RACK_NEVER, strata_rack_lost(&r, &tx[2], 0, 9000000));
}

TEST(ambiguous_retransmissions)	/* 6.2 step 2 */
{
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;

	flight(&s, 2, 0);
	strata_rack_init(&r);
	strata_scb_retrans(&s, &tx[0]);
	tx[0].xmit_us = 1000000 + RTT;
	/* younger than the minimum RTT: the original's ACK */
	strata_rack_update(&r, &tx[0], 1000000 + RTT + RTT - 1, RTT, false);
	EXPECT_EQ(0, r.xmit_us);
	EXPECT_FALSE(r.advanced);
	strata_rack_update(&r, &tx[0], 1000000 + 2 * RTT, RTT, true);
	EXPECT_EQ(0, r.xmit_us);
	strata_rack_update(&r, &tx[0], 1000000 + 2 * RTT, RTT, false);
	EXPECT_EQ(1000000 + RTT, r.xmit_us);
	EXPECT_TRUE(r.advanced);
}

/* stamped with a departure from sch_fq, which has gone: its ACK may come before */
TEST(before_departure)	/* 6.2 step 2 */
{
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;

	flight(&s, 2, 0);
	strata_rack_init(&r);
	tx[1].xmit_us = 1000000 + 2 * RTT;
	delivered(&r, &s, 1, 1000000 + RTT);
	EXPECT_EQ(0, r.rtt_us);
}

TEST(recent)	/* 6.3: a timeout spares what was sent less than a round trip ago */
{
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;

	flight(&s, 3, 300 * MS);
	strata_rack_init(&r);
	/* no round trip is known */
	EXPECT_FALSE(strata_rack_recent(&r, &tx[2], 1600000));
	delivered(&r, &s, 0, 1000000 + RTT);
	EXPECT_FALSE(strata_rack_recent(&r, &tx[1], 1600000));
	EXPECT_TRUE(strata_rack_recent(&r, &tx[2], 1600000 + RTT - 1));
	EXPECT_FALSE(strata_rack_recent(&r, &tx[2], 1600000 + RTT));
	/* sch_fq holds it still */
	EXPECT_TRUE(strata_rack_recent(&r, &tx[2], 1500000));
}

TEST(dsack_widens)	/* step 4 */
{
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;
	u32 i;

	flight(&s, 1, 0);
	s.reord_seen = 1;
	strata_rack_init(&r);
	strata_rack_dsack(&r, 100, 500);
	strata_rack_dsack(&r, 499, 900);	/* same round */
	EXPECT_EQ(2 * RTT / 4, strata_rack_reo_wnd(&r, &s, true, true, RTT, RTT));
	strata_rack_dsack(&r, 500, 900);
	EXPECT_EQ(3 * RTT / 4, strata_rack_reo_wnd(&r, &s, true, true, RTT, RTT));
	for (i = 0; i < 300; i++)
		strata_rack_dsack(&r, 1000 + i * 10, 1010 + i * 10);
	EXPECT_EQ(RTT, strata_rack_reo_wnd(&r, &s, true, true, RTT, RTT));	/* at most SRTT */
	for (i = 0; i < 15; i++)
		strata_rack_recovery_end(&r);
	EXPECT_EQ(RTT, strata_rack_reo_wnd(&r, &s, true, true, RTT, RTT));
	strata_rack_recovery_end(&r);
	EXPECT_EQ(RTT / 4, strata_rack_reo_wnd(&r, &s, true, true, RTT, RTT));
}

TEST(tlp_timeout)	/* 7.2 */
{
	EXPECT_EQ(1000000, strata_tlp_pto(0, 0, ~0U));
	EXPECT_GE(strata_tlp_pto(50000, 0, ~0U), 100000);
	EXPECT_LE(strata_tlp_pto(50000, 0, ~0U), 110000);
	EXPECT_EQ(300000, strata_tlp_pto(50000, 200000, ~0U));	/* WCDelAckT */
	EXPECT_EQ(70000, strata_tlp_pto(50000, 200000, 70000));	/* never behind the RTO */
}

TEST(tlp_allowed)	/* 7.2: "may be scheduled only if" */
{
	struct strata_tcp_tlp t = { };
	struct strata_tcp_scb s;

	flight(&s, 3, 0);
	EXPECT_TRUE(strata_tlp_ok(&t, &s, STRATA_CA_OPEN));
	EXPECT_FALSE(strata_tlp_ok(&t, &s, STRATA_CA_RECOVERY));
	EXPECT_FALSE(strata_tlp_ok(&t, &s, STRATA_CA_LOSS));
	strata_scb_sacked(&s, &tx[2]);
	EXPECT_FALSE(strata_tlp_ok(&t, &s, STRATA_CA_OPEN));
	flight(&s, 3, 0);
	strata_tlp_sent(&t, 3000, true);
	EXPECT_FALSE(strata_tlp_ok(&t, &s, STRATA_CA_OPEN));
	t.sent = false;
	s.sack_ok = false;
	EXPECT_FALSE(strata_tlp_ok(&t, &s, STRATA_CA_OPEN));
}

TEST(tlp_verdicts)	/* 7.4.2 */
{
	struct strata_tcp_tlp t = { };

	EXPECT_EQ(STRATA_TLP_NONE, strata_tlp_ack(&t, 3000, false, false, false));
	strata_tlp_sent(&t, 3000, true);
	EXPECT_EQ(STRATA_TLP_NONE, strata_tlp_ack(&t, 2999, false, false, false));
	EXPECT_EQ(STRATA_TLP_NONE, strata_tlp_ack(&t, 3000, false, false, false));
	EXPECT_EQ(STRATA_TLP_DONE, strata_tlp_ack(&t, 3000, true, false, false));
	EXPECT_FALSE(t.sent);
	strata_tlp_sent(&t, 3000, true);
	EXPECT_EQ(STRATA_TLP_NONE, strata_tlp_ack(&t, 3000, false, false, false));
	EXPECT_EQ(STRATA_TLP_DONE, strata_tlp_ack(&t, 3000, false, false, true));
	strata_tlp_sent(&t, 3000, true);
	EXPECT_EQ(STRATA_TLP_LOSS, strata_tlp_ack(&t, 3001, false, false, false));
	strata_tlp_sent(&t, 3000, false);
	EXPECT_EQ(STRATA_TLP_DONE, strata_tlp_ack(&t, 3001, false, false, false));
	strata_tlp_sent(&t, 3000, true);
	EXPECT_EQ(STRATA_TLP_DONE, strata_tlp_ack(&t, 3001, false, true, false));
}

/* 10 segments per 100 ms, forever: the rate is that */
/* RFC 8985 6.2 as it stands there, over an array: no list in order of time, no early end */

enum { FLIGHT = 24 };

static struct seg {
	struct strata_tcp_tx tx;
	bool gone;	/* delivered */
} flown[FLIGHT];

struct model {
	u64 xmit_ts, rtt;
	u32 end_seq;
};

/* RACK_sent_after() */
static bool model_after(u64 t1, u32 seq1, u64 t2, u32 seq2)
{
	if (t1 > t2)
		return true;
	return t1 == t2 && (s32)(seq1 - seq2) > 0;
}

/* step 2 */
static void model_update(struct model *m, const struct seg *s, u64 now, u64 min_rtt, u64 echo)
{
	u64 rtt = now - s->tx.xmit_us;

	if (s->tx.retrans && (echo < s->tx.xmit_us || rtt < min_rtt))
		return;
	if (!m->xmit_ts || model_after(s->tx.xmit_us, s->tx.end_seq, m->xmit_ts, m->end_seq)) {
		m->xmit_ts = s->tx.xmit_us;
		m->end_seq = s->tx.end_seq;
		m->rtt = rtt;
	}
}

/* step 5 for one segment: lost, or how long until it is; -1: it was not sent before */
static s64 model_remaining(const struct model *m, const struct seg *s, u64 reo_wnd, u64 now)
{
	s64 left = (s64)(s->tx.xmit_us + m->rtt + reo_wnd - now);

	if (!m->xmit_ts || !model_after(m->xmit_ts, m->end_seq, s->tx.xmit_us, s->tx.end_seq))
		return -1;
	return left > 0 ? left : 0;
}

/* the indexes of what is out, in order of the last transmission: rtx_by_time of tcp_queue.c */
static unsigned int by_time(unsigned int *order)
{
	unsigned int i, k, n = 0;

	for (i = 0; i < FLIGHT; i++) {
		const struct strata_tcp_tx *t = &flown[i].tx;
		u8 marks = t->sacked & (STRATA_TX_LOST | STRATA_TX_RETRANS);

		if (flown[i].gone || !t->xmit_us || marks == STRATA_TX_LOST)
			continue;
		for (k = n++; k && model_after(flown[order[k - 1]].tx.xmit_us,
					       flown[order[k - 1]].tx.end_seq,
					       t->xmit_us, t->end_seq); k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	return n;
}

/* steps 4 and 5, as strata_tcp_detect_loss() walks, and by the model; both must agree */
static void detect(struct __test_metadata *_metadata, struct strata_tcp_rack *r,
		   struct strata_tcp_scb *s, const struct model *m, bool recovering, u32 srtt,
		   u32 min_rtt, u64 now)
{
	u32 reo = strata_rack_reo_wnd(r, s, recovering, true, srtt, min_rtt), wait = 0;
	u64 quarters = (u64)r->reo_mult * min_rtt / 4;
	unsigned int order[FLIGHT], n = by_time(order), i;
	s64 left[FLIGHT], longest = 0;
	bool over = false;

	if (!s->reord_seen && (recovering || s->sacked_out >= 3))
		quarters = 0;
	ASSERT_EQ(quarters < srtt ? quarters : srtt, reo);
	for (i = 0; i < n; i++) {
		left[i] = model_remaining(m, &flown[order[i]], reo, now);
		longest = left[i] > longest ? left[i] : longest;
	}
	for (i = 0; i < n; i++) {
		struct strata_tcp_tx *t = &flown[order[i]].tx;
		u32 got = over ? STRATA_RACK_NEVER : strata_rack_lost(r, t, reo, now);

		ASSERT_EQ(left[i] < 0 ? STRATA_RACK_NEVER : left[i], got);
		/* the walk ends here: nothing behind it may be lost */
		if (got == STRATA_RACK_NEVER) {
			over = true;
			continue;
		}
		if (!got) {
			ASSERT_TRUE(strata_scb_lost(s, t));
		}
		wait = got > wait ? got : wait;
	}
	ASSERT_EQ(longest, wait);
}

static void deliver(struct __test_metadata *_metadata, struct strata_tcp_rack *r,
		    struct strata_tcp_scb *s, struct model *m, struct seg *seg, u64 now,
		    u32 min_rtt)
{
	/* the echo is of this copy, or of one before it */
	u64 echo = seg->tx.xmit_us - (unit_below(2) ? 1 : 0);

	model_update(m, seg, now, min_rtt, echo);
	strata_rack_update(r, &seg->tx, now, min_rtt, echo < seg->tx.xmit_us);
	strata_scb_sacked(s, &seg->tx);
	seg->gone = true;
	ASSERT_EQ(m->xmit_ts, r->xmit_us);
	ASSERT_EQ(m->end_seq, r->end_seq);
	ASSERT_EQ(m->rtt, r->rtt_us);
}

/* flights with losses, reordering and retransmissions that are lost again */
static void random_flight(struct __test_metadata *_metadata, u32 iss)
{
	u32 min_rtt = 1 + unit_below(50 * MS), srtt = min_rtt + unit_below(50 * MS), i, k;
	u64 now = 1000000 + unit_rnd();
	struct model m = { };
	struct strata_tcp_rack r;
	struct strata_tcp_scb s;

	strata_rack_init(&r);
	strata_scb_init(&s, 3, true);
	memset(flown, 0, sizeof(flown));
	for (i = 0; i < FLIGHT; i++) {
		flown[i].tx.seq = iss + i * 1000;
		flown[i].tx.end_seq = iss + (i + 1) * 1000;
		flown[i].tx.pcount = 1;
		flown[i].tx.xmit_us = now;
		strata_scb_sent(&s, &flown[i].tx);
		/* several in one microsecond: the number decides */
		now += unit_below(3) * unit_below(MS);
	}
	for (i = 0; i < 4 * FLIGHT; i++) {
		struct seg *seg = &flown[unit_below(FLIGHT)];

		now += unit_below(min_rtt);
		s.reord_seen = s.reord_seen || !unit_below(40);
		if (!unit_below(20))
			strata_rack_dsack(&r, iss, iss + FLIGHT * 1000);
		for (k = unit_below(3); k && !seg->gone; k--) {
			deliver(_metadata, &r, &s, &m, seg, now, min_rtt);
			seg = &flown[unit_below(FLIGHT)];
		}
		detect(_metadata, &r, &s, &m, unit_below(2), srtt, min_rtt, now);
		for (k = 0; k < FLIGHT; k++) {
			struct strata_tcp_tx *t = &flown[k].tx;
			u8 marks = t->sacked & (STRATA_TX_LOST | STRATA_TX_RETRANS);

			if (flown[k].gone || marks != STRATA_TX_LOST || unit_below(3))
				continue;
			t->xmit_us = now;
			strata_scb_retrans(&s, t);
		}
	}
}

TEST(pseudo_code)
{
	unsigned int i;

	unit_seed(31);
	for (i = 0; i < 5000; i++)
		random_flight(_metadata, i & 1 ? unit_rnd() : -(FLIGHT / 2) * 1000);
}

TEST(delivery_rate)
{
	struct strata_rate_sample rs;
	struct strata_tcp_rate r = { };
	struct strata_tcp_scb s;
	u64 now = 1000000;
	unsigned int i, k;

	strata_scb_init(&s, 3, true);
	memset(tx, 0, sizeof(tx));
	for (i = 0; i < 50; i++) {
		for (k = 0; k < 5; k++) {
			tx[k] = (struct strata_tcp_tx){ .seq = i * 5 + k, .end_seq = i * 5 + k + 1,
							.pcount = 2 };
			strata_rate_sent(&r, &s, &tx[k], now);
			strata_scb_sent(&s, &tx[k]);
			ASSERT_EQ(2 * (k + 1), tx[k].in_flight);
		}
		now += 100 * MS;
		memset(&rs, 0, sizeof(rs));
		for (k = 0; k < 5; k++) {
			strata_rate_delivered(&r, &rs, &tx[k], now);
			strata_scb_acked(&s, &tx[k]);
		}
		strata_rate_gen(&r, &s, &rs, RTT, false);
		ASSERT_EQ(10, rs.delivered);
		ASSERT_EQ(100 * MS, rs.interval_us);
		ASSERT_EQ(10, r.rate_delivered);
		ASSERT_FALSE(rs.app_limited);
	}
	strata_rate_app_limited(&r, &s);
	strata_rate_sent(&r, &s, &tx[0], now);
	EXPECT_TRUE(tx[0].bits & STRATA_TXB_APP_LIMITED);
	strata_scb_sent(&s, &tx[0]);
	memset(&rs, 0, sizeof(rs));
	strata_rate_delivered(&r, &rs, &tx[0], now + 100 * MS);
	strata_scb_acked(&s, &tx[0]);
	strata_rate_gen(&r, &s, &rs, RTT, false);
	EXPECT_TRUE(rs.app_limited);
	EXPECT_EQ(0, r.app_limited);
	/* a lower sample that is only the application's does not replace the rate */
	EXPECT_EQ(10, r.rate_delivered);
	/* impossibly fast: invalid */
	strata_rate_sent(&r, &s, &tx[1], now);
	memset(&rs, 0, sizeof(rs));
	strata_rate_delivered(&r, &rs, &tx[1], now + 10);
	strata_rate_gen(&r, &s, &rs, RTT, false);
	EXPECT_EQ(-1, rs.delivered);
}

TEST_HARNESS_MAIN
