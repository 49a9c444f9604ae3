// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must not harm a connection: blind resets, SYNs and ACKs (RFC 5961), old timestamps
 * (RFC 7323), segments out of the window or without flags, headers that lie.
 */
#include "wire.h"

/* the connection is alive: data goes through */
#define ALIVE(fd)							\
	do {								\
		in("PA 1+10");						\
		ASSERT_TRUE(w_poll(fd, POLLIN, 1000));			\
		get(fd, 10);						\
	} while (0)

CASE(rst_in_window, "RFC 5961 3.2: challenge ACK, not the end")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("R 100");
	out("A 1 ack 1");
	ALIVE(fd);
}

CASE(rst_with_text, "RFC 5961 3.2: and what else is in that segment is not looked at")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("FPRA 11+10 ack 1");
	out("A 1 ack 1 no-sack");
	in("PA 1+10");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(rst_beyond_sack,
     "RFC 5961 3.2: the right edge of what was SACKed is RCV.NXT to who sent it, as native")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 101+100");
	out("A 1 ack 1 sack 101-201");
	in("PA 301+100");
	out("A 1 ack 1 sack 301-401 sack 101-201");
	in("R 201");
	out("A 1 ack 1");		/* an edge, but not the last */
	in("R 401");
	quiet(50);
	ASSERT_EQ(ECONNRESET, w_error(fd));
}

CASE(rst_outside, "RFC 9293 3.10.7.4 second, RFC 5961 3.2: dropped in silence")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("R 0");
	in("R 200000");
	in("RA 200000 ack 1");
	quiet(50);
	ALIVE(fd);
}

CASE(syn_in_window, "RFC 5961 4.2, RFC 9293 3.10.7.4 fourth: challenge ACK")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("S 100 mss 1460");
	out("A 1 ack 1");
	ALIVE(fd);
}

CASE(syn_outside, "RFC 5961 4.2: whatever its number")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("S 200000 mss 1460");
	out("A 1 ack 1");
	ALIVE(fd);
}

CASE(half_open, "RFC 9293 3.5.1 figure 10: a peer that has forgotten is told, and resets")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("S 100000 mss 1460");
	out("A 1 ack 1");
	in("R 1");		/* its answer to that ACK */
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNRESET, w_error(fd));
	w_peer(PEER_PORT);
	in("S 100000 mss 1460");	/* and its SYN again opens (RFC 5961 4.2) */
	out("SA 0 ack 100001");
}

CASE(challenge_limit, "RFC 5961 7: challenge ACKs of a connection are half a second apart")
{
	int fd = w_passive(self->lfd, "mss 1460"), i;

	ASSERT_LE(0, fd);
	in("R 100");
	out("A 1 ack 1");
	for (i = 0; i < 20; i++)
		in("R %d", 101 + i);
	quiet(w.sim ? 450 : 300);
	sleep_s(0.3);
	in("R 100");
	out("A 1 ack 1");
	ALIVE(fd);
}

CASE(ack_of_unsent, "RFC 9293 3.10.7.4 fifth, RFC 5961 5.2: ACK, data not taken")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 5000");
	if (!NATIVE("drops it in silence in ESTABLISHED, against the RFC")) {
		out("A 1 ack 1");
	}
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ALIVE(fd);
}

CASE(ack_too_old, "RFC 5961 5.2: older than all that was ever sent: ACK, data not taken")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11");
	in("PA 1+10 ack %u", 1U - 1000);
	out("A 11 ack 1");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	sleep_s(0.6);
	in("PA 1+10 ack %u", 1U - 70000);
	out("A 11 ack 1");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ALIVE(fd);
}

/* the peer's window was never above 1000, 5000 octets are acknowledged; the socket */
static int small_window(int lfd)
{
	int fd, i;

	if (!w_in("S 0 mss 1000 win 1000") || !w_out(-1, "SA 0 ack 1") ||
	    !w_in("A 1 ack 1 win 1000"))
		return -1;
	fd = w_accept(lfd);
	for (i = 0; i < 10; i++)
		if (fd < 0 || w_put(fd, 500, 0) != 500 || !w_out(-1, "PA %d+500", 1 + 500 * i) ||
		    !w_in("A 1 ack %d win 1000", 501 + 500 * i))
			return -1;
	return fd;
}

CASE(ack_age, "RFC 5961 5.2: an ACK may be as old as the largest window the peer had, no older")
{
	int fd = small_window(self->lfd);

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 4001 win 1000");	/* SND.UNA is 5001 */
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
	while (w_next(100, &(struct wseg){}))
		;
	in("PA 11+10 ack 4000 win 1000");
	out("A 5001 ack 11");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
}

CASE(fin_with_old_ack, "RFC 5961 5.2: nor does a FIN that such an ACK stands beside end anything")
{
	int fd = small_window(self->lfd);

	ASSERT_LE(0, fd);
	in("FA 1 ack 4000 win 1000");
	out("A 5001 ack 1");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
	in("FA 1 ack 4001 win 1000");
	out_within(200, "A 5001 ack 2");
	ASSERT_EQ(0, w_recv(fd, 10));
}

CASE(ack_old, "RFC 9293 3.10.7.4 fifth: an old ACK is ignored, its data taken")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 1000);
	out("PA 1+1000");
	in("A 1 ack 1001");
	in("PA 1+10 ack 501");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
}

CASE(paws, "RFC 7323 5.3 R1: an old timestamp: ACK, data not taken")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("PA 1+10 ts-5000");
	out("A 1 ack 1 ts");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ALIVE(fd);
}

CASE(paws_rst, "RFC 7323 5.2: a RST is not subject to it")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("R 1 ts-5000");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNRESET, w_error(fd));
}

CASE(ts_missing, "RFC 7323 3.2 allows dropping it; taken, as native")
{
	int fd = w_passive(self->lfd, "mss 1460 ts");

	ASSERT_LE(0, fd);
	in("PA 1+10 no-ts");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
}

CASE(ts_echo, "RFC 7323 4.3: the timestamp that comes back is the last in order")
{
	int fd = w_passive(self->lfd, "mss 1460 ts sackok");
	uint32_t first;

	ASSERT_LE(0, fd);
	in("PA 1+10");
	out("A 1 ack 11 echo");
	sleep_s(0.5);
	first = w.ts_sent;
	in("PA 21+10");		/* behind a hole: not to be echoed (4.3 (2)) */
	w.ts_sent = first;
	out("A 1 ack 11 echo");
	in("PA 11+10");		/* fills it: its own */
	out("A 1 ack 31 echo");
}

CASE(ts_echo_again, "RFC 7323 4.3 (2): the last segment again, as our ACK was lost")
{
	int fd = w_passive(self->lfd, "mss 1460 ts sackok");

	ASSERT_LE(0, fd);
	in("PA 1+10");
	out("A 1 ack 11 echo");
	sleep_s(1);
	in("PA 1+10");		/* its RTO: must not look like a round trip of a second */
	out("A 1 ack 11 echo sack 1-11");
	get(fd, 10);
}

CASE(ack_with_old_data, "RFC 9293 3.4: a retransmission's ACK still counts, as native")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10");
	out("A 1 ack 11");
	put(fd, 10);
	out("PA 1+10 ack 11");
	in("PA 1+10 ack 11");
	out("A 11 ack 11");
	quiet(1000);		/* nothing is sent again: it was acknowledged */
}

CASE(beyond_window, "RFC 9293 3.10.7.4 first: ACK, dropped")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 100000+10");
	out("A 1 ack 1");
	ALIVE(fd);
}

CASE(old_data, "RFC 9293 3.10.7.4 first: ACK, dropped")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ALIVE(fd);
	while (w_next(100, &(struct wseg){}))
		;
	in("PA %u+100", 1U - 1000);
	out("A 1 ack 11");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
}

CASE(no_ack, "RFC 9293 3.10.7.4 fifth: without ACK it is dropped")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("P 1+10");
	in("F 1");
	in("- 1+10");
	quiet(100);
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ALIVE(fd);
}

CASE(overlap, "RFC 9293 3.10.7.4 seventh: only what is new of it is taken")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+100");
	in("PA 51+100");
	in("PA 1+300");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	sleep_s(0.05);
	get(fd, 300);
}

CASE(lying_headers, "RFC 9293 3.1: too short, too long, wrong sum: dropped in silence")
{
	int fd = w_passive(self->lfd, "mss 1460");
	int i;

	ASSERT_LE(0, fd);
	for (i = 1; i < 20; i++)
		in("PA 1+10 cut %d", i);
	for (i = 1; i < 5; i++)
		in("PA 1+10 doff %d", i);
	in("A 1 doff 6");
	in("PA 1+10 doff 15");
	in("PA 1+10 badsum");
	in("R 1 badsum");
	quiet(100);
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ALIVE(fd);
}

CASE(lying_open, "RFC 9293 3.1: neither does a listener answer them")
{
	int i;

	for (i = 1; i < 20; i++)
		in("S 0 cut %d", i);
	in("S 0 doff 4");
	in("S 0 doff 15");
	in("S 0 badsum");
	quiet(100);
}

/* @text comes with the reserved bits of its header set */
static bool in_reserved(const char *text)
{
	struct wseg s;
	struct pkt p;

	if (!w_parse(&s, text))
		return false;
	w_build(&s, &p);
	p.b[32] |= 0x0f;
	*(uint16_t *)(p.b + 36) = 0;
	*(uint16_t *)(p.b + 36) = w_sum(&p);
	w_mark();
	return pkt_send(w.tun, &p);
}

CASE(reserved_bits, "RFC 9293 3.1: reserved bits are ignored, and 0 in what is sent")
{
	struct wseg s;
	struct pkt p;
	int fd;

	ASSERT_TRUE(in_reserved("S 0 mss 1460"));
	ASSERT_TRUE(pkt_next(w.tun, 1000, &p));
	ASSERT_TRUE(w_read(&p, &s));
	ASSERT_EQ(0x12, s.flags);
	ASSERT_EQ(0, p.b[32] & 0xf);
	ASSERT_TRUE(in_reserved("A 1 ack 1"));
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(in_reserved("PA 1+10 ack 1"));
	ASSERT_TRUE(pkt_next(w.tun, 1000, &p));
	ASSERT_TRUE(w_read(&p, &s));
	ASSERT_EQ(11, s.ack);
	ASSERT_EQ(0, p.b[32] & 0xf);
	get(fd, 10);
}

CASE(options_in_data, "RFC 9293 3.2: unknown and broken options of a data segment are skipped")
{
	static const char * const odd[] = { "fe04abcd", "0800", "05", "0502", "050a00", "13120102" };
	int fd = w_passive(self->lfd, "mss 1460");
	uint32_t at = 1;
	size_t i;

	ASSERT_LE(0, fd);
	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++, at += 10) {
		in("PA %u+10 opt %s", at, odd[i]);
		ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
		get(fd, 10);
	}
}

CASE(wild_sack, "RFC 2018 5: SACK blocks of what was never sent change nothing")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	in("A 1 ack 1 sack 5000-6000");
	in("A 1 ack 1 sack 60-40");
	in("A 1 ack 1 sack 4000000000-90");
	quiet(100);
	in("A 1 ack 101");
	quiet(1000);
}

CASE(icmp_later, "RFC 1122 4.2.3.9, RFC 5461: an established connection survives ICMP")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	ASSERT_TRUE(w_icmp(3, 1, 0, 1));
	ASSERT_TRUE(w_icmp(3, 3, 0, 1));
	ASSERT_TRUE(w_icmp(11, 0, 0, 1));
	ASSERT_TRUE(w_icmp(4, 0, 0, 1));	/* RFC 6633 */
	ASSERT_FALSE(w_poll(fd, POLLERR, 50));
	in("A 1 ack 101");
	ALIVE(fd);
}

TEST_HARNESS_MAIN
