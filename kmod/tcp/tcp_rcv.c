// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments and ICMP errors from IP.
 *
 * strata_tcp_rcv() checks header and checksum, parses the segment once into
 * struct strata_tcp_seg (skb->cb) and finds whom it is for: a connection, an object
 * in TIME-WAIT, a listener, or nobody (RST, RFC 9293 3.10.7.1). A connection's segment is
 * processed under the socket lock, or waits in the backlog while the user holds it.
 * strata_tcp_do_rcv() is where both ways meet: state machine, reply, and one call of
 * strata_tcp_output().
 *
 * What has come from farther than a socket allows (IP_MINTTL, RFC 5082) is dropped before
 * anything else is looked at; the listener's bound holds for its half-open requests.
 *
 * strata_tcp_err() believes an ICMP error only if it quotes a sequence number that is
 * in flight (RFC 5927 4.1). It ends a connection that is being opened; later it is
 * only remembered (RFC 1122 4.2.3.9, RFC 5461), but for fragmentation-needed, which
 * lowers the path MTU and sends again what was too large (RFC 1191 6.4).
 *
 * locking: RCU and BH off from below; takes the socket lock.
 */

#include <linux/filter.h>
#include <net/busy_poll.h>
#include <net/ip.h>
#include "tcp_req.h"

#define TCP_MIN_HDR	20

/* the end of a segment, of @sk or NULL: the layer's only drop */
static void segment_end(struct strata_net *sn, struct sock *sk, struct sk_buff *skb,
			enum skb_drop_reason why)
{
	switch (why) {
	case SKB_NOT_DROPPED_YET:
	case SKB_CONSUMED:
		consume_skb(skb);
		return;
	case SKB_DROP_REASON_TCP_CSUM:
		strata_inc(sn, TCP_INCSUMERRORS);
		fallthrough;
	case SKB_DROP_REASON_PKT_TOO_SMALL:
	case SKB_DROP_REASON_HDR_TRUNC:
		strata_inc(sn, TCP_INERRS);
		break;
	default:
		break;
	}
	if (sk)
		sk_drops_add(sk, skb);
	strata_drop(skb, STRATA_LAYER_TCP, why);
}

/* checks and parses; the header is linear and skb->cb filled on success */
static enum skb_drop_reason segment_parse(struct sk_buff *skb)
{
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	const u8 *th;
	unsigned int hdrlen;

	if (!pskb_may_pull(skb, TCP_MIN_HDR))
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	hdrlen = (skb->data[12] >> 4) * 4;
	if (hdrlen < TCP_MIN_HDR)
		return SKB_DROP_REASON_HDR_TRUNC;
	if (!pskb_may_pull(skb, hdrlen))
		return SKB_DROP_REASON_HDR_TRUNC;
	if (skb_checksum_validate(skb, IPPROTO_TCP, inet_compute_pseudo))
		return SKB_DROP_REASON_TCP_CSUM;

	skb_reset_transport_header(skb);
	th = skb->data;
	seg->hdrlen = hdrlen;
	seg->flags = th[13];
	seg->seq = get_unaligned_be32(th + 4);
	seg->ack = get_unaligned_be32(th + 8);
	seg->wnd = get_unaligned_be16(th + 14);
	seg->urg = get_unaligned_be16(th + 18);
	seg->ecn = ip_hdr(skb)->tos & 3;
	seg->end_seq = seg->seq + skb->len - hdrlen + !!(seg->flags & STRATA_TCP_SYN) +
		       !!(seg->flags & STRATA_TCP_FIN);
	strata_tcp_parse_options(th, hdrlen, seg->flags & STRATA_TCP_SYN, &seg->opts);
	return SKB_NOT_DROPPED_YET;
}

/* by how much the peer's windows are scaled */
static u8 peer_wscale(const struct sock *sk, const struct strata_tcp_req *req)
{
	if (req)
		return req->opts.flags & STRATA_OPT_WSCALE ? req->opts.wscale : 0;
	if (!sk || READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return 0;
	return strata_tcp_sk(sk)->swnd.wscale;
}

void strata_tcp_trace_rcv(const struct sock *sk, const struct strata_tcp_req *req, u8 state,
			  const struct sk_buff *skb)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	const struct iphdr *iph = ip_hdr(skb);
	const __be16 *ports = (const void *)skb_transport_header(skb);
	struct strata_trace_seg t = {
		.saddr = iph->daddr, .daddr = iph->saddr,
		.sport = ntohs(ports[1]), .dport = ntohs(ports[0]),
		.seq = seg->seq, .ack_seq = seg->flags & STRATA_TCP_ACK ? seg->ack : 0,
		.len = skb->len - seg->hdrlen, .wnd = seg->wnd, .flags = seg->flags,
		.wscale = 255, .state = state,
	};

	if (!(seg->flags & STRATA_TCP_SYN))
		t.wnd <<= peer_wscale(sk, req);
	if (seg->opts.flags & STRATA_OPT_TS) {
		t.tsval = seg->opts.tsval;
		t.tsecr = seg->opts.tsecr;
	}
	if (seg->opts.flags & STRATA_OPT_MSS)
		t.mss = seg->opts.mss;
	if (seg->opts.flags & STRATA_OPT_WSCALE)
		t.wscale = seg->opts.wscale;
	t.sack_ok = !!(seg->opts.flags & STRATA_OPT_SACKOK);
	trace_strata_tcp_rcv(sk, &t);
}

static void trace_rcv(const struct sock *sk, const struct strata_tcp_req *req,
		      const struct sk_buff *skb)
{
	u8 state = sk ? READ_ONCE(sk->sk_state) : TCP_CLOSE;

	strata_tcp_trace_rcv(sk, req, req ? TCP_SYN_RECV : state, skb);
}

/* @backlog: the user owns the socket, and has come to release it */
static __always_inline int do_rcv(struct sock *sk, struct sk_buff *skb, bool backlog)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);
	bool eaten = false, reset = false;
	enum skb_drop_reason why;

	strata_tcp_mstamp(tp);
	why = strata_tcp_segment(sk, skb, &eaten, &reset);
	if (reset)
		strata_tcp_send_reset(sk, skb);
	if (!eaten)
		segment_end(sn, sk, skb, why);
	if (backlog)
		strata_tcp_output_backlog(sk);
	else if (tp->todo)
		strata_tcp_output_now(sk);
	if (tp->tw_pending) {
		tp->tw_pending = 0;
		strata_tcp_time_wait(sk, TCP_TIME_WAIT, STRATA_TCP_TIMEWAIT_LEN);
	}
	return 0;
}

int strata_tcp_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	return do_rcv(sk, skb, false);
}

int strata_tcp_backlog_rcv(struct sock *sk, struct sk_buff *skb)
{
	return do_rcv(sk, skb, true);
}

/* may @skb be merged behind @tail: plain data that says the same about everything else? */
static bool backlog_mergeable(const struct sk_buff *tail, const struct sk_buff *skb)
{
	const struct strata_tcp_seg *a = STRATA_TCP_SEG(tail), *b = STRATA_TCP_SEG(skb);
	const u8 plain = STRATA_TCP_ACK | STRATA_TCP_PSH;

	return a->end_seq == b->seq && tail->len > a->hdrlen && skb->len > b->hdrlen &&
	       !((a->flags | b->flags) & ~plain) && (a->flags & b->flags & STRATA_TCP_ACK) &&
	       a->ecn == b->ecn && a->opts.flags == b->opts.flags &&
	       !a->opts.nsack && !b->opts.nsack &&
	       a->opts.tsval == b->opts.tsval && a->opts.tsecr == b->opts.tsecr;
}

/* @to counts as the segments it has become, and is as large as its largest */
static void backlog_merged(struct sk_buff *to, struct sk_buff *from, unsigned int to_len,
			   unsigned int from_len)
{
	struct skb_shared_info *a = skb_shinfo(to);
	const struct skb_shared_info *b = skb_shinfo(from);
	u32 segs = max_t(u16, a->gso_segs, 1) + max_t(u16, b->gso_segs, 1);

	a->gso_size = max(a->gso_size ?: to_len, b->gso_size ?: from_len);
	a->gso_segs = min(segs, U16_MAX);
	/* both of the last octet, as strata_tcp_coalesce() */
	if (from->tstamp || skb_hwtstamps(from)->hwtstamp) {
		to->tstamp = from->tstamp;
		*skb_hwtstamps(to) = *skb_hwtstamps(from);
	}
}

/* the user holds the socket: wait for release_sock(). True if @skb found room */
static bool backlog_add(struct sock *sk, struct sk_buff *skb)
{
	u64 limit = (u64)READ_ONCE(sk->sk_rcvbuf) + READ_ONCE(sk->sk_sndbuf) + 64 * 1024;
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct sk_buff *tail = sk->sk_backlog.tail;
	struct strata_net *sn = strata_sk_net(sk);
	bool stolen;
	int delta;

	if (tail && backlog_mergeable(tail, skb)) {
		struct strata_tcp_seg *to = STRATA_TCP_SEG(tail);

		unsigned int len = tail->len - to->hdrlen;

		__skb_pull(skb, seg->hdrlen);
		if (skb_try_coalesce(tail, skb, &stolen, &delta)) {
			backlog_merged(tail, skb, len, seg->end_seq - seg->seq);
			to->end_seq = seg->end_seq;
			to->flags |= seg->flags;
			if (strata_seq_geq(seg->ack, to->ack)) {
				to->ack = seg->ack;
				to->wnd = seg->wnd;
			}
			sk->sk_backlog.len += delta;
			strata_inc(sn, TCPEXT_BACKLOGCOALESCE);
			kfree_skb_partial(skb, stolen);
			return true;
		}
		__skb_push(skb, seg->hdrlen);
	}
	if (!sk_add_backlog(sk, skb, min_t(u64, limit, UINT_MAX)))
		return true;
	strata_inc(sn, TCPEXT_BACKLOGDROP);
	return false;
}

static noinline bool ttl_too_low(const struct sock *sk, const struct iphdr *iph)
{
	if (iph->ttl >= READ_ONCE(strata_sk(sk)->min_ttl))
		return false;
	strata_inc(strata_sk_net(sk), TCPEXT_MINTTLDROP);
	return true;
}

/* has the packet with this header, ours or for us, fewer hops left than @sk demands? Counted */
static __always_inline bool below_min_ttl(const struct sock *sk, const struct iphdr *iph)
{
	return static_branch_unlikely(&strata_ip_min_ttl_used) && ttl_too_low(sk, iph);
}

/* a segment for a connection; @skb stays the caller's unless SKB_CONSUMED is returned */
static enum skb_drop_reason rcv_sock(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	unsigned int len = skb->len;
	bool queued = true;

	if (below_min_ttl(sk, ip_hdr(skb))) {
		sk_drops_add(sk, skb);
		return SKB_DROP_REASON_TCP_MINTTL;
	}
	if (sk_filter_trim_cap(sk, skb, seg->hdrlen)) {
		sk_drops_add(sk, skb);
		return SKB_DROP_REASON_SOCKET_FILTER;
	}
	seg->end_seq -= len - skb->len;		/* a filter may cut the payload */
	sk_mark_napi_id(sk, skb);
	sk_incoming_cpu_update(sk);
	/* the queues' tree node lies over the device pointer */
	skb->dev = NULL;

	bh_lock_sock_nested(sk);
	strata_tcp_sk(sk)->segs_in += max_t(u16, 1, skb_shinfo(skb)->gso_segs);
	if (!sock_owned_by_user(sk))
		strata_tcp_do_rcv(sk, skb);
	else
		queued = backlog_add(sk, skb);
	bh_unlock_sock(sk);
	if (likely(queued))
		return SKB_CONSUMED;
	sk_drops_add(sk, skb);
	return SKB_DROP_REASON_SOCKET_BACKLOG;
}

/* the listener that @skb, which no connection takes, is for; *@req: the request, counted */
static struct sock *listener_of(struct strata_net *sn, struct sk_buff *skb,
				struct strata_tcp_req **req)
{
	const __be16 *ports = (const void *)skb_transport_header(skb);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	const struct iphdr *iph = ip_hdr(skb);

	*req = strata_tcp_lookup_req(sn, seg->hash, iph->daddr, ports[1], iph->saddr, ports[0],
				     seg->rcv.iif);
	/* whoever else may listen by now: it is the one that has the peer's SYN */
	if (*req)
		return (*req)->reqs->lsk;
	return strata_tcp_lookup_listen(sn, iph->daddr, ports[1], iph->saddr, ports[0],
					seg->rcv.iif, skb);
}

/*
 * a segment for a listener, or for nobody; SKB_NOT_DROPPED_YET: look again whom it is for. @req:
 * the one of @lsk's it is for, or NULL
 */
static enum skb_drop_reason rcv_listener(struct strata_net *sn, struct sock *lsk,
					 struct strata_tcp_req *req, struct sk_buff *skb, u32 isn)
{
	enum skb_drop_reason why = SKB_DROP_REASON_NO_SOCKET;
	unsigned int len = skb->len;
	struct sock *child;
	bool reset = true;

	if (lsk) {
		if (below_min_ttl(lsk, ip_hdr(skb))) {
			sk_drops_add(lsk, skb);
			return SKB_DROP_REASON_TCP_MINTTL;
		}
		if (sk_filter_trim_cap(lsk, skb, STRATA_TCP_SEG(skb)->hdrlen))
			return SKB_DROP_REASON_SOCKET_FILTER;
		STRATA_TCP_SEG(skb)->end_seq -= len - skb->len;
		reset = false;
		child = strata_tcp_listen_rcv(lsk, req, skb, isn, &why, &reset);
		if (child) {
			__acquire(&child->sk_lock.slock);	/* comes locked */
			skb->dev = NULL;
			strata_tcp_do_rcv(child, skb);
			strata_tcp_child_check(child);
			bh_unlock_sock(child);
			sock_put(child);
			return SKB_CONSUMED;
		}
		if (why == SKB_NOT_DROPPED_YET)
			return why;
	}
	if (!lsk && strata_tcp_child_there(sn, skb))
		return SKB_NOT_DROPPED_YET;
	if (reset)
		strata_tcp_send_reset(lsk, skb);
	segment_end(sn, NULL, skb, why);
	return SKB_CONSUMED;
}

static enum skb_drop_reason rcv_listen(struct strata_net *sn, struct sk_buff *skb, u32 isn)
{
	enum skb_drop_reason why;
	struct strata_tcp_req *req;
	struct sock *lsk;

	lsk = listener_of(sn, skb, &req);
	if (trace_strata_tcp_rcv_enabled())
		trace_rcv(lsk, req, skb);
	why = rcv_listener(sn, lsk, req, skb, isn);
	if (req)
		strata_tcp_req_put(req);
	return why;
}

/*
 * find whom it is for; SKB_CONSUMED, or why it stays the caller's to drop (SKB_NOT_DROPPED_YET: a
 * connection came into being meanwhile)
 */
static enum skb_drop_reason rcv_lookup(struct strata_net *sn, struct sk_buff *skb)
{
	const __be16 *ports = (const void *)skb_transport_header(skb);
	const struct iphdr *iph = ip_hdr(skb);
	int iif = STRATA_TCP_SEG(skb)->rcv.iif;
	enum skb_drop_reason why;
	struct strata_tcp_tw *tw;
	struct sock *sk;
	u32 isn = 0;

	sk = strata_tcp_lookup_skb(sn, skb);
	if (likely(sk)) {
		if (trace_strata_tcp_rcv_enabled())
			trace_rcv(sk, NULL, skb);
		why = rcv_sock(sk, skb);
		sock_put(sk);
		return why;
	}
	/* pairs with the bucket's lock: who leaves the sockets is in TIME-WAIT before */
	smp_rmb();
	tw = strata_tcp_tw_lookup(sn, STRATA_TCP_SEG(skb)->hash, iph->daddr, ports[1], iph->saddr,
				  ports[0], iif);
	if (tw) {
		enum strata_tcp_tw_verdict verdict;

		sk = strata_tcp_lookup_listen(sn, iph->daddr, ports[1], iph->saddr, ports[0], iif,
					      skb);
		verdict = strata_tcp_tw_rcv(tw, skb, sk ? &isn : NULL);
		strata_tcp_tw_put(tw);
		if (verdict != STRATA_TW_SYN)
			return SKB_DROP_REASON_TCP_CLOSE;
	}
	return rcv_listen(sn, skb, isn);
}

void strata_tcp_rcv(struct strata_net *sn, struct sk_buff *skb)
{
	enum skb_drop_reason why;

	strata_inc(sn, TCP_INSEGS);
	if (STRATA_RCV_CB(skb)->flags & (STRATA_RCV_BROADCAST | STRATA_RCV_MULTICAST))
		why = SKB_DROP_REASON_OTHERHOST;
	else
		why = segment_parse(skb);
	while (why == SKB_NOT_DROPPED_YET)
		why = rcv_lookup(sn, skb);
	if (why != SKB_CONSUMED)
		segment_end(sn, NULL, skb, why);
}

/* the SYN with its data did not pass, for its size alone: again without; no sign of congestion */
static void syn_too_large(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	strata_tcp_mstamp(tp);
	WRITE_ONCE(tp->scb.total_retrans, tp->scb.total_retrans + 1);
	strata_inc(strata_sk_net(sk), TCP_RETRANSSEGS);
	/* the answer to the first may be on its way all the same */
	tp->retrans_start_us = tp->syn_us;
	tp->todo |= STRATA_TODO_SYN;
	strata_tcp_output(sk);
}

/* RFC 1191 6.4: the MSS follows, and what was too large goes again. Locked */
void strata_tcp_path_changed(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 mss = tp->snd.mss, pmtu = tp->pmtu;

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	if (strata_path_renew(&tp->ep))
		return;
	if (strata_tcp_fastopen_too_large(sk, strata_ip_mtu(&tp->ep.path)))
		syn_too_large(sk);
	/* the MSS stays where only a probe (RFC 4821) was too large */
	if (strata_tcp_sync_mss(sk, strata_ip_mtu(&tp->ep.path)) >= mss && tp->pmtu >= pmtu)
		return;
	strata_tcp_mstamp(tp);
	strata_tcp_pmtu_lowered(sk);
	strata_tcp_output(sk);
}

static void err_frag_needed(struct sock *sk, u32 mtu)
{
	struct strata_sock *ep = strata_sk(sk);

	if (ep->pmtudisc == IP_PMTUDISC_DONT || !strata_sock_takes_pmtu(ep))
		return;
	strata_ip_update_pmtu(ep, ep->raddr, mtu);
	if (sock_owned_by_user(sk))
		strata_tcp_defer(sk, STRATA_DEFER_PMTU);
	else
		strata_tcp_path_changed(sk);
}

/* an error about the segment in flight at @seq. Locked by BH */
static void err_sock(struct sock *sk, struct sk_buff *skb, u32 seq, u8 type, u8 code, u32 info)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool fatal;
	int err;

	if (type == ICMP_SOURCE_QUENCH)		/* RFC 6633 */
		return;
	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) {
		err_frag_needed(sk, info);
		return;
	}
	err = strata_icmp_errno(type, code, &fatal);
	if (sock_owned_by_user(sk)) {
		tp->soft_err = err;
		return;
	}
	if (type == ICMP_DEST_UNREACH && (code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH) &&
	    !strata_tcp_fastopen_pending(tp))
		strata_tcp_backoff_revert(sk, seq);
	/* Fast Open's child that has been accepted is as good as connected, as native */
	if (sk->sk_state == TCP_SYN_SENT ||
	    (sk->sk_state == TCP_SYN_RECV &&
	     !(strata_tcp_fastopen_pending(tp) && sk->sk_socket))) {
		if (tp->ep.recverr)
			strata_ip_queue_error(sk, skb, err, type, code, info, tp->ep.rport,
					      ((struct iphdr *)skb->data)->ihl * 4);
		strata_tcp_fail(sk, err);
	} else if (tp->ep.recverr) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
	} else {
		tp->soft_err = err;
	}
}

/* @iph: of the segment that is quoted */
static bool err_believable(const struct sock *sk, const struct iphdr *iph, u32 seq)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (sk->sk_state == TCP_CLOSE || below_min_ttl(sk, iph))
		return false;
	return strata_seq_between(seq, strata_tcp_fastopen_pending(tp) ? tp->snd.iss : tp->snd.una,
				  tp->snd.nxt);
}

/* the errors that end a half-open request: nobody is there who could answer, as native */
static bool err_ends_request(u8 type, u8 code)
{
	return type == ICMP_PARAMETERPROB || type == ICMP_TIME_EXCEEDED ||
	       (type == ICMP_DEST_UNREACH &&
		(code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH));
}

/* an error about a segment of no connection. 0, or -ENOENT: nobody knows of it */
static int err_half_open(struct strata_net *sn, const struct iphdr *iph, const __be16 *ports,
			 int iif, u32 seq, bool ends)
{
	u32 hash = strata_tcp_hashfn(sn, iph->saddr, ports[0], iph->daddr, ports[1]);
	struct strata_tcp_req *req;
	struct strata_tcp_tw *tw;

	req = strata_tcp_lookup_req(sn, hash, iph->saddr, ports[0], iph->daddr, ports[1], iif);
	if (req) {
		if (ends && !below_min_ttl(req->reqs->lsk, iph))
			strata_tcp_req_err(req, seq);
		strata_tcp_req_put(req);
		return 0;
	}
	tw = strata_tcp_tw_lookup(sn, hash, iph->saddr, ports[0], iph->daddr, ports[1], iif);
	if (!tw)
		return -ENOENT;
	strata_tcp_tw_put(tw);
	return 0;
}

int strata_tcp_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	struct strata_net *sn = strata_net(dev_net(skb->dev));
	const struct iphdr *iph = (const void *)skb->data;
	const u8 *th = skb->data + iph->ihl * 4;
	const __be16 *ports = (const void *)th;
	u32 seq = get_unaligned_be32(th + 4);
	int iif = skb->dev->ifindex;
	struct sock *sk;

	sk = strata_tcp_lookup_est(sn, iph->saddr, ports[0], iph->daddr, ports[1], iif);
	if (!sk)
		return err_half_open(sn, iph, ports, iif, seq, err_ends_request(type, code));
	bh_lock_sock(sk);
	if (err_believable(sk, iph, seq))
		err_sock(sk, skb, seq, type, code, info);
	bh_unlock_sock(sk);
	sock_put(sk);
	return 0;
}
