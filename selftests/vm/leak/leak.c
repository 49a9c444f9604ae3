// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that leaks: the harness must notice (selftests/vm/test).
 */
#include <linux/module.h>
#include <linux/slab.h>

static int __init leak_init(void)
{
	void *p = kmalloc(100, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	OPTIMIZER_HIDE_VAR(p);
	return 0;
}

static void __exit leak_exit(void)
{
}

module_init(leak_init);
module_exit(leak_exit);
MODULE_DESCRIPTION("Leaks 100 bytes");
MODULE_LICENSE("GPL");
