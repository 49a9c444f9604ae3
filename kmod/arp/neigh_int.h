/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of arp/. */
#ifndef _STRATA_NEIGH_INT_H
#define _STRATA_NEIGH_INT_H

#include "arp.h"

/* the link address is good to send to without a word to the state machine */
#define NEIGH_USABLE	(NUD_CONNECTED | NUD_DELAY | NUD_PROBE)

/*
 * struct neigh_todo - what a step of the state machine leaves to do once the lock is
 * dropped
 * @send: packets whose link address is known now
 * @fail: packets that will not be delivered
 * @probe: ask for the link address; @unicast: the neighbour alone, at @ha
 * @saddr: the sender to ask as, 0: select one
 * @notify: RTM_*NEIGH, 0: nothing to tell
 */
struct neigh_todo {
	struct sk_buff_head	send;
	struct sk_buff_head	fail;
	bool			probe;
	bool			unicast;
	u8			ha[MAX_ADDR_LEN];
	__be32			saddr;
	int			notify;
};

void strata_neigh_todo_init(struct neigh_todo *todo);
/* do it; no locks held, any context */
void strata_neigh_todo_run(struct strata_neigh *n, struct neigh_todo *todo);

/* neigh_state.c, all under n->lock */
void strata_neigh_set_ha(struct strata_neigh *n, const struct net_device *dev, const u8 *ha);
void strata_neigh_enter(struct strata_neigh *n, u8 state, struct neigh_todo *todo);
/* NTF_*; by them, too, goes whether it counts for gc_thresh3. n->lock */
void strata_neigh_set_flags(struct strata_neigh *n, u8 flags);
/* what NTF_USE asks for: as a packet to it would */
void strata_neigh_use(struct strata_neigh *n, struct neigh_todo *todo);
/* cut off from timer and packets; the caller unlinks it and drops the table's reference */
void strata_neigh_kill(struct strata_neigh *n, struct neigh_todo *todo);

/* neigh_state.c */
void strata_neigh_timer(struct timer_list *t);
/*
 * @n said that its link address is @ha, in an answer to us (@state NUD_REACHABLE) or
 * otherwise (NUD_STALE). @anew: it announced itself to everybody or asked us, which counts at
 * once (RFC 826), as native
 */
void strata_neigh_learn(struct strata_neigh *n, const u8 *ha, u8 state, bool anew);

/* neigh_gc.c */
typedef bool (*neigh_match_fn)(struct strata_neigh *n, const void *arg);
/*
 * Remove up to @max entries that match; returns how many. @tell: the senders of waiting
 * packets of EHOSTUNREACH, no locks held; else they are lost in silence, any context
 */
int strata_neigh_reap(struct strata_net *sn, neigh_match_fn match, const void *arg, int max,
		      bool tell);
void strata_neigh_unlink(struct strata_neigh *n, struct neigh_todo *todo);
/* make room for one more entry; false: there is none */
bool strata_neigh_make_room(struct strata_net *sn);
void strata_neigh_gc_kick(struct strata_net *sn);
void strata_neigh_gc_work(struct work_struct *work);

/* arp.c */
/* ask who has @n's address; @ha: ask it alone. No locks held, any context */
void strata_arp_solicit(struct strata_neigh *n, __be32 saddr, const u8 *ha);
void strata_arp_announce_work(struct work_struct *work);
void strata_arp_announce(struct strata_ifaddr *ifa);

#endif /* _STRATA_NEIGH_INT_H */
