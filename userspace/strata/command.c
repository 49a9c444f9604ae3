// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words that name commands: prefixes are enough, as with ip(8), and the order
 * of the table settles which one a short prefix means. Global options and the
 * error line live here too, so that unit tests link them without main().
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strata.h"

struct strata_opts opt = { .family = AF_STRATA };

int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("Error: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

const struct command *command_find(const struct command *table, const char *word)
{
	const struct command *c;

	if (!*word)
		return NULL;
	for (c = table; c->name; c++)
		if (!strcmp(c->name, word))
			return c;
	for (c = table; c->name; c++)
		if (!strncmp(c->name, word, strlen(word)))
			return c;
	return NULL;
}

static int unknown_verb(const char *object, const struct command *table,
			const char *word)
{
	const struct command *c;

	fprintf(stderr, "Error: \"%s %s\" is unknown, expected one of:",
		object, word);
	for (c = table; c->name; c++)
		fprintf(stderr, " %s", c->name);
	fputs(" help\n", stderr);
	return EXIT_USAGE;
}

bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h");
}

int command_run(const char *object, const struct command *table,
		const char *help, int argc, char **argv)
{
	const struct command *c = table;
	int i;

	for (i = 1; i < argc; i++) {
		if (is_help(argv[i])) {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
	}
	if (argc < 2)
		return c->run(argc, argv);
	c = command_find(table, argv[1]);
	if (!c)
		return unknown_verb(object, table, argv[1]);
	return c->run(argc - 1, argv + 1);
}
