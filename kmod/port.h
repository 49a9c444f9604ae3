/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port: local ports of TCP and UDP and who may share them (RFC 6056).
 */
#ifndef _STRATA_PORT_H
#define _STRATA_PORT_H

#include "endpoint.h"

int strata_port_init(void);
void strata_port_exit(void);

/**
 * strata_port_bind() - give the socket the local port @port of its ep->laddr
 * @sk: socket; caller holds its lock; not bound yet
 * @port: host order; 0: any free one of ip_local_port_range in random order (RFC 6056 3.3)
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

/** strata_port_inherit() - @child of a listener shares its port. 0 or -ENOMEM. BH off */
int strata_port_inherit(const struct sock *parent, struct sock *child);

/**
 * strata_port_hold() / strata_port_release() - an object that is no socket (TIME-WAIT)
 * keeps the port of @sk in use. Returns the bucket to release, NULL if unbound.
 */
struct strata_bind_bucket *strata_port_hold(struct sock *sk);
void strata_port_release(struct strata_bind_bucket *bb);

/**
 * strata_port_connect() - choose the ephemeral port of an active open
 * @sk: socket, locked, ep->laddr/raddr/rport set, no port yet
 * @try: called with a candidate set in ep->lport: 0: taken (it has entered the protocol's
 *	table), -EADDRNOTAVAIL: this 4-tuple is in use, else an error to return. May not sleep
 *
 * Walks the range by RFC 6056 3.3.4 (double-hash); ports bound by others without sharing are
 * skipped. Returns 0, -EADDRNOTAVAIL when all are taken, or @try's error.
 */
int strata_port_connect(struct sock *sk, int (*try)(struct sock *sk));

#endif /* _STRATA_PORT_H */
