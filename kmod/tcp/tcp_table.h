/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of connections, shared by tcp_lookup.c, tcp_timewait.c and tcp_request.c: all
 * chains of a bucket stand under one lock, so that a 4-tuple is checked against sockets,
 * TIME-WAIT objects and half-open requests at once.
 */
#ifndef _STRATA_TCP_TABLE_H
#define _STRATA_TCP_TABLE_H

#include "tcp_int.h"
#include <linux/rculist_nulls.h>	/* needs rculist.h, through tcp_int.h, before it */

/**
 * struct strata_tcp_bucket - one bucket of the table of connections
 * @lock: writers; BH off
 * @socks: struct sock.sk_nulls_node. Sockets come from a SLAB_TYPESAFE_BY_RCU cache: readers
 *	take a reference, look again, and start anew when they end on another chain's nulls
 * @tws: struct strata_tcp_tw.hash, freed after a grace period
 * @reqs: struct strata_tcp_req.hash: readers take @lock too, unless there is none
 */
struct strata_tcp_bucket {
	spinlock_t		lock;	/* see above */
	struct hlist_nulls_head	socks;
	struct hlist_head	tws;
	struct hlist_head	reqs;
};

/** strata_tcp_hashfn() - hash of a connection, full 32 bits */
u32 strata_tcp_hashfn(const struct strata_net *sn, __be32 laddr, __be16 lport, __be32 raddr,
		      __be16 rport);
/**
 * strata_tcp_bucket() - bucket of a hash; strata_tcp_bucket_at() - by number, NULL behind the
 * last
 */
struct strata_tcp_bucket *strata_tcp_bucket(u32 hash);
struct strata_tcp_bucket *strata_tcp_bucket_at(unsigned long slot);

#define STRATA_TCP_LISTEN_SLOTS	512

/**
 * struct strata_tcp_lbucket - listeners by local port; @socks as above, but freed by RCU
 * (SOCK_RCU_FREE)
 */
struct strata_tcp_lbucket {
	spinlock_t		lock;	/* see above */
	struct hlist_nulls_head	socks;
};

/** strata_tcp_lbucket_at() - by number, NULL behind the last */
struct strata_tcp_lbucket *strata_tcp_lbucket_at(unsigned long slot);

/* tcp.c */

/** strata_tcp_moved() - strata_tcp_done() for the socket alone: the connection lives on. Locked */
void strata_tcp_moved(struct sock *sk);

/* tcp_timewait.c */

/**
 * struct strata_tcp_tw - what is left of a connection in TIME-WAIT or orphaned FIN-WAIT-2
 * @hash: in strata_tcp_bucket.tws; @ref: one for the table, one for the timer
 * @snd_nxt, @rcv_nxt, @rcv_wnd: sequence state at the end; @wnd: window as on the wire
 * @ts_recent, @ts_recent_stamp, @ts_offset: RFC 7323, @ts_ok
 * @state: TCP_TIME_WAIT or TCP_FIN_WAIT2; @over: that it ended has been told (trace.h)
 *
 * locking: addresses are constant; the rest by @lock, BH off.
 */
struct strata_tcp_tw {
	struct hlist_node	hash;
	refcount_t		ref;
	u32			hashval;
	struct strata_net	*sn;
	__be32			laddr;
	__be32			raddr;
	__be16			lport;
	__be16			rport;
	int			ifindex;
	spinlock_t		lock;	/* see above */
	u32			snd_nxt;
	u32			rcv_nxt;
	u32			rcv_wnd;
	u16			wnd;
	u8			state;
	u8			tos;
	bool			ts_ok;
	bool			over;
	u32			ts_recent;
	u32			ts_recent_stamp;	/* seconds */
	u32			ts_offset;
	u32			last_oow_ack;		/* jiffies */
	u32			mark;
	u32			tx_delay;		/* TCP_TX_DELAY, µs */
	struct strata_bind_hold	*bind;
	struct timer_list	timer;
	struct rcu_head		rcu;
};

/**
 * strata_tcp_tw_reusable() - may a new connection take the 4-tuple of @tw (RFC 6191)
 * Bucket lock held. @tp gets an ISS above the old SND.NXT and TS.Recent. @asked_for: the user has
 * bound the port, so that there is no other; tcp_tw_reuse is about those that are chosen for him
 */
bool strata_tcp_tw_reusable(struct strata_tcp_tw *tw, struct strata_tcp_sock *tp, bool asked_for);
/**
 * strata_tcp_tw_unhash_locked() - take it off the chain, bucket lock held; then
 * strata_tcp_tw_finish() without
 */
bool strata_tcp_tw_unhash_locked(struct strata_tcp_tw *tw);
void strata_tcp_tw_finish(struct strata_tcp_tw *tw);
/** strata_tcp_tw_kill() - end it now, unless somebody else does; the caller keeps its reference */
void strata_tcp_tw_kill(struct strata_tcp_tw *tw);
/** strata_tcp_tw_purge() - all of a namespace that ends; process context */
void strata_tcp_tw_purge(struct strata_net *sn);

/* tcp_request.c, tcp_listen.c */

/** strata_tcp_req_view() - what strata_tcp_walk() shows of a request; @uid: of its listener */
void strata_tcp_req_view(const struct strata_tcp_req *req, kuid_t uid,
			 struct strata_tcp_view *view);

#endif /* _STRATA_TCP_TABLE_H */
