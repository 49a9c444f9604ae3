/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of sock/ share. */
#ifndef _STRATA_SOCK_INT_H
#define _STRATA_SOCK_INT_H

#include <linux/net.h>
#include "../sock.h"
#include "../tcp.h"
#include "../udp.h"

extern const struct proto_ops strata_stream_ops;
extern const struct proto_ops strata_dgram_ops;
extern const struct proto_ops strata_dgram_ping_ops;

/* af_strata.c: calls that are the same for all types */

int strata_sock_release(struct socket *sock);
int strata_sock_bind(struct socket *sock, struct sockaddr *uaddr, int addrlen);
int strata_sock_getname(struct socket *sock, struct sockaddr *uaddr, int peer);
int strata_sock_shutdown(struct socket *sock, int how);
/** strata_sock_is_addr() - is @uaddr an IPv4 socket address? 0, -EINVAL too short, -EAFNOSUPPORT */
int strata_sock_is_addr(const struct sockaddr *uaddr, int addrlen);
/** strata_sock_autobind() - give an unbound socket a port; takes the socket lock. 0 or -EAGAIN */
int strata_sock_autobind(struct sock *sk);

/* sock_ioctl.c */

int strata_sock_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
#ifdef CONFIG_COMPAT
int strata_sock_compat_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
#endif

/* sockopt.c */

int strata_sock_setsockopt(struct socket *sock, int level, int optname, sockptr_t optval,
			   unsigned int optlen);
int strata_sock_getsockopt(struct socket *sock, int level, int optname, char __user *optval,
			   int __user *optlen);

#endif /* _STRATA_SOCK_INT_H */
