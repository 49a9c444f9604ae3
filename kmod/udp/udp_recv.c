// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the receive queue to the user.
 *
 * Datagrams wait with their UDP header before the payload, so that a checksum nobody has
 * looked at yet is verified while the bytes are copied, in one pass (RFC 1122 4.1.3.4).
 * The queue's lock also protects the socket's share of the memory accounting: neither
 * side takes the socket lock, so receivers do not wait for senders.
 */

#include <linux/net_tstamp.h>
#include <net/busy_poll.h>
#include "sockmem.h"
#include "udp_int.h"

/* Between the low and the high mark of UDP's memory a socket still gets udp_rmem_min. Queue lock */
static bool udp_rmem_floor(struct sock *sk, int size)
{
	return strata_sock_mem_floor(sk, size, atomic_read(&sk->sk_rmem_alloc),
				     READ_ONCE(strata_sk_net(sk)->conf.udp_rmem_min));
}

enum skb_drop_reason strata_udp_queue(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	int size = skb->truesize;

	if (!strata_udp_fits(atomic_read(&sk->sk_rmem_alloc), size, READ_ONCE(sk->sk_rcvbuf))) {
		atomic_inc(&sk->sk_drops);
		return SKB_DROP_REASON_SOCKET_RCVBUFF;
	}
	sk_mark_napi_id(sk, skb);
	sock_skb_set_dropcount(sk, skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb->dev = NULL;

	spin_lock(&queue->lock);
	if (!sk_rmem_schedule(sk, skb, size) && !udp_rmem_floor(sk, size)) {
		spin_unlock(&queue->lock);
		atomic_inc(&sk->sk_drops);
		return SKB_DROP_REASON_PROTO_MEM;
	}
	sk_mem_charge(sk, size);
	atomic_add(size, &sk->sk_rmem_alloc);
	__skb_queue_tail(queue, skb);
	spin_unlock(&queue->lock);
	strata_sock_rcvd(strata_sk(sk));

	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_data_ready(sk);
	return SKB_NOT_DROPPED_YET;
}

/* Take @skb off the queue and give its memory back; queue lock */
static void udp_unlink(struct sock *sk, struct sk_buff *skb)
{
	lockdep_assert_held(&sk->sk_receive_queue.lock);
	__skb_unlink(skb, &sk->sk_receive_queue);
	atomic_sub(skb->truesize, &sk->sk_rmem_alloc);
	sk_mem_uncharge(sk, skb->truesize);
}

void strata_udp_purge(struct sock *sk)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;

	spin_lock_bh(&queue->lock);
	while ((skb = skb_peek(queue)) != NULL) {
		udp_unlink(sk, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_SOCKET_CLOSE);
	}
	sk_mem_reclaim_final(sk);
	spin_unlock_bh(&queue->lock);
}

static bool udp_csum_bad(struct sk_buff *skb)
{
	return !skb_csum_unnecessary(skb) && __skb_checksum_complete(skb);
}

static void udp_count_bad(struct sock *sk)
{
	struct strata_net *sn = strata_sk_net(sk);

	strata_inc(sn, UDP_INCSUMERRORS);
	strata_inc(sn, UDP_INERRORS);
	atomic_inc(&sk->sk_drops);
}

int strata_udp_inq(struct sock *sk)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;
	int len = -1;

	if (skb_queue_empty_lockless(queue))
		return -1;
	spin_lock_bh(&queue->lock);
	while ((skb = skb_peek(queue)) != NULL) {
		if (!udp_csum_bad(skb)) {
			len = strata_udp_payload(skb);
			break;
		}
		udp_count_bad(sk);
		udp_unlink(sk, skb);
		strata_drop(skb, STRATA_LAYER_UDP, SKB_DROP_REASON_UDP_CSUM);
	}
	spin_unlock_bh(&queue->lock);
	return len;
}

u32 strata_udp_queued(struct sock *sk)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;
	u32 len = 0;

	if (skb_queue_empty_lockless(queue))
		return 0;
	spin_lock_bh(&queue->lock);
	skb_queue_walk(queue, skb)
		len += strata_udp_payload(skb);
	spin_unlock_bh(&queue->lock);
	return len;
}

/* The datagram to peek at: SO_PEEK_OFF counts payload bytes over the whole queue */
static struct sk_buff *udp_peek(struct sk_buff_head *queue, int *off)
{
	struct sk_buff *skb;
	int skip = *off;

	skb_queue_walk(queue, skb) {
		if (skip >= 0 && skip >= strata_udp_payload(skb) && (skip || skb->peeked)) {
			skip -= strata_udp_payload(skb);
			continue;
		}
		skb->peeked = 1;
		refcount_inc(&skb->users);
		*off = max(skip, 0);
		return skb;
	}
	return NULL;
}

/* One look at the queue; @last: what to compare with to know that it has changed */
static struct sk_buff *udp_try_dequeue(struct sock *sk, int flags, int *off, struct sk_buff **last)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;

	spin_lock_bh(&queue->lock);
	*last = queue->prev;
	if (flags & MSG_PEEK) {
		skb = udp_peek(queue, off);
	} else {
		skb = skb_peek(queue);
		if (skb)
			udp_unlink(sk, skb);
		*off = 0;
	}
	spin_unlock_bh(&queue->lock);
	return skb;
}

/* Look at the queue, and again as long as polling the device brings something */
static struct sk_buff *udp_poll_dequeue(struct sock *sk, int flags, int peek, int *off,
					struct sk_buff **last)
{
	struct sk_buff *skb;

	do {
		*off = peek;
		skb = udp_try_dequeue(sk, flags, off, last);
		if (skb || !sk_can_busy_loop(sk))
			return skb;
		sk_busy_loop(sk, flags & MSG_DONTWAIT);
	} while (READ_ONCE(sk->sk_receive_queue.prev) != *last);
	return NULL;
}

static struct sk_buff *udp_dequeue(struct sock *sk, int flags, int *off, int *err)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	int peek = sk_peek_offset(sk, flags);
	struct sk_buff *skb, *last;

	do {
		*err = sock_error(sk);
		if (*err)
			return NULL;
		skb = udp_poll_dequeue(sk, flags, peek, off, &last);
		if (skb)
			return skb;
		*err = -EAGAIN;
	} while (timeo && !__skb_wait_for_more_packets(sk, queue, err, &timeo, last));
	return NULL;
}

static int udp_copy(struct sk_buff *skb, int off, struct msghdr *msg, int copied, bool partial)
{
	int hlen = sizeof(struct udphdr);

	if (!skb_csum_unnecessary(skb)) {
		if (!partial)
			return skb_copy_and_csum_datagram_msg(skb, hlen, msg);
		if (__skb_checksum_complete(skb))
			return -EINVAL;
	}
	return skb_copy_datagram_msg(skb, hlen + off, msg, copied);
}

static void udp_msg_name(struct msghdr *msg, const struct sk_buff *skb, int *addrlen)
{
	DECLARE_SOCKADDR(struct sockaddr_in *, sin, msg->msg_name);

	if (!sin)
		return;
	sin->sin_family = AF_INET;
	sin->sin_port = udp_hdr(skb)->source;
	sin->sin_addr.s_addr = ip_hdr(skb)->saddr;
	memset(sin->sin_zero, 0, sizeof(sin->sin_zero));
	*addrlen = sizeof(*sin);
}

/* UDP_GRO: what the datagrams are long that this one was made of, but for the last */
static void udp_gro_cmsg(struct msghdr *msg, const struct sk_buff *skb)
{
	int size = skb_shinfo(skb)->gso_size;

	if (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)
		put_cmsg(msg, SOL_UDP, UDP_GRO, sizeof(size), &size);
}

/* A datagram with a bad checksum was found while copying: it never was */
static void udp_forget(struct sock *sk, struct sk_buff *skb, int flags)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	bool last = true;

	udp_count_bad(sk);
	if (flags & MSG_PEEK) {
		spin_lock_bh(&queue->lock);
		if (skb->next) {
			udp_unlink(sk, skb);
			consume_skb(skb);	/* the queue's reference; ours is left */
		} else {
			last = false;
		}
		spin_unlock_bh(&queue->lock);
	}
	if (last)
		strata_drop(skb, STRATA_LAYER_UDP, SKB_DROP_REASON_UDP_CSUM);
	else
		consume_skb(skb);
}

int strata_udp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addrlen)
{
	struct strata_sock *ep = strata_sk(sk);
	int off, err, ulen, copied;
	struct sk_buff *skb;

	if (flags & MSG_ERRQUEUE)
		return strata_ip_recv_error(sk, msg, len, addrlen);

	while (true) {
		skb = udp_dequeue(sk, flags, &off, &err);
		if (!skb)
			return err;
		ulen = strata_udp_payload(skb);
		copied = min_t(size_t, len, ulen - off);
		if (copied < ulen - off)
			msg->msg_flags |= MSG_TRUNC;
		err = udp_copy(skb, off, msg, copied, copied < ulen || (flags & MSG_PEEK));
		if (err != -EINVAL)
			break;
		/* verification failed: as if it had been dropped on arrival */
		udp_forget(sk, skb, flags);
		msg->msg_flags &= ~MSG_TRUNC;
		cond_resched();
	}
	if (err) {
		if (!(flags & MSG_PEEK)) {
			atomic_inc(&sk->sk_drops);
			strata_inc(strata_sk_net(sk), UDP_INERRORS);
		}
		kfree_skb(skb);
		return err;
	}
	if (!(flags & MSG_PEEK))
		strata_inc(strata_sk_net(sk), UDP_INDATAGRAMS);

	sock_recv_cmsgs(msg, sk, skb);
	udp_msg_name(msg, skb, addrlen);
	if (READ_ONCE(strata_udp_sk(sk)->gro))
		udp_gro_cmsg(msg, skb);
	if (ep->cmsg)
		strata_ip_cmsg_recv(ep, msg, skb, sizeof(struct udphdr) + off);
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, copied);
	else
		sk_peek_offset_bwd(sk, ulen);
	consume_skb(skb);
	return flags & MSG_TRUNC ? ulen : copied;
}
