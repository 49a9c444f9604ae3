// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding data back below TCP's own windows: the small-queue limit and pacing.
 *
 * Small queues: sk_wmem_alloc counts the bytes handed down that have not left the
 * device yet. When they are more than about a millisecond at the pacing rate, output
 * stops and sets STRATA_TSQ_THROTTLED. The destructor of each skb (sock_wfree) calls
 * sk->sk_write_space: that is where completion is noticed. It may run anywhere, even
 * below our own transmit path with the socket locked, so it only puts the socket on a
 * per-CPU list, and a tasklet goes on with the output.
 *
 * Pacing: while sk_pacing_status asks for it (SO_MAX_PACING_RATE, or a congestion
 * control that needs it) each segment moves tp->pace_ns, the earliest departure of the
 * next, and a high-resolution timer wakes the output then. Where the device has sch_fq, that
 * says so in sk_pacing_status when it sees the first packet: from then on segments carry their
 * departure time down (skb->tstamp), the timer rests, and fq holds them until then. Stamps, of
 * RTT samples and TSval, are those of the departure.
 *
 * TCP_TX_DELAY has fq hold every segment longer, as a longer path would. Stamps know
 * nothing of that, so it is a part of the RTT. Without fq it does nothing, as native.
 *
 * locking: the socket lock but for the completion; tp->deferred by atomic bits.
 * A socket on a list, and an armed pacing timer, hold a reference.
 */

#include <linux/interrupt.h>
#include "tcp_int.h"

struct tsq_cpu {
	struct tasklet_struct	tasklet;
	struct llist_head	list;
};

static DEFINE_PER_CPU(struct tsq_cpu, tsq_cpu);

#define FREE_SEGS	10	/* not paced at first, as sch_fq once had it and native has it */
#define RATE_MOST	BIT_ULL(44)

DEFINE_STATIC_KEY_FALSE(strata_tcp_tx_delay_used);

void strata_tcp_set_tx_delay(struct sock *sk, u32 us)
{
	if (us && !static_branch_unlikely(&strata_tcp_tx_delay_used))
		static_branch_enable(&strata_tcp_tx_delay_used);
	WRITE_ONCE(strata_tcp_sk(sk)->tx_delay, us);
}

u64 strata_tcp_fq_depart_us(const struct strata_tcp_sock *tp)
{
	return max(tp->mstamp_us, div_u64(tp->pace_ns, NSEC_PER_USEC));
}

void strata_tcp_set_departure(const struct sock *sk, struct sk_buff *skb)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u64 at = max(tp->pace_ns, tp->mstamp_us * NSEC_PER_USEC);

	skb_set_delivery_time(skb, ns_to_ktime(at + (u64)tp->tx_delay * NSEC_PER_USEC),
			      SKB_CLOCK_MONOTONIC);
}

/* what waits for its departure is below TCP, too: twice the bytes, for the memory they take */
static unsigned long tx_delay_bytes(const struct sock *sk)
{
	u64 rate = min_t(u64, READ_ONCE(sk->sk_pacing_rate), RATE_MOST);

	return mul_u64_u32_shr(rate, strata_tcp_sk(sk)->tx_delay, ilog2(SZ_1M / 2));
}

/* paced, it is the rate that limits; and there may be much on a way that is longer than it seems */
static bool far_below(const struct sock *sk, unsigned long limit)
{
	if (READ_ONCE(sk->sk_pacing_status) == SK_PACING_NONE)
		limit = min_t(unsigned long, limit,
			      READ_ONCE(strata_sk_net(sk)->conf.tcp_limit_output_bytes));
	if (static_branch_unlikely(&strata_tcp_tx_delay_used))
		limit += tx_delay_bytes(sk);
	return refcount_read(&sk->sk_wmem_alloc) > limit;
}

/** strata_tcp_throttled() - is enough below TCP that @len octets of @skb had better wait? Locked */
bool strata_tcp_throttled(struct sock *sk, const struct sk_buff *skb, u32 len)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	unsigned long limit, one = skb->truesize;

	if (len < skb->len)
		one = SKB_TRUESIZE(skb_end_offset(skb)) + len;
	limit = max_t(unsigned long, 2 * one,
		      READ_ONCE(sk->sk_pacing_rate) >> READ_ONCE(sk->sk_pacing_shift));
	if (refcount_read(&sk->sk_wmem_alloc) <=
	    min_t(unsigned long, limit,
		  READ_ONCE(strata_sk_net(sk)->conf.tcp_limit_output_bytes)) ||
	    !far_below(sk, limit))
		return false;
	/* nothing of ours in flight would come back to wake us */
	if (RB_EMPTY_ROOT(&sk->tcp_rtx_queue))
		return false;
	set_bit(STRATA_TSQ_THROTTLED, &tp->deferred);
	/* a completion may have run between the test and the bit */
	smp_mb__after_atomic();
	return far_below(sk, limit);
}

bool strata_tcp_copy_below(const struct sock *sk, const struct sk_buff *skb)
{
	const struct sk_buff_fclones *two = container_of(skb, struct sk_buff_fclones, skb1);
	void (*destructor)(struct sk_buff *copy);

	if (likely(!skb_fclone_busy(sk, skb)))
		return false;
	/* a copy on the error queue (SO_TIMESTAMPING) is the socket's, too, but goes nowhere */
	destructor = READ_ONCE(two->skb2.destructor);
	return destructor == sock_wfree || destructor == sock_efree;	/* netem: the latter */
}

/** strata_tcp_still_below() - has the last copy of @skb not left this host? Then wait for it */
bool strata_tcp_still_below(struct sock *sk, const struct sk_buff *skb)
{
	if (likely(!strata_tcp_copy_below(sk, skb)))
		return false;
	set_bit(STRATA_TSQ_THROTTLED, &strata_tcp_sk(sk)->deferred);
	/* as in strata_tcp_throttled() */
	smp_mb__after_atomic();
	if (!strata_tcp_copy_below(sk, skb))
		return false;
	strata_inc(strata_sk_net(sk), TCPEXT_SPURIOUSRTXHOSTQUEUES);
	return true;
}

/** strata_tcp_resume() - go on sending after a completion or a pause. Locked */
void strata_tcp_resume(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	clear_bit(STRATA_TSQ_THROTTLED, &tp->deferred);
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_CLOSING |
				     TCPF_CLOSE_WAIT | TCPF_LAST_ACK)))
		return;
	tp->todo |= STRATA_TODO_DATA;
	if (tp->scb.lost_out)
		tp->todo |= STRATA_TODO_REXMIT;
	strata_tcp_output(sk);
}

/* BH, no lock held: resume now, or leave it to the owner of the socket */
static void resume_bh(struct sock *sk)
{
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		strata_tcp_resume(sk);
	else
		strata_tcp_defer(sk, STRATA_DEFER_OUTPUT);
	bh_unlock_sock(sk);
}

static void tsq_run(struct tasklet_struct *t)
{
	struct tsq_cpu *cpu = from_tasklet(cpu, t, tasklet);
	struct llist_node *list = llist_del_all(&cpu->list);
	struct strata_tcp_sock *tp, *next;

	llist_for_each_entry_safe(tp, next, list, tsq_node) {
		struct sock *sk = &tp->ep.sk;

		/* off the list before a completion may put it on again */
		smp_mb__before_atomic();
		clear_bit(STRATA_TSQ_QUEUED, &tp->deferred);
		resume_bh(sk);
		sock_put(sk);
	}
}

/** strata_tcp_completed() - an skb of ours left the host; any context */
void strata_tcp_completed(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	struct tsq_cpu *cpu;

	if (!test_bit(STRATA_TSQ_THROTTLED, &tp->deferred) ||
	    test_and_set_bit(STRATA_TSQ_QUEUED, &tp->deferred))
		return;
	/* the last reference may be gone: then only this skb keeps the memory */
	if (!refcount_inc_not_zero(&sk->sk_refcnt))
		return;
	cpu = get_cpu_ptr(&tsq_cpu);
	if (llist_add(&tp->tsq_node, &cpu->list))
		tasklet_schedule(&cpu->tasklet);
	put_cpu_ptr(&tsq_cpu);
}

static enum hrtimer_restart pace_fire(struct hrtimer *timer)
{
	struct strata_tcp_sock *tp = container_of(timer, struct strata_tcp_sock, pacing_timer);
	struct sock *sk = &tp->ep.sk;

	resume_bh(sk);
	sock_put(sk);
	return HRTIMER_NORESTART;
}

/* few are ever paced by it */
static void pace_setup(struct strata_tcp_sock *tp)
{
	hrtimer_init(&tp->pacing_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
	tp->pacing_timer.function = pace_fire;
	tp->pacing_ready = 1;
}

/* strata_tcp_paced() of a connection that is */
bool strata_tcp_pace_wait(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	/* within the µs of the clock: now */
	if (tp->pace_ns < (tp->mstamp_us + 1) * NSEC_PER_USEC)
		return false;
	if (!tp->pacing_ready)
		pace_setup(tp);
	if (!hrtimer_is_queued(&tp->pacing_timer)) {
		hrtimer_start(&tp->pacing_timer, ns_to_ktime(tp->pace_ns),
			      HRTIMER_MODE_ABS_PINNED_SOFT);
		sock_hold(sk);
	}
	return true;
}

/* strata_tcp_pace_sent() of a connection that is, or has fq pace it */
void strata_tcp_pace_next(struct sock *sk, const struct sk_buff *skb)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	unsigned long rate;
	u64 prior, gap;

	prior = tp->pace_ns;
	tp->pace_ns = max(prior, tp->mstamp_us * NSEC_PER_USEC);
	rate = READ_ONCE(sk->sk_pacing_rate);
	if (!rate || rate == ~0UL || tp->data_segs_out < FREE_SEGS)
		return;
	/* whoever woke us late is made up for, by half a gap at most */
	gap = div64_ul((u64)skb->len * NSEC_PER_SEC, rate);
	tp->pace_ns += gap - min(gap / 2, tp->pace_ns - prior);
}

/** strata_tcp_pace_stop() - stop the timer and drop its reference. Locked */
void strata_tcp_pace_stop(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (tp->pacing_ready && hrtimer_try_to_cancel(&tp->pacing_timer) == 1)
		__sock_put(sk);
}

int strata_tcp_output_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct tsq_cpu *c = per_cpu_ptr(&tsq_cpu, cpu);

		init_llist_head(&c->list);
		tasklet_setup(&c->tasklet, tsq_run);
	}
	return 0;
}

void strata_tcp_output_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu_ptr(&tsq_cpu, cpu)->tasklet);
}
