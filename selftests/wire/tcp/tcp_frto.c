// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timeouts that may have been too early: F-RTO with SACK (RFC 5682 3.1), step by step, and what
 * is taken back of a reduction (RFC 4015), by timestamps (RFC 3522) here.
 */
#include "wire_loss.h"

/*
 * Ten segments are out, @more behind them; the timer has fired and the first was sent again. No
 * probe of the tail came before it. The socket
 */
static int timed_out(int lfd, const char *opts, int more)
{
	struct wseg s;
	int fd;

	if (!w_sysctl("tcp_early_retrans", "0"))
		return -1;
	fd = sent(lfd, opts, 10, more);
	return fd < 0 || !w_next(1000, &s) || s.seq != 1 ? -1 : fd;
}

/* nothing but new data is sent for @ms: how many segments, -1: something else */
static int only_new(int ms)
{
	uint32_t next = w.seen;
	struct wseg s;
	int n = 0;

	for (; w_next(ms, &s); n++, next += s.len)
		if (s.seq != next) {
			w_say("not new: ", &s);
			return -1;
		}
	return n;
}

/* the window is not smaller than before it all */
static bool undone(int fd)
{
	return INFO(fd, tcpi_snd_cwnd) >= 10 && INFO(fd, tcpi_snd_ssthresh) > 10;
}

CASE(step_1, "RFC 5682 3.1 (1): the first unacknowledged segment goes again, no other")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 10);

	ASSERT_LE(0, fd);
	quiet(300);
}

CASE(step_2_dupack, "RFC 5682 3.1 (2): a duplicate ACK before the first is waited out")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 10);

	ASSERT_LE(0, fd);
	in("A 1 ack 1");
	quiet(50);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
}

CASE(step_2a,
     "RFC 5682 3.1 (2a): all acknowledged at once: no evidence, the window stays small")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 10001");
	quiet(50);
	if (NATIVE("takes all behind the first for originals that have arrived: spurious"))
		return;
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));
	ASSERT_GT(10, INFO(fd, tcpi_snd_cwnd));
}

CASE(step_2b, "RFC 5682 3.1 (2b): the first ACK lets two new segments go, and no retransmission")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 10);

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(100));
}

CASE(step_2b_nothing, "RFC 5682 3.1 (2b): without new data conventional recovery")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	out("A 1001+1000");
	out("A 2001+1000");
	quiet(50);
}

CASE(step_2b_window, "RFC 5682 3.1 (2b): nor where the peer's window has no room for it")
{
	struct wseg s;
	int fd, i;

	ASSERT_TRUE(w_sysctl("tcp_early_retrans", "0"));
	in("S 0 mss 1000 sackok win 5000");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 5000");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 9000);
	for (i = 0; i < 5; i++)
		out("A %d+1000", 1 + i * 1000);
	ASSERT_TRUE(w_next(1000, &s));
	ASSERT_EQ(1, s.seq);
	in("A 1 ack 1001 win 4000");
	out("A 1001+1000");
	out("A 2001+1000");
}

CASE(step_3a_new, "RFC 5682 3.1 (3a): only what is new has arrived: retransmissions, three at most")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 10), n;
	struct wseg s;

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	in("A 1 ack 1001 sack 10001-11001");
	for (n = 0; w_next(20, &s); n++)
		ASSERT_EQ(1001 + n * 1000, s.seq);
	ASSERT_LE(1, n);
	ASSERT_GE(3, n);
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));
}

CASE(step_3a_dupack, "RFC 5682 3.1 (3a): a duplicate ACK that tells of nothing: retransmissions")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 10);

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	in("A 1 ack 1001");
	in("A 1 ack 1001 sack 10001-12001");
	out("A 1001+1000");
}

CASE(step_3_other, "RFC 5682 3.1 (3): what is neither a new nor a duplicate ACK decides nothing")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 10);
	struct wseg s;

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	in("PA 1+10 ack 1001");		/* carries data */
	in("A 11 ack 1001 win 60000");	/* another window */
	while (w_next(60, &s))
		ASSERT_EQ(0, s.len);
	in("A 11 ack 3001 win 60000");
	ASSERT_LE(0, only_new(20));
	ASSERT_TRUE(undone(fd));
}

CASE(step_3b,
     "RFC 5682 3.1 (3b), 4: what was sent before it has arrived: new data, the window as before")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 20);

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	in("A 1 ack 2001");
	ASSERT_LE(0, only_new(50));
	ASSERT_TRUE(undone(fd));
}

CASE(counted, "RFC 5682 3.1 (3b), RFC 4015 3: what was taken back, and why, is counted")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 20);

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	ASSERT_EQ(0, w_counted("TCPSpuriousRTOs"));
	in("A 1 ack 2001");
	ASSERT_LE(0, only_new(50));
	ASSERT_EQ(1, w_counted("TCPSpuriousRTOs"));
	ASSERT_EQ(1, w_counted("TCPLossUndo"));
	ASSERT_EQ(0, w_counted("TCPFullUndo"));
}

CASE(step_3b_sack, "RFC 5682 3.1 (3b): by a SACK of it, too, as where packets were reordered")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 20);

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	in("A 1 ack 1001 sack 3001-4001");
	ASSERT_LE(0, only_new(5));
	ASSERT_TRUE(undone(fd));
}

CASE(again, "RFC 5682 3.1 (MUST): another timeout of the same segment begins at step 1")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 20);

	ASSERT_LE(0, fd);
	quiet(400);
	out_within(200, "A 1+1000");
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	in("A 1 ack 2001");
	ASSERT_LE(0, only_new(50));
	ASSERT_TRUE(undone(fd));
}

CASE(again_later,
     "RFC 5682 3.1 (MUST), (1): but where the first episode is not over F-RTO is left out")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 10);

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	out_within(600, "A 1001+1000");
	in("A 1 ack 2001");
	out("A 2001+1000");
	out("A 3001+1000");
	quiet(50);
}

CASE(not_in_recovery, "RFC 5682 3.1 (SHOULD NOT), (1): not where a fast recovery is under way")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_early_retrans", "0"));
	fd = sent(self->lfd, "mss 1000 sackok", 10, 20);
	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
	/* the retransmission is lost: whatever else goes, a timeout is next */
	while (w_next(1000, &s) && s.seq != 1)
		;
	ASSERT_EQ(1, s.seq);
	in("A 1 ack 4001");
	out("A 4001+1000");
}

CASE(off, "RFC 5682 3.1 (MAY), tcp_frto 0: conventional recovery")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_frto", "0"));
	fd = timed_out(self->lfd, "mss 1000 sackok", 10);
	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	out("A 1001+1000");
	out("A 2001+1000");
}

/* ---- RFC 4015 ---- */

/* the ACK echoes @back ms before the retransmission: that of an original */
static int late_ack(int lfd, int timeouts, uint32_t acked)
{
	uint32_t first;
	struct wseg s;
	int fd;

	if (!w_sysctl("tcp_early_retrans", "0") || !w_sysctl("tcp_frto", "0"))
		return -1;
	fd = sent(lfd, "mss 1000 sackok ts", 10, 20);
	first = w.ts_last;
	for (; fd >= 0 && timeouts; timeouts--)
		if (!w_next(2000, &s) || s.seq != 1)
			return -1;
	return w_in("A 1 ack %u ecr-%u", acked, w.ts_last - first) ? fd : -1;
}

CASE(eifel,
     "RFC 4015 3.1 (8), (9), RFC 3522 3.2: an original arrived: new data, the window as before")
{
	int fd = late_ack(self->lfd, 1, 989);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, only_new(50));
	ASSERT_TRUE(undone(fd));
}

CASE(eifel_twice,
     "RFC 4015 3.1 (MUST NOT): not by a second timeout: the window before the first")
{
	int fd = late_ack(self->lfd, 3, 989);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, only_new(50));
	ASSERT_TRUE(undone(fd));
}

CASE(eifel_genuine,
     "RFC 4015 3.1 (7), RFC 3522 3.2 (5): the echo of the retransmission proves nothing")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_early_retrans", "0"));
	ASSERT_TRUE(w_sysctl("tcp_frto", "0"));
	fd = sent(self->lfd, "mss 1000 sackok ts", 10, 20);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_next(1000, &s));
	ASSERT_EQ(1, s.seq);
	in("A 1 ack 989");
	out("A 989+988");
	out("A 1977+988");
	quiet(50);
	ASSERT_EQ(7, INFO(fd, tcpi_snd_ssthresh));
}

CASE(recovery_point, "RFC 5682 3.1: after it duplicate ACKs begin a fast recovery of their own")
{
	int fd = timed_out(self->lfd, "mss 1000 sackok", 20);

	ASSERT_LE(0, fd);
	in("A 1 ack 1001");
	ASSERT_EQ(2, only_new(20));
	in("A 1 ack 2001");
	ASSERT_LE(0, only_new(20));
	in("A 1 ack 2001 sack 3001-6001");
	out("A 2001+1000");
}

TEST_HARNESS_MAIN
