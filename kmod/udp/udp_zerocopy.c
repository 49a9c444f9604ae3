// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending without a copy (MSG_ZEROCOPY, Documentation/networking/msg_zerocopy.rst): a datagram
 * of the user's own pages. They are his again when the error queue says so, or the owner of
 * msg->msg_ubuf hears of it (io_uring).
 *
 * Where the pages would have to be copied all the same - the device takes no fragments, or IP
 * must cut the datagram and sum it up before - they are copied at once and the notice says so.
 * So are those of corked datagrams.
 *
 * locking: the socket lock for what joins a corked datagram; the rest may wait for room in the
 * send buffer and holds none. The notices' numbers are counted in the socket, atomically.
 */

#include <linux/uio.h>
#include "udp_int.h"

bool strata_udp_zerocopy_sg(const struct strata_path *path)
{
	const struct net_device *dev;
	bool sg;

	rcu_read_lock();
	dev = strata_path_dev_rcu(path);
	sg = dev && (dev->features & NETIF_F_SG);
	rcu_read_unlock();
	return sg;
}

static int zc_copy(struct sk_buff *skb, struct msghdr *msg, size_t len)
{
	return skb_copy_datagram_from_iter(skb, 0, &msg->msg_iter, len);
}

/* an skb for @len bytes of payload that lie in pages, or will */
static struct sk_buff *zc_alloc(struct sock *sk, struct msghdr *msg, size_t len)
{
	unsigned int room = strata_udp_headroom();
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_pskb(sk, room, len, msg->msg_flags & MSG_DONTWAIT, &err,
				   PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return ERR_PTR(err);
	skb_reserve(skb, room);
	skb->data_len = len;
	skb->len = len;
	return skb;
}

bool strata_udp_zerocopy(const struct sock *sk, const struct msghdr *msg)
{
	return (msg->msg_flags & MSG_ZEROCOPY) &&
	       (msg->msg_ubuf || sock_flag(sk, SOCK_ZEROCOPY));
}

struct sk_buff *strata_udp_zerocopy_in(struct sock *sk, struct msghdr *msg, size_t len,
				       bool zerocopy)
{
	struct ubuf_info *uarg = msg->msg_ubuf;
	bool ours = false;
	struct sk_buff *skb;
	int err;

	skb = zc_alloc(sk, msg, zerocopy ? 0 : len);
	if (IS_ERR(skb))
		return skb;
	if (!uarg) {
		uarg = msg_zerocopy_realloc(sk, len, NULL);
		err = -ENOBUFS;
		if (!uarg)
			goto fail;
		uarg_to_msgzc(uarg)->zerocopy = zerocopy;
		ours = true;
	}
	err = zerocopy ? skb_zerocopy_iter_dgram(skb, msg, len) : zc_copy(skb, msg, len);
	if (err) {
		if (ours)
			net_zcopy_put_abort(uarg, true);
		goto fail;
	}
	/* of io_uring's what was copied does not depend */
	if (zerocopy || ours)
		skb_zcopy_set(skb, uarg, &ours);
	return skb;
fail:
	kfree_skb(skb);
	return ERR_PTR(err);
}

int strata_udp_zerocopy_corked(struct sock *sk, struct sk_buff *skb, size_t len)
{
	bool fresh = !skb_zcopy(skb);
	struct ubuf_info *uarg = msg_zerocopy_realloc(sk, len, skb_zcopy(skb));

	if (!uarg)
		return -ENOBUFS;
	if (!fresh && uarg != skb_zcopy(skb)) {
		/* another thread's datagram took the next number: one packet has one notice */
		net_zcopy_put_abort(uarg, true);
		return -ENOBUFS;
	}
	uarg_to_msgzc(uarg)->zerocopy = 0;
	skb_zcopy_set(skb, uarg, &fresh);
	return 0;
}
