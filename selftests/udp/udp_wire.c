// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad and odd UDP on the wire (RFC 768, 1122 4.1): what must be delivered is, what must not
 * is not, and who is told of it. A TUN device is the wire: 10.8.0.1 is the host under
 * test, everything else behind the device is this program.
 */
#include <time.h>
#include <linux/errqueue.h>
#include <linux/if_tun.h>
#include <linux/net_tstamp.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/uio.h>
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

FIXTURE(wire) {
	int family;
	int tun;
	int fd;		/* bound to PORT */
};

FIXTURE_VARIANT(wire) {
	int stack;
};

FIXTURE_VARIANT_ADD(wire, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(wire, strata) { .stack = STRATA };

FIXTURE_SETUP(wire)
{
	struct ifreq ifr = { .ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI };

	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, self->tun);
	ASSERT_EQ(0, ioctl(self->tun, TUNSETIFF, &ifr));
	ASSERT_EQ(0, env_run("ip link set tun0 up && %s addr add 10.8.0.1/24 broadcast 10.8.0.255 dev tun0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	self->fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(self->fd, "0.0.0.0", PORT));
}

FIXTURE_TEARDOWN(wire)
{
}

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t data[4000];
} __attribute__((packed, aligned(4)));

static uint16_t sum(const void *buf, size_t len, uint32_t s)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		s += p[i] << 8 | p[i + 1];
	if (len & 1)
		s += p[len - 1] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

static void ip_finish(struct iphdr *ip, const char *from, const char *to, int proto, size_t len)
{
	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = proto;
	ip->tot_len = htons(sizeof(*ip) + len);
	inet_pton(AF_INET, from, &ip->saddr);
	inet_pton(AF_INET, to, &ip->daddr);
	ip->check = htons(sum(ip, sizeof(*ip), 0));
}

static uint16_t udp_sum(const struct packet *p, size_t len)
{
	const uint8_t *addrs = (const uint8_t *)&p->ip.saddr;
	uint32_t s = IPPROTO_UDP + len;
	int i;

	for (i = 0; i < 8; i += 2)
		s += addrs[i] << 8 | addrs[i + 1];
	return sum(&p->udp, len, s);
}

/* A right datagram with @len bytes of payload */
static size_t make(struct packet *p, const char *to, int dport, size_t len)
{
	size_t i, ulen = sizeof(p->udp) + len;

	for (i = 0; i < len; i++)
		p->data[i] = i * 3 + 1;
	p->udp.source = htons(6000);
	p->udp.dest = htons(dport);
	p->udp.len = htons(ulen);
	p->udp.check = 0;
	ip_finish(&p->ip, PEER, to, IPPROTO_UDP, ulen);
	p->udp.check = htons(udp_sum(p, ulen) ?: 0xffff);
	return sizeof(p->ip) + ulen;
}

/* The ICMP message the host sends within 200 ms, NULL: none */
static const struct icmphdr *answer(int tun)
{
	static union {
		struct iphdr ip;
		uint8_t b[2048];
	} in;
	struct pollfd pfd = { .fd = tun, .events = POLLIN };

	while (poll(&pfd, 1, 200) == 1)
		if (read(tun, &in, sizeof(in)) > 0 && in.ip.version == 4 &&
		    in.ip.protocol == IPPROTO_ICMP)
			return (const struct icmphdr *)(in.b + in.ip.ihl * 4);
	return NULL;
}

/* Is there a datagram within 200 ms? Its length, or -1 */
static int arrived(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	static char buf[65536];

	if (poll(&pfd, 1, 200) != 1)
		return -1;
	return recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
}

TEST_F(wire, good)
{
	static const int lens[] = { 0, 1, 2, 67, 68, 69, 1400 };
	struct packet p;
	int i, len;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		len = make(&p, HOST, PORT, lens[i]);
		ASSERT_EQ(len, write(self->tun, &p, len));
		EXPECT_EQ(lens[i], arrived(self->fd));
	}
}

TEST_F(wire, checksum_zero)
{
	struct packet p;
	int len = make(&p, HOST, PORT, 1000);

	p.udp.check = 0;
	p.data[17] ^= 1;
	ASSERT_EQ(len, write(self->tun, &p, len));
	EXPECT_EQ(1000, arrived(self->fd));
}

TEST_F(wire, checksum_bad)
{
	static const int lens[] = { 0, 1, 60, 400, 1400 };
	struct packet p;
	char buf[2000];
	int i, len;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		len = make(&p, HOST, PORT, lens[i]);
		p.udp.check = htons(ntohs(p.udp.check) ^ 0x0101);
		ASSERT_EQ(len, write(self->tun, &p, len));
		EXPECT_EQ(-1, arrived(self->fd)) TH_LOG("%d bytes", lens[i]);
		/* and one found while peeking, or copied in part */
		ASSERT_EQ(len, write(self->tun, &p, len));
		usleep(20000);
		EXPECT_ERRNO(EAGAIN, recv(self->fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT));
		ASSERT_EQ(len, write(self->tun, &p, len));
		usleep(20000);
		EXPECT_ERRNO(EAGAIN, recv(self->fd, buf, 1, MSG_DONTWAIT));
		EXPECT_EQ(NULL, answer(self->tun));
	}
	/* a good one behind bad ones is found at once */
	len = make(&p, HOST, PORT, 1000);
	p.data[500] ^= 0x10;
	ASSERT_EQ(len, write(self->tun, &p, len));
	ASSERT_EQ(len, write(self->tun, &p, len));
	len = make(&p, HOST, PORT, 999);
	ASSERT_EQ(len, write(self->tun, &p, len));
	EXPECT_EQ(999, arrived(self->fd));
}

TEST_F(wire, length_lies)
{
	static const int lies[] = { 109, 7, 0, 0xffff };
	struct packet p;
	int i, len;

	/* longer than the packet, shorter than the header */
	len = make(&p, HOST, PORT, 100);
	p.udp.check = 0;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		p.udp.len = htons(lies[i]);
		ASSERT_EQ(len, write(self->tun, &p, len));
		EXPECT_EQ(-1, arrived(self->fd)) TH_LOG("length %d", lies[i]);
	}
	EXPECT_EQ(NULL, answer(self->tun));

	/* shorter than the packet: the rest is padding, outside the checksum */
	len = make(&p, HOST, PORT, 100);
	p.udp.len = htons(8 + 40);
	p.udp.check = 0;
	p.udp.check = htons(udp_sum(&p, 8 + 40));
	ASSERT_EQ(len, write(self->tun, &p, len));
	EXPECT_EQ(40, arrived(self->fd));
}

TEST_F(wire, header_truncated)
{
	struct packet p;
	int len;

	for (len = 1; len < 8; len++) {
		make(&p, HOST, PORT, 0);
		ip_finish(&p.ip, PEER, HOST, IPPROTO_UDP, len);
		ASSERT_EQ(20 + len, write(self->tun, &p, 20 + len));
		EXPECT_EQ(-1, arrived(self->fd)) TH_LOG("%d bytes", len);
	}
	EXPECT_EQ(NULL, answer(self->tun));
}

TEST_F(wire, port_unreachable)
{
	static const char *const many[] = { "10.8.0.255", "255.255.255.255", "224.0.0.1" };
	const struct icmphdr *icmp;
	struct packet p;
	int i, len = make(&p, HOST, 4444, 30);

	ASSERT_EQ(len, write(self->tun, &p, len));
	icmp = answer(self->tun);
	ASSERT_NE(NULL, icmp);
	EXPECT_EQ(ICMP_DEST_UNREACH, icmp->type);
	EXPECT_EQ(ICMP_PORT_UNREACH, icmp->code);
	EXPECT_EQ(0, memcmp(icmp + 1, &p, 28));

	/* not for a bad checksum, a broadcast or a multicast (RFC 1122 3.2.2) */
	p.udp.check ^= 1;
	ASSERT_EQ(len, write(self->tun, &p, len));
	EXPECT_EQ(NULL, answer(self->tun));
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		len = make(&p, many[i], 4444, 30);
		ASSERT_EQ(len, write(self->tun, &p, len));
		EXPECT_EQ(NULL, answer(self->tun)) TH_LOG("%s", many[i]);
	}
}

/* An ICMP error from a router about a datagram HOST:@lport -> PEER:@rport, @quote bytes of it */
static void inject_err(struct __test_metadata *_metadata, int tun, int type, int code, int mtu,
		       int lport, int rport, size_t quote)
{
	struct {
		struct iphdr ip;
		struct icmphdr icmp;
		struct iphdr qip;
		struct udphdr qudp;
		uint8_t rest[32];
	} e = { };

	e.icmp.type = type;
	e.icmp.code = code;
	e.icmp.un.frag.mtu = htons(mtu);
	ip_finish(&e.qip, HOST, PEER, IPPROTO_UDP, 8 + 32);
	e.qudp.source = htons(lport);
	e.qudp.dest = htons(rport);
	e.qudp.len = htons(8 + 32);
	e.icmp.checksum = htons(sum(&e.icmp, sizeof(e.icmp) + quote, 0));
	ip_finish(&e.ip, "10.8.0.3", HOST, IPPROTO_ICMP, sizeof(e.icmp) + quote);
	ASSERT_EQ(28 + quote, write(tun, &e, 28 + quote));
	usleep(20000);
}

TEST_F(wire, icmp_errors)
{
	static const struct {
		int type, code, err;
	} tries[] = {
		{ 3, 0, 0 }, { 3, 1, 0 }, { 3, 2, ENOPROTOOPT }, { 3, 3, ECONNREFUSED },
		{ 3, 5, 0 }, { 3, 6, ENETUNREACH }, { 3, 7, EHOSTDOWN }, { 3, 8, ENONET },
		{ 3, 9, ENETUNREACH }, { 3, 10, EHOSTUNREACH }, { 3, 11, 0 }, { 3, 12, 0 },
		{ 3, 13, EHOSTUNREACH }, { 3, 14, EHOSTUNREACH }, { 3, 15, EHOSTUNREACH },
		{ 4, 0, 0 }, { 11, 0, 0 }, { 12, 0, EPROTO },
	};
	int i;

	ASSERT_EQ(0, env_connect(self->fd, PEER, 6000));
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		inject_err(_metadata, self->tun, tries[i].type, tries[i].code, 0, PORT, 6000, 40);
		EXPECT_EQ(tries[i].err, env_getopt(self->fd, SOL_SOCKET, SO_ERROR)) {
			TH_LOG("type %d code %d", tries[i].type, tries[i].code);
		}
	}
	/* about a flow that is not ours, or too little of it to know */
	inject_err(_metadata, self->tun, 3, 3, 0, PORT, 6001, 40);
	EXPECT_EQ(0, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
	inject_err(_metadata, self->tun, 3, 3, 0, PORT + 1, 6000, 40);
	EXPECT_EQ(0, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
	inject_err(_metadata, self->tun, 3, 3, 0, PORT, 6000, 27);
	EXPECT_EQ(0, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
	inject_err(_metadata, self->tun, 3, 3, 0, PORT, 6000, 28);
	EXPECT_EQ(ECONNREFUSED, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
}

TEST_F(wire, icmp_errors_unconnected)
{
	inject_err(_metadata, self->tun, 3, 3, 0, PORT, 6000, 40);
	EXPECT_EQ(0, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_RECVERR, 1));
	inject_err(_metadata, self->tun, 3, 3, 0, PORT, 6000, 40);
	EXPECT_EQ(ECONNREFUSED, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
	inject_err(_metadata, self->tun, 3, 1, 0, PORT, 6000, 40);
	EXPECT_EQ(EHOSTUNREACH, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
}

/*
 * RFC 792: time exceeded has two codes. The second one, that fragments got lost, is about one
 * datagram and says nothing of the way: nobody is told
 */
TEST_F(wire, icmp_fragment_time)
{
	char data[64], ctl[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	int connected;

	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_RECVERR, 1));
	for (connected = 0; connected < 2; connected++) {
		if (connected)
			ASSERT_EQ(0, env_connect(self->fd, PEER, 6000));
		ASSERT_EQ(4, env_sendto(self->fd, "data", 4, 0, PEER, 6000));
		inject_err(_metadata, self->tun, 11, 1, 0, PORT, 6000, 40);
		EXPECT_ERRNO(EAGAIN, recv(self->fd, data, sizeof(data), MSG_DONTWAIT));
		EXPECT_ERRNO(EAGAIN, recvmsg(self->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT));
		ASSERT_EQ(4, env_sendto(self->fd, "data", 4, 0, PEER, 6000));
		inject_err(_metadata, self->tun, 11, 0, 0, PORT, 6000, 40);
		EXPECT_ERRNO(EHOSTUNREACH, recv(self->fd, data, sizeof(data), MSG_DONTWAIT));
		EXPECT_LE(0, recvmsg(self->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT));
		msg.msg_controllen = sizeof(ctl);
	}
}

/* RFC 1191: a router's MTU holds for what this socket sends from now on */
TEST_F(wire, path_mtu)
{
	static char big[2000];

	ASSERT_EQ(0, env_connect(self->fd, PEER, 6000));
	EXPECT_EQ(1500, env_getopt(self->fd, SOL_IP, IP_MTU));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	ASSERT_EQ(1472, send(self->fd, big, 1472, 0));
	inject_err(_metadata, self->tun, 3, 4, 1000, PORT, 6000, 40);
	EXPECT_EQ(EMSGSIZE, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(1000, env_getopt(self->fd, SOL_IP, IP_MTU));
	EXPECT_ERRNO(EMSGSIZE, send(self->fd, big, 973, 0));
	EXPECT_EQ(972, send(self->fd, big, 972, 0));
	/* a lie about a flow that does not exist changes nothing; native believes it */
	if (variant->stack == NATIVE)
		return;
	inject_err(_metadata, self->tun, 3, 4, 600, PORT, 6001, 40);
	EXPECT_EQ(1000, env_getopt(self->fd, SOL_IP, IP_MTU));
}

/* One large datagram that a virtual machine left to us to fragment (UFO) arrives as one */
TEST_F(wire, ufo)
{
	struct ifreq ifr = { .ifr_name = "tun1",
			     .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	struct virtio_net_hdr vnet = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_UDP,
		.gso_size = 1480,
		.hdr_len = 28,
		.csum_start = 20,
		.csum_offset = 6,
	};
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	struct packet p;
	struct iovec iov[2] = { { &vnet, sizeof(vnet) }, { &p, 0 } };
	int len;

	ASSERT_LE(0, tun);
	ASSERT_EQ(0, ioctl(tun, TUNSETIFF, &ifr));
	ASSERT_EQ(0, env_run("ip link set tun1 up && %s addr add 10.8.1.1/24 dev tun1%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	len = make(&p, "10.8.1.1", PORT, sizeof(p.data));
	inet_pton(AF_INET, "10.8.1.2", &p.ip.saddr);
	p.ip.check = 0;
	p.ip.check = htons(sum(&p.ip, sizeof(p.ip), 0));
	/* of the pseudo header alone, not complemented: the rest is to be filled in */
	p.udp.check = htons((uint16_t)~sum(&p.ip.saddr, 8, IPPROTO_UDP + ntohs(p.udp.len)));
	iov[1].iov_len = len;
	ASSERT_EQ(sizeof(vnet) + len, writev(tun, iov, 2));
	EXPECT_EQ(sizeof(p.data), arrived(self->fd));
}

/* The next UDP packet the host sends within 200 ms; NULL: there is none */
static const struct packet *sent(int tun)
{
	struct pollfd pfd = { .fd = tun, .events = POLLIN };
	static struct packet in;

	while (poll(&pfd, 1, 200) == 1)
		if (read(tun, &in, sizeof(in)) > 0 && in.ip.version == 4 &&
		    in.ip.protocol == IPPROTO_UDP)
			return &in;
	return NULL;
}

static int sent_df(int tun)
{
	const struct packet *p = sent(tun);

	return p ? !!(p->ip.frag_off & htons(IP_DF)) : -1;
}

static int sent_ttl(int tun)
{
	const struct packet *p = sent(tun);

	return p ? p->ip.ttl : -1;
}

/* RFC 1112 6.1: the sender says how far a datagram to a group goes; 1 hop if it does not */
TEST_F(wire, multicast_ttl)
{
	struct in_addr own = env_addr(HOST, 0).sin_addr;
	struct sockaddr_in group = env_addr("224.1.2.3", 9);
	char ctl[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	ASSERT_EQ(0, setsockopt(self->fd, SOL_IP, IP_MULTICAST_IF, &own, sizeof(own)));
	ASSERT_EQ(1, env_sendto(self->fd, "x", 1, 0, "224.1.2.3", 9));
	EXPECT_EQ(1, sent_ttl(self->tun));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_MULTICAST_TTL, 7));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_TTL, 33));
	ASSERT_EQ(1, env_sendto(self->fd, "x", 1, 0, "224.1.2.3", 9));
	EXPECT_EQ(7, sent_ttl(self->tun));
	ASSERT_EQ(0, connect(self->fd, (void *)&group, sizeof(group)));
	ASSERT_EQ(1, send(self->fd, "x", 1, 0));
	EXPECT_EQ(7, sent_ttl(self->tun));
	/* what the message itself says comes first */
	cm->cmsg_level = SOL_IP;
	cm->cmsg_type = IP_TTL;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)CMSG_DATA(cm) = 9;
	ASSERT_EQ(1, sendmsg(self->fd, &msg, 0));
	EXPECT_EQ(9, sent_ttl(self->tun));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_MULTICAST_TTL, 0));
	ASSERT_EQ(1, send(self->fd, "x", 1, 0));
	/* native looks at it only for groups this host is in */
	EXPECT_EQ(variant->stack == NATIVE ? 0 : -1, sent_ttl(self->tun));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_MULTICAST_TTL, 7));
	/* the route changes: the group's device is still the one that was chosen */
	ASSERT_EQ(0, env_run("%s addr add 10.8.0.9/24 dev tun0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	ASSERT_EQ(1, send(self->fd, "x", 1, 0));
	EXPECT_EQ(7, sent_ttl(self->tun));
}

static in_addr_t sent_from(int tun)
{
	const struct packet *p = sent(tun);

	return p ? p->ip.saddr : 0;
}

static in_addr_t multicast_if(int fd)
{
	struct in_addr addr = { };
	socklen_t len = sizeof(addr);

	return getsockopt(fd, SOL_IP, IP_MULTICAST_IF, &addr, &len) ? INADDR_NONE : addr.s_addr;
}

/* IP_MULTICAST_IF by an address: that is the source, too, of who has no other */
TEST_F(wire, multicast_if)
{
	struct ip_mreqn mreq = { .imr_ifindex = if_nametoindex("tun0") };
	in_addr_t first = inet_addr(HOST), second = inet_addr("10.8.0.9"), any = 0;
	int to = socket(self->family, SOCK_DGRAM, 0), con = socket(self->family, SOCK_DGRAM, 0);
	int own = socket(self->family, SOCK_DGRAM, 0), group = socket(self->family, SOCK_DGRAM, 0);
	int fd[] = { to, con, own, group }, i;
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, env_run("%s addr add 10.8.0.9/24 dev tun0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	ASSERT_EQ(0, env_bind(own, HOST, PORT + 1));
	ASSERT_EQ(0, env_bind(group, "224.1.2.3", PORT + 2));
	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		EXPECT_EQ(0, multicast_if(fd[i]));
		ASSERT_EQ(0, setsockopt(fd[i], SOL_IP, IP_MULTICAST_IF, &second, sizeof(second)));
		EXPECT_EQ(second, multicast_if(fd[i]));
	}
	ASSERT_EQ(1, env_sendto(to, "x", 1, 0, "224.1.2.3", 9));
	EXPECT_EQ(second, sent_from(self->tun));
	ASSERT_EQ(0, env_connect(con, "224.1.2.3", 9));
	ASSERT_EQ(0, getsockname(con, (void *)&name, &len));
	EXPECT_EQ(second, name.sin_addr.s_addr);
	ASSERT_EQ(1, send(con, "x", 1, 0));
	EXPECT_EQ(second, sent_from(self->tun));
	/* what it is bound to comes first, unless nothing can come from there */
	ASSERT_EQ(1, env_sendto(own, "x", 1, 0, "224.1.2.3", 9));
	EXPECT_EQ(first, sent_from(self->tun));
	ASSERT_EQ(1, env_sendto(group, "x", 1, 0, "224.1.2.3", 9));
	EXPECT_EQ(second, sent_from(self->tun));
	ASSERT_EQ(0, env_connect(group, "224.1.2.3", 9));
	ASSERT_EQ(1, send(group, "x", 1, 0));
	EXPECT_EQ(second, sent_from(self->tun));
	/* it is for groups alone */
	ASSERT_EQ(1, env_sendto(to, "x", 1, 0, PEER, 9));
	EXPECT_EQ(first, sent_from(self->tun));

	/* by its index, with and without an address */
	mreq.imr_address.s_addr = second;
	ASSERT_EQ(0, setsockopt(to, SOL_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq)));
	EXPECT_EQ(second, multicast_if(to));
	ASSERT_EQ(1, env_sendto(to, "x", 1, 0, "224.1.2.3", 9));
	EXPECT_EQ(second, sent_from(self->tun));
	mreq.imr_address.s_addr = 0;
	ASSERT_EQ(0, setsockopt(to, SOL_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq)));
	EXPECT_EQ(0, multicast_if(to));
	ASSERT_EQ(1, env_sendto(to, "x", 1, 0, "224.1.2.3", 9));
	EXPECT_EQ(first, sent_from(self->tun));

	/* 0.0.0.0 takes it back */
	ASSERT_EQ(0, setsockopt(own, SOL_IP, IP_MULTICAST_IF, &any, sizeof(any)));
	EXPECT_EQ(0, multicast_if(own));
}

/* What was begun leaves by the port the socket has then, not by one that was given back */
TEST_F(wire, corked_port)
{
	int fd = socket(self->family, SOCK_DGRAM, 0), other = socket(self->family, SOCK_DGRAM, 0);
	const struct packet *p;
	int port;

	ASSERT_EQ(1, env_sendto(fd, "x", 1, MSG_MORE, PEER, 9));
	port = env_port(fd);
	ASSERT_NE(0, port);
	ASSERT_EQ(0, env_unspec(fd));
	ASSERT_EQ(0, env_bind(other, "0.0.0.0", port));
	ASSERT_EQ(0, env_setopt(fd, SOL_UDP, UDP_CORK, 0));
	p = sent(self->tun);
	ASSERT_NE(NULL, p);
	EXPECT_NE(port, ntohs(p->udp.source));
	EXPECT_EQ(env_port(fd), ntohs(p->udp.source));
}

/*
 * A router that takes less than min_pmtu (552): datagrams do not shrink below that, so they go
 * without DF, for the router to cut them; else nothing would arrive any more
 */
TEST_F(wire, path_mtu_tiny)
{
	static char data[500];

	ASSERT_EQ(0, env_connect(self->fd, PEER, 6000));
	ASSERT_EQ(500, send(self->fd, data, 500, 0));
	EXPECT_EQ(1, sent_df(self->tun));
	inject_err(_metadata, self->tun, 3, 4, 296, PORT, 6000, 40);
	env_getopt(self->fd, SOL_SOCKET, SO_ERROR);
	EXPECT_EQ(552, env_getopt(self->fd, SOL_IP, IP_MTU));
	ASSERT_EQ(500, send(self->fd, data, 500, 0));
	EXPECT_EQ(0, sent_df(self->tun));
}

/*
 * Who asks for the device's MTU alone gets it, connected or not: probes of the path (RFC 4821)
 * go out with DF, _INTERFACE without it and never cut; neither believes a router
 */
TEST_F(wire, path_mtu_modes)
{
	int probe = socket(self->family, SOCK_DGRAM, 0);
	static char big[2000];
	const struct packet *p;

	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE));
	ASSERT_EQ(0, env_connect(self->fd, PEER, 6000));
	inject_err(_metadata, self->tun, 3, 4, 1000, PORT, 6000, 40);
	EXPECT_EQ(EMSGSIZE, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(1500, env_getopt(self->fd, SOL_IP, IP_MTU));
	ASSERT_EQ(1472, send(self->fd, big, 1472, 0));
	EXPECT_EQ(0, sent_df(self->tun));
	EXPECT_ERRNO(EMSGSIZE, send(self->fd, big, 1473, 0));

	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	inject_err(_metadata, self->tun, 3, 4, 1000, PORT, 6000, 40);
	EXPECT_EQ(EMSGSIZE, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
	ASSERT_EQ(0, env_setopt(probe, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	EXPECT_ERRNO(EMSGSIZE, env_sendto(probe, big, 1472, 0, PEER, 6000));
	ASSERT_EQ(0, env_setopt(probe, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE));
	ASSERT_EQ(1472, env_sendto(probe, big, 1472, 0, PEER, 6000));
	p = sent(self->tun);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(htons(IP_DF), p->ip.frag_off);
	EXPECT_EQ(htons(1500), p->ip.tot_len);
}

/* the next stamp: its kind, -1: none; @id: of which datagram; @len: of the packet beside it */
static int stamp(int fd, uint32_t *id, int *len)
{
	char data[4096], ctl[512];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	int type = -1, stamps = 0;
	struct cmsghdr *c;

	*len = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
	for (c = *len < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING)
			stamps += ((struct timespec *)CMSG_DATA(c))->tv_sec != 0;
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) {
			struct sock_extended_err *ee = (void *)CMSG_DATA(c);

			type = ee->ee_origin == SO_EE_ORIGIN_TIMESTAMPING ? (int)ee->ee_info : -2;
			*id = ee->ee_data;
		}
	}
	return stamps || type < 0 ? type : -3;
}

/* Documentation/networking/timestamping.rst 1.3: a datagram is queued, and leaves */
TEST_F(wire, tx_timestamps)
{
	int flags = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
		    SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID;
	union { char b[CMSG_SPACE(4)]; struct cmsghdr c; } ctl = {
		.c = { CMSG_LEN(4), SOL_SOCKET, SO_TIMESTAMPING },
	};
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7000) };
	static char data[3000];
	struct iovec iov = { data, 10 };
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};
	uint32_t id, only = SOF_TIMESTAMPING_TX_SOFTWARE;
	int len;

	inet_pton(AF_INET, PEER, &to.sin_addr);
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)));
	for (uint32_t i = 0; i < 2; i++) {
		ASSERT_EQ(10, sendto(self->fd, data, 10, 0, (struct sockaddr *)&to, sizeof(to)));
		ASSERT_EQ(SCM_TSTAMP_SCHED, stamp(self->fd, &id, &len));
		ASSERT_EQ(i, id);
		ASSERT_EQ(38, len);
		ASSERT_EQ(SCM_TSTAMP_SND, stamp(self->fd, &id, &len));
		ASSERT_EQ(i, id);
		ASSERT_EQ(-1, stamp(self->fd, &id, &len));
	}
	/* one that is cut up: its first part's */
	ASSERT_EQ(3000, sendto(self->fd, data, 3000, 0, (struct sockaddr *)&to, sizeof(to)));
	ASSERT_EQ(SCM_TSTAMP_SCHED, stamp(self->fd, &id, &len));
	ASSERT_EQ(2, id);
	ASSERT_EQ(SCM_TSTAMP_SND, stamp(self->fd, &id, &len));
	ASSERT_EQ(-1, stamp(self->fd, &id, &len));
	/* only what the message asks for */
	memcpy(CMSG_DATA(&ctl.c), &only, 4);
	ASSERT_EQ(10, sendmsg(self->fd, &m, 0));
	ASSERT_EQ(SCM_TSTAMP_SND, stamp(self->fd, &id, &len));
	ASSERT_EQ(3, id);
	ASSERT_EQ(-1, stamp(self->fd, &id, &len));
	only = SOF_TIMESTAMPING_SOFTWARE;
	memcpy(CMSG_DATA(&ctl.c), &only, 4);
	ASSERT_EQ(-1, sendmsg(self->fd, &m, 0));
	ASSERT_EQ(EINVAL, errno);
}

/* as on lo: a datagram to an address of this host is stamped, going and coming */
TEST_F(wire, own_address_timestamps)
{
	int flags = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
		    SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	char data[10], ctl[256];
	struct iovec iov = { data, 10 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	struct cmsghdr *c;
	uint32_t id;
	int len;

	inet_pton(AF_INET, HOST, &to.sin_addr);
	ASSERT_EQ(0, env_run("ip link set lo up%s%s", "", ""));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)));
	usleep(200000);		/* the switch takes a moment */
	ASSERT_EQ(10, sendto(self->fd, data, 10, 0, (struct sockaddr *)&to, sizeof(to)));
	ASSERT_EQ(1, poll(&pfd, 1, 1000));
	ASSERT_EQ(SCM_TSTAMP_SCHED, stamp(self->fd, &id, &len));
	ASSERT_EQ(SCM_TSTAMP_SND, stamp(self->fd, &id, &len));
	ASSERT_EQ(0, len);
	ASSERT_EQ(10, recvmsg(self->fd, &m, MSG_DONTWAIT));
	c = CMSG_FIRSTHDR(&m);
	ASSERT_NE(NULL, c);
	ASSERT_EQ(SO_TIMESTAMPING, c->cmsg_type);
	ASSERT_NE(0, ((struct timespec *)CMSG_DATA(c))->tv_sec);
}

/*
 * An ICMP error that quotes @quote octets of a datagram to PEER, so long by its own header, and has
 * an extension of one object behind them (RFC 4884 7, 8), with a checksum that is wrong by @off
 */
static void inject_extended(struct __test_metadata *_metadata, int tun, int quote, int told,
			    int off)
{
	static const uint8_t object[] = { 0, 8, 1, 1, 1, 2, 3, 4 };
	struct {
		struct iphdr ip;
		struct icmphdr icmp;
		uint8_t b[400];
	} e = { };
	struct udphdr udp = {
		.source = htons(PORT), .dest = htons(6000), .len = htons(8 + 32),
	};
	int len = sizeof(e.icmp) + quote + 4 + sizeof(object);
	uint8_t *ext = e.b + quote;
	struct iphdr quoted;
	uint16_t s;

	ip_finish(&quoted, HOST, PEER, IPPROTO_UDP, 8 + 32);
	memcpy(e.b, &quoted, sizeof(quoted));
	memcpy(e.b + sizeof(quoted), &udp, sizeof(udp));
	e.icmp.type = ICMP_TIME_EXCEEDED;
	((uint8_t *)&e.icmp.un)[1] = told / 4;
	ext[0] = 2 << 4;
	memcpy(ext + 4, object, sizeof(object));
	s = sum(ext, 4 + sizeof(object), 0) + off;
	ext[2] = s >> 8;
	ext[3] = s;
	e.icmp.checksum = htons(sum(&e.icmp, len, 0));
	ip_finish(&e.ip, "10.8.0.3", HOST, IPPROTO_ICMP, len);
	ASSERT_EQ(20 + len, write(tun, &e, 20 + len));
	usleep(20000);
}

/* the next error: octets beside it, -1: none */
static int extended_error(int fd, struct sock_extended_err *ee)
{
	char data[512], ctl[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	int len = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (len >= 0)
		memcpy(ee, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(*ee));
	return len;
}

/* RFC 4884: where behind the quoted datagram an error has more to say, and whether that is sound */
TEST_F(wire, icmp_extension)
{
	static const struct {
		int quote, told, off, len, flags;
	} tries[] = {
		{ 128, 128, 0, 100, 0 }, { 160, 160, 0, 132, 0 },
		{ 128, 128, 1, 100, SO_EE_RFC4884_FLAG_INVALID },
		{ 128, 0, 0, 0, 0 },	/* of before RFC 4884: none is named */
		{ 124, 124, 0, 0, 0 },	/* section 3: not with less than 128 octets */
		{ 128, 256, 0, 0, 0 },	/* behind the end */
		{ 132, 128, 0, 100, 0 },	/* version 0 there: not known, not wrong */
	};
	struct sock_extended_err ee;
	int i, on;

	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_RECVERR, 1));
	for (on = 0; on < 2; on++) {
		ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_RECVERR_RFC4884, on));
		ASSERT_EQ(on, env_getopt(self->fd, SOL_IP, IP_RECVERR_RFC4884));
		for (i = 0; i < ARRAY_SIZE(tries); i++) {
			inject_extended(_metadata, self->tun, tries[i].quote, tries[i].told,
					tries[i].off);
			EXPECT_EQ(EHOSTUNREACH, env_getopt(self->fd, SOL_SOCKET, SO_ERROR));
			ASSERT_EQ(tries[i].quote - 28 + 12, extended_error(self->fd, &ee));
			EXPECT_EQ(ICMP_TIME_EXCEEDED, ee.ee_type);
			EXPECT_EQ(on * tries[i].len, ee.ee_rfc4884.len) TH_LOG("%d", i);
			EXPECT_EQ(on * tries[i].flags, ee.ee_rfc4884.flags) TH_LOG("%d", i);
			EXPECT_EQ(0, ee.ee_rfc4884.reserved);
		}
	}
	EXPECT_ERRNO(EINVAL, env_setopt(self->fd, SOL_IP, IP_RECVERR_RFC4884, 2));
}

/* what stands beside the next datagram at this type of SOL_IP; how much of it, -1: no datagram */
static int beside(int fd, int type, size_t room, int flags, uint32_t *val)
{
	static char data[65536];
	char ctl[256];
	struct iovec iov = { data, room };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;

	usleep(20000);		/* poll() would look at checksums */
	if (recvmsg(fd, &m, flags | MSG_DONTWAIT) < 0)
		return -1;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_IP && c->cmsg_type == type) {
			memcpy(val, CMSG_DATA(c), sizeof(*val));
			return c->cmsg_len - CMSG_LEN(0);
		}
	return 0;
}

/* @p, a datagram of @len octets, in fragments of @part octets of it, a multiple of 8 */
static void in_fragments(struct __test_metadata *_metadata, int tun, const struct packet *p,
			 int len, int part)
{
	int ulen = len - sizeof(p->ip), at, n;
	struct packet f;

	for (at = 0; at < ulen; at += n) {
		n = ulen - at < part ? ulen - at : part;
		memcpy(&f.udp, (const char *)&p->udp + at, n);
		ip_finish(&f.ip, PEER, HOST, IPPROTO_UDP, n);
		f.ip.id = htons(77);
		f.ip.frag_off = htons(at / 8 | (at + n < ulen ? IP_MF : 0));
		f.ip.check = 0;
		f.ip.check = htons(sum(&f.ip, sizeof(f.ip), 0));
		ASSERT_EQ(20 + n, write(tun, &f, 20 + n));
	}
}

/* ip(7) IP_RECVFRAGSIZE: how large the largest fragment was, its header included */
TEST_F(wire, fragment_size)
{
	int stream = socket(self->family, SOCK_STREAM, 0), len;
	struct packet p;
	uint32_t size;

	EXPECT_ERRNO(EINVAL, env_setopt(stream, SOL_IP, IP_RECVFRAGSIZE, 1));
	EXPECT_EQ(0, env_getopt(stream, SOL_IP, IP_RECVFRAGSIZE));
	len = make(&p, HOST, PORT, 2000);
	in_fragments(_metadata, self->tun, &p, len, 1000);
	EXPECT_EQ(0, beside(self->fd, IP_RECVFRAGSIZE, 4000, 0, &size));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_RECVFRAGSIZE, 1));
	in_fragments(_metadata, self->tun, &p, len, 1000);
	ASSERT_EQ(4, beside(self->fd, IP_RECVFRAGSIZE, 4000, 0, &size));
	EXPECT_EQ(1020, size);
	len = make(&p, HOST, PORT, 1000);
	ASSERT_EQ(len, write(self->tun, &p, len));
	EXPECT_EQ(0, beside(self->fd, IP_RECVFRAGSIZE, 4000, 0, &size));
}

/* the sum of payload from @at on, as Internet checksums are */
static uint16_t sum_from(const struct packet *p, int at, int len)
{
	return ntohs(~sum(p->data + at, len - at, 0));
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	return (s & 0xffff) + (s >> 16);
}

/* ip(7) IP_CHECKSUM: the sum over the payload, where it has been taken and is at hand */
TEST_F(wire, payload_sum)
{
	struct packet p;
	uint32_t val;
	int len;

	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_CHECKSUM, 1));
	ASSERT_EQ(1, env_getopt(self->fd, SOL_IP, IP_CHECKSUM));
	/* a short one is checked when it comes */
	len = make(&p, HOST, PORT, 31);
	ASSERT_EQ(len, write(self->tun, &p, len));
	ASSERT_EQ(4, beside(self->fd, IP_CHECKSUM, 4000, 0, &val));
	EXPECT_EQ(sum_from(&p, 0, 31), fold(val));
	/* a long one while it is copied; before, if that does not copy all, or by poll() */
	len = make(&p, HOST, PORT, 1001);
	ASSERT_EQ(len, write(self->tun, &p, len));
	EXPECT_EQ(0, beside(self->fd, IP_CHECKSUM, 4000, 0, &val));
	ASSERT_EQ(len, write(self->tun, &p, len));
	ASSERT_EQ(4, beside(self->fd, IP_CHECKSUM, 10, 0, &val));
	EXPECT_EQ(sum_from(&p, 0, 1001), fold(val));
	ASSERT_EQ(len, write(self->tun, &p, len));
	ASSERT_EQ(1, env_readable(self->fd));
	ASSERT_EQ(4, beside(self->fd, IP_CHECKSUM, 4000, 0, &val));
	EXPECT_EQ(sum_from(&p, 0, 1001), fold(val));
	/* SO_PEEK_OFF: of what is behind that */
	ASSERT_EQ(0, env_setopt(self->fd, SOL_SOCKET, SO_PEEK_OFF, 8));
	len = make(&p, HOST, PORT, 31);
	ASSERT_EQ(len, write(self->tun, &p, len));
	ASSERT_EQ(4, beside(self->fd, IP_CHECKSUM, 4000, MSG_PEEK, &val));
	EXPECT_EQ(sum_from(&p, 8, 31), fold(val));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_CHECKSUM, 0));
	EXPECT_EQ(0, beside(self->fd, IP_CHECKSUM, 4000, 0, &val));
	/* one without a checksum has none to tell */
	ASSERT_EQ(0, env_setopt(self->fd, SOL_IP, IP_CHECKSUM, 1));
	p.udp.check = 0;
	ASSERT_EQ(len, write(self->tun, &p, len));
	EXPECT_EQ(0, beside(self->fd, IP_CHECKSUM, 4000, 0, &val));
}

TEST_HARNESS_MAIN
