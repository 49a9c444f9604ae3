// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose memory it is (cgroup-v2.rst, memory.stat): a socket's buffers count for the memory
 * cgroup of who opened it, an accepted one's for that of who called accept().
 */
#include "sock_env.h"

#define ROOT	"/sys/fs/cgroup"
#define DATA	65536

FIXTURE(memcg) {
	int family;
	char dir[64];
};

FIXTURE_VARIANT(memcg) {
	int stack;
};

FIXTURE_VARIANT_ADD(memcg, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(memcg, strata) { .stack = STRATA };

static int put(const char *dir, const char *file, const char *text)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY);
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* octets that memory.stat of the group has for sockets, or -1 */
static long sock_octets(const char *dir)
{
	char path[128], line[128];
	long octets = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/memory.stat", dir);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "sock %ld", &octets) == 1)
			break;
	fclose(f);
	return octets;
}

/* waits until those octets are @min to @max; what they were last */
static long sock_octets_get(const char *dir, long min, long max)
{
	int64_t end = env_ms() + 10000;
	long octets;

	for (;;) {
		octets = sock_octets(dir);
		if ((octets >= min && octets <= max) || env_ms() > end)
			return octets;
		usleep(50000);
	}
}

static void fill(int from, int to)
{
	char buf[4096] = { 0 };
	int sent, queued = 0, tries = 200;

	for (sent = 0; sent < DATA; sent += sizeof(buf))
		if (send(from, buf, sizeof(buf), 0) != sizeof(buf))
			return;
	while (queued < DATA && tries-- && !ioctl(to, FIONREAD, &queued))
		usleep(20000);
}

FIXTURE_SETUP(memcg)
{
	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	if (put(ROOT, "cgroup.subtree_control", "+memory"))
		SKIP(return, "no memory controller of cgroup v2");
	snprintf(self->dir, sizeof(self->dir), ROOT "/strata-%d", getpid());
	ASSERT_EQ(0, mkdir(self->dir, 0755));
	ASSERT_EQ(0, env_unshare());
	ASSERT_EQ(0, sock_octets(self->dir));
}

FIXTURE_TEARDOWN(memcg)
{
	put(ROOT, "cgroup.procs", "0");
	if (self->dir[0])
		EXPECT_EQ(0, rmdir(self->dir));
}

TEST_F(memcg, accepted_socket)
{
	int outside = socket(self->family, SOCK_STREAM, 0), lsk, fd;

	ASSERT_EQ(0, put(self->dir, "cgroup.procs", "0"));
	lsk = socket(self->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, env_bind(lsk, "127.0.0.1", 8000));
	ASSERT_EQ(0, listen(lsk, 1));
	ASSERT_EQ(0, env_connect(outside, "127.0.0.1", 8000));
	fd = accept(lsk, NULL, NULL);
	ASSERT_LE(0, fd);
	fill(outside, fd);
	EXPECT_LE(DATA, sock_octets_get(self->dir, DATA, 16 * DATA));
	close(fd);
	close(lsk);
	EXPECT_EQ(0, sock_octets_get(self->dir, 0, 0));
	close(outside);
}

TEST_F(memcg, opened_socket)
{
	int lsk = socket(self->family, SOCK_STREAM, 0), inside, fd;

	ASSERT_EQ(0, env_bind(lsk, "127.0.0.1", 8000));
	ASSERT_EQ(0, listen(lsk, 1));
	ASSERT_EQ(0, put(self->dir, "cgroup.procs", "0"));
	inside = socket(self->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, put(ROOT, "cgroup.procs", "0"));
	ASSERT_EQ(0, env_connect(inside, "127.0.0.1", 8000));
	fd = accept(lsk, NULL, NULL);
	ASSERT_LE(0, fd);
	fill(fd, inside);
	EXPECT_LE(DATA, sock_octets_get(self->dir, DATA, 16 * DATA));
	close(inside);
	EXPECT_EQ(0, sock_octets_get(self->dir, 0, 0));
	close(fd);
	close(lsk);
}

TEST_F(memcg, datagrams)
{
	int from = socket(self->family, SOCK_DGRAM, 0), to, i;
	char buf[8192] = { 0 };

	ASSERT_EQ(0, put(self->dir, "cgroup.procs", "0"));
	to = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(to, "127.0.0.1", 8000));
	ASSERT_EQ(0, env_connect(from, "127.0.0.1", 8000));
	for (i = 0; i < DATA / sizeof(buf); i++)
		ASSERT_EQ(sizeof(buf), send(from, buf, sizeof(buf), 0));
	EXPECT_LE(DATA, sock_octets_get(self->dir, DATA, 16 * DATA));
	close(to);
	EXPECT_EQ(0, sock_octets_get(self->dir, 0, 0));
	close(from);
}

TEST_HARNESS_MAIN
