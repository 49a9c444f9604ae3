// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RECEIVE call (RFC 9293 3.9.1.3, 3.10.3): bytes from the receive queue to the user, to a
 * pipe, or a look at what is there (poll, FIONREAD, MSG_PEEK).
 *
 * tp->rcv.copied_seq is the reader's position in sequence space; an skb whose
 * range lies wholly below it is freed. A FIN sits in the queue like a byte of no
 * length: reading it ends the call with what there is. Urgent data is native's: the
 * reader stops at the mark and skips the byte unless SO_OOBINLINE (RFC 6093).
 *
 * While the user holds the socket segments gather in the backlog; a reader that
 * must wait lets go of the lock, which processes them.
 *
 * locking: the socket lock, taken here; strata_tcp_poll() and _inq() look without.
 */

#include <linux/poll.h>
#include <linux/splice.h>
#include <net/busy_poll.h>
#include "tcp_int.h"

/*
 * the skb that holds @seq and where in it; NULL if there is none yet. Or a FIN there: *off ==
 * len
 */
static struct sk_buff *recv_find(struct sock *sk, u32 seq, u32 *off)
{
	struct sk_buff *skb;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);

		*off = seq - seg->seq;
		if (*off < skb->len)
			return skb;
		if (*off == skb->len && (seg->flags & STRATA_TCP_FIN))
			return skb;
	}
	return NULL;
}

static u32 recv_avail(const struct strata_tcp_sock *tp)
{
	return READ_ONCE(tp->rcv.nxt) - READ_ONCE(tp->rcv.copied_seq);
}

void strata_tcp_recv_eat(struct sock *sk, struct sk_buff *skb)
{
	__skb_unlink(skb, &sk->sk_receive_queue);
	if (likely(skb->destructor == sock_rfree)) {
		/* the same, but for what strata_tcp_mem_uncharge() keeps */
		skb->destructor = NULL;
		skb->sk = NULL;
		atomic_sub(skb->truesize, &sk->sk_rmem_alloc);
		strata_tcp_mem_uncharge(sk, skb->truesize);
	}
	__kfree_skb(skb);
}

/* one call of recvmsg() */
struct recv_run {
	struct msghdr	*msg;
	u32		*seq;		/* the position: copied_seq, or peek_seq */
	u32		peek_seq;
	size_t		len;		/* still wanted */
	int		copied;
	int		target;		/* enough to return with */
	int		flags;
	long		timeo;
	ktime_t		soft, hard;	/* when the bytes read last came, 0: not known */
};

/* bytes at @off of @skb that may be read before the urgent mark; may step over the urgent byte */
static u32 recv_until_mark(struct sock *sk, struct recv_run *run, u32 *off, u32 used)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 mark = tp->rcv.up - *run->seq;

	if (likely(!tp->rcv.urg_data) || mark >= used)
		return used;
	if (mark)
		return mark;
	if (sock_flag(sk, SOCK_URGINLINE))
		return used;
	WRITE_ONCE(*run->seq, *run->seq + 1);
	(*off)++;
	return used - 1;
}

/* read from @skb at @off; true: the call ends here */
static bool recv_skb(struct sock *sk, struct recv_run *run, struct sk_buff *skb, u32 off)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool fin = STRATA_TCP_SEG(skb)->flags & STRATA_TCP_FIN;
	u32 used = min_t(size_t, skb->len - off, run->len);

	used = recv_until_mark(sk, run, &off, used);
	if (used) {
		if (!(run->flags & MSG_TRUNC) &&
		    skb_copy_datagram_msg(skb, off, run->msg, used)) {
			if (!run->copied)
				run->copied = -EFAULT;
			return true;
		}
		WRITE_ONCE(*run->seq, *run->seq + used);
		run->copied += used;
		run->len -= used;
		if (unlikely(skb->tstamp || skb_hwtstamps(skb)->hwtstamp)) {
			run->soft = skb->tstamp;
			run->hard = skb_hwtstamps(skb)->hwtstamp;
		}
		strata_tcp_rcv_space_adjust(sk);
	}
	if (tp->rcv.urg_data && strata_seq_after(tp->rcv.copied_seq, tp->rcv.up))
		WRITE_ONCE(tp->rcv.urg_data, 0);
	if (off + used < skb->len)
		return false;
	if (fin)
		WRITE_ONCE(*run->seq, *run->seq + 1);
	if (!(run->flags & MSG_PEEK))
		strata_tcp_recv_eat(sk, skb);
	return fin;
}

/* nothing to read: does the call end now? Sets run->copied to -errno if nothing was read */
static bool recv_done(struct sock *sk, struct recv_run *run)
{
	if (run->copied >= run->target && !READ_ONCE(sk->sk_backlog.tail))
		return true;
	if (run->copied)
		return !run->timeo || sk->sk_err || sk->sk_state == TCP_CLOSE ||
		       (sk->sk_shutdown & RCV_SHUTDOWN) || signal_pending(current);
	if (sock_flag(sk, SOCK_DONE))
		return true;
	if (sk->sk_err)
		run->copied = sock_error(sk);
	else if (sk->sk_shutdown & RCV_SHUTDOWN)
		return true;
	else if (sk->sk_state == TCP_CLOSE)
		run->copied = -ENOTCONN;
	else if (!run->timeo)
		run->copied = -EAGAIN;
	else if (signal_pending(current))
		run->copied = sock_intr_errno(run->timeo);
	return run->copied;
}

/* RFC 9293 3.10.3, native's MSG_OOB: the one urgent byte */
static int recv_urgent(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	char byte = tp->rcv.urg_data;

	if (sock_flag(sk, SOCK_URGINLINE) || !tp->rcv.urg_data ||
	    tp->rcv.urg_data == STRATA_URG_READ)
		return -EINVAL;
	if (sk->sk_state == TCP_CLOSE && !sock_flag(sk, SOCK_DONE))
		return -ENOTCONN;
	if (!(tp->rcv.urg_data & STRATA_URG_VALID)) {
		if (sk->sk_state == TCP_CLOSE || (sk->sk_shutdown & RCV_SHUTDOWN))
			return 0;
		return -EAGAIN;
	}
	if (!(flags & MSG_PEEK))
		WRITE_ONCE(tp->rcv.urg_data, STRATA_URG_READ);
	msg->msg_flags |= MSG_OOB;
	if (!len) {
		msg->msg_flags |= MSG_TRUNC;
		return 0;
	}
	if (!(flags & MSG_TRUNC) && memcpy_to_msg(msg, &byte, 1))
		return -EFAULT;
	return 1;
}

/*
 * At the urgent mark: once something was read SIOCATMARK must see it. And as native: whoever has
 * had SIGURG while he slept reads the urgent byte from its handler before he goes past it
 */
static bool stops_at_mark(struct recv_run *run)
{
	if (!run->copied && signal_pending(current))
		run->copied = run->timeo ? sock_intr_errno(run->timeo) : -EAGAIN;
	return run->copied;
}

static int recv_loop(struct sock *sk, struct recv_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb;
	u32 off;
	int err;

	do {
		if (unlikely(tp->rcv.urg_data) && tp->rcv.up == *run->seq && stops_at_mark(run))
			break;
		skb = recv_find(sk, *run->seq, &off);
		if (skb) {
			if (recv_skb(sk, run, skb, off))
				break;
			continue;
		}
		if (recv_done(sk, run))
			break;
		if (run->copied >= run->target) {
			/* enough, but the backlog may hold more */
			strata_tcp_flush_backlog(sk);
		} else {
			if (run->copied > 0 || (tp->ack.pending & STRATA_ACK_SCHED))
				strata_tcp_reader_waits(sk, run->copied);
			err = sk_wait_data(sk, &run->timeo, skb_peek_tail(&sk->sk_receive_queue));
			/* disconnected: what comes now is another connection's */
			if (err < 0)
				return run->copied = run->copied ?: err;
		}
		/* somebody else may have read while we slept */
		if ((run->flags & MSG_PEEK) &&
		    strata_seq_before(run->peek_seq, tp->rcv.copied_seq))
			run->peek_seq = tp->rcv.copied_seq;
	} while (run->len);

	if (!(run->flags & MSG_PEEK))
		strata_tcp_cleanup_rbuf(sk, max(run->copied, 0));
	return run->copied;
}

static int recvmsg_locked(struct sock *sk, struct recv_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int peek_off = 0, flags = run->flags;
	size_t len = run->len;

	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	run->seq = &tp->rcv.copied_seq;
	run->timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	if (flags & MSG_OOB)
		return recv_urgent(sk, run->msg, len, flags);
	if (flags & MSG_PEEK) {
		peek_off = max(sk_peek_offset(sk, flags), 0);
		run->peek_seq = tp->rcv.copied_seq + peek_off;
		run->seq = &run->peek_seq;
	}
	run->target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	recv_loop(sk, run);
	if (run->copied > 0) {
		if (flags & MSG_PEEK)
			sk_peek_offset_fwd(sk, run->copied);
		else
			sk_peek_offset_bwd(sk, run->copied);
	}
	return run->copied;
}

int strata_tcp_recv_now(struct sock *sk, struct msghdr *msg, size_t len, ktime_t *soft,
			ktime_t *hard)
{
	struct recv_run run = { .msg = msg, .len = len, .flags = MSG_DONTWAIT };
	int ret = recvmsg_locked(sk, &run);

	*soft = run.soft;
	*hard = run.hard;
	return ret;
}

/* TCP_CM_INQ: is it worth reading on? After a FIN, too, to find the end */
int strata_tcp_inq_hint(const struct sock *sk)
{
	int left = recv_avail(strata_tcp_sk(sk));

	return !left && sock_flag(sk, SOCK_DONE) ? 1 : left;
}

int strata_tcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct recv_run run = { .msg = msg, .len = len, .flags = flags };
	bool inq = strata_tcp_sk(sk)->inq_cmsg;
	int ret, left, namelen = 0;

	if (unlikely(flags & MSG_ERRQUEUE)) {
		ret = strata_ip_recv_error(sk, msg, len, &namelen);
		if (ret >= 0)
			msg->msg_namelen = namelen;
		return ret;
	}
	if (sk_can_busy_loop(sk) && skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	    sk->sk_state == TCP_ESTABLISHED)
		sk_busy_loop(sk, flags & MSG_DONTWAIT);

	lock_sock(sk);
	ret = recvmsg_locked(sk, &run);
	left = unlikely(inq) || msg->msg_get_inq ? strata_tcp_inq_hint(sk) : 0;
	release_sock(sk);
	msg->msg_namelen = 0;
	if (unlikely(run.soft || run.hard) && ret >= 0)
		strata_tcp_tstamp_recv(msg, sk, run.soft, run.hard);
	/* io_uring asks whether to read on */
	if (msg->msg_get_inq && ret >= 0)
		msg->msg_inq = left;
	if (inq && ret >= 0)
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(left), &left);
	return ret;
}

/* move what is there into the pipe; bytes, 0: nothing there or the pipe is full, or -errno */
static int splice_some(struct sock *sk, struct pipe_inode_info *pipe, size_t len,
		       unsigned int flags)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb;
	int moved = 0;
	u32 off;

	while (len && (skb = recv_find(sk, tp->rcv.copied_seq, &off))) {
		u32 want = min_t(size_t, skb->len - off, len);
		int n = 0;

		/* the mark stops a splice; the urgent byte is for recv() */
		if (tp->rcv.urg_data && tp->rcv.up - tp->rcv.copied_seq < want)
			want = tp->rcv.up - tp->rcv.copied_seq;
		if (want) {
			n = skb_splice_bits(skb, sk, off, pipe, want, flags);
			if (n <= 0 && !moved)
				return n;
			if (n <= 0)
				break;
			WRITE_ONCE(tp->rcv.copied_seq, tp->rcv.copied_seq + n);
			moved += n;
			len -= n;
		}
		if (off + n < skb->len)
			break;
		if (STRATA_TCP_SEG(skb)->flags & STRATA_TCP_FIN) {
			WRITE_ONCE(tp->rcv.copied_seq, tp->rcv.copied_seq + 1);
			len = 0;
		}
		strata_tcp_recv_eat(sk, skb);
	}
	if (moved > 0) {
		strata_tcp_rcv_space_adjust(sk);
		strata_tcp_cleanup_rbuf(sk, moved);
	}
	return moved;
}

/* nothing was spliced: 0 end, -errno, or 1: try again */
static int splice_wait(struct sock *sk, long *timeo)
{
	int err;

	if (sock_flag(sk, SOCK_DONE))
		return 0;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	if (sk->sk_state == TCP_CLOSE)
		return -ENOTCONN;
	if (!*timeo)
		return -EAGAIN;
	/* data is there, so the pipe must be full */
	if (!skb_queue_empty(&sk->sk_receive_queue))
		return 0;
	strata_tcp_reader_waits(sk, 0);
	/* disconnected: what comes now is another connection's */
	err = sk_wait_data(sk, timeo, NULL);
	if (err < 0)
		return err;
	return signal_pending(current) ? sock_intr_errno(*timeo) : 1;
}

ssize_t strata_tcp_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			       size_t len, unsigned int flags)
{
	struct sock *sk = sock->sk;
	ssize_t total = 0;
	long timeo;
	int ret = 0;

	if (unlikely(*ppos))
		return -ESPIPE;
	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN) {
		release_sock(sk);
		return -ENOTCONN;
	}
	timeo = sock_rcvtimeo(sk, sock->file->f_flags & O_NONBLOCK);
	while (len) {
		ret = splice_some(sk, pipe, len, flags);
		if (ret < 0)
			break;
		if (!ret) {
			if (total)
				break;
			ret = splice_wait(sk, &timeo);
			if (ret <= 0)
				break;
			continue;
		}
		len -= ret;
		total += ret;
		ret = 0;
		if (!len || !timeo)
			break;
		release_sock(sk);
		lock_sock(sk);
		if (sk->sk_err || sk->sk_state == TCP_CLOSE || (sk->sk_shutdown & RCV_SHUTDOWN) ||
		    signal_pending(current))
			break;
	}
	release_sock(sk);
	return total ?: ret;
}

bool strata_tcp_readable(const struct sock *sk, int target)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	s32 avail = recv_avail(tp);

	if (avail <= 0)
		return false;
	return avail >= target ||
	       atomic_read(&sk->sk_rmem_alloc) > READ_ONCE(sk->sk_rcvbuf) ||
	       strata_wnd_left(&tp->rwnd, READ_ONCE(tp->rcv.nxt)) <= READ_ONCE(tp->rcv.mss);
}

/* is there what a reader waits for */
static bool readable(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int target = sock_rcvlowat(sk, 0, INT_MAX);

	/* the urgent byte is not for an ordinary read */
	if (READ_ONCE(tp->rcv.urg_data) && !sock_flag(sk, SOCK_URGINLINE) &&
	    READ_ONCE(tp->rcv.up) == READ_ONCE(tp->rcv.copied_seq))
		target++;
	return strata_tcp_readable(sk, target);
}

static __poll_t poll_writable(struct sock *sk)
{
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return EPOLLOUT | EPOLLWRNORM;
	if (__sk_stream_is_writeable(sk, 1))
		return EPOLLOUT | EPOLLWRNORM;
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/* space may have come before the bit was there */
	smp_mb__after_atomic();
	return __sk_stream_is_writeable(sk, 1) ? EPOLLOUT | EPOLLWRNORM : 0;
}

__poll_t strata_tcp_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	__poll_t mask = 0;
	u8 shutdown;
	int state;

	sock_poll_wait(file, sock, wait);
	/* with strata_tcp_set_state(): what belongs to the state is there */
	state = smp_load_acquire(&sk->sk_state);
	if (state == TCP_LISTEN)
		return strata_tcp_can_accept(sk) ? EPOLLIN | EPOLLRDNORM : 0;

	shutdown = READ_ONCE(sk->sk_shutdown);
	if (shutdown == SHUTDOWN_MASK || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (state != TCP_SYN_SENT && (state != TCP_SYN_RECV || strata_tcp_fastopen_pending(tp))) {
		if (readable(sk))
			mask |= EPOLLIN | EPOLLRDNORM;
		mask |= poll_writable(sk);
		if (READ_ONCE(tp->rcv.urg_data) & STRATA_URG_VALID)
			mask |= EPOLLPRI;
	} else if (state == TCP_SYN_SENT && strata_tcp_fastopen_deferred(sk)) {
		/* the first write opens */
		mask |= EPOLLOUT | EPOLLWRNORM;
	}
	/* pairs with the barrier in strata_tcp_fail(): the error comes before the state */
	smp_rmb();
	if (READ_ONCE(sk->sk_err) || !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

int strata_tcp_set_rcvlowat(struct sock *sk, int val)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int most = READ_ONCE(strata_sk_net(sk)->conf.tcp_rmem[2]) / 2, space;

	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		most = READ_ONCE(sk->sk_rcvbuf) / 2;
	val = min(val, most);
	WRITE_ONCE(sk->sk_rcvlowat, val ?: 1);
	if (readable(sk) && !sock_flag(sk, SOCK_DEAD))
		sk->sk_data_ready(sk);
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		return 0;
	/* the buffer must be able to hold that much */
	space = min_t(u32, strata_wnd_space(tp->rcv.ratio, val), INT_MAX);
	if (space > READ_ONCE(sk->sk_rcvbuf)) {
		WRITE_ONCE(sk->sk_rcvbuf, space);
		tp->rwnd.clamp = max_t(u32, tp->rwnd.clamp, val);
	}
	return 0;
}

int strata_tcp_inq_locked(struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int n = recv_avail(tp);

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		return 0;
	/* up to the urgent mark */
	if (tp->rcv.urg_data && !sock_flag(sk, SOCK_URGINLINE) &&
	    !strata_seq_before(tp->rcv.up, tp->rcv.copied_seq) &&
	    strata_seq_before(tp->rcv.up, tp->rcv.nxt))
		n = tp->rcv.up - tp->rcv.copied_seq;
	/* a FIN is no byte */
	else if (n && sock_flag(sk, SOCK_DONE))
		n--;
	return n;
}

int strata_tcp_inq(struct sock *sk)
{
	bool slow;
	int n;

	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return -EINVAL;
	slow = lock_sock_fast(sk);
	n = strata_tcp_inq_locked(sk);
	unlock_sock_fast(sk, slow);
	return n;
}

int strata_tcp_outq(struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	if ((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV))
		return 0;
	return READ_ONCE(tp->snd.write_seq) - READ_ONCE(tp->snd.una);
}

int strata_tcp_outqnsd(struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	if ((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV))
		return 0;
	return READ_ONCE(tp->snd.write_seq) - READ_ONCE(tp->snd.nxt);
}

bool strata_tcp_atmark(struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	return READ_ONCE(tp->rcv.urg_data) &&
	       READ_ONCE(tp->rcv.up) == READ_ONCE(tp->rcv.copied_seq);
}
