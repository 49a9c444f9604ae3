// SPDX-License-Identifier: GPL-2.0-only
/*
 * RACK-TLP, RFC 8985: loss detection by time.
 *
 * A segment is lost when one sent sufficiently later was delivered: "later" is
 * the time of its last transmission (ties broken by sequence number, 6.2 step 2),
 * "sufficiently" the reordering window. The window is zero until reordering was
 * ever seen (then a quarter of the minimum RTT) and widens by a quarter with every
 * round trip in which a D-SACK reports a needless retransmission, up to SRTT; 16
 * recoveries without one take it back (step 4). So retransmissions of
 * retransmissions are found as any others.
 *
 * A tail loss probe (7) turns a lost tail, which no later segment can expose,
 * into one: the last segment again, or new data, after about two round trips.
 * Whether it repaired something is told by the ACKs that follow (7.4.2).
 */
#include <linux/string.h>
#include "tcp_alg.h"

#define REO_WND_PERSIST		16		/* recoveries, step 4 */
#define TLP_DEFAULT_US		1000000U	/* PTO without SRTT, 7.2 */
#define TLP_MIN_US		2000U		/* less is beyond the timers */

void strata_rack_init(struct strata_tcp_rack *r)
{
	memset(r, 0, sizeof(*r));
	r->reo_mult = 1;
}

/* RACK_sent_after() */
static bool sent_after(u64 t1, u32 seq1, u64 t2, u32 seq2)
{
	return t1 > t2 || (t1 == t2 && strata_seq_after(seq1, seq2));
}

void strata_rack_update(struct strata_tcp_rack *r, const struct strata_tcp_tx *tx, u64 now_us,
			u32 min_rtt_us, bool ts_older)
{
	/* sch_fq is gone, and nothing waited for its departure */
	u32 rtt = tx->xmit_us < now_us ? (u32)(now_us - tx->xmit_us) : 0;

	if (tx->sacked & STRATA_TX_SACKED)
		return;
	/* sent again, it may wait for its departure while the first copy is acknowledged */
	if (tx->sacked & STRATA_TX_EVER_RETRANS &&
	    (ts_older || tx->xmit_us > now_us || (min_rtt_us != ~0U && rtt < min_rtt_us)))
		return;

	r->advanced = true;
	if (r->xmit_us && !sent_after(tx->xmit_us, tx->end_seq, r->xmit_us, r->end_seq))
		return;
	r->xmit_us = tx->xmit_us;
	r->end_seq = tx->end_seq;
	r->rtt_us = rtt;
}

void strata_rack_dsack(struct strata_tcp_rack *r, u32 una, u32 nxt)
{
	if (r->round_busy && strata_seq_before(una, r->round_seq))
		return;
	r->round_busy = true;
	r->round_seq = nxt;
	if (r->reo_mult < 0xff)
		r->reo_mult++;
	r->reo_persist = REO_WND_PERSIST;
}

void strata_rack_recovery_end(struct strata_tcp_rack *r)
{
	if (r->reo_persist && !--r->reo_persist)
		r->reo_mult = 1;
}

u32 strata_rack_reo_wnd(const struct strata_tcp_rack *r, const struct strata_tcp_scb *s,
			bool in_recovery, bool dupthresh, u32 srtt_us, u32 min_rtt_us)
{
	u64 wnd;

	if (!s->reord_seen && (in_recovery || (dupthresh && s->sacked_out >= s->reordering)))
		return 0;
	if (min_rtt_us == ~0U)
		return 0;
	wnd = (u64)r->reo_mult * min_rtt_us / 4;
	return wnd < srtt_us ? (u32)wnd : srtt_us;
}

u32 strata_rack_lost(const struct strata_tcp_rack *r, const struct strata_tcp_tx *tx,
		     u32 reo_wnd_us, u64 now_us)
{
	u64 due;

	if (!r->xmit_us || !sent_after(r->xmit_us, r->end_seq, tx->xmit_us, tx->end_seq))
		return STRATA_RACK_NEVER;
	due = tx->xmit_us + r->rtt_us + reo_wnd_us;
	if (due <= now_us)
		return 0;
	return due - now_us < STRATA_RACK_NEVER ? (u32)(due - now_us) : STRATA_RACK_NEVER - 1;
}

bool strata_rack_recent(const struct strata_tcp_rack *r, const struct strata_tcp_tx *tx, u64 now_us)
{
	return tx->xmit_us + r->rtt_us > now_us;
}

u32 strata_tlp_pto(u32 srtt_us, u32 delack_us, u32 rto_left_us)
{
	u32 pto = TLP_DEFAULT_US;

	if (srtt_us) {
		pto = 2 * srtt_us;
		pto += delack_us ? delack_us : TLP_MIN_US;
	}
	return pto < rto_left_us ? pto : rto_left_us;
}

void strata_tlp_sent(struct strata_tcp_tlp *t, u32 nxt, bool retrans)
{
	t->sent = true;
	t->end_seq = nxt;
	t->retrans = retrans;
}

static enum strata_tlp_verdict tlp_end(struct strata_tcp_tlp *t, enum strata_tlp_verdict v)
{
	t->sent = false;
	return v;
}

enum strata_tlp_verdict strata_tlp_ack(struct strata_tcp_tlp *t, u32 ack, bool dsack_end,
				       bool ts_newer, bool plain_dup)
{
	if (!t->sent || strata_seq_before(ack, t->end_seq))
		return STRATA_TLP_NONE;
	/* new data as a probe: an ordinary transmission */
	if (!t->retrans)
		return tlp_end(t, STRATA_TLP_DONE);
	/* both copies arrived */
	if (dsack_end || ts_newer)
		return tlp_end(t, STRATA_TLP_DONE);
	/* beyond the probe without a word of a duplicate: the original was lost */
	if (strata_seq_after(ack, t->end_seq))
		return tlp_end(t, STRATA_TLP_LOSS);
	/* a second, plain ACK at end_seq is the duplicate's (no D-SACK there) */
	if (plain_dup)
		return tlp_end(t, STRATA_TLP_DONE);
	return STRATA_TLP_NONE;
}
