// SPDX-License-Identifier: GPL-2.0-only
/*
 * strata monitor: changes of addresses, routes and neighbours as they happen.
 * Strata announces them to the groups of IPv4 with its own family in the
 * message; what is not of that family is the native stack's. Devices are both
 * stacks': those are shown that Strata is bound to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rt.h"
#include "strata.h"

static const char help[] =
"Usage: strata [-j] monitor [addr] [route] [neigh] [link] [all]\n"
"\n"
"Prints changes until it is interrupted. With -j one JSON object a line, with\n"
"\"deleted\": true for what was removed.\n";

enum {
	WATCH_ADDR = 1, WATCH_ROUTE = 2, WATCH_NEIGH = 4, WATCH_LINK = 8,
	WATCH_ALL = 15
};

static const struct watched {
	const char *name;
	const char *label;
	unsigned int bit;
	int group;
	uint16_t add, del;
} watched[] = {
	{ "addr", "ADDR", WATCH_ADDR, RTNLGRP_IPV4_IFADDR, RTM_NEWADDR, RTM_DELADDR },
	{ "address", "ADDR", WATCH_ADDR, RTNLGRP_IPV4_IFADDR, RTM_NEWADDR, RTM_DELADDR },
	{ "route", "ROUTE", WATCH_ROUTE, RTNLGRP_IPV4_ROUTE, RTM_NEWROUTE, RTM_DELROUTE },
	{ "neigh", "NEIGH", WATCH_NEIGH, RTNLGRP_NEIGH, RTM_NEWNEIGH, RTM_DELNEIGH },
	{ "link", "LINK", WATCH_LINK, RTNLGRP_LINK, RTM_NEWLINK, RTM_DELLINK },
};

#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static void label(const struct watched *w, bool deleted, bool labels)
{
	if (labels)
		printf("[%s]", w->label);
	if (deleted)
		fputs("Deleted ", stdout);
}

static void print_json(const struct watched *w, bool deleted, json_t *j)
{
	json_t *out = json_object();

	if (deleted)
		json_object_set_new(out, "deleted", json_true());
	json_object_set_new(out, "object", json_string(w->name));
	json_object_update(out, j);
	json_decref(j);
	json_out(out);
}

/* The address's line names its device at the front, as with ip monitor. */
static void print_addr(const struct watched *w, const struct rt_addr *a,
		       bool deleted, bool labels)
{
	json_t *j;

	if (opt.json) {
		j = rt_addr_json(a);
		json_object_set_new(j, "dev", json_text(rt_ifname(a->ifindex)));
		json_object_set_new(j, "ifindex", json_integer(a->ifindex));
		print_json(w, deleted, j);
		return;
	}
	label(w, deleted, labels);
	printf("%d: %s", a->ifindex, rt_ifname(a->ifindex));
	rt_addr_print(a);
}

/* Strata's addresses when a device was last seen bound. */
static struct rt_list known = RT_LIST(struct rt_addr);

/*
 * Is Strata bound to the device? One that goes lost its addresses just before:
 * there it counts what was known.
 */
static bool is_bound(const struct rt_link *l, bool deleted)
{
	struct rt_list now = RT_LIST(struct rt_addr);
	struct nl nl;

	if (!deleted && !nl_open(&nl, NETLINK_ROUTE)) {
		rt_addrs(&nl, &now);
		nl_close(&nl);
	}
	if (!rt_addrs_on(&now, l->index)) {
		rt_list_free(&now);
		return deleted && rt_addrs_on(&known, l->index);
	}
	rt_list_free(&known);
	known = now;
	return true;
}

static void print_link(const struct watched *w, const struct rt_link *l,
		       bool deleted, bool labels)
{
	if (!is_bound(l, deleted))
		return;
	if (opt.json) {
		print_json(w, deleted, rt_link_json(l));
		return;
	}
	label(w, deleted, labels);
	rt_link_print(l);
}

static void print_change(const struct nlmsghdr *nlh, const struct watched *w,
			 bool labels)
{
	bool deleted = nlh->nlmsg_type == w->del;
	struct rt_route r;
	struct rt_neigh n;
	struct rt_addr a;
	struct rt_link l;

	if (w->bit == WATCH_ADDR && rt_addr_read(nlh, &a)) {
		print_addr(w, &a, deleted, labels);
	} else if (w->bit == WATCH_LINK && rt_link_read(nlh, &l)) {
		print_link(w, &l, deleted, labels);
	} else if (w->bit == WATCH_ROUTE && rt_route_read(nlh, &r)) {
		if (opt.json) {
			print_json(w, deleted, rt_route_json(&r));
			return;
		}
		label(w, deleted, labels);
		rt_route_print(&r);
	} else if (w->bit == WATCH_NEIGH && rt_neigh_read(nlh, &n)) {
		if (opt.json) {
			print_json(w, deleted, rt_neigh_json(&n));
			return;
		}
		label(w, deleted, labels);
		rt_neigh_print(&n);
	}
}

static void read_changes(const char *buf, int len, unsigned int mask)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	bool labels = mask & (mask - 1);
	unsigned int i;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		for (i = 0; i < WATCHED; i++) {
			if (nlh->nlmsg_type == watched[i].add ||
			    nlh->nlmsg_type == watched[i].del) {
				print_change(nlh, &watched[i], labels);
				break;
			}
		}
	}
	fflush(stdout);
}

static int watch(unsigned int mask)
{
	static char buf[65536];
	struct nl nl;
	unsigned int i;
	ssize_t len;

	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	if (mask & WATCH_LINK && rt_addrs(&nl, &known)) {
		nl_close(&nl);
		return EXIT_KERNEL;
	}
	for (i = 0; i < WATCHED; i++)
		if (mask & watched[i].bit)
			mnl_socket_setsockopt(nl.sock, NETLINK_ADD_MEMBERSHIP,
					      (void *)&watched[i].group,
					      sizeof(watched[i].group));
	for (;;) {
		len = mnl_socket_recvfrom(nl.sock, buf, sizeof(buf));
		if (len >= 0)
			read_changes(buf, len, mask);
		else if (errno == ENOBUFS)
			fputs("Warning: changes were lost: more came than could be read.\n",
			      stderr);
		else if (errno != EINTR)
			break;
	}
	fprintf(stderr, "Error: reading changes: %s.\n", strerror(errno));
	nl_close(&nl);
	return EXIT_KERNEL;
}

static unsigned int watch_bit(const char *word)
{
	unsigned int i;

	if (!strcmp(word, "all"))
		return WATCH_ALL;
	for (i = 0; *word && i < WATCHED; i++)
		if (!strncmp(watched[i].name, word, strlen(word)))
			return watched[i].bit;
	return 0;
}

int cmd_monitor(int argc, char **argv)
{
	unsigned int mask = 0, bit;
	int i;

	for (i = 1; i < argc; i++) {
		if (is_help(argv[i])) {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		bit = watch_bit(argv[i]);
		if (!bit)
			return usage_error("\"addr\", \"route\", \"neigh\", \"link\" or \"all\" is expected rather than \"%s\".",
					   argv[i]);
		mask |= bit;
	}
	return watch(mask ? mask : WATCH_ALL);
}

int monitor_object(const char *object, int argc, char **argv)
{
	char *words[] = { argv[0], (char *)object, NULL };

	return argc > 1 ? cmd_monitor(argc, argv) : cmd_monitor(2, words);
}
