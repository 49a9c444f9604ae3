// SPDX-License-Identifier: GPL-2.0-only
#include "icmp_int.h"
#include "stats.h"
int strata_ping_init(void) { return 0; }
void strata_ping_exit(void) { }
void strata_ping_rcv(struct sk_buff *skb) { strata_drop(skb, STRATA_LAYER_ICMP, SKB_DROP_REASON_NO_SOCKET); }
int strata_icmp_err(struct sk_buff *skb, u8 type, u8 code, u32 info) { return -ENOENT; }
