// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which congestion control a connection has: the default of its namespace
 * (net.strata.tcp_congestion_control), inherited from its listener, or its own
 * (TCP_CONGESTION). One that is not registered may be in a module that is not loaded:
 * its alias is strata-cong-NAME, and it is asked for where the caller could load it anyway.
 *
 * A connection pins the module of its algorithm, a namespace that of its default; but nobody
 * Strata's own (tcp_cong.c), which every socket pins, and which must not keep itself from leaving.
 *
 * locking: sn->tcp_cong by xchg() for writers, RCU for readers (unregistering waits for
 * them); a connection's by the socket lock.
 */

#include <linux/capability.h>
#include <linux/kmod.h>
#include "tcp_int.h"

/* by name, pinned; NULL: there is none */
static const struct strata_tcp_cong_ops *cong_find(const char *name)
{
	const struct strata_tcp_cong_ops *ops = strata_cong_get(name);

	if (ops || !capable(CAP_NET_ADMIN))
		return ops;
	request_module("strata-cong-%s", name);
	return strata_cong_get(name);
}

static bool cong_allowed(const struct net *net, const struct strata_tcp_cong_ops *ops)
{
	return !(READ_ONCE(ops->flags) & STRATA_CONG_RESTRICTED) ||
	       ns_capable(net->user_ns, CAP_NET_ADMIN);
}

static void default_put(const struct strata_tcp_cong_ops *ops)
{
	if (ops)
		strata_cong_put(ops);
}

/* @ops: pinned; its pin becomes the namespace's */
static void default_set(struct strata_net *sn, const struct strata_tcp_cong_ops *ops)
{
	default_put(unrcu_pointer(xchg(&sn->tcp_cong, RCU_INITIALIZER(ops))));
}

static const struct strata_tcp_cong_ops *default_get(struct strata_net *sn)
{
	const struct strata_tcp_cong_ops *ops;

	rcu_read_lock();
	ops = strata_cong_pin(rcu_dereference(sn->tcp_cong));
	rcu_read_unlock();
	return ops;
}

/** strata_tcp_cong_net_init() - a namespace begins with the default of the first one */
void strata_tcp_cong_net_init(struct strata_net *sn)
{
	const struct strata_tcp_cong_ops *ops = NULL;

	/* not by name: a module that leaves can be pinned no more, and namespaces still come */
	RCU_INIT_POINTER(sn->tcp_cong, &strata_cubic);
	if (!net_eq(sn->net, &init_net))
		ops = default_get(strata_net(&init_net));
	if (ops)
		default_set(sn, ops);
}

void strata_tcp_cong_net_exit(struct strata_net *sn)
{
	default_put(unrcu_pointer(xchg(&sn->tcp_cong, NULL)));
}

void strata_tcp_default_cong(struct strata_net *sn, char *name)
{
	rcu_read_lock();
	strscpy_pad(name, rcu_dereference(sn->tcp_cong)->name, STRATA_CC_NAME_MAX);
	rcu_read_unlock();
}

int strata_tcp_known_cong(const char *name, bool *ecn)
{
	const struct strata_tcp_cong_ops *ops = cong_find(name);

	int err = 0;

	if (!ops)
		return -ENOENT;
	*ecn = ops->flags & STRATA_CONG_NEEDS_ECN;
	/* a default route is as good as a default: strata_tcp_set_default_cong() */
	if ((READ_ONCE(ops->flags) & STRATA_CONG_RESTRICTED) && !capable(CAP_NET_ADMIN))
		err = -EPERM;
	strata_cong_put(ops);
	return err;
}

int strata_tcp_set_default_cong(struct strata_net *sn, const char *name)
{
	const struct strata_tcp_cong_ops *ops = cong_find(name);

	if (!ops)
		return -ENOENT;
	/*
	 * All of a namespace would have it: the machine's root may allow that, not the namespace's.
	 * (Native lets nobody, but hands down what the first namespace has.)
	 */
	if ((READ_ONCE(ops->flags) & STRATA_CONG_RESTRICTED) && !capable(CAP_NET_ADMIN)) {
		strata_cong_put(ops);
		return -EPERM;
	}
	default_set(sn, ops);
	return 0;
}

void strata_tcp_available_cong(char *buf, size_t size)
{
	strata_cong_list(buf, size, true);
}

void strata_tcp_allowed_cong(char *buf, size_t size)
{
	strata_cong_list(buf, size, false);
}

int strata_tcp_allow_cong(char *names)
{
	return strata_cong_allow(names);
}

/* an algorithm that says itself how fast data may leave must be obeyed */
static void cong_chosen(struct sock *sk)
{
	if (strata_tcp_sk(sk)->cong.ops->flags & STRATA_CONG_NEEDS_PACING)
		cmpxchg(&sk->sk_pacing_status, SK_PACING_NONE, SK_PACING_NEEDED);
}

/** strata_tcp_cong_init() - @sk gets the default of its namespace; Reno if that is leaving */
void strata_tcp_cong_init(struct sock *sk)
{
	strata_cong_init(&strata_tcp_sk(sk)->cong, default_get(strata_sk_net(sk)));
	cong_chosen(sk);
}

/** strata_tcp_cong_inherit() - @child gets that of the listener @parent, locked or not */
void strata_tcp_cong_inherit(struct sock *child, const struct sock *parent)
{
	const struct strata_tcp_cong_ops *ops;

	rcu_read_lock();
	ops = strata_cong_pin(READ_ONCE(strata_tcp_sk(parent)->cong.ops));
	rcu_read_unlock();
	strata_cong_init(&strata_tcp_sk(child)->cong, ops);
	cong_chosen(child);
}

static void cong_change(struct sock *sk, const struct strata_tcp_cong_ops *ops)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_cong_sample cs = {
		.now_us = strata_tcp_mstamp(tp),
		.srtt_us = strata_rtt_srtt(&tp->rtt),
		.min_rtt_us = strata_rtt_min(&tp->rtt),
		.una = tp->snd.una,
		.nxt = tp->snd.nxt,
		.mss = tp->snd.mss,
		.in_flight = strata_tcp_in_flight(&tp->scb),
		.delivered_total = tp->scb.delivered,
		.delivered_ce = tp->scb.delivered_ce,
		.ecn_ok = tp->ecn_ok,
	};

	strata_cong_change(&tp->cong, ops, &cs);
	cong_chosen(sk);
}

void strata_tcp_cong_by_route(struct sock *sk, const char *name, bool fixed)
{
	const struct strata_tcp_cong_ops *ops = strata_cong_get(name);
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (!ops)
		return;
	if (tp->cong.ops == ops)
		strata_cong_put(ops);
	else
		cong_change(sk, ops);
	tp->cong_by_route = 1;
	tp->cong_fixed = fixed;
}

void strata_tcp_cong_forget_route(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_cong_ops *ops;

	tp->cong_fixed = 0;
	if (likely(!tp->cong_by_route))
		return;
	tp->cong_by_route = 0;
	ops = default_get(strata_sk_net(sk));
	if (ops)
		cong_change(sk, ops);
}

/** strata_tcp_set_cong() - TCP_CONGESTION. Takes the socket lock. 0, -ENOENT, -EPERM */
int strata_tcp_set_cong(struct sock *sk, const char *name)
{
	const struct strata_tcp_cong_ops *ops = cong_find(name);
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int err = 0;

	if (!ops)
		return -ENOENT;
	if (!cong_allowed(sock_net(sk), ops)) {
		strata_cong_put(ops);
		return -EPERM;
	}
	lock_sock(sk);
	if (tp->cong_fixed)
		err = -EPERM;
	else
		tp->cong_by_route = 0;
	if (err || tp->cong.ops == ops)
		strata_cong_put(ops);
	else
		cong_change(sk, ops);
	release_sock(sk);
	return err;
}
