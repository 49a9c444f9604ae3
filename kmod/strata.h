/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Core of Strata: the state of one network namespace, and the module's table of locks. All is
 * made of the kernel's own types, so that the lowest layer knows nothing of those above it.
 *
 * THE LOCK TABLE (order: a lock may be taken while those above it are held)
 *
 * lock                    | protects                               | taken in
 * ------------------------+----------------------------------------+------------------------
 * rtnl_mutex              | strata_net.devs, addresses, routes,    | netlink, notifiers
 *                         | binding of devices (writers)           |
 * socket lock (listener   | everything in struct strata_sock and   | user calls: lock_sock();
 *  before child)          | the protocol's part behind it          | BH: bh_lock_sock + backlog
 * strata_bind_chain.lock  | buckets (local ports) of one hash chain | bind, connect, close; BH off
 *                         | and their owners                       |
 * listeners' bucket locks | chains of the table of listeners       | hash, unhash; BH off
 * strata_tcp_listener.lock| accept queue, Fast Open's resets       | handshake, accept; BH off
 * strata_tcp_reqs.lock    | half-open requests of one listener     | BH
 * hash bucket locks       | chains of the socket tables            | hash, unhash; BH off
 *  (tcp ehash, udp, ping) |                                        |
 * strata_tcp_tw.lock      | a TIME-WAIT object's sequence state    | receive, connect, end; BH off
 * reuseport_lock          | SO_REUSEPORT groups; the kernel's      | listen, bind, unhash; BH off
 * strata_fastopen_net.lock| cookies of Fast Open servers           | any, BH off
 * strata_pmtu_net.lock    | path MTUs learnt (writers), their timer| any, BH off
 * strata_icmp_net.lock    | token buckets of ICMP errors           | any, BH off
 * cong_lock               | the congestion controls there are      | modules, sysctls
 * locks of socklist.c     | sockets made by socket(2), sk_bind_node| socket(), close(), reports
 * strata_neigh_net.lock   | neighbour table (writers)              | any, BH off
 * strata_neigh.lock       | state, link address, pending queue     | any, BH off
 * sk_peer_lock            | whose the socket is (owner.c); the     | accept, receive, reports;
 *                         | kernel's                               | no lock but the socket's
 * loop_cpu.in.lock        | packets looped on one CPU              | any, BH off
 *
 * Readers of every table use RCU. No per-packet path takes a lock shared by all sockets, nor writes
 * a cache line shared by all CPUs, but for identifications other than TCP's (ip/ip_xmit.c).
 *
 * Lifetimes, the table of them is in README.md: what readers may meet under RCU is
 * freed after a grace period; sockets are not, but their slab keeps its type
 * (SLAB_TYPESAFE_BY_RCU). A half-open request is met under its bucket's lock alone.
 */
#ifndef _STRATA_H
#define _STRATA_H

#include <linux/types.h>
#include <linux/in.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/percpu_counter.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "compat/compat.h"
#include "conf.h"

struct strata_mib;
struct strata_dev;
struct strata_fib;
struct fqdir;
struct ctl_table_header;
struct strata_fastopen_keys;

#define STRATA_ADDR_HASH_BITS	8
#define STRATA_NEIGH_HASH_BITS	8
#define STRATA_PMTU_HASH_BITS	8
#define STRATA_GEN_BITS		6	/* at most STRATA_PMTU_HASH_BITS */
#define STRATA_MAX_FAMILY_NAME	"strata"

extern unsigned int strata_family;	/* module parameter `family` */
extern unsigned int strata_net_id;

/**
 * struct strata_neigh_net - the neighbour cache of a namespace (arp/neigh.c)
 * @lock: serialises insertion and removal; readers use RCU
 * @hash: struct strata_neigh by (device, IPv4 address)
 * @count: entries that are not static
 * @full: jiffies of the last time nothing could be pushed out of a full table
 * @gc: periodic collection, runs while there are entries
 * @announce: second announcements of new addresses (RFC 5227 2.3)
 */
struct strata_neigh_net {
	spinlock_t		lock;	/* see above */
	struct hlist_head	hash[1 << STRATA_NEIGH_HASH_BITS];
	atomic_t		count;
	unsigned long		full;
	struct delayed_work	gc;
	struct delayed_work	announce;
};

/**
 * struct strata_pmtu_net - path MTUs learnt from ICMP (ip/pmtu.c, RFC 1191)
 * @lock: serialises writers; readers use RCU
 * @hash: by destination address
 * @count: entries
 * @timer: the next one expires
 */
struct strata_pmtu_net {
	spinlock_t		lock;	/* see above */
	struct timer_list	timer;
	struct hlist_head	hash[1 << STRATA_PMTU_HASH_BITS];
	unsigned int		count;
};

#define STRATA_ICMP_HOSTS	256

/**
 * struct strata_icmp_net - token buckets of ICMP errors (icmp/icmp_xmit.c)
 * @lock: protects them
 * @credit: errors that may be sent now, to whom ever; @stamp: jiffies of the last refill
 * @key: secret of the hash by which hosts have their place in @host; constant
 * @host: jiffies since when a host has been earning what it has not spent
 */
struct strata_icmp_net {
	spinlock_t		lock;	/* see above */
	u32			credit;
	unsigned long		stamp;
	siphash_aligned_key_t	key;
	unsigned long		host[STRATA_ICMP_HOSTS];
};

/* clients' cookies are kept in so many chains, each no longer than the other (RFC 7413 4.1.3) */
#define STRATA_FASTOPEN_CHAINS	64

/**
 * struct strata_fastopen_net - TCP Fast Open (tcp/tcp_fastopen.c, tcp_fastopen_cache.c)
 * @keys: of the cookies we give; RCU, xchg() for writers
 * @lock: protects the cache of cookies we got; @chain: of it, by the addresses
 * @blackholes: in a row; @blackhole_at: jiffies of the last
 */
struct strata_fastopen_net {
	struct strata_fastopen_keys __rcu *keys;
	spinlock_t		lock;	/* see above */
	struct hlist_head	chain[STRATA_FASTOPEN_CHAINS];
	atomic_t		blackholes;
	unsigned long		blackhole_at;
};

/**
 * struct strata_net - all of Strata's state in one network namespace
 * @net: back pointer; not counted, struct net outlives this
 * @mib: per-CPU SNMP counters (stats.h)
 * @conf: the sysctls net.strata.* (conf.h)
 * @devs: bound devices, struct strata_dev.node; rtnl for writers, RCU readers
 * @loop: what looped packets come in by (dev/loop.c)
 * @addr_hash: struct strata_ifaddr.hash by local address; rtnl, RCU readers
 * @route_gen: by destination; a struct strata_path made under another value is stale. A change of
 *	an address, route or device bumps all, of a path MTU one; @dump_seq: of the first two; rtnl
 * @fib: routes by longest prefix (ip/route_lpm.c); rtnl, RCU readers
 * @neigh: neighbour cache; @pmtu: path MTU cache; @icmp: rate limit
 * @frags: reassembly queues (ip/ip_reasm.c); @frag_sources: fragments that came, by source
 * @tcp_cong: default congestion control; xchg() for writers, RCU readers
 * @tfo: TCP Fast Open
 * @tcp_orphans: TCP sockets without a descriptor; @tcp_tw: objects in TIME-WAIT
 * @key: the namespace's salt; the secret of ISNs, ports and hashes is module-wide
 */
struct strata_net {
	struct net		*net;
	struct strata_mib __percpu *mib;
	struct strata_net_conf	conf;

	struct list_head	devs;
	struct strata_dev	*loop;
	struct hlist_head	addr_hash[1 << STRATA_ADDR_HASH_BITS];
	atomic_t		route_gen[1 << STRATA_GEN_BITS];
	u32			dump_seq;
	struct strata_fib	*fib;

	struct strata_neigh_net	neigh;
	struct strata_pmtu_net	pmtu;
	struct strata_icmp_net	icmp;
	struct fqdir		*frags;
	atomic_t		*frag_sources;

	const struct strata_tcp_cong_ops __rcu *tcp_cong;
	struct strata_fastopen_net tfo;
	struct percpu_counter	tcp_orphans;
	struct percpu_counter	tcp_tw;
	/* challenge ACKs left in this second; approximate: written without a lock */
	u32			tcp_challenge_sec;
	u32			tcp_challenge_left;
	unsigned long		tcp_cookie_sent;	/* jiffies of the last SYN cookie, or 0 */

	u32			key;
	struct ctl_table_header	*sysctl;
	struct proc_dir_entry	*proc;
};

/** strata_net() - Strata's part of a namespace; never NULL while the module is loaded */
static inline struct strata_net *strata_net(const struct net *net)
{
	return net_generic(net, strata_net_id);
}

/** strata_route_changed() - make every cached struct strata_path of @sn stale */
static inline void strata_route_changed(struct strata_net *sn)
{
	int i;

	smp_mb__before_atomic();	/* the change itself comes first */
	for (i = 0; i < ARRAY_SIZE(sn->route_gen); i++)
		atomic_inc(&sn->route_gen[i]);
}

#define STRATA_RCV_LOOP		0x01	/* looped back inside Strata */
#define STRATA_RCV_BROADCAST	0x02	/* to a broadcast address */
#define STRATA_RCV_MULTICAST	0x04	/* to a multicast group */
#define STRATA_RCV_SENT		0x08	/* on an error queue: one of ours */
#define STRATA_RCV_LOCAL	0x10	/* to an address of ours, as dev has found */

/**
 * struct strata_rcv_cb - what IP knows of a received packet; first in skb->cb
 * @iif: index of the device it came in by; looped: that has the destination, or "lo"
 * @flags: STRATA_RCV_*
 * @frag_max: largest fragment in bytes if it was reassembled, else 0
 *
 * Layer 4 keeps its own parsed header behind it (struct strata_tcp_seg).
 */
struct strata_rcv_cb {
	int			iif;
	u8			flags;
	u8			pad;
	u16			frag_max;
};

#define STRATA_RCV_CB(skb)	((struct strata_rcv_cb *)&((skb)->cb[0]))

/**
 * struct strata_layer - one rung of the ladder in main.c; any member may be NULL
 * @init: caches and tables of the module, before any namespace is set up; @exit frees
 *	them when no namespace is left and all RCU callbacks have run
 * @net_init: a namespace begins; @net_exit: it ends, nothing of it may be left
 * @start: open to the outside (families, notifiers, netlink), when every namespace is
 *	ready; @stop: close again, before any namespace ends
 */
struct strata_layer {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
	int (*net_init)(struct strata_net *sn);
	void (*net_exit)(struct strata_net *sn);
	int (*start)(void);
	void (*stop)(void);
};

#endif /* _STRATA_H */
