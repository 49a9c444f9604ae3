// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections whose program is gone: how many there may be (tcp_max_orphans,
 * tcp_max_tw_buckets), how long they try (tcp_orphan_retries), and what a close() that lingers
 * sees of it.
 */
#include <sys/wait.h>
#include "wire.h"

/* a sysctl that native has for the whole machine */
static bool sysctl_of_all(const char *name, const char *value)
{
	int status, ns;
	pid_t pid;

	if (!w.native)
		return w_sysctl(name, value);
	pid = fork();
	if (!pid) {
		ns = open("/proc/1/ns/net", O_RDONLY);
		_exit(ns < 0 || setns(ns, CLONE_NEWNET) || !w_sysctl(name, value));
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/* the @i-th peer connects; the program leaves, and the FIN is out. In @s what comes then */
static int left(int lfd, int i, struct wseg *s)
{
	int fd;

	w_peer(PEER_PORT + i);
	fd = w_passive(lfd, "mss 1460");
	if (fd < 0)
		return -1;
	close(fd);
	if (!w_out(-1, "FA 1 ack 1"))
		return -1;
	return w_next(20, s);
}

/* as many as a counter of many CPUs may be wrong */
static int slack(void)
{
	return 32 * sysconf(_SC_NPROCESSORS_CONF) + 2;
}

CASE(max_orphans, "tcp(7) tcp_max_orphans: one too many is reset")
{
	struct wseg s;
	int i, n;

	LONG(w.sim ? 0 : 20);
	ASSERT_TRUE(sysctl_of_all("tcp_max_orphans", "40"));
	for (i = n = 0; i < 40 + slack() && !n; i++) {
		n = left(self->lfd, i, &s);
		sleep_s(0.12);	/* native counts every 100 ms */
	}
	if (w.native)
		ASSERT_TRUE(sysctl_of_all("tcp_max_orphans", "65536"));
	ASSERT_EQ(1, n);
	ASSERT_EQ(0x14, s.flags);
	ASSERT_EQ(2, s.seq);
	if (!NATIVE("counts those that other namespaces have left, too"))
		ASSERT_LT(40, i);
	in("A 1 ack 2");
	out("R 2");
	if (i == 1)
		return;		/* there are no others here */
	/* the others go on */
	w_peer(PEER_PORT);
	w.isn_known = true;
	n = 0;
	while (w_next(2000, &s) && n < 20 && !(s.flags & 4))
		n++;
	ASSERT_LT(0, n);
}

/* our FIN is acknowledged by the peer's; is there a TIME-WAIT that answers it again? */
static int time_wait(int lfd, int i)
{
	struct wseg s;

	if (left(lfd, i, &s) || !w_in("FA 1 ack 2") || !w_out(-1, "A 2 ack 2") ||
	    !w_in("FA 1 ack 2") || !w_next(100, &s))
		return -1;
	return s.flags == 0x10 && s.ack == 2;
}

CASE(no_time_wait, "tcp(7) tcp_max_tw_buckets 0: none: who asks again is reset")
{
	ASSERT_TRUE(w_sysctl("tcp_max_tw_buckets", "0"));
	ASSERT_EQ(0, time_wait(self->lfd, 0));
	ASSERT_EQ(0, time_wait(self->lfd, 1));
}

CASE(max_tw_buckets, "tcp(7) tcp_max_tw_buckets: so many, then no more")
{
	int i, n = 1;

	ASSERT_TRUE(w_sysctl("tcp_max_tw_buckets", "20"));
	for (i = 0; i < 20 + slack(); i++) {
		n = time_wait(self->lfd, i);
		ASSERT_LE(0, n);
		if (!n)
			break;
	}
	ASSERT_EQ(0, n);
	ASSERT_LE(20, i);
}

/* ---- FIN-WAIT-2 ---- */

CASE(fin_overtaken, "RFC 9293 3.10.7.4, RFC 1122 4.2.2.13: an ACK that overtakes the FIN is no data: no RST")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("A 1 ack 2");
	sleep_s(0.05);
	in("A 2 ack 2");
	quiet(100);
	in("FA 1 ack 2");
	out("A 2 ack 2");
}

CASE(abort_window_taken_back, "RFC 9293 3.10.5, 3.8.6: a RST beyond a window that was taken back would be dropped")
{
	struct linger linger = { .l_onoff = 1 };
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	put(fd, 3000);
	out("A 1+1000");
	out("A 1001+1000");
	out("PA 2001+1000");
	in("A 1 ack 1001 win 0");
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	sleep_s(0.02);
	close(fd);
	out("RA 1001 ack 1");
}

/* ---- how long ---- */

/* times as tcp_retries2 counts them: 200 + 400 ms is what one retry is worth */
CASE(retries, "RFC 9293 3.8.3 (R2), tcp_orphan_retries 1: two FINs more, then nobody is there")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_TRUE(w_sysctl("tcp_orphan_retries", "1"));
	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	out_at(204, "FA 1 ack 1");
	out_at(408, "FA 1 ack 1");
	quiet(w.sim ? 850 : 1500);
	in("A 1 ack 2");
	out("R 2");
}

CASE(retries_data, "RFC 9293 3.10.4, tcp_orphan_retries: data that waits is sent all the same")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_TRUE(w_sysctl("tcp_orphan_retries", "1"));
	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11 win 1000");
	put(fd, 2000);
	out("A 11+1000");
	close(fd);
	quiet(20);
	in("A 1 ack 1011 win 2000");
	out("FPA 1011+1000");
	in("FA 1 ack 2012");
	out("A 2012 ack 2");
}

CASE(retries_window, "RFC 9293 3.8.6.1, tcp_orphan_retries: so many probes of a window that stays closed")
{
	int fd = w_passive(self->lfd, "mss 1460"), n = 0;
	struct wseg s;

	LONG(w.sim ? 0 : 6);
	ASSERT_TRUE(w_sysctl("tcp_orphan_retries", "3"));
	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11 win 0");
	put(fd, 100);
	close(fd);
	while (w_next(20000, &s)) {
		ASSERT_EQ(0, s.len);
		n++;
	}
	ASSERT_EQ(3, n);
	in("A 1 ack 11 win 1000");
	out("R 11");
}

CASE(window_answered, "RFC 9293 3.8.6.1, RFC 1122 4.2.2.17: nor does who answers them keep it for ever")
{
	int fd = w_passive(self->lfd, "mss 1460"), n = 0;
	double began = now_s();
	struct wseg s;

	LONG(1000);
	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11 win 0");
	put(fd, 100);
	close(fd);
	while (n < 100 && w_next(130000, &s)) {
		ASSERT_EQ(0, s.len);
		in("A 1 ack 11 win 0");
		n++;
	}
	ASSERT_LT(now_s() - began, 1000);
	in("A 1 ack 11 win 1000");
	out("R 11");
}

/* ---- close() that lingers ---- */

/* what the peer does @ms from now, while the program is in a call for @fd */
static pid_t later(int fd, int ms, const char *segment)
{
	int p[2], ret = pipe(p);
	pid_t pid = fork();
	char c;

	if (!pid) {
		close(fd);
		close(p[1]);
		sleep_s(ms / 1000.0);
		_exit(!w_in("%s", segment));
	}
	/* only once the descriptor is the program's alone */
	close(p[1]);
	ret |= read(p[0], &c, 1);
	close(p[0]);
	return ret ? -1 : pid;
}

/* close() lingers for 5 s at most, meanwhile @segment comes; ms that it took, or -errno */
static int lingers(int fd, int ms, const char *segment)
{
	struct linger l = { 1, 5 };
	pid_t pid = later(fd, ms, segment);
	double began = now_s();
	int status, ret;

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)))
		return -1;
	ret = close(fd) ? -errno : (int)((now_s() - began) * 1000);
	waitpid(pid, &status, 0);
	return ret;
}

#define EXPECT_TOOK(ms, call)						\
	do {								\
		int took = call;					\
									\
		EXPECT_LE((ms) - 10, took);				\
		EXPECT_GE((ms) + w_late(ms), took);			\
	} while (0)

CASE(linger_acked, "socket(7) SO_LINGER: close() ends when the FIN is acknowledged")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 100);
	EXPECT_TOOK(150, lingers(fd, 150, "A 1 ack 102"));
	out("PA 1+100");
	out("FA 101");
	in("FA 1 ack 102");
	out("A 102 ack 2");
}

CASE(linger_reset, "socket(7) SO_LINGER: or when the peer resets, and nothing is left")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	EXPECT_TOOK(150, lingers(fd, 150, "R 1"));
	out("FA 1 ack 1");
	in("A 1 ack 2");
	out("R 2");
	quiet(1000);
}

CASE(linger_reset_first, "socket(7) SO_LINGER: a peer that was faster: no wait at all")
{
	struct linger l = { 1, 5 };
	int fd = w_passive(self->lfd, "mss 1460");
	double began;

	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	in("R 1");
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	began = now_s();
	ASSERT_EQ(0, close(fd));
	ASSERT_GT(0.5, now_s() - began);
	quiet(1000);
}

CASE(linger_fin_both, "RFC 9293 3.6: both close at once while one lingers: CLOSING, TIME-WAIT")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	EXPECT_TOOK(150, lingers(fd, 150, "FA 1 ack 2"));
	out("FA 1 ack 1");
	out("A 2 ack 2");
	in("FA 1 ack 2");
	out("A 2 ack 2");
}

CASE(linger_window, "socket(7) SO_LINGER: its time is over, the orphan sends what the window then allows")
{
	struct linger l = { 1, 1 };
	int fd = w_passive(self->lfd, "mss 1460");
	struct wseg s;
	double took;

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11 win 0");
	put(fd, 100);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	took = now_s();
	ASSERT_EQ(0, close(fd));
	took = now_s() - took;
	ASSERT_LT(0.95, took);
	ASSERT_GT(1.9, took);
	while (w_next(1, &s))
		;		/* probes */
	in("A 1 ack 11 win 1000");
	out("FPA 11+100 ack 1");
	in("FA 1 ack 112");
	out("A 112 ack 2");
}

TEST_HARNESS_MAIN
