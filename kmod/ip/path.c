// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a flow to a path: source address, outgoing device, next hop and MTU (RFC
 * 1122 3.3.1, 3.3.4.3). A path is made once and cached by who uses it; it holds
 * references to its device and neighbour, and the namespace's generation number
 * tells when it must be made anew.
 *
 *	this host (0.0.0.0), own addresses, 127/8	stays inside: loop.c
 *	255.255.255.255, a prefix's broadcast		the device of the prefix
 *	multicast					IP_MULTICAST_IF, source, route
 *	everything else					the longest matching route; a
 *							flow bound to a device without
 *							a route takes the destination
 *							to be on the link, as native
 */

#include <linux/rtnetlink.h>
#include "ip_int.h"
#include "stats.h"

/* a path under construction; no references yet */
struct way {
	struct strata_dev	*ifp;
	__be32			nexthop;
	__be32			saddr;
	u32			mtu;
	u16			flags;
	u8			ttl;	/* 0: the default */
};

static bool dev_up_rcu(const struct strata_dev *ifp)
{
	const struct net_device *dev = rcu_dereference(ifp->dev);

	return dev && (READ_ONCE(dev->flags) & IFF_UP);
}

static int way_loop_rcu(struct strata_net *sn, const struct strata_flow *fl, struct way *way)
{
	way->ifp = strata_loop_dev(sn);
	way->flags = STRATA_PATH_LOOP;
	if (fl->oif == way->ifp->ifindex)
		way->flags |= STRATA_PATH_BY_LO;
	way->nexthop = fl->daddr;
	/* 127/8 is one host; an own address talks to itself */
	way->saddr = ipv4_is_loopback(fl->daddr) ? cpu_to_be32(INADDR_LOOPBACK) : fl->daddr;
	way->mtu = STRATA_IP_MAX_LEN;
	return 0;
}

/* RFC 1122 3.3.6: limited broadcast and multicast leave by one device */
static int way_many_rcu(struct strata_net *sn, const struct strata_flow *fl,
			struct strata_dev *oif, enum strata_addr_type type, struct way *way)
{
	const struct strata_route *r;
	struct strata_ifaddr *ifa;

	way->ifp = oif;
	if (!way->ifp && type == STRATA_ADDR_BROADCAST && !ipv4_is_lbcast(fl->daddr))
		way->ifp = strata_addr_broadcast_dev_rcu(sn, fl->daddr);
	if (!way->ifp && fl->saddr) {
		ifa = strata_addr_find_rcu(sn, fl->saddr);
		way->ifp = ifa ? ifa->ifp : NULL;
	}
	if (!way->ifp) {
		r = strata_route_lookup_rcu(sn, fl->daddr, 0, fl->tos, fl->onlink);
		way->ifp = r ? r->ifp : NULL;
		way->saddr = r ? r->cfg.prefsrc : 0;
	}
	if (!way->ifp || !dev_up_rcu(way->ifp))
		return -ENETUNREACH;
	way->nexthop = fl->daddr;
	way->flags = type == STRATA_ADDR_BROADCAST ? STRATA_PATH_BROADCAST : STRATA_PATH_MULTICAST;
	return 0;
}

static int way_unicast_rcu(struct strata_net *sn, const struct strata_flow *fl,
			   struct strata_dev *oif, struct way *way)
{
	const struct strata_route *r;

	r = strata_route_lookup_rcu(sn, fl->daddr, fl->oif, fl->tos, fl->onlink);
	/* no route, or one that refuses: whoever names a device has it on that link, as native */
	if (!r || (oif && !r->ifp)) {
		if (!oif || !dev_up_rcu(oif))
			return -ENETUNREACH;
		way->ifp = oif;
		way->nexthop = fl->daddr;
		return 0;
	}
	switch (r->cfg.type) {
	case RTN_UNICAST:
		break;
	case RTN_BLACKHOLE:
		return -EINVAL;
	case RTN_PROHIBIT:
		return -EACCES;
	default:
		return -EHOSTUNREACH;
	}
	way->ifp = r->ifp;
	way->nexthop = r->cfg.gw ?: fl->daddr;
	way->saddr = r->cfg.prefsrc;
	way->mtu = r->cfg.mx.val[RTAX_MTU];
	way->ttl = r->cfg.mx.val[RTAX_HOPLIMIT];
	way->flags = r->path_flags;
	return 0;
}

static int way_find_rcu(struct strata_net *sn, struct strata_flow *fl, struct way *way)
{
	struct strata_dev *loop = strata_loop_dev(sn), *oif = NULL;
	enum strata_addr_type type;
	int err;

	if (fl->oif && fl->oif != loop->ifindex) {
		oif = strata_dev_find_rcu(sn, fl->oif);
		if (!oif)
			return -ENODEV;
	}
	if (!fl->daddr)
		fl->daddr = fl->saddr ?: cpu_to_be32(INADDR_LOOPBACK);
	type = strata_addr_type_rcu(sn, oif, fl->daddr);
	/* to others by "lo", be they one or many */
	if (type != STRATA_ADDR_LOCAL && fl->oif == loop->ifindex)
		return -ENETUNREACH;
	if (fl->saddr && !strata_addr_is_local_rcu(sn, fl->saddr))
		return -ENETUNREACH;	/* as native */
	switch (type) {
	case STRATA_ADDR_LOCAL:
		return way_loop_rcu(sn, fl, way);
	case STRATA_ADDR_BROADCAST:
	case STRATA_ADDR_MULTICAST:
		err = way_many_rcu(sn, fl, oif, type, way);
		break;
	default:
		err = way_unicast_rcu(sn, fl, oif, way);
	}
	/* RFC 1122 3.2.1.3 (g): 127/8 never leaves the host */
	return !err && ipv4_is_loopback(fl->saddr) ? -EINVAL : err;
}

/* RFC 1191 3: the least of device, route and what routers told */
static int way_mtu_rcu(struct strata_net *sn, const struct strata_flow *fl, struct way *way)
{
	const struct net_device *dev;
	bool cut;
	u32 mtu;

	if (way->flags & STRATA_PATH_LOOP)
		return 0;
	dev = rcu_dereference(way->ifp->dev);
	if (!dev)
		return -ENETUNREACH;
	mtu = min_t(u32, READ_ONCE(dev->mtu), STRATA_IP_MAX_LEN);
	if (way->mtu && way->mtu < mtu && !fl->mtu_link)
		mtu = way->mtu;
	way->mtu = mtu;
	if (fl->mtu_link)
		return 0;
	if (way->flags & (STRATA_PATH_MTU_LOCKED | STRATA_PATH_BROADCAST | STRATA_PATH_MULTICAST))
		return 0;
	mtu = strata_pmtu_rcu(sn, fl->daddr, &cut);
	if (mtu && mtu < way->mtu)
		way->mtu = mtu;
	if (cut)
		way->flags |= STRATA_PATH_MTU_LOCKED;
	return 0;
}

u32 strata_path_mtu_rcu(const struct strata_sock *ep, __be32 daddr)
{
	struct strata_net *sn = strata_sk_net(&ep->sk);
	struct strata_flow fl = {
		.daddr = daddr, .oif = READ_ONCE(ep->sk.sk_bound_dev_if), .tos = READ_ONCE(ep->tos),
		.onlink = sock_flag(&ep->sk, SOCK_LOCALROUTE),
	};
	struct way way = {};

	strata_path_choose(ep, &fl);
	if (way_find_rcu(sn, &fl, &way) || way_mtu_rcu(sn, &fl, &way))
		return 0;
	return way.flags & (STRATA_PATH_LOOP | STRATA_PATH_MTU_LOCKED) ? 0 : way.mtu;
}

static int path_make_rcu(struct strata_net *sn, struct strata_flow *fl, struct strata_path *path)
{
	struct way way = {};
	int err;

	err = way_find_rcu(sn, fl, &way);
	if (!err)
		err = way_mtu_rcu(sn, fl, &way);
	if (err)
		return err;
	if (!way.saddr)
		way.saddr = strata_addr_select_rcu(sn, way.ifp, way.nexthop);
	if (!fl->saddr)
		fl->saddr = way.saddr;
	/* it may have been unbound a moment ago */
	if (!refcount_inc_not_zero(&way.ifp->ref))
		return -ENETUNREACH;
	if (way.ifp->arp && !(way.flags & STRATA_PATH_LOOP)) {
		path->neigh = strata_neigh_get(way.ifp, way.nexthop);
		if (!path->neigh) {
			strata_dev_put(way.ifp);
			return -ENOBUFS;
		}
	}
	path->ifp = way.ifp;
	path->saddr = way.saddr;
	path->nexthop = way.nexthop;
	path->mtu = way.mtu;
	path->flags = way.flags | (fl->onlink ? STRATA_PATH_ONLINK : 0);
	path->ttl = way.ttl ?: READ_ONCE(sn->conf.ip_default_ttl);
	return 0;
}

int strata_ip_route(struct strata_net *sn, struct strata_flow *fl, struct strata_path *path)
{
	int err;

	memset(path, 0, sizeof(*path));
	/* before the tables: a change while they are read makes the path stale */
	path->slot = strata_path_slot(sn, fl->daddr);
	path->gen = atomic_read_acquire(&sn->route_gen[path->slot]);
	rcu_read_lock();
	err = path_make_rcu(sn, fl, path);
	rcu_read_unlock();
	if (err == -ENETUNREACH)
		strata_inc(sn, IP_OUTNOROUTES);
	return err;
}

void strata_ip_metrics(struct strata_net *sn, const struct strata_flow *fl,
		       struct strata_metrics *mx)
{
	const struct strata_route *r;

	memset(mx, 0, sizeof(*mx));
	rcu_read_lock();
	r = strata_route_lookup_rcu(sn, fl->daddr, fl->oif, fl->tos, fl->onlink);
	if (r && r->ifp)	/* one that refuses may be passed over */
		*mx = r->cfg.mx;
	rcu_read_unlock();
}

void strata_path_put(struct strata_path *path)
{
	if (path->neigh)
		strata_neigh_put(path->neigh);
	if (path->ifp)
		strata_dev_put(path->ifp);
	path->neigh = NULL;
	path->ifp = NULL;
}

void strata_path_copy(struct strata_path *to, const struct strata_path *from)
{
	*to = *from;
	if (to->neigh)
		refcount_inc(&to->neigh->ref);
	if (to->ifp)
		strata_dev_get(to->ifp);
}

struct net_device *strata_path_dev_rcu(const struct strata_path *path)
{
	return rcu_dereference(path->ifp->dev);
}

int strata_path_remake(struct strata_sock *ep)
{
	struct strata_net *sn = strata_sk_net(&ep->sk);
	struct strata_flow fl;

	strata_path_put(&ep->path);
	strata_sock_flow(ep, &fl);
	if (ep->foreign)
		fl.saddr = 0;
	strata_path_choose(ep, &fl);
	return strata_ip_route(sn, &fl, &ep->path);
}

void strata_path_choose(const struct strata_sock *ep, struct strata_flow *fl)
{
	if (!ipv4_is_multicast(fl->daddr)) {
		if (!fl->oif && ep->proto != IPPROTO_TCP)
			fl->oif = READ_ONCE(ep->uc_oif);
		return;
	}
	if (!fl->oif)
		fl->oif = ep->mc_oif;
	if (!fl->saddr)
		fl->saddr = ep->mc_addr;
	fl->ttl = ep->mc_ttl;
}

void strata_path_rehash(struct sock *sk)
{
	strata_path_put(&strata_sk(sk)->path);
}

int strata_path_connect(struct strata_sock *ep, struct strata_flow *fl)
{
	struct strata_path path;
	int err;

	sock_owned_by_me(&ep->sk);
	err = strata_ip_route(strata_sk_net(&ep->sk), fl, &path);
	if (err)
		return err;
	if (path.flags & STRATA_PATH_BROADCAST && !sock_flag(&ep->sk, SOCK_BROADCAST)) {
		strata_path_put(&path);
		return -EACCES;
	}
	strata_path_put(&ep->path);
	ep->path = path;
	return 0;
}
