// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP Fast Open, the passive side (RFC 7413 4.1.2, 4.2.2): cookies, and children that
 * exist before the handshake ends. tcp_fastopen_active.c has the other side.
 *
 * A cookie is SipHash of both addresses with a secret of the listener or of the namespace, as
 * native's, so that servers that share a key share their clients. A second key is taken too,
 * but makes none: keys can be exchanged without a client noticing.
 *
 * A SYN with a good cookie makes the child at once. It stands in SYN-RECEIVED, on the
 * accept queue, with the SYN's data to be read; it may send before the third segment is there.
 * Until then it is "pending": it holds its request and its listener, which allows so many
 * of them (TCP_FASTOPEN). The SYN-ACK, sent by tcp_output.c as that of a simultaneous open, is
 * no entry of the queues: SND.UNA is behind it, and the one timer is its alone. If the
 * peer resets a pending child, its address may have been forged, with a cookie that somebody
 * got legally: the place is given free only after a minute, so that such an attack uses up the
 * limit and Fast Open, not the server (5.1).
 *
 * locking: the socket lock of the child; strata_tcp_listener.lock for what the listener counts.
 */

#include <linux/random.h>
#include "tcp_req.h"

#define RESET_HOLD	(60 * HZ)	/* a child that was reset still counts, as native */

/* keys */

static void keys_free_rcu(struct rcu_head *head)
{
	kfree_sensitive(container_of(head, struct strata_fastopen_keys, rcu));
}

static void keys_free(struct strata_fastopen_keys *keys)
{
	if (keys)
		call_rcu(&keys->rcu, keys_free_rcu);
}

static struct strata_fastopen_keys *keys_make(const u8 *key, int n)
{
	struct strata_fastopen_keys *keys = kzalloc(sizeof(*keys), GFP_KERNEL);
	int i;

	if (!keys)
		return NULL;
	keys->n = n;
	for (i = 0; i < n; i++, key += STRATA_FASTOPEN_KEY_LEN) {
		keys->key[i].key[0] = get_unaligned_le64(key);
		keys->key[i].key[1] = get_unaligned_le64(key + 8);
	}
	return keys;
}

static int keys_set(struct strata_fastopen_keys __rcu **at, const u8 *key, int n)
{
	struct strata_fastopen_keys *keys = keys_make(key, n);

	if (!keys)
		return -ENOMEM;
	keys_free(unrcu_pointer(xchg(at, RCU_INITIALIZER(keys))));
	return 0;
}

static int keys_get(struct strata_fastopen_keys __rcu **at, u8 *key)
{
	const struct strata_fastopen_keys *keys;
	int i, n = 0;

	rcu_read_lock();
	keys = rcu_dereference(*at);
	if (keys)
		n = keys->n;
	for (i = 0; i < n; i++, key += STRATA_FASTOPEN_KEY_LEN) {
		put_unaligned_le64(keys->key[i].key[0], key);
		put_unaligned_le64(keys->key[i].key[1], key + 8);
	}
	rcu_read_unlock();
	return n;
}

int strata_tcp_fastopen_key(struct strata_net *sn, u8 *key)
{
	return keys_get(&sn->tfo.keys, key);
}

int strata_tcp_fastopen_set_key(struct strata_net *sn, const u8 *key, int n)
{
	return keys_set(&sn->tfo.keys, key, n);
}

int strata_tcp_fastopen_set_keys(struct sock *sk, const u8 *key, int n)
{
	return keys_set(&strata_tcp_sk(sk)->lst.fo_keys, key, n);
}

int strata_tcp_fastopen_get_keys(struct sock *sk, u8 *key)
{
	return keys_get(&strata_tcp_sk(sk)->lst.fo_keys, key);
}

/* a namespace draws its key when it has its first listener with Fast Open */
static void keys_draw(struct strata_net *sn)
{
	struct strata_fastopen_keys *keys;
	u8 key[STRATA_FASTOPEN_KEY_LEN];

	if (rcu_access_pointer(sn->tfo.keys))
		return;
	get_random_bytes(key, sizeof(key));
	keys = keys_make(key, 1);
	/* another listener may be first; nobody has seen ours then */
	if (keys && unrcu_pointer(cmpxchg(&sn->tfo.keys, NULL, RCU_INITIALIZER(keys))))
		kfree_sensitive(keys);
}

void strata_tcp_fastopen_tune(struct sock *sk, int qlen)
{
	u32 most = READ_ONCE(sock_net(sk)->core.sysctl_somaxconn);

	keys_draw(strata_sk_net(sk));
	WRITE_ONCE(strata_tcp_sk(sk)->lst.fo_max, min_t(u32, qlen, most));
}

void strata_tcp_fastopen_listen(struct sock *sk, int backlog)
{
	const int all = STRATA_FASTOPEN_SERVER | STRATA_FASTOPEN_LISTENERS;
	int conf = READ_ONCE(strata_sk_net(sk)->conf.tcp_fastopen);

	if ((conf & all) == all && !strata_tcp_sk(sk)->lst.fo_max)
		strata_tcp_fastopen_tune(sk, backlog);
}

void strata_tcp_fastopen_net_init(struct strata_net *sn)
{
	strata_tcp_fastopen_cache_init(sn);
}

void strata_tcp_fastopen_net_exit(struct strata_net *sn)
{
	keys_free(unrcu_pointer(xchg(&sn->tfo.keys, NULL)));
	strata_tcp_fastopen_cache_exit(sn);
}

void strata_tcp_fastopen_destruct(struct sock *sk)
{
	keys_free(unrcu_pointer(xchg(&strata_tcp_sk(sk)->lst.fo_keys, NULL)));
}

/* cookies */

/* RFC 7413 4.1.2; the octets are native's */
static void cookie_make(struct strata_tcp_cookie *c, const struct iphdr *iph,
			const siphash_key_t *key)
{
	__be32 addr[2] __aligned(SIPHASH_ALIGNMENT) = { iph->saddr, iph->daddr };

	put_unaligned_le64(siphash(addr, sizeof(addr), key), c->val);
	c->len = STRATA_FASTOPEN_COOKIE_LEN;
}

/* which key made @got; 0: none. @c gets the cookie of the first */
static int cookie_check(struct sock *lsk, const struct iphdr *iph,
			const struct strata_tcp_cookie *got, struct strata_tcp_cookie *c)
{
	const struct strata_fastopen_keys *keys;
	struct strata_tcp_cookie try;
	int i;

	keys = rcu_dereference(strata_tcp_sk(lsk)->lst.fo_keys);
	if (!keys)
		keys = rcu_dereference(strata_sk_net(lsk)->tfo.keys);
	if (!keys)
		return 0;
	cookie_make(c, iph, &keys->key[0]);
	for (i = 0; i < keys->n; i++) {
		cookie_make(&try, iph, &keys->key[i]);
		if (got->len == try.len && !memcmp(got->val, try.val, try.len))
			return i + 1;
	}
	return 0;
}

/* may another child be pending? A place that a reset child held long enough is free again */
static bool may_pend(struct sock *lsk)
{
	struct strata_tcp_listener *lst = &strata_tcp_sk(lsk)->lst;
	u32 most = READ_ONCE(lst->fo_max);
	struct strata_tcp_req *old = NULL;
	bool ok;

	if (!most)
		return false;
	spin_lock(&lst->lock);
	ok = lst->fo_qlen < most;
	if (!ok) {
		old = list_first_entry_or_null(&lst->fo_reset, struct strata_tcp_req, wait);
		ok = old && !time_after(old->expires, jiffies);
		if (ok) {
			list_del_init(&old->wait);
			lst->fo_qlen--;
		}
	}
	spin_unlock(&lst->lock);
	if (!ok)
		strata_inc(strata_sk_net(lsk), TCPEXT_FASTOPENOVERFLOW);
	else if (old)
		strata_tcp_req_put(old);
	return ok;
}

int strata_tcp_fastopen_check(struct sock *lsk, const struct sk_buff *syn, bool bare,
			      struct strata_tcp_cookie *c)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(syn);
	struct strata_net *sn = strata_sk_net(lsk);
	int conf = READ_ONCE(sn->conf.tcp_fastopen);
	struct strata_tcp_cookie got;
	int by;

	strata_tcp_read_cookie(skb_transport_header(syn), &seg->opts, &got);
	memset(c, 0, sizeof(*c));
	c->len = -1;
	c->exp = got.exp;
	if (!got.len)
		strata_inc(sn, TCPEXT_FASTOPENCOOKIEREQD);
	if (!(conf & STRATA_FASTOPEN_SERVER) ||
	    (got.len < 0 && seg->end_seq == seg->seq + 1) || !may_pend(lsk))
		return 0;
	if ((conf & STRATA_FASTOPEN_SERVER_BARE) || strata_tcp_sk(lsk)->fo_no_cookie || bare)
		return 1;
	if (got.len < 0)
		return 0;
	by = cookie_check(lsk, ip_hdr(syn), &got, c);
	if (!by && got.len)
		strata_inc(sn, TCPEXT_FASTOPENPASSIVEFAIL);
	return by;
}

/* children */

void strata_tcp_fastopen_made(struct sock *lsk, struct sock *child, struct strata_tcp_req *req,
			      int by, const struct strata_tcp_cookie *c)
{
	struct strata_tcp_listener *lst = &strata_tcp_sk(lsk)->lst;
	struct strata_net *sn = strata_sk_net(lsk);
	struct strata_tcp_sock *tp;

	if (!child) {
		strata_inc(sn, TCPEXT_FASTOPENPASSIVEFAIL);
		return;
	}
	tp = strata_tcp_sk(child);
	strata_inc(sn, TCPEXT_FASTOPENPASSIVE);
	if (by == 2) {
		/* the key is about to go: a new cookie with the SYN-ACK */
		strata_inc(sn, TCPEXT_FASTOPENALTKEY);
		tp->tfo.cookie = *c;
		tp->tfo.syn_now = 1;
	}
	sock_hold(lsk);
	tp->tfo.lsk = lsk;
	refcount_inc(&req->ref);
	WRITE_ONCE(tp->tfo.req, req);
	spin_lock(&lst->lock);
	lst->fo_qlen++;
	spin_unlock(&lst->lock);
	/* the SYN-ACK is the timer's and the pending state's, not the queues' */
	tp->snd.una = tp->snd.iss + 1;
	tp->snd.up = tp->snd.una;
	tp->snd.sml_end = tp->snd.una;
}

enum skb_drop_reason strata_tcp_fastopen_rcv(struct sock *sk, struct sk_buff *skb, bool *eaten,
					     bool *reset)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	enum skb_drop_reason why = SKB_NOT_DROPPED_YET;

	if (!strata_tcp_child_established(sk)) {
		*reset = true;
		strata_tcp_done(sk);
		return SKB_DROP_REASON_SOCKET_CLOSE;
	}
	strata_tcp_init_transfer(sk);
	if (seg->end_seq != seg->seq + 1) {
		why = strata_tcp_data(sk, skb, eaten);
		tp->tfo.data_acked = *eaten;
		/* the first data for the delayed ACK is what comes behind the SYN, as native */
		tp->ack.ato = 0;
		/* what the SYN-ACK offers counts from what it acknowledges */
		tp->rwnd.wup = tp->rcv.nxt;
	}
	tp->todo |= STRATA_TODO_SYN;
	return why;
}

void strata_tcp_fastopen_done(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	strata_tcp_fastopen_release(sk, false);
	if (tp->syn_retrans && !tp->rtt.srtt_us)
		strata_rtt_syn_retransmitted(&tp->rtt);
	tp->retrans_start_us = 0;
	tp->lsndtime = (u32)jiffies;
	/* data may be out */
	strata_tcp_timer_rearm(sk);
}

void strata_tcp_fastopen_release(struct sock *sk, bool reset)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_req *req = tp->tfo.req;
	struct sock *lsk = tp->tfo.lsk;
	struct strata_tcp_listener *lst;

	if (likely(!req))
		return;
	WRITE_ONCE(tp->tfo.req, NULL);
	tp->tfo.lsk = NULL;
	lst = &strata_tcp_sk(lsk)->lst;
	spin_lock_bh(&lst->lock);
	/* as native: one that nobody has accepted yet takes a place on the accept queue already */
	if (reset && list_empty(&tp->accept_node) && READ_ONCE(lsk->sk_state) == TCP_LISTEN) {
		req->expires = jiffies + RESET_HOLD;
		list_add_tail(&req->wait, &lst->fo_reset);
		req = NULL;
	} else {
		lst->fo_qlen--;
	}
	spin_unlock_bh(&lst->lock);
	if (req)
		strata_tcp_req_put(req);
	sock_put(lsk);
}

void strata_tcp_fastopen_stop(struct sock *lsk)
{
	struct strata_tcp_listener *lst = &strata_tcp_sk(lsk)->lst;
	struct strata_tcp_req *req, *next;
	LIST_HEAD(gone);

	spin_lock_bh(&lst->lock);
	list_for_each_entry(req, &lst->fo_reset, wait)
		lst->fo_qlen--;
	list_splice_init(&lst->fo_reset, &gone);
	spin_unlock_bh(&lst->lock);
	list_for_each_entry_safe(req, next, &gone, wait) {
		list_del_init(&req->wait);
		strata_tcp_req_put(req);
	}
}
