// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options by level: the core's, IP's, the protocol's. The core passes SOL_SOCKET on to us
 * where it can (SOCK_CUSTOM_SOCKOPT), because it grants SO_REUSEPORT to AF_INET only: on
 * kernels without, that option is EOPNOTSUPP, but can be set at a level of our own.
 */

#include <linux/net_tstamp.h>
#include <linux/strata.h>
#include "sock_int.h"

static int set_reuseport(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	int val;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	lock_sock(sk);
	sk->sk_reuseport = !!val;
	release_sock(sk);
	return 0;
}

/* SO_ZEROCOPY of TCP and UDP; for other families the core has only EOPNOTSUPP */
static int set_zerocopy(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	int val;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (val < 0 || val > 1)
		return -EINVAL;
	lock_sock(sk);
	sock_valbool_flag(sk, SOCK_ZEROCOPY, val);
	release_sock(sk);
	return 0;
}

/*
 * SO_TIMESTAMPING of TCP: as native, bytes can be counted (SOF_TIMESTAMPING_OPT_ID) on a
 * connection only, and from the first that is not acknowledged, or written
 */
static int set_timestamping(struct socket *sock, int optname, sockptr_t optval,
			    unsigned int optlen)
{
	struct sock *sk = sock->sk;
	int val, err;

	if (optlen >= sizeof(val)) {
		if (copy_from_sockptr(&val, optval, sizeof(val)))
			return -EFAULT;
		if ((val & SOF_TIMESTAMPING_OPT_ID) &&
		    !(READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID) &&
		    ((1 << READ_ONCE(sk->sk_state)) & (TCPF_CLOSE | TCPF_LISTEN)))
			return -EINVAL;
	}
	err = sock_setsockopt(sock, SOL_SOCKET, optname, optval, optlen);
	if (!err) {
		lock_sock(sk);
		strata_tcp_tstamp_key(sk);
		release_sock(sk);
	}
	return err;
}

static bool level_is_protocol(const struct sock *sk, int level)
{
	/* SOL_TCP, SOL_UDP are the protocol numbers; ping has no options */
	return level == strata_sk(sk)->proto && sk->sk_prot->setsockopt;
}

int strata_sock_setsockopt(struct socket *sock, int level, int optname, sockptr_t optval,
			   unsigned int optlen)
{
	struct sock *sk = sock->sk;

	if (level == SOL_SOCKET || level == SOL_STRATA) {
		if (optname == SO_REUSEPORT)
			return set_reuseport(sk, optval, optlen);
		if (strata_sk(sk)->proto == IPPROTO_TCP &&
		    (optname == SO_TIMESTAMPING_OLD || optname == SO_TIMESTAMPING_NEW))
			return set_timestamping(sock, optname, optval, optlen);
		if (strata_sk(sk)->proto != IPPROTO_ICMP && optname == SO_ZEROCOPY)
			return set_zerocopy(sk, optval, optlen);
		return level == SOL_STRATA ? -ENOPROTOOPT :
		       sock_setsockopt(sock, level, optname, optval, optlen);
	}
	if (level == SOL_IP)
		return strata_ip_setsockopt(sk, optname, optval, optlen);
	if (level_is_protocol(sk, level))
		return sk->sk_prot->setsockopt(sk, level, optname, optval, optlen);
	return -ENOPROTOOPT;
}

int strata_sock_getsockopt(struct socket *sock, int level, int optname, char __user *optval,
			   int __user *optlen)
{
	struct sock *sk = sock->sk;

	if (level == SOL_IP)
		return strata_ip_getsockopt(sk, optname, optval, optlen);
	if (level_is_protocol(sk, level))
		return sk->sk_prot->getsockopt(sk, level, optname, optval, optlen);
	return -EOPNOTSUPP;	/* as native: not what setsockopt() says */
}
