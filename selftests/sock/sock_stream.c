// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls on stream sockets: opening, what each call says in each state, closing. What goes
 * over the wire is tested elsewhere.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include "sock_env.h"

ENV_FIXTURE(stream)

static int listener(int family, int backlog)
{
	int fd = socket(family, SOCK_STREAM, 0);

	return fd < 0 || env_bind(fd, "127.0.0.1", 0) || listen(fd, backlog) ? -1 : fd;
}

/* A connected pair: *@a called, *@b was accepted */
static int joined(int family, int *a, int *b)
{
	int lst = listener(family, 8);

	*a = socket(family, SOCK_STREAM, 0);
	if (env_connect(*a, "127.0.0.1", env_port(lst)))
		return -1;
	*b = accept(lst, NULL, NULL);
	close(lst);
	return *b < 0 ? -1 : 0;
}

static int closed_port(int family)
{
	int fd = listener(family, 1);
	int port = env_port(fd);

	close(fd);
	return port;
}

TEST_F(stream, connect_states)
{
	struct sockaddr_in sin = env_addr("127.0.0.1", 9);
	struct sockaddr *sa = (struct sockaddr *)&sin;
	int lst = listener(self->family, 8);
	int fd = socket(self->family, SOCK_STREAM, 0);

	EXPECT_ERRNO(EFAULT, connect(fd, NOWHERE, sizeof(sin)));
	EXPECT_ERRNO(EINVAL, connect(fd, sa, 1));
	EXPECT_ERRNO(EINVAL, connect(fd, sa, sizeof(sin) - 1));
	sin.sin_family = AF_INET6;
	EXPECT_ERRNO(EAFNOSUPPORT, connect(fd, sa, sizeof(sin)));
	EXPECT_ERRNO(ENETUNREACH, env_connect(fd, "192.0.2.1", 9));
	EXPECT_ERRNO(ECONNREFUSED, env_connect(fd, "127.0.0.1", closed_port(self->family)));
	/* after a failure the socket is as new */
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", env_port(lst)));
	EXPECT_ERRNO(EISCONN, env_connect(fd, "127.0.0.1", env_port(lst)));
	EXPECT_ERRNO(EINVAL, env_bind(fd, "127.0.0.1", 0));
	EXPECT_ERRNO(EINVAL, listen(fd, 1));
	EXPECT_ERRNO(EISCONN, env_connect(lst, "127.0.0.1", 9));
	EXPECT_EQ(0, listen(lst, 2));
}

TEST_F(stream, connect_nonblocking)
{
	int lst = listener(self->family, 8);
	int fd = socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	EXPECT_ERRNO(EINPROGRESS, env_connect(fd, "127.0.0.1", env_port(lst)));
	ASSERT_EQ(1, poll(&pfd, 1, 2000));
	EXPECT_EQ(POLLOUT, pfd.revents);
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(0, env_connect(fd, "127.0.0.1", env_port(lst)));
	EXPECT_ERRNO(EISCONN, env_connect(fd, "127.0.0.1", env_port(lst)));
	EXPECT_EQ(0, getpeername(fd, (struct sockaddr *)&sin, &len));
	close(fd);

	fd = socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	pfd.fd = fd;
	EXPECT_ERRNO(EINPROGRESS, env_connect(fd, "127.0.0.1", closed_port(self->family)));
	ASSERT_EQ(1, poll(&pfd, 1, 2000));
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, pfd.revents);
	EXPECT_ERRNO(ECONNREFUSED, env_connect(fd, "127.0.0.1", 9));
}

static void on_alarm(int sig)
{
}

/* Nobody answers: a dummy device swallows the SYNs */
TEST_F(stream, connect_waits)
{
	struct timeval tv = { .tv_usec = 200000 };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { .tv_usec = 200000 } };
	int fd = socket(self->family, SOCK_STREAM, 0);
	int64_t began;

	ASSERT_EQ(0, env_run("ip link add d0 type dummy && ip link set d0 arp off up && %s addr add 10.9.0.1/24 dev d0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	began = env_ms();
	EXPECT_ERRNO(EINPROGRESS, env_connect(fd, "10.9.0.2", 9));
	/* 200 ms are 50 ticks; the first may be over already, and a busy host is one late */
	EXPECT_LE(190, env_ms() - began);
	EXPECT_ERRNO(EALREADY, env_connect(fd, "10.9.0.2", 9));
	EXPECT_ERRNO(EAGAIN, send(fd, "x", 1, MSG_DONTWAIT));
	EXPECT_ERRNO(EINVAL, listen(fd, 1));
	close(fd);

	fd = socket(self->family, SOCK_STREAM, 0);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT_ERRNO(EINTR, env_connect(fd, "10.9.0.2", 9));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	EXPECT_ERRNO(EALREADY, env_connect(fd, "10.9.0.2", 9));
	EXPECT_EQ(0, env_unspec(fd));
	EXPECT_ERRNO(EINPROGRESS, env_connect(fd, "10.9.0.2", 9));
	EXPECT_EQ(0, shutdown(fd, SHUT_RDWR));
	EXPECT_ERRNO(ENOTCONN, shutdown(fd, SHUT_RDWR));
}

TEST_F(stream, unconnected)
{
	int fd = socket(self->family, SOCK_STREAM, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };
	int val;
	char c;

	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(EPIPE, send(fd, "x", 1, 0));
	EXPECT_ERRNO(ENOTCONN, recv(fd, &c, 1, 0));
	EXPECT_ERRNO(EINVAL, accept(fd, NULL, NULL));
	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLOUT | POLLHUP, pfd.revents);
	EXPECT_ERRNO(ENOTCONN, shutdown(fd, SHUT_RDWR));
	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT | POLLHUP, pfd.revents);
	EXPECT_EQ(0, ioctl(fd, SIOCINQ, &val));
	EXPECT_EQ(0, val);
	EXPECT_EQ(0, ioctl(fd, SIOCOUTQ, &val));
	EXPECT_EQ(0, val);
}

TEST_F(stream, listening)
{
	int fd = listener(self->family, 8);
	int any = socket(self->family, SOCK_STREAM, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };
	int val;
	char c;

	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQ(1, env_getopt(fd, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_ERRNO(EPIPE, send(fd, "x", 1, 0));
	EXPECT_ERRNO(ENOTCONN, recv(fd, &c, 1, 0));
	EXPECT_ERRNO(EINVAL, ioctl(fd, SIOCINQ, &val));
	EXPECT_ERRNO(EINVAL, ioctl(fd, SIOCOUTQ, &val));
	EXPECT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, accept(fd, NULL, NULL));
	/* listen() without bind() takes a port */
	EXPECT_EQ(0, listen(any, 1));
	EXPECT_LT(0, env_port(any));
	/* shut, it is as new, and may listen again */
	EXPECT_EQ(0, shutdown(fd, SHUT_RD));
	EXPECT_ERRNO(EINVAL, accept(fd, NULL, NULL));
	EXPECT_EQ(0, listen(fd, 1));
	EXPECT_ERRNO(EAGAIN, accept(fd, NULL, NULL));
}

TEST_F(stream, accept_arguments)
{
	int lst = listener(self->family, 8);
	int fd = socket(self->family, SOCK_STREAM, 0), child;
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", env_port(lst)));
	EXPECT_ERRNO(EINVAL, accept4(lst, NULL, NULL, 0x40000000));
	memset(&sin, 0xff, sizeof(sin));
	child = accept4(lst, (struct sockaddr *)&sin, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ASSERT_LE(0, child);
	EXPECT_EQ(sizeof(sin), len);
	EXPECT_EQ(AF_INET, sin.sin_family);
	EXPECT_EQ(env_port(fd), ntohs(sin.sin_port));
	EXPECT_EQ(FD_CLOEXEC, fcntl(child, F_GETFD));
	EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(child, F_GETFL));
	EXPECT_EQ(self->family, env_getopt(child, SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(env_port(lst), env_port(child));
	EXPECT_ERRNO(EISCONN, env_connect(child, "127.0.0.1", 9));

	/* EFAULT for the address: the connection is lost with the descriptor */
	close(fd);
	fd = socket(self->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", env_port(lst)));
	len = sizeof(sin);
	EXPECT_ERRNO(EFAULT, accept(lst, NOWHERE, &len));
}

TEST_F(stream, bytes)
{
	struct pollfd pfd = { .events = POLLIN | POLLOUT | POLLRDHUP };
	int a, b, val;
	char buf[16];

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, joined(self->family, &a, &b));
	pfd.fd = b;
	EXPECT_ERRNO(EAGAIN, recv(b, buf, 1, MSG_DONTWAIT));
	ASSERT_EQ(10, send(a, "0123456789", 10, 0));
	ASSERT_EQ(1, env_readable(b));
	EXPECT_EQ(0, ioctl(b, SIOCINQ, &val));
	EXPECT_EQ(10, val);
	EXPECT_EQ(4, recv(b, buf, 4, MSG_PEEK));
	EXPECT_ERRNO(EFAULT, recv(b, NOWHERE, 4, 0));
	EXPECT_EQ(4, recv(b, buf, 4, 0));
	EXPECT_EQ(0, memcmp(buf, "0123", 4));
	EXPECT_EQ(6, recv(b, buf, 16, MSG_TRUNC));
	EXPECT_ERRNO(EFAULT, send(a, NOWHERE, 10, 0));
	EXPECT_EQ(3, sendto(a, "abc", 3, 0, NULL, 0));
	EXPECT_EQ(3, recv(b, buf, 3, MSG_WAITALL));

	ASSERT_EQ(0, shutdown(a, SHUT_WR));
	ASSERT_EQ(1, env_readable(b));
	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP, pfd.revents);
	EXPECT_EQ(0, recv(b, buf, 16, 0));
	EXPECT_ERRNO(EPIPE, send(a, "x", 1, 0));
	EXPECT_EQ(2, send(b, "yz", 2, 0));
	EXPECT_EQ(2, recv(a, buf, 16, 0));
	close(b);
	EXPECT_EQ(0, recv(a, buf, 16, 0));
}

/* Linger 0: close() resets */
TEST_F(stream, linger_reset)
{
	struct linger hard = { 1, 0 };
	int a, b, port;
	char c;

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(0, setsockopt(a, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)));
	port = env_port(b);
	close(a);
	EXPECT_ERRNO(ECONNRESET, recv(b, &c, 1, 0));
	EXPECT_EQ(0, recv(b, &c, 1, 0));
	EXPECT_ERRNO(EPIPE, send(b, "x", 1, 0));
	/* it still says where it was, and may be bound anew */
	EXPECT_EQ(port, env_port(b));
	EXPECT_EQ(0, env_bind(b, "127.0.0.1", 0));
	EXPECT_NE(port, env_port(b));
}

static int info_of(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, SOL_TCP, TCP_INFO, info, &len);
}

/* What accept() returns inherits SO_KEEPALIVE: it probes an idle peer */
TEST_F(stream, keepalive_inherited)
{
	int lst = listener(self->family, 8);
	int a = socket(self->family, SOCK_STREAM, 0), b;
	struct tcp_info info;

	ASSERT_EQ(0, env_setopt(lst, SOL_SOCKET, SO_KEEPALIVE, 1));
	ASSERT_EQ(0, env_setopt(lst, SOL_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, env_setopt(lst, SOL_TCP, TCP_KEEPINTVL, 1));
	ASSERT_EQ(0, env_connect(a, "127.0.0.1", env_port(lst)));
	b = accept(lst, NULL, NULL);
	ASSERT_LE(0, b);
	EXPECT_EQ(1, env_getopt(b, SOL_SOCKET, SO_KEEPALIVE));
	usleep(2500000);
	ASSERT_EQ(0, info_of(b, &info));
	EXPECT_GT(2000, info.tcpi_last_ack_recv);
	EXPECT_EQ(TCP_ESTABLISHED, info.tcpi_state);
}

/* A peer that says nothing for the time of TCP_DEFER_ACCEPT is accepted all the same */
TEST_F(stream, defer_accept_ends)
{
	int lst = listener(self->family, 8);
	int a = socket(self->family, SOCK_STREAM, 0);
	struct pollfd pfd = { .fd = lst, .events = POLLIN };

	ASSERT_EQ(0, env_setopt(lst, SOL_TCP, TCP_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, env_connect(a, "127.0.0.1", env_port(lst)));
	EXPECT_EQ(0, poll(&pfd, 1, 500));
	EXPECT_EQ(1, poll(&pfd, 1, 5000));
	EXPECT_LE(0, accept4(lst, NULL, NULL, SOCK_NONBLOCK));
}

/* A read ends at the urgent mark; the byte behind it is part of the stream only if inline */
TEST_F(stream, urgent_mark)
{
	int in_line, a, b, val;
	char buf[16];

	for (in_line = 0; in_line < 2; in_line++) {
		ASSERT_EQ(0, joined(self->family, &a, &b));
		ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_OOBINLINE, in_line));
		ASSERT_EQ(2, send(a, "ab", 2, 0));
		ASSERT_EQ(1, send(a, "!", 1, MSG_OOB));
		ASSERT_EQ(2, send(a, "cd", 2, 0));
		usleep(100000);
		EXPECT_EQ(0, ioctl(b, SIOCATMARK, &val));
		EXPECT_EQ(0, val);
		EXPECT_EQ(0, ioctl(b, SIOCINQ, &val));
		EXPECT_EQ(in_line ? 5 : 2, val);
		EXPECT_EQ(2, recv(b, buf, sizeof(buf), 0));
		EXPECT_EQ(0, memcmp(buf, "ab", 2));
		EXPECT_EQ(0, ioctl(b, SIOCATMARK, &val));
		EXPECT_EQ(1, val);
		EXPECT_EQ(0, ioctl(b, SIOCINQ, &val));
		EXPECT_EQ(in_line ? 3 : 0, val);
		if (in_line) {
			EXPECT_ERRNO(EINVAL, recv(b, buf, 1, MSG_OOB));
			EXPECT_EQ(3, recv(b, buf, sizeof(buf), 0));
			EXPECT_EQ(0, memcmp(buf, "!cd", 3));
		} else {
			EXPECT_EQ(1, recv(b, buf, sizeof(buf), MSG_OOB));
			EXPECT_EQ('!', buf[0]);
			EXPECT_EQ(2, recv(b, buf, sizeof(buf), 0));
			EXPECT_EQ(0, memcmp(buf, "cd", 2));
		}
		close(a);
		close(b);
	}
}

/* An urgent byte that was passed over, read or not, does not come back when another one is sent */
TEST_F(stream, urgent_again)
{
	int read_first, a, b;
	char buf[16];

	for (read_first = 0; read_first < 2; read_first++) {
		ASSERT_EQ(0, joined(self->family, &a, &b));
		ASSERT_EQ(1, send(a, "1", 1, MSG_OOB));
		usleep(100000);
		if (read_first)
			EXPECT_EQ(1, recv(b, buf, sizeof(buf), MSG_OOB));
		ASSERT_EQ(1, send(a, "2", 1, MSG_OOB));
		usleep(100000);
		EXPECT_EQ(1, recv(b, buf, sizeof(buf), MSG_OOB));
		EXPECT_EQ('2', buf[0]);
		ASSERT_EQ(1, send(a, "c", 1, 0));
		usleep(100000);
		EXPECT_EQ(1, recv(b, buf, sizeof(buf), 0));
		EXPECT_EQ('c', buf[0]);
		close(a);
		close(b);
	}
}

static unsigned int rcv_ssthresh(int fd)
{
	struct tcp_info info = { };
	socklen_t len = sizeof(info);

	return getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) ? 0 : info.tcpi_rcv_ssthresh;
}

/* Taken as a large number: the window grows all the same */
TEST_F(stream, window_clamp_negative)
{
	char buf[8192] = { 0 };
	unsigned int before;
	int a, b, i;

	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(0, env_setopt(b, SOL_TCP, TCP_WINDOW_CLAMP, -1));
	before = rcv_ssthresh(b);
	for (i = 0; i < 64; i++) {
		ASSERT_EQ(sizeof(buf), send(a, buf, sizeof(buf), 0));
		ASSERT_EQ(sizeof(buf), recv(b, buf, sizeof(buf), MSG_WAITALL));
	}
	EXPECT_LT(before, rcv_ssthresh(b));
}

static void *connect_thread(void *arg)
{
	int ret = env_connect(*(int *)arg, "10.9.0.2", 9);

	return (void *)(intptr_t)(ret ? errno : 0);
}

/* A connect() that waits does not take another thread's connection for its own */
TEST_F(stream, connect_disconnected)
{
	int fd = socket(self->family, SOCK_STREAM, 0), lst = listener(self->family, 1);
	pthread_t thread;
	void *err;

	ASSERT_EQ(0, env_run("ip link add d0 type dummy && ip link set d0 arp off up && %s addr add 10.9.0.1/24 dev d0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	ASSERT_EQ(0, pthread_create(&thread, NULL, connect_thread, &fd));
	usleep(200000);
	ASSERT_EQ(0, env_unspec(fd));
	EXPECT_EQ(0, env_connect(fd, "127.0.0.1", env_port(lst)));
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(EPIPE, (int)(intptr_t)err);
	EXPECT_EQ(1, send(fd, "x", 1, 0));
}

/*
 * close() in LAST-ACK with data that the peer's window has not let out: lost, whether unread data
 * (left) or SO_LINGER 0 asks for it, so the peer, which still reads, must hear of it
 */
/* does /proc show a connection of @port in FIN-WAIT-2? */
static bool fin_wait2(int family, int port)
{
	FILE *f = fopen(family == AF_INET ? "/proc/net/tcp" : "/proc/net/strata/tcp", "r");
	unsigned int lport, state;
	char line[512];
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found |= sscanf(line, " %*u: %*x:%x %*x:%*x %x", &lport, &state) == 2 &&
			 (int)lport == port && state == TCP_FIN_WAIT2;
	if (f)
		fclose(f);
	return found;
}

/*
 * Over the loopback the peer's ACK is here before close() lets go of the socket. An orphan stays
 * in FIN-WAIT-2 for as long as TCP_LINGER2 says, 0: tcp_fin_timeout, and no longer
 */
TEST_F(stream, fin_wait2_ends)
{
	int a, b, port, i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, joined(self->family, &a, &b));
		port = env_port(a);
		ASSERT_EQ(0, env_setopt(a, SOL_TCP, TCP_LINGER2, i ? 1 : 3));
		close(a);
		usleep(500000);
		EXPECT_TRUE(fin_wait2(self->family, port));
		sleep(i ? 2 : 4);
		EXPECT_FALSE(fin_wait2(self->family, port));
		close(b);
	}
}

TEST_F(stream, abort_in_last_ack)
{
	struct linger hard = { 1, 0 };
	struct timeval tv = { .tv_sec = 5 };
	static char buf[65536];
	int left, a, b;
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	for (left = 0; left < 2; left++) {
		ASSERT_EQ(0, joined(self->family, &a, &b));
		if (left) {
			ASSERT_EQ(1, send(b, "x", 1, 0));
		} else {
			ASSERT_EQ(0, setsockopt(a, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)));
		}
		ASSERT_EQ(0, shutdown(b, SHUT_WR));
		ASSERT_EQ(1, env_readable(a));
		do {
			n = send(a, buf, sizeof(buf), MSG_DONTWAIT);
		} while (n > 0 || (usleep(100000), send(a, buf, sizeof(buf), MSG_DONTWAIT) > 0));
		ASSERT_EQ(0, shutdown(a, SHUT_WR));
		close(a);
		ASSERT_EQ(0, setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
		do {
			errno = 0;
			n = recv(b, buf, sizeof(buf), 0);
		} while (n > 0);
		EXPECT_EQ(-1, n);
		EXPECT_EQ(ECONNRESET, errno);
		close(b);
	}
}

/* recvmsg() of up to @len bytes; what TCP_CM_INQ says is left, -1 if it does not */
static int recv_inq(int fd, size_t len)
{
	char buf[16], ctl[64];
	struct iovec iov = { buf, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;

	if (recvmsg(fd, &msg, 0) < 0)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_level != SOL_TCP || c->cmsg_type != TCP_CM_INQ)
		return -1;
	return *(int *)CMSG_DATA(c);
}

/* TCP_INQ counts what is left, and says 1 as long as the end is to be read */
TEST_F(stream, inq)
{
	int a, b;

	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(0, env_setopt(b, SOL_TCP, TCP_INQ, 1));
	ASSERT_EQ(10, send(a, "0123456789", 10, 0));
	EXPECT_EQ(6, recv_inq(b, 4));
	EXPECT_EQ(0, recv_inq(b, 6));
	ASSERT_EQ(0, shutdown(a, SHUT_WR));
	EXPECT_EQ(1, recv_inq(b, 1));
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 : cookie;
}

/* No two sockets have one cookie */
TEST_F(stream, cookies)
{
	int lst = listener(self->family, 8);
	uint64_t cookie[3] = { cookie_of(lst) };
	int a, b, i;

	for (i = 1; i < 3; i++) {
		a = socket(self->family, SOCK_STREAM, 0);
		ASSERT_EQ(0, env_connect(a, "127.0.0.1", env_port(lst)));
		b = accept(lst, NULL, NULL);
		cookie[i] = cookie_of(b);
	}
	EXPECT_NE(0, cookie[0]);
	EXPECT_NE(cookie[0], cookie[1]);
	EXPECT_NE(cookie[0], cookie[2]);
	EXPECT_NE(cookie[1], cookie[2]);
}

/* AF_UNSPEC ends a connection and leaves a socket that can be used again */
TEST_F(stream, unspec)
{
	int lst = listener(self->family, 8);
	struct pollfd pfd = { .events = POLLPRI };
	int a, b;
	char c;

	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(1, send(b, "!", 1, MSG_OOB));
	pfd.fd = a;
	ASSERT_EQ(1, poll(&pfd, 1, 1000));
	ASSERT_EQ(0, env_unspec(a));
	EXPECT_ERRNO(ECONNRESET, recv(b, &c, 1, 0));
	EXPECT_ERRNO(ECONNRESET, recv(a, &c, 1, 0));
	EXPECT_ERRNO(ENOTCONN, recv(a, &c, 1, 0));
	ASSERT_EQ(0, env_connect(a, "127.0.0.1", env_port(lst)));
	EXPECT_EQ(1, send(a, "x", 1, 0));
	/* urgent data was the other connection's */
	EXPECT_ERRNO(EINVAL, recv(a, &c, 1, MSG_OOB | MSG_DONTWAIT));
}

/*
 * A port in TIME-WAIT is taken for its own address, unless both the socket it comes from and
 * the new one set SO_REUSEADDR
 */
TEST_F(stream, time_wait_port)
{
	int reuse, a, lst, b, port, fd;
	char c;

	for (reuse = 0; reuse < 2; reuse++) {
		lst = socket(self->family, SOCK_STREAM, 0);
		env_setopt(lst, SOL_SOCKET, SO_REUSEADDR, reuse);
		ASSERT_EQ(0, env_bind(lst, "127.0.0.1", 0));
		ASSERT_EQ(0, listen(lst, 1));
		port = env_port(lst);
		a = socket(self->family, SOCK_STREAM, 0);
		ASSERT_EQ(0, env_connect(a, "127.0.0.1", port));
		b = accept(lst, NULL, NULL);
		close(lst);
		close(b);
		ASSERT_EQ(0, recv(a, &c, 1, 0));
		close(a);
		usleep(50000);
		fd = socket(self->family, SOCK_STREAM, 0);
		EXPECT_ERRNO(EADDRINUSE, env_bind(fd, "127.0.0.1", port));
		EXPECT_EQ(0, env_bind(fd, "127.0.0.2", port));
		close(fd);
		fd = socket(self->family, SOCK_STREAM, 0);
		env_setopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		EXPECT_EQ(reuse ? 0 : -1, env_bind(fd, "127.0.0.1", port));
		EXPECT_EQ(reuse ? 0 : -1, listen(fd, 1) ? -1 : env_port(fd) == port ? 0 : -1);
		close(fd);
	}
}

/* a departure of the sender's is no arrival at the reader, who is on the same host */
TEST_F(stream, stamp_loopback)
{
	char data[10], ctl[256];
	struct iovec iov = { data, sizeof(data) };
	struct timeval at = { 0 };
	struct cmsghdr *c;
	int a, b, i;

	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_TIMESTAMP, 1));
	ASSERT_EQ(0, env_setopt(a, SOL_TCP, 37 /* TCP_TX_DELAY */, 1000));
	usleep(200000);	/* the switch takes a moment */
	for (i = 0; i < 3; i++) {
		struct msghdr m = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = ctl, .msg_controllen = sizeof(ctl),
		};

		ASSERT_EQ(1, send(a, "x", 1, 0));
		ASSERT_EQ(1, recvmsg(b, &m, 0));
		for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMP)
				memcpy(&at, CMSG_DATA(c), sizeof(at));
	}
	EXPECT_GT(60, labs(time(NULL) - at.tv_sec));
}

static void *wait_all_thread(void *arg)
{
	char buf[100];
	int fd = *(int *)arg;

	return (void *)(intptr_t)recv(fd, buf, sizeof(buf), MSG_WAITALL);
}

/* A reader asleep does not go on with the next connection of its socket */
TEST_F(stream, recv_disconnected)
{
	struct sched_param prio = { .sched_priority = 1 };
	int a, b, lst = listener(self->family, 1), next, i;
	pthread_t thread;
	cpu_set_t cpu;
	void *got;

	/* this thread does both calls before the reader, woken by the first, runs */
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, joined(self->family, &a, &b));
		ASSERT_EQ(i * 10, send(b, "0123456789", i * 10, 0));
		ASSERT_EQ(0, pthread_create(&thread, NULL, wait_all_thread, &a));
		usleep(200000);
		ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &prio));
		ASSERT_EQ(0, env_unspec(a));
		ASSERT_EQ(0, env_connect(a, "127.0.0.1", env_port(lst)));
		next = accept(lst, NULL, NULL);
		ASSERT_EQ(10, send(next, "abcdefghij", 10, 0));
		prio.sched_priority = 0;
		ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &prio));
		prio.sched_priority = 1;
		usleep(100000);
		close(next);
		ASSERT_EQ(0, pthread_join(thread, &got));
		EXPECT_EQ(i ? 10 : -1, (int)(intptr_t)got);
		close(a);
		close(b);
	}
}

/* What was set for one connection is not there in the next */
TEST_F(stream, disconnect_forgets)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int a, b;

	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(0, env_setopt(a, SOL_SOCKET, SO_PEEK_OFF, 3));
	ASSERT_EQ(0, env_setopt(a, SOL_TCP, TCP_WINDOW_CLAMP, 20000));
	ASSERT_EQ(0, env_unspec(a));
	EXPECT_EQ(-1, env_getopt(a, SOL_SOCKET, SO_PEEK_OFF));
	EXPECT_EQ(0, env_getopt(a, SOL_TCP, TCP_WINDOW_CLAMP));
	ASSERT_EQ(0, getsockopt(a, SOL_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(0, info.tcpi_rtt);
	EXPECT_EQ(10, info.tcpi_snd_cwnd);
}

TEST_HARNESS_MAIN
