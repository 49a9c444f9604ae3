// SPDX-License-Identifier: GPL-2.0-only
/* strata stat: counters of the stack, those that are not zero by default. */
#include <ctype.h>
#include <fnmatch.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../option.h"
#include "rt.h"
#include "snmp.h"
#include "strata.h"

static const char help[] =
"Usage: strata stat [-a] [-w SECONDS] [-j] [PATTERN]...\n"
"\n"
"  -a, --all            show counters that are zero too\n"
"  -w, --watch SECONDS  show what changed every so often, until interrupted\n"
"  -j, --json           print JSON\n"
"\n"
"A PATTERN is part of a name, or a shell pattern for all of it: retrans, 'Tcp*'.\n";

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "zeros", no_argument, NULL, 'a' },
	{ "watch", required_argument, NULL, 'w' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
};

struct stat_opts {
	bool all;
	double watch;
	int patterns;
	char **pattern;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static bool wanted(const struct stat_opts *o, const char *name)
{
	char part[256];
	int i;

	for (i = 0; i < o->patterns; i++) {
		const char *p = o->pattern[i];

		snprintf(part, sizeof(part), strpbrk(p, "*?[") ? "%s" : "*%s*", p);
		if (!fnmatch(part, name, FNM_CASEFOLD))
			return true;
	}
	return !o->patterns;
}

static int read_all(struct snmp *t)
{
	int err = snmp_read(t, "/proc/net/strata/snmp");

	return err ? err : snmp_read(t, "/proc/net/strata/netstat");
}

/* Set while counting: no difference of it means anything. */
static bool is_gauge(const char *name)
{
	return !strcmp(name, "TcpCurrEstab") || !strcmp(name, "IpForwarding") ||
	       !strcmp(name, "IpDefaultTTL") || !strncmp(name, "TcpRto", 6) ||
	       !strcmp(name, "TcpMaxConn");
}

static void show(const struct snmp *t, const struct stat_opts *o)
{
	json_t *json = opt.json ? json_object() : NULL;
	const struct snmp_counter *c;
	unsigned int i;

	for (i = 0; i < t->count; i++) {
		c = &t->counter[i];
		if ((!c->value && !o->all) || !wanted(o, c->name))
			continue;
		if (json)
			json_object_set_new(json, c->name,
					    json_integer(c->value));
		else
			printf("%-32s %12lld\n", c->name, c->value);
	}
	if (json)
		json_out(json);
}

static void show_changes(const struct snmp *now, const struct snmp *before,
			 const struct stat_opts *o)
{
	json_t *json = opt.json ? json_object() : NULL;
	const struct snmp_counter *c, *old;
	long long diff;
	unsigned int i;

	for (i = 0; i < now->count; i++) {
		c = &now->counter[i];
		old = snmp_find(before, c->name);
		diff = c->value - (old ? old->value : 0);
		if ((!diff && !o->all) || !wanted(o, c->name))
			continue;
		if (json)
			json_object_set_new(json, c->name, json_integer(diff));
		else if (is_gauge(c->name))
			printf("%-32s %12lld   (%+lld)\n", c->name, c->value, diff);
		else
			printf("%-32s %12lld %14.1f/s\n", c->name, diff,
			       (double)diff / o->watch);
	}
	if (json)
		json_out(json);
	else
		putchar('\n');
	fflush(stdout);
}

static int watch(const struct stat_opts *o)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct snmp before = { 0 }, now = { 0 };
	struct timespec t = {
		.tv_sec = (time_t)o->watch,
		.tv_nsec = (long)((o->watch - (double)(time_t)o->watch) * 1e9),
	};
	int err;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	err = read_all(&before);
	while (!err && !stopped) {
		nanosleep(&t, NULL);
		if (stopped)
			break;
		err = read_all(&now);
		if (!err)
			show_changes(&now, &before, o);
		snmp_free(&before);
		before = now;
		memset(&now, 0, sizeof(now));
	}
	snmp_free(&before);
	return err;
}

static bool read_seconds(const char *word, double *to)
{
	char *end;

	*to = strtod(word, &end);
	return end != word && !*end && isdigit((unsigned char)*word) &&
	       *to >= 0.01 && *to <= 86400;
}

int cmd_stat(int argc, char **argv)
{
	struct stat_opts o = { 0 };
	struct snmp t = { 0 };
	int c, err;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, "azw:jh", options, NULL)) != -1) {
		if (c == 'a' || c == 'z') {
			o.all = true;
		} else if (c == 'j') {
			opt.json = true;
		} else if (c == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		} else if (c == '?' && optopt == 'w') {
			return usage_error("a number of seconds is expected after \"-w\".");
		} else if (c == '?') {
			return usage_error("an option (-a -w -j -h) is expected rather than \"%s\".",
					   option_word(argv));
		} else if (!read_seconds(optarg, &o.watch)) {
			return usage_error("a number of seconds from 0.01 to 86400 is expected rather than \"%s\".",
					   optarg);
		}
	}
	o.patterns = argc - optind;
	o.pattern = argv + optind;
	if (o.patterns == 1 && !strcmp(o.pattern[0], "help")) {
		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (!family_require())
		return EXIT_KERNEL;
	if (o.watch > 0)
		return watch(&o);
	err = read_all(&t);
	if (!err)
		show(&t, &o);
	snmp_free(&t);
	return err;
}
