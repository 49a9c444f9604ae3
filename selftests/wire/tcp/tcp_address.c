// SPDX-License-Identifier: GPL-2.0-only
/*
 * What TCP and IP agree on for a connection: its addresses, which of several they are, and who
 * may not have one; TTL, TOS and the options of the IP header.
 */
#include "wire.h"

#define SECOND	"10.0.0.3"

/* a second address of t0 */
static int second_address(void)
{
	return w.native ? run("ip addr add " SECOND "/24 dev t0") :
			  addr_add(&w.rtnl, "t0", SECOND, 24);
}

/* a segment from @saddr to @daddr, @optlen octets of options in its IP header */
static bool in_ip(const char *saddr, const char *daddr, const uint8_t *opt, int optlen,
		  const char *text)
{
	struct wseg s;
	struct pkt p;

	if (!w_parse(&s, text))
		return false;
	w_build(&s, &p);
	p.ip.saddr = inet_addr(saddr);
	p.ip.daddr = inet_addr(daddr);
	*(uint16_t *)(p.b + 36) = 0;
	*(uint16_t *)(p.b + 36) = w_sum(&p);
	memmove(p.b + 20 + optlen, p.b + 20, p.len - 20);
	memcpy(p.b + 20, opt, optlen);
	p.len += optlen;
	p.ip.ihl = 5 + optlen / 4;
	p.ip.tot_len = htons(p.len);
	ip_sum(&p);
	w_mark();
	return pkt_send(w.tun, &p);
}

/* the next segment of this conversation, and the packet it is in */
static bool next_packet(struct pkt *p, struct wseg *s)
{
	while (pkt_next(w.tun, 1000, p))
		if (w_read(p, s))
			return true;
	return false;
}

/* no segment goes to anybody for @ms */
static bool nothing(int ms)
{
	double end = now_s() + ms / 1000.0;
	struct pkt p;

	while (pkt_next(w.tun, (end - now_s()) * 1000, &p))
		if (p.ip.protocol == IPPROTO_TCP)
			return false;
	return true;
}

/* begin to connect @fd to @addr; errno, the local address is then @local */
static int connect_to(int fd, const char *addr, struct in_addr *local)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(PEER_PORT),
		.sin_addr.s_addr = inet_addr(addr),
	};
	socklen_t len = sizeof(sin);
	int err = connect(fd, (struct sockaddr *)&sin, sizeof(sin)) ? errno : 0;

	getsockname(fd, (struct sockaddr *)&sin, &len);
	w.port = ntohs(sin.sin_port);
	*local = sin.sin_addr;
	return err;
}

CASE(bound_source,
     "RFC 9293 3.9.1.1 (MUST-43), RFC 1122 4.2.4.4: the program may choose the local address")
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(SECOND) };
	int fd = w_socket();
	struct in_addr local;
	struct wseg s;
	struct pkt p;

	ASSERT_EQ(0, second_address());
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
	w.source = inet_addr(SECOND);
	ASSERT_EQ(EINPROGRESS, connect_to(fd, ME, &local));
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(0x02, s.flags);
	ASSERT_EQ(inet_addr(SECOND), p.ip.saddr);
}

CASE(bound_listener,
     "RFC 1122 4.2.4.4: and whoever listens at one address is not called at another")
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(PORT + 1),
		.sin_addr.s_addr = inet_addr(SECOND),
	};
	int fd = w_socket();

	ASSERT_EQ(0, second_address());
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_EQ(0, listen(fd, 8));
	w.port = PORT + 1;
	in("S 0 mss 1460");
	out("RA 0 ack 1");
	w.source = inet_addr(SECOND);
	ASSERT_TRUE(in_ip(ME, SECOND, NULL, 0, "S 0 mss 1460"));
	out("SA 0 ack 1");
}

CASE(routed_source, "RFC 9293 3.9.1.1 (MUST-44), RFC 1122 4.2.3.7: who chooses none has the way's")
{
	struct in_addr local;
	struct wseg s;
	struct pkt p;

	ASSERT_EQ(0, second_address());
	ASSERT_EQ(0, run("ip link add d1 type dummy && ip link set d1 up"));
	ASSERT_EQ(0, w.native ? run("ip addr add 10.9.0.1/24 dev d1") :
				addr_add(&w.rtnl, "d1", "10.9.0.1", 24));
	ASSERT_EQ(EINPROGRESS, connect_to(w_socket(), "10.9.0.7", &local));
	ASSERT_EQ(inet_addr("10.9.0.1"), local.s_addr);
	ASSERT_EQ(EINPROGRESS, connect_to(w_socket(), ME, &local));
	ASSERT_EQ(inet_addr(HOST), local.s_addr);
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(0x02, s.flags);
	ASSERT_EQ(inet_addr(HOST), p.ip.saddr);
}

CASE(kept_source,
     "RFC 9293 3.9.1.1 (MUST-45), RFC 1122 4.2.3.7: a connection keeps the address it began with")
{
	struct wseg s;
	struct pkt p;
	int fd;

	ASSERT_EQ(0, second_address());
	w.source = inet_addr(SECOND);
	ASSERT_TRUE(in_ip(ME, SECOND, NULL, 0, "S 0 mss 1460"));
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(0x12, s.flags);
	ASSERT_EQ(inet_addr(SECOND), p.ip.saddr);
	ASSERT_TRUE(in_ip(ME, SECOND, NULL, 0, "A 1 ack 1"));
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 10);
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(10, s.len);
	ASSERT_EQ(inet_addr(SECOND), p.ip.saddr);
	ASSERT_EQ(0, close(fd));
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(0x11, s.flags);
	ASSERT_EQ(inet_addr(SECOND), p.ip.saddr);
}

CASE(connect_to_many,
     "RFC 9293 3.9.1.1 (MUST-46), RFC 1122 4.2.3.10: no connection to broadcast and multicast")
{
	static const char * const many[] = { "10.0.0.255", "255.255.255.255", "224.0.0.1" };
	struct in_addr local;
	size_t i;

	for (i = 0; i < sizeof(many) / sizeof(*many); i++)
		ASSERT_EQ(ENETUNREACH, connect_to(w_socket(), many[i], &local));
	ASSERT_TRUE(nothing(100));
}

CASE(syn_to_many,
     "RFC 9293 3.9.2.3 (MUST-57), RFC 1122 4.2.3.10: a SYN to broadcast and multicast is dropped")
{
	static const char * const many[] = { "10.0.0.255", "255.255.255.255", "224.0.0.1" };
	size_t i;

	for (i = 0; i < sizeof(many) / sizeof(*many); i++) {
		ASSERT_TRUE(in_ip(ME, many[i], NULL, 0, "S 0 mss 1460"));
		ASSERT_TRUE(in_ip(ME, many[i], NULL, 0, "A 1 ack 1"));
	}
	w.port = PORT + 1;		/* where nobody listens, neither */
	ASSERT_TRUE(in_ip(ME, "10.0.0.255", NULL, 0, "S 0 mss 1460"));
	ASSERT_TRUE(nothing(100));
}

CASE(syn_from_invalid,
     "RFC 9293 3.9.2.3 (MUST-63), RFC 1122 4.2.3.10: so is one from an address nobody has")
{
	static const char * const from[] = {
		"255.255.255.255", "224.0.0.1", "0.0.0.0", "127.0.0.1", HOST,
	};
	size_t i;

	for (i = 0; i < sizeof(from) / sizeof(*from); i++)
		ASSERT_TRUE(in_ip(from[i], HOST, NULL, 0, "S 0 mss 1460"));
	ASSERT_TRUE(nothing(100));
	if (NATIVE("answers the broadcast address of a network, unless rp_filter is on"))
		return;
	ASSERT_TRUE(in_ip("10.0.0.255", HOST, NULL, 0, "S 0 mss 1460"));
	ASSERT_TRUE(nothing(100));
}

CASE(ttl,
     "RFC 9293 3.9.2 (MUST-49), RFC 1122 4.2.2.19: the TTL can be set, for a socket or for all")
{
	struct in_addr local;
	struct wseg s;
	struct pkt p;
	int fd = w_socket();

	ASSERT_EQ(EINPROGRESS, connect_to(w_socket(), ME, &local));
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(64, p.ip.ttl);
	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_TTL, 7));
	w_peer(PEER_PORT);
	ASSERT_EQ(EINPROGRESS, connect_to(fd, ME, &local));
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(7, p.ip.ttl);
	ASSERT_TRUE(w_sysctl("ip_default_ttl", "99"));
	w_peer(PEER_PORT);
	ASSERT_EQ(EINPROGRESS, connect_to(w_socket(), ME, &local));
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(99, p.ip.ttl);
}

CASE(tos,
     "RFC 9293 3.9.1.9 (MUST-48, SHLD-21, SHLD-22), RFC 1122 4.2.4.2: TOS, now and later another")
{
	struct in_addr local;
	struct wseg s;
	struct pkt p;
	int fd = w_socket();

	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_TOS, 0xb8));
	ASSERT_EQ(EINPROGRESS, connect_to(fd, ME, &local));
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(0xb8, p.ip.tos);
	in("SA 0 ack 1 mss 1460");
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(0xb8, p.ip.tos);
	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_TOS, 0x28));
	put(fd, 10);
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(10, s.len);
	ASSERT_EQ(0x28, p.ip.tos);
	in("FA 1 ack 11");
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(0x10, s.flags);
	ASSERT_EQ(0x28, p.ip.tos);
}

CASE(reset_tos, "RFC 1122 4.2.4.2: a RST is of the class of what it answers")
{
	struct wseg s;
	struct pkt p;

	ASSERT_TRUE(w_parse(&s, "A 1 ack 5000"));
	w_build(&s, &p);
	p.ip.tos = 0xba;		/* EF and ECT(0) */
	ip_sum(&p);
	ASSERT_TRUE(pkt_send(w.tun, &p));
	ASSERT_TRUE(next_packet(&p, &s));
	ASSERT_EQ(0x04, s.flags);
	ASSERT_EQ(0xb8, p.ip.tos);	/* RFC 3168 6.1.1: ECT is for data */
}

CASE(ip_options,
     "RFC 9293 3.9.2 (MUST-50), RFC 1122 4.2.3.8: IP options TCP does not know change nothing")
{
	static const uint8_t unknown[8] = { 0x9e, 6, 1, 2, 3, 4, 1, 0 };
	static const uint8_t alert[4] = { 0x94, 4, 0, 0 };
	int fd;

	ASSERT_TRUE(in_ip(ME, HOST, unknown, 8, "S 0 mss 1460"));
	out("SA 0 ack 1");
	ASSERT_TRUE(in_ip(ME, HOST, alert, 4, "A 1 ack 1"));
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(in_ip(ME, HOST, unknown, 8, "PA 1+10 ack 1"));
	out("A 1 ack 11");
	get(fd, 10);
	put(fd, 2000);
	out("A 1+1460");		/* nothing is taken from it for options of ours */
}

TEST_HARNESS_MAIN
