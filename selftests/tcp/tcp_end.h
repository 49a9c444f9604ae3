/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An end of a connection, named NAMESPACE:FAMILY:ADDRESS (family native or strata), and its
 * socket. Include after _GNU_SOURCE is defined.
 */
#ifndef SELFTESTS_TCP_END_H
#define SELFTESTS_TCP_END_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT_S	3600	/* of the kernel's time, between two octets: RTOs double */

struct end {
	char		*netns;
	int		family;
	struct in_addr	addr;
};

/* what fail() calls this process */
static const char *me = "?";

static inline void fail(const char *what)
{
	fprintf(stderr, "# %s: %s: %s\n", me, what, strerror(errno));
	exit(1);
}

static inline int strata_family(void)
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

/* @arg: is cut into pieces, which @e keeps */
static inline void parse_end(struct end *e, char *arg)
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

/* A stream socket of @e; the process stays in its namespace. */
static inline int open_socket(const struct end *e)
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

#endif /* SELFTESTS_TCP_END_H */
