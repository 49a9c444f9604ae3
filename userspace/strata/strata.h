/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of the strata tool share: the global options, the exit
 * statuses, and the entry points main.c dispatches to.
 */
#ifndef STRATA_TOOL_H
#define STRATA_TOOL_H

#include <linux/strata.h>
#include <stdbool.h>

/* Exit statuses, as iproute2's: the words were wrong, or the kernel refused. */
#define EXIT_USAGE	1
#define EXIT_KERNEL	2

/**
 * struct strata_opts - options given before the command
 * @json:	print JSON
 * @pretty:	indent it
 * @oneline:	one record a line
 * @brief:	name, state and addresses only
 * @family:	address family of the requests: AF_STRATA's number here
 */
struct strata_opts {
	bool json;
	bool pretty;
	bool oneline;
	bool brief;
	int family;
};

extern struct strata_opts opt;

/**
 * struct command - a word and the function it calls
 * @name:	the word; any prefix of it is understood, the first in the table wins
 * @run:	called with argv[0] the word itself; returns the exit status
 */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
};

/* Find the command that @word names in a table that ends with a NULL name. */
const struct command *command_find(const struct command *table, const char *word);

/* Is @word one that asks for help? */
bool is_help(const char *word);

/*
 * Run "@object VERB ...": argv[0] is the object. Without a verb the first
 * entry of @table runs. "help" prints @help. Returns the exit status.
 */
int command_run(const char *object, const struct command *table,
		const char *help, int argc, char **argv);

/* The commands, each in a file of its own. */
int cmd_addr(int argc, char **argv);
int cmd_route(int argc, char **argv);
int cmd_neigh(int argc, char **argv);
int cmd_link(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
/* "@object monitor": of that object alone, unless words say otherwise */
int monitor_object(const char *object, int argc, char **argv);
int cmd_ss(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_ping(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/*
 * Number of the address family: the loaded module's parameter, else the
 * number it would take. Tries to have the module loaded.
 * family_require() prints what is missing and returns false if it is not.
 */
int family_number(void);
bool family_require(void);

/* Print "Error: ..." on one line of stderr; returns EXIT_USAGE. */
int usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
