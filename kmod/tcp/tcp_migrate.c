// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a listener's connections when it ends before they were accepted
 * (net.strata.tcp_migrate_req): another of its SO_REUSEPORT group gets them, so that servers can be
 * exchanged one by one and no client is reset. RFC 9293 has no word on it; as native.
 *
 * The children on the accept queue go over as they are. A request belongs to its listener for
 * life, without a lock for that, so a copy takes its place in the table of connections at once
 * (strata_tcp_req_replace()), and who has found the old one sees that it is gone and looks again.
 *
 * Native asks for another listener when the handshake's ACK or the SYN-ACK's timer comes to one
 * that has ended; here they go over with its end, and wait as long as they would have.
 */

#include "tcp_req.h"

static bool wanted(const struct sock *lsk)
{
	return READ_ONCE(strata_sk_net(lsk)->conf.tcp_migrate_req) && lsk->sk_reuseport;
}

static bool migrated(struct strata_net *sn, bool ok)
{
	if (ok)
		strata_inc(sn, TCPEXT_MIGRATEREQSUCCESS);
	else
		strata_inc(sn, TCPEXT_MIGRATEREQFAILURE);
	return ok;
}

bool strata_tcp_migrate_child(struct sock *lsk, struct sock *child)
{
	const struct strata_sock *ep = strata_sk(child);
	bool ok = false;
	struct sock *to;

	if (!wanted(lsk))
		return false;
	rcu_read_lock();
	/* an heir that ends meanwhile has left the group, and so is not found again */
	do {
		to = strata_tcp_lookup_group(lsk, ep->laddr, ep->raddr, ep->rport);
		ok = to && strata_tcp_accept_add(to, child);
	} while (to && !ok);
	rcu_read_unlock();
	return migrated(strata_sk_net(lsk), ok);
}

/* false: nobody of the group has @req, and it is there no longer. RCU */
static bool hand_over(struct sock *lsk, struct strata_tcp_req *req)
{
	struct strata_tcp_req *copy;
	struct strata_tcp_reqs *reqs;
	bool ok = false;
	struct sock *to;

	while (!ok) {
		to = strata_tcp_lookup_group(lsk, req->laddr, req->raddr, req->rport);
		if (!to)
			return false;
		reqs = rcu_dereference(strata_tcp_sk(to)->lst.reqs);
		if (!reqs)
			continue;	/* it ends, too: see above */
		copy = strata_tcp_req_copy(req, reqs);
		if (!copy)
			return false;
		ok = strata_tcp_req_replace(req, copy);
		strata_tcp_req_put(copy);
		/* a connection or reset by now? */
		if (!ok && strata_tcp_req_gone(req))
			return true;
	}
	return migrated(req->sn, true);
}

/* takes the reference of who has found @req */
static void migrate_req(struct sock *lsk, struct strata_tcp_req *req)
{
	bool done;

	rcu_read_lock();
	done = hand_over(lsk, req);
	rcu_read_unlock();
	if (!done) {
		local_bh_disable();
		strata_tcp_req_remove(req);
		local_bh_enable();
		migrated(req->sn, false);
	}
	strata_tcp_req_put(req);
}

void strata_tcp_migrate_reqs(struct sock *lsk, struct strata_tcp_reqs *reqs)
{
	struct strata_tcp_req *req;

	if (!wanted(lsk))
		return;
	while ((req = strata_tcp_req_take(reqs))) {
		migrate_req(lsk, req);
		cond_resched();
	}
}
