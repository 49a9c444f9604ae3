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
		for (; n && v && val < 0; n = strtok_r(NULL, " \n", &at_n),
					  v = strtok_r(NULL, " \n", &at_v))
			if (!strcmp(n, name))
				val = atol(v);
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
	fclose(f);
	close(udp);
	trio_close(&t);
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
