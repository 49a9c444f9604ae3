// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sock_diag says of a socket: struct inet_diag_msg and each attribute, of TCP, UDP and ping
 * sockets, after the same was done on both stacks (native has no messages of ping sockets). And
 * SOCK_DESTROY of sockets without a connection: whoever waits for them is told.
 */
#include <stddef.h>

#include "report_env.h"
#include "report_nl.h"

#define LO	"127.0.0.1"
#define ME	1234	/* whose the sockets are */
#define MARK	0x77
#define PRIO	5
#define TOS	0x28

FIXTURE(msg) {
	int family[2];	/* native, Strata */
	int nl;
};

static const char * const who[2] = { "native", "Strata" };

FIXTURE_SETUP(msg)
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

FIXTURE_TEARDOWN(msg)
{
	close(self->nl);
}

/* my socket with a value in each option that is reported */
static int my_socket(int family, int type, int proto)
{
	int fd;

	if (seteuid(ME))
		return -1;
	fd = socket(family, type, proto);
	if (seteuid(0))
		return -1;
	if (env_setopt(fd, SOL_IP, IP_TOS, TOS) || env_setopt(fd, SOL_SOCKET, SO_PRIORITY, PRIO) ||
	    env_setopt(fd, SOL_SOCKET, SO_MARK, MARK) ||
	    env_setopt(fd, SOL_SOCKET, SO_SNDBUF, 60000) ||
	    env_setopt(fd, SOL_SOCKET, SO_RCVBUF, 50000) ||
	    env_setopt(fd, SOL_IP, IP_RECVERR, 1) || env_setopt(fd, SOL_IP, IP_FREEBIND, 1) ||
	    env_setopt(fd, SOL_IP, IP_RECVERR_RFC4884, 1) ||
	    env_setopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3))
		return -1;
	return fd;
}

static uint64_t cookie_of(int fd)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 : cookie;
}

/* what any message about @fd must say, and its memory twice the same */
static void is_of(struct __test_metadata *_metadata, const char *what, int family, int fd,
		  const struct msg *msg)
{
	const uint32_t *mem = msg->attr[INET_DIAG_MEMINFO].u32;	/* rmem, wmem, fmem, tmem */
	const uint32_t *sk = msg->attr[INET_DIAG_SKMEMINFO].u32;
	const struct inet_diag_msg *m = &msg->m;
	uint64_t cookie;
	struct stat st;

	memcpy(&cookie, m->id.idiag_cookie, sizeof(cookie));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(family, m->idiag_family) TH_LOG("%s", what);
	EXPECT_EQ(st.st_ino, m->idiag_inode) TH_LOG("%s", what);
	EXPECT_EQ(cookie_of(fd), cookie) TH_LOG("%s", what);
	EXPECT_EQ(env_port(fd), ntohs(m->id.idiag_sport)) TH_LOG("%s", what);
	EXPECT_EQ(htonl(INADDR_LOOPBACK), m->id.idiag_src[0]) TH_LOG("%s", what);
	EXPECT_EQ(sizeof(struct inet_diag_meminfo), msg->len[INET_DIAG_MEMINFO]);
	EXPECT_GE(msg->len[INET_DIAG_SKMEMINFO], SK_MEMINFO_VARS * 4);
	EXPECT_EQ(mem[0], sk[SK_MEMINFO_RMEM_ALLOC]) TH_LOG("%s", what);
	EXPECT_EQ(mem[1], sk[SK_MEMINFO_WMEM_QUEUED]) TH_LOG("%s", what);
	EXPECT_EQ(mem[2], sk[SK_MEMINFO_FWD_ALLOC]) TH_LOG("%s", what);
	EXPECT_EQ(mem[3], sk[SK_MEMINFO_WMEM_ALLOC]) TH_LOG("%s", what);
	EXPECT_EQ(env_getopt(fd, SOL_SOCKET, SO_RCVBUF), sk[SK_MEMINFO_RCVBUF]);
	EXPECT_EQ(env_getopt(fd, SOL_SOCKET, SO_SNDBUF), sk[SK_MEMINFO_SNDBUF]);
	EXPECT_EQ(0, sk[SK_MEMINFO_OPTMEM]) TH_LOG("%s", what);
	EXPECT_EQ(0, sk[SK_MEMINFO_BACKLOG]) TH_LOG("%s", what);
}

/* ... and what it says of a socket of my_socket() */
static void is_mine(struct __test_metadata *_metadata, const char *what, bool tcp,
		    const struct msg *msg)
{
	const struct inet_diag_sockopt *opt = (void *)msg->attr[INET_DIAG_SOCKOPT].data;

	EXPECT_EQ(ME, msg->m.idiag_uid) TH_LOG("%s", what);
	EXPECT_EQ(1, msg->m.id.idiag_if) TH_LOG("%s", what);
	EXPECT_EQ(1, msg->len[INET_DIAG_TOS]) TH_LOG("%s", what);
	EXPECT_EQ(TOS, msg->attr[INET_DIAG_TOS].u8) TH_LOG("%s", what);
	EXPECT_EQ(4, msg->len[INET_DIAG_MARK]) TH_LOG("%s", what);
	EXPECT_EQ(MARK, msg->attr[INET_DIAG_MARK].u32[0]) TH_LOG("%s", what);
	EXPECT_EQ(4, msg->len[INET_DIAG_CLASS_ID]) TH_LOG("%s", what);
	EXPECT_EQ(PRIO, msg->attr[INET_DIAG_CLASS_ID].u32[0]) TH_LOG("%s", what);
	EXPECT_EQ(sizeof(*opt), msg->len[INET_DIAG_SOCKOPT]) TH_LOG("%s", what);
	EXPECT_TRUE(!!opt->recverr) TH_LOG("%s", what);
	EXPECT_EQ(tcp, !!opt->is_icsk) TH_LOG("%s", what);
	EXPECT_TRUE(!!opt->freebind) TH_LOG("%s", what);
	EXPECT_TRUE(!!opt->bind_address_no_port) TH_LOG("%s", what);
}

/* what two messages about sockets of which the same is true have alike */
static void alike(struct __test_metadata *_metadata, const char *what, const struct msg *n,
		  const struct msg *o)
{
	static const int same[] = { INET_DIAG_SHUTDOWN, INET_DIAG_TOS, INET_DIAG_MARK,
				    INET_DIAG_CLASS_ID, INET_DIAG_CGROUP_ID, INET_DIAG_CONG };
	const struct inet_diag_sockopt *n_opt = (void *)n->attr[INET_DIAG_SOCKOPT].data;
	struct inet_diag_sockopt opt;

	EXPECT_EQ(n->m.idiag_state, o->m.idiag_state) TH_LOG("%s", what);
	EXPECT_EQ(n->m.idiag_timer, o->m.idiag_timer) TH_LOG("%s", what);
	EXPECT_EQ(n->m.idiag_retrans, o->m.idiag_retrans) TH_LOG("%s", what);
	EXPECT_EQ(n->m.id.idiag_dport, o->m.id.idiag_dport) TH_LOG("%s", what);
	EXPECT_EQ(n->m.id.idiag_dst[0], o->m.id.idiag_dst[0]) TH_LOG("%s", what);
	EXPECT_EQ(n->m.id.idiag_if, o->m.id.idiag_if) TH_LOG("%s", what);
	EXPECT_EQ(n->m.idiag_uid, o->m.idiag_uid) TH_LOG("%s", what);
	for (int i = 0; i < ATTRS; i++) {
		if (i == INET_DIAG_PAD)
			continue;
		EXPECT_EQ(n->len[i], o->len[i]) TH_LOG("%s: attribute %d", what, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		EXPECT_EQ(0, memcmp(n->attr[same[i]].data, o->attr[same[i]].data, ATTR_ROOM))
			TH_LOG("%s: attribute %d", what, same[i]);
	}
	/* which Strata has not: IP_MULTICAST_ALL */
	memcpy(&opt, o->attr[INET_DIAG_SOCKOPT].data, sizeof(opt));
	opt.mc_all = n_opt->mc_all;
	EXPECT_EQ(0, memcmp(n_opt, &opt, sizeof(opt))) TH_LOG("%s: SOCKOPT", what);
}

/* ---- TCP ---- */

/* the attribute says what TCP_INFO does */
static void info_is(struct __test_metadata *_metadata, const char *what, int fd,
		    const struct msg *msg)
{
	const struct tcp_info *in = (void *)msg->attr[INET_DIAG_INFO].data;
	struct tcp_info own;
	socklen_t len = sizeof(own);

	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &own, &len));
	EXPECT_GE(msg->len[INET_DIAG_INFO], len);
	/* state and options, times of the connection, segments now; not when what happened */
	EXPECT_EQ(0, memcmp(in, &own, offsetof(struct tcp_info, tcpi_last_data_sent)))
		TH_LOG("%s", what);
	EXPECT_EQ(own.tcpi_pmtu, in->tcpi_pmtu) TH_LOG("%s", what);
	EXPECT_EQ(own.tcpi_rtt, in->tcpi_rtt) TH_LOG("%s", what);
	EXPECT_EQ(own.tcpi_snd_cwnd, in->tcpi_snd_cwnd) TH_LOG("%s", what);
	EXPECT_EQ(own.tcpi_rcv_space, in->tcpi_rcv_space) TH_LOG("%s", what);
	EXPECT_EQ(own.tcpi_total_retrans, in->tcpi_total_retrans) TH_LOG("%s", what);
}

/* each side of a half-closed connection, the client's octets still with the server */
static void tcp_pair(struct __test_metadata *_metadata, const FIXTURE_DATA(msg) *self, int s,
		     struct msg *client, struct msg *server)
{
	int family = self->family[s], port = 9507;
	char data[3000] = "";
	struct trio t;

	t.lsk = socket(family, SOCK_STREAM, 0);
	ASSERT_EQ(0, env_bind(t.lsk, LO, 9500));
	ASSERT_EQ(0, listen(t.lsk, 7));
	t.client = my_socket(family, SOCK_STREAM, 0);
	ASSERT_GE(t.client, 0);
	ASSERT_EQ(0, setsockopt(t.client, SOL_TCP, TCP_CONGESTION, "reno", 4));
	ASSERT_EQ(0, env_bind(t.client, LO, port));
	ASSERT_EQ(0, env_connect(t.client, LO, 9500));
	t.server = accept(t.lsk, NULL, NULL);
	ASSERT_EQ(sizeof(data), send(t.client, data, sizeof(data), 0));
	ASSERT_EQ(0, shutdown(t.client, SHUT_WR));
	usleep(300000);
	ASSERT_EQ(1, msg_get(self->nl, family, IPPROTO_TCP, port, 9500, client));
	ASSERT_EQ(1, msg_get(self->nl, family, IPPROTO_TCP, 9500, port, server));
	is_of(_metadata, who[s], family, t.client, client);
	is_of(_metadata, who[s], family, t.server, server);
	is_mine(_metadata, who[s], true, client);
	info_is(_metadata, who[s], t.client, client);
	info_is(_metadata, who[s], t.server, server);

	EXPECT_EQ(SHUT_WR + 1, client->attr[INET_DIAG_SHUTDOWN].u8) TH_LOG("%s", who[s]);
	EXPECT_EQ(SHUT_RD + 1, server->attr[INET_DIAG_SHUTDOWN].u8) TH_LOG("%s", who[s]);
	EXPECT_STREQ("reno", (char *)client->attr[INET_DIAG_CONG].data) TH_LOG("%s", who[s]);
	EXPECT_STREQ("cubic", (char *)server->attr[INET_DIAG_CONG].data) TH_LOG("%s", who[s]);
	EXPECT_EQ(TCP_FIN_WAIT2, client->m.idiag_state) TH_LOG("%s", who[s]);
	EXPECT_EQ(TCP_CLOSE_WAIT, server->m.idiag_state) TH_LOG("%s", who[s]);
	/* the FIN may count: whatever native does */
	EXPECT_GE(server->m.idiag_rqueue, sizeof(data)) TH_LOG("%s", who[s]);
	EXPECT_LE(server->m.idiag_rqueue, sizeof(data) + 1) TH_LOG("%s", who[s]);
	EXPECT_EQ(0, server->m.idiag_wqueue) TH_LOG("%s", who[s]);
	EXPECT_EQ(0, client->m.idiag_wqueue) TH_LOG("%s", who[s]);
	EXPECT_EQ(0, client->attr[INET_DIAG_MEMINFO].u32[0]) TH_LOG("%s", who[s]);
	EXPECT_GE(server->attr[INET_DIAG_MEMINFO].u32[0], sizeof(data)) TH_LOG("%s", who[s]);
	EXPECT_LE(server->attr[INET_DIAG_MEMINFO].u32[0], 5 * sizeof(data)) TH_LOG("%s", who[s]);
	trio_close(&t);
}

TEST_F(msg, tcp)
{
	static struct msg client[2], server[2];

	for (int s = 0; s < 2; s++)
		tcp_pair(_metadata, self, s, &client[s], &server[s]);
	alike(_metadata, "client", &client[0], &client[1]);
	alike(_metadata, "server", &server[0], &server[1]);
	EXPECT_EQ(server[0].m.idiag_rqueue, server[1].m.idiag_rqueue);
}

/* ---- UDP and ping ---- */

/* what waits is counted: @queued datagrams of @len octets */
static void dgram_queue(struct __test_metadata *_metadata, const char *what, int queued, int len,
			const struct msg *msg)
{
	EXPECT_EQ(msg->attr[INET_DIAG_MEMINFO].u32[0], msg->m.idiag_rqueue) TH_LOG("%s", what);
	EXPECT_GE(msg->m.idiag_rqueue, queued * len) TH_LOG("%s", what);
	EXPECT_LE(msg->m.idiag_rqueue, queued * (len + 4096)) TH_LOG("%s", what);
	EXPECT_EQ(0, msg->m.idiag_wqueue) TH_LOG("%s", what);
	EXPECT_EQ(0, msg->m.idiag_timer) TH_LOG("%s", what);
	EXPECT_EQ(0, msg->m.idiag_expires) TH_LOG("%s", what);
}

TEST_F(msg, udp)
{
	static struct msg rcv[2], snd[2], full;

	for (int s = 0; s < 2; s++) {
		int family = self->family[s], in, out, got = 0;
		char data[1000] = "";

		in = my_socket(family, SOCK_DGRAM, 0);
		out = socket(family, SOCK_DGRAM, 0);
		ASSERT_EQ(0, env_bind(in, LO, 9501));
		ASSERT_EQ(0, env_bind(out, LO, 9502));
		ASSERT_EQ(0, env_connect(out, LO, 9501));
		for (int i = 0; i < 3; i++)
			ASSERT_EQ(sizeof(data), send(out, data, sizeof(data), 0));
		usleep(100000);
		ASSERT_EQ(1, msg_get(self->nl, family, IPPROTO_UDP, 9501, 0, &rcv[s]));
		ASSERT_EQ(1, msg_get(self->nl, family, IPPROTO_UDP, 9502, 9501, &snd[s]));
		is_of(_metadata, who[s], family, in, &rcv[s]);
		is_of(_metadata, who[s], family, out, &snd[s]);
		is_mine(_metadata, who[s], false, &rcv[s]);
		dgram_queue(_metadata, who[s], 3, sizeof(data), &rcv[s]);
		dgram_queue(_metadata, who[s], 0, 0, &snd[s]);
		EXPECT_EQ(TCP_CLOSE, rcv[s].m.idiag_state) TH_LOG("%s", who[s]);
		EXPECT_EQ(TCP_ESTABLISHED, snd[s].m.idiag_state) TH_LOG("%s", who[s]);
		EXPECT_EQ(0, rcv[s].attr[INET_DIAG_SKMEMINFO].u32[SK_MEMINFO_DROPS]);

		ASSERT_EQ(0, env_setopt(in, SOL_SOCKET, SO_RCVBUF, 1));
		for (int i = 0; i < 20; i++)
			ASSERT_EQ(sizeof(data), send(out, data, sizeof(data), 0));
		usleep(100000);
		ASSERT_EQ(1, msg_get(self->nl, family, IPPROTO_UDP, 9501, 0, &full));
		while (recv(in, data, sizeof(data), MSG_DONTWAIT) == sizeof(data))
			got++;
		EXPECT_LT(got, 23) TH_LOG("%s", who[s]);
		EXPECT_EQ(23 - got, full.attr[INET_DIAG_SKMEMINFO].u32[SK_MEMINFO_DROPS]);
		close(in);
		close(out);
	}
	alike(_metadata, "receiver", &rcv[0], &rcv[1]);
	alike(_metadata, "sender", &snd[0], &snd[1]);
}

/* only Strata has them: as UDP's, the identifier for a port */
TEST_F(msg, ping)
{
	static const unsigned char echo[1000] = { 8 };
	int family = self->family[1];
	static struct msg open, connected;
	int fd;

	ASSERT_EQ(0, env_run("echo 0 2147483647 > /proc/sys/net/%s/ping_group_range%s", "strata", ""));
	fd = my_socket(family, SOCK_DGRAM, IPPROTO_ICMP);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, env_bind(fd, LO, 9503));
	ASSERT_EQ(1, msg_get(self->nl, family, IPPROTO_ICMP, 9503, 0, &open));
	ASSERT_EQ(0, env_connect(fd, LO, 0));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(sizeof(echo), send(fd, echo, sizeof(echo), 0));
	usleep(100000);
	ASSERT_EQ(1, msg_get(self->nl, family, IPPROTO_ICMP, 9503, 0, &connected));
	is_of(_metadata, "open", family, fd, &open);
	is_mine(_metadata, "open", false, &open);
	is_of(_metadata, "connected", family, fd, &connected);
	is_mine(_metadata, "connected", false, &connected);
	dgram_queue(_metadata, "open", 0, 0, &open);
	dgram_queue(_metadata, "connected", 3, sizeof(echo), &connected);
	EXPECT_EQ(TCP_CLOSE, open.m.idiag_state);
	EXPECT_EQ(TCP_ESTABLISHED, connected.m.idiag_state);
	EXPECT_EQ(0, open.m.id.idiag_dst[0]);
	EXPECT_EQ(htonl(INADDR_LOOPBACK), connected.m.id.idiag_dst[0]);
	/* to others it is none */
	EXPECT_EQ(0, msg_get(self->nl, family, IPPROTO_UDP, 9503, 0, &open));
	EXPECT_EQ(0, msg_get(self->nl, family, IPPROTO_TCP, 9503, 0, &open));
	close(fd);
	EXPECT_EQ(0, msg_get(self->nl, family, IPPROTO_ICMP, 9503, 0, &open));
}

/* everything but the mark is for all */
TEST_F(msg, marks_need_the_capability)
{
	for (int s = 0; s < 2; s++) {
		int family = self->family[s], status, fd = my_socket(family, SOCK_DGRAM, 0);
		static struct msg all, less;
		pid_t pid;

		ASSERT_EQ(0, env_bind(fd, LO, 9504));
		ASSERT_EQ(1, msg_get(self->nl, family, IPPROTO_UDP, 9504, 0, &all));
		pid = fork();
		if (!pid) {
			int nl, marks = 0, others = 0;

			if (setuid(65534))
				_exit(1);
			nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
			if (msg_get(nl, family, IPPROTO_UDP, 9504, 0, &less) != 1)
				_exit(2);
			for (int i = 0; i < ATTRS; i++) {
				bool differ = less.len[i] != all.len[i];

				if (i != INET_DIAG_PAD)
					*(i == INET_DIAG_MARK ? &marks : &others) += differ;
			}
			_exit(less.len[INET_DIAG_MARK] != -1 || marks != 1 ? 3 :
			      others || less.m.idiag_uid != ME ? 4 : 0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status) TH_LOG("%s", who[s]);
		close(fd);
	}
}

/* ---- SOCK_DESTROY ---- */

/* a child that waits for @fd: in recv(), which is to fail, or in poll(); 0: as it should */
static pid_t waiter(int fd, bool polls)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	pid_t pid = fork();
	char c;

	if (pid) {
		usleep(300000);
		return pid;
	}
	alarm(60);
	if (polls)
		_exit(poll(&pfd, 1, 20000) == 1 && (pfd.revents & POLLERR) ? 0 : 1);
	_exit(recv(fd, &c, 1, 0) == -1 && errno == ECONNABORTED ? 0 : 2);
}

static void destroy(struct __test_metadata *_metadata, const FIXTURE_DATA(msg) *self, int s,
		    int proto, bool polls, bool bound)
{
	int family = self->family[s], fd, other, port, rport = proto == IPPROTO_UDP ? 9505 : 0;
	struct pollfd pfd = { .events = POLLIN };
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	static struct msg msg;
	int status;
	pid_t pid;

	fd = socket(family, SOCK_DGRAM, proto);
	other = socket(family, SOCK_DGRAM, proto);
	/* (ping sockets share ids unless one of them will not) */
	ASSERT_EQ(0, env_setopt(other, SOL_SOCKET, SO_REUSEADDR, 0));
	if (bound)
		ASSERT_EQ(0, env_bind(fd, LO, 9506));
	ASSERT_EQ(0, env_connect(fd, LO, rport));
	port = env_port(fd);
	pid = waiter(fd, polls);
	ASSERT_EQ(1, msg_get(self->nl, family, proto, port, rport, &msg)) TH_LOG("%s", who[s]);
	msg.m.id.idiag_cookie[0]++;
	/* (native: ESTALE of TCP only) */
	EXPECT_EQ(s ? -ESTALE : -ENOENT, msg_destroy(self->nl, family, proto, &msg.m));
	msg.m.id.idiag_cookie[0]--;
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	EXPECT_ERRNO(EADDRINUSE, env_bind(other, LO, port));
	EXPECT_EQ(0, msg_destroy(self->nl, family, proto, &msg.m)) TH_LOG("%s", who[s]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) TH_LOG("%s, protocol %d: %s", who[s], proto, polls ? "poll" : "recv");

	/* the error is told once: recv() had it, poll() only saw it */
	pfd.fd = fd;
	EXPECT_EQ(polls, poll(&pfd, 1, 0)) TH_LOG("%s", who[s]);
	EXPECT_EQ(polls ? ECONNABORTED : 0, env_getopt(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(0, poll(&pfd, 1, 0)) TH_LOG("%s", who[s]);
	EXPECT_ERRNO(ENOTCONN, getpeername(fd, (struct sockaddr *)&sin, &len));
	EXPECT_EQ(0, msg_get(self->nl, family, proto, port, 9505, &msg)) TH_LOG("%s", who[s]);
	/* what bind() gave stays, as after a disconnect; else the port is free */
	if (bound) {
		EXPECT_ERRNO(EADDRINUSE, env_bind(other, LO, port));
		EXPECT_EQ(1, msg_get(self->nl, family, proto, port, 0, &msg));
		EXPECT_EQ(TCP_CLOSE, msg.m.idiag_state) TH_LOG("%s", who[s]);
		EXPECT_EQ(0, msg.m.id.idiag_dst[0]) TH_LOG("%s", who[s]);
	} else {
		EXPECT_EQ(0, msg_get(self->nl, family, proto, port, 0, &msg));
		EXPECT_EQ(0, env_bind(other, LO, port)) TH_LOG("%s", who[s]);
	}
	close(fd);
	close(other);
}

TEST_F_TIMEOUT(msg, udp_destroyed, 120)
{
	for (int s = 0; s < 2; s++) {
		destroy(_metadata, self, s, IPPROTO_UDP, false, false);
		destroy(_metadata, self, s, IPPROTO_UDP, true, false);
		destroy(_metadata, self, s, IPPROTO_UDP, false, true);
	}
}

TEST_F_TIMEOUT(msg, ping_destroyed, 120)
{
	destroy(_metadata, self, 1, IPPROTO_ICMP, false, false);
	destroy(_metadata, self, 1, IPPROTO_ICMP, true, false);
	destroy(_metadata, self, 1, IPPROTO_ICMP, false, true);
}

/* a filter by cgroup: a socket's is said in its message; nothing else has one */
TEST_F(msg, cgroup_filter)
{
	struct {
		struct inet_diag_bc_op op;
		uint64_t id;
	} __attribute__((packed)) bc = { { INET_DIAG_BC_CGROUP_COND, 12, 16 }, 0 };
	char req[REQ_ROOM];

	for (int s = 0; s < 2; s++) {
		int lsk = my_socket(self->family[s], SOCK_STREAM, 0), n;
		struct nlmsghdr *nlh;
		struct msg m;

		ASSERT_EQ(0, env_bind(lsk, "127.0.0.1", 8290));
		ASSERT_EQ(0, listen(lsk, 1));
		ASSERT_EQ(1, msg_get(self->nl, self->family[s], IPPROTO_TCP, 8290, 0, &m));
		if (m.len[INET_DIAG_CGROUP_ID] != 8)
			SKIP(return, "this kernel knows no cgroups of sockets");
		memcpy(&bc.id, m.attr[INET_DIAG_CGROUP_ID].data, 8);
		for (int other = 0; other < 2; other++) {
			bc.id += other;
			nlh = request(req, self->family[s], SOCK_DIAG_BY_FAMILY, NLM_F_DUMP,
				      IPPROTO_TCP, ~0U);
			attr(nlh, INET_DIAG_REQ_BYTECODE, &bc, sizeof(bc));
			n = msg_ask(self->nl, nlh, 8290, 0, &m);
			EXPECT_EQ(!other, n) TH_LOG("%s", who[s]);
		}
		/* no room for the number */
		nlh = request(req, self->family[s], SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, IPPROTO_TCP,
			      ~0U);
		bc.op.yes = 8;
		attr(nlh, INET_DIAG_REQ_BYTECODE, &bc, 8);
		EXPECT_EQ(-EINVAL, msg_ask(self->nl, nlh, 8290, 0, &m)) TH_LOG("%s", who[s]);
		bc.op.yes = 12;
		close(lsk);
	}
}

TEST_HARNESS_MAIN
