// SPDX-License-Identifier: GPL-2.0-only
/*
 * strata addr: addresses of Strata on this machine's devices. A device is
 * shared with the native stack; its first address here binds it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

static const char help[] =
"Usage: strata addr [show] [dev DEVICE] [to PREFIX] [scope SCOPE]\n"
"                   [[-]noprefixroute] [up]\n"
"       strata addr add|replace|del [local] ADDRESS[/LENGTH] [peer ADDRESS]\n"
"                   [broadcast ADDRESS|+|-] [scope SCOPE] [metric NUMBER]\n"
"                   [noprefixroute] dev DEVICE\n"
"       strata addr flush [dev DEVICE] [to PREFIX] [scope SCOPE]\n"
"                   [[-]noprefixroute]\n"
"       strata addr monitor\n"
"\n"
"The first address binds the device to Strata, beside the native stack; the\n"
"last one deleted unbinds it.\n"
"With an address comes the route to its network, of that metric; with\n"
"noprefixroute it does not.\n"
"SCOPE: global, site, link, host or a number to 255\n";

struct addr_words {
	struct prefix local, peer;
	const char *broadcast;
	unsigned int scope;
	uint32_t metric;
	bool noprefixroute;
	int dev;
};

struct addr_filter {
	struct prefix to;
	unsigned int scope;
	int dev;
	bool up, has_to, has_scope, noprefixroute, prefixroute;
};

static bool kind_scope(const char *word, void *to)
{
	return name_value(rt_scopes, word, to);
}

static const struct arg_kind arg_scope = {
	"a scope (global, site, link, host or a number)", kind_scope
};

static bool kind_broadcast(const char *word, void *to)
{
	struct in_addr a;

	if (strcmp(word, "+") && strcmp(word, "-") && !arg_ipv4.parse(word, &a))
		return false;
	*(const char **)to = word;
	return true;
}

static const struct arg_kind arg_broadcast = {
	"a broadcast address, \"+\" or \"-\"", kind_broadcast
};

/*
 * "+": all host bits one, "-": all zero; @net is the network. Above /30 these are addresses of
 * hosts (RFC 3021), and nothing is meant: false.
 */
static bool broadcast_of(const char *word, const struct prefix *net, struct in_addr *to)
{
	uint32_t host = net->len ? ~(~0U << (32 - net->len)) : ~0U;

	if (arg_ipv4.parse(word, to))
		return true;
	to->s_addr = *word == '+' ? net->addr.s_addr | htonl(host) :
				    net->addr.s_addr & ~htonl(host);
	return net->len <= 30;
}

static int addr_modify(int argc, char **argv, uint16_t type, uint16_t flags)
{
	struct addr_words w = { .scope = RT_SCOPE_UNIVERSE };
	struct arg spec[] = {
		{ .name = "local", .kind = &arg_ifaddr, .to = &w.local, .need = true, .bare = true },
		{ .name = "dev", .kind = &arg_dev, .to = &w.dev, .need = true },
		{ .name = "peer", .alias = "remote", .kind = &arg_ifaddr, .to = &w.peer },
		{ .name = "broadcast", .alias = "brd", .kind = &arg_broadcast, .to = &w.broadcast },
		{ .name = "scope", .kind = &arg_scope, .to = &w.scope },
		{ .name = "metric", .alias = "priority preference", .kind = &arg_u32, .to = &w.metric },
		{ .name = "noprefixroute", .to = &w.noprefixroute, .many = true },
	};
	const struct prefix *net = &w.local;
	char buf[NL_REQUEST_SIZE] = "";
	struct in_addr broadcast;
	struct nlmsghdr *nlh;
	struct ifaddrmsg *ifa;
	int err;

	err = args_parse(ARGS(spec), argc, argv);
	if (err)
		return err;
	if (spec[2].given)
		net = &w.peer;
	nlh = nl_request(buf, type, NLM_F_ACK | flags);
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = opt.family;
	ifa->ifa_prefixlen = net->len;
	ifa->ifa_index = w.dev;
	ifa->ifa_scope = w.scope;
	if (!spec[4].given && (ntohl(w.local.addr.s_addr) >> 24) == 127)
		ifa->ifa_scope = RT_SCOPE_HOST;
	mnl_attr_put_u32(nlh, IFA_LOCAL, w.local.addr.s_addr);
	/* an address alone is deleted whatever its length, as by ip(8) */
	if (type == RTM_NEWADDR || spec[2].given || w.local.has_len)
		mnl_attr_put_u32(nlh, IFA_ADDRESS, net->addr.s_addr);
	if (w.broadcast && broadcast_of(w.broadcast, net, &broadcast))
		mnl_attr_put_u32(nlh, IFA_BROADCAST, broadcast.s_addr);
	if (w.metric)
		mnl_attr_put_u32(nlh, IFA_RT_PRIORITY, w.metric);
	if (w.noprefixroute)
		mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
	return rt_one_request(nlh);
}

static int addr_add(int argc, char **argv)
{
	return addr_modify(argc, argv, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
}

static int addr_replace(int argc, char **argv)
{
	return addr_modify(argc, argv, RTM_NEWADDR,
			   NLM_F_CREATE | NLM_F_REPLACE);
}

static int addr_del(int argc, char **argv)
{
	return addr_modify(argc, argv, RTM_DELADDR, 0);
}

static int filter_parse(struct addr_filter *f, int argc, char **argv)
{
	struct arg spec[] = {
		{ .name = "dev", .kind = &arg_dev, .to = &f->dev, .bare = true },
		{ .name = "to", .kind = &arg_prefix, .to = &f->to },
		{ .name = "scope", .kind = &arg_scope, .to = &f->scope },
		{ .name = "up", .to = &f->up },
		{ .name = "noprefixroute", .to = &f->noprefixroute },
		{ .name = "-noprefixroute", .to = &f->prefixroute },
	};
	int err = args_parse(ARGS(spec), argc, argv);

	f->has_to = spec[1].given;
	f->has_scope = spec[2].given;
	if (!err && f->noprefixroute && f->prefixroute)
		return usage_error("\"noprefixroute\" or \"-noprefixroute\" is expected, not both.");
	return err;
}

static bool filter_takes(const struct addr_filter *f, const struct rt_addr *a)
{
	if (f->dev && a->ifindex != f->dev)
		return false;
	if (f->has_to && !prefix_covers(&f->to, a->local))
		return false;
	if ((f->noprefixroute && !(a->flags & IFA_F_NOPREFIXROUTE)) ||
	    (f->prefixroute && a->flags & IFA_F_NOPREFIXROUTE))
		return false;
	return !f->has_scope || a->scope == f->scope;
}

static void show_brief(const struct rt_link *l, const struct rt_list *addrs,
		       const struct addr_filter *f)
{
	const struct rt_addr *a = addrs->item;
	unsigned int i;

	printf("%-16s %-14s", l->name, name_of(rt_operstates, l->operstate));
	for (i = 0; i < addrs->count; i++)
		if (a[i].ifindex == l->index && filter_takes(f, &a[i]))
			printf(" %s/%u", rt_ipv4(a[i].local), a[i].len);
	putchar('\n');
}

/* One device with the addresses that the filter takes, in its turn. */
static void show_link(const struct rt_link *l, const struct rt_list *addrs,
		      const struct addr_filter *f, json_t *json)
{
	const struct rt_addr *a = addrs->item;
	json_t *list = NULL;
	unsigned int i;

	if (f->up && !(l->flags & IFF_UP))
		return;
	for (i = 0; i < addrs->count; i++) {
		if (a[i].ifindex != l->index || !filter_takes(f, &a[i]))
			continue;
		if (json) {
			if (!list)
				list = json_array();
			json_array_append_new(list, rt_addr_json(&a[i]));
			continue;
		}
		if (opt.brief) {
			show_brief(l, addrs, f);
			return;
		}
		if (opt.oneline)
			printf("%d: %s", l->index, l->name);
		else if (!list)
			rt_link_print(l);
		list = list ? list : json_array();
		rt_addr_print(&a[i]);
	}
	if (json && list) {
		json_t *j = rt_link_json(l);

		json_object_set(j, "addr_info", list);
		json_array_append_new(json, j);
	}
	json_decref(list);
}

static int addr_show(int argc, char **argv)
{
	struct rt_list links = RT_LIST(struct rt_link);
	struct rt_list addrs = RT_LIST(struct rt_addr);
	json_t *json = opt.json ? json_array() : NULL;
	struct addr_filter f = { 0 };
	struct nl nl;
	unsigned int i;
	int err;

	err = filter_parse(&f, argc, argv);
	if (err)
		return err;
	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	err = rt_links(&nl, &links);
	if (!err)
		err = rt_addrs(&nl, &addrs);
	for (i = 0; !err && i < links.count; i++)
		show_link((struct rt_link *)links.item + i, &addrs, &f, json);
	if (json && !err)
		json_out(json);
	rt_list_free(&addrs);
	rt_list_free(&links);
	nl_close(&nl);
	return err;
}

static bool flush_takes(const void *words, const void *item)
{
	return filter_takes(words, item);
}

static int flush_one(struct nl *nl, const void *item)
{
	const struct rt_addr *a = item;
	char buf[NL_REQUEST_SIZE] = "";
	struct nlmsghdr *nlh = nl_request(buf, RTM_DELADDR, NLM_F_ACK);
	struct ifaddrmsg *ifa;

	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = opt.family;
	ifa->ifa_prefixlen = a->len;
	ifa->ifa_scope = a->scope;
	ifa->ifa_index = a->ifindex;
	mnl_attr_put_u32(nlh, IFA_LOCAL, a->local.s_addr);
	mnl_attr_put_u32(nlh, IFA_ADDRESS,
			 a->has_peer ? a->peer.s_addr : a->local.s_addr);
	return nl_delete(nl, nlh);
}

static int addr_flush(int argc, char **argv)
{
	static const struct rt_flush flush = {
		"address", "addresses", sizeof(struct rt_addr), rt_addrs, flush_takes, flush_one
	};
	struct addr_filter f = { 0 };
	int err;

	if (argc < 2)
		return usage_error("\"dev\", \"to\" or \"scope\" is expected after \"flush\".");
	err = filter_parse(&f, argc, argv);
	if (err)
		return err;
	if (f.up)
		return usage_error("\"dev\", \"to\" or \"scope\" is expected rather than \"up\".");
	return rt_flush(&flush, &f);
}

static int addr_monitor(int argc, char **argv)
{
	return monitor_object("addr", argc, argv);
}

static const struct command verbs[] = {
	{ "show", addr_show }, { "list", addr_show }, { "lst", addr_show },
	{ "add", addr_add }, { "replace", addr_replace },
	{ "change", addr_replace }, { "delete", addr_del },
	{ "flush", addr_flush }, { "monitor", addr_monitor }, { NULL, NULL }
};

int cmd_addr(int argc, char **argv)
{
	return command_run("strata addr", verbs, help, argc, argv);
}
