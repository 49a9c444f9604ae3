// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_soak KIND SERVER CLIENT ADDRESS SECONDS: one kind of traffic between an echo server, in a
 * process of its own, and its clients, for so long. What comes back is compared octet by octet.
 *
 *	idle	20 connections with keepalive that say something once in half an hour
 *	short	a connection of some KB about every 40 seconds, every other one shut down first
 *	bulk	a quarter of a MB at a time every twenty minutes
 *	stall	a MB, but the client does not read for half an hour: both windows are closed
 *	udp	a datagram every 15 seconds, every fourth in fragments; some may be lost
 *	nowhere	connections to a host that is not there (ADDRESS), and to one that does not
 *		answer (the next address), every hour: EHOSTUNREACH, ETIMEDOUT
 *
 * In virtual time: nothing here may look at the clock without sleeping. Exits 0 if all that had
 * to come came, and says how much it was.
 */
#include "load.h"
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define IDLE_CONNS	20
#define MAX_CONNS	64
#define ECHO_SIZE	65536
#define PATIENCE_MS	(4 * 3600 * 1000)	/* RTOs double during a blackout */

struct echo {
	int len, off;
	bool eof;
	char buf[ECHO_SIZE];
};

static struct side server, client;
static const char *address;
static double end;
static unsigned int seed = 12345;

static bool failed(const char *what)
{
	printf("# %s at %.0f s before the end: %s\n", what, end - now_s(), strerror(errno));
	return false;
}

static void nap(double s)
{
	struct timespec ts = { .tv_sec = s, .tv_nsec = (s - (long)s) * 1e9 };

	nanosleep(&ts, NULL);
}

static unsigned int some(unsigned int low, unsigned int high)
{
	return low + rand_r(&seed) % (high - low + 1);
}

/* octet @at of what conversation @which says */
static char octet(unsigned int which, unsigned long at)
{
	return (at + which * 7919UL) * 2654435761UL >> 13;
}

static void fill(char *buf, unsigned int which, unsigned long at, int len)
{
	for (int i = 0; i < len; i++)
		buf[i] = octet(which, at + i);
}

/* ---- the server ---- */

static struct echo *echoes[MAX_CONNS + 1];
static struct pollfd polled[MAX_CONNS + 1];	/* the first: the listener */

static void serve_new(void)
{
	int fd = accept4(polled[0].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), i;

	for (i = 1; fd >= 0 && i <= MAX_CONNS; i++)
		if (polled[i].fd < 0) {
			polled[i].fd = fd;
			echoes[i] = calloc(1, sizeof(*echoes[i]));
			return;
		}
	if (fd >= 0)
		close(fd);
}

static void serve_one(int i)
{
	struct echo *e = echoes[i];
	ssize_t n;

	if (!e->len && !e->eof) {
		n = recv(polled[i].fd, e->buf, sizeof(e->buf), 0);
		e->off = 0;
		e->len = n > 0 ? n : 0;
		e->eof = !n || (n < 0 && errno != EAGAIN);
	}
	if (e->len) {
		n = send(polled[i].fd, e->buf + e->off, e->len, MSG_NOSIGNAL);
		if (n > 0) {
			e->off += n;
			e->len -= n;
		} else if (n < 0 && errno != EAGAIN) {
			e->eof = true;
			e->len = 0;
		}
	}
	if (!e->eof || e->len)
		return;
	close(polled[i].fd);
	polled[i].fd = -1;
	free(e);
	echoes[i] = NULL;
}

static void serve(int lfd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i <= MAX_CONNS; i++)
		polled[i].fd = -1;
	polled[0].fd = lfd;
	for (;;) {
		polled[0].events = POLLIN;
		for (int i = 1; i <= MAX_CONNS; i++)
			polled[i].events = echoes[i] && echoes[i]->len ? POLLOUT : POLLIN;
		poll(polled, MAX_CONNS + 1, -1);
		if (polled[0].revents)
			serve_new();
		for (int i = 1; i <= MAX_CONNS; i++)
			if (polled[i].fd >= 0 && polled[i].revents)
				serve_one(i);
	}
}

static void serve_udp(int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char buf[4096];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;; len = sizeof(from)) {
		n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);
		if (n > 0)
			sendto(fd, buf, n, 0, (struct sockaddr *)&from, len);
	}
}

static pid_t start_server(bool udp)
{
	int fd = udp ? -1 : side_listen(&server, address, port(), 64, SOCK_NONBLOCK);
	struct sockaddr_in sin = addr_of(address, port());
	pid_t pid;

	if (udp && !side_enter(&server)) {
		fd = socket(server.family, SOCK_DGRAM, 0);
		if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
			return -1;
	}
	if (fd < 0)
		return -1;
	pid = fork();
	if (!pid) {
		if (udp)
			serve_udp(fd);
		serve(fd);
	}
	close(fd);
	return pid;
}

/* ---- clients ---- */

/* while the link is dead nobody answers for an address: for no longer than that (20 s) */
static int dial(void)
{
	struct timeval limit = { .tv_sec = PATIENCE_MS / 1000 };
	double dead = now_s() + 25;
	int fd;

	while ((fd = side_socket(&client, 0)) < 0 || connect_to(fd, address, port())) {
		bool again = errno == EHOSTUNREACH && now_s() < dead;

		if (!again)
			failed("connect");
		if (fd >= 0)
			close(fd);
		if (!again)
			return -1;
		nap(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

/* say @len octets from @at on and hear them again; both small enough for the buffers */
static bool say(int fd, unsigned int which, unsigned long at, int len)
{
	static char out[ECHO_SIZE], in[ECHO_SIZE];

	fill(out, which, at, len);
	if (send(fd, out, len, MSG_NOSIGNAL) != len)
		return failed("send");
	errno = 0;
	if (recv(fd, in, len, MSG_WAITALL) != len)
		return failed("recv");
	errno = EBADMSG;
	return !memcmp(in, out, len) || failed("compare");
}

static bool hang_up(int fd, unsigned int which)
{
	bool ok = true;
	char c;

	/* the end said first and heard, or all at once */
	if (which % 2) {
		shutdown(fd, SHUT_WR);
		ok = recv(fd, &c, 1, 0) == 0 || failed("end of file");
	}
	close(fd);
	return ok;
}

static bool idle(unsigned long *count)
{
	int fd[IDLE_CONNS], on = 1, after = 120, every = 30;
	unsigned long at = 0;
	bool ok = true;

	for (int i = 0; i < IDLE_CONNS; i++) {
		fd[i] = dial();
		if (fd[i] < 0)
			return false;
		setsockopt(fd[i], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(fd[i], SOL_TCP, TCP_KEEPIDLE, &after, sizeof(after));
		setsockopt(fd[i], SOL_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	}
	for (; ok && now_s() < end; at += 100, nap(1800))
		for (int i = 0; ok && i < IDLE_CONNS; i++, ++*count)
			ok = say(fd[i], i, at, 100);
	for (int i = 0; i < IDLE_CONNS; i++)
		ok &= hang_up(fd[i], i);
	return ok;
}

static bool short_ones(unsigned long *count)
{
	bool ok = true;
	int fd;

	for (; ok && now_s() < end; nap(some(10000, 70000) / 1000.0)) {
		fd = dial();
		ok = fd >= 0 && say(fd, *count, 0, some(1, 8000)) && hang_up(fd, *count);
		++*count;
	}
	return ok;
}

/* send @len octets and read them back, not before @pause seconds when @pause is not 0 */
static bool transfer(unsigned int which, unsigned long len, int pause)
{
	unsigned long sent = 0, got = 0;
	struct pollfd p;
	char buf[8192];
	ssize_t n = 0;

	p.fd = dial();
	if (p.fd < 0)
		return false;
	while (got < len) {
		p.events = (pause ? 0 : POLLIN) | (sent < len ? POLLOUT : 0);
		n = poll(&p, 1, pause ? 60000 : PATIENCE_MS);
		if (!n && pause) {	/* nothing goes any more */
			nap(pause);
			pause = 0;
			continue;
		}
		if (n <= 0)
			return failed("nothing moves");
		n = sizeof(buf) < len - sent ? sizeof(buf) : len - sent;
		if (p.revents & POLLOUT && n) {
			fill(buf, which, sent, n);
			n = send(p.fd, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN)
				return failed("send");
			sent += n > 0 ? n : 0;
		}
		if (!(p.revents & ~POLLOUT))
			continue;
		n = recv(p.fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (!n || (n < 0 && errno != EAGAIN))
			return failed("recv");
		errno = EBADMSG;
		for (ssize_t i = 0; i < n; i++, got++)
			if (buf[i] != octet(which, got))
				return failed("compare");
	}
	return hang_up(p.fd, which);
}

static bool bulk(unsigned long *count)
{
	bool ok = true;

	for (; ok && now_s() < end; nap(some(600, 1800)), ++*count)
		ok = transfer(*count, 256 << 10, 0);
	return ok;
}

static bool stall(unsigned long *count)
{
	bool ok = true;

	/* more than the buffers of both ends take */
	for (; ok && now_s() < end; nap(600), ++*count)
		ok = transfer(*count, 1 << 20, 1800);
	return ok;
}

static bool udp(unsigned long *count)
{
	struct sockaddr_in sin = addr_of(address, port());
	unsigned long lost = 0;
	struct pollfd p;
	char out[3000], in[4096];
	int len;

	if (side_enter(&client))
		return failed("namespace");
	p = (struct pollfd){ socket(client.family, SOCK_DGRAM, 0), POLLIN, 0 };
	if (connect(p.fd, (struct sockaddr *)&sin, sizeof(sin)))
		return failed("connect");
	for (; now_s() < end; nap(14), ++*count) {
		bool heard = false;

		len = *count % 4 ? some(sizeof(int), 1400) : some(1500, sizeof(out));
		fill(out, *count, 0, len);
		memcpy(out, count, sizeof(int));
		/* the peer's link address is another, and it did not say so: lost, as any */
		if (send(p.fd, out, len, 0) != len && errno != EHOSTUNREACH)
			return failed("send");
		while (!heard && poll(&p, 1, 1000) > 0) {
			ssize_t n = recv(p.fd, in, sizeof(in), 0);

			if (n >= (ssize_t)sizeof(int) && memcmp(in, out, sizeof(int)))
				continue;	/* a late one, or twice */
			heard = n == len && !memcmp(in, out, len);
			if (n < 0 && errno != EHOSTUNREACH)
				return failed("recv");
			errno = EBADMSG;
			if (n >= 0 && !heard)
				return failed("compare");
		}
		lost += !heard;
	}
	printf("# udp: %lu of %lu lost\n", lost, *count);
	return lost < *count / 4 || failed("too many lost");
}

static bool nowhere(unsigned long *count)
{
	struct sockaddr_in absent = addr_of(address, port()), silent = absent;

	silent.sin_addr.s_addr = htonl(ntohl(absent.sin_addr.s_addr) + 1);
	for (; now_s() < end; nap(3400), ++*count) {
		int fd = side_socket(&client, 0);

		if (!connect(fd, (struct sockaddr *)&absent, sizeof(absent)) ||
		    errno != EHOSTUNREACH)
			return failed("absent");
		close(fd);
		fd = side_socket(&client, 0);
		if (!connect(fd, (struct sockaddr *)&silent, sizeof(silent)) ||
		    errno != ETIMEDOUT)
			return failed("silent");
		close(fd);
	}
	return true;
}

static const struct {
	const char *name;
	bool (*run)(unsigned long *count);
} kinds[] = {
	{ "idle", idle }, { "short", short_ones }, { "bulk", bulk }, { "stall", stall },
	{ "udp", udp }, { "nowhere", nowhere },
};

int main(int argc, char **argv)
{
	unsigned long count = 0;
	double start = now_s();
	pid_t pid = 0;
	bool ok;

	if (argc != 6)
		return 2;
	server = side_parse(argv[2]);
	client = side_parse(argv[3]);
	address = argv[4];
	end = start + atof(argv[5]);
	seed += port();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		if (kinds[i].run != nowhere)
			pid = start_server(kinds[i].run == udp);
		if (pid < 0)
			return !failed("server");
		ok = kinds[i].run(&count);
		if (pid) {
			nap(5);		/* the server hears of the last end */
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		printf("# %s %s %s: %lu in %.1f h\n", argv[1], argv[2], argv[3], count,
		       (now_s() - start) / 3600);
		return !ok || !count;
	}
	return 2;
}
