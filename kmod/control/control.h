/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * control: configuration by rtnetlink and sysctls. Nobody includes this but main.c.
 */
#ifndef _STRATA_CONTROL_H
#define _STRATA_CONTROL_H

#include <linux/rtnetlink.h>
#include <net/netlink.h>
#include "ip.h"
#include "route.h"

/**
 * struct strata_rtnl_cause - the request whose doing is announced; under rtnl
 * @nlh: NULL: nobody's: a device went
 * @portid: who sent it
 *
 * Notices of addresses and routes bear its number and sender's port, and go to the sender too
 * if it asked for an echo (NLM_F_ECHO).
 */
struct strata_rtnl_cause {
	struct nlmsghdr	*nlh;
	u32		portid;
};

/** strata_rtnl_cause_set() - notices are @nlh's, which came in @skb; NULL: nobody's again */
static inline void strata_rtnl_cause_set(struct strata_rtnl_cause *cause,
					 const struct sk_buff *skb, struct nlmsghdr *nlh)
{
	ASSERT_RTNL();
	cause->nlh = nlh;
	cause->portid = nlh ? NETLINK_CB(skb).portid : 0;
}

/** strata_rtnl_cause_seq() - the number that a notice bears */
static inline u32 strata_rtnl_cause_seq(const struct strata_rtnl_cause *cause)
{
	ASSERT_RTNL();
	return cause->nlh ? cause->nlh->nlmsg_seq : 0;
}

int strata_rtnl_addr_init(void);
void strata_rtnl_addr_exit(void);
/** strata_rtnl_addr_notify() - strata_dev_up.addr_changed */
void strata_rtnl_addr_notify(struct strata_ifaddr *ifa, int event);

int strata_rtnl_neigh_init(void);
void strata_rtnl_neigh_exit(void);
/** strata_rtnl_neigh_notify() - strata_arp_up.changed */
void strata_rtnl_neigh_notify(struct strata_neigh *n, int event);

int strata_rtnl_route_init(void);
void strata_rtnl_route_exit(void);
/** strata_rtnl_route_notify() - strata_ip_up.route_changed */
void strata_rtnl_route_notify(struct strata_net *sn, const struct strata_route_cfg *r, int event,
			      u16 nlflags);

/* rtnl_metrics.c: RTA_METRICS. 0 or -errno, -EMSGSIZE: no room */

int strata_rtnl_metrics_parse(const struct nlattr *attr, struct strata_route_cfg *cfg,
			      struct netlink_ext_ack *extack);
/** strata_rtnl_metrics_cong() - may a route have mx->cong? Loads its module */
int strata_rtnl_metrics_cong(struct strata_metrics *mx, struct netlink_ext_ack *extack);
int strata_rtnl_metrics_fill(struct sk_buff *skb, const struct strata_metrics *mx);

int strata_sysctl_net_init(struct strata_net *sn);
void strata_sysctl_net_exit(struct strata_net *sn);

#endif /* _STRATA_CONTROL_H */
