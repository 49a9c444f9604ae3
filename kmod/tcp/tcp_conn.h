/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Life of connections: states, tables, opening and closing, TIME-WAIT. Part of tcp_int.h.
 */
#ifndef _STRATA_TCP_CONN_H
#define _STRATA_TCP_CONN_H

#include "tcp_sock.h"

/* tcp.c: life and state */

/**
 * strata_tcp_set_state() - the only writer of sk_state; checks the transition, traces, counts.
 * Locked
 */
void strata_tcp_set_state(struct sock *sk, int state);
/** strata_tcp_sock_init() - struct proto.init: a new socket in CLOSED */
int strata_tcp_sock_init(struct sock *sk);
/**
 * strata_tcp_done() - the connection is over: CLOSED, out of the tables, timers stopped,
 * waiters woken; an orphan is destroyed (the caller must hold its own reference). Locked
 */
void strata_tcp_done(struct sock *sk);
/** strata_tcp_fail() - strata_tcp_done() with sk_err = @err (positive), queues purged. Locked */
void strata_tcp_fail(struct sock *sk, int err);
/** strata_tcp_child_init() - make a clone of a listener a fresh socket in SYN-RECEIVED. Locked */
void strata_tcp_child_init(struct sock *child, const struct sock *parent);
/** strata_tcp_child_undo() - no table takes @child, which is locked: unlock and free it */
void strata_tcp_child_undo(struct sock *child);
/**
 * strata_tcp_destroy() - an orphan in CLOSED: give all back, and the connection's own
 * reference. Locked
 */
void strata_tcp_destroy(struct sock *sk);
/* what the two below do where more must be charged */
bool strata_tcp_wmem_more(struct sock *sk, int size);
int strata_tcp_wmem_scrape(struct sock *sk, int size);

/**
 * strata_tcp_wmem_ok() - may @size bytes more be charged to what @sk sends?
 * Below tcp_wmem[0] also while memory is short. Locked
 */
static inline bool strata_tcp_wmem_ok(struct sock *sk, int size)
{
	return size <= sk->sk_forward_alloc || strata_tcp_wmem_more(sk, size);
}

/**
 * strata_tcp_wmem_part() - how many of @size bytes may be charged to what @sk sends?
 * Some, also above all limits, as long as less than tcp_wmem[0] is queued: or nothing would ever
 * be freed. Locked
 */
static inline int strata_tcp_wmem_part(struct sock *sk, int size)
{
	return size <= sk->sk_forward_alloc ? size : strata_tcp_wmem_scrape(sk, size);
}

/**
 * strata_tcp_mem_uncharge() - sk_mem_uncharge(), but while memory is plenty, and no memory cgroup
 * pays for it, a page stays with the socket, which a short exchange would fetch and give back each
 * time. Locked
 */
static inline void strata_tcp_mem_uncharge(struct sock *sk, int size)
{
	sk_forward_alloc_add(sk, size);
	if (sk->sk_forward_alloc >= (int)PAGE_SIZE &&
	    (sk->sk_forward_alloc >= 2 * (int)PAGE_SIZE ||
	     (mem_cgroup_sockets_enabled && sk->sk_memcg) ||
	     atomic_long_read(sk->sk_prot->memory_allocated) > sk_prot_mem_limits(sk, 0) / 4))
		sk_mem_reclaim(sk);
}

/** strata_tcp_purge_queues() - free both transmit queues and the out-of-order queue. Locked */
void strata_tcp_purge_queues(struct sock *sk);

/* tcp_lookup.c: tables. Lookups need RCU */

int strata_tcp_lookup_init(void);
void strata_tcp_lookup_exit(void);
/**
 * strata_tcp_hash_bound() - enter the established table from the port the user has bound, unless
 * the 4-tuple is there (-EADDRNOTAVAIL). Locked
 */
int strata_tcp_hash_bound(struct sock *sk);
/** strata_tcp_hash_chosen() - the same from a port that is tried for him */
int strata_tcp_hash_chosen(struct sock *sk);
/**
 * strata_tcp_hash_child() - enter @child by @hash; false if the 4-tuple is taken. BH off
 * @req: its request, which leaves the table with that (false: it has before), or NULL
 */
bool strata_tcp_hash_child(struct sock *child, u32 hash, struct strata_tcp_req *req);
/** strata_tcp_hash_listen() - enter the table of listeners, and a group. 0, -ENOMEM. Locked */
int strata_tcp_hash_listen(struct sock *sk);
/** strata_tcp_unhash() - leave whichever table it is in; idempotent */
void strata_tcp_unhash(struct sock *sk);
/** strata_tcp_lookup_est() - a connected socket, counted, or NULL */
struct sock *strata_tcp_lookup_est(struct strata_net *sn, __be32 laddr, __be16 lport,
				   __be32 raddr, __be16 rport, int iif);
/** strata_tcp_lookup_skb() - the one that @skb, parsed, is for; fills in its hash */
struct sock *strata_tcp_lookup_skb(struct strata_net *sn, struct sk_buff *skb);

/** strata_tcp_child_there() - is there a connection by now that @skb is for? */
static inline bool strata_tcp_child_there(struct strata_net *sn, struct sk_buff *skb)
{
	struct sock *sk = strata_tcp_lookup_skb(sn, skb);

	if (sk)
		sock_put(sk);
	return sk;
}

/** strata_tcp_lookup_req() - a half-open request, counted, or NULL; by @hash. BH off */
struct strata_tcp_req *strata_tcp_lookup_req(struct strata_net *sn, u32 hash, __be32 laddr,
					     __be16 lport, __be32 raddr, __be16 rport, int iif);
/**
 * strata_tcp_hash_req() - enter @req; false if its 4-tuple is a connection's or another request's;
 * strata_tcp_unhash_req() - leave; false: it has before. strata_tcp_reqs.lock held
 */
bool strata_tcp_hash_req(struct strata_tcp_req *req);
bool strata_tcp_unhash_req(struct strata_tcp_req *req);
/** strata_tcp_lookup_listen() - a listener, NOT counted (RCU); best match as native */
struct sock *strata_tcp_lookup_listen(struct strata_net *sn, __be32 laddr, __be16 lport,
				      __be32 raddr, __be16 rport, int iif, struct sk_buff *skb);

/* tcp_timewait.c */

struct strata_tcp_tw;
enum strata_tcp_tw_verdict { STRATA_TW_DROP, STRATA_TW_ACK, STRATA_TW_RST, STRATA_TW_SYN };

int strata_tcp_tw_init(void);
void strata_tcp_tw_exit(void);
/** strata_tcp_tw_lookup() - by hash and addresses: counted, or NULL. RCU */
struct strata_tcp_tw *strata_tcp_tw_lookup(struct strata_net *sn, u32 hash, __be32 laddr,
					   __be16 lport, __be32 raddr, __be16 rport, int iif);
void strata_tcp_tw_put(struct strata_tcp_tw *tw);
/**
 * strata_tcp_tw_rcv() - a segment for an object in TIME-WAIT or orphaned FIN-WAIT-2 (RFC 9293
 * 3.10.7.4, 1337, 6191)
 * Answers itself where the verdict is STRATA_TW_ACK or _RST; STRATA_TW_SYN: @tw is gone, go
 * on with the listener and @isn. @isn NULL: nobody listens, so a SYN opens nothing and is an old
 * duplicate like any other. The skb stays the caller's.
 */
enum strata_tcp_tw_verdict strata_tcp_tw_rcv(struct strata_tcp_tw *tw, struct sk_buff *skb,
					     u32 *isn);
/**
 * strata_tcp_time_wait() - replace @sk by a small object in @state (TCP_TIME_WAIT, or
 * TCP_FIN_WAIT2 of an orphan) for @timeo jiffies; for @sk strata_tcp_done() or _moved(). Locked
 */
void strata_tcp_time_wait(struct sock *sk, int state, int timeo);

/* tcp_listen.c, tcp_accept.c: passive open */

/**
 * strata_tcp_listen_rcv() - a segment for a listener (RFC 9293 3.10.7.2, 3.10.7.3), no lock
 * held, BH off
 * @req: the request of @lsk's it is for, NULL: none
 * @isn: ISN to use (TIME-WAIT reuse), 0: choose
 * SYN: remember a request and answer with SYN-ACK. ACK of one, or a SYN that Fast Open takes
 * (RFC 7413 4.2.2): a child in SYN-RECEIVED is made, hashed and returned referenced and
 * bh_lock_sock()ed: the caller lets it process @skb by strata_tcp_do_rcv(), unlocks and puts it.
 * Else NULL with *why set (SKB_CONSUMED: fine, free it; SKB_NOT_DROPPED_YET: look once more,
 * another CPU has made the connection) – the skb stays the caller's; *reset asks
 * the caller to answer with RST.
 */
struct sock *strata_tcp_listen_rcv(struct sock *lsk, struct strata_tcp_req *req,
				   struct sk_buff *skb, u32 isn, enum skb_drop_reason *why,
				   bool *reset);
/**
 * strata_tcp_child_established() - a SYN-RECEIVED child's handshake ended: onto the accept
 * queue. Locked (child)
 */
bool strata_tcp_child_established(struct sock *child);
/**
 * strata_tcp_child_check() - a child has seen the segment it was made for: if that did not
 * open it, nothing will, and it ends here. Locked (child)
 */
void strata_tcp_child_check(struct sock *child);
/** strata_tcp_accept_full() - is there no room on the accept queue? */
bool strata_tcp_accept_full(const struct sock *lsk);
/** strata_tcp_listen_stop() - empty both queues: RST to all (CLOSE of LISTEN). Locked */
void strata_tcp_listen_stop(struct sock *sk);
int strata_tcp_listen_init(void);
void strata_tcp_listen_exit(void);
/** strata_tcp_req_err() - an ICMP error says of the segment at @seq: nobody is there. BH off */
void strata_tcp_req_err(struct strata_tcp_req *req, u32 seq);

/* tcp_close.c */

/**
 * strata_tcp_orphan_check() - an orphan changed state: FIN-WAIT-2 moves to a small object; too
 * many end. Locked
 */
void strata_tcp_orphan_check(struct sock *sk);
/** strata_tcp_fin_timeout() - jiffies an orphan may stay in FIN-WAIT-2: at least 3.5 RTOs */
int strata_tcp_fin_timeout(const struct sock *sk);
/**
 * strata_tcp_fin_wait2_stays() - an orphan in FIN-WAIT-2 whose FIN from the peer is most likely
 * here already, in the backlog: stay a socket for all of that time. False: not so long, or not
 * at all (TCP_LINGER2 < 0). Locked
 */
bool strata_tcp_fin_wait2_stays(struct sock *sk);
/**
 * strata_tcp_orphan_shed() - end an orphan whose timer fired, if there are too many; was it?
 * @alive: the peer may answer yet: it is told by a RST. Locked
 */
bool strata_tcp_orphan_shed(struct sock *sk, bool alive);

/* tcp_connect.c */

/**
 * strata_tcp_take_syn_options() - what both SYNs agree on: timestamps, SACK, scaling, MSS.
 * Locked
 */
void strata_tcp_take_syn_options(struct strata_tcp_sock *tp, const struct strata_tcp_opts *o);

/**
 * strata_tcp_synsent_rcv() - RFC 9293 3.10.7.3. Locked. The skb stays the caller's; data on it
 * may be queued
 * (then *eaten). *reset: answer with RST. Sets todo
 */
enum skb_drop_reason strata_tcp_synsent_rcv(struct sock *sk, struct sk_buff *skb, bool *eaten,
					    bool *reset);
/**
 * strata_tcp_init_transfer() - entering ESTABLISHED from either side: mss, windows, cwnd, rtt,
 * buffers. Locked
 */
void strata_tcp_init_transfer(struct sock *sk);
/** strata_tcp_shape() - payload and packet on this connection, for tcp_mtup.c. Locked */
struct strata_mtup_shape strata_tcp_shape(const struct strata_tcp_sock *tp);
/** strata_tcp_connect_held() - the SYN that strata_tcp_fastopen_defer() held back. Locked */
void strata_tcp_connect_held(struct sock *sk);
/** strata_tcp_sync_mss() - fit snd.mss to a path MTU of @pmtu bytes; returns snd.mss. Locked */
u32 strata_tcp_sync_mss(struct sock *sk, u32 pmtu);
/** strata_tcp_init_rwin() - choose rcv.wnd, rcv.wscale, clamp before the SYN or SYN-ACK. Locked */
void strata_tcp_init_rwin(struct sock *sk, u32 mss);

/* tcp_isn.c */

void strata_tcp_isn_init(void);
/** strata_tcp_isn() - RFC 6528; strata_tcp_ts_off() - per-peer timestamp offset (RFC 7323 5.4) */
u32 strata_tcp_isn(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport);
u32 strata_tcp_ts_off(const struct strata_net *sn, __be32 saddr, __be32 daddr);
/** strata_tcp_cookie() - SYN cookie (RFC 4987 3.6); @mss is rounded down to what it can say */
u32 strata_tcp_cookie(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport, u32 irs, u16 *mss);
/** strata_tcp_cookie_check() - the MSS that @cookie says, or 0: it is none of ours */
u16 strata_tcp_cookie_check(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport, u32 irs,
			    u32 cookie);

#endif /* _STRATA_TCP_CONN_H */
