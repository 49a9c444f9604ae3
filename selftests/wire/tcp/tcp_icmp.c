// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP errors about TCP: each one in an opening (where most end it), later (where none does),
 * about numbers that are not in flight (where none counts), and the path MTU.
 */
#include <time.h>
#include <linux/errqueue.h>
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

CASE(opening_blind, "RFC 5927 4.1: while it opens only the SYN's number is believed")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_TRUE(w_icmp(3, 3, 0, 77));
	ASSERT_TRUE(w_icmp(3, 3, 0, -1));
	ASSERT_FALSE(w_poll(fd, POLLERR, 100));
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
}

CASE(later_blind, "RFC 5927 4.1: later what is in flight: another number leaves no trace")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 1000));
	put(fd, 100);
	out("PA 1+100");
	ASSERT_TRUE(w_icmp(3, 1, 0, 1000));
	ASSERT_TRUE(w_icmp(3, 3, 0, -1000));
	ASSERT_TRUE(w_poll(fd, POLLERR, 10000));
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
}

CASE(later_other,
     "RFC 5927 5.2: an error about one connection is none about another to the same host")
{
	int one = w_passive(self->lfd, "mss 1460"), two;
	struct wire first;

	ASSERT_LE(0, one);
	put(one, 100);
	out("PA 1+100");
	first = w;
	w_peer(PEER_PORT + 1);
	two = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, two);
	ASSERT_EQ(0, w_set(two, SOL_TCP, TCP_USER_TIMEOUT, 1000));
	put(two, 100);
	out("PA 1+100");
	w = first;
	ASSERT_TRUE(w_icmp(3, 3, 0, 1));
	ASSERT_TRUE(w_poll(two, POLLERR, 10000));
	ASSERT_EQ(ETIMEDOUT, w_error(two));
}

CASE(quench_window, "RFC 6633 (MUST NOT), RFC 5927 6.2: a source quench does not slow a connection")
{
	int fd = w_passive(self->lfd, "mss 1000"), i;

	ASSERT_LE(0, fd);
	put(fd, 30000);
	for (i = 0; i < 10; i++)
		out("A %d+1000", 1 + i * 1000);
	ASSERT_TRUE(w_icmp(4, 0, 0, 1));
	in("A 1 ack 10001");
	for (i = 10; i < 30; i++)
		out("%s %d+1000", i < 29 ? "A" : "PA", 1 + i * 1000);
}

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

/* ms of a timeout where round trips take no time, as in tcp_send.c */
#define RTO	204

/* a connection whose only segment was sent again once, which has doubled the timeout, or -1 */
static int backed_off(int lfd)
{
	int fd = w_no_tail_probe() ? w_passive(lfd, "mss 1460") : -1;

	if (fd < 0 || w_put(fd, 100, 0) != 100 || !w_out(-1, "PA 1+100") || !w_out(RTO, "PA 1+100"))
		return -1;
	return fd;
}

CASE(revert, "RFC 6069 4.2: a router says that what was sent again met no link: the timeout is not doubled")
{
	ASSERT_LE(0, backed_off(self->lfd));
	ASSERT_TRUE(w_icmp(3, 1, 0, 1));
	out_at(RTO, "PA 1+100");
	ASSERT_TRUE(w_icmp(3, 0, 0, 1));
	out_at(RTO, "PA 1+100");
	out_at(2 * RTO, "PA 1+100");	/* silence may be congestion */
	ASSERT_TRUE(w_icmp(3, 1, 0, 1));
	out_at(2 * RTO, "PA 1+100");
	in("A 1 ack 101");
	quiet(1000);
}

CASE(revert_late, "RFC 6069 4.2 (3): if the timeout is over without the doubling, at once")
{
	ASSERT_LE(0, backed_off(self->lfd));
	out_at(2 * RTO, "PA 1+100");
	out_at(4 * RTO, "PA 1+100");
	sleep_s(0.9);			/* of the eight it would be */
	ASSERT_TRUE(w_icmp(3, 1, 0, 1));
	out("PA 1+100");
}

CASE(revert_user_timeout, "RFC 5482 3, RFC 6069 4.2: the user's limit stands all the same")
{
	int fd = backed_off(self->lfd);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 1500));
	out_at(2 * RTO, "PA 1+100");
	out_within(4 * RTO + 20, "PA 1+100");
	ASSERT_TRUE(w_icmp(3, 1, 0, 1));
	ASSERT_TRUE(w_poll(fd, POLLERR, NATIVE("waits for the whole timeout") ? 2000 :
			   w.sim ? 400 : 700));
	ASSERT_EQ(EHOSTUNREACH, w_error(fd));
}

CASE(revert_first, "RFC 6069 4.1: an error about what was sent once reverts nothing")
{
	int fd = w_no_tail_probe() ? w_passive(self->lfd, "mss 1460") : -1;

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	ASSERT_TRUE(w_icmp(3, 1, 0, 1));
	out_at(RTO, "PA 1+100");
	out_at(2 * RTO, "PA 1+100");
}

CASE(revert_other, "RFC 6069 4.1 (MUST): nor does another kind of error, or one about another segment")
{
	int fd = w_no_tail_probe() ? w_passive(self->lfd, "mss 1000") : -1;

	ASSERT_LE(0, fd);
	put(fd, 2000);
	out("A 1+1000");
	out("PA 1001+1000");
	out_within(RTO + 20, "A 1+1000");
	ASSERT_TRUE(w_icmp(3, 1, 0, 1001));
	ASSERT_TRUE(w_icmp(3, 3, 0, 1));
	ASSERT_TRUE(w_icmp(3, 13, 0, 1));
	ASSERT_TRUE(w_icmp(11, 0, 0, 1));
	out_at(2 * RTO, "A 1+1000");
}

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

CASE(pmtu_idle, "RFC 5927 7.3.3: nothing in flight: what quotes an old number is not believed")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 50);
	out("PA 1+50");
	in("A 1 ack 51");
	ASSERT_TRUE(w_icmp(3, 4, 600, 1));
	ASSERT_TRUE(w_icmp(3, 4, 600, 50));
	put(fd, 1460);
	out("PA 51+1460");
}

CASE(pmtu_again, "RFC 1191 6.4 (MUST NOT): told the same again it does not send again")
{
	int fd = w_passive(self->lfd, "mss 1460"), i;

	ASSERT_LE(0, fd);
	put(fd, 4380);
	for (i = 0; i < 3; i++)
		out("%s %d+1460", i < 2 ? "A" : "PA", 1 + i * 1460);
	/* a burst of segments, each too large */
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	while (w_next(20, &(struct wseg){}))
		;
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1461));
	ASSERT_TRUE(w_icmp(3, 4, 1000, 2921));
	quiet(100);
}

CASE(pmtu_window,
     "RFC 1191 6.4, RFC 4821 4 (SHOULD): no sign of congestion; the window stays as many segments")
{
	int fd = w_passive(self->lfd, "mss 1460"), i;
	struct tcp_info was, is;
	socklen_t len = sizeof(is);

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &was, &len));
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &is, &len));
	ASSERT_EQ(was.tcpi_snd_cwnd, is.tcpi_snd_cwnd);
	ASSERT_EQ(was.tcpi_snd_ssthresh, is.tcpi_snd_ssthresh);
	in("A 1 ack 961");
	out("PA 961+500");
	in("A 1 ack 1461");
	put(fd, 20000);
	for (i = 0; i < 10; i++)
		out("A %d+960", 1461 + i * 960);
}

CASE(pmtu_shared, "RFC 1191 6.2, RFC 4821 4 (SHOULD): whoever uses the path hears of it")
{
	int one = w_passive(self->lfd, "mss 1460"), two;
	struct wire first = w;

	ASSERT_LE(0, one);
	w_peer(PEER_PORT + 1);
	two = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, two);
	put(two, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
	w = first;
	put(one, 1460);
	out_within(NATIVE("first sends one that is too large to itself, and hears of it by that") ?
		   500 : 1, "A 1+960");
}

CASE(pmtu_others_sent,
     "RFC 1191 6.2: but only whose packet was too large repeats it: what others sent may arrive")
{
	int one = w_passive(self->lfd, "mss 1460"), two;
	struct wire first, second;

	ASSERT_LE(0, one);
	put(one, 1460);
	out("PA 1+1460");
	first = w;
	w_peer(PEER_PORT + 1);
	two = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, two);
	put(two, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	second = w;
	w = first;
	quiet(w.sim ? 100 : 50);
	/* the other has gone unseen meanwhile: by the timer it comes again */
	w = second;
	out_within(500, "A 1+960");
}

/* a datagram of ours to the same host is said to be too large: 1000 */
static bool udp_too_large(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(6000), .sin_addr.s_addr = inet_addr(ME),
	};
	int fd = socket(w.family, SOCK_DGRAM, 0);
	static char data[1400];
	uint8_t m[8 + 28] = { 3, 4, 0, 0, 0, 0, 1000 >> 8, 1000 & 255 };
	struct pkt p;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    send(fd, data, sizeof(data), 0) != sizeof(data))
		return false;
	do {
		if (!pkt_next(w.tun, 500, &p))
			return false;
	} while (p.ip.protocol != IPPROTO_UDP);
	memcpy(m + 8, p.b, 28);
	ip_make(&p, IPPROTO_ICMP, m, sizeof(m));
	icmp_sum(&p);
	return pkt_send(w.tun, &p);
}

CASE(pmtu_by_udp, "RFC 1191 6.2: also where it was another protocol's packet that was too large")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(udp_too_large());
	sleep_s(0.01);
	put(fd, 1460);
	out_within(NATIVE("as tcp_icmp.pmtu_shared") ? 500 : 1, "A 1+960");
}

CASE(pmtu_aged,
     "RFC 1191 3 (MAY, MUST NOT), 6.3: larger ones again, and nothing is sent anew for that")
{
	int fd, i;

	ASSERT_TRUE(w_sysctl(w.native ? "route/mtu_expires" : "mtu_expires", "1"));
	/* a round trip of 0.8 s: no timeout comes in between */
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	sleep_s(0.8);
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
	out("PA 961+500");
	if (w.sim)
		quiet(1800);
	in("A 1 ack 1461");
	sleep_s(2);
	put(fd, 4380);
	for (i = 0; i < 3; i++)
		out("%s %d+1460", i < 2 ? "A" : "PA", 1461 + i * 1460);
}

CASE(pmtu_ten_minutes, "RFC 1191 3 (MUST NOT), 6.3: a path MTU stands for ten minutes")
{
	int fd = w_passive(self->lfd, "mss 1460");

	LONG(700);
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
	in("A 1 ack 961");
	out("PA 961+500");
	in("A 1 ack 1461");
	sleep_s(590);
	put(fd, 1460);
	out("A 1461+960");
	out("PA 2421+500");
	in("A 1 ack 2921");
	sleep_s(100);		/* timers of minutes may be an eighth late */
	put(fd, 1460);
	out("PA 2921+1460");
}

CASE(pmtu_df_data, "RFC 1191 2: data does not go without DF, first or again")
{
	int fd = w_passive(self->lfd, "mss 1460"), i;
	struct pkt p;

	ASSERT_LE(0, fd);
	put(fd, 1000);
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(pkt_next(w.tun, 1000, &p));
		ASSERT_EQ(1040, p.len);
		ASSERT_EQ(htons(0x4000), p.ip.frag_off & htons(0x6000));
	}
}

CASE(pmtu_tiny_df, "RFC 1191 3, 2: a path below min_pmtu: the router may cut")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct pkt p;

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 68, 1));
	ASSERT_TRUE(pkt_next(w.tun, 100, &p));
	ASSERT_EQ(552, p.len);
	ASSERT_EQ(0, p.ip.frag_off & htons(0x6000));
}

CASE(pmtu_not_asked,
     "RFC 1191 6.6, ip(7) IP_MTU_DISCOVER: who does without: no DF, no belief")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct pkt p;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT));
	put(fd, 1460);
	ASSERT_TRUE(pkt_next(w.tun, 100, &p));
	ASSERT_EQ(1500, p.len);
	ASSERT_EQ(0, p.ip.frag_off & htons(0x6000));
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	quiet(50);
	in("A 1 ack 1461");
	put(fd, 1460);
	if (!NATIVE("believes it for what is sent later")) {
		out("PA 1461+1460");
	}
}

static int w_pmtudisc(int fd)
{
	socklen_t len = sizeof(int);
	int value = -1;

	getsockopt(fd, SOL_IP, IP_MTU_DISCOVER, &value, &len);
	return value;
}

CASE(pmtu_no_disc, "RFC 1191 6.6, ip_no_pmtu_disc: sockets begin without DF")
{
	struct pkt p;
	int fd;

	ASSERT_TRUE(w_sysctl("ip_no_pmtu_disc", "1"));
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(IP_PMTUDISC_DONT, w_pmtudisc(fd));
	put(fd, 1460);
	ASSERT_TRUE(pkt_next(w.tun, 100, &p));
	ASSERT_EQ(1500, p.len);
	ASSERT_EQ(0, p.ip.frag_off & htons(0x6000));
}

CASE(pmtu_no_errors, "RFC 1191 6.6, ip_no_pmtu_disc 2: no \"fragmentation needed\" is believed")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("ip_no_pmtu_disc", "2"));
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	quiet(100);
}

CASE(pmtu_verified, "RFC 5927 4.1, ip_no_pmtu_disc 3: what TCP has verified is believed")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("ip_no_pmtu_disc", "3"));
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 0x10001));
	quiet(100);
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
}

CASE(pmtu_least, "RFC 1191 6.6, ip_no_pmtu_disc 1: the MTU told does not count, min_pmtu does")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("ip_no_pmtu_disc", "1"));
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+512");
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

CASE(recverr_opening, "ip(7) IP_RECVERR: the error that ends an opening is on the queue, too")
{
	char control[256];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err *ee;
	int fd = w_socket();

	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_RECVERR, 1));
	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_TRUE(w_icmp(11, 0, 0, 0));
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_LE(0, recvmsg(fd, &msg, MSG_ERRQUEUE));
	ASSERT_EQ(IP_RECVERR, CMSG_FIRSTHDR(&msg)->cmsg_type);
	ee = (struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
	ASSERT_EQ(EHOSTUNREACH, ee->ee_errno);
	ASSERT_EQ(SO_EE_ORIGIN_ICMP, ee->ee_origin);
	ASSERT_EQ(11, ee->ee_type);
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
