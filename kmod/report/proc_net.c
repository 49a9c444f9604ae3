// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/strata/arp and route: neighbours and routes in the columns of /proc/net/arp and
 * /proc/net/route.
 */

#include <linux/inetdevice.h>
#include <linux/route.h>
#include "proc_int.h"

#define HW_LEN	30	/* as native: longer addresses are cut */

/* name, type and address length of a device; RCU */
static void take_dev(struct strata_reader *r, int ifindex)
{
	struct net_device *dev = dev_get_by_index_rcu(r->sn->net, ifindex);

	strscpy(r->dev, dev ? dev->name : "*", sizeof(r->dev));
	r->dev_type = dev ? dev->type : 0;
	r->dev_alen = dev ? dev->addr_len : 0;
}

static int take_neigh(struct strata_neigh *n, void *arg)
{
	struct strata_reader *r = arg;

	strata_neigh_info(n, &r->neigh);
	/* as native: nothing that needs no resolution, nothing that never had any */
	if (!(r->neigh.state & ~NUD_NOARP))
		return 0;
	take_dev(r, r->neigh.ifindex);
	return 1;
}

static bool fetch_arp(struct strata_reader *r)
{
	bool found;

	rcu_read_lock();
	found = strata_neigh_walk_rcu(r->sn, &r->pos, take_neigh, r);
	rcu_read_unlock();
	return found;
}

static void arp_header(struct seq_file *seq)
{
	seq_puts(seq, "IP address       HW type     Flags       HW address            Mask     Device\n");
}

static unsigned int arp_flags(u8 state)
{
	if (state & NUD_PERMANENT)
		return ATF_PERM | ATF_COM;
	return state & NUD_VALID ? ATF_COM : 0;
}

static void arp_show(struct seq_file *seq, struct strata_reader *r)
{
	char addr[sizeof("255.255.255.255")], hw[3 * MAX_ADDR_LEN];

	snprintf(addr, sizeof(addr), "%pI4", &r->neigh.addr);
	snprintf(hw, sizeof(hw), "%*phC", (int)min(r->dev_alen, HW_LEN / 3U), r->neigh.ha);
	seq_printf(seq, "%-16s 0x%-10x0x%-10x%-17s     *        %s\n", addr, r->dev_type,
		   arp_flags(r->neigh.state), r->dev_alen ? hw : "", r->dev);
}

/* what the native table `main` would hold */
static int take_route(const struct strata_route_cfg *route, void *arg)
{
	struct strata_reader *r = arg;

	if (route->type == RTN_LOCAL || route->type == RTN_BROADCAST ||
	    route->type == RTN_MULTICAST)
		return 0;
	r->route = *route;
	take_dev(r, route->oif);
	return 1;
}

static bool fetch_route(struct strata_reader *r)
{
	struct strata_route_pos pos = { .key = r->key, .at = r->pos };
	bool found;

	rcu_read_lock();
	found = strata_route_walk_rcu(r->sn, &pos, take_route, r);
	rcu_read_unlock();
	r->key = pos.key;
	r->pos = pos.at;
	return found;
}

static void route_header(struct seq_file *seq)
{
	seq_printf(seq, "%-127s\n", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\t"
		   "Mask\t\tMTU\tWindow\tIRTT");
}

static unsigned int route_flags(const struct strata_route_cfg *route)
{
	unsigned int flags = RTF_UP;

	if (route->gw)
		flags |= RTF_GATEWAY;
	if (route->plen == 32)
		flags |= RTF_HOST;
	if (route->type == RTN_UNREACHABLE || route->type == RTN_PROHIBIT)
		flags |= RTF_REJECT;
	return flags;
}

static void route_show(struct seq_file *seq, struct strata_reader *r)
{
	const struct strata_route_cfg *route = &r->route;
	u32 advmss = route->mx.val[RTAX_ADVMSS];
	/* native has what advmss comes to there, and never the MTU itself */
	u32 mtu = route->mx.val[RTAX_MTU] ?: (advmss ? advmss + 40 : 0);

	seq_setwidth(seq, 127);
	seq_printf(seq, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%d\t%08X\t%u\t%u\t%u", r->dev,
		   (__force u32)route->dst, (__force u32)route->gw, route_flags(route), 0, 0,
		   route->priority, (__force u32)inet_make_mask(route->plen),
		   mtu, route->mx.val[RTAX_WINDOW],
		   route->mx.val[RTAX_RTT] >> 3);
	seq_pad(seq, '\n');
}

const struct strata_list strata_proc_list_arp = {
	.header	= arp_header,
	.fetch	= fetch_arp,
	.show	= arp_show,
};

const struct strata_list strata_proc_list_route = {
	.header	= route_header,
	.fetch	= fetch_route,
	.show	= route_show,
};
