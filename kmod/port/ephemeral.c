// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports chosen by the stack (RFC 6056).
 *
 * bind(0) takes the first free port behind a random one (RFC 6056 3.3.2). An active open
 * walks the range from a start that depends on the peer by a keyed hash, plus a counter
 * out of a table that another hash indexes (RFC 6056 3.3.4, double-hash selection): ports
 * towards one peer do not repeat soon, and say nothing about those towards others. As in
 * the native stack TCP's bind(0) begins with odd ports and active opens with even ones, so
 * that the two seldom meet; not in a range of the socket's own (IP_LOCAL_PORT_RANGE), which
 * has few.
 */

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <net/netns/hash.h>
#include "port_int.h"

#define PERTURB_BITS	16

static u32 *perturb;
static siphash_aligned_key_t port_key;

/*
 * struct port_walk - an order of the ports of a range
 * @low: first port; @count: ports; @start: index of the first one tried
 * @stride: 2: all ports of @start's parity before the others, else 1
 */
struct port_walk {
	u32	low;
	u32	count;
	u32	start;
	u32	stride;
};

/* each end of IP_LOCAL_PORT_RANGE that lies in the namespace's range takes its place, as native */
static void walk_range(const struct sock *sk, struct port_walk *w, u32 stride)
{
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	u32 low = READ_ONCE(conf->ip_local_port_range[0]);
	u32 high = READ_ONCE(conf->ip_local_port_range[1]);
	u32 own = strata_sk(sk)->port_range;
	u32 own_low = own & U16_MAX, own_high = own >> 16;

	if (own_low >= low && own_low <= high)
		low = own_low;
	if (own_high >= low && own_high <= high)
		high = own_high;
	w->low = low;
	w->count = high >= low ? high - low + 1 : 1;
	w->stride = stride;
	if (stride == 2 && w->count > 1)
		w->count &= ~1U;
}

static u16 walk_port(const struct port_walk *w, u32 i)
{
	u32 half = w->count / 2;
	u32 index;

	if (w->stride == 1 || w->count == 1)
		index = w->start + i;
	else if (i < half)
		index = w->start + 2 * i;
	else
		index = (w->start ^ 1) + 2 * (i - half);
	return w->low + index % w->count;
}

/* RFC 6056 3.2: left to programs that ask for it (ip_local_reserved_ports) */
static bool port_reserved(const struct sock *sk, u16 port)
{
	return test_bit(port, strata_sk_net(sk)->conf.ip_local_reserved_ports);
}

static int bind_any(struct sock *sk, const struct port_walk *w, bool relax)
{
	u32 i;
	int err;

	for (i = 0; i < w->count; i++) {
		u16 port = walk_port(w, i);

		if (port_reserved(sk, port))
			continue;
		err = strata_port_take(sk, port, relax);
		if (err != -EADDRINUSE)
			return err;
		cond_resched();
	}
	return -EADDRINUSE;
}

int strata_port_bind_any(struct sock *sk)
{
	bool tcp = strata_sk(sk)->proto == IPPROTO_TCP;
	struct port_walk w;
	int err;

	walk_range(sk, &w, tcp ? 2 : 1);
	w.start = reciprocal_scale(get_random_u32(), w.count);
	if (tcp && w.count > 1)
		w.start |= 1;
	err = bind_any(sk, &w, false);
	/* as native: who listens shall not be one of two by chance */
	if (err == -EADDRINUSE && sk->sk_reuse &&
	    (!tcp || READ_ONCE(strata_sk_net(sk)->conf.ip_autobind_reuse)))
		err = bind_any(sk, &w, true);
	return err;
}

int strata_port_connect(struct sock *sk, int (*try)(struct sock *sk))
{
	struct strata_sock *ep = strata_sk(sk);
	struct port_walk w;
	u64 hash;
	u32 *salt;
	u32 i;
	int err;

	hash = siphash_4u32((__force u32)ep->laddr, (__force u32)ep->raddr,
			    (__force u32)ep->rport, net_hash_mix(sock_net(sk)), &port_key);
	salt = &perturb[hash & ((1 << PERTURB_BITS) - 1)];
	walk_range(sk, &w, ep->port_range ? 1 : 2);
	w.start = (READ_ONCE(*salt) + (u32)(hash >> 32)) % w.count;
	if (w.stride == 2)
		w.start &= ~1U;

	for (i = 0; i < w.count; i++) {
		u16 port = walk_port(&w, i);

		if (port_reserved(sk, port))
			continue;
		err = strata_port_take_auto(sk, port);
		if (!err) {
			err = try(sk);
			if (!err) {
				WRITE_ONCE(*salt, READ_ONCE(*salt) + (i + 1) * w.stride);
				return 0;
			}
			strata_port_put(sk);
			if (err != -EADDRNOTAVAIL)
				return err;
		} else if (err != -EADDRINUSE) {
			return err;
		}
		cond_resched();
	}
	return -EADDRNOTAVAIL;
}

int strata_port_init(void)
{
	int err;

	perturb = kvcalloc(1 << PERTURB_BITS, sizeof(*perturb), GFP_KERNEL);
	if (!perturb)
		return -ENOMEM;
	get_random_bytes(perturb, sizeof(*perturb) << PERTURB_BITS);
	get_random_bytes(&port_key, sizeof(port_key));
	err = strata_port_table_init();
	if (err)
		kvfree(perturb);
	return err;
}

void strata_port_exit(void)
{
	strata_port_table_exit();
	kvfree(perturb);
}
