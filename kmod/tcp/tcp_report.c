// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reports may see of TCP: listeners, connections, half-open requests, and what is left in
 * TIME-WAIT, one struct strata_tcp_view each.
 *
 * A position of the walk is (table, bucket, place in the bucket), in the bits of a long, so
 * that a reader who comes back later goes on where it was, whatever has come and gone in
 * other buckets. A bucket is read in portions: under its lock references are taken to a few of
 * its objects, then the lock is dropped and they are shown. Requests are found where segments
 * find them, in the table of connections: a listener's own lists of them may be long, and their
 * lock is one that each SYN takes. Between portions others may run: a filter of sock_diag may
 * take long for each object.
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
#define RESCHED_BUCKETS	256	/* empty ones that are passed without a pause */

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

/* some objects of a bucket: sockets and requests are counted, TIME-WAIT is kept by RCU */
struct portion {
	unsigned long		met;	/* objects of the namespace that were passed */
	unsigned int		n;
	enum strata_tcp_kind	kind[PORTION];
	void			*obj[PORTION];
};

static void portion_add(struct portion *p, enum strata_tcp_kind kind, void *obj)
{
	p->kind[p->n] = kind;
	p->obj[p->n++] = obj;
}

/* the bucket's lock is held */
static void take_socks(const struct walk *w, const struct hlist_nulls_head *head,
		       enum strata_tcp_kind kind, unsigned long first, struct portion *p)
{
	struct hlist_nulls_node *node;
	struct sock *sk;

	if (!(w->kinds & BIT(kind)))
		return;
	sk_nulls_for_each(sk, node, head) {
		if (p->n == PORTION)
			return;
		if (!net_eq(sock_net(sk), w->sn->net) || p->met++ < first)
			continue;
		sock_hold(sk);
		portion_add(p, kind, sk);
	}
}

static void take_reqs(const struct walk *w, const struct hlist_head *head, unsigned long first,
		      struct portion *p)
{
	struct strata_tcp_req *req;

	if (!(w->kinds & BIT(STRATA_TCP_REQUEST)))
		return;
	hlist_for_each_entry(req, head, hash) {
		if (p->n == PORTION)
			return;
		if (req->sn != w->sn || p->met++ < first)
			continue;
		refcount_inc(&req->ref);
		portion_add(p, STRATA_TCP_REQUEST, req);
	}
}

static void take_tws(const struct walk *w, const struct hlist_head *head, unsigned long first,
		     struct portion *p)
{
	struct strata_tcp_tw *tw;

	if (!(w->kinds & BIT(STRATA_TCP_TIMEWAIT)))
		return;
	hlist_for_each_entry(tw, head, hash) {
		if (p->n == PORTION)
			return;
		if (tw->sn != w->sn || p->met++ < first)
			continue;
		portion_add(p, STRATA_TCP_TIMEWAIT, tw);
	}
}

/* sockets that became something else are passed over */
static bool portion_view(const struct portion *p, unsigned int i, struct strata_tcp_view *view)
{
	struct strata_tcp_req *req;

	switch (p->kind[i]) {
	case STRATA_TCP_REQUEST:
		req = p->obj[i];
		/* found under RCU: so the listener is there */
		strata_tcp_req_view(req, sock_i_uid(req->reqs->lsk), view);
		return true;
	case STRATA_TCP_TIMEWAIT:
		view_tw(view, p->obj[i]);
		return true;
	default:
		strata_tcp_view(p->obj[i], view);
		return view->kind == p->kind[i] && view->state != TCP_CLOSE;
	}
}

static void portion_put(const struct portion *p)
{
	unsigned int i;

	for (i = 0; i < p->n; i++) {
		if (p->kind[i] == STRATA_TCP_REQUEST)
			strata_tcp_req_put(p->obj[i]);
		else if (p->kind[i] != STRATA_TCP_TIMEWAIT)
			sock_put(p->obj[i]);
	}
}

/* show what was taken and give it back; *@place moves over what was shown. RCU */
static int portion_show(const struct walk *w, const struct portion *p, unsigned long *place)
{
	struct strata_tcp_view view;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < p->n && !ret; i++) {
		if (portion_view(p, i, &view))
			ret = w->fn(&view, w->arg);
		if (!ret)
			(*place)++;
	}
	portion_put(p);
	return ret;
}

static int walk_lbucket(const struct walk *w, struct strata_tcp_lbucket *b, unsigned long *place)
{
	struct portion p;
	int ret;

	if (hlist_nulls_empty(&b->socks))
		return 0;
	do {
		p.n = 0;
		p.met = 0;
		rcu_read_lock();
		spin_lock_bh(&b->lock);
		take_socks(w, &b->socks, STRATA_TCP_LISTEN, *place, &p);
		spin_unlock_bh(&b->lock);
		ret = portion_show(w, &p, place);
		rcu_read_unlock();
		cond_resched();
	} while (!ret && p.n == PORTION);
	return ret;
}

static int walk_bucket(const struct walk *w, struct strata_tcp_bucket *b, unsigned long *place)
{
	struct portion p;
	int ret;

	if (hlist_nulls_empty(&b->socks) && hlist_empty(&b->tws) && hlist_empty(&b->reqs))
		return 0;
	do {
		p.n = 0;
		p.met = 0;
		rcu_read_lock();
		spin_lock_bh(&b->lock);
		take_socks(w, &b->socks, STRATA_TCP_SOCK, *place, &p);
		take_reqs(w, &b->reqs, *place, &p);
		take_tws(w, &b->tws, *place, &p);
		spin_unlock_bh(&b->lock);
		ret = portion_show(w, &p, place);
		rcu_read_unlock();
		cond_resched();
	} while (!ret && p.n == PORTION);
	return ret;
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
		if (!(slot % RESCHED_BUCKETS))
			cond_resched();
	}
	*pos = pos_make(POS_EST, slot, place);
	return ret;
}

int strata_tcp_walk(struct strata_net *sn, long *pos, unsigned int kinds,
		    int (*fn)(const struct strata_tcp_view *view, void *arg), void *arg)
{
	const struct walk w = { .sn = sn, .kinds = kinds, .fn = fn, .arg = arg };
	int ret = 0;

	might_sleep();
	if (!(*pos & POS_EST)) {
		if (kinds & BIT(STRATA_TCP_LISTEN))
			ret = walk_listen(&w, pos);
		else
			*pos = POS_EST;
	}
	if (!ret && (kinds & ~BIT(STRATA_TCP_LISTEN)))
		ret = walk_est(&w, pos);
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
