/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Half-open requests, shared by tcp_request.c (those of a listener and their timer),
 * tcp_lookup.c (the table they are found in) and tcp_listen.c (what segments do to them).
 */
#ifndef _STRATA_TCP_REQ_H
#define _STRATA_TCP_REQ_H

#include "tcp_table.h"

/* one for each SYN-ACK sent again, the last for all further */
#define STRATA_REQ_LEVELS	8

/**
 * struct strata_tcp_req - a SYN we answered and that waits for the ACK of our SYN (RFC 9293
 * 3.10.7.2)
 * @hash: in strata_tcp_bucket.reqs; @wait: in strata_tcp_reqs.level[@sent]
 * @sn: the namespace; @reqs: those of its listener, there while it is found under RCU
 * @laddr..@rport: as in struct strata_sock; @ifindex: device the SYN came by
 * @irs, @iss: initial sequence numbers; @opts: options of the SYN
 * @wnd: window of the SYN, bytes
 * @rwnd: window we offer
 * @adv_mss: MSS option we sent
 * @path: the way back, for the SYN-ACK and the child; holds nothing while the next hop is unknown:
 *	SYNs in made-up names must not keep neighbours. Its MTU is always there
 * @oif: device the listener was bound to, 0: none
 * @ts_offset, @sent_us: for timestamps and the RTT sample; @sent_us: of the first SYN-ACK
 * @expires: jiffies of the next SYN-ACK
 * @ecn_ok: ECN was asked for and is agreed on (RFC 3168)
 * @sent: SYN-ACKs sent again; @acked: the ACK came but could not be taken (queue full, deferred)
 * @again: another SYN was answered, too
 * @cookie: made of the ACK of a cookie
 * @syn: headers of the SYN, if TCP_SAVE_SYN wants them; NULL once the child has them
 * @hashval: of the connection
 * @ref: one for the table, one per user
 *
 * locking: strata_tcp_reqs.lock, and for @hash the bucket's too; addresses, sequence numbers and
 * the path are constant.
 */
struct strata_tcp_req {
	struct hlist_node	hash;
	struct list_head	wait;
	struct strata_net	*sn;
	struct strata_tcp_reqs	*reqs;
	__be32			laddr;
	__be32			raddr;
	__be16			lport;
	__be16			rport;
	int			ifindex;
	u32			irs;
	u32			iss;
	u32			wnd;
	struct strata_tcp_opts	opts;
	struct strata_tcp_rwnd	rwnd;
	u16			adv_mss;
	u8			tos;
	u8			sent;
	bool			ecn_ok;
	bool			acked;
	bool			again;
	bool			cookie;
	u32			mark;
	u32			tx_delay;	/* TCP_TX_DELAY, µs */
	u32			ts_offset;
	struct strata_path	path;
	struct strata_tcp_syn	*syn;
	u64			sent_us;
	unsigned long		expires;
	/* jiffies of the last answer to an unacceptable segment */
	u32			last_oow;
	int			oif;
	u32			hashval;
	refcount_t		ref;
};

/**
 * struct strata_tcp_reqs - the requests of one listener
 * @lock: protects all of it, and who is in the table of connections; BH off
 * @lsk: the listener; valid until @closed
 * @level: requests that were answered that many times again; each list is in the order of expiry,
 *	since all its members wait equally long
 * @count: of them
 * @timer: next expiry of all levels
 */
struct strata_tcp_reqs {
	struct rcu_head		rcu;	/* near the start, as kfree_rcu() wants it */
	spinlock_t		lock;	/* see above */
	struct sock		*lsk;
	struct list_head	level[STRATA_REQ_LEVELS];
	u32			count;
	u32			young;	/* of them, not answered again yet */
	bool			closed;
	struct timer_list	timer;
};

struct strata_tcp_reqs *strata_tcp_reqs_alloc(struct sock *lsk);
/**
 * strata_tcp_reqs_close() - drop all requests and @reqs; the listener is unhashed. Process
 * context
 */
void strata_tcp_reqs_close(struct strata_tcp_reqs *reqs);

struct strata_tcp_req *strata_tcp_req_alloc(void);
void strata_tcp_req_put(struct strata_tcp_req *req);
/**
 * strata_tcp_req_add() - enter a new request and start its timeout; the table takes its own
 * reference. False if the listener closed or the 4-tuple is taken. BH off
 */
bool strata_tcp_req_add(struct strata_tcp_req *req);
/** strata_tcp_req_remove() - take it out; false if somebody else did. BH off */
bool strata_tcp_req_remove(struct strata_tcp_req *req);
/**
 * strata_tcp_req_become() - @child takes its place in the table, at once. False: somebody has
 * taken it out, or the 4-tuple is a connection's. BH off
 */
bool strata_tcp_req_become(struct strata_tcp_req *req, struct sock *child);

/**
 * strata_tcp_req_take() - one of a listener that ends, counted: it no longer waits but can be found
 * until it is removed or replaced; NULL: there is none left, and none comes any more
 */
struct strata_tcp_req *strata_tcp_req_take(struct strata_tcp_reqs *reqs);
/** strata_tcp_req_copy() - as @old, for another listener; NULL: no memory. RCU */
struct strata_tcp_req *strata_tcp_req_copy(const struct strata_tcp_req *old,
					   struct strata_tcp_reqs *reqs);
/**
 * strata_tcp_req_replace() - @req, its copy, takes the place of @old at once. False: somebody has
 * taken @old out, or the listener of @req closed. RCU
 */
bool strata_tcp_req_replace(struct strata_tcp_req *old, struct strata_tcp_req *req);

/** strata_tcp_req_gone() - has it been taken out of the table? No lock */
static inline bool strata_tcp_req_gone(const struct strata_tcp_req *req)
{
	return hlist_unhashed_lockless(&req->hash);
}

/* tcp_listen.c */

/**
 * strata_tcp_req_synack() - send the SYN-ACK of a request, with @c if not NULL; @ts_ms: the clock
 * of its timestamp. BH off
 */
void strata_tcp_req_synack(struct strata_net *sn, struct strata_tcp_req *req,
			   const struct strata_tcp_cookie *c, u32 ts_ms);
/** strata_tcp_req_synack_again() - the peer may not have got it. BH off */
void strata_tcp_req_synack_again(struct strata_net *sn, struct strata_tcp_req *req);

/* tcp_lookup.c */

/**
 * strata_tcp_rehash_req() - @req takes the place of @old, from which it is copied, in the table of
 * connections; false: @old has left it. strata_tcp_reqs.lock held (that of @req)
 */
bool strata_tcp_rehash_req(struct strata_tcp_req *old, struct strata_tcp_req *req);
/**
 * strata_tcp_lookup_group() - another listener of the group of @lsk, which may listen no longer,
 * for that peer; NULL: there is none. NOT counted (RCU)
 */
struct sock *strata_tcp_lookup_group(const struct sock *lsk, __be32 laddr, __be32 raddr,
				     __be16 rport);

/* tcp_accept.c */

/** strata_tcp_accept_add() - @child waits for accept(); false: @lsk has ended. RCU or counted */
bool strata_tcp_accept_add(struct sock *lsk, struct sock *child);

/* tcp_migrate.c */

/**
 * strata_tcp_migrate_child() - another one accepts @child, as @lsk has ended; false: there is
 * none, or the user has not asked for it. The accept queue's reference goes along
 */
bool strata_tcp_migrate_child(struct sock *lsk, struct sock *child);
/**
 * strata_tcp_migrate_reqs() - the same of the requests of @lsk; what nobody takes is dropped, or
 * left where the user has not asked for it. Process context
 */
void strata_tcp_migrate_reqs(struct sock *lsk, struct strata_tcp_reqs *reqs);

/* tcp_savedsyn.c. BH off */

/** strata_tcp_syn_save() - @skb made @req: keep its headers, if the listener wants them */
void strata_tcp_syn_save(const struct sock *lsk, struct strata_tcp_req *req,
			 const struct sk_buff *skb);
/** strata_tcp_syn_move() - they are the child's now; nobody else has made one. Locked (child) */
void strata_tcp_syn_move(struct strata_tcp_req *req, struct sock *child);

/* tcp_cookie.c. BH off */

/** strata_tcp_cookie_send() - answer @req with a cookie; what that cannot keep leaves @req */
void strata_tcp_cookie_send(struct strata_net *sn, struct strata_tcp_req *req);
/** strata_tcp_cookie_mss() - the MSS in the cookie that @skb acknowledges, or 0: it is none */
u16 strata_tcp_cookie_mss(struct strata_net *sn, const struct sk_buff *skb);
/**
 * strata_tcp_cookie_restore() - make of @req, made of the cookie's ACK, what the SYN's was, but for
 * the window; false: it has options that we do not use
 */
bool strata_tcp_cookie_restore(struct strata_net *sn, struct strata_tcp_req *req,
			       const struct strata_tcp_seg *seg, u16 mss);

#endif /* _STRATA_TCP_REQ_H */
