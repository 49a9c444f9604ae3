/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sysctls of a namespace: net.strata.<name> with the name, the unit and the
 * default of net.ipv4.<name>. Written by control/sysctl.c, read everywhere with
 * READ_ONCE() through the layer that owns the value.
 */
#ifndef _STRATA_CONF_H
#define _STRATA_CONF_H

#include <linux/types.h>

#define STRATA_CC_NAME_MAX	16

/* times are jiffies unless the name says otherwise */
struct strata_net_conf {
	/* ip */
	int	ip_default_ttl;			/* hops, 1..255 */
	int	ip_no_pmtu_disc;		/* 0 off; else sockets begin without: ip_rcv.c */
	int	min_pmtu;			/* bytes */
	int	mtu_expires;			/* jiffies (seconds in /proc) */
	int	ip_local_port_range[2];		/* ports, inclusive */
	unsigned long *ip_local_reserved_ports;	/* bits: not chosen by the stack; main.c's */
	int	ip_autobind_reuse;		/* bool: bind(0) of TCP shares when none is free */
	int	ip_unprivileged_port_start;	/* first port open to everybody */
	int	ipfrag_high_thresh;		/* bytes, informational: see fqdir */
	int	ipfrag_max_dist;		/* fragments of one source, 0: any */
	/* arp */
	int	neigh_base_reachable;		/* jiffies */
	int	neigh_retrans;			/* jiffies between probes */
	int	neigh_delay_probe;		/* jiffies in DELAY */
	int	neigh_gc_stale;			/* jiffies until a stale entry may go */
	int	neigh_ucast_probes;
	int	neigh_mcast_probes;
	int	neigh_gc_thresh;		/* entries; above it new ones push out old ones */
	int	neigh_unres_qlen_bytes;		/* bytes of packets waiting for one address */
	/* icmp */
	int	icmp_echo_ignore_all;		/* bool */
	int	icmp_echo_ignore_broadcasts;	/* bool */
	int	icmp_msgs_per_sec;
	int	icmp_msgs_burst;
	int	icmp_ratelimit;			/* jiffies per error to one host (ms in /proc) */
	int	icmp_ratemask;			/* bits: types that are limited */
	int	ping_group_range[2];		/* gids, inclusive */
	/* udp */
	int	udp_rmem_min;			/* bytes a socket may keep under pressure */
	/* tcp */
	int	tcp_rmem[3];			/* bytes: min, default, max */
	int	tcp_wmem[3];			/* bytes: min, default, max */
	int	tcp_syn_retries;
	int	tcp_synack_retries;
	int	tcp_retries1;
	int	tcp_retries2;
	int	tcp_orphan_retries;
	int	tcp_fin_timeout;		/* jiffies (seconds in /proc) */
	int	tcp_keepalive_time;		/* jiffies (seconds in /proc) */
	int	tcp_keepalive_intvl;		/* jiffies (seconds in /proc) */
	int	tcp_keepalive_probes;
	int	tcp_syncookies;			/* 0 never, 1 on overflow, 2 always */
	int	tcp_max_syn_backlog;		/* requests per listener */
	int	tcp_max_orphans;
	int	tcp_max_tw_buckets;
	int	tcp_timestamps;			/* 0 off, 1 with random offset, 2 without */
	int	tcp_window_scaling;		/* bool */
	int	tcp_sack;			/* bool */
	int	tcp_dsack;			/* bool */
	int	tcp_ecn;			/* 0 off, 1 on, 2 only when asked */
	int	tcp_ecn_fallback;		/* bool */
	int	tcp_frto;			/* 0 or 2 */
	int	tcp_recovery;			/* bit 0: RACK */
	int	tcp_early_retrans;		/* 0 off, 3 TLP */
	int	tcp_reordering;			/* segments */
	int	tcp_max_reordering;		/* segments */
	int	tcp_moderate_rcvbuf;		/* bool */
	int	tcp_adv_win_scale;		/* without effect, as native's since 6.6 */
	int	tcp_slow_start_after_idle;	/* bool */
	int	tcp_rfc1337;			/* bool */
	int	tcp_tw_reuse;			/* 0, 1, 2 (loopback only) */
	int	tcp_abort_on_overflow;		/* bool */
	int	tcp_challenge_ack_limit;	/* per second */
	int	tcp_invalid_ratelimit;		/* jiffies (ms in /proc) */
	int	tcp_limit_output_bytes;		/* bytes */
	int	tcp_min_tso_segs;
	int	tcp_min_rtt_wlen;		/* seconds */
	int	tcp_notsent_lowat;		/* bytes */
	int	tcp_base_mss;			/* bytes */
	int	tcp_min_snd_mss;		/* bytes */
	int	tcp_mtu_probing;		/* 0 off, 1 after a black hole, 2 always */
	int	tcp_mtu_probe_floor;		/* bytes */
	int	tcp_probe_threshold;		/* bytes */
	int	tcp_probe_interval;		/* seconds, unsigned */
	int	tcp_pacing_ss_ratio;		/* percent */
	int	tcp_pacing_ca_ratio;		/* percent */
	int	tcp_autocorking;		/* bool */
	int	tcp_fastopen;			/* STRATA_FASTOPEN_* */
	int	tcp_fastopen_blackhole;		/* seconds, 0: never pause */
	int	tcp_thin_linear_timeouts;	/* bool */
	int	tcp_syn_linear_timeouts;	/* of a SYN, that do not double */
	int	tcp_rto_min_us;			/* µs */
	int	tcp_stdurg;			/* bool: it points at the urgent octet */
	int	tcp_pingpong_thresh;		/* answers that make a session interactive */
	int	tcp_shrink_window;		/* bool */
	int	tcp_reflect_tos;		/* bool: of the SYN */
	int	tcp_fwmark_accept;		/* bool: the SYN's mark is the connection's */
	unsigned long tcp_comp_sack_delay_ns;	/* an ACK beyond a hole waits as long at most */
	unsigned long tcp_comp_sack_slack_ns;	/* and that longer */
	int	tcp_comp_sack_nr;		/* so many of them; 0: none */
	int	tcp_backlog_ack_defer;		/* bool: one ACK for all of the backlog */
	/* taken and shown as native's, without effect, because: */
	int	tcp_fack;			/* it has none in native */
	int	tcp_low_latency;		/* nor has this */
	int	tcp_retrans_collapse;		/* what is sent again is never merged */
	int	tcp_workaround_signed_windows;	/* peers are trusted to count to 65535 */
	int	tcp_early_demux;		/* a socket is looked up once, in TCP */
	int	tcp_no_metrics_save;		/* nothing of a connection is kept for the next */
	int	tcp_no_ssthresh_metrics_save;	/* the same */
	int	tcp_tso_win_divisor;		/* what may go goes, however short the burst */
	int	tcp_tso_rtt_log;		/* bursts are of a millisecond at any round trip */
	int	tcp_app_win;			/* no memory is kept back for the program */
	int	tcp_migrate_req;		/* of a listener that ends, to its group */
};

/**
 * strata_conf_init() - give @conf the native stack's defaults
 * @first: of the initial namespace, of which others begin with some; NULL: this is it
 */
void strata_conf_init(struct strata_net_conf *conf, const struct strata_net_conf *first);

#endif /* _STRATA_CONF_H */
