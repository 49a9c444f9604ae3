// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cookies that servers gave us (RFC 7413 4.1.3): by the addresses of both, as the server made
 * the cookie for ours. With each the server's MSS, so that the data on a SYN fits its segments
 * (4.1.3), whether it answers only the experimental option, and how often in a row a
 * SYN with data was lost: after two Fast Open rests on that path, for two minutes at first,
 * twice as long with every further loss (4.1.3.1).
 *
 * A chain that is full gives its oldest entry to the newcomer: nothing grows, no timer runs,
 * nobody but the namespace's end frees.
 *
 * locking: strata_fastopen_net.lock, BH off. Only opens with Fast Open come here.
 */

#include <linux/jhash.h>
#include <linux/slab.h>
#include "tcp_int.h"

#define CHAIN_MAX	16		/* entries; with STRATA_FASTOPEN_CHAINS 1024 in all */
#define LOSSES		2		/* in a row: rest */
#define REST		(60 * HZ)	/* jiffies, doubled by each loss */
#define REST_SHIFT_MAX	10

/* @mss: bytes, 0: not known; @try_exp: as in learn(); @lost: in a row; @lost_at, @used: jiffies */
struct fastopen_entry {
	struct hlist_node	node;
	__be32			laddr;
	__be32			raddr;
	struct strata_tcp_cookie cookie;
	u16			mss;
	u8			try_exp;
	u8			lost;
	unsigned long		lost_at;
	unsigned long		used;
};

static struct hlist_head *cache_chain(struct strata_net *sn, __be32 laddr, __be32 raddr)
{
	u32 hash = jhash_2words((__force u32)laddr, (__force u32)raddr, sn->key);

	return &sn->tfo.chain[hash % STRATA_FASTOPEN_CHAINS];
}

/* lock held; *@victim: NULL if the chain has room, else its oldest entry */
static struct fastopen_entry *cache_find(struct hlist_head *chain, __be32 laddr, __be32 raddr,
					 struct fastopen_entry **victim)
{
	struct fastopen_entry *e, *oldest = NULL;
	int n = 0;

	hlist_for_each_entry(e, chain, node) {
		if (e->laddr == laddr && e->raddr == raddr)
			return e;
		if (!oldest || time_before(e->used, oldest->used))
			oldest = e;
		n++;
	}
	*victim = n < CHAIN_MAX ? NULL : oldest;
	return NULL;
}

/* lock held; NULL: no memory */
static struct fastopen_entry *cache_enter(struct strata_net *sn, __be32 laddr, __be32 raddr)
{
	struct hlist_head *chain = cache_chain(sn, laddr, raddr);
	struct fastopen_entry *e, *victim;

	e = cache_find(chain, laddr, raddr, &victim);
	if (e)
		return e;
	if (victim) {
		hlist_del(&victim->node);
		memset(victim, 0, sizeof(*victim));
		e = victim;
	} else {
		e = kzalloc(sizeof(*e), GFP_ATOMIC | __GFP_NOWARN);
		if (!e)
			return NULL;
	}
	e->laddr = laddr;
	e->raddr = raddr;
	hlist_add_head(&e->node, chain);
	return e;
}

static bool resting(const struct fastopen_entry *e)
{
	return e->lost >= LOSSES &&
	       time_before(jiffies, e->lost_at + (REST << min_t(u8, e->lost - 1,
								REST_SHIFT_MAX)));
}

bool strata_tcp_fastopen_recall(struct strata_net *sn, __be32 laddr, __be32 raddr, u32 *mss,
				struct strata_tcp_cookie *c)
{
	struct fastopen_entry *e, *victim;
	bool ok = true;

	memset(c, 0, sizeof(*c));
	spin_lock_bh(&sn->tfo.lock);
	e = cache_find(cache_chain(sn, laddr, raddr), laddr, raddr, &victim);
	if (e) {
		*c = e->cookie;
		if (e->mss)
			*mss = e->mss;
		if (c->len <= 0 && e->try_exp == 1)
			c->exp = true;
		ok = !resting(e);
		e->used = jiffies;
	}
	spin_unlock_bh(&sn->tfo.lock);
	return ok;
}

void strata_tcp_fastopen_learn(struct strata_net *sn, __be32 laddr, __be32 raddr, u16 mss,
			       const struct strata_tcp_cookie *c, bool lost, u8 try_exp)
{
	struct fastopen_entry *e;

	spin_lock_bh(&sn->tfo.lock);
	e = cache_enter(sn, laddr, raddr);
	if (e) {
		e->used = jiffies;
		e->mss = mss;
		if (c->len > 0)
			e->cookie = *c;
		else if (try_exp > e->try_exp && e->cookie.len <= 0 && !e->cookie.exp)
			e->try_exp = try_exp;
		if (lost) {
			e->lost = min(e->lost + 1, U8_MAX);
			e->lost_at = jiffies;
		} else {
			e->lost = 0;
		}
	}
	spin_unlock_bh(&sn->tfo.lock);
}

void strata_tcp_fastopen_cache_init(struct strata_net *sn)
{
	spin_lock_init(&sn->tfo.lock);
}

void strata_tcp_fastopen_cache_exit(struct strata_net *sn)
{
	struct fastopen_entry *e;
	struct hlist_node *next;
	int i;

	for (i = 0; i < STRATA_FASTOPEN_CHAINS; i++)
		hlist_for_each_entry_safe(e, next, &sn->tfo.chain[i], node)
			kfree(e);
}
