// SPDX-License-Identifier: GPL-2.0-only
/*
 * The half-open requests of a listener, and the timer that sends their SYN-ACKs again (RFC 6298
 * 5, with tcp_synack_retries).
 *
 * Segments find a request in the table of connections (tcp_lookup.c) by its 4-tuple; here a
 * listener counts its own and lets them wait. Both go together, under the listener's lock.
 *
 * All requests that wait for their n-th repetition wait equally long, so each level is a
 * list in the order of expiry, and one timer per listener serves all: a flood of SYNs costs a
 * list insertion each, no timers.
 */

#include <linux/slab.h>
#include "tcp_req.h"

#define REQS_CLOSE_BATCH	64

static struct kmem_cache *req_cache __read_mostly;

struct strata_tcp_req *strata_tcp_req_alloc(void)
{
	struct strata_tcp_req *req = kmem_cache_zalloc(req_cache, GFP_ATOMIC | __GFP_NOWARN);

	if (req)
		refcount_set(&req->ref, 1);
	return req;
}

void strata_tcp_req_put(struct strata_tcp_req *req)
{
	if (!refcount_dec_and_test(&req->ref))
		return;
	strata_path_put(&req->path);
	kfree(req->syn);
	/* found under the bucket's lock alone: no reader without a reference is left */
	kmem_cache_free(req_cache, req);
}

static unsigned long level_timeout(int level)
{
	return min((unsigned long)HZ << level, 120UL * HZ);
}

static int req_level(const struct strata_tcp_req *req)
{
	return min_t(int, req->sent, STRATA_REQ_LEVELS - 1);
}

/* into its level, by expiry: as all its members wait as long, that is its end. Lock held */
static void req_enlist(struct strata_tcp_reqs *reqs, struct strata_tcp_req *req)
{
	struct list_head *level = &reqs->level[req_level(req)], *at = level->prev;

	/* but of those that another listener leaves behind */
	while (at != level &&
	       time_after(list_entry(at, struct strata_tcp_req, wait)->expires, req->expires))
		at = at->prev;
	list_add(&req->wait, at);
	if (!timer_pending(&reqs->timer) || time_before(req->expires, reqs->timer.expires))
		mod_timer(&reqs->timer, req->expires);
}

static void req_wait(struct strata_tcp_reqs *reqs, struct strata_tcp_req *req)
{
	req->expires = jiffies + level_timeout(req_level(req));
	req_enlist(reqs, req);
}

bool strata_tcp_req_add(struct strata_tcp_req *req)
{
	struct strata_tcp_reqs *reqs = req->reqs;
	bool ok;

	spin_lock(&reqs->lock);
	ok = !reqs->closed && strata_tcp_hash_req(req);
	if (ok) {
		refcount_inc(&req->ref);
		req_wait(reqs, req);
		WRITE_ONCE(reqs->count, reqs->count + 1);
		reqs->young++;
	}
	spin_unlock(&reqs->lock);
	return ok;
}

/* it waits no longer, lock held; the table's reference is the caller's to put */
static void req_leave(struct strata_tcp_reqs *reqs, struct strata_tcp_req *req)
{
	if (list_empty(&req->wait))
		return;		/* strata_tcp_req_take() was faster */
	list_del_init(&req->wait);
	WRITE_ONCE(reqs->count, reqs->count - 1);
	reqs->young -= !req->sent;
}

/* true: it was there, and the table's reference is the caller's to put. Lock held */
static bool req_unlink(struct strata_tcp_reqs *reqs, struct strata_tcp_req *req)
{
	req_leave(reqs, req);
	return strata_tcp_unhash_req(req);
}

bool strata_tcp_req_remove(struct strata_tcp_req *req)
{
	struct strata_tcp_reqs *reqs = req->reqs;
	bool mine;

	spin_lock(&reqs->lock);
	mine = req_unlink(reqs, req);
	spin_unlock(&reqs->lock);
	if (mine)
		strata_tcp_req_put(req);
	return mine;
}

bool strata_tcp_req_become(struct strata_tcp_req *req, struct sock *child)
{
	struct strata_tcp_reqs *reqs = req->reqs;
	bool done;

	spin_lock(&reqs->lock);
	done = strata_tcp_hash_child(child, req->hashval, req);
	if (done)
		req_leave(reqs, req);
	spin_unlock(&reqs->lock);
	if (done)
		strata_tcp_req_put(req);
	return done;
}

struct strata_tcp_req *strata_tcp_req_take(struct strata_tcp_reqs *reqs)
{
	struct strata_tcp_req *req = NULL;
	int level;

	spin_lock_bh(&reqs->lock);
	reqs->closed = true;
	for (level = 0; level < STRATA_REQ_LEVELS && !req; level++)
		req = list_first_entry_or_null(&reqs->level[level], struct strata_tcp_req, wait);
	if (req) {
		refcount_inc(&req->ref);
		req_leave(reqs, req);
	}
	spin_unlock_bh(&reqs->lock);
	return req;
}

struct strata_tcp_req *strata_tcp_req_copy(const struct strata_tcp_req *old,
					   struct strata_tcp_reqs *reqs)
{
	struct strata_tcp_req *req = strata_tcp_req_alloc();

	if (!req)
		return NULL;
	*req = *old;
	INIT_HLIST_NODE(&req->hash);
	INIT_LIST_HEAD(&req->wait);
	refcount_set(&req->ref, 1);
	req->reqs = reqs;
	memset(&req->path, 0, sizeof(req->path));
	strata_path_copy(&req->path, &old->path);
	req->syn = NULL;
	return req;
}

bool strata_tcp_req_replace(struct strata_tcp_req *old, struct strata_tcp_req *req)
{
	struct strata_tcp_reqs *reqs = req->reqs;
	bool ok;

	/* before it can be found; who else has @old finds that gone then, and leaves it alone */
	req->syn = READ_ONCE(old->syn);
	spin_lock_bh(&reqs->lock);
	ok = !reqs->closed && strata_tcp_rehash_req(old, req);
	if (ok) {
		refcount_inc(&req->ref);
		req_enlist(reqs, req);
		WRITE_ONCE(reqs->count, reqs->count + 1);
		reqs->young += !req->sent;
	}
	spin_unlock_bh(&reqs->lock);
	if (!ok) {
		req->syn = NULL;
		return false;
	}
	old->syn = NULL;
	strata_tcp_req_put(old);
	return true;
}

/* what becomes of a request whose time has come */
enum req_fate { REQ_WAIT, REQ_ANSWER, REQ_DEAD };

/*
 * So many SYN-ACKs are sent again. As native, half of the queue is for the young: where there is
 * more in it, and most of that old, the old wait no longer for an answer that will not come. Lock
 * held
 */
static int req_retries(const struct strata_tcp_reqs *reqs)
{
	const struct strata_tcp_sock *ltp = strata_tcp_sk(reqs->lsk);
	int retries = READ_ONCE(ltp->syn_retries);
	u32 young = 2 * reqs->young;

	retries = retries ?: READ_ONCE(strata_sk_net(reqs->lsk)->conf.tcp_synack_retries);
	if (2 * reqs->count <= max_t(u32, READ_ONCE(ltp->lst.max), 8))
		return retries;
	for (; retries > 2 && reqs->count >= young; young *= 2)
		retries--;
	return retries;
}

/*
 * An ACK that could not be taken, because the accept queue was full, must come again: the peer
 * may have nothing to send until we do, so only our SYN-ACK can bring it. While
 * TCP_DEFER_ACCEPT waits for data the SYN-ACK rests until the last one before its end. Lock held
 */
static enum req_fate req_fate(const struct strata_tcp_reqs *reqs, const struct strata_tcp_req *req)
{
	const struct strata_tcp_sock *ltp = strata_tcp_sk(reqs->lsk);
	int retries = req_retries(reqs);
	u8 defer = READ_ONCE(ltp->defer_accept);

	if (req->sent >= retries && (!req->acked || req->sent >= defer))
		return REQ_DEAD;
	return req->acked && req->sent + 1 < defer ? REQ_WAIT : REQ_ANSWER;
}

/*
 * a request whose time has come, counted, and already waiting for its next; NULL: none. Lock
 * held
 */
static struct strata_tcp_req *req_due(struct strata_tcp_reqs *reqs, enum req_fate *fate)
{
	struct strata_tcp_req *req;
	int level;

	for (level = 0; level < STRATA_REQ_LEVELS; level++) {
		req = list_first_entry_or_null(&reqs->level[level], struct strata_tcp_req, wait);
		if (!req || time_after(req->expires, jiffies))
			continue;
		*fate = req_fate(reqs, req);
		if (*fate == REQ_DEAD) {
			req_unlink(reqs, req);	/* its reference becomes ours */
			return req;
		}
		refcount_inc(&req->ref);
		reqs->young -= !req->sent;
		if (req->sent < U8_MAX)
			req->sent++;
		list_del(&req->wait);
		req_wait(reqs, req);
		return req;
	}
	return NULL;
}

static void reqs_rearm(struct strata_tcp_reqs *reqs)
{
	struct strata_tcp_req *req;
	unsigned long next = 0;
	bool any = false;
	int level;

	for (level = 0; level < STRATA_REQ_LEVELS; level++) {
		req = list_first_entry_or_null(&reqs->level[level], struct strata_tcp_req, wait);
		if (req && (!any || time_before(req->expires, next))) {
			next = req->expires;
			any = true;
		}
	}
	if (any)
		mod_timer(&reqs->timer, next);
}

static void reqs_timer(struct timer_list *t)
{
	struct strata_tcp_reqs *reqs = container_of(t, struct strata_tcp_reqs, timer);
	struct strata_tcp_req *req;
	struct strata_net *sn;
	enum req_fate fate;

	spin_lock(&reqs->lock);
	while (!reqs->closed && (req = req_due(reqs, &fate))) {
		sn = req->sn;
		spin_unlock(&reqs->lock);
		if (fate == REQ_DEAD)
			strata_inc(sn, TCP_ATTEMPTFAILS);
		else if (fate == REQ_ANSWER)
			strata_tcp_req_synack_again(sn, req);
		strata_tcp_req_put(req);
		spin_lock(&reqs->lock);
	}
	if (!reqs->closed)
		reqs_rearm(reqs);
	spin_unlock(&reqs->lock);
}

struct strata_tcp_reqs *strata_tcp_reqs_alloc(struct sock *lsk)
{
	struct strata_tcp_reqs *reqs = kzalloc(sizeof(*reqs), GFP_KERNEL);
	int i;

	if (!reqs)
		return NULL;
	spin_lock_init(&reqs->lock);
	reqs->lsk = lsk;
	for (i = 0; i < STRATA_REQ_LEVELS; i++)
		INIT_LIST_HEAD(&reqs->level[i]);
	timer_setup(&reqs->timer, reqs_timer, 0);
	return reqs;
}

void strata_tcp_reqs_close(struct strata_tcp_reqs *reqs)
{
	struct strata_tcp_req *req;
	unsigned int n = 0;
	int level;

	/* closed: nobody adds; in portions, or a flood's would keep this CPU from others */
	spin_lock_bh(&reqs->lock);
	reqs->closed = true;
	for (level = 0; level < STRATA_REQ_LEVELS; level++) {
		while ((req = list_first_entry_or_null(&reqs->level[level], struct strata_tcp_req,
						       wait))) {
			req_unlink(reqs, req);
			strata_tcp_req_put(req);
			if (++n % REQS_CLOSE_BATCH)
				continue;
			spin_unlock_bh(&reqs->lock);
			cond_resched();
			spin_lock_bh(&reqs->lock);
		}
	}
	spin_unlock_bh(&reqs->lock);
	timer_shutdown_sync(&reqs->timer);
	/* receivers may still look at it under RCU */
	kfree_rcu(reqs, rcu);
}

void strata_tcp_req_view(const struct strata_tcp_req *req, kuid_t uid,
			 struct strata_tcp_view *view)
{
	memset(view, 0, sizeof(*view));
	view->kind = STRATA_TCP_REQUEST;
	view->state = TCP_SYN_RECV;
	view->laddr = req->laddr;
	view->raddr = req->raddr;
	view->lport = req->lport;
	view->rport = req->rport;
	view->timer = 1;
	view->expires = READ_ONCE(req->expires);
	view->retrans = READ_ONCE(req->sent);
	view->uid = uid;
	view->ifindex = req->oif;
	view->mark = req->mark;
	view->cookie = (unsigned long)req;
}

int strata_tcp_listen_init(void)
{
	req_cache = KMEM_CACHE(strata_tcp_req, SLAB_HWCACHE_ALIGN);
	return req_cache ? 0 : -ENOMEM;
}

void strata_tcp_listen_exit(void)
{
	kmem_cache_destroy(req_cache);
}
