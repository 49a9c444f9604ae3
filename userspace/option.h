/* SPDX-License-Identifier: GPL-2.0-only */
/* What getopt_long(3) has refused, for the line that says so. */
#ifndef STRATA_OPTION_H
#define STRATA_OPTION_H

#include <getopt.h>
#include <string.h>

/* After a '?': the long option as it was given, or a dash and the letter. */
static inline const char *option_word(char **argv)
{
	static char letter[] = "-?";
	const char *last = argv[optind - 1], *next = argv[optind];

	letter[1] = optopt;
	/* optind stays at a word whose letters are not all read */
	if (optopt && next && next[0] == '-' && next[1] != '-' && strchr(next, optopt))
		return letter;
	return optopt && strncmp(last, "--", 2) ? letter : last;
}

#endif
