/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel that runs: where native does otherwise on an older one, a test asks. */
#ifndef STRATA_TEST_KERNEL_H
#define STRATA_TEST_KERNEL_H

#include <stdio.h>
#include <sys/utsname.h>

/* its version: 612 is 6.12; 0 if it cannot be read */
static inline int kernel_version(void)
{
	int major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%d.%d", &major, &minor) != 2)
		return 0;
	return major * 100 + minor;
}

#endif
