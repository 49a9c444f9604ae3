// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP Fast Open, the active side (RFC 7413 4.1.3, 4.2.1).
 *
 * send(MSG_FASTOPEN) connects and hands its first bytes to the SYN; so does, with
 * TCP_FASTOPEN_CONNECT, the first send() after a connect() that only chose the addresses. Without
 * a cookie the SYN asks for one and the data waits for the handshake as ever.
 *
 * The SYN's data is the only entry of the write queue, SND.NXT is behind it; tcp_xmit.c puts
 * it under the first SYN. A SYN that is sent again goes bare: what dropped the first
 * may have disliked option or data (4.1.3.1). The SYN-ACK decides: acknowledged, the entry is
 * done with; else it enters the retransmit queue as lost, without blame to the network, and
 * goes with the ACK.
 *
 * Some middleboxes swallow what follows an open they do not know. Where it looks like that,
 * Fast Open rests in the whole namespace for tcp_fastopen_blackhole_timeout_sec, twice as
 * long each time until a connection has brought data, as native.
 *
 * locking: the socket lock.
 */

#include "tcp_int.h"

#define OPTION_ROOM	40	/* of the SYN are left to options, here or on the way */
#define PAUSE_SHIFT_MAX	6

/* are we within a pause after a blackhole? */
static bool paused(struct sock *sk)
{
	struct strata_net *sn = strata_sk_net(sk);
	u32 pause = READ_ONCE(sn->conf.tcp_fastopen_blackhole);
	int n = atomic_read(&sn->tfo.blackholes);

	if (!pause || !n)
		return false;
	smp_rmb();	/* with pause(): the time is of that count or newer */
	if (time_before(jiffies, READ_ONCE(sn->tfo.blackhole_at) +
				 ((unsigned long)pause * HZ << min(n - 1, PAUSE_SHIFT_MAX))))
		return true;
	strata_tcp_sk(sk)->tfo.probe = 1;
	return false;
}

static void pause(struct strata_net *sn)
{
	if (!READ_ONCE(sn->conf.tcp_fastopen_blackhole))
		return;
	WRITE_ONCE(sn->tfo.blackhole_at, jiffies);
	smp_mb__before_atomic();	/* with paused() */
	atomic_inc(&sn->tfo.blackholes);
	strata_inc(sn, TCPEXT_FASTOPENBLACKHOLE);
}

void strata_tcp_fastopen_blackhole_forget(struct strata_net *sn)
{
	atomic_set(&sn->tfo.blackholes, 0);
}

/* may the SYN carry data? @c: the option it has in any case; @mss: the server's, if known */
static bool cookie_ready(struct sock *sk, u32 *mss, struct strata_tcp_cookie *c)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);
	bool ok = strata_tcp_fastopen_recall(sn, tp->ep.laddr, tp->ep.raddr, mss, c);

	if (!ok || paused(sk)) {
		c->len = -1;
		return false;
	}
	if (tp->fo_no_cookie || (READ_ONCE(sn->conf.tcp_fastopen) & STRATA_FASTOPEN_CLIENT_BARE) ||
	    (tp->ep.path.flags & STRATA_PATH_NO_COOKIE)) {
		c->len = -1;
		return true;
	}
	if (c->len > 0)
		return true;
	tp->tfo.client_fail = TFO_COOKIE_UNAVAILABLE;
	return false;
}

bool strata_tcp_fastopen_defer(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_cookie c;
	u32 mss;

	if (!tp->fo_connect || tp->tfo.active)
		return false;
	if (cookie_ready(sk, &mss, &c)) {
		tp->tfo.deferred = 1;
		tp->tfo.held = 1;
		return true;
	}
	tp->tfo.active = 1;	/* the SYN asks for a cookie */
	return false;
}

int strata_tcp_fastopen_begin(struct sock *sk, struct msghdr *msg)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct sockaddr *to = msg->msg_name;

	if (!(READ_ONCE(strata_sk_net(sk)->conf.tcp_fastopen) & STRATA_FASTOPEN_CLIENT) ||
	    (to && msg->msg_namelen >= (int)sizeof(to->sa_family) && to->sa_family == AF_UNSPEC))
		return -EOPNOTSUPP;
	if (tp->tfo.active)
		return -EALREADY;
	tp->tfo.active = 1;
	tp->tfo.msg = msg;
	tp->tfo.copied = 0;
	if (tp->tfo.held)
		strata_tcp_connect_held(sk);
	return 0;
}

u32 strata_tcp_fastopen_end(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	/* somebody may have disconnected us meanwhile */
	if (!tp->tfo.active)
		return 0;
	tp->tfo.active = 0;
	tp->tfo.deferred = 0;
	tp->tfo.msg = NULL;
	return tp->tfo.copied;
}

bool strata_tcp_fastopen_deferred(const struct sock *sk)
{
	return strata_tcp_sk(sk)->tfo.deferred;
}

void strata_tcp_fastopen_syn(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct msghdr *msg = tp->tfo.msg;
	u32 mss = tp->rcv.adv_mss;
	u32 room;
	int len;

	tp->tfo.held = 0;
	tp->tfo.msg = NULL;
	if (!tp->tfo.active)
		return;
	tp->tfo.syn_now = 1;
	if (!cookie_ready(sk, &mss, &tp->tfo.cookie))
		goto ask;
	if (!msg || !msg_data_left(msg))
		return;		/* the server may speak first, a round trip earlier */
	if (tp->snd.user_mss)
		mss = min_t(u32, mss, tp->snd.user_mss);
	mss = min_t(u32, mss, strata_ip_mtu(&tp->ep.path) - sizeof(struct iphdr) -
			      sizeof(struct tcphdr));
	room = mss > OPTION_ROOM ? mss - OPTION_ROOM : 0;
	if (!room)
		return;
	len = strata_tcp_send_syn(sk, msg, room);
	if (len > 0) {
		tp->tfo.copied = len;
		return;
	}
ask:
	if (tp->tfo.cookie.len > 0)
		tp->tfo.cookie.len = 0;
}

void strata_tcp_fastopen_sent(struct sock *sk, int err)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (!tp->tfo.syn_now)
		return;
	tp->tfo.syn_now = 0;
	/* if it could not leave, the data waits for the handshake in the write queue */
	if (!err && sk->sk_state == TCP_SYN_SENT) {
		tp->tfo.asked = tp->tfo.cookie.len >= 0;
		tp->tfo.exp = tp->tfo.cookie.exp;
		tp->tfo.syn_data = !skb_queue_empty(&sk->sk_write_queue);
	}
	if (tp->tfo.syn_data) {
		tp->snd.nxt = tp->snd.write_seq;
		tp->snd.pushed_seq = tp->snd.write_seq;
		strata_inc(strata_sk_net(sk), TCPEXT_ORIGDATASENT);
	}
	tp->tfo.cookie.len = -1;
}

void strata_tcp_fastopen_settle(struct sock *sk, u32 ack)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *data = skb_peek(&sk->sk_write_queue);

	if (!data)
		return;
	if (strata_seq_geq(ack, STRATA_TCP_TX(data)->end_seq)) {
		__skb_unlink(data, &sk->sk_write_queue);
		strata_tcp_tx_free(sk, data);
		tp->scb.delivered++;
		tp->tfo.data_acked = 1;
		strata_inc(strata_sk_net(sk), TCPEXT_FASTOPENACTIVE);
		return;
	}
	tp->tfo.client_fail = tp->syn_retrans ? TFO_SYN_RETRANSMITTED : TFO_DATA_NOT_ACKED;
	strata_tcp_syn_data_lost(sk, data);
	strata_inc(strata_sk_net(sk), TCPEXT_FASTOPENACTIVEFAIL);
}

void strata_tcp_fastopen_synack(struct sock *sk, const struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct strata_tcp_cookie c;
	bool lost = false;
	u8 try_exp = 0;

	strata_tcp_read_cookie(skb_transport_header(skb), &seg->opts, &c);
	if (!tp->tfo.asked)
		c.len = -1;	/* nobody wanted one */
	else if (tp->syn_retrans)
		/* only a bare SYN has arrived, or the answer to the other was lost */
		lost = c.len < 0 && tp->tfo.syn_data && strata_seq_before(seg->ack, tp->snd.nxt);
	else if (c.len < 0 && !tp->tfo.syn_data)
		try_exp = tp->tfo.exp ? 2 : 1;
	strata_tcp_fastopen_learn(strata_sk_net(sk), tp->ep.laddr, tp->ep.raddr,
				  tp->snd.mss_clamp, &c, lost, try_exp);
	if (!tp->tfo.syn_data)
		return;
	tp->bytes_acked += seg->ack - (tp->snd.iss + 1);
	strata_tcp_fastopen_settle(sk, seg->ack);
}

bool strata_tcp_fastopen_too_large(const struct sock *sk, u32 mtu)
{
	const struct sk_buff *data = skb_peek(&sk->sk_write_queue);

	/* a SYN that went again had no data */
	return sk->sk_state == TCP_SYN_SENT && strata_tcp_sk(sk)->tfo.syn_data && data &&
	       !strata_tcp_sk(sk)->retrans_start_us &&
	       data->len + sizeof(struct iphdr) + sizeof(struct tcphdr) + OPTION_ROOM > mtu;
}

void strata_tcp_fastopen_timeout(struct sock *sk, bool expired)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (!tp->tfo.asked && !tp->tfo.syn_data && !tp->tfo.data_acked)
		return;
	if (tp->retries != 2 && (tp->retries > 2 || !expired))
		return;
	pause(strata_sk_net(sk));
	strata_inc(strata_sk_net(sk), TCPEXT_FASTOPENACTIVEFAIL);
}

void strata_tcp_fastopen_strange(struct sock *sk)
{
	if (strata_tcp_sk(sk)->tfo.asked)
		pause(strata_sk_net(sk));
}

/* a FIN waits for what never came, and nothing else ever did */
static bool only_fin(const struct strata_tcp_sock *tp)
{
	struct sk_buff *skb = skb_rb_first(&tp->ofo);

	return skb && !skb_rb_next(skb) && (STRATA_TCP_SEG(skb)->flags & STRATA_TCP_FIN);
}

void strata_tcp_fastopen_over(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);

	if (likely(!tp->tfo.asked))
		return;
	tp->tfo.asked = 0;	/* once */
	if (!tp->data_segs_in) {
		if (only_fin(tp))
			pause(sn);
	} else if (tp->tfo.probe && atomic_read(&sn->tfo.blackholes)) {
		/* what goes round inside the host proves nothing */
		if (!(tp->ep.path.flags & STRATA_PATH_LOOP))
			atomic_set(&sn->tfo.blackholes, 0);
	}
}

void strata_tcp_fastopen_clear(struct strata_tcp_sock *tp)
{
	memset(&tp->tfo, 0, sizeof(tp->tfo));
	tp->tfo.cookie.len = -1;
}
