// SPDX-License-Identifier: GPL-2.0-only
/*
 * Selective acknowledgment.
 *
 * Receiver (RFC 2018 4, RFC 2883 4): a list of at most four ranges, the one that
 * grew last first, so that each range is repeated in several ACKs. A duplicate is
 * reported once, before the others.
 *
 * Sender: blocks are checked before anything believes them (RFC 2018 5, RFC 2883
 * 5), then the scoreboard counts, in segments, what is known of every
 * transmission:
 *
 *	packets_out	all between SND.UNA and SND.NXT
 *	sacked_out	of these the peer has
 *	lost_out	of these presumed lost; their retransmissions, if any,
 *			count in retrans_out too
 *	in flight	packets_out - sacked_out - lost_out + retrans_out
 *			("pipe", RFC 6675 4)
 *
 * The marks are in each struct strata_tcp_tx and only the functions here change
 * them, each with the counters that go with it. A segment is never SACKED and
 * LOST; RETRANS is cleared when the retransmission is delivered or lost.
 *
 * Without SACK a duplicate ACK says that some segment arrived, not which:
 * sacked_out counts them (RFC 6582 3.2 steps 3 and 4 inflate cwnd; here the
 * network is counted emptier, which is the same and needs no deflation).
 */
#include <linux/string.h>
#include "tcp_alg.h"

/* TCP flags that belong to one end of a range (RFC 9293 3.1) */
#define TH_FIN	0x01
#define TH_SYN	0x02
#define TH_PSH	0x08

/* receiver */

static bool touches(const struct strata_sack_block *b, u32 start, u32 end)
{
	return strata_seq_leq(b->start, end) && strata_seq_leq(start, b->end);
}

static void remove_at(struct strata_sack_rcv *r, unsigned int i)
{
	memmove(&r->block[i], &r->block[i + 1], (r->n - i - 1) * sizeof(r->block[0]));
	r->n--;
}

void strata_sack_rcv_add(struct strata_sack_rcv *r, u32 start, u32 end)
{
	unsigned int i = 0;

	if (!strata_seq_before(start, end))
		return;
	while (i < r->n) {
		if (!touches(&r->block[i], start, end)) {
			i++;
			continue;
		}
		if (strata_seq_before(r->block[i].start, start))
			start = r->block[i].start;
		if (strata_seq_after(r->block[i].end, end))
			end = r->block[i].end;
		remove_at(r, i);
		/* the wider range may touch one that was passed */
		i = 0;
	}
	if (r->n == STRATA_TCP_MAX_SACKS)
		r->n--;
	memmove(&r->block[1], &r->block[0], r->n * sizeof(r->block[0]));
	r->block[0].start = start;
	r->block[0].end = end;
	r->n++;
}

void strata_sack_rcv_advance(struct strata_sack_rcv *r, u32 rcv_nxt)
{
	unsigned int i = 0;

	while (i < r->n) {
		if (strata_seq_leq(r->block[i].end, rcv_nxt)) {
			remove_at(r, i);
			continue;
		}
		if (strata_seq_before(r->block[i].start, rcv_nxt))
			r->block[i].start = rcv_nxt;
		i++;
	}
}

void strata_sack_rcv_prune(struct strata_sack_rcv *r, u32 start, u32 end)
{
	unsigned int i = 0;

	while (i < r->n) {
		struct strata_sack_block *b = &r->block[i];

		if (strata_seq_leq(end, b->start) || strata_seq_leq(b->end, start)) {
			i++;
		} else if (strata_seq_before(b->start, start)) {
			b->end = start;
			i++;
		} else if (strata_seq_after(b->end, end)) {
			b->start = end;
			i++;
		} else {
			remove_at(r, i);
		}
	}
}

void strata_sack_rcv_dup(struct strata_sack_rcv *r, u32 start, u32 end)
{
	if (!strata_seq_before(start, end))
		return;
	/* RFC 2883 4.2.2, 4.2.3: of several the first is reported */
	if (r->has_dup && !touches(&r->dup, start, end))
		return;
	if (r->has_dup) {
		if (strata_seq_before(r->dup.start, start))
			start = r->dup.start;
		if (strata_seq_after(r->dup.end, end))
			end = r->dup.end;
	}
	r->dup.start = start;
	r->dup.end = end;
	r->has_dup = true;
}

unsigned int strata_sack_rcv_fill(struct strata_sack_rcv *r, struct strata_sack_block *out,
				  unsigned int max)
{
	unsigned int i, n = 0;

	if (!max)
		return 0;
	if (r->has_dup) {
		out[n++] = r->dup;
		r->has_dup = false;
	}
	for (i = 0; i < r->n && n < max; i++)
		out[n++] = r->block[i];
	return n;
}

/* sender: what came in */

static bool inside(const struct strata_sack_block *b, const struct strata_sack_block *outer)
{
	return strata_seq_leq(outer->start, b->start) && strata_seq_leq(b->end, outer->end);
}

/* RFC 2883 4: the first block lies below the cumulative ACK, or within the second block */
static bool is_dup(const struct strata_sack_block *block, unsigned int n, u32 ack)
{
	if (strata_seq_leq(block[0].end, ack))
		return true;
	return n > 1 && inside(&block[0], &block[1]) && strata_seq_leq(ack, block[1].start);
}

static void insert_sorted(struct strata_sack_in *in, struct strata_sack_block b)
{
	unsigned int i = in->n;

	while (i && strata_seq_after(in->block[i - 1].start, b.start)) {
		in->block[i] = in->block[i - 1];
		i--;
	}
	in->block[i] = b;
	in->n++;
}

static void merge_sorted(struct strata_sack_in *in)
{
	unsigned int i, k = 0;

	for (i = 1; i < in->n; i++) {
		if (strata_seq_leq(in->block[i].start, in->block[k].end)) {
			if (strata_seq_after(in->block[i].end, in->block[k].end))
				in->block[k].end = in->block[i].end;
		} else {
			in->block[++k] = in->block[i];
		}
	}
	if (in->n)
		in->n = k + 1;
}

void strata_sack_check(struct strata_sack_in *in, const struct strata_sack_block *block,
		       unsigned int n, u32 ack, u32 nxt, u32 max_wnd)
{
	unsigned int i = 0;

	in->n = 0;
	in->has_dup = false;
	if (n > STRATA_TCP_MAX_SACKS)
		n = STRATA_TCP_MAX_SACKS;

	if (n && strata_seq_before(block[0].start, block[0].end) && is_dup(block, n, ack)) {
		/* not if never sent, or so old that the number may be of another time */
		in->has_dup = strata_seq_leq(block[0].end, nxt) &&
			      (strata_seq_geq(block[0].start, ack) ||
			       ack - block[0].start <= max_wnd);
		in->dup = block[0];
		i = 1;
	}
	for (; i < n; i++) {
		if (!strata_seq_before(block[i].start, block[i].end) ||
		    !strata_seq_after(block[i].start, ack) ||
		    strata_seq_after(block[i].end, nxt))
			continue;
		insert_sorted(in, block[i]);
	}
	merge_sorted(in);
}

bool strata_sack_covers(const struct strata_sack_in *in, u32 seq, u32 end)
{
	unsigned int i;

	for (i = 0; i < in->n; i++)
		if (strata_seq_leq(in->block[i].start, seq) &&
		    strata_seq_leq(end, in->block[i].end))
			return true;
	return false;
}

/* sender: scoreboard */

void strata_scb_init(struct strata_tcp_scb *s, u32 reordering, bool sack_ok)
{
	memset(s, 0, sizeof(*s));
	s->reordering = reordering < 3 ? 3 : reordering;
	s->sack_ok = sack_ok;
}

static void clear_lost(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	if (tx->sacked & STRATA_TX_LOST) {
		tx->sacked &= ~STRATA_TX_LOST;
		s->lost_out -= tx->pcount;
	}
}

static void clear_retrans(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	if (tx->sacked & STRATA_TX_RETRANS) {
		tx->sacked &= ~STRATA_TX_RETRANS;
		s->retrans_out -= tx->pcount;
	}
}

/* without SACK the count of duplicate ACKs is a guess: keep it possible */
static void limit_sacked(struct strata_tcp_scb *s)
{
	u32 max = s->packets_out - s->lost_out;

	if (!s->sack_ok && s->sacked_out > max)
		s->sacked_out = max;
}

void strata_scb_sent(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	s->packets_out += tx->pcount;
}

void strata_scb_retrans(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	if (!(tx->sacked & STRATA_TX_RETRANS)) {
		tx->sacked |= STRATA_TX_RETRANS;
		s->retrans_out += tx->pcount;
	}
	tx->sacked |= STRATA_TX_EVER_RETRANS;
	if (tx->retrans < 0xff)
		tx->retrans++;
	s->total_retrans += tx->pcount;
	if (s->undo_retrans < 0)
		s->undo_retrans = 0;
	s->undo_retrans += tx->pcount;
}

bool strata_scb_sacked(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	if (tx->sacked & STRATA_TX_SACKED)
		return false;
	clear_lost(s, tx);
	clear_retrans(s, tx);
	if (!s->sacked_out || strata_seq_after(tx->end_seq, s->high_sack))
		s->high_sack = tx->end_seq;
	tx->sacked |= STRATA_TX_SACKED;
	s->sacked_out += tx->pcount;
	s->delivered += tx->pcount;
	return true;
}

bool strata_scb_lost(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	bool again = tx->sacked & STRATA_TX_RETRANS;

	if (tx->sacked & STRATA_TX_SACKED)
		return false;
	clear_retrans(s, tx);
	if (tx->sacked & STRATA_TX_LOST) {
		if (again)
			s->lost += tx->pcount;
		return again;
	}
	tx->sacked |= STRATA_TX_LOST;
	s->lost_out += tx->pcount;
	s->lost += tx->pcount;
	limit_sacked(s);
	return true;
}

void strata_scb_unlost(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	clear_lost(s, tx);
}

void strata_scb_unsack(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	if (tx->sacked & STRATA_TX_SACKED) {
		tx->sacked &= ~STRATA_TX_SACKED;
		s->sacked_out -= tx->pcount;
	}
}

u32 strata_scb_acked(struct strata_tcp_scb *s, struct strata_tcp_tx *tx)
{
	u32 fresh = tx->pcount;

	if (tx->sacked & STRATA_TX_SACKED) {
		s->sacked_out -= tx->pcount;
		fresh = 0;
	}
	clear_lost(s, tx);
	clear_retrans(s, tx);
	tx->sacked &= ~STRATA_TX_SACKED;
	s->packets_out -= tx->pcount;
	/* without SACK strata_scb_reno_acked() counts, it knows the duplicates */
	if (s->sack_ok)
		s->delivered += fresh;
	return fresh;
}

/* @segs segments of @tx are counted no more */
static void shrink(struct strata_tcp_scb *s, struct strata_tcp_tx *tx, u32 segs)
{
	if (tx->sacked & STRATA_TX_SACKED)
		s->sacked_out -= segs;
	if (tx->sacked & STRATA_TX_LOST)
		s->lost_out -= segs;
	if (tx->sacked & STRATA_TX_RETRANS)
		s->retrans_out -= segs;
	s->packets_out -= segs;
	tx->pcount -= segs;
}

u32 strata_scb_acked_part(struct strata_tcp_scb *s, struct strata_tcp_tx *tx, u32 segs, u32 una)
{
	u32 fresh = tx->sacked & STRATA_TX_SACKED ? 0 : segs;

	tx->seq = una;
	shrink(s, tx, segs);
	/* without SACK strata_scb_reno_acked() counts, it knows the duplicates */
	if (s->sack_ok)
		s->delivered += fresh;
	return fresh;
}

/* the counters follow @tx from @old segments to tx->pcount */
static void recount(struct strata_tcp_scb *s, const struct strata_tcp_tx *tx, u32 old)
{
	u32 diff = tx->pcount - old;	/* modulo 2^32 */

	s->packets_out += diff;
	if (tx->sacked & STRATA_TX_SACKED)
		s->sacked_out += diff;
	if (tx->sacked & STRATA_TX_LOST)
		s->lost_out += diff;
	if (tx->sacked & STRATA_TX_RETRANS)
		s->retrans_out += diff;
}

void strata_scb_split(struct strata_tcp_scb *s, struct strata_tcp_tx *tx,
		      struct strata_tcp_tx *tail, u32 at)
{
	u32 mss = tx->mss ? tx->mss : tx->end_seq - tx->seq;
	u32 old = tx->pcount;

	*tail = *tx;
	tail->seq = at;
	tx->end_seq = at;
	/* what stands at the end of the range goes with the tail */
	tx->flags &= ~(TH_FIN | TH_PSH);
	tail->flags &= ~TH_SYN;
	tx->bits &= ~(STRATA_TXB_EOR | STRATA_TXB_URG | STRATA_TXB_TSTAMP);

	tx->pcount = strata_tcp_pcount(at - tx->seq, mss);
	tail->pcount = strata_tcp_pcount(tail->end_seq - at, mss);
	recount(s, tx, old);
	recount(s, tail, 0);
	limit_sacked(s);
}

bool strata_scb_reordered(struct strata_tcp_scb *s, u32 end, u32 mss, u32 max)
{
	u32 dist, segs;

	if (!mss || !strata_seq_before(end, s->high_sack))
		return false;
	dist = s->high_sack - end;
	segs = (dist + mss - 1) / mss;
	if (segs > s->reordering)
		s->reordering = segs < max ? segs : max;
	s->reord_seen++;
	return true;
}

void strata_scb_reno_dupack(struct strata_tcp_scb *s)
{
	if (s->sacked_out + s->lost_out >= s->packets_out)
		return;
	s->sacked_out++;
	s->delivered++;
}

void strata_scb_reno_acked(struct strata_tcp_scb *s, u32 segs)
{
	if (!segs)
		return;
	/* of these all but the one that filled the hole had made duplicate ACKs */
	s->delivered += segs > s->sacked_out ? segs - s->sacked_out : 1;
	s->sacked_out -= segs - 1 < s->sacked_out ? segs - 1 : s->sacked_out;
	limit_sacked(s);
}
