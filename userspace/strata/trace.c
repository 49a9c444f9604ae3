// SPDX-License-Identifier: GPL-2.0-only
/*
 * strata trace: a live ladder of connections from Strata's trace events. The
 * events go to a tracefs instance of our own, so that nobody else's tracing is
 * touched, and it is removed at the end however that comes; what a killed run
 * left behind is removed by the next.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs/tracefs.h>
#include <unistd.h>

#include "../option.h"
#include "ladder.h"
#include "ss.h"
#include "strata.h"

#define INSTANCE "strata-trace-"

static const char help[] =
"Usage: strata trace [-c COUNT] [-d] [-j] [PORT | FILTER]\n"
"\n"
"  -c, --count COUNT  end after so many segments\n"
"  -d, --drops        show dropped packets and why, of any connection\n"
"  -j, --json         print JSON, an object a line\n"
"      --color        colours, if this is a terminal\n"
"\n"
"Draws the TCP connections of Strata as they run: times in milliseconds since\n"
"the connection's first event, states of the local socket, every segment with\n"
"relative numbers. FILTER is that of strata ss, without states and devices. The\n"
"events are those of every network namespace, whichever -n names. Ends with\n"
"Ctrl-C.\n";

static const struct option options[] = {
	{ "count", required_argument, NULL, 'c' },
	{ "drops", no_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ "color", no_argument, NULL, 'C' },
	{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
};

static const char *const event_names[] = {
	[TRACE_STATE] = "strata_tcp_state",
	[TRACE_XMIT] = "strata_tcp_xmit",
	[TRACE_RCV] = "strata_tcp_rcv",
	[TRACE_RETRANSMIT] = "strata_tcp_retransmit",
	[TRACE_DROP] = "strata_drop",
};

struct drop_name {
	unsigned int reason;
	char name[48];
};

struct tracer {
	struct tep_handle *tep;
	struct tracefs_instance *instance;
	struct ladder *ladder;
	struct ss_filter *filter;
	struct rt_list drop_names;
	uint32_t count, seen;
	bool drops, color;
};

static volatile sig_atomic_t stopped;
static struct tracefs_instance *running;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
	if (running)
		tracefs_iterate_stop(running);
}

/* A number of the event; @missing where this module has no such field. */
static uint64_t number(struct tep_event *event, struct tep_record *rec,
		       const char *name, uint64_t missing)
{
	struct tep_format_field *field = tep_find_field(event, name);
	unsigned long long v;

	if (!field || tep_read_number_field(field, rec->data, &v))
		return missing;
	return v;
}

static struct in_addr address(struct tep_event *event, struct tep_record *rec,
			      const char *name)
{
	struct tep_format_field *field = tep_find_field(event, name);
	struct in_addr a = { 0 };

	if (field && field->size == sizeof(a) &&
	    field->offset + field->size <= rec->size)
		memcpy(&a, (char *)rec->data + field->offset, sizeof(a));
	return a;
}

static void read_event(struct tep_event *event, struct tep_record *rec,
		       struct trace_event *e)
{
	e->ts = rec->ts;
	e->saddr = address(event, rec, "saddr");
	e->daddr = address(event, rec, "daddr");
	e->sport = number(event, rec, "sport", 0);
	e->dport = number(event, rec, "dport", 0);
	e->oldstate = number(event, rec, "oldstate", 0);
	e->newstate = number(event, rec, "newstate", 0);
	e->seq = number(event, rec, "seq", 0);
	e->ack_seq = number(event, rec, "ack_seq", 0);
	e->len = number(event, rec, "len", 0);
	e->wnd = number(event, rec, "wnd", 0);
	e->flags = number(event, rec, "flags", 0);
	e->mss = number(event, rec, "mss", 0);
	e->wscale = number(event, rec, "wscale", 255);
	e->sack_ok = number(event, rec, "sack_ok", 0);
	e->state = number(event, rec, "state", 0);
	e->tsval = number(event, rec, "tsval", 0);
	e->tsecr = number(event, rec, "tsecr", 0);
	e->layer = number(event, rec, "layer", 0);
	e->reason = number(event, rec, "reason", 0);
}

/* The filter of ss is asked about a socket with the same ends. */
static bool wanted(const struct tracer *t, const struct trace_event *e)
{
	struct ss_sock s = { .proto = SS_TCP };

	if (e->kind == TRACE_DROP)
		return t->drops;
	/* A listener's own states belong to no connection. */
	if (e->kind == TRACE_STATE && !e->dport)
		return false;
	s.src = e->saddr;
	s.dst = e->daddr;
	s.sport = e->sport;
	s.dport = e->dport;
	return ss_filter_takes(t->filter, &s);
}

static const char *drop_name(const struct tracer *t, unsigned int reason)
{
	const struct drop_name *d = t->drop_names.item;
	unsigned int i;

	for (i = 0; i < t->drop_names.count; i++)
		if (d[i].reason == reason)
			return d[i].name;
	return NULL;
}

static int on_event(struct tep_event *event, struct tep_record *rec, int cpu,
		    void *data)
{
	struct trace_event e = { 0 };
	struct tracer *t = data;
	unsigned int kind;

	(void)cpu;
	for (kind = 0; kind <= TRACE_DROP; kind++)
		if (!strcmp(event->name, event_names[kind]))
			break;
	if (kind > TRACE_DROP || stopped)
		return stopped;
	e.kind = kind;
	read_event(event, rec, &e);
	if (rec->missed_events > 0)
		fprintf(stderr, "Warning: %lld events were lost.\n",
			(long long)rec->missed_events);
	if (!wanted(t, &e))
		return 0;
	ladder_event(t->ladder, &e, drop_name(t, e.reason));
	t->seen += kind == TRACE_XMIT || kind == TRACE_RCV;
	if (t->count && t->seen >= t->count)
		stopped = 1;
	return stopped;
}

/* Reasons have no fixed numbers: the kernel's own event lists them. */
static void read_drop_names(struct tracer *t)
{
	char *format = tracefs_event_file_read(NULL, "skb", "kfree_skb",
					       "format", NULL);
	struct drop_name d;
	char *at = format;
	int used;

	while (at && (at = strchr(at, '{'))) {
		used = 0;
		if (sscanf(at, "{ %u, \"%47[A-Z0-9_]\" }%n", &d.reason, d.name,
			   &used) == 2)
			rt_list_add(&t->drop_names, &d);
		at += used ? used : 1;
	}
	free(format);
}

/* Instances of runs that were killed: their process is gone. */
static void remove_stale(void)
{
	char **list = tracefs_instances("^" INSTANCE "[0-9]*$");
	struct tracefs_instance *old;
	int i, pid;

	for (i = 0; list && list[i]; i++) {
		pid = atoi(list[i] + strlen(INSTANCE));
		if (pid <= 0 || !kill(pid, 0) || errno != ESRCH)
			continue;
		old = tracefs_instance_create(list[i]);
		if (!old)
			continue;
		tracefs_instance_destroy(old);
		tracefs_instance_free(old);
	}
	tracefs_list_free(list);
}

static int refuse(const char *what)
{
	fprintf(stderr, "Error: %s: %s.\n", what,
		geteuid() ? "this needs root" : strerror(errno));
	return EXIT_KERNEL;
}

static int start(struct tracer *t)
{
	const char *const systems[] = { "strata", NULL };
	char name[48];
	unsigned int i;

	if (!tracefs_tracing_dir())
		return refuse("cannot reach tracefs");
	remove_stale();
	t->tep = tracefs_local_events_system(NULL, systems);
	if (!t->tep || !tep_find_event_by_name(t->tep, "strata", event_names[0]))
		return refuse("cannot read Strata's trace events");
	snprintf(name, sizeof(name), INSTANCE "%d", (int)getpid());
	t->instance = tracefs_instance_create(name);
	if (!t->instance)
		return refuse("cannot make an instance in tracefs");
	running = t->instance;
	tracefs_instance_file_write(t->instance, "trace_clock", "mono");
	if (t->drops)
		read_drop_names(t);
	/* All events begin at one moment: no connection is seen by halves. */
	tracefs_trace_off(t->instance);
	for (i = 0; i <= TRACE_DROP; i++) {
		if (i == TRACE_DROP && !t->drops)
			continue;
		if (tracefs_event_enable(t->instance, "strata",
					 event_names[i]) && i != TRACE_DROP)
			return refuse("cannot switch Strata's trace events on");
	}
	if (tracefs_trace_on(t->instance))
		return refuse("cannot start tracing");
	fputs("Tracing Strata's connections; Ctrl-C ends.\n", stderr);
	return 0;
}

static void finish(struct tracer *t)
{
	running = NULL;
	if (t->instance) {
		tracefs_event_disable(t->instance, "strata", NULL);
		tracefs_instance_destroy(t->instance);
		tracefs_instance_free(t->instance);
	}
	if (t->tep)
		tep_free(t->tep);
	rt_list_free(&t->drop_names);
}

/* Returns the error of writing the output, EPIPE when nobody reads any more. */
static int follow(struct tracer *t)
{
	/* No events asked for: only that the reader of a pipe has gone is told. */
	struct pollfd reader = { .fd = STDOUT_FILENO };

	while (!stopped) {
		tracefs_iterate_raw_events(t->tep, t->instance, NULL, 0,
					   on_event, t);
		if (fflush(stdout))
			return errno;
		if (!stopped && poll(&reader, 1, 50) > 0) {
			errno = EPIPE;
			return errno;
		}
	}
	/* What came before the end was asked for and is still in the buffer. */
	if (!t->count || t->seen < t->count) {
		stopped = 0;
		tracefs_trace_off(t->instance);
		tracefs_iterate_raw_events(t->tep, t->instance, NULL, 0,
					   on_event, t);
	}
	return 0;
}

static int trace(struct tracer *t)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int err, broken = 0;

	if (!family_require())
		return EXIT_KERNEL;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	t->ladder = ladder_new(stdout, t->color && isatty(1), opt.json);
	err = start(t);
	if (!err)
		broken = follow(t);
	finish(t);
	ladder_free(t->ladder);
	signal(SIGPIPE, SIG_DFL);
	if (broken == EPIPE)
		raise(SIGPIPE);
	return err;
}

static struct ss_filter *read_filter(int argc, char **argv)
{
	char text[64], *word = text;
	uint32_t port;

	if (argc != 1 || !parse_u32(argv[0], &port, 65535))
		return ss_filter_parse(argc, argv, NULL);
	snprintf(text, sizeof(text), "sport = :%u or dport = :%u", port, port);
	return ss_filter_parse(1, &word, NULL);
}

int cmd_trace(int argc, char **argv)
{
	struct tracer t = { .drop_names = RT_LIST(struct drop_name) };
	int c, err;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, "c:djh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			if (!parse_u32(optarg, &t.count, UINT32_MAX) || !t.count)
				return usage_error("a count from 1 is expected rather than \"%s\".",
						   optarg);
			break;
		case 'd':
			t.drops = true;
			break;
		case 'j':
			opt.json = true;
			break;
		case 'C':
			t.color = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			return usage_error("an option (-c COUNT, -d, -j, --color, -h) is expected rather than \"%s\".",
					   option_word(argv));
		}
	}
	if (optind + 1 == argc && !strcmp(argv[optind], "help")) {
		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	t.filter = read_filter(argc - optind, argv + optind);
	if (!t.filter)
		return EXIT_USAGE;
	err = trace(&t);
	ss_filter_free(t.filter);
	return err;
}
