/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dev: Strata's side of a netdevice, its addresses, and the way round inside
 * the host. The lowest layer but the core.
 */
#ifndef _STRATA_DEV_H
#define _STRATA_DEV_H

#include <linux/if_addr.h>
#include "strata.h"

struct netlink_ext_ack;

/**
 * struct strata_dev - a netdevice that carries at least one Strata address
 * @dev: the netdevice, held; NULL once unbound. Readers: RCU
 * @sn: namespace
 * @node: in strata_net.devs
 * @addrs: struct strata_ifaddr.node
 * @ifindex: of @dev, stays readable after unbinding
 * @arp: has link headers: next hops need a struct strata_neigh (which asks by ARP
 *	unless the device says IFF_NOARP)
 * @noarp: it said IFF_NOARP when last seen; rtnl
 * @lladdr: the device's own link address as last seen; rtnl
 * @ref: references (one for being bound, one per path, neighbour, ...)
 *
 * locking: lists by rtnl, RCU readers. Freed after a grace period.
 */
struct strata_dev {
	struct net_device __rcu	*dev;
	struct strata_net	*sn;
	struct list_head	node;
	struct list_head	addrs;
	int			ifindex;
	bool			arp;
	bool			noarp;
	u8			lladdr[MAX_ADDR_LEN];
	refcount_t		ref;
	netdevice_tracker	tracker;
	struct rcu_head		rcu;
};

/**
 * struct strata_ifaddr - an address of this host
 * @node: in strata_dev.addrs; @hash: in strata_net.addr_hash
 * @ifp: its device; valid as long as the address is listed
 * @local: the address; @peer: far end of a point-to-point link, else @local
 * @mask: of the prefix; @broadcast: 0 without one
 * @plen, @scope, @flags: as in struct ifaddrmsg (IFA_F_*)
 * @cstamp, @tstamp: jiffies of creation and last change
 * @announce: ARP announcements still to send; @announced: jiffies of the last one
 */
struct strata_ifaddr {
	struct list_head	node;
	struct hlist_node	hash;
	struct strata_dev	*ifp;
	__be32			local;
	__be32			peer;
	__be32			mask;
	__be32			broadcast;
	u8			plen;
	u8			scope;
	u32			flags;
	u32			metric;
	unsigned long		cstamp;
	unsigned long		tstamp;
	unsigned long		announced;
	u8			announce;
	struct rcu_head		rcu;
};

/** struct strata_dev_up - what dev calls upward; strata_dev_up is filled in main.c */
struct strata_dev_up {
	/* @skb: data at the IP header, not shared, STRATA_RCV_CB filled; given away. RCU, BH off */
	void (*rcv_ip)(struct strata_dev *ifp, struct sk_buff *skb);
	/* @skb: data at the ARP header; a private copy, given away. RCU, BH off */
	void (*rcv_arp)(struct strata_dev *ifp, struct sk_buff *skb);
	/*
	 * the device went down or is gone for Strata: forget all that points to it. rtnl.
	 * Its addresses stay while it is only down; addr_added tells when it is up again
	 */
	void (*if_down)(struct strata_dev *ifp);
	/* link state, MTU or link address changed. rtnl */
	void (*if_change)(struct strata_dev *ifp);
	/* it is behind another port of the switch now: announce its addresses again. rtnl */
	void (*if_announce)(struct strata_dev *ifp);
	/*
	 * an address came into use: it was added to a device that is up, or its device
	 * came up (announce it, add its connected route; twice is no error); or it is
	 * going. rtnl
	 */
	int (*addr_added)(struct strata_ifaddr *ifa, struct netlink_ext_ack *extack);
	void (*addr_removed)(struct strata_ifaddr *ifa);
	/* it is in no table any more. rtnl */
	void (*addr_gone)(struct strata_ifaddr *ifa);
	/* its metric is about to change: its connected route goes, addr_added follows. rtnl */
	void (*addr_metric)(struct strata_ifaddr *ifa);
	/* an address was configured, changed or removed (RTM_*ADDR): notify listeners. rtnl */
	void (*addr_changed)(struct strata_ifaddr *ifa, int event);
};

extern const struct strata_dev_up strata_dev_up;

/** enum strata_addr_type - what an IPv4 destination is to this host */
enum strata_addr_type {
	STRATA_ADDR_OTHER,	/* another host */
	STRATA_ADDR_LOCAL,	/* one of ours, or 127.0.0.0/8 */
	STRATA_ADDR_BROADCAST,	/* 255.255.255.255, 0.0.0.0 or a prefix's broadcast */
	STRATA_ADDR_MULTICAST,	/* 224.0.0.0/4 */
};

int strata_dev_start(void);
void strata_dev_stop(void);
int strata_dev_net_init(struct strata_net *sn);
void strata_dev_net_exit(struct strata_net *sn);

/** strata_dev_get() - take a reference; strata_dev_put() gives it back */
static inline struct strata_dev *strata_dev_get(struct strata_dev *ifp)
{
	refcount_inc(&ifp->ref);
	return ifp;
}

void strata_dev_put(struct strata_dev *ifp);

/** strata_dev_find_rcu() - the bound device with this index, or NULL; RCU or rtnl */
struct strata_dev *strata_dev_find_rcu(struct strata_net *sn, int ifindex);

/**
 * strata_dev_bind_rtnl() - find or bind @dev
 * Returns the device or ERR_PTR: -EBUSY another rx_handler holds it,
 * -EINVAL not a device that carries IPv4, -ENOMEM. extack names the cause.
 */
struct strata_dev *strata_dev_bind_rtnl(struct strata_net *sn, struct net_device *dev,
					struct netlink_ext_ack *extack);
/** strata_dev_unbind_rtnl() - unbind if no address is left */
void strata_dev_unbind_rtnl(struct strata_dev *ifp);

/**
 * strata_dev_xmit() - give a finished frame to the device
 * @ifp: outgoing device
 * @skb: link header in place, network header set; consumed
 * Returns 0 or a negative errno (-ENETDOWN unbound, -ENOBUFS queue full). RCU, any context.
 */
int strata_dev_xmit(struct strata_dev *ifp, struct sk_buff *skb);

/**
 * strata_loop_xmit() - deliver a packet of ours to ourselves
 * @sn: namespace
 * @skb: data at the IP header, room for a link header before it; consumed
 * @iif: device it is to have come in by, 0: "lo", or that of its destination
 * It comes up through strata_dev_up.rcv_ip later, from its own NAPI context, with
 * STRATA_RCV_LOOP. Returns 0, -ENOBUFS when the per-CPU queue is full, -ENETDOWN without "lo".
 */
int strata_loop_xmit(struct strata_net *sn, struct sk_buff *skb, int iif);

/** strata_loop_dev() - what hands looped packets up, and sends none; lives as long as @sn */
static inline struct strata_dev *strata_loop_dev(const struct strata_net *sn)
{
	return sn->loop;
}

/* addresses: addr.c */

/** strata_conf_changed_rtnl() - an address or route was changed: dumps under way are told, too */
static inline void strata_conf_changed_rtnl(struct strata_net *sn)
{
	WRITE_ONCE(sn->dump_seq, sn->dump_seq + 1);
	strata_route_changed(sn);
}

/** struct strata_addr_cfg - what control/ asks for */
struct strata_addr_cfg {
	__be32	local;
	__be32	peer;
	__be32	broadcast;
	u8	plen;
	u8	scope;
	u32	flags;
	u32	metric;
	bool	has_broadcast;
	bool	replace;	/* of an address that is there: take its metric */
};

/**
 * strata_addr_add_rtnl() - give @dev an address, binding it with the first one
 * Returns 0, -EEXIST (same address and prefix there), -EINVAL (not a host address,
 * prefix length above 32), or what binding gives.
 */
int strata_addr_add_rtnl(struct strata_net *sn, struct net_device *dev,
			 const struct strata_addr_cfg *cfg, struct netlink_ext_ack *extack);
/** strata_addr_del_rtnl() - take a listed address away; the last one of a device unbinds it */
void strata_addr_del_rtnl(struct strata_ifaddr *ifa);
/** strata_addr_find_rcu() - the address entry for @local on any device, or NULL; RCU or rtnl */
struct strata_ifaddr *strata_addr_find_rcu(struct strata_net *sn, __be32 local);
/** strata_addr_shared_rtnl() - is there another entry with the local address of @ifa? */
bool strata_addr_shared_rtnl(const struct strata_ifaddr *ifa);
/** strata_addr_is_local_rcu() - may a socket bind it: ours or 127.0.0.0/8; RCU */
bool strata_addr_is_local_rcu(struct strata_net *sn, __be32 addr);
/** strata_addr_type_rcu() - classify a destination seen on @ifp (NULL: on any device); RCU */
enum strata_addr_type strata_addr_type_rcu(struct strata_net *sn, const struct strata_dev *ifp,
					   __be32 addr);
/**
 * strata_addr_broadcast_dev_rcu() - the device with a prefix whose broadcast address is @addr
 * One that is up, if there is one; NULL: none. RCU
 */
struct strata_dev *strata_addr_broadcast_dev_rcu(struct strata_net *sn, __be32 addr);
/**
 * strata_addr_select_rcu() - source address for @dst leaving by @ifp: one whose prefix
 * holds @dst, else the first of @ifp, else the first of any device; 0 if there is none. RCU
 */
__be32 strata_addr_select_rcu(struct strata_net *sn, const struct strata_dev *ifp, __be32 dst);

/** strata_addr_on_link_rcu() - does a prefix of @ifp hold @addr? RCU */
bool strata_addr_on_link_rcu(const struct strata_dev *ifp, __be32 addr);
/** strata_addr_flush_rtnl() - take all addresses of @ifp away, which unbinds it */
void strata_addr_flush_rtnl(struct strata_dev *ifp);

int strata_loop_init(void);
void strata_loop_exit(void);

/* loop.c, for dev.c */

int strata_loop_net_init(struct strata_net *sn);
void strata_loop_net_exit(struct strata_net *sn);
/** strata_loop_bind_rtnl(), strata_loop_unbind_rtnl() - the loopback device came, goes */
void strata_loop_bind_rtnl(struct strata_net *sn, struct net_device *dev);
void strata_loop_unbind_rtnl(struct strata_net *sn, struct net_device *dev);

#endif /* _STRATA_DEV_H */
