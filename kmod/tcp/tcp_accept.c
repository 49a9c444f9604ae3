// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user's side of a passive open (RFC 9293 3.10.1): listen(), the accept queue, accept(), and
 * the end of a listener.
 *
 * A child whose handshake has ended (tcp_segment.c calls strata_tcp_child_established()), or one
 * of Fast Open before that, waits on its listener's accept queue, which has a lock of its own:
 * children come from any CPU, and go to any caller of accept(), without the listener's lock.
 */

#include "tcp_req.h"

int strata_tcp_listen(struct sock *sk, int backlog)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_reqs *reqs;
	int err;

	WRITE_ONCE(tp->lst.max, backlog);
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	if (sk->sk_state == TCP_LISTEN)
		return 0;
	strata_tcp_fastopen_listen(sk, backlog);

	reqs = strata_tcp_reqs_alloc(sk);
	if (!reqs)
		return -ENOMEM;
	/* a port first, if there is none (3.10.1: "an unspecified local port") */
	err = tp->ep.bind ? 0 : strata_port_bind(sk, 0);
	if (err) {
		strata_tcp_reqs_close(reqs);
		return err;
	}
	rcu_assign_pointer(tp->lst.reqs, reqs);
	/* announced before it is checked: of two that share the port at most one listens */
	strata_tcp_set_state(sk, TCP_LISTEN);
	err = strata_port_listen_check(sk);
	if (!err)
		err = strata_tcp_hash_listen(sk);
	if (err) {
		strata_tcp_set_state(sk, TCP_CLOSE);
		strata_tcp_listen_stop(sk);
	}
	return err;
}

/* accept queue */

bool strata_tcp_can_accept(const struct sock *sk)
{
	return !list_empty_careful(&strata_tcp_sk(sk)->lst.queue);
}

static struct sock *queue_pop(struct sock *lsk)
{
	struct strata_tcp_listener *lst = &strata_tcp_sk(lsk)->lst;
	struct strata_tcp_sock *tp;

	spin_lock_bh(&lst->lock);
	tp = list_first_entry_or_null(&lst->queue, struct strata_tcp_sock, accept_node);
	if (tp) {
		list_del_init(&tp->accept_node);
		WRITE_ONCE(lst->qlen, lst->qlen - 1);
		sk_acceptq_removed(lsk);
	}
	spin_unlock_bh(&lst->lock);
	return tp ? &tp->ep.sk : NULL;
}

bool strata_tcp_accept_full(const struct sock *lsk)
{
	const struct strata_tcp_listener *lst = &strata_tcp_sk(lsk)->lst;

	return READ_ONCE(lst->qlen) > READ_ONCE(lst->max);
}

/* no listener will have it, so nobody will accept or close it: its end frees it */
static void child_disown(struct sock *child)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(child);

	sock_orphan(child);
	percpu_counter_inc(&strata_sk_net(child)->tcp_orphans);
	sock_put(tp->listener);
	tp->listener = NULL;
}

bool strata_tcp_accept_add(struct sock *lsk, struct sock *child)
{
	struct strata_tcp_listener *lst = &strata_tcp_sk(lsk)->lst;
	struct strata_tcp_sock *tp = strata_tcp_sk(child);
	bool ok;

	spin_lock_bh(&lst->lock);
	/* listen_stop() sets the state before it empties the queue under this lock */
	ok = READ_ONCE(lsk->sk_state) == TCP_LISTEN;
	if (ok) {
		list_add_tail(&tp->accept_node, &lst->queue);
		WRITE_ONCE(lst->qlen, lst->qlen + 1);
		sk_acceptq_added(lsk);
	}
	spin_unlock_bh(&lst->lock);
	if (ok)
		lsk->sk_data_ready(lsk);
	return ok;
}

bool strata_tcp_child_established(struct sock *child)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(child);
	struct sock *lsk = tp->listener;

	if (!strata_tcp_accept_add(lsk, child) && !strata_tcp_migrate_child(lsk, child)) {
		child_disown(child);
		return false;
	}
	strata_inc(strata_sk_net(lsk), TCP_PASSIVEOPENS);
	tp->listener = NULL;
	sock_put(lsk);
	return true;
}

void strata_tcp_child_check(struct sock *child)
{
	if (likely(!strata_tcp_sk(child)->listener))
		return;
	/* what the request's checks let through the child's refused, and no timer runs */
	strata_inc(strata_sk_net(child), TCPEXT_LISTENDROPS);
	child_disown(child);
	if (child->sk_state == TCP_CLOSE)
		strata_tcp_destroy(child);
	else
		strata_tcp_done(child);
}

/* may one come? Asked with the waiter in place: who ends a listener wakes it afterwards */
static bool may_come(const struct sock *lsk)
{
	return READ_ONCE(lsk->sk_state) == TCP_LISTEN;
}

static struct sock *wait_for_child(struct sock *lsk, long timeo, int *err)
{
	struct sock *child;
	DEFINE_WAIT(wait);

	for (;;) {
		prepare_to_wait_exclusive(sk_sleep(lsk), &wait, TASK_INTERRUPTIBLE);
		if (!strata_tcp_can_accept(lsk) && may_come(lsk))
			timeo = schedule_timeout(timeo);
		child = queue_pop(lsk);
		if (child)
			break;
		*err = -EINVAL;
		if (!may_come(lsk))
			break;
		*err = sock_intr_errno(timeo);
		if (signal_pending(current))
			break;
		*err = -EAGAIN;
		if (!timeo)
			break;
	}
	finish_wait(sk_sleep(lsk), &wait);
	return child;
}

/* the queue has a lock of its own, the listener's is not needed */
struct sock *strata_tcp_accept(struct sock *lsk, int flags, int *err)
{
	struct sock *child = strata_tcp_can_accept(lsk) ? queue_pop(lsk) : NULL;
	long timeo = sock_rcvtimeo(lsk, flags & O_NONBLOCK);

	if (child)
		return child;
	*err = may_come(lsk) ? -EAGAIN : -EINVAL;
	return timeo && may_come(lsk) ? wait_for_child(lsk, timeo, err) : NULL;
}

/* a child nobody will accept: ABORT (3.10.5); the queue's reference is the connection's own */
static void child_abort(struct sock *child)
{
	sock_hold(child);
	lock_sock_nested(child, SINGLE_DEPTH_NESTING);
	sock_orphan(child);
	percpu_counter_inc(&strata_sk_net(child)->tcp_orphans);
	if (child->sk_state == TCP_CLOSE) {
		strata_tcp_destroy(child);
	} else {
		strata_tcp_send_active_reset(child, GFP_KERNEL);
		strata_tcp_done(child);
	}
	release_sock(child);
	sock_put(child);
}

void strata_tcp_listen_stop(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_reqs *reqs = rcu_dereference_protected(tp->lst.reqs,
								 lockdep_sock_is_held(sk));
	struct sock *child;

	WARN_ON_ONCE(sk->sk_state != TCP_CLOSE);
	if (reqs) {
		RCU_INIT_POINTER(tp->lst.reqs, NULL);
		strata_tcp_migrate_reqs(sk, reqs);
		strata_tcp_reqs_close(reqs);
	}
	while ((child = queue_pop(sk))) {
		if (!strata_tcp_migrate_child(sk, child))
			child_abort(child);
		cond_resched();
	}
	strata_tcp_fastopen_stop(sk);
}
