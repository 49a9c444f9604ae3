// SPDX-License-Identifier: GPL-2.0-only
/* Commands that are still to come; each moves to a file of its own. */
#include "strata.h"

static int to_come(const char *name)
{
	return usage_error("\"strata %s\" is not written yet.", name);
}

int cmd_trace(int argc, char **argv)
{
	return to_come(argv[0 * argc]);
}
