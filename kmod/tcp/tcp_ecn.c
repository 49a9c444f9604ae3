// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explicit congestion notification (RFC 3168): who agreed on it, and what marks on received
 * packets mean.
 *
 *   SYN with ECE and CWR, SYN-ACK with ECE alone		6.1.1
 *   a SYN sent again asks no more (tcp_ecn_fallback)		6.1.1.1
 *   CE on data: ECE on every ACK until CWR comes		6.1.3
 *   ECE: the window is reduced once per window of data		6.1.2, tcp_recovery.c
 *   CWR on the first new data behind the reduction, and ECT(0)
 *   on new data alone						6.1.2, 6.1.5, tcp_xmit.c
 *
 * net.strata.tcp_ecn 1 asks for it, 2 agrees when asked; a route may want it ("features ecn"),
 * and so may a congestion control (STRATA_CONG_NEEDS_ECN), which then has ECT on all it sends,
 * and each CE echoed for itself (RFC 8257 3.2).
 *
 * locking: the socket lock, but for what looks at a listener.
 */

#include "tcp_int.h"

#define ECN_NOT_ECT	0
#define ECN_CE		3

static bool cong_needs_ecn(const struct strata_tcp_sock *tp)
{
	const struct strata_tcp_cong_ops *ops = READ_ONCE(tp->cong.ops);

	return ops && (ops->flags & STRATA_CONG_NEEDS_ECN);
}

bool strata_tcp_ecn_always(const struct strata_tcp_sock *tp)
{
	return tp->ecn_ok && cong_needs_ecn(tp);
}

void strata_tcp_ecn_connect(struct strata_tcp_sock *tp)
{
	const struct strata_net_conf *conf = &strata_sk_net(&tp->ep.sk)->conf;

	tp->ecn_ok = READ_ONCE(conf->tcp_ecn) == 1 || cong_needs_ecn(tp) ||
		     (tp->ep.path.flags & STRATA_PATH_ECN);
	tp->ecn_seen = 0;
	tp->ecn_echo = 0;
	tp->ecn_ce = 0;
}

u8 strata_tcp_ecn_syn(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (!tp->ecn_ok)
		return 0;
	if (sk->sk_state != TCP_SYN_SENT)
		return STRATA_TCP_ECE;
	/* something on the way may drop such SYNs: better without than not at all */
	if (tp->syn_retrans && READ_ONCE(strata_sk_net(sk)->conf.tcp_ecn_fallback))
		return 0;
	return STRATA_TCP_ECE | STRATA_TCP_CWR;
}

void strata_tcp_ecn_syn_rcv(struct strata_tcp_sock *tp, u8 flags)
{
	u8 want = flags & STRATA_TCP_ACK ? STRATA_TCP_ECE : STRATA_TCP_ECE | STRATA_TCP_CWR;

	/* one that reflects our flags does not mean it */
	if ((flags & (STRATA_TCP_ECE | STRATA_TCP_CWR)) != want)
		tp->ecn_ok = 0;
}

bool strata_tcp_ecn_allowed(const struct sock *lsk, const struct strata_path *path)
{
	return READ_ONCE(strata_sk_net(lsk)->conf.tcp_ecn) || (path->flags & STRATA_PATH_ECN);
}

bool strata_tcp_ecn_request(const struct sock *lsk, const struct strata_tcp_seg *seg,
			    const struct strata_path *path)
{
	const u8 asks = STRATA_TCP_ECE | STRATA_TCP_CWR;

	if ((seg->flags & asks) != asks)
		return false;
	if (cong_needs_ecn(strata_tcp_sk(lsk)) || (path->flags & STRATA_PATH_ECN_CA))
		return true;
	/* 6.1.1: a SYN is not sent with ECT: then the network set it, and is not to be trusted */
	return seg->ecn == ECN_NOT_ECT && strata_tcp_ecn_allowed(lsk, path);
}

bool strata_tcp_ecn_listener_ect(const struct sock *lsk)
{
	return cong_needs_ecn(strata_tcp_sk(lsk));
}

/* the peer's window may be one segment now: it must not wait for ACKs */
static void quick_acks(struct strata_tcp_sock *tp)
{
	tp->ack.quick = max_t(u8, tp->ack.quick, 2);
	tp->ack.pingpong = 0;
	tp->ack.ato = STRATA_TCP_ATO_MIN;
}

bool strata_tcp_ecn_ack(struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	/* 6.1.3: CWR; on a pure ACK too, as some peers send it */
	if (seg->flags & STRATA_TCP_CWR) {
		tp->ecn_echo = 0;
		if (seg->seq != seg->end_seq)
			tp->ack.pending |= STRATA_ACK_NOW;
	}
	return (seg->flags & (STRATA_TCP_ECE | STRATA_TCP_SYN)) == STRATA_TCP_ECE;
}

/*
 * RFC 8257 3.2: each ACK tells of the segments it is for whether they were marked. So where that
 * changes, those before are acknowledged by themselves, if their ACK was put off, and the new
 * ones at once
 */
static void echo_each(struct strata_tcp_sock *tp, bool ce)
{
	if (tp->ecn_ce != ce) {
		if (tp->rcv.nxt != tp->rwnd.wup) {
			tp->ecn_prior_nxt = tp->rcv.nxt;
			tp->todo |= STRATA_TODO_ACK_PRIOR;
		}
		tp->ack.pending |= STRATA_ACK_SCHED | STRATA_ACK_NOW;
	}
	tp->ecn_ce = ce;
	tp->ecn_echo = ce;
}

void strata_tcp_ecn_data(struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	if (seg->ecn == ECN_NOT_ECT) {
		/* after others that had it: probably sent again, so something was lost */
		if (tp->ecn_seen)
			quick_acks(tp);
		return;
	}
	if (cong_needs_ecn(tp))
		echo_each(tp, seg->ecn == ECN_CE);
	if (seg->ecn == ECN_CE && !tp->ecn_echo) {
		quick_acks(tp);
		tp->ecn_echo = 1;
	}
	tp->ecn_seen = 1;
}

void strata_tcp_ecn_probe(struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	/* 6.1.6: unlike other data outside of the window (6.1.5), as nobody guesses its number */
	if (seg->ecn == ECN_CE && seg->seq == tp->rcv.nxt)
		strata_tcp_ecn_data(tp, seg);
}
