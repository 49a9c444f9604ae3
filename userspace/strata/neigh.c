// SPDX-License-Identifier: GPL-2.0-only
/* strata neigh: the ARP cache. */
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

static const char help[] =
"Usage: strata neigh [show] [[to] PREFIX] [dev DEVICE] [nud STATE]\n"
"       strata neigh add|replace|change [to] ADDRESS lladdr LLADDR dev DEVICE\n"
"                    [nud STATE]\n"
"       strata neigh del|get [to] ADDRESS dev DEVICE\n"
"       strata neigh flush [[to] PREFIX] [dev DEVICE] [nud STATE]\n"
"       strata neigh monitor\n"
"\n"
"STATE: permanent, reachable, stale, delay, probe, incomplete, failed, noarp,\n"
"       none; when showing or flushing also all, and nud may come again\n"
"An entry added without a state is permanent. flush leaves permanent entries\n"
"unless they are named by nud.\n";

struct neigh_words {
	struct in_addr dst;
	struct lladdr lladdr;
	unsigned int nud;
	int dev;
};

#define NUD_BIT_NONE 0x100	/* for "no state" in a mask of states, as in ip(8) */

struct neigh_filter {
	struct prefix to;
	unsigned int nud;	/* mask of states */
	bool has_to;
	int dev;
};

static bool kind_nud(const char *word, void *to)
{
	return *word > '9' && name_value(rt_nud, word, to);
}

static bool kind_nud_mask(const char *word, void *to)
{
	unsigned int *nud = to, one = ~0U;

	if (strcmp(word, "all") && !kind_nud(word, &one))
		return false;
	*nud |= one == NUD_NONE ? NUD_BIT_NONE : one;
	return true;
}

static const struct arg_kind arg_nud = {
	"a state (permanent, reachable, stale, delay, probe, incomplete, failed, noarp, none)",
	kind_nud
};

static const struct arg_kind arg_nud_mask = {
	"a state (permanent, reachable, stale, delay, probe, incomplete, failed, noarp, none, all)",
	kind_nud_mask
};

static struct nlmsghdr *neigh_request(char *buf, uint16_t type, uint16_t flags,
				      struct in_addr dst, int dev,
				      unsigned int nud)
{
	struct nlmsghdr *nlh = nl_request(buf, type, flags);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

	ndm->ndm_family = opt.family;
	ndm->ndm_ifindex = dev;
	ndm->ndm_state = nud;
	mnl_attr_put_u32(nlh, NDA_DST, dst.s_addr);
	return nlh;
}

static int neigh_modify(int argc, char **argv, uint16_t type, uint16_t flags)
{
	struct neigh_words w = { .nud = NUD_PERMANENT };
	struct arg spec[] = {
		{ .name = "to", .kind = &arg_ipv4, .to = &w.dst, .need = true, .bare = true },
		{ .name = "lladdr", .kind = &arg_lladdr, .to = &w.lladdr },
		{ .name = "dev", .kind = &arg_dev, .to = &w.dev, .need = true },
		{ .name = "nud", .alias = "state", .kind = &arg_nud, .to = &w.nud },
	};
	char buf[NL_REQUEST_SIZE] = "";
	struct nlmsghdr *nlh;
	int err;

	spec[1].need = type == RTM_NEWNEIGH && flags & NLM_F_CREATE;
	err = args_parse(ARGS(spec), argc, argv);
	if (err)
		return err;
	nlh = neigh_request(buf, type, NLM_F_ACK | flags, w.dst, w.dev,
			    type == RTM_NEWNEIGH || spec[3].given ? w.nud : 0);
	if (w.lladdr.len)
		mnl_attr_put(nlh, NDA_LLADDR, w.lladdr.len, w.lladdr.byte);
	return rt_one_request(nlh);
}

static int neigh_add(int argc, char **argv)
{
	return neigh_modify(argc, argv, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL);
}

static int neigh_replace(int argc, char **argv)
{
	return neigh_modify(argc, argv, RTM_NEWNEIGH,
			    NLM_F_CREATE | NLM_F_REPLACE);
}

static int neigh_change(int argc, char **argv)
{
	return neigh_modify(argc, argv, RTM_NEWNEIGH, NLM_F_REPLACE);
}

static int neigh_del(int argc, char **argv)
{
	return neigh_modify(argc, argv, RTM_DELNEIGH, 0);
}

static int filter_parse(struct neigh_filter *f, bool flush, int argc, char **argv)
{
	struct arg spec[] = {
		{ .name = "to", .kind = &arg_prefix, .to = &f->to, .bare = true },
		{ .name = "dev", .kind = &arg_dev, .to = &f->dev },
		{ .name = "nud", .alias = "state", .kind = &arg_nud_mask, .to = &f->nud, .many = true },
	};
	int err = args_parse(ARGS(spec), argc, argv);

	f->has_to = spec[0].given;
	if (!spec[2].given)
		f->nud = flush ? ~(NUD_PERMANENT | NUD_NOARP) : 0xff & ~NUD_NOARP;
	else if (flush && f->nud == ~0U)
		f->nud = ~NUD_NOARP;
	return err;
}

static bool takes(const struct neigh_filter *f, const struct rt_neigh *n)
{
	if (f->dev && n->ifindex != f->dev)
		return false;
	if (f->has_to && !prefix_covers(&f->to, n->dst))
		return false;
	return f->nud & (n->state == NUD_NONE ? NUD_BIT_NONE : n->state);
}

static void show_list(const struct rt_list *list, const struct neigh_filter *f)
{
	json_t *json = opt.json ? json_array() : NULL;
	const struct rt_neigh *n = list->item;
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (!takes(f, &n[i]))
			continue;
		if (json)
			json_array_append_new(json, rt_neigh_json(&n[i]));
		else
			rt_neigh_print(&n[i]);
	}
	if (json)
		json_out(json);
}

static int neigh_show(int argc, char **argv)
{
	struct rt_list list = RT_LIST(struct rt_neigh);
	struct neigh_filter f = { 0 };
	struct nl nl;
	int err;

	err = filter_parse(&f, false, argc, argv);
	if (err)
		return err;
	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	err = rt_neighs(&nl, &list);
	if (!err)
		show_list(&list, &f);
	rt_list_free(&list);
	nl_close(&nl);
	return err;
}

static bool flush_takes(const void *words, const void *item)
{
	return takes(words, item);
}

static int flush_one(struct nl *nl, const void *item)
{
	char buf[NL_REQUEST_SIZE] = "";
	const struct rt_neigh *n = item;

	return nl_delete(nl, neigh_request(buf, RTM_DELNEIGH, NLM_F_ACK, n->dst, n->ifindex, 0));
}

static int neigh_flush(int argc, char **argv)
{
	static const struct rt_flush flush = {
		"neighbour", "neighbours", sizeof(struct rt_neigh), rt_neighs, flush_takes, flush_one
	};
	struct neigh_filter f = { 0 };
	int err;

	if (argc < 2)
		return usage_error("a prefix, \"dev\" or \"nud\" is expected after \"flush\".");
	err = filter_parse(&f, true, argc, argv);
	return err ? err : rt_flush(&flush, &f);
}

static void print_reply(const struct nlmsghdr *nlh, void *data)
{
	struct rt_neigh n;

	(void)data;
	if (!rt_neigh_read(nlh, &n))
		return;
	if (opt.json)
		json_out(json_pack("[o]", rt_neigh_json(&n)));
	else
		rt_neigh_print(&n);
}

static int neigh_get(int argc, char **argv)
{
	struct neigh_words w = { 0 };
	struct arg spec[] = {
		{ .name = "to", .kind = &arg_ipv4, .to = &w.dst, .need = true, .bare = true },
		{ .name = "dev", .kind = &arg_dev, .to = &w.dev, .need = true },
	};
	char buf[NL_REQUEST_SIZE] = "";
	struct nl nl;
	int err;

	err = args_parse(ARGS(spec), argc, argv);
	if (err)
		return err;
	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	err = nl_talk(&nl, neigh_request(buf, RTM_GETNEIGH, 0, w.dst, w.dev, 0),
		      print_reply, NULL);
	nl_close(&nl);
	return err ? EXIT_KERNEL : 0;
}

static int neigh_monitor(int argc, char **argv)
{
	return monitor_object("neigh", argc, argv);
}

static const struct command verbs[] = {
	{ "show", neigh_show }, { "list", neigh_show }, { "lst", neigh_show },
	{ "add", neigh_add }, { "replace", neigh_replace },
	{ "change", neigh_change }, { "delete", neigh_del },
	{ "get", neigh_get }, { "flush", neigh_flush },
	{ "monitor", neigh_monitor }, { NULL, NULL }
};

int cmd_neigh(int argc, char **argv)
{
	return command_run("strata neigh", verbs, help, argc, argv);
}
