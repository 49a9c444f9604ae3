// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters: /proc/net/strata/snmp, netstat and sockstat in the formats of /proc/net/snmp,
 * netstat and sockstat: for each group a line of names and a line of values.
 *
 * The counters are per CPU and only grow, but for CurrEstab (ESTABLISHED, CLOSE-WAIT) and the
 * number of sockets, of which a CPU may have counted only the ends; a sum over the CPUs may be
 * a little behind.
 */

#include <net/inet_frag.h>
#include "proc_int.h"
#include "../stats.h"

struct column {
	unsigned int	id;
	const char	*group;
	const char	*name;
};

#define COLUMN(sym, group, label) { STRATA_MIB_##sym, group, label },

static const struct column ip_columns[] = { STRATA_MIB_IP(COLUMN) };
static const struct column icmp_columns[] = { STRATA_MIB_ICMP(COLUMN) };
static const struct column tcp_columns[] = { STRATA_MIB_TCP(COLUMN) };
static const struct column udp_columns[] = { STRATA_MIB_UDP(COLUMN) };
static const struct column tcpext_columns[] = { STRATA_MIB_TCPEXT(COLUMN) };
static const struct column ipext_columns[] = { STRATA_MIB_IPEXT(COLUMN) };
static const struct column arp_columns[] = { STRATA_MIB_ARP(COLUMN) };

static unsigned long fold(const struct strata_net *sn, unsigned int id)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(sn->mib, cpu)->v[id]);
	return sum;
}

static void put_names(struct seq_file *seq, const struct column *col, unsigned int n)
{
	while (n--)
		seq_printf(seq, " %s", col++->name);
}

static void put_values(struct seq_file *seq, const struct strata_net *sn,
		       const struct column *col, unsigned int n)
{
	while (n--)
		seq_printf(seq, " %lu", fold(sn, col++->id));
}

static void put_group(struct seq_file *seq, const struct strata_net *sn,
		      const struct column *col, unsigned int n)
{
	seq_printf(seq, "%s:", col->group);
	put_names(seq, col, n);
	seq_printf(seq, "\n%s:", col->group);
	put_values(seq, sn, col, n);
	seq_putc(seq, '\n');
}

static void put_ip(struct seq_file *seq, const struct strata_net *sn)
{
	seq_puts(seq, "Ip: Forwarding DefaultTTL");
	put_names(seq, ip_columns, ARRAY_SIZE(ip_columns));
	/* 2: notForwarding (RFC 4293) */
	seq_printf(seq, "\nIp: 2 %d", READ_ONCE(sn->conf.ip_default_ttl));
	put_values(seq, sn, ip_columns, ARRAY_SIZE(ip_columns));
	seq_putc(seq, '\n');
}

/* messages by type; as native the lines are there only if there is something to say */
static void put_icmpmsg(struct seq_file *seq, const struct strata_net *sn)
{
	static const struct column types[] = {
		{ STRATA_MIB_ICMP_INECHOREPS, "IcmpMsg", "InType0" },
		{ STRATA_MIB_ICMP_INDESTUNREACHS, "IcmpMsg", "InType3" },
		{ STRATA_MIB_ICMP_INSRCQUENCHS, "IcmpMsg", "InType4" },
		{ STRATA_MIB_ICMP_INREDIRECTS, "IcmpMsg", "InType5" },
		{ STRATA_MIB_ICMP_INECHOS, "IcmpMsg", "InType8" },
		{ STRATA_MIB_ICMP_INTIMEEXCDS, "IcmpMsg", "InType11" },
		{ STRATA_MIB_ICMP_INPARMPROBS, "IcmpMsg", "InType12" },
		{ STRATA_MIB_ICMP_OUTECHOREPS, "IcmpMsg", "OutType0" },
		{ STRATA_MIB_ICMP_OUTDESTUNREACHS, "IcmpMsg", "OutType3" },
		{ STRATA_MIB_ICMP_OUTECHOS, "IcmpMsg", "OutType8" },
		{ STRATA_MIB_ICMP_OUTTIMEEXCDS, "IcmpMsg", "OutType11" },
		{ STRATA_MIB_ICMP_OUTPARMPROBS, "IcmpMsg", "OutType12" },
	};
	struct column seen[ARRAY_SIZE(types)];
	unsigned long val[ARRAY_SIZE(types)];
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		val[n] = fold(sn, types[i].id);
		if (val[n])
			seen[n++] = types[i];
	}
	if (!n)
		return;
	seq_puts(seq, "IcmpMsg:");
	put_names(seq, seen, n);
	seq_puts(seq, "\nIcmpMsg:");
	for (i = 0; i < n; i++)
		seq_printf(seq, " %lu", val[i]);
	seq_putc(seq, '\n');
}

static void put_tcp(struct seq_file *seq, const struct strata_net *sn)
{
	seq_puts(seq, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn");
	put_names(seq, tcp_columns, ARRAY_SIZE(tcp_columns));
	/* other algorithm, ms, ms, no limit: RFC 4022 */
	seq_puts(seq, "\nTcp: 1 200 120000 -1");
	put_values(seq, sn, tcp_columns, ARRAY_SIZE(tcp_columns));
	seq_putc(seq, '\n');
}

/* there is no UDP-Lite here; readers expect the lines */
static void put_udplite(struct seq_file *seq)
{
	unsigned int i;

	seq_puts(seq, "UdpLite:");
	put_names(seq, udp_columns, ARRAY_SIZE(udp_columns));
	seq_puts(seq, "\nUdpLite:");
	for (i = 0; i < ARRAY_SIZE(udp_columns); i++)
		seq_puts(seq, " 0");
	seq_putc(seq, '\n');
}

int strata_mib_snmp_show(struct seq_file *seq, void *v)
{
	struct strata_net *sn = strata_net(seq_file_single_net(seq));

	put_ip(seq, sn);
	put_group(seq, sn, icmp_columns, ARRAY_SIZE(icmp_columns));
	put_icmpmsg(seq, sn);
	put_tcp(seq, sn);
	put_group(seq, sn, udp_columns, ARRAY_SIZE(udp_columns));
	put_udplite(seq);
	return 0;
}

int strata_mib_netstat_show(struct seq_file *seq, void *v)
{
	struct strata_net *sn = strata_net(seq_file_single_net(seq));

	put_group(seq, sn, tcpext_columns, ARRAY_SIZE(tcpext_columns));
	put_group(seq, sn, ipext_columns, ARRAY_SIZE(ipext_columns));
	put_group(seq, sn, arp_columns, ARRAY_SIZE(arp_columns));
	return 0;
}

/*
 * pages charged to a protocol's sockets, module-wide as native's are machine-wide; with what
 * each CPU has not yet told the common counter, up to a MB each, so that none is 0
 */
static long pages(const struct proto *prot)
{
	long sum = atomic_long_read(prot->memory_allocated);
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(prot->per_cpu_fw_alloc, cpu));
	return max(0L, sum);
}

int strata_mib_sockstat_show(struct seq_file *seq, void *v)
{
	struct strata_net *sn = strata_net(seq_file_single_net(seq));
	int tcp = sock_prot_inuse_get(sn->net, &strata_tcp_prot);
	int udp = sock_prot_inuse_get(sn->net, &strata_udp_prot);
	int icmp = sock_prot_inuse_get(sn->net, &strata_ping_prot);

	/* those of no use yet too, as native */
	seq_printf(seq, "sockets: used %ld\n", max_t(long, 0, fold(sn, STRATA_MIB_SOCKETS)));
	seq_printf(seq, "TCP: inuse %d orphan %lld tw %lld alloc %lld mem %ld\n", tcp,
		   percpu_counter_sum_positive(&sn->tcp_orphans),
		   percpu_counter_sum_positive(&sn->tcp_tw),
		   percpu_counter_sum_positive(strata_tcp_prot.sockets_allocated),
		   pages(&strata_tcp_prot));
	seq_printf(seq, "UDP: inuse %d mem %ld\n", udp, pages(&strata_udp_prot));
	seq_puts(seq, "UDPLITE: inuse 0\nRAW: inuse 0\n");
	seq_printf(seq, "FRAG: inuse %u memory %lu\n",
		   sn->frags ? atomic_read(&sn->frags->rhashtable.nelems) : 0,
		   sn->frags ? frag_mem_limit(sn->frags) : 0);
	seq_printf(seq, "ICMP: inuse %d\n", icmp);
	return 0;
}
