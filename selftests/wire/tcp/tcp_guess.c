// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a stranger must not guess: initial sequence numbers and the ports of connections.
 */
#include "wire.h"

/* the number the stack begins with in a connection from @port; it ends at once. 0: none came */
static uint32_t isn_to(int port)
{
	struct wseg s;

	w_peer(port);
	if (!w_in("S 0 mss 1460") || !w_next(1000, &s) || s.flags != 0x12)
		return 0;
	return w_in("R 1") ? w.isn : 0;
}

CASE(isn_clock, "RFC 9293 3.4.1 (MUST-8), RFC 1122 4.2.2.9, RFC 6528 3: the ISN follows a clock")
{
	uint32_t first = isn_to(PEER_PORT), second;
	double began = now_s(), ticks;

	sleep_s(1);
	second = isn_to(PEER_PORT);
	/* of 64 ns, as native: the clock of 4 us is too slow for what a second carries today */
	ticks = (now_s() - began) * 1e9 / 64;
	ASSERT_LT(15e6, second - first);
	ASSERT_GT(ticks + (w.sim ? 1e6 : 8e6), second - first);
}

CASE(isn_apart,
     "RFC 9293 3.4.1 (SHLD-1, MUST-9), RFC 6528 3: one connection's ISN tells nothing of another's")
{
	uint32_t isn, last = isn_to(PEER_PORT);
	int i, far = 0;

	for (i = 1; i <= 8; i++) {
		isn = isn_to(PEER_PORT + i);
		/* further than the clock has come, either way */
		far += isn - last > 1 << 24 && last - isn > 1 << 24;
		last = isn;
	}
	ASSERT_LE(6, far);
}

/* connect to @port by a socket that stays in @fd; our port, or -errno */
static int port_by(int *fd, int port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(ME),
	};
	socklen_t len = sizeof(sin);

	*fd = w_socket();
	if (!connect(*fd, (struct sockaddr *)&sin, sizeof(sin)) || errno != EINPROGRESS)
		return -errno;
	return getsockname(*fd, (struct sockaddr *)&sin, &len) ? -errno : ntohs(sin.sin_port);
}

static int port_to(int port)
{
	return port_by(&(int){ -1 }, port);
}

/* the identification of the next packet, or -1 */
static int next_id(void)
{
	struct pkt p;

	return pkt_next(w.tun, 200, &p) ? ntohs(p.ip.id) : -1;
}

CASE(ident_apart, "RFC 7739 3, RFC 6864 4.1: nobody counts a connection's packets by those of another")
{
	int fd[2], i, id;

	for (i = 0; i < 2; i++) {
		w_peer(PEER_PORT + i);
		fd[i] = w_passive(self->lfd, "mss 1460");
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, w_set(fd[i], SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT));
		ASSERT_EQ(0, w_set(fd[i], SOL_TCP, TCP_NODELAY, 1));
	}
	ASSERT_EQ(10, send(fd[0], "0123456789", 10, 0));
	id = next_id();
	ASSERT_LE(0, id);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(10, send(fd[1], "0123456789", 10, 0));
		ASSERT_LE(0, next_id());
	}
	ASSERT_EQ(10, send(fd[0], "0123456789", 10, 0));
	ASSERT_EQ((id + 1) & 0xffff, next_id());
}

CASE(ports_apart, "RFC 6056 3.3: the port towards one peer tells nothing of that towards another")
{
	int i, port, last = port_to(PEER_PORT), far = 0;

	for (i = 1; i <= 16; i++) {
		port = port_to(PEER_PORT + i);
		ASSERT_LT(0, port);
		far += abs(port - last) > 64;
		last = port;
	}
	ASSERT_LE(12, far);
}

CASE(ports_differ, "RFC 6056 2.2: towards one peer each is another one")
{
	static bool seen[65536];
	int i, port;

	for (i = 0; i < 64; i++) {
		port = port_to(PEER_PORT);
		ASSERT_LT(0, port);
		ASSERT_FALSE(seen[port]);
		seen[port] = true;
	}
}

CASE(ports_not_soon, "RFC 6056 2.3, 3.3.4: also where the one before is free again")
{
	static bool seen[65536];
	int i, fd, port;

	for (i = 0; i < 64; i++) {
		port = port_by(&fd, PEER_PORT);
		ASSERT_LT(0, port);
		ASSERT_FALSE(seen[port]);
		seen[port] = true;
		close(fd);
	}
}

CASE(ports_range, "RFC 6056 3.2, tcp(7) ip_local_port_range: from as large a range as one likes")
{
	int i, port;

	ASSERT_TRUE(w_sysctl("ip_local_port_range", "1024 65535"));
	for (i = 0; i < 16; i++) {
		port = port_to(PEER_PORT + i);
		ASSERT_LE(1024, port);
	}
	ASSERT_TRUE(w_sysctl("ip_local_port_range", "2000 2009"));
	for (i = 0; i < 10; i++) {
		port = port_to(PEER_PORT);
		ASSERT_LE(2000, port);
		ASSERT_GE(2009, port);
	}
	ASSERT_EQ(-EADDRNOTAVAIL, port_to(PEER_PORT));
}

CASE(ports_listening, "RFC 6056 3.1: no port that somebody listens at, or has bound and will")
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT + 1) };
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("ip_local_port_range", "5000 5003"));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_LE(PORT + 2, port_to(PEER_PORT));
	ASSERT_LE(PORT + 2, port_to(PEER_PORT));
	ASSERT_EQ(-EADDRNOTAVAIL, port_to(PEER_PORT));
}

TEST_HARNESS_MAIN
