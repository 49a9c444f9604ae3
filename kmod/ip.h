/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ip: packets to and from hosts (RFC 791, 1122 3.2-3.3, 815, 1191, 6864).
 */
#ifndef _STRATA_IP_H
#define _STRATA_IP_H

#include <linux/ip.h>
#include <net/ip.h>
#include "arp.h"
#include "endpoint.h"

struct strata_route_cfg;

/**
 * struct strata_l4proto - a protocol above IP
 * @rcv: @skb has come in a namespace. @skb->data is at the transport header, network header
 *	set, STRATA_RCV_CB filled, length trimmed to the IP total length, at least one byte
 *	there (pull before reading). Given away. RCU, BH off
 * @err: an ICMP error about a packet we sent. @skb->data is at the quoted IP header
 *	(whole header and 8 bytes behind it are linear). @type, @code as on the wire,
 *	info: next-hop MTU of fragmentation-needed, else 0: once matched against a flow,
 *	it is for @err to call strata_ip_update_pmtu(). @skb stays the caller's.
 *	Returns 0, or -ENOENT when no socket is concerned
 * @err_verifies: it believes only what quotes a packet in flight (RFC 5927 4.1): see
 *	ip_no_pmtu_disc
 */
struct strata_l4proto {
	void (*rcv)(struct strata_net *sn, struct sk_buff *skb);
	int (*err)(struct sk_buff *skb, u8 type, u8 code, u32 info);
	bool err_verifies;
};

/** struct strata_ip_up - what IP calls upward; strata_ip_up is filled in main.c */
struct strata_ip_up {
	const struct strata_l4proto *proto[256];
	/* send an ICMP error about @skb (network header set, stays the caller's) */
	void (*icmp_send)(struct sk_buff *skb, u8 type, u8 code, u32 info);
	/*
	 * a route was added (@nlflags: NLM_F_* that say how), took another's place
	 * (NLM_F_REPLACE) or is removed (RTM_*ROUTE): notify listeners. rtnl
	 */
	void (*route_changed)(struct strata_net *sn, const struct strata_route_cfg *r, int event,
			      u16 nlflags);
};

extern const struct strata_ip_up strata_ip_up;

int strata_ip_init(void);
void strata_ip_exit(void);
int strata_ip_net_init(struct strata_net *sn);
void strata_ip_net_exit(struct strata_net *sn);

/** strata_ip_rcv() - an IP packet came in (strata_dev_up.rcv_ip) */
void strata_ip_rcv(struct strata_dev *ifp, struct sk_buff *skb);
/** strata_ip_frag_limit() - conf.ipfrag_high_thresh has changed */
void strata_ip_frag_limit(struct strata_net *sn);
/** strata_ip_unreachable() - strata_arp_up.failed */
void strata_ip_unreachable(struct strata_net *sn, struct sk_buff *skb);
/**
 * strata_ip_deliver_err() - pass an ICMP error on to the protocol it quotes
 * @skb: data at the quoted IP header; stays the caller's. Returns as strata_l4proto.err
 */
int strata_ip_deliver_err(struct sk_buff *skb, u8 type, u8 code, u32 info);

/* routes and paths: route.c, pmtu.c */

/**
 * strata_ip_route() - find the way to fl->daddr
 * @sn: namespace
 * @fl: daddr 0 means this host (as native); saddr 0 is filled in with the source
 * @path: overwritten; on success holds references, see strata_path_put()
 *
 * Returns 0, -ENETUNREACH (no route, or saddr is not ours), -EHOSTUNREACH (route says so),
 * -EINVAL (127/8 must not leave), -ENODEV (oif unknown), -ENOBUFS. Any context.
 */
int strata_ip_route(struct strata_net *sn, struct strata_flow *fl, struct strata_path *path);

/** strata_path_put() - drop the references and clear; idempotent */
void strata_path_put(struct strata_path *path);

/** strata_path_copy() - @to, which holds nothing, becomes another holder of @from */
void strata_path_copy(struct strata_path *to, const struct strata_path *from);

/** strata_path_resolved() - is the next hop's link address known, or none needed? */
static inline bool strata_path_resolved(const struct strata_path *path)
{
	return !path->neigh || READ_ONCE(path->neigh->state) & NUD_VALID;
}

/** strata_path_stale() - must @path be made anew? */
static inline bool strata_path_stale(const struct strata_net *sn, const struct strata_path *path)
{
	return !path->ifp || path->gen != atomic_read(&sn->route_gen[path->slot]);
}

/** strata_path_remake() - strata_path_renew() of a path that is stale */
int strata_path_remake(struct strata_sock *ep);
/**
 * strata_path_renew() - the socket's path to its peer, made anew if stale
 * Caller holds the socket lock. Returns 0 or as strata_ip_route().
 */
static inline int strata_path_renew(struct strata_sock *ep)
{
	sock_owned_by_me(&ep->sk);
	if (likely(!strata_path_stale(strata_sk_net(&ep->sk), &ep->path)))
		return 0;
	return strata_path_remake(ep);
}

/**
 * strata_path_rehash() - proto.rehash: the socket was bound to another device (socket lock)
 * The cached path is by the old one. Tables do not go by the device.
 */
void strata_path_rehash(struct sock *sk);

/**
 * strata_path_connect() - the path of a datagram socket that connects to @fl->daddr
 * Replaces the socket's; @fl->saddr becomes the source address. Caller holds the socket lock.
 * Returns 0, -EACCES for a broadcast without SO_BROADCAST, or as strata_ip_route().
 */
int strata_path_connect(struct strata_sock *ep, struct strata_flow *fl);

/**
 * strata_path_choose() - what the options of @ep say of @fl, which is to fl->daddr
 * To a group: IP_MULTICAST_IF and IP_MULTICAST_TTL, else of datagrams IP_UNICAST_IF
 */
void strata_path_choose(const struct strata_sock *ep, struct strata_flow *fl);

/** strata_path_dev_rcu() - the netdevice of a path, NULL if it has been unbound; RCU */
struct net_device *strata_path_dev_rcu(const struct strata_path *path);

/** strata_ip_mtu() - bytes an IP packet on @path may have (device, route, RFC 1191) */
static inline u32 strata_ip_mtu(const struct strata_path *path)
{
	return path->mtu;
}

/** strata_sock_takes_pmtu() - may an ICMP error about @ep's packet lower the path MTU? */
static inline bool strata_sock_takes_pmtu(const struct strata_sock *ep)
{
	return ep->pmtudisc < IP_PMTUDISC_INTERFACE;
}

/**
 * strata_ip_update_pmtu() - a router told the MTU of @ep's way to @daddr (RFC 1191 6.3)
 * Clamped to min_pmtu, kept for mtu_expires; of no effect unless it is smaller. Makes paths to
 * @daddr stale. Any context.
 */
void strata_ip_update_pmtu(const struct strata_sock *ep, __be32 daddr, u32 mtu);

/** strata_ip_headroom() - bytes to reserve before the transport header for IP and link headers */
static inline unsigned int strata_ip_headroom(void)
{
	return LL_MAX_HEADER + sizeof(struct iphdr);
}

/**
 * strata_ip_xmit() - send a transport packet
 * @sn: namespace
 * @fl: addresses, protocol, tos, ttl, df; saddr and daddr must be set
 * @path: fresh path (strata_path_stale() false); not consumed
 * @skb: data at the transport header, strata_ip_headroom() before it; consumed. A GSO
 *	skb has gso_size/gso_type set; its single segments must fit the path MTU
 *
 * Adds the IP header, fragments if it must and may (-EMSGSIZE if it may not), gives it
 * to the neighbour or loops it back. Returns 0 or -errno. Any context.
 */
int strata_ip_xmit(struct strata_net *sn, const struct strata_flow *fl,
		   const struct strata_path *path, struct sk_buff *skb);

/**
 * strata_ip_reply() - strata_ip_route() + strata_ip_xmit() + strata_path_put() for replies
 * without a socket
 */
int strata_ip_reply(struct strata_net *sn, struct strata_flow *fl, struct sk_buff *skb);

/* ancillary data and options of sockets: ip_cmsg.c. The key: one has asked for IP_MINTTL */

DECLARE_STATIC_KEY_FALSE(strata_ip_min_ttl_used);
/**
 * strata_ip_cmsg_recv() - put what ep->cmsg asks for beside a received packet; no lock needed
 * @off: octets of @skb that are not of what the user reads (IP_CHECKSUM)
 */
void strata_ip_cmsg_recv(struct strata_sock *ep, struct msghdr *msg, struct sk_buff *skb, int off);
/**
 * strata_ip_cmsg_send() - take IP_PKTINFO, IP_TTL, IP_TOS from a sendmsg() into @fl
 * Returns 0 or -EINVAL.
 */
int strata_ip_cmsg_send(struct sock *sk, struct msghdr *msg, struct strata_flow *fl);
/** strata_ip_setsockopt(), strata_ip_getsockopt() - level SOL_IP; as in proto_ops */
int strata_ip_setsockopt(struct sock *sk, int optname, sockptr_t optval, unsigned int optlen);
int strata_ip_getsockopt(struct sock *sk, int optname, char __user *optval, int __user *optlen);

/* the error queue (IP_RECVERR): ip_error.c */

/**
 * strata_ip_queue_error() - put an ICMP error on the socket's error queue
 * @skb: as in strata_l4proto.err; stays the caller's
 * @err: positive errno; @type, @code, @info: of the message
 * @port: remote port, 0 where the protocol has none
 * @payload: bytes from skb->data to the user's data in the quoted packet
 */
void strata_ip_queue_error(struct sock *sk, struct sk_buff *skb, int err, u8 type, u8 code,
			   u32 info, __be16 port, unsigned int payload);
/** strata_ip_local_error() - the same for an error found here while sending to @daddr */
void strata_ip_local_error(struct sock *sk, int err, __be32 daddr, __be16 port, u32 info);
/* sock_exterr_skb.unused: TCP has completed this stamp */
#define STRATA_STAMP_DONE	1
/** strata_ip_recv_error() - recvmsg(MSG_ERRQUEUE): bytes copied, -EAGAIN when it is empty */
int strata_ip_recv_error(struct sock *sk, struct msghdr *msg, size_t len, int *addrlen);

#endif /* _STRATA_IP_H */
