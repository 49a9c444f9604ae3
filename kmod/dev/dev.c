// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two stacks, one card. A netdevice is bound while it has a Strata address: a
 * receive handler then sees each of its frames after the packet taps and before
 * the native stack, and decides by one hash lookup:
 *
 *   IPv4 to a Strata address         Strata's alone
 *   IPv4 broadcast, multicast        both get it
 *   ARP asking for an address that   Strata's alone
 *   Strata has on this device
 *   other ARP                        both: it may renew a neighbour (RFC 826)
 *   everything else                  native's, untouched
 *
 * The native stack ignores our addresses because it never sees packets to them.
 *
 * Lifetime: strata_dev_bind_rtnl() makes the struct strata_dev with a reference of
 * its own and holds the netdevice; unbinding clears ifp->dev, waits until no
 * receiver is left (netdev_rx_handler_unregister() does) and drops both. Paths and
 * neighbours may keep the struct longer; they find ifp->dev NULL.
 */

#define pr_fmt(fmt) "strata: " fmt

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <net/dst.h>
#include "dev.h"
#include "stats.h"

#define DEV_MIN_MTU	68	/* RFC 791 3.2: every module must take 68 octets */

/* ---- receive ---- */

/* make @skb ours alone; NULL: no memory, it is gone */
static struct sk_buff *dev_own(struct sk_buff *skb)
{
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return NULL;
	/* pages of a sender that waits for them must not stay in a receive queue */
	if (skb_orphan_frags_rx(skb, GFP_ATOMIC)) {
		strata_drop(skb, STRATA_LAYER_DEV, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	if (skb_vlan_tag_present(skb))
		__vlan_hwaccel_clear_tag(skb);
	return skb;
}

/* over a veth pair within one namespace it still has the time of its departure */
static noinline void dev_stamp(struct sk_buff *skb)
{
	skb_clear_delivery_time(skb);
}

static __always_inline void dev_deliver_ip(struct strata_dev *ifp, struct sk_buff *skb, u8 flags)
{
	struct strata_rcv_cb *cb;

	skb = dev_own(skb);
	if (!skb)
		return;
	cb = STRATA_RCV_CB(skb);
	cb->iif = skb->dev->ifindex;
	cb->flags = flags;
	cb->pad = 0;
	cb->frag_max = 0;
	if (unlikely(skb->tstamp))
		dev_stamp(skb);
	strata_dev_up.rcv_ip(ifp, skb);
}

static rx_handler_result_t dev_rcv_ip(struct strata_dev *ifp, struct sk_buff *skb)
{
	const struct iphdr *iph;
	struct sk_buff *copy;
	struct iphdr buf;
	u8 flags;

	iph = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!iph)
		return RX_HANDLER_PASS;
	if (strata_addr_find_rcu(ifp->sn, iph->daddr)) {
		dev_deliver_ip(ifp, skb, STRATA_RCV_LOCAL);
		return RX_HANDLER_CONSUMED;
	}
	switch (strata_addr_type_rcu(ifp->sn, ifp, iph->daddr)) {
	case STRATA_ADDR_BROADCAST:
		flags = STRATA_RCV_BROADCAST;
		break;
	case STRATA_ADDR_MULTICAST:
		flags = STRATA_RCV_MULTICAST;
		break;
	default:
		return RX_HANDLER_PASS;
	}
	copy = skb_clone(skb, GFP_ATOMIC);
	if (copy)
		dev_deliver_ip(ifp, copy, flags);
	return RX_HANDLER_PASS;
}

/* is the target of this request or reply an address of ours on this device? */
static bool dev_arp_for_us(struct strata_dev *ifp, const struct sk_buff *skb)
{
	const struct strata_ifaddr *ifa;
	const __be32 *tip;
	__be32 buf;
	int off = sizeof(struct arphdr) + 2 * skb->dev->addr_len + sizeof(__be32);

	tip = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!tip)
		return false;
	list_for_each_entry_rcu(ifa, &ifp->addrs, node)
		if (ifa->local == get_unaligned(tip))
			return true;
	return false;
}

static rx_handler_result_t dev_rcv_arp(struct strata_dev *ifp, struct sk_buff *skb)
{
	bool ours;

	if (!ifp->arp || skb->dev->flags & IFF_NOARP)
		return RX_HANDLER_PASS;
	ours = dev_arp_for_us(ifp, skb);
	skb = ours ? skb : skb_clone(skb, GFP_ATOMIC);
	if (skb)
		skb = dev_own(skb);
	if (skb)
		strata_dev_up.rcv_arp(ifp, skb);
	return ours ? RX_HANDLER_CONSUMED : RX_HANDLER_PASS;
}

static rx_handler_result_t dev_rcv(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct strata_dev *ifp = rcu_dereference(skb->dev->rx_handler_data);

	if (skb->pkt_type == PACKET_OTHERHOST || skb->pkt_type == PACKET_LOOPBACK)
		return RX_HANDLER_PASS;
	/* a frame of a VLAN nobody has here; VLAN 0 only carries a priority */
	if (skb_vlan_tag_present(skb) && skb_vlan_tag_get_id(skb))
		return RX_HANDLER_PASS;
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return dev_rcv_ip(ifp, skb);
	case htons(ETH_P_ARP):
		return dev_rcv_arp(ifp, skb);
	default:
		return RX_HANDLER_PASS;
	}
}

/* ---- transmit ---- */

int strata_dev_xmit(struct strata_dev *ifp, struct sk_buff *skb)
{
	struct net_device *dev = rcu_dereference(ifp->dev);
	int err;

	if (unlikely(!dev || !(dev->flags & IFF_UP))) {
		strata_drop(skb, STRATA_LAYER_DEV, SKB_DROP_REASON_DEV_READY);
		return -ENETDOWN;
	}
	skb->dev = dev;
	err = dev_queue_xmit(skb);
	return err > 0 ? net_xmit_errno(err) : err;
}

/* ---- binding ---- */

struct strata_dev *strata_dev_find_rcu(struct strata_net *sn, int ifindex)
{
	struct strata_dev *ifp;

	list_for_each_entry_rcu(ifp, &sn->devs, node, lockdep_rtnl_is_held())
		if (ifp->ifindex == ifindex)
			return ifp;
	return NULL;
}

void strata_dev_put(struct strata_dev *ifp)
{
	if (refcount_dec_and_test(&ifp->ref))
		kfree_rcu(ifp, rcu);
}

static int dev_check(struct net_device *dev, bool *arp, struct netlink_ext_ack *extack)
{
	if (dev->flags & IFF_LOOPBACK) {
		NL_SET_ERR_MSG(extack,
			       "strata: a loopback device is not bound: own addresses loop inside Strata");
		return -EINVAL;
	}
	if (dev->mtu < DEV_MIN_MTU) {
		NL_SET_ERR_MSG(extack, "strata: the device's MTU is below 68 bytes");
		return -EINVAL;
	}
	*arp = dev->header_ops && dev->header_ops->create;
	if (!*arp || dev->type == ARPHRD_ETHER)
		return 0;
	/* a bond asks its member for the header: of a TUN, which has no addresses, none */
	*arp = false;
	if (dev->addr_len) {
		NL_SET_ERR_MSG(extack, "strata: not an Ethernet-like or link-less device");
		return -EINVAL;
	}
	return 0;
}

static int dev_say_busy(const struct net_device *dev, struct netlink_ext_ack *extack)
{
	if (netif_is_bridge_port(dev))
		NL_SET_ERR_MSG(extack, "strata: the device is a bridge port: address the bridge");
	else if (netif_is_lag_port(dev))
		NL_SET_ERR_MSG(extack, "strata: the device is a bond member: address the bond");
	else if (netif_is_macvlan_port(dev))
		NL_SET_ERR_MSG(extack, "strata: the device is the parent of a macvlan");
	else
		NL_SET_ERR_MSG(extack, "strata: another receive handler holds the device");
	return -EBUSY;
}

struct strata_dev *strata_dev_bind_rtnl(struct strata_net *sn, struct net_device *dev,
					struct netlink_ext_ack *extack)
{
	struct strata_dev *ifp;
	bool arp;
	int err;

	ASSERT_RTNL();
	ifp = strata_dev_find_rcu(sn, dev->ifindex);
	if (ifp)
		return ifp;
	err = dev_check(dev, &arp, extack);
	if (err)
		return ERR_PTR(err);
	if (netdev_is_rx_handler_busy(dev))
		return ERR_PTR(dev_say_busy(dev, extack));

	ifp = kzalloc(sizeof(*ifp), GFP_KERNEL);
	if (!ifp)
		return ERR_PTR(-ENOMEM);
	ifp->sn = sn;
	ifp->ifindex = dev->ifindex;
	ifp->arp = arp;
	ifp->noarp = dev->flags & IFF_NOARP;
	memcpy(ifp->lladdr, dev->dev_addr, dev->addr_len);
	INIT_LIST_HEAD(&ifp->addrs);
	refcount_set(&ifp->ref, 1);
	rcu_assign_pointer(ifp->dev, dev);
	err = netdev_rx_handler_register(dev, dev_rcv, ifp);
	if (err) {
		NL_SET_ERR_MSG(extack, "strata: the device takes no receive handler");
		kfree(ifp);
		return ERR_PTR(err);
	}
	netdev_hold(dev, &ifp->tracker, GFP_KERNEL);
	list_add_tail_rcu(&ifp->node, &sn->devs);
	return ifp;
}

void strata_dev_unbind_rtnl(struct strata_dev *ifp)
{
	struct net_device *dev = rtnl_dereference(ifp->dev);

	ASSERT_RTNL();
	if (!list_empty(&ifp->addrs))
		return;
	list_del_rcu(&ifp->node);
	RCU_INIT_POINTER(ifp->dev, NULL);
	netdev_rx_handler_unregister(dev);	/* waits for receivers and senders */
	strata_dev_up.if_down(ifp);
	strata_route_changed(ifp->sn);
	netdev_put(dev, &ifp->tracker);
	strata_dev_put(ifp);
}

/* ---- what happens to a device ---- */

/* as native: its addresses are in use again, with their routes */
static void dev_came_up(struct strata_dev *ifp)
{
	struct strata_ifaddr *ifa;
	int err;

	ifp->noarp = rtnl_dereference(ifp->dev)->flags & IFF_NOARP;
	list_for_each_entry(ifa, &ifp->addrs, node) {
		err = strata_dev_up.addr_added(ifa, NULL);
		if (err)
			pr_warn("address %pI4 cannot be used: error %d\n", &ifa->local, err);
	}
	strata_route_changed(ifp->sn);
}

static void dev_changed(struct strata_dev *ifp, struct net_device *dev)
{
	if (dev->mtu < DEV_MIN_MTU) {
		strata_addr_flush_rtnl(ifp);
		return;
	}
	strata_route_changed(ifp->sn);
	strata_dev_up.if_change(ifp);
	memcpy(ifp->lladdr, dev->dev_addr, dev->addr_len);
}

static int dev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct strata_net *sn = strata_net(dev_net(dev));
	struct strata_dev *ifp;

	if (dev->flags & IFF_LOOPBACK) {
		if (event == NETDEV_REGISTER)
			strata_loop_bind_rtnl(sn, dev);
		else if (event == NETDEV_UNREGISTER)
			strata_loop_unbind_rtnl(sn, dev);
		return NOTIFY_DONE;
	}
	ifp = strata_dev_find_rcu(sn, dev->ifindex);
	if (!ifp)
		return NOTIFY_DONE;
	switch (event) {
	case NETDEV_UP:
		dev_came_up(ifp);
		break;
	case NETDEV_NOTIFY_PEERS:
		if (dev->flags & IFF_UP)
			strata_dev_up.if_announce(ifp);
		break;
	case NETDEV_DOWN:
		strata_route_changed(sn);
		strata_dev_up.if_down(ifp);
		break;
	case NETDEV_CHANGE:
	case NETDEV_CHANGEMTU:
	case NETDEV_CHANGEADDR:
		dev_changed(ifp, dev);
		break;
	case NETDEV_PRE_TYPE_CHANGE:	/* what it is was looked at when it was bound */
	case NETDEV_UNREGISTER:	/* also when it moves to another namespace */
		strata_addr_flush_rtnl(ifp);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block dev_notifier = {
	.notifier_call = dev_event,
};

/* ---- start and stop ---- */

int strata_dev_start(void)
{
	/* tells of the devices that are there */
	return register_netdevice_notifier(&dev_notifier);
}

void strata_dev_stop(void)
{
	/* tells that all devices go, so that this unbinds each of them */
	unregister_netdevice_notifier(&dev_notifier);
}

int strata_dev_net_init(struct strata_net *sn)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sn->addr_hash); i++)
		INIT_HLIST_HEAD(&sn->addr_hash[i]);
	return strata_loop_net_init(sn);
}

void strata_dev_net_exit(struct strata_net *sn)
{
	WARN_ON(!list_empty(&sn->devs));
	strata_loop_net_exit(sn);
}
