// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSG_ZEROCOPY (Documentation/networking/msg_zerocopy.rst): the octets of the user's pages go
 * out as any others, and the error queue tells when the pages are his again. TUN copies them,
 * and the notice says so.
 */
#include <time.h>
#include <linux/errqueue.h>
#include "wire.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

/* the next notice; ee_origin 0: there is none */
static struct sock_extended_err notice(int fd)
{
	struct sock_extended_err ee = { };
	char ctl[256];
	struct msghdr m = { .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c;

	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return ee;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR)
			memcpy(&ee, CMSG_DATA(c), sizeof(ee));
	return ee;
}

static bool told(int fd, uint32_t lo, uint32_t hi)
{
	struct sock_extended_err ee = notice(fd);

	if (ee.ee_origin == SO_EE_ORIGIN_ZEROCOPY && !ee.ee_errno && ee.ee_info == lo &&
	    ee.ee_data == hi && ee.ee_code == SO_EE_CODE_ZEROCOPY_COPIED)
		return true;
	fprintf(stderr, "# notice of %u to %u, origin %u code %u errno %u; expected %u to %u\n",
		ee.ee_info, ee.ee_data, ee.ee_origin, ee.ee_code, ee.ee_errno, lo, hi);
	return false;
}

/* as w_put(); each octet of the pattern has a place of its own, where it stays */
static int zc_put(int fd, uint32_t n)
{
	static uint8_t buf[1 << 20];
	uint32_t i;
	int ret;

	for (i = 0; i < n; i++)
		buf[w.put + i] = w_octet(w.put + i);
	w_mark();
	ret = send(fd, buf + w.put, n, MSG_ZEROCOPY | MSG_NOSIGNAL);
	if (ret < 0)
		return -errno;
	w.put += ret;
	return ret;
}

#define put_zc(fd, n)	ASSERT_EQ(n, zc_put(fd, n))
#define NOTICE(...)	ASSERT_TRUE(told(__VA_ARGS__))
#define NO_NOTICE(fd)	ASSERT_EQ(0, notice(fd).ee_origin)

#define ZEROCOPY(fd)							\
	do {								\
		if (w_set(fd, SOL_SOCKET, SO_ZEROCOPY, 1) && errno == EOPNOTSUPP)	\
			SKIP(return, "the core refuses SO_ZEROCOPY before Linux 6.2");	\
	} while (0)

CASE(acked, "socket(7) SO_ZEROCOPY, msg_zerocopy.rst: the pages are free when all is acknowledged")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ZEROCOPY(fd);
	put_zc(fd, 2500);
	out("A 1+1000");
	out("A 1001+1000");
	out("PA 2001+500");
	NO_NOTICE(fd);
	in("A 1 ack 2001");
	sleep_s(0.02);
	NO_NOTICE(fd);
	ASSERT_FALSE(w_poll(fd, POLLERR, 0));
	in("A 1 ack 2501");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	NOTICE(fd, 0, 0);
	NO_NOTICE(fd);
	ASSERT_EQ(0, w_error(fd));
}

CASE(joined, "socket(7) SO_ZEROCOPY, msg_zerocopy.rst: notices of calls in a row are one")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ZEROCOPY(fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NODELAY, 1));
	for (uint32_t i = 0; i < 3; i++) {
		put_zc(fd, 100);
		out("PA %u+100", 1 + i * 100);
	}
	in("A 1 ack 301");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	NOTICE(fd, 0, 2);
	put_zc(fd, 100);
	out("PA 301+100");
	in("A 1 ack 401");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	NOTICE(fd, 3, 3);
	NO_NOTICE(fd);
}

CASE(mixed, "socket(7) SO_ZEROCOPY: copied octets between: their order stays, they have no notice")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ZEROCOPY(fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 1));
	put(fd, 300);
	put_zc(fd, 300);
	put(fd, 300);
	put_zc(fd, 600);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 0));
	while (w.seen < 1501)
		ASSERT_TRUE(w_next(500, &(struct wseg){}));
	in("A 1 ack 1501");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	NOTICE(fd, 0, 1);
	NO_NOTICE(fd);
}

CASE(again, "socket(7) SO_ZEROCOPY, RFC 6298 5.4: what is sent again is still the user's pages")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ZEROCOPY(fd);
	put_zc(fd, 4000);
	for (uint32_t i = 0; i < 4; i++)
		out("%s %u+1000", i < 3 ? "A" : "PA", 1 + i * 1000);
	out_within(1000, "A 1+1000");
	in("A 1 ack 4001");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	NOTICE(fd, 0, 0);
}

CASE(not_asked, "socket(7) SO_ZEROCOPY: without the option the flag means nothing")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	put_zc(fd, 100);
	out("PA 1+100");
	in("A 1 ack 101");
	sleep_s(0.05);
	NO_NOTICE(fd);
	if (w_set(fd, SOL_SOCKET, SO_ZEROCOPY, 1) && errno == EOPNOTSUPP)
		return;
	ASSERT_EQ(-1, w_set(fd, SOL_SOCKET, SO_ZEROCOPY, 2));
	ASSERT_EQ(EINVAL, errno);
}

CASE(no_room, "socket(7) SO_ZEROCOPY: a call that takes nothing has no number")
{
	int fd, n, calls = 0;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_SNDBUF, 2304));
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	ZEROCOPY(fd);
	while ((n = zc_put(fd, 20000)) > 0)
		calls++;
	ASSERT_EQ(-EAGAIN, n);
	while (w_next(20, &(struct wseg){}))
		in("A 1 ack %u", w.seen);
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	NOTICE(fd, 0, calls - 1);
	put_zc(fd, 100);
	ASSERT_TRUE(w_next(500, &(struct wseg){}));
	in("A 1 ack %u", w.seen);
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	NOTICE(fd, calls, calls);
}

CASE(reset, "socket(7) SO_ZEROCOPY: a connection that ends gives the pages back")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ZEROCOPY(fd);
	put_zc(fd, 1000);
	out("PA 1+1000");
	in("R 1");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	NOTICE(fd, 0, 0);
}

TEST_HARNESS_MAIN
