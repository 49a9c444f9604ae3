// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_uring(7) on stream sockets, by its system calls alone: connect, accept, send, receive,
 * and sending without a copy (IORING_OP_SEND_ZC), whose buffer comes back by a second
 * completion. Multishot requests (io_uring_prep_multishot_accept(3),
 * io_uring_prep_recv_multishot(3)) complete again and again until an error ends them; their flags
 * are asked of both stacks. Both ends are addresses of this host.
 */
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include "sock_env.h"

#define PORT	5000

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
};

static int ring_open(struct ring *r)
{
	struct io_uring_params p = { };
	uint8_t *sq, *cq;

	r->fd = syscall(__NR_io_uring_setup, 8, &p);
	if (r->fd < 0)
		return -errno;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*r->cqe), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_CQ_RING);
	r->sqe = mmap(NULL, p.sq_entries * sizeof(*r->sqe), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || r->sqe == MAP_FAILED)
		return -ENOMEM;
	r->sq_tail = (void *)(sq + p.sq_off.tail);
	r->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	r->sq_array = (void *)(sq + p.sq_off.array);
	r->cq_head = (void *)(cq + p.cq_off.head);
	r->cq_tail = (void *)(cq + p.cq_off.tail);
	r->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	r->cqe = (void *)(cq + p.cq_off.cqes);
	return 0;
}

/* submit one request; its user_data is its opcode */
static void ring_submit(struct ring *r, struct io_uring_sqe sqe)
{
	unsigned int tail = *r->sq_tail, i = tail & *r->sq_mask;

	sqe.user_data = sqe.opcode;
	r->sqe[i] = sqe;
	r->sq_array[i] = i;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	syscall(__NR_io_uring_enter, r->fd, 1, 0, 0, NULL, 0);
}

static void ring_put(struct ring *r, int op, int fd, const void *addr, uint32_t len, uint64_t off)
{
	struct io_uring_sqe sqe = {
		.opcode = op, .fd = fd, .addr = (uintptr_t)addr, .len = len, .off = off,
	};

	ring_submit(r, sqe);
}

/* what a completion says */
struct done {
	uint64_t user_data;
	int32_t res;
	uint32_t flags;
};

/* the next completion */
static struct done ring_get(struct ring *r)
{
	struct done c = { .res = -ETIME };
	unsigned int head = *r->cq_head;

	if (head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE))
		syscall(__NR_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	if (head != __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE)) {
		memcpy(&c, &r->cqe[head & *r->cq_mask], sizeof(c));
		__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	}
	return c;
}

FIXTURE(uring) {
	struct ring r;
	int lfd, fd, peer;
};

FIXTURE_VARIANT(uring) {
	int stack;
};

FIXTURE_VARIANT_ADD(uring, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(uring, strata) { .stack = STRATA };

/* connected by io_uring itself: fd to peer */
FIXTURE_SETUP(uring)
{
	struct sockaddr_in to = env_addr("127.0.0.1", PORT);
	int family = env_family(variant->stack), i;
	struct done c;

	if (family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	ASSERT_EQ(0, env_run("ip link set lo up%s%s", "", ""));
	ASSERT_EQ(0, ring_open(&self->r));
	self->lfd = socket(family, SOCK_STREAM, 0);
	ASSERT_EQ(0, env_bind(self->lfd, "127.0.0.1", PORT));
	ASSERT_EQ(0, listen(self->lfd, 8));
	self->fd = socket(family, SOCK_STREAM, 0);
	ring_put(&self->r, IORING_OP_ACCEPT, self->lfd, NULL, 0, 0);
	ring_put(&self->r, IORING_OP_CONNECT, self->fd, &to, 0, sizeof(to));
	self->peer = -1;
	for (i = 0; i < 2; i++) {
		c = ring_get(&self->r);
		ASSERT_LE(0, c.res);
		if (c.user_data == IORING_OP_ACCEPT)
			self->peer = c.res;
	}
	ASSERT_LE(0, self->peer);
}

FIXTURE_TEARDOWN(uring)
{
}

TEST_F(uring, send_recv)
{
	char buf[100];
	struct done c;
	int i;

	/* the receiver waits first */
	ring_put(&self->r, IORING_OP_RECV, self->peer, buf, sizeof(buf), 0);
	ring_put(&self->r, IORING_OP_SEND, self->fd, "hello", 5, 0);
	for (i = 0; i < 2; i++) {
		c = ring_get(&self->r);
		ASSERT_EQ(5, c.res);
	}
	ASSERT_EQ(0, memcmp(buf, "hello", 5));
	/* the end of the stream */
	ring_put(&self->r, IORING_OP_RECV, self->peer, buf, sizeof(buf), 0);
	ring_put(&self->r, IORING_OP_SHUTDOWN, self->fd, NULL, SHUT_WR, 0);
	for (i = 0; i < 2; i++) {
		c = ring_get(&self->r);
		ASSERT_EQ(0, c.res);
	}
}

TEST_F(uring, send_zc)
{
	static char data[60000], got[60000];
	struct done c;
	int n, len = 0, i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + (i >> 8);
	ring_put(&self->r, IORING_OP_SEND_ZC, self->fd, data, 10000, 0);
	ring_put(&self->r, IORING_OP_SEND, self->fd, data + 10000, 10000, 0);
	ring_put(&self->r, IORING_OP_SEND_ZC, self->fd, data + 20000, 40000, 0);
	while (len < sizeof(got)) {
		n = recv(self->peer, got + len, sizeof(got) - len, 0);
		ASSERT_LT(0, n);
		len += n;
	}
	ASSERT_EQ(0, memcmp(data, got, sizeof(got)));
	/* three results, and each of the two buffers comes back */
	for (i = n = 0; i < 5; i++) {
		c = ring_get(&self->r);
		ASSERT_LE(0, c.res);
		if (c.flags & IORING_CQE_F_NOTIF)
			n++;
		else
			ASSERT_EQ(c.user_data == IORING_OP_SEND_ZC,
				  !!(c.flags & IORING_CQE_F_MORE));
	}
	ASSERT_EQ(2, n);
}

/* a datagram without a copy: sent, and the buffer is back */
TEST_F(uring, send_zc_dgram)
{
	static char data[9000], got[9001];
	struct done c;
	int i, n = 0, fd, peer;

	peer = socket(env_family(variant->stack), SOCK_DGRAM, 0);
	fd = socket(env_family(variant->stack), SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(peer, "127.0.0.1", PORT));
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", PORT));
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + (i >> 8);
	ring_put(&self->r, IORING_OP_SEND_ZC, fd, data, sizeof(data), 0);
	ASSERT_EQ(sizeof(data), recv(peer, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(data, got, sizeof(data)));
	for (i = 0; i < 2; i++) {
		c = ring_get(&self->r);
		if (c.flags & IORING_CQE_F_NOTIF)
			n++;
		else
			ASSERT_EQ(sizeof(data), c.res);
	}
	EXPECT_EQ(1, n);
}

/* multishot */

#define SIZE	100	/* of a provided buffer */
#define BUFS	4
#define GROUP	7

static uint8_t bufs[BUFS][SIZE];

/* accept until told otherwise */
static void accept_many(struct ring *r, int lfd)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_ACCEPT, .fd = lfd, .ioprio = IORING_ACCEPT_MULTISHOT,
	};

	ring_submit(r, sqe);
}

/* receive into buffers of the group until told otherwise */
static void recv_many(struct ring *r, int fd)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_RECV, .fd = fd, .ioprio = IORING_RECV_MULTISHOT,
		.flags = IOSQE_BUFFER_SELECT, .buf_group = GROUP,
	};

	ring_submit(r, sqe);
}

/* the group gets buffers @bid to @bid + @n - 1; the result */
static int bufs_give(struct ring *r, int bid, int n)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_PROVIDE_BUFFERS, .fd = n, .addr = (uintptr_t)bufs[bid],
		.len = SIZE, .off = bid, .buf_group = GROUP,
	};

	ring_submit(r, sqe);
	return ring_get(r).res;
}

static int bid_of(struct done c)
{
	return c.flags & IORING_CQE_F_BUFFER ? (int)(c.flags >> IORING_CQE_BUFFER_SHIFT) : -1;
}

/* is a completion there? */
static bool ring_pending(struct ring *r)
{
	syscall(__NR_io_uring_enter, r->fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0);
	return *r->cq_head != __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE);
}

static void fill(uint8_t *buf, int from, int n)
{
	int i;

	for (i = 0; i < n; i++)
		buf[i] = (from + i) * 7 + ((from + i) >> 8);
}

TEST_F(uring, accept_multishot)
{
	struct done c;
	int i, fd;

	accept_many(&self->r, self->lfd);
	EXPECT_FALSE(ring_pending(&self->r));
	for (i = 0; i < 3; i++) {
		fd = socket(env_family(variant->stack), SOCK_STREAM, 0);
		ASSERT_EQ(0, env_connect(fd, "127.0.0.1", PORT));
		c = ring_get(&self->r);
		ASSERT_LE(0, c.res);
		ASSERT_EQ(IORING_CQE_F_MORE, c.flags & IORING_CQE_F_MORE);
		/* it is that connection */
		ASSERT_EQ(1, send(fd, &i, 1, 0));
		ASSERT_EQ(1, recv(c.res, &fd, 1, 0));
		ASSERT_EQ(i, (uint8_t)fd);
	}
	EXPECT_FALSE(ring_pending(&self->r));
	/* a listener that ends, ends it */
	ASSERT_EQ(0, shutdown(self->lfd, SHUT_RDWR));
	c = ring_get(&self->r);
	EXPECT_EQ(-EINVAL, c.res);
	EXPECT_EQ(0, c.flags & IORING_CQE_F_MORE);
}

/* three connections wait already: flags of their completions, one octet each, and -1: failed */
static int accept_flags(int family, int port)
{
	struct done c[3];
	struct ring r;
	int lfd, fd, i;

	lfd = socket(family, SOCK_STREAM, 0);
	if (ring_open(&r) || env_bind(lfd, "127.0.0.1", port) || listen(lfd, 8))
		return -1;
	for (i = 0; i < 3; i++) {
		fd = socket(family, SOCK_STREAM, 0);
		if (env_connect(fd, "127.0.0.1", port))
			return -1;
	}
	usleep(50000);
	accept_many(&r, lfd);
	for (i = 0; i < 3; i++) {
		c[i] = ring_get(&r);
		if (c[i].res < 0)
			return -1;
	}
	return c[0].flags | c[1].flags << 8 | c[2].flags << 16;
}

TEST_F(uring, accept_flags)
{
	int native = accept_flags(NATIVE, PORT + 1);

	ASSERT_LE(0, native);
	/* IORING_CQE_F_SOCK_NONEMPTY on all but the last, from Linux 6.10 on */
	EXPECT_EQ(native, accept_flags(env_family(variant->stack), PORT + 2));
}

TEST_F(uring, recv_multishot)
{
	uint8_t data[SIZE * BUFS];
	struct done c;
	int i, bid;

	fill(data, 0, sizeof(data));
	ASSERT_EQ(0, bufs_give(&self->r, 0, BUFS));
	recv_many(&self->r, self->peer);
	EXPECT_FALSE(ring_pending(&self->r));
	/* a completion for each piece */
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(10 + i, send(self->fd, data + i * 20, 10 + i, 0));
		c = ring_get(&self->r);
		ASSERT_EQ(10 + i, c.res);
		ASSERT_EQ(IORING_CQE_F_MORE, c.flags & IORING_CQE_F_MORE);
		bid = bid_of(c);
		ASSERT_LE(0, bid);
		ASSERT_GT(BUFS, bid);
		ASSERT_EQ(0, memcmp(bufs[bid], data + i * 20, 10 + i));
	}
	EXPECT_FALSE(ring_pending(&self->r));
	/* the last buffer, then none: it ends, and the rest waits for another */
	ASSERT_EQ(SIZE + 50, send(self->fd, data, SIZE + 50, 0));
	c = ring_get(&self->r);
	ASSERT_EQ(SIZE, c.res);
	ASSERT_EQ(0, memcmp(bufs[bid_of(c)], data, SIZE));
	c = ring_get(&self->r);
	ASSERT_EQ(-ENOBUFS, c.res);
	ASSERT_EQ(0, c.flags & IORING_CQE_F_MORE);
	ASSERT_EQ(0, bufs_give(&self->r, 0, 2));
	recv_many(&self->r, self->peer);
	c = ring_get(&self->r);
	ASSERT_EQ(50, c.res);
	ASSERT_EQ(0, memcmp(bufs[bid_of(c)], data + SIZE, 50));
	/* the end of the stream ends it */
	ASSERT_EQ(0, shutdown(self->fd, SHUT_WR));
	c = ring_get(&self->r);
	EXPECT_EQ(0, c.res);
	EXPECT_EQ(0, c.flags & IORING_CQE_F_MORE);
	EXPECT_FALSE(ring_pending(&self->r));
}

TEST_F(uring, recv_multishot_reset)
{
	struct linger lg = { .l_onoff = 1 };
	struct done c;

	ASSERT_EQ(0, bufs_give(&self->r, 0, BUFS));
	recv_many(&self->r, self->peer);
	ASSERT_EQ(1, send(self->fd, "a", 1, 0));
	ASSERT_EQ(1, ring_get(&self->r).res);
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg)));
	ASSERT_EQ(0, close(self->fd));
	c = ring_get(&self->r);
	EXPECT_EQ(-ECONNRESET, c.res);
	EXPECT_EQ(0, c.flags & IORING_CQE_F_MORE);
}

TEST_F(uring, recv_multishot_cancel)
{
	struct done c;
	int i;

	ASSERT_EQ(0, bufs_give(&self->r, 0, BUFS));
	recv_many(&self->r, self->peer);
	ring_put(&self->r, IORING_OP_ASYNC_CANCEL, -1, (void *)IORING_OP_RECV, 0, 0);
	for (i = 0; i < 2; i++) {
		c = ring_get(&self->r);
		EXPECT_EQ(c.user_data == IORING_OP_RECV ? -ECANCELED : 0, c.res);
	}
	/* nobody is left who takes it */
	ASSERT_EQ(1, send(self->fd, "a", 1, 0));
	EXPECT_EQ(1, env_readable(self->peer));
	EXPECT_FALSE(ring_pending(&self->r));
}

/* data waits already, for three buffers: flags of the completions as accept_flags() */
static int recv_flags(struct ring *r, int family, int port)
{
	uint8_t data[SIZE * 2 + SIZE / 2];
	int lfd, fd, peer, i, flags = 0;
	struct done c;

	lfd = socket(family, SOCK_STREAM, 0);
	fd = socket(family, SOCK_STREAM, 0);
	if (env_bind(lfd, "127.0.0.1", port) || listen(lfd, 8) ||
	    env_connect(fd, "127.0.0.1", port) || bufs_give(r, 0, BUFS))
		return -1;
	peer = accept(lfd, NULL, NULL);
	fill(data, 0, sizeof(data));
	if (send(fd, data, sizeof(data), 0) != sizeof(data) || env_readable(peer) != 1)
		return -1;
	recv_many(r, peer);
	for (i = 0; i < 3; i++) {
		c = ring_get(r);
		if (c.res != (i < 2 ? SIZE : SIZE / 2) || bid_of(c) < 0 ||
		    memcmp(bufs[bid_of(c)], data + i * SIZE, c.res))
			return -1;
		flags |= (c.flags & 0xff) << 8 * i;
	}
	close(fd);
	return ring_get(r).res ? -1 : flags;
}

TEST_F(uring, recv_flags)
{
	int native = recv_flags(&self->r, NATIVE, PORT + 1);

	ASSERT_LE(0, native);
	/* IORING_CQE_F_SOCK_NONEMPTY on all but the last */
	EXPECT_EQ(native, recv_flags(&self->r, env_family(variant->stack), PORT + 2));
}

TEST_F(uring, recv_buf_ring)
{
	struct io_uring_buf_reg reg = { .ring_entries = BUFS, .bgid = GROUP };
	static uint8_t data[60000], got[60000];
	struct io_uring_buf_ring *br;
	struct done c;
	int len = 0, i, sent = 0, n;

	br = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, br);
	reg.ring_addr = (uintptr_t)br;
	ASSERT_EQ(0, syscall(__NR_io_uring_register, self->r.fd, IORING_REGISTER_PBUF_RING,
			     &reg, 1));
	for (i = 0; i < BUFS; i++) {
		br->bufs[i].addr = (uintptr_t)bufs[i];
		br->bufs[i].len = SIZE;
		br->bufs[i].bid = i;
	}
	__atomic_store_n(&br->tail, BUFS, __ATOMIC_RELEASE);
	fill(data, 0, sizeof(data));
	recv_many(&self->r, self->peer);
	/* each buffer goes back to the ring once it was looked at */
	while (len < sizeof(got)) {
		n = send(self->fd, data + sent, sizeof(data) - sent, MSG_DONTWAIT);
		sent += n > 0 ? n : 0;
		c = ring_get(&self->r);
		if (c.res == -ENOBUFS) {
			recv_many(&self->r, self->peer);
			continue;
		}
		ASSERT_LT(0, c.res);
		i = bid_of(c);
		ASSERT_LE(0, i);
		memcpy(got + len, bufs[i], c.res);
		len += c.res;
		br->bufs[br->tail % BUFS].addr = (uintptr_t)bufs[i];
		br->bufs[br->tail % BUFS].len = SIZE;
		br->bufs[br->tail % BUFS].bid = i;
		__atomic_store_n(&br->tail, br->tail + 1, __ATOMIC_RELEASE);
	}
	EXPECT_EQ(0, memcmp(data, got, sizeof(data)));
}

TEST_HARNESS_MAIN
