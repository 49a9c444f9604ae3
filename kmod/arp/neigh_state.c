// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a neighbour: RFC 4861 7.3.2, with ARP requests for solicitations.
 *
 *          packet                    reply
 *   NONE ----------> INCOMPLETE --------------> REACHABLE <-----------+
 *                     | mcast_probes               | reachable time   | confirmed:
 *                     | unanswered                 v                  | reply or
 *   packet            v           request   +--> STALE                | layer 4
 *   +------------- FAILED        from it    |      | packet           |
 *   v                 ^          -----------+      v                  |
 *   INCOMPLETE        |                          DELAY ---------------+
 *                     | ucast_probes               | delay_probe      |
 *                     +------------------------- PROBE ---------------+
 *
 * In STALE, DELAY and PROBE packets go to the address known. A FAILED entry has waited one
 * retransmission interval since the last request and asks again for the next packet, as
 * native: a flood of packets to an absent host makes no flood of requests (RFC 1122
 * 2.3.2.1), and who sends it hears by ICMP's way (strata_arp_up.failed), not by its call.
 *
 * A step of the machine is taken under n->lock; what it leads to outside (packets,
 * requests, notices) is collected in a struct neigh_todo and done after unlocking.
 */

#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include "neigh_int.h"
#include "stats.h"

#define NEIGH_LOCKTIME	HZ	/* a link address just learnt is not replaced */

void strata_neigh_todo_init(struct neigh_todo *todo)
{
	__skb_queue_head_init(&todo->send);
	__skb_queue_head_init(&todo->fail);
	todo->probe = false;
	todo->unicast = false;
	todo->saddr = 0;
	todo->notify = 0;
}

void strata_neigh_todo_run(struct strata_neigh *n, struct neigh_todo *todo)
{
	struct strata_net *sn = n->ifp->sn;
	struct sk_buff *skb;

	if (todo->probe)
		strata_arp_solicit(n, todo->saddr, todo->unicast ? todo->ha : NULL);
	if (!skb_queue_empty(&todo->send)) {
		rcu_read_lock();
		while ((skb = __skb_dequeue(&todo->send)))
			strata_arp_xmit(n, skb);
		rcu_read_unlock();
	}
	if (!skb_queue_empty(&todo->fail)) {
		local_bh_disable();
		while ((skb = __skb_dequeue(&todo->fail)))
			strata_arp_up.failed(sn, skb);
		local_bh_enable();
	}
	if (todo->notify)
		strata_arp_up.changed(n, todo->notify);
}

static unsigned long conf_time(const int *value)
{
	return max(READ_ONCE(*value), 1);
}

/* RFC 4861 6.3.2: between half and one and a half of the base, uniformly */
static unsigned long reachable_time(const struct strata_net *sn)
{
	unsigned long base = conf_time(&sn->conf.neigh_base_reachable);

	return base / 2 + get_random_u32_below(base + 1);
}

static void nb_arm(struct strata_neigh *n, unsigned long delay)
{
	if (!mod_timer(&n->timer, jiffies + max(delay, 1UL)))
		refcount_inc(&n->ref);
}

/* the caller holds a reference of its own */
static void nb_disarm(struct strata_neigh *n)
{
	if (timer_delete(&n->timer))
		strata_neigh_put(n);
}

static void nb_flush_queue(struct strata_neigh *n, struct sk_buff_head *to)
{
	skb_queue_splice_tail_init(&n->queue, to);
	n->queue_bytes = 0;
}

void strata_neigh_set_ha(struct strata_neigh *n, const struct net_device *dev, const u8 *ha)
{
	struct ethhdr *eth = (struct ethhdr *)n->hh;

	lockdep_assert_held(&n->lock);
	write_seqcount_begin(&n->ha_seq);
	if (ha != n->ha)
		memcpy(n->ha, ha, dev->addr_len);
	n->hh_len = 0;
	if (dev->header_ops && dev->header_ops->create == eth_header) {
		ether_addr_copy(eth->h_dest, n->ha);
		ether_addr_copy(eth->h_source, dev->dev_addr);
		eth->h_proto = htons(ETH_P_IP);
		n->hh_len = ETH_HLEN;
	}
	write_seqcount_end(&n->ha_seq);
}

/* does it count for gc_thresh3, and may make room? */
static bool nb_counts(u8 state, u8 flags)
{
	return !(state & NUD_PERMANENT) && !(flags & NTF_EXT_LEARNED);
}

static void nb_count(struct strata_neigh *n, u8 state, u8 flags)
{
	int counts = nb_counts(state, flags) - nb_counts(n->state, n->flags);

	if (counts)
		atomic_add(counts, &n->ifp->sn->neigh.count);
}

void strata_neigh_set_flags(struct strata_neigh *n, u8 flags)
{
	lockdep_assert_held(&n->lock);
	nb_count(n, n->state, flags);
	WRITE_ONCE(n->flags, flags);
}

static void nb_set_state(struct strata_neigh *n, u8 state)
{
	nb_count(n, state, n->flags);
	if (n->state != state)
		WRITE_ONCE(n->updated, jiffies);
	WRITE_ONCE(n->state, state);
}

static void nb_ask(struct strata_neigh *n, bool unicast, struct neigh_todo *todo)
{
	const struct sk_buff *skb = skb_peek(&n->queue);

	n->probes++;
	todo->probe = true;
	todo->unicast = unicast;
	todo->saddr = skb ? ip_hdr(skb)->saddr : 0;
	if (unicast)
		memcpy(todo->ha, n->ha, sizeof(todo->ha));
	nb_arm(n, conf_time(&n->ifp->sn->conf.neigh_retrans));
}

void strata_neigh_enter(struct strata_neigh *n, u8 state, struct neigh_todo *todo)
{
	struct strata_net *sn = n->ifp->sn;

	lockdep_assert_held(&n->lock);
	/* DELAY and PROBE are between us and the timer */
	if (n->state != state && state != NUD_DELAY && state != NUD_PROBE)
		todo->notify = RTM_NEWNEIGH;
	nb_set_state(n, state);
	switch (state) {
	case NUD_INCOMPLETE:
		n->probes = 0;
		nb_ask(n, false, todo);
		break;
	case NUD_PROBE:
		n->probes = 0;
		nb_ask(n, true, todo);
		break;
	case NUD_REACHABLE:
		WRITE_ONCE(n->confirmed, jiffies);
		nb_arm(n, reachable_time(sn));
		break;
	case NUD_DELAY:
		nb_arm(n, conf_time(&sn->conf.neigh_delay_probe));
		break;
	default:	/* NONE, STALE, FAILED, PERMANENT, NOARP wait for nothing */
		nb_disarm(n);
	}
	if (state & NUD_VALID)
		nb_flush_queue(n, &todo->send);
	else if (state != NUD_INCOMPLETE)
		nb_flush_queue(n, &todo->fail);
}

void strata_neigh_kill(struct strata_neigh *n, struct neigh_todo *todo)
{
	lockdep_assert_held(&n->lock);
	n->dead = true;
	if (nb_counts(n->state, n->flags))
		atomic_dec(&n->ifp->sn->neigh.count);
	WRITE_ONCE(n->state, NUD_FAILED);
	nb_disarm(n);
	nb_flush_queue(n, &todo->fail);
	todo->notify = RTM_DELNEIGH;
}

/* ---- timer ---- */

static bool confirmed_since(const struct strata_neigh *n, unsigned long delay)
{
	return time_before(jiffies, READ_ONCE(n->confirmed) + delay);
}

static void reachable_over(struct strata_neigh *n, struct neigh_todo *todo)
{
	struct strata_net *sn = n->ifp->sn;
	unsigned long left = READ_ONCE(n->confirmed) + reachable_time(sn) - jiffies;

	if ((long)left > 0)
		nb_arm(n, left);
	else if (time_before(jiffies,
			     READ_ONCE(n->used) + conf_time(&sn->conf.neigh_delay_probe)))
		strata_neigh_enter(n, NUD_DELAY, todo);
	else
		strata_neigh_enter(n, NUD_STALE, todo);
}

static void probe_again(struct strata_neigh *n, bool unicast, int limit, struct neigh_todo *todo)
{
	if (n->probes < limit) {
		nb_ask(n, unicast, todo);
		return;
	}
	strata_inc(n->ifp->sn, ARP_RESFAILED);
	strata_neigh_enter(n, NUD_FAILED, todo);
}

void strata_neigh_timer(struct timer_list *t)
{
	struct strata_neigh *n = from_timer(n, t, timer);
	const struct strata_net_conf *conf = &n->ifp->sn->conf;
	struct neigh_todo todo;

	strata_neigh_todo_init(&todo);
	spin_lock(&n->lock);
	if (n->dead)
		goto out;
	switch (n->state) {
	case NUD_REACHABLE:
		reachable_over(n, &todo);
		break;
	case NUD_DELAY:
		if (confirmed_since(n, conf_time(&conf->neigh_delay_probe)))
			strata_neigh_enter(n, NUD_REACHABLE, &todo);
		else
			strata_neigh_enter(n, NUD_PROBE, &todo);
		break;
	case NUD_PROBE:
		if (confirmed_since(n, conf_time(&conf->neigh_retrans)))
			strata_neigh_enter(n, NUD_REACHABLE, &todo);
		else
			probe_again(n, true, READ_ONCE(conf->neigh_ucast_probes), &todo);
		break;
	case NUD_INCOMPLETE:
		probe_again(n, false, READ_ONCE(conf->neigh_mcast_probes), &todo);
		break;
	}
out:
	spin_unlock(&n->lock);
	strata_neigh_todo_run(n, &todo);
	strata_neigh_put(n);	/* the timer's reference */
}

/* ---- learning ---- */

void strata_neigh_learn(struct strata_neigh *n, const u8 *ha, u8 state, bool anew)
{
	const struct net_device *dev;
	struct neigh_todo todo;
	bool same;

	strata_neigh_todo_init(&todo);
	spin_lock_bh(&n->lock);
	rcu_read_lock();
	dev = rcu_dereference(n->ifp->dev);
	if (!dev || n->dead || n->state & (NUD_PERMANENT | NUD_NOARP))
		goto out;
	same = n->state & NUD_VALID && !memcmp(n->ha, ha, dev->addr_len);
	if (n->state & NUD_VALID && !same && !anew &&
	    time_before(jiffies, n->updated + NEIGH_LOCKTIME))
		goto out;	/* two answers: the first one counts */
	if (same && state == NUD_STALE)
		goto out;	/* nothing new */
	if (!same) {
		strata_neigh_set_ha(n, dev, ha);
		WRITE_ONCE(n->updated, jiffies);
		todo.notify = RTM_NEWNEIGH;
	}
	strata_neigh_enter(n, state, &todo);
out:
	rcu_read_unlock();
	spin_unlock_bh(&n->lock);
	strata_neigh_todo_run(n, &todo);
}

/* ---- sending ---- */

/* put the link header on and send; the state allows it. RCU */
static int nb_output(struct strata_neigh *n, struct sk_buff *skb)
{
	struct net_device *dev = rcu_dereference(n->ifp->dev);
	u8 ha[MAX_ADDR_LEN];
	unsigned int seq;
	u8 hh_len;
	int err = -ENETDOWN;

	if (unlikely(!dev))
		goto drop;
	skb->protocol = htons(ETH_P_IP);
	err = -ENOMEM;
	if (unlikely(skb_headroom(skb) < LL_RESERVED_SPACE(dev)) &&
	    skb_cow_head(skb, LL_RESERVED_SPACE(dev)))
		goto drop;
	do {
		seq = read_seqcount_begin(&n->ha_seq);
		hh_len = n->hh_len;
		if (likely(hh_len))
			memcpy(skb->data - ETH_HLEN, n->hh, ETH_HLEN);
		else
			memcpy(ha, n->ha, sizeof(ha));
	} while (read_seqcount_retry(&n->ha_seq, seq));
	if (likely(hh_len)) {
		__skb_push(skb, ETH_HLEN);
	} else {
		err = dev_hard_header(skb, dev, ETH_P_IP, ha, NULL, skb->len);
		if (err < 0)
			goto drop;
	}
	return strata_dev_xmit(n->ifp, skb);
drop:
	strata_drop(skb, STRATA_LAYER_ARP, err == -ENOMEM ? SKB_DROP_REASON_NOMEM :
							    SKB_DROP_REASON_DEV_READY);
	return err;
}

/* keep @skb until the link address is known; the oldest ones go when it is too much */
static void nb_enqueue(struct strata_neigh *n, struct sk_buff *skb, struct sk_buff_head *over)
{
	unsigned int limit = max(READ_ONCE(n->ifp->sn->conf.neigh_unres_qlen_bytes), 0);
	struct sk_buff *old;

	__skb_queue_tail(&n->queue, skb);
	n->queue_bytes += skb->truesize;
	while (n->queue_bytes > limit && (old = __skb_dequeue(&n->queue))) {
		n->queue_bytes -= old->truesize;
		__skb_queue_tail(over, old);
	}
}

void strata_neigh_use(struct strata_neigh *n, struct neigh_todo *todo)
{
	lockdep_assert_held(&n->lock);
	if (n->state == NUD_STALE)
		strata_neigh_enter(n, NUD_DELAY, todo);
	else if (n->state & (NUD_FAILED | NUD_INCOMPLETE) || n->state == NUD_NONE)
		if (n->state != NUD_INCOMPLETE)
			strata_neigh_enter(n, NUD_INCOMPLETE, todo);
}

/* the entry was removed while a path still had it: use its successor */
static int nb_xmit_dead(struct strata_neigh *n, struct sk_buff *skb)
{
	struct strata_neigh *heir = strata_neigh_get(n->ifp, n->addr);
	int err;

	if (!heir) {
		strata_drop(skb, STRATA_LAYER_ARP, SKB_DROP_REASON_NEIGH_DEAD);
		return -EHOSTUNREACH;
	}
	err = strata_arp_xmit(heir, skb);
	strata_neigh_put(heir);
	return err;
}

static int nb_xmit_slow(struct strata_neigh *n, struct sk_buff *skb)
{
	struct strata_net *sn = n->ifp->sn;
	struct sk_buff_head over;
	struct neigh_todo todo;
	bool send = false, dead;

	__skb_queue_head_init(&over);
	strata_neigh_todo_init(&todo);
	spin_lock_bh(&n->lock);
	dead = n->dead;
	if (!dead) {
		strata_neigh_use(n, &todo);
		send = n->state & NUD_VALID;
		if (!send)
			nb_enqueue(n, skb, &over);
		if (todo.probe)
			todo.saddr = send ? 0 : ip_hdr(skb)->saddr;
	}
	spin_unlock_bh(&n->lock);

	if (dead)
		return nb_xmit_dead(n, skb);
	strata_neigh_todo_run(n, &todo);
	while (!skb_queue_empty(&over)) {
		strata_inc(sn, ARP_QUEUEDROPS);
		strata_drop(__skb_dequeue(&over), STRATA_LAYER_ARP,
			    SKB_DROP_REASON_NEIGH_QUEUEFULL);
	}
	return send ? nb_output(n, skb) : 0;
}

int strata_arp_xmit(struct strata_neigh *n, struct sk_buff *skb)
{
	unsigned long now = jiffies;

	if (READ_ONCE(n->used) != now)
		WRITE_ONCE(n->used, now);
	if (likely(READ_ONCE(n->state) & NEIGH_USABLE))
		return nb_output(n, skb);
	return nb_xmit_slow(n, skb);
}
