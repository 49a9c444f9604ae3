/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arp: link addresses of neighbours (RFC 826, 1122 2.3.2, 5227; the reachability
 * states of RFC 4861 7.3 as the native stack applies them to IPv4).
 */
#ifndef _STRATA_ARP_H
#define _STRATA_ARP_H

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/seqlock.h>
#include <net/neighbour.h>	/* NUD_* */
#include "dev.h"

/**
 * struct strata_neigh - a next hop on a device with link headers
 * @hash: in strata_neigh_net.hash
 * @ifp: device, counted
 * @addr: IPv4 address
 * @state: NUD_*
 * @flags: NTF_*
 * @mapped: the link address follows from the IP address or the device, no ARP
 * @dead: unlinked from the table
 * @probes: sent in this round
 * @hh_len: bytes of @hh; 0: the device builds its own headers
 * @ha_seq: readers of @ha, @hh and @hh_len
 * @hh: the link header ready to copy
 * @ha: link address, valid in NUD_VALID states
 * @used, @confirmed, @updated: jiffies; lockless
 * @lock: protects all that is written after creation
 * @queue: packets that wait for @ha; @queue_bytes: their truesize
 * @timer: next step of the state machine; holds a reference while pending
 * @reap: chain of entries being removed, their remover's
 * @ref: the table's, the timer's, one per path
 *
 * locking: @lock, BH off, for writers; the fast path reads @state and, by @ha_seq,
 * the header without it. Freed after a grace period.
 */
struct strata_neigh {
	struct hlist_node	hash;
	struct strata_dev	*ifp;
	__be32			addr;
	u8			state;
	u8			flags;
	bool			mapped;
	bool			dead;
	u8			probes;
	u8			hh_len;
	seqcount_spinlock_t	ha_seq;
	u8			hh[ETH_HLEN] __aligned(8);
	u8			ha[MAX_ADDR_LEN] __aligned(8);
	unsigned long		used;
	unsigned long		confirmed;
	unsigned long		updated;
	spinlock_t		lock;		/* all that changes after creation */
	struct sk_buff_head	queue;
	unsigned int		queue_bytes;
	struct timer_list	timer;
	struct strata_neigh	*reap;
	refcount_t		ref;
	struct rcu_head		rcu;
};

/** struct strata_arp_up - what arp calls upward; strata_arp_up is filled in main.c */
struct strata_arp_up {
	/*
	 * no link address for the next hop of @skb (data at the IP header): tell the
	 * sockets concerned with EHOSTUNREACH. Given away. BH off, no locks held
	 */
	void (*failed)(struct strata_net *sn, struct sk_buff *skb);
	/* an entry was created, changed or removed (notify listeners); any context */
	void (*changed)(struct strata_neigh *n, int event);
};

extern const struct strata_arp_up strata_arp_up;

int strata_arp_net_init(struct strata_net *sn);
void strata_arp_net_exit(struct strata_net *sn);

/** strata_arp_rcv() - an ARP packet came in (strata_dev_up.rcv_arp) */
void strata_arp_rcv(struct strata_dev *ifp, struct sk_buff *skb);
/** strata_arp_addr_added() - announce an address to its link (RFC 5227 2.3); rtnl */
void strata_arp_addr_added(struct strata_ifaddr *ifa);
/** strata_arp_addr_gone() - forget what followed from an address that is in no table; rtnl */
void strata_arp_addr_gone(struct strata_ifaddr *ifa);
/** strata_arp_if_announce() - announce all addresses of @ifp (again); rtnl */
void strata_arp_if_announce(struct strata_dev *ifp);
/** strata_arp_if_down() - forget all neighbours of @ifp; rtnl */
void strata_arp_if_down(struct strata_dev *ifp);
/** strata_arp_if_change() - if the link address changed: new cached headers, announce; rtnl */
void strata_arp_if_change(struct strata_dev *ifp);

/**
 * strata_neigh_get() - find or create the entry for @addr on @ifp
 * Broadcast and multicast addresses give a permanent entry with the mapped address.
 * Returns a counted reference, or NULL: no memory or table full. Any context.
 */
struct strata_neigh *strata_neigh_get(struct strata_dev *ifp, __be32 addr);
void strata_neigh_put(struct strata_neigh *n);

/**
 * strata_arp_xmit() - send an IP packet to a neighbour
 * @n: next hop
 * @skb: data at the IP header, room for the link header before it; consumed
 *
 * Puts the link header on and sends, or queues while resolving. Returns 0 or -errno
 * (-EHOSTUNREACH when there is no room for its successor). RCU, any context.
 */
int strata_arp_xmit(struct strata_neigh *n, struct sk_buff *skb);

/** strata_neigh_confirm() - layer 4 saw forward progress (RFC 4861 7.3.1); lockless */
static inline void strata_neigh_confirm(struct strata_neigh *n)
{
	unsigned long now = jiffies;

	if (n && READ_ONCE(n->confirmed) != now)
		WRITE_ONCE(n->confirmed, now);
}

/* for control/: static entries and dumps */

/**
 * strata_neigh_set() - add or change an entry by hand (RTM_NEWNEIGH)
 * @lladdr: NULL or ifp's addr_len bytes; @state: NUD_*; @nlflags: NLM_F_*
 * Returns 0, -EEXIST, -ENOENT, -EINVAL, -ENOBUFS. Process context: new ones are charged to it
 */
int strata_neigh_set(struct strata_dev *ifp, __be32 addr, const u8 *lladdr, u8 state, u8 flags,
		     u16 nlflags, struct netlink_ext_ack *extack);
/** strata_neigh_del() - remove an entry; -ENOENT if not there */
int strata_neigh_del(struct strata_dev *ifp, __be32 addr);
/** strata_neigh_find() - like strata_neigh_get() but never creates */
struct strata_neigh *strata_neigh_find(struct strata_dev *ifp, __be32 addr);

/** struct strata_neigh_info - a consistent copy of an entry for reports */
struct strata_neigh_info {
	__be32		addr;
	int		ifindex;
	u8		ha[MAX_ADDR_LEN];
	u8		ha_len;
	u8		state;
	u8		flags;
	u8		probes;
	u32		refcnt;
	unsigned long	used;
	unsigned long	confirmed;
	unsigned long	updated;
};

void strata_neigh_info(struct strata_neigh *n, struct strata_neigh_info *info);

/**
 * strata_neigh_walk_rcu() - call @fn for entries from position *@pos on; RCU
 * @fn returns nonzero to stop; *@pos then stands on that entry. Returns @fn's last value.
 */
int strata_neigh_walk_rcu(struct strata_net *sn, long *pos,
			  int (*fn)(struct strata_neigh *n, void *arg), void *arg);

#endif /* _STRATA_ARP_H */
