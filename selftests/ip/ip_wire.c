// SPDX-License-Identifier: GPL-2.0-only
/*
 * IP on the wire: headers that lie, addresses that cannot be, options, fragments. What
 * was taken in shows by the answer to the echo request inside. RFC 791, 1122 3.2.1, 3.3.
 */
#include "../kselftest_harness.h"
#include "../lib/tun.h"

static struct pkt p, f, a;

FIXTURE(ip) {
	struct rtnl r;
	int tun;
	int seq;
};

FIXTURE_SETUP(ip)
{
	self->tun = tun_open(&self->r, HOST, 24);
	ASSERT_GE(self->tun, 0);
	self->seq = 1;
}

FIXTURE_TEARDOWN(ip)
{
	close(self->tun);
	close(self->r.fd);
}

/* does Strata answer what stands in p? */
static bool answered(int tun, int ms)
{
	return pkt_send(tun, &p) && icmp_next(tun, ms, ICMP_ECHOREPLY, 0, &a);
}

/* after anything bad, good packets are answered as before */
static bool alive(int tun)
{
	echo_make(&p, 9999, 32);
	return answered(tun, ANSWER_MS) && pkt_icmp(&a)->un.echo.sequence == htons(9999) &&
	       a.len == 60 && !memcmp(a.b + 28, p.b + 28, 32);
}

TEST_F(ip, good)
{
	EXPECT_TRUE(alive(self->tun));
	EXPECT_EQ(64, a.ip.ttl);
	EXPECT_EQ(htons(0x1234), pkt_icmp(&a)->un.echo.id);
	EXPECT_EQ(0, sum16(pkt_icmp(&a), a.len - 20));
}

/* the octets behind the total length are padding (RFC 894) */
TEST_F(ip, padding)
{
	echo_make(&p, 1, 10);
	p.len += 20;
	EXPECT_TRUE(answered(self->tun, ANSWER_MS));
	EXPECT_EQ(38, a.len);
}

TEST_F(ip, truncated)
{
	int len;

	for (len = 1; len < 60; len++) {
		echo_make(&p, 1, 32);
		p.len = len;
		pkt_send(self->tun, &p);
	}
	EXPECT_FALSE(pkt_next(self->tun, QUIET_MS, &a));
	EXPECT_TRUE(alive(self->tun));
}

TEST_F(ip, lying_header)
{
	int ihl, version, len;

	for (ihl = 0; ihl < 16; ihl++) {
		if (ihl == 5)
			continue;
		echo_make(&p, 1, 0);
		p.ip.ihl = ihl;
		p.ip.check = 0;
		p.ip.check = sum16(p.b, ihl * 4);
		pkt_send(self->tun, &p);
	}
	for (version = 0; version < 16; version++) {
		if (version == 4)
			continue;
		echo_make(&p, 1, 8);
		p.ip.version = version;
		ip_sum(&p);
		pkt_send(self->tun, &p);
	}
	for (len = 0; len < 28; len++) {
		echo_make(&p, 1, 8);
		p.ip.tot_len = htons(len);
		ip_sum(&p);
		pkt_send(self->tun, &p);
	}
	EXPECT_FALSE(icmp_next(self->tun, QUIET_MS, ICMP_ECHOREPLY, 0, &a));
	EXPECT_TRUE(alive(self->tun));
}

TEST_F(ip, checksum)
{
	int bit;

	for (bit = 0; bit < 16; bit++) {
		echo_make(&p, 1, 8);
		p.ip.check ^= 1 << bit;
		pkt_send(self->tun, &p);
	}
	EXPECT_FALSE(pkt_next(self->tun, QUIET_MS, &a));
	EXPECT_TRUE(alive(self->tun));
}

/* RFC 1122 3.2.1.3: sources that cannot be */
TEST_F(ip, martians)
{
	static const char * const src[] = {
		"127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.2.3", "255.255.255.255",
		"10.0.0.255", HOST,
	};
	unsigned int i;

	for (i = 0; i < sizeof(src) / sizeof(src[0]); i++) {
		echo_make(&p, 1, 8);
		p.ip.saddr = inet_addr(src[i]);
		ip_sum(&p);
		pkt_send(self->tun, &p);
	}
	EXPECT_FALSE(pkt_next(self->tun, QUIET_MS, &a));
	EXPECT_TRUE(alive(self->tun));
}

TEST_F(ip, loopback_does_not_come_from_outside)
{
	echo_make(&p, 1, 8);
	p.ip.daddr = inet_addr("127.0.0.1");
	ip_sum(&p);
	pkt_send(self->tun, &p);
	EXPECT_FALSE(icmp_next(self->tun, QUIET_MS, ICMP_ECHOREPLY, 0, &a));
}

/* an echo request behind @len octets of options */
static void with_options(const uint8_t *opt, int len)
{
	echo_make(&p, 1, 8);
	memmove(p.b + 20 + len, p.b + 20, p.len - 20);
	memcpy(p.b + 20, opt, len);
	p.len += len;
	p.ip.ihl = 5 + len / 4;
	p.ip.tot_len = htons(p.len);
	ip_sum(&p);
}

TEST_F(ip, options_are_skipped)
{
	static const uint8_t nops[4] = { 1, 1, 1, 1 }, end[4] = { 0, 7, 7, 7 };
	static const uint8_t record[8] = { 7, 7, 4, 0, 0, 0, 0, 0 };
	static const uint8_t unknown[8] = { 0x9e, 6, 1, 2, 3, 4, 1, 0 };

	with_options(nops, 4);
	EXPECT_TRUE(answered(self->tun, ANSWER_MS));
	EXPECT_EQ(0x45, a.b[0]);
	with_options(end, 4);
	EXPECT_TRUE(answered(self->tun, ANSWER_MS));
	with_options(record, 8);
	EXPECT_TRUE(answered(self->tun, ANSWER_MS));
	with_options(unknown, 8);
	EXPECT_TRUE(answered(self->tun, ANSWER_MS));
}

/* RFC 1122 3.2.1.8 */
TEST_F(ip, bad_options)
{
	static const uint8_t lsrr[8] = { 0x83, 7, 4, 10, 0, 0, 3, 0 };
	static const uint8_t ssrr[8] = { 0x89, 7, 4, 10, 0, 0, 3, 0 };
	static const uint8_t zero[4] = { 7, 0, 0, 0 }, one[4] = { 7, 1, 0, 0 };
	static const uint8_t beyond[4] = { 7, 5, 0, 0 }, cut[4] = { 1, 1, 1, 7 };
	static const struct {
		const uint8_t *opt;
		int len, pointer;
	} bad[] = {
		{ lsrr, 8, 20 }, { ssrr, 8, 20 }, { zero, 4, 21 }, { one, 4, 21 },
		{ beyond, 4, 21 }, { cut, 4, 23 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		with_options(bad[i].opt, bad[i].len);
		pkt_send(self->tun, &p);
		EXPECT_TRUE(icmp_next(self->tun, ANSWER_MS, ICMP_PARAMETERPROB, 0, &a)) {
			TH_LOG("case %u", i);
		}
		EXPECT_EQ(bad[i].pointer, ntohl(pkt_icmp(&a)->un.gateway) >> 24);
	}
	EXPECT_TRUE(alive(self->tun));
}

/* RFC 1122 3.2.2.1 */
TEST_F(ip, unknown_protocol)
{
	ip_make(&p, 253, "abcdefgh", 8);
	pkt_send(self->tun, &p);
	ASSERT_TRUE(icmp_next(self->tun, ANSWER_MS, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, &a));
	EXPECT_EQ(0, memcmp(a.b + 28, p.b, 28));
}

/* ---- fragments ---- */

/* octets [@from, @to) of p's data as a fragment in f */
static void fragment(int from, int to, bool more)
{
	memcpy(f.b, p.b, 20);
	memcpy(f.b + 20, p.b + 20 + from, to - from);
	f.len = 20 + to - from;
	f.ip.tot_len = htons(f.len);
	f.ip.frag_off = htons(from / 8 | (more ? IP_MF : 0));
	ip_sum(&f);
}

static void send_fragment(int tun, int from, int to, int end)
{
	fragment(from, to, to < end);
	pkt_send(tun, &f);
}

static void fresh(int *seq, int len)
{
	echo_make(&p, *seq, len);
	p.ip.id = htons(1000 + *seq);
	ip_sum(&p);
	++*seq;
}

static bool whole(int tun, int seq, int len)
{
	return icmp_next(tun, ANSWER_MS, ICMP_ECHOREPLY, 0, &a) &&
	       pkt_icmp(&a)->un.echo.sequence == htons(seq - 1) && a.len == 28 + len &&
	       !memcmp(a.b + 28, p.b + 28, len);
}

/* four pieces in all 24 orders */
TEST_F(ip, fragments_in_all_orders)
{
	static const int at[5] = { 0, 16, 200, 208, 408 };
	int o[4];

	/* all orders, as numbers to the base of 4 */
	for (int n = 0; n < 4 * 4 * 4; n++) {
		o[0] = n / 16;
		o[1] = n / 4 % 4;
		o[2] = n % 4;
		o[3] = 6 - o[0] - o[1] - o[2];
		if (o[0] == o[1] || o[0] == o[2] || o[1] == o[2])
			continue;
		fresh(&self->seq, 400);
		for (int i = 0; i < 4; i++)
			send_fragment(self->tun, at[o[i]], at[o[i] + 1], 408);
		ASSERT_TRUE(whole(self->tun, self->seq, 400)) {
			TH_LOG("order %d %d %d %d", o[0], o[1], o[2], o[3]);
		}
	}
}

TEST_F(ip, duplicate_fragments)
{
	fresh(&self->seq, 400);
	send_fragment(self->tun, 0, 200, 408);
	send_fragment(self->tun, 0, 200, 408);
	send_fragment(self->tun, 0, 200, 408);
	send_fragment(self->tun, 200, 408, 408);
	EXPECT_TRUE(whole(self->tun, self->seq, 400));
	EXPECT_FALSE(icmp_next(self->tun, QUIET_MS, ICMP_ECHOREPLY, 0, &a));
}

/* whatever overlaps kills the datagram, whichever comes first */
TEST_F(ip, overlapping_fragments)
{
	static const int bad[][2][2] = {
		{ { 0, 200 }, { 192, 408 } }, { { 0, 200 }, { 8, 208 } },
		{ { 192, 408 }, { 0, 200 } }, { { 96, 208 }, { 0, 400 } },
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fresh(&self->seq, 400);
		send_fragment(self->tun, bad[i][0][0], bad[i][0][1], 408);
		send_fragment(self->tun, bad[i][1][0], bad[i][1][1], 408);
		/* what is missing now would have made it whole */
		send_fragment(self->tun, 200, 408, 408);
		EXPECT_FALSE(icmp_next(self->tun, QUIET_MS, ICMP_ECHOREPLY, 0, &a)) {
			TH_LOG("case %u", i);
		}
	}
	EXPECT_TRUE(alive(self->tun));
}

/* the last fragment says where the end is; another end, or octets behind it, is a lie */
TEST_F(ip, two_ends)
{
	fresh(&self->seq, 400);
	fragment(200, 300, false);
	pkt_send(self->tun, &f);
	send_fragment(self->tun, 200, 408, 408);
	send_fragment(self->tun, 0, 200, 408);
	EXPECT_FALSE(icmp_next(self->tun, QUIET_MS, ICMP_ECHOREPLY, 0, &a));
	EXPECT_TRUE(alive(self->tun));
}

/* RFC 791: 65535 octets are the most (the ping of death had more) */
TEST_F(ip, too_long)
{
	static uint8_t junk[1000];

	ip_make(&f, IPPROTO_ICMP, junk, 1000);
	f.ip.id = htons(4242);
	f.ip.frag_off = htons(65528 / 8);
	ip_sum(&f);
	pkt_send(self->tun, &f);
	f.ip.frag_off = htons(64600 / 8 | IP_MF);
	ip_sum(&f);
	pkt_send(self->tun, &f);
	EXPECT_FALSE(icmp_next(self->tun, QUIET_MS, ICMP_ECHOREPLY, 0, &a));
	EXPECT_TRUE(alive(self->tun));
}

TEST_F(ip, empty_fragments)
{
	fresh(&self->seq, 400);
	fragment(0, 0, true);
	pkt_send(self->tun, &f);
	fragment(408, 408, false);
	pkt_send(self->tun, &f);
	EXPECT_TRUE(alive(self->tun));
}

/* ---- a flood of first fragments is bounded by ipfrag_high_thresh, and passes ---- */

#define FLOOD		2000	/* datagrams that never become whole: more than 2 MB */
#define FLOOD_LIMIT	65536
#define FLOOD_ONE	8192	/* more than one of them takes */

FIXTURE(flood) {
	struct rtnl r;
	int tun;
	int seq;
};

FIXTURE_VARIANT(flood) {
	bool strata;
};

FIXTURE_VARIANT_ADD(flood, native) { .strata = false };
FIXTURE_VARIANT_ADD(flood, strata) { .strata = true };

FIXTURE_SETUP(flood)
{
	self->tun = tun_open(&self->r, variant->strata ? HOST : NULL, 24);
	ASSERT_GE(self->tun, 0);
	if (!variant->strata)
		ASSERT_EQ(0, dev_addr("t0", HOST));
	self->seq = 1;
}

FIXTURE_TEARDOWN(flood)
{
	close(self->tun);
	close(self->r.fd);
}

/* native's lower limit is first moved out of the way */
static int flood_limit(bool strata, int low, int high)
{
	if (strata)
		return run("sysctl -qw net.strata.ipfrag_high_thresh=%d", high);
	return run("sysctl -qw net.ipv4.ipfrag_low_thresh=%d net.ipv4.ipfrag_high_thresh=%d",
		   low, high);
}

/* datagrams that wait for more, and their octets of memory, as sockstat has them */
static bool flood_waiting(bool strata, int *count, long *memory)
{
	FILE *file = fopen(strata ? "/proc/net/strata/sockstat" : "/proc/net/sockstat", "r");
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "FRAG: inuse %d memory %ld", count, memory) == 2;
	if (file)
		fclose(file);
	return found;
}

/* a counter of IP, or -1 */
static long flood_counter(bool strata, const char *name)
{
	FILE *file = fopen(strata ? "/proc/net/strata/snmp" : "/proc/net/snmp", "r");
	char names[2048], values[2048], *n, *v, *at_n, *at_v;
	long value = -1;

	/* the first two lines are IP's */
	if (file && fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		n = strtok_r(names, " \n", &at_n);
		v = strtok_r(values, " \n", &at_v);
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, " \n", &at_n);
			v = strtok_r(NULL, " \n", &at_v);
		}
		if (n && v)
			value = atol(v);
	}
	if (file)
		fclose(file);
	return value;
}

static bool flood_fragments(int tun, int *seq)
{
	fresh(seq, 400);
	send_fragment(tun, 0, 200, 408);
	send_fragment(tun, 200, 408, 408);
	return whole(tun, *seq, 400);
}

TEST_F(flood, is_bounded)
{
	int count = -1;
	long memory = -1;

	ASSERT_EQ(0, flood_limit(variant->strata, FLOOD_LIMIT / 2, FLOOD_LIMIT));
	ASSERT_TRUE(flood_fragments(self->tun, &self->seq));
	ASSERT_TRUE(flood_waiting(variant->strata, &count, &memory));
	EXPECT_EQ(0, count);
	EXPECT_EQ(0, memory);
	ASSERT_EQ(0, flood_counter(variant->strata, "ReasmFails"));
	for (int i = 0; i < FLOOD; i++) {
		fresh(&self->seq, 1000);
		send_fragment(self->tun, 0, 800, 1008);
	}
	ASSERT_TRUE(flood_waiting(variant->strata, &count, &memory));
	EXPECT_LT(FLOOD_LIMIT - FLOOD_ONE, memory);
	EXPECT_LT(memory, FLOOD_LIMIT + FLOOD_ONE);
	/* as many as have room, each with at least the octets that came */
	EXPECT_LT(0, count);
	EXPECT_LT(count, FLOOD_LIMIT / 800 + 1);
	EXPECT_EQ(FLOOD - count, flood_counter(variant->strata, "ReasmFails"));
	EXPECT_EQ(FLOOD + 2, flood_counter(variant->strata, "ReasmReqds"));
	/* what is whole passes meanwhile, what has to be put together does not */
	EXPECT_TRUE(alive(self->tun));
	EXPECT_FALSE(flood_fragments(self->tun, &self->seq));
	EXPECT_EQ(1, flood_counter(variant->strata, "ReasmOKs"));

	ASSERT_EQ(0, flood_limit(variant->strata, FLOOD_LIMIT / 2, 4 << 20));
	EXPECT_TRUE(flood_fragments(self->tun, &self->seq));
}

/* RFC 1122 3.3.2: the sender is told, if the first fragment has come; with its octets */
TEST_F_TIMEOUT(ip, reassembly_timeout, 60)
{
	double began = now_s();

	fresh(&self->seq, 400);
	send_fragment(self->tun, 200, 408, 408);
	fresh(&self->seq, 400);
	send_fragment(self->tun, 0, 200, 408);
	ASSERT_TRUE(icmp_next(self->tun, 40000, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, &a));
	EXPECT_LT(29.0, now_s() - began);
	EXPECT_EQ(0, memcmp(a.b + 28, f.b, 220));
	EXPECT_FALSE(icmp_next(self->tun, 1000, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, &a));
	EXPECT_TRUE(alive(self->tun));
}

/* RFC 791 2.3: a reply above the MTU comes in pieces that fit, on multiples of 8 */
TEST_F(ip, fragments_out)
{
	static uint8_t got[2100];
	int n = 0, have = 0, id = -1;

	ASSERT_EQ(0, run("ip link set t0 mtu 576"));
	fresh(&self->seq, 2000);
	pkt_send(self->tun, &p);
	while (have < 2008 && pkt_next(self->tun, ANSWER_MS, &a)) {
		int off = (ntohs(a.ip.frag_off) & IP_OFFMASK) * 8, len = a.len - 20;

		ASSERT_EQ(0, sum16(a.b, 20));
		ASSERT_EQ(a.len, ntohs(a.ip.tot_len));
		ASSERT_LE(a.len, 576);
		ASSERT_LE(off + len, 2008);
		EXPECT_EQ(off + len < 2008, !!(ntohs(a.ip.frag_off) & IP_MF));
		if (id >= 0)
			EXPECT_EQ(id, a.ip.id);
		id = a.ip.id;
		memcpy(got + off, a.b + 20, len);
		have += len;
		n++;
	}
	EXPECT_EQ(2008, have);
	EXPECT_EQ(4, n);
	EXPECT_EQ(0, memcmp(got + 8, p.b + 28, 2000));
}

TEST_F(ip, broadcast_is_heard_not_answered)
{
	echo_make(&p, 1, 8);
	p.ip.daddr = inet_addr("10.0.0.255");
	ip_sum(&p);
	pkt_send(self->tun, &p);
	EXPECT_FALSE(icmp_next(self->tun, QUIET_MS, ICMP_ECHOREPLY, 0, &a));
	ASSERT_EQ(0, run("sysctl -qw net.strata.icmp_echo_ignore_broadcasts=0"));
	EXPECT_TRUE(answered(self->tun, ANSWER_MS));
	/* no errors about what went to many (RFC 1122 3.2.2) */
	ip_make(&p, 253, "abcdefgh", 8);
	p.ip.daddr = inet_addr("255.255.255.255");
	ip_sum(&p);
	pkt_send(self->tun, &p);
	EXPECT_FALSE(pkt_next(self->tun, QUIET_MS, &a));
}

TEST_HARNESS_MAIN
