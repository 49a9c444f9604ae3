// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP on the wire and at ping sockets: echo, errors sent (quotes, limits) and
 * errors received (matched, delivered, path MTU). RFC 792, 1122 3.2.2, 1191, 1812 4.3.2.
 */
#include <time.h>
#include <linux/errqueue.h>
#include "../kselftest_harness.h"
#include "../lib/tun.h"

static struct pkt p, e, a;

FIXTURE(icmp) {
	struct rtnl r;
	int tun;
	int sk;
};

FIXTURE_SETUP(icmp)
{
	struct timeval tv = { .tv_sec = 3 };

	self->tun = tun_open(&self->r, HOST, 24);
	ASSERT_GE(self->tun, 0);
	self->sk = socket(TEST_FAMILY, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	ASSERT_GE(self->sk, 0);
	ASSERT_EQ(0, setsockopt(self->sk, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
}

FIXTURE_TEARDOWN(icmp)
{
	close(self->sk);
	close(self->tun);
	close(self->r.fd);
}

static struct sockaddr_in to(const char *addr)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(addr) };
}

/* the next echo request on the wire */
static bool request(int tun)
{
	while (pkt_next(tun, ANSWER_MS, &p))
		if (p.ip.protocol == IPPROTO_ICMP && pkt_icmp(&p)->type == ICMP_ECHO)
			return true;
	return false;
}

/* an ICMP error about p, from a router */
static void error_about(int type, int code, uint32_t info, int quote)
{
	struct icmphdr h = { .type = type, .code = code, .un.gateway = htonl(info) };

	ip_make(&e, IPPROTO_ICMP, &h, sizeof(h));
	memcpy(e.b + 28, p.b, quote);
	e.len = 28 + quote;
	e.ip.tot_len = htons(e.len);
	e.ip.saddr = inet_addr("192.0.2.77");
	icmp_sum(&e);
	ip_sum(&e);
}

static ssize_t ping(int sk, int seq, int len, const char *dst)
{
	static uint8_t msg[65536];
	struct icmphdr h = { .type = ICMP_ECHO, .un.echo.sequence = htons(seq) };
	struct sockaddr_in sin = to(dst);
	int i;

	memcpy(msg, &h, sizeof(h));
	for (i = 0; i < len; i++)
		msg[8 + i] = i * 3 + seq;
	return sendto(sk, msg, 8 + len, 0, (void *)&sin, sizeof(sin));
}

static int so_error(int sk)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(sk, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

TEST_F(icmp, echo_in_all_sizes)
{
	static const int size[] = { 0, 1, 7, 8, 100, 1471, 1472 };
	unsigned int i;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		echo_make(&p, i, size[i]);
		pkt_send(self->tun, &p);
		ASSERT_TRUE(icmp_next(self->tun, ANSWER_MS, ICMP_ECHOREPLY, 0, &a));
		ASSERT_EQ(p.len, a.len);
		EXPECT_EQ(0, sum16(a.b + 20, a.len - 20));
		EXPECT_EQ(0, memcmp(a.b + 24, p.b + 24, p.len - 24));
	}
}

TEST_F(icmp, bad_requests)
{
	int len, bit;

	for (len = 0; len < 8; len++) {
		echo_make(&p, 1, 0);
		p.len = 20 + len;
		p.ip.tot_len = htons(p.len);
		if (len >= 4)
			icmp_sum(&p);
		ip_sum(&p);
		pkt_send(self->tun, &p);
	}
	for (bit = 0; bit < 16; bit++) {
		echo_make(&p, 1, 32);
		pkt_icmp(&p)->checksum ^= 1 << bit;
		pkt_send(self->tun, &p);
	}
	EXPECT_FALSE(pkt_next(self->tun, QUIET_MS, &a));
}

TEST_F(icmp, echo_can_be_ignored)
{
	ASSERT_EQ(0, run("sysctl -qw net.strata.icmp_echo_ignore_all=1"));
	echo_make(&p, 1, 32);
	pkt_send(self->tun, &p);
	EXPECT_FALSE(pkt_next(self->tun, QUIET_MS, &a));
}

/* RFC 1812 4.3.2.3: as much of the packet as fits into 576 octets */
TEST_F(icmp, quote)
{
	static uint8_t data[1400];
	int len;

	for (len = 0; len < (int)sizeof(data); len++)
		data[len] = len * 5;
	ip_make(&p, 253, data, sizeof(data));
	pkt_send(self->tun, &p);
	ASSERT_TRUE(icmp_next(self->tun, ANSWER_MS, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, &a));
	EXPECT_EQ(576, a.len);
	EXPECT_EQ(0, memcmp(a.b + 28, p.b, 548));
	EXPECT_EQ(0, sum16(a.b + 20, a.len - 20));
}

/* of all hosts together; each has a limit of its own, too (icmp_stacks) */
TEST_F(icmp, rate_limit)
{
	int i, n = 0;

	ASSERT_EQ(0, run("sysctl -qw net.strata.icmp_msgs_per_sec=1 net.strata.icmp_msgs_burst=5 "
			 "net.strata.icmp_ratelimit=0"));
	sleep_s(1.2);
	for (i = 0; i < 100; i++) {
		ip_make(&p, 253, "abcdefgh", 8);
		pkt_send(self->tun, &p);
	}
	while (icmp_next(self->tun, QUIET_MS, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, &a))
		n++;
	EXPECT_GE(n, 1);
	EXPECT_LE(n, 20);	/* one in all costs 0 to 2 of the 5 */
	EXPECT_EQ(0, run("awk '/^Icmp:/ { for (i = 1; i <= NF; i++) if (!n) name[i] = $i; "
			 "else if (name[i] == \"OutRateLimitGlobal\") exit ($i != %d); n++ }' "
			 "/proc/net/strata/snmp", 100 - n));
	/* replies are no errors: not limited */
	for (i = 0, n = 0; i < 50; i++) {
		echo_make(&p, i, 8);
		pkt_send(self->tun, &p);
		n += icmp_next(self->tun, ANSWER_MS, ICMP_ECHOREPLY, 0, &a);
	}
	EXPECT_EQ(50, n);
}

/* RFC 1812 4.3.2.8: who counts the errors does not learn from it how many others were sent */
TEST_F(icmp, rate_limit_random)
{
	int round, i, n, least = 1000, most = 0;

	ASSERT_EQ(0, run("sysctl -qw net.strata.icmp_msgs_per_sec=100 "
			 "net.strata.icmp_msgs_burst=30 net.strata.icmp_ratelimit=0"));
	for (round = 0; round < 12; round++) {
		sleep_s(0.5);	/* and a slow machine may take as long for the hundred */
		for (i = 0; i < 100; i++) {
			ip_make(&p, 253, "abcdefgh", 8);
			pkt_send(self->tun, &p);
		}
		n = 0;
		while (icmp_next(self->tun, QUIET_MS, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, &a))
			n++;
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	EXPECT_LT(0, least);
	EXPECT_LT(least, most);
}

/* ---- ping sockets ---- */

TEST_F(icmp, ping)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	uint8_t buf[200];

	ASSERT_EQ(108, ping(self->sk, 5, 100, ME));
	ASSERT_TRUE(request(self->tun));
	EXPECT_EQ(0, sum16(pkt_icmp(&p), p.len - 20));
	EXPECT_EQ(inet_addr(HOST), p.ip.saddr);
	p.ip.daddr = p.ip.saddr;
	p.ip.saddr = inet_addr(ME);
	pkt_icmp(&p)->type = ICMP_ECHOREPLY;
	icmp_sum(&p);
	ip_sum(&p);
	pkt_send(self->tun, &p);
	ASSERT_EQ(108, recvfrom(self->sk, buf, sizeof(buf), 0, (void *)&from, &len));
	EXPECT_EQ(0, memcmp(buf, pkt_icmp(&p), 108));
	EXPECT_EQ(AF_INET, from.sin_family);
	EXPECT_EQ(inet_addr(ME), from.sin_addr.s_addr);
	/* another id is another socket's */
	pkt_icmp(&p)->un.echo.id ^= 0x55;
	icmp_sum(&p);
	pkt_send(self->tun, &p);
	EXPECT_EQ(-1, recv(self->sk, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* own addresses and 127/8 never leave, at every size */
TEST_F(icmp, ping_self)
{
	static const char * const self_addr[] = { HOST, "127.0.0.1", "127.9.8.7" };
	static const int size[] = { 0, 1, 1472, 1473, 20000, 65507 - 8 };
	static uint8_t buf[65536];
	unsigned int i, j;
	int big = 1 << 20;

	setsockopt(self->sk, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	setsockopt(self->sk, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	for (i = 0; i < 3; i++)
		for (j = 0; j < 6; j++) {
			ASSERT_EQ(8 + size[j], ping(self->sk, j, size[j], self_addr[i]));
			ASSERT_EQ(8 + size[j], recv(self->sk, buf, sizeof(buf), 0));
			EXPECT_EQ(ICMP_ECHOREPLY, buf[0]);
		}
	EXPECT_FALSE(pkt_next(self->tun, QUIET_MS, &a));
}

TEST_F(icmp, ping_calls)
{
	struct icmphdr h = { .type = ICMP_ECHO };
	struct sockaddr_in sin = to(ME);

	EXPECT_EQ(-1, send(self->sk, &h, sizeof(h), 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	EXPECT_EQ(-1, sendto(self->sk, &h, 7, 0, (void *)&sin, sizeof(sin)));
	EXPECT_EQ(EINVAL, errno);
	h.type = ICMP_ECHOREPLY;
	EXPECT_EQ(-1, sendto(self->sk, &h, sizeof(h), 0, (void *)&sin, sizeof(sin)));
	EXPECT_EQ(EINVAL, errno);
	h.type = ICMP_ECHO;
	EXPECT_EQ(-1, sendto(self->sk, NULL, 8, 0, (void *)&sin, sizeof(sin)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, sendto(self->sk, &h, sizeof(h), MSG_OOB, (void *)&sin, sizeof(sin)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, sendto(self->sk, &h, sizeof(h), 0, (void *)&sin, 4));
	EXPECT_EQ(EINVAL, errno);
	sin.sin_family = AF_INET6;
	EXPECT_EQ(-1, sendto(self->sk, &h, sizeof(h), 0, (void *)&sin, sizeof(sin)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	EXPECT_EQ(-1, ping(self->sk, 1, 8, "203.0.113.1"));
	EXPECT_EQ(ENETUNREACH, errno);
	EXPECT_EQ(-1, ping(self->sk, 1, 8, "10.0.0.255"));
	EXPECT_EQ(EACCES, errno);
}

static int next_error(int sk, struct sock_extended_err *ee)
{
	char control[256], data[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(sk, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -errno;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) {
			memcpy(ee, CMSG_DATA(c), sizeof(*ee));
			return 0;
		}
	return -ENOENT;
}

/* errors of every kind, in the error queue with their type and code */
TEST_F(icmp, errors_received)
{
	static const struct {
		int type, code, err;
		uint32_t rest, info;	/* of the header, and what is told of it */
	} c[] = {
		{ ICMP_DEST_UNREACH, ICMP_NET_UNREACH, ENETUNREACH, 0, 0 },
		{ ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, EHOSTUNREACH, 0, 0 },
		{ ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, ENOPROTOOPT, 0, 0 },
		{ ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, ECONNREFUSED, 0, 0 },
		{ ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, EHOSTUNREACH, 0, 0 },
		{ ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, EHOSTUNREACH, 0, 0 },
		{ ICMP_PARAMETERPROB, 0, EPROTO, 20U << 24, 20 },
	};
	struct sock_extended_err ee;
	struct pollfd pfd = { .fd = self->sk };
	unsigned int i;
	int one = 1;

	ASSERT_EQ(0, setsockopt(self->sk, SOL_IP, IP_RECVERR, &one, sizeof(one)));
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		ASSERT_EQ(16, ping(self->sk, i, 8, ME));
		ASSERT_TRUE(request(self->tun));
		error_about(c[i].type, c[i].code, c[i].rest, 28);
		pkt_send(self->tun, &e);
		ASSERT_EQ(1, poll(&pfd, 1, ANSWER_MS));
		EXPECT_EQ(c[i].err, so_error(self->sk));
		ASSERT_EQ(0, next_error(self->sk, &ee));
		EXPECT_EQ(c[i].err, ee.ee_errno);
		EXPECT_EQ(c[i].type, ee.ee_type);
		EXPECT_EQ(c[i].code, ee.ee_code);
		EXPECT_EQ(SO_EE_ORIGIN_ICMP, ee.ee_origin);
		EXPECT_EQ(c[i].info, ee.ee_info);
	}
}

/* errors about what we did not send, about one lost fragment, or unreadable ones concern nobody */
TEST_F(icmp, errors_not_ours)
{
	struct sock_extended_err ee;
	int one = 1, quote;

	ASSERT_EQ(0, setsockopt(self->sk, SOL_IP, IP_RECVERR, &one, sizeof(one)));
	ASSERT_EQ(16, ping(self->sk, 1, 8, ME));
	ASSERT_TRUE(request(self->tun));
	for (quote = 0; quote < 28; quote++) {
		error_about(ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, quote);
		pkt_send(self->tun, &e);
	}
	error_about(ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0, 28);
	pkt_send(self->tun, &e);
	pkt_icmp(&p)->un.echo.id ^= 0x55;
	error_about(ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, 28);
	pkt_send(self->tun, &e);
	pkt_icmp(&p)->un.echo.id ^= 0x55;
	p.ip.saddr = inet_addr("10.0.0.99");
	error_about(ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, 28);
	pkt_send(self->tun, &e);
	p.ip.saddr = inet_addr(HOST);
	p.ip.frag_off = htons(1);
	error_about(ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, 28);
	pkt_send(self->tun, &e);
	p.ip.frag_off = 0;
	error_about(ICMP_REDIRECT, 1, 0x0a000042, 28);
	pkt_send(self->tun, &e);
	sleep_s(QUIET_MS / 1000.0);
	EXPECT_EQ(0, so_error(self->sk));
	EXPECT_EQ(-EAGAIN, next_error(self->sk, &ee));
}

static int path_mtu(int sk)
{
	socklen_t len = sizeof(int);
	int mtu = -1;

	getsockopt(sk, SOL_IP, IP_MTU, &mtu, &len);
	return mtu;
}

/* RFC 1191: told, by the table, clamped to min_pmtu, forgotten after mtu_expires */
TEST_F(icmp, path_mtu)
{
	struct sockaddr_in sin = to(ME);
	double end;

	ASSERT_EQ(0, connect(self->sk, (void *)&sin, sizeof(sin)));
	EXPECT_EQ(1500, path_mtu(self->sk));
	ASSERT_EQ(1408, ping(self->sk, 1, 1400, ME));
	ASSERT_TRUE(request(self->tun));
	EXPECT_EQ(htons(IP_DF), p.ip.frag_off);
	ASSERT_EQ(0, run("sysctl -qw net.strata.mtu_expires=2"));
	error_about(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 1300, 28);
	pkt_send(self->tun, &e);
	sleep_s(0.2);
	EXPECT_EQ(EMSGSIZE, so_error(self->sk));
	EXPECT_EQ(1300, path_mtu(self->sk));
	/* larger ones are cut now */
	ASSERT_EQ(1408, ping(self->sk, 2, 1400, ME));
	ASSERT_TRUE(request(self->tun));
	EXPECT_EQ(htons(IP_MF), p.ip.frag_off);
	EXPECT_LE(p.len, 1300);
	/* never up */
	error_about(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 1400, 28);
	pkt_send(self->tun, &e);
	sleep_s(0.2);
	EXPECT_EQ(1300, path_mtu(self->sk));
	/* a router that tells no MTU: the next plateau below what was sent (RFC 1191 7.1) */
	p.ip.tot_len = htons(1300);
	error_about(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 0, 28);
	pkt_send(self->tun, &e);
	sleep_s(0.2);
	EXPECT_EQ(1006, path_mtu(self->sk));
	error_about(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 68, 28);
	pkt_send(self->tun, &e);
	sleep_s(0.2);
	EXPECT_EQ(552, path_mtu(self->sk));
	for (end = now_s() + 10; path_mtu(self->sk) != 1500 && now_s() < end;)
		sleep_s(0.1);
	EXPECT_EQ(1500, path_mtu(self->sk));
}

TEST_F(icmp, dont_fragment)
{
	int want = IP_PMTUDISC_DO, one = 1;
	struct sock_extended_err ee;

	ASSERT_EQ(0, setsockopt(self->sk, SOL_IP, IP_MTU_DISCOVER, &want, sizeof(want)));
	EXPECT_EQ(1480, ping(self->sk, 1, 1472, ME));
	EXPECT_EQ(-1, ping(self->sk, 1, 1473, ME));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(0, setsockopt(self->sk, SOL_IP, IP_RECVERR, &one, sizeof(one)));
	EXPECT_EQ(-1, ping(self->sk, 1, 1473, ME));
	ASSERT_EQ(0, next_error(self->sk, &ee));
	EXPECT_EQ(EMSGSIZE, ee.ee_errno);
	EXPECT_EQ(SO_EE_ORIGIN_LOCAL, ee.ee_origin);
	EXPECT_EQ(1500, ee.ee_info);
}

TEST_F(icmp, ttl_and_tos)
{
	int ttl = 5, tos = 0x28;

	ASSERT_EQ(0, setsockopt(self->sk, SOL_IP, IP_TTL, &ttl, sizeof(ttl)));
	ASSERT_EQ(0, setsockopt(self->sk, SOL_IP, IP_TOS, &tos, 1));
	ASSERT_EQ(16, ping(self->sk, 1, 8, ME));
	ASSERT_TRUE(request(self->tun));
	EXPECT_EQ(5, p.ip.ttl);
	EXPECT_EQ(0x28, p.ip.tos);
	ttl = 256;
	EXPECT_EQ(-1, setsockopt(self->sk, SOL_IP, IP_TTL, &ttl, sizeof(ttl)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(self->sk, SOL_IP, IP_TTL, &ttl, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(self->sk, SOL_IP, IP_TTL, NULL, 4));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(self->sk, SOL_IP, 9999, &ttl, 4));
	EXPECT_EQ(ENOPROTOOPT, errno);
}

TEST_HARNESS_MAIN
