// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks on the way in (RFC 3168 5.3, 6.1.3, 6.1.5): which CE counts, and what becomes of it when
 * packets come in fragments.
 */
#include "wire_ecn.h"

CASE(delayed, "RFC 3168 6.1.3: an ACK for two segments tells of the one that was marked")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_QUICKACK, 0));
	in("PA 1+10 ecn 2");
	quiet(10);		/* put off */
	in("PA 11+10 ecn 3");
	out("AE 1 ack 21 ecn 0");
}

CASE(ect_1, "RFC 3168 5: ECT(1) is as good as ECT(0)")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 1");
	out("A 1 ack 11");
	ASSERT_TRUE(info_of(fd).tcpi_options & TCPI_OPT_ECN_SEEN);
}

CASE(old, "RFC 3168 6.1.5: CE on what was there before means nothing")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 2");
	out("A 1 ack 11");
	in("PA 11+10 ecn 2");
	out("A 1 ack 21");
	in("PA 11+10 ecn 3");
	out("A 1 ack 21");
	in("PA 1+10 ecn 3");
	out("A 1 ack 21");
	in("PA 21+10 ecn 2");
	out("A 1 ack 31");
}

CASE(beyond, "RFC 3168 6.1.5: nor on what lies beyond the window")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 200000+10 ecn 3");
	out("A 1 ack 1");
	in("PA 1+10 ecn 2");
	out("A 1 ack 11");
}

/* a connection with ECN whose reader has let the window close; *@at is what is expected next */
static int closed(int lfd, uint32_t *at)
{
	struct wseg s = { .win = 1 };
	int fd, n;

	if (w_set(lfd, SOL_SOCKET, SO_RCVBUF, 4096))
		return -1;
	fd = open_ecn(lfd, "mss 1460");
	for (*at = 1, n = 0; fd >= 0 && s.win && n < 100; n++) {
		if (!w_in("PA %u+500 ecn 2", *at) || !w_next(300, &s))
			return -1;
		*at = s.ack;
	}
	return s.win ? -1 : fd;
}

CASE(probe, "RFC 3168 6.1.6 (SHOULD): CE on the octet that probes a closed window is answered")
{
	uint32_t at;
	int fd = closed(self->lfd, &at);

	ASSERT_LE(0, fd);
	in("A %u+1 ecn 3", at + 1);	/* not the exact number */
	out("A 1 ack %u win 0", at);
	in("A %u+1 ecn 3", at);
	if (NATIVE("takes it for data outside of the window (6.1.5)")) {
		out("A 1 ack %u win 0", at);
		return;
	}
	out("AE 1 ack %u win 0", at);
	in("AC %u+1 ecn 2", at);
	out("A 1 ack %u win 0", at);
}

/* a segment, cut in two fragments, with these ECN fields */
static bool pieces(const char *text, int first, int second)
{
	static struct pkt p, f;
	struct wseg s;

	if (!w_parse(&s, text))
		return false;
	w_build(&s, &p);
	w_mark();
	memcpy(f.b, p.b, 20 + 40);
	f.len = 20 + 40;
	f.ip.tot_len = htons(f.len);
	f.ip.frag_off = htons(IP_MF);
	f.ip.tos = first;
	ip_sum(&f);
	if (!pkt_send(w.tun, &f))
		return false;
	memcpy(f.b + 20, p.b + 20 + 40, p.len - 20 - 40);
	f.len = p.len - 40;
	f.ip.tot_len = htons(f.len);
	f.ip.frag_off = htons(40 / 8);
	f.ip.tos = second;
	ip_sum(&f);
	return pkt_send(w.tun, &f);
}

CASE(fragment_ce, "RFC 3168 5.3: CE on one fragment is CE on the whole")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(pieces("PA 1+100 ack 1", 2, 3));
	out("AE 1 ack 101");
	in("PAC 101+10 ecn 2");
	out("A 1 ack 111");
	ASSERT_TRUE(pieces("PA 111+100 ack 1", 3, 1));
	out("AE 1 ack 211");
}

CASE(fragment_not_ect, "RFC 3168 5.3: but not beside one without ECT: then it is dropped")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(pieces("PA 1+100 ack 1", 0, 3));
	quiet(100);
	ASSERT_TRUE(pieces("PA 1+100 ack 1", 3, 0));
	quiet(100);
	ASSERT_EQ(-EAGAIN, w_recv(fd, 100));
	in("PA 1+100 ecn 2");
	out("A 1 ack 101");
}

CASE(fragments_alike, "RFC 3168 5.3: the same on all is the same on the whole")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(pieces("PA 1+100 ack 1", 0, 0));
	out("A 1 ack 101");
	ASSERT_FALSE(info_of(fd).tcpi_options & TCPI_OPT_ECN_SEEN);
	ASSERT_TRUE(pieces("PA 101+100 ack 1", 2, 2));
	out("A 1 ack 201");
	ASSERT_TRUE(info_of(fd).tcpi_options & TCPI_OPT_ECN_SEEN);
	ASSERT_TRUE(pieces("PA 201+100 ack 1", 3, 3));
	out("AE 1 ack 301");
}

TEST_HARNESS_MAIN
