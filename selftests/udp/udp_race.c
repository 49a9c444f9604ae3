// SPDX-License-Identifier: GPL-2.0-only
/*
 * One UDP socket, several threads: what connect(), disconnecting and sending do to its place in
 * the tables, whichever comes first. The kernel's checkers see more than the counts.
 */
#include <pthread.h>
#include "../sock/sock_env.h"

#define ROUNDS	4000
#define PORT	6100

ENV_FIXTURE(race)

static int fd;

/* sockets in use, of all families that the namespace has of this stack */
static int inuse(int family)
{
	FILE *f = fopen(family == NATIVE ? "/proc/net/sockstat" : "/proc/net/strata/sockstat", "r");
	char line[128];
	int n = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "UDP: inuse %d", &n);
	if (f)
		fclose(f);
	return n;
}

static void *connects(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		env_connect(fd, "127.0.0.1", PORT + i % 3);
	return NULL;
}

static void *disconnects(void *arg)
{
	static const struct sockaddr none = { AF_UNSPEC };
	int i;

	for (i = 0; i < ROUNDS; i++)
		connect(fd, &none, sizeof(struct sockaddr_in));
	return NULL;
}

static void *sends(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		send(fd, "x", 1, MSG_DONTWAIT);
	return NULL;
}

TEST_F(race, connect_disconnect)
{
	void *(*const what[])(void *) = { connects, disconnects, sends };
	pthread_t t[ARRAY_SIZE(what)];
	int i, before = inuse(self->family);

	ASSERT_LE(0, before);
	fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_LE(0, fd);
	for (i = 0; i < (int)ARRAY_SIZE(what); i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, what[i], NULL));
	for (i = 0; i < (int)ARRAY_SIZE(what); i++)
		pthread_join(t[i], NULL);
	/* it is where its port says, and nowhere else */
	ASSERT_EQ(0, env_connect(fd, "127.0.0.1", PORT));
	EXPECT_EQ(before + 1, inuse(self->family));
	ASSERT_EQ(0, connect(fd, &(struct sockaddr){ AF_UNSPEC }, sizeof(struct sockaddr_in)));
	EXPECT_EQ(before, inuse(self->family));
	close(fd);
	EXPECT_EQ(before, inuse(self->family));
}

TEST_HARNESS_MAIN
