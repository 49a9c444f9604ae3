// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl() on sockets: how much waits to be read and sent, and the addresses of interfaces as
 * Strata knows them. What is left goes to the core: it answers for the devices themselves.
 */

#include <linux/compat.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/uaccess.h>
#include <asm/ioctls.h>
#include "sock_int.h"

static int queue_ioctl(struct sock *sk, unsigned int cmd)
{
	bool tcp = strata_sk(sk)->proto == IPPROTO_TCP;

	/* as native: the queues of ping sockets are not asked for */
	if (strata_sk(sk)->proto == IPPROTO_ICMP)
		return -ENOIOCTLCMD;
	switch (cmd) {
	case SIOCINQ:
		return tcp ? strata_tcp_inq(sk) : max(strata_udp_inq(sk), 0);
	case SIOCOUTQ:
		return tcp ? strata_tcp_outq(sk) : sk_wmem_alloc_get(sk);
	case SIOCOUTQNSD:
		return tcp ? strata_tcp_outqnsd(sk) : -ENOIOCTLCMD;
	case SIOCATMARK:
		return tcp ? strata_tcp_atmark(sk) : -ENOIOCTLCMD;
	default:
		return -ENOIOCTLCMD;
	}
}

/* The first address of a device, as native chooses */
static int ifaddr_get(struct net *net, unsigned int cmd, struct ifreq *ifr)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&ifr->ifr_addr;
	struct strata_net *sn = strata_net(net);
	struct strata_ifaddr *ifa = NULL;
	struct net_device *dev;
	struct strata_dev *ifp;
	int err = 0;

	ifr->ifr_name[IFNAMSIZ - 1] = 0;
	rcu_read_lock();
	dev = dev_get_by_name_rcu(net, ifr->ifr_name);
	if (!dev) {
		err = -ENODEV;
		goto out;
	}
	ifp = strata_dev_find_rcu(sn, dev->ifindex);
	if (ifp)
		ifa = list_first_or_null_rcu(&ifp->addrs, struct strata_ifaddr, node);
	if (!ifa) {
		err = -EADDRNOTAVAIL;
		goto out;
	}
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	if (cmd == SIOCGIFADDR)
		sin->sin_addr.s_addr = ifa->local;
	else if (cmd == SIOCGIFBRDADDR)
		sin->sin_addr.s_addr = ifa->broadcast;
	else if (cmd == SIOCGIFDSTADDR)
		sin->sin_addr.s_addr = ifa->peer;
	else
		sin->sin_addr.s_addr = ifa->mask;
out:
	rcu_read_unlock();
	return err;
}

static int ifaddr_ioctl(struct net *net, unsigned int cmd, void __user *arg)
{
	void __user *data;
	struct ifreq ifr;
	int err;

	if (get_user_ifreq(&ifr, &data, arg))
		return -EFAULT;
	err = ifaddr_get(net, cmd, &ifr);
	if (!err && put_user_ifreq(&ifr, arg))
		err = -EFAULT;
	return err;
}

int strata_sock_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct sock *sk = sock->sk;
	int val;

	switch (cmd) {
	case SIOCGIFADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFDSTADDR:
		return ifaddr_ioctl(sock_net(sk), cmd, (void __user *)arg);
	case SIOCINQ:
	case SIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
		val = queue_ioctl(sk, cmd);
		if (val < 0)
			return val;
		return put_user(val, (int __user *)arg);
	default:
		return -ENOIOCTLCMD;
	}
}

#ifdef CONFIG_COMPAT
int strata_sock_compat_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	return strata_sock_ioctl(sock, cmd, (unsigned long)compat_ptr(arg));
}
#endif
