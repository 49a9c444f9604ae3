// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARP packets: RFC 826 for IPv4 over Ethernet, with RFC 1122 2.3.2 and RFC 5227.
 *
 * Received: a packet that is not for IPv4 and this kind of link, or whose sender
 * cannot be one, is counted as an error. Otherwise, in the order of RFC 826:
 *
 *   sender is an address of ours   a conflict: defend it (RFC 5227 2.4)
 *   sender is a known neighbour    its link address is updated
 *   request for one of ours        the sender becomes known if it is on this link,
 *                                  and gets its answer
 *
 * An answer to us makes the neighbour REACHABLE, everything else makes it STALE: it
 * did not show that the way to it works. Answers nobody asked for make no entries.
 *
 * Sent: requests (neigh_state.c decides when), answers, and announcements of new
 * addresses, twice two seconds apart (RFC 5227 2.3). Addresses are not probed before
 * use (2.1), as native does not: it would hold up every address for seconds.
 */

#define pr_fmt(fmt) "strata: " fmt

#include <linux/etherdevice.h>
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include "neigh_int.h"
#include "stats.h"

/* RFC 5227 1.1 */
#define ANNOUNCE_NUM		2
#define ANNOUNCE_INTERVAL	(2 * HZ)
#define DEFEND_INTERVAL		(10 * HZ)

/* the packet behind struct arphdr for Ethernet and IPv4 (RFC 826) */
struct arp_body {
	u8	sha[ETH_ALEN];
	__be32	sip;
	u8	tha[ETH_ALEN];
	__be32	tip;
} __packed;

#define ARP_LEN	(sizeof(struct arphdr) + sizeof(struct arp_body))

/* ---- send ---- */

/* @dha: link destination; @tha: NULL: unknown, zeros */
static void arp_emit(struct strata_dev *ifp, u16 op, const u8 *dha, __be32 sip, __be32 tip,
		     const u8 *tha)
{
	struct net_device *dev;
	struct arp_body *body;
	struct arphdr *arp;
	struct sk_buff *skb;

	rcu_read_lock();
	dev = rcu_dereference(ifp->dev);
	if (!dev || dev->flags & IFF_NOARP)
		goto out;
	skb = alloc_skb(LL_RESERVED_SPACE(dev) + ARP_LEN + dev->needed_tailroom, GFP_ATOMIC);
	if (!skb)
		goto out;
	skb_reserve(skb, LL_RESERVED_SPACE(dev));
	skb_reset_network_header(skb);
	skb->dev = dev;
	skb->protocol = htons(ETH_P_ARP);
	skb->priority = TC_PRIO_CONTROL;

	arp = skb_put(skb, sizeof(*arp));
	arp->ar_hrd = htons(ARPHRD_ETHER);
	arp->ar_pro = htons(ETH_P_IP);
	arp->ar_hln = ETH_ALEN;
	arp->ar_pln = sizeof(__be32);
	arp->ar_op = htons(op);
	body = skb_put(skb, sizeof(*body));
	ether_addr_copy(body->sha, dev->dev_addr);
	body->sip = sip;
	body->tip = tip;
	if (tha)
		memcpy(body->tha, tha, ETH_ALEN);
	else
		eth_zero_addr(body->tha);

	if (dev_hard_header(skb, dev, ETH_P_ARP, dha ?: dev->broadcast, NULL, skb->len) < 0) {
		strata_drop(skb, STRATA_LAYER_ARP, SKB_DROP_REASON_NOT_SPECIFIED);
		goto out;
	}
	if (op == ARPOP_REQUEST)
		strata_inc(ifp->sn, ARP_OUTREQUESTS);
	else
		strata_inc(ifp->sn, ARP_OUTREPLIES);
	strata_dev_xmit(ifp, skb);
out:
	rcu_read_unlock();
}

/* is @addr ours on this very device? RCU */
static struct strata_ifaddr *arp_own_addr(struct strata_dev *ifp, __be32 addr)
{
	struct strata_ifaddr *ifa;

	list_for_each_entry_rcu(ifa, &ifp->addrs, node)
		if (ifa->local == addr)
			return ifa;
	return NULL;
}

void strata_arp_solicit(struct strata_neigh *n, __be32 saddr, const u8 *ha)
{
	struct strata_dev *ifp = n->ifp;

	rcu_read_lock();
	/* ask in the name of the packet that waits (RFC 1122 3.3.4.2), if it is ours */
	if (!saddr || !strata_addr_find_rcu(ifp->sn, saddr))
		saddr = strata_addr_select_rcu(ifp->sn, ifp, n->addr);
	if (saddr)
		arp_emit(ifp, ARPOP_REQUEST, ha, saddr, n->addr, ha);
	rcu_read_unlock();
}

/* ---- announcements ---- */

static void announce_one(struct strata_ifaddr *ifa)
{
	WRITE_ONCE(ifa->announced, jiffies);
	arp_emit(ifa->ifp, ARPOP_REQUEST, NULL, ifa->local, ifa->local, NULL);
}

void strata_arp_announce(struct strata_ifaddr *ifa)
{
	struct strata_net *sn = ifa->ifp->sn;

	ASSERT_RTNL();
	if (!ifa->ifp->arp)
		return;
	WRITE_ONCE(ifa->announce, ANNOUNCE_NUM - 1);
	announce_one(ifa);
	queue_delayed_work(system_wq, &sn->neigh.announce, ANNOUNCE_INTERVAL);
}

void strata_arp_announce_work(struct work_struct *work)
{
	struct strata_net *sn = container_of(to_delayed_work(work), struct strata_net,
					     neigh.announce);
	struct strata_ifaddr *ifa;
	struct strata_dev *ifp;
	long left, next = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(ifp, &sn->devs, node) {
		list_for_each_entry_rcu(ifa, &ifp->addrs, node) {
			if (!READ_ONCE(ifa->announce))
				continue;
			left = READ_ONCE(ifa->announced) + ANNOUNCE_INTERVAL - jiffies;
			if (left <= 0) {
				WRITE_ONCE(ifa->announce, ifa->announce - 1);
				announce_one(ifa);
				left = ifa->announce ? ANNOUNCE_INTERVAL : 0;
			}
			if (left > 0 && (!next || left < next))
				next = left;
		}
	}
	rcu_read_unlock();
	if (next)
		queue_delayed_work(system_wq, &sn->neigh.announce, next);
}

/* RFC 5227 2.4 (b): announce once in DEFEND_INTERVAL, then let it be */
static void arp_conflict(struct strata_ifaddr *ifa, const u8 *sha)
{
	struct strata_net *sn = ifa->ifp->sn;

	strata_inc(sn, ARP_CONFLICTS);
	net_warn_ratelimited("%pM claims our address %pI4\n", sha, &ifa->local);
	if (time_after(jiffies, READ_ONCE(ifa->announced) + DEFEND_INTERVAL))
		announce_one(ifa);
}

/* ---- receive ---- */

static bool arp_header_good(const struct sk_buff *skb, const struct arphdr *arp)
{
	/* RFC 1122 2.3.3: Ethernet and IEEE 802 may both be said */
	return (arp->ar_hrd == htons(ARPHRD_ETHER) || arp->ar_hrd == htons(ARPHRD_IEEE802)) &&
	       arp->ar_pro == htons(ETH_P_IP) && arp->ar_hln == ETH_ALEN &&
	       skb->dev->addr_len == ETH_ALEN && arp->ar_pln == sizeof(__be32) &&
	       (arp->ar_op == htons(ARPOP_REQUEST) || arp->ar_op == htons(ARPOP_REPLY));
}

/* can a host have these addresses? sip 0 is a probe (RFC 5227 2.1.1) */
static bool arp_sender_good(struct strata_dev *ifp, const struct arp_body *body)
{
	if (is_multicast_ether_addr(body->sha) || is_zero_ether_addr(body->sha))
		return false;
	if (!body->sip)
		return true;
	return !ipv4_is_zeronet(body->sip) && !ipv4_is_loopback(body->sip) &&
	       !ipv4_is_multicast(body->sip) && !ipv4_is_lbcast(body->sip) &&
	       strata_addr_type_rcu(ifp->sn, ifp, body->sip) != STRATA_ADDR_BROADCAST;
}

/* RFC 826: merge, then answer */
static void arp_merge(struct strata_dev *ifp, const struct sk_buff *skb, bool request,
		      const struct arp_body *body)
{
	struct strata_ifaddr *target = arp_own_addr(ifp, body->tip);
	struct strata_neigh *n = NULL;
	bool answer;

	if (request)
		strata_inc(ifp->sn, ARP_INREQUESTS);
	else
		strata_inc(ifp->sn, ARP_INREPLIES);

	if (body->sip) {
		n = strata_neigh_find(ifp, body->sip);
		if (!n && request && target && strata_addr_on_link_rcu(ifp, body->sip))
			n = strata_neigh_get(ifp, body->sip);
	}
	if (n) {
		answer = !request && target && skb->pkt_type == PACKET_HOST;
		strata_neigh_learn(n, body->sha, answer ? NUD_REACHABLE : NUD_STALE,
				   body->sip == body->tip || (request && target));
		strata_neigh_put(n);
	}
	if (request && target)
		arp_emit(ifp, ARPOP_REPLY, body->sha, body->tip, body->sip, body->sha);
}

static enum skb_drop_reason arp_step(struct strata_dev *ifp, struct sk_buff *skb)
{
	struct strata_ifaddr *own;
	struct arp_body body;
	struct arphdr *arp;

	if (!pskb_may_pull(skb, ARP_LEN))
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	arp = (struct arphdr *)skb->data;
	if (!arp_header_good(skb, arp))
		return SKB_DROP_REASON_NOT_SPECIFIED;
	memcpy(&body, arp + 1, sizeof(body));
	if (!arp_sender_good(ifp, &body))
		return SKB_DROP_REASON_NOT_SPECIFIED;

	own = body.sip ? strata_addr_find_rcu(ifp->sn, body.sip) : NULL;
	if (own) {
		/* a frame of ours that came back is none */
		if (!ether_addr_equal(body.sha, skb->dev->dev_addr) && own->ifp == ifp)
			arp_conflict(own, body.sha);
		return SKB_NOT_DROPPED_YET;
	}
	arp_merge(ifp, skb, arp->ar_op == htons(ARPOP_REQUEST), &body);
	return SKB_NOT_DROPPED_YET;
}

void strata_arp_rcv(struct strata_dev *ifp, struct sk_buff *skb)
{
	enum skb_drop_reason why = arp_step(ifp, skb);

	if (!why) {
		consume_skb(skb);
		return;
	}
	strata_inc(ifp->sn, ARP_INERRORS);
	strata_drop(skb, STRATA_LAYER_ARP, why);
}
