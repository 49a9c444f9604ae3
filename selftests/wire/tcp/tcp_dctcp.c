// SPDX-License-Identifier: GPL-2.0-only
/*
 * DCTCP (RFC 8257) on the wire: ECT on everything, each CE echoed for itself, a window that
 * shrinks by the share of marks.
 */
#include "wire.h"

/* let a socket have DCTCP; false: there is none */
static bool dctcp(int fd)
{
	return w_load_dctcp() && !setsockopt(fd, SOL_TCP, TCP_CONGESTION, "dctcp", 5);
}

/* the peer opens; the accepted socket, which has the listener's DCTCP */
static int open_dctcp(int lfd, const char *opts)
{
	if (!dctcp(lfd) || !w_in("SEC 0 %s", opts) || !w_out(-1, "SAE 0 ack 1 ecn 2") ||
	    !w_in("A 1 ack 1"))
		return -1;
	return w_accept(lfd);
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info;
}

CASE(asks, "RFC 8257 3, RFC 3168 6.1.1: a connection with DCTCP asks for ECN")
{
	int fd = w_socket();

	ASSERT_TRUE(dctcp(fd));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0 ecn 2");
	in("SAE 0 ack 1 mss 1000");
	out("A 1 ack 1 ecn 2");
	put(fd, 10);
	out("PA 1+10 ecn 2");
}

CASE(not_for_all, "RFC 8257 1, 5: who may not administer the network may not choose it")
{
	int fd = w_socket();

	ASSERT_TRUE(dctcp(fd));
	fd = w_socket();
	ASSERT_EQ(0, seteuid(65534));
	ASSERT_EQ(-1, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "dctcp", 5));
	ASSERT_EQ(EPERM, errno);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "dctcp", 5));
}

CASE(refused, "RFC 8257 3: the peer knows no ECN: nothing is marked")
{
	int fd = w_socket();

	ASSERT_TRUE(dctcp(fd));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	in("SA 0 ack 1 mss 1000");
	out("A 1 ack 1 ecn 0");
	put(fd, 10);
	out("PA 1+10 ecn 0");
}

CASE(ect_on_all, "RFC 8257 3.6: ACKs, retransmissions and FIN are not dropped where CE is cheap")
{
	int fd = open_dctcp(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 2");
	out("A 1 ack 11 ecn 2");
	put(fd, 100);
	out("PA 1+100 ecn 2");
	out_within(1000, "PA 1+100 ecn 2");
	in("A 11 ack 101");
	shutdown(fd, SHUT_WR);
	out("FA 101 ecn 2");
}

CASE(ect_on_rst, "RFC 8257 3.6 (SHOULD): nor is a RST")
{
	int fd = open_dctcp(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 2");
	out("A 1 ack 11 ecn 2");
	close(fd);
	out("RA 1 ack 11 ecn 2");
}

CASE(echo, "RFC 8257 3.2: an ACK tells of its own segments alone, and a change at once")
{
	int fd = open_dctcp(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_QUICKACK, 0));
	in("PA 1+10 ecn 2");
	quiet(10);			/* put off */
	in("PA 11+10 ecn 3");
	out("A 1 ack 11 ecn 2");	/* the one put off, without ECE */
	out("AE 1 ack 21 ecn 2");
	in("PA 21+10 ecn 3");
	out_within(300, "AE 1 ack 31 ecn 2");
	in("PA 31+10 ecn 2");		/* nothing is put off now */
	out("A 1 ack 41 ecn 2");
	in("PA 41+10 ecn 2");
	out_within(300, "A 1 ack 51");
}

CASE(echo_cwr, "RFC 8257 3.2: CWR on a marked segment does not end its own ECE")
{
	int fd = open_dctcp(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 3");
	out("AE 1 ack 11");
	in("PAC 11+10 ecn 3");
	out("AE 1 ack 21");
	in("PAC 21+10 ecn 2");
	out("A 1 ack 31");
}

CASE(ce_on_control, "RFC 8257 3.6: CE on SYN, SYN-ACK and RST is ignored")
{
	int fd = w_socket();

	ASSERT_TRUE(dctcp(fd));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	in("SAE 0 ack 1 mss 1000 ecn 3");
	out("A 1 ack 1");
	in("R 100 ecn 3");
	out("A 1 ack 1");
	in("PA 1+10 ecn 2");
	out("A 1 ack 11");
	ASSERT_TRUE(dctcp(self->lfd));
	w_peer(PEER_PORT + 1);
	w.port = PORT;
	in("SEC 0 mss 1460 ecn 3");
	out("SAE 0 ack 1 ecn 2");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
	in("PA 1+10 ecn 2");
	out("A 1 ack 11");
}

CASE(reduction, "RFC 8257 3.3, 4.2: alpha is 1 at first, so half the window; CWR is told")
{
	int fd = open_dctcp(self->lfd, "mss 1000 sackok"), i;
	struct wseg s;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_no_tail_probe());
	put(fd, 30000);
	for (i = 0; i < 10; i++)
		out("A %u+1000 ecn 2", 1 + i * 1000);
	in("AE 1 ack 2001");
	ASSERT_EQ(5, info_of(fd).tcpi_snd_ssthresh);
	ASSERT_EQ(2, info_of(fd).tcpi_ca_state);
	in("AE 1 ack 4001");
	ASSERT_EQ(5, info_of(fd).tcpi_snd_ssthresh);	/* once per window of data */
	in("A 1 ack 10001");
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(0x90, s.flags & ~8);
}

CASE(timeout, "RFC 8257 3.5: one segment after a timeout, though ECE had its reduction already")
{
	int fd = open_dctcp(self->lfd, "mss 1000 sackok"), i;
	struct wseg s;

	ASSERT_LE(0, fd);
	put(fd, 30000);
	for (i = 0; i < 10; i++)
		out("A %u+1000 ecn 2", 1 + i * 1000);
	in("AE 1 ack 2001");
	ASSERT_EQ(5, info_of(fd).tcpi_snd_ssthresh);
	while (w_next(1000, &s) && s.seq != 2001)
		;
	ASSERT_EQ(2001, s.seq);
	ASSERT_EQ(4, info_of(fd).tcpi_ca_state);	/* TCP_CA_Loss */
	ASSERT_EQ(1, info_of(fd).tcpi_snd_cwnd);
}

CASE(cookie, "RFC 3168 6.1.1: a SYN-ACK that does not agree on ECN has no ECT")
{
	ASSERT_TRUE(dctcp(self->lfd));
	ASSERT_TRUE(w_sysctl("tcp_syncookies", "2"));
	in("SEC 0 mss 1460");
	if (NATIVE("sends all from such a listener with ECT"))
		return;
	out("SA 0 ack 1 ecn 0");
}

CASE(fallback, "RFC 3168 6.1.1.1: a SYN that asks no more has no ECT")
{
	int fd = w_socket();

	ASSERT_TRUE(dctcp(fd));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0 ecn 2");
	if (NATIVE("leaves ECT on it"))
		return;
	out_at(1000, "S 0 ecn 0");
}

TEST_HARNESS_MAIN
