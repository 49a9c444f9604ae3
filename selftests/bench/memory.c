// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory STACK COUNT: COUNT established, idle connections, both ends here, over 127.0.0.1; then
 * one line
 *
 *	STACK COUNT BYTES SLAB ROUND
 *
 * BYTES: memory that the kernel has less per end of a connection (MemFree), SLAB: of that in
 * slabs (SUnreclaim); ROUND: nanoseconds of one more connection's round trip. On the counting
 * machine a nanosecond is an instruction. STACK: native or strata.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "../../uapi/linux/strata.h"

#define PORTS	8	/* listeners: each has its own peers' ports */
#define ROUNDS	2000

static int listener[PORTS], family;

static void fail(const char *what)
{
	fprintf(stderr, "memory: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in name(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7000 + port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* both ends of a new connection */
static void open_pair(int n, int *ours, int *theirs)
{
	struct sockaddr_in sin = name(n % PORTS);

	*ours = socket(family, SOCK_STREAM, 0);
	if (*ours < 0 || connect(*ours, (struct sockaddr *)&sin, sizeof(sin)))
		fail("connect");
	*theirs = accept(listener[n % PORTS], NULL, NULL);
	if (*theirs < 0)
		fail("accept");
}

static long meminfo(const char *key)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			kb = atol(line + strlen(key) + 1);
	if (f)
		fclose(f);
	return kb;
}

/* what the kernel keeps for its own comfort goes first */
static void settle(void)
{
	FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

	if (f) {
		fputs("3", f);
		fclose(f);
	}
	sleep(1);
}

static long round_trip(void)
{
	struct timespec a, b;
	int ours, theirs, i;
	char c = 0;

	open_pair(0, &ours, &theirs);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < ROUNDS; i++)
		if (write(ours, &c, 1) != 1 || read(theirs, &c, 1) != 1 ||
		    write(theirs, &c, 1) != 1 || read(ours, &c, 1) != 1)
			fail("round trip");
	clock_gettime(CLOCK_MONOTONIC, &b);
	close(ours);
	close(theirs);
	return ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec) / ROUNDS;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 0, i, ours, theirs;
	struct rlimit many = { 2 * count + 64, 2 * count + 64 };
	long free_before, slab_before;
	struct sockaddr_in sin;

	if (count < 1 || (strcmp(argv[1], "native") && strcmp(argv[1], "strata"))) {
		fprintf(stderr, "usage: memory native|strata COUNT\n");
		return 2;
	}
	family = strcmp(argv[1], "strata") ? AF_INET : AF_STRATA;
	if (setrlimit(RLIMIT_NOFILE, &many))
		fail("RLIMIT_NOFILE");
	for (i = 0; i < PORTS; i++) {
		sin = name(i);
		listener[i] = socket(family, SOCK_STREAM, 0);
		if (bind(listener[i], (struct sockaddr *)&sin, sizeof(sin)) ||
		    listen(listener[i], 64))
			fail("listen");
	}
	round_trip();
	settle();
	free_before = meminfo("MemFree");
	slab_before = meminfo("SUnreclaim");
	for (i = 0; i < count; i++)
		open_pair(i, &ours, &theirs);
	settle();
	printf("%s %d %ld %ld %ld\n", argv[1], count,
	       (free_before - meminfo("MemFree")) * 1024 / (2L * count),
	       (meminfo("SUnreclaim") - slab_before) * 1024 / (2L * count), round_trip());
	return 0;
}
