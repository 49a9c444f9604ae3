// SPDX-License-Identifier: GPL-2.0-only
/*
 * The routes of a namespace (RFC 1122 3.3.1, RFC 1812 5.2.4). One trie of
 * prefixes (route_lpm.c); each prefix has the list of its routes, the one to try
 * first in front: decreasing TOS, increasing priority (metric). A route whose
 * device is gone or down is passed over, then shorter prefixes are tried.
 *
 * Routes come from the administrator (rtnl_route.c) and with addresses: the
 * prefix of an address is reachable on its device ("connected", RTPROT_KERNEL).
 * Own addresses and broadcasts are not in here: dev/addr.c knows them.
 *
 * locking: rtnl for writers, RCU for readers. A route holds a reference on its
 * device; it is freed after a grace period.
 */

#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/inet_ecn.h>
#include <net/route.h>
#include "ip_int.h"
#include "stats.h"

/* @lpm: first; @routes: struct strata_route.node; empty while the prefix is glue */
struct strata_prefix {
	struct strata_lpm_node	lpm;
	struct list_head	routes;
	struct rcu_head		rcu;
};

struct strata_fib {
	struct strata_lpm	lpm;
	unsigned int		count;	/* routes; rtnl */
};

static struct strata_prefix *to_prefix(struct strata_lpm_node *n)
{
	return container_of(n, struct strata_prefix, lpm);
}

static void prefix_free(struct strata_lpm_node *n)
{
	if (n)
		kfree_rcu(to_prefix(n), rcu);
}

static void route_free_rcu(struct rcu_head *head)
{
	struct strata_route *r = container_of(head, struct strata_route, rcu);

	if (r->ifp)
		strata_dev_put(r->ifp);
	kfree(r);
}

/* ---- lookup ---- */

static bool route_usable_rcu(const struct strata_route *r)
{
	const struct net_device *dev;

	if (!r->ifp)
		return true;
	dev = rcu_dereference_rtnl(r->ifp->dev);
	return dev && (READ_ONCE(dev->flags) & IFF_UP);
}

static bool route_matches(const struct strata_route *r, int oif, u8 tos, bool onlink)
{
	if (r->cfg.tos && r->cfg.tos != (tos & IPTOS_TOS_MASK & ~INET_ECN_MASK))
		return false;
	if (oif && r->ifp && r->cfg.oif != oif)	/* (those that refuse have none) */
		return false;
	return !onlink || (r->ifp && !r->cfg.gw);
}

const struct strata_route *strata_route_lookup_rcu(struct strata_net *sn, __be32 daddr, int oif,
						   u8 tos, bool onlink)
{
	u32 key = be32_to_cpu(daddr);
	struct strata_lpm_node *n;
	struct strata_route *r;
	int plen = 32;

	while (plen >= 0) {
		n = strata_lpm_lookup_rcu(&sn->fib->lpm, key, plen);
		if (!n)
			break;
		list_for_each_entry_rcu(r, &to_prefix(n)->routes, node,
					lockdep_rtnl_is_held())
			if (route_matches(r, oif, tos, onlink) && route_usable_rcu(r))
				return r;
		plen = n->plen - 1;
	}
	return NULL;
}

/* ---- the lists ---- */

static struct strata_prefix *prefix_find(struct strata_net *sn, __be32 dst, u8 plen)
{
	struct strata_lpm_node *n;

	n = strata_lpm_find_rcu(&sn->fib->lpm, be32_to_cpu(dst), plen);
	return n ? to_prefix(n) : NULL;
}

static struct strata_prefix *prefix_make(struct strata_net *sn, __be32 dst, u8 plen)
{
	struct strata_prefix *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	struct strata_prefix *spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	struct strata_lpm_node *unused;

	if (!p || !spare) {
		kfree(p);
		kfree(spare);
		return NULL;
	}
	INIT_LIST_HEAD(&p->routes);
	INIT_LIST_HEAD(&spare->routes);
	p->lpm.key = be32_to_cpu(dst);
	p->lpm.plen = plen;
	unused = strata_lpm_insert(&sn->fib->lpm, &p->lpm, &spare->lpm);
	if (unused)
		kfree(spare);
	if (unused && unused != &spare->lpm)
		prefix_free(unused);	/* glue that @p took the place of */
	return p;
}

/* the first route that is to be tried after @cfg, or the list's head */
static struct list_head *route_place(struct strata_prefix *p, const struct strata_route_cfg *cfg)
{
	struct strata_route *r;

	list_for_each_entry(r, &p->routes, node)
		if (r->cfg.tos < cfg->tos ||
		    (r->cfg.tos == cfg->tos && r->cfg.priority > cfg->priority))
			return &r->node;
	return &p->routes;
}

/* has @mx a metric that TCP asks for when a connection opens? */
static bool has_tcp_metrics(const struct strata_metrics *mx)
{
	int i;

	for (i = 1; i <= RTAX_MAX; i++)
		if (mx->val[i] && i != RTAX_LOCK && i != RTAX_MTU && i != RTAX_HOPLIMIT &&
		    i != RTAX_FEATURES)
			return true;
	return mx->cong[0];
}

static u16 path_flags(const struct strata_route_cfg *cfg)
{
	const struct strata_metrics *mx = &cfg->mx;
	u16 flags = 0;

	if (cfg->gw)
		flags |= STRATA_PATH_GATEWAY;
	if ((mx->val[RTAX_FEATURES] & RTAX_FEATURE_ECN) || mx->cong_ecn)
		flags |= STRATA_PATH_ECN;
	if (mx->cong_ecn)
		flags |= STRATA_PATH_ECN_CA;
	if (mx->val[RTAX_MTU] && strata_metrics_locked(mx, RTAX_MTU))
		flags |= STRATA_PATH_MTU_LOCKED;
	if (mx->val[RTAX_FASTOPEN_NO_COOKIE])
		flags |= STRATA_PATH_NO_COOKIE;
	return has_tcp_metrics(mx) ? flags | STRATA_PATH_METRICS : flags;
}

static struct strata_route *route_make(struct strata_net *sn, const struct strata_route_cfg *cfg)
{
	struct strata_route *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	r->cfg = *cfg;
	r->path_flags = path_flags(cfg);
	if (cfg->oif)
		r->ifp = strata_dev_get(strata_dev_find_rcu(sn, cfg->oif));
	return r;
}

/* take a prefix without routes out of the trie */
static void prefix_drop(struct strata_net *sn, struct strata_prefix *p)
{
	struct strata_lpm_node *freed[2];

	if (!list_empty(&p->routes))
		return;
	strata_lpm_remove(&sn->fib->lpm, &p->lpm, freed);
	prefix_free(freed[0]);
	prefix_free(freed[1]);
}

/* @r is the caller's to free */
static void route_take_out(struct strata_net *sn, struct strata_prefix *p, struct strata_route *r)
{
	list_del_rcu(&r->node);
	sn->fib->count--;
	prefix_drop(sn, p);
	strata_conf_changed_rtnl(sn);
}

static void route_unlink(struct strata_net *sn, struct strata_prefix *p, struct strata_route *r)
{
	route_take_out(sn, p, r);
	strata_ip_up.route_changed(sn, &r->cfg, RTM_DELROUTE, 0);
	call_rcu(&r->rcu, route_free_rcu);
}

/* ---- changes ---- */

static bool metrics_same(const struct strata_metrics *a, const struct strata_metrics *b)
{
	return !memcmp(a->val, b->val, sizeof(a->val)) && !strcmp(a->cong, b->cong);
}

static bool cfg_same(const struct strata_route_cfg *a, const struct strata_route_cfg *b)
{
	return a->gw == b->gw && a->prefsrc == b->prefsrc && a->oif == b->oif &&
	       metrics_same(&a->mx, &b->mx) && a->flags == b->flags &&
	       a->type == b->type && a->scope == b->scope && a->protocol == b->protocol;
}

/* the first route of @p with @cfg's tos and priority; *@same: the one that is identical */
static struct strata_route *route_rival(struct strata_prefix *p, const struct strata_route_cfg *cfg,
					struct strata_route **same)
{
	struct strata_route *r, *first = NULL;

	*same = NULL;
	if (!p)
		return NULL;
	list_for_each_entry(r, &p->routes, node) {
		if (r->cfg.tos != cfg->tos || r->cfg.priority != cfg->priority)
			continue;
		if (!first)
			first = r;
		if (!*same && cfg_same(&r->cfg, cfg))
			*same = r;
	}
	return first;
}

/* as native: may NLM_F_* @nlflags make a route beside these? 0, -errno, or 1: it is there */
static int route_permit(u16 nlflags, const struct strata_route *rival,
			const struct strata_route *same, struct netlink_ext_ack *extack)
{
	if (rival && same == rival && (nlflags & (NLM_F_REPLACE | NLM_F_EXCL)) == NLM_F_REPLACE)
		return 1;
	if (same || (rival && nlflags & NLM_F_EXCL)) {
		NL_SET_ERR_MSG(extack, "strata: route exists");
		return -EEXIST;
	}
	if (!(nlflags & NLM_F_CREATE) && !(rival && nlflags & NLM_F_REPLACE)) {
		NL_SET_ERR_MSG(extack, "strata: no route to replace");
		return -ENOENT;
	}
	return 0;
}

/* link @r, which NLM_F_* @nlflags ask for; returns those of its notice, as native */
static u16 route_link(struct strata_net *sn, struct strata_prefix *p, struct strata_route *r,
		      struct strata_route *rival, u16 nlflags)
{
	sn->fib->count++;
	if (rival && nlflags & NLM_F_REPLACE) {
		/* no moment without one of the two */
		list_add_rcu(&r->node, rival->node.prev);
		route_take_out(sn, p, rival);
		call_rcu(&rival->rcu, route_free_rcu);
		return NLM_F_REPLACE;
	}
	/* the newest of equal ones is tried first, as native's `prepend` */
	if (rival && !(nlflags & NLM_F_APPEND))
		list_add_rcu(&r->node, rival->node.prev);
	else
		list_add_tail_rcu(&r->node, route_place(p, &r->cfg));
	strata_conf_changed_rtnl(sn);
	if (!rival)
		return NLM_F_CREATE | NLM_F_EXCL;
	return NLM_F_CREATE | (nlflags & NLM_F_APPEND);
}

int strata_route_add_rtnl(struct strata_net *sn, const struct strata_route_cfg *want, u16 nlflags,
			  struct netlink_ext_ack *extack)
{
	struct strata_route_cfg cfg = *want;
	struct strata_route *r, *rival, *same;
	struct strata_prefix *p;
	int err;

	ASSERT_RTNL();
	err = strata_route_check(sn, &cfg, extack);
	if (err)
		return err;
	p = prefix_find(sn, cfg.dst, cfg.plen);
	rival = route_rival(p, &cfg, &same);
	err = route_permit(nlflags, rival, same, extack);
	if (err)
		return err < 0 ? err : 0;

	r = route_make(sn, &cfg);
	if (!r)
		return -ENOBUFS;
	if (!p)
		p = prefix_make(sn, cfg.dst, cfg.plen);
	if (!p) {
		route_free_rcu(&r->rcu);
		return -ENOBUFS;
	}
	nlflags = route_link(sn, p, r, rival, nlflags);
	strata_ip_up.route_changed(sn, &cfg, RTM_NEWROUTE, nlflags);
	return 0;
}

/* are those that @want gives @mx's, also where it has none? */
static bool del_metrics_match(const struct strata_metrics *mx, const struct strata_route_cfg *want)
{
	int i;

	for (i = 1; i <= RTAX_MAX; i++)
		if ((want->mx_given & BIT(i)) && mx->val[i] != want->mx.val[i])
			return false;
	return !(want->mx_given & BIT(RTAX_CC_ALGO)) || !strcmp(mx->cong, want->mx.cong);
}

static bool del_matches(const struct strata_route_cfg *r, const struct strata_route_cfg *cfg)
{
	return r->tos == cfg->tos &&
	       (!cfg->type || r->type == cfg->type) &&
	       (cfg->scope == RT_SCOPE_NOWHERE || r->scope == cfg->scope) &&
	       (!cfg->protocol || r->protocol == cfg->protocol) &&
	       (!cfg->prefsrc || r->prefsrc == cfg->prefsrc) &&
	       (!cfg->priority || r->priority == cfg->priority) &&
	       (!cfg->oif || r->oif == cfg->oif) &&
	       (!cfg->gw || r->gw == cfg->gw) &&
	       del_metrics_match(&r->mx, cfg);
}

int strata_route_del_rtnl(struct strata_net *sn, const struct strata_route_cfg *cfg,
			  struct strata_route_cfg *removed, struct netlink_ext_ack *extack)
{
	struct strata_prefix *p;
	struct strata_route *r;

	ASSERT_RTNL();
	p = cfg->plen <= 32 ? prefix_find(sn, cfg->dst, cfg->plen) : NULL;
	if (p) {
		list_for_each_entry(r, &p->routes, node) {
			if (!del_matches(&r->cfg, cfg))
				continue;
			if (removed)
				*removed = r->cfg;
			route_unlink(sn, p, r);
			return 0;
		}
	}
	NL_SET_ERR_MSG(extack, "strata: no such route");
	return -ESRCH;
}

/* ---- many at once ---- */

struct route_sweep {
	struct strata_net	*sn;
	int			oif;		/* through this device, or */
	__be32			prefsrc;	/* from this address */
	bool			all;
	struct strata_route	*found;		/* linked by swept */
	struct strata_route	**tail;
};

static int sweep_one(struct strata_lpm_node *n, void *arg)
{
	struct route_sweep *sweep = arg;
	struct strata_route *r;

	list_for_each_entry(r, &to_prefix(n)->routes, node) {
		if (sweep->all || (sweep->oif && r->cfg.oif == sweep->oif) ||
		    (sweep->prefsrc && r->cfg.prefsrc == sweep->prefsrc)) {
			*sweep->tail = r;
			sweep->tail = &r->swept;
		}
	}
	return 0;
}

/* removing changes the trie: not under the walk */
static void route_sweep(struct route_sweep *sweep)
{
	struct strata_net *sn = sweep->sn;
	struct strata_route *r;

	sweep->tail = &sweep->found;
	strata_lpm_walk_rcu(&sn->fib->lpm, sweep_one, sweep);
	*sweep->tail = NULL;
	while ((r = sweep->found)) {
		sweep->found = r->swept;
		route_unlink(sn, prefix_find(sn, r->cfg.dst, r->cfg.plen), r);
	}
}

void strata_route_if_down(struct strata_dev *ifp)
{
	struct route_sweep sweep = { .sn = ifp->sn, .oif = ifp->ifindex };

	ASSERT_RTNL();
	route_sweep(&sweep);
}

/* ---- connected routes ---- */

static void connected_cfg(const struct strata_ifaddr *ifa, struct strata_route_cfg *cfg)
{
	__be32 net = ifa->peer != ifa->local ? ifa->peer : ifa->local;

	memset(cfg, 0, sizeof(*cfg));
	cfg->dst = net & ifa->mask;
	cfg->plen = ifa->plen;
	cfg->prefsrc = ifa->local;
	cfg->oif = ifa->ifp->ifindex;
	cfg->priority = ifa->metric;
	cfg->type = RTN_UNICAST;
	cfg->scope = RT_SCOPE_LINK;
	cfg->protocol = RTPROT_KERNEL;
}

static bool has_connected(const struct strata_ifaddr *ifa)
{
	if (ifa->flags & IFA_F_NOPREFIXROUTE)
		return false;
	/* as native: an address of length 0 does not take all that has no other way */
	if (ipv4_is_zeronet(ifa->peer & ifa->mask))
		return false;
	/* the prefix of a host address is the host itself */
	return ifa->plen < 32 || ifa->peer != ifa->local;
}

static int connected_add(struct strata_ifaddr *ifa, struct netlink_ext_ack *extack)
{
	struct strata_net *sn = ifa->ifp->sn;
	struct strata_route_cfg cfg;
	struct strata_route *r, *same;
	struct strata_prefix *p;
	u16 nlflags;

	connected_cfg(ifa, &cfg);
	p = prefix_find(sn, cfg.dst, cfg.plen);
	if (!p) {
		p = prefix_make(sn, cfg.dst, cfg.plen);
		if (!p)
			return -ENOBUFS;
	}
	list_for_each_entry(r, &p->routes, node)
		if (r->cfg.oif == cfg.oif && r->cfg.protocol == RTPROT_KERNEL &&
		    r->cfg.priority == cfg.priority)
			return 0;	/* another address of this prefix brought it */
	r = route_make(sn, &cfg);
	if (!r) {
		prefix_drop(sn, p);
		NL_SET_ERR_MSG(extack, "strata: no memory for the connected route");
		return -ENOBUFS;
	}
	nlflags = route_link(sn, p, r, route_rival(p, &cfg, &same), NLM_F_CREATE | NLM_F_APPEND);
	strata_ip_up.route_changed(sn, &cfg, RTM_NEWROUTE, nlflags);
	return 0;
}

int strata_route_addr_added(struct strata_ifaddr *ifa, struct netlink_ext_ack *extack)
{
	ASSERT_RTNL();
	strata_route_changed(ifa->ifp->sn);
	return has_connected(ifa) ? connected_add(ifa, extack) : 0;
}

/* the route to @ifa's prefix goes, if it is from @ifa */
static void connected_del(struct strata_ifaddr *ifa)
{
	struct strata_net *sn = ifa->ifp->sn;
	struct strata_route_cfg cfg;
	struct strata_prefix *p;
	struct strata_route *r;

	connected_cfg(ifa, &cfg);
	p = prefix_find(sn, cfg.dst, cfg.plen);
	if (!p)
		return;
	list_for_each_entry(r, &p->routes, node) {
		if (r->cfg.oif == cfg.oif && r->cfg.protocol == RTPROT_KERNEL &&
		    r->cfg.priority == cfg.priority && r->cfg.prefsrc == cfg.prefsrc) {
			route_unlink(sn, p, r);
			return;
		}
	}
}

static bool same_prefix(const struct strata_ifaddr *a, const struct strata_ifaddr *b)
{
	return a->plen == b->plen && !((a->peer ^ b->peer) & a->mask);
}

void strata_route_addr_disconnect(struct strata_ifaddr *ifa)
{
	const struct net_device *dev = rtnl_dereference(ifa->ifp->dev);
	struct strata_ifaddr *other;

	ASSERT_RTNL();
	connected_del(ifa);
	/* the prefix stays connected while another address of the device is in it */
	list_for_each_entry(other, &ifa->ifp->addrs, node)
		if (other != ifa && same_prefix(other, ifa) && has_connected(other) &&
		    dev->flags & IFF_UP)
			connected_add(other, NULL);
	strata_route_changed(ifa->ifp->sn);
}

void strata_route_addr_removed(struct strata_ifaddr *ifa)
{
	struct route_sweep sweep = { .sn = ifa->ifp->sn, .prefsrc = ifa->local };

	/* as native: routes from the address go with the last one of its kind */
	if (!strata_addr_shared_rtnl(ifa))
		route_sweep(&sweep);
	strata_route_addr_disconnect(ifa);
}

/* ---- reports ---- */

/* where a walk stands: at one of the routes of a prefix, in the order of prefixes */
#define POS_PLEN_SHIFT	24

struct route_walk {
	struct strata_route_pos	*pos;
	int	(*fn)(const struct strata_route_cfg *r, void *arg);
	void	*arg;
};

static int walk_one(struct strata_lpm_node *n, void *arg)
{
	long first = (long)n->plen << POS_PLEN_SHIFT, at = first;
	struct route_walk *walk = arg;
	struct strata_route *r;
	int ret;

	/* routes that were passed count while they are of this prefix */
	if (n->key != walk->pos->key || walk->pos->at < first) {
		walk->pos->key = n->key;
		walk->pos->at = first;
	}
	list_for_each_entry_rcu(r, &to_prefix(n)->routes, node, lockdep_rtnl_is_held()) {
		if (at++ < walk->pos->at)
			continue;
		ret = walk->fn(&r->cfg, walk->arg);
		if (ret)
			return ret;
		walk->pos->at = at;
	}
	return 0;
}

int strata_route_walk_rcu(struct strata_net *sn, struct strata_route_pos *pos,
			  int (*fn)(const struct strata_route_cfg *r, void *arg), void *arg)
{
	struct route_walk walk = { .pos = pos, .fn = fn, .arg = arg };
	int ret;

	ret = strata_lpm_walk_from_rcu(&sn->fib->lpm, pos->key, pos->at >> POS_PLEN_SHIFT,
				       walk_one, &walk);
	if (!ret) {
		pos->key = ~0U;
		pos->at = 33L << POS_PLEN_SHIFT;	/* behind the last */
	}
	return ret;
}

/* ---- start and stop ---- */

int strata_route_init(struct strata_net *sn)
{
	sn->fib = kzalloc(sizeof(*sn->fib), GFP_KERNEL);
	return sn->fib ? 0 : -ENOMEM;
}

void strata_route_exit(struct strata_net *sn)
{
	struct route_sweep sweep = { .sn = sn, .all = true };

	rtnl_lock();
	route_sweep(&sweep);
	rtnl_unlock();
	kfree(sn->fib);
	sn->fib = NULL;
}
