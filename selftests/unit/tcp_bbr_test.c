// SPDX-License-Identifier: GPL-2.0-only
/*
 * BBR on a bottleneck of one queue: does its model find the rate and the round trip, and
 * does it keep the queue short? The path is a list of segments under way: each leaves the
 * sender at the pacing rate while cwnd allows, waits for its turn at the bottleneck, and is
 * acknowledged a propagation time later. Time is virtual, nothing is random.
 */
#include <linux/inet_diag.h>
#include "tcp_bbr.h"
#include "unit.h"

#define MSS	1000
#define RING	65536

struct seg {
	u64 sent_us;		/* left the sender */
	u64 acked_us;		/* its ACK comes */
	u64 delivered_us;	/* of the connection, when it left */
	u64 first_us;
	u32 delivered;
	bool app_limited;
};

struct path {
	double rate;		/* segments per µs */
	u32 rtt_us;		/* without a queue */
	double free_us;		/* the bottleneck is free again */
	struct seg ring[RING];
	u32 head, tail;		/* tail - head: in flight */
	u64 now_us, next_us;	/* next departure by pacing */
	u64 delivered_us, first_us;
	u32 delivered, limit;	/* limit: most in flight that the application fills */
	u32 max_queue;		/* segments, since it was cleared */
};

static struct strata_tcp_cong c;
static struct strata_cong_sample cs;
static struct path p;
static struct module bbr_module;

static void setup(double rate, u32 rtt_us)
{
	memset(&p, 0, sizeof(p));
	p.rate = rate;
	p.rtt_us = rtt_us;
	p.now_us = 1000000;
	p.free_us = p.now_us;
	p.limit = ~0U;
	memset(&cs, 0, sizeof(cs));
	cs.now_us = p.now_us;
	cs.mss = MSS;
	cs.min_rtt_us = ~0U;
	strata_bbr.owner = &bbr_module;	/* as in the kernel: a module of its own */
	strata_cong_init(&c, strata_cong_pin(&strata_bbr));
	strata_cong_start(&c, &cs, false);
}

static u32 in_flight(void)
{
	return p.tail - p.head;
}

static bool may_send(void)
{
	return in_flight() < c.cwnd && in_flight() < p.limit && in_flight() < RING - 1;
}

static void send_one(void)
{
	struct seg *s = &p.ring[p.tail % RING];
	u32 queue;

	if (p.free_us < p.now_us)
		p.free_us = p.now_us;
	queue = (p.free_us - p.now_us) * p.rate;
	if (queue > p.max_queue)
		p.max_queue = queue;
	p.free_us += 1 / p.rate;
	if (!in_flight()) {
		p.first_us = p.now_us;
		p.delivered_us = p.now_us;
		strata_cong_event(&c, STRATA_CE_TX_START, p.now_us);
	}
	*s = (struct seg){
		.sent_us = p.now_us, .acked_us = p.free_us + p.rtt_us,
		.delivered_us = p.delivered_us, .first_us = p.first_us,
		.delivered = p.delivered,
		.app_limited = p.limit != ~0U && p.limit < c.cwnd,
	};
	p.tail++;
	p.next_us = p.now_us + (u64)MSS * 1000000 / c.pacing_rate;
}

static void ack_one(void)
{
	struct seg *s = &p.ring[p.head % RING];
	u32 send_us, ack_us;

	cs.prior_in_flight = in_flight();
	p.head++;
	p.delivered++;
	p.delivered_us = p.now_us;
	p.first_us = s->sent_us;
	send_us = s->sent_us - s->first_us;
	ack_us = p.now_us - s->delivered_us;
	cs.now_us = p.now_us;
	cs.acked = 1;
	cs.rtt_us = p.now_us - s->sent_us;
	cs.srtt_us = cs.rtt_us;
	cs.una++;
	cs.in_flight = in_flight();
	cs.delivered_total = p.delivered;
	cs.prior_delivered = s->delivered;
	cs.delivered = p.delivered - s->delivered;
	cs.interval_us = send_us > ack_us ? send_us : ack_us;
	cs.app_limited = s->app_limited;
	c.ops->cong_control(&c, &cs, STRATA_CA_OPEN);
}

/* the next thing that happens, until @us have passed; segments delivered */
static u32 run(u64 us)
{
	u64 end = p.now_us + us, next;
	u32 before = p.delivered;

	for (;;) {
		next = in_flight() ? p.ring[p.head % RING].acked_us : ~0ULL;
		if (may_send() && p.next_us < next)
			next = p.next_us;
		if (next > end)
			break;
		if (next > p.now_us)
			p.now_us = next;
		if (in_flight() && p.ring[p.head % RING].acked_us <= p.now_us)
			ack_one();
		else
			send_one();
	}
	p.now_us = end;
	return p.delivered - before;
}

/*
 * 10 Mbit/s to 1 Gbit/s, 1 to 300 ms, over two times of PROBE_RTT: the link is full but for
 * these, and the queue holds what cwnd allows above the path: twice its product, and three
 * offloaded segments (4.2.3.2)
 */
TEST(bbr_fills_the_pipe)
{
	static const double rate[] = { 0.00125, 0.0125, 0.125 };
	static const u32 rtt[] = { 1000, 20000, 100000, 300000 };
	unsigned int i, k;
	double share, bdp, tso;

	for (i = 0; i < 3; i++)
		for (k = 0; k < 4; k++) {
			setup(rate[i], rtt[k]);
			bdp = rate[i] * rtt[k];
			tso = rate[i] * 1000 < 2 ? 2 : rate[i] * 1000;
			if (tso > 65)
				tso = 65;
			run(40ULL * rtt[k] + 1000000);
			p.max_queue = 0;
			share = run(20000000) / (20000000 * rate[i]);
			EXPECT_GE(100 * share, 97 - 100 * 2 * (0.2 + 0.000002 * rtt[k]) / 20) {
				TH_LOG("rate %f rtt %u: share %f", rate[i], rtt[k], share);
			}
			EXPECT_LE(p.max_queue, bdp + 3 * tso + 8) {
				TH_LOG("rate %f rtt %u", rate[i], rtt[k]);
			}
			strata_cong_exit(&c);
		}
}

/* 4.3.2: STARTUP doubles each round trip, so a fast link is full after its logarithm */
TEST(bbr_startup)
{
	u32 sent;

	setup(0.1, 50000);
	run(12 * 50000);
	sent = run(500000);
	EXPECT_GE(sent, 0.85 * 500000 * 0.1);
	EXPECT_LT(c.ssthresh, STRATA_SSTHRESH_INF);	/* the pipe was found full */
	strata_cong_exit(&c);
}

/* 4.1.1: the link becomes four times as fast, later eight times slower: the rate follows */
TEST(bbr_follows_the_rate)
{
	setup(0.01, 20000);
	run(3000000);
	p.rate = 0.04;
	run(3000000);
	EXPECT_GE(run(1000000), 0.9 * 1000000 * 0.04);
	p.rate = 0.005;
	run(3000000);
	p.max_queue = 0;
	EXPECT_GE(run(1000000), 0.9 * 1000000 * 0.005);
	EXPECT_LE(p.max_queue, 0.005 * 20000 + 16);
	strata_cong_exit(&c);
}

/* 4.3.5: a queue of others has hidden the true round trip: found again within 10 s */
TEST(bbr_probes_the_round_trip)
{
	u32 i, least = ~0U;

	setup(0.0125, 20000);
	run(2000000);
	/* the path becomes longer: only the expiry of min_rtt can tell */
	p.rtt_us = 60000;
	for (i = 0; i < 1200; i++) {
		run(10000);
		if (c.cwnd < least)
			least = c.cwnd;
	}
	EXPECT_EQ(4, least);		/* PROBE_RTT has been */
	EXPECT_GE(run(1000000), 0.9 * 1000000 * 0.0125);
	strata_cong_exit(&c);
}

/* an application that sends little does not make the link look slow */
TEST(bbr_application_limited)
{
	setup(0.0125, 20000);
	run(3000000);
	p.limit = 5;
	run(5000000);
	p.limit = ~0U;
	run(200000);
	EXPECT_GE(run(1000000), 0.9 * 1000000 * 0.0125);
	strata_cong_exit(&c);
}

/* 4.2.3.4: in recovery as many leave as arrive, and the window comes back after it */
TEST(bbr_recovery)
{
	u32 before;

	setup(0.0125, 20000);
	run(3000000);
	before = c.cwnd;
	c.ops->ssthresh(&c, p.now_us);
	cs.lost = 3;
	cs.acked = 1;
	c.ops->cong_control(&c, &cs, STRATA_CA_RECOVERY);
	EXPECT_EQ(cs.in_flight + 1, c.cwnd);
	cs.lost = 0;
	c.ops->cong_control(&c, &cs, STRATA_CA_OPEN);
	EXPECT_GE(c.cwnd, before);
	EXPECT_EQ(c.cwnd, c.ops->undo_cwnd(&c));
	strata_cong_exit(&c);
}

/* what it tells of itself (TCP_CC_INFO): the rate and the round trip it found, and its gains */
TEST(bbr_info)
{
	struct tcp_bbr_info info;
	int attr = 0;
	double bw;

	setup(0.0125, 20000);
	EXPECT_EQ(0, strata_bbr.get_info(&c, 1U << (INET_DIAG_INFO - 1), &attr, &info));
	EXPECT_EQ(sizeof(info), strata_bbr.get_info(&c, 1U << (INET_DIAG_VEGASINFO - 1), &attr,
						    &info));
	EXPECT_EQ(INET_DIAG_BBRINFO, attr);
	EXPECT_EQ(739, info.bbr_pacing_gain);
	EXPECT_EQ(739, info.bbr_cwnd_gain);
	run(3000000);
	EXPECT_EQ(sizeof(info), strata_bbr.get_info(&c, ~0U, &attr, &info));
	bw = (double)((u64)info.bbr_bw_hi << 32 | info.bbr_bw_lo) / (12500.0 * cs.mss);
	EXPECT_TRUE(bw > 0.95 && bw < 1.05) TH_LOG("%f of the link's rate", bw);
	/* and the time of a segment on the link, 80 µs */
	EXPECT_EQ(20080, info.bbr_min_rtt);
	EXPECT_EQ(512, info.bbr_cwnd_gain);
	strata_cong_exit(&c);
}

/* its state fits where a connection keeps it */
TEST(bbr_names)
{
	EXPECT_STREQ("bbr", strata_bbr.name);
	EXPECT_TRUE(strata_bbr.flags & STRATA_CONG_NEEDS_PACING);
	setup(0.0001, 20000);
	run(3000000);
	EXPECT_EQ(1, c.ops->min_tso_segs(&c));
	EXPECT_EQ(1, bbr_module.refs);
	strata_cong_exit(&c);
	EXPECT_EQ(0, bbr_module.refs);
}

/* silence tells nothing of what the path carries, and ends PROBE_RTT without an ACK (4.3.4.4) */
TEST(bbr_idle)
{
	u32 cwnd, i;

	setup(0.0125, 20000);
	run(2000000);
	cwnd = c.cwnd;
	EXPECT_GT(cwnd, 20);
	strata_cong_idle(&c, MSS, 10000000, 200000, p.now_us + 10000000);
	EXPECT_EQ(cwnd, c.cwnd);
	p.rtt_us = 60000;
	for (i = 0; i < 12000 && c.cwnd != 4; i++) {
		cwnd = c.cwnd;
		run(1000);
	}
	EXPECT_EQ(4, c.cwnd);
	run(190000);			/* a round, and nearly its 200 ms */
	EXPECT_EQ(4, c.cwnd);
	strata_cong_event(&c, STRATA_CE_TX_START, p.now_us + 5000000);
	EXPECT_GE(c.cwnd, cwnd);
	strata_cong_exit(&c);
}

TEST_HARNESS_MAIN
