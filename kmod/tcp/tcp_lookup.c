// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which socket does a segment belong to?
 *
 * Two tables, both module-wide. Connections are hashed by the 4-tuple and the namespace's
 * salt; the table is sized by the machine's memory, each bucket has a lock for
 * writers, readers use RCU. Half-open requests stand there too: the peer's next segment is
 * for the listener that has its SYN, whoever else may listen by then. Listeners are hashed by
 * local port; the best match wins: a specific address before any, a bound device before none.
 * Equals are a group of the kernel's (SO_REUSEPORT), which chooses by the hash of the peer or by
 * the group's program.
 *
 * RFC 9293 3.4.1 (connection identification), 3.10.7.1.
 */

#include <linux/jhash.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/vmalloc.h>
#include <net/sock_reuseport.h>
#include "tcp_req.h"

/* ends of listeners' chains: a reader of connections that was led to one must notice */
#define LISTEN_NULLS	BIT(29)

static struct strata_tcp_bucket *tcp_buckets __read_mostly;
static unsigned int tcp_bucket_mask __read_mostly;
static struct strata_tcp_lbucket *tcp_lbuckets __read_mostly;
static u32 tcp_hash_secret __read_mostly;

static __always_inline u32 est_hash(const struct strata_net *sn, __be32 laddr, __be16 lport,
				    __be32 raddr, __be16 rport)
{
	return jhash_3words((__force u32)laddr, (__force u32)raddr,
			    (__force u32)lport << 16 | (__force u32)rport,
			    tcp_hash_secret ^ sn->key);
}

u32 strata_tcp_hashfn(const struct strata_net *sn, __be32 laddr, __be16 lport, __be32 raddr,
		      __be16 rport)
{
	return est_hash(sn, laddr, lport, raddr, rport);
}

struct strata_tcp_bucket *strata_tcp_bucket(u32 hash)
{
	return &tcp_buckets[hash & tcp_bucket_mask];
}

struct strata_tcp_bucket *strata_tcp_bucket_at(unsigned long slot)
{
	return slot <= tcp_bucket_mask ? &tcp_buckets[slot] : NULL;
}

static struct strata_tcp_lbucket *lbucket(const struct strata_net *sn, __be16 lport)
{
	u32 hash = jhash_1word((__force u32)lport, tcp_hash_secret ^ sn->key);

	return &tcp_lbuckets[hash & (STRATA_TCP_LISTEN_SLOTS - 1)];
}

struct strata_tcp_lbucket *strata_tcp_lbucket_at(unsigned long slot)
{
	return slot < STRATA_TCP_LISTEN_SLOTS ? &tcp_lbuckets[slot] : NULL;
}

/* does @sk stand for this 4-tuple? Its slab may have been given to another socket meanwhile */
static bool est_match(const struct sock *sk, const struct strata_net *sn, __be32 laddr,
		      __be16 lport, __be32 raddr, __be16 rport, int iif)
{
	const struct strata_sock *ep = strata_sk(sk);
	int bound = READ_ONCE(sk->sk_bound_dev_if);

	return READ_ONCE(ep->raddr) == raddr && READ_ONCE(ep->rport) == rport &&
	       READ_ONCE(ep->laddr) == laddr && READ_ONCE(ep->lport) == lport &&
	       net_eq(sock_net(sk), sn->net) && (!bound || !iif || bound == iif);
}

/* inline: for each segment */
static __always_inline struct sock *est_lookup(const struct strata_net *sn, u32 hash,
					       __be32 laddr, __be16 lport, __be32 raddr,
					       __be16 rport, int iif)
{
	struct strata_tcp_bucket *b = strata_tcp_bucket(hash);
	unsigned long slot = b - tcp_buckets;
	const struct hlist_nulls_node *node;
	struct sock *sk;

again:
	sk_nulls_for_each_rcu(sk, node, &b->socks) {
		if (READ_ONCE(sk->sk_hash) != hash ||
		    !est_match(sk, sn, laddr, lport, raddr, rport, iif))
			continue;
		if (unlikely(!refcount_inc_not_zero(&sk->sk_refcnt)))
			return NULL;
		if (likely(est_match(sk, sn, laddr, lport, raddr, rport, iif)))
			return sk;
		sock_put(sk);
		goto again;
	}
	/* a socket moved to another chain under us */
	if (get_nulls_value(node) != slot)
		goto again;
	return NULL;
}

struct sock *strata_tcp_lookup_est(struct strata_net *sn, __be32 laddr, __be16 lport,
				   __be32 raddr, __be16 rport, int iif)
{
	return est_lookup(sn, est_hash(sn, laddr, lport, raddr, rport), laddr, lport, raddr, rport,
			  iif);
}

struct sock *strata_tcp_lookup_skb(struct strata_net *sn, struct sk_buff *skb)
{
	const __be16 *ports = (const void *)skb_transport_header(skb);
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	const struct iphdr *iph = ip_hdr(skb);

	seg->hash = est_hash(sn, iph->daddr, ports[1], iph->saddr, ports[0]);
	return est_lookup(sn, seg->hash, iph->daddr, ports[1], iph->saddr, ports[0],
			  seg->rcv.iif);
}

/* how well a listener fits; 0: not at all */
static int listen_score(const struct sock *sk, const struct strata_net *sn, __be32 laddr,
			__be16 lport, int iif)
{
	const struct strata_sock *ep = strata_sk(sk);
	__be32 bound = READ_ONCE(ep->laddr);
	int dev = READ_ONCE(sk->sk_bound_dev_if);
	int score = 1;

	if (READ_ONCE(ep->lport) != lport || !net_eq(sock_net(sk), sn->net))
		return 0;
	if (bound) {
		if (bound != laddr)
			return 0;
		score += 4;
	}
	if (dev) {
		if (dev != iif)
			return 0;
		score += 2;
	}
	return score;
}

/* one of the group of @sk; its program sees what is behind the header */
static noinline struct sock *group_select(struct sock *sk, const struct strata_net *sn,
					  __be32 laddr, __be16 lport, __be32 raddr,
					  __be16 rport, struct sk_buff *skb)
{
	struct sock *member;

	member = reuseport_select_sock(sk, strata_tcp_hashfn(sn, laddr, lport, raddr, rport), skb,
				       skb ? STRATA_TCP_SEG(skb)->hdrlen : 0);
	return member ?: sk;
}

struct sock *strata_tcp_lookup_listen(struct strata_net *sn, __be32 laddr, __be16 lport,
				      __be32 raddr, __be16 rport, int iif, struct sk_buff *skb)
{
	struct strata_tcp_lbucket *b = lbucket(sn, lport);
	const struct hlist_nulls_node *node;
	struct sock *sk, *best = NULL;
	int score, best_score = 0;

	/* listeners are freed after a grace period and never move: no second look is needed */
	sk_nulls_for_each_rcu(sk, node, &b->socks) {
		score = listen_score(sk, sn, laddr, lport, iif);
		if (score > best_score) {
			best = sk;
			best_score = score;
		}
	}
	if (best && best->sk_reuseport)
		best = group_select(best, sn, laddr, lport, raddr, rport, skb);
	return best;
}

/* SO_REUSEPORT: do they share port and address, or would if both listened? */
static bool same_group(const struct sock *a, const struct sock *b)
{
	return a->sk_reuseport && b->sk_reuseport && net_eq(sock_net(a), sock_net(b)) &&
	       READ_ONCE(strata_sk(a)->lport) == READ_ONCE(strata_sk(b)->lport) &&
	       READ_ONCE(strata_sk(a)->laddr) == READ_ONCE(strata_sk(b)->laddr) &&
	       READ_ONCE(a->sk_bound_dev_if) == READ_ONCE(b->sk_bound_dev_if) &&
	       uid_eq(a->sk_uid, b->sk_uid);
}

struct sock *strata_tcp_lookup_group(const struct sock *lsk, __be32 laddr, __be32 raddr,
				     __be16 rport)
{
	struct strata_net *sn = strata_sk_net(lsk);
	__be16 lport = strata_sk(lsk)->lport;
	const struct hlist_nulls_node *node;
	struct sock *sk;

	sk_nulls_for_each_rcu(sk, node, &lbucket(sn, lport)->socks) {
		if (sk != lsk && same_group(sk, lsk))
			return group_select(sk, sn, laddr, lport, raddr, rport, NULL);
	}
	return NULL;
}

struct sock *strata_tcp_find(struct strata_net *sn, __be32 laddr, __be16 lport, __be32 raddr,
			     __be16 rport, int iif)
{
	struct sock *sk;

	sk = strata_tcp_lookup_est(sn, laddr, lport, raddr, rport, iif);
	if (sk)
		return sk;
	sk = strata_tcp_lookup_listen(sn, laddr, lport, raddr, rport, iif, NULL);
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	return sk;
}

/* is the 4-tuple of @sk taken by another socket of the chain? bucket lock held */
static bool est_taken(struct strata_tcp_bucket *b, const struct sock *sk, u32 hash)
{
	const struct strata_sock *ep = strata_sk(sk);
	const struct hlist_nulls_node *node;
	const struct sock *other;

	sk_nulls_for_each(other, node, &b->socks) {
		if (other != sk && other->sk_hash == hash &&
		    est_match(other, strata_sk_net(sk), ep->laddr, ep->lport, ep->raddr,
			      ep->rport, sk->sk_bound_dev_if))
			return true;
	}
	return false;
}

/* the request of a 4-tuple, bucket lock held */
static struct strata_tcp_req *req_in(const struct strata_tcp_bucket *b,
				     const struct strata_net *sn, u32 hash, __be32 laddr,
				     __be16 lport, __be32 raddr, __be16 rport, int iif)
{
	struct strata_tcp_req *req;

	hlist_for_each_entry(req, &b->reqs, hash) {
		if (req->hashval == hash && req->raddr == raddr && req->rport == rport &&
		    req->laddr == laddr && req->lport == lport && req->sn == sn &&
		    (!req->oif || !iif || req->oif == iif))
			return req;
	}
	return NULL;
}

/* does somebody open a connection of the 4-tuple of @sk? Bucket lock held */
static bool req_for(const struct strata_tcp_bucket *b, const struct sock *sk, u32 hash)
{
	const struct strata_sock *ep = strata_sk(sk);

	return req_in(b, strata_sk_net(sk), hash, ep->laddr, ep->lport, ep->raddr, ep->rport,
		      sk->sk_bound_dev_if);
}

/* is the 4-tuple of @req a connection's by now, or another request's? Bucket lock held */
static bool req_taken(const struct strata_tcp_bucket *b, const struct strata_tcp_req *req)
{
	const struct hlist_nulls_node *node;
	const struct sock *sk;

	sk_nulls_for_each(sk, node, &b->socks) {
		if (sk->sk_hash == req->hashval &&
		    est_match(sk, req->sn, req->laddr, req->lport, req->raddr, req->rport,
			      req->oif))
			return true;
	}
	return req_in(b, req->sn, req->hashval, req->laddr, req->lport, req->raddr, req->rport,
		      req->oif);
}

struct strata_tcp_req *strata_tcp_lookup_req(struct strata_net *sn, u32 hash, __be32 laddr,
					     __be16 lport, __be32 raddr, __be16 rport, int iif)
{
	struct strata_tcp_bucket *b = strata_tcp_bucket(hash);
	struct strata_tcp_req *req;

	if (hlist_empty(&b->reqs))
		return NULL;
	spin_lock(&b->lock);
	req = req_in(b, sn, hash, laddr, lport, raddr, rport, iif);
	if (req)
		refcount_inc(&req->ref);
	spin_unlock(&b->lock);
	return req;
}

bool strata_tcp_hash_req(struct strata_tcp_req *req)
{
	struct strata_tcp_bucket *b = strata_tcp_bucket(req->hashval);
	bool free;

	spin_lock(&b->lock);
	free = !req_taken(b, req);
	if (free)
		hlist_add_head(&req->hash, &b->reqs);
	spin_unlock(&b->lock);
	return free;
}

bool strata_tcp_unhash_req(struct strata_tcp_req *req)
{
	struct strata_tcp_bucket *b = strata_tcp_bucket(req->hashval);
	bool there;

	spin_lock(&b->lock);
	there = !hlist_unhashed(&req->hash);
	hlist_del_init(&req->hash);
	spin_unlock(&b->lock);
	return there;
}

bool strata_tcp_rehash_req(struct strata_tcp_req *old, struct strata_tcp_req *req)
{
	struct strata_tcp_bucket *b = strata_tcp_bucket(old->hashval);
	bool there;

	spin_lock(&b->lock);
	there = !hlist_unhashed(&old->hash);
	if (there) {
		hlist_del_init(&old->hash);
		hlist_add_head(&req->hash, &b->reqs);
	}
	spin_unlock(&b->lock);
	return there;
}

static struct strata_tcp_tw *tw_taken(struct strata_tcp_bucket *b, const struct sock *sk)
{
	const struct strata_sock *ep = strata_sk(sk);
	struct strata_tcp_tw *tw;

	hlist_for_each_entry(tw, &b->tws, hash) {
		if (tw->laddr == ep->laddr && tw->lport == ep->lport &&
		    tw->raddr == ep->raddr && tw->rport == ep->rport &&
		    tw->sn == strata_sk_net(sk))
			return tw;
	}
	return NULL;
}

/* bucket lock held */
static void est_enter(struct strata_tcp_bucket *b, struct sock *sk, u32 hash)
{
	sk->sk_hash = hash;
	strata_tcp_sk(sk)->table = STRATA_TCP_IN_EST;
	__sk_nulls_add_node_rcu(sk, &b->socks);
}

static void inuse_add(struct sock *sk, int n)
{
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, n);
}

static int hash_connect(struct sock *sk, bool asked_for)
{
	struct strata_sock *ep = strata_sk(sk);
	u32 hash = strata_tcp_hashfn(strata_sk_net(sk), ep->laddr, ep->lport, ep->raddr,
				     ep->rport);
	struct strata_tcp_bucket *b = strata_tcp_bucket(hash);
	struct strata_tcp_tw *tw;
	int err = 0;

	spin_lock_bh(&b->lock);
	tw = tw_taken(b, sk);
	if (est_taken(b, sk, hash) || req_for(b, sk, hash) ||
	    (tw && !strata_tcp_tw_reusable(tw, strata_tcp_sk(sk), asked_for))) {
		err = -EADDRNOTAVAIL;
	} else {
		if (tw && !strata_tcp_tw_unhash_locked(tw))
			tw = NULL;
		est_enter(b, sk, hash);
	}
	spin_unlock_bh(&b->lock);
	if (err)
		return err;
	if (tw) {
		strata_inc(strata_sk_net(sk), TCPEXT_TWRECYCLED);
		strata_tcp_tw_finish(tw);
	}
	inuse_add(sk, 1);
	return 0;
}

int strata_tcp_hash_bound(struct sock *sk)
{
	return hash_connect(sk, true);
}

int strata_tcp_hash_chosen(struct sock *sk)
{
	return hash_connect(sk, false);
}

bool strata_tcp_hash_child(struct sock *child, u32 hash, struct strata_tcp_req *req)
{
	struct strata_tcp_bucket *b = strata_tcp_bucket(hash);
	bool free;

	spin_lock(&b->lock);
	free = !est_taken(b, child, hash) &&
	       (req ? !hlist_unhashed(&req->hash) : !req_for(b, child, hash));
	if (free) {
		est_enter(b, child, hash);
		if (req)
			hlist_del_init(&req->hash);
	}
	spin_unlock(&b->lock);
	if (free)
		inuse_add(child, 1);
	return free;
}

/* into the group of those with the same address, device and user, or one of its own; locked */
static int group_join(const struct strata_tcp_lbucket *b, struct sock *sk)
{
	const struct strata_sock *ep = strata_sk(sk);
	const struct hlist_nulls_node *node;
	struct sock *other;

	sk_nulls_for_each(other, node, &b->socks) {
		if (same_group(other, sk))
			return reuseport_add_sock(sk, other, !ep->laddr);
	}
	return reuseport_alloc(sk, !ep->laddr);
}

int strata_tcp_hash_listen(struct sock *sk)
{
	struct strata_tcp_lbucket *b = lbucket(strata_sk_net(sk), strata_sk(sk)->lport);
	int err = 0;

	/* lookups hand listeners out uncounted */
	sock_set_flag(sk, SOCK_RCU_FREE);
	spin_lock_bh(&b->lock);
	if (sk->sk_reuseport)
		err = group_join(b, sk);
	if (!err) {
		strata_tcp_sk(sk)->table = STRATA_TCP_IN_LISTEN;
		__sk_nulls_add_node_rcu(sk, &b->socks);
	}
	spin_unlock_bh(&b->lock);
	if (!err)
		inuse_add(sk, 1);
	return err;
}

void strata_tcp_unhash(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	spinlock_t *lock;	/* the one of its bucket */

	if (tp->table == STRATA_TCP_IN_NONE)
		return;
	if (tp->table == STRATA_TCP_IN_LISTEN)
		lock = &lbucket(strata_sk_net(sk), strata_sk(sk)->lport)->lock;
	else
		lock = &strata_tcp_bucket(sk->sk_hash)->lock;

	spin_lock_bh(lock);
	if (tp->table == STRATA_TCP_IN_LISTEN && rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
	__sk_nulls_del_node_init_rcu(sk);
	tp->table = STRATA_TCP_IN_NONE;
	spin_unlock_bh(lock);
	inuse_add(sk, -1);
}

/* one bucket for 128 KB of memory, within 1 Ki and 512 Ki */
static unsigned int table_size(void)
{
	unsigned long n = totalram_pages() >> (17 - PAGE_SHIFT);

	return roundup_pow_of_two(clamp(n, 1024UL, 1UL << 19));
}

int strata_tcp_lookup_init(void)
{
	unsigned int n = table_size(), i;

	get_random_bytes(&tcp_hash_secret, sizeof(tcp_hash_secret));
	tcp_buckets = kvmalloc_array(n, sizeof(*tcp_buckets), GFP_KERNEL);
	tcp_lbuckets = kvmalloc_array(STRATA_TCP_LISTEN_SLOTS, sizeof(*tcp_lbuckets), GFP_KERNEL);
	if (!tcp_buckets || !tcp_lbuckets) {
		strata_tcp_lookup_exit();
		return -ENOMEM;
	}
	tcp_bucket_mask = n - 1;
	for (i = 0; i < n; i++) {
		spin_lock_init(&tcp_buckets[i].lock);
		INIT_HLIST_NULLS_HEAD(&tcp_buckets[i].socks, i);
		INIT_HLIST_HEAD(&tcp_buckets[i].tws);
		INIT_HLIST_HEAD(&tcp_buckets[i].reqs);
	}
	for (i = 0; i < STRATA_TCP_LISTEN_SLOTS; i++) {
		spin_lock_init(&tcp_lbuckets[i].lock);
		INIT_HLIST_NULLS_HEAD(&tcp_lbuckets[i].socks, LISTEN_NULLS + i);
	}
	return 0;
}

void strata_tcp_lookup_exit(void)
{
	kvfree(tcp_buckets);
	kvfree(tcp_lbuckets);
	tcp_buckets = NULL;
	tcp_lbuckets = NULL;
}
