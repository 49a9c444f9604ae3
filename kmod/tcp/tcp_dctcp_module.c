// SPDX-License-Identifier: GPL-2.0-only
/* strata_dctcp.ko: DCTCP (tcp_dctcp.c) for those who choose it */

#include <linux/module.h>
#include "tcp_dctcp.h"

static int __init strata_dctcp_init(void)
{
	return strata_cong_register(&strata_dctcp);
}

static void __exit strata_dctcp_exit(void)
{
	strata_cong_unregister(&strata_dctcp);
}

module_init(strata_dctcp_init);
module_exit(strata_dctcp_exit);

MODULE_ALIAS("strata-cong-dctcp");
MODULE_DESCRIPTION("DCTCP congestion control for Strata");
MODULE_LICENSE("GPL");
