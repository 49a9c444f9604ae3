// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program writes and what waits: how much is taken that cannot be sent yet
 * (TCP_NOTSENT_LOWAT), how much is given to the device at once (tcp_limit_output_bytes), and
 * where writes meet (MSG_EOR, MSG_MORE, sendfile()).
 */
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include "wire.h"

static uint32_t unsent(int fd)
{
	int n = -1;

	ioctl(fd, SIOCOUTQNSD, &n);
	return n;
}

/* a connection to a peer whose window is @win and never was larger */
static int narrow(int lfd, const char *opts, int win)
{
	if (!w_in("S 0 %s win %d", opts, win) || !w_out(-1, "SA 0 ack 1") ||
	    !w_in("A 1 ack 1 win %d", win))
		return -1;
	return w_accept(lfd);
}

/* ---- TCP_NOTSENT_LOWAT ---- */

#define LOWAT	4000

/* as much is written as is taken, to a peer whose window is 4000; does LOWAT stop it? */
static bool fills_to_lowat(int fd)
{
	int n = w_put(fd, 50000, 0), wait = unsent(fd);

	/* the last entry was begun when less waited: half a window is the largest */
	if (n >= 4000 + LOWAT && wait >= LOWAT && wait <= LOWAT + 2000)
		return true;
	fprintf(stderr, "# %d taken, %d wait\n", n, wait);
	return false;
}

/* the peer's window lets one more segment out */
static bool one_more(void)
{
	struct wseg s;

	while (w_next(5, &s))
		;
	return w_in("A 1 win 1000") && w_next(1000, &s) && s.len == 1000;
}

/* poll() has POLLOUT below half of LOWAT, and writes are taken below LOWAT */
static bool stopped_at_lowat(int fd)
{
	int wait;

	if (!fills_to_lowat(fd) || w_put(fd, 10, 0) != -EAGAIN)
		return false;
	for (wait = unsent(fd); wait >= 1000; wait = unsent(fd)) {
		if (!one_more() || unsent(fd) != wait - 1000)
			return false;
		wait -= 1000;
		if (w_poll(fd, POLLOUT, 0) != (2 * wait < LOWAT)) {
			fprintf(stderr, "# %d wait, and poll() does not say so\n", wait);
			return false;
		}
		if (wait < LOWAT && w_put(fd, 1, 0) != 1)
			return false;
	}
	return true;
}

CASE(notsent_lowat, "tcp(7) TCP_NOTSENT_LOWAT: no more is taken than that which cannot be sent")
{
	int fd = narrow(self->lfd, "mss 1000", 4000);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NOTSENT_LOWAT, LOWAT));
	ASSERT_TRUE(stopped_at_lowat(fd));
}

/*
 * as much is written as is taken, and sent until one more segment brings POLLOUT: it is what the
 * next ACK lets out
 */
static bool nearly_writable(int fd)
{
	if (!fills_to_lowat(fd))
		return false;
	while (2 * (unsent(fd) - 1000) >= LOWAT)
		if (!one_more())
			return false;
	return 2 * unsent(fd) >= LOWAT;
}

CASE(notsent_lowat_epoll,
     "tcp(7) TCP_NOTSENT_LOWAT: who waits is told by the ACK that lets the data out, not the next")
{
	int fd = narrow(self->lfd, "mss 1000", 4000), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLOUT };

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NOTSENT_LOWAT, LOWAT));
	ASSERT_TRUE(nearly_writable(fd));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_TRUE(one_more());
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(EPOLLOUT, ev.events);
}

CASE(notsent_lowat_blocked, "tcp(7) TCP_NOTSENT_LOWAT: and so is a send() that waits")
{
	int fd = narrow(self->lfd, "mss 1000", 4000), done[2];
	char c;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(done));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NOTSENT_LOWAT, LOWAT));
	ASSERT_TRUE(fills_to_lowat(fd));
	while (unsent(fd) >= LOWAT + 1000)
		ASSERT_TRUE(one_more());
	if (!fork()) {
		c = w_octet(w.put);
		fcntl(fd, F_SETFL, 0);
		_exit(send(fd, &c, 1, 0) != 1 || write(done[1], "x", 1) != 1);
	}
	ASSERT_FALSE(w_poll(done[0], POLLIN, 100));
	while (2 * (unsent(fd) - 1000) >= LOWAT)
		ASSERT_TRUE(one_more());
	ASSERT_FALSE(w_poll(done[0], POLLIN, 100));
	ASSERT_TRUE(one_more());
	ASSERT_TRUE(w_poll(done[0], POLLIN, 100));
}

CASE(notsent_lowat_all, "tcp(7) tcp_notsent_lowat: for who does not set it")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_notsent_lowat", "4000"));
	fd = narrow(self->lfd, "mss 1000", 4000);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(stopped_at_lowat(fd));
}

CASE(notsent_lowat_not, "tcp(7) TCP_NOTSENT_LOWAT: by default the send buffer alone limits")
{
	int fd = narrow(self->lfd, "mss 1000", 4000);

	ASSERT_LE(0, fd);
	put(fd, 10000);
	ASSERT_EQ(6000, unsent(fd));
	ASSERT_TRUE(w_poll(fd, POLLOUT, 0));
	/* and what is set later counts at once, for what waits already */
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NOTSENT_LOWAT, LOWAT));
	ASSERT_FALSE(w_poll(fd, POLLOUT, 0));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NOTSENT_LOWAT, 60000));
	ASSERT_TRUE(w_poll(fd, POLLOUT, 0));
}

/* ---- tcp_limit_output_bytes ---- */

static uint32_t below(int fd)
{
	uint32_t mem[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(mem);

	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len) ? ~0U : mem[SK_MEMINFO_WMEM_ALLOC];
}

/* 40 segments are written to a device that takes 50 ms for each; what it has got at most */
static int most_below(int lfd, struct wseg *s)
{
	uint32_t now, most = 0;
	int fd, n, i;

	/* nobody paces: else the pace is the limit */
	if (setsockopt(lfd, SOL_TCP, TCP_CONGESTION, "cubic", 5) ||
	    w_set(lfd, SOL_SOCKET, SO_SNDBUF, 1 << 20) ||
	    run("ip link set t0 gso_max_segs 1; tc qdisc replace dev t0 root pfifo"))
		return -1;
	fd = w_passive(lfd, "mss 1000");
	if (fd < 0)
		return -1;
	for (i = 10; i <= 20; i += 10) {
		if (w_put(fd, i * 1000, 0) != i * 1000)
			return -1;
		for (n = 0; n < i; n++)
			if (!w_next(1000, s) || !w_in("A 1"))
				return -1;
	}
	n = 0;
	if (run("tc qdisc replace dev t0 root tbf rate 160kbit burst 1100 limit 1000000") ||
	    w_put(fd, 40000, 0) != 40000)
		return -1;
	do {
		now = below(fd);
		if (now > most)
			most = now;
	} while (w_next(w.sim ? 60 : 1000, s) && w_in("A 1") && ++n < 40);
	if (n != 40) {
		fprintf(stderr, "# only %d segments came\n", n);
		return -1;
	}
	return most;
}

CASE(small_queue, "tcp(7) tcp_limit_output_bytes: no more is in the device's queue, and all leaves")
{
	struct wseg s;
	int most;

	LONG(w.sim ? 0 : 3);
	ASSERT_TRUE(w_sysctl("tcp_limit_output_bytes", "8000"));
	most = most_below(self->lfd, &s);
	ASSERT_LT(4000, most);
	ASSERT_GE(8000 + 4096, most);	/* and the one that passes it */
}

CASE(large_queue, "tcp(7) tcp_limit_output_bytes: by default a megabyte: all of the window goes")
{
	struct wseg s;

	if (!w.sim)
		SKIP(return, "a round trip that takes time makes the limit smaller: on sim alone");
	ASSERT_LE(40000, most_below(self->lfd, &s));
}

/* ---- the small-queue limit: a millisecond at the pacing rate, or two segments ---- */

/*
 * a connection whose round trip is @ms has sent @flights, each twice as large as the one before;
 * from now on the device lets a segment go every 50 ms
 */
static int held(int lfd, int ms, int flights)
{
	struct wseg s;
	int fd, n, i;

	/* nobody paces */
	if (setsockopt(lfd, SOL_TCP, TCP_CONGESTION, "cubic", 5) ||
	    w_set(lfd, SOL_SOCKET, SO_SNDBUF, 1 << 20) ||
	    run("ip link set t0 gso_max_segs 1; tc qdisc replace dev t0 root pfifo") ||
	    !w_in("S 0 mss 1000 ws 4") || !w_next(1000, &s))
		return -1;
	sleep_s(ms / 1000.0);
	fd = w_in("A 1 ack 1") ? w_accept(lfd) : -1;
	for (n = 10; fd >= 0 && flights; n *= 2, flights--) {
		if (w_put(fd, n * 1000, 0) != n * 1000)
			return -1;
		for (i = 0; i < n; i++)
			if (!w_next(1000, &s))
				return -1;
		sleep_s(ms / 1000.0);
		if (!w_in("A 1"))
			return -1;
	}
	return run("tc qdisc replace dev t0 root tbf rate 160kbit burst 1100 limit 1000000") ?
	       -1 : fd;
}

static uint64_t info_u64(int fd, int at)
{
	uint64_t info[32] = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, info, &len);
	return info[at / 8];
}

#define PACING_RATE(fd)	info_u64(fd, 104)	/* behind what libc's struct tcp_info has */

/* 100 segments are written: as many are below TCP as pass @limit, or two */
static bool held_back(int fd, uint32_t limit)
{
	uint32_t now, one;
	struct wseg s;
	int n;

	if (w_put(fd, 100000, 0) != 100000)
		return false;
	sleep_s(0.02);
	now = below(fd);
	/* the first has left */
	n = (w.put - unsent(fd) - w.seen + 1) / 1000 - 1;
	one = n > 0 ? now / n : 0;
	if (limit < 2 * one)
		limit = 2 * one;
	if (!one || now < limit || now >= limit + one) {
		fprintf(stderr, "# %u octets in %d segments lie below, the limit is %u\n", now, n,
			limit);
		return false;
	}
	/* as one leaves one follows */
	for (n = 0; n < 100; n++)
		if (!w_next(w.sim ? 60 : 1000, &s) || !w_in("A 1"))
			return false;
	return true;
}

CASE(queue_two, "tcp(7) tcp_limit_output_bytes: at a low rate two segments wait below the socket")
{
	int fd;

	LONG(w.sim ? 0 : 6);
	fd = held(self->lfd, 100, 1);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(held_back(fd, PACING_RATE(fd) >> 10));
}

CASE(queue_rate, "tcp(7) tcp_limit_output_bytes: at a high rate what leaves in a millisecond does")
{
	int fd;

	LONG(w.sim ? 0 : 6);
	fd = held(self->lfd, 10, 5);
	ASSERT_LE(0, fd);
	ASSERT_LT(20000, PACING_RATE(fd) >> 10);
	ASSERT_TRUE(held_back(fd, PACING_RATE(fd) >> 10));
}

CASE(queue_paced, "tcp(7) tcp_limit_output_bytes: is not the limit of who is paced")
{
	unsigned int rate = 40000000;
	int fd;

	LONG(w.sim ? 0 : 6);
	ASSERT_TRUE(w_sysctl("tcp_limit_output_bytes", "4096"));
	fd = held(self->lfd, 10, 5);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	ASSERT_TRUE(held_back(fd, PACING_RATE(fd) >> 10));
}

/* ---- where writes meet ---- */

/* two writes of 500 octets, the first with @flags, while the peer's window is closed. It opens */
static int two_writes(int lfd, int flags)
{
	int fd = w_passive(lfd, "mss 1460");

	if (fd < 0 || w_set(fd, SOL_TCP, TCP_NODELAY, 1) || w_put(fd, 10, 0) != 10 ||
	    !w_out(-1, "PA 1+10") || !w_in("A 1 ack 11 win 0") || w_put(fd, 500, flags) != 500 ||
	    w_put(fd, 500, 0) != 500 || !w_in("A 1 ack 11 win 5000"))
		return -1;
	return fd;
}

CASE(meet, "RFC 9293 3.7.1: writes that wait leave in one segment")
{
	ASSERT_LE(0, two_writes(self->lfd, 0));
	out("PA 11+1000");
	quiet(50);
}

CASE(eor, "send(2) MSG_EOR: not with what is written behind it")
{
	ASSERT_LE(0, two_writes(self->lfd, MSG_EOR));
	out("A 11+500");
	out("PA 511+500");
}

CASE(eor_again, "send(2) MSG_EOR: nor when they are sent again")
{
	ASSERT_LE(0, two_writes(self->lfd, MSG_EOR));
	out("A 11+500");
	out("PA 511+500");
	while (w_next(10, &(struct wseg){}))
		;
	ASSERT_TRUE(w_next(1000, &(struct wseg){}));	/* a tail loss probe may come before */
	out_within(1000, "A 11+500");
}

CASE(eor_large, "send(2) MSG_EOR: ends a segment of a write of many, and the next write begins one")
{
	int fd = narrow(self->lfd, "mss 1000", 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(2500, w_put(fd, 2500, MSG_EOR));
	ASSERT_EQ(2500, w_put(fd, 2500, MSG_EOR));
	in("A 1 ack 1 win 20000");
	out("A 1+1000");
	out("A 1001+1000");
	out("A 2001+500");
	/* Nagle: a second short one waits for the first's ACK */
	out("A 2501+1000");
	out("A 3501+1000");
	quiet(20);
	in("A 1 win 20000");
	out("PA 4501+500");
}

CASE(more_full, "send(2) MSG_MORE: holds back the rest that fills no segment, until an ACK")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ASSERT_EQ(2500, w_put(fd, 2500, MSG_MORE));
	out("A 1+1000");
	out("A 1001+1000");
	quiet(20);
	in("A 1 ack 2001");
	out("A 2001+500");
}

CASE(more_cork, "send(2) MSG_MORE: several calls become full segments, the last call ends it")
{
	int fd = w_passive(self->lfd, "mss 1000"), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 7; i++)
		ASSERT_EQ(300, w_put(fd, 300, MSG_MORE));
	out("A 1+1000");
	out("A 1001+1000");
	quiet(20);
	put(fd, 300);
	out("PA 2001+400");
}

/* a file whose @len octets go on with the pattern */
static int file_of(int len)
{
	static uint8_t buf[65536];
	int fd = memfd_create("file", MFD_CLOEXEC), i;

	for (i = 0; i < len; i++)
		buf[i] = w_octet(w.put + i);
	return write(fd, buf, len) == len ? fd : -1;
}

CASE(sendfile, "sendfile(2): what is in the file, behind a header that was sent with MSG_MORE")
{
	int fd = w_passive(self->lfd, "mss 1000"), file;
	off_t at = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(100, w_put(fd, 100, MSG_MORE));
	file = file_of(6000);
	ASSERT_LE(0, file);
	ASSERT_EQ(6000, sendfile(fd, file, &at, 6000));
	ASSERT_EQ(6000, at);
	for (int i = 0; i < 6; i++)
		out("A %d+1000", 1 + i * 1000);
	out("PA 6001+100");
}

CASE(sendfile_short, "sendfile(2): more asked for than the file has: the end of it goes at once")
{
	int fd = w_passive(self->lfd, "mss 1000"), file;

	ASSERT_LE(0, fd);
	file = file_of(5500);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, lseek(file, 0, SEEK_SET));
	ASSERT_EQ(5500, sendfile(fd, file, NULL, 100000));
	ASSERT_EQ(5500, lseek(file, 0, SEEK_CUR));
	for (int i = 0; i < 5; i++)
		out("A %d+1000", 1 + i * 1000);
	out("PA 5001+500");
	ASSERT_EQ(0, sendfile(fd, file, NULL, 1000));
	quiet(20);
}

TEST_HARNESS_MAIN
