// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reassembly (RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 3168 5.3) on the
 * kernel's fragment queues: net/inet_frag.h gives the table, the timers, the
 * memory limit and the gluing of pieces; what a fragment means is decided here.
 *
 * A datagram is known by source, destination, protocol and identification, whatever
 * devices its pieces come in by (RFC 791 3.2). When more than ipfrag_max_dist fragments of
 * its source have come since the last of its own, a number that came round again is
 * likelier than what is still missing, and it begins anew (RFC 4963), as native. Sources
 * are counted by a hash: two that share a counter may lose datagrams by it that trickle.
 * Fragments that overlap kill the whole datagram (RFC
 * 5722's reasoning, native's policy for IPv4, too); exact duplicates are
 * dropped alone. After 30 seconds the rest dies, and the sender is told by ICMP if
 * the first fragment has come (RFC 792, RFC 1122 3.3.2).
 *
 * locking: inet_frag_queue.lock for one datagram's pieces. References are
 * counted by the table; its rules differ between kernels: compat.h.
 */

#include <linux/icmp.h>
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/inet_ecn.h>
#include <net/inet_frag.h>
#include "ip_int.h"
#include "stats.h"

#define REASM_TIMEOUT	(30 * HZ)	/* native's ipfrag_time */
#define REASM_SOURCES	1024		/* counters of fragments by source */

/*
 * @q: first; @iif: device of the last fragment; @seen: its source's counter then;
 * @ecn: IPFRAG_ECN_* of all; @largest: biggest fragment, bytes with header
 */
struct strata_reasm {
	struct inet_frag_queue	q;
	int			iif;
	u32			seen;
	u8			ecn;
	u16			largest;
};

static void reasm_construct(struct inet_frag_queue *q, const void *key)
{
	q->key.v4 = *(const struct frag_v4_compare_key *)key;
}

static u32 reasm_key_hash(const void *data, u32 len, u32 seed)
{
	return jhash2(data, sizeof(struct frag_v4_compare_key) / sizeof(u32), seed);
}

static u32 reasm_obj_hash(const void *data, u32 len, u32 seed)
{
	const struct inet_frag_queue *q = data;

	return reasm_key_hash(&q->key.v4, 0, seed);
}

static int reasm_obj_cmp(struct rhashtable_compare_arg *arg, const void *ptr)
{
	const struct inet_frag_queue *q = ptr;

	return !!memcmp(&q->key, arg->key, sizeof(struct frag_v4_compare_key));
}

/* the first fragment of a queue that has timed out, taken out of it, or NULL */
static struct sk_buff *reasm_give_up(struct strata_net *sn, struct strata_reasm *rq, int *refs)
{
	struct sk_buff *first = NULL;

	spin_lock(&rq->q.lock);
	if (!(rq->q.flags & INET_FRAG_COMPLETE)) {
		strata_frag_kill(&rq->q, refs);
		strata_inc(sn, IP_REASMFAILS);
		strata_inc(sn, IP_REASMTIMEOUT);
		if (rq->q.flags & INET_FRAG_FIRST_IN)
			first = inet_frag_pull_head(&rq->q);
	}
	spin_unlock(&rq->q.lock);
	return first;
}

static void reasm_expire(struct timer_list *t)
{
	struct inet_frag_queue *q = container_of(t, struct inet_frag_queue, timer);
	struct strata_reasm *rq = container_of(q, struct strata_reasm, q);
	struct net *net = q->fqdir->net;
	struct sk_buff *first;
	int refs = 1;		/* the timer's own */

	rcu_read_lock();
	/* a namespace that goes: its queues are freed with the table */
	if (READ_ONCE(q->fqdir->dead)) {
		spin_lock(&q->lock);
		strata_frag_kill(q, &refs);
		spin_unlock(&q->lock);
		goto out;
	}
	first = reasm_give_up(strata_net(net), rq, &refs);
	if (first) {
		/* dev shared its place with the tree's node */
		first->dev = dev_get_by_index_rcu(net, rq->iif);
		if (first->dev)
			strata_ip_up.icmp_send(first, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
		strata_drop(first, STRATA_LAYER_IP, SKB_DROP_REASON_FRAG_REASM_TIMEOUT);
	}
out:
	rcu_read_unlock();
	strata_frag_put_timer(q, refs);
}

static struct inet_frags strata_frags = {
	.qsize			= sizeof(struct strata_reasm),
	.constructor		= reasm_construct,
	.frag_expire		= reasm_expire,
	.frags_cache_name	= "strata_reasm",
	.rhash_params		= {
		.head_offset		= offsetof(struct inet_frag_queue, node),
		.key_offset		= offsetof(struct inet_frag_queue, key),
		.key_len		= sizeof(struct frag_v4_compare_key),
		.hashfn			= reasm_key_hash,
		.obj_hashfn		= reasm_obj_hash,
		.obj_cmpfn		= reasm_obj_cmp,
		.automatic_shrinking	= true,
	},
};

static struct inet_frag_queue *reasm_find(struct strata_net *sn, const struct iphdr *iph)
{
	struct frag_v4_compare_key key = {
		.saddr = iph->saddr,
		.daddr = iph->daddr,
		.id = iph->id,
		.protocol = iph->protocol,
	};

	return inet_frag_find(sn->frags, &key);
}

/*
 * Does it fit to what is known about the length? The last fragment fixes it;
 * the others are multiples of 8 octets and stay below. *@end is brought down to
 * that multiple, as native does.
 */
static bool reasm_extent(struct inet_frag_queue *q, const struct strata_frag *frag,
			 unsigned int *end)
{
	if (!frag->more) {
		if (*end < q->len || ((q->flags & INET_FRAG_LAST_IN) && *end != q->len))
			return false;
		q->flags |= INET_FRAG_LAST_IN;
		q->len = *end;
		return *end > frag->offset;
	}
	*end &= ~7U;
	if (*end <= frag->offset)
		return false;
	if (*end > q->len) {
		if (q->flags & INET_FRAG_LAST_IN)
			return false;
		q->len = *end;
	}
	return true;
}

/* all pieces are here, @skb was the last to come; it becomes the datagram */
static enum skb_drop_reason reasm_finish(struct strata_reasm *rq, struct sk_buff *skb,
					 struct sk_buff *tail, int *refs)
{
	unsigned int hlen;
	void *data;
	u8 ecn = ip_frag_ecn_table[rq->ecn];

	strata_frag_kill(&rq->q, refs);
	if (ecn == 0xff)	/* RFC 3168 5.3: marks that cannot be of one datagram */
		return SKB_DROP_REASON_IP_INHDR;
	data = inet_frag_reasm_prepare(&rq->q, skb, tail);
	if (!data)
		return SKB_DROP_REASON_NOMEM;
	/* @skb now carries the first fragment's header */
	hlen = ip_hdrlen(skb);
	if (hlen + rq->q.len > STRATA_IP_MAX_LEN)
		return SKB_DROP_REASON_PKT_TOO_BIG;
	inet_frag_reasm_finish(&rq->q, skb, data, true);
	ip_hdr(skb)->tos |= ecn;
	rq->q.rb_fragments = RB_ROOT;
	rq->q.fragments_tail = NULL;
	rq->q.last_run_head = NULL;
	return SKB_NOT_DROPPED_YET;
}

/* remember @skb's place; its device shares memory with the tree's node. Locked */
static int reasm_insert(struct strata_reasm *rq, struct sk_buff *skb,
			const struct strata_frag *frag, unsigned int end)
{
	unsigned int size = skb->len + ip_hdrlen(skb);
	u8 ecn = 1 << (ip_hdr(skb)->tos & INET_ECN_MASK);
	int err;

	skb_orphan(skb);
	barrier();	/* the device was read before its memory is reused */
	err = inet_frag_queue_insert(&rq->q, skb, frag->offset, end);
	if (err)
		return err;
	rq->q.stamp = skb->tstamp;
	rq->q.meat += skb->len;
	rq->ecn |= ecn;
	rq->largest = max_t(u16, rq->largest, min_t(unsigned int, size, STRATA_IP_MAX_LEN));
	if (!frag->offset)
		rq->q.flags |= INET_FRAG_FIRST_IN;
	add_frag_mem_limit(rq->q.fqdir, skb->truesize);
	return 0;
}

/* see the file's head. Locked */
static bool reasm_too_far(struct strata_net *sn, struct strata_reasm *rq, __be32 saddr)
{
	u32 max = READ_ONCE(sn->conf.ipfrag_max_dist), seen = rq->seen;
	u32 hash = jhash_1word((__force u32)saddr, sn->key);

	if (!max)
		return false;
	rq->seen = atomic_inc_return(&sn->frag_sources[hash % REASM_SOURCES]);
	return rq->q.fragments_tail && rq->seen - seen > max;
}

/*
 * Take in a fragment. Sets *@whole if the datagram is complete in @skb. A reason
 * means that @skb is the caller's again. Locked
 */
static enum skb_drop_reason reasm_add(struct strata_net *sn, struct strata_reasm *rq,
				      struct sk_buff *skb, const struct strata_frag *frag,
				      bool *whole, int *refs)
{
	unsigned int hlen = ip_hdrlen(skb), end = frag->offset + skb->len - hlen;
	struct sk_buff *tail = rq->q.fragments_tail;
	enum skb_drop_reason why;
	int err;

	if (rq->q.flags & INET_FRAG_COMPLETE)
		return SKB_DROP_REASON_DUP_FRAG;
	why = SKB_DROP_REASON_FRAG_TOO_FAR;
	if (reasm_too_far(sn, rq, ip_hdr(skb)->saddr))
		goto kill;
	why = SKB_DROP_REASON_IP_INHDR;
	if (!reasm_extent(&rq->q, frag, &end))
		goto kill;
	why = SKB_DROP_REASON_NOMEM;
	if (!pskb_pull(skb, hlen) || pskb_trim_rcsum(skb, end - frag->offset))
		goto kill;
	err = reasm_insert(rq, skb, frag, end);
	if (err == IPFRAG_DUP)
		return SKB_DROP_REASON_DUP_FRAG;
	if (err) {
		strata_inc(sn, IPEXT_REASMOVERLAPS);
		why = SKB_DROP_REASON_IP_INHDR;
		goto kill;
	}
	if (rq->q.flags != (INET_FRAG_FIRST_IN | INET_FRAG_LAST_IN) || rq->q.meat != rq->q.len)
		return SKB_NOT_DROPPED_YET;
	why = reasm_finish(rq, skb, tail, refs);
	if (why) {
		/* @skb lies in the tree and is freed with it */
		strata_inc(sn, IP_REASMFAILS);
		return SKB_NOT_DROPPED_YET;
	}
	*whole = true;
	return SKB_NOT_DROPPED_YET;
kill:
	strata_frag_kill(&rq->q, refs);
	strata_inc(sn, IP_REASMFAILS);
	return why;
}

/* find @skb's datagram and take it in; as reasm_add() */
static enum skb_drop_reason reasm_take(struct strata_net *sn, struct sk_buff *skb,
				       const struct strata_frag *frag, bool *whole, u16 *largest)
{
	int ifindex = skb->dev->ifindex, refs = 0;
	struct inet_frag_queue *q;
	enum skb_drop_reason why;
	struct strata_reasm *rq;

	rcu_read_lock();
	q = reasm_find(sn, ip_hdr(skb));
	if (!q) {
		rcu_read_unlock();
		strata_inc(sn, IP_REASMFAILS);
		return SKB_DROP_REASON_NOMEM;
	}
	rq = container_of(q, struct strata_reasm, q);
	spin_lock(&q->lock);
	why = reasm_add(sn, rq, skb, frag, whole, &refs);
	if (!why && !*whole)
		rq->iif = ifindex;
	*largest = rq->largest;
	spin_unlock(&q->lock);
	rcu_read_unlock();
	strata_frag_put_found(q, refs);
	return why;
}

struct sk_buff *strata_ip_reasm(struct strata_dev *ifp, struct sk_buff *skb,
				const struct strata_frag *frag)
{
	struct strata_rcv_cb cb = *STRATA_RCV_CB(skb);
	struct net_device *dev = skb->dev;
	struct strata_net *sn = ifp->sn;
	enum skb_drop_reason why;
	bool whole = false;

	strata_inc(sn, IP_REASMREQDS);
	/* one that was too far from the others is the first of the next */
	why = reasm_take(sn, skb, frag, &whole, &cb.frag_max);
	if (why == SKB_DROP_REASON_FRAG_TOO_FAR)
		why = reasm_take(sn, skb, frag, &whole, &cb.frag_max);
	if (why) {
		strata_drop(skb, STRATA_LAYER_IP, why);
		return NULL;
	}
	if (!whole)
		return NULL;

	strata_inc(sn, IP_REASMOKS);
	/* inet_frag_reasm_finish() has put data back to the IP header */
	skb->dev = dev;
	*STRATA_RCV_CB(skb) = cb;
	return skb;
}

/* ---- start and stop ---- */

int strata_reasm_init(void)
{
	return inet_frags_init(&strata_frags);
}

void strata_reasm_exit(void)
{
	inet_frags_fini(&strata_frags);
}

void strata_ip_frag_limit(struct strata_net *sn)
{
	long limit = READ_ONCE(sn->conf.ipfrag_high_thresh);

	WRITE_ONCE(sn->frags->low_thresh, limit / 4 * 3);
	WRITE_ONCE(sn->frags->high_thresh, limit);
}

int strata_reasm_net_init(struct strata_net *sn)
{
	int err;

	sn->frag_sources = kcalloc(REASM_SOURCES, sizeof(*sn->frag_sources), GFP_KERNEL);
	if (!sn->frag_sources)
		return -ENOMEM;
	err = fqdir_init(&sn->frags, &strata_frags, sn->net);
	if (err) {
		kfree(sn->frag_sources);
		return err;
	}
	strata_ip_frag_limit(sn);
	sn->frags->timeout = REASM_TIMEOUT;
	return 0;
}

void strata_reasm_net_exit(struct strata_net *sn)
{
	fqdir_pre_exit(sn->frags);
	/* whoever still saw the table alive must be through before it is torn down */
	synchronize_net();
	fqdir_exit(sn->frags);
	sn->frags = NULL;
	kfree(sn->frag_sources);
}
