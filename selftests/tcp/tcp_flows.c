// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bulk flows at the same time, and how fast each was; what they carry is not compared
 * (tcp_xfer does that).
 *
 *	tcp_flows time SECONDS SERVER CLIENT [SERVER CLIENT]...
 *	tcp_flows size BYTES SERVER CLIENT [SERVER CLIENT]...
 *
 * SERVER, CLIENT: NAMESPACE:FAMILY:ADDRESS. Each server sends to its client, for SECONDS from
 * the start of all or until BYTES have come. Prints one line with a number per flow: Mbit/s
 * that the client received (time), or ms from connect() to the last octet (size).
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "tcp_end.h"

#define FLOWS	64
#define CHUNK	65536
#define PORT	7000

struct flow {
	struct end server, client;
	struct sockaddr_in sin;
	int listener;
	pid_t sender, receiver;
};

/* one number per flow, in memory that all processes share */
static double *result;
static char buf[CHUNK];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void send_to_peer(int listener, uint64_t bytes)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		fail("accept");
	while (bytes) {
		ssize_t n = send(fd, buf, bytes < CHUNK ? bytes : CHUNK, MSG_NOSIGNAL);

		/* the client has had enough */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			break;
		if (n < 0)
			fail("send");
		bytes -= n;
	}
	exit(0);
}

/* until @deadline, or the sender's end: octets that came */
static uint64_t recv_from_peer(int fd, double deadline)
{
	uint64_t got = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		double left = deadline - now();
		ssize_t n;

		if (left <= 0)
			return got;
		if (poll(&p, 1, left * 1000 + 1) < 0)
			fail("poll");
		if (!p.revents)
			continue;
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0)
			fail("recv");
		if (!n)
			return got;
		got += n;
	}
}

static void receive(const struct flow *f, double *to, double seconds, uint64_t bytes)
{
	struct linger none = { .l_onoff = 1 };
	int fd = open_socket(&f->client);
	double start = now();
	uint64_t got;

	if (connect(fd, (const struct sockaddr *)&f->sin, sizeof(f->sin)))
		fail("connect");
	got = recv_from_peer(fd, start + (bytes ? TIMEOUT_S : seconds));
	if (bytes && got != bytes) {
		errno = EIO;
		fail("octets are missing");
	}
	*to = bytes ? (now() - start) * 1000 : got * 8 / seconds / 1e6;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	exit(0);
}

/* one process from here on, as a child: returns its pid to the parent, 0 to itself */
static pid_t branch(const char *name)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid)
		me = name;
	return pid;
}

static void begin(struct flow *f, int i, uint64_t bytes)
{
	f->sin.sin_family = AF_INET;
	f->sin.sin_port = htons(PORT + i);
	f->sin.sin_addr = f->server.addr;
	f->listener = open_socket(&f->server);
	if (bind(f->listener, (struct sockaddr *)&f->sin, sizeof(f->sin)))
		fail("bind");
	if (listen(f->listener, 1))
		fail("listen");
	f->sender = branch("server");
	if (!f->sender)
		send_to_peer(f->listener, bytes ? bytes : UINT64_MAX);
}

int main(int argc, char **argv)
{
	static struct flow flow[FLOWS];
	int n = (argc - 3) / 2, i, status, bad = 0;
	uint64_t bytes = 0;
	double seconds = 0;

	if (argc < 5 || argc % 2 == 0 || n > FLOWS ||
	    (strcmp(argv[1], "time") && strcmp(argv[1], "size"))) {
		fprintf(stderr, "usage: tcp_flows time|size AMOUNT SERVER CLIENT [SERVER CLIENT]...\n");
		return 2;
	}
	if (!strcmp(argv[1], "time"))
		seconds = atof(argv[2]);
	else
		bytes = strtoull(argv[2], NULL, 0);
	result = mmap(NULL, FLOWS * sizeof(*result), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED)
		fail("mmap");
	for (i = 0; i < n; i++) {
		parse_end(&flow[i].server, argv[3 + 2 * i]);
		parse_end(&flow[i].client, argv[4 + 2 * i]);
		begin(&flow[i], i, bytes);
	}
	for (i = 0; i < n; i++) {
		flow[i].receiver = branch("client");
		if (!flow[i].receiver)
			receive(&flow[i], &result[i], seconds, bytes);
	}
	for (i = 0; i < n; i++) {
		if (waitpid(flow[i].receiver, &status, 0) < 0 || status)
			bad = 1;
		/* its client closed by a reset, which a bad link may have lost */
		if (bytes && (waitpid(flow[i].sender, &status, 0) < 0 || status))
			bad = 1;
		if (!bytes) {
			kill(flow[i].sender, SIGKILL);
			waitpid(flow[i].sender, NULL, 0);
		}
	}
	for (i = 0; !bad && i < n; i++)
		printf("%s%.3f", i ? " " : "", result[i]);
	if (!bad)
		printf("\n");
	return bad;
}
