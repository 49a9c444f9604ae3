// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP_ZEROCOPY_RECEIVE (linux/tcp.h): pages of the receive queue are mapped, the rest is to be
 * copied. Whole pages come from a pipe by splice(2), or by MSG_ZEROCOPY, whose pages the way
 * round copies into pages of their own; both ends are addresses of this host.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include "sock_env.h"

#define PORT	5000
#define PAGE	4096
#define AREA	(64 * PAGE)

#ifndef TCP_ZEROCOPY_RECEIVE
#define TCP_ZEROCOPY_RECEIVE	35
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

/* linux/tcp.h's, which does not go with netinet/tcp.h */
struct zc {
	uint64_t address;
	uint32_t length;
	uint32_t recv_skip_hint;
	uint32_t inq;
	int32_t err;
	uint64_t copybuf_address;
	int32_t copybuf_len;
	uint32_t flags;
	uint64_t msg_control;
	uint64_t msg_controllen;
	uint32_t msg_flags;
	uint32_t reserved;
};

#define TLB_CLEAN_HINT	1

static uint8_t octet(uint32_t i)
{
	return i * 7 + (i >> 8) * 3 + (i >> 16);
}

static void fill(uint8_t *buf, uint32_t from, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		buf[i] = octet(from + i);
}

/* 0, or -1 with the place that differs on stderr */
static int same(const uint8_t *buf, uint32_t from, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (buf[i] != octet(from + i)) {
			fprintf(stderr, "# octet %u is %02x, not %02x\n", from + i, buf[i],
				octet(from + i));
			return -1;
		}
	}
	return 0;
}

static int zc_get(int fd, struct zc *zc)
{
	socklen_t len = sizeof(*zc);

	return getsockopt(fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, zc, &len) ? -errno : 0;
}

static void *area(int fd)
{
	return mmap(NULL, AREA, PROT_READ, MAP_SHARED, fd, 0);
}

struct pair {
	int lfd, fd, peer;
};

static int pair_open(struct pair *p, int family)
{
	p->lfd = socket(family, SOCK_STREAM, 0);
	p->fd = socket(family, SOCK_STREAM, 0);
	if (env_bind(p->lfd, "127.0.0.1", family == NATIVE ? PORT : PORT + 1) ||
	    listen(p->lfd, 8) ||
	    env_connect(p->fd, "127.0.0.1", family == NATIVE ? PORT : PORT + 1))
		return -1;
	p->peer = accept(p->lfd, NULL, NULL);
	env_setopt(p->fd, SOL_TCP, TCP_NODELAY, 1);
	return p->peer < 0 ? -1 : 0;
}

/* @n pages of the pattern from @from on, as pages: at most 16, a pipe's */
static int put_pages(int fd, uint32_t from, int n)
{
	static uint8_t page[PAGE];
	int pipefd[2], i, err = -1;

	if (pipe(pipefd))
		return -1;
	for (i = 0; i < n; i++) {
		fill(page, from + i * PAGE, PAGE);
		if (write(pipefd[1], page, PAGE) != PAGE)
			goto out;
	}
	for (n *= PAGE; n > 0; n -= i) {
		i = splice(pipefd[0], NULL, fd, NULL, n, 0);
		if (i <= 0)
			goto out;
	}
	err = 0;
out:
	close(pipefd[0]);
	close(pipefd[1]);
	return err;
}

/* wait until @n octets wait */
static int wait_inq(int fd, int n)
{
	int i, have = 0;

	for (i = 0; i < 500; i++) {
		if (ioctl(fd, SIOCINQ, &have) || have >= n)
			break;
		usleep(10000);
	}
	return have;
}

FIXTURE(zc) {
	struct pair p;
	uint8_t *map;
};

FIXTURE_VARIANT(zc) {
	int stack;
};

FIXTURE_VARIANT_ADD(zc, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(zc, strata) { .stack = STRATA };

FIXTURE_SETUP(zc)
{
	int family = env_family(variant->stack);

	if (family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	ASSERT_EQ(0, env_run("ip link set lo up%s%s", "", ""));
	ASSERT_EQ(0, pair_open(&self->p, family));
	self->map = area(self->p.peer);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(zc)
{
}

TEST_F(zc, mmap)
{
	int fd = self->p.peer;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_ERRNO(EACCES, mprotect(self->map, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_ERRNO(EACCES, mprotect(self->map, PAGE, PROT_READ | PROT_EXEC));
	EXPECT_NE(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	EXPECT_NE(MAP_FAILED, area(self->p.lfd));
	fd = socket(env_family(variant->stack), SOCK_DGRAM, 0);
	EXPECT_EQ(MAP_FAILED, area(fd));
	EXPECT_EQ(ENODEV, errno);
}

/* whole pages, one call */
TEST_F(zc, pages)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, put_pages(self->p.fd, i * 4 * PAGE, 4));
	ASSERT_EQ(16 * PAGE, wait_inq(self->p.peer, 16 * PAGE));
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(16 * PAGE, zc.length);
	EXPECT_EQ(0, zc.recv_skip_hint);
	EXPECT_EQ(0, zc.inq);
	EXPECT_EQ(0, zc.err);
	EXPECT_EQ(0, same(self->map, 0, 16 * PAGE));
	EXPECT_EQ(0, wait_inq(self->p.peer, 0));
	EXPECT_ERRNO(EAGAIN, recv(self->p.peer, &i, 1, MSG_DONTWAIT));

	/* the same place again: the old pages go; TLB_CLEAN_HINT is only a hint */
	ASSERT_EQ(0, put_pages(self->p.fd, 16 * PAGE, 4));
	ASSERT_EQ(4 * PAGE, wait_inq(self->p.peer, 4 * PAGE));
	zc.length = 2 * PAGE;
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(2 * PAGE, zc.length);
	EXPECT_EQ(2 * PAGE, zc.inq);
	EXPECT_EQ(0, same(self->map, 16 * PAGE, 2 * PAGE));
	zc.flags = TLB_CLEAN_HINT;
	zc.length = 2 * PAGE;
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(2 * PAGE, zc.length);
	EXPECT_EQ(0, same(self->map, 18 * PAGE, 2 * PAGE));
	EXPECT_EQ(0, same(self->map + 2 * PAGE, 2 * PAGE, 14 * PAGE));
}

/* what is mapped stays, though the descriptors are closed; it keeps the connection, too */
TEST_F(zc, outlives)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };
	char c;

	ASSERT_EQ(0, put_pages(self->p.fd, 0, 4));
	ASSERT_EQ(4 * PAGE, wait_inq(self->p.peer, 4 * PAGE));
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	ASSERT_EQ(4 * PAGE, zc.length);
	close(self->p.peer);
	EXPECT_EQ(0, same(self->map, 0, 4 * PAGE));
	EXPECT_ERRNO(EAGAIN, recv(self->p.fd, &c, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, munmap(self->map + PAGE, AREA - PAGE));
	EXPECT_EQ(0, same(self->map, 0, PAGE));
	ASSERT_EQ(0, munmap(self->map, PAGE));
	EXPECT_EQ(1, env_readable(self->p.fd));
	EXPECT_EQ(0, recv(self->p.fd, &c, 1, MSG_DONTWAIT));
}

/* octets that lie in no page of their own, before pages and behind */
TEST_F(zc, mixed)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };
	uint8_t buf[300];

	fill(buf, 0, 100);
	ASSERT_EQ(100, send(self->p.fd, buf, 100, 0));
	ASSERT_EQ(0, put_pages(self->p.fd, 100, 4));
	fill(buf, 100 + 4 * PAGE, 50);
	ASSERT_EQ(50, send(self->p.fd, buf, 50, 0));
	ASSERT_EQ(150 + 4 * PAGE, wait_inq(self->p.peer, 150 + 4 * PAGE));

	/* first what must be copied */
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(0, zc.length);
	EXPECT_EQ(100, zc.recv_skip_hint);
	EXPECT_EQ(150 + 4 * PAGE, zc.inq);
	/* a buffer takes a part of it */
	zc.length = AREA;
	zc.copybuf_address = (uintptr_t)buf;
	zc.copybuf_len = 60;
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(0, zc.length);
	EXPECT_EQ(60, zc.copybuf_len);
	EXPECT_EQ(40, zc.recv_skip_hint);
	EXPECT_EQ(0, same(buf, 0, 60));
	/* and recv() the rest */
	ASSERT_EQ(40, recv(self->p.peer, buf, 40, 0));
	EXPECT_EQ(0, same(buf, 60, 40));
	/* then pages, and what follows */
	zc.length = AREA;
	zc.copybuf_len = 0;
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(4 * PAGE, zc.length);
	EXPECT_EQ(0, same(self->map, 100, 4 * PAGE));
	EXPECT_EQ(50, zc.inq);
	zc.length = AREA;
	zc.copybuf_len = sizeof(buf);
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(0, zc.length);
	EXPECT_EQ(50, zc.copybuf_len);
	EXPECT_EQ(0, zc.recv_skip_hint);
	EXPECT_EQ(0, zc.inq);
	EXPECT_EQ(0, same(buf, 100 + 4 * PAGE, 50));
}

/* less than a page */
TEST_F(zc, little)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };
	uint8_t buf[100];

	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(0, zc.length);
	EXPECT_EQ(0, zc.recv_skip_hint);
	fill(buf, 0, 100);
	ASSERT_EQ(100, send(self->p.fd, buf, 100, 0));
	ASSERT_EQ(100, wait_inq(self->p.peer, 100));
	zc.length = AREA;
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(0, zc.length);
	EXPECT_EQ(100, zc.recv_skip_hint);
	EXPECT_EQ(100, zc.inq);
	/* not all fits the buffer: nothing is copied */
	zc.copybuf_address = (uintptr_t)buf;
	zc.copybuf_len = 99;
	zc.length = AREA;
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(0, zc.copybuf_len);
	EXPECT_EQ(100, zc.recv_skip_hint);
	/* nor to nowhere */
	zc.copybuf_address = (uintptr_t)NOWHERE;
	zc.copybuf_len = 100;
	EXPECT_EQ(-EFAULT, zc_get(self->p.peer, &zc));
	EXPECT_EQ(100, wait_inq(self->p.peer, 100));
	zc.copybuf_address = (uintptr_t)buf;
	memset(buf, 0, sizeof(buf));
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(100, zc.copybuf_len);
	EXPECT_EQ(0, zc.recv_skip_hint);
	EXPECT_EQ(0, same(buf, 0, 100));
}

TEST_F(zc, end)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };

	ASSERT_EQ(0, put_pages(self->p.fd, 0, 2));
	ASSERT_EQ(0, shutdown(self->p.fd, SHUT_WR));
	ASSERT_EQ(2 * PAGE, wait_inq(self->p.peer, 2 * PAGE));
	usleep(50000);
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(2 * PAGE, zc.length);
	EXPECT_EQ(0, same(self->map, 0, 2 * PAGE));
	EXPECT_EQ(1, zc.inq);
	zc.length = AREA;
	EXPECT_EQ(-EIO, zc_get(self->p.peer, &zc));
	EXPECT_EQ(0, recv(self->p.peer, &zc, 1, 0));
}

TEST_F(zc, reset)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };
	struct linger lg = { .l_onoff = 1 };

	ASSERT_EQ(0, setsockopt(self->p.fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg)));
	close(self->p.fd);
	ASSERT_EQ(1, env_readable(self->p.peer));
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(0, zc.length);
	EXPECT_EQ(-ECONNRESET, zc.err);
	/* it has been told */
	EXPECT_EQ(0, recv(self->p.peer, &lg, 1, 0));
}

TEST_F(zc, wrong)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA }, ask = zc;
	uint8_t *anon = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	socklen_t len = sizeof(zc);
	int fd = self->p.peer;

	ASSERT_EQ(0, put_pages(self->p.fd, 0, 4));
	ASSERT_EQ(4 * PAGE, wait_inq(fd, 4 * PAGE));
	/* places */
	ask.address++;
	EXPECT_EQ(-EINVAL, zc_get(fd, &ask));
	ask.address = (uintptr_t)anon;
	EXPECT_EQ(-EINVAL, zc_get(fd, &ask));
	munmap(anon, AREA);
	EXPECT_EQ(-EINVAL, zc_get(fd, &ask));
	ask.address = 0;
	EXPECT_EQ(-EINVAL, zc_get(fd, &ask));
	ask.address = 1ULL << 63;
	EXPECT_EQ(-EINVAL, zc_get(fd, &ask));
	/* members */
	ask = zc;
	ask.reserved = 1;
	EXPECT_EQ(-EINVAL, zc_get(fd, &ask));
	ask = zc;
	ask.msg_flags = 1;
	EXPECT_EQ(-EINVAL, zc_get(fd, &ask));
	/* pointers and lengths: tried in each */
	EXPECT_ERRNO(EFAULT, getsockopt(fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, NOWHERE, &len));
	EXPECT_ERRNO(EFAULT, getsockopt(fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &zc, NOWHERE));
	len = -1;
	EXPECT_ERRNO(EINVAL, getsockopt(fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len));
	/* not to be set */
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &zc, sizeof(zc)));
	/* nothing to read there */
	EXPECT_EQ(-ENOTCONN, zc_get(self->p.lfd, &zc));
	/* nothing of all this took anything */
	EXPECT_EQ(4 * PAGE, wait_inq(fd, 4 * PAGE));
	/* a mapping that ends before */
	ask = zc;
	ask.address += AREA - PAGE;
	ASSERT_EQ(0, zc_get(fd, &ask));
	EXPECT_EQ(PAGE, ask.length);
	EXPECT_EQ(0, same(self->map + AREA - PAGE, 0, PAGE));
	ask = zc;
	ask.length = PAGE - 1;
	ASSERT_EQ(0, zc_get(fd, &ask));
	EXPECT_EQ(0, ask.length);
	EXPECT_EQ(PAGE - 1, ask.recv_skip_hint);
}

/* what an option of each length says of 100 octets: results and members, in one number */
static uint64_t lengths(struct pair *p, uint8_t *map)
{
	uint64_t sum = 0;
	union {
		struct zc zc;
		uint8_t raw[96];
	} u;
	socklen_t len;
	unsigned int i, tail, ret;

	for (tail = 0; tail < 2; tail++) {
		for (i = 0; i <= sizeof(u); i++) {
			memset(&u, 0, sizeof(u));
			u.zc.address = i & 1 ? (uintptr_t)map : 0;
			u.zc.length = PAGE;
			u.zc.inq = 77;
			u.raw[sizeof(u) - 1] = tail;
			len = i;
			ret = getsockopt(p->peer, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &u, &len);
			ret = ret ? errno : 0;
			sum = sum * 31 + ret * 1000 + len;
			sum = sum * 31 + u.zc.length;
			sum = sum * 31 + u.zc.recv_skip_hint;
			sum = sum * 31 + u.zc.inq;
		}
	}
	return sum;
}

TEST_F(zc, lengths)
{
	struct pair native;
	uint8_t buf[100];

	ASSERT_EQ(0, variant->stack == NATIVE ? 0 : pair_open(&native, NATIVE));
	if (variant->stack == NATIVE)
		native = self->p;
	ASSERT_EQ(100, send(native.fd, buf, 100, 0));
	ASSERT_EQ(100, wait_inq(native.peer, 100));
	if (native.fd != self->p.fd)
		ASSERT_EQ(100, send(self->p.fd, buf, 100, 0));
	ASSERT_EQ(100, wait_inq(self->p.peer, 100));
	EXPECT_EQ(lengths(&native, self->map), lengths(&self->p, self->map));
}

/* mapped from another stack's socket: as any other memory */
TEST_F(zc, foreign)
{
	struct zc zc = { .length = AREA };
	struct pair other;

	if (env_family(STRATA) < 0)
		SKIP(return, "there is only one stack");
	ASSERT_EQ(0, pair_open(&other, env_family(variant->stack == NATIVE ? STRATA : NATIVE)));
	zc.address = (uintptr_t)area(other.peer);
	ASSERT_EQ(0, put_pages(self->p.fd, 0, 4));
	ASSERT_EQ(4 * PAGE, wait_inq(self->p.peer, 4 * PAGE));
	EXPECT_EQ(-EINVAL, zc_get(self->p.peer, &zc));
	/* from another socket of the same stack: welcome */
	zc.address = (uintptr_t)area(self->p.fd);
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(4 * PAGE, zc.length);
}

TEST_F(zc, stamp)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };
	char ctl[256];
	struct msghdr m = { };
	struct cmsghdr *c;
	struct timeval tv;

	ASSERT_EQ(0, env_setopt(self->p.peer, SOL_SOCKET, SO_TIMESTAMP, 1));
	/* the stamp of what comes is asked for at once, but not by this CPU alone */
	usleep(100000);
	ASSERT_EQ(0, put_pages(self->p.fd, 0, 4));
	ASSERT_EQ(4 * PAGE, wait_inq(self->p.peer, 4 * PAGE));
	zc.msg_control = (uintptr_t)ctl;
	zc.msg_controllen = sizeof(ctl);
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(4 * PAGE, zc.length);
	m.msg_control = ctl;
	m.msg_controllen = zc.msg_control - (uintptr_t)ctl;
	c = CMSG_FIRSTHDR(&m);
	ASSERT_NE(NULL, c);
	EXPECT_EQ(SOL_SOCKET, c->cmsg_level);
	EXPECT_EQ(SO_TIMESTAMP, c->cmsg_type);
	memcpy(&tv, CMSG_DATA(c), sizeof(tv));
	EXPECT_NE(0, tv.tv_sec);
	EXPECT_EQ(0, zc.msg_flags);
}

/* a stream through a small buffer: pages mapped, the rest copied; window and ACKs keep up */
#define STREAM	(160 * 4 * PAGE)

static void *stream_send(void *arg)
{
	int fd = *(int *)arg;
	uint8_t buf[1000];
	uint32_t n;

	for (n = 0; n < STREAM; n += 4 * PAGE)
		if (put_pages(fd, n, 4))
			break;
	fill(buf, n, sizeof(buf));
	send(fd, buf, sizeof(buf), 0);
	shutdown(fd, SHUT_WR);
	return NULL;
}

TEST_F(zc, stream)
{
	static uint8_t buf[AREA];
	uint32_t pos = 0, mapped = 0;
	pthread_t sender;
	struct zc zc;
	int n;

	ASSERT_EQ(0, env_setopt(self->p.peer, SOL_SOCKET, SO_RCVBUF, 100000));
	ASSERT_EQ(0, pthread_create(&sender, NULL, stream_send, &self->p.fd));
	while (true) {
		ASSERT_EQ(1, env_readable(self->p.peer));
		zc = (struct zc){ .address = (uintptr_t)self->map, .length = AREA };
		n = zc_get(self->p.peer, &zc);
		if (n == -EIO)
			break;
		ASSERT_EQ(0, n);
		ASSERT_EQ(0, same(self->map, pos, zc.length));
		pos += zc.length;
		mapped += zc.length;
		if (!zc.recv_skip_hint)
			continue;
		n = recv(self->p.peer, buf, zc.recv_skip_hint, 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(0, same(buf, pos, n));
		pos += n;
	}
	pthread_join(sender, NULL);
	EXPECT_EQ(STREAM + 1000, pos);
	EXPECT_LT(STREAM / 8, mapped);
	TH_LOG("%u of %u octets mapped", mapped, pos);
}

/* a window that was closed opens when its pages are mapped, long before the next probe */
TEST_F(zc, window)
{
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };
	pthread_t sender;
	int had, now;

	ASSERT_EQ(0, env_setopt(self->p.peer, SOL_SOCKET, SO_RCVBUF, 60000));
	ASSERT_EQ(0, pthread_create(&sender, NULL, stream_send, &self->p.fd));
	/* probes after 0.2, 0.6, 1.4 and 3 seconds */
	usleep(2000000);
	had = wait_inq(self->p.peer, 1);
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	TH_LOG("%u of %d octets mapped", zc.length, had);
	ASSERT_LT(had / 2, zc.length);
	usleep(500000);
	ASSERT_EQ(0, ioctl(self->p.peer, SIOCINQ, &now));
	EXPECT_LT(had - (int)zc.length, now);
	/* the process ends, and the sender with it */
}

/* a sender without a copy: the way round makes pages of its own of the user's */
TEST_F(zc, send_zerocopy)
{
	uint8_t *data = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	struct zc zc = { .address = (uintptr_t)self->map, .length = AREA };
	int n = 4 * PAGE;

	if (env_setopt(self->p.fd, SOL_SOCKET, SO_ZEROCOPY, 1))
		SKIP(return, "the core refuses SO_ZEROCOPY before Linux 6.2");
	fill(data, 0, n);
	ASSERT_EQ(n, send(self->p.fd, data, n, MSG_ZEROCOPY));
	ASSERT_EQ(n, wait_inq(self->p.peer, n));
	ASSERT_EQ(0, zc_get(self->p.peer, &zc));
	EXPECT_EQ(n, zc.length);
	/* they are not the user's any more */
	memset(data, 0, n);
	EXPECT_EQ(0, same(self->map, 0, zc.length));
}

TEST_HARNESS_MAIN
