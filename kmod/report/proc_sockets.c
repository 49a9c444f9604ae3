// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/strata/sockets: one line per socket for people: who speaks with whom, in which
 * state, for which process, what waits, what is under way and since when. Columns are
 * separated by blanks and never empty: what is not known or does not apply is "-", blanks
 * in a command's name are "_". Whose a socket of another user is sees who has CAP_NET_ADMIN in
 * the namespace. Bytes, milliseconds (RTT in microseconds), segments.
 *
 * What a datagram socket has to be read are the octets its programs will get. Nobody counts the
 * octets of what it has sent and no device has taken yet: tx_queue is what SIOCOUTQ says, as
 * native's, the memory of that.
 *
 * First come the sockets in the tables of TCP, UDP and ping sockets, then those made by socket(2)
 * that no table has. (One that accept() gave and whose connection is over has no line.)
 */

#include <linux/ctype.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include "owner.h"
#include "proc_int.h"
#include "socklist.h"

#define ADDR_LEN	sizeof("255.255.255.255:65535")

static const char * const proto_names[] = {
	[STRATA_REPORT_TCP]	= "tcp",
	[STRATA_REPORT_UDP]	= "udp",
	[STRATA_REPORT_ICMP]	= "icmp",
};

static const char *state_name(unsigned int proto, u8 state)
{
	static const char * const names[TCP_MAX_STATES] = {
		[TCP_ESTABLISHED]	= "ESTABLISHED",
		[TCP_SYN_SENT]		= "SYN-SENT",
		[TCP_SYN_RECV]		= "SYN-RECEIVED",
		[TCP_FIN_WAIT1]		= "FIN-WAIT-1",
		[TCP_FIN_WAIT2]		= "FIN-WAIT-2",
		[TCP_TIME_WAIT]		= "TIME-WAIT",
		[TCP_CLOSE]		= "CLOSED",
		[TCP_CLOSE_WAIT]	= "CLOSE-WAIT",
		[TCP_LAST_ACK]		= "LAST-ACK",
		[TCP_LISTEN]		= "LISTEN",
		[TCP_CLOSING]		= "CLOSING",
	};

	if (proto != STRATA_REPORT_TCP)
		return state == TCP_ESTABLISHED ? "CONNECTED" : "OPEN";
	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "-";
}

/* TCP's are linked by the kernel's node; of the others those that have a port, or an identifier */
static bool no_table_has(const struct sock *sk)
{
	if (strata_sk(sk)->proto == IPPROTO_TCP)
		return hlist_unhashed_lockless(&sk->sk_node);
	return !READ_ONCE(strata_sk(sk)->lport);
}

static bool fetch_loose(struct strata_reader *r)
{
	struct sock *sk = strata_sock_list_next(r->sn, &r->pos, no_table_has);

	if (!sk)
		return false;
	if (strata_sk(sk)->proto == IPPROTO_TCP)
		strata_tcp_view(sk, &r->view);
	else
		strata_proc_dgram_view(sk, &r->view);
	return true;
}

static bool fetch(struct strata_reader *r)
{
	for (; r->stage < STRATA_REPORT_PROTOS; r->stage++, r->pos = 0)
		if (strata_proc_fetch_sock(r))
			return true;
	return fetch_loose(r);
}

static enum strata_report_proto proto_of(const struct strata_reader *r)
{
	if (r->stage < STRATA_REPORT_PROTOS)
		return r->stage;
	switch (strata_sk(r->view.sk)->proto) {
	case IPPROTO_UDP:
		return STRATA_REPORT_UDP;
	case IPPROTO_ICMP:
		return STRATA_REPORT_ICMP;
	default:
		return STRATA_REPORT_TCP;
	}
}

static void header(struct seq_file *seq)
{
	seq_printf(seq, "%-5s %-12s %-21s %-21s %7s %-15s %5s %8s %9s %9s %9s %9s %9s %8s %7s %6s %s\n",
		   "proto", "state", "local", "remote", "pid", "command", "uid", "inode",
		   "rx_queue", "tx_queue", "unacked", "sent_ms", "rcvd_ms", "rtt_us", "rto_ms",
		   "cwnd", "retrans");
}

/* whose processes may he who opened the file see? His own; all, who administrates the namespace */
static bool may_see(struct seq_file *seq, const struct strata_reader *r)
{
	return uid_eq(r->view.uid, seq->file->f_cred->fsuid) ||
	       file_ns_capable(seq->file, r->sn->net->user_ns, CAP_NET_ADMIN);
}

/* the process that has the socket, as the reader may see it */
static void put_owner(struct seq_file *seq, const struct strata_reader *r)
{
	char comm[TASK_COMM_LEN] = "", *c;
	struct sock *sk = r->view.sk;
	pid_t nr = sk && may_see(seq, r) ? strata_sock_owner(sk, comm) : 0;

	for (c = comm; *c; c++)
		if (!isgraph(*c))
			*c = '_';
	if (nr > 0)
		seq_printf(seq, " %7d %-15s", nr, comm);
	else
		seq_printf(seq, " %7s %-15s", "-", *comm ? comm : "-");
}

static void put_addr(struct seq_file *seq, __be32 addr, __be16 port)
{
	char text[ADDR_LEN];

	if (port)
		snprintf(text, sizeof(text), "%pI4:%u", &addr, ntohs(port));
	else
		snprintf(text, sizeof(text), "%pI4:*", &addr);
	seq_printf(seq, " %-21s", text);
}

static void put_number(struct seq_file *seq, int width, bool known, u32 val)
{
	if (known)
		seq_printf(seq, " %*u", width, val);
	else
		seq_printf(seq, " %*s", width, "-");
}

static u32 rx_queue(const struct strata_tcp_view *view, enum strata_report_proto proto)
{
	switch (proto) {
	case STRATA_REPORT_UDP:
		return strata_udp_queued(view->sk);
	case STRATA_REPORT_ICMP:
		return strata_ping_queued(view->sk);
	default:
		return view->rx_queue;
	}
}

/* when data last went and came; "-": never */
static void put_times(struct seq_file *seq, const struct strata_tcp_view *view, bool tcp,
		      bool synced)
{
	bool sent = synced, rcvd = synced;

	if (!tcp) {
		sent = READ_ONCE(strata_sk(view->sk)->sent_time);
		rcvd = READ_ONCE(strata_sk(view->sk)->rcvd_time);
	}
	put_number(seq, 9, sent, view->last_sent_ms);
	put_number(seq, 9, rcvd, view->last_rcvd_ms);
}

static void show(struct seq_file *seq, struct strata_reader *r)
{
	const struct strata_tcp_view *view = &r->view;
	enum strata_report_proto proto = proto_of(r);
	bool tcp = proto == STRATA_REPORT_TCP;
	bool conn = tcp && view->kind == STRATA_TCP_SOCK && view->state != TCP_CLOSE;

	seq_printf(seq, "%-5s %-12s", proto_names[proto], state_name(proto, view->state));
	put_addr(seq, view->laddr, view->lport);
	put_addr(seq, view->raddr, view->rport);
	put_owner(seq, r);
	seq_printf(seq, " %5u %8lu %9u %9u", from_kuid_munged(seq_user_ns(seq), view->uid),
		   view->ino, rx_queue(view, proto), view->tx_queue);
	put_number(seq, 9, conn, view->unacked);
	put_times(seq, view, tcp, conn && view->state != TCP_SYN_SENT);
	put_number(seq, 8, conn && view->srtt_us, view->srtt_us);
	put_number(seq, 7, conn, view->rto_us / USEC_PER_MSEC);
	put_number(seq, 6, conn, view->cwnd);
	put_number(seq, 7, conn, view->total_retrans);
	seq_putc(seq, '\n');
}

const struct strata_list strata_proc_list_sockets = {
	.header	= header,
	.fetch	= fetch,
	.drop	= strata_proc_drop_sock,
	.show	= show,
};
