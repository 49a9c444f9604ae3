// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to send now. The receive path, the timers and the user's calls leave wishes in
 * tp->todo and each calls strata_tcp_output() once, at its end; it is the only reader
 * of the wishes and the only place that clears them. So every decision to transmit
 * is taken here, with the whole state of the connection before it:
 *
 *   retransmissions first, as far as the congestion window lets them (tcp_rexmit.c),
 *   then new data: congestion window, the peer's window, silly window avoidance and
 *   Nagle's rule, pacing and the small-queue limit (tcp_tsq.c), in segments as
 *   large as one millisecond of the pacing rate,
 *   then probes, and an ACK at last if one is owed and nothing has carried it.
 *
 * RFC 9293 3.8.6.2 (silly windows), 3.7.4 (Nagle, with Minshall's change), 3.10.2
 * (SEND); RFC 5681 (congestion window); RFC 7661, 2861 (validation); RFC 5961 7
 * (limits of challenge ACKs).
 *
 * locking: the socket lock; process context or BH.
 */

#include <linux/random.h>
#include "tcp_int.h"

/* the largest IPv4 packet less the headers: payload of one GSO segment, bytes */
#define TCP_GSO_MAX	(65535 - sizeof(struct iphdr) - 60)

/* why the loop for new data ended, and with what */
struct output_run {
	u32	mss;		/* payload of a segment now, with the options it carries */
	u32	max_segs;	/* segments of one GSO segment, 0: not asked yet */
	u32	nagle;		/* STRATA_SND_NODELAY, _CORK */
	u32	sent;		/* segments */
	bool	cwnd_limited;
	bool	rwnd_limited;
};

/* RFC 2018, 2883: bytes the SACK option takes in a segment sent now */
static u32 sack_optlen(const struct strata_tcp_sock *tp)
{
	u32 n = tp->sack_rcv.n + tp->sack_rcv.has_dup;

	if (!tp->sack_ok || !n)
		return 0;
	return 4 + 8 * min_t(u32, n, strata_tcp_sack_room(tp->ts_ok ? STRATA_OPT_TS : 0));
}

/** strata_tcp_cur_mss() - payload of a full segment now: path MTU and options */
u32 strata_tcp_cur_mss(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (!strata_path_renew(&tp->ep) && strata_ip_mtu(&tp->ep.path) != tp->pmtu)
		strata_tcp_sync_mss(sk, strata_ip_mtu(&tp->ep.path));
	return max_t(u32, tp->snd.mss - sack_optlen(tp), 8);
}

/* segments that the device takes in one piece ("ip link set gso_max_segs", _size) */
static u32 device_segs(const struct sock *sk, u32 mss)
{
	const struct strata_path *path = &strata_tcp_sk(sk)->ep.path;
	const struct net_device *dev;
	u32 segs = TCP_GSO_MAX / mss;

	rcu_read_lock();
	dev = path->ifp ? strata_path_dev_rcu(path) : NULL;
	if (dev) {
		u32 bytes = READ_ONCE(dev->gso_max_size);

		bytes -= min_t(u32, bytes, STRATA_TCP_HEADROOM);
		segs = min3(segs, bytes / mss, (u32)READ_ONCE(dev->gso_max_segs));
	}
	rcu_read_unlock();
	return max(segs, 1U);
}

/** strata_tcp_burst_segs() - segments of about a millisecond at the pacing rate */
u32 strata_tcp_burst_segs(const struct sock *sk, u32 mss)
{
	unsigned long bytes = READ_ONCE(sk->sk_pacing_rate) >> READ_ONCE(sk->sk_pacing_shift);
	const struct strata_tcp_cong *c = &strata_tcp_sk(sk)->cong;
	u32 least = c->ops->min_tso_segs ? c->ops->min_tso_segs(c) :
		    READ_ONCE(strata_sk_net(sk)->conf.tcp_min_tso_segs);
	u32 most = device_segs(sk, mss);

	return min(most, max_t(u32, min_t(unsigned long, bytes, TCP_GSO_MAX) / mss, least));
}

/** strata_tcp_update_pacing() - derive the pacing rate from cwnd and srtt */
void strata_tcp_update_pacing(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	u64 rate;

	/* an algorithm with full control has set it */
	if (!tp->cong.ops->cong_control)
		strata_cong_update_pacing(&tp->cong, tp->snd.mss, strata_rtt_srtt(&tp->rtt),
					  max(tp->cong.cwnd, tp->scb.packets_out),
					  READ_ONCE(conf->tcp_pacing_ss_ratio),
					  READ_ONCE(conf->tcp_pacing_ca_ratio));
	rate = min_t(u64, tp->cong.pacing_rate, READ_ONCE(sk->sk_max_pacing_rate));
	WRITE_ONCE(sk->sk_pacing_rate, min_t(u64, rate, ULONG_MAX));
}

static u32 wnd_end(const struct strata_tcp_sock *tp)
{
	return tp->snd.una + tp->swnd.wnd;
}

/* bytes of the peer's window from @seq on, 0 if beyond it */
static u32 wnd_usable(const struct strata_tcp_sock *tp, u32 seq)
{
	s32 left = wnd_end(tp) - seq;

	return left < 0 ? 0 : left;
}

static u32 nagle_flags(const struct strata_tcp_sock *tp, const struct strata_tcp_tx *tx,
		       const struct output_run *run)
{
	u32 flags = run->nagle;

	if (tx->flags & STRATA_TCP_FIN)
		flags |= STRATA_SND_FIN;
	if (tp->snd.nxt == tp->snd.una)
		flags |= STRATA_SND_IDLE;
	if (strata_seq_after(tp->snd.sml_end, tp->snd.una) &&
	    strata_seq_leq(tp->snd.sml_end, tp->snd.nxt))
		flags |= STRATA_SND_SMALL_OUT;
	if (tp->snd.up != tp->snd.una && strata_seq_after(tp->snd.up, tx->seq))
		flags |= STRATA_SND_FORCE;
	return flags;
}

/* payload bytes of @skb that may go in one piece now; -1: none, not even an empty FIN */
static int sendable(const struct sock *sk, const struct sk_buff *skb, struct output_run *run,
		    u32 quota)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	bool last = skb_queue_is_last(&sk->sk_write_queue, skb);
	u32 usable = wnd_usable(tp, tx->seq);
	u32 flags = nagle_flags(tp, tx, run);
	u32 len = skb->len;
	u32 part;

	/* a bare FIN needs no window of its own: it is taken at the right edge (3.8.6) */
	if (!len)
		return usable || strata_seq_leq(tx->seq, wnd_end(tp)) ? 0 : -1;
	/* as native: no full segment fits, or not all there is */
	run->rwnd_limited = usable < min(len, run->mss);
	if (!usable)
		return -1;
	if ((last || usable < len) &&
	    !strata_snd_ok(last ? len : tp->snd.write_seq - tx->seq, usable, run->mss,
			   tp->swnd.max, flags))
		return -1;

	if (len <= run->mss && len <= usable)
		return len;
	if (!run->max_segs)
		run->max_segs = strata_tcp_burst_segs(sk, run->mss);
	/* the pieces of a GSO segment would all have the pointer of the first */
	if (unlikely(tp->snd.up != tp->snd.una) && strata_seq_after(tp->snd.up, tx->seq))
		quota = 1;
	len = min3(len, usable, min(quota, run->max_segs) * run->mss);
	part = len % run->mss;
	if (len <= run->mss || !part)
		return len;
	/* the piece behind the full segments: only at the very end, and if Nagle lets it */
	if (len < skb->len || (last && !strata_snd_ok(part, part, run->mss, tp->swnd.max, flags)))
		len -= part;
	return len;
}

/* @skb left for the first time */
static void sent_new(struct sock *sk, struct sk_buff *skb, struct output_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);

	strata_rate_sent(&tp->rate, &tp->scb, tx, strata_tcp_depart_us(tp));
	strata_scb_sent(&tp->scb, tx);
	strata_prr_sent(&tp->rec, tx->pcount);
	strata_tcp_rtx_enter(sk, skb);
	tp->snd.nxt = tx->end_seq;
	if (skb->len < tx->pcount * run->mss)
		tp->snd.sml_end = tx->end_seq;
	run->sent += tx->pcount;
	strata_add(strata_sk_net(sk), TCPEXT_ORIGDATASENT, tx->pcount);
	/* of a FIN alone, too: the silence of a peer whose window is closed counts from it */
	tp->lsndtime = (u32)jiffies;
	if (!skb->len)
		return;
	/* data in the other direction answers: the session is interactive */
	if (tp->lsndtime - (u32)tp->ack.lrcvtime < tp->ack.ato)
		tp->ack.pingpong = min(tp->ack.pingpong + 1, 255);
}

/* cut @skb to @len bytes and send it; 0 or -errno */
static int send_new(struct sock *sk, struct sk_buff *skb, u32 len, struct output_run *run,
		    gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	int err;

	if (len < skb->len) {
		err = strata_tcp_tx_split(sk, skb, len, false, gfp);
		if (err)
			return err;
	}
	tx->mss = run->mss;
	tx->pcount = strata_tcp_pcount(skb->len, run->mss);
	if (skb_queue_is_last(&sk->sk_write_queue, skb) && skb->len)
		tx->flags |= STRATA_TCP_PSH;
	err = strata_tcp_xmit_skb(sk, skb, gfp);
	if (err) {
		/* the device's queue is full: as congestion (RFC 5681 4.3 has no better name) */
		if (err == -ENOBUFS)
			strata_recovery_cwr(&tp->rec, &tp->cong, &tp->scb, tp->snd.nxt,
					    tp->mstamp_us);
		return err;
	}
	sent_new(sk, skb, run);
	strata_tcp_pace_sent(sk, skb);
	return 0;
}

/* idle for longer than the RTO: the window no longer says what the path carries (RFC 5681 4.1) */
static void restart_after_idle(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 idle = (u32)jiffies - tp->lsndtime;

	if (idle && READ_ONCE(strata_sk_net(sk)->conf.tcp_slow_start_after_idle))
		/* in µs it would wrap after 71 minutes */
		strata_cong_idle(&tp->cong, tp->snd.mss,
				 (u64)jiffies_to_msecs(idle) * USEC_PER_MSEC,
				 strata_rtt_rto(&tp->rtt), tp->mstamp_us);
	strata_cong_event(&tp->cong, STRATA_CE_TX_START, tp->mstamp_us);
	/* one with full control may leave at another rate now */
	if (unlikely(tp->cong.ops->cong_control))
		strata_tcp_update_pacing(sk);
}

/* what became of the wish to probe */
enum probe_verdict {
	PROBE_NONE,	/* not now: go on */
	PROBE_SENT,
	PROBE_WAIT,	/* hold back what there is until window and cwnd have room for it */
};

/* RFC 4821 7.4: may a probe of @size bytes go, and enough behind it to show its loss? */
static enum probe_verdict probe_ready(const struct sock *sk, u32 size)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 out = strata_tcp_in_flight(&tp->scb);
	u64 need = size + (u64)(tp->scb.reordering + 1) * tp->snd.mss;

	if (tp->snd.write_seq - tp->snd.nxt < need || tp->swnd.wnd < need)
		return PROBE_NONE;
	if (wnd_usable(tp, tp->snd.nxt) < need)
		return PROBE_WAIT;
	/* it counts as two segments */
	if (out + 2 > tp->cong.cwnd)
		return out ? PROBE_WAIT : PROBE_NONE;
	return PROBE_SENT;
}

/* mtu_probe() where a probe may be due; not inlined: what it has on the stack costs the others */
static noinline enum probe_verdict mtu_probe_due(struct sock *sk, struct output_run *run, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	struct strata_mtup_shape shape;
	enum probe_verdict verdict;
	struct output_run one = { .max_segs = 1 };
	struct sk_buff *skb;

	shape = strata_tcp_shape(tp);
	one.mss = strata_mtup_next(&tp->mtup, &shape, READ_ONCE(conf->tcp_probe_threshold));
	if (!one.mss) {
		strata_mtup_again(&tp->mtup, &shape, run->mss, tp->pmtu,
				  READ_ONCE(conf->tcp_probe_interval),
				  (u32)div_u64(tp->mstamp_us, USEC_PER_MSEC));
		return PROBE_NONE;
	}
	verdict = probe_ready(sk, one.mss);
	if (verdict != PROBE_SENT)
		return verdict;
	skb = strata_tcp_tx_gather(sk, one.mss, gfp);
	if (!skb || send_new(sk, skb, one.mss, &one, gfp))
		return PROBE_NONE;
	strata_mtup_sent(&tp->mtup, &shape, STRATA_TCP_TX(skb)->seq, STRATA_TCP_TX(skb)->end_seq);
	tp->cong.cwnd--;
	run->sent += one.sent;
	return PROBE_SENT;
}

/* RFC 4821 7: new data in a segment larger than the path is known to take, as native tries it */
static enum probe_verdict mtu_probe(struct sock *sk, struct output_run *run, gfp_t gfp)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (likely(!tp->mtup.enabled) || tp->mtup.probe || tp->rec.state != STRATA_CA_OPEN ||
	    tp->cong.cwnd < 11 || tp->sack_rcv.n || tp->sack_rcv.has_dup)
		return PROBE_NONE;
	return mtu_probe_due(sk, run, gfp);
}

static void send_loop(struct sock *sk, struct output_run *run, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_write_queue))) {
		u32 out = strata_tcp_in_flight(&tp->scb);
		u32 quota = tp->cong.cwnd > out ? tp->cong.cwnd - out : 0;
		int len;

		if (strata_tcp_paced(sk))
			break;
		if (!quota) {
			/* a FIN that carries nothing costs the network nothing */
			if (skb->len || !(STRATA_TCP_TX(skb)->flags & STRATA_TCP_FIN)) {
				run->cwnd_limited = true;
				break;
			}
			quota = 1;
		}
		len = sendable(sk, skb, run, quota);
		if (len < 0)
			break;
		if (strata_tcp_throttled(sk, skb, len))
			break;
		if (send_new(sk, skb, len, run, gfp))
			break;
	}
}

/* is a writer of this connection waiting for room? */
static bool writer_waits(const struct sock *sk)
{
	return sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags) &&
	       ((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT));
}

/* who holds the connection back: the peer, the send buffer, the program (tcp_info) */
static void count_limits(struct sock *sk, const struct output_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (run->rwnd_limited)
		strata_chrono_start(&tp->chrono, STRATA_CHRONO_RWND, tp->mstamp_us);
	else if (tp->chrono.now == STRATA_CHRONO_RWND)
		strata_chrono_stop(&tp->chrono, STRATA_CHRONO_RWND, strata_tcp_tx_idle(sk),
				   tp->mstamp_us);
	if (!skb_queue_empty(&sk->sk_write_queue))
		return;
	if (strata_tcp_in_flight(&tp->scb) < tp->cong.cwnd && !run->cwnd_limited)
		strata_rate_app_limited(&tp->rate, &tp->scb);
	if (run->sent && writer_waits(sk) && !strata_cong_is_limited(&tp->cong))
		strata_chrono_start(&tp->chrono, STRATA_CHRONO_SNDBUF, tp->mstamp_us);
}

/* new data and FIN as far as they may go; segments sent */
static u32 output_data(struct sock *sk, unsigned long todo, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool was_idle = !tp->scb.packets_out;
	struct output_run run = { };

	if (skb_queue_empty(&sk->sk_write_queue))
		return 0;
	if (tp->chrono.now == STRATA_CHRONO_IDLE)
		strata_chrono_start(&tp->chrono, STRATA_CHRONO_BUSY, tp->mstamp_us);
	run.mss = strata_tcp_cur_mss(sk);
	if (tp->nodelay || (todo & STRATA_TODO_PUSH))
		run.nagle |= STRATA_SND_NODELAY;
	if (tp->cork || (todo & STRATA_TODO_MORE))
		run.nagle |= STRATA_SND_CORK;
	if (was_idle)
		restart_after_idle(sk);

	if (mtu_probe(sk, &run, gfp) != PROBE_WAIT)
		send_loop(sk, &run, gfp);

	if (run.sent) {
		u32 out = strata_tcp_in_flight(&tp->scb);

		strata_cong_validate(&tp->cong, tp->snd.una, tp->snd.nxt, out,
				     run.cwnd_limited || out >= tp->cong.cwnd,
				     strata_rtt_rto(&tp->rtt), tp->mstamp_us,
				     READ_ONCE(strata_sk_net(sk)->conf.tcp_slow_start_after_idle));
	}
	count_limits(sk, &run);
	/* RFC 6298 5.1: start it if it does not run; a probe's or the reordering timer goes on */
	if (run.sent ? was_idle || (tp->timer_kind != STRATA_TIMER_RTO &&
				    tp->timer_kind != STRATA_TIMER_REO) :
		       !tp->scb.packets_out && tp->timer_kind == STRATA_TIMER_NONE)
		strata_tcp_timer_rearm(sk);
	return run.sent;
}

/* SND.NXT, but never beyond a window that the peer has shrunk, or it would not be acceptable */
u32 strata_tcp_ctl_seq(const struct strata_tcp_sock *tp)
{
	u32 end = wnd_end(tp);

	if (strata_seq_geq(end, tp->snd.nxt) ||
	    tp->snd.nxt - end < 1U << tp->swnd.wscale)
		return tp->snd.nxt;
	return end;
}

static void output_ack(struct sock *sk, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (strata_tcp_xmit_ctl(sk, strata_tcp_ctl_seq(tp), STRATA_TCP_ACK, gfp) != -ENOBUFS)
		return;
	/* no memory: the delayed ACK timer tries again */
	tp->ack.pending |= STRATA_ACK_SCHED;
	strata_tcp_delack_set(sk, HZ / 25 << min_t(u8, tp->ack.retry, 5));
	tp->ack.retry++;
}

/*
 * RFC 5961 7: so many challenge ACKs in a second in the whole namespace. The number varies around
 * the limit: who counts those he gets could tell from the rest what others asked for
 */
static bool challenge_allowed(struct strata_net *sn)
{
	u32 limit = READ_ONCE(sn->conf.tcp_challenge_ack_limit);
	u32 now = jiffies / HZ, left;

	if (limit == INT_MAX)
		return true;
	left = READ_ONCE(sn->tcp_challenge_left);
	if (now != READ_ONCE(sn->tcp_challenge_sec)) {
		WRITE_ONCE(sn->tcp_challenge_sec, now);
		left = limit ? (limit + 1) / 2 + get_random_u32_below(limit) : 0;
	}
	WRITE_ONCE(sn->tcp_challenge_left, left ? left - 1 : 0);
	return left;
}

/* an ACK in answer to what should not have come: not too often (RFC 5961 7) */
static void output_oow_ack(struct sock *sk, unsigned long todo, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);
	u32 gap = READ_ONCE(sn->conf.tcp_invalid_ratelimit);
	bool challenge = todo & STRATA_TODO_CHALLENGE;

	if (tp->last_oow_ack && (u32)jiffies - tp->last_oow_ack < gap) {
		if (challenge)
			strata_inc(sn, TCPEXT_ACKSKIPPEDCHALLENGE);
		else if (tp->oow_paws)
			strata_inc(sn, TCPEXT_ACKSKIPPEDPAWS);
		else
			strata_inc(sn, TCPEXT_ACKSKIPPEDSEQ);
		return;
	}
	tp->last_oow_ack = (u32)jiffies ?: 1;
	if (challenge && !challenge_allowed(sn))
		return;
	if (challenge)
		strata_inc(sn, TCPEXT_CHALLENGEACK);
	output_ack(sk, gfp);
}

static void output_syn(struct sock *sk, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	strata_tcp_fastopen_sent(sk, strata_tcp_xmit_syn(sk, gfp));
	tp->syn_us = tp->mstamp_us;
	if (tp->timer_kind != STRATA_TIMER_RTO)
		strata_tcp_timer_set(sk, STRATA_TIMER_RTO,
				     strata_tcp_jiffies(strata_rtt_rto(&tp->rtt)));
}

/* SYN-SENT and SYN-RECEIVED */
static void output_handshake(struct sock *sk, unsigned long todo, gfp_t gfp)
{
	if (todo & STRATA_TODO_SYN)
		output_syn(sk, gfp);
	else if (todo & (STRATA_TODO_CHALLENGE | STRATA_TODO_DUPACK))
		output_oow_ack(sk, todo, gfp);
	else if (todo & STRATA_TODO_ACK)
		output_ack(sk, gfp);
}

/* TCP_NOTSENT_LOWAT: is a writer waiting until less is unsent? */
static bool notsent_counts(const struct strata_tcp_sock *tp)
{
	return READ_ONCE(tp->notsent_lowat) || READ_ONCE(tp->ep.sn->conf.tcp_notsent_lowat) != -1;
}

/* not inlined: what most ACKs ask for takes no registers to save */
static noinline void output_todo(struct sock *sk, unsigned long todo)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN;
	u32 nxt = tp->snd.nxt;

	/* if it fails the next ACK tells what counts: CE comes again while there is congestion */
	if (todo & STRATA_TODO_ACK_PRIOR)
		strata_tcp_xmit_prior_ack(sk, strata_tcp_ctl_seq(tp), gfp);
	if (todo & STRATA_TODO_ACK)
		tp->ack.pending |= STRATA_ACK_SCHED;	/* until something carries it */
	if (strata_tcp_fastopen_pending(tp)) {
		/* nothing is sent again but the SYN-ACK (RFC 7413 4.2.2) */
		if (todo & STRATA_TODO_SYN)
			output_syn(sk, gfp);
		todo &= ~(STRATA_TODO_REXMIT | STRATA_TODO_TLP | STRATA_TODO_PROBE);
	} else if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV) {
		output_handshake(sk, todo, gfp);
		return;
	} else if (unlikely(todo & STRATA_TODO_SYN)) {
		/* FIN-WAIT-1 of a simultaneous open: the SYN-ACK first, the FIN when it is there */
		output_syn(sk, gfp);
		todo &= ~STRATA_TODO_REXMIT;
	}
	WRITE_ONCE(tp->in_output, true);
	if (todo & STRATA_TODO_REXMIT)
		strata_tcp_rexmit(sk, gfp);
	if (todo & STRATA_TODO_TLP)
		strata_tcp_send_tlp(sk, gfp);
	if (todo & (STRATA_TODO_DATA | STRATA_TODO_PUSH))
		output_data(sk, todo, gfp);
	if (todo & STRATA_TODO_PROBE)
		strata_tcp_send_probe(sk, gfp);
	WRITE_ONCE(tp->in_output, false);
	if (todo & STRATA_TODO_KEEPALIVE)
		strata_tcp_xmit_ctl(sk, tp->snd.una - 1, STRATA_TCP_ACK, gfp);
	if (todo & (STRATA_TODO_CHALLENGE | STRATA_TODO_DUPACK))
		output_oow_ack(sk, todo, gfp);
	else if ((todo & STRATA_TODO_ACK) && (tp->ack.pending & STRATA_ACK_SCHED))
		output_ack(sk, gfp);
	/* what has just left is no longer unsent */
	if ((todo & STRATA_TODO_SPACE) || (tp->snd.nxt != nxt && notsent_counts(tp)))
		strata_tcp_check_space(sk);
}

void strata_tcp_output_now(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	unsigned long todo = tp->todo;

	tp->todo = 0;
	if (!todo || (1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN))
		return;
	/* nothing is to be sent after an ACK: the common case */
	if (todo == STRATA_TODO_SPACE)
		strata_tcp_check_space(sk);
	else
		output_todo(sk, todo);
}

/* not what the next segment may make untrue: a mark that changed, a duplicate, no memory */
static bool backlog_ack_waits(const struct strata_tcp_sock *tp)
{
	const unsigned long acks = STRATA_TODO_ACK | STRATA_TODO_ACK_PRIOR;

	return (tp->todo & acks) == STRATA_TODO_ACK && !tp->sack_rcv.has_dup &&
	       !(tp->ack.pending & STRATA_ACK_NOMEM);
}

void strata_tcp_output_backlog(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (backlog_ack_waits(tp) && sk->sk_state == TCP_ESTABLISHED &&
	    READ_ONCE(strata_sk_net(sk)->conf.tcp_backlog_ack_defer)) {
		tp->todo &= ~STRATA_TODO_ACK;
		tp->ack.pending |= STRATA_ACK_SCHED;
		strata_tcp_defer(sk, STRATA_DEFER_ACK);
	}
	strata_tcp_output_now(sk);
}

/** strata_tcp_send_one() - one segment of new data whatever cwnd says (TLP, probe); 0 or -errno */
int strata_tcp_send_one(struct sock *sk, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb = skb_peek(&sk->sk_write_queue);
	struct output_run run = { .mss = strata_tcp_cur_mss(sk), .max_segs = 1 };
	u32 usable;

	if (!skb)
		return -ENOENT;
	usable = wnd_usable(tp, STRATA_TCP_TX(skb)->seq);
	if (!usable && skb->len)
		return -EAGAIN;
	return send_new(sk, skb, min3(usable, run.mss, skb->len), &run, gfp);
}

void strata_tcp_queue_fin(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (!skb) {
		skb = strata_tcp_tx_alloc(sk, GFP_KERNEL | __GFP_NOFAIL, true);
		strata_tcp_tx_entail(sk, skb);
	}
	STRATA_TCP_TX(skb)->flags |= STRATA_TCP_FIN;
	STRATA_TCP_TX(skb)->end_seq++;
	tp->snd.write_seq++;
	tp->todo |= STRATA_TODO_DATA | STRATA_TODO_PUSH;
}
