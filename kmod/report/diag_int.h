/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of sock_diag share. */
#ifndef _STRATA_DIAG_INT_H
#define _STRATA_DIAG_INT_H

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <net/netlink.h>
#include "../tcp.h"
#include "../udp.h"
#include "../report.h"

/**
 * struct strata_diag_query - a request, checked
 * @sn: namespace of the asking socket
 * @proto: IPPROTO_TCP, _UDP or _ICMP
 * @ext: INET_DIAG_* wanted, bit n - 1 for number n
 * @states: bits of TCP_* wanted
 * @sport, @dport: only these ports, 0: any
 * @bc, @bc_len: filter program, checked by strata_diag_bc_check(); NULL: none
 * @net_admin: may see marks
 * @user_ns: of the asking socket, for user ids
 */
struct strata_diag_query {
	struct strata_net		*sn;
	u8				proto;
	u8				ext;
	u32				states;
	__be16				sport;
	__be16				dport;
	const struct inet_diag_bc_op	*bc;
	unsigned int			bc_len;
	bool				net_admin;
	struct user_namespace		*user_ns;
};

/** struct strata_diag_to - where a message goes: netlink's part of the header */
struct strata_diag_to {
	struct sk_buff	*skb;
	u32		portid;
	u32		seq;
	u16		type;
	u16		flags;
};

/* diag_filter.c */

/**
 * strata_diag_bc_check() - is the program safe to run and does it end
 * Returns 0, -EINVAL, -EPERM (asks for marks without @net_admin), -ENOMEM.
 */
int strata_diag_bc_check(const void *bc, unsigned int len, bool net_admin);
/** strata_diag_match() - does the query want this object */
bool strata_diag_match(const struct strata_diag_query *q, const struct strata_tcp_view *view);

/* diag_fill.c */

/** strata_diag_size() - the most bytes strata_diag_fill() writes */
size_t strata_diag_size(void);
/** strata_diag_fill() - one message about @view; 0 or -EMSGSIZE, then nothing was written. RCU */
int strata_diag_fill(const struct strata_diag_query *q, const struct strata_diag_to *to,
		     const struct strata_tcp_view *view);
/** strata_diag_cookie_init() - draw the key, before the first request */
void strata_diag_cookie_init(void);
/** strata_diag_cookie() - the name of an object, as two words */
void strata_diag_cookie(const struct strata_tcp_view *view, u32 cookie[2]);

/* proc_sock.c */

/** strata_proc_dgram_view() - fill @view from a UDP or ping socket, as far as it applies */
void strata_proc_dgram_view(struct sock *sk, struct strata_tcp_view *view);

#endif /* _STRATA_DIAG_INT_H */
