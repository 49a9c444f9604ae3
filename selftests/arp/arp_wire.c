// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARP on the wire: raw frames from vb, what Strata on va answers, and what its
 * neighbour table says then. RFC 826, RFC 5227, RFC 1122 2.3.2, RFC 4861 7.3.
 */
#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>

#include "../kselftest_harness.h"
#include "../lib/rtnl.h"

#define QUIET_MS	300	/* long enough for an answer that must not come */

struct arp_frame {
	uint8_t dst[6], src[6];
	uint16_t type;
	uint16_t hrd, pro;
	uint8_t hln, pln;
	uint16_t op;
	uint8_t sha[6];
	uint32_t sip;
	uint8_t tha[6];
	uint32_t tip;
} __attribute__((packed));

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0x0a };
static const uint8_t mac_b[6] = { 2, 0, 0, 0, 0, 0x0b };
static const uint8_t mac_c[6] = { 2, 0, 0, 0, 0, 0x0c };
static const uint8_t mac_all[6] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t mac_none[6];

static uint32_t ip(const char *s)
{
	return inet_addr(s);
}

static struct arp_frame arp(int op, const uint8_t *sha, const char *sip, const char *tip)
{
	struct arp_frame f = {
		.type = htons(ETH_P_ARP), .hrd = htons(ARPHRD_ETHER), .pro = htons(ETH_P_IP),
		.hln = 6, .pln = 4, .op = htons(op), .sip = ip(sip), .tip = ip(tip),
	};

	memcpy(f.dst, op == ARPOP_REQUEST ? mac_all : mac_a, 6);
	memcpy(f.src, sha, 6);
	memcpy(f.sha, sha, 6);
	if (op == ARPOP_REPLY)
		memcpy(f.tha, mac_a, 6);
	return f;
}

FIXTURE(arp) {
	struct rtnl r;
	int a, b, wire;
};

static void drain(int fd)
{
	char buf[256];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* the next ARP packet that Strata sent within @ms */
static bool next_arp(int fd, int ms, struct arp_frame *f)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double end = now_s() + ms / 1000.0;
	char buf[256];
	int left;

	while ((left = (end - now_s()) * 1000) >= 0 && poll(&p, 1, left) > 0) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < (ssize_t)sizeof(*f))
			continue;
		memcpy(f, buf, sizeof(*f));
		if (f->type == htons(ETH_P_ARP) && !memcmp(f->src, mac_a, 6))
			return true;
	}
	return false;
}

static int send_frame(int fd, const void *f, size_t len)
{
	return send(fd, f, len, 0) == (ssize_t)len ? 0 : -errno;
}

FIXTURE_SETUP(arp)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP) };
	int one = 1;

	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, ns_pair(&self->a, &self->b));
	ASSERT_EQ(0, setns(self->b, CLONE_NEWNET));
	self->wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ARP));
	ASSERT_GE(self->wire, 0);
	ll.sll_ifindex = if_nametoindex("vb");
	ASSERT_EQ(0, bind(self->wire, (struct sockaddr *)&ll, sizeof(ll)));
	ASSERT_EQ(0, setsockopt(self->wire, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)));
	ASSERT_EQ(0, setns(self->a, CLONE_NEWNET));
	ASSERT_EQ(0, rtnl_open(&self->r));
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.2", 24));
}

FIXTURE_TEARDOWN(arp)
{
	close(self->wire);
	close(self->r.fd);
}

/* RFC 826: the answer is to the asker alone, with both pairs; the asker becomes known */
TEST_F(arp, request_is_answered)
{
	struct arp_frame q = arp(ARPOP_REQUEST, mac_b, "10.0.0.1", "10.0.0.2"), f;
	uint8_t ha[6];

	drain(self->wire);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	ASSERT_TRUE(next_arp(self->wire, 2000, &f));
	EXPECT_EQ(0, memcmp(f.dst, mac_b, 6));
	EXPECT_EQ(htons(ARPHRD_ETHER), f.hrd);
	EXPECT_EQ(htons(ETH_P_IP), f.pro);
	EXPECT_EQ(6, f.hln);
	EXPECT_EQ(4, f.pln);
	EXPECT_EQ(htons(ARPOP_REPLY), f.op);
	EXPECT_EQ(0, memcmp(f.sha, mac_a, 6));
	EXPECT_EQ(ip("10.0.0.2"), f.sip);
	EXPECT_EQ(0, memcmp(f.tha, mac_b, 6));
	EXPECT_EQ(ip("10.0.0.1"), f.tip);
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac_b, 6));
}

/* RFC 5227 2.1.1: a probe is answered and makes no entry */
TEST_F(arp, probe_is_answered)
{
	struct arp_frame q = arp(ARPOP_REQUEST, mac_b, "0.0.0.0", "10.0.0.2"), f;

	drain(self->wire);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	ASSERT_TRUE(next_arp(self->wire, 2000, &f));
	EXPECT_EQ(htons(ARPOP_REPLY), f.op);
	EXPECT_EQ(0, neigh_count(&self->r));
}

/* RFC 5227 2.3: two announcements, two seconds apart */
TEST_F(arp, new_address_is_announced)
{
	struct arp_frame f;
	double first = 0;
	int i;

	drain(self->wire);
	ASSERT_EQ(0, addr_add(&self->r, "va", "10.0.0.7", 24));
	for (i = 0; i < 2; i++) {
		do {
			ASSERT_TRUE(next_arp(self->wire, 4000, &f));
		} while (f.sip != ip("10.0.0.7"));
		EXPECT_EQ(htons(ARPOP_REQUEST), f.op);
		EXPECT_EQ(ip("10.0.0.7"), f.tip);
		EXPECT_EQ(0, memcmp(f.dst, mac_all, 6));
		EXPECT_EQ(0, memcmp(f.tha, mac_none, 6));
		if (!i)
			first = now_s();
	}
	EXPECT_GE(now_s() - first, 1.5);
}

/* addresses of others and addresses that were ours get no answer */
TEST_F(arp, not_ours_is_not_answered)
{
	struct arp_frame q = arp(ARPOP_REQUEST, mac_b, "10.0.0.1", "10.0.0.3"), f;

	sleep_s(3);	/* announcements are over */
	drain(self->wire);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	EXPECT_FALSE(next_arp(self->wire, QUIET_MS, &f));
	EXPECT_EQ(0, neigh_count(&self->r));
	ASSERT_EQ(0, addr_del(&self->r, "va", "10.0.0.2", 24));
	q = arp(ARPOP_REQUEST, mac_b, "10.0.0.1", "10.0.0.2");
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	EXPECT_FALSE(next_arp(self->wire, QUIET_MS, &f));
}

/* the native stack answers for its own address on the same card */
TEST_F(arp, native_answers_for_its_own)
{
	struct arp_frame q = arp(ARPOP_REQUEST, mac_b, "10.0.0.1", "10.0.0.4"), f;

	ASSERT_EQ(0, run("ip addr add 10.0.0.4/24 dev va"));
	sleep_s(3);
	drain(self->wire);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	ASSERT_TRUE(next_arp(self->wire, 2000, &f));
	EXPECT_EQ(ip("10.0.0.4"), f.sip);
	EXPECT_FALSE(next_arp(self->wire, QUIET_MS, &f));
	EXPECT_EQ(-ENOENT, neigh_get(&self->r, "va", "10.0.0.1", NULL));
}

/* nobody asked: no entry. RFC 826's merge only updates */
TEST_F(arp, unsolicited_reply_makes_no_entry)
{
	struct arp_frame q = arp(ARPOP_REPLY, mac_b, "10.0.0.1", "10.0.0.2");

	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	sleep_s(0.3);
	EXPECT_EQ(0, neigh_count(&self->r));
}

/*
 * RFC 826: a gratuitous packet and a request to us move an entry at once; what else is heard does
 * not within a second
 */
TEST_F(arp, known_neighbour_moves)
{
	struct arp_frame q;
	uint8_t ha[6];

	ASSERT_EQ(0, neigh_add(&self->r, "va", "10.0.0.1", mac_b, NUD_REACHABLE));
	q = arp(ARPOP_REQUEST, mac_c, "10.0.0.1", "10.0.0.9");
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	sleep_s(0.3);
	EXPECT_EQ(NUD_REACHABLE, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac_b, 6));
	q = arp(ARPOP_REQUEST, mac_c, "10.0.0.1", "10.0.0.1");
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	sleep_s(0.3);
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac_c, 6));
	q = arp(ARPOP_REQUEST, mac_b, "10.0.0.1", "10.0.0.2");
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	sleep_s(0.3);
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac_b, 6));
}

/* RFC 4861 7.3.2: INCOMPLETE, asked, answered, REACHABLE */
TEST_F(arp, resolves)
{
	struct arp_frame f, q = arp(ARPOP_REPLY, mac_b, "10.0.0.1", "10.0.0.2");
	uint8_t ha[6];

	drain(self->wire);
	ASSERT_EQ(0, neigh_use(&self->r, "va", "10.0.0.1"));
	EXPECT_EQ(NUD_INCOMPLETE, neigh_get(&self->r, "va", "10.0.0.1", NULL));
	do {
		ASSERT_TRUE(next_arp(self->wire, 2000, &f));
	} while (f.tip != ip("10.0.0.1"));
	EXPECT_EQ(htons(ARPOP_REQUEST), f.op);
	EXPECT_EQ(0, memcmp(f.dst, mac_all, 6));
	EXPECT_EQ(ip("10.0.0.2"), f.sip);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	sleep_s(0.3);
	EXPECT_EQ(NUD_REACHABLE, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac_b, 6));
}

/* failed, or failed and collected since (neigh_gc.c) */
static bool has_failed(struct rtnl *r, const char *addr)
{
	int state = neigh_get(r, "va", addr, NULL);

	return state == NUD_FAILED || state == -ENOENT;
}

/* a packet socket on vb that sees what Strata sends by IP */
static int ip_tap(int a, int b)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	int fd = -1, one = 1;

	if (!setns(b, CLONE_NEWNET)) {
		fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
		ll.sll_ifindex = if_nametoindex("vb");
		if (bind(fd, (struct sockaddr *)&ll, sizeof(ll)) ||
		    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)))
			fd = -1;
	}
	return setns(a, CLONE_NEWNET) ? -1 : fd;
}

/*
 * While an address is asked for, packets to it wait, the latest ones (RFC 1122 2.3.2.2), but not
 * without limit: neigh_unres_qlen_bytes
 */
TEST_F(arp, waiting_packets_are_bounded)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
				  .sin_addr.s_addr = ip("10.0.0.1") };
	struct arp_frame q = arp(ARPOP_REPLY, mac_b, "10.0.0.1", "10.0.0.2");
	int fd = socket(TEST_FAMILY, SOCK_DGRAM, 0), tap = ip_tap(self->a, self->b);
	struct pollfd p = { .fd = tap, .events = POLLIN };
	uint8_t i, n = 0, next = 0, buf[100];

	ASSERT_GE(fd, 0);
	ASSERT_GE(tap, 0);
	ASSERT_EQ(0, run("sysctl -qw net.strata.neigh_unres_qlen_bytes=8000"));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(1, sendto(fd, &i, 1, 0, (void *)&to, sizeof(to)));
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	while (poll(&p, 1, QUIET_MS) == 1) {
		ASSERT_EQ(29, recv(tap, buf, sizeof(buf), 0));
		if (n++)
			EXPECT_EQ(next, buf[28]);
		next = buf[28] + 1;
	}
	EXPECT_EQ(50, next);
	EXPECT_GE(n, 2);
	EXPECT_LE(n, 30);
	EXPECT_EQ(0, run("awk '/^ArpExt:/ { for (i = 1; i <= NF; i++) if (!n) name[i] = $i; "
			 "else if (name[i] == \"QueueDrops\") exit ($i != %d); n++ }' "
			 "/proc/net/strata/netstat", 50 - n));
}

/* three requests a second apart (RFC 1122 2.3.2.1), then FAILED, then silence */
TEST_F(arp, gives_up)
{
	struct arp_frame f;
	double first = 0;
	int asked = 0;

	sleep_s(3);
	drain(self->wire);
	ASSERT_EQ(0, neigh_use(&self->r, "va", "10.0.0.1"));
	while (next_arp(self->wire, 2500, &f)) {
		EXPECT_EQ(ip("10.0.0.1"), f.tip);
		if (!asked++)
			first = now_s();
	}
	EXPECT_EQ(3, asked);
	EXPECT_GE(now_s() - first, 4);
	EXPECT_TRUE(has_failed(&self->r, "10.0.0.1"));
}

/*
 * RFC 1122 2.3.2.1, 4.1.3.3: who sends datagrams to an absent host is not refused, and they make
 * no more than a request a second
 */
TEST_F(arp, absent_host_refuses_nobody)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
				  .sin_addr.s_addr = ip("10.0.0.1") };
	int fd = socket(TEST_FAMILY, SOCK_DGRAM, 0), i, asked = 0;
	struct arp_frame f;

	sleep_s(3);
	drain(self->wire);
	for (i = 0; i < 90; i++) {
		ASSERT_EQ(1, sendto(fd, "x", 1, 0, (void *)&to, sizeof(to))) TH_LOG("%d", i);
		asked += next_arp(self->wire, 100, &f);
	}
	EXPECT_GE(asked, 7);
	EXPECT_LE(asked, 11);
	close(fd);
}

/* RFC 4861 7.3.2 DELAY and PROBE: a stale neighbour is asked alone, at its address */
TEST_F_TIMEOUT(arp, stale_is_probed_by_unicast, 60)
{
	struct arp_frame f;
	int asked = 0;

	sleep_s(3);
	drain(self->wire);
	ASSERT_EQ(0, neigh_add(&self->r, "va", "10.0.0.1", mac_b, NUD_STALE));
	ASSERT_EQ(0, neigh_use(&self->r, "va", "10.0.0.1"));
	EXPECT_EQ(NUD_DELAY, neigh_get(&self->r, "va", "10.0.0.1", NULL));
	EXPECT_FALSE(next_arp(self->wire, 4000, &f));
	while (next_arp(self->wire, 3000, &f)) {
		EXPECT_EQ(0, memcmp(f.dst, mac_b, 6));
		EXPECT_EQ(ip("10.0.0.1"), f.tip);
		asked++;
	}
	EXPECT_EQ(3, asked);
	EXPECT_TRUE(has_failed(&self->r, "10.0.0.1"));
}

/* a frame cut off anywhere, and lies in every field: no answer, no entry, no harm */
TEST_F(arp, bad_frames)
{
	const struct arp_frame good = arp(ARPOP_REQUEST, mac_b, "10.0.0.1", "10.0.0.2");
	struct arp_frame bad[16], f;
	int n = 0, i;
	size_t len;

	for (i = 0; i < 16; i++)
		bad[i] = good;
	bad[n++].hrd = htons(ARPHRD_ATM);
	bad[n++].pro = htons(ETH_P_IPV6);
	bad[n++].hln = 0;
	bad[n++].hln = 8;
	bad[n++].hln = 255;
	bad[n++].pln = 0;
	bad[n++].pln = 16;
	bad[n++].op = htons(0);
	bad[n++].op = htons(ARPOP_InREQUEST);
	memcpy(bad[n++].sha, mac_all, 6);
	memcpy(bad[n++].sha, mac_none, 6);
	bad[n++].sip = ip("127.0.0.1");
	bad[n++].sip = ip("224.0.0.1");
	bad[n++].sip = ip("255.255.255.255");
	bad[n++].sip = ip("10.0.0.255");
	sleep_s(3);
	drain(self->wire);
	for (len = ETH_HLEN; len < sizeof(good); len++)
		ASSERT_EQ(0, send_frame(self->wire, &good, len));
	for (i = 0; i < n; i++)
		ASSERT_EQ(0, send_frame(self->wire, &bad[i], sizeof(bad[i])));
	EXPECT_FALSE(next_arp(self->wire, QUIET_MS, &f));
	EXPECT_EQ(0, neigh_count(&self->r));
	ASSERT_EQ(0, send_frame(self->wire, &good, sizeof(good)));
	EXPECT_TRUE(next_arp(self->wire, 2000, &f));
}

/* RFC 5227 2.4: another host with our address makes no entry; it is told, not too often */
TEST_F_TIMEOUT(arp, conflict_is_defended, 60)
{
	struct arp_frame q = arp(ARPOP_REQUEST, mac_b, "10.0.0.2", "10.0.0.2"), f;

	sleep_s(3);
	drain(self->wire);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	EXPECT_FALSE(next_arp(self->wire, QUIET_MS, &f));	/* announced 3 s ago */
	sleep_s(10);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	ASSERT_TRUE(next_arp(self->wire, 2000, &f));
	EXPECT_EQ(ip("10.0.0.2"), f.sip);
	EXPECT_EQ(ip("10.0.0.2"), f.tip);
	EXPECT_FALSE(next_arp(self->wire, QUIET_MS, &f));
	EXPECT_EQ(0, neigh_count(&self->r));
}

/* what was set by hand is not changed by packets */
TEST_F(arp, static_entry_stays)
{
	struct arp_frame q = arp(ARPOP_REQUEST, mac_c, "10.0.0.1", "10.0.0.1");
	uint8_t ha[6];

	ASSERT_EQ(0, neigh_add(&self->r, "va", "10.0.0.1", mac_b, NUD_PERMANENT));
	sleep_s(1.2);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	q = arp(ARPOP_REPLY, mac_c, "10.0.0.1", "10.0.0.2");
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	sleep_s(0.3);
	EXPECT_EQ(NUD_PERMANENT, neigh_get(&self->r, "va", "10.0.0.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac_b, 6));
}

/* a sender that is not on the link gets its answer, and no entry */
TEST_F(arp, sender_off_link)
{
	struct arp_frame q = arp(ARPOP_REQUEST, mac_b, "192.168.9.9", "10.0.0.2"), f;

	drain(self->wire);
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	EXPECT_TRUE(next_arp(self->wire, 2000, &f));
	EXPECT_EQ(0, neigh_count(&self->r));
}

/* requests in the names of 4000 hosts: the table keeps its limit, and works */
TEST_F_TIMEOUT(arp, flood_is_bounded, 120)
{
	struct arp_frame q, f;
	uint8_t ha[6];
	int i;

	ASSERT_EQ(0, addr_add(&self->r, "va", "10.1.0.2", 16));
	for (i = 0; i < 4000; i++) {
		q = arp(ARPOP_REQUEST, mac_b, "0.0.0.0", "10.1.0.2");
		q.sip = htonl(0x0a010100 + i);
		ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
		if (i % 64 == 0)
			sleep_s(0.01);
		drain(self->wire);
	}
	sleep_s(0.5);
	EXPECT_LE(neigh_count(&self->r), 1024);
	EXPECT_GE(neigh_count(&self->r), 900);
	drain(self->wire);
	q = arp(ARPOP_REQUEST, mac_c, "10.1.250.1", "10.1.0.2");
	ASSERT_EQ(0, send_frame(self->wire, &q, sizeof(q)));
	EXPECT_TRUE(next_arp(self->wire, 2000, &f));
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.1.250.1", ha));
	EXPECT_EQ(0, memcmp(ha, mac_c, 6));
}

/* resolving a thousand absent hosts fills the table; then it says so, and recovers */
TEST_F_TIMEOUT(arp, full_table, 120)
{
	char addr[32];
	int i, full = 0, err;

	ASSERT_EQ(0, addr_add(&self->r, "va", "10.1.0.2", 16));
	for (i = 0; i < 1200; i++) {
		snprintf(addr, sizeof(addr), "10.1.%d.%d", 1 + i / 250, 1 + i % 250);
		err = neigh_use(&self->r, "va", addr);
		if (err == -ENOBUFS)
			full++;
		else
			ASSERT_EQ(0, err);
	}
	EXPECT_LE(neigh_count(&self->r), 1024);
	sleep_s(10);
	EXPECT_EQ(0, neigh_use(&self->r, "va", "10.1.200.1"));
}

static uint32_t sum_add(uint32_t sum, const void *data, int len)
{
	const uint8_t *p = data;
	int i;

	for (i = 0; i < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	return sum;
}

static uint16_t sum_end(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return htons(~((sum & 0xffff) + (sum >> 16)));
}

/* a SYN from @from to 10.0.0.2 */
static int send_syn(int fd, const char *from)
{
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		struct tcphdr tcp;
	} __attribute__((packed)) f = {
		.eth.h_proto = htons(ETH_P_IP),
		.ip = { .version = 4, .ihl = 5, .tot_len = htons(40), .ttl = 64,
			.protocol = IPPROTO_TCP, .saddr = ip(from), .daddr = ip("10.0.0.2") },
		.tcp = { .source = htons(1000), .dest = htons(5000), .doff = 5, .syn = 1,
			 .window = htons(1000) },
	};

	memcpy(f.eth.h_dest, mac_a, 6);
	memcpy(f.eth.h_source, mac_b, 6);
	f.ip.check = sum_end(sum_add(0, (char *)&f + 14, 20));
	f.tcp.check = sum_end(sum_add(IPPROTO_TCP + 20, (char *)&f + 26, 28));
	return send_frame(fd, &f, sizeof(f));
}

/* half-open requests in the names of absent hosts do not keep the table full (RFC 4987 2) */
TEST_F_TIMEOUT(arp, half_open, 60)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(5000) };
	int lfd = socket(TEST_FAMILY, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char addr[32];
	int i;

	ASSERT_EQ(0, bind(lfd, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_EQ(0, listen(lfd, 64));
	ASSERT_EQ(0, run("echo 16 > /proc/sys/net/strata/neigh_gc_thresh3"));
	for (i = 0; i < 20; i++) {
		snprintf(addr, sizeof(addr), "10.0.0.%d", 100 + i);
		ASSERT_EQ(0, send_syn(self->wire, addr));
	}
	sleep_s(0.2);
	EXPECT_EQ(-ENOBUFS, neigh_use(&self->r, "va", "10.0.0.77"));
	/* the SYN-ACKs of the 7th second have failed, those of the 15th are to come */
	sleep_s(12);
	EXPECT_EQ(0, neigh_use(&self->r, "va", "10.0.0.77"));
	close(lfd);
}

/* sockets that hold entries, and need no answer for them, keep nobody from new ones */
TEST_F(arp, held_entries_give_way)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd[20], i;

	ASSERT_EQ(0, run("echo 16 > /proc/sys/net/strata/neigh_gc_thresh3"));
	for (i = 0; i < 20; i++) {
		fd[i] = socket(TEST_FAMILY, SOCK_DGRAM, 0);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, setsockopt(fd[i], SOL_SOCKET, SO_BINDTODEVICE, "va", 3));
		sin.sin_addr.s_addr = htonl(0xe1000100 + i);
		ASSERT_EQ(0, connect(fd[i], (struct sockaddr *)&sin, sizeof(sin)));
		ASSERT_EQ(1, send(fd[i], "x", 1, 0));
	}
	EXPECT_EQ(0, neigh_use(&self->r, "va", "10.0.0.77"));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(1, send(fd[i], "x", 1, 0));
		close(fd[i]);
	}
}

/* a tag of another VLAN is not for us, VLAN 0 is only a priority (IEEE 802.1Q) */
/* RFC 1122 2.3.2: addresses that nobody has do not cost those that are in use theirs */
TEST_F_TIMEOUT(arp, flood_spares_the_used, 120)
{
	struct arp_frame hello = arp(ARPOP_REQUEST, mac_b, "10.0.0.1", "10.0.0.2"), f;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	int live = socket(TEST_FAMILY, SOCK_DGRAM, 0), flood = socket(TEST_FAMILY, SOCK_DGRAM, 0);
	int i, asked = 0, failed = 0;

	ASSERT_EQ(0, run("echo 16 > /proc/sys/net/strata/neigh_gc_thresh3"));
	sin.sin_addr.s_addr = ip("10.0.0.1");
	ASSERT_EQ(0, connect(live, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_EQ(0, send_frame(self->wire, &hello, sizeof(hello)));
	for (i = 0; i < 130; i++) {
		failed += send(live, "x", 1, 0) != 1;
		/* for the first seven seconds nothing else, so that the entry is no new one */
		if (i >= 70) {
			sin.sin_addr.s_addr = htonl(0x0a000000 + 20 + i % 60);
			sendto(flood, "x", 1, 0, (struct sockaddr *)&sin, sizeof(sin));
		}
		/* the peer answers who asks for it alone */
		while (next_arp(self->wire, 0, &f)) {
			if (f.op != htons(ARPOP_REQUEST) || f.tip != ip("10.0.0.1"))
				continue;
			asked += i >= 70 && !memcmp(f.dst, mac_all, 6);
			f = arp(ARPOP_REPLY, mac_b, "10.0.0.1", "10.0.0.2");
			ASSERT_EQ(0, send_frame(self->wire, &f, sizeof(f)));
		}
		usleep(100000);
	}
	EXPECT_EQ(0, failed);
	EXPECT_EQ(0, asked);
	close(live);
	close(flood);
}

TEST_F(arp, vlan_tags)
{
	const struct arp_frame q = arp(ARPOP_REQUEST, mac_b, "10.0.0.1", "10.0.0.2");
	uint8_t tagged[sizeof(q) + 4];
	struct arp_frame f;

	memcpy(tagged, &q, 12);
	memcpy(tagged + 12, (uint8_t[]){ 0x81, 0, 0, 5 }, 4);
	memcpy(tagged + 16, (const char *)&q + 12, sizeof(q) - 12);
	sleep_s(3);
	drain(self->wire);
	ASSERT_EQ(0, send_frame(self->wire, tagged, sizeof(tagged)));
	EXPECT_FALSE(next_arp(self->wire, QUIET_MS, &f));
	tagged[15] = 0;
	tagged[14] = 0x60;
	ASSERT_EQ(0, send_frame(self->wire, tagged, sizeof(tagged)));
	EXPECT_TRUE(next_arp(self->wire, 2000, &f));
}

/* stale entries nobody uses go after gc_stale (60 s), static ones stay */
TEST_F_TIMEOUT(arp, unused_entries_go, 200)
{
	const char *machine = getenv("STRATA_MACHINE");

	if (!machine || strcmp(machine, "sim"))
		SKIP(return, "waits for 90 s: only where time is virtual");
	ASSERT_EQ(0, neigh_add(&self->r, "va", "10.0.0.1", mac_b, NUD_STALE));
	ASSERT_EQ(0, neigh_add(&self->r, "va", "10.0.0.9", mac_b, NUD_PERMANENT));
	sleep_s(50);
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.0.0.1", NULL));
	sleep_s(40);
	EXPECT_EQ(-ENOENT, neigh_get(&self->r, "va", "10.0.0.1", NULL));
	EXPECT_EQ(NUD_PERMANENT, neigh_get(&self->r, "va", "10.0.0.9", NULL));
}

/* REACHABLE lasts 15 to 45 s (RFC 4861 6.3.2) and then is STALE */
TEST_F_TIMEOUT(arp, reachable_ends, 200)
{
	const char *machine = getenv("STRATA_MACHINE");

	if (!machine || strcmp(machine, "sim"))
		SKIP(return, "waits for 50 s: only where time is virtual");
	ASSERT_EQ(0, neigh_add(&self->r, "va", "10.0.0.1", mac_b, NUD_REACHABLE));
	sleep_s(14);
	EXPECT_EQ(NUD_REACHABLE, neigh_get(&self->r, "va", "10.0.0.1", NULL));
	sleep_s(36);
	EXPECT_EQ(NUD_STALE, neigh_get(&self->r, "va", "10.0.0.1", NULL));
}

/* the link address of the device changes: announced anew (kept headers: arp_change.c) */
TEST_F(arp, own_link_address_changes)
{
	struct pollfd p = { .fd = self->wire, .events = POLLIN };
	uint8_t fresh[6] = { 2, 0, 0, 0, 0, 0x1a };
	struct arp_frame f;
	int seen = 0;

	sleep_s(3);
	drain(self->wire);
	ASSERT_EQ(0, run("ip link set va address 02:00:00:00:00:1a"));
	while (poll(&p, 1, 2500) > 0 && recv(self->wire, &f, sizeof(f), 0) > 0)
		if (!memcmp(f.sha, fresh, 6) && f.sip == ip("10.0.0.2") && f.tip == f.sip)
			seen++;
	EXPECT_EQ(2, seen);
}

/* a bond that fails over is behind another port of the switch now: it says so */
TEST_F_TIMEOUT(arp, announced_when_a_bond_fails_over, 60)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP) };
	struct arp_frame f = { };
	int wire;

	if (run("ip link add bo address 02:00:00:00:00:0a type bond mode active-backup"))
		SKIP(return, "this kernel has no bonding");
	ASSERT_EQ(0, run("ip link add vc type veth peer name vd netns /proc/self/fd/%d && "
			 "ip link add wa type veth peer name wb netns /proc/self/fd/%d && "
			 "ip link set vc master bo && ip link set wa master bo && ip link set bo up && "
			 "nsenter --net=/proc/self/fd/%d sh -c 'ip link set vd up; ip link set wb up'",
			 self->b, self->b, self->b));
	ASSERT_EQ(0, addr_add(&self->r, "bo", "10.5.0.2", 24));
	ASSERT_EQ(0, setns(self->b, CLONE_NEWNET));
	wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ARP));
	ll.sll_ifindex = if_nametoindex("wb");
	ASSERT_EQ(0, bind(wire, (struct sockaddr *)&ll, sizeof(ll)));
	ASSERT_EQ(0, setns(self->a, CLONE_NEWNET));
	sleep_s(4);	/* the announcements of the new address are over */
	drain(wire);
	ASSERT_EQ(0, run("ip link set bo type bond active_slave wa"));
	while (f.sip != ip("10.5.0.2"))
		ASSERT_TRUE(next_arp(wire, 3000, &f));
	EXPECT_EQ(f.sip, f.tip);
	close(wire);
}

TEST_HARNESS_MAIN
