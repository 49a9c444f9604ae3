/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * icmp: errors and echo (RFC 792, 1122 3.2.2), and datagram ping sockets.
 */
#ifndef _STRATA_ICMP_H
#define _STRATA_ICMP_H

#include <linux/icmp.h>
#include "ip.h"

/*
 * What sock/dgram_ops.c calls of a datagram protocol's struct proto (strata_udp_prot,
 * strata_ping_prot), with the address checked for family and length:
 * @init, @close (sk_common_release), @sendmsg, @recvmsg
 * @get_port: enter the tables with ep->laddr and this port (host order; 0: any; ping: the id):
 *	sets ep->lport; 0 or -errno. Socket lock held
 * @unhash: leave the tables, give the port back; @connect, @disconnect: take the lock themselves
 */
extern struct proto strata_ping_prot;

int strata_icmp_net_init(struct strata_net *sn);

/** strata_icmp_rcv() - strata_l4proto.rcv */
void strata_icmp_rcv(struct strata_net *sn, struct sk_buff *skb);
/** strata_icmp_err() - strata_l4proto.err: an error about an echo request of ours */
int strata_icmp_err(struct sk_buff *skb, u8 type, u8 code, u32 info);
/**
 * strata_icmp_send() - answer @skb with an ICMP error
 * @skb: the offending packet, network header set; stays the caller's
 * @info: 32 bits after the checksum in host order (next-hop MTU, pointer), else 0
 *
 * Silent where RFC 1122 3.2.2 forbids an answer, and above the rate limit. BH off.
 */
void strata_icmp_send(struct sk_buff *skb, u8 type, u8 code, u32 info);

/**
 * strata_icmp_errno() - errno and severity of an ICMP error (RFC 1122 4.2.3.9)
 * @fatal: set if a connection must end by it
 * Returns a positive errno.
 */
int strata_icmp_errno(u8 type, u8 code, bool *fatal);

/**
 * strata_sock_lost_unseen() - has a datagram ended by @err as on the way, unseen by its sender?
 * Nobody is at its next hop, and the socket has neither a peer nor IP_RECVERR: as native, where
 * it waits for the neighbour and then is lost, it is taken as sent. Socket lock
 */
static inline bool strata_sock_lost_unseen(const struct strata_sock *ep, int err)
{
	return err == -EHOSTUNREACH && !ep->recverr && ep->sk.sk_state != TCP_ESTABLISHED;
}

/**
 * strata_ping_walk() - call @fn for each ping socket from *@pos on, as strata_neigh_walk_rcu().
 * RCU is held in @fn: it may not sleep. The walk does, between chains: process context, without RCU
 */
int strata_ping_walk(struct strata_net *sn, long *pos,
		     int (*fn)(struct sock *sk, void *arg), void *arg);
/** strata_ping_queued() - bytes of all messages that wait to be read. Any context but hard IRQ */
u32 strata_ping_queued(struct sock *sk);

#endif /* _STRATA_ICMP_H */
