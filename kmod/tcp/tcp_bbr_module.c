// SPDX-License-Identifier: GPL-2.0-only
/* strata_bbr.ko: BBR (tcp_bbr.c) for those who choose it */

#include <linux/module.h>
#include "tcp_bbr.h"

static int __init strata_bbr_init(void)
{
	return strata_cong_register(&strata_bbr);
}

static void __exit strata_bbr_exit(void)
{
	strata_cong_unregister(&strata_bbr);
}

module_init(strata_bbr_init);
module_exit(strata_bbr_exit);

MODULE_ALIAS("strata-cong-bbr");
MODULE_DESCRIPTION("BBR congestion control for Strata");
MODULE_LICENSE("GPL");
