/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vocabulary of TCP's wire tests. A TUN device is the wire; the test plays the peer
 * and says, segment by segment, what comes and what must go:
 *
 *	the stack under test: 10.0.0.2  --- t0 --->  10.0.0.1: the test
 *
 *	in("S 0 mss 1460 sackok");		a segment comes from the peer
 *	out("SA 0 ack 1 mss 1460 sackok");	the next one sent must be this
 *	out_at(200, "A 1 ack 1001");		... 200 ms after the last of these lines
 *	out_within(200, "A 1 ack 1001");	... at any time until then
 *	quiet(300);				nothing is sent for 300 ms
 *
 * A segment is FLAGS SEQ[+LEN] and words behind it:
 *	ack N  win N  mss N  ws N  sackok  ts  sack A-B  urg N  as in the header
 *	ts+N, ts-N	peer's timestamp clock put forward or back by N ms; no-ts: none
 *	ecr-N		in in(): echoes what the stack's clock was N ms before its last
 *	ws 255		in out(): any
 *	echo		in out(): the timestamp of the last in() comes back
 *	ecn N		the ECN field of IP's header: 0, 2 ECT(0), 1 ECT(1), 3 CE
 *	ttl N		in in(): its TTL, else 64
 *	opt HEX		these octets behind the other options
 *	doff N  cut N  badsum	a header that lies: data offset in words, octets of the
 *			segment that are really there, a wrong checksum
 * FLAGS are letters of SAFRPUEC, - for none. Sequence numbers count from the ISN of the
 * side they are of, so a SYN is 0 and the first octet of data 1; before a side has sent
 * its SYN they are absolute. In in(), ack is by default all that was seen, win 65535,
 * and there is a timestamp if the connection uses them. In out() FLAGS, SEQ and LEN must
 * be equal (PSH only if named), the other words if they are there; no-mss, no-ws,
 * no-sackok, no-ts and no-sack ask for their absence. Payload is a pattern, checked in
 * get() and in every segment sent, as are checksums, lengths and the source address: one that
 * is wrong is none that any of these sees, and fails the case at its end.
 *
 * Every CASE is run on Strata and on native (-v strata, -v native for one). Times are
 * exact to a timer's tick on the sim machine; elsewhere they have a tolerance, and cases
 * that take long are left out by LONG().
 */
#ifndef STRATA_WIRE_H
#define STRATA_WIRE_H

#include "../../kselftest_harness.h"
#include "../../lib/kernel.h"
#include "wire_seg.h"

/* ---- the words of a case ---- */

/*
 * ms by which a timer of @ms may fire later than computed, and how much earlier a clock may see
 * it. A tick of the sim machine is 4 ms. The kernel's timer wheel is exact for the first 63 ticks,
 * then it goes by eights of them, by sixty-fours from the 504th, and so on: an eighth at most.
 */
static inline int w_late(int ms)
{
	int tick = 4, step = tick, reach = 63 * tick;

	if (!w.sim)
		return 400 + ms / 8;
	for (; ms > reach; reach *= 8)
		step *= 8;
	/* at once is within three ticks, as the wheel is exact then */
	return step + (ms ? 3 : 2) * tick;
}

static inline int w_early(void)
{
	return w.sim ? 5 : 25;
}

static inline void w_mark(void)
{
	w.mark = now_s();
	w.soonest = w.mark;
}

static inline __attribute__((format(printf, 1, 2))) bool w_in(const char *fmt, ...)
{
	char text[256];
	struct wseg s;
	struct pkt p;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!w_parse(&s, text))
		return false;
	w_build(&s, &p);
	w_mark();
	return pkt_send(w.tun, &p);
}

/* the next segment sent within @ms */
static inline bool w_next(int ms, struct wseg *s)
{
	double end = now_s() + ms / 1000.0;
	struct pkt p;

	while (pkt_next(w.tun, ms, &p)) {
		if (w_read(&p, s))
			return true;
		ms = (end - now_s()) * 1000;
		if (ms < 0)
			ms = 0;
	}
	return false;
}

static inline bool w_like(const struct wseg *want, const struct wseg *is)
{
	unsigned int has = want->has & ~(W_SUM | W_ECHO);
	int mask = want->flags & 8 ? 0xff : 0xff & ~8;
	int i;

	if ((want->flags & mask) != (is->flags & mask) || want->seq != is->seq ||
	    want->len != is->len || (is->has & has) != (has & ~W_WIN) || (is->has & want->not))
		return false;
	for (i = 0; i < want->nsack; i++)
		if (want->sack[i][0] != is->sack[i][0] || want->sack[i][1] != is->sack[i][1])
			return false;
	if ((want->has & W_ECHO) && (!(is->has & W_TS) || is->tsecr != w.ts_sent))
		return false;
	return (!(has & W_ACK) || want->ack == is->ack) &&
	       (!(has & W_WIN) || want->win == is->win) &&
	       (!(has & W_MSS) || want->mss == is->mss) &&
	       (!(has & W_ECN) || want->ecn == is->ecn) &&
	       (!(has & W_WS) || want->ws == is->ws || want->ws == 255) &&
	       (!(has & W_URG) || want->urg == is->urg) && want->nsack <= is->nsack;
}

/* @at: ms after the mark, -1: at once, else within -@at */
static inline __attribute__((format(printf, 2, 3))) bool w_out(int at, const char *fmt, ...)
{
	double due, now, soonest;
	struct wseg want, is;
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!w_parse(&want, text))
		return false;
	due = w.mark + (at > 0 ? at : at < -1 ? -at : 0) / 1000.0;
	soonest = (w.sim ? w.mark : w.soonest) + (at > 0 ? at : 0) / 1000.0;
	now = now_s();
	if (!w_next((due > now ? due - now : 0) * 1000 + w_late(at > 0 ? at : 0) +
		    (at < 0 && !w.sim ? 600 : 0), &is)) {
		fprintf(stderr, "# expected %s, nothing came in time\n", text);
		return false;
	}
	now = now_s();
	if (!w_like(&want, &is)) {
		fprintf(stderr, "# expected %s\n", text);
		w_say("      got ", &is);
		return false;
	}
	if (at > 0 && now < soonest - w_early() / 1000.0) {
		fprintf(stderr, "# %s came %d ms too early\n", text,
			(int)((soonest - now) * 1000));
		return false;
	}
	w_mark();
	/* sent in time, but read late by a slow machine: what follows counts from the former */
	if (at >= -1)
		w.soonest = soonest;
	return true;
}

/* nothing is sent for @ms */
static inline bool w_quiet(int ms)
{
	struct wseg s;

	if (w_next(ms, &s)) {
		w_say("nothing should be sent, but ", &s);
		return false;
	}
	w_mark();
	return true;
}

#define in(...)		ASSERT_TRUE(w_in(__VA_ARGS__))
#define out(...)	ASSERT_TRUE(w_out(-1, __VA_ARGS__))
#define out_at(ms, ...)	ASSERT_TRUE(w_out(ms, __VA_ARGS__))
#define out_within(ms, ...)	ASSERT_TRUE(w_out(-(ms), __VA_ARGS__))
#define quiet(ms)	ASSERT_TRUE(w_quiet(ms))

/* an ICMP error that quotes the stack's segment at @seq */
static inline bool w_icmp(int type, int code, int mtu, uint32_t seq)
{
	uint8_t m[8 + 28] = { type, code };
	struct iphdr ip = {
		.version = 4, .ihl = 5, .tot_len = htons(1500), .ttl = 60,
		.protocol = IPPROTO_TCP, .saddr = inet_addr(HOST), .daddr = inet_addr(ME),
	};
	struct pkt p;

	m[6] = mtu >> 8, m[7] = mtu;
	ip.check = sum16(&ip, sizeof(ip));
	memcpy(m + 8, &ip, 20);
	m[28] = w.port >> 8, m[29] = w.port;
	m[30] = w.peer_port >> 8, m[31] = w.peer_port;
	w_put32(m + 32, seq + w.isn);
	ip_make(&p, IPPROTO_ICMP, m, sizeof(m));
	icmp_sum(&p);
	w_mark();
	return pkt_send(w.tun, &p);
}

/* another conversation begins: nothing is known of it */
static inline void w_peer(int peer_port)
{
	w.peer_port = peer_port;
	w.isn = 0;
	w.isn_known = false;
	w.seen = 0;
	w.ts = false;
	w.ts_last = 0;
	w.got = 0;
	w.put = 0;
}

/* net.strata.NAME, or net.ipv4.NAME, of the case's namespace */
static inline bool w_sysctl(const char *name, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/%s", w.native ? "ipv4" : "strata", name);
	f = fopen(path, "w");
	if (!f)
		return false;
	fputs(value, f);
	return !fclose(f);
}

/* no probe of the tail comes between, however long the machine takes to read what was sent */
static inline bool w_no_tail_probe(void)
{
	return w_sysctl("tcp_early_retrans", "0");
}

/* a counter of TcpExt */
static inline long w_counted(const char *name)
{
	FILE *f = fopen(w.native ? "/proc/net/netstat" : "/proc/net/strata/netstat", "r");
	static char names[8192], values[8192];
	char *n, *v, *ns, *vs;
	long found = -1;

	while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		if (strncmp(names, "TcpExt:", 7))
			continue;
		n = strtok_r(names, " \n", &ns);
		v = strtok_r(values, " \n", &vs);
		for (; n && v; n = strtok_r(NULL, " \n", &ns), v = strtok_r(NULL, " \n", &vs))
			if (!strcmp(n, name))
				found = atol(v);
	}
	if (f)
		fclose(f);
	return found;
}

/* ---- the program's side; sockets do not block ---- */

static inline int w_socket(void)
{
	return socket(w.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int w_listen(int backlog)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = w_socket(), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, backlog))
		return -1;
	return fd;
}

/* begin to connect @fd; the SYN is the next thing out */
static inline bool w_connect(int fd)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(PEER_PORT),
		.sin_addr.s_addr = inet_addr(ME),
	};
	socklen_t len = sizeof(sin);
	int err;

	w_mark();
	err = connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	if (!err || errno != EINPROGRESS || getsockname(fd, (struct sockaddr *)&sin, &len))
		return false;
	w.port = ntohs(sin.sin_port);
	return true;
}

/* are these poll() events there within @ms? */
static inline bool w_poll(int fd, int events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) > 0 && (p.revents & events);
}

static inline int w_accept(int lfd)
{
	return w_poll(lfd, POLLIN, 1000) ? accept4(lfd, NULL, NULL, SOCK_NONBLOCK) : -1;
}

/* the peer opens with these options on its SYN; the accepted socket */
static inline int w_passive(int lfd, const char *opts)
{
	struct wseg s;

	w.ts = !!strstr(opts, "ts");
	if (!w_in("S 0 %s", opts) || !w_next(1000, &s) || s.flags != 0x12)
		return -1;
	return w_in("A 1 ack 1") ? w_accept(lfd) : -1;
}

/* we open, the peer answers after @rtt ms with these options on its SYN-ACK; the socket */
static inline int w_active_rtt(int rtt, const char *opts)
{
	int fd = w_socket();
	struct wseg s;

	if (!w_connect(fd) || !w_next(1000, &s) || s.flags != 0x02)
		return -1;
	if (rtt)
		sleep_s(rtt / 1000.0);
	w.ts = !!strstr(opts, "ts");
	if (!w_in("SA 0 ack 1 %s", opts) || !w_next(1000, &s) || s.flags != 0x10 ||
	    !w_poll(fd, POLLOUT, 1000))
		return -1;
	w_mark();
	return fd;
}

static inline int w_active(const char *opts)
{
	return w_active_rtt(0, opts);
}

/* the program writes the next @n octets of the pattern; how many were taken, or -errno */
static inline int w_put(int fd, uint32_t n, int flags)
{
	static uint8_t buf[1 << 20];
	uint32_t i;
	int ret;

	for (i = 0; i < n; i++)
		buf[i] = w_octet(w.put + i);
	w_mark();
	ret = send(fd, buf, n, flags | MSG_NOSIGNAL);
	if (ret < 0)
		return -errno;
	w.put += ret;
	return ret;
}

/* the program reads up to @n octets: their number, -errno, or -1000 if the pattern is wrong */
static inline int w_recv(int fd, uint32_t n)
{
	static uint8_t buf[1 << 20];
	int ret, i;

	w_mark();
	ret = recv(fd, buf, n, 0);
	if (ret < 0)
		return -errno;
	for (i = 0; i < ret; i++)
		if (buf[i] != w_octet(w.got + i))
			return -1000;
	w.got += ret;
	return ret;
}

static inline int w_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static inline int w_set(int fd, int level, int opt, int value)
{
	return setsockopt(fd, level, opt, &value, sizeof(value));
}

static inline int w_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) ? -1 : info.tcpi_state;
}

/* DCTCP is a module; true: it is there for Strata (native's comes by itself, if there is one) */
static inline bool w_load_dctcp(void)
{
	const char *ko = getenv("STRATA_KO");

	return w.native || !ko || !access("/sys/module/strata_dctcp", F_OK) ||
	       !run("insmod $(dirname %s)/strata_dctcp.ko", ko);
}

#define put(fd, n)	ASSERT_EQ(n, w_put(fd, n, 0))
#define get(fd, n)	ASSERT_EQ(n, w_recv(fd, 1 << 20))

/* ---- the fixture ---- */

FIXTURE(wire) {
	int lfd;
};

FIXTURE_VARIANT(wire) {
	bool native;
};

FIXTURE_VARIANT_ADD(wire, native) { .native = true };
FIXTURE_VARIANT_ADD(wire, strata) { .native = false };

static inline int w_open(bool native)
{
	const char *machine = getenv("STRATA_MACHINE");

	w = (struct wire){
		.native = native, .sim = machine && !strcmp(machine, "sim"),
		.family = native ? AF_INET : TEST_FAMILY, .port = PORT, .peer_port = PEER_PORT,
		.irs = PEER_ISN, .source = inet_addr(HOST),
	};
	w.tun = tun_open(&w.rtnl, native ? NULL : HOST, 24);
	if (w.tun < 0)
		return -1;
	return native ? dev_addr("t0", HOST) : 0;
}

FIXTURE_SETUP(wire)
{
	ASSERT_EQ(0, w_open(variant->native));
	self->lfd = w_listen(8);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(wire)
{
	EXPECT_FALSE(w_bad);
}

/*
 * Is it native, which here does something else, and rightly so because of @why? Every
 * difference between the stacks is written with this: CONFORMANCE.md lists them.
 */
#define NATIVE(why)	(w.native)

/* native of a kernel before @version (612: 6.12), which does something else as @why says? */
#define NATIVE_BEFORE(version, why)	(w.native && kernel_version() < (version))

/*
 * @rfc: what it shows; each case runs in a process and a namespace of its own. The bound is of
 * virtual time: there are cases of a month
 */
#define CASE(name, rfc)	TEST_F_TIMEOUT(wire, name, 3000000)

#define LONG(seconds)								\
	do {									\
		if (!w.sim && (seconds) > 5)					\
			SKIP(return, "takes %d s of real time; sim shows it", (int)(seconds)); \
	} while (0)

#endif
