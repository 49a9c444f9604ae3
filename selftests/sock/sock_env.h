/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the socket layer share. Every case runs on the native stack and on
 * Strata: what holds for both is how Strata must be, errno values included.
 */
#ifndef SOCK_ENV_H
#define SOCK_ENV_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/strata.h>

#include "../kselftest_harness.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#define NATIVE	AF_INET
#define STRATA	(-1)	/* the number is known once the module is loaded */

#define NOWHERE	((void *)1)	/* an address nothing is mapped at */

/* Load the module for who runs a test by hand or in a fresh guest */
__attribute__((constructor)) static void env_load(void)
{
	const char *ko = getenv("STRATA_KO");
	char cmd[512];

	if (!access("/sys/module/strata", F_OK) || !ko)
		return;
	snprintf(cmd, sizeof(cmd), "insmod %s", ko);
	if (system(cmd)) {
		printf("Bail out! %s failed\n", cmd);
		exit(1);
	}
}

/* The family's number, or -1 without the module */
static inline int env_family(int variant)
{
	int family = -1;
	FILE *f;

	if (variant == NATIVE)
		return AF_INET;
	f = fopen(STRATA_FAMILY_PARAM, "r");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &family) != 1)
		family = -1;
	fclose(f);
	return family;
}

/* A namespace of our own with lo up */
static inline int env_unshare(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, err;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	err = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return err;
}

static inline int env_run(const char *fmt, const char *a, const char *b)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), fmt, a, b);
	return system(cmd);
}

static inline struct sockaddr_in env_addr(const char *addr, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, addr, &sin.sin_addr);
	return sin;
}

static inline int env_bind(int fd, const char *addr, int port)
{
	struct sockaddr_in sin = env_addr(addr, port);

	return bind(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static inline int env_connect(int fd, const char *addr, int port)
{
	struct sockaddr_in sin = env_addr(addr, port);

	return connect(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static inline ssize_t env_sendto(int fd, const void *buf, size_t len, int flags, const char *addr,
				 int port)
{
	struct sockaddr_in sin = env_addr(addr, port);

	return sendto(fd, buf, len, flags, (struct sockaddr *)&sin, sizeof(sin));
}

static inline int env_unspec(int fd)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };

	return connect(fd, &sa, sizeof(sa));
}

static inline int env_port(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getsockname(fd, (struct sockaddr *)&sin, &len))
		return -1;
	return ntohs(sin.sin_port);
}

static inline int env_setopt(int fd, int level, int opt, int val)
{
	return setsockopt(fd, level, opt, &val, sizeof(val));
}

static inline int env_getopt(int fd, int level, int opt)
{
	socklen_t len = sizeof(int);
	int val = -1;

	return getsockopt(fd, level, opt, &val, &len) ? -1 : val;
}

/* Wait until there is something to read: 1, or 0 after ten seconds */
static inline int env_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 10000);
}

static inline int64_t env_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

#define EXPECT_ERRNO(err, call) do {			\
	errno = 0;					\
	EXPECT_EQ(-1, (call)) TH_LOG("%s", #call);	\
	EXPECT_EQ(err, errno) TH_LOG("%s", #call);	\
} while (0)

/* A fixture of the two stacks in a namespace with lo only; setup leaves self->family */
#define ENV_FIXTURE(name)					\
FIXTURE(name) {							\
	int family;						\
};								\
FIXTURE_VARIANT(name) {						\
	int stack;						\
};								\
FIXTURE_VARIANT_ADD(name, native) { .stack = NATIVE };		\
FIXTURE_VARIANT_ADD(name, strata) { .stack = STRATA };		\
FIXTURE_SETUP(name)						\
{								\
	self->family = env_family(variant->stack);		\
	if (self->family < 0)					\
		SKIP(return, "the module is not loaded");	\
	ASSERT_EQ(0, env_unshare());				\
}								\
FIXTURE_TEARDOWN(name)						\
{								\
}

/* A connected pair over 127.0.0.1: *@a called, *@b was accepted */
static inline int env_joined(int family, int *a, int *b)
{
	int lst = socket(family, SOCK_STREAM, 0);

	*a = socket(family, SOCK_STREAM, 0);
	if (env_bind(lst, "127.0.0.1", 0) || listen(lst, 1) ||
	    env_connect(*a, "127.0.0.1", env_port(lst)))
		return -1;
	*b = accept(lst, NULL, NULL);
	close(lst);
	return *b < 0 ? -1 : 0;
}

#endif /* SOCK_ENV_H */
