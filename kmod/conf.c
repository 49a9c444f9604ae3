// SPDX-License-Identifier: GPL-2.0-only
/*
 * Defaults of net.strata.*: those of net.ipv4.* on a machine with much memory.
 * control/sysctl.c lets the administrator of the namespace change them.
 */

#include <linux/jiffies.h>
#include <linux/string.h>
#include "conf.h"

static void conf_init_ip(struct strata_net_conf *conf)
{
	conf->ip_default_ttl = 64;
	conf->min_pmtu = 552;
	conf->mtu_expires = 10 * 60 * HZ;
	conf->ip_local_port_range[0] = 32768;
	conf->ip_local_port_range[1] = 60999;
	conf->ip_unprivileged_port_start = 1024;
	conf->ipfrag_high_thresh = 4 << 20;
	conf->ipfrag_max_dist = 64;

	conf->neigh_base_reachable = 30 * HZ;
	conf->neigh_retrans = HZ;
	conf->neigh_delay_probe = 5 * HZ;
	conf->neigh_gc_stale = 60 * HZ;
	conf->neigh_ucast_probes = 3;
	conf->neigh_mcast_probes = 3;
	conf->neigh_gc_thresh = 1024;
	conf->neigh_unres_qlen_bytes = 212992;

	conf->icmp_echo_ignore_broadcasts = 1;
	conf->icmp_msgs_per_sec = 1000;
	conf->icmp_msgs_burst = 50;
	conf->icmp_ratelimit = HZ;
	/* destination unreachable, source quench, time exceeded, parameter problem */
	conf->icmp_ratemask = 0x1818;
	/* nobody, as native; CAP_NET_RAW may too, as there are no raw sockets */
	conf->ping_group_range[0] = 1;
	conf->ping_group_range[1] = 0;

	conf->udp_rmem_min = 4096;
}

static void conf_init_tcp_limits(struct strata_net_conf *conf)
{
	conf->tcp_rmem[0] = 4096;
	conf->tcp_rmem[1] = 131072;
	conf->tcp_rmem[2] = 6 << 20;
	conf->tcp_wmem[0] = 4096;
	conf->tcp_wmem[1] = 16384;
	conf->tcp_wmem[2] = 4 << 20;
	conf->tcp_syn_retries = 6;
	conf->tcp_synack_retries = 5;
	conf->tcp_retries1 = 3;
	conf->tcp_retries2 = 15;
	conf->tcp_fin_timeout = 60 * HZ;
	conf->tcp_keepalive_time = 7200 * HZ;
	conf->tcp_keepalive_intvl = 75 * HZ;
	conf->tcp_keepalive_probes = 9;
	conf->tcp_max_syn_backlog = 4096;
	conf->tcp_max_orphans = 65536;
	conf->tcp_max_tw_buckets = 262144;
	conf->tcp_challenge_ack_limit = INT_MAX;
	conf->tcp_invalid_ratelimit = HZ / 2;
	conf->tcp_limit_output_bytes = 1 << 20;
	conf->tcp_notsent_lowat = -1;
	conf->tcp_base_mss = 1024;
	conf->tcp_min_snd_mss = 48;
	conf->tcp_mtu_probe_floor = 48;
	conf->tcp_probe_threshold = 8;
	conf->tcp_probe_interval = 600;
}

static void conf_init_tcp_features(struct strata_net_conf *conf)
{
	conf->tcp_syncookies = 1;
	conf->tcp_timestamps = 1;
	conf->tcp_window_scaling = 1;
	conf->tcp_sack = 1;
	conf->tcp_dsack = 1;
	conf->tcp_ecn = 2;
	conf->tcp_ecn_fallback = 1;
	conf->tcp_frto = 2;
	conf->tcp_recovery = 1;
	conf->tcp_early_retrans = 3;
	conf->tcp_reordering = 3;
	conf->tcp_max_reordering = 300;
	conf->tcp_moderate_rcvbuf = 1;
	conf->tcp_adv_win_scale = 1;
	conf->tcp_slow_start_after_idle = 1;
	conf->tcp_tw_reuse = 2;
	conf->tcp_min_tso_segs = 2;
	conf->tcp_min_rtt_wlen = 300;
	conf->tcp_pacing_ss_ratio = 200;
	conf->tcp_pacing_ca_ratio = 120;
	conf->tcp_autocorking = 1;
	conf->tcp_fastopen = 1;
	conf->tcp_syn_linear_timeouts = 4;
	conf->tcp_rto_min_us = 200 * USEC_PER_MSEC;
	conf->tcp_pingpong_thresh = 1;
	conf->tcp_comp_sack_delay_ns = NSEC_PER_MSEC;
	conf->tcp_comp_sack_slack_ns = 100 * NSEC_PER_USEC;
	conf->tcp_comp_sack_nr = 44;
	conf->tcp_backlog_ack_defer = 1;
}

static void conf_init_tcp_unused(struct strata_net_conf *conf)
{
	conf->tcp_retrans_collapse = 1;
	conf->tcp_early_demux = 1;
	conf->tcp_no_ssthresh_metrics_save = 1;
	conf->tcp_tso_win_divisor = 3;
	conf->tcp_tso_rtt_log = 9;
	conf->tcp_app_win = 31;
}

/* as native's tcp_sk_init() */
static void conf_inherit(struct strata_net_conf *conf, const struct strata_net_conf *first)
{
	memcpy(conf->tcp_rmem, first->tcp_rmem, sizeof(conf->tcp_rmem));
	memcpy(conf->tcp_wmem, first->tcp_wmem, sizeof(conf->tcp_wmem));
}

void strata_conf_init(struct strata_net_conf *conf, const struct strata_net_conf *first)
{
	memset(conf, 0, sizeof(*conf));
	conf_init_ip(conf);
	conf_init_tcp_limits(conf);
	conf_init_tcp_features(conf);
	conf_init_tcp_unused(conf);
	if (first)
		conf_inherit(conf, first);
}
