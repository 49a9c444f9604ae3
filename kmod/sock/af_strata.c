// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address family: socket(AF_STRATA, type, protocol), and the calls that do not
 * depend on the type.
 *
 * Addresses are struct sockaddr_in. What comes in may say AF_INET or AF_STRATA, what goes
 * out says AF_INET, so that programs written for AF_INET need not know where they are.
 * Errors are those of AF_INET, in its order of checks.
 *
 * sk->sk_protocol stays 0, see endpoint.h.
 */

#define pr_fmt(fmt) "strata: " fmt

#include <linux/capability.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include "owner.h"
#include "sock_int.h"
#include "socklist.h"

struct sock_kind {
	int			type;
	int			protocol;
	struct proto		*prot;
	const struct proto_ops	*ops;
};

/* the first entry of a type is what protocol 0 means */
static const struct sock_kind sock_kinds[] = {
	{ SOCK_STREAM, IPPROTO_TCP, &strata_tcp_prot, &strata_stream_ops },
	{ SOCK_DGRAM, IPPROTO_UDP, &strata_udp_prot, &strata_dgram_ops },
	{ SOCK_DGRAM, IPPROTO_ICMP, &strata_ping_prot, &strata_dgram_ping_ops },
};

static int kind_find(int type, int protocol, const struct sock_kind **kind)
{
	int err = -ESOCKTNOSUPPORT;
	int i;

	for (i = 0; i < ARRAY_SIZE(sock_kinds); i++) {
		if (sock_kinds[i].type != type)
			continue;
		err = -EPROTONOSUPPORT;
		if (protocol && sock_kinds[i].protocol != protocol)
			continue;
		*kind = &sock_kinds[i];
		return 0;
	}
	return err;
}

/* a socket made while the module may yet fail to load would outlive it */
static bool family_opened;

static int strata_sock_create(struct net *net, struct socket *sock, int protocol, int kern)
{
	const struct sock_kind *kind;
	struct sock *sk;
	int err;

	if (!READ_ONCE(family_opened))
		return -EAFNOSUPPORT;
	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return -EINVAL;
	sock->state = SS_UNCONNECTED;
	err = kind_find(sock->type, protocol, &kind);
	if (err)
		return err;
	sk = sk_alloc(net, strata_family, GFP_KERNEL, kind->prot, kern);
	if (!sk)
		return -ENOBUFS;

	sock->ops = kind->ops;
	strata_custom_sockopt(sock);
	if (kind->protocol != IPPROTO_ICMP)
		set_bit(SOCK_SUPPORT_ZC, &sock->flags);	/* msg->msg_ubuf: io_uring */
	sock_init_data(sock, sk);
	sk->sk_backlog_rcv = kind->prot->backlog_rcv;
	strata_sock_init(sk, kind->protocol);
	if (kind->prot->init) {
		err = kind->prot->init(sk);
		if (err) {
			sk_common_release(sk);
			return err;
		}
	}
	strata_sock_list_add(sk);
	return 0;
}

int strata_sock_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	long timeout = 0;

	if (!sk)
		return 0;
	strata_sock_list_del(sk);
	/* a process that dies does not wait for its peer */
	if (sock_flag(sk, SOCK_LINGER) && !(current->flags & PF_EXITING))
		timeout = sk->sk_lingertime;
	sk->sk_prot->close(sk, timeout);
	sock->sk = NULL;
	return 0;
}

int strata_sock_is_addr(const struct sockaddr *uaddr, int addrlen)
{
	if (addrlen < (int)sizeof(struct sockaddr_in))
		return -EINVAL;
	if (uaddr->sa_family != AF_INET && uaddr->sa_family != strata_family)
		return -EAFNOSUPPORT;
	return 0;
}

/* Old programs leave the family out when they bind to any address */
static int bind_is_addr(const struct sockaddr_in *addr, int addrlen)
{
	int err = strata_sock_is_addr((const struct sockaddr *)addr, addrlen);

	if (err == -EAFNOSUPPORT && addr->sin_family == AF_UNSPEC &&
	    addr->sin_addr.s_addr == htonl(INADDR_ANY))
		return 0;
	return err;
}

/*
 * Stream sockets take broadcast and multicast addresses too, as native: nothing ever comes. Ping
 * sockets do not
 */
static bool bind_may_have(struct sock *sk, __be32 addr)
{
	const struct strata_sock *ep = strata_sk(sk);
	enum strata_addr_type type;

	if (addr == htonl(INADDR_ANY))
		return true;
	rcu_read_lock();
	type = strata_addr_type_rcu(strata_sk_net(sk), NULL, addr);
	rcu_read_unlock();
	if (type == STRATA_ADDR_OTHER)
		return ep->freebind;
	return type == STRATA_ADDR_LOCAL || ep->proto != IPPROTO_ICMP;
}

static bool bind_may_use(const struct sock *sk, u16 port)
{
	/* an echo identifier is no port */
	if (!port || strata_sk(sk)->proto == IPPROTO_ICMP ||
	    port >= READ_ONCE(strata_sk_net(sk)->conf.ip_unprivileged_port_start))
		return true;
	return ns_capable(sock_net(sk)->user_ns, CAP_NET_BIND_SERVICE);
}

/* a closed stream socket may remember a port that it has given back */
static bool bind_done(const struct sock *sk)
{
	const struct strata_sock *ep = strata_sk(sk);

	return ep->proto == IPPROTO_TCP ? !!ep->bind : !!ep->lport;
}

static int bind_port(struct sock *sk, u16 port)
{
	strata_sock_owner_set(sk);
	if (sk->sk_prot->get_port)
		return sk->sk_prot->get_port(sk, port);
	return strata_port_bind(sk, port);
}

int strata_sock_bind(struct socket *sock, struct sockaddr *uaddr, int addrlen)
{
	struct sockaddr_in *addr = (struct sockaddr_in *)uaddr;
	struct sock *sk = sock->sk;
	struct strata_sock *ep = strata_sk(sk);
	u16 port;
	int err;

	err = bind_is_addr(addr, addrlen);
	if (err)
		return err;
	if (!bind_may_have(sk, addr->sin_addr.s_addr))
		return -EADDRNOTAVAIL;
	port = ntohs(addr->sin_port);
	if (!bind_may_use(sk, port))
		return -EACCES;

	lock_sock(sk);
	err = -EINVAL;
	if (sk->sk_state != TCP_CLOSE || bind_done(sk))
		goto out;
	ep->laddr = addr->sin_addr.s_addr;
	err = 0;
	if (port || !ep->bind_no_port) {
		err = bind_port(sk, port);
		if (err) {
			ep->laddr = 0;
			goto out;
		}
	} else {
		WRITE_ONCE(ep->lport, 0);
	}
	ep->bound_laddr = ep->laddr;
	if (ep->laddr)
		sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
	if (port)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	WRITE_ONCE(ep->raddr, 0);
	WRITE_ONCE(ep->rport, 0);
out:
	release_sock(sk);
	return err;
}

int strata_sock_autobind(struct sock *sk)
{
	int err = 0;

	if (READ_ONCE(strata_sk(sk)->lport))
		return 0;
	lock_sock(sk);
	if (!strata_sk(sk)->lport && bind_port(sk, 0))
		err = -EAGAIN;
	release_sock(sk);
	return err;
}

int strata_sock_getname(struct socket *sock, struct sockaddr *uaddr, int peer)
{
	DECLARE_SOCKADDR(struct sockaddr_in *, sin, uaddr);
	struct sock *sk = sock->sk;
	const struct strata_sock *ep = strata_sk(sk);
	int err = sizeof(*sin);

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	lock_sock(sk);
	if (!peer) {
		sin->sin_port = ep->lport;
		sin->sin_addr.s_addr = ep->laddr;
	} else if (!ep->rport || (peer == 1 && (sk->sk_state == TCP_CLOSE ||
						sk->sk_state == TCP_SYN_SENT))) {
		err = -ENOTCONN;
	} else {
		sin->sin_port = ep->rport;
		sin->sin_addr.s_addr = ep->raddr;
	}
	release_sock(sk);
	return err;
}

static void shutdown_open(struct sock *sk, int how)
{
	sk->sk_shutdown |= how;
	if (sk->sk_prot->shutdown)
		sk->sk_prot->shutdown(sk, how);
}

int strata_sock_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int err = 0;

	how++;	/* SHUT_RD, _WR, _RDWR become RCV_SHUTDOWN, SEND_SHUTDOWN, both */
	if (how & ~SHUTDOWN_MASK || !how)
		return -EINVAL;

	lock_sock(sk);
	if (sock->state == SS_CONNECTING)
		sock->state = (1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV | TCPF_CLOSE) ?
			      SS_DISCONNECTING : SS_CONNECTED;
	switch (sk->sk_state) {
	case TCP_CLOSE:
		err = -ENOTCONN;	/* wakes who waits all the same */
		shutdown_open(sk, how);
		break;
	case TCP_LISTEN:
		if (!(how & RCV_SHUTDOWN))
			break;
		fallthrough;
	case TCP_SYN_SENT:
		err = sk->sk_prot->disconnect(sk, O_NONBLOCK);
		sock->state = err ? SS_DISCONNECTING : SS_UNCONNECTED;
		break;
	default:
		shutdown_open(sk, how);
	}
	sk->sk_state_change(sk);
	release_sock(sk);
	return err;
}

static struct net_proto_family strata_family_ops = {
	.create	= strata_sock_create,
	.owner	= THIS_MODULE,
};

static void protos_unregister(int n)
{
	while (n--)
		proto_unregister(sock_kinds[n].prot);
}

int strata_family_init(void)
{
	int i, err;

	if (strata_family == AF_UNSPEC || strata_family >= NPROTO) {
		pr_err("family=%u is no family number, expected 1 to %d\n", strata_family,
		       NPROTO - 1);
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(sock_kinds); i++) {
		err = proto_register(sock_kinds[i].prot, 1);
		if (err) {
			protos_unregister(i);
			return err;
		}
	}
	strata_sock_list_init();
	strata_family_ops.family = strata_family;
	err = sock_register(&strata_family_ops);
	if (err) {
		if (err == -EEXIST)
			pr_err("address family %u belongs to another module: choose a free one with family=NUMBER\n",
			       strata_family);
		protos_unregister(ARRAY_SIZE(sock_kinds));
	}
	return err;
}

int strata_family_open(void)
{
	WRITE_ONCE(family_opened, true);
	return 0;
}

void strata_family_exit(void)
{
	sock_unregister(strata_family);
	rcu_barrier();	/* sockets freed by RCU must leave their slab first */
	protos_unregister(ARRAY_SIZE(sock_kinds));
}

/* 18: AF_STRATA. socket() asks for the family, sock_diag for the others */
MODULE_ALIAS_NETPROTO(18);
MODULE_ALIAS_NET_PF_PROTO(18, 6);
MODULE_ALIAS_NET_PF_PROTO(18, 17);
MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_NETLINK, NETLINK_SOCK_DIAG, 18);
