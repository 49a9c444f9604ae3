// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a listener does with segments (RFC 9293 3.10.7.2): it turns SYNs into requests, and the
 * ACKs of its SYN-ACKs into children, which wait on the accept queue (tcp_accept.c).
 *
 * Segments for a listener are worked on without its lock: any number of CPUs may answer SYNs
 * at once. Requests stand in the table of connections (tcp_lookup.c), where segments find them
 * before they look for a listener; the accept queue has a lock of its own. A child is made when
 * the handshake's ACK is there: a clone of the listener, in SYN-RECEIVED, that then processes
 * that ACK as any segment (tcp_segment.c) and calls strata_tcp_child_established(). Fast Open
 * makes it when the SYN comes (tcp_fastopen.c).
 *
 * When it has as many requests as it may, SYN cookies (tcp_cookie.c) let the peer keep the state.
 */

#include <linux/memcontrol.h>
#include <net/inet_ecn.h>
#include "route.h"
#include "tcp_req.h"

static u32 req_clock_ms(void)
{
	return (u32)div_u64(strata_tcp_clock_us(), USEC_PER_MSEC);
}

/* what all segments of a request have in common; @ts_ms: the clock of its timestamp */
static void req_bare(const struct strata_tcp_req *req, u32 ts_ms, struct strata_tcp_bare *seg)
{
	*seg = (struct strata_tcp_bare) {
		.fl = {
			.saddr = req->laddr, .daddr = req->raddr,
			.sport = req->lport, .dport = req->rport,
			.oif = req->oif, .mark = req->mark,
			.proto = IPPROTO_TCP, .tos = req->tos, .df = true,
			.onlink = req->path.flags & STRATA_PATH_ONLINK,
		},
		.path = &req->path,
		.ack = req->irs + 1,
		.tx_delay = req->tx_delay,
		.state = TCP_SYN_RECV,
		.opts = {
			.flags = req->opts.flags & STRATA_OPT_TS,
			.tsval = ts_ms + req->ts_offset,
			.tsecr = req->opts.tsval,
		},
	};
}

/* to a segment that cannot be (3.10.7.4 first), or a reset that is not exact (RFC 5961 3.2) */
static void req_ack(struct strata_net *sn, const struct strata_tcp_req *req)
{
	struct strata_tcp_bare seg;

	req_bare(req, req_clock_ms(), &seg);
	seg.seq = req->iss + 1;
	seg.wnd = min_t(u32, req->rwnd.wnd >> req->rwnd.wscale, U16_MAX);
	seg.flags = STRATA_TCP_ACK;
	strata_tcp_xmit_bare(sn, &seg);
}

static void req_synack(struct strata_net *sn, struct strata_tcp_req *req,
		       const struct strata_tcp_cookie *c, u32 ts_ms, bool again)
{
	struct strata_tcp_bare seg;

	req_bare(req, ts_ms, &seg);
	seg.again = again;
	seg.seq = req->iss;
	seg.wnd = min_t(u32, req->rwnd.wnd, U16_MAX);	/* never scaled here */
	seg.flags = STRATA_TCP_SYN | STRATA_TCP_ACK;
	if (req->ecn_ok)
		seg.flags |= STRATA_TCP_ECE;
	seg.opts.flags |= STRATA_OPT_MSS |
			  (req->opts.flags & (STRATA_OPT_SACKOK | STRATA_OPT_WSCALE));
	seg.opts.mss = req->adv_mss;
	seg.opts.wscale = req->rwnd.wscale;
	if (c)
		strata_tcp_put_cookie(&seg.opts, c);
	strata_tcp_xmit_bare(sn, &seg);
}

void strata_tcp_req_synack(struct strata_net *sn, struct strata_tcp_req *req,
			   const struct strata_tcp_cookie *c, u32 ts_ms)
{
	req_synack(sn, req, c, ts_ms, false);
}

void strata_tcp_req_synack_again(struct strata_net *sn, struct strata_tcp_req *req)
{
	strata_inc(sn, TCP_RETRANSSEGS);
	req_synack(sn, req, NULL, req_clock_ms(), true);
}

/* keep of the SYN's options what we will answer with */
static void req_options(const struct strata_net *sn, struct strata_tcp_req *req)
{
	if (!READ_ONCE(sn->conf.tcp_timestamps))
		req->opts.flags &= ~STRATA_OPT_TS;
	if (!READ_ONCE(sn->conf.tcp_sack))
		req->opts.flags &= ~STRATA_OPT_SACKOK;
	if (!READ_ONCE(sn->conf.tcp_window_scaling))
		req->opts.flags &= ~STRATA_OPT_WSCALE;
}

/* the MSS we announce is what the way back can carry (RFC 6691) */
static bool req_route(struct sock *lsk, struct strata_tcp_req *req,
		      const struct strata_tcp_seg *seg, struct strata_metrics *mx)
{
	struct strata_net *sn = strata_sk_net(lsk);
	u16 user_mss = READ_ONCE(strata_tcp_sk(lsk)->snd.user_mss);
	struct strata_flow fl = {
		.saddr = req->laddr, .daddr = req->raddr,
		.mark = req->mark, .proto = IPPROTO_TCP, .tos = req->tos,
		.oif = req->oif, .onlink = sock_flag(lsk, SOCK_LOCALROUTE),
	};
	struct strata_path *path = &req->path;

	if (strata_ip_route(sn, &fl, path))
		return false;
	req->ecn_ok = seg->flags & STRATA_TCP_SYN ? strata_tcp_ecn_request(lsk, seg, path) :
						    strata_tcp_ecn_allowed(lsk, path);
	if (!strata_path_resolved(path))
		strata_path_put(path);
	req->adv_mss = clamp_t(u32, strata_ip_mtu(path), 128, U16_MAX) - 40;
	if (user_mss)
		req->adv_mss = min(req->adv_mss, user_mss);
	if (unlikely(path->flags & STRATA_PATH_METRICS)) {
		strata_tcp_metrics_req(req, mx);
		strata_tcp_metrics_req_mss(req, mx, user_mss);
	}
	return true;
}

/* the window we offer first; @mx: filled if the path has metrics */
static void req_window(struct sock *lsk, struct strata_tcp_req *req,
		       const struct strata_metrics *mx)
{
	const struct strata_net *sn = strata_sk_net(lsk);
	u32 clamp = READ_ONCE(strata_tcp_sk(lsk)->window_clamp);
	bool metrics = req->path.flags & STRATA_PATH_METRICS;
	int max_buf = READ_ONCE(lsk->sk_rcvbuf);

	if (unlikely(metrics) && !clamp)
		clamp = mx->val[RTAX_WINDOW];
	if (!(lsk->sk_userlocks & SOCK_RCVBUF_LOCK))
		max_buf = max(max_buf, READ_ONCE(sn->conf.tcp_rmem[2]));
	strata_wnd_init(&req->rwnd, req->irs + 1, strata_tcp_full_space(lsk), max_buf, clamp,
			req->adv_mss, req->opts.flags & STRATA_OPT_WSCALE);
	if (unlikely(metrics))
		strata_tcp_metrics_req_window(req, mx);
}

/* of a SYN, or of the ACK that has brought a cookie back; @mx: filled if the path has metrics */
static struct strata_tcp_req *req_make(struct sock *lsk, struct strata_tcp_reqs *reqs,
				       struct sk_buff *skb, struct strata_metrics *mx)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	const struct tcphdr *th = tcp_hdr(skb);
	struct strata_net *sn = strata_sk_net(lsk);
	struct strata_tcp_req *req = strata_tcp_req_alloc();

	if (!req)
		return NULL;
	req->sn = sn;
	req->reqs = reqs;
	req->laddr = ip_hdr(skb)->daddr;
	req->raddr = ip_hdr(skb)->saddr;
	req->lport = th->dest;
	req->rport = th->source;
	req->hashval = seg->hash;
	req->ifindex = seg->rcv.iif;
	req->oif = READ_ONCE(lsk->sk_bound_dev_if);
	req->irs = seg->seq;
	req->wnd = seg->wnd;
	req->opts = seg->opts;
	req->mark = READ_ONCE(lsk->sk_mark);
	if (!req->mark && READ_ONCE(sn->conf.tcp_fwmark_accept))
		req->mark = skb->mark;
	req->tx_delay = READ_ONCE(strata_tcp_sk(lsk)->tx_delay);
	req->tos = strata_sk(lsk)->tos;
	if (READ_ONCE(sn->conf.tcp_reflect_tos))
		req->tos = (ip_hdr(skb)->tos & ~INET_ECN_MASK) | (req->tos & INET_ECN_MASK);
	req->sent_us = strata_tcp_clock_us();
	req->ts_offset = strata_tcp_ts_off(sn, req->laddr, req->raddr);
	req_options(sn, req);
	if (!req_route(lsk, req, seg, mx)) {
		strata_tcp_req_put(req);
		return NULL;
	}
	if (req->ecn_ok && strata_tcp_ecn_listener_ect(lsk))
		req->tos |= INET_ECN_ECT_0;
	req_window(lsk, req, mx);
	return req;
}

/* an ACK of a cookie we may have sent: the request as it was, or NULL */
static struct strata_tcp_req *cookie_req(struct sock *lsk, struct strata_tcp_reqs *reqs,
					 struct sk_buff *skb)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct strata_net *sn = strata_sk_net(lsk);
	u16 mss = strata_tcp_cookie_mss(sn, skb);
	struct strata_tcp_req *req;
	struct strata_metrics mx;

	if (!mss)
		return NULL;
	req = req_make(lsk, reqs, skb, &mx);
	if (!req)
		return NULL;
	if (!strata_tcp_cookie_restore(sn, req, seg, mss)) {
		strata_tcp_req_put(req);
		return NULL;
	}
	req_window(lsk, req, &mx);
	return req;
}

/* children */

/* sequence state, windows and options of a request become the child's */
static void child_fill(struct sock *child, const struct strata_tcp_req *req)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(child);
	struct strata_sock *ep = &tp->ep;

	ep->laddr = req->laddr;
	ep->raddr = req->raddr;
	ep->lport = req->lport;
	ep->rport = req->rport;
	ep->bound_laddr = req->laddr;
	child->sk_mark = req->mark;
	if (READ_ONCE(strata_sk_net(child)->conf.tcp_reflect_tos))
		ep->tos = req->tos & ~INET_ECN_MASK;

	tp->snd.iss = req->iss;
	tp->snd.una = req->iss;
	tp->snd.nxt = req->iss + 1;
	tp->snd.write_seq = tp->snd.nxt;
	tp->snd.pushed_seq = tp->snd.nxt;
	tp->snd.sml_end = req->iss;
	tp->snd.up = req->iss;
	tp->rexmit_seq = tp->snd.nxt;
	tp->rcv.irs = req->irs;
	tp->rcv.nxt = req->irs + 1;
	tp->rcv.copied_seq = tp->rcv.nxt;
	tp->rcv.up = tp->rcv.nxt;
	tp->rcv.urg_data = 0;
	tp->rcv.adv_mss = req->adv_mss;
	tp->rcv.mss = min_t(u16, req->adv_mss, 536);
	tp->rwnd = req->rwnd;
	tp->rcv.ssthresh = tp->rwnd.wnd;
	tp->ts_offset = req->ts_offset;
	memset(&tp->swnd, 0, sizeof(tp->swnd));
	tp->swnd.wnd = req->wnd;
	tp->swnd.max = req->wnd;
	tp->swnd.wl1 = req->irs;
	strata_tcp_take_syn_options(tp, &req->opts);
	tp->ecn_ok = req->ecn_ok;
	tp->ecn_echo = 0;
	tp->ecn_seen = 0;
	tp->ecn_ce = 0;
	strata_tcp_mstamp(tp);
	/* Karn's rule; nor from an ACK that had to come again (queue full, TCP_DEFER_ACCEPT) */
	tp->syn_us = req->acked || req->again ? 0 : req->sent_us;
	tp->scb.total_retrans = req->sent;
	tp->syn_retrans = req->sent || req->again;
	if (req->sent)
		tp->rtt.timeouts = (struct strata_tcp_timeouts) {
			.n = req->sent, .episodes = 1,
			.ms = strata_tcp_now_ms(tp) - (u32)div_u64(req->sent_us, USEC_PER_MSEC),
		};
	strata_tcp_sync_mss(child, strata_ip_mtu(&req->path));
}

/* the way of the SYN-ACK is the child's, unless the listener has come to want another one */
static void child_path(struct sock *child, const struct strata_tcp_req *req)
{
	struct strata_sock *ep = strata_sk(child);

	if (child->sk_bound_dev_if == req->oif && !((ep->tos ^ req->tos) & ~INET_ECN_MASK) &&
	    ep->pmtudisc < IP_PMTUDISC_PROBE &&
	    !!(req->path.flags & STRATA_PATH_ONLINK) == sock_flag(child, SOCK_LOCALROUTE))
		strata_path_copy(&ep->path, &req->path);
}

/*
 * A clone has no memory cgroup. Native gives it that of who accepts it, which modules cannot; what
 * it takes before then must count already, so it is the listener's
 */
#ifdef CONFIG_MEMCG
static void child_memcg(struct sock *child, const struct sock *lsk)
{
	if (lsk->sk_memcg && css_tryget(&lsk->sk_memcg->css))
		child->sk_memcg = lsk->sk_memcg;
}
#else
static void child_memcg(struct sock *child, const struct sock *lsk)
{
}
#endif

/*
 * NULL: no memory, the port's bucket is gone, the 4-tuple is taken, or @req is no longer in the
 * table, if it is one that is @kept there. The child is bh_lock_sock()ed
 */
static struct sock *child_make(struct sock *lsk, struct strata_tcp_req *req, bool kept)
{
	struct sock *child;

	/* found under RCU alone: its last reference may have been given back meanwhile */
	if (!refcount_inc_not_zero(&lsk->sk_refcnt))
		return NULL;
	child = sk_clone_lock(lsk, GFP_ATOMIC);
	if (!child)
		goto err_listener;
	child_memcg(child, lsk);
	strata_tcp_child_init(child, lsk);
	child_fill(child, req);
	if (strata_port_inherit(lsk, child))
		goto err;
	if (!(kept ? strata_tcp_req_become(req, child) :
		     strata_tcp_hash_child(child, req->hashval, NULL))) {
		strata_port_put(child);
		goto err;
	}
	child_path(child, req);
	if (unlikely(req->path.flags & STRATA_PATH_METRICS))
		strata_tcp_metrics_child(child, req);
	strata_tcp_sk(child)->listener = lsk;
	strata_tcp_syn_move(req, child);
	return child;
err:
	strata_tcp_child_undo(child);
err_listener:
	sock_put(lsk);
	return NULL;
}

/* RFC 7413 4.2.2: a SYN whose cookie is good makes the child at once; else @c is for the SYN-ACK */
static struct sock *fast_child(struct sock *lsk, struct strata_tcp_req *req,
			       const struct sk_buff *skb, struct strata_tcp_cookie *c)
{
	bool bare = req->path.flags & STRATA_PATH_NO_COOKIE;
	int by = strata_tcp_fastopen_check(lsk, skb, bare, c);
	struct sock *child;

	if (!by)
		return NULL;
	child = child_make(lsk, req, false);
	strata_tcp_fastopen_made(lsk, child, req, by, c);
	return child;
}

/*
 * Without cookies the last quarter of tcp_max_syn_backlog is for peers that have proved before that
 * they are there, as native; and nothing of a connection is kept for the next
 */
static bool unproven(const struct strata_net *sn, u32 held)
{
	int most = READ_ONCE(sn->conf.tcp_max_syn_backlog);

	return (s64)most - held < most >> 2;
}

/* third: "check for a SYN" (3.10.7.2) */
static struct sock *listen_syn(struct sock *lsk, struct strata_tcp_reqs *reqs,
			       struct sk_buff *skb, u32 isn, enum skb_drop_reason *why)
{
	struct strata_net *sn = strata_sk_net(lsk);
	int cookies = READ_ONCE(sn->conf.tcp_syncookies);
	u32 held = READ_ONCE(reqs->count);
	bool full = held > READ_ONCE(strata_tcp_sk(lsk)->lst.max);
	struct sock *child = NULL;
	struct strata_tcp_req *req;
	struct strata_tcp_cookie c;
	struct strata_metrics mx;

	if (strata_tcp_accept_full(lsk)) {
		strata_inc(sn, TCPEXT_LISTENOVERFLOWS);
		goto drop;
	}
	/* the numbers of a TIME-WAIT that makes room (@isn) are kept, and it is gone: as native */
	if (!cookies && !isn && (full || unproven(sn, held))) {
		if (full)
			strata_inc(sn, TCPEXT_REQQFULLDROP);
		goto drop;
	}
	req = req_make(lsk, reqs, skb, &mx);
	if (!req)
		goto drop;
	if (!isn && (cookies == 2 || full)) {
		if (full)
			strata_inc(sn, TCPEXT_REQQFULLDOCOOKIES);
		strata_tcp_cookie_send(sn, req);
		strata_tcp_req_put(req);
		*why = SKB_CONSUMED;
		return NULL;
	}
	req->iss = isn ?: strata_tcp_isn(req->laddr, req->raddr, req->lport, req->rport);
	strata_tcp_syn_save(lsk, req, skb);
	child = fast_child(lsk, req, skb, &c);
	/* a copy of the SYN on another CPU has made it? */
	if (!child && (READ_ONCE(sn->conf.tcp_fastopen) & STRATA_FASTOPEN_SERVER) &&
	    strata_tcp_child_there(sn, skb)) {
		strata_tcp_req_put(req);
		*why = SKB_NOT_DROPPED_YET;
		return NULL;
	}
	if (!child && strata_tcp_req_add(req))
		strata_tcp_req_synack(sn, req, &c, (u32)div_u64(req->sent_us, USEC_PER_MSEC));
	strata_tcp_req_put(req);
	*why = SKB_CONSUMED;
	return child;
drop:
	strata_inc(sn, TCPEXT_LISTENDROPS);
	*why = SKB_DROP_REASON_NOT_SPECIFIED;
	return NULL;
}

static bool req_may_answer(const struct strata_net *sn, struct strata_tcp_req *req)
{
	u32 now = (u32)jiffies;

	if (req->last_oow && now - req->last_oow < READ_ONCE(sn->conf.tcp_invalid_ratelimit)) {
		strata_inc(sn, TCPEXT_ACKSKIPPEDSYNRECV);
		return false;
	}
	req->last_oow = now ?: 1;
	return true;
}

/*
 * The checks of SYN-RECEIVED that need no child (3.10.7.4 first to fifth). Returns
 * SKB_NOT_DROPPED_YET when a child is to be made.
 */
static enum skb_drop_reason req_check(struct strata_tcp_req *req, struct sk_buff *skb,
				      bool *reset)
{
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct strata_net *sn = req->sn;

	/* the SYN again: our SYN-ACK was lost */
	if ((seg->flags & (STRATA_TCP_SYN | STRATA_TCP_ACK | STRATA_TCP_RST)) == STRATA_TCP_SYN &&
	    seg->seq == req->irs) {
		if (req_may_answer(sn, req)) {
			req->again = true;	/* Karn: which one will be answered? */
			strata_tcp_req_synack_again(sn, req);
		}
		return SKB_CONSUMED;
	}
	/* 3.5.2: what acknowledges anything else is not of this connection */
	if ((seg->flags & (STRATA_TCP_ACK | STRATA_TCP_RST)) == STRATA_TCP_ACK &&
	    seg->ack != req->iss + 1) {
		*reset = true;
		return SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE;
	}
	/* PAWS, RFC 7323 5.3, but not for a RST (5.2), and first: the window */
	if (((req->opts.flags & seg->opts.flags & STRATA_OPT_TS) &&
	     !(seg->flags & STRATA_TCP_RST) && req->opts.tsval &&
	     (s32)(seg->opts.tsval - req->opts.tsval) < 0) ||
	    strata_wnd_check(seg->seq, seg->end_seq, req->irs + 1, req->rwnd.wnd) !=
	    STRATA_SEQ_OK) {
		if (!(seg->flags & STRATA_TCP_RST) && req_may_answer(sn, req))
			req_ack(sn, req);
		return SKB_DROP_REASON_TCP_OVERWINDOW;
	}
	/* what lies before the window is cut off: the old SYN that text or a FIN follow */
	if ((seg->flags & STRATA_TCP_SYN) && seg->seq == req->irs) {
		seg->flags &= ~STRATA_TCP_SYN;
		seg->seq++;
	}
	/* second: an exact RST ends it, any other is asked about (RFC 5961 3.2) */
	if ((seg->flags & STRATA_TCP_RST) && seg->seq != req->irs + 1) {
		if (req_may_answer(sn, req)) {
			strata_inc(sn, TCPEXT_CHALLENGEACK);
			req_ack(sn, req);
		}
		return SKB_DROP_REASON_TCP_RESET;
	}
	/* fourth: SYN in the window does too */
	if (seg->flags & (STRATA_TCP_RST | STRATA_TCP_SYN)) {
		if (seg->seq == req->irs + 1 && strata_tcp_req_remove(req))
			strata_inc(sn, TCPEXT_EMBRYONICRSTS);
		*reset = !(seg->flags & STRATA_TCP_RST);
		return SKB_DROP_REASON_TCP_RESET;
	}
	/* fifth */
	return seg->flags & STRATA_TCP_ACK ? SKB_NOT_DROPPED_YET : SKB_DROP_REASON_TCP_FLAGS;
}

/* TCP_DEFER_ACCEPT: a bare ACK does not wake the server */
static bool defer(const struct sock *lsk, const struct strata_tcp_req *req,
		  const struct strata_tcp_seg *seg)
{
	return READ_ONCE(strata_tcp_sk(lsk)->defer_accept) > req->sent &&
	       seg->end_seq == req->irs + 1;
}

/* the handshake's ACK is there */
static struct sock *req_complete(struct sock *lsk, struct strata_tcp_req *req,
				 struct sk_buff *skb, enum skb_drop_reason *why, bool *reset)
{
	struct strata_net *sn = strata_sk_net(lsk);
	struct sock *child;

	if (strata_tcp_accept_full(lsk)) {
		strata_inc(sn, TCPEXT_LISTENOVERFLOWS);
		strata_inc(sn, TCPEXT_LISTENDROPS);
		*why = SKB_DROP_REASON_NOT_SPECIFIED;
		req->acked = true;
		*reset = READ_ONCE(sn->conf.tcp_abort_on_overflow);
		if (*reset && !req->cookie)
			strata_tcp_req_remove(req);
		return NULL;
	}
	child = child_make(lsk, req, !req->cookie);
	if (child)
		return child;
	/*
	 * Was another CPU faster? Then the segment is for the child it has made, or, if a RST or
	 * the listener's end took the request away, for nobody.
	 */
	if (req->cookie ? strata_tcp_child_there(sn, skb) : strata_tcp_req_gone(req)) {
		*why = SKB_NOT_DROPPED_YET;
	} else {
		*why = SKB_DROP_REASON_NOMEM;
		strata_inc(sn, TCPEXT_LISTENDROPS);
	}
	return NULL;
}

/* a segment for a request that is there (3.10.7.4 for SYN-RECEIVED) */
static struct sock *req_rcv(struct sock *lsk, struct strata_tcp_req *req, struct sk_buff *skb,
			    enum skb_drop_reason *why, bool *reset)
{
	*why = req_check(req, skb, reset);
	if (*why != SKB_NOT_DROPPED_YET)
		return NULL;
	if (defer(lsk, req, STRATA_TCP_SEG(skb))) {
		req->acked = true;
		*why = SKB_CONSUMED;
		return NULL;
	}
	return req_complete(lsk, req, skb, why, reset);
}

/* an ACK for no request: does it bring a cookie? */
static struct sock *cookie_rcv(struct sock *lsk, struct strata_tcp_reqs *reqs,
			       struct sk_buff *skb, enum skb_drop_reason *why, bool *reset)
{
	struct strata_tcp_req *req = NULL;
	struct sock *child;

	/* the request may have become a connection since the caller looked for one */
	if (strata_tcp_child_there(strata_sk_net(lsk), skb)) {
		*why = SKB_NOT_DROPPED_YET;
		return NULL;
	}
	if (!(STRATA_TCP_SEG(skb)->flags & STRATA_TCP_SYN))
		req = cookie_req(lsk, reqs, skb);
	if (!req) {
		*reset = true;
		return NULL;
	}
	child = req_complete(lsk, req, skb, why, reset);
	strata_tcp_req_put(req);
	return child;
}

struct sock *strata_tcp_listen_rcv(struct sock *lsk, struct strata_tcp_req *req,
				   struct sk_buff *skb, u32 isn, enum skb_drop_reason *why,
				   bool *reset)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct strata_tcp_reqs *reqs;

	*reset = false;
	if (req)
		return req_rcv(lsk, req, skb, why, reset);
	*why = SKB_DROP_REASON_NO_SOCKET;
	reqs = rcu_dereference(strata_tcp_sk(lsk)->lst.reqs);
	if (!reqs || (seg->rcv.flags & (STRATA_RCV_BROADCAST | STRATA_RCV_MULTICAST)))
		return NULL;

	/* first: RST; second: ACK; third: SYN (3.10.7.2) */
	*why = SKB_DROP_REASON_TCP_FLAGS;
	if (seg->flags & STRATA_TCP_RST)
		return NULL;
	if (seg->flags & STRATA_TCP_ACK)
		return cookie_rcv(lsk, reqs, skb, why, reset);
	if ((seg->flags & (STRATA_TCP_SYN | STRATA_TCP_FIN)) == STRATA_TCP_SYN)
		return listen_syn(lsk, reqs, skb, isn, why);
	return NULL;
}

void strata_tcp_req_err(struct strata_tcp_req *req, u32 seq)
{
	/* it quotes our SYN-ACK (RFC 5927): nobody is there who could answer */
	if (seq == req->iss && strata_tcp_req_remove(req))
		strata_inc(req->sn, TCP_ATTEMPTFAILS);
}
