/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report: what can be seen of Strata: /proc/net/strata, sock_diag, counters. It stands
 * beside the socket layer; only main.c includes this.
 */
#ifndef _STRATA_REPORT_H
#define _STRATA_REPORT_H

#include "strata.h"

/** strata_proc_net_init() - make /proc/net/strata of a namespace; 0 or -ENOMEM */
int strata_proc_net_init(struct strata_net *sn);
/** strata_proc_net_exit() - take it away; waits for readers */
void strata_proc_net_exit(struct strata_net *sn);

/** strata_diag_start() - answer sock_diag for the family; 0, -EBUSY: somebody else does */
int strata_diag_start(void);
void strata_diag_stop(void);

#endif /* _STRATA_REPORT_H */
