// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_ends SERVER CLIENT ADDRESS TIMES: connections that end in every way, and what the
 * other side then sees: end of file, ECONNRESET, EPIPE (RFC 9293 3.6, 3.10.4; RFC 2525 2.17).
 * Exits 0 if all was as it must be.
 */
#include <signal.h>
#include <stdbool.h>
#include "load.h"

static struct side server, client;
static const char *address;
static int lfd;

/* recv() on a socket with a limit: bytes, 0, or -errno */
static int get(int fd)
{
	char buf[4096];
	int n = recv(fd, buf, sizeof(buf), 0);

	return n < 0 ? -errno : n;
}

static int put(int fd, int len)
{
	static char buf[1 << 20];
	int n = send(fd, buf, len, MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

static void limit(int fd)
{
	struct timeval tv = { .tv_sec = 10 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static void linger(int fd, int seconds)
{
	struct linger lg = { 1, seconds };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
}

static bool expect(const char *what, int got, int want)
{
	if (got == want)
		return true;
	printf("# %s: %d, expected %d\n", what, got, want);
	return false;
}

/* how the connection a-b ends; closes both */
static bool end_both_read(int a, int b)
{
	bool ok = expect("half", shutdown(a, SHUT_WR), 0) && expect("end", get(b), 0) &&
		  expect("still sends", put(b, 100), 100) && expect("still reads", get(a), 100) &&
		  expect("other half", shutdown(b, SHUT_WR), 0) && expect("end", get(a), 0);

	close(a);
	close(b);
	return ok;
}

static bool end_linger0(int a, int b)
{
	bool ok;

	linger(a, 0);
	close(a);
	ok = expect("reset", get(b), -ECONNRESET) && expect("then the end", get(b), 0);
	close(b);
	return ok;
}

static bool end_linger(int a, int b)
{
	bool ok = expect("sent", put(a, 3000), 3000);

	linger(a, 5);
	close(a);
	ok = ok && expect("all of it", get(b), 3000) && expect("end", get(b), 0);
	close(b);
	return ok;
}

static bool end_unread(int a, int b)
{
	struct pollfd pfd = { .fd = a, .events = POLLIN };
	bool ok = expect("sent", put(b, 100), 100) && expect("there", poll(&pfd, 1, 10000), 1);

	close(a);
	ok = ok && expect("reset", get(b), -ECONNRESET);
	close(b);
	return ok;
}

static bool end_write_after(int a, int b)
{
	struct pollfd pfd = { .fd = b, .events = POLLIN };
	bool ok;

	close(a);
	ok = expect("closed", poll(&pfd, 1, 10000), 1) && expect("first", put(b, 10), 10);
	/* the answer to it is a RST */
	pfd.events = 0;
	ok = ok && expect("reset", poll(&pfd, 1, 10000), 1) &&
	     expect("second", put(b, 10), -EPIPE);
	close(b);
	return ok;
}

static bool end_at_once(int a, int b)
{
	close(a);
	close(b);
	return true;
}

static bool end_shut_both(int a, int b)
{
	bool ok = expect("shutdown", shutdown(a, SHUT_RDWR), 0) &&
		  expect("shutdown", shutdown(b, SHUT_WR), 0) && expect("end", get(a), 0) &&
		  expect("end", get(b), 0) && expect("no more", put(a, 1), -EPIPE);

	close(b);
	close(a);
	return ok;
}

/* much on the way both ways, then gone without a look */
static bool end_busy(int a, int b)
{
	fcntl(a, F_SETFL, O_NONBLOCK);
	fcntl(b, F_SETFL, O_NONBLOCK);
	put(a, 1 << 20);
	put(b, 1 << 20);
	close(a);
	close(b);
	return true;
}

static bool end_orphan_data(int a, int b)
{
	bool ok = expect("sent", put(a, 50000), 50000);
	int n, sum = 0;

	close(a);
	while ((n = get(b)) > 0)
		sum += n;
	ok = ok && expect("end", n, 0) && expect("all of it", sum, 50000);
	close(b);
	return ok;
}

static bool end_half_orphan(int a, int b)
{
	bool ok = expect("half", shutdown(a, SHUT_WR), 0) && expect("end", get(b), 0);

	close(a);	/* FIN-WAIT-2 without a descriptor */
	close(b);
	return ok;
}

static const struct {
	const char *name;
	bool (*end)(int a, int b);
} ends[] = {
	{ "each half in turn", end_both_read },
	{ "SO_LINGER 0: reset", end_linger0 },
	{ "SO_LINGER 5: waits for the ACK", end_linger },
	{ "unread data: reset", end_unread },
	{ "data after close(): reset", end_write_after },
	{ "both at once", end_at_once },
	{ "shutdown() of both", end_shut_both },
	{ "both with full queues", end_busy },
	{ "data of a closed descriptor arrives", end_orphan_data },
	{ "closed in FIN-WAIT-2", end_half_orphan },
};

#define N_ENDS	(sizeof(ends) / sizeof(ends[0]))

static bool pair(int *c, int *s)
{
	*c = side_socket(&client, 0);
	limit(*c);
	if (!expect("connect", connect_to(*c, address, port()) ? -errno : 0, 0))
		return false;
	*s = accept(lfd, NULL, NULL);
	limit(*s);
	return *s >= 0;
}

/* a listener closes: what waits for accept() is reset, what came too late is refused */
static bool listener_closes(int backlog, int clients)
{
	int l = side_listen(&server, address, port() + 1, backlog, 0), fd[64], i, n;
	struct pollfd pfd;
	bool ok = l >= 0;

	for (i = 0; i < clients; i++) {
		fd[i] = side_socket(&client, SOCK_NONBLOCK);
		connect_to(fd[i], address, port() + 1);
	}
	/* the last of the first ones is through: the queue is full */
	pfd = (struct pollfd){ .fd = fd[backlog < clients ? backlog - 1 : clients - 1],
			       .events = POLLOUT };
	ok = ok && expect("connected", poll(&pfd, 1, 10000), 1);
	close(l);
	for (i = 0; i < clients; i++) {
		/* who thinks it is connected while its ACK was not taken, hears by sending */
		n = put(fd[i], 1);
		if (n == -ECONNRESET || n == -ECONNREFUSED || n == -EPIPE)
			continue;
		pfd = (struct pollfd){ .fd = fd[i], .events = POLLIN };
		if (!expect("told", poll(&pfd, 1, 20000), 1)) {
			ok = false;
			continue;
		}
		n = get(fd[i]);
		if (n != -ECONNRESET && n != -ECONNREFUSED)
			ok = expect("reset or refused", n, -ECONNRESET);
	}
	for (i = 0; i < clients; i++)
		close(fd[i]);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned int i;
	int failed = 0, n, times, c, s;

	if (argc != 5)
		return 2;
	many_files();
	server = side_parse(argv[1]);
	client = side_parse(argv[2]);
	address = argv[3];
	times = atoi(argv[4]);
	lfd = side_listen(&server, address, port(), 64, 0);
	if (lfd < 0) {
		printf("# listen: %s\n", strerror(errno));
		return 1;
	}
	limit(lfd);
	for (i = 0; i < N_ENDS; i++) {
		bool ok = true;

		for (n = 0; ok && n < times; n++)
			ok = pair(&c, &s) && (n % 2 ? ends[i].end(c, s) : ends[i].end(s, c));
		if (!ok) {
			printf("# %s: failed at %d\n", ends[i].name, n);
			failed++;
		}
	}
	for (n = 0; n < (times + 3) / 4; n++) {
		if (!listener_closes(64, 32) || !listener_closes(4, 16)) {
			printf("# listener closes: failed at %d\n", n);
			failed++;
			break;
		}
	}
	return failed != 0;
}
