// SPDX-License-Identifier: GPL-2.0-only
/*
 * sock_diag for the family, in inet_diag's layout: struct inet_diag_req_v2 asks, struct
 * inet_diag_msg answers. SOCK_DIAG_BY_FAMILY with NLM_F_DUMP lists the sockets of a protocol;
 * without, it describes the one whose addresses (and cookie, unless it is
 * INET_DIAG_NOCOOKIE) are given; SOCK_DESTROY ends that one with ECONNABORTED.
 *
 * Errors are inet_diag's: EINVAL for what is too short or malformed, ENOENT for an unknown
 * protocol or no such socket, ESTALE for another's cookie, EPERM, EOPNOTSUPP. Attributes that
 * are not known are ignored: a newer tool may send them.
 */

#include "diag_int.h"

#define KINDS_CONN	(BIT(STRATA_TCP_SOCK) | BIT(STRATA_TCP_TIMEWAIT))

/* one dump; freed by its .done */
struct dump {
	struct strata_diag_query	q;
	struct strata_diag_to		to;
};

/* the request's fixed part, and its protocol, which an attribute may say in full width */
static int query_init(struct strata_diag_query *q, struct sk_buff *skb,
		      const struct nlmsghdr *nlh)
{
	const struct inet_diag_req_v2 *req = nlmsg_data(nlh);
	u32 proto = req->sdiag_protocol;
	const struct nlattr *nla;
	int left, err;

	memset(q, 0, sizeof(*q));
	q->sn = strata_net(sock_net(skb->sk));
	q->ext = req->idiag_ext;
	q->states = req->idiag_states;
	q->sport = req->id.idiag_sport;
	q->dport = req->id.idiag_dport;
	q->net_admin = netlink_net_capable(skb, CAP_NET_ADMIN);
	q->user_ns = sk_user_ns(NETLINK_CB(skb).sk);

	nlmsg_for_each_attr(nla, nlh, sizeof(*req), left) {
		switch (nla_type(nla)) {
		case INET_DIAG_REQ_PROTOCOL:
			if (nla_len(nla) != sizeof(u32))
				return -EINVAL;
			proto = nla_get_u32(nla);
			break;
		case INET_DIAG_REQ_BYTECODE:
			err = strata_diag_bc_check(nla_data(nla), nla_len(nla), q->net_admin);
			if (err)
				return err;
			q->bc = nla_data(nla);
			q->bc_len = nla_len(nla);
			break;
		}
	}
	/* more than padding is left: an attribute that lies about its length */
	if (left >= NLA_HDRLEN)
		return -EINVAL;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP && proto != IPPROTO_ICMP)
		return -ENOENT;
	q->proto = proto;
	return 0;
}

static int dump_view(const struct strata_tcp_view *view, void *arg)
{
	struct dump *d = arg;

	return strata_diag_match(&d->q, view) ? strata_diag_fill(&d->q, &d->to, view) : 0;
}

static int dump_sock(struct sock *sk, void *arg)
{
	struct strata_tcp_view view;

	strata_proc_dgram_view(sk, &view);
	return dump_view(&view, arg);
}

/* what can have one of these states and this remote port at all */
static unsigned int kinds_wanted(const struct strata_diag_query *q)
{
	unsigned int kinds = 0;

	if ((q->states & TCPF_LISTEN) && !q->dport)
		kinds |= BIT(STRATA_TCP_LISTEN);
	if (q->states & TCPF_SYN_RECV)
		kinds |= BIT(STRATA_TCP_REQUEST);
	if (q->states & ~TCPF_LISTEN)
		kinds |= KINDS_CONN;
	return kinds;
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump *d = cb->data;
	long pos = cb->args[0];

	if (cb->args[1])	/* all was said */
		return 0;
	d->to.skb = skb;
	switch (d->q.proto) {
	case IPPROTO_TCP:
		cb->args[1] = !strata_tcp_walk(d->q.sn, &pos, kinds_wanted(&d->q), dump_view, d);
		break;
	case IPPROTO_UDP:
		cb->args[1] = !strata_udp_walk(d->q.sn, &pos, dump_sock, d);
		break;
	default:
		cb->args[1] = !strata_ping_walk(d->q.sn, &pos, dump_sock, d);
	}
	cb->args[0] = pos;
	return skb->len;
}

static int dump_start(struct netlink_callback *cb)
{
	struct dump *d = kzalloc(sizeof(*d), GFP_KERNEL);
	int err;

	if (!d)
		return -ENOMEM;
	err = query_init(&d->q, cb->skb, cb->nlh);
	if (err) {
		kfree(d);
		return err;
	}
	d->to.portid = NETLINK_CB(cb->skb).portid;
	d->to.seq = cb->nlh->nlmsg_seq;
	d->to.type = cb->nlh->nlmsg_type;
	d->to.flags = NLM_F_MULTI;
	cb->data = d;
	return 0;
}

static int dump_done(struct netlink_callback *cb)
{
	kfree(cb->data);
	return 0;
}

/* the one object a request is about */
struct exact {
	const struct inet_diag_sockid	*id;
	struct strata_tcp_view		view;
	bool				stale;	/* the addresses fit, the cookie did not */
};

static bool cookie_fits(const struct inet_diag_sockid *id, const struct strata_tcp_view *view)
{
	u32 cookie[2];

	if (id->idiag_cookie[0] == INET_DIAG_NOCOOKIE &&
	    id->idiag_cookie[1] == INET_DIAG_NOCOOKIE)
		return true;
	strata_diag_cookie(view, cookie);
	return id->idiag_cookie[0] == cookie[0] && id->idiag_cookie[1] == cookie[1];
}

static int exact_view(const struct strata_tcp_view *view, void *arg)
{
	struct exact *e = arg;
	const struct inet_diag_sockid *id = e->id;

	if (view->lport != id->idiag_sport || view->rport != id->idiag_dport ||
	    view->laddr != id->idiag_src[0] || view->raddr != id->idiag_dst[0] ||
	    (id->idiag_if && view->ifindex && view->ifindex != id->idiag_if))
		return 0;
	if (!cookie_fits(id, view)) {
		e->stale = true;
		return 0;
	}
	if (view->sk && !refcount_inc_not_zero(&view->sk->sk_refcnt))
		return 0;
	e->view = *view;
	return 1;
}

static int exact_sock(struct sock *sk, void *arg)
{
	struct strata_tcp_view view;

	strata_proc_dgram_view(sk, &view);
	return exact_view(&view, arg);
}

/* a connection is found by its hash, whatever its object, a listener by looking at all of them */
static bool exact_tcp(struct strata_net *sn, struct exact *e)
{
	const struct inet_diag_sockid *id = e->id;
	const struct strata_tcp_view key = {
		.laddr = id->idiag_src[0], .lport = id->idiag_sport,
		.raddr = id->idiag_dst[0], .rport = id->idiag_dport, .ifindex = id->idiag_if,
	};
	struct strata_tcp_view view;
	struct sock *sk;
	bool found;
	long pos = 0;

	if (!id->idiag_dport)
		return strata_tcp_walk(sn, &pos, BIT(STRATA_TCP_LISTEN), exact_view, e);
	rcu_read_lock();
	sk = strata_tcp_find(sn, id->idiag_src[0], id->idiag_sport, id->idiag_dst[0],
			     id->idiag_dport, id->idiag_if);
	rcu_read_unlock();
	if (sk) {
		strata_tcp_view(sk, &view);
		found = view.kind == STRATA_TCP_SOCK && exact_view(&view, e);
		sock_put(sk);
		if (found)
			return true;
	}
	rcu_read_lock();
	found = (strata_tcp_view_request(sn, &key, &view) && exact_view(&view, e)) ||
		(strata_tcp_view_tw(sn, &key, &view) && exact_view(&view, e));
	rcu_read_unlock();
	return found;
}

/* 0 and e->view, whose socket is counted; -ENOENT, -ESTALE */
static int exact_find(const struct strata_diag_query *q, struct exact *e)
{
	long pos = 0;
	bool found;

	switch (q->proto) {
	case IPPROTO_TCP:
		found = exact_tcp(q->sn, e);
		break;
	case IPPROTO_UDP:
		found = strata_udp_walk(q->sn, &pos, exact_sock, e);
		break;
	default:
		found = strata_ping_walk(q->sn, &pos, exact_sock, e);
	}
	if (found)
		return 0;
	return e->stale ? -ESTALE : -ENOENT;
}

static int exact_reply(const struct strata_diag_query *q, struct sk_buff *in,
		       const struct nlmsghdr *nlh, const struct strata_tcp_view *view)
{
	struct strata_diag_to to = {
		.portid = NETLINK_CB(in).portid,
		.seq = nlh->nlmsg_seq,
		.type = nlh->nlmsg_type,
	};
	int err;

	to.skb = nlmsg_new(strata_diag_size(), GFP_KERNEL);
	if (!to.skb)
		return -ENOMEM;
	rcu_read_lock();
	err = strata_diag_fill(q, &to, view);
	rcu_read_unlock();
	if (err) {
		WARN_ON_ONCE(err == -EMSGSIZE);
		nlmsg_free(to.skb);
		return err;
	}
	return nlmsg_unicast(q->sn->net->diag_nlsk, to.skb, to.portid);
}

static int exact(struct sk_buff *skb, const struct nlmsghdr *nlh, bool destroy)
{
	const struct inet_diag_req_v2 *req = nlmsg_data(nlh);
	struct exact e = { .id = &req->id };
	struct strata_diag_query q;
	int err;

	if (nlmsg_len(nlh) < sizeof(*req))
		return -EINVAL;
	if (destroy && !netlink_net_capable(skb, CAP_NET_ADMIN))
		return -EPERM;
	err = query_init(&q, skb, nlh);
	if (!err)
		err = exact_find(&q, &e);
	if (err)
		return err;
	if (!destroy)
		err = exact_reply(&q, skb, nlh, &e.view);
	else if (e.view.sk)
		err = sock_diag_destroy(e.view.sk, ECONNABORTED);
	else
		err = strata_tcp_destroy_mini(q.sn, &e.view);
	if (e.view.sk)
		sock_put(e.view.sk);
	return err;
}

static int diag_get(struct sk_buff *skb, struct nlmsghdr *nlh)
{
	struct netlink_dump_control c = {
		.start = dump_start,
		.done = dump_done,
		.dump = dump,
	};

	if (nlmsg_len(nlh) < sizeof(struct inet_diag_req_v2))
		return -EINVAL;
	if (nlh->nlmsg_flags & NLM_F_DUMP)
		return netlink_dump_start(sock_net(skb->sk)->diag_nlsk, skb, nlh, &c);
	return exact(skb, nlh, false);
}

static int diag_destroy(struct sk_buff *skb, struct nlmsghdr *nlh)
{
	return exact(skb, nlh, true);
}

static struct sock_diag_handler diag_handler = {
	.owner		= THIS_MODULE,
	.dump		= diag_get,
	.destroy	= diag_destroy,
};

int strata_diag_start(void)
{
	strata_diag_cookie_init();
	diag_handler.family = strata_family;
	return sock_diag_register(&diag_handler);
}

void strata_diag_stop(void)
{
	sock_diag_unregister(&diag_handler);
	synchronize_rcu();	/* who found it pins the module before it goes on */
}
