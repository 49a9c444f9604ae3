// SPDX-License-Identifier: GPL-2.0-only
/*
 * Active open (RFC 9293 3.10.1), and the SYN-SENT state (3.10.7.3).
 *
 * The SYN is no queue entry: snd.una = ISS and snd.nxt = ISS + 1 say that it is out, the
 * retransmission timer and STRATA_TODO_SYN send it (again). What both sides of an opening
 * share is here too: MSS (RFC 9293 3.7.1, 6691), windows and the start of the transfer.
 */

#include "tcp_int.h"

#define TCP_IP_HDRLEN	(sizeof(struct iphdr) + sizeof(struct tcphdr))
#define TCP_TS_OPTLEN	12	/* NOP NOP TS */

struct strata_mtup_shape strata_tcp_shape(const struct strata_tcp_sock *tp)
{
	return (struct strata_mtup_shape) {
		.clamp = tp->snd.user_mss ? min(tp->snd.mss_clamp, tp->snd.user_mss) :
			 tp->snd.mss_clamp,
		.least = READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_min_snd_mss),
		.optlen = tp->ts_ok ? TCP_TS_OPTLEN : 0,
	};
}

static void mtup_init(struct strata_tcp_sock *tp)
{
	const struct strata_net_conf *conf = &strata_sk_net(&tp->ep.sk)->conf;
	struct strata_mtup_shape shape = strata_tcp_shape(tp);

	strata_mtup_init(&tp->mtup, &shape, READ_ONCE(conf->tcp_base_mss),
			 READ_ONCE(conf->tcp_mtu_probing) > 1,
			 (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC));
}

u32 strata_tcp_sync_mss(struct sock *sk, u32 pmtu)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_mtup_shape shape = strata_tcp_shape(tp);
	u32 mss = strata_mtup_bound(&tp->mtup, &shape, pmtu);

	/* a peer with a tiny window: two segments in it (RFC 1122 4.2.3.4) */
	if (tp->swnd.max > 536)
		mss = min_t(u32, mss, max_t(u32, tp->swnd.max / 2, 68));

	tp->pmtu = pmtu;
	tp->snd.mss = mss;
	return mss;
}

void strata_tcp_init_rwin(struct sock *sk, u32 mss)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	int max_buf = max(READ_ONCE(sk->sk_rcvbuf), READ_ONCE(conf->tcp_rmem[2]));

	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		max_buf = READ_ONCE(sk->sk_rcvbuf);
	strata_wnd_init(&tp->rwnd, tp->rcv.nxt, strata_tcp_full_space(sk),
			max_buf, tp->window_clamp, mss, READ_ONCE(conf->tcp_window_scaling));
	tp->rcv.ssthresh = tp->rwnd.wnd;
}

/* the MSS option to send: what the device can take, or what the user wants (RFC 6691) */
static u16 adv_mss(const struct strata_tcp_sock *tp, u32 mtu)
{
	u32 mss = clamp_t(u32, mtu, TCP_IP_HDRLEN + 88, U16_MAX + TCP_IP_HDRLEN) - TCP_IP_HDRLEN;

	if (tp->snd.user_mss)
		mss = min_t(u32, mss, tp->snd.user_mss);
	return mss;
}

/* route, addresses and port; enters the table of connections */
static int connect_path(struct sock *sk, __be32 daddr, __be16 dport)
{
	struct strata_sock *ep = strata_sk(sk);
	struct strata_flow fl;
	struct strata_path path;
	int err;

	strata_sock_flow(ep, &fl);
	fl.daddr = daddr;
	fl.dport = dport;
	err = strata_ip_route(strata_sk_net(sk), &fl, &path);
	if (err)
		return err;
	if (path.flags & (STRATA_PATH_BROADCAST | STRATA_PATH_MULTICAST)) {
		strata_path_put(&path);
		return -ENETUNREACH;
	}
	strata_path_put(&ep->path);
	ep->path = path;
	if (!ep->laddr)
		WRITE_ONCE(ep->laddr, fl.saddr);
	WRITE_ONCE(ep->raddr, fl.daddr);
	WRITE_ONCE(ep->rport, dport);
	return 0;
}

static void connect_undo(struct sock *sk)
{
	struct strata_sock *ep = strata_sk(sk);

	strata_tcp_set_state(sk, TCP_CLOSE);
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		WRITE_ONCE(ep->laddr, 0);
	else
		WRITE_ONCE(ep->laddr, ep->bound_laddr);
	WRITE_ONCE(ep->raddr, 0);
	WRITE_ONCE(ep->rport, 0);
	strata_path_put(&ep->path);
}

/* the control information of a new connection */
static void connect_init(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_sock *ep = &tp->ep;
	struct strata_net *sn = strata_sk_net(sk);
	u64 now = strata_tcp_mstamp(tp);

	if (!tp->snd.iss)	/* else chosen above a TIME-WAIT's numbers */
		tp->snd.iss = strata_tcp_isn(ep->laddr, ep->raddr, ep->lport, ep->rport);
	tp->ts_offset = strata_tcp_ts_off(sn, ep->laddr, ep->raddr);
	tp->snd.una = tp->snd.iss;
	tp->snd.nxt = tp->snd.iss + 1;
	tp->snd.write_seq = tp->snd.nxt;
	tp->snd.pushed_seq = tp->snd.nxt;
	tp->snd.sml_end = tp->snd.iss;
	tp->snd.up = tp->snd.iss;
	tp->rexmit_seq = tp->snd.nxt;
	tp->rcv.nxt = 0;
	tp->rcv.copied_seq = 0;
	tp->rcv.adv_mss = adv_mss(tp, strata_ip_mtu(&ep->path));
	tp->rcv.mss = min_t(u32, tp->rcv.adv_mss, 536);
	memset(&tp->swnd, 0, sizeof(tp->swnd));
	mtup_init(tp);
	strata_tcp_sync_mss(sk, strata_ip_mtu(&ep->path));
	strata_tcp_init_rwin(sk, tp->rcv.adv_mss);
	strata_rtt_init(&tp->rtt);
	tp->rtt.rto_min_us = tp->rto_min_us;
	tp->retries = 0;
	tp->probes_out = 0;
	tp->syn_retrans = 0;
	tp->scb.total_retrans = 0;
	if (unlikely(ep->path.flags & STRATA_PATH_METRICS))
		strata_tcp_metrics_connect(sk);
	strata_tcp_ecn_connect(tp);
	tp->syn_us = now;
	tp->retrans_start_us = 0;
	sock_reset_flag(sk, SOCK_DONE);
	WRITE_ONCE(sk->sk_err, 0);
}

static void connect_syn(struct sock *sk)
{
	strata_tcp_fastopen_syn(sk);
	strata_inc(strata_sk_net(sk), TCP_ACTIVEOPENS);
	strata_tcp_sk(sk)->todo |= STRATA_TODO_SYN;
	strata_tcp_output(sk);
}

void strata_tcp_connect_held(struct sock *sk)
{
	/* the route may have gone meanwhile */
	if (strata_path_renew(&strata_tcp_sk(sk)->ep))
		connect_undo(sk);
	else
		connect_syn(sk);
}

int strata_tcp_connect(struct sock *sk, __be32 daddr, __be16 dport)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_sock *ep = &tp->ep;
	bool had_port = ep->bind;
	int err;

	if (sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	err = connect_path(sk, daddr, dport);
	if (err)
		return err;

	tp->snd.iss = 0;
	strata_tcp_set_state(sk, TCP_SYN_SENT);
	if (ep->bind)
		err = strata_tcp_hash_bound(sk);
	else
		err = strata_port_connect(sk, strata_tcp_hash_chosen);
	if (!err || had_port)
		trace_strata_tcp_state(sk, ep->laddr, ep->lport, ep->raddr, ep->rport, TCP_CLOSE,
				       TCP_SYN_SENT);
	if (err) {
		connect_undo(sk);
		return err;
	}
	connect_init(sk);
	if (!strata_tcp_fastopen_defer(sk))
		connect_syn(sk);
	return 0;
}

void strata_tcp_init_transfer(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	u32 syns = tp->scb.total_retrans;	/* they count, as native */
	struct strata_cong_sample cs = {
		.now_us = tp->mstamp_us,
		.una = tp->snd.una,
		.nxt = tp->snd.nxt,
		.srtt_us = strata_rtt_srtt(&tp->rtt),
		.min_rtt_us = strata_rtt_min(&tp->rtt),
		.ecn_ok = tp->ecn_ok,
	};

	mtup_init(tp);
	strata_tcp_sync_mss(sk, strata_path_renew(&tp->ep) ? tp->pmtu :
							     strata_ip_mtu(&tp->ep.path));
	cs.mss = tp->snd.mss;
	strata_scb_init(&tp->scb, READ_ONCE(conf->tcp_reordering), tp->sack_ok);
	tp->scb.total_retrans = syns;
	tp->scb.delivered = 1;		/* the SYN, or SYN-ACK, as native */
	cs.delivered_total = tp->scb.delivered;
	/* no sample, whyever, as native; of Fast Open there cannot be one yet */
	if (!tp->rtt.srtt_us && !strata_tcp_fastopen_pending(tp))
		strata_rtt_syn_retransmitted(&tp->rtt);
	if (unlikely(tp->ep.path.flags & STRATA_PATH_METRICS))
		strata_tcp_metrics_transfer(sk, &cs);
	strata_cong_start(&tp->cong, &cs, tp->syn_retrans);
	strata_drs_init(&tp->drs, tp->rcv.copied_seq, tp->rcv.nxt, tp->rwnd.wnd, tp->rwnd.wnd,
			tp->mstamp_us);

	tp->retries = 0;
	tp->lsndtime = (u32)jiffies;
	tp->ack.lrcvtime = jiffies;
	/* room for the initial window */
	if (!(sk->sk_userlocks & SOCK_SNDBUF_LOCK))
		strata_tcp_sndbuf_expand(sk);
}

void strata_tcp_take_syn_options(struct strata_tcp_sock *tp, const struct strata_tcp_opts *o)
{
	tp->ts_ok = !!(o->flags & STRATA_OPT_TS);
	tp->sack_ok = !!(o->flags & STRATA_OPT_SACKOK);
	tp->wscale_ok = !!(o->flags & STRATA_OPT_WSCALE);
	if (tp->wscale_ok) {
		tp->swnd.wscale = o->wscale;
	} else {
		tp->swnd.wscale = 0;
		tp->rwnd.wscale = 0;
		tp->rwnd.clamp = min_t(u32, tp->rwnd.clamp, U16_MAX);
	}
	tp->snd.mss_clamp = (o->flags & STRATA_OPT_MSS) ? max_t(u16, o->mss, 1) : 536;
	if (tp->ts_ok) {
		tp->ts_recent = o->tsval;
		tp->ts_recent_stamp = ktime_get_seconds();
	}
}

/* irs, rcv.nxt and the peer's first window, which is never scaled (RFC 7323 2.2) */
static void synsent_take_syn(struct sock *sk, const struct strata_tcp_seg *seg)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	tp->rcv.irs = seg->seq;
	WRITE_ONCE(tp->rcv.nxt, seg->seq + 1);
	WRITE_ONCE(tp->rcv.copied_seq, tp->rcv.nxt);
	tp->rcv.up = tp->rcv.nxt;
	tp->rwnd.wup = tp->rcv.nxt;
	strata_tcp_take_syn_options(tp, &seg->opts);
	strata_tcp_ecn_syn_rcv(tp, seg->flags);
	tp->swnd.wnd = seg->wnd;
	tp->swnd.max = seg->wnd;
	tp->swnd.wl1 = seg->seq;
	strata_tcp_sync_mss(sk, tp->pmtu);
}

static bool synsent_number_ok(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	return strata_seq_after(seg->ack, tp->snd.una) && !strata_seq_after(seg->ack, tp->snd.nxt);
}

/* first: check the ACK bit. Also that its timestamp echoes one of our SYNs' */
static bool synsent_ack_ok(const struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg)
{
	if (!synsent_number_ok(tp, seg) || tp->tfo.held)
		return false;
	if ((seg->opts.flags & STRATA_OPT_TS) && seg->opts.tsecr &&
	    READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_timestamps)) {
		u32 first = (u32)div_u64(tp->retrans_start_us ?: tp->syn_us, USEC_PER_MSEC) +
			    tp->ts_offset;

		if (!strata_seq_between(seg->opts.tsecr, first, strata_tcp_ts_now(tp))) {
			strata_inc(strata_sk_net(&tp->ep.sk), TCPEXT_PAWSACTIVE);
			return false;
		}
	}
	return true;
}

/* our SYN is acknowledged and the peer's is here: ESTABLISHED */
static void synsent_established(struct sock *sk, const struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	tp->snd.una = STRATA_TCP_SEG(skb)->ack;
	tp->ack_time = (u32)jiffies;
	strata_tcp_timer_clear(sk);
	strata_rtt_timeouts_over(&tp->rtt.timeouts, strata_tcp_now_ms(tp));
	if (!tp->syn_retrans)	/* Karn */
		strata_rtt_sample(&tp->rtt, max_t(u32, tp->mstamp_us - tp->syn_us, 1),
				  tp->snd.una, tp->snd.nxt);
	if (!tp->syn_retrans)
		strata_rtt_min_update(&tp->rtt,
				      READ_ONCE(strata_sk_net(sk)->conf.tcp_min_rtt_wlen) * 1000,
				      (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC),
				      max_t(u32, tp->mstamp_us - tp->syn_us, 1));
	strata_tcp_set_state(sk, TCP_ESTABLISHED);
	strata_tcp_init_transfer(sk);
	if (tp->tfo.asked || tp->tfo.syn_data)
		strata_tcp_fastopen_synack(sk, skb);
	if (sock_flag(sk, SOCK_KEEPOPEN))
		strata_tcp_keepalive_set(sk, strata_tcp_keepalive_time(tp));
	if (!sock_flag(sk, SOCK_DEAD)) {
		sk->sk_state_change(sk);
		sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
	}
}

enum skb_drop_reason strata_tcp_synsent_rcv(struct sock *sk, struct sk_buff *skb, bool *eaten,
					    bool *reset)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	bool ack = seg->flags & STRATA_TCP_ACK;

	*reset = false;
	/* first */
	if (ack && !synsent_ack_ok(tp, seg)) {
		*reset = !(seg->flags & STRATA_TCP_RST);
		/*
		 * An old connection of the peer, about to end: at once again, as native; not for
		 * a RST, which anybody could have us answer
		 */
		if (*reset && !tp->retries && !tp->tfo.held && !synsent_number_ok(tp, seg))
			strata_tcp_timer_set(sk, STRATA_TIMER_RTO, 2);
		return SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE;
	}
	/* second */
	if (seg->flags & STRATA_TCP_RST) {
		if (ack)
			strata_tcp_fail(sk, ECONNREFUSED);
		return SKB_DROP_REASON_TCP_RESET;
	}
	/* third: no security or precedence. Fourth */
	if (!(seg->flags & STRATA_TCP_SYN))
		return SKB_DROP_REASON_TCP_FLAGS;

	synsent_take_syn(sk, seg);
	if (!ack) {
		/* simultaneous open (3.5, figure 7): SYN-ACK, and wait for theirs */
		strata_tcp_set_state(sk, TCP_SYN_RECV);
		tp->tfo.held = 0;
		tp->todo |= STRATA_TODO_SYN;
		return SKB_NOT_DROPPED_YET;
	}
	synsent_established(sk, skb);
	tp->todo |= STRATA_TODO_ACK | STRATA_TODO_DATA;

	/* "if there are other controls or text in the segment": sixth step on */
	if (strata_seq_after(seg->end_seq, tp->rcv.nxt)) {
		seg->seq++;
		seg->flags &= ~STRATA_TCP_SYN;
		return strata_tcp_data(sk, skb, eaten);
	}
	return SKB_NOT_DROPPED_YET;
}
