// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_uring(7) on stream sockets, by its system calls alone: connect, accept, send, receive,
 * and sending without a copy (IORING_OP_SEND_ZC), whose buffer comes back by a second
 * completion. Both ends are addresses of this host.
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
static void ring_put(struct ring *r, int op, int fd, const void *addr, uint32_t len, uint64_t off)
{
	unsigned int tail = *r->sq_tail, i = tail & *r->sq_mask;

	r->sqe[i] = (struct io_uring_sqe){
		.opcode = op, .fd = fd, .addr = (uintptr_t)addr, .len = len, .off = off,
		.user_data = op,
	};
	r->sq_array[i] = i;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	syscall(__NR_io_uring_enter, r->fd, 1, 0, 0, NULL, 0);
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
			ASSERT_EQ(c.user_data == IORING_OP_SEND_ZC, !!(c.flags & IORING_CQE_F_MORE));
	}
	ASSERT_EQ(2, n);
}

TEST_HARNESS_MAIN
