// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explicit congestion notification (RFC 3168): who agrees on it, what is marked with ECT, what
 * CE, ECE and CWR do.
 */
#include "wire_ecn.h"

/* ---- 6.1.1: setup ---- */

CASE(passive, "RFC 3168 6.1.1, ip-sysctl.rst tcp_ecn 2: agreed when asked")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(info_of(fd).tcpi_options & TCPI_OPT_ECN);
	ASSERT_FALSE(info_of(fd).tcpi_options & TCPI_OPT_ECN_SEEN);
	in("PA 1+10 ecn 2");
	out("A 1 ack 11 ecn 0");
	ASSERT_TRUE(info_of(fd).tcpi_options & TCPI_OPT_ECN_SEEN);
}

CASE(passive_off, "RFC 3168 6.1.1, tcp_ecn 0: never")
{
	ASSERT_TRUE(w_sysctl("tcp_ecn", "0"));
	in("SEC 0 mss 1460");
	out("SA 0 ack 1");
}

CASE(passive_not_asked, "RFC 3168 6.1.1: it takes both flags to ask")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	w_peer(PEER_PORT + 1);
	in("SE 0 mss 1460");
	out("SA 0 ack 1");
	w_peer(PEER_PORT + 2);
	in("SC 0 mss 1460");
	out("SA 0 ack 1");
}

CASE(passive_ect_syn, "RFC 3168 6.1.1: a SYN has no ECT; one that has is not believed")
{
	in("SEC 0 mss 1460 ecn 2");
	out("SA 0 ack 1");
	w_peer(PEER_PORT + 1);
	in("SEC 0 mss 1460 ecn 3");
	out("SA 0 ack 1");
}

CASE(synack_again, "RFC 3168 6.1.1: the answer stays the same")
{
	in("SEC 0 mss 1460");
	out("SAE 0 ack 1 ecn 0");
	out_at(1000, "SAE 0 ack 1 ecn 0");
}

CASE(cookie, "RFC 4987 3.6: a SYN cookie has no room for it, but for timestamps (tcp_cookie.ecn)")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_syncookies", "2"));
	in("SEC 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10 ecn 0");
}

CASE(active_default, "RFC 3168 6.1.1, tcp_ecn 2: not asked for")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0 ecn 0");
	in("SAE 0 ack 1 mss 1000");
	out("A 1 ack 1");
	put(fd, 10);
	out("PA 1+10 ecn 0");
}

CASE(active, "RFC 3168 6.1.1: SYN with ECE and CWR, SYN-ACK with ECE")
{
	int fd = ask_ecn("SAE");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(info_of(fd).tcpi_options & TCPI_OPT_ECN);
	put(fd, 10);
	out("PA 1+10 ecn 2");
}

CASE(active_refused, "RFC 3168 6.1.1: SYN-ACK without ECE")
{
	int fd = ask_ecn("SA");

	ASSERT_LE(0, fd);
	ASSERT_FALSE(info_of(fd).tcpi_options & TCPI_OPT_ECN);
	put(fd, 10);
	out("PA 1+10 ecn 0");
	in("AE 1 ack 11");
	put(fd, 10);
	out("PA 11+10 ecn 0");
}

CASE(active_reflected, "RFC 3168 6.1.1: SYN-ACK with both flags is a reflection")
{
	int fd = ask_ecn("SAEC");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10 ecn 0");
}

CASE(active_cwr_alone, "RFC 3168 6.1.1: and one with CWR alone means nothing")
{
	int fd = ask_ecn("SAC");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10 ecn 0");
}

CASE(fallback, "RFC 3168 6.1.1.1: a SYN sent again does not ask")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_ecn", "1"));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	out_at(1000, "S 0");
}

CASE(fallback_answered, "RFC 3168 6.1.1.1: and what it is answered with is without ECN")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_ecn", "1"));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	out_at(1000, "S 0");
	in("SA 0 ack 1 mss 1000");
	out("A 1 ack 1");
	in("PA 1+10 ecn 3");
	out("A 1 ack 11");
	put(fd, 10);
	out("PA 1+10 ecn 0");
}

CASE(fallback_late, "RFC 3168 6.1.1: the first SYN's answer comes after all: CE is told, as promised")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_ecn", "1"));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	out_at(1000, "S 0");
	in("SAE 0 ack 1 mss 1000");
	out("A 1 ack 1");
	in("PA 1+10 ecn 3");
	out("AE 1 ack 11 ecn 0");
}

CASE(no_fallback, "RFC 3168 6.1.1.1, tcp_ecn_fallback 0: it does")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_ecn", "1"));
	ASSERT_TRUE(w_sysctl("tcp_ecn_fallback", "0"));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	out_at(1000, "SEC 0");
}

CASE(simultaneous, "RFC 3168 6.1.1, RFC 9293 3.5: both ask, both answer with ECE")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_ecn", "1"));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	in("SEC 0 mss 1000");
	out("SAE 0 ack 1 ecn 0");
	in("SAE 0 ack 1 mss 1000");
	ASSERT_TRUE(w_poll(fd, POLLOUT, 1000));
	ASSERT_TRUE(info_of(fd).tcpi_options & TCPI_OPT_ECN);
}

CASE(simultaneous_bare, "RFC 3168 6.1.1: a SYN that does not ask gets no ECE, though ours did")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_ecn", "1"));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	in("S 0 mss 1000");
	out("SA 0 ack 1 ecn 0");
	in("SA 0 ack 1 mss 1000");
	ASSERT_TRUE(w_poll(fd, POLLOUT, 1000));
	while (w_next(50, &(struct wseg){}))
		;		/* an ACK of the second SYN is allowed */
	put(fd, 10);
	out("PA 1+10 ecn 0");
}

/* the accepted @fd is closed, and so is the peer's side: TIME-WAIT */
static bool to_time_wait(int fd)
{
	return fd >= 0 && !shutdown(fd, SHUT_WR) && w_out(-1, "FA 1 ack 1") &&
	       w_in("FA 1 ack 2") && w_out(-1, "A 2 ack 2") && !close(fd);
}

/* of who opens after such a TIME-WAIT: 65535 + 2 beyond what was sent */
static uint32_t next_isn(void)
{
	if (!NATIVE_BEFORE(610, "forgets it on the way to the listener"))
		return 2 + 65537;
	w.isn_known = false;
	w.isn = 0;
	return 0;
}

CASE(time_wait, "RFC 3168 6.1.1: TIME-WAIT knows nothing of what was agreed on")
{
	uint32_t isn;

	ASSERT_TRUE(to_time_wait(open_ecn(self->lfd, "mss 1460")));
	isn = next_isn();
	in("S 1000 mss 1460");
	out("SA %u ack 1001", isn);
	w_peer(PEER_PORT + 1);
	ASSERT_TRUE(to_time_wait(w_passive(self->lfd, "mss 1460")));
	isn = next_isn();
	in("SEC 1000 mss 1460");
	out("SAE %u ack 1001", isn);
}

CASE(route, "RFC 3168 6.1.1, ip-route(8) features ecn: a route that asks for it")
{
	int fd = w_socket();

	if (w.native) {
		ASSERT_EQ(0, run("ip route add " ME "/32 dev t0 features ecn"));
	} else {
		struct { struct rtattr rta; uint32_t bits; } m = {
			{ 8, RTAX_FEATURES }, RTAX_FEATURE_ECN,
		};
		struct rtmsg rtm = {
			.rtm_family = TEST_FAMILY, .rtm_dst_len = 32, .rtm_table = RT_TABLE_MAIN,
			.rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_LINK,
			.rtm_type = RTN_UNICAST,
		};
		uint32_t oif = if_nametoindex("t0");
		struct rtnl_req q;

		rtnl_begin(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &rtm, sizeof(rtm));
		rtnl_attr_ip(&q, RTA_DST, ME);
		rtnl_attr(&q, RTA_OIF, &oif, sizeof(oif));
		rtnl_attr(&q, RTA_METRICS | NLA_F_NESTED, &m, sizeof(m));
		ASSERT_EQ(0, rtnl_talk(&w.rtnl, &q, NULL, NULL));
	}
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	/* and agrees, whatever the sysctl says */
	ASSERT_TRUE(w_sysctl("tcp_ecn", "0"));
	w_peer(PEER_PORT + 1);
	w.port = PORT;
	in("SEC 0 mss 1460");
	out("SAE 0 ack 1");
}

/* ---- what is marked ---- */

CASE(ect_on_data_alone, "RFC 3168 6.1.4, 6.1.5: not on ACKs, FIN and what is sent again")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 2");
	out("A 1 ack 11 ecn 0");
	put(fd, 100);
	out("PA 1+100 ecn 2");
	out_within(1000, "PA 1+100 ecn 0");
	in("A 11 ack 101");
	shutdown(fd, SHUT_WR);
	out("FA 101 ecn 0");
}

CASE(ect_fast_retransmit, "RFC 3168 6.1.5: nor on a fast retransmission")
{
	int fd = open_ecn(self->lfd, "mss 1000 sackok"), i;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_no_tail_probe());
	put(fd, 5000);
	for (i = 0; i < 5; i++)
		out("%s %u+1000 ecn 2", i < 4 ? "A" : "PA", 1 + i * 1000);
	in("A 1 ack 1 sack 1001-5001");
	out("A 1+1000 ecn 0");
	in("A 1 ack 5001");
	put(fd, 1000);
	out("PAC 5001+1000 ecn 2");	/* the reduction is told (6.1.2) */
	in("A 1 ack 6001");
	put(fd, 1000);
	out("PA 6001+1000 ecn 2");
}

CASE(cwr_after_timeout, "RFC 3168 6.1.2: a timeout is a reduction, too")
{
	int fd = open_ecn(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100 ecn 2");
	out_within(1000, "PA 1+100 ecn 0");
	in("A 1 ack 101");
	put(fd, 100);
	out("PAC 101+100 ecn 2");
	in("A 1 ack 201");
	put(fd, 100);
	out("PA 201+100 ecn 2");
}

CASE(probe, "RFC 3168 6.1.6: a window probe has neither ECT nor CWR")
{
	int fd = open_ecn(self->lfd, "mss 1000 sackok");

	ASSERT_LE(0, fd);
	put(fd, 1000);
	out("PA 1+1000 ecn 2");
	in("AE 1 ack 1001 win 0");
	put(fd, 100);
	out_within(1000, "A 1000 ack 1 ecn 0");
	in("A 1 ack 1001 win 5000");
	out("PAC 1001+100 ecn 2");
}

/* ---- 6.1.3: the receiver ---- */

CASE(ce, "RFC 3168 6.1.3: ECE on every ACK from CE until CWR")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 2");
	out("A 1 ack 11");
	in("PA 11+10 ecn 3");
	out("AE 1 ack 21 ecn 0");
	in("PA 21+10 ecn 2");
	out("AE 1 ack 31 ecn 0");
	put(fd, 10);
	out("PAE 1+10 ecn 2");
	in("PAC 31+10 ack 11 ecn 2");
	out("A 11 ack 41");
	in("PA 41+10 ecn 2");
	out_within(300, "A 11 ack 51");
}

CASE(ce_with_cwr, "RFC 3168 6.1.3: CWR ends the old, CE on the same segment begins anew")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 3");
	out("AE 1 ack 11");
	in("PAC 11+10 ecn 3");
	out("AE 1 ack 21");
	in("PAC 21+10 ecn 2");
	out("A 1 ack 31");
}

CASE(ce_out_of_order, "RFC 3168 6.1.3: whatever the order")
{
	int fd = open_ecn(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 11+10 ecn 3");
	out("AE 1 ack 1 sack 11-21");
}

CASE(ce_not_agreed, "RFC 3168 6.1.3: without ECN it means nothing")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 3");
	out("A 1 ack 11 ecn 0");
}

CASE(cwr_on_ack, "RFC 3168 6.1.2 wants CWR on data; taken on an ACK too, as some send it")
{
	int fd = open_ecn(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ecn 3");
	out("AE 1 ack 11");
	in("AC 11 ack 1");
	in("PA 11+10 ecn 2");
	out("A 1 ack 21");
}

/* ---- 6.1.2: the sender ---- */

CASE(ece, "RFC 3168 6.1.2: the window shrinks once per window of data, and CWR says so")
{
	int fd = ten_out(self->lfd), n = 0;
	struct wseg s;

	ASSERT_LE(0, fd);
	in("AE 1 ack 2001");
	ASSERT_EQ(7, info_of(fd).tcpi_snd_ssthresh);	/* CUBIC: 0.7 (RFC 9438 4.6) */
	ASSERT_EQ(2, info_of(fd).tcpi_ca_state);		/* TCP_CA_CWR */
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(10001, s.seq);
	ASSERT_EQ(0x90, s.flags & ~8);
	ASSERT_EQ(2, s.ecn);
	in("AE 1 ack 4001");
	in("AE 1 ack 6001");
	ASSERT_EQ(7, info_of(fd).tcpi_snd_ssthresh);
	/* and once only */
	while (w_next(50, &s)) {
		n++;
		ASSERT_EQ(0x10, s.flags & ~8);
		ASSERT_EQ(2, s.ecn);
	}
	ASSERT_LT(0, n);
	in("A 1 ack 10001");
	ASSERT_EQ(2, info_of(fd).tcpi_ca_state);
	in("A 1 ack 11001");	/* the segment with CWR */
	ASSERT_EQ(0, info_of(fd).tcpi_ca_state);
	ASSERT_LE(7, info_of(fd).tcpi_snd_cwnd);
	ASSERT_GE(8, info_of(fd).tcpi_snd_cwnd);
}

CASE(ece_no_growth, "RFC 3168 6.1.2: an ACK with ECE does not widen the window, one without does")
{
	int fd = ten_out(self->lfd);

	ASSERT_LE(0, fd);
	in("AE 1 ack 2001");
	ASSERT_GE(10, info_of(fd).tcpi_snd_cwnd);
	w_peer(PEER_PORT + 1);
	fd = ten_out(self->lfd);
	ASSERT_LE(0, fd);
	in("A 1 ack 2001");
	ASSERT_EQ(12, info_of(fd).tcpi_snd_cwnd);
}

CASE(cwr_lost, "RFC 3168 6.1.2: CWR is not sent again, a new reduction has its own")
{
	int fd = ten_out(self->lfd), n = 0;
	struct wseg s;

	ASSERT_LE(0, fd);
	in("AE 1 ack 2001");
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(10001, s.seq);
	ASSERT_EQ(0x90, s.flags & ~8);
	in("AE 1 ack 10001");
	while (w_next(50, &s))
		ASSERT_EQ(0x10, s.flags & ~8);
	in("AE 1 ack 10001 sack 11001-%u", w.seen);
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(10001, s.seq);
	ASSERT_EQ(0x10, s.flags & ~8);
	while (w_next(50, &s))
		;
	in("AE 1 ack %u", w.seen);
	while (w_next(50, &s))
		n += !!(s.flags & 0x80);
	ASSERT_EQ(1, n);
}

CASE(ece_again, "RFC 3168 6.1.2: the next window of data may be reduced again")
{
	int fd = ten_out(self->lfd);
	struct wseg s;

	ASSERT_LE(0, fd);
	in("AE 1 ack 10001");
	ASSERT_EQ(7, info_of(fd).tcpi_snd_ssthresh);
	while (w_next(50, &s))
		;
	in("AE 1 ack %u", w.seen);
	ASSERT_EQ(2, info_of(fd).tcpi_ca_state);
	ASSERT_EQ(4, info_of(fd).tcpi_snd_ssthresh);
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(0x90, s.flags & ~8);
}

CASE(ece_counted, "RFC 8257 3.3, tcp_info: what was delivered by ACKs with ECE")
{
	int fd = ten_out(self->lfd);
	uint32_t info[64] = { 0 };
	socklen_t len = sizeof(info);

	ASSERT_LE(0, fd);
	in("A 1 ack 3001");
	in("AE 1 ack 5001");
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, info, &len));
	ASSERT_EQ(2, info[49]);		/* tcpi_delivered_ce, which libc does not know */
}

CASE(ece_overtaken, "RFC 3168 6.1.2: an ACK that was overtaken speaks of the past")
{
	int fd = ten_out(self->lfd);

	ASSERT_LE(0, fd);
	in("A 1 ack 4001");
	in("AE 1 ack 2001");
	ASSERT_EQ(0, info_of(fd).tcpi_ca_state);
	ASSERT_LT(100, info_of(fd).tcpi_snd_ssthresh);
}

CASE(ece_not_undone, "RFC 3168 6.1.2, RFC 4015 3.2: the loss was none, ECE stands all the same")
{
	struct wseg s;
	int fd;

	/* by time, a round trip longer than the handshake's has the rest lost, too */
	ASSERT_TRUE(w_sysctl("tcp_recovery", "0"));
	fd = ten_out(self->lfd);
	ASSERT_LE(0, fd);
	in("AE 1 ack 1 sack 1001-4001");
	while (w_next(50, &s) && s.seq != 1)
		;
	ASSERT_EQ(1, s.seq);
	ASSERT_EQ(7, info_of(fd).tcpi_snd_ssthresh);
	in("A 1 ack 4001 sack 1-1001");		/* it had come twice */
	ASSERT_EQ(7, info_of(fd).tcpi_snd_ssthresh);
}

CASE(info_asked, "RFC 3168 6.1.1, tcp_info: what is asked for is not agreed on yet")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_ecn", "1"));
	ASSERT_TRUE(w_connect(fd));
	out("SEC 0");
	if (!NATIVE("shows it from the SYN on"))
		ASSERT_FALSE(info_of(fd).tcpi_options & TCPI_OPT_ECN);
	in("SAE 0 ack 1 mss 1000");
	out("A 1 ack 1");
	ASSERT_TRUE(info_of(fd).tcpi_options & TCPI_OPT_ECN);
}

CASE(tos_shown, "RFC 3168 5, ip(7) IP_TOS: the user's six bits, not what the stack sends beside them")
{
	int fd, tos = 0xb8;
	socklen_t len = sizeof(tos);

	fd = open_ecn(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_TOS, tos));
	put(fd, 10);
	out("PA 1+10 ecn 2");
	ASSERT_EQ(0, getsockopt(fd, SOL_IP, IP_TOS, &tos, &len));
	if (!NATIVE("keeps ECT(0) where it keeps the user's TOS"))
		ASSERT_EQ(0xb8, tos);
}

/* a route to ME/32 that refuses (@tos 0), or leads there */
static int route_tos(int tos)
{
	struct rtmsg rtm = {
		.rtm_family = TEST_FAMILY, .rtm_dst_len = 32, .rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC, .rtm_tos = tos,
		.rtm_scope = tos ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = tos ? RTN_UNICAST : RTN_PROHIBIT,
	};
	uint32_t oif = if_nametoindex("t0");
	struct rtnl_req q;

	if (w.native)
		return tos ? run("ip route add " ME "/32 tos 0x%x dev t0", tos) :
			     run("ip route add prohibit " ME "/32");
	rtnl_begin(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, &rtm, sizeof(rtm));
	rtnl_attr_ip(&q, RTA_DST, ME);
	if (tos)
		rtnl_attr(&q, RTA_OIF, &oif, sizeof(oif));
	return rtnl_talk(&w.rtnl, &q, NULL, NULL);
}

CASE(route_tos, "RFC 3168 5, RFC 2474 3: the ECN bits choose no route")
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PEER_PORT),
		.sin_addr.s_addr = inet_addr(ME),
	};
	int tos;

	ASSERT_EQ(0, route_tos(0));
	ASSERT_EQ(0, route_tos(0x10));
	for (tos = 0; tos < 8; tos++) {
		int fd = socket(w.family, SOCK_DGRAM, 0);

		ASSERT_EQ(0, w_set(fd, SOL_IP, IP_TOS, tos < 4 ? tos : 0x10 | (tos & 3)));
		ASSERT_EQ(tos < 4 ? -1 : 0, connect(fd, (struct sockaddr *)&to, sizeof(to)));
		if (tos < 4)
			ASSERT_EQ(EACCES, errno);
		close(fd);
	}
}

CASE(route_tos_listener, "RFC 1122 3.3.1.2: a SYN is answered by the route of the listener's TOS")
{
	ASSERT_EQ(0, w_set(self->lfd, SOL_IP, IP_TOS, 0x10));
	ASSERT_EQ(0, route_tos(0));
	ASSERT_EQ(0, route_tos(0x10));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
}

TEST_HARNESS_MAIN
