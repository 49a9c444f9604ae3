// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows on the wire: how large they may be, a window that the peer takes back, silly windows
 * from either side, and what a closed one lets in all the same.
 */
#include <signal.h>
#include "wire.h"

/* @n octets are written at once and acknowledged as they come: how many were out at most */
static int most_out(int fd, int n, int win)
{
	uint32_t una = 1, most = 0;
	struct wseg s;

	if (w_put(fd, n, 0) != n)
		return -1;
	while (una < n + 1) {
		while (w_next(20, &s))
			;
		if (w.seen == una)
			return -1;
		if (w.seen - una > most)
			most = w.seen - una;
		una = w.seen;
		if (!w_in("A 1 ack %u win %d", una, win))
			return -1;
	}
	return most;
}

CASE(unsigned_window,
     "RFC 9293 3.1 (MUST-1), RFC 1122 4.2.2.3: a window above 32767 is no negative one")
{
	int fd, n = 200000;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_SNDBUF, 400000));
	in("S 0 mss 1000 win 60000");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 60000");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	n = most_out(fd, n, 60000);
	ASSERT_LE(59000, n);
	ASSERT_GE(60000, n);
}

CASE(wide_window, "RFC 9293 3.1 (REC-1), RFC 1122 4.2.2.3: windows are numbers of 32 bits")
{
	int fd, n = 300000;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_SNDBUF, 400000));
	in("S 0 mss 1000 ws 7 win 60000");
	out("SA 0 ack 1 ws 255");
	in("A 1 ack 1 win 700");		/* 89600 */
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	n = most_out(fd, n, 700);
	ASSERT_LE(88600, n);
	ASSERT_GE(89600, n);
}

CASE(taken_back,
     "RFC 9293 3.8.6 (MUST-34, SHLD-15, SHLD-16), RFC 1122 4.2.2.16: a window that shrinks")
{
	int fd, i;

	in("S 0 mss 1000 win 6000");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 6000");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 9000);
	for (i = 0; i < 6; i++)
		out("A %d+1000", 1 + i * 1000);
	/* up to 7001 before, now up to 3001: 1001 to 3001 and no other goes again */
	in("A 1 ack 1001 win 2000");
	out_within(300, "A 1001+1000");
	in("A 1 ack 2001 win 1000");
	out_within(300, "A 2001+1000");
	in("A 1 ack 3001 win 0");
	sleep_s(0.01);
	while (w_next(1, &(struct wseg){}))
		;
	/* it opens: what is out beyond it was there after all, what was never sent goes now */
	in("A 1 ack 6001 win 6000");
	out("A 6001+1000");
	out("A 7001+1000");
	out("PA 8001+1000");
	in("A 1 ack 9001");
	quiet(1000);
}

CASE(taken_back_alive,
     "RFC 9293 3.8.6 (SHLD-17, MUST-35), 3.8.6.1 (MUST-37): it ends nothing")
{
	int fd = w_passive(self->lfd, "mss 1000"), n = 0;
	struct wseg s;

	LONG(2000);
	ASSERT_LE(0, fd);
	put(fd, 2000);
	out("A 1+1000");
	out("PA 1001+1000");
	in("A 1 ack 1001 win 0");
	/* R2 of data is 924 s; each probe, here the segment, is answered */
	for (double end = now_s() + 2000; now_s() < end; n++) {
		ASSERT_TRUE(w_next(130000, &s));
		ASSERT_EQ(0, s.flags & 4);
		in("A 1 ack 1001 win 0");
	}
	ASSERT_LT(15, n);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
	in("A 1 ack 1001 win 5000");
	out_within(130000, "PA 1001+1000");
	in("A 1 ack 2001");
	quiet(1000);
}

CASE(override,
     "RFC 9293 3.8.6.2.1 (4), RFC 1122 4.2.3.4: what does not fit goes in part after a while")
{
	int fd;

	in("S 0 mss 1000 win 5000");
	out("SA 0 ack 1");
	in("PA 1+10 ack 1 win 5000");
	out("A 1 ack 11");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	in("PA 11+10 ack 1 win 300");
	out_within(200, "A 1 ack 21");
	put(fd, 1000);
	/* between 0.1 and 1 s */
	quiet(w.sim ? 190 : 100);
	out_within(800, "A 1+300");
}

/* the program reads nothing until the window is 0: what is expected next; 0: error */
static uint32_t fill(int fd)
{
	uint32_t at = 1;
	struct wseg s;
	int i;

	for (i = 0; i < 200; i++) {
		if (!w_in("PA %u+500", at) || !w_next(300, &s))
			return 0;
		at = s.ack;
		if (!s.win)
			return at;
	}
	return 0;
}

CASE(small_reads,
     "RFC 9293 3.8.6.2.2 (MUST-39), RFC 1122 4.2.3.3: few octets read do not open it, many do")
{
	struct wseg s;
	uint32_t at;
	int fd;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 16384));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	at = fill(fd);
	ASSERT_NE(0, at);
	ASSERT_EQ(100, w_recv(fd, 100));
	quiet(300);
	in("A %u", at - 1);		/* nor when it is asked for */
	out("A 1 ack %u win 0", at);
	while (w_recv(fd, 1 << 20) > 0)
		;
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(at, s.ack);
	ASSERT_LE(1460, s.win);
}

CASE(closed_stays,
     "RFC 9293 3.8.6.1 (MAY-8), RFC 1122 4.2.2.17: a window may stay closed, probes are answered")
{
	uint32_t at;
	int fd, i;

	LONG(600);
	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	at = fill(fd);
	ASSERT_NE(0, at);
	for (i = 0; i < 10; i++) {
		quiet(60000);
		in("A %u+1", at);
		out("A 1 ack %u win 0", at);
	}
}

CASE(closed_rst, "RFC 9293 3.4 (MUST-66): a closed window lets a RST in")
{
	uint32_t at;
	int fd;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	at = fill(fd);
	ASSERT_NE(0, at);
	in("R %u", at);
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNRESET, w_error(fd));
}

static int signals;

static void count_signal(int sig)
{
	signals++;
}

CASE(closed_urg, "RFC 9293 3.4 (MUST-66): and an urgent pointer")
{
	uint32_t at;
	int fd;

	signal(SIGURG, count_signal);
	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	at = fill(fd);
	ASSERT_NE(0, at);
	ASSERT_EQ(0, signals);
	in("UA %u urg 10", at);
	sleep_s(0.05);
	ASSERT_EQ(1, signals);
}

CASE(closed_ack, "RFC 9293 3.4: and ACKs, so that data goes the other way")
{
	uint32_t at;
	int fd;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	at = fill(fd);
	ASSERT_NE(0, at);
	put(fd, 100);
	out("PA 1+100 ack %u win 0", at);
	in("A %u ack 101", at);
	quiet(1000);
	put(fd, 100);
	out("PA 101+100 ack %u win 0", at);
}

/* the peer is silent after @fd's FIN: copies of it come, or probes of the window, and no error */
static bool goes_on(int fd)
{
	struct wseg s;
	int n = 0;

	if (shutdown(fd, SHUT_WR))
		return false;
	while (n < 4 && w_next(5000, &s))
		n += s.flags & 1 || NATIVE("holds a FIN back, and probes");
	return n == 4 && !w_error(fd);
}

CASE(closed_idle_fin, "RFC 9293 3.8.6.1: a window closed for long does not end who sends a FIN at once")
{
	int fd = w_passive(self->lfd, "mss 1460");

	LONG(300);
	ASSERT_LE(0, fd);
	in("A 1 ack 1 win 0");
	sleep_s(300);
	ASSERT_TRUE(goes_on(fd));
}

CASE(closed_syn_fin, "RFC 9293 3.8.6.1: nor one that was never open")
{
	int fd = w_active("mss 1460 win 0");

	LONG(15);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(goes_on(fd));
}

TEST_HARNESS_MAIN
