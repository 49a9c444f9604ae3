/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sockets that socket(2) has made, for reports: see socklist.c.
 */
#ifndef STRATA_SOCKLIST_H
#define STRATA_SOCKLIST_H

#include "endpoint.h"

/** strata_sock_list_init() - before the first socket is made */
void strata_sock_list_init(void);
/** strata_sock_list_add() - socket(2) has made @sk. Process context */
void strata_sock_list_add(struct sock *sk);
/**
 * strata_sock_list_del() - the descriptor of @sk is closed, and has its reference still. Also of
 * one that was never added. Process context
 */
void strata_sock_list_del(struct sock *sk);
/**
 * strata_sock_list_next() - the next socket of a namespace that is on the list
 * @pos: where to begin, 0 at first; then stands on the socket
 * @want: which; called under a spinlock
 *
 * Counted: the caller puts it, and adds 1 to @pos for the one behind it. NULL: there is none. Those
 * that come and go meanwhile may be missed or seen, any other is seen once. Process context.
 */
struct sock *strata_sock_list_next(const struct strata_net *sn, long *pos,
				   bool (*want)(const struct sock *sk));

#endif
