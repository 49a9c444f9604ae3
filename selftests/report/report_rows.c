// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP's rows of /proc/net/strata/tcp, and the messages of sock_diag about the same sockets:
 * the same is done on both stacks, then each column and each member says the same as native's.
 * Where a timer runs, the time it will fire counts from the step before, not from the reading.
 *
 * The client's namespace and the server's have a link between them, with addresses of each
 * stack; one end of it loses everything while a test wants nobody to answer.
 */
#include "report_env.h"
#include "report_nl.h"

#define PORT		9400
#define MY_PORT		9401	/* the client's */
#define ME		1234	/* whose listener and client are */
#define TICK_MS		10
#define MARK		0x77

enum { HERE, THERE };		/* the client's side, the server's */

FIXTURE(rows) {
	int family[2];		/* native, Strata */
	int netns[2], nl[2];	/* of each side */
};

static const char * const dirs[2] = { NATIVE_PROC, STRATA_PROC };
static const char * const who[2] = { "native", "Strata" };
static const char * const address[2][2] = { { "10.1.0.1", "10.1.0.2" },
					    { "10.2.0.1", "10.2.0.2" } };
static const char * const dev[2] = { "va", "vb" };

static int enter(const FIXTURE_DATA(rows) *self, int side)
{
	return setns(self->netns[side], CLONE_NEWNET);
}

/* addresses of both stacks */
static bool configure(int side)
{
	return !env_run("ip addr add %s/24 dev %s", address[0][side], dev[side]) &&
	       !env_run("ip link set %s up%s", dev[side], "") &&
	       !env_run("strata addr add %s/24 dev %s", address[1][side], dev[side]) &&
	       /* what a case leaves open would go on trying for two minutes */
	       !env_run("sysctl -qw net.strata.tcp_orphan_retries=1 net.ipv4.tcp_orphan_retries=1%s%s",
			"", "");
}

FIXTURE_SETUP(rows)
{
	struct timeval tv = { .tv_sec = 20 };
	char here[32];

	self->family[0] = AF_INET;
	self->family[1] = env_family(STRATA);
	ASSERT_GE(self->family[1], 0) TH_LOG("the module is not loaded");
	for (int side = HERE; side <= THERE; side++) {
		ASSERT_EQ(0, env_unshare());
		self->netns[side] = open("/proc/thread-self/ns/net", O_RDONLY);
		ASSERT_GE(self->netns[side], 0);
		self->nl[side] = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
		ASSERT_GE(self->nl[side], 0);
		setsockopt(self->nl[side], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	}
	snprintf(here, sizeof(here), "/proc/self/fd/%d", self->netns[HERE]);
	ASSERT_EQ(0, env_run("ip link add vb type veth peer name va netns %s%s", here, ""));
	ASSERT_TRUE(configure(THERE));
	ASSERT_EQ(0, enter(self, HERE));
	ASSERT_TRUE(configure(HERE));
}

FIXTURE_TEARDOWN(rows)
{
	for (int side = HERE; side <= THERE; side++) {
		close(self->nl[side]);
		close(self->netns[side]);
	}
}

/* ---- what is read ---- */

struct row {
	unsigned int laddr, lport, raddr, rport, state, tx, rx, timer, retrans, uid;
	unsigned long when, inode, rto, ato;	/* times in ticks */
	int probes, ref, ssthresh;
	unsigned int quick, cwnd;
	int columns;	/* so many of these were there */
};

/* the line of /proc/.../tcp with these ports */
static bool row_get(const char *dir, unsigned int lport, unsigned int rport, struct row *r)
{
	char path[64], buf[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%stcp", dir);
	f = fopen(path, "r");
	while (f && !found && fgets(buf, sizeof(buf), f)) {
		memset(r, 0, sizeof(*r));
		r->columns = sscanf(buf, "%*d: %x:%x %x:%x %x %x:%x %x:%lx %x %u %d %lu %d %*s "
				    "%lu %lu %u %u %d", &r->laddr, &r->lport, &r->raddr,
				    &r->rport, &r->state, &r->tx, &r->rx, &r->timer, &r->when,
				    &r->retrans, &r->uid, &r->probes, &r->inode, &r->ref, &r->rto,
				    &r->ato, &r->quick, &r->cwnd, &r->ssthresh);
		found = r->columns >= 14 && r->lport == lport && r->rport == rport;
	}
	if (f)
		fclose(f);
	return found;
}

struct shot {
	struct row r;
	struct msg m;
};

static unsigned long inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* is it found by its mark, and by no other? */
static bool by_mark(const FIXTURE_DATA(rows) *self, int s, int side, int rport)
{
	struct {
		struct inet_diag_bc_op op;
		struct inet_diag_markcond mark;
	} bc = { { INET_DIAG_BC_MARK_COND, 12, 16 }, { MARK, ~0U } };
	int lport = side == HERE ? MY_PORT : PORT, found[2];
	static struct msg msg;
	char req[REQ_ROOM];

	for (int i = 0; i < 2; i++, bc.mark.mark++) {
		struct nlmsghdr *nlh = request(req, self->family[s], SOCK_DIAG_BY_FAMILY,
					       NLM_F_DUMP, IPPROTO_TCP, ~0U);

		attr(nlh, INET_DIAG_REQ_BYTECODE, &bc, sizeof(bc));
		found[i] = msg_ask(self->nl[side], nlh, lport, rport, &msg);
	}
	return found[0] == 1 && !found[1];
}

/*
 * The socket with this port and that peer: @side's in its namespace, whose times count from
 * @t0 on; @fd: the socket, -1: nobody has it
 */
static void take(struct __test_metadata *_metadata, const FIXTURE_DATA(rows) *self, int s,
		 int side, int rport, int fd, int64_t t0, struct shot *shot)
{
	in_addr_t laddr = inet_addr(address[s][side]);
	in_addr_t raddr = rport ? inet_addr(address[s][!side]) : 0;
	int lport = side == HERE ? MY_PORT : PORT;
	struct inet_diag_msg *m = &shot->m.m;
	struct row *r = &shot->r;

	ASSERT_EQ(0, enter(self, side));
	ASSERT_EQ(1, msg_get(self->nl[side], self->family[s], IPPROTO_TCP, lport, rport,
			     &shot->m)) TH_LOG("%s", who[s]);
	if (m->idiag_timer)
		m->idiag_expires += env_ms() - t0;
	ASSERT_TRUE(row_get(dirs[s], lport, rport, r)) TH_LOG("%s", who[s]);
	if (r->timer)
		r->when += (env_ms() - t0) / TICK_MS;
	ASSERT_EQ(0, enter(self, HERE));

	/* what is so on any stack */
	EXPECT_EQ(laddr, r->laddr) TH_LOG("%s", who[s]);
	EXPECT_EQ(raddr, r->raddr) TH_LOG("%s", who[s]);
	EXPECT_EQ(inode_of(fd), r->inode) TH_LOG("%s", who[s]);
	EXPECT_EQ(r->inode, m->idiag_inode) TH_LOG("%s", who[s]);
	EXPECT_EQ(self->family[s], m->idiag_family) TH_LOG("%s", who[s]);
	EXPECT_EQ(r->state, m->idiag_state) TH_LOG("%s", who[s]);
	EXPECT_EQ(r->timer, m->idiag_timer) TH_LOG("%s", who[s]);
	EXPECT_EQ(laddr, m->id.idiag_src[0]) TH_LOG("%s", who[s]);
	EXPECT_EQ(raddr, m->id.idiag_dst[0]) TH_LOG("%s", who[s]);
	EXPECT_TRUE(by_mark(self, s, side, rport)) TH_LOG("%s", who[s]);
}

#define TAKE(s, side, rport, fd, t0, shot) \
	take(_metadata, self, s, side, rport, fd, t0, &(shot)[s])

/* ticks; what runs over on a slow machine, and how timers are rounded */
static bool near(unsigned long a, unsigned long b)
{
	return a <= b + b / 8 + 8 && b <= a + a / 8 + 8;
}

#define SAME(a, b)	EXPECT_EQ(a, b) TH_LOG("%s: " #a, what)
#define NEAR(a, b)	EXPECT_TRUE(near(a, b)) \
	TH_LOG("%s: " #a " is %lu, " #b " is %lu", what, (long)(a), (long)(b))

/* what may be otherwise */
#define QUEUES	1
#define CWND	2
#define UID	4	/* in the message */
#define QUICK	8	/* credit of quick ACKs */

static void same_row(struct __test_metadata *_metadata, const char *what, unsigned int but,
		     const struct row *n, const struct row *o)
{
	SAME(n->columns, o->columns);
	SAME(n->state, o->state);
	SAME(n->timer, o->timer);
	SAME(n->retrans, o->retrans);
	SAME(n->uid, o->uid);
	SAME(n->probes, o->probes);
	if (!(but & QUICK))
		SAME(n->quick, o->quick);
	if (!(but & QUEUES)) {
		SAME(n->tx, o->tx);
		SAME(n->rx, o->rx);
	}
	if (!(but & CWND)) {
		SAME(n->cwnd, o->cwnd);
		SAME(n->ssthresh, o->ssthresh);
	}
	NEAR(n->when, o->when);
	NEAR(n->rto, o->rto);
	NEAR(n->ato, o->ato);
}

static void same(struct __test_metadata *_metadata, const char *what, unsigned int but,
		 const struct shot shot[2])
{
	const struct inet_diag_msg *n = &shot[0].m.m, *o = &shot[1].m.m;

	same_row(_metadata, what, but, &shot[0].r, &shot[1].r);
	SAME(n->idiag_state, o->idiag_state);
	SAME(n->idiag_timer, o->idiag_timer);
	SAME(n->idiag_retrans, o->idiag_retrans);
	SAME(n->id.idiag_if, o->id.idiag_if);
	if (!(but & QUEUES)) {
		SAME(n->idiag_rqueue, o->idiag_rqueue);
		SAME(n->idiag_wqueue, o->idiag_wqueue);
	}
	if (!(but & UID))
		SAME(n->idiag_uid, o->idiag_uid);
	NEAR(n->idiag_expires / TICK_MS, o->idiag_expires / TICK_MS);
	EXPECT_EQ(MARK, shot[0].m.attr[INET_DIAG_MARK].u32[0]) TH_LOG("%s", what);
	EXPECT_EQ(MARK, shot[1].m.attr[INET_DIAG_MARK].u32[0]) TH_LOG("%s", what);
	for (int i = 0; i < ATTRS; i++) {
		if (i == INET_DIAG_PAD)
			continue;
		EXPECT_EQ(shot[0].m.len[i], shot[1].m.len[i]) TH_LOG("%s: attribute %d", what, i);
	}
}

/* ---- what is done ---- */

/* what this side sends from now on is lost, or no longer */
static int hole(const FIXTURE_DATA(rows) *self, int side, bool on)
{
	int err = enter(self, side);

	err |= env_run(on ? "tc qdisc add dev %s root netem loss 100%%%s" :
		       "tc qdisc del dev %s root%s", dev[side], "");
	return err | enter(self, HERE);
}

/* sleep until so long after @t0 */
static void until(int64_t t0, int ms)
{
	int64_t left = t0 + ms - env_ms();

	if (left > 0)
		usleep(left * 1000);
}

static int my_socket(int family)
{
	int fd;

	if (seteuid(ME))
		return -1;
	fd = socket(family, SOCK_STREAM, 0);
	return seteuid(0) ? -1 : fd;
}

static int my_listener(const FIXTURE_DATA(rows) *self, int s, int rcvbuf)
{
	int fd = enter(self, THERE) ? -1 : my_socket(self->family[s]);

	if (env_setopt(fd, SOL_SOCKET, SO_MARK, MARK) ||
	    env_bind(fd, address[s][THERE], PORT) || env_setopt(fd, SOL_TCP, TCP_FASTOPEN, 5) ||
	    (rcvbuf && env_setopt(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf)) || listen(fd, 7))
		return -1;
	return enter(self, HERE) ? -1 : fd;
}

static int my_client(const FIXTURE_DATA(rows) *self, int s)
{
	int fd = my_socket(self->family[s]);

	return env_setopt(fd, SOL_SOCKET, SO_MARK, MARK) ||
	       env_bind(fd, address[s][HERE], MY_PORT) ? -1 : fd;
}

/* both sides know each other's link address */
static bool meet(const FIXTURE_DATA(rows) *self, int s)
{
	int udp = socket(self->family[s], SOCK_DGRAM, 0);
	bool ok = env_sendto(udp, "x", 1, 0, address[s][THERE], 9) == 1;

	usleep(100000);
	close(udp);
	return ok;
}

/* listener and client are mine, the accepted side is root's */
static bool open_pair(const FIXTURE_DATA(rows) *self, int s, int rcvbuf, struct trio *t)
{
	t->lsk = my_listener(self, s, rcvbuf);
	t->client = my_client(self, s);
	if (t->lsk < 0 || t->client < 0 || env_connect(t->client, address[s][THERE], PORT))
		return false;
	t->server = accept(t->lsk, NULL, NULL);
	return t->server >= 0;
}

TEST_F_TIMEOUT(rows, listener_and_idle, 120)
{
	struct shot listener[2], client[2], server[2];

	for (int s = 0; s < 2; s++) {
		int64_t t0 = env_ms();
		struct trio t;
		int more;

		ASSERT_TRUE(open_pair(self, s, 0, &t)) TH_LOG("%s", who[s]);
		more = my_socket(self->family[s]);
		ASSERT_EQ(0, env_connect(more, address[s][THERE], PORT));
		usleep(300000);
		TAKE(s, THERE, 0, t.lsk, t0, listener);
		TAKE(s, HERE, PORT, t.client, t0, client);
		TAKE(s, THERE, MY_PORT, t.server, t0, server);
		close(more);
		trio_close(&t);
	}
	same(_metadata, "listener", 0, listener);
	same(_metadata, "client", 0, client);
	same(_metadata, "server", 0, server);
	EXPECT_EQ(10, listener[1].r.state);
	EXPECT_EQ(1, listener[1].r.rx);
	EXPECT_EQ(1, listener[1].m.m.idiag_rqueue);
	EXPECT_EQ(7, listener[1].m.m.idiag_wqueue);
	EXPECT_EQ(5, listener[1].r.ssthresh);
	EXPECT_EQ(ME, client[1].r.uid);
	EXPECT_EQ(0, server[1].r.uid);
	EXPECT_EQ(-1, client[1].r.ssthresh);
	/* whoever reads does not count */
	EXPECT_EQ(1, listener[1].r.ref);
}

TEST_F_TIMEOUT(rows, data_not_read, 120)
{
	struct shot client[2], server[2];
	char data[3000] = "";

	for (int s = 0; s < 2; s++) {
		int64_t t0 = env_ms();
		struct trio t;

		ASSERT_TRUE(open_pair(self, s, 0, &t)) TH_LOG("%s", who[s]);
		ASSERT_EQ(sizeof(data), send(t.client, data, sizeof(data), 0));
		ASSERT_EQ(1, env_readable(t.server));
		usleep(300000);
		ASSERT_EQ(1000, recv(t.server, data, 1000, 0));
		TAKE(s, HERE, PORT, t.client, t0, client);
		TAKE(s, THERE, MY_PORT, t.server, t0, server);
		trio_close(&t);
	}
	same(_metadata, "client", 0, client);
	/*
	 * a window that grows adds a quick ACK: if there is room beside these octets, which is of
	 * the sizes of the sender's buffers (and before 6.6 a buffer was half a window)
	 */
	same(_metadata, "server", QUICK, server);
	EXPECT_EQ(2000, server[1].r.rx);
	EXPECT_EQ(2000, server[1].m.m.idiag_rqueue);
	EXPECT_GT(server[1].r.ato, 0);
}

/*
 * RFC 5681 3.1 makes the first window smaller after a SYN was lost: native's row says so at once,
 * Strata's when the handshake is over
 */
TEST_F_TIMEOUT(rows, syn_sent, 120)
{
	struct shot fresh[2], late[2];

	/* native of 6.1 doubles from the first on, and has no such knob (-e) */
	ASSERT_EQ(0, env_run("sysctl -qew net.strata.tcp_syn_linear_timeouts=0 "
			     "net.ipv4.tcp_syn_linear_timeouts=0%s%s", "", ""));
	for (int s = 0; s < 2; s++) {
		int fd = my_client(self, s);
		int64_t t0;

		ASSERT_TRUE(meet(self, s));
		ASSERT_EQ(0, hole(self, HERE, true));
		ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
		t0 = env_ms();
		EXPECT_ERRNO(EINPROGRESS, env_connect(fd, address[s][THERE], PORT));
		until(t0, 500);
		TAKE(s, HERE, PORT, fd, t0, fresh);
		until(t0, 1500);
		TAKE(s, HERE, PORT, fd, t0, late);
		close(fd);
		ASSERT_EQ(0, hole(self, HERE, false));
	}
	same(_metadata, "first SYN", 0, fresh);
	same(_metadata, "second SYN", CWND, late);
	EXPECT_EQ(2, late[1].r.state);
	EXPECT_EQ(1, late[1].r.timer);
	EXPECT_EQ(1, late[1].r.retrans);
	EXPECT_EQ(ME, late[1].r.uid);
}

/*
 * A SYN arrives; what answers it, and all after that, is lost. Native's message knows no owner,
 * though its row does
 */
TEST_F_TIMEOUT(rows, syn_received, 120)
{
	struct shot fresh[2], late[2];

	for (int s = 0; s < 2; s++) {
		int lsk = my_listener(self, s, 0), fd = my_client(self, s);
		int64_t t0;

		ASSERT_GE(lsk, 0);
		ASSERT_TRUE(meet(self, s));
		ASSERT_EQ(0, hole(self, THERE, true));
		ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
		t0 = env_ms();
		EXPECT_ERRNO(EINPROGRESS, env_connect(fd, address[s][THERE], PORT));
		TAKE(s, THERE, MY_PORT, -1, t0, fresh);
		ASSERT_EQ(0, hole(self, HERE, true));
		until(t0, 1500);
		TAKE(s, THERE, MY_PORT, -1, t0, late);
		close(fd);
		close(lsk);
		ASSERT_EQ(0, hole(self, HERE, false));
		ASSERT_EQ(0, hole(self, THERE, false));
	}
	same(_metadata, "first SYN-ACK", UID, fresh);
	same(_metadata, "second SYN-ACK", UID, late);
	EXPECT_EQ(3, late[1].r.state);
	EXPECT_EQ(1, late[1].r.timer);
	EXPECT_EQ(1, late[1].r.retrans);
	EXPECT_EQ(ME, late[1].r.uid);
	EXPECT_EQ(ME, late[1].m.m.idiag_uid);
}

TEST_F_TIMEOUT(rows, retransmitting, 120)
{
	struct shot first[2], third[2];
	char data[1000] = "";

	for (int s = 0; s < 2; s++) {
		struct trio t;
		int64_t t0;

		ASSERT_TRUE(open_pair(self, s, 0, &t)) TH_LOG("%s", who[s]);
		usleep(300000);
		ASSERT_EQ(0, hole(self, HERE, true));
		t0 = env_ms();
		ASSERT_EQ(sizeof(data), send(t.client, data, sizeof(data), 0));
		TAKE(s, HERE, PORT, t.client, t0, first);
		until(t0, 2500);
		TAKE(s, HERE, PORT, t.client, t0, third);
		ASSERT_EQ(0, hole(self, HERE, false));
		trio_close(&t);
	}
	same(_metadata, "sent", 0, first);
	same(_metadata, "timeouts", 0, third);
	EXPECT_EQ(1, third[1].r.timer);
	EXPECT_EQ(3, third[1].r.retrans);
	EXPECT_EQ(sizeof(data), third[1].r.tx);
	EXPECT_EQ(sizeof(data), third[1].m.m.idiag_wqueue);
	EXPECT_GT(third[1].r.when, 250);
	EXPECT_GT(third[1].r.ssthresh, 1);
}

TEST_F_TIMEOUT(rows, keepalive, 120)
{
	struct shot quiet[2], asked[2];

	for (int s = 0; s < 2; s++) {
		struct trio t;
		int64_t t0;

		ASSERT_TRUE(open_pair(self, s, 0, &t)) TH_LOG("%s", who[s]);
		ASSERT_EQ(0, env_setopt(t.client, SOL_TCP, TCP_KEEPIDLE, 3));
		ASSERT_EQ(0, env_setopt(t.client, SOL_TCP, TCP_KEEPINTVL, 2));
		t0 = env_ms();
		ASSERT_EQ(0, env_setopt(t.client, SOL_SOCKET, SO_KEEPALIVE, 1));
		TAKE(s, HERE, PORT, t.client, t0, quiet);
		ASSERT_EQ(0, hole(self, HERE, true));
		until(t0, 6000);
		TAKE(s, HERE, PORT, t.client, t0, asked);
		ASSERT_EQ(0, hole(self, HERE, false));
		trio_close(&t);
	}
	same(_metadata, "quiet", 0, quiet);
	same(_metadata, "asked", 0, asked);
	EXPECT_EQ(2, quiet[1].r.timer);
	EXPECT_TRUE(near(300, quiet[1].r.when));
	EXPECT_EQ(2, asked[1].r.timer);
	EXPECT_EQ(2, asked[1].r.probes);
	EXPECT_EQ(2, asked[1].m.m.idiag_retrans);
	EXPECT_TRUE(near(700, asked[1].r.when));
}

/* more is sent than the other side has room for; its window stays closed */
TEST_F_TIMEOUT(rows, window_closed, 120)
{
	struct shot client[2], server[2];
	static char data[200000];

	for (int s = 0; s < 2; s++) {
		int64_t t0 = env_ms();
		struct trio t;

		ASSERT_TRUE(open_pair(self, s, 50000, &t)) TH_LOG("%s", who[s]);
		ASSERT_EQ(0, env_setopt(t.client, SOL_SOCKET, SO_SNDBUF, 200000));
		ASSERT_EQ(sizeof(data), send(t.client, data, sizeof(data), MSG_DONTWAIT));
		/* some probes are answered, some not */
		until(t0, 1700);
		ASSERT_EQ(0, hole(self, HERE, true));
		until(t0, 5000);
		TAKE(s, HERE, PORT, t.client, t0, client);
		TAKE(s, THERE, MY_PORT, t.server, t0, server);
		ASSERT_EQ(0, hole(self, HERE, false));
		trio_close(&t);
	}
	same(_metadata, "client", QUEUES | CWND, client);
	same(_metadata, "server", QUEUES, server);
	for (int s = 0; s < 2; s++) {
		EXPECT_EQ(4, client[s].r.timer) TH_LOG("%s", who[s]);
		EXPECT_EQ(0, client[s].r.retrans) TH_LOG("%s", who[s]);
		EXPECT_GT(client[s].r.probes, 0) TH_LOG("%s", who[s]);
		EXPECT_EQ(client[s].r.probes, client[s].m.m.idiag_retrans) TH_LOG("%s", who[s]);
		EXPECT_EQ(sizeof(data), client[s].r.tx + server[s].r.rx) TH_LOG("%s", who[s]);
	}
}

/* without its socket: FIN-WAIT-2, then TIME-WAIT */
TEST_F_TIMEOUT(rows, time_wait, 120)
{
	struct shot half[2], full[2];

	/*
	 * the ACK of the FIN comes when close() has let go of the socket: else it is FIN-WAIT-2
	 * of a whole socket, not yet that of a small object, on both stacks
	 */
	ASSERT_EQ(0, enter(self, THERE));
	ASSERT_EQ(0, env_run("tc qdisc add dev %s root netem delay %s", dev[THERE], "50ms"));
	ASSERT_EQ(0, enter(self, HERE));
	for (int s = 0; s < 2; s++) {
		struct trio t;
		int64_t t0;

		ASSERT_TRUE(open_pair(self, s, 0, &t)) TH_LOG("%s", who[s]);
		t0 = env_ms();
		close(t.client);
		until(t0, 2000);
		TAKE(s, HERE, PORT, -1, t0, half);
		t0 = env_ms();
		close(t.server);
		until(t0, 300);
		TAKE(s, HERE, PORT, -1, t0, full);
		close(t.lsk);
	}
	same(_metadata, "FIN-WAIT-2", 0, half);
	same(_metadata, "TIME-WAIT", 0, full);
	EXPECT_EQ(5, half[1].r.state);
	EXPECT_EQ(6, full[1].r.state);
	EXPECT_EQ(3, full[1].r.timer);
	EXPECT_TRUE(near(6000, full[1].r.when));
	EXPECT_EQ(0, full[1].r.uid);
}

TEST_HARNESS_MAIN
