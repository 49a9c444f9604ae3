// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments that come while the program holds the socket wait in its backlog, where neighbours are
 * merged, and are answered together. A reader that faults while it copies holds the socket as long
 * as userfaultfd(2) likes.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "wire.h"
#include "wire_fastopen.h"

#define SEGMENTS	20

struct reader {
	int fd;
	char *to;
	ssize_t got;
};

static void *read_one(void *arg)
{
	struct reader *r = arg;

	r->got = recv(r->fd, r->to, 10, 0);
	return NULL;
}

/* tcpi_data_segs_in, which the C library's struct does not know */
static unsigned int data_segs_in(int fd)
{
	char info[256] = { 0 };
	socklen_t len = sizeof(info);
	unsigned int n;

	getsockopt(fd, SOL_TCP, TCP_INFO, info, &len);
	memcpy(&n, info + 152, sizeof(n));
	return n;
}

/* a page that nobody has written, whose first touch waits: the descriptor it is told by, or -1 */
static int slow_page(char **page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return -1;
	*page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)*page;
	reg.range.len = 4096;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		return -1;
	return fd;
}

/* a reader that waits for its page and holds the socket meanwhile */
struct held {
	struct reader r;
	pthread_t thread;
	int fault;
};

/* the connection @fd has 10 octets to read, and is held; or -1: it could not be, -2: never */
static int held(struct held *h, int fd)
{
	struct uffd_msg msg;

	h->fault = slow_page(&h->r.to);
	if (h->fault < 0)
		return -2;
	h->r.fd = fd;
	if (fd < 0 || !w_in("PA 1+10 ack 1") || !w_out(-1, "A 1 ack 11") ||
	    pthread_create(&h->thread, NULL, read_one, &h->r) ||
	    read(h->fault, &msg, sizeof(msg)) != sizeof(msg))
		return -1;
	return msg.event == UFFD_EVENT_PAGEFAULT ? h->r.fd : -1;
}

/* there is the page: the reader goes on, and releases the socket */
static bool released(struct held *h)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)h->r.to, 4096 } };

	return !ioctl(h->fault, UFFDIO_ZEROPAGE, &zero) && !pthread_join(h->thread, NULL) &&
	       h->r.got == 10;
}

CASE(merged, "RFC 4898 tcpEStatsPerfDataSegsIn: merged in the backlog, segments count as what they were")
{
	long merged = f_count("TCPBacklogCoalesce");
	struct held h;
	int fd = held(&h, w_passive(self->lfd, "mss 1460")), i;

	if (fd == -2)
		SKIP(return, "no userfaultfd(2) in this kernel");
	ASSERT_LE(0, fd);
	for (i = 1; i <= SEGMENTS; i++)
		in("A %d+10 ack 1", 1 + 10 * i);
	ASSERT_TRUE(released(&h));
	ASSERT_LT(merged, f_count("TCPBacklogCoalesce"));
	ASSERT_EQ(SEGMENTS + 1, data_segs_in(fd));
}

/* the ACKs of segments beyond a hole each, which came while it was held; -2, -1: as held() */
static int acks_of_held(int lfd, const char *defer)
{
	int fd, i, acks = 0;
	struct wseg s;
	struct held h;

	if (!w_sysctl("tcp_backlog_ack_defer", defer) && !w.native)
		return -1;
	fd = held(&h, w_passive(lfd, "mss 1460"));
	if (fd < 0)
		return fd;
	for (i = 1; i <= SEGMENTS; i++)
		if (!w_in("A %d+10 ack 1", 1 + 20 * i))
			return -1;
	if (!released(&h))
		return -1;
	while (w_next(500, &s))
		acks++;
	return s.ack == 11 ? acks : -1;
}

CASE(deferred, "RFC 9293 3.8.6.3: one ACK for what came while the program held the socket, as native")
{
	int acks = acks_of_held(self->lfd, "1");

	if (acks == -2)
		SKIP(return, "no userfaultfd(2) in this kernel");
	ASSERT_EQ(NATIVE_BEFORE(607, "it has no tcp_backlog_ack_defer yet") ? SEGMENTS : 1, acks);
}

CASE(not_deferred, "RFC 5681 4.2: an ACK for each with tcp_backlog_ack_defer 0")
{
	int acks = acks_of_held(self->lfd, "0");

	if (acks == -2)
		SKIP(return, "no userfaultfd(2) in this kernel");
	ASSERT_EQ(SEGMENTS, acks);
}

CASE(deferred_copies, "RFC 2883 4 (MUST): what comes twice is reported each time, in the backlog, too")
{
	bool each = NATIVE_BEFORE(607, "it has no tcp_backlog_ack_defer yet");
	struct held h;
	int fd = held(&h, w_passive(self->lfd, "mss 1460 sackok"));

	if (fd == -2)
		SKIP(return, "no userfaultfd(2) in this kernel");
	ASSERT_LE(0, fd);
	in("A 11+10 ack 1");
	in("A 11+10 ack 1");
	in("A 31+10 ack 1");
	in("A 31+10 ack 1");
	ASSERT_TRUE(released(&h));
	if (each)
		out_within(500, "A 1 ack 21");
	if (each || !NATIVE("puts its ACKs off, and the report of the first copy is written over"))
		out_within(500, "A 1 ack 21 sack 11-21");
	if (each)
		out_within(500, "A 1 ack 21 sack 31-41");
	out_within(500, "A 1 ack 21 sack 31-41 sack 31-41");
}

/* a connection with DCTCP; -1: there is none */
static int open_dctcp(int lfd)
{
	if (!w_load_dctcp() || setsockopt(lfd, SOL_TCP, TCP_CONGESTION, "dctcp", 5) ||
	    !w_in("SEC 0 mss 1460") || !w_out(-1, "SAE 0 ack 1 ecn 2") || !w_in("A 1 ack 1"))
		return -1;
	return w_accept(lfd);
}

CASE(deferred_marked, "RFC 8257 3.2: where the marks change there are two ACKs, in the backlog, too")
{
	struct held h;
	int fd = held(&h, open_dctcp(self->lfd));

	if (fd == -2)
		SKIP(return, "no userfaultfd(2) in this kernel");
	ASSERT_LE(0, fd);
	in("A 11+10 ack 1 ecn 2");
	in("A 21+10 ack 1 ecn 3");
	ASSERT_TRUE(released(&h));
	if (NATIVE_BEFORE(607, "it has no tcp_backlog_ack_defer yet") ||
	    !NATIVE("takes all that waited for marked: its ACKs were put off without a timer"))
		out_within(500, "A 1 ack 21");
	out_within(500, "AE 1 ack 31");
}

TEST_HARNESS_MAIN
