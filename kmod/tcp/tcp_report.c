// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reports may see of TCP: listeners with their half-open requests, connections, and
 * what is left of them in TIME-WAIT, one struct strata_tcp_view each.
 *
 * A position of the walk is (table, bucket, place in the bucket), in the bits of a long, so
 * that a reader who comes back later goes on where it was, whatever has come and gone in
 * other buckets. A bucket of connections is read in portions: under its lock references are
 * taken to a few of its objects, then the lock is dropped and they are shown. Listeners are
 * few and rarely change: they are shown under their bucket's lock.
 *
 * Nothing here takes a socket lock: a report must not wait for a process, nor a process for
 * it. Members are read one by one, each is true, all together they may be of two moments.
 */

#include "tcp_req.h"

/* 1 bit table, 20 bits bucket (tcp_lookup.c has 512 Ki at most), the rest: place in it */
#define POS_SLOT_BITS	20
#define POS_PLACE_BITS	(BITS_PER_LONG - 2 - POS_SLOT_BITS)
#define POS_EST		BIT(BITS_PER_LONG - 2)

#define PORTION		16

static long pos_make(long table, unsigned long slot, unsigned long place)
{
	return table | (long)slot << POS_PLACE_BITS | (long)place;
}

static unsigned long pos_slot(long pos)
{
	return (pos & ~POS_EST) >> POS_PLACE_BITS;
}

static unsigned long pos_place(long pos)
{
	return pos & (BIT(POS_PLACE_BITS) - 1);
}

/* one call of strata_tcp_walk() */
struct walk {
	struct strata_net	*sn;
	unsigned int		kinds;
	int			(*fn)(const struct strata_tcp_view *view, void *arg);
	void			*arg;
};

static void view_timer(struct strata_tcp_view *view, const struct strata_tcp_sock *tp)
{
	const struct sock *sk = &tp->ep.sk;

	view->expires = READ_ONCE(tp->timer_expires);
	switch (READ_ONCE(tp->timer_kind)) {
	case STRATA_TIMER_RTO:
	case STRATA_TIMER_TLP:
	case STRATA_TIMER_REO:
		view->timer = 1;
		return;
	case STRATA_TIMER_PERSIST:
		view->timer = 4;
		return;
	case STRATA_TIMER_NONE:
		break;
	}
	if (timer_pending(&sk->sk_timer)) {
		view->timer = 2;
		view->expires = READ_ONCE(sk->sk_timer.expires);
	}
}

static void view_connection(struct strata_tcp_view *view, const struct strata_tcp_sock *tp)
{
	u32 una = READ_ONCE(tp->snd.una), now = (u32)jiffies;
	u8 quick = READ_ONCE(tp->ack.quick);

	view->kind = STRATA_TCP_SOCK;
	view->retrans = strata_tcp_timeouts(tp);
	view->probes = READ_ONCE(tp->probes_out);
	/* not locked: may be negative for a moment */
	view->rx_queue = max_t(s32, READ_ONCE(tp->rcv.nxt) - READ_ONCE(tp->rcv.copied_seq), 0);
	view->tx_queue = max_t(s32, READ_ONCE(tp->snd.write_seq) - una, 0);
	view->unacked = max_t(s32, READ_ONCE(tp->snd.nxt) - una, 0);
	view->last_sent_ms = jiffies_to_msecs(now - READ_ONCE(tp->lsndtime));
	view->last_rcvd_ms = jiffies_to_msecs(now - (u32)READ_ONCE(tp->ack.lrcvtime));
	view->srtt_us = READ_ONCE(tp->rtt.srtt_us) >> 3;
	view->rto_us = strata_rtt_rto(&tp->rtt);
	view->cwnd = READ_ONCE(tp->cong.cwnd);
	view->ssthresh = READ_ONCE(tp->cong.ssthresh);
	view->total_retrans = READ_ONCE(tp->scb.total_retrans);
	view->ato_ms = jiffies_to_msecs(READ_ONCE(tp->ack.ato));
	if (quick == STRATA_QUICK_ALWAYS)
		quick = 0;	/* no credit: the route's wish */
	view->pingpong = quick << 1 | strata_tcp_interactive(tp);
	view_timer(view, tp);
}

void strata_tcp_view(struct sock *sk, struct strata_tcp_view *view)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	memset(view, 0, sizeof(*view));
	view->sk = sk;
	/* pairs with strata_tcp_set_state() */
	view->state = smp_load_acquire(&sk->sk_state);
	view->laddr = READ_ONCE(tp->ep.laddr);
	view->raddr = READ_ONCE(tp->ep.raddr);
	view->lport = READ_ONCE(tp->ep.lport);
	view->rport = READ_ONCE(tp->ep.rport);
	view->uid = sock_i_uid(sk);
	view->ino = sock_i_ino(sk);
	view->ifindex = READ_ONCE(sk->sk_bound_dev_if);
	if (view->state == TCP_LISTEN) {
		view->kind = STRATA_TCP_LISTEN;
		view->rx_queue = READ_ONCE(tp->lst.qlen);
		view->tx_queue = READ_ONCE(tp->lst.max);
		view->rto_us = strata_rtt_rto(&tp->rtt);
		view->cwnd = READ_ONCE(tp->cong.cwnd);
		view->ssthresh = READ_ONCE(tp->lst.fo_max);
	} else {
		view_connection(view, tp);
	}
}

/* a TIME-WAIT object; RCU keeps it readable */
static void view_tw(struct strata_tcp_view *view, const struct strata_tcp_tw *tw)
{
	memset(view, 0, sizeof(*view));
	view->kind = STRATA_TCP_TIMEWAIT;
	view->state = READ_ONCE(tw->state);
	view->laddr = tw->laddr;
	view->raddr = tw->raddr;
	view->lport = tw->lport;
	view->rport = tw->rport;
	view->timer = 3;
	view->expires = READ_ONCE(tw->timer.expires);
	view->ifindex = tw->ifindex;
	view->mark = tw->mark;
	view->cookie = (unsigned long)tw;
}

/*
 * A listener is one place in its bucket and each of its requests another. Those of earlier
 * listeners count too, so that places stay where they are while a reader is away, as far as
 * they can.
 */
static int walk_listener(const struct walk *w, struct sock *lsk, unsigned long *place,
			 unsigned long first)
{
	struct strata_tcp_view view;
	unsigned long seen = 0;
	int ret;

	if (*place >= first && (w->kinds & BIT(STRATA_TCP_LISTEN))) {
		strata_tcp_view(lsk, &view);
		ret = view.kind == STRATA_TCP_LISTEN ? w->fn(&view, w->arg) : 0;
		if (ret)
			return ret;
	}
	(*place)++;
	if (!(w->kinds & BIT(STRATA_TCP_REQUEST)))
		return 0;
	ret = strata_tcp_reqs_walk(lsk, first > *place ? first - *place : 0, &seen, w->fn, w->arg);
	*place += seen;
	return ret;
}

static int walk_lbucket(const struct walk *w, struct strata_tcp_lbucket *b, unsigned long *place)
{
	struct hlist_nulls_node *node;
	unsigned long first = *place;
	struct sock *lsk;
	int ret = 0;

	if (hlist_nulls_empty(&b->socks))
		return 0;
	*place = 0;
	spin_lock_bh(&b->lock);
	sk_nulls_for_each(lsk, node, &b->socks) {
		if (!net_eq(sock_net(lsk), w->sn->net))
			continue;
		ret = walk_listener(w, lsk, place, first);
		if (ret)
			break;
	}
	spin_unlock_bh(&b->lock);
	return ret;
}

/* some objects of a bucket of connections; sockets are counted, the others kept by RCU */
struct portion {
	unsigned int		socks;
	unsigned int		tws;
	void			*obj[PORTION];	/* sockets first */
};

/* fill @p with the objects from place @first on; false: there are none */
static bool portion_take(const struct walk *w, struct strata_tcp_bucket *b, unsigned long first,
			 struct portion *p)
{
	struct hlist_nulls_node *node;
	struct strata_tcp_tw *tw;
	unsigned long place = 0;
	struct sock *sk;

	p->socks = 0;
	p->tws = 0;
	spin_lock_bh(&b->lock);
	sk_nulls_for_each(sk, node, &b->socks) {
		if (!net_eq(sock_net(sk), w->sn->net) || place++ < first)
			continue;
		if (p->socks == PORTION)
			goto out;
		sock_hold(sk);
		p->obj[p->socks++] = sk;
	}
	hlist_for_each_entry(tw, &b->tws, hash) {
		if (tw->sn != w->sn || place++ < first)
			continue;
		if (p->socks + p->tws == PORTION)
			goto out;
		p->obj[p->socks + p->tws++] = tw;
	}
out:
	spin_unlock_bh(&b->lock);
	return p->socks + p->tws;
}

static int portion_show(const struct walk *w, const struct portion *p, unsigned long *place)
{
	struct strata_tcp_view view;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < p->socks + p->tws && !ret; i++) {
		if (i < p->socks)
			strata_tcp_view(p->obj[i], &view);
		else
			view_tw(&view, p->obj[i]);
		if ((w->kinds & BIT(view.kind)) && view.state != TCP_CLOSE)
			ret = w->fn(&view, w->arg);
		if (!ret)
			(*place)++;
	}
	for (i = 0; i < p->socks; i++)
		sock_put(p->obj[i]);
	return ret;
}

static int walk_bucket(const struct walk *w, struct strata_tcp_bucket *b, unsigned long *place)
{
	struct portion p;
	int ret;

	if (hlist_nulls_empty(&b->socks) && hlist_empty(&b->tws))
		return 0;
	while (portion_take(w, b, *place, &p)) {
		ret = portion_show(w, &p, place);
		if (ret)
			return ret;
	}
	return 0;
}

static int walk_listen(const struct walk *w, long *pos)
{
	unsigned long slot = pos_slot(*pos), place = pos_place(*pos);
	struct strata_tcp_lbucket *b;
	int ret;

	for (; (b = strata_tcp_lbucket_at(slot)); slot++, place = 0) {
		ret = walk_lbucket(w, b, &place);
		if (ret) {
			*pos = pos_make(0, slot, place);
			return ret;
		}
	}
	*pos = POS_EST;
	return 0;
}

static int walk_est(const struct walk *w, long *pos)
{
	unsigned long slot = pos_slot(*pos), place = pos_place(*pos);
	struct strata_tcp_bucket *b;
	int ret = 0;

	for (; (b = strata_tcp_bucket_at(slot)); slot++, place = 0) {
		ret = walk_bucket(w, b, &place);
		if (ret)
			break;
	}
	*pos = pos_make(POS_EST, slot, place);
	return ret;
}

int strata_tcp_walk(struct strata_net *sn, long *pos, unsigned int kinds,
		    int (*fn)(const struct strata_tcp_view *view, void *arg), void *arg)
{
	const struct walk w = { .sn = sn, .kinds = kinds, .fn = fn, .arg = arg };
	int ret = 0;

	rcu_read_lock();
	if (!(*pos & POS_EST)) {
		if (kinds & (BIT(STRATA_TCP_LISTEN) | BIT(STRATA_TCP_REQUEST)))
			ret = walk_listen(&w, pos);
		else
			*pos = POS_EST;
	}
	if (!ret && (kinds & (BIT(STRATA_TCP_SOCK) | BIT(STRATA_TCP_TIMEWAIT))))
		ret = walk_est(&w, pos);
	rcu_read_unlock();
	return ret;
}

static u32 view_hash(const struct strata_net *sn, const struct strata_tcp_view *view)
{
	return strata_tcp_hashfn(sn, view->laddr, view->lport, view->raddr, view->rport);
}

bool strata_tcp_view_tw(struct strata_net *sn, const struct strata_tcp_view *key,
			struct strata_tcp_view *view)
{
	struct strata_tcp_tw *tw;

	tw = strata_tcp_tw_lookup(sn, view_hash(sn, key), key->laddr, key->lport, key->raddr,
				  key->rport, key->ifindex);
	if (!tw)
		return false;
	view_tw(view, tw);
	strata_tcp_tw_put(tw);
	return true;
}

bool strata_tcp_view_request(struct strata_net *sn, const struct strata_tcp_view *key,
			     struct strata_tcp_view *view)
{
	struct strata_tcp_req *req;

	local_bh_disable();
	req = strata_tcp_lookup_req(sn, view_hash(sn, key), key->laddr, key->lport, key->raddr,
				    key->rport, key->ifindex);
	if (req) {
		strata_tcp_req_view(req, sock_i_uid(req->reqs->lsk), view);
		strata_tcp_req_put(req);
	}
	local_bh_enable();
	return req;
}

static int destroy_tw(struct strata_net *sn, const struct strata_tcp_view *view)
{
	struct strata_tcp_tw *tw;
	int err = -ENOENT;

	tw = strata_tcp_tw_lookup(sn, view_hash(sn, view), view->laddr, view->lport, view->raddr,
				  view->rport, view->ifindex);
	if (!tw)
		return err;
	if ((unsigned long)tw == view->cookie) {
		strata_tcp_tw_kill(tw);
		err = 0;
	}
	strata_tcp_tw_put(tw);
	return err;
}

static int destroy_req(struct strata_net *sn, const struct strata_tcp_view *view)
{
	struct strata_tcp_req *req;
	bool gone;

	local_bh_disable();
	req = strata_tcp_lookup_req(sn, view_hash(sn, view), view->laddr, view->lport,
				    view->raddr, view->rport, view->ifindex);
	gone = req && (unsigned long)req == view->cookie && strata_tcp_req_remove(req);
	if (req)
		strata_tcp_req_put(req);
	local_bh_enable();
	return gone ? 0 : -ENOENT;
}

int strata_tcp_destroy_mini(struct strata_net *sn, const struct strata_tcp_view *view)
{
	int err;

	rcu_read_lock();
	if (view->kind == STRATA_TCP_TIMEWAIT)
		err = destroy_tw(sn, view);
	else
		err = destroy_req(sn, view);
	rcu_read_unlock();
	return err;
}
