// SPDX-License-Identifier: GPL-2.0-only
/*
 * What struct tcp_info says of the time a connection spent: tcpi_busy_time, and of that
 * tcpi_rwnd_limited and tcpi_sndbuf_limited, µs. The peer makes the times.
 */
#include "wire.h"

/* libc's struct tcp_info and what the kernel's has behind it */
struct info {
	struct tcp_info libc;
	uint64_t rates[4];
	uint32_t counts[6];
	uint64_t delivery_rate;
	uint64_t tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited;
};

_Static_assert(offsetof(struct info, tcpi_busy_time) == 168, "layout of linux/tcp.h");

static struct info info(int fd)
{
	struct info i = { };
	socklen_t len = sizeof(i);

	getsockopt(fd, SOL_TCP, TCP_INFO, &i, &len);
	return i;
}

/* is @us about @ms? */
static bool about(uint64_t us, int ms, const char *what)
{
	bool ticks = NATIVE("counts in ticks of 4 or 10 ms, one more or less for each change");
	int slack = !w.sim ? 150 : ticks ? 25 : 2;

	if ((int64_t)us >= (ms - slack) * 1000LL && (int64_t)us <= (ms + slack) * 1000LL)
		return true;
	fprintf(stderr, "# %s is %llu us, expected about %d ms\n", what, (unsigned long long)us, ms);
	return false;
}

static bool times(int fd, int busy, int rwnd, int sndbuf)
{
	struct info i = info(fd);
	bool ok = about(i.tcpi_busy_time, busy, "tcpi_busy_time");

	ok &= about(i.tcpi_rwnd_limited, rwnd, "tcpi_rwnd_limited");
	return ok & about(i.tcpi_sndbuf_limited, sndbuf, "tcpi_sndbuf_limited");
}

#define TIMES(...)	ASSERT_TRUE(times(__VA_ARGS__))

CASE(busy, "tcp(7) TCP_INFO, RFC 4898 4.2: busy from the first octet to the last one's ACK")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	sleep_s(0.2);
	TIMES(fd, 0, 0, 0);
	put(fd, 100);
	out("PA 1+100");
	sleep_s(0.1);
	TIMES(fd, 100, 0, 0);
	in("A 1 ack 101");
	sleep_s(0.5);
	TIMES(fd, 100, 0, 0);
	put(fd, 100);
	out("PA 101+100");
	sleep_s(0.05);
	in("A 1 ack 201");
	sleep_s(0.1);
	TIMES(fd, 150, 0, 0);
}

CASE(busy_receiver, "tcp(7) TCP_INFO: who only receives is not busy")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+100");
	out_within(200, "A 1 ack 101");
	sleep_s(0.3);
	TIMES(fd, 0, 0, 0);
}

CASE(rwnd_limited, "tcp(7) TCP_INFO, RFC 4898: the peer's window holds back what waits")
{
	int fd;

	in("S 0 mss 1000 win 2000");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 2000");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 5000);
	out("A 1+1000");
	out("A 1001+1000");
	sleep_s(0.1);
	TIMES(fd, 100, 100, 0);
	in("A 1 ack 2001 win 0");
	sleep_s(0.1);
	TIMES(fd, 200, 200, 0);
	in("A 1 ack 2001 win 10000");
	out("A 2001+1000");
	out("A 3001+1000");
	out("PA 4001+1000");
	sleep_s(0.1);
	TIMES(fd, 300, 200, 0);
	in("A 1 ack 5001 win 10000");
	sleep_s(0.1);
	TIMES(fd, 300, 200, 0);
}

CASE(cwnd_is_not_rwnd, "tcp(7) TCP_INFO: the congestion window holds back: only busy")
{
	int fd = w_passive(self->lfd, "mss 1000 sackok");

	ASSERT_LE(0, fd);
	put(fd, 20000);
	for (uint32_t i = 0; i < 10; i++)
		out("A %u+1000", 1 + i * 1000);
	sleep_s(0.1);
	TIMES(fd, 100, 0, 0);
}

CASE(sndbuf_limited, "tcp(7) TCP_INFO: all was sent, and the writer waits for room")
{
	int fd;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_SNDBUF, 2304));
	/* an entry of the send queue holds half the peer's window at most */
	in("S 0 mss 1000 win 4000");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 4000");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 1));
	put(fd, 2500);
	out("A 1+1000");
	out("A 1001+1000");
	ASSERT_FALSE(w_poll(fd, POLLOUT, 0));
	sleep_s(0.05);
	TIMES(fd, 50, 0, 0);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 0));
	out("PA 2001+500");
	sleep_s(0.1);
	TIMES(fd, 150, 0, 100);
	in("A 1 ack 2501 win 4000");
	sleep_s(0.3);
	TIMES(fd, 150, 0, 100);
	/* there is room: it is busy, no more */
	put(fd, 100);
	out("PA 2501+100");
	sleep_s(0.05);
	TIMES(fd, 200, 0, 100);
}

CASE(syns_again, "tcp(7) TCP_INFO: tcpi_total_retrans counts SYNs that were sent again, too")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_EQ(0, info(fd).libc.tcpi_total_retrans);
	out_at(1000, "S 0");
	ASSERT_EQ(1, info(fd).libc.tcpi_total_retrans);
	in("SA 0 ack 1 mss 1460 win 60000");
	out("A 1 ack 1");
	ASSERT_EQ(1, info(fd).libc.tcpi_total_retrans);
	put(fd, 100);
	out("PA 1+100");
	in("A 1 ack 101");
	ASSERT_EQ(1, info(fd).libc.tcpi_total_retrans);
}

CASE(syn_acks_again, "tcp(7) TCP_INFO: and SYN-ACKs")
{
	int fd;

	in("S 0 mss 1460");
	out("SA 0 ack 1");
	out_at(1000, "SA 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, info(fd).libc.tcpi_total_retrans);
}

TEST_HARNESS_MAIN
