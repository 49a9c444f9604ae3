/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * control: configuration by rtnetlink and sysctls. Nobody includes this but main.c.
 */
#ifndef _STRATA_CONTROL_H
#define _STRATA_CONTROL_H

#include "ip.h"

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
void strata_rtnl_route_notify(struct strata_net *sn, const struct strata_route_cfg *r, int event);

int strata_sysctl_net_init(struct strata_net *sn);
void strata_sysctl_net_exit(struct strata_net *sn);

#endif /* _STRATA_CONTROL_H */
