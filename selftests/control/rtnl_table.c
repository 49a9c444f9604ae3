// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every message, with each of its attributes missing, short, long, out of range, unknown and
 * lying about its length, each octet of its header odd, and cut at every length. What is
 * refused is refused with an errno a program may expect and, on the way to a change, a message;
 * it changes nothing.
 */
#include "../kselftest_harness.h"
#include "../lib/rtnl.h"

#define ARRAY_LEN(a)	((int)(sizeof(a) / sizeof((a)[0])))

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x0b };

FIXTURE(table) {
	struct rtnl r;
	int a, b;
	uint32_t va;
};

FIXTURE_SETUP(table)
{
	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
	self->va = if_nametoindex("va");
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
}

FIXTURE_TEARDOWN(table)
{
	close(self->r.fd);
}

/* a request that is right, as a list of what it is made of */
struct part {
	int type, len;
	const void *data;
};

struct request {
	int type, flags;
	int hlen;		/* of the header behind nlmsghdr */
	uint8_t head[16];
	int max;		/* the greatest attribute that has a name */
	struct part part[8];
	int parts;
};

static void add_part(struct request *rq, int type, const void *data, int len)
{
	rq->part[rq->parts++] = (struct part){ type, len, data };
}

/* all parts but @skip (-1: none) */
static void build(struct rtnl_req *q, const struct request *rq, int skip)
{
	int i;

	rtnl_begin(q, rq->type, rq->flags, rq->head, rq->hlen);
	for (i = 0; i < rq->parts; i++)
		if (rq->part[i].type != skip)
			rtnl_attr(q, rq->part[i].type, rq->part[i].data, rq->part[i].len);
}

/* ---- what there is, in one number ---- */

static void fold(const struct nlmsghdr *nlh, void *arg)
{
	const uint8_t *p = NLMSG_DATA(nlh);
	uint64_t *h = arg;
	uint32_t i, len = NLMSG_PAYLOAD(nlh, 0);

	if (p[0] != TEST_FAMILY)
		return;
	/* times at the end of addresses and neighbours pass by themselves */
	if (nlh->nlmsg_type != RTM_NEWROUTE)
		len = len < 40 ? len : 40;
	for (i = 0; i < len; i++)
		*h = (*h ^ p[i]) * 1099511628211u;
}

static uint64_t dump(struct rtnl *r, int type, int hlen)
{
	uint8_t head[16] = { TEST_FAMILY };
	uint64_t h = 14695981039346656037u;
	struct rtnl_req q;

	rtnl_begin(&q, type, NLM_F_DUMP, head, hlen);
	if (rtnl_talk(r, &q, fold, &h))
		return 0;
	return h;
}

static uint64_t world(struct rtnl *r)
{
	return dump(r, RTM_GETADDR, sizeof(struct ifaddrmsg)) ^
	       dump(r, RTM_GETROUTE, sizeof(struct rtmsg)) * 3 ^
	       dump(r, RTM_GETNEIGH, sizeof(struct ndmsg)) * 5;
}

struct all_addrs {
	int n;
	struct ifaddrmsg ifm[64];
	uint32_t local[64];
};

static void keep_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(nlh);
	const struct rtattr *rta = IFA_RTA(ifm);
	struct all_addrs *all = arg;
	int len = NLMSG_PAYLOAD(nlh, sizeof(*ifm));

	if (ifm->ifa_family != TEST_FAMILY || all->n == 64)
		return;
	all->ifm[all->n] = *ifm;
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == IFA_LOCAL)
			memcpy(&all->local[all->n], RTA_DATA(rta), 4);
	all->n++;
}

/* the last address takes routes and neighbours with it */
static void flush(struct rtnl *r)
{
	struct ifaddrmsg ifa = { .ifa_family = TEST_FAMILY };
	struct all_addrs all = { 0 };
	struct rtnl_req q;

	rtnl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	rtnl_talk(r, &q, keep_addr, &all);
	while (all.n--) {
		rtnl_begin(&q, RTM_DELADDR, 0, &all.ifm[all.n], sizeof(ifa));
		rtnl_attr(&q, IFA_LOCAL, &all.local[all.n], 4);
		rtnl_talk(r, &q, NULL, NULL);
	}
}

/* as after setup, with a neighbour and a route to ask for and to delete */
static uint64_t reset(FIXTURE_DATA(table) *self)
{
	struct rtmsg rtm = {
		.rtm_family = TEST_FAMILY, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST,
	};
	struct rtnl_req q;

	flush(&self->r);
	if (addr_add(&self->r, "va", "10.0.0.2", 24) ||
	    neigh_add(&self->r, "va", "10.0.0.1", mac, NUD_PERMANENT))
		return 0;
	rtnl_begin(&q, RTM_NEWROUTE, NLM_F_CREATE, &rtm, sizeof(rtm));
	rtnl_attr_ip(&q, RTA_DST, "203.0.113.0");
	rtnl_attr_ip(&q, RTA_GATEWAY, "10.0.0.1");
	if (rtnl_talk(&self->r, &q, NULL, NULL))
		return 0;
	return world(&self->r);
}

static bool expected_errno(int err)
{
	static const int errs[] = {
		EINVAL, ERANGE, EOPNOTSUPP, ENODEV, EADDRNOTAVAIL, EEXIST, ENOENT, ESRCH,
		ENETUNREACH, EHOSTUNREACH, EACCES, ENETDOWN, EBUSY,
	};
	int i;

	for (i = 0; i < ARRAY_LEN(errs); i++)
		if (err == -errs[i])
			return true;
	return false;
}

struct run {
	FIXTURE_DATA(table) *self;
	uint64_t before;
	int asked, refused;
};

/* ask; @what and two numbers say in which way the request is wrong */
static int ask(struct __test_metadata *_metadata, struct run *run, struct rtnl_req *q,
	       const char *what, int x, int y)
{
	struct rtnl *r = &run->self->r;
	bool change = q->nlh.nlmsg_type % 4 != RTM_GETADDR % 4;
	int type = q->nlh.nlmsg_type, err;

	r->said[0] = 0;
	err = rtnl_talk(r, q, NULL, NULL);
	run->asked++;
	if (err) {
		run->refused++;
		EXPECT_TRUE(expected_errno(err)) {
			TH_LOG("message %d, %s %d %d: error %d", type, what, x, y, err);
		}
		if (change) {
			EXPECT_NE(0, r->said[0]) {
				TH_LOG("message %d, %s %d %d: error %d without a word", type, what,
				       x, y, err);
			}
		}
	}
	if (!change)
		return err;
	if (!err) {
		run->before = reset(run->self);
		EXPECT_NE(0, run->before);
	} else {
		EXPECT_EQ(run->before, world(r)) {
			TH_LOG("message %d, %s %d %d: refused, but something changed", type, what,
			       x, y);
			run->before = reset(run->self);
		}
	}
	return err;
}

static void each_attribute(struct __test_metadata *_metadata, struct run *run,
			   const struct request *rq)
{
	static const int lens[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 17, 32, 33, 64 };
	static const int fills[] = { 0, 0xff, 0x7f };
	const char *machine = getenv("STRATA_MACHINE");
	/* the debug machine is slow: a third, each length with one of the fills */
	bool brief = machine && !strcmp(machine, "debug") && !getenv("STRATA_FULL");
	uint8_t data[64];
	struct rtnl_req q;
	int type, i, k;

	for (type = 0; type <= rq->max + 3; type++)
		for (i = 0; i < ARRAY_LEN(lens); i++)
			for (k = 0; k < ARRAY_LEN(fills); k++) {
				if (brief && (type + i + k) % 3)
					continue;
				build(&q, rq, type);
				memset(data, fills[k], sizeof(data));
				rtnl_attr(&q, type, data, lens[i]);
				ask(_metadata, run, &q, "attribute and length", type, lens[i]);
			}
	for (i = 0; i < rq->parts; i++) {
		build(&q, rq, rq->part[i].type);
		ask(_metadata, run, &q, "without attribute", rq->part[i].type, 0);
	}
}

/* the last attribute says another length than it has */
static void lying_length(struct __test_metadata *_metadata, struct run *run,
			 const struct request *rq)
{
	static const int lies[] = { 0, 1, 2, 3, 5, 7, 9, 12, 100, 0x7fff, 0xffff };
	struct rtattr *rta;
	struct rtnl_req q;
	int i;

	if (!rq->parts)
		return;
	for (i = 0; i < ARRAY_LEN(lies); i++) {
		build(&q, rq, -1);
		rta = (void *)((char *)&q + q.nlh.nlmsg_len -
			       RTA_SPACE(rq->part[rq->parts - 1].len));
		rta->rta_len = lies[i];
		ask(_metadata, run, &q, "lying length", lies[i], 0);
	}
}

static void odd_header(struct __test_metadata *_metadata, struct run *run,
		       const struct request *rq)
{
	static const int odd[] = { 0, 1, 2, 33, 0x7f, 0x80, 0xff };
	struct rtnl_req q;
	int at, i, len;

	for (at = 1; at < rq->hlen; at++)
		for (i = 0; i < ARRAY_LEN(odd); i++) {
			build(&q, rq, -1);
			((uint8_t *)NLMSG_DATA(&q.nlh))[at] = odd[i];
			ask(_metadata, run, &q, "octet of the header", at, odd[i]);
		}
	/* a message without a family is the core's to answer */
	build(&q, rq, -1);
	for (len = q.nlh.nlmsg_len - 1; len > NLMSG_HDRLEN; len--) {
		build(&q, rq, -1);
		q.nlh.nlmsg_len = len;
		ask(_metadata, run, &q, "cut to", len, 0);
	}
}

static uint32_t addr5, addr2, peer1, dst_net, ones;

static void make(struct request *rq, int type, int flags, uint32_t va)
{
	struct ifaddrmsg ifa = { .ifa_family = TEST_FAMILY, .ifa_prefixlen = 24, .ifa_index = va };
	struct rtmsg rtm = { .rtm_family = TEST_FAMILY, .rtm_dst_len = 24,
			     .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
			     .rtm_type = RTN_UNICAST };
	struct ndmsg ndm = { .ndm_family = TEST_FAMILY, .ndm_ifindex = va,
			     .ndm_state = NUD_PERMANENT };

	addr2 = inet_addr("10.0.0.2");
	addr5 = inet_addr("10.0.0.5");
	peer1 = inet_addr("10.0.0.1");
	dst_net = inet_addr(type == RTM_NEWROUTE ? "203.0.114.0" : "203.0.113.0");
	ones = inet_addr("10.0.0.255");
	memset(rq, 0, sizeof(*rq));
	rq->type = type;
	rq->flags = flags;
	rq->head[0] = TEST_FAMILY;
	rq->hlen = type <= RTM_GETADDR ? sizeof(ifa) :
		   type <= RTM_GETROUTE ? sizeof(rtm) : sizeof(ndm);
	rq->max = type <= RTM_GETADDR ? IFA_MAX : type <= RTM_GETROUTE ? RTA_MAX : NDA_MAX;
	/* a dump is asked for by a header that says nothing */
	if (type % 4 == RTM_GETADDR % 4 && flags & NLM_F_DUMP)
		return;
	if (type <= RTM_GETADDR) {
		memcpy(rq->head, &ifa, sizeof(ifa));
		add_part(rq, IFA_LOCAL, type == RTM_NEWADDR ? &addr5 : &addr2, 4);
		if (type == RTM_NEWADDR)
			add_part(rq, IFA_BROADCAST, &ones, 4);
		add_part(rq, IFA_ADDRESS, type == RTM_NEWADDR ? &addr5 : &addr2, 4);
	} else if (type <= RTM_GETROUTE) {
		if (type == RTM_GETROUTE)
			rtm.rtm_dst_len = 32;
		memcpy(rq->head, &rtm, sizeof(rtm));
		add_part(rq, RTA_DST, &dst_net, 4);
		if (type != RTM_GETROUTE)
			add_part(rq, RTA_GATEWAY, &peer1, 4);
	} else {
		memcpy(rq->head, &ndm, sizeof(ndm));
		if (type == RTM_NEWNEIGH)
			add_part(rq, NDA_LLADDR, mac, 6);
		add_part(rq, NDA_DST, type == RTM_NEWNEIGH ? &addr5 : &peer1, 4);
	}
}

static void run_table(struct __test_metadata *_metadata, FIXTURE_DATA(table) *self, int type,
		      int flags, bool strict)
{
	struct run run = { .self = self };
	struct request rq;
	struct rtnl_req q;

	if (strict)
		rtnl_strict(&self->r);
	make(&rq, type, flags, self->va);
	run.before = reset(self);
	ASSERT_NE(0, run.before);
	/* as it is, it is granted */
	build(&q, &rq, -1);
	ASSERT_EQ(0, ask(_metadata, &run, &q, "as it is", 0, 0));
	each_attribute(_metadata, &run, &rq);
	lying_length(_metadata, &run, &rq);
	odd_header(_metadata, &run, &rq);
	TH_LOG("message %d: %d requests, %d refused", type, run.asked, run.refused);
	EXPECT_LT(strict || type % 4 != RTM_GETADDR % 4 ? 100 : -1, run.refused);
}

#define NEW	(NLM_F_CREATE | NLM_F_EXCL)

#define TABLE(name, type, flags, strict)					\
TEST_F_TIMEOUT(table, name, 300)						\
{										\
	run_table(_metadata, self, type, flags, strict);			\
}

TABLE(newaddr, RTM_NEWADDR, NEW, false)
TABLE(deladdr, RTM_DELADDR, 0, false)
TABLE(getaddr, RTM_GETADDR, 0, false)
TABLE(getaddr_dump, RTM_GETADDR, NLM_F_DUMP, false)
TABLE(getaddr_dump_strict, RTM_GETADDR, NLM_F_DUMP, true)
TABLE(newroute, RTM_NEWROUTE, NEW, false)
TABLE(delroute, RTM_DELROUTE, 0, false)
TABLE(getroute, RTM_GETROUTE, 0, false)
TABLE(getroute_dump, RTM_GETROUTE, NLM_F_DUMP, false)
TABLE(getroute_strict, RTM_GETROUTE, NLM_F_DUMP, true)
TABLE(newneigh, RTM_NEWNEIGH, NEW, false)
TABLE(delneigh, RTM_DELNEIGH, 0, false)
TABLE(getneigh, RTM_GETNEIGH, 0, false)
TABLE(getneigh_dump, RTM_GETNEIGH, NLM_F_DUMP, false)
TABLE(getneigh_strict, RTM_GETNEIGH, NLM_F_DUMP, true)

/* who may not change anything is told so before anything is looked at */
TEST_F_TIMEOUT(table, unprivileged, 120)
{
	static const int types[] = { RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE,
				     RTM_NEWNEIGH, RTM_DELNEIGH };
	struct request rq;
	struct rtnl_req q;
	uint64_t before = reset(self);
	int i;

	ASSERT_NE(0, before);
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	for (i = 0; i < ARRAY_LEN(types); i++) {
		make(&rq, types[i], i % 2 ? 0 : NEW, self->va);
		build(&q, &rq, -1);
		EXPECT_EQ(-EPERM, rtnl_talk(&self->r, &q, NULL, NULL));
		build(&q, &rq, -1);
		q.nlh.nlmsg_len = NLMSG_LENGTH(2);
		EXPECT_EQ(-EPERM, rtnl_talk(&self->r, &q, NULL, NULL));
	}
	EXPECT_EQ(before, world(&self->r));
}

TEST_HARNESS_MAIN
