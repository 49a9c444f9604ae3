/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For programs that play both sides: sockets of either family in either of two
 * namespaces, so that one loop sees all of a connection.
 */
#ifndef STRATA_LOAD_H
#define STRATA_LOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/strata.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* programs that run at the same time take one each */
static inline int port(void)
{
	const char *word = getenv("LOAD_PORT");

	return word ? atoi(word) : 7000;
}

/* where one side lives: "strata@NAMESPACE" or "native@NAMESPACE" */
struct side {
	int family;
	int ns;
};

static inline int strata_family(void)
{
	FILE *f = fopen(STRATA_FAMILY_PARAM, "r");
	int family = -1;

	if (f) {
		if (fscanf(f, "%d", &family) != 1)
			family = -1;
		fclose(f);
	}
	return family;
}

static inline struct side side_parse(const char *word)
{
	const char *at = strchr(word, '@');
	struct side s = { -1, -1 };
	char path[256];

	if (!at)
		return s;
	s.family = !strncmp(word, "strata@", 7) ? strata_family() : AF_INET;
	snprintf(path, sizeof(path), "/run/netns/%s", at + 1);
	s.ns = open(path, O_RDONLY | O_CLOEXEC);
	return s;
}

static inline int side_enter(const struct side *s)
{
	static __thread int here = -1;

	if (here != s->ns && setns(s->ns, CLONE_NEWNET))
		return -1;
	here = s->ns;
	return 0;
}

static inline int side_socket(const struct side *s, int flags)
{
	if (side_enter(s))
		return -1;
	return socket(s->family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

static inline struct sockaddr_in addr_of(const char *ip, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, ip, &sin.sin_addr);
	return sin;
}

static inline int side_listen(const struct side *s, const char *ip, int port, int backlog,
			      int flags)
{
	struct sockaddr_in sin = addr_of(ip, port);
	int fd = side_socket(s, flags), one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, backlog)) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline int connect_to(int fd, const char *ip, int port)
{
	struct sockaddr_in sin = addr_of(ip, port);

	return connect(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static inline double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* in virtual time what never sleeps lets nobody else wake up */
static inline void breathe(int ms)
{
	static int sim = -1;

	if (sim < 0)
		sim = getenv("STRATA_MACHINE") && !strcmp(getenv("STRATA_MACHINE"), "sim");
	if (sim)
		usleep(ms * 1000);
}

static inline void many_files(void)
{
	struct rlimit rl = { 65536, 65536 };

	setrlimit(RLIMIT_NOFILE, &rl);
}

#endif
