// SPDX-License-Identifier: GPL-2.0-only
/*
 * The congestion window without and with losses: where it begins, how it grows, what becomes of
 * it when it is not used, and how often it is halved.
 */
#include "wire_loss.h"

/* cwnd is 40: 10, and then 20, were sent and acknowledged, each after @rtt ms */
static int grown_rtt(int rtt, int lfd)
{
	int fd;

	if (setsockopt(lfd, SOL_TCP, TCP_CONGESTION, "reno", 4))
		return -1;
	fd = sent_rtt(rtt, lfd, "mss 1000 sackok", 10, 0);
	if (fd < 0 || !w_in("A 1 ack 10001") || w_put(fd, 20000, 0) != 20000 ||
	    segments(5) != 20)
		return -1;
	sleep_s(rtt / 1000.0);
	if (!w_in("A 1 ack 30001"))
		return -1;
	sleep_s(0.001);
	return INFO(fd, tcpi_snd_cwnd) == 40 ? fd : -1;
}

static int grown(int lfd)
{
	return grown_rtt(40, lfd);
}

/* one segment goes, and 20 ms later it is acknowledged */
static bool one_more(int fd)
{
	if (w_put(fd, 1000, 0) != 1000 || segments(1) != 1)
		return false;
	sleep_s(0.02);
	return w_in("A 1");
}

CASE(timeout_after_pmtu,
     "RFC 5681 3.1 (4) (MUST): what goes again as the path MTU fell, and times out, reduces ssthresh")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 0);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_icmp(3, 4, 600, 1));
	ASSERT_LE(10, segments(100));
	ASSERT_LT(7, INFO(fd, tcpi_snd_ssthresh));
	ASSERT_LE(1, segments(300));
	ASSERT_GE(7, INFO(fd, tcpi_snd_ssthresh));
}

CASE(initial_active, "RFC 5681 3.1, RFC 6928 2: the SYN-ACK does not widen it")
{
	int fd = w_active("mss 1000");

	ASSERT_LE(0, fd);
	put(fd, 20000);
	ASSERT_EQ(10, segments(50));
	ASSERT_EQ(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(ssthresh_high, "RFC 5681 3.1: at first the network tells where slow start ends, not the host")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ASSERT_LT(1 << 30, INFO(fd, tcpi_snd_ssthresh));
}

CASE(ack_division, "RFC 5681 3.1 (2), 5: ten ACKs of the parts of a segment are worth one")
{
	int fd = sent_reno(self->lfd, "mss 1000", 10, 10), i;

	ASSERT_LE(0, fd);
	for (i = 1; i < 10; i++)
		in("A 1 ack %d", 1 + i * 100);
	quiet(1);
	in("A 1 ack 1001");
	ASSERT_GE(2, segments(1));
	ASSERT_EQ(11, INFO(fd, tcpi_snd_cwnd));
}

CASE(avoidance, "RFC 5681 3.1: above ssthresh one segment a round trip, however acknowledged")
{
	int fd = sent_reno(self->lfd, "mss 1000 sackok", 10, 0), round, i, n, at = 10001;

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-10001");
	out("A 1+1000");
	in("A 1 ack 10001");
	sleep_s(0.001);
	for (round = 0; round < 6; round++) {
		n = INFO(fd, tcpi_snd_cwnd);
		put(fd, n * 1000);
		ASSERT_EQ(n, segments(1));
		sleep_s(0.04);
		/* each one by itself, or all at once */
		for (i = round % 2 ? n : 1; i <= n; i++)
			in("A 1 ack %d", at + i * 1000);
		at += n * 1000;
		sleep_s(0.001);
		ASSERT_GE(n + 1, INFO(fd, tcpi_snd_cwnd));
	}
	ASSERT_LE(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(pmtu_window, "RFC 5681 3.1, RFC 1191 6.4: smaller segments, and no more of them")
{
	int fd = w_passive(self->lfd, "mss 1460"), n = 0;
	struct wseg s;

	ASSERT_LE(0, fd);
	put(fd, 29200);
	ASSERT_EQ(10, segments(5));
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	for (; w_next(20, &s); n++)
		ASSERT_GE(960, s.len);
	ASSERT_LE(1, n);
	ASSERT_GE(10, n);
	ASSERT_GE(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(rto_again, "RFC 5681 3.1: a second timeout of the same segment halves nothing once more")
{
	int fd = sent_reno(self->lfd, "mss 1000", 10, 0);

	ASSERT_LE(0, fd);
	out_at(RTO, "A 1+1000");
	out_at(2 * RTO, "A 1+1000");
	ASSERT_EQ(1, INFO(fd, tcpi_snd_cwnd));
	ASSERT_EQ(5, INFO(fd, tcpi_snd_ssthresh));
}

CASE(rto_other, "RFC 5681 3.1 (4) (MUST): the timeout of a segment that had none reduces ssthresh")
{
	int fd = sent_reno(self->lfd, "mss 1000", 10, 0);

	ASSERT_LE(0, fd);
	out_at(RTO, "A 1+1000");
	ASSERT_EQ(5, INFO(fd, tcpi_snd_ssthresh));
	in("A 1 ack 1001");
	ASSERT_EQ(2, segments(100));
	ASSERT_EQ(5, INFO(fd, tcpi_snd_ssthresh));
	ASSERT_LE(1, segments(700));
	ASSERT_EQ(2, INFO(fd, tcpi_snd_ssthresh));
}

CASE(two_windows, "RFC 5681 4.3: losses in two windows that follow each other halve it twice")
{
	int fd = sent_reno(self->lfd, "mss 1000 sackok", 10, 10);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-10001");
	out("A 1+1000");
	ASSERT_LE(4, segments(1));
	ASSERT_EQ(5, INFO(fd, tcpi_snd_ssthresh));
	in("A 1 ack 10001 sack 11001-%u", w.seen);
	out("A 10001+1000");
	ASSERT_EQ(2, INFO(fd, tcpi_snd_ssthresh));
}

CASE(synack_lost, "RFC 5681 3.1: the initial window is one when the SYN-ACK was lost")
{
	int fd;

	in("S 0 mss 1000");
	out("SA 0 ack 1");
	out_at(1000, "SA 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 5000);
	ASSERT_EQ(NATIVE("reduces it after the second loss of a SYN-ACK") ? 5 : 1, segments(100));
}

CASE(idle, "RFC 5681 4.1: after a pause of many RTOs no more than the restart window goes")
{
	int fd = grown(self->lfd);

	ASSERT_LE(0, fd);
	sleep_s(3);
	put(fd, 30000);
	ASSERT_EQ(10, segments(20));
	ASSERT_EQ(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(idle_request, "RFC 5681 4.1: when data was sent counts, not when it came")
{
	int fd = grown(self->lfd);

	ASSERT_LE(0, fd);
	sleep_s(3);
	in("PA 1+10");
	sleep_s(0.05);
	put(fd, 30000);
	ASSERT_EQ(10, segments(20));
}

CASE(idle_half, "RFC 7661 4.4.3, RFC 5681 4.1: half of it for each RTO, as native, not all at once")
{
	int fd = grown(self->lfd), n;

	ASSERT_LE(0, fd);
	sleep_s(0.36);
	put(fd, 30000);
	n = segments(5);
	ASSERT_GE(20, n);
	ASSERT_LE(w.sim ? 20 : 10, n);
}

CASE(idle_short, "RFC 5681 4.1: a pause shorter than the RTO changes nothing")
{
	int fd = grown_rtt(long_rtt(), self->lfd);

	ASSERT_LE(0, fd);
	sleep_s(0.1);
	put(fd, 30000);
	ASSERT_EQ(30, segments(5));
}

CASE(idle_off, "RFC 5681 4.1, tcp_slow_start_after_idle 0: nor does any pause")
{
	int fd, i;

	ASSERT_TRUE(w_sysctl("tcp_slow_start_after_idle", "0"));
	fd = grown(self->lfd);
	ASSERT_LE(0, fd);
	for (i = 0; i < 30; i++)
		ASSERT_TRUE(one_more(fd));
	sleep_s(3);
	put(fd, 30000);
	ASSERT_EQ(30, segments(20));
}

CASE(unused, "RFC 7661 4.4 (MUST NOT): a window that is not used does not grow")
{
	int fd = w_passive(self->lfd, "mss 1000 sackok"), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 30; i++)
		ASSERT_TRUE(one_more(fd));
	ASSERT_EQ(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(unused_half, "RFC 7661 4.3, 4.4: more than half of it is enough in slow start")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	in("A 1");
	sleep_s(0.001);
	ASSERT_EQ(10, INFO(fd, tcpi_snd_cwnd));
	put(fd, 6000);
	ASSERT_EQ(6, segments(5));
	sleep_s(0.04);
	in("A 1");
	sleep_s(0.001);
	ASSERT_EQ(16, INFO(fd, tcpi_snd_cwnd));
}

CASE(unused_decays, "RFC 7661 4.4.3: unused for an RTO it goes half way to what was used")
{
	int fd = grown(self->lfd), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 40 && INFO(fd, tcpi_snd_cwnd) == 40; i++)
		ASSERT_TRUE(one_more(fd));
	ASSERT_LT(w.sim ? 8 : 0, i);
	/* of the ten that are an initial window anyway */
	ASSERT_EQ(NATIVE("counts the time anew from each ACK, so that only a pause makes it smaller") ?
		  40 : 25, INFO(fd, tcpi_snd_cwnd));
}

TEST_HARNESS_MAIN
