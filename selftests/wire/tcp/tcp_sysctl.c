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

TEST_HARNESS_MAIN
