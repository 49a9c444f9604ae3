/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct strata_sock: the control information that all protocols share: who
 * speaks with whom, over which path, with which IP options. struct sock comes
 * first, so that the kernel's socket code sees what it knows.
 *
 * sk->sk_protocol stays 0: code outside tests it (without the family) and would
 * take our sockets for the native ones; the protocol is in strata_sock.proto.
 */
#ifndef _STRATA_ENDPOINT_H
#define _STRATA_ENDPOINT_H

#include <linux/pid.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <net/sock.h>
#include "strata.h"

struct strata_dev;
struct strata_neigh;
struct strata_bind_bucket;

/**
 * struct strata_flow - one direction of a conversation as IP needs it
 * @saddr: local address, 0: to be chosen by the route; @daddr: remote address
 * @sport, @dport: ports, 0 where the protocol has none (echo: sport is the id)
 * @oif: device index it must leave by, 0: any
 * @mark: SO_MARK; @proto: IPPROTO_*; @tos: the octet of RFC 2474/3168
 * @ttl: hops; 0: the namespace's default, or to a group: not off this host
 * @df: set Don't Fragment; a packet larger than the path MTU gives -EMSGSIZE
 * @df_whole: set Don't Fragment on packets that fit, unless the path's MTU is locked;
 *	larger ones are cut, so that routers report a smaller MTU (IP_PMTUDISC_WANT).
 *	With @df: larger ones give -EMSGSIZE all the same
 * @uncut: a packet larger than the path MTU gives -EMSGSIZE, whatever @df says
 *	(IP_PMTUDISC_INTERFACE)
 * @mtu_link: the path MTU is the device's, not the route's nor what routers told
 *	(IP_PMTUDISC_PROBE and above)
 * @onlink: only to who is on a link of ours: routes by way of a router do not count
 *	(SO_DONTROUTE, MSG_DONTROUTE)
 * @tsflags: SOF_TIMESTAMPING_*: stamps of the packet that are wanted
 * @ids: where the sender counts its identifications (RFC 6864), its lock held; NULL: by addresses
 * @priority: skb->priority; @txtime: when a datagram is to leave, ns of sk_clockid, 0: now
 */
struct strata_flow {
	__be32			saddr;
	__be32			daddr;
	__be16			sport;
	__be16			dport;
	int			oif;
	u32			mark;
	u8			proto;
	u8			tos;
	u8			ttl;
	bool			df;
	bool			df_whole;
	bool			uncut;
	bool			mtu_link;
	bool			onlink;
	u32			tsflags;
	u32			priority;
	u16			*ids;
	u64			txtime;
};

#define STRATA_PATH_LOOP	0x01	/* destination is ours: stays inside */
#define STRATA_PATH_BROADCAST	0x02	/* needs SO_BROADCAST */
#define STRATA_PATH_MULTICAST	0x04
#define STRATA_PATH_GATEWAY	0x08	/* through a router */
#define STRATA_PATH_MTU_LOCKED	0x10	/* ICMP does not lower it (any more): no DF to find out */
#define STRATA_PATH_ECN		0x20	/* the route asks for ECN (RTAX_FEATURE_ECN) */
#define STRATA_PATH_BY_LO	0x40	/* it was to go by "lo" */
#define STRATA_PATH_ONLINK	0x80	/* it was to go without a router */
#define STRATA_PATH_METRICS	0x100	/* the route has metrics for TCP: strata_ip_metrics() */
#define STRATA_PATH_NO_COOKIE	0x200	/* of them RTAX_FASTOPEN_NO_COOKIE, */
#define STRATA_PATH_ECN_CA	0x400	/* and a congestion control that needs ECN */

/**
 * struct strata_path - a resolved way to a destination, cached
 * @ifp: outgoing device, counted reference; NULL: not resolved
 * @neigh: next hop on a device with link addresses, counted; NULL without
 * @saddr: source address the route prefers
 * @nexthop: gateway, or the destination itself
 * @mtu: bytes of an IP packet: device, route or RFC 1191, whichever is least
 * @gen: strata_net.route_gen[@slot] it was made under
 * @flags: STRATA_PATH_*; @ttl: hops, unless the socket says otherwise: the route's, or the
 *	namespace's
 *
 * Owner: the socket it is embedded in (socket lock), a half-open request (constant), or the
 * stack of a call. strata_path_put() drops its references.
 */
struct strata_path {
	struct strata_dev	*ifp;
	struct strata_neigh	*neigh;
	__be32			saddr;
	__be32			nexthop;
	u32			mtu;
	int			gen;
	u16			flags;
	u8			ttl;
	u8			slot;
};

#define STRATA_CMSG_PKTINFO	BIT(0)
#define STRATA_CMSG_TTL		BIT(1)
#define STRATA_CMSG_TOS		BIT(2)
#define STRATA_CMSG_RETOPTS	BIT(3)
#define STRATA_CMSG_ORIGDST	BIT(4)
#define STRATA_CMSG_CHECKSUM	BIT(5)
#define STRATA_CMSG_FRAGSIZE	BIT(6)

/**
 * struct strata_sock - what every Strata socket has
 * @sk: must be first
 * @sn: strata_sk_net(): the namespace's part that is ours, constant
 * @laddr, @lport: local address and port; 0 while unbound. @laddr may be 0 (any)
 *	while bound; a connected socket's @laddr is always specific
 * @raddr, @rport: peer; 0 while unconnected
 * @bound_laddr: what bind() asked for, kept over disconnect
 * @proto: IPPROTO_TCP, _UDP or _ICMP; @ip_id: its next identification (struct strata_flow.ids)
 * @bind: bucket of @lport, NULL while unbound; bind_node links it there
 * @path: cached way to @raddr
 * @tos, @ttl, @mc_ttl: IP_TOS, IP_TTL (0: default), IP_MULTICAST_TTL
 * @mc_oif: IP_MULTICAST_IF device, 0: by route; @mc_addr: its address, 0: by device
 * @foreign: @laddr is a group or a broadcast address, to receive from: no source of packets
 * @pmtudisc: IP_PMTUDISC_*
 * @recverr, @recverr_ext: IP_RECVERR, IP_RECVERR_RFC4884
 * @freebind: IP_FREEBIND; @bind_no_port: IP_BIND_ADDRESS_NO_PORT; @mc_loop: IP_MULTICAST_LOOP
 * @port_auto: the port was chosen by strata_port_connect()
 * @cmsg: STRATA_CMSG_*: what recvmsg() adds
 * @min_ttl: IP_MINTTL (RFC 5082), 0: any; see strata_ip_min_ttl_used
 * @uc_oif: IP_UNICAST_IF, 0: by route; TCP does not ask it, as native
 * @port_range: IP_LOCAL_PORT_RANGE, high << 16 | low, each 0: the namespace's
 * @owner: process that put the socket to use, counted; NULL: nobody has yet
 * @comm: its name then
 * @sent_time, @rcvd_time: jiffies a datagram last went and came, 0: none has; TCP has its own
 *
 * SOCK_BINDADDR_LOCK and SOCK_BINDPORT_LOCK live in sk->sk_userlocks. By sk->sk_bind_node it is on
 * the list of socklist.c.
 *
 * locking: all of it by the socket lock; @laddr..@rport are written before the
 * socket enters a table and stay until it has left it, so RCU lookups may read
 * them with READ_ONCE(). @owner is set first by the socket lock, after @comm, and both
 * change by sk_peer_lock; the times are written and read without a lock. @cmsg, @min_ttl and
 * @uc_oif are also read without.
 */
struct strata_sock {
	struct sock		sk;

	struct strata_net	*sn;
	__be32			laddr;
	__be32			raddr;
	__be16			lport;
	__be16			rport;
	__be32			bound_laddr;
	u8			proto;
	u8			tos;
	u8			ttl;
	u8			mc_ttl;
	u8			pmtudisc;
	u8			recverr:1,
				freebind:1,
				bind_no_port:1,
				mc_loop:1,
				port_auto:1,
				foreign:1,
				recverr_ext:1;
	u8			cmsg;
	u8			min_ttl;
	u16			ip_id;
	int			mc_oif;
	__be32			mc_addr;
	int			uc_oif;
	u32			port_range;

	struct strata_bind_bucket *bind;
	struct hlist_node	bind_node;

	struct strata_path	path;

	struct pid		*owner;
	char			comm[TASK_COMM_LEN];
	u32			sent_time;
	u32			rcvd_time;
};

static inline struct strata_sock *strata_sk(const struct sock *sk)
{
	return (struct strata_sock *)sk;
}

/** strata_sk_net() - Strata's part of the socket's namespace */
static inline struct strata_net *strata_sk_net(const struct sock *sk)
{
	return strata_sk(sk)->sn;
}

/** strata_sock_init() - defaults of a new struct strata_sock (core part only) */
static inline void strata_sock_init(struct sock *sk, u8 proto)
{
	struct strata_sock *ep = strata_sk(sk);

	ep->sn = strata_net(sock_net(sk));
	ep->proto = proto;
	ep->mc_ttl = 1;
	ep->mc_loop = 1;
	ep->pmtudisc = IP_PMTUDISC_WANT;
	if (READ_ONCE(ep->sn->conf.ip_no_pmtu_disc))	/* RFC 1191 6.6 */
		ep->pmtudisc = IP_PMTUDISC_DONT;
	INIT_HLIST_NODE(&ep->bind_node);
	ep->ip_id = get_random_u16();
	memset(&ep->path, 0, sizeof(ep->path));
	ep->owner = NULL;
}

/** strata_sock_sent() - for reports: a datagram went; strata_sock_rcvd() - one came. Lockless */
static inline void strata_sock_sent(struct strata_sock *ep)
{
	WRITE_ONCE(ep->sent_time, (u32)jiffies | 1);
}

static inline void strata_sock_rcvd(struct strata_sock *ep)
{
	WRITE_ONCE(ep->rcvd_time, (u32)jiffies | 1);
}

/** strata_sock_flow() - the flow from @ep to its peer. Caller holds the socket lock */
static inline void strata_sock_flow(const struct strata_sock *ep, struct strata_flow *fl)
{
	fl->saddr = ep->laddr;
	fl->daddr = ep->raddr;
	fl->sport = ep->lport;
	fl->dport = ep->rport;
	fl->oif = ep->sk.sk_bound_dev_if;
	fl->mark = ep->sk.sk_mark;
	fl->proto = ep->proto;
	fl->tos = ep->tos;
	fl->ttl = ep->ttl;
	fl->df = ep->pmtudisc == IP_PMTUDISC_DO || ep->pmtudisc == IP_PMTUDISC_PROBE ||
		 (ep->proto == IPPROTO_TCP && ep->pmtudisc == IP_PMTUDISC_WANT);
	fl->df_whole = ep->pmtudisc == IP_PMTUDISC_WANT;
	fl->uncut = ep->pmtudisc == IP_PMTUDISC_INTERFACE;
	fl->mtu_link = ep->pmtudisc >= IP_PMTUDISC_PROBE;
	fl->onlink = sock_flag(&ep->sk, SOCK_LOCALROUTE);
	fl->tsflags = READ_ONCE(ep->sk.sk_tsflags);
	fl->priority = READ_ONCE(ep->sk.sk_priority);
	fl->ids = NULL;
	fl->txtime = 0;
}

#endif /* _STRATA_ENDPOINT_H */
