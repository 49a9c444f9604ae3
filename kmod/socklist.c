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

/* the socket of a chain with the lowest address that is not below @from, counted */
static struct sock *chain_next(struct list_chain *chain, const struct strata_net *sn,
			       unsigned long from, bool (*want)(const struct sock *sk))
{
	struct sock *sk, *lowest = NULL;

	if (hlist_empty(&chain->head))
		return NULL;
	spin_lock(&chain->lock);
	hlist_for_each_entry(sk, &chain->head, sk_bind_node)
		if (net_eq(sock_net(sk), sn->net) && (unsigned long)sk >= from &&
		    (!lowest || sk < lowest) && want(sk))
			lowest = sk;
	if (lowest)
		sock_hold(lowest);
	spin_unlock(&chain->lock);
	return lowest;
}

/*
 * A position is the number of a chain, none of whose sockets has been seen, or the address of a
 * socket, or one more: who comes and goes moves nobody else
 */
struct sock *strata_sock_list_next(const struct strata_net *sn, long *pos,
				   bool (*want)(const struct sock *sk))
{
	unsigned long slot = *pos, from = 0;
	struct sock *sk;

	if (slot >= PAGE_SIZE) {
		from = slot;
		slot = chain_of((void *)(from & ~7UL)) - list_chains;
	}
	for (; slot < LIST_CHAINS; slot++, from = 0) {
		sk = chain_next(&list_chains[slot], sn, from, want);
		if (sk) {
			*pos = (long)sk;
			return sk;
		}
	}
	*pos = LIST_CHAINS;
	return NULL;
}
