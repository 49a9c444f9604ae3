// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way round: packets from an address of this host to an address of this host.
 * They never reach a driver. A sender puts the packet on its CPU's queue and
 * schedules that CPU's NAPI instance, which passes it up a moment later from a
 * fresh stack: so a segment and the ACK that answers it do not nest, and a sender's
 * socket lock is free when the answer comes.
 *
 * Packet taps on "lo" see each packet twice, leaving and arriving, as they do with
 * the native stack (libpcap shows only the arriving ones). The arriving copy goes
 * through the loopback device as a frame for another host, which every other
 * receiver ignores.
 *
 * Lifetime: a queued packet points at its namespace's loopback device without a
 * reference; when that device goes, ifp->dev is cleared (nobody queues any more) and
 * the queues are cleaned, with the NAPI instances stopped.
 */

#include <linux/errqueue.h>
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <net/dst.h>
#include "dev.h"
#include "stats.h"

#define LOOP_QUEUE_MAX	4096	/* packets; native's netdev_max_backlog is 1000 */

/*
 * struct loop_cpu - one CPU's loop
 * @in: queued by senders of this CPU; its lock is only contended by flushes
 * @work: being passed up; owned by whoever owns @napi
 */
struct loop_cpu {
	struct sk_buff_head	in;
	struct sk_buff_head	work;
	struct napi_struct	napi;
};

static DEFINE_PER_CPU(struct loop_cpu, loop_cpus);
static struct net_device loop_napi_dev;	/* only carries the NAPI instances */

/* give the taps a copy with the zeroed Ethernet header that "lo" has */
static struct sk_buff *loop_tap_copy(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *copy = skb_copy_expand(skb, ETH_HLEN, 0, GFP_ATOMIC);
	struct ethhdr *eth;

	if (!copy)
		return NULL;
	copy->dev = dev;
	copy->protocol = htons(ETH_P_IP);
	skb_reset_network_header(copy);
	eth = skb_push(copy, ETH_HLEN);
	skb_reset_mac_header(copy);
	eth_zero_addr(eth->h_dest);
	eth_zero_addr(eth->h_source);
	eth->h_proto = htons(ETH_P_IP);
	return copy;
}

static void loop_tap_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *copy = loop_tap_copy(skb, dev);

	if (!copy)
		return;
	dev_queue_xmit_nit(copy, dev);
	consume_skb(copy);
}

static void loop_tap_rcv(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *copy = loop_tap_copy(skb, dev);

	if (!copy)
		return;
	__skb_pull(copy, ETH_HLEN);
	copy->pkt_type = PACKET_OTHERHOST;
	netif_receive_skb(copy);
}

int strata_loop_xmit(struct strata_net *sn, struct sk_buff *skb, int iif)
{
	struct net_device *dev;
	struct loop_cpu *lc;
	int err = 0;

	local_bh_disable();
	rcu_read_lock();
	dev = rcu_dereference(sn->loop->dev);
	lc = this_cpu_ptr(&loop_cpus);
	if (unlikely(!dev)) {
		err = -ENETDOWN;
		strata_drop(skb, STRATA_LAYER_DEV, SKB_DROP_REASON_DEV_READY);
		goto out;
	}
	if (unlikely(skb_queue_len_lockless(&lc->in) >= LOOP_QUEUE_MAX)) {
		err = -ENOBUFS;
		strata_drop(skb, STRATA_LAYER_DEV, SKB_DROP_REASON_CPU_BACKLOG);
		goto out;
	}
	if (dev_nit_active(dev))
		loop_tap_xmit(skb, dev);
	skb->dev = dev;
	STRATA_RCV_CB(skb)->iif = iif;
	if (unlikely(skb_shinfo(skb)->tx_flags & SKBTX_SCHED_TSTAMP))
		__skb_tstamp_tx(skb, NULL, NULL, skb->sk, SCM_TSTAMP_SCHED);
	skb_tx_timestamp(skb);
	/* a departure, too: skb_clear_tstamp() would leave it */
	skb_set_delivery_time(skb, 0, SKB_CLOCK_MONOTONIC);
	skb_orphan(skb);
	skb_dst_drop(skb);

	spin_lock(&lc->in.lock);
	__skb_queue_tail(&lc->in, skb);
	spin_unlock(&lc->in.lock);
	napi_schedule(&lc->napi);
out:
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

static void loop_deliver(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct strata_rcv_cb *cb;

	if (dev_nit_active(dev))
		loop_tap_rcv(skb, dev);
	if (unlikely(skb_orphan_frags_rx(skb, GFP_ATOMIC))) {
		strata_drop(skb, STRATA_LAYER_DEV, SKB_DROP_REASON_NOMEM);
		return;
	}
	/* as netif_receive_skb() where anybody wants to know */
	if (static_branch_unlikely(&netstamp_needed_key))
		__net_timestamp(skb);
	skb->pkt_type = PACKET_HOST;
	skb->protocol = htons(ETH_P_IP);
	skb->skb_iif = dev->ifindex;
	skb_reset_network_header(skb);
	skb_reset_mac_header(skb);
	skb_reset_mac_len(skb);
	cb = STRATA_RCV_CB(skb);
	cb->flags = STRATA_RCV_LOOP;
	cb->pad = 0;
	cb->frag_max = 0;
	strata_dev_up.rcv_ip(strata_net(dev_net(dev))->loop, skb);
}

static int loop_poll(struct napi_struct *napi, int budget)
{
	struct loop_cpu *lc = container_of(napi, struct loop_cpu, napi);
	struct sk_buff *skb;
	int done = 0;

	rcu_read_lock();
	while (done < budget) {
		skb = __skb_dequeue(&lc->work);
		if (!skb) {
			spin_lock(&lc->in.lock);
			skb_queue_splice_tail_init(&lc->in, &lc->work);
			spin_unlock(&lc->in.lock);
			skb = __skb_dequeue(&lc->work);
		}
		if (!skb)
			break;
		loop_deliver(skb);
		done++;
	}
	rcu_read_unlock();
	/* what came in between found the NAPI scheduled: look again */
	if (done < budget && napi_complete_done(napi, done) &&
	    !skb_queue_empty_lockless(&lc->in))
		napi_schedule(napi);
	return done;
}

static void loop_purge(struct sk_buff_head *list, const struct net_device *dev)
{
	struct sk_buff *skb, *next;

	skb_queue_walk_safe(list, skb, next) {
		if (skb->dev != dev)
			continue;
		__skb_unlink(skb, list);
		strata_drop(skb, STRATA_LAYER_DEV, SKB_DROP_REASON_DEV_READY);
	}
}

/* drop all packets of @dev; those of other namespaces only wait meanwhile */
static void loop_flush(const struct net_device *dev)
{
	struct loop_cpu *lc;
	int cpu;

	for_each_possible_cpu(cpu) {
		lc = per_cpu_ptr(&loop_cpus, cpu);
		napi_disable(&lc->napi);
		spin_lock_bh(&lc->in.lock);
		loop_purge(&lc->in, dev);
		loop_purge(&lc->work, dev);
		spin_unlock_bh(&lc->in.lock);
		napi_enable(&lc->napi);
		local_bh_disable();
		if (!skb_queue_empty_lockless(&lc->in) || !skb_queue_empty_lockless(&lc->work))
			napi_schedule(&lc->napi);
		local_bh_enable();
	}
}

void strata_loop_bind_rtnl(struct strata_net *sn, struct net_device *dev)
{
	struct strata_dev *ifp = sn->loop;

	if (rtnl_dereference(ifp->dev))
		return;
	netdev_hold(dev, &ifp->tracker, GFP_KERNEL);
	ifp->ifindex = dev->ifindex;
	rcu_assign_pointer(ifp->dev, dev);
}

void strata_loop_unbind_rtnl(struct strata_net *sn, struct net_device *dev)
{
	struct strata_dev *ifp = sn->loop;

	if (rtnl_dereference(ifp->dev) != dev)
		return;
	RCU_INIT_POINTER(ifp->dev, NULL);
	synchronize_net();
	loop_flush(dev);
	strata_route_changed(sn);
	netdev_put(dev, &ifp->tracker);
}

int strata_loop_net_init(struct strata_net *sn)
{
	struct strata_dev *ifp = kzalloc(sizeof(*ifp), GFP_KERNEL);

	if (!ifp)
		return -ENOMEM;
	ifp->sn = sn;
	ifp->ifindex = LOOPBACK_IFINDEX;
	INIT_LIST_HEAD(&ifp->node);
	INIT_LIST_HEAD(&ifp->addrs);
	refcount_set(&ifp->ref, 1);
	sn->loop = ifp;
	return 0;
}

void strata_loop_net_exit(struct strata_net *sn)
{
	strata_dev_put(sn->loop);
	sn->loop = NULL;
}

int strata_loop_init(void)
{
	struct loop_cpu *lc;
	int cpu;

	init_dummy_netdev(&loop_napi_dev);
	for_each_possible_cpu(cpu) {
		lc = per_cpu_ptr(&loop_cpus, cpu);
		skb_queue_head_init(&lc->in);
		__skb_queue_head_init(&lc->work);
		set_bit(NAPI_STATE_NO_BUSY_POLL, &lc->napi.state);
		netif_napi_add(&loop_napi_dev, &lc->napi, loop_poll);
		napi_enable(&lc->napi);
	}
	return 0;
}

void strata_loop_exit(void)
{
	struct loop_cpu *lc;
	int cpu;

	for_each_possible_cpu(cpu) {
		lc = per_cpu_ptr(&loop_cpus, cpu);
		napi_disable(&lc->napi);
		netif_napi_del(&lc->napi);
		__skb_queue_purge(&lc->in);
		__skb_queue_purge(&lc->work);
	}
	synchronize_net();
}
