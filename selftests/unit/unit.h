/* SPDX-License-Identifier: GPL-2.0-only */
/* what the unit tests share: a seeded generator, and the module that the shim counts */
#ifndef _UNIT_H
#define _UNIT_H

#include <linux/module.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tcp_alg.h"
#include "../kselftest_harness.h"

struct module shim_module;

static u64 unit_state;

/* the seed is fixed: a failure repeats */
static inline void unit_seed(u64 seed)
{
	unit_state = seed * 2 + 1;
}

static inline u32 unit_rnd(void)
{
	unit_state = unit_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(unit_state >> 32);
}

/* below @n */
static inline u32 unit_below(u32 n)
{
	return (u32)(((u64)unit_rnd() * n) >> 32);
}

#endif
