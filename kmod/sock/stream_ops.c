// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on stream sockets (RFC 9293 3.9.1: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS).
 *
 * sock->state is the user's side of a connection: SS_UNCONNECTED, SS_CONNECTING while an
 * active open has not been reported to the user, SS_CONNECTED. TCP's own state may be
 * further: a connect() that was interrupted or did not wait learns the result by the next
 * connect(), or from SO_ERROR.
 */

#include <linux/module.h>
#include "owner.h"
#include "sock_int.h"

/* Wait for the handshake; returns what is left of @timeo. Socket lock, dropped meanwhile */
static long wait_for_connect(struct sock *sk, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(sk_sleep(sk), &wait);
	while ((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV)) {
		release_sock(sk);
		timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
		lock_sock(sk);
		if (signal_pending(current) || !timeo)
			break;
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return timeo;
}

static int connect_unspec(struct socket *sock, int flags)
{
	struct sock *sk = sock->sk;
	int err;

	sk->sk_disconnects++;
	err = strata_tcp_disconnect(sk, flags);
	sock->state = err ? SS_DISCONNECTING : SS_UNCONNECTED;
	return err;
}

static int connect_start(struct socket *sock, struct sockaddr *uaddr, int addrlen)
{
	struct sockaddr_in *to = (struct sockaddr_in *)uaddr;
	struct sock *sk = sock->sk;
	int err;

	if (sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	err = strata_sock_is_addr(uaddr, addrlen);
	if (!err) {
		strata_sock_owner_set(sk);
		err = strata_tcp_connect(sk, to->sin_addr.s_addr, to->sin_port);
	}
	if (!err)
		sock->state = SS_CONNECTING;
	return err;
}

/* The open failed: report why, ready for another try */
static int connect_failed(struct socket *sock, int flags)
{
	struct sock *sk = sock->sk;
	int err = sock_error(sk);

	sock->state = SS_UNCONNECTED;
	sk->sk_disconnects++;
	if (strata_tcp_disconnect(sk, flags))
		sock->state = SS_DISCONNECTING;
	return err ? err : -ECONNABORTED;
}

/* @send: send() asks (Fast Open). Lock held */
static int connect_locked(struct socket *sock, struct sockaddr *uaddr, int addrlen, int flags,
			  bool send)
{
	struct sock *sk = sock->sk;
	int err = -EINPROGRESS, disconnects = sk->sk_disconnects;
	long timeo;

	switch (sock->state) {
	case SS_UNCONNECTED:
		err = connect_start(sock, uaddr, addrlen);
		if (err || strata_tcp_fastopen_deferred(sk))
			return err;
		err = -EINPROGRESS;
		break;
	case SS_CONNECTING:
		err = -EALREADY;
		if (strata_tcp_fastopen_deferred(sk))
			err = send ? -EINPROGRESS : -EISCONN;
		break;
	case SS_CONNECTED:
		return -EISCONN;
	default:
		return -EINVAL;
	}

	timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
	if ((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV)) {
		if (!timeo)
			return err;
		timeo = wait_for_connect(sk, timeo);
		if (!timeo)
			return err;
		if (signal_pending(current))
			return sock_intr_errno(timeo);
		/* another thread disconnected, and may have connected anew */
		if (disconnects != sk->sk_disconnects)
			return -EPIPE;
	}
	/* reset, timed out or refused while nobody looked */
	if (sk->sk_state == TCP_CLOSE)
		return connect_failed(sock, flags);
	/* ESTABLISHED, or closing already: the error, if any, is for the next call */
	sock->state = SS_CONNECTED;
	return 0;
}

static int stream_connect(struct socket *sock, struct sockaddr *uaddr, int addrlen, int flags)
{
	int err;

	if (addrlen < (int)sizeof(uaddr->sa_family))
		return -EINVAL;
	lock_sock(sock->sk);
	if (uaddr->sa_family == AF_UNSPEC)
		err = connect_unspec(sock, flags);
	else
		err = connect_locked(sock, uaddr, addrlen, flags, false);
	release_sock(sock->sk);
	return err;
}

static int stream_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = -EINVAL;

	lock_sock(sk);
	if (sock->state == SS_UNCONNECTED &&
	    (1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN)) {
		strata_sock_owner_set(sk);
		err = strata_tcp_listen(sk, backlog);
	}
	release_sock(sk);
	return err;
}

static int stream_accept(STRATA_ACCEPT_ARGS)
{
	struct sock *child;
	int err = -EINVAL;

	child = strata_tcp_accept(sock->sk, STRATA_ACCEPT_FLAGS, &err);
	if (!child)
		return err;
	strata_sock_owner_renew(sock->sk);
	STRATA_ACCEPT_EMPTY(!strata_tcp_can_accept(sock->sk));
	lock_sock(child);
	strata_custom_sockopt(newsock);
	set_bit(SOCK_SUPPORT_ZC, &newsock->flags);
	sock_graft(child, newsock);
	strata_sock_owner_set(child);
	newsock->state = SS_CONNECTED;
	release_sock(child);
	return 0;
}

/* a send() that opens (RFC 7413 4.2.1). *@syn: bytes that went with the SYN */
static int send_open(struct sock *sk, struct msghdr *msg, int *syn)
{
	int flags = msg->msg_flags & MSG_DONTWAIT ? O_NONBLOCK : 0;
	int err = strata_tcp_fastopen_begin(sk, msg);

	if (err)
		return err;
	err = connect_locked(sk->sk_socket, msg->msg_name, msg->msg_namelen, flags, true);
	if (err == -EPIPE)	/* what there is of an opening is another call's */
		return err;
	*syn = strata_tcp_fastopen_end(sk);
	/* the caller need not wait to know that these will be delivered or the connection fail */
	if (err == -EINPROGRESS && *syn)
		return 1;
	return err;
}

static int stream_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t len)
{
	int syn = 0, ret;

	if (likely(!(msg->msg_flags & MSG_FASTOPEN) && !strata_tcp_fastopen_deferred(sk)))
		return strata_tcp_sendmsg_locked(sk, msg, 0);
	ret = send_open(sk, msg, &syn);
	if (ret < 0)
		return sk_stream_error(sk, msg->msg_flags, ret);
	if (ret || (syn && !msg_data_left(msg)))
		return syn;
	ret = strata_tcp_sendmsg_locked(sk, msg, syn);
	return ret < 0 ? ret : syn + ret;
}

static int stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	int ret;

	lock_sock(sk);
	ret = stream_sendmsg_locked(sk, msg, len);
	release_sock(sk);
	return ret;
}

static int stream_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	strata_sock_owner_renew(sock->sk);
	return strata_tcp_recvmsg(sock->sk, msg, len, flags);
}

static int stream_peek_len(struct socket *sock)
{
	return strata_tcp_inq(sock->sk);
}

static __maybe_unused int stream_sendpage_locked(struct sock *sk, struct page *page, int offset,
						 size_t size, int flags)
{
	return strata_tcp_sendpage_locked(sk, page, offset, size, flags);
}

static __maybe_unused ssize_t stream_sendpage(struct socket *sock, struct page *page, int offset,
					      size_t size, int flags)
{
	struct sock *sk = sock->sk;
	int ret;

	lock_sock(sk);
	ret = strata_tcp_sendpage_locked(sk, page, offset, size, flags);
	release_sock(sk);
	return ret;
}

const struct proto_ops strata_stream_ops = {
	.family		= PF_UNSPEC,	/* a module parameter; the core does not look */
	.owner		= THIS_MODULE,
	.release	= strata_sock_release,
	.bind		= strata_sock_bind,
	.connect	= stream_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= stream_accept,
	.getname	= strata_sock_getname,
	.poll		= strata_tcp_poll,
	.ioctl		= strata_sock_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= strata_sock_compat_ioctl,
#endif
	.gettstamp	= sock_gettstamp,
	.listen		= stream_listen,
	.shutdown	= strata_sock_shutdown,
	.setsockopt	= strata_sock_setsockopt,
	.getsockopt	= strata_sock_getsockopt,
	.sendmsg	= stream_sendmsg,
	.sendmsg_locked	= stream_sendmsg_locked,
	.recvmsg	= stream_recvmsg,
	.mmap		= strata_tcp_mmap,
	.splice_read	= strata_tcp_splice_read,
	.set_rcvlowat	= strata_tcp_set_rcvlowat,
	.set_peek_off	= sk_set_peek_off,
	.peek_len	= stream_peek_len,
	STRATA_IF_SPLICE_EOF(.splice_eof = strata_tcp_splice_eof)
	STRATA_IF_SENDPAGE(.sendpage = stream_sendpage)
	STRATA_IF_SENDPAGE(.sendpage_locked = stream_sendpage_locked)
};
