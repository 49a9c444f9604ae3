// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool's commands with the native stack's address family in their
 * requests: Strata uses the messages of AF_INET, so the native stack is a
 * reference that the tool's output and ip(8)'s can be compared on.
 *
 *	tool_native [-j|-o|-br] addr|route|neigh|link|monitor|ss ...
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "strata.h"

static const struct command commands[] = {
	{ "addr", cmd_addr }, { "route", cmd_route }, { "neigh", cmd_neigh },
	{ "link", cmd_link }, { "monitor", cmd_monitor }, { "ss", cmd_ss }, { "ping", cmd_ping },
	{ NULL, NULL }
};

int main(int argc, char **argv)
{
	const struct command *c;

	opt.family = AF_INET;
	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
		opt.json |= !strcmp(argv[1], "-j");
		opt.oneline |= !strcmp(argv[1], "-o");
		opt.brief |= !strcmp(argv[1], "-br");
	}
	c = argc > 1 ? command_find(commands, argv[1]) : NULL;
	return c ? c->run(argc - 1, argv + 1) : EXIT_USAGE;
}
