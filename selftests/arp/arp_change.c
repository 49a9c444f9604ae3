// SPDX-License-Identifier: GPL-2.0-only
/*
 * The link address of the device changes: no frame goes out with the old one any more, whoever
 * has a link header ready to copy. (RFC 826: the pair is {protocol address, hardware address}.)
 * What is at the other end changes: who was behind the cable is asked for anew.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>

#include "../kselftest_harness.h"
#include "../lib/rtnl.h"

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0x0a };
static const uint8_t mac_b[6] = { 2, 0, 0, 0, 0, 0x0b };
static const uint8_t mac_c[6] = { 2, 0, 0, 0, 0, 0x0c };
static const uint8_t mac_new[6] = { 2, 0, 0, 0, 0, 0x1a };	/* va's after the change */
static const uint8_t mac_all[6] = { 255, 255, 255, 255, 255, 255 };

static uint32_t ip(const char *s)
{
	return inet_addr(s);
}

static int change_address(void)
{
	return run("ip link set va address 02:00:00:00:00:1a");
}

static void drain(int fd)
{
	char buf[256];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* frames as they are on vb, link headers too */
static int frame_tap(int a, int b, int type)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(type) };
	int fd = -1, one = 1;

	if (!setns(b, CLONE_NEWNET)) {
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(type));
		ll.sll_ifindex = if_nametoindex("vb");
		if (bind(fd, (struct sockaddr *)&ll, sizeof(ll)) ||
		    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)))
			fd = -1;
	}
	return setns(a, CLONE_NEWNET) ? -1 : fd;
}

struct ip_frame {
	uint8_t dst[6], src[6];
	uint16_t type;
	struct iphdr ip;
	uint8_t rest[1500];
} __attribute__((packed));

/* the next packet from 10.0.0.2 to @to within a second: the destination of its frame; NULL: none */
static const uint8_t *next_to(int tap, const char *to, struct ip_frame *f)
{
	struct pollfd p = { .fd = tap, .events = POLLIN };
	double end = now_s() + 1;

	while (now_s() < end && poll(&p, 1, 1000) > 0)
		if (recv(tap, f, sizeof(*f), MSG_DONTWAIT) >= 34 && f->ip.saddr == ip("10.0.0.2") &&
		    f->ip.daddr == ip(to))
			return f->dst;
	return NULL;
}

FIXTURE(change) {
	struct rtnl r;
	int a, b;
};

FIXTURE_SETUP(change)
{
	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
}

FIXTURE_TEARDOWN(change)
{
	close(self->r.fd);
}

/*
 * Whatever has a link header of its own kept has the new source address in the next packet: a
 * neighbour in every state in which packets go out at once, broadcast and multicast
 */
TEST_F(change, kept_headers_have_the_new_link_address)
{
	static const uint8_t group[6] = { 1, 0, 0x5e, 1, 2, 3 };
	static const struct {
		const char *to;
		int state;
		const uint8_t *mac;
	} host[] = {
		{ "10.0.0.11", NUD_REACHABLE, mac_b }, { "10.0.0.12", NUD_STALE, mac_b },
		{ "10.0.0.13", NUD_DELAY, mac_b }, { "10.0.0.14", NUD_PROBE, mac_b },
		{ "10.0.0.15", NUD_PERMANENT, mac_c }, { "10.0.0.16", NUD_NOARP, mac_c },
		{ "10.0.0.255", 0, mac_all }, { "255.255.255.255", 0, mac_all },
		{ "239.1.2.3", 0, group },
	};
	enum { HOSTS = sizeof(host) / sizeof(host[0]) };
	int fd[HOSTS], one = 1, tap = frame_tap(self->a, self->b, ETH_P_IP);
	struct ip_frame f;

	ASSERT_GE(tap, 0);
	for (int i = 0; i < HOSTS; i++) {
		struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
					  .sin_addr.s_addr = ip(host[i].to) };

		if (host[i].state)
			ASSERT_EQ(0, neigh_add(&self->r, "va", host[i].to, host[i].mac,
					       host[i].state));
		/* the socket keeps its path, and that the neighbour */
		fd[i] = socket(TEST_FAMILY, SOCK_DGRAM, 0);
		ASSERT_EQ(0, setsockopt(fd[i], SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)));
		ASSERT_EQ(0, setsockopt(fd[i], SOL_SOCKET, SO_BINDTODEVICE, "va", 3));
		ASSERT_EQ(0, connect(fd[i], (void *)&to, sizeof(to))) TH_LOG("%s", host[i].to);
		ASSERT_EQ(1, send(fd[i], "x", 1, 0));
		ASSERT_NE(NULL, next_to(tap, host[i].to, &f)) TH_LOG("%s", host[i].to);
		EXPECT_EQ(0, memcmp(f.src, mac_a, 6));
		EXPECT_EQ(0, memcmp(f.dst, host[i].mac, 6));
	}
	ASSERT_EQ(0, change_address());
	for (int i = 0; i < HOSTS; i++) {
		ASSERT_EQ(1, send(fd[i], "y", 1, 0));
		ASSERT_NE(NULL, next_to(tap, host[i].to, &f)) TH_LOG("%s", host[i].to);
		EXPECT_EQ(0, memcmp(f.src, mac_new, 6)) TH_LOG("%s", host[i].to);
		EXPECT_EQ(0, memcmp(f.dst, host[i].mac, 6)) TH_LOG("%s", host[i].to);
		close(fd[i]);
	}
	close(tap);
}

FIXTURE(established) {
	struct rtnl r;
	int a, b, tap, client, server;
};

FIXTURE_VARIANT(established) {
	int family;
};

FIXTURE_VARIANT_ADD(established, native) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(established, strata) {
	.family = TEST_FAMILY,
};

/* a connection from 10.0.0.2 on va, of either stack, to native's 10.0.0.1 on vb */
FIXTURE_SETUP(established)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7000),
				  .sin_addr.s_addr = ip("10.0.0.1") };
	int lsk;

	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, variant->family == AF_INET ? run("ip addr add 10.0.0.2/24 dev va") :
						  addr_add(&self->r, "va", "10.0.0.2", 24));
	ASSERT_EQ(0, setns(self->b, CLONE_NEWNET));
	ASSERT_EQ(0, run("ip addr add 10.0.0.1/24 dev vb"));
	lsk = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(lsk, (void *)&to, sizeof(to)));
	ASSERT_EQ(0, listen(lsk, 1));
	ASSERT_EQ(0, setns(self->a, CLONE_NEWNET));
	self->client = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(self->client, (void *)&to, sizeof(to)));
	self->server = accept(lsk, NULL, NULL);
	ASSERT_GE(self->server, 0);
	close(lsk);
	self->tap = frame_tap(self->a, self->b, ETH_P_ALL);
	ASSERT_GE(self->tap, 0);
}

FIXTURE_TEARDOWN(established)
{
	close(self->client);
	close(self->server);
	close(self->tap);
	close(self->r.fd);
}

/*
 * A connection that stands does not notice: both ways go on, and no frame has the old address
 * as its source once the change is made
 */
TEST_F(established, goes_on_with_the_new_link_address)
{
	struct timeval tv = { .tv_sec = 10 };
	struct ip_frame f;
	int fresh = 0;
	char c;

	setsockopt(self->client, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(self->server, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	for (c = 'a'; c < 'c'; c++) {
		ASSERT_EQ(1, send(self->client, &c, 1, 0));
		ASSERT_EQ(1, recv(self->server, &c, 1, 0));
		ASSERT_EQ(1, send(self->server, &c, 1, 0));
		ASSERT_EQ(1, recv(self->client, &c, 1, 0));
	}
	ASSERT_EQ(0, change_address());
	sleep_s(0.3);
	drain(self->tap);	/* with what went before, the announcement of 10.0.0.2 among it */
	/* (native does not say of itself that its address is another: the peer asks again) */
	if (variant->family == AF_INET)
		ASSERT_EQ(0, run("nsenter --net=/proc/self/fd/%d ip neigh flush dev vb", self->b));
	for (c = 'c'; c < 'f'; c++) {
		ASSERT_EQ(1, send(self->client, &c, 1, 0));
		ASSERT_EQ(1, recv(self->server, &c, 1, 0));
		ASSERT_EQ(1, send(self->server, &c, 1, 0));
		ASSERT_EQ(1, recv(self->client, &c, 1, 0));
	}
	while (recv(self->tap, &f, sizeof(f), MSG_DONTWAIT) > 0) {
		if (f.type != htons(ETH_P_IP) && f.type != htons(ETH_P_ARP))
			continue;	/* native's IPv6 */
		EXPECT_NE(0, memcmp(f.src, mac_a, 6)) TH_LOG("type %04x", ntohs(f.type));
		fresh += f.type == htons(ETH_P_IP) && !memcmp(f.src, mac_new, 6);
	}
	EXPECT_GE(fresh, 3);
}

FIXTURE(cable) {
	struct rtnl r;
	int a, b, tap, fd, peer;
};

FIXTURE_VARIANT(cable) {
	int family;
};

FIXTURE_VARIANT_ADD(cable, native) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(cable, strata) {
	.family = TEST_FAMILY,
};

/* a socket at 10.0.0.2 on va, of either stack, connected to native's at 10.0.0.1 on vb */
FIXTURE_SETUP(cable)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7000),
				  .sin_addr.s_addr = ip("10.0.0.1") };
	struct timeval tv = { .tv_sec = 10 };

	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, variant->family == AF_INET ? run("ip addr add 10.0.0.2/24 dev va") :
						  addr_add(&self->r, "va", "10.0.0.2", 24));
	ASSERT_EQ(0, setns(self->b, CLONE_NEWNET));
	ASSERT_EQ(0, run("ip addr add 10.0.0.1/24 dev vb"));
	self->peer = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, bind(self->peer, (void *)&to, sizeof(to)));
	ASSERT_EQ(0, setsockopt(self->peer, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	ASSERT_EQ(0, setns(self->a, CLONE_NEWNET));
	self->fd = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, connect(self->fd, (void *)&to, sizeof(to)));
	self->tap = frame_tap(self->a, self->b, ETH_P_IP);
	ASSERT_GE(self->tap, 0);
}

FIXTURE_TEARDOWN(cable)
{
	close(self->fd);
	close(self->peer);
	close(self->tap);
	close(self->r.fd);
}

/* the requests of rtnl.h are Strata's */
static void of_family(struct rtnl_req *q, int family)
{
	((struct ndmsg *)NLMSG_DATA(&q->nlh))->ndm_family = family;
}

static int set_neigh(struct rtnl *r, int family, const char *to, const uint8_t *mac, int state)
{
	struct rtnl_req q;

	neigh_req(&q, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, "va", to, state);
	of_family(&q, family);
	rtnl_attr(&q, NDA_LLADDR, mac, 6);
	return rtnl_talk(r, &q, NULL, NULL);
}

/* its state, or -ENOENT */
static int neigh_state(struct rtnl *r, int family, const char *to)
{
	struct neigh_seen seen = { 0 };
	struct rtnl_req q;
	int err;

	neigh_req(&q, RTM_GETNEIGH, 0, "va", to, 0);
	of_family(&q, family);
	err = rtnl_talk(r, &q, neigh_keep, &seen);
	return err ? err : seen.state;
}

#define EXPECT_NEIGH(state, to) \
	EXPECT_EQ(state, neigh_state(&self->r, variant->family, to)) TH_LOG("%s", to)

/* the next datagram arrives, in a frame to @mac */
#define EXPECT_ARRIVES(mac) do {					\
	struct ip_frame f;						\
	char c;								\
	drain(self->tap);						\
	EXPECT_EQ(1, send(self->fd, "x", 1, 0));			\
	EXPECT_EQ(1, recv(self->peer, &c, 1, 0));			\
	ASSERT_NE(NULL, next_to(self->tap, "10.0.0.1", &f));		\
	EXPECT_EQ(0, memcmp(f.dst, mac, 6));				\
} while (0)

static int in_b(int b, const char *cmd)
{
	return run("nsenter --net=/proc/self/fd/%d ip link set %s", b, cmd);
}

/* The carrier is lost: another host may be there when it comes back, with the same address */
TEST_F(cable, carrier)
{
	static const uint8_t mac_other[6] = { 2, 0, 0, 0, 0, 0x1b };
	int i;

	EXPECT_ARRIVES(mac_b);
	ASSERT_EQ(0, set_neigh(&self->r, variant->family, "10.0.0.11", mac_c, NUD_REACHABLE));
	ASSERT_EQ(0, set_neigh(&self->r, variant->family, "10.0.0.12", mac_c, NUD_STALE));
	ASSERT_EQ(0, set_neigh(&self->r, variant->family, "10.0.0.15", mac_c, NUD_PERMANENT));
	EXPECT_NEIGH(NUD_REACHABLE, "10.0.0.1");

	/* it takes a second until the loss is told; who was named by hand stays */
	ASSERT_EQ(0, in_b(self->b, "vb down"));
	for (i = 0; i < 20 && neigh_state(&self->r, variant->family, "10.0.0.1") > 0; i++)
		sleep_s(0.5);
	EXPECT_NEIGH(-ENOENT, "10.0.0.1");
	EXPECT_NEIGH(-ENOENT, "10.0.0.11");
	EXPECT_NEIGH(-ENOENT, "10.0.0.12");
	EXPECT_NEIGH(NUD_PERMANENT, "10.0.0.15");

	ASSERT_EQ(0, in_b(self->b, "vb address 02:00:00:00:00:1b up"));
	sleep_s(2);
	EXPECT_ARRIVES(mac_other);
	EXPECT_NEIGH(NUD_REACHABLE, "10.0.0.1");
	EXPECT_NEIGH(NUD_PERMANENT, "10.0.0.15");
}

/* The device asks nobody any more, and then again: what was of use meanwhile is of none now */
TEST_F(cable, noarp)
{
	struct ip_frame f;

	EXPECT_ARRIVES(mac_b);
	ASSERT_EQ(0, set_neigh(&self->r, variant->family, "10.0.0.11", mac_c, NUD_STALE));
	ASSERT_EQ(0, set_neigh(&self->r, variant->family, "10.0.0.15", mac_c, NUD_PERMANENT));
	ASSERT_EQ(0, run("ip link set va arp off"));
	EXPECT_NEIGH(-ENOENT, "10.0.0.1");
	EXPECT_NEIGH(-ENOENT, "10.0.0.11");
	EXPECT_NEIGH(-ENOENT, "10.0.0.15");
	/* to whom, nobody knows */
	EXPECT_EQ(1, send(self->fd, "x", 1, 0));
	ASSERT_NE(NULL, next_to(self->tap, "10.0.0.1", &f));
	EXPECT_NE(0, memcmp(f.dst, mac_b, 6));
	ASSERT_EQ(0, run("ip link set va arp on"));
	EXPECT_ARRIVES(mac_b);
}

/* the same, changed while the device was down: what is set afterwards stays */
TEST_F(cable, noarp_while_down)
{
	ASSERT_EQ(0, run("ip link set va arp off"));
	ASSERT_EQ(0, run("ip link set va down && ip link set va arp on && ip link set va up"));
	ASSERT_EQ(0, set_neigh(&self->r, variant->family, "10.0.0.15", mac_c, NUD_PERMANENT));
	ASSERT_EQ(0, run("ip link set va mtu 1400"));
	sleep_s(2);
	EXPECT_NEIGH(NUD_PERMANENT, "10.0.0.15");
	EXPECT_ARRIVES(mac_b);
}

TEST_HARNESS_MAIN
