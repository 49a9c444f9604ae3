// SPDX-License-Identifier: GPL-2.0-only
/* Routes over rtnetlink: requests that are wrong, longest prefix, metrics, types, notices. */
#include "../kselftest_harness.h"
#include "../lib/rtnl.h"

static const uint8_t zeros[64];

FIXTURE(route) {
	struct rtnl r;
	int a, b;
};

FIXTURE_SETUP(route)
{
	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
}

FIXTURE_TEARDOWN(route)
{
	close(self->r.fd);
}

static void route_req(struct rtnl_req *q, int type, int flags, const char *dst, int plen)
{
	struct rtmsg rtm = {
		.rtm_family = TEST_FAMILY,
		.rtm_dst_len = plen,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_type = RTN_UNICAST,
	};

	rtnl_begin(q, type, flags, &rtm, sizeof(rtm));
	if (dst)
		rtnl_attr_ip(q, RTA_DST, dst);
}

static struct rtmsg *rtm_of(struct rtnl_req *q)
{
	return NLMSG_DATA(&q->nlh);
}

static void attr_u32(struct rtnl_req *q, int type, uint32_t val)
{
	rtnl_attr(q, type, &val, sizeof(val));
}

static int talk(struct rtnl *r, struct rtnl_req *q)
{
	return rtnl_talk(r, q, NULL, NULL);
}

static int add(struct rtnl *r, int flags, const char *dst, int plen, const char *gw, int metric)
{
	struct rtnl_req q;

	route_req(&q, RTM_NEWROUTE, flags, dst, plen);
	if (gw)
		rtnl_attr_ip(&q, RTA_GATEWAY, gw);
	else
		attr_u32(&q, RTA_OIF, if_nametoindex("va"));
	if (metric)
		attr_u32(&q, RTA_PRIORITY, metric);
	return talk(r, &q);
}

static int add_type(struct rtnl *r, int type, const char *dst, int plen)
{
	struct rtnl_req q;

	route_req(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, dst, plen);
	rtm_of(&q)->rtm_type = type;
	return talk(r, &q);
}

static int del(struct rtnl *r, const char *dst, int plen)
{
	struct rtnl_req q;

	route_req(&q, RTM_DELROUTE, 0, dst, plen);
	rtm_of(&q)->rtm_scope = RT_SCOPE_NOWHERE;
	rtm_of(&q)->rtm_protocol = 0;
	rtm_of(&q)->rtm_type = 0;
	return talk(r, &q);
}

struct way {
	char gw[16], src[16];
	int type, mtu, features;
};

static void keep_metrics(struct rtattr *nest, struct way *w)
{
	struct rtattr *rta = RTA_DATA(nest);
	int len = RTA_PAYLOAD(nest);

	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == RTAX_MTU)
			w->mtu = *(uint32_t *)RTA_DATA(rta);
		else if (rta->rta_type == RTAX_FEATURES)
			w->features = *(uint32_t *)RTA_DATA(rta);
}

static void keep_way(const struct nlmsghdr *nlh, void *arg)
{
	struct rtmsg *rtm = NLMSG_DATA(nlh);
	struct rtattr *rta = RTM_RTA(rtm);
	int len = RTM_PAYLOAD(nlh);
	struct way *w = arg;

	w->type = rtm->rtm_type;
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len)) {
		if (rta->rta_type == RTA_GATEWAY)
			inet_ntop(AF_INET, RTA_DATA(rta), w->gw, sizeof(w->gw));
		if (rta->rta_type == RTA_PREFSRC)
			inet_ntop(AF_INET, RTA_DATA(rta), w->src, sizeof(w->src));
		if (rta->rta_type == RTA_METRICS)
			keep_metrics(rta, w);
	}
}

/* the way to @dst: 0 or -errno */
static int way_to(struct rtnl *r, const char *dst, struct way *w)
{
	struct rtnl_req q;

	memset(w, 0, sizeof(*w));
	route_req(&q, RTM_GETROUTE, 0, dst, 32);
	rtm_of(&q)->rtm_table = 0;
	rtm_of(&q)->rtm_protocol = 0;
	rtm_of(&q)->rtm_type = 0;
	return rtnl_talk(r, &q, keep_way, w);
}

static int count(struct rtnl *r)
{
	struct rtmsg rtm = { .rtm_family = TEST_FAMILY };
	struct rtnl_req q;
	int n = 0, err;

	rtnl_begin(&q, RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
	err = rtnl_talk(r, &q, count_msg, &n);
	return err < 0 ? err : n;
}

#define NEW (NLM_F_CREATE | NLM_F_EXCL)

TEST_F(route, longest_prefix)
{
	struct way w;

	EXPECT_EQ(-ENETUNREACH, way_to(&self->r, "203.0.113.9", &w));
	ASSERT_EQ(0, add(&self->r, NEW, NULL, 0, "10.0.0.101", 0));
	ASSERT_EQ(0, add(&self->r, NEW, "203.0.0.0", 16, "10.0.0.102", 0));
	ASSERT_EQ(0, add(&self->r, NEW, "203.0.113.0", 24, "10.0.0.103", 0));
	ASSERT_EQ(0, add(&self->r, NEW, "203.0.113.9", 32, "10.0.0.104", 0));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.9", &w));
	EXPECT_STREQ("10.0.0.104", w.gw);
	EXPECT_STREQ("10.0.0.2", w.src);
	EXPECT_EQ(1500, w.mtu);
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.8", &w));
	EXPECT_STREQ("10.0.0.103", w.gw);
	ASSERT_EQ(0, way_to(&self->r, "203.0.1.1", &w));
	EXPECT_STREQ("10.0.0.102", w.gw);
	ASSERT_EQ(0, way_to(&self->r, "198.51.100.1", &w));
	EXPECT_STREQ("10.0.0.101", w.gw);
	ASSERT_EQ(0, way_to(&self->r, "10.0.0.77", &w));
	EXPECT_STREQ("", w.gw);
	ASSERT_EQ(0, way_to(&self->r, "10.0.0.2", &w));
	EXPECT_EQ(RTN_LOCAL, w.type);
	ASSERT_EQ(0, way_to(&self->r, "10.0.0.255", &w));
	EXPECT_EQ(RTN_BROADCAST, w.type);
	EXPECT_EQ(5, count(&self->r));
	ASSERT_EQ(0, del(&self->r, "203.0.113.0", 24));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.8", &w));
	EXPECT_STREQ("10.0.0.102", w.gw);
	EXPECT_EQ(-ESRCH, del(&self->r, "203.0.113.0", 24));
	EXPECT_STREQ("strata: no such route", self->r.said);
}

TEST_F(route, metrics_and_flags)
{
	struct rtnl_req q;
	struct way w;

	ASSERT_EQ(0, add(&self->r, NEW, "203.0.113.0", 24, "10.0.0.101", 20));
	ASSERT_EQ(0, add(&self->r, NEW, "203.0.113.0", 24, "10.0.0.102", 10));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.8", &w));
	EXPECT_STREQ("10.0.0.102", w.gw);
	EXPECT_EQ(-EEXIST, add(&self->r, NEW, "203.0.113.0", 24, "10.0.0.103", 10));
	EXPECT_EQ(-ENOENT, add(&self->r, NLM_F_REPLACE, "203.0.114.0", 24, "10.0.0.103", 10));
	ASSERT_EQ(0, add(&self->r, NLM_F_CREATE | NLM_F_REPLACE, "203.0.113.0", 24, "10.0.0.103", 10));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.8", &w));
	EXPECT_STREQ("10.0.0.103", w.gw);
	EXPECT_EQ(3, count(&self->r));
	ASSERT_EQ(0, add(&self->r, NLM_F_CREATE | NLM_F_APPEND, "203.0.113.0", 24, "10.0.0.104", 10));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.8", &w));
	EXPECT_STREQ("10.0.0.103", w.gw);
	ASSERT_EQ(0, add(&self->r, NLM_F_CREATE, "203.0.113.0", 24, "10.0.0.105", 10));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.8", &w));
	EXPECT_STREQ("10.0.0.105", w.gw);
	/* a deletion that names the gateway takes that one */
	route_req(&q, RTM_DELROUTE, 0, "203.0.113.0", 24);
	rtm_of(&q)->rtm_scope = RT_SCOPE_NOWHERE;
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.103");
	EXPECT_EQ(0, talk(&self->r, &q));
	EXPECT_EQ(-ESRCH, talk(&self->r, &q));
	EXPECT_EQ(4, count(&self->r));
}

TEST_F(route, types)
{
	struct way w;

	ASSERT_EQ(0, add_type(&self->r, RTN_BLACKHOLE, "203.0.113.0", 24));
	ASSERT_EQ(0, add_type(&self->r, RTN_UNREACHABLE, "203.0.114.0", 24));
	ASSERT_EQ(0, add_type(&self->r, RTN_PROHIBIT, "203.0.115.0", 24));
	EXPECT_EQ(-EINVAL, way_to(&self->r, "203.0.113.1", &w));
	EXPECT_EQ(-EHOSTUNREACH, way_to(&self->r, "203.0.114.1", &w));
	EXPECT_EQ(-EACCES, way_to(&self->r, "203.0.115.1", &w));
	EXPECT_EQ(-EINVAL, add_type(&self->r, RTN_NAT, "203.0.116.0", 24));
	EXPECT_EQ(-EINVAL, add_type(&self->r, 200, "203.0.116.0", 24));
}

TEST_F(route, mtu)
{
	struct { struct rtattr lock; uint32_t bits; struct rtattr mtu; uint32_t val; } m = {
		{ 8, RTAX_LOCK }, 1 << RTAX_MTU, { 8, RTAX_MTU }, 1300,
	};
	struct rtnl_req q;
	struct way w;

	route_req(&q, RTM_NEWROUTE, NEW, "203.0.113.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	rtnl_attr(&q, RTA_METRICS | NLA_F_NESTED, &m, sizeof(m));
	ASSERT_EQ(0, talk(&self->r, &q));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.1", &w));
	EXPECT_EQ(1300, w.mtu);
	/* as iproute2 sends it */
	m.val = 1200;
	route_req(&q, RTM_NEWROUTE, NLM_F_REPLACE, "203.0.113.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	rtnl_attr(&q, RTA_METRICS, &m, sizeof(m));
	EXPECT_EQ(0, talk(&self->r, &q));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.1", &w));
	EXPECT_EQ(1200, w.mtu);
	m.val = 67;
	route_req(&q, RTM_NEWROUTE, NEW, "203.0.114.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	rtnl_attr(&q, RTA_METRICS | NLA_F_NESTED, &m, sizeof(m));
	EXPECT_EQ(-EINVAL, talk(&self->r, &q));
	EXPECT_STREQ("strata: MTU is below 68", self->r.said);
}

TEST_F(route, features)
{
	struct { struct rtattr rta; uint32_t bits; } m = { { 8, RTAX_FEATURES }, RTAX_FEATURE_ECN };
	struct rtnl_req q;
	struct way w;

	route_req(&q, RTM_NEWROUTE, NEW, "203.0.113.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	rtnl_attr(&q, RTA_METRICS | NLA_F_NESTED, &m, sizeof(m));
	ASSERT_EQ(0, talk(&self->r, &q));
	ASSERT_EQ(0, way_to(&self->r, "203.0.113.1", &w));
	EXPECT_EQ(RTAX_FEATURE_ECN, w.features);
	m.bits = RTAX_FEATURE_ECN | RTAX_FEATURE_SACK;
	route_req(&q, RTM_NEWROUTE, NEW, "203.0.114.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	rtnl_attr(&q, RTA_METRICS | NLA_F_NESTED, &m, sizeof(m));
	EXPECT_EQ(-EINVAL, talk(&self->r, &q));
	EXPECT_STREQ("strata: the only feature of a route is ECN", self->r.said);
}

TEST_F(route, gateways)
{
	struct rtnl_req q;

	EXPECT_EQ(-ENETUNREACH, add(&self->r, NEW, "203.0.113.0", 24, "192.0.2.1", 0));
	EXPECT_STREQ("strata: gateway is not on a connected network", self->r.said);
	EXPECT_EQ(-EINVAL, add(&self->r, NEW, "203.0.113.0", 24, "10.0.0.2", 0));
	EXPECT_EQ(-EINVAL, add(&self->r, NEW, "203.0.113.0", 24, "10.0.0.255", 0));
	EXPECT_EQ(-EINVAL, add(&self->r, NEW, "203.0.113.0", 24, "224.0.0.1", 0));
	route_req(&q, RTM_NEWROUTE, NEW, "203.0.113.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "192.0.2.1");
	attr_u32(&q, RTA_OIF, if_nametoindex("va"));
	EXPECT_EQ(-ENETUNREACH, talk(&self->r, &q));
	rtm_of(&q)->rtm_flags = RTNH_F_ONLINK;
	EXPECT_EQ(0, talk(&self->r, &q));
}

TEST_F(route, bad_requests)
{
	static const int fixed[] = { RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC,
				     RTA_TABLE };
	static const int refused[] = { RTA_MULTIPATH, RTA_VIA, RTA_ENCAP, RTA_NH_ID, RTA_SRC,
				       RTA_IIF, RTA_FLOW, RTA_MAX, RTA_MAX + 1, 200 };
	struct rtnl_req q;
	unsigned int i;
	int len;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		for (len = 0; len <= 40; len++) {
			route_req(&q, RTM_NEWROUTE, NEW, NULL, 0);
			rtnl_attr(&q, fixed[i], zeros, len);
			EXPECT_GT(0, talk(&self->r, &q)) {
				TH_LOG("attribute %d of %d octets", fixed[i], len);
			}
		}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		route_req(&q, RTM_NEWROUTE, NEW, "203.0.113.0", 24);
		rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
		rtnl_attr(&q, refused[i], zeros, 16);
		EXPECT_EQ(-EINVAL, talk(&self->r, &q)) {
			TH_LOG("attribute %d", refused[i]);
		}
		EXPECT_NE(0, self->r.said[0]);
	}
	/* headers cut short; one without a family is the core's to answer, with 0 */
	for (len = 1; len < (int)sizeof(struct rtmsg); len++) {
		route_req(&q, RTM_NEWROUTE, NEW, NULL, 0);
		q.nlh.nlmsg_len = NLMSG_LENGTH(len);
		EXPECT_GT(0, talk(&self->r, &q));
	}
	EXPECT_EQ(-EINVAL, add(&self->r, NEW, "203.0.113.1", 24, "10.0.0.1", 0));
	EXPECT_EQ(-EINVAL, add(&self->r, NEW, "203.0.113.0", 33, "10.0.0.1", 0));
	EXPECT_EQ(-EINVAL, add(&self->r, NEW, NULL, 24, "10.0.0.1", 0));
	route_req(&q, RTM_NEWROUTE, NEW, "203.0.113.0", 24);
	EXPECT_EQ(-ENODEV, talk(&self->r, &q));
	attr_u32(&q, RTA_OIF, 9999);
	EXPECT_EQ(-ENODEV, talk(&self->r, &q));
	route_req(&q, RTM_NEWROUTE, NEW, "203.0.113.0", 24);
	attr_u32(&q, RTA_OIF, if_nametoindex("lo"));
	EXPECT_EQ(-ENETDOWN, talk(&self->r, &q));
	route_req(&q, RTM_NEWROUTE, NEW, "203.0.113.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	rtnl_attr_ip(&q, RTA_PREFSRC, "10.0.0.3");
	EXPECT_EQ(-EINVAL, talk(&self->r, &q));
	EXPECT_EQ(1, count(&self->r));
}

TEST_F(route, follow_their_addresses)
{
	struct way w;

	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.3", 24));
	ASSERT_EQ(0, add(&self->r, NEW, NULL, 0, "10.0.0.1", 0));
	EXPECT_EQ(2, count(&self->r));
	ASSERT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 24));
	ASSERT_EQ(0, way_to(&self->r, "10.0.0.77", &w));
	EXPECT_STREQ("10.0.0.3", w.src);
	ASSERT_EQ(0, run("ip link set va down"));
	EXPECT_EQ(0, count(&self->r));
	EXPECT_EQ(-ENETUNREACH, way_to(&self->r, "10.0.0.77", &w));
	ASSERT_EQ(0, run("ip link set va up"));
	EXPECT_EQ(1, count(&self->r));
	ASSERT_EQ(0, way_to(&self->r, "10.0.0.77", &w));
	ASSERT_EQ(0, addr_del(&self->r, "va", "10.0.0.3", 24));
	EXPECT_EQ(0, count(&self->r));
}

/* an address that another device or prefix has, too, takes nothing with it but its own route */
TEST_F(route, shared_address)
{
	struct rtnl_req q;
	uint32_t metric = 50;
	struct way w;

	ASSERT_EQ(0, run("ip link add vd type dummy && ip link set vd up"));
	ASSERT_EQ(0, addr_add(&self->r, "vd", "10.0.0.2", 32));
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 16));
	EXPECT_EQ(2, count(&self->r));
	ASSERT_EQ(0, addr_del(&self->r, "vd", "10.0.0.2", 32));
	EXPECT_EQ(2, count(&self->r));
	ASSERT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 24));
	EXPECT_EQ(1, count(&self->r));
	ASSERT_EQ(0, way_to(&self->r, "10.0.7.7", &w));

	/* a new metric moves the connected route and no other */
	route_req(&q, RTM_NEWROUTE, NEW, "203.0.113.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	rtnl_attr_ip(&q, RTA_PREFSRC, "10.0.0.2");
	ASSERT_EQ(0, talk(&self->r, &q));
	addr_req(&q, RTM_NEWADDR, NLM_F_REPLACE, "va", "10.0.0.2", 16);
	rtnl_attr(&q, IFA_RT_PRIORITY, &metric, 4);
	ASSERT_EQ(0, talk(&self->r, &q));
	EXPECT_EQ(2, count(&self->r));
	EXPECT_EQ(0, way_to(&self->r, "203.0.113.1", &w));
	ASSERT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 16));
	EXPECT_EQ(0, count(&self->r));
}

TEST_F(route, long_dump)
{
	char dst[16];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(dst, sizeof(dst), "172.%d.%d.0", 16 + i / 256, i % 256);
		ASSERT_EQ(0, add(&self->r, NEW, dst, 24, "10.0.0.1", 0));
	}
	EXPECT_EQ(1001, count(&self->r));
}

TEST_F(route, notices)
{
	int fd = listen_open(RTNLGRP_IPV4_ROUTE);
	char buf[4096];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, add(&self->r, NEW, "203.0.113.0", 24, "10.0.0.1", 0));
	EXPECT_EQ(RTM_NEWROUTE, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	ASSERT_EQ(0, del(&self->r, "203.0.113.0", 24));
	EXPECT_EQ(RTM_DELROUTE, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	/* the connected route goes with its address */
	ASSERT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 24));
	EXPECT_EQ(RTM_DELROUTE, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	EXPECT_EQ(0, listen_next(fd, 200, (void *)buf, sizeof(buf)));
}

/* NLM_F_ECHO: the notice goes to the sender too; listeners see whose request it was */
TEST_F(route, echo)
{
	int fd = listen_open(RTNLGRP_IPV4_ROUTE);
	struct rtnl_echo echo;
	struct rtnl_req q;
	char buf[4096];
	struct nlmsghdr *notice = (void *)buf;

	ASSERT_GE(fd, 0);
	route_req(&q, RTM_NEWROUTE, NLM_F_CREATE, "203.0.113.0", 24);
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	ASSERT_EQ(0, rtnl_echoed(&self->r, &q, &echo));
	EXPECT_EQ(RTM_NEWROUTE, echo.type);
	EXPECT_EQ(self->r.seq, echo.seq);
	EXPECT_EQ(rtnl_port(&self->r), echo.port);
	EXPECT_EQ(RTM_NEWROUTE, listen_next(fd, 2000, notice, sizeof(buf)));
	EXPECT_EQ(self->r.seq, notice->nlmsg_seq);
	EXPECT_EQ(rtnl_port(&self->r), notice->nlmsg_pid);
	route_req(&q, RTM_DELROUTE, 0, "203.0.113.0", 24);
	ASSERT_EQ(0, rtnl_echoed(&self->r, &q, &echo));
	EXPECT_EQ(RTM_DELROUTE, echo.type);
	EXPECT_EQ(RTM_DELROUTE, listen_next(fd, 2000, notice, sizeof(buf)));
	EXPECT_EQ(self->r.seq, notice->nlmsg_seq);
	/* what nobody asked for is nobody's */
	EXPECT_EQ(0, listen_next(fd, 200, notice, sizeof(buf)));
	ASSERT_EQ(0, run("ip link del va"));
	EXPECT_EQ(RTM_DELROUTE, listen_next(fd, 2000, notice, sizeof(buf)));
	EXPECT_EQ(0, notice->nlmsg_seq);
	EXPECT_EQ(0, notice->nlmsg_pid);
}

/*
 * A dump of routes that does @meanwhile after its first part: does it say that something changed
 * under it? By a socket of its own: the largest buffer seen makes the parts
 */
static bool dump_interrupted(const char *meanwhile)
{
	struct rtmsg rtm = { .rtm_family = TEST_FAMILY };
	bool told = false, once = false;
	static char buf[8192];
	struct nlmsghdr *nlh;
	struct rtnl_req q;
	struct rtnl r;
	int len;

	rtnl_open(&r);
	rtnl_begin(&q, RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
	send(r.fd, &q, q.nlh.nlmsg_len, 0);
	for (;;) {
		len = recv(r.fd, buf, sizeof(buf), 0);
		if (len <= 0 || (!once && run("%s", meanwhile))) {
			fprintf(stderr, "# no dump, or not: %s\n", meanwhile);
			exit(KSFT_FAIL);
		}
		once = true;
		for (nlh = (void *)buf; NLMSG_OK(nlh, (unsigned int)len);
		     nlh = NLMSG_NEXT(nlh, len)) {
			told |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
			if (nlh->nlmsg_type == NLMSG_DONE) {
				close(r.fd);
				return told;
			}
		}
	}
}

/* NLM_F_DUMP_INTR: of routes alone, not of what else makes ways anew */
TEST_F(route, dump_under_changes)
{
	char dst[16];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(dst, sizeof(dst), "172.%d.%d.0", 16 + i / 256, i % 256);
		ASSERT_EQ(0, add(&self->r, NEW, dst, 24, "10.0.0.1", 0));
	}
	EXPECT_FALSE(dump_interrupted("sysctl -qw net.strata.ip_default_ttl=63"));
	EXPECT_FALSE(dump_interrupted("ip link set va mtu 1400"));
	EXPECT_TRUE(dump_interrupted("strata route add 198.51.100.0/24 via 10.0.0.1"));
}

/* ---- what makes a route of a request, and what listeners hear: as native ---- */

FIXTURE(change) {
	struct rtnl r;
	int a, b, listener;
};

FIXTURE_VARIANT(change) {
	int family;
};

FIXTURE_VARIANT_ADD(change, native) { .family = AF_INET };
FIXTURE_VARIANT_ADD(change, strata) { .family = TEST_FAMILY };

FIXTURE_SETUP(change)
{
	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, run("%s addr add 10.0.0.2/24 dev va",
			 variant->family == AF_INET ? "ip" : "strata"));
	self->listener = listen_open(RTNLGRP_IPV4_ROUTE);
	ASSERT_GE(self->listener, 0);
}

FIXTURE_TEARDOWN(change)
{
	close(self->listener);
	close(self->r.fd);
}

/* 203.0.113.0/24 by @gw */
static int change(struct rtnl *r, int family, int type, int flags, const char *gw)
{
	struct rtnl_req q;

	route_req(&q, type, flags, "203.0.113.0", 24);
	rtm_of(&q)->rtm_family = family;
	rtnl_attr_ip(&q, RTA_GATEWAY, gw);
	return talk(r, &q);
}

/* the type of the next notice of a route in main, its NLM_F_* in *@flags; 0: none */
static int noticed(int fd, int family, int *flags)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	union {
		struct nlmsghdr nlh;
		char b[4096];
	} m;
	struct rtmsg *rtm = NLMSG_DATA(&m.nlh);

	*flags = 0;
	while (poll(&pfd, 1, 200) == 1 && recv(fd, &m, sizeof(m), 0) > 0) {
		if (rtm->rtm_family != family || rtm->rtm_table != RT_TABLE_MAIN)
			continue;
		*flags = m.nlh.nlmsg_flags;
		return m.nlh.nlmsg_type;
	}
	return 0;
}

TEST_F(change, as_native)
{
	static const struct {
		int type, flags;
		const char *gw;
		int err, notice, notice_flags;
	} c[] = {
		{ RTM_NEWROUTE, 0, "10.0.0.1", -ENOENT, 0, 0 },
		{ RTM_NEWROUTE, NLM_F_REPLACE, "10.0.0.1", -ENOENT, 0, 0 },
		{ RTM_NEWROUTE, NEW, "10.0.0.1", 0, RTM_NEWROUTE, NEW },
		{ RTM_NEWROUTE, NEW, "10.0.0.1", -EEXIST, 0, 0 },
		{ RTM_NEWROUTE, NEW, "10.0.0.3", -EEXIST, 0, 0 },
		{ RTM_NEWROUTE, 0, "10.0.0.1", -EEXIST, 0, 0 },
		{ RTM_NEWROUTE, 0, "10.0.0.3", -ENOENT, 0, 0 },
		{ RTM_NEWROUTE, NLM_F_APPEND, "10.0.0.3", -ENOENT, 0, 0 },
		{ RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, "10.0.0.3", 0, RTM_NEWROUTE,
		  NLM_F_CREATE | NLM_F_APPEND },
		{ RTM_NEWROUTE, NLM_F_CREATE, "10.0.0.4", 0, RTM_NEWROUTE, NLM_F_CREATE },
		/* 4, 1, 3: that is the first already; another is there, but not the first */
		{ RTM_NEWROUTE, NLM_F_REPLACE, "10.0.0.4", 0, 0, 0 },
		{ RTM_NEWROUTE, NLM_F_REPLACE, "10.0.0.3", -EEXIST, 0, 0 },
		{ RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, "10.0.0.1", -EEXIST, 0, 0 },
		{ RTM_NEWROUTE, NLM_F_REPLACE | NLM_F_EXCL, "10.0.0.4", -EEXIST, 0, 0 },
		{ RTM_NEWROUTE, NLM_F_REPLACE, "10.0.0.5", 0, RTM_NEWROUTE, NLM_F_REPLACE },
		{ RTM_DELROUTE, 0, "10.0.0.4", -ESRCH, 0, 0 },
		{ RTM_DELROUTE, 0, "10.0.0.5", 0, RTM_DELROUTE, 0 },
		{ RTM_DELROUTE, 0, "10.0.0.1", 0, RTM_DELROUTE, 0 },
		{ RTM_DELROUTE, 0, "10.0.0.3", 0, RTM_DELROUTE, 0 },
	};
	int flags;

	for (unsigned int i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		EXPECT_EQ(c[i].err, change(&self->r, variant->family, c[i].type, c[i].flags,
					   c[i].gw)) TH_LOG("request %u", i);
		EXPECT_EQ(c[i].notice, noticed(self->listener, variant->family, &flags)) {
			TH_LOG("request %u", i);
		}
		EXPECT_EQ(c[i].notice_flags, flags) TH_LOG("request %u", i);
	}
}

TEST_F(change, connected)
{
	int flags;

	ASSERT_EQ(0, run("%s addr add 10.0.1.2/24 dev va",
			 variant->family == AF_INET ? "ip" : "strata"));
	EXPECT_EQ(RTM_NEWROUTE, noticed(self->listener, variant->family, &flags));
	EXPECT_EQ(NEW, flags);
}

TEST_F(route, unprivileged)
{
	struct way w;

	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_EQ(-EPERM, add(&self->r, NEW, "203.0.113.0", 24, "10.0.0.1", 0));
	EXPECT_EQ(-EPERM, del(&self->r, "10.0.0.0", 24));
	EXPECT_EQ(0, way_to(&self->r, "10.0.0.1", &w));
	EXPECT_EQ(1, count(&self->r));
}

TEST_HARNESS_MAIN
