// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a TCP socket and its state (RFC 9293 3.3.2).
 *
 * A socket exists as long as somebody holds a reference: the descriptor or, when that is
 * closed, the connection itself, which gives its reference up in strata_tcp_destroy(). An
 * orphan (SOCK_DEAD) that reaches CLOSED is destroyed at once; a socket with an owner waits
 * for close().
 *
 * Lookups find sockets under RCU, so the slab is SLAB_TYPESAFE_BY_RCU.
 */

#include <linux/module.h>
#include <linux/swap.h>
#include "owner.h"
#include "tcp_table.h"

static atomic_long_t strata_tcp_memory_allocated ____cacheline_aligned_in_smp;
static DEFINE_PER_CPU(int, strata_tcp_memory_per_cpu_fw_alloc);
static struct percpu_counter strata_tcp_sockets_allocated;
static unsigned long strata_tcp_memory_pressure;
static long strata_tcp_mem[3] __read_mostly;	/* pages: low, pressure, high */
static int tcp_no_min;	/* a namespace's own: strata_tcp_wmem_ok(), strata_tcp_rmem_ok() */

static void tcp_enter_memory_pressure(struct sock *sk)
{
	if (READ_ONCE(strata_tcp_memory_pressure))
		return;
	WRITE_ONCE(strata_tcp_memory_pressure, jiffies | 1);
	strata_inc(strata_sk_net(sk), TCPEXT_MEMORYPRESSURES);
}

static void tcp_leave_memory_pressure(struct sock *sk)
{
	WRITE_ONCE(strata_tcp_memory_pressure, 0);
}

/*
 *                              +---------+ ---------\      active OPEN
 *                              |  CLOSED |            \    -----------
 *                              +---------+<---------\   \   create TCB
 *                                |     ^              \   \  snd SYN
 *                   passive OPEN |     |   CLOSE        \   \
 *                   ------------ |     | ----------       \   \
 *                    create TCB  |     | delete TCB         \   \
 *                                V     |                      \   \
 *          rcv RST (note 1)    +---------+            CLOSE    |    \
 *       -------------------->  |  LISTEN |          ---------- |     |
 *      /                       +---------+          delete TCB |     |
 *     /           rcv SYN      |     |     SEND              |     |
 *    /           -----------   |     |    -------            |     V
 *  +--------+    snd SYN,ACK  /       \   snd SYN          +--------+
 *  |        |<----------------         ------------------>|        |
 *  |  SYN   |                    rcv SYN                  |  SYN   |
 *  |  RCVD  |<-------------------------------------------|  SENT  |
 *  |        |                  snd SYN,ACK                |        |
 *  |        |------------------           ----------------|        |
 *  +--------+   rcv ACK of SYN  \       /  rcv SYN,ACK    +--------+
 *     |         --------------   |     |   -----------
 *     |                x         |     |     snd ACK
 *     |                          V     V
 *     |  CLOSE                 +---------+
 *     | -------                |  ESTAB  |
 *     | snd FIN                +---------+
 *     |                 CLOSE    |     |    rcv FIN
 *     V                -------   |     |    -------
 *  +---------+         snd FIN  /       \   snd ACK         +---------+
 *  |  FIN    |<----------------          ------------------>|  CLOSE  |
 *  | WAIT-1  |------------------                            |   WAIT  |
 *  +---------+          rcv FIN  \                          +---------+
 *    | rcv ACK of FIN   -------   |                          CLOSE  |
 *    | --------------   snd ACK   |                         ------- |
 *    V        x                   V                         snd FIN V
 *  +---------+               +---------+                    +---------+
 *  |FINWAIT-2|               | CLOSING |                    | LAST-ACK|
 *  +---------+               +---------+                    +---------+
 *    |              rcv ACK of FIN |                 rcv ACK of FIN |
 *    |  rcv FIN     -------------- |    Timeout=2MSL -------------- |
 *    |  -------            x       V    ------------        x       V
 *     \ snd ACK              +---------+delete TCB          +---------+
 *       -------------------->|TIME-WAIT|------------------->| CLOSED  |
 *                            +---------+                    +---------+
 *
 * In Strata LISTEN never changes into SYN-RECEIVED: requests are objects of their own
 * (tcp_listen.c) and a child starts in SYN-RECEIVED. TIME-WAIT is an object too
 * (tcp_timewait.c); a socket passes through it on its way to CLOSED, of which nobody is told: the
 * connection is in CLOSED when the object ends. Every state may end in CLOSED by RST, timeout or
 * abort.
 */
#define S(state)	BIT(state)
static const u16 tcp_transitions[TCP_MAX_STATES] = {
	[TCP_CLOSE]		= S(TCP_SYN_SENT) | S(TCP_LISTEN) | S(TCP_CLOSE),
	[TCP_LISTEN]		= S(TCP_CLOSE),
	[TCP_SYN_SENT]		= S(TCP_SYN_RECV) | S(TCP_ESTABLISHED) | S(TCP_CLOSE),
	[TCP_SYN_RECV]		= S(TCP_ESTABLISHED) | S(TCP_FIN_WAIT1) | S(TCP_CLOSE),
	[TCP_ESTABLISHED]	= S(TCP_FIN_WAIT1) | S(TCP_CLOSE_WAIT) | S(TCP_CLOSE),
	[TCP_FIN_WAIT1]		= S(TCP_FIN_WAIT2) | S(TCP_CLOSING) | S(TCP_TIME_WAIT) |
				  S(TCP_CLOSE),
	[TCP_FIN_WAIT2]		= S(TCP_TIME_WAIT) | S(TCP_CLOSE),
	[TCP_CLOSING]		= S(TCP_TIME_WAIT) | S(TCP_CLOSE),
	[TCP_CLOSE_WAIT]	= S(TCP_LAST_ACK) | S(TCP_CLOSE),
	[TCP_LAST_ACK]		= S(TCP_CLOSE),
	[TCP_TIME_WAIT]		= S(TCP_CLOSE),
};

#define TCP_CURR_ESTAB	(S(TCP_ESTABLISHED) | S(TCP_CLOSE_WAIT))

/* the SNMP counters that hang on transitions (RFC 4022) */
static void count_transition(struct strata_net *sn, int from, int to)
{
	if (!(S(from) & TCP_CURR_ESTAB) && (S(to) & TCP_CURR_ESTAB))
		strata_inc(sn, TCP_CURRESTAB);
	else if ((S(from) & TCP_CURR_ESTAB) && !(S(to) & TCP_CURR_ESTAB))
		strata_add(sn, TCP_CURRESTAB, -1);
	if (to == TCP_CLOSE && (S(from) & TCP_CURR_ESTAB))
		strata_inc(sn, TCP_ESTABRESETS);
	if (to == TCP_CLOSE && (from == TCP_SYN_SENT || from == TCP_SYN_RECV))
		strata_inc(sn, TCP_ATTEMPTFAILS);
}

/* @moved: to CLOSED goes the socket alone, the connection lives on in a small object */
static void change_state(struct sock *sk, int state, bool moved)
{
	struct strata_sock *ep = strata_sk(sk);
	int old = sk->sk_state;

	WARN_ON_ONCE(!(tcp_transitions[old] & S(state)));
	if (old != state)
		count_transition(strata_sk_net(sk), old, state);
	if (state == TCP_CLOSE) {
		strata_tcp_unhash(sk);
		strata_tcp_fastopen_release(sk, false);
	}
	/* strata_tcp_connect() tells, when it has a port and nothing is in TIME-WAIT there */
	if (ep->bind && !moved && state != TCP_SYN_SENT)
		trace_strata_tcp_state(sk, ep->laddr, ep->lport, ep->raddr, ep->rport, old, state);

	/* unhashed first: a lookup must not find a closed socket */
	smp_store_release(&sk->sk_state, state);
	if (state == TCP_CLOSE && ep->bind && !(sk->sk_userlocks & SOCK_BINDPORT_LOCK)) {
		__be16 port = ep->lport;

		strata_port_put(sk);
		/* no longer ours, but getsockname() still says what it was, as native */
		WRITE_ONCE(ep->lport, port);
	}
}

void strata_tcp_set_state(struct sock *sk, int state)
{
	change_state(sk, state, false);
}

static void sock_destruct(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	__skb_queue_purge(&sk->sk_receive_queue);
	__skb_queue_purge(&sk->sk_error_queue);
	strata_cong_exit(&tp->cong);
	strata_tcp_fastopen_destruct(sk);
	kfree(tp->syn);
	strata_path_put(&tp->ep.path);
	strata_sock_owner_put(sk);
	strata_add(tp->ep.sn, SOCKETS, -1);

	WARN_ON_ONCE(atomic_read(&sk->sk_rmem_alloc));
	WARN_ON_ONCE(refcount_read(&sk->sk_wmem_alloc));
	WARN_ON_ONCE(sk->sk_wmem_queued);
	WARN_ON_ONCE(sk_unused_reserved_mem(sk) < 0);
}

/* what a new socket and a child have in common: nothing of a connection yet */
static void sock_clear(struct strata_tcp_sock *tp)
{
	struct sock *sk = &tp->ep.sk;

	sk->tcp_rtx_queue = RB_ROOT;
	INIT_LIST_HEAD(&tp->rtx_by_time);
	tp->ofo = RB_ROOT;
	tp->ofo_last = NULL;
	tp->table = STRATA_TCP_IN_NONE;
	tp->deferred = 0;
	tp->todo = 0;
	tp->listener = NULL;
	tp->syn = NULL;
	INIT_LIST_HEAD(&tp->accept_node);
	memset(&tp->lst, 0, sizeof(tp->lst));
	spin_lock_init(&tp->lst.lock);
	INIT_LIST_HEAD(&tp->lst.queue);
	INIT_LIST_HEAD(&tp->lst.fo_reset);
	strata_tcp_fastopen_clear(tp);

	strata_rtt_init(&tp->rtt);
	tp->rtt.rto_min_us = tp->rto_min_us;
	strata_scb_init(&tp->scb, READ_ONCE(strata_sk_net(sk)->conf.tcp_reordering), false);
	strata_rack_init(&tp->rack);
	strata_recovery_init(&tp->rec);
	strata_rate_init(&tp->rate);
	memset(&tp->tlp, 0, sizeof(tp->tlp));
	memset(&tp->sack_rcv, 0, sizeof(tp->sack_rcv));
	memset(&tp->ack, 0, sizeof(tp->ack));
	memset(&tp->chrono, 0, sizeof(tp->chrono));
	tp->snd.mss_clamp = 536;	/* RFC 9293 3.7.1 */
	tp->snd.mss = 536;
	strata_tcp_timers_init(sk);
}

int strata_tcp_sock_init(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct strata_net_conf *conf = &strata_sk_net(sk)->conf;

	tp->rto_min_us = READ_ONCE(conf->tcp_rto_min_us);
	sock_clear(tp);
	tp->rcv.ratio = STRATA_WND_RATIO;
	strata_tcp_cong_init(sk);
	sk->sk_state = TCP_CLOSE;
	sk->sk_backlog_rcv = strata_tcp_backlog_rcv;
	sk->sk_write_space = strata_tcp_write_space;
	sk->sk_error_report = strata_tcp_error_report;
	sk->sk_destruct = sock_destruct;
	strata_inc(tp->ep.sn, SOCKETS);
	WRITE_ONCE(sk->sk_sndbuf, READ_ONCE(conf->tcp_wmem[1]));
	WRITE_ONCE(sk->sk_rcvbuf, READ_ONCE(conf->tcp_rmem[1]));
	sk_sockets_allocated_inc(sk);
	return 0;
}

void strata_tcp_child_init(struct sock *child, const struct sock *parent)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(child);

	memset(&tp->ep.path, 0, sizeof(tp->ep.path));
	tp->ep.ip_id = get_random_u16();
	tp->ep.bind = NULL;
	tp->ep.owner = NULL;
	spin_lock_init(&child->sk_peer_lock);	/* the copy may be of a locked one */
	INIT_HLIST_NODE(&tp->ep.bind_node);
	INIT_HLIST_NODE(&child->sk_bind_node);	/* the parent's is on the list of socklist.c */
	strata_inc(tp->ep.sn, SOCKETS);
	sock_clear(tp);
	/* a clone shares no reference: pin the congestion control again */
	strata_tcp_cong_inherit(child, parent);
	child->sk_state = TCP_SYN_RECV;
	/* it has an identity of its own (SO_COOKIE, sock_diag) */
	atomic64_set(&child->sk_cookie, 0);
	sock_reset_flag(child, SOCK_RCU_FREE);
}

void strata_tcp_child_undo(struct sock *child)
	__releases(&child->sk_lock.slock)
{
	/* a lookup that stands on a former life of this object may have found it already */
	child->sk_state = TCP_CLOSE;
	sock_set_flag(child, SOCK_DEAD);
	bh_unlock_sock(child);
	sk_sockets_allocated_dec(child);
	/* sk_clone_lock() gave it two references */
	sock_put(child);
	sock_put(child);
}

void strata_tcp_purge_queues(struct sock *sk)
{
	strata_tcp_tx_purge(sk);
	strata_tcp_ofo_purge(sk);
}

void strata_tcp_destroy(struct sock *sk)
{
	WARN_ON_ONCE(sk->sk_state != TCP_CLOSE);
	WARN_ON_ONCE(!sock_flag(sk, SOCK_DEAD));

	strata_tcp_timers_stop(sk);
	strata_tcp_fastopen_over(sk);
	strata_tcp_purge_queues(sk);
	strata_port_put(sk);
	sk_stream_kill_queues(sk);
	percpu_counter_dec(&strata_sk_net(sk)->tcp_orphans);
	sk_sockets_allocated_dec(sk);
	sock_put(sk);
}

static void done(struct sock *sk, bool moved)
{
	if (sk->sk_state == TCP_CLOSE)
		return;
	strata_tcp_timers_stop(sk);
	strata_tcp_sk(sk)->todo = 0;
	change_state(sk, TCP_CLOSE, moved);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
	else
		strata_tcp_destroy(sk);
}

void strata_tcp_done(struct sock *sk)
{
	done(sk, false);
}

void strata_tcp_moved(struct sock *sk)
{
	done(sk, true);
}

void strata_tcp_fail(struct sock *sk, int err)
{
	if (sk->sk_state == TCP_CLOSE)
		return;
	WRITE_ONCE(sk->sk_err, err);
	/* the error must be there before poll() sees the state */
	smp_wmb();
	strata_tcp_fastopen_over(sk);
	strata_tcp_purge_queues(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
	strata_tcp_done(sk);
}

static int tcp_get_port(struct sock *sk, unsigned short port)
{
	return strata_port_bind(sk, port);
}

/* struct proto wants them; the socket layer does not call through it */
static void tcp_unhash(struct sock *sk)
{
	strata_tcp_unhash(sk);
}

struct proto strata_tcp_prot = {
	.name			= "STRATA-TCP",
	.owner			= THIS_MODULE,
	.close			= strata_tcp_close,
	.disconnect		= strata_tcp_disconnect,
	.init			= strata_tcp_sock_init,
	.shutdown		= strata_tcp_shutdown,
	.setsockopt		= strata_tcp_setsockopt,
	.getsockopt		= strata_tcp_getsockopt,
	.keepalive		= strata_tcp_set_keepalive,
	.backlog_rcv		= strata_tcp_backlog_rcv,
	.release_cb		= strata_tcp_release_cb,
	.get_port		= tcp_get_port,
	.unhash			= tcp_unhash,
	.rehash			= strata_path_rehash,
	.stream_memory_free	= strata_tcp_memory_free,
	.diag_destroy		= strata_tcp_abort,
	.enter_memory_pressure	= tcp_enter_memory_pressure,
	.leave_memory_pressure	= tcp_leave_memory_pressure,
	.sockets_allocated	= &strata_tcp_sockets_allocated,
	.memory_allocated	= &strata_tcp_memory_allocated,
	.per_cpu_fw_alloc	= &strata_tcp_memory_per_cpu_fw_alloc,
	.memory_pressure	= &strata_tcp_memory_pressure,
	.sysctl_mem		= strata_tcp_mem,
	.sysctl_wmem		= &tcp_no_min,
	.sysctl_rmem		= &tcp_no_min,
	.max_header		= STRATA_TCP_HEADROOM,
	.obj_size		= sizeof(struct strata_tcp_sock),
	.slab_flags		= SLAB_TYPESAFE_BY_RCU,
	.no_autobind		= true,
};

/* a sixteenth of the machine's memory may wait in TCP's queues before there is pressure */
static void tcp_mem_init(void)
{
	unsigned long limit = max(nr_free_buffer_pages() / 16, 128UL);

	strata_tcp_mem[0] = limit / 4 * 3;
	strata_tcp_mem[1] = limit;
	strata_tcp_mem[2] = strata_tcp_mem[0] * 2;
}

int strata_tcp_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct strata_tcp_seg) > sizeof_field(struct sk_buff, cb));
	BUILD_BUG_ON(sizeof(struct strata_tcp_tx) > sizeof_field(struct sk_buff, cb));

	tcp_mem_init();
	strata_tcp_isn_init();
	err = percpu_counter_init(&strata_tcp_sockets_allocated, 0, GFP_KERNEL);
	if (err)
		return err;
	err = strata_cong_module_init();
	if (err)
		goto err_counter;
	err = strata_tcp_lookup_init();
	if (err)
		goto err_cong;
	err = strata_tcp_tw_init();
	if (err)
		goto err_lookup;
	err = strata_tcp_listen_init();
	if (err)
		goto err_tw;
	err = strata_tcp_output_init();
	if (err)
		goto err_listen;
	return 0;

err_listen:
	strata_tcp_listen_exit();
err_tw:
	strata_tcp_tw_exit();
err_lookup:
	strata_tcp_lookup_exit();
err_cong:
	strata_cong_module_exit();
err_counter:
	percpu_counter_destroy(&strata_tcp_sockets_allocated);
	return err;
}

void strata_tcp_exit(void)
{
	strata_tcp_entry_exit();
	strata_tcp_frag_exit();
	strata_tcp_output_exit();
	strata_tcp_listen_exit();
	strata_tcp_tw_exit();
	strata_tcp_lookup_exit();
	strata_cong_module_exit();
	percpu_counter_destroy(&strata_tcp_sockets_allocated);
}

int strata_tcp_net_init(struct strata_net *sn)
{
	strata_tcp_cong_net_init(sn);
	strata_tcp_fastopen_net_init(sn);
	return 0;
}

void strata_tcp_net_exit(struct strata_net *sn)
{
	strata_tcp_tw_purge(sn);
	strata_tcp_fastopen_net_exit(sn);
	strata_tcp_cong_net_exit(sn);
}
