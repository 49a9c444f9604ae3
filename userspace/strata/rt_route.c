// SPDX-License-Identifier: GPL-2.0-only
/* A route: RTM_NEWROUTE read and printed as "ip route" does. */
#include <stdio.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

const struct name_value rt_tables[] = {
	{ "default", RT_TABLE_DEFAULT }, { "main", RT_TABLE_MAIN },
	{ "local", RT_TABLE_LOCAL }, { "all", RT_TABLE_UNSPEC }, { NULL, 0 }
};

const struct name_value rt_protocols[] = {
	{ "unspec", RTPROT_UNSPEC }, { "redirect", RTPROT_REDIRECT },
	{ "kernel", RTPROT_KERNEL }, { "boot", RTPROT_BOOT },
	{ "static", RTPROT_STATIC }, { "ra", RTPROT_RA },
	{ "dhcp", RTPROT_DHCP }, { "zebra", RTPROT_ZEBRA },
	{ "bird", RTPROT_BIRD }, { NULL, 0 }
};

const struct name_value rt_types[] = {
	{ "unicast", RTN_UNICAST }, { "local", RTN_LOCAL },
	{ "broadcast", RTN_BROADCAST }, { "multicast", RTN_MULTICAST },
	{ "blackhole", RTN_BLACKHOLE }, { "unreachable", RTN_UNREACHABLE },
	{ "prohibit", RTN_PROHIBIT }, { "throw", RTN_THROW }, { NULL, 0 }
};

/* iproute2's rt_dsfield: AF (RFC 2597), CS (RFC 2474), EF (RFC 3246) */
const struct name_value rt_tos[] = {
	{ "default", 0 },
	{ "AF11", 0x28 }, { "AF12", 0x30 }, { "AF13", 0x38 },
	{ "AF21", 0x48 }, { "AF22", 0x50 }, { "AF23", 0x58 },
	{ "AF31", 0x68 }, { "AF32", 0x70 }, { "AF33", 0x78 },
	{ "AF41", 0x88 }, { "AF42", 0x90 }, { "AF43", 0x98 },
	{ "CS1", 0x20 }, { "CS2", 0x40 }, { "CS3", 0x60 }, { "CS4", 0x80 },
	{ "CS5", 0xa0 }, { "CS6", 0xc0 }, { "CS7", 0xe0 }, { "EF", 0xb8 },
	{ NULL, 0 }
};

static const struct name_value route_flags[] = {
	{ "dead", RTNH_F_DEAD }, { "onlink", RTNH_F_ONLINK },
	{ "linkdown", RTNH_F_LINKDOWN }, { NULL, 0 }
};

bool rt_route_read(const struct nlmsghdr *nlh, struct rt_route *r)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[RTA_MAX + 1];

	memset(r, 0, sizeof(*r));
	if (nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE)
		return false;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
	    rtm->rtm_family != opt.family || rtm->rtm_dst_len > 32)
		return false;
	nl_attrs(nlh, sizeof(*rtm), tb, RTA_MAX);
	nl_get(tb[RTA_DST], &r->dst.addr, sizeof(r->dst.addr));
	r->dst.len = rtm->rtm_dst_len;
	r->table = rtm->rtm_table;
	nl_get_u32(tb[RTA_TABLE], &r->table);
	r->protocol = rtm->rtm_protocol;
	r->scope = rtm->rtm_scope;
	r->type = rtm->rtm_type;
	r->flags = rtm->rtm_flags;
	r->tos = rtm->rtm_tos;
	nl_get(tb[RTA_OIF], &r->oif, sizeof(r->oif));
	r->has_via = nl_get(tb[RTA_GATEWAY], &r->via, sizeof(r->via));
	r->has_src = nl_get(tb[RTA_PREFSRC], &r->src, sizeof(r->src));
	r->has_metric = nl_get_u32(tb[RTA_PRIORITY], &r->metric);
	rt_metrics_read(tb[RTA_METRICS], &r->mx);
	return true;
}

/* "default", an address alone for a host, else the prefix. */
static const char *route_dst(const struct rt_route *r)
{
	static char text[32];

	if (!r->dst.len)
		return "default";
	snprintf(text, sizeof(text), r->dst.len == 32 ? "%s" : "%s/%u",
		 rt_ipv4(r->dst.addr), r->dst.len);
	return text;
}

/* A name, or two hexadecimal digits. */
static const char *route_tos(const struct rt_route *r)
{
	const struct name_value *t;
	static char text[8];

	for (t = rt_tos; t->name; t++)
		if (t->value == r->tos)
			return t->name;
	snprintf(text, sizeof(text), "0x%02x", r->tos & 0xff);
	return text;
}

void rt_route_print(const struct rt_route *r)
{
	const struct name_value *f;

	if (r->type != RTN_UNICAST)
		printf("%s ", name_of(rt_types, r->type));
	printf("%s", route_dst(r));
	if (r->tos)
		printf(" tos %s", route_tos(r));
	if (r->has_via)
		printf(" via %s", rt_ipv4(r->via));
	if (r->oif)
		printf(" dev %s", rt_ifname(r->oif));
	if (r->table && r->table != RT_TABLE_MAIN)
		printf(" table %s", name_of(rt_tables, r->table));
	if (!(r->flags & RTM_F_CLONED)) {
		if (r->protocol != RTPROT_BOOT && r->protocol != RTPROT_UNSPEC)
			printf(" proto %s", name_of(rt_protocols, r->protocol));
		if (r->scope != RT_SCOPE_UNIVERSE)
			printf(" scope %s", name_of(rt_scopes, r->scope));
	}
	if (r->has_src)
		printf(" src %s", rt_ipv4(r->src));
	if (r->has_metric)
		printf(" metric %u", r->metric);
	for (f = route_flags; f->name; f++)
		if (r->flags & f->value)
			printf(" %s", f->name);
	rt_metrics_print(&r->mx);
	putchar('\n');
}

json_t *rt_route_json(const struct rt_route *r)
{
	json_t *j = json_object(), *metrics = rt_metrics_json(&r->mx);

	if (r->type != RTN_UNICAST)
		json_object_set_new(j, "type",
				    json_string(name_of(rt_types, r->type)));
	json_object_set_new(j, "dst", json_string(route_dst(r)));
	if (r->tos)
		json_object_set_new(j, "tos", json_string(route_tos(r)));
	if (r->has_via)
		json_object_set_new(j, "gateway", json_string(rt_ipv4(r->via)));
	if (r->oif)
		json_object_set_new(j, "dev", json_text(rt_ifname(r->oif)));
	if (r->table && r->table != RT_TABLE_MAIN)
		json_object_set_new(j, "table",
				    json_string(name_of(rt_tables, r->table)));
	json_object_set_new(j, "protocol",
			    json_string(name_of(rt_protocols, r->protocol)));
	json_object_set_new(j, "scope", json_string(name_of(rt_scopes, r->scope)));
	if (r->has_src)
		json_object_set_new(j, "prefsrc", json_string(rt_ipv4(r->src)));
	if (r->has_metric)
		json_object_set_new(j, "metric", json_integer(r->metric));
	if (metrics)
		json_object_set_new(j, "metrics", metrics);
	json_object_set_new(j, "flags", json_names(route_flags, r->flags));
	return j;
}
