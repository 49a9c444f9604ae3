// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending on the wire: how much and when (initial window, Nagle, cork, the peer's window),
 * what is sent again and when (RTO, fast retransmit, path MTU), probes, and giving up.
 */
#include "wire.h"

/* RTO of a connection whose round trips take no time: 200 ms, the floor, and the clock's tick */
#define RTO	204

CASE(initial_window, "RFC 6928 2: ten segments")
{
	int fd = w_passive(self->lfd, "mss 1460");
	uint32_t i;

	ASSERT_LE(0, fd);
	put(fd, 20000);
	for (i = 0; i < 10; i++)
		out("A %u+1460", 1 + i * 1460);
	quiet(100);
	in("A 1 ack 2921");	/* slow start: two acknowledged, four more (RFC 5681 3.1) */
	for (; i < 13; i++)
		out("A %u+1460", 1 + i * 1460);
	out("PA %u+1020", 1 + i * 1460);
}

CASE(slow_start, "RFC 5681 3.1: an ACK of n segments lets 2 n go")
{
	int fd = w_passive(self->lfd, "mss 1000");
	uint32_t i;

	ASSERT_LE(0, fd);
	put(fd, 40000);
	for (i = 0; i < 10; i++)
		out("A %u+1000", 1 + i * 1000);
	quiet(50);
	in("A 1 ack 10001");
	for (; i < 30; i++)
		out("A %u+1000", 1 + i * 1000);
	quiet(50);
}

CASE(rto, "RFC 6298 5.4, 5.5: again after RTO, which doubles")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100 ack 1");
	out_at(RTO, "PA 1+100 ack 1");
	out_at(2 * RTO, "PA 1+100 ack 1");
	out_at(4 * RTO, "PA 1+100 ack 1");
	in("A 1 ack 101");
	quiet(3000);
}

CASE(rto_dsack, "RFC 6298 3, RFC 2883 4: what a copy's ACK echoes is no round trip")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok ts");
	uint32_t first;

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	first = w.ts_last;
	/* the ACK was lost, and that of every copy but the last */
	for (int i = 0; i < 4; i++)
		out_within(4000, "PA 1+100");
	ASSERT_LT(1000, w.ts_last - first);
	in("A 1 ack 101 sack 1-101 ecr-%u", w.ts_last - first);
	sleep_s(0.1);
	put(fd, 100);
	out("PA 101+100");
	in("A 1 ack 201");
	sleep_s(0.1);
	put(fd, 100);
	out("PA 201+100");
	out_within(NATIVE("takes the echo of the copy for a round trip: RTO above a second") ?
		   20000 : 500, "PA 201+100");
}

CASE(rto_one_segment, "RFC 5681 3.1: after a timeout one segment goes, not the flight")
{
	int fd = w_passive(self->lfd, "mss 1000");
	uint32_t i;

	ASSERT_LE(0, fd);
	put(fd, 5000);
	for (i = 0; i < 5; i++)
		out("%s %u+1000", i < 4 ? "A" : "PA", 1 + i * 1000);
	out_at(RTO, "A 1+1000");
	quiet(50);
	in("A 1 ack 1001");
	out("A 1001+1000");
	out("A 2001+1000");
	quiet(50);
	in("A 1 ack 5001");
	quiet(1000);
}

CASE(user_timeout, "RFC 5482, RFC 9293 3.8.3 (MUST-21): TCP_USER_TIMEOUT")
{
	int fd = w_passive(self->lfd, "mss 1460");
	double began;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 1500));
	put(fd, 100);
	began = now_s();
	ASSERT_TRUE(w_poll(fd, POLLERR, 10000));
	/* timeouts after 0.2, 0.6 and 1.4 s; the limit counts from the first, and ends the last */
	ASSERT_LT(1.65, now_s() - began);
	ASSERT_GT(w.sim ? 1.8 : 2.6, now_s() - began);
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
}

CASE(timed_out, "RFC 9293 3.8.3 (MUST-20): R2 of data: ETIMEDOUT after at least 100 s")
{
	int fd = w_passive(self->lfd, "mss 1460");
	double began = now_s();

	LONG(1000);
	ASSERT_LE(0, fd);
	put(fd, 100);
	ASSERT_TRUE(w_poll(fd, POLLERR, 2000000));
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	ASSERT_LT(900, now_s() - began);
	ASSERT_GT(1100, now_s() - began);
}

CASE(soft_error, "RFC 1122 4.2.3.9, RFC 5461: the ICMP error is what giving up reports")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 1000));
	put(fd, 100);
	out("PA 1+100");
	ASSERT_TRUE(w_icmp(3, 1, 0, 1));
	ASSERT_TRUE(w_poll(fd, POLLERR, 10000));
	ASSERT_EQ(EHOSTUNREACH, w_error(fd));
}

CASE(fast_retransmit, "RFC 6675 5, RFC 8985: three segments beyond a hole")
{
	int fd = w_passive(self->lfd, "mss 1000 sackok");
	uint32_t i;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_no_tail_probe());
	put(fd, 8000);
	for (i = 0; i < 8; i++)
		out("%s %u+1000", i < 7 ? "A" : "PA", 1 + i * 1000);
	in("A 1 ack 1 sack 1001-2001");
	in("A 1 ack 1 sack 1001-3001");
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
	quiet(20);
	in("A 1 ack 8001");
	quiet(1000);
}

CASE(fast_retransmit_reno, "RFC 5681 3.2: by three duplicate ACKs without SACK")
{
	int fd = w_passive(self->lfd, "mss 1000");
	uint32_t i;

	ASSERT_LE(0, fd);
	put(fd, 8000);
	for (i = 0; i < 8; i++)
		out("%s %u+1000", i < 7 ? "A" : "PA", 1 + i * 1000);
	in("A 1 ack 1");
	in("A 1 ack 1");
	quiet(20);
	in("A 1 ack 1");
	out("A 1+1000");
	in("A 1 ack 8001");
	quiet(1000);
}

CASE(hole_only, "RFC 2018 5.1: what was SACKed is not sent again")
{
	int fd = w_passive(self->lfd, "mss 1000 sackok");
	uint32_t i;

	ASSERT_LE(0, fd);
	put(fd, 10000);
	for (i = 0; i < 10; i++)
		out("%s %u+1000", i < 9 ? "A" : "PA", 1 + i * 1000);
	in("A 1 ack 1001 sack 2001-3001 sack 4001-10001");
	out("A 1001+1000");
	out("A 3001+1000");
	quiet(20);
	in("A 1 ack 10001");
	quiet(1000);
}

CASE(nagle, "RFC 9293 3.7.4 (SHLD-7): a second short segment waits for the first's ACK")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	put(fd, 20);
	put(fd, 30);
	quiet(100);
	in("A 1 ack 11");
	out("PA 11+50");
}

CASE(nodelay, "RFC 9293 3.7.4 (MUST-17): TCP_NODELAY")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NODELAY, 1));
	put(fd, 10);
	out("PA 1+10");
	put(fd, 20);
	out("PA 11+20");
}

CASE(cork, "tcp(7) TCP_CORK: short segments wait until it is off")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 1));
	put(fd, 10);
	put(fd, 20);
	quiet(100);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 0));
	out("PA 1+30");
}

CASE(cork_200ms, "tcp(7) TCP_CORK: or for 200 ms at most")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 1));
	put(fd, 10);
	out_at(RTO, "PA 1+10");
}

CASE(msg_more, "send(2) MSG_MORE: as cork for one call")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(10, w_put(fd, 10, MSG_MORE));
	quiet(50);
	put(fd, 20);
	out("PA 1+30");
}

CASE(peer_window, "RFC 9293 3.8.6: not an octet beyond the window")
{
	int fd;

	in("S 0 mss 1000 win 2500");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 2500");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 5000);
	out("A 1+1000");
	out("A 1001+1000");
	quiet(50);		/* the rest of it is too little (3.8.6.2.1) */
	in("A 1 ack 2001 win 3000");
	out("A 2001+1000");
	out("A 3001+1000");
	out("PA 4001+1000");
}

CASE(zero_window, "RFC 9293 3.8.6.1 (MUST-36, MUST-37, SHLD-29, SHLD-30): probes, backing off")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11 win 0");	/* with a new ACK: native before 6.7 overlooks others */
	put(fd, 100);
	out_at(RTO, "A 10 ack 1");
	in("A 1 ack 11 win 0");
	out_at(2 * RTO, "A 10 ack 1");
	in("A 1 ack 11 win 0");
	out_at(4 * RTO, "A 10 ack 1");
	in("A 1 ack 11 win 1000");
	out("PA 11+100 ack 1");
}

CASE(zero_window_stays, "RFC 9293 3.8.6.1 (MUST-37): as long as it is answered it stays open")
{
	int fd = w_passive(self->lfd, "mss 1460"), n = 0;
	struct wseg s;

	LONG(3600);
	ASSERT_LE(0, fd);
	in("A 1 ack 1 win 0");
	put(fd, 100);
	for (double end = now_s() + 7200; now_s() < end; n++) {
		ASSERT_TRUE(w_next(130000, &s));
		ASSERT_EQ(0, s.len);
		in("A 1 ack 1 win 0");
	}
	ASSERT_LT(60, n);
	in("A 1 ack 1 win 1000");
	out("PA 1+100 ack 1");
}

CASE(window_closes_in_flight, "RFC 9293 3.8.6: a shrunken window: what is out is sent again")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	put(fd, 2000);
	out("A 1+1000");
	out("PA 1001+1000");
	in("A 1 ack 1001 win 0");
	out_at(RTO, "PA 1001+1000");
	in("A 1 ack 1001 win 5000");
	out_within(2000, "PA 1001+1000");
	in("A 1 ack 2001 win 5000");
	quiet(2000);
}

CASE(window_old_update, "RFC 9293 3.10.7.4 fifth: an old segment does not set the window")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 1 win 5000");
	in("PA 11+10 ack 1 win 5000");
	/* it brings something new, and so is acceptable, but begins before the last one did */
	in("PA 1+30 ack 1 win 0");
	ASSERT_TRUE(w_poll(fd, POLLIN, 100));
	while (w_next(100, &(struct wseg){}))
		;
	get(fd, 30);
	put(fd, 1000);
	out("PA 1+1000 ack 31");
}

CASE(keepalive, "RFC 9293 3.8.4 (MUST-24, MUST-27, MUST-29): probes, RST, ETIMEDOUT")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPINTVL, 1));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPCNT, 2));
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	w_mark();
	out_at(1000, "A 0 ack 1");
	in("A 1 ack 1");	/* alive */
	out_at(1000, "A 0 ack 1");
	out_at(1000, "A 0 ack 1");
	out_at(1000, "RA 1 ack 1");
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
}

CASE(keepalive_user_timeout, "RFC 5482 4.2: the user timeout counts instead of the probes")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPINTVL, 1));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPCNT, 9));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 2500));
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	w_mark();
	out_at(1000, "A 0 ack 1");
	out_at(1000, "A 0 ack 1");
	out_at(1000, "RA 1 ack 1");
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
}

CASE(keepalive_off, "RFC 9293 3.8.4 (MUST-25): off by default")
{
	LONG(8000);
	ASSERT_LE(0, w_passive(self->lfd, "mss 1460"));
	quiet(8000000);
}

CASE(keepalive_default,
     "RFC 9293 3.8.4 (MUST-28, SHLD-12): the first one after two hours, without data")
{
	int fd = w_passive(self->lfd, "mss 1460");

	LONG(7200);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	w_mark();
	quiet(7199000);
	out_within(1000000, "A 0 ack 1");	/* the kernel's timers are an eighth late at most */
}

CASE(keepalive_ends, "RFC 9293 3.8.4 (MUST-24): switched off again")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	w_mark();
	out_at(1000, "A 0 ack 1");
	in("A 1 ack 1");
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 0));
	quiet(3000);
}

CASE(keepalive_outstanding, "RFC 9293 3.8.4 (MUST-26): none while data waits for its ACK")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct wseg s;
	int n = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	put(fd, 100);
	/* until a timeout is longer than this */
	for (; w_next(3500, &s); n++) {
		ASSERT_EQ(1, s.seq);
		ASSERT_EQ(100, s.len);
	}
	ASSERT_LE(4, n);
}

CASE(pmtu, "RFC 1191 6.4: fragmentation needed: smaller segments, at once")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
	in("A 1 ack 961");
	out("PA 961+500");
	in("A 1 ack 1461");
	put(fd, 2000);
	out("A 1461+960");
	out("A 2421+960");
}

CASE(pmtu_blind, "RFC 5927 7.2: one that quotes nothing in flight is ignored")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 600, 100000));
	quiet(50);
	in("A 1 ack 1461");
	put(fd, 1460);
	out("PA 1461+1460");
}

CASE(pmtu_tiny, "RFC 1191 3, RFC 5927: an MTU of 68 is not believed below min_pmtu")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 68, 1));
	out("A 1+512");		/* 552 - 40 */
}

CASE(urgent, "RFC 9293 3.8.5, RFC 6093: URG and the pointer behind the octet, as native")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(10, w_put(fd, 10, MSG_OOB));
	out("UPA 1+10 urg 10");
}

TEST_HARNESS_MAIN
