/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * control: configuration by rtnetlink and sysctls. Nobody includes this but main.c.
 */
#ifndef _STRATA_CONTROL_H
#define _STRATA_CONTROL_H

#include "arp.h"

int strata_rtnl_addr_init(void);
void strata_rtnl_addr_exit(void);
/** strata_rtnl_addr_notify() - strata_dev_up.addr_changed */
void strata_rtnl_addr_notify(struct strata_ifaddr *ifa, int event);

int strata_rtnl_neigh_init(void);
void strata_rtnl_neigh_exit(void);
/** strata_rtnl_neigh_notify() - strata_arp_up.changed */
void strata_rtnl_neigh_notify(struct strata_neigh *n, int event);

#endif /* _STRATA_CONTROL_H */
