// SPDX-License-Identifier: GPL-2.0-only
/*
 * One TCP connection between two network namespaces, with random data in one direction
 * or both, compared octet by octet and by SHA-256.
 *
 *	tcp_xfer SERVER CLIENT WAY BYTES [slow]
 *
 * SERVER, CLIENT: NAMESPACE:FAMILY:ADDRESS, FAMILY native or strata. WAY: down (the
 * server sends), up (the client sends) or both. slow: the receiver pauses 5 ms between
 * reads of 8 KB, has a buffer of 16 KB, and rests for a second when it has half of it all:
 * the window closes. The data is a
 * generator's, seeded anew each time; the receiver runs the same generator, so the
 * first octet that differs is named, and both hash what they sent and got.
 *
 * Prints one line: seconds from connect() to the last end, goodput of one direction,
 * and the start of each direction's SHA-256. Exit status 0 if all of it came.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "../lib/sha256.h"
#include "tcp_end.h"

#define CHUNK		65536

enum way { DOWN, UP };

struct hash {
	uint8_t sha256[32];
	int done;
};

/* what both processes have hashed, in memory they share */
struct result {
	struct hash sent[2], got[2];
};

static struct result *result;
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

static void hash_end(struct sha256 *sha, struct hash *h)
{
	sha256_end(sha, h->sha256);
	h->done = 1;
}

static void send_all(int fd, uint64_t seed, size_t bytes, struct hash *hash)
{
	static uint64_t buf[CHUNK / sizeof(uint64_t)];
	struct sha256 sha;

	sha256_init(&sha);
	while (bytes) {
		size_t len = bytes < CHUNK ? bytes : CHUNK, done = 0;

		fill(&seed, buf);
		sha256_add(&sha, buf, len);
		while (done < len) {
			ssize_t n = send(fd, (char *)buf + done, len - done, MSG_NOSIGNAL);

			if (n < 0)
				fail("send");
			done += n;
		}
		bytes -= len;
	}
	hash_end(&sha, hash);
	if (shutdown(fd, SHUT_WR))
		fail("shutdown");
}

/* compare with what the generator would have sent at @at */
static void compare(const char *got, size_t len, size_t at, uint64_t *seed)
{
	static uint64_t buf[CHUNK / sizeof(uint64_t)];
	const char *want = (char *)buf;

	while (len) {
		size_t off = at % CHUNK, n = len < CHUNK - off ? len : CHUNK - off, i = 0;

		if (!off)
			fill(seed, buf);
		if (memcmp(got, want + off, n)) {
			while (got[i] == want[off + i])
				i++;
			fprintf(stderr, "# %s: octet %zu differs\n", me, at + i);
			exit(1);
		}
		got += n;
		at += n;
		len -= n;
	}
}

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static void recv_all(int fd, uint64_t seed, size_t bytes, int slow, struct hash *hash)
{
	static char got[CHUNK];
	struct sha256 sha;
	size_t at = 0;
	int rested = 0;

	sha256_init(&sha);
	for (;;) {
		ssize_t n = recv(fd, got, slow ? 8192 : sizeof(got), 0);

		if (n < 0)
			fail("recv");
		if (!n)
			break;
		compare(got, n, at, &seed);
		sha256_add(&sha, got, n);
		at += n;
		if (slow)
			pause_ms(at > bytes / 2 && !rested++ ? 1000 : 5);
	}
	hash_end(&sha, hash);
	if (at == bytes)
		return;
	fprintf(stderr, "# %s: %zu octets of %zu came\n", me, at, bytes);
	exit(1);
}

/* both roles at once if both ways: a child receives */
static void transfer(int fd, uint64_t seed, size_t bytes, int sends, int receives, int slow,
		     enum way out)
{
	uint64_t there = seed + 2 * out, back = seed + 2 * !out;
	pid_t child = 0;
	int status;

	if (sends && receives) {
		child = fork();
		if (child < 0)
			fail("fork");
	}
	if (receives && (!sends || !child))
		recv_all(fd, back, bytes, slow, &result->got[!out]);
	if (sends && receives && !child)
		_exit(0);
	if (sends)
		send_all(fd, there, bytes, &result->sent[out]);
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

/*
 * An end that goes away leaves an orphan, which gives up early when the RTO is long, and nobody
 * tells the peer: so close() waits until data and FIN are acknowledged.
 */
static void close_acked(int fd)
{
	struct linger wait = { .l_onoff = 1, .l_linger = TIMEOUT_S };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait)))
		fail("SO_LINGER");
	close(fd);
}

static void set_small_buffer(int fd)
{
	int size = 16384;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		fail("SO_RCVBUF");
}

/* the direction's digests are there and equal */
static int hashed(enum way way)
{
	const struct hash *sent = &result->sent[way], *got = &result->got[way];
	int i;

	if (!sent->done || !got->done || memcmp(sent->sha256, got->sha256, 32)) {
		fprintf(stderr, "# SHA-256 %s differs\n", way == UP ? "up" : "down");
		return 0;
	}
	printf(", %s ", way == UP ? "up" : "down");
	for (i = 0; i < 8; i++)
		printf("%02x", sent->sha256[i]);
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(7000) };
	struct end server, client;
	int slow, down, up, fd, conn, status, ok = 1;
	struct timespec now, start;
	uint64_t seed;
	double took;
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
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (result == MAP_FAILED)
		fail("mmap");

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
		transfer(fd, seed, bytes, up, down, slow, UP);
		close_acked(fd);
		return 0;
	}
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		fail("accept");
	transfer(conn, seed, bytes, down, up, slow, DOWN);
	close_acked(conn);
	if (waitpid(child, &status, 0) < 0 || status)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	took = now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9;
	printf("%.3f s", took);
	if (took > 0)
		printf(", %.2f Mbit/s", bytes * 8 / took / 1e6);
	if (down)
		ok = hashed(DOWN);
	if (up)
		ok &= hashed(UP);
	printf("\n");
	return !ok;
}
