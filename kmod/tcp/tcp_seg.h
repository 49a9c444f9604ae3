/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A received segment, parsed once, in host order; lives in skb->cb from
 * strata_tcp_rcv() on, also on the receive and out-of-order queues.
 */
#ifndef _STRATA_TCP_SEG_H
#define _STRATA_TCP_SEG_H

#include <linux/skbuff.h>
#include <net/tcp_states.h>
#include "tcp_alg.h"
#include "../strata.h"

/* header flags, low octet (RFC 9293 3.1) */
#define STRATA_TCP_FIN	0x01
#define STRATA_TCP_SYN	0x02
#define STRATA_TCP_RST	0x04
#define STRATA_TCP_PSH	0x08
#define STRATA_TCP_ACK	0x10
#define STRATA_TCP_URG	0x20
#define STRATA_TCP_ECE	0x40
#define STRATA_TCP_CWR	0x80

/**
 * struct strata_tcp_seg - SEG.* of RFC 9293 3.3.1
 * @rcv: IP's part, first
 * @seq, @end_seq: SEG.SEQ and SEG.SEQ + SEG.LEN, where SYN and FIN count one each
 * @ack: SEG.ACK
 * @opts: options
 * @wnd: SEG.WND as on the wire, not scaled
 * @urg: SEG.UP, offset
 * @flags: STRATA_TCP_*
 * @hdrlen: TCP header with options, bytes
 * @ecn: the two bits of IP's ECN field (RFC 3168)
 * @hash: of the connection, by strata_tcp_lookup_skb()
 */
struct strata_tcp_seg {
	struct strata_rcv_cb	rcv;
	u32			seq;
	u32			end_seq;
	u32			ack;
	struct strata_tcp_opts	opts;
	u16			wnd;
	u16			urg;
	u8			flags;
	u8			hdrlen;
	u8			ecn;
	u32			hash;
};

#define STRATA_TCP_SEG(skb)	((struct strata_tcp_seg *)&((skb)->cb[0]))
#define STRATA_TCP_TX(skb)	((struct strata_tcp_tx *)&((skb)->cb[0]))

static inline const struct sk_buff *strata_tcp_seg_skb(const struct strata_tcp_seg *seg)
{
	return container_of((const void *)seg, struct sk_buff, cb);
}

#endif /* _STRATA_TCP_SEG_H */
