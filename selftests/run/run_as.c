// SPDX-License-Identifier: GPL-2.0-only
/*
 * run_as FAMILY [strata run's options] [--] PROGRAM...: "strata run" with the
 * family chosen, built from the launcher's own sources. With AF_UNIX (1) all
 * that the launcher does can be tested where the module is not loaded.
 */
#include <stdlib.h>

#include "run.h"

int main(int argc, char **argv)
{
	struct run_config cfg = { 0 };
	int status;

	if (argc < 2)
		return RUN_EXIT_SELF;
	cfg.family = atoi(argv[1]);
	argv = run_parse(argc - 1, argv + 1, &cfg, &status);
	return argv ? run_program(&cfg, argv) : status;
}
