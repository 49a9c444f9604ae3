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

	w.ts = !!strstr(syn, " ts");
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

/* ---- departure times: sch_fq ---- */

#define RATE	100000		/* octets a second: 10 ms each segment of 1000 */

static bool qdisc(const char *kind)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "tc qdisc replace dev t0 root %s", kind);
	return !system(cmd);
}

/* does the stack wait for the departure of its next segment itself? */
static bool timer_runs(void)
{
	FILE *f = fopen("/proc/timer_list", "r");
	char line[256];
	bool runs = false;

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, w.native ? "tcp_pace_kick" : "pace_fire"))
			runs = true;
	if (f)
		fclose(f);
	return runs;
}

struct paced {
	double ms;		/* from the first to the last */
	bool timer;		/* the stack's own has run */
	int early, late;	/* TSval beside the segment's arrival, ms: least, most */
	unsigned int rtt;	/* µs, of the last */
};

/*
 * 40 segments, each acknowledged at once: 10 that are not paced, 30 at RATE, in bursts whose first
 * makes up for the time before by half
 */
static bool paced(int fd, struct paced *r)
{
	int rate = RATE, i, off;
	double first = 0;
	struct wseg s;

	*r = (struct paced){ .early = INT32_MAX, .late = INT32_MIN };
	if (setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)) ||
	    w_put(fd, 40000, 0) != 40000)
		return false;
	for (i = 0; i < 40; i++) {
		if (!w_next(1000, &s) || s.len != 1000 || !w_in("A 1 ack %d", (i + 1) * 1000 + 1))
			return false;
		off = (int)(s.tsval - w_ms());
		r->early = off < r->early ? off : r->early;
		r->late = off > r->late ? off : r->late;
		/* native's may run once, before fq has seen a segment of the connection */
		if (i >= 20)
			r->timer |= timer_runs();
		if (!i)
			first = now_s();
	}
	r->ms = (now_s() - first) * 1000;
	r->rtt = f_info(fd).tcpi_rtt;
	return w_in("A 1 ack 40001");
}

CASE(paced_by_timer, "socket(7) SO_MAX_PACING_RATE without sch_fq: TCP's own timer keeps the rate")
{
	int fd = w_passive(self->lfd, "mss 1012 ts");
	struct paced r;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(qdisc("pfifo"));
	ASSERT_TRUE(paced(fd, &r));
	ASSERT_TRUE(r.timer);
	ASSERT_LE(w.sim ? 245 : 200, r.ms);
	ASSERT_GE(w.sim ? 305 : 600, r.ms);
}

CASE(paced_by_fq, "tc-fq(8): sch_fq keeps it, TCP's timer rests, stamps are of the departure")
{
	struct paced r;
	int fd;

	ASSERT_TRUE(qdisc("fq"));
	fd = w_passive(self->lfd, "mss 1012 ts");
	ASSERT_LE(0, fd);
	ASSERT_TRUE(paced(fd, &r));
	ASSERT_FALSE(r.timer);
	ASSERT_LE(w.sim ? 245 : 200, r.ms);
	ASSERT_GE(w.sim ? 305 : 600, r.ms);
	if (w.sim) {
		ASSERT_GE(1, r.late - r.early);
		ASSERT_GE(1000, r.rtt);
	}
}

CASE(fq_goes, "tc-fq(8): without sch_fq again what was sent is acknowledged before its departure")
{
	struct paced r;
	int fd;

	ASSERT_TRUE(qdisc("fq"));
	fd = w_passive(self->lfd, "mss 1012 ts");
	ASSERT_LE(0, fd);
	ASSERT_TRUE(paced(fd, &r));
	ASSERT_TRUE(qdisc("pfifo"));
	w.seen = 1;
	ASSERT_TRUE(paced(fd, &r) || w_error(fd) == 0);
	ASSERT_GE(50000, r.rtt);
	ASSERT_EQ(st_established, w_state(fd));
}

/* tcpi_delivery_rate, which the C library's structure ends before; octets a second */
static uint64_t delivery_rate(int fd)
{
	uint64_t info[32] = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, info, &len);
	return info[20];
}

/* one segment, acknowledged @ms after it came */
static bool flight(int fd, int i, int ms)
{
	struct wseg s;

	if (w_put(fd, 1000, 0) != 1000 || !w_next(1000, &s) || s.len != 1000)
		return false;
	sleep_s(ms / 1000.0);
	return w_in("A 1 ack %d", (i + 1) * 1000 + 1);
}

CASE(fq_delivery_rate, "tc-fq(8), draft-ietf-ccwg-bbr 4.1.2: a flight begins when its first segment leaves sch_fq")
{
	int fd, i, rate = 5000;

	ASSERT_TRUE(qdisc("fq"));
	fd = w_passive(self->lfd, "mss 1012 ts");
	ASSERT_LE(0, fd);
	for (i = 0; i < 10; i++)
		ASSERT_TRUE(flight(fd, i, 100));
	/* the next one puts the one after it off by 100 ms: half of 200, as nothing left before */
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	ASSERT_TRUE(flight(fd, 10, 60));
	ASSERT_TRUE(flight(fd, 11, 40));
	sleep_s(0.01);
	if (w.sim) {
		ASSERT_LE(24000, delivery_rate(fd));
		ASSERT_GE(25100, delivery_rate(fd));
	}
}

CASE(host_queue, "RFC 6298 5.4: what has not even left the host is not sent again until it has")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	/* takes one segment at once, the next after a second */
	if (!qdisc("tbf rate 8kbit burst 1100 limit 100000"))
		SKIP(return, "no sch_tbf");
	put(fd, 1000);
	out("A 1+1000");
	in("A 1 ack 1001");
	put(fd, 1000);
	if (w.sim) {
		sleep_s(0.7);
		ASSERT_EQ(0, f_info(fd).tcpi_total_retrans);
		ASSERT_LT(0, f_info(fd).tcpi_retransmits);
	}
	out_within(1300, "A 1001+1000");
	sleep_s(w.sim ? 0.02 : 0.1);
	ASSERT_EQ(1, f_info(fd).tcpi_total_retrans);
}

CASE(held_for_long, "tcp(7) TCP_USER_TIMEOUT: of a segment, too, that sch_fq does not let go")
{
	int fd, i, rate = 200;

	ASSERT_TRUE(qdisc("fq"));
	fd = w_passive(self->lfd, "mss 1012 ts");
	ASSERT_LE(0, fd);
	for (i = 0; i < 10; i++)
		ASSERT_TRUE(flight(fd, i, 1));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 1000));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	ASSERT_TRUE(flight(fd, 10, 1));
	/* leaves after 5 s */
	put(fd, 1000);
	quiet(500);
	ASSERT_EQ(0, w_error(fd));
	if (NATIVE("counts from when it should have left"))
		return;
	sleep_s(2);
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
}

/* ---- TCP_CONGESTION ---- */

static bool bbr(int fd)
{
	const char *ko = getenv("STRATA_KO");

	if (!w.native && ko && access("/sys/module/strata_bbr", F_OK) &&
	    run("insmod $(dirname %s)/strata_bbr.ko", ko))
		return false;
	return !setsockopt(fd, SOL_TCP, TCP_CONGESTION, "bbr", 3);
}

static int sndbuf(int fd)
{
	socklen_t len = sizeof(int);
	int val = -1;

	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &val, &len);
	return val;
}

CASE(bbr_buffer, "tcp(7) TCP_CONGESTION: BBR's send buffer is for three windows, the others' for two")
{
	int fd = w_passive(self->lfd, "mss 1460"), two;

	ASSERT_LE(0, fd);
	two = sndbuf(fd);
	if (!bbr(self->lfd))
		SKIP(return, "no BBR");
	w_peer(PEER_PORT + 1);
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(two / 2 * 3, sndbuf(fd));
}

/* ---- TCP_TX_DELAY ---- */

#define DELAY	50000		/* µs */

static int tx_delay(int fd)
{
	socklen_t len = 4;
	int val = -1;

	getsockopt(fd, SOL_TCP, TCP_TX_DELAY, &val, &len);
	return val;
}

CASE(tx_delay, "tcp(7) TCP_TX_DELAY: every segment leaves that much later, which is a part of the RTT")
{
	int fd, i;

	ASSERT_TRUE(qdisc("fq"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, tx_delay(fd));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_TX_DELAY, DELAY));
	ASSERT_EQ(DELAY, tx_delay(fd));
	for (i = 0; i < 20; i++) {
		put(fd, 10);
		out_at(50, "A %d+10 ack 1", i * 10 + 1);
		in("A 1 ack %d", i * 10 + 11);
	}
	if (w.sim) {
		ASSERT_LE(40000, f_info(fd).tcpi_rtt);
		ASSERT_GE(60000, f_info(fd).tcpi_rtt);
	}
	in("PA 1+10 ack 201");
	out_at(w.sim ? 50 : -1000, "A 201 ack 11");
	get(fd, 10);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_TX_DELAY, 0));
	put(fd, 10);
	out("A 201+10 ack 11");
}

CASE(tx_delay_no_fq, "tcp(7) TCP_TX_DELAY: without sch_fq nobody heeds it")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(qdisc("pfifo"));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_TX_DELAY, DELAY));
	put(fd, 10);
	out("A 1+10 ack 1");
}

CASE(tx_delay_open, "tcp(7) TCP_TX_DELAY: SYN-ACKs too, and children have it")
{
	int fd;

	ASSERT_TRUE(qdisc("fq"));
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_TX_DELAY, DELAY));
	in("S 0 mss 1460");
	out_at(50, "SA 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(DELAY, tx_delay(fd));
	put(fd, 10);
	out_at(50, "A 1+10 ack 1");

	w_peer(PEER_PORT);
	fd = w_socket();
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_TX_DELAY, DELAY));
	ASSERT_TRUE(w_connect(fd));
	out_at(50, "S 0 mss 1460");
}

CASE(tx_delay_time_wait, "tcp(7) TCP_TX_DELAY: FINs, the ACKs of TIME-WAIT, and RSTs")
{
	int fd;

	ASSERT_TRUE(qdisc("fq"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_TX_DELAY, DELAY));
	w_mark();
	close(fd);
	out_at(50, "FA 1 ack 1");
	in("FA 1 ack 2");
	out_at(50, "A 2 ack 2");
	sleep_s(1);
	in("FA 1 ack 2");
	out_at(50, "A 2 ack 2");

	w_peer(PEER_PORT + 1);
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_TX_DELAY, DELAY));
	in("PA 1+10 ack 1");
	out_at(50, "A 1 ack 11");
	w_mark();
	close(fd);
	out_at(50, "RA 1 ack 11");
}

CASE(rto_held_up, "RFC 6298 5.5: what the device's full queue refuses was not sent: soon again, and no backoff")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_no_tail_probe());
	put(fd, 1000);
	out("PA 1+1000");
	if (!qdisc("pfifo limit 0"))
		SKIP(return, "no queue that takes nothing");
	quiet(10000);
	ASSERT_TRUE(qdisc("pfifo limit 100"));
	out_within(600, "PA 1+1000");
}

TEST_HARNESS_MAIN
