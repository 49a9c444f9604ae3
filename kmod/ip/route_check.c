// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a route must be before it is entered (RFC 1122 3.3.1.2: a gateway is on a connected
 * network): completed from what is there, or refused with the cause.
 *
 * locking: rtnl.
 */

#include <linux/rtnetlink.h>
#include <net/route.h>
#include "ip_int.h"

static int check_gateway(struct strata_net *sn, struct strata_route_cfg *cfg,
			 struct netlink_ext_ack *extack)
{
	const struct strata_route *via;
	int err = 0;

	rcu_read_lock();
	if (strata_addr_type_rcu(sn, NULL, cfg->gw) != STRATA_ADDR_OTHER) {
		NL_SET_ERR_MSG(extack, "strata: gateway is not the address of another host");
		err = -EINVAL;
	} else if (cfg->flags & RTNH_F_ONLINK) {
		if (!cfg->oif) {
			NL_SET_ERR_MSG(extack, "strata: onlink gateway needs a device");
			err = -EINVAL;
		}
	} else {
		via = strata_route_lookup_rcu(sn, cfg->gw, cfg->oif, 0, true);
		if (via) {
			cfg->oif = via->cfg.oif;
		} else {
			NL_SET_ERR_MSG(extack, "strata: gateway is not on a connected network");
			err = -ENETUNREACH;
		}
	}
	rcu_read_unlock();
	return err;
}

static int check_device(struct strata_net *sn, const struct strata_route_cfg *cfg,
			struct netlink_ext_ack *extack)
{
	struct strata_dev *ifp;
	struct net_device *dev;

	if (!cfg->oif) {
		NL_SET_ERR_MSG(extack, "strata: route needs a device or a gateway");
		return -ENODEV;
	}
	ifp = strata_dev_find_rcu(sn, cfg->oif);
	if (!ifp && !__dev_get_by_index(sn->net, cfg->oif)) {
		NL_SET_ERR_MSG(extack, "strata: no such device");
		return -ENODEV;
	}
	dev = ifp ? rtnl_dereference(ifp->dev) : NULL;
	if (!dev) {
		NL_SET_ERR_MSG(extack, "strata: device has no Strata address");
		return -ENETDOWN;
	}
	if (!(dev->flags & IFF_UP)) {
		NL_SET_ERR_MSG(extack, "strata: device is not up");
		return -ENETDOWN;
	}
	return 0;
}

static int check_prefsrc(struct strata_net *sn, const struct strata_route_cfg *cfg,
			 struct netlink_ext_ack *extack)
{
	bool ours = true;

	rcu_read_lock();
	if (cfg->prefsrc)
		ours = strata_addr_is_local_rcu(sn, cfg->prefsrc);
	rcu_read_unlock();
	if (ours)
		return 0;
	NL_SET_ERR_MSG(extack, "strata: preferred source is not an address of this host");
	return -EINVAL;
}

int strata_route_check(struct strata_net *sn, struct strata_route_cfg *cfg,
		       struct netlink_ext_ack *extack)
{
	int err;

	if (cfg->plen > 32 || be32_to_cpu(cfg->dst) & ~strata_lpm_mask(cfg->plen)) {
		NL_SET_ERR_MSG(extack, "strata: destination has bits behind its prefix length");
		return -EINVAL;
	}
	if (cfg->flags & ~(u32)RTNH_F_ONLINK) {
		NL_SET_ERR_MSG(extack, "strata: unknown route flag");
		return -EINVAL;
	}
	if (cfg->mx.val[RTAX_MTU] && cfg->mx.val[RTAX_MTU] < STRATA_IP_MIN_MTU) {
		NL_SET_ERR_MSG(extack, "strata: MTU is below 68");
		return -EINVAL;
	}
	switch (cfg->type) {
	case RTN_UNICAST:
		if (cfg->gw) {
			err = check_gateway(sn, cfg, extack);
			if (err)
				return err;
		}
		err = check_device(sn, cfg, extack);
		if (err)
			return err;
		break;
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		if (cfg->gw || cfg->oif || cfg->flags) {
			NL_SET_ERR_MSG(extack,
				       "strata: this type of route takes no device and gateway");
			return -EINVAL;
		}
		break;
	default:
		NL_SET_ERR_MSG(extack, "strata: route type is not supported");
		return -EINVAL;
	}
	return check_prefsrc(sn, cfg, extack);
}
