// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/strata/tcp, udp and icmp: the sockets of a protocol in the columns of
 * /proc/net/tcp, udp and icmp: addresses as hexadecimal words in the machine's byte order,
 * times in ticks of 1/100 s.
 *
 * Listeners come first, then connections, half-open requests and TIME-WAIT, in no order.
 */

#include "proc_int.h"

#define ALL_TCP	(BIT(STRATA_TCP_LISTEN) | BIT(STRATA_TCP_REQUEST) | BIT(STRATA_TCP_SOCK) | \
		 BIT(STRATA_TCP_TIMEWAIT))

static u32 ms_since(u32 stamp)
{
	return stamp ? jiffies_to_msecs((u32)jiffies - stamp) : 0;
}

void strata_proc_dgram_view(struct sock *sk, struct strata_tcp_view *view)
{
	const struct strata_sock *ep = strata_sk(sk);

	memset(view, 0, sizeof(*view));
	view->kind = STRATA_TCP_SOCK;
	view->sk = sk;
	view->state = READ_ONCE(sk->sk_state);
	view->laddr = READ_ONCE(ep->laddr);
	view->raddr = READ_ONCE(ep->raddr);
	view->lport = READ_ONCE(ep->lport);
	view->rport = READ_ONCE(ep->rport);
	view->rx_queue = sk_rmem_alloc_get(sk);
	view->tx_queue = sk_wmem_alloc_get(sk);
	view->last_sent_ms = ms_since(READ_ONCE(ep->sent_time));
	view->last_rcvd_ms = ms_since(READ_ONCE(ep->rcvd_time));
	view->uid = sock_i_uid(sk);
	view->ino = sock_i_ino(sk);
	view->ifindex = READ_ONCE(sk->sk_bound_dev_if);
}

/* a walk stops at the first object it meets, and the reader takes it along */
static int take_view(const struct strata_tcp_view *view, void *arg)
{
	struct strata_reader *r = arg;

	r->view = *view;
	if (view->sk)
		sock_hold(view->sk);
	return 1;
}

static int take_dgram(struct sock *sk, void *arg)
{
	struct strata_reader *r = arg;

	/* found by RCU: it may be on its way out */
	if (!refcount_inc_not_zero(&sk->sk_refcnt))
		return 0;
	strata_proc_dgram_view(sk, &r->view);
	return 1;
}

bool strata_proc_fetch_sock(struct strata_reader *r)
{
	switch (r->stage) {
	case STRATA_REPORT_TCP:
		return strata_tcp_walk(r->sn, &r->pos, ALL_TCP, take_view, r);
	case STRATA_REPORT_UDP:
		return strata_udp_walk(r->sn, &r->pos, take_dgram, r);
	case STRATA_REPORT_ICMP:
		return strata_ping_walk(r->sn, &r->pos, take_dgram, r);
	}
	return false;
}

void strata_proc_drop_sock(struct strata_reader *r)
{
	if (r->view.sk)
		sock_put(r->view.sk);
	r->view.sk = NULL;
}

static bool fetch_tcp(struct strata_reader *r)
{
	r->stage = STRATA_REPORT_TCP;
	return strata_proc_fetch_sock(r);
}

static bool fetch_udp(struct strata_reader *r)
{
	r->stage = STRATA_REPORT_UDP;
	return strata_proc_fetch_sock(r);
}

static bool fetch_icmp(struct strata_reader *r)
{
	r->stage = STRATA_REPORT_ICMP;
	return strata_proc_fetch_sock(r);
}

/* "local remote state", the part all three have */
static void put_ends(struct seq_file *seq, const struct strata_tcp_view *view)
{
	seq_printf(seq, "%08X:%04X %08X:%04X %02X", (__force u32)view->laddr,
		   ntohs(view->lport), (__force u32)view->raddr, ntohs(view->rport),
		   view->state);
}

static unsigned int seq_uid(struct seq_file *seq, kuid_t uid)
{
	return from_kuid_munged(seq_user_ns(seq), uid);
}

static unsigned long ticks_left(const struct strata_tcp_view *view)
{
	return view->timer ? jiffies_delta_to_clock_t(view->expires - jiffies) : 0;
}

static void tcp_header(struct seq_file *seq)
{
	seq_setwidth(seq, 149);
	seq_puts(seq, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
	seq_pad(seq, '\n');
}

/* reference count and memory address, as native shows them; more for a connection */
static void tcp_tail(struct seq_file *seq, const struct strata_tcp_view *view)
{
	const struct sock *sk = view->sk;
	int ssthresh = view->ssthresh;

	if (!sk) {
		seq_printf(seq, "%d %p", view->kind == STRATA_TCP_TIMEWAIT,
			   (void *)(unsigned long)view->cookie);
		return;
	}
	/* a listener's is TCP_FASTOPEN, as native */
	if (ssthresh >= S32_MAX)
		ssthresh = -1;	/* still in the first slow start */
	seq_printf(seq, "%d %p %lu %lu %u %u %d", refcount_read(&sk->sk_refcnt) - 1, sk,
		   jiffies_to_clock_t(usecs_to_jiffies(view->rto_us)),
		   jiffies_to_clock_t(msecs_to_jiffies(view->ato_ms)), view->pingpong,
		   view->cwnd, ssthresh);
}

static void tcp_show(struct seq_file *seq, struct strata_reader *r)
{
	const struct strata_tcp_view *view = &r->view;
	bool listener = view->kind == STRATA_TCP_LISTEN;

	seq_setwidth(seq, 149);
	seq_printf(seq, "%4lld: ", r->ord - 1);
	put_ends(seq, view);
	seq_printf(seq, " %08X:%08X %02X:%08lX %08X %5u %8d %lu ",
		   listener ? 0 : view->tx_queue, view->rx_queue, view->timer,
		   ticks_left(view), view->retrans, seq_uid(seq, view->uid), view->probes,
		   view->ino);
	tcp_tail(seq, view);
	seq_pad(seq, '\n');
}

static void udp_header(struct seq_file *seq)
{
	seq_setwidth(seq, 127);
	seq_puts(seq, "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops");
	seq_pad(seq, '\n');
}

static void icmp_header(struct seq_file *seq)
{
	seq_setwidth(seq, 127);
	seq_puts(seq, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops");
	seq_pad(seq, '\n');
}

static void dgram_show(struct seq_file *seq, struct strata_reader *r)
{
	const struct strata_tcp_view *view = &r->view;
	const struct sock *sk = view->sk;

	seq_setwidth(seq, 127);
	seq_printf(seq, "%5lld: ", r->ord - 1);
	put_ends(seq, view);
	seq_printf(seq, " %08X:%08X 00:00000000 00000000 %5u %8d %lu %d %p %u", view->tx_queue,
		   view->rx_queue, seq_uid(seq, view->uid), 0, view->ino,
		   refcount_read(&sk->sk_refcnt) - 1, sk, atomic_read(&sk->sk_drops));
	seq_pad(seq, '\n');
}

const struct strata_list strata_proc_list_tcp = {
	.header	= tcp_header,
	.fetch	= fetch_tcp,
	.drop	= strata_proc_drop_sock,
	.show	= tcp_show,
};

const struct strata_list strata_proc_list_udp = {
	.header	= udp_header,
	.fetch	= fetch_udp,
	.drop	= strata_proc_drop_sock,
	.show	= dgram_show,
};

const struct strata_list strata_proc_list_icmp = {
	.header	= icmp_header,
	.fetch	= fetch_icmp,
	.drop	= strata_proc_drop_sock,
	.show	= dgram_show,
};
