/* SPDX-License-Identifier: GPL-2.0-only */
/* What bind.c and ephemeral.c share: the table of local ports in use. */
#ifndef _STRATA_PORT_INT_H
#define _STRATA_PORT_INT_H

#include "../port.h"

/**
 * struct strata_bind_chain - one chain of the table of local ports
 * @lock: protects @buckets and everything in them; BH off
 * @buckets: struct strata_bind_bucket.node
 */
struct strata_bind_chain {
	spinlock_t		lock;	/* buckets and their owners */
	struct hlist_head	buckets;
};

/**
 * struct strata_bind_bucket - one local port of one protocol in one namespace
 * @node: in strata_bind_chain.buckets
 * @net: namespace; not counted, the owners' sockets or TIME-WAIT objects keep it
 * @port: host order; @proto: IPPROTO_*
 * @bound: owners and holds that did not come by strata_port_connect()
 * @owners: struct strata_sock.bind_node
 * @holds: struct strata_bind_hold.node
 *
 * locking: the chain's lock. Freed with its last owner and hold.
 */
struct strata_bind_bucket {
	struct hlist_node	node;
	struct net		*net;
	u16			port;
	u8			proto;
	unsigned int		bound;
	struct hlist_head	owners;
	struct hlist_head	holds;
};

/**
 * strata_port_take() - try to become owner of @port
 * @relax: share it with others where SO_REUSEADDR or SO_REUSEPORT allow that
 * Sets ep->bind and ep->lport. Returns 0, -EADDRINUSE or -ENOMEM.
 */
int strata_port_take(struct sock *sk, u16 port, bool relax);
/** strata_port_take_auto() - the same for an active open: shares with its like only */
int strata_port_take_auto(struct sock *sk, u16 port);
/** strata_port_bind_any() - bind(0): any free port of the range. 0, -EADDRINUSE, -ENOMEM */
int strata_port_bind_any(struct sock *sk);

int strata_port_table_init(void);
void strata_port_table_exit(void);

#endif /* _STRATA_PORT_INT_H */
