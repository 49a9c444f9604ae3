/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port: local ports of TCP and UDP and who may share them (RFC 6056).
 */
#ifndef _STRATA_PORT_H
#define _STRATA_PORT_H

#include "endpoint.h"

struct strata_bind_hold;

int strata_port_init(void);
void strata_port_exit(void);

/**
 * strata_port_bind() - give the socket the local port @port of its ep->laddr
 * @sk: socket; caller holds its lock; not bound yet
 * @port: host order; 0: any free one of ip_local_port_range, or IP_LOCAL_PORT_RANGE, in
 *	random order (RFC 6056 3.3)
 *
 * Conflict rules are native's: SO_REUSEADDR, SO_REUSEPORT (same uid), device, TCP_LISTEN.
 * Sets ep->lport and ep->bind. Returns 0, -EADDRINUSE, -ENOMEM.
 * (The privilege for low ports is checked by sock/.)
 */
int strata_port_bind(struct sock *sk, u16 port);

/** strata_port_listen_check() - may a bound socket enter LISTEN now? 0 or -EADDRINUSE */
int strata_port_listen_check(struct sock *sk);

/** strata_port_put() - give the port back; idempotent. Clears ep->lport unless bound by the user */
void strata_port_put(struct sock *sk);

/**
 * strata_port_inherit() - @child of a listener shares its port
 * Takes the port from @child's ep->lport: the listener may be closing. 0 or -ENOMEM.
 */
int strata_port_inherit(const struct sock *parent, struct sock *child);

/**
 * strata_port_hold() - an object that is no socket (TIME-WAIT) keeps the port of @sk in use
 *
 * It counts in conflicts as @sk would have: its address, device, SO_REUSEADDR and
 * SO_REUSEPORT. Returns what strata_port_release() takes, NULL if @sk is unbound or memory
 * is short (the port is then free for others a little early). Any context.
 */
struct strata_bind_hold *strata_port_hold(struct sock *sk);
/** strata_port_release() - end of a hold; @hold may be NULL. Any context */
void strata_port_release(struct strata_bind_hold *hold);

/**
 * strata_port_connect() - choose the ephemeral port of an active open
 * @sk: socket, locked, ep->laddr/raddr/rport set, no port yet
 * @try: called with a candidate in ep->lport that is already ours: 0: taken (it has entered
 *	the protocol's table), -EADDRNOTAVAIL: this 4-tuple is in use, else an error to
 *	return. No lock of this layer is held
 *
 * Walks the range by RFC 6056 3.3.4 (double-hash); ports given out by strata_port_bind() are
 * skipped, those given out here are shared by different 4-tuples. Returns 0,
 * -EADDRNOTAVAIL when all are taken, -ENOMEM, or @try's error.
 */
int strata_port_connect(struct sock *sk, int (*try)(struct sock *sk));

#endif /* _STRATA_PORT_H */
