// SPDX-License-Identifier: GPL-2.0-only
/*
 * sock_diag: dumps, filters, one socket, SOCK_DESTROY, and requests that are too short, lie
 * about their lengths or carry programs that must not run.
 */
#include <sys/resource.h>
#include "report_env.h"
#include "report_nl.h"

FIXTURE(diag) {
	int family, nl;
	struct trio t;
	char req[REQ_ROOM];
};

/* ask; number of messages, the first one in @first; -errno */
static int ask(int nl, struct nlmsghdr *nlh, struct inet_diag_msg *first, bool *has_info)
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
			struct nlattr *a = (void *)((char *)NLMSG_DATA(h) + sizeof(*first));

			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == NLMSG_DONE)
				return n;
			if (!n++ && first)
				memcpy(first, NLMSG_DATA(h), sizeof(*first));
			for (; has_info && (char *)a + 4 <= (char *)h + h->nlmsg_len;
			     a = (void *)((char *)a + NLA_ALIGN(a->nla_len)))
				*has_info |= a->nla_type == INET_DIAG_INFO &&
					     a->nla_len >= NLA_HDRLEN + 200;
			if (!(h->nlmsg_flags & NLM_F_MULTI))
				return n;
		}
	}
}

FIXTURE_SETUP(diag)
{
	struct timeval tv = { .tv_sec = 20 };

	self->family = env_family(STRATA);
	ASSERT_GE(self->family, 0) TH_LOG("the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	ASSERT_GE(self->nl, 0);
	setsockopt(self->nl, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ASSERT_TRUE(trio_open(&self->t, self->family, 8100));
}

FIXTURE_TEARDOWN(diag)
{
	trio_close(&self->t);
	close(self->nl);
}

#define DUMP(states)	request(self->req, self->family, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, \
				IPPROTO_TCP, states)

TEST_F(diag, dump_by_state_and_port)
{
	struct inet_diag_msg m;
	struct nlmsghdr *nlh;
	bool info = false;

	nlh = DUMP(~0U);
	REQ(nlh)->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	EXPECT_EQ(3, ask(self->nl, nlh, NULL, &info));
	EXPECT_TRUE(info);
	EXPECT_EQ(1, ask(self->nl, DUMP(1 << TCP_LISTEN), &m, NULL));
	EXPECT_EQ(TCP_LISTEN, m.idiag_state);
	EXPECT_EQ(8100, ntohs(m.id.idiag_sport));
	EXPECT_EQ(7, m.idiag_wqueue);
	EXPECT_EQ(2, ask(self->nl, DUMP(1 << TCP_ESTABLISHED), NULL, NULL));
	nlh = DUMP(~0U);
	REQ(nlh)->id.idiag_dport = htons(8100);
	EXPECT_EQ(1, ask(self->nl, nlh, &m, NULL));
	EXPECT_EQ(env_port(self->t.client), ntohs(m.id.idiag_sport));
	EXPECT_EQ(0, ask(self->nl, DUMP(1 << TCP_CLOSING), NULL, NULL));
}

static int filtered(int nl, struct nlmsghdr *nlh, const void *bc, int len)
{
	attr(nlh, INET_DIAG_REQ_BYTECODE, bc, len);
	return ask(nl, nlh, NULL, NULL);
}

TEST_F(diag, filters)
{
	struct inet_diag_bc_op sport[] = {
		{ INET_DIAG_BC_S_GE, 8, 20 }, { 0, 0, 8100 },
		{ INET_DIAG_BC_S_LE, 8, 12 }, { 0, 0, 8100 },
	};
	/* not (dport = 8100) */
	struct inet_diag_bc_op no_dport[] = {
		{ INET_DIAG_BC_D_EQ, 8, 12 }, { 0, 0, 8100 }, { INET_DIAG_BC_JMP, 4, 8 },
	};
	struct {
		struct inet_diag_bc_op o;
		struct inet_diag_hostcond c;
		uint32_t addr;
	} net = { { INET_DIAG_BC_D_COND, 16, 20 }, { AF_INET, 8, -1 }, htonl(0x7f000000) };

	EXPECT_EQ(2, filtered(self->nl, DUMP(~0U), sport, sizeof(sport)));
	EXPECT_EQ(2, filtered(self->nl, DUMP(~0U), no_dport, sizeof(no_dport)));
	EXPECT_EQ(2, filtered(self->nl, DUMP(~0U), &net, sizeof(net)));
	net.addr = htonl(0x0a000000);
	EXPECT_EQ(0, filtered(self->nl, DUMP(~0U), &net, sizeof(net)));
	net.c.prefix_len = 0;
	EXPECT_EQ(3, filtered(self->nl, DUMP(~0U), &net, sizeof(net)));
}

TEST_F(diag, programs_that_must_not_run)
{
	static const struct { struct inet_diag_bc_op o[3]; int len; } bad[] = {
		{ { { INET_DIAG_BC_S_GE, 8, 12 } }, 4 },		/* no operand */
		{ { { INET_DIAG_BC_S_GE, 4, 12 }, { 0, 0, 1 } }, 8 },	/* yes into it */
		{ { { INET_DIAG_BC_S_GE, 8, 4 }, { 0, 0, 1 } }, 8 },	/* no into it */
		{ { { INET_DIAG_BC_S_GE, 8, 0 }, { 0, 0, 1 } }, 8 },	/* for ever */
		{ { { INET_DIAG_BC_NOP, 0, 0 } }, 4 },			/* for ever */
		{ { { INET_DIAG_BC_NOP, 8, 0 } }, 4 },			/* beyond the end */
		{ { { INET_DIAG_BC_JMP, 4, 12 } }, 4 },			/* beyond the end */
		{ { { INET_DIAG_BC_JMP, 4, 6 } }, 4 },			/* crooked */
		{ { { INET_DIAG_BC_S_COND, 4, 8 } }, 4 },		/* no condition */
		{ { { INET_DIAG_BC_S_COND, 12, 16 }, { AF_INET, 24, 0 }, { 0 } }, 12 },
		{ { { INET_DIAG_BC_S_COND, 12, 16 }, { 77, 0, 0 }, { 0 } }, 12 },
		{ { { 200, 4, 8 } }, 4 },				/* unknown */
		{ { { INET_DIAG_BC_NOP, 4, 0 } }, 3 },			/* cut off */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, filtered(self->nl, DUMP(~0U), bad[i].o, bad[i].len))
			TH_LOG("program %zu", i);
	}
	EXPECT_EQ(3, ask(self->nl, DUMP(~0U), NULL, NULL));
}

TEST_F(diag, bad_requests)
{
	struct nlmsghdr *nlh;
	struct nlattr *nla;
	uint32_t proto = 255;

	for (int flags = 0; flags <= NLM_F_DUMP; flags += NLM_F_DUMP) {
		nlh = request(self->req, self->family, SOCK_DIAG_BY_FAMILY, flags,
			      IPPROTO_TCP, ~0U);
		nlh->nlmsg_len -= 4;
		EXPECT_EQ(-EINVAL, ask(self->nl, nlh, NULL, NULL));
		nlh = request(self->req, self->family, SOCK_DIAG_BY_FAMILY, flags,
			      IPPROTO_SCTP, ~0U);
		EXPECT_EQ(-ENOENT, ask(self->nl, nlh, NULL, NULL));
	}
	nlh = DUMP(~0U);
	attr(nlh, INET_DIAG_REQ_PROTOCOL, &proto, 2);
	EXPECT_EQ(-EINVAL, ask(self->nl, nlh, NULL, NULL));
	nlh = DUMP(~0U);
	attr(nlh, INET_DIAG_REQ_PROTOCOL, &proto, 4);
	EXPECT_EQ(-ENOENT, ask(self->nl, nlh, NULL, NULL));
	nlh = DUMP(~0U);
	nla = (void *)((char *)nlh + nlh->nlmsg_len);
	attr(nlh, INET_DIAG_REQ_BYTECODE, &proto, 4);
	nla->nla_len = 400;
	EXPECT_EQ(-EINVAL, ask(self->nl, nlh, NULL, NULL));
	/* what a newer tool may send */
	nlh = DUMP(~0U);
	attr(nlh, 99, &proto, 4);
	EXPECT_EQ(3, ask(self->nl, nlh, NULL, NULL));
}

/* ask for the listener, or end it, by what a dump said of it */
static int exact(int nl, char *buf, int family, int type, const struct inet_diag_msg *m)
{
	struct nlmsghdr *nlh = request(buf, family, type, type == SOCK_DESTROY ? NLM_F_ACK : 0,
				       IPPROTO_TCP, ~0U);

	REQ(nlh)->id = m->id;
	return ask(nl, nlh, NULL, NULL);
}

TEST_F(diag, one_socket_and_its_end)
{
	struct inet_diag_msg m, con;
	struct pollfd pfd = { .fd = self->t.lsk, .events = POLLIN };

	ASSERT_EQ(1, ask(self->nl, DUMP(1 << TCP_LISTEN), &m, NULL));
	EXPECT_EQ(1, exact(self->nl, self->req, self->family, SOCK_DIAG_BY_FAMILY, &m));
	m.id.idiag_cookie[0]++;
	EXPECT_EQ(-ESTALE, exact(self->nl, self->req, self->family, SOCK_DESTROY, &m));
	m.id.idiag_cookie[0]--;
	m.id.idiag_sport = htons(8101);
	EXPECT_EQ(-ENOENT, exact(self->nl, self->req, self->family, SOCK_DESTROY, &m));
	m.id.idiag_sport = htons(8100);
	EXPECT_EQ(0, exact(self->nl, self->req, self->family, SOCK_DESTROY, &m));
	EXPECT_EQ(1, poll(&pfd, 1, 1000));
	EXPECT_ERRNO(EINVAL, accept(self->t.lsk, NULL, NULL));

	ASSERT_EQ(2, ask(self->nl, DUMP(1 << TCP_ESTABLISHED), &con, NULL));
	EXPECT_EQ(1, exact(self->nl, self->req, self->family, SOCK_DIAG_BY_FAMILY, &con));
	EXPECT_EQ(0, exact(self->nl, self->req, self->family, SOCK_DESTROY, &con));
	EXPECT_EQ(ntohs(con.id.idiag_sport) == 8100 ? ECONNABORTED : ECONNRESET,
		  env_getopt(self->t.server, SOL_SOCKET, SO_ERROR));
}

TEST_F(diag, destroy_needs_the_capability)
{
	struct inet_diag_msg m;
	int status;
	pid_t pid;

	ASSERT_EQ(1, ask(self->nl, DUMP(1 << TCP_LISTEN), &m, NULL));
	pid = fork();
	if (!pid) {
		int nl;

		if (setuid(65534))
			_exit(1);
		nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
		_exit(exact(nl, self->req, self->family, SOCK_DESTROY, &m) == -EPERM &&
		      exact(nl, self->req, self->family, SOCK_DIAG_BY_FAMILY, &m) == 1 ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(diag, time_wait_can_be_ended)
{
	struct inet_diag_msg m;

	shutdown(self->t.client, SHUT_WR);
	shutdown(self->t.server, SHUT_WR);
	usleep(300000);
	ASSERT_EQ(1, ask(self->nl, DUMP(1 << TCP_TIME_WAIT), &m, NULL));
	EXPECT_EQ(3, m.idiag_timer);
	EXPECT_LE(m.idiag_expires, 60000);
	EXPECT_EQ(0, exact(self->nl, self->req, self->family, SOCK_DESTROY, &m));
	EXPECT_EQ(0, ask(self->nl, DUMP(1 << TCP_TIME_WAIT), NULL, NULL));
}

TEST_F(diag, two_thousand)
{
	enum { N = 2000 };
	static int fd[N];
	struct nlmsghdr *nlh;

	for (int i = 0; i < N; i++) {
		fd[i] = socket(self->family, SOCK_DGRAM, 0);
		ASSERT_GE(fd[i], 0);
		ASSERT_EQ(0, env_bind(fd[i], "127.0.0.1", 0));
	}
	nlh = request(self->req, self->family, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, IPPROTO_UDP, ~0U);
	REQ(nlh)->idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
	EXPECT_EQ(N, ask(self->nl, nlh, NULL, NULL));
	for (int i = 0; i < N; i++)
		close(fd[i]);
	nlh = request(self->req, self->family, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, IPPROTO_UDP, ~0U);
	EXPECT_EQ(0, ask(self->nl, nlh, NULL, NULL));
}

/* the test opens more descriptors than a shell gives */
__attribute__((constructor)) static void many_files(void)
{
	struct rlimit lim = { 4096, 4096 };

	setrlimit(RLIMIT_NOFILE, &lim);
}

TEST_HARNESS_MAIN
