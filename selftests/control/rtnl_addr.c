// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses over rtnetlink: what is refused and in which words, what binds a device
 * and what does not, dumps, notices, and who may.
 */
#include "../kselftest_harness.h"
#include "../lib/rtnl.h"

FIXTURE(addr) {
	struct rtnl r;
	int a, b;
};

FIXTURE_SETUP(addr)
{
	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
}

FIXTURE_TEARDOWN(addr)
{
	close(self->r.fd);
}

TEST_F(addr, add_show_del)
{
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
	EXPECT_EQ(1, addr_count(&self->r));
	EXPECT_EQ(-EEXIST, addr_add(&self->r, "va", "10.0.0.2", 24));
	EXPECT_STREQ("strata: address already assigned", self->r.said);
	EXPECT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 16));
	EXPECT_EQ(0, addr_add(&self->r, "va", "10.0.0.3", 24));
	EXPECT_EQ(3, addr_count(&self->r));
	EXPECT_EQ(-EADDRNOTAVAIL, addr_del(&self->r, "va", "10.0.0.2", 25));
	EXPECT_EQ(-EADDRNOTAVAIL, addr_del(&self->r, "va", "10.0.0.4", 24));
	EXPECT_STREQ("strata: address not found on this device", self->r.said);
	EXPECT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 24));
	EXPECT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 16));
	EXPECT_EQ(0, addr_del(&self->r, "va", "10.0.0.3", 24));
	EXPECT_EQ(0, addr_count(&self->r));
	/* unbound: the native stack's bridge may have it now */
	EXPECT_EQ(0, run("ip link add br0 type bridge && ip link set va master br0"));
}

static int peer_req(struct rtnl *r, int type, const char *peer)
{
	struct rtnl_req q;

	addr_req(&q, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0, "va", "10.0.0.2",
		 32);
	rtnl_attr_ip(&q, IFA_ADDRESS, peer);
	return rtnl_talk(r, &q, NULL, NULL);
}

static void has_peer(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(nlh);
	const struct rtattr *rta = IFA_RTA(ifa);
	int len = IFA_PAYLOAD(nlh);
	in_addr_t *peer = arg;

	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == IFA_ADDRESS && !memcmp(RTA_DATA(rta), peer, sizeof(*peer)))
			*peer = 0;
}

/* one local address on several point-to-point links: each is its own */
TEST_F(addr, peers)
{
	in_addr_t peer = inet_addr("10.1.0.1");
	struct ifaddrmsg ifa = { .ifa_family = TEST_FAMILY };
	struct rtnl_req q;

	ASSERT_EQ(0, peer_req(&self->r, RTM_NEWADDR, "10.1.0.1"));
	ASSERT_EQ(0, peer_req(&self->r, RTM_NEWADDR, "10.2.0.1"));
	EXPECT_EQ(-EEXIST, peer_req(&self->r, RTM_NEWADDR, "10.2.0.1"));
	EXPECT_EQ(2, addr_count(&self->r));
	EXPECT_EQ(0, peer_req(&self->r, RTM_DELADDR, "10.2.0.1"));
	EXPECT_EQ(-EADDRNOTAVAIL, peer_req(&self->r, RTM_DELADDR, "10.2.0.1"));
	rtnl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	ASSERT_EQ(0, rtnl_talk(&self->r, &q, has_peer, &peer));
	EXPECT_EQ(0, peer);
	EXPECT_EQ(1, addr_count(&self->r));
}

/* what RTM_GETADDR answered of one address */
struct got {
	int n, plen, index;
	uint32_t seq;
	in_addr_t local, peer;
};

static void keep_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(nlh);
	const struct rtattr *rta = IFA_RTA(ifa);
	int len = IFA_PAYLOAD(nlh);
	struct got *got = arg;

	if (nlh->nlmsg_type != RTM_NEWADDR || nlh->nlmsg_flags & NLM_F_MULTI ||
	    ifa->ifa_family != TEST_FAMILY)
		return;
	got->n++;
	got->plen = ifa->ifa_prefixlen;
	got->index = ifa->ifa_index;
	got->seq = nlh->nlmsg_seq;
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len)) {
		if (rta->rta_type == IFA_LOCAL)
			memcpy(&got->local, RTA_DATA(rta), 4);
		if (rta->rta_type == IFA_ADDRESS)
			memcpy(&got->peer, RTA_DATA(rta), 4);
	}
}

/* one address by IFA_LOCAL, IFA_ADDRESS or both, of a device if not NULL */
static int get_addr(struct rtnl *r, const char *dev, const char *local, const char *peer,
		    struct got *got)
{
	struct ifaddrmsg ifa = {
		.ifa_family = TEST_FAMILY,
		.ifa_index = dev ? if_nametoindex(dev) : 0,
	};
	struct rtnl_req q;

	memset(got, 0, sizeof(*got));
	rtnl_begin(&q, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	if (local)
		rtnl_attr_ip(&q, IFA_LOCAL, local);
	if (peer)
		rtnl_attr_ip(&q, IFA_ADDRESS, peer);
	return rtnl_talk(r, &q, keep_addr, got);
}

TEST_F(addr, get)
{
	int va = if_nametoindex("va");
	struct got got;

	ASSERT_EQ(0, run("ip link add vc type dummy"));
	EXPECT_EQ(-EADDRNOTAVAIL, get_addr(&self->r, NULL, "10.0.0.2", NULL, &got));
	EXPECT_STREQ("strata: no such address", self->r.said);
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.3", 25));
	ASSERT_EQ(0, addr_add(&self->r, "vc", "10.3.0.3", 16));
	ASSERT_EQ(0, peer_req(&self->r, RTM_NEWADDR, "10.1.0.1"));
	ASSERT_EQ(0, peer_req(&self->r, RTM_NEWADDR, "10.2.0.1"));

	ASSERT_EQ(0, get_addr(&self->r, NULL, "10.0.0.3", NULL, &got));
	EXPECT_EQ(1, got.n);
	EXPECT_EQ(25, got.plen);
	EXPECT_EQ(va, got.index);
	EXPECT_EQ(self->r.seq, got.seq);
	EXPECT_EQ(inet_addr("10.0.0.3"), got.local);
	EXPECT_EQ(inet_addr("10.0.0.3"), got.peer);
	ASSERT_EQ(0, get_addr(&self->r, NULL, NULL, "10.2.0.1", &got));
	EXPECT_EQ(1, got.n);
	EXPECT_EQ(inet_addr("10.0.0.2"), got.local);
	EXPECT_EQ(inet_addr("10.2.0.1"), got.peer);
	ASSERT_EQ(0, get_addr(&self->r, "va", "10.0.0.2", "10.1.0.1", &got));
	EXPECT_EQ(1, got.n);
	EXPECT_EQ(32, got.plen);
	EXPECT_EQ(inet_addr("10.1.0.1"), got.peer);
	ASSERT_EQ(0, get_addr(&self->r, "vc", "10.3.0.3", NULL, &got));
	EXPECT_EQ((int)if_nametoindex("vc"), got.index);

	EXPECT_EQ(-EADDRNOTAVAIL, get_addr(&self->r, "va", "10.3.0.3", NULL, &got));
	EXPECT_EQ(-EADDRNOTAVAIL, get_addr(&self->r, NULL, "10.0.0.2", "10.0.0.3", &got));
	EXPECT_EQ(0, got.n);
	EXPECT_EQ(-EINVAL, get_addr(&self->r, "va", NULL, NULL, &got));
	EXPECT_STREQ("strata: no address is supplied", self->r.said);
}

/* what a question may not say is refused if its sender wants that */
TEST_F(addr, get_strict)
{
	struct ifaddrmsg ifa = { .ifa_family = TEST_FAMILY, .ifa_prefixlen = 24, .ifa_index = 99 };
	uint32_t metric = 1;
	struct rtnl_req q;
	struct got got;

	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
	rtnl_begin(&q, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	rtnl_attr_ip(&q, IFA_LOCAL, "10.0.0.2");
	EXPECT_EQ(-ENODEV, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_STREQ("strata: device not found", self->r.said);
	ifa.ifa_index = 0;
	rtnl_begin(&q, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	rtnl_attr_ip(&q, IFA_LOCAL, "10.0.0.2");
	rtnl_attr(&q, IFA_RT_PRIORITY, &metric, 4);
	EXPECT_EQ(0, rtnl_talk(&self->r, &q, NULL, NULL));
	rtnl_strict(&self->r);
	rtnl_begin(&q, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	rtnl_attr_ip(&q, IFA_LOCAL, "10.0.0.2");
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_STREQ("strata: an address request may only set the device", self->r.said);
	ifa.ifa_prefixlen = 0;
	rtnl_begin(&q, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	rtnl_attr_ip(&q, IFA_LOCAL, "10.0.0.2");
	rtnl_attr(&q, IFA_RT_PRIORITY, &metric, 4);
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_STREQ("strata: attribute not supported in an address request", self->r.said);
	EXPECT_EQ(0, get_addr(&self->r, "va", "10.0.0.2", "10.0.0.2", &got));
	EXPECT_EQ(1, got.n);
	/* it needs no privilege */
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_EQ(0, get_addr(&self->r, NULL, "10.0.0.2", NULL, &got));
	EXPECT_EQ(1, got.n);
}

TEST_F(addr, not_a_host)
{
	static const char *const bad[] = {
		"0.0.0.0", "127.0.0.1", "127.1.2.3", "224.0.0.1", "239.255.255.255",
		"255.255.255.255",
	};
	struct rtnl_req q;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-EINVAL, addr_add(&self->r, "va", bad[i], 24));
		EXPECT_NE(0, self->r.said[0]);
	}
	EXPECT_EQ(-EINVAL, addr_add(&self->r, "va", "10.0.0.2", 33));
	EXPECT_STREQ("strata: prefix length above 32", self->r.said);
	EXPECT_EQ(-EINVAL, addr_add(&self->r, "va", "10.0.0.2", 255));
	EXPECT_EQ(-EINVAL, addr_add(&self->r, "va", NULL, 24));
	EXPECT_STREQ("strata: local address is not supplied", self->r.said);
	EXPECT_EQ(-ENODEV, addr_add(&self->r, "nodev", "10.0.0.2", 24));
	EXPECT_STREQ("strata: device not found", self->r.said);
	EXPECT_EQ(-EINVAL, addr_add(&self->r, "lo", "10.0.0.2", 24));
	EXPECT_NE(NULL, strstr(self->r.said, "loopback"));
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	((struct ifaddrmsg *)NLMSG_DATA(&q.nlh))->ifa_index = -1;
	EXPECT_EQ(-ENODEV, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_EQ(0, addr_count(&self->r));
}

/* attributes that are short, long, unknown, or promise more than is there */
TEST_F(addr, bad_attributes)
{
	static const int types[] = { IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST, IFA_FLAGS,
				     IFA_RT_PRIORITY, IFA_CACHEINFO };
	static const char zeros[64];
	struct rtnl_req q;
	unsigned int i;
	int len;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		for (len = 0; len <= 24; len++) {
			if (len == (types[i] == IFA_CACHEINFO ? 16 : 4))
				continue;
			addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
			rtnl_attr(&q, types[i], zeros, len);
			EXPECT_GT(0, rtnl_talk(&self->r, &q, NULL, NULL)) {
				TH_LOG("attribute %d of %d bytes", types[i], len);
			}
		}
	}
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	rtnl_attr(&q, 60, zeros, 4);
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	rtnl_attr(&q, IFA_TARGET_NETNSID, zeros, 4);
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	rtnl_attr(&q, IFA_LABEL, "a label that is longer than a name", 34);
	EXPECT_GT(0, rtnl_talk(&self->r, &q, NULL, NULL));
	/* rta_len beyond the message */
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", NULL, 24);
	rtnl_attr(&q, IFA_LOCAL, zeros, 4);
	((struct rtattr *)((char *)NLMSG_DATA(&q.nlh) + 8))->rta_len = 200;
	EXPECT_GT(0, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_EQ(0, addr_count(&self->r));
}

/* a message cut off in its header */
TEST_F(addr, short_header)
{
	struct ifaddrmsg ifa = { .ifa_family = TEST_FAMILY };
	struct rtnl_req q;
	unsigned int len;

	for (len = 1; len < sizeof(ifa); len++) {
		rtnl_begin(&q, RTM_NEWADDR, NLM_F_CREATE, &ifa, len);
		EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
		rtnl_begin(&q, RTM_DELADDR, 0, &ifa, len);
		EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	}
}

TEST_F(addr, lifetimes_and_flags)
{
	struct ifa_cacheinfo ci = { .ifa_prefered = 100, .ifa_valid = 100 };
	uint32_t flags = IFA_F_MCAUTOJOIN;
	struct rtnl_req q;

	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	rtnl_attr(&q, IFA_CACHEINFO, &ci, sizeof(ci));
	EXPECT_EQ(-EOPNOTSUPP, rtnl_talk(&self->r, &q, NULL, NULL));
	ci.ifa_valid = 50;
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	rtnl_attr(&q, IFA_CACHEINFO, &ci, sizeof(ci));
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	rtnl_attr(&q, IFA_FLAGS, &flags, sizeof(flags));
	EXPECT_EQ(-EOPNOTSUPP, rtnl_talk(&self->r, &q, NULL, NULL));
	ci.ifa_valid = 0xffffffff;
	ci.ifa_prefered = 0xffffffff;
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	rtnl_attr(&q, IFA_CACHEINFO, &ci, sizeof(ci));
	EXPECT_EQ(0, rtnl_talk(&self->r, &q, NULL, NULL));
}

static void keep_metric(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(nlh);
	const struct rtattr *rta = IFA_RTA(ifa);
	int len = IFA_PAYLOAD(nlh);

	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == IFA_RT_PRIORITY)
			memcpy(arg, RTA_DATA(rta), 4);
}

/* NLM_F_REPLACE takes over the metric, with NLM_F_EXCL it is -EEXIST as native's */
TEST_F(addr, replace)
{
	struct ifaddrmsg ifa = { .ifa_family = TEST_FAMILY };
	uint32_t metric = 77, got = 0;
	struct rtnl_req q;

	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_EXCL, "va", "10.0.0.2", 24);
	rtnl_attr(&q, IFA_RT_PRIORITY, &metric, 4);
	EXPECT_EQ(-EEXIST, rtnl_talk(&self->r, &q, NULL, NULL));
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, "va", "10.0.0.2", 24);
	rtnl_attr(&q, IFA_RT_PRIORITY, &metric, 4);
	EXPECT_EQ(0, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_EQ(1, addr_count(&self->r));
	rtnl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	EXPECT_EQ(0, rtnl_talk(&self->r, &q, keep_metric, &got));
	EXPECT_EQ(77, got);
}

/* a dump that takes many messages is complete; a strict one takes a device */
TEST_F(addr, long_dump)
{
	struct ifaddrmsg ifa = { .ifa_family = TEST_FAMILY };
	struct rtnl_req q;
	char ip[32];
	int i, n = 0;

	ASSERT_EQ(0, run("ip link add vc type dummy"));
	for (i = 0; i < 600; i++) {
		snprintf(ip, sizeof(ip), "10.2.%d.%d", i / 200, 1 + i % 200);
		ASSERT_EQ(0, addr_add(&self->r, i % 2 ? "va" : "vc", ip, 32));
	}
	EXPECT_EQ(600, addr_count(&self->r));
	rtnl_strict(&self->r);
	ifa.ifa_index = if_nametoindex("vc");
	rtnl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	EXPECT_EQ(0, rtnl_talk(&self->r, &q, count_msg, &n));
	EXPECT_EQ(300, n);
	ifa.ifa_scope = 3;
	rtnl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	/* a request to all families goes on past ours */
	EXPECT_EQ(0, run("ip addr show dev va >/dev/null && ip -4 addr >/dev/null"));
}

TEST_F(addr, notices)
{
	int fd = listen_open(RTNLGRP_IPV4_IFADDR);
	char buf[4096];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
	EXPECT_EQ(RTM_NEWADDR, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	EXPECT_EQ(-EEXIST, addr_add(&self->r, "va", "10.0.0.2", 24));
	EXPECT_EQ(0, listen_next(fd, 200, (void *)buf, sizeof(buf)));
	ASSERT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 24));
	EXPECT_EQ(RTM_DELADDR, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	/* the device goes, and its address with it */
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.3", 24));
	EXPECT_EQ(RTM_NEWADDR, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	ASSERT_EQ(0, run("ip link del va"));
	EXPECT_EQ(RTM_DELADDR, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	EXPECT_EQ(0, addr_count(&self->r));
}

/* NLM_F_ECHO: the notice goes to the sender too; listeners see whose request it was */
TEST_F(addr, echo)
{
	int fd = listen_open(RTNLGRP_IPV4_IFADDR);
	struct rtnl_echo echo;
	struct rtnl_req q;
	char buf[4096];
	struct nlmsghdr *notice = (void *)buf;

	ASSERT_GE(fd, 0);
	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE, "va", "10.0.0.2", 24);
	ASSERT_EQ(0, rtnl_echoed(&self->r, &q, &echo));
	EXPECT_EQ(RTM_NEWADDR, echo.type);
	EXPECT_EQ(self->r.seq, echo.seq);
	EXPECT_EQ(rtnl_port(&self->r), echo.port);
	EXPECT_EQ(RTM_NEWADDR, listen_next(fd, 2000, notice, sizeof(buf)));
	EXPECT_EQ(self->r.seq, notice->nlmsg_seq);
	EXPECT_EQ(rtnl_port(&self->r), notice->nlmsg_pid);
	addr_req(&q, RTM_DELADDR, 0, "va", "10.0.0.2", 24);
	ASSERT_EQ(0, rtnl_echoed(&self->r, &q, &echo));
	EXPECT_EQ(RTM_DELADDR, echo.type);
	EXPECT_EQ(RTM_DELADDR, listen_next(fd, 2000, notice, sizeof(buf)));
	EXPECT_EQ(self->r.seq, notice->nlmsg_seq);
	/* what nobody asked for is nobody's */
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.3", 24));
	EXPECT_EQ(RTM_NEWADDR, listen_next(fd, 2000, notice, sizeof(buf)));
	ASSERT_EQ(0, run("ip link del va"));
	EXPECT_EQ(RTM_DELADDR, listen_next(fd, 2000, notice, sizeof(buf)));
	EXPECT_EQ(0, notice->nlmsg_seq);
	EXPECT_EQ(0, notice->nlmsg_pid);
}

/* CAP_NET_ADMIN over the namespace: not a user's, but its owner's */
TEST_F(addr, unprivileged)
{
	struct rtnl_req q;

	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_EQ(-EPERM, addr_add(&self->r, "va", "10.0.0.3", 24));
	EXPECT_EQ(-EPERM, addr_del(&self->r, "va", "10.0.0.2", 24));
	addr_req(&q, RTM_NEWADDR, NLM_F_REPLACE, "va", "10.0.0.2", 24);
	EXPECT_EQ(-EPERM, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_EQ(1, addr_count(&self->r));
}

TEST_F(addr, owner_of_the_namespace)
{
	struct rtnl r;
	int map;

	ASSERT_EQ(0, unshare(CLONE_NEWUSER | CLONE_NEWNET));
	/* to keep the capabilities over exec; only its own process may write this */
	map = open("/proc/self/uid_map", O_WRONLY);
	ASSERT_EQ(5, write(map, "0 0 1", 5));
	close(map);
	ASSERT_EQ(0, rtnl_open(&r));
	ASSERT_EQ(0, run("ip link add vd type dummy"));
	EXPECT_EQ(0, addr_add(&r, "vd", "10.0.0.3", 24));
	EXPECT_EQ(1, addr_count(&r));
}

/* others hold the device's receive handler: the message says who */
TEST_F(addr, busy)
{
	ASSERT_EQ(0, run("ip link add br0 type bridge && ip link set va master br0"));
	EXPECT_EQ(-EBUSY, addr_add(&self->r, "va", "10.0.0.2", 24));
	EXPECT_NE(NULL, strstr(self->r.said, "bridge port"));
	ASSERT_EQ(0, addr_add(&self->r, "br0", "10.0.0.2", 24));
	ASSERT_EQ(0, run("ip link set va nomaster && ip link del br0"));
	ASSERT_EQ(0, run("ip link add mv0 link va type macvlan"));
	EXPECT_EQ(-EBUSY, addr_add(&self->r, "va", "10.0.0.2", 24));
	EXPECT_NE(NULL, strstr(self->r.said, "macvlan"));
	ASSERT_EQ(0, addr_add(&self->r, "mv0", "10.0.0.2", 24));
	ASSERT_EQ(0, run("ip link del mv0"));
	ASSERT_EQ(0, run("ip link set va down && ip link add bo0 type bond && "
			 "ip link set va master bo0"));
	EXPECT_EQ(-EBUSY, addr_add(&self->r, "va", "10.0.0.2", 24));
	EXPECT_NE(NULL, strstr(self->r.said, "bond"));
	ASSERT_EQ(0, run("ip link del bo0"));
	/* and the other way round */
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
	ASSERT_EQ(0, run("ip link add br0 type bridge"));
	EXPECT_NE(0, run("ip link set va master br0 2>/dev/null"));
}

TEST_F(addr, small_mtu)
{
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
	ASSERT_EQ(0, run("ip link set va mtu 68"));
	EXPECT_EQ(1, addr_count(&self->r));
	ASSERT_EQ(0, run("ip link add vd type dummy && ip link set vd mtu 67"));
	EXPECT_EQ(-EINVAL, addr_add(&self->r, "vd", "10.0.0.3", 24));
	EXPECT_NE(NULL, strstr(self->r.said, "MTU"));
	ASSERT_EQ(0, run("ip link set vd mtu 1500"));
	ASSERT_EQ(0, addr_add(&self->r, "vd", "10.0.0.3", 24));
	ASSERT_EQ(0, run("ip link set vd mtu 67"));
	EXPECT_EQ(1, addr_count(&self->r));
}

TEST_HARNESS_MAIN
