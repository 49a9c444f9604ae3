// SPDX-License-Identifier: GPL-2.0-only
/*
 * UDP (RFC 768; RFC 1122 4.1): the life of a socket.
 *
 * A socket is made closed and unbound. bind(), or the first connect() or send, gives it
 * a port and enters it in the table by local address; connect() fixes the peer, chooses
 * the local address and enters it in the table by both ends; disconnect undoes that and gives
 * back what connect() had chosen. The local address and port are those of struct strata_sock.
 *
 * After the last close datagrams that are on their way may still find the socket until
 * a grace period has passed; what they leave in the queue is freed with it.
 */

#include <linux/module.h>
#include <linux/swap.h>
#include "owner.h"
#include "udp_int.h"

static atomic_long_t udp_memory_allocated ____cacheline_aligned_in_smp;
static DEFINE_PER_CPU(int, udp_fw_alloc);
static long udp_mem[3] __read_mostly;
/* the core looks here for the machine's; ours are the namespace's, for receiving (udp_recv.c) */
static int udp_no_min;

/* the last reference is gone, and a grace period */
static void prot_destruct(struct sock *sk)
{
	strata_udp_purge(sk);
	__skb_queue_purge(&sk->sk_error_queue);
	strata_path_put(&strata_sk(sk)->path);
	strata_path_put(&strata_udp_sk(sk)->dest);
	strata_sock_owner_put(sk);
	strata_add(strata_sk_net(sk), SOCKETS, -1);
}

static int prot_sock_init(struct sock *sk)
{
	sock_set_flag(sk, SOCK_RCU_FREE);
	sk->sk_destruct = prot_destruct;
	strata_inc(strata_sk_net(sk), SOCKETS);
	return 0;
}

static void prot_close(struct sock *sk, long timeout)
{
	sk_common_release(sk);
}

static void prot_destroy(struct sock *sk)
{
	lock_sock(sk);
	/* what follows is not under the lock: SOCK_DESTROY keeps away */
	sock_set_flag(sk, SOCK_DEAD);
	strata_udp_flush_pending(sk);
	release_sock(sk);
}

static void prot_unhash(struct sock *sk)
{
	strata_udp_unhash_table(sk);
	strata_port_put(sk);
}

static int prot_get_port(struct sock *sk, unsigned short port)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);
	enum strata_addr_type type = STRATA_ADDR_LOCAL;
	int err;

	if (up->ep.laddr) {
		rcu_read_lock();
		type = strata_addr_type_rcu(strata_sk_net(sk), NULL, up->ep.laddr);
		rcu_read_unlock();
	}
	up->ep.foreign = type == STRATA_ADDR_MULTICAST || type == STRATA_ADDR_BROADCAST;
	err = strata_port_bind(sk, port);
	if (err)
		return err;
	err = strata_udp_hash_bound(sk);
	if (err)
		strata_port_put(sk);
	return err;
}

static int prot_connect(struct sock *sk, struct sockaddr *uaddr, int addrlen)
{
	struct sockaddr_in *to = (struct sockaddr_in *)uaddr;
	struct strata_udp_sock *up = strata_udp_sk(sk);
	struct strata_sock *ep = &up->ep;
	struct strata_flow fl;
	int err;

	lock_sock(sk);
	/* disconnected since the caller gave it a port */
	err = ep->bind || !prot_get_port(sk, 0) ? 0 : -EAGAIN;
	if (err)
		goto out;
	strata_sock_flow(ep, &fl);
	if (ep->foreign)
		fl.saddr = 0;
	fl.daddr = to->sin_addr.s_addr;
	fl.dport = to->sin_port;
	strata_path_choose(ep, &fl);
	err = strata_path_connect(ep, &fl);
	if (err)
		goto out;
	if (!ep->laddr)
		strata_udp_set_laddr(sk, fl.saddr);
	WRITE_ONCE(ep->raddr, fl.daddr);
	WRITE_ONCE(ep->rport, fl.dport);
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	strata_udp_rehash(sk);
out:
	release_sock(sk);
	return err;
}

static void disconnect_locked(struct sock *sk)
{
	struct strata_sock *ep = strata_sk(sk);

	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	WRITE_ONCE(ep->raddr, 0);
	WRITE_ONCE(ep->rport, 0);
	WRITE_ONCE(sk->sk_bound_dev_if, 0);	/* as native */
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		strata_udp_set_laddr(sk, 0);
	if (sk->sk_userlocks & SOCK_BINDPORT_LOCK) {
		if (ep->bind)
			strata_udp_rehash(sk);
	} else {
		prot_unhash(sk);
	}
	strata_path_put(&ep->path);
}

static int prot_disconnect(struct sock *sk, int flags)
{
	lock_sock(sk);
	disconnect_locked(sk);
	release_sock(sk);
	return 0;
}

/* SOCK_DESTROY */
static int prot_abort(struct sock *sk, int err)
{
	lock_sock(sk);
	if (!sock_flag(sk, SOCK_DEAD)) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
		disconnect_locked(sk);
	}
	release_sock(sk);
	return 0;
}

static int udp_set_cork(struct sock *sk, bool on)
{
	struct strata_udp_sock *up = strata_udp_sk(sk);

	lock_sock(sk);
	up->corked = on;
	/* as native: the option is set, whatever becomes of the datagram */
	if (!on && up->pending)
		strata_udp_push_pending(sk);
	release_sock(sk);
	return 0;
}

static int prot_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
			   unsigned int optlen)
{
	int val;

	if (optlen < sizeof(int))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	switch (optname) {
	case UDP_CORK:
		return udp_set_cork(sk, val);
	case UDP_SEGMENT:
		if (val < 0 || val > USHRT_MAX)
			return -EINVAL;
		WRITE_ONCE(strata_udp_sk(sk)->gso_size, val);
		return 0;
	case UDP_GRO:
		WRITE_ONCE(strata_udp_sk(sk)->gro, !!val);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int prot_getsockopt(struct sock *sk, int level, int optname, char __user *optval,
			   int __user *optlen)
{
	int val, len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = min_t(unsigned int, len, sizeof(int));
	switch (optname) {
	case UDP_CORK:
		val = strata_udp_sk(sk)->corked;
		break;
	case UDP_SEGMENT:
		val = READ_ONCE(strata_udp_sk(sk)->gso_size);
		break;
	case UDP_GRO:
		val = READ_ONCE(strata_udp_sk(sk)->gro);
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (put_user(len, optlen) || copy_to_user(optval, &val, len))
		return -EFAULT;
	return 0;
}

struct proto strata_udp_prot = {
	.name			= "STRATA-UDP",
	.owner			= THIS_MODULE,
	.obj_size		= sizeof(struct strata_udp_sock),
	.init			= prot_sock_init,
	.close			= prot_close,
	.destroy		= prot_destroy,
	.connect		= prot_connect,
	.disconnect		= prot_disconnect,
	.setsockopt		= prot_setsockopt,
	.getsockopt		= prot_getsockopt,
	.sendmsg		= strata_udp_sendmsg,
	.recvmsg		= strata_udp_recvmsg,
	.unhash			= prot_unhash,
	.rehash			= strata_path_rehash,
	.get_port		= prot_get_port,
	.diag_destroy		= prot_abort,
	.memory_allocated	= &udp_memory_allocated,
	.per_cpu_fw_alloc	= &udp_fw_alloc,
	.sysctl_mem		= udp_mem,
	.sysctl_rmem		= &udp_no_min,
	.sysctl_wmem		= &udp_no_min,
};

int strata_udp_init(void)
{
	long limit = max(nr_free_buffer_pages() / 8, 128UL);

	udp_mem[0] = limit / 4 * 3;
	udp_mem[1] = limit;
	udp_mem[2] = udp_mem[0] * 2;
	return strata_udp_table_init();
}

void strata_udp_exit(void)
{
	strata_udp_table_exit();
}
