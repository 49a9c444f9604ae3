// SPDX-License-Identifier: GPL-2.0-only
/*
 * Congestion control: the registry of algorithms, and what all of them share.
 *
 * An algorithm is a table of functions over struct strata_tcp_cong; it sees what
 * an ACK said (struct strata_cong_sample) and never a socket, so that it can live
 * in a module of its own and run on the host. Registered ones are found by name;
 * a connection holds a reference on the module of its algorithm, unless that is Strata's
 * own, which the socket holds.
 *
 * Shared: the initial window (RFC 6928), slow start (RFC 5681 3.1), additive
 * increase, and validation of a window that was not used: after idle time it is
 * halved once per RTO, and while the application is the limit it does not grow
 * and decays towards what was used (RFC 2861 3, RFC 7661).
 */
#include <asm/barrier.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "tcp_alg.h"

static LIST_HEAD(cong_list);
/* locking: writers of cong_list; readers use RCU */
static DEFINE_SPINLOCK(cong_lock);

static struct strata_tcp_cong_ops *find_rcu(const char *name)
{
	struct strata_tcp_cong_ops *ops;

	list_for_each_entry_rcu(ops, &cong_list, list, lockdep_is_held(&cong_lock))
		if (!strcmp(ops->name, name))
			return ops;
	return NULL;
}

int strata_cong_register(struct strata_tcp_cong_ops *ops)
{
	int err = 0;

	if (!ops->name[0] || !ops->ssthresh || !ops->undo_cwnd ||
	    !(ops->cong_avoid || ops->cong_control))
		return -EINVAL;

	spin_lock(&cong_lock);
	if (find_rcu(ops->name))
		err = -EEXIST;
	else
		list_add_tail_rcu(&ops->list, &cong_list);
	spin_unlock(&cong_lock);
	return err;
}
EXPORT_SYMBOL_GPL(strata_cong_register);

void strata_cong_unregister(struct strata_tcp_cong_ops *ops)
{
	spin_lock(&cong_lock);
	list_del_rcu(&ops->list);
	spin_unlock(&cong_lock);
	/* readers that found it without pinning it */
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(strata_cong_unregister);

const struct strata_tcp_cong_ops *strata_cong_get(const char *name)
{
	const struct strata_tcp_cong_ops *ops;

	rcu_read_lock();
	ops = strata_cong_pin(find_rcu(name));
	rcu_read_unlock();
	return ops;
}

const struct strata_tcp_cong_ops *strata_cong_pin(const struct strata_tcp_cong_ops *ops)
{
	return ops && (ops->owner == THIS_MODULE || try_module_get(ops->owner)) ? ops : NULL;
}

void strata_cong_put(const struct strata_tcp_cong_ops *ops)
{
	if (ops->owner != THIS_MODULE)
		module_put(ops->owner);
}

size_t strata_cong_list(char *buf, size_t size, bool all)
{
	struct strata_tcp_cong_ops *ops;
	size_t off = 0;

	if (!size)
		return 0;
	buf[0] = '\0';
	rcu_read_lock();
	list_for_each_entry_rcu(ops, &cong_list, list) {
		size_t len = strnlen(ops->name, sizeof(ops->name));

		if (!all && READ_ONCE(ops->flags) & STRATA_CONG_RESTRICTED)
			continue;
		if (off + len + 2 > size)
			break;
		if (off)
			buf[off++] = ' ';
		memcpy(buf + off, ops->name, len);
		off += len;
		buf[off] = '\0';
	}
	rcu_read_unlock();
	return off;
}

/* the next word of @names, NULL: none */
static char *next_name(char **names)
{
	char *name = strsep(names, " ");

	return name && name[0] ? name : NULL;
}

int strata_cong_allow(char *names)
{
	struct strata_tcp_cong_ops *ops;
	char *name, *rest = names;
	int n = 0, err = 0;

	spin_lock(&cong_lock);
	for (; !err && (name = next_name(&rest)); n++)
		if (!find_rcu(name))
			err = -ENOENT;
	if (err)
		goto out;
	list_for_each_entry_rcu(ops, &cong_list, list, lockdep_is_held(&cong_lock))
		WRITE_ONCE(ops->flags, ops->flags | STRATA_CONG_RESTRICTED);
	/* the words end with a nought each by now */
	for (name = names; n; n--, name += strlen(name) + 1) {
		ops = find_rcu(name);
		WRITE_ONCE(ops->flags, ops->flags & ~STRATA_CONG_RESTRICTED);
	}
out:
	spin_unlock(&cong_lock);
	return err;
}

int strata_cong_module_init(void)
{
	int err = strata_cong_register(&strata_reno);

	if (err)
		return err;
	err = strata_cong_register(&strata_cubic);
	if (err)
		strata_cong_unregister(&strata_reno);
	return err;
}

void strata_cong_module_exit(void)
{
	strata_cong_unregister(&strata_reno);
	strata_cong_unregister(&strata_cubic);
}

/* a connection */

void strata_cong_init(struct strata_tcp_cong *c, const struct strata_tcp_cong_ops *ops)
{
	memset(c, 0, sizeof(*c));
	c->ops = ops ?: &strata_reno;
	c->cwnd = 10;
	c->ssthresh = STRATA_SSTHRESH_INF;
	c->cwnd_clamp = STRATA_CWND_MAX;
	c->pacing_rate = STRATA_PACING_INF;
	c->max_pacing_rate = STRATA_PACING_INF;
}

u32 strata_cong_iw(u32 mss)
{
	u32 limit = 2 * mss > 14600 ? 2 * mss : 14600;

	if (!mss || 10 * mss <= limit)
		return 10;
	return limit / mss;
}

/* the route's, or RFC 6928's */
static u32 initial_window(const struct strata_tcp_cong *c, u32 mss)
{
	return c->init_cwnd ? c->init_cwnd : strata_cong_iw(mss);
}

void strata_cong_start(struct strata_tcp_cong *c, const struct strata_cong_sample *cs,
		       bool syn_lost)
{
	c->init_cwnd = cs->init_cwnd;
	c->cwnd = syn_lost ? 1 : initial_window(c, cs->mss);
	if (c->cwnd > c->cwnd_clamp)
		c->cwnd = c->cwnd_clamp;
	c->cwnd_stamp_us = cs->now_us;
	c->limited_seq = cs->una;
	if (c->ops->init)
		c->ops->init(c, cs);
	c->initialised = true;
}

void strata_cong_reset(struct strata_tcp_cong *c)
{
	if (c->initialised && c->ops->release)
		c->ops->release(c);
	c->initialised = false;
	/* not as a whole: reports and children of a listener look at @ops under RCU */
	memset(c->priv, 0, sizeof(c->priv));
	c->cwnd = 10;
	c->ssthresh = STRATA_SSTHRESH_INF;
	c->cwnd_clamp = STRATA_CWND_MAX;
	c->init_cwnd = 0;
	c->cwnd_cnt = 0;
	c->prior_cwnd = 0;
	c->prior_ssthresh = 0;
	c->cwnd_used = 0;
	c->max_out = 0;
	c->limited = false;
	c->pacing_rate = STRATA_PACING_INF;
}

static void drop_ops(struct strata_tcp_cong *c)
{
	if (c->initialised && c->ops->release)
		c->ops->release(c);
	strata_cong_put(c->ops);
}

void strata_cong_change(struct strata_tcp_cong *c, const struct strata_tcp_cong_ops *ops,
			const struct strata_cong_sample *cs)
{
	const struct strata_tcp_cong_ops *old = c->ops;

	if (c->initialised && old->release)
		old->release(c);
	memset(c->priv, 0, sizeof(c->priv));
	/* a report that sees @ops sees none of the old state: strata_tcp_cc_info() */
	smp_store_release(&c->ops, ops);
	c->cwnd_cnt = 0;
	if (c->initialised && ops->init)
		ops->init(c, cs);
	/* last: who reads a listener's choice under RCU may still see it */
	strata_cong_put(old);
}

void strata_cong_exit(struct strata_tcp_cong *c)
{
	if (!c->ops)
		return;
	drop_ops(c);
	c->ops = NULL;
	c->initialised = false;
}

/* the window */

static void cap_cwnd(struct strata_tcp_cong *c)
{
	if (c->cwnd > c->cwnd_clamp)
		c->cwnd = c->cwnd_clamp;
}

u32 strata_cong_slow_start(struct strata_tcp_cong *c, u32 acked)
{
	u32 room = c->ssthresh > c->cwnd ? c->ssthresh - c->cwnd : 0;
	u32 grow = acked < room ? acked : room;

	c->cwnd += grow;
	cap_cwnd(c);
	return acked - grow;
}
EXPORT_SYMBOL_GPL(strata_cong_slow_start);

void strata_cong_add(struct strata_tcp_cong *c, u32 w, u32 acked)
{
	if (!w)
		w = 1;
	/* credit kept from a larger w */
	if (c->cwnd_cnt >= w) {
		c->cwnd_cnt = 0;
		c->cwnd++;
	}
	c->cwnd_cnt += acked;
	if (c->cwnd_cnt >= w) {
		c->cwnd += c->cwnd_cnt / w;
		c->cwnd_cnt %= w;
	}
	cap_cwnd(c);
}
EXPORT_SYMBOL_GPL(strata_cong_add);

/* RFC 2861 3: keep the memory of the path in ssthresh */
static void remember_path(struct strata_tcp_cong *c)
{
	u32 keep = c->cwnd - c->cwnd / 4;

	if (keep > c->ssthresh)
		c->ssthresh = keep;
}

void strata_cong_idle(struct strata_tcp_cong *c, u32 mss, u64 idle_us, u32 rto_us, u64 now_us)
{
	u32 restart = initial_window(c, mss);

	/* counted from the last restart, too: each RTO halves once, whether or not anything left */
	if (c->cwnd_stamp_us && now_us - c->cwnd_stamp_us < idle_us)
		idle_us = now_us - c->cwnd_stamp_us;
	/* one with full control knows by itself what the path carries */
	if (!rto_us || idle_us <= rto_us || c->ops->cong_control)
		return;
	if (restart > c->cwnd)
		restart = c->cwnd;
	strata_cong_event(c, STRATA_CE_CWND_RESTART, now_us);
	remember_path(c);
	for (; idle_us > rto_us && c->cwnd > restart; idle_us -= rto_us)
		c->cwnd /= 2;
	if (c->cwnd < restart)
		c->cwnd = restart;
	c->cwnd_stamp_us = now_us;
	c->cwnd_used = 0;
}

/* not filled for an RTO: half way from what it is to what was used */
static void decay(struct strata_tcp_cong *c, u64 now_us)
{
	u32 least = c->init_cwnd ? c->init_cwnd : 10;
	u32 used = c->cwnd_used > least ? c->cwnd_used : least;

	if (used < c->cwnd) {
		remember_path(c);
		c->cwnd = (c->cwnd + used) / 2;
	}
	c->cwnd_used = 0;
	c->cwnd_stamp_us = now_us;
}

void strata_cong_validate(struct strata_tcp_cong *c, u32 una, u32 nxt, u32 in_flight, bool limited,
			  u32 rto_us, u64 now_us, bool slow_start_after_idle)
{
	/* the state of a window of data is that of its fullest moment */
	if (strata_seq_geq(una, c->limited_seq) || limited ||
	    (!c->limited && in_flight > c->max_out)) {
		c->limited = limited;
		c->max_out = in_flight;
		c->limited_seq = nxt;
	}
	if (strata_cong_is_limited(c)) {
		c->cwnd_used = 0;
		c->cwnd_stamp_us = now_us;
		return;
	}
	if (in_flight > c->cwnd_used)
		c->cwnd_used = in_flight;
	if (slow_start_after_idle && !c->ops->cong_control &&
	    now_us - c->cwnd_stamp_us >= rto_us)
		decay(c, now_us);
}

void strata_cong_resize(struct strata_tcp_cong *c, u32 old, u32 new, u8 state, u64 now_us)
{
	u32 keep = c->cwnd / 2 + c->cwnd / 4;
	u32 cwnd = div_u64((u64)c->cwnd * old, new);

	c->cwnd = cwnd ? cwnd : 1;
	c->cwnd_cnt = 0;
	c->cwnd_stamp_us = now_us;
	if (state == STRATA_CA_CWR || state == STRATA_CA_RECOVERY) {
		c->prior_ssthresh = c->ssthresh;
		return;
	}
	c->prior_ssthresh = c->ssthresh > keep ? c->ssthresh : keep;
	keep = c->cwnd / 2 + c->cwnd / 4;
	if (c->ssthresh < keep)
		c->ssthresh = keep;
}

void strata_cong_update_pacing(struct strata_tcp_cong *c, u32 mss, u32 srtt_us, u32 in_flight,
			       u32 ss_ratio, u32 ca_ratio)
{
	u32 wnd = c->cwnd > in_flight ? c->cwnd : in_flight;
	u64 rate;

	if (!srtt_us)
		return;
	/* slow start needs room to double, avoidance to probe */
	rate = (u64)mss * wnd * (c->cwnd < c->ssthresh / 2 ? ss_ratio : ca_ratio);
	/* percent and µs: * 10^6 / 100; below 2^64 for windows under 2^43 bytes */
	rate = div_u64(rate * 10000, srtt_us);
	c->pacing_rate = rate < c->max_pacing_rate ? rate : c->max_pacing_rate;
}
