// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP_SAVE_SYN, TCP_SAVED_SYN: a listener keeps the headers of each SYN that it answers, and the
 * program reads them, once, from the socket it has accepted.
 *
 * The copy belongs to the request, then to the child. A SYN that was answered with a cookie
 * (RFC 4987 3.6) leaves none: nothing is kept of it.
 *
 * locking: that of the request's last reference, then the child's socket lock.
 */

#include <linux/slab.h>
#include "tcp_req.h"

/* octets as they came, from the link or the IP header to the end of TCP's options */
struct strata_tcp_syn {
	u32	len;
	u8	data[];
};

/* of the link's header; 0: it had none */
static u32 link_len(const struct sk_buff *skb)
{
	if (!skb_mac_header_was_set(skb) || skb->mac_header > skb->network_header)
		return 0;
	return skb_mac_header_len(skb);
}

void strata_tcp_syn_save(const struct sock *lsk, struct strata_tcp_req *req,
			 const struct sk_buff *skb)
{
	u8 what = READ_ONCE(strata_tcp_sk(lsk)->save_syn);
	struct strata_tcp_syn *syn;
	u32 link, len;

	if (likely(!what))
		return;
	link = what == STRATA_SAVE_SYN_LINK ? link_len(skb) : 0;
	len = link + skb_network_header_len(skb) + STRATA_TCP_SEG(skb)->hdrlen;
	/* without memory the connection goes on: there is nothing to be read then */
	syn = kmalloc(struct_size(syn, data, len), GFP_ATOMIC | __GFP_NOWARN);
	if (!syn)
		return;
	syn->len = len;
	memcpy(syn->data, skb_network_header(skb) - link, len);
	req->syn = syn;
}

void strata_tcp_syn_move(struct strata_tcp_req *req, struct sock *child)
{
	strata_tcp_sk(child)->syn = req->syn;
	req->syn = NULL;
}

int strata_tcp_syn_get(struct sock *sk, char __user *optval, int __user *optlen)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_tcp_syn *syn;
	int len, room, err = 0;

	lock_sock(sk);
	syn = tp->syn;
	len = syn ? syn->len : 0;
	/* without room for it its length is told all the same */
	if (get_user(room, optlen) || put_user(len, optlen))
		err = -EFAULT;
	else if (room < len)
		err = -EINVAL;
	else if (len && copy_to_user(optval, syn->data, len))
		err = -EFAULT;
	if (!err) {
		tp->syn = NULL;
		kfree(syn);
	}
	release_sock(sk);
	return err;
}
