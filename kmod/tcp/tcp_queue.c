// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two transmit queues of a connection.
 *
 * What the user writes is appended to sk->sk_write_queue. When an entry has been
 * sent for the first time it moves to sk->tcp_rtx_queue, a tree ordered by
 * sequence number, and onto tp->rtx_by_time, a list ordered by the time of the last
 * transmission (RACK, RFC 8985 6.2 step 5 reads it). It leaves both when it is
 * acknowledged. An entry that is SACKed or presumed lost is in the tree alone.
 *
 * An entry is an fclone skb without headers: the linear part is empty headroom,
 * the payload is in page fragments. Each transmission clones it, so headers are
 * written once more into the same headroom; tcp_xmit.c copies instead while an
 * earlier clone is still below. skb->cb is struct strata_tcp_tx.
 *
 * The list link shares its place in struct sk_buff with the destructor and the
 * route, so it must be zeroed before an entry is freed or cloned.
 *
 * Memory: skb->truesize is charged to sk_wmem_queued and to the protocol's
 * account from entail to free.
 *
 * locking: the socket lock.
 */

#include "sockmem.h"
#include "tcp_int.h"

static void anchor_clear(struct sk_buff *skb)
{
	skb->_skb_refdst = 0;
	skb->destructor = NULL;
}

static bool anchored(const struct sk_buff *skb)
{
	return skb->tcp_tsorted_anchor.next;
}

/* off the list by time, if it is there */
void strata_tcp_rtx_untime(struct sk_buff *skb)
{
	if (!anchored(skb))
		return;
	__list_del_entry(&skb->tcp_tsorted_anchor);
	anchor_clear(skb);
}

void strata_tcp_rtx_retime(struct sock *sk, struct sk_buff *skb)
{
	strata_tcp_rtx_untime(skb);
	list_add_tail(&skb->tcp_tsorted_anchor, &strata_tcp_sk(sk)->rtx_by_time);
}

bool strata_tcp_wmem_more(struct sock *sk, int size)
{
	int least = READ_ONCE(strata_sk_net(sk)->conf.tcp_wmem[0]);
	int sndbuf = READ_ONCE(sk->sk_sndbuf);

	if (!sk_wmem_schedule(sk, size) &&
	    !strata_sock_mem_floor(sk, size, sk->sk_wmem_queued, least))
		return false;
	/* who has less than the least keeps the buffer that a shortage has cut */
	if (sk->sk_wmem_queued < least && READ_ONCE(sk->sk_sndbuf) != sndbuf &&
	    !(mem_cgroup_sockets_enabled && sk->sk_memcg) &&
	    sk_memory_allocated(sk) <= sk_prot_mem_limits(sk, 2))
		WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	return true;
}

int strata_tcp_wmem_scrape(struct sock *sk, int size)
{
	int least;

	if (strata_tcp_wmem_more(sk, size))
		return size;
	least = READ_ONCE(strata_sk_net(sk)->conf.tcp_wmem[0]) - sk->sk_wmem_queued;
	if (least > 0)
		strata_sock_mem_force(sk, min(least, size));
	return min(size, sk->sk_forward_alloc);
}

struct sk_buff *strata_tcp_tx_alloc(struct sock *sk, gfp_t gfp, bool force)
{
	struct sk_buff *skb;

	skb = strata_tcp_entry_alloc(gfp);
	if (!skb) {
		if (sk->sk_prot->enter_memory_pressure)
			sk->sk_prot->enter_memory_pressure(sk);
		sk_stream_moderate_sndbuf(sk);
		return NULL;
	}
	skb->truesize = SKB_TRUESIZE(skb_end_offset(skb));
	if (!strata_tcp_wmem_ok(sk, skb->truesize)) {
		if (!force) {
			__kfree_skb(skb);
			return NULL;
		}
		strata_sock_mem_force(sk, skb->truesize);
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	/* the anchor and struct strata_tcp_tx are zero: so comes a new skb */
	return skb;
}

static void tx_charge(struct sock *sk, int size)
{
	sk_wmem_queued_add(sk, size);
	sk_mem_charge(sk, size);
}

void strata_tcp_tx_entail(struct sock *sk, struct sk_buff *skb)
{
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);

	tx->seq = strata_tcp_sk(sk)->snd.write_seq;
	tx->end_seq = tx->seq;
	tx->flags = STRATA_TCP_ACK;
	__skb_header_release(skb);
	/* later strata_tcp_output() has the time */
	if (unlikely(sk->sk_state != TCP_ESTABLISHED) && skb_queue_empty(&sk->sk_write_queue))
		strata_chrono_start(&strata_tcp_sk(sk)->chrono, STRATA_CHRONO_BUSY,
				    strata_tcp_clock_us());
	__skb_queue_tail(&sk->sk_write_queue, skb);
	tx_charge(sk, skb->truesize);
}

void strata_tcp_tx_free(struct sock *sk, struct sk_buff *skb)
{
	int size = skb->truesize;

	sk_wmem_queued_add(sk, -size);
	strata_tcp_mem_uncharge(sk, size);
	strata_tcp_entry_free(skb);
}

static void rtx_insert(struct sock *sk, struct sk_buff *skb)
{
	struct rb_node **p = &sk->tcp_rtx_queue.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		if (strata_seq_before(STRATA_TCP_TX(skb)->seq,
				      STRATA_TCP_TX(rb_to_skb(parent))->seq))
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&skb->rbnode, parent, p);
	rb_insert_color(&skb->rbnode, &sk->tcp_rtx_queue);
}

void strata_tcp_rtx_enter(struct sock *sk, struct sk_buff *skb)
{
	__skb_unlink(skb, &sk->sk_write_queue);
	rtx_insert(sk, skb);
	strata_tcp_rtx_retime(sk, skb);
}

void strata_tcp_rtx_free(struct sock *sk, struct sk_buff *skb)
{
	strata_tcp_rtx_untime(skb);
	rb_erase(&skb->rbnode, &sk->tcp_rtx_queue);
	strata_tcp_tx_free(sk, skb);
}

struct sk_buff *strata_tcp_rtx_find(const struct sock *sk, u32 seq)
{
	struct rb_node *p = sk->tcp_rtx_queue.rb_node;
	struct sk_buff *found = NULL;

	while (p) {
		struct sk_buff *skb = rb_to_skb(p);

		if (strata_seq_after(STRATA_TCP_TX(skb)->end_seq, seq)) {
			found = skb;
			p = p->rb_left;
		} else {
			p = p->rb_right;
		}
	}
	return found;
}

/* make the fragments ours alone, the charge unchanged */
static int tx_unclone(struct sk_buff *skb, gfp_t gfp)
{
	unsigned int size = skb->truesize;
	int err = 0;

	if (skb_cloned(skb)) {
		err = pskb_expand_head(skb, 0, 0, gfp);
		skb->truesize = size;
	}
	return err;
}

/* the first part of a cut: marks that belong to the last byte went with the rest */
static void tx_split_marks(struct strata_tcp_tx *tx)
{
	tx->flags &= ~(STRATA_TCP_FIN | STRATA_TCP_PSH);
	tx->bits &= ~(STRATA_TXB_EOR | STRATA_TXB_URG | STRATA_TXB_TSTAMP);
}

/*
 * SACKs of every second small segment may not multiply the memory of what is to be acknowledged
 * (as native, whose limit it is). The ends can always be cut, so that it goes on
 */
static bool cut_too_often(struct sock *sk, const struct sk_buff *skb)
{
	/* wide: the buffer may be of INT_MAX (SO_SNDBUFFORCE) */
	s64 limit = (s64)READ_ONCE(sk->sk_sndbuf) + 2 * SKB_TRUESIZE(GSO_LEGACY_MAX_SIZE);

	if (likely(sk->sk_wmem_queued >> 1 <= limit))
		return false;
	if (skb == strata_tcp_rtx_head(sk) || skb == strata_tcp_rtx_tail(sk))
		return false;
	strata_inc(strata_sk_net(sk), TCPEXT_WQUEUETOOBIG);
	return true;
}

int strata_tcp_tx_split(struct sock *sk, struct sk_buff *skb, u32 len, bool rtx, gfp_t gfp)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_tx *tx = STRATA_TCP_TX(skb);
	struct strata_tcp_tx *tail;
	struct sk_buff *rest;
	bool timed;
	u32 moved;

	if (WARN_ON_ONCE(len >= skb->len))
		return -EINVAL;
	if ((rtx && cut_too_often(sk, skb)) || tx_unclone(skb, gfp))
		return -ENOMEM;
	rest = strata_tcp_tx_alloc(sk, gfp, true);
	if (!rest)
		return -ENOMEM;
	tail = STRATA_TCP_TX(rest);
	timed = rtx && anchored(skb);
	moved = skb->len - len;
	__skb_header_release(rest);
	tx_charge(sk, rest->truesize);
	skb_split(skb, rest, len);
	rest->truesize += moved;
	skb->truesize -= moved;
	rest->tstamp = skb->tstamp;

	if (rtx) {
		strata_scb_split(&tp->scb, tx, tail, tx->seq + len);
	} else {
		*tail = *tx;
		tail->seq = tx->seq + len;
		tx->end_seq = tail->seq;
		tx->pcount = 0;
		tail->pcount = 0;
		tx_split_marks(tx);
	}
	strata_tcp_tstamp_split(skb, rest);
	if (!rtx) {
		__skb_queue_after(&sk->sk_write_queue, skb, rest);
		return 0;
	}
	rtx_insert(sk, rest);
	if (timed)
		list_add(&rest->tcp_tsorted_anchor, &skb->tcp_tsorted_anchor);
	return 0;
}

/* is all of the write queue's first @len bytes free to become one entry? */
static bool tx_gatherable(const struct sock *sk, u32 len)
{
	const u8 alone = STRATA_TXB_EOR | STRATA_TXB_URG | STRATA_TXB_TSTAMP;
	unsigned int frags = 0;
	struct sk_buff *skb;

	skb_queue_walk(&sk->sk_write_queue, skb) {
		/* its time stamp's key, or the user's pages, would have to come along */
		bool own = (skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP) || skb_zcopy(skb);

		frags += skb_shinfo(skb)->nr_frags;
		if (len <= skb->len)
			return skb == skb_peek(&sk->sk_write_queue) ||
			       (!own && frags <= MAX_SKB_FRAGS);
		if ((STRATA_TCP_TX(skb)->bits & alone) || own || skb_cloned(skb))
			return false;
		len -= skb->len;
	}
	return false;
}

struct sk_buff *strata_tcp_tx_gather(struct sock *sk, u32 len, gfp_t gfp)
{
	struct sk_buff *skb = skb_peek(&sk->sk_write_queue), *next;
	struct strata_tcp_tx *tx;
	bool stolen;
	int delta;

	if (!tx_gatherable(sk, len))
		return NULL;
	tx = STRATA_TCP_TX(skb);
	while (skb->len < len) {
		next = skb_queue_next(&sk->sk_write_queue, skb);
		if (next->len > len - skb->len &&
		    strata_tcp_tx_split(sk, next, len - skb->len, false, gfp))
			return NULL;
		/* no room for the fragments: the entries stay as they are */
		if (!skb_try_coalesce(skb, next, &stolen, &delta))
			return NULL;
		skb_shinfo(skb)->flags |= skb_shinfo(next)->flags & SKBFL_SHARED_FRAG;
		tx_charge(sk, delta);
		tx->end_seq = STRATA_TCP_TX(next)->end_seq;
		tx->flags |= STRATA_TCP_TX(next)->flags;
		tx->bits |= STRATA_TCP_TX(next)->bits;
		__skb_unlink(next, &sk->sk_write_queue);
		strata_tcp_tx_free(sk, next);
	}
	return skb;
}

int strata_tcp_tx_trim_head(struct sock *sk, struct sk_buff *skb, u32 len)
{
	struct skb_shared_info *shinfo;
	int i, kept = 0;
	u32 left = len;

	if (tx_unclone(skb, GFP_ATOMIC))
		return -ENOMEM;
	shinfo = skb_shinfo(skb);
	for (i = 0; i < shinfo->nr_frags; i++) {
		skb_frag_t *frag = &shinfo->frags[i];
		u32 size = skb_frag_size(frag);

		if (size <= left) {
			left -= size;
			skb_frag_unref(skb, i);
			continue;
		}
		skb_frag_off_add(frag, left);
		skb_frag_size_sub(frag, left);
		left = 0;
		shinfo->frags[kept++] = *frag;
	}
	shinfo->nr_frags = kept;
	skb->len -= len;
	skb->data_len -= len;
	skb->truesize -= len;
	sk_wmem_queued_add(sk, -(int)len);
	strata_tcp_mem_uncharge(sk, len);
	return 0;
}

void strata_tcp_tx_purge(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&sk->sk_write_queue)))
		strata_tcp_tx_free(sk, skb);
	while ((skb = strata_tcp_rtx_head(sk)))
		strata_tcp_rtx_free(sk, skb);
	strata_chrono_stop(&tp->chrono, STRATA_CHRONO_BUSY, true, strata_tcp_clock_us());
	tp->scb.packets_out = 0;
	tp->scb.sacked_out = 0;
	tp->scb.lost_out = 0;
	tp->scb.retrans_out = 0;
	tp->rexmit_seq = tp->snd.una;
	memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
}
