// SPDX-License-Identifier: GPL-2.0-only
/*
 * strata link: the devices Strata is bound to. A device carries both stacks;
 * it is bound while it has a Strata address, so the list is the native list of
 * devices joined with Strata's addresses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

static const char help[] =
"Usage: strata link [show] [[dev] DEVICE] [up]\n"
"       strata link set [dev] DEVICE [up] [down] [mtu BYTES]\n"
"       strata link monitor\n"
"\n"
"Lists the devices that Strata is bound to. A device is bound by its first\n"
"address (strata addr add) and unbound with its last one. set changes the\n"
"device itself, for both stacks.\n";

static void show_one(const struct rt_link *l, json_t *json)
{
	if (json)
		json_array_append_new(json, rt_link_json(l));
	else if (opt.brief)
		printf("%-16s %-14s %s\n", l->name,
		       name_of(rt_operstates, l->operstate),
		       rt_lladdr(&l->lladdr));
	else
		rt_link_print(l);
}

static int link_show(int argc, char **argv)
{
	struct rt_list links = RT_LIST(struct rt_link);
	struct rt_list addrs = RT_LIST(struct rt_addr);
	json_t *json = opt.json ? json_array() : NULL;
	const struct rt_link *l;
	bool up = false;
	int dev = 0;
	struct arg spec[] = {
		{ .name = "dev", .kind = &arg_dev, .to = &dev, .bare = true },
		{ .name = "up", .to = &up },
	};
	struct nl nl;
	unsigned int i;
	int err;

	err = args_parse(ARGS(spec), argc, argv);
	if (err)
		return err;
	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	err = rt_links(&nl, &links);
	if (!err)
		err = rt_addrs(&nl, &addrs);
	l = links.item;
	for (i = 0; !err && i < links.count; i++)
		if (rt_addrs_on(&addrs, l[i].index) &&
		    (!dev || l[i].index == dev) && (!up || l[i].flags & IFF_UP))
			show_one(&l[i], json);
	if (json && !err)
		json_out(json);
	rt_list_free(&addrs);
	rt_list_free(&links);
	nl_close(&nl);
	return err;
}

static int link_set(int argc, char **argv)
{
	bool up = false, down = false;
	uint32_t mtu = 0;
	int dev = 0;
	struct arg spec[] = {
		{ .name = "dev", .kind = &arg_dev, .to = &dev, .need = true, .bare = true },
		{ .name = "up", .to = &up },
		{ .name = "down", .to = &down },
		{ .name = "mtu", .kind = &arg_mtu, .to = &mtu },
	};
	char buf[NL_REQUEST_SIZE] = "";
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	int err;

	err = args_parse(ARGS(spec), argc, argv);
	if (err)
		return err;
	if (up && down)
		return usage_error("\"up\" or \"down\" is expected, not both.");
	nlh = nl_request(buf, RTM_NEWLINK, NLM_F_ACK);
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = dev;
	ifi->ifi_change = up || down ? IFF_UP : 0;
	ifi->ifi_flags = up ? IFF_UP : 0;
	if (mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return rt_one_request(nlh);
}

static int link_bind(int argc, char **argv)
{
	(void)argc;
	return usage_error("\"strata addr %s ADDRESS/LENGTH dev DEVICE\" is expected: a device is bound by its first address, and unbound with its last.",
			   argv[0]);
}

static int link_monitor(int argc, char **argv)
{
	return monitor_object("link", argc, argv);
}

static const struct command verbs[] = {
	{ "show", link_show }, { "list", link_show }, { "lst", link_show },
	{ "set", link_set }, { "add", link_bind }, { "delete", link_bind },
	{ "monitor", link_monitor }, { NULL, NULL }
};

int cmd_link(int argc, char **argv)
{
	return command_run("strata link", verbs, help, argc, argv);
}
