// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the route says of a connection (RTA_METRICS, in native's units). It is asked when one opens
 * whose path has STRATA_PATH_METRICS; if the route changes, that is for those that open later.
 *
 *	ADVMSS, WINDOW, INITRWND	what we offer, from the SYN on (RFC 9293 3.7.1, 3.8.6)
 *	INITCWND, CWND, SSTHRESH	congestion window: the first, the most, slow start's end
 *	RTT				the first RTO, where the handshake took less (RFC 6298 2)
 *	RTO_MIN				RFC 6298 2.4; counts only if it is locked, as native
 *	REORDERING			DupThresh to begin with (RFC 6675 5)
 *	QUICKACK			no ACK is delayed
 *	CC_ALGO				congestion control; locked: not to be changed
 *
 * FASTOPEN_NO_COOKIE is a flag of the path (tcp_fastopen*.c). RTTVAR has no effect, as native.
 *
 * locking: the socket lock, or a request nobody else knows yet.
 */

#include "route.h"
#include "tcp_int.h"
#include "tcp_req.h"

#define TCP_LEAST_MSS	88U	/* as native */

static u32 advised_mss(const struct strata_metrics *mx, u32 user_mss)
{
	u32 mss = max(mx->val[RTAX_ADVMSS], TCP_LEAST_MSS);

	return user_mss ? min(mss, user_mss) : mss;
}

/* a first window of at most so many segments */
static void limit_window(struct strata_tcp_rwnd *w, const struct strata_metrics *mx, u32 mss)
{
	if (mx->val[RTAX_INITRWND])
		w->wnd = min_t(u64, w->wnd, (u64)mx->val[RTAX_INITRWND] * mss);
}

static void take_rto_min(struct strata_tcp_sock *tp, const struct strata_metrics *mx)
{
	if (strata_metrics_locked(mx, RTAX_RTO_MIN))
		tp->rtt.rto_min_us = min_t(u64, (u64)mx->val[RTAX_RTO_MIN] * USEC_PER_MSEC,
					   STRATA_RTO_MAX_US);
}

static void take_cong(struct sock *sk, const struct strata_metrics *mx)
{
	if (mx->cong[0])
		strata_tcp_cong_by_route(sk, mx->cong, strata_metrics_locked(mx, RTAX_CC_ALGO));
}

static void sock_metrics(struct sock *sk, struct strata_metrics *mx)
{
	struct strata_flow fl;

	strata_sock_flow(strata_sk(sk), &fl);
	strata_ip_metrics(strata_sk_net(sk), &fl, mx);
}

void strata_tcp_metrics_connect(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_metrics mx;

	sock_metrics(sk, &mx);
	if (mx.val[RTAX_ADVMSS]) {
		tp->rcv.adv_mss = advised_mss(&mx, tp->snd.user_mss);
		tp->rcv.mss = min_t(u32, tp->rcv.adv_mss, 536);
	}
	if (!tp->window_clamp)
		WRITE_ONCE(tp->window_clamp, mx.val[RTAX_WINDOW]);
	strata_tcp_init_rwin(sk, tp->rcv.adv_mss);
	limit_window(&tp->rwnd, &mx, tp->rcv.adv_mss);
	tp->rcv.ssthresh = tp->rwnd.wnd;
	take_rto_min(tp, &mx);
	take_cong(sk, &mx);
}

void strata_tcp_metrics_req(const struct strata_tcp_req *req, struct strata_metrics *mx)
{
	struct strata_flow fl = {
		.saddr = req->laddr, .daddr = req->raddr, .mark = req->mark,
		.proto = IPPROTO_TCP, .tos = req->tos, .oif = req->oif,
		.onlink = req->path.flags & STRATA_PATH_ONLINK,
	};

	strata_ip_metrics(req->sn, &fl, mx);
}

void strata_tcp_metrics_req_mss(struct strata_tcp_req *req, const struct strata_metrics *mx,
				u32 user_mss)
{
	if (mx->val[RTAX_ADVMSS])
		req->adv_mss = advised_mss(mx, user_mss);
}

void strata_tcp_metrics_req_window(struct strata_tcp_req *req, const struct strata_metrics *mx)
{
	u32 opts = req->opts.flags & STRATA_OPT_TS ? 12 : 0;

	limit_window(&req->rwnd, mx, req->adv_mss - opts);
}

void strata_tcp_metrics_child(struct sock *child, const struct strata_tcp_req *req)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(child);
	struct strata_metrics mx;

	strata_tcp_metrics_req(req, &mx);
	if (!tp->window_clamp)
		WRITE_ONCE(tp->window_clamp, mx.val[RTAX_WINDOW]);
	take_rto_min(tp, &mx);
	take_cong(child, &mx);
}

/* as native: only for the first RTO of data, and if the path seemed shorter */
static void take_rtt(struct strata_tcp_rtt *rtt, const struct strata_metrics *mx)
{
	u64 us = (u64)mx->val[RTAX_RTT] * USEC_PER_MSEC / 8;

	if (us <= strata_rtt_srtt(rtt))
		return;
	rtt->rto_us = min_t(u64, us + max_t(u64, 2 * us, rtt->rto_min_us), STRATA_RTO_MAX_US);
}

void strata_tcp_metrics_transfer(struct sock *sk, struct strata_cong_sample *cs)
{
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_metrics mx;

	sock_metrics(sk, &mx);
	/* the SYN-ACK's timer is no business of it (RFC 7413 4.2.2, RFC 6298 2.1) */
	if (!strata_tcp_fastopen_pending(tp))
		take_rtt(&tp->rtt, &mx);
	if (mx.val[RTAX_REORDERING])
		tp->scb.reordering = min_t(u32, mx.val[RTAX_REORDERING],
					   READ_ONCE(conf->tcp_max_reordering));
	if (mx.val[RTAX_QUICKACK])
		tp->ack.quick = STRATA_QUICK_ALWAYS;
	if (strata_metrics_locked(&mx, RTAX_CWND))
		tp->cong.cwnd_clamp = min(mx.val[RTAX_CWND], STRATA_CWND_MAX);
	if (mx.val[RTAX_SSTHRESH] && !READ_ONCE(conf->tcp_no_ssthresh_metrics_save))
		tp->cong.ssthresh = min3(mx.val[RTAX_SSTHRESH], tp->cong.cwnd_clamp,
					 STRATA_SSTHRESH_INF);
	cs->init_cwnd = min_t(u32, mx.val[RTAX_INITCWND], U16_MAX);
}
