// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams from IP (RFC 768; RFC 1122 4.1).
 *
 * Length and checksum are checked first (4.1.3.4): a datagram shorter than its header
 * says is dropped, what lies behind it is cut off, a checksum of zero means none. A checksum
 * no device has verified is left to the copy to the user, unless a filter or nobody is
 * to see the bytes. A datagram for no socket is answered with port unreachable (4.1.3.1),
 * never one to a broadcast or multicast address; those go to all sockets they match.
 */

#include <linux/filter.h>
#include "udp_int.h"

static enum skb_drop_reason udp_validate(struct sk_buff *skb)
{
	struct udphdr *uh;
	unsigned int len;

	if (!pskb_may_pull(skb, sizeof(*uh)))
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	skb_reset_transport_header(skb);
	uh = udp_hdr(skb);
	len = ntohs(uh->len);
	if (len < sizeof(*uh) || len > skb->len)
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	if (len < skb->len) {
		if (pskb_trim_rcsum(skb, len))
			return SKB_DROP_REASON_NOMEM;
		uh = udp_hdr(skb);
	}
	if (skb_checksum_init_zero_check(skb, IPPROTO_UDP, uh->check, inet_compute_pseudo))
		return SKB_DROP_REASON_UDP_CSUM;
	/* the device's sum was wrong, or is of no use any more: ours decides */
	if (skb->ip_summed == CHECKSUM_COMPLETE && !skb->csum_valid)
		skb->ip_summed = CHECKSUM_NONE;
	return SKB_NOT_DROPPED_YET;
}

static bool udp_rcv_csum_bad(struct sk_buff *skb)
{
	return !skb_csum_unnecessary(skb) && __skb_checksum_complete(skb);
}

/* IP_CHECKSUM: a device's word that it is right becomes the sum itself; not of what is to many */
static void udp_make_sum(struct sk_buff *skb)
{
	if (!(STRATA_RCV_CB(skb)->flags & (STRATA_RCV_BROADCAST | STRATA_RCV_MULTICAST)) &&
	    udp_hdr(skb)->check)
		skb_checksum_try_convert(skb, IPPROTO_UDP, inet_compute_pseudo);
}

static enum skb_drop_reason udp_to_socket(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(READ_ONCE(strata_sk(sk)->cmsg) & STRATA_CMSG_CHECKSUM))
		udp_make_sum(skb);
	if (rcu_access_pointer(sk->sk_filter) && udp_rcv_csum_bad(skb))
		return SKB_DROP_REASON_UDP_CSUM;
	if (sk_filter_trim_cap(sk, skb, sizeof(struct udphdr))) {
		atomic_inc(&sk->sk_drops);
		return SKB_DROP_REASON_SOCKET_FILTER;
	}
	return strata_udp_queue(sk, skb);
}

static void udp_count_drop(struct strata_net *sn, enum skb_drop_reason why)
{
	if (why == SKB_DROP_REASON_NO_SOCKET)
		return;	/* NoPorts is not an error */
	if (why == SKB_DROP_REASON_UDP_CSUM)
		strata_inc(sn, UDP_INCSUMERRORS);
	else if (why == SKB_DROP_REASON_SOCKET_RCVBUFF)
		strata_inc(sn, UDP_RCVBUFERRORS);
	else if (why == SKB_DROP_REASON_PROTO_MEM)
		strata_inc(sn, UDP_MEMERRORS);
	strata_inc(sn, UDP_INERRORS);
}

/* The end of every datagram that reaches nobody; nothing if @why is 0 */
static void udp_finish(struct strata_net *sn, struct sk_buff *skb, enum skb_drop_reason why)
{
	if (!why)
		return;
	udp_count_drop(sn, why);
	strata_drop(skb, STRATA_LAYER_UDP, why);
}

/*
 * Several datagrams of one flow merged by GRO or never cut by a sender's GSO: take them
 * apart. Consumes @skb unless it fails.
 */
static enum skb_drop_reason udp_to_socket_gso(struct strata_net *sn, struct sock *sk,
					      struct sk_buff *skb)
{
	struct strata_rcv_cb cb = *STRATA_RCV_CB(skb);
	struct sk_buff *segs, *seg, *next;
	enum skb_drop_reason why;

	if (!skb_mac_header_was_set(skb))
		return SKB_DROP_REASON_SKB_GSO_SEG;
	__skb_push(skb, -skb_mac_offset(skb));
	segs = __skb_gso_segment(skb, NETIF_F_SG | NETIF_F_IP_CSUM, false);
	if (IS_ERR_OR_NULL(segs))
		return SKB_DROP_REASON_SKB_GSO_SEG;
	consume_skb(skb);

	skb_list_walk_safe(segs, seg, next) {
		skb_mark_not_on_list(seg);
		__skb_pull(seg, skb_transport_offset(seg));
		*STRATA_RCV_CB(seg) = cb;
		why = udp_validate(seg);
		if (!why)
			why = udp_to_socket(sk, seg);
		udp_finish(sn, seg, why);
	}
	return SKB_NOT_DROPPED_YET;
}

/* may @sk have it whole, with what its parts are long beside it (UDP_GRO)? */
static bool udp_takes_gso(const struct sock *sk, const struct sk_buff *skb)
{
	/* not one whose parts are still packets of their own */
	return (skb_shinfo(skb)->gso_type & (SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST)) ==
		       SKB_GSO_UDP_L4 &&
	       READ_ONCE(strata_udp_sk(sk)->gro);
}

static enum skb_drop_reason udp_deliver(struct strata_net *sn, struct sock *sk,
					struct sk_buff *skb)
{
	/* SKB_GSO_UDP: one datagram that was to be cut into fragments later, and is whole yet */
	if (unlikely(skb_is_gso(skb) && !(skb_shinfo(skb)->gso_type & SKB_GSO_UDP)) &&
	    !udp_takes_gso(sk, skb))
		return udp_to_socket_gso(sn, sk, skb);
	return udp_to_socket(sk, skb);
}

struct udp_flood {
	struct strata_net	*sn;
	struct sk_buff		*skb;
};

static void udp_flood_one(struct sock *sk, void *arg)
{
	struct udp_flood *flood = arg;
	struct sk_buff *copy = skb_clone(flood->skb, GFP_ATOMIC);

	if (!copy) {
		atomic_inc(&sk->sk_drops);
		strata_inc(flood->sn, UDP_RCVBUFERRORS);
		strata_inc(flood->sn, UDP_INERRORS);
		return;
	}
	udp_finish(flood->sn, copy, udp_deliver(flood->sn, sk, copy));
}

/* Broadcast and multicast: a copy for each socket it matches (RFC 1122 4.1.3.3) */
static enum skb_drop_reason udp_flood(const struct strata_udp_key *key, struct sk_buff *skb)
{
	struct udp_flood flood = { .sn = key->sn, .skb = skb };

	if (!strata_udp_each_rcu(key, udp_flood_one, &flood)) {
		strata_inc(key->sn, UDP_IGNOREDMULTI);
		return SKB_DROP_REASON_NO_SOCKET;
	}
	consume_skb(skb);
	return SKB_NOT_DROPPED_YET;
}

static enum skb_drop_reason udp_nobody(struct strata_net *sn, struct sk_buff *skb)
{
	if (udp_rcv_csum_bad(skb))
		return SKB_DROP_REASON_UDP_CSUM;
	strata_inc(sn, UDP_NOPORTS);
	strata_icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	return SKB_DROP_REASON_NO_SOCKET;
}

static enum skb_drop_reason udp_dispatch(struct strata_net *sn, struct sk_buff *skb)
{
	const struct strata_rcv_cb *cb = STRATA_RCV_CB(skb);
	const struct iphdr *iph = ip_hdr(skb);
	const struct udphdr *uh = udp_hdr(skb);
	struct strata_udp_key key = {
		.sn = sn,
		.laddr = iph->daddr,
		.raddr = iph->saddr,
		.lport = uh->dest,
		.rport = uh->source,
		.iif = cb->iif,
		.skb = skb,
	};
	struct sock *sk;

	if (cb->flags & (STRATA_RCV_BROADCAST | STRATA_RCV_MULTICAST))
		return udp_flood(&key, skb);
	sk = strata_udp_lookup_rcu(&key);
	if (!sk)
		return udp_nobody(sn, skb);
	return udp_deliver(sn, sk, skb);
}

void strata_udp_rcv(struct strata_net *sn, struct sk_buff *skb)
{
	enum skb_drop_reason why;

	why = udp_validate(skb);
	if (!why)
		why = udp_dispatch(sn, skb);
	udp_finish(sn, skb, why);
}

/*
 * An ICMP error quotes a datagram of ours (RFC 1122 4.1.3.3). Only the socket of that very
 * flow hears of it: at once with IP_RECVERR; else if it is connected, by the next call,
 * and only of what will not pass by itself.
 */
int strata_udp_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct udphdr *uh = (const struct udphdr *)(skb->data + iph->ihl * 4);
	struct strata_udp_key key = {
		.sn = strata_net(dev_net(skb->dev)),
		.laddr = iph->saddr,
		.raddr = iph->daddr,
		.lport = uh->source,
		.rport = uh->dest,
		.iif = skb->dev->ifindex,
	};
	struct strata_sock *ep;
	bool fatal = false;
	struct sock *sk;
	int err;

	sk = strata_udp_lookup_rcu(&key);
	if (!sk)
		return -ENOENT;
	ep = strata_sk(sk);
	if (type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT)
		return 0;	/* RFC 6633 */
	err = strata_icmp_errno(type, code, &fatal);
	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) {
		if (strata_sock_takes_pmtu(ep))
			strata_ip_update_pmtu(ep, iph->daddr, info);	/* RFC 1191 6.3 */
		if (ep->pmtudisc == IP_PMTUDISC_DONT)
			return 0;
		err = EMSGSIZE;
		fatal = true;
	}
	if (ep->recverr)
		strata_ip_queue_error(sk, skb, err, type, code, info, uh->dest,
				      iph->ihl * 4 + sizeof(*uh));
	else if (!fatal || READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return 0;
	WRITE_ONCE(sk->sk_err, err);
	sk_error_report(sk);
	return 0;
}
