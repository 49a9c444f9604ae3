// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes over rtnetlink: RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE with the family of
 * Strata, in the layout and with the meaning of native's AF_INET messages. The
 * rtnetlink core holds the rtnl lock for changes and has checked CAP_NET_ADMIN
 * over the namespace.
 *
 * There is one table (main), one next hop per route, and of the features ECN.
 * All else is refused with the cause named; attributes are validated strictly.
 * RTM_GETROUTE with a destination tells the way a packet would go.
 */

#include <linux/rtnetlink.h>
#include <net/netlink.h>
#include <net/rtnetlink.h>
#include <net/sock.h>
#include "control.h"
#include "ip.h"

static const struct nla_policy route_policy[RTA_MAX + 1] = {
	[RTA_DST]	= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[RTA_OIF]	= { .type = NLA_U32 },
	[RTA_GATEWAY]	= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[RTA_PRIORITY]	= { .type = NLA_U32 },
	[RTA_PREFSRC]	= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[RTA_METRICS]	= { .type = NLA_NESTED },
	[RTA_TABLE]	= { .type = NLA_U32 },
	[RTA_MULTIPATH]	= { .type = NLA_REJECT,
			    .reject_message = "strata: a route has one next hop" },
	[RTA_VIA]	= { .type = NLA_REJECT,
			    .reject_message = "strata: a gateway is an IPv4 address" },
	[RTA_ENCAP]	= { .type = NLA_REJECT,
			    .reject_message = "strata: encapsulation is not supported" },
	[RTA_NH_ID]	= { .type = NLA_REJECT,
			    .reject_message = "strata: next hop objects are not supported" },
};

static const struct nla_policy get_policy[RTA_MAX + 1] = {
	[RTA_DST]	= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[RTA_SRC]	= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[RTA_OIF]	= { .type = NLA_U32 },
	[RTA_MARK]	= { .type = NLA_U32 },
	[RTA_TABLE]	= { .type = NLA_U32 },
};

/* ---- requests ---- */

static int route_check_header(const struct rtmsg *rtm, const struct nlattr *table,
			      struct netlink_ext_ack *extack)
{
	u32 id = table ? nla_get_u32(table) : rtm->rtm_table;

	if (rtm->rtm_dst_len > 32) {
		NL_SET_ERR_MSG(extack, "strata: prefix length above 32");
		return -EINVAL;
	}
	if (rtm->rtm_src_len) {
		NL_SET_ERR_MSG(extack, "strata: routes do not look at the source");
		return -EINVAL;
	}
	if (rtm->rtm_tos & ~IPTOS_TOS_MASK) {
		NL_SET_ERR_MSG(extack, "strata: invalid TOS");
		return -EINVAL;
	}
	if (id != RT_TABLE_MAIN && id != RT_TABLE_UNSPEC) {
		NL_SET_ERR_MSG(extack, "strata: there is no table but main");
		return -EINVAL;
	}
	return 0;
}

static int route_parse(const struct nlmsghdr *nlh, struct strata_route_cfg *cfg,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *rtm;
	int err;

	/* RTA_METRICS comes without NLA_F_NESTED from programs made for native: iproute2 */
	err = __nlmsg_parse(nlh, sizeof(*rtm), tb, RTA_MAX, route_policy,
			    NL_VALIDATE_STRICT & ~NL_VALIDATE_NESTED, extack);
	if (err < 0)
		return err;
	rtm = nlmsg_data(nlh);
	err = route_check_header(rtm, tb[RTA_TABLE], extack);
	if (err)
		return err;
	if (rtm->rtm_dst_len && !tb[RTA_DST]) {
		NL_SET_ERR_MSG(extack, "strata: destination is not supplied");
		return -EINVAL;
	}
	memset(cfg, 0, sizeof(*cfg));
	cfg->plen = rtm->rtm_dst_len;
	cfg->type = rtm->rtm_type;
	cfg->scope = rtm->rtm_scope;
	cfg->protocol = rtm->rtm_protocol;
	cfg->tos = rtm->rtm_tos;
	cfg->flags = rtm->rtm_flags;
	if (tb[RTA_DST])
		cfg->dst = nla_get_in_addr(tb[RTA_DST]);
	if (tb[RTA_OIF])
		cfg->oif = nla_get_u32(tb[RTA_OIF]);
	if (tb[RTA_GATEWAY])
		cfg->gw = nla_get_in_addr(tb[RTA_GATEWAY]);
	if (tb[RTA_PRIORITY])
		cfg->priority = nla_get_u32(tb[RTA_PRIORITY]);
	if (tb[RTA_PREFSRC])
		cfg->prefsrc = nla_get_in_addr(tb[RTA_PREFSRC]);
	return tb[RTA_METRICS] ? strata_rtnl_metrics_parse(tb[RTA_METRICS], cfg, extack) : 0;
}

static struct strata_rtnl_cause route_cause;

static int route_new(struct sk_buff *skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct strata_net *sn = strata_net(sock_net(skb->sk));
	struct strata_route_cfg cfg;
	int err;

	err = route_parse(nlh, &cfg, extack);
	if (err)
		return err;
	if (cfg.gw && cfg.scope >= RT_SCOPE_LINK) {
		NL_SET_ERR_MSG(extack, "strata: a gateway is not reached on the link alone");
		return -EINVAL;
	}
	if (cfg.mx_given & BIT(RTAX_CC_ALGO)) {
		err = strata_rtnl_metrics_cong(&cfg.mx, extack);
		if (err)
			return err;
	}
	strata_rtnl_cause_set(&route_cause, skb, nlh);
	err = strata_route_add_rtnl(sn, &cfg, nlh->nlmsg_flags, extack);
	strata_rtnl_cause_set(&route_cause, NULL, NULL);
	return err;
}

static int route_del(struct sk_buff *skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct strata_net *sn = strata_net(sock_net(skb->sk));
	struct strata_route_cfg cfg;
	int err;

	err = route_parse(nlh, &cfg, extack);
	if (err)
		return err;
	strata_rtnl_cause_set(&route_cause, skb, nlh);
	err = strata_route_del_rtnl(sn, &cfg, NULL, extack);
	strata_rtnl_cause_set(&route_cause, NULL, NULL);
	return err;
}

/* ---- messages to user space ---- */

static size_t route_msg_size(void)
{
	return NLMSG_ALIGN(sizeof(struct rtmsg)) + 3 * nla_total_size(sizeof(__be32)) +
	       3 * nla_total_size(sizeof(u32)) +
	       nla_total_size(RTAX_MAX * nla_total_size(sizeof(u32)) +
			      nla_total_size(STRATA_METRICS_CC_MAX));
}

static int route_fill(struct sk_buff *skb, const struct strata_route_cfg *r, u32 table, u32 portid,
		      u32 seq, int event, unsigned int nlflags)
{
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	nlh = nlmsg_put(skb, portid, seq, event, sizeof(*rtm), nlflags);
	if (!nlh)
		return -EMSGSIZE;
	rtm = nlmsg_data(nlh);
	memset(rtm, 0, sizeof(*rtm));
	rtm->rtm_family = strata_family;
	rtm->rtm_dst_len = r->plen;
	rtm->rtm_tos = r->tos;
	rtm->rtm_table = table;
	rtm->rtm_protocol = r->protocol;
	rtm->rtm_scope = r->scope;
	rtm->rtm_type = r->type;
	rtm->rtm_flags = r->flags;
	if (nla_put_u32(skb, RTA_TABLE, table) ||
	    (r->plen && nla_put_in_addr(skb, RTA_DST, r->dst)) ||
	    (r->priority && nla_put_u32(skb, RTA_PRIORITY, r->priority)) ||
	    strata_rtnl_metrics_fill(skb, &r->mx) ||
	    (r->prefsrc && nla_put_in_addr(skb, RTA_PREFSRC, r->prefsrc)) ||
	    (r->gw && nla_put_in_addr(skb, RTA_GATEWAY, r->gw)) ||
	    (r->oif && nla_put_u32(skb, RTA_OIF, r->oif))) {
		nlmsg_cancel(skb, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(skb, nlh);
	return 0;
}

void strata_rtnl_route_notify(struct strata_net *sn, const struct strata_route_cfg *r, int event,
			      u16 nlflags)
{
	struct sk_buff *skb = nlmsg_new(route_msg_size(), GFP_KERNEL);
	int err = -ENOBUFS;

	if (!skb)
		goto fail;
	err = route_fill(skb, r, RT_TABLE_MAIN, route_cause.portid,
			 strata_rtnl_cause_seq(&route_cause), event, nlflags);
	if (WARN_ON(err)) {	/* route_msg_size() is wrong */
		kfree_skb(skb);
		goto fail;
	}
	rtnl_notify(skb, sn->net, route_cause.portid, RTNLGRP_IPV4_ROUTE, route_cause.nlh,
		    GFP_KERNEL);
	return;
fail:
	rtnl_set_sk_err(sn->net, RTNLGRP_IPV4_ROUTE, err);
}

/* ---- the way to one destination ---- */

/* what a path looks like as a route to one host */
static void route_of_path(struct strata_net *sn, const struct strata_flow *fl,
			  const struct strata_path *path, struct strata_route_cfg *r)
{
	memset(r, 0, sizeof(*r));
	if (!(path->flags & (STRATA_PATH_LOOP | STRATA_PATH_BROADCAST | STRATA_PATH_MULTICAST)))
		strata_ip_metrics(sn, fl, &r->mx);
	r->dst = fl->daddr;
	r->plen = 32;
	r->tos = fl->tos;
	r->oif = path->ifp->ifindex;
	r->prefsrc = fl->saddr;
	r->flags = RTM_F_CLONED;
	r->mx.val[RTAX_MTU] = path->flags & STRATA_PATH_LOOP ? 0 : path->mtu;
	r->mx.val[RTAX_LOCK] &= ~BIT(RTAX_MTU);
	if (path->flags & STRATA_PATH_MTU_LOCKED)
		r->mx.val[RTAX_LOCK] |= BIT(RTAX_MTU);
	if (path->flags & STRATA_PATH_GATEWAY)
		r->gw = path->nexthop;
	r->type = RTN_UNICAST;
	if (path->flags & STRATA_PATH_LOOP)
		r->type = RTN_LOCAL;
	else if (path->flags & STRATA_PATH_BROADCAST)
		r->type = RTN_BROADCAST;
	else if (path->flags & STRATA_PATH_MULTICAST)
		r->type = RTN_MULTICAST;
}

static int route_get_parse(const struct nlmsghdr *nlh, struct strata_flow *fl,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *rtm;
	int err;

	err = nlmsg_parse(nlh, sizeof(*rtm), tb, RTA_MAX, get_policy, extack);
	if (err < 0)
		return err;
	rtm = nlmsg_data(nlh);
	if ((rtm->rtm_dst_len && rtm->rtm_dst_len != 32) ||
	    (rtm->rtm_src_len && rtm->rtm_src_len != 32)) {
		NL_SET_ERR_MSG(extack, "strata: the way is to and from one host, not a prefix");
		return -EINVAL;
	}
	if (!tb[RTA_DST]) {
		NL_SET_ERR_MSG(extack, "strata: destination is not supplied");
		return -EINVAL;
	}
	memset(fl, 0, sizeof(*fl));
	fl->daddr = nla_get_in_addr(tb[RTA_DST]);
	fl->tos = rtm->rtm_tos;
	if (tb[RTA_SRC])
		fl->saddr = nla_get_in_addr(tb[RTA_SRC]);
	if (tb[RTA_OIF])
		fl->oif = nla_get_u32(tb[RTA_OIF]);
	if (tb[RTA_MARK])
		fl->mark = nla_get_u32(tb[RTA_MARK]);
	return 0;
}

static int route_get(struct sk_buff *in, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct net *net = sock_net(in->sk);
	u32 portid = NETLINK_CB(in).portid;
	struct strata_route_cfg r;
	struct strata_path path;
	struct strata_flow fl;
	struct sk_buff *skb;
	u32 table;
	int err;

	err = route_get_parse(nlh, &fl, extack);
	if (err)
		return err;
	err = strata_ip_route(strata_net(net), &fl, &path);
	if (err) {
		if (err == -ENETUNREACH)
			NL_SET_ERR_MSG(extack, "strata: no route leads there");
		else
			NL_SET_ERR_MSG(extack, "strata: the address cannot be reached");
		return err;
	}
	route_of_path(strata_net(net), &fl, &path, &r);
	strata_path_put(&path);
	table = r.type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL;
	skb = nlmsg_new(route_msg_size(), GFP_KERNEL);
	if (!skb)
		return -ENOBUFS;
	err = route_fill(skb, &r, table, portid, nlh->nlmsg_seq, RTM_NEWROUTE, 0);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	return rtnl_unicast(skb, net, portid);
}

/* ---- dump ---- */

/* zero fields match everything */
struct route_dump {
	struct sk_buff		*skb;
	struct netlink_callback	*cb;
	int			oif;
	u8			type;
	u8			protocol;
	bool			none;
};

static int route_dump_check(struct netlink_callback *cb, struct route_dump *dump)
{
	struct netlink_ext_ack *extack = cb->extack;
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *rtm;
	u32 table;
	int err;

	if (nlmsg_len(cb->nlh) >= sizeof(*rtm)) {
		rtm = nlmsg_data(cb->nlh);
		dump->none = rtm->rtm_flags & RTM_F_CLONED;	/* there is no cache to show */
	}
	if (!cb->strict_check)
		return 0;
	err = nlmsg_parse(cb->nlh, sizeof(*rtm), tb, RTA_MAX, get_policy, extack);
	if (err < 0)
		return err;
	rtm = nlmsg_data(cb->nlh);
	if (rtm->rtm_dst_len || rtm->rtm_src_len || rtm->rtm_tos || rtm->rtm_scope ||
	    tb[RTA_DST] || tb[RTA_SRC] || tb[RTA_MARK]) {
		NL_SET_ERR_MSG(extack, "strata: route dumps filter by device, type, protocol");
		return -EINVAL;
	}
	table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	if (table != RT_TABLE_UNSPEC && table != RT_TABLE_MAIN)
		dump->none = true;
	dump->oif = tb[RTA_OIF] ? nla_get_u32(tb[RTA_OIF]) : 0;
	dump->type = rtm->rtm_type;
	dump->protocol = rtm->rtm_protocol;
	return 0;
}

static int route_dump_one(const struct strata_route_cfg *r, void *arg)
{
	struct route_dump *dump = arg;
	int err;

	if ((dump->oif && r->oif != dump->oif) || (dump->type && r->type != dump->type) ||
	    (dump->protocol && r->protocol != dump->protocol))
		return 0;
	err = route_fill(dump->skb, r, RT_TABLE_MAIN, NETLINK_CB(dump->cb->skb).portid,
			 dump->cb->nlh->nlmsg_seq, RTM_NEWROUTE, NLM_F_MULTI);
	if (!err)
		nl_dump_check_consistent(dump->cb, nlmsg_hdr(dump->skb));
	return err;
}

/* cb->args: [0] and [1] struct strata_route_pos. Every change of routes moves dump_seq on */
static int route_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct strata_route_pos pos = { .key = cb->args[0], .at = cb->args[1] };
	struct strata_net *sn = strata_net(sock_net(skb->sk));
	struct route_dump dump = { .skb = skb, .cb = cb };
	int err;

	err = route_dump_check(cb, &dump);
	/* a request to all families must not end with us */
	if (err)
		return rtnl_msg_family(cb->nlh) == strata_family ? err : 0;
	if (dump.none)
		return 0;
	rcu_read_lock();
	cb->seq = READ_ONCE(sn->dump_seq) ?: 1;
	err = strata_route_walk_rcu(sn, &pos, route_dump_one, &dump);
	rcu_read_unlock();
	cb->args[0] = pos.key;
	cb->args[1] = pos.at;
	return err && skb->len ? skb->len : err;
}

int strata_rtnl_route_init(void)
{
	const struct rtnl_msg_handler handlers[] = {
		{ THIS_MODULE, strata_family, RTM_NEWROUTE, route_new, NULL, 0 },
		{ THIS_MODULE, strata_family, RTM_DELROUTE, route_del, NULL, 0 },
		{ THIS_MODULE, strata_family, RTM_GETROUTE, route_get, route_dump, 0 },
	};

	return rtnl_register_many(handlers);
}

void strata_rtnl_route_exit(void)
{
	rtnl_unregister(strata_family, RTM_GETROUTE);
	rtnl_unregister(strata_family, RTM_DELROUTE);
	rtnl_unregister(strata_family, RTM_NEWROUTE);
}
