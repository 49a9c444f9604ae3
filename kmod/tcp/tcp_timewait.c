// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME-WAIT (RFC 9293 3.6.1): for 2 MSL a small object stands for the connection. It answers a
 * FIN sent again, keeps old duplicates out of a successor (RFC 1337), and gives way to a new
 * SYN that is provably younger (RFC 6191). An orphan in FIN-WAIT-2 lives here too, until the
 * peer's FIN or tcp_fin_timeout.
 *
 * The table and the timer hold a reference each. Whoever takes the object off the table
 * (strata_tcp_tw_unhash_locked) finishes it: timer, port, both references.
 *
 * To those who trace, the connection's states go on here where the socket's ended.
 */

#include <linux/slab.h>
#include "tcp_table.h"

#define TIMEWAIT_LEN	(60 * HZ)	/* 2 MSL, as native */
/* seconds after which TS.Recent is too old to compare, RFC 7323 5.5 */
#define PAWS_24DAYS	(60 * 60 * 24 * 24)

static struct kmem_cache *tw_cache __read_mostly;

static_assert(IS_ENABLED(CONFIG_LOCKDEP) || sizeof(struct strata_tcp_tw) <= 256);

static void tw_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(tw_cache, container_of(head, struct strata_tcp_tw, rcu));
}

void strata_tcp_tw_put(struct strata_tcp_tw *tw)
{
	if (refcount_dec_and_test(&tw->ref))
		call_rcu(&tw->rcu, tw_free_rcu);
}

bool strata_tcp_tw_unhash_locked(struct strata_tcp_tw *tw)
{
	if (hlist_unhashed(&tw->hash))
		return false;
	hlist_del_init_rcu(&tw->hash);
	return true;
}

static void tw_trace(const struct strata_tcp_tw *tw, int old, int state)
{
	trace_strata_tcp_state(tw, tw->laddr, tw->lport, tw->raddr, tw->rport, old, state);
}

/* of those who still have a reference nobody tells of a later state */
static noinline void tw_trace_end(struct strata_tcp_tw *tw)
{
	spin_lock_bh(&tw->lock);
	tw_trace(tw, tw->state, TCP_CLOSE);
	tw->over = true;
	spin_unlock_bh(&tw->lock);
}

/* off the table: give back all but the timer's reference */
static void tw_release(struct strata_tcp_tw *tw)
{
	if (trace_strata_tcp_state_enabled())
		tw_trace_end(tw);
	strata_port_release(tw->bind);
	percpu_counter_dec(&tw->sn->tcp_tw);
	strata_tcp_tw_put(tw);
}

void strata_tcp_tw_finish(struct strata_tcp_tw *tw)
{
	if (timer_shutdown(&tw->timer))
		strata_tcp_tw_put(tw);
	tw_release(tw);
}

static bool tw_unhash(struct strata_tcp_tw *tw)
{
	struct strata_tcp_bucket *b = strata_tcp_bucket(tw->hashval);
	bool mine;

	spin_lock_bh(&b->lock);
	mine = strata_tcp_tw_unhash_locked(tw);
	spin_unlock_bh(&b->lock);
	return mine;
}

void strata_tcp_tw_kill(struct strata_tcp_tw *tw)
{
	if (tw_unhash(tw))
		strata_tcp_tw_finish(tw);
}

static void tw_timer(struct timer_list *t)
{
	struct strata_tcp_tw *tw = container_of(t, struct strata_tcp_tw, timer);

	if (tw_unhash(tw))
		tw_release(tw);
	strata_tcp_tw_put(tw);
}

/* run again @timeo jiffies from now; a timer that is being shut down stays so */
static void tw_rearm(struct strata_tcp_tw *tw, unsigned long timeo)
{
	mod_timer_pending(&tw->timer, jiffies + timeo);
}

static bool tw_match(const struct strata_tcp_tw *tw, const struct strata_net *sn, __be32 laddr,
		     __be16 lport, __be32 raddr, __be16 rport, int iif)
{
	return tw->raddr == raddr && tw->rport == rport && tw->laddr == laddr &&
	       tw->lport == lport && tw->sn == sn && (!tw->ifindex || !iif || tw->ifindex == iif);
}

struct strata_tcp_tw *strata_tcp_tw_lookup(struct strata_net *sn, u32 hash, __be32 laddr,
					   __be16 lport, __be32 raddr, __be16 rport, int iif)
{
	struct strata_tcp_tw *tw;

	hlist_for_each_entry_rcu(tw, &strata_tcp_bucket(hash)->tws, hash) {
		if (tw_match(tw, sn, laddr, lport, raddr, rport, iif) &&
		    refcount_inc_not_zero(&tw->ref))
			return tw;
	}
	return NULL;
}

/* the ACK of RFC 9293 3.10.7.4: "restart the 2 MSL timeout" is the caller's */
static void tw_send_ack(struct strata_tcp_tw *tw)
{
	struct strata_tcp_bare seg = {
		.fl = {
			.saddr = tw->laddr, .daddr = tw->raddr,
			.sport = tw->lport, .dport = tw->rport,
			.oif = tw->ifindex, .mark = tw->mark,
			.proto = IPPROTO_TCP, .tos = tw->tos, .df = true,
		},
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.wnd = tw->wnd,
		.tx_delay = tw->tx_delay,
		.flags = STRATA_TCP_ACK,
		.state = READ_ONCE(tw->state),
	};

	if (tw->ts_ok) {
		seg.opts.flags = STRATA_OPT_TS;
		seg.opts.tsval = (u32)div_u64(strata_tcp_clock_us(), USEC_PER_MSEC) +
				 tw->ts_offset;
		seg.opts.tsecr = tw->ts_recent;
	}
	strata_tcp_xmit_bare(tw->sn, &seg);
}

/* to what should not come any more (3.10.7.1); a RST is not answered with a RST */
static void tw_send_reset(struct strata_tcp_tw *tw, struct sk_buff *skb)
{
	struct strata_tcp_bare seg = {
		.fl = { .oif = tw->ifindex, .mark = tw->mark },
		.tx_delay = tw->tx_delay,
	};

	strata_tcp_xmit_reset(NULL, skb, &seg);
}

/* RFC 7323 5.3: an old timestamp; a RST is never refused by it (5.2) */
static bool tw_paws_reject(const struct strata_tcp_tw *tw, const struct strata_tcp_seg *seg)
{
	if (!tw->ts_ok || !(seg->opts.flags & STRATA_OPT_TS) || !tw->ts_recent_stamp ||
	    (seg->flags & STRATA_TCP_RST))
		return false;
	/* 0 proves nothing (tcp_segment.c) */
	if ((s32)(seg->opts.tsval - tw->ts_recent) >= 0 || !tw->ts_recent)
		return false;
	return (u32)ktime_get_seconds() - tw->ts_recent_stamp < PAWS_24DAYS;
}

static void tw_take_ts(struct strata_tcp_tw *tw, const struct strata_tcp_seg *seg)
{
	if (tw->ts_ok && (seg->opts.flags & STRATA_OPT_TS)) {
		tw->ts_recent = seg->opts.tsval;
		tw->ts_recent_stamp = ktime_get_seconds();
	}
}

/* may we answer an unacceptable segment now (RFC 5961 10; tcp_invalid_ratelimit) */
static bool tw_oow_ack_ok(struct strata_tcp_tw *tw)
{
	u32 now = (u32)jiffies, limit = READ_ONCE(tw->sn->conf.tcp_invalid_ratelimit);

	if (tw->last_oow_ack && now - tw->last_oow_ack < limit)
		return false;
	tw->last_oow_ack = now ?: 1;
	return true;
}

/* an orphan in FIN-WAIT-2: data is refused with RST, the FIN begins TIME-WAIT */
static enum strata_tcp_tw_verdict fin_wait2_rcv(struct strata_tcp_tw *tw,
						const struct strata_tcp_seg *seg)
{
	bool fits = strata_wnd_check(seg->seq, seg->end_seq, tw->rcv_nxt, tw->rcv_wnd) ==
		    STRATA_SEQ_OK;

	/* only the exact number resets, any other in the window is asked about (RFC 5961 3.2) */
	if (seg->flags & STRATA_TCP_RST) {
		if (!fits)
			return STRATA_TW_DROP;
		if (seg->seq == tw->rcv_nxt)
			return STRATA_TW_RST;	/* the caller kills it */
		return tw_oow_ack_ok(tw) ? STRATA_TW_ACK : STRATA_TW_DROP;
	}
	/* and so is a SYN (4.2) */
	if (tw_paws_reject(tw, seg) || !fits || (seg->flags & STRATA_TCP_SYN))
		return tw_oow_ack_ok(tw) ? STRATA_TW_ACK : STRATA_TW_DROP;
	/* an ACK that has overtaken the FIN brings nothing either */
	if (!(seg->flags & STRATA_TCP_ACK) || !strata_seq_after(seg->end_seq, tw->rcv_nxt) ||
	    seg->end_seq == seg->seq)
		return STRATA_TW_DROP;
	/* something new came: only a FIN right there is welcome (nobody reads data) */
	if (!(seg->flags & STRATA_TCP_FIN) || seg->end_seq != tw->rcv_nxt + 1)
		return STRATA_TW_RST;

	WRITE_ONCE(tw->state, TCP_TIME_WAIT);
	tw->rcv_nxt = seg->end_seq;
	tw_take_ts(tw, seg);
	tw_rearm(tw, TIMEWAIT_LEN);
	return STRATA_TW_ACK;
}

/*
 * a SYN that may open a new incarnation: beyond the old one by timestamp or sequence (RFC 6191,
 * 1122 4.2.2.13)
 */
static bool tw_new_syn(const struct strata_tcp_tw *tw, const struct strata_tcp_seg *seg)
{
	if ((seg->flags & (STRATA_TCP_SYN | STRATA_TCP_RST | STRATA_TCP_ACK)) != STRATA_TCP_SYN)
		return false;
	if (strata_seq_after(seg->seq, tw->rcv_nxt))
		return true;
	return tw->ts_ok && (seg->opts.flags & STRATA_OPT_TS) &&
	       (s32)(seg->opts.tsval - tw->ts_recent) > 0;
}

static enum strata_tcp_tw_verdict time_wait_rcv(struct strata_tcp_tw *tw,
						const struct strata_tcp_seg *seg, u32 *isn)
{
	bool paws = tw_paws_reject(tw, seg);

	if (!paws && seg->seq == tw->rcv_nxt &&
	    (seg->seq == seg->end_seq || (seg->flags & STRATA_TCP_RST))) {
		/* an acceptable segment without data */
		if (seg->flags & STRATA_TCP_RST)
			return READ_ONCE(tw->sn->conf.tcp_rfc1337) ? STRATA_TW_DROP :
								     STRATA_TW_RST;
		tw_rearm(tw, TIMEWAIT_LEN);
		tw_take_ts(tw, seg);
		return STRATA_TW_DROP;
	}
	if (isn && !paws && tw_new_syn(tw, seg)) {
		*isn = tw->snd_nxt + 65535 + 2;
		if (!*isn)
			(*isn)++;
		return STRATA_TW_SYN;
	}
	if (paws)
		strata_inc(tw->sn, TCPEXT_PAWSESTAB);
	if (seg->flags & STRATA_TCP_RST)
		return STRATA_TW_DROP;
	/*
	 * the FIN again, or an old duplicate: our ACK was lost, or it tells the peer where we
	 * are
	 */
	if (paws || (seg->flags & STRATA_TCP_ACK))
		tw_rearm(tw, TIMEWAIT_LEN);
	return tw_oow_ack_ok(tw) ? STRATA_TW_ACK : STRATA_TW_DROP;
}

enum strata_tcp_tw_verdict strata_tcp_tw_rcv(struct strata_tcp_tw *tw, struct sk_buff *skb,
					     u32 *isn)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	enum strata_tcp_tw_verdict verdict;
	u8 was;

	spin_lock_bh(&tw->lock);
	was = tw->state;
	verdict = was == TCP_FIN_WAIT2 ? fin_wait2_rcv(tw, seg) : time_wait_rcv(tw, seg, isn);
	/* (that came for the listener) */
	if (trace_strata_tcp_rcv_enabled() && verdict != STRATA_TW_SYN)
		strata_tcp_trace_rcv(NULL, NULL, was, skb);
	if (was != tw->state && !tw->over)
		tw_trace(tw, was, tw->state);
	spin_unlock_bh(&tw->lock);

	if (verdict == STRATA_TW_ACK)
		tw_send_ack(tw);
	if (verdict == STRATA_TW_RST || verdict == STRATA_TW_SYN)
		strata_tcp_tw_kill(tw);
	if (verdict == STRATA_TW_RST)
		tw_send_reset(tw, skb);
	return verdict;
}

/* tcp_tw_reuse: may a port be chosen that @tw still has? */
static bool tw_choosable(const struct strata_tcp_tw *tw)
{
	int reuse = READ_ONCE(tw->sn->conf.tcp_tw_reuse);

	/* loopback is 127/8 at either end, as native, not each address of this host */
	if (!reuse || (reuse == 2 && !ipv4_is_loopback(tw->raddr) && !ipv4_is_loopback(tw->laddr)))
		return false;
	/* another second, so that our timestamps are newer than all of the old ones */
	return (s32)((u32)ktime_get_seconds() - tw->ts_recent_stamp) > 0;
}

bool strata_tcp_tw_reusable(struct strata_tcp_tw *tw, struct strata_tcp_sock *tp, bool asked_for)
{
	bool ok;

	spin_lock(&tw->lock);
	ok = tw->state == TCP_TIME_WAIT && tw->ts_recent_stamp && (asked_for || tw_choosable(tw));
	if (ok) {
		tp->snd.iss = (tw->snd_nxt + 65535 + 2) ?: 1;
		tp->ts_recent = tw->ts_recent;
		tp->ts_recent_stamp = tw->ts_recent_stamp;
	}
	spin_unlock(&tw->lock);
	return ok;
}

static struct strata_tcp_tw *tw_alloc(struct sock *sk, int state)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tw *tw;

	tw = kmem_cache_zalloc(tw_cache, GFP_ATOMIC);
	if (!tw)
		return NULL;
	spin_lock_init(&tw->lock);
	refcount_set(&tw->ref, 2);
	tw->sn = strata_sk_net(sk);
	tw->hashval = sk->sk_hash;
	tw->laddr = tp->ep.laddr;
	tw->raddr = tp->ep.raddr;
	tw->lport = tp->ep.lport;
	tw->rport = tp->ep.rport;
	tw->ifindex = sk->sk_bound_dev_if;
	tw->mark = sk->sk_mark;
	tw->tx_delay = tp->tx_delay;
	tw->tos = tp->ep.tos;
	tw->state = state;
	tw->snd_nxt = tp->snd.nxt;
	tw->rcv_nxt = tp->rcv.nxt;
	tw->rcv_wnd = strata_wnd_left(&tp->rwnd, tp->rcv.nxt);
	tw->wnd = min_t(u32, tw->rcv_wnd >> tp->rwnd.wscale, U16_MAX);
	tw->ts_ok = tp->ts_ok;
	tw->ts_recent = tp->ts_recent;
	tw->ts_recent_stamp = tp->ts_recent_stamp;
	tw->ts_offset = tp->ts_offset;
	timer_setup(&tw->timer, tw_timer, TIMER_PINNED);
	return tw;
}

void strata_tcp_time_wait(struct sock *sk, int state, int timeo)
{
	struct strata_net *sn = strata_sk_net(sk);
	struct strata_tcp_bucket *b;
	struct strata_tcp_tw *tw = NULL;

	if (state == TCP_TIME_WAIT)
		strata_tcp_set_state(sk, TCP_TIME_WAIT);
	if (strata_tcp_sk(sk)->table == STRATA_TCP_IN_EST &&
	    percpu_counter_read_positive(&sn->tcp_tw) < READ_ONCE(sn->conf.tcp_max_tw_buckets))
		tw = tw_alloc(sk, state);
	if (!tw) {
		strata_inc(sn, TCPEXT_TWOVERFLOW);
		strata_tcp_done(sk);
		return;
	}
	tw->bind = strata_port_hold(sk);
	percpu_counter_inc(&sn->tcp_tw);
	strata_inc(sn, TCPEXT_TW);

	/*
	 * armed before it can be found: whoever finds it may kill it. The timer stays on this CPU,
	 * so with BH off it cannot fire before the object is in the table, where it looks for it
	 */
	b = strata_tcp_bucket(tw->hashval);
	tw->timer.expires = jiffies + (state == TCP_TIME_WAIT ? TIMEWAIT_LEN : timeo);
	spin_lock_bh(&b->lock);
	add_timer(&tw->timer);
	hlist_add_head_rcu(&tw->hash, &b->tws);
	spin_unlock_bh(&b->lock);
	strata_tcp_moved(sk);
}

/* first object of the namespace in a bucket, off the table */
static struct strata_tcp_tw *tw_take(struct strata_tcp_bucket *b, const struct strata_net *sn)
{
	struct strata_tcp_tw *tw, *found = NULL;

	spin_lock_bh(&b->lock);
	hlist_for_each_entry(tw, &b->tws, hash) {
		if (tw->sn == sn) {
			strata_tcp_tw_unhash_locked(tw);
			found = tw;
			break;
		}
	}
	spin_unlock_bh(&b->lock);
	return found;
}

void strata_tcp_tw_purge(struct strata_net *sn)
{
	struct strata_tcp_bucket *b;
	struct strata_tcp_tw *tw;
	unsigned long slot;

	for (slot = 0; (b = strata_tcp_bucket_at(slot)); slot++) {
		/* nobody adds any more: no socket is left */
		if (hlist_empty(&b->tws))
			continue;
		while ((tw = tw_take(b, sn))) {
			/* a handler that runs now finds it unhashed and drops its own reference */
			if (timer_shutdown_sync(&tw->timer))
				strata_tcp_tw_put(tw);
			tw_release(tw);
		}
		cond_resched();
	}
	/* handlers and receivers that took one off themselves still count in @sn */
	synchronize_rcu();
}

int strata_tcp_tw_init(void)
{
	tw_cache = KMEM_CACHE(strata_tcp_tw, SLAB_HWCACHE_ALIGN);
	return tw_cache ? 0 : -ENOMEM;
}

void strata_tcp_tw_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(tw_cache);
}
