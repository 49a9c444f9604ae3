// SPDX-License-Identifier: GPL-2.0-only
/*
 * Urgent data on the wire: the pointer of each segment, however far it points, and how the
 * program hears of it and finds the place.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include "wire.h"

static int signals;

static void count_signal(int sig)
{
	signals++;
}

static int at_mark(int fd)
{
	int yes = -1;

	return ioctl(fd, SIOCATMARK, &yes) ? -1 : yes;
}

CASE(any_length,
     "RFC 9293 3.8.5 (MUST-31, MUST-62): as long as one likes, and every segment points behind it")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ASSERT_EQ(3500, w_put(fd, 3500, MSG_OOB));
	out("UA 1+1000 urg 3500");
	out("UA 1001+1000 urg 2500");
	out("UA 2001+1000 urg 1500");
	out("UPA 3001+500 urg 500");
	in("A 1 ack 3501");
	put(fd, 10);			/* over */
	out("PA 3501+10");
}

CASE(again, "RFC 9293 3.8.5 (MUST-62): and when they are sent again")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ASSERT_EQ(2500, w_put(fd, 2500, MSG_OOB));
	out("UA 1+1000 urg 2500");
	out("UA 1001+1000 urg 1500");
	out("UPA 2001+500 urg 500");
	out_within(300, "UA 1+1000 urg 2500");
	in("A 1 ack 1001");
	out("UA 1001+1000 urg 1500");
	out("UPA 2001+500 urg 500");
}

CASE(far, "RFC 9293 3.8.5 (MUST-31): further than the pointer can say: as far as it can")
{
	struct wseg s;
	uint32_t una;
	int fd;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_SNDBUF, 400000));
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	ASSERT_EQ(100000, w_put(fd, 100000, MSG_OOB));
	for (una = 1; una < 100001; una = w.seen) {
		while (w_next(20, &s)) {
			uint32_t left = 100001 - s.seq;

			ASSERT_EQ(0x20, s.flags & 0x20);
			ASSERT_EQ(left < 65535 ? left : 65535, s.urg);
		}
		ASSERT_NE(una, w.seen);
		in("A 1 ack %u", w.seen);
	}
}

CASE(behind, "RFC 9293 3.10.7.4 sixth: a pointer into what has come already makes nothing of it urgent")
{
	int fd = w_passive(self->lfd, "mss 1000");
	uint8_t byte;

	ASSERT_LE(0, fd);
	in("PA 1+10");
	out("A 1 ack 11");
	in("UPA 1+20 urg 5");
	out("A 1 ack 21");
	ASSERT_EQ(-1, recv(fd, &byte, 1, MSG_OOB));
	ASSERT_EQ(EINVAL, errno);
	get(fd, 20);
}

CASE(signal,
     "RFC 9293 3.8.5 (MUST-32), 3.9.1.8, RFC 1122 4.2.2.4: SIGURG, and again when it moves on")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	signal(SIGURG, count_signal);
	ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	in("PA 1+10");
	sleep_s(0.05);
	ASSERT_EQ(0, signals);
	in("UPA 11+10 urg 20");		/* its octet is still to come */
	sleep_s(0.05);
	ASSERT_EQ(1, signals);
	in("UPA 21+10 urg 10");		/* the same place */
	sleep_s(0.05);
	ASSERT_EQ(1, signals);
	in("UPA 31+10 urg 10");
	sleep_s(0.05);
	ASSERT_EQ(2, signals);
	in("UPA 31+10 urg 10");		/* an old one again */
	sleep_s(0.05);
	ASSERT_EQ(2, signals);
}

CASE(mark,
     "RFC 9293 3.8.5 (MUST-33), RFC 1122 4.2.2.4: a read ends at the mark, and SIOCATMARK tells")
{
	int fd = w_passive(self->lfd, "mss 1460");
	char c;

	ASSERT_LE(0, fd);
	in("UPA 1+10 urg 15");
	sleep_s(0.05);
	ASSERT_EQ(0, at_mark(fd));
	ASSERT_EQ(10, w_recv(fd, 100));
	ASSERT_EQ(0, at_mark(fd));		/* more is to come before it */
	in("PA 11+10");
	ASSERT_TRUE(w_poll(fd, POLLPRI, 1000));
	ASSERT_EQ(4, w_recv(fd, 100));
	ASSERT_EQ(1, at_mark(fd));
	ASSERT_EQ(1, recv(fd, &c, 1, MSG_OOB));
	ASSERT_EQ(w_octet(14), (uint8_t)c);
	w.got++;
	ASSERT_EQ(5, w_recv(fd, 100));
	ASSERT_EQ(0, at_mark(fd));
}

static int oob_fd, oob_got;
static char oob_byte;

static void take_oob(int sig)
{
	oob_got = recv(oob_fd, &oob_byte, 1, MSG_OOB);
}

/* the peer, while the program sleeps in recv() */
static void *send_urgent(void *arg)
{
	sleep_s(0.1);
	w_in("UPA 1+10 urg 1");
	return NULL;
}

CASE(sleeping_reader,
     "RFC 9293 3.9.1.8, as native: who sleeps in recv() takes the urgent octet from his handler first")
{
	int fd = w_passive(self->lfd, "mss 1460"), n, err;
	struct sigaction sa = { .sa_handler = take_oob };
	pthread_t thread;
	sigset_t urg;
	char buf[20];

	ASSERT_LE(0, fd);
	oob_fd = fd;
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	ASSERT_EQ(0, sigaction(SIGURG, &sa, NULL));
	ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	sigemptyset(&urg);
	sigaddset(&urg, SIGURG);
	/* the signal is for this thread */
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, &urg, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_urgent, NULL));
	ASSERT_EQ(0, pthread_sigmask(SIG_UNBLOCK, &urg, NULL));
	n = recv(fd, buf, sizeof(buf), 0);
	err = errno;
	pthread_join(thread, NULL);
	ASSERT_EQ(1, oob_got);
	ASSERT_EQ(w_octet(0), (uint8_t)oob_byte);
	ASSERT_EQ(-1, n);
	ASSERT_EQ(EINTR, err);
	ASSERT_EQ(9, recv(fd, buf, sizeof(buf), 0));
	ASSERT_EQ(w_octet(1), (uint8_t)buf[0]);
}

CASE(probe, "RFC 9293 3.4 (MUST-66), 3.8.5 (MUST-31): with a closed window the probe tells of it, where it counts")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	in("A 1 ack 1 win 0");
	sleep_s(0.02);
	ASSERT_EQ(10, w_put(fd, 10, MSG_OOB));
	out_at(200, "UA 1 ack 1 urg 10");
	out("UA 0 ack 1 urg 11");
	put(fd, 1000);			/* behind it */
	out_within(450, "UA 1 ack 1 urg 10");
	out("UA 0 ack 1 urg 11");
}

TEST_HARNESS_MAIN
