// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recovery: RFC 5681, 6582 (NewReno), 6937 (PRR), 5682 (F-RTO), 3522/4015 (Eifel), 3708
 * (D-SACK undo), 3042 (limited transmit), 3168 (ECE), step by step and at random.
 */
#include "unit.h"

static struct strata_tcp_recovery rec;
static struct strata_tcp_cong cc;
static struct strata_tcp_scb scb;
static struct strata_tcp_tx tx[256];
static struct strata_cong_sample cs;
static struct strata_rec_ack ra;
static u32 una, nxt;

static void send_segs(u32 n)
{
	while (n--) {
		u32 i = nxt % 256;

		tx[i] = (struct strata_tcp_tx){ .seq = nxt, .end_seq = nxt + 1, .pcount = 1 };
		nxt++;
		strata_scb_sent(&scb, &tx[i]);
		strata_prr_sent(&rec, 1);
	}
}

/* @n segments in flight, cwnd = @n */
static void setup(u32 n, bool sack)
{
	strata_cong_init(&cc, NULL);
	strata_scb_init(&scb, 3, sack);
	strata_recovery_init(&rec);
	memset(&cs, 0, sizeof(cs));
	cs.mss = 1000;
	cs.cwnd_limited = true;
	nxt = 256 * 100;
	una = nxt;
	cc.cwnd = n;
	cc.ssthresh = n / 2 > 2 ? n / 2 : 2;
	send_segs(n);
}

static struct strata_tcp_tx *seg(u32 seq)
{
	return &tx[seq % 256];
}

static void ack_begin(u32 ack)
{
	memset(&ra, 0, sizeof(ra));
	ra.una = una;
	ra.nxt = nxt;
	ra.ack = ack;
	ra.now_us = ++cs.now_us;
	for (; una != ack; una++)
		ra.delivered += strata_scb_acked(&scb, seg(una));
	if (!scb.sack_ok)
		strata_scb_reno_acked(&scb, ack - ra.una);
}

static u32 ack_end(u32 newly_lost)
{
	u32 todo = strata_recovery_ack(&rec, &cc, &scb, &ra), i;

	cs.acked = ra.delivered;
	cs.una_advanced = ra.ack != ra.una;
	if (todo & STRATA_REC_CLEAR_LOST)
		for (i = una; i != nxt; i++)
			strata_scb_unlost(&scb, seg(i));
	if (todo & STRATA_REC_MARK_HEAD)
		strata_scb_lost(&scb, seg(una));
	strata_recovery_cwnd(&rec, &cc, &scb, &cs, newly_lost, todo);
	return todo;
}

static void sack(u32 i)
{
	ra.delivered += strata_scb_sacked(&scb, seg(una + i));
}

static void retransmit(u32 seq)
{
	strata_scb_retrans(&scb, seg(seq));
	strata_prr_sent(&rec, 1);
}

static void lose_all(void)
{
	u32 i;

	for (i = una; i != nxt; i++)
		strata_scb_lost(&scb, seg(i));
}

TEST(limited_transmit)	/* RFC 3042: each of two duplicates lets one new segment out */
{
	setup(10, false);
	ack_begin(una);
	strata_scb_reno_dupack(&scb);
	ra.delivered = 1;
	EXPECT_EQ(0, ack_end(0));
	EXPECT_EQ(STRATA_CA_DISORDER, rec.state);
	EXPECT_EQ(10, cc.cwnd);
	EXPECT_EQ(9, strata_tcp_in_flight(&scb));
}

TEST(newreno)	/* RFC 6582 3.2 */
{
	u32 i, high, todo;

	setup(10, false);
	high = nxt;
	for (i = 0; i < 3; i++) {
		ack_begin(una);
		strata_scb_reno_dupack(&scb);
		ra.delivered = 1;
		todo = ack_end(0);
	}
	EXPECT_EQ(STRATA_REC_ENTERED | STRATA_REC_MARK_HEAD | STRATA_REC_RETRANSMIT, todo);
	EXPECT_EQ(STRATA_CA_RECOVERY, rec.state);
	EXPECT_EQ(5, cc.ssthresh);
	EXPECT_GT(cc.cwnd, strata_tcp_in_flight(&scb));
	retransmit(una);
	/* partial ACK: the next hole at once, stays in recovery */
	ack_begin(una + 4);
	todo = ack_end(0);
	EXPECT_EQ(STRATA_REC_MARK_HEAD | STRATA_REC_RETRANSMIT, todo);
	EXPECT_EQ(1, scb.lost_out);
	retransmit(una);
	/* all that was out: still held, since duplicates of it may follow */
	send_segs(2);
	ack_begin(high);
	ack_end(0);
	EXPECT_EQ(STRATA_CA_RECOVERY, rec.state);
	ack_begin(high + 1);
	ack_end(0);
	EXPECT_EQ(STRATA_CA_OPEN, rec.state);
	EXPECT_EQ(5, cc.cwnd);
	EXPECT_EQ(12 - 1, scb.delivered);
}

/* RFC 6937 3: the reordering timer finds nine of ten lost: one goes, the rest with what arrives */
TEST(prr_timer)
{
	u32 i, todo;

	setup(10, true);
	ack_begin(una);
	sack(9);
	EXPECT_EQ(0, ack_end(0));
	ack_begin(una);
	for (i = 0; i < 9; i++)
		strata_scb_lost(&scb, seg(una + i));
	todo = ack_end(9);
	EXPECT_EQ(STRATA_REC_ENTERED | STRATA_REC_RETRANSMIT, todo);
	EXPECT_EQ(0, strata_tcp_in_flight(&scb));
	EXPECT_EQ(1, cc.cwnd);
	retransmit(una);
	/* the timer again, in this recovery: no word of an arrival */
	ack_begin(una);
	ack_end(0);
	EXPECT_EQ(1, cc.cwnd);
	ack_begin(una + 1);
	ack_end(0);
	EXPECT_EQ(0, strata_tcp_in_flight(&scb));
	EXPECT_EQ(2, cc.cwnd);
}

/* RFC 6937: 20 in flight, one lost, 19 SACKs: cwnd falls to 10 in step, one segment for two */
TEST(prr_proportional)
{
	u32 i, todo, sent = 0, room, pipe;

	setup(20, true);
	for (i = 1; i < 20; i++) {
		u32 lost = 0;

		ack_begin(una);
		sack(i);
		if (i == 3)
			lost = strata_scb_lost(&scb, seg(una));
		todo = ack_end(lost);
		if (i < 3) {
			EXPECT_EQ(STRATA_CA_DISORDER, rec.state);
			continue;
		}
		EXPECT_EQ(STRATA_CA_RECOVERY, rec.state);
		EXPECT_EQ(10, cc.ssthresh);
		if (i == 3) {
			EXPECT_EQ(STRATA_REC_ENTERED | STRATA_REC_RETRANSMIT, todo);
			/* the retransmission goes in any case */
			ASSERT_GE(cc.cwnd, strata_tcp_in_flight(&scb) + 1);
			retransmit(una);
			sent++;
			continue;
		}
		pipe = strata_tcp_in_flight(&scb);
		room = cc.cwnd > pipe ? cc.cwnd - pipe : 0;
		send_segs(room);
		sent += room;
		/* half of what was delivered, rounded up */
		ASSERT_LE(sent, (i - 2 + 1) / 2 + 1);
	}
	ack_begin(rec.high_seq);
	ack_end(0);
	EXPECT_EQ(STRATA_CA_OPEN, rec.state);
	EXPECT_EQ(10, cc.cwnd);
	EXPECT_GE(sent, 8);
}

/* RFC 6937 SSRB: most of the flight is lost: back to ssthresh, by one more than was delivered */
TEST(prr_slow_start)
{
	u32 i, room, pipe, next;

	setup(20, true);
	next = una + 5;
	ack_begin(una);
	for (i = 15; i < 20; i++)
		sack(i);
	for (i = 0; i < 15; i++)
		strata_scb_lost(&scb, seg(una + i));
	ack_end(15);
	EXPECT_EQ(STRATA_CA_RECOVERY, rec.state);
	EXPECT_EQ(5, cc.cwnd);
	for (i = 0; i < 5; i++)
		retransmit(una + i);
	for (i = 0; i < 5; i++) {
		pipe = strata_tcp_in_flight(&scb);
		ack_begin(una + 1);
		ack_end(0);
		ASSERT_EQ(pipe - 1, strata_tcp_in_flight(&scb));
		room = cc.cwnd - strata_tcp_in_flight(&scb);
		ASSERT_EQ(2, room);
		while (room--)
			retransmit(next++);
	}
	EXPECT_EQ(10, strata_tcp_in_flight(&scb));
	ack_begin(una + 1);
	ack_end(0);
	EXPECT_EQ(10, cc.cwnd);
	/* new losses stop the growth: as much goes out as came in */
	strata_scb_lost(&scb, seg(una));
	ack_begin(una);
	ra.delivered = 1;
	ack_end(1);
	EXPECT_LE(cc.cwnd, strata_tcp_in_flight(&scb) + 2);
}

/* exactly ssthresh left in the network: PRR has no room, the fast retransmit goes all the same */
TEST(prr_first_retransmission)
{
	u32 i;

	setup(20, true);
	ack_begin(una);
	for (i = 15; i < 20; i++)
		sack(i);
	for (i = 0; i < 5; i++)
		strata_scb_lost(&scb, seg(una + i));
	rec.prr_out = 0;
	ack_end(5);
	EXPECT_EQ(10, strata_tcp_in_flight(&scb));
	EXPECT_EQ(11, cc.cwnd);
}

TEST(undo_by_dsack)	/* RFC 3708, 4015: all retransmissions were duplicates */
{
	u32 i;

	setup(10, true);
	cs.cwnd_limited = false;
	ack_begin(una);
	for (i = 2; i < 5; i++)
		sack(i);
	strata_scb_lost(&scb, seg(una));
	strata_scb_lost(&scb, seg(una + 1));
	ack_end(2);
	retransmit(una);
	retransmit(una + 1);
	ack_begin(rec.high_seq);
	ack_end(0);
	EXPECT_EQ(STRATA_CA_OPEN, rec.state);
	EXPECT_EQ(5, cc.cwnd);
	send_segs(2);
	for (i = 0; i < 2; i++) {
		ack_begin(una);
		ra.has_dsack = true;
		ra.dsack_segs = 1;
		ra.dsack_end = una - 8 + i;
		EXPECT_EQ(i ? STRATA_REC_UNDONE : 0, ack_end(0));
	}
	EXPECT_EQ(10, cc.cwnd);
	EXPECT_EQ(2, scb.dsack_dups);
	/* a duplicate that the network made proves nothing */
	setup(10, true);
	cs.cwnd_limited = false;
	ack_begin(una);
	sack(2);
	strata_scb_lost(&scb, seg(una));
	ack_end(1);
	scb.dsack_dups = 5;
	retransmit(una);
	ack_begin(rec.high_seq);
	ra.has_dsack = true;
	ra.dsack_end = una;
	EXPECT_EQ(0, ack_end(0));
	EXPECT_EQ(5, cc.cwnd);
}

TEST(undo_by_timestamp)	/* RFC 3522 */
{
	u32 i;

	for (i = 0; i < 2; i++) {
		setup(10, true);
		cs.cwnd_limited = false;
		ack_begin(una);
		sack(5);
		strata_scb_lost(&scb, seg(una));
		ack_end(1);
		retransmit(una);
		strata_recovery_retransmitted(&rec, 5000);
		strata_recovery_retransmitted(&rec, 6000);
		ack_begin(rec.high_seq);
		ra.has_ts = true;
		ra.tsecr = i ? 5000 : 4999;
		EXPECT_EQ(i ? 0 : STRATA_REC_UNDONE, ack_end(0));
		EXPECT_EQ(i ? 5 : 10, cc.cwnd);
		EXPECT_EQ(STRATA_CA_OPEN, rec.state);
	}
}

static void timeout(bool frto)
{
	static u32 last;

	lose_all();
	strata_recovery_timeout(&rec, &cc, &scb, una, nxt, una == last, frto, ++cs.now_us);
	last = una;
	retransmit(una);
	strata_recovery_retransmitted(&rec, 5000);
}

TEST(timeout_conventional)	/* RFC 5681 3.1 */
{
	setup(10, true);
	timeout(false);
	EXPECT_EQ(STRATA_CA_LOSS, rec.state);
	EXPECT_EQ(1, cc.cwnd);
	EXPECT_EQ(5, cc.ssthresh);
	EXPECT_EQ(1, strata_tcp_in_flight(&scb));
	timeout(false);		/* once more: ssthresh stays */
	EXPECT_EQ(5, cc.ssthresh);
	ack_begin(una + 1);
	EXPECT_EQ(STRATA_REC_RETRANSMIT, ack_end(0));
	EXPECT_EQ(2, cc.cwnd);
	ack_begin(nxt);
	ack_end(0);
	EXPECT_EQ(STRATA_CA_OPEN, rec.state);
	EXPECT_GE(cc.cwnd, 5);
	/* another segment than the first: reduced once more */
	setup(10, true);
	timeout(false);
	ack_begin(una + 1);
	ack_end(0);
	timeout(false);
	EXPECT_EQ(2, cc.ssthresh);
}

TEST(frto_spurious)	/* RFC 5682 3.1 */
{
	setup(10, true);
	timeout(true);
	ack_begin(una);			/* a duplicate: step 2 waits */
	EXPECT_EQ(0, ack_end(0));
	ack_begin(una + 1);		/* 2b */
	ra.can_send_new = true;
	EXPECT_EQ(STRATA_REC_SEND_NEW, ack_end(0));
	EXPECT_TRUE(strata_frto_waiting(&rec));
	send_segs(2);
	ack_begin(una + 1);		/* 3b: never retransmitted, and it arrived */
	ra.orig_acked = true;
	EXPECT_EQ(STRATA_REC_UNDONE | STRATA_REC_CLEAR_LOST, ack_end(0));
	EXPECT_EQ(STRATA_CA_OPEN, rec.state);
	EXPECT_EQ(0, scb.lost_out);
	EXPECT_GE(cc.cwnd, 10);
}

TEST(frto_genuine)
{
	setup(10, true);
	timeout(true);
	ack_begin(una + 1);
	ra.can_send_new = true;
	EXPECT_EQ(STRATA_REC_SEND_NEW, ack_end(0));
	send_segs(2);
	ack_begin(una);			/* 3a: only the new data is SACKed */
	sack(9);
	EXPECT_EQ(STRATA_REC_RETRANSMIT, ack_end(0));
	EXPECT_EQ(STRATA_CA_LOSS, rec.state);
	EXPECT_FALSE(strata_frto_waiting(&rec));
	/* nothing new to send: conventional at step 2 */
	setup(10, true);
	timeout(true);
	ack_begin(una + 1);
	EXPECT_EQ(STRATA_REC_RETRANSMIT, ack_end(0));
	EXPECT_EQ(0, rec.frto);
	/* 2a: everything acknowledged by the retransmission */
	setup(10, true);
	timeout(true);
	ack_begin(nxt);
	ra.can_send_new = true;
	EXPECT_EQ(0, ack_end(0));
	EXPECT_EQ(STRATA_CA_OPEN, rec.state);
}

TEST(frto_not_in_recovery)	/* RFC 5682 3.1 (1) */
{
	setup(10, true);
	ack_begin(una);
	sack(9);
	strata_scb_lost(&scb, seg(una));
	ack_end(1);
	EXPECT_EQ(STRATA_CA_RECOVERY, rec.state);
	timeout(true);
	EXPECT_EQ(0, rec.frto);
	/* nor where the same segment times out again: RecoveryPoint is still ahead */
	timeout(true);
	EXPECT_EQ(0, rec.frto);
	/* but after a timeout alone the steps begin anew with each */
	setup(10, true);
	timeout(true);
	EXPECT_EQ(2, rec.frto);
	timeout(true);
	EXPECT_EQ(2, rec.frto);
}

/* RFC 8985 6.3: two of ten were sent too lately to be marked: in flight beside the first */
TEST(timeout_spares)
{
	u32 i;

	setup(10, true);
	for (i = 0; i < 8; i++)
		strata_scb_lost(&scb, seg(una + i));
	strata_recovery_timeout(&rec, &cc, &scb, una, nxt, false, false, ++cs.now_us);
	EXPECT_EQ(2, strata_tcp_in_flight(&scb));
	EXPECT_EQ(3, cc.cwnd);
	EXPECT_EQ(5, cc.ssthresh);
}

TEST(timeout_undone_by_timestamp)
{
	setup(10, true);
	timeout(false);
	ack_begin(una + 1);
	ra.has_ts = true;
	ra.tsecr = 4000;
	EXPECT_EQ(STRATA_REC_UNDONE | STRATA_REC_CLEAR_LOST, ack_end(0));
	EXPECT_EQ(STRATA_CA_OPEN, rec.state);
	EXPECT_GE(cc.cwnd, 10);
}

TEST(ece_once_per_window)	/* RFC 3168 6.1.2 */
{
	setup(10, true);
	ack_begin(una + 1);
	ra.ece = true;
	ack_end(0);
	EXPECT_EQ(STRATA_CA_CWR, rec.state);
	EXPECT_EQ(5, cc.ssthresh);
	ack_begin(una + 1);
	ra.ece = true;
	ack_end(0);
	EXPECT_EQ(5, cc.ssthresh);
	/* nor for another reason: a device's full queue, what a tail loss probe repaired */
	strata_recovery_cwr(&rec, &cc, &scb, nxt, cs.now_us);
	EXPECT_EQ(5, cc.ssthresh);
	send_segs(1);
	ack_begin(nxt - 1);
	ack_end(0);
	EXPECT_EQ(STRATA_CA_CWR, rec.state);
	ack_begin(nxt);
	ack_end(0);
	EXPECT_EQ(STRATA_CA_OPEN, rec.state);
	EXPECT_EQ(5, cc.cwnd);
}

TEST(ece_behind_the_window)	/* RFC 3168 6.1.2: something sent after the reduction was marked */
{
	setup(10, true);
	ack_begin(una + 1);
	ra.ece = true;
	ack_end(0);
	send_segs(1);
	ack_begin(nxt);
	ra.ece = true;
	ack_end(0);
	EXPECT_EQ(STRATA_CA_CWR, rec.state);
	EXPECT_EQ(2, cc.ssthresh);
}

TEST(cwr_is_due)	/* RFC 3168 6.1.2: every reduction is told */
{
	setup(10, true);
	EXPECT_FALSE(rec.cwr_due);
	ack_begin(una + 1);
	ra.ece = true;
	ack_end(0);
	EXPECT_TRUE(rec.cwr_due);
	setup(10, true);
	cc.ssthresh = 100;
	timeout(false);
	EXPECT_TRUE(rec.cwr_due);
	/* it was spurious: nothing to tell */
	ack_begin(una + 1);
	ra.has_ts = true;
	ra.tsecr = 4000;
	ack_end(0);
	EXPECT_FALSE(rec.cwr_due);
}

TEST(ece_is_not_undone)	/* RFC 3168 6.1.2: whatever becomes of the loss that came with it */
{
	setup(10, true);
	timeout(false);
	ack_begin(una + 1);
	ra.ece = true;
	ra.has_ts = true;
	ra.tsecr = 4000;
	ack_end(0);
	EXPECT_EQ(5, cc.ssthresh);
	EXPECT_GT(10, cc.cwnd);
	EXPECT_TRUE(rec.cwr_due);
}

/* a lossy path at random: the machine always comes back to Open, cwnd stays sane */
TEST(dsack_alone)	/* RFC 5681 3.1: an ACK of nothing new lets no window grow */
{
	setup(10, true);
	cc.ssthresh = 100;
	scb.reord_seen = 1;
	cs.acked = 1;
	cs.only_dup = true;
	strata_recovery_cwnd(&rec, &cc, &scb, &cs, 0, 0);
	EXPECT_EQ(10, cc.cwnd);
	/* what is SACKed anew does, where there is reordering */
	cs.only_dup = false;
	strata_recovery_cwnd(&rec, &cc, &scb, &cs, 0, 0);
	EXPECT_EQ(11, cc.cwnd);
}

TEST(random_paths)
{
	u32 round, i, step;

	unit_seed(30);
	for (round = 0; round < 20000; round++) {
		setup(4 + unit_below(60), round & 1);
		for (step = 0; step < 40; step++) {
			u32 fresh = 0, out = nxt - una;

			if (out && !unit_below(12)) {
				timeout(unit_rnd() & 1);
			} else {
				ack_begin(unit_below(3) ? una + unit_below(out + 1) : una);
				ra.can_send_new = unit_rnd() & 1;
				ra.has_ts = true;
				ra.tsecr = 4990 + unit_below(20);
				ra.ece = !unit_below(10);
				for (i = una; scb.sack_ok && i != nxt; i++) {
					if (unit_below(4) == 0)
						ra.delivered += strata_scb_sacked(&scb, seg(i));
					else if (unit_below(6) == 0)
						fresh += strata_scb_lost(&scb, seg(i));
				}
				if (!scb.sack_ok && ra.ack == ra.una && una != nxt) {
					strata_scb_reno_dupack(&scb);
					ra.delivered = 1;
				}
				ack_end(fresh);
			}
			ASSERT_GE(cc.cwnd, 1);
			ASSERT_LE(cc.cwnd, 100000);
			ASSERT_GE(cc.ssthresh, 2);
			ASSERT_LE(scb.sacked_out + scb.lost_out, scb.packets_out);
			ASSERT_LE(strata_tcp_in_flight(&scb), 2 * scb.packets_out);
			for (i = una; i != nxt; i++)
				if ((seg(i)->sacked & (STRATA_TX_LOST | STRATA_TX_RETRANS)) ==
				    STRATA_TX_LOST && strata_tcp_in_flight(&scb) < cc.cwnd)
					retransmit(i);
			while (nxt - una < 200 && strata_tcp_in_flight(&scb) < cc.cwnd)
				send_segs(1);
		}
		/* everything arrives */
		ack_begin(nxt);
		ack_end(0);
		send_segs(1);
		ack_begin(nxt);
		ack_end(0);
		ASSERT_EQ(STRATA_CA_OPEN, rec.state);
		ASSERT_EQ(0, scb.packets_out | scb.sacked_out | scb.lost_out | scb.retrans_out);
		strata_cong_exit(&cc);
		ASSERT_EQ(0, shim_module.refs);
	}
}

TEST_HARNESS_MAIN
