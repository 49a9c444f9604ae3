// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two segments of one connection at the same time on two CPUs, as they come from a device of
 * several queues, or from a peer that changes its CPU: the ACK that ends a handshake, and the
 * text behind it. Whichever is first, the connection is there and has the text, and nobody is
 * reset (RFC 9293 3.10.7.4 fifth).
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include "../kselftest_harness.h"
#include "wire.h"

#define PORT	7

static int tun;
static struct pkt packet[2];
static atomic_int turn, done;	/* of which round */

static bool pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

/* the other CPU: its packet in each round, as soon as it comes */
static void *second(void *arg)
{
	int round = 0;

	if (!pin(1))
		return "no second CPU";
	while (atomic_load(&turn) >= 0) {
		if (atomic_load(&turn) == round)
			continue;
		round++;
		pkt_send(tun, &packet[1]);
		atomic_store(&done, round);
	}
	return NULL;
}

static int listener(int family)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	return fd < 0 || bind(fd, (void *)&sin, sizeof(sin)) || listen(fd, 16) ? -1 : fd;
}

/* one handshake up to where its ACK and "hello" are ready to go */
static bool prepare(int port, int round)
{
	struct seg s = { .from = port, .to = PORT, .seq = 1000, .flags = SYN }, a;

	if (!pkt_send(tun, seg_make(&packet[0], &s)) ||
	    !seg_next(tun, ANSWER_MS, port, &packet[0], &a) || a.flags != (SYN | ACK))
		return false;
	s = (struct seg){ .from = port, .to = PORT, .seq = 1001, .ack = a.seq + 1, .flags = ACK };
	seg_make(&packet[round % 2], &s);
	s.flags = ACK | PSH;
	s.data = "hello";
	s.len = 5;
	seg_make(&packet[!(round % 2)], &s);
	return true;
}

/* the connection and its text are there; 0, or what went wrong */
static const char *check(int lfd, int port)
{
	struct linger now = { .l_onoff = 1 };
	struct pollfd pfd = { .fd = lfd, .events = POLLIN };
	static struct pkt p;
	const char *wrong = NULL;
	char buf[16];
	struct seg a;

	while (seg_next(tun, 0, port, &p, &a))
		if (a.flags & RST)
			return "reset";
	if (poll(&pfd, 1, 1000) != 1)
		return "no connection";
	pfd.fd = accept(lfd, NULL, NULL);
	if (poll(&pfd, 1, 1000) != 1 || recv(pfd.fd, buf, sizeof(buf), MSG_DONTWAIT) != 5)
		wrong = "no text";
	setsockopt(pfd.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(pfd.fd);
	while (pkt_next(tun, 0, &p))
		;
	return wrong;
}

TEST(ack_and_text_at_once)
{
	int i, n = slow_machine() ? 200 : 1000, lfd, bad = 0;
	const char *wrong;
	pthread_t thread;
	struct rtnl r;
	void *no_cpu;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU");
	tun = tun_open(&r, "10.0.0.2", 24);
	ASSERT_GE(tun, 0);
	lfd = listener(TEST_FAMILY);
	ASSERT_GE(lfd, 0);
	ASSERT_TRUE(pin(0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, second, NULL));
	for (i = 0; i < n && bad < 5; i++) {
		if (!prepare(10000 + i, i)) {
			TH_LOG("no SYN-ACK for port %d", 10000 + i);
			bad++;
			continue;
		}
		atomic_store(&turn, i + 1);
		pkt_send(tun, &packet[0]);
		while (atomic_load(&done) != i + 1)
			;
		wrong = check(lfd, 10000 + i);
		if (wrong) {
			TH_LOG("round %d: %s", i, wrong);
			bad++;
		}
	}
	atomic_store(&turn, -1);
	pthread_join(thread, &no_cpu);
	EXPECT_EQ(NULL, no_cpu);
	EXPECT_EQ(0, bad);
}

TEST_HARNESS_MAIN
