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

/* ten segments on a path of 100 ms; @n behind the first are SACKed */
static int sacked(int lfd, const char *recovery, int n)
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
	if (!w_in("A 1 ack 1001") || w_put(fd, 10000, 0) != 10000)
		return -1;
	for (i = 1; i <= 10; i++)
		if (!w_out(-20, "%s %u+1000", i < 10 ? "A" : "PA", 1 + i * 1000))
			return -1;
	sleep_s(0.1);
	return w_in("A 1 ack 1001 sack 2001-%d", 2001 + n * 1000) ? fd : -1;
}

CASE(recovery, "RFC 8985 6.2, tcp_recovery 1: by time, or at once by DupThresh")
{
	ASSERT_LE(0, sacked(self->lfd, "1", 1));
	out_within(60, "A 1001+1000");
	w_peer(PEER_PORT + 1);
	ASSERT_LE(0, sacked(self->lfd, "1", 3));
	out("A 1001+1000");
}

CASE(recovery_no_rack, "RFC 6675 4, tcp_recovery 0: by DupThresh alone")
{
	ASSERT_LE(0, sacked(self->lfd, "0", 1));
	quiet(80);
	in("A 1 ack 1001 sack 2001-4001");
	quiet(80);
	in("A 1 ack 1001 sack 2001-5001");
	out("A 1001+1000");
}

CASE(reordering, "RFC 6675 5, tcp_reordering: DupThresh to begin with")
{
	ASSERT_TRUE(w_sysctl("tcp_reordering", "5"));
	/* native's is as it was when the listener was made */
	close(self->lfd);
	self->lfd = w_listen(8);
	ASSERT_LE(0, self->lfd);
	ASSERT_LE(0, sacked(self->lfd, "0", 4));
	quiet(80);
	in("A 1 ack 1001 sack 2001-7001");
	out("A 1001+1000");
}

CASE(recovery_holes, "RFC 6675 4: each segment by what is SACKed above it")
{
	ASSERT_LE(0, sacked(self->lfd, "0", 1));
	in("A 1 ack 1001 sack 4001-6001 sack 2001-3001");
	out("A 1001+1000");
	quiet(80);		/* two above 3001: not yet */
	in("A 1 ack 1001 sack 4001-7001 sack 2001-3001");
	out("A 3001+1000");
}

CASE(recovery_count_anew, "RFC 6675 5: an ACK that moves SND.UNA begins the count anew")
{
	ASSERT_LE(0, sacked(self->lfd, "0", 2));
	in("A 1 ack 4001");
	in("A 1 ack 4001 sack 5001-7001");
	quiet(80);
	in("A 1 ack 4001 sack 5001-8001");
	out("A 4001+1000");
}

CASE(recovery_no_dupthresh, "RFC 8985 6.2, tcp_recovery 4: by time alone")
{
	ASSERT_LE(0, sacked(self->lfd, "5", 3));
	quiet(15);		/* a quarter of the round trip */
	out_within(40, "A 1001+1000");
}

CASE(keepalive, "RFC 9293 3.8.4, tcp_keepalive_time, _intvl, _probes: when, how far apart, how many")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_keepalive_time", "3") && w_sysctl("tcp_keepalive_intvl", "1") &&
		    w_sysctl("tcp_keepalive_probes", "2"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	out_at(3000, "A 0 ack 1");
	out_at(1000, "A 0 ack 1");
	out_at(1000, "RA 1 ack 1");
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
}

/* 20 segments at 10 ms each after a flight that nothing paces: how many leave at once */
static int paced(int lfd, const char *segs)
{
	int fd, i, n = 0, most = 0, rate = 100000;
	double last, now;
	struct wseg s;

	if (!w_sysctl("tcp_min_tso_segs", segs) || !w_no_tail_probe() ||
	    !w_in("S 0 mss 1000") || !w_out(-1, "SA 0 ack 1"))
		return -1;
	sleep_s(0.1);
	if (!w_in("A 1 ack 1"))
		return -1;
	fd = w_accept(lfd);
	if (fd < 0 || w_set(fd, SOL_SOCKET, SO_MAX_PACING_RATE, rate) ||
	    w_put(fd, 10000, 0) != 10000)
		return -1;
	for (i = 0; i < 10; i++)
		if (!w_next(200, &s))
			return -1;
	sleep_s(0.2);
	if (!w_in("A 1 ack 10001") || w_put(fd, 20000, 0) != 20000)
		return -1;
	last = now_s();
	for (i = 0; i < 20; i++, last = now) {
		if (!w_next(200, &s))
			return -1;
		now = now_s();
		n = now - last < 0.005 ? n + 1 : 1;
		if (i < 4)
			continue;	/* what was saved up is used up */
		most = n > most ? n : most;
	}
	return most;
}

CASE(min_tso_segs, "RFC 9002 7.7, tcp_min_tso_segs: how many a slow pace lets go together")
{
	if (!w.sim)
		SKIP(return, "they are 10 ms apart, which only sim can tell");
	ASSERT_EQ(1, paced(self->lfd, "1"));
	w_peer(PEER_PORT + 1);
	ASSERT_EQ(4, paced(self->lfd, "4"));
}

TEST_HARNESS_MAIN
