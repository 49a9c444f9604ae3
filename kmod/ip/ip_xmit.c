// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending: the IP header in front of a transport packet (RFC 791 3.1), cut into
 * fragments where it must be and may be, then to the neighbour, to a device
 * without link addresses, or back to this host. GSO packets pass whole; the
 * device, or the kernel on its behalf, cuts them.
 *
 * Identification (RFC 6864 4): a packet that may be cut gets a number that does
 * not come back soon for the same addresses and protocol. A TCP connection counts
 * its own. All else has counters chosen by a keyed hash of the three; they go on at
 * random with time, for whoever shares one with others (there are fewer of them than
 * hosts) would read from it how much those send (RFC 7739 3). An atomic packet (DF)
 * needs no number and carries 0, but for GSO, whose segments count on.
 */

#include <linux/random.h>
#include <linux/siphash.h>
#include <net/dsfield.h>
#include "ip_int.h"
#include "stats.h"

#define IP_IDENTS	2048

/* @next: the last number given, but for the hash; @stamp: jiffies of that */
struct ip_ident {
	atomic_t	next;
	u32		stamp;
};

static struct ip_ident ip_idents[IP_IDENTS];
static siphash_aligned_key_t ip_ident_key __read_mostly;

void strata_ip_ident_init(void)
{
	get_random_bytes(&ip_ident_key, sizeof(ip_ident_key));
}

/* numbers to leave out: less than one for each jiffy since @ident was used, as native */
static u32 ident_noise(struct ip_ident *ident)
{
	u32 now = jiffies, old = READ_ONCE(ident->stamp);

	if (old == now || cmpxchg(&ident->stamp, old, now) != old)
		return 0;
	return get_random_u32_below(now - old);
}

/* reserves @n numbers in a row */
static u16 ip_ident(const struct strata_net *sn, const struct strata_flow *fl, int n)
{
	struct ip_ident *ident;
	u32 hash;
	u16 id;

	if (fl->ids) {
		id = *fl->ids;
		*fl->ids = id + n;
		return id;
	}
	hash = siphash_3u32((__force u32)fl->daddr, (__force u32)fl->saddr, fl->proto ^ sn->key,
			    &ip_ident_key);
	ident = &ip_idents[hash % IP_IDENTS];
	/* the hash is added, too: those of one counter do not know each other's numbers */
	return atomic_add_return(n + ident_noise(ident), &ident->next) - n + (hash >> 16);
}

/* may the packet behind @skb's IP header leave as it is? */
static bool ip_fits(const struct sk_buff *skb, u32 mtu)
{
	if (skb_is_gso(skb))
		return skb_gso_validate_network_len(skb, mtu);
	return skb->len <= mtu;
}

/* one finished packet leaves IP */
static int xmit_one(struct strata_net *sn, const struct strata_path *path, struct sk_buff *skb)
{
	struct net_device *dev;
	int err;

	strata_inc(sn, IP_OUTTRANSMITS);
	if (path->flags & STRATA_PATH_LOOP)
		return strata_loop_xmit(sn, skb, path->flags & STRATA_PATH_BY_LO ?
						 path->ifp->ifindex : 0);

	rcu_read_lock();
	dev = strata_path_dev_rcu(path);
	if (!dev) {
		err = -ENETDOWN;
		goto drop;
	}
	skb->dev = dev;
	err = -ENOBUFS;
	if (unlikely(skb_headroom(skb) < LL_RESERVED_SPACE(dev))) {
		/* its socket pays for what it grows by; without memory the core drops it */
		skb = skb_expand_head(skb, LL_RESERVED_SPACE(dev));
		if (!skb)
			goto gone;
	}
	/* a device without link headers takes the packet as it is */
	if (path->neigh)
		err = strata_arp_xmit(path->neigh, skb);
	else
		err = strata_dev_xmit(path->ifp, skb);
	rcu_read_unlock();
	return err;
drop:
	strata_drop(skb, STRATA_LAYER_IP, SKB_DROP_REASON_DEV_READY);
gone:
	rcu_read_unlock();
	strata_inc(sn, IP_OUTDISCARDS);
	return err;
}

/* RFC 1122 3.3.6: programs of this host hear its broadcasts */
static void xmit_copy_to_self(struct strata_net *sn, const struct strata_path *path,
			      struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);

	if (copy)
		strata_loop_xmit(sn, copy, path->ifp->ifindex);
}

static void count_out(struct strata_net *sn, const struct strata_path *path,
		      const struct sk_buff *skb)
{
	strata_inc(sn, IP_OUTREQUESTS);
	strata_add(sn, IPEXT_OUTOCTETS, skb->len);
	if (path->flags & STRATA_PATH_BROADCAST)
		strata_inc(sn, IPEXT_OUTBCASTPKTS);
	if (path->flags & STRATA_PATH_MULTICAST)
		strata_inc(sn, IPEXT_OUTMCASTPKTS);
}

/* a fragment: its place goes into the header that strata_ip_fragment() copied */
static int xmit_fragment(struct strata_net *sn, const struct strata_path *path,
			 struct sk_buff *skb, const struct strata_frag *frag)
{
	struct iphdr *iph = ip_hdr(skb);

	iph->tot_len = htons(skb->len);
	iph->frag_off = htons(frag->offset >> 3 | (frag->more ? IP_MF : 0));
	ip_send_check(iph);
	return xmit_one(sn, path, skb);
}

static void fill_header(struct strata_net *sn, const struct strata_flow *fl,
			const struct strata_path *path, struct sk_buff *skb, bool fits)
{
	struct iphdr *iph = ip_hdr(skb);
	/* DF that asks for news of the path MTU has no place where none is taken */
	bool df = fl->df_whole ? fits && !(path->flags & STRATA_PATH_MTU_LOCKED) : fl->df;
	int segs = skb_is_gso(skb) ? max_t(int, skb_shinfo(skb)->gso_segs, 1) : 1;

	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = fl->tos;
	iph->tot_len = htons(skb->len);
	iph->frag_off = df ? htons(IP_DF) : 0;
	iph->id = df && segs == 1 ? 0 : htons(ip_ident(sn, fl, segs));
	iph->ttl = fl->ttl ?: path->ttl;
	iph->protocol = fl->proto;
	iph->saddr = fl->saddr;
	iph->daddr = fl->daddr;
	ip_send_check(iph);
}

int strata_ip_xmit(struct strata_net *sn, const struct strata_flow *fl,
		   const struct strata_path *path, struct sk_buff *skb)
{
	bool fits;

	skb_reset_transport_header(skb);
	if (unlikely(skb->len + sizeof(struct iphdr) > STRATA_IP_MAX_LEN))
		goto too_big;
	if (unlikely(skb_headroom(skb) < sizeof(struct iphdr)) &&
	    pskb_expand_head(skb, strata_ip_headroom(), 0, GFP_ATOMIC)) {
		strata_inc(sn, IP_OUTDISCARDS);
		strata_drop(skb, STRATA_LAYER_IP, SKB_DROP_REASON_NOMEM);
		return -ENOBUFS;
	}
	__skb_push(skb, sizeof(struct iphdr));
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IP);
	skb->mark = fl->mark;
	/* the header must tell TCP from UDP before a GSO packet can be measured */
	ip_hdr(skb)->protocol = fl->proto;
	fits = ip_fits(skb, path->mtu);
	if (unlikely(!fits && (fl->df || fl->uncut || skb_is_gso(skb))))
		goto too_big;

	fill_header(sn, fl, path, skb, fits);
	count_out(sn, path, skb);
	/* RFC 1112 6.1: to the group's members on this host alone, and none has joined */
	if (unlikely(path->flags & STRATA_PATH_MULTICAST && !fl->ttl)) {
		consume_skb(skb);
		return 0;
	}
	if (path->flags & STRATA_PATH_BROADCAST)
		xmit_copy_to_self(sn, path, skb);
	if (likely(fits))
		return xmit_one(sn, path, skb);
	return strata_ip_fragment(sn, path, skb, xmit_fragment);

too_big:
	strata_inc(sn, IP_FRAGFAILS);
	strata_drop(skb, STRATA_LAYER_IP, SKB_DROP_REASON_PKT_TOO_BIG);
	return -EMSGSIZE;
}

int strata_ip_reply(struct strata_net *sn, struct strata_flow *fl, struct sk_buff *skb)
{
	struct strata_path path;
	int err;

	err = strata_ip_route(sn, fl, &path);
	if (err) {
		strata_inc(sn, IP_OUTDISCARDS);
		strata_drop(skb, STRATA_LAYER_IP, SKB_DROP_REASON_IP_OUTNOROUTES);
		return err;
	}
	err = strata_ip_xmit(sn, fl, &path, skb);
	strata_path_put(&path);
	return err;
}
