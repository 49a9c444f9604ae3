/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events, system "strata". Addresses are as the local socket sees them:
 * saddr/sport is ours, daddr/dport the peer's, whichever way the segment goes.
 * Sequence numbers are absolute, windows are in bytes (scaled).
 *
 * strata_tcp_state tells the states of a connection: that a small object stands for it from now
 * on is none. Of that object sk is the address then (tcp/tcp_timewait.c).
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM strata

#if !defined(_STRATA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _STRATA_TRACE_H

#include <linux/skbuff.h>
#include <linux/tracepoint.h>
#include <net/tcp_states.h>

#ifndef _STRATA_TRACE_SEG
#define _STRATA_TRACE_SEG
/**
 * struct strata_trace_seg - what the segment events show; all in host order
 * @saddr, @daddr: local and remote address, network order
 * @sport, @dport: local and remote port
 * @seq, @ack_seq: absolute sequence numbers
 * @len: payload in bytes
 * @wnd: advertised window in bytes, scaled
 * @tsval, @tsecr: RFC 7323 timestamps, 0 without
 * @flags: low octet of the TCP flags
 * @mss: MSS option of a SYN, 0 without
 * @wscale: window scale option of a SYN, 255 without
 * @sack_ok: SACK-permitted option of a SYN
 * @state: TCP_* state of the local end when the event fired
 */
struct strata_trace_seg {
	__be32	saddr;
	__be32	daddr;
	u16	sport;
	u16	dport;
	u32	seq;
	u32	ack_seq;
	u32	len;
	u32	wnd;
	u32	tsval;
	u32	tsecr;
	u16	flags;
	u16	mss;
	u8	wscale;
	u8	sack_ok;
	u8	state;
};
#endif

TRACE_EVENT(strata_tcp_state,
	TP_PROTO(const void *sk, __be32 saddr, __be16 sport, __be32 daddr, __be16 dport,
		 int oldstate, int newstate),
	TP_ARGS(sk, saddr, sport, daddr, dport, oldstate, newstate),
	TP_STRUCT__entry(
		__field(u64, sk)
		__array(__u8, saddr, 4)
		__array(__u8, daddr, 4)
		__field(u16, sport)
		__field(u16, dport)
		__field(u8, oldstate)
		__field(u8, newstate)
	),
	TP_fast_assign(
		__entry->sk = (u64)(unsigned long)sk;
		memcpy(__entry->saddr, &saddr, 4);
		memcpy(__entry->daddr, &daddr, 4);
		__entry->sport = ntohs(sport);
		__entry->dport = ntohs(dport);
		__entry->oldstate = oldstate;
		__entry->newstate = newstate;
	),
	TP_printk("sk=%llx %pI4:%u -> %pI4:%u state %u -> %u", __entry->sk,
		  __entry->saddr, __entry->sport, __entry->daddr, __entry->dport,
		  __entry->oldstate, __entry->newstate)
);

DECLARE_EVENT_CLASS(strata_tcp_seg,
	TP_PROTO(const void *sk, const struct strata_trace_seg *seg),
	TP_ARGS(sk, seg),
	TP_STRUCT__entry(
		__field(u64, sk)
		__array(__u8, saddr, 4)
		__array(__u8, daddr, 4)
		__field(u16, sport)
		__field(u16, dport)
		__field(u32, seq)
		__field(u32, ack_seq)
		__field(u32, len)
		__field(u32, wnd)
		__field(u32, tsval)
		__field(u32, tsecr)
		__field(u16, flags)
		__field(u16, mss)
		__field(u8, wscale)
		__field(u8, sack_ok)
		__field(u8, state)
	),
	TP_fast_assign(
		__entry->sk = (u64)(unsigned long)sk;
		memcpy(__entry->saddr, &seg->saddr, 4);
		memcpy(__entry->daddr, &seg->daddr, 4);
		__entry->sport = seg->sport;
		__entry->dport = seg->dport;
		__entry->seq = seg->seq;
		__entry->ack_seq = seg->ack_seq;
		__entry->len = seg->len;
		__entry->wnd = seg->wnd;
		__entry->tsval = seg->tsval;
		__entry->tsecr = seg->tsecr;
		__entry->flags = seg->flags;
		__entry->mss = seg->mss;
		__entry->wscale = seg->wscale;
		__entry->sack_ok = seg->sack_ok;
		__entry->state = seg->state;
	),
	TP_printk("sk=%llx %pI4:%u %pI4:%u flags=%x seq=%u ack=%u len=%u wnd=%u state=%u",
		  __entry->sk, __entry->saddr, __entry->sport, __entry->daddr,
		  __entry->dport, __entry->flags, __entry->seq, __entry->ack_seq,
		  __entry->len, __entry->wnd, __entry->state)
);

DEFINE_EVENT(strata_tcp_seg, strata_tcp_xmit,
	TP_PROTO(const void *sk, const struct strata_trace_seg *seg),
	TP_ARGS(sk, seg)
);

DEFINE_EVENT(strata_tcp_seg, strata_tcp_rcv,
	TP_PROTO(const void *sk, const struct strata_trace_seg *seg),
	TP_ARGS(sk, seg)
);

DEFINE_EVENT(strata_tcp_seg, strata_tcp_retransmit,
	TP_PROTO(const void *sk, const struct strata_trace_seg *seg),
	TP_ARGS(sk, seg)
);

TRACE_EVENT(strata_drop,
	TP_PROTO(const struct sk_buff *skb, int layer, int reason),
	TP_ARGS(skb, layer, reason),
	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__field(u32, len)
		__field(int, ifindex)
		__field(u16, reason)
		__field(u8, layer)
	),
	TP_fast_assign(
		__entry->skbaddr = skb;
		__entry->len = skb->len;
		__entry->ifindex = skb->skb_iif;
		__entry->reason = reason;
		__entry->layer = layer;
	),
	TP_printk("skb=%p len=%u ifindex=%d layer=%u reason=%u", __entry->skbaddr,
		  __entry->len, __entry->ifindex, __entry->layer, __entry->reason)
);

#endif /* _STRATA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
