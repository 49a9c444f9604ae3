// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACK compression: beyond a hole the first three segments are answered one by one, what follows
 * together (tcp_comp_sack_*). The delay is a 20th of the round trip, so the peer is a slow one.
 */
#include "wire.h"

/*
 * ms: the round trip, and the 20th of it; where time is real more than a stall of the machine, and
 * the SYN-ACK comes twice
 */
#define RTT	(w.sim ? 400 : 2900)
#define DELAY	(RTT / 20)

/* segment @n of the stream, 0 the first: LEN octets each */
#define LEN	1448
#define SEQ(n)	(1 + LEN * (n))

/*
 * The timestamp that the peer echoes, always the same: each segment that tells of a round trip is
 * a sample to native, those beyond a hole, too, which come at once after the ACK
 */
static uint32_t told;

/* segment @n comes */
static bool comes(int n)
{
	w.ts_last = told;
	return w_in("A %d+%d ack 1", SEQ(n), LEN);
}

/*
 * A connection with @opts whose first segment has come in order, and told of the round trip; its
 * ACKs do not go at once any more, and none waits longer than @delay_ms
 */
static int opened(int lfd, const char *opts, int delay_ms)
{
	char ns[16];
	struct wseg s;
	int fd;

	snprintf(ns, sizeof(ns), "%d000000", delay_ms);
	w.ts = true;
	if (!w_sysctl("tcp_comp_sack_delay_ns", ns) || !w_in("S 0 %s", opts) || !w_next(1000, &s))
		return -1;
	told = s.tsval;
	sleep_s(RTT / 1000.0);
	while (w_next(0, &s))
		;
	w.ts_last = told--;
	if (!w_in("A 1 ack 1"))
		return -1;
	fd = w_accept(lfd);
	if (fd < 0 || !comes(0) || !w_out(-50, "A 1 ack %d", SEQ(1)))
		return -1;
	return w_set(fd, SOL_TCP, TCP_QUICKACK, 0) ? -1 : fd;
}

/* segment 1 is missing: 2, 3, 4 come and are answered at once */
static bool three_at_once(void)
{
	int n;

	for (n = 2; n <= 4; n++)
		if (!comes(n) ||
		    !w_out(-1, "A 1 ack %d sack %d-%d", SEQ(1), SEQ(2), SEQ(n + 1)))
			return false;
	return true;
}

/* segments from @first to @last; what is due after them counts from the first */
static bool come(int first, int last)
{
	double mark = 0;
	int n;

	for (n = first; n <= last; n++) {
		if (!comes(n))
			return false;
		if (n == first)
			mark = w.mark;
	}
	w.mark = mark;
	w.soonest = mark;
	return true;
}

CASE(compressed, "RFC 5681 4.2: three ACKs at once, one for all of the next 20th of a round trip; as native")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000);
	long before;

	ASSERT_LE(0, fd);
	before = w_counted("TCPAckCompressed");
	ASSERT_TRUE(three_at_once());
	ASSERT_TRUE(come(5, 9));
	out_at(DELAY, "A 1 ack %d sack %d-%d", SEQ(1), SEQ(2), SEQ(10));
	quiet(2 * DELAY);
	/* the three count for one RCV.NXT, not for one round trip */
	ASSERT_TRUE(come(10, 11));
	out_at(DELAY, "A 1 ack %d sack %d-%d", SEQ(1), SEQ(2), SEQ(12));
	ASSERT_EQ(before + 4 + 1, w_counted("TCPAckCompressed"));
}

CASE(compress_delay, "RFC 5681 4.2: no longer than tcp_comp_sack_delay_ns")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", DELAY / 10);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(three_at_once());
	ASSERT_TRUE(come(5, 6));
	out_at(DELAY / 10, "A 1 ack %d sack %d-%d", SEQ(1), SEQ(2), SEQ(7));
}

CASE(compress_number, "RFC 5681 4.2: so many as tcp_comp_sack_nr wait, the next does not")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("tcp_comp_sack_nr", "2"));
	ASSERT_TRUE(three_at_once());
	ASSERT_TRUE(come(5, 7));
	out("A 1 ack %d sack %d-%d", SEQ(1), SEQ(2), SEQ(8));
	quiet(2 * DELAY);
}

CASE(compress_none, "RFC 2018 4: an ACK for each segment with tcp_comp_sack_nr 0")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000), n;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("tcp_comp_sack_nr", "0"));
	ASSERT_TRUE(three_at_once());
	for (n = 5; n < 10; n++) {
		ASSERT_TRUE(comes(n));
		out("A 1 ack %d sack %d-%d", SEQ(1), SEQ(2), SEQ(n + 1));
	}
}

CASE(compress_no_sack, "RFC 5681 3.2: without SACK the peer counts duplicates: each segment has one")
{
	int fd = opened(self->lfd, "mss 1460 ts", 1000), n;

	ASSERT_LE(0, fd);
	for (n = 2; n < 10; n++) {
		ASSERT_TRUE(comes(n));
		out("A 1 ack %d no-sack", SEQ(1));
	}
}

CASE(compress_filled, "RFC 5681 4.2: a hole that is filled is told at once, and what waited with it")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(three_at_once());
	ASSERT_TRUE(come(5, 6));
	ASSERT_TRUE(comes(1));
	out("A 1 ack %d no-sack", SEQ(7));
	quiet(2 * DELAY);
}

CASE(compress_next_hole, "RFC 5681 4.2: behind a hole that is filled the first three count anew")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000), n;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(three_at_once());
	ASSERT_TRUE(comes(1));
	out("A 1 ack %d no-sack", SEQ(5));
	for (n = 6; n <= 8; n++) {
		ASSERT_TRUE(comes(n));
		out("A 1 ack %d sack %d-%d", SEQ(5), SEQ(6), SEQ(n + 1));
	}
	ASSERT_TRUE(come(9, 10));
	out_at(DELAY, "A 1 ack %d sack %d-%d", SEQ(5), SEQ(6), SEQ(11));
}

CASE(compress_duplicate, "RFC 2883 4: a duplicate is told of at once")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(three_at_once());
	ASSERT_TRUE(come(5, 5));
	ASSERT_TRUE(comes(4));
	out_at(NATIVE("it puts the ACK off as that of any segment beyond a hole") ? DELAY : 0,
	       "A 1 ack %d sack %d-%d sack %d-%d", SEQ(1), SEQ(4), SEQ(5), SEQ(2), SEQ(6));
	quiet(2 * DELAY);
}

/* is there a block that ends with segment @n? */
static bool reports(const struct wseg *s, int n)
{
	int i;

	for (i = 0; i < s->nsack; i++)
		if (s->sack[i][1] == (uint32_t)SEQ(n + 1))
			return true;
	return false;
}

CASE(compress_blocks, "RFC 2018 4: what an ACK may soon have no room for is told before")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000);
	struct wseg s;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(comes(2));
	out("A 1 ack %d sack %d-%d", SEQ(1), SEQ(2), SEQ(3));
	ASSERT_TRUE(comes(4));
	out("A 1 ack %d sack %d-%d", SEQ(1), SEQ(4), SEQ(5));
	ASSERT_TRUE(comes(5));
	out("A 1 ack %d sack %d-%d", SEQ(1), SEQ(4), SEQ(6));
	/* these wait, until a third block comes */
	ASSERT_TRUE(come(6, 7));
	ASSERT_TRUE(comes(9));
	ASSERT_TRUE(w_next(w.sim ? DELAY / 4 : 1000, &s));
	ASSERT_TRUE(reports(&s, 7));
	ASSERT_TRUE(reports(&s, 2));
}

CASE(compress_data, "RFC 9293 3.8.6.3: data carries the ACK that waits")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_no_tail_probe());
	ASSERT_TRUE(three_at_once());
	ASSERT_TRUE(come(5, 6));
	put(fd, 10);
	out("PA 1+10 ack %d sack %d-%d", SEQ(1), SEQ(2), SEQ(7));
	quiet(2 * DELAY);
}

CASE(compress_closed, "RFC 9293 3.10.4: nothing of it outlives the connection")
{
	int fd = opened(self->lfd, "mss 1460 sackok ts", 1000);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(three_at_once());
	ASSERT_TRUE(come(5, 6));
	in("R %d", SEQ(1));
	quiet(2 * DELAY);
	ASSERT_EQ(ECONNRESET, w_error(fd));
}

TEST_HARNESS_MAIN
