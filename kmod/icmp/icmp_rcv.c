// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving ICMP (RFC 792, RFC 1122 3.2.2): echo requests are answered, echo
 * replies go to ping sockets, errors go to the protocol whose packet they quote.
 *
 * An error is taken seriously only when the packet it quotes can have been ours:
 * sound header, our address as its source, a destination that is one host. The
 * protocol then matches ports (and, for TCP, the sequence number) against its
 * flows (RFC 5927). Redirects are counted and ignored: the routes are the
 * administrator's. So are requests for time, mask and routers (RFC 1122 makes
 * them optional, RFC 6918 obsoletes most) and for interfaces (RFC 8335 8).
 *
 * Fragmentation needed (RFC 1191 4-5): a router that tells no next-hop MTU leaves
 * us to search down the table of common MTUs (section 7.1).
 */

#include "icmp_int.h"
#include "stats.h"

/* RFC 1191 7.1, bytes of an IP packet */
static const u16 icmp_plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68 };

int strata_icmp_errno(u8 type, u8 code, bool *fatal)
{
	/* by code of destination unreachable: errno, and whether a connection ends by it */
	static const struct {
		int	err;
		bool	fatal;
	} unreach[] = {
		[ICMP_NET_UNREACH]	= { ENETUNREACH, false },
		[ICMP_HOST_UNREACH]	= { EHOSTUNREACH, false },
		[ICMP_PROT_UNREACH]	= { ENOPROTOOPT, true },
		[ICMP_PORT_UNREACH]	= { ECONNREFUSED, true },
		[ICMP_FRAG_NEEDED]	= { EMSGSIZE, false },
		[ICMP_SR_FAILED]	= { EOPNOTSUPP, false },
		[ICMP_NET_UNKNOWN]	= { ENETUNREACH, true },
		[ICMP_HOST_UNKNOWN]	= { EHOSTDOWN, true },
		[ICMP_HOST_ISOLATED]	= { ENONET, true },
		[ICMP_NET_ANO]		= { ENETUNREACH, true },
		[ICMP_HOST_ANO]		= { EHOSTUNREACH, true },
		[ICMP_NET_UNR_TOS]	= { ENETUNREACH, false },
		[ICMP_HOST_UNR_TOS]	= { EHOSTUNREACH, false },
		[ICMP_PKT_FILTERED]	= { EHOSTUNREACH, true },
		[ICMP_PREC_VIOLATION]	= { EHOSTUNREACH, true },
		[ICMP_PREC_CUTOFF]	= { EHOSTUNREACH, true },
	};

	int err = EHOSTUNREACH;		/* time exceeded, and codes yet unknown */

	*fatal = false;
	if (type == ICMP_DEST_UNREACH && code < ARRAY_SIZE(unreach)) {
		*fatal = unreach[code].fatal;
		err = unreach[code].err;
	} else if (type == ICMP_PARAMETERPROB) {
		*fatal = true;
		err = EPROTO;
	} else if (type == ICMP_SOURCE_QUENCH) {
		err = EREMOTEIO;
	}
	return err;
}

/* next-hop MTU of fragmentation needed: told, or the next one down from what was too big */
static u32 icmp_next_mtu(const struct icmphdr *icmph, const struct iphdr *quoted)
{
	u32 mtu = ntohs(icmph->un.frag.mtu), len = ntohs(quoted->tot_len);
	int i;

	if (mtu)
		return mtu;
	for (i = 0; i < ARRAY_SIZE(icmp_plateaus) - 1; i++)
		if (icmp_plateaus[i] < len)
			break;
	return icmp_plateaus[i];
}

/*
 * Is the quoted packet one that we can have sent? Makes its header and the 8
 * octets behind it linear. @skb: data at the quoted header
 */
static bool icmp_quote_ok(struct strata_net *sn, struct sk_buff *skb)
{
	const struct iphdr *iph;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		return false;
	iph = (const struct iphdr *)skb->data;
	if (iph->version != 4 || iph->ihl < 5 || !pskb_may_pull(skb, iph->ihl * 4 + 8))
		return false;
	iph = (const struct iphdr *)skb->data;
	if (!strata_addr_is_local_rcu(sn, iph->saddr))
		return false;
	/* RFC 1122 3.2.2: no errors about what went to many */
	switch (strata_addr_type_rcu(sn, NULL, iph->daddr)) {
	case STRATA_ADDR_OTHER:
	case STRATA_ADDR_LOCAL:
		return true;
	default:
		return false;
	}
}

/* consumes @skb when it returns SKB_NOT_DROPPED_YET */
static enum skb_drop_reason icmp_error(struct strata_net *sn, struct sk_buff *skb)
{
	const struct icmphdr *icmph = icmp_hdr(skb);
	u8 type = icmph->type, code = icmph->code;
	u32 info = 0;

	__skb_pull(skb, sizeof(*icmph));
	if (!icmp_quote_ok(sn, skb)) {
		strata_inc(sn, ICMP_INERRORS);
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	}
	icmph = icmp_hdr(skb);	/* the pull may have moved it */
	if (type == ICMP_DEST_UNREACH && code > NR_ICMP_UNREACH)
		return SKB_DROP_REASON_NOT_SPECIFIED;
	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED)
		info = icmp_next_mtu(icmph, (const struct iphdr *)skb->data);
	else if (type == ICMP_PARAMETERPROB)
		info = ntohl(icmph->un.gateway) >> 24;	/* the octet in question */
	if (strata_ip_deliver_err(skb, type, code, info)) {
		strata_inc(sn, ICMP_INERRORS);
		return SKB_DROP_REASON_NO_SOCKET;
	}
	consume_skb(skb);
	return SKB_NOT_DROPPED_YET;
}

static enum skb_drop_reason icmp_echo(struct strata_net *sn, struct sk_buff *skb)
{
	if (READ_ONCE(sn->conf.icmp_echo_ignore_all))
		return SKB_DROP_REASON_NOT_SPECIFIED;
	strata_icmp_reply(skb);
	return SKB_NOT_DROPPED_YET;
}

static void icmp_count_in(struct strata_net *sn, u8 type)
{
	switch (type) {
	case ICMP_ECHO:
		strata_inc(sn, ICMP_INECHOS);
		break;
	case ICMP_ECHOREPLY:
		strata_inc(sn, ICMP_INECHOREPS);
		break;
	case ICMP_DEST_UNREACH:
		strata_inc(sn, ICMP_INDESTUNREACHS);
		break;
	case ICMP_TIME_EXCEEDED:
		strata_inc(sn, ICMP_INTIMEEXCDS);
		break;
	case ICMP_PARAMETERPROB:
		strata_inc(sn, ICMP_INPARMPROBS);
		break;
	case ICMP_SOURCE_QUENCH:
		strata_inc(sn, ICMP_INSRCQUENCHS);
		break;
	case ICMP_REDIRECT:
		strata_inc(sn, ICMP_INREDIRECTS);
		break;
	case ICMP_TIMESTAMP:
		strata_inc(sn, ICMP_INTIMESTAMPS);
		break;
	case ICMP_TIMESTAMPREPLY:
		strata_inc(sn, ICMP_INTIMESTAMPREPS);
		break;
	case ICMP_ADDRESS:
		strata_inc(sn, ICMP_INADDRMASKS);
		break;
	case ICMP_ADDRESSREPLY:
		strata_inc(sn, ICMP_INADDRMASKREPS);
		break;
	}
}

/* may a message of this type be to many? Replies and errors are for one host, as native */
static bool icmp_may_be_to_many(const struct strata_net *sn, u8 type)
{
	switch (type) {
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
		/* RFC 1122 3.2.2.6, 3.2.2.8: MAY be discarded; answering would amplify */
		return !READ_ONCE(sn->conf.icmp_echo_ignore_broadcasts);
	case ICMP_ADDRESS:
	case ICMP_ADDRESSREPLY:
		return true;
	default:
		return false;
	}
}

/* @skb is gone when it returns SKB_NOT_DROPPED_YET */
static enum skb_drop_reason icmp_dispatch(struct strata_net *sn, struct sk_buff *skb)
{
	u8 type = icmp_hdr(skb)->type;

	icmp_count_in(sn, type);
	if (STRATA_RCV_CB(skb)->flags & (STRATA_RCV_BROADCAST | STRATA_RCV_MULTICAST) &&
	    !icmp_may_be_to_many(sn, type)) {
		strata_inc(sn, ICMP_INERRORS);
		return SKB_DROP_REASON_INVALID_PROTO;
	}
	switch (type) {
	case ICMP_ECHO:
		return icmp_echo(sn, skb);
	case ICMP_ECHOREPLY:
	case ICMP_EXT_ECHOREPLY:
		strata_ping_rcv(skb);
		return SKB_NOT_DROPPED_YET;
	case ICMP_TIME_EXCEEDED:
		/* fragments of one datagram got lost: that says nothing of the way; as native */
		if (icmp_hdr(skb)->code == ICMP_EXC_FRAGTIME)
			return SKB_DROP_REASON_NOT_SPECIFIED;
		return icmp_error(sn, skb);
	case ICMP_DEST_UNREACH:
	case ICMP_PARAMETERPROB:
	case ICMP_SOURCE_QUENCH:
		return icmp_error(sn, skb);
	case ICMP_REDIRECT:
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMPREPLY:
	case ICMP_ADDRESS:
	case ICMP_ADDRESSREPLY:
	case ICMP_EXT_ECHO:	/* RFC 8335 8: off unless asked for */
		return SKB_DROP_REASON_NOT_SPECIFIED;
	default:
		/* RFC 1122 3.2.2: an unknown type is silently discarded */
		strata_inc(sn, ICMP_INERRORS);
		return SKB_DROP_REASON_UNHANDLED_PROTO;
	}
}

void strata_icmp_rcv(struct strata_net *sn, struct sk_buff *skb)
{
	enum skb_drop_reason why;

	strata_inc(sn, ICMP_INMSGS);
	if (skb_checksum_simple_validate(skb)) {
		strata_inc(sn, ICMP_INCSUMERRORS);
		strata_inc(sn, ICMP_INERRORS);
		why = SKB_DROP_REASON_ICMP_CSUM;
	} else if (!pskb_may_pull(skb, sizeof(struct icmphdr))) {
		strata_inc(sn, ICMP_INERRORS);
		why = SKB_DROP_REASON_PKT_TOO_SMALL;
	} else {
		why = icmp_dispatch(sn, skb);
	}
	if (why)
		strata_drop(skb, STRATA_LAYER_ICMP, why);
}

int strata_icmp_net_init(struct strata_net *sn)
{
	strata_icmp_rate_init(sn);
	return 0;
}
