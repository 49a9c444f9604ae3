// SPDX-License-Identifier: GPL-2.0-only
/*
 * When UDP's memory is used up by sockets that do not read, net.strata.udp_rmem_min decides
 * what the others still get.
 */
#include <sys/resource.h>
#include "../sock/sock_env.h"

#define PORT	6000
#define MOST	4000	/* sockets */
#define BIG	60000
#define SMALL	2000
#define TRIES	20

FIXTURE(mem) {
	int family;
	int out;
};

FIXTURE_SETUP(mem)
{
	self->family = env_family(STRATA);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->out = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_LE(0, self->out);
}

FIXTURE_TEARDOWN(mem)
{
}

static long mem_errors(void)
{
	char line[512] = "";
	long v[9] = { 0 };
	FILE *f = fopen("/proc/net/strata/snmp", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Udp: %ld %ld %ld %ld %ld %ld %ld %ld %ld", &v[0], &v[1], &v[2],
			   &v[3], &v[4], &v[5], &v[6], &v[7], &v[8]) == 9)
			break;
	if (f)
		fclose(f);
	return v[8];
}

static int send_to(int fd, int port, int len)
{
	static char data[BIG];
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to));
}

/* sockets that do not read, until one gets nothing; their number */
static int fill(int family, int out)
{
	long before = mem_errors();
	int n, i, fd, size = 1 << 20;

	for (n = 0; n < MOST; n++) {
		fd = socket(family, SOCK_DGRAM, 0);
		if (fd < 0 || env_bind(fd, "127.0.0.1", PORT + n))
			return -1;
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		for (i = 0; i < 8; i++)
			send_to(out, PORT + n, BIG);
		if (mem_errors() != before)
			return n;
	}
	return -1;
}

static int set_min(int bytes)
{
	FILE *f = fopen("/proc/sys/net/strata/udp_rmem_min", "w");

	if (!f)
		return -1;
	fprintf(f, "%d", bytes);
	return fclose(f);
}

/* how many of TRIES small datagrams a new socket gets; on a busy machine they come later */
static int takes(int family, int out, int port)
{
	int fd = socket(family, SOCK_DGRAM, 0), i, n = 0;
	struct timeval patience = { .tv_sec = 2 };
	char data[SMALL];

	if (fd < 0 || env_bind(fd, "127.0.0.1", port) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return -1;
	for (i = 0; i < TRIES; i++)
		send_to(out, port, SMALL);
	while (recv(fd, data, sizeof(data), 0) == SMALL)
		n++;
	close(fd);
	return n;
}

TEST_F_TIMEOUT(mem, rmem_min, 120)
{
	struct rlimit many = { MOST + 100, MOST + 100 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &many));
	ASSERT_EQ(TRIES, takes(self->family, self->out, PORT - 1));
	ASSERT_LT(0, fill(self->family, self->out));
	ASSERT_EQ(0, set_min(1));
	EXPECT_GE(4, takes(self->family, self->out, PORT - 2));
	ASSERT_EQ(0, set_min(1 << 20));
	EXPECT_EQ(TRIES, takes(self->family, self->out, PORT - 3));
}

TEST_HARNESS_MAIN
