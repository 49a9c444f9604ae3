// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of connections: CLOSE (RFC 9293 3.10.4, 3.6), ABORT (3.10.5), shutdown() of one
 * direction, SO_LINGER, and orphans: connections whose descriptor is gone while their FIN or
 * data is still under way (RFC 1122 4.2.2.13).
 */

#include "tcp_int.h"

#define TIMEWAIT_LEN	(60 * HZ)

/* the state after our FIN is queued, where CLOSE sends one (3.10.4) */
static const u8 fin_state[TCP_MAX_STATES] = {
	[TCP_SYN_RECV]		= TCP_FIN_WAIT1,
	[TCP_ESTABLISHED]	= TCP_FIN_WAIT1,
	[TCP_CLOSE_WAIT]	= TCP_LAST_ACK,
};

/* move on to the state after CLOSE; must a FIN be sent? */
static bool close_state(struct sock *sk)
{
	u8 next = fin_state[sk->sk_state];

	if (!next) {
		if (sk->sk_state == TCP_SYN_SENT)
			strata_tcp_set_state(sk, TCP_CLOSE);
		return false;
	}
	strata_tcp_set_state(sk, next);
	return true;
}

void strata_tcp_shutdown(struct sock *sk, int how)
{
	if (!(how & SEND_SHUTDOWN))
		return;
	if (close_state(sk)) {
		strata_tcp_queue_fin(sk);
		strata_tcp_output(sk);
	}
}

/* must an ABORT tell the peer (3.10.5)? In CLOSING and LAST-ACK only of what it will never get */
static bool needs_reset(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	switch (sk->sk_state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_SYN_RECV:
		return true;
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return tp->snd.nxt != tp->snd.write_seq;
	default:
		return false;
	}
}

int strata_tcp_fin_timeout(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int timeo = tp->linger2 ?: READ_ONCE(strata_sk_net(sk)->conf.tcp_fin_timeout);
	int rto = strata_tcp_jiffies(strata_rtt_rto(&tp->rtt));

	return max(timeo, (rto << 2) - (rto >> 1));
}

/* too many orphans, each counted 1 << @shift times, or no memory for another one */
static bool too_many_orphans(struct sock *sk, int shift)
{
	struct strata_net *sn = strata_sk_net(sk);

	if (percpu_counter_read_positive(&sn->tcp_orphans) << shift >
	    READ_ONCE(sn->conf.tcp_max_orphans))
		return true;
	return sk->sk_wmem_queued > SOCK_MIN_SNDBUF &&
	       atomic_long_read(sk->sk_prot->memory_allocated) > sk->sk_prot->sysctl_mem[2];
}

static void orphan_abort(struct sock *sk, bool reset)
{
	strata_inc(strata_sk_net(sk), TCPEXT_ABORTONMEMORY);
	if (reset)
		strata_tcp_send_active_reset(sk, GFP_ATOMIC);
	strata_tcp_done(sk);
}

bool strata_tcp_orphan_shed(struct sock *sk, bool alive)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 silent = (u32)jiffies - tp->lsndtime;
	int shift = 0;

	/* the peer that says nothing goes before the others, and that errors are told of */
	if ((s32)silent > 2 * (s32)usecs_to_jiffies(STRATA_RTO_MAX_US) || !alive)
		shift++;
	if (tp->soft_err)
		shift++;
	if (!too_many_orphans(sk, shift))
		return false;
	if (silent <= TIMEWAIT_LEN || (!tp->swnd.wnd && !tp->scb.packets_out))
		alive = true;
	orphan_abort(sk, alive);
	return true;
}

/* (longer than an object in TIME-WAIT lives it stays a socket first anyway: orphan_fin_wait2()) */
bool strata_tcp_fin_wait2_stays(struct sock *sk)
{
	int timeo = strata_tcp_fin_timeout(sk);

	if (strata_tcp_sk(sk)->linger2 < 0 || timeo > TIMEWAIT_LEN)
		return false;
	strata_tcp_keepalive_set(sk, timeo);
	return true;
}

/* an orphan in FIN-WAIT-2 waits for the peer's FIN as a small object */
static void orphan_fin_wait2(struct sock *sk)
{
	int timeo = strata_tcp_fin_timeout(sk);

	if (strata_tcp_sk(sk)->linger2 < 0) {
		strata_inc(strata_sk_net(sk), TCPEXT_ABORTONLINGER);
		strata_tcp_send_active_reset(sk, GFP_ATOMIC);
		strata_tcp_done(sk);
	} else if (timeo > TIMEWAIT_LEN) {
		strata_tcp_keepalive_set(sk, timeo - TIMEWAIT_LEN);
	} else {
		strata_tcp_time_wait(sk, TCP_FIN_WAIT2, timeo);
	}
}

void strata_tcp_orphan_check(struct sock *sk)
{
	if (sk->sk_state == TCP_FIN_WAIT2)
		orphan_fin_wait2(sk);
	else if (sk->sk_state != TCP_CLOSE && too_many_orphans(sk, 0))
		orphan_abort(sk, true);
}

/* free what the user did not read; was there any (a FIN alone does not count) */
static bool drain_unread(struct sock *sk)
{
	struct sk_buff *skb;
	bool unread = false;

	while ((skb = __skb_dequeue(&sk->sk_receive_queue))) {
		const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
		u32 len = seg->end_seq - seg->seq - !!(seg->flags & STRATA_TCP_FIN);

		if (len && strata_seq_after(seg->end_seq, strata_tcp_sk(sk)->rcv.copied_seq))
			unread = true;
		__kfree_skb(skb);
	}
	sk_mem_reclaim(sk);
	return unread;
}

/* the connection's part of close(), socket still owned by the descriptor */
static void close_connection(struct sock *sk, long timeout)
{
	bool unread = drain_unread(sk);

	if (sk->sk_state == TCP_CLOSE)
		return;
	if (unread) {
		/* RFC 2525 2.17: unread data is lost, say so; in LAST-ACK what is unsent is, too */
		strata_inc(strata_sk_net(sk), TCPEXT_ABORTONCLOSE);
		strata_tcp_send_active_reset(sk, sk->sk_allocation);
		strata_tcp_done(sk);
	} else if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime) {
		strata_inc(strata_sk_net(sk), TCPEXT_ABORTONDATA);
		strata_tcp_disconnect(sk, 0);
	} else if (close_state(sk)) {
		strata_tcp_queue_fin(sk);
		strata_tcp_output(sk);
	}
	sk_stream_wait_close(sk, timeout);
}

void strata_tcp_close(struct sock *sk, long timeout)
{
	lock_sock(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (sk->sk_state == TCP_LISTEN) {
		strata_tcp_set_state(sk, TCP_CLOSE);
		strata_tcp_listen_stop(sk);
	} else {
		close_connection(sk, timeout);
	}

	/* from here on nobody but the connection itself knows the socket */
	sock_hold(sk);
	sock_orphan(sk);
	percpu_counter_inc(&strata_sk_net(sk)->tcp_orphans);
	if (sk->sk_state == TCP_CLOSE)
		strata_tcp_destroy(sk);
	else if (sk->sk_state != TCP_FIN_WAIT2 || !READ_ONCE(sk->sk_backlog.tail) ||
		 !strata_tcp_fin_wait2_stays(sk))
		strata_tcp_orphan_check(sk);
	release_sock(sk);
	sock_put(sk);
}

/* forget the connection; the socket may connect or listen again */
static void disconnect_reset(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_sock *ep = &tp->ep;

	strata_tcp_timers_stop(sk);
	__skb_queue_purge(&sk->sk_receive_queue);
	strata_tcp_fastopen_over(sk);
	strata_tcp_fastopen_clear(tp);
	kfree(tp->syn);
	tp->syn = NULL;
	strata_tcp_purge_queues(sk);
	WRITE_ONCE(ep->raddr, 0);
	WRITE_ONCE(ep->rport, 0);
	WRITE_ONCE(ep->laddr, sk->sk_userlocks & SOCK_BINDADDR_LOCK ? ep->bound_laddr : 0);
	strata_path_put(&ep->path);

	WRITE_ONCE(sk->sk_shutdown, 0);
	sock_reset_flag(sk, SOCK_DONE);
	tp->todo = 0;
	tp->ts_ok = 0;
	tp->sack_ok = 0;
	tp->wscale_ok = 0;
	tp->syn_retrans = 0;
	tp->ts_recent = 0;
	tp->ts_recent_stamp = 0;
	tp->soft_err = 0;
	WRITE_ONCE(tp->window_clamp, 0);
	sk_set_peek_off(sk, -1);
	tp->snd.mss_clamp = 536;
	tp->ack_alone = 0;
	tp->rcv.ratio = STRATA_WND_RATIO;
	WRITE_ONCE(tp->rcv.copied_seq, tp->rcv.nxt);
	WRITE_ONCE(tp->rcv.urg_data, 0);
	tp->snd.una = tp->snd.write_seq;
	tp->snd.nxt = tp->snd.write_seq;
	memset(&tp->ack, 0, sizeof(tp->ack));
	memset(&tp->sack_rcv, 0, sizeof(tp->sack_rcv));
	strata_scb_init(&tp->scb, tp->scb.reordering, false);
	strata_rate_init(&tp->rate);
	memset(&tp->tlp, 0, sizeof(tp->tlp));
	memset(&tp->chrono, 0, sizeof(tp->chrono));
	strata_recovery_init(&tp->rec);
	strata_rack_init(&tp->rack);
	strata_rtt_init(&tp->rtt);
	tp->bytes_sent = 0;
	tp->bytes_acked = 0;
	tp->bytes_received = 0;
	tp->bytes_retrans = 0;
	tp->segs_in = 0;
	tp->segs_out = 0;
	tp->data_segs_in = 0;
	tp->data_segs_out = 0;
	tp->rcv_ooopack = 0;
	tp->last_oow_ack = 0;
	tp->retries = 0;
	tp->probes_out = 0;
	tp->probes_tstamp = 0;
	tp->retrans_start_us = 0;
	strata_cong_reset(&tp->cong);
	strata_tcp_cong_forget_route(sk);
	/* children of a later listen() are copies, without a reference of their own */
	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
		sk->sk_frag.offset = 0;
	}
}

int strata_tcp_disconnect(struct sock *sk, int flags)
{
	int old = sk->sk_state;

	if (old == TCP_LISTEN) {
		strata_tcp_set_state(sk, TCP_CLOSE);
		strata_tcp_listen_stop(sk);
	} else if (needs_reset(sk)) {
		strata_tcp_send_active_reset(sk, gfp_any());
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	} else if (old == TCP_SYN_SENT) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	}
	if (sk->sk_state != TCP_CLOSE)
		strata_tcp_set_state(sk, TCP_CLOSE);
	disconnect_reset(sk);
	sk_error_report(sk);
	return 0;
}

int strata_tcp_abort(struct sock *sk, int err)
{
	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN) {
		strata_tcp_set_state(sk, TCP_CLOSE);
		strata_tcp_listen_stop(sk);
		WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
		WRITE_ONCE(sk->sk_err, err);
		/* every one of those in accept(), an error wakes only one */
		sk->sk_state_change(sk);
		sk_error_report(sk);
	} else if (sk->sk_state != TCP_CLOSE) {
		if (needs_reset(sk))
			strata_tcp_send_active_reset(sk, GFP_KERNEL);
		strata_tcp_fail(sk, err);
	}
	release_sock(sk);
	return 0;
}
