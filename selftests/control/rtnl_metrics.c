// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metrics of routes over rtnetlink (RTA_METRICS): each set and shown the same by a dump, a
 * notice and the way to an address; each short, long, unknown and out of bounds; locks;
 * congestion controls by name; deletion by them.
 */
#include "../kselftest_harness.h"
#include "../lib/rtnl.h"

#define ARRAY_LEN(a)	((int)(sizeof(a) / sizeof((a)[0])))
#define NEW		(NLM_F_CREATE | NLM_F_EXCL)
#define DST		"203.0.113.0"
#define ALL_LOCKS	((2U << RTAX_FASTOPEN_NO_COOKIE) - (1U << RTAX_MTU))

/* every metric that is a number, and one it may be */
static const struct number {
	int type;
	uint32_t val;
} numbers[] = {
	{ RTAX_MTU, 1300 }, { RTAX_WINDOW, 0xffffffff }, { RTAX_RTT, 800 }, { RTAX_RTTVAR, 200 },
	{ RTAX_SSTHRESH, 11 }, { RTAX_CWND, 7 }, { RTAX_ADVMSS, 900 }, { RTAX_REORDERING, 5 },
	{ RTAX_HOPLIMIT, 9 }, { RTAX_INITCWND, 8 }, { RTAX_FEATURES, RTAX_FEATURE_ECN },
	{ RTAX_RTO_MIN, 30 }, { RTAX_INITRWND, 6 }, { RTAX_QUICKACK, 1 },
	{ RTAX_FASTOPEN_NO_COOKIE, 1 },
};

/* RTA_METRICS put together */
struct nest {
	int len;
	char buf[512];
};

static void put(struct nest *n, int type, const void *data, int len)
{
	struct rtattr *rta = (void *)(n->buf + n->len);

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), data, len);
	n->len += RTA_SPACE(len);
}

static void put_u32(struct nest *n, int type, uint32_t val)
{
	put(n, type, &val, sizeof(val));
}

static struct nest one(int type, uint32_t val)
{
	struct nest n = { 0 };

	put_u32(&n, type, val);
	return n;
}

static struct nest named(const void *name, int len)
{
	struct nest n = { 0 };

	put(&n, RTAX_CC_ALGO, name, len);
	return n;
}

static struct nest all_of_them(uint32_t lock)
{
	struct nest n = named("reno", 5);
	int i;

	/* (their order says nothing) */
	for (i = ARRAY_LEN(numbers) - 1; i >= 0; i--)
		put_u32(&n, numbers[i].type, numbers[i].val);
	if (lock)
		put_u32(&n, RTAX_LOCK, lock);
	return n;
}

/* ---- what a message shows ---- */

struct seen {
	int routes, attrs;
	bool sorted;		/* by type, none twice */
	uint32_t val[RTAX_MAX + 1];
	char cong[32];
};

static void keep_metrics(struct rtattr *nest, struct seen *s)
{
	struct rtattr *rta = RTA_DATA(nest);
	int len = RTA_PAYLOAD(nest), last = 0;

	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len)) {
		s->attrs++;
		s->sorted &= rta->rta_type > last && rta->rta_type <= RTAX_MAX;
		last = rta->rta_type;
		if (last == RTAX_CC_ALGO)
			snprintf(s->cong, sizeof(s->cong), "%.*s", (int)RTA_PAYLOAD(rta),
				 (char *)RTA_DATA(rta));
		else if (last <= RTAX_MAX && RTA_PAYLOAD(rta) == 4)
			memcpy(&s->val[last], RTA_DATA(rta), 4);
	}
}

/* (the route of the address is not asked for) */
static void keep(const struct nlmsghdr *nlh, void *arg)
{
	struct rtmsg *rtm = NLMSG_DATA(nlh);
	struct rtattr *rta = RTM_RTA(rtm);
	int len = RTM_PAYLOAD(nlh);
	struct seen *s = arg;

	if (rtm->rtm_family != TEST_FAMILY || rtm->rtm_protocol == RTPROT_KERNEL)
		return;
	s->routes++;
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == RTA_METRICS)
			keep_metrics(rta, s);
}

/* ---- requests ---- */

FIXTURE(metrics) {
	struct rtnl r;
	int a, b;
};

FIXTURE_SETUP(metrics)
{
	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
}

FIXTURE_TEARDOWN(metrics)
{
	close(self->r.fd);
}

static int ask(struct rtnl *r, int type, int flags, const char *gw, const struct nest *n)
{
	struct rtmsg rtm = {
		.rtm_family = TEST_FAMILY, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST,
	};
	struct rtnl_req q;

	if (type == RTM_DELROUTE)
		rtm.rtm_scope = RT_SCOPE_NOWHERE;
	rtnl_begin(&q, type, flags, &rtm, sizeof(rtm));
	rtnl_attr_ip(&q, RTA_DST, DST);
	if (gw)
		rtnl_attr_ip(&q, RTA_GATEWAY, gw);
	if (n)
		rtnl_attr(&q, RTA_METRICS | NLA_F_NESTED, n->buf, n->len);
	r->said[0] = 0;
	return rtnl_talk(r, &q, NULL, NULL);
}

static int add(struct rtnl *r, struct nest n)
{
	return ask(r, RTM_NEWROUTE, NEW, "10.0.0.1", &n);
}

static int del(struct rtnl *r, struct nest n)
{
	return ask(r, RTM_DELROUTE, 0, NULL, &n);
}

static int del_any(struct rtnl *r)
{
	return ask(r, RTM_DELROUTE, 0, NULL, NULL);
}

/* what the routes to DST have: of one, if there is but one */
static struct seen dumped(struct rtnl *r)
{
	struct rtmsg rtm = { .rtm_family = TEST_FAMILY };
	struct seen s = { .sorted = true };
	struct rtnl_req q;

	rtnl_begin(&q, RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
	if (rtnl_talk(r, &q, keep, &s))
		s.routes = -1;
	return s;
}

static struct seen way(struct rtnl *r)
{
	struct rtmsg rtm = { .rtm_family = TEST_FAMILY, .rtm_dst_len = 32 };
	struct seen s = { .sorted = true };
	struct rtnl_req q;

	rtnl_begin(&q, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	rtnl_attr_ip(&q, RTA_DST, "203.0.113.7");
	if (rtnl_talk(r, &q, keep, &s))
		s.routes = -1;
	return s;
}

static void expect_all(struct __test_metadata *_metadata, const struct seen *s, uint32_t lock)
{
	int i;

	EXPECT_EQ(1, s->routes);
	EXPECT_TRUE(s->sorted);
	EXPECT_EQ(ARRAY_LEN(numbers) + 1 + !!lock, s->attrs);
	EXPECT_EQ(lock, s->val[RTAX_LOCK]);
	EXPECT_STREQ("reno", s->cong);
	for (i = 0; i < ARRAY_LEN(numbers); i++)
		EXPECT_EQ(numbers[i].val, s->val[numbers[i].type]) {
			TH_LOG("metric %d", numbers[i].type);
		}
}

/* ---- set, and shown ---- */

TEST_F(metrics, each_alone)
{
	struct seen s;
	int i, type;

	for (i = 0; i < ARRAY_LEN(numbers); i++) {
		type = numbers[i].type;
		ASSERT_EQ(0, add(&self->r, one(type, numbers[i].val))) {
			TH_LOG("metric %d: %s", type, self->r.said);
		}
		s = dumped(&self->r);
		EXPECT_EQ(1, s.routes);
		EXPECT_EQ(1, s.attrs);
		EXPECT_EQ(numbers[i].val, s.val[type]) {
			TH_LOG("metric %d", type);
		}
		s = way(&self->r);
		EXPECT_EQ(numbers[i].val, s.val[type]) {
			TH_LOG("metric %d of the way", type);
		}
		/* 0 is as if it were not said */
		ASSERT_EQ(0, del_any(&self->r));
		ASSERT_EQ(0, add(&self->r, one(type, 0)));
		s = dumped(&self->r);
		EXPECT_EQ(0, s.attrs);
		ASSERT_EQ(0, del_any(&self->r));
	}
}

TEST_F(metrics, all)
{
	int fd = listen_open(RTNLGRP_IPV4_ROUTE);
	struct seen s, notice = { .sorted = true };
	char buf[4096];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, add(&self->r, all_of_them(ALL_LOCKS)));
	s = dumped(&self->r);
	expect_all(_metadata, &s, ALL_LOCKS);
	s = way(&self->r);
	expect_all(_metadata, &s, ALL_LOCKS);
	ASSERT_EQ(RTM_NEWROUTE, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	keep((void *)buf, &notice);
	expect_all(_metadata, &notice, ALL_LOCKS);
	ASSERT_EQ(0, del_any(&self->r));
	ASSERT_EQ(RTM_DELROUTE, listen_next(fd, 2000, (void *)buf, sizeof(buf)));
	notice = (struct seen){ .sorted = true };
	keep((void *)buf, &notice);
	expect_all(_metadata, &notice, ALL_LOCKS);
	close(fd);
}

TEST_F(metrics, replaced)
{
	struct nest n = one(RTAX_WINDOW, 5000);
	struct seen s;

	ASSERT_EQ(0, add(&self->r, all_of_them(0)));
	s = dumped(&self->r);
	expect_all(_metadata, &s, 0);
	ASSERT_EQ(0, ask(&self->r, RTM_NEWROUTE, NLM_F_REPLACE, "10.0.0.1", &n));
	s = dumped(&self->r);
	EXPECT_EQ(1, s.routes);
	EXPECT_EQ(1, s.attrs);
	EXPECT_EQ(5000, s.val[RTAX_WINDOW]);
	ASSERT_EQ(0, ask(&self->r, RTM_NEWROUTE, NLM_F_REPLACE, "10.0.0.1", NULL));
	s = dumped(&self->r);
	EXPECT_EQ(1, s.routes);
	EXPECT_EQ(0, s.attrs);
}

/* a metric may be locked that has no value */
TEST_F(metrics, locks)
{
	struct seen s;
	int i;

	for (i = RTAX_MTU; i <= RTAX_FASTOPEN_NO_COOKIE; i++) {
		struct nest n = one(RTAX_LOCK, 1U << i);

		put_u32(&n, RTAX_CWND, 2);
		ASSERT_EQ(0, add(&self->r, n));
		s = dumped(&self->r);
		EXPECT_EQ(2, s.attrs);
		EXPECT_EQ(1U << i, s.val[RTAX_LOCK]);
		ASSERT_EQ(0, del_any(&self->r));
	}
	EXPECT_EQ(-EINVAL, add(&self->r, one(RTAX_LOCK, 1U << RTAX_CWND)));
	EXPECT_STREQ("strata: a locked cwnd must not be 0", self->r.said);
	EXPECT_EQ(0, dumped(&self->r).routes);
	EXPECT_EQ(0, add(&self->r, one(RTAX_CWND, 0)));
}

/* it may be there */
static void load_dctcp(void)
{
	run("[ -e /sys/module/strata_dctcp ] ||"
	    "insmod \"$(dirname \"$STRATA_KO\")/strata_dctcp.ko\"");
}

TEST_F(metrics, congestion_controls)
{
	static const char *const known[] = { "reno", "cubic", "dctcp" };
	static const char *const unknown[] = { "", "nosuch", "ren", "reno2", "fifteen-letters" };
	char longer[64];
	struct seen s;
	int i, zero;

	load_dctcp();
	/* with a zero at its end, and as iproute2 sends it without */
	for (i = 0; i < ARRAY_LEN(known); i++)
		for (zero = 0; zero <= 1; zero++) {
			ASSERT_EQ(0, add(&self->r, named(known[i], strlen(known[i]) + zero))) {
				TH_LOG("%s: %s", known[i], self->r.said);
			}
			s = dumped(&self->r);
			EXPECT_EQ(1, s.attrs);
			EXPECT_STREQ(known[i], s.cong);
			EXPECT_STREQ(known[i], way(&self->r).cong);
			ASSERT_EQ(0, del_any(&self->r));
		}
	for (i = 0; i < ARRAY_LEN(unknown); i++) {
		EXPECT_EQ(-EINVAL, add(&self->r, named(unknown[i], strlen(unknown[i]) + 1)));
		EXPECT_STREQ("strata: unknown congestion control", self->r.said);
	}
	memset(longer, 'x', sizeof(longer));
	for (i = 16; i <= 64; i++) {
		EXPECT_GT(0, add(&self->r, named(longer, i)));
		EXPECT_NE(0, self->r.said[0]);
	}
	EXPECT_EQ(0, dumped(&self->r).routes);
}

TEST_F(metrics, bounds)
{
	static const struct {
		int type;
		uint32_t val, kept;
	} cases[] = {
		{ RTAX_MTU, 68, 68 }, { RTAX_MTU, 65520, 65520 }, { RTAX_MTU, 65521, 65520 },
		{ RTAX_MTU, 0xffffffff, 65520 }, { RTAX_ADVMSS, 65495, 65495 },
		{ RTAX_ADVMSS, 65496, 65495 }, { RTAX_ADVMSS, 0xffffffff, 65495 },
		{ RTAX_HOPLIMIT, 255, 255 }, { RTAX_HOPLIMIT, 256, 255 },
		{ RTAX_HOPLIMIT, 0xffffffff, 255 }, { RTAX_CWND, 0xffffffff, 0xffffffff },
		{ RTAX_RTT, 0xffffffff, 0xffffffff }, { RTAX_QUICKACK, 2, 2 },
	};
	int i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_EQ(0, add(&self->r, one(cases[i].type, cases[i].val)));
		EXPECT_EQ(cases[i].kept, dumped(&self->r).val[cases[i].type]) {
			TH_LOG("metric %d, %u", cases[i].type, cases[i].val);
		}
		ASSERT_EQ(0, del_any(&self->r));
	}
}

/* ---- wrong ---- */

static void refused(struct __test_metadata *_metadata, struct rtnl *r, const struct nest *n,
		    int type, int len)
{
	int op;

	for (op = 0; op <= 1; op++) {
		int err = ask(r, op ? RTM_DELROUTE : RTM_NEWROUTE, op ? 0 : NEW,
			      op ? NULL : "10.0.0.1", n);

		/* (a shorter name is one that no route has) */
		if (op && type == RTAX_CC_ALGO && err == -ESRCH)
			continue;
		EXPECT_TRUE(err == -EINVAL || err == -ERANGE) {
			TH_LOG("metric %d of %d octets: %d", type, len, err);
		}
		EXPECT_NE(0, r->said[0]);
	}
}

TEST_F(metrics, lengths)
{
	static const uint8_t data[64] = { 1 };
	static const int lens[] = { 0, 1, 2, 3, 5, 6, 8, 12, 33 };
	struct nest n;
	int i, type;

	for (type = RTAX_LOCK; type <= RTAX_FASTOPEN_NO_COOKIE; type++)
		for (i = 0; i < ARRAY_LEN(lens); i++) {
			n.len = 0;
			put(&n, type, data, lens[i]);
			refused(_metadata, &self->r, &n, type, lens[i]);
		}
	EXPECT_EQ(0, dumped(&self->r).routes);
}

TEST_F(metrics, unknown)
{
	static const int types[] = { RTAX_UNSPEC, RTAX_MAX + 1, RTAX_MAX + 2, 31, 32, 33, 63, 64,
				     200, 0x3fff };
	struct nest n;
	int i;

	for (i = 0; i < ARRAY_LEN(types); i++) {
		n = one(types[i], 1);
		refused(_metadata, &self->r, &n, types[i], 4);
		/* behind one that is known, too */
		n = one(RTAX_WINDOW, 5000);
		put_u32(&n, types[i], 1);
		refused(_metadata, &self->r, &n, types[i], 4);
	}
	/* no features but ECN */
	for (i = 1; i < 32; i++) {
		n = one(RTAX_FEATURES, 1U << i | RTAX_FEATURE_ECN);
		refused(_metadata, &self->r, &n, RTAX_FEATURES, i);
		EXPECT_STREQ("strata: the only feature of a route is ECN", self->r.said);
	}
	EXPECT_EQ(0, dumped(&self->r).routes);
}

/* an attribute that says another length than it has, and octets that are none */
TEST_F(metrics, lying_lengths)
{
	static const int lies[] = { 0, 1, 2, 3, 5, 7, 9, 12, 100, 0x7fff, 0xffff };
	struct nest n;
	int i;

	for (i = 0; i < ARRAY_LEN(lies); i++) {
		n = one(RTAX_WINDOW, 5000);
		((struct rtattr *)n.buf)->rta_len = lies[i];
		refused(_metadata, &self->r, &n, RTAX_WINDOW, lies[i]);
	}
	for (i = 1; i < 4; i++) {
		n = one(RTAX_WINDOW, 5000);
		memset(n.buf + n.len, 0, 4);
		n.len += i;
		refused(_metadata, &self->r, &n, RTAX_WINDOW, i);
	}
	EXPECT_EQ(0, dumped(&self->r).routes);
}

/* ---- deletion ---- */

TEST_F(metrics, deleted_by_each)
{
	struct nest n;
	int i;

	for (i = 0; i < ARRAY_LEN(numbers); i++) {
		int type = numbers[i].type;
		uint32_t another = numbers[i].val == 1 ? 2 : numbers[i].val - 1;

		ASSERT_EQ(0, add(&self->r, all_of_them(0)));
		/* (of the features there is no other) */
		if (type != RTAX_FEATURES)
			EXPECT_EQ(-ESRCH, del(&self->r, one(type, another))) {
				TH_LOG("metric %d, another value", type);
			}
		n = one(type, numbers[i].val);
		put_u32(&n, RTAX_LOCK, 1U << type);
		EXPECT_EQ(-ESRCH, del(&self->r, n)) {
			TH_LOG("metric %d, locked", type);
		}
		EXPECT_EQ(0, del(&self->r, one(type, numbers[i].val))) {
			TH_LOG("metric %d", type);
		}
		EXPECT_EQ(0, dumped(&self->r).routes);
	}
	/* a route without metrics has none of them */
	ASSERT_EQ(0, ask(&self->r, RTM_NEWROUTE, NEW, "10.0.0.1", NULL));
	for (i = 0; i < ARRAY_LEN(numbers); i++)
		EXPECT_EQ(-ESRCH, del(&self->r, one(numbers[i].type, numbers[i].val)));
	EXPECT_EQ(-ESRCH, del(&self->r, named("reno", 5)));
	EXPECT_EQ(1, dumped(&self->r).routes);
}

/* of a value that is 0 the route has none */
TEST_F(metrics, deleted_by_zero)
{
	struct nest n;
	int i;

	for (i = 0; i < ARRAY_LEN(numbers); i++) {
		ASSERT_EQ(0, add(&self->r, one(numbers[i].type, numbers[i].val)));
		EXPECT_EQ(-ESRCH, del(&self->r, one(numbers[i].type, 0)));
		ASSERT_EQ(0, del_any(&self->r));
		ASSERT_EQ(0, ask(&self->r, RTM_NEWROUTE, NEW, "10.0.0.1", NULL));
		EXPECT_EQ(0, del(&self->r, one(numbers[i].type, 0)));
	}
	n = one(RTAX_LOCK, 1U << RTAX_RTT);
	ASSERT_EQ(0, add(&self->r, n));
	EXPECT_EQ(-ESRCH, del(&self->r, one(RTAX_LOCK, 0)));
	EXPECT_EQ(0, del(&self->r, n));
}

/* by its name and by the features it was given, also when nobody has it any more */
TEST_F(metrics, deleted_dctcp)
{
	struct nest n = named("dctcp", 6);
	int i;

	put_u32(&n, RTAX_FEATURES, RTAX_FEATURE_ECN);
	load_dctcp();
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, add(&self->r, n));
		EXPECT_EQ(-ESRCH, del(&self->r, named("cubic", 6)));
		EXPECT_EQ(-ESRCH, del(&self->r, named("nosuch", 7)));
		EXPECT_EQ(-ESRCH, del(&self->r, one(RTAX_FEATURES, 0)));
		if (i == 2) {
			ASSERT_EQ(0, run("rmmod strata_dctcp"));
		}
		EXPECT_EQ(0, del(&self->r, i ? named("dctcp", 6) :
					       one(RTAX_FEATURES, RTAX_FEATURE_ECN)));
	}
	EXPECT_EQ(0, dumped(&self->r).routes);
}

TEST_F(metrics, deleted_by_all)
{
	ASSERT_EQ(0, add(&self->r, all_of_them(ALL_LOCKS)));
	EXPECT_EQ(-ESRCH, del(&self->r, all_of_them(1U << RTAX_MTU)));
	EXPECT_EQ(-ESRCH, del(&self->r, named("cubic", 6)));
	EXPECT_EQ(0, del(&self->r, all_of_them(ALL_LOCKS)));
	ASSERT_EQ(0, add(&self->r, all_of_them(ALL_LOCKS)));
	EXPECT_EQ(0, del(&self->r, named("reno", 5)));
	EXPECT_EQ(0, dumped(&self->r).routes);
}

/* of two that differ by metrics the right one goes */
TEST_F(metrics, deleted_of_two)
{
	struct nest n = one(RTAX_HOPLIMIT, 7);

	ASSERT_EQ(0, add(&self->r, one(RTAX_HOPLIMIT, 9)));
	ASSERT_EQ(0, ask(&self->r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, "10.0.0.3", &n));
	EXPECT_EQ(2, dumped(&self->r).routes);
	EXPECT_EQ(9, way(&self->r).val[RTAX_HOPLIMIT]);
	EXPECT_EQ(-ESRCH, del(&self->r, one(RTAX_HOPLIMIT, 8)));
	EXPECT_EQ(0, del(&self->r, one(RTAX_HOPLIMIT, 7)));
	EXPECT_EQ(1, dumped(&self->r).routes);
	EXPECT_EQ(9, way(&self->r).val[RTAX_HOPLIMIT]);
}

TEST_HARNESS_MAIN
