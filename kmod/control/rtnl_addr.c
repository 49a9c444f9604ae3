// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses over rtnetlink: RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR with the family of
 * Strata, in the layout and with the meaning of native's AF_INET messages, so that
 * programs differ in one number. Of one address RTM_GETADDR asks too, as native does of AF_INET6;
 * native's AF_INET only dumps. The rtnetlink core holds the rtnl lock for changes
 * and has checked that the caller has CAP_NET_ADMIN over the namespace.
 *
 * Differences from native, refused with the cause named: addresses do not expire, and
 * do not join multicast groups. Labels say nothing here and are ignored. Attributes
 * are validated strictly: unknown ones are refused.
 */

#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>
#include <net/rtnetlink.h>
#include <net/sock.h>
#include "control.h"

static const struct nla_policy addr_policy[IFA_MAX + 1] = {
	[IFA_ADDRESS]		= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[IFA_LOCAL]		= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[IFA_BROADCAST]		= NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[IFA_LABEL]		= { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[IFA_CACHEINFO]		= NLA_POLICY_EXACT_LEN(sizeof(struct ifa_cacheinfo)),
	[IFA_FLAGS]		= { .type = NLA_U32 },
	[IFA_RT_PRIORITY]	= { .type = NLA_U32 },
};

#define ADDR_FOREVER	0xffffffff	/* a lifetime without an end */
#define ADDR_FLAGS	(IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE | IFA_F_SECONDARY | IFA_F_NODAD)

/* a NEW or DEL request, parsed; @dev is that of ifa_index */
struct addr_request {
	struct ifaddrmsg	*ifm;
	struct nlattr		*tb[IFA_MAX + 1];
	struct net_device	*dev;
};

static int addr_parse(struct net *net, const struct nlmsghdr *nlh, struct addr_request *req,
		      struct netlink_ext_ack *extack)
{
	int err;

	err = nlmsg_parse(nlh, sizeof(*req->ifm), req->tb, IFA_MAX, addr_policy, extack);
	if (err < 0)
		return err;
	req->ifm = nlmsg_data(nlh);
	if (req->ifm->ifa_prefixlen > 32) {
		NL_SET_ERR_MSG(extack, "strata: prefix length above 32");
		return -EINVAL;
	}
	req->dev = __dev_get_by_index(net, req->ifm->ifa_index);
	if (!req->dev) {
		NL_SET_ERR_MSG(extack, "strata: device not found");
		return -ENODEV;
	}
	return 0;
}

static int addr_check_lifetime(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const struct ifa_cacheinfo *ci;

	if (!attr)
		return 0;
	ci = nla_data(attr);
	if (!ci->ifa_valid || ci->ifa_prefered > ci->ifa_valid) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "strata: address lifetime invalid");
		return -EINVAL;
	}
	if (ci->ifa_valid != ADDR_FOREVER || ci->ifa_prefered != ADDR_FOREVER) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "strata: addresses do not expire here");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int addr_to_cfg(const struct addr_request *req, u16 nlflags, struct strata_addr_cfg *cfg,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *const *tb = req->tb;

	if (!tb[IFA_LOCAL]) {
		NL_SET_ERR_MSG(extack, "strata: local address is not supplied");
		return -EINVAL;
	}
	memset(cfg, 0, sizeof(*cfg));
	cfg->local = nla_get_in_addr(tb[IFA_LOCAL]);
	cfg->peer = tb[IFA_ADDRESS] ? nla_get_in_addr(tb[IFA_ADDRESS]) : cfg->local;
	cfg->has_broadcast = tb[IFA_BROADCAST];
	if (cfg->has_broadcast)
		cfg->broadcast = nla_get_in_addr(tb[IFA_BROADCAST]);
	cfg->plen = req->ifm->ifa_prefixlen;
	cfg->scope = req->ifm->ifa_scope;
	cfg->flags = tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : req->ifm->ifa_flags;
	if (cfg->flags & ~ADDR_FLAGS) {
		NL_SET_ERR_MSG(extack, "strata: address flag not supported");
		return -EOPNOTSUPP;
	}
	cfg->flags &= IFA_F_NOPREFIXROUTE;
	cfg->metric = tb[IFA_RT_PRIORITY] ? nla_get_u32(tb[IFA_RT_PRIORITY]) : 0;
	cfg->replace = (nlflags & (NLM_F_REPLACE | NLM_F_EXCL)) == NLM_F_REPLACE;
	return addr_check_lifetime(tb[IFA_CACHEINFO], extack);
}

static struct strata_rtnl_cause addr_cause;

static int addr_new(struct sk_buff *skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct net *net = sock_net(skb->sk);
	struct strata_addr_cfg cfg;
	struct addr_request req;
	int err;

	err = addr_parse(net, nlh, &req, extack);
	if (!err)
		err = addr_to_cfg(&req, nlh->nlmsg_flags, &cfg, extack);
	if (err)
		return err;
	strata_rtnl_cause_set(&addr_cause, skb, nlh);
	err = strata_addr_add_rtnl(strata_net(net), req.dev, &cfg, extack);
	strata_rtnl_cause_set(&addr_cause, NULL, NULL);
	return err;
}

/* is @ifa what @req describes? as native: what is not said matches */
static bool addr_matches(const struct addr_request *req, const struct strata_ifaddr *ifa)
{
	struct nlattr *const *tb = req->tb;

	if (tb[IFA_LOCAL] && nla_get_in_addr(tb[IFA_LOCAL]) != ifa->local)
		return false;
	if (!tb[IFA_ADDRESS])
		return true;
	return req->ifm->ifa_prefixlen == ifa->plen &&
	       !((nla_get_in_addr(tb[IFA_ADDRESS]) ^ ifa->peer) & ifa->mask);
}

static struct strata_ifaddr *addr_find(struct strata_net *sn, const struct addr_request *req)
{
	struct strata_dev *ifp = strata_dev_find_rcu(sn, req->dev->ifindex);
	struct strata_ifaddr *ifa;

	if (ifp)
		list_for_each_entry(ifa, &ifp->addrs, node)
			if (addr_matches(req, ifa))
				return ifa;
	return NULL;
}

static int addr_del(struct sk_buff *skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct net *net = sock_net(skb->sk);
	struct strata_net *sn = strata_net(net);
	struct strata_ifaddr *ifa;
	struct addr_request req;
	int err;

	err = addr_parse(net, nlh, &req, extack);
	if (err)
		return err;
	if (!req.tb[IFA_LOCAL] && !req.tb[IFA_ADDRESS]) {
		NL_SET_ERR_MSG(extack, "strata: no address is supplied");
		return -EINVAL;
	}
	ifa = addr_find(sn, &req);
	if (!ifa) {
		NL_SET_ERR_MSG(extack, "strata: address not found on this device");
		return -EADDRNOTAVAIL;
	}
	strata_rtnl_cause_set(&addr_cause, skb, nlh);
	strata_addr_del_rtnl(ifa);
	strata_rtnl_cause_set(&addr_cause, NULL, NULL);
	return 0;
}

/* ---- messages to user space ---- */

/* hundredths of a second since start, as native */
static u32 addr_stamp(unsigned long stamp)
{
	return (stamp - INITIAL_JIFFIES) * 100UL / HZ;
}

static int addr_fill(struct sk_buff *skb, const struct strata_ifaddr *ifa, u32 portid, u32 seq,
		     int event, unsigned int nlflags)
{
	struct ifa_cacheinfo ci = {
		.ifa_prefered = ADDR_FOREVER,
		.ifa_valid = ADDR_FOREVER,
		.cstamp = addr_stamp(ifa->cstamp),
		.tstamp = addr_stamp(READ_ONCE(ifa->tstamp)),
	};
	u32 flags = READ_ONCE(ifa->flags);
	u32 metric = READ_ONCE(ifa->metric);
	struct ifaddrmsg *ifm;
	struct nlmsghdr *nlh;

	nlh = nlmsg_put(skb, portid, seq, event, sizeof(*ifm), nlflags);
	if (!nlh)
		return -EMSGSIZE;
	ifm = nlmsg_data(nlh);
	ifm->ifa_family = strata_family;
	ifm->ifa_prefixlen = ifa->plen;
	ifm->ifa_flags = flags;
	ifm->ifa_scope = ifa->scope;
	ifm->ifa_index = ifa->ifp->ifindex;
	if (nla_put_in_addr(skb, IFA_ADDRESS, ifa->peer) ||
	    nla_put_in_addr(skb, IFA_LOCAL, ifa->local) ||
	    (ifa->broadcast && nla_put_in_addr(skb, IFA_BROADCAST, ifa->broadcast)) ||
	    nla_put_u32(skb, IFA_FLAGS, flags) ||
	    (metric && nla_put_u32(skb, IFA_RT_PRIORITY, metric)) ||
	    nla_put(skb, IFA_CACHEINFO, sizeof(ci), &ci)) {
		nlmsg_cancel(skb, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(skb, nlh);
	return 0;
}

static size_t addr_msg_size(void)
{
	return NLMSG_ALIGN(sizeof(struct ifaddrmsg)) + 3 * nla_total_size(sizeof(__be32)) +
	       2 * nla_total_size(sizeof(u32)) + nla_total_size(sizeof(struct ifa_cacheinfo));
}

void strata_rtnl_addr_notify(struct strata_ifaddr *ifa, int event)
{
	struct net *net = ifa->ifp->sn->net;
	struct sk_buff *skb = nlmsg_new(addr_msg_size(), GFP_KERNEL);
	int err = -ENOBUFS;

	if (!skb)
		goto fail;
	err = addr_fill(skb, ifa, addr_cause.portid, strata_rtnl_cause_seq(&addr_cause), event, 0);
	if (WARN_ON(err)) {	/* addr_msg_size() is wrong */
		kfree_skb(skb);
		goto fail;
	}
	rtnl_notify(skb, net, addr_cause.portid, RTNLGRP_IPV4_IFADDR, addr_cause.nlh, GFP_KERNEL);
	return;
fail:
	rtnl_set_sk_err(net, RTNLGRP_IPV4_IFADDR, err);
}

/* ---- get ---- */

/* a question has only addresses and, if it is about one device, that; @tb: IFA_* */
static int addr_get_parse(struct sk_buff *skb, const struct nlmsghdr *nlh, struct nlattr **tb,
			  struct netlink_ext_ack *extack)
{
	const struct ifaddrmsg *ifm;
	int i, err;

	err = nlmsg_parse(nlh, sizeof(*ifm), tb, IFA_MAX, addr_policy, extack);
	if (err < 0)
		return err;
	ifm = nlmsg_data(nlh);
	if (netlink_strict_get_check(skb)) {
		if (ifm->ifa_prefixlen || ifm->ifa_flags || ifm->ifa_scope) {
			NL_SET_ERR_MSG(extack,
				       "strata: an address request may only set the device");
			return -EINVAL;
		}
		for (i = 0; i <= IFA_MAX; i++) {
			if (!tb[i] || i == IFA_LOCAL || i == IFA_ADDRESS)
				continue;
			NL_SET_ERR_MSG_ATTR(extack, tb[i],
					    "strata: attribute not supported in an address request");
			return -EINVAL;
		}
	}
	if (!tb[IFA_LOCAL] && !tb[IFA_ADDRESS]) {
		NL_SET_ERR_MSG(extack, "strata: no address is supplied");
		return -EINVAL;
	}
	return 0;
}

/* the first address that has what is in @tb; rtnl */
static struct strata_ifaddr *addr_get_find(struct strata_net *sn, int ifindex,
					   struct nlattr *const *tb)
{
	struct strata_ifaddr *ifa;
	struct strata_dev *ifp;

	list_for_each_entry(ifp, &sn->devs, node) {
		if (ifindex && ifp->ifindex != ifindex)
			continue;
		list_for_each_entry(ifa, &ifp->addrs, node) {
			if (tb[IFA_LOCAL] && nla_get_in_addr(tb[IFA_LOCAL]) != ifa->local)
				continue;
			if (tb[IFA_ADDRESS] && nla_get_in_addr(tb[IFA_ADDRESS]) != ifa->peer)
				continue;
			return ifa;
		}
	}
	return NULL;
}

static int addr_get(struct sk_buff *in_skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct net *net = sock_net(in_skb->sk);
	u32 portid = NETLINK_CB(in_skb).portid;
	struct nlattr *tb[IFA_MAX + 1];
	const struct ifaddrmsg *ifm;
	struct strata_ifaddr *ifa;
	struct sk_buff *skb;
	int err;

	err = addr_get_parse(in_skb, nlh, tb, extack);
	if (err)
		return err;
	ifm = nlmsg_data(nlh);
	if (ifm->ifa_index && !__dev_get_by_index(net, ifm->ifa_index)) {
		NL_SET_ERR_MSG(extack, "strata: device not found");
		return -ENODEV;
	}
	ifa = addr_get_find(strata_net(net), ifm->ifa_index, tb);
	if (!ifa) {
		NL_SET_ERR_MSG(extack, "strata: no such address");
		return -EADDRNOTAVAIL;
	}
	skb = nlmsg_new(addr_msg_size(), GFP_KERNEL);
	if (!skb)
		return -ENOBUFS;
	err = addr_fill(skb, ifa, portid, nlh->nlmsg_seq, RTM_NEWADDR, 0);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	return rtnl_unicast(skb, net, portid);
}

/* ---- dump ---- */

static int addr_dump_check(struct netlink_callback *cb, int *ifindex)
{
	struct netlink_ext_ack *extack = cb->extack;
	const struct ifaddrmsg *ifm;

	*ifindex = 0;
	if (!cb->strict_check)
		return 0;
	if (nlmsg_len(cb->nlh) < sizeof(*ifm)) {
		NL_SET_ERR_MSG(extack, "strata: header of the address dump request is too short");
		return -EINVAL;
	}
	ifm = nlmsg_data(cb->nlh);
	if (ifm->ifa_prefixlen || ifm->ifa_flags || ifm->ifa_scope) {
		NL_SET_ERR_MSG(extack, "strata: an address dump request may only set the device");
		return -EINVAL;
	}
	if (nlmsg_attrlen(cb->nlh, sizeof(*ifm))) {
		NL_SET_ERR_MSG(extack, "strata: attributes in an address dump request");
		return -EINVAL;
	}
	*ifindex = ifm->ifa_index;
	return 0;
}

/* cb->args: [0] addresses given so far. Every change of addresses moves dump_seq on */
static int addr_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct strata_net *sn = strata_net(sock_net(skb->sk));
	const struct strata_ifaddr *ifa;
	const struct strata_dev *ifp;
	int ifindex, err;
	long idx = 0;

	err = addr_dump_check(cb, &ifindex);
	/* a request to all families must not end with us */
	if (err)
		return rtnl_msg_family(cb->nlh) == strata_family ? err : 0;
	rcu_read_lock();
	cb->seq = READ_ONCE(sn->dump_seq) ?: 1;
	list_for_each_entry_rcu(ifp, &sn->devs, node) {
		if (ifindex && ifp->ifindex != ifindex)
			continue;
		list_for_each_entry_rcu(ifa, &ifp->addrs, node) {
			if (idx++ < cb->args[0])
				continue;
			err = addr_fill(skb, ifa, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					RTM_NEWADDR, NLM_F_MULTI);
			if (err)
				goto out;
			nl_dump_check_consistent(cb, nlmsg_hdr(skb));
			cb->args[0] = idx;
		}
	}
out:
	rcu_read_unlock();
	return err && skb->len ? skb->len : err;
}

int strata_rtnl_addr_init(void)
{
	const struct rtnl_msg_handler handlers[] = {
		{ THIS_MODULE, strata_family, RTM_NEWADDR, addr_new, NULL, 0 },
		{ THIS_MODULE, strata_family, RTM_DELADDR, addr_del, NULL, 0 },
		{ THIS_MODULE, strata_family, RTM_GETADDR, addr_get, addr_dump, 0 },
	};

	return rtnl_register_many(handlers);
}

void strata_rtnl_addr_exit(void)
{
	rtnl_unregister(strata_family, RTM_GETADDR);
	rtnl_unregister(strata_family, RTM_DELADDR);
	rtnl_unregister(strata_family, RTM_NEWADDR);
}
