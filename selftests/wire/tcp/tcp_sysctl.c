// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sysctls of TCP change on the wire that belongs to no other file.
 */
#include "wire.h"

CASE(challenge_ack_limit, "RFC 5961 7: challenge ACKs of all connections together in a second")
{
	struct wseg s;
	int i, n = 0;

	ASSERT_TRUE(w_sysctl("tcp_challenge_ack_limit", "1"));
	for (i = 0; i < 6; i++) {
		w_peer(PEER_PORT + i);
		ASSERT_LE(0, w_passive(self->lfd, "mss 1460"));
	}
	for (i = 0; i < 6; i++) {
		w_peer(PEER_PORT + i);
		in("R 100");
		n += w_next(20, &s);
	}
	/* one second may end in between */
	ASSERT_LE(1, n);
	ASSERT_GE(2, n);
	sleep_s(1.1);
	w_peer(PEER_PORT);
	in("R 100");
	ASSERT_TRUE(w_next(500, &s));
}

CASE(challenge_ack_unlimited, "RFC 5961 7: without a limit each connection has its own")
{
	struct wseg s;
	int i;

	for (i = 0; i < 6; i++) {
		w_peer(PEER_PORT + i);
		ASSERT_LE(0, w_passive(self->lfd, "mss 1460"));
	}
	for (i = 0; i < 6; i++) {
		w_peer(PEER_PORT + i);
		in("R 100");
		ASSERT_TRUE(w_next(500, &s));
	}
}

CASE(challenge_interval, "RFC 5961 7, tcp_invalid_ratelimit: how far those of a connection are apart")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_invalid_ratelimit", "1000"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	in("R 100");
	out("A 1 ack 1");
	sleep_s(0.6);
	in("R 100");
	quiet(100);
	ASSERT_TRUE(w_sysctl("tcp_invalid_ratelimit", "100"));
	in("R 100");
	out("A 1 ack 1");
}

/* a segment of 1000 octets stands in the device's queue for about 100 ms */
static int slow_device(int lfd)
{
	int fd = w_passive(lfd, "mss 1000");
	struct wseg s;

	if (fd < 0 || w_set(fd, SOL_TCP, TCP_NODELAY, 1) ||
	    run("tc qdisc add dev t0 root tbf rate 80kbit burst 1100 limit 100000"))
		return -1;
	if (w_put(fd, 1000, 0) != 1000 || !w_next(3000, &s) || !w_in("A 1 ack 1001") ||
	    w_put(fd, 1000, 0) != 1000)
		return -1;
	return fd;
}

CASE(autocorking, "RFC 9293 3.7.4, tcp_autocorking: what cannot leave yet gathers in one segment")
{
	int fd = slow_device(self->lfd);

	ASSERT_LE(0, fd);
	put(fd, 10);
	put(fd, 10);
	put(fd, 10);
	out_within(3000, "PA 1001+1000");
	out_within(3000, "PA 2001+30");
}

CASE(no_autocorking, "RFC 9293 3.7.4, tcp_autocorking 0: each write goes as TCP_NODELAY says")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_autocorking", "0"));
	fd = slow_device(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 10);
	put(fd, 10);
	out_within(3000, "PA 1001+1000");
	out_within(3000, "PA 2001+10");
	out_within(3000, "PA 2011+10");
}

/* TCP_THIN_LINEAR_TIMEOUTS: six timeouts that do not double, then they do */
static bool thin(int fd)
{
	int i;

	if (w_put(fd, 100, 0) != 100 || !w_out(-1, "PA 1+100"))
		return false;
	for (i = 0; i < 7; i++)
		if (!w_out(200, "PA 1+100"))
			return false;
	return w_out(400, "PA 1+100") && w_out(800, "PA 1+100");
}

CASE(thin_linear, "RFC 6298 5.5, tcp(7) TCP_THIN_LINEAR_TIMEOUTS: not for a thin stream, six times")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1));
	ASSERT_TRUE(thin(fd));
}

CASE(thin_linear_all, "RFC 6298 5.5, tcp(7) tcp_thin_linear_timeouts: nor for anybody's")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_thin_linear_timeouts", "1"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_TRUE(thin(fd));
}

CASE(thin_not, "RFC 6298 5.5: four segments are not thin")
{
	int fd = w_passive(self->lfd, "mss 1000"), i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1));
	put(fd, 4000);
	for (i = 0; i < 4; i++)
		out("%s %u+1000", i < 3 ? "A" : "PA", 1 + i * 1000);
	out_at(200, "A 1+1000");
	out_at(400, "A 1+1000");
}

/* ten segments on a path of 100 ms, after a D-SACK if @dsack; @n behind the first are SACKed */
static int sacked(int lfd, const char *recovery, bool dsack, int n)
{
	int fd, i;

	if (!w_sysctl("tcp_recovery", recovery) || !w_sysctl("tcp_early_retrans", "0") ||
	    !w_in("S 0 mss 1000 sackok") || !w_out(-1, "SA 0 ack 1"))
		return -1;
	sleep_s(0.1);
	if (!w_in("A 1 ack 1"))
		return -1;
	fd = w_accept(lfd);
	if (fd < 0 || w_put(fd, 1000, 0) != 1000 || !w_out(-1, "PA 1+1000"))
		return -1;
	sleep_s(0.1);
	if (!w_in("A 1 ack 1001") || (dsack && !w_in("A 1 ack 1001 sack 1-1001")) ||
	    w_put(fd, 10000, 0) != 10000)
		return -1;
	for (i = 1; i <= 10; i++)
		if (!w_out(-20, "%s %u+1000", i < 10 ? "A" : "PA", 1 + i * 1000))
			return -1;
	sleep_s(0.1);
	return w_in("A 1 ack 1001 sack 2001-%d", 2001 + n * 1000) ? fd : -1;
}

CASE(recovery, "RFC 8985 6.2, tcp_recovery 1: by time, or at once by DupThresh")
{
	ASSERT_LE(0, sacked(self->lfd, "1", false, 1));
	out_within(60, "A 1001+1000");
	w_peer(PEER_PORT + 1);
	ASSERT_LE(0, sacked(self->lfd, "1", false, 3));
	out("A 1001+1000");
}

CASE(recovery_no_rack, "RFC 6675 4, tcp_recovery 0: by DupThresh alone")
{
	ASSERT_LE(0, sacked(self->lfd, "0", false, 1));
	quiet(80);
	in("A 1 ack 1001 sack 2001-4001");
	quiet(80);
	in("A 1 ack 1001 sack 2001-5001");
	out("A 1001+1000");
}

CASE(recovery_holes, "RFC 6675 4: each segment by what is SACKed above it")
{
	ASSERT_LE(0, sacked(self->lfd, "0", false, 1));
	in("A 1 ack 1001 sack 4001-6001 sack 2001-3001");
	out("A 1001+1000");
	quiet(80);		/* two above 3001: not yet */
	in("A 1 ack 1001 sack 4001-7001 sack 2001-3001");
	out("A 3001+1000");
}

CASE(recovery_count_anew, "RFC 6675 5: an ACK that moves SND.UNA begins the count anew")
{
	ASSERT_LE(0, sacked(self->lfd, "0", false, 2));
	in("A 1 ack 4001");
	in("A 1 ack 4001 sack 5001-7001");
	quiet(80);
	in("A 1 ack 4001 sack 5001-8001");
	out("A 4001+1000");
}

CASE(recovery_no_dupthresh, "RFC 8985 6.2, tcp_recovery 4: by time alone")
{
	ASSERT_LE(0, sacked(self->lfd, "5", false, 3));
	quiet(15);		/* a quarter of the round trip */
	out_within(40, "A 1001+1000");
}

CASE(recovery_widened, "RFC 8985 6.2 step 4: a D-SACK makes it half the round trip")
{
	ASSERT_LE(0, sacked(self->lfd, "5", true, 3));
	if (NATIVE("does not look at a D-SACK when nothing is outstanding"))
		return;
	quiet(40);
	out_within(40, "A 1001+1000");
}

CASE(recovery_static, "RFC 8985 6.2 step 4, tcp_recovery 2: no D-SACK widens it")
{
	ASSERT_LE(0, sacked(self->lfd, "7", true, 3));
	quiet(15);
	out_within(30, "A 1001+1000");
}

TEST_HARNESS_MAIN
