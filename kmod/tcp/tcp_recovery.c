// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recovery: what an ACK means for the window once something is, or seems, lost.
 *
 *	         SACKs, duplicate ACKs
 *	 OPEN ----------------------------> DISORDER      (limited transmit, RFC 3042:
 *	  |  ^        ECE  \                 |  |          each duplicate frees a place
 *	  |  |              v                |  |          in the network, so new data
 *	  |  +------------ CWR               |  | lost     goes out within cwnd)
 *	  |  high_seq       |  lost          |  v
 *	  |  +--------------+---------------> RECOVERY     fast retransmit, PRR (RFC 6937)
 *	  |  |                                  |
 *	  +--+--------------- RTO ------------> LOSS       slow start, F-RTO (RFC 5682)
 *
 * A reduction is made once per window of data: high_seq is SND.NXT at its start and
 * the state holds until that is acknowledged (without SACK: until something above
 * it is, RFC 6582 3.2 and 4). What is lost is decided elsewhere (RACK, RFC 8985,
 * or the duplicate ACK threshold); here only the counters are read.
 *
 * A reduction is taken back (RFC 4015, cwnd and ssthresh as before) when it proves
 * spurious: all retransmissions were reported as duplicates (D-SACK, RFC 3708),
 * the ACK that advances SND.UNA echoes a timestamp older than the first
 * retransmission (Eifel, RFC 3522), or F-RTO says so.
 *
 * F-RTO is the SACK-enhanced form (RFC 5682 3.1): rec->frto is the step that
 * waits for an ACK. The undo by D-SACK also works for a while after the recovery,
 * because a D-SACK needs a round trip.
 */
#include <linux/math64.h>
#include <linux/string.h>
#include "tcp_alg.h"

void strata_recovery_init(struct strata_tcp_recovery *rec)
{
	memset(rec, 0, sizeof(*rec));
}

static void set_state(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c, u8 state,
		      u64 now_us)
{
	if (c->ops->set_state)
		c->ops->set_state(c, state, now_us);
	rec->state = state;
	rec->blameless = false;
}

/* remember for undo, choose ssthresh, start PRR (RFC 6937 3) */
static void begin_reduction(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c, u64 now_us)
{
	c->prior_cwnd = c->cwnd;
	c->prior_ssthresh = c->ssthresh;
	c->cwnd_cnt = 0;
	c->ssthresh = c->ops->ssthresh(c, now_us);
	rec->prior_cwnd = c->cwnd;
	rec->prr_delivered = 0;
	rec->prr_out = 0;
	rec->cwr_due = true;
}

static void begin_undo(struct strata_tcp_recovery *rec, struct strata_tcp_scb *s, u32 una)
{
	rec->undo_marker = una;
	rec->undo_ok = true;
	rec->stamp_ok = false;
	/* 0 would mean: all were shown spurious */
	s->undo_retrans = s->retrans_out ? (s32)s->retrans_out : -1;
}

/* the reduction is complete: cwnd is ssthresh, whatever PRR left (RFC 6937 3) */
static void end_reduction(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c, u64 now_us)
{
	if (!c->ops->cong_control && c->ssthresh < STRATA_SSTHRESH_INF &&
	    (rec->state == STRATA_CA_CWR || rec->undo_ok)) {
		c->cwnd = c->ssthresh;
		c->cwnd_stamp_us = now_us;
	}
	strata_cong_event(c, STRATA_CE_CWR_DONE, now_us);
}

/* RFC 4015 3: as if nothing had happened */
static void undo(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c, u64 now_us,
		 enum strata_undo how)
{
	u32 cwnd;

	rec->undone = how;
	/* 0: ECE came meanwhile, so the reduction was due all the same (RFC 3168 6.1.2) */
	if (c->prior_ssthresh) {
		cwnd = c->ops->undo_cwnd(c);
		if (cwnd > c->cwnd)
			c->cwnd = cwnd;
		if (c->prior_ssthresh > c->ssthresh) {
			c->ssthresh = c->prior_ssthresh;
			rec->cwr_due = false;
		}
	}
	c->cwnd_stamp_us = now_us;
	rec->undo_ok = false;
	rec->stamp_ok = false;
	rec->frto = 0;
}

/* RFC 3522 3.2 (5): does the ACK answer a segment sent before the first retransmission? */
static bool eifel(const struct strata_tcp_recovery *rec, const struct strata_rec_ack *a)
{
	return rec->undo_ok && rec->stamp_ok && a->has_ts && strata_seq_after(a->ack, a->una) &&
	       strata_seq_before(a->tsecr, rec->retrans_stamp);
}

/* every retransmission was a duplicate */
static bool all_dsacked(const struct strata_tcp_recovery *rec, const struct strata_tcp_scb *s)
{
	return rec->undo_ok && !s->undo_retrans;
}

static void count_dsack(struct strata_tcp_recovery *rec, struct strata_tcp_scb *s,
			const struct strata_rec_ack *a)
{
	u32 segs = a->dsack_segs ? a->dsack_segs : 1;

	if (!a->has_dsack)
		return;
	s->dsack_dups += segs;
	/* more duplicates than retransmissions: the network makes them, they prove nothing */
	if (s->dsack_dups > s->total_retrans)
		return;
	if (rec->undo_ok && s->undo_retrans > 0 && strata_seq_after(a->dsack_end, rec->undo_marker))
		s->undo_retrans = (s32)segs < s->undo_retrans ? s->undo_retrans - (s32)segs : 0;
}

static void settle(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
		   const struct strata_tcp_scb *s, u64 now_us)
{
	u8 state = s->sacked_out || s->lost_out ? STRATA_CA_DISORDER : STRATA_CA_OPEN;

	if (rec->state != state)
		set_state(rec, c, state, now_us);
}

static bool is_lossy(const struct strata_tcp_scb *s)
{
	return s->lost_out || (!s->sack_ok && s->sacked_out >= s->reordering);
}

bool strata_recovery_due(const struct strata_tcp_recovery *rec, const struct strata_tcp_scb *s)
{
	return rec->state < STRATA_CA_CWR && is_lossy(s);
}

static u32 enter_recovery(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			  struct strata_tcp_scb *s, const struct strata_rec_ack *a)
{
	begin_undo(rec, s, a->ack);
	if (rec->state == STRATA_CA_CWR)
		c->prior_ssthresh = 0;	/* the peer's ECE stands, whatever becomes of this */
	else
		begin_reduction(rec, c, a->now_us);
	if (a->ece)
		c->prior_ssthresh = 0;
	set_state(rec, c, STRATA_CA_RECOVERY, a->now_us);
	rec->high_seq = a->nxt;
	return STRATA_REC_ENTERED | STRATA_REC_RETRANSMIT |
	       (s->lost_out ? 0 : STRATA_REC_MARK_HEAD);
}

void strata_recovery_cwr(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			 struct strata_tcp_scb *s, u32 nxt, u64 now_us)
{
	if (rec->state >= STRATA_CA_CWR)
		return;
	rec->undo_ok = false;
	begin_reduction(rec, c, now_us);
	set_state(rec, c, STRATA_CA_CWR, now_us);
	rec->high_seq = nxt;
}

/* nothing is lost: Open or Disorder, unless ECE asks for a reduction (RFC 3168 6.1.2) */
static void calm(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
		 struct strata_tcp_scb *s, const struct strata_rec_ack *a)
{
	if (!a->ece || rec->state > STRATA_CA_DISORDER)
		settle(rec, c, s, a->now_us);
	if (a->ece)
		strata_recovery_cwr(rec, c, s, a->nxt, a->now_us);
}

static u32 ack_open(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
		    struct strata_tcp_scb *s, const struct strata_rec_ack *a)
{
	u32 todo = 0;

	/* RFC 5681 3.2: duplicate ACKs are counted from the last that was none */
	if (!s->sack_ok && a->ack != a->una)
		s->sacked_out = 0;
	if (all_dsacked(rec, s)) {
		undo(rec, c, a->now_us, STRATA_UNDO_DSACK);
		todo = STRATA_REC_UNDONE;
	}
	if (is_lossy(s))
		return todo | enter_recovery(rec, c, s, a);
	calm(rec, c, s, a);
	return todo;
}

static u32 ack_cwr(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
		   struct strata_tcp_scb *s, const struct strata_rec_ack *a)
{
	if (is_lossy(s))
		return enter_recovery(rec, c, s, a);
	/* RFC 3168 6.1.2: once per window; something sent after the reduction is acknowledged */
	if (strata_seq_after(a->ack, rec->high_seq)) {
		end_reduction(rec, c, a->now_us);
		calm(rec, c, s, a);
	}
	return 0;
}

static u32 leave_spurious(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			  struct strata_tcp_scb *s, const struct strata_rec_ack *a,
			  enum strata_undo how)
{
	undo(rec, c, a->now_us, how);
	/* the caller clears the marks, so nothing counts as lost */
	set_state(rec, c, s->sacked_out ? STRATA_CA_DISORDER : STRATA_CA_OPEN, a->now_us);
	return STRATA_REC_UNDONE | STRATA_REC_CLEAR_LOST;
}

/* everything that was out when the episode began is acknowledged */
static bool episode_over(const struct strata_tcp_recovery *rec, const struct strata_tcp_scb *s,
			 const struct strata_rec_ack *a)
{
	if (s->sack_ok)
		return strata_seq_geq(a->ack, rec->high_seq);
	/* RFC 6582 4: duplicates of what was sent before must not start another one */
	return strata_seq_after(a->ack, rec->high_seq);
}

static u32 ack_recovery(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			struct strata_tcp_scb *s, const struct strata_rec_ack *a)
{
	if (episode_over(rec, s, a)) {
		u32 todo = 0;

		if (eifel(rec, a) || all_dsacked(rec, s)) {
			undo(rec, c, a->now_us, STRATA_UNDO_FULL);
			todo = STRATA_REC_UNDONE;
		} else {
			end_reduction(rec, c, a->now_us);
		}
		if (is_lossy(s)) {
			settle(rec, c, s, a->now_us);
			return todo | enter_recovery(rec, c, s, a);
		}
		calm(rec, c, s, a);
		return todo;
	}
	/* other retransmissions that are out may have been needed: wait for the end */
	if (!s->retrans_out && eifel(rec, a))
		return leave_spurious(rec, c, s, a, STRATA_UNDO_PARTIAL);
	if (!s->lost_out && all_dsacked(rec, s))
		return leave_spurious(rec, c, s, a, STRATA_UNDO_DSACK);
	/* RFC 6582 3.2 step 3: a partial ACK shows the next hole */
	if (!s->sack_ok && strata_seq_after(a->ack, a->una) && s->packets_out)
		return STRATA_REC_MARK_HEAD | STRATA_REC_RETRANSMIT;
	return s->lost_out ? STRATA_REC_RETRANSMIT : 0;
}

/* RFC 5682 3.1; true if the ACK was F-RTO's, with *@todo */
static bool ack_frto(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
		     struct strata_tcp_scb *s, const struct strata_rec_ack *a, u32 *todo)
{
	bool advanced = strata_seq_after(a->ack, a->una);

	if (rec->frto == 2) {
		/* duplicates only update the scoreboard: wait for the retransmission's ACK */
		if (!advanced) {
			*todo = 0;
			return true;
		}
		/* 2a: the retransmission repaired everything, or 2b is impossible */
		if (strata_seq_geq(a->ack, rec->high_seq) || !a->can_send_new) {
			rec->frto = 0;
			return false;
		}
		rec->frto = 3;
		*todo = STRATA_REC_SEND_NEW;
		return true;
	}
	/* 3b: data never retransmitted arrives, so the timeout was spurious */
	if (a->orig_acked) {
		*todo = leave_spurious(rec, c, s, a, STRATA_UNDO_FRTO);
		return true;
	}
	/* 3a */
	rec->frto = 0;
	return false;
}

static u32 ack_loss(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
		    struct strata_tcp_scb *s, const struct strata_rec_ack *a)
{
	u32 todo;

	if (eifel(rec, a))
		return leave_spurious(rec, c, s, a, STRATA_UNDO_LOSS);
	if (rec->frto && ack_frto(rec, c, s, a, &todo))
		return todo;
	if (episode_over(rec, s, a)) {
		todo = 0;
		if (all_dsacked(rec, s)) {
			undo(rec, c, a->now_us, STRATA_UNDO_LOSS);
			todo = STRATA_REC_UNDONE;
		}
		if (is_lossy(s)) {
			settle(rec, c, s, a->now_us);
			return todo | enter_recovery(rec, c, s, a);
		}
		calm(rec, c, s, a);
		return todo;
	}
	return s->lost_out ? STRATA_REC_RETRANSMIT : 0;
}

u32 strata_recovery_ack(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			struct strata_tcp_scb *s, const struct strata_rec_ack *a)
{
	count_dsack(rec, s, a);
	if (a->ece)
		c->prior_ssthresh = 0;
	if (a->reneging)
		return 0;

	switch (rec->state) {
	case STRATA_CA_CWR:
		return ack_cwr(rec, c, s, a);
	case STRATA_CA_RECOVERY:
		return ack_recovery(rec, c, s, a);
	case STRATA_CA_LOSS:
		return ack_loss(rec, c, s, a);
	default:
		return ack_open(rec, c, s, a);
	}
}

void strata_recovery_timeout(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			     struct strata_tcp_scb *s, u32 una, u32 nxt, bool again, bool frto,
			     u64 now_us)
{
	bool beyond = rec->state <= STRATA_CA_DISORDER || strata_seq_geq(una, rec->high_seq);
	/* RFC 5681 3.1: ssthresh stays if the same segment times out again, not if another does */
	bool fresh = beyond || rec->blameless || (rec->state == STRATA_CA_LOSS && !again);
	/*
	 * RFC 5682 3.1 (1): not below the RecoveryPoint of a recovery, fast or after a timeout;
	 * but F-RTO that still waits for its first ACK begins again
	 */
	bool detect = beyond || rec->frto == 2;

	if (fresh) {
		begin_reduction(rec, c, now_us);
		begin_undo(rec, s, una);
	}
	if (!s->sack_ok)
		s->sacked_out = 0;
	rec->frto = frto && s->sack_ok && detect ? 2 : 0;
	set_state(rec, c, STRATA_CA_LOSS, now_us);
	rec->high_seq = nxt;
	rec->cwr_due = true;
	/* RFC 5681 3.1: loss window; what was sent too lately to be marked stays in flight */
	c->cwnd = strata_tcp_in_flight(s) + 1;
	c->cwnd_cnt = 0;
	c->cwnd_stamp_us = now_us;
	strata_cong_event(c, STRATA_CE_LOSS, now_us);
}

void strata_recovery_retransmitted(struct strata_tcp_recovery *rec, u32 tsval)
{
	if (rec->state < STRATA_CA_RECOVERY || rec->stamp_ok)
		return;
	rec->stamp_ok = true;
	rec->retrans_stamp = tsval;
}

/*
 * RFC 6937 3.1; slow start part (SSRB) only while the ACK shows progress and no new loss. Where the
 * reordering timer begins it no ACK has come: what the timer waited behind, delivered just before,
 * stands for one segment, as native counts
 */
static void prr(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
		const struct strata_tcp_scb *s, const struct strata_cong_sample *cs,
		u32 newly_lost, u32 verdict)
{
	u32 acked = cs->acked ? cs->acked : !!(verdict & STRATA_REC_ENTERED);
	u32 pipe = strata_tcp_in_flight(s);
	s32 sndcnt;

	if (!acked || !rec->prior_cwnd)
		return;
	rec->prr_delivered += acked;
	if (pipe > c->ssthresh) {
		u64 due = (u64)c->ssthresh * rec->prr_delivered + rec->prior_cwnd - 1;

		sndcnt = (s32)((u32)div_u64(due, rec->prior_cwnd) - rec->prr_out);
	} else {
		s32 room = (s32)(c->ssthresh - pipe);

		sndcnt = (s32)(rec->prr_delivered - rec->prr_out);
		if (sndcnt < (s32)acked)
			sndcnt = (s32)acked;
		if (cs->una_advanced && !newly_lost)
			sndcnt++;
		if (sndcnt > room)
			sndcnt = room;
	}
	/* the fast retransmit itself is never held back */
	if ((verdict & STRATA_REC_RETRANSMIT) && !rec->prr_out && sndcnt < 1)
		sndcnt = 1;
	c->cwnd = pipe + (sndcnt > 0 ? (u32)sndcnt : 0);
	if (!c->cwnd)
		c->cwnd = 1;
}

void strata_recovery_cwnd(struct strata_tcp_recovery *rec, struct strata_tcp_cong *c,
			  const struct strata_tcp_scb *s, const struct strata_cong_sample *cs,
			  u32 newly_lost, u32 verdict)
{
	if (cs->acked && c->ops->acked)
		c->ops->acked(c, cs);
	if (c->ops->cong_control) {
		c->ops->cong_control(c, cs, rec->state);
		return;
	}
	if (rec->state == STRATA_CA_CWR || rec->state == STRATA_CA_RECOVERY)
		prr(rec, c, s, cs, newly_lost, verdict);
	else if (cs->acked && (cs->una_advanced || s->reord_seen) && !cs->only_dup &&
		 c->ops->cong_avoid)
		c->ops->cong_avoid(c, cs);
}
