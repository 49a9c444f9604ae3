/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Socket memory beyond what the protocol's limits (tcp_mem, udp_mem) grant: see sockmem.c.
 */
#ifndef STRATA_SOCKMEM_H
#define STRATA_SOCKMEM_H

#include <net/sock.h>

/**
 * strata_sock_mem_force() - @size bytes that the limits refused and that must be there all the
 * same, charged to the protocol's account. Whoever owns sk_forward_alloc
 */
void strata_sock_mem_force(struct sock *sk, int size);
/**
 * strata_sock_mem_floor() - @size bytes that the limits refused, for a socket below its minimum
 * @used: bytes it has in that direction, @min: tcp_rmem[0], tcp_wmem[0], udp_rmem_min. So that one
 * that reads is not starved by those that do not. Not above the hard limit, and a memory cgroup
 * knows no such floor: false. Whoever owns sk_forward_alloc
 */
bool strata_sock_mem_floor(struct sock *sk, int size, int used, int min);

#endif
