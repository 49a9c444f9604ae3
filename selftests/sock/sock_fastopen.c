// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP Fast Open as programs see it (RFC 7413 A.1): its options, MSG_FASTOPEN and
 * TCP_FASTOPEN_CONNECT from end to end, and opens, closes and resets across each other. What
 * goes over the wire is tested in wire/tcp.
 */
#include <pthread.h>
#include "sock_env.h"

#ifndef TCP_FASTOPEN_KEY
#define TCP_FASTOPEN_KEY	33
#define TCP_FASTOPEN_NO_COOKIE	34
#endif

ENV_FIXTURE(fast)

static bool conf(int family, const char *name, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/%s", family == AF_INET ? "ipv4" : "strata",
		 name);
	f = fopen(path, "w");
	return f && fputs(value, f) >= 0 && !fclose(f);
}

static int tcp_socket(int family, int flags)
{
	return socket(family, SOCK_STREAM | flags, 0);
}

/* a listener with Fast Open for @qlen at a time */
static int server(int family, int qlen)
{
	int fd = tcp_socket(family, 0);

	if (!conf(family, "tcp_fastopen", "3") || env_setopt(fd, SOL_TCP, TCP_FASTOPEN, qlen) ||
	    env_bind(fd, "127.0.0.1", 0) || listen(fd, 64))
		return -1;
	return fd;
}

static ssize_t open_with(int fd, const void *buf, size_t len, int flags, int port)
{
	return env_sendto(fd, buf, len, MSG_FASTOPEN | MSG_NOSIGNAL | flags, "127.0.0.1", port);
}

static bool syn_data(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return !getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) &&
	       (info.tcpi_options & TCPI_OPT_SYN_DATA);
}

TEST_F(fast, options)
{
	int lst = server(self->family, 5), fd = tcp_socket(self->family, 0), on;

	ASSERT_LE(0, lst);
	EXPECT_EQ(5, env_getopt(lst, SOL_TCP, TCP_FASTOPEN));
	EXPECT_EQ(0, env_getopt(fd, SOL_TCP, TCP_FASTOPEN));
	EXPECT_ERRNO(EINVAL, env_setopt(fd, SOL_TCP, TCP_FASTOPEN, -1));
	EXPECT_EQ(0, env_setopt(fd, SOL_TCP, TCP_FASTOPEN, 1 << 30));
	EXPECT_EQ(4096, env_getopt(fd, SOL_TCP, TCP_FASTOPEN));	/* somaxconn */
	for (on = 0; on < 2; on++) {
		EXPECT_EQ(0, env_setopt(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, !on));
		EXPECT_EQ(!on, env_getopt(fd, SOL_TCP, TCP_FASTOPEN_CONNECT));
		EXPECT_EQ(0, env_setopt(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, !on));
		EXPECT_EQ(!on, env_getopt(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE));
	}
	EXPECT_ERRNO(EINVAL, env_setopt(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 2));
	EXPECT_ERRNO(EINVAL, env_setopt(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, -1));
	EXPECT_ERRNO(EINVAL, env_setopt(lst, SOL_TCP, TCP_FASTOPEN_CONNECT, 1));
	EXPECT_EQ(0, env_setopt(lst, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", env_port(lst)));
	EXPECT_ERRNO(EINVAL, env_setopt(fd, SOL_TCP, TCP_FASTOPEN, 1));
	EXPECT_ERRNO(EINVAL, env_setopt(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1));
	EXPECT_ERRNO(EINVAL, env_setopt(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
	/* what a child has of its listener */
	fd = accept(lst, NULL, NULL);
	EXPECT_EQ(0, env_getopt(fd, SOL_TCP, TCP_FASTOPEN));
	EXPECT_EQ(1, env_getopt(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE));
	ASSERT_TRUE(conf(self->family, "tcp_fastopen", "2"));
	EXPECT_ERRNO(EOPNOTSUPP, env_setopt(lst, SOL_TCP, TCP_FASTOPEN_CONNECT, 1));
}

TEST_F(fast, keys)
{
	int fd = tcp_socket(self->family, 0);
	char key[40], got[40];
	socklen_t len;
	int i;

	for (i = 0; i < 40; i++)
		key[i] = i * 7;
	len = sizeof(got);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, got, &len));
	EXPECT_EQ(0, len);
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, key, 15));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, key, 17));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, key, 40));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, NOWHERE, 16));
	for (i = 16; i <= 32; i += 16) {
		ASSERT_EQ(0, setsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, key, i));
		len = sizeof(got);
		ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, got, &len));
		EXPECT_EQ(i, len);
		EXPECT_EQ(0, memcmp(key, got, i));
	}
	len = 5;
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_FASTOPEN_KEY, got, &len));
	EXPECT_EQ(5, len);
}

TEST_F(fast, send_errors)
{
	int lst = server(self->family, 5), port = env_port(lst);
	int fd = tcp_socket(self->family, 0);
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	EXPECT_ERRNO(EINVAL, send(fd, "x", 1, MSG_FASTOPEN));
	EXPECT_ERRNO(EOPNOTSUPP, sendto(fd, "x", 1, MSG_FASTOPEN, &none, sizeof(none)));
	EXPECT_ERRNO(ENETUNREACH, env_sendto(fd, "x", 1, MSG_FASTOPEN, "192.0.2.1", 9));
	EXPECT_ERRNO(EISCONN, open_with(lst, "x", 1, 0, port));
	EXPECT_EQ(1, open_with(fd, "x", 1, 0, port));
	EXPECT_ERRNO(EISCONN, open_with(fd, "x", 1, 0, port));
	fd = tcp_socket(self->family, 0);
	EXPECT_ERRNO(ECONNREFUSED, open_with(fd, "x", 1, 0, 9));
	/* after a failure the socket is as new */
	EXPECT_EQ(1, open_with(fd, "x", 1, 0, port));
	ASSERT_TRUE(conf(self->family, "tcp_fastopen", "2"));
	fd = tcp_socket(self->family, 0);
	EXPECT_ERRNO(EOPNOTSUPP, open_with(fd, "x", 1, 0, port));
}

TEST_F(fast, two_connections)
{
	int lst = server(self->family, 5), port = env_port(lst), i, a, b;
	char buf[16];

	ASSERT_LE(0, lst);
	for (i = 0; i < 2; i++) {
		a = tcp_socket(self->family, 0);
		ASSERT_EQ(5, open_with(a, "hello", 5, 0, port));
		b = accept(lst, NULL, NULL);
		ASSERT_LE(0, b);
		EXPECT_EQ(5, recv(b, buf, sizeof(buf), 0));
		EXPECT_EQ(0, memcmp(buf, "hello", 5));
		/* the first one asked for the cookie */
		EXPECT_EQ(i, syn_data(a));
		EXPECT_EQ(i, syn_data(b));
		EXPECT_EQ(3, send(b, "you", 3, 0));
		EXPECT_EQ(3, recv(a, buf, sizeof(buf), 0));
		close(a);
		close(b);
	}
}

TEST_F(fast, does_not_block)
{
	int lst = server(self->family, 5), port = env_port(lst), i, a, b;
	char buf[16];

	for (i = 0; i < 2; i++) {
		a = tcp_socket(self->family, SOCK_NONBLOCK);
		errno = 0;
		EXPECT_EQ(i ? 5 : -1, open_with(a, "hello", 5, 0, port));
		EXPECT_EQ(i ? 0 : EINPROGRESS, errno);
		b = accept(lst, NULL, NULL);
		ASSERT_LE(0, b);
		if (!i)
			ASSERT_EQ(5, send(a, "hello", 5, 0));
		EXPECT_EQ(5, recv(b, buf, sizeof(buf), 0));
		EXPECT_EQ(0, env_connect(a, "127.0.0.1", port));
		EXPECT_ERRNO(EISCONN, env_connect(a, "127.0.0.1", port));
		close(a);
		close(b);
	}
}

TEST_F(fast, deferred)
{
	int lst = server(self->family, 5), port = env_port(lst), i, a, b;
	char buf[16];

	for (i = 0; i < 2; i++) {
		a = tcp_socket(self->family, 0);
		ASSERT_EQ(0, env_setopt(a, SOL_TCP, TCP_FASTOPEN_CONNECT, 1));
		ASSERT_EQ(0, env_connect(a, "127.0.0.1", port));
		ASSERT_EQ(5, write(a, "hello", 5));
		b = accept(lst, NULL, NULL);
		EXPECT_EQ(5, recv(b, buf, sizeof(buf), 0));
		EXPECT_EQ(i, syn_data(a));
		close(a);
		close(b);
	}
	/* given up before anything was sent, and used again */
	a = tcp_socket(self->family, 0);
	ASSERT_EQ(0, env_setopt(a, SOL_TCP, TCP_FASTOPEN_CONNECT, 1));
	ASSERT_EQ(0, env_connect(a, "127.0.0.1", port));
	ASSERT_EQ(0, env_unspec(a));
	ASSERT_EQ(0, env_connect(a, "127.0.0.1", port));
	ASSERT_EQ(5, write(a, "again", 5));
	b = accept(lst, NULL, NULL);
	EXPECT_EQ(5, recv(b, buf, sizeof(buf), 0));
}

#define MUCH	(3 << 20)

static void *read_all(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);
	static unsigned char buf[65536];
	long n, i, at = 0;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		for (i = 0; i < n; i++, at++)
			if (buf[i] != (unsigned char)(at * 13 + (at >> 9)))
				return (void *)-1L;
	close(fd);
	return (void *)at;
}

TEST_F(fast, much)
{
	int lst = server(self->family, 5), port = env_port(lst), i, a;
	unsigned char *buf = malloc(MUCH);
	pthread_t t;
	void *ret;

	for (i = 0; i < MUCH; i++)
		buf[i] = i * 13 + (i >> 9);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&t, NULL, read_all, &lst));
		a = tcp_socket(self->family, 0);
		ASSERT_EQ(MUCH, open_with(a, buf, MUCH, 0, port));
		close(a);
		ASSERT_EQ(0, pthread_join(t, &ret));
		EXPECT_EQ(MUCH, (long)ret);
	}
	free(buf);
}

/* opens, resets and closes of two sides that take no heed of each other */

struct churn {
	int family, rounds, port;
	unsigned int seed;
};

static void *churn_clients(void *arg)
{
	struct churn *c = arg;
	struct linger now = { 1, 0 };
	char buf[2000] = { 0 };
	int i, fd;

	for (i = 0; i < c->rounds; i++) {
		fd = tcp_socket(c->family, SOCK_NONBLOCK);
		env_setopt(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
		if (open_with(fd, buf, 1 + rand_r(&c->seed) % sizeof(buf), 0, c->port) < 0 &&
		    errno != ECONNREFUSED && errno != EINPROGRESS) {
			perror("# open");
			return (void *)1L;
		}
		if (rand_r(&c->seed) % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		if (rand_r(&c->seed) % 2)
			usleep(rand_r(&c->seed) % 1000);
		close(fd);
	}
	return NULL;
}

TEST_F_TIMEOUT(fast, churn, 120)
{
	struct churn c[3];
	struct sockaddr_in sin;
	pthread_t t[3];
	char buf[100];
	void *ret;
	int i, k, port, lst = server(self->family, 4), fd;

	ASSERT_LE(0, lst);
	ASSERT_TRUE(conf(self->family, "tcp_fastopen", "515"));
	port = env_port(lst);
	sin = env_addr("127.0.0.1", port);
	for (i = 0; i < 3; i++) {
		c[i] = (struct churn) { self->family, 150, port, i };
		ASSERT_EQ(0, pthread_create(&t[i], NULL, churn_clients, &c[i]));
	}
	/* listeners come and go; of what they accept some is read, answered, closed at once */
	for (i = 0; i < 20; i++) {
		for (k = 0; k < 15; k++) {
			struct pollfd p = { .fd = lst, .events = POLLIN };

			if (poll(&p, 1, 20) <= 0)
				continue;
			fd = accept4(lst, NULL, NULL, SOCK_NONBLOCK);
			if (fd < 0)
				continue;
			if (k % 3 == 1)
				recv(fd, buf, sizeof(buf), 0);
			if (k % 3 == 2)
				send(fd, buf, sizeof(buf), MSG_NOSIGNAL);
			if (k % 2)
				shutdown(fd, SHUT_WR);
			close(fd);
		}
		close(lst);
		usleep(1000);
		lst = tcp_socket(self->family, 0);
		env_setopt(lst, SOL_SOCKET, SO_REUSEADDR, 1);
		env_setopt(lst, SOL_TCP, TCP_FASTOPEN, 4);
		ASSERT_EQ(0, bind(lst, (struct sockaddr *)&sin, sizeof(sin)));
		ASSERT_EQ(0, listen(lst, 8));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_join(t[i], &ret));
		EXPECT_EQ(NULL, ret);
	}
}

TEST_HARNESS_MAIN
