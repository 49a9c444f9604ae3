// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may share a local port: every pair of two sockets out of addresses and reuse flags,
 * on both stacks, and the two answers compared.
 */
#include "sock_env.h"

enum { REUSEADDR = 1, REUSEPORT = 2, LISTENS = 4 };

static const char *const addrs[] = { "0.0.0.0", "127.0.0.1", "127.0.0.2" };

static int bound(int family, int type, const char *addr, int port, int flags)
{
	int fd = socket(family, type, 0);

	if (flags & REUSEADDR)
		env_setopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (flags & REUSEPORT)
		env_setopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	errno = 0;
	if (env_bind(fd, addr, port) || (flags & LISTENS && listen(fd, 1))) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/* What the second bind (and listen) says; port is free again afterwards */
static int pair(int family, int type, const char *a, int fa, const char *b, int fb, int port)
{
	int first = bound(family, type, a, port, fa);
	int second, err;

	if (first < 0)
		return 1000 + errno;
	second = bound(family, type, b, port, fb);
	err = second < 0 ? errno : 0;
	close(first);
	close(second);
	return err;
}

static bool can_reuseport(int family)
{
	int fd = socket(family, SOCK_DGRAM, 0);
	bool can = !env_setopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);

	close(fd);
	return can;
}

static void matrix(struct __test_metadata *_metadata, int strata, int type, int max)
{
	int mask = can_reuseport(strata) ? 7 : 5;
	int fa, fb, native, ours;
	unsigned int a, b, n = 0;

	for (a = 0; a < ARRAY_SIZE(addrs); a++)
		for (b = 0; b < ARRAY_SIZE(addrs); b++)
			for (fa = 0; fa <= max; fa++)
				for (fb = 0; fb <= max; fb++) {
					if ((fa | fb) & ~mask)
						continue;
					native = pair(AF_INET, type, addrs[a], fa, addrs[b], fb,
						      5000 + n);
					ours = pair(strata, type, addrs[a], fa, addrs[b], fb,
						    5000 + n);
					n++;
					EXPECT_EQ(native, ours) {
						TH_LOG("%s flags %d, then %s flags %d", addrs[a],
						       fa, addrs[b], fb);
					}
				}
	TH_LOG("%u pairs", n);
}

ENV_FIXTURE(bind)

TEST_F(bind, matrix_udp)
{
	if (variant->stack == NATIVE)
		SKIP(return, "compares with native: once is enough");
	matrix(_metadata, self->family, SOCK_DGRAM, 3);
}

TEST_F(bind, matrix_tcp)
{
	if (variant->stack == NATIVE)
		SKIP(return, "compares with native: once is enough");
	matrix(_metadata, self->family, SOCK_STREAM, 7);
}

/* SO_REUSEPORT shares between sockets of one user only */
TEST_F(bind, reuseport_other_user)
{
	int a, b;

	if (!can_reuseport(self->family))
		SKIP(return, "this kernel's core keeps SO_REUSEPORT for AF_INET");
	a = bound(self->family, SOCK_DGRAM, "127.0.0.1", 5000, REUSEPORT);
	ASSERT_LE(0, a);
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	b = bound(self->family, SOCK_DGRAM, "127.0.0.1", 5000, REUSEPORT);
	EXPECT_EQ(-1, b);
	EXPECT_EQ(EADDRINUSE, errno);
}

/* Different protocols have different ports */
TEST_F(bind, protocols_apart)
{
	EXPECT_LE(0, bound(self->family, SOCK_DGRAM, "127.0.0.1", 5000, 0));
	EXPECT_LE(0, bound(self->family, SOCK_STREAM, "127.0.0.1", 5000, 0));
}

TEST_F(bind, devices_apart)
{
	int a = socket(self->family, SOCK_DGRAM, 0);
	int b = socket(self->family, SOCK_DGRAM, 0);
	int c = socket(self->family, SOCK_DGRAM, 0);

	ASSERT_EQ(0, system("ip link add d0 type dummy; ip link add d1 type dummy"));
	ASSERT_EQ(0, setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "d0", 3));
	ASSERT_EQ(0, setsockopt(b, SOL_SOCKET, SO_BINDTODEVICE, "d1", 3));
	EXPECT_EQ(0, env_bind(a, "0.0.0.0", 5000));
	EXPECT_EQ(0, env_bind(b, "0.0.0.0", 5000));
	EXPECT_ERRNO(EADDRINUSE, env_bind(c, "0.0.0.0", 5000));
	EXPECT_ERRNO(ENODEV, setsockopt(c, SOL_SOCKET, SO_BINDTODEVICE, "none", 5));
}

/* bind(0): inside the range, no port twice, not in order */
TEST_F(bind, any_port)
{
	static unsigned char seen[65536];
	int i, fd, port, last = 0, ascending = 0;

	for (i = 0; i < 200; i++) {
		fd = bound(self->family, SOCK_DGRAM, "127.0.0.1", 0, 0);
		ASSERT_LE(0, fd);
		port = env_port(fd);
		EXPECT_LE(32768, port);
		EXPECT_GE(60999, port);
		EXPECT_EQ(0, seen[port]++);
		ascending += port > last;
		last = port;
	}
	EXPECT_LT(50, ascending);
	EXPECT_GT(150, ascending);
}

/*
 * Who may share a port by SO_REUSEADDR is given one that nobody has as long as there is one; then
 * UDP shares, TCP only if the administrator wants (ip_autobind_reuse)
 */
TEST_F(bind, any_port_shared)
{
	const char *stack = variant->stack == NATIVE ? "ipv4" : "strata";
	int i, fd[4], first;

	ASSERT_EQ(0, env_run("echo 5000 5001 > /proc/sys/net/%s/ip_local_port_range%s", stack, ""));
	for (i = 0; i < 4; i++) {
		fd[i] = socket(self->family, SOCK_STREAM, 0);
		ASSERT_EQ(0, env_setopt(fd[i], SOL_SOCKET, SO_REUSEADDR, 1));
	}
	ASSERT_EQ(0, env_bind(fd[0], "127.0.0.1", 0));
	first = env_port(fd[0]);
	ASSERT_EQ(0, env_bind(fd[1], "127.0.0.1", 0));
	EXPECT_EQ(5000 + 5001 - first, env_port(fd[1]));
	EXPECT_ERRNO(EADDRINUSE, env_bind(fd[2], "127.0.0.1", 0));
	EXPECT_EQ(0, env_bind(fd[3], "127.0.0.1", 5000));	/* who names it may */
	ASSERT_EQ(0, env_run("echo 1 > /proc/sys/net/%s/ip_autobind_reuse%s", stack, ""));
	EXPECT_EQ(0, env_bind(fd[2], "127.0.0.1", 0));
	ASSERT_EQ(0, env_run("echo 0 > /proc/sys/net/%s/ip_autobind_reuse%s", stack, ""));

	for (i = 0; i < 4; i++) {
		fd[i] = socket(self->family, SOCK_DGRAM, 0);
		ASSERT_EQ(0, env_setopt(fd[i], SOL_SOCKET, SO_REUSEADDR, 1));
		EXPECT_EQ(0, env_bind(fd[i], "127.0.0.1", 0));
	}
}

/* A closed socket's port is free at once (UDP has no TIME-WAIT) */
TEST_F(bind, free_again)
{
	int i, fd;

	for (i = 0; i < 50; i++) {
		fd = bound(self->family, SOCK_DGRAM, "0.0.0.0", 5000, 0);
		ASSERT_LE(0, fd);
		close(fd);
	}
}

static struct sockaddr_in own_name(int fd)
{
	struct sockaddr_in sin = { };
	socklen_t len = sizeof(sin);

	getsockname(fd, (struct sockaddr *)&sin, &len);
	return sin;
}

static int queued(int fd)
{
	int n = 0;
	char c;

	usleep(20000);
	while (recv(fd, &c, 1, MSG_DONTWAIT) == 1)
		n++;
	return n;
}

/*
 * A port of a group may be shared with who has it at an address of this host. Connecting takes
 * nothing from him: the group's socket still hears what is sent to the group
 */
TEST_F(bind, group_keeps_apart)
{
	int own = bound(self->family, SOCK_DGRAM, "127.0.0.1", 5005, 0), group, peer, other;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char c;

	/* not even a user of another name */
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	group = bound(self->family, SOCK_DGRAM, "224.0.0.1", 5005, 0);
	peer = bound(self->family, SOCK_DGRAM, "127.0.0.1", 6000, 0);
	other = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_LE(0, group);
	ASSERT_LE(0, peer);
	EXPECT_EQ(inet_addr("224.0.0.1"), own_name(group).sin_addr.s_addr);

	ASSERT_EQ(0, env_connect(group, "127.0.0.1", 6000));
	EXPECT_EQ(inet_addr("224.0.0.1"), own_name(group).sin_addr.s_addr);
	EXPECT_EQ(htons(5005), own_name(group).sin_port);
	ASSERT_EQ(1, env_sendto(peer, "x", 1, 0, "127.0.0.1", 5005));
	EXPECT_EQ(1, queued(own));
	EXPECT_EQ(0, queued(group));
	/* what it sends has an address of this host as its source */
	ASSERT_EQ(1, send(group, "y", 1, 0));
	ASSERT_EQ(1, env_readable(peer));
	ASSERT_EQ(1, recvfrom(peer, &c, 1, 0, (struct sockaddr *)&from, &len));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), from.sin_addr.s_addr);
	EXPECT_EQ(htons(5005), from.sin_port);
	ASSERT_EQ(0, env_connect(group, "127.0.0.1", 9));
	ASSERT_EQ(0, env_unspec(group));
	EXPECT_EQ(inet_addr("224.0.0.1"), own_name(group).sin_addr.s_addr);
	EXPECT_EQ(htons(5005), own_name(group).sin_port);
	ASSERT_EQ(1, env_sendto(peer, "x", 1, 0, "127.0.0.1", 5005));
	ASSERT_EQ(1, env_sendto(other, "x", 1, 0, "127.0.0.1", 5005));
	EXPECT_EQ(2, queued(own));
	EXPECT_EQ(0, queued(group));

	/* and its owner may come back */
	close(own);
	own = bound(self->family, SOCK_DGRAM, "127.0.0.1", 5005, 0);
	ASSERT_LE(0, own);
	ASSERT_EQ(1, env_sendto(other, "x", 1, 0, "127.0.0.1", 5005));
	EXPECT_EQ(1, queued(own));
	EXPECT_EQ(0, queued(group));
}

TEST_HARNESS_MAIN
