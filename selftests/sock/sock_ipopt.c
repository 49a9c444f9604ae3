// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of level SOL_IP by what they do: which ports bind() and connect() choose
 * (IP_LOCAL_PORT_RANGE), from how far may come what a socket hears (IP_MINTTL), the protocol of a
 * socket (IP_PROTOCOL). Of those that choose a device sock_device.c has more; every length and
 * value is asked by input_opts.
 */
#include "sock_env.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE	51
#endif
#ifndef IP_PROTOCOL
#define IP_PROTOCOL	52
#endif

ENV_FIXTURE(ipopt)

static int ranged(int family, int type, int lo, int hi)
{
	int fd = socket(family, type, 0);

	return env_setopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, (unsigned int)hi << 16 | lo) ? -1 : fd;
}

static int bound_in(int family, int type, int lo, int hi)
{
	int fd = ranged(family, type, lo, hi);

	return env_bind(fd, "127.0.0.1", 0) ? -1 : fd;
}

/* All of a range, and no port but those; the end of it is told as of the namespace's */
TEST_F(ipopt, range_bind)
{
	int type, fd[3], port[2];

	for (type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		fd[0] = bound_in(self->family, type, 40000, 40001);
		fd[1] = bound_in(self->family, type, 40000, 40001);
		ASSERT_LE(0, fd[0]);
		ASSERT_LE(0, fd[1]);
		port[0] = env_port(fd[0]);
		port[1] = env_port(fd[1]);
		EXPECT_EQ(80001, port[0] + port[1]);
		EXPECT_LE(40000, port[0]);
		EXPECT_GE(40001, port[0]);
		fd[2] = ranged(self->family, type, 40000, 40001);
		EXPECT_ERRNO(EADDRINUSE, env_bind(fd[2], "127.0.0.1", 0));
		/* the option says nothing of a port that is named */
		EXPECT_EQ(0, env_bind(fd[2], "127.0.0.1", 7000));
		fd[2] = bound_in(self->family, type, 40007, 40007);
		ASSERT_LE(0, fd[2]);
		EXPECT_EQ(40007, env_port(fd[2]));
	}
}

/* connect() has them all, even and odd; another destination may have them once more */
TEST_F(ipopt, range_connect)
{
	int lst = socket(self->family, SOCK_STREAM, 0);
	int other = socket(self->family, SOCK_STREAM, 0);
	int i, fd, ports = 0;

	ASSERT_EQ(0, env_bind(lst, "127.0.0.1", 7000));
	ASSERT_EQ(0, listen(lst, 8));
	ASSERT_EQ(0, env_bind(other, "127.0.0.1", 7001));
	ASSERT_EQ(0, listen(other, 8));
	for (i = 0; i < 4; i++) {
		fd = ranged(self->family, SOCK_STREAM, 40010, 40013);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, env_connect(fd, "127.0.0.1", 7000));
		ASSERT_LE(40010, env_port(fd));
		ASSERT_GE(40013, env_port(fd));
		ports |= 1 << (env_port(fd) - 40010);
	}
	EXPECT_EQ(15, ports);
	fd = ranged(self->family, SOCK_STREAM, 40010, 40013);
	EXPECT_ERRNO(EADDRNOTAVAIL, env_connect(fd, "127.0.0.1", 7000));
	EXPECT_EQ(0, env_connect(fd, "127.0.0.1", 7001));
	/* an address without a port (IP_BIND_ADDRESS_NO_PORT) waits for connect() to choose it */
	fd = ranged(self->family, SOCK_STREAM, 40020, 40020);
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	ASSERT_EQ(0, env_bind(fd, "127.0.0.2", 0));
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", 7000));
	EXPECT_EQ(40020, env_port(fd));
}

/* A datagram socket that was not bound, by its first call; and listen() */
TEST_F(ipopt, range_unbound)
{
	int fd = ranged(self->family, SOCK_DGRAM, 40030, 40030);

	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "127.0.0.1", 9));
	EXPECT_EQ(40030, env_port(fd));
	fd = ranged(self->family, SOCK_DGRAM, 40031, 40031);
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", 9));
	EXPECT_EQ(40031, env_port(fd));
	fd = ranged(self->family, SOCK_STREAM, 40031, 40031);
	ASSERT_EQ(0, listen(fd, 1));
	EXPECT_EQ(40031, env_port(fd));
}

/* Only what lies in the namespace's range (32768 to 60999) narrows it, each end for itself */
TEST_F(ipopt, range_within)
{
	static const struct {
		int lo, hi, low, high;
	} tries[] = {
		{ 60990, 0, 60990, 60999 }, { 0, 32777, 32768, 32777 }, { 0, 0, 32768, 60999 },
		{ 60990, 65535, 60990, 60999 }, { 1, 32777, 32768, 32777 },
		{ 1000, 2000, 32768, 60999 }, { 61000, 65535, 32768, 60999 },
	};
	int i, k, type, fd, port;

	for (type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
		for (i = 0; i < ARRAY_SIZE(tries) * 5; i++) {
			k = i % ARRAY_SIZE(tries);
			fd = bound_in(self->family, type, tries[k].lo, tries[k].hi);
			ASSERT_LE(0, fd);
			port = env_port(fd);
			EXPECT_LE(tries[k].low, port) TH_LOG("%d: %d", k, port);
			EXPECT_GE(tries[k].high, port) TH_LOG("%d: %d", k, port);
			close(fd);
		}
}

TEST_F(ipopt, range_values)
{
	unsigned int val = 60000U << 16 | 50000, got = 0;
	socklen_t len = sizeof(got);
	int lst, fd, a;

	fd = ranged(self->family, SOCK_STREAM, 50000, 60000);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, &got, &len));
	EXPECT_EQ(val, got);
	EXPECT_EQ(4, len);
	len = 2;
	got = 0;
	ASSERT_EQ(0, getsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, &got, &len));
	EXPECT_EQ(50000, got);
	EXPECT_EQ(2, len);
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, &val, 3));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, &val, 8));
	EXPECT_ERRNO(EINVAL, env_setopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, 5 << 16 | 6));
	EXPECT_EQ(0, env_setopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, 6 << 16 | 6));
	/* what is accepted has the listener's */
	lst = bound_in(self->family, SOCK_STREAM, 40040, 40041);
	ASSERT_EQ(0, listen(lst, 1));
	a = socket(self->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, env_connect(a, "127.0.0.1", env_port(lst)));
	fd = accept(lst, NULL, NULL);
	EXPECT_EQ(40041 << 16 | 40040, (unsigned int)env_getopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE));
}

/* RFC 5082. A datagram socket has it to no effect */
TEST_F(ipopt, min_ttl)
{
	int lst = socket(self->family, SOCK_STREAM, 0), fd = socket(self->family, SOCK_STREAM, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	char c;

	ASSERT_EQ(0, env_setopt(lst, SOL_IP, IP_MINTTL, 65));
	ASSERT_EQ(65, env_getopt(lst, SOL_IP, IP_MINTTL));
	ASSERT_EQ(0, env_bind(lst, "127.0.0.1", 7000));
	ASSERT_EQ(0, listen(lst, 1));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_TTL, 64));
	EXPECT_ERRNO(EINPROGRESS, env_connect(fd, "127.0.0.1", 7000));
	EXPECT_EQ(0, poll(&pfd, 1, 300));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_TTL, 65));	/* of its SYN's next copy */
	EXPECT_EQ(1, poll(&pfd, 1, 5000));
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_ERROR));

	lst = socket(self->family, SOCK_DGRAM, 0);
	fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_setopt(lst, SOL_IP, IP_MINTTL, 255));
	ASSERT_EQ(0, env_bind(lst, "127.0.0.1", 7000));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "127.0.0.1", 7000));
	ASSERT_EQ(1, env_readable(lst));
	EXPECT_EQ(1, recv(lst, &c, 1, 0));
}

/* Of sockets that are not raw it gives the port, and as ancillary data it changes nothing */
TEST_F(ipopt, protocol)
{
	int fd = socket(self->family, SOCK_DGRAM, 0), i;
	union { char b[CMSG_SPACE(4)]; struct cmsghdr c; } ctl = {
		.c = { CMSG_LEN(4), SOL_IP, IP_PROTOCOL },
	};
	struct sockaddr_in to = env_addr("127.0.0.1", 9);
	struct iovec iov = { "x", 1 };
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};
	static const int vals[] = { 0, 256, -1, 1, 17, 255 };

	EXPECT_EQ(0, env_getopt(fd, SOL_IP, IP_PROTOCOL));
	EXPECT_ERRNO(ENOPROTOOPT, env_setopt(fd, SOL_IP, IP_PROTOCOL, 17));
	ASSERT_EQ(0, env_bind(fd, "127.0.0.1", 7000));
	EXPECT_EQ(7000, env_getopt(fd, SOL_IP, IP_PROTOCOL));
	for (i = 0; i < ARRAY_SIZE(vals); i++) {
		memcpy(CMSG_DATA(&ctl.c), &vals[i], 4);
		if (i < 3)
			EXPECT_ERRNO(EINVAL, sendmsg(fd, &m, 0));
		else
			EXPECT_EQ(1, sendmsg(fd, &m, 0));
	}
	ctl.c.cmsg_len = CMSG_LEN(1);
	EXPECT_ERRNO(EINVAL, sendmsg(fd, &m, 0));
}

TEST_HARNESS_MAIN
