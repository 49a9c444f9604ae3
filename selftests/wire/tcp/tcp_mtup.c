// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packetization layer path MTU discovery (RFC 4821): paths that lose what is large and tell
 * nobody, and probes that look for more.
 */
#include "wire.h"

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info;
}

/* ---- black holes ---- */

/* the next retransmission of @seq that is not @old octets long within @ms: its length, 0: none */
static unsigned int next_size(unsigned int seq, unsigned int old, int ms)
{
	double end = now_s() + ms / 1000.0;
	struct wseg s;

	while (w_next((end - now_s()) * 1000, &s))
		if (s.seq != seq || s.len != old)
			return s.seq == seq ? s.len : 0;
	return 0;
}

CASE(black_hole_off, "RFC 4821 7.7, tcp_mtu_probing 0: segments stay as they are")
{
	int fd = w_passive(self->lfd, "mss 1460");

	LONG(20);
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_EQ(0, next_size(1, 1460, 20000));
	ASSERT_EQ(1460, info_of(fd).tcpi_snd_mss);
}

CASE(black_hole, "RFC 4821 7.7, tcp_mtu_probing 1: timeouts in a row, and smaller ones go")
{
	int fd;

	LONG(10);
	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "1"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 2920);
	out("A 1+1460");
	out("PA 1461+1460");
	/* tcp_retries1: 3 timeouts from the smallest RTO on are 3 s */
	quiet(190);
	out_within(100, "A 1+1460");
	ASSERT_EQ(1024, next_size(1, 1460, 10000));
	ASSERT_EQ(1024, info_of(fd).tcpi_snd_mss);
	in("A 1 ack 1025");
	out("A 1025+436");
	out("A 1461+1024");
	in("A 1 ack 2485");
	out("PA 2485+436");
	in("A 1 ack 2921");
	put(fd, 2048);
	out("A 2921+1024");
	out("PA 3945+1024");
}

CASE(black_hole_r1,
     "RFC 9293 3.8.3 (SHLD-10), RFC 1122 4.2.3.5: not before R1: three retransmissions")
{
	int fd, n = 0;
	struct wseg s;

	LONG(10);
	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "1"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	while (w_next(10000, &s) && s.len == 1460)
		n++;
	ASSERT_EQ(1024, s.len);
	ASSERT_LE(3, n);
}

CASE(black_hole_timestamps, "RFC 4821 7.7, RFC 6691: the options are in the packet too")
{
	int fd;

	LONG(10);
	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "1"));
	ASSERT_TRUE(w_sysctl("tcp_base_mss", "512"));
	fd = w_passive(self->lfd, "mss 1460 ts");
	ASSERT_LE(0, fd);
	put(fd, 1448);
	out("PA 1+1448");
	ASSERT_EQ(512, next_size(1, 1448, 10000));
}

CASE(black_hole_halves, "RFC 4821 7.7, tcp_mtu_probe_floor: smaller still, down to a floor")
{
	static const unsigned int size[] = { 1024, 512, 256, 200 };
	unsigned int last = 1460, i, len;
	int fd;

	LONG(60);
	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "1"));
	ASSERT_TRUE(w_sysctl("tcp_mtu_probe_floor", "200"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	for (i = 0; i < 4; i++) {
		len = next_size(1, last, 60000);
		ASSERT_EQ(size[i], len);
		last = len;
	}
	ASSERT_EQ(0, next_size(1, last, 120000));
}

CASE(black_hole_least, "RFC 4821 7.7, tcp_min_snd_mss: no segment is smaller than that")
{
	int fd;

	LONG(30);
	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "1"));
	ASSERT_TRUE(w_sysctl("tcp_min_snd_mss", "600"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	ASSERT_EQ(1024, next_size(1, 1460, 20000));
	ASSERT_EQ(600, next_size(1, 1024, 20000));
	ASSERT_EQ(0, next_size(1, 600, 60000));
}

/* ---- probes ---- */

/* a connection we opened, with room for all that a case writes */
static int opened(const char *opts)
{
	/* where time is real no timeout is near */
	int fd = w_active_rtt(w.sim ? 0 : 500, opts);

	/* nor do probes of the tail come in between */
	return fd < 0 || !w_sysctl("tcp_early_retrans", "0") || w_set(fd, SOL_SOCKET, SO_SNDBUF, 200000) ? -1 : fd;
}

/*
 * With tcp_mtu_probing 2 segments begin at 1024 octets; the first ten are acknowledged, so
 * that the window has room for a probe: of (1076 + 1500) / 2 less the headers. The socket, which
 * has much more to send
 */
static int probing(const char *opts)
{
	int fd, i;

	if (!w_sysctl("tcp_mtu_probing", "2"))
		return -1;
	fd = opened(opts);
	if (fd < 0 || info_of(fd).tcpi_snd_mss != 1024 || w_put(fd, 100000, 0) != 100000)
		return -1;
	for (i = 0; i < 10; i++)
		if (!w_out(-1, "A %u+1024", 1 + i * 1024))
			return -1;
	return w_in("A 1 ack 10241") ? fd : -1;
}

/* what comes now are full segments of @mss from w.seen on, until nothing does for @ms */
static int full_segments_until(int ms, unsigned int mss)
{
	unsigned int seq = w.seen;
	struct wseg s;
	int n = 0;

	while (w_next(ms, &s)) {
		if (s.seq != seq || s.len != mss) {
			w_say("not a full segment: ", &s);
			return -1;
		}
		seq += mss;
		n++;
	}
	return n;
}

static int full_segments(unsigned int mss)
{
	return full_segments_until(100, mss);
}

/* the rest of what is sent now, without a look at it */
static void drain(void)
{
	struct wseg s;

	while (w_next(100, &s))
		;
}

CASE(base, "RFC 4821 7.2, tcp_mtu_probing 2: segments begin at tcp_base_mss")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "2"));
	ASSERT_TRUE(w_sysctl("tcp_base_mss", "700"));
	fd = w_active("mss 1460 ts");
	ASSERT_LE(0, fd);
	put(fd, 1400);
	out("A 1+700");
	out("PA 701+700");
}

CASE(base_peer, "RFC 4821 7.2: a peer that takes less has less")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "2"));
	fd = w_active("mss 600");
	ASSERT_LE(0, fd);
	put(fd, 600);
	out("PA 1+600");
}

CASE(base_no_timestamps, "RFC 4821 7.2: base is what the segments carry")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "2"));
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	if (NATIVE("counts the timestamps that its SYN offered and the peer did not take: 1036"))
		return;
	put(fd, 2048);
	out("A 1+1024");
	out("PA 1025+1024");
}

CASE(base_passive, "RFC 4821 7.2: the side that was asked begins with no more")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "2"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	if (NATIVE("prepares the search, but looks at it only when the path MTU changes or a probe "
		   "arrives"))
		return;
	put(fd, 2048);
	out("A 1+1024");
	out("PA 1025+1024");
}

CASE(probe, "RFC 4821 7.3, 7.6.1: one larger segment; it arrives, and all are as large")
{
	int fd = probing("mss 1460 ts sackok");
	long good = w_counted("TCPMTUPSuccess");

	ASSERT_LE(0, fd);
	out_within(100, "A 10241+1236");
	/* it counts as two of the twenty */
	ASSERT_EQ(18, full_segments(1024));
	ASSERT_EQ(1024, info_of(fd).tcpi_snd_mss);
	in("A 1 ack 11477");
	ASSERT_EQ(1236, info_of(fd).tcpi_snd_mss);
	ASSERT_EQ(good + 1, w_counted("TCPMTUPSuccess"));
	ASSERT_EQ(0, w_counted("TCPMTUPFail"));
	in("A 1 ack %u", w.seen);
	/* (1288 + 1500) / 2 */
	out_within(100, "A %u+1342", w.seen);
	out("A %u+1236", w.seen);
	out("A %u+1236", w.seen);
	drain();
	in("A 1 ack %u", w.seen);
	ASSERT_EQ(1342, info_of(fd).tcpi_snd_mss);
}

CASE(probe_window, "RFC 4821 7.6.1: the congestion window stays as many bytes")
{
	int fd = probing("mss 1460 ts sackok");
	unsigned int before;

	ASSERT_LE(0, fd);
	out_within(100, "A 10241+1236");
	ASSERT_EQ(18, full_segments(1024));
	before = info_of(fd).tcpi_snd_cwnd;
	in("A 1 ack 11477");
	/* and slow start adds the one that was acknowledged */
	ASSERT_EQ(before * 1076 / 1288 + 1, info_of(fd).tcpi_snd_cwnd);
}

CASE(probe_lost, "RFC 4821 7.6.2: the probe alone is lost: no congestion; its data in smaller ones")
{
	int fd = probing("mss 1460 ts sackok");
	struct tcp_info before;

	ASSERT_LE(0, fd);
	out_within(100, "A 10241+1236");
	before = info_of(fd);
	ASSERT_EQ(18, full_segments(1024));
	in("A 1 ack 10241 sack 11477-14555");
	out("A 10241+1024");
	out("A 11265+212");
	ASSERT_EQ(1, w_counted("TCPMTUPFail"));
	ASSERT_EQ(0, w_counted("TCPMTUPSuccess"));
	ASSERT_EQ(1024, info_of(fd).tcpi_snd_mss);
	ASSERT_EQ(before.tcpi_snd_ssthresh, info_of(fd).tcpi_snd_ssthresh);
	ASSERT_LE(before.tcpi_snd_cwnd + 1, info_of(fd).tcpi_snd_cwnd);
	drain();
	in("A 1 ack %u", w.seen);
	/* (1076 + 1287) / 2 */
	out_within(100, "A %u+1129", w.seen);
}

CASE(probe_lost_dupacks, "RFC 4821 7.6.2: the same without SACK")
{
	int fd = probing("mss 1460 ts"), i;
	uint32_t ssthresh;
	struct wseg s;

	ASSERT_LE(0, fd);
	out_within(100, "A 10241+1236");
	ssthresh = info_of(fd).tcpi_snd_ssthresh;
	ASSERT_EQ(18, full_segments(1024));
	for (i = 0; i < 3; i++)
		in("A 1 ack 10241");
	/* limited transmit (RFC 3042) before it */
	while (w_next(100, &s) && s.seq != 10241)
		;
	ASSERT_EQ(10241, s.seq);
	ASSERT_EQ(1024, s.len);
	ASSERT_EQ(1, w_counted("TCPMTUPFail"));
	ASSERT_EQ(ssthresh, info_of(fd).tcpi_snd_ssthresh);
}

CASE(probe_doubtful, "RFC 4821 7.6.4: all is lost, the probe with it: no verdict")
{
	int fd = probing("mss 1460 ts sackok");
	struct wseg s;

	ASSERT_LE(0, fd);
	out_within(100, "A 10241+1236");
	ASSERT_EQ(18, full_segments(1024));
	out_within(w.sim ? 300 : 2000, "A 10241+1024");
	drain();
	in("A 1 ack %u", w.seen);
	ASSERT_EQ(1024, info_of(fd).tcpi_snd_mss);
	ASSERT_EQ(0, w_counted("TCPMTUPSuccess"));
	ASSERT_EQ(0, w_counted("TCPMTUPFail"));
	/* and once all is well again the same size is tried */
	while (w_next(300, &s) && s.len <= 1024)
		in("A 1 ack %u", w.seen);
	ASSERT_EQ(1236, s.len);
}

CASE(probe_icmp, "RFC 4821 7.6.2, RFC 1191 6.4: a router names the size: it ends the search there")
{
	int fd = probing("mss 1460 ts sackok");

	ASSERT_LE(0, fd);
	out_within(100, "A 10241+1236");
	ASSERT_EQ(18, full_segments(1024));
	ASSERT_TRUE(w_icmp(3, 4, 1200, 10241));
	out("A 10241+1024");
	in("A 1 ack 11265");
	out("A 11265+212");
	ASSERT_EQ(1024, info_of(fd).tcpi_snd_mss);
	drain();
	in("A 1 ack %u", w.seen);
	/* (1076 + 1200) / 2 */
	out_within(100, "A %u+1086", w.seen);
}

CASE(probe_threshold, "RFC 4821 7.3, tcp_probe_threshold: not for so little")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_probe_threshold", "425"));
	fd = probing("mss 1460 ts sackok");
	ASSERT_LE(0, fd);
	ASSERT_LE(19, full_segments(1024));
}

CASE(probe_data, "RFC 4821 7.4: only with enough behind it to show that it is lost")
{
	int fd, i;

	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "2"));
	fd = opened("mss 1460 ts sackok");
	ASSERT_LE(0, fd);
	put(fd, 10240);
	for (i = 0; i < 10; i++)
		out("%s %u+1024", i < 9 ? "A" : "PA", 1 + i * 1024);
	in("A 1 ack 10241");
	/* a probe and four segments are 5332 */
	put(fd, 5331);
	out_within(100, "A 10241+1024");
	for (i = 1; i < 5; i++)
		out_within(100, "A %u+1024", 10241 + i * 1024);
	out_within(100, "PA 15361+211");
	in("A 1 ack 15572");
	put(fd, 5332);
	out_within(100, "A 15572+1236");
}

CASE(probe_peer_window, "RFC 4821 7.4: and if the peer's window has room for all that")
{
	int fd, i;

	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "2"));
	fd = opened("mss 1460 ts sackok");
	ASSERT_LE(0, fd);
	put(fd, 30000);
	for (i = 0; i < 10; i++)
		out("A %u+1024", 1 + i * 1024);
	in("A 1 ack 10241 win 5120");
	for (i = 0; i < 5; i++)
		out_within(100, "A %u+1024", 10241 + i * 1024);
	in("A 1 ack 15361 win 5332");
	out_within(300, "A 15361+1236");
}

CASE(probe_not_amid_losses, "RFC 4821 7.4 (MUST): none while something is lost")
{
	uint32_t una;
	struct wseg s;
	int fd, n;

	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "2"));
	ASSERT_TRUE(w_sysctl("tcp_probe_threshold", "1000"));
	fd = opened("mss 1460 ts sackok");
	ASSERT_LE(0, fd);
	ASSERT_EQ(150000, w_put(fd, 150000, 0));
	/* a window that has room for a probe even when it has shrunk: forty segments */
	for (n = 0; n < 2; n++) {
		drain();
		in("A 1 ack %u", w.seen);
	}
	una = w.seen;
	drain();
	ASSERT_EQ(una + 40 * 1024, w.seen);
	ASSERT_TRUE(w_sysctl("tcp_probe_threshold", "8"));
	in("A 1 ack %u sack %u-%u", una, una + 1024, una + 21 * 1024);
	for (n = 0; w_next(20, &s); n++)
		ASSERT_GE(1024, s.len);
	ASSERT_LE(5, n);
	ASSERT_LT(11, info_of(fd).tcpi_snd_cwnd);
	in("A 1 ack %u", w.seen);
	while (w_next(300, &s) && s.len <= 1024)
		in("A 1 ack %u", w.seen);
	ASSERT_EQ(1236, s.len);
}

CASE(probe_alone, "RFC 4821 7.4 (MUST): none beside another, however much is acknowledged")
{
	int fd = probing("mss 1460 ts sackok");
	struct wseg s;
	int n = 0;

	ASSERT_LE(0, fd);
	out_within(100, "A 10241+1236");
	/* well before it times out */
	ASSERT_EQ(18, full_segments_until(10, 1024));
	/* all but the probe */
	in("A 1 ack 10241 sack 11477-12501");
	while (w_next(20, &s)) {
		ASSERT_GE(1024, s.len);
		n++;
	}
	ASSERT_LE(1, n);
}

CASE(probe_gathers, "RFC 4821 7.4: from as many writes as it takes, never across MSG_EOR")
{
	int fd, i;

	ASSERT_TRUE(w_sysctl("tcp_mtu_probing", "2"));
	ASSERT_TRUE(w_sysctl("tcp_autocorking", "0"));
	fd = opened("mss 1460 ts sackok");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NODELAY, 1));
	put(fd, 10240);
	for (i = 0; i < 20; i++)
		ASSERT_EQ(500, w_put(fd, 500, MSG_EOR));
	for (i = 0; i < 10; i++)
		out("%s %u+1024", i < 9 ? "A" : "PA", 1 + i * 1024);
	in("A 1 ack 10241");
	out_within(100, "A 10241+500");
}

CASE(probe_df, "RFC 4821 9, RFC 1191 2: a probe must not be fragmented on its way")
{
	int fd = probing("mss 1460 ts sackok");
	struct pkt p;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(pkt_next(w.tun, 100, &p));
	ASSERT_EQ(1288, p.len);
	ASSERT_EQ(htons(0x4000), p.ip.frag_off & htons(0x6000));
}

CASE(reprobe, "RFC 4821 7.3, tcp_probe_interval: the path may have changed")
{
	struct wseg s;
	int fd, n;

	LONG(40);
	ASSERT_TRUE(w_sysctl("tcp_probe_threshold", "300"));
	ASSERT_TRUE(w_sysctl("tcp_probe_interval", "30"));
	fd = probing("mss 1460 ts sackok");
	ASSERT_LE(0, fd);
	out_within(100, "A 10241+1236");
	ASSERT_EQ(18, full_segments(1024));
	in("A 1 ack 10241 sack 11477-%u", w.seen);
	out("A 10241+1024");
	out("A 11265+212");
	/* 1076 to 1287 is less than the threshold: no more of them */
	for (n = 0; n < 3; n++) {
		while (w_next(100, &s))
			ASSERT_GE(1024, s.len);
		in("A 1 ack %u", w.seen);
	}
	drain();
	in("A 1 ack %u", w.seen);
	sleep_s(31);
	/* the range is looked at anew with the next segment */
	ASSERT_EQ(60000, w_put(fd, 60000, 0));
	while (w_next(100, &s) && s.len <= 1024)
		in("A 1 ack %u", w.seen);
	ASSERT_EQ(1236, s.len);
}

TEST_HARNESS_MAIN
