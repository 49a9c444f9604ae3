/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * route_lpm: a path-compressed binary trie of IPv4 prefixes. Pure: no lists, no
 * allocation, no clock; who embeds the nodes owns their memory.
 */
#ifndef _STRATA_ROUTE_LPM_H
#define _STRATA_ROUTE_LPM_H

#include <linux/types.h>
#include <linux/rcupdate.h>

/**
 * struct strata_lpm_node - a prefix, to be embedded
 * @child: subtrees whose next bit behind the prefix is 0 or 1
 * @key: the prefix in host order, bits behind @plen are 0
 * @plen: bits, 0..32
 * @glue: stands only where two subtrees part; no entry of its own
 */
struct strata_lpm_node {
	struct strata_lpm_node __rcu	*child[2];
	u32				key;
	u8				plen;
	bool				glue;
};

/** struct strata_lpm - the trie; one writer at a time, RCU readers */
struct strata_lpm {
	struct strata_lpm_node __rcu	*root;
};

/** strata_lpm_mask() - the first @plen bits of an address */
static inline u32 strata_lpm_mask(u8 plen)
{
	return plen ? ~0U << (32 - plen) : 0;
}

/**
 * strata_lpm_lookup_rcu() - the longest prefix of @addr with at most @max_plen bits
 * NULL if there is none. RCU or the writer.
 */
struct strata_lpm_node *strata_lpm_lookup_rcu(const struct strata_lpm *lpm, u32 addr, int max_plen);

/** strata_lpm_find_rcu() - exactly @key/@plen, or NULL; RCU or the writer */
struct strata_lpm_node *strata_lpm_find_rcu(const struct strata_lpm *lpm, u32 key, u8 plen);

/**
 * strata_lpm_insert() - add a prefix
 * @node: @key and @plen set; must not be in the trie as an entry already
 * @spare: a node to stand where two subtrees part
 *
 * Returns what is not needed (any more): @spare, or the glue that @node took the place of
 * (then @spare is not used either), or NULL. Readers may still see the glue: free it after a
 * grace period. Writer.
 */
struct strata_lpm_node *strata_lpm_insert(struct strata_lpm *lpm, struct strata_lpm_node *node,
					  struct strata_lpm_node *spare);

/**
 * strata_lpm_remove() - take a prefix out
 * @freed: filled with up to two nodes that readers may see for one more grace period; the
 *	rest NULL. A node with two subtrees stays as glue and is not among them
 */
void strata_lpm_remove(struct strata_lpm *lpm, struct strata_lpm_node *node,
		       struct strata_lpm_node *freed[2]);

/**
 * strata_lpm_walk_from_rcu() - call @fn for every prefix from @key/@plen on, in the order of keys,
 * of the same key shorter ones first; @plen of more than 32: from behind all of that key
 * @fn returns nonzero to stop; that value is returned. RCU or the writer.
 */
int strata_lpm_walk_from_rcu(const struct strata_lpm *lpm, u32 key, u8 plen,
			     int (*fn)(struct strata_lpm_node *node, void *arg), void *arg);

/** strata_lpm_walk_rcu() - the same from the first on */
static inline int strata_lpm_walk_rcu(const struct strata_lpm *lpm,
				      int (*fn)(struct strata_lpm_node *node, void *arg), void *arg)
{
	return strata_lpm_walk_from_rcu(lpm, 0, 0, fn, arg);
}

#endif /* _STRATA_ROUTE_LPM_H */
