// SPDX-License-Identifier: GPL-2.0-only
/* Longest-prefix match (RFC 1812 5.2.4.3): by hand, and random changes against a naive table. */
#include "unit.h"
#include "ip/route_lpm.h"

#define TABLE	600

struct entry {
	struct strata_lpm_node n;	/* first */
	bool in;
};

static int nodes;	/* allocated; what the trie does not give back shows here */

static struct strata_lpm_node *node_new(u32 key, u8 plen)
{
	struct entry *e = calloc(1, sizeof(*e));

	e->n.key = key & strata_lpm_mask(plen);
	e->n.plen = plen;
	nodes++;
	return &e->n;
}

static void node_free(struct strata_lpm_node *n)
{
	if (!n)
		return;
	nodes--;
	free(n);
}

static struct strata_lpm_node *add(struct strata_lpm *t, u32 key, u8 plen)
{
	struct strata_lpm_node *n = node_new(key, plen), *spare = node_new(0, 0), *unused;

	unused = strata_lpm_insert(t, n, spare);
	if (unused)
		node_free(spare);
	if (unused && unused != spare)
		node_free(unused);
	return n;
}

static void del(struct strata_lpm *t, struct strata_lpm_node *n)
{
	struct strata_lpm_node *freed[2];

	strata_lpm_remove(t, n, freed);
	node_free(freed[0]);
	node_free(freed[1]);
}

static int count_one(struct strata_lpm_node *n, void *arg)
{
	++*(int *)arg;
	return 0;
}

static int count(struct strata_lpm *t)
{
	int n = 0;

	strata_lpm_walk_rcu(t, count_one, &n);
	return n;
}

static int first_one(struct strata_lpm_node *n, void *arg)
{
	*(struct strata_lpm_node **)arg = n;
	return 7;
}

struct order {
	u32	key[TABLE];
	u8	plen[TABLE];
	int	n;
};

static int order_one(struct strata_lpm_node *n, void *arg)
{
	struct order *o = arg;

	o->key[o->n] = n->key;
	o->plen[o->n++] = n->plen;
	return 0;
}

/* what comes from a place on is what comes from there on in a walk of all */
static void walk_from(struct __test_metadata *_metadata, const struct strata_lpm *t, u32 key,
		      u8 plen)
{
	static struct order all, some;
	int k = 0;

	all.n = 0;
	some.n = 0;
	EXPECT_EQ(0, strata_lpm_walk_rcu(t, order_one, &all));
	EXPECT_EQ(0, strata_lpm_walk_from_rcu(t, key, plen, order_one, &some));
	while (k < all.n && (all.key[k] < key || (all.key[k] == key && all.plen[k] < plen)))
		k++;
	ASSERT_EQ(all.n - k, some.n);
	for (int i = 0; i < some.n; i++) {
		EXPECT_EQ(all.key[k + i], some.key[i]);
		EXPECT_EQ(all.plen[k + i], some.plen[i]);
	}
}

TEST(empty)
{
	struct strata_lpm t = {};

	EXPECT_EQ(NULL, strata_lpm_lookup_rcu(&t, 0x0a000001, 32));
	EXPECT_EQ(NULL, strata_lpm_find_rcu(&t, 0, 0));
	EXPECT_EQ(0, count(&t));
}

TEST(by_hand)
{
	struct strata_lpm t = {};
	struct strata_lpm_node *def, *net8, *net16, *host, *first;

	nodes = 0;
	net16 = add(&t, 0x0a010000, 16);
	host = add(&t, 0x0a010203, 32);
	def = add(&t, 0, 0);
	net8 = add(&t, 0x0a000000, 8);
	EXPECT_EQ(host, strata_lpm_lookup_rcu(&t, 0x0a010203, 32));
	EXPECT_EQ(net16, strata_lpm_lookup_rcu(&t, 0x0a010203, 31));
	EXPECT_EQ(net16, strata_lpm_lookup_rcu(&t, 0x0a010204, 32));
	EXPECT_EQ(net8, strata_lpm_lookup_rcu(&t, 0x0a010203, 15));
	EXPECT_EQ(net8, strata_lpm_lookup_rcu(&t, 0x0aff0000, 32));
	EXPECT_EQ(def, strata_lpm_lookup_rcu(&t, 0x0b000000, 32));
	EXPECT_EQ(def, strata_lpm_lookup_rcu(&t, 0xffffffff, 32));
	EXPECT_EQ(def, strata_lpm_lookup_rcu(&t, 0x0a010203, 0));
	EXPECT_EQ(net8, strata_lpm_find_rcu(&t, 0x0a000000, 8));
	EXPECT_EQ(NULL, strata_lpm_find_rcu(&t, 0x0a000000, 9));
	EXPECT_EQ(7, strata_lpm_walk_rcu(&t, first_one, &first));
	EXPECT_EQ(def, first);
	EXPECT_EQ(7, strata_lpm_walk_from_rcu(&t, 0x0a000000, 9, first_one, &first));
	EXPECT_EQ(net16, first);
	EXPECT_EQ(7, strata_lpm_walk_from_rcu(&t, 0x0a010000, 16, first_one, &first));
	EXPECT_EQ(net16, first);
	EXPECT_EQ(7, strata_lpm_walk_from_rcu(&t, 0x0a010000, 33, first_one, &first));
	EXPECT_EQ(host, first);
	EXPECT_EQ(0, strata_lpm_walk_from_rcu(&t, 0x0a010203, 33, first_one, &first));
	EXPECT_EQ(0, strata_lpm_walk_from_rcu(&t, ~0U, 33, first_one, &first));
	del(&t, def);
	EXPECT_EQ(NULL, strata_lpm_lookup_rcu(&t, 0x0b000000, 32));
	del(&t, net8);
	del(&t, net16);
	EXPECT_EQ(host, strata_lpm_lookup_rcu(&t, 0x0a010203, 32));
	EXPECT_EQ(NULL, strata_lpm_lookup_rcu(&t, 0x0a010204, 32));
	del(&t, host);
	EXPECT_EQ(NULL, t.root);
	EXPECT_EQ(0, nodes);
}

/* where glue stands, an entry takes its place; where an entry with two subtrees goes, glue stays */
TEST(glue)
{
	struct strata_lpm t = {};
	struct strata_lpm_node *a, *b, *mid;

	nodes = 0;
	a = add(&t, 0xc0000000, 24);
	b = add(&t, 0xc0000100, 24);
	EXPECT_EQ(3, nodes);
	EXPECT_EQ(NULL, strata_lpm_lookup_rcu(&t, 0xc0000201, 32));
	mid = add(&t, 0xc0000000, 23);
	EXPECT_EQ(3, nodes);
	EXPECT_EQ(mid, strata_lpm_lookup_rcu(&t, 0xc0000101, 23));
	del(&t, mid);
	EXPECT_EQ(3, nodes);
	EXPECT_EQ(NULL, strata_lpm_find_rcu(&t, 0xc0000000, 23));
	EXPECT_EQ(2, count(&t));
	del(&t, a);
	EXPECT_EQ(1, nodes);
	EXPECT_EQ(b, strata_lpm_lookup_rcu(&t, 0xc0000101, 32));
	del(&t, b);
	EXPECT_EQ(0, nodes);
}

static struct strata_lpm_node *naive(struct strata_lpm_node **table, int n, u32 addr, int max)
{
	struct strata_lpm_node *best = NULL;
	int i;

	for (i = 0; i < n; i++)
		if (table[i]->plen <= max &&
		    !((table[i]->key ^ addr) & strata_lpm_mask(table[i]->plen)) &&
		    (!best || table[i]->plen > best->plen))
			best = table[i];
	return best;
}

/* prefixes crowd in a few networks, so that they nest and part at every depth */
static u32 crowded(void)
{
	return unit_rnd() & (unit_below(2) ? 0xc00000ff : unit_below(2) ? 0x8000ffff : ~0U);
}

static void churn(struct __test_metadata *_metadata, u64 seed)
{
	static struct strata_lpm_node *table[TABLE];
	struct strata_lpm t = {};
	int n = 0, i, step;
	u32 key;
	u8 plen;

	nodes = 0;
	unit_seed(seed);
	for (step = 0; step < 20000; step++) {
		key = crowded();
		plen = unit_below(33);
		key &= strata_lpm_mask(plen);
		if (n < TABLE && unit_below(100) < (step / 4000 % 2 ? 30 : 70)) {
			if (!strata_lpm_find_rcu(&t, key, plen))
				table[n++] = add(&t, key, plen);
		} else if (n) {
			i = unit_below(n);
			del(&t, table[i]);
			table[i] = table[--n];
		}
		for (i = 0; i < 4; i++) {
			u32 addr = n && i ? table[unit_below(n)]->key ^ unit_below(4) : crowded();
			int max = i & 1 ? 32 : (int)unit_below(33);

			ASSERT_EQ(naive(table, n, addr, max),
				  strata_lpm_lookup_rcu(&t, addr, max));
		}
		if (step % 64 == 0) {
			ASSERT_EQ(n, count(&t));
			walk_from(_metadata, &t, crowded(), unit_below(34));
			if (n) {
				i = unit_below(n);
				walk_from(_metadata, &t, table[i]->key, table[i]->plen);
				walk_from(_metadata, &t, table[i]->key, table[i]->plen + 1);
			}
		}
		ASSERT_LE(nodes, n ? 2 * n - 1 : 0);
	}
	while (n)
		del(&t, table[--n]);
	EXPECT_EQ(NULL, t.root);
	EXPECT_EQ(0, nodes);
}

TEST(random_changes)
{
	u64 seed;

	for (seed = 1; seed <= 10; seed++)
		churn(_metadata, seed);
}

TEST_HARNESS_MAIN
