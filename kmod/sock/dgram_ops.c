// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on datagram sockets: UDP and ping.
 */

#include <linux/module.h>
#include <linux/poll.h>
#include "owner.h"
#include "sock_int.h"

static int dgram_connect(struct socket *sock, struct sockaddr *uaddr, int addrlen, int flags)
{
	struct sock *sk = sock->sk;
	int err;

	if (addrlen < (int)sizeof(uaddr->sa_family))
		return -EINVAL;
	if (uaddr->sa_family == AF_UNSPEC)
		return sk->sk_prot->disconnect(sk, flags);
	err = strata_sock_autobind(sk);
	if (!err)
		err = strata_sock_is_addr(uaddr, addrlen);
	if (!err)
		err = sk->sk_prot->connect(sk, uaddr, addrlen);
	return err;
}

static int dgram_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	int err = strata_sock_autobind(sk);

	return err ? err : sk->sk_prot->sendmsg(sk, msg, len);
}

static int dgram_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	int addrlen = 0;
	int ret;

	strata_sock_owner_renew(sk);
	ret = sk->sk_prot->recvmsg(sk, msg, len, flags, &addrlen);
	if (ret >= 0)
		msg->msg_namelen = addrlen;
	return ret;
}

static __poll_t dgram_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask = datagram_poll(file, sock, wait);

	/* who may block must not be told of a datagram with a bad checksum */
	if (mask & EPOLLRDNORM && strata_sk(sk)->proto == IPPROTO_UDP &&
	    !(file->f_flags & O_NONBLOCK) && !(sk->sk_shutdown & RCV_SHUTDOWN) &&
	    strata_udp_inq(sk) < 0)
		mask &= ~(EPOLLIN | EPOLLRDNORM);
	return mask;
}

const struct proto_ops strata_dgram_ops = {
	.family		= PF_UNSPEC,	/* a module parameter; the core does not look */
	.owner		= THIS_MODULE,
	.release	= strata_sock_release,
	.bind		= strata_sock_bind,
	.connect	= dgram_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= strata_sock_getname,
	.poll		= dgram_poll,
	.ioctl		= strata_sock_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= strata_sock_compat_ioctl,
#endif
	.gettstamp	= sock_gettstamp,
	.listen		= sock_no_listen,
	.shutdown	= strata_sock_shutdown,
	.setsockopt	= strata_sock_setsockopt,
	.getsockopt	= strata_sock_getsockopt,
	.sendmsg	= dgram_sendmsg,
	.recvmsg	= dgram_recvmsg,
	.mmap		= sock_no_mmap,
	.set_peek_off	= sk_set_peek_off,
	STRATA_IF_SPLICE_EOF(.splice_eof = strata_udp_splice_eof)
};

/* as native: no SO_PEEK_OFF */
const struct proto_ops strata_dgram_ping_ops = {
	.family		= PF_UNSPEC,	/* a module parameter; the core does not look */
	.owner		= THIS_MODULE,
	.release	= strata_sock_release,
	.bind		= strata_sock_bind,
	.connect	= dgram_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= strata_sock_getname,
	.poll		= dgram_poll,
	.ioctl		= strata_sock_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= strata_sock_compat_ioctl,
#endif
	.gettstamp	= sock_gettstamp,
	.listen		= sock_no_listen,
	.shutdown	= strata_sock_shutdown,
	.setsockopt	= strata_sock_setsockopt,
	.getsockopt	= strata_sock_getsockopt,
	.sendmsg	= dgram_sendmsg,
	.recvmsg	= dgram_recvmsg,
	.mmap		= sock_no_mmap,
};
