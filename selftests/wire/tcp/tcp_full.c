// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places that are taken: more requests than a listener keeps (RFC 4987 3.6, tcp_syncookies 0
 * and 1), ports that a TIME-WAIT still has (tcp_tw_reuse).
 */
#include "wire.h"

/*
 * @n peers send a SYN to a listener with this @backlog; how many are kept. Those have all options
 * in the SYN-ACK, while that with a cookie and no timestamp has none but the MSS; -1: any other
 * answer. @rest: what those get that are not kept
 */
static int kept(int lfd, int backlog, int n, bool *rest)
{
	struct wseg s;
	int i, all = 0;

	if (listen(lfd, backlog))
		return -1;
	for (i = 0; i < n; i++) {
		w_peer(PEER_PORT + i);
		if (!w_in("S 0 mss 1460 ws 7 sackok"))
			return -1;
		*rest = w_next(20, &s);
		if (!*rest)
			continue;
		if (s.flags != 0x12 || s.ack != 1)
			return -1;
		if (s.has & W_WS) {
			all++;
			if (i >= all)
				return -1;	/* behind one that was not */
		}
	}
	return all;
}

CASE(cookies_when_full, "RFC 4987 3.6, tcp_syncookies 1: a cookie for who comes when the queue is full")
{
	uint32_t isn[8];
	bool answered;
	struct wseg s;
	int i, fd;

	ASSERT_EQ(3, kept(self->lfd, 2, 8, &answered));
	ASSERT_TRUE(answered);
	isn[7] = w.isn;
	/* what has a cookie is not sent again: nothing is kept of it */
	w_peer(PEER_PORT + 7);
	quiet(1500);
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_next(3000, &s));
	ASSERT_EQ(0x12, s.flags);
	/* and it opens a connection all the same */
	w_peer(PEER_PORT + 7);
	w.isn = isn[7];
	w.isn_known = true;
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	get(fd, 10);
	/* one of the kept gives its place up: the next is kept again */
	for (i = 0; i < 3; i++) {
		w_peer(PEER_PORT + i);
		in("R 1");
	}
	w_peer(PEER_PORT + 20);
	in("S 0 mss 1460 ws 7 sackok");
	out("SA 0 ack 1 ws 255 sackok");
}

CASE(cookies_by_default, "RFC 4987 3.6, tcp_syncookies 1: but none before it is full")
{
	bool answered;
	struct wseg s;

	ASSERT_EQ(3, kept(self->lfd, 2, 3, &answered));
	ASSERT_TRUE(answered);
	w_peer(PEER_PORT + 2);
	ASSERT_TRUE(w_next(1500, &s));	/* again: it is kept */
	ASSERT_EQ(0x12, s.flags);
}

CASE(cookies_off, "RFC 4987 3.6, tcp_syncookies 0: without them it is silence")
{
	bool answered;

	ASSERT_TRUE(w_sysctl("tcp_syncookies", "0"));
	ASSERT_EQ(3, kept(self->lfd, 2, 8, &answered));
	ASSERT_FALSE(answered);
	/* and an ACK of nothing is reset */
	w_peer(PEER_PORT + 7);
	in("A 1 ack 1");
	out("R 1");
}

CASE(backlog_unproven,
     "RFC 4987 3.2, tcp_max_syn_backlog: without cookies its last quarter is for peers that are known")
{
	bool answered;

	ASSERT_TRUE(w_sysctl("tcp_syncookies", "0"));
	ASSERT_TRUE(w_sysctl("tcp_max_syn_backlog", "8"));
	ASSERT_EQ(7, kept(self->lfd, 50, 12, &answered));
	ASSERT_FALSE(answered);
}

CASE(backlog_cookies, "RFC 4987 3.6, tcp_max_syn_backlog: with them it is listen()'s alone")
{
	bool answered;

	ASSERT_TRUE(w_sysctl("tcp_max_syn_backlog", "8"));
	ASSERT_EQ(12, kept(self->lfd, 50, 12, &answered));
	ASSERT_TRUE(answered);
}

CASE(cookies_off_later, "RFC 4987 3.6, tcp_syncookies 0: nor is one taken that was sent before")
{
	bool answered;

	ASSERT_EQ(3, kept(self->lfd, 2, 8, &answered));
	ASSERT_TRUE(answered);
	ASSERT_TRUE(w_sysctl("tcp_syncookies", "0"));
	in("A 1 ack 1");
	out("R 1");
}

CASE(young, "RFC 4987 3.2: as native, half of the queue is for the young: the old wait for two SYN-ACKs more")
{
	bool answered;

	ASSERT_TRUE(w_sysctl("tcp_syncookies", "0"));
	ASSERT_EQ(9, kept(self->lfd, 8, 12, &answered));
	ASSERT_FALSE(answered);
	sleep_s(w.sim ? 7.5 : 10);
	w_peer(PEER_PORT + 20);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
}

/* ---- tcp_tw_reuse ---- */

/* connect to @port of @addr from the only port there is for it; the socket, or -1 */
static int only_port(const char *addr, int port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(addr),
	};
	int fd = w_socket();

	if (w_sysctl("ip_local_port_range", "6000 6000") &&
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) && errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

/* the connection of @fd is opened, with timestamps, and closed by the program first */
static bool ends_in_time_wait(int fd)
{
	if (fd < 0 || !w_out(-1, "S 0 ts"))
		return false;
	w.ts = true;
	if (!w_in("SA 0 ack 1 mss 1460") || !w_out(-1, "A 1 ack 1"))
		return false;
	close(fd);
	return w_out(-1, "FA 1 ack 1") && w_in("FA 1 ack 2") && w_out(-1, "A 2 ack 2");
}

/* a while ago a connection to the peer has become a TIME-WAIT */
static bool waits(void)
{
	w.port = 6000;
	if (!ends_in_time_wait(only_port(ME, PEER_PORT)))
		return false;
	sleep_s(2.5);
	return true;
}

CASE(tw_reuse, "RFC 6191 2, tcp_tw_reuse 1: a port in TIME-WAIT may be chosen, the ISN beyond the old")
{
	uint32_t end;

	ASSERT_TRUE(w_sysctl("tcp_tw_reuse", "1"));
	ASSERT_TRUE(waits());
	end = w.isn + 2;
	w_peer(PEER_PORT);
	ASSERT_LE(0, only_port(ME, PEER_PORT));
	out("S 0 ts");
	ASSERT_EQ(65535 + 2, w.isn - end);
}

CASE(tw_reuse_second,
     "RFC 6191 2, RFC 7323 5.5, tcp_tw_reuse 1: not in the second of the last timestamp that came")
{
	struct timespec now;

	ASSERT_TRUE(w_sysctl("tcp_tw_reuse", "1"));
	/* a second begins */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sleep_s(1.02 - now.tv_nsec / 1e9);
	w.port = 6000;
	ASSERT_TRUE(ends_in_time_wait(only_port(ME, PEER_PORT)));
	ASSERT_EQ(-1, only_port(ME, PEER_PORT));
	ASSERT_EQ(EADDRNOTAVAIL, errno);
	sleep_s(1.1);
	w_peer(PEER_PORT);
	ASSERT_LE(0, only_port(ME, PEER_PORT));
	out("S 0 ts");
}

CASE(tw_reuse_default, "RFC 6191 2, tcp_tw_reuse 2: by default on the loopback device alone")
{
	ASSERT_TRUE(waits());
	ASSERT_EQ(-1, only_port(ME, PEER_PORT));
	ASSERT_EQ(EADDRNOTAVAIL, errno);
}

CASE(tw_reuse_off, "RFC 9293 3.6.1, tcp_tw_reuse 0: not for 2 MSL")
{
	ASSERT_TRUE(w_sysctl("tcp_tw_reuse", "0"));
	ASSERT_TRUE(waits());
	ASSERT_EQ(-1, only_port(ME, PEER_PORT));
	ASSERT_EQ(EADDRNOTAVAIL, errno);
	LONG(60);
	sleep_s(60);
	w_peer(PEER_PORT);
	ASSERT_LE(0, only_port(ME, PEER_PORT));
	out("S 0 ts");
}

/* the program's connection to its own listener at 127.0.0.1 */
static bool local(int lfd, int *fd, int *peer)
{
	*fd = only_port("127.0.0.1", PORT);
	if (*fd < 0)
		return false;
	*peer = w_accept(lfd);
	return *peer >= 0 && w_poll(*fd, POLLOUT, 1000);
}

CASE(tw_reuse_loopback, "RFC 6191 2, tcp_tw_reuse 2: and there it is")
{
	int fd, peer;
	char c;

	ASSERT_TRUE(local(self->lfd, &fd, &peer));
	close(fd);
	ASSERT_TRUE(w_poll(peer, POLLIN, 1000));
	ASSERT_EQ(0, recv(peer, &c, 1, 0));
	close(peer);
	sleep_s(2.5);
	ASSERT_TRUE(w_sysctl("tcp_tw_reuse", "0"));
	ASSERT_EQ(-1, only_port("127.0.0.1", PORT));
	ASSERT_EQ(EADDRNOTAVAIL, errno);
	ASSERT_TRUE(w_sysctl("tcp_tw_reuse", "2"));
	ASSERT_TRUE(local(self->lfd, &fd, &peer));
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	ASSERT_TRUE(w_poll(peer, POLLIN, 1000));
}

TEST_HARNESS_MAIN
