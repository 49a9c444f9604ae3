// SPDX-License-Identifier: GPL-2.0-only
/*
 * RACK-TLP (RFC 8985) and proportional rate reduction (RFC 6937), where the other files do not
 * come by them: what makes a tail loss probe wait, what its answer shows, and how many segments
 * each ACK of a recovery lets out.
 */
#include "wire_loss.h"

/* @fd's window is as it was after its first @n segments: nothing was taken for a loss */
static bool unreduced(int fd, int n)
{
	return INFO(fd, tcpi_snd_cwnd) >= n && INFO(fd, tcpi_snd_ssthresh) > n;
}

CASE(tlp_restarts_ack, "RFC 8985 7.2 (SHOULD): an ACK of new data starts the probe's timer again")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 2001");
	quiet(70);		/* 110 after the flight, which had 82 */
	out_within(60, "PA 4001+1000");
}

CASE(tlp_restarts_data, "RFC 8985 7.2 (SHOULD): new data does, too")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 3, 0);

	ASSERT_LE(0, fd);
	sleep_s(0.02);
	put(fd, 1000);
	out("PA 3001+1000");
	quiet(70);		/* 130 after the flight */
	out_within(60, "PA 3001+1000");
}

CASE(reo_timer_stays,
     "RFC 8985 6.2 step 5: an ACK that tells RACK nothing new leaves the reordering timer alone")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 3, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-3001");
	in("A 1 ack 1 sack 1001-3001");
	in("A 1 ack 1 sack 1001-3001 win 30000");
	out_within(35, "A 1+1000");
}

CASE(tlp_no_rtt,
     "RFC 8985 7.2 (SHOULD): without a round trip measured the probe goes after a second")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	out_at(1000, "S 0");	/* Karn: its answer measures nothing */
	in("SA 0 ack 1 mss 1000 sackok");
	out("A 1 ack 1");
	put(fd, 1000);
	out("PA 1+1000");
	out_at(1000, "PA 1+1000");
	out_at(3000, "PA 1+1000");	/* the timeout: RFC 6298 5.7 */
}

CASE(tlp_peer_window, "RFC 8985 7.3 (SHOULD): no new data beyond the peer's window: the last again")
{
	int fd, i;

	in("S 0 mss 1000 sackok win 4000");
	out("SA 0 ack 1");
	sleep_s(0.04);
	in("A 1 ack 1 win 4000");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 8000);
	for (i = 0; i < 4; i++)
		out("A %d+1000", 1 + i * 1000);
	quiet(70);
	out_within(60, "A 3001+1000");
}

CASE(tlp_exposes,
     "RFC 8985 7.3 (MUST), 7.4.1: the answer to the probe shows what was lost before it")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	out_within(100, "PA 4001+1000");
	sleep_s(0.06);		/* not less than the handshake: that would be the first copy's */
	in("A 1 ack 1 sack 4001-5001");
	out("A 1+1000");
	in("A 1 ack 1001 sack 4001-5001");
	out("A 1001+1000");
	out("A 2001+1000");
	in("A 1 ack 3001 sack 4001-5001");
	out("A 3001+1000");
	in("A 1 ack 5001");
	quiet(1000);
}

CASE(tlp_new_data_arrives, "RFC 8985 7.4.2: a probe of new data that arrives repaired nothing")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 1);

	ASSERT_LE(0, fd);
	out_within(100, "PA 10001+1000");
	in("A 1 ack 11001");
	put(fd, 1000);
	out("PA 11001+1000");
	in("A 1 ack 12001");
	quiet(50);
	ASSERT_TRUE(unreduced(fd, 10));
}

CASE(tlp_no_dsack, "RFC 8985 7.4.2: a plain duplicate ACK tells of the probe where no D-SACK does")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	out_within(100, "PA 4001+1000");
	in("A 1 ack 5001");
	in("A 1 ack 5001");
	put(fd, 1000);
	out("PA 5001+1000");
	in("A 1 ack 6001");
	quiet(50);
	ASSERT_TRUE(unreduced(fd, 10));
}

CASE(tlp_lost, "RFC 8985 7.3 (MUST), 8: after the probe the timeout is the last resort")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 10);

	ASSERT_LE(0, fd);
	out_within(100, "A 10001+1000");
	out_at(RTO, "A 1+1000");
	quiet(200);		/* neither a probe nor the rest of the flight */
	ASSERT_EQ(1, INFO(fd, tcpi_snd_cwnd));
}

CASE(reordering_seen,
     "RFC 8985 6.2 step 4 (SHOULD): once reordering was seen DupThresh counts no more")
{
	int rtt = long_rtt(), i;
	int fd = sent_rtt(rtt, self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-2001");
	in("A 1 ack 5001");		/* the first was late */
	ASSERT_EQ(1, w_counted("TCPSACKReorder"));
	put(fd, 8000);
	for (i = 5; i < 13; i++)
		out("%s %d+1000", i < 12 ? "A" : "PA", 1 + i * 1000);
	sleep_s(rtt / 1000.0);
	in("A 1 ack 5001 sack 6001-11001");
	quiet(rtt / 8);			/* a quarter of the round trip is 10 */
	out_within(rtt * 3 / 10, "A 5001+1000");
}

/* what makes RACK wait longer for what is late: how a needless retransmission came about */
enum widens { BY_RACK, BY_PROBE, BY_NETWORK };

/*
 * On a path of @rtt ms with reordering a segment came twice, @why, which a D-SACK has told. Eight
 * segments later: that behind the first of them is SACKed; the first is at @at. The socket, or -1
 */
static int dsacked(int lfd, int rtt, const char *recovery, enum widens why, int *at)
{
	int i, fd;

	if (!w_sysctl("tcp_recovery", recovery) ||
	    (why != BY_PROBE && !w_no_tail_probe()))
		return -1;
	fd = sent_rtt(rtt, lfd, "mss 1000 sackok", 5, 0);
	/* the first was late */
	if (fd < 0 || !w_in("A 1 ack 1 sack 1001-2001") || !w_in("A 1 ack 5001") ||
	    w_put(fd, 4000, 0) != 4000)
		return -1;
	for (i = 5; i < 9; i++)
		if (!w_out(-1, "%s %d+1000", i < 8 ? "A" : "PA", 1 + i * 1000))
			return -1;
	switch (why) {
	case BY_RACK:	/* the first of these, too, and later than a quarter of the round trip */
		sleep_s(rtt / 1000.0);
		if (!w_in("A 1 ack 5001 sack 6001-9001") || !w_out(-rtt, "A 5001+1000"))
			return -1;
		break;
	case BY_PROBE:
		if (!w_out(-3 * rtt - 300, "PA 8001+1000"))
			return -1;
		break;
	case BY_NETWORK:
		sleep_s(rtt / 1000.0);
		break;
	}
	if (!w_in("A 1 ack 9001 sack %s", why == BY_PROBE ? "8001-9001" : "5001-6001"))
		return -1;
	*at = 9001;
	if (w_put(fd, 8000, 0) != 8000)
		return -1;
	for (i = 9; i < 17; i++)
		if (!w_out(-1, "%s %d+1000", i < 16 ? "A" : "PA", 1 + i * 1000))
			return -1;
	sleep_s(rtt / 1000.0);
	return w_in("A 1 ack 9001 sack 10001-15001") ? fd : -1;
}

CASE(dsack_widens, "RFC 8985 6.2 step 4: a needless retransmission makes it half the round trip")
{
	int at, rtt = long_rtt();

	ASSERT_LE(0, dsacked(self->lfd, rtt, "1", BY_RACK, &at));
	quiet(rtt * 3 / 8);
	out_within(rtt / 2, "A %d+1000", at);
}

CASE(dsack_static, "RFC 8985 6.2 step 4, tcp_recovery 2: no D-SACK widens it")
{
	int at, rtt = long_rtt();

	ASSERT_LE(0, dsacked(self->lfd, rtt, "3", BY_RACK, &at));
	out_within(rtt * 3 / 10, "A %d+1000", at);
}

CASE(dsack_of_probe, "RFC 8985 6.2 step 4: nor does one of a probe of the tail, which a timer sent")
{
	int at, rtt = long_rtt();

	ASSERT_LE(0, dsacked(self->lfd, rtt, "1", BY_PROBE, &at));
	out_within(rtt * 3 / 10, "A %d+1000", at);
}

CASE(dsack_of_network, "RFC 8985 6.2 step 4: nor one of what we sent but once")
{
	int at, rtt = long_rtt();

	ASSERT_LE(0, dsacked(self->lfd, rtt, "1", BY_NETWORK, &at));
	out_within(rtt * 3 / 10, "A %d+1000", at);
}

CASE(needs_sack, "RFC 8985 4 (MUST): without SACK neither time nor a probe, but duplicate ACKs")
{
	int fd = sent(self->lfd, "mss 1000", 6, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1");
	in("A 1 ack 1");
	quiet(150);		/* the reordering timer would have fired, and the probe's */
	in("A 1 ack 1");
	out("A 1+1000");
}

/* ---- how much goes out ---- */

/* twenty segments of 1000 octets in flight from 10001 on, as many more ready; Reno */
static int twenty(int lfd)
{
	struct wseg s;
	int fd, i;

	if (setsockopt(lfd, SOL_TCP, TCP_CONGESTION, "reno", 4) ||
	    w_set(lfd, SOL_SOCKET, SO_SNDBUF, 200000))
		return -1;
	fd = sent(lfd, "mss 1000 sackok", 10, 60);
	if (fd < 0 || !w_in("A 1 ack 10001"))
		return -1;
	for (i = 10; i < 30; i++)
		if (!w_next(100, &s) || s.seq != 1 + i * 1000)
			return -1;
	sleep_s(0.04);
	return fd;
}

CASE(prr_one_lost, "RFC 6937 3, 3.1: one lost of twenty: a segment for every two, ten at the end")
{
	/* behind the SACK of segment 1 + i: does a new one go? The RFC's row "sent" from ack 4 */
	static const bool goes[] = { 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1 };
	int fd = twenty(self->lfd), next = 31001;
	size_t i;

	ASSERT_LE(0, fd);
	/* three at once; limited transmit would send two before the third */
	in("A 1 ack 10001 sack 11001-14001");
	out("A 10001+1000");
	out("A 30001+1000");
	quiet(1);
	for (i = 0; i < sizeof(goes) / sizeof(*goes); i++) {
		in("A 1 ack 10001 sack 11001-%zu", 15001 + i * 1000);
		if (goes[i]) {
			out("A %d+1000", next);
			next += 1000;
		}
		quiet(1);
	}
	in("A 1 ack 30001");
	ASSERT_EQ(10, INFO(fd, tcpi_snd_cwnd));
	ASSERT_EQ(10, INFO(fd, tcpi_snd_ssthresh));
}

CASE(prr_most_lost,
     "RFC 6937 3, RFC 8985 9.3 (MUST NOT): many lost: as much as was delivered, and one more")
{
	int fd = twenty(self->lfd), i;

	ASSERT_LE(0, fd);
	/* fifteen lost, five delivered, ten wanted */
	in("A 1 ack 10001 sack 25001-30001");
	for (i = 0; i < 5; i++)
		out("A %d+1000", 10001 + i * 1000);
	quiet(5);
	in("A 1 ack 11001 sack 25001-30001");
	out("A 15001+1000");
	out("A 16001+1000");
	quiet(5);
	in("A 1 ack 12001 sack 25001-30001");
	out("A 17001+1000");
	out("A 18001+1000");
	quiet(5);
}

CASE(prr_timer,
     "RFC 6937 3, RFC 8985 9.3 (MUST NOT): the timer finds nine of ten lost: one goes, the rest as data arrives")
{
	int fd = sent_reno(self->lfd, "mss 1000 sackok", 10, 20);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 9001-10001");
	out("A 10001+1000");		/* limited transmit */
	quiet(5);			/* a quarter of the round trip is 10 */
	out_within(16, "A 1+1000");
	quiet(25);
	ASSERT_EQ(5, INFO(fd, tcpi_snd_ssthresh));
	in("A 1 ack 1 sack 9001-11001");
	out("A 1001+1000");
	quiet(20);
	in("A 1 ack 1001 sack 9001-11001");
	out("A 2001+1000");
	out("A 3001+1000");
	quiet(5);
}

/*
 * With a round trip of 400 ms the first of three segments is acknowledged and, 150 to 200 ms before
 * the timeout of the second, a fourth is sent; the second has gone again. The socket
 */
static int late_fourth(int lfd)
{
	struct wseg s;
	int fd, i;

	if (!w_in("S 0 mss 1000 sackok") || !w_next(1000, &s))
		return -1;
	sleep_s(0.4);
	if (!w_in("A 1 ack 1"))
		return -1;
	fd = w_accept(lfd);
	if (fd < 0 || w_put(fd, 3000, 0) != 3000)
		return -1;
	for (i = 0; i < 3; i++)
		if (!w_next(100, &s) || s.seq != 1 + i * 1000)
			return -1;
	sleep_s(0.4);
	if (!w_in("A 1 ack 1001"))
		return -1;
	sleep_s(1);
	if (w_put(fd, 1000, 0) != 1000 || !w_out(-1, "PA 3001+1000") ||
	    !w_out(-400, "A 1001+1000"))
		return -1;
	return fd;
}

CASE(timeout_spares,
     "RFC 8985 6.3: a timeout marks what was sent a round trip ago, and the first; not the rest")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_early_retrans", "0"));
	ASSERT_TRUE(w_sysctl("tcp_frto", "0"));
	fd = late_fourth(self->lfd);
	ASSERT_LE(0, fd);
	/* the last in flight, the first of the two lost sent again */
	ASSERT_EQ(2, INFO(fd, tcpi_lost));
	ASSERT_EQ(2, INFO(fd, tcpi_snd_cwnd));
	/* they were but late: the last is not known to be lost, and does not go again */
	in("A 1 ack 3001");
	quiet(30);
	in("A 1 ack 4001");
	quiet(1000);
}

CASE(timeout_all, "RFC 8985 6.3: with RACK off there is nobody to find it later: all is lost")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_early_retrans", "0"));
	ASSERT_TRUE(w_sysctl("tcp_frto", "0"));
	ASSERT_TRUE(w_sysctl("tcp_recovery", "0"));
	fd = late_fourth(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(3, INFO(fd, tcpi_lost));
	ASSERT_EQ(1, INFO(fd, tcpi_snd_cwnd));
}

CASE(prr_no_data, "RFC 6937 4: what the program did not send in time is made up for later")
{
	int fd, i;

	ASSERT_EQ(0, setsockopt(self->lfd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	fd = sent(self->lfd, "mss 1000 sackok", 10, 0);
	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
	in("A 1 ack 1 sack 1001-9001");
	quiet(5);
	/* eight of ten delivered, four may be replaced, one was: 9001 and 1 are in flight */
	put(fd, 10000);
	for (i = 0; i < 3; i++)
		out("A %d+1000", 10001 + i * 1000);
	quiet(5);
}

CASE(tlp_then_recovery, "RFC 8985 7.1: a fast recovery ends the probe's episode: its loss is reacted to once")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	out_within(100, "PA 4001+1000");
	sleep_s(0.06);
	in("A 1 ack 3001 sack 4001-5001");
	out_within(20, "A 3001+1000");
	in("A 1 ack 5001");
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));
	put(fd, 1000);
	out("PA 5001+1000");
	in("A 1 ack 6001");
	quiet(50);
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));
}

TEST_HARNESS_MAIN
