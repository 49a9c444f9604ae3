// SPDX-License-Identifier: GPL-2.0-only
/* strata ss: the sockets of Strata, with ss(8)'s options and columns. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "../option.h"
#include "ss.h"
#include "strata.h"

static const char help[] =
"Usage: strata ss [OPTIONS] [state STATE | exclude STATE]... [FILTER]\n"
"\n"
"  -t, --tcp        TCP                  -l, --listening  waiting for peers\n"
"  -u, --udp        UDP                  -a, --all        those and connected\n"
"  -w, --icmp       ping sockets         -n, --numeric    no names of services\n"
"  -p, --processes  who has it open      -o, --options    the running timer\n"
"  -e, --extended   uid, inode, cookie   -m, --memory     socket memory\n"
"  -i, --info       TCP's inner state    -O, --oneline    one line a socket\n"
"  -K, --kill       close what is found  -s, --summary    totals alone\n"
"  -H, --no-header  leave out the head   -j, --json       print JSON\n"
"  -h, --help       print this\n"
"\n"
"Without -t, -u or -w all three are shown; without -a or -l those connected.\n"
"STATE:  established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait closed\n"
"        close-wait last-ack listening closing, all connected synchronized\n"
"        bucket big\n"
"FILTER: sport|dport [=|!=|<|<=|>|>=] :PORT, src|dst [=|!=] ADDRESS[/LEN][:PORT],\n"
"        dev [=|!=] DEVICE, joined by and, or, not and ( )\n";

static const struct option options[] = {
	{ "tcp", no_argument, NULL, 't' }, { "udp", no_argument, NULL, 'u' },
	{ "icmp", no_argument, NULL, 'w' }, { "raw", no_argument, NULL, 'w' },
	{ "listening", no_argument, NULL, 'l' },
	{ "all", no_argument, NULL, 'a' },
	{ "numeric", no_argument, NULL, 'n' },
	{ "processes", no_argument, NULL, 'p' },
	{ "options", no_argument, NULL, 'o' },
	{ "extended", no_argument, NULL, 'e' },
	{ "memory", no_argument, NULL, 'm' },
	{ "info", no_argument, NULL, 'i' },
	{ "oneline", no_argument, NULL, 'O' },
	{ "kill", no_argument, NULL, 'K' },
	{ "summary", no_argument, NULL, 's' },
	{ "no-header", no_argument, NULL, 'H' },
	{ "json", no_argument, NULL, 'j' }, { "ipv4", no_argument, NULL, '4' },
	{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
};

#define SS_CONNECTED	(SS_ALL & ~(SS_BIT(SS_LISTEN) | SS_BIT(SS_CLOSE) | \
				    SS_BIT(SS_TIME_WAIT) | SS_BIT(SS_SYN_RECV)))

/* One option; false if it is none. */
static bool take_option(struct ss_opts *o, int c)
{
	const struct {
		char letter;
		bool *to;
	} flags[] = {
		{ 'n', &o->numeric }, { 'p', &o->processes }, { 'o', &o->timer },
		{ 'e', &o->extended }, { 'm', &o->memory }, { 'i', &o->info },
		{ 'O', &o->oneline }, { 'K', &o->kill }, { 's', &o->summary },
		{ 'H', &o->no_header }, { 'j', &opt.json },
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].letter == c) {
			*flags[i].to = true;
			return true;
		}
	}
	if (c == 't')
		o->protos |= SS_TCP;
	else if (c == 'u')
		o->protos |= SS_UDP;
	else if (c == 'w')
		o->protos |= SS_ICMP;
	else if (c == 'l')
		o->states = SS_BIT(SS_LISTEN) | SS_BIT(SS_CLOSE);
	else if (c == 'a')
		o->states = SS_ALL;
	else
		return c == '4';
	return true;
}

/* With -K what could be closed stays in the list, the rest is taken out. */
static int kill_all(struct nl *nl, struct rt_list *list)
{
	struct ss_sock *s = list->item;
	unsigned int i, kept = 0;
	int err, status = 0;

	for (i = 0; i < list->count; i++) {
		err = ss_destroy(nl, &s[i]);
		if (!err)
			s[kept++] = s[i];
		else if (err != -ENOENT)
			status = EXIT_KERNEL;
	}
	list->count = kept;
	return status;
}

static int show(const struct ss_opts *o)
{
	struct rt_list socks = RT_LIST(struct ss_sock);
	struct rt_list users = RT_LIST(struct ss_user);
	unsigned int proto;
	int err = 0, status = 0;
	struct nl nl;

	if (!family_require() || nl_open(&nl, NETLINK_SOCK_DIAG))
		return EXIT_KERNEL;
	for (proto = 1; !err && proto <= SS_PROTOS; proto <<= 1)
		if (o->protos & proto)
			err = ss_dump(&nl, o, proto, &socks);
	if (!err && o->processes)
		ss_users_read(&users);
	if (!err && o->kill)
		status = kill_all(&nl, &socks);
	if (!err && o->json)
		ss_print_json(&socks, &users, o);
	else if (!err)
		ss_print(&socks, &users, o);
	rt_list_free(&users);
	rt_list_free(&socks);
	nl_close(&nl);
	return err ? err : status;
}

int cmd_ss(int argc, char **argv)
{
	struct ss_opts o = { .states = SS_CONNECTED, .oneline = opt.oneline };
	int c, status;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, "tuwlanpoemiOKsHj4h", options,
				NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		if (!take_option(&o, c))
			return usage_error("an option (-t -u -w -l -a -n -p -o -e -m -i -O -K -s -H -j -h) is expected rather than \"%s\".",
					   option_word(argv));
	}
	if (!o.protos)
		o.protos = SS_PROTOS;
	o.json = opt.json;
	o.timer |= o.extended;
	if (o.summary)
		return ss_summary(&o);
	if (optind < argc && !strcmp(argv[optind], "help")) {
		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	o.filter = ss_filter_parse(argc - optind, argv + optind, &o.states);
	if (!o.filter)
		return EXIT_USAGE;
	status = show(&o);
	ss_filter_free(o.filter);
	return status;
}
