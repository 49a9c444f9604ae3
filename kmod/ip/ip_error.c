// SPDX-License-Identifier: GPL-2.0-only
/*
 * The error queue of a socket (IP_RECVERR, MSG_ERRQUEUE): ICMP errors and errors found
 * while sending, with the datagram concerned, in the layout of the native stack: a control
 * message with struct sock_extended_err and the address of who reported it; on request with
 * where an ICMP message goes on behind what it quotes (RFC 4884).
 */

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/net_tstamp.h>
#include "../ip.h"

struct error_cmsg {
	struct sock_extended_err	ee;
	struct sockaddr_in		offender;
};

/* IP_RECVERR_RFC4884: @skb, an ICMP message, is pulled to behind the headers that it quotes */
static void error_extension(const struct sk_buff *skb, struct sock_extended_err *ee)
{
	const struct icmphdr *icmph = icmp_hdr(skb);

	if (icmph->type == ICMP_DEST_UNREACH || icmph->type == ICMP_TIME_EXCEEDED ||
	    icmph->type == ICMP_PARAMETERPROB)
		ip_icmp_error_rfc4884(skb, &ee->ee_rfc4884, sizeof(*icmph),
				      icmph->un.reserved[1] * 4);
}

void strata_ip_queue_error(struct sock *sk, struct sk_buff *skb, int err, u8 type, u8 code,
			   u32 info, __be16 port, unsigned int payload)
{
	bool received = skb->data != skb_network_header(skb);	/* else it is our own packet */
	struct sock_exterr_skb *serr;
	const struct iphdr *quoted;

	skb = skb_clone(skb, GFP_ATOMIC);
	if (!skb)
		return;
	quoted = (const struct iphdr *)skb->data;
	serr = SKB_EXT_ERR(skb);
	memset(&serr->ee, 0, sizeof(serr->ee));
	serr->ee.ee_errno = err;
	serr->ee.ee_origin = SO_EE_ORIGIN_ICMP;
	serr->ee.ee_type = type;
	serr->ee.ee_code = code;
	serr->ee.ee_info = info;
	serr->addr_offset = (const u8 *)&quoted->daddr - skb_network_header(skb);
	serr->port = port;
	serr->opt_stats = 0;
	skb->dev = NULL;
	if (!skb_pull(skb, payload))
		goto drop;
	if (received && strata_sk(sk)->recverr_ext)
		error_extension(skb, &serr->ee);
	if (!sock_queue_err_skb(sk, skb))
		return;
drop:
	kfree_skb(skb);
}

void strata_ip_local_error(struct sock *sk, int err, __be32 daddr, __be16 port, u32 info)
{
	struct sock_exterr_skb *serr;
	struct sk_buff *skb;
	struct iphdr *iph;

	skb = alloc_skb(sizeof(*iph), GFP_ATOMIC);
	if (!skb)
		return;
	skb_reset_network_header(skb);
	iph = skb_put_zero(skb, sizeof(*iph));
	iph->daddr = daddr;
	serr = SKB_EXT_ERR(skb);
	memset(&serr->ee, 0, sizeof(serr->ee));
	serr->ee.ee_errno = err;
	serr->ee.ee_origin = SO_EE_ORIGIN_LOCAL;
	serr->ee.ee_info = info;
	serr->addr_offset = offsetof(struct iphdr, daddr);
	serr->port = port;
	serr->opt_stats = 0;
	__skb_pull(skb, sizeof(*iph));
	if (sock_queue_err_skb(sk, skb))
		kfree_skb(skb);
}

/* as native: about an ICMP or local error always, port or none; about stamps where there is one */
static bool error_has_name(const struct sock_exterr_skb *serr)
{
	return serr->ee.ee_origin == SO_EE_ORIGIN_ICMP ||
	       serr->ee.ee_origin == SO_EE_ORIGIN_LOCAL || serr->port;
}

/* where the packet concerned was to go */
static void error_name(struct msghdr *msg, const struct sk_buff *skb, int *addrlen)
{
	DECLARE_SOCKADDR(struct sockaddr_in *, sin, msg->msg_name);
	const struct sock_exterr_skb *serr = SKB_EXT_ERR(skb);

	if (!sin || !error_has_name(serr))
		return;
	sin->sin_family = AF_INET;
	memcpy(&sin->sin_addr, skb_network_header(skb) + serr->addr_offset,
	       sizeof(sin->sin_addr));
	sin->sin_port = serr->port;
	memset(sin->sin_zero, 0, sizeof(sin->sin_zero));
	*addrlen = sizeof(*sin);
}

/*
 * Which byte: the core counts from where the program asked for sockets of AF_INET alone, and TCP
 * may not have come to it yet
 */
static void error_stamp(const struct sock *sk, const struct sock_exterr_skb *serr,
			struct sock_extended_err *ee)
{
	if (strata_sk(sk)->proto == IPPROTO_TCP && serr->unused != STRATA_STAMP_DONE &&
	    (READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID))
		ee->ee_data -= atomic_read(&sk->sk_tskey);
}

/*
 * SOF_TIMESTAMPING_OPT_CMSG: is this a stamp with the packet, and is it known where that left?
 * Then its cb becomes what strata_ip_cmsg_recv() reads
 */
static bool error_of_sent(const struct sock *sk, struct sk_buff *skb)
{
	const struct sock_exterr_skb *serr = SKB_EXT_ERR(skb);
	int iif = serr->header.h4.iif;

	if (serr->ee.ee_origin == SO_EE_ORIGIN_LOCAL || !iif ||
	    !(READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_CMSG))
		return false;
	*STRATA_RCV_CB(skb) = (struct strata_rcv_cb){ .iif = iif, .flags = STRATA_RCV_SENT };
	return true;
}

int strata_ip_recv_error(struct sock *sk, struct msghdr *msg, size_t len, int *addrlen)
{
	struct error_cmsg cmsg = { };
	struct sk_buff *skb;
	int copied, err;

	skb = sock_dequeue_err_skb(sk);
	if (!skb)
		return -EAGAIN;
	copied = skb->len;
	if (copied > len) {
		msg->msg_flags |= MSG_TRUNC;
		copied = len;
	}
	err = skb_copy_datagram_msg(skb, 0, msg, copied);
	if (err)
		goto out;
	sock_recv_timestamp(msg, sk, skb);
	error_name(msg, skb, addrlen);
	cmsg.ee = SKB_EXT_ERR(skb)->ee;
	if (cmsg.ee.ee_origin == SO_EE_ORIGIN_TIMESTAMPING)
		error_stamp(sk, SKB_EXT_ERR(skb), &cmsg.ee);
	if (cmsg.ee.ee_origin == SO_EE_ORIGIN_ICMP || error_of_sent(sk, skb)) {
		cmsg.offender.sin_family = AF_INET;
		cmsg.offender.sin_addr.s_addr = ip_hdr(skb)->saddr;
		if (strata_sk(sk)->cmsg)
			strata_ip_cmsg_recv(strata_sk(sk), msg, skb, 0);
	}
	put_cmsg(msg, SOL_IP, IP_RECVERR, sizeof(cmsg), &cmsg);
	msg->msg_flags |= MSG_ERRQUEUE;
	err = copied;
out:
	consume_skb(skb);
	return err;
}
