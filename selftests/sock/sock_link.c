// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams to and from another host: a native peer behind a veth pair.
 *
 *	tested: v0 10.9.0.1/24 ---- v1 10.9.0.2/24 :peer (native)
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include "sock_env.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

FIXTURE(link) {
	int family;
	int here;	/* namespaces */
	int there;
};

FIXTURE_VARIANT(link) {
	int stack;
};

FIXTURE_VARIANT_ADD(link, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(link, strata) { .stack = STRATA };

FIXTURE_SETUP(link)
{
	char cmd[512];

	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->there = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_EQ(0, env_unshare());
	self->here = open("/proc/self/ns/net", O_RDONLY);
	snprintf(cmd, sizeof(cmd),
		 "ip link add v0 type veth peer name v1 && ip link set v1 netns /proc/%d/fd/%d && "
		 "ip link set v0 up && %s addr add 10.9.0.1/24 broadcast 10.9.0.255 dev v0",
		 getpid(), self->there, variant->stack == NATIVE ? "ip" : "strata");
	ASSERT_EQ(0, system(cmd));
	ASSERT_EQ(0, setns(self->there, CLONE_NEWNET));
	ASSERT_EQ(0, system("ip link set v1 up && ip addr add 10.9.0.2/24 brd + dev v1"));
	ASSERT_EQ(0, setns(self->here, CLONE_NEWNET));
}

FIXTURE_TEARDOWN(link)
{
}

static int peer_socket(int there, int here, int type)
{
	int fd;

	if (setns(there, CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, type, 0);
	return setns(here, CLONE_NEWNET) ? -1 : fd;
}

TEST_F(link, echo)
{
	static const int sizes[] = { 0, 1, 1472, 1473, 5000, 65507 };
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	static char out[65536], in[65536];
	struct sockaddr_in from;
	socklen_t len;
	unsigned int i, k;

	ASSERT_EQ(0, env_bind(peer, "10.9.0.2", 7));
	ASSERT_EQ(0, env_connect(fd, "10.9.0.2", 7));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (k = 0; k < sizes[i]; k++)
			out[k] = k * 5 + k / 256 + i;
		ASSERT_EQ(sizes[i], send(fd, out, sizes[i], 0));
		ASSERT_EQ(1, env_readable(peer));
		len = sizeof(from);
		ASSERT_EQ(sizes[i], recvfrom(peer, in, sizeof(in), 0, (void *)&from, &len));
		EXPECT_EQ(0, memcmp(in, out, sizes[i]));
		EXPECT_EQ(env_addr("10.9.0.1", 0).sin_addr.s_addr, from.sin_addr.s_addr);
		ASSERT_EQ(sizes[i], sendto(peer, in, sizes[i], 0, (void *)&from, len));
		ASSERT_EQ(1, env_readable(fd));
		ASSERT_EQ(sizes[i], recv(fd, in, sizeof(in), 0));
		EXPECT_EQ(0, memcmp(in, out, sizes[i]));
	}
}

TEST_F(link, df)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	static char big[5000];

	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	EXPECT_EQ(1472, env_sendto(fd, big, 1472, 0, "10.9.0.2", 7));
	EXPECT_ERRNO(EMSGSIZE, env_sendto(fd, big, 1473, 0, "10.9.0.2", 7));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT));
	EXPECT_EQ(1473, env_sendto(fd, big, 1473, 0, "10.9.0.2", 7));
}

TEST_F(link, broadcast)
{
	static const char *const to[] = { "10.9.0.255", "255.255.255.255" };
	int a = peer_socket(self->there, self->here, SOCK_DGRAM);
	int b = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	int con = socket(self->family, SOCK_DGRAM, 0);
	int i;
	char c;

	env_setopt(a, SOL_SOCKET, SO_REUSEADDR, 1);
	env_setopt(b, SOL_SOCKET, SO_REUSEADDR, 1);
	ASSERT_EQ(0, env_bind(a, "0.0.0.0", 68));
	ASSERT_EQ(0, env_bind(b, "0.0.0.0", 68));
	EXPECT_ERRNO(EACCES, env_sendto(fd, "x", 1, 0, "10.9.0.255", 68));
	EXPECT_ERRNO(EACCES, env_sendto(fd, "x", 1, MSG_MORE, "10.9.0.255", 68));
	EXPECT_ERRNO(EACCES, env_connect(con, "10.9.0.255", 68));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(0, env_setopt(con, SOL_SOCKET, SO_BROADCAST, 1));
	EXPECT_EQ(0, env_connect(con, "10.9.0.255", 68));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "v0", 3));
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, to[i], 68)) TH_LOG("%s", to[i]);
		ASSERT_EQ(1, env_readable(a)) TH_LOG("%s", to[i]);
		ASSERT_EQ(1, env_readable(b));
		EXPECT_EQ(1, recv(a, &c, 1, MSG_DONTWAIT));
		EXPECT_EQ(1, recv(b, &c, 1, MSG_DONTWAIT));
	}
}

/* All sockets a broadcast matches get it; who is connected elsewhere or bound to a device not */
TEST_F(link, broadcast_in)
{
	static const char *const to[] = { "10.9.0.255", "255.255.255.255" };
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd[5], i, k;
	char c;

	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = socket(self->family, SOCK_DGRAM, 0);
		env_setopt(fd[i], SOL_SOCKET, SO_REUSEADDR, 1);
	}
	ASSERT_EQ(0, setsockopt(fd[2], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	ASSERT_EQ(0, env_bind(fd[0], "0.0.0.0", 67));
	ASSERT_EQ(0, env_bind(fd[1], "0.0.0.0", 67));
	ASSERT_EQ(0, env_bind(fd[2], "0.0.0.0", 67));
	ASSERT_EQ(0, env_bind(fd[3], "10.9.0.1", 67));
	ASSERT_EQ(0, env_bind(fd[4], "10.9.0.255", 67));
	ASSERT_EQ(0, env_setopt(peer, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(0, setns(self->there, CLONE_NEWNET));
	ASSERT_EQ(0, setsockopt(peer, SOL_SOCKET, SO_BINDTODEVICE, "v1", 3));
	ASSERT_EQ(0, setns(self->here, CLONE_NEWNET));
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		ASSERT_EQ(1, env_sendto(peer, "x", 1, 0, to[i], 67));
		ASSERT_EQ(1, env_readable(fd[0]));
		usleep(20000);
		for (k = 0; k < ARRAY_SIZE(fd); k++) {
			EXPECT_EQ(k < 2 || (k == 4 && !i) ? 1 : -1,
				  recv(fd[k], &c, 1, MSG_DONTWAIT)) {
				TH_LOG("%s, socket %d", to[i], k);
			}
		}
	}
}

TEST_F(link, refused_by_peer)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	char c;

	ASSERT_EQ(0, env_connect(fd, "10.9.0.2", 4444));
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	ASSERT_EQ(1, env_readable(fd));
	EXPECT_ERRNO(ECONNREFUSED, recv(fd, &c, 1, MSG_DONTWAIT));
}

TEST_F(link, peer_refused)
{
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	char c;

	ASSERT_EQ(0, env_connect(peer, "10.9.0.1", 4444));
	ASSERT_EQ(1, send(peer, "x", 1, 0));
	ASSERT_EQ(1, env_readable(peer));
	EXPECT_ERRNO(ECONNREFUSED, recv(peer, &c, 1, MSG_DONTWAIT));
}

/* Nobody has the address: the failed resolution comes back as an error */
TEST_F(link, no_neighbour)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	struct pollfd pfd = { .fd = fd };
	char c;

	ASSERT_EQ(0, env_connect(fd, "10.9.0.77", 9));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_RECVERR, 1));
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	ASSERT_EQ(1, poll(&pfd, 1, 10000));
	EXPECT_ERRNO(EHOSTUNREACH, recv(fd, &c, 1, MSG_DONTWAIT));
}

/* RFC 1122 2.3.2.2, 4.2.3.9: a connection to it fails at once then, not after its timeout */
TEST_F(link, no_neighbour_tcp)
{
	int fd = socket(self->family, SOCK_STREAM, 0);
	int64_t start = env_ms();

	EXPECT_ERRNO(EHOSTUNREACH, env_connect(fd, "10.9.0.77", 9));
	EXPECT_LT(env_ms() - start, 10000);
}

/* A socket that does not ask for it hears nothing: the host may be there the next time */
TEST_F(link, no_neighbour_soft)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	struct pollfd pfd = { .fd = fd };

	ASSERT_EQ(0, env_connect(fd, "10.9.0.77", 9));
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_EQ(0, poll(&pfd, 1, 4500));
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_ERROR));
}

/* nor does one without a peer learn it by sending: sendmmsg() goes on with who is there */
TEST_F(link, no_neighbour_unconnected)
{
	const char *conf = variant->stack == NATIVE ? "ipv4" : "strata";
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	struct sockaddr_in to[3] = {
		env_addr("10.9.0.2", 9), env_addr("10.9.0.77", 9), env_addr("10.9.0.2", 9),
	};
	struct iovec iov = { "x", 1 };
	struct mmsghdr msg[3] = { };
	uint8_t echo[16] = { 8 };
	int fd, ping, i;
	char c;

	ASSERT_EQ(0, env_run("echo 0 2147483647 > /proc/sys/net/%s/ping_group_range%s", conf, ""));
	ASSERT_EQ(0, env_bind(peer, "10.9.0.2", 9));
	fd = socket(self->family, SOCK_DGRAM, 0);
	ping = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	ASSERT_LE(0, ping);
	for (i = 0; i < ARRAY_SIZE(to); i++)
		msg[i].msg_hdr = (struct msghdr){ .msg_name = &to[i], .msg_namelen = sizeof(to[i]),
						  .msg_iov = &iov, .msg_iovlen = 1 };
	/* while it is asked for, when nobody has answered, and asked for again */
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(3, sendmmsg(fd, msg, 3, 0)) TH_LOG("%d ms: %m", i * 100);
		ASSERT_EQ(16, env_sendto(ping, echo, 16, 0, "10.9.0.77", 0));
		ASSERT_EQ(1, env_readable(peer));
		EXPECT_EQ(1, recv(peer, &c, 1, MSG_DONTWAIT));
		ASSERT_EQ(1, env_readable(peer));
		EXPECT_EQ(1, recv(peer, &c, 1, MSG_DONTWAIT));
		usleep(100000);
	}
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(0, env_getopt(ping, SOL_SOCKET, SO_ERROR));
}

/*
 * A device that is polled late (napi_defer_hard_irqs) has a datagram that nobody has seen: a
 * receiver that polls it (SO_BUSY_POLL) takes that at once, though it does not wait
 */
TEST_F(link, busy_poll)
{
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd = socket(self->family, SOCK_DGRAM, 0), i;
	char c;

	ASSERT_EQ(0, env_bind(fd, "10.9.0.1", 7));
	ASSERT_EQ(0, env_connect(peer, "10.9.0.1", 7));
	/* with GRO a veth device is polled, unless its peer sends what could be merged already */
	ASSERT_EQ(0, setns(self->there, CLONE_NEWNET));
	ASSERT_EQ(0, system("ethtool -K v1 tso off"));
	ASSERT_EQ(0, setns(self->here, CLONE_NEWNET));
	if (system("ethtool -K v0 gro on && unshare -m sh -c 'mount -t sysfs none /sys && "
		   "echo 1000 > /sys/class/net/v0/napi_defer_hard_irqs && "
		   "echo 2000000000 > /sys/class/net/v0/gro_flush_timeout'"))
		SKIP(return, "no ethtool, or a device that cannot wait");
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BUSY_POLL, 50));
	ASSERT_EQ(1, send(peer, "a", 1, 0));
	ASSERT_EQ(1, env_readable(fd));
	ASSERT_EQ(1, recv(fd, &c, 1, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, send(peer, "b", 1, 0));
		EXPECT_EQ(1, recv(fd, &c, 1, MSG_DONTWAIT));
	}
}

/* RFC 1122 3.3.6: this host is one of those a broadcast of its own is for */
TEST_F(link, broadcast_to_self)
{
	int rx = socket(self->family, SOCK_DGRAM, 0), fd = socket(self->family, SOCK_DGRAM, 0);
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char c;

	ASSERT_EQ(0, env_bind(rx, "0.0.0.0", 69));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "10.9.0.255", 69));
	ASSERT_EQ(1, env_readable(rx));
	ASSERT_EQ(1, recvfrom(rx, &c, 1, 0, (void *)&from, &len));
	EXPECT_EQ(env_addr("10.9.0.1", 0).sin_addr.s_addr, from.sin_addr.s_addr);
}

/* Datagrams that GRO has merged on the way (rx-udp-gro-forwarding) arrive one by one */
TEST_F(link, gro_in)
{
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd = socket(self->family, SOCK_DGRAM, 0), i;
	struct iovec iov[32];
	struct mmsghdr msg[32] = { };
	char buf[32][100], in[4000];

	if (system("ethtool -K v0 gro on rx-udp-gro-forwarding on >/dev/null"))
		SKIP(return, "this ethtool or kernel cannot switch rx-udp-gro-forwarding on");
	ASSERT_EQ(0, env_bind(fd, "10.9.0.1", 7));
	ASSERT_EQ(0, env_connect(peer, "10.9.0.1", 7));
	for (i = 0; i < 32; i++) {
		memset(buf[i], i, sizeof(buf[i]));
		iov[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	ASSERT_EQ(32, sendmmsg(peer, msg, 32, 0));
	for (i = 0; i < 32; i++) {
		ASSERT_EQ(1, env_readable(fd));
		EXPECT_EQ(100, recv(fd, in, sizeof(in), MSG_DONTWAIT));
		EXPECT_EQ(i, in[99]);
	}
}

/* TCP_SAVE_SYN 2: the SYN's headers from Ethernet's on */
TEST_F(link, saved_syn)
{
	int lfd = socket(self->family, SOCK_STREAM, 0), two = 2, fd;
	int peer = peer_socket(self->there, self->here, SOCK_STREAM);
	struct ifreq ifr = { .ifr_name = "v0" };
	unsigned char syn[256] = { };
	socklen_t len = sizeof(syn);

	ASSERT_EQ(0, env_bind(lfd, "10.9.0.1", 7));
	ASSERT_EQ(0, setsockopt(lfd, SOL_TCP, TCP_SAVE_SYN, &two, sizeof(two)));
	ASSERT_EQ(0, listen(lfd, 1));
	ASSERT_EQ(0, env_connect(peer, "10.9.0.1", 7));
	fd = accept(lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_SAVED_SYN, syn, &len));
	ASSERT_EQ(14 + 20 + (syn[14 + 20 + 12] >> 4) * 4, len);
	ASSERT_EQ(0, ioctl(lfd, SIOCGIFHWADDR, &ifr));
	EXPECT_EQ(0, memcmp(syn, ifr.ifr_hwaddr.sa_data, 6));
	EXPECT_EQ(0, memcmp(syn + 12, "\x08\x00\x45", 3));
	EXPECT_EQ(0, memcmp(syn + 14 + 12, "\x0a\x09\x00\x02\x0a\x09\x00\x01", 8));
	EXPECT_EQ(2, syn[14 + 20 + 13]);
	close(fd);
	close(peer);
	close(lfd);
}

/* A connected socket that is bound to a device afterwards leaves by that one, or not at all */
TEST_F(link, bound_after_connect)
{
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	char c;

	ASSERT_EQ(0, env_bind(peer, "10.9.0.2", 7));
	ASSERT_EQ(0, env_connect(fd, "10.9.0.2", 7));
	ASSERT_EQ(1, send(fd, "a", 1, 0));
	ASSERT_EQ(1, env_readable(peer));
	ASSERT_EQ(1, recv(peer, &c, 1, 0));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	send(fd, "b", 1, 0);
	EXPECT_EQ(0, env_readable(peer));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
	ASSERT_EQ(1, send(fd, "c", 1, 0));
	EXPECT_EQ(1, env_readable(peer));
	EXPECT_EQ(1, recv(peer, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ('c', c);
}

/* What a tap on "lo" sees of datagrams to this host: each once on its way out, once coming in */
TEST_F(link, loopback_tap)
{
	static const char *const to[] = { "127.0.0.1", "10.9.0.1" };
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = if_nametoindex("lo") };
	int tap = socket(AF_PACKET, SOCK_DGRAM, 0);
	int rx = socket(self->family, SOCK_DGRAM, 0), fd = socket(self->family, SOCK_DGRAM, 0);
	socklen_t len;
	int i, in, out;
	char buf[100];

	ASSERT_EQ(0, bind(tap, (void *)&ll, sizeof(ll)));
	ASSERT_EQ(0, env_bind(rx, "0.0.0.0", 69));
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		ASSERT_EQ(3, env_sendto(fd, "tap", 3, 0, to[i], 69));
		ASSERT_EQ(1, env_readable(rx));
		ASSERT_EQ(3, recv(rx, buf, sizeof(buf), 0));
		for (in = 0, out = 0; in + out < 2 && env_readable(tap) == 1;) {
			len = sizeof(ll);
			ASSERT_EQ(31, recvfrom(tap, buf, sizeof(buf), 0, (void *)&ll, &len));
			EXPECT_EQ(0, memcmp(buf + 28, "tap", 3));
			EXPECT_EQ(0, memcmp(buf + 16, &(struct in_addr){ inet_addr(to[i]) }, 4));
			if (ll.sll_pkttype == PACKET_OUTGOING)
				out++;
			else
				in++;
		}
		EXPECT_EQ(1, in);
		EXPECT_EQ(1, out);
		usleep(20000);
		EXPECT_ERRNO(EAGAIN, recv(tap, buf, sizeof(buf), MSG_DONTWAIT));
	}
}

/* Nobody there, in each way there is not to be: the errno says which; then the socket is as new */
TEST_F_TIMEOUT(link, connect_nowhere, 90)
{
	static const struct {
		const char *addr;
		int err;
	} tries[] = {
		{ "192.0.2.1", ENETUNREACH },		/* no route */
		{ "198.51.100.1", EHOSTUNREACH },	/* routes that say no */
		{ "198.51.101.1", EACCES },
		{ "198.51.102.1", EINVAL },
		{ "10.9.0.77", EHOSTUNREACH },		/* nobody has the address */
		{ "10.9.0.78", ETIMEDOUT },		/* somebody had it */
		{ "10.9.0.2", ECONNREFUSED },
	};
	int peer = peer_socket(self->there, self->here, SOCK_STREAM);
	const char *ip = variant->stack == NATIVE ? "ip" : "strata";
	int i, fd = socket(self->family, SOCK_STREAM, 0);

	ASSERT_EQ(0, env_run("%s route add unreachable 198.51.100.0/24%s", ip, ""));
	ASSERT_EQ(0, env_run("%s route add prohibit 198.51.101.0/24%s", ip, ""));
	ASSERT_EQ(0, env_run("%s route add blackhole 198.51.102.0/24%s", ip, ""));
	ASSERT_EQ(0, env_run("%s neigh add 10.9.0.78 lladdr 02:00:00:00:00:99 dev v0 nud permanent%s",
			     ip, ""));
	ASSERT_EQ(0, env_bind(peer, "10.9.0.2", 7));
	ASSERT_EQ(0, listen(peer, 1));
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		/* to give up early, but not before ARP does */
		ASSERT_EQ(0, env_setopt(fd, SOL_TCP, TCP_SYNCNT,
					tries[i].err == ETIMEDOUT ? 1 : 6));
		errno = 0;
		EXPECT_EQ(-1, env_connect(fd, tries[i].addr, 9)) TH_LOG("%s", tries[i].addr);
		EXPECT_EQ(tries[i].err, errno) TH_LOG("%s", tries[i].addr);
	}
	EXPECT_EQ(0, env_connect(fd, "10.9.0.2", 7));
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_ERROR));
}

/* All ports of the range are taken: bind() and connect() say so in their own ways */
TEST_F(link, ports_used_up)
{
	const char *stack = variant->stack == NATIVE ? "ipv4" : "strata";
	int peer = peer_socket(self->there, self->here, SOCK_STREAM);
	int type, i, fd[3];

	ASSERT_EQ(0, env_run("echo 5000 5001 > /proc/sys/net/%s/ip_local_port_range%s", stack, ""));
	ASSERT_EQ(0, env_bind(peer, "10.9.0.2", 7));
	ASSERT_EQ(0, listen(peer, 8));
	for (type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		for (i = 0; i < 3; i++)
			fd[i] = socket(self->family, type, 0);
		EXPECT_EQ(0, env_bind(fd[0], "10.9.0.1", 0));
		EXPECT_EQ(0, env_bind(fd[1], "10.9.0.1", 0));
		EXPECT_ERRNO(EADDRINUSE, env_bind(fd[2], "10.9.0.1", 0));
		EXPECT_ERRNO(EADDRINUSE, env_bind(fd[2], "10.9.0.1", 5001));
		EXPECT_ERRNO(EADDRINUSE, env_bind(fd[2], "0.0.0.0", 5000));
		close(fd[1]);
		EXPECT_EQ(0, env_bind(fd[2], "10.9.0.1", 0));
		close(fd[0]);
		close(fd[2]);
	}
	for (i = 0; i < 3; i++)
		fd[i] = socket(self->family, SOCK_STREAM, 0);
	EXPECT_EQ(0, env_connect(fd[0], "10.9.0.2", 7));
	EXPECT_EQ(0, env_connect(fd[1], "10.9.0.2", 7));
	EXPECT_ERRNO(EADDRNOTAVAIL, env_connect(fd[2], "10.9.0.2", 7));
	/* not so to another port of the peer */
	EXPECT_ERRNO(ECONNREFUSED, env_connect(fd[2], "10.9.0.2", 9));
}

/* IP_PKTINFO chooses the source; an address that is not ours is refused */
TEST_F(link, pktinfo_source)
{
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	struct sockaddr_in to = env_addr("10.9.0.2", 7), from;
	char ctl[CMSG_SPACE(sizeof(struct in_pktinfo))] = { };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = sizeof(ctl), .msg_name = &to, .msg_namelen = sizeof(to),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
	struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(cm);
	socklen_t len = sizeof(from);
	char c;

	ASSERT_EQ(0, env_run("%s addr add 10.9.0.3/24 dev v0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	ASSERT_EQ(0, env_bind(peer, "10.9.0.2", 7));
	cm->cmsg_level = SOL_IP;
	cm->cmsg_type = IP_PKTINFO;
	cm->cmsg_len = CMSG_LEN(sizeof(*info));
	inet_pton(AF_INET, "10.9.0.3", &info->ipi_spec_dst);
	ASSERT_EQ(1, sendmsg(fd, &msg, 0));
	ASSERT_EQ(1, env_readable(peer));
	ASSERT_EQ(1, recvfrom(peer, &c, 1, 0, (void *)&from, &len));
	EXPECT_EQ(env_addr("10.9.0.3", 0).sin_addr.s_addr, from.sin_addr.s_addr);
	inet_pton(AF_INET, "10.9.0.99", &info->ipi_spec_dst);
	EXPECT_ERRNO(ENETUNREACH, sendmsg(fd, &msg, 0));
	cm->cmsg_len = CMSG_LEN(sizeof(*info) - 1);
	EXPECT_ERRNO(EINVAL, sendmsg(fd, &msg, 0));
}

/* Datagrams a native sender has not cut up (UDP_SEGMENT) arrive one by one */
TEST_F(link, gso_in)
{
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	char buf[4000];
	int i;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = i / 1000;
	ASSERT_EQ(0, env_bind(fd, "10.9.0.1", 7));
	ASSERT_EQ(0, env_connect(peer, "10.9.0.1", 7));
	ASSERT_EQ(0, env_setopt(peer, SOL_UDP, UDP_SEGMENT, 1000));
	ASSERT_EQ(3500, send(peer, buf, 3500, 0));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, env_readable(fd));
		EXPECT_EQ(i < 3 ? 1000 : 500, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
		EXPECT_EQ(i, buf[0]);
	}
}

/* Interface addresses are those of the socket's stack */
TEST_F(link, ifaddr_ioctl)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	struct ifreq ifr = { .ifr_name = "v0" };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ifr.ifr_addr;

	ASSERT_EQ(0, ioctl(fd, SIOCGIFADDR, &ifr));
	EXPECT_EQ(env_addr("10.9.0.1", 0).sin_addr.s_addr, sin->sin_addr.s_addr);
	ASSERT_EQ(0, ioctl(fd, SIOCGIFNETMASK, &ifr));
	EXPECT_EQ(env_addr("255.255.255.0", 0).sin_addr.s_addr, sin->sin_addr.s_addr);
	ASSERT_EQ(0, ioctl(fd, SIOCGIFBRDADDR, &ifr));
	EXPECT_EQ(env_addr("10.9.0.255", 0).sin_addr.s_addr, sin->sin_addr.s_addr);
	ASSERT_EQ(0, ioctl(fd, SIOCGIFINDEX, &ifr));
	EXPECT_EQ(if_nametoindex("v0"), ifr.ifr_ifindex);
	strcpy(ifr.ifr_name, "none");
	EXPECT_ERRNO(ENODEV, ioctl(fd, SIOCGIFADDR, &ifr));
}

TEST_HARNESS_MAIN
