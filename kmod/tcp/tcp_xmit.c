// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building segments: the header of RFC 9293 3.1 with its options, the checksum left
 * to the device (CHECKSUM_PARTIAL), the marks that let the device or the kernel cut
 * a large segment (GSO), and down to IP.
 *
 * Three kinds leave here. strata_tcp_xmit_skb() sends an entry of the transmit
 * queues: the entry stays where it is, a clone of it gets the header. An entry whose
 * earlier clone is still below shares its headroom with it, so it is copied. ..._ctl()
 * sends a segment without payload for a socket. ..._bare() sends one for which there
 * is no full socket: SYN-ACK of a request, ACK of TIME-WAIT, RST.
 *
 * What leaves for a socket is owned by it (sock_wfree): sk_wmem_alloc counts the
 * bytes below TCP, which the small-queue limit of tcp_output.c reads, and the
 * destructor is the one that skb_segment() knows to hand on to the pieces.
 *
 * Nothing here decides whether to send; see tcp_output.c. RFC 9293 3.1, 3.5.2, 3.10.7.1;
 * RFC 7323 3.2; RFC 2018 4; RFC 3168 6.1.
 *
 * locking: the socket lock, but for the functions without a socket.
 */

#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/tcp_states.h>
#include "tcp_int.h"

/* The header on the wire; flags and data offset by octet, without bit fields */
struct strata_tcp_wire {
	__be16	sport;
	__be16	dport;
	__be32	seq;
	__be32	ack;
	u8	doff;		/* high nibble: header length in words */
	u8	flags;
	__be16	wnd;
	__sum16	check;
	__be16	urg;
};

/* what one segment says, host order */
struct xmit_hdr {
	u32	seq;
	u32	ack;
	u16	wnd;
	u16	urg;
	u8	flags;
	u8	ecn;		/* of IP's header */
};

/* push header and options in front of the payload; checksum of the pseudo-header */
static void push_header(struct sk_buff *skb, const struct strata_flow *fl,
			const struct xmit_hdr *h, const struct strata_tcp_opts_out *o)
{
	unsigned int optlen = strata_tcp_options_len(o);
	struct strata_tcp_wire *th;

	th = skb_push(skb, sizeof(*th) + optlen);
	skb_reset_transport_header(skb);
	th->sport = fl->sport;
	th->dport = fl->dport;
	th->seq = htonl(h->seq);
	th->ack = htonl(h->flags & STRATA_TCP_ACK ? h->ack : 0);
	th->doff = (sizeof(*th) + optlen) << 2;
	th->flags = h->flags;
	th->wnd = htons(h->wnd);
	th->urg = htons(h->urg);
	if (optlen)
		strata_tcp_build_options((u8 *)(th + 1), o);

	th->check = ~csum_tcpudp_magic(fl->saddr, fl->daddr, skb->len, IPPROTO_TCP, 0);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct strata_tcp_wire, check);
}

static void trace_fill(struct strata_trace_seg *t, const struct strata_flow *fl,
		       const struct xmit_hdr *h, const struct strata_tcp_opts_out *o,
		       u32 len, u8 wscale, u8 state)
{
	memset(t, 0, sizeof(*t));
	t->saddr = fl->saddr;
	t->daddr = fl->daddr;
	t->sport = ntohs(fl->sport);
	t->dport = ntohs(fl->dport);
	t->seq = h->seq;
	t->ack_seq = h->flags & STRATA_TCP_ACK ? h->ack : 0;
	t->len = len;
	t->wnd = (u32)h->wnd << wscale;
	t->flags = h->flags;
	t->tsval = o->flags & STRATA_OPT_TS ? o->tsval : 0;
	t->tsecr = o->flags & STRATA_OPT_TS ? o->tsecr : 0;
	t->mss = o->flags & STRATA_OPT_MSS ? o->mss : 0;
	t->wscale = o->flags & STRATA_OPT_WSCALE ? o->wscale : 255;
	t->sack_ok = !!(o->flags & STRATA_OPT_SACKOK);
	t->state = state;
}

static noinline void trace_sock(struct sock *sk, const struct strata_flow *fl,
				const struct xmit_hdr *h, const struct strata_tcp_opts_out *o,
				u32 len, bool again)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_trace_seg t;

	trace_fill(&t, fl, h, o, len, h->flags & STRATA_TCP_SYN ? 0 : tp->rwnd.wscale,
		   sk->sk_state);
	trace_strata_tcp_xmit(sk, &t);
	if (again)
		trace_strata_tcp_retransmit(sk, &t);
}

/* an ACK left: nothing is owed any more */
static void ack_sent(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (tp->ack.quick && tp->ack.quick != STRATA_QUICK_ALWAYS)
		tp->ack.quick--;
	if (tp->ack.pending & STRATA_ACK_TIMER)
		strata_tcp_delack_clear(sk);
	tp->ack.pending = 0;
	tp->ack.retry = 0;
	if (unlikely(tp->comp_acks))
		strata_tcp_compress_sent(sk);
}

/* @o: the option of every segment once it was agreed on (RFC 7323 3.2), and no other */
static void timestamp_opt(struct strata_tcp_sock *tp, struct strata_tcp_opts_out *o)
{
	memset(o, 0, offsetof(struct strata_tcp_opts_out, sack));
	if (tp->ts_ok) {
		o->flags = STRATA_OPT_TS;
		o->tsval = strata_tcp_tsval(tp);
		o->tsecr = tp->ts_recent;
	}
}

/* @o: the options of a segment after the handshake, with as many SACK blocks as fit */
static void established_opts(struct strata_tcp_sock *tp, struct strata_tcp_opts_out *o)
{
	timestamp_opt(tp, o);
	if (tp->sack_ok && (tp->sack_rcv.n || tp->sack_rcv.has_dup))
		o->nsack = strata_sack_rcv_fill(&tp->sack_rcv, o->sack,
						strata_tcp_sack_room(o->flags));
}

/*
 * RFC 3168 6.1: ECT on data sent for the first time, and CWR on the first such segment behind a
 * reduction (6.1.2, 6.1.5); never on what is sent again or carries no data (6.1.4)
 */
static void ecn_mark(struct strata_tcp_sock *tp, struct xmit_hdr *h, bool new_data)
{
	if (tp->ecn_echo)
		h->flags |= STRATA_TCP_ECE;
	if (new_data || strata_tcp_ecn_always(tp))
		h->ecn = INET_ECN_ECT_0;
	if (new_data && tp->rec.cwr_due)
		h->flags |= STRATA_TCP_CWR;
}

#define SYN_ACK	(STRATA_TCP_SYN | STRATA_TCP_ACK)

/* give @skb, data at the payload, header @h; consumed. 0 or -errno */
static int sock_xmit(struct sock *sk, struct sk_buff *skb, const struct xmit_hdr *h,
		     const struct strata_tcp_opts_out *o, bool again)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);
	unsigned int segs = max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
	struct strata_flow fl;
	u32 len = skb->len;
	int err;

	err = strata_path_renew(&tp->ep);
	if (err) {
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
		return err;
	}
	strata_sock_flow(&tp->ep, &fl);
	fl.ids = &tp->ep.ip_id;
	fl.tos |= h->ecn;
	push_header(skb, &fl, h, o);
	skb_set_owner_w(skb, sk);
	if (unlikely(strata_tcp_has_departure(sk)))
		strata_tcp_set_departure(sk, skb);
	if (trace_strata_tcp_xmit_enabled() || trace_strata_tcp_retransmit_enabled())
		trace_sock(sk, &fl, h, o, len, again);

	tp->segs_out += segs;
	/* RFC 4022: but those of retransmitted octets alone; a SYN-ACK each time, as native */
	if (!again || (h->flags & SYN_ACK) == SYN_ACK)
		strata_add(sn, TCP_OUTSEGS, segs);
	if (h->flags & STRATA_TCP_ACK)
		ack_sent(sk);
	return strata_ip_xmit(sn, &fl, &tp->ep.path, skb);
}

/* a private copy or clone of a queue entry, free of the queue's link */
static struct sk_buff *tx_clone(struct sk_buff *skb, gfp_t gfp)
{
	struct list_head link = skb->tcp_tsorted_anchor;
	struct sk_buff *clone;

	skb->_skb_refdst = 0;
	skb->destructor = NULL;
	clone = skb_cloned(skb) ? pskb_copy(skb, gfp) : skb_clone(skb, gfp);
	skb->tcp_tsorted_anchor = link;
	return clone;
}

static u16 urg_offset(const struct strata_tcp_sock *tp, u32 seq)
{
	u32 off = tp->snd.up - seq;

	if (likely(tp->snd.up == tp->snd.una) || (s32)off <= 0)
		return 0;
	return min_t(u32, off, 0xffff);
}

int strata_tcp_xmit_skb(struct sock *sk, struct sk_buff *skb, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	bool again = strata_seq_before(tx->seq, tp->snd.nxt);
	struct strata_tcp_opts_out o __uninitialized;
	struct sk_buff *clone;
	struct xmit_hdr h;
	u32 len = skb->len;
	int err;

	clone = tx_clone(skb, gfp);
	if (!clone)
		return -ENOMEM;	/* not -ENOBUFS: the network is not to blame */
	/* a FIN behind a full segment counts as one in pcount, but needs no cut */
	if (tx->pcount > 1 && len > tx->mss) {
		skb_shinfo(clone)->gso_size = tx->mss;
		skb_shinfo(clone)->gso_segs = DIV_ROUND_UP(len, tx->mss);
		skb_shinfo(clone)->gso_type = SKB_GSO_TCPV4;
	} else {
		skb_shinfo(clone)->gso_size = 0;
		skb_shinfo(clone)->gso_segs = 0;
		skb_shinfo(clone)->gso_type = 0;
	}
	established_opts(tp, &o);
	h.seq = tx->seq;
	h.flags = tx->flags | STRATA_TCP_ACK;
	h.ecn = 0;
	if (tp->ecn_ok)
		ecn_mark(tp, &h, !again && len);
	if ((h.flags & STRATA_TCP_CWR) && skb_shinfo(clone)->gso_size)
		skb_shinfo(clone)->gso_type |= SKB_GSO_TCP_ECN;
	h.urg = urg_offset(tp, tx->seq);
	if (h.urg)
		h.flags |= STRATA_TCP_URG;
	h.wnd = strata_tcp_select_window(sk);
	h.ack = tp->rcv.nxt;
	if (unlikely(skb_shinfo(clone)->tx_flags & SKBTX_ANY_TSTAMP))
		strata_tcp_tstamp_sent(tp, clone);
	err = sock_xmit(sk, clone, &h, &o, again);
	if (err)
		return err;
	if (h.flags & STRATA_TCP_CWR)
		tp->rec.cwr_due = false;
	/* a FIN alone is no data */
	if (len)
		tp->data_segs_out += tx->pcount;
	tp->bytes_sent += len;
	return 0;
}

static struct sk_buff *ctl_alloc(gfp_t gfp)
{
	struct sk_buff *skb = alloc_skb(STRATA_TCP_HEADROOM, gfp);

	if (skb)
		skb_reserve(skb, STRATA_TCP_HEADROOM);
	return skb;
}

int strata_tcp_xmit_prior_ack(struct sock *sk, u32 seq, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_opts_out o __uninitialized;
	struct xmit_hdr h = {
		.seq = seq, .ack = tp->ecn_prior_nxt, .ecn = INET_ECN_ECT_0,
		.flags = STRATA_TCP_ACK | (tp->ecn_ce ? 0 : STRATA_TCP_ECE),
	};
	struct sk_buff *skb = ctl_alloc(gfp);

	if (!skb)
		return -ENOBUFS;
	established_opts(tp, &o);
	h.wnd = strata_tcp_select_window(sk);
	return sock_xmit(sk, skb, &h, &o, false);
}

int strata_tcp_xmit_ctl(struct sock *sk, u32 seq, u8 flags, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_opts_out o __uninitialized;
	struct xmit_hdr h = { .seq = seq, .flags = flags };
	struct sk_buff *skb = ctl_alloc(gfp);

	if (!skb)
		return -ENOBUFS;
	established_opts(tp, &o);
	if (tp->ecn_ok && !(flags & STRATA_TCP_RST))
		ecn_mark(tp, &h, false);
	h.urg = urg_offset(tp, seq);
	if (h.urg && !(flags & STRATA_TCP_RST))
		h.flags |= STRATA_TCP_URG;
	h.wnd = strata_tcp_select_window(sk);
	h.ack = tp->rcv.nxt;
	return sock_xmit(sk, skb, &h, &o, false);
}

static void syn_opts(const struct sock *sk, struct strata_tcp_opts_out *o)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;
	bool first = sk->sk_state == TCP_SYN_SENT;

	memset(o, 0, offsetof(struct strata_tcp_opts_out, sack));
	o->flags = STRATA_OPT_MSS;
	o->mss = tp->rcv.adv_mss;
	if (tp->tfo.syn_now)
		strata_tcp_put_cookie(o, &tp->tfo.cookie);
	if (first ? READ_ONCE(conf->tcp_timestamps) : tp->ts_ok) {
		o->flags |= STRATA_OPT_TS;
		o->tsval = strata_tcp_tsval(tp);
		o->tsecr = tp->ts_recent;
	}
	if (first ? READ_ONCE(conf->tcp_sack) : tp->sack_ok)
		o->flags |= STRATA_OPT_SACKOK;
	if (first ? READ_ONCE(conf->tcp_window_scaling) : tp->wscale_ok) {
		o->flags |= STRATA_OPT_WSCALE;
		o->wscale = tp->rwnd.wscale;
	}
}

int strata_tcp_xmit_syn(struct sock *sk, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_opts_out o;
	struct xmit_hdr h = { .seq = tp->snd.iss, .flags = STRATA_TCP_SYN };
	struct sk_buff *skb, *data = NULL;
	int err;

	/* RFC 7413 4.2.1 */
	if (tp->tfo.syn_now && sk->sk_state == TCP_SYN_SENT)
		data = skb_peek(&sk->sk_write_queue);
	skb = data ? tx_clone(data, gfp) : ctl_alloc(gfp);
	if (!skb)
		return -ENOBUFS;
	syn_opts(sk, &o);
	if (sk->sk_state != TCP_SYN_SENT) {
		h.flags |= STRATA_TCP_ACK;
		h.ack = tp->rcv.nxt;
	}
	h.flags |= strata_tcp_ecn_syn(sk);
	/* not where the fallback asks for no ECN (RFC 3168 6.1.1.1) */
	if ((h.flags & STRATA_TCP_ECE) && strata_tcp_ecn_always(tp))
		h.ecn = INET_ECN_ECT_0;
	/* the window of a SYN is never scaled (RFC 7323 2.2) */
	h.wnd = min_t(u32, tp->rwnd.wnd, 0xffff);
	err = sock_xmit(sk, skb, &h, &o, tp->syn_retrans);
	if (data && !err) {
		tp->data_segs_out++;
		tp->bytes_sent += data->len;
	}
	return err;
}

void strata_tcp_send_active_reset(struct sock *sk, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct xmit_hdr h = { .seq = strata_tcp_ctl_seq(tp),
			      .flags = STRATA_TCP_RST | STRATA_TCP_ACK };
	struct strata_tcp_opts_out o;
	struct sk_buff *skb = ctl_alloc(gfp);

	if (!skb)
		return;
	strata_tcp_mstamp(tp);
	timestamp_opt(tp, &o);
	/* RFC 8257 3.6 */
	if (strata_tcp_ecn_always(tp))
		h.ecn = INET_ECN_ECT_0;
	h.ack = tp->rcv.nxt;
	strata_inc(strata_sk_net(sk), TCP_OUTRSTS);
	sock_xmit(sk, skb, &h, &o, false);
}

static noinline void trace_bare(const struct sock *sk, const struct strata_tcp_bare *seg,
				const struct xmit_hdr *h)
{
	struct strata_trace_seg t;

	trace_fill(&t, &seg->fl, h, &seg->opts, 0, 0, seg->state);
	trace_strata_tcp_xmit(sk, &t);
	if (seg->again)
		trace_strata_tcp_retransmit(sk, &t);
}

static void bare_xmit(struct strata_net *sn, const struct sock *sk, struct strata_tcp_bare *seg)
{
	struct xmit_hdr h = {
		.seq = seg->seq, .ack = seg->ack, .wnd = seg->wnd, .flags = seg->flags,
	};
	struct sk_buff *skb = ctl_alloc(GFP_ATOMIC);

	if (!skb)
		return;
	seg->fl.proto = IPPROTO_TCP;
	if (trace_strata_tcp_xmit_enabled() || trace_strata_tcp_retransmit_enabled())
		trace_bare(sk, seg, &h);
	push_header(skb, &seg->fl, &h, &seg->opts);
	if (unlikely(seg->tx_delay))
		skb_set_delivery_time(skb, ktime_add_us(ktime_get(), seg->tx_delay),
				      SKB_CLOCK_MONOTONIC);
	strata_inc(sn, TCP_OUTSEGS);
	if (seg->path && !strata_path_stale(sn, seg->path))
		strata_ip_xmit(sn, &seg->fl, seg->path, skb);
	else
		strata_ip_reply(sn, &seg->fl, skb);
}

void strata_tcp_xmit_bare(struct strata_net *sn, struct strata_tcp_bare *seg)
{
	bare_xmit(sn, NULL, seg);
}

void strata_tcp_xmit_reset(const struct sock *sk, struct sk_buff *skb,
			   struct strata_tcp_bare *seg)
{
	const struct strata_tcp_seg *in = STRATA_TCP_SEG(skb);
	const struct strata_tcp_wire *th = (void *)skb_transport_header(skb);
	const struct iphdr *iph = ip_hdr(skb);
	struct strata_net *sn;

	if (in->flags & STRATA_TCP_RST)
		return;
	if (in->rcv.flags & (STRATA_RCV_BROADCAST | STRATA_RCV_MULTICAST))
		return;
	sn = sk ? strata_sk_net(sk) : strata_net(dev_net(skb->dev));
	seg->fl.saddr = iph->daddr;
	seg->fl.daddr = iph->saddr;
	seg->fl.sport = th->dport;
	seg->fl.dport = th->sport;
	/* the class of what it answers, as native; ECN was agreed on for no RST (RFC 3168 6.1.1) */
	seg->fl.tos = iph->tos & ~INET_ECN_MASK;
	seg->fl.df = true;
	seg->state = sk && sk->sk_state != TCP_LISTEN ? sk->sk_state : TCP_CLOSE;
	if (in->flags & STRATA_TCP_ACK) {
		seg->seq = in->ack;
		seg->flags = STRATA_TCP_RST;
	} else {
		seg->ack = in->end_seq;
		seg->flags = STRATA_TCP_RST | STRATA_TCP_ACK;
	}
	strata_inc(sn, TCP_OUTRSTS);
	bare_xmit(sn, sk, seg);
}

void strata_tcp_send_reset(const struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_bare seg = { };

	if (sk) {
		seg.fl.oif = READ_ONCE(sk->sk_bound_dev_if);
		seg.fl.mark = READ_ONCE(sk->sk_mark);
		seg.tx_delay = READ_ONCE(strata_tcp_sk(sk)->tx_delay);
	}
	strata_tcp_xmit_reset(sk, skb, &seg);
}
