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
 * that has ended; here they go over with its end. The peer sees no difference.
 */

#include "tcp_req.h"

/* of whose group nobody else is left, or who does not want that: NULL. RCU */
static struct sock *heir(const struct sock *lsk, __be32 laddr, __be32 raddr, __be16 rport)
{
	struct strata_net *sn = strata_sk_net(lsk);
	const struct strata_sock *ep = strata_sk(lsk);
	int dev = READ_ONCE(lsk->sk_bound_dev_if);
	struct sock *to;

	if (!READ_ONCE(sn->conf.tcp_migrate_req) || !lsk->sk_reuseport)
		return NULL;
	to = strata_tcp_lookup_listen(sn, laddr, ep->lport, raddr, rport, dev, NULL);
	if (!to || !to->sk_reuseport || READ_ONCE(strata_sk(to)->laddr) != ep->laddr ||
	    READ_ONCE(to->sk_bound_dev_if) != dev || !uid_eq(to->sk_uid, lsk->sk_uid))
		return NULL;
	return to;
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
	struct sock *to;
	bool ok = false;

	rcu_read_lock();
	to = heir(lsk, ep->laddr, ep->raddr, ep->rport);
	if (to)
		ok = migrated(strata_sk_net(lsk), strata_tcp_accept_add(to, child));
	rcu_read_unlock();
	return ok;
}

/* takes the reference of who has found @req */
static void migrate_req(struct sock *lsk, struct strata_tcp_req *req)
{
	struct strata_tcp_req *copy = NULL;
	struct strata_tcp_reqs *reqs;
	struct sock *to;
	bool ok = false;

	rcu_read_lock();
	to = heir(lsk, req->laddr, req->raddr, req->rport);
	if (to) {
		reqs = rcu_dereference(strata_tcp_sk(to)->lst.reqs);
		copy = reqs ? strata_tcp_req_copy(req, reqs) : NULL;
		ok = migrated(req->sn, copy && strata_tcp_req_replace(req, copy));
	}
	rcu_read_unlock();
	if (!ok) {
		local_bh_disable();
		strata_tcp_req_remove(req);
		local_bh_enable();
	}
	if (copy)
		strata_tcp_req_put(copy);
	strata_tcp_req_put(req);
}

void strata_tcp_migrate_reqs(struct sock *lsk, struct strata_tcp_reqs *reqs)
{
	struct strata_tcp_req *req;

	if (!READ_ONCE(strata_sk_net(lsk)->conf.tcp_migrate_req) || !lsk->sk_reuseport)
		return;
	while ((req = strata_tcp_req_take(reqs))) {
		migrate_req(lsk, req);
		cond_resched();
	}
}
