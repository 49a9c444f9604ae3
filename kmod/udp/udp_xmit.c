// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams to IP (RFC 768; RFC 1122 4.1.3.4, 4.1.4).
 *
 * The payload is copied from the user before the socket is locked; the lock covers only
 * what belongs to the socket: the cached path and the hand-over to IP. A connected socket
 * uses the path to its peer, an unconnected one keeps the path to its last destination,
 * so that a server that answers one client after the other seldom routes twice in a row.
 *
 * MSG_MORE and UDP_CORK collect one datagram in up->pending, payload only, its bytes in page
 * fragments; the call without MSG_MORE sends it, or the end of a splice that has no more. Before
 * 6.5 sendfile() says MSG_SENDPAGE_NOTLAST of the pages before the last.
 *
 * With UDP_SEGMENT a send is many datagrams of one size, the last what is left: they go down as
 * one GSO packet, which the device or the kernel's GSO cuts.
 *
 * The checksum is left to the device or the kernel's own helper (CHECKSUM_PARTIAL) unless IP
 * will have to cut the datagram up.
 */

#include <linux/uio.h>
#include "udp_int.h"

/* Payloads up to here lie behind the header in one piece */
#define UDP_LINEAR_MAX	(SKB_WITH_OVERHEAD(PAGE_SIZE) - LL_MAX_HEADER - 64)

/* An skb with @len bytes of the user's, room for all headers before them */
static struct sk_buff *udp_copy_in(struct sock *sk, struct msghdr *msg, size_t len)
{
	unsigned int linear = len <= UDP_LINEAR_MAX ? len : 0;
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_pskb(sk, strata_udp_headroom() + linear, len - linear,
				   msg->msg_flags & MSG_DONTWAIT, &err, PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return ERR_PTR(err);
	skb_reserve(skb, strata_udp_headroom());
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len = len;
	if (linear)
		err = copy_from_iter_full(skb->data, len, &msg->msg_iter) ? 0 : -EFAULT;
	else
		err = skb_copy_datagram_from_iter(skb, 0, &msg->msg_iter, len);
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	return skb;
}

static void udp_checksum(const struct sock *sk, const struct strata_flow *fl,
			 const struct strata_path *path, struct sk_buff *skb)
{
	struct udphdr *uh = udp_hdr(skb);

	uh->check = 0;
	if (sk->sk_no_check_tx) {
		skb->ip_summed = CHECKSUM_NONE;
	} else if (skb_is_gso(skb) || skb->len + sizeof(struct iphdr) <= strata_ip_mtu(path)) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_transport_header(skb) - skb->head;
		skb->csum_offset = offsetof(struct udphdr, check);
		uh->check = ~csum_tcpudp_magic(fl->saddr, fl->daddr, skb->len, IPPROTO_UDP, 0);
	} else {
		skb->ip_summed = CHECKSUM_NONE;
		uh->check = csum_tcpudp_magic(fl->saddr, fl->daddr, skb->len, IPPROTO_UDP,
					      skb_checksum(skb, 0, skb->len, 0));
		if (!uh->check)
			uh->check = CSUM_MANGLED_0;
	}
}

/* Make @skb, payload only, datagrams of @gso bytes each, 0: it is one. 0 or -errno as native */
static int udp_set_gso(const struct sock *sk, const struct strata_path *path, struct sk_buff *skb,
		       u16 gso)
{
	unsigned int hlen = sizeof(struct iphdr) + sizeof(struct udphdr);
	struct skb_shared_info *info = skb_shinfo(skb);

	if (!gso)
		return 0;
	if (hlen + min_t(unsigned int, skb->len, gso) > strata_ip_mtu(path))
		return -EMSGSIZE;
	if (skb->len > gso * UDP_MAX_SEGMENTS || sk->sk_no_check_tx)
		return -EINVAL;
	if (skb->len > gso) {
		info->gso_size = gso;
		info->gso_type = SKB_GSO_UDP_L4;
		info->gso_segs = DIV_ROUND_UP(skb->len, gso);
	}
	return 0;
}

/* Header, checksum, IP. Consumes @skb */
static int udp_send_skb(struct sock *sk, struct strata_flow *fl, u16 gso,
			const struct strata_path *path, struct sk_buff *skb)
{
	struct strata_net *sn = strata_sk_net(sk);
	struct strata_sock *ep = strata_sk(sk);
	struct udphdr *uh;
	int err;

	err = udp_set_gso(sk, path, skb, gso);
	if (unlikely(err)) {
		kfree_skb(skb);
		return err;
	}
	skb_push(skb, sizeof(*uh));
	skb_reset_transport_header(skb);
	uh = udp_hdr(skb);
	uh->source = ep->lport;
	uh->dest = fl->dport;
	uh->len = htons(skb->len);
	udp_checksum(sk, fl, path, skb);

	skb->priority = fl->priority;
	skb->mark = fl->mark;
	if (unlikely(fl->txtime))
		skb_set_delivery_type_by_clockid(skb, fl->txtime, sk->sk_clockid);
	skb_setup_tx_timestamp(skb, fl->tsflags);

	err = strata_ip_xmit(sn, fl, path, skb);
	if (!err || unlikely(strata_sock_lost_unseen(ep, err))) {
		strata_inc(sn, UDP_OUTDATAGRAMS);
		strata_sock_sent(ep);
		return 0;
	}
	if (err == -EMSGSIZE && ep->recverr)
		strata_ip_local_error(sk, EMSGSIZE, fl->daddr, fl->dport, strata_ip_mtu(path));
	if (err == -ENOBUFS && !ep->recverr) {
		strata_inc(sn, UDP_SNDBUFERRORS);
		return 0;	/* as native: a full device queue is a loss */
	}
	return err;
}

static bool udp_flow_same(const struct strata_flow *a, const struct strata_flow *b)
{
	return a->daddr == b->daddr && a->saddr == b->saddr && a->oif == b->oif &&
	       a->mark == b->mark && a->tos == b->tos && a->mtu_link == b->mtu_link &&
	       a->onlink == b->onlink;
}

/* The path of an unconnected send; fills fl->saddr. Socket lock */
static struct strata_path *udp_dest_path(struct sock *sk, struct strata_flow *fl)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);
	struct strata_flow asked = *fl;
	int err;

	if (!strata_path_stale(sn, &up->dest) && udp_flow_same(fl, &up->dest_fl)) {
		if (!fl->saddr)
			fl->saddr = up->dest.saddr;
		return &up->dest;
	}
	strata_path_put(&up->dest);
	err = strata_ip_route(sn, fl, &up->dest);
	if (err)
		return ERR_PTR(err);
	up->dest_fl = asked;
	/* 0.0.0.0 is this host: the route has put in what it means */
	if (asked.daddr != fl->daddr)
		up->dest.gen--;
	return &up->dest;
}

static struct strata_path *udp_peer_path(struct sock *sk, struct strata_flow *fl)
{
	struct strata_sock *ep = strata_sk(sk);
	int err;

	/* SO_DONTROUTE came or went: the core tells nobody */
	if (!!(ep->path.flags & STRATA_PATH_ONLINK) != sock_flag(sk, SOCK_LOCALROUTE))
		strata_path_put(&ep->path);
	err = strata_path_renew(ep);
	if (err)
		return ERR_PTR(err);
	strata_sock_flow(ep, fl);
	if (ep->foreign)
		fl->saddr = 0;
	strata_path_choose(ep, fl);
	if (!fl->saddr)
		fl->saddr = ep->path.saddr;
	return &ep->path;
}

/* Route, ask for the right to broadcast, send. Consumes @skb (NULL: MSG_PROBE). Socket lock */
static int udp_send_locked(struct sock *sk, struct strata_flow *fl, u16 gso, bool to_peer,
			   int flags, struct sk_buff *skb)
{
	struct strata_path *path;

	if (to_peer && sk->sk_state != TCP_ESTABLISHED) {
		kfree_skb(skb);
		return -EDESTADDRREQ;
	}
	/* disconnected since the caller took it: that port may be another's by now */
	if (unlikely(!strata_sk(sk)->bind) && sk->sk_prot->get_port(sk, 0)) {
		kfree_skb(skb);
		return -EAGAIN;
	}
	path = to_peer ? udp_peer_path(sk, fl) : udp_dest_path(sk, fl);
	if (IS_ERR(path)) {
		kfree_skb(skb);
		return PTR_ERR(path);
	}
	if (path->flags & STRATA_PATH_BROADCAST && !sock_flag(sk, SOCK_BROADCAST)) {
		kfree_skb(skb);
		return -EACCES;
	}
	if (flags & MSG_CONFIRM)
		strata_neigh_confirm(path->neigh);
	if (!skb)
		return 0;
	return udp_send_skb(sk, fl, gso, path, skb);
}

/* Where a datagram with an address goes, from what the socket and the message say */
static void udp_dest_flow(struct sock *sk, const struct sockaddr_in *to, struct strata_flow *fl)
{
	const struct strata_sock *ep = strata_sk(sk);

	strata_sock_flow(ep, fl);
	if (ep->foreign)
		fl->saddr = 0;
	if (to) {
		fl->daddr = to->sin_addr.s_addr;
		fl->dport = to->sin_port;
	}
	strata_path_choose(ep, fl);
}

static int udp_check_dest(const struct sockaddr_in *to, int namelen)
{
	if (namelen < sizeof(*to))
		return -EINVAL;
	if (to->sin_family != AF_INET && to->sin_family != strata_family &&
	    to->sin_family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	return to->sin_port ? 0 : -EINVAL;
}

/* corked datagrams */

void strata_udp_flush_pending(struct sock *sk)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);

	kfree_skb(up->pending);
	WRITE_ONCE(up->pending, NULL);
}

int strata_udp_push_pending(struct sock *sk)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	struct sk_buff *skb = up->pending;
	struct strata_flow fl = up->pending_fl;

	WRITE_ONCE(up->pending, NULL);
	return udp_send_locked(sk, &fl, up->pending_gso, false, 0, skb);
}

void strata_udp_splice_eof(struct socket *sock)
{
	struct strata_udp_sock *up = strata_udp_sk(sock->sk);

	if (!READ_ONCE(up->pending) || up->corked)
		return;
	lock_sock(sock->sk);
	/* as native: nobody is told what becomes of it */
	if (up->pending && !up->corked)
		strata_udp_push_pending(sock->sk);
	release_sock(sock->sk);
}

static int udp_append_frag(struct sock *sk, struct sk_buff *skb, struct iov_iter *from, size_t len)
{
	struct page_frag *pfrag = sk_page_frag(sk);
	int i = skb_shinfo(skb)->nr_frags;
	size_t n;

	if (!sk_page_frag_refill(sk, pfrag))
		return -ENOBUFS;
	n = min_t(size_t, len, pfrag->size - pfrag->offset);
	if (copy_page_from_iter(pfrag->page, pfrag->offset, n, from) != n)
		return -EFAULT;
	if (skb_can_coalesce(skb, i, pfrag->page, pfrag->offset)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], n);
	} else {
		if (i == MAX_SKB_FRAGS)
			return -EMSGSIZE;
		get_page(pfrag->page);
		skb_fill_page_desc(skb, i, pfrag->page, pfrag->offset, n);
	}
	pfrag->offset += n;
	skb->len += n;
	skb->data_len += n;
	skb->truesize += n;
	refcount_add(n, &sk->sk_wmem_alloc);
	return n;
}

static int udp_append(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	struct sk_buff *skb = up->pending;
	bool fresh = !skb, counted = false;
	int n, err;

	if (fresh) {
		skb = sock_alloc_send_skb(sk, strata_udp_headroom(),
					  msg->msg_flags & MSG_DONTWAIT, &err);
		if (!skb)
			return err;
		skb_reserve(skb, strata_udp_headroom());
		WRITE_ONCE(up->pending, skb);
	}
	if (skb->len + len > STRATA_UDP_MAX)
		return -EMSGSIZE;
	if (sk_wmem_alloc_get(sk) > 2 * READ_ONCE(sk->sk_sndbuf))
		return -ENOBUFS;
	/* as native: also the first of no bytes */
	if (strata_udp_zerocopy(sk, msg) && !msg->msg_ubuf && (len || fresh)) {
		err = strata_udp_zerocopy_corked(sk, skb, len);
		if (err)
			return err;
		counted = true;
	}
	while (len) {
		n = udp_append_frag(sk, skb, &msg->msg_iter, len);
		if (n < 0) {
			/* what fails is not counted; the packet keeps the notice of the rest */
			if (counted)
				net_zcopy_put_abort(skb_zcopy(skb), false);
			return n;
		}
		len -= n;
	}
	return 0;
}

/*
 * A send with MSG_MORE or UDP_CORK, or one that continues such a datagram. @fl: if it begins;
 * NULL: it must continue, -ENODATA if there is none (any more)
 */
static int udp_sendmsg_corked(struct sock *sk, struct msghdr *msg, size_t len,
			      struct strata_flow *fl, u16 gso, bool more)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	int err = 0;

	lock_sock(sk);
	if (!up->pending && !fl) {
		release_sock(sk);
		return -ENODATA;
	}
	if (!up->pending) {
		up->pending_fl = *fl;
		up->pending_gso = gso;
		err = udp_send_locked(sk, fl, gso, false, msg->msg_flags, NULL);
	}
	if (!err)
		err = udp_append(sk, msg, len);
	if (err)
		strata_udp_flush_pending(sk);
	else if (!more)
		err = strata_udp_push_pending(sk);
	release_sock(sk);
	return err;
}

/*
 * The user's pages, or a copy where the path wants one: it is looked up for that alone, and may be
 * another when the datagram leaves. Not locked: there may be no room yet in the send buffer
 */
static struct sk_buff *udp_zerocopy_in(struct sock *sk, struct msghdr *msg, size_t len,
				       const struct strata_flow *fl, u16 gso, bool to_peer)
{
	const struct strata_path *path;
	bool whole = false, refused = false, sg = false;
	struct strata_flow plan;
	int err;

	if (!to_peer)
		plan = *fl;
	lock_sock(sk);
	err = udp_send_locked(sk, &plan, gso, to_peer, 0, NULL);
	if (!err) {
		path = to_peer ? &strata_sk(sk)->path : &strata_udp_sk(sk)->dest;
		whole = gso ||
			len + sizeof(struct udphdr) + sizeof(struct iphdr) <= strata_ip_mtu(path);
		refused = !whole && (plan.df || plan.uncut);
		sg = strata_udp_zerocopy_sg(path);
	}
	release_sock(sk);
	if (err)
		return ERR_PTR(err);
	/* one that IP will refuse leaves no notice */
	return refused ? udp_copy_in(sk, msg, len) :
			 strata_udp_zerocopy_in(sk, msg, len, whole && sg);
}

static int udp_sendmsg_now(struct sock *sk, struct msghdr *msg, size_t len,
			   struct strata_flow *fl, u16 gso, bool to_peer)
{
	struct sk_buff *skb = NULL;
	int err;

	if (len > STRATA_UDP_MAX)
		return -EMSGSIZE;
	if (!(msg->msg_flags & MSG_PROBE))
		skb = unlikely(strata_udp_zerocopy(sk, msg)) ?
		      udp_zerocopy_in(sk, msg, len, fl, gso, to_peer) : udp_copy_in(sk, msg, len);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	lock_sock(sk);
	err = udp_send_locked(sk, fl, gso, to_peer, msg->msg_flags, skb);
	release_sock(sk);
	return err;
}

/* Ancillary data: ours, then IP's. 0 or -EINVAL */
static int udp_cmsg_send(struct sock *sk, struct msghdr *msg, struct strata_flow *fl, u16 *gso)
{
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_UDP)
			continue;
		if (cmsg->cmsg_type != UDP_SEGMENT || cmsg->cmsg_len != CMSG_LEN(sizeof(*gso)))
			return -EINVAL;
		*gso = *(u16 *)CMSG_DATA(cmsg);
	}
	return strata_ip_cmsg_send(sk, msg, fl);
}

int strata_udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	DECLARE_SOCKADDR(struct sockaddr_in *, to, msg->msg_name);
	bool more = up->corked || msg->msg_flags & (MSG_MORE | MSG_SENDPAGE_NOTLAST);
	bool to_peer = !to && !msg->msg_controllen && !(msg->msg_flags & MSG_DONTROUTE);
	u16 gso = READ_ONCE(up->gso_size);
	struct strata_flow fl;
	int err;

	if (len > 0xffff)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (READ_ONCE(up->pending)) {
		err = udp_sendmsg_corked(sk, msg, len, NULL, 0, more);
		/* another thread may have sent it meanwhile: then this one begins anew */
		if (err != -ENODATA)
			goto out;
	}

	if (to) {
		err = udp_check_dest(to, msg->msg_namelen);
		if (err)
			return err;
	} else if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED) {
		return -EDESTADDRREQ;
	}
	if (!to_peer || more) {
		udp_dest_flow(sk, to, &fl);
		fl.onlink |= !!(msg->msg_flags & MSG_DONTROUTE);
		if (msg->msg_controllen) {
			err = udp_cmsg_send(sk, msg, &fl, &gso);
			if (err)
				return err;
		}
	}
	if (more)
		err = udp_sendmsg_corked(sk, msg, len, &fl, gso, true);
	else
		err = udp_sendmsg_now(sk, msg, len, &fl, gso, to_peer);
out:
	if (err == -ENOBUFS || test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		strata_inc(strata_sk_net(sk), UDP_SNDBUFERRORS);
	return err ? err : len;
}
