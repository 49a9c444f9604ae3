// SPDX-License-Identifier: GPL-2.0-only
/*
 * Level SOL_IP of a socket (RFC 1122 3.4, ip(7)): its options, and ancillary data
 * beside messages. Lengths, ranges and errno values are the native stack's: an
 * int may be given as one octet, and is given back as one to a short buffer.
 *
 * Options for what Strata does not have answer ENOPROTOOPT: multicast membership with its
 * source filters; IP options (IP_RETOPTS, IP_PKTOPTIONS; IP_OPTIONS can only be cleared); XFRM
 * policies and security labels (IP_IPSEC_POLICY, IP_XFRM_POLICY, IP_PASSSEC); IP_TRANSPARENT:
 * what is for others than our addresses is never Strata's, so nothing could answer who speaks in
 * their name. Of options for raw sockets alone (IP_HDRINCL, IP_NODEFRAG, IP_ROUTER_ALERT)
 * only their default is there, as on native's other sockets.
 */

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <net/inet_ecn.h>
#include <net/route.h>
#include "ip_int.h"

DEFINE_STATIC_KEY_FALSE(strata_ip_min_ttl_used);

/* ---- beside a received packet ---- */

static void cmsg_pktinfo(struct strata_sock *ep, struct msghdr *msg, const struct sk_buff *skb)
{
	const struct strata_rcv_cb *cb = STRATA_RCV_CB(skb);
	const struct iphdr *iph = ip_hdr(skb);
	struct in_pktinfo info = {
		.ipi_ifindex = cb->iif,
		.ipi_addr.s_addr = iph->daddr,
		.ipi_spec_dst.s_addr = iph->daddr,
	};
	struct strata_net *sn = strata_sk_net(&ep->sk);

	/* the address to answer from */
	if (cb->flags & (STRATA_RCV_BROADCAST | STRATA_RCV_MULTICAST)) {
		rcu_read_lock();
		info.ipi_spec_dst.s_addr =
			strata_addr_select_rcu(sn, strata_dev_find_rcu(sn, cb->iif), iph->saddr);
		rcu_read_unlock();
	}
	if (cb->flags & STRATA_RCV_SENT)
		info.ipi_spec_dst.s_addr = iph->saddr;
	put_cmsg(msg, SOL_IP, IP_PKTINFO, sizeof(info), &info);
}

static void cmsg_origdst(struct msghdr *msg, const struct sk_buff *skb)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	__be16 ports[2];

	/* source and destination port come first in TCP and UDP alike */
	if (skb_copy_bits(skb, skb_transport_offset(skb), ports, sizeof(ports)))
		return;
	sin.sin_addr.s_addr = ip_hdr(skb)->daddr;
	sin.sin_port = ports[1];
	put_cmsg(msg, SOL_IP, IP_ORIGDSTADDR, sizeof(sin), &sin);
}

/* IP_CHECKSUM: the sum over @skb from @off on, if somebody has taken it */
static void cmsg_checksum(struct msghdr *msg, const struct sk_buff *skb, int off)
{
	__wsum sum = skb->csum;

	if (skb->ip_summed != CHECKSUM_COMPLETE)
		return;
	if (off)
		sum = csum_sub(sum, skb_checksum(skb, 0, off, 0));
	put_cmsg(msg, SOL_IP, IP_CHECKSUM, sizeof(sum), &sum);
}

/* IP_RECVFRAGSIZE: bytes of the largest fragment, of what came in fragments */
static void cmsg_fragsize(struct msghdr *msg, const struct sk_buff *skb)
{
	int size = STRATA_RCV_CB(skb)->frag_max;

	if (size)
		put_cmsg(msg, SOL_IP, IP_RECVFRAGSIZE, sizeof(size), &size);
}

void strata_ip_cmsg_recv(struct strata_sock *ep, struct msghdr *msg, struct sk_buff *skb, int off)
{
	u8 want = READ_ONCE(ep->cmsg);
	const struct iphdr *iph = ip_hdr(skb);
	int ttl = iph->ttl;
	u8 tos = iph->tos;

	if (want & STRATA_CMSG_PKTINFO)
		cmsg_pktinfo(ep, msg, skb);
	if (want & STRATA_CMSG_TTL)
		put_cmsg(msg, SOL_IP, IP_TTL, sizeof(ttl), &ttl);
	if (want & STRATA_CMSG_TOS)
		put_cmsg(msg, SOL_IP, IP_TOS, sizeof(tos), &tos);
	if (want & STRATA_CMSG_RETOPTS && iph->ihl > 5)
		put_cmsg(msg, SOL_IP, IP_RECVOPTS, iph->ihl * 4 - sizeof(*iph), (void *)(iph + 1));
	if (want & STRATA_CMSG_ORIGDST)
		cmsg_origdst(msg, skb);
	if (want & STRATA_CMSG_CHECKSUM)
		cmsg_checksum(msg, skb, off);
	if (want & STRATA_CMSG_FRAGSIZE)
		cmsg_fragsize(msg, skb);
}

/* ---- beside a packet to send ---- */

static int cmsg_send_pktinfo(struct cmsghdr *cmsg, struct strata_flow *fl)
{
	const struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(cmsg);

	if (cmsg->cmsg_len != CMSG_LEN(sizeof(*info)))
		return -EINVAL;
	if (info->ipi_ifindex)
		fl->oif = info->ipi_ifindex;
	if (info->ipi_spec_dst.s_addr)
		fl->saddr = info->ipi_spec_dst.s_addr;
	return 0;
}

static int cmsg_send_ip(struct cmsghdr *cmsg, struct strata_flow *fl)
{
	int val;

	switch (cmsg->cmsg_type) {
	case IP_PKTINFO:
		return cmsg_send_pktinfo(cmsg, fl);
	case IP_TTL:
		if (cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
			return -EINVAL;
		val = *(int *)CMSG_DATA(cmsg);
		if (val < 1 || val > 255)
			return -EINVAL;
		fl->ttl = val;
		return 0;
	case IP_TOS:
		if (cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
			val = *(int *)CMSG_DATA(cmsg);
		else if (cmsg->cmsg_len == CMSG_LEN(sizeof(u8)))
			val = *(u8 *)CMSG_DATA(cmsg);
		else
			return -EINVAL;
		if (val < 0 || val > 255)
			return -EINVAL;
		fl->tos = val;
		fl->priority = rt_tos2priority(val);
		return 0;
	case IP_PROTOCOL:	/* as native: means something on raw sockets */
		if (cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
			return -EINVAL;
		val = *(int *)CMSG_DATA(cmsg);
		return val < 1 || val > 255 ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* which stamps are taken of this packet; what is reported with them is the socket's choice */
static int cmsg_send_tstamp(struct cmsghdr *cmsg, struct strata_flow *fl)
{
	u32 want;

	if (cmsg->cmsg_len != CMSG_LEN(sizeof(u32)))
		return -EINVAL;
	want = *(u32 *)CMSG_DATA(cmsg);
	if (want & ~SOF_TIMESTAMPING_TX_RECORD_MASK)
		return -EINVAL;
	fl->tsflags = (fl->tsflags & ~SOF_TIMESTAMPING_TX_RECORD_MASK) | want;
	return 0;
}

/* SO_TXTIME: when it is to leave, by the clock that the socket has named */
static int cmsg_send_txtime(const struct sock *sk, struct cmsghdr *cmsg, struct strata_flow *fl)
{
	if (!sock_flag(sk, SOCK_TXTIME) || cmsg->cmsg_len != CMSG_LEN(sizeof(u64)))
		return -EINVAL;
	fl->txtime = get_unaligned((u64 *)CMSG_DATA(cmsg));
	return 0;
}

static int cmsg_send_sock(struct sock *sk, struct cmsghdr *cmsg, struct strata_flow *fl)
{
	struct user_namespace *ns = sock_net(sk)->user_ns;

	/* as native: they mean something on AF_UNIX, and are no error here */
	if (cmsg->cmsg_type == SCM_RIGHTS || cmsg->cmsg_type == SCM_CREDENTIALS)
		return 0;
	if (cmsg->cmsg_type == SO_TIMESTAMPING_OLD || cmsg->cmsg_type == SO_TIMESTAMPING_NEW)
		return cmsg_send_tstamp(cmsg, fl);
	if (cmsg->cmsg_type == SCM_TXTIME)
		return cmsg_send_txtime(sk, cmsg, fl);
	if (cmsg->cmsg_type != SO_MARK || cmsg->cmsg_len != CMSG_LEN(sizeof(u32)))
		return -EINVAL;
	if (!ns_capable(ns, CAP_NET_RAW) && !ns_capable(ns, CAP_NET_ADMIN))
		return -EPERM;
	fl->mark = *(u32 *)CMSG_DATA(cmsg);
	return 0;
}

int strata_ip_cmsg_send(struct sock *sk, struct msghdr *msg, struct strata_flow *fl)
{
	struct cmsghdr *cmsg;
	int err = 0;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level == SOL_SOCKET)
			err = cmsg_send_sock(sk, cmsg, fl);
		else if (cmsg->cmsg_level == SOL_IP)
			err = cmsg_send_ip(cmsg, fl);
		if (err)
			return err;
	}
	return 0;
}

/* ---- setsockopt ---- */

/* RFC 3168: the ECN bits of a TCP socket are TCP's */
static int set_tos(struct strata_sock *ep, u8 tos)
{
	if (ep->proto == IPPROTO_TCP)
		tos = (tos & ~INET_ECN_MASK) | (ep->tos & INET_ECN_MASK);
	if (ep->tos != tos) {
		ep->tos = tos;
		WRITE_ONCE(ep->sk.sk_priority, rt_tos2priority(tos));
		strata_path_put(&ep->path);
	}
	return 0;
}

static int set_cmsg(struct strata_sock *ep, u8 bit, bool on)
{
	WRITE_ONCE(ep->cmsg, on ? ep->cmsg | bit : ep->cmsg & ~bit);
	return 0;
}

static int set_min_ttl(struct strata_sock *ep, u8 ttl)
{
	if (ttl && !static_branch_unlikely(&strata_ip_min_ttl_used))
		static_branch_enable(&strata_ip_min_ttl_used);
	WRITE_ONCE(ep->min_ttl, ttl);
	return 0;
}

/* any device of the namespace, as SO_BINDTODEVICE; who is bound to one cannot name another */
static int set_unicast_if(struct strata_sock *ep, __be32 index)
{
	int oif = be32_to_cpu(index);
	bool known;

	if (oif) {
		rcu_read_lock();
		known = dev_get_by_index_rcu(sock_net(&ep->sk), oif);
		rcu_read_unlock();
		if (!known)
			return -EADDRNOTAVAIL;
		if (ep->sk.sk_bound_dev_if)
			return -EINVAL;
	}
	WRITE_ONCE(ep->uc_oif, oif);
	return 0;
}

/* each end may be left open */
static bool port_range_ok(u32 range)
{
	u16 low = range, high = range >> 16;

	return !low || !high || low <= high;
}

/* 6.12's range; 0 for options that are no number in a range. @lo..@hi inclusive */
static bool opt_in_range(struct strata_sock *ep, int optname, int val, unsigned int optlen)
{
	switch (optname) {
	case IP_TTL:
		return optlen && (val == -1 || (val >= 1 && val <= 255));
	case IP_MULTICAST_TTL:
		return ep->sk.sk_type != SOCK_STREAM && optlen && val >= -1 && val <= 255;
	case IP_MTU_DISCOVER:
		return val >= IP_PMTUDISC_DONT && val <= IP_PMTUDISC_OMIT;
	case IP_MULTICAST_LOOP:
	case IP_FREEBIND:
		return optlen;
	case IP_MINTTL:
		return optlen && val >= 0 && val <= 255;
	case IP_RECVERR_RFC4884:
		return val >= 0 && val <= 1;
	case IP_RECVFRAGSIZE:
		return ep->sk.sk_type != SOCK_STREAM;
	case IP_UNICAST_IF:
		return optlen == sizeof(val);
	case IP_LOCAL_PORT_RANGE:
		return optlen == sizeof(val) && port_range_ok(val);
	case IP_ROUTER_ALERT:
		return false;
	default:
		return true;
	}
}

/* errors go; notices of zero copy and of time stamps were asked for elsewhere */
static void errqueue_purge(struct sk_buff_head *queue)
{
	struct sk_buff_head errors;
	struct sk_buff *skb, *next;
	unsigned long flags;

	__skb_queue_head_init(&errors);
	spin_lock_irqsave(&queue->lock, flags);
	skb_queue_walk_safe(queue, skb, next) {
		u8 origin = SKB_EXT_ERR(skb)->ee.ee_origin;

		if (origin == SO_EE_ORIGIN_ZEROCOPY || origin == SO_EE_ORIGIN_TIMESTAMPING)
			continue;
		__skb_unlink(skb, queue);
		__skb_queue_tail(&errors, skb);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	__skb_queue_purge(&errors);
}

static int set_int(struct strata_sock *ep, int optname, int val, unsigned int optlen)
{
	if (!opt_in_range(ep, optname, val, optlen))
		return -EINVAL;
	switch (optname) {
	case IP_TOS:
		return set_tos(ep, val);
	case IP_TTL:
		ep->ttl = val == -1 ? 0 : val;
		return 0;
	case IP_MULTICAST_TTL:
		ep->mc_ttl = val == -1 ? 1 : val;
		return 0;
	case IP_MTU_DISCOVER:
		ep->pmtudisc = val;
		strata_path_put(&ep->path);
		return 0;
	case IP_RECVERR:
		ep->recverr = !!val;
		if (!val)
			errqueue_purge(&ep->sk.sk_error_queue);
		return 0;
	case IP_MULTICAST_LOOP:
		ep->mc_loop = !!val;
		return 0;
	case IP_FREEBIND:
		ep->freebind = !!val;
		return 0;
	case IP_BIND_ADDRESS_NO_PORT:
		ep->bind_no_port = !!val;
		return 0;
	case IP_PKTINFO:
		return set_cmsg(ep, STRATA_CMSG_PKTINFO, val);
	case IP_RECVTTL:
		return set_cmsg(ep, STRATA_CMSG_TTL, val);
	case IP_RECVTOS:
		return set_cmsg(ep, STRATA_CMSG_TOS, val);
	case IP_RECVOPTS:
		return set_cmsg(ep, STRATA_CMSG_RETOPTS, val);
	case IP_RECVORIGDSTADDR:
		return set_cmsg(ep, STRATA_CMSG_ORIGDST, val);
	case IP_CHECKSUM:
		return set_cmsg(ep, STRATA_CMSG_CHECKSUM, val);
	case IP_RECVFRAGSIZE:
		return set_cmsg(ep, STRATA_CMSG_FRAGSIZE, val);
	case IP_RECVERR_RFC4884:
		ep->recverr_ext = val;
		return 0;
	case IP_MINTTL:
		return set_min_ttl(ep, val);
	case IP_UNICAST_IF:
		return set_unicast_if(ep, (__force __be32)val);
	case IP_LOCAL_PORT_RANGE:
		ep->port_range = val;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* the device of an address of ours; 0.0.0.0 gives none */
static int mc_device(struct strata_net *sn, __be32 addr)
{
	struct strata_ifaddr *ifa;
	int oif = -EADDRNOTAVAIL;

	if (!addr)
		return 0;
	rcu_read_lock();
	ifa = strata_addr_find_rcu(sn, addr);
	if (ifa)
		oif = ifa->ifp->ifindex;
	rcu_read_unlock();
	return oif;
}

static int set_multicast_if(struct strata_sock *ep, sockptr_t optval, unsigned int optlen)
{
	struct strata_net *sn = strata_sk_net(&ep->sk);
	struct ip_mreqn mreq = {};
	int oif, bound = ep->sk.sk_bound_dev_if;

	if (ep->sk.sk_type == SOCK_STREAM || optlen < sizeof(struct in_addr))
		return -EINVAL;
	if (optlen >= sizeof(mreq)) {
		if (copy_from_sockptr(&mreq, optval, sizeof(mreq)))
			return -EFAULT;
	} else if (optlen >= sizeof(struct ip_mreq)) {
		if (copy_from_sockptr(&mreq, optval, sizeof(struct ip_mreq)))
			return -EFAULT;
	} else if (copy_from_sockptr(&mreq.imr_address, optval, sizeof(struct in_addr))) {
		return -EFAULT;
	}
	oif = mreq.imr_ifindex;
	if (oif) {
		rcu_read_lock();
		if (!strata_dev_find_rcu(sn, oif))
			oif = -EADDRNOTAVAIL;
		rcu_read_unlock();
	} else {
		oif = mc_device(sn, mreq.imr_address.s_addr);
	}
	if (oif < 0)
		return oif;
	if (oif && bound && oif != bound)
		return -EINVAL;
	strata_path_put(&ep->path);	/* it may be to a group */
	ep->mc_oif = oif;
	ep->mc_addr = oif ? mreq.imr_address.s_addr : 0;
	return 0;
}

static int get_int_arg(sockptr_t optval, unsigned int optlen, int *val)
{
	u8 octet;

	*val = 0;
	if (optlen >= sizeof(int)) {
		if (copy_from_sockptr(val, optval, sizeof(int)))
			return -EFAULT;
	} else if (optlen) {
		if (copy_from_sockptr(&octet, optval, sizeof(octet)))
			return -EFAULT;
		*val = octet;
	}
	return 0;
}

static bool opt_is_int(int optname)
{
	switch (optname) {
	case IP_TOS:
	case IP_TTL:
	case IP_MULTICAST_TTL:
	case IP_MULTICAST_LOOP:
	case IP_MTU_DISCOVER:
	case IP_RECVERR:
	case IP_FREEBIND:
	case IP_BIND_ADDRESS_NO_PORT:
	case IP_PKTINFO:
	case IP_RECVTTL:
	case IP_RECVTOS:
	case IP_RECVOPTS:
	case IP_RECVORIGDSTADDR:
	case IP_CHECKSUM:
	case IP_RECVFRAGSIZE:
	case IP_RECVERR_RFC4884:
	case IP_MINTTL:
	case IP_UNICAST_IF:
	case IP_LOCAL_PORT_RANGE:
	case IP_HDRINCL:
	case IP_NODEFRAG:
	case IP_ROUTER_ALERT:
		return true;
	default:
		return false;
	}
}

int strata_ip_setsockopt(struct sock *sk, int optname, sockptr_t optval, unsigned int optlen)
{
	struct strata_sock *ep = strata_sk(sk);
	int err, val;

	if (optname == IP_OPTIONS)
		return optlen ? -ENOPROTOOPT : 0;
	if (optname != IP_MULTICAST_IF && !opt_is_int(optname))
		return -ENOPROTOOPT;
	if (optname != IP_MULTICAST_IF) {
		err = get_int_arg(optval, optlen, &val);
		if (err)
			return err;
	}
	lock_sock(sk);
	if (optname == IP_MULTICAST_IF)
		err = set_multicast_if(ep, optval, optlen);
	else
		err = set_int(ep, optname, val, optlen);
	release_sock(sk);
	return err;
}

/* ---- getsockopt ---- */

static int get_mtu(struct strata_sock *ep)
{
	int mtu = -ENOTCONN;

	lock_sock(&ep->sk);
	if (ep->raddr && !strata_path_renew(ep))
		mtu = strata_ip_mtu(&ep->path);
	release_sock(&ep->sk);
	return mtu;
}

/* the value, or a negative errno */
static int get_int(struct strata_sock *ep, int optname)
{
	struct strata_net *sn = strata_sk_net(&ep->sk);
	u16 cmsg = READ_ONCE(ep->cmsg);

	switch (optname) {
	case IP_TOS:
		return ep->tos;
	case IP_TTL:
		return ep->ttl ?: READ_ONCE(sn->conf.ip_default_ttl);
	case IP_MULTICAST_TTL:
		return ep->mc_ttl;
	case IP_MULTICAST_LOOP:
		return ep->mc_loop;
	case IP_MTU_DISCOVER:
		return ep->pmtudisc;
	case IP_MTU:
		return get_mtu(ep);
	case IP_RECVERR:
		return ep->recverr;
	case IP_FREEBIND:
		return ep->freebind;
	case IP_BIND_ADDRESS_NO_PORT:
		return ep->bind_no_port;
	case IP_PKTINFO:
		return !!(cmsg & STRATA_CMSG_PKTINFO);
	case IP_RECVTTL:
		return !!(cmsg & STRATA_CMSG_TTL);
	case IP_RECVTOS:
		return !!(cmsg & STRATA_CMSG_TOS);
	case IP_RECVOPTS:
		return !!(cmsg & STRATA_CMSG_RETOPTS);
	case IP_RECVORIGDSTADDR:
		return !!(cmsg & STRATA_CMSG_ORIGDST);
	case IP_CHECKSUM:
		return !!(cmsg & STRATA_CMSG_CHECKSUM);
	case IP_RECVFRAGSIZE:
		return !!(cmsg & STRATA_CMSG_FRAGSIZE);
	case IP_RECVERR_RFC4884:
		return ep->recverr_ext;
	case IP_MINTTL:
		return ep->min_ttl;
	case IP_PROTOCOL:	/* as native: of what is not raw it is the port */
		return be16_to_cpu(ep->lport);
	case IP_HDRINCL:
	case IP_NODEFRAG:
	case IP_ROUTER_ALERT:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* the same with those that may be any word. 0 or a negative errno */
static int get_word(struct strata_sock *ep, int optname, int *val)
{
	switch (optname) {
	case IP_UNICAST_IF:
		*val = (__force int)cpu_to_be32(READ_ONCE(ep->uc_oif));
		return 0;
	case IP_LOCAL_PORT_RANGE:
		*val = ep->port_range;
		return 0;
	default:
		*val = get_int(ep, optname);
		return min(*val, 0);
	}
}

static int put_value(const void *val, int size, int len, char __user *optval, int __user *optlen)
{
	len = min(len, size);
	if (put_user(len, optlen) || copy_to_user(optval, val, len))
		return -EFAULT;
	return 0;
}

static int get_multicast_if(struct strata_sock *ep, int len, char __user *optval,
			    int __user *optlen)
{
	struct in_addr addr = { .s_addr = ep->mc_addr };

	return put_value(&addr, sizeof(addr), len, optval, optlen);
}

int strata_ip_getsockopt(struct sock *sk, int optname, char __user *optval, int __user *optlen)
{
	struct strata_sock *ep = strata_sk(sk);
	int len, val, err;
	u8 octet;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (optname == IP_OPTIONS)
		return put_user(0, optlen) ? -EFAULT : 0;
	if (optname == IP_MULTICAST_IF)
		return get_multicast_if(ep, len, optval, optlen);
	err = get_word(ep, optname, &val);
	if (err)
		return err;
	if (len > 0 && len < sizeof(int) && val >= 0 && val <= 255) {
		octet = val;
		return put_value(&octet, sizeof(octet), len, optval, optlen);
	}
	return put_value(&val, sizeof(val), len, optval, optlen);
}
