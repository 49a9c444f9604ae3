/* SPDX-License-Identifier: GPL-2.0-only */
/* one thread: locks only check that they pair */
#ifndef _SHIM_SPINLOCK_H
#define _SHIM_SPINLOCK_H

#include <stdlib.h>

#define DEFINE_SPINLOCK(name)	int name

static inline void spin_lock(int *l)
{
	if ((*l)++)
		abort();
}

static inline void spin_unlock(int *l)
{
	if (--(*l))
		abort();
}

#define lockdep_is_held(l)	(*(l))

#endif
