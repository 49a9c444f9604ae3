// SPDX-License-Identifier: GPL-2.0-only
/* strata route: where packets go from here. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

static const char help[] =
"Usage: strata route [show] [[to] [exact] PREFIX] [root PREFIX] [match PREFIX]\n"
"                    [tos TOS] [dev DEVICE] [via PREFIX] [src PREFIX]\n"
"                    [metric NUMBER] [proto PROTO] [scope SCOPE] [type TYPE]\n"
"                    [table TABLE|all]\n"
"       strata route add|replace|change|append|del [to] [TYPE] PREFIX [tos TOS]\n"
"                    [via ADDRESS] [dev DEVICE] [onlink] [src ADDRESS]\n"
"                    [metric NUMBER] [proto PROTO] [scope SCOPE] [table TABLE]\n"
"                    [mtu [lock] BYTES] [advmss [lock] BYTES]\n"
"                    [hoplimit [lock] HOPS] [window [lock] BYTES]\n"
"                    [cwnd [lock] NUMBER] [initcwnd [lock] NUMBER]\n"
"                    [initrwnd [lock] NUMBER] [ssthresh [lock] NUMBER]\n"
"                    [reordering [lock] NUMBER] [rtt [lock] TIME]\n"
"                    [rttvar [lock] TIME] [rto_min TIME] [congctl [lock] NAME]\n"
"                    [features ecn] [quickack 0|1] [fastopen_no_cookie 0|1]\n"
"       strata route get [to] ADDRESS [from ADDRESS] [tos TOS] [dev DEVICE]\n"
"       strata route flush [the words of show]\n"
"       strata route monitor\n"
"\n"
"TYPE:  unicast, local, broadcast, blackhole, unreachable, prohibit\n"
"PROTO: kernel, boot, static, dhcp or a number to 255\n"
"SCOPE: global, link, host or a number to 255\n"
"TOS:   a number in hexadecimal, or a name (AF11, CS1, EF, ...); also after the\n"
"       word dsfield. A route may have 4, 8, ... 1c: it is for packets with that\n"
"       TOS alone, and is deleted by it.\n"
"TIME:  a number with s or ms; without either in ms, of rtt in 1/8 ms, of rttvar\n"
"       in 1/4 ms\n"
"\n"
"mtu lock: without path MTU discovery: ICMP errors do not lower it, and routers\n"
"on the way may cut packets. congctl lock: programs do not choose another. cwnd\n"
"lock: a connection has no larger window; without \"lock\" cwnd says nothing.\n"
"cwnd, initcwnd, initrwnd and ssthresh count segments. rto_min is always locked.\n"
"\n"
"del with any of these takes only a route that has the same.\n"
"\n"
"show takes the route to PREFIX; with root also those to what lies inside it,\n"
"with match those to what it lies inside.\n";

struct route_words {
	struct prefix dst, root, match, via, src;
	struct in_addr from;
	struct rt_metrics mx;
	uint32_t metric;
	unsigned int proto, scope, type, table, tos;
	bool has_dst, has_via, has_src, has_from, has_metric;
	bool has_proto, has_scope, has_type, has_table, has_root, has_match, has_tos;
	bool onlink;
	int dev;
};

static bool kind_proto(const char *word, void *to)
{
	return name_value(rt_protocols, word, to);
}

static bool kind_scope(const char *word, void *to)
{
	return name_value(rt_scopes, word, to);
}

static bool kind_type(const char *word, void *to)
{
	return name_value(rt_types, word, to);
}

static bool kind_table(const char *word, void *to)
{
	return name_value(rt_tables, word, to);
}

/* As ip(8) reads it: a name, or a number that is hexadecimal with and without 0x. */
static bool kind_tos(const char *word, void *to)
{
	const struct name_value *t;
	unsigned long v;
	char *end;

	for (t = rt_tos; t->name; t++) {
		if (!strcmp(t->name, word)) {
			*(unsigned int *)to = t->value;
			return true;
		}
	}
	v = strtoul(word, &end, 16);
	if (!isxdigit((unsigned char)*word) || *end || v > 0xff)
		return false;
	*(unsigned int *)to = v;
	return true;
}

static const struct arg_kind arg_proto = {
	"a protocol (kernel, boot, static, dhcp or a number)", kind_proto
};

static const struct arg_kind arg_scope = {
	"a scope (global, link, host or a number)", kind_scope
};

static const struct arg_kind arg_type = {
	"a route type (unicast, local, broadcast, blackhole, unreachable, prohibit)",
	kind_type
};

/* (a number that stands alone is no type) */
static bool kind_type_name(const char *word, void *to)
{
	return *word > '9' && kind_type(word, to);
}

static const struct arg_kind arg_type_name = { "a route type", kind_type_name };

static const struct arg_kind arg_tos = {
	"a TOS in hexadecimal (0 to ff) or its name (CS1, AF11, EF, ...)", kind_tos
};

static const struct arg_kind arg_table = {
	"a table (main, local, all or a number)", kind_table
};

#define WORDS_SHARED 11	/* of routes that are set, and of those that are shown */
#define WORDS_SHOW 2	/* of the latter alone */

/* The words of one of the two alone; how many. */
static unsigned int own_words(struct route_words *w, bool show, struct arg *to)
{
	const struct arg shown[WORDS_SHOW] = {
		{ .name = "root", .kind = &arg_prefix, .to = &w->root, .lead = "to" },
		{ .name = "match", .kind = &arg_prefix, .to = &w->match, .lead = "to" },
	};

	if (show) {
		memcpy(to, shown, sizeof(shown));
		return WORDS_SHOW;
	}
	to[0] = (struct arg){ .name = "onlink", .to = &w->onlink };
	return 1 + rt_metrics_words(&w->mx, to + 1);
}

static int route_parse(struct route_words *w, bool show, int argc, char **argv)
{
	const struct arg_kind *whose = show ? &arg_prefix : &arg_ipv4;
	struct arg spec[WORDS_SHARED + 1 + RTAX_MAX] = {
		{ .name = "to", .kind = &arg_prefix, .to = &w->dst, .lead = "to", .need = !show,
		  .bare = true },
		{ .name = "via", .kind = whose, .to = &w->via },
		{ .name = "dev", .alias = "oif", .kind = &arg_dev, .to = &w->dev },
		{ .name = "src", .kind = whose, .to = &w->src },
		{ .name = "metric", .alias = "priority preference", .kind = &arg_u32, .to = &w->metric },
		{ .name = "proto", .alias = "protocol", .kind = &arg_proto, .to = &w->proto },
		{ .name = "scope", .kind = &arg_scope, .to = &w->scope },
		{ .name = "table", .kind = &arg_table, .to = &w->table },
		{ .name = "type", .kind = &arg_type, .to = &w->type },
		{ .kind = &arg_type_name, .to = &w->type, .lead = "to", .bare = true },
		{ .name = "tos", .alias = "dsfield", .kind = &arg_tos, .to = &w->tos },
	};
	struct arg *own = spec + WORDS_SHARED;
	unsigned int n = WORDS_SHARED + own_words(w, show, own);
	int err;

	if (show)
		spec[0].alias = "exact";
	else
		rt_metrics_lock(&w->mx, &argc, argv);
	err = args_parse(spec, n, argc, argv);
	w->has_dst = spec[0].given;
	w->has_via = spec[1].given;
	w->has_src = spec[3].given;
	w->has_metric = spec[4].given;
	w->has_proto = spec[5].given;
	w->has_scope = spec[6].given;
	w->has_table = spec[7].given;
	w->has_type = spec[8].given || spec[9].given;
	w->has_tos = spec[10].given;
	w->has_root = show && own[0].given;
	w->has_match = show && own[1].given;
	if (!show)
		rt_metrics_given(&w->mx, own + 1);
	return err;
}

static unsigned int default_scope(const struct route_words *w, bool del)
{
	if (w->has_scope)
		return w->scope;
	if (del)
		return RT_SCOPE_NOWHERE;
	if (w->type == RTN_LOCAL)
		return RT_SCOPE_HOST;
	if (!w->has_via && (w->type == RTN_UNICAST || w->type == RTN_BROADCAST))
		return RT_SCOPE_LINK;
	return RT_SCOPE_UNIVERSE;
}

static int route_modify(int argc, char **argv, uint16_t type, uint16_t flags)
{
	bool del = type == RTM_DELROUTE;
	struct route_words w = { .type = RTN_UNICAST };
	char buf[NL_REQUEST_SIZE] = "";
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	int err;

	err = route_parse(&w, false, argc, argv);
	if (err)
		return err;
	if (!del && !w.has_via && !w.dev && w.type == RTN_UNICAST)
		return usage_error("\"via\" or \"dev\" is needed.");
	nlh = nl_request(buf, type, NLM_F_ACK | flags);
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = opt.family;
	rtm->rtm_dst_len = w.dst.len;
	rtm->rtm_table = w.has_table ? w.table : RT_TABLE_MAIN;
	if (!del || w.has_type)
		rtm->rtm_type = w.type;
	if (!del || w.has_proto)
		rtm->rtm_protocol = w.has_proto ? w.proto : RTPROT_BOOT;
	rtm->rtm_scope = default_scope(&w, del);
	rtm->rtm_flags = w.onlink ? RTNH_F_ONLINK : 0;
	rtm->rtm_tos = w.tos;
	if (w.dst.len)
		mnl_attr_put_u32(nlh, RTA_DST, w.dst.addr.s_addr);
	if (w.has_via)
		mnl_attr_put_u32(nlh, RTA_GATEWAY, w.via.addr.s_addr);
	if (w.dev)
		mnl_attr_put_u32(nlh, RTA_OIF, w.dev);
	if (w.has_src)
		mnl_attr_put_u32(nlh, RTA_PREFSRC, w.src.addr.s_addr);
	if (w.has_metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, w.metric);
	rt_metrics_put(nlh, &w.mx);
	return rt_one_request(nlh);
}

static int route_add(int argc, char **argv)
{
	return route_modify(argc, argv, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
}

static int route_append(int argc, char **argv)
{
	return route_modify(argc, argv, RTM_NEWROUTE,
			    NLM_F_CREATE | NLM_F_APPEND);
}

static int route_replace(int argc, char **argv)
{
	return route_modify(argc, argv, RTM_NEWROUTE,
			    NLM_F_CREATE | NLM_F_REPLACE);
}

static int route_change(int argc, char **argv)
{
	return route_modify(argc, argv, RTM_NEWROUTE, NLM_F_REPLACE);
}

static int route_del(int argc, char **argv)
{
	return route_modify(argc, argv, RTM_DELROUTE, 0);
}

/* "PREFIX": that one; "root PREFIX": what lies inside it; "match PREFIX": what it lies inside. */
static bool takes_dst(const struct route_words *w, const struct rt_route *r)
{
	if (w->has_dst && (r->dst.len != w->dst.len || !prefix_covers(&w->dst, r->dst.addr)))
		return false;
	if (w->has_root && (r->dst.len < w->root.len || !prefix_covers(&w->root, r->dst.addr)))
		return false;
	return !w->has_match ||
	       (r->dst.len <= w->match.len && prefix_covers(&r->dst, w->match.addr));
}

static bool takes(const struct route_words *w, const struct rt_route *r)
{
	if (r->flags & RTM_F_CLONED || !takes_dst(w, r))
		return false;
	if (w->table != RT_TABLE_UNSPEC && r->table != w->table &&
	    r->table != RT_TABLE_UNSPEC)
		return false;
	if (w->dev && r->oif != w->dev)
		return false;
	if (w->has_via && (!r->has_via || !prefix_covers(&w->via, r->via)))
		return false;
	if (w->has_src && (!r->has_src || !prefix_covers(&w->src, r->src)))
		return false;
	if (w->has_metric && r->metric != w->metric)
		return false;
	if (w->has_tos && r->tos != w->tos)
		return false;
	if (w->has_proto && r->protocol != w->proto)
		return false;
	if (w->has_scope && r->scope != w->scope)
		return false;
	return !w->has_type || r->type == w->type;
}

static void show_list(const struct rt_list *list, const struct route_words *w)
{
	json_t *json = opt.json ? json_array() : NULL;
	const struct rt_route *r = list->item;
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (!takes(w, &r[i]))
			continue;
		if (json)
			json_array_append_new(json, rt_route_json(&r[i]));
		else
			rt_route_print(&r[i]);
	}
	if (json)
		json_out(json);
}

static bool flush_takes(const void *words, const void *item)
{
	return takes(words, item);
}

/* All that tells it from others goes with the request: what is not said matches any. */
static int flush_one(struct nl *nl, const void *item)
{
	const struct rt_route *r = item;
	char buf[NL_REQUEST_SIZE] = "";
	struct nlmsghdr *nlh = nl_request(buf, RTM_DELROUTE, NLM_F_ACK);
	struct rtmsg *rtm;

	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = opt.family;
	rtm->rtm_dst_len = r->dst.len;
	rtm->rtm_table = r->table;
	rtm->rtm_type = r->type;
	rtm->rtm_protocol = r->protocol;
	rtm->rtm_scope = r->scope;
	rtm->rtm_tos = r->tos;
	if (r->dst.len)
		mnl_attr_put_u32(nlh, RTA_DST, r->dst.addr.s_addr);
	if (r->has_via)
		mnl_attr_put_u32(nlh, RTA_GATEWAY, r->via.s_addr);
	if (r->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, r->oif);
	if (r->has_metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->has_src)
		mnl_attr_put_u32(nlh, RTA_PREFSRC, r->src.s_addr);
	rt_metrics_put(nlh, &r->mx);
	return nl_delete(nl, nlh);
}

static int route_show(int argc, char **argv)
{
	struct rt_list list = RT_LIST(struct rt_route);
	struct route_words w = { .table = RT_TABLE_MAIN };
	struct nl nl;
	int err;

	err = route_parse(&w, true, argc, argv);
	if (err)
		return err;
	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	err = rt_routes(&nl, &list);
	if (!err)
		show_list(&list, &w);
	rt_list_free(&list);
	nl_close(&nl);
	return err;
}

static int route_flush(int argc, char **argv)
{
	static const struct rt_flush flush = {
		"route", "routes", sizeof(struct rt_route), rt_routes, flush_takes, flush_one
	};
	struct route_words w = { .table = RT_TABLE_MAIN };
	int err;

	if (argc < 2)
		return usage_error("a prefix, \"dev\", \"via\", \"table\" or another word of \"show\" is expected after \"flush\".");
	err = route_parse(&w, true, argc, argv);
	return err ? err : rt_flush(&flush, &w);
}

static void print_reply(const struct nlmsghdr *nlh, void *data)
{
	struct rt_route r;

	(void)data;
	if (!rt_route_read(nlh, &r))
		return;
	if (opt.json)
		json_out(json_pack("[o]", rt_route_json(&r)));
	else
		rt_route_print(&r);
}

static int route_get(int argc, char **argv)
{
	struct route_words w = { 0 };
	struct arg spec[] = {
		{ .name = "to", .kind = &arg_ipv4, .to = &w.dst.addr, .need = true, .bare = true },
		{ .name = "from", .alias = "src", .kind = &arg_ipv4, .to = &w.from },
		{ .name = "dev", .alias = "oif", .kind = &arg_dev, .to = &w.dev },
		{ .name = "tos", .alias = "dsfield", .kind = &arg_tos, .to = &w.tos },
	};
	char buf[NL_REQUEST_SIZE] = "";
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	struct nl nl;
	int err;

	err = args_parse(ARGS(spec), argc, argv);
	if (err)
		return err;
	nlh = nl_request(buf, RTM_GETROUTE, 0);
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = opt.family;
	rtm->rtm_dst_len = 32;
	rtm->rtm_tos = w.tos;
	mnl_attr_put_u32(nlh, RTA_DST, w.dst.addr.s_addr);
	if (spec[1].given) {
		rtm->rtm_src_len = 32;
		mnl_attr_put_u32(nlh, RTA_SRC, w.from.s_addr);
	}
	if (w.dev)
		mnl_attr_put_u32(nlh, RTA_OIF, w.dev);
	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	err = nl_talk(&nl, nlh, print_reply, NULL);
	nl_close(&nl);
	return err ? EXIT_KERNEL : 0;
}

static int route_monitor(int argc, char **argv)
{
	return monitor_object("route", argc, argv);
}

static const struct command verbs[] = {
	{ "show", route_show }, { "list", route_show }, { "lst", route_show },
	{ "add", route_add }, { "append", route_append },
	{ "replace", route_replace }, { "change", route_change },
	{ "delete", route_del }, { "get", route_get },
	{ "flush", route_flush }, { "monitor", route_monitor }, { NULL, NULL }
};

int cmd_route(int argc, char **argv)
{
	return command_run("strata route", verbs, help, argc, argv);
}
