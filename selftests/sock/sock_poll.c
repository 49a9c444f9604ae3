// SPDX-License-Identifier: GPL-2.0-only
/*
 * What wakes who waits, by select and by edge-triggered epoll, and splice from a stream to a
 * pipe and on to another stream. (poll and level-triggered epoll are everywhere else.)
 */
#include <sys/epoll.h>
#include <sys/select.h>
#include "sock_env.h"

#define SPLICED		300000
#define SOON		100	/* ms: nothing comes */
#define LONG		10000	/* ms: it must come */

ENV_FIXTURE(wait)

/* A connected pair over 127.0.0.1 */
static int joined(int family, int *a, int *b)
{
	int lst = socket(family, SOCK_STREAM, 0);

	*a = socket(family, SOCK_STREAM, 0);
	if (lst < 0 || env_bind(lst, "127.0.0.1", 0) || listen(lst, 1) ||
	    env_connect(*a, "127.0.0.1", env_port(lst)))
		return -1;
	*b = accept(lst, NULL, NULL);
	close(lst);
	return *b < 0 ? -1 : 0;
}

/* The events of the one descriptor in @ep within @ms; 0: none */
static int edge(int ep, int ms)
{
	struct epoll_event ev;

	return epoll_wait(ep, &ev, 1, ms) == 1 ? ev.events : 0;
}

static int edge_of(int fd, int events)
{
	struct epoll_event ev = { .events = events | EPOLLET };
	int ep = epoll_create1(0);

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) ? -1 : ep;
}

/* Each arrival is told once, however much stays unread; so is the end */
TEST_F(wait, edge_in)
{
	int a, b, ep;
	char buf[8];

	ASSERT_EQ(0, joined(self->family, &a, &b));
	ep = edge_of(b, EPOLLIN | EPOLLRDHUP);
	ASSERT_LE(0, ep);
	EXPECT_EQ(0, edge(ep, SOON));
	ASSERT_EQ(1, send(a, "x", 1, 0));
	EXPECT_EQ(EPOLLIN, edge(ep, LONG));
	EXPECT_EQ(0, edge(ep, SOON));
	ASSERT_EQ(1, send(a, "y", 1, 0));
	EXPECT_EQ(EPOLLIN, edge(ep, LONG));
	EXPECT_EQ(0, edge(ep, SOON));
	EXPECT_EQ(2, recv(b, buf, sizeof(buf), 0));
	EXPECT_EQ(0, edge(ep, SOON));
	ASSERT_EQ(0, shutdown(a, SHUT_WR));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, edge(ep, LONG));
	EXPECT_EQ(0, edge(ep, SOON));
	ASSERT_EQ(0, shutdown(b, SHUT_WR));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP | EPOLLHUP, edge(ep, LONG));
}

/* A sender that was told EAGAIN hears when a good part of its buffer is free, and then once */
TEST_F(wait, edge_out)
{
	static char buf[65536];
	long sent = 0, got = 0;
	int a, b, ep;
	ssize_t n;

	ASSERT_EQ(0, joined(self->family, &a, &b));
	ep = edge_of(a, EPOLLOUT);
	ASSERT_LE(0, ep);
	EXPECT_EQ(EPOLLOUT, edge(ep, LONG));
	EXPECT_EQ(0, edge(ep, SOON));
	/* until nothing moves any more: what is under way makes room, too */
	do {
		while ((n = send(a, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			sent += n;
		EXPECT_EQ(EAGAIN, errno);
	} while (edge(ep, SOON));
	ASSERT_LT(0, sent);
	while (got < sent) {
		n = recv(b, buf, sizeof(buf), 0);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_EQ(EPOLLOUT, edge(ep, LONG));
	EXPECT_EQ(0, edge(ep, SOON));
	EXPECT_EQ(1, send(a, buf, 1, MSG_DONTWAIT));
}

/* A listener tells each connection once */
TEST_F(wait, edge_accept)
{
	int lst = socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int ep, i;

	ASSERT_EQ(0, env_bind(lst, "127.0.0.1", 0));
	ASSERT_EQ(0, listen(lst, 4));
	ep = edge_of(lst, EPOLLIN);
	EXPECT_EQ(0, edge(ep, SOON));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, env_connect(socket(self->family, SOCK_STREAM, 0), "127.0.0.1",
					 env_port(lst)));
		EXPECT_EQ(EPOLLIN, edge(ep, LONG));
		EXPECT_EQ(0, edge(ep, SOON));
	}
	for (i = 0; i < 2; i++)
		EXPECT_LE(0, accept(lst, NULL, NULL));
	EXPECT_ERRNO(EAGAIN, accept(lst, NULL, NULL));
}

/* One bit each for what select finds of @fd: 1 to read, 2 to write, 4 exceptional */
static int selected(int fd, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	fd_set in, out, except;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	FD_SET(fd, &except);
	if (select(fd + 1, &in, &out, &except, &tv) < 0)
		return -1;
	return (FD_ISSET(fd, &in) ? 1 : 0) + (FD_ISSET(fd, &out) ? 2 : 0) +
	       (FD_ISSET(fd, &except) ? 4 : 0);
}

static int selected_in(int fd, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	fd_set in;

	FD_ZERO(&in);
	FD_SET(fd, &in);
	return select(fd + 1, &in, NULL, NULL, &tv);
}

TEST_F(wait, select)
{
	char buf[8];
	int a, b, lst = socket(self->family, SOCK_STREAM, 0);

	/* an unconnected stream hangs up: read and write would not wait */
	EXPECT_EQ(3, selected(lst, 0));
	ASSERT_EQ(0, env_bind(lst, "127.0.0.1", 0));
	ASSERT_EQ(0, listen(lst, 1));
	EXPECT_EQ(0, selected(lst, SOON));
	ASSERT_EQ(0, joined(self->family, &a, &b));
	EXPECT_EQ(2, selected(b, 0));
	EXPECT_EQ(0, selected_in(b, SOON));
	ASSERT_EQ(1, send(a, "x", 1, 0));
	EXPECT_EQ(1, selected_in(b, LONG));
	EXPECT_EQ(3, selected(b, 0));
	EXPECT_EQ(1, recv(b, buf, sizeof(buf), 0));
	EXPECT_EQ(0, selected_in(b, SOON));
	/* urgent data is the exception */
	ASSERT_EQ(1, send(a, "u", 1, MSG_OOB));
	usleep(SOON * 1000);
	EXPECT_EQ(6, selected(b, 0) & 6);
	EXPECT_EQ(1, recv(b, buf, 1, MSG_OOB));
	close(a);
	EXPECT_EQ(1, selected_in(b, LONG));
}

/* In @fd, out of pipe @to: what @fd has, until its end */
static ssize_t splice_all(int fd, int pipe_in, int pipe_out, int to)
{
	ssize_t n, m, left, total = 0;

	while ((n = splice(fd, NULL, pipe_in, NULL, 1 << 20, SPLICE_F_MOVE)) > 0) {
		for (left = n; left; left -= m) {
			m = splice(pipe_out, NULL, to, NULL, left, SPLICE_F_MOVE);
			if (m <= 0)
				return -1;
		}
		total += n;
	}
	return n < 0 ? -1 : total;
}

/* stream -> pipe -> stream, in another process; what comes out is what went in */
TEST_F(wait, splice_relay)
{
	static unsigned char in[SPLICED], out[SPLICED];
	int a, b, c, d, p[2], i, status;
	ssize_t n, got = 0;
	pid_t relay, source;

	for (i = 0; i < SPLICED; i++)
		in[i] = i * 7 + i / 256;
	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(0, joined(self->family, &c, &d));
	ASSERT_EQ(0, pipe(p));
	relay = fork();
	if (!relay) {
		close(a);
		n = splice_all(b, p[1], p[0], c);
		_exit(n == SPLICED ? 0 : 1);
	}
	source = fork();
	if (!source) {
		for (i = 0; i < SPLICED; i += n) {
			n = send(a, in + i, SPLICED - i, 0);
			if (n <= 0)
				_exit(1);
		}
		_exit(shutdown(a, SHUT_WR));
	}
	close(a);
	close(b);
	close(c);
	while ((n = recv(d, out + got, SPLICED - got, 0)) > 0)
		got += n;
	EXPECT_EQ(SPLICED, got);
	EXPECT_EQ(0, memcmp(in, out, SPLICED));
	ASSERT_EQ(source, waitpid(source, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(relay, waitpid(relay, &status, 0));
	EXPECT_EQ(0, status);
}

/* A pipe of one page fills up in the middle of segments: nothing is lost, nothing comes twice */
TEST_F(wait, splice_full_pipe)
{
	static unsigned char in[50000], out[sizeof(in)];
	int a, b, p[2], i, got = 0;
	ssize_t n;

	for (i = 0; i < sizeof(in); i++)
		in[i] = i * 7 + i / 256;
	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(4096, fcntl(p[1], F_SETPIPE_SZ, 4096));
	ASSERT_EQ(0, fcntl(b, F_SETFL, O_NONBLOCK));
	/* whole pages' worth of segments, then many small ones */
	ASSERT_EQ(40000, send(a, in, 40000, 0));
	ASSERT_EQ(0, env_setopt(a, SOL_TCP, TCP_NODELAY, 1));
	for (i = 40000; i < sizeof(in); i += 100)
		ASSERT_EQ(100, send(a, in + i, 100, 0));
	while (got < sizeof(in)) {
		ASSERT_EQ(1, selected_in(b, LONG));
		n = splice(b, NULL, p[1], NULL, sizeof(in), SPLICE_F_NONBLOCK);
		ASSERT_LT(0, n);
		EXPECT_ERRNO(EAGAIN, splice(b, NULL, p[1], NULL, sizeof(in), SPLICE_F_NONBLOCK));
		ASSERT_EQ(n, read(p[0], out + got, n));
		got += n;
	}
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	EXPECT_ERRNO(EAGAIN, splice(b, NULL, p[1], NULL, sizeof(in), SPLICE_F_NONBLOCK));
}

/* Nothing there: EAGAIN to who does not wait; a part, the rest, the end; no stream, no splice */
TEST_F(wait, splice_pieces)
{
	int a, b, p[2];
	char buf[16];

	ASSERT_EQ(0, joined(self->family, &a, &b));
	ASSERT_EQ(0, pipe(p));
	/* the descriptor's flag counts, SPLICE_F_NONBLOCK is the pipe's */
	ASSERT_EQ(0, fcntl(b, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, splice(b, NULL, p[1], NULL, 100, 0));
	ASSERT_EQ(0, fcntl(b, F_SETFL, 0));
	ASSERT_EQ(10, send(a, "0123456789", 10, 0));
	EXPECT_EQ(1, selected_in(b, LONG));
	EXPECT_EQ(4, splice(b, NULL, p[1], NULL, 4, 0));
	EXPECT_EQ(4, read(p[0], buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "0123", 4));
	/* read(2) goes on where splice(2) stopped */
	EXPECT_EQ(2, recv(b, buf, 2, 0));
	EXPECT_EQ(0, memcmp(buf, "45", 2));
	EXPECT_EQ(4, splice(b, NULL, p[1], NULL, 100, 0));
	EXPECT_EQ(4, read(p[0], buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "6789", 4));
	/* octets in a pipe are the pipe's: they outlive the connection */
	ASSERT_EQ(3, send(a, "end", 3, 0));
	ASSERT_EQ(0, shutdown(a, SHUT_WR));
	EXPECT_EQ(3, splice(b, NULL, p[1], NULL, 100, 0));
	EXPECT_EQ(0, splice(b, NULL, p[1], NULL, 100, 0));
	close(a);
	close(b);
	EXPECT_EQ(3, read(p[0], buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "end", 3));
	a = socket(self->family, SOCK_STREAM, 0);
	EXPECT_ERRNO(ENOTCONN, splice(a, NULL, p[1], NULL, 1, 0));
}

TEST_HARNESS_MAIN
