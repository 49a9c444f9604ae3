// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sockets that socket(2) has made. The tables of the protocols have a socket only when it
 * listens, is connected or has a port that datagrams may be for; /proc/net/strata/sockets shows
 * the others, too, and finds them here.
 *
 * A socket is on the list from socket(2) to close(), be it in a table or not, so that binding and
 * connecting cost nothing. What accept() gives is not: it comes from a table. The list is one of
 * chains by the socket's address, each with its lock: who makes sockets on one CPU seldom meets
 * who does on another.
 *
 * A socket is linked by sk_bind_node, which the kernel has for its own local ports and nobody
 * else looks at.
 *
 * locking: the chain's lock; process context only. A socket on the list is its descriptor's, which
 * has a reference: under the lock another one may be taken.
 */

#include <linux/hash.h>
#include "socklist.h"

#define LIST_BITS	10
#define LIST_CHAINS	BIT(LIST_BITS)
#define LIST_POS_SHIFT	(BITS_PER_LONG - 2 - LIST_BITS)	/* chain, then place in it */

static struct list_chain {
	spinlock_t		lock;	/* see above */
	struct hlist_head	head;
} list_chains[LIST_CHAINS];

static struct list_chain *chain_of(const struct sock *sk)
{
	return &list_chains[hash_ptr(sk, LIST_BITS)];
}

void strata_sock_list_init(void)
{
	unsigned int i;

	for (i = 0; i < LIST_CHAINS; i++) {
		spin_lock_init(&list_chains[i].lock);
		INIT_HLIST_HEAD(&list_chains[i].head);
	}
}

void strata_sock_list_add(struct sock *sk)
{
	struct list_chain *chain = chain_of(sk);

	spin_lock(&chain->lock);
	hlist_add_head(&sk->sk_bind_node, &chain->head);
	spin_unlock(&chain->lock);
}

void strata_sock_list_del(struct sock *sk)
{
	struct list_chain *chain = chain_of(sk);

	/* only its descriptor adds it and takes it off */
	if (hlist_unhashed_lockless(&sk->sk_bind_node))
		return;
	spin_lock(&chain->lock);
	hlist_del_init(&sk->sk_bind_node);
	spin_unlock(&chain->lock);
}

/* the socket at or behind place *@place of a chain, counted */
static struct sock *chain_next(struct list_chain *chain, const struct strata_net *sn, long *place,
			       bool (*want)(const struct sock *sk))
{
	long first = *place, n = 0;
	struct sock *sk;

	if (hlist_empty(&chain->head))
		return NULL;
	spin_lock(&chain->lock);
	hlist_for_each_entry(sk, &chain->head, sk_bind_node) {
		if (!net_eq(sock_net(sk), sn->net) || n++ < first || !want(sk))
			continue;
		sock_hold(sk);
		*place = n - 1;
		break;
	}
	spin_unlock(&chain->lock);
	return sk;
}

struct sock *strata_sock_list_next(const struct strata_net *sn, long *pos,
				   bool (*want)(const struct sock *sk))
{
	long slot = *pos >> LIST_POS_SHIFT, place = *pos & (BIT(LIST_POS_SHIFT) - 1);
	struct sock *sk;

	for (; slot < LIST_CHAINS; slot++, place = 0) {
		sk = chain_next(&list_chains[slot], sn, &place, want);
		*pos = slot << LIST_POS_SHIFT | place;
		if (sk)
			return sk;
	}
	*pos = slot << LIST_POS_SHIFT;
	return NULL;
}
