// SPDX-License-Identifier: GPL-2.0-only
/*
 * A segment arrives for a connection: RFC 9293 3.10.7.4, its steps in the RFC's order, a
 * function for each. A step lets the segment go on (SKB_NOT_DROPPED_YET) or names
 * why it dies. Nothing here sends: what must be answered becomes a bit of tp->todo.
 *
 *   first    sequence number; before it the timestamp, PAWS (RFC 7323 5.3)
 *   second   RST, with RFC 5961 3's check against blind resets
 *   third    security: none
 *   fourth   SYN, RFC 5961 4
 *   fifth    ACK (tcp_ack.c), and what it changes of the state
 *   sixth    URG
 *   seventh  text (tcp_data.c)
 *   eighth   FIN
 *
 * Before the steps stands header prediction: in ESTABLISHED, the next segment expected
 * with nothing special in it passes every check at once.
 *
 * locking: the socket lock.
 */

#include "tcp_int.h"

#define TCP_PAWS_24DAYS	(60 * 60 * 24 * 24)	/* seconds, RFC 7323 5.5 */
#define TCP_URG_MASK	(STRATA_URG_VALID | STRATA_URG_NOTYET | STRATA_URG_READ)

/* as native a TS.Recent of 0 proves nothing: some send that in a SYN, and their clock then */
static bool ts_before_recent(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	return tp->ts_ok && (seg->opts.flags & STRATA_OPT_TS) &&
	       strata_seq_before(seg->opts.tsval, tp->ts_recent) && tp->ts_recent;
}

/* an ACK that overtook another on its way: harmless, though its timestamp is old */
static bool disordered_ack(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	u32 age_ms = tp->ts_recent - seg->opts.tsval;

	return (seg->flags & STRATA_TCP_ACK) && seg->seq == seg->end_seq &&
	       seg->seq == tp->rcv.nxt && seg->ack == tp->snd.una &&
	       (u32)seg->wnd << tp->swnd.wscale == tp->swnd.wnd &&
	       age_ms * USEC_PER_MSEC <= strata_rtt_rto(&tp->rtt);
}

/* RFC 7323 5.3 R1, and 5.5: a TS.Recent older than 24 days proves nothing */
static bool paws_reject(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	if (!ts_before_recent(tp, seg))
		return false;
	if ((u32)ktime_get_seconds() - tp->ts_recent_stamp >= TCP_PAWS_24DAYS)
		return false;
	return !disordered_ack(tp, seg);
}

/* an unacceptable segment is answered with an ACK; at once if it carries data */
static void ask_dupack(struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	bool data = seg->end_seq != seg->seq && !(seg->flags & STRATA_TCP_SYN);

	tp->todo |= data ? STRATA_TODO_ACK : STRATA_TODO_DUPACK;
}

/* their SYN-ACK crossing ours in a simultaneous open: old by its SYN, yet it has the ACK we need */
static bool crossing_synack(const struct sock *sk, const struct strata_tcp_seg *seg)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	return sk->sk_state == TCP_SYN_RECV && (seg->flags & STRATA_TCP_SYN) &&
	       (seg->flags & STRATA_TCP_ACK) && seg->seq + 1 == tp->rcv.nxt &&
	       seg->end_seq == tp->rcv.nxt && seg->ack == tp->snd.nxt;
}

/* the SYN that made this child comes again: our SYN-ACK may be lost; data it has is ignored */
static bool syn_again(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	return strata_tcp_fastopen_pending(tp) && seg->seq == tp->rcv.irs &&
	       (seg->flags & (STRATA_TCP_SYN | STRATA_TCP_ACK)) == STRATA_TCP_SYN;
}

/* not too often, as a request (RFC 5961 10); Karn: which SYN-ACK will be acknowledged? */
static void answer_again(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 gap = READ_ONCE(strata_sk_net(sk)->conf.tcp_invalid_ratelimit);
	u32 now = (u32)jiffies;

	if (tp->last_oow_ack && now - tp->last_oow_ack < gap)
		return;
	tp->last_oow_ack = now ?: 1;
	tp->syn_retrans = 1;
	tp->todo |= STRATA_TODO_SYN;
}

static enum skb_drop_reason drop_unacceptable(struct sock *sk, const struct strata_tcp_seg *seg,
					      enum skb_drop_reason why)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (seg->flags & STRATA_TCP_RST)
		return why;
	tp->oow_paws = why == SKB_DROP_REASON_TCP_RFC7323_PAWS;
	if (syn_again(tp, seg)) {
		answer_again(sk);
		return why;
	}
	if (seg->flags & STRATA_TCP_SYN) {
		strata_inc(strata_sk_net(sk), TCPEXT_SYNCHALLENGE);
		tp->todo |= STRATA_TODO_CHALLENGE;
		return why;
	}
	/* a copy of what we have: our ACK was lost or late (RFC 2883 4) */
	if (seg->end_seq != seg->seq && strata_seq_before(seg->seq, tp->rcv.nxt)) {
		strata_inc(strata_sk_net(sk), TCPEXT_DELAYEDACKLOST);
		strata_tcp_rcv_dup(sk, seg->seq, strata_seq_before(seg->end_seq, tp->rcv.nxt) ?
				   seg->end_seq : tp->rcv.nxt);
	}
	ask_dupack(tp, seg);
	return why;
}

/* a peer that has forgotten the connection may count its RST without the FIN before it */
static bool reset_before_fin(const struct sock *sk, const struct strata_tcp_seg *seg)
{
	return (seg->flags & STRATA_TCP_RST) && seg->seq == strata_tcp_sk(sk)->rcv.nxt - 1 &&
	       ((1 << sk->sk_state) & (TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_CLOSING));
}

/*
 * What was received last comes again, because our ACK was lost or late. Its text is old, but its
 * ACK and its timestamp are news: without the latter our answer would echo the first copy's and
 * the peer take all its timeouts since for round trip time (RFC 7323 4.3 (2)). Native goes on
 * with such a segment, too.
 */
static bool last_again(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	return seg->end_seq != seg->seq && !(seg->flags & STRATA_TCP_SYN) &&
	       strata_seq_between(seg->end_seq, tp->rwnd.wup, tp->rcv.nxt);
}

/* first: check the sequence number */
static enum skb_drop_reason check_seq(struct sock *sk, const struct strata_tcp_seg *seg)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (paws_reject(tp, seg) && !(seg->flags & STRATA_TCP_RST)) {
		strata_inc(strata_sk_net(sk), TCPEXT_PAWSESTAB);
		return drop_unacceptable(sk, seg, SKB_DROP_REASON_TCP_RFC7323_PAWS);
	}
	switch (strata_wnd_check(seg->seq, seg->end_seq, tp->rcv.nxt,
				 strata_wnd_left(&tp->rwnd, tp->rcv.nxt))) {
	case STRATA_SEQ_OLD:
		if (crossing_synack(sk, seg) || reset_before_fin(sk, seg) || last_again(tp, seg))
			return SKB_NOT_DROPPED_YET;
		return drop_unacceptable(sk, seg, SKB_DROP_REASON_TCP_OLD_SEQUENCE);
	case STRATA_SEQ_FUTURE:
		return drop_unacceptable(sk, seg, SKB_DROP_REASON_TCP_INVALID_SEQUENCE);
	default:
		return SKB_NOT_DROPPED_YET;
	}
}

/* errno (negative) of a connection that the peer reset */
static int reset_errno(const struct sock *sk)
{
	switch (sk->sk_state) {
	case TCP_SYN_RECV:
		/* Fast Open's child is a connection already, to who accepts it */
		return strata_tcp_fastopen_pending(strata_tcp_sk(sk)) ? -ECONNRESET : -ECONNREFUSED;
	case TCP_CLOSE_WAIT:
		return -EPIPE;
	default:
		return -ECONNRESET;
	}
}

/* the right edge of what was SACKed: RCV.NXT to a peer that takes it for received, as native */
static bool reset_beyond_sack(const struct sock *sk, const struct strata_tcp_seg *seg)
{
	const struct strata_sack_rcv *r = &strata_tcp_sk(sk)->sack_rcv;
	u32 edge = r->block[0].end;
	unsigned int i;

	for (i = 1; i < r->n; i++)
		if (strata_seq_after(r->block[i].end, edge))
			edge = r->block[i].end;
	return r->n && seg->seq == edge;
}

/* second: check the RST bit (RFC 5961 3.2: only the exact number is believed) */
static enum skb_drop_reason check_rst(struct sock *sk, const struct strata_tcp_seg *seg)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int err;

	if (!(seg->flags & STRATA_TCP_RST))
		return SKB_NOT_DROPPED_YET;
	if (seg->seq == tp->rcv.nxt || reset_before_fin(sk, seg) || reset_beyond_sack(sk, seg)) {
		err = -reset_errno(sk);
		strata_tcp_fastopen_release(sk, true);
		strata_tcp_fail(sk, err);
	} else {
		if (!tp->data_segs_in && sk->sk_state == TCP_ESTABLISHED)
			strata_tcp_fastopen_strange(sk);
		tp->todo |= STRATA_TODO_CHALLENGE;
	}
	return SKB_DROP_REASON_TCP_RESET;
}

/* fourth: check the SYN bit (RFC 5961 4.2) */
static enum skb_drop_reason check_syn(struct sock *sk, const struct strata_tcp_seg *seg)
{
	if (!(seg->flags & STRATA_TCP_SYN) || crossing_synack(sk, seg))
		return SKB_NOT_DROPPED_YET;
	strata_inc(strata_sk_net(sk), TCPEXT_SYNCHALLENGE);
	strata_tcp_sk(sk)->todo |= STRATA_TODO_CHALLENGE;
	return SKB_DROP_REASON_TCP_INVALID_SYN;
}

/* fifth, SYN-RECEIVED: the ACK of our SYN opens the connection */
static enum skb_drop_reason ack_syn_received(struct sock *sk, const struct strata_tcp_seg *seg,
					     bool *reset)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);
	bool fast = strata_tcp_fastopen_pending(tp);

	if (!strata_seq_after(seg->ack, tp->snd.iss) || strata_seq_after(seg->ack, tp->snd.nxt)) {
		*reset = true;
		return SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE;
	}
	if (!fast) {
		tp->snd.una = tp->snd.iss + 1;
		tp->snd.up = tp->snd.una;
		tp->rexmit_seq = tp->snd.una;
	}
	tp->swnd.wnd = strata_tcp_seg_wnd(tp, seg);
	tp->swnd.max = max(tp->swnd.max, tp->swnd.wnd);
	tp->swnd.wl1 = seg->seq;
	if (!tp->syn_retrans && tp->syn_us) {
		u32 rtt = max_t(u32, tp->mstamp_us - tp->syn_us, 1);

		strata_rtt_sample(&tp->rtt, rtt, tp->snd.una, tp->snd.nxt);
		strata_rtt_min_update(&tp->rtt, READ_ONCE(sn->conf.tcp_min_rtt_wlen) * 1000,
				      (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC), rtt);
	}
	strata_tcp_timer_clear(sk);
	strata_rtt_timeouts_over(&tp->rtt.timeouts, strata_tcp_now_ms(tp));
	tp->retries = 0;
	if (sk->sk_state == TCP_SYN_RECV)
		strata_tcp_set_state(sk, TCP_ESTABLISHED);
	if (fast) {
		strata_tcp_fastopen_done(sk);
	} else {
		strata_tcp_init_transfer(sk);
		if (tp->tfo.syn_data)
			strata_tcp_fastopen_settle(sk, seg->ack);
	}
	/* a child inherits SO_KEEPALIVE from its listener */
	if (sock_flag(sk, SOCK_KEEPOPEN))
		strata_tcp_keepalive_set(sk, strata_tcp_keepalive_time(tp));
	if (tp->listener) {
		/* no listener any more, or its queue is full */
		if (!strata_tcp_child_established(sk)) {
			*reset = true;
			strata_tcp_done(sk);
			return SKB_DROP_REASON_SOCKET_CLOSE;
		}
	} else if (!sock_flag(sk, SOCK_DEAD)) {
		sk->sk_state_change(sk);
		sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
	}
	return SKB_NOT_DROPPED_YET;
}

static bool fin_acked(const struct strata_tcp_sock *tp)
{
	return tp->snd.una == tp->snd.write_seq;
}

/* FIN-WAIT-1, our FIN is acknowledged */
static enum skb_drop_reason enter_fin_wait2(struct sock *sk, const struct strata_tcp_seg *seg,
					    bool *reset)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 data_end = seg->end_seq - !!(seg->flags & STRATA_TCP_FIN);

	strata_tcp_set_state(sk, TCP_FIN_WAIT2);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
	if (!sock_flag(sk, SOCK_DEAD)) {
		sk->sk_state_change(sk);
		return SKB_NOT_DROPPED_YET;
	}
	/* nobody is left to read this data (RFC 1122 4.2.2.13) nor, TCP_LINGER2 < 0, to wait */
	if (tp->linger2 < 0 ||
	    (data_end != seg->seq && strata_seq_after(data_end, tp->rcv.nxt))) {
		strata_inc(strata_sk_net(sk), TCPEXT_ABORTONDATA);
		if (seg->flags & STRATA_TCP_FIN)
			strata_tcp_fastopen_strange(sk);
		*reset = true;
		strata_tcp_done(sk);
		return SKB_DROP_REASON_TCP_ABORT_ON_DATA;
	}
	/* a FIN on this very segment ends the state at once, if nothing before it is missing */
	if ((seg->flags & STRATA_TCP_FIN) && seg->seq == tp->rcv.nxt &&
	    seg->end_seq == seg->seq + 1)
		return SKB_NOT_DROPPED_YET;
	/* what waits in the backlog, theirs most likely, would find no connection any more */
	if (!((seg->flags & STRATA_TCP_FIN) || sock_owned_by_user(sk)) ||
	    !strata_tcp_fin_wait2_stays(sk))
		strata_tcp_orphan_check(sk);
	return sk->sk_state == TCP_CLOSE ? SKB_CONSUMED : SKB_NOT_DROPPED_YET;
}

/* fifth: check the ACK field */
static enum skb_drop_reason check_ack(struct sock *sk, struct sk_buff *skb, bool *reset)
{
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	enum skb_drop_reason why;

	if (!(seg->flags & STRATA_TCP_ACK))
		return SKB_DROP_REASON_TCP_FLAGS;
	if (sk->sk_state == TCP_SYN_RECV || strata_tcp_fastopen_pending(strata_tcp_sk(sk))) {
		why = ack_syn_received(sk, seg, reset);
		if (why)
			return why;
	}
	why = strata_tcp_ack(sk, skb);
	if (why)
		return why;
	if (likely(sk->sk_state == TCP_ESTABLISHED) || !fin_acked(tp))
		return SKB_NOT_DROPPED_YET;

	switch (sk->sk_state) {
	case TCP_FIN_WAIT1:
		return enter_fin_wait2(sk, seg, reset);
	case TCP_CLOSING:
		/* their FIN once more: our ACK was lost, and TIME-WAIT sends none by itself */
		if (seg->end_seq != seg->seq)
			tp->todo |= STRATA_TODO_ACK;
		tp->tw_pending = 1;
		return SKB_CONSUMED;
	case TCP_LAST_ACK:
		strata_tcp_done(sk);
		return SKB_CONSUMED;
	default:
		return SKB_NOT_DROPPED_YET;
	}
}

/*
 * Another urgent byte is announced. The one before that nobody read in line is then no longer
 * known: it must not come back as ordinary data, so it is stepped over now, as native does
 */
static void urg_step_over(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);

	if (!tp->rcv.urg_data || tp->rcv.up != tp->rcv.copied_seq ||
	    sock_flag(sk, SOCK_URGINLINE) || tp->rcv.copied_seq == tp->rcv.nxt)
		return;
	WRITE_ONCE(tp->rcv.copied_seq, tp->rcv.copied_seq + 1);
	if (skb && !strata_seq_before(tp->rcv.copied_seq, STRATA_TCP_SEG(skb)->end_seq))
		strata_tcp_recv_eat(sk, skb);
}

/*
 * sixth: check the URG bit. The urgent byte is the one before the pointer, as native and
 * most stacks read it (RFC 6093 2.1); RFC 1122 4.2.2.4 has it at the pointer (tcp_stdurg).
 */
static void check_urg(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	bool at_pointer = READ_ONCE(strata_sk_net(sk)->conf.tcp_stdurg);
	u32 at = seg->seq + seg->urg - (seg->urg && !at_pointer);
	u32 off;
	u8 byte;

	/* what is queued as ordinary data, or read, does not become urgent any more */
	if ((seg->flags & STRATA_TCP_URG) && strata_seq_geq(at, tp->rcv.nxt) &&
	    !((tp->rcv.urg_data & TCP_URG_MASK) && strata_seq_leq(at, tp->rcv.up))) {
		sk_send_sigurg(sk);
		urg_step_over(sk);
		tp->rcv.up = at;
		WRITE_ONCE(tp->rcv.urg_data, STRATA_URG_NOTYET);
	}
	if (tp->rcv.urg_data != STRATA_URG_NOTYET)
		return;
	off = tp->rcv.up - seg->seq + seg->hdrlen;
	if (strata_seq_before(tp->rcv.up, seg->seq) || off >= skb->len ||
	    skb_copy_bits(skb, off, &byte, 1))
		return;
	WRITE_ONCE(tp->rcv.urg_data, STRATA_URG_VALID | byte);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_data_ready(sk);
}

/* RFC 1122 4.2.2.13: data for a connection that nobody will read is answered with RST */
static bool data_after_close(const struct sock *sk, const struct strata_tcp_seg *seg)
{
	u32 data_end = seg->end_seq - !!(seg->flags & STRATA_TCP_FIN);

	return ((1 << sk->sk_state) & (TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2)) &&
	       (sk->sk_shutdown & RCV_SHUTDOWN) && data_end != seg->seq &&
	       strata_seq_after(data_end, strata_tcp_sk(sk)->rcv.nxt);
}

/* seventh and eighth: segment text and FIN */
static enum skb_drop_reason take_text(struct sock *sk, struct sk_buff *skb, bool *eaten,
				      bool *reset)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);

	switch (sk->sk_state) {
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		/* there is nothing behind the peer's FIN (RFC 9293 3.10.7.4 seventh) */
		if (!strata_seq_before(seg->seq, strata_tcp_sk(sk)->rcv.nxt) ||
		    strata_seq_after(seg->end_seq, strata_tcp_sk(sk)->rcv.nxt))
			return SKB_NOT_DROPPED_YET;
		break;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		if (data_after_close(sk, seg)) {
			strata_inc(strata_sk_net(sk), TCPEXT_ABORTONDATA);
			*reset = true;
			strata_tcp_fail(sk, ECONNRESET);
			return SKB_DROP_REASON_TCP_ABORT_ON_DATA;
		}
		break;
	}
	return strata_tcp_data(sk, skb, eaten);
}

/*
 * Does it acknowledge what a peer that knows the connection may acknowledge by now? Old ACKs are
 * taken, too (strata_tcp_ack()), but not all that comes with them
 */
static bool ack_current(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	return strata_seq_between(seg->ack, tp->snd.una, tp->snd.nxt);
}

/*
 * RFC 7323 4.3: the timestamp to echo is that of the segment that the next ACK answers first. Its
 * ACK is current: a blind attacker must not make all that comes later look old (RFC 5961 5)
 */
static void take_timestamp(struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	if (!tp->ts_ok || !(seg->opts.flags & STRATA_OPT_TS) ||
	    strata_seq_after(seg->seq, tp->rwnd.wup))
		return;
	if (ts_before_recent(tp, seg) &&
	    (u32)ktime_get_seconds() - tp->ts_recent_stamp < TCP_PAWS_24DAYS)
		return;
	tp->ts_recent = seg->opts.tsval;
	tp->ts_recent_stamp = ktime_get_seconds();
}

/* header prediction: does it pass every check, with nothing in it but data and an ACK? */
static bool predicted(const struct sock *sk, const struct sk_buff *skb)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);

	return sk->sk_state == TCP_ESTABLISHED && seg->seq == tp->rcv.nxt &&
	       (seg->flags & ~(STRATA_TCP_PSH | STRATA_TCP_ECE | STRATA_TCP_CWR)) ==
	       STRATA_TCP_ACK &&
	       !ts_before_recent(tp, seg) && !tp->rcv.urg_data && ack_current(tp, seg) &&
	       seg->end_seq - seg->seq <= strata_wnd_left(&tp->rwnd, tp->rcv.nxt);
}

static enum skb_drop_reason segment_slow(struct sock *sk, struct sk_buff *skb, bool *eaten,
					 bool *reset)
{
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	enum skb_drop_reason why;

	why = check_seq(sk, seg);
	if (!why)
		why = check_rst(sk, seg);
	if (!why)
		why = check_syn(sk, seg);
	if (why)
		return why;
	if ((seg->flags & STRATA_TCP_ACK) && ack_current(strata_tcp_sk(sk), seg))
		take_timestamp(strata_tcp_sk(sk), seg);
	why = check_ack(sk, skb, reset);
	if (why)
		return why;
	check_urg(sk, skb);
	return take_text(sk, skb, eaten, reset);
}

enum skb_drop_reason strata_tcp_segment(struct sock *sk, struct sk_buff *skb, bool *eaten,
					bool *reset)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	enum skb_drop_reason why;

	switch (sk->sk_state) {
	case TCP_CLOSE:
		/*
		 * It was on its way when the connection ended, perhaps in TIME-WAIT: what has
		 * taken the socket's place answers when the peer sends again
		 */
		return SKB_DROP_REASON_TCP_CLOSE;
	case TCP_LISTEN:
		return SKB_DROP_REASON_SOCKET_CLOSE;
	case TCP_SYN_SENT:
		why = strata_tcp_synsent_rcv(sk, skb, eaten, reset);
		break;
	case TCP_SYN_RECV:
		/* a child that Fast Open has just made, and its SYN */
		if (strata_tcp_fastopen_pending(tp) && tp->listener) {
			why = strata_tcp_fastopen_rcv(sk, skb, eaten, reset);
			break;
		}
		fallthrough;
	default:
		if (predicted(sk, skb)) {
			strata_inc(strata_sk_net(sk), TCPEXT_HPHITS);
			take_timestamp(tp, STRATA_TCP_SEG(skb));
			why = strata_tcp_ack(sk, skb);
			if (!why)
				why = strata_tcp_data(sk, skb, eaten);
		} else {
			why = segment_slow(sk, skb, eaten, reset);
		}
	}
	if (sk->sk_state == TCP_CLOSE)
		return why;
	if (!skb_queue_empty(&sk->sk_write_queue))
		tp->todo |= STRATA_TODO_DATA;
	strata_tcp_ack_check(sk);
	return why;
}
