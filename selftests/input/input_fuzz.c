// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that are almost right, by the ten thousand: IP, ICMP, UDP, TCP over TUN, ARP over
 * TAP. The kernel's checkers look for what should not happen (sim and debug machines); here
 * the counters must account for each packet, and the sockets must work afterwards.
 *
 * STRATA_INPUT_SEED=n chooses other packets, STRATA_INPUT_PACKETS=n how many; else 20 000,
 * STRATA_FULL=1: 400 000, on the debug machine a tenth of that.
 */
#include <linux/if_ether.h>
#include <netinet/tcp.h>
#include "../kselftest_harness.h"
#include "wire.h"

#define PORT	7

static uint32_t state;

/* xorshift32 (Marsaglia, 2003) */
static uint32_t rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

static long from_env(const char *name, long otherwise)
{
	const char *s = getenv(name);

	return s && *s ? atol(s) : otherwise;
}

static long packets(void)
{
	long n = getenv("STRATA_FULL") ? 400000 : 20000;

	return from_env("STRATA_INPUT_PACKETS", slow_machine() ? n / 10 : n);
}

static void seed(void)
{
	state = from_env("STRATA_INPUT_SEED", 1) * 2654435761u | 1;
}

/*
 * @con: accepted from @port, the test is the peer: @seq is its next octet, @ack Strata's;
 * @syn: in SYN-SENT to ME:99; @heard: the last packet that Strata sent, to quote in errors;
 * @in: how many packets Strata has seen
 */
FIXTURE(fuzz) {
	struct rtnl r;
	int tun, udp, lst, con, ping, syn;
	int port;
	uint32_t seq, ack;
	struct pkt heard;
	long in;
};

static int bound(int type)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(TEST_FAMILY, type | SOCK_NONBLOCK, 0);

	return fd < 0 || bind(fd, (void *)&sin, sizeof(sin)) ? -1 : fd;
}

static int connected(int type, int proto, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port),
				   .sin_addr.s_addr = inet_addr(ME) };
	int fd = socket(TEST_FAMILY, type | SOCK_NONBLOCK, proto);

	if (fd >= 0 && connect(fd, (void *)&sin, sizeof(sin)) && errno != EINPROGRESS)
		return -1;
	return fd;
}

FIXTURE_SETUP(fuzz)
{
	self->tun = tun_open(&self->r, HOST, 24);
	ASSERT_GE(self->tun, 0);
	self->udp = bound(SOCK_DGRAM);
	self->lst = bound(SOCK_STREAM);
	ASSERT_GE(self->udp, 0);
	ASSERT_EQ(0, listen(self->lst, 64));
	self->ping = connected(SOCK_DGRAM, IPPROTO_ICMP, 0);
	self->syn = connected(SOCK_STREAM, 0, 99);
	ASSERT_GE(self->ping, 0);
	ASSERT_GE(self->syn, 0);
	self->con = -1;
	self->port = PEER_PORT;
	self->in = 0;
	self->heard.len = 0;
}

FIXTURE_TEARDOWN(fuzz)
{
	close(self->con);
	close(self->tun);
}

/* one more packet on its way, seen by Strata */
static bool send_good(FIXTURE_DATA(fuzz) *self, const struct seg *s)
{
	static struct pkt p;

	self->in++;
	return pkt_send(self->tun, seg_make(&p, s));
}

/* 0: connected; else what a SYN from the next port is answered by, -1: by nothing */
static int connect_next(FIXTURE_DATA(fuzz) *self)
{
	static const uint8_t opt[12] = { 2, 4, 5, 0xb4, 1, 3, 3, 2, 1, 1, 4, 2 };
	struct seg s = { .from = ++self->port, .to = PORT, .seq = 1000, .flags = SYN,
			 .opt = opt, .optlen = sizeof(opt) }, a;
	static struct pkt p;

	if (!send_good(self, &s) || !seg_next(self->tun, ANSWER_MS, self->port, &p, &a))
		return -1;
	if (a.flags != (SYN | ACK))
		return a.flags;
	self->seq = 1001;
	self->ack = a.seq + 1;
	s = (struct seg){ .from = self->port, .to = PORT, .seq = self->seq, .ack = self->ack,
			  .flags = ACK };
	if (!send_good(self, &s))
		return -1;
	self->con = accept4(self->lst, NULL, NULL, SOCK_NONBLOCK);
	return self->con >= 0 ? 0 : a.flags;
}

/*
 * A connection by hand, in place of the last. Now and then a packet has opened one from that
 * port before, which answers by a challenge ACK, or is reset: then the next port
 */
static bool reconnect(FIXTURE_DATA(fuzz) *self)
{
	int fd, i, answer;

	close(self->con);
	self->con = -1;
	/* whatever else the packets have opened is not it */
	while ((fd = accept(self->lst, NULL, NULL)) >= 0)
		close(fd);
	for (i = 0; i < 4; i++) {
		answer = connect_next(self);
		if (!answer)
			return true;
		fprintf(stderr, "# port %d answers %d\n", self->port, answer);
	}
	return false;
}

static void drain_socket(int fd)
{
	static char buf[65536];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
}

static void drain(FIXTURE_DATA(fuzz) *self)
{
	while (pkt_next(self->tun, 0, &self->heard))
		;
	drain_socket(self->udp);
	drain_socket(self->ping);
	drain_socket(self->con);
	if (!rnd(4))
		send(self->con, "some octets for the peer", 24, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!rnd(4))
		send(self->ping, "\10\0\0\0\0\0\0\1abc", 11, MSG_DONTWAIT);
}

/* ---- packets that are right ---- */

static void base_error(FIXTURE_DATA(fuzz) *self, struct pkt *p)
{
	static const int types[] = { 3, 3, 3, 4, 5, 11, 12 };
	uint8_t m[8 + 548] = { types[rnd(7)], rnd(16) };
	int len = self->heard.len < 548 ? self->heard.len : 548;

	put16(m + 6, rnd(2) ? rnd(65536) : 68 + rnd(1500));
	memcpy(m + 8, self->heard.b, len);
	ip_make(p, IPPROTO_ICMP, m, 8 + len);
	icmp_sum(p);
}

static void base_segment(FIXTURE_DATA(fuzz) *self, struct pkt *p)
{
	static const uint8_t opts[40] = { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 5, 10 };
	static uint8_t data[1400];
	static const int flags[] = { ACK, ACK, ACK | PSH, ACK | FIN, SYN, SYN | ACK, RST, RST | ACK,
				     ACK | URG, FIN, 0, 63 };
	struct seg s = {
		.from = rnd(8) ? self->port : rnd(65536), .to = rnd(8) ? PORT : rnd(65536),
		.seq = self->seq, .ack = self->ack, .flags = flags[rnd(12)],
		.opt = opts, .optlen = rnd(3) ? 0 : rnd(11) * 4,
		.data = data, .len = rnd(2) ? 0 : rnd(sizeof(data)),
	};

	if (!rnd(3))
		s.seq += (int)rnd(4000) - 2000;
	if (!rnd(3))
		s.ack += (int)rnd(4000) - 2000;
	if (!rnd(16))
		s.seq = rnd(-1);
	seg_make(p, &s);
}

static void base_fragment(struct pkt *p)
{
	int off = rnd(64), len = rnd(200);

	if (rnd(2))
		echo_make(p, 1, len);
	else
		udp_make(p, 9, PORT, len);
	p->ip.id = htons(rnd(20));
	p->ip.frag_off = htons(off | (rnd(2) ? IP_MF : 0) | (rnd(8) ? 0 : IP_DF));
}

static void base_options(struct pkt *p)
{
	int n = 1 + rnd(10), i;

	echo_make(p, 1, rnd(40));
	memmove(p->b + 20 + n * 4, p->b + 20, p->len - 20);
	for (i = 0; i < n * 4; i++)
		p->b[20 + i] = rnd(3) ? rnd(12) : rnd(256);
	p->len += n * 4;
	p->ip.ihl = 5 + n;
	p->ip.tot_len = htons(p->len);
}

static void base(FIXTURE_DATA(fuzz) *self, struct pkt *p)
{
	switch (rnd(10)) {
	case 0:
		echo_make(p, 1, rnd(1400));
		break;
	case 1:
		echo_make(p, 1, rnd(100));
		p->b[20] = rnd(20);
		icmp_sum(p);
		break;
	case 2:
		base_error(self, p);
		break;
	case 3:
		udp_make(p, rnd(65536), PORT, rnd(1400));
		break;
	case 4:
		udp_make(p, 9, rnd(65536), rnd(100));
		break;
	case 5:
		base_fragment(p);
		break;
	case 6:
		base_options(p);
		break;
	default:
		base_segment(self, p);
	}
}

/* ---- and wrong ---- */

static void spoil(uint8_t *b, int *len, int max)
{
	switch (rnd(6)) {
	case 0:
		b[rnd(*len < 80 ? *len : 80)] = rnd(256);
		break;
	case 1:
		b[rnd(*len)] ^= 1 << rnd(8);
		break;
	case 2:
		*len = 1 + rnd(*len);
		break;
	case 3:
		if (*len + 64 < max)
			*len += rnd(64);
		break;
	case 4:
		put16(b + (rnd(*len < 60 ? *len : 60) & ~1), rnd(2) ? rnd(65536) : rnd(64));
		break;
	default:
		b[rnd(*len < 60 ? *len : 60)] = rnd(2) ? 0 : 255;
	}
}

static void resum(struct pkt *p)
{
	if (p->ip.version != 4 || p->ip.ihl < 5 || p->len < p->ip.ihl * 4)
		return;
	if (rnd(4) && p->len > 40)
		p->ip.tot_len = htons(p->len);
	if (rnd(4)) {
		if (p->ip.protocol == IPPROTO_TCP)
			l4_sum(p, 16);
		else if (p->ip.protocol == IPPROTO_UDP)
			l4_sum(p, 6);
		else if (p->ip.protocol == IPPROTO_ICMP && p->len >= p->ip.ihl * 4 + 4)
			icmp_sum(p);
	}
	if (rnd(8))
		ip_sum(p);
}

static void to_whom(struct pkt *p)
{
	static const char *const to[] = { "10.0.0.255", "255.255.255.255", "224.0.0.1" };

	p->ip.daddr = inet_addr(rnd(40) ? HOST : to[rnd(3)]);
	if (rnd(8))
		p->ip.saddr = inet_addr(ME);
}

/* one packet; true if Strata sees it: the device takes IPv4 only, and to Strata go whole headers */
static bool shoot(FIXTURE_DATA(fuzz) *self)
{
	static struct pkt p;
	int n = rnd(4);

	base(self, &p);
	while (n--)
		spoil(p.b, &p.len, sizeof(p.b));
	to_whom(&p);
	resum(&p);
	return pkt_send(self->tun, &p) && p.len >= 20 && p.ip.version == 4;
}

/* ---- the books ---- */

static const char *const ip_ends[] = { "InHdrErrors", "InAddrErrors", "InUnknownProtos",
				       "InDiscards", "InDelivers" };
static const char *const udp_ends[] = { "InDatagrams", "NoPorts", "InErrors", "IgnoredMulti" };
static const char *const icmp_kinds[] = {
	"InCsumErrors", "InDestUnreachs", "InTimeExcds", "InParmProbs", "InSrcQuenchs",
	"InRedirects", "InEchos", "InEchoReps", "InTimestamps", "InTimestampReps", "InAddrMasks",
	"InAddrMaskReps",
};

static long snmp(const char *group, const char *name)
{
	return counter("strata/snmp", group, name);
}

static long sum(const char *group, const char *const *names, int n)
{
	long s = 0;

	while (n--)
		s += snmp(group, *names++);
	return s;
}

static void check_books(struct __test_metadata *_metadata, long in)
{
	long delivered = snmp("Ip", "InDelivers"), msgs = snmp("Icmp", "InMsgs"), known;

	EXPECT_EQ(in, snmp("Ip", "InReceives"));
	EXPECT_EQ(in, sum("Ip", ip_ends, 5) + counter("strata/netstat", "IpExt", "InTruncatedPkts") +
		      snmp("Ip", "ReasmReqds") - snmp("Ip", "ReasmOKs"));
	EXPECT_EQ(delivered, msgs + snmp("Tcp", "InSegs") + sum("Udp", udp_ends, 4));
	/* an error message is counted by its kind, and once more if it was in vain */
	known = sum("Icmp", icmp_kinds, 12);
	EXPECT_LE(known, msgs);
	EXPECT_GE(known + snmp("Icmp", "InErrors"), msgs);
	TH_LOG("in %ld delivered %ld icmp %ld tcp %ld udp %ld", in, delivered, msgs,
	       snmp("Tcp", "InSegs"), sum("Udp", udp_ends, 4));
}

static bool talks(FIXTURE_DATA(fuzz) *self)
{
	static struct pkt p;
	struct seg s;
	char buf[16];

	if (!reconnect(self))
		return false;
	s = (struct seg){ .from = self->port, .to = PORT, .seq = self->seq, .ack = self->ack,
			  .flags = ACK | PSH, .data = "hello", .len = 5 };
	return pkt_send(self->tun, seg_make(&p, &s)) &&
	       recv(self->con, buf, sizeof(buf), 0) == 5 && !memcmp(buf, "hello", 5) &&
	       pkt_send(self->tun, udp_make(&p, 9, PORT, 12)) &&
	       recv(self->udp, buf, sizeof(buf), 0) == 12 &&
	       pkt_send(self->tun, echo_make(&p, 1, 8)) &&
	       icmp_next(self->tun, ANSWER_MS, ICMP_ECHOREPLY, 0, &p);
}

TEST_F_TIMEOUT(fuzz, packets, 3000)
{
	long i, n = packets();

	seed();
	ASSERT_TRUE(reconnect(self));
	ASSERT_EQ(2, snmp("Ip", "InReceives"));
	for (i = 0; i < n; i++) {
		self->in += shoot(self);
		if (!rnd(32))
			drain(self);
		if (i % 512 == 511) {
			ASSERT_TRUE(reconnect(self)) TH_LOG("packet %ld", i);
		}
	}
	drain(self);
	check_books(_metadata, self->in);
	EXPECT_TRUE(talks(self));
}

/* ---- ARP ---- */

static void arp_make(uint8_t *f, int op)
{
	memset(f, 0, 60);
	memset(f, 255, 6);
	memcpy(f + 6, "\2\0\0\0\0\x99", 6);
	put16(f + 12, ETH_P_ARP);
	put16(f + 14, 1);
	put16(f + 16, ETH_P_IP);
	f[18] = 6;
	f[19] = 4;
	put16(f + 20, op);
	memcpy(f + 22, f + 6, 6);
	put32(f + 28, 0x0a000001 + rnd(rnd(4) ? 3 : 300));
	put32(f + 38, 0x0a000002);
}

/* the sum of what ARP says it did with frames */
static long arp_books(void)
{
	static const char *const ends[] = { "InRequests", "InReplies", "InErrors",
					    "AddressConflicts" };
	long s = 0;
	int i;

	for (i = 0; i < 4; i++)
		s += counter("strata/netstat", "ArpExt", ends[i]);
	return s;
}

static bool arp_answered(int tap)
{
	struct pollfd pfd = { .fd = tap, .events = POLLIN };
	uint8_t f[1600];

	arp_make(f, 1);
	put32(f + 28, 0x0a000001);
	if (write(tap, f, 42) != 42)
		return false;
	while (poll(&pfd, 1, ANSWER_MS) > 0)
		if (read(tap, f, sizeof(f)) >= 42 && get16(f + 12) == ETH_P_ARP &&
		    get16(f + 20) == 2 && get32(f + 28) == 0x0a000002 &&
		    get32(f + 38) == 0x0a000001)
			return true;
	return false;
}

FIXTURE(arp) {
	struct rtnl r;
	int tap;
};

FIXTURE_SETUP(arp)
{
	ASSERT_EQ(0, need_module());
	ASSERT_LE(0, ns_new());
	self->tap = tun_device("t0", IFF_TAP);
	ASSERT_LE(0, self->tap);
	ASSERT_EQ(0, fcntl(self->tap, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, addr_add(&self->r, "t0", "10.0.0.2", 24));
}

FIXTURE_TEARDOWN(arp)
{
	close(self->tap);
}

TEST_F_TIMEOUT(arp, frames, 3000)
{
	long i, n = packets(), in = 0;
	uint8_t f[256];
	int len, k;

	seed();
	for (i = 0; i < n; i++) {
		arp_make(f, 1 + rnd(2));
		len = 42;
		for (k = rnd(4); k > 0; k--)
			spoil(f + 14, (int [1]){ 28 }, 64);
		if (!rnd(8))
			len = 14 + rnd(80);
		in += write(self->tap, f, len) == len;
		if (!rnd(32))
			while (read(self->tap, f, sizeof(f)) > 0)
				;
	}
	EXPECT_EQ(in, n);
	EXPECT_EQ(in, arp_books());
	EXPECT_GE(1024, neigh_count(&self->r));
	while (read(self->tap, f, sizeof(f)) > 0)
		;
	EXPECT_TRUE(arp_answered(self->tap));
}

TEST_HARNESS_MAIN
