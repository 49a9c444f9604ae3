// SPDX-License-Identifier: GPL-2.0-only
/*
 * How neighbours go. Only entries that no path holds are collected:
 *
 *  - from time to time, those that failed and those not used for gc_stale;
 *  - when the table has gc_thresh entries and another one is wanted, first those
 *    that know nothing, failed or are stale, then any that has neither changed nor been
 *    used for five seconds. If none of these is there, the new entry is refused: a host that scans
 *    a network, or one that sends requests in many names, cannot make the table grow.
 *
 * Who wants an entry may hold a socket's lock in BH, and senders are told of failures
 * under the locks of their sockets. So nobody is told when room is made, and an entry
 * with waiting packets is not pushed out, whatever its age: resolution ends by itself.
 *
 * Removal of one entry: out of the hash under the table's lock, cut off from its
 * timer and its packets under its own lock, told to listeners, and the table's
 * reference dropped.
 */

#include <linux/rtnetlink.h>
#include "neigh_int.h"
#include "stats.h"

#define NEIGH_GC_PERIOD		(10 * HZ)
#define NEIGH_GC_BATCH		32		/* entries pushed out at a time */
#define NEIGH_GC_YOUNG		(5 * HZ)

void strata_neigh_unlink(struct strata_neigh *n, struct neigh_todo *todo)
{
	lockdep_assert_held(&n->ifp->sn->neigh.lock);
	hlist_del_rcu(&n->hash);
	spin_lock(&n->lock);
	strata_neigh_kill(n, todo);
	spin_unlock(&n->lock);
}

int strata_neigh_reap(struct strata_net *sn, neigh_match_fn match, const void *arg, int max,
		      bool tell)
{
	struct strata_neigh *n, *chain = NULL;
	struct neigh_todo todo, one;
	struct sk_buff *skb;
	struct hlist_node *next;
	int i, count = 0;

	strata_neigh_todo_init(&todo);
	rcu_read_lock();	/* for the devices of packets that waited */
	spin_lock_bh(&sn->neigh.lock);
	for (i = 0; i < ARRAY_SIZE(sn->neigh.hash) && count < max; i++) {
		hlist_for_each_entry_safe(n, next, &sn->neigh.hash[i], hash) {
			if (count >= max)
				break;
			if (!match(n, arg))
				continue;
			strata_neigh_unlink(n, &todo);
			n->reap = chain;
			chain = n;
			count++;
		}
	}
	spin_unlock_bh(&sn->neigh.lock);

	/* it may have got packets since it was looked at */
	while (!tell && (skb = __skb_dequeue(&todo.fail)))
		strata_drop(skb, STRATA_LAYER_ARP, SKB_DROP_REASON_NEIGH_DEAD);
	while (chain) {
		n = chain;
		chain = n->reap;
		strata_neigh_todo_init(&one);
		if (!chain)	/* the packets of all of them, once */
			skb_queue_splice_tail_init(&todo.fail, &one.fail);
		one.notify = RTM_DELNEIGH;
		strata_neigh_todo_run(n, &one);
		strata_neigh_put(n);
	}
	rcu_read_unlock();
	return count;
}

/* somebody else decides when it goes */
static bool kept(const struct strata_neigh *n)
{
	return READ_ONCE(n->flags) & NTF_EXT_LEARNED;
}

/* nobody but the table and the timer has it */
static bool unused(const struct strata_neigh *n)
{
	return !kept(n) && refcount_read(&n->ref) <= 1 + timer_pending(&n->timer);
}

static bool match_expendable(struct strata_neigh *n, const void *arg)
{
	u8 state = READ_ONCE(n->state);

	return unused(n) && (state == NUD_NONE || state & (NUD_FAILED | NUD_STALE));
}

/* neither new nor used lately: what works for somebody is not given up for an address at random */
static bool idle(const struct strata_neigh *n)
{
	return time_after(jiffies, READ_ONCE(n->updated) + NEIGH_GC_YOUNG) &&
	       time_after(jiffies, READ_ONCE(n->used) + NEIGH_GC_YOUNG);
}

static bool match_old(struct strata_neigh *n, const void *arg)
{
	return unused(n) && !(READ_ONCE(n->state) & (NUD_PERMANENT | NUD_INCOMPLETE)) && idle(n);
}

/*
 * Whoever holds an entry finds its successor when he uses it again: sockets that do not may not
 * keep others from theirs. First those that need no ARP to come back
 */
static bool match_held(struct strata_neigh *n, const void *arg)
{
	u8 state = READ_ONCE(n->state);

	return !kept(n) && (n->mapped || state == NUD_NONE ||
			    state & (NUD_FAILED | NUD_STALE));
}

static bool match_held_old(struct strata_neigh *n, const void *arg)
{
	return !kept(n) && !(READ_ONCE(n->state) & (NUD_PERMANENT | NUD_INCOMPLETE)) && idle(n);
}

static bool match_idle(struct strata_neigh *n, const void *arg)
{
	const struct strata_net_conf *conf = &n->ifp->sn->conf;
	u8 state = READ_ONCE(n->state);
	unsigned long keep;

	if (!unused(n) || !(state & (NUD_FAILED | NUD_STALE | NUD_NOARP) || state == NUD_NONE))
		return false;
	if (state == NUD_NOARP && !n->mapped)
		return false;	/* set by hand */
	keep = state == NUD_FAILED ? READ_ONCE(conf->neigh_retrans) :
				     READ_ONCE(conf->neigh_gc_stale);
	return time_after(jiffies, READ_ONCE(n->used) + keep) &&
	       time_after(jiffies, READ_ONCE(n->updated) + keep);
}

bool strata_neigh_make_room(struct strata_net *sn)
{
	if (atomic_read(&sn->neigh.count) < READ_ONCE(sn->conf.neigh_gc_thresh))
		return true;
	/* a search that found nothing need not be repeated at once */
	if (!time_after(jiffies, READ_ONCE(sn->neigh.full)))
		return false;
	if (strata_neigh_reap(sn, match_expendable, NULL, NEIGH_GC_BATCH, false) ||
	    strata_neigh_reap(sn, match_old, NULL, NEIGH_GC_BATCH, false))
		return true;
	if (strata_neigh_reap(sn, match_held, NULL, NEIGH_GC_BATCH, false) ||
	    strata_neigh_reap(sn, match_held_old, NULL, NEIGH_GC_BATCH, false)) {
		strata_route_changed(sn);	/* who held them looks again */
		return true;
	}
	WRITE_ONCE(sn->neigh.full, jiffies);
	return false;
}

/* ---- from time to time ---- */

void strata_neigh_gc_kick(struct strata_net *sn)
{
	if (!delayed_work_pending(&sn->neigh.gc))
		queue_delayed_work(system_power_efficient_wq, &sn->neigh.gc, NEIGH_GC_PERIOD);
}

void strata_neigh_gc_work(struct work_struct *work)
{
	struct strata_net *sn = container_of(to_delayed_work(work), struct strata_net, neigh.gc);

	strata_neigh_reap(sn, match_idle, NULL, INT_MAX, true);
	if (atomic_read(&sn->neigh.count))
		queue_delayed_work(system_power_efficient_wq, &sn->neigh.gc, NEIGH_GC_PERIOD);
}

/* ---- devices ---- */

static bool match_dev(struct strata_neigh *n, const void *arg)
{
	return n->ifp == arg;
}

static bool match_dev_learnt(struct strata_neigh *n, const void *arg)
{
	return n->ifp == arg && !(READ_ONCE(n->state) & NUD_PERMANENT);
}

/* what needs no ARP, or would need none any more if it were made now. RCU */
static bool match_dev_mapped(struct strata_neigh *n, const void *arg)
{
	return n->ifp == arg &&
	       (n->mapped ||
		strata_addr_type_rcu(n->ifp->sn, n->ifp, n->addr) == STRATA_ADDR_BROADCAST);
}

void strata_arp_if_down(struct strata_dev *ifp)
{
	ASSERT_RTNL();
	if (strata_neigh_reap(ifp->sn, match_dev, ifp, INT_MAX, true))
		strata_route_changed(ifp->sn);
}

/* which addresses are broadcast ones has changed */
static void nb_remap(struct strata_dev *ifp)
{
	if (strata_neigh_reap(ifp->sn, match_dev_mapped, ifp, INT_MAX, true))
		strata_route_changed(ifp->sn);
}

void strata_arp_addr_added(struct strata_ifaddr *ifa)
{
	nb_remap(ifa->ifp);
	/* an entry for an address that is ours now would send it away */
	strata_neigh_del(ifa->ifp, ifa->local);
	strata_arp_announce(ifa);
}

void strata_arp_addr_gone(struct strata_ifaddr *ifa)
{
	nb_remap(ifa->ifp);
}

void strata_arp_if_announce(struct strata_dev *ifp)
{
	struct strata_ifaddr *ifa;

	list_for_each_entry(ifa, &ifp->addrs, node)
		strata_arp_announce(ifa);
}

/* the headers hold our own link address */
static int nb_new_header(struct strata_neigh *n, void *arg)
{
	struct strata_dev *ifp = arg;
	const struct net_device *dev;

	if (n->ifp != ifp)
		return 0;
	spin_lock_bh(&n->lock);
	dev = rcu_dereference(ifp->dev);
	if (dev && n->state & NUD_VALID)
		strata_neigh_set_ha(n, dev, n->ha);
	spin_unlock_bh(&n->lock);
	return 0;
}

/* as native: what was learnt ends with the carrier, and everything where ARP begins or ends */
static void nb_link_changed(struct strata_dev *ifp, const struct net_device *dev)
{
	bool noarp = dev->flags & IFF_NOARP;
	neigh_match_fn match = noarp != ifp->noarp ? match_dev : match_dev_learnt;

	if (noarp == ifp->noarp && netif_carrier_ok(dev))
		return;
	ifp->noarp = noarp;
	/* what waits for an answer is lost, and no error of whoever sent it */
	if (strata_neigh_reap(ifp->sn, match, ifp, INT_MAX, false))
		strata_route_changed(ifp->sn);
}

void strata_arp_if_change(struct strata_dev *ifp)
{
	const struct net_device *dev = rtnl_dereference(ifp->dev);
	long pos = 0;

	if (!ifp->arp || !dev)
		return;
	nb_link_changed(ifp, dev);
	if (!memcmp(ifp->lladdr, dev->dev_addr, dev->addr_len))
		return;
	nb_remap(ifp);
	rcu_read_lock();
	strata_neigh_walk_rcu(ifp->sn, &pos, nb_new_header, ifp);
	rcu_read_unlock();
	strata_arp_if_announce(ifp);
}
