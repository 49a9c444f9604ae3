/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RACK-TLP and recovery: tcp_rack.c, tcp_recovery.c. Included by tcp_loss.h.
 */
#ifndef _STRATA_TCP_REC_H
#define _STRATA_TCP_REC_H

#include <linux/types.h>

/* RACK, RFC 8985 5.3 */
struct strata_tcp_rack {
	u64	xmit_us;	/* RACK.xmit_ts: send time of the newest delivered segment */
	u32	end_seq;	/* RACK.end_seq: its end */
	u32	rtt_us;		/* RACK.rtt: of it */
	u32	round_seq;	/* a D-SACK counts once until this is acknowledged */
	u8	reo_mult;	/* RACK.reo_wnd_mult, quarters of min_RTT */
	u8	reo_persist;	/* recoveries until reo_mult falls back to 1 */
	bool	round_busy;	/* a D-SACK counted, round_seq is valid */
	bool	advanced;	/* by this ACK; the caller clears */
};

#define STRATA_RACK_NEVER	(~0U)

/* tcp_recovery, as native's */
#define STRATA_RACK_ON		0x1	/* else RFC 6675 */
#define STRATA_RACK_STATIC	0x2	/* D-SACKs do not widen the window */
#define STRATA_RACK_NO_DUPTHRESH 0x4	/* nor does DupThresh close it */

void strata_rack_init(struct strata_tcp_rack *r);
/*
 * @tx was newly ACKed or SACKed (6.2 step 2); call before its marks change. A
 * retransmitted one is ignored if the ACK can be for an earlier copy: younger than
 * @min_rtt_us, or @ts_older (the ACK's TSecr lies before its last transmission).
 */
void strata_rack_update(struct strata_tcp_rack *r, const struct strata_tcp_tx *tx, u64 now_us,
			u32 min_rtt_us, bool ts_older);
/*
 * the ACK had a D-SACK (step 4): widen the window, once per round. @nxt: SND.NXT; @una:
 * SND.UNA
 */
void strata_rack_dsack(struct strata_tcp_rack *r, u32 una, u32 nxt);
/* a recovery ended: 16 of them without D-SACK reset the widening */
void strata_rack_recovery_end(struct strata_tcp_rack *r);
/*
 * Reordering window in µs (step 4). @in_recovery: Recovery or Loss; 0 while no
 * reordering was seen and (recovering or DupThresh SACKed), as 8985 says; @dupthresh: does
 * the latter count
 */
u32 strata_rack_reo_wnd(const struct strata_tcp_rack *r, const struct strata_tcp_scb *s,
			bool in_recovery, bool dupthresh, u32 srtt_us, u32 min_rtt_us);
/*
 * Step 5 for one segment that is neither SACKed nor LOST without RETRANS: 0 it is
 * lost (strata_scb_lost() it), STRATA_RACK_NEVER it was sent after the newest delivered one,
 * else µs until it will be: arm the reordering timer with the largest of all.
 */
u32 strata_rack_lost(const struct strata_tcp_rack *r, const struct strata_tcp_tx *tx,
		     u32 reo_wnd_us, u64 now_us);

/*
 * An RTO fired (6.3): was @tx sent so lately that its ACK may be on its way? The first segment
 * is lost all the same. As native without the reordering window: nothing tells of reordering here
 */
bool strata_rack_recent(const struct strata_tcp_rack *r, const struct strata_tcp_tx *tx,
			u64 now_us);

/* tail loss probe, RFC 8985 7 */
struct strata_tcp_tlp {
	u32	end_seq;	/* TLP.end_seq; valid if sent */
	bool	sent;		/* a probe is out */
	bool	retrans;	/* TLP.is_retrans */
};

enum strata_tlp_verdict {
	STRATA_TLP_NONE,	/* nothing known yet */
	STRATA_TLP_DONE,	/* episode over, nothing was lost (or RACK sees it) */
	STRATA_TLP_LOSS,	/* the probe repaired a loss: reduce cwnd once (7.4.2) */
};

/*
 * Probe timeout in µs from now (7.2); @rto_left_us: what the RTO has left;
 * @delack_us: a single segment is out, and a delayed ACK may hold it that long; 0: more are.
 */
u32 strata_tlp_pto(u32 srtt_us, u32 delack_us, u32 rto_left_us);
/* a probe left, SND.NXT is @nxt behind it */
void strata_tlp_sent(struct strata_tcp_tlp *t, u32 nxt, bool retrans);
/*
 * ACK (7.4.2). @dsack_end: the ACK has a D-SACK that ends at TLP.end_seq (else false);
 * @ts_newer: TSecr tells that the ACK answers the original; @plain_dup: ACK at
 * end_seq without SACK and data.
 */
enum strata_tlp_verdict strata_tlp_ack(struct strata_tcp_tlp *t, u32 ack, bool dsack_end,
				       bool ts_newer, bool plain_dup);

/* recovery states; values of TCP_CA_* (tcp_info.tcpi_ca_state) */
enum strata_ca_state {
	STRATA_CA_OPEN,
	STRATA_CA_DISORDER,	/* SACKs or duplicate ACKs, no loss yet (limited transmit) */
	STRATA_CA_CWR,		/* reducing for ECN or local congestion */
	STRATA_CA_RECOVERY,	/* fast recovery */
	STRATA_CA_LOSS,		/* after a retransmission timeout */
};

/* may a probe be scheduled (7.2): Open, nothing SACKed or lost, no probe out, SACK */
static inline bool strata_tlp_ok(const struct strata_tcp_tlp *t, const struct strata_tcp_scb *s,
				 int state)
{
	return s->sack_ok && s->packets_out && !t->sent && !s->sacked_out && !s->lost_out &&
	       (state == STRATA_CA_OPEN || state == STRATA_CA_CWR);
}

/* how the last reduction that was taken back proved spurious (counters) */
enum strata_undo {
	STRATA_UNDO_FULL,	/* at the end of fast recovery */
	STRATA_UNDO_PARTIAL,	/* in it, by a timestamp */
	STRATA_UNDO_DSACK,	/* all that went again arrived twice */
	STRATA_UNDO_LOSS,	/* a timeout */
	STRATA_UNDO_FRTO,	/* a timeout, by F-RTO */
};

struct strata_tcp_recovery {
	u8	state;		/* enum strata_ca_state */
	u8	undone;		/* enum strata_undo */
	u8	frto;		/* step of RFC 5682 3.1: 0 off, 2, 3 */
	bool	undo_ok;	/* undo_marker is valid */
	bool	stamp_ok;	/* retrans_stamp is valid */
	bool	cwr_due;	/* reduced: CWR on the next new data (RFC 3168 6.1.2) */
	bool	blameless;	/* LOSS without a reduction: the path's MTU fell */
	bool	reneged;	/* until it is over: SACKed data came back, rates mean nothing */
	u32	high_seq;	/* RecoveryPoint: SND.NXT when it began */
	u32	undo_marker;	/* SND.UNA when it began */
	u32	retrans_stamp;	/* TSval of the first retransmission (Eifel, RFC 3522) */
	/* RFC 6937 */
	u32	prior_cwnd;	/* cwnd at the start; stands for RecoverFS */
	u32	prr_delivered;
	/* segments sent in recovery; caller adds, see strata_prr_sent() */
	u32	prr_out;
};

/* what an ACK asks for, after strata_recovery_ack(); bits */
#define STRATA_REC_RETRANSMIT	0x01	/* retransmit LOST segments as cwnd allows */
#define STRATA_REC_MARK_HEAD	0x02	/* first: strata_scb_lost() of the first segment */
#define STRATA_REC_SEND_NEW	0x04	/* F-RTO 2b: send new data, at most 2, no retransmission */
#define STRATA_REC_CLEAR_LOST	0x08	/* undone: strata_scb_unlost() every segment */
#define STRATA_REC_ENTERED	0x10	/* fast recovery began (counters) */
#define STRATA_REC_UNDONE	0x20	/* was spurious (counters) */

/* an ACK, seen by recovery; scoreboard and RACK have digested it */
struct strata_rec_ack {
	u32	una;		/* SND.UNA before */
	u32	ack;		/* SND.UNA now */
	u32	nxt;		/* SND.NXT */
	u32	delivered;	/* segments newly ACKed or SACKed (scb.delivered's growth) */
	u32	tsecr;		/* valid if has_ts */
	bool	has_ts;
	u32	dsack_end;	/* strata_sack_in.dup.end; valid if has_dsack */
	bool	has_dsack;	/* accepted D-SACK; undo_retrans and dsack_dups count it here */
	u8	dsack_segs;	/* segments it covers */
	/* newly ACKed or SACKed: a segment never retransmitted, sent before high_seq */
	bool	orig_acked;
	bool	ece;		/* ECN-Echo, ECN in use */
	bool	can_send_new;	/* unsent data and window for it */
	bool	reneging;	/* the first segment out is SACKed: a timer decides, not this ACK */
	u64	now_us;
};

void strata_recovery_init(struct strata_tcp_recovery *rec);
/*
 * The state machine. Call once per ACK that acknowledges, SACKs or duplicates,
 * after cleaning the queue, marking SACKs, RACK. Enters Recovery (when anything is LOST,
 * or without SACK at DupThresh duplicates), leaves it at high_seq, handles
 * partial ACKs (RFC 6582), F-RTO and undo. Returns STRATA_REC_*. Then the caller calls
 * strata_recovery_cwnd().
 */
u32 strata_recovery_ack(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			struct strata_tcp_scb *s, const struct strata_rec_ack *a);
/* would strata_recovery_ack() of an ACK that ends no episode begin Recovery? */
bool strata_recovery_due(const struct strata_tcp_recovery *rec, const struct strata_tcp_scb *s);
/*
 * RTO fired. Before: the caller has marked every segment not SACKed with
 * strata_scb_lost(), but for those that strata_rack_recent() leaves out. Sets
 * cwnd to what is then in flight + 1, ssthresh on the first timeout of a segment.
 * @again: it fired before for @una; @frto: allow F-RTO (needs SACK).
 */
void strata_recovery_timeout(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			     struct strata_tcp_scb *s, u32 una, u32 nxt, bool again, bool frto,
			     u64 now_us);
/*
 * Reduce once per window for ECN, TLP or local congestion (state CWR); nothing
 * happens in CWR, Recovery and Loss.
 */
void strata_recovery_cwr(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			 struct strata_tcp_scb *s, u32 nxt, u64 now_us);
/* a retransmission left with TSval @tsval (all states) */
void strata_recovery_retransmitted(struct strata_tcp_recovery *rec, u32 tsval);
/* @segs segments left, new or not */
static inline void strata_prr_sent(struct strata_tcp_recovery *rec, u32 segs)
{
	rec->prr_out += segs;
}

/* F-RTO holds retransmissions back: send new data only */
static inline bool strata_frto_waiting(const struct strata_tcp_recovery *rec)
{
	return rec->frto == 3;
}

/*
 * Window after an ACK, or after the reordering timer: the ops' cong_control, else PRR in CWR and
 * Recovery (RFC 6937, SSRB), else cong_avoid when something was acknowledged. @verdict: of
 * strata_recovery_ack(), 0 without; @newly_lost: segments marked by this ACK.
 */
void strata_recovery_cwnd(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			  const struct strata_tcp_scb *s, const struct strata_cong_sample *cs,
			  u32 newly_lost, u32 verdict);

#endif /* _STRATA_TCP_REC_H */
