// SPDX-License-Identifier: GPL-2.0-only
/*
 * strata run: options, help, and the question whether Strata is there.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/strata.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../option.h"
#include "run.h"

static const char help[] =
"Usage: strata run [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
"\n"
"Run PROGRAM, unchanged, with its IPv4 sockets on Strata: TCP, UDP and ping\n"
"sockets that it or its descendants open, until the last of them ends.\n"
"\n"
"  --report        at the end of PROGRAM, print to standard error which\n"
"                  sockets were moved, which not and why\n"
"  --ipv6=off      refuse IPv6 sockets (\"Address family not supported\"), so\n"
"                  that programs fall back to IPv4; the default\n"
"  --ipv6=native   leave IPv6 sockets to the native stack\n"
"  -h, --help      print this help\n"
"\n"
"PROGRAM keeps its terminal, standard input and exit status, and its process\n"
"id, but with --report.\n"
"Otherwise the exit status is 125 if strata run itself fails, 126 if PROGRAM\n"
"cannot be executed, 127 if it is not found.\n"
"\n"
"IPv4 MPTCP sockets are refused (EPROTONOSUPPORT, as by a kernel without MPTCP),\n"
"so that programs fall back to TCP, which is moved.\n"
"\n"
"Kernels before 6.2 (Debian's 6.1) do not ask the address family about options\n"
"of level SOL_SOCKET, and refuse SO_REUSEPORT and SO_ZEROCOPY to families that\n"
"they do not know. Where that is so, setsockopt() of these two is intercepted,\n"
"too (except in 32-bit programs on a 64-bit kernel): for a socket of Strata's\n"
"the option is set at level SOL_STRATA, for others the kernel goes on as usual.\n"
"\n"
"Left on the native stack: descriptors that PROGRAM inherits, raw, netlink and\n"
"packet sockets, and sockets opened through io_uring. 127.0.0.0/8 is Strata's\n"
"own: a name server in /etc/resolv.conf at 127.0.0.1 or 127.0.0.53 that runs on\n"
"the native stack cannot be reached from PROGRAM. Set-user-id programs gain\n"
"their rights only if root starts them. What hides from its user (a process that\n"
"is not dumpable) gets EACCES in a network namespace of its own making, and where\n"
"/proc hides it from that user (hidepid); not if root starts it.\n";

void run_error(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dprintf(STDERR_FILENO, "strata run: %s\n", text);
}

static bool parse_ipv6(const char *word, struct run_config *cfg)
{
	cfg->ipv6_native = !strcmp(word, "native");
	return cfg->ipv6_native || !strcmp(word, "off");
}

char **run_parse(int argc, char **argv, struct run_config *cfg, int *status)
{
	static const struct option options[] = {
		{ "report",	no_argument,		NULL, 'r' },
		{ "ipv6",	required_argument,	NULL, '6' },
		{ "help",	no_argument,		NULL, 'h' },
		{ 0 },
	};
	int c;

	*status = RUN_EXIT_SELF;
	optind = 0;	/* the tool in front of us may have used getopt */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			cfg->report = true;
			break;
		case '6':
			if (parse_ipv6(optarg, cfg))
				break;
			run_error("--ipv6=%s: expected native or off", optarg);
			return NULL;
		case 'h':
			fputs(help, stdout);
			*status = 0;
			return NULL;
		case ':':
			run_error("%s: expected a value (native or off)",
				  argv[optind - 1]);
			return NULL;
		default:
			run_error("unknown option %s: expected --report, --ipv6=native|off or --help",
				  option_word(argv));
			return NULL;
		}
	}

	if (optind < argc)
		return argv + optind;
	run_error("expected a PROGRAM to run (see strata run --help)");
	return NULL;
}

/* The number the loaded module says it has, 0 if none is loaded. */
static int loaded_family(void)
{
	FILE *f = fopen(STRATA_FAMILY_PARAM, "re");
	int family = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%d", &family) != 1 || family < 0)
		family = 0;
	fclose(f);
	return family;
}

/* Opening a socket makes the kernel load the module (alias net-pf-18). */
static int open_one(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int find_family(void)
{
	int family = loaded_family();
	int err;

	err = open_one(family ? family : AF_STRATA);
	if (err == -EAFNOSUPPORT && family) {
		run_error("module strata is loaded, but its address family %d cannot be opened",
			  family);
		return -1;
	}
	if (err == -EAFNOSUPPORT) {
		run_error("the kernel has no Strata: module strata is not loaded and was not found to be loaded by itself (as root: modprobe strata)");
		return -1;
	}
	if (err) {
		run_error("cannot open a Strata socket: %s", strerror(-err));
		return -1;
	}
	if (!family)
		family = loaded_family();
	if (!family && !access("/sys/module", F_OK)) {
		run_error("address family %d is not Strata's but another module's: unload that, or load strata with family=NUMBER",
			  AF_STRATA);
		return -1;
	}
	return family ? family : AF_STRATA;
}

/* Does the core refuse what Strata would grant? Before Linux 6.2 it does. */
static bool options_refused(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool refused;

	refused = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) &&
		  !setsockopt(fd, SOL_STRATA, SO_REUSEPORT, &one, sizeof(one));
	if (fd >= 0)
		close(fd);
	return refused;
}

int strata_cmd_run(int argc, char **argv)
{
	struct run_config cfg = { 0 };
	int status;

	argv = run_parse(argc, argv, &cfg, &status);
	if (!argv)
		return status;

	cfg.family = find_family();
	if (cfg.family < 0)
		return RUN_EXIT_SELF;
	cfg.options = options_refused(cfg.family);
	return run_program(&cfg, argv);
}
