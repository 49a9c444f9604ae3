/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of icmp/ share among themselves.
 */
#ifndef _STRATA_ICMP_INT_H
#define _STRATA_ICMP_INT_H

#include "icmp.h"

/**
 * strata_icmp_reply() - answer an echo request with itself (RFC 792, RFC 1122 3.2.2.6)
 * @skb: data at the ICMP header, checked; consumed
 */
void strata_icmp_reply(struct sk_buff *skb);

/** strata_icmp_count_out() - OutMsgs and the counter of @type */
void strata_icmp_count_out(struct strata_net *sn, u8 type);

void strata_icmp_rate_init(struct strata_net *sn);

/** strata_ping_rcv() - an echo reply, RFC 8335's too; data at the ICMP header, checked; consumed */
void strata_ping_rcv(struct sk_buff *skb);

#endif /* _STRATA_ICMP_INT_H */
