// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP Fast Open at its edges (RFC 7413): options where none belong, what a SYN-ACK says when it
 * goes again, how much goes before the handshake's end, and what a client remembers of whom.
 */
#include "wire_fastopen.h"

/* ---- the server ---- */

CASE(option_without_syn, "RFC 7413 4.1.1: on a segment without SYN the option is ignored")
{
	int fd;

	ASSERT_TRUE(f_server(self->lfd, F_KEY, 5));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1 " FO_ASK);
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	in("PA 1+10 " FO_ASK);
	out("A 1 ack 11");
	no_option();
	in("PA 11+10 opt 220a%s", f_cookie_of(F_KEY));
	out("A 1 ack 21");
	no_option();
	get(fd, 20);
	ASSERT_FALSE(SYN_DATA(fd));
	COUNTED("CookieReqd", 0);
	COUNTED("Passive", 0);
}

CASE(synack_again_bare, "RFC 7413 4.2.2: a SYN-ACK that goes again leaves out the cookie it had")
{
	ASSERT_TRUE(f_server(self->lfd, F_KEY2 "," F_KEY, 5));
	in("S 0+10 mss 1460 opt 220a%s", f_cookie_of(F_KEY));
	out("SA 0 ack 11");
	cookie(f_cookie_of(F_KEY2));
	out_at(1000, "SA 0 ack 11");
	no_option();
}

CASE(initial_window, "RFC 7413 4.2.2, RFC 6928 2: before the handshake ends, an initial window and no more")
{
	int fd, i;

	ASSERT_TRUE(f_server(self->lfd, F_KEY, 5));
	in("S 0+10 mss 1000 opt 220a%s", f_cookie_of(F_KEY));
	out("SA 0 ack 11");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 20000);
	for (i = 0; i < 10; i++)
		out("A %d+1000 ack 11", 1 + i * 1000);
	quiet(300);
	in("A 11 ack 2001");
	out("A 10001+1000 ack 11");
}

/* ---- the client ---- */

CASE(mss_unknown, "RFC 7413 4.1.3: a server that told no MSS gets no more than the default of 536")
{
	int fd;

	learn("opt 220a" C8);
	fd = f_again();
	w.put = 0;
	if (NATIVE("takes its own MSS for the server's, against RFC 7413 4.1.3")) {
		sends(fd, 3000, 1420);
		return;
	}
	sends(fd, 3000, 496);
	out("S 0+496");
	ASSERT_TRUE(f_got(C8));
}

CASE(mss_changed, "RFC 7413 4.2.2: each SYN-ACK's MSS is that of the next SYN, with a cookie or without")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("SA 0 ack 11 mss 700");
	out("A 11 ack 1");
	fd = f_again();
	w.put = 0;
	sends(fd, 3000, 660);
	out("S 0+660");
	ASSERT_TRUE(f_got(C8));
}

CASE(other_address, "RFC 7413 4.1.3: a cookie belongs to both addresses: from another we ask anew")
{
	struct sockaddr_in from = {
		.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("10.0.0.3"),
	};
	int fd;

	ASSERT_EQ(0, w.native ? run("ip addr add 10.0.0.3/24 dev t0") :
				addr_add(&w.rtnl, "t0", "10.0.0.3", 24));
	learn(GIVES);
	fd = f_again();
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&from, sizeof(from)));
	sends(fd, 10, -EINPROGRESS);
	w.source = from.sin_addr.s_addr;
	out("S 0");
	ASSERT_EQ(0, w.fo_len);
	fd = f_again();
	w.source = inet_addr(HOST);
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	ASSERT_TRUE(f_got(C8));
}

CASE(plain, "RFC 7413 2: connect() alone opens as ever, a cookie or not")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	no_option();
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
	w.put = 0;
	put(fd, 10);
	out("PA 1+10 ack 1");
}

TEST_HARNESS_MAIN
