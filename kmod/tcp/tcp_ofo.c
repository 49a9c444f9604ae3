// SPDX-License-Identifier: GPL-2.0-only
/*
 * The out-of-order queue: segments inside the window but beyond a hole, in a tree by
 * sequence number, without overlap of whole skbs (a partial overlap stays, the reader's
 * position resolves it). They are acknowledged by SACK (RFC 2018) and may be forgotten
 * again under memory pressure, the highest first, as RFC 2018 8 allows.
 *
 * Entries are charged to sk_rmem_alloc. tp->ofo_last is the entry with the highest
 * sequence number, where most arrivals belong.
 *
 * locking: the socket lock.
 */

#include "tcp_int.h"

/* SACK blocks that an ACK has room for in any case, beside a timestamp and a D-SACK */
#define BLOCKS_EXPECTED	2

static struct strata_tcp_seg *seg_of(const struct rb_node *node)
{
	return STRATA_TCP_SEG(rb_to_skb(node));
}

static void ofo_erase(struct strata_tcp_sock *tp, struct sk_buff *skb)
{
	if (tp->ofo_last == skb)
		tp->ofo_last = skb_rb_prev(skb);
	rb_erase(&skb->rbnode, &tp->ofo);
}

/* a copy of what the queue has: report and count it, and free it */
static void ofo_drop(struct sock *sk, struct sk_buff *skb)
{
	sk_drops_add(sk, skb);
	strata_drop(skb, STRATA_LAYER_TCP, SKB_DROP_REASON_TCP_OFOMERGE);
	strata_inc(strata_sk_net(sk), TCPEXT_OFOMERGE);
}

/* what lies behind @skb and inside it is superseded */
static void merge_right(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 end = STRATA_TCP_SEG(skb)->end_seq;
	struct sk_buff *next;

	while ((next = skb_rb_next(skb))) {
		const struct strata_tcp_seg *n = STRATA_TCP_SEG(next);

		if (strata_seq_leq(end, n->seq))
			break;
		if (strata_seq_before(end, n->end_seq)) {
			strata_tcp_rcv_dup(sk, n->seq, end);
			break;
		}
		strata_tcp_rcv_dup(sk, n->seq, n->end_seq);
		ofo_erase(tp, next);
		ofo_drop(sk, next);
	}
	if (!next)
		tp->ofo_last = skb;
}

static void ofo_link(struct sock *sk, struct sk_buff *skb, struct rb_node *parent,
		     struct rb_node **p)
{
	skb_set_owner_r(skb, sk);
	rb_link_node(&skb->rbnode, parent, p);
	rb_insert_color(&skb->rbnode, &strata_tcp_sk(sk)->ofo);
}

/* the entry that now holds @skb, or NULL: it was a copy and stays the caller's */
static struct sk_buff *ofo_insert(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	struct rb_node **p = &tp->ofo.rb_node, *parent = NULL;

	if (tp->ofo_last) {
		if (strata_tcp_coalesce(sk, tp->ofo_last, skb))
			return tp->ofo_last;
		if (strata_seq_geq(seg->seq, STRATA_TCP_SEG(tp->ofo_last)->end_seq)) {
			parent = &tp->ofo_last->rbnode;
			p = &parent->rb_right;
		}
	}
	while (*p) {
		const struct strata_tcp_seg *at;

		parent = *p;
		at = seg_of(parent);
		if (strata_seq_before(seg->seq, at->seq)) {
			p = &parent->rb_left;
			continue;
		}
		if (strata_seq_before(seg->seq, at->end_seq)) {
			if (strata_seq_leq(seg->end_seq, at->end_seq)) {
				strata_tcp_rcv_dup(sk, seg->seq, seg->end_seq);
				return NULL;
			}
			if (seg->seq == at->seq) {
				struct sk_buff *old = rb_to_skb(parent);

				strata_tcp_rcv_dup(sk, at->seq, at->end_seq);
				skb_set_owner_r(skb, sk);
				rb_replace_node(parent, &skb->rbnode, &tp->ofo);
				if (tp->ofo_last == old)
					tp->ofo_last = skb;
				ofo_drop(sk, old);
				return skb;
			}
			strata_tcp_rcv_dup(sk, seg->seq, at->end_seq);
		} else if (strata_tcp_coalesce(sk, rb_to_skb(parent), skb)) {
			return rb_to_skb(parent);
		}
		p = &parent->rb_right;
	}
	ofo_link(sk, skb, parent, p);
	return skb;
}

/*
 * [@start, @end) waits now, and is the first block of the next ACK. If the one before named others,
 * and this one has moved what it would have named to where there may be no room for it, that ACK
 * cannot wait
 */
static void ofo_report(struct strata_tcp_sock *tp, u32 start, u32 end)
{
	u32 first = tp->sack_rcv.block[0].start;

	strata_sack_rcv_add(&tp->sack_rcv, start, end);
	if (tp->sack_rcv.n > BLOCKS_EXPECTED && tp->sack_rcv.block[0].start != first)
		tp->ack.pending |= STRATA_ACK_NOW;
}

enum skb_drop_reason strata_tcp_ofo_add(struct sock *sk, struct sk_buff *skb, bool *eaten)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net *sn = strata_sk_net(sk);
	u32 len = skb->len, truesize = skb->truesize;
	const struct strata_tcp_seg *seg;

	if (!strata_tcp_rmem_ok(sk, skb)) {
		strata_inc(sn, TCPEXT_OFODROP);
		tp->ack.pending |= STRATA_ACK_SCHED | STRATA_ACK_NOW;
		sk->sk_data_ready(sk);
		return SKB_DROP_REASON_PROTO_MEM;
	}
	if (tp->ecn_ok)
		strata_tcp_ecn_data(tp, STRATA_TCP_SEG(skb));
	tp->ack.pending |= STRATA_ACK_SCHED;
	tp->rcv_ooopack += max_t(u16, 1, skb_shinfo(skb)->gso_segs);
	strata_inc(sn, TCPEXT_OFOQUEUE);
	skb = ofo_insert(sk, skb);
	if (!skb) {
		strata_inc(sn, TCPEXT_OFOMERGE);
		return SKB_DROP_REASON_TCP_OFOMERGE;
	}
	*eaten = true;
	merge_right(sk, skb);
	if (tp->sack_ok) {
		seg = STRATA_TCP_SEG(skb);
		ofo_report(tp, seg->seq, seg->end_seq);
		/*
		 * What waits behind a hole fills the peer's window, not the network: it must be
		 * able to send new data for as long as the repair takes (RFC 6675 5). Without
		 * SACK a window that moves would keep it from counting duplicates (RFC 5681 2)
		 */
		strata_tcp_grow_window(sk, len, truesize);
	}
	return SKB_NOT_DROPPED_YET;
}

bool strata_tcp_ofo_drain(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_rb_first(&tp->ofo))) {
		const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
		bool fin = seg->flags & STRATA_TCP_FIN;

		if (strata_seq_after(seg->seq, tp->rcv.nxt))
			return false;
		if (strata_seq_before(seg->seq, tp->rcv.nxt))
			strata_tcp_rcv_dup(sk, seg->seq,
					   strata_seq_before(seg->end_seq, tp->rcv.nxt) ?
					   seg->end_seq : tp->rcv.nxt);
		ofo_erase(tp, skb);
		if (strata_seq_leq(seg->end_seq, tp->rcv.nxt)) {
			ofo_drop(sk, skb);
			continue;
		}
		strata_tcp_rcv_append(sk, skb);
		if (fin)
			return true;
	}
	return false;
}

bool strata_tcp_ofo_prune(struct sock *sk, const struct sk_buff *for_skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 seq = STRATA_TCP_SEG(for_skb)->seq;
	int goal = READ_ONCE(sk->sk_rcvbuf) >> 3;
	struct sk_buff *skb;
	bool freed = false;

	while ((skb = tp->ofo_last)) {
		const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);

		/* not for one that lies further out itself */
		if (strata_seq_after(seq, seg->seq))
			break;
		goal -= skb->truesize;
		strata_sack_rcv_prune(&tp->sack_rcv, seg->seq, seg->end_seq);
		ofo_erase(tp, skb);
		sk_drops_add(sk, skb);
		strata_drop(skb, STRATA_LAYER_TCP, SKB_DROP_REASON_PROTO_MEM);
		freed = true;
		if (goal <= 0)
			break;
	}
	if (freed) {
		strata_inc(strata_sk_net(sk), TCPEXT_OFOPRUNED);
		sk_mem_reclaim(sk);
	}
	return freed;
}

void strata_tcp_ofo_purge(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_rb_first(&tp->ofo))) {
		rb_erase(&skb->rbnode, &tp->ofo);
		__kfree_skb(skb);
	}
	tp->ofo_last = NULL;
}
