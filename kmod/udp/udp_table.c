// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of UDP sockets.
 *
 * A bound socket is in the table by (local address, local port); a connected one also in
 * the table by both ends, so that a thousand connected sockets on one port are found as
 * fast as one. A datagram looks at the exact pair first, then at its destination address,
 * then at the wildcard: specific beats wildcard, connected beats unconnected and bound to
 * the device beats unbound (RFC 1122 4.1.3.5). Sockets that share an address by SO_REUSEPORT
 * are a group of the kernel's: its program, or the flow's hash, picks one.
 *
 * Readers hold RCU only and take no reference. Sockets move between chains when they
 * connect, so the chains end in their own number and a reader that ends elsewhere begins
 * again.
 */

#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <net/netns/hash.h>
#include <net/sock_reuseport.h>
#include "udp_int.h"

#define UDP_CHAIN_BITS	13
#define UDP_CHAINS	BIT(UDP_CHAIN_BITS)
/* position of strata_udp_walk(): chain and place in it */
#define UDP_WALK_SHIFT	(BITS_PER_LONG - 2 - UDP_CHAIN_BITS)

struct udp_chain {
	struct hlist_nulls_head	head;
	spinlock_t		lock;	/* writers of this chain */
};

static struct udp_chain *addr_chains;
static struct udp_chain *pair_chains;
static u32 udp_secret __read_mostly;

static struct udp_chain *chains_new(void)
{
	struct udp_chain *chains;
	u32 i;

	chains = kvmalloc_array(UDP_CHAINS, sizeof(*chains), GFP_KERNEL);
	if (!chains)
		return NULL;
	for (i = 0; i < UDP_CHAINS; i++) {
		INIT_HLIST_NULLS_HEAD(&chains[i].head, i);
		spin_lock_init(&chains[i].lock);
	}
	return chains;
}

int strata_udp_table_init(void)
{
	udp_secret = get_random_u32();
	addr_chains = chains_new();
	pair_chains = chains_new();
	if (addr_chains && pair_chains)
		return 0;
	strata_udp_table_exit();
	return -ENOMEM;
}

void strata_udp_table_exit(void)
{
	kvfree(addr_chains);
	kvfree(pair_chains);
}

static u32 addr_hash(const struct net *net, __be32 laddr, __be16 lport)
{
	return jhash_3words((__force u32)laddr, (__force u32)lport, net_hash_mix(net),
			    udp_secret) % UDP_CHAINS;
}

static u32 flow_hash(const struct net *net, __be32 laddr, __be16 lport, __be32 raddr,
		     __be16 rport)
{
	return jhash_3words((__force u32)laddr, (__force u32)raddr,
			    (__force u32)lport << 16 | (__force u32)rport,
			    udp_secret ^ net_hash_mix(net));
}

static void chain_add(struct udp_chain *chain, struct hlist_nulls_node *node)
{
	spin_lock_bh(&chain->lock);
	hlist_nulls_add_head_rcu(node, &chain->head);
	spin_unlock_bh(&chain->lock);
}

static void chain_del(struct udp_chain *chain, struct hlist_nulls_node *node)
{
	if (hlist_nulls_unhashed(node))
		return;
	spin_lock_bh(&chain->lock);
	hlist_nulls_del_init_rcu(node);
	spin_unlock_bh(&chain->lock);
}

/* into the group of those with the same address, device and user, or one of its own; locked */
static int group_join(const struct udp_chain *chain, struct sock *sk)
{
	const struct strata_sock *ep = strata_sk(sk);
	struct hlist_nulls_node *node;
	struct strata_udp_sock *other;

	hlist_nulls_for_each_entry(other, node, &chain->head, addr_node) {
		struct sock *osk = &other->ep.sk;

		if (osk->sk_reuseport && net_eq(sock_net(osk), sock_net(sk)) &&
		    other->ep.lport == ep->lport && other->ep.laddr == ep->laddr &&
		    osk->sk_bound_dev_if == sk->sk_bound_dev_if && uid_eq(osk->sk_uid, sk->sk_uid))
			return reuseport_add_sock(sk, osk, !ep->laddr);
	}
	return reuseport_alloc(sk, !ep->laddr);
}

int strata_udp_hash_bound(struct sock *sk)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	const struct net *net = sock_net(sk);
	struct udp_chain *chain;
	int err = 0;

	up->addr_chain = addr_hash(net, up->ep.laddr, up->ep.lport);
	chain = &addr_chains[up->addr_chain];
	if (WARN_ON_ONCE(!hlist_nulls_unhashed(&up->addr_node)))
		return -EBUSY;
	spin_lock_bh(&chain->lock);
	if (sk->sk_reuseport)
		err = group_join(chain, sk);
	if (!err)
		hlist_nulls_add_head_rcu(&up->addr_node, &chain->head);
	spin_unlock_bh(&chain->lock);
	if (!err)
		sock_prot_inuse_add(net, sk->sk_prot, 1);
	return err;
}

void strata_udp_rehash(struct sock *sk)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	const struct strata_sock *ep = &up->ep;
	const struct net *net = sock_net(sk);
	u32 chain;

	/* its port is anybody's */
	if (WARN_ON_ONCE(hlist_nulls_unhashed(&up->addr_node)))
		return;
	chain_del(&pair_chains[up->pair_chain], &up->pair_node);
	if (ep->raddr && ep->rport) {
		up->pair_chain = flow_hash(net, ep->laddr, ep->lport, ep->raddr, ep->rport) %
				 UDP_CHAINS;
		chain_add(&pair_chains[up->pair_chain], &up->pair_node);
	}

	chain = addr_hash(net, ep->laddr, ep->lport);
	if (chain == up->addr_chain)
		return;
	chain_del(&addr_chains[up->addr_chain], &up->addr_node);
	up->addr_chain = chain;
	chain_add(&addr_chains[chain], &up->addr_node);
}

/* chain lock held */
static void group_leave(struct sock *sk)
{
	if (rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
}

void strata_udp_unhash_table(struct sock *sk)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	struct udp_chain *chain;

	chain_del(&pair_chains[up->pair_chain], &up->pair_node);
	if (hlist_nulls_unhashed(&up->addr_node))
		return;
	chain = &addr_chains[up->addr_chain];
	spin_lock_bh(&chain->lock);
	group_leave(sk);
	hlist_nulls_del_init_rcu(&up->addr_node);
	spin_unlock_bh(&chain->lock);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
}

void strata_udp_set_laddr(struct sock *sk, __be32 laddr)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	struct udp_chain *chain = &addr_chains[up->addr_chain];

	if (hlist_nulls_unhashed(&up->addr_node)) {
		WRITE_ONCE(up->ep.laddr, laddr);
		return;
	}
	/* who joins meanwhile must not bring it back into the group of its old address */
	spin_lock_bh(&chain->lock);
	group_leave(sk);
	WRITE_ONCE(up->ep.laddr, laddr);
	spin_unlock_bh(&chain->lock);
}

/* 0: not for this socket; else the higher the better */
static int udp_score(const struct sock *sk, const struct strata_udp_key *key)
{
	const struct strata_sock *ep = strata_sk(sk);
	int dev = READ_ONCE(sk->sk_bound_dev_if);
	int score = 1;
	__be32 raddr;
	__be16 rport;

	if (READ_ONCE(ep->lport) != key->lport || sock_net(sk) != key->sn->net)
		return 0;
	raddr = READ_ONCE(ep->raddr);
	if (raddr) {
		if (raddr != key->raddr)
			return 0;
		score += 4;
	}
	rport = READ_ONCE(ep->rport);
	if (rport) {
		if (rport != key->rport)
			return 0;
		score += 4;
	}
	if (dev) {
		if (dev != key->iif)
			return 0;
		score += 4;
	}
	if (READ_ONCE(sk->sk_incoming_cpu) == raw_smp_processor_id())
		score++;
	return score;
}

static struct sock *pair_lookup(const struct strata_udp_key *key, u32 hash)
{
	u32 chain = hash % UDP_CHAINS;
	struct hlist_nulls_node *node;
	struct strata_udp_sock *up;
	struct sock *best;
	int score, top;

again:
	best = NULL;
	top = 0;
	hlist_nulls_for_each_entry_rcu(up, node, &pair_chains[chain].head, pair_node) {
		if (READ_ONCE(up->ep.laddr) != key->laddr)
			continue;
		score = udp_score(&up->ep.sk, key);
		if (score > top) {
			top = score;
			best = &up->ep.sk;
		}
	}
	if (get_nulls_value(node) != chain)
		goto again;
	return best;
}

/* one of the group of @sk, unless that is a socket for others; its program sees the payload */
static noinline struct sock *group_select(struct sock *sk, const struct strata_udp_key *key,
					  u32 hash)
{
	struct sock *member = reuseport_select_sock(sk, hash, key->skb, sizeof(struct udphdr));

	return member && udp_score(member, key) ? member : sk;
}

/*
 * By address and port in the chain of @laddr. @moving: also who has the other of the two addresses
 * that fit: connect() changes the address first and the chain then
 */
static struct sock *addr_lookup(const struct strata_udp_key *key, __be32 laddr, bool moving,
				u32 hash)
{
	u32 chain = addr_hash(key->sn->net, laddr, key->lport);
	struct hlist_nulls_node *node;
	struct strata_udp_sock *up;
	struct sock *best;
	int score, top;

again:
	best = NULL;
	top = 0;
	hlist_nulls_for_each_entry_rcu(up, node, &addr_chains[chain].head, addr_node) {
		__be32 has = READ_ONCE(up->ep.laddr);

		if (has != laddr && !(moving && (!has || has == key->laddr)))
			continue;
		score = udp_score(&up->ep.sk, key);
		if (score > top) {
			top = score;
			best = &up->ep.sk;
		}
	}
	if (get_nulls_value(node) != chain)
		goto again;
	if (best && best->sk_reuseport && READ_ONCE(best->sk_state) != TCP_ESTABLISHED)
		best = group_select(best, key, hash);
	return best;
}

struct sock *strata_udp_lookup_rcu(const struct strata_udp_key *key)
{
	u32 hash = flow_hash(key->sn->net, key->laddr, key->lport, key->raddr, key->rport);
	struct sock *sk;

	sk = pair_lookup(key, hash);
	if (!sk)
		sk = addr_lookup(key, key->laddr, false, hash);
	if (!sk)
		sk = addr_lookup(key, 0, false, hash);
	/* nobody: one that connects or disconnects just now? */
	if (!sk)
		sk = addr_lookup(key, 0, true, hash);
	if (!sk)
		sk = addr_lookup(key, key->laddr, true, hash);
	return sk;
}

static int chain_each(const struct strata_udp_key *key, __be32 laddr,
		      void (*fn)(struct sock *sk, void *arg), void *arg)
{
	u32 chain = addr_hash(key->sn->net, laddr, key->lport);
	struct hlist_nulls_node *node;
	struct strata_udp_sock *up;
	int n = 0;

	/* a socket that moves meanwhile may miss this datagram */
	hlist_nulls_for_each_entry_rcu(up, node, &addr_chains[chain].head, addr_node) {
		if (READ_ONCE(up->ep.laddr) != laddr || !udp_score(&up->ep.sk, key))
			continue;
		fn(&up->ep.sk, arg);
		n++;
	}
	return n;
}

int strata_udp_each_rcu(const struct strata_udp_key *key,
			void (*fn)(struct sock *sk, void *arg), void *arg)
{
	int n = chain_each(key, key->laddr, fn, arg);

	return n + (key->laddr ? chain_each(key, 0, fn, arg) : 0);
}

static int walk_chain(struct strata_net *sn, long *pos, u32 chain,
		      int (*fn)(struct sock *sk, void *arg), void *arg)
{
	long skip = *pos & ((1L << UDP_WALK_SHIFT) - 1);
	struct hlist_nulls_node *node;
	struct strata_udp_sock *up;
	long n = 0;
	int ret;

	hlist_nulls_for_each_entry_rcu(up, node, &addr_chains[chain].head, addr_node) {
		if (sock_net(&up->ep.sk) != sn->net || n++ < skip)
			continue;
		*pos = (long)chain << UDP_WALK_SHIFT | (n - 1);
		ret = fn(&up->ep.sk, arg);
		if (ret)
			return ret;
	}
	return 0;
}

int strata_udp_walk(struct strata_net *sn, long *pos, int (*fn)(struct sock *sk, void *arg),
		    void *arg)
{
	u32 chain;
	int ret;

	might_sleep();
	for (chain = *pos >> UDP_WALK_SHIFT; chain < UDP_CHAINS;
	     chain++, *pos = (long)chain << UDP_WALK_SHIFT) {
		if (hlist_nulls_empty(&addr_chains[chain].head))
			continue;
		rcu_read_lock();
		ret = walk_chain(sn, pos, chain, fn, arg);
		rcu_read_unlock();
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}
