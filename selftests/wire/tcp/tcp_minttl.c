// SPDX-License-Identifier: GPL-2.0-only
/*
 * IP_MINTTL, the generalized TTL security mechanism (RFC 5082): whoever is not on the link
 * cannot send with a TTL of 255 left, so what came with less is not from the neighbour that a
 * connection is with.
 */
#include "wire.h"

static int min_ttl(int fd, int ttl)
{
	return w_set(fd, SOL_IP, IP_MINTTL, ttl);
}

CASE(segment, "RFC 5082 3: what comes with less is dropped, the rest of the connection lives")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, min_ttl(fd, 255));
	in("PA 1+10 ttl 254");
	quiet(300);
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ASSERT_EQ(1, w_counted("TCPMinTTLDrop"));
	in("PA 1+10 ttl 255");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
	ASSERT_EQ(1, w_counted("TCPMinTTLDrop"));
}

CASE(reset, "RFC 5082 3, 2.2: nor is a reset from afar believed, or asked about (RFC 5961 3.2)")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, min_ttl(fd, 100));
	in("R 1 ttl 99");
	in("R 100 ttl 99");
	in("S 100 mss 1460 ttl 99");
	quiet(50);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
	ASSERT_EQ(3, w_counted("TCPMinTTLDrop"));
	in("R 1 ttl 100");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNRESET, w_error(fd));
}

CASE(held, "RFC 5082 3: also of what waits until the program lets go of the socket")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, min_ttl(fd, 255));
	in("FA 1 ttl 1");
	in("PA 1+10 ttl 1");
	in("PA 1+10 ttl 255");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	ASSERT_EQ(2, w_counted("TCPMinTTLDrop"));
}

CASE(listener, "RFC 5082 3: an opening from afar is not answered; what is accepted keeps the bound")
{
	int fd;

	ASSERT_EQ(0, min_ttl(self->lfd, 255));
	in("S 0 mss 1460 ttl 254");
	quiet(300);
	ASSERT_EQ(1, w_counted("TCPMinTTLDrop"));
	in("S 0 mss 1460 ttl 255");
	out("SA 0 ack 1");
	in("A 1 ack 1 ttl 255");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	in("R 1 ttl 254");
	ASSERT_EQ(0, min_ttl(self->lfd, 0));
	in("PA 1+10 ttl 254");
	ASSERT_FALSE(w_poll(fd, POLLIN, 50));
	in("PA 1+10 ttl 255");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
	ASSERT_EQ(3, w_counted("TCPMinTTLDrop"));
}

CASE(request, "RFC 5082 3: nor is a connection opened, or an opening ended, from afar")
{
	ASSERT_EQ(0, min_ttl(self->lfd, 255));
	in("S 0 mss 1460 ttl 255");
	out("SA 0 ack 1");
	in("R 1 ttl 254");
	if (NATIVE("does not look at the TTL of what is for a half-open request")) {
		in("A 1 ack 1 ttl 255");
		out("R 1");
		return;
	}
	/* what is quoted has 60 */
	ASSERT_TRUE(w_icmp(3, 1, 0, 0));
	in("A 1 ack 1 ttl 254");
	ASSERT_FALSE(w_poll(self->lfd, POLLIN, 50));
	ASSERT_EQ(3, w_counted("TCPMinTTLDrop"));
	in("A 1 ack 1 ttl 255");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(opening, "RFC 5082 3: the answer to a SYN counts, too")
{
	int fd = w_socket();

	ASSERT_EQ(0, min_ttl(fd, 2));
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("RA 0 ack 1 ttl 1");
	in("SA 0 ack 1 mss 1460 ttl 1");
	quiet(50);
	ASSERT_EQ(TCP_SYN_SENT, w_state(fd));
	in("SA 0 ack 1 mss 1460 ttl 2");
	out("A 1 ack 1");
	ASSERT_EQ(2, w_counted("TCPMinTTLDrop"));
}

CASE(time_wait, "RFC 5082 3: a SYN that would take TIME-WAIT's place is the listener's to refuse")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	out("FA 1 ack 1");
	in("FA 1 ack 2");
	out("A 2 ack 2");
	ASSERT_EQ(0, min_ttl(self->lfd, 255));
	in("S 100000 mss 1460 ttl 254");
	quiet(50);
	ASSERT_EQ(1, w_counted("TCPMinTTLDrop"));
}

/* w_icmp() quotes a segment that had a TTL of 60 left when the router gave it up */
CASE(error, "RFC 5082 3, ip(7) IP_MINTTL: an ICMP error counts by the TTL of what it quotes")
{
	int fd = w_socket();

	ASSERT_EQ(0, min_ttl(fd, 61));
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_TRUE(w_icmp(3, 3, 0, 0));
	ASSERT_FALSE(w_poll(fd, POLLERR, 50));
	ASSERT_EQ(1, w_counted("TCPMinTTLDrop"));
	ASSERT_EQ(0, min_ttl(fd, 60));
	ASSERT_TRUE(w_icmp(3, 3, 0, 0));
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNREFUSED, w_error(fd));
}

CASE(error_mtu, "RFC 5082 3, RFC 1191 8: nor does a forged one lower the path MTU")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, min_ttl(fd, 61));
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 600, 1));
	quiet(50);
	ASSERT_EQ(1, w_counted("TCPMinTTLDrop"));
	ASSERT_EQ(0, min_ttl(fd, 0));
	ASSERT_TRUE(w_icmp(3, 4, 600, 1));
	out("A 1+560");
}

TEST_HARNESS_MAIN
