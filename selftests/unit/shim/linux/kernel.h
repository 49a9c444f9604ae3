/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_KERNEL_H
#define _SHIM_KERNEL_H

#ifndef min
#define min(a, b)	((a) < (b) ? (a) : (b))
#endif

#ifndef READ_ONCE
#define READ_ONCE(x)		(x)
#endif
#ifndef WRITE_ONCE
#define WRITE_ONCE(x, v)	((x) = (v))
#endif

#endif
