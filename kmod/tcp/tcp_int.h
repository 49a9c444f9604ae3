/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls between the files of tcp/. "locked": the socket lock is held, by the user or by
 * BH with no owner. Nothing but tcp_output.c, tcp_xmit.c and the replies without a full
 * socket transmits.
 */
#ifndef _STRATA_TCP_INT_H
#define _STRATA_TCP_INT_H

#include "tcp_sock.h"
#include "tcp_conn.h"
#include "tcp_in.h"
#include "tcp_out.h"
#include "tcp_timer.h"

struct strata_metrics;
#include "tcp_fastopen.h"

/* buffers: how much window @space bytes of receive memory can back; the rest is overhead */
static inline int strata_tcp_win_from_space(const struct sock *sk, int space)
{
	return space < 0 ? 0 : strata_wnd_from_space(strata_tcp_sk(sk)->rcv.ratio, space);
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

/* tcp_cong_choice.c */
void strata_tcp_cong_net_init(struct strata_net *sn);
void strata_tcp_cong_net_exit(struct strata_net *sn);
void strata_tcp_cong_init(struct sock *sk);
void strata_tcp_cong_inherit(struct sock *child, const struct sock *parent);
/**
 * strata_tcp_cong_by_route() - @name for @sk, which opens; no change if it has gone. @fixed:
 * TCP_CONGESTION may not change it. Locked
 */
void strata_tcp_cong_by_route(struct sock *sk, const char *name, bool fixed);
/** strata_tcp_cong_forget_route() - after the connection: if so, the default again. Locked */
void strata_tcp_cong_forget_route(struct sock *sk);
int strata_tcp_set_cong(struct sock *sk, const char *name);

/* tcp_metrics.c: for paths with STRATA_PATH_METRICS */

/** strata_tcp_metrics_connect() - what the SYN says, and how it is sent. Locked */
void strata_tcp_metrics_connect(struct sock *sk);
/** strata_tcp_metrics_req() - those of @req's route */
void strata_tcp_metrics_req(const struct strata_tcp_req *req, struct strata_metrics *mx);
/** strata_tcp_metrics_req_mss() - @req's adv_mss, unless the route leaves it; @user_mss: or 0 */
void strata_tcp_metrics_req_mss(struct strata_tcp_req *req, const struct strata_metrics *mx,
				u32 user_mss);
/** strata_tcp_metrics_req_window() - @req's first window, made as without metrics: limit it */
void strata_tcp_metrics_req_window(struct strata_tcp_req *req, const struct strata_metrics *mx);
/** strata_tcp_metrics_child() - of @req, before its first RTT is known. Locked */
void strata_tcp_metrics_child(struct sock *child, const struct strata_tcp_req *req);
/** strata_tcp_metrics_transfer() - before congestion control starts with @cs. Locked */
void strata_tcp_metrics_transfer(struct sock *sk, struct strata_cong_sample *cs);

/* tcp_sockopt.c */

/** strata_tcp_set_keepalive() - struct proto.keepalive: SO_KEEPALIVE is being set to @on. Locked */
void strata_tcp_set_keepalive(struct sock *sk, int on);

/* tcp_savedsyn.c */

/** strata_tcp_syn_get() - TCP_SAVED_SYN: 0, -EINVAL: no room, -EFAULT; takes the lock */
int strata_tcp_syn_get(struct sock *sk, char __user *optval, int __user *optlen);

/* tcp_send.c, tcp_recv.c: see tcp.h; and */

/**
 * strata_tcp_send_syn() - the first bytes of @msg, at most @room, become the only entry of the
 * write queue. Their number, or -errno. Locked
 */
int strata_tcp_send_syn(struct sock *sk, struct msghdr *msg, u32 room);

/**
 * strata_tcp_readable() - are there @target bytes to read, or some and no room for more to come:
 * the buffer is full, or a full segment no longer fits the window. Lockless
 */
bool strata_tcp_readable(const struct sock *sk, int target);

/**
 * strata_tcp_recv_now() - recvmsg() that does not wait. Bytes or -errno; *@soft, *@hard: when
 * the last of them came, 0: not known. Locked
 */
int strata_tcp_recv_now(struct sock *sk, struct msghdr *msg, size_t len, ktime_t *soft,
			ktime_t *hard);
/** strata_tcp_inq_locked() - bytes to read, up to the urgent mark */
int strata_tcp_inq_locked(struct sock *sk);
/** strata_tcp_inq_hint() - as TCP_CM_INQ says it. Locked */
int strata_tcp_inq_hint(const struct sock *sk);

/* tcp_zerocopy.c */

/** strata_tcp_get_zerocopy() - TCP_ZEROCOPY_RECEIVE; takes the lock. @len: of *@optlen, >= 0 */
int strata_tcp_get_zerocopy(struct sock *sk, char __user *optval, int __user *optlen, int len);

/**
 * strata_tcp_write_space() - sk->sk_write_space: wake writers when a third of the buffer is
 * free
 */
void strata_tcp_write_space(struct sock *sk);
/** strata_tcp_push() - end of a user call: mark PSH, ask for output with @nonagle_off */
void strata_tcp_push(struct sock *sk, int msg_flags);
/**
 * strata_tcp_check_space() - transmit queue memory was freed: grow the buffer, wake writers.
 * Locked
 */
void strata_tcp_check_space(struct sock *sk);
/** strata_tcp_sndbuf_expand() - grow the send buffer with the congestion window. Locked */
void strata_tcp_sndbuf_expand(struct sock *sk);
/** strata_tcp_memory_free() - proto.stream_memory_free */
bool strata_tcp_memory_free(const struct sock *sk, int wake);

#endif /* _STRATA_TCP_INT_H */
