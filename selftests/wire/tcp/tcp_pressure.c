// SPDX-License-Identifier: GPL-2.0-only
/*
 * What TCP as a whole may take, tcp_mem, in pages of all connections of the machine: above its
 * second value ("pressure") windows and buffers are cut or do not grow, above its third nothing
 * more is charged: what is out of order is forgotten, writers wait, orphans go. And what tcp_rmem
 * and tcp_wmem let one socket take.
 *
 * The kernel counts up to a megabyte of each CPU apart, so each case has a connection that holds
 * four, which the peer takes nothing of, and sets limits far below or far above these.
 */
#include <sys/wait.h>
#include "wire_state.h"

#define PLENTY	"200000 300000 400000"
#define ABOVE_LOW	"1 100000000 200000000"
#define PRESSURE	"1 2 200000000"
#define NOTHING_LEFT	"1 2 3"
#define BALLAST	(4 << 20)

/* ---- tcp_mem, which only the first namespace has ---- */

static char saved[2][80];	/* Strata's, native's */
static pid_t owner;

static const char *mem_path(bool native)
{
	return native ? "/proc/sys/net/ipv4/tcp_mem" : "/proc/sys/net/strata/tcp_mem";
}

__attribute__((constructor)) static void mem_save(void)
{
	int i;

	if (need_module())
		return;
	for (i = 0; i < 2; i++) {
		FILE *f = fopen(mem_path(i), "r");

		if (!f || !fgets(saved[i], sizeof(saved[i]), f))
			return;
		fclose(f);
	}
	owner = getpid();
}

static bool mem_write(bool native, const char *values)
{
	FILE *f = fopen(mem_path(native), "w");

	return f && fputs(values, f) >= 0 && !fclose(f);
}

__attribute__((destructor)) static void mem_restore(void)
{
	if (getpid() == owner && (!mem_write(false, saved[0]) || !mem_write(true, saved[1])))
		fprintf(stderr, "# tcp_mem is not as it was\n");
}

static bool mem(const char *values)
{
	int status, ns;
	pid_t pid = fork();

	if (!pid) {
		ns = open("/proc/1/ns/net", O_RDONLY);
		_exit(ns < 0 || setns(ns, CLONE_NEWNET) || !mem_write(w.native, values));
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/* ---- connections ---- */

static int ballast_fd;

static bool more_ballast(int len)
{
	static char zeros[1 << 16];
	int n;

	for (; len > 0; len -= n) {
		n = send(ballast_fd, zeros, sizeof(zeros), MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

/* there is plenty of memory, and another connection holds some; the test's is yet to come */
static bool begin(int lfd)
{
	if (!mem(PLENTY))
		return false;
	w_peer(PEER_PORT + 100);
	if (!w_in("S 0 mss 1460 win 0") || !w_out(-1, "SA 0 ack 1") || !w_in("A 1 ack 1 win 0"))
		return false;
	ballast_fd = w_accept(lfd);
	if (w_set(ballast_fd, SOL_SOCKET, SO_SNDBUFFORCE, 4 * BALLAST) || !more_ballast(BALLAST))
		return false;
	w_peer(PEER_PORT);
	return true;
}

/* as tcp_mem allows it, somebody takes a little more: that is when the kernel looks */
static bool mem_now(const char *values)
{
	return mem(values) && more_ballast(100000);
}

static int buffer(int fd, int opt)
{
	socklen_t len = sizeof(int);
	int size = -1;

	return getsockopt(fd, SOL_SOCKET, opt, &size, &len) ? -1 : size;
}

static struct {
	uint32_t at;	/* the next octet of the peer's */
	uint32_t win;	/* octets, as offered last */
	int ws;
	bool may_close;	/* before its time, as memory is out: tcp_data.c, data_in_order() */
} r;

/* a connection with scaling from another port each time; the socket */
static int scaled(int lfd)
{
	struct wseg s;

	w_peer(w.peer_port + 1);
	w.ts = true;
	if (!w_in("S 0 mss 1460 sackok ws 7") || !w_next(1000, &s) || !(s.has & W_WS))
		return -1;
	r.at = 1;
	r.ws = s.ws;
	r.win = s.win;
	r.may_close = false;
	return w_in("A 1 ack 1") ? w_accept(lfd) : -1;
}

/* all ACKs that come within @ms; the window never shrinks */
static bool acks(int ms)
{
	struct wseg s;

	while (w_next(ms, &s)) {
		if (!(r.may_close && !s.win) &&
		    (int32_t)(s.ack + (s.win << r.ws) - r.at - r.win + (1 << r.ws)) < 0) {
			fprintf(stderr, "# the window's edge went back\n");
			return false;
		}
		r.at = s.ack;
		r.win = s.win << r.ws;
	}
	return true;
}

static bool read_all(int fd)
{
	int n;

	do
		n = w_recv(fd, 1 << 20);
	while (n > 0);
	return n == -EAGAIN && w.got == r.at - 1;
}

/* the peer fills the window with segments of @len octets, then the program reads them */
static bool fill(int fd, uint32_t len, bool then_read)
{
	uint32_t at, end = r.at + r.win, n;

	for (at = r.at; at < end; at += n) {
		n = end - at < len ? end - at : len;
		if (!w_in("PA %u+%u", at, n) || (at / len % 16 == 15 && !acks(2)))
			return false;
	}
	return acks(100) && (!then_read || (read_all(fd) && acks(20)));
}

/* the peer fills the window and the program reads each segment as it comes; a round trip */
static bool reads(int fd)
{
	uint32_t at, end = r.at + r.win;

	for (at = r.at; at + 1448 <= end; at += 1448)
		if (!w_in("PA %u+1448", at) || !w_poll(fd, POLLIN, 500) ||
		    w_recv(fd, 1 << 20) != 1448)
			return false;
	return acks(250) && r.at == at;
}

/* the last segment that comes within @ms after the one before; false: none */
static bool last(int ms, struct wseg *s)
{
	struct wseg is;
	bool any;

	for (any = false; w_next(ms, &is); any = true)
		*s = is;
	return any;
}

/* ---- pressure: what comes in ---- */

CASE(window, "tcp(7) tcp_mem: under pressure no window of more than four segments; no edge goes back")
{
	int fd, i;

	ASSERT_TRUE(begin(self->lfd));
	fd = scaled(self->lfd);
	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(fill(fd, 1448, true));
	}
	ASSERT_LT(50000, r.win);
	ASSERT_TRUE(mem_now(PRESSURE));
	ASSERT_LT(0, w_counted("TCPMemoryPressures"));
	ASSERT_TRUE(fill(fd, 1448, true));
	for (i = 0; i < 5; i++) {
		ASSERT_GE(4 * 1460 + (1 << r.ws), r.win);
		ASSERT_LE(1460, r.win);
		ASSERT_TRUE(fill(fd, 1448, true));
	}
	/* it is over */
	ASSERT_TRUE(mem_now(PLENTY));
	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(fill(fd, 1448, true));
	}
	ASSERT_LT(50000, r.win);
}

CASE(window_young, "tcp(7) tcp_mem: nor does the window of a new connection grow")
{
	uint32_t first;
	int fd, i;

	ASSERT_TRUE(begin(self->lfd));
	ASSERT_TRUE(mem_now(PRESSURE));
	fd = scaled(self->lfd);
	ASSERT_LE(0, fd);
	first = r.win;
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(w_in("PA %u+1000", r.at) && acks(300));
		ASSERT_TRUE(read_all(fd) && acks(5));
		ASSERT_GE(first, r.win);
	}
	ASSERT_TRUE(mem_now(PLENTY));
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(fill(fd, 1448, true));
	}
	ASSERT_LT(first, r.win);
}

/* small segments take more memory than the window promised; the receive buffer after that */
static int small_segments(int lfd)
{
	int fd = scaled(lfd);

	r.may_close = true;
	if (fd < 0 || buffer(fd, SO_RCVBUF) != 131072 || !fill(fd, 100, false) || !read_all(fd))
		return -1;
	return buffer(fd, SO_RCVBUF);
}

CASE(rcvbuf, "tcp(7) tcp_mem, tcp_rmem: a buffer grows to keep a window's promise, but not above its first value")
{
	ASSERT_TRUE(begin(self->lfd));
	ASSERT_LT(131072, small_segments(self->lfd));
	ASSERT_TRUE(mem(ABOVE_LOW));
	ASSERT_EQ(131072, small_segments(self->lfd));
	ASSERT_TRUE(mem(PLENTY));
	ASSERT_LT(131072, small_segments(self->lfd));
	ASSERT_TRUE(mem_now(PRESSURE));
	ASSERT_EQ(131072, small_segments(self->lfd));
}

CASE(prune, "RFC 2018 8: when nothing more may be charged what is out of order is forgotten for what is not")
{
	struct wseg s = { };
	bool said = false;
	uint32_t at, end;
	int fd, i;

	ASSERT_TRUE(begin(self->lfd));
	fd = w_passive(self->lfd, "mss 1460 sackok");
	ASSERT_LE(0, fd);
	in("A 1+1000");
	for (i = 0; i < 8; i++) {
		in("A %d+1000", 4001 + i * 2000);
	}
	ASSERT_TRUE(last(50, &s));
	ASSERT_EQ(1001, s.ack);
	ASSERT_EQ(4, s.nsack);
	ASSERT_TRUE(mem(NOTHING_LEFT));
	for (at = 1001; at < 4001; at = s.ack) {
		in("A %u+300", at);
		said = last(50, &s);
		if (!said || s.ack == at)
			break;
	}
	ASSERT_GT(4001, at);
	ASSERT_TRUE(said || NATIVE_BEFORE(606, "is silent then"));
	if (said) {
		ASSERT_EQ(0, s.win);
		ASSERT_EQ(0, s.nsack);
	}
	ASSERT_EQ(1, w_counted("OfoPruned"));
	/* what is there is the program's, and one segment more is always taken */
	get(fd, (int)at - 1);
	if (said) {
		ASSERT_TRUE(last(50, &s));
		ASSERT_LT(0, s.win);
	}
	in("A %u+300", at);
	out_within(200, "A 1 ack %u no-sack", at + 300);
	get(fd, 300);
	/* later all of it comes again */
	ASSERT_TRUE(mem(PLENTY));
	end = 4001 + 16000;
	for (at += 300; at < end; at = s.ack) {
		in("A %u+%u", at, end - at < 1000 ? end - at : 1000);
		ASSERT_TRUE(last(250, &s));
		ASSERT_LT(at, s.ack);
		while (w_recv(fd, 1 << 20) > 0)
			;
	}
	ASSERT_EQ(end - 1, w.got);
}

/* ---- pressure: what goes out ---- */

/* a program that writes all it can, to a peer that takes all; its send buffer after that */
static int writes(int fd)
{
	struct wseg s;
	int i, n;

	for (i = 0; i < 12; i++) {
		n = w_put(fd, 1 << 20, 0);
		if (n < 0 && n != -EAGAIN)
			return n;
		while (w_next(10, &s))
			;
		if (!w_in("A 1"))
			return -1;
	}
	return buffer(fd, SO_SNDBUF);
}

/* the peer takes all that waits */
static bool drains(void)
{
	struct wseg s;

	while (w_next(20, &s) && w_in("A 1"))
		;
	return w.seen == w.put + 1;
}

/* how far a new connection's send buffer grows, times what it had at first, in percent */
static int sndbuf_grows(int lfd)
{
	int fd, first;

	w_peer(w.peer_port + 1);
	fd = w_passive(lfd, "mss 1460");
	first = buffer(fd, SO_SNDBUF);
	return fd < 0 || first <= 0 ? -1 : writes(fd) * 100LL / first;
}

CASE(sndbuf, "tcp(7) tcp_mem, tcp_wmem: under pressure no send buffer grows")
{
	ASSERT_TRUE(begin(self->lfd));
	ASSERT_LT(150, sndbuf_grows(self->lfd));
	ASSERT_TRUE(mem_now(PRESSURE));
	ASSERT_EQ(100, sndbuf_grows(self->lfd));
	ASSERT_TRUE(mem_now(PLENTY));
	ASSERT_LT(150, sndbuf_grows(self->lfd));
}

CASE(sndbuf_low, "tcp(7) tcp_mem: and none above its first value, pressure or not")
{
	ASSERT_TRUE(begin(self->lfd));
	ASSERT_TRUE(mem_now(ABOVE_LOW));
	ASSERT_EQ(100, sndbuf_grows(self->lfd));
}

CASE(write, "tcp(7) tcp_mem: above its third value no more is taken than keeps the connection going")
{
	int fd, n, i;

	ASSERT_TRUE(begin(self->lfd));
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	ASSERT_LT(200000, writes(fd));
	ASSERT_TRUE(drains());
	ASSERT_LT(150000, w_put(fd, 1 << 20, 0));
	ASSERT_TRUE(drains());
	ASSERT_TRUE(mem(NOTHING_LEFT));
	for (i = 0; i < 5; i++) {
		/* an entry of the send queue, which is half the peer's window at most */
		n = w_put(fd, 1 << 20, 0);
		ASSERT_LT(0, n);
		ASSERT_GT(70000, n);
		ASSERT_EQ(-EAGAIN, w_put(fd, 1 << 20, 0));
		ASSERT_FALSE(w_poll(fd, POLLOUT, 0));
		/* it goes, and makes room */
		ASSERT_TRUE(drains());
		ASSERT_TRUE(w_poll(fd, POLLOUT, 500));
	}
	ASSERT_TRUE(mem(PLENTY));
	in("A 1");
	ASSERT_LT(0, writes(fd));
}

CASE(write_waits, "tcp(7) tcp_mem: a writer whose own buffer has room waits for memory, not for an ACK")
{
	int fd, n, done[2];

	ASSERT_TRUE(begin(self->lfd));
	ASSERT_EQ(0, pipe(done));
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_SNDBUF, 100000));
	put(fd, 3000);
	ASSERT_TRUE(mem(NOTHING_LEFT));
	/* what is charged already may be used up */
	do
		n = w_put(fd, 20000, 0);
	while (n > 0);
	ASSERT_EQ(-EAGAIN, n);
	ASSERT_GT(15000, w.put);
	if (!fork()) {
		fcntl(fd, F_SETFL, 0);
		_exit(w_put(fd, 20000, 0) != 20000 || write(done[1], "x", 1) != 1);
	}
	ASSERT_FALSE(w_poll(done[0], POLLIN, 1000));
	ASSERT_TRUE(mem(PLENTY));
	/* it looks again every now and then */
	ASSERT_TRUE(w_poll(done[0], POLLIN, 1000));
}

CASE(write_first, "tcp(7) tcp_mem, tcp_wmem: who has nothing queued gets its first value all the same")
{
	int fd, i, n;

	ASSERT_TRUE(begin(self->lfd));
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_SNDBUF, 100000));
	ASSERT_TRUE(mem(NOTHING_LEFT));
	for (i = 0; i < 5; i++) {
		n = w_put(fd, 20000, 0);
		ASSERT_LT(0, n);
		ASSERT_GT(15000, n);
		ASSERT_EQ(-EAGAIN, w_put(fd, 20000, 0));
		ASSERT_TRUE(drains());
	}
}

/* ---- orphans ---- */

/* ten segments are out; the peer has acknowledged none, and sends nothing */
static int unacked(int lfd)
{
	struct wseg s;
	int fd, i;

	if (!w_sysctl("tcp_early_retrans", "0"))
		return -1;
	fd = w_passive(lfd, "mss 1000");
	if (fd < 0 || w_put(fd, 10000, 0) != 10000)
		return -1;
	for (i = 0; i < 10; i++)
		if (!w_next(100, &s) || s.seq != 1 + i * 1000)
			return -1;
	return fd;
}

/* is there a RST within @ms? */
static bool reset(int ms)
{
	struct wseg s;

	while (w_next(ms, &s))
		if (s.flags & 4)
			return true;
	return false;
}

CASE(orphan, "tcp(7) tcp_mem: above its third value close() of what is not acknowledged is a reset")
{
	int fd;

	ASSERT_TRUE(begin(self->lfd));
	fd = unacked(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(mem(NOTHING_LEFT));
	close(fd);
	ASSERT_TRUE(reset(20));
	ASSERT_EQ(0, w_proc_state());
	ASSERT_EQ(1, w_counted("TCPAbortOnMemory"));
}

CASE(orphan_small, "tcp(7) tcp_mem: one that holds little stays")
{
	int fd;

	ASSERT_TRUE(begin(self->lfd));
	fd = w_passive(self->lfd, "mss 1000");
	ASSERT_LE(0, fd);
	put(fd, 1000);
	out("PA 1+1000");
	ASSERT_TRUE(mem(NOTHING_LEFT));
	close(fd);
	out("FA 1001");
	in("A 1 ack 1002");
	ASSERT_FALSE(reset(100));
	ASSERT_EQ(0, w_counted("TCPAbortOnMemory"));
}

CASE(orphan_pressure, "tcp(7) tcp_mem: and so does one under pressure alone, which sends again what is lost")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(begin(self->lfd));
	fd = unacked(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(mem_now(PRESSURE));
	close(fd);
	last(20, &s);
	out_within(400, "A 1+1000");
	ASSERT_EQ(0, w_counted("TCPAbortOnMemory"));
	/* until there is no more at all: then its next timeout ends it */
	ASSERT_TRUE(mem(NOTHING_LEFT));
	ASSERT_TRUE(reset(1000));
	ASSERT_EQ(0, w_proc_state());
	ASSERT_EQ(1, w_counted("TCPAbortOnMemory"));
}

/* ---- tcp_rmem, tcp_wmem ---- */

CASE(rmem_default, "tcp(7) tcp_rmem: its second value is a new socket's buffer, which then grows")
{
	struct wseg s;
	int fd, i;

	ASSERT_TRUE(mem(PLENTY));
	ASSERT_TRUE(w_sysctl("tcp_rmem", "4096 60000 6291456"));
	fd = w_socket();
	ASSERT_EQ(60000, buffer(fd, SO_RCVBUF));
	ASSERT_TRUE(w_connect(fd));
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_GE(60000, s.win);
	ASSERT_LE(1460, s.win);
	r.at = 1;
	r.win = s.win;
	r.ws = s.ws;
	w.ts = true;
	in("SA 0 ack 1 mss 1460 sackok ws 7");
	ASSERT_TRUE(acks(20));
	for (i = 0; i < 4; i++) {
		ASSERT_TRUE(reads(fd));
	}
	ASSERT_LT(120000, buffer(fd, SO_RCVBUF));
	ASSERT_LT(60000, r.win);
}

CASE(wmem_default, "tcp(7) tcp_wmem: its second value is a new socket's buffer")
{
	int fd;

	ASSERT_TRUE(mem(PLENTY));
	ASSERT_TRUE(w_sysctl("tcp_wmem", "4096 300000 4194304"));
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(300000, buffer(fd, SO_SNDBUF));
	/* more than a window of the peer's and one that is on its way: all is taken that fits */
	ASSERT_LT(100000, w_put(fd, 1 << 20, 0));
}

CASE(wmem_most, "tcp(7) tcp_wmem: no buffer grows above its third value")
{
	int fd;

	ASSERT_TRUE(mem(PLENTY));
	ASSERT_LT(150, sndbuf_grows(self->lfd));
	w_peer(w.peer_port + 1);
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("tcp_wmem", "4096 16384 70000"));
	ASSERT_EQ(70000, writes(fd));
}

CASE(wmem_later, "tcp(7) tcp_wmem: a buffer grows where ACKs let more out, not only when all has left")
{
	int fd;

	ASSERT_TRUE(mem(PLENTY));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("tcp_wmem", "4096 16384 70000"));
	ASSERT_EQ(70000, writes(fd));
	ASSERT_TRUE(w_sysctl("tcp_wmem", "4096 16384 4194304"));
	ASSERT_LT(100000, writes(fd));
}

TEST_HARNESS_MAIN
