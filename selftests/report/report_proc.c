// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/strata: the formats are the native files', column by column, and what they say of
 * live sockets is true.
 */
#include "report_env.h"

FIXTURE(proc) {
	int family;
};

FIXTURE_SETUP(proc)
{
	self->family = env_family(STRATA);
	ASSERT_GE(self->family, 0) TH_LOG("the module is not loaded");
	ASSERT_EQ(0, env_unshare());
}

FIXTURE_TEARDOWN(proc)
{
}

/* first line of a file that begins with @start, without blanks at its end */
static bool line(const char *dir, const char *file, const char *start, char *buf, size_t size)
{
	char path[128];
	FILE *f;
	bool found = false;

	snprintf(path, sizeof(path), "%s%s", dir, file);
	f = fopen(path, "r");
	if (!f)
		return false;
	while (!found && fgets(buf, size, f))
		found = strstr(buf, start) == buf;
	fclose(f);
	if (found)
		buf[strcspn(buf, "\n")] = 0;
	while (found && *buf && buf[strlen(buf) - 1] == ' ')
		buf[strlen(buf) - 1] = 0;
	return found;
}

TEST_F(proc, headers_are_native)
{
	static const char * const files[][2] = {
		{ "tcp", "  sl" }, { "udp", "   sl" }, { "icmp", "  sl" }, { "arp", "IP" },
		{ "route", "Iface" }, { "snmp", "Icmp:" }, { "snmp", "Tcp:" },
		{ "snmp", "Udp:" }, { "snmp", "UdpLite:" },
	};
	char native[4096], strata[4096];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *file = files[i][0], *start = files[i][1];

		ASSERT_TRUE(line(NATIVE_PROC, file, start, native, sizeof(native)));
		ASSERT_TRUE(line(STRATA_PROC, file, start, strata, sizeof(strata)));
		EXPECT_STREQ(native, strata);
	}
	/* newer kernels have a column more at the end of Ip */
	ASSERT_TRUE(line(NATIVE_PROC, "snmp", "Ip:", native, sizeof(native)));
	ASSERT_TRUE(line(STRATA_PROC, "snmp", "Ip:", strata, sizeof(strata)));
	EXPECT_EQ(0, strncmp(native, strata, strlen(native)));
	for (const char *word = "TCP:\0UDP:\0UDPLITE:\0RAW:\0FRAG:\0"; *word;
	     word += strlen(word) + 1)
		EXPECT_TRUE(line(STRATA_PROC, "sockstat", word, strata, sizeof(strata)));
}

/* every name of a group has its value */
TEST_F(proc, counters_come_in_pairs)
{
	static const char * const files[] = { "snmp", "netstat" };
	char names[8192], values[8192], path[64];

	for (int i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path, sizeof(path), STRATA_PROC "%s", files[i]);
		f = fopen(path, "r");
		ASSERT_NE(NULL, f);
		while (fgets(names, sizeof(names), f)) {
			int n = 0, v = 0;

			ASSERT_NE(NULL, fgets(values, sizeof(values), f));
			for (char *c = names; *c; c++)
				n += *c == ' ';
			for (char *c = values; *c; c++)
				v += *c == ' ';
			EXPECT_GT(n, 0);
			EXPECT_EQ(n, v) TH_LOG("%s", names);
		}
		fclose(f);
	}
}

/* a counter of Strata, -1: there is none of this name */
static long counter(const char *file, const char *group, const char *name)
{
	char names[8192], values[8192], path[64], *n, *v, *at_n, *at_v;
	size_t len = strlen(group);
	long val = -1;
	FILE *f;

	snprintf(path, sizeof(path), STRATA_PROC "%s", file);
	f = fopen(path, "r");
	while (f && val < 0 && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		if (strncmp(names, group, len) || names[len] != ':')
			continue;
		n = strtok_r(names, " \n", &at_n);
		v = strtok_r(values, " \n", &at_v);
		while (n && v && val < 0) {
			if (!strcmp(n, name))
				val = atol(v);
			n = strtok_r(NULL, " \n", &at_n);
			v = strtok_r(NULL, " \n", &at_v);
		}
	}
	if (f)
		fclose(f);
	return val;
}

/* RFC 4293 ipSystemStatsOutNoRoutes: each call that finds no route is one */
TEST_F(proc, no_route_counts_once)
{
	long before = counter("snmp", "Ip", "OutNoRoutes");
	int tcp = socket(self->family, SOCK_STREAM, 0), udp = socket(self->family, SOCK_DGRAM, 0);

	EXPECT_ERRNO(ENETUNREACH, env_connect(tcp, "192.0.2.1", 9));
	EXPECT_EQ(before + 1, counter("snmp", "Ip", "OutNoRoutes"));
	EXPECT_ERRNO(ENETUNREACH, env_connect(udp, "192.0.2.1", 9));
	EXPECT_EQ(before + 2, counter("snmp", "Ip", "OutNoRoutes"));
}

/* the line of /proc/.../tcp with these two ports, read as its readers do */
static bool tcp_line(int lport, int rport, unsigned int *state, unsigned int *tx,
		     unsigned int *rx, unsigned long *inode)
{
	FILE *f = fopen(STRATA_PROC "tcp", "r");
	unsigned int lp, rp;
	char buf[512];
	bool found = false;

	while (f && !found && fgets(buf, sizeof(buf), f))
		found = sscanf(buf, "%*d: %*x:%x %*x:%x %x %x:%x %*x:%*x %*x %*u %*d %lu", &lp,
			       &rp, state, tx, rx, inode) == 6 &&
			(int)lp == lport && (int)rp == rport;
	if (f)
		fclose(f);
	return found;
}

TEST_F(proc, tcp_says_what_is)
{
	unsigned int state, tx, rx;
	unsigned long inode;
	char data[3000] = "";
	struct trio t;
	struct stat st;

	ASSERT_TRUE(trio_open(&t, self->family, 8000));
	ASSERT_EQ(sizeof(data), send(t.client, data, sizeof(data), 0));
	ASSERT_EQ(1, env_readable(t.server));
	usleep(300000);

	ASSERT_TRUE(tcp_line(8000, 0, &state, &tx, &rx, &inode));
	EXPECT_EQ(10, state);
	EXPECT_EQ(0, rx);
	ASSERT_TRUE(tcp_line(8000, env_port(t.client), &state, &tx, &rx, &inode));
	EXPECT_EQ(1, state);
	EXPECT_EQ(sizeof(data), rx);
	ASSERT_EQ(0, fstat(t.server, &st));
	EXPECT_EQ(st.st_ino, inode);
	ASSERT_TRUE(tcp_line(env_port(t.client), 8000, &state, &tx, &rx, &inode));
	EXPECT_EQ(1, state);
	EXPECT_EQ(0, tx);
	trio_close(&t);
}

/* the process that `sockets` names for the listener at 127.0.0.1:@port; -1: "-", -2: no line */
static int listener_owner(int port)
{
	char buf[512], local[64];
	FILE *f = fopen(STRATA_PROC "sockets", "r");
	char state[32], addr[64], pid[32];
	int found = -2;

	snprintf(local, sizeof(local), "127.0.0.1:%d", port);
	while (f && fgets(buf, sizeof(buf), f))
		if (sscanf(buf, "%*s %31s %63s %*s %31s", state, addr, pid) == 3 &&
		    !strcmp(state, "LISTEN") && !strcmp(addr, local))
			found = pid[0] == '-' ? -1 : atoi(pid);
	if (f)
		fclose(f);
	return found;
}

TEST_F(proc, sockets_names_the_owner)
{
	char buf[512], want[64], start[64];
	FILE *f = NULL;
	int columns, words, udp, found = 0;
	struct trio t;

	ASSERT_TRUE(trio_open(&t, self->family, 8001));
	udp = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(udp, "0.0.0.0", 5353));
	ASSERT_EQ(0, prctl(PR_SET_NAME, "late name"));

	f = fopen(STRATA_PROC "sockets", "r");
	ASSERT_NE(NULL, f);
	snprintf(want, sizeof(want), " %d report_proc ", getpid());
	for (columns = -1; fgets(buf, sizeof(buf), f); ) {
		words = 0;
		for (char *w = strtok(strdup(buf), " \n"); w; w = strtok(NULL, " \n"))
			words++;
		if (columns < 0)
			columns = words;
		EXPECT_EQ(columns, words) TH_LOG("%s", buf);
		snprintf(start, sizeof(start), "udp   OPEN         0.0.0.0:5353          0.0.0.0:* ");
		if (!strncmp(buf, start, strlen(start)) ||
		    strstr(buf, "127.0.0.1:8001"))
			found += !!strstr(buf, want);
	}
	EXPECT_EQ(17, columns);
	EXPECT_EQ(4, found);	/* listener, both ends, udp */
	/* whose they are is nothing for other users */
	EXPECT_EQ(getpid(), listener_owner(8001));
	ASSERT_EQ(0, seteuid(1234));
	EXPECT_EQ(-1, listener_owner(8001));
	ASSERT_EQ(0, seteuid(0));
	fclose(f);
	close(udp);
	trio_close(&t);
}

/* all lines of a file but the head, sorted, without blanks at their ends; how many */
static int rows(const char *dir, const char *file, char row[][256], int max)
{
	char path[128];
	FILE *f;
	int n = 0;

	snprintf(path, sizeof(path), "%s%s", dir, file);
	f = fopen(path, "r");
	if (!f || !fgets(row[0], 256, f))
		return -1;
	while (n < max && fgets(row[n], 256, f)) {
		size_t len = strcspn(row[n], "\n");

		while (len && row[n][len - 1] == ' ')
			len--;
		row[n++][len] = 0;
	}
	fclose(f);
	qsort(row, n, 256, (int (*)(const void *, const void *))strcmp);
	return n;
}

/* the same neighbours and routes for a stack, with its tool */
static bool configure(const char *tool, int family)
{
	int udp = socket(family, SOCK_DGRAM, 0);
	bool ok;

	/* (a device anew: nothing of the other stack is left on it) */
	ok = udp >= 0 &&
	     !env_run("ip link add v0 type veth peer name v1 && ip link set v0 up && "
		      "ip link set v1 up%s%s", "", "") &&
	     !env_run("%s addr add 10.1.0.1/24 dev v0%s", tool, "") &&
	     !env_run("%s neigh add 10.1.0.9 lladdr 02:00:00:00:ab:09 dev v0 nud permanent%s",
		      tool, "") &&
	     !env_run("%s neigh add 10.1.0.10 lladdr 02:00:00:00:00:0a dev v0 nud stale%s",
		      tool, "") &&
	     !env_run("%s route add default via 10.1.0.254%s", tool, "") &&
	     !env_run("%s route add 10.3.0.0/16 via 10.1.0.253 metric 77%s", tool, "") &&
	     !env_run("%s route add 10.4.0.1/32 dev v0%s", tool, "") &&
	     !env_run("%s route add 10.4.0.2/32 via 10.1.0.9%s", tool, "") &&
	     !env_run("%s route add 10.128.0.0/9 dev v0 metric 4000000000%s", tool, "") &&
	     !env_run("%s route add 10.7.0.0/16 via 10.1.0.253 advmss 1000 window 5000 rtt 100ms%s",
		      tool, "") &&
	     !env_run("%s route add unreachable 10.5.0.0/16%s", tool, "") &&
	     /* nobody has it: unresolved */
	     env_sendto(udp, "x", 1, 0, "10.1.0.7", 9) == 1;
	if (udp >= 0)
		close(udp);
	return ok;
}

TEST_F_TIMEOUT(proc, arp_and_route_rows_are_native, 200)
{
	enum { MAX = 16 };
	static char native[2][MAX][256], strata[2][MAX][256];
	static const char * const file[] = { "arp", "route" };
	static const int want[] = { 3, 8 };
	int n[2];

	ASSERT_TRUE(configure("ip -4", AF_INET));
	for (int i = 0; i < 2; i++)
		n[i] = rows(NATIVE_PROC, file[i], native[i], MAX);
	ASSERT_EQ(0, env_run("ip link del v0%s%s", "", ""));
	ASSERT_TRUE(configure("strata", self->family));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(want[i], n[i]) TH_LOG("native %s", file[i]);
		EXPECT_EQ(n[i], rows(STRATA_PROC, file[i], strata[i], MAX)) TH_LOG("%s", file[i]);
		for (int k = 0; k < n[i]; k++)
			EXPECT_STREQ(native[i][k], strata[i][k]);
	}
}

/* native has "advmss" + 40 in this column and nothing else; Strata rather shows an MTU */
TEST_F(proc, route_says_its_mtu)
{
	char row[256];

	ASSERT_TRUE(configure("strata", self->family));
	ASSERT_EQ(0, env_run("strata route add 10.6.0.0/16 via 10.1.0.254 mtu 1300%s%s", "", ""));
	ASSERT_TRUE(line(STRATA_PROC, "route", "v0\t0000060A", row, sizeof(row)));
	EXPECT_STREQ("v0\t0000060A\tFE00010A\t0003\t0\t0\t0\t0000FFFF\t1300\t0\t0", row);
}

/* a daemon: who binds and listens leaves the rest to a child, whose number comes by @tell */
static void daemon_of(int family, int port, int tell)
{
	int lst = socket(family, SOCK_STREAM, 0);
	pid_t child;

	if (env_bind(lst, "127.0.0.1", port) || listen(lst, 4))
		_exit(1);
	child = fork();
	if (child)
		_exit(write(tell, &child, sizeof(child)) != sizeof(child));
	prctl(PR_SET_PDEATHSIG, 0);
	alarm(60);
	for (;;)
		if (accept(lst, NULL, NULL) < 0 || write(tell, &port, sizeof(port)) < 0)
			_exit(1);
}

TEST_F(proc, sockets_names_who_is_left)
{
	int said[2], fd, status, port;
	pid_t first, child;

	ASSERT_EQ(0, pipe(said));
	first = fork();
	if (!first)
		daemon_of(self->family, 8005, said[1]);
	ASSERT_EQ((ssize_t)sizeof(child), read(said[0], &child, sizeof(child)));
	ASSERT_EQ(first, waitpid(first, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(-1, listener_owner(8005));
	fd = socket(self->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", 8005));
	ASSERT_EQ((ssize_t)sizeof(port), read(said[0], &port, sizeof(port)));
	EXPECT_EQ(child, listener_owner(8005));
	kill(child, SIGKILL);
	close(fd);
}

/* a line of `sockets` in numbers; -1: "-" */
struct said {
	char state[16];
	long uid, inode, rx, tx, unacked, sent, rcvd, rtt, rto, cwnd, retrans;
};

static bool said(const char *proto, int lport, int rport, struct said *s)
{
	FILE *f = fopen(STRATA_PROC "sockets", "r");
	char buf[512], local[32], remote[32], p[8];
	bool found = false;

	while (f && !found && fgets(buf, sizeof(buf), f)) {
		char w[11][16];
		long *to[] = { &s->uid, &s->inode, &s->rx, &s->tx, &s->unacked, &s->sent, &s->rcvd,
			       &s->rtt, &s->rto, &s->cwnd, &s->retrans };
		const char *l, *r;

		if (sscanf(buf, "%7s %15s %31s %31s %*s %*s %15s %15s %15s %15s %15s %15s %15s %15s "
			   "%15s %15s %15s", p, s->state, local, remote, w[0], w[1], w[2], w[3],
			   w[4], w[5], w[6], w[7], w[8], w[9], w[10]) != 15)
			continue;
		l = strchr(local, ':');
		r = strchr(remote, ':');
		found = !strcmp(p, proto) && l && r && atoi(l + 1) == lport && atoi(r + 1) == rport;
		for (int i = 0; i < 11; i++)
			*to[i] = strcmp(w[i], "-") ? atol(w[i]) : -1;
	}
	if (f)
		fclose(f);
	return found;
}

static int ioctl_int(int fd, unsigned long what)
{
	int val = -1;

	return ioctl(fd, what, &val) ? -1 : val;
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
		info.tcpi_state = 255;
	return info;
}

#define EXPECT_WITHIN(low, val, high) do {	\
	EXPECT_LE(low, val);			\
	EXPECT_GE(high, val);			\
} while (0)

/* what a connection's line says is what its descriptor says */
TEST_F(proc, sockets_says_what_tcp_info_says)
{
	struct tcp_info before, after;
	int port, queued = 0, unsent = 0, left = -1, tries;
	struct said s;
	char data[2000] = "";
	struct trio t;
	struct stat st;

	t.lsk = socket(self->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, env_bind(t.lsk, "127.0.0.1", 8004));
	ASSERT_EQ(0, listen(t.lsk, 7));
	ASSERT_EQ(0, seteuid(1234));
	t.client = socket(self->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, env_connect(t.client, "127.0.0.1", 8004));
	t.server = accept(t.lsk, NULL, NULL);
	ASSERT_GE(t.server, 0);
	port = env_port(t.client);
	ASSERT_EQ(7, send(t.server, data, 7, 0));
	usleep(200000);
	ASSERT_EQ(sizeof(data), send(t.client, data, sizeof(data), 0));
	usleep(300000);

	before = info_of(t.client);
	ASSERT_TRUE(said("tcp", port, 8004, &s));
	after = info_of(t.client);
	ASSERT_EQ(0, fstat(t.client, &st));
	EXPECT_STREQ("ESTABLISHED", s.state);
	EXPECT_EQ(1234, s.uid);
	EXPECT_EQ(st.st_uid, s.uid);
	EXPECT_EQ(st.st_ino, s.inode);
	EXPECT_EQ(7, s.rx);
	EXPECT_EQ(7, ioctl_int(t.client, FIONREAD));
	EXPECT_EQ(0, s.tx);
	EXPECT_EQ(0, s.unacked);
	EXPECT_WITHIN(before.tcpi_last_data_sent, s.sent, after.tcpi_last_data_sent);
	EXPECT_WITHIN(before.tcpi_last_data_recv, s.rcvd, after.tcpi_last_data_recv);
	EXPECT_GE(s.sent, 250);
	EXPECT_GE(s.rcvd, s.sent + 150);
	EXPECT_EQ(after.tcpi_rtt, s.rtt);
	EXPECT_EQ(after.tcpi_rto / 1000, s.rto);
	EXPECT_EQ(after.tcpi_snd_cwnd, s.cwnd);
	EXPECT_EQ(after.tcpi_total_retrans, s.retrans);
	ASSERT_TRUE(said("tcp", 8004, port, &s));
	EXPECT_EQ(0, s.uid);
	EXPECT_EQ(sizeof(data), s.rx);

	/* an ACK that waits leaves octets under way, a receiver that does not read unsent ones */
	for (tries = 0; tries < 50 && !(s.unacked > 0 && queued == left); tries++) {
		ASSERT_EQ(100, send(t.client, data, 100, 0));
		unsent = ioctl_int(t.client, SIOCOUTQNSD);
		queued = ioctl_int(t.client, SIOCOUTQ);
		ASSERT_TRUE(said("tcp", port, 8004, &s));
		left = ioctl_int(t.client, SIOCOUTQ);
	}
	EXPECT_LT(tries, 50);
	EXPECT_GT(queued, 0);
	EXPECT_EQ(queued, s.tx);
	EXPECT_EQ(queued - unsent, s.unacked);
	while (send(t.client, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	/* (again while the last segments and their ACKs are under way) */
	for (tries = 0; tries < 100; tries++) {
		usleep(100000);
		queued = ioctl_int(t.client, SIOCOUTQ);
		unsent = ioctl_int(t.client, SIOCOUTQNSD);
		ASSERT_TRUE(said("tcp", port, 8004, &s));
		if (queued == ioctl_int(t.client, SIOCOUTQ) &&
		    unsent == ioctl_int(t.client, SIOCOUTQNSD))
			break;
	}
	EXPECT_LT(tries, 100);
	EXPECT_GT(unsent, 0);
	EXPECT_EQ(queued, s.tx);
	EXPECT_EQ(queued - unsent, s.unacked);
	trio_close(&t);
}

/* a SYN nobody answers: what is unknown is "-", retransmissions and the RTO are tcp_info's */
TEST_F(proc, sockets_counts_retransmissions)
{
	struct tcp_info before, after;
	struct said s;
	int fd, tries;

	ASSERT_TRUE(configure("strata", self->family));
	fd = socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	EXPECT_ERRNO(EINPROGRESS, env_connect(fd, "10.1.0.9", 8005));
	usleep(6500000);	/* after the fourth they double (tcp_syn_linear_timeouts) */
	/* (again if one went in between) */
	for (tries = 0; tries < 5; tries++) {
		before = info_of(fd);
		ASSERT_TRUE(said("tcp", env_port(fd), 8005, &s));
		after = info_of(fd);
		if (before.tcpi_total_retrans == after.tcpi_total_retrans)
			break;
	}
	EXPECT_STREQ("SYN-SENT", s.state);
	EXPECT_GE(s.retrans, 5);
	EXPECT_EQ(after.tcpi_total_retrans, s.retrans);
	EXPECT_EQ(after.tcpi_rto / 1000, s.rto);
	EXPECT_GE(s.rto, 2000);
	EXPECT_EQ(after.tcpi_snd_cwnd, s.cwnd);
	EXPECT_EQ(-1, s.sent);
	EXPECT_EQ(-1, s.rcvd);
	EXPECT_EQ(-1, s.rtt);
	close(fd);
}

TEST_F(proc, sockets_says_what_a_datagram_socket_did)
{
	int rcv = socket(self->family, SOCK_DGRAM, 0), snd;
	struct said s;
	struct stat st;

	ASSERT_EQ(0, seteuid(1234));
	snd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, env_bind(rcv, "127.0.0.1", 5001));
	ASSERT_EQ(0, env_bind(snd, "127.0.0.1", 5002));
	ASSERT_EQ(0, env_connect(snd, "127.0.0.1", 5001));
	ASSERT_TRUE(said("udp", 5002, 5001, &s));
	EXPECT_EQ(-1, s.sent);
	EXPECT_EQ(-1, s.rcvd);
	ASSERT_EQ(5, send(snd, "hello", 5, 0));
	usleep(300000);
	ASSERT_TRUE(said("udp", 5002, 5001, &s));
	ASSERT_EQ(0, fstat(snd, &st));
	EXPECT_STREQ("CONNECTED", s.state);
	EXPECT_EQ(1234, s.uid);
	EXPECT_EQ(st.st_ino, s.inode);
	EXPECT_WITHIN(250, s.sent, 10000);
	EXPECT_EQ(-1, s.rcvd);
	EXPECT_EQ(-1, s.unacked);
	EXPECT_EQ(0, s.tx);
	ASSERT_TRUE(said("udp", 5001, 0, &s));
	EXPECT_EQ(5, s.rx);
	EXPECT_EQ(-1, s.sent);
	EXPECT_WITHIN(250, s.rcvd, 10000);
	close(rcv);
	close(snd);
}

/* octets, as the program reads them; what a datagram socket has sent is SIOCOUTQ's */
TEST_F(proc, sockets_counts_octets_of_datagrams)
{
	int rcv = socket(self->family, SOCK_DGRAM, 0), snd = socket(self->family, SOCK_DGRAM, 0);
	int ping = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	char data[3000] = { 8 /* echo */ };
	struct said s;
	int out;

	ASSERT_EQ(0, env_bind(rcv, "127.0.0.1", 5003));
	ASSERT_EQ(0, env_bind(snd, "127.0.0.1", 5004));
	for (int len = 0; len <= 3000; len += 1000)
		ASSERT_EQ(len, env_sendto(snd, data, len, 0, "127.0.0.1", 5003));
	usleep(100000);
	ASSERT_TRUE(said("udp", 5003, 0, &s));
	EXPECT_EQ(6000, s.rx);
	ASSERT_EQ(0, recv(rcv, data, sizeof(data), 0));
	ASSERT_EQ(1000, recv(rcv, data, sizeof(data), 0));
	ASSERT_TRUE(said("udp", 5003, 0, &s));
	EXPECT_EQ(5000, s.rx);
	ASSERT_EQ(100, env_sendto(snd, data, 100, MSG_MORE, "127.0.0.1", 5003));
	ASSERT_TRUE(said("udp", 5004, 0, &s));
	out = ioctl_int(snd, SIOCOUTQ);
	EXPECT_GE(out, 100);
	EXPECT_EQ(out, s.tx);

	ASSERT_EQ(0, env_bind(ping, "0.0.0.0", 77));
	memset(data, 0, sizeof(data));
	data[0] = 8;
	ASSERT_EQ(64, env_sendto(ping, data, 64, 0, "127.0.0.1", 0));
	usleep(100000);
	ASSERT_TRUE(said("icmp", 77, 0, &s));
	EXPECT_EQ(64, s.rx);
	close(rcv);
	close(snd);
	close(ping);
}

/* how many lines of `sockets` have the inode of @fd; the last one's first five words, in @words */
static int lines_of(int fd, char words[256])
{
	FILE *f = fopen(STRATA_PROC "sockets", "r");
	char buf[512], w[6][32];
	unsigned long inode;
	struct stat st;
	int n = 0;

	words[0] = 0;
	while (f && !fstat(fd, &st) && fgets(buf, sizeof(buf), f)) {
		if (sscanf(buf, "%31s %31s %31s %31s %31s %31s %*s %lu", w[0], w[1], w[2], w[3],
			   w[4], w[5], &inode) != 7 || inode != st.st_ino)
			continue;
		snprintf(words, 256, "%s %s %s %s %s", w[0], w[1], w[2], w[3], w[4]);
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

#define EXPECT_LINE(fd, want) do {			\
	EXPECT_EQ(1, lines_of(fd, words));		\
	EXPECT_STREQ(want, words);			\
} while (0)

/* a socket has one line, be it in a table or not */
TEST_F(proc, sockets_has_each_socket)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int tcp = socket(self->family, SOCK_STREAM, 0), udp = socket(self->family, SOCK_DGRAM, 0);
	int ping = socket(self->family, SOCK_DGRAM, IPPROTO_ICMP);
	char words[256], want[256];
	struct trio t;
	int port, other;

	EXPECT_LINE(tcp, "tcp CLOSED 0.0.0.0:* 0.0.0.0:* -");
	EXPECT_LINE(udp, "udp OPEN 0.0.0.0:* 0.0.0.0:* -");
	EXPECT_LINE(ping, "icmp OPEN 0.0.0.0:* 0.0.0.0:* -");
	ASSERT_EQ(0, env_bind(tcp, "127.0.0.1", 8010));
	ASSERT_EQ(0, env_bind(udp, "127.0.0.1", 8011));
	ASSERT_EQ(0, env_bind(ping, "127.0.0.1", 8012));
	snprintf(want, sizeof(want), "tcp CLOSED 127.0.0.1:8010 0.0.0.0:* %d", getpid());
	EXPECT_LINE(tcp, want);
	snprintf(want, sizeof(want), "udp OPEN 127.0.0.1:8011 0.0.0.0:* %d", getpid());
	EXPECT_LINE(udp, want);
	snprintf(want, sizeof(want), "icmp OPEN 127.0.0.1:8012 0.0.0.0:* %d", getpid());
	EXPECT_LINE(ping, want);
	ASSERT_EQ(0, listen(tcp, 1));
	snprintf(want, sizeof(want), "tcp LISTEN 127.0.0.1:8010 0.0.0.0:* %d", getpid());
	EXPECT_LINE(tcp, want);
	/* no table any more, and back again */
	ASSERT_EQ(0, shutdown(tcp, SHUT_RDWR));
	snprintf(want, sizeof(want), "tcp CLOSED 127.0.0.1:8010 0.0.0.0:* %d", getpid());
	EXPECT_LINE(tcp, want);

	ASSERT_TRUE(trio_open(&t, self->family, 8013));
	port = env_port(t.client);
	snprintf(want, sizeof(want), "tcp ESTABLISHED 127.0.0.1:%d 127.0.0.1:8013 %d", port,
		 getpid());
	EXPECT_LINE(t.client, want);
	EXPECT_EQ(1, lines_of(t.server, words));
	EXPECT_EQ(1, lines_of(t.lsk, words));
	ASSERT_EQ(0, connect(t.client, &none, sizeof(none)));
	EXPECT_EQ(1, lines_of(t.client, words));
	EXPECT_EQ(0, strncmp(words, "tcp CLOSED ", 11));
	ASSERT_EQ(0, env_connect(t.client, "127.0.0.1", 8013));
	EXPECT_EQ(1, lines_of(t.client, words));
	EXPECT_EQ(0, strncmp(words, "tcp ESTABLISHED ", 16));
	trio_close(&t);

	/* others' are not shown */
	other = socket(self->family, SOCK_STREAM, 0);
	EXPECT_EQ(1, lines_of(other, words));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	EXPECT_EQ(0, lines_of(other, words));
	EXPECT_EQ(0, lines_of(udp, words));
	close(other);
	close(tcp);
	close(udp);
	close(ping);
}

/* what does not apply to a connection that there is not is "-" */
TEST_F(proc, sockets_knows_nothing_of_no_connection)
{
	int tcp = socket(self->family, SOCK_STREAM, 0);
	struct said s;

	ASSERT_EQ(0, env_bind(tcp, "127.0.0.1", 8014));
	ASSERT_TRUE(said("tcp", 8014, 0, &s));
	EXPECT_STREQ("CLOSED", s.state);
	EXPECT_EQ(0, s.rx);
	EXPECT_EQ(0, s.tx);
	EXPECT_EQ(-1, s.unacked);
	EXPECT_EQ(-1, s.sent);
	EXPECT_EQ(-1, s.rcvd);
	EXPECT_EQ(-1, s.rtt);
	EXPECT_EQ(-1, s.rto);
	EXPECT_EQ(-1, s.cwnd);
	EXPECT_EQ(-1, s.retrans);
	close(tcp);
}

/* sockets made and closed under a reader */
TEST_F_TIMEOUT(proc, sockets_while_they_come_and_go, 300)
{
	enum { N = 300, ROUNDS = 30 };
	static const int type[] = { SOCK_STREAM, SOCK_DGRAM };
	char chunk[97], words[256];
	int keep = socket(self->family, SOCK_STREAM, 0), status;
	pid_t child[2];

	for (int c = 0; c < 2; c++) {
		child[c] = fork();
		if (child[c])
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			int fd[N];

			for (int i = 0; i < N; i++)
				fd[i] = socket(self->family, type[(i + c) % 2], 0);
			usleep(1000);
			for (int i = 0; i < N; i++)
				if (fd[i] < 0 || close(fd[i]))
					_exit(1);
		}
		_exit(0);
	}
	for (int c = 0; c < 2; ) {
		int proc = open(STRATA_PROC "sockets", O_RDONLY);

		ASSERT_GE(proc, 0);
		while (read(proc, chunk, sizeof(chunk)) > 0)
			;
		close(proc);
		EXPECT_EQ(1, lines_of(keep, words));
		usleep(500);
		if (waitpid(child[c], &status, WNOHANG) == child[c]) {
			EXPECT_EQ(0, status);
			c++;
		}
	}
	close(keep);
}

/* a reader with a small buffer sees each of many sockets once */
TEST_F(proc, many_sockets_each_once)
{
	enum { N = 300 };
	bool seen[N] = { false };
	char all[N * 200], chunk[97];
	int fd[N], proc, n, len = 0, twice = 0, missed = 0;

	for (int i = 0; i < N; i++) {
		fd[i] = socket(self->family, SOCK_DGRAM, 0);
		ASSERT_EQ(0, env_bind(fd[i], "127.0.0.1", 20000 + i));
	}
	proc = open(STRATA_PROC "udp", O_RDONLY);
	ASSERT_GE(proc, 0);
	while ((n = read(proc, chunk, sizeof(chunk))) > 0 && len + n < (int)sizeof(all)) {
		memcpy(all + len, chunk, n);
		len += n;
	}
	all[len] = 0;
	for (char *l = strchr(all, '\n'); l && l[1]; l = strchr(l + 1, '\n')) {
		unsigned int port;

		ASSERT_EQ(1, sscanf(l + 1, "%*d: %*x:%x", &port));
		ASSERT_TRUE(port >= 20000 && port < 20000 + N);
		twice += seen[port - 20000];
		seen[port - 20000] = true;
	}
	for (int i = 0; i < N; i++) {
		missed += !seen[i];
		close(fd[i]);
	}
	EXPECT_EQ(0, twice);
	EXPECT_EQ(0, missed);
	/* and from the beginning again */
	EXPECT_EQ(0, lseek(proc, 0, SEEK_SET));
	n = read(proc, chunk, sizeof(chunk));
	ASSERT_GT(n, 20);
	EXPECT_EQ(0, memcmp(chunk, all, 20));
	close(proc);
}

TEST_HARNESS_MAIN
