// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving on the wire: when ACKs go, what they say of holes and copies, the window that
 * is offered, urgent data, the wrap of sequence numbers.
 */
#include "wire.h"

/* no ACKs at once any more: the session is interactive */
#define DELAY(fd)	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_QUICKACK, 0))

CASE(delayed_ack, "RFC 9293 3.8.6.3 (SHLD-18), RFC 1122 4.2.3.2: within 500 ms; 40 as native")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	DELAY(fd);
	in("PA 1+10");
	quiet(w.sim ? 30 : 10);
	out_within(50, "A 1 ack 11");
}

CASE(every_second, "RFC 9293 3.8.6.3 (SHLD-19): at least every second full segment at once")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	DELAY(fd);
	in("A 1+1460");
	in("A 1461+1460");
	out("A 1 ack 2921");
}

CASE(every_second_lagging,
     "RFC 9293 3.8.6.3: while what came fills the window its reader sends the ACK, as native")
{
	struct wseg s;
	int fd, i;

	if (!w.sim)
		SKIP(return, "the delayed ACK is 40 ms away: sim alone can tell");
	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 16384));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	/* until the window is as large as it gets */
	for (i = 0; i < 20; i++) {
		in("A %d+1460", 1 + 1460 * i);
		get(fd, 1460);
		ASSERT_TRUE(w_next(100, &s));
	}
	DELAY(fd);
	in("A %d+1460", 1 + 1460 * i++);
	in("A %d+1460", 1 + 1460 * i++);
	quiet(20);
	get(fd, 2920);
	out("A 1 ack %d", 1 + 1460 * i);
}

CASE(every_second_read, "RFC 9293 3.8.6.3: a reader that keeps up does not make them more")
{
	int fd = w_passive(self->lfd, "mss 1460"), acks = 0, i;
	struct wseg s;

	ASSERT_LE(0, fd);
	/* the first sixteen go at once */
	for (i = 0; i < 40; i++) {
		in("A %d+1460", 1 + 1460 * i);
		get(fd, 1460);
		if (w_next(2, &s) && i >= 20)
			acks++;
	}
	ASSERT_LE(9, acks);
	ASSERT_GE(11, acks);
}

/* @n full segments from octet @at on, read at once, and a good round trip: ACKs; -1: error */
static int round_of(int fd, int at, int n, int rtt)
{
	struct wseg s;
	int i, acks = 0;

	for (i = 0; i < n; i++)
		if (!w_in("A %d+1448", at + 1448 * i) || w_recv(fd, 1 << 20) != 1448)
			return -1;
	sleep_s(rtt * 1.5 / 1000);
	while (w_next(1, &s))
		acks++;
	return acks;
}

CASE(quick_while_growing, "RFC 9293 3.8.6.3: a segment that widens the window is ACKed at once")
{
	/* the segments of a round come within it where time is real, too */
	int rtt = w.sim ? 20 : 400, fd;
	struct wseg s;

	w.ts = true;
	in("S 0 mss 1460 sackok ts ws 7");
	ASSERT_TRUE(w_next(1000, &s));
	sleep_s(rtt / 1000.0);
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	/* the first sixteen go at once in any case; more is read than ever: the buffer grows */
	ASSERT_LE(16, round_of(fd, 1, 20, rtt));
	ASSERT_LE(26, round_of(fd, 1 + 20 * 1448, 40, rtt));
}

CASE(piggyback, "RFC 9293 3.8.6.3: data carries the ACK that is due")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	DELAY(fd);
	in("PA 1+10");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
	put(fd, 10);
	out("PA 1+10 ack 11");
	in("A 11 ack 11");
	quiet(300);
}

CASE(out_of_order, "RFC 9293 3.8.6.3, RFC 5681 4.2: at once while there is a hole")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	DELAY(fd);
	in("PA 101+100");
	out("A 1 ack 1 no-sack");
	in("PA 301+100");
	out("A 1 ack 1 no-sack");
	in("PA 1+100");
	out("A 1 ack 201");
	in("PA 201+100");
	out("A 1 ack 401");
	get(fd, 400);
}

CASE(one_ack, "RFC 5681 4.2 (MUST NOT): never more than one ACK for a segment")
{
	static const char * const piece[] = {
		"1+1460", "1461+1460", "2921+10", "2921+10", "1+1460", "3031+100", "3331+100",
		"3031+100", "2931+300", "3231+100", "900001+100",
	};
	int fd = w_passive(self->lfd, "mss 1460 sackok");
	struct wseg s;
	size_t i;

	ASSERT_LE(0, fd);
	for (i = 0; i < sizeof(piece) / sizeof(*piece); i++) {
		in("PA %s", piece[i]);
		ASSERT_TRUE(w_next(500, &s));
		quiet(250);
	}
	get(fd, 3430);
	quiet(250);
}

CASE(sack, "RFC 2018 4: the block that changed comes first")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 101+100");
	out("A 1 ack 1 sack 101-201");
	in("PA 301+100");
	out("A 1 ack 1 sack 301-401 sack 101-201");
	in("PA 501+100");
	out("A 1 ack 1 sack 501-601 sack 301-401 sack 101-201");
	in("PA 201+100");	/* joins two */
	out("A 1 ack 1 sack 101-401 sack 501-601");
	in("PA 1+100");
	out("A 1 ack 401 sack 501-601");
	in("PA 401+100");
	out("A 1 ack 601 no-sack");
	get(fd, 600);
}

CASE(sack_three, "RFC 2018 3: with timestamps three blocks fit")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok ts");
	struct wseg s;
	int i;

	ASSERT_LE(0, fd);
	for (i = 1; i <= 5; i++) {
		in("PA %d+100", 1 + 200 * i);
		ASSERT_TRUE(w_next(100, &s));
	}
	ASSERT_EQ(3, s.nsack);
	ASSERT_EQ(1001, s.sack[0][0]);
}

CASE(dsack, "RFC 2883 4: a copy is reported first")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 1+100");
	out("A 1 ack 101 no-sack");
	in("PA 1+100");
	out("A 1 ack 101 sack 1-101");
	in("PA 201+100");
	out("A 1 ack 101 sack 201-301");
	in("PA 201+100");
	out("A 1 ack 101 sack 201-301 sack 201-301");
	in("PA 51+100");	/* half of it */
	out("A 1 ack 151 sack 51-101 sack 201-301");
}

CASE(window_closes, "RFC 9293 3.8.6: a reader that does not read closes the window")
{
	int fd, win = 0, lfd = self->lfd;
	uint32_t at = 1;
	struct wseg s;

	ASSERT_EQ(0, w_set(lfd, SOL_SOCKET, SO_RCVBUF, 8192));
	fd = w_passive(lfd, "mss 1460");
	ASSERT_LE(0, fd);
	do {
		in("PA %u+1000", at);
		if (!w_next(300, &s))
			break;
		ASSERT_LE(s.ack, at + 1000);
		at = s.ack;
		win = s.win;
	} while (win && at < 100000);
	ASSERT_GT(win, -1);
	ASSERT_LT(at, 100000);
	in("PA %u+100", at + win);	/* beyond it */
	out("A 1 ack %u", at);
	while (w_recv(fd, 1 << 20) > 0)
		;
	ASSERT_TRUE(w_next(100, &s));	/* and opens it */
	ASSERT_EQ(0x10, s.flags);
	ASSERT_EQ(at, s.ack);
	ASSERT_LE(1000, s.win);
}

CASE(window_by_truesize, "RFC 9293 3.8.6: the window grows as full segments come")
{
	int fd, ws, win = 0, i;
	struct wseg s;

	in("S 0 mss 1460 ws 7");
	ASSERT_TRUE(w_next(1000, &s));
	ws = s.ws;
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	/* less than the first window, in no time: it is not what the user reads that grows it */
	for (i = 0; i < 10; i++) {
		in("A %d+1460", 1 + 1460 * i);
		get(fd, 1460);
		ASSERT_TRUE(w_next(100, &s));
		win = s.win << ws;
	}
	ASSERT_LT(NATIVE_BEFORE(606, "offers half of the buffer from the first") ? 64000 : 75000,
		  win);
}

CASE(zero_window_probe, "RFC 9293 3.8.6.1: a closed window's answer to a probe")
{
	int fd, n = 0, lfd = self->lfd;
	uint32_t at = 1;
	struct wseg s;

	ASSERT_EQ(0, w_set(lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	fd = w_passive(lfd, "mss 1460");
	ASSERT_LE(0, fd);
	/* also when the memory ends before the window does, because segments are small */
	do {
		in("PA %u+500", at);
		if (!w_next(300, &s))
			break;
		at = s.ack;
	} while (s.win && n++ < 100);
	ASSERT_EQ(0, s.win);
	ASSERT_LT(0, w_counted("TCPWantZeroWindowAdv"));
	ASSERT_EQ(1, w_counted("TCPToZeroWindowAdv"));
	in("A %u", at - 1);
	out("A 1 ack %u win 0", at);
	sleep_s(0.6);
	in("FA %u", at);		/* a FIN alone needs no memory */
	out_within(100, "A 1 ack %u", at + 1);
}

CASE(urgent, "RFC 9293 3.8.5, RFC 6093 2.1: the octet before the pointer, out of band")
{
	int fd = w_passive(self->lfd, "mss 1460");
	char c;

	ASSERT_LE(0, fd);
	in("UPA 1+10 urg 5");
	ASSERT_TRUE(w_poll(fd, POLLPRI, 1000));
	ASSERT_EQ(1, recv(fd, &c, 1, MSG_OOB));
	ASSERT_EQ(w_octet(4), (uint8_t)c);
	ASSERT_EQ(4, w_recv(fd, 100));
	w.got++;
	ASSERT_EQ(5, w_recv(fd, 100));
}

CASE(wrap, "RFC 9293 3.4: sequence numbers wrap")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");
	uint32_t at;

	ASSERT_LE(0, fd);
	for (at = 1; at < 8192; at += 1024) {
		in("PA %u+512", at + 512);
		out("A 1 ack %u sack %u-%u", at, at + 512, at + 1024);
		in("PA %u+512", at);
		out("A 1 ack %u", at + 1024);
	}
	get(fd, 8192);
}

CASE(fin_wrap, "RFC 9293 3.4: so may the FIN")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+4094");
	out("A 1 ack 4095");
	in("FA 4095");
	out_within(200, "A 1 ack 4096");
	get(fd, 4094);
	get(fd, 0);
}

CASE(small_segments, "RFC 9293 3.10.7.4 seventh: many small ones, in order and not")
{
	int fd = w_passive(self->lfd, "mss 1460");
	uint32_t i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 200; i += 2) {
		in("PA %u+1", i + 2);
		in("PA %u+1", i + 1);
	}
	while (w_next(20, &(struct wseg){}))
		;
	get(fd, 200);
}

CASE(lowat_ratio, "socket(7) SO_RCVLOWAT: the buffer grows to hold that much of what really comes")
{
	int fd = w_passive(self->lfd, "mss 1460"), size = 0;
	socklen_t len = sizeof(size);

	ASSERT_LE(0, fd);
	in("PA 1+1460");
	while (w_next(50, &(struct wseg){}))
		;
	get(fd, 1460);
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_RCVLOWAT, 1000000));
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len));
	/* not twice as much, which is for a connection on which nothing came yet */
	ASSERT_LT(1000000, size);
	ASSERT_GT(4000000, size);
	if (!NATIVE_BEFORE(606, "twice as much, always"))
		ASSERT_NE(2000000, size);
}

CASE(lowat_full, "socket(7) SO_RCVLOWAT: a buffer that holds no more is enough")
{
	uint32_t at = 1, end;
	struct wseg s;
	int fd;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 16384));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_RCVLOWAT, 16384));
	in("A 1+100");
	ASSERT_TRUE(w_next(300, &s));
	ASSERT_FALSE(w_poll(fd, POLLIN, 50));
	end = s.ack + s.win;
	/* small segments: their memory is what there is too little of */
	for (at = 101; at + 100 <= end && !w_poll(fd, POLLIN, 0); at += 100) {
		in("A %u+100", at);
		while (w_next(5, &s))
			;
	}
	ASSERT_TRUE(w_poll(fd, POLLIN, 0));
	ASSERT_GT(16385, at);
	ASSERT_LT(1000, at);
}

TEST_HARNESS_MAIN
