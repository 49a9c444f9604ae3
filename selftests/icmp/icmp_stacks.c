// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP and ping sockets as native has them: each case on the native stack and on Strata. A TUN
 * device is the wire: 10.8.0.1 is the host under test, everything else behind it this program.
 */
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include "../sock/sock_env.h"

#define HOST	"10.8.0.1"
#define PEER	"10.8.0.2"
#define ROUTER	"10.8.0.3"
#define QUIET_MS	300	/* long enough for an answer that must not come */
#define ANSWER_MS	3000

#ifndef ICMP_EXT_ECHO
#define ICMP_EXT_ECHO		42
#define ICMP_EXT_ECHOREPLY	43
#endif

FIXTURE(stacks) {
	int family;
	int tun;
	const char *conf;	/* below /proc/sys/net */
};

FIXTURE_VARIANT(stacks) {
	int stack;
};

FIXTURE_VARIANT_ADD(stacks, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(stacks, strata) { .stack = STRATA };

FIXTURE_SETUP(stacks)
{
	struct ifreq ifr = { .ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI };

	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	if (access("/dev/net/tun", F_OK))
		ASSERT_EQ(0, system("modprobe -q tun; mkdir -p /dev/net; [ -e /dev/net/tun ] || "
				    "mknod /dev/net/tun c 10 200"));
	self->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->tun);
	ASSERT_EQ(0, ioctl(self->tun, TUNSETIFF, &ifr));
	ASSERT_EQ(0, env_run("ip link set tun0 up && %s addr add 10.8.0.1/24 broadcast 10.8.0.255 dev tun0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	self->conf = variant->stack == NATIVE ? "ipv4" : "strata";
	ASSERT_EQ(0, env_run("echo 0 2147483647 > /proc/sys/net/%s/ping_group_range%s", self->conf,
			     ""));
}

FIXTURE_TEARDOWN(stacks)
{
}

/* with up to 40 octets of IP options */
struct packet {
	int len;
	union {
		struct iphdr ip;
		uint8_t b[2048];
	};
};

static struct packet p, in, e;

static uint16_t sum(const void *buf, int len)
{
	const uint8_t *b = buf;
	uint32_t s = 0;
	int i;

	for (i = 0; i + 1 < len; i += 2)
		s += b[i] << 8 | b[i + 1];
	if (len & 1)
		s += b[len - 1] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons(~s);
}

static struct icmphdr *icmp(struct packet *pkt)
{
	return (struct icmphdr *)(pkt->b + pkt->ip.ihl * 4);
}

static void finish(struct packet *pkt)
{
	pkt->ip.tot_len = htons(pkt->len);
	pkt->ip.check = 0;
	pkt->ip.check = sum(pkt->b, pkt->ip.ihl * 4);
	if (pkt->ip.protocol != IPPROTO_ICMP)
		return;
	icmp(pkt)->checksum = 0;
	icmp(pkt)->checksum = sum(icmp(pkt), pkt->len - pkt->ip.ihl * 4);
}

/* @len octets of payload behind a header with options */
static struct packet *make(struct packet *pkt, int proto, const char *from, const char *to,
			   const void *opt, int optlen, const void *data, int len)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->ip = (struct iphdr){ .version = 4, .ihl = 5 + optlen / 4, .ttl = 64, .id = htons(7),
				  .protocol = proto, .saddr = inet_addr(from),
				  .daddr = inet_addr(to) };
	memcpy(pkt->b + 20, opt, optlen);
	memcpy(pkt->b + 20 + optlen, data, len);
	pkt->len = 20 + optlen + len;
	finish(pkt);
	return pkt;
}

static struct packet *make_icmp(struct packet *pkt, const char *from, const char *to, int type,
				int code, int id)
{
	struct icmphdr h = { .type = type, .code = code, .un.echo.id = id };

	return make(pkt, IPPROTO_ICMP, from, to, NULL, 0, &h, sizeof(h));
}

/* an ICMP error of ROUTER's about @about */
static struct packet *make_error(const char *to, int type, int code, uint32_t info,
				 const struct packet *about)
{
	make_icmp(&e, ROUTER, to, type, code, 0);
	icmp(&e)->un.gateway = htonl(info);
	memcpy(e.b + 28, about->b, 28);
	e.len = 28 + 28;
	finish(&e);
	return &e;
}

static bool put(int tun, const struct packet *pkt)
{
	return write(tun, pkt->b, pkt->len) == pkt->len;
}

/* the next ICMP message of this type that comes within @ms */
static bool get(int tun, int ms, int type)
{
	struct pollfd pfd = { .fd = tun, .events = POLLIN };

	while (poll(&pfd, 1, ms) == 1) {
		in.len = read(tun, in.b, sizeof(in.b));
		if (in.len > 20 && in.ip.version == 4 && in.ip.protocol == IPPROTO_ICMP &&
		    icmp(&in)->type == type)
			return true;
	}
	return false;
}

static ssize_t request(int fd, int type, const char *to, int len)
{
	uint8_t msg[3000] = { type };

	return env_sendto(fd, msg, len, 0, to, 0);
}

/* the head of what is on the error queue, and whose datagram it was by its msg_name; or -errno */
static int next_error(int fd, struct sock_extended_err *ee, struct sockaddr_in *name, int *namelen)
{
	char control[256], data[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control), .msg_name = name,
			      .msg_namelen = sizeof(*name) };
	struct cmsghdr *c;

	memset(name, 0xff, sizeof(*name));
	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -errno;
	*namelen = msg.msg_namelen;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) {
			memcpy(ee, CMSG_DATA(c), sizeof(*ee));
			return 0;
		}
	return -ENOENT;
}

/* ping(8) knows by msg_name which of its targets an error is about; there is no port */
TEST_F(stacks, error_name)
{
	int fd = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	struct pollfd pfd = { .fd = fd };
	struct sock_extended_err ee;
	struct sockaddr_in name;
	int len;

	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_RECVERR, 1));
	ASSERT_EQ(16, request(fd, ICMP_ECHO, PEER, 16));
	ASSERT_TRUE(get(self->tun, ANSWER_MS, ICMP_ECHO));
	ASSERT_TRUE(put(self->tun, make_error(HOST, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, &in)));
	ASSERT_EQ(1, poll(&pfd, 1, ANSWER_MS));
	ASSERT_EQ(0, next_error(fd, &ee, &name, &len));
	EXPECT_EQ(SO_EE_ORIGIN_ICMP, ee.ee_origin);
	ASSERT_EQ(sizeof(name), len);
	EXPECT_EQ(AF_INET, name.sin_family);
	EXPECT_EQ(inet_addr(PEER), name.sin_addr.s_addr);
	EXPECT_EQ(0, name.sin_port);
	/* and so of an error that is found while sending */
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	EXPECT_ERRNO(EMSGSIZE, request(fd, ICMP_ECHO, PEER, 2000));
	ASSERT_EQ(0, next_error(fd, &ee, &name, &len));
	EXPECT_EQ(SO_EE_ORIGIN_LOCAL, ee.ee_origin);
	ASSERT_EQ(sizeof(name), len);
	EXPECT_EQ(inet_addr(PEER), name.sin_addr.s_addr);
	EXPECT_EQ(0, name.sin_port);
}

/* an id may be shared, which is so from the start; one that is given by itself never is */
TEST_F(stacks, ids)
{
	static uint8_t seen[65536];
	int fd[3], i, id, given;

	for (i = 0; i < 3; i++) {
		fd[i] = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
		EXPECT_EQ(1, env_getopt(fd[i], SOL_SOCKET, SO_REUSEADDR));
	}
	ASSERT_EQ(0, env_bind(fd[0], "0.0.0.0", 1234));
	EXPECT_EQ(0, env_bind(fd[1], "0.0.0.0", 1234));
	ASSERT_EQ(0, env_setopt(fd[2], SOL_SOCKET, SO_REUSEADDR, 0));
	EXPECT_ERRNO(EADDRINUSE, env_bind(fd[2], "0.0.0.0", 1234));
	EXPECT_EQ(0, env_bind(fd[2], "0.0.0.0", 1235));
	close(fd[0]);
	close(fd[1]);
	for (given = 0; given < 900; given++) {
		i = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
		ASSERT_LE(0, i);
		ASSERT_EQ(0, env_bind(i, "0.0.0.0", 0));
		id = env_port(i);
		EXPECT_NE(0, id);
		EXPECT_EQ(0, seen[id]++);
	}
}

/*
 * What is for one host alone is not heard when it comes to many: replies and errors. Requests
 * are, if the administrator says so (RFC 1122 3.2.2.6)
 */
TEST_F(stacks, to_many)
{
	static const char * const many[] = { "255.255.255.255", "10.8.0.255" };
	int fd = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP), i;
	uint8_t buf[100];

	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_RECVERR, 1));
	ASSERT_EQ(16, request(fd, ICMP_ECHO, PEER, 16));
	ASSERT_TRUE(get(self->tun, ANSWER_MS, ICMP_ECHO));
	memcpy(&p, &in, sizeof(p));
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		make_icmp(&e, PEER, many[i], ICMP_ECHOREPLY, 0, icmp(&p)->un.echo.id);
		ASSERT_TRUE(put(self->tun, &e));
		make_error(many[i], ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, &p);
		ASSERT_TRUE(put(self->tun, &e));
		make_icmp(&e, PEER, many[i], ICMP_ECHO, 0, 1);
		ASSERT_TRUE(put(self->tun, &e));
	}
	EXPECT_FALSE(get(self->tun, QUIET_MS, ICMP_ECHOREPLY));
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_ERRNO(EAGAIN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(0, env_run("awk '/^Icmp:/ { for (i = 1; i <= NF; i++) if (!n) name[i] = $i; "
			     "else if (name[i] == \"InErrors\") exit ($i != 6); n++ }' "
			     "/proc/net/%ssnmp%s", variant->stack == NATIVE ? "" : "strata/", ""));

	ASSERT_EQ(0, env_run("echo 0 > /proc/sys/net/%s/icmp_echo_ignore_broadcasts%s", self->conf,
			     ""));
	make_icmp(&e, PEER, many[1], ICMP_ECHO, 0, 1);
	ASSERT_TRUE(put(self->tun, &e));
	EXPECT_TRUE(get(self->tun, ANSWER_MS, ICMP_ECHOREPLY));
	/* what comes to this host is heard */
	make_icmp(&e, PEER, HOST, ICMP_ECHOREPLY, 0, icmp(&p)->un.echo.id);
	ASSERT_TRUE(put(self->tun, &e));
	ASSERT_EQ(1, env_readable(fd));
	EXPECT_EQ(8, recv(fd, buf, sizeof(buf), 0));
}

/* RFC 8335: a ping socket asks for the state of an interface, and has the answer and errors */
TEST_F(stacks, probe)
{
	int fd = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	struct pollfd pfd = { .fd = fd };
	uint8_t buf[100];

	EXPECT_ERRNO(EINVAL, request(fd, ICMP_EXT_ECHOREPLY, PEER, 16));
	EXPECT_ERRNO(EINVAL, request(fd, ICMP_TIMESTAMP, PEER, 16));
	ASSERT_EQ(16, request(fd, ICMP_EXT_ECHO, PEER, 16));
	ASSERT_TRUE(get(self->tun, ANSWER_MS, ICMP_EXT_ECHO));
	EXPECT_EQ(htons(env_port(fd)), icmp(&in)->un.echo.id);
	EXPECT_EQ(0, sum(icmp(&in), in.len - 20));
	make_icmp(&e, PEER, HOST, ICMP_EXT_ECHOREPLY, 0, icmp(&in)->un.echo.id);
	ASSERT_TRUE(put(self->tun, &e));
	ASSERT_EQ(1, env_readable(fd));
	ASSERT_EQ(8, recv(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(ICMP_EXT_ECHOREPLY, buf[0]);

	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_RECVERR, 1));
	ASSERT_TRUE(put(self->tun, make_error(HOST, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, &in)));
	ASSERT_EQ(1, poll(&pfd, 1, ANSWER_MS));
	EXPECT_EQ(EHOSTUNREACH, env_getopt(fd, SOL_SOCKET, SO_ERROR));
	/* nobody here answers one, unless asked to */
	make_icmp(&e, PEER, HOST, ICMP_EXT_ECHO, 0, 1);
	ASSERT_TRUE(put(self->tun, &e));
	EXPECT_FALSE(get(self->tun, QUIET_MS, ICMP_EXT_ECHOREPLY));
}

static int errors_drawn(int tun, const char *from, int tries)
{
	int i, n = 0;

	for (i = 0; i < tries; i++)
		put(tun, make(&p, 253, from, HOST, NULL, 0, "abcdefgh", 8));
	while (get(tun, QUIET_MS, ICMP_DEST_UNREACH))
		n++;
	return n;
}

/* RFC 1812 4.3.2.8: a host that draws errors is given 6 and one a second; others have theirs */
TEST_F(stacks, rate_limit_host)
{
	int n = errors_drawn(self->tun, PEER, 50);

	EXPECT_LE(6, n);
	EXPECT_GE(8, n);	/* a slow machine takes a second */
	n = errors_drawn(self->tun, ROUTER, 50);
	EXPECT_LE(6, n);
	EXPECT_GE(8, n);
	sleep(3);
	n = errors_drawn(self->tun, PEER, 50);
	EXPECT_LE(2, n);
	EXPECT_GE(5, n);
	/* a type that is not in the mask is not limited */
	ASSERT_EQ(0, env_run("echo %s > /proc/sys/net/%s/icmp_ratemask", "6160", self->conf));
	EXPECT_EQ(50, errors_drawn(self->tun, PEER, 50));
}

/* RFC 1122 3.2.2: no error about an error, nor about a fragment but the first */
TEST_F(stacks, silence)
{
	static const uint8_t bad[4] = { 7, 0, 0, 0 };	/* a record of routes without a length */
	struct icmphdr h = { .type = ICMP_ECHO };
	uint8_t data[8 + 28];

	make(&p, IPPROTO_ICMP, PEER, HOST, bad, 4, &h, sizeof(h));
	ASSERT_TRUE(put(self->tun, &p));
	ASSERT_TRUE(get(self->tun, ANSWER_MS, ICMP_PARAMETERPROB));
	p.ip.frag_off = htons(IP_MF);
	finish(&p);
	ASSERT_TRUE(put(self->tun, &p));
	ASSERT_TRUE(get(self->tun, ANSWER_MS, ICMP_PARAMETERPROB));

	p.ip.frag_off = htons(10);
	finish(&p);
	ASSERT_TRUE(put(self->tun, &p));
	EXPECT_FALSE(get(self->tun, QUIET_MS, ICMP_PARAMETERPROB));

	make(&in, IPPROTO_UDP, HOST, PEER, NULL, 0, "abcdefgh", 8);
	h.type = ICMP_DEST_UNREACH;
	memcpy(data, &h, sizeof(h));
	memcpy(data + 8, in.b, 28);
	make(&p, IPPROTO_ICMP, PEER, HOST, bad, 4, data, sizeof(data));
	ASSERT_TRUE(put(self->tun, &p));
	EXPECT_FALSE(get(self->tun, QUIET_MS, ICMP_PARAMETERPROB));
	h.type = ICMP_TIME_EXCEEDED;
	memcpy(data, &h, sizeof(h));
	make(&p, IPPROTO_ICMP, PEER, HOST, bad, 4, data, sizeof(data));
	ASSERT_TRUE(put(self->tun, &p));
	EXPECT_FALSE(get(self->tun, QUIET_MS, ICMP_PARAMETERPROB));
}

TEST_HARNESS_MAIN
