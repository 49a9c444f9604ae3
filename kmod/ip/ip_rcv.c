// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving: is it a sound IPv4 packet (RFC 791 3.1, RFC 1122 3.2.1), does it
 * come from where it can come from (3.2.1.3), is it for this host (3.3.1,
 * 3.3.6)? Then fragments are put together and the transport protocol gets it.
 *
 *	rcv_header	version, lengths, checksum	trims to the total length
 *	rcv_options	walked by their lengths; source routes refused
 *	rcv_addresses	martian sources; local, broadcast, multicast
 *	rcv_fragment	to ip_reasm.c
 *	deliver		strata_ip_up.proto[]
 *
 * This host does not forward, so the TTL is not looked at (RFC 1122 3.2.1.7) and
 * a packet for another host is dropped without a word (3.2.1.3).
 */

#include <linux/icmp.h>
#include <net/inet_ecn.h>
#include "ip_int.h"
#include "stats.h"

/* RFC 791: the total length; 0 where merged TCP segments exceed its 16 bits (BIG TCP) */
static unsigned int total_len(const struct sk_buff *skb, const struct iphdr *iph)
{
	unsigned int len = ntohs(iph->tot_len);

	return len || !skb_is_gso(skb) ? len : skb->len;
}

static void count_in(struct strata_net *sn, const struct iphdr *iph, int segs)
{
	static_assert(STRATA_MIB_IPEXT_INECT1PKTS - STRATA_MIB_IPEXT_INNOECTPKTS == INET_ECN_ECT_1);
	static_assert(STRATA_MIB_IPEXT_INECT0PKTS - STRATA_MIB_IPEXT_INNOECTPKTS == INET_ECN_ECT_0);
	static_assert(STRATA_MIB_IPEXT_INCEPKTS - STRATA_MIB_IPEXT_INNOECTPKTS == INET_ECN_CE);

	strata_add(sn, IPEXT_INNOECTPKTS + (iph->tos & INET_ECN_MASK), segs);
}

static enum skb_drop_reason rcv_header(struct strata_net *sn, struct sk_buff *skb, int segs)
{
	const struct iphdr *iph;
	unsigned int hlen, len;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		goto header;
	iph = ip_hdr(skb);
	hlen = iph->ihl * 4;
	if (iph->version != 4 || hlen < sizeof(*iph) || !pskb_may_pull(skb, hlen))
		goto header;
	iph = ip_hdr(skb);
	if (unlikely(ip_fast_csum(iph, iph->ihl))) {
		strata_inc(sn, IPEXT_INCSUMERRORS);
		strata_inc(sn, IP_INHDRERRORS);
		return SKB_DROP_REASON_IP_CSUM;
	}
	len = total_len(skb, iph);
	if (len < hlen)
		goto header;
	if (skb->len < len) {
		strata_inc(sn, IPEXT_INTRUNCATEDPKTS);
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	}
	count_in(sn, iph, segs);
	/* what is behind it is the link's padding */
	if (pskb_trim_rcsum(skb, len)) {
		strata_inc(sn, IP_INDISCARDS);
		return SKB_DROP_REASON_NOMEM;
	}
	return SKB_NOT_DROPPED_YET;
header:
	strata_inc(sn, IP_INHDRERRORS);
	return SKB_DROP_REASON_IP_INHDR;
}

/*
 * RFC 1122 3.2.1.8: options are skipped by their lengths. One that asks for a
 * source route is refused: a host that does not forward is its end only, and
 * replying along it would let anybody pose as an address of ours. *@ptr is the
 * octet to name in a parameter problem.
 */
static enum skb_drop_reason rcv_options(const struct iphdr *iph, u32 *ptr)
{
	const u8 *opt = (const u8 *)(iph + 1);
	int left = iph->ihl * 4 - sizeof(*iph);

	while (left > 0) {
		*ptr = opt - (const u8 *)iph;
		if (opt[0] == IPOPT_END)
			break;
		if (opt[0] == IPOPT_NOOP) {
			opt++;
			left--;
			continue;
		}
		if (left < 2 || opt[1] < 2 || opt[1] > left) {
			*ptr += left > 1;
			return SKB_DROP_REASON_IP_INHDR;
		}
		if (opt[0] == IPOPT_LSRR || opt[0] == IPOPT_SSRR)
			return SKB_DROP_REASON_IP_INHDR;
		left -= opt[1];
		opt += opt[1];
	}
	*ptr = 0;
	return SKB_NOT_DROPPED_YET;
}

/* RFC 1122 3.2.1.3: can a packet come from @saddr? */
static bool source_ok(struct strata_net *sn, const struct strata_dev *ifp, const struct iphdr *iph,
		      bool loop, bool to_many)
{
	switch (strata_addr_type_rcu(sn, ifp, iph->saddr)) {
	case STRATA_ADDR_OTHER:
		return !ipv4_is_zeronet(iph->saddr);
	case STRATA_ADDR_LOCAL:
		return loop;
	case STRATA_ADDR_BROADCAST:
		/* a host without an address yet (BOOTP) */
		return !iph->saddr && to_many;
	default:
		return false;
	}
}

static enum skb_drop_reason rcv_addresses(struct strata_net *sn, struct strata_dev *ifp,
					  struct sk_buff *skb, bool loop)
{
	struct strata_rcv_cb *cb = STRATA_RCV_CB(skb);
	const struct iphdr *iph = ip_hdr(skb);
	enum strata_addr_type type = STRATA_ADDR_LOCAL;
	const struct strata_ifaddr *ifa;
	unsigned int len = skb->len;

	if (skb->pkt_type == PACKET_OTHERHOST)
		return SKB_DROP_REASON_OTHERHOST;
	ifa = loop && !cb->iif ? strata_addr_find_rcu(sn, iph->daddr) : NULL;
	if (!cb->iif)	/* as native: by the device that has the address */
		cb->iif = ifa ? ifa->ifp->ifindex : ifp->ifindex;
	if (!ifa && !(cb->flags & STRATA_RCV_LOCAL))
		type = strata_addr_type_rcu(sn, loop ? NULL : ifp, iph->daddr);
	switch (type) {
	case STRATA_ADDR_LOCAL:
		/* RFC 1122 3.2.1.3 (g), 3.3.6 */
		if (!loop && ipv4_is_loopback(iph->daddr))
			goto address;
		if (skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST)
			return SKB_DROP_REASON_UNICAST_IN_L2_MULTICAST;
		break;
	case STRATA_ADDR_BROADCAST:
		cb->flags |= STRATA_RCV_BROADCAST;
		strata_inc(sn, IPEXT_INBCASTPKTS);
		break;
	case STRATA_ADDR_MULTICAST:
		cb->flags |= STRATA_RCV_MULTICAST;
		strata_inc(sn, IPEXT_INMCASTPKTS);
		break;
	default:
		goto address;
	}
	if (!source_ok(sn, ifp, iph, loop, cb->flags & STRATA_RCV_BROADCAST))
		goto address;
	strata_add(sn, IPEXT_INOCTETS, len);
	return SKB_NOT_DROPPED_YET;
address:
	strata_inc(sn, IP_INADDRERRORS);
	return SKB_DROP_REASON_IP_INADDRERRORS;
}

/*
 * Give a fragment to reassembly, and finish the header of a datagram that comes
 * back whole. Returns NULL when it waits or has died there.
 */
static struct sk_buff *rcv_fragment(struct strata_dev *ifp, struct sk_buff *skb)
{
	const struct iphdr *in = ip_hdr(skb);
	struct strata_frag frag = {
		.offset = (ntohs(in->frag_off) & IP_OFFSET) << 3,
		.more = in->frag_off & htons(IP_MF),
	};
	struct iphdr *iph;

	skb = strata_ip_reasm(ifp, skb, &frag);
	if (!skb)
		return NULL;
	iph = ip_hdr(skb);
	iph->tot_len = htons(skb->len);
	iph->frag_off = 0;
	ip_send_check(iph);
	return skb;
}

/* data at the IP header; the packet is given away */
static void deliver(struct strata_net *sn, struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct strata_l4proto *proto = strata_ip_up.proto[iph->protocol];
	enum skb_drop_reason why;

	if (unlikely(!proto)) {
		/* RFC 1122 3.2.2.1 */
		strata_inc(sn, IP_INUNKNOWNPROTOS);
		strata_ip_up.icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
		why = SKB_DROP_REASON_IP_NOPROTO;
		goto drop;
	}
	if (unlikely(skb->len <= iph->ihl * 4)) {
		strata_inc(sn, IP_INDISCARDS);
		why = SKB_DROP_REASON_PKT_TOO_SMALL;
		goto drop;
	}
	strata_inc(sn, IP_INDELIVERS);
	__skb_pull(skb, iph->ihl * 4);
	skb_reset_transport_header(skb);
	/* when it was to leave a host behind a virtual wire is not when it came */
	skb_clear_delivery_time(skb);
	proto->rcv(sn, skb);
	return;
drop:
	strata_drop(skb, STRATA_LAYER_IP, why);
}

void strata_ip_rcv(struct strata_dev *ifp, struct sk_buff *skb)
{
	struct strata_net *sn = ifp->sn;
	bool loop = ifp == strata_loop_dev(sn);
	enum skb_drop_reason why;
	int segs;
	u32 ptr;

	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb) {
		strata_inc(sn, IP_INDISCARDS);
		return;
	}
	skb_reset_network_header(skb);
	segs = max_t(int, 1, skb_shinfo(skb)->gso_segs);
	strata_add(sn, IP_INRECEIVES, segs);
	*STRATA_RCV_CB(skb) = (struct strata_rcv_cb) {
		.iif = loop ? STRATA_RCV_CB(skb)->iif : ifp->ifindex,
		.flags = loop ? STRATA_RCV_LOOP : STRATA_RCV_CB(skb)->flags & STRATA_RCV_LOCAL,
	};

	why = rcv_header(sn, skb, segs);
	if (!why)
		why = rcv_addresses(sn, ifp, skb, loop);
	if (!why && unlikely(ip_hdr(skb)->ihl > 5)) {
		why = rcv_options(ip_hdr(skb), &ptr);
		if (why) {
			strata_inc(sn, IP_INHDRERRORS);
			strata_ip_up.icmp_send(skb, ICMP_PARAMETERPROB, 0, ptr << 24);
		}
	}
	if (why) {
		strata_drop(skb, STRATA_LAYER_IP, why);
		return;
	}
	if (unlikely(ip_is_fragment(ip_hdr(skb)))) {
		skb = rcv_fragment(ifp, skb);
		if (!skb)
			return;
	}
	deliver(sn, skb);
}

/* ---- errors on their way up ---- */

/*
 * ip_no_pmtu_disc, as native: is "fragmentation needed" of the namespace's concern, and the MTU
 * told in it? Without the latter the least that is believed counts (min_pmtu)
 */
static bool err_frag_needed(const struct sk_buff *skb, const struct strata_l4proto *proto,
			    u32 *info)
{
	const struct strata_net *sn = strata_net(dev_net(skb->dev));

	switch (READ_ONCE(sn->conf.ip_no_pmtu_disc)) {
	case 0:
		return true;
	case 2:
		return false;
	case 3:
		return proto->err_verifies;
	default:
		*info = 0;
		return true;
	}
}

int strata_ip_deliver_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct strata_l4proto *proto = strata_ip_up.proto[iph->protocol];

	/* a later fragment's octets are no transport header */
	if (!proto || !proto->err || iph->frag_off & htons(IP_OFFSET))
		return -ENOENT;
	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED &&
	    !err_frag_needed(skb, proto, &info))
		return 0;
	return proto->err(skb, type, code, info);
}

void strata_ip_unreachable(struct strata_net *sn, struct sk_buff *skb)
{
	/* RFC 1122 2.3.2.2: as if a router had said so */
	if (!skb->dev)
		skb->dev = sn->net->loopback_dev;
	strata_inc(sn, IP_OUTDISCARDS);
	if (pskb_may_pull(skb, sizeof(struct iphdr)) && ip_hdrlen(skb) >= sizeof(struct iphdr) &&
	    pskb_may_pull(skb, ip_hdrlen(skb) + 8)) {
		rcu_read_lock();
		/* it was the sender's (struct strata_tcp_tx) */
		*STRATA_RCV_CB(skb) = (struct strata_rcv_cb) { .iif = skb->dev->ifindex };
		strata_ip_deliver_err(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
		rcu_read_unlock();
	}
	strata_drop(skb, STRATA_LAYER_IP, SKB_DROP_REASON_NEIGH_FAILED);
}

/* ---- start and stop ---- */

int strata_ip_init(void)
{
	strata_ip_ident_init();
	return strata_reasm_init();
}

void strata_ip_exit(void)
{
	strata_reasm_exit();
}

int strata_ip_net_init(struct strata_net *sn)
{
	int err;

	strata_pmtu_net_init(sn);
	err = strata_route_init(sn);
	if (err)
		return err;
	err = strata_reasm_net_init(sn);
	if (err)
		strata_route_exit(sn);
	return err;
}

void strata_ip_net_exit(struct strata_net *sn)
{
	strata_reasm_net_exit(sn);
	strata_pmtu_net_exit(sn);
	strata_route_exit(sn);
}
