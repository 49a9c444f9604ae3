/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * udp: datagrams (RFC 768, 1122 4.1).
 */
#ifndef _STRATA_UDP_H
#define _STRATA_UDP_H

#include "icmp.h"
#include "port.h"

extern struct proto strata_udp_prot;

int strata_udp_init(void);
void strata_udp_exit(void);

/** strata_udp_rcv() - strata_l4proto.rcv; strata_udp_err() - strata_l4proto.err */
void strata_udp_rcv(struct strata_net *sn, struct sk_buff *skb);
int strata_udp_err(struct sk_buff *skb, u8 type, u8 code, u32 info);

/** strata_udp_walk() - as strata_ping_walk() */
int strata_udp_walk(struct strata_net *sn, long *pos,
		    int (*fn)(struct sock *sk, void *arg), void *arg);

/** strata_udp_queued() - bytes of all datagrams that wait to be read. Any context but hard IRQ */
u32 strata_udp_queued(struct sock *sk);

/** strata_udp_splice_eof() - the splice that fed sendmsg(MSG_MORE) ended: send; takes the lock */
void strata_udp_splice_eof(struct socket *sock);

/** strata_udp_inq() - bytes of the next datagram (SIOCINQ) */
int strata_udp_inq(struct sock *sk);

#endif /* _STRATA_UDP_H */
