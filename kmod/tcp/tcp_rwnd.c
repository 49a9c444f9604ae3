// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window that is offered to the peer (RFC 9293 3.8.6.2.2, RFC 7323 2), and when a reader's
 * progress is worth an ACK (RFC 1122 4.2.3.3). The arithmetic is in tcp_window.c.
 *
 * locking: the socket lock; process context or BH.
 */

#include "tcp_int.h"

/*
 * the window to offer now, not yet promised; *@tight: it would be none, if what was offered did not
 * stand
 */
static u32 window_now(struct sock *sk, bool *tight)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int used = READ_ONCE(sk->sk_backlog.len) + atomic_read(&sk->sk_rmem_alloc);
	u32 space = strata_tcp_full_space(sk);
	u32 full = min(space, tp->rwnd.clamp);
	u32 free = used ? strata_tcp_space(sk) : space;
	u32 mss = min_t(u32, tp->rcv.mss, max(full, 1U));
	u32 least = max(space / 16, mss);

	if (tight)
		*tight = free < full / 2 && round_down(free, 1U << tp->rwnd.wscale) < least;
	/* the reader lags behind: no reason to hurry the peer */
	if (free < full / 2 && tp->ack.quick != STRATA_QUICK_ALWAYS)
		tp->ack.quick = 0;
	if (sk_under_memory_pressure(sk))
		tp->rcv.ssthresh = min(tp->rcv.ssthresh, 4U * tp->rcv.adv_mss);
	if (tp->rwnd.wscale && READ_ONCE(strata_sk_net(sk)->conf.tcp_shrink_window))
		return strata_wnd_shrink(&tp->rwnd, free, full, least, tp->rcv.ssthresh);
	free = min(free, tp->rcv.ssthresh);
	return strata_wnd_select(&tp->rwnd, tp->rcv.nxt, free, full, mss);
}

u16 strata_tcp_select_window(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);
	u32 old = tp->rwnd.wnd, left = strata_wnd_left(&tp->rwnd, tp->rcv.nxt);
	bool tight = false;
	u32 wnd = tp->ack.pending & STRATA_ACK_NOMEM ? 0 : window_now(sk, &tight);

	if (tight && left && wnd && wnd < left + (1U << tp->rwnd.wscale))
		strata_inc(sn, TCPEXT_WANTZEROWINDOWADV);
	if (!wnd && old)
		strata_inc(sn, TCPEXT_TOZEROWINDOWADV);
	else if (wnd && !old)
		strata_inc(sn, TCPEXT_FROMZEROWINDOWADV);
	return strata_wnd_commit(&tp->rwnd, tp->rcv.nxt, wnd);
}

/* native's rule, too: if not, the reader's next look at the data sends the ACK */
bool strata_tcp_window_ok(struct sock *sk)
{
	return window_now(sk, NULL) >= strata_tcp_sk(sk)->rwnd.wnd;
}

/* has the reader taken all of what seems a write, so that nothing more may come to carry an ACK? */
static bool write_read(const struct sock *sk, int copied)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (copied <= 0 || (tp->ack.pending & STRATA_ACK_RIDE) || atomic_read(&sk->sk_rmem_alloc))
		return false;
	return (tp->ack.pending & STRATA_ACK_PUSHED2) ||
	       ((tp->ack.pending & STRATA_ACK_PUSHED) && !strata_tcp_interactive(tp));
}

void strata_tcp_cleanup_rbuf(struct sock *sk, int copied)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool due = false;

	if (tp->ack.pending & STRATA_ACK_SCHED)
		due = tp->rcv.nxt - tp->rwnd.wup > tp->rcv.mss || write_read(sk, copied);
	/* no window beyond these two can be offered, so do not compute it in vain */
	if (!due && copied > 0 && !(sk->sk_shutdown & RCV_SHUTDOWN) &&
	    2 * strata_wnd_left(&tp->rwnd, tp->rcv.nxt) <= min(tp->rwnd.clamp, tp->rcv.ssthresh) &&
	    strata_wnd_update_due(&tp->rwnd, tp->rcv.nxt, window_now(sk, NULL))) {
		tp->ack.pending |= STRATA_ACK_SCHED;
		due = true;
	}
	if (!due)
		return;
	tp->todo |= STRATA_TODO_ACK;
	strata_tcp_output(sk);
}

void strata_tcp_reader_waits(struct sock *sk, int copied)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (!(tp->ack.pending & STRATA_ACK_RIDE)) {
		strata_tcp_cleanup_rbuf(sk, copied);
		return;
	}
	/* no answer yet, and the peer may wait for the ACK with more */
	tp->todo |= STRATA_TODO_ACK;
	strata_tcp_output(sk);
}
