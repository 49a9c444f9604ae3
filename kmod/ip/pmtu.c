// SPDX-License-Identifier: GPL-2.0-only
/*
 * Path MTU discovery (RFC 1191 6): what routers told about destinations, kept
 * for mtu_expires, after which a larger packet may try again (6.3). Layer 4
 * calls strata_ip_update_pmtu() once it has matched the ICMP message against a
 * flow of its own; paths see the new value, and its end, through route_gen: of the
 * destinations that share its slot alone, whoever made the message up.
 *
 * An entry lowers only; values below min_pmtu count as min_pmtu, so that nobody
 * can be talked into tiny packets (RFC 1191 8). Such a path is marked: packets of
 * min_pmtu must go without DF there, for that router to cut them.
 *
 * locking: strata_pmtu_net.lock for writers, RCU readers. Entries are freed
 * after a grace period.
 */

#include <linux/slab.h>
#include "ip_int.h"

#define PMTU_MAX	4096	/* destinations remembered per namespace */

/* @mtu: bytes of an IP packet; @cut: the path takes less than that; @expires: jiffies */
struct strata_pmtu {
	struct hlist_node	hash;
	__be32			daddr;
	u32			mtu;
	bool			cut;
	unsigned long		expires;
	struct rcu_head		rcu;
};

static struct hlist_head *pmtu_head(struct strata_net *sn, __be32 daddr)
{
	return &sn->pmtu.hash[strata_pmtu_chain(sn, daddr)];
}

static struct strata_pmtu *pmtu_find(struct strata_net *sn, __be32 daddr)
{
	struct strata_pmtu *p;

	hlist_for_each_entry_rcu(p, pmtu_head(sn, daddr), hash,
				 lockdep_is_held(&sn->pmtu.lock))
		if (p->daddr == daddr)
			return p;
	return NULL;
}

u32 strata_pmtu_rcu(struct strata_net *sn, __be32 daddr, bool *cut)
{
	struct strata_pmtu *p = pmtu_find(sn, daddr);

	*cut = false;
	if (!p || time_after(jiffies, READ_ONCE(p->expires)))
		return 0;
	*cut = READ_ONCE(p->cut);
	return READ_ONCE(p->mtu);
}

/* make the paths to @daddr stale, and those of its slot */
static void pmtu_changed(struct strata_net *sn, __be32 daddr)
{
	smp_mb__before_atomic();	/* the change itself comes first */
	atomic_inc(&sn->route_gen[strata_path_slot(sn, daddr)]);
}

static void pmtu_del(struct strata_net *sn, struct strata_pmtu *p)
{
	hlist_del_rcu(&p->hash);
	sn->pmtu.count--;
	pmtu_changed(sn, p->daddr);
	kfree_rcu(p, rcu);
}

/* forget what has expired, then wait for the next to do so */
static void pmtu_timer(struct timer_list *t)
{
	struct strata_net *sn = container_of(t, struct strata_net, pmtu.timer);
	unsigned long next_at = 0;
	struct hlist_node *next;
	struct strata_pmtu *p;
	bool any = false;
	int i;

	spin_lock(&sn->pmtu.lock);
	for (i = 0; i < ARRAY_SIZE(sn->pmtu.hash); i++) {
		hlist_for_each_entry_safe(p, next, &sn->pmtu.hash[i], hash) {
			if (!time_before(jiffies, p->expires)) {
				pmtu_del(sn, p);
			} else if (!any || time_before(p->expires, next_at)) {
				next_at = p->expires;
				any = true;
			}
		}
	}
	if (any)
		mod_timer(&sn->pmtu.timer, next_at);
	spin_unlock(&sn->pmtu.lock);
}

/* make room in one chain: what has expired, or else the entry that expires first */
static void pmtu_evict(struct strata_net *sn, struct hlist_head *head)
{
	struct strata_pmtu *p, *oldest = NULL;
	struct hlist_node *next;

	hlist_for_each_entry_safe(p, next, head, hash) {
		if (time_after(jiffies, p->expires))
			pmtu_del(sn, p);
		else if (!oldest || time_before(p->expires, oldest->expires))
			oldest = p;
	}
	if (sn->pmtu.count >= PMTU_MAX && oldest)
		pmtu_del(sn, oldest);
}

static void pmtu_set(struct strata_net *sn, __be32 daddr, u32 mtu, bool cut)
{
	unsigned long expires = jiffies + READ_ONCE(sn->conf.mtu_expires);
	struct strata_pmtu *p = pmtu_find(sn, daddr);

	if (p) {
		if (!time_after(jiffies, p->expires) && p->mtu <= mtu && p->cut >= cut)
			return;
		WRITE_ONCE(p->mtu, mtu);
		WRITE_ONCE(p->cut, cut);
		WRITE_ONCE(p->expires, expires);
		pmtu_changed(sn, daddr);
		return;
	}
	if (sn->pmtu.count >= PMTU_MAX)
		pmtu_evict(sn, pmtu_head(sn, daddr));
	p = sn->pmtu.count < PMTU_MAX ? kzalloc(sizeof(*p), GFP_ATOMIC) : NULL;
	if (!p)
		return;
	p->daddr = daddr;
	p->mtu = mtu;
	p->cut = cut;
	p->expires = expires;
	hlist_add_head_rcu(&p->hash, pmtu_head(sn, daddr));
	sn->pmtu.count++;
	if (!timer_pending(&sn->pmtu.timer) || time_before(expires, sn->pmtu.timer.expires))
		mod_timer(&sn->pmtu.timer, expires);
	pmtu_changed(sn, daddr);
}

void strata_ip_update_pmtu(const struct strata_sock *ep, __be32 daddr, u32 mtu)
{
	struct strata_net *sn = strata_sk_net(&ep->sk);
	u32 min = READ_ONCE(sn->conf.min_pmtu), now;

	rcu_read_lock();
	now = strata_path_mtu_rcu(ep, daddr);
	rcu_read_unlock();
	if (mtu >= now)
		return;
	spin_lock_bh(&sn->pmtu.lock);
	pmtu_set(sn, daddr, max(mtu, min), mtu < min);
	spin_unlock_bh(&sn->pmtu.lock);
}

void strata_pmtu_net_init(struct strata_net *sn)
{
	spin_lock_init(&sn->pmtu.lock);
	timer_setup(&sn->pmtu.timer, pmtu_timer, 0);
}

void strata_pmtu_net_exit(struct strata_net *sn)
{
	struct strata_pmtu *p;
	struct hlist_node *next;
	int i;

	timer_shutdown_sync(&sn->pmtu.timer);
	spin_lock_bh(&sn->pmtu.lock);
	for (i = 0; i < ARRAY_SIZE(sn->pmtu.hash); i++)
		hlist_for_each_entry_safe(p, next, &sn->pmtu.hash[i], hash)
			pmtu_del(sn, p);
	spin_unlock_bh(&sn->pmtu.lock);
}
