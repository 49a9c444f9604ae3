// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receive buffer and the window: it grows with what the program reads, as far as it may
 * (tcp_moderate_rcvbuf, TCP_WINDOW_CLAMP), and what is out of order is forgotten if memory ends.
 */
#include "wire.h"

static int rcvbuf(int fd)
{
	socklen_t len = sizeof(int);
	int size = -1;

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len);
	return size;
}

static struct {
	uint32_t at;	/* the next octet of the peer's */
	uint32_t win;	/* octets, as offered last */
	int ws;
} r;

/* the peer opens with scaling; the socket */
static int scaled(int lfd)
{
	struct wseg s;

	w.ts = true;
	if (!w_in("S 0 mss 1460 sackok ws 7") || !w_next(1000, &s) || !(s.has & W_WS))
		return -1;
	r.at = 1;
	r.ws = s.ws;
	r.win = s.win;
	return w_in("A 1 ack 1") ? w_accept(lfd) : -1;
}

/* all ACKs that come within @ms; the window never shrinks */
static bool acks(int ms)
{
	struct wseg s;

	while (w_next(ms, &s)) {
		if ((int32_t)(s.ack + (s.win << r.ws) - r.at - r.win + (1 << r.ws)) < 0) {
			fprintf(stderr, "# the window's edge went back\n");
			return false;
		}
		r.at = s.ack;
		r.win = s.win << r.ws;
	}
	return true;
}

/* the peer sends @len octets and the program reads them */
static bool segment(int fd, uint32_t at, uint32_t len)
{
	return w_in("PA %u+%u", at, len) && w_poll(fd, POLLIN, 500) &&
	       w_recv(fd, 1 << 20) == (int)len;
}

/* a window of segments, at most 400 KB, is sent and read as it comes; and a round trip of 50 ms */
static bool round_trip(int fd)
{
	uint32_t at = r.at, end = at + (r.win < 400000 ? r.win : 400000), len;

	do {
		len = end - at < 1448 ? end - at : 1448;
		if (!len || !segment(fd, at, len))
			return false;
		at += len;
	} while (end - at >= 1448);
	sleep_s(0.05);
	return acks(5) && r.at == at;
}

CASE(grows, "RFC 9293 3.8.6, RFC 7323 2.3: a program that reads all the time gets more window")
{
	int fd = scaled(self->lfd), i, before;

	ASSERT_LE(0, fd);
	before = rcvbuf(fd);
	ASSERT_EQ(131072, before);	/* tcp_rmem[1] */
	for (i = 0; i < 8; i++)
		ASSERT_TRUE(round_trip(fd));
	ASSERT_LT(400000, r.win);
	ASSERT_LT(400000, rcvbuf(fd));
}

CASE(grows_not, "tcp(7) tcp_moderate_rcvbuf 0: the buffer stays, and no window is above it")
{
	int fd, i;

	ASSERT_TRUE(w_sysctl("tcp_moderate_rcvbuf", "0"));
	fd = scaled(self->lfd);
	ASSERT_LE(0, fd);
	for (i = 0; i < 8; i++)
		ASSERT_TRUE(round_trip(fd));
	ASSERT_EQ(131072, rcvbuf(fd));
	ASSERT_GE(131072, r.win);
	ASSERT_LE(60000, r.win);
}

CASE(grows_not_fixed, "socket(7) SO_RCVBUF: nor does one that the program has set")
{
	int fd, i;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 100000));
	fd = scaled(self->lfd);
	ASSERT_LE(0, fd);
	for (i = 0; i < 8; i++)
		ASSERT_TRUE(round_trip(fd));
	ASSERT_EQ(200000, rcvbuf(fd));
	ASSERT_GE(200000, r.win);
}

CASE(grows_limit, "tcp(7) tcp_rmem: as far as its third value")
{
	int fd, i;

	ASSERT_TRUE(w_sysctl("tcp_rmem", "4096 131072 300000"));
	fd = scaled(self->lfd);
	ASSERT_LE(0, fd);
	for (i = 0; i < 10; i++)
		ASSERT_TRUE(round_trip(fd));
	ASSERT_EQ(300000, rcvbuf(fd));
	ASSERT_GE(300000, r.win);
}

CASE(grows_unread, "RFC 9293 3.8.6: a program that does not read gets no larger buffer")
{
	int fd = scaled(self->lfd);
	uint32_t at, end;

	ASSERT_LE(0, fd);
	do {
		end = r.at + r.win;
		for (at = r.at; at + 1448 <= end; at += 1448)
			in("A %u+1448", at);
		sleep_s(0.05);
		ASSERT_TRUE(acks(5));
	} while (r.at == at && r.win >= 1448);
	ASSERT_GE(150000, rcvbuf(fd));
}

/* ---- TCP_WINDOW_CLAMP ---- */

/* as scaled(), and something came that tells how much of the memory is payload */
static int clampable(int lfd)
{
	int fd = scaled(lfd);

	if (NATIVE("forgets the clamp when the buffer grows") &&
	    !w_sysctl("tcp_moderate_rcvbuf", "0"))
		return -1;
	return fd >= 0 && round_trip(fd) ? fd : -1;
}

CASE(promised, "RFC 9293 3.8.6 SHLD-14: what was offered is taken, small as the segments may be")
{
	int fd = scaled(self->lfd);
	uint32_t at, end;

	ASSERT_LE(0, fd);
	end = r.at + r.win;
	for (at = r.at; at < end; at += 100) {
		in("PA %u+%u", at, end - at < 100 ? end - at : 100);
		if (at / 100 % 16 == 15)
			ASSERT_TRUE(acks(2));
	}
	ASSERT_TRUE(acks(100));
	ASSERT_EQ(end, r.at);
	for (at = 1; at < end; at += 1000)
		ASSERT_EQ(end - at < 1000 ? end - at : 1000, w_recv(fd, 1000));
	ASSERT_TRUE(acks(100));
	ASSERT_LT(30000, r.win);
}

CASE(clamp_connected, "tcp(7) TCP_WINDOW_CLAMP: set later: no edge goes back, then it is what holds")
{
	int fd = clampable(self->lfd), i;

	ASSERT_LE(0, fd);
	ASSERT_LE(60000, r.win);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_WINDOW_CLAMP, 10000));
	for (i = 0; i < 3; i++)
		ASSERT_TRUE(round_trip(fd));
	ASSERT_GE(10000 + (1 << r.ws), r.win);	/* it is offered in such units */
	ASSERT_LE(8000, r.win);
	/* and wider again: the window follows as segments come */
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_WINDOW_CLAMP, 30000));
	for (i = 0; i < 10; i++)
		ASSERT_TRUE(round_trip(fd));
	ASSERT_GE(30000 + (1 << r.ws), r.win);
	ASSERT_LE(20000, r.win);
	/* nothing of the sort is possible */
	ASSERT_EQ(-1, w_set(fd, SOL_TCP, TCP_WINDOW_CLAMP, 0));
	ASSERT_EQ(EINVAL, errno);
}

CASE(clamp_least, "tcp(7) TCP_WINDOW_CLAMP: at least half of the smallest buffer")
{
	int fd = clampable(self->lfd), i;
	socklen_t len = sizeof(int);
	int least = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_WINDOW_CLAMP, 1));
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_WINDOW_CLAMP, &least, &len));
	ASSERT_LE(1000, least);
	ASSERT_GE(1500, least);
	for (i = 0; i < 3; i++)
		ASSERT_TRUE(round_trip(fd));
	ASSERT_GE(least + (2 << r.ws), r.win);
	ASSERT_LT(0, r.win);
}

/* ---- memory for what is out of order ---- */

/* TcpExt's counter @name of the case's namespace */
static long counter(const char *name)
{
	FILE *f = fopen(w.native ? "/proc/net/netstat" : "/proc/net/strata/netstat", "r");
	static char names[16384], values[16384];
	char *n, *v, *ns, *vs;
	long ret = -1;

	while (f && ret < 0 && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		n = strtok_r(names, " \n", &ns);
		v = strtok_r(values, " \n", &vs);
		for (; n && v; n = strtok_r(NULL, " \n", &ns), v = strtok_r(NULL, " \n", &vs))
			if (!strcmp(n, name))
				ret = atol(v);
	}
	if (f)
		fclose(f);
	return ret;
}

CASE(prune, "RFC 2018 8: out of memory, the furthest behind a hole is forgotten; the connection goes on")
{
	struct wseg s;
	uint32_t at;
	int fd, i;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 8192));
	fd = w_passive(self->lfd, "mss 1460 sackok");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, counter("OfoPruned"));
	/* octets far from each other, from the far end on: each takes an skb */
	for (i = 100; i; i--)
		in("A %d+2", i * 40);
	while (w_next(10, &s))
		;
	ASSERT_LT(0, counter("PruneCalled"));
	ASSERT_LT(0, counter("OfoPruned"));
	/* the peer goes by ACKs alone, and all comes at last */
	for (at = 1; at < 6001; at = s.ack) {
		in("A %u+500", at);
		ASSERT_TRUE(w_next(300, &s));
		while (w_next(5, &s))
			;
		ASSERT_LT(at, s.ack);
		while (w_recv(fd, 1 << 20) > 0)
			;
	}
	ASSERT_LE(6000, w.got);
	ASSERT_EQ(at - 1, w.got);
}

CASE(prune_not, "RFC 2018 8: what lies further out than all of it makes no room for itself")
{
	struct wseg s;
	int fd, i;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 8192));
	fd = w_passive(self->lfd, "mss 1460 sackok");
	ASSERT_LE(0, fd);
	for (i = 1; i <= 100; i++)
		in("A %d+2", i * 40);
	while (w_next(10, &s))
		;
	if (NATIVE_BEFORE(602, "makes room for it")) {
		ASSERT_LT(0, counter("OfoPruned"));
	} else {
		ASSERT_EQ(0, counter("OfoPruned"));
		ASSERT_LT(0, counter("TCPOFODrop"));
	}
	/* the first is still there */
	in("A 1+39");
	out("A 1 ack 42");
	get(fd, 41);
}

TEST_HARNESS_MAIN
