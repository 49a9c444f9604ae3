/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bulk transfer over a bad link in virtual time: sender.c and receiver.c put the pure files of
 * kmod/tcp together as tcp_ack.c, tcp_recover.c, tcp_rexmit.c, tcp_output.c, tcp_timer.c,
 * tcp_timeout.c and tcp_data.c do, link.c is the network, run.c the clock. Integers only:
 * results are the same on every machine.
 */
#ifndef _SIM_H
#define _SIM_H

#include <linux/module.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tcp_alg.h"

enum {
	MSS = 1448,
	WIRE = 1514,			/* octets of a full segment with all headers */
	TRUESIZE = 2304,		/* of an skb with one */
	TICK_US = 4000,			/* HZ = 250 */
	RCVBUF = 131072,		/* tcp_rmem[1], [2] */
	RCVBUF_MAX = 6291456,
	RTT_WINDOW_MS = 300000,		/* tcp_min_rtt_wlen */
	MAX_REORDERING = 300,
};

#define ISS	0xfff00000U		/* numbers wrap soon */
#define NEVER	(~0ULL)
#define START_US 1000000ULL	/* the clock's first reading; 0 means "never" to many */

/* what one run is of */
struct sim_cell {
	u32	loss;		/* of data, and of ACKs: in 10 000 packets */
	u32	rtt_ms;
	u32	buffer;		/* packets that wait, the one on the wire included */
	u32	rate;		/* bit/s */
	u32	segs;		/* to transfer */
	u64	seed;
	bool	data_loss_only;
	const struct strata_tcp_cong_ops *ops;
};

/* and what came of it; all of it is printed, and kept but for the last group */
struct sim_result {
	u32	goodput;	/* kbit/s of payload until the last octet was there */
	u32	retrans;	/* segments sent again */
	u32	spurious;	/* of these, an earlier copy was not lost */
	u32	timeouts;
	u32	recoveries;	/* fast recoveries entered */
	u32	undone;
	u32	probes;		/* tail loss probes */
	u32	max_queue;	/* packets */
	/* not kept */
	u32	drops, losses;	/* by the buffer; by chance */
	u64	done_us;	/* the last octet; NEVER: it did not come */
	const char *broken;	/* an invariant that did not hold, NULL: all did */
};

/* an ACK on its way */
struct sim_ack {
	u64	at;		/* µs, arrival */
	u32	ack;
	u32	wnd;		/* bytes */
	u32	tsval;
	u32	tsecr;
	u32	nsack;
	struct strata_sack_block sack[STRATA_TCP_MAX_SACKS];
};

/* a full segment on its way */
struct sim_data {
	u64	at;
	u32	seq;
	u32	tsval;
	u32	tsecr;
};

/* link.c: a bottleneck with a drop-tail buffer, then delay; ACKs are only delayed */
struct sim_link {
	u64	free_ns;	/* the wire is free */
	u64	pkt_ns;		/* a full segment on it */
	u64	delay_us;	/* one way */
	u64	rnd[2];		/* seeded: data, ACKs */
	u32	loss[2];
	u32	buffer;
	u32	max_queue;
	u32	drops, losses;
	/* first in, first out */
	struct sim_data *data;
	u64	*gone_ns;	/* when each packet has left the buffer */
	struct sim_ack *acks;
	u32	size;		/* of each, a power of two */
	u32	data_in, data_out, gone_out, acks_in, acks_out;
};

void link_init(struct sim_link *l, const struct sim_cell *cell);
void link_exit(struct sim_link *l);
/* false: it will not arrive */
bool link_send(struct sim_link *l, u64 now, const struct sim_data *d);
void link_ack(struct sim_link *l, u64 now, const struct sim_ack *a);

static inline u64 link_next_data(const struct sim_link *l)
{
	return l->data_out == l->data_in ? NEVER : l->data[l->data_out & (l->size - 1)].at;
}

static inline u64 link_next_ack(const struct sim_link *l)
{
	return l->acks_out == l->acks_in ? NEVER : l->acks[l->acks_out & (l->size - 1)].at;
}

/* receiver.c; members as in struct strata_tcp_sock */
struct sim_receiver {
	struct sim_link	*link;
	u64	mstamp_us;
	u32	nxt;
	u32	ts_recent;
	u32	sender_tsval;	/* our TSval that came back last (drs_tsecr) */
	u32	ssthresh;
	u32	rcvbuf;
	u8	ratio;		/* payload in memory, 1/256 */
	u32	waiting;	/* segments out of order */
	bool	*have;		/* by number of segment */
	u32	segs;
	struct strata_sack_rcv	sack_rcv;
	struct strata_tcp_rwnd	rwnd;
	struct strata_tcp_drs	drs;
	u8	pending;
	u8	quick;
	u32	ato;		/* ticks */
	u64	timeout;	/* ticks */
	u64	lrcvtime;
	u64	done_us;
};

void rcv_init(struct sim_receiver *r, const struct sim_cell *cell, struct sim_link *l);
void rcv_exit(struct sim_receiver *r);
void rcv_data(struct sim_receiver *r, u64 now, const struct sim_data *d);
u64 rcv_timer(const struct sim_receiver *r);	/* when, µs; NEVER: none */
void rcv_timer_fired(struct sim_receiver *r, u64 now);

/* sender.c; members as in struct strata_tcp_sock */
struct sim_seg {
	struct strata_tcp_tx tx;
	u32	prev, next;	/* rtx_by_time */
	bool	timed;
	bool	arrives;	/* a copy has not been lost */
};

enum sim_timer { TIMER_NONE, TIMER_RTO, TIMER_TLP, TIMER_REO, TIMER_PERSIST };

struct sim_sender {
	struct sim_link	*link;
	struct sim_seg	*seg;	/* [segs], and the list's head behind them */
	u32	segs;
	u32	una, nxt;
	u32	rexmit_seq;
	u32	todo;
	u64	mstamp_us;
	u64	lsndtime;	/* ticks */
	u32	peer_tsval;
	enum sim_timer timer_kind;
	u64	timer_expires;	/* ticks */
	bool	again;		/* a timeout since una advanced */
	struct strata_tcp_swnd	swnd;
	struct strata_tcp_scb	scb;
	struct strata_tcp_rtt	rtt;
	struct strata_tcp_cong	cong;
	struct strata_tcp_rack	rack;
	struct strata_tcp_recovery rec;
	struct strata_tcp_tlp	tlp;
	struct strata_tcp_rate	rate;
	struct strata_sack_block sack_seen[STRATA_TCP_MAX_SACKS];
	struct sim_result *res;
};

void snd_init(struct sim_sender *s, const struct sim_cell *cell, struct sim_link *l, u32 wnd,
	      struct sim_result *res);
void snd_exit(struct sim_sender *s);
void snd_start(struct sim_sender *s, u64 now);
void snd_ack(struct sim_sender *s, u64 now, const struct sim_ack *a);
u64 snd_timer(const struct sim_sender *s);
void snd_timer_fired(struct sim_sender *s, u64 now);
/* do the counters say what the marks say? NULL, or what is wrong. @all: look at each segment */
const char *snd_check(const struct sim_sender *s, bool all);

/* run.c */
void sim_run(const struct sim_cell *cell, struct sim_result *res);

/* not before: the timers of the kernel count from the last tick */
static inline u32 ticks(u64 us)
{
	return (us + TICK_US - 1) / TICK_US;
}

#endif
