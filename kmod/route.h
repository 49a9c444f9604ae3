/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes as they are configured and reported, and what they say of those who take them.
 */
#ifndef _STRATA_ROUTE_H
#define _STRATA_ROUTE_H

#include <linux/rtnetlink.h>
#include "ip.h"

#define STRATA_METRICS_CC_MAX	16

/**
 * struct strata_metrics - of a route (RTA_METRICS), in the units of the message
 * @val: by RTAX_*, 0: not set; [RTAX_LOCK] has a bit for each that is locked
 * @cong: RTAX_CC_ALGO, padded with zeros; empty: not set; @cong_ecn: it needs ECN
 *
 * MTU (0: the device's), HOPLIMIT and FEATURES concern each packet and are in the path
 * (struct strata_path); of the others it has STRATA_PATH_METRICS, and TCP asks for them when a
 * connection opens (tcp_metrics.c).
 */
struct strata_metrics {
	u32	val[RTAX_MAX + 1];
	char	cong[STRATA_METRICS_CC_MAX];
	u8	cong_ecn;
};

static inline bool strata_metrics_locked(const struct strata_metrics *mx, int metric)
{
	return mx->val[RTAX_LOCK] & BIT(metric);
}

/**
 * strata_ip_metrics() - those of the route that @fl takes now; all 0 without one. Any context
 */
void strata_ip_metrics(struct strata_net *sn, const struct strata_flow *fl,
		       struct strata_metrics *mx);

/**
 * struct strata_route_cfg - a route as configured
 * @dst, @plen: prefix; @gw: 0 without; @prefsrc: 0: by address selection
 * @oif: device index; @mx: metrics; @mx_given: bits of those that a message had (RTM_DELROUTE)
 * @type: RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_LOCAL, RTN_BROADCAST
 * @scope, @protocol, @tos, @priority, @flags: as in struct rtmsg
 */
struct strata_route_cfg {
	__be32	dst;
	__be32	gw;
	__be32	prefsrc;
	int	oif;
	u32	priority;
	u32	flags;
	u8	plen;
	u8	type;
	u8	scope;
	u8	protocol;
	u8	tos;
	struct strata_metrics mx;
	u32	mx_given;
};

/**
 * strata_route_add_rtnl() - RTM_NEWROUTE; @nlflags NLM_F_*. 0, -EEXIST, -ENOENT, -ENETUNREACH,
 * -EINVAL, -ENODEV
 */
int strata_route_add_rtnl(struct strata_net *sn, const struct strata_route_cfg *cfg, u16 nlflags,
			  struct netlink_ext_ack *extack);
/**
 * strata_route_del_rtnl() - RTM_DELROUTE: first route that matches what @cfg sets; @removed
 * gets a copy. -ESRCH if none
 */
int strata_route_del_rtnl(struct strata_net *sn, const struct strata_route_cfg *cfg,
			  struct strata_route_cfg *removed, struct netlink_ext_ack *extack);
/** strata_route_if_down() - drop the routes through a device that goes; rtnl */
void strata_route_if_down(struct strata_dev *ifp);
/** strata_route_addr_added() - the connected route that comes with an address; rtnl */
int strata_route_addr_added(struct strata_ifaddr *ifa, struct netlink_ext_ack *extack);
/** strata_route_addr_disconnect() - take only the connected route back; rtnl */
void strata_route_addr_disconnect(struct strata_ifaddr *ifa);
/** strata_route_addr_removed() - that one goes, and those that prefer it as source; rtnl */
void strata_route_addr_removed(struct strata_ifaddr *ifa);
/**
 * struct strata_route_pos - where a walk of the routes stands, 0 at first
 * @key: a prefix; @at: its length and the place of a route in it, 1 more: the one behind it
 *
 * Routes that come and go in other prefixes move nothing
 */
struct strata_route_pos {
	u32	key;
	long	at;
};

/** strata_route_walk_rcu() - as strata_neigh_walk_rcu(); to go on costs no way from the first */
int strata_route_walk_rcu(struct strata_net *sn, struct strata_route_pos *pos,
			  int (*fn)(const struct strata_route_cfg *r, void *arg), void *arg);

#endif /* _STRATA_ROUTE_H */
