/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls between the files of tcp/. "locked": the socket lock is held, by the user or by
 * BH with no owner. Nothing but tcp_output.c, tcp_xmit.c and the replies without a full
 * socket transmits.
 */
#ifndef _STRATA_TCP_INT_H
#define _STRATA_TCP_INT_H

#include "tcp_sock.h"

/* buffers: how much window @space bytes of receive memory can back; the rest is overhead */
static inline int strata_tcp_win_from_space(const struct sock *sk, int space)
{
	int scale = READ_ONCE(strata_sk_net(sk)->conf.tcp_adv_win_scale);

	if (space < 0)
		return 0;
	return scale <= 0 ? space >> -scale : space - (space >> scale);
}

/** strata_tcp_space() - free window space of the receive buffer, bytes; _full_space(): all of it */
static inline int strata_tcp_space(const struct sock *sk)
{
	return strata_tcp_win_from_space(sk, READ_ONCE(sk->sk_rcvbuf) -
					 READ_ONCE(sk->sk_backlog.len) -
					 atomic_read(&sk->sk_rmem_alloc));
}

static inline int strata_tcp_full_space(const struct sock *sk)
{
	return strata_tcp_win_from_space(sk, READ_ONCE(sk->sk_rcvbuf));
}

#define STRATA_TCP_TIMEWAIT_LEN	(60 * HZ)	/* RFC 9293 3.4.2: 2 MSL, MSL 30 s as native */
#define STRATA_TCP_ATO_MIN	(HZ / 25)	/* delayed ACK, jiffies */
#define STRATA_TCP_DELACK_MAX	(HZ / 5)

/* tcp.c: life and state */

/** strata_tcp_set_state() - the only writer of sk_state; checks the transition, traces, counts. Locked */
void strata_tcp_set_state(struct sock *sk, int state);
/** strata_tcp_sock_init() - struct proto.init: a new socket in CLOSED */
int strata_tcp_sock_init(struct sock *sk);
/**
 * strata_tcp_done() - the connection is over: CLOSED, out of the tables, timers stopped,
 * waiters woken; an orphan is destroyed (the caller must hold its own reference). Locked
 */
void strata_tcp_done(struct sock *sk);
/** strata_tcp_fail() - strata_tcp_done() with sk_err = @err (positive), queues purged. Locked */
void strata_tcp_fail(struct sock *sk, int err);
/** strata_tcp_child_init() - make a clone of a listener a fresh socket in SYN-RECEIVED. Locked */
void strata_tcp_child_init(struct sock *child, const struct sock *parent);
/** strata_tcp_destroy() - an orphan in CLOSED: give all back, and the connection's own reference. Locked */
void strata_tcp_destroy(struct sock *sk);
/** strata_tcp_purge_queues() - free both transmit queues and the out-of-order queue. Locked */
void strata_tcp_purge_queues(struct sock *sk);

/* tcp_lookup.c: tables. Lookups need RCU */

int strata_tcp_lookup_init(void);
void strata_tcp_lookup_exit(void);
/** strata_tcp_hash_connect() - enter the established table unless the 4-tuple is there (-EADDRNOTAVAIL). Locked */
int strata_tcp_hash_connect(struct sock *sk);
/** strata_tcp_hash_child() - enter @child; false if the 4-tuple is there already. BH off */
bool strata_tcp_hash_child(struct sock *child);
int strata_tcp_hash_listen(struct sock *sk);
/** strata_tcp_unhash() - leave whichever table it is in; idempotent */
void strata_tcp_unhash(struct sock *sk);
/** strata_tcp_lookup_est() - a connected socket, counted, or NULL */
struct sock *strata_tcp_lookup_est(struct strata_net *sn, __be32 laddr, __be16 lport,
				   __be32 raddr, __be16 rport, int iif);
/** strata_tcp_lookup_listen() - a listener, NOT counted (RCU); best match as native */
struct sock *strata_tcp_lookup_listen(struct strata_net *sn, __be32 laddr, __be16 lport,
				      __be32 raddr, __be16 rport, int iif, struct sk_buff *skb);

/* tcp_timewait.c */

struct strata_tcp_tw;
enum strata_tcp_tw_verdict { STRATA_TW_DROP, STRATA_TW_ACK, STRATA_TW_RST, STRATA_TW_SYN };

int strata_tcp_tw_init(void);
void strata_tcp_tw_exit(void);
/** strata_tcp_tw_lookup() - counted, or NULL. RCU */
struct strata_tcp_tw *strata_tcp_tw_lookup(struct strata_net *sn, __be32 laddr, __be16 lport,
					   __be32 raddr, __be16 rport, int iif);
void strata_tcp_tw_put(struct strata_tcp_tw *tw);
/**
 * strata_tcp_tw_rcv() - a segment for an object in TIME-WAIT or orphaned FIN-WAIT-2 (RFC 9293 3.10.7.4, 1337, 6191)
 * Answers with an ACK itself where the verdict is STRATA_TW_ACK; STRATA_TW_SYN: @tw is gone, go on with the
 * listener and @isn. The skb stays the caller's.
 */
enum strata_tcp_tw_verdict strata_tcp_tw_rcv(struct strata_tcp_tw *tw, struct sk_buff *skb, u32 *isn);
/**
 * strata_tcp_time_wait() - replace @sk by a small object in @state (TCP_TIME_WAIT, or TCP_FIN_WAIT2 for
 * an orphan) for @timeo jiffies, and finish @sk with strata_tcp_done(). Locked
 */
void strata_tcp_time_wait(struct sock *sk, int state, int timeo);

/* tcp_listen.c: passive open */

/**
 * strata_tcp_listen_rcv() - a segment for a listener (RFC 9293 3.10.7.2, 3.10.7.3), no lock held, BH off
 * @isn: ISN to use (TIME-WAIT reuse), 0: choose
 * SYN: remember a request and answer with SYN-ACK. ACK of one: a child in SYN-RECEIVED is made, hashed and
 * returned referenced and bh_lock_sock()ed: the caller lets it process @skb by strata_tcp_do_rcv(), unlocks
 * and puts it. Else NULL with *why set (SKB_CONSUMED: fine, free it) – the skb stays the caller's; *reset asks
 * the caller to answer with RST.
 */
struct sock *strata_tcp_listen_rcv(struct sock *lsk, struct sk_buff *skb, u32 isn,
				   enum skb_drop_reason *why, bool *reset);
/** strata_tcp_child_established() - a SYN-RECEIVED child's handshake ended: onto the accept queue. Locked (child) */
bool strata_tcp_child_established(struct sock *child);
/** strata_tcp_listen_stop() - empty both queues: RST to all (CLOSE of LISTEN). Locked */
void strata_tcp_listen_stop(struct sock *sk);
int strata_tcp_listen_init(void);
void strata_tcp_listen_exit(void);
/** strata_tcp_req_err() - an ICMP error about a SYN-ACK of @lsk's. BH off */
void strata_tcp_req_err(struct sock *lsk, __be32 laddr, __be32 raddr, __be16 rport, u32 seq);

/* tcp_close.c */

/** strata_tcp_orphan_check() - an orphan changed state: FIN-WAIT-2 moves to a small object; too many end. Locked */
void strata_tcp_orphan_check(struct sock *sk);

/* tcp_connect.c */

/** strata_tcp_take_syn_options() - what both SYNs agree on: timestamps, SACK, scaling, MSS. Locked */
void strata_tcp_take_syn_options(struct strata_tcp_sock *tp, const struct strata_tcp_opts *o);

/** strata_tcp_synsent_rcv() - RFC 9293 3.10.7.3. Locked. The skb stays the caller's; data on it may be queued
 * (then *eaten). *reset: answer with RST. Sets todo
 */
enum skb_drop_reason strata_tcp_synsent_rcv(struct sock *sk, struct sk_buff *skb, bool *eaten, bool *reset);
/** strata_tcp_init_transfer() - entering ESTABLISHED from either side: mss, windows, cwnd, rtt, buffers. Locked */
void strata_tcp_init_transfer(struct sock *sk);
/** strata_tcp_sync_mss() - fit snd.mss to a path MTU of @pmtu bytes; returns snd.mss. Locked */
u32 strata_tcp_sync_mss(struct sock *sk, u32 pmtu);
/** strata_tcp_init_rwin() - choose rcv.wnd, rcv.wscale, clamp before the SYN or SYN-ACK. Locked */
void strata_tcp_init_rwin(struct sock *sk, u32 mss);

/* tcp_isn.c */

void strata_tcp_isn_init(void);
/** strata_tcp_isn() - RFC 6528; strata_tcp_ts_off() - per-peer timestamp offset (RFC 7323 5.4) */
u32 strata_tcp_isn(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport);
u32 strata_tcp_ts_off(const struct strata_net *sn, __be32 saddr, __be32 daddr);
/** strata_tcp_cookie() / _check(): SYN cookies (RFC 4987 3.6): mss is rounded down to what the cookie can say;
 * _check gives the MSS or 0
 */
u32 strata_tcp_cookie(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport, u32 irs, u16 *mss);
u16 strata_tcp_cookie_check(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport, u32 irs, u32 cookie);

/* tcp_rcv.c */

/** strata_tcp_do_rcv() - sk_backlog_rcv: a segment for a locked socket in any state but LISTEN; consumes @skb,
 * calls strata_tcp_output() at its end
 */
int strata_tcp_do_rcv(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_path_changed() - the path MTU may be lower: new MSS, and again what was too large. Locked */
void strata_tcp_path_changed(struct sock *sk);

/* tcp_segment.c: RFC 9293 3.10.7.4. Locked. The skb is consumed only when *eaten; sets todo; *reset wants a RST */

enum skb_drop_reason strata_tcp_segment(struct sock *sk, struct sk_buff *skb, bool *eaten, bool *reset);

/* tcp_ack.c: fifth step. Locked */

enum skb_drop_reason strata_tcp_ack(struct sock *sk, struct sk_buff *skb);

/* tcp_recover.c: from timers and ICMP. Locked */

/** strata_tcp_enter_loss() - the retransmission timer fired: everything outstanding is lost (RFC 5681 3.1, 5682) */
void strata_tcp_enter_loss(struct sock *sk);
/** strata_tcp_rack_timeout() - reordering timer: mark what is overdue */
void strata_tcp_rack_timeout(struct sock *sk);
/** strata_tcp_pmtu_lowered() - segments larger than the new MSS are lost without blame (RFC 1191 6.4) */
void strata_tcp_pmtu_lowered(struct sock *sk);

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
/** strata_tcp_detect_loss() - RACK: mark what is lost; µs until the next verdict, 0: none is pending */
u32 strata_tcp_detect_loss(struct sock *sk);
/** strata_tcp_mark_lost() - presume @skb lost, if it is not known to be; it is to go again */
void strata_tcp_mark_lost(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_recover() - the recovery state machine and the congestion window for this ACK; sets todo */
void strata_tcp_recover(struct sock *sk, struct strata_ack_run *run);

/* tcp_data.c: sixth to eighth step. Locked. Queue or drop the payload; consumed when *eaten */

enum skb_drop_reason strata_tcp_data(struct sock *sk, struct sk_buff *skb, bool *eaten);
void strata_tcp_fin(struct sock *sk);
/** strata_tcp_ack_check() - after a segment: is the ACK that is owed due now, or after a delay? */
void strata_tcp_ack_check(struct sock *sk);
/** strata_tcp_quickack() - send the next @n ACKs without delay (0: all that fit the window) */
void strata_tcp_quickack(struct sock *sk, u32 n);
/** strata_tcp_rcv_dup() - [@start, @end) came twice: D-SACK with the next ACK, which goes at once */
void strata_tcp_rcv_dup(struct sock *sk, u32 start, u32 end);
/** strata_tcp_rcv_append() - @skb is next in order: onto the receive queue, merged if possible; consumed */
void strata_tcp_rcv_append(struct sock *sk, struct sk_buff *skb);
/** strata_tcp_coalesce() - merge @from behind @to, with the accounting; true: @from is consumed */
bool strata_tcp_coalesce(struct sock *sk, struct sk_buff *to, struct sk_buff *from);
/** strata_tcp_rmem_ok() - may @skb be kept? prunes the out-of-order queue for it */
bool strata_tcp_rmem_ok(struct sock *sk, struct sk_buff *skb);

/* tcp_ofo.c: the out-of-order queue. Locked */

/** strata_tcp_ofo_add() - keep @skb, data at the payload; consumed when *eaten */
enum skb_drop_reason strata_tcp_ofo_add(struct sock *sk, struct sk_buff *skb, bool *eaten);
/** strata_tcp_ofo_drain() - move what is in order now to the receive queue; true if a FIN was reached */
bool strata_tcp_ofo_drain(struct sock *sk);
/** strata_tcp_ofo_prune() - give memory back, the highest sequence numbers first; true if some was freed */
bool strata_tcp_ofo_prune(struct sock *sk, const struct sk_buff *for_skb);
/** strata_tcp_ofo_purge() - free the out-of-order queue */
void strata_tcp_ofo_purge(struct sock *sk);
/** strata_tcp_rcv_space_adjust() - the user has read: autotune the receive buffer */
void strata_tcp_rcv_space_adjust(struct sock *sk);

/* tcp_queue.c: transmit queues. Locked */

/* room before the payload: TCP header with options, IP and link headers */
#define STRATA_TCP_HEADROOM	(LL_MAX_HEADER + sizeof(struct iphdr) + 60)

/** strata_tcp_tx_alloc() - an empty entry for the write queue, or NULL; @force: beyond the memory limits */
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
/** strata_tcp_tx_trim_head() - drop @len payload bytes that are acknowledged; 0 or -ENOMEM */
int strata_tcp_tx_trim_head(struct sock *sk, struct sk_buff *skb, u32 len);
/** strata_tcp_rtx_enter() - the head of the write queue was sent: move it to the retransmit queue */
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

static inline struct sk_buff *strata_tcp_rtx_head(const struct sock *sk)
{
	return skb_rb_first(&sk->tcp_rtx_queue);
}

static inline struct sk_buff *strata_tcp_rtx_tail(const struct sock *sk)
{
	return skb_rb_last(&sk->tcp_rtx_queue);
}

/* tcp_output.c */

/** strata_tcp_output() - send all that tp->todo asks for. Locked. The only place that clears todo bits */
void strata_tcp_output(struct sock *sk);
/** strata_tcp_select_window() - the header's window field for a segment that leaves now; updates rwnd */
u16 strata_tcp_select_window(struct sock *sk);
/** strata_tcp_cleanup_rbuf() - after the user read @copied bytes: ask for a window update if it is worth one, and output */
void strata_tcp_cleanup_rbuf(struct sock *sk, int copied);
/** strata_tcp_send_fin() - queue a FIN behind the data and ask for output (todo). Never fails for good. Locked */
void strata_tcp_queue_fin(struct sock *sk);
/** strata_tcp_cur_mss() - payload of a full segment now: path MTU and options, bytes. Locked */
u32 strata_tcp_cur_mss(struct sock *sk);
/** strata_tcp_burst_segs() - segments of about a millisecond at the pacing rate */
u32 strata_tcp_burst_segs(const struct sock *sk, u32 mss);
/** strata_tcp_update_pacing() - sk_pacing_rate from cwnd and srtt. Locked */
void strata_tcp_update_pacing(struct sock *sk);
/** strata_tcp_send_one() - one segment of new data whatever cwnd says; for tcp_rexmit.c. 0 or -errno */
int strata_tcp_send_one(struct sock *sk, gfp_t gfp);
/** strata_tcp_window_ok() - would an ACK sent now offer no less than was promised? Locked */
bool strata_tcp_window_ok(struct sock *sk);

/* tcp_rexmit.c: parts of strata_tcp_output(). Locked */

void strata_tcp_rexmit(struct sock *sk, gfp_t gfp);
void strata_tcp_send_tlp(struct sock *sk, gfp_t gfp);
void strata_tcp_send_probe(struct sock *sk, gfp_t gfp);

/* tcp_tsq.c: the small-queue limit and pacing */

/** strata_tcp_throttled() - is enough below TCP that @skb had better wait? Locked */
bool strata_tcp_throttled(struct sock *sk, const struct sk_buff *skb);
/** strata_tcp_completed() - an skb of ours left the host; any context */
void strata_tcp_completed(struct sock *sk);
/** strata_tcp_resume() - go on sending after a completion or a pause. Locked */
void strata_tcp_resume(struct sock *sk);
/** strata_tcp_paced() - must the next segment wait for its time? Then the timer runs. Locked */
bool strata_tcp_paced(struct sock *sk);
/** strata_tcp_pace_sent() - @len bytes left: when may the next go? Locked */
void strata_tcp_pace_sent(struct sock *sk, u32 len);
void strata_tcp_pace_init(struct sock *sk);
void strata_tcp_pace_stop(struct sock *sk);
int strata_tcp_output_init(void);
void strata_tcp_output_exit(void);

/* tcp_xmit.c: build one segment and hand it to IP */

/** strata_tcp_xmit_skb() - (re)transmit one queue entry: clones it, adds header. 0 or -errno. Locked */
int strata_tcp_xmit_skb(struct sock *sk, struct sk_buff *skb, gfp_t gfp);
/** strata_tcp_xmit_ctl() - a segment without data: ACK, probe at @seq, RST. Locked */
int strata_tcp_xmit_ctl(struct sock *sk, u32 seq, u8 flags, gfp_t gfp);
/** strata_tcp_xmit_syn() - the SYN, or the SYN-ACK of a socket in SYN-RECEIVED. Locked */
int strata_tcp_xmit_syn(struct sock *sk, gfp_t gfp);
/** strata_tcp_send_active_reset() - RST for a connection that is aborted (RFC 9293 3.10.5). Locked */
void strata_tcp_send_active_reset(struct sock *sk, gfp_t gfp);

/**
 * struct strata_tcp_bare - a segment without a full socket
 * Addresses as in the outgoing packet. @opts: options to build.
 */
struct strata_tcp_bare {
	struct strata_flow		fl;
	u32				seq;
	u32				ack;
	u16				wnd;	/* as on the wire */
	u8				flags;
	struct strata_tcp_opts_out	opts;
};

/** strata_tcp_xmit_bare() - SYN-ACK of a request, TIME-WAIT's ACK, RST. BH off */
void strata_tcp_xmit_bare(struct strata_net *sn, struct strata_tcp_bare *seg);
/** strata_tcp_send_reset() - answer @skb with RST as RFC 9293 3.10.7.1 says; never to a RST. @sk may be NULL */
void strata_tcp_send_reset(const struct sock *sk, struct sk_buff *skb);

/* tcp_timer.c */

/** strata_tcp_keepalive_time() - idle time before the first probe, jiffies */
static inline unsigned long strata_tcp_keepalive_time(const struct strata_tcp_sock *tp)
{
	return tp->keepalive_time ?: READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_keepalive_time);
}

/** strata_tcp_release_cb() - struct proto.release_cb: what timers and completions left while the user owned @sk */
void strata_tcp_release_cb(struct sock *sk);
/** strata_tcp_defer() - leave @what to strata_tcp_release_cb(). BH lock held, owned by user */
void strata_tcp_defer(struct sock *sk, enum strata_tcp_deferred what);

void strata_tcp_timers_init(struct sock *sk);
/** strata_tcp_timers_stop() - stop all timers of @sk and drop their references. Locked; does not wait */
void strata_tcp_timers_stop(struct sock *sk);
/** strata_tcp_timer_set() - arm the retransmission timer for @kind, @when jiffies from now */
void strata_tcp_timer_set(struct sock *sk, enum strata_tcp_timer kind, unsigned long when);
void strata_tcp_timer_clear(struct sock *sk);
/** strata_tcp_timer_rearm() - after an ACK or a transmission: RTO, TLP, persist or nothing (RFC 6298 5, 8985 7.2) */
void strata_tcp_timer_rearm(struct sock *sk);
void strata_tcp_delack_set(struct sock *sk, unsigned long when);
void strata_tcp_delack_clear(struct sock *sk);
/** strata_tcp_keepalive_set() - (re)arm or stop sk->sk_timer: keepalive, FIN-WAIT-2, SYN-RECEIVED */
void strata_tcp_keepalive_set(struct sock *sk, unsigned long when);
void strata_tcp_keepalive_clear(struct sock *sk);

/* tcp_sockopt.c */

/** strata_tcp_set_keepalive() - struct proto.keepalive: SO_KEEPALIVE is being set to @on. Locked */
void strata_tcp_set_keepalive(struct sock *sk, int on);

/* tcp_send.c, tcp_recv.c: see tcp.h; and */

/** strata_tcp_write_space() - sk->sk_write_space: wake writers when a third of the buffer is free */
void strata_tcp_write_space(struct sock *sk);
/** strata_tcp_push() - end of a user call: mark PSH, ask for output with @nonagle_off */
void strata_tcp_push(struct sock *sk, int msg_flags);
/** strata_tcp_check_space() - transmit queue memory was freed: grow the buffer, wake writers. Locked */
void strata_tcp_check_space(struct sock *sk);
/** strata_tcp_memory_free() - proto.stream_memory_free */
bool strata_tcp_memory_free(const struct sock *sk, int wake);

#endif /* _STRATA_TCP_INT_H */
