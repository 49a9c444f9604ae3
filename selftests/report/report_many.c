// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long tables: half-open requests, listeners of one port, routes. A reader with a small buffer and
 * a dump of many messages have each of them once.
 */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include "report_nl.h"

#define PORT	8300

FIXTURE(many) {
	int family[2], nl;
};

static const char * const dirs[2] = { NATIVE_PROC, STRATA_PROC };
static const char * const who[2] = { "native", "Strata" };

FIXTURE_SETUP(many)
{
	struct timeval tv = { .tv_sec = 20 };

	self->family[0] = AF_INET;
	self->family[1] = env_family(STRATA);
	ASSERT_GE(self->family[1], 0) TH_LOG("the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	ASSERT_GE(self->nl, 0);
	setsockopt(self->nl, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

FIXTURE_TEARDOWN(many)
{
	close(self->nl);
}

/* all of a file, read in small pieces; its length, -1: no such file or longer than that */
static int small_reads(const char *dir, const char *file, char *all, int size)
{
	char path[128], chunk[97];
	int fd, n, len = 0;

	snprintf(path, sizeof(path), "%s%s", dir, file);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && len + n < size) {
		memcpy(all + len, chunk, n);
		len += n;
	}
	close(fd);
	all[len] = 0;
	return n ? -1 : len;
}

/* lines of /proc/net/tcp in state @st with local port PORT */
static int proc_lines(const char *dir, unsigned int st)
{
	static char all[400000];
	unsigned int port, state;
	int n = 0;

	if (small_reads(dir, "tcp", all, sizeof(all)) < 0)
		return -1;
	for (char *l = strchr(all, '\n'); l && l[1]; l = strchr(l + 1, '\n'))
		n += sscanf(l + 1, "%*d: %*x:%x %*x:%*x %x", &port, &state) == 2 && port == PORT &&
		     state == st;
	return n;
}

/* names of a dump's messages with local port PORT, in @cookie; how many, -errno */
static int dump_cookies(int nl, const struct nlmsghdr *nlh, uint64_t *cookie, int max)
{
	static char buf[65536];
	int n = 0, len;

	if (send(nl, nlh, nlh->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		len = recv(nl, buf, sizeof(buf), 0);
		if (len < 0)
			return -errno;
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, (unsigned int)len);
		     h = NLMSG_NEXT(h, len)) {
			const struct inet_diag_msg *m = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == NLMSG_DONE)
				return n;
			if (ntohs(m->id.idiag_sport) != PORT)
				continue;
			if (n < max)
				memcpy(&cookie[n], m->id.idiag_cookie, sizeof(*cookie));
			n++;
		}
	}
}

static int cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* the file and the dump have @want objects of state @st, each once */
static void each_once(struct __test_metadata *_metadata, const FIXTURE_DATA(many) *self, int s,
		      unsigned int st, int want)
{
	static uint64_t cookie[1000];
	char req[REQ_ROOM];
	int n, twice = 0;

	EXPECT_EQ(want, proc_lines(dirs[s], st)) TH_LOG("%s", who[s]);
	n = dump_cookies(self->nl, request(req, self->family[s], SOCK_DIAG_BY_FAMILY, NLM_F_DUMP,
					   IPPROTO_TCP, 1 << st), cookie, 1000);
	EXPECT_EQ(want, n) TH_LOG("%s", who[s]);
	ASSERT_TRUE(n >= 0 && n <= 1000);
	qsort(cookie, n, sizeof(cookie[0]), cmp_u64);
	for (int i = 1; i < n; i++)
		twice += cookie[i] == cookie[i - 1];
	EXPECT_EQ(0, twice) TH_LOG("%s", who[s]);
}

/* who defers accept() keeps its requests until data comes */
TEST_F_TIMEOUT(many, half_open, 120)
{
	enum { N = 300 };
	int lsk, fd[N], sec = 100;

	for (int s = 0; s < 2; s++) {
		lsk = socket(self->family[s], SOCK_STREAM, 0);
		ASSERT_GE(lsk, 0);
		ASSERT_EQ(0, setsockopt(lsk, IPPROTO_TCP, TCP_DEFER_ACCEPT, &sec, sizeof(sec)));
		ASSERT_EQ(0, env_bind(lsk, "127.0.0.1", PORT));
		ASSERT_EQ(0, listen(lsk, N + 10));
		for (int i = 0; i < N; i++) {
			fd[i] = socket(self->family[s], SOCK_STREAM, 0);
			ASSERT_EQ(0, env_connect(fd[i], "127.0.0.1", PORT)) TH_LOG("%d", i);
		}
		each_once(_metadata, self, s, TCP_SYN_RECV, N);
		each_once(_metadata, self, s, TCP_LISTEN, 1);
		for (int i = 0; i < N; i++)
			close(fd[i]);
		close(lsk);
	}
}

/* all in the same chain: they are read in portions */
TEST_F(many, listeners_of_one_port)
{
	enum { N = 100 };
	char addr[16];
	int fd[N];

	for (int s = 0; s < 2; s++) {
		for (int i = 0; i < N; i++) {
			snprintf(addr, sizeof(addr), "127.0.1.%d", i + 1);
			fd[i] = socket(self->family[s], SOCK_STREAM, 0);
			ASSERT_EQ(0, env_bind(fd[i], addr, PORT));
			ASSERT_EQ(0, listen(fd[i], 1));
		}
		each_once(_metadata, self, s, TCP_LISTEN, N);
		for (int i = 0; i < N; i++)
			close(fd[i]);
	}
}

/* add or delete 11.@i / 256.@i % 256.0/24; 0 or -errno */
static int route_do(int rtnl, int family, int type, int i)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		struct nlattr dst_a;
		uint32_t dst;
		struct nlattr oif_a;
		uint32_t oif;
	} m = {
		.h = { sizeof(m), type, NLM_F_REQUEST | NLM_F_ACK, 0, 0 },
		.r = { .rtm_family = family, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN,
		       .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_LINK,
		       .rtm_type = RTN_UNICAST },
		.dst_a = { 8, RTA_DST }, .dst = htonl(11 << 24 | i << 8),
		.oif_a = { 8, RTA_OIF }, .oif = if_nametoindex("v0"),
	};
	char ack[512];
	struct nlmsghdr *h = (void *)ack;

	if (type == RTM_NEWROUTE)
		m.h.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	if (send(rtnl, &m, sizeof(m), 0) < 0 || recv(rtnl, ack, sizeof(ack), 0) < 0)
		return -errno;
	return h->nlmsg_type == NLMSG_ERROR ? ((struct nlmsgerr *)NLMSG_DATA(h))->error : -EBADMSG;
}

enum { ROUTES = 1000 };

static bool routes_add(int rtnl, int family, const char *tool)
{
	if (env_run("ip link add v0 type veth peer name v1 && ip link set v0 up && "
		    "ip link set v1 up%s%s", "", "") ||
	    env_run("%s addr add 10.1.0.1/24 dev v0%s", tool, ""))
		return false;
	for (int i = 0; i < ROUTES; i++)
		/* in no order */
		if (route_do(rtnl, family, RTM_NEWROUTE, i * 1009 % ROUTES))
			return false;
	return true;
}

/* number of the route of a line of /proc/net/route, -1: another one */
static int route_of(const char *line)
{
	uint32_t dst;

	if (sscanf(line, "v0 %x", &dst) != 1 || ntohl(dst) >> 24 != 11)
		return -1;
	return (ntohl(dst) & 0xffffff) >> 8;
}

TEST_F_TIMEOUT(many, routes, 200)
{
	static const char * const tool[2] = { "ip -4", "strata" };
	int rtnl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	static char all[ROUTES * 160];

	for (int s = 0; s < 2; s++) {
		int next = 0;

		ASSERT_TRUE(routes_add(rtnl, self->family[s], tool[s])) TH_LOG("%s", who[s]);
		ASSERT_GT(small_reads(dirs[s], "route", all, sizeof(all)), 0);
		for (char *l = strchr(all, '\n'); l && l[1]; l = strchr(l + 1, '\n')) {
			int i = route_of(l + 1);

			if (i >= 0)
				ASSERT_EQ(next++, i) TH_LOG("%s", who[s]);
		}
		EXPECT_EQ(ROUTES, next) TH_LOG("%s", who[s]);
		ASSERT_EQ(0, env_run("ip link del v0%s%s", "", ""));
	}
	close(rtnl);
}

/* routes that go while somebody reads take no other from him, nor from a dump */
TEST_F_TIMEOUT(many, routes_that_go, 200)
{
	int rtnl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), gone = 0, next = 0, i;
	char line[256];
	FILE *f;

	ASSERT_TRUE(routes_add(rtnl, self->family[1], "strata"));
	f = fopen(STRATA_PROC "route", "r");
	ASSERT_TRUE(f && fgets(line, sizeof(line), f));
	setvbuf(f, NULL, _IOFBF, 1024);
	while (fgets(line, sizeof(line), f)) {
		i = route_of(line);
		if (i < 0)
			continue;
		ASSERT_EQ(next++, i);
		if (i % 20 == 10) {
			ASSERT_EQ(0, route_do(rtnl, self->family[1], RTM_DELROUTE, i - 5));
			gone++;
		}
	}
	EXPECT_EQ(ROUTES, next);
	EXPECT_EQ(ROUTES / 20, gone);
	fclose(f);
	close(rtnl);
}

TEST_HARNESS_MAIN
