/* SPDX-License-Identifier: GPL-2.0-only */
/* order between CPUs, for one thread */
#ifndef _SHIM_BARRIER_H
#define _SHIM_BARRIER_H

#define smp_store_release(p, v)	(*(p) = (v))

#endif
