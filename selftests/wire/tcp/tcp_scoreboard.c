// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the sender makes of SACK and D-SACK: which blocks count, for how long they are remembered,
 * and what becomes of them in recovery and after a timeout.
 */
#include <limits.h>
#include "wire_loss.h"

#define LOSS	4	/* TCP_CA_Loss */

static int ca_state(int fd)
{
	struct tcp_info info = { };
	socklen_t len = sizeof(info);

	return getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) ? -1 : info.tcpi_ca_state;
}

CASE(half_segment, "RFC 2018 5: a block counts for the segments that lie in it whole")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 5, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1501-5001");
	out("A 1+1000");
	out("A 1001+1000");
	quiet(20);
	in("A 1 ack 5001");
	quiet(1000);
}

CASE(any_ack, "RFC 6675 2, 5: also on segments with data and another window")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 8, 0), i;
	bool again = false;
	struct wseg s;

	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		in("PA %d+10 ack 1 win %d sack 1001-%d", 1 + i * 10, 60000 - i, 2001 + i * 1000);
	while (w_next(5, &s))
		again |= s.seq == 1 && s.len == 1000;
	ASSERT_TRUE(again);
}

CASE(bare_dupack, "RFC 3042 2, RFC 5681 3.2 step 1 (MUST NOT): without news nothing goes")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 4), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 6; i++)
		in("A 1 ack 1");
	quiet(20);
	in("A 1 ack 1 sack 1001-2001");
	out("A 10001+1000");
	in("A 1 ack 1 sack 1001-2001");
	quiet(1);
}

CASE(outlives_recovery, "RFC 6675 5 (A): at its end what is SACKed above stays SACKed")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 10);
	bool again[3] = { };
	struct wseg s;

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-10001");
	out("A 1+1000");
	ASSERT_LE(6, segments(1));
	in("A 1 ack 10001 sack 11001-12001");
	in("A 1 ack 10001 sack 13001-16001");	/* not that block once more */
	while (w_next(30, &s))
		if (s.seq < 13001)
			again[(s.seq - 10001) / 1000] = true;
	ASSERT_TRUE(again[0]);
	ASSERT_FALSE(again[1]);
	ASSERT_TRUE(again[2]);
}

CASE(timeout_keeps, "RFC 6675 5.1: nor after a timeout are SACKed segments sent again")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 6, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 2001-6001");
	out("A 1+1000");
	out("A 1001+1000");
	out_within(RTO + 20, "A 1+1000");
	in("A 1 ack 1001");	/* no word of them, and they are not forgotten */
	out("A 1001+1000");
	quiet(50);		/* though two may be out by now */
	in("A 1 ack 6001");
	quiet(1000);
}

CASE(timeout_learns, "RFC 6675 5.1: nor those SACKed only after it")
{
	int fd;

	/* which could take the SACKs for originals that were only late (RFC 5682) */
	ASSERT_TRUE(w_sysctl("tcp_frto", "0"));
	fd = sent(self->lfd, "mss 1000 sackok", 5, 0);
	ASSERT_LE(0, fd);
	out_within(100, "PA 4001+1000");	/* the tail loss probe */
	out_within(RTO + 20, "A 1+1000");
	in("A 1 ack 1001 sack 2001-4001");
	out("A 1001+1000");
	out("PA 4001+1000");
	in("A 1 ack 5001");
	quiet(1000);
}

CASE(timeout_in_recovery, "RFC 6675 5.1 (MUST NOT): none begins before a timeout's is over")
{
	int fd = sent_reno(self->lfd, "mss 1000 sackok", 10, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
	out_within(RTO + 20, "A 1+1000");
	ASSERT_EQ(LOSS, ca_state(fd));
	in("A 1 ack 4001 sack 5001-8001");
	out("A 4001+1000");
	while (w_next(1, &(struct wseg){}))
		;
	ASSERT_EQ(LOSS, ca_state(fd));
	ASSERT_EQ(5, INFO(fd, tcpi_snd_ssthresh));
	in("A 1 ack 10001");
	sleep_s(0.001);
	ASSERT_EQ(0, ca_state(fd));
}

CASE(dsack_above, "RFC 2883 5: a first block within the second is a copy, too")
{
	int fd;

	ASSERT_TRUE(w_no_tail_probe());
	fd = sent(self->lfd, "mss 1000 sackok", 10, 0);
	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-2001 sack 3001-10001");
	out("A 1+1000");
	out("A 2001+1000");
	in("A 1 ack 1 sack 2001-3001 sack 1001-10001");
	in("A 1 ack 10001 sack 1-1001");
	quiet(50);
	/* both were needless */
	ASSERT_LE(10, INFO(fd, tcpi_snd_cwnd));
	ASSERT_LE(10, INFO(fd, tcpi_snd_ssthresh));
}

CASE(dsack_overtaken, "RFC 2883 5 (MUST NOT): a late ACK's SACK tells of no copy")
{
	int fd = sent(self->lfd, "mss 1000 sackok", 10, 0);

	ASSERT_LE(0, fd);
	in("A 1 ack 1 sack 1001-5001");
	out("A 1+1000");
	in("A 1 ack 10001");
	put(fd, 1000);
	out("PA 10001+1000");
	in("A 1 ack 1 sack 1001-2001");
	quiet(20);
	/* a copy would have undone the reduction */
	ASSERT_EQ(7, INFO(fd, tcpi_snd_cwnd));
}

/* acknowledges what is sent until @segs of 48 octets are under way; SND.UNA then */
static uint32_t flight(int fd, int segs)
{
	uint32_t una = 1, nxt = 1;
	struct wseg s;

	do {
		una = nxt;
		if (!w_in("A 1 ack %u win 65535", una))
			return 0;
		w_put(fd, 65536, MSG_DONTWAIT);
		while (w_next(5, &s))
			nxt = s.seq + s.len;
	} while ((nxt - una) / 48 < segs && nxt != una);
	return nxt == una ? 0 : una;
}

CASE(entries_limited, "RFC 2018 8: SACKs of every second small segment do not multiply the memory that waits")
{
	int fd, n = 0, most, queued;
	uint32_t una, meminfo[9];
	socklen_t len = sizeof(meminfo);
	struct wseg s;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_SNDBUF, 32768));
	fd = w_passive(self->lfd, "mss 48 sackok");
	ASSERT_LE(0, fd);
	una = flight(fd, 600);
	ASSERT_NE(0, una);
	/* twice what native allows for a queue, with 64 KB at its end; and a full segment's */
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_MEMINFO, meminfo, &len));
	most = 2 * (meminfo[3] + 2 * 70000) + 70000;
	for (n = 1; n < 600; n += 8) {
		uint32_t at = una + n * 48;

		in("A 1 ack %u sack %u-%u sack %u-%u sack %u-%u sack %u-%u", una, at + 288,
		   at + 336, at + 192, at + 240, at + 96, at + 144, at, at + 48);
		while (w_next(0, &s))
			;
	}
	len = sizeof(meminfo);
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_MEMINFO, meminfo, &len));
	queued = meminfo[5];
	ASSERT_LT(queued, most);
	ASSERT_LT(0, w_counted("TCPWqueueTooBig"));
	/* and it goes on */
	in("A 1 ack %u", una + 600 * 48);
	in("A 1 ack %u", una + 601 * 48);
	while (w_next(1000, &s))
		in("A 1 ack %u", s.seq + s.len);
	ASSERT_EQ(0, w_error(fd));
}

CASE(entries_huge_buffer, "RFC 2018 8: nor is that held against a send buffer of INT_MAX")
{
	uint32_t una;
	struct wseg s;
	int fd, n;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_SNDBUFFORCE, INT_MAX / 2));
	fd = w_passive(self->lfd, "mss 48 sackok");
	ASSERT_LE(0, fd);
	una = flight(fd, 600);
	ASSERT_NE(0, una);
	for (n = 1; n < 200; n += 8) {
		uint32_t at = una + n * 48;

		in("A 1 ack %u sack %u-%u sack %u-%u sack %u-%u sack %u-%u", una, at + 288,
		   at + 336, at + 192, at + 240, at + 96, at + 144, at, at + 48);
		while (w_next(0, &s))
			;
	}
	ASSERT_EQ(0, w_counted("TCPWqueueTooBig"));
	ASSERT_EQ(100, INFO(fd, tcpi_sacked));
}

TEST_HARNESS_MAIN
