// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fifth step of RFC 9293 3.10.7.4: what the ACK field, the window and the SACK
 * option of a segment change on the sending side.
 *
 *   is the number acceptable                  3.10.7.4, RFC 5961 5.2
 *   SND.WND, SND.WL1                          3.10.7.4
 *   SND.UNA, the retransmit queue             3.10.7.4
 *   SACK blocks, losses, recovery, cwnd       tcp_recover.c
 *   round trip time                           RFC 6298 with Karn's rule, RFC 7323 4
 *   the retransmission timer                  RFC 6298 5, 8985 7.2
 *
 * The decisions are the pure files'; this file walks the queues for them.
 *
 * locking: the socket lock.
 */

#include "tcp_int.h"

/*
 * RFC 9293 3.10.7.4, RFC 5961 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT; as native, what
 * lies below the ISS was never sent, and is no old acknowledgment
 */
static enum skb_drop_reason ack_acceptable(struct strata_tcp_sock *tp, u32 ack)
{
	u32 old = min_t(u64, tp->swnd.max, tp->bytes_acked);

	if (strata_seq_after(ack, tp->snd.nxt)) {
		tp->todo |= STRATA_TODO_CHALLENGE;
		return SKB_DROP_REASON_TCP_ACK_UNSENT_DATA;
	}
	if (strata_seq_before(ack, tp->snd.una) && strata_seq_before(ack, tp->snd.una - old)) {
		tp->todo |= STRATA_TODO_CHALLENGE;
		return SKB_DROP_REASON_TCP_TOO_OLD_ACK;
	}
	return SKB_NOT_DROPPED_YET;
}

/* the first segments of a large entry are acknowledged: they leave it */
static void clean_part(struct sock *sk, struct strata_ack_run *run, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	u32 segs, len;

	if (tx->pcount <= 1 || !strata_seq_after(tp->snd.una, tx->seq))
		return;
	segs = (tp->snd.una - tx->seq) / tx->mss;
	len = segs * tx->mss;
	if (!segs || segs >= tx->pcount || strata_tcp_tx_trim_head(sk, skb, len))
		return;
	strata_tcp_delivered(sk, run, tx, false);
	strata_scb_acked_part(&tp->scb, tx, segs, tx->seq + len);
	run->acked_segs += segs;
}

/* all that lies below SND.UNA leaves the retransmit queue */
static void clean_rtx(struct sock *sk, const struct strata_tcp_seg *seg,
		      struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb, *next;

	for (skb = strata_tcp_rtx_head(sk); skb; skb = next) {
		struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);

		if (unlikely(tx->bits & STRATA_TXB_TSTAMP))
			strata_tcp_tstamp_acked(sk, skb, strata_tcp_seg_skb(seg), run->rec.una);
		if (strata_seq_after(tx->end_seq, tp->snd.una)) {
			clean_part(sk, run, skb);
			break;
		}
		next = skb_rb_next(skb);
		if (!(tx->sacked & STRATA_TX_SACKED))
			strata_tcp_delivered(sk, run, tx, false);
		run->acked_segs += tx->pcount;
		strata_scb_acked(&tp->scb, tx);
		strata_tcp_rtx_free(sk, skb);
	}
	if (!skb)
		strata_chrono_stop(&tp->chrono, STRATA_CHRONO_BUSY, strata_tcp_tx_idle(sk),
				   tp->mstamp_us);
	if (!tp->sack_ok)
		strata_scb_reno_acked(&tp->scb, run->acked_segs);
}

/* SEG.WND, SND.UNA and what hangs on them */
static void advance(struct sock *sk, const struct strata_tcp_seg *seg, struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 wnd = strata_tcp_seg_wnd(tp, seg);
	u32 old_wnd = tp->swnd.wnd;
	u32 acked = seg->ack - tp->snd.una;

	if (strata_seq_geq(seg->ack, tp->snd.una))
		strata_wnd_snd_update(&tp->swnd, tp->snd.una, seg->ack, seg->seq, wnd);
	if ((s32)acked <= 0) {
		run->dup = !acked && old_wnd == tp->swnd.wnd && seg->seq == seg->end_seq;
		return;
	}
	tp->bytes_acked += acked;
	if (seg->seq != seg->end_seq)
		tp->ack.pending |= STRATA_ACK_ANSWER;
	if (strata_seq_before(tp->snd.up, seg->ack))
		tp->snd.up = seg->ack;
	tp->snd.una = seg->ack;
	tp->retries = 0;
	tp->retrans_start_us = 0;
	strata_neigh_confirm(tp->ep.path.neigh);
	clean_rtx(sk, seg, run);
}

/* RFC 7323 4.2: the round trip by the echoed timestamp, µs (its clock ticks in ms); 0: none */
static u32 ts_rtt(const struct strata_tcp_sock *tp, const struct strata_ack_run *run)
{
	u32 ms;

	if (!run->rec.has_ts || !run->rec.tsecr)
		return 0;
	ms = strata_tcp_ts_now(tp) - run->rec.tsecr;
	if (ms > STRATA_RTO_MAX_US / USEC_PER_MSEC)
		return 0;
	return max_t(u32, ms, 1) * USEC_PER_MSEC;
}

static void measure_rtt(struct sock *sk, struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u64 now = tp->mstamp_us;
	u32 rtt = 0, cc_rtt = 0;

	/* 0: none; after now: sch_fq is gone, and nothing waited for its departure */
	if (run->last_us - 1 < now && !run->retrans_acked) {
		rtt = now - run->first_us;
		cc_rtt = now - run->last_us;
	} else {
		/*
		 * A SACK may be late, its first report lost: where SND.UNA has moved, the
		 * echoed timestamp is of the very segment that moved it. But not if the ACK
		 * reports a copy (RFC 2883): then the ACK of the first was lost, the copy asked
		 * for this one, and the timestamp is the first's still (RFC 7323 4.3). Its age
		 * is our own timeouts; taken for a round trip they would feed on themselves
		 */
		if (run->rec.ack != run->rec.una && !run->in.has_dup)
			rtt = ts_rtt(tp, run);
		cc_rtt = rtt;
		if (!rtt && run->sack_last_us - 1 < now) {
			rtt = now - run->sack_first_us;
			cc_rtt = now - run->sack_last_us;
		}
	}
	if (!rtt)
		return;
	run->rtt_us = max_t(u32, cc_rtt, 1);
	strata_rtt_min_update(&tp->rtt,
			      READ_ONCE(strata_sk_net(sk)->conf.tcp_min_rtt_wlen) * MSEC_PER_SEC,
			      (u32)div_u64(now, USEC_PER_MSEC), run->rtt_us);
	strata_rtt_sample(&tp->rtt, rtt, tp->snd.una, tp->snd.nxt);
}

/* RFC 8985 7.4: did the answer to a tail loss probe show a loss that it repaired? */
static void check_tlp(struct sock *sk, const struct strata_tcp_seg *seg,
		      const struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool dsack = run->in.has_dup && run->in.dup.end == tp->tlp.end_seq;

	if (!tp->tlp.sent)
		return;
	if (strata_tlp_ack(&tp->tlp, seg->ack, dsack, false,
			   run->dup && !run->in.n && !run->in.has_dup) != STRATA_TLP_LOSS)
		return;
	strata_recovery_cwr(&tp->rec, &tp->cong, &tp->scb, tp->snd.nxt, tp->mstamp_us);
	strata_inc(strata_sk_net(sk), TCPEXT_LOSSPROBERECOVERY);
}

/* RFC 2883: a D-SACK came. It proves something if we sent again what came twice, not the network */
static void take_dsack(struct sock *sk, struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 end = run->in.dup.end;
	u32 segs = strata_tcp_pcount(end - run->in.dup.start, tp->snd.mss);

	run->rec.has_dsack = true;
	run->rec.dsack_segs = min_t(u32, 255, segs);
	run->rec.dsack_end = end;
	if (tp->scb.dsack_dups + run->rec.dsack_segs > tp->scb.total_retrans)
		return;
	/* a needless retransmission was delivered, too */
	tp->scb.delivered += run->rec.dsack_segs;
	/*
	 * RFC 8985 6.2 step 4: RACK was hasty. As native only where there is reordering at all, and
	 * not by a probe of the tail, which a timer sent
	 */
	if (tp->scb.reord_seen && !(tp->tlp.sent && segs <= 1 && end == tp->tlp.end_seq) &&
	    !(READ_ONCE(strata_sk_net(sk)->conf.tcp_recovery) & STRATA_RACK_STATIC))
		strata_rack_dsack(&tp->rack, tp->snd.una, tp->snd.nxt);
}

/* RFC 2018 4, 2883: read and check the blocks */
static void read_sack(struct sock *sk, struct sk_buff *skb, struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct strata_sack_block block[STRATA_TCP_MAX_SACKS];
	unsigned int n;

	n = strata_tcp_read_sack(skb_transport_header(skb), &seg->opts, block);
	/* an ACK that was overtaken: what it SACKs may lie below SND.UNA and is no duplicate */
	strata_sack_check(&run->in, block, n, seg->ack, tp->snd.nxt, tp->swnd.max);
	if (!run->in.has_dup)
		return;
	take_dsack(sk, run);
	if (strata_seq_before(run->in.dup.start, seg->ack))
		strata_inc(strata_sk_net(sk), TCPEXT_DSACKRECV);
	else
		strata_inc(strata_sk_net(sk), TCPEXT_DSACKOFORECV);
}

static void run_init(struct sock *sk, const struct strata_tcp_seg *seg,
		     struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	memset(run, 0, sizeof(*run));
	run->rec.una = tp->snd.una;
	run->rec.nxt = tp->snd.nxt;
	run->rec.now_us = tp->mstamp_us;
	run->rec.has_ts = tp->ts_ok && (seg->opts.flags & STRATA_OPT_TS);
	run->rec.tsecr = seg->opts.tsecr;
	run->prior_delivered = tp->scb.delivered;
	run->prior_lost = tp->scb.lost;
	run->prior_in_flight = strata_tcp_in_flight(&tp->scb);
	run->rs.prior_in_flight = run->prior_in_flight;
	run->had_sacks = tp->sack_ok && tp->scb.sacked_out;
	run->high_sack = tp->scb.high_sack;
}

/*
 * RFC 2018 8: SACKed, but not acknowledged with what is below it: dropped by the peer, who may not;
 * or ACKs that say more are under way. As native wait half a round trip for those, not an RTO
 */
static bool reneges(const struct sock *sk, const struct strata_ack_run *run)
{
	const struct sk_buff *head = strata_tcp_rtx_head(sk);

	return run->rec.ack != run->rec.una && head &&
	       (STRATA_TCP_TX(head)->sacked & STRATA_TX_SACKED);
}

static unsigned long renege_wait(const struct strata_tcp_rtt *rtt)
{
	return max(usecs_to_jiffies(strata_rtt_srtt(rtt) / 2), msecs_to_jiffies(10));
}

/*
 * The timer that stands for what is outstanding now. @looked: RACK has; an ACK that tells it
 * nothing new leaves what it waits for (RFC 8985 6.2 step 5)
 */
static void set_timer(struct sock *sk, const struct strata_ack_run *run, bool looked, u32 reo_us)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (unlikely(run->rec.reneging))
		strata_tcp_timer_set(sk, STRATA_TIMER_RTO, renege_wait(&tp->rtt));
	else if (reo_us)
		strata_tcp_timer_set(sk, STRATA_TIMER_REO, strata_tcp_jiffies(reo_us) + 1);
	else if (run->acked_segs || run->rec.ack != run->rec.una ||
		 (tp->timer_kind == STRATA_TIMER_REO ? looked : run->newly_sacked))
		strata_tcp_timer_rearm(sk);
}

/* nothing was outstanding: only the window can have changed (RFC 9293 3.8.6.1) */
static void ack_idle(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct sk_buff *head = skb_peek(&sk->sk_write_queue);

	if (!head || tp->timer_kind != STRATA_TIMER_PERSIST)
		return;
	if (strata_seq_before(STRATA_TCP_TX(head)->seq, tp->snd.una + tp->swnd.wnd)) {
		tp->retries = 0;
		strata_tcp_timer_clear(sk);
	} else {
		strata_tcp_timer_rearm(sk);
	}
}

/*
 * Nothing is outstanding any more, but an ACK tells of copies: of a tail loss probe (RFC 8985
 * 7.4.2), or of retransmissions that were not needed (RFC 2883 5)
 */
static noinline void ack_of_copy(struct sock *sk, struct sk_buff *skb, bool dup)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct strata_ack_run run;

	run_init(sk, seg, &run);
	run.rec.ack = tp->snd.una;
	run.dup = dup;
	if (seg->opts.nsack && tp->sack_ok)
		read_sack(sk, skb, &run);
	check_tlp(sk, seg, &run);
	if (run.in.has_dup)
		strata_tcp_recover(sk, &run);
}

/*
 * Does an ACK say something new and nothing else, on a connection where nothing is amiss: nothing
 * SACKed, lost or sent again is out, no reduction or its undo is under way, no probe waits for its
 * verdict? Then what is out was sent in the order of its numbers, after all that was delivered:
 * RACK (RFC 8985 6.2) finds nothing lost, and recovery has nothing to do
 */
static bool ack_clean(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	return tp->scb.packets_out && strata_seq_after(seg->ack, tp->snd.una) &&
	       !seg->opts.nsack && tp->sack_ok &&
	       !(tp->scb.sacked_out | tp->scb.lost_out | tp->scb.retrans_out) &&
	       tp->rec.state == STRATA_CA_OPEN && !tp->rec.undo_ok && !tp->tlp.sent &&
	       !tp->mtup.probe && !tp->cong.ops->in_ack;
}

/* run_init() of what a clean ACK needs: clearing all would cost more than the rest of it */
static void run_init_clean(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg,
			   struct strata_ack_run *run)
{
	run->rs = (struct strata_rate_sample) { .prior_in_flight = tp->scb.packets_out };
	run->in.has_dup = false;
	run->rec.una = tp->snd.una;
	run->rec.has_ts = tp->ts_ok && (seg->opts.flags & STRATA_OPT_TS);
	run->rec.tsecr = seg->opts.tsecr;
	run->rec.ece = false;
	run->first_us = 0;
	run->last_us = 0;
	run->sack_first_us = 0;
	run->sack_last_us = 0;
	run->prior_delivered = tp->scb.delivered;
	run->prior_lost = tp->scb.lost;
	run->prior_in_flight = tp->scb.packets_out;
	run->acked_segs = 0;
	run->rtt_us = 0;
	run->had_sacks = false;
	run->reordered = false;
	run->rec.reneging = false;
	run->retrans_acked = false;
}

static void take_clean_ack(struct sock *sk, const struct strata_tcp_seg *seg)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_ack_run run __uninitialized;

	run_init_clean(tp, seg, &run);
	advance(sk, seg, &run);
	run.rec.ack = tp->snd.una;
	measure_rtt(sk, &run);
	tp->rack.advanced = false;
	strata_tcp_set_cwnd(sk, &run, 0);
	strata_tcp_timer_rearm(sk);
	if (run.acked_segs)
		tp->todo |= STRATA_TODO_SPACE;
}

/* any other; not inlined, so that its @run costs a clean one nothing */
static noinline void take_ack(struct sock *sk, struct sk_buff *skb, bool was_out, bool ece)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct strata_ack_run run;
	bool looked;
	u32 reo_us;

	run_init(sk, seg, &run);
	run.rec.ece = ece;
	advance(sk, seg, &run);
	run.rec.ack = tp->snd.una;
	if (seg->opts.nsack && tp->sack_ok) {
		read_sack(sk, skb, &run);
		strata_tcp_take_sack(sk, &run);
	} else if (!tp->sack_ok && run.dup && was_out) {
		strata_scb_reno_dupack(&tp->scb);
	}
	if (was_out) {
		check_tlp(sk, seg, &run);
		measure_rtt(sk, &run);
		looked = tp->sack_ok && tp->rack.advanced;
		reo_us = strata_tcp_detect_loss(sk);
		run.rec.reneging = reneges(sk, &run);
		strata_tcp_recover(sk, &run);
		set_timer(sk, &run, looked, reo_us);
	}
	if (run.acked_segs)
		tp->todo |= STRATA_TODO_SPACE;
}

enum skb_drop_reason strata_tcp_ack(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	bool was_out = tp->scb.packets_out;
	enum skb_drop_reason why;
	bool ece = false;

	why = ack_acceptable(tp, seg->ack);
	if (why)
		return why;
	if (seg->seq == seg->end_seq)
		strata_inc(strata_sk_net(sk), TCPEXT_PUREACKS);
	/* an overtaken ACK speaks of a window that had its reduction (RFC 3168 6.1.2) */
	if (tp->ecn_ok && !strata_seq_before(seg->ack, tp->snd.una))
		ece = strata_tcp_ecn_ack(tp, seg);
	tp->probes_out = 0;
	tp->probes_tstamp = 0;
	tp->soft_err = 0;
	tp->ack_time = (u32)jiffies;
	/* data from the peer that acknowledges nothing new */
	if (seg->ack == tp->snd.una && !was_out) {
		u32 wnd = tp->swnd.wnd;

		strata_wnd_snd_update(&tp->swnd, tp->snd.una, seg->ack, seg->seq,
				      strata_tcp_seg_wnd(tp, seg));
		ack_idle(sk);
		if (unlikely(tp->tlp.sent || (seg->opts.nsack && tp->sack_ok)))
			ack_of_copy(sk, skb, seg->seq == seg->end_seq && wnd == tp->swnd.wnd);
		return SKB_NOT_DROPPED_YET;
	}

	if (likely(!ece && ack_clean(tp, seg)))
		take_clean_ack(sk, seg);
	else
		take_ack(sk, skb, was_out, ece);
	return SKB_NOT_DROPPED_YET;
}
