// SPDX-License-Identifier: GPL-2.0-only
/*
 * What struct tcp_info counts and measures, a case for each member or two that no other test
 * reads: segments, octets, the scoreboard, timeouts, windows, sizes, rates.
 */
#include "wire.h"

/* struct tcp_info of linux/tcp.h, which cannot stand beside libc's */
struct values {
	uint8_t state, ca_state, retransmits, probes, backoff, options, wscales, flags;
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_time;
	socklen_t len;		/* octets that there are */
};

_Static_assert(offsetof(struct values, pacing_rate) == 104, "layout of linux/tcp.h");
_Static_assert(offsetof(struct values, total_rto_time) == 244, "layout of linux/tcp.h");

static struct values info(int fd)
{
	struct values v = { };

	v.len = offsetof(struct values, len);
	if (getsockopt(fd, SOL_TCP, TCP_INFO, &v, &v.len))
		v.len = 0;
	return v;
}

/* what 6.1 does not know */
#define NEED(fd, member)						\
	do {								\
		if (info(fd).len < offsetof(struct values, member) + sizeof(info(fd).member)) \
			SKIP(return, "this kernel has no tcpi_" #member); \
	} while (0)

#define IS(want, fd, member)	ASSERT_EQ(want, info(fd).member)

static bool near(uint64_t is, uint64_t want, uint64_t slack)
{
	if (is + slack >= want && is <= want + slack)
		return true;
	fprintf(stderr, "# %llu, expected about %llu\n", (unsigned long long)is,
		(unsigned long long)want);
	return false;
}

/* µs, ms of a time; the wheel's ticks and real machines are not exact */
#define US(want_ms, fd, member) \
	ASSERT_TRUE(near(info(fd).member, (want_ms) * 1000, w.sim ? 8000 : 150000))
#define MS(want_ms, fd, member)	ASSERT_TRUE(near(info(fd).member, want_ms, \
					 w.sim ? 20 + (want_ms) / 10 : 450))

/* a peer @ms away; no tail loss probes */
static int passive(int lfd, const char *opts, int ms)
{
	struct wseg s;

	w.ts = false;
	if (!w_sysctl("tcp_early_retrans", "0") || !w_in("S 0 mss 1000 %s", opts) ||
	    !w_next(1000, &s) || s.flags != 0x12)
		return -1;
	sleep_s(ms / 1000.0);
	return w_in("A 1 ack 1") ? w_accept(lfd) : -1;
}

/* @n segments of 1000 octets leave */
static bool flight(int fd, int n)
{
	uint32_t at = w.put + 1;
	int i;

	if (w_put(fd, n * 1000, 0) != n * 1000)
		return false;
	for (i = 0; i < n; i++)
		if (!w_out(-50, "A %u+1000", at + i * 1000))
			return false;
	return true;
}

CASE(segments, "RFC 4898 4.1: tcpi_segs_out, _segs_in, _data_segs_out, _data_segs_in")
{
	int fd = w_active("mss 1460");

	ASSERT_LE(0, fd);
	IS(2, fd, segs_out);		/* SYN, ACK */
	IS(1, fd, segs_in);
	IS(0, fd, data_segs_out);
	IS(0, fd, data_segs_in);
	put(fd, 2920);
	out("A 1+1460");
	out("PA 1461+1460");
	in("A 1 ack 2921");
	in("PA 1+10");
	out_within(200, "A 2921 ack 11");
	IS(5, fd, segs_out);
	IS(3, fd, segs_in);
	IS(2, fd, data_segs_out);
	IS(1, fd, data_segs_in);
}

CASE(segments_passive, "RFC 4898 4.1: the same of who is connected to")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct values v;

	ASSERT_LE(0, fd);
	v = info(fd);
	in("PA 1+10");
	out_within(200, "A 1 ack 11");
	put(fd, 10);
	out("PA 1+10");
	in("A 11 ack 11");
	ASSERT_EQ(v.segs_out + 2, info(fd).segs_out);
	ASSERT_EQ(v.segs_in + 2, info(fd).segs_in);
	IS(1, fd, data_segs_out);
	IS(1, fd, data_segs_in);
}

CASE(segments_fin, "RFC 4898 4.1: a FIN alone is no data in tcpi_data_segs_out, one behind data is")
{
	int fd = passive(self->lfd, "", 0);

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11");
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	out("FA 11 ack 1");
	IS(1, fd, data_segs_out);
	out_within(400, "FA 11 ack 1");		/* again */
	IS(1, fd, data_segs_out);
}

/* OutSegs of the case's namespace */
static long out_segs(void)
{
	FILE *f = fopen(w.native ? "/proc/net/snmp" : "/proc/net/strata/snmp", "r");
	char line[512];
	long n = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Tcp: %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %ld", &n);
	if (f)
		fclose(f);
	return n;
}

CASE(out_segs, "RFC 4022: tcpOutSegs is without segments of retransmitted octets alone")
{
	int fd = passive(self->lfd, "", 0);
	long n;

	ASSERT_LE(0, fd);
	n = out_segs();
	ASSERT_LT(0, n);
	ASSERT_TRUE(flight(fd, 2));
	ASSERT_EQ(n + 2, out_segs());
	out_within(400, "A 1+1000");		/* again */
	ASSERT_EQ(n + 2, out_segs());
	in("PA 1+10 ack 2001");
	out_within(200, "A 2001 ack 11");
	ASSERT_EQ(n + 3, out_segs());
}

CASE(out_segs_syn, "RFC 4022: of a SYN only the first is in tcpOutSegs")
{
	int fd = w_socket();
	long n = out_segs();
	struct wseg s;

	ASSERT_LE(0, n);
	ASSERT_TRUE(w_connect(fd));
	ASSERT_TRUE(w_next(1000, &s));
	ASSERT_TRUE(w_next(2000, &s));
	ASSERT_EQ(0x02, s.flags & 0x3f);
	ASSERT_EQ(n + 1, out_segs());
	close(fd);
}

/* what SO_MEMINFO says of segments dropped */
static int dropped(int fd)
{
	uint32_t mem[9] = { 0 };
	socklen_t len = sizeof(mem);

	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len) ? -1 : (int)mem[8];
}

CASE(drops, "RFC 9293 3.10.7.4, sock_diag(7) SK_MEMINFO_DROPS, TCPOFOMerge: copies of data count")
{
	int fd = passive(self->lfd, "", 0);

	ASSERT_LE(0, fd);
	in("PA 1+100");
	ASSERT_EQ(0, dropped(fd));
	in("PA 1+100");			/* old */
	ASSERT_EQ(1, dropped(fd));
	in("A 201+100");
	in("A 251+50");			/* waits already, */
	ASSERT_EQ(2, dropped(fd));
	ASSERT_EQ(1, w_counted("TCPOFOMerge"));
	in("A 201+200");		/* and is replaced */
	ASSERT_EQ(3, dropped(fd));
	ASSERT_EQ(2, w_counted("TCPOFOMerge"));
	in("A 1001+100 ack 500000");	/* acknowledges what was never sent */
	ASSERT_EQ(4, dropped(fd));
	in("A 101 ack 1");		/* an ACK alone is not dropped */
	ASSERT_EQ(4, dropped(fd));
}

CASE(octets, "RFC 4898 4.1: tcpi_bytes_sent, _bytes_acked, _bytes_received, _bytes_retrans")
{
	int fd = passive(self->lfd, "", 0);
	uint64_t acked;

	ASSERT_LE(0, fd);
	acked = info(fd).bytes_acked;
	ASSERT_TRUE(flight(fd, 2));
	IS(2000, fd, bytes_sent);
	ASSERT_EQ(acked, info(fd).bytes_acked);
	in("A 1 ack 1001");
	ASSERT_EQ(acked + 1000, info(fd).bytes_acked);
	IS(0, fd, bytes_retrans);
	out_within(400, "A 1001+1000");
	IS(3000, fd, bytes_sent);
	IS(1000, fd, bytes_retrans);
	in("PA 1+100 ack 2001");
	in("PA 1+200");
	IS(200, fd, bytes_received);
	in("PA 301+100");
	IS(200, fd, bytes_received);	/* in order */
}

CASE(notsent, "tcp(7) TCP_NOTSENT_LOWAT: tcpi_notsent_bytes, tcpi_unacked")
{
	int fd = passive(self->lfd, "sackok", 0);

	ASSERT_LE(0, fd);
	put(fd, 15000);
	IS(5000, fd, notsent_bytes);
	IS(10, fd, unacked);
	in("A 1 ack 10001");
	IS(0, fd, notsent_bytes);
	IS(5, fd, unacked);
}

CASE(scoreboard, "RFC 6675 2: tcpi_sacked, _lost, _retrans, _total_retrans, _delivered")
{
	int fd = passive(self->lfd, "sackok", 100);
	uint32_t delivered;

	ASSERT_LE(0, fd);
	delivered = info(fd).delivered;
	ASSERT_TRUE(flight(fd, 10));
	IS(0, fd, sacked);
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
	IS(3, fd, sacked);
	IS(1, fd, lost);
	IS(1, fd, retrans);
	IS(1, fd, total_retrans);
	IS(10, fd, unacked);
	IS(3, fd, ca_state);
	ASSERT_EQ(delivered + 3, info(fd).delivered);
	in("A 1 ack 10001");
	IS(0, fd, sacked);
	IS(0, fd, lost);
	IS(0, fd, retrans);
	IS(1, fd, total_retrans);
	IS(0, fd, unacked);
	ASSERT_EQ(delivered + 10, info(fd).delivered);
}

CASE(delivered_syn, "tcp(7) TCP_INFO: the SYN counts as the first that was delivered")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	IS(1, fd, delivered);
}

CASE(delivered_syn_active, "tcp(7) TCP_INFO: the same of who connects")
{
	int fd = w_active("mss 1460");

	ASSERT_LE(0, fd);
	IS(1, fd, delivered);
}

CASE(delivered_ce, "RFC 3168 6.1: tcpi_delivered_ce, what the peer says was marked")
{
	int fd;

	in("SEC 0 mss 1000");
	out("SAE 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(flight(fd, 2));
	in("A 1 ack 1001");
	IS(0, fd, delivered_ce);
	in("AE 1 ack 2001");
	IS(1, fd, delivered_ce);
}

CASE(dsack_dups, "RFC 2883 4: tcpi_dsack_dups; what was sent in vain is in tcpi_delivered, too")
{
	int fd = passive(self->lfd, "sackok", 100);
	unsigned int delivered;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(flight(fd, 10));
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
	in("A 1 ack 4001");
	IS(0, fd, dsack_dups);
	delivered = info(fd).delivered;
	in("A 1 ack 5001 sack 1-1001");
	IS(1, fd, dsack_dups);
	IS(delivered + 2, fd, delivered);
}

CASE(reordering, "RFC 4653, RFC 8985 6.2 step 4: tcpi_reordering, tcpi_reord_seen")
{
	int fd = passive(self->lfd, "sackok", 200);

	ASSERT_LE(0, fd);
	IS(3, fd, reordering);
	ASSERT_TRUE(flight(fd, 10));
	in("A 1 ack 1 sack 7001-8001");
	in("A 1 ack 8001");
	IS(1, fd, reord_seen);
	ASSERT_LT(3, info(fd).reordering);
	ASSERT_GE(8, info(fd).reordering);
}

CASE(min_rtt, "tcp(7) TCP_INFO: tcpi_min_rtt, the least of the last minutes")
{
	int fd = passive(self->lfd, "", 300);

	ASSERT_LE(0, fd);
	US(300, fd, min_rtt);
	ASSERT_TRUE(flight(fd, 1));
	sleep_s(0.1);
	in("A 1 ack 1001");
	US(100, fd, min_rtt);
	ASSERT_TRUE(flight(fd, 1));
	sleep_s(0.15);
	in("A 1 ack 2001");
	US(100, fd, min_rtt);
}

CASE(reordering_most, "RFC 4653, tcp_max_reordering: DupThresh grows no further")
{
	int fd = passive(self->lfd, "sackok", 200);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("tcp_max_reordering", "5"));
	ASSERT_TRUE(flight(fd, 10));
	in("A 1 ack 1 sack 7001-8001");
	in("A 1 ack 8001");
	IS(5, fd, reordering);
}

CASE(reordering_less, "RFC 4653: a timeout where duplicates had no effect: DupThresh was too large")
{
	int fd = passive(self->lfd, "sackok", 200);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("tcp_recovery", "0") && w_no_tail_probe());
	ASSERT_TRUE(flight(fd, 10));
	in("A 1 ack 1 sack 7001-8001");
	in("A 1 ack 8001");
	in("A 1 ack 10001");
	ASSERT_LT(5, info(fd).reordering);
	ASSERT_TRUE(flight(fd, 10));
	sleep_s(0.2);
	in("A 1 ack 10001 sack 11001-16001");
	out_within(1000, "A 10001+1000");
	IS(3, fd, reordering);
}

CASE(pacing_ca, "tcp(7) TCP_INFO, tcp_pacing_ca_ratio: from half of ssthresh on")
{
	int fd = passive(self->lfd, "sackok", 100);
	uint64_t want;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(w_sysctl("tcp_pacing_ca_ratio", "300"));
	ASSERT_TRUE(flight(fd, 10));
	sleep_s(0.1);
	in("A 1 ack 1 sack 1001-4001");
	out("A 1+1000");
	in("A 1 ack 10001");
	want = 3ULL * 1000 * info(fd).snd_cwnd * 1000000 / info(fd).rtt;
	ASSERT_TRUE(near(info(fd).pacing_rate, want, want / 50));
}

CASE(pacing_rate, "tcp(7) TCP_INFO, tcp_pacing_ss_ratio: tcpi_pacing_rate, twice cwnd in a round trip")
{
	int fd = passive(self->lfd, "", 100);
	uint64_t want;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(flight(fd, 10));
	sleep_s(0.1);
	in("A 1 ack 10001");
	want = 2ULL * 1000 * info(fd).snd_cwnd * 1000000 / info(fd).rtt;
	ASSERT_TRUE(near(info(fd).pacing_rate, want, want / 50));
}

CASE(windows, "RFC 9293 3.8.6, RFC 7323 2.3: tcpi_snd_wnd, tcpi_rcv_wnd, octets")
{
	struct wseg s;
	int fd;

	in("S 0 mss 1000 ws 2 win 5000");
	ASSERT_TRUE(w_next(1000, &s));
	in("A 1 ack 1 win 4000");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	IS(16000, fd, snd_wnd);
	in("PA 1+1000 win 5000");
	IS(20000, fd, snd_wnd);
	NEED(fd, rcv_wnd);
	put(fd, 10);
	ASSERT_TRUE(w_next(1000, &s));
	while (!s.len)
		ASSERT_TRUE(w_next(1000, &s));
	ASSERT_EQ(s.win << (info(fd).wscales >> 4), info(fd).rcv_wnd);
}

CASE(sizes, "RFC 9293 3.7.1: tcpi_pmtu, tcpi_advmss, tcpi_snd_mss, tcpi_rcv_space")
{
	int fd;

	in("S 0 mss 1000");
	out("SA 0 ack 1 mss 1460");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	IS(1500, fd, pmtu);
	IS(1460, fd, advmss);
	IS(1000, fd, snd_mss);
	IS(14600, fd, rcv_space);	/* ten of advmss, until more is read in a round trip */
}

CASE(ooopack, "tcp(7) TCP_INFO: tcpi_rcv_ooopack, segments that came out of order")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 1+100");
	IS(0, fd, rcv_ooopack);
	in("PA 201+100");
	in("PA 401+100");
	IS(2, fd, rcv_ooopack);
	in("PA 101+100");
	IS(2, fd, rcv_ooopack);
}

CASE(cwnd, "RFC 5681 3.1, RFC 6928: tcpi_snd_cwnd, tcpi_snd_ssthresh, and all lost after a timeout")
{
	int fd = passive(self->lfd, "", 0);

	ASSERT_LE(0, fd);
	IS(10, fd, snd_cwnd);
	IS(0x7fffffff, fd, snd_ssthresh);
	ASSERT_TRUE(flight(fd, 10));
	in("A 1 ack 2001");
	IS(12, fd, snd_cwnd);
	out_within(400, "A 2001+1000");
	IS(1, fd, snd_cwnd);
	IS(8, fd, snd_ssthresh);	/* RFC 9438: 0.7 of 12 */
	IS(8, fd, lost);
	IS(1, fd, retrans);
	IS(4, fd, ca_state);
}

CASE(backoff, "RFC 6298 5.5: tcpi_backoff, tcpi_retransmits: timeouts in a row")
{
	int fd = passive(self->lfd, "", 0);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(flight(fd, 1));
	IS(0, fd, backoff);
	out_within(400, "A 1+1000");
	IS(1, fd, backoff);
	IS(1, fd, retransmits);
	out_within(600, "A 1+1000");
	IS(2, fd, backoff);
	IS(2, fd, retransmits);
	IS(0, fd, probes);
	in("A 1 ack 1001");
	IS(0, fd, retransmits);
}

CASE(probes, "RFC 9293 3.8.6.1: tcpi_probes, tcpi_backoff: window probes are no timeouts")
{
	int fd;

	in("S 0 mss 1000");
	out("SA 0 ack 1");
	in("A 1 ack 1 win 0");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 100);
	IS(0, fd, probes);
	out_within(400, "A 0");
	IS(1, fd, probes);
	IS(1, fd, backoff);
	out_within(600, "A 0");
	IS(2, fd, probes);
	IS(2, fd, backoff);
	IS(0, fd, retransmits);
	in("A 1 ack 1 win 0");
	IS(0, fd, probes);
}

CASE(total_rto, "RFC 4898 4.1: tcpi_total_rto, _recoveries, _time: timeouts, rows of them, ms")
{
	int fd = passive(self->lfd, "sackok", 0);

	ASSERT_LE(0, fd);
	NEED(fd, total_rto_time);
	ASSERT_TRUE(flight(fd, 1));
	IS(0, fd, total_rto);
	IS(0, fd, total_rto_recoveries);
	out_within(400, "A 1+1000");
	IS(1, fd, total_rto);
	IS(1, fd, total_rto_recoveries);
	MS(0, fd, total_rto_time);
	out_at(408, "A 1+1000");
	sleep_s(0.1);
	IS(2, fd, total_rto);
	IS(1, fd, total_rto_recoveries);
	MS(500, fd, total_rto_time);		/* it lasts */
	in("A 1 ack 1001");
	sleep_s(0.2);
	MS(500, fd, total_rto_time);
	ASSERT_TRUE(flight(fd, 1));
	out_within(1000, "A 1001+1000");
	sleep_s(0.1);
	IS(3, fd, total_rto);
	IS(2, fd, total_rto_recoveries);
	MS(600, fd, total_rto_time);
}

CASE(total_rto_probes, "RFC 9293 3.8.6.1: tcpi_total_rto: not where they stand for probes of a closed window")
{
	int fd = passive(self->lfd, "sackok", 0);

	ASSERT_LE(0, fd);
	NEED(fd, total_rto_time);
	ASSERT_TRUE(flight(fd, 1));
	in("A 1 ack 1 win 0");
	out_within(400, "A 1+1000");
	out_within(500, "A 1+1000");
	IS(0, fd, total_rto);
	IS(0, fd, total_rto_recoveries);
}

CASE(total_rto_syn, "RFC 4898 4.1: tcpi_total_rto: of SYNs too")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	NEED(fd, total_rto_time);
	out_at(1000, "S 0");
	out_at(1000, "S 0");
	IS(2, fd, total_rto);
	IS(1, fd, total_rto_recoveries);
	sleep_s(0.1);
	in("SA 0 ack 1 mss 1460 sackok");
	out("A 1 ack 1");
	sleep_s(0.2);
	IS(2, fd, total_rto);
	IS(1, fd, total_rto_recoveries);
	MS(1100, fd, total_rto_time);
}

CASE(total_rto_syn_ack, "RFC 4898 4.1: and of SYN-ACKs, the time from the first")
{
	int fd;

	in("S 0 mss 1460 sackok");
	out("SA 0 ack 1");
	out_at(1000, "SA 0 ack 1");
	sleep_s(0.3);
	in("S 0 mss 1460 sackok");	/* the peer's timer */
	out("SA 0 ack 1");
	sleep_s(0.2);
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	NEED(fd, total_rto_time);
	IS(1, fd, total_rto);
	IS(1, fd, total_rto_recoveries);
	MS(1500, fd, total_rto_time);
	sleep_s(0.2);
	MS(1500, fd, total_rto_time);
}

CASE(rehash, "tcp(7) TCP_INFO: tcpi_rehash, other paths that were tried")
{
	int fd = passive(self->lfd, "", 0);

	ASSERT_LE(0, fd);
	NEED(fd, rehash);
	IS(0, fd, rehash);
	ASSERT_TRUE(flight(fd, 1));
	out_within(400, "A 1+1000");
	/* Strata has one hash for a flow's life: what routes by it sees no other */
	ASSERT_EQ(NATIVE("chooses another flow hash at a timeout, for paths that are chosen by it"),
		  info(fd).rehash);
}

CASE(rttvar, "RFC 6298 2.2, 2.3: tcpi_rttvar, half of the first sample, then 3/4 and 1/4 of what differs")
{
	int fd = passive(self->lfd, "", 100);

	ASSERT_LE(0, fd);
	US(100, fd, rtt);
	US(50, fd, rttvar);
	ASSERT_TRUE(flight(fd, 1));
	sleep_s(0.18);
	in("A 1 ack 1001");
	US(110, fd, rtt);
	if (!w.sim)
		return;
	ASSERT_TRUE(near(info(fd).rttvar, 37500 + 20000, 2000));
}

CASE(rcv_mss, "RFC 1122 4.2.3.2: tcpi_rcv_mss, the size of the segments that come")
{
	int fd = w_passive(self->lfd, "mss 1460");
	uint32_t at = 1;

	ASSERT_LE(0, fd);
	IS(536, fd, rcv_mss);		/* RFC 9293 3.7.1: what every peer may send */
	in("A %u+1000", at);
	IS(1000, fd, rcv_mss);
	in("A %u+1460", at += 1000);
	IS(1460, fd, rcv_mss);
	/* a smaller one may end a write; two of a size do not */
	in("A %u+900", at += 1460);
	IS(1460, fd, rcv_mss);
	in("A %u+900", at += 900);
	IS(900, fd, rcv_mss);
	in("PA %u+100", at += 900);
	in("PA %u+100", at += 100);
	IS(900, fd, rcv_mss);
}

CASE(rcv_mss_pushed, "RFC 1122 4.2.3.2: tcpi_rcv_mss: not less than 536 they may be pushed")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("A 1+1460");
	in("PA 1461+700");
	IS(1460, fd, rcv_mss);
	in("PA 2161+700");
	IS(700, fd, rcv_mss);
}

CASE(rcv_rtt, "RFC 7323 3: tcpi_rcv_rtt, of one who only receives: what its timestamps took to come back")
{
	struct wseg s;
	uint32_t at;
	int fd, i;

	w.ts = true;
	in("S 0 mss 1460 ts");
	ASSERT_TRUE(w_next(1000, &s));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	for (i = 0, at = 1; i < 30; i++, at += 1448) {
		sleep_s(0.08);
		in("A %u+1448", at);
		while (w_next(50, &s))
			;
		ASSERT_EQ(1448, w_recv(fd, 1 << 20));
	}
	/* the peer has an ACK for 50 ms, and then waits */
	US(130, fd, rcv_rtt);
}

CASE(rcv_rtt_window, "tcp(7) TCP_INFO: tcpi_rcv_rtt without timestamps: what a window of data takes")
{
	struct wseg s = { }, is;
	uint32_t at, end;
	int fd, i;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 20000));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	IS(0, fd, rcv_rtt);
	for (i = 0, at = 1, end = 10001; i < 20; i++, end = s.ack + s.win) {
		for (; at + 1000 <= end; at += 1000)
			in("A %u+1000", at);
		while (w_recv(fd, 1 << 20) > 0)
			;
		while (w_next(200, &is))
			s = is;
		ASSERT_EQ(at, s.ack);
	}
	/* the last ACK may be late */
	ASSERT_TRUE(near(info(fd).rcv_rtt, 220000, w.sim ? 30000 : 150000));
}

CASE(max_pacing_rate, "socket(7) SO_MAX_PACING_RATE: tcpi_max_pacing_rate, and tcpi_pacing_rate is not above it")
{
	int fd = passive(self->lfd, "", 100);
	unsigned int rate = 50000;

	ASSERT_LE(0, fd);
	IS(~0ULL, fd, max_pacing_rate);
	ASSERT_TRUE(flight(fd, 10));
	ASSERT_LT(50000, info(fd).pacing_rate);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	IS(50000, fd, max_pacing_rate);
	IS(50000, fd, pacing_rate);
	sleep_s(0.1);
	in("A 1 ack 10001");
	IS(50000, fd, pacing_rate);
}

/* the next @n segments are acknowledged after @ms */
static bool delivered(int n, int ms)
{
	struct wseg s;

	while (n--)
		if (!w_next(100, &s))
			return false;
	sleep_s(ms / 1000.0);
	return w_in("A 1");
}

#define RATE(fd, want)	ASSERT_TRUE(near(info(fd).delivery_rate, want, (want) / 25))
#define APP_LIMITED(fd)	(info(fd).flags & 1)	/* tcpi_delivery_rate_app_limited */

CASE(delivery_rate, "tcp(7) TCP_INFO, draft-ietf-ccwg-bbr 4.1.2: tcpi_delivery_rate: what a round trip delivers")
{
	int fd;

	if (!w.sim)
		SKIP(return, "rates of real machines vary: on sim alone");
	fd = passive(self->lfd, "", 100);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, info(fd).delivery_rate);
	ASSERT_EQ(10, info(fd).snd_cwnd);
	put(fd, 30000);
	ASSERT_TRUE(delivered(10, 100));
	RATE(fd, 100000);
	ASSERT_EQ(20, info(fd).snd_cwnd);
	/* the window limits: it is the path's, lower though it is */
	ASSERT_TRUE(delivered(20, 250));
	RATE(fd, 80000);
	ASSERT_EQ(0, APP_LIMITED(fd));
	/* a program that sends less does not lower it */
	put(fd, 9000);
	ASSERT_TRUE(delivered(9, 100));
	RATE(fd, 90000);
	put(fd, 1000);
	ASSERT_TRUE(delivered(1, 100));
	RATE(fd, 90000);
	/* one that sends more raises it */
	put(fd, 15000);
	ASSERT_TRUE(delivered(15, 100));
	RATE(fd, 150000);
	ASSERT_EQ(1, APP_LIMITED(fd));
}

CASE(app_limited_first, "tcp(7) TCP_INFO, draft-ietf-ccwg-bbr 4.1.2: tcpi_delivery_rate_app_limited: the first flight, before which nothing was sent")
{
	int fd = passive(self->lfd, "", 100);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, APP_LIMITED(fd));
	put(fd, 5000);
	ASSERT_TRUE(delivered(5, 100));
	ASSERT_EQ(1, APP_LIMITED(fd));
}

CASE(app_limited_idle, "tcp(7) TCP_INFO, draft-ietf-ccwg-bbr 4.1.2: tcpi_delivery_rate_app_limited: nor is a program's pause the path's rate")
{
	int fd;

	if (!w.sim)
		SKIP(return, "rates of real machines vary: on sim alone");
	fd = passive(self->lfd, "", 100);
	ASSERT_LE(0, fd);
	put(fd, 30000);
	ASSERT_TRUE(delivered(10, 100));
	ASSERT_TRUE(delivered(20, 250));
	RATE(fd, 80000);
	ASSERT_EQ(0, APP_LIMITED(fd));
	put(fd, 1000);
	ASSERT_TRUE(delivered(1, 100));
	RATE(fd, 80000);
	ASSERT_EQ(0, APP_LIMITED(fd));
}

TEST_HARNESS_MAIN
