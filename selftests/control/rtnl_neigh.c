// SPDX-License-Identifier: GPL-2.0-only
/* Neighbours over rtnetlink: requests that are wrong, states, dumps, notices. */
#include "../kselftest_harness.h"
#include "../lib/rtnl.h"

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x0b };
static const uint8_t zeros[64];

FIXTURE(neigh) {
	struct rtnl r;
	int a, b;
};

FIXTURE_SETUP(neigh)
{
	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
}

FIXTURE_TEARDOWN(neigh)
{
	close(self->r.fd);
}

static int del(struct rtnl *r, const char *dev, const char *ip)
{
	struct rtnl_req q;

	neigh_req(&q, RTM_DELNEIGH, 0, dev, ip, 0);
	return rtnl_talk(r, &q, NULL, NULL);
}

static int add(struct rtnl *r, int flags, const char *ip, const void *ha, int len, int state)
{
	struct rtnl_req q;

	neigh_req(&q, RTM_NEWNEIGH, flags, "va", ip, state);
	if (ha)
		rtnl_attr(&q, NDA_LLADDR, ha, len);
	return rtnl_talk(r, &q, NULL, NULL);
}

TEST_F(neigh, create_exclusive_replace)
{
	uint8_t other[6] = { 2, 0, 0, 0, 0, 0x0c }, ha[6];

	EXPECT_EQ(-ENOENT, add(&self->r, 0, "10.0.0.1", mac, 6, NUD_PERMANENT));
	EXPECT_STREQ("strata: no such neighbour", self->r.said);
	EXPECT_EQ(0, add(&self->r, NLM_F_CREATE | NLM_F_EXCL, "10.0.0.1", mac, 6, NUD_PERMANENT));
	EXPECT_EQ(-EEXIST, add(&self->r, NLM_F_CREATE | NLM_F_EXCL, "10.0.0.1", mac, 6,
			       NUD_PERMANENT));
	EXPECT_EQ(0, add(&self->r, NLM_F_CREATE, "10.0.0.1", other, 6, NUD_PERMANENT));
	EXPECT_EQ(NUD_PERMANENT, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac, 6));
	EXPECT_EQ(0, add(&self->r, NLM_F_REPLACE, "10.0.0.1", other, 6, NUD_STALE));
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, other, 6));
	EXPECT_EQ(0, del(&self->r, "va", "10.0.0.1"));
	EXPECT_EQ(-ENOENT, del(&self->r, "va", "10.0.0.1"));
	EXPECT_EQ(-ENOENT, neigh_get(&self->r, "va", "10.0.0.1", NULL));
}

/* A socket's path has an entry that nobody was asked for yet: to users there is none */
TEST_F(neigh, entry_of_a_path)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(TEST_FAMILY, SOCK_DGRAM, 0);
	uint8_t ha[6];

	ASSERT_EQ(1, inet_pton(AF_INET, "10.0.0.1", &to.sin_addr));
	ASSERT_EQ(0, connect(fd, (void *)&to, sizeof(to)));
	EXPECT_EQ(-ENOENT, add(&self->r, 0, "10.0.0.1", mac, 6, NUD_PERMANENT));
	EXPECT_EQ(0, add(&self->r, NLM_F_CREATE | NLM_F_EXCL, "10.0.0.1", mac, 6, NUD_PERMANENT));
	EXPECT_EQ(NUD_PERMANENT, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac, 6));
	close(fd);
}

TEST_F(neigh, bad_requests)
{
	struct rtnl_req q;
	int len;

	for (len = 0; len <= 40; len++)
		if (len != 6)
			EXPECT_GT(0, add(&self->r, NLM_F_CREATE, "10.0.0.1", zeros, len,
					 NUD_PERMANENT));
	EXPECT_EQ(-EINVAL, add(&self->r, NLM_F_CREATE, "10.0.0.1", NULL, 0, NUD_PERMANENT));
	EXPECT_STREQ("strata: this state needs a link address", self->r.said);
	EXPECT_EQ(-EINVAL, add(&self->r, NLM_F_CREATE, "10.0.0.1", NULL, 0, NUD_REACHABLE));
	EXPECT_EQ(-EINVAL, add(&self->r, NLM_F_CREATE, "10.0.0.1", mac, 6, 0x100));
	EXPECT_EQ(-EINVAL, add(&self->r, NLM_F_CREATE, "10.0.0.1", mac, 6,
			       NUD_STALE | NUD_REACHABLE));
	EXPECT_EQ(-EINVAL, add(&self->r, NLM_F_CREATE, NULL, mac, 6, NUD_PERMANENT));
	EXPECT_STREQ("strata: network address not specified", self->r.said);
	for (len = 0; len <= 16; len++) {
		if (len == 4)
			continue;
		neigh_req(&q, RTM_NEWNEIGH, NLM_F_CREATE, "va", NULL, NUD_FAILED);
		rtnl_attr(&q, NDA_DST, zeros, len);
		EXPECT_GT(0, rtnl_talk(&self->r, &q, NULL, NULL));
	}
	neigh_req(&q, RTM_NEWNEIGH, NLM_F_CREATE, "va", "10.0.0.1", NUD_FAILED);
	rtnl_attr(&q, 61, zeros, 4);
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	neigh_req(&q, RTM_NEWNEIGH, NLM_F_CREATE, "va", "10.0.0.1", NUD_PERMANENT);
	((struct ndmsg *)NLMSG_DATA(&q.nlh))->ndm_flags = NTF_PROXY;
	EXPECT_EQ(-EOPNOTSUPP, rtnl_talk(&self->r, &q, NULL, NULL));
	neigh_req(&q, RTM_NEWNEIGH, NLM_F_CREATE, "nodev", "10.0.0.1", NUD_PERMANENT);
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_STREQ("strata: device not specified", self->r.said);
	((struct ndmsg *)NLMSG_DATA(&q.nlh))->ndm_ifindex = 9999;
	EXPECT_EQ(-ENODEV, rtnl_talk(&self->r, &q, NULL, NULL));
	neigh_req(&q, RTM_NEWNEIGH, NLM_F_CREATE, "lo", "10.0.0.1", NUD_PERMANENT);
	EXPECT_EQ(-ENODEV, rtnl_talk(&self->r, &q, NULL, NULL));
	EXPECT_STREQ("strata: the device has no Strata address", self->r.said);
	for (len = 1; len < (int)sizeof(struct ndmsg); len++) {
		struct ndmsg ndm = { .ndm_family = TEST_FAMILY };

		rtnl_begin(&q, RTM_NEWNEIGH, NLM_F_CREATE, &ndm, len);
		EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
		rtnl_begin(&q, RTM_GETNEIGH, 0, &ndm, len);
		EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	}
	EXPECT_EQ(0, neigh_count(&self->r));
}

/* what ARP is not asked for cannot be set */
TEST_F(neigh, given_addresses)
{
	EXPECT_EQ(-EINVAL, add(&self->r, NLM_F_CREATE, "224.0.0.1", mac, 6, NUD_PERMANENT));
	EXPECT_EQ(-EINVAL, add(&self->r, NLM_F_CREATE, "10.0.0.255", mac, 6, NUD_PERMANENT));
	EXPECT_EQ(0, neigh_count(&self->r));
}

TEST_F(neigh, linkless_device)
{
	ASSERT_EQ(0, run("modprobe -q tun; mkdir -p /dev/net && "
			 "{ [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200; }"));
	ASSERT_EQ(0, run("ip tuntap add t0 mode tun && ip link set t0 up"));
	ASSERT_EQ(0, addr_add(&self->r, "t0", "10.9.0.1", 24));
	EXPECT_EQ(-EINVAL, neigh_add(&self->r, "t0", "10.9.0.2", NULL, NUD_FAILED));
	EXPECT_STREQ("strata: the device has no link addresses", self->r.said);
}

TEST_F(neigh, long_dump)
{
	struct ndmsg ndm = { .ndm_family = TEST_FAMILY };
	uint32_t index = if_nametoindex("va"), none = 9999;
	struct rtnl_req q;
	char ip[32];
	int i, n;

	for (i = 0; i < 800; i++) {
		snprintf(ip, sizeof(ip), "10.3.%d.%d", i / 200, 1 + i % 200);
		ASSERT_EQ(0, neigh_add(&self->r, "va", ip, mac, NUD_PERMANENT));
	}
	EXPECT_EQ(800, neigh_count(&self->r));
	rtnl_strict(&self->r);
	rtnl_begin(&q, RTM_GETNEIGH, NLM_F_DUMP, &ndm, sizeof(ndm));
	rtnl_attr(&q, NDA_IFINDEX, &index, 4);
	n = 0;
	EXPECT_EQ(0, rtnl_talk(&self->r, &q, count_msg, &n));
	EXPECT_EQ(800, n);
	rtnl_begin(&q, RTM_GETNEIGH, NLM_F_DUMP, &ndm, sizeof(ndm));
	rtnl_attr(&q, NDA_IFINDEX, &none, 4);
	n = 0;
	EXPECT_EQ(0, rtnl_talk(&self->r, &q, count_msg, &n));
	EXPECT_EQ(0, n);
	ndm.ndm_state = 1;
	rtnl_begin(&q, RTM_GETNEIGH, NLM_F_DUMP, &ndm, sizeof(ndm));
	EXPECT_EQ(-EINVAL, rtnl_talk(&self->r, &q, NULL, NULL));
	/* static entries are not counted against the limit, and go with the device */
	ASSERT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 24));
	EXPECT_EQ(0, neigh_count(&self->r));
}

TEST_F(neigh, notices)
{
	int fd = listen_open(RTNLGRP_NEIGH);
	char buf[4096];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, neigh_add(&self->r, "va", "10.0.0.1", mac, NUD_PERMANENT));
	EXPECT_EQ(RTM_NEWNEIGH, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	ASSERT_EQ(0, del(&self->r, "va", "10.0.0.1"));
	EXPECT_EQ(RTM_DELNEIGH, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	ASSERT_EQ(0, neigh_use(&self->r, "va", "10.0.0.9"));
	EXPECT_EQ(RTM_NEWNEIGH, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	/* and once more when it fails */
	EXPECT_EQ(RTM_NEWNEIGH, listen_next(fd, 6000, (void *)buf, sizeof(buf)));
	EXPECT_EQ(NUD_FAILED, neigh_get(&self->r, "va", "10.0.0.9", NULL));
}

static int extern_learn(struct rtnl *r, int flags, const char *ip, int ndm_flags)
{
	struct rtnl_req q;

	neigh_req(&q, RTM_NEWNEIGH, flags, "va", ip, NUD_STALE);
	((struct ndmsg *)NLMSG_DATA(&q.nlh))->ndm_flags = ndm_flags;
	rtnl_attr(&q, NDA_LLADDR, mac, 6);
	return rtnl_talk(r, &q, NULL, NULL);
}

/* What a control plane has learned (NTF_EXT_LEARNED) goes when it says so, not for want of use */
TEST_F(neigh, extern_learned)
{
	char ip[16];
	int i, seen = 0;

	ASSERT_EQ(0, run("sysctl -qw net.strata.neigh_gc_stale_time=1"));
	ASSERT_EQ(0, extern_learn(&self->r, NLM_F_CREATE, "10.0.0.6", 0));
	ASSERT_EQ(0, extern_learn(&self->r, NLM_F_CREATE, "10.0.0.7", NTF_EXT_LEARNED));
	sleep_s(25);	/* collection comes every ten seconds */
	EXPECT_EQ(-ENOENT, neigh_get(&self->r, "va", "10.0.0.6", NULL));
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.0.0.7", NULL));

	/* a full table takes nothing from it either */
	ASSERT_EQ(0, run("sysctl -qw net.strata.neigh_gc_thresh3=20"));
	for (i = 0; i < 60; i++) {
		snprintf(ip, sizeof(ip), "10.0.0.%d", 100 + i);
		ASSERT_EQ(0, extern_learn(&self->r, NLM_F_CREATE, ip, 0));
	}
	for (i = 0; i < 60; i++) {
		snprintf(ip, sizeof(ip), "10.0.0.%d", 100 + i);
		seen += neigh_get(&self->r, "va", ip, NULL) == NUD_STALE;
	}
	EXPECT_LT(0, seen);
	EXPECT_GT(40, seen);
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.0.0.7", NULL));

	/* set again without the flag, it is one of many */
	ASSERT_EQ(0, extern_learn(&self->r, NLM_F_REPLACE, "10.0.0.7", 0));
	sleep_s(25);
	EXPECT_EQ(-ENOENT, neigh_get(&self->r, "va", "10.0.0.7", NULL));
}

TEST_F(neigh, unprivileged)
{
	ASSERT_EQ(0, neigh_add(&self->r, "va", "10.0.0.1", mac, NUD_PERMANENT));
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_EQ(-EPERM, neigh_add(&self->r, "va", "10.0.0.3", mac, NUD_PERMANENT));
	EXPECT_EQ(-EPERM, del(&self->r, "va", "10.0.0.1"));
	EXPECT_EQ(NUD_PERMANENT, neigh_get(&self->r, "va", "10.0.0.1", NULL));
}

TEST_HARNESS_MAIN
