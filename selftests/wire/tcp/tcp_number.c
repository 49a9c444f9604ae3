// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers that the stack chooses: initial sequence numbers (RFC 6528), what happens where its own
 * sequence numbers wrap, and ephemeral ports (RFC 6056).
 */
#include <time.h>
#include "wire.h"

#define TICK_NS	64	/* of the clock in both stacks' ISNs: it wraps after 274 s */

/* the ISN that a SYN from @port gets; nothing is left of it */
static bool isn_of(int port, uint32_t *isn)
{
	w_peer(port);
	if (!w_in("S 0 mss 1000") || !w_out(-1, "SA 0 ack 1") || !w_in("R 1"))
		return false;
	*isn = w.isn;
	return true;
}

CASE(isn_differs, "RFC 6528 3: of one tuple it says nothing about that of another")
{
	uint32_t isn, last = 0;
	int i, near = 0;

	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(isn_of(PEER_PORT + i, &isn));
		/* by chance one of 128 is so near */
		near += i && isn - last + (1U << 24) < 1U << 25;
		last = isn;
	}
	ASSERT_GE(4, near);
}

CASE(isn_grows, "RFC 6528 3, RFC 9293 3.4.1 (MUST-8): for one tuple it goes with the clock")
{
	uint32_t first, isn;
	double began, took;
	int i;

	began = now_s();
	ASSERT_TRUE(isn_of(PEER_PORT, &first));
	for (i = 0; i < 3; i++) {
		sleep_s(1);
		ASSERT_TRUE(isn_of(PEER_PORT, &isn));
		took = (isn - first) * (TICK_NS / 1e9);
		ASSERT_LT(i + 0.9, took);
		ASSERT_GT(now_s() - began + 0.1, took);
	}
}

/* the ISN of a connection that we open from port 6000 */
static bool active_isn(uint32_t *isn)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(6000) };
	int fd = w_socket();

	w_peer(PEER_PORT);
	w_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || !w_connect(fd) || !w_out(-1, "S 0"))
		return false;
	close(fd);
	*isn = w.isn;
	return true;
}

CASE(isn_active, "RFC 9293 3.4.1 (MUST-8): also when we open")
{
	uint32_t first, isn;

	ASSERT_TRUE(active_isn(&first));
	sleep_s(1);
	ASSERT_TRUE(active_isn(&isn));
	ASSERT_LT(900000000 / TICK_NS, isn - first);
	if (w.sim)
		ASSERT_GT(1100000000 / TICK_NS, isn - first);
}

/* ---- our own sequence numbers wrap ---- */

static double real_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * A connection whose ISN is less than @most below 2^32. What ISN a peer's port will get is known
 * once one was seen: it goes with the clock. Of 100 ports from @first on the one is used for which
 * it is soonest that near. -1: it was too late
 */
static int try_near_wrap(int lfd, const char *opts, uint32_t most, int first)
{
	double due = 0, at;
	int i, port = 0, fd;
	uint32_t isn;

	for (i = first; i < first + 100; i++) {
		if (!isn_of(i, &isn))
			return -1;
		at = real_s() + (uint32_t)(-most - isn) * (TICK_NS / 1e9);
		if (!port || at < due) {
			due = at;
			port = i;
		}
	}
	while (real_s() < due)
		sleep_s(due - real_s() + 0.000001);
	w_peer(port);
	fd = w_passive(lfd, opts);
	if (fd >= 0 && -w.isn > most) {
		close(fd);
		return -1;
	}
	return fd;
}

static int near_wrap(int lfd, const char *opts, uint32_t most)
{
	int fd = -1, i;

	for (i = 0; i < 5 && fd < 0; i++)
		fd = try_near_wrap(lfd, opts, most, PEER_PORT + 100 * i);
	return fd;
}

/* 50 ms on machines where it is not known to the microsecond when a SYN comes */
#define NEAR	(w.sim ? 20000U : 800000U)

/* the program writes @n octets, each segment is acknowledged, until all is */
static bool carried(int fd, uint32_t n)
{
	uint32_t end = w.put + n + 1, unwritten = n;
	struct wseg s;
	int ret;

	while (unwritten || w.seen != end) {
		ret = unwritten ? w_put(fd, unwritten < 20000 ? unwritten : 20000, 0) : 0;
		if (ret < 0 && ret != -EAGAIN)
			return false;
		if (ret > 0)
			unwritten -= ret;
		while (w.seen != w.put + 1) {
			if (!w_next(1000, &s) || !w_in("A 1"))
				return false;
		}
	}
	/* what a slow machine has sent again */
	while (w_next(w.sim ? 1 : 50, &s))
		;
	return true;
}

CASE(wrap, "RFC 9293 3.4: our sequence numbers wrap, too")
{
	int fd = near_wrap(self->lfd, "mss 1000", NEAR);
	uint32_t isn = w.isn;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(carried(fd, NEAR + 10000));
	ASSERT_GT(1U << 31, isn + w.seen);
	in("PA 1+10");
	get(fd, 10);
	close(fd);
	while (w_next(50, &(struct wseg){}))
		;
	ASSERT_EQ(1 + NEAR + 10000 + 1, w.seen);	/* its FIN */
}

/*
 * Written until the wrap is @before octets ahead. Then five segments are in flight; in the third is
 * the wrap if @before is 2500
 */
static int flight_at_wrap(int lfd, const char *opts, uint32_t before)
{
	int fd = near_wrap(lfd, opts, NEAR), i;
	uint32_t at;

	if (fd < 0 || -w.isn < before + 1 || !carried(fd, -w.isn - before - 1) ||
	    w_put(fd, 5000, 0) != 5000)
		return -1;
	at = w.seen;
	for (i = 0; i < 5; i++, at += 1000)
		if (!w_out(-1, "A %u+1000", at))
			return -1;
	return fd;
}

CASE(wrap_sack, "RFC 9293 3.4, RFC 6675 5: the segment with the wrap is lost, SACK says so")
{
	int fd = flight_at_wrap(self->lfd, "mss 1000 sackok", 2500);
	uint32_t first = w.seen - 5000;

	ASSERT_LE(0, fd);
	in("A 1 ack %u sack %u-%u", first + 2000, first + 3000, first + 5000);
	out_within(50, "A %u+1000", first + 2000);
	in("A 1 ack %u", first + 5000);
	quiet(1000);
	put(fd, 10);
	out("PA %u+10", first + 5000);
}

CASE(wrap_sack_before, "RFC 9293 3.4, RFC 6675 5: one before it is lost, what is SACKed has it inside")
{
	int fd = flight_at_wrap(self->lfd, "mss 1000 sackok", 2500);
	uint32_t first = w.seen - 5000;

	ASSERT_LE(0, fd);
	in("A 1 ack %u sack %u-%u", first, first + 1000, first + 5000);
	out("A %u+1000", first);
	in("A 1 ack %u", first + 5000);
	quiet(1000);
}

CASE(wrap_rto, "RFC 9293 3.4, RFC 6298 5.4: nothing is acknowledged: the first is sent again, then the rest")
{
	int fd = flight_at_wrap(self->lfd, "mss 1000", 500);
	uint32_t first = w.seen - 5000;
	struct wseg s;

	ASSERT_LE(0, fd);
	out_within(400, "A %u+1000", first);
	in("A 1 ack %u", first + 1000);
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(first + 1000, s.seq);
	in("A 1 ack %u", first + 5000);
	while (w_next(50, &s))
		;
	put(fd, 10);
	out("PA %u+10", first + 5000);
}

CASE(wrap_window, "RFC 9293 3.4, 3.8.6: the peer's window ends behind it")
{
	int fd = near_wrap(self->lfd, "mss 1000", NEAR);
	uint32_t at;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(carried(fd, -w.isn - 1501 - 10));
	put(fd, 10);
	at = w.seen;
	out("PA %u+10", at);
	at += 10;
	in("A 1 win 2000");
	put(fd, 5000);
	out("A %u+1000", at);
	out("A %u+1000", at + 1000);
	quiet(20);
	in("A 1 ack %u win 1000", at + 1000);	/* the same edge */
	quiet(20);
	in("A 1 ack %u win 3000", at + 2000);
	out("A %u+1000", at + 2000);
	out("A %u+1000", at + 3000);
	out("A %u+1000", at + 4000);
}

/* ---- ephemeral ports ---- */

/* the port we open from, towards @port of the peer's; -1: the call failed */
static int port_towards(int port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(ME),
	};
	socklen_t len = sizeof(sin);
	int fd = w_socket();

	if (!connect(fd, (struct sockaddr *)&sin, sizeof(sin)) || errno != EINPROGRESS ||
	    getsockname(fd, (struct sockaddr *)&sin, &len))
		return -1;
	return ntohs(sin.sin_port);
}

CASE(ports_differ, "RFC 6056 3.3.4: the port towards one peer says nothing about that towards others")
{
	int i, port, last = 0, near = 0;

	for (i = 0; i < 40; i++) {
		port = port_towards(1000 + i);
		ASSERT_LE(32768, port);
		ASSERT_GE(60999, port);
		near += abs(port - last) < 100;
		last = port;
	}
	ASSERT_GE(6, near);	/* by chance one of 140 */
}

CASE(ports_range, "RFC 6056 3.2, tcp(7) ip_local_port_range: within it, and none twice at a time")
{
	bool taken[200] = { 0 };
	int i, port;

	ASSERT_TRUE(w_sysctl("ip_local_port_range", "40000 40199"));
	for (i = 0; i < 200; i++) {
		port = port_towards(PEER_PORT);
		ASSERT_LE(40000, port);
		ASSERT_GE(40199, port);
		ASSERT_FALSE(taken[port - 40000]);
		taken[port - 40000] = true;
	}
	ASSERT_EQ(-1, port_towards(PEER_PORT));
	ASSERT_EQ(EADDRNOTAVAIL, errno);
	/* they are taken towards one peer, and free towards another */
	ASSERT_LE(40000, port_towards(PEER_PORT + 1));
}

CASE(ports_bind, "RFC 6056 3.3: bind(2) to port 0: one cannot be told from the last")
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int i, fd, port, last = 0, near = 0;

	for (i = 0; i < 40; i++) {
		fd = w_socket();
		sin = (struct sockaddr_in){ .sin_family = AF_INET };
		ASSERT_EQ(0, bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
		ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&sin, &len));
		close(fd);
		port = ntohs(sin.sin_port);
		ASSERT_LE(32768, port);
		ASSERT_GE(60999, port);
		near += abs(port - last) < 100;
		last = port;
	}
	ASSERT_GE(6, near);
}

TEST_HARNESS_MAIN
