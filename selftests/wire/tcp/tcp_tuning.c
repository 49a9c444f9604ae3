// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sysctls of TCP that 6.12 knows, some of which 6.1 does not: what each changes on the wire.
 */
#include "wire.h"

/* a sysctl that native has not everywhere */
#define SET(name, value)						\
	do {								\
		bool set = w_sysctl(name, value);			\
		if (!set && w.native)					\
			SKIP(return, "this kernel has no " name);	\
		ASSERT_TRUE(set);					\
	} while (0)

CASE(rto_min, "RFC 6298 2.4, tcp_rto_min_us: the floor below which no timeout lies")
{
	int fd;

	SET("tcp_rto_min_us", "600000");
	close(self->lfd);		/* it is the socket's when that is made */
	self->lfd = w_listen(8);
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	put(fd, 1000);
	out("PA 1+1000");
	out_at(600, "PA 1+1000");
	out_at(1200, "PA 1+1000");
}

CASE(rto_min_default, "RFC 6298 2.4: a socket that is there keeps its own")
{
	int fd;

	SET("tcp_rto_min_us", "600000");
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	put(fd, 1000);
	out("PA 1+1000");
	out_at(200, "PA 1+1000");
}

CASE(rto_min_probe, "RFC 8985 7.2, tcp_rto_min_us: so long a tail loss probe waits for an ACK")
{
	int fd;

	SET("tcp_rto_min_us", "100000");
	close(self->lfd);
	self->lfd = w_listen(8);
	ASSERT_TRUE(w_in("S 0 mss 1000 sackok"));
	out("SA 0 ack 1");
	sleep_s(0.05);
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 1000);
	out("PA 1+1000");
	/* 2 * SRTT and the minimum, or the RTO, which is smaller: SRTT and the minimum */
	out_at(150, "PA 1+1000");
}

CASE(rto_min_delack, "RFC 9293 3.8.6.3, tcp_rto_min_us: no ACK waits until the peer's RTO")
{
	int fd;

	SET("tcp_rto_min_us", "20000");
	close(self->lfd);
	self->lfd = w_listen(8);
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_QUICKACK, 0));
	in("PA 1+100");
	out_within(45, "A 1 ack 101");
	sleep_s(0.1);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_QUICKACK, 0));
	in("PA 101+100");
	quiet(5);
	out_within(20, "A 1 ack 201");
}

/* the urgent octet of ten, of which the pointer says 5 */
static int urgent(int lfd)
{
	int fd = w_passive(lfd, "mss 1000");
	uint8_t byte;

	if (fd < 0 || !w_in("UPA 1+10 urg 5") || !w_poll(fd, POLLPRI, 1000) ||
	    recv(fd, &byte, 1, MSG_OOB) != 1)
		return -1;
	return byte;
}

CASE(stdurg, "RFC 1122 4.2.2.4, tcp_stdurg 1: the pointer is of the urgent octet itself")
{
	ASSERT_TRUE(w_sysctl("tcp_stdurg", "1"));
	ASSERT_EQ(w_octet(5), urgent(self->lfd));
}

CASE(no_stdurg, "RFC 6093 2.1, tcp_stdurg 0: of the one behind it")
{
	ASSERT_EQ(w_octet(4), urgent(self->lfd));
}

CASE(stdurg_first, "RFC 1122 4.2.2.4, tcp_stdurg 1: a pointer of 0 is of the segment's first octet")
{
	int fd = w_passive(self->lfd, "mss 1460");
	uint8_t byte;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("tcp_stdurg", "1"));
	in("UPA 1+1 urg 0");
	out("A 1 ack 2");
	ASSERT_EQ(1, recv(fd, &byte, 1, MSG_OOB));
	ASSERT_EQ(w_octet(0), byte);
}

/* @n answers at once; then does an ACK wait? The socket, or -1 */
static int answers(int lfd, int n)
{
	int fd = w_passive(lfd, "mss 1000"), i;

	if (fd < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (!w_in("PA %d+10", 1 + i * 10) || !w_poll(fd, POLLIN, 1000) ||
		    w_recv(fd, 10) != 10 || (w_next(1, &(struct wseg){}), 0) ||
		    w_put(fd, 10, 0) != 10 || !w_next(100, &(struct wseg){}))
			return -1;
	return fd;
}

static bool waits(int fd)
{
	struct wseg s;

	w_in("PA %u+10 ack %u", w.got + 1, w.put + 1);
	return !w_next(20, &s);
}

CASE(pingpong, "RFC 9293 3.8.6.3, tcp_pingpong_thresh 1: one answer, and ACKs wait for the next")
{
	int fd = answers(self->lfd, 1);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(waits(fd));
}

CASE(pingpong_thresh, "RFC 9293 3.8.6.3, tcp_pingpong_thresh 4: it takes four")
{
	int fd;

	SET("tcp_pingpong_thresh", "4");
	fd = answers(self->lfd, 2);
	ASSERT_LE(0, fd);
	ASSERT_FALSE(waits(fd));
}

/* the right edge of the window after @n octets, in one segment */
static uint32_t edge(uint32_t at, int n, int ws)
{
	struct wseg s;

	if (!w_in("PA %u+%d", at, n) || !w_next(300, &s))
		return 0;
	return s.ack + (s.win << ws);
}

/* *@by: how far it moves when the buffer becomes small */
static bool moved(int lfd, int *by)
{
	int fd = w_passive(lfd, "mss 1000 ws 7");
	struct tcp_info i;
	socklen_t len = sizeof(i);
	uint32_t before;

	if (fd < 0 || getsockopt(fd, SOL_TCP, TCP_INFO, &i, &len))
		return false;
	before = edge(1, 1000, i.tcpi_rcv_wscale);
	if (!before || w_set(fd, SOL_SOCKET, SO_RCVBUF, 8192))
		return false;
	*by = edge(1001, 1000, i.tcpi_rcv_wscale) - before;
	return true;
}

CASE(agreed, "RFC 7323 1.3, 3.2 (MUST): what the SYNs agreed on stays, though sysctls change before the ACK")
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int fd;

	in("S 0 mss 1460 ws 7 sackok ts");
	out("SA 0 ack 1 ws 255 sackok ts");
	w.ts = true;
	ASSERT_TRUE(w_sysctl("tcp_window_scaling", "0"));
	ASSERT_TRUE(w_sysctl("tcp_timestamps", "0"));
	ASSERT_TRUE(w_sysctl("tcp_sack", "0"));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	ASSERT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE, info.tcpi_options &
		  (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE));
	ASSERT_TRUE(info.tcpi_snd_wscale == 7);
	put(fd, 10);
	out("PA 1+10 ts");
}

CASE(shrink_window, "RFC 9293 3.8.6 (SHLD-14), RFC 7323 2.4, tcp_shrink_window 1: the edge may")
{
	int by;

	SET("tcp_shrink_window", "1");
	ASSERT_TRUE(moved(self->lfd, &by));
	ASSERT_GT(-10000, by);
}

CASE(no_shrink_window, "RFC 9293 3.8.6 (SHLD-14): the right edge does not go left")
{
	int by;

	ASSERT_TRUE(moved(self->lfd, &by));
	ASSERT_LE(0, by);
}

/* TOS of the next packet of the connection */
static int next_tos(void)
{
	struct wseg s;
	struct pkt p;

	while (pkt_next(w.tun, 300, &p))
		if (w_read(&p, &s))
			return p.ip.tos;
	return -1;
}

/* a segment in words, in a packet of @tos */
static bool in_tos(const char *text, int tos)
{
	struct wseg s;
	struct pkt p;

	if (!w_parse(&s, text))
		return false;
	s.ecn = tos;
	w_build(&s, &p);
	return pkt_send(w.tun, &p);
}

CASE(reflect_tos, "RFC 2474 3, tcp_reflect_tos 1: all have the SYN's, but for ECN")
{
	int fd, tos = 0;
	socklen_t len = sizeof(tos);

	ASSERT_TRUE(w_sysctl("tcp_reflect_tos", "1"));
	ASSERT_TRUE(in_tos("S 0 mss 1000", 0xb8));
	ASSERT_EQ(0xb8, next_tos());
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_IP, IP_TOS, &tos, &len));
	ASSERT_EQ(0xb8, tos);
	put(fd, 10);
	ASSERT_EQ(0xb8, next_tos());
}

CASE(no_reflect_tos, "RFC 2474 3: else the listener's")
{
	int fd;

	ASSERT_EQ(0, w_set(self->lfd, SOL_IP, IP_TOS, 0x20));
	ASSERT_TRUE(in_tos("S 0 mss 1000", 0xb8));
	ASSERT_EQ(0x20, next_tos());
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 10);
	ASSERT_EQ(0x20, next_tos());
}

/* mark of a connection whose segments come in with mark 7; -1: trouble, -2: this kernel cannot */
static int mark_of(int lfd)
{
	int fd, mark = -1;
	socklen_t len = sizeof(mark);

	if (run("tc qdisc add dev t0 clsact 2>/dev/null") ||
	    run("tc filter add dev t0 ingress matchall action skbedit mark 7 2>/dev/null"))
		return -2;
	fd = w_passive(lfd, "mss 1000");
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len))
		return -1;
	return mark;
}

CASE(fwmark_accept, "socket(7) SO_MARK, tcp_fwmark_accept: the SYN's mark is the connection's")
{
	int mark;

	ASSERT_TRUE(w_sysctl("tcp_fwmark_accept", "1"));
	mark = mark_of(self->lfd);
	if (mark == -2)
		SKIP(return, "no skbedit");
	ASSERT_EQ(7, mark);
}

CASE(no_fwmark_accept, "socket(7) SO_MARK, tcp_fwmark_accept 0: or the listener's")
{
	int mark = mark_of(self->lfd);

	if (mark == -2)
		SKIP(return, "no skbedit");
	ASSERT_EQ(0, mark);
}

TEST_HARNESS_MAIN
