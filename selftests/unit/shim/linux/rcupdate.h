/* SPDX-License-Identifier: GPL-2.0-only */
/* RCU for one thread */
#ifndef _SHIM_RCUPDATE_H
#define _SHIM_RCUPDATE_H

#define __rcu
#define rcu_dereference_check(p, c)	(p)
#define rcu_access_pointer(p)		(p)
#define rcu_assign_pointer(p, v)	((p) = (v))
#define RCU_INIT_POINTER(p, v)		((p) = (v))
#ifndef READ_ONCE
#define READ_ONCE(x)			(x)
#define WRITE_ONCE(x, v)		((x) = (v))
#endif

#endif
