// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timestamps option (RFC 7323 3 to 5): which segments have it, what it says, whose comes
 * back, and what an old one proves.
 */
#include <time.h>
#include "wire_loss.h"

CASE(syn, "RFC 7323 3.2 (SHOULD): a SYN has nothing to echo yet: TSecr is 0")
{
	int fd = w_socket();
	struct wseg s;

	ASSERT_TRUE(w_connect(fd));
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(2, s.flags);
	ASSERT_TRUE(s.has & W_TS);
	ASSERT_EQ(0, s.tsecr);
}

CASE(syn_garbage, "RFC 7323 3.2 (MUST): TSecr of a segment without ACK is ignored")
{
	struct wseg s;
	int fd;

	in("S 0 mss 1460 opt 0101080a%08xdeadbeef", w_ms() + 1000000);
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(0x12, s.flags);
	w.ts = true;
	sleep_s(0.05);
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_GT(w.sim ? 60000 : 900000, INFO(fd, tcpi_rtt));
	ASSERT_LT(45000, INFO(fd, tcpi_rtt));
}

CASE(every_segment, "RFC 7323 3.2 (MUST): once agreed it is on every segment")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok ts");

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100 ts");
	out_within(500, "PA 1+100 ts");		/* again */
	in("A 1 ack 101");
	in("PA 11+10");
	out("A 101 ack 1 ts sack 11-21");
	in("R 100");				/* a challenge */
	out("A 101 ack 1 ts");
	in("PA 1+10");
	out("A 101 ack 21 ts");
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	out_within(1100, "A 100 ts");
	in("A 21 ack 101");
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	out("FA 101 ts");
}

CASE(time_wait, "RFC 7323 3.2 (MUST): TIME-WAIT's ACK has it, too")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	out("FA 1 ts");
	in("FA 1 ack 2");
	out("A 2 ack 2 ts echo");
	in("FA 1 ack 2");
	out("A 2 ack 2 ts");
}

CASE(zero_window, "RFC 7323 3.2 (MUST): so has the probe of a closed window")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	/* an ACK of nothing closes it on native since 6.6 only */
	in("A 1 ack 11 win 0");
	put(fd, 100);
	out_within(500, "A 10 ts");
}

CASE(missing, "RFC 7323 3.2 (MUST NOT): a segment that lacks it does not end the connection")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("A 1 ack 1 no-ts");
	in("PA 1+10 no-ts");
	in("A 1 ack 1 no-ts");
	sleep_s(0.1);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
	ASSERT_FALSE(w_poll(fd, POLLERR, 0));
	put(fd, 10);
	while (w.seen < 11)
		ASSERT_TRUE(w_next(100, &(struct wseg){}));
}

CASE(clock, "RFC 7323 4.1, 5.4 (MUST): TSval is a clock of milliseconds")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");
	uint32_t first;
	double began;

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	first = w.ts_last;
	began = now_s();
	in("A 1 ack 11");
	sleep_s(1);
	put(fd, 10);
	out("PA 11+10");
	ASSERT_LE((now_s() - began) * 1000 - (w.sim ? 5 : 50), w.ts_last - first);
	ASSERT_GE((now_s() - began) * 1000 + (w.sim ? 5 : 50), w.ts_last - first);
}

CASE(offset,
     "RFC 7323 7, 5.4 (RECOMMENDED): it is not the machine's uptime; tcp_timestamps 2: it is")
{
	struct timespec ts;
	struct wseg s;
	int fd, i;

	for (i = 0; i < 2; i++) {
		w_peer(PEER_PORT);
		if (i) {
			ASSERT_TRUE(w_sysctl("tcp_timestamps", "2"));
		}
		fd = w_socket();
		ASSERT_TRUE(w_connect(fd));
		ASSERT_TRUE(w_next(100, &s));
		clock_gettime(CLOCK_MONOTONIC, &ts);
		s.tsval -= ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
		if (i) {
			ASSERT_GT(2000, abs((int32_t)s.tsval));
		} else {
			ASSERT_LT(2000, abs((int32_t)s.tsval));
		}
		close(fd);
	}
}

CASE(rttm, "RFC 7323 4.1: an echo that comes with nothing acknowledged measures no round trip")
{
	int fd = sent(self->lfd, "mss 1000 ts", 1, 0), rtt;

	ASSERT_LE(0, fd);
	in("A 1 ack 989");
	sleep_s(0.01);
	rtt = INFO(fd, tcpi_rtt);
	sleep_s(1);
	in("PA 1+10 ack 989");		/* it paused: the echo is a second old */
	sleep_s(0.1);
	ASSERT_EQ(rtt, INFO(fd, tcpi_rtt));
}

/* ---- whose timestamp comes back (4.3) ---- */

CASE(echo_delayed, "RFC 7323 4.3 A (SHOULD): a delayed ACK echoes the first of those it is for")
{
	int fd = w_passive(self->lfd, "mss 1460 ts"), i;
	uint32_t first;

	ASSERT_LE(0, fd);
	/* the first ones are acknowledged at once */
	for (i = 0; i < 30; i++) {
		in("PA %d+10", 1 + i * 10);
		while (w_next(100, &(struct wseg){}))
			;
	}
	/* nor is one that took long to come */
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_QUICKACK, 0));
	in("PA 301+10 ts+10");
	first = w.ts_sent;
	in("PA 311+10 ts+20");
	w.ts_sent = first;
	out_within(200, "A 1 ack 321 echo");
}

CASE(echo_hole,
     "RFC 7323 4.3 B (SHOULD), C (MUST): behind a hole the last in order, then who fills it")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok ts");
	uint32_t a;

	ASSERT_LE(0, fd);
	/* the RFC's second example: A, C, B, E, D */
	in("PA 1+10 ts+10");
	out("A 1 ack 11 echo");
	a = w.ts_sent;
	in("PA 21+10 ts+30");
	w.ts_sent = a;
	out("A 1 ack 11 echo");
	in("PA 11+10 ts+20");
	out("A 1 ack 31 echo");
	a = w.ts_sent;
	in("PA 41+10 ts+50");
	w.ts_sent = a;
	out("A 1 ack 31 echo");
	in("PA 31+10 ts+40");
	out("A 1 ack 51 echo");
}

CASE(echo_older, "RFC 7323 4.3 (2), 5.2 (MUST): what is echoed never goes back")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok ts");
	uint32_t newest;

	ASSERT_LE(0, fd);
	in("PA 1+10 ts+1000");
	out("A 1 ack 11 echo");
	newest = w.ts_sent;
	in("PA 11+10 ts+500");		/* PAWS */
	w.ts_sent = newest;
	out("A 1 ack 11 echo");
	in("PA 11+10 ts+1000");
	out("A 1 ack 21 echo");
}

/* ---- PAWS ---- */

CASE(equal, "RFC 7323 5.3 R1: the same timestamp once more is not old")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("PA 1+10 ts+10");
	in("PA 11+10 ts+10");
	ASSERT_TRUE(w_poll(fd, POLLIN, 100));
	get(fd, 20);
}

CASE(one_less, "RFC 7323 5.3 R1 (MUST): one less is: an ACK, dropped")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("PA 1+10 ts+10000");
	out("A 1 ack 11 echo");
	get(fd, 10);
	in("PA 11+10 ts+%d", NATIVE("takes one less, too") ? 9000 : w.sim ? 9999 : 9000);
	out("A 1 ack 11 ts");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
}

CASE(half, "RFC 7323 5.2: in the space of 32 bits, as sequence numbers are compared")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("PA 1+10 ts+2000000000");	/* less than 2^31 ahead */
	out("A 1 ack 11 echo");
	in("PA 11+10 ts-2000000000");	/* 294967296 ahead of that: it wrapped */
	out_within(200, "A 1 ack 21 echo");
	get(fd, 20);
	in("PA 21+10 ts+2000000000");	/* and that is old now */
	out("A 1 ack 21 ts");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
}

CASE(before_window,
     "RFC 7323 5.3 (MUST): PAWS comes before the window: what is old is counted as that")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("PA 200000+10 ts-5000");
	out("A 1 ack 1 ts");
	ASSERT_EQ(1, w_counted("PAWSEstab"));
	/* nor is a new timestamp beyond the window remembered */
	in("PA 200000+10 ts+5000");
	out("A 1 ack 1 ts");
	in("PA 1+10");
	ASSERT_TRUE(w_poll(fd, POLLIN, 100));
	get(fd, 10);
}

CASE(early_beyond, "RFC 7323 5.3 R3: the timestamp of what lies behind a hole is not remembered")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok ts");

	ASSERT_LE(0, fd);
	in("PA 11+10 ts+5000");
	out("A 1 ack 1 sack 11-21");
	in("PA 1+10");		/* so this is not old */
	ASSERT_TRUE(w_poll(fd, POLLIN, 100));
	get(fd, 20);
}

CASE(checked_once, "RFC 7323 5.3 (MUST): what waits behind a hole is not looked at again")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok ts");

	ASSERT_LE(0, fd);
	in("PA 11+10");
	in("PA 21+10");
	in("PA 1+10 ts+5000");	/* sent again much later */
	ASSERT_TRUE(w_poll(fd, POLLIN, 100));
	sleep_s(0.01);
	get(fd, 30);
}

CASE(syn_received, "RFC 7323 5.2: timestamps of SYNs begin it")
{
	in("S 0 mss 1460 ts");
	out("SA 0 ack 1 ts echo");
	w.ts = true;
	in("A 1 ack 1 ts-5000");
	out("A 1 ack 1 ts");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(syn_received_rst, "RFC 7323 5.2 (MUST NOT): nor is a RST in SYN-RECEIVED subject to it")
{
	w.ts = true;
	in("S 0 mss 1460 ts");
	out("SA 0 ack 1 ts");
	in("R 1 ts-1000");
	quiet(50);
	in("A 1 ack 1");
	if (NATIVE("drops it where it could compare the timestamps within a minute")) {
		ASSERT_LE(0, w_accept(self->lfd));
		return;
	}
	out("R 1");		/* nobody knows of it any more */
}

CASE(rst_unread, "RFC 7323 3.2, 5.2 (SHOULD): the RST of a close() with unread data has it")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("PA 1+100 ack 1");
	out("A 1 ack 101 echo");
	close(fd);
	out("RA 1 ack 101 echo");
}

CASE(rst_abort, "RFC 7323 3.2, 5.2 (SHOULD): so has that of an ABORT; where not agreed on not")
{
	struct linger l = { 1, 0 };
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(fd);
	out("RA 1 ack 1 echo");
	w_peer(PEER_PORT + 1);
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(fd);
	out("RA 1 ack 1 no-ts");
}

CASE(rst_teaches_nothing, "RFC 7323 5.2 (MUST NOT): a RST's timestamp is not remembered")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("R 100 ts+100000");
	out("A 1 ack 1 ts");	/* a challenge */
	in("R 0 ts+100000");
	in("R 200000 ts+100000");
	in("PA 1+10");
	out("A 1 ack 11 echo");
	get(fd, 10);
}

CASE(unacceptable_teaches_nothing,
     "RFC 7323 5.3, RFC 5961 5.2: who cannot know what was sent sets no timestamp to be measured by")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");
	struct wseg s;

	ASSERT_LE(0, fd);
	/* in the window, but no ACK, of what was never sent, of what was before the connection */
	in("P 1+10 ts+100000000");
	in("PA 1+10 ack 5000 ts+100000000");
	in("A 1 ack 5000 ts+100000000");
	in("PA 1+10 ack 4000000000 ts+100000000");
	/* (answers: tcp_guard) */
	while (w_next(50, &s))
		ASSERT_EQ(1, s.ack);
	in("PA 1+10 ack 1");
	out("A 1 ack 11 echo");
	get(fd, 10);
}

CASE(old_ack_teaches_nothing, "RFC 7323 5.3: nor does an ACK that was overtaken; its data is taken")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100 ack 1");
	in("A 1 ack 101");
	in("PA 1+10 ack 51 ts+100000000");
	out("A 101 ack 11 ts");
	get(fd, 10);
	in("PA 11+10 ack 101");
	if (NATIVE("header prediction asks no more than that the number be no higher than SND.NXT")) {
		out("A 101 ack 11");
		return;
	}
	out("A 101 ack 21 echo");
	get(fd, 10);
}

CASE(idle, "RFC 7323 5.5: after 24 days nothing is old")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	if (!w.sim || !getenv("STRATA_FULL"))
		SKIP(return, "takes a month; sim shows it in half a minute, with STRATA_FULL=1");
	ASSERT_LE(0, fd);
	in("PA 1+10");
	out("A 1 ack 11 echo");
	sleep_s(25. * 86400);
	/* 2^31 ms and more: before TS.Recent, to whom the clock wraps */
	in("PA 11+10");
	out_within(200, "A 1 ack 21 echo");
	get(fd, 20);
}

/* the peer's clock stands where 0 would be later than it */
#define HALF_ROUND	"ts+2147483647"
#define TS_ZERO		"opt 0101080a0000000000000000"

CASE(zero_syn, "RFC 7323 5.2, 5.3: as native, a SYN's timestamp of 0 proves nothing")
{
	int fd;

	in("S 0 mss 1460 " TS_ZERO);
	out("SA 0 ack 1 ts");
	w.ts = true;
	in("A 1 ack 1 " HALF_ROUND);
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	in("PA 1+10 " HALF_ROUND);
	out("A 1 ack 11 ts echo");
	in("PA 11+10 ts+2147483640");		/* from now on there is a time before */
	out("A 1 ack 11 ts");
	get(fd, 10);
}

CASE(zero_synack, "RFC 7323 5.2, 5.3: nor does that of a SYN-ACK")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0 ts");
	in("SA 0 ack 1 mss 1460 " TS_ZERO);
	out("A 1 ack 1 ts");
	w.ts = true;
	in("PA 1+10 " HALF_ROUND);
	out("A 1 ack 11 ts echo");
	get(fd, 10);
}

TEST_HARNESS_MAIN
