// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many datagrams by one call (linux/udp.h): UDP_SEGMENT, as an option and beside a message, cuts
 * what is sent, UDP_GRO lets what belongs together be received by one call. Over the way round
 * inside the host, and over TUN, where each datagram is looked at.
 */
#include <time.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include "../sock/sock_env.h"

#define PORT	5000

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef UDP_GRO
#define UDP_GRO		104
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

/* virtio_net.h's VIRTIO_NET_HDR_GSO_UDP_L4, since 6.2 */
#define GSO_UDP_L4	5

__attribute__((constructor)) static void tun_load(void)
{
	if (access("/dev/net/tun", F_OK) &&
	    system("modprobe -q tun; mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200"))
		perror("/dev/net/tun");
}

FIXTURE(gso) {
	int family;
	int fd;		/* connected to peer */
	int peer;
};

FIXTURE_VARIANT(gso) {
	int stack;
};

FIXTURE_VARIANT_ADD(gso, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(gso, strata) { .stack = STRATA };

static uint8_t data[65536], got[65536];

FIXTURE_SETUP(gso)
{
	int i;

	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->peer = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(self->peer, "127.0.0.1", PORT));
	self->fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_connect(self->fd, "127.0.0.1", PORT));
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + (i >> 8);
}

FIXTURE_TEARDOWN(gso)
{
}

/* send() with a control message of SOL_UDP, @clen octets of @val */
static ssize_t send_with(int fd, size_t len, int flags, int type, int val, size_t clen)
{
	char ctl[CMSG_SPACE(sizeof(val))] = { };
	struct iovec iov = { data, len };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = CMSG_SPACE(clen),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_UDP;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(clen);
	memcpy(CMSG_DATA(c), &val, clen);
	return sendmsg(fd, &m, flags);
}

#define send_cut(fd, len, size)	send_with(fd, len, 0, UDP_SEGMENT, size, sizeof(uint16_t))

/* recv(), and what UDP_GRO says beside it, 0: nothing */
static ssize_t recv_gro(int fd, int *size)
{
	char ctl[256];
	struct iovec iov = { got, sizeof(got) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;
	ssize_t n;

	*size = 0;
	if (env_readable(fd) != 1)
		return -1;
	n = recvmsg(fd, &m, MSG_DONTWAIT);
	for (c = CMSG_FIRSTHDR(&m); n >= 0 && c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			memcpy(size, CMSG_DATA(c), sizeof(*size));
	return n;
}

/* do datagrams of @size arrive, @len octets in all, one after the other? */
static int arrive(int fd, int len, int size)
{
	int at, n, gro, want;

	for (at = 0; at < len; at += want) {
		want = len - at < size ? len - at : size;
		n = recv_gro(fd, &gro);
		if (n != want || gro || memcmp(got, data + at, n)) {
			fprintf(stderr, "# %d of %d octets at %d, gro %d\n", n, want, at, gro);
			return -1;
		}
	}
	return recv(fd, got, 1, MSG_DONTWAIT) == -1 ? 0 : -1;
}

TEST_F(gso, options)
{
	EXPECT_EQ(0, env_getopt(self->fd, SOL_UDP, UDP_SEGMENT));
	EXPECT_EQ(0, env_setopt(self->fd, SOL_UDP, UDP_SEGMENT, 65535));
	EXPECT_EQ(65535, env_getopt(self->fd, SOL_UDP, UDP_SEGMENT));
	EXPECT_ERRNO(EINVAL, env_setopt(self->fd, SOL_UDP, UDP_SEGMENT, 65536));
	EXPECT_ERRNO(EINVAL, env_setopt(self->fd, SOL_UDP, UDP_SEGMENT, -1));
	EXPECT_EQ(0, env_getopt(self->fd, SOL_UDP, UDP_GRO));
	EXPECT_EQ(0, env_setopt(self->fd, SOL_UDP, UDP_GRO, 5));
	EXPECT_EQ(1, env_getopt(self->fd, SOL_UDP, UDP_GRO));
	EXPECT_EQ(0, env_setopt(self->fd, SOL_UDP, UDP_GRO, 0));
	EXPECT_EQ(0, env_getopt(self->fd, SOL_UDP, UDP_GRO));
}

TEST_F(gso, cut)
{
	/* by the message */
	ASSERT_EQ(2500, send_cut(self->fd, 2500, 1000));
	EXPECT_EQ(0, arrive(self->peer, 2500, 1000));
	ASSERT_EQ(3000, send_cut(self->fd, 3000, 1000));
	EXPECT_EQ(0, arrive(self->peer, 3000, 1000));
	/* no more than one's: one */
	ASSERT_EQ(1000, send_cut(self->fd, 1000, 1000));
	EXPECT_EQ(0, arrive(self->peer, 1000, 1000));
	ASSERT_EQ(1, send_cut(self->fd, 1, 1000));
	EXPECT_EQ(0, arrive(self->peer, 1, 1000));
	/* by the socket */
	ASSERT_EQ(0, env_setopt(self->fd, SOL_UDP, UDP_SEGMENT, 700));
	ASSERT_EQ(2000, send(self->fd, data, 2000, 0));
	EXPECT_EQ(0, arrive(self->peer, 2000, 700));
	/* the message rules, 0 is not to cut */
	ASSERT_EQ(2000, send_cut(self->fd, 2000, 500));
	EXPECT_EQ(0, arrive(self->peer, 2000, 500));
	ASSERT_EQ(2000, send_cut(self->fd, 2000, 0));
	EXPECT_EQ(0, arrive(self->peer, 2000, 2000));
	/* collected first */
	ASSERT_EQ(900, send(self->fd, data, 900, MSG_MORE));
	ASSERT_EQ(800, send(self->fd, data + 900, 800, 0));
	EXPECT_EQ(0, arrive(self->peer, 1700, 700));
	/* as much as can be */
	ASSERT_EQ(65507, send_cut(self->fd, 65507, 1472));
	EXPECT_EQ(0, arrive(self->peer, 65507, 1472));
}

TEST_F(gso, wrong)
{
	/* more than 128: none is sent */
	EXPECT_ERRNO(EINVAL, send_cut(self->fd, 129, 1));
	ASSERT_EQ(128, send_cut(self->fd, 128, 1));
	EXPECT_EQ(0, arrive(self->peer, 128, 1));
	/* the message */
	EXPECT_ERRNO(EINVAL, send_with(self->fd, 10, 0, UDP_SEGMENT, 5, sizeof(int)));
	EXPECT_ERRNO(EINVAL, send_with(self->fd, 10, 0, UDP_SEGMENT, 5, 1));
	EXPECT_ERRNO(EINVAL, send_with(self->fd, 10, 0, UDP_GRO, 5, sizeof(int)));
	EXPECT_ERRNO(EINVAL, send_with(self->fd, 10, 0, UDP_CORK, 1, sizeof(uint16_t)));
	/* who makes no checksum cannot have them made */
	ASSERT_EQ(0, env_setopt(self->fd, SOL_SOCKET, SO_NO_CHECK, 1));
	EXPECT_ERRNO(EINVAL, send_cut(self->fd, 10, 5));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_SOCKET, SO_NO_CHECK, 0));
}

TEST_F(gso, gro)
{
	int size;

	ASSERT_EQ(0, env_setopt(self->peer, SOL_UDP, UDP_GRO, 1));
	ASSERT_EQ(2500, send_cut(self->fd, 2500, 1000));
	ASSERT_EQ(2500, recv_gro(self->peer, &size));
	EXPECT_EQ(1000, size);
	EXPECT_EQ(0, memcmp(data, got, 2500));
	/* alone it is as ever */
	ASSERT_EQ(500, send_cut(self->fd, 500, 1000));
	ASSERT_EQ(500, recv_gro(self->peer, &size));
	EXPECT_EQ(0, size);
	/* who does not want it any more is not told of what came before */
	ASSERT_EQ(2500, send_cut(self->fd, 2500, 1000));
	ASSERT_EQ(1, env_readable(self->peer));
	ASSERT_EQ(0, env_setopt(self->peer, SOL_UDP, UDP_GRO, 0));
	ASSERT_EQ(2500, recv_gro(self->peer, &size));
	EXPECT_EQ(0, size);
}

TEST_F(gso, zerocopy)
{
	if (env_setopt(self->fd, SOL_SOCKET, SO_ZEROCOPY, 1))
		SKIP(return, "the core refuses SO_ZEROCOPY before Linux 6.2");
	ASSERT_EQ(30000, send_with(self->fd, 30000, MSG_ZEROCOPY, UDP_SEGMENT, 1400, 2));
	EXPECT_EQ(0, arrive(self->peer, 30000, 1400));
	ASSERT_EQ(1, env_readable(self->fd));
}

static uint16_t sum(const uint8_t *p, size_t len, uint32_t s)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		s += p[i] << 8 | p[i + 1];
	if (len & 1)
		s += p[len - 1] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

/* the next UDP packet is right, of @want octets of the pattern from @at on; its id, or -1 */
static int wire_next(int tun, int at, int want)
{
	struct pollfd pfd = { .fd = tun, .events = POLLIN };
	union {
		struct {
			struct iphdr ip;
			struct udphdr udp;
			uint8_t data[2000];
		} p;
		uint8_t raw[2028];
	} u;
	int n;

	do {
		if (poll(&pfd, 1, 1000) != 1)
			return -1;
		n = read(tun, &u, sizeof(u));
	} while (n < 28 || u.p.ip.version != 4 || u.p.ip.protocol != IPPROTO_UDP);
	if (n != 28 + want || ntohs(u.p.ip.tot_len) != n || ntohs(u.p.udp.len) != 8 + want ||
	    u.p.ip.frag_off & htons(0x3fff) || memcmp(u.p.data, data + at, want) ||
	    sum(u.raw, 20, 0) || sum(u.raw + 12, n - 12, IPPROTO_UDP + 8 + want))
		return -1;
	return ntohs(u.p.ip.id);
}

TEST_F(gso, wire)
{
	struct ifreq ifr = { .ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK), fd, first, i, id;

	ASSERT_EQ(0, ioctl(tun, TUNSETIFF, &ifr));
	ASSERT_EQ(0, env_run("ip link set tun0 up && %s addr add 10.8.0.1/24 dev tun0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_connect(fd, "10.8.0.2", PORT));
	/* ids of their own where routers may cut them */
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT));
	i = send_cut(fd, 10001, 1001);
	if (i < 0 && errno == EIO && variant->stack == NATIVE)
		SKIP(return, "before 6.12 native wants a device that makes checksums");
	ASSERT_EQ(10001, i);
	first = wire_next(tun, 0, 1001);
	ASSERT_LE(0, first);
	for (i = 1; i < 10; i++) {
		id = wire_next(tun, i * 1001, i < 9 ? 1001 : 992);
		EXPECT_EQ((first + i) & 0xffff, id) TH_LOG("datagram %d", i);
	}
	/* too large for the device */
	EXPECT_ERRNO(EMSGSIZE, send_cut(fd, 3000, 1473));
	ASSERT_EQ(2944, send_cut(fd, 2944, 1472));
	EXPECT_LE(0, wire_next(tun, 0, 1472));
	EXPECT_LE(0, wire_next(tun, 1472, 1472));
}

/* merged by a device: 2500 octets of datagrams of 1000, checksums left to do */
static int wire_merged(int tun)
{
	struct {
		struct virtio_net_hdr vnet;
		struct iphdr ip;
		struct udphdr udp;
		uint8_t data[2500];
	} __attribute__((packed)) p = {
		.vnet = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = GSO_UDP_L4,
			.hdr_len = 28, .gso_size = 1000, .csum_start = 20, .csum_offset = 6,
		},
		.ip = {
			.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
			.tot_len = htons(2528),
			.saddr = htonl(0x0a080002), .daddr = htonl(0x0a080001),
		},
		.udp = { .source = htons(6000), .dest = htons(PORT + 1), .len = htons(2508) },
	};
	uint8_t *ip = (uint8_t *)&p.ip;

	p.ip.check = htons(sum(ip, 20, 0));
	/* of the addresses, protocol and length: not inverted */
	p.udp.check = htons(~sum(ip + 12, 8, IPPROTO_UDP + 2508));
	memcpy(p.data, data, sizeof(p.data));
	return write(tun, &p, sizeof(p)) == sizeof(p) ? 0 : -1;
}

TEST_F(gso, merged)
{
	struct ifreq ifr = { .ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK), fd, size;

	ASSERT_EQ(0, ioctl(tun, TUNSETIFF, &ifr));
	ASSERT_EQ(0, env_run("ip link set tun0 up && %s addr add 10.8.0.1/24 dev tun0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(fd, "0.0.0.0", PORT + 1));
	if (wire_merged(tun) && errno == EINVAL)
		SKIP(return, "before 6.2 TUN takes no merged datagrams");
	EXPECT_EQ(0, arrive(fd, 2500, 1000));
	ASSERT_EQ(0, env_setopt(fd, SOL_UDP, UDP_GRO, 1));
	ASSERT_EQ(0, wire_merged(tun));
	ASSERT_EQ(2500, recv_gro(fd, &size));
	EXPECT_EQ(1000, size);
	EXPECT_EQ(0, memcmp(data, got, 2500));
}

TEST_HARNESS_MAIN
