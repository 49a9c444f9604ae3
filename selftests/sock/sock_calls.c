// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls with good and bad arguments: what is refused, how, and in which order of checks.
 */
#include "sock_env.h"

ENV_FIXTURE(calls)

TEST_F(calls, types)
{
	static const struct {
		int type, proto, err;
	} tries[] = {
		{ SOCK_STREAM, 0, 0 },
		{ SOCK_STREAM, IPPROTO_TCP, 0 },
		{ SOCK_DGRAM, 0, 0 },
		{ SOCK_DGRAM, IPPROTO_UDP, 0 },
		{ SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0 },
		{ SOCK_STREAM, IPPROTO_UDP, EPROTONOSUPPORT },
		{ SOCK_DGRAM, IPPROTO_TCP, EPROTONOSUPPORT },
		{ SOCK_RDM, 0, ESOCKTNOSUPPORT },
		{ SOCK_SEQPACKET, 0, ESOCKTNOSUPPORT },
		{ SOCK_STREAM, -1, EINVAL },
		{ SOCK_STREAM, 10000, EINVAL },
		{ 15, 0, EINVAL },
	};
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		errno = 0;
		fd = socket(self->family, tries[i].type, tries[i].proto);
		EXPECT_EQ(tries[i].err, errno) TH_LOG("try %u", i);
		EXPECT_EQ(tries[i].err == 0, fd >= 0);
		close(fd);
	}
	fd = socket(self->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(fd, F_GETFL));
	EXPECT_EQ(SOCK_DGRAM, env_getopt(fd, SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(self->family, env_getopt(fd, SOL_SOCKET, SO_DOMAIN));
	EXPECT_ERRNO(EOPNOTSUPP, socketpair(self->family, SOCK_STREAM, 0, (int [2]){ }));
}

TEST_F(calls, names)
{
	struct sockaddr_in sin;
	socklen_t len;
	int fd, type;

	for (type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		fd = socket(self->family, type, 0);
		memset(&sin, 0xff, sizeof(sin));
		len = sizeof(sin);
		ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&sin, &len));
		EXPECT_EQ(sizeof(sin), len);
		EXPECT_EQ(AF_INET, sin.sin_family);
		EXPECT_EQ(0, sin.sin_port);
		EXPECT_EQ(INADDR_ANY, sin.sin_addr.s_addr);
		EXPECT_EQ(0, sin.sin_zero[0] | sin.sin_zero[7]);
		EXPECT_ERRNO(ENOTCONN, getpeername(fd, (struct sockaddr *)&sin, &len));

		/* a short buffer gets what fits, and how long it would be */
		ASSERT_EQ(0, env_bind(fd, "127.0.0.1", 0));
		len = 4;
		memset(&sin, 0xff, sizeof(sin));
		ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&sin, &len));
		EXPECT_EQ(sizeof(sin), len);
		EXPECT_NE(0, sin.sin_port);
		EXPECT_EQ(0xffffffff, sin.sin_addr.s_addr);
		EXPECT_ERRNO(EFAULT, getsockname(fd, NOWHERE, &len));
		EXPECT_ERRNO(EFAULT, getsockname(fd, (struct sockaddr *)&sin, NOWHERE));
		close(fd);
	}
}

TEST_F(calls, bind_refused)
{
	struct sockaddr_in sin = env_addr("127.0.0.1", 0);
	struct sockaddr *sa = (struct sockaddr *)&sin;
	int fd, type;

	for (type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		fd = socket(self->family, type, 0);
		sin = env_addr("127.0.0.1", 0);
		EXPECT_ERRNO(EINVAL, bind(fd, sa, sizeof(sin) - 1));
		EXPECT_ERRNO(EINVAL, bind(fd, sa, 0));
		EXPECT_ERRNO(EINVAL, bind(fd, sa, -1));
		EXPECT_ERRNO(EINVAL, bind(fd, sa, 1000));
		EXPECT_ERRNO(EFAULT, bind(fd, NOWHERE, sizeof(sin)));
		sin.sin_family = AF_INET6;
		EXPECT_ERRNO(EAFNOSUPPORT, bind(fd, sa, sizeof(sin)));
		sin.sin_family = AF_UNIX;
		EXPECT_ERRNO(EAFNOSUPPORT, bind(fd, sa, sizeof(sin)));
		sin.sin_family = AF_UNSPEC;
		EXPECT_ERRNO(EAFNOSUPPORT, bind(fd, sa, sizeof(sin)));
		EXPECT_ERRNO(EADDRNOTAVAIL, env_bind(fd, "192.0.2.1", 0));
		EXPECT_EQ(0, env_setopt(fd, SOL_IP, IP_FREEBIND, 1));
		EXPECT_EQ(0, env_bind(fd, "192.0.2.1", 0));
		EXPECT_ERRNO(EINVAL, env_bind(fd, "127.0.0.1", 0));
		close(fd);

		fd = socket(self->family, type, 0);
		sin = env_addr("0.0.0.0", 0);
		sin.sin_family = AF_UNSPEC;
		EXPECT_EQ(0, bind(fd, sa, sizeof(sin)));
		EXPECT_LT(0, env_port(fd));
		close(fd);

		/* the family may be the socket's own */
		fd = socket(self->family, type, 0);
		sin = env_addr("127.0.0.1", 0);
		sin.sin_family = self->family;
		EXPECT_EQ(0, bind(fd, sa, sizeof(sin)));
		close(fd);
	}
}

TEST_F(calls, low_ports)
{
	int a = socket(self->family, SOCK_DGRAM, 0);
	int b = socket(self->family, SOCK_STREAM, 0);
	int c = socket(self->family, SOCK_STREAM, 0);

	EXPECT_EQ(0, env_bind(a, "127.0.0.1", 1023));
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_ERRNO(EACCES, env_bind(b, "127.0.0.1", 1023));
	EXPECT_ERRNO(EACCES, env_bind(c, "0.0.0.0", 1));
	EXPECT_EQ(0, env_bind(b, "127.0.0.1", 1024));
}

TEST_F(calls, efault)
{
	struct sockaddr_in sin = env_addr("127.0.0.1", 9);
	struct iovec iov = { NOWHERE, 10 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = socket(self->family, SOCK_DGRAM, 0);
	int to = socket(self->family, SOCK_DGRAM, 0);
	socklen_t len = sizeof(int);
	char buf[16];
	int val;

	ASSERT_EQ(0, env_bind(fd, "127.0.0.1", 0));
	EXPECT_ERRNO(EFAULT, connect(fd, NOWHERE, sizeof(sin)));
	EXPECT_ERRNO(EFAULT, sendto(fd, buf, 1, 0, NOWHERE, sizeof(sin)));
	EXPECT_ERRNO(EFAULT, sendto(fd, NOWHERE, 10, 0, (void *)&sin, sizeof(sin)));
	EXPECT_ERRNO(EFAULT, sendto(fd, NOWHERE, 10000, 0, (void *)&sin, sizeof(sin)));
	EXPECT_ERRNO(EFAULT, sendto(fd, NOWHERE, 10, MSG_MORE, (void *)&sin, sizeof(sin)));
	msg.msg_name = &sin;
	msg.msg_namelen = sizeof(sin);
	EXPECT_ERRNO(EFAULT, sendmsg(fd, &msg, 0));
	EXPECT_ERRNO(EFAULT, sendmsg(fd, NOWHERE, 0));

	/* a datagram that cannot be copied is lost, as native's is */
	ASSERT_EQ(3, env_sendto(to, "abc", 3, 0, "127.0.0.1", env_port(fd)));
	ASSERT_EQ(1, env_readable(fd));
	EXPECT_ERRNO(EFAULT, recv(fd, NOWHERE, 10, MSG_PEEK));
	EXPECT_ERRNO(EFAULT, recv(fd, NOWHERE, 10, MSG_DONTWAIT));
	EXPECT_ERRNO(EAGAIN, recv(fd, buf, 10, MSG_DONTWAIT));

	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_UDP, UDP_CORK, NOWHERE, sizeof(int)));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_IP, IP_TTL, NOWHERE, sizeof(int)));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_SOCKET, SO_RCVBUF, NOWHERE, sizeof(int)));
	EXPECT_ERRNO(EFAULT, getsockopt(fd, SOL_UDP, UDP_CORK, NOWHERE, &len));
	EXPECT_ERRNO(EFAULT, getsockopt(fd, SOL_UDP, UDP_CORK, &val, NOWHERE));
	EXPECT_ERRNO(EFAULT, getsockopt(fd, SOL_IP, IP_TTL, NOWHERE, &len));
	EXPECT_ERRNO(EFAULT, getsockopt(fd, SOL_IP, IP_TTL, &val, NOWHERE));
	EXPECT_ERRNO(EFAULT, ioctl(fd, SIOCINQ, NOWHERE));
	EXPECT_ERRNO(EFAULT, ioctl(fd, SIOCOUTQ, NOWHERE));
	EXPECT_ERRNO(EFAULT, ioctl(fd, SIOCGIFADDR, NOWHERE));
}

TEST_F(calls, option_lengths)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	char big[4096] = { 1 };
	socklen_t len;
	int val = 1;

	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_UDP, UDP_CORK, &val, 0));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_UDP, UDP_CORK, &val, 3));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_UDP, UDP_CORK, &val, -1));
	EXPECT_EQ(0, setsockopt(fd, SOL_UDP, UDP_CORK, big, sizeof(big)));
	EXPECT_EQ(1, env_getopt(fd, SOL_UDP, UDP_CORK));
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fd, SOL_UDP, 9999, &val, sizeof(val)));
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fd, SOL_TCP, TCP_NODELAY, &val, sizeof(val)));
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fd, 12345, 1, &val, sizeof(val)));
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fd, SOL_IP, 9999, &val, sizeof(val)));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_IP, IP_TTL, &val, 0));
	EXPECT_EQ(0, setsockopt(fd, SOL_IP, IP_TTL, &val, 1));
	EXPECT_EQ(1, env_getopt(fd, SOL_IP, IP_TTL));

	len = -1;
	EXPECT_ERRNO(EINVAL, getsockopt(fd, SOL_UDP, UDP_CORK, &val, &len));
	len = -1;
	EXPECT_ERRNO(EINVAL, getsockopt(fd, SOL_IP, IP_TTL, &val, &len));
	len = sizeof(big);
	EXPECT_EQ(0, getsockopt(fd, SOL_UDP, UDP_CORK, big, &len));
	EXPECT_EQ(sizeof(int), len);
	len = sizeof(val);
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(fd, SOL_UDP, 9999, &val, &len));
	EXPECT_ERRNO(EOPNOTSUPP, getsockopt(fd, SOL_TCP, TCP_NODELAY, &val, &len));
	EXPECT_ERRNO(EOPNOTSUPP, getsockopt(fd, 12345, 1, &val, &len));
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(fd, SOL_IP, 9999, &val, &len));
}

TEST_F(calls, wrong_type)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	int val;

	EXPECT_ERRNO(EOPNOTSUPP, listen(fd, 1));
	EXPECT_ERRNO(EOPNOTSUPP, accept(fd, NULL, NULL));
	EXPECT_ERRNO(EINVAL, shutdown(fd, 3));
	EXPECT_ERRNO(EINVAL, shutdown(fd, -1));
	EXPECT_ERRNO(ENOTCONN, shutdown(fd, SHUT_RDWR));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, 0x1234, &val));
	EXPECT_EQ((void *)-1, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

TEST_F(calls, reuseport_option)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	int val = 1;

	if (env_setopt(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
		/* a kernel that grants it to AF_INET only and asks nobody */
		ASSERT_EQ(EOPNOTSUPP, errno);
		SKIP(return, "this kernel's core keeps SO_REUSEPORT for AF_INET");
	}
	EXPECT_EQ(1, env_getopt(fd, SOL_SOCKET, SO_REUSEPORT));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &val, 3));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, NOWHERE, 4));
	EXPECT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_REUSEPORT, 0));
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_REUSEPORT));
}

/* for kernels whose core answers at SOL_SOCKET without asking */
TEST_F(calls, own_level)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	int val = 1;

	if (variant->stack == NATIVE) {
		EXPECT_ERRNO(ENOPROTOOPT, env_setopt(fd, SOL_STRATA, SO_REUSEPORT, 1));
		return;
	}
	EXPECT_EQ(0, env_setopt(fd, SOL_STRATA, SO_REUSEPORT, 1));
	EXPECT_EQ(1, env_getopt(fd, SOL_SOCKET, SO_REUSEPORT));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_STRATA, SO_REUSEPORT, &val, 3));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_STRATA, SO_REUSEPORT, NOWHERE, 4));
	EXPECT_EQ(0, env_setopt(fd, SOL_STRATA, 60 /* SO_ZEROCOPY */, 1));
	EXPECT_EQ(1, env_getopt(fd, SOL_SOCKET, 60));
	EXPECT_ERRNO(ENOPROTOOPT, env_setopt(fd, SOL_STRATA, SO_KEEPALIVE, 1));
	EXPECT_ERRNO(EOPNOTSUPP, getsockopt(fd, SOL_STRATA, SO_REUSEPORT, &val,
					    &(socklen_t){ sizeof(val) }));
}

TEST_HARNESS_MAIN
