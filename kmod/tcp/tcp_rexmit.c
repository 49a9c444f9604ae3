// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending again, and probes: segments presumed lost (RFC 6675 5, 8985), the tail loss
 * probe (RFC 8985 7.3), the probe of a closed window (RFC 9293 3.8.6.1).
 *
 * tcp_ack.c and the timers mark; this file walks the marks in sequence order and
 * sends as many as the congestion window lets out. tp->rexmit_seq remembers how far
 * the last walk came. A segment is cut where the path's MTU has shrunk since it was
 * first sent.
 *
 * Called from strata_tcp_output() alone.
 */

#include "tcp_int.h"

/* bytes of @skb to send again in one piece; 0: the peer's window has shrunk below it */
static u32 rexmit_len(const struct sock *sk, const struct sk_buff *skb, u32 mss, u32 quota)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	s32 usable = tp->snd.una + tp->swnd.wnd - tx->seq;
	u32 unit = tx->pcount > 1 ? tx->mss : skb->len;
	u32 len = skb->len;

	/* the pieces of a GSO segment would all have the urgent pointer of the first */
	if (unlikely(tp->snd.up != tp->snd.una) && strata_seq_after(tp->snd.up, tx->seq))
		quota = 1;
	/* the first one always goes: it is the probe of a shrunken window */
	if (usable <= 0 && !strata_seq_leq(tx->seq, tp->snd.una))
		return 0;
	if (unit > mss)
		return min(len, mss);
	if (usable > 0 && usable < (s32)len)
		len = max_t(u32, rounddown((u32)usable, unit), min(unit, len));
	return min(len, quota * unit);
}

/*
 * A receiver may have taken a part of a segment only (RFC 9293 3.8.6: what its buffer had room
 * for). That part is not sent again: one that cannot take more at a time would get the same
 * bytes for ever. 0 or -errno
 */
static int trim_acked(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	u32 segs = 0;
	int err;

	if (!strata_seq_before(tx->seq, tp->snd.una))
		return 0;
	err = strata_tcp_tx_trim_head(sk, skb, tp->snd.una - tx->seq);
	if (err)
		return err;
	if (tx->pcount > 1)
		segs = tx->pcount - strata_tcp_pcount(tx->end_seq - tp->snd.una, tx->mss);
	strata_scb_acked_part(&tp->scb, tx, segs, tp->snd.una);
	return 0;
}

/* send @skb again; 0 or -errno */
static int rexmit_skb(struct sock *sk, struct sk_buff *skb, u32 mss, u32 quota, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	struct strata_net *sn = strata_sk_net(sk);
	u32 len;
	int err;

	/* what a probe of the path MTU tells is doubtful now (RFC 4821 7.6.4) */
	tp->mtup.probe = 0;
	if (strata_tcp_still_below(sk, skb))
		return -EBUSY;
	err = trim_acked(sk, skb);
	if (err)
		return err;
	len = rexmit_len(sk, skb, mss, quota);
	if (skb->len && !len)
		return -EAGAIN;
	if (len < skb->len) {
		err = strata_tcp_tx_split(sk, skb, len, true, gfp);
		if (err)
			return err;
	}
	err = strata_tcp_xmit_skb(sk, skb, gfp);
	if (err) {
		strata_inc(sn, TCPEXT_RETRANSFAIL);
		return err;
	}
	strata_rate_sent(&tp->rate, &tp->scb, tx, strata_tcp_depart_us(tp));
	strata_scb_retrans(&tp->scb, tx);
	strata_recovery_retransmitted(&tp->rec, strata_tcp_tsval(tp));
	strata_prr_sent(&tp->rec, tx->pcount);
	strata_tcp_rtx_retime(sk, skb);
	strata_tcp_pace_sent(sk, skb);
	if (!tp->retrans_start_us)
		tp->retrans_start_us = tp->mstamp_us;
	tp->bytes_retrans += skb->len;
	strata_add(sn, TCP_RETRANSSEGS, tx->pcount);
	return 0;
}

static void count_rexmit(struct sock *sk, u32 segs)
{
	struct strata_net *sn = strata_sk_net(sk);

	if (strata_tcp_sk(sk)->rec.state == STRATA_CA_LOSS)
		strata_add(sn, TCPEXT_SLOWSTARTRETRANS, segs);
	else
		strata_add(sn, TCPEXT_FASTRETRANS, segs);
}

/*
 * The timeout's retransmission did not even leave: the device's queue is full. As native, try again
 * soon; what the network does not see says nothing about it, and the RTO does not double
 */
static void rto_held_up(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (tp->rtt.backoff)
		tp->rtt.backoff--;
	strata_tcp_timer_set(sk, STRATA_TIMER_RTO, HZ / 2);
}

void strata_tcp_rexmit(struct sock *sk, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 mss, segs;
	struct sk_buff *skb, *next;
	bool sent = false, by_rto = tp->rto_again;
	int err;

	tp->rto_again = 0;
	/* a tail loss probe, too, counts in retrans_out, but stands for none of the lost ones */
	if (!tp->scb.lost_out || strata_frto_waiting(&tp->rec))
		return;
	mss = strata_tcp_cur_mss(sk);
	segs = strata_tcp_burst_segs(sk, mss);
	if (strata_seq_before(tp->rexmit_seq, tp->snd.una))
		tp->rexmit_seq = tp->snd.una;
	for (skb = strata_tcp_rtx_find(sk, tp->rexmit_seq); skb; skb = next) {
		struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
		u32 out = strata_tcp_in_flight(&tp->scb);
		u8 marks = tx->sacked & (STRATA_TX_SACKED | STRATA_TX_LOST | STRATA_TX_RETRANS);

		next = skb_rb_next(skb);
		if (marks != STRATA_TX_LOST)
			continue;
		tp->rexmit_seq = tx->seq;
		if (out >= tp->cong.cwnd || strata_tcp_paced(sk) ||
		    (sent && strata_tcp_throttled(sk, skb, skb->len)))
			break;
		err = rexmit_skb(sk, skb, mss, min(segs, tp->cong.cwnd - out), gfp);
		if (unlikely(err == -ENOBUFS) && by_rto && !sent)
			rto_held_up(sk);
		if (err)
			break;
		count_rexmit(sk, tx->pcount);
		sent = true;
		next = skb_rb_next(skb);
	}
	if (!skb)
		tp->rexmit_seq = tp->snd.nxt;
	if (sent && tp->timer_kind != STRATA_TIMER_RTO && tp->timer_kind != STRATA_TIMER_REO)
		strata_tcp_timer_rearm(sk);
}

/* RFC 8985 7.3: one new segment, or the last one again */
void strata_tcp_send_tlp(struct sock *sk, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 mss = strata_tcp_cur_mss(sk);
	struct sk_buff *skb;
	bool again = false;

	if (tp->tlp.sent || !tp->scb.packets_out)
		return;
	if (strata_tcp_send_one(sk, gfp)) {
		skb = strata_tcp_rtx_tail(sk);
		if (skb && STRATA_TCP_TX(skb)->pcount > 1 && skb->len > STRATA_TCP_TX(skb)->mss) {
			u32 unit = STRATA_TCP_TX(skb)->mss;
			u32 keep = rounddown(skb->len - 1, unit);

			if (strata_tcp_tx_split(sk, skb, keep, true, gfp))
				goto rearm;
			skb = strata_tcp_rtx_tail(sk);
		}
		if (!skb || rexmit_skb(sk, skb, mss, 1, gfp))
			goto rearm;
		again = true;
	}
	strata_tlp_sent(&tp->tlp, tp->snd.nxt, again);
	strata_inc(strata_sk_net(sk), TCPEXT_LOSSPROBES);
rearm:
	strata_tcp_timer_set(sk, STRATA_TIMER_RTO,
			     max(strata_tcp_jiffies(strata_rtt_rto(&tp->rtt)), 1UL));
}

/*
 * A probe of the window: data if any fits, else a segment the peer must find
 * unacceptable and answer (3.8.6.1, 3.10.7.4 first).
 */
void strata_tcp_send_probe(struct sock *sk, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	strata_inc(strata_sk_net(sk), TCPEXT_WINPROBE);
	if (!strata_tcp_send_one(sk, gfp)) {
		strata_tcp_timer_rearm(sk);
		return;
	}
	/* the urgent pointer counts at a closed window, too (3.4), but only if it is acceptable */
	if (strata_seq_after(tp->snd.up, tp->snd.una) && tp->snd.up - tp->snd.una <= U16_MAX)
		strata_tcp_xmit_ctl(sk, tp->snd.una, STRATA_TCP_ACK, gfp);
	strata_tcp_xmit_ctl(sk, tp->snd.una - 1, STRATA_TCP_ACK, gfp);
}
