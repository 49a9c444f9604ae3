// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagram ping sockets: socket(AF_STRATA, SOCK_DGRAM, IPPROTO_ICMP). A program
 * sends echo requests (RFC 792, RFC 8335) with its own sequence numbers and data; the
 * identifier is the socket's and plays the port's part: bind() chooses it, replies
 * and errors find the socket by it. ep->lport holds it.
 *
 * Who may have one: groups in ping_group_range, as native; and CAP_NET_RAW, since
 * Strata has no raw sockets to turn to.
 *
 * locking: ping_lock for writers of the table, RCU readers. A socket is freed
 * after a grace period (SOCK_RCU_FREE).
 */

#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/uio.h>
#include "icmp_int.h"
#include "owner.h"
#include "stats.h"

#define PING_HASH_BITS	6
#define PING_WALK_SHIFT	24	/* strata_ping_walk(): chain, then entry */

static struct hlist_head ping_table[1 << PING_HASH_BITS];
static DEFINE_SPINLOCK(ping_lock);

/* ---- the table ---- */

static struct hlist_head *ping_chain(const struct net *net, __be16 id)
{
	return &ping_table[hash_32((__force u32)id ^ net_hash_mix(net), PING_HASH_BITS)];
}

/*
 * May @sk have @id? Native's rule: it may be shared if all want to, which is so unless a program
 * says otherwise, but what is given by itself (@share unset) nobody else has. ping_lock
 */
static bool ping_id_free(const struct sock *sk, __be16 id, bool share)
{
	const struct sock *other;

	sk_for_each(other, ping_chain(sock_net(sk), id))
		if (other != sk && sock_net(other) == sock_net(sk) &&
		    strata_sk(other)->lport == id && !(share && other->sk_reuse && sk->sk_reuse))
			return false;
	return true;
}

static int ping_pick_id(const struct sock *sk, __be16 *id)
{
	u16 start = get_random_u32(), i = start;

	do {
		*id = (__force __be16)i;
		if (i && ping_id_free(sk, *id, false))
			return 0;
	} while (++i != start);
	return -EADDRINUSE;
}

static int prot_get_port(struct sock *sk, unsigned short port)
{
	__be16 id = cpu_to_be16(port);
	int err = 0;

	spin_lock_bh(&ping_lock);
	if (!port)
		err = ping_pick_id(sk, &id);
	else if (!ping_id_free(sk, id, true))
		err = -EADDRINUSE;
	if (!err && sk_unhashed(sk)) {
		WRITE_ONCE(strata_sk(sk)->lport, id);
		sk_add_node_rcu(sk, ping_chain(sock_net(sk), id));
		sock_prot_inuse_add(sock_net(sk), sk->sk_prot, 1);
	}
	spin_unlock_bh(&ping_lock);
	return err;
}

static void prot_unhash(struct sock *sk)
{
	spin_lock_bh(&ping_lock);
	if (sk_del_node_init_rcu(sk)) {
		WRITE_ONCE(strata_sk(sk)->lport, 0);
		sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
	}
	spin_unlock_bh(&ping_lock);
}

static int prot_hash(struct sock *sk)
{
	return 0;	/* prot_get_port() does it */
}

/* @raddr: 0, or the peer that a connected socket must have; @iif: 0, or where it came in */
static struct sock *ping_lookup_rcu(const struct net *net, __be16 id, __be32 laddr,
				    __be32 raddr, int iif)
{
	const struct strata_sock *ep;
	struct sock *sk;
	__be32 addr;
	int dev;

	sk_for_each_rcu(sk, ping_chain(net, id)) {
		ep = strata_sk(sk);
		if (sock_net(sk) != net || READ_ONCE(ep->lport) != id)
			continue;
		addr = READ_ONCE(ep->laddr);
		if (addr && addr != laddr)
			continue;
		addr = READ_ONCE(ep->raddr);
		if (raddr && addr && addr != raddr)
			continue;
		dev = READ_ONCE(sk->sk_bound_dev_if);
		if (iif && dev && dev != iif)
			continue;
		return sk;
	}
	return NULL;
}

static int ping_walk_chain(struct strata_net *sn, long *pos, int chain,
			   int (*fn)(struct sock *sk, void *arg), void *arg)
{
	long skip = *pos & ((1L << PING_WALK_SHIFT) - 1), n = 0;
	struct sock *sk;
	int ret;

	sk_for_each_rcu(sk, &ping_table[chain]) {
		if (sock_net(sk) != sn->net || n++ < skip)
			continue;
		*pos = (long)chain << PING_WALK_SHIFT | (n - 1);
		ret = fn(sk, arg);
		if (ret)
			return ret;
	}
	return 0;
}

int strata_ping_walk(struct strata_net *sn, long *pos, int (*fn)(struct sock *sk, void *arg),
		     void *arg)
{
	int chain, ret;

	might_sleep();
	for (chain = *pos >> PING_WALK_SHIFT; chain < ARRAY_SIZE(ping_table);
	     chain++, *pos = (long)chain << PING_WALK_SHIFT) {
		if (hlist_empty(&ping_table[chain]))
			continue;
		rcu_read_lock();
		ret = ping_walk_chain(sn, pos, chain, fn, arg);
		rcu_read_unlock();
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

/* ---- life ---- */

static bool ping_group_ok(const struct strata_net *sn, kgid_t gid)
{
	u32 g = __kgid_val(gid);

	return g >= (u32)READ_ONCE(sn->conf.ping_group_range[0]) &&
	       g <= (u32)READ_ONCE(sn->conf.ping_group_range[1]);
}

static int ping_permitted(struct sock *sk)
{
	const struct strata_net *sn = strata_sk_net(sk);
	const struct group_info *groups = current_cred()->group_info;
	int i;

	if (ping_group_ok(sn, current_egid()))
		return 0;
	for (i = 0; i < groups->ngroups; i++)
		if (ping_group_ok(sn, groups->gid[i]))
			return 0;
	return ns_capable(sock_net(sk)->user_ns, CAP_NET_RAW) ? 0 : -EACCES;
}

static void prot_destruct(struct sock *sk)
{
	__skb_queue_purge(&sk->sk_receive_queue);
	__skb_queue_purge(&sk->sk_error_queue);
	strata_path_put(&strata_sk(sk)->path);
	strata_sock_owner_put(sk);
	strata_add(strata_sk_net(sk), SOCKETS, -1);
}

static int prot_sock_init(struct sock *sk)
{
	int err = ping_permitted(sk);

	if (err)
		return err;
	sock_set_flag(sk, SOCK_RCU_FREE);
	sk->sk_reuse = SK_CAN_REUSE;	/* as native: SO_REUSEADDR is set */
	sk->sk_destruct = prot_destruct;
	strata_inc(strata_sk_net(sk), SOCKETS);
	return 0;
}

static void prot_close(struct sock *sk, long timeout)
{
	sk_common_release(sk);
}

static void prot_destroy(struct sock *sk)
{
	lock_sock(sk);
	/* what follows is not under the lock: SOCK_DESTROY keeps away */
	sock_set_flag(sk, SOCK_DEAD);
	release_sock(sk);
}

static int prot_connect(struct sock *sk, struct sockaddr *uaddr, int addrlen)
{
	const struct sockaddr_in *to = (struct sockaddr_in *)uaddr;
	struct strata_sock *ep = strata_sk(sk);
	struct strata_flow fl;
	int err;

	lock_sock(sk);
	strata_sock_flow(ep, &fl);
	fl.daddr = to->sin_addr.s_addr;
	strata_path_choose(ep, &fl);
	err = strata_path_connect(ep, &fl);
	if (err)
		goto out;
	if (!ep->laddr)
		WRITE_ONCE(ep->laddr, fl.saddr);
	WRITE_ONCE(ep->raddr, fl.daddr);
	WRITE_ONCE(ep->rport, to->sin_port);
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
out:
	release_sock(sk);
	return err;
}

static void disconnect_locked(struct sock *sk)
{
	struct strata_sock *ep = strata_sk(sk);

	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	WRITE_ONCE(ep->raddr, 0);
	WRITE_ONCE(ep->rport, 0);
	WRITE_ONCE(sk->sk_bound_dev_if, 0);	/* as native */
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		WRITE_ONCE(ep->laddr, 0);
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		prot_unhash(sk);
	strata_path_put(&ep->path);
}

static int prot_disconnect(struct sock *sk, int flags)
{
	lock_sock(sk);
	disconnect_locked(sk);
	release_sock(sk);
	return 0;
}

/* SOCK_DESTROY */
static int prot_abort(struct sock *sk, int err)
{
	lock_sock(sk);
	if (!sock_flag(sk, SOCK_DEAD)) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
		disconnect_locked(sk);
	}
	release_sock(sk);
	return 0;
}

/* ---- send ---- */

/* is it a request of those that ping sockets send: echo, or of an interface (RFC 8335 2)? */
static bool ping_is_request(const struct icmphdr *icmph)
{
	return (icmph->type == ICMP_ECHO || icmph->type == ICMP_EXT_ECHO) && !icmph->code;
}

/* the user's message */
static struct sk_buff *ping_build(struct sock *sk, struct msghdr *msg, size_t len)
{
	unsigned int room = strata_ip_headroom();
	unsigned int linear = min_t(size_t, len, 1024);
	struct icmphdr *icmph;
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_pskb(sk, room + linear, len - linear,
				   msg->msg_flags & MSG_DONTWAIT, &err, PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return ERR_PTR(err);
	skb_reserve(skb, room);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len = len;
	err = skb_copy_datagram_from_iter(skb, 0, &msg->msg_iter, len);
	if (err)
		goto fail;
	icmph = (struct icmphdr *)skb->data;
	err = -EINVAL;
	if (!ping_is_request(icmph))
		goto fail;
	skb->ip_summed = CHECKSUM_NONE;
	return skb;
fail:
	kfree_skb(skb);
	return ERR_PTR(err);
}

/* with our identifier, if there is none any more another, and the checksum. Socket lock */
static int ping_sign(struct sock *sk, struct sk_buff *skb)
{
	struct icmphdr *icmph = (struct icmphdr *)skb->data;

	/* disconnected since the caller was given one */
	if (unlikely(!strata_sk(sk)->lport) && sk->sk_prot->get_port(sk, 0))
		return -EAGAIN;
	icmph->un.echo.id = strata_sk(sk)->lport;
	icmph->checksum = 0;
	icmph->checksum = csum_fold(skb_checksum(skb, 0, skb->len, 0));
	return 0;
}

/* where it goes, from the address, the socket and the message. Socket lock */
static int ping_flow(struct sock *sk, struct msghdr *msg, struct strata_flow *fl)
{
	DECLARE_SOCKADDR(const struct sockaddr_in *, to, msg->msg_name);
	const struct strata_sock *ep = strata_sk(sk);

	strata_sock_flow(ep, fl);
	fl->onlink |= !!(msg->msg_flags & MSG_DONTROUTE);
	if (to) {
		if (msg->msg_namelen < sizeof(*to))
			return -EINVAL;
		if (to->sin_family != AF_INET && to->sin_family != strata_family)
			return -EAFNOSUPPORT;
		fl->daddr = to->sin_addr.s_addr;
	} else if (sk->sk_state != TCP_ESTABLISHED) {
		return -EDESTADDRREQ;
	}
	strata_path_choose(ep, fl);
	return msg->msg_controllen ? strata_ip_cmsg_send(sk, msg, fl) : 0;
}

static int ping_send_locked(struct sock *sk, struct strata_flow *fl, struct sk_buff *skb,
			    int flags)
{
	struct strata_net *sn = strata_sk_net(sk);
	struct strata_path path;
	u8 type;
	int err;

	err = strata_ip_route(sn, fl, &path);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	if (path.flags & STRATA_PATH_BROADCAST && !sock_flag(sk, SOCK_BROADCAST)) {
		kfree_skb(skb);
		err = -EACCES;
		goto out;
	}
	if (flags & MSG_CONFIRM)
		strata_neigh_confirm(path.neigh);
	if (!skb)
		goto out;
	err = ping_sign(sk, skb);
	if (err) {
		kfree_skb(skb);
		goto out;
	}
	skb->priority = fl->priority;
	if (unlikely(fl->txtime))
		skb_set_delivery_type_by_clockid(skb, fl->txtime, sk->sk_clockid);
	skb_setup_tx_timestamp(skb, fl->tsflags);
	type = ((struct icmphdr *)skb->data)->type;
	err = strata_ip_xmit(sn, fl, &path, skb);
	if (!err || strata_sock_lost_unseen(strata_sk(sk), err)) {
		err = 0;
		strata_icmp_count_out(sn, type);
		strata_sock_sent(strata_sk(sk));
	} else if (err == -EMSGSIZE && strata_sk(sk)->recverr) {
		strata_ip_local_error(sk, EMSGSIZE, fl->daddr, 0, path.mtu);
	} else if (err == -ENOBUFS && !strata_sk(sk)->recverr) {
		err = 0;	/* as native: a full queue is a loss on the way */
	}
out:
	strata_path_put(&path);
	return err;
}

static int prot_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct sk_buff *skb = NULL;
	struct strata_flow fl;
	int err;

	if (len > 0xffff)
		return -EMSGSIZE;
	if (len < sizeof(struct icmphdr))
		return -EINVAL;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!(msg->msg_flags & MSG_PROBE)) {
		skb = ping_build(sk, msg, len);
		if (IS_ERR(skb))
			return PTR_ERR(skb);
	}
	lock_sock(sk);
	err = ping_flow(sk, msg, &fl);
	if (err)
		kfree_skb(skb);
	else
		err = ping_send_locked(sk, &fl, skb, msg->msg_flags);
	release_sock(sk);
	return err ? err : len;
}

/* ---- receive ---- */

static int prot_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addrlen)
{
	DECLARE_SOCKADDR(struct sockaddr_in *, sin, msg->msg_name);
	struct strata_sock *ep = strata_sk(sk);
	struct sk_buff *skb;
	size_t copied;
	int err;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return strata_ip_recv_error(sk, msg, len, addrlen);
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	copied = skb->len;
	if (copied > len) {
		msg->msg_flags |= MSG_TRUNC;
		copied = len;
	}
	err = skb_copy_datagram_msg(skb, 0, msg, copied);
	if (err)
		goto out;
	sock_recv_cmsgs(msg, sk, skb);
	if (sin) {
		sin->sin_family = AF_INET;
		sin->sin_port = 0;
		sin->sin_addr.s_addr = ip_hdr(skb)->saddr;
		memset(sin->sin_zero, 0, sizeof(sin->sin_zero));
		*addrlen = sizeof(*sin);
	}
	if (READ_ONCE(ep->cmsg))
		strata_ip_cmsg_recv(ep, msg, skb, 0);
	err = copied;
out:
	skb_free_datagram(sk, skb);
	return err;
}

u32 strata_ping_queued(struct sock *sk)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;
	u32 len = 0;

	spin_lock_bh(&queue->lock);
	skb_queue_walk(queue, skb)
		len += skb->len;
	spin_unlock_bh(&queue->lock);
	return len;
}

void strata_ping_rcv(struct sk_buff *skb)
{
	const struct strata_rcv_cb *cb = STRATA_RCV_CB(skb);
	enum skb_drop_reason why = SKB_DROP_REASON_NO_SOCKET;
	struct sock *sk;

	sk = ping_lookup_rcu(dev_net(skb->dev), icmp_hdr(skb)->un.echo.id, ip_hdr(skb)->daddr, 0,
			     cb->iif);
	if (sk && !sock_queue_rcv_skb_reason(sk, skb, &why)) {
		strata_sock_rcvd(strata_sk(sk));
		return;
	}
	strata_drop(skb, STRATA_LAYER_ICMP, why);
}

int strata_icmp_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct iphdr *quoted = (const struct iphdr *)skb->data;
	unsigned int hlen = quoted->ihl * 4;
	const struct icmphdr *echo = (const struct icmphdr *)(skb->data + hlen);
	struct strata_net *sn = strata_net(dev_net(skb->dev));
	struct strata_sock *ep;
	struct sock *sk;
	bool hard;
	int err;

	if (!ping_is_request(echo))
		return -ENOENT;
	sk = ping_lookup_rcu(sn->net, echo->un.echo.id, quoted->saddr, quoted->daddr, 0);
	if (!sk)
		return -ENOENT;
	ep = strata_sk(sk);
	err = strata_icmp_errno(type, code, &hard);
	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) {
		if (strata_sock_takes_pmtu(ep))
			strata_ip_update_pmtu(ep, quoted->daddr, info);
		if (ep->pmtudisc == IP_PMTUDISC_DONT)
			return 0;
		hard = true;
	}
	if (ep->recverr)
		strata_ip_queue_error(sk, skb, err, type, code, info, 0, hlen);
	else if (!hard || READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return 0;	/* RFC 1122 4.1.3.3: to those who can tell what it is about */
	WRITE_ONCE(sk->sk_err, err);
	sk_error_report(sk);
	return 0;
}

struct proto strata_ping_prot = {
	.name		= "STRATA-PING",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct strata_sock),
	.init		= prot_sock_init,
	.close		= prot_close,
	.destroy	= prot_destroy,
	.connect	= prot_connect,
	.disconnect	= prot_disconnect,
	.sendmsg	= prot_sendmsg,
	.recvmsg	= prot_recvmsg,
	.hash		= prot_hash,
	.unhash		= prot_unhash,
	.rehash		= strata_path_rehash,
	.get_port	= prot_get_port,
	.diag_destroy	= prot_abort,
};
