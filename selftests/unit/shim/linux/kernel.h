/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_KERNEL_H
#define _SHIM_KERNEL_H

#ifndef min
#define min(a, b)	((a) < (b) ? (a) : (b))
#endif

#endif
