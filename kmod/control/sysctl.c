// SPDX-License-Identifier: GPL-2.0-only
/*
 * net.strata.*: struct strata_net_conf as sysctls of each namespace, with the names,
 * units and bounds of net.ipv4 (those of neighbours are net.ipv4.neigh's with
 * "neigh_" before). Writable by who administers the network of the namespace: the
 * core's permission check for net sysctls.
 *
 * Values are written here alone, each by one store; the rest of Strata reads them with
 * READ_ONCE().
 */

#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/uidgid.h>
#include "control.h"
#include "tcp.h"

/* @off, @len: in struct strata_net_conf, bytes, if it is there; @lo, @hi: bounds, inclusive */
struct sysctl_spec {
	const char	*name;
	u32		off;
	u32		len;
	proc_handler	*handler;
	int		lo;
	int		hi;
};

static struct strata_net *sysctl_net(void *conf)
{
	return container_of(conf, struct strata_net, conf);
}

/*
 * Two numbers, both within the bounds. On a write *@range is only what was asked
 * for: the caller checks and stores it.
 */
static int sysctl_pair(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp, loff_t *ppos,
		       int range[2])
{
	const int *now = ctl->data;
	struct ctl_table tmp = {
		.data	= range,
		.maxlen	= 2 * sizeof(int),
		.mode	= ctl->mode,
		.extra1	= ctl->extra1,
		.extra2	= ctl->extra2,
	};

	range[0] = READ_ONCE(now[0]);
	range[1] = READ_ONCE(now[1]);
	return proc_dointvec_minmax(&tmp, write, buffer, lenp, ppos);
}

static int sysctl_port_range(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			     loff_t *ppos)
{
	struct strata_net_conf *conf = container_of(ctl->data, struct strata_net_conf,
						    ip_local_port_range[0]);
	int range[2], err;

	err = sysctl_pair(ctl, write, buffer, lenp, ppos, range);
	if (err || !write)
		return err;
	/* ports that need a privilege are not given away by chance */
	if (range[1] < range[0] || range[0] < READ_ONCE(conf->ip_unprivileged_port_start))
		return -EINVAL;
	WRITE_ONCE(conf->ip_local_port_range[0], range[0]);
	WRITE_ONCE(conf->ip_local_port_range[1], range[1]);
	return 0;
}

static int sysctl_unprivileged(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			       loff_t *ppos)
{
	struct strata_net_conf *conf = container_of(ctl->data, struct strata_net_conf,
						    ip_unprivileged_port_start);
	int port = READ_ONCE(conf->ip_unprivileged_port_start), err;
	struct ctl_table tmp = {
		.data	= &port,
		.maxlen	= sizeof(port),
		.mode	= ctl->mode,
		.extra1	= ctl->extra1,
		.extra2	= ctl->extra2,
	};

	err = proc_dointvec_minmax(&tmp, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	if (port > READ_ONCE(conf->ip_local_port_range[0]))
		return -EINVAL;
	WRITE_ONCE(conf->ip_unprivileged_port_start, port);
	return 0;
}

/* groups are the writer's; stored as the initial namespace's. An empty range is 1 0 */
static int sysctl_groups(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			 loff_t *ppos)
{
	struct user_namespace *ns = current_user_ns();
	int *conf = ctl->data;
	unsigned long range[2], least = 0, most = (gid_t)~0U - 1;
	kgid_t low, high;
	struct ctl_table tmp = {
		.data	= range,
		.maxlen	= sizeof(range),
		.mode	= ctl->mode,
		.extra1	= &least,
		.extra2	= &most,
	};
	int err;

	range[0] = from_kgid_munged(ns, KGIDT_INIT(READ_ONCE(conf[0])));
	range[1] = from_kgid_munged(ns, KGIDT_INIT(READ_ONCE(conf[1])));
	err = proc_doulongvec_minmax(&tmp, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	low = make_kgid(ns, range[0]);
	high = make_kgid(ns, range[1]);
	if (!gid_valid(low) || !gid_valid(high))
		return -EINVAL;
	if (range[1] < range[0] || gid_lt(high, low)) {
		low = KGIDT_INIT(1);
		high = KGIDT_INIT(0);
	}
	WRITE_ONCE(conf[0], __kgid_val(low));
	WRITE_ONCE(conf[1], __kgid_val(high));
	return 0;
}

/* seconds or milliseconds in /proc, jiffies here; positive */
static int sysctl_time(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp, loff_t *ppos,
		       proc_handler *handler)
{
	int *conf = ctl->data, val = READ_ONCE(*conf), err;
	struct ctl_table tmp = { .data = &val, .maxlen = sizeof(val), .mode = ctl->mode };

	err = handler(&tmp, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	if (val < *(int *)ctl->extra1)
		return -EINVAL;
	WRITE_ONCE(*conf, val);
	return 0;
}

static int sysctl_seconds(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			  loff_t *ppos)
{
	return sysctl_time(ctl, write, buffer, lenp, ppos, proc_dointvec_jiffies);
}

static int sysctl_ms(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	return sysctl_time(ctl, write, buffer, lenp, ppos, proc_dointvec_ms_jiffies);
}

static int sysctl_frag_thresh(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			      loff_t *ppos)
{
	struct strata_net_conf *conf = container_of(ctl->data, struct strata_net_conf,
						    ipfrag_high_thresh);
	int err = proc_dointvec_minmax(ctl, write, buffer, lenp, ppos);

	if (!err && write)
		strata_ip_frag_limit(sysctl_net(conf));
	return err;
}

static int sysctl_cong(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	struct strata_net *sn = sysctl_net(ctl->data);
	char name[STRATA_CC_NAME_MAX];
	struct ctl_table tmp = { .data = name, .maxlen = sizeof(name) };
	int err;

	strata_tcp_default_cong(sn, name);
	err = proc_dostring(&tmp, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	return strata_tcp_set_default_cong(sn, name);
}

static int sysctl_available_cong(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
				 loff_t *ppos)
{
	struct ctl_table tmp = { .maxlen = 32 * STRATA_CC_NAME_MAX };
	int err;

	tmp.data = kmalloc(tmp.maxlen, GFP_USER);
	if (!tmp.data)
		return -ENOMEM;
	strata_tcp_available_cong(tmp.data, tmp.maxlen);
	err = proc_dostring(&tmp, write, buffer, lenp, ppos);
	kfree(tmp.data);
	return err;
}

/* writable in the first namespace alone: it is the machine's */
static int sysctl_allowed_cong(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			       loff_t *ppos)
{
	struct ctl_table tmp = { .maxlen = 32 * STRATA_CC_NAME_MAX };
	int err;

	tmp.data = kmalloc(tmp.maxlen, GFP_USER);
	if (!tmp.data)
		return -ENOMEM;
	strata_tcp_allowed_cong(tmp.data, tmp.maxlen);
	err = proc_dostring(&tmp, write, buffer, lenp, ppos);
	if (!err && write)
		err = strata_tcp_allow_cong(tmp.data);
	kfree(tmp.data);
	return err;
}

/* the same */
static int sysctl_tcp_mem(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			  loff_t *ppos)
{
	struct ctl_table tmp = {
		.data	= strata_tcp_prot.sysctl_mem,
		.maxlen	= 3 * sizeof(long),
		.mode	= ctl->mode,
	};

	return proc_doulongvec_minmax(&tmp, write, buffer, lenp, ppos);
}

/* "%08x-%08x-%08x-%08x", and behind a comma perhaps another: little endian words */
#define KEY_TEXT	(4 * 9)
#define KEYS_TEXT	(STRATA_FASTOPEN_KEYS * KEY_TEXT)

static bool key_parse(const char *text, u8 *key)
{
	u32 word[4];
	int i;

	if (sscanf(text, "%x-%x-%x-%x", &word[0], &word[1], &word[2], &word[3]) != 4)
		return false;
	for (i = 0; i < 4; i++)
		put_unaligned_le32(word[i], key + 4 * i);
	return true;
}

static int keys_print(char *to, const u8 *key, int n)
{
	int i, off = 0;

	for (i = 0; i < n; i++, key += STRATA_FASTOPEN_KEY_LEN)
		off += scnprintf(to + off, KEYS_TEXT - off, "%s%08x-%08x-%08x-%08x", i ? "," : "",
				 get_unaligned_le32(key), get_unaligned_le32(key + 4),
				 get_unaligned_le32(key + 8), get_unaligned_le32(key + 12));
	return off;
}

static int sysctl_fastopen_key(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			       loff_t *ppos)
{
	struct strata_net *sn = sysctl_net(ctl->data);
	u8 key[STRATA_FASTOPEN_KEYS * STRATA_FASTOPEN_KEY_LEN] = { };
	char text[KEYS_TEXT + 2], *second;
	struct ctl_table tmp = { .data = text, .maxlen = sizeof(text) };
	int n = strata_tcp_fastopen_key(sn, key), err;

	keys_print(text, key, max(n, 1));
	err = proc_dostring(&tmp, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	second = strchr(text, ',');
	if (second)
		*second++ = '\0';
	if (!key_parse(text, key) || (second && !key_parse(second, key + STRATA_FASTOPEN_KEY_LEN)))
		return -EINVAL;
	return strata_tcp_fastopen_set_key(sn, key, second ? 2 : 1);
}

static int sysctl_blackhole(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp,
			    loff_t *ppos)
{
	struct strata_net_conf *conf = container_of(ctl->data, struct strata_net_conf,
						    tcp_fastopen_blackhole);
	int err = proc_dointvec_minmax(ctl, write, buffer, lenp, ppos);

	if (!err && write)
		strata_tcp_fastopen_blackhole_forget(sysctl_net(conf));
	return err;
}

/* paths have it */
static int sysctl_ttl(STRATA_CTL_TABLE *ctl, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	struct strata_net_conf *conf = container_of(ctl->data, struct strata_net_conf,
						    ip_default_ttl);
	int err = proc_dointvec_minmax(ctl, write, buffer, lenp, ppos);

	if (!err && write)
		strata_route_changed(sysctl_net(conf));
	return err;
}

#define SPEC_AS(name, field, handler, lo, hi) \
	{ name, offsetof(struct strata_net_conf, field), \
	  sizeof_field(struct strata_net_conf, field), handler, lo, hi }
#define SPEC(field, lo, hi)	SPEC_AS(#field, field, proc_dointvec_minmax, lo, hi)
#define SPEC_BOOL(field)	SPEC(field, 0, 1)
/* an octet of native's: what is not named there means as much as the largest that is */
#define SPEC_OCTET(field)	SPEC(field, 0, 255)
#define SPEC_ULONG(field)	SPEC_AS(#field, field, proc_doulongvec_minmax, 0, 0)

static const struct sysctl_spec sysctl_specs[] = {
	/* ip */
	SPEC_AS("ip_default_ttl", ip_default_ttl, sysctl_ttl, 1, 255),
	SPEC_OCTET(ip_no_pmtu_disc),
	SPEC(min_pmtu, 68, INT_MAX),
	SPEC_AS("mtu_expires", mtu_expires, sysctl_seconds, 1, INT_MAX),
	SPEC_AS("ip_local_port_range", ip_local_port_range, sysctl_port_range, 1, 65535),
	{ "ip_local_reserved_ports", offsetof(struct strata_net_conf, ip_local_reserved_ports),
	  65536, proc_do_large_bitmap },
	SPEC_BOOL(ip_autobind_reuse),
	SPEC_AS("ip_unprivileged_port_start", ip_unprivileged_port_start, sysctl_unprivileged,
		0, 65535),
	SPEC_AS("ipfrag_high_thresh", ipfrag_high_thresh, sysctl_frag_thresh, 0, INT_MAX),
	SPEC(ipfrag_max_dist, 0, INT_MAX),
	/* arp */
	SPEC_AS("neigh_base_reachable_time_ms", neigh_base_reachable, sysctl_ms, 1, INT_MAX),
	SPEC_AS("neigh_retrans_time_ms", neigh_retrans, sysctl_ms, 1, INT_MAX),
	SPEC_AS("neigh_delay_first_probe_time", neigh_delay_probe, sysctl_seconds, 0, INT_MAX),
	SPEC_AS("neigh_gc_stale_time", neigh_gc_stale, sysctl_seconds, 0, INT_MAX),
	SPEC_AS("neigh_ucast_solicit", neigh_ucast_probes, proc_dointvec_minmax, 0, 255),
	SPEC_AS("neigh_mcast_solicit", neigh_mcast_probes, proc_dointvec_minmax, 0, 255),
	SPEC_AS("neigh_gc_thresh3", neigh_gc_thresh, proc_dointvec_minmax, 0, INT_MAX),
	SPEC_AS("neigh_unres_qlen_bytes", neigh_unres_qlen_bytes, proc_dointvec_minmax, 0, INT_MAX),
	/* icmp */
	SPEC_BOOL(icmp_echo_ignore_all),
	SPEC_BOOL(icmp_echo_ignore_broadcasts),
	SPEC(icmp_msgs_per_sec, 0, INT_MAX),
	SPEC(icmp_msgs_burst, 0, INT_MAX),
	SPEC_AS("icmp_ratelimit", icmp_ratelimit, sysctl_ms, 0, INT_MAX),
	SPEC(icmp_ratemask, INT_MIN, INT_MAX),
	SPEC_AS("ping_group_range", ping_group_range, sysctl_groups, 0, INT_MAX),
	/* udp */
	SPEC(udp_rmem_min, 1, INT_MAX),
	/* tcp */
	{ "tcp_congestion_control", 0, STRATA_CC_NAME_MAX, sysctl_cong },
	{ "tcp_available_congestion_control", 0, STRATA_CC_NAME_MAX, sysctl_available_cong },
	{ "tcp_allowed_congestion_control", 0, STRATA_CC_NAME_MAX, sysctl_allowed_cong },
	{ "tcp_mem", 0, 3 * sizeof(long), sysctl_tcp_mem },
	SPEC(tcp_rmem, 4096, INT_MAX),
	SPEC(tcp_wmem, 1, INT_MAX),
	SPEC(tcp_syn_retries, 1, 127),
	SPEC(tcp_synack_retries, 0, 255),
	SPEC(tcp_retries1, 0, 255),
	SPEC(tcp_retries2, 0, 255),
	SPEC(tcp_orphan_retries, 0, 255),
	SPEC_AS("tcp_fin_timeout", tcp_fin_timeout, sysctl_seconds, 0, INT_MAX),
	SPEC_AS("tcp_keepalive_time", tcp_keepalive_time, sysctl_seconds, 0, INT_MAX),
	SPEC_AS("tcp_keepalive_intvl", tcp_keepalive_intvl, sysctl_seconds, 0, INT_MAX),
	SPEC(tcp_keepalive_probes, 0, 255),
	SPEC_OCTET(tcp_syncookies),
	SPEC(tcp_max_syn_backlog, 0, INT_MAX),
	SPEC(tcp_max_orphans, 0, INT_MAX),
	SPEC(tcp_max_tw_buckets, 0, INT_MAX),
	SPEC_OCTET(tcp_timestamps),
	SPEC_OCTET(tcp_window_scaling),
	SPEC_OCTET(tcp_sack),
	SPEC_OCTET(tcp_dsack),
	SPEC(tcp_ecn, 0, 2),
	SPEC_BOOL(tcp_ecn_fallback),
	SPEC_OCTET(tcp_frto),
	SPEC(tcp_recovery, 0, 255),
	SPEC(tcp_early_retrans, 0, 4),
	SPEC(tcp_reordering, 1, 300),		/* in fact tcp_max_reordering */
	SPEC(tcp_max_reordering, 1, INT_MAX),
	SPEC_OCTET(tcp_moderate_rcvbuf),
	SPEC(tcp_adv_win_scale, -31, 31),
	SPEC_OCTET(tcp_slow_start_after_idle),
	SPEC_OCTET(tcp_rfc1337),
	SPEC(tcp_tw_reuse, 0, 2),
	SPEC_OCTET(tcp_abort_on_overflow),
	SPEC(tcp_challenge_ack_limit, 0, INT_MAX),
	SPEC_AS("tcp_invalid_ratelimit", tcp_invalid_ratelimit, sysctl_ms, 0, INT_MAX),
	SPEC(tcp_limit_output_bytes, 0, INT_MAX),
	SPEC(tcp_min_tso_segs, 1, 255),
	SPEC(tcp_min_rtt_wlen, 0, 86400),
	/* unsigned: the bounds are 0 and UINT_MAX */
	SPEC_AS("tcp_notsent_lowat", tcp_notsent_lowat, proc_douintvec_minmax, 0, -1),
	SPEC(tcp_base_mss, 0, INT_MAX),
	SPEC(tcp_min_snd_mss, 48, 65535),
	SPEC_OCTET(tcp_mtu_probing),
	SPEC(tcp_mtu_probe_floor, 48, 65535),
	SPEC(tcp_probe_threshold, INT_MIN, INT_MAX),
	/* unsigned, and native counts it in jiffies */
	SPEC_AS("tcp_probe_interval", tcp_probe_interval, proc_douintvec_minmax, 0,
		UINT_MAX / HZ),
	SPEC(tcp_pacing_ss_ratio, 0, 1000),
	SPEC(tcp_pacing_ca_ratio, 0, 1000),
	SPEC_BOOL(tcp_autocorking),
	SPEC(tcp_fastopen, INT_MIN, INT_MAX),
	{ "tcp_fastopen_key", 0, KEYS_TEXT, sysctl_fastopen_key },
	SPEC_AS("tcp_fastopen_blackhole_timeout_sec", tcp_fastopen_blackhole, sysctl_blackhole,
		0, INT_MAX),
	SPEC_OCTET(tcp_thin_linear_timeouts),
	SPEC(tcp_syn_linear_timeouts, 0, 127),
	SPEC(tcp_rto_min_us, 1, INT_MAX),
	SPEC_OCTET(tcp_stdurg),
	SPEC(tcp_pingpong_thresh, 1, 255),
	SPEC_BOOL(tcp_shrink_window),
	SPEC_BOOL(tcp_reflect_tos),
	SPEC_OCTET(tcp_fwmark_accept),
	/* without effect: see struct strata_net_conf */
	SPEC_OCTET(tcp_fack),
	SPEC(tcp_low_latency, INT_MIN, INT_MAX),
	SPEC_OCTET(tcp_retrans_collapse),
	SPEC_OCTET(tcp_workaround_signed_windows),
	SPEC_OCTET(tcp_early_demux),
	SPEC_OCTET(tcp_no_metrics_save),
	SPEC_BOOL(tcp_no_ssthresh_metrics_save),
	SPEC_OCTET(tcp_tso_win_divisor),
	SPEC(tcp_tso_rtt_log, 0, 31),
	SPEC_ULONG(tcp_comp_sack_delay_ns),
	SPEC_ULONG(tcp_comp_sack_slack_ns),
	SPEC_OCTET(tcp_comp_sack_nr),
	SPEC_BOOL(tcp_backlog_ack_defer),
	SPEC(tcp_app_win, 0, 31),
	SPEC_BOOL(tcp_migrate_req),
};

static umode_t sysctl_mode(const struct strata_net *sn, const struct sysctl_spec *spec)
{
	if (spec->handler == sysctl_fastopen_key)
		return 0600;	/* a secret */
	if (spec->handler == sysctl_allowed_cong || spec->handler == sysctl_tcp_mem)
		return net_eq(sn->net, &init_net) ? 0644 : 0444;
	/* who made a namespace of his own must not fill the machine's memory with neighbours */
	if (spec->off == offsetof(struct strata_net_conf, neigh_gc_thresh))
		return sn->net->user_ns == &init_user_ns ? 0644 : 0444;
	return spec->handler == sysctl_available_cong ? 0444 : 0644;
}

static void sysctl_entry(struct strata_net *sn, const struct sysctl_spec *spec,
			 struct ctl_table *ctl)
{
	ctl->procname = spec->name;
	ctl->data = (void *)&sn->conf + spec->off;
	ctl->maxlen = spec->len;
	ctl->mode = sysctl_mode(sn, spec);
	ctl->proc_handler = spec->handler;
	/* these would be taken for unsigned longs */
	if (spec->handler == proc_doulongvec_minmax)
		return;
	ctl->extra1 = (void *)&spec->lo;
	ctl->extra2 = (void *)&spec->hi;
	if (ctl->data == &sn->conf.tcp_reordering)
		ctl->extra2 = &sn->conf.tcp_max_reordering;
}

int strata_sysctl_net_init(struct strata_net *sn)
{
	int n = ARRAY_SIZE(sysctl_specs), i;
	struct ctl_table *table;

	/* one empty entry ends it on kernels that look for one */
	table = kcalloc(n + 1, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		sysctl_entry(sn, &sysctl_specs[i], &table[i]);
	sn->sysctl = strata_register_sysctl(sn->net, "net/strata", table, n);
	if (!sn->sysctl) {
		kfree(table);
		return -ENOMEM;
	}
	return 0;
}

void strata_sysctl_net_exit(struct strata_net *sn)
{
	const struct ctl_table *table = sn->sysctl->ctl_table_arg;

	unregister_net_sysctl_table(sn->sysctl);
	kfree(table);
	sn->sysctl = NULL;
}
