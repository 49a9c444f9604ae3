// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending ICMP (RFC 792): errors about packets that came in, and echo replies.
 *
 * No error is sent about an ICMP error, a packet to or from other than one host,
 * a link-layer broadcast, or any fragment but the first (RFC 1122 3.2.2), so that no
 * two hosts can throw errors at each other. An error quotes as much of the
 * offending packet as fits into 576 octets (RFC 1812 4.3.2.3), from the address the
 * packet was sent to. Errors to other hosts pay from two token buckets (RFC 1812
 * 4.3.2.8), if icmp_ratemask has their type: one of the host, one each icmp_ratelimit and
 * at most 6 at once, and one of the namespace, icmp_msgs_per_sec and at most icmp_msgs_burst.
 * A host that has spent its own takes nothing of the namespace's, so that it cannot silence
 * the errors to all. Hosts whose addresses have one hash share a bucket: which do is secret.
 */

#include <net/inet_ecn.h>
#include "icmp_int.h"
#include "stats.h"

#define ICMP_ERROR_MAX	576	/* octets of the whole IP packet */
#define ICMP_HOST_BURST	6	/* errors at once to one host, as native */

void strata_icmp_count_out(struct strata_net *sn, u8 type)
{
	strata_inc(sn, ICMP_OUTMSGS);
	switch (type) {
	case ICMP_DEST_UNREACH:
		strata_inc(sn, ICMP_OUTDESTUNREACHS);
		break;
	case ICMP_TIME_EXCEEDED:
		strata_inc(sn, ICMP_OUTTIMEEXCDS);
		break;
	case ICMP_PARAMETERPROB:
		strata_inc(sn, ICMP_OUTPARMPROBS);
		break;
	case ICMP_ECHO:
		strata_inc(sn, ICMP_OUTECHOS);
		break;
	case ICMP_ECHOREPLY:
		strata_inc(sn, ICMP_OUTECHOREPS);
		break;
	}
}

/* ---- the rate limit ---- */

void strata_icmp_rate_init(struct strata_net *sn)
{
	unsigned int i;

	spin_lock_init(&sn->icmp.lock);
	sn->icmp.credit = sn->conf.icmp_msgs_burst;
	sn->icmp.stamp = jiffies;
	get_random_bytes(&sn->icmp.key, sizeof(sn->icmp.key));
	/* a full bucket, unless the administrator makes icmp_ratelimit ten times what it is */
	for (i = 0; i < STRATA_ICMP_HOSTS; i++)
		sn->icmp.host[i] = jiffies - 60 * HZ;
}

/* no limit for what a host needs to find the path's MTU, as native */
static bool icmp_unlimited(const struct strata_net *sn, u8 type, u8 code)
{
	return (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) ||
	       !(READ_ONCE(sn->conf.icmp_ratemask) & BIT(type));
}

/* the namespace's: what was earned since. The lock */
static void icmp_refill(struct strata_net *sn)
{
	u32 rate = READ_ONCE(sn->conf.icmp_msgs_per_sec);
	u32 burst = READ_ONCE(sn->conf.icmp_msgs_burst);
	struct strata_icmp_net *bucket = &sn->icmp;
	unsigned long since;
	u32 earned;

	/* more than a second's worth is never needed, nor overflows */
	since = min_t(unsigned long, jiffies - bucket->stamp, HZ);
	earned = (u64)rate * since / HZ;
	if (earned) {
		bucket->credit = min_t(u64, (u64)bucket->credit + earned, burst);
		bucket->stamp = jiffies;
	}
}

/* has @daddr one to spend? Then that is done. The lock */
static bool icmp_host_pays(struct strata_net *sn, __be32 daddr)
{
	u32 hash = siphash_1u32((__force u32)daddr, &sn->icmp.key);
	unsigned long *since = &sn->icmp.host[hash % STRATA_ICMP_HOSTS];
	u64 price = READ_ONCE(sn->conf.icmp_ratelimit);
	u64 has = min_t(u64, jiffies - *since, ICMP_HOST_BURST * price);

	if (has < price)
		return false;
	*since = jiffies - (has - price);
	return true;
}

static bool icmp_may_send(struct strata_net *sn, __be32 daddr, u8 type, u8 code)
{
	struct strata_icmp_net *bucket = &sn->icmp;
	bool global, ok;

	if (icmp_unlimited(sn, type, code))
		return true;
	spin_lock_bh(&bucket->lock);
	icmp_refill(sn);
	global = bucket->credit > 0;
	ok = global && icmp_host_pays(sn, daddr);
	/* one on average: who counts what is left learns which ports are open (CVE-2020-25705) */
	if (ok)
		bucket->credit -= min(bucket->credit, get_random_u32_below(3));
	spin_unlock_bh(&bucket->lock);
	if (!global)
		strata_inc(sn, ICMP_OUTRATELIMITGLOBAL);
	else if (!ok)
		strata_inc(sn, ICMP_OUTRATELIMIT);
	return ok;
}

/* ---- errors ---- */

/* RFC 1122 3.2.2: is @skb's packet itself an ICMP error (or cannot be told)? */
static bool is_icmp_error(const struct sk_buff *skb, const struct iphdr *iph)
{
	const u8 *type;
	u8 buf;

	if (iph->protocol != IPPROTO_ICMP)
		return false;
	type = skb_header_pointer(skb, skb_network_offset(skb) + iph->ihl * 4, 1, &buf);
	if (!type)
		return true;
	switch (*type) {
	case ICMP_ECHO:
	case ICMP_ECHOREPLY:
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMPREPLY:
		return false;
	default:
		return true;
	}
}

static bool icmp_allowed_rcu(struct strata_net *sn, const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	enum strata_addr_type from, to;

	if (skb->pkt_type != PACKET_HOST && skb->pkt_type != PACKET_LOOPBACK)
		return false;
	if (iph->frag_off & htons(IP_OFFSET) || is_icmp_error(skb, iph))
		return false;
	to = strata_addr_type_rcu(sn, NULL, iph->daddr);
	from = strata_addr_type_rcu(sn, NULL, iph->saddr);
	if (to == STRATA_ADDR_BROADCAST || to == STRATA_ADDR_MULTICAST ||
	    ipv4_is_zeronet(iph->saddr))
		return false;
	return from == STRATA_ADDR_OTHER || from == STRATA_ADDR_LOCAL;
}

/* the message: header, then @quote octets of @skb from its IP header on */
static struct sk_buff *icmp_build(const struct sk_buff *skb, u8 type, u8 code, u32 info,
				  unsigned int quote)
{
	struct sk_buff *msg;
	struct icmphdr *icmph;

	msg = alloc_skb(strata_ip_headroom() + sizeof(*icmph) + quote, GFP_ATOMIC);
	if (!msg)
		return NULL;
	skb_reserve(msg, strata_ip_headroom());
	icmph = skb_put_zero(msg, sizeof(*icmph));
	icmph->type = type;
	icmph->code = code;
	icmph->un.gateway = htonl(info);
	if (skb_copy_bits(skb, skb_network_offset(skb), skb_put(msg, quote), quote)) {
		kfree_skb(msg);
		return NULL;
	}
	icmph->checksum = csum_fold(csum_partial(icmph, msg->len, 0));
	return msg;
}

void strata_icmp_send(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	struct strata_net *sn = strata_net(dev_net(skb->dev));
	const struct iphdr *iph = ip_hdr(skb);
	struct strata_flow fl = {
		.daddr = iph->saddr,
		.proto = IPPROTO_ICMP,
		/* RFC 1812 4.3.2.5: internetwork control */
		.tos = (iph->tos & IPTOS_TOS_MASK) | IPTOS_PREC_INTERNETCONTROL,
		.mark = skb->mark,
	};
	unsigned int quote;
	struct sk_buff *msg;
	bool ok, loop;

	rcu_read_lock();
	ok = icmp_allowed_rcu(sn, skb);
	if (strata_addr_is_local_rcu(sn, iph->daddr))
		fl.saddr = iph->daddr;
	loop = strata_addr_is_local_rcu(sn, iph->saddr);
	rcu_read_unlock();
	if (!ok || (!loop && !icmp_may_send(sn, fl.daddr, type, code)))
		return;

	quote = min_t(unsigned int, skb->len - skb_network_offset(skb),
		      ICMP_ERROR_MAX - sizeof(struct iphdr) - sizeof(struct icmphdr));
	msg = icmp_build(skb, type, code, info, quote);
	if (!msg) {
		strata_inc(sn, ICMP_OUTERRORS);
		return;
	}
	fl.tos &= ~INET_ECN_MASK;
	if (strata_ip_reply(sn, &fl, msg))
		strata_inc(sn, ICMP_OUTERRORS);
	else
		strata_icmp_count_out(sn, type);
}

/* ---- echo ---- */

/*
 * The request turns into its reply in place: only the type changes, so the
 * checksum follows by RFC 1624.
 */
void strata_icmp_reply(struct sk_buff *skb)
{
	struct strata_net *sn = strata_net(dev_net(skb->dev));
	const struct iphdr *iph = ip_hdr(skb);
	struct strata_flow fl = {
		.daddr = iph->saddr,
		.proto = IPPROTO_ICMP,
		.tos = iph->tos & ~INET_ECN_MASK,	/* RFC 1122 3.2.1.6 */
	};
	struct icmphdr *icmph;

	/* RFC 1122 3.2.2.6: from the address that was asked, if it is one */
	if (!(STRATA_RCV_CB(skb)->flags & (STRATA_RCV_BROADCAST | STRATA_RCV_MULTICAST)))
		fl.saddr = iph->daddr;
	if (skb_cow(skb, sizeof(struct iphdr) + ETH_HLEN)) {
		strata_inc(sn, ICMP_OUTERRORS);
		strata_drop(skb, STRATA_LAYER_ICMP, SKB_DROP_REASON_NOMEM);
		return;
	}
	icmph = (struct icmphdr *)skb->data;
	icmph->type = ICMP_ECHOREPLY;
	csum_replace2(&icmph->checksum, htons(ICMP_ECHO << 8), htons(ICMP_ECHOREPLY << 8));
	skb_scrub_packet(skb, true);
	skb_orphan(skb);
	skb->ip_summed = CHECKSUM_NONE;
	skb_gso_reset(skb);	/* what a TUN's user says of it is not the reply's */
	skb->priority = 0;
	if (strata_ip_reply(sn, &fl, skb))
		strata_inc(sn, ICMP_OUTERRORS);
	else
		strata_icmp_count_out(sn, ICMP_ECHOREPLY);
}
