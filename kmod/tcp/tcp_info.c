// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct tcp_info: the state of a connection for getsockopt(TCP_INFO) and sock_diag, with
 * the native stack's units: times in µs except the tcpi_last_* (ms), windows and MSS in
 * bytes, the rest in segments.
 *
 * Under the socket lock all members are of one moment. Reports call it without: then each
 * is true, all together may be of two moments.
 */

#include <linux/inet_diag.h>	/* union tcp_cc_info */

#include "tcp_int.h"

const char *strata_tcp_cong_name(const struct sock *sk)
{
	const struct strata_tcp_cong_ops *ops = READ_ONCE(strata_tcp_sk(sk)->cong.ops);

	return ops ? ops->name : "";
}

size_t strata_tcp_cc_info(struct sock *sk, u32 ext, int *attr, union tcp_cc_info *info)
{
	struct strata_tcp_cong *c = &strata_tcp_sk(sk)->cong;
	const struct strata_tcp_cong_ops *ops;
	size_t size = 0;

	rcu_read_lock();
	/* strata_cong_change() has cleared what the algorithm before left */
	ops = smp_load_acquire(&c->ops);
	if (ops && ops->get_info)
		size = ops->get_info(c, ext, attr, info);
	rcu_read_unlock();
	return size;
}

static u64 rate_or_all(unsigned long rate)
{
	return rate == ~0UL ? ~0ULL : rate;
}

/* bytes per second over the last good sample */
static u64 delivery_rate(const struct strata_tcp_sock *tp)
{
	u32 interval = READ_ONCE(tp->rate.rate_interval_us);
	u64 bytes = (u64)READ_ONCE(tp->rate.rate_delivered) * READ_ONCE(tp->snd.mss);

	return interval ? div_u64(bytes * USEC_PER_SEC, interval) : 0;
}

static void info_options(const struct strata_tcp_sock *tp, struct tcp_info *info)
{
	if (tp->ts_ok)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (tp->sack_ok)
		info->tcpi_options |= TCPI_OPT_SACK;
	if (tp->tfo.data_acked)
		info->tcpi_options |= TCPI_OPT_SYN_DATA;
	/* in SYN-SENT it is only asked for */
	if (tp->ecn_ok && tp->ep.sk.sk_state != TCP_SYN_SENT)
		info->tcpi_options |= TCPI_OPT_ECN;
	if (tp->ecn_seen)
		info->tcpi_options |= TCPI_OPT_ECN_SEEN;
	if (tp->wscale_ok) {
		info->tcpi_options |= TCPI_OPT_WSCALE;
		info->tcpi_snd_wscale = tp->swnd.wscale;
		info->tcpi_rcv_wscale = tp->rwnd.wscale;
	}
}

static void info_times(const struct strata_tcp_sock *tp, struct tcp_info *info)
{
	u32 now = (u32)jiffies;

	info->tcpi_rto = strata_rtt_rto(&tp->rtt);
	info->tcpi_ato = jiffies_to_usecs(min_t(u32, READ_ONCE(tp->ack.ato),
						strata_tcp_delack_max(tp)));
	info->tcpi_last_data_sent = jiffies_to_msecs(now - READ_ONCE(tp->lsndtime));
	info->tcpi_last_data_recv = jiffies_to_msecs(now - (u32)READ_ONCE(tp->ack.lrcvtime));
	info->tcpi_last_ack_recv = jiffies_to_msecs(now - READ_ONCE(tp->ack_time));
	info->tcpi_rtt = strata_rtt_srtt(&tp->rtt);
	info->tcpi_rttvar = READ_ONCE(tp->rtt.mdev_us) >> 2;
	info->tcpi_min_rtt = strata_rtt_min(&tp->rtt);
	info->tcpi_rcv_rtt = strata_drs_rtt(&tp->drs);
}

/* tcpi_rehash stays 0: nothing in Strata tries another path by another flow hash */
static void info_timeouts(const struct strata_tcp_sock *tp, struct tcp_info *info)
{
	u32 now = (u32)div_u64(strata_tcp_clock_us(), USEC_PER_MSEC);

	strata_tcp_info_total_rto(info, READ_ONCE(tp->rtt.timeouts.n),
				  READ_ONCE(tp->rtt.timeouts.episodes),
				  strata_rtt_timeouts_ms(&tp->rtt.timeouts, now));
}

/* the first is the sum of all three */
static void info_limits(const struct strata_tcp_sock *tp, struct tcp_info *info)
{
	u64 now = strata_tcp_clock_us();

	info->tcpi_rwnd_limited = strata_chrono_read(&tp->chrono, STRATA_CHRONO_RWND, now);
	info->tcpi_sndbuf_limited = strata_chrono_read(&tp->chrono, STRATA_CHRONO_SNDBUF, now);
	info->tcpi_busy_time = strata_chrono_read(&tp->chrono, STRATA_CHRONO_BUSY, now) +
			       info->tcpi_rwnd_limited + info->tcpi_sndbuf_limited;
}

static void info_sender(const struct strata_tcp_sock *tp, struct tcp_info *info)
{
	info->tcpi_fastopen_client_fail = tp->tfo.client_fail;
	info->tcpi_ca_state = READ_ONCE(tp->rec.state);
	info->tcpi_retransmits = strata_tcp_timeouts(tp);
	info->tcpi_probes = READ_ONCE(tp->probes_out);
	/* doublings: of the timeout, or of the time between probes */
	info->tcpi_backoff = READ_ONCE(tp->timer_kind) == STRATA_TIMER_PERSIST ?
			     READ_ONCE(tp->retries) : READ_ONCE(tp->rtt.backoff);
	info->tcpi_snd_mss = READ_ONCE(tp->snd.mss);
	info->tcpi_pmtu = READ_ONCE(tp->pmtu);
	info->tcpi_snd_ssthresh = READ_ONCE(tp->cong.ssthresh);
	info->tcpi_unacked = READ_ONCE(tp->scb.packets_out);
	info->tcpi_sacked = READ_ONCE(tp->scb.sacked_out);
	info->tcpi_lost = READ_ONCE(tp->scb.lost_out);
	info->tcpi_retrans = READ_ONCE(tp->scb.retrans_out);
	info->tcpi_total_retrans = READ_ONCE(tp->scb.total_retrans);
	info->tcpi_delivered = READ_ONCE(tp->scb.delivered);
	info->tcpi_delivered_ce = READ_ONCE(tp->scb.delivered_ce);
	info->tcpi_dsack_dups = READ_ONCE(tp->scb.dsack_dups);
	info->tcpi_reord_seen = READ_ONCE(tp->scb.reord_seen);
	info->tcpi_snd_wnd = READ_ONCE(tp->swnd.wnd);
	info->tcpi_notsent_bytes = max_t(s32, READ_ONCE(tp->snd.write_seq) -
					      READ_ONCE(tp->snd.nxt), 0);
	info->tcpi_delivery_rate = delivery_rate(tp);
	info->tcpi_delivery_rate_app_limited = READ_ONCE(tp->rate.rate_app_limited);
	info->tcpi_bytes_acked = READ_ONCE(tp->bytes_acked);
	info->tcpi_bytes_sent = READ_ONCE(tp->bytes_sent);
	info->tcpi_bytes_retrans = READ_ONCE(tp->bytes_retrans);
	info->tcpi_segs_out = READ_ONCE(tp->segs_out);
	info->tcpi_data_segs_out = READ_ONCE(tp->data_segs_out);
}

static void info_receiver(const struct strata_tcp_sock *tp, struct tcp_info *info)
{
	info->tcpi_rcv_mss = READ_ONCE(tp->rcv.mss);
	info->tcpi_advmss = READ_ONCE(tp->rcv.adv_mss);
	info->tcpi_rcv_ssthresh = READ_ONCE(tp->rcv.ssthresh);
	info->tcpi_rcv_space = READ_ONCE(tp->drs.space);
	strata_tcp_info_rcv_wnd(info, READ_ONCE(tp->rwnd.wnd));
	info->tcpi_rcv_ooopack = READ_ONCE(tp->rcv_ooopack);
	info->tcpi_bytes_received = READ_ONCE(tp->bytes_received);
	info->tcpi_segs_in = READ_ONCE(tp->segs_in);
	info->tcpi_data_segs_in = READ_ONCE(tp->data_segs_in);
}

void strata_tcp_get_info(struct sock *sk, struct tcp_info *info)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	memset(info, 0, sizeof(*info));
	/* pairs with strata_tcp_set_state() */
	info->tcpi_state = smp_load_acquire(&sk->sk_state);
	info->tcpi_pacing_rate = rate_or_all(READ_ONCE(sk->sk_pacing_rate));
	info->tcpi_max_pacing_rate = rate_or_all(READ_ONCE(sk->sk_max_pacing_rate));
	info->tcpi_reordering = READ_ONCE(tp->scb.reordering);
	info->tcpi_snd_cwnd = READ_ONCE(tp->cong.cwnd);
	if (info->tcpi_state == TCP_LISTEN) {
		/* as native: connections to accept, and how many may wait */
		info->tcpi_unacked = READ_ONCE(tp->lst.qlen);
		info->tcpi_sacked = READ_ONCE(tp->lst.max);
		return;
	}
	info_options(tp, info);
	info_times(tp, info);
	info_timeouts(tp, info);
	info_limits(tp, info);
	info_sender(tp, info);
	info_receiver(tp, info);
}
