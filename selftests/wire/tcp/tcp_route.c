// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways that change while a request is half open: the way its SYN-ACK went is found once, for the
 * SYN, and is the connection's too; but no longer than it holds.
 */
#include "wire.h"

/* a route to ME/32 by the device @dev, NULL: one that refuses; @tos, @mtu: 0: none */
static int route(int event, const char *dev, int tos, uint32_t mtu)
{
	struct rtmsg rtm = {
		.rtm_family = TEST_FAMILY, .rtm_dst_len = 32, .rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC, .rtm_tos = tos,
		.rtm_scope = dev ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = dev ? RTN_UNICAST : RTN_PROHIBIT,
	};
	struct {
		struct rtattr rta;
		uint32_t mtu;
	} metrics = { { .rta_len = sizeof(metrics), .rta_type = RTAX_MTU }, mtu };
	uint32_t oif = dev ? if_nametoindex(dev) : 0;
	struct rtnl_req q;

	if (w.native)
		rtm.rtm_family = AF_INET;
	rtnl_begin(&q, event, event == RTM_NEWROUTE ? NLM_F_CREATE : 0, &rtm, sizeof(rtm));
	rtnl_attr_ip(&q, RTA_DST, ME);
	if (oif)
		rtnl_attr(&q, RTA_OIF, &oif, sizeof(oif));
	if (mtu)
		rtnl_attr(&q, RTA_METRICS, &metrics, sizeof(metrics));
	return rtnl_talk(&w.rtnl, &q, NULL, NULL);
}

static int address(int event)
{
	struct ifaddrmsg ifa = {
		.ifa_family = w.native ? AF_INET : TEST_FAMILY, .ifa_prefixlen = 24,
		.ifa_index = if_nametoindex("t0"),
	};
	struct rtnl_req q;

	rtnl_begin(&q, event, event == RTM_NEWADDR ? NLM_F_CREATE : 0, &ifa, sizeof(ifa));
	rtnl_attr_ip(&q, IFA_LOCAL, HOST);
	return rtnl_talk(&w.rtnl, &q, NULL, NULL);
}

CASE(mtu, "RFC 1191 6.3, RFC 1122 3.3.1.2: a route that came before the ACK is the connection's")
{
	int fd;

	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 1460");
	ASSERT_EQ(0, route(RTM_NEWROUTE, "t0", 0, 1000));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("A 1+960");
}

CASE(pmtu, "RFC 1191 6.3: so is a path MTU that was learnt before the ACK")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct wire first, second;

	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	first = w;
	w_peer(PEER_PORT + 1);
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 1460");
	second = w;
	w = first;
	ASSERT_TRUE(w_icmp(3, 4, 1000, 1));
	out("A 1+960");
	out("PA 961+500");
	w = second;
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("A 1+960");
}

CASE(tos, "RFC 1122 3.3.1.2: and so is the one of the TOS that the listener has come to have")
{
	int fd;

	ASSERT_EQ(0, route(RTM_NEWROUTE, "t0", 0x10, 1000));
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 1460");
	ASSERT_EQ(0, w_set(self->lfd, SOL_IP, IP_TOS, 0x10));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("A 1+960");
}

CASE(refused, "RFC 1122 3.3.1.2: no SYN-ACK goes by a route that is no more; again when it is back")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	ASSERT_EQ(0, route(RTM_NEWROUTE, NULL, 0, 0));
	quiet(1500);
	if (NATIVE("forgets a request whose SYN-ACK finds no way"))
		return;
	ASSERT_EQ(0, route(RTM_DELROUTE, NULL, 0, 0));
	/* 3 s after the first: two timers, of 1 s and 2 s, each rounded up by the wheel */
	quiet(1400);
	out_within(200, "SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(address_gone, "RFC 1122 3.3.4.2: nor from an address that is no more")
{
	double began;

	in("S 0 mss 1460");
	out("SA 0 ack 1");
	ASSERT_EQ(0, address(RTM_DELADDR));
	quiet(1500);
	if (NATIVE("forgets a request whose SYN-ACK finds no way"))
		return;
	ASSERT_EQ(0, address(RTM_NEWADDR));
	began = now_s();
	out_within(1700, "SA 0 ack 1");
	ASSERT_LE(1.49, now_s() - began);
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(device_gone, "RFC 1122 3.3.1.2: the device goes and another one of its name comes")
{
	int fd;

	in("S 0 mss 1460");
	out("SA 0 ack 1");
	close(w.tun);
	usleep(1500000);
	w.tun = tun_device("t0", IFF_TUN);
	ASSERT_LE(0, w.tun);
	ASSERT_EQ(0, address(RTM_NEWADDR));
	if (NATIVE("forgets a request whose SYN-ACK finds no way")) {
		quiet(3000);
		return;
	}
	out_at(3000, "SA 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
}

CASE(bound, "socket(7) SO_BINDTODEVICE: the SYN-ACK and the connection leave by it")
{
	int fd;

	ASSERT_EQ(0, run("ip link add d1 type dummy"));
	ASSERT_EQ(0, run("ip link set d1 up"));
	ASSERT_EQ(0, w.native ? run("ip addr add 10.0.9.1/24 dev d1") :
				addr_add(&w.rtnl, "d1", "10.0.9.1", 24));
	ASSERT_EQ(0, setsockopt(self->lfd, SOL_SOCKET, SO_BINDTODEVICE, "t0", 2));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	/* a better route for who is not bound */
	ASSERT_EQ(0, route(RTM_NEWROUTE, "d1", 0, 0));
	out_at(1000, "SA 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	/* and the RST in the listener's name */
	w_peer(PEER_PORT + 1);
	in("A 1 ack 5000");
	out("R 5000");
}

TEST_HARNESS_MAIN
