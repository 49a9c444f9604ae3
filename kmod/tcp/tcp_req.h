/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Half-open requests of a listener, shared by tcp_request.c (the table and its timer) and
 * tcp_listen.c (what segments do to them).
 */
#ifndef _STRATA_TCP_REQ_H
#define _STRATA_TCP_REQ_H

#include "tcp_table.h"

/* one for each SYN-ACK sent again, the last for all further */
#define STRATA_REQ_LEVELS	8
#define STRATA_REQ_HASH_BITS	9

/**
 * struct strata_tcp_req - a SYN we answered and that waits for the ACK of our SYN (RFC 9293
 * 3.10.7.2)
 * @hash: in strata_tcp_reqs.hash; @wait: in strata_tcp_reqs.level[@sent]
 * @laddr..@rport: as in struct strata_sock; @ifindex: device the SYN came by
 * @irs, @iss: initial sequence numbers; @opts: options of the SYN
 * @wnd: window of the SYN, bytes
 * @rwnd: window we offer
 * @adv_mss: MSS option we sent; @pmtu: of the route then
 * @ts_offset, @sent_us: for timestamps and the RTT sample
 * @expires: jiffies of the next SYN-ACK
 * @ecn_ok: ECN was asked for and is agreed on (RFC 3168)
 * @sent: SYN-ACKs sent again; @acked: the ACK came but could not be taken (queue full, deferred)
 * @cookie: made of the ACK of a cookie
 * @syn: headers of the SYN, if TCP_SAVE_SYN wants them; NULL once the child has them
 * @ref: one for the table, one per user
 *
 * locking: strata_tcp_reqs.lock; addresses and sequence numbers are constant.
 */
struct strata_tcp_req {
	struct hlist_node	hash;
	struct list_head	wait;
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
	bool			cookie;
	u32			pmtu;
	u32			mark;
	u32			tx_delay;	/* TCP_TX_DELAY, µs */
	u32			ts_offset;
	struct strata_tcp_syn	*syn;
	/* jiffies of the last answer to an unacceptable segment */
	u32			last_oow;
	u64			sent_us;
	unsigned long		expires;
	refcount_t		ref;
};

/**
 * struct strata_tcp_reqs - the requests of one listener
 * @lock: protects all of it; BH off
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
	struct hlist_head	hash[1 << STRATA_REQ_HASH_BITS];
	struct list_head	level[STRATA_REQ_LEVELS];
	u32			count;
	bool			closed;
	struct timer_list	timer;
};

struct strata_tcp_reqs *strata_tcp_reqs_alloc(struct sock *lsk);
/**
 * strata_tcp_reqs_close() - drop all requests and the table; the listener is unhashed. Process
 * context
 */
void strata_tcp_reqs_close(struct strata_tcp_reqs *reqs);

struct strata_tcp_req *strata_tcp_req_alloc(void);
void strata_tcp_req_put(struct strata_tcp_req *req);
/** strata_tcp_req_find() - counted, or NULL. BH off */
struct strata_tcp_req *strata_tcp_req_find(struct strata_tcp_reqs *reqs, __be32 laddr,
					   __be32 raddr, __be16 rport);
/**
 * strata_tcp_req_add() - enter a new request and start its timeout; the table takes its own
 * reference. False if the table closed or the same peer is there. BH off
 */
bool strata_tcp_req_add(struct strata_tcp_reqs *reqs, struct strata_tcp_req *req);
/** strata_tcp_req_remove() - take it out; false if somebody else did. BH off */
bool strata_tcp_req_remove(struct strata_tcp_reqs *reqs, struct strata_tcp_req *req);

/* tcp_listen.c */

/** strata_tcp_req_synack() - (re)send the SYN-ACK of a request, with @c if not NULL. BH off */
void strata_tcp_req_synack(struct strata_net *sn, struct strata_tcp_req *req,
			   const struct strata_tcp_cookie *c);
/** strata_tcp_req_synack_ts() - the same, with the timestamp of another time, ms */
void strata_tcp_req_synack_ts(struct strata_net *sn, struct strata_tcp_req *req,
			      const struct strata_tcp_cookie *c, u32 ts_ms);

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
