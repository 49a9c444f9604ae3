// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving without a copy: TCP_ZEROCOPY_RECEIVE, as native's.
 *
 * The user maps the socket (mmap(), to be read only) and asks by getsockopt() for the next bytes:
 * pages of the receive queue that are full, aligned and nobody else's are mapped where he says,
 * in place of what was there. What is no such page he must read as ever; recv_skip_hint says
 * how many bytes that is, and a buffer given with the call (copybuf) takes them at once. What
 * was mapped or copied is read: copied_seq, window and ACKs move as after recvmsg().
 *
 * A mapped page lives on when the queue has forgotten it, until the next call or munmap()
 * takes it away. The mapping holds the socket's file, so the module as well.
 *
 * locking: the socket lock, then mmap_lock to read, as a copy to the user that faults.
 */

#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/uio.h>
#include "tcp_int.h"

#define ZC_BATCH	32	/* pages mapped at once */
#define ZC_MSG_TS	2	/* msg_flags: there is a time stamp; native's, in no header */

/* one call */
struct zc_run {
	struct sock			*sk;
	struct tcp_zerocopy_receive	*zc;
	struct vm_area_struct		*vma;
	unsigned long			address;	/* where the next page goes */
	u32				total;	/* bytes to map at most: whole pages */
	u32				length;	/* of them mapped, or in @pages */
	u32				seq;	/* of what comes behind the mapped */
	struct sk_buff			*skb;	/* the last looked at */
	unsigned int			n;
	struct page			*pages[ZC_BATCH];	/* to be mapped */
	ktime_t				soft, hard;	/* when @skb came, 0: not known */
};

/* who has them may ask for pages to be mapped there */
static const struct vm_operations_struct zc_vm_ops = {
};

int strata_tcp_mmap(struct file *file, struct socket *sock, struct vm_area_struct *vma)
{
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EPERM;
	vm_flags_clear(vma, VM_MAYWRITE | VM_MAYEXEC);
	/* else vm_insert_pages() would want mmap_lock to write */
	vm_flags_set(vma, VM_MIXEDMAP);
	vma->vm_ops = &zc_vm_ops;
	return 0;
}

/* the skb that holds @seq, or a FIN there, and where in it; all before it is freed. NULL: none */
static struct sk_buff *zc_skb(struct sock *sk, u32 seq, u32 *off)
{
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_receive_queue))) {
		*off = seq - STRATA_TCP_SEG(skb)->seq;
		if (*off < skb->len || (STRATA_TCP_SEG(skb)->flags & STRATA_TCP_FIN))
			return skb;
		__skb_unlink(skb, &sk->sk_receive_queue);
		__kfree_skb(skb);
	}
	return NULL;
}

/* the fragment that holds the byte at @off, and where in it; NULL: it is in none */
static const skb_frag_t *zc_frag(const struct sk_buff *skb, u32 off, u32 *in_frag)
{
	const skb_frag_t *frag = skb_shinfo(skb)->frags;

	if (off >= skb->len || off < skb_headlen(skb) || skb_has_frag_list(skb))
		return NULL;
	off -= skb_headlen(skb);
	while (off >= skb_frag_size(frag))
		off -= skb_frag_size(frag++);
	*in_frag = off;
	return frag;
}

static bool zc_mappable(const skb_frag_t *frag)
{
	struct page *page = skb_frag_page(frag);

	/* as native: no part of a larger one, nor of a file or of a process */
	return page && skb_frag_size(frag) == PAGE_SIZE && !skb_frag_off(frag) &&
	       !PageCompound(page) && !page->mapping;
}

/* bytes from @frag on, of @left, before one that can be mapped */
static u32 zc_unmappable(const skb_frag_t *frag, u32 left)
{
	u32 n = 0;

	while (n < left && !zc_mappable(frag))
		n += skb_frag_size(frag++);
	return n;
}

/* bytes of @skb from @off on that must be copied before any can be mapped */
static u32 zc_hint(const struct sk_buff *skb, u32 off)
{
	u32 left = skb->len - off, in_frag, rest = 0;
	const skb_frag_t *frag = zc_frag(skb, off, &in_frag);

	if (!frag)
		return left;
	if (in_frag) {
		rest = skb_frag_size(frag) - in_frag;
		frag++;
	}
	return rest + zc_unmappable(frag, left - rest);
}

static int zc_insert(struct zc_run *run, struct page **pages, unsigned long *left)
{
	unsigned long n = *left;
	int err = vm_insert_pages(run->vma, run->address, pages, left);

	/* some may be in all the same */
	n = (n - *left) * PAGE_SIZE;
	run->address += n;
	run->seq += n;
	return err;
}

/* map the pages collected; what cannot be is taken back from length and must be copied */
static int zc_flush(struct zc_run *run)
{
	unsigned long left = run->n;
	int err = zc_insert(run, run->pages, &left);

	/* the user said that nothing was there, but something is */
	if (err == -EBUSY && (run->zc->flags & TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT)) {
		strata_zap_pages(run->vma, run->address,
				 run->total - run->length + left * PAGE_SIZE);
		err = zc_insert(run, run->pages + run->n - left, &left);
	}
	if (err) {
		run->length -= left * PAGE_SIZE;
		run->zc->recv_skip_hint += left * PAGE_SIZE;
	}
	run->n = 0;
	return err;
}

static void zc_stamp(struct zc_run *run, struct sk_buff *skb)
{
	if (!skb->tstamp && !skb_hwtstamps(skb)->hwtstamp)
		return;
	run->soft = skb->tstamp;
	run->hard = skb_hwtstamps(skb)->hwtstamp;
	run->zc->msg_flags |= ZC_MSG_TS;
}

/* map what can be, at most run->total bytes; 0 or why a page could not be */
static int zc_map(struct zc_run *run)
{
	struct tcp_zerocopy_receive *zc = run->zc;
	const skb_frag_t *frag = NULL;
	u32 off, in_frag, skip;
	int err = 0;

	while (!err && run->length < run->total) {
		if (zc->recv_skip_hint < PAGE_SIZE) {
			/* the rest of an skb is no page */
			if (run->skb && zc->recv_skip_hint)
				break;
			run->skb = zc_skb(run->sk, run->seq, &off);
			if (WARN_ON_ONCE(!run->skb))
				break;
			zc_stamp(run, run->skb);
			zc->recv_skip_hint = run->skb->len - off;
			frag = zc_frag(run->skb, off, &in_frag);
			if (!frag || in_frag)
				break;
		}
		skip = zc_unmappable(frag, zc->recv_skip_hint);
		if (skip) {
			zc->recv_skip_hint = skip;
			break;
		}
		run->pages[run->n++] = skb_frag_page(frag++);
		run->length += PAGE_SIZE;
		zc->recv_skip_hint -= PAGE_SIZE;
		/* before the next skb: it frees this one's */
		if (run->n == ZC_BATCH || zc->recv_skip_hint < PAGE_SIZE)
			err = zc_flush(run);
	}
	return !err && run->n ? zc_flush(run) : err;
}

static int zc_copybuf(const struct tcp_zerocopy_receive *zc, struct msghdr *msg, u32 len)
{
	unsigned long address = zc->copybuf_address;

	if (address != zc->copybuf_address)
		return -EINVAL;
	iov_iter_ubuf(&msg->msg_iter, ITER_DEST, (void __user *)address, len);
	return 0;
}

/* behind what was mapped: bytes into copybuf that could not be; their number */
static u32 zc_copy_rest(struct zc_run *run, s32 room)
{
	struct tcp_zerocopy_receive *zc = run->zc;
	u32 len = min_t(u32, room, zc->recv_skip_hint);
	struct msghdr msg = { };
	u32 off;
	int err;

	if (!len)
		return 0;
	if (run->skb) {
		off = run->seq - STRATA_TCP_SEG(run->skb)->seq;
	} else {
		run->skb = zc_skb(run->sk, run->seq, &off);
		if (WARN_ON_ONCE(!run->skb))
			return 0;
		zc_stamp(run, run->skb);
	}
	/* as native: in the first skb; more would have made it a call that only copies */
	err = zc_copybuf(zc, &msg, len);
	if (!err)
		err = skb_copy_datagram_msg(run->skb, off, &msg, len);
	zc->copybuf_len = err ?: len;
	if (err)
		return 0;
	zc->recv_skip_hint -= len;
	run->seq += len;
	return len;
}

/* all there is fits copybuf: no mapping */
static int zc_copy_all(struct zc_run *run, int inq)
{
	struct tcp_zerocopy_receive *zc = run->zc;
	struct msghdr msg = { };
	struct sk_buff *skb;
	u32 off;
	int ret;

	zc->length = 0;
	zc->recv_skip_hint = 0;
	ret = zc_copybuf(zc, &msg, inq);
	if (ret)
		return ret;
	ret = strata_tcp_recv_now(run->sk, &msg, inq, &run->soft, &run->hard);
	if (ret < 0)
		return ret;
	if (run->soft || run->hard)
		zc->msg_flags |= ZC_MSG_TS;
	zc->copybuf_len = ret;
	skb = ret ? zc_skb(run->sk, strata_tcp_sk(run->sk)->rcv.copied_seq, &off) : NULL;
	if (skb)
		zc->recv_skip_hint = zc_hint(skb, off);
	return 0;
}

/* find the area, map; *@err: as zc_map(). 0, -EINVAL: not mapped from a socket of ours */
static int zc_map_area(struct zc_run *run, int inq, int *err)
{
	struct tcp_zerocopy_receive *zc = run->zc;
	struct mm_struct *mm = current->mm;
	u32 avail;

	mmap_read_lock(mm);
	run->vma = vma_lookup(mm, run->address);
	if (!run->vma || run->vma->vm_ops != &zc_vm_ops) {
		mmap_read_unlock(mm);
		return -EINVAL;
	}
	avail = min_t(unsigned long, zc->length, run->vma->vm_end - run->address);
	avail = min_t(u32, avail, inq);
	run->total = avail & PAGE_MASK;
	zc->length = run->total ?: avail;
	zc->recv_skip_hint = run->total ? 0 : avail;
	if (run->total && !(zc->flags & TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT))
		strata_zap_pages(run->vma, run->address, run->total);
	*err = zc_map(run);
	mmap_read_unlock(mm);
	return 0;
}

/* locked */
static int zc_receive(struct zc_run *run)
{
	struct tcp_zerocopy_receive *zc = run->zc;
	struct sock *sk = run->sk;
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int inq = strata_tcp_inq_locked(sk), err;
	s32 room = zc->copybuf_len;
	u32 copied = 0, off;

	run->address = zc->address;
	run->seq = tp->rcv.copied_seq;
	zc->copybuf_len = 0;
	zc->msg_flags = 0;
	if (offset_in_page(run->address) || run->address != zc->address)
		return -EINVAL;
	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	if (inq && inq <= room)
		return zc_copy_all(run, inq);
	if (inq < PAGE_SIZE) {
		zc->length = 0;
		zc->recv_skip_hint = inq;
		return !inq && sock_flag(sk, SOCK_DONE) ? -EIO : 0;
	}
	if (zc_map_area(run, inq, &err))
		return -EINVAL;
	if (!err)
		copied = zc_copy_rest(run, room);
	if (run->length + copied) {
		WRITE_ONCE(tp->rcv.copied_seq, run->seq);
		strata_tcp_rcv_space_adjust(sk);
		zc_skb(sk, run->seq, &off);
		strata_tcp_cleanup_rbuf(sk, run->length + copied);
		err = 0;
		if (run->length == zc->length)
			zc->recv_skip_hint = 0;
	} else if (!zc->recv_skip_hint && sock_flag(sk, SOCK_DONE)) {
		err = -EIO;
	}
	zc->length = run->length;
	return err;
}

/* the time stamp where msg_control says */
static void zc_put_stamp(struct zc_run *run)
{
	struct tcp_zerocopy_receive *zc = run->zc;
	unsigned long control = zc->msg_control;
	struct msghdr msg = {
		.msg_control_user = (void __user *)control,
		.msg_control_is_user = true,
		.msg_controllen = zc->msg_controllen,
		.msg_flags = in_compat_syscall() ? MSG_CMSG_COMPAT : 0,
	};
	bool any = zc->msg_flags & ZC_MSG_TS;

	zc->msg_flags = 0;
	if (!any || zc->msg_control != control || zc->msg_controllen != msg.msg_controllen)
		return;
	strata_tcp_tstamp_recv(&msg, run->sk, run->soft, run->hard);
	zc->msg_control = (uintptr_t)msg.msg_control_user;
	zc->msg_controllen = msg.msg_controllen;
	zc->msg_flags = msg.msg_flags;
}

/* the members of the answer that the user's structure, grown over the years, has */
static void zc_answer(struct zc_run *run, int len, int err, int inq)
{
	struct tcp_zerocopy_receive *zc = run->zc;

	if (len >= offsetofend(struct tcp_zerocopy_receive, msg_flags))
		zc_put_stamp(run);
	switch (len) {
	default:
		if (len < offsetofend(struct tcp_zerocopy_receive, msg_flags))
			return;
		fallthrough;
	case offsetofend(struct tcp_zerocopy_receive, msg_controllen):
	case offsetofend(struct tcp_zerocopy_receive, msg_control):
	case offsetofend(struct tcp_zerocopy_receive, flags):
	case offsetofend(struct tcp_zerocopy_receive, copybuf_len):
	case offsetofend(struct tcp_zerocopy_receive, copybuf_address):
	case offsetofend(struct tcp_zerocopy_receive, err):
		if (!err)
			zc->err = sock_error(run->sk);
		fallthrough;
	case offsetofend(struct tcp_zerocopy_receive, inq):
		zc->inq = inq;
	}
}

int strata_tcp_get_zerocopy(struct sock *sk, char __user *optval, int __user *optlen, int len)
{
	struct tcp_zerocopy_receive zc = { };
	struct zc_run run = { .sk = sk, .zc = &zc };
	int err, inq;

	if (len < offsetofend(struct tcp_zerocopy_receive, length))
		return -EINVAL;
	if (len > sizeof(zc)) {
		err = check_zeroed_user(optval + sizeof(zc), len - sizeof(zc));
		if (err < 1)
			return err ?: -EINVAL;
		len = sizeof(zc);
		if (put_user(len, optlen))
			return -EFAULT;
	}
	if (copy_from_user(&zc, optval, len))
		return -EFAULT;
	if (zc.reserved || (zc.msg_flags & ~ZC_MSG_TS))
		return -EINVAL;
	lock_sock(sk);
	err = zc_receive(&run);
	inq = strata_tcp_inq_hint(sk);
	release_sock(sk);
	zc_answer(&run, len, err, inq);
	if (!err && copy_to_user(optval, &zc, len))
		err = -EFAULT;
	return err;
}
