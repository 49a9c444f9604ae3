// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metrics of a route in messages: RTA_METRICS, with native's units and bounds. All of
 * native's are known, and of the features ECN (RFC 3168), which alone has an effect there.
 */

#include <linux/rtnetlink.h>
#include <net/netlink.h>
#include "control.h"
#include "tcp.h"

static const struct nla_policy metrics_policy[RTAX_MAX + 1] = {
	[RTAX_LOCK ... RTAX_QUICKACK]	= { .type = NLA_U32 },
	/* ip(8) sends it without a zero */
	[RTAX_CC_ALGO]			= { .type = NLA_STRING,
					    .len = STRATA_METRICS_CC_MAX - 1 },
	[RTAX_FASTOPEN_NO_COOKIE]	= { .type = NLA_U32 },
};

static const u32 metrics_most[RTAX_MAX + 1] = {
	[RTAX_MTU]	= IP_MAX_MTU - 15,
	[RTAX_ADVMSS]	= IP_MAX_MTU - sizeof(struct iphdr) - 20,
	[RTAX_HOPLIMIT]	= 255,
};

int strata_rtnl_metrics_cong(struct strata_metrics *mx, struct netlink_ext_ack *extack)
{
	bool ecn;
	int err = strata_tcp_known_cong(mx->cong, &ecn);

	if (err == -EPERM) {
		NL_SET_ERR_MSG(extack,
			       "strata: only root of the machine may give this congestion control");
		return err;
	}
	if (err) {
		NL_SET_ERR_MSG(extack, "strata: unknown congestion control");
		return -EINVAL;
	}
	mx->cong_ecn = ecn;
	return 0;
}

int strata_rtnl_metrics_parse(const struct nlattr *attr, struct strata_route_cfg *cfg,
			      struct netlink_ext_ack *extack)
{
	struct strata_metrics *mx = &cfg->mx;
	struct nlattr *tb[RTAX_MAX + 1];
	int i, err;

	err = __nla_parse(tb, RTAX_MAX, nla_data(attr), nla_len(attr), metrics_policy,
			  NL_VALIDATE_STRICT, extack);
	if (err)
		return err;
	for (i = RTAX_LOCK; i <= RTAX_MAX; i++) {
		if (!tb[i])
			continue;
		cfg->mx_given |= BIT(i);
		if (i == RTAX_CC_ALGO) {
			nla_strscpy(mx->cong, tb[i], sizeof(mx->cong));
			continue;
		}
		mx->val[i] = nla_get_u32(tb[i]);
		if (metrics_most[i])
			mx->val[i] = min(mx->val[i], metrics_most[i]);
	}
	if (mx->val[RTAX_FEATURES] & ~RTAX_FEATURE_ECN) {
		NL_SET_ERR_MSG_ATTR(extack, tb[RTAX_FEATURES],
				    "strata: the only feature of a route is ECN");
		return -EINVAL;
	}
	if (strata_metrics_locked(mx, RTAX_CWND) && !mx->val[RTAX_CWND]) {
		NL_SET_ERR_MSG(extack, "strata: a locked cwnd must not be 0");
		return -EINVAL;
	}
	return 0;
}

int strata_rtnl_metrics_fill(struct sk_buff *skb, const struct strata_metrics *mx)
{
	struct nlattr *nest = nla_nest_start_noflag(skb, RTA_METRICS);
	bool any = false;
	int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = RTAX_LOCK; i <= RTAX_MAX; i++) {
		u32 val = mx->val[i];

		if (i == RTAX_CC_ALGO ? !mx->cong[0] : !val)
			continue;
		any = true;
		if (i == RTAX_CC_ALGO ? nla_put_string(skb, i, mx->cong) : nla_put_u32(skb, i, val))
			return -EMSGSIZE;
	}
	if (any)
		nla_nest_end(skb, nest);
	else
		nla_nest_cancel(skb, nest);
	return 0;
}
