/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which process has a socket: for reports, see owner.c.
 */
#ifndef STRATA_OWNER_H
#define STRATA_OWNER_H

#include "endpoint.h"

/**
 * strata_sock_owner_set() - the calling process puts this socket to use
 * From bind(), connect(), listen(), accept(), the first sendto(): not from socket(), where the
 * caller may be a helper that opens sockets for others (strata run). Caller holds the lock.
 */
static inline void strata_sock_owner_set(struct sock *sk)
{
	struct strata_sock *ep = strata_sk(sk);

	if (ep->owner)
		return;
	strscpy(ep->comm, current->comm, sizeof(ep->comm));
	/* whoever sees the owner sees the name */
	smp_store_release(&ep->owner, get_pid(task_tgid(current)));
}

/** __strata_sock_owner_renew() - the caller owns @sk from now on, if its owner is gone */
void __strata_sock_owner_renew(struct sock *sk);

/**
 * strata_sock_owner_renew() - the calling process accepts or reads
 * Who opened the socket may have left it to a child and be gone, as daemons do. Process context.
 */
static inline void strata_sock_owner_renew(struct sock *sk)
{
	if (unlikely(READ_ONCE(strata_sk(sk)->owner) != task_tgid(current)))
		__strata_sock_owner_renew(sk);
}

/**
 * strata_sock_owner() - who owns @sk, for reports
 * @comm: its name, "" if there is none. Returns its number in the caller's namespace of
 * processes, 0: none or not visible there, -1: it is gone.
 */
pid_t strata_sock_owner(struct sock *sk, char comm[TASK_COMM_LEN]);

/** strata_sock_owner_put() - in sk_destruct: nobody looks any more */
static inline void strata_sock_owner_put(struct sock *sk)
{
	put_pid(strata_sk(sk)->owner);
	strata_sk(sk)->owner = NULL;
}

#endif
