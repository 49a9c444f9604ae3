// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local ports in use and who may share them.
 *
 * A port in use is a bucket: (namespace, protocol, port) with the sockets that own it
 * and the holds of objects that outlive their socket (TIME-WAIT). Buckets hang in the
 * chains of one hash table; the chain's lock protects its buckets with all that is in
 * them, so there is no lock that all sockets share.
 *
 * Two owners conflict when they could be meant by the same packet and do not agree to
 * share. The rules are those of the native stack, on which programs rely:
 *  - sockets bound to different devices do not meet;
 *  - different specific addresses do not meet, the wildcard meets all;
 *  - SO_REUSEADDR on both shares, unless the one there is listening;
 *  - SO_REUSEPORT on both shares between sockets of one user, unless the one that comes
 *    brings a group of its own, made for its program (SO_ATTACH_REUSEPORT_CBPF).
 * RFC 9293 3.9.1 (OPEN) leaves this to the host; RFC 1122 4.1.3.5 asks UDP to tell local
 * addresses apart.
 */

#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/netns/hash.h>
#include <net/tcp_states.h>
#include "port_int.h"

#define BIND_CHAIN_BITS	14

/*
 * struct strata_bind_hold - TIME-WAIT objects that keep a port
 * @node: in strata_bind_bucket.holds; @bucket: that one
 * @laddr, @oif, @reuse, @reuseport, @autoport: as the socket had them
 * @count: objects that share this hold
 *
 * locking: the chain's lock
 */
struct strata_bind_hold {
	struct hlist_node		node;
	struct strata_bind_bucket	*bucket;
	__be32				laddr;
	int				oif;
	u8				reuse:1,
					reuseport:1,
					autoport:1;
	unsigned int			count;
};

static struct strata_bind_chain *bind_chains;

int strata_port_table_init(void)
{
	unsigned int i;

	bind_chains = kvcalloc(1 << BIND_CHAIN_BITS, sizeof(*bind_chains), GFP_KERNEL);
	if (!bind_chains)
		return -ENOMEM;
	for (i = 0; i < 1 << BIND_CHAIN_BITS; i++)
		spin_lock_init(&bind_chains[i].lock);
	return 0;
}

void strata_port_table_exit(void)
{
	unsigned int i;

	/* a bucket that is left lost count of its owners */
	for (i = 0; i < 1 << BIND_CHAIN_BITS; i++)
		WARN_ON_ONCE(!hlist_empty(&bind_chains[i].buckets));
	kvfree(bind_chains);
}

static struct strata_bind_chain *bind_chain(const struct net *net, u8 proto, u16 port)
{
	u32 key = ((u32)proto << 16 | port) ^ net_hash_mix(net);

	return &bind_chains[hash_32(key, BIND_CHAIN_BITS)];
}

static struct strata_bind_bucket *bucket_find(struct strata_bind_chain *chain,
					      const struct net *net, u8 proto, u16 port)
{
	struct strata_bind_bucket *bb;

	hlist_for_each_entry(bb, &chain->buckets, node)
		if (bb->port == port && bb->proto == proto && bb->net == net)
			return bb;
	return NULL;
}

static struct strata_bind_bucket *bucket_new(struct strata_bind_chain *chain, struct net *net,
					     u8 proto, u16 port)
{
	struct strata_bind_bucket *bb = kzalloc(sizeof(*bb), GFP_ATOMIC);

	if (!bb)
		return NULL;
	bb->net = net;
	bb->proto = proto;
	bb->port = port;
	hlist_add_head(&bb->node, &chain->buckets);
	return bb;
}

static void bucket_free_if_idle(struct strata_bind_bucket *bb)
{
	if (!hlist_empty(&bb->owners) || !hlist_empty(&bb->holds))
		return;
	hlist_del(&bb->node);
	kfree(bb);
}

static void bucket_own(struct strata_bind_bucket *bb, struct sock *sk, bool autoport)
{
	struct strata_sock *ep = strata_sk(sk);

	hlist_add_head(&ep->bind_node, &bb->owners);
	ep->bind = bb;
	ep->port_auto = autoport;
	if (!autoport)
		bb->bound++;
}

static bool addrs_meet(__be32 a, __be32 b)
{
	return a == b || !a || !b;
}

static bool devs_meet(int a, int b)
{
	return a == b || !a || !b;
}

/* may @sk, which comes, share by SO_REUSEPORT? */
static bool joins(const struct sock *sk)
{
	return sk->sk_reuseport && !rcu_access_pointer(sk->sk_reuseport_cb);
}

static bool owner_conflict(const struct sock *sk, const struct sock *other, bool relax)
{
	if (!devs_meet(READ_ONCE(sk->sk_bound_dev_if), READ_ONCE(other->sk_bound_dev_if)) ||
	    !addrs_meet(strata_sk(sk)->laddr, READ_ONCE(strata_sk(other)->laddr)))
		return false;
	if (!relax)
		return true;
	if (sk->sk_reuse && other->sk_reuse && READ_ONCE(other->sk_state) != TCP_LISTEN)
		return false;
	return !(joins(sk) && other->sk_reuseport && uid_eq(sk->sk_uid, other->sk_uid));
}

static bool hold_conflict(const struct sock *sk, const struct strata_bind_hold *hold, bool relax)
{
	if (!devs_meet(READ_ONCE(sk->sk_bound_dev_if), hold->oif) ||
	    !addrs_meet(strata_sk(sk)->laddr, hold->laddr))
		return false;
	if (!relax)
		return true;
	return !(sk->sk_reuse && hold->reuse) && !(joins(sk) && hold->reuseport);
}

static bool bucket_conflict(const struct strata_bind_bucket *bb, const struct sock *sk, bool relax)
{
	const struct strata_bind_hold *hold;
	const struct strata_sock *other;

	hlist_for_each_entry(other, &bb->owners, bind_node)
		if (&other->sk != sk && owner_conflict(sk, &other->sk, relax))
			return true;
	hlist_for_each_entry(hold, &bb->holds, node)
		if (hold_conflict(sk, hold, relax))
			return true;
	return false;
}

/* into the port's bucket, unless somebody is there. @by_hand: by bind(), else by connect() */
static int port_enter(struct sock *sk, u16 port, bool by_hand, bool relax)
{
	struct strata_sock *ep = strata_sk(sk);
	struct net *net = sock_net(sk);
	struct strata_bind_chain *chain = bind_chain(net, ep->proto, port);
	struct strata_bind_bucket *bb;
	int err = 0;

	spin_lock_bh(&chain->lock);
	bb = bucket_find(chain, net, ep->proto, port);
	if (bb && (by_hand ? bucket_conflict(bb, sk, relax) : bb->bound)) {
		err = -EADDRINUSE;
		goto out;
	}
	if (!bb)
		bb = bucket_new(chain, net, ep->proto, port);
	if (!bb) {
		err = -ENOMEM;
		goto out;
	}
	bucket_own(bb, sk, !by_hand);
	ep->lport = htons(port);
out:
	spin_unlock_bh(&chain->lock);
	return err;
}

int strata_port_take(struct sock *sk, u16 port, bool relax)
{
	return port_enter(sk, port, true, relax);
}

int strata_port_take_auto(struct sock *sk, u16 port)
{
	return port_enter(sk, port, false, false);
}

int strata_port_bind(struct sock *sk, u16 port)
{
	if (!port)
		return strata_port_bind_any(sk);
	return strata_port_take(sk, port, true);
}

int strata_port_listen_check(struct sock *sk)
{
	struct strata_bind_bucket *bb = strata_sk(sk)->bind;
	struct strata_bind_chain *chain;
	int err;

	if (!bb)
		return -EINVAL;
	chain = bind_chain(bb->net, bb->proto, bb->port);
	spin_lock_bh(&chain->lock);
	err = bucket_conflict(bb, sk, true) ? -EADDRINUSE : 0;
	spin_unlock_bh(&chain->lock);
	return err;
}

void strata_port_put(struct sock *sk)
{
	struct strata_sock *ep = strata_sk(sk);
	struct strata_bind_bucket *bb = ep->bind;
	struct strata_bind_chain *chain;

	if (bb) {
		chain = bind_chain(bb->net, bb->proto, bb->port);
		spin_lock_bh(&chain->lock);
		hlist_del_init(&ep->bind_node);
		ep->bind = NULL;
		if (!ep->port_auto)
			bb->bound--;
		bucket_free_if_idle(bb);
		spin_unlock_bh(&chain->lock);
	}
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		ep->lport = 0;
}

int strata_port_inherit(const struct sock *parent, struct sock *child)
{
	struct strata_sock *ep = strata_sk(child);
	u16 port = ntohs(ep->lport);
	struct net *net = sock_net(parent);
	struct strata_bind_chain *chain = bind_chain(net, ep->proto, port);
	struct strata_bind_bucket *bb;

	INIT_HLIST_NODE(&ep->bind_node);
	ep->bind = NULL;
	spin_lock_bh(&chain->lock);
	bb = bucket_find(chain, net, ep->proto, port);
	if (!bb)
		bb = bucket_new(chain, net, ep->proto, port);
	if (bb)
		bucket_own(bb, child, false);
	spin_unlock_bh(&chain->lock);
	return bb ? 0 : -ENOMEM;
}

static struct strata_bind_hold *hold_find(struct strata_bind_bucket *bb, const struct sock *sk)
{
	const struct strata_sock *ep = strata_sk(sk);
	struct strata_bind_hold *hold;

	hlist_for_each_entry(hold, &bb->holds, node)
		if (hold->laddr == ep->laddr && hold->oif == sk->sk_bound_dev_if &&
		    hold->reuse == !!sk->sk_reuse && hold->reuseport == sk->sk_reuseport &&
		    hold->autoport == ep->port_auto)
			return hold;
	return NULL;
}

static struct strata_bind_hold *hold_new(struct strata_bind_bucket *bb, const struct sock *sk)
{
	const struct strata_sock *ep = strata_sk(sk);
	struct strata_bind_hold *hold = kzalloc(sizeof(*hold), GFP_ATOMIC);

	if (!hold)
		return NULL;
	hold->bucket = bb;
	hold->laddr = ep->laddr;
	hold->oif = sk->sk_bound_dev_if;
	hold->reuse = !!sk->sk_reuse;
	hold->reuseport = sk->sk_reuseport;
	hold->autoport = ep->port_auto;
	hlist_add_head(&hold->node, &bb->holds);
	if (!hold->autoport)
		bb->bound++;
	return hold;
}

struct strata_bind_hold *strata_port_hold(struct sock *sk)
{
	struct strata_bind_bucket *bb = strata_sk(sk)->bind;
	struct strata_bind_hold *hold;
	struct strata_bind_chain *chain;

	if (!bb)
		return NULL;
	chain = bind_chain(bb->net, bb->proto, bb->port);
	spin_lock_bh(&chain->lock);
	hold = hold_find(bb, sk);
	if (!hold)
		hold = hold_new(bb, sk);
	if (hold)
		hold->count++;
	spin_unlock_bh(&chain->lock);
	return hold;
}

void strata_port_release(struct strata_bind_hold *hold)
{
	struct strata_bind_bucket *bb;
	struct strata_bind_chain *chain;

	if (!hold)
		return;
	bb = hold->bucket;
	chain = bind_chain(bb->net, bb->proto, bb->port);
	spin_lock_bh(&chain->lock);
	if (!--hold->count) {
		hlist_del(&hold->node);
		if (!hold->autoport)
			bb->bound--;
		kfree(hold);
		bucket_free_if_idle(bb);
	}
	spin_unlock_bh(&chain->lock);
}
