/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_BITOPS_H
#define _SHIM_BITOPS_H

/* number of the highest bit set, counted from 1; 0 for 0 */
static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

#endif
