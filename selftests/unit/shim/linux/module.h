/* SPDX-License-Identifier: GPL-2.0-only */
/* modules: references are counted so that tests can see a leak */
#ifndef _SHIM_MODULE_H
#define _SHIM_MODULE_H

#include <linux/types.h>

struct module {
	int refs;
	bool going;
};

extern struct module shim_module;	/* each test program defines it */

#define THIS_MODULE		(&shim_module)
#define EXPORT_SYMBOL_GPL(sym)

static inline bool try_module_get(struct module *m)
{
	if (m->going)
		return false;
	m->refs++;
	return true;
}

static inline void __module_get(struct module *m)
{
	m->refs++;
}

static inline void module_put(struct module *m)
{
	m->refs--;
}

#endif
