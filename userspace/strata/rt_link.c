// SPDX-License-Identifier: GPL-2.0-only
/* A network device: RTM_NEWLINK read and printed as "ip link" does. */
#include <net/if.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

const struct name_value rt_operstates[] = {
	{ "UNKNOWN", IF_OPER_UNKNOWN },
	{ "NOTPRESENT", IF_OPER_NOTPRESENT },
	{ "DOWN", IF_OPER_DOWN },
	{ "LOWERLAYERDOWN", IF_OPER_LOWERLAYERDOWN },
	{ "TESTING", IF_OPER_TESTING },
	{ "DORMANT", IF_OPER_DORMANT },
	{ "UP", IF_OPER_UP },
	{ NULL, 0 }
};

static const struct name_value link_flags[] = {
	{ "LOOPBACK", IFF_LOOPBACK }, { "BROADCAST", IFF_BROADCAST },
	{ "POINTOPOINT", IFF_POINTOPOINT }, { "MULTICAST", IFF_MULTICAST },
	{ "NOARP", IFF_NOARP }, { "ALLMULTI", IFF_ALLMULTI },
	{ "PROMISC", IFF_PROMISC }, { "MASTER", IFF_MASTER },
	{ "SLAVE", IFF_SLAVE }, { "DYNAMIC", IFF_DYNAMIC },
	{ "UP", IFF_UP }, { "LOWER_UP", IFF_LOWER_UP },
	{ "DORMANT", IFF_DORMANT }, { NULL, 0 }
};

static const struct name_value link_types[] = {
	{ "ether", ARPHRD_ETHER }, { "loopback", ARPHRD_LOOPBACK },
	{ "none", ARPHRD_NONE }, { "ppp", ARPHRD_PPP },
	{ "ipip", ARPHRD_TUNNEL }, { "gre", ARPHRD_IPGRE }, { NULL, 0 }
};

static void read_lladdr(const struct nlattr *a, struct lladdr *ll)
{
	ll->len = 0;
	if (!a || mnl_attr_get_payload_len(a) > sizeof(ll->byte))
		return;
	ll->len = mnl_attr_get_payload_len(a);
	memcpy(ll->byte, mnl_attr_get_payload(a), ll->len);
}

bool rt_link_read(const struct nlmsghdr *nlh, struct rt_link *l)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[IFLA_MAX + 1];

	memset(l, 0, sizeof(*l));
	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return false;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return false;
	nl_attrs(nlh, sizeof(*ifi), tb, IFLA_MAX);
	if (!tb[IFLA_IFNAME] ||
	    mnl_attr_validate(tb[IFLA_IFNAME], MNL_TYPE_NUL_STRING) < 0)
		return false;
	snprintf(l->name, sizeof(l->name), "%s",
		 mnl_attr_get_str(tb[IFLA_IFNAME]));
	l->index = ifi->ifi_index;
	l->flags = ifi->ifi_flags;
	l->type = ifi->ifi_type;
	nl_get_u32(tb[IFLA_MTU], &l->mtu);
	nl_get(tb[IFLA_LINK], &l->peer, sizeof(l->peer));
	nl_get(tb[IFLA_OPERSTATE], &l->operstate, sizeof(l->operstate));
	read_lladdr(tb[IFLA_ADDRESS], &l->lladdr);
	read_lladdr(tb[IFLA_BROADCAST], &l->broadcast);
	return true;
}

static void print_flags(unsigned int flags)
{
	const struct name_value *f;
	const char *sep = "";

	putchar('<');
	if (flags & IFF_UP && !(flags & IFF_RUNNING)) {
		fputs("NO-CARRIER", stdout);
		sep = ",";
	}
	for (f = link_flags; f->name; f++) {
		if (!(flags & f->value))
			continue;
		printf("%s%s", sep, f->name);
		sep = ",";
	}
	putchar('>');
}

void rt_link_print(const struct rt_link *l)
{
	printf("%d: %s", l->index, l->name);
	if (l->peer)
		printf("@if%d", l->peer);
	fputs(": ", stdout);
	print_flags(l->flags);
	printf(" mtu %u state %s", l->mtu,
	       name_of(rt_operstates, l->operstate));
	fputs(opt.oneline ? "\\" : "\n", stdout);
	printf("    link/%s", name_of(link_types, l->type));
	if (l->lladdr.len)
		printf(" %s", rt_lladdr(&l->lladdr));
	if (l->broadcast.len)
		printf(" brd %s", rt_lladdr(&l->broadcast));
	putchar('\n');
}

json_t *rt_link_json(const struct rt_link *l)
{
	json_t *j = json_pack("{si so so si ss ss}", "ifindex", l->index,
			      "ifname", json_text(l->name),
			      "flags", json_names(link_flags, l->flags),
			      "mtu", (int)l->mtu,
			      "operstate", name_of(rt_operstates, l->operstate),
			      "link_type", name_of(link_types, l->type));

	if (l->peer)
		json_object_set_new(j, "link_index", json_integer(l->peer));
	if (l->lladdr.len)
		json_object_set_new(j, "address",
				    json_string(rt_lladdr(&l->lladdr)));
	if (l->broadcast.len)
		json_object_set_new(j, "broadcast",
				    json_string(rt_lladdr(&l->broadcast)));
	return j;
}
