// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands for the calls of tcp.h until TCP is complete: stream sockets can be made, bound and
 * closed, nothing more. Goes as soon as tcp_send.c, tcp_recv.c and tcp_sockopt.c are there.
 */

#include <linux/module.h>
#include <linux/poll.h>
#include "../tcp.h"

static void stub_close(struct sock *sk, long timeout)
{
	sk_common_release(sk);
}

static int stub_get_port(struct sock *sk, unsigned short port)
{
	return strata_port_bind(sk, port);
}

struct proto strata_tcp_prot = {
	.name		= "STRATA-TCP",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct strata_sock),
	.close		= stub_close,
	.unhash		= strata_port_put,
	.disconnect	= strata_tcp_disconnect,
	.get_port	= stub_get_port,
};

int strata_tcp_connect(struct sock *sk, __be32 daddr, __be16 dport)
{
	return -EOPNOTSUPP;
}

int strata_tcp_listen(struct sock *sk, int backlog)
{
	return -EOPNOTSUPP;
}

struct sock *strata_tcp_accept(struct sock *sk, int flags, int *err)
{
	*err = -EOPNOTSUPP;
	return NULL;
}

int strata_tcp_disconnect(struct sock *sk, int flags)
{
	return 0;
}

int strata_tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	return -EPIPE;
}

int strata_tcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	return -ENOTCONN;
}

int strata_tcp_sendpage_locked(struct sock *sk, struct page *page, int offset, size_t size,
			       int flags)
{
	return -EPIPE;
}

void strata_tcp_splice_eof(struct socket *sock)
{
}

ssize_t strata_tcp_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			       size_t len, unsigned int flags)
{
	return -ENOTCONN;
}

__poll_t strata_tcp_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	return EPOLLHUP;
}

int strata_tcp_set_rcvlowat(struct sock *sk, int val)
{
	return 0;
}

int strata_tcp_inq(struct sock *sk)
{
	return 0;
}

int strata_tcp_outq(struct sock *sk)
{
	return 0;
}

int strata_tcp_outqnsd(struct sock *sk)
{
	return 0;
}

bool strata_tcp_atmark(struct sock *sk)
{
	return false;
}
