/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of udp/ share. */
#ifndef _STRATA_UDP_INT_H
#define _STRATA_UDP_INT_H

#include <linux/rculist.h>
#include <linux/rculist_nulls.h>
#include <linux/udp.h>
#include "../udp.h"
#include "../stats.h"

/* payload of the largest datagram: 65535 - 20 - 8 */
#define STRATA_UDP_MAX	(0xffff - sizeof(struct iphdr) - sizeof(struct udphdr))

/**
 * struct strata_udp_sock - a UDP socket
 * @ep: must be first
 * @addr_node: in the table by (local address, port), while bound
 * @addr_chain: chain of that table it is in
 * @pair_node: in the table by both ends, while connected to an address and port
 * @pair_chain: chain of that table it is in
 * @corked: UDP_CORK
 * @pending: datagram being collected (MSG_MORE, UDP_CORK): payload only, NULL without
 * @pending_fl: where it goes
 * @pending_gso: what it is cut into, as @gso_size
 * @dest: path to the last destination of an unconnected send
 * @dest_fl: what it was made for, before the route chose a source address
 * @gso_size: UDP_SEGMENT: payload of each datagram that a send is cut into, 0: it is one
 * @gro: UDP_GRO: such sends, and what a device has merged, are received whole
 *
 * locking: the socket lock, but none for @gso_size and @gro; the nodes by their chain's lock
 * and RCU (the socket is freed after a grace period: SOCK_RCU_FREE).
 */
struct strata_udp_sock {
	struct strata_sock		ep;

	struct hlist_nulls_node		addr_node;
	struct hlist_nulls_node		pair_node;
	u32				addr_chain;
	u32				pair_chain;
	u8				corked:1;

	struct sk_buff			*pending;
	struct strata_flow		pending_fl;
	u16				pending_gso;

	struct strata_path		dest;
	struct strata_flow		dest_fl;

	u16				gso_size;
	bool				gro;
};

static inline struct strata_udp_sock *strata_udp_sk(const struct sock *sk)
{
	return (struct strata_udp_sock *)sk;
}

/**
 * strata_udp_fits() - may @size bytes be queued where @used of @rcvbuf are?
 * As native the datagram that crosses the limit still fits, unless the sum could wrap
 */
static inline bool strata_udp_fits(unsigned int used, unsigned int size, unsigned int rcvbuf)
{
	return used + size <= rcvbuf || (rcvbuf <= INT_MAX >> 1 && used <= rcvbuf);
}

/** strata_udp_payload() - bytes the user sees of a queued datagram: its header stays before them */
static inline int strata_udp_payload(const struct sk_buff *skb)
{
	return skb->len - sizeof(struct udphdr);
}

/** strata_udp_headroom() - before the payload of a datagram to be sent, bytes */
static inline unsigned int strata_udp_headroom(void)
{
	return strata_ip_headroom() + sizeof(struct udphdr);
}

/* udp_table.c */

int strata_udp_table_init(void);
void strata_udp_table_exit(void);
/**
 * strata_udp_hash_bound() - bound: enter the table by local address, and a group (SO_REUSEPORT).
 * 0, -ENOMEM; socket lock
 */
int strata_udp_hash_bound(struct sock *sk);
/** strata_udp_rehash() - its peer, or with it the local address, has changed; socket lock */
void strata_udp_rehash(struct sock *sk);
/** strata_udp_set_laddr() - the local address changes, and with it the group; socket lock */
void strata_udp_set_laddr(struct sock *sk, __be32 laddr);
/** strata_udp_unhash_table() - leave the tables; idempotent; socket lock */
void strata_udp_unhash_table(struct sock *sk);

/**
 * struct strata_udp_key - a datagram as the lookup sees it
 * Local is the receiver's side. @skb: the datagram itself, for programs; NULL: it is not there
 */
struct strata_udp_key {
	struct strata_net	*sn;
	__be32			laddr;
	__be32			raddr;
	__be16			lport;
	__be16			rport;
	int			iif;
	struct sk_buff		*skb;
};

/** strata_udp_lookup_rcu() - the socket a datagram is for, not counted; NULL: none. RCU */
struct sock *strata_udp_lookup_rcu(const struct strata_udp_key *key);
/**
 * strata_udp_each_rcu() - call @fn for all sockets a broadcast or multicast is for
 * Returns how many there were. RCU
 */
int strata_udp_each_rcu(const struct strata_udp_key *key,
			void (*fn)(struct sock *sk, void *arg), void *arg);

/* udp_recv.c */

/** strata_udp_queue() - charge and queue a datagram; on success it is given away. RCU, BH off */
enum skb_drop_reason strata_udp_queue(struct sock *sk, struct sk_buff *skb);
/** strata_udp_purge() - free the receive queue and give its memory back */
void strata_udp_purge(struct sock *sk);
int strata_udp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addrlen);

/* udp_xmit.c */

int strata_udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
/** strata_udp_push_pending() - send what is corked; socket lock. 0 or -errno */
int strata_udp_push_pending(struct sock *sk);
/** strata_udp_flush_pending() - forget what is corked; socket lock */
void strata_udp_flush_pending(struct sock *sk);

/* udp_zerocopy.c */

/** strata_udp_zerocopy() - is @msg to be sent by MSG_ZEROCOPY? No lock */
bool strata_udp_zerocopy(const struct sock *sk, const struct msghdr *msg);
/**
 * strata_udp_zerocopy_in() - an skb with the user's pages, and who is told when they are free
 * @zerocopy: no, with a copy of them. Waits for room: no lock. ERR_PTR(-errno): nobody is told
 */
struct sk_buff *strata_udp_zerocopy_in(struct sock *sk, struct msghdr *msg, size_t len,
				       bool zerocopy);
/** strata_udp_zerocopy_sg() - does the device take what is not in one piece? Socket lock */
bool strata_udp_zerocopy_sg(const struct strata_path *path);
/**
 * strata_udp_zerocopy_corked() - tell so of @len bytes about to be copied to @skb. 0, -ENOBUFS.
 * Socket lock
 */
int strata_udp_zerocopy_corked(struct sock *sk, struct sk_buff *skb, size_t len);

#endif /* _STRATA_UDP_INT_H */
