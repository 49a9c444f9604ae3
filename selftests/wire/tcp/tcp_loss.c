// SPDX-License-Identifier: GPL-2.0-only
/*
 * Losses: what is sent again, when, and how much besides, by SACK, RACK, duplicate ACKs and
 * timers; and what happens when it was no loss.
 */
#include "wire_loss.h"

/* the hole is at segment @i of 8; three SACKs show it */
#define HOLE(i)								\
	CASE(hole_##i, "RFC 6675 5 (4), RFC 8985 6.2: three segments beyond it") \
	{								\
		int fd = sent(self->lfd, "mss 1000 sackok", 8, 0);	\
		uint32_t at = 1 + (i) * 1000;				\
									\
		ASSERT_LE(0, fd);					\
		in("A 1 ack %u sack %u-%u", at, at + 1000, at + 2000);	\
		in("A 1 ack %u sack %u-%u", at, at + 1000, at + 3000);	\
		quiet(1);						\
		in("A 1 ack %u sack %u-%u", at, at + 1000, at + 4000);	\
		out("A %u+1000", at);					\
		in("A 1 ack 8001");					\
		quiet(1000);						\
	}

HOLE(0)
HOLE(1)
HOLE(2)
HOLE(3)
HOLE(4)

CASE(two_holes, "RFC 6675 5 (C): each hole once")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-3001 sack 4001-10001");
	out("A 1+1000");
	out("A 3001+1000");
	quiet(50);
	in("A 1 ack 3001 sack 4001-10001");
	quiet(50);
	in("A 1 ack 10001");
	quiet(1000);
}

CASE(rexmit_lost, "RFC 8985 3.4: a lost retransmission is found by time")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 4);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-5001");
	out("A 1+1000");
	out("A 10001+1000");		/* PRR lets new data go */
	sleep_s(0.04);
	in("A 1 ack 1 sack 1001-5001 sack 10001-11001");
	out("A 1+1000");
}

CASE(probe_is_no_repair, "RFC 6675 5 (C), RFC 8985 7.3: the tail loss probe repairs no other segment: what is lost goes again")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 0);

	ASSERT_LE(0, fd);
	out_within(100, "A 9001+1000");
	in("A 1 ack 1 sack 1001-5001");
	if (NATIVE("counts the probe as if it were one of the lost ones, and waits for the next ACK"))
		return;
	out("A 1+1000");
	in("A 1 ack 10001");
	quiet(1000);
}

CASE(limited_transmit, "RFC 3042 2: the first two duplicate ACKs let new segments go")
{
	int fd = sent(self->lfd, "mss 1000", 10, 4);

	ASSERT_LE(0, fd);
	if (NATIVE("puts them off, to send a larger piece (TSO deferral)"))
		return;
	in("A 1 ack 1");
	out("A 10001+1000");
	in("A 1 ack 1");
	out("A 11001+1000");
	ASSERT_EQ(10, INFO(fd, tcpi_snd_cwnd));
	in("A 1 ack 1");
	out("A 1+1000");
	/* 0.7 of the ten, not of the twelve */
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));
}

CASE(limited_transmit_sack, "RFC 3042 2, RFC 6675 5 (3): with SACK, too")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 4);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-2001");
	out("A 10001+1000");
	ASSERT_EQ(10, INFO(fd, tcpi_snd_cwnd));
	if (NATIVE("puts the second off, to send a larger piece (TSO deferral)"))
		return;
	in("A 1 ack 1 sack 1001-3001");
	out("A 11001+1000");
	ASSERT_EQ(10, INFO(fd, tcpi_snd_cwnd));
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
}

CASE(limited_transmit_rwnd, "RFC 3042 2: but not beyond the peer's window")
{
	int fd = w_passive(self->lfd, "mss 1000");
	int i;

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	in("PA 11+10 ack 1 win 4000");
	out_within(200, "A 1 ack 21");
	put(fd, 8000);
	for (i = 0; i < 4; i++)
		out("A %d+1000", 1 + i * 1000);
	in("A 21 ack 1 win 4000");
	in("A 21 ack 1 win 4000");
	quiet(50);
}

CASE(dupack_needs, "RFC 5681 2: an ACK with data or another window is no duplicate")
{
	int fd = sent(self->lfd, "mss 1000", 8, 0);
	int i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 4; i++)
		in("PA %d+10 ack 1", 1 + i * 10);
	for (i = 0; i < 5; i++) {
		struct wseg s;

		if (w_next(20, &s)) {
			ASSERT_EQ(0, s.len);
		}
	}
}

CASE(dupack_window, "RFC 5681 2 (e): an ACK that opens the window is no duplicate")
{
	int fd, i;

	in("S 0 mss 1000 win 20000");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 20000");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 8000);
	ASSERT_EQ(8, segments(1));
	for (i = 1; i < 6; i++)
		in("A 1 ack 1 win %d", 20000 + i * 1000);
	quiet(50);
}

CASE(dupack_old, "RFC 5681 2 (d): nor is one that was overtaken")
{
	int fd = sent(self->lfd, "mss 1000", 8, 0), i;

	ASSERT_LE(0, fd);
	in("A 1 ack 3001");
	for (i = 0; i < 5; i++)
		in("A 1 ack 1001");
	quiet(50);
}

CASE(dupack_anew, "RFC 5681 3.2: an ACK that moves SND.UNA begins the count of duplicates anew")
{
	int fd = sent(self->lfd, "mss 1000", 8, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1");
	in("A 1 ack 1");
	in("A 1 ack 1001");
	in("A 1 ack 1001");
	in("A 1 ack 1001");
	quiet(20);
	in("A 1 ack 1001");
	out("A 1001+1000");
}

CASE(newreno_partial, "RFC 6582 3.2 step 3: a partial ACK shows the next hole")
{
	int fd = sent(self->lfd, "mss 1000", 8, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1");
	in("A 1 ack 1");
	in("A 1 ack 1");
	out("A 1+1000");
	in("A 1 ack 3001");
	out("A 3001+1000");
	in("A 1 ack 8001");
	quiet(1000);
}

CASE(newreno_timer, "RFC 6582 3.2 step 3: a partial ACK starts the timer anew")
{
	int fd = sent(self->lfd, "mss 1000", 8, 0), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		in("A 1 ack 1");
	out("A 1+1000");
	sleep_s(0.15);
	in("A 1 ack 3001");
	out("A 3001+1000");
	out_at(RTO, "A 3001+1000");
}

CASE(newreno_timeout, "RFC 6582 3.2 step 2, 4: a timeout's duplicates show no loss")
{
	int fd = sent(self->lfd, "mss 1000", 5, 0), i;

	ASSERT_LE(0, fd);
	out_at(RTO, "A 1+1000");
	in("A 1 ack 5001");
	put(fd, 4000);
	ASSERT_EQ(4, segments(1));
	for (i = 0; i < 4; i++)
		in("A 1 ack 5001");
	quiet(50);
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));
}

CASE(newreno_fin, "RFC 6582 3.2 step 3: also if that is the last segment, with the FIN")
{
	struct wseg s;
	int fd, i;

	in("S 0 mss 1000 win 0");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 0");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 5000);
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	in("A 1 ack 1 win 60000");
	for (i = 0; i < 5; i++)
		ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(1, s.flags & 1);
	for (i = 0; i < 3; i++)
		in("A 1 ack 1 win 60000");
	out("A 1+1000");
	in("A 1 ack 4001 win 60000");
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(1, s.flags & 1);
	ASSERT_EQ(1000, s.len);
	in("A 1 ack 5002 win 60000");
}

CASE(newreno_once, "RFC 6582 4: duplicates of the same window start no second recovery")
{
	int fd = sent(self->lfd, "mss 1000", 8, 0);
	int i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		in("A 1 ack 1");
	out("A 1+1000");
	for (i = 0; i < 4; i++)
		in("A 1 ack 1");
	quiet(50);
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));	/* of ten */
}

CASE(halved, "RFC 5681 3.2 (2), RFC 9438 4.6: the window afterwards is 0.7 of what it was")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-10001");
	out("A 1+1000");
	in("A 1 ack 10001");
	quiet(50);
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));
	ASSERT_EQ(7, INFO(fd, tcpi_snd_cwnd));
}

CASE(halved_reno, "RFC 5681 3.1 (4): half of it with Reno")
{
	int fd;

	ASSERT_EQ(0, setsockopt(self->lfd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	fd = sent(self->lfd, "mss 1000 sackok", 10, 0);
	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-10001");
	out("A 1+1000");
	in("A 1 ack 10001");
	quiet(50);
	ASSERT_EQ(5, INFO(fd, tcpi_snd_ssthresh));
	ASSERT_EQ(5, INFO(fd, tcpi_snd_cwnd));
}

CASE(part_no_sample, "RFC 6298 3: an ACK of a part of a segment measures nothing")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 1, 0), rtt;

	ASSERT_LE(0, fd);
	rtt = INFO(fd, tcpi_rtt);
	sleep_s(0.06);
	in("A 1 ack 501");
	sleep_s(0.01);
	ASSERT_EQ(rtt, INFO(fd, tcpi_rtt));
	in("A 1 ack 1001");
	sleep_s(0.01);
	ASSERT_LT(rtt, INFO(fd, tcpi_rtt));
}

CASE(rto_window, "RFC 5681 3.1 (4), (5): after a timeout one segment, and half as threshold")
{
	int fd;

	ASSERT_EQ(0, setsockopt(self->lfd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	fd = sent(self->lfd, "mss 1000", 10, 0);
	ASSERT_LE(0, fd);
	out_at(RTO, "A 1+1000");
	ASSERT_EQ(1, INFO(fd, tcpi_snd_cwnd));
	ASSERT_EQ(5, INFO(fd, tcpi_snd_ssthresh));
	quiet(50);
}

CASE(prr_slow, "RFC 6937 3.1: in recovery new data in the measure of what is delivered")
{
	int fd, i, n = 0;
	struct wseg s;

	ASSERT_EQ(0, setsockopt(self->lfd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	fd = sent(self->lfd, "mss 1000 sackok", 10, 20);
	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
	while (w_next(5, &s))
		n++;
	for (i = 5; i <= 10; i++) {
		in("A 1 ack 1 sack 1001-%d", i * 1000 + 1);
		while (w_next(5, &s))
			n++;
	}
	/* nine delivered of ten, half of them may be replaced */
	ASSERT_LE(3, n);
	ASSERT_GE(5, n);
}

CASE(reordering, "RFC 8985 6.2 step 4: the number that came late was no loss; patience grows")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 8, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-2001");
	in("A 1 ack 1 sack 1001-3001");
	in("A 1 ack 3001");		/* it was late */
	quiet(10);
	in("A 1 ack 8001");
	quiet(1000);
	ASSERT_EQ(0, INFO(fd, tcpi_total_retrans));
}

CASE(undo_dsack, "RFC 3708 2, RFC 4015 3: all retransmissions were needless: window as before")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-5001");
	out("A 1+1000");
	in("A 1 ack 10001 sack 1-1001");
	quiet(50);
	ASSERT_LE(10, INFO(fd, tcpi_snd_cwnd));
	ASSERT_LE(10, INFO(fd, tcpi_snd_ssthresh));
	ASSERT_EQ(1, w_counted("TCPFullUndo"));
	ASSERT_EQ(0, w_counted("TCPDSACKUndo"));
}

CASE(undo_dsack_late, "RFC 3708 2, RFC 2883 5: also when all was acknowledged before the D-SACK")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-5001");
	out("A 1+1000");
	in("A 1 ack 10001");
	in("A 1 ack 10001 sack 1-1001");
	quiet(50);
	ASSERT_LE(10, INFO(fd, tcpi_snd_cwnd));
	ASSERT_LE(10, INFO(fd, tcpi_snd_ssthresh));
	ASSERT_EQ(1, w_counted("TCPDSACKUndo"));
	ASSERT_EQ(0, w_counted("TCPFullUndo"));
}

CASE(undo_eifel, "RFC 3522 3.2, RFC 4015 3: the ACK echoes the first transmission")
{
	int fd = sent(self->lfd, "mss 1000 sackok ts", 10, 0);
	uint32_t first = w.ts_last;

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 989-4941");
	out("A 1+988");
	in("A 1 ack 9881 ecr-%u", w.ts_last - first);
	quiet(50);
	ASSERT_LE(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(frto_spurious, "RFC 5682 3.1 (3b): the originals arrive: only new data, no retransmissions")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 10);
	struct wseg s;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_next(1000, &s));		/* TLP */
	ASSERT_TRUE(w_next(1000, &s));		/* RTO */
	ASSERT_EQ(1, s.seq);
	in("A 1 ack 2001");
	while (w_next(20, &s))
		ASSERT_LE(10001, s.seq);
	in("A 1 ack 4001");
	while (w_next(20, &s))
		ASSERT_LE(10001, s.seq);
	ASSERT_LE(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(frto_genuine, "RFC 5682 3.1 (2a), (3a): nothing of the originals: go on sending again")
{
	int fd = sent(self->lfd, "mss 1000", 5, 0);

	ASSERT_LE(0, fd);
	out_at(RTO, "A 1+1000");
	in("A 1 ack 1001");
	out("A 1001+1000");
	out("A 2001+1000");
	in("A 1 ack 3001");
	out("A 3001+1000");
	out("PA 4001+1000");
}

CASE(tlp, "RFC 8985 7.3: the last segment again before the timeout")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);
	double began = now_s();

	ASSERT_LE(0, fd);
	out_within(100, "PA 4001+1000");
	ASSERT_GT(w.sim ? 0.1 : 0.5, now_s() - began);
}

CASE(tlp_new_data, "RFC 8985 7.3: or new data, if the window lets it")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 2);

	ASSERT_LE(0, fd);
	out_within(100, "A 10001+1000");
}

CASE(tlp_one, "RFC 8985 7.2: with one in flight the peer's delayed ACK is waited for")
{
	int fd = w_passive(self->lfd, "mss 1000 sackok");

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	quiet(w.sim ? 190 : 100);
}

CASE(tlp_once, "RFC 8985 7.3: one probe, then the timeout")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	out_within(100, "PA 4001+1000");
	out_at(RTO, "A 1+1000");
}

CASE(tlp_no_sack, "RFC 8985 7.2: none without SACK")
{
	int fd = sent(self->lfd, "mss 1000", 5, 0);

	ASSERT_LE(0, fd);
	out_at(RTO, "A 1+1000");
}

CASE(tlp_repaired, "RFC 8985 7.4.2: what it repaired was a loss: the window shrinks")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	out_within(100, "PA 4001+1000");
	in("A 1 ack 5001");
	put(fd, 1000);
	out("PA 5001+1000");
	in("A 1 ack 6001");
	quiet(50);
	ASSERT_GT(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(tlp_needless, "RFC 8985 7.4.2: a D-SACK of the probe: no loss")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	out_within(100, "PA 4001+1000");
	in("A 1 ack 5001");
	in("A 1 ack 5001 sack 4001-5001");
	put(fd, 1000);
	out("PA 5001+1000");
	in("A 1 ack 6001");
	quiet(50);
	ASSERT_LE(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(renege, "RFC 2018 8 (MUST): a timeout, an early one, forgets what was SACKed")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);
	long before = w_counted("TCPSACKReneging");

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-5001");
	out("A 1+1000");
	in("A 1 ack 1001");		/* and nothing of 1001-5001 any more */
	/* not after a whole RTO (200 ms): half a round trip, 10 ms at least */
	out_within(100, "A 1001+1000");
	ASSERT_EQ(before + 1, w_counted("TCPSACKReneging"));
}

CASE(renege_not, "RFC 2018 8: the ACK that follows says what was SACKed is there: nothing goes again")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-5001");
	out("A 1+1000");
	in("A 1 ack 1001");
	in("A 1 ack 5001");
	quiet(300);
	ASSERT_EQ(0, w_counted("TCPSACKReneging"));
}

CASE(rto_doubles, "RFC 6298 5.5, 5.7: doubles, up to a new sample, which ends the backoff (Karn)")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	out_at(204, "PA 1+100");
	out_at(2 * 204, "PA 1+100");
	in("A 1 ack 101");		/* of a copy: no sample */
	put(fd, 100);
	out("PA 101+100");
	in("A 1 ack 201");		/* this is one */
	put(fd, 100);
	out("PA 201+100");
	out_at(204, "PA 201+100");
}

CASE(rto_restarts, "RFC 6298 5.3: an ACK of new data restarts the timer")
{
	int fd = sent(self->lfd, "mss 1000", 3, 0);

	ASSERT_LE(0, fd);
	sleep_s(0.1);
	in("A 1 ack 1001");
	/* longer than RTO: the round trip of the first was 100 ms */
	out_at(INFO(fd, tcpi_rto) / 1000, "A 1001+1000");
}

CASE(rto_stops, "RFC 6298 5.2: all acknowledged, no timer")
{
	int fd = sent(self->lfd, "mss 1000", 3, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 3001");
	quiet(3000);
}

CASE(rto_max, "RFC 6298 2.5: never more than two minutes between two")
{
	int fd = w_passive(self->lfd, "mss 1000"), i;
	struct wseg s;
	double last, gap = 0;

	LONG(700);
	ASSERT_LE(0, fd);
	put(fd, 100);
	last = now_s();
	for (i = 0; i < 14; i++) {
		ASSERT_TRUE(w_next(150000, &s));
		gap = now_s() - last;
		last = now_s();
	}
	ASSERT_LT(119, gap);
	ASSERT_GT(122, gap);
}

CASE(rto_srtt, "RFC 6298 2: RTO follows the round trip")
{
	int fd = w_passive(self->lfd, "mss 1000"), i;

	LONG(10);
	ASSERT_LE(0, fd);
	for (i = 0; i < 40; i++) {
		put(fd, 100);
		out("PA %d+100", 1 + i * 100);
		sleep_s(0.15);
		in("A 1 ack %d", 101 + i * 100);
	}
	put(fd, 100);
	out("PA 4001+100");
	out_at(350, "PA 4001+100");	/* 150 ms and the floor of 200 */
}

CASE(syn_lost_window, "RFC 5681 3.1, RFC 6298 5.7: the initial window is one when the SYN was lost")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	out_at(1000, "S 0");
	in("SA 0 ack 1 mss 1000");
	out("A 1 ack 1");
	put(fd, 5000);
	ASSERT_TRUE(w_next(100, &(struct wseg){}));
	if (NATIVE("reduces it after the second loss of a SYN")) {
		ASSERT_TRUE(w_next(100, &(struct wseg){}));
	} else {
		quiet(100);
	}
}

CASE(syn_lost_rto, "RFC 6298 5.7: then no RTO is known: three seconds")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	out_at(1000, "S 0");
	in("SA 0 ack 1 mss 1000");
	out("A 1 ack 1");
	put(fd, 100);
	out("PA 1+100");
	out_at(3000, "PA 1+100");
}

CASE(synack_lost_rto, "RFC 6298 5.7: the same where it was the SYN-ACK")
{
	int fd;

	in("S 0 mss 1000");
	out("SA 0 ack 1");
	out_at(1000, "SA 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	out_at(3000, "PA 1+100");
}

TEST_HARNESS_MAIN
