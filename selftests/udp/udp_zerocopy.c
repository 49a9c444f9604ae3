// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams by MSG_ZEROCOPY (Documentation/networking/msg_zerocopy.rst): what arrives, and what
 * the error queue says of it. Both ends are addresses of this host, whose stacks copy the pages on
 * the way and say so; a dummy device does not.
 */
#include <pthread.h>
#include <time.h>
#include "../lib/kernel.h"
#include "../sock/sock_env.h"

#define PORT	5000

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

FIXTURE(zc) {
	int family;
	int fd;		/* connected to peer, SO_ZEROCOPY */
	int peer;
};

FIXTURE_VARIANT(zc) {
	int stack;
};

FIXTURE_VARIANT_ADD(zc, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(zc, strata) { .stack = STRATA };

FIXTURE_SETUP(zc)
{
	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->peer = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_bind(self->peer, "127.0.0.1", PORT));
	self->fd = socket(self->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, env_connect(self->fd, "127.0.0.1", PORT));
	if (env_setopt(self->fd, SOL_SOCKET, SO_ZEROCOPY, 1) && errno == EOPNOTSUPP)
		SKIP(return, "the core refuses SO_ZEROCOPY before Linux 6.2");
}

FIXTURE_TEARDOWN(zc)
{
}

static uint8_t *pattern(size_t len, int seed)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = i * 7 + (i >> 8) + seed;
	return p;
}

/* notices up to number @hi; the first one's number and all codes in *@code. -1: there are none */
static int notices(int fd, uint32_t hi, uint8_t *code)
{
	struct sock_extended_err ee;
	int first = -1, i;

	*code = 0;
	for (i = 0; i < 100; i++) {
		char ctl[256];
		struct msghdr m = { .msg_control = ctl, .msg_controllen = sizeof(ctl) };
		struct cmsghdr *c;

		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
			usleep(10000);
			continue;
		}
		c = CMSG_FIRSTHDR(&m);
		if (!c || c->cmsg_level != SOL_IP || c->cmsg_type != IP_RECVERR)
			return -2;
		memcpy(&ee, CMSG_DATA(c), sizeof(ee));
		if (ee.ee_origin != SO_EE_ORIGIN_ZEROCOPY || ee.ee_errno)
			return -3;
		if (first < 0)
			first = ee.ee_info;
		*code |= ee.ee_code;
		if (ee.ee_data >= hi)
			break;
	}
	return first;
}

TEST_F(zc, option)
{
	EXPECT_EQ(1, env_getopt(self->fd, SOL_SOCKET, SO_ZEROCOPY));
	EXPECT_ERRNO(EINVAL, env_setopt(self->fd, SOL_SOCKET, SO_ZEROCOPY, 2));
	EXPECT_ERRNO(EINVAL, env_setopt(self->fd, SOL_SOCKET, SO_ZEROCOPY, -1));
	EXPECT_EQ(0, env_setopt(self->fd, SOL_SOCKET, SO_ZEROCOPY, 0));
	EXPECT_EQ(0, env_getopt(self->fd, SOL_SOCKET, SO_ZEROCOPY));
}

TEST_F(zc, notice)
{
	struct pollfd pfd = { .fd = self->fd };
	static uint8_t got[60000];
	uint8_t *a = pattern(3000, 1), *b = pattern(60000, 2), code;

	ASSERT_EQ(3000, send(self->fd, a, 3000, MSG_ZEROCOPY));
	ASSERT_EQ(60000, send(self->fd, b, 60000, MSG_ZEROCOPY));
	ASSERT_EQ(3000, recv(self->peer, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(a, got, 3000));
	ASSERT_EQ(60000, recv(self->peer, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(b, got, 60000));
	EXPECT_EQ(1, poll(&pfd, 1, 1000));
	EXPECT_EQ(POLLERR, pfd.revents);
	EXPECT_EQ(0, notices(self->fd, 1, &code));
	EXPECT_EQ(SO_EE_CODE_ZEROCOPY_COPIED, code);
	/* of no octets, too */
	ASSERT_EQ(0, send(self->fd, a, 0, MSG_ZEROCOPY));
	EXPECT_EQ(2, notices(self->fd, 2, &code));
	/* none without either half of the wish */
	ASSERT_EQ(10, send(self->fd, a, 10, 0));
	ASSERT_EQ(0, env_setopt(self->fd, SOL_SOCKET, SO_ZEROCOPY, 0));
	ASSERT_EQ(10, send(self->fd, a, 10, MSG_ZEROCOPY));
	EXPECT_EQ(-1, notices(self->fd, 9, &code));
}

/* to an address that is given */
TEST_F(zc, unconnected)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	uint8_t *a = pattern(3000, 1), got[3001], code;

	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	ASSERT_EQ(3000, env_sendto(fd, a, 3000, MSG_ZEROCOPY, "127.0.0.1", PORT));
	ASSERT_EQ(3000, recv(self->peer, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(a, got, 3000));
	EXPECT_EQ(0, notices(fd, 0, &code));
}

/* what fails is not counted */
TEST_F(zc, failed)
{
	uint8_t *a = pattern(65536, 1), code;
	int fd = socket(self->family, SOCK_DGRAM, 0);

	EXPECT_ERRNO(EFAULT, send(self->fd, NOWHERE, 5000, MSG_ZEROCOPY));
	EXPECT_ERRNO(EMSGSIZE, send(self->fd, a, 65508, MSG_ZEROCOPY));
	ASSERT_EQ(10, send(self->fd, a, 10, MSG_ZEROCOPY));
	EXPECT_EQ(0, notices(self->fd, 0, &code));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	EXPECT_ERRNO(ENETUNREACH, env_sendto(fd, a, 10, MSG_ZEROCOPY, "10.1.1.1", PORT));
	EXPECT_ERRNO(EDESTADDRREQ, send(fd, a, 10, MSG_ZEROCOPY));
	ASSERT_EQ(10, env_sendto(fd, a, 10, MSG_ZEROCOPY, "127.0.0.1", PORT));
	EXPECT_EQ(0, notices(fd, 0, &code));
}

/* nor what could not be appended: the rest of the datagram goes, and has the first's notice */
TEST_F(zc, failed_corked)
{
	uint8_t *a = pattern(10, 1), code;

	EXPECT_ERRNO(EFAULT, send(self->fd, NOWHERE, 5000, MSG_ZEROCOPY | MSG_MORE));
	ASSERT_EQ(10, send(self->fd, a, 10, MSG_ZEROCOPY));
	EXPECT_EQ(0, notices(self->fd, 0, &code));
}

/* native's own purge of the error queue took the notices, too, on older kernels */
static bool native_purges(void)
{
	return kernel_version() < 612;
}

/* who wants no errors any more still gets his pages back */
TEST_F(zc, recverr_off)
{
	uint8_t *a = pattern(10, 1), code;

	if (variant->stack == NATIVE && native_purges())
		SKIP(return, "native's purge takes the notices before Linux 6.12");
	ASSERT_EQ(0, env_setopt(self->fd, IPPROTO_IP, IP_RECVERR, 1));
	ASSERT_EQ(10, send(self->fd, a, 10, MSG_ZEROCOPY));
	ASSERT_EQ(10, recv(self->peer, a, 10, 0));
	ASSERT_EQ(0, env_setopt(self->fd, IPPROTO_IP, IP_RECVERR, 0));
	EXPECT_EQ(0, notices(self->fd, 0, &code));
}

TEST_F(zc, corked)
{
	uint8_t *a = pattern(9000, 1), got[9001], code;

	ASSERT_EQ(3000, send(self->fd, a, 3000, MSG_ZEROCOPY | MSG_MORE));
	/* counted if there is something to append */
	ASSERT_EQ(0, send(self->fd, a, 0, MSG_ZEROCOPY | MSG_MORE));
	ASSERT_EQ(3000, send(self->fd, a + 3000, 3000, MSG_ZEROCOPY | MSG_MORE));
	ASSERT_EQ(3000, send(self->fd, a + 6000, 3000, MSG_ZEROCOPY));
	ASSERT_EQ(9000, recv(self->peer, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(a, got, 9000));
	EXPECT_EQ(0, notices(self->fd, 2, &code));
}

/* closed before the datagram is read: nothing leaks, the notice has no reader */
TEST_F(zc, closed)
{
	uint8_t *a = pattern(5000, 1), got[5001];

	ASSERT_EQ(5000, send(self->fd, a, 5000, MSG_ZEROCOPY));
	ASSERT_EQ(1000, send(self->fd, a, 1000, MSG_ZEROCOPY | MSG_MORE));
	close(self->fd);
	ASSERT_EQ(5000, recv(self->peer, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(a, got, 5000));
}

/* a device that takes pages: not copied; a datagram that must be cut: copied */
TEST_F(zc, device)
{
	int fd = socket(self->family, SOCK_DGRAM, 0);
	uint8_t *a = pattern(5000, 1), code;

	if (env_run("ip link add dummy0 type dummy 2>/dev/null%s%s", "", ""))
		SKIP(return, "the kernel has no dummy device");
	ASSERT_EQ(0, env_run("ip link set dummy0 up && %s addr add 10.9.0.1/24 dev dummy0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	ASSERT_EQ(0, env_setopt(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	ASSERT_EQ(1400, env_sendto(fd, a, 1400, MSG_ZEROCOPY, "10.9.0.2", PORT));
	EXPECT_EQ(0, notices(fd, 0, &code));
	EXPECT_EQ(0, code);
	ASSERT_EQ(5000, env_sendto(fd, a, 5000, MSG_ZEROCOPY, "10.9.0.2", PORT));
	EXPECT_EQ(1, notices(fd, 1, &code));
	EXPECT_EQ(SO_EE_CODE_ZEROCOPY_COPIED, code);
	/* too large and not to be cut: never sent */
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	EXPECT_ERRNO(EMSGSIZE, env_sendto(fd, a, 5000, MSG_ZEROCOPY, "10.9.0.2", PORT));
	ASSERT_EQ(10, env_sendto(fd, a, 10, MSG_ZEROCOPY, "10.9.0.2", PORT));
	EXPECT_EQ(2, notices(fd, 2, &code));
}

/* one that sends more than there is room for */
struct sender {
	int fd;
	volatile int sent;
};

static void *sender_run(void *arg)
{
	struct sender *s = arg;
	uint8_t *a = pattern(1000, 1);

	while (s->sent < 20 && env_sendto(s->fd, a, 1000, MSG_ZEROCOPY, "10.9.0.2", PORT) == 1000)
		s->sent++;
	return NULL;
}

/* who waits for room in the send buffer keeps nobody else from the socket */
TEST_F(zc, waits)
{
	struct sender s = { .fd = socket(self->family, SOCK_DGRAM, 0) };
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	struct timespec begin, end;
	pthread_t thread;
	int before;

	if (env_run("ip link add dummy0 type dummy 2>/dev/null%s%s", "", ""))
		SKIP(return, "the kernel has no dummy device");
	ASSERT_EQ(0, env_run("ip link set dummy0 up && %s addr add 10.9.0.1/24 dev dummy0%s",
			     variant->stack == NATIVE ? "ip" : "strata", ""));
	/* one leaves at once, the next after 12 seconds */
	if (env_run("tc qdisc add dev dummy0 root tbf rate 1kbit burst 1600 limit 100000%s%s", "", ""))
		SKIP(return, "no sch_tbf");
	ASSERT_EQ(0, env_setopt(s.fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	ASSERT_EQ(0, env_setopt(s.fd, SOL_SOCKET, SO_SNDBUF, 5000));
	ASSERT_EQ(0, pthread_create(&thread, NULL, sender_run, &s));
	usleep(500000);
	before = s.sent;
	ASSERT_LT(0, before);
	ASSERT_GT(20, before);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	EXPECT_EQ(0, getsockname(s.fd, (struct sockaddr *)&sin, &len));
	EXPECT_ERRNO(EAGAIN, env_sendto(s.fd, &sin, 1, MSG_ZEROCOPY | MSG_DONTWAIT, "10.9.0.2", PORT));
	clock_gettime(CLOCK_MONOTONIC, &end);
	EXPECT_GT(3, end.tv_sec - begin.tv_sec);
	EXPECT_EQ(before, s.sent);
	/* what it waits for, it gets */
	ASSERT_EQ(0, env_run("tc qdisc replace dev dummy0 root pfifo%s%s", "", ""));
	pthread_join(thread, NULL);
	EXPECT_EQ(20, s.sent);
}

TEST_HARNESS_MAIN
