/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segments in: what reads and changes the state, and never transmits. Part of tcp_int.h.
 */
#ifndef _STRATA_TCP_IN_H
#define _STRATA_TCP_IN_H

#include "tcp_sock.h"

/* tcp_rcv.c */

/**
 * strata_tcp_trace_rcv() - the event: a segment came for a local end in @state
 * @sk: its socket, or the listener of @req, if any; NULL: nobody's, or that of a small object
 */
void strata_tcp_trace_rcv(const struct sock *sk, const struct strata_tcp_req *req, u8 state,
			  const struct sk_buff *skb);

/**
 * strata_tcp_do_rcv() - a segment for a locked socket in any state but LISTEN; consumes @skb, calls
 * strata_tcp_output_now() at its end
 */
int strata_tcp_do_rcv(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_backlog_rcv() - sk_backlog_rcv: the same, calls strata_tcp_output_backlog() */
int strata_tcp_backlog_rcv(struct sock *sk, struct sk_buff *skb);
/**
 * strata_tcp_path_changed() - the path MTU may be lower: new MSS, and again what was too large.
 * Locked
 */
void strata_tcp_path_changed(struct sock *sk);

/*
 * tcp_segment.c: RFC 9293 3.10.7.4. Locked. The skb is consumed only when *eaten; sets todo;
 * *reset wants a RST
 */

enum skb_drop_reason strata_tcp_segment(struct sock *sk, struct sk_buff *skb, bool *eaten,
					bool *reset);

/* tcp_ack.c: fifth step. Locked */

enum skb_drop_reason strata_tcp_ack(struct sock *sk, struct sk_buff *skb);

/* tcp_recover.c: from timers and ICMP. Locked */

/**
 * strata_tcp_enter_loss() - the retransmission timer fired: everything outstanding is lost (RFC
 * 5681 3.1, 5682)
 */
void strata_tcp_enter_loss(struct sock *sk);
/** strata_tcp_rack_timeout() - reordering timer: mark what is overdue */
void strata_tcp_rack_timeout(struct sock *sk);
/**
 * strata_tcp_pmtu_lowered() - segments larger than the new MSS are lost without blame (RFC 1191
 * 6.4)
 */
void strata_tcp_pmtu_lowered(struct sock *sk);
/**
 * strata_tcp_syn_data_lost() - the SYN's data, @skb, was not taken: from the write queue to the
 * retransmit queue, lost
 */
void strata_tcp_syn_data_lost(struct sock *sk, struct sk_buff *skb);

/* tcp_recover.c: what an ACK says of losses. Locked */

/* one ACK on its way through tcp_ack.c and tcp_recover.c */
struct strata_ack_run {
	struct strata_rate_sample rs;
	struct strata_sack_in	in;		/* its SACK blocks */
	struct strata_rec_ack	rec;
	u64	first_us;	/* send times of newly acknowledged, never retransmitted ... */
	u64	last_us;	/* ... segments: oldest and newest; 0: none */
	u64	sack_first_us;	/* the same of newly SACKed ones */
	u64	sack_last_us;
	u32	high_sack;	/* highest SACK before this ACK; valid if had_sacks */
	u32	reord_end;	/* lowest end of what came below it; valid if reordered */
	u32	prior_delivered;
	u32	prior_lost;
	u32	prior_in_flight;
	u32	acked_segs;	/* segments that left the retransmit queue */
	u32	rtt_us;		/* this ACK's sample for congestion control, 0: none */
	bool	had_sacks;
	bool	reordered;
	bool	retrans_acked;	/* a retransmitted segment is among the acknowledged (Karn) */
	bool	newly_sacked;
	bool	dup;		/* no data, no window change, nothing acknowledged */
};

/** strata_tcp_delivered() - account @tx, newly acknowledged or SACKed; before its marks change */
void strata_tcp_delivered(struct sock *sk, struct strata_ack_run *run,
			  const struct strata_tcp_tx *tx, bool sacked);
/** strata_tcp_take_sack() - mark what the blocks of run->in cover */
void strata_tcp_take_sack(struct sock *sk, struct strata_ack_run *run);
/**
 * strata_tcp_detect_loss() - RACK: mark what is lost; µs until the next verdict, 0: none is
 * pending
 */
u32 strata_tcp_detect_loss(struct sock *sk);
/** strata_tcp_mark_lost() - presume @skb lost, if it is not known to be; it is to go again */
void strata_tcp_mark_lost(struct sock *sk, struct sk_buff *skb);
/**
 * strata_tcp_recover() - the recovery state machine and the congestion window for this ACK;
 * sets todo
 */
void strata_tcp_recover(struct sock *sk, struct strata_ack_run *run);
/**
 * strata_tcp_set_cwnd() - the congestion window and the pacing rate alone; part of the former.
 * @verdict: STRATA_REC_*
 */
void strata_tcp_set_cwnd(struct sock *sk, struct strata_ack_run *run, u32 verdict);

/* tcp_data.c: sixth to eighth step. Locked. Queue or drop the payload; consumed when *eaten */

enum skb_drop_reason strata_tcp_data(struct sock *sk, struct sk_buff *skb, bool *eaten);
void strata_tcp_fin(struct sock *sk);
/** strata_tcp_seg_wnd() - SEG.WND in octets; that of a SYN is never scaled (RFC 7323 2.2) */
static inline u32 strata_tcp_seg_wnd(const struct strata_tcp_sock *tp,
				     const struct strata_tcp_seg *seg)
{
	return unlikely(seg->flags & STRATA_TCP_SYN) ? seg->wnd :
						       (u32)seg->wnd << tp->swnd.wscale;
}

/** strata_tcp_interactive() - is the ACK left to the answer? After tcp_pingpong_thresh of them */
static inline bool strata_tcp_interactive(const struct strata_tcp_sock *tp)
{
	return READ_ONCE(tp->ack.pingpong) >=
	       READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_pingpong_thresh);
}

static inline void strata_tcp_set_interactive(struct strata_tcp_sock *tp)
{
	tp->ack.pingpong = READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_pingpong_thresh);
}

/** strata_tcp_ack_check() - after a segment: is the ACK that is owed due now, or after a delay? */
void strata_tcp_ack_check(struct sock *sk);
/**
 * strata_tcp_rcv_dup() - [@start, @end) came twice: D-SACK with the next ACK, which goes at
 * once
 */
void strata_tcp_rcv_dup(struct sock *sk, u32 start, u32 end);
/**
 * strata_tcp_rcv_append() - @skb is next in order: onto the receive queue, merged if possible;
 * consumed
 */
void strata_tcp_rcv_append(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_coalesce() - merge @from behind @to, with the accounting; true: @from is consumed */
bool strata_tcp_coalesce(struct sock *sk, struct sk_buff *to, struct sk_buff *from);
/** strata_tcp_rmem_ok() - may @skb be kept? prunes the out-of-order queue for it */
bool strata_tcp_rmem_ok(struct sock *sk, struct sk_buff *skb);

/* tcp_compress.c: fewer ACKs. Locked */

/** strata_tcp_compress() - may the ACK for a segment beyond a hole wait? Then its timer runs */
bool strata_tcp_compress(struct sock *sk);
/** strata_tcp_compress_due() - their time is over: send those that wait; false: none does */
bool strata_tcp_compress_due(struct sock *sk);
/** strata_tcp_compress_sent() - an ACK left while others waited: it stands for them */
void strata_tcp_compress_sent(struct sock *sk);
/** strata_tcp_compress_stop() - forget them, stop the timer and drop its reference */
void strata_tcp_compress_stop(struct sock *sk);

/* tcp_timer.c */

/** strata_tcp_flush_backlog() - take what waits in it, do what that left to do; true: was any */
bool strata_tcp_flush_backlog(struct sock *sk);

/* tcp_ecn.c: RFC 3168. Locked */

/** strata_tcp_ecn_connect() - active open: is ECN to be asked for */
void strata_tcp_ecn_connect(struct strata_tcp_sock *tp);
/** strata_tcp_ecn_syn() - ECE and CWR of our SYN or SYN-ACK */
u8 strata_tcp_ecn_syn(const struct sock *sk);
/** strata_tcp_ecn_syn_rcv() - the peer's SYN or SYN-ACK came in SYN-SENT with these @flags */
void strata_tcp_ecn_syn_rcv(struct strata_tcp_sock *tp, u8 flags);
/** strata_tcp_ecn_request() - does a SYN for @lsk get ECN? No lock, RCU */
bool strata_tcp_ecn_request(const struct sock *lsk, const struct strata_tcp_seg *seg,
			    const struct strata_path *path);
/** strata_tcp_ecn_allowed() - is a peer on @path that asks @lsk for ECN to get it? No lock, RCU */
bool strata_tcp_ecn_allowed(const struct sock *lsk, const struct strata_path *path);
/** strata_tcp_ecn_listener_ect() - are SYN-ACKs of @lsk sent with ECT? No lock, RCU */
bool strata_tcp_ecn_listener_ect(const struct sock *lsk);
/** strata_tcp_ecn_always() - ECT on every segment, as the congestion control wants */
bool strata_tcp_ecn_always(const struct strata_tcp_sock *tp);
/** strata_tcp_ecn_ack() - an acceptable ACK; ECN in use. Takes CWR; true: it has ECE */
bool strata_tcp_ecn_ack(struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg);
/** strata_tcp_ecn_data() - new data came; ECN in use */
void strata_tcp_ecn_data(struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg);
/** strata_tcp_ecn_probe() - so did an octet that the closed window does not take; ECN in use */
void strata_tcp_ecn_probe(struct strata_tcp_sock *tp, const struct strata_tcp_seg *seg);

/* tcp_ofo.c: the out-of-order queue. Locked */

/** strata_tcp_ofo_add() - keep @skb, data at the payload; consumed when *eaten */
enum skb_drop_reason strata_tcp_ofo_add(struct sock *sk, struct sk_buff *skb, bool *eaten);
/**
 * strata_tcp_ofo_drain() - move what is in order now to the receive queue; true if a FIN was
 * reached
 */
bool strata_tcp_ofo_drain(struct sock *sk);
/**
 * strata_tcp_ofo_prune() - give memory back, the highest sequence numbers first; true if some
 * was freed
 */
bool strata_tcp_ofo_prune(struct sock *sk, const struct sk_buff *for_skb);
/** strata_tcp_ofo_purge() - free the out-of-order queue */
void strata_tcp_ofo_purge(struct sock *sk);
/**
 * strata_tcp_grow_window() - may the offered window grow, by a segment of @len bytes in @truesize
 * bytes of memory? As far as segments fill the memory they take
 */
void strata_tcp_grow_window(struct sock *sk, u32 len, u32 truesize);
/** strata_tcp_recv_eat() - @skb of the receive queue has been read. Locked */
void strata_tcp_recv_eat(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_rcv_space_adjust() - the user has read: autotune the receive buffer */
void strata_tcp_rcv_space_adjust(struct sock *sk);

#endif /* _STRATA_TCP_IN_H */
