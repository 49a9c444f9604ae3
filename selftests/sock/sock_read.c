// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways to read from a TCP socket: looking ahead from an offset (SO_PEEK_OFF), polling the device
 * instead of waiting for its interrupt (SO_BUSY_POLL).
 */
#include <signal.h>
#include "sock_env.h"

ENV_FIXTURE(reading)

/* ---- SO_PEEK_OFF ---- */

/* is @want what recv() of @len octets gives? */
static bool gives(int fd, int len, int flags, const char *want)
{
	char buf[64];
	int n = recv(fd, buf, len, flags | MSG_DONTWAIT);

	if (n == (int)strlen(want) && !memcmp(buf, want, n))
		return true;
	printf("# %.*s instead of %s\n", n < 0 ? 0 : n, buf, want);
	return false;
}

/* native knows it since 6.9 */
#define PEEK_OFF(fd, val) do {							\
	if (env_setopt(fd, SOL_SOCKET, SO_PEEK_OFF, val)) {			\
		ASSERT_EQ(EOPNOTSUPP, errno);					\
		ASSERT_EQ(NATIVE, self->family);				\
		SKIP(return, "this kernel's native TCP has no SO_PEEK_OFF");	\
	}									\
} while (0)

TEST_F(reading, peek_off)
{
	int a, b;

	ASSERT_EQ(0, env_joined(self->family, &a, &b));
	EXPECT_EQ(-1, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	PEEK_OFF(b, 0);
	ASSERT_EQ(10, send(a, "0123456789", 10, 0));
	ASSERT_EQ(1, env_readable(b));
	EXPECT_TRUE(gives(b, 4, MSG_PEEK, "0123"));
	EXPECT_EQ(4, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	EXPECT_TRUE(gives(b, 4, MSG_PEEK, "4567"));
	EXPECT_TRUE(gives(b, 4, MSG_PEEK, "89"));
	EXPECT_EQ(10, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	EXPECT_ERRNO(EAGAIN, recv(b, &a, 1, MSG_PEEK | MSG_DONTWAIT));
	/* what is read moves the offset back: it counts from the next octet */
	EXPECT_TRUE(gives(b, 3, 0, "012"));
	EXPECT_EQ(7, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_PEEK_OFF, 2));
	EXPECT_TRUE(gives(b, 2, MSG_PEEK, "56"));
	EXPECT_EQ(4, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	/* further than the offset: it stops at the next octet */
	EXPECT_TRUE(gives(b, 6, 0, "345678"));
	EXPECT_EQ(0, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	EXPECT_TRUE(gives(b, 9, MSG_PEEK, "9"));
}

TEST_F(reading, peek_off_ends)
{
	int a, b;

	ASSERT_EQ(0, env_joined(self->family, &a, &b));
	PEEK_OFF(b, 2);
	ASSERT_EQ(4, send(a, "abcd", 4, 0));
	ASSERT_EQ(1, env_readable(b));
	/* -1: from the first octet on, and it does not move */
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_PEEK_OFF, -1));
	EXPECT_TRUE(gives(b, 2, MSG_PEEK, "ab"));
	EXPECT_TRUE(gives(b, 4, MSG_PEEK, "abcd"));
	EXPECT_EQ(-1, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	/* at the end of the stream 0, as reading says */
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_PEEK_OFF, 3));
	ASSERT_EQ(0, shutdown(a, SHUT_WR));
	usleep(50000);
	EXPECT_TRUE(gives(b, 4, MSG_PEEK, "d"));
	EXPECT_EQ(0, recv(b, &a, 4, MSG_PEEK));
	EXPECT_EQ(4, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	EXPECT_TRUE(gives(b, 9, 0, "abcd"));
}

/* a look beyond what is there waits for it, across as many segments as it takes */
TEST_F(reading, peek_off_waits)
{
	char buf[8] = "";
	int a, b, i;
	pid_t pid;

	ASSERT_EQ(0, env_joined(self->family, &a, &b));
	PEEK_OFF(b, 3);
	ASSERT_EQ(2, send(a, "ab", 2, 0));
	pid = fork();
	if (!pid) {
		for (i = 0; i < 4; i++) {
			usleep(50000);
			send(a, &"cdef"[i], 1, 0);
		}
		_exit(0);
	}
	EXPECT_EQ(3, recv(b, buf, 3, MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "def", 3)) TH_LOG("%s", buf);
	EXPECT_EQ(pid, wait(NULL));
	EXPECT_EQ(6, env_getopt(b, SOL_SOCKET, SO_PEEK_OFF));
	EXPECT_TRUE(gives(b, 8, 0, "abcdef"));
}

/* ---- SO_BUSY_POLL ---- */

TEST_F(reading, busy_poll)
{
	int fd = socket(self->family, SOCK_STREAM, 0), a, b;
	char c = 0;

	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_BUSY_POLL));
	EXPECT_ERRNO(EINVAL, env_setopt(fd, SOL_SOCKET, SO_BUSY_POLL, -1));
	EXPECT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BUSY_POLL, 50));
	EXPECT_EQ(50, env_getopt(fd, SOL_SOCKET, SO_BUSY_POLL));
	EXPECT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, 1));
	EXPECT_EQ(1, env_getopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL));
	EXPECT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, 16));

	/* there is no device to poll here: reading waits as ever */
	ASSERT_EQ(0, env_joined(self->family, &a, &b));
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_BUSY_POLL, 1000));
	EXPECT_ERRNO(EAGAIN, recv(b, &c, 1, MSG_DONTWAIT));
	if (!fork()) {
		usleep(50000);
		_exit(send(a, "x", 1, 0) != 1);
	}
	EXPECT_EQ(1, recv(b, &c, 1, 0));
	EXPECT_EQ('x', c);
	wait(NULL);
}

/* what accept() gives has the listener's */
TEST_F(reading, busy_poll_inherited)
{
	int lst = socket(self->family, SOCK_STREAM, 0), a, b;

	ASSERT_EQ(0, env_bind(lst, "127.0.0.1", 0));
	ASSERT_EQ(0, listen(lst, 1));
	ASSERT_EQ(0, env_setopt(lst, SOL_SOCKET, SO_BUSY_POLL, 70));
	a = socket(self->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, env_connect(a, "127.0.0.1", env_port(lst)));
	b = accept(lst, NULL, NULL);
	ASSERT_LE(0, b);
	EXPECT_EQ(70, env_getopt(b, SOL_SOCKET, SO_BUSY_POLL));
}

/* over a veth pair whose reading end has a NAPI; *@b is here, *@a called from another namespace */
static int joined_veth(int family, const char *ip, int *a, int *b)
{
	int there = open("/proc/self/ns/net", O_RDONLY), here, lst;
	char ns[16];

	snprintf(ns, sizeof(ns), "%d", there);
	if (env_unshare() ||
	    env_run("ip link add v0 type veth peer name v1 netns /proc/self/fd/%s && "
		    "ethtool -K v0 tso off && ip link set v0 up && "
		    "%s addr add 10.9.0.1/24 dev v0", ns, ip))
		return -1;
	here = open("/proc/self/ns/net", O_RDONLY);
	*a = socket(family, SOCK_STREAM, 0);
	if (setns(there, CLONE_NEWNET) ||
	    env_run("ethtool -K v1 gro on && ip link set v1 up && %s addr add 10.9.0.2/24 dev v1%s",
		    ip, ""))
		return -1;
	lst = socket(family, SOCK_STREAM, 0);
	if (env_bind(lst, "10.9.0.2", 5000) || listen(lst, 1) || setns(here, CLONE_NEWNET) ||
	    env_connect(*a, "10.9.0.2", 5000))
		return -1;
	*b = accept(lst, NULL, NULL);
	close(lst);
	return *b < 0 ? -1 : setns(there, CLONE_NEWNET);
}

/* packets that polling sockets of this namespace have got, of either stack */
static long polled(void)
{
	char names[8192], values[8192], *n, *v, *ns, *vs;
	FILE *f = fopen("/proc/net/netstat", "r");
	long ret = -1;

	if (!f || !fgets(names, sizeof(names), f) || !fgets(values, sizeof(values), f))
		return -1;
	n = strtok_r(names, " \n", &ns);
	v = strtok_r(values, " \n", &vs);
	for (; n && v; n = strtok_r(NULL, " \n", &ns), v = strtok_r(NULL, " \n", &vs))
		if (!strcmp(n, "BusyPollRxPackets"))
			ret = atol(v);
	fclose(f);
	return ret;
}

/* the socket knows which NAPI brought its segments, and polls it: no interrupt is waited for */
TEST_F(reading, busy_poll_veth)
{
	const char *m = getenv("STRATA_MACHINE");
	int a, b, i;
	char c;

	ASSERT_EQ(0, joined_veth(self->family, variant->stack == NATIVE ? "ip" : "strata", &a, &b));
	ASSERT_EQ(1, send(a, "1", 1, 0));
	ASSERT_EQ(1, recv(b, &c, 1, 0));
	EXPECT_LT(0, env_getopt(b, SOL_SOCKET, SO_INCOMING_NAPI_ID));
	if (m && !strcmp(m, "sim"))
		return;		/* its clock stands while somebody polls, who then never ends */
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_BUSY_POLL, 200000));
	for (i = 0; i < 5; i++) {
		if (!fork()) {
			usleep(10000);
			_exit(send(a, "2", 1, 0) != 1);
		}
		EXPECT_EQ(1, recv(b, &c, 1, 0));
		EXPECT_EQ('2', c);
		wait(NULL);
	}
	EXPECT_LT(0, polled());
}

/* ---- who listens has nothing to read ---- */

TEST_F(reading, splice_listener)
{
	int fd = socket(self->family, SOCK_STREAM, 0), p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, env_bind(fd, "127.0.0.1", 0));
	ASSERT_EQ(0, listen(fd, 1));
	alarm(10);
	EXPECT_EQ(-1, splice(fd, NULL, p[1], NULL, 100, 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, splice(fd, NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
	EXPECT_EQ(ENOTCONN, errno);
	alarm(0);
	close(fd);
}

TEST_HARNESS_MAIN
