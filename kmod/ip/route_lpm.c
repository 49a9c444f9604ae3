// SPDX-License-Identifier: GPL-2.0-only
/*
 * Longest-prefix match (RFC 1812 5.2.4.3) in a binary trie with path
 * compression. A node stands for a prefix; below it hang the longer prefixes
 * that begin with it, parted by the next bit. A node without an entry exists
 * only where two subtrees part ("glue"), so n prefixes need fewer than 2n nodes
 * and a lookup visits at most 33 of them.
 *
 *	0.0.0.0/0
 *	  |0
 *	10.0.0.0/8
 *	  |0                |1
 *	10.0.0.0/16       10.128.0.0/9
 *
 * Readers walk under RCU while one writer changes the trie: a new node is
 * complete before rcu_assign_pointer() makes it visible, and a node taken out
 * keeps its children for those who still stand on it. A reader sees the trie
 * before or after a change, never a part of it.
 */

#include <linux/kernel.h>
#include <linux/bitops.h>
#include "route_lpm.h"

#define LPM_BITS	32

/* the writer reads with the same call as readers: nobody else writes */
#define lpm_deref(p)	rcu_dereference_check(p, 1)

/* bit @n of @key, counted from the left; @n < 32 */
static int lpm_bit(u32 key, u8 n)
{
	return key >> (LPM_BITS - 1 - n) & 1;
}

/* how many leading bits both have in common, at most @max */
static u8 lpm_common(u32 a, u32 b, u8 max)
{
	u32 diff = (a ^ b) & strata_lpm_mask(max);

	return diff ? LPM_BITS - fls(diff) : max;
}

static bool lpm_holds(const struct strata_lpm_node *n, u32 addr)
{
	return !((n->key ^ addr) & strata_lpm_mask(n->plen));
}

struct strata_lpm_node *strata_lpm_lookup_rcu(const struct strata_lpm *lpm, u32 addr, int max_plen)
{
	struct strata_lpm_node *best = NULL;
	struct strata_lpm_node *n = lpm_deref(lpm->root);

	while (n && n->plen <= max_plen && lpm_holds(n, addr)) {
		if (!READ_ONCE(n->glue))
			best = n;
		if (n->plen == LPM_BITS)
			break;
		n = lpm_deref(n->child[lpm_bit(addr, n->plen)]);
	}
	return best;
}

struct strata_lpm_node *strata_lpm_find_rcu(const struct strata_lpm *lpm, u32 key, u8 plen)
{
	struct strata_lpm_node *n = strata_lpm_lookup_rcu(lpm, key, plen);

	return n && n->plen == plen ? n : NULL;
}

struct strata_lpm_node *strata_lpm_insert(struct strata_lpm *lpm, struct strata_lpm_node *node,
					  struct strata_lpm_node *spare)
{
	struct strata_lpm_node __rcu **slot = &lpm->root;
	struct strata_lpm_node *n;
	u8 common = 0;

	node->glue = false;
	RCU_INIT_POINTER(node->child[0], NULL);
	RCU_INIT_POINTER(node->child[1], NULL);
	while ((n = lpm_deref(*slot))) {
		common = lpm_common(n->key, node->key, min(n->plen, node->plen));
		if (common < n->plen || n->plen == node->plen)
			break;
		slot = &n->child[lpm_bit(node->key, n->plen)];
	}
	if (!n) {
		rcu_assign_pointer(*slot, node);
		return spare;
	}
	if (n->plen == node->plen && common == n->plen) {
		/* n is glue, by contract: the entry takes its place */
		RCU_INIT_POINTER(node->child[0], lpm_deref(n->child[0]));
		RCU_INIT_POINTER(node->child[1], lpm_deref(n->child[1]));
		rcu_assign_pointer(*slot, node);
		return n;
	}
	if (common == node->plen) {
		RCU_INIT_POINTER(node->child[lpm_bit(n->key, common)], n);
		rcu_assign_pointer(*slot, node);
		return spare;
	}
	spare->key = node->key & strata_lpm_mask(common);
	spare->plen = common;
	spare->glue = true;
	RCU_INIT_POINTER(spare->child[lpm_bit(n->key, common)], n);
	RCU_INIT_POINTER(spare->child[lpm_bit(node->key, common)], node);
	rcu_assign_pointer(*slot, spare);
	return NULL;
}

void strata_lpm_remove(struct strata_lpm *lpm, struct strata_lpm_node *node,
		       struct strata_lpm_node *freed[2])
{
	struct strata_lpm_node __rcu **slot = &lpm->root, **above = NULL;
	struct strata_lpm_node *parent = NULL, *n, *child;

	freed[0] = NULL;
	freed[1] = NULL;
	while ((n = lpm_deref(*slot)) && n != node) {
		parent = n;
		above = slot;
		slot = &n->child[lpm_bit(node->key, n->plen)];
	}
	if (!n)
		return;
	if (rcu_access_pointer(n->child[0]) && rcu_access_pointer(n->child[1])) {
		WRITE_ONCE(n->glue, true);
		return;
	}
	child = lpm_deref(n->child[0]) ?: lpm_deref(n->child[1]);
	rcu_assign_pointer(*slot, child);
	freed[0] = n;
	if (child || !parent || !parent->glue)
		return;
	/* the glue above has lost one of its two subtrees */
	child = lpm_deref(parent->child[0]) ?: lpm_deref(parent->child[1]);
	rcu_assign_pointer(*above, child);
	freed[1] = parent;
}

int strata_lpm_walk_from_rcu(const struct strata_lpm *lpm, u32 key, u8 plen,
			     int (*fn)(struct strata_lpm_node *node, void *arg), void *arg)
{
	/* at most one subtree waits on each level */
	struct strata_lpm_node *todo[LPM_BITS + 1];
	struct strata_lpm_node *n = lpm_deref(lpm->root), *left, *right;
	int depth = 0, ret;

	while (n) {
		left = lpm_deref(n->child[0]);
		right = lpm_deref(n->child[1]);
		if (n->key < key || (n->key == key && n->plen < plen)) {
			/* before @key: if it holds it, some of what hangs below is not */
			if (n->plen == LPM_BITS || !lpm_holds(n, key)) {
				left = NULL;
				right = NULL;
			} else if (lpm_bit(key, n->plen)) {
				left = NULL;
			}
		} else if (!READ_ONCE(n->glue)) {
			ret = fn(n, arg);
			if (ret)
				return ret;
		}
		if (left && right)
			todo[depth++] = right;
		n = left ?: right;
		if (!n && depth)
			n = todo[--depth];
	}
	return 0;
}
