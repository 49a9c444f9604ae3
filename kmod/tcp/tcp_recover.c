// SPDX-License-Identifier: GPL-2.0-only
/*
 * Losses: from an ACK's SACK blocks, a timer or an ICMP error to marks on the
 * entries of the retransmit queue, and from there to the recovery state machine and
 * the congestion window. The rules are in tcp_sack.c, tcp_rack.c, tcp_recovery.c and
 * the congestion control; this file finds the entries and carries out the verdicts.
 *
 * RFC 2018, 2883 (SACK), 6675, 8985 (RACK-TLP), 6937 (PRR), 5682 (F-RTO), 6582 (peers
 * without SACK), 1191 6.4 (path MTU).
 *
 * locking: the socket lock.
 */

#include <linux/list_sort.h>
#include "tcp_int.h"

void strata_tcp_delivered(struct sock *sk, struct strata_ack_run *run,
			  const struct strata_tcp_tx *tx, bool sacked)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool retrans = tx->sacked & STRATA_TX_EVER_RETRANS;
	u32 end = tx->pcount > 1 ? tx->seq + tx->mss : tx->end_seq;	/* of its first segment */
	bool ts_older = false;
	u64 *first, *last;

	if (retrans && run->rec.has_ts && run->rec.tsecr) {
		u32 sent = (u32)div_u64(tx->xmit_us, USEC_PER_MSEC) + tp->ts_offset;

		ts_older = strata_seq_before(run->rec.tsecr, sent);
	}
	strata_rate_delivered(&tp->rate, &run->rs, tx, tp->mstamp_us);
	strata_rack_update(&tp->rack, tx, tp->mstamp_us, strata_rtt_min(&tp->rtt), ts_older);

	if (retrans) {
		if (!sacked)
			run->retrans_acked = true;
		return;
	}
	if (strata_seq_leq(tx->end_seq, tp->rec.high_seq))
		run->rec.orig_acked = true;
	if (run->had_sacks && strata_seq_before(tx->seq, run->high_sack) &&
	    (!run->reordered || strata_seq_before(end, run->reord_end))) {
		run->reordered = true;
		run->reord_end = end;
	}
	first = sacked ? &run->sack_first_us : &run->first_us;
	last = sacked ? &run->sack_last_us : &run->last_us;
	if (!*first)
		*first = tx->xmit_us;
	*last = tx->xmit_us;
}

/*
 * Cut @skb so that the part of it inside @b is an entry of its own, at segment
 * boundaries: a SACK of half a segment says nothing. The entry that lies inside, or NULL.
 */
static struct sk_buff *sack_cut(struct sock *sk, struct sk_buff *skb,
				const struct strata_sack_block *b)
{
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	u32 len;

	if (strata_seq_before(tx->seq, b->start)) {
		if (tx->pcount <= 1)
			return NULL;
		len = roundup(b->start - tx->seq, tx->mss);
		if (len >= skb->len || strata_tcp_tx_split(sk, skb, len, true, GFP_ATOMIC))
			return NULL;
		skb = skb_rb_next(skb);
		tx = STRATA_TCP_TX(skb);
	}
	if (strata_seq_leq(tx->end_seq, b->end))
		return skb;
	if (tx->pcount <= 1 || strata_seq_geq(tx->seq, b->end))
		return NULL;
	len = rounddown(b->end - tx->seq, tx->mss);
	if (!len || len >= skb->len || strata_tcp_tx_split(sk, skb, len, true, GFP_ATOMIC))
		return NULL;
	return skb;
}

/* all entries of [start, b->end) */
static void sack_block(struct sock *sk, struct strata_ack_run *run,
		       const struct strata_sack_block *b, u32 start)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb, *in;

	for (skb = strata_tcp_rtx_find(sk, start); skb; skb = skb_rb_next(skb)) {
		struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);

		if (strata_seq_geq(tx->seq, b->end))
			break;
		if (tx->sacked & STRATA_TX_SACKED)
			continue;
		in = sack_cut(sk, skb, b);
		if (!in)
			continue;
		skb = in;
		tx = STRATA_TCP_TX(skb);
		strata_tcp_delivered(sk, run, tx, true);
		strata_scb_sacked(&tp->scb, tx);
		strata_tcp_rtx_untime(skb);
		run->newly_sacked = true;
	}
}

/* where the part of @b begins that earlier ACKs have not shown */
static u32 sack_unseen(const struct strata_tcp_sock *tp, const struct strata_sack_block *b)
{
	int i;

	for (i = 0; i < STRATA_TCP_MAX_SACKS; i++) {
		const struct strata_sack_block *seen = &tp->sack_seen[i];

		if (seen->start != seen->end && strata_seq_leq(seen->start, b->start) &&
		    strata_seq_before(b->start, seen->end))
			return seen->end;
	}
	return b->start;
}

void strata_tcp_take_sack(struct sock *sk, struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int i;

	/* nothing is SACKed: what was seen may be gigabytes ago */
	if (!tp->scb.sacked_out)
		memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
	for (i = 0; i < run->in.n; i++) {
		const struct strata_sack_block *b = &run->in.block[i];
		u32 start = sack_unseen(tp, b);

		if (strata_seq_before(start, b->end))
			sack_block(sk, run, b, start);
	}
	memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
	memcpy(tp->sack_seen, run->in.block, run->in.n * sizeof(run->in.block[0]));
}

void strata_tcp_mark_lost(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	bool again = tx->sacked & STRATA_TX_RETRANS;
	bool first = !tp->scb.lost_out;	/* then rexmit_seq is of another loss, gigabytes ago */

	if (!strata_scb_lost(&tp->scb, tx))
		return;
	if (again)
		strata_inc(strata_sk_net(sk), TCPEXT_LOSTRETRANSMIT);
	strata_tcp_rtx_untime(skb);
	if (first || strata_seq_before(tx->seq, tp->rexmit_seq))
		tp->rexmit_seq = tx->seq;
}

/*
 * RFC 6675 4 IsLost(), where RACK is off: DupThresh segments above it are SACKed. One that was
 * sent again is not looked at once more
 */
static void mark_by_count(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 above = tp->scb.sacked_out;
	struct sk_buff *skb;

	for (skb = strata_tcp_rtx_head(sk); skb && above >= tp->scb.reordering;
	     skb = skb_rb_next(skb)) {
		const struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);

		if (tx->sacked & STRATA_TX_SACKED)
			above -= tx->pcount;
		else if (!(tx->sacked & (STRATA_TX_LOST | STRATA_TX_RETRANS)))
			strata_tcp_mark_lost(sk, skb);
	}
}

/* RFC 8985 6.2 step 5 */
u32 strata_tcp_detect_loss(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int conf = READ_ONCE(strata_sk_net(sk)->conf.tcp_recovery);
	struct sk_buff *skb, *next;
	u32 reo_wnd, wait = 0;

	if (!tp->sack_ok || !tp->rack.advanced)
		return 0;
	tp->rack.advanced = false;
	if (!(conf & STRATA_RACK_ON)) {
		mark_by_count(sk);
		return 0;
	}
	reo_wnd = strata_rack_reo_wnd(&tp->rack, &tp->scb, tp->rec.state >= STRATA_CA_RECOVERY,
				      !(conf & STRATA_RACK_NO_DUPTHRESH),
				      strata_rtt_srtt(&tp->rtt), strata_rtt_min(&tp->rtt));
	list_for_each_entry_safe(skb, next, &tp->rtx_by_time, tcp_tsorted_anchor) {
		u32 left = strata_rack_lost(&tp->rack, STRATA_TCP_TX(skb), reo_wnd,
					    tp->mstamp_us);

		if (left == STRATA_RACK_NEVER)
			break;
		if (!left)
			strata_tcp_mark_lost(sk, skb);
		else
			wait = max(wait, left);
	}
	return wait;
}

/* RFC 8985 6.2 RACK_sent_after(), for list_sort() */
static int sent_after(void *priv, const struct list_head *a, const struct list_head *b)
{
	const struct sk_buff *skb = list_entry(a, struct sk_buff, tcp_tsorted_anchor);
	const struct sk_buff *other = list_entry(b, struct sk_buff, tcp_tsorted_anchor);
	const struct strata_tcp_tx *tx = STRATA_TCP_TX(skb), *otx = STRATA_TCP_TX(other);

	return tx->xmit_us > otx->xmit_us ||
	       (tx->xmit_us == otx->xmit_us && strata_seq_after(tx->end_seq, otx->end_seq));
}

/*
 * the losses were none: all goes back to "in flight" (Eifel, RFC 4015; F-RTO), into the list by
 * transmission time where it belongs: what was sent since is younger
 */
static void clear_lost(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb;

	for (skb = strata_tcp_rtx_head(sk); skb; skb = skb_rb_next(skb)) {
		struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);

		if (!(tx->sacked & STRATA_TX_LOST))
			continue;
		strata_scb_unlost(&tp->scb, tx);
		strata_tcp_rtx_untime(skb);
		list_add_tail(&skb->tcp_tsorted_anchor, &tp->rtx_by_time);
	}
	list_sort(NULL, &tp->rtx_by_time, sent_after);
	tp->rexmit_seq = tp->snd.nxt;
}

static void count_undo(struct strata_net *sn, enum strata_undo how)
{
	switch (how) {
	case STRATA_UNDO_FULL:
		strata_inc(sn, TCPEXT_FULLUNDO);
		break;
	case STRATA_UNDO_PARTIAL:
		strata_inc(sn, TCPEXT_PARTIALUNDO);
		break;
	case STRATA_UNDO_DSACK:
		strata_inc(sn, TCPEXT_DSACKUNDO);
		break;
	case STRATA_UNDO_FRTO:
		strata_inc(sn, TCPEXT_SPURIOUSRTOS);
		fallthrough;
	case STRATA_UNDO_LOSS:
		strata_inc(sn, TCPEXT_LOSSUNDO);
		break;
	}
}

static void count_recovery(struct sock *sk, u32 verdict)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);

	if (verdict & STRATA_REC_ENTERED) {
		/* RFC 8985 7.1: its loss is being reacted to */
		tp->tlp.sent = false;
		if (tp->sack_ok)
			strata_inc(sn, TCPEXT_SACKRECOVERY);
		else
			strata_inc(sn, TCPEXT_RENORECOVERY);
	}
	if (verdict & STRATA_REC_UNDONE)
		count_undo(sn, tp->rec.undone);
}

/* all of *@cs */
static void fill_sample(struct sock *sk, const struct strata_ack_run *run,
			struct strata_cong_sample *cs)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	cs->now_us = tp->mstamp_us;
	cs->acked = tp->scb.delivered - run->prior_delivered;
	cs->lost = tp->scb.lost - run->prior_lost;
	cs->rtt_us = run->rtt_us;
	cs->srtt_us = strata_rtt_srtt(&tp->rtt);
	cs->min_rtt_us = strata_rtt_min(&tp->rtt);
	cs->una = tp->snd.una;
	cs->nxt = tp->snd.nxt;
	cs->mss = tp->snd.mss;
	cs->in_flight = strata_tcp_in_flight(&tp->scb);
	cs->prior_in_flight = run->prior_in_flight;
	cs->delivered_total = tp->scb.delivered;
	cs->delivered_ce = tp->scb.delivered_ce;
	cs->prior_delivered = run->rs.prior_delivered;
	cs->delivered = run->rs.delivered;
	cs->interval_us = run->rs.interval_us;
	cs->app_limited = run->rs.app_limited;
	cs->cwnd_limited = strata_cong_is_limited(&tp->cong);
	cs->una_advanced = run->rec.ack != run->rec.una;
	cs->only_dup = !cs->una_advanced && !run->newly_sacked;
	cs->ece = run->rec.ece;
	cs->ecn_ok = tp->ecn_ok;
}

/* is there unsent data the peer's window would take (limited transmit, F-RTO) */
static bool can_send_new(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct sk_buff *skb = skb_peek(&sk->sk_write_queue);

	return skb && strata_seq_before(STRATA_TCP_TX(skb)->seq, tp->snd.una + tp->swnd.wnd);
}

/* without SACK the first segment is what is missing; nothing is known of those behind it */
static void mark_head(struct sock *sk)
{
	struct sk_buff *skb = strata_tcp_rtx_head(sk);
	const struct strata_tcp_tx *tx;

	if (!skb)
		return;
	tx = STRATA_TCP_TX(skb);
	/*
	 * A FIN behind a full segment counts in pcount, but needs no cut. Where memory is
	 * short the whole entry goes again: too much, not too little.
	 */
	if (tx->pcount > 1 && skb->len > tx->mss)
		strata_tcp_tx_split(sk, skb, tx->mss, true, GFP_ATOMIC);
	strata_tcp_mark_lost(sk, skb);
}

/* RFC 4821 7.6.2: what is lost was too large: no sign of congestion */
static void mtu_probe_lost(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	strata_mtup_failure(&tp->mtup);
	tp->cong.cwnd++;	/* it had counted as two */
	strata_inc(strata_sk_net(sk), TCPEXT_MTUPFAIL);
	strata_tcp_pmtu_lowered(sk);
}

/* RFC 4821 7.6.1: the MSS rises, and cwnd with it stays as many bytes as it was */
static void mtu_probe_arrived(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_mtup_shape shape = strata_tcp_shape(tp);

	strata_cong_resize(&tp->cong, strata_mtup_mtu(&shape, tp->snd.mss), tp->mtup.probe,
			   tp->rec.state, tp->mstamp_us);
	strata_mtup_success(&tp->mtup);
	strata_tcp_sync_mss(sk, tp->pmtu);
	strata_inc(strata_sk_net(sk), TCPEXT_MTUPSUCCESS);
}

void strata_tcp_set_cwnd(struct sock *sk, struct strata_ack_run *run, u32 verdict)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_cong_sample cs __uninitialized;

	strata_rate_gen(&tp->rate, &tp->scb, &run->rs, strata_rtt_min(&tp->rtt),
			tp->rec.reneged);
	fill_sample(sk, run, &cs);
	strata_recovery_cwnd(&tp->rec, &tp->cong, &tp->scb, &cs, cs.lost, verdict);
	strata_tcp_update_pacing(sk);
}

void strata_tcp_recover(struct sock *sk, struct strata_ack_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool recovering = tp->rec.state >= STRATA_CA_RECOVERY;
	struct strata_cong_sample cs __uninitialized;
	u32 verdict = 0;

	if (unlikely(strata_mtup_arrived(&tp->mtup, tp->snd.una)))
		mtu_probe_arrived(sk);
	if (run->reordered &&
	    strata_scb_reordered(&tp->scb, run->reord_end, tp->snd.mss,
				 READ_ONCE(strata_sk_net(sk)->conf.tcp_max_reordering)))
		strata_inc(strata_sk_net(sk), TCPEXT_SACKREORDER);
	run->rec.delivered = tp->scb.delivered - run->prior_delivered;
	run->rec.can_send_new = can_send_new(sk);
	if (run->rec.ece && run->rec.delivered) {
		tp->scb.delivered_ce += run->rec.delivered;
		strata_add(strata_sk_net(sk), TCPEXT_DELIVEREDCE, run->rec.delivered);
	}
	if (tp->cong.ops->in_ack) {
		fill_sample(sk, run, &cs);
		tp->cong.ops->in_ack(&tp->cong, &cs);
	}
	if (unlikely(tp->mtup.probe) && tp->snd.una == tp->mtup.start &&
	    strata_recovery_due(&tp->rec, &tp->scb))
		mtu_probe_lost(sk);
	else if (run->rec.delivered || run->dup || run->rec.ack != run->rec.una ||
		 run->rec.has_dsack || run->rec.ece)
		verdict = strata_recovery_ack(&tp->rec, &tp->cong, &tp->scb, &run->rec);
	if (unlikely(tp->rtt.timeouts.since_ms) && tp->rec.state != STRATA_CA_LOSS)
		strata_rtt_timeouts_over(&tp->rtt.timeouts, strata_tcp_now_ms(tp));
	if (recovering && tp->rec.state < STRATA_CA_CWR)
		strata_rack_recovery_end(&tp->rack);
	count_recovery(sk, verdict);
	if (verdict & STRATA_REC_CLEAR_LOST)
		clear_lost(sk);
	if (verdict & STRATA_REC_MARK_HEAD)
		mark_head(sk);
	if (verdict & STRATA_REC_RETRANSMIT)
		tp->todo |= STRATA_TODO_REXMIT;
	if (verdict & STRATA_REC_SEND_NEW)
		tp->todo |= STRATA_TODO_DATA;
	strata_tcp_set_cwnd(sk, run, verdict);
	if (tp->rec.state < STRATA_CA_CWR)
		tp->rec.reneged = false;
}

void strata_tcp_rack_timeout(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_ack_run run;
	u32 wait;

	memset(&run, 0, sizeof(run));
	run.rec.una = tp->snd.una;
	run.rec.ack = tp->snd.una;
	run.rec.nxt = tp->snd.nxt;
	run.rec.now_us = tp->mstamp_us;
	run.prior_delivered = tp->scb.delivered;
	run.prior_lost = tp->scb.lost;
	run.prior_in_flight = strata_tcp_in_flight(&tp->scb);
	run.dup = true;
	tp->rack.advanced = true;
	wait = strata_tcp_detect_loss(sk);
	if (tp->scb.lost != run.prior_lost)
		strata_tcp_recover(sk, &run);
	if (wait)
		strata_tcp_timer_set(sk, STRATA_TIMER_REO, strata_tcp_jiffies(wait) + 1);
	else
		strata_tcp_timer_rearm(sk);
}

void strata_tcp_enter_loss(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	struct sk_buff *skb = strata_tcp_rtx_head(sk), *first;
	bool reneged = skb && (STRATA_TCP_TX(skb)->sacked & STRATA_TX_SACKED);
	u32 reordering = max(READ_ONCE(conf->tcp_reordering), 3);
	/* RFC 8985 6.3: what is not marked now must be found by RACK later */
	bool spare = tp->sack_ok && !reneged && (READ_ONCE(conf->tcp_recovery) & STRATA_RACK_ON);

	if (reneged) {
		/* the peer has dropped what it had SACKed (RFC 2018 8) */
		strata_inc(strata_sk_net(sk), TCPEXT_SACKRENEGING);
		tp->rec.reneged = true;
		memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
	}
	for (first = skb; skb; skb = skb_rb_next(skb)) {
		const struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);

		if (reneged)
			strata_scb_unsack(&tp->scb, STRATA_TCP_TX(skb));
		if (spare && skb != first && strata_rack_recent(&tp->rack, tx, tp->mstamp_us))
			continue;
		strata_tcp_mark_lost(sk, skb);
	}
	/* so many SACKs, and none brought a retransmission: less is reordered than was thought */
	if (tp->rec.state <= STRATA_CA_DISORDER && tp->scb.sacked_out >= reordering)
		tp->scb.reordering = min(tp->scb.reordering, reordering);
	tp->rexmit_seq = tp->snd.una;
	strata_recovery_timeout(&tp->rec, &tp->cong, &tp->scb, tp->snd.una, tp->snd.nxt,
				tp->retries,
				tp->sack_ok && !tp->mtup.probe && READ_ONCE(conf->tcp_frto),
				tp->mstamp_us);
	tp->tlp.sent = false;
	tp->todo |= STRATA_TODO_REXMIT | STRATA_TODO_DATA;
}

/* as after a timeout, but cwnd and ssthresh stay: the network is not to blame */
static void blameless_loss(struct strata_tcp_sock *tp)
{
	if (tp->rec.state != STRATA_CA_LOSS) {
		tp->rec.state = STRATA_CA_LOSS;
		tp->rec.high_seq = tp->snd.nxt;
		tp->rec.undo_ok = false;
		tp->rec.frto = 0;
		tp->rec.blameless = true;
	}
	tp->todo |= STRATA_TODO_REXMIT;
}

void strata_tcp_syn_data_lost(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);

	tx->mss = tp->snd.mss;
	tx->pcount = strata_tcp_pcount(skb->len, tx->mss);
	tx->flags |= STRATA_TCP_PSH;
	strata_rate_sent(&tp->rate, &tp->scb, tx, tp->mstamp_us);
	strata_scb_sent(&tp->scb, tx);
	strata_tcp_rtx_enter(sk, skb);
	strata_tcp_mark_lost(sk, skb);
	blameless_loss(tp);
	strata_tcp_timer_rearm(sk);
}

void strata_tcp_pmtu_lowered(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb;
	bool lost = false;

	for (skb = strata_tcp_rtx_head(sk); skb; skb = skb_rb_next(skb)) {
		const struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
		u32 unit = tx->pcount > 1 ? tx->mss : skb->len;

		if (unit <= tp->snd.mss || (tx->sacked & STRATA_TX_SACKED))
			continue;
		strata_tcp_mark_lost(sk, skb);
		lost = true;
	}
	if (lost)
		blameless_loss(tp);
}
