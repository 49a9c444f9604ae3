// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fragmentation at the source (RFC 791 2.3, 3.2): the datagram is copied into
 * packets of at most the path MTU whose data, but for the last one's, is a
 * multiple of 8 octets. The transport checksum covers the whole datagram, so it
 * is computed before the cut. All fragments carry the datagram's identification
 * (RFC 6864 4.3); if one cannot be made, the rest is not sent.
 */

#include "ip_int.h"
#include "stats.h"

/* a packet with @skb's IP header and @len octets from @offset behind it */
static struct sk_buff *frag_make(const struct sk_buff *skb, unsigned int hlen,
				 unsigned int offset, unsigned int len)
{
	unsigned int room = strata_ip_headroom();
	struct sk_buff *frag = alloc_skb(room + hlen + len, GFP_ATOMIC);

	if (!frag)
		return NULL;
	skb_reserve(frag, room);
	skb_reset_network_header(frag);
	skb_put_data(frag, skb_network_header(skb), hlen);
	skb_set_transport_header(frag, hlen);
	if (skb_copy_bits(skb, hlen + offset, skb_put(frag, len), len)) {
		kfree_skb(frag);
		return NULL;
	}
	frag->protocol = skb->protocol;
	frag->priority = skb->priority;
	frag->mark = skb->mark;
	if (skb->sk && sock_flag(skb->sk, SOCK_TXTIME))
		skb_set_delivery_type_by_clockid(frag, skb->tstamp, skb->sk->sk_clockid);
	else
		skb_set_delivery_time(frag, skb->tstamp, SKB_CLOCK_MONOTONIC);
	frag->ip_summed = CHECKSUM_NONE;
	if (skb->sk)
		skb_set_owner_w(frag, skb->sk);
	return frag;
}

int strata_ip_fragment(struct strata_net *sn, const struct strata_path *path, struct sk_buff *skb,
		       int (*finish)(struct strata_net *sn, const struct strata_path *path,
				     struct sk_buff *skb, const struct strata_frag *frag))
{
	unsigned int hlen = ip_hdrlen(skb), left = skb->len - hlen;
	unsigned int most = (path->mtu - hlen) & ~7U;
	struct strata_frag frag = {};
	unsigned int len;
	struct sk_buff *part;
	int err;

	err = -EMSGSIZE;
	if (path->mtu < STRATA_IP_MIN_MTU)
		goto fail;
	err = skb->ip_summed == CHECKSUM_PARTIAL ? skb_checksum_help(skb) : 0;
	if (err)
		goto fail;
	while (left) {
		len = min(left, path->mtu - hlen);
		frag.more = len < left;
		if (frag.more)
			len = most;
		err = -ENOBUFS;
		part = frag_make(skb, hlen, frag.offset, len);
		if (!part)
			goto fail;
		/* stamps, if any, are of the first */
		if (!frag.offset) {
			skb_shinfo(part)->tx_flags = skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP;
			skb_shinfo(part)->tskey = skb_shinfo(skb)->tskey;
		}
		err = finish(sn, path, part, &frag);
		if (err)
			goto fail;
		strata_inc(sn, IP_FRAGCREATES);
		frag.offset += len;
		left -= len;
	}
	strata_inc(sn, IP_FRAGOKS);
	consume_skb(skb);
	return 0;

fail:
	strata_inc(sn, IP_FRAGFAILS);
	strata_drop(skb, STRATA_LAYER_IP, SKB_DROP_REASON_NOMEM);
	return err;
}
