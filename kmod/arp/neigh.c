// SPDX-License-Identifier: GPL-2.0-only
/*
 * The neighbour cache of a namespace: which link address has a next hop? A hash
 * table by device and IPv4 address, read under RCU, written under its lock. What
 * becomes of an entry is in neigh_state.c, how entries go in neigh_gc.c.
 *
 * An entry is made when a path needs it, or when a host on the link asks for one of
 * our addresses (RFC 826: it will want our answer's answer). Addresses whose link
 * address is known by rule need no ARP: multicast (RFC 1112 6.4), broadcast, and all
 * on a device that has headers but says IFF_NOARP.
 *
 * References: the table's one, one while the timer is pending, one per holder.
 * Holders may keep an entry after its removal (n->dead); sending through it then
 * finds its successor.
 */

#include <linux/etherdevice.h>
#include <linux/jhash.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ip.h>
#include "neigh_int.h"
#include "stats.h"

#define NEIGH_BUCKETS	BIT(STRATA_NEIGH_HASH_BITS)
#define NEIGH_POS_SHIFT	16	/* walk position: bucket above, index in it below */

static struct hlist_head *nb_bucket(const struct strata_dev *ifp, __be32 addr)
{
	struct strata_net *sn = ifp->sn;
	u32 h = jhash_2words((__force u32)addr, ifp->ifindex, sn->key);

	return &sn->neigh.hash[h & (NEIGH_BUCKETS - 1)];
}

void strata_neigh_put(struct strata_neigh *n)
{
	if (n && refcount_dec_and_test(&n->ref)) {
		strata_dev_put(n->ifp);
		kfree_rcu(n, rcu);
	}
}

static struct strata_neigh *nb_lookup(struct strata_dev *ifp, __be32 addr)
{
	struct strata_neigh *n;

	hlist_for_each_entry_rcu(n, nb_bucket(ifp, addr), hash,
				 lockdep_is_held(&ifp->sn->neigh.lock))
		if (n->addr == addr && n->ifp == ifp)
			return n;
	return NULL;
}

struct strata_neigh *strata_neigh_find(struct strata_dev *ifp, __be32 addr)
{
	struct strata_neigh *n;

	rcu_read_lock();
	n = nb_lookup(ifp, addr);
	if (n && !refcount_inc_not_zero(&n->ref))
		n = NULL;
	rcu_read_unlock();
	return n;
}

/* what needs no ARP; n->lock, RCU */
static void nb_map(struct strata_neigh *n, const struct net_device *dev)
{
	u8 ha[MAX_ADDR_LEN] = {};
	const u8 *map = NULL;

	if (ipv4_is_multicast(n->addr)) {
		ip_eth_mc_map(n->addr, ha);
		map = ha;
	} else if (strata_addr_type_rcu(n->ifp->sn, n->ifp, n->addr) == STRATA_ADDR_BROADCAST ||
		   dev->flags & IFF_POINTOPOINT) {
		map = dev->broadcast;
	} else if (dev->flags & IFF_NOARP) {
		map = dev->dev_addr;
	}
	if (!map)
		return;
	strata_neigh_set_ha(n, dev, map);
	n->mapped = true;
	n->state = NUD_NOARP;
}

static struct strata_neigh *nb_alloc(struct strata_dev *ifp, __be32 addr, gfp_t gfp)
{
	struct strata_neigh *n = kzalloc(sizeof(*n), gfp);
	unsigned long now = jiffies;

	if (!n)
		return NULL;
	n->ifp = strata_dev_get(ifp);
	n->addr = addr;
	n->state = NUD_NONE;
	n->used = now;
	n->updated = now;
	n->confirmed = now;
	spin_lock_init(&n->lock);
	seqcount_spinlock_init(&n->ha_seq, &n->lock);
	__skb_queue_head_init(&n->queue);
	timer_setup(&n->timer, strata_neigh_timer, 0);
	refcount_set(&n->ref, 2);	/* the table's and the caller's */
	return n;
}

/* put a new entry into the table, or find that another CPU was faster */
static struct strata_neigh *nb_create(struct strata_dev *ifp, __be32 addr, gfp_t gfp)
{
	struct strata_net *sn = ifp->sn;
	struct strata_neigh *n, *old;
	const struct net_device *dev;

	if (!strata_neigh_make_room(sn)) {
		strata_inc(sn, ARP_TABLEFULL);
		return ERR_PTR(-ENOSPC);
	}
	n = nb_alloc(ifp, addr, gfp);
	if (!n)
		return ERR_PTR(-ENOMEM);

	spin_lock_bh(&sn->neigh.lock);
	/* cleared before the entries of a device are removed, so none is added after */
	rcu_read_lock();
	dev = rcu_dereference(ifp->dev);
	old = dev ? nb_lookup(ifp, addr) : NULL;
	if (old)
		refcount_inc(&old->ref);	/* the table has one: not zero */
	if (dev && !old) {
		spin_lock(&n->lock);
		nb_map(n, dev);
		spin_unlock(&n->lock);
		atomic_inc(&sn->neigh.count);
		hlist_add_head_rcu(&n->hash, nb_bucket(ifp, addr));
	}
	rcu_read_unlock();
	spin_unlock_bh(&sn->neigh.lock);

	if (dev && !old) {
		strata_neigh_gc_kick(sn);
		return n;
	}
	strata_dev_put(n->ifp);
	kfree(n);
	return old ?: ERR_PTR(-ENODEV);
}

struct strata_neigh *strata_neigh_get(struct strata_dev *ifp, __be32 addr)
{
	struct strata_neigh *n = strata_neigh_find(ifp, addr);

	n = n ?: nb_create(ifp, addr, GFP_ATOMIC);
	return IS_ERR(n) ? NULL : n;
}

/* ---- by hand ---- */

/* why nb_create() has made none; errno as native */
static int nb_no_entry(long why, struct netlink_ext_ack *extack)
{
	switch (why) {
	case -ENODEV:
		NL_SET_ERR_MSG(extack, "strata: the device is going away");
		return -ENODEV;
	case -ENOSPC:
		NL_SET_ERR_MSG(extack, "strata: the neighbour table is full");
		return -ENOBUFS;
	default:
		NL_SET_ERR_MSG(extack, "strata: no memory for a neighbour");
		return -ENOBUFS;
	}
}

static int nb_set_check(const struct strata_neigh *n, const u8 *lladdr, u8 state,
			struct netlink_ext_ack *extack)
{
	if (state & NUD_VALID && !lladdr && !(n->state & NUD_VALID)) {
		NL_SET_ERR_MSG(extack, "strata: this state needs a link address");
		return -EINVAL;
	}
	if (n->mapped) {
		NL_SET_ERR_MSG(extack, "strata: this link address is a given one");
		return -EINVAL;
	}
	return 0;
}

static int nb_change(struct strata_neigh *n, const u8 *lladdr, u8 state, u8 flags,
		     struct netlink_ext_ack *extack)
{
	const struct net_device *dev;
	struct neigh_todo todo;
	int err;

	strata_neigh_todo_init(&todo);
	spin_lock_bh(&n->lock);
	rcu_read_lock();
	dev = rcu_dereference(n->ifp->dev);
	err = n->dead || !dev ? -ENODEV : nb_set_check(n, lladdr, state, extack);
	if (err)
		goto out;
	if (lladdr)
		strata_neigh_set_ha(n, dev, lladdr);
	strata_neigh_set_flags(n, flags & NTF_EXT_LEARNED);
	if (state == NUD_INCOMPLETE || flags & NTF_USE)
		strata_neigh_use(n, &todo);
	else
		strata_neigh_enter(n, state, &todo);
	WRITE_ONCE(n->updated, jiffies);
	todo.notify = RTM_NEWNEIGH;
out:
	rcu_read_unlock();
	spin_unlock_bh(&n->lock);
	strata_neigh_todo_run(n, &todo);
	return err;
}

int strata_neigh_set(struct strata_dev *ifp, __be32 addr, const u8 *lladdr, u8 state, u8 flags,
		     u16 nlflags, struct netlink_ext_ack *extack)
{
	bool created = false, known;
	struct strata_neigh *n;
	int err;

	if (!ifp->arp) {
		NL_SET_ERR_MSG(extack, "strata: the device has no link addresses");
		return -EINVAL;
	}
	n = strata_neigh_find(ifp, addr);
	/* one that a route's look-up has made, and nobody has asked for, is nothing to users yet */
	known = n && READ_ONCE(n->state) != NUD_NONE;
	if (known && nlflags & NLM_F_EXCL) {
		NL_SET_ERR_MSG(extack, "strata: the neighbour is there already");
		err = -EEXIST;
		goto out;
	}
	if (!known && !(nlflags & NLM_F_CREATE)) {
		NL_SET_ERR_MSG(extack, "strata: no such neighbour");
		err = -ENOENT;
		goto out;
	}
	if (!n) {
		n = nb_create(ifp, addr, GFP_KERNEL_ACCOUNT);
		if (IS_ERR(n))
			return nb_no_entry(PTR_ERR(n), extack);
		created = true;
	}
	/* as native: without NLM_F_REPLACE a link address that is known stays */
	if (!created && !(nlflags & NLM_F_REPLACE) && READ_ONCE(n->state) & NUD_VALID)
		lladdr = NULL;
	err = nb_change(n, lladdr, state, flags, extack);
	if (err && created)
		strata_neigh_del(ifp, addr);
out:
	strata_neigh_put(n);
	return err;
}

int strata_neigh_del(struct strata_dev *ifp, __be32 addr)
{
	struct strata_net *sn = ifp->sn;
	struct neigh_todo todo;
	struct strata_neigh *n;

	strata_neigh_todo_init(&todo);
	spin_lock_bh(&sn->neigh.lock);
	n = nb_lookup(ifp, addr);
	if (n)
		strata_neigh_unlink(n, &todo);
	spin_unlock_bh(&sn->neigh.lock);
	if (!n)
		return -ENOENT;
	strata_route_changed(sn);	/* paths ask for its successor */
	strata_neigh_todo_run(n, &todo);
	strata_neigh_put(n);
	return 0;
}

/* ---- looking ---- */

void strata_neigh_info(struct strata_neigh *n, struct strata_neigh_info *info)
{
	const struct net_device *dev;

	memset(info, 0, sizeof(*info));
	spin_lock_bh(&n->lock);
	rcu_read_lock();
	dev = rcu_dereference(n->ifp->dev);
	info->addr = n->addr;
	info->ifindex = n->ifp->ifindex;
	info->state = n->state;
	info->flags = n->flags;
	info->probes = n->probes;
	info->refcnt = refcount_read(&n->ref) - 1;
	info->used = READ_ONCE(n->used);
	info->confirmed = READ_ONCE(n->confirmed);
	info->updated = n->updated;
	if (dev && n->state & NUD_VALID) {
		info->ha_len = min_t(u8, dev->addr_len, MAX_ADDR_LEN);
		memcpy(info->ha, n->ha, info->ha_len);
	}
	rcu_read_unlock();
	spin_unlock_bh(&n->lock);
}

int strata_neigh_walk_rcu(struct strata_net *sn, long *pos,
			  int (*fn)(struct strata_neigh *n, void *arg), void *arg)
{
	unsigned long bucket = *pos >> NEIGH_POS_SHIFT;
	unsigned long skip = *pos & ((1UL << NEIGH_POS_SHIFT) - 1);
	struct strata_neigh *n;
	unsigned long i;
	int err;

	for (; bucket < NEIGH_BUCKETS; bucket++, skip = 0) {
		i = 0;
		hlist_for_each_entry_rcu(n, &sn->neigh.hash[bucket], hash) {
			if (i++ < skip)
				continue;
			err = fn(n, arg);
			if (err) {
				*pos = bucket << NEIGH_POS_SHIFT | (i - 1);
				return err;
			}
		}
	}
	*pos = bucket << NEIGH_POS_SHIFT;
	return 0;
}

/* ---- start and stop ---- */

int strata_arp_net_init(struct strata_net *sn)
{
	int i;

	spin_lock_init(&sn->neigh.lock);
	for (i = 0; i < NEIGH_BUCKETS; i++)
		INIT_HLIST_HEAD(&sn->neigh.hash[i]);
	atomic_set(&sn->neigh.count, 0);
	sn->neigh.full = jiffies - 1;
	INIT_DELAYED_WORK(&sn->neigh.gc, strata_neigh_gc_work);
	INIT_DELAYED_WORK(&sn->neigh.announce, strata_arp_announce_work);
	return 0;
}

void strata_arp_net_exit(struct strata_net *sn)
{
	/* the devices have gone, and their neighbours with them */
	cancel_delayed_work_sync(&sn->neigh.announce);
	cancel_delayed_work_sync(&sn->neigh.gc);
	WARN_ON(atomic_read(&sn->neigh.count));
}
