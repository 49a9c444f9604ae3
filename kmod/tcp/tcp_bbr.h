/* SPDX-License-Identifier: GPL-2.0-only */
/* BBR: what tcp_bbr.c gives to the module around it */
#ifndef _STRATA_TCP_BBR_H
#define _STRATA_TCP_BBR_H

#include "tcp_alg.h"

extern struct strata_tcp_cong_ops strata_bbr;

#endif
