// SPDX-License-Identifier: GPL-2.0-only
/*
 * A congestion window that is not used: after idle time it is what a new connection would have,
 * and while the program is what limits the sender it does not grow (RFC 5681 4.1, RFC 2861, 7661).
 */
#include "wire.h"

/* a machine that is slow may send again meanwhile, or leave too much time */
#define SIM_ONLY()							\
	do {								\
		if (!w.sim)						\
			SKIP(return, "times must be exact: on sim alone"); \
	} while (0)

static uint32_t cwnd_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) ? 0 : info.tcpi_snd_cwnd;
}

/* @n full segments are written, leave at once and are acknowledged together */
static bool flight(int fd, uint32_t n)
{
	uint32_t i, at = w.put + 1;

	if (w_put(fd, n * 1000, 0) != n * 1000)
		return false;
	for (i = 0; i < n; i++, at += 1000)
		if (!w_out(-1, "A %u+1000", at))
			return false;
	return w_in("A 1");
}

/* a connection; CUBIC leaves all this to what is common to the algorithms */
static int opened(int lfd, const char *opts)
{
	return setsockopt(lfd, SOL_TCP, TCP_CONGESTION, "cubic", 5) ? -1 : w_passive(lfd, opts);
}

/* a connection whose window has grown to 40 segments */
static int grown(int lfd)
{
	int fd = opened(lfd, "mss 1000");

	if (fd < 0 || !flight(fd, 10) || !flight(fd, 20) || cwnd_of(fd) != 40) {
		fprintf(stderr, "# the window did not grow to 40 segments\n");
		return -1;
	}
	return fd;
}

CASE(idle_slow_start, "RFC 2861 3.1: three quarters of it are remembered: until there it doubles")
{
	int fd = grown(self->lfd);
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	ASSERT_LE(0, fd);
	sleep_s(3);
	ASSERT_TRUE(flight(fd, 10));
	ASSERT_EQ(20, cwnd_of(fd));
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	ASSERT_LE(30, info.tcpi_snd_ssthresh);
}

CASE(unused_avoidance, "RFC 7661 4.1, RFC 5681 3.1: in congestion avoidance it must have been full")
{
	int fd = w_passive(self->lfd, "mss 1000 sackok"), i;

	SIM_ONLY();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	put(fd, 10000);
	for (i = 0; i < 10; i++)
		out("A %d+1000", 1 + i * 1000);
	in("A 1 ack 1 sack 1001-10001");
	out("A 1+1000");
	in("A 1 ack 10001");
	ASSERT_EQ(5, cwnd_of(fd));	/* half of the flight (RFC 5681 3.2) */
	for (i = 0; i < 20; i++)
		ASSERT_TRUE(flight(fd, 4));
	ASSERT_EQ(5, cwnd_of(fd));
	ASSERT_TRUE(flight(fd, 5));
	ASSERT_EQ(6, cwnd_of(fd));
}

/* a segment every 50 ms, for @n of them: never idle, never near the window */
static bool trickle(int fd, int n)
{
	for (; n; n--) {
		if (!flight(fd, 1))
			return false;
		sleep_s(0.05);
	}
	return true;
}

CASE(decays_not, "RFC 2861 3.2, tcp_slow_start_after_idle 0: nor that")
{
	int fd;

	SIM_ONLY();
	ASSERT_TRUE(w_sysctl("tcp_slow_start_after_idle", "0"));
	fd = grown(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(trickle(fd, 30));
	ASSERT_EQ(40, cwnd_of(fd));
}

CASE(idle_once, "RFC 2861 3.1, RFC 5681 4.1: an RTO of silence halves it once, however often one writes then")
{
	int fd = grown(self->lfd), i;

	SIM_ONLY();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 1));
	sleep_s(0.3);
	for (i = 0; i < 5; i++)
		put(fd, 100);
	ASSERT_EQ(20, cwnd_of(fd));
}

TEST_HARNESS_MAIN
