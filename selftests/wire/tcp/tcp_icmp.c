// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP errors about TCP: each one in an opening (where most end it), later (where none does),
 * about numbers that are not in flight (where none counts), and the path MTU.
 */
#include "wire_state.h"

/* while connect() waits: errno, 0: it goes on */
#define OPENING(name, rfc, type, code, err)				\
	CASE(opening_##name, rfc)					\
	{								\
		int fd = w_socket();					\
									\
		ASSERT_TRUE(w_connect(fd));				\
		out("S 0");						\
		ASSERT_TRUE(w_icmp(type, code, 0, 0));			\
		ASSERT_EQ(!!(err), w_poll(fd, POLLERR, 100));		\
		ASSERT_EQ(err, w_error(fd));				\
	}

/* once it is open: the connection goes on, and giving up names it */
#define LATER(name, rfc, type, code, err)				\
	CASE(later_##name, rfc)						\
	{								\
		int fd = w_passive(self->lfd, "mss 1460");		\
									\
		ASSERT_LE(0, fd);					\
		ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 1000)); \
		put(fd, 100);						\
		out("PA 1+100");					\
		ASSERT_TRUE(w_icmp(type, code, 0, 1));			\
		ASSERT_FALSE(w_poll(fd, POLLERR, 50));			\
		ASSERT_TRUE(w_poll(fd, POLLERR, 10000));		\
		ASSERT_EQ(err, w_error(fd));				\
	}

#define SOFT	"RFC 1122 4.2.3.9, RFC 5461 2.2: "
#define HARD	"RFC 1122 4.2.3.9, RFC 5461 2.1: "

OPENING(net, SOFT "net unreachable", 3, 0, ENETUNREACH)
OPENING(host, SOFT "host unreachable", 3, 1, EHOSTUNREACH)
OPENING(protocol, HARD "protocol unreachable", 3, 2, ENOPROTOOPT)
OPENING(port, HARD "port unreachable", 3, 3, ECONNREFUSED)
OPENING(source_route, SOFT "source route failed", 3, 5, EOPNOTSUPP)
OPENING(net_unknown, SOFT "network unknown", 3, 6, ENETUNREACH)
OPENING(host_unknown, SOFT "host unknown", 3, 7, EHOSTDOWN)
OPENING(isolated, SOFT "source isolated", 3, 8, ENONET)
OPENING(net_prohibited, SOFT "network prohibited", 3, 9, ENETUNREACH)
OPENING(host_prohibited, SOFT "host prohibited", 3, 10, EHOSTUNREACH)
OPENING(net_tos, SOFT "network unreachable for TOS", 3, 11, ENETUNREACH)
OPENING(host_tos, SOFT "host unreachable for TOS", 3, 12, EHOSTUNREACH)
OPENING(filtered, SOFT "administratively prohibited", 3, 13, EHOSTUNREACH)
OPENING(precedence, SOFT "precedence violation", 3, 14, EHOSTUNREACH)
OPENING(cutoff, SOFT "precedence cutoff", 3, 15, EHOSTUNREACH)
OPENING(quench, "RFC 6633 (MUST NOT): source quench", 4, 0, 0)
OPENING(ttl, SOFT "time exceeded", 11, 0, EHOSTUNREACH)
OPENING(parameter, HARD "parameter problem", 12, 0, EPROTO)

LATER(net, SOFT "net unreachable", 3, 0, ENETUNREACH)
LATER(host, SOFT "host unreachable", 3, 1, EHOSTUNREACH)
LATER(protocol, "RFC 5461 4.1, RFC 5927 5: a hard error in a synchronised state is soft",
      3, 2, ENOPROTOOPT)
LATER(port, "RFC 5461 4.1, RFC 5927 5: a hard error in a synchronised state is soft",
      3, 3, ECONNREFUSED)
LATER(filtered, SOFT "administratively prohibited", 3, 13, EHOSTUNREACH)
LATER(quench, "RFC 6633 (MUST NOT): source quench", 4, 0, ETIMEDOUT)
LATER(ttl, SOFT "time exceeded", 11, 0, EHOSTUNREACH)
LATER(parameter, "RFC 5461 4.1: parameter problem", 12, 0, EPROTO)

/* about octet @seq, when 1 to 1460 are in flight: 1000 is believed or not */
#define BELIEVED(name, seq, yes)						\
	CASE(pmtu_quotes_##name, "RFC 5927 4.1, 7.2: is the number in flight?")	\
	{									\
		int fd = w_passive(self->lfd, "mss 1460");			\
										\
		ASSERT_LE(0, fd);						\
		put(fd, 1460);							\
		out("PA 1+1460");						\
		ASSERT_TRUE(w_icmp(3, 4, 1000, seq));				\
		if (yes) {							\
			out("A 1+960");						\
		} else {							\
			quiet(50);						\
		}								\
	}

BELIEVED(first, 1, true)
BELIEVED(middle, 700, true)
BELIEVED(last, 1460, true)
BELIEVED(next, 1461, true)
BELIEVED(beyond, 1462, false)
BELIEVED(before, 0, false)
BELIEVED(old, -100000, false)
BELIEVED(far, 100000, false)

CASE(pmtu_larger, "RFC 1191 3 (MUST NOT): an error never raises the path MTU")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 9000, 1));
	quiet(50);
	in("A 1 ack 1461");
	put(fd, 1460);
	out("PA 1461+1460");
}

CASE(pmtu_zero, "RFC 1191 5: an old router names none: the next plateau or a guess, but smaller")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct wseg s;

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 0, 1));
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(1, s.seq);
	ASSERT_GT(1460, s.len);
	ASSERT_LE(512, s.len);
}

CASE(pmtu_twice, "RFC 1191 6.3: and lower again")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
	out("PA 961+500");
	ASSERT_TRUE(w_icmp(3, 4, 700, 1));
	out("A 1+660");
}

CASE(pmtu_others, "RFC 1191 6.1: a later connection to the same host starts with it")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
	w_peer(PEER_PORT + 1);
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("A 1+960");
}

CASE(pmtu_df, "RFC 1191 3: segments must not be fragmented on their way")
{
	struct pkt p;

	in("S 0 mss 1460");
	ASSERT_TRUE(pkt_next(w.tun, 500, &p));
	ASSERT_EQ(htons(0x4000), p.ip.frag_off & htons(0x6000));
}

CASE(request_host, "RFC 1122 4.2.3.9: a half-open request ends by it, as native")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	ASSERT_TRUE(w_icmp(3, 1, 0, 0));
	in("A 1 ack 1");
	out("R 1");
}

CASE(request_port, "RFC 5461 4.1: not by a port unreachable")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	ASSERT_TRUE(w_icmp(3, 3, 0, 0));
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(request_blind, "RFC 5927 4.1: nor by one that quotes another number")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	ASSERT_TRUE(w_icmp(3, 1, 0, 77));
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(listener, "RFC 1122 4.2.3.9: nobody's business")
{
	ASSERT_TRUE(w_icmp(3, 1, 0, 0));
	ASSERT_TRUE(w_icmp(3, 3, 0, 0));
	quiet(50);
	ASSERT_EQ(0, w_error(self->lfd));
	ASSERT_EQ(TCP_LISTEN, w_state(self->lfd));
}

CASE(recverr, "ip(7) IP_RECVERR: reported at once")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_RECVERR, 1));
	put(fd, 100);
	out("PA 1+100");
	ASSERT_TRUE(w_icmp(3, 1, 0, 1));
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(EHOSTUNREACH, w_error(fd));
}

CASE(time_wait, "RFC 1122 4.2.3.9: TIME-WAIT does not end by one")
{
	ASSERT_LE(0, w_reach(self->lfd, st_time_wait));
	ASSERT_TRUE(w_icmp(3, 1, 0, -1));
	ASSERT_TRUE(w_icmp(3, 3, 0, -1));
	quiet(50);
	ASSERT_EQ(st_time_wait, w_proc_state());
}

TEST_HARNESS_MAIN
