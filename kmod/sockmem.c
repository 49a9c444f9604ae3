// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core's guarantee of a minimum below the limits of memory reads numbers of the protocol
 * (struct proto's sysctl_rmem, sysctl_wmem); ours belong to namespaces, so those are 0 there and
 * the guarantee is here.
 */

#include <linux/memcontrol.h>
#include "sockmem.h"

static void charge_pages(struct sock *sk, int pages)
{
	WRITE_ONCE(sk->sk_forward_alloc, sk->sk_forward_alloc + (pages << PAGE_SHIFT));
	/* sk_memory_allocated_add() needs a symbol that 6.1 does not export */
	atomic_long_add(pages, sk->sk_prot->memory_allocated);
}

void strata_sock_mem_force(struct sock *sk, int size)
{
	int delta = size - sk->sk_forward_alloc;

	/*
	 * A memory cgroup can be charged against its will by the core alone: there the
	 * socket's account goes below zero until something is freed.
	 */
	if (delta <= 0 || (mem_cgroup_sockets_enabled && sk->sk_memcg))
		return;
	charge_pages(sk, sk_mem_pages(delta));
}

bool strata_sock_mem_floor(struct sock *sk, int size, int used, int min)
{
	const struct proto *prot = sk->sk_prot;
	int pages;

	if (used >= min || (mem_cgroup_sockets_enabled && sk->sk_memcg))
		return false;
	pages = sk_mem_pages(size - sk->sk_forward_alloc);
	if (atomic_long_read(prot->memory_allocated) + pages > READ_ONCE(prot->sysctl_mem[2]))
		return false;
	charge_pages(sk, pages);
	return true;
}
