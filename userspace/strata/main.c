// SPDX-License-Identifier: GPL-2.0-only
/*
 * strata: the tool of the Strata network stack. This file reads the options
 * that stand before the command and hands over to the command's own file.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run/run.h"
#include "strata.h"

#define STRATA_TOOL_VERSION "0.1"

static const char help[] =
"Usage: strata [OPTIONS] COMMAND ...\n"
"\n"
"  addr      addresses of Strata on this machine's devices\n"
"  route     routes\n"
"  neigh     neighbours (the ARP cache)\n"
"  link      devices Strata is bound to\n"
"  monitor   changes of these as they happen\n"
"  ss        sockets\n"
"  stat      counters\n"
"  ping      send ICMP echo requests\n"
"  trace     a live ladder of connections\n"
"  run       run a program with its IPv4 sockets on Strata\n"
"\n"
"Options:\n"
"  -j, --json          print JSON          -p, --pretty    indent it\n"
"  -n, --netns NAME    work in that network namespace\n"
"  -o, --oneline       one record a line   -br, --brief    names and addresses\n"
"  -V, --version       print the version   -h, --help      print this\n"
"\n"
"\"strata COMMAND --help\" tells about a command. Commands may be shortened.\n";

static int cmd_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fputs(help, stdout);
	return EXIT_SUCCESS;
}

static const struct command commands[] = {
	{ "addr", cmd_addr }, { "address", cmd_addr },
	{ "route", cmd_route }, { "neigh", cmd_neigh },
	{ "neighbor", cmd_neigh }, { "neighbour", cmd_neigh },
	{ "link", cmd_link }, { "monitor", cmd_monitor },
	{ "ss", cmd_ss }, { "stat", cmd_stat }, { "ping", cmd_ping },
	{ "trace", cmd_trace }, { "run", strata_cmd_run }, { "help", cmd_help },
	{ NULL, NULL }
};

static int enter_netns(const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), strchr(name, '/') ? "%s" : "/run/netns/%s",
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "Error: cannot open network namespace \"%s\": %s.\n",
			name, strerror(errno));
		return EXIT_USAGE;
	}
	if (setns(fd, CLONE_NEWNET) < 0) {
		fprintf(stderr, "Error: cannot enter network namespace \"%s\": %s.\n",
			name, strerror(errno));
		close(fd);
		return EXIT_USAGE;
	}
	close(fd);
	return 0;
}

static bool is_option(const char *word, const char *brief, const char *full)
{
	return !strcmp(word, brief) || !strcmp(word, full) ||
	       (word[0] == '-' && word[1] != '-' && !strcmp(word, full + 1));
}

/* Read the options; the number of words taken, or -1 - status to end with. */
static int read_options(int argc, char **argv)
{
	const char *word;
	int i, err;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		word = argv[i];
		if (is_option(word, "-j", "--json")) {
			opt.json = true;
		} else if (is_option(word, "-p", "--pretty")) {
			opt.pretty = true;
		} else if (is_option(word, "-o", "--oneline")) {
			opt.oneline = true;
		} else if (is_option(word, "-br", "--brief")) {
			opt.brief = true;
		} else if (is_option(word, "-V", "--version")) {
			puts("strata tool, " STRATA_TOOL_VERSION);
			return -1;
		} else if (is_option(word, "-h", "--help")) {
			cmd_help(0, NULL);
			return -1;
		} else if (is_option(word, "-n", "--netns")) {
			if (++i == argc)
				return -1 - usage_error("the name of a network namespace is expected after \"%s\".",
							word);
			err = enter_netns(argv[i]);
			if (err)
				return -1 - err;
		} else if (strcmp(word, "-4")) {
			return -1 - usage_error("an option (-j -p -n -o -br -V -h) is expected rather than \"%s\".",
						word);
		}
	}
	return i;
}

static int run_command(int argc, char **argv)
{
	int i = read_options(argc, argv);
	const struct command *c;

	if (i < 0)
		return -1 - i;
	if (i == argc) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	c = command_find(commands, argv[i]);
	if (!c)
		return usage_error("a command (addr, route, neigh, link, monitor, ss, stat, ping, trace, run) is expected rather than \"%s\".",
				   argv[i]);
	opt.family = family_number();
	return c->run(argc - i, argv + i);
}

int main(int argc, char **argv)
{
	int status = run_command(argc, argv);

	/* Output that did not arrive is no success. */
	if (fflush(stdout) || ferror(stdout)) {
		perror("strata: writing the output");
		return EXIT_KERNEL;
	}
	return status;
}
