// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fewer ACKs than segments, where they would say the same.
 *
 * Beyond a hole each segment is acknowledged at once (RFC 5681 4.2, RFC 2018 4): a peer counts
 * these ACKs, and three of them tell it of the loss (RFC 5681 3.2). From then on a peer with
 * SACK wants to know what came, not how often it was told. So, as native: those behind the first
 * three for the same RCV.NXT wait for each other, a 20th of the round trip and
 * tcp_comp_sack_delay_ns at most, tcp_comp_sack_nr of them at most. What must not wait goes at
 * once as ever: a filled hole, a duplicate, more blocks than an ACK has room for.
 *
 * locking: the socket lock. The timer holds a reference to the socket while it is queued.
 */

#include "tcp_int.h"

#define DUPACKS		3	/* DupThresh of RFC 6675 */
#define RTT_SHARE	20

/* what is put off goes now, as one ACK. Locked */
static void compress_end(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	/* this one is not saved */
	tp->comp_acks--;
	tp->todo |= STRATA_TODO_ACK;
	strata_tcp_output(sk);
}

bool strata_tcp_compress_due(struct sock *sk)
{
	if (likely(!strata_tcp_sk(sk)->comp_acks))
		return false;
	compress_end(sk);
	return true;
}

static enum hrtimer_restart compress_fire(struct hrtimer *timer)
{
	struct strata_tcp_sock *tp = container_of(timer, struct strata_tcp_sock, comp_timer);
	struct sock *sk = &tp->ep.sk;

	bh_lock_sock(sk);
	if (sock_owned_by_user(sk))
		strata_tcp_defer(sk, STRATA_DEFER_DELACK);
	else if (tp->comp_acks)
		compress_end(sk);
	bh_unlock_sock(sk);
	sock_put(sk);
	return HRTIMER_NORESTART;
}

/* few connections ever need it */
static void compress_setup(struct strata_tcp_sock *tp)
{
	hrtimer_init(&tp->comp_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_SOFT);
	tp->comp_timer.function = compress_fire;
	tp->comp_ready = 1;
}

static u64 compress_delay_ns(const struct strata_tcp_sock *tp)
{
	u32 rtt = strata_drs_rtt(&tp->drs), srtt = strata_rtt_srtt(&tp->rtt);
	u64 most = READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_comp_sack_delay_ns);

	if (srtt && srtt < rtt)
		rtt = srtt;
	return min_t(u64, most, (u64)rtt * (NSEC_PER_USEC / RTT_SHARE));
}

bool strata_tcp_compress(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;

	if (!tp->sack_ok || tp->comp_acks >= READ_ONCE(conf->tcp_comp_sack_nr))
		return false;
	if (tp->ack.comp_nxt != tp->rcv.nxt) {
		tp->ack.comp_nxt = tp->rcv.nxt;
		tp->comp_dups = 0;
	}
	if (tp->comp_dups < DUPACKS) {
		tp->comp_dups++;
		return false;
	}
	tp->comp_acks++;
	if (!tp->comp_ready)
		compress_setup(tp);
	if (hrtimer_is_queued(&tp->comp_timer))
		return true;
	sock_hold(sk);
	hrtimer_start_range_ns(&tp->comp_timer, ns_to_ktime(compress_delay_ns(tp)),
			       READ_ONCE(conf->tcp_comp_sack_slack_ns),
			       HRTIMER_MODE_REL_PINNED_SOFT);
	return true;
}

void strata_tcp_compress_stop(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	tp->comp_acks = 0;
	if (tp->comp_ready && hrtimer_try_to_cancel(&tp->comp_timer) == 1)
		__sock_put(sk);
}

void strata_tcp_compress_sent(struct sock *sk)
{
	strata_add(strata_sk_net(sk), TCPEXT_ACKCOMPRESSED, strata_tcp_sk(sk)->comp_acks);
	strata_tcp_compress_stop(sk);
}
