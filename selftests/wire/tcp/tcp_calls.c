// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of SOL_TCP (tcp(7)) that show on the wire, or show the wire.
 */
#include "wire_fastopen.h"

/* ---- TCP_SAVE_SYN, TCP_SAVED_SYN ---- */

/* a segment comes, and @p is what it was */
static bool in_copy(const char *text, struct pkt *p)
{
	struct wseg s;

	if (!w_parse(&s, text))
		return false;
	w_build(&s, p);
	w_mark();
	return pkt_send(w.tun, p);
}

/* octets that TCP_SAVED_SYN has for a buffer of @room; -errno, and then @len is the length told */
static int saved(int fd, uint8_t *buf, int room, int *len)
{
	socklen_t n = room;
	int ret = getsockopt(fd, SOL_TCP, TCP_SAVED_SYN, buf, &n);

	*len = n;
	return ret ? -errno : (int)n;
}

static int headers(const struct pkt *p)
{
	return 20 + (p->b[32] >> 4) * 4;
}

/* the peer opens with @syn; the accepted socket */
static int open_with(int lfd, const char *syn, struct pkt *p)
{
	struct wseg s;

	w.ts = strstr(syn, " ts") != NULL;
	if (!in_copy(syn, p) || !w_next(1000, &s) || s.flags != 0x12)
		return -1;
	return w_in("A 1 ack 1") ? w_accept(lfd) : -1;
}

CASE(saved_syn, "tcp(7) TCP_SAVED_SYN: the headers of the SYN, once")
{
	uint8_t buf[256] = { 0 };
	struct pkt p;
	int fd, len;

	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_SAVE_SYN, 1));
	fd = open_with(self->lfd, "S 0 mss 1460 ws 7 sackok ts", &p);
	ASSERT_LE(0, fd);
	ASSERT_EQ(64, headers(&p));
	/* no room: how much it would have to be */
	ASSERT_EQ(-EINVAL, saved(fd, buf, 0, &len));
	ASSERT_EQ(64, len);
	ASSERT_EQ(-EINVAL, saved(fd, buf, 63, &len));
	ASSERT_EQ(64, len);
	ASSERT_EQ(64, saved(fd, buf, sizeof(buf), &len));
	ASSERT_EQ(0, memcmp(buf, p.b, 64));
	ASSERT_EQ(0, saved(fd, buf, sizeof(buf), &len));
	ASSERT_EQ(0, saved(self->lfd, buf, sizeof(buf), &len));
}

CASE(saved_syn_link, "tcp(7) TCP_SAVE_SYN 2: from the link's header on, and a TUN device has none")
{
	uint8_t buf[256] = { 0 };
	struct pkt p;
	int fd, len;

	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_SAVE_SYN, 2));
	fd = open_with(self->lfd, "S 0 mss 1460", &p);
	ASSERT_LE(0, fd);
	ASSERT_EQ(44, saved(fd, buf, 44, &len));
	ASSERT_EQ(0, memcmp(buf, p.b, 44));
}

CASE(saved_syn_when, "tcp(7) TCP_SAVE_SYN: what it was when the SYN came counts")
{
	uint8_t buf[256] = { 0 };
	struct wseg s;
	struct pkt p;
	int fd, len;

	in("S 0 mss 1460");
	ASSERT_TRUE(w_next(1000, &s));
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_SAVE_SYN, 1));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, saved(fd, buf, sizeof(buf), &len));

	w_peer(PEER_PORT + 1);
	ASSERT_TRUE(in_copy("S 0 mss 1440", &p));
	ASSERT_TRUE(w_next(1000, &s));
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_SAVE_SYN, 0));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(44, saved(fd, buf, sizeof(buf), &len));
	ASSERT_EQ(0, memcmp(buf, p.b, 44));
}

CASE(saved_syn_first, "tcp(7) TCP_SAVED_SYN: of the SYN that came first, though it came twice")
{
	uint8_t buf[256] = { 0 };
	struct pkt p, again;
	struct wseg s;
	int fd, len;

	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_SAVE_SYN, 1));
	ASSERT_TRUE(in_copy("S 0 mss 1460", &p));
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_TRUE(in_copy("S 0 mss 1460 win 1000", &again));
	ASSERT_TRUE(w_next(100, &s));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(44, saved(fd, buf, sizeof(buf), &len));
	ASSERT_EQ(0, memcmp(buf, p.b, 44));
}

CASE(saved_syn_cookie, "RFC 4987 3.6: of a SYN that was answered with a cookie nothing is kept")
{
	uint8_t buf[256] = { 0 };
	struct pkt p;
	int fd, len;

	ASSERT_TRUE(w_sysctl("tcp_syncookies", "2"));
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_SAVE_SYN, 1));
	fd = open_with(self->lfd, "S 0 mss 1460", &p);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, saved(fd, buf, sizeof(buf), &len));
}

CASE(saved_syn_fastopen, "RFC 7413 4.2.2: and of a SYN whose data was taken, without the data")
{
	uint8_t buf[256] = { 0 };
	char syn[128];
	struct wseg s;
	struct pkt p;
	int fd, len;

	ASSERT_TRUE(f_server(self->lfd, F_KEY, 4));
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_SAVE_SYN, 1));
	snprintf(syn, sizeof(syn), "S 0+10 mss 1460 opt 220a%s0101", f_cookie_of(F_KEY));
	ASSERT_TRUE(in_copy(syn, &p));
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_EQ(11, s.ack);
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(56, headers(&p));
	ASSERT_EQ(56, saved(fd, buf, sizeof(buf), &len));
	ASSERT_EQ(0, memcmp(buf, p.b, 56));
}

CASE(saved_syn_freed, "tcp(7) TCP_SAVED_SYN: gone with the connection, and with the request")
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	uint8_t buf[256] = { 0 };
	struct wseg s;
	struct pkt p;
	int fd, len;

	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_SAVE_SYN, 1));
	fd = open_with(self->lfd, "S 0 mss 1460", &p);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, connect(fd, &sa, sizeof(sa)));
	ASSERT_EQ(0, saved(fd, buf, sizeof(buf), &len));
	/* a request that nobody completes, and a child that nobody reads: kmemleak looks on */
	w_peer(PEER_PORT + 1);
	in("S 0 mss 1460");
	ASSERT_TRUE(w_next(1000, &s));
	w_peer(PEER_PORT + 2);
	ASSERT_LE(0, open_with(self->lfd, "S 0 mss 1460", &p));
}

/* ---- TCP_TIMESTAMP ---- */

static int stamp(int fd)
{
	socklen_t len = 4;
	int val = 1;

	getsockopt(fd, SOL_TCP, TCP_TIMESTAMP, &val, &len);
	return val;
}

CASE(timestamp, "RFC 7323 5.4: TCP_TIMESTAMP is the TSval of a segment sent now")
{
	int fd = w_passive(self->lfd, "mss 1460 ts"), before, after;
	struct wseg s;

	ASSERT_LE(0, fd);
	sleep_s(0.7);
	before = stamp(fd);
	put(fd, 10);
	ASSERT_TRUE(w_next(1000, &s));
	after = stamp(fd);
	ASSERT_GE(1, before - (int)s.tsval);
	ASSERT_GE(1, (int)s.tsval - after);
	/* before 6.7 the lowest bit was a part of it */
	if (w.sim)
		ASSERT_EQ(0, (before | after) & 1);
	sleep_s(1);
	ASSERT_GE(2, stamp(fd) - after - 1000 - (w.sim ? 0 : 100));
	ASSERT_LE(998, stamp(fd) - after);
	ASSERT_EQ(-1, w_set(fd, SOL_TCP, TCP_TIMESTAMP, 1));
	ASSERT_EQ(EPERM, errno);
}

TEST_HARNESS_MAIN
