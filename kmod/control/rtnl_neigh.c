// SPDX-License-Identifier: GPL-2.0-only
/*
 * Neighbours over rtnetlink: RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH with the family
 * of Strata, in the layout and with the meaning of native's messages. A handler of
 * our own family comes before the general one of the kernel's neighbour tables.
 *
 * Difference from native: proxy entries are refused, since Strata routes for nobody.
 */

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/neighbour.h>
#include <net/netlink.h>
#include <net/rtnetlink.h>
#include <net/sock.h>
#include "control.h"

static const struct nla_policy nb_policy[NDA_MAX + 1] = {
	[NDA_DST]	= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[NDA_LLADDR]	= { .type = NLA_BINARY, .len = MAX_ADDR_LEN },
	[NDA_PROBES]	= { .type = NLA_U32 },
	[NDA_CACHEINFO]	= NLA_POLICY_EXACT_LEN(sizeof(struct nda_cacheinfo)),
	[NDA_IFINDEX]	= { .type = NLA_U32 },
	[NDA_MASTER]	= { .type = NLA_U32 },
	[NDA_PROTOCOL]	= { .type = NLA_U8 },
};

#define NEIGH_STATES	(NUD_INCOMPLETE | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | \
			 NUD_FAILED | NUD_NOARP | NUD_PERMANENT)

struct nb_request {
	struct ndmsg		*ndm;
	struct nlattr		*tb[NDA_MAX + 1];
	__be32			addr;
	struct net_device	*dev;
	struct strata_dev	*ifp;
};

static int nb_parse(struct net *net, const struct nlmsghdr *nlh, struct nb_request *req,
		    struct netlink_ext_ack *extack)
{
	int err;

	err = nlmsg_parse(nlh, sizeof(*req->ndm), req->tb, NDA_MAX, nb_policy, extack);
	if (err < 0)
		return err;
	req->ndm = nlmsg_data(nlh);
	if (!req->tb[NDA_DST]) {
		NL_SET_ERR_MSG(extack, "strata: network address not specified");
		return -EINVAL;
	}
	req->addr = nla_get_in_addr(req->tb[NDA_DST]);
	if (req->ndm->ndm_flags & NTF_PROXY) {
		NL_SET_ERR_MSG(extack, "strata: proxy neighbours are not supported");
		return -EOPNOTSUPP;
	}
	if (!req->ndm->ndm_ifindex) {
		NL_SET_ERR_MSG(extack, "strata: device not specified");
		return -EINVAL;
	}
	req->dev = __dev_get_by_index(net, req->ndm->ndm_ifindex);
	if (!req->dev) {
		NL_SET_ERR_MSG(extack, "strata: device not found");
		return -ENODEV;
	}
	req->ifp = strata_dev_find_rcu(strata_net(net), req->dev->ifindex);
	if (!req->ifp) {
		NL_SET_ERR_MSG(extack, "strata: the device has no Strata address");
		return -ENODEV;
	}
	return 0;
}

static int nb_new(struct sk_buff *skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	const struct nlattr *lladdr;
	struct nb_request req;
	u16 state;
	int err;

	err = nb_parse(sock_net(skb->sk), nlh, &req, extack);
	if (err)
		return err;
	lladdr = req.tb[NDA_LLADDR];
	if (lladdr && nla_len(lladdr) != req.dev->addr_len) {
		NL_SET_ERR_MSG_ATTR(extack, lladdr,
				    "strata: link address has not the length of the device's");
		return -EINVAL;
	}
	state = req.ndm->ndm_state;
	if (state & ~NEIGH_STATES || hweight16(state) > 1) {
		NL_SET_ERR_MSG(extack, "strata: not one of the states of a neighbour");
		return -EINVAL;
	}
	if (req.ndm->ndm_flags & ~(NTF_USE | NTF_EXT_LEARNED)) {
		NL_SET_ERR_MSG(extack, "strata: neighbour flag not supported");
		return -EOPNOTSUPP;
	}
	return strata_neigh_set(req.ifp, req.addr, lladdr ? nla_data(lladdr) : NULL, state,
				req.ndm->ndm_flags, nlh->nlmsg_flags, extack);
}

static int nb_delete(struct sk_buff *skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct nb_request req;
	int err;

	err = nb_parse(sock_net(skb->sk), nlh, &req, extack);
	if (err)
		return err;
	err = strata_neigh_del(req.ifp, req.addr);
	if (err)
		NL_SET_ERR_MSG(extack, "strata: no such neighbour");
	return err;
}

/* ---- messages to user space ---- */

static int nb_fill(struct sk_buff *skb, struct strata_neigh *n, u32 portid, u32 seq, int event,
		   unsigned int nlflags)
{
	struct strata_neigh_info info;
	unsigned long now = jiffies;
	struct nda_cacheinfo ci;
	struct nlmsghdr *nlh;
	struct ndmsg *ndm;

	strata_neigh_info(n, &info);
	nlh = nlmsg_put(skb, portid, seq, event, sizeof(*ndm), nlflags);
	if (!nlh)
		return -EMSGSIZE;
	ndm = nlmsg_data(nlh);
	memset(ndm, 0, sizeof(*ndm));
	ndm->ndm_family = strata_family;
	ndm->ndm_flags = info.flags;
	ndm->ndm_type = RTN_UNICAST;
	ndm->ndm_ifindex = info.ifindex;
	ndm->ndm_state = info.state;
	ci.ndm_used = jiffies_to_clock_t(now - info.used);
	ci.ndm_confirmed = jiffies_to_clock_t(now - info.confirmed);
	ci.ndm_updated = jiffies_to_clock_t(now - info.updated);
	ci.ndm_refcnt = info.refcnt;
	if (nla_put_in_addr(skb, NDA_DST, info.addr) ||
	    (info.ha_len && nla_put(skb, NDA_LLADDR, info.ha_len, info.ha)) ||
	    nla_put_u32(skb, NDA_PROBES, info.probes) ||
	    nla_put(skb, NDA_CACHEINFO, sizeof(ci), &ci)) {
		nlmsg_cancel(skb, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(skb, nlh);
	return 0;
}

static size_t nb_msg_size(void)
{
	return NLMSG_ALIGN(sizeof(struct ndmsg)) + nla_total_size(sizeof(__be32)) +
	       nla_total_size(MAX_ADDR_LEN) + nla_total_size(sizeof(u32)) +
	       nla_total_size(sizeof(struct nda_cacheinfo));
}

void strata_rtnl_neigh_notify(struct strata_neigh *n, int event)
{
	struct net *net = n->ifp->sn->net;
	struct sk_buff *skb;
	int err = -ENOBUFS;

	if (!rtnl_has_listeners(net, RTNLGRP_NEIGH))
		return;
	skb = nlmsg_new(nb_msg_size(), GFP_ATOMIC);
	if (!skb)
		goto fail;
	err = nb_fill(skb, n, 0, 0, event, 0);
	if (WARN_ON(err)) {	/* nb_msg_size() is wrong */
		kfree_skb(skb);
		goto fail;
	}
	rtnl_notify(skb, net, 0, RTNLGRP_NEIGH, NULL, GFP_ATOMIC);
	return;
fail:
	rtnl_set_sk_err(net, RTNLGRP_NEIGH, err);
}

/* ---- get and dump ---- */

static int nb_get(struct sk_buff *in_skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct net *net = sock_net(in_skb->sk);
	struct nb_request req;
	struct strata_neigh *n;
	struct sk_buff *skb;
	int err;

	err = nb_parse(net, nlh, &req, extack);
	if (err)
		return err;
	n = strata_neigh_find(req.ifp, req.addr);
	if (!n) {
		NL_SET_ERR_MSG(extack, "strata: no such neighbour");
		return -ENOENT;
	}
	err = -ENOBUFS;
	skb = nlmsg_new(nb_msg_size(), GFP_KERNEL);
	if (skb) {
		err = nb_fill(skb, n, NETLINK_CB(in_skb).portid, nlh->nlmsg_seq, RTM_NEWNEIGH,
			      0);
		if (err)
			kfree_skb(skb);
		else
			err = rtnl_unicast(skb, net, NETLINK_CB(in_skb).portid);
	}
	strata_neigh_put(n);
	return err;
}

struct nb_dump {
	struct sk_buff		*skb;
	struct netlink_callback	*cb;
	u32			ifindex;
};

static int nb_dump_check(struct netlink_callback *cb, struct nb_dump *dump)
{
	struct netlink_ext_ack *extack = cb->extack;
	struct nlattr *tb[NDA_MAX + 1];
	const struct ndmsg *ndm;
	int i, err;

	if (nlmsg_len(cb->nlh) < sizeof(*ndm)) {
		if (!cb->strict_check)	/* only a struct rtgenmsg: old programs do this */
			return 0;
		NL_SET_ERR_MSG(extack, "strata: header of the neighbour dump request is too short");
		return -EINVAL;
	}
	ndm = nlmsg_data(cb->nlh);
	if (cb->strict_check && (ndm->ndm_ifindex || ndm->ndm_state || ndm->ndm_type ||
				 ndm->ndm_flags)) {
		NL_SET_ERR_MSG(extack, "strata: values in the header of a neighbour dump request");
		return -EINVAL;
	}
	err = nlmsg_parse(cb->nlh, sizeof(*ndm), tb, NDA_MAX, nb_policy, extack);
	if (err < 0)
		return err;
	for (i = 0; i <= NDA_MAX; i++) {
		if (!tb[i] || i == NDA_IFINDEX)
			continue;
		NL_SET_ERR_MSG_ATTR(extack, tb[i],
				    "strata: attribute not supported in a neighbour dump request");
		return -EINVAL;
	}
	if (tb[NDA_IFINDEX])
		dump->ifindex = nla_get_u32(tb[NDA_IFINDEX]);
	return 0;
}

static int nb_dump_one(struct strata_neigh *n, void *arg)
{
	struct nb_dump *dump = arg;
	struct netlink_callback *cb = dump->cb;

	if (dump->ifindex && n->ifp->ifindex != dump->ifindex)
		return 0;
	return nb_fill(dump->skb, n, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  RTM_NEWNEIGH, NLM_F_MULTI);
}

/* cb->args: [0] position of the walk. As native, neighbours may come and go meanwhile */
static int nb_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nb_dump dump = { .skb = skb, .cb = cb };
	int err;

	err = nb_dump_check(cb, &dump);
	if (err)
		return err;
	rcu_read_lock();
	err = strata_neigh_walk_rcu(strata_net(sock_net(skb->sk)), &cb->args[0], nb_dump_one,
				    &dump);
	rcu_read_unlock();
	return err && skb->len ? skb->len : err;
}

int strata_rtnl_neigh_init(void)
{
	const struct rtnl_msg_handler handlers[] = {
		{ THIS_MODULE, strata_family, RTM_NEWNEIGH, nb_new, NULL, 0 },
		{ THIS_MODULE, strata_family, RTM_DELNEIGH, nb_delete, NULL, 0 },
		{ THIS_MODULE, strata_family, RTM_GETNEIGH, nb_get, nb_dump, 0 },
	};

	return rtnl_register_many(handlers);
}

void strata_rtnl_neigh_exit(void)
{
	rtnl_unregister(strata_family, RTM_GETNEIGH);
	rtnl_unregister(strata_family, RTM_DELNEIGH);
	rtnl_unregister(strata_family, RTM_NEWNEIGH);
}
