// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one file that sees every layer: it starts them bottom-up, stops them
 * top-down, for the module and for each namespace, and fills the tables through
 * which a lower layer calls a higher one.
 */

#define pr_fmt(fmt) "strata: " fmt

#include <linux/module.h>
#include "arp.h"
#include "control/control.h"
#include "icmp.h"
#include "port.h"
#include "report.h"
#include "sock.h"
#include "stats.h"
#include "tcp.h"
#include "udp.h"

unsigned int strata_family = 18;
module_param_named(family, strata_family, uint, 0444);
MODULE_PARM_DESC(family, "number of the address family AF_STRATA (default 18)");

unsigned int strata_net_id __read_mostly;

/* ---- upward: what a device or an address does to each layer above ---- */

static int up_addr_added(struct strata_ifaddr *ifa, struct netlink_ext_ack *extack)
{
	int err = strata_route_addr_added(ifa, extack);

	if (!err)
		strata_arp_addr_added(ifa);
	return err;
}

static void up_if_down(struct strata_dev *ifp)
{
	strata_route_if_down(ifp);
	strata_arp_if_down(ifp);
}

static void up_if_change(struct strata_dev *ifp)
{
	/* cached paths carry the device's MTU */
	strata_route_changed(ifp->sn);
	strata_arp_if_change(ifp);
}

const struct strata_dev_up strata_dev_up = {
	.rcv_ip		= strata_ip_rcv,
	.rcv_arp	= strata_arp_rcv,
	.if_down	= up_if_down,
	.if_change	= up_if_change,
	.if_announce	= strata_arp_if_announce,
	.addr_added	= up_addr_added,
	.addr_removed	= strata_route_addr_removed,
	.addr_gone	= strata_arp_addr_gone,
	.addr_metric	= strata_route_addr_disconnect,
	.addr_changed	= strata_rtnl_addr_notify,
};

const struct strata_arp_up strata_arp_up = {
	.failed		= strata_ip_unreachable,
	.changed	= strata_rtnl_neigh_notify,
};

static const struct strata_l4proto icmp_l4 = {
	.rcv	= strata_icmp_rcv,
	.err	= strata_icmp_err,
};

static const struct strata_l4proto udp_l4 = {
	.rcv	= strata_udp_rcv,
	.err	= strata_udp_err,
};

static const struct strata_l4proto tcp_l4 = {
	.rcv	= strata_tcp_rcv,
	.err	= strata_tcp_err,
	.err_verifies = true,
};

const struct strata_ip_up strata_ip_up = {
	.proto = {
		[IPPROTO_ICMP]	= &icmp_l4,
		[IPPROTO_UDP]	= &udp_l4,
		[IPPROTO_TCP]	= &tcp_l4,
	},
	.icmp_send	= strata_icmp_send,
	.route_changed	= strata_rtnl_route_notify,
};

/* lowest first */
static const struct strata_layer strata_layers[] = {
	{ .name = "dev", .init = strata_loop_init, .exit = strata_loop_exit,
	  .start = strata_dev_start, .stop = strata_dev_stop,
	  .net_init = strata_dev_net_init, .net_exit = strata_dev_net_exit },
	{ .name = "arp", .net_init = strata_arp_net_init,
	  .net_exit = strata_arp_net_exit },
	{ .name = "ip", .init = strata_ip_init, .exit = strata_ip_exit,
	  .net_init = strata_ip_net_init, .net_exit = strata_ip_net_exit },
	{ .name = "icmp", .net_init = strata_icmp_net_init },
	{ .name = "port", .init = strata_port_init, .exit = strata_port_exit },
	{ .name = "udp", .init = strata_udp_init, .exit = strata_udp_exit },
	{ .name = "tcp", .init = strata_tcp_init, .exit = strata_tcp_exit,
	  .net_init = strata_tcp_net_init, .net_exit = strata_tcp_net_exit },
	/* the number first: those after it register by it */
	{ .name = "sock", .start = strata_family_init, .stop = strata_family_exit },
	{ .name = "sysctl", .net_init = strata_sysctl_net_init,
	  .net_exit = strata_sysctl_net_exit },
	{ .name = "rtnl_addr", .start = strata_rtnl_addr_init, .stop = strata_rtnl_addr_exit },
	{ .name = "rtnl_route", .start = strata_rtnl_route_init, .stop = strata_rtnl_route_exit },
	{ .name = "rtnl_neigh", .start = strata_rtnl_neigh_init, .stop = strata_rtnl_neigh_exit },
	{ .name = "proc", .net_init = strata_proc_net_init, .net_exit = strata_proc_net_exit },
	{ .name = "diag", .start = strata_diag_start, .stop = strata_diag_stop },
	/* nothing else may fail any more */
	{ .name = "open", .start = strata_family_open },
	{ }
};

#define STRATA_LAYERS	(ARRAY_SIZE(strata_layers) - 1)

static void core_net_exit(struct strata_net *sn)
{
	percpu_counter_destroy(&sn->tcp_tw);
	percpu_counter_destroy(&sn->tcp_orphans);
	bitmap_free(sn->conf.ip_local_reserved_ports);
	free_percpu(sn->mib);
}

static int core_net_init(struct strata_net *sn, struct net *net)
{
	int err;

	sn->net = net;
	INIT_LIST_HEAD(&sn->devs);
	sn->key = get_random_u32();
	strata_conf_init(&sn->conf, net_eq(net, &init_net) ? NULL : &strata_net(&init_net)->conf);
	sn->mib = alloc_percpu(struct strata_mib);
	if (!sn->mib)
		return -ENOMEM;

	/* destroying a zeroed counter is harmless, so one exit serves all */
	sn->conf.ip_local_reserved_ports = bitmap_zalloc(65536, GFP_KERNEL);
	err = sn->conf.ip_local_reserved_ports ? 0 : -ENOMEM;
	if (!err)
		err = percpu_counter_init(&sn->tcp_orphans, 0, GFP_KERNEL);
	if (!err)
		err = percpu_counter_init(&sn->tcp_tw, 0, GFP_KERNEL);
	if (err)
		core_net_exit(sn);
	return err;
}

static void layers_net_exit(struct strata_net *sn, int n)
{
	while (n--)
		if (strata_layers[n].net_exit)
			strata_layers[n].net_exit(sn);
}

static int __net_init strata_pernet_init(struct net *net)
{
	struct strata_net *sn = strata_net(net);
	int n, err;

	err = core_net_init(sn, net);
	if (err)
		return err;
	for (n = 0; n < STRATA_LAYERS; n++) {
		if (!strata_layers[n].net_init)
			continue;
		err = strata_layers[n].net_init(sn);
		if (err) {
			layers_net_exit(sn, n);
			core_net_exit(sn);
			return err;
		}
	}
	return 0;
}

static void __net_exit strata_pernet_exit(struct net *net)
{
	struct strata_net *sn = strata_net(net);

	layers_net_exit(sn, STRATA_LAYERS);
	core_net_exit(sn);
}

static struct pernet_operations strata_pernet_ops = {
	.init	= strata_pernet_init,
	.exit	= strata_pernet_exit,
	.id	= &strata_net_id,
	.size	= sizeof(struct strata_net),
};

static void layers_stop(int n)
{
	while (n--)
		if (strata_layers[n].stop)
			strata_layers[n].stop();
}

static int __init layers_start(void)
{
	int n, err;

	for (n = 0; n < STRATA_LAYERS; n++) {
		if (!strata_layers[n].start)
			continue;
		err = strata_layers[n].start();
		if (err) {
			pr_err("%s: cannot start: error %d\n", strata_layers[n].name, err);
			layers_stop(n);
			return err;
		}
	}
	return 0;
}

static void layers_exit(int n)
{
	while (n--)
		if (strata_layers[n].exit)
			strata_layers[n].exit();
}

static int __init layers_init(void)
{
	int n, err;

	for (n = 0; n < STRATA_LAYERS; n++) {
		if (!strata_layers[n].init)
			continue;
		err = strata_layers[n].init();
		if (err) {
			pr_err("%s: cannot set up: error %d\n", strata_layers[n].name, err);
			layers_exit(n);
			return err;
		}
	}
	return 0;
}

/* tables first, then the namespaces, then the doors to the outside */
static int __init strata_init(void)
{
	int err;

	err = layers_init();
	if (err)
		return err;
	err = register_pernet_subsys(&strata_pernet_ops);
	if (err)
		goto err_layers;
	err = layers_start();
	if (err)
		goto err_pernet;
	return 0;

err_pernet:
	unregister_pernet_subsys(&strata_pernet_ops);
err_layers:
	rcu_barrier();	/* as in strata_exit() */
	layers_exit(STRATA_LAYERS);
	rcu_barrier();
	return err;
}
module_init(strata_init);

static void __exit strata_exit(void)
{
	layers_stop(STRATA_LAYERS);
	unregister_pernet_subsys(&strata_pernet_ops);
	rcu_barrier();	/* objects still on their way to the caches */
	layers_exit(STRATA_LAYERS);
	rcu_barrier();
}
module_exit(strata_exit);

MODULE_AUTHOR("The Strata developers");
MODULE_DESCRIPTION("Strata: a TCP/IP stack of its own");
MODULE_LICENSE("GPL");
