// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delivery rate estimation (draft-ietf-ccwg-bbr 4.1; the draft of Cheng and
 * Cardwell before it).
 *
 * Each transmission notes how much had been delivered, and when, at the time it
 * left. When it is acknowledged, the difference is what the network delivered
 * during its flight. The time is the longer of two: that of sending the flight
 * and that of the ACKs for it, since either may be compressed. A sample taken
 * while the application had nothing to send is a lower bound, and marked.
 */
#include "tcp_alg.h"

void strata_rate_sent(struct strata_tcp_rate *r, const struct strata_tcp_scb *s,
		      struct strata_tcp_tx *tx, u64 now_us)
{
	/* nothing in flight: a new flight starts, idle time is not part of it */
	if (!s->packets_out) {
		r->first_us = now_us;
		r->delivered_us = now_us;
	}
	tx->xmit_us = now_us;
	tx->first_us = r->first_us;
	tx->delivered_us = r->delivered_us;
	tx->delivered = s->delivered;
	tx->in_flight = strata_tcp_in_flight(s) + tx->pcount;
	if (r->app_limited)
		tx->bits |= STRATA_TXB_APP_LIMITED;
	else
		tx->bits &= ~STRATA_TXB_APP_LIMITED;
}

void strata_rate_delivered(struct strata_tcp_rate *r, struct strata_rate_sample *rs,
			   const struct strata_tcp_tx *tx, u64 now_us)
{
	/* SACKed before: it has had its sample */
	if (tx->sacked & STRATA_TX_SACKED || !tx->delivered_us)
		return;

	r->delivered_us = now_us;
	/* the newest of those that this ACK delivers */
	if (rs->prior_us && (tx->xmit_us < rs->xmit_us ||
			     (tx->xmit_us == rs->xmit_us &&
			      !strata_seq_after(tx->end_seq, rs->end_seq))))
		return;
	rs->prior_us = tx->delivered_us;
	rs->prior_delivered = tx->delivered;
	rs->xmit_us = tx->xmit_us;
	rs->end_seq = tx->end_seq;
	rs->send_us = (u32)(tx->xmit_us - tx->first_us);
	rs->app_limited = tx->bits & STRATA_TXB_APP_LIMITED;
	rs->retrans = tx->sacked & STRATA_TX_EVER_RETRANS;
	r->first_us = tx->xmit_us;
}

void strata_rate_init(struct strata_tcp_rate *r)
{
	/* the pipe is not full before the first ACK */
	*r = (struct strata_tcp_rate) { .app_limited = ~0U, .rate_app_limited = true };
}

void strata_rate_gen(struct strata_tcp_rate *r, const struct strata_tcp_scb *s,
		     struct strata_rate_sample *rs, u32 min_rtt_us, bool reneging)
{
	u32 ack_us;

	if (r->app_limited && strata_seq_after(s->delivered, r->app_limited))
		r->app_limited = 0;

	rs->delivered = -1;
	rs->interval_us = 0;
	/* nothing delivered, or SACKed data came back: the count means nothing */
	if (!rs->prior_us || reneging)
		return;

	ack_us = (u32)(r->delivered_us - rs->prior_us);
	rs->interval_us = ack_us > rs->send_us ? ack_us : rs->send_us;
	/* faster than the path's minimum: ACKs of a retransmission's original */
	if (!rs->interval_us || (min_rtt_us != ~0U && rs->interval_us < min_rtt_us)) {
		rs->interval_us = 0;
		return;
	}
	rs->delivered = (s32)(s->delivered - rs->prior_delivered);

	/* for tcp_info: an application-limited sample only if it is higher */
	if (!rs->app_limited || !r->rate_interval_us ||
	    (u64)rs->delivered * r->rate_interval_us >=
	    (u64)r->rate_delivered * rs->interval_us) {
		r->rate_delivered = rs->delivered;
		r->rate_interval_us = rs->interval_us;
		r->rate_app_limited = rs->app_limited;
	}
}

void strata_rate_app_limited(struct strata_tcp_rate *r, const struct strata_tcp_scb *s)
{
	u32 mark = s->delivered + strata_tcp_in_flight(s);

	r->app_limited = mark ? mark : 1;
}
