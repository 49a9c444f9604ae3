// SPDX-License-Identifier: GPL-2.0-only
/*
 * One TCP connection between two network namespaces, with data in one direction or
 * both, compared octet by octet.
 *
 *	tcp_xfer SERVER CLIENT WAY BYTES [slow]
 *
 * SERVER, CLIENT: NAMESPACE:FAMILY:ADDRESS, FAMILY native or strata. WAY: down (the
 * server sends), up (the client sends) or both. slow: the receiver pauses 5 ms between
 * reads of 8 KB and has a buffer of 16 KB, so the window closes. The data is a
 * generator's, seeded anew each time; the receiver runs the same generator, so the
 * first octet that differs is named. Exit status 0 if all of it came.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK		65536
#define TIMEOUT_S	3600	/* of the kernel's time, between two octets: RTOs double */

struct end {
	char		*netns;
	int		family;
	struct in_addr	addr;
};

static const char *me = "?";

static void fail(const char *what)
{
	fprintf(stderr, "# %s: %s: %s\n", me, what, strerror(errno));
	exit(1);
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void fill(uint64_t *state, uint64_t *buf)
{
	for (size_t i = 0; i < CHUNK / sizeof(*buf); i++)
		buf[i] = next(state);
}

static int strata_family(void)
{
	FILE *f = fopen("/sys/module/strata/parameters/family", "r");
	int n = 18;

	if (f) {
		if (fscanf(f, "%d", &n) != 1)
			n = 18;
		fclose(f);
	}
	return n;
}

static void parse_end(struct end *e, char *arg)
{
	char *family, *addr;

	e->netns = strtok(arg, ":");
	family = strtok(NULL, ":");
	addr = strtok(NULL, ":");
	if (!addr || !inet_aton(addr, &e->addr)) {
		fprintf(stderr, "expected NAMESPACE:FAMILY:ADDRESS\n");
		exit(2);
	}
	e->family = strcmp(family, "strata") ? AF_INET : strata_family();
}

static int open_socket(const struct end *e)
{
	struct timeval limit = { .tv_sec = TIMEOUT_S };
	char path[256];
	int fd, one = 1;

	snprintf(path, sizeof(path), "/run/netns/%s", e->netns);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(path);
	close(fd);
	fd = socket(e->family, SOCK_STREAM, 0);
	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

static void send_all(int fd, uint64_t seed, size_t bytes)
{
	static uint64_t buf[CHUNK / sizeof(uint64_t)];

	while (bytes) {
		size_t len = bytes < CHUNK ? bytes : CHUNK, done = 0;

		fill(&seed, buf);
		while (done < len) {
			ssize_t n = send(fd, (char *)buf + done, len - done, MSG_NOSIGNAL);

			if (n < 0)
				fail("send");
			done += n;
		}
		bytes -= len;
	}
	if (shutdown(fd, SHUT_WR))
		fail("shutdown");
}

static void recv_all(int fd, uint64_t seed, size_t bytes, int slow)
{
	static uint64_t buf[CHUNK / sizeof(uint64_t)];
	static char got[CHUNK];
	size_t at = 0;

	for (;;) {
		ssize_t n = recv(fd, got, slow ? 8192 : sizeof(got), 0);

		if (n < 0)
			fail("recv");
		if (!n)
			break;
		for (ssize_t i = 0; i < n; i++, at++) {
			if (at % CHUNK == 0)
				fill(&seed, buf);
			if (got[i] == ((char *)buf)[at % CHUNK])
				continue;
			fprintf(stderr, "# %s: octet %zu of %zu differs\n", me, at, bytes);
			exit(1);
		}
		if (slow)
			nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	if (at == bytes)
		return;
	fprintf(stderr, "# %s: %zu octets of %zu came\n", me, at, bytes);
	exit(1);
}

/* both roles at once if both ways: a child receives */
static void transfer(int fd, uint64_t seed, size_t bytes, int sends, int receives, int slow)
{
	pid_t child = 0;
	int status;

	if (sends && receives) {
		child = fork();
		if (child < 0)
			fail("fork");
	}
	if (receives && (!sends || !child))
		recv_all(fd, seed, bytes, slow);
	if (sends && receives && !child)
		_exit(0);
	if (sends)
		send_all(fd, seed, bytes);
	if (!child) {
		char c;

		/* wait for the other side's end */
		if (sends && recv(fd, &c, 1, 0) < 0)
			fail("recv after the end");
		return;
	}
	if (waitpid(child, &status, 0) < 0 || status)
		exit(1);
}

static void set_small_buffer(int fd)
{
	int size = 16384;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		fail("SO_RCVBUF");
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(7000) };
	struct end server, client;
	int slow, down, up, fd, conn, status;
	struct timespec now, start;
	uint64_t seed;
	size_t bytes;
	pid_t child;

	if (argc < 5) {
		fprintf(stderr, "usage: tcp_xfer SERVER CLIENT down|up|both BYTES [slow]\n");
		return 2;
	}
	parse_end(&server, argv[1]);
	parse_end(&client, argv[2]);
	down = strcmp(argv[3], "up") != 0;
	up = strcmp(argv[3], "down") != 0;
	bytes = strtoull(argv[4], NULL, 0);
	slow = argc > 5;
	clock_gettime(CLOCK_REALTIME, &now);
	seed = (now.tv_nsec * 2654435761ULL ^ now.tv_sec ^ getpid()) | 1;
	clock_gettime(CLOCK_MONOTONIC, &start);

	me = "server";
	fd = open_socket(&server);
	if (slow)
		set_small_buffer(fd);
	sin.sin_addr = server.addr;
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		fail("bind");
	if (listen(fd, 1))
		fail("listen");
	child = fork();
	if (child < 0)
		fail("fork");
	if (!child) {
		close(fd);
		me = "client";
		fd = open_socket(&client);
		if (slow)
			set_small_buffer(fd);
		if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
			fail("connect");
		transfer(fd, seed, bytes, up, down, slow);
		return 0;
	}
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		fail("accept");
	transfer(conn, seed, bytes, down, up, slow);
	close(conn);
	if (waitpid(child, &status, 0) < 0 || status)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("# seed %llu, %.2f s\n", (unsigned long long)seed,
	       now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9);
	return 0;
}
