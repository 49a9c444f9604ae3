// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_conns SERVER CLIENT ADDRESS COUNT AT_ONCE: COUNT connections, AT_ONCE of them open
 * at a time, each echoing one message, through one epoll loop that plays both sides.
 * Sides are strata@NAMESPACE or native@NAMESPACE. Waves: all AT_ONCE have their answer
 * before the first is closed; client and server take turns in closing first.
 * Exits 0 if none failed.
 */
#include <stdbool.h>
#include <sys/epoll.h>
#include "load.h"

#define LEN	64
#define PATIENCE_MS	60000	/* without any event: something hangs */

enum { CLIENT, SERVER };

struct conn {
	int fd;
	int role;
	int index;
	unsigned int got;
	bool sent;
	bool done;
};

static struct conn *conns;	/* by descriptor */
static int ep, lfd, failures, echoed, ended, top;
static bool server_closes, closing;
static struct side server, client;
static const char *address;

static void complain(const struct conn *c, const char *what, int err)
{
	if (failures++ < 10)
		printf("# connection %d, %s: %s: %s\n", c->index,
		       c->role == CLIENT ? "client" : "server", what, strerror(err));
}

static void fill(char *buf, int index)
{
	int i;

	for (i = 0; i < LEN; i++)
		buf[i] = index * 7 + i;
}

static void watch(int fd, int op, unsigned int events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	epoll_ctl(ep, op, fd, &e);
}

static void conn_new(int fd, int role, int index)
{
	conns[fd] = (struct conn){ .fd = fd, .role = role, .index = index };
	if (fd >= top)
		top = fd + 1;
	watch(fd, EPOLL_CTL_ADD, role == CLIENT ? EPOLLOUT : EPOLLIN);
}

static void conn_end(struct conn *c)
{
	if (c->done)
		return;
	c->done = true;
	close(c->fd);
	ended++;
}

static int start(int index)
{
	int fd = side_socket(&client, SOCK_NONBLOCK);

	if (fd < 0)
		return -1;
	conn_new(fd, CLIENT, index);
	if (connect_to(fd, address, port()) && errno != EINPROGRESS) {
		complain(&conns[fd], "connect", errno);
		conn_end(&conns[fd]);
		return -1;
	}
	return fd;
}

static void do_accept(void)
{
	int fd;

	while ((fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		conn_new(fd, SERVER, -1);
	if (errno != EAGAIN) {
		printf("# accept: %s\n", strerror(errno));
		failures++;
	}
}

static void client_writes(struct conn *c)
{
	socklen_t len = sizeof(int);
	char buf[LEN];
	int err = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (!err) {
		fill(buf, c->index);
		if (send(c->fd, buf, LEN, MSG_NOSIGNAL) != LEN)
			err = errno;
	}
	if (err) {
		complain(c, "connect or send", err);
		conn_end(c);
		return;
	}
	c->sent = true;
	watch(c->fd, EPOLL_CTL_MOD, EPOLLIN);
}

/* the end of the other side, seen while closing */
static void sees_end(struct conn *c, ssize_t n)
{
	if (n < 0)
		complain(c, "recv", errno);
	else if (!closing || (c->role == SERVER) == server_closes)
		complain(c, "end of file", 0);
	conn_end(c);
}

static void do_read(struct conn *c)
{
	char buf[LEN + 1], want[LEN];
	ssize_t n = recv(c->fd, buf, sizeof(buf), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		sees_end(c, n);
		return;
	}
	if (c->role == SERVER) {
		if (send(c->fd, buf, n, MSG_NOSIGNAL) != n)
			complain(c, "send", errno);
		c->got += n;
		return;
	}
	fill(want, c->index);
	if (n > LEN - c->got || memcmp(buf, want + c->got, n))
		complain(c, "not what was sent", 0);
	c->got += n;
	if (c->got == LEN)
		echoed++;
}

static bool turn(void)
{
	struct epoll_event ev[256];
	int i, n = epoll_wait(ep, ev, 256, PATIENCE_MS);

	if (n <= 0) {
		printf("# nothing happened for %d s\n", PATIENCE_MS / 1000);
		return false;
	}
	for (i = 0; i < n; i++) {
		struct conn *c = &conns[ev[i].data.fd];

		if (ev[i].data.fd == lfd)
			do_accept();
		else if (c->done)
			continue;
		else if (c->role == CLIENT && !c->sent)
			client_writes(c);
		else
			do_read(c);
	}
	return true;
}

static bool wave(int first, int n)
{
	int i;

	echoed = 0;
	ended = 0;
	closing = false;
	for (i = 0; i < n; i++) {
		if (start(first + i) < 0)
			failures++;
		/* no more SYNs at a time than the accept queue holds */
		if (i % 64 == 63)
			turn();
	}
	while (echoed < n && !failures)
		if (!turn())
			return false;
	closing = true;
	for (i = 0; i < top; i++)
		if (conns[i].fd && !conns[i].done &&
		    conns[i].role == (server_closes ? SERVER : CLIENT))
			conn_end(&conns[i]);
	while (ended < 2 * n && !failures)
		if (!turn())
			return false;
	memset(conns, 0, top * sizeof(*conns));
	server_closes = !server_closes;
	return !failures;
}

int main(int argc, char **argv)
{
	int count, at_once, done = 0;
	double t;

	if (argc != 6)
		return 2;
	many_files();
	server = side_parse(argv[1]);
	client = side_parse(argv[2]);
	address = argv[3];
	count = atoi(argv[4]);
	at_once = atoi(argv[5]);
	conns = calloc(65536, sizeof(*conns));
	ep = epoll_create1(EPOLL_CLOEXEC);
	lfd = side_listen(&server, address, port(), 4096, SOCK_NONBLOCK);
	if (lfd < 0 || ep < 0 || !conns) {
		printf("# listen: %s\n", strerror(errno));
		return 1;
	}
	watch(lfd, EPOLL_CTL_ADD, EPOLLIN);
	t = now_s();
	while (done < count) {
		int n = count - done < at_once ? count - done : at_once;

		if (!wave(done, n)) {
			printf("# in the wave from %d: %d echoed, %d of %d ends closed, %d failures\n",
			       done, echoed, ended, 2 * n, failures);
			return 1;
		}
		done += n;
		breathe(100);
	}
	printf("# %d connections, %d at once, %.1f s\n", count, at_once, now_s() - t);
	return 0;
}
