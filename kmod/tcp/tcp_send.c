// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SEND call (RFC 9293 3.9.1.2, 3.10.2): user bytes onto the write queue.
 *
 * Bytes are copied into page fragments shared by the task's sockets
 * (tcp_frag.c) or, with MSG_ZEROCOPY, MSG_SPLICE_PAGES and sendpage, the pages themselves
 * are queued. An entry grows until it is as large as one GSO segment may be, whatever
 * the MSS is: tcp_output.c cuts.
 *
 * The send buffer is sk_wmem_queued against sk_sndbuf, which grows with the congestion
 * window up to tcp_wmem[2] unless the user fixed it. A writer that waits is
 * woken when a third of the buffer is free.
 *
 * locking: the socket lock, but for strata_tcp_write_space().
 */

#include <linux/bvec.h>
#include "tcp_int.h"

/* payload an entry may have, bytes: a multiple of the MSS, at most half the peer's window */
static u32 size_goal(struct sock *sk, u32 mss)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 most = 65535 - sizeof(struct iphdr) - 60;

	if (tp->swnd.max > 536)
		most = min(most, max(tp->swnd.max >> 1, 68U));
	else if (tp->swnd.max)
		most = min(most, tp->swnd.max);
	return max(rounddown(most, mss), mss);
}

/* one call of sendmsg() or sendpage() */
struct send_run {
	u32	goal;
	int	flags;
	long	timeo;
	size_t	copied;
	size_t	done;		/* with the SYN */
	int	unflushed;	/* entries since the backlog was looked at */
	u32	tsflags;	/* SOF_TIMESTAMPING_* */
	bool	zerocopy;	/* queue the user's pages, for @uarg */
	bool	uarg_ours;	/* and not that of msg->msg_ubuf */
	struct ubuf_info *uarg;	/* who is told when they are free again, NULL: nobody */
};

void strata_tcp_push(struct sock *sk, int msg_flags)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (msg_flags & MSG_OOB)
		tp->snd.up = tp->snd.write_seq;
	tp->todo |= STRATA_TODO_DATA;
	if (msg_flags & MSG_MORE)
		tp->todo |= STRATA_TODO_MORE;
	strata_tcp_output(sk);
}

/*
 * Native's automatic cork: while data of ours still waits in the device or above it, a short
 * segment can wait for more bytes, as it would not leave sooner. The completion sends it.
 */
static bool autocork(struct sock *sk, u32 goal)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (!skb || skb->len >= goal || RB_EMPTY_ROOT(&sk->tcp_rtx_queue) ||
	    (STRATA_TCP_TX(skb)->bits & STRATA_TXB_EOR) ||
	    refcount_read(&sk->sk_wmem_alloc) <= skb->truesize ||
	    !READ_ONCE(strata_sk_net(sk)->conf.tcp_autocorking))
		return false;
	if (!test_bit(STRATA_TSQ_THROTTLED, &tp->deferred)) {
		strata_inc(strata_sk_net(sk), TCPEXT_AUTOCORKING);
		set_bit(STRATA_TSQ_THROTTLED, &tp->deferred);
		/* a completion may have run between the test and the bit */
		smp_mb__after_atomic();
	}
	return refcount_read(&sk->sk_wmem_alloc) > skb->truesize;
}

/* the entry to append to, made new if need be; ERR_PTR(-EAGAIN): no memory now */
static struct sk_buff *send_entry(struct sock *sk, struct send_run *run)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (skb && skb->len < run->goal && !(STRATA_TCP_TX(skb)->bits & STRATA_TXB_EOR) &&
	    skb_shinfo(skb)->nr_frags < MAX_SKB_FRAGS && (run->zerocopy || !skb_zcopy(skb)))
		return skb;
	if (!sk_stream_memory_free(sk))
		return ERR_PTR(-EAGAIN);
	if (++run->unflushed > 16) {
		/* ACKs may be waiting for us to let go */
		run->unflushed = 0;
		if (strata_tcp_flush_backlog(sk))
			return ERR_PTR(-ERESTART);
	}
	skb = strata_tcp_tx_alloc(sk, sk->sk_allocation, strata_tcp_tx_idle(sk));
	if (!skb)
		return ERR_PTR(-EAGAIN);
	strata_tcp_tx_entail(sk, skb);
	return skb;
}

static void appended(struct sock *sk, struct sk_buff *skb, struct send_run *run, int len)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	WRITE_ONCE(tp->snd.write_seq, tp->snd.write_seq + len);
	STRATA_TCP_TX(skb)->end_seq += len;
	run->copied += len;
}

/* copy from the user; bytes, or -EAGAIN (no memory), -EMSGSIZE (entry full), -EFAULT */
static int append_copy(struct sock *sk, struct sk_buff *skb, struct iov_iter *from, u32 room)
{
	struct page_frag *pfrag = sk_page_frag(sk);
	int i = skb_shinfo(skb)->nr_frags;
	bool merge;
	int len, err;

	if (!strata_tcp_frag_refill(sk, pfrag))
		return -EAGAIN;
	merge = skb_can_coalesce(skb, i, pfrag->page, pfrag->offset);
	if (!merge && i >= MAX_SKB_FRAGS)
		return -EMSGSIZE;
	len = min_t(size_t, min_t(u32, room, pfrag->size - pfrag->offset), iov_iter_count(from));
	len = strata_tcp_wmem_part(sk, len);
	if (len <= 0)
		return -EAGAIN;
	err = skb_copy_to_page_nocache(sk, from, skb, pfrag->page, pfrag->offset, len);
	if (err)
		return err;
	if (merge) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], len);
	} else {
		skb_fill_page_desc(skb, i, pfrag->page, pfrag->offset, len);
		page_ref_inc(pfrag->page);
	}
	pfrag->offset += len;
	return len;
}

/* take the user's pages themselves (MSG_SPLICE_PAGES) */
static int append_pages(struct sock *sk, struct sk_buff *skb, struct iov_iter *from, u32 room)
{
	int len = strata_tcp_wmem_part(sk, min_t(size_t, room, iov_iter_count(from)));
	ssize_t got;

	if (len <= 0)
		return -EAGAIN;
	got = strata_skb_splice(skb, from, len, sk->sk_allocation);
	if (got <= 0)
		return got ?: -EMSGSIZE;
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	sk_wmem_queued_add(sk, got);
	sk_mem_charge(sk, got);
	return got;
}

/* can the device send what is not in one piece? Else the pages would be copied there */
static bool device_sg(const struct sock *sk)
{
	const struct strata_path *path = &strata_tcp_sk(sk)->ep.path;
	const struct net_device *dev;
	bool sg;

	rcu_read_lock();
	dev = path->ifp ? strata_path_dev_rcu(path) : NULL;
	sg = !dev || (dev->features & NETIF_F_SG);
	rcu_read_unlock();
	return sg;
}

/*
 * MSG_ZEROCOPY (Documentation/networking/msg_zerocopy.rst): the user's pages are queued and
 * are his again when the error queue, or the owner of msg->msg_ubuf, is told. 0 or -ENOBUFS
 */
static int zerocopy_start(struct sock *sk, struct msghdr *msg, struct send_run *run)
{
	size_t size = msg_data_left(msg);

	if (!(msg->msg_flags & MSG_ZEROCOPY) || !size)
		return 0;
	if (msg->msg_ubuf) {
		run->uarg = msg->msg_ubuf;
	} else if (sock_flag(sk, SOCK_ZEROCOPY)) {
		run->uarg = msg_zerocopy_realloc(sk, size,
						 skb_zcopy(skb_peek_tail(&sk->sk_write_queue)));
		if (!run->uarg)
			return -ENOBUFS;
		run->uarg_ours = true;
	} else {
		return 0;
	}
	run->zerocopy = device_sg(sk);
	if (!run->zerocopy && run->uarg_ours)
		uarg_to_msgzc(run->uarg)->zerocopy = 0;
	return 0;
}

static void zerocopy_end(struct send_run *run)
{
	if (!run->uarg_ours)
		return;
	if (run->copied)
		net_zcopy_put(run->uarg);
	else
		net_zcopy_put_abort(run->uarg, true);
}

/* bytes or -errno as append_copy() */
static int append_zerocopy(struct sock *sk, struct sk_buff *skb, struct msghdr *msg, u32 room,
			   const struct send_run *run)
{
	int len = strata_tcp_wmem_part(sk, min_t(size_t, room, msg_data_left(msg)));
	int got;

	if (len <= 0)
		return -EAGAIN;
	got = skb_zerocopy_iter_stream(sk, skb, msg, len, run->uarg);
	/* pages of another owner are in it */
	return got == -EEXIST ? -EMSGSIZE : got;
}

/* what limited the sender ended, outside of strata_tcp_output() and the receive path */
static void chrono_stop(struct sock *sk, enum strata_chrono what)
{
	strata_chrono_stop(&strata_tcp_sk(sk)->chrono, what, strata_tcp_tx_idle(sk),
			   strata_tcp_clock_us());
}

/* an entry that stayed empty must not stay */
static void drop_empty_tail(struct sock *sk)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (skb && !skb->len && !(STRATA_TCP_TX(skb)->flags & STRATA_TCP_FIN)) {
		__skb_unlink(skb, &sk->sk_write_queue);
		strata_tcp_tx_free(sk, skb);
		chrono_stop(sk, STRATA_CHRONO_BUSY);
	}
}

static int wait_for_space(struct sock *sk, struct send_run *run)
{
	int err;

	drop_empty_tail(sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	if (run->copied)
		strata_tcp_push(sk, run->flags & ~MSG_MORE);
	err = sk_stream_wait_memory(sk, &run->timeo);
	if (!err)
		run->goal = size_goal(sk, strata_tcp_cur_mss(sk));
	return err;
}

/* an entry is full, more will follow: let it go */
static void push_full(struct sock *sk, struct send_run *run)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 unsent = tp->snd.write_seq - tp->snd.pushed_seq;

	/* not for every entry: only the first, or when half a window has gathered */
	if (unsent <= tp->swnd.max >> 1 &&
	    !skb_queue_is_first(&sk->sk_write_queue, skb_peek_tail(&sk->sk_write_queue)))
		return;
	tp->snd.pushed_seq = tp->snd.write_seq;
	strata_tcp_push(sk, run->flags | MSG_MORE);
}

/* has the pipe run dry? Samples of what is sent now tell of the program, not of the path */
static void check_app_limited(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (tp->snd.write_seq - tp->snd.nxt < tp->snd.mss &&
	    sk_wmem_alloc_get(sk) < SKB_TRUESIZE(1) &&
	    strata_tcp_in_flight(&tp->scb) < tp->cong.cwnd &&
	    tp->scb.lost_out <= tp->scb.retrans_out)
		strata_rate_app_limited(&tp->rate, &tp->scb);
}

static int send_start(struct sock *sk, struct send_run *run)
{
	int err;

	if (!strata_tcp_sk(sk)->rate.app_limited)
		check_app_limited(sk);
	run->timeo = sock_sndtimeo(sk, run->flags & MSG_DONTWAIT);
	/* the passive side of Fast Open may answer before the handshake ends (RFC 7413 4.2.2) */
	if (((1 << sk->sk_state) & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) &&
	    !(sk->sk_state == TCP_SYN_RECV &&
	      strata_tcp_fastopen_pending(strata_tcp_sk(sk)))) {
		err = sk_stream_wait_connect(sk, &run->timeo);
		if (err)
			return err;
	}
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	run->goal = size_goal(sk, strata_tcp_cur_mss(sk));
	return sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN) ? -EPIPE : 0;
}

/* what sendmsg() returns */
static int send_end(struct sock *sk, struct send_run *run, int err)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (unlikely(err))
		drop_empty_tail(sk);
	if (run->copied) {
		tp->snd.pushed_seq = tp->snd.write_seq;
		if (unlikely(run->tsflags))
			strata_tcp_tstamp_mark(sk, run->tsflags);
		if ((run->flags & MSG_OOB) || !autocork(sk, run->goal))
			strata_tcp_push(sk, run->flags);
		return run->copied;
	}
	if (!err || run->done)
		return 0;
	err = sk_stream_error(sk, run->flags, err);
	/* an edge-triggered waiter must not wait for an ACK that cannot come */
	if (err == -EAGAIN && strata_tcp_tx_idle(sk)) {
		sk->sk_write_space(sk);
		chrono_stop(sk, STRATA_CHRONO_SNDBUF);
	}
	return err;
}

/* queue all of @msg, waiting for space as often as needed; 0 or -errno */
static int send_loop(struct sock *sk, struct msghdr *msg, struct send_run *run)
{
	int len, err;

	while (msg_data_left(msg)) {
		struct sk_buff *skb;

		if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN))
			return -EPIPE;
		skb = send_entry(sk, run);
		if (skb == ERR_PTR(-ERESTART))
			continue;
		if (IS_ERR(skb)) {
			err = wait_for_space(sk, run);
			if (err)
				return err;
			continue;
		}
		if (run->zerocopy)
			len = append_zerocopy(sk, skb, msg, run->goal - skb->len, run);
		else if (run->flags & MSG_SPLICE_PAGES)
			len = append_pages(sk, skb, &msg->msg_iter, run->goal - skb->len);
		else
			len = append_copy(sk, skb, &msg->msg_iter, run->goal - skb->len);
		if (len == -EMSGSIZE) {
			/* no fragment left in it: the next bytes go to a new one */
			STRATA_TCP_TX(skb)->bits |= STRATA_TXB_EOR;
			continue;
		}
		if (len == -EAGAIN) {
			err = wait_for_space(sk, run);
			if (err)
				return err;
			continue;
		}
		if (len < 0)
			return len;
		appended(sk, skb, run, len);
		if (!msg_data_left(msg)) {
			if (run->flags & MSG_EOR)
				STRATA_TCP_TX(skb)->bits |= STRATA_TXB_EOR;
			break;
		}
		if (skb->len >= run->goal && !(run->flags & MSG_OOB))
			push_full(sk, run);
	}
	return 0;
}

int strata_tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t done)
{
	struct send_run run = { .flags = msg->msg_flags, .done = done };
	struct sockcm_cookie sockc;
	int err;

	sockcm_init(&sockc, sk);
	if (msg->msg_controllen) {
		err = sock_cmsg_send(sk, msg, &sockc);
		if (err)
			return -EINVAL;
	}
	err = send_start(sk, &run);
	if (unlikely(sockc.tsflags))
		strata_tcp_tstamp_key(sk);
	if (!err)
		err = zerocopy_start(sk, msg, &run);
	if (!err)
		err = send_loop(sk, msg, &run);
	run.tsflags = sockc.tsflags;
	zerocopy_end(&run);
	return send_end(sk, &run, err);
}

int strata_tcp_send_syn(struct sock *sk, struct msghdr *msg, u32 room)
{
	struct sk_buff *skb = strata_tcp_tx_alloc(sk, sk->sk_allocation, true);
	struct send_run run = { };
	int len = 0;

	if (!skb)
		return -ENOBUFS;
	strata_tcp_tx_entail(sk, skb);
	while (run.copied < room && msg_data_left(msg)) {
		len = append_copy(sk, skb, &msg->msg_iter, room - run.copied);
		if (len <= 0)
			break;
		appended(sk, skb, &run, len);
	}
	drop_empty_tail(sk);
	return run.copied ?: len;
}

/* put a reference to the page into an entry; bytes or -errno as append_copy() */
static int append_page(struct sock *sk, struct sk_buff *skb, struct page *page, int offset,
		       int len)
{
	int i = skb_shinfo(skb)->nr_frags;
	bool merge = skb_can_coalesce(skb, i, page, offset);

	if (!merge && i >= MAX_SKB_FRAGS)
		return -EMSGSIZE;
	len = strata_tcp_wmem_part(sk, len);
	if (len <= 0)
		return -EAGAIN;
	if (merge) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], len);
	} else {
		get_page(page);
		skb_fill_page_desc(skb, i, page, offset, len);
	}
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	skb->len += len;
	skb->data_len += len;
	skb->truesize += len;
	sk_wmem_queued_add(sk, len);
	sk_mem_charge(sk, len);
	return len;
}

int strata_tcp_sendpage_locked(struct sock *sk, struct page *page, int offset, size_t size,
			       int flags)
{
	struct send_run run = { .flags = flags, .tsflags = READ_ONCE(sk->sk_tsflags) };
	int err, len;

	if (unlikely(run.tsflags))
		strata_tcp_tstamp_key(sk);
	/* more pages of the same sendfile() follow */
	if (flags & MSG_SENDPAGE_NOTLAST)
		run.flags |= MSG_MORE;
	err = send_start(sk, &run);
	while (!err && run.copied < size) {
		struct sk_buff *skb = send_entry(sk, &run);

		len = PTR_ERR_OR_ZERO(skb);
		if (!len)
			len = append_page(sk, skb, page, offset + run.copied,
					  min_t(size_t, run.goal - skb->len, size - run.copied));
		if (len > 0) {
			appended(sk, skb, &run, len);
			if (skb->len >= run.goal && run.copied < size)
				push_full(sk, &run);
		} else if (len == -EMSGSIZE) {
			STRATA_TCP_TX(skb)->bits |= STRATA_TXB_EOR;
		} else if (len == -EAGAIN) {
			err = wait_for_space(sk, &run);
		}
		if (!err && (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN)))
			err = -EPIPE;
	}
	return send_end(sk, &run, err);
}

void strata_tcp_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (skb_queue_empty_lockless(&sk->sk_write_queue))
		return;
	lock_sock(sk);
	strata_tcp_push(sk, 0);
	release_sock(sk);
}

bool strata_tcp_memory_free(const struct sock *sk, int wake)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 unsent = READ_ONCE(tp->snd.write_seq) - READ_ONCE(tp->snd.nxt);
	u32 lowat = READ_ONCE(tp->notsent_lowat);

	if (!lowat)
		lowat = READ_ONCE(strata_sk_net(sk)->conf.tcp_notsent_lowat);
	return (u64)unsent << wake < lowat;
}

void strata_tcp_write_space(struct sock *sk)
{
	struct socket_wq *wq;
	struct socket *sock;

	strata_tcp_completed(sk);
	/* what leaves at once frees nothing: strata_tcp_check_space() follows, when it may */
	if (READ_ONCE(strata_tcp_sk(sk)->in_output))
		return;
	rcu_read_lock();
	sock = READ_ONCE(sk->sk_socket);
	if (sock && test_bit(SOCK_NOSPACE, &sock->flags) && __sk_stream_is_writeable(sk, 1)) {
		clear_bit(SOCK_NOSPACE, &sock->flags);
		wq = rcu_dereference(sk->sk_wq);
		if (skwq_has_sleeper(wq))
			wake_up_interruptible_poll(&wq->wait,
						   EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
		if (!(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
			sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
	}
	rcu_read_unlock();
}

/*
 * Two windows, or as many as the congestion control asks for, as native counts them: each
 * segment an skb of its own with its payload in a head of a power of two. In recovery what is
 * SACKed stays in the buffer behind the first hole, and new data leaves for all of it: by truesize
 * alone a writer would be stopped, and the window filled in one burst when the hole is repaired.
 * A tcp_wmem[2] lowered meanwhile is obeyed when the buffer would grow next, as native's
 */
void strata_tcp_sndbuf_expand(struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 one = roundup_pow_of_two(max_t(u32, tp->snd.mss_clamp, tp->snd.mss) +
				     L1_CACHE_ALIGN(128 + MAX_HEADER) +
				     SKB_DATA_ALIGN(sizeof(struct skb_shared_info))) +
		  SKB_DATA_ALIGN(sizeof(struct sk_buff));
	u64 want = (u64)(tp->cong.ops->sndbuf_windows ?: 2) * one *
		   max3(tp->cong.cwnd, 10U, tp->scb.reordering + 1);
	int most = READ_ONCE(strata_sk_net(sk)->conf.tcp_wmem[2]);

	if (want > READ_ONCE(sk->sk_sndbuf))
		WRITE_ONCE(sk->sk_sndbuf, min_t(u64, want, most));
}

/* is the buffer what keeps the congestion window from being filled? */
static bool sndbuf_limits(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	return !(sk->sk_userlocks & SOCK_SNDBUF_LOCK) && !sk_under_memory_pressure(sk) &&
	       sk_memory_allocated(sk) < sk_prot_mem_limits(sk, 0) &&
	       strata_tcp_in_flight(&tp->scb) < tp->cong.cwnd;
}

void strata_tcp_check_space(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	/* pairs with strata_tcp_poll(): it sees what was freed here, or we its SOCK_NOSPACE */
	smp_mb();
	if (!sk->sk_socket || !test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		goto room;
	if (sndbuf_limits(sk))
		strata_tcp_sndbuf_expand(sk);
	sk->sk_write_space(sk);
	if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		return;
room:
	if (tp->chrono.now == STRATA_CHRONO_SNDBUF)
		strata_chrono_stop(&tp->chrono, STRATA_CHRONO_SNDBUF, strata_tcp_tx_idle(sk),
				   tp->mstamp_us);
}
