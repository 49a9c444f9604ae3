// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that name a device (SO_BINDTODEVICE, IP_PKTINFO) or want no router (SO_DONTROUTE): what
 * they hear, and which way leaves what they send. The tap sees every frame from the card.
 *
 *	tested: v0 10.9.0.1/24 ---- v1 10.9.0.2/24 :peer (native), tap
 *	        default via 10.9.0.2
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include "sock_env.h"

#define OWN	"10.9.0.1"
#define PEER	"10.9.0.2"
#define FAR	"192.0.2.1"	/* behind the router */
#define QUIET	300		/* ms: nothing comes any more */

FIXTURE(device) {
	int family;
	int here;	/* namespaces */
	int there;
	int tap;
};

FIXTURE_VARIANT(device) {
	int stack;
};

FIXTURE_VARIANT_ADD(device, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(device, strata) { .stack = STRATA };

/* "ip" or "strata" of the stack under test */
#define TOOL	(variant->stack == NATIVE ? "ip" : "strata")

/* every frame that comes in by v1, link header too */
static int tap_open(void)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = if_nametoindex("v1") };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	return bind(fd, (void *)&ll, sizeof(ll)) ||
	       env_setopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) ? -1 : fd;
}

FIXTURE_SETUP(device)
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
		 "ip link add v0 type veth peer name v1 netns /proc/%d/fd/%d && "
		 "ip link set v0 up && %s addr add 10.9.0.1/24 broadcast 10.9.0.255 dev v0",
		 getpid(), self->there, TOOL);
	ASSERT_EQ(0, system(cmd));
	ASSERT_EQ(0, setns(self->there, CLONE_NEWNET));
	ASSERT_EQ(0, system("ip link set v1 up && ip addr add 10.9.0.2/24 brd + dev v1"));
	self->tap = tap_open();
	ASSERT_LE(0, self->tap);
	ASSERT_EQ(0, setns(self->here, CLONE_NEWNET));
	ASSERT_EQ(0, env_run("%s route add default via 10.9.0.2%s", TOOL, ""));
	ASSERT_EQ(0, system("sysctl -qw net.ipv4.ping_group_range='0 0'"));
}

FIXTURE_TEARDOWN(device)
{
}

static int on_device(int fd, const char *dev)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev));
}

/* Is there something to read within QUIET ms? */
static bool arrives(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, QUIET) == 1 && pfd.revents == POLLIN;
}

/* Does a connection come about within QUIET ms? */
static bool connects(int fd, const char *addr, int port)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!env_connect(fd, addr, port))
		return true;
	return errno == EINPROGRESS && poll(&pfd, 1, QUIET) == 1 &&
	       !env_getopt(fd, SOL_SOCKET, SO_ERROR);
}

static ssize_t ping_flags(int fd, int flags, const char *addr)
{
	struct icmphdr echo = { .type = ICMP_ECHO };

	return env_sendto(fd, &echo, sizeof(echo), flags, addr, 0);
}

static ssize_t ping(int fd, const char *addr)
{
	return ping_flags(fd, 0, addr);
}

static int peer_socket(int there, int here, const char *addr, int port)
{
	int fd;

	if (setns(there, CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1) || env_bind(fd, addr, port))
		fd = -1;
	return setns(here, CLONE_NEWNET) ? -1 : fd;
}

/* a message of @iov with one piece of ancillary data */
struct note {
	struct msghdr msg;
	struct iovec iov;
	struct sockaddr_in to;
	union {
		struct cmsghdr cm;
		char buf[CMSG_SPACE(sizeof(struct in_pktinfo))];
	};
};

static void note_make(struct note *n, const char *addr, int level, int type, const void *data,
		      size_t len)
{
	static uint8_t payload[4000];

	memset(n, 0, sizeof(*n));
	n->to = env_addr(addr, 9);
	n->iov = (struct iovec){ payload, 1 };
	n->cm.cmsg_level = level;
	n->cm.cmsg_type = type;
	n->cm.cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(&n->cm), data, len);
	n->msg = (struct msghdr){
		.msg_name = &n->to, .msg_namelen = sizeof(n->to), .msg_iov = &n->iov,
		.msg_iovlen = 1, .msg_control = n->buf, .msg_controllen = CMSG_SPACE(len),
	};
}

/* send to @addr by the device of this name, as IP_PKTINFO says it */
static ssize_t send_by(int fd, const char *dev, const char *addr)
{
	struct in_pktinfo info = { .ipi_ifindex = if_nametoindex(dev) };
	struct note n;

	note_make(&n, addr, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	return sendmsg(fd, &n.msg, 0);
}

struct frame {
	struct ether_header eth;
	union {
		struct iphdr ip;
		struct ether_arp arp;
	};
	uint8_t rest[2000];
} __attribute__((packed, aligned(2)));

enum { SILENCE, ASKED, SENT };

/*
 * What leaves for @addr within QUIET ms: SENT, a packet, to the router if it is behind it; ASKED,
 * the question who has the address
 */
static int leaves(int tap, const char *addr)
{
	in_addr_t to = inet_addr(addr);
	struct frame f;

	while (arrives(tap)) {
		if (recv(tap, &f, sizeof(f), MSG_DONTWAIT) < 34)
			continue;
		if (f.eth.ether_type == htons(ETH_P_IP) && f.ip.daddr == to)
			return SENT;
		if (f.eth.ether_type == htons(ETH_P_ARP) && f.arp.arp_op == htons(ARPOP_REQUEST) &&
		    !memcmp(f.arp.arp_tpa, &to, 4))
			return ASKED;
	}
	return SILENCE;
}

/* What is sent to an address of this host comes in by the device that has it; 127/8 by lo */
TEST_F(device, own_addresses)
{
	static const struct {
		const char *addr, *server, *client;	/* server and client: bound to */
		bool heard, answered;
	} tries[] = {
		{ OWN, "", "", true, true }, { OWN, "v0", "", true, true },
		{ OWN, "", "v0", true, true }, { OWN, "v0", "v0", true, true },
		{ OWN, "lo", "", false, false }, { OWN, "lo", "v0", false, false },
		/* by lo if its sender wants that */
		{ OWN, "", "lo", true, false }, { OWN, "v0", "lo", false, false },
		{ OWN, "lo", "lo", true, true },
		{ "127.0.0.1", "", "", true, true }, { "127.0.0.1", "v0", "", false, false },
		{ "127.0.0.1", "lo", "", true, true }, { "127.0.0.1", "", "lo", true, true },
		{ "127.0.0.1", "v0", "lo", false, false }, { "127.0.0.1", "lo", "lo", true, true },
	};
	struct sockaddr_in from;
	socklen_t len;
	int i, fd[4];
	char c;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		for (len = 0; len < 4; len++) {
			fd[len] = socket(self->family, len < 2 ? SOCK_DGRAM : SOCK_STREAM, 0);
			ASSERT_EQ(0, on_device(fd[len], len & 1 ? tries[i].client :
								  tries[i].server));
		}
		ASSERT_EQ(0, env_bind(fd[0], "0.0.0.0", 5004));
		ASSERT_EQ(0, env_bind(fd[2], "0.0.0.0", 5004));
		ASSERT_EQ(0, listen(fd[2], 1));

		ASSERT_EQ(1, env_sendto(fd[1], "x", 1, 0, tries[i].addr, 5004));
		EXPECT_EQ(tries[i].heard, arrives(fd[0])) {
			TH_LOG("UDP: %s, server on '%s', client on '%s'", tries[i].addr,
			       tries[i].server, tries[i].client);
		}
		len = sizeof(from);
		if (recvfrom(fd[0], &c, 1, MSG_DONTWAIT, (void *)&from, &len) == 1) {
			ASSERT_EQ(1, sendto(fd[0], "y", 1, 0, (void *)&from, len));
			EXPECT_EQ(tries[i].answered, arrives(fd[1])) {
				TH_LOG("answer: %s, server on '%s', client on '%s'", tries[i].addr,
				       tries[i].server, tries[i].client);
			}
		}
		EXPECT_EQ(tries[i].answered, connects(fd[3], tries[i].addr, 5004)) {
			TH_LOG("TCP: %s, server on '%s', client on '%s'", tries[i].addr,
			       tries[i].server, tries[i].client);
		}
		for (len = 0; len < 4; len++)
			close(fd[len]);
	}
}

TEST_F(device, own_addresses_ping)
{
	static const struct {
		const char *addr, *dev;
		bool answered;
	} tries[] = {
		{ OWN, "", true }, { OWN, "v0", true }, { OWN, "lo", false },
		{ "127.0.0.1", "", true }, { "127.0.0.1", "lo", true },
	};
	int i, fd;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		fd = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
		ASSERT_EQ(0, on_device(fd, tries[i].dev));
		ASSERT_EQ(8, ping(fd, tries[i].addr));
		EXPECT_EQ(tries[i].answered, arrives(fd)) {
			TH_LOG("%s from '%s'", tries[i].addr, tries[i].dev);
		}
		close(fd);
	}
}

/* the device a datagram came in by, as IP_PKTINFO says it, "": there is none */
static const char *came_by(int fd, struct in_pktinfo *info)
{
	static char name[IF_NAMESIZE];
	char ctl[CMSG_SPACE(sizeof(*info))], c;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};

	if (!arrives(fd) || recvmsg(fd, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return "";
	memcpy(info, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(*info));
	return if_indextoname(info->ipi_ifindex, name) ? name : "none";
}

TEST_F(device, own_addresses_pktinfo)
{
	int rx = socket(self->family, SOCK_DGRAM, 0), fd = socket(self->family, SOCK_DGRAM, 0);
	struct in_pktinfo info;

	ASSERT_EQ(0, env_bind(rx, "0.0.0.0", 5004));
	ASSERT_EQ(0, env_setopt(rx, SOL_IP, IP_PKTINFO, 1));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, OWN, 5004));
	EXPECT_STREQ("v0", came_by(rx, &info));
	EXPECT_EQ(inet_addr(OWN), info.ipi_addr.s_addr);
	EXPECT_EQ(inet_addr(OWN), info.ipi_spec_dst.s_addr);
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "127.0.0.1", 5004));
	EXPECT_STREQ("lo", came_by(rx, &info));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "10.9.0.255", 5004));
	EXPECT_STREQ("v0", came_by(rx, &info));
	EXPECT_EQ(inet_addr("10.9.0.255"), info.ipi_addr.s_addr);
	EXPECT_EQ(inet_addr(OWN), info.ipi_spec_dst.s_addr);
}

/* A broadcast of this host's own comes by the device it leaves by */
TEST_F(device, own_broadcast)
{
	static const char *const to[] = { "10.9.0.255", "255.255.255.255" };
	int any = socket(self->family, SOCK_DGRAM, 0), fd = socket(self->family, SOCK_DGRAM, 0);
	int v0 = socket(self->family, SOCK_DGRAM, 0), lo = socket(self->family, SOCK_DGRAM, 0);
	int i;
	char c;

	ASSERT_EQ(0, env_setopt(any, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, env_setopt(v0, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, env_setopt(lo, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, on_device(v0, "v0"));
	ASSERT_EQ(0, on_device(lo, "lo"));
	ASSERT_EQ(0, env_bind(any, "0.0.0.0", 5004));
	ASSERT_EQ(0, env_bind(v0, "0.0.0.0", 5004));
	ASSERT_EQ(0, env_bind(lo, "0.0.0.0", 5004));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1));
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, to[i], 5004));
		EXPECT_TRUE(arrives(any)) TH_LOG("%s", to[i]);
		EXPECT_TRUE(arrives(v0)) TH_LOG("%s", to[i]);
		EXPECT_FALSE(arrives(lo)) TH_LOG("%s", to[i]);
		EXPECT_EQ(1, recv(any, &c, 1, MSG_DONTWAIT));
		EXPECT_EQ(1, recv(v0, &c, 1, MSG_DONTWAIT));
		EXPECT_EQ(SENT, leaves(self->tap, to[i]));
	}
}

/*
 * Nothing that goes by lo leaves the host, however many it is for. Native gives it to who
 * listens on lo; here it is refused
 */
TEST_F(device, lo_to_many)
{
	static const char *const to[] = {
		"10.9.0.255", "255.255.255.255", "224.0.0.1", "224.1.2.3",
	};
	int ret = variant->stack == NATIVE ? 1 : -1;
	int err = variant->stack == NATIVE ? 0 : ENETUNREACH;
	int lo, any, con, i;

	for (i = 0; i < ARRAY_SIZE(to); i++) {
		lo = socket(self->family, SOCK_DGRAM, 0);
		any = socket(self->family, SOCK_DGRAM, 0);
		con = socket(self->family, SOCK_DGRAM, 0);
		ASSERT_EQ(0, env_setopt(lo, SOL_SOCKET, SO_BROADCAST, 1));
		ASSERT_EQ(0, env_setopt(any, SOL_SOCKET, SO_BROADCAST, 1));
		ASSERT_EQ(0, env_setopt(con, SOL_SOCKET, SO_BROADCAST, 1));
		ASSERT_EQ(0, on_device(lo, "lo"));
		ASSERT_EQ(0, env_connect(con, to[i], 9));
		ASSERT_EQ(1, send(con, "x", 1, 0));
		EXPECT_EQ(SENT, leaves(self->tap, to[i])) TH_LOG("%s", to[i]);

		errno = 0;
		EXPECT_EQ(ret, env_sendto(lo, "x", 1, 0, to[i], 9)) TH_LOG("%s", to[i]);
		EXPECT_EQ(err, errno) TH_LOG("%s", to[i]);
		EXPECT_EQ(SILENCE, leaves(self->tap, to[i])) TH_LOG("%s", to[i]);
		errno = 0;
		EXPECT_EQ(ret, send_by(any, "lo", to[i])) TH_LOG("%s", to[i]);
		EXPECT_EQ(err, errno) TH_LOG("%s", to[i]);
		EXPECT_EQ(SILENCE, leaves(self->tap, to[i])) TH_LOG("%s", to[i]);
		/* one that has a path already */
		ASSERT_EQ(0, on_device(con, "lo"));
		errno = 0;
		EXPECT_EQ(ret, send(con, "x", 1, 0)) TH_LOG("%s", to[i]);
		EXPECT_EQ(err, errno) TH_LOG("%s", to[i]);
		EXPECT_EQ(SILENCE, leaves(self->tap, to[i])) TH_LOG("%s", to[i]);
		close(lo);
		close(any);
		close(con);
	}
}

/*
 * A route that refuses does so to all; who names a device has the destination on that link, not
 * behind the router of a shorter prefix
 */
TEST_F(device, routes_that_refuse)
{
	static const struct {
		const char *route, *to[4];
		int err;
	} tries[] = {
		{ "blackhole 198.51.100.0/24", { "198.51.100.1", "198.51.100.2", "198.51.100.3",
						 "198.51.100.4" }, EINVAL },
		{ "unreachable 198.51.101.0/24", { "198.51.101.1", "198.51.101.2", "198.51.101.3",
						   "198.51.101.4" }, EHOSTUNREACH },
		{ "prohibit 198.51.102.0/24", { "198.51.102.1", "198.51.102.2", "198.51.102.3",
						"198.51.102.4" }, EACCES },
	};
	int udp = socket(self->family, SOCK_DGRAM, 0), udp_v0 = socket(self->family, SOCK_DGRAM, 0);
	int echo = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	int echo_v0 = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP), tcp, i, k;
	const char *const *to;

	ASSERT_EQ(0, on_device(udp_v0, "v0"));
	ASSERT_EQ(0, on_device(echo_v0, "v0"));
	ASSERT_EQ(1, env_sendto(udp_v0, "x", 1, 0, FAR, 9));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		ASSERT_EQ(0, env_run("%s route add %s", TOOL, tries[i].route));
		to = tries[i].to;
		EXPECT_ERRNO(tries[i].err, env_sendto(udp, "x", 1, 0, to[0], 9));
		EXPECT_ERRNO(tries[i].err, ping(echo, to[0]));
		tcp = socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		EXPECT_ERRNO(tries[i].err, env_connect(tcp, to[0], 9));
		EXPECT_EQ(SILENCE, leaves(self->tap, to[0])) TH_LOG("%s", tries[i].route);

		ASSERT_EQ(0, on_device(tcp, "v0"));
		EXPECT_EQ(1, env_sendto(udp_v0, "x", 1, 0, to[0], 9));
		EXPECT_EQ(1, send_by(udp, "v0", to[1]));
		EXPECT_EQ(8, ping(echo_v0, to[2]));
		EXPECT_ERRNO(EINPROGRESS, env_connect(tcp, to[3], 9));
		for (k = 0; k < 4; k++) {
			EXPECT_EQ(ASKED, leaves(self->tap, to[k])) TH_LOG("%s", to[k]);
		}
		close(tcp);
	}
	/* what is routed in the midst of it still is */
	ASSERT_EQ(0, env_run("%s route add 198.51.100.5/32 via %s dev v0", TOOL, PEER));
	EXPECT_EQ(1, send_by(udp, "v0", "198.51.100.5"));
	EXPECT_EQ(SENT, leaves(self->tap, "198.51.100.5"));
}

/* Who wants no router reaches what is on a link of this host, and nothing else */
TEST_F(device, dont_route)
{
	int fd = socket(self->family, SOCK_DGRAM, 0), con = socket(self->family, SOCK_DGRAM, 0);
	int echo = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	int rx = socket(self->family, SOCK_DGRAM, 0);

	ASSERT_EQ(0, env_bind(rx, "0.0.0.0", 5004));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1));

	/* one message: not by the way to where the last one went */
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, FAR, 9));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));
	EXPECT_ERRNO(ENETUNREACH, env_sendto(fd, "x", 1, MSG_DONTROUTE, FAR, 9));
	EXPECT_ERRNO(ENETUNREACH, env_sendto(fd, "x", 1, MSG_DONTROUTE | MSG_MORE, FAR, 9));
	EXPECT_EQ(SILENCE, leaves(self->tap, FAR));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, FAR, 9));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));
	EXPECT_EQ(1, env_sendto(fd, "x", 1, MSG_DONTROUTE, PEER, 9));
	EXPECT_EQ(SENT, leaves(self->tap, PEER));
	EXPECT_EQ(1, env_sendto(fd, "x", 1, MSG_DONTROUTE, "10.9.0.255", 9));
	EXPECT_EQ(SENT, leaves(self->tap, "10.9.0.255"));
	/* that the router's route alone says the device of */
	EXPECT_ERRNO(ENETUNREACH, env_sendto(fd, "x", 1, MSG_DONTROUTE, "224.1.2.3", 9));
	EXPECT_ERRNO(ENETUNREACH, env_sendto(fd, "x", 1, MSG_DONTROUTE, "255.255.255.255", 9));
	EXPECT_EQ(1, env_sendto(fd, "x", 1, MSG_DONTROUTE, OWN, 5004));
	EXPECT_EQ(1, env_sendto(fd, "x", 1, MSG_DONTROUTE, "127.0.0.1", 5004));
	EXPECT_TRUE(arrives(rx));

	/* the same of a connected socket, and of one that asks for echoes */
	ASSERT_EQ(0, env_connect(con, FAR, 9));
	EXPECT_ERRNO(ENETUNREACH, send(con, "x", 1, MSG_DONTROUTE));
	EXPECT_EQ(SILENCE, leaves(self->tap, FAR));
	ASSERT_EQ(1, send(con, "x", 1, 0));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));
	ASSERT_EQ(8, ping(echo, FAR));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));
	EXPECT_ERRNO(ENETUNREACH, ping_flags(echo, MSG_DONTROUTE, FAR));
	EXPECT_EQ(8, ping_flags(echo, MSG_DONTROUTE, PEER));
	EXPECT_EQ(SENT, leaves(self->tap, PEER));

	/* a device named: it is on its link */
	ASSERT_EQ(0, on_device(fd, "v0"));
	EXPECT_EQ(1, env_sendto(fd, "x", 1, MSG_DONTROUTE, "192.0.2.7", 9));
	EXPECT_EQ(ASKED, leaves(self->tap, "192.0.2.7"));
}

/* The same for all that a socket sends */
TEST_F(device, dont_route_socket)
{
	int fd = socket(self->family, SOCK_DGRAM, 0), con = socket(self->family, SOCK_DGRAM, 0);
	int echo = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	int tcp = socket(self->family, SOCK_STREAM, 0);
	int far = socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, FAR, 9));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));
	ASSERT_EQ(0, env_connect(con, FAR, 9));
	ASSERT_EQ(1, send(con, "x", 1, 0));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));

	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_DONTROUTE, 1));
	ASSERT_EQ(0, env_setopt(echo, SOL_SOCKET, SO_DONTROUTE, 1));
	ASSERT_EQ(0, env_setopt(tcp, SOL_SOCKET, SO_DONTROUTE, 1));
	ASSERT_EQ(0, env_setopt(far, SOL_SOCKET, SO_DONTROUTE, 1));
	EXPECT_ERRNO(ENETUNREACH, env_sendto(fd, "x", 1, 0, FAR, 9));
	EXPECT_ERRNO(ENETUNREACH, ping(echo, FAR));
	EXPECT_ERRNO(ENETUNREACH, env_connect(far, FAR, 9));
	EXPECT_ERRNO(ENETUNREACH, env_connect(fd, FAR, 9));
	EXPECT_EQ(SILENCE, leaves(self->tap, FAR));
	EXPECT_EQ(1, env_sendto(fd, "x", 1, 0, PEER, 9));
	EXPECT_EQ(SENT, leaves(self->tap, PEER));
	EXPECT_EQ(8, ping(echo, PEER));
	EXPECT_EQ(SENT, leaves(self->tap, PEER));
	EXPECT_ERRNO(ECONNREFUSED, env_connect(tcp, PEER, 9));

	/* from now on, also of a socket that has its path */
	ASSERT_EQ(0, env_setopt(con, SOL_SOCKET, SO_DONTROUTE, 1));
	EXPECT_ERRNO(ENETUNREACH, send(con, "x", 1, 0));
	EXPECT_EQ(SILENCE, leaves(self->tap, FAR));
	ASSERT_EQ(0, env_setopt(con, SOL_SOCKET, SO_DONTROUTE, 0));
	EXPECT_EQ(1, send(con, "x", 1, 0));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));
}

/* A server that wants no router does not answer who is behind one, until it does want it */
TEST_F(device, dont_route_listener)
{
	int lfd = socket(self->family, SOCK_STREAM, 0), fd;

	ASSERT_EQ(0, env_setopt(lfd, SOL_SOCKET, SO_DONTROUTE, 1));
	ASSERT_EQ(0, env_bind(lfd, OWN, 5005));
	ASSERT_EQ(0, listen(lfd, 1));
	ASSERT_EQ(0, setns(self->there, CLONE_NEWNET));
	ASSERT_EQ(0, system("ip addr add " FAR "/32 dev v1"));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ASSERT_EQ(0, env_bind(fd, FAR, 0));
	EXPECT_ERRNO(EINPROGRESS, env_connect(fd, OWN, 5005));
	ASSERT_EQ(0, setns(self->here, CLONE_NEWNET));
	EXPECT_EQ(SILENCE, leaves(self->tap, FAR));
	EXPECT_FALSE(arrives(lfd));
	ASSERT_EQ(0, env_setopt(lfd, SOL_SOCKET, SO_DONTROUTE, 0));
	/* its SYN comes again */
	EXPECT_LE(0, accept(lfd, NULL, NULL));
	EXPECT_EQ(SENT, leaves(self->tap, FAR));
}

/* the frame to @addr that leaves within QUIET ms goes to all */
static bool leaves_to_all(int tap, const char *addr)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	in_addr_t to = inet_addr(addr);
	struct frame f;

	while (arrives(tap)) {
		if (recv(tap, &f, sizeof(f), MSG_DONTWAIT) >= 34 &&
		    f.eth.ether_type == htons(ETH_P_IP) && f.ip.daddr == to)
			return !memcmp(f.eth.ether_dhost, all, 6);
	}
	return false;
}

/* What an address is, its neighbour entry follows: a host's that was asked for, then a broadcast */
TEST_F(device, broadcast_that_was_a_host)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);

	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(0, env_run("%s addr add 10.20.1.1/8 dev v0%s", TOOL, ""));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "10.20.0.255", 9));
	EXPECT_EQ(ASKED, leaves(self->tap, "10.20.0.255"));
	ASSERT_EQ(0, env_run("%s addr add 10.20.0.1/24 broadcast 10.20.0.255 dev v0%s", TOOL, ""));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "10.20.0.255", 9));
	EXPECT_TRUE(leaves_to_all(self->tap, "10.20.0.255"));
	/* and back (native's entry stays as it is) */
	ASSERT_EQ(0, env_run("%s addr del 10.20.0.1/24 dev v0%s", TOOL, ""));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "10.20.0.255", 9));
	EXPECT_EQ(variant->stack == NATIVE ? SENT : ASKED, leaves(self->tap, "10.20.0.255"));
}

static struct sockaddr_in own_name(int fd)
{
	struct sockaddr_in sin = { };
	socklen_t len = sizeof(sin);

	getsockname(fd, (void *)&sin, &len);
	return sin;
}

/*
 * Who is bound to a broadcast address hears what is sent to that one, also when it has a peer; it
 * sends from an address of this host, whose datagrams are their owner's
 */
TEST_F(device, bound_to_broadcast)
{
	int own = socket(self->family, SOCK_DGRAM, 0), all = socket(self->family, SOCK_DGRAM, 0);
	int peer = peer_socket(self->there, self->here, "0.0.0.0", 7);
	int other = peer_socket(self->there, self->here, "0.0.0.0", 8);
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int i;
	char c;

	ASSERT_LE(0, peer);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, env_bind(own, OWN, 5005));
	ASSERT_EQ(0, env_bind(all, "10.9.0.255", 5005));
	ASSERT_EQ(0, env_connect(all, PEER, 7));
	EXPECT_EQ(inet_addr("10.9.0.255"), own_name(all).sin_addr.s_addr);
	EXPECT_EQ(htons(5005), own_name(all).sin_port);
	EXPECT_EQ(1500, env_getopt(all, SOL_IP, IP_MTU));

	ASSERT_EQ(1, env_sendto(peer, "x", 1, 0, OWN, 5005));
	EXPECT_TRUE(arrives(own));
	EXPECT_EQ(1, recv(own, &c, 1, MSG_DONTWAIT));
	EXPECT_FALSE(arrives(all));
	ASSERT_EQ(1, env_sendto(peer, "x", 1, 0, "10.9.0.255", 5005));
	EXPECT_TRUE(arrives(all));
	EXPECT_EQ(1, recv(all, &c, 1, MSG_DONTWAIT));
	ASSERT_EQ(1, env_sendto(other, "x", 1, 0, "10.9.0.255", 5005));
	EXPECT_FALSE(arrives(all));

	/* the second time by a path that is looked for anew */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(1, send(all, "y", 1, 0)) TH_LOG("%d: %s", i, strerror(errno));
		ASSERT_EQ(1, env_readable(peer));
		ASSERT_EQ(1, recvfrom(peer, &c, 1, 0, (void *)&from, &len));
		EXPECT_EQ(inet_addr(OWN), from.sin_addr.s_addr);
		EXPECT_EQ(htons(5005), from.sin_port);
		if (!i)
			ASSERT_EQ(0, env_run("%s addr add 10.9.0.3/24 dev v0%s", TOOL, ""));
	}
	EXPECT_EQ(1500, env_getopt(all, SOL_IP, IP_MTU));

	ASSERT_EQ(0, env_unspec(all));
	EXPECT_EQ(inet_addr("10.9.0.255"), own_name(all).sin_addr.s_addr);
	ASSERT_EQ(1, env_sendto(other, "x", 1, 0, OWN, 5005));
	EXPECT_TRUE(arrives(own));
	EXPECT_FALSE(arrives(all));
	ASSERT_EQ(1, env_sendto(other, "x", 1, 0, "10.9.0.255", 5005));
	EXPECT_TRUE(arrives(all));
	EXPECT_EQ(1, env_sendto(all, "y", 1, 0, PEER, 7));
	EXPECT_TRUE(arrives(peer));
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* SO_TXTIME: fq sends a datagram when its message says */
TEST_F(device, txtime)
{
	struct sock_txtime on = { .clockid = CLOCK_MONOTONIC };
	static const int sizes[] = { 1, 3000 };
	int peer = peer_socket(self->there, self->here, "0.0.0.0", 9);
	int fd = socket(self->family, SOCK_DGRAM, 0), i;
	static char buf[4000];
	struct note n;
	uint64_t at;

	if (system("tc qdisc add dev v0 root fq"))
		SKIP(return, "this kernel has no fq");
	ASSERT_LE(0, peer);
	/* it is known where the peer is */
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, PEER, 9));
	ASSERT_EQ(1, env_readable(peer));
	ASSERT_EQ(1, recv(peer, buf, sizeof(buf), 0));

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_TXTIME, &on, sizeof(on)));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		at = now_ns() + 200000000;
		note_make(&n, PEER, SOL_SOCKET, SCM_TXTIME, &at, sizeof(at));
		n.iov.iov_len = sizes[i];
		ASSERT_EQ(sizes[i], sendmsg(fd, &n.msg, 0)) TH_LOG("%s", strerror(errno));
		/* this one has no time and overtakes it */
		ASSERT_EQ(2, env_sendto(fd, "xx", 2, 0, PEER, 9));
		ASSERT_EQ(1, env_readable(peer));
		EXPECT_EQ(2, recv(peer, buf, sizeof(buf), 0));
		ASSERT_EQ(1, env_readable(peer));
		EXPECT_EQ(sizes[i], recv(peer, buf, sizeof(buf), 0));
		EXPECT_LE(at, now_ns());
		EXPECT_GT(at + 2000000000, now_ns());
	}
	/* one that is late already */
	at = now_ns() - 1000000;
	memcpy(CMSG_DATA(&n.cm), &at, sizeof(at));
	ASSERT_EQ(3000, sendmsg(fd, &n.msg, 0));
	ASSERT_EQ(1, env_readable(peer));
}

/* the priority in the tag of the VLAN's next packet within QUIET ms, -1: there is none */
static int tag_priority(int tap)
{
	uint8_t buf[200];
	char ctl[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct tpacket_auxdata aux;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl };

	while (arrives(tap)) {
		msg.msg_controllen = sizeof(ctl);
		if (recvmsg(tap, &msg, 0) < 0 || !CMSG_FIRSTHDR(&msg))
			break;
		memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(aux));
		/* (IPv6 speaks, too) */
		if (aux.tp_status & TP_STATUS_VLAN_VALID && !memcmp(buf + 12, "\x08", 2))
			return aux.tp_vlan_tci >> 13;
	}
	return -1;
}

/* IP_TOS chooses the queue and a VLAN's priority, be it the socket's or the message's */
TEST_F(device, tos_priority)
{
	int udp = socket(self->family, SOCK_DGRAM, 0);
	int echo = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	static const struct {
		int tos, priority;	/* of the message; SO_PRIORITY. -1, 0: none */
		int tag;
	} tries[] = {
		{ -1, 0, 0 }, { 0x10, 0, 5 }, { 0x08, 0, 3 }, { -1, 2, 3 }, { 0x10, 2, 5 },
		{ 0, 2, 0 },
	};
	struct icmphdr request = { .type = ICMP_ECHO };
	struct note n;
	int i;

	/* 6 is TC_PRIO_INTERACTIVE, 2 TC_PRIO_BULK */
	if (system("ip link add link v0 name v0.5 type vlan id 5 egress-qos-map 6:5 2:3"))
		SKIP(return, "this kernel has no VLANs");
	ASSERT_EQ(0, env_run("ip link set v0.5 up && %s addr add %s dev v0.5", TOOL,
			     "10.9.5.1/24"));
	ASSERT_EQ(0, env_run("%s neigh add 10.9.5.2 lladdr %s dev v0.5 nud permanent", TOOL,
			     "02:00:00:00:00:05"));
	ASSERT_EQ(0, env_setopt(self->tap, SOL_PACKET, PACKET_AUXDATA, 1));
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		ASSERT_EQ(0, env_setopt(udp, SOL_SOCKET, SO_PRIORITY, tries[i].priority));
		ASSERT_EQ(0, env_setopt(echo, SOL_SOCKET, SO_PRIORITY, tries[i].priority));
		note_make(&n, "10.9.5.2", SOL_IP, IP_TOS, &tries[i].tos, sizeof(int));
		if (tries[i].tos < 0)
			n.msg.msg_controllen = 0;
		ASSERT_EQ(1, sendmsg(udp, &n.msg, 0));
		EXPECT_EQ(tries[i].tag, tag_priority(self->tap)) TH_LOG("UDP: try %d", i);
		ASSERT_EQ(1, sendmsg(udp, &n.msg, MSG_MORE));
		ASSERT_EQ(1, env_sendto(udp, "x", 1, 0, "10.9.5.2", 9));
		EXPECT_EQ(tries[i].tag, tag_priority(self->tap)) TH_LOG("in two parts: try %d", i);
		n.iov = (struct iovec){ &request, sizeof(request) };
		ASSERT_EQ(8, sendmsg(echo, &n.msg, 0));
		EXPECT_EQ(tries[i].tag, tag_priority(self->tap)) TH_LOG("ping: try %d", i);
	}
	ASSERT_EQ(0, env_setopt(udp, SOL_IP, IP_TOS, 0x10));
	ASSERT_EQ(1, env_sendto(udp, "x", 1, 0, "10.9.5.2", 9));
	EXPECT_EQ(5, tag_priority(self->tap));
}

/* UDP's datagrams that found no room, as snmp counts them; -1: not found */
static long sndbuf_errors(bool native)
{
	FILE *f = fopen(native ? "/proc/net/snmp" : "/proc/net/strata/snmp", "r");
	char names[1024], values[1024], *n, *v, *at_n, *at_v;
	long found = -1;

	while (f && found < 0 && fgets(names, sizeof(names), f) &&
	       fgets(values, sizeof(values), f)) {
		if (strncmp(names, "Udp:", 4))
			continue;
		n = strtok_r(names, " \n", &at_n);
		v = strtok_r(values, " \n", &at_v);
		while (n && v && strcmp(n, "SndbufErrors")) {
			n = strtok_r(NULL, " \n", &at_n);
			v = strtok_r(NULL, " \n", &at_v);
		}
		if (n && v)
			found = atol(v);
	}
	if (f)
		fclose(f);
	return found;
}

/* The device's queue is full: a loss that is counted once; who asks for errors is told */
TEST_F(device, queue_full)
{
	int fd = socket(self->family, SOCK_DGRAM, 0), i;
	long before;

	if (system("tc qdisc add dev v0 root netem delay 100s limit 1"))
		SKIP(return, "this kernel has no netem");
	ASSERT_EQ(0, env_run("%s neigh replace 10.9.0.2 lladdr %s dev v0 nud permanent", TOOL,
			     "02:00:00:00:00:05"));
	/* it may have been filled by what the devices have said */
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, PEER, 9));
	before = sndbuf_errors(variant->stack == NATIVE);
	ASSERT_LE(0, before);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(1, env_sendto(fd, "x", 1, 0, PEER, 9));
	EXPECT_EQ(before + 5, sndbuf_errors(variant->stack == NATIVE));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_RECVERR, 1));
	for (i = 0; i < 5; i++)
		EXPECT_ERRNO(ENOBUFS, env_sendto(fd, "x", 1, 0, PEER, 9));
	EXPECT_EQ(before + 10, sndbuf_errors(variant->stack == NATIVE));
	/* and of a datagram in parts */
	EXPECT_EQ(1, env_sendto(fd, "x", 1, MSG_MORE, PEER, 9));
	EXPECT_ERRNO(ENOBUFS, env_sendto(fd, "x", 1, 0, PEER, 9));
	EXPECT_EQ(before + 11, sndbuf_errors(variant->stack == NATIVE));
}

static int unicast_if(int fd, const char *dev)
{
	return env_setopt(fd, SOL_IP, IP_UNICAST_IF, htonl(if_nametoindex(dev)));
}

/* the own address of @fd once it is connected to @addr */
static const char *source_to(int fd, const char *addr, int port)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (env_connect(fd, addr, port) || getsockname(fd, (void *)&sin, &len))
		return "";
	return inet_ntoa(sin.sin_addr);
}

/* what has left for @addr; nothing of it is on its way any more */
static bool left(int tap, const char *addr)
{
	bool any = false;

	while (leaves(tap, addr) != SILENCE)
		any = true;
	return any;
}

/*
 * IP_UNICAST_IF: by which device to one host, unless a device is bound or the message names one.
 * Not to a group, and TCP does not ask
 */
TEST_F(device, unicast_if)
{
	int fd = socket(self->family, SOCK_DGRAM, 0), tcp = socket(self->family, SOCK_STREAM, 0);
	int ping_fd = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);

	if (env_run("ip link add d0 type dummy 2>/dev/null%s%s", "", ""))
		SKIP(return, "the kernel has no dummy device");
	ASSERT_EQ(0, env_run("ip link set d0 up && %s addr add 10.8.0.1/24 dev d0%s", TOOL, ""));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, PEER, 9));
	EXPECT_TRUE(left(self->tap, PEER));

	ASSERT_EQ(0, unicast_if(fd, "d0"));
	EXPECT_EQ(htonl(if_nametoindex("d0")), env_getopt(fd, SOL_IP, IP_UNICAST_IF));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, PEER, 9));
	EXPECT_FALSE(left(self->tap, PEER));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "255.255.255.255", 9));
	EXPECT_FALSE(left(self->tap, "255.255.255.255"));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "224.0.0.77", 9));
	EXPECT_TRUE(left(self->tap, "224.0.0.77"));
	ASSERT_EQ(1, send_by(fd, "v0", PEER));
	EXPECT_TRUE(left(self->tap, PEER));
	EXPECT_STREQ("10.8.0.1", source_to(fd, PEER, 9));
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_FALSE(left(self->tap, PEER));
	ASSERT_EQ(0, env_unspec(fd));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_UNICAST_IF, 0));
	EXPECT_STREQ(OWN, source_to(fd, PEER, 9));

	ASSERT_EQ(0, unicast_if(ping_fd, "d0"));
	ASSERT_EQ(8, ping(ping_fd, PEER));
	EXPECT_FALSE(left(self->tap, PEER));
	EXPECT_STREQ("10.8.0.1", source_to(ping_fd, PEER, 0));

	ASSERT_EQ(0, unicast_if(tcp, "d0"));
	EXPECT_EQ(0, fcntl(tcp, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EINPROGRESS, env_connect(tcp, FAR, 9));
	EXPECT_TRUE(left(self->tap, FAR));
}

/* A bound device has the say, and does not let another be named */
TEST_F(device, unicast_if_bound)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);

	EXPECT_ERRNO(EADDRNOTAVAIL, env_setopt(fd, SOL_IP, IP_UNICAST_IF, htonl(4711)));
	EXPECT_ERRNO(EADDRNOTAVAIL, env_setopt(fd, SOL_IP, IP_UNICAST_IF, -1));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_IP, IP_UNICAST_IF, &(int){ 0 }, 1));
	EXPECT_EQ(0, env_getopt(fd, SOL_IP, IP_UNICAST_IF));
	ASSERT_EQ(0, unicast_if(fd, "lo"));
	ASSERT_EQ(0, on_device(fd, "v0"));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, PEER, 9));
	EXPECT_TRUE(left(self->tap, PEER));
	EXPECT_ERRNO(EINVAL, unicast_if(fd, "lo"));
	EXPECT_ERRNO(EINVAL, unicast_if(fd, "v0"));
	EXPECT_EQ(htonl(if_nametoindex("lo")), env_getopt(fd, SOL_IP, IP_UNICAST_IF));
	EXPECT_EQ(0, env_setopt(fd, SOL_IP, IP_UNICAST_IF, 0));
}

TEST_HARNESS_MAIN
