// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which process has a socket, for people who read /proc/net/strata/sockets: the one that put it
 * to use by bind(), connect(), listen() or accept() (strata_sock_owner_set()), or, when that has
 * ended, the next one that accepts or reads: daemons bind and leave the rest to a child.
 *
 * locking: sk_peer_lock, which the core has for sockets that know their peer's process; ours
 * never do.
 */

#include <linux/pid_namespace.h>
#include "owner.h"

void __strata_sock_owner_renew(struct sock *sk)
{
	struct strata_sock *ep = strata_sk(sk);
	struct pid *old;
	bool alive;

	spin_lock(&sk->sk_peer_lock);
	old = ep->owner;
	rcu_read_lock();
	alive = !old || pid_task(old, PIDTYPE_TGID);	/* none yet: not before it is in use */
	rcu_read_unlock();
	if (!alive) {
		strscpy(ep->comm, current->comm, sizeof(ep->comm));
		WRITE_ONCE(ep->owner, get_pid(task_tgid(current)));
	}
	spin_unlock(&sk->sk_peer_lock);
	if (!alive)
		put_pid(old);
}

pid_t strata_sock_owner(struct sock *sk, char comm[TASK_COMM_LEN])
{
	struct strata_sock *ep = strata_sk(sk);
	struct pid *owner;
	pid_t nr = 0;

	comm[0] = 0;
	spin_lock(&sk->sk_peer_lock);
	owner = smp_load_acquire(&ep->owner);	/* then @comm is there */
	if (owner) {
		rcu_read_lock();
		nr = pid_nr_ns(owner, task_active_pid_ns(current));
		/* the number may be another process's by now */
		if (nr && !pid_task(owner, PIDTYPE_TGID))
			nr = -1;
		rcu_read_unlock();
	}
	if (nr)
		strscpy(comm, ep->comm, TASK_COMM_LEN);
	spin_unlock(&sk->sk_peer_lock);
	return nr;
}
