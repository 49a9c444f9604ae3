// SPDX-License-Identifier: GPL-2.0-only
/* An interface address: RTM_NEWADDR read and printed as "ip addr" does. */
#include <stdio.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

const struct name_value rt_scopes[] = {
	{ "global", RT_SCOPE_UNIVERSE }, { "site", RT_SCOPE_SITE },
	{ "link", RT_SCOPE_LINK }, { "host", RT_SCOPE_HOST },
	{ "nowhere", RT_SCOPE_NOWHERE }, { NULL, 0 }
};

static const struct name_value addr_flags[] = {
	{ "secondary", IFA_F_SECONDARY }, { "tentative", IFA_F_TENTATIVE },
	{ "deprecated", IFA_F_DEPRECATED }, { "dadfailed", IFA_F_DADFAILED },
	{ "noprefixroute", IFA_F_NOPREFIXROUTE }, { NULL, 0 }
};

bool rt_addr_read(const struct nlmsghdr *nlh, struct rt_addr *a)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[IFA_MAX + 1];
	struct in_addr address;

	memset(a, 0, sizeof(*a));
	if (nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR)
		return false;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    ifa->ifa_family != opt.family)
		return false;
	nl_attrs(nlh, sizeof(*ifa), tb, IFA_MAX);
	if (!nl_get(tb[IFA_ADDRESS], &address, sizeof(address)) &&
	    !nl_get(tb[IFA_LOCAL], &address, sizeof(address)))
		return false;
	if (!nl_get(tb[IFA_LOCAL], &a->local, sizeof(a->local)))
		a->local = address;
	a->has_peer = address.s_addr != a->local.s_addr;
	a->peer = address;
	a->has_broadcast = nl_get(tb[IFA_BROADCAST], &a->broadcast,
				  sizeof(a->broadcast));
	a->ifindex = ifa->ifa_index;
	a->len = ifa->ifa_prefixlen;
	a->scope = ifa->ifa_scope;
	a->flags = ifa->ifa_flags;
	nl_get_u32(tb[IFA_FLAGS], &a->flags);
	nl_get_u32(tb[IFA_RT_PRIORITY], &a->metric);
	return true;
}

void rt_addr_print(const struct rt_addr *a)
{
	const struct name_value *f;

	printf("    inet %s", rt_ipv4(a->local));
	if (a->has_peer)
		printf(" peer %s", rt_ipv4(a->peer));
	printf("/%u", a->len);
	if (a->metric)
		printf(" metric %u", a->metric);
	if (a->has_broadcast)
		printf(" brd %s", rt_ipv4(a->broadcast));
	printf(" scope %s", name_of(rt_scopes, a->scope));
	for (f = addr_flags; f->name; f++)
		if (a->flags & f->value)
			printf(" %s", f->name);
	printf(" %s\n", rt_ifname(a->ifindex));
}

json_t *rt_addr_json(const struct rt_addr *a)
{
	const struct name_value *f;
	json_t *j = json_pack("{ss ss}", "family", "inet",
			      "local", rt_ipv4(a->local));

	if (a->has_peer)
		json_object_set_new(j, "address", json_string(rt_ipv4(a->peer)));
	json_object_set_new(j, "prefixlen", json_integer(a->len));
	if (a->metric)
		json_object_set_new(j, "metric", json_integer(a->metric));
	if (a->has_broadcast)
		json_object_set_new(j, "broadcast",
				    json_string(rt_ipv4(a->broadcast)));
	json_object_set_new(j, "scope", json_string(name_of(rt_scopes, a->scope)));
	for (f = addr_flags; f->name; f++)
		if (a->flags & f->value)
			json_object_set_new(j, f->name, json_true());
	json_object_set_new(j, "label", json_text(rt_ifname(a->ifindex)));
	return j;
}

bool rt_addrs_on(const struct rt_list *addrs, int ifindex)
{
	const struct rt_addr *a = addrs->item;
	unsigned int i;

	for (i = 0; i < addrs->count; i++)
		if (a[i].ifindex == ifindex)
			return true;
	return false;
}
