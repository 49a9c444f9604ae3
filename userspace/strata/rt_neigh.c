// SPDX-License-Identifier: GPL-2.0-only
/* A neighbour: RTM_NEWNEIGH read and printed as "ip neigh" does. */
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

const struct name_value rt_nud[] = {
	{ "incomplete", NUD_INCOMPLETE }, { "reachable", NUD_REACHABLE },
	{ "stale", NUD_STALE }, { "delay", NUD_DELAY }, { "probe", NUD_PROBE },
	{ "failed", NUD_FAILED }, { "noarp", NUD_NOARP },
	{ "permanent", NUD_PERMANENT }, { "none", NUD_NONE }, { NULL, 0 }
};

static const struct name_value nud_shown[] = {
	{ "INCOMPLETE", NUD_INCOMPLETE }, { "REACHABLE", NUD_REACHABLE },
	{ "STALE", NUD_STALE }, { "DELAY", NUD_DELAY }, { "PROBE", NUD_PROBE },
	{ "FAILED", NUD_FAILED }, { "NOARP", NUD_NOARP },
	{ "PERMANENT", NUD_PERMANENT }, { NULL, 0 }
};

bool rt_neigh_read(const struct nlmsghdr *nlh, struct rt_neigh *n)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NDA_MAX + 1], *ll;
	struct nda_cacheinfo ci;

	memset(n, 0, sizeof(*n));
	if (nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH)
		return false;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) ||
	    ndm->ndm_family != opt.family)
		return false;
	nl_attrs(nlh, sizeof(*ndm), tb, NDA_MAX);
	if (!nl_get(tb[NDA_DST], &n->dst, sizeof(n->dst)))
		return false;
	n->ifindex = ndm->ndm_ifindex;
	n->state = ndm->ndm_state;
	n->flags = ndm->ndm_flags;
	ll = tb[NDA_LLADDR];
	if (ll && mnl_attr_get_payload_len(ll) <= sizeof(n->lladdr.byte)) {
		n->lladdr.len = mnl_attr_get_payload_len(ll);
		memcpy(n->lladdr.byte, mnl_attr_get_payload(ll), n->lladdr.len);
	}
	n->has_cacheinfo = nl_get(tb[NDA_CACHEINFO], &ci, sizeof(ci));
	if (n->has_cacheinfo) {
		n->used = ci.ndm_used;
		n->confirmed = ci.ndm_confirmed;
		n->updated = ci.ndm_updated;
		n->refs = ci.ndm_refcnt;
	}
	nl_get_u32(tb[NDA_PROBES], &n->probes);
	return true;
}

void rt_neigh_print(const struct rt_neigh *n)
{
	const struct name_value *s;

	printf("%s dev %s", rt_ipv4(n->dst), rt_ifname(n->ifindex));
	if (n->lladdr.len)
		printf(" lladdr %s", rt_lladdr(&n->lladdr));
	for (s = nud_shown; s->name; s++)
		if (n->state & s->value)
			printf(" %s", s->name);
	putchar('\n');
}

json_t *rt_neigh_json(const struct rt_neigh *n)
{
	json_t *j = json_pack("{ss so}", "dst", rt_ipv4(n->dst),
			      "dev", json_text(rt_ifname(n->ifindex)));

	if (n->lladdr.len)
		json_object_set_new(j, "lladdr",
				    json_string(rt_lladdr(&n->lladdr)));
	json_object_set_new(j, "state", json_names(nud_shown, n->state));
	return j;
}
