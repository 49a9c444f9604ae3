// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments that come while the program holds the socket wait in its backlog, where neighbours are
 * merged. A reader that faults while it copies holds the socket as long as userfaultfd(2) likes.
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

CASE(merged, "RFC 4898 tcpEStatsPerfDataSegsIn: merged in the backlog, segments count as what they were")
{
	struct uffdio_zeropage zero = { .range.len = 4096 };
	struct uffd_msg msg;
	struct reader r;
	pthread_t thread;
	long merged;
	int fault, i;

	fault = slow_page(&r.to);
	if (fault < 0)
		SKIP(return, "no userfaultfd(2) in this kernel");
	merged = f_count("TCPBacklogCoalesce");
	r.fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, r.fd);
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_one, &r));
	ASSERT_EQ((ssize_t)sizeof(msg), read(fault, &msg, sizeof(msg)));
	ASSERT_EQ(UFFD_EVENT_PAGEFAULT, msg.event);
	/* the reader waits for its page and holds the socket */
	for (i = 1; i <= SEGMENTS; i++)
		in("A %d+10 ack 1", 1 + 10 * i);
	zero.range.start = (uintptr_t)r.to;
	ASSERT_EQ(0, ioctl(fault, UFFDIO_ZEROPAGE, &zero));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(10, r.got);
	ASSERT_LT(merged, f_count("TCPBacklogCoalesce"));
	ASSERT_EQ(SEGMENTS + 1, data_segs_in(r.fd));
}

TEST_HARNESS_MAIN
