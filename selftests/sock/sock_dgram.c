// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams between sockets of one host, over 127.0.0.1.
 */
#include <linux/net_tstamp.h>
#include <sys/uio.h>
#include "sock_env.h"

ENV_FIXTURE(dgram)

static int receiver(int family)
{
	int fd = socket(family, SOCK_DGRAM, 0);

	return fd < 0 || env_bind(fd, "127.0.0.1", 0) ? -1 : fd;
}

/* A port of 127.0.0.1 where nobody listens */
static int closed_port(int family)
{
	int fd = receiver(family);
	int port = env_port(fd);

	close(fd);
	return port;
}

TEST_F(dgram, echo)
{
	static const int sizes[] = { 0, 1, 2, 3, 76, 100, 1472, 1473, 4000, 9000, 40001, 65507 };
	static char out[65536], in[65536];
	struct sockaddr_in from;
	socklen_t len;
	int srv = receiver(self->family);
	int cli = receiver(self->family);
	unsigned int i, k;

	ASSERT_LE(0, srv);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (k = 0; k < sizes[i]; k++)
			out[k] = k * 7 + k / 251 + i;
		ASSERT_EQ(sizes[i], env_sendto(cli, out, sizes[i], 0, "127.0.0.1", env_port(srv)));
		ASSERT_EQ(1, env_readable(srv)) TH_LOG("%d bytes", sizes[i]);
		memset(&from, 0xff, sizeof(from));
		len = sizeof(from);
		ASSERT_EQ(sizes[i], recvfrom(srv, in, sizeof(in), 0,
					     (struct sockaddr *)&from, &len));
		EXPECT_EQ(0, memcmp(in, out, sizes[i]));
		EXPECT_EQ(sizeof(from), len);
		EXPECT_EQ(AF_INET, from.sin_family);
		EXPECT_EQ(htonl(INADDR_LOOPBACK), from.sin_addr.s_addr);
		EXPECT_EQ(env_port(cli), ntohs(from.sin_port));
		EXPECT_EQ(0, from.sin_zero[0] | from.sin_zero[7]);
	}
}

TEST_F(dgram, send_refused)
{
	static char big[70000];
	struct sockaddr_in sin = env_addr("127.0.0.1", 9);
	struct sockaddr *sa = (struct sockaddr *)&sin;
	int fd = socket(self->family, SOCK_DGRAM, 0);

	EXPECT_ERRNO(EDESTADDRREQ, send(fd, "a", 1, 0));
	EXPECT_ERRNO(EDESTADDRREQ, write(fd, "a", 1));
	EXPECT_ERRNO(EINVAL, sendto(fd, "a", 1, 0, sa, sizeof(sin) - 1));
	EXPECT_ERRNO(EINVAL, env_sendto(fd, "a", 1, 0, "127.0.0.1", 0));
	sin.sin_family = AF_INET6;
	EXPECT_ERRNO(EAFNOSUPPORT, sendto(fd, "a", 1, 0, sa, sizeof(sin)));
	sin.sin_family = AF_UNSPEC;
	EXPECT_EQ(1, sendto(fd, "a", 1, 0, sa, sizeof(sin)));
	sin.sin_family = self->family;
	EXPECT_EQ(1, sendto(fd, "a", 1, 0, sa, sizeof(sin)));
	EXPECT_ERRNO(EOPNOTSUPP, env_sendto(fd, "a", 1, MSG_OOB, "127.0.0.1", 9));
	EXPECT_EQ(65507, env_sendto(fd, big, 65507, 0, "127.0.0.1", 9));
	EXPECT_ERRNO(EMSGSIZE, env_sendto(fd, big, 65508, 0, "127.0.0.1", 9));
	EXPECT_ERRNO(EMSGSIZE, env_sendto(fd, big, 65536, 0, "127.0.0.1", 9));
	EXPECT_ERRNO(ENETUNREACH, env_sendto(fd, "a", 1, 0, "192.0.2.1", 9));
	EXPECT_EQ(1, env_sendto(fd, "a", 1, 0, "0.0.0.0", 9));
}

TEST_F(dgram, connect_refused)
{
	struct sockaddr_in sin = env_addr("127.0.0.1", 9);
	struct sockaddr *sa = (struct sockaddr *)&sin;
	int fd = socket(self->family, SOCK_DGRAM, 0);

	EXPECT_ERRNO(EINVAL, connect(fd, sa, 1));
	EXPECT_ERRNO(EINVAL, connect(fd, sa, sizeof(sin) - 1));
	sin.sin_family = AF_INET6;
	EXPECT_ERRNO(EAFNOSUPPORT, connect(fd, sa, sizeof(sin)));
	EXPECT_ERRNO(ENETUNREACH, env_connect(fd, "192.0.2.1", 9));
	EXPECT_ERRNO(EDESTADDRREQ, send(fd, "a", 1, 0));
	sin.sin_family = self->family;
	EXPECT_EQ(0, connect(fd, sa, sizeof(sin)));
}

TEST_F(dgram, connect_names)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int peer = receiver(self->family), port = env_port(peer);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	int mine;

	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", port));
	ASSERT_EQ(0, getpeername(fd, (struct sockaddr *)&sin, &len));
	EXPECT_EQ(AF_INET, sin.sin_family);
	EXPECT_EQ(port, ntohs(sin.sin_port));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), sin.sin_addr.s_addr);
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&sin, &len));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), sin.sin_addr.s_addr);
	EXPECT_NE(0, sin.sin_port);

	/* undone, an address and port that connect() chose are given back */
	ASSERT_EQ(0, env_unspec(fd));
	EXPECT_ERRNO(ENOTCONN, getpeername(fd, (struct sockaddr *)&sin, &len));
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&sin, &len));
	EXPECT_EQ(INADDR_ANY, sin.sin_addr.s_addr);
	EXPECT_EQ(0, sin.sin_port);
	EXPECT_ERRNO(EDESTADDRREQ, send(fd, "a", 1, 0));

	/* what bind() chose stays */
	close(fd);
	fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(fd, "127.0.0.1", 5001));
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", port));
	ASSERT_EQ(0, env_unspec(fd));
	EXPECT_EQ(5001, env_port(fd));
	ASSERT_EQ(1, env_sendto(peer, "x", 1, 0, "127.0.0.1", 5001));
	EXPECT_EQ(1, env_readable(fd));

	/* from one peer to another without a stop between */
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", port));
	mine = env_port(fd);
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", port + 1));
	EXPECT_EQ(mine, env_port(fd));
	ASSERT_EQ(0, getpeername(fd, (struct sockaddr *)&sin, &len));
	EXPECT_EQ(port + 1, ntohs(sin.sin_port));
	/* 0.0.0.0 is this host */
	ASSERT_EQ(0, env_connect(fd, "0.0.0.0", port));
	ASSERT_EQ(0, getpeername(fd, (struct sockaddr *)&sin, &len));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), sin.sin_addr.s_addr);
}

/* A connected socket hears its peer only, and before an unconnected one of the same address */
TEST_F(dgram, connected_first)
{
	int any = socket(self->family, SOCK_DGRAM, 0);
	int con = socket(self->family, SOCK_DGRAM, 0);
	int a = receiver(self->family), b = receiver(self->family);
	char c;

	env_setopt(any, SOL_SOCKET, SO_REUSEADDR, 1);
	env_setopt(con, SOL_SOCKET, SO_REUSEADDR, 1);
	ASSERT_EQ(0, env_bind(con, "127.0.0.1", 5002));
	ASSERT_EQ(0, env_bind(any, "0.0.0.0", 5002));
	ASSERT_EQ(0, env_connect(con, "127.0.0.1", env_port(a)));

	ASSERT_EQ(1, env_sendto(a, "a", 1, 0, "127.0.0.1", 5002));
	ASSERT_EQ(1, env_sendto(b, "b", 1, 0, "127.0.0.1", 5002));
	ASSERT_EQ(1, env_readable(con));
	ASSERT_EQ(1, env_readable(any));
	EXPECT_EQ(1, recv(con, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ('a', c);
	EXPECT_EQ(1, recv(any, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ('b', c);
	EXPECT_ERRNO(EAGAIN, recv(con, &c, 1, MSG_DONTWAIT));
	EXPECT_ERRNO(EAGAIN, recv(any, &c, 1, MSG_DONTWAIT));
}

TEST_F(dgram, trunc_peek)
{
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = receiver(self->family), port = env_port(fd), val;
	char buf[32];

	ASSERT_EQ(10, env_sendto(fd, "0123456789", 10, 0, "127.0.0.1", port));
	ASSERT_EQ(5, env_sendto(fd, "abcde", 5, 0, "127.0.0.1", port));
	ASSERT_EQ(1, env_readable(fd));
	usleep(20000);
	EXPECT_EQ(0, ioctl(fd, SIOCINQ, &val));
	EXPECT_EQ(10, val);
	EXPECT_EQ(4, recv(fd, buf, 4, MSG_PEEK));
	EXPECT_EQ(10, recv(fd, buf, 4, MSG_PEEK | MSG_TRUNC));
	iov = (struct iovec){ buf, 4 };
	EXPECT_EQ(4, recvmsg(fd, &msg, MSG_PEEK));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags);
	EXPECT_EQ(10, recvmsg(fd, &msg, MSG_TRUNC));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags);
	EXPECT_EQ(0, memcmp(buf, "0123", 4));
	iov.iov_len = 32;
	EXPECT_EQ(5, recvmsg(fd, &msg, 0));
	EXPECT_EQ(0, msg.msg_flags);
	EXPECT_EQ(0, memcmp(buf, "abcde", 5));
	EXPECT_EQ(0, ioctl(fd, SIOCINQ, &val));
	EXPECT_EQ(0, val);
	EXPECT_EQ(0, ioctl(fd, SIOCOUTQ, &val));
	EXPECT_EQ(0, val);
	EXPECT_ERRNO(EAGAIN, recv(fd, buf, 1, MSG_DONTWAIT));
	EXPECT_ERRNO(EAGAIN, recv(fd, buf, 1, MSG_DONTWAIT | MSG_PEEK));
}

TEST_F(dgram, peek_off)
{
	int fd = receiver(self->family), port = env_port(fd);
	char buf[32];

	EXPECT_EQ(-1, env_getopt(fd, SOL_SOCKET, SO_PEEK_OFF));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_PEEK_OFF, 0));
	ASSERT_EQ(4, env_sendto(fd, "0123", 4, 0, "127.0.0.1", port));
	ASSERT_EQ(4, env_sendto(fd, "abcd", 4, 0, "127.0.0.1", port));
	usleep(20000);
	EXPECT_EQ(2, recv(fd, buf, 2, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ('0', buf[0]);
	EXPECT_EQ(2, recv(fd, buf, 32, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ('2', buf[0]);
	EXPECT_EQ(4, recv(fd, buf, 32, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ('a', buf[0]);
	EXPECT_ERRNO(EAGAIN, recv(fd, buf, 32, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ(4, recv(fd, buf, 32, MSG_DONTWAIT));
	EXPECT_EQ('0', buf[0]);
	EXPECT_EQ(4, env_getopt(fd, SOL_SOCKET, SO_PEEK_OFF));
}

TEST_F(dgram, dontwait_timeout)
{
	struct timeval tv = { .tv_usec = 200000 };
	int fd = receiver(self->family);
	int64_t began;
	char c;

	EXPECT_ERRNO(EAGAIN, recv(fd, &c, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	began = env_ms();
	EXPECT_ERRNO(EAGAIN, recv(fd, &c, 1, 0));
	EXPECT_LE(195, env_ms() - began);
	EXPECT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, recv(fd, &c, 1, 0));
}

/* A blocked receiver is woken by a datagram, by shutdown() and by a signal */
TEST_F(dgram, wakes)
{
	int fd = receiver(self->family), port = env_port(fd);
	char c;

	if (!fork()) {
		usleep(100000);
		env_sendto(fd, "x", 1, 0, "127.0.0.1", port);
		usleep(100000);
		shutdown(fd, SHUT_RDWR);
		_exit(0);
	}
	EXPECT_EQ(1, recv(fd, &c, 1, 0));
	EXPECT_EQ(0, recv(fd, &c, 1, 0));
	wait(NULL);
}

TEST_F(dgram, refused)
{
	int port = closed_port(self->family);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	int un = receiver(self->family);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char c;

	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", port));
	ASSERT_EQ(1, send(fd, "a", 1, 0));
	ASSERT_EQ(1, poll(&pfd, 1, 1000));
	EXPECT_EQ(POLLERR, pfd.revents & POLLERR);
	EXPECT_ERRNO(ECONNREFUSED, recv(fd, &c, 1, MSG_DONTWAIT));
	EXPECT_ERRNO(EAGAIN, recv(fd, &c, 1, MSG_DONTWAIT));

	ASSERT_EQ(1, send(fd, "a", 1, 0));
	ASSERT_EQ(1, poll(&pfd, 1, 1000));
	EXPECT_ERRNO(ECONNREFUSED, send(fd, "a", 1, 0));
	ASSERT_EQ(1, send(fd, "a", 1, 0));
	ASSERT_EQ(1, poll(&pfd, 1, 1000));
	EXPECT_EQ(ECONNREFUSED, env_getopt(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_ERROR));

	/* who is not connected is not bothered */
	ASSERT_EQ(1, env_sendto(un, "a", 1, 0, "127.0.0.1", port));
	usleep(50000);
	EXPECT_ERRNO(EAGAIN, recv(un, &c, 1, MSG_DONTWAIT));
}

TEST_F(dgram, error_queue)
{
	int port = closed_port(self->family);
	int fd = receiver(self->family);
	struct pollfd pfd = { .fd = fd };
	struct sock_extended_err *ee;
	struct sockaddr_in to, *offender;
	char buf[64], ctl[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = sizeof(ctl), .msg_name = &to, .msg_namelen = sizeof(to),
	};
	struct cmsghdr *cm;

	EXPECT_ERRNO(EAGAIN, recvmsg(fd, &msg, MSG_ERRQUEUE));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_RECVERR, 1));
	ASSERT_EQ(5, env_sendto(fd, "hello", 5, 0, "127.0.0.1", port));
	ASSERT_EQ(1, poll(&pfd, 1, 1000));
	EXPECT_EQ(POLLERR, pfd.revents);
	msg.msg_controllen = sizeof(ctl);
	ASSERT_EQ(5, recvmsg(fd, &msg, MSG_ERRQUEUE));
	EXPECT_EQ(MSG_ERRQUEUE, msg.msg_flags);
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	EXPECT_EQ(port, ntohs(to.sin_port));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), to.sin_addr.s_addr);
	cm = CMSG_FIRSTHDR(&msg);
	ASSERT_NE(NULL, cm);
	EXPECT_EQ(SOL_IP, cm->cmsg_level);
	EXPECT_EQ(IP_RECVERR, cm->cmsg_type);
	ee = (struct sock_extended_err *)CMSG_DATA(cm);
	EXPECT_EQ(ECONNREFUSED, ee->ee_errno);
	EXPECT_EQ(SO_EE_ORIGIN_ICMP, ee->ee_origin);
	EXPECT_EQ(3, ee->ee_type);
	EXPECT_EQ(3, ee->ee_code);
	offender = (struct sockaddr_in *)SO_EE_OFFENDER(ee);
	EXPECT_EQ(AF_INET, offender->sin_family);
	EXPECT_EQ(htonl(INADDR_LOOPBACK), offender->sin_addr.s_addr);
	EXPECT_ERRNO(EAGAIN, recvmsg(fd, &msg, MSG_ERRQUEUE));
}

TEST_F(dgram, poll_states)
{
	int fd = receiver(self->family), port = env_port(fd);
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLOUT, pfd.revents);
	ASSERT_EQ(0, env_sendto(fd, "", 0, 0, "127.0.0.1", port));
	ASSERT_EQ(1, env_readable(fd));
	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, pfd.revents);
	EXPECT_EQ(0, recv(fd, &pfd, 1, MSG_DONTWAIT));

	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", port));
	ASSERT_EQ(0, shutdown(fd, SHUT_RD));
	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP, pfd.revents);
	EXPECT_EQ(0, recv(fd, &pfd, 1, 0));
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP | POLLHUP, pfd.revents);
}

TEST_F(dgram, cork)
{
	int rx = receiver(self->family), port = env_port(rx);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	static char big[65000], buf[65536];
	int i;

	/* MSG_MORE: one datagram of three pieces, to where the first one went */
	ASSERT_EQ(2, env_sendto(fd, "ab", 2, MSG_MORE, "127.0.0.1", port));
	ASSERT_EQ(2, env_sendto(fd, "cd", 2, MSG_MORE, "127.0.0.1", port));
	usleep(20000);
	EXPECT_ERRNO(EAGAIN, recv(rx, buf, 32, MSG_DONTWAIT));
	ASSERT_EQ(1, send(fd, "e", 1, 0));
	ASSERT_EQ(1, env_readable(rx));
	EXPECT_EQ(5, recv(rx, buf, 32, MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(buf, "abcde", 5));

	/* UDP_CORK */
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", port));
	ASSERT_EQ(0, env_setopt(fd, SOL_UDP, UDP_CORK, 1));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(100, send(fd, big, 100, 0));
	usleep(20000);
	EXPECT_ERRNO(EAGAIN, recv(rx, buf, 32, MSG_DONTWAIT));
	ASSERT_EQ(0, env_setopt(fd, SOL_UDP, UDP_CORK, 0));
	ASSERT_EQ(1, env_readable(rx));
	EXPECT_EQ(1000, recv(rx, buf, sizeof(buf), MSG_DONTWAIT));

	/* too much: an error, and all of it is gone */
	for (i = 0; i < sizeof(big); i++)
		big[i] = i * 31;
	ASSERT_EQ(65000, send(fd, big, 65000, MSG_MORE));
	EXPECT_ERRNO(EMSGSIZE, send(fd, big, 1000, MSG_MORE));
	ASSERT_EQ(65000, send(fd, big, 65000, MSG_MORE));
	ASSERT_EQ(500, send(fd, big, 500, 0));
	ASSERT_EQ(1, env_readable(rx));
	EXPECT_EQ(65500, recv(rx, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(buf, big, 65000));
	EXPECT_EQ(0, memcmp(buf + 65000, big, 500));
	EXPECT_ERRNO(EAGAIN, recv(rx, buf, 32, MSG_DONTWAIT));

	/* closed with something pending: nothing comes, nothing leaks */
	ASSERT_EQ(10, send(fd, big, 10, MSG_MORE));
	close(fd);
	usleep(20000);
	EXPECT_ERRNO(EAGAIN, recv(rx, buf, 32, MSG_DONTWAIT));
}

TEST_F(dgram, queue_limit)
{
	int rx = receiver(self->family), port = env_port(rx);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	char buf[1000] = { }, ctl[64];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;
	uint32_t drops = 0;
	int i, got = 0, rcvbuf;

	ASSERT_EQ(0, env_setopt(rx, SOL_SOCKET, SO_RCVBUF, 20000));
	ASSERT_EQ(0, env_setopt(rx, SOL_SOCKET, SO_RXQ_OVFL, 1));
	rcvbuf = env_getopt(rx, SOL_SOCKET, SO_RCVBUF);
	EXPECT_EQ(40000, rcvbuf);
	for (i = 0; i < 200; i++)
		ASSERT_EQ(1000, env_sendto(fd, buf, 1000, 0, "127.0.0.1", port));
	usleep(50000);
	while (recv(rx, buf, sizeof(buf), MSG_DONTWAIT) == 1000)
		got++;
	EXPECT_LT(5, got);
	EXPECT_GE(rcvbuf / 1000 + 1, got);

	/* what was lost is told with the next one */
	ASSERT_EQ(4, env_sendto(fd, "next", 4, 0, "127.0.0.1", port));
	ASSERT_EQ(1, env_readable(rx));
	msg.msg_control = ctl;
	msg.msg_controllen = sizeof(ctl);
	ASSERT_EQ(4, recvmsg(rx, &msg, MSG_DONTWAIT));
	for (cm = CMSG_FIRSTHDR(&msg); cm; cm = CMSG_NXTHDR(&msg, cm))
		if (cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SO_RXQ_OVFL)
			memcpy(&drops, CMSG_DATA(cm), sizeof(drops));
	EXPECT_EQ(200 - got, drops);
}

TEST_F(dgram, reuseport_spread)
{
	enum { SOCKETS = 4, FLOWS = 200 };
	int rx[SOCKETS], got[SOCKETS] = { }, i, k, fd;
	char c;

	for (i = 0; i < SOCKETS; i++) {
		rx[i] = socket(self->family, SOCK_DGRAM, 0);
		if (env_setopt(rx[i], SOL_SOCKET, SO_REUSEPORT, 1)) {
			ASSERT_EQ(EOPNOTSUPP, errno);
			SKIP(return, "this kernel's core keeps SO_REUSEPORT for AF_INET");
		}
		ASSERT_EQ(0, env_bind(rx[i], "127.0.0.1", 5003));
	}
	for (i = 0; i < FLOWS; i++) {
		fd = socket(self->family, SOCK_DGRAM, 0);
		/* a flow stays with its socket */
		for (k = 0; k < 2; k++)
			ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "127.0.0.1", 5003));
		close(fd);
		if (i % 50 == 49)
			usleep(10000);
	}
	usleep(50000);
	for (i = 0; i < SOCKETS; i++) {
		while (recv(rx[i], &c, 1, MSG_DONTWAIT) == 1)
			got[i]++;
		EXPECT_LT(FLOWS * 2 / SOCKETS / 2, got[i]);
		EXPECT_EQ(0, got[i] % 2);
	}
	EXPECT_EQ(FLOWS * 2, got[0] + got[1] + got[2] + got[3]);
}

TEST_F(dgram, bind_device)
{
	int lo = socket(self->family, SOCK_DGRAM, 0);
	int other = socket(self->family, SOCK_DGRAM, 0);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	char c;

	ASSERT_EQ(0, system("ip link add d0 type dummy; ip link set d0 up"));
	ASSERT_EQ(0, setsockopt(other, SOL_SOCKET, SO_BINDTODEVICE, "d0", 3));
	ASSERT_EQ(0, env_bind(other, "0.0.0.0", 5004));
	ASSERT_EQ(0, setsockopt(lo, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	ASSERT_EQ(0, env_bind(lo, "0.0.0.0", 5004));
	ASSERT_EQ(1, env_sendto(fd, "x", 1, 0, "127.0.0.1", 5004));
	EXPECT_EQ(1, env_readable(lo));
	EXPECT_ERRNO(EAGAIN, recv(other, &c, 1, MSG_DONTWAIT));
}

static bool has_cmsg(struct msghdr *msg, int level, int type, void *data, size_t len)
{
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(msg); cm; cm = CMSG_NXTHDR(msg, cm))
		if (cm->cmsg_level == level && cm->cmsg_type == type) {
			memcpy(data, CMSG_DATA(cm), len);
			return true;
		}
	return false;
}

TEST_F(dgram, cmsgs)
{
	int rx = receiver(self->family), port = env_port(rx);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	char buf[8], ctl[512];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = sizeof(ctl),
	};
	struct in_pktinfo info;
	struct timeval tv;
	uint8_t tos = 0;
	int ttl = 0;

	ASSERT_EQ(0, env_setopt(rx, SOL_IP, IP_PKTINFO, 1));
	ASSERT_EQ(0, env_setopt(rx, SOL_IP, IP_RECVTTL, 1));
	ASSERT_EQ(0, env_setopt(rx, SOL_IP, IP_RECVTOS, 1));
	ASSERT_EQ(0, env_setopt(rx, SOL_SOCKET, SO_TIMESTAMP, 1));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_TTL, 17));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_TOS, 0x10));
	ASSERT_EQ(3, env_sendto(fd, "abc", 3, 0, "127.0.0.1", port));
	ASSERT_EQ(1, env_readable(rx));
	ASSERT_EQ(3, recvmsg(rx, &msg, 0));
	ASSERT_EQ(true, has_cmsg(&msg, SOL_IP, IP_PKTINFO, &info, sizeof(info)));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), info.ipi_addr.s_addr);
	EXPECT_EQ(htonl(INADDR_LOOPBACK), info.ipi_spec_dst.s_addr);
	EXPECT_EQ(if_nametoindex("lo"), info.ipi_ifindex);
	ASSERT_EQ(true, has_cmsg(&msg, SOL_IP, IP_TTL, &ttl, sizeof(ttl)));
	EXPECT_EQ(17, ttl);
	ASSERT_EQ(true, has_cmsg(&msg, SOL_IP, IP_TOS, &tos, sizeof(tos)));
	EXPECT_EQ(0x10, tos);
	ASSERT_EQ(true, has_cmsg(&msg, SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv)));
	EXPECT_LT(0, tv.tv_sec);
}

/* Control messages that mean something to other families only are no error */
TEST_F(dgram, cmsgs_of_others)
{
	int rx = receiver(self->family), fd = socket(self->family, SOCK_DGRAM, 0);
	struct sockaddr_in to = env_addr("127.0.0.1", env_port(rx));
	char ctl[CMSG_SPACE(12)] = { };
	struct iovec iov = { "abc", 3 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = sizeof(ctl), .msg_name = &to, .msg_namelen = sizeof(to),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_len = CMSG_LEN(12);
	cm->cmsg_type = SCM_CREDENTIALS;
	EXPECT_EQ(3, sendmsg(fd, &msg, 0));
	cm->cmsg_level = SOL_TCP;
	EXPECT_EQ(3, sendmsg(fd, &msg, 0));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = 999;
	EXPECT_ERRNO(EINVAL, sendmsg(fd, &msg, 0));
}

/* when a datagram is to leave: for those only who said that they would say */
TEST_F(dgram, cmsg_txtime)
{
	struct sock_txtime on = { .clockid = CLOCK_MONOTONIC };
	int rx = receiver(self->family), fd = socket(self->family, SOCK_DGRAM, 0);
	struct sockaddr_in to = env_addr("127.0.0.1", env_port(rx));
	char ctl[CMSG_SPACE(sizeof(uint64_t))] = { };
	uint64_t at = (env_ms() + 10) * 1000000;
	struct iovec iov = { "abc", 3 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = sizeof(ctl), .msg_name = &to, .msg_namelen = sizeof(to),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_TXTIME;
	cm->cmsg_len = CMSG_LEN(sizeof(at));
	memcpy(CMSG_DATA(cm), &at, sizeof(at));
	EXPECT_ERRNO(EINVAL, sendmsg(fd, &msg, 0));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_TXTIME, &on, sizeof(on)));
	EXPECT_EQ(3, sendmsg(fd, &msg, 0));
	EXPECT_EQ(1, env_readable(rx));
	EXPECT_EQ(3, sendmsg(fd, &msg, MSG_MORE));
	EXPECT_EQ(3, env_sendto(fd, "def", 3, 0, "127.0.0.1", env_port(rx)));
	EXPECT_EQ(1, env_readable(rx));
	cm->cmsg_len--;
	EXPECT_ERRNO(EINVAL, sendmsg(fd, &msg, 0));
}

TEST_HARNESS_MAIN
