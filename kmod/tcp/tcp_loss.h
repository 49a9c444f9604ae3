/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SACK, scoreboard, RACK-TLP, recovery: tcp_sack.c, tcp_rack.c, tcp_recovery.c.
 * Included by tcp_alg.h, whose conventions hold.
 */
#ifndef _STRATA_TCP_LOSS_H
#define _STRATA_TCP_LOSS_H

#include <linux/types.h>

struct strata_tcp_cong;
struct strata_cong_sample;

/* a segment (one skb) in the write or retransmit queue; all of its skb->cb, 48 bytes */
struct strata_tcp_tx {
	u32	seq;
	u32	end_seq;	/* seq + data + SYN + FIN */
	u8	flags;		/* TCP flags to send */
	u8	sacked;		/* STRATA_TX_* marks; only strata_scb_*() write them */
	u8	retrans;	/* times retransmitted, saturates */
	u8	bits;		/* STRATA_TXB_* */
	u16	pcount;		/* segments on the wire, >= 1 once sent */
	u16	mss;		/* bytes per segment if pcount > 1 (gso_size) */
	u64	xmit_us;	/* last (re)transmission */
	/* delivery rate: the connection's totals when it was last sent */
	u64	delivered_us;
	u64	first_us;	/* send time of the first segment of that flight */
	u32	delivered;	/* segments */
	u32	in_flight;	/* segments, this one included */
};

#define STRATA_TX_SACKED	0x01	/* the peer has it */
#define STRATA_TX_LOST		0x02	/* presumed lost */
#define STRATA_TX_RETRANS	0x04	/* a retransmission of it is in the network */
#define STRATA_TX_EVER_RETRANS	0x08	/* was retransmitted at some time (Karn) */

#define STRATA_TXB_APP_LIMITED	0x01	/* sent while the application was the limit */
#define STRATA_TXB_EOR		0x02	/* MSG_EOR: append nothing */
#define STRATA_TXB_URG		0x04	/* its last byte is urgent data */
#define STRATA_TXB_TSTAMP	0x08	/* the user wants a timestamp of it or its ACK */

/* receiver: blocks to report, RFC 2018 4, D-SACK RFC 2883 */
struct strata_sack_rcv {
	struct strata_sack_block block[STRATA_TCP_MAX_SACKS];	/* most recent first */
	struct strata_sack_block dup;	/* duplicate to report once */
	u8	n;
	bool	has_dup;
};

/*
 * Data arrived out of order; [@start, @end) is the contiguous range of the
 * out-of-order queue that now holds it (4 (a)). Merges what overlaps or touches; first in
 * the list.
 */
void strata_sack_rcv_add(struct strata_sack_rcv *r, u32 start, u32 end);
/* RCV.NXT advanced: drop what lies below */
void strata_sack_rcv_advance(struct strata_sack_rcv *r, u32 rcv_nxt);
/* forget [@start, @end): pruned from the out-of-order queue (reneging) */
void strata_sack_rcv_prune(struct strata_sack_rcv *r, u32 start, u32 end);
/*
 * [@start, @end) came twice: the next ACK says so (RFC 2883 4); a pending one is
 * widened if it touches
 */
void strata_sack_rcv_dup(struct strata_sack_rcv *r, u32 start, u32 end);
/*
 * blocks of the ACK that goes now, D-SACK first, at most @max; uses the D-SACK up.
 * Their number
 */
unsigned int strata_sack_rcv_fill(struct strata_sack_rcv *r, struct strata_sack_block *out,
				  unsigned int max);

/* sender: a SACK option, checked */
struct strata_sack_in {
	struct strata_sack_block block[STRATA_TCP_MAX_SACKS];	/* ascending, disjoint */
	struct strata_sack_block dup;	/* with @has_dup */
	u8	n;
	bool	has_dup;		/* first block was a D-SACK (RFC 2883 4) */
};

/*
 * Check and sort the blocks of an acceptable ACK. @ack: SEG.ACK; @nxt: SND.NXT; @max_wnd:
 * largest window the peer offered, bytes: an older D-SACK is not believed.
 * Drops empty, reversed and impossible blocks (below @ack, beyond @nxt).
 */
void strata_sack_check(struct strata_sack_in *in, const struct strata_sack_block *block,
		       unsigned int n, u32 ack, u32 nxt, u32 max_wnd);
/* is [seq, end) wholly inside one block */
bool strata_sack_covers(const struct strata_sack_in *in, u32 seq, u32 end);

/* scoreboard counters, in segments; sacked_out + lost_out <= packets_out always */
struct strata_tcp_scb {
	u32	packets_out;	/* sent and not cumulatively acknowledged */
	u32	sacked_out;	/* of these SACKed; without SACK: duplicate ACKs (RFC 6582) */
	u32	lost_out;	/* of these presumed lost, retransmitted or not */
	u32	retrans_out;	/* retransmissions in the network */
	u32	high_sack;	/* highest SACKed end_seq; valid if sacked_out and sack_ok */
	u32	reordering;	/* DupThresh, segments, >= 3 */
	u32	reord_seen;	/* reordering events */
	u32	dsack_dups;	/* D-SACKs received */
	u32	delivered;	/* segments delivered in all, SACKed included */
	u32	delivered_ce;	/* of these by ACKs with ECE (RFC 3168) */
	u32	lost;		/* segments marked lost in all */
	u32	total_retrans;	/* segments retransmitted in all */
	s32	undo_retrans;	/* retransmissions not yet shown spurious; see recovery */
	bool	sack_ok;	/* the peer does SACK */
};

void strata_scb_init(struct strata_tcp_scb *s, u32 reordering, bool sack_ok);

/* segments in the network: FlightSize less what left it (RFC 6675 pipe) */
static inline u32 strata_tcp_in_flight(const struct strata_tcp_scb *s)
{
	return s->packets_out - (s->sacked_out + s->lost_out) + s->retrans_out;
}

/* first transmission of @tx (pcount set); xmit_us is the caller's, see strata_rate_sent() */
void strata_scb_sent(struct strata_tcp_scb *s, struct strata_tcp_tx *tx);
/* retransmitted; marks RETRANS and EVER_RETRANS */
void strata_scb_retrans(struct strata_tcp_scb *s, struct strata_tcp_tx *tx);
/* the peer SACKed all of it; false if known. Clears LOST and RETRANS */
bool strata_scb_sacked(struct strata_tcp_scb *s, struct strata_tcp_tx *tx);
/* presume lost (again, if a retransmission was out); false if SACKed or known */
bool strata_scb_lost(struct strata_tcp_scb *s, struct strata_tcp_tx *tx);
/* the presumption was wrong (STRATA_REC_CLEAR_LOST) */
void strata_scb_unlost(struct strata_tcp_scb *s, struct strata_tcp_tx *tx);
/* reneging, or RTO where SACKs may no longer be trusted (RFC 2018 8): forget SACKED */
void strata_scb_unsack(struct strata_tcp_scb *s, struct strata_tcp_tx *tx);
/*
 * wholly acknowledged: leaves the queue; returns segments newly delivered (0 if it was
 * SACKed)
 */
u32 strata_scb_acked(struct strata_tcp_scb *s, struct strata_tcp_tx *tx);
/*
 * Partly acknowledged: its first @segs segments (< pcount) leave; @una: its new
 * seq. Returns segments newly delivered.
 */
u32 strata_scb_acked_part(struct strata_tcp_scb *s, struct strata_tcp_tx *tx, u32 segs, u32 una);
/*
 * @tx (in the retransmit queue) is cut at @at: @tail becomes a copy for [@at, end_seq)
 * with the same marks.
 * Both get their pcount from mss; the counters follow. The caller cuts the data.
 */
void strata_scb_split(struct strata_tcp_scb *s, struct strata_tcp_tx *tx,
		      struct strata_tcp_tx *tail, u32 at);
/* segments of @len bytes at @mss */
static inline u32 strata_tcp_pcount(u32 len, u32 mss)
{
	return len <= mss ? 1 : (len + mss - 1) / mss;
}

/*
 * Reordering seen: a never retransmitted segment ending at @end was delivered below the
 * highest SACK. Only if high_sack was valid before this ACK, i.e. something was
 * SACKed then. Raises DupThresh to the distance, at most @max. False: it was none
 */
bool strata_scb_reordered(struct strata_tcp_scb *s, u32 end, u32 mss, u32 max);
/* peers without SACK: a duplicate ACK came (RFC 6582; counts a delivered segment) */
void strata_scb_reno_dupack(struct strata_tcp_scb *s);
/* SND.UNA advanced over @segs segments: right after strata_scb_acked() of each of them */
void strata_scb_reno_acked(struct strata_tcp_scb *s, u32 segs);

/* delivery rate (draft-ietf-ccwg-bbr 4.1): tcp_rate.c */
struct strata_tcp_rate {
	u64	delivered_us;	/* time of the last delivery */
	u64	first_us;	/* send time of the most recently delivered segment */
	/* scb.delivered that ends the application-limited phase; 0: none */
	u32	app_limited;
	u32	rate_delivered;	/* last good sample: segments ... */
	u32	rate_interval_us; /* ... in this time; for tcp_info */
	bool	rate_app_limited;
};

void strata_rate_init(struct strata_tcp_rate *r);

/* collects one ACK's sample; zero it before the ACK's first strata_rate_delivered() */
struct strata_rate_sample {
	u64	prior_us;	/* delivered_us of the newest delivered segment; 0: none */
	u64	xmit_us;	/* its send time */
	u32	send_us;	/* its flight's send time span */
	u32	end_seq;
	u32	prior_delivered;
	s32	delivered;	/* segments over interval_us; -1 invalid */
	u32	interval_us;
	u32	prior_in_flight; /* before this ACK */
	bool	app_limited;
	bool	retrans;
};

/* (re)transmitted: sets tx->xmit_us and the snapshot; call before strata_scb_sent() */
void strata_rate_sent(struct strata_tcp_rate *r, const struct strata_tcp_scb *s,
		      struct strata_tcp_tx *tx, u64 now_us);
/* @tx was newly ACKed or SACKed; call before strata_scb_acked() or _sacked() clear its marks */
void strata_rate_delivered(struct strata_tcp_rate *r, struct strata_rate_sample *rs,
			   const struct strata_tcp_tx *tx, u64 now_us);
/* the ACK is done: compute rs->delivered and interval_us */
void strata_rate_gen(struct strata_tcp_rate *r, const struct strata_tcp_scb *s,
		     struct strata_rate_sample *rs, u32 min_rtt_us, bool reneging);
/* nothing left to send though cwnd would allow it */
void strata_rate_app_limited(struct strata_tcp_rate *r, const struct strata_tcp_scb *s);

#include "tcp_rec.h"

#endif /* _STRATA_TCP_LOSS_H */
