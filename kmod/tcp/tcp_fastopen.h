/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP Fast Open (RFC 7413) inside tcp/: tcp_fastopen.c, tcp_fastopen_rcv.c and the cache of
 * tcp_fastopen_cache.c. Part of tcp_int.h. "Locked" as there.
 */
#ifndef _STRATA_TCP_FASTOPEN_H
#define _STRATA_TCP_FASTOPEN_H

#include <linux/siphash.h>
#include "tcp_sock.h"

/* net.strata.tcp_fastopen, as native */
#define STRATA_FASTOPEN_CLIENT		0x001
#define STRATA_FASTOPEN_SERVER		0x002
#define STRATA_FASTOPEN_CLIENT_BARE	0x004	/* data without a cookie */
#define STRATA_FASTOPEN_SERVER_BARE	0x200	/* takes it without one */
#define STRATA_FASTOPEN_LISTENERS	0x400	/* all of them, as if by TCP_FASTOPEN */

#define STRATA_FASTOPEN_COOKIE_LEN	8	/* octets of ours */

/**
 * struct strata_fastopen_keys - what cookies are made with: the first makes, each is taken
 */
struct strata_fastopen_keys {
	struct rcu_head	rcu;
	int		n;
	siphash_key_t	key[STRATA_FASTOPEN_KEYS];
};

/** strata_tcp_fastopen_pending() - a child whose SYN-ACK is not acknowledged yet? Lockless */
static inline bool strata_tcp_fastopen_pending(const struct strata_tcp_sock *tp)
{
	return READ_ONCE(tp->tfo.req);
}

/* tcp_fastopen.c: keys; process context */

/** strata_tcp_fastopen_tune() - TCP_FASTOPEN: @qlen children may be pending; a key, if none is */
void strata_tcp_fastopen_tune(struct sock *sk, int qlen);
/** strata_tcp_fastopen_listen() - a listener begins: does it have Fast Open without asking? */
void strata_tcp_fastopen_listen(struct sock *sk, int backlog);
/** strata_tcp_fastopen_set_keys() - TCP_FASTOPEN_KEY: @n keys of 16 octets. 0 or -ENOMEM */
int strata_tcp_fastopen_set_keys(struct sock *sk, const u8 *key, int n);
/** strata_tcp_fastopen_get_keys() - room for STRATA_FASTOPEN_KEYS; their number */
int strata_tcp_fastopen_get_keys(struct sock *sk, u8 *key);
void strata_tcp_fastopen_net_init(struct strata_net *sn);
void strata_tcp_fastopen_net_exit(struct strata_net *sn);
/** strata_tcp_fastopen_destruct() - sk_destruct: free the socket's keys */
void strata_tcp_fastopen_destruct(struct sock *sk);

/* tcp_fastopen.c: the passive side */

/**
 * strata_tcp_fastopen_check() - may the data of @syn be taken now (RFC 7413 4.2.2)?
 * @bare: the route lets it come without a cookie. @c: cookie for the SYN-ACK of a request.
 * Returns 0: no; or the key that proved it, 1 or 2. No lock, RCU
 */
int strata_tcp_fastopen_check(struct sock *lsk, const struct sk_buff *syn, bool bare,
			      struct strata_tcp_cookie *c);
/**
 * strata_tcp_fastopen_made() - @child, new and locked, or NULL if it could not be made, came
 * from @req by the @by-th key; counts it as pending
 */
void strata_tcp_fastopen_made(struct sock *lsk, struct sock *child, struct strata_tcp_req *req,
			      int by, const struct strata_tcp_cookie *c);
/**
 * strata_tcp_fastopen_rcv() - the child's first segment, its SYN: onto the accept queue, then
 * text. Locked. Sets todo; as strata_tcp_segment()
 */
enum skb_drop_reason strata_tcp_fastopen_rcv(struct sock *sk, struct sk_buff *skb, bool *eaten,
					     bool *reset);
/** strata_tcp_fastopen_done() - the SYN-ACK is acknowledged. Locked */
void strata_tcp_fastopen_done(struct sock *sk);
/**
 * strata_tcp_fastopen_release() - @sk is no longer pending, if it was. @reset: by a RST; then
 * its place stays taken for a minute (RFC 7413 5.1). Locked
 */
void strata_tcp_fastopen_release(struct sock *sk, bool reset);
/** strata_tcp_fastopen_stop() - a listener closes; its state says so already. Locked */
void strata_tcp_fastopen_stop(struct sock *lsk);

/* tcp_fastopen_active.c: the active side. Locked */

/** strata_tcp_fastopen_defer() - connect(): does the first send() open? */
bool strata_tcp_fastopen_defer(struct sock *sk);
/** strata_tcp_fastopen_syn() - the SYN is about to go: which cookie, and what data */
void strata_tcp_fastopen_syn(struct sock *sk);
/** strata_tcp_fastopen_sent() - it went, or not (@err) */
void strata_tcp_fastopen_sent(struct sock *sk, int err);
/** strata_tcp_fastopen_synack() - @skb answers our SYN: its cookie, and what it acknowledges */
void strata_tcp_fastopen_synack(struct sock *sk, const struct sk_buff *skb);
/** strata_tcp_fastopen_settle() - our SYN is acknowledged up to @ack: has its data arrived? */
void strata_tcp_fastopen_settle(struct sock *sk, u32 ack);
/** strata_tcp_fastopen_too_large() - did the SYN exceed a path MTU of @mtu bytes? */
bool strata_tcp_fastopen_too_large(const struct sock *sk, u32 mtu);
/** strata_tcp_fastopen_timeout() - a retransmission timeout, @expired: the last one */
void strata_tcp_fastopen_timeout(struct sock *sk, bool expired);
/** strata_tcp_fastopen_strange() - a RST or FIN came that only a middlebox can have caused */
void strata_tcp_fastopen_strange(struct sock *sk);
/** strata_tcp_fastopen_over() - the connection ends: did a blackhole swallow what came before? */
void strata_tcp_fastopen_over(struct sock *sk);
/** strata_tcp_fastopen_clear() - nothing of a connection any more */
void strata_tcp_fastopen_clear(struct strata_tcp_sock *tp);

/* tcp_fastopen_cache.c: no lock held */

/**
 * strata_tcp_fastopen_recall() - what is known of the path from @laddr to @raddr
 * @mss: only written if it is; @c: len 0 if there is no cookie. False: SYNs with data were
 * lost there lately (RFC 7413 4.1.3.1)
 */
bool strata_tcp_fastopen_recall(struct strata_net *sn, __be32 laddr, __be32 raddr, u32 *mss,
				struct strata_tcp_cookie *c);
/**
 * strata_tcp_fastopen_learn() - a SYN-ACK came
 * @mss: its MSS option; @c: its cookie, if any; @lost: the SYN with data did not arrive, one
 * without did; @try_exp: 1 the option was not answered, 2 nor the experimental one
 */
void strata_tcp_fastopen_learn(struct strata_net *sn, __be32 laddr, __be32 raddr, u16 mss,
			       const struct strata_tcp_cookie *c, bool lost, u8 try_exp);
void strata_tcp_fastopen_cache_init(struct strata_net *sn);
void strata_tcp_fastopen_cache_exit(struct strata_net *sn);

#endif /* _STRATA_TCP_FASTOPEN_H */
