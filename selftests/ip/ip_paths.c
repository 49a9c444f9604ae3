// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which way packets go, how large they may be there and what identifies them: path MTUs (RFC 1191),
 * directed broadcasts (RFC 919), identifications (RFC 6864), fragments by two devices. Both stacks
 * are asked the same. The devices' far ends are the test:
 *
 *	the host under test: 10.8.0.1/24  --- tun0 ---  10.8.0.2 and others
 *			     10.9.0.1/24  --- tun1 ---  10.9.0.2 and others
 */
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include "../sock/sock_env.h"

#define HOST	"10.8.0.1"
#define PEER	"10.8.0.2"
#define PORT	5000

__attribute__((constructor)) static void tun_load(void)
{
	if (access("/dev/net/tun", F_OK) &&
	    system("modprobe -q tun; mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200"))
		perror("/dev/net/tun");
}

struct packet {
	int len;
	union {
		struct iphdr ip;
		uint8_t b[4096];
	};
};

FIXTURE(paths) {
	int family;
	int tun[2];
	int fd;
};

FIXTURE_VARIANT(paths) {
	int stack;
};

FIXTURE_VARIANT_ADD(paths, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(paths, strata) { .stack = STRATA };

static int device(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	strcpy(ifr.ifr_name, name);
	return fd < 0 || ioctl(fd, TUNSETIFF, &ifr) ? -1 : fd;
}

FIXTURE_SETUP(paths)
{
	const char *tool = variant->stack == NATIVE ? "ip" : "strata";

	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->tun[0] = device("tun0");
	self->tun[1] = device("tun1");
	ASSERT_LE(0, self->tun[0]);
	ASSERT_LE(0, self->tun[1]);
	ASSERT_EQ(0, system("ip link set tun0 up && ip link set tun1 up"));
	ASSERT_EQ(0, env_run("%s addr add 10.8.0.1/24 dev tun0%s", tool, ""));
	ASSERT_EQ(0, env_run("%s addr add 10.9.0.1/24 dev tun1%s", tool, ""));
	self->fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(self->fd, "0.0.0.0", PORT));
}

FIXTURE_TEARDOWN(paths)
{
}

/* net.ipv4.@name of native, net.strata.@name else */
static int sysctl_set(int family, const char *name, const char *value)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "sysctl -qw net.%s.%s=%s",
		 family == AF_INET ? "ipv4" : "strata", name, value);
	return system(cmd);
}

/* native has those of routes one folder deeper */
static int sysctl_route(int family, const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "%s%s", family == AF_INET ? "route." : "", name);
	return sysctl_set(family, path, value);
}

static uint16_t sum(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint32_t s = 0;
	size_t i;

	for (i = 0; i < len; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons(~s);
}

/* the next datagram that leaves by @tun within 200 ms, NULL: none */
static const struct packet *sent(int tun)
{
	struct pollfd pfd = { .fd = tun, .events = POLLIN };
	static struct packet p;

	while (poll(&pfd, 1, 200) == 1) {
		p.len = read(tun, p.b, sizeof(p.b));
		if (p.len > 20 && p.ip.version == 4 && p.ip.protocol == IPPROTO_UDP)
			return &p;
	}
	return NULL;
}

static void ip_head(struct packet *p, const char *from, const char *to, int proto, int len)
{
	p->len = sizeof(p->ip) + len;
	p->ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = proto, .tot_len = htons(p->len),
		.saddr = inet_addr(from), .daddr = inet_addr(to),
	};
	p->ip.check = sum(&p->ip, sizeof(p->ip));
}

static bool inject(int tun, const struct packet *p)
{
	return write(tun, p->b, p->len) == p->len && !usleep(20000);
}

/* "fragmentation needed", of a datagram from PORT to port 6000 of @to */
static bool too_big(int tun, const char *to, int mtu)
{
	struct icmphdr *icmp;
	struct udphdr *udp;
	struct packet p, q;

	ip_head(&q, HOST, to, IPPROTO_UDP, 8);
	q.ip.tot_len = htons(1500);
	udp = (void *)(q.b + 20);
	*udp = (struct udphdr){ .source = htons(PORT), .dest = htons(6000), .len = htons(1480) };
	ip_head(&p, "10.8.0.3", HOST, IPPROTO_ICMP, 8 + 28);
	icmp = (void *)(p.b + 20);
	*icmp = (struct icmphdr){ .type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED };
	icmp->un.frag.mtu = htons(mtu);
	memcpy(icmp + 1, q.b, 28);
	icmp->checksum = sum(icmp, 8 + 28);
	return inject(tun, &p);
}

/* ---- path MTUs ---- */

/*
 * RFC 1191 6.6, Documentation/networking/ip-sysctl.rst: with ip_no_pmtu_disc sockets begin without
 * DF, of every protocol
 */
TEST_F(paths, no_pmtu_disc)
{
	static const struct {
		const char *value;
		int is;
	} c[] = {
		{ "0", IP_PMTUDISC_WANT }, { "1", IP_PMTUDISC_DONT }, { "2", IP_PMTUDISC_DONT },
		{ "3", IP_PMTUDISC_DONT }, { "4", IP_PMTUDISC_DONT },
	};
	static char data[1000];
	const struct packet *p;
	int udp, tcp;

	for (int i = 0; i < ARRAY_SIZE(c); i++) {
		ASSERT_EQ(0, sysctl_set(self->family, "ip_no_pmtu_disc", c[i].value));
		udp = socket(self->family, SOCK_DGRAM, 0);
		tcp = socket(self->family, SOCK_STREAM, 0);
		EXPECT_EQ(c[i].is, env_getopt(udp, SOL_IP, IP_MTU_DISCOVER)) TH_LOG("%d", i);
		EXPECT_EQ(c[i].is, env_getopt(tcp, SOL_IP, IP_MTU_DISCOVER)) TH_LOG("%d", i);
		ASSERT_EQ(1000, env_sendto(udp, data, 1000, 0, PEER, 6000));
		p = sent(self->tun[0]);
		ASSERT_NE(NULL, p);
		EXPECT_EQ(i ? 0 : htons(IP_DF), p->ip.frag_off & htons(IP_DF)) TH_LOG("%d", i);
		close(udp);
		close(tcp);
	}
	/* those that were there keep what they had */
	EXPECT_EQ(IP_PMTUDISC_WANT, env_getopt(self->fd, SOL_IP, IP_MTU_DISCOVER));
}

/*
 * And what routers say to who wants to know all the same. 1: never mind the MTU that is told, it
 * is min_pmtu; 2: nothing; 3: nothing that is not verified, and UDP does not
 */
TEST_F(paths, no_pmtu_disc_errors)
{
	static const struct {
		const char *value;
		int err, mtu;
	} c[] = {
		{ "2", 0, 1500 }, { "3", 0, 1500 }, { "0", EMSGSIZE, 1000 },
		{ "1", EMSGSIZE, 552 },
	};

	ASSERT_EQ(0, env_connect(self->fd, PEER, 6000));
	for (int i = 0; i < ARRAY_SIZE(c); i++) {
		ASSERT_EQ(0, sysctl_set(self->family, "ip_no_pmtu_disc", c[i].value));
		ASSERT_TRUE(too_big(self->tun[0], PEER, 1000));
		EXPECT_EQ(c[i].err, env_getopt(self->fd, SOL_SOCKET, SO_ERROR)) TH_LOG("%d", i);
		EXPECT_EQ(c[i].mtu, env_getopt(self->fd, SOL_IP, IP_MTU)) TH_LOG("%d", i);
	}
}

/* RFC 1191 6.3: a message that does not lower the MTU is none; what it says is not remembered */
TEST_F(paths, pmtu_that_is_no_news)
{
	ASSERT_EQ(0, env_connect(self->fd, PEER, 6000));
	ASSERT_TRUE(too_big(self->tun[0], PEER, 1600));
	ASSERT_EQ(0, system("ip link set tun0 mtu 9000"));
	EXPECT_EQ(9000, env_getopt(self->fd, SOL_IP, IP_MTU));
}

/* one of many learns it, at once and alone, and forgets it (6.3) */
TEST_F_TIMEOUT(paths, pmtu_of_each, 90)
{
	enum { MANY = 80 };
	int fd[MANY], i;
	char to[16];

	ASSERT_EQ(0, sysctl_route(self->family, "mtu_expires", "20"));
	close(self->fd);
	for (i = 0; i < MANY; i++) {
		snprintf(to, sizeof(to), "10.8.0.%d", 10 + i);
		fd[i] = socket(self->family, SOCK_DGRAM, 0);
		ASSERT_EQ(0, env_setopt(fd[i], SOL_SOCKET, SO_REUSEADDR, 1));
		ASSERT_EQ(0, env_bind(fd[i], "0.0.0.0", PORT));
		ASSERT_EQ(0, env_connect(fd[i], to, 6000));
		EXPECT_EQ(1500, env_getopt(fd[i], SOL_IP, IP_MTU));
	}
	for (i = 0; i < MANY; i++) {
		snprintf(to, sizeof(to), "10.8.0.%d", 10 + i);
		ASSERT_TRUE(too_big(self->tun[0], to, 1000 + i));
		EXPECT_EQ(1000 + i, env_getopt(fd[i], SOL_IP, IP_MTU)) TH_LOG("%s", to);
	}
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(1000 + i, env_getopt(fd[i], SOL_IP, IP_MTU)) TH_LOG("%d", i);
	sleep(25);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(1500, env_getopt(fd[i], SOL_IP, IP_MTU)) TH_LOG("%d", i);
}

/* ---- broadcasts ---- */

static bool leaves_by(int fd, const char *to, int tun, int other)
{
	const struct packet *p;

	if (env_sendto(fd, "data", 4, 0, to, 6000) != 4)
		return false;
	p = sent(tun);
	return p && p->ip.daddr == inet_addr(to) && !sent(other);
}

/*
 * RFC 1122 3.3.6, RFC 919 7: the broadcast address of a prefix leads to it, also where nobody has
 * configured it, and whatever the sender is bound to; by a device that is up
 */
TEST_F(paths, directed_broadcast)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	const char *tool = self->family == AF_INET ? "ip" : "strata";

	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(0, env_bind(fd, HOST, 0));
	EXPECT_TRUE(leaves_by(fd, "10.9.0.255", self->tun[1], self->tun[0]));
	EXPECT_TRUE(leaves_by(fd, "10.8.0.255", self->tun[0], self->tun[1]));
	/* the other device is in the same prefix, and the first one goes down */
	ASSERT_EQ(0, env_run("%s addr add 10.8.0.9/24 dev tun1%s", tool, ""));
	EXPECT_TRUE(leaves_by(fd, "10.8.0.255", self->tun[0], self->tun[1]));
	ASSERT_EQ(0, system("ip link set tun0 down"));
	EXPECT_TRUE(leaves_by(fd, "10.8.0.255", self->tun[1], self->tun[0]));
}

/* ---- identifications ---- */

/* RFC 7739 3: a counter that senders share does not count their packets alone */
TEST_F(paths, identifications_with_noise)
{
	int i, id, last = 0, next = 0;
	const struct packet *p;

	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(4, env_sendto(self->fd, "data", 4, 0, PEER, 6000));
		p = sent(self->tun[0]);
		ASSERT_NE(NULL, p);
		id = ntohs(p->ip.id);
		next += i && id == ((last + 1) & 0xffff);
		last = id;
		usleep(100000);
	}
	EXPECT_GT(15, next);
}

/* ---- fragments ---- */

/* octets [@from, @to) of a datagram of 400 octets to PORT */
static bool fragment(int tun, int id, int from, int to)
{
	uint8_t whole[408] = { };
	struct packet p;

	*(struct udphdr *)whole = (struct udphdr){
		.source = htons(6000), .dest = htons(PORT), .len = htons(sizeof(whole)),
	};
	ip_head(&p, PEER, HOST, IPPROTO_UDP, to - from);
	p.ip.id = htons(id);
	p.ip.frag_off = htons(from / 8 | (to < sizeof(whole) ? IP_MF : 0));
	p.ip.check = 0;
	p.ip.check = sum(&p.ip, sizeof(p.ip));
	memcpy(p.b + 20, whole + from, to - from);
	return write(tun, p.b, p.len) == p.len;
}

static int datagram(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char data[1000];

	return poll(&pfd, 1, 200) == 1 ? recv(fd, data, sizeof(data), 0) : -1;
}

/* RFC 791 3.2: by which devices they come is not asked */
TEST_F(paths, fragments_by_two_devices)
{
	ASSERT_EQ(0, system("for i in all tun0 tun1; do sysctl -qw net.ipv4.conf.$i.rp_filter=0; done"));
	ASSERT_TRUE(fragment(self->tun[0], 7, 0, 200));
	ASSERT_TRUE(fragment(self->tun[1], 7, 200, 408));
	EXPECT_EQ(400, datagram(self->fd));
}

/* RFC 4963: after so many others of its source a number may have come round again */
TEST_F(paths, fragments_too_far_apart)
{
	int i;

	for (i = 0; i < 3; i++) {
		/* 64 is as far as they may be apart; 0: no limit */
		if (i == 2)
			ASSERT_EQ(0, sysctl_set(self->family, "ipfrag_max_dist", "0"));
		ASSERT_TRUE(fragment(self->tun[0], 7, 0, 200));
		for (int n = 0; n < (i ? 100 : 60); n++)
			ASSERT_TRUE(fragment(self->tun[0], 1000 + 1000 * i + n, 0, 200));
		ASSERT_TRUE(fragment(self->tun[0], 7, 200, 408));
		EXPECT_EQ(i == 1 ? -1 : 400, datagram(self->fd)) TH_LOG("%d", i);
		/* the one that came late is the first of another */
		if (i == 1) {
			ASSERT_TRUE(fragment(self->tun[0], 7, 0, 200));
			EXPECT_EQ(400, datagram(self->fd));
		}
	}
}

TEST_HARNESS_MAIN
