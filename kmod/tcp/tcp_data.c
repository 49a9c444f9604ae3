// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seventh and eighth step of RFC 9293 3.10.7.4: segment text and FIN, and the ACKs
 * they ask for.
 *
 * Data that is next in order goes to sk->sk_receive_queue, merged with the skb before it
 * where the kernel can; what comes early waits in tp->ofo (tcp_ofo.c); what came before is
 * reported as a duplicate (RFC 2883). A FIN takes its number in the queue, on the skb
 * that carries it, so that the reader meets it in order.
 *
 * ACKs (RFC 9293 3.8.6.3, RFC 1122 4.2.3.2): at least every second full segment, else
 * after a delay that follows the peer's rhythm (ato) and is at most 200 ms; at once
 * while there are holes (but tcp_compress.c), at the start of a connection and after a pause
 * (quickack), and
 * late in sessions where the answer will carry the ACK (pingpong) and for a process that waits
 * for a request. So is the peer's FIN: the reader may close and send ours.
 *
 * The window grows with what the peer's segments prove to be worth of their memory, and the
 * buffer with what the user reads in a round trip (dynamic right-sizing, tcp_window.c).
 *
 * locking: the socket lock.
 */

#include "sockmem.h"
#include "tcp_int.h"

#define TCP_MAX_QUICKACKS	16

static void ack_now(struct strata_tcp_sock *tp)
{
	tp->ack.pending |= STRATA_ACK_SCHED | STRATA_ACK_NOW;
}

/* the next ACKs at once, unless the session is interactive */
static void quick_credit(struct strata_tcp_sock *tp)
{
	u32 quick = tp->rwnd.wnd / (2U * max_t(u16, tp->rcv.mss, 1));

	quick = clamp_t(u32, quick, 2, TCP_MAX_QUICKACKS);
	tp->ack.quick = max_t(u32, tp->ack.quick, quick);
}

/* at once in any case: something is amiss */
static void quickack(struct strata_tcp_sock *tp)
{
	quick_credit(tp);
	tp->ack.pingpong = 0;
	tp->ack.ato = STRATA_TCP_ATO_MIN;
}

void strata_tcp_rcv_dup(struct sock *sk, u32 start, u32 end)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);

	quickack(tp);
	if (!tp->sack_ok || !READ_ONCE(sn->conf.tcp_dsack))
		return;
	if (strata_seq_before(start, tp->rcv.nxt))
		strata_inc(sn, TCPEXT_DSACKOLDSENT);
	else
		strata_inc(sn, TCPEXT_DSACKOFOSENT);
	strata_sack_rcv_dup(&tp->sack_rcv, start, end);
}

/* the window may be as large as the buffer can back, or as the user wants it */
static void clamp_to_buffer(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	tp->rwnd.clamp = strata_tcp_full_space(sk);
	if (tp->window_clamp)
		tp->rwnd.clamp = min(tp->rwnd.clamp, tp->window_clamp);
}

/* a segment of another size: how much of the memory it takes is payload? */
static void measure_ratio(struct sock *sk, const struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u8 ratio = strata_wnd_ratio(skb->len, skb->truesize);

	if (ratio == tp->rcv.ratio)
		return;
	tp->rcv.ratio = ratio;
	clamp_to_buffer(sk);
	tp->drs.space = min(tp->drs.space, tp->rwnd.clamp);
}

/*
 * How large are the peer's segments? An estimate from full ones (RFC 1122 4.2.3.2 needs it).
 * One that is smaller, or pushed, ends a write: the peer may wait for its ACK.
 */
static void measure_mss(struct sock *sk, const struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 len = skb_shinfo(skb)->gso_size ?: skb->len;
	bool psh = STRATA_TCP_SEG(skb)->flags & STRATA_TCP_PSH;

	if (len >= tp->rcv.mss) {
		if (unlikely(len != tp->rcv.mss))
			measure_ratio(sk, skb);
		tp->rcv.mss = min_t(u32, len, tp->rcv.adv_mss);
		if (psh && len == tp->rcv.mss)
			tp->ack.pending |= STRATA_ACK_PUSHED;
	} else if (len == tp->ack.last_seg && (len >= 536 || (len >= 88 && !psh))) {
		/* two in a row of the same smaller size: the path's MTU has gone down */
		tp->rcv.mss = len;
	} else {
		if (tp->ack.pending & STRATA_ACK_PUSHED)
			tp->ack.pending |= STRATA_ACK_PUSHED2;
		tp->ack.pending |= STRATA_ACK_PUSHED;
	}
	tp->ack.last_seg = len;
}

/* the delay follows the gaps between arrivals */
static void measure_ato(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	unsigned long now = jiffies, gap = now - tp->ack.lrcvtime;

	if (!tp->ack.ato) {
		/* the first data: the peer is in slow start and needs our ACKs */
		quick_credit(tp);
		tp->ack.ato = STRATA_TCP_ATO_MIN;
	} else if (gap <= STRATA_TCP_ATO_MIN / 2) {
		tp->ack.ato = tp->ack.ato / 2 + STRATA_TCP_ATO_MIN / 2;
	} else if (gap < tp->ack.ato) {
		tp->ack.ato = min_t(u32, tp->ack.ato / 2 + gap,
				    strata_tcp_jiffies(strata_rtt_rto(&tp->rtt)));
	} else if (gap > strata_tcp_jiffies(strata_rtt_rto(&tp->rtt))) {
		/* after such a pause the peer restarts in slow start */
		quick_credit(tp);
	}
	tp->ack.lrcvtime = now;
}

static void measure_rtt(struct strata_tcp_sock *tp, const struct sk_buff *skb)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	u32 ms;

	if (!tp->ts_ok || !(seg->opts.flags & STRATA_OPT_TS)) {
		strata_drs_rtt_measure(&tp->drs, tp->rcv.nxt, tp->rwnd.wnd, tp->mstamp_us);
		return;
	}
	if (skb->len < tp->rcv.mss || !seg->opts.tsecr || seg->opts.tsecr == tp->drs_tsecr)
		return;
	tp->drs_tsecr = seg->opts.tsecr;
	ms = strata_tcp_ts_now(tp) - seg->opts.tsecr;
	if (ms > STRATA_RTO_MAX_US / USEC_PER_MSEC)
		return;
	strata_drs_rtt_ts(&tp->drs, max_t(u32, ms, 1) * USEC_PER_MSEC);
}

void strata_tcp_grow_window(struct sock *sk, u32 len, u32 truesize)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 worth, step;
	int room;

	if (len < 128)
		return;
	/* (a clamp of -1, as native takes it, is a large one) */
	room = min_t(u32, tp->rwnd.clamp, max(strata_tcp_space(sk), 0)) - tp->rcv.ssthresh;
	if (room <= 0 || sk_under_memory_pressure(sk))
		return;
	worth = strata_tcp_win_from_space(sk, truesize);
	if (worth <= len)
		step = 2 * max_t(u32, tp->rcv.adv_mss, len);
	else if (worth <= 4 * len)
		step = 2 * tp->rcv.mss;
	else
		return;
	tp->rcv.ssthresh += min_t(u32, room, step);
	/* the peer should know at once: it is in slow start, and fewer ACKs make larger bursts */
	tp->ack.quick |= 1;
}

/* data came: an ACK is owed, and the estimates learn */
static void data_event(struct sock *sk, const struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	tp->ack.pending |= STRATA_ACK_SCHED;
	tp->data_segs_in += max_t(u16, 1, skb_shinfo(skb)->gso_segs);
	measure_mss(sk, skb);
	measure_rtt(tp, skb);
	measure_ato(sk);
	if (tp->ecn_ok)
		strata_tcp_ecn_data(tp, STRATA_TCP_SEG(skb));
	strata_tcp_grow_window(sk, skb->len, skb->truesize);
}

bool strata_tcp_coalesce(struct sock *sk, struct sk_buff *to, struct sk_buff *from)
{
	struct strata_tcp_seg *a = STRATA_TCP_SEG(to), *b = STRATA_TCP_SEG(from);
	bool stolen;
	int delta;

	if (a->end_seq != b->seq || (a->flags & STRATA_TCP_FIN))
		return false;
	if (!skb_try_coalesce(to, from, &stolen, &delta))
		return false;
	atomic_add(delta, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, delta);
	a->end_seq = b->end_seq;
	a->ack = b->ack;
	a->flags |= b->flags;
	/* both of the last octet, or none: a socket shows them side by side */
	if (from->tstamp || skb_hwtstamps(from)->hwtstamp) {
		to->tstamp = from->tstamp;
		*skb_hwtstamps(to) = *skb_hwtstamps(from);
	}
	kfree_skb_partial(from, stolen);
	strata_inc(strata_sk_net(sk), TCPEXT_RCVCOALESCE);
	return true;
}

/*
 * The window promised room that small segments have used up with their overhead: as native,
 * rather a larger buffer than a promise taken back (3.8.6, SHLD-14), as far as tcp_rmem lets it
 * grow, unless the program has fixed it or memory is short
 */
static void rcvbuf_keep_promise(struct sock *sk)
{
	int used = atomic_read(&sk->sk_rmem_alloc);

	if (used <= READ_ONCE(sk->sk_rcvbuf) || sk->sk_userlocks & SOCK_RCVBUF_LOCK ||
	    used > READ_ONCE(strata_sk_net(sk)->conf.tcp_rmem[2]) ||
	    sk_under_memory_pressure(sk) ||
	    sk_memory_allocated(sk) >= sk_prot_mem_limits(sk, 0))
		return;
	WRITE_ONCE(sk->sk_rcvbuf, used);
}

/* as the protocol's limits let it, and below tcp_rmem[0] also while memory is short */
static bool rmem_schedule(struct sock *sk, struct sk_buff *skb)
{
	return sk_rmem_schedule(sk, skb, skb->truesize) ||
	       strata_sock_mem_floor(sk, skb->truesize, atomic_read(&sk->sk_rmem_alloc),
				     READ_ONCE(strata_sk_net(sk)->conf.tcp_rmem[0]));
}

bool strata_tcp_rmem_ok(struct sock *sk, struct sk_buff *skb)
{
	struct strata_net *sn = strata_sk_net(sk);

	rcvbuf_keep_promise(sk);
	while (atomic_read(&sk->sk_rmem_alloc) > READ_ONCE(sk->sk_rcvbuf) ||
	       !rmem_schedule(sk, skb)) {
		strata_inc(sn, TCPEXT_PRUNECALLED);
		if (strata_tcp_ofo_prune(sk, skb))
			continue;
		strata_inc(sn, TCPEXT_RCVPRUNED);
		return false;
	}
	return true;
}

void strata_tcp_rcv_append(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	u32 end = STRATA_TCP_SEG(skb)->end_seq;

	tp->bytes_received += end - tp->rcv.nxt;
	WRITE_ONCE(tp->rcv.nxt, end);
	if (tail && strata_tcp_coalesce(sk, tail, skb))
		return;
	/* one from the out-of-order queue is charged already */
	if (!skb->sk)
		skb_set_owner_r(skb, sk);
	__skb_queue_tail(&sk->sk_receive_queue, skb);
}

/* wake the reader, if there is what SO_RCVLOWAT asks for */
static void data_ready(struct sock *sk)
{
	if (!sock_flag(sk, SOCK_DEAD) &&
	    (sock_flag(sk, SOCK_DONE) || strata_tcp_readable(sk, READ_ONCE(sk->sk_rcvlowat))))
		sk->sk_data_ready(sk);
}

/*
 * Memory for @skb, next in order. One skb is always taken, or a small buffer could never move
 * again, and so is a bare FIN: it ends what holds the memory
 */
static bool room_in_order(struct sock *sk, struct sk_buff *skb)
{
	if (skb->len && !skb_queue_empty(&sk->sk_receive_queue))
		return strata_tcp_rmem_ok(sk, skb);
	if (!sk_rmem_schedule(sk, skb, skb->truesize))
		strata_sock_mem_force(sk, skb->truesize);
	return true;
}

static enum skb_drop_reason data_in_order(struct sock *sk, struct sk_buff *skb, bool *eaten)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool fin = STRATA_TCP_SEG(skb)->flags & STRATA_TCP_FIN;

	/* a peer that has only a FIN to send may send it into a closed window */
	if (!strata_wnd_left(&tp->rwnd, tp->rcv.nxt) && !(fin && !skb->len)) {
		strata_inc(strata_sk_net(sk), TCPEXT_ZEROWINDOWDROP);
		if (tp->ecn_ok)
			strata_tcp_ecn_probe(tp, STRATA_TCP_SEG(skb));
		ack_now(tp);
		return SKB_DROP_REASON_TCP_ZEROWINDOW;
	}
	if (!room_in_order(sk, skb)) {
		/*
		 * The window promised more than the memory can hold, as segments were small, and
		 * the buffer cannot grow. To close it is to shrink it (3.8.6, SHLD-14), but the
		 * peer would send the same again until it gave up; a closed window it probes for
		 * as long as it takes
		 */
		strata_inc(strata_sk_net(sk), TCPEXT_RCVQDROP);
		tp->ack.pending |= STRATA_ACK_NOMEM;
		ack_now(tp);
		sk->sk_data_ready(sk);
		return SKB_DROP_REASON_PROTO_MEM;
	}
	if (skb->len)
		data_event(sk, skb);
	*eaten = true;
	strata_tcp_rcv_append(sk, skb);
	if (fin)
		strata_tcp_fin(sk);
	if (!RB_EMPTY_ROOT(&tp->ofo)) {
		if (strata_tcp_ofo_drain(sk))
			strata_tcp_fin(sk);
		/* RFC 5681 4.2: at once when a hole is filled */
		ack_now(tp);
	}
	if (tp->sack_rcv.n)
		strata_sack_rcv_advance(&tp->sack_rcv, tp->rcv.nxt);
	data_ready(sk);
	return SKB_NOT_DROPPED_YET;
}

enum skb_drop_reason strata_tcp_data(struct sock *sk, struct sk_buff *skb, bool *eaten)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);

	if (seg->flags & STRATA_TCP_SYN) {
		seg->flags &= ~STRATA_TCP_SYN;
		seg->seq++;
	}
	if (seg->seq == seg->end_seq)
		return SKB_NOT_DROPPED_YET;
	__skb_pull(skb, seg->hdrlen);

	if (likely(seg->seq == tp->rcv.nxt))
		return data_in_order(sk, skb, eaten);

	if (strata_seq_leq(seg->end_seq, tp->rcv.nxt)) {
		strata_inc(strata_sk_net(sk), TCPEXT_DELAYEDACKLOST);
		strata_tcp_rcv_dup(sk, seg->seq, seg->end_seq);
		ack_now(tp);
		return SKB_DROP_REASON_TCP_OLD_DATA;
	}
	if (strata_seq_before(seg->seq, tp->rcv.nxt)) {
		strata_tcp_rcv_dup(sk, seg->seq, tp->rcv.nxt);
		ack_now(tp);
		return data_in_order(sk, skb, eaten);
	}
	if (seg->seq - tp->rcv.nxt >= strata_wnd_left(&tp->rwnd, tp->rcv.nxt)) {
		ack_now(tp);
		quickack(tp);
		return SKB_DROP_REASON_TCP_OVERWINDOW;
	}
	return strata_tcp_ofo_add(sk, skb, eaten);
}

void strata_tcp_fin(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool open = (1 << sk->sk_state) & (TCPF_SYN_RECV | TCPF_ESTABLISHED);

	/* a program that is told so often closes at once: our FIN carries the ACK, as native */
	tp->ack.pending |= STRATA_ACK_SCHED;
	if (!open)
		ack_now(tp);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
	switch (sk->sk_state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		strata_tcp_set_state(sk, TCP_CLOSE_WAIT);
		strata_tcp_set_interactive(tp);
		break;
	case TCP_FIN_WAIT1:
		strata_tcp_set_state(sk, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT2:
		tp->tw_pending = 1;
		break;
	default:
		/* CLOSE-WAIT, CLOSING, LAST-ACK: a copy; they remain */
		break;
	}
	/* nothing can follow the FIN */
	strata_tcp_ofo_purge(sk);
	memset(&tp->sack_rcv, 0, sizeof(tp->sack_rcv));
	sk_mem_reclaim(sk);
	if (sock_flag(sk, SOCK_DEAD))
		return;
	sk->sk_state_change(sk);
	if (sk->sk_shutdown == SHUTDOWN_MASK)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
	else
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/* put the ACK off: how long, and is the timer perhaps about to fire anyway */
static void delay_ack(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 ato = tp->ack.ato;
	unsigned long when;

	if (ato > STRATA_TCP_ATO_MIN) {
		u32 srtt = strata_tcp_jiffies(strata_rtt_srtt(&tp->rtt));

		if (srtt)
			ato = min_t(u32, ato, max_t(u32, srtt, STRATA_TCP_ATO_MIN));
	} else if (ato) {
		/* 0: a FIN, and there never was data: with the next tick, as native */
		ato = STRATA_TCP_ATO_MIN;
	}
	ato = min_t(u32, ato, strata_tcp_delack_max(tp));
	when = jiffies + ato;
	if (tp->ack.pending & STRATA_ACK_TIMER) {
		if (time_before_eq(tp->ack.timeout, jiffies + (ato >> 2))) {
			tp->todo |= STRATA_TODO_ACK;
			return;
		}
		if (!time_before(when, tp->ack.timeout))
			return;
	}
	strata_tcp_delack_set(sk, ato);
}

/*
 * A small write has come whole for a process that waits for it: on a new connection most likely
 * a request, or its answer. What the process then sends, or its FIN, can carry the ACK. Once
 * nothing came in time this connection's ACKs no longer wait.
 */
static bool answer_likely(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const u8 pushed = STRATA_ACK_PUSHED | STRATA_ACK_PUSHED2 | STRATA_ACK_RIDE;
	struct socket_wq *wq = rcu_dereference_check(sk->sk_wq, lockdep_sock_is_held(sk));

	if ((tp->ack.pending & pushed) != STRATA_ACK_PUSHED || tp->ack_alone)
		return false;
	/* it is an answer itself */
	if (tp->ack.pending & STRATA_ACK_ANSWER)
		return true;
	/* no queue: not accepted yet. Whoever comes to wait meanwhile is not seen: a guess */
	return !wq || waitqueue_active(&wq->wait);
}

static bool in_quickack(const struct strata_tcp_sock *tp)
{
	return tp->ack.quick &&
	       (!strata_tcp_interactive(tp) || tp->ack.quick == STRATA_QUICK_ALWAYS);
}

void strata_tcp_ack_check(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 unacked = tp->rcv.nxt - tp->rwnd.wup;
	bool lowat;

	if (!(tp->ack.pending & STRATA_ACK_SCHED))
		return;
	/* the reader has what it waits for, or is still waiting for more: do not stop the peer */
	lowat = tp->rcv.nxt - tp->rcv.copied_seq < (u32)READ_ONCE(sk->sk_rcvlowat);
	if ((tp->ack.pending & STRATA_ACK_NOW) ||
	    (unacked > tp->rcv.mss && (lowat || strata_tcp_window_ok(sk)))) {
		tp->todo |= STRATA_TODO_ACK;
	} else if (unlikely(!RB_EMPTY_ROOT(&tp->ofo))) {
		if (in_quickack(tp) || !strata_tcp_compress(sk))
			tp->todo |= STRATA_TODO_ACK;
	} else if (!in_quickack(tp)) {
		delay_ack(sk);
	} else if (tp->ack.quick != STRATA_QUICK_ALWAYS && answer_likely(sk)) {
		tp->ack.pending |= STRATA_ACK_RIDE;
		strata_tcp_delack_set(sk, STRATA_TCP_RIDE);
	} else {
		tp->todo |= STRATA_TODO_ACK;
	}
}

void strata_tcp_rcv_space_adjust(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	u32 win, space;

	/* the time of the last segment is near enough, and costs no look at the clock */
	win = strata_drs_adjust(&tp->drs, tp->rcv.copied_seq, tp->rcv.nxt, tp->rcv.adv_mss,
				tp->mstamp_us);
	if (!win || !READ_ONCE(conf->tcp_moderate_rcvbuf) ||
	    (sk->sk_userlocks & SOCK_RCVBUF_LOCK))
		return;
	space = min_t(u32, strata_wnd_space(tp->rcv.ratio, win), READ_ONCE(conf->tcp_rmem[2]));
	if ((int)space <= READ_ONCE(sk->sk_rcvbuf))
		return;
	WRITE_ONCE(sk->sk_rcvbuf, space);
	clamp_to_buffer(sk);
}
