// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sending side: the functions are those of tcp_ack.c, tcp_recover.c, tcp_rexmit.c,
 * tcp_output.c, tcp_timer.c and tcp_timeout.c in their order, without what needs a socket. Each
 * segment is an entry of its own, and there is always more to send until the end.
 */
#include "sim.h"

enum { TODO_DATA = 1, TODO_REXMIT = 2, TODO_TLP = 4 };

/* struct strata_ack_run */
struct run {
	struct strata_rate_sample rs;
	struct strata_sack_in	in;
	struct strata_rec_ack	rec;
	u64	first_us, last_us, sack_first_us, sack_last_us;
	u32	high_sack, reord_end;
	u32	prior_delivered, prior_lost, prior_in_flight;
	u32	acked_segs, rtt_us;
	bool	had_sacks, reordered, retrans_acked, newly_sacked, dup;
};

static u32 number(u32 seq)
{
	return (seq - ISS) / MSS;
}

static u32 seq_end(const struct sim_sender *s)
{
	return ISS + s->segs * MSS;
}

static u32 tsval(const struct sim_sender *s)
{
	return (u32)(s->mstamp_us / 1000);
}

/* the queue by time */

static void untime(struct sim_sender *s, u32 i)
{
	struct sim_seg *seg = &s->seg[i];

	if (!seg->timed)
		return;
	s->seg[seg->prev].next = seg->next;
	s->seg[seg->next].prev = seg->prev;
	seg->timed = false;
}

static void retime(struct sim_sender *s, u32 i)
{
	struct sim_seg *head = &s->seg[s->segs];

	untime(s, i);
	s->seg[i].prev = head->prev;
	s->seg[i].next = s->segs;
	s->seg[head->prev].next = i;
	head->prev = i;
	s->seg[i].timed = true;
}

void snd_init(struct sim_sender *s, const struct sim_cell *cell, struct sim_link *l, u32 wnd,
	      struct sim_result *res)
{
	struct strata_cong_sample cs = { .now_us = START_US, .una = ISS, .nxt = ISS, .mss = MSS };
	u32 i;

	memset(s, 0, sizeof(*s));
	s->link = l;
	s->lsndtime = START_US / TICK_US;
	s->segs = cell->segs;
	s->res = res;
	s->una = ISS;
	s->nxt = ISS;
	s->rexmit_seq = ISS;
	s->swnd.wnd = wnd;
	s->swnd.max = wnd;
	s->seg = calloc(cell->segs + 1, sizeof(*s->seg));
	if (!s->seg)
		abort();
	s->seg[s->segs].prev = s->segs;
	s->seg[s->segs].next = s->segs;
	for (i = 0; i < s->segs; i++) {
		s->seg[i].tx.seq = ISS + i * MSS;
		s->seg[i].tx.end_seq = ISS + (i + 1) * MSS;
		s->seg[i].tx.mss = MSS;
		s->seg[i].tx.pcount = 1;
	}
	strata_scb_init(&s->scb, 3, true);
	strata_rtt_init(&s->rtt);
	strata_rack_init(&s->rack);
	strata_recovery_init(&s->rec);
	/* the handshake's round trip */
	strata_rtt_min_update(&s->rtt, RTT_WINDOW_MS, START_US / 1000, cell->rtt_ms * 1000);
	strata_rtt_sample(&s->rtt, cell->rtt_ms * 1000, ISS, ISS);
	cs.srtt_us = strata_rtt_srtt(&s->rtt);
	cs.min_rtt_us = strata_rtt_min(&s->rtt);
	strata_cong_init(&s->cong, cell->ops);
	strata_cong_start(&s->cong, &cs, false);
}

void snd_exit(struct sim_sender *s)
{
	strata_cong_exit(&s->cong);
	free(s->seg);
}

/* tcp_timer.c */

static void timer_set(struct sim_sender *s, enum sim_timer kind, u64 after)
{
	s->timer_kind = kind;
	s->timer_expires = s->mstamp_us / TICK_US + (after ? after : 1);
}

static void timer_rearm(struct sim_sender *s)
{
	u32 rto = strata_rtt_rto(&s->rtt);

	if (s->scb.packets_out) {
		if (strata_tlp_ok(&s->tlp, &s->scb, s->rec.state))
			timer_set(s, TIMER_TLP, ticks(strata_tlp_pto(strata_rtt_srtt(&s->rtt),
								     s->scb.packets_out == 1 ?
								     STRATA_RTO_MIN_US : 0,
								     rto)));
		else
			timer_set(s, TIMER_RTO, ticks(rto));
	} else if (s->nxt != seq_end(s)) {
		timer_set(s, TIMER_PERSIST, ticks(rto));
	} else {
		s->timer_kind = TIMER_NONE;
	}
}

u64 snd_timer(const struct sim_sender *s)
{
	return s->timer_kind == TIMER_NONE ? NEVER : s->timer_expires * TICK_US;
}

/* tcp_output.c, tcp_rexmit.c */

static void xmit(struct sim_sender *s, struct sim_seg *seg)
{
	struct sim_data d = { .seq = seg->tx.seq, .tsval = tsval(s), .tsecr = s->peer_tsval };

	if (link_send(s->link, s->mstamp_us, &d))
		seg->arrives = true;
}

static bool window_open(const struct sim_sender *s)
{
	return s->nxt != seq_end(s) && (s32)(s->una + s->swnd.wnd - s->nxt) >= MSS;
}

static void send_new(struct sim_sender *s)
{
	struct sim_seg *seg = &s->seg[number(s->nxt)];

	xmit(s, seg);
	strata_rate_sent(&s->rate, &s->scb, &seg->tx, s->mstamp_us);
	strata_scb_sent(&s->scb, &seg->tx);
	strata_prr_sent(&s->rec, 1);
	retime(s, number(s->nxt));
	s->nxt = seg->tx.end_seq;
	s->lsndtime = s->mstamp_us / TICK_US;
}

static void send_again(struct sim_sender *s, struct sim_seg *seg)
{
	s->res->retrans++;
	if (seg->arrives)
		s->res->spurious++;
	xmit(s, seg);
	strata_rate_sent(&s->rate, &s->scb, &seg->tx, s->mstamp_us);
	strata_scb_retrans(&s->scb, &seg->tx);
	strata_recovery_retransmitted(&s->rec, tsval(s));
	strata_prr_sent(&s->rec, 1);
	retime(s, number(seg->tx.seq));
}

/* strata_tcp_rexmit() */
static void output_rexmit(struct sim_sender *s)
{
	bool sent = false;
	u32 i;

	if (s->scb.lost_out <= s->scb.retrans_out || strata_frto_waiting(&s->rec))
		return;
	if (strata_seq_before(s->rexmit_seq, s->una))
		s->rexmit_seq = s->una;
	for (i = number(s->rexmit_seq); i < number(s->nxt); i++) {
		struct sim_seg *seg = &s->seg[i];
		u8 marks = seg->tx.sacked & (STRATA_TX_SACKED | STRATA_TX_LOST | STRATA_TX_RETRANS);

		if (marks != STRATA_TX_LOST)
			continue;
		s->rexmit_seq = seg->tx.seq;
		if (strata_tcp_in_flight(&s->scb) >= s->cong.cwnd)
			break;
		send_again(s, seg);
		sent = true;
	}
	if (i == number(s->nxt))
		s->rexmit_seq = s->nxt;
	if (sent && s->timer_kind != TIMER_RTO && s->timer_kind != TIMER_REO)
		timer_rearm(s);
}

/* strata_tcp_send_tlp() */
static void output_tlp(struct sim_sender *s)
{
	bool again = false;

	if (s->tlp.sent || !s->scb.packets_out)
		return;
	if (window_open(s)) {
		send_new(s);
	} else {
		send_again(s, &s->seg[number(s->nxt) - 1]);
		again = true;
	}
	strata_tlp_sent(&s->tlp, s->nxt, again);
	s->res->probes++;
	timer_set(s, TIMER_RTO, ticks(strata_rtt_rto(&s->rtt)));
}

static void output_data(struct sim_sender *s)
{
	bool was_idle = !s->scb.packets_out, limited = false;
	u32 sent = 0, out;

	if (s->nxt == seq_end(s))
		return;
	if (was_idle) {
		strata_cong_idle(&s->cong, MSS, s->mstamp_us - s->lsndtime * TICK_US,
				 strata_rtt_rto(&s->rtt), s->mstamp_us);
		strata_cong_event(&s->cong, STRATA_CE_TX_START, s->mstamp_us);
	}
	while (window_open(s)) {
		if (strata_tcp_in_flight(&s->scb) >= s->cong.cwnd) {
			limited = true;
			break;
		}
		send_new(s);
		sent++;
	}
	out = strata_tcp_in_flight(&s->scb);
	if (sent)
		strata_cong_validate(&s->cong, s->una, s->nxt, out, limited || out >= s->cong.cwnd,
				     strata_rtt_rto(&s->rtt), s->mstamp_us, true);
	if (s->nxt == seq_end(s) && out < s->cong.cwnd && !limited)
		strata_rate_app_limited(&s->rate, &s->scb);
	if (sent ? was_idle || (s->timer_kind != TIMER_RTO && s->timer_kind != TIMER_REO) :
		   !s->scb.packets_out && s->timer_kind == TIMER_NONE)
		timer_rearm(s);
}

static void output(struct sim_sender *s)
{
	u32 todo = s->todo;

	s->todo = 0;
	if (todo & TODO_REXMIT)
		output_rexmit(s);
	if (todo & TODO_TLP)
		output_tlp(s);
	if (todo & TODO_DATA)
		output_data(s);
}

void snd_start(struct sim_sender *s, u64 now)
{
	s->mstamp_us = now;
	s->todo = TODO_DATA;
	output(s);
}

/* tcp_recover.c */

static void delivered(struct sim_sender *s, struct run *run, const struct strata_tcp_tx *tx,
		      bool sacked)
{
	bool retrans = tx->sacked & STRATA_TX_EVER_RETRANS, ts_older = false;
	u64 *first, *last;

	if (retrans && run->rec.tsecr)
		ts_older = strata_seq_before(run->rec.tsecr, (u32)(tx->xmit_us / 1000));
	strata_rate_delivered(&s->rate, &run->rs, tx, s->mstamp_us);
	strata_rack_update(&s->rack, tx, s->mstamp_us, strata_rtt_min(&s->rtt), ts_older);
	if (retrans) {
		if (!sacked)
			run->retrans_acked = true;
		return;
	}
	if (strata_seq_leq(tx->end_seq, s->rec.high_seq))
		run->rec.orig_acked = true;
	if (run->had_sacks && strata_seq_before(tx->seq, run->high_sack) &&
	    (!run->reordered || strata_seq_before(tx->end_seq, run->reord_end))) {
		run->reordered = true;
		run->reord_end = tx->end_seq;
	}
	first = sacked ? &run->sack_first_us : &run->first_us;
	last = sacked ? &run->sack_last_us : &run->last_us;
	if (!*first)
		*first = tx->xmit_us;
	*last = tx->xmit_us;
}

static void sack_block(struct sim_sender *s, struct run *run, u32 start, u32 end)
{
	u32 i;

	for (i = number(start); i < number(end); i++) {
		struct strata_tcp_tx *tx = &s->seg[i].tx;

		if (tx->sacked & STRATA_TX_SACKED)
			continue;
		delivered(s, run, tx, true);
		strata_scb_sacked(&s->scb, tx);
		untime(s, i);
		run->newly_sacked = true;
	}
}

static u32 sack_unseen(const struct sim_sender *s, const struct strata_sack_block *b)
{
	int i;

	for (i = 0; i < STRATA_TCP_MAX_SACKS; i++) {
		const struct strata_sack_block *seen = &s->sack_seen[i];

		if (seen->start != seen->end && strata_seq_leq(seen->start, b->start) &&
		    strata_seq_before(b->start, seen->end))
			return seen->end;
	}
	return b->start;
}

static void take_sack(struct sim_sender *s, struct run *run)
{
	int i;

	for (i = 0; i < run->in.n; i++) {
		u32 start = sack_unseen(s, &run->in.block[i]);

		if (strata_seq_before(start, run->in.block[i].end))
			sack_block(s, run, start, run->in.block[i].end);
	}
	memset(s->sack_seen, 0, sizeof(s->sack_seen));
	memcpy(s->sack_seen, run->in.block, run->in.n * sizeof(run->in.block[0]));
}

static void mark_lost(struct sim_sender *s, u32 i)
{
	if (!strata_scb_lost(&s->scb, &s->seg[i].tx))
		return;
	untime(s, i);
	if (strata_seq_before(s->seg[i].tx.seq, s->rexmit_seq))
		s->rexmit_seq = s->seg[i].tx.seq;
}

static u32 detect_loss(struct sim_sender *s)
{
	u32 reo_wnd, wait = 0, i, next;

	if (!s->rack.advanced)
		return 0;
	s->rack.advanced = false;
	reo_wnd = strata_rack_reo_wnd(&s->rack, &s->scb, s->rec.state >= STRATA_CA_RECOVERY,
				      true, strata_rtt_srtt(&s->rtt), strata_rtt_min(&s->rtt));
	for (i = s->seg[s->segs].next; i != s->segs; i = next) {
		u32 left = strata_rack_lost(&s->rack, &s->seg[i].tx, reo_wnd, s->mstamp_us);

		next = s->seg[i].next;
		if (left == STRATA_RACK_NEVER)
			break;
		if (!left)
			mark_lost(s, i);
		else if (left > wait)
			wait = left;
	}
	return wait;
}

static void clear_lost(struct sim_sender *s)
{
	u32 i;

	for (i = number(s->una); i < number(s->nxt); i++) {
		if (!(s->seg[i].tx.sacked & STRATA_TX_LOST))
			continue;
		strata_scb_unlost(&s->scb, &s->seg[i].tx);
		retime(s, i);
	}
	s->rexmit_seq = s->nxt;
}

static void fill_sample(struct sim_sender *s, const struct run *run, struct strata_cong_sample *cs)
{
	memset(cs, 0, sizeof(*cs));
	cs->now_us = s->mstamp_us;
	cs->acked = s->scb.delivered - run->prior_delivered;
	cs->lost = s->scb.lost - run->prior_lost;
	cs->rtt_us = run->rtt_us;
	cs->srtt_us = strata_rtt_srtt(&s->rtt);
	cs->min_rtt_us = strata_rtt_min(&s->rtt);
	cs->una = s->una;
	cs->nxt = s->nxt;
	cs->mss = MSS;
	cs->in_flight = strata_tcp_in_flight(&s->scb);
	cs->prior_in_flight = run->prior_in_flight;
	cs->delivered_total = s->scb.delivered;
	cs->prior_delivered = run->rs.prior_delivered;
	cs->delivered = run->rs.delivered;
	cs->interval_us = run->rs.interval_us;
	cs->app_limited = run->rs.app_limited;
	cs->cwnd_limited = strata_cong_is_limited(&s->cong);
	cs->una_advanced = run->rec.ack != run->rec.una;
}

/* strata_tcp_recover() */
static void recover(struct sim_sender *s, struct run *run)
{
	bool recovering = s->rec.state >= STRATA_CA_RECOVERY;
	struct strata_cong_sample cs;
	u32 verdict = 0;

	if (run->reordered)
		strata_scb_reordered(&s->scb, run->reord_end, MSS, MAX_REORDERING);
	run->rec.delivered = s->scb.delivered - run->prior_delivered;
	run->rec.can_send_new = window_open(s);
	if (s->cong.ops->in_ack) {
		fill_sample(s, run, &cs);
		s->cong.ops->in_ack(&s->cong, &cs);
	}
	if (run->rec.delivered || run->dup || run->rec.ack != run->rec.una || run->rec.has_dsack)
		verdict = strata_recovery_ack(&s->rec, &s->cong, &s->scb, &run->rec);
	if (recovering && s->rec.state < STRATA_CA_CWR)
		strata_rack_recovery_end(&s->rack);
	s->res->recoveries += !!(verdict & STRATA_REC_ENTERED);
	s->res->undone += !!(verdict & STRATA_REC_UNDONE);
	if (verdict & STRATA_REC_CLEAR_LOST)
		clear_lost(s);
	if (verdict & STRATA_REC_MARK_HEAD && s->scb.packets_out)
		mark_lost(s, number(s->una));
	if (verdict & STRATA_REC_RETRANSMIT)
		s->todo |= TODO_REXMIT;
	if (verdict & STRATA_REC_SEND_NEW)
		s->todo |= TODO_DATA;
	strata_rate_gen(&s->rate, &s->scb, &run->rs, strata_rtt_min(&s->rtt), false);
	fill_sample(s, run, &cs);
	strata_recovery_cwnd(&s->rec, &s->cong, &s->scb, &cs, cs.lost, verdict);
	strata_cong_update_pacing(&s->cong, MSS, strata_rtt_srtt(&s->rtt),
				  s->cong.cwnd > s->scb.packets_out ? s->cong.cwnd :
				  s->scb.packets_out, 200, 120);
}

static void rack_timeout(struct sim_sender *s)
{
	struct run run;
	u32 wait;

	memset(&run, 0, sizeof(run));
	run.rec.una = s->una;
	run.rec.ack = s->una;
	run.rec.nxt = s->nxt;
	run.rec.now_us = s->mstamp_us;
	run.prior_delivered = s->scb.delivered;
	run.prior_lost = s->scb.lost;
	run.prior_in_flight = strata_tcp_in_flight(&s->scb);
	run.dup = true;
	s->rack.advanced = true;
	wait = detect_loss(s);
	if (s->scb.lost != run.prior_lost)
		recover(s, &run);
	if (wait)
		timer_set(s, TIMER_REO, ticks(wait) + 1);
	else
		timer_rearm(s);
}

static void enter_loss(struct sim_sender *s)
{
	u32 i;

	/* the receiver never gives back what it has SACKed */
	for (i = number(s->una); i < number(s->nxt); i++)
		if (i == number(s->una) ||
		    !strata_rack_recent(&s->rack, &s->seg[i].tx, s->mstamp_us))
			mark_lost(s, i);
	s->rexmit_seq = s->una;
	strata_recovery_timeout(&s->rec, &s->cong, &s->scb, s->una, s->nxt, s->again, true,
				s->mstamp_us);
	s->tlp.sent = false;
	s->todo |= TODO_REXMIT | TODO_DATA;
}

void snd_timer_fired(struct sim_sender *s, u64 now)
{
	enum sim_timer kind = s->timer_kind;

	s->mstamp_us = now;
	s->timer_kind = TIMER_NONE;
	if (kind == TIMER_RTO && s->scb.packets_out) {
		s->res->timeouts++;
		enter_loss(s);
		s->again = true;
		strata_rtt_backoff(&s->rtt);
		timer_set(s, TIMER_RTO, ticks(strata_rtt_rto(&s->rtt)));
	} else if (kind == TIMER_TLP) {
		s->todo |= TODO_TLP;
	} else if (kind == TIMER_REO) {
		rack_timeout(s);
	} else if (kind == TIMER_PERSIST) {
		s->res->broken = "the window closed for good";
	}
	output(s);
}

/* tcp_ack.c */

static void clean_rtx(struct sim_sender *s, struct run *run, u32 from)
{
	u32 i;

	for (i = number(from); i < number(s->una); i++) {
		struct strata_tcp_tx *tx = &s->seg[i].tx;

		if (!(tx->sacked & STRATA_TX_SACKED))
			delivered(s, run, tx, false);
		run->acked_segs++;
		strata_scb_acked(&s->scb, tx);
		untime(s, i);
	}
}

static void advance(struct sim_sender *s, const struct sim_ack *a, struct run *run)
{
	u32 old_wnd = s->swnd.wnd, una = s->una;

	if (strata_seq_geq(a->ack, s->una))
		strata_wnd_snd_update(&s->swnd, s->una, a->ack, 0, a->wnd);
	if (!strata_seq_after(a->ack, s->una)) {
		run->dup = a->ack == s->una && old_wnd == s->swnd.wnd;
		return;
	}
	s->una = a->ack;
	s->again = false;
	clean_rtx(s, run, una);
}

static void measure_rtt(struct sim_sender *s, struct run *run)
{
	u64 now = s->mstamp_us;
	u32 rtt = 0, cc_rtt = 0;

	if (run->first_us && !run->retrans_acked) {
		rtt = now - run->first_us;
		cc_rtt = now - run->last_us;
	} else {
		if (run->rec.ack != run->rec.una && !run->in.has_dup && run->rec.tsecr) {
			u32 ms = tsval(s) - run->rec.tsecr;

			rtt = (ms ? ms : 1) * 1000;
		}
		cc_rtt = rtt;
		if (!rtt && run->sack_first_us) {
			rtt = now - run->sack_first_us;
			cc_rtt = now - run->sack_last_us;
		}
	}
	if (!rtt)
		return;
	run->rtt_us = cc_rtt ? cc_rtt : 1;
	strata_rtt_min_update(&s->rtt, RTT_WINDOW_MS, (u32)(now / 1000), run->rtt_us);
	strata_rtt_sample(&s->rtt, rtt, s->una, s->nxt);
}

static void check_tlp(struct sim_sender *s, const struct sim_ack *a, const struct run *run)
{
	bool dsack = run->in.has_dup && run->in.dup.end == s->tlp.end_seq;

	if (!s->tlp.sent || strata_tlp_ack(&s->tlp, a->ack, dsack, false, run->dup && !run->in.n &&
					   !run->in.has_dup) != STRATA_TLP_LOSS)
		return;
	strata_recovery_cwr(&s->rec, &s->cong, &s->scb, s->nxt, s->mstamp_us);
}

static void read_sack(struct sim_sender *s, const struct sim_ack *a, struct run *run)
{
	strata_sack_check(&run->in, a->sack, a->nsack, a->ack, s->nxt, s->swnd.max);
	if (!run->in.has_dup)
		return;
	run->rec.has_dsack = true;
	run->rec.dsack_segs = strata_tcp_pcount(run->in.dup.end - run->in.dup.start, MSS);
	run->rec.dsack_end = run->in.dup.end;
	strata_rack_dsack(&s->rack, s->una, s->nxt);
}

static void run_init(const struct sim_sender *s, const struct sim_ack *a, struct run *run)
{
	memset(run, 0, sizeof(*run));
	run->rec.una = s->una;
	run->rec.nxt = s->nxt;
	run->rec.now_us = s->mstamp_us;
	run->rec.has_ts = true;
	run->rec.tsecr = a->tsecr;
	run->prior_delivered = s->scb.delivered;
	run->prior_lost = s->scb.lost;
	run->prior_in_flight = strata_tcp_in_flight(&s->scb);
	run->rs.prior_in_flight = run->prior_in_flight;
	run->had_sacks = s->scb.sacked_out;
	run->high_sack = s->scb.high_sack;
}

/* strata_tcp_ack() */
void snd_ack(struct sim_sender *s, u64 now, const struct sim_ack *a)
{
	bool was_out = s->scb.packets_out;
	struct run run;
	u32 reo_us;

	s->mstamp_us = now;
	s->peer_tsval = a->tsval;
	run_init(s, a, &run);
	if (a->ack == s->una && !was_out) {
		strata_wnd_snd_update(&s->swnd, s->una, a->ack, 0, a->wnd);
		run.rec.ack = s->una;
		read_sack(s, a, &run);
		check_tlp(s, a, &run);
		if (run.in.has_dup)
			recover(s, &run);
		s->todo |= TODO_DATA;
		output(s);
		return;
	}
	advance(s, a, &run);
	run.rec.ack = s->una;
	if (a->nsack) {
		read_sack(s, a, &run);
		take_sack(s, &run);
	}
	if (was_out) {
		check_tlp(s, a, &run);
		measure_rtt(s, &run);
		reo_us = detect_loss(s);
		recover(s, &run);
		if (reo_us)
			timer_set(s, TIMER_REO, ticks(reo_us) + 1);
		else if (run.acked_segs || run.newly_sacked || run.rec.ack != run.rec.una ||
			 s->timer_kind == TIMER_REO)
			timer_rearm(s);
	}
	s->todo |= TODO_DATA;
	output(s);
}

const char *snd_check(const struct sim_sender *s, bool all)
{
	const struct strata_tcp_scb *b = &s->scb;
	u32 sacked = 0, lost = 0, retrans = 0, i;

	if (b->sacked_out + b->lost_out > b->packets_out)
		return "more is SACKed and lost than is out";
	if ((s32)strata_tcp_in_flight(b) < 0)
		return "less than nothing is in flight";
	if (b->retrans_out > b->packets_out)
		return "more is sent again than is out";
	if (!s->cong.cwnd)
		return "cwnd is 0";
	if (s->cong.ssthresh < 2)
		return "ssthresh is below 2";
	if (b->packets_out != number(s->nxt) - number(s->una))
		return "packets_out is not what is out";
	if (b->packets_out && s->timer_kind == TIMER_NONE)
		return "no timer for what is out";
	if (!all)
		return NULL;
	for (i = number(s->una); i < number(s->nxt); i++) {
		sacked += !!(s->seg[i].tx.sacked & STRATA_TX_SACKED);
		lost += !!(s->seg[i].tx.sacked & STRATA_TX_LOST);
		retrans += !!(s->seg[i].tx.sacked & STRATA_TX_RETRANS);
	}
	if (sacked != b->sacked_out || lost != b->lost_out || retrans != b->retrans_out)
		return "the counters are not what is marked";
	return NULL;
}
