/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of ip/ share among themselves.
 */
#ifndef _STRATA_IP_INT_H
#define _STRATA_IP_INT_H

#include <linux/hash.h>
#include "ip.h"
#include "route.h"
#include "route_lpm.h"

#define STRATA_IP_MAX_LEN	65535U	/* total length field, RFC 791 3.1 */
#define STRATA_IP_MIN_MTU	68U	/* RFC 791: every module forwards 68 octets */

/**
 * struct strata_route - a route; in its prefix' list, by decreasing tos and increasing priority
 * @cfg: as configured
 * @path_flags: STRATA_PATH_* of the paths by it
 * @ifp: its device, counted; NULL for RTN_BLACKHOLE and the like
 */
struct strata_route {
	struct list_head	node;
	struct strata_route_cfg	cfg;
	u16			path_flags;
	struct strata_dev	*ifp;
	struct strata_route	*swept;	/* the next that goes with it */
	struct rcu_head		rcu;
};

/**
 * strata_route_check() - complete @cfg and see whether it makes sense (route_check.c). 0, or -errno
 * with its cause. rtnl
 */
int strata_route_check(struct strata_net *sn, struct strata_route_cfg *cfg,
		       struct netlink_ext_ack *extack);
int strata_route_init(struct strata_net *sn);
void strata_route_exit(struct strata_net *sn);
/**
 * strata_route_lookup_rcu() - the best usable route to @daddr
 * @oif: only through this device (routes that refuse have none, and count), 0: any
 * @tos: of the packet
 * @onlink: only routes without a gateway
 */
const struct strata_route *strata_route_lookup_rcu(struct strata_net *sn, __be32 daddr, int oif,
						   u8 tos, bool onlink);

/** strata_path_mtu_rcu() - MTU of @ep's way to @daddr, 0: none that a router could lower; RCU */
u32 strata_path_mtu_rcu(const struct strata_sock *ep, __be32 daddr);

/* the chain of path MTUs in which @daddr is */
static inline u32 strata_pmtu_chain(const struct strata_net *sn, __be32 daddr)
{
	return hash_32((__force u32)daddr ^ sn->key, STRATA_PMTU_HASH_BITS);
}

/** strata_path_slot() - which of strata_net.route_gen is @daddr's */
static inline u8 strata_path_slot(const struct strata_net *sn, __be32 daddr)
{
	return strata_pmtu_chain(sn, daddr) >> (STRATA_PMTU_HASH_BITS - STRATA_GEN_BITS);
}

void strata_pmtu_net_init(struct strata_net *sn);
void strata_pmtu_net_exit(struct strata_net *sn);
/**
 * strata_pmtu_rcu() - the path MTU learnt for @daddr, 0 without one; RCU
 * @cut: set if the path takes less than is returned: send without DF
 */
u32 strata_pmtu_rcu(struct strata_net *sn, __be32 daddr, bool *cut);

/** strata_ip_ident_init() - draw the key of identifications, before the first packet */
void strata_ip_ident_init(void);

int strata_reasm_init(void);
void strata_reasm_exit(void);
int strata_reasm_net_init(struct strata_net *sn);
void strata_reasm_net_exit(struct strata_net *sn);

/**
 * struct strata_frag - where a fragment belongs
 * @offset: of its first octet in the datagram
 * @more: not the last one
 */
struct strata_frag {
	unsigned int	offset;
	bool		more;
};

/**
 * strata_ip_reasm() - keep a fragment until its datagram is whole
 * @skb: data at the IP header, which is linear; trimmed to the total length. Consumed,
 *	or made the whole datagram: then data is at the IP header and its total length,
 *	fragment field and checksum are for the caller to set
 *
 * Returns the datagram, or NULL: it waits for more, or has died (counted and freed).
 */
struct sk_buff *strata_ip_reasm(struct strata_dev *ifp, struct sk_buff *skb,
				const struct strata_frag *frag);

/**
 * strata_ip_fragment() - cut a datagram (RFC 791 2.3)
 * @path: its MTU is what a fragment may have, with header
 * @skb: data at the IP header; consumed
 * @finish: gets each fragment with its place; consumes it. Returns 0 or -errno
 */
int strata_ip_fragment(struct strata_net *sn, const struct strata_path *path, struct sk_buff *skb,
		       int (*finish)(struct strata_net *sn, const struct strata_path *path,
				     struct sk_buff *skb, const struct strata_frag *frag));

#endif /* _STRATA_IP_INT_H */
