// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interface addresses. Each one is in the list of its device (in the order it was
 * added: the first of a prefix is the primary one) and in the namespace's hash by
 * local address, which every received packet looks into. The first address binds
 * its device, the last one that goes unbinds it.
 *
 * 127.0.0.0/8 is this host (RFC 1122 3.2.1.3 (g)) without being configured.
 *
 * locking: rtnl for writers, RCU for readers. An address and its device are freed
 * after a grace period, the device not before its addresses.
 */

#define pr_fmt(fmt) "strata: " fmt

#include <linux/hash.h>
#include <linux/inetdevice.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include "dev.h"

static struct hlist_head *addr_bucket(struct strata_net *sn, __be32 addr)
{
	return &sn->addr_hash[hash_32((__force u32)addr, STRATA_ADDR_HASH_BITS)];
}

struct strata_ifaddr *strata_addr_find_rcu(struct strata_net *sn, __be32 local)
{
	struct strata_ifaddr *ifa;

	hlist_for_each_entry_rcu(ifa, addr_bucket(sn, local), hash, lockdep_rtnl_is_held())
		if (ifa->local == local)
			return ifa;
	return NULL;
}

bool strata_addr_is_local_rcu(struct strata_net *sn, __be32 addr)
{
	return ipv4_is_loopback(addr) || strata_addr_find_rcu(sn, addr);
}

bool strata_addr_shared_rtnl(const struct strata_ifaddr *ifa)
{
	const struct strata_ifaddr *other;

	hlist_for_each_entry(other, addr_bucket(ifa->ifp->sn, ifa->local), hash)
		if (other != ifa && other->local == ifa->local)
			return true;
	return false;
}

static bool ifa_holds(const struct strata_ifaddr *ifa, __be32 addr)
{
	return !((ifa->peer ^ addr) & ifa->mask);
}

/* RFC 919 section 7, RFC 1122 3.2.1.3 (c), (d): all ones in the host part */
static bool ifa_broadcast(const struct strata_ifaddr *ifa, __be32 addr)
{
	if (ifa->broadcast && ifa->broadcast == addr)
		return true;
	return ifa->plen < 31 && addr == (ifa->peer | ~ifa->mask);
}

static bool dev_broadcast(const struct strata_dev *ifp, __be32 addr)
{
	const struct strata_ifaddr *ifa;

	list_for_each_entry_rcu(ifa, &ifp->addrs, node)
		if (ifa_broadcast(ifa, addr))
			return true;
	return false;
}

struct strata_dev *strata_addr_broadcast_dev_rcu(struct strata_net *sn, __be32 addr)
{
	struct strata_dev *ifp, *down = NULL;
	const struct net_device *dev;

	list_for_each_entry_rcu(ifp, &sn->devs, node) {
		if (!dev_broadcast(ifp, addr))
			continue;
		dev = rcu_dereference(ifp->dev);
		if (dev && READ_ONCE(dev->flags) & IFF_UP)
			return ifp;
		down = down ?: ifp;
	}
	return down;
}

enum strata_addr_type strata_addr_type_rcu(struct strata_net *sn, const struct strata_dev *ifp,
					   __be32 addr)
{
	if (strata_addr_is_local_rcu(sn, addr))
		return STRATA_ADDR_LOCAL;
	if (ipv4_is_multicast(addr))
		return STRATA_ADDR_MULTICAST;
	if (ipv4_is_lbcast(addr) || !addr)
		return STRATA_ADDR_BROADCAST;
	if (ifp)
		return dev_broadcast(ifp, addr) ? STRATA_ADDR_BROADCAST : STRATA_ADDR_OTHER;
	return strata_addr_broadcast_dev_rcu(sn, addr) ? STRATA_ADDR_BROADCAST : STRATA_ADDR_OTHER;
}

bool strata_addr_on_link_rcu(const struct strata_dev *ifp, __be32 addr)
{
	const struct strata_ifaddr *ifa;

	list_for_each_entry_rcu(ifa, &ifp->addrs, node)
		if (ifa_holds(ifa, addr))
			return true;
	return false;
}

__be32 strata_addr_select_rcu(struct strata_net *sn, const struct strata_dev *ifp, __be32 dst)
{
	const struct strata_ifaddr *ifa;
	const struct strata_dev *other;
	__be32 first = 0;

	if (ipv4_is_loopback(dst))
		return htonl(INADDR_LOOPBACK);
	if (ifp) {
		list_for_each_entry_rcu(ifa, &ifp->addrs, node) {
			if (ifa_holds(ifa, dst))
				return ifa->local;
			if (!first && ifa->scope < RT_SCOPE_LINK)
				first = ifa->local;
		}
		if (first)
			return first;
	}
	list_for_each_entry_rcu(other, &sn->devs, node)
		list_for_each_entry_rcu(ifa, &other->addrs, node)
			if (ifa->scope < RT_SCOPE_LINK)
				return ifa->local;
	return 0;
}

/* the same address of the same prefix, as native tells them apart */
static struct strata_ifaddr *addr_find_on(struct strata_dev *ifp, __be32 local, __be32 peer,
					  u8 plen)
{
	struct strata_ifaddr *ifa;

	list_for_each_entry(ifa, &ifp->addrs, node)
		if (ifa->local == local && ifa->plen == plen && ifa_holds(ifa, peer))
			return ifa;
	return NULL;
}

/*
 * The first address of a prefix is the primary one, as native: is another before @ifa? All others
 * are marked
 */
static void addr_mark_new(struct strata_ifaddr *ifa)
{
	const struct strata_ifaddr *prev;

	list_for_each_entry(prev, &ifa->ifp->addrs, node) {
		if (prev == ifa)
			break;
		if (prev->mask == ifa->mask && ifa_holds(prev, ifa->peer)) {
			WRITE_ONCE(ifa->flags, ifa->flags | IFA_F_SECONDARY);
			break;
		}
	}
}

/* @gone has left the list: who takes its place? */
static void addr_mark_heir(const struct strata_ifaddr *gone)
{
	struct strata_ifaddr *ifa;

	if (gone->flags & IFA_F_SECONDARY)
		return;
	list_for_each_entry(ifa, &gone->ifp->addrs, node) {
		if (ifa->mask == gone->mask && ifa_holds(gone, ifa->peer)) {
			WRITE_ONCE(ifa->flags, ifa->flags & ~IFA_F_SECONDARY);
			break;
		}
	}
}

static int addr_check(const struct strata_addr_cfg *cfg, struct netlink_ext_ack *extack)
{
	if (cfg->plen > 32) {
		NL_SET_ERR_MSG(extack, "strata: prefix length above 32");
		return -EINVAL;
	}
	if (ipv4_is_zeronet(cfg->local) || ipv4_is_multicast(cfg->local) ||
	    ipv4_is_lbcast(cfg->local)) {
		NL_SET_ERR_MSG(extack, "strata: not the address of a host");
		return -EINVAL;
	}
	if (ipv4_is_loopback(cfg->local)) {
		NL_SET_ERR_MSG(extack, "strata: 127.0.0.0/8 is this host's without configuration");
		return -EINVAL;
	}
	return 0;
}

static struct strata_ifaddr *addr_alloc(struct strata_dev *ifp, const struct strata_addr_cfg *cfg)
{
	struct strata_ifaddr *ifa = kzalloc(sizeof(*ifa), GFP_KERNEL_ACCOUNT);

	if (!ifa)
		return NULL;
	ifa->ifp = ifp;
	ifa->local = cfg->local;
	ifa->peer = cfg->peer ?: cfg->local;
	ifa->plen = cfg->plen;
	ifa->mask = inet_make_mask(cfg->plen);
	ifa->broadcast = cfg->has_broadcast ? cfg->broadcast : 0;
	ifa->scope = cfg->scope;
	ifa->flags = cfg->flags | IFA_F_PERMANENT;
	ifa->metric = cfg->metric;
	ifa->cstamp = jiffies;
	ifa->tstamp = jiffies;
	return ifa;
}

static int addr_change(struct strata_ifaddr *ifa, const struct strata_addr_cfg *cfg,
		       bool up, struct netlink_ext_ack *extack)
{
	bool metric = ifa->metric != cfg->metric;
	int err = 0;

	if (!cfg->replace) {
		NL_SET_ERR_MSG(extack, "strata: address already assigned");
		return -EEXIST;
	}
	if (metric && up)
		strata_dev_up.addr_metric(ifa);
	ifa->metric = cfg->metric;
	ifa->tstamp = jiffies;
	if (metric && up)
		err = strata_dev_up.addr_added(ifa, extack);
	strata_conf_changed_rtnl(ifa->ifp->sn);
	strata_dev_up.addr_changed(ifa, RTM_NEWADDR);
	return err;
}

/* out of all tables, told to those above; the caller unbinds the device */
static void addr_unlink(struct strata_ifaddr *ifa)
{
	struct strata_net *sn = ifa->ifp->sn;

	/* routes first: nothing may be sent from it once it is not ours */
	strata_dev_up.addr_removed(ifa);
	hlist_del_rcu(&ifa->hash);
	list_del_rcu(&ifa->node);
	strata_dev_up.addr_gone(ifa);
	strata_conf_changed_rtnl(sn);
}

int strata_addr_add_rtnl(struct strata_net *sn, struct net_device *dev,
			 const struct strata_addr_cfg *cfg, struct netlink_ext_ack *extack)
{
	bool up = dev->flags & IFF_UP;
	struct strata_ifaddr *ifa;
	struct strata_dev *ifp;
	int err;

	ASSERT_RTNL();
	err = addr_check(cfg, extack);
	if (err)
		return err;
	ifp = strata_dev_bind_rtnl(sn, dev, extack);
	if (IS_ERR(ifp))
		return PTR_ERR(ifp);

	ifa = addr_find_on(ifp, cfg->local, cfg->peer ?: cfg->local, cfg->plen);
	if (ifa)
		return addr_change(ifa, cfg, up, extack);

	err = -ENOMEM;
	ifa = addr_alloc(ifp, cfg);
	if (!ifa)
		goto unbind;
	list_add_tail_rcu(&ifa->node, &ifp->addrs);
	hlist_add_head_rcu(&ifa->hash, addr_bucket(sn, ifa->local));
	addr_mark_new(ifa);
	strata_conf_changed_rtnl(sn);
	err = up ? strata_dev_up.addr_added(ifa, extack) : 0;
	if (err) {
		addr_unlink(ifa);
		kfree_rcu(ifa, rcu);
		goto unbind;
	}
	strata_dev_up.addr_changed(ifa, RTM_NEWADDR);
	return 0;
unbind:
	strata_dev_unbind_rtnl(ifp);
	return err;
}

static void addr_remove(struct strata_ifaddr *ifa)
{
	addr_unlink(ifa);
	strata_dev_up.addr_changed(ifa, RTM_DELADDR);
	addr_mark_heir(ifa);
	kfree_rcu(ifa, rcu);
}

void strata_addr_del_rtnl(struct strata_ifaddr *ifa)
{
	struct strata_dev *ifp = ifa->ifp;

	ASSERT_RTNL();
	addr_remove(ifa);
	strata_dev_unbind_rtnl(ifp);
}

void strata_addr_flush_rtnl(struct strata_dev *ifp)
{
	struct strata_ifaddr *ifa, *next;

	ASSERT_RTNL();
	list_for_each_entry_safe(ifa, next, &ifp->addrs, node)
		addr_remove(ifa);
	strata_dev_unbind_rtnl(ifp);
}
