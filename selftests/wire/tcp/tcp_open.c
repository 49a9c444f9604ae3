// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening on the wire: the handshake both ways round, options good and bad, what answers
 * the impossible in LISTEN, SYN-SENT and SYN-RECEIVED, and how opening fails.
 */
#include "wire.h"

CASE(passive, "RFC 9293 3.5 figure 6")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 1460 no-ws no-sackok no-ts");
	ASSERT_FALSE(w_poll(self->lfd, POLLIN, 20));
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
	quiet(100);
}

CASE(passive_options, "RFC 7323 2.2 3.2, RFC 2018 2: answered if offered")
{
	w.ts = true;
	in("S 0 mss 1400 sackok ws 7");
	out("SA 0 ack 1 mss 1460 sackok ws 255 echo");
}

CASE(active, "RFC 9293 3.5 figure 6, 3.7.1 (MUST-14)")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0 mss 1460 sackok ts ws 255");
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1 no-ts no-sack");
	ASSERT_TRUE(w_poll(fd, POLLOUT, 100));
	ASSERT_EQ(0, w_error(fd));
}

CASE(no_mss, "RFC 9293 3.7.1 (MUST-15): 536 without the option")
{
	int fd = w_passive(self->lfd, "");

	ASSERT_LE(0, fd);
	put(fd, 1000);
	out("A 1+536 ack 1");
	out("PA 537+464 ack 1");
}

CASE(tiny_mss, "RFC 9293 3.7.1: an absurd MSS does not make absurd segments")
{
	int fd = w_passive(self->lfd, "mss 1");

	ASSERT_LE(0, fd);
	put(fd, 96);
	out("A 1+48");
	out("PA 49+48");
}

CASE(bad_options, "RFC 9293 3.1 (MUST-7), 3.2: malformed options are skipped")
{
	static const char * const bad[] = {
		"020300",		/* MSS of the wrong length: as without */
		"0800",			/* length 0: the rest cannot be read */
		"0801",			/* length 1 */
		"080a0000",		/* longer than the header */
		"fe06123456",		/* an unknown one, cut by the end */
		"01010101010101",	/* nothing but padding */
		"0304070102",		/* window scale of the wrong length */
		"02",			/* a kind without length */
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		w_peer(PEER_PORT + i);
		in("S 0 opt %s", bad[i]);
		out("SA 0 ack 1 mss 1460 no-ws no-sackok no-ts");
	}
}

CASE(wscale_limit, "RFC 7323 2.3: a shift above 14 counts as 14")
{
	int fd;

	in("S 0 mss 1460 ws 15");
	out("SA 0 ack 1 mss 1460 ws 255");
	in("A 1 ack 1 win 1");	/* 16 KB by a shift of 14, 32 KB by 15 */
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_LT(20000, w_put(fd, 40000, 0));
	while (w_next(100, &(struct wseg){}))
		;
	in("A 1 ack 14601 win 1");
	while (w_next(100, &(struct wseg){}))
		;
	ASSERT_LT(14601 + 8192, w.seen);
	ASSERT_GE(14601 + 16384, w.seen);
}

/* each timeout of a SYN doubles the next; native 6.1 knows no others */
static void all_double(void)
{
	w_sysctl("tcp_syn_linear_timeouts", "0");
}

CASE(syn_again, "RFC 9293 3.8.1 (MUST-18), RFC 6298 5, tcp_syn_linear_timeouts 0")
{
	int fd = w_socket();

	LONG(7);
	all_double();
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	out_at(1000, "S 0");
	out_at(2000, "S 0");
	out_at(4000, "S 0");
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
}

CASE(syn_linear, "RFC 6298 5.5, tcp_syn_linear_timeouts: the first four do not double")
{
	int fd = w_socket(), i;

	LONG(9);
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	for (i = 0; i < 5; i++)
		out_at(1000, "S 0");
	out_at(2000, "S 0");
	out_at(4000, "S 0");
}

CASE(syn_unanswered, "RFC 9293 3.8.3 (MUST-22): R2 of a SYN, then ETIMEDOUT")
{
	int fd = w_socket();

	LONG(8);
	all_double();
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_SYNCNT, 2));
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	out_at(1000, "S 0");
	out_at(2000, "S 0");
	ASSERT_TRUE(w_poll(fd, POLLERR, 10000));
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	quiet(10000);
}

CASE(syn_linear_unanswered, "RFC 9293 3.8.3, tcp_syn_linear_timeouts: TCP_SYNCNT counts those behind them")
{
	int fd = w_socket(), i;

	LONG(8);
	ASSERT_TRUE(w_sysctl("tcp_syn_linear_timeouts", "2"));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_SYNCNT, 2));
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	for (i = 0; i < 3; i++)
		out_at(1000, "S 0");
	out_at(2000, "S 0");
	ASSERT_FALSE(w_poll(fd, POLLERR, 3900));
	ASSERT_TRUE(w_poll(fd, POLLERR, 700));
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	quiet(10000);
}

CASE(syn_linear_in_time, "RFC 9293 3.8.3, tcp_syn_linear_timeouts: but not beyond the time of those alone")
{
	int fd = w_socket();

	LONG(8);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_SYNCNT, 1));
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	out_at(1000, "S 0");
	out_at(1000, "S 0");
	ASSERT_FALSE(w_poll(fd, POLLERR, 900));
	ASSERT_TRUE(w_poll(fd, POLLERR, 300));
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	quiet(10000);
}

CASE(syn_three_minutes,
     "RFC 9293 3.8.3 (MUST-23): R2 of a SYN may be three minutes: tcp_syn_retries 7")
{
	int fd = w_socket();
	double began = now_s();

	LONG(300);
	ASSERT_TRUE(w_sysctl("tcp_syn_retries", "7"));
	ASSERT_TRUE(w_connect(fd));
	ASSERT_TRUE(w_poll(fd, POLLERR, 1000000));
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	ASSERT_LT(180, now_s() - began);
}

CASE(syn_refused, "RFC 9293 3.10.7.3 second")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("R 0");		/* no ACK: not about our SYN */
	in("RA 0 ack 7");	/* not its ACK either */
	if (NATIVE("sends its SYN again at once: another segment RFC 9293 does not ask for"))
		w_next(50, &(struct wseg){});
	quiet(50);
	ASSERT_EQ(0, w_error(fd));
	in("RA 0 ack 1");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNREFUSED, w_error(fd));
}

CASE(syn_sent_bad_ack, "RFC 9293 3.10.7.3 first: RST, and go on waiting")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("SA 0 ack 9");
	out("R 9");
	in("A 0 ack 0");
	out("R 0");
	in("SA 0 ack 1");
	out("A 1 ack 1");
}

CASE(syn_sent_no_syn, "RFC 9293 3.10.7.3 fifth: neither SYN nor RST is dropped")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("A 0 ack 1");
	in("F 0");
	in("PA 5+100 ack 1");
	quiet(50);
	in("SA 0 ack 1");
	out("A 1 ack 1");
}

CASE(simultaneous_open, "RFC 9293 3.5 figure 7 (MUST-10)")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("SA 0 ack 1 mss 1460");
	ASSERT_TRUE(w_poll(fd, POLLOUT, 100));
	ASSERT_EQ(0, w_error(fd));
	while (w_next(50, &(struct wseg){}))
		;		/* an ACK of the second SYN is allowed */
	put(fd, 10);
	out("PA 1+10 ack 1");
	in("PA 1+10 ack 11");
	ASSERT_TRUE(w_poll(fd, POLLIN, 100));
	get(fd, 10);
}

CASE(simultaneous_closed,
     "RFC 9293 3.5, 3.10.4: closed in SYN-RECEIVED of an active open: SYN and FIN were lost, both come")
{
	struct wseg seg = {};
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	close(fd);
	if (!NATIVE("keeps the FIN until the SYN is acknowledged"))
		out("FA 1 ack 1");
	/* (a tail loss probe of the FIN may come before) */
	do {
		ASSERT_TRUE(w_next(5000, &seg));
	} while (!(seg.flags & TH_SYN));
	ASSERT_EQ(0, seg.seq);
	ASSERT_EQ(1, seg.ack);
	in("A 1 ack 1");
	out_within(5000, "FA 1 ack 1");
	in("A 1 ack 2");
	in("FA 1 ack 2");
	out("A 2 ack 2");
}

CASE(simultaneous_closed_window,
     "RFC 9293 3.5, 3.10.4: the same, and no window to send the FIN into: the SYN all the same")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("S 0 mss 1460 win 0");
	out("SA 0 ack 1");
	close(fd);
	out_within(3000, "SA 0 ack 1");
	in("A 1 ack 1");
	out("FA 1 ack 1");
	in("A 1 ack 2");
}

CASE(simultaneous_window, "RFC 7323 2.2 (MUST NOT): the window of a SYN-ACK that crosses is not scaled")
{
	int fd = w_socket();
	struct wseg seg;
	uint32_t end = 0;

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("S 0 mss 1000 ws 7 win 1000");
	out("SA 0 ack 1");
	in("SA 0 ack 1 mss 1000 ws 7 win 1000");
	ASSERT_TRUE(w_poll(fd, POLLOUT, 100));
	while (w_next(50, &(struct wseg){}))
		;
	put(fd, 5000);
	while (w_next(50, &seg))
		end = seg.seq + seg.len > end ? seg.seq + seg.len : end;
	ASSERT_EQ(NATIVE("scales it") ? 5001 : 1001, end);
}

CASE(half_open_peer,
     "RFC 9293 3.5.1 figure 9: an old connection's answer is reset; as native, the SYN follows at once")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("A 500 ack 77");
	out("R 77");
	out_within(100, "S 0");
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
	ASSERT_TRUE(w_poll(fd, POLLOUT, 100));
}

CASE(simultaneous_rst,
     "RFC 9293 3.5 (MUST-11), 3.10.7.4 second: SYN-RECEIVED of an active open: refused")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("R 1");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(NATIVE("does not know any more that it opened: ECONNRESET") ?
		  ECONNRESET : ECONNREFUSED, w_error(fd));
	quiet(2000);
}

CASE(listen_twice,
     "RFC 9293 3.9.1.1 (MUST-41), RFC 1122 4.2.2.18: a second passive open fails, the first stays")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	w_peer(PEER_PORT + 1);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	ASSERT_EQ(-1, w_listen(8));
	ASSERT_EQ(EADDRINUSE, errno);
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(listen_beside,
     "RFC 9293 3.9.1.1 (MUST-42), RFC 1122 4.2.2.18: LISTEN beside SYN-SENT and SYN-RECEIVED")
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(6000) };
	int fd = w_socket(), lfd = w_socket();
	struct wire first;

	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, w_set(lfd, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_EQ(0, bind(lfd, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_EQ(0, listen(lfd, 8));
	first = w;
	/* two that come in, half open at once */
	w_peer(PEER_PORT + 1);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	w_peer(PEER_PORT + 2);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(lfd));
	w = first;
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(listen_ack, "RFC 9293 3.10.7.2 second: an ACK to a listener gets RST")
{
	in("A 1 ack 1");
	out("R 1");
	in("SA 1 ack 77");
	out("R 77");
}

CASE(listen_nonsense, "RFC 9293 3.10.7.2 first, fourth: RST, SYN-FIN, nothing: dropped")
{
	in("R 0");
	in("RA 0 ack 5");
	in("SF 0");
	in("- 0");
	in("F 0+10");
	in("U 0");
	quiet(100);
}

CASE(closed_port, "RFC 9293 3.10.7.1")
{
	w.port = PORT + 1;
	in("S 0 mss 1460");
	out("RA 0 ack 1");
	in("A 5 ack 7");
	out("R 7");
	in("F 3+10");
	out("RA 0 ack 14");
	in("R 0");
	in("RA 0 ack 1");
	quiet(50);
}

CASE(synack_again, "RFC 6298 5, RFC 9293 3.8.1: SYN-ACK after 1 s, 2 s")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	out_at(1000, "SA 0 ack 1");
	out_at(2000, "SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
	quiet(500);
}

CASE(syn_copy, "RFC 9293 3.10.7.4: a SYN again is answered again")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(syn_received_rst, "RFC 9293 3.10.7.4 second: back to LISTEN")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("R 1");
	quiet(50);
	in("A 1 ack 1");
	out("R 1");
}

CASE(syn_received_blind_rst, "RFC 5961 3.2: only the exact number resets")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("R 100");
	w_next(50, &(struct wseg){});	/* a challenge is allowed */
	in("R 100000");
	w_next(50, &(struct wseg){});
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(syn_received_bad_ack, "RFC 9293 3.10.7.4 fifth: RST, the request stays")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 100");
	out("R 100");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(data_with_handshake, "RFC 9293 3.10.7.4: data on the handshake's ACK is taken")
{
	int fd;

	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("PA 1+100 ack 1");
	out("A 1 ack 101");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	get(fd, 100);
}

CASE(fin_with_handshake, "RFC 9293 3.10.7.4: so is a FIN behind it")
{
	int fd;

	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("FPA 1+100 ack 1");
	out_within(200, "A 1 ack 102");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	get(fd, 100);
	get(fd, 0);
}

CASE(backlog_full, "RFC 9293 3.10.1: no more than the backlog and one wait for accept()")
{
	ASSERT_EQ(0, listen(self->lfd, 0));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	w_peer(PEER_PORT + 1);
	in("S 0 mss 1460");
	quiet(200);
	ASSERT_LE(0, w_accept(self->lfd));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
}

CASE(unreachable, "RFC 1122 4.2.3.9, RFC 5461 4: a soft error ends an opening")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_TRUE(w_icmp(3, 1, 0, 100));	/* RFC 5927 4.1: quotes what was never sent */
	ASSERT_FALSE(w_poll(fd, POLLERR, 50));
	ASSERT_TRUE(w_icmp(3, 1, 0, 0));
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(EHOSTUNREACH, w_error(fd));
}

CASE(port_unreachable, "RFC 1122 4.2.3.9: a hard error, too")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_TRUE(w_icmp(3, 3, 0, 0));
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNREFUSED, w_error(fd));
}

CASE(no_neighbour, "RFC 1122 2.3.2.2, 4.2.3.9: nobody answers ARP")
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = inet_addr("10.1.0.9"),
	};
	int fd = w_socket();

	ASSERT_EQ(0, run("ip link add va type veth peer name vb && ip link set va up && "
			 "ip link set vb up"));
	ASSERT_EQ(0, w.native ? run("ip addr add 10.1.0.2/24 dev va") :
				addr_add(&w.rtnl, "va", "10.1.0.2", 24));
	ASSERT_EQ(-1, connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_EQ(EINPROGRESS, errno);
	ASSERT_TRUE(w_poll(fd, POLLERR, 6000));
	ASSERT_EQ(EHOSTUNREACH, w_error(fd));
}

TEST_HARNESS_MAIN
