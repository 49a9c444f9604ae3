/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segments out: transmit queues, what to send now, building it. Part of tcp_int.h.
 */
#ifndef _STRATA_TCP_OUT_H
#define _STRATA_TCP_OUT_H

#include "tcp_sock.h"
#include "tcp_tsq.h"

/* tcp_queue.c: transmit queues. Locked */

/* room before the payload: TCP header with options, IP and link headers */
#define STRATA_TCP_HEADROOM	(LL_MAX_HEADER + sizeof(struct iphdr) + 60)

/**
 * strata_tcp_tx_alloc() - an empty entry for the write queue, or NULL; @force: beyond the
 * memory limits
 */
struct sk_buff *strata_tcp_tx_alloc(struct sock *sk, gfp_t gfp, bool force);
/** strata_tcp_tx_entail() - put a new entry at the end of the write queue, seq = write_seq */
void strata_tcp_tx_entail(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_tx_free() - free an entry that is on no queue, with its accounting */
void strata_tcp_tx_free(struct sock *sk, struct sk_buff *skb);
/**
 * strata_tcp_tx_split() - cut an entry at @len payload bytes; the rest follows it in the same queue
 * @rtx: it is in the retransmit queue. Returns 0 or -ENOMEM
 */
int strata_tcp_tx_split(struct sock *sk, struct sk_buff *skb, u32 len, bool rtx, gfp_t gfp);
/**
 * strata_tcp_tx_gather() - the first @len bytes or more of the write queue in its first entry;
 * NULL: they cannot be in one, or no memory
 */
struct sk_buff *strata_tcp_tx_gather(struct sock *sk, u32 len, gfp_t gfp);
/** strata_tcp_tx_trim_head() - drop @len payload bytes that are acknowledged; 0 or -ENOMEM */
int strata_tcp_tx_trim_head(struct sock *sk, struct sk_buff *skb, u32 len);
/**
 * strata_tcp_rtx_enter() - the head of the write queue was sent: move it to the retransmit
 * queue
 */
void strata_tcp_rtx_enter(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_rtx_free() - out of the retransmit queue, and free */
void strata_tcp_rtx_free(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_rtx_find() - first entry whose end lies after @seq, or NULL */
struct sk_buff *strata_tcp_rtx_find(const struct sock *sk, u32 seq);
/** strata_tcp_rtx_untime(), _retime() - off the list by transmission time; onto its end */
void strata_tcp_rtx_untime(struct sk_buff *skb);
void strata_tcp_rtx_retime(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_tx_purge() - free both transmit queues and zero the scoreboard's counts */
void strata_tcp_tx_purge(struct sock *sk);

/** strata_tcp_tx_idle() - is nothing to be sent, and all acknowledged? Locked */
static inline bool strata_tcp_tx_idle(const struct sock *sk)
{
	return skb_queue_empty(&sk->sk_write_queue) && RB_EMPTY_ROOT(&sk->tcp_rtx_queue);
}

static inline struct sk_buff *strata_tcp_rtx_head(const struct sock *sk)
{
	return skb_rb_first(&sk->tcp_rtx_queue);
}

static inline struct sk_buff *strata_tcp_rtx_tail(const struct sock *sk)
{
	return skb_rb_last(&sk->tcp_rtx_queue);
}

/* tcp_entry.c */

/** strata_tcp_entry_alloc() - an empty fclone skb, with headroom for all headers; or NULL */
struct sk_buff *strata_tcp_entry_alloc(gfp_t gfp);
/** strata_tcp_entry_free() - free one that is on no queue, or keep it for the next alloc */
void strata_tcp_entry_free(struct sk_buff *skb);
/** strata_tcp_entry_exit() - free what the CPUs keep; no socket is left */
void strata_tcp_entry_exit(void);

/* tcp_frag.c */

/**
 * strata_tcp_frag_refill() - make room in @frag for bytes to send, from blocks that were used
 * before where there are free ones. False: no memory. Locked, process context
 */
bool strata_tcp_frag_refill(struct sock *sk, struct page_frag *frag);
/** strata_tcp_frag_exit() - give the blocks back; no socket is left */
void strata_tcp_frag_exit(void);

/* tcp_tstamp.c: SO_TIMESTAMPING */

/** strata_tcp_tstamp_mark() - the last byte queued ends a write that wants these stamps. Locked */
void strata_tcp_tstamp_mark(struct sock *sk, u32 tsflags);
/** strata_tcp_tstamp_split() - @rest was cut off @skb: the stamp goes where its byte is. Locked */
void strata_tcp_tstamp_split(struct sk_buff *skb, struct sk_buff *rest);
/**
 * strata_tcp_tstamp_acked() - @skb, the head of the retransmit queue, has STRATA_TXB_TSTAMP: is
 * its byte acknowledged now, by @ack? Locked
 */
void strata_tcp_tstamp_acked(struct sock *sk, struct sk_buff *skb, const struct sk_buff *ack,
			     u32 prior_una);
/** strata_tcp_tstamp_sent() - @skb, of which the core is to take stamps, is leaving. Locked */
void strata_tcp_tstamp_sent(struct strata_tcp_sock *tp, const struct sk_buff *skb);
/** strata_tcp_error_report() - sk->sk_error_report: completes new stamps. Any context */
void strata_tcp_error_report(struct sock *sk);
/** strata_tcp_tstamp_recv() - beside bytes that were read: when they came; 0: not known */
void strata_tcp_tstamp_recv(struct msghdr *msg, const struct sock *sk, ktime_t soft, ktime_t hard);

/* tcp_output.c */

/** strata_tcp_ctl_seq() - sequence number of a segment without data. Locked */
u32 strata_tcp_ctl_seq(const struct strata_tcp_sock *tp);
/**
 * strata_tcp_output_now() - send all that tp->todo asks for. Locked; the clock has just been
 * read. The only place that clears todo bits
 */
void strata_tcp_output_now(struct sock *sk);
/** strata_tcp_output_backlog() - the same, after a segment of the backlog; but one ACK for all */
void strata_tcp_output_backlog(struct sock *sk);
/** strata_tcp_output() - read the clock, then the same */
static inline void strata_tcp_output(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (!tp->todo)
		return;
	strata_tcp_mstamp(tp);
	strata_tcp_output_now(sk);
}

/** strata_tcp_queue_fin() - queue a FIN behind the data, and todo. Never fails for good. Locked */
void strata_tcp_queue_fin(struct sock *sk);
/** strata_tcp_cur_mss() - payload of a full segment now: path MTU and options, bytes. Locked */
u32 strata_tcp_cur_mss(struct sock *sk);
/** strata_tcp_burst_segs() - segments of about a millisecond at the pacing rate */
u32 strata_tcp_burst_segs(const struct sock *sk, u32 mss);
/** strata_tcp_update_pacing() - sk_pacing_rate from cwnd and srtt. Locked */
void strata_tcp_update_pacing(struct sock *sk);
/**
 * strata_tcp_send_one() - one segment of new data whatever cwnd says; for tcp_rexmit.c. 0 or
 * -errno
 */
int strata_tcp_send_one(struct sock *sk, gfp_t gfp);
/* tcp_rwnd.c */

/**
 * strata_tcp_select_window() - the header's window field for a segment that leaves now; updates
 * rwnd
 */
u16 strata_tcp_select_window(struct sock *sk);
/**
 * strata_tcp_cleanup_rbuf() - after the user read @copied bytes: ask for a window update if it
 * is worth one, and output
 */
void strata_tcp_cleanup_rbuf(struct sock *sk, int copied);
/** strata_tcp_reader_waits() - it read @copied bytes and is about to sleep for more: the same */
void strata_tcp_reader_waits(struct sock *sk, int copied);
/** strata_tcp_window_ok() - would an ACK sent now open the window by all that came? Locked */
bool strata_tcp_window_ok(struct sock *sk);

/* tcp_rexmit.c: parts of strata_tcp_output(). Locked */

void strata_tcp_rexmit(struct sock *sk, gfp_t gfp);
void strata_tcp_send_tlp(struct sock *sk, gfp_t gfp);
void strata_tcp_send_probe(struct sock *sk, gfp_t gfp);

/* tcp_xmit.c: build one segment and hand it to IP */

/**
 * strata_tcp_xmit_skb() - (re)transmit one queue entry: clones it, adds header. 0 or -errno.
 * Locked
 */
int strata_tcp_xmit_skb(struct sock *sk, struct sk_buff *skb, gfp_t gfp);
/** strata_tcp_xmit_ctl() - a segment without data: ACK, probe at @seq, RST. Locked */
int strata_tcp_xmit_ctl(struct sock *sk, u32 seq, u8 flags, gfp_t gfp);
/**
 * strata_tcp_xmit_prior_ack() - an ACK up to ecn_prior_nxt, with the ECE that was right for it.
 * Locked
 */
int strata_tcp_xmit_prior_ack(struct sock *sk, u32 seq, gfp_t gfp);
/** strata_tcp_xmit_syn() - the SYN, or the SYN-ACK of a socket in SYN-RECEIVED. Locked */
int strata_tcp_xmit_syn(struct sock *sk, gfp_t gfp);
/**
 * strata_tcp_send_active_reset() - RST for a connection that is aborted (RFC 9293 3.10.5).
 * Locked
 */
void strata_tcp_send_active_reset(struct sock *sk, gfp_t gfp);

/**
 * struct strata_tcp_bare - a segment without a full socket
 * Addresses as in the outgoing packet. @path: the way that was found before, used if it is not
 * stale; NULL: none. @opts: options to build. To trace: @state of the local end, TCP_*; @again
 */
struct strata_tcp_bare {
	struct strata_flow		fl;
	const struct strata_path	*path;
	u32				seq;
	u32				ack;
	u16				wnd;	/* as on the wire */
	u8				flags;
	u8				state;
	bool				again;	/* a SYN-ACK, not the first */
	u32				tx_delay;	/* µs, TCP_TX_DELAY */
	struct strata_tcp_opts_out	opts;
};

/** strata_tcp_xmit_bare() - SYN-ACK of a request, TIME-WAIT's ACK, RST. BH off */
void strata_tcp_xmit_bare(struct strata_net *sn, struct strata_tcp_bare *seg);
/**
 * strata_tcp_send_reset() - answer @skb with RST as RFC 9293 3.10.7.1 says; never to a RST. @sk:
 * whom it was for, perhaps a listener, or NULL. _xmit_: @seg has device, mark and delay
 */
void strata_tcp_send_reset(const struct sock *sk, struct sk_buff *skb);
void strata_tcp_xmit_reset(const struct sock *sk, struct sk_buff *skb, struct strata_tcp_bare *seg);

#endif /* _STRATA_TCP_OUT_H */
