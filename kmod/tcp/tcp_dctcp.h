/* SPDX-License-Identifier: GPL-2.0-only */
/* DCTCP: what tcp_dctcp.c gives to the module around it */
#ifndef _STRATA_TCP_DCTCP_H
#define _STRATA_TCP_DCTCP_H

#include "tcp_alg.h"

extern struct strata_tcp_cong_ops strata_dctcp;

#endif
