// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slow timer, sk->sk_timer: keepalive (RFC 9293 3.8.4), and the end of an orphan's FIN-WAIT-2.
 *
 * locking: the handler runs in BH and takes the socket lock; a pending timer holds a reference
 * (sk_reset_timer()). If the user owns the socket when it fires, it comes again a little later.
 */

#include "tcp_int.h"

void strata_tcp_keepalive_set(struct sock *sk, unsigned long when)
{
	sk_reset_timer(sk, &sk->sk_timer, jiffies + when);
}

void strata_tcp_keepalive_clear(struct sock *sk)
{
	strata_tcp_stop_timer(sk, &sk->sk_timer);
}

static u32 keepalive_intvl(const struct strata_tcp_sock *tp)
{
	return tp->keepalive_intvl ?:
	       READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_keepalive_intvl);
}

/* RFC 9293 3.8.4; jiffies until the timer is needed again, 0: the connection is over */
static unsigned long keepalive_run(struct sock *sk)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 limit = tp->keepalive_probes ?:
		    READ_ONCE(strata_sk_net(sk)->conf.tcp_keepalive_probes);
	unsigned long idle_max = strata_tcp_keepalive_time(tp);
	u32 now = (u32)jiffies;
	u32 idle;

	/* what is outstanding has timers of its own */
	if (tp->scb.packets_out || !skb_queue_empty(&sk->sk_write_queue))
		return idle_max;
	idle = min(now - (u32)tp->ack.lrcvtime, now - tp->ack_time);
	if (idle < idle_max)
		return idle_max - idle;
	if (tp->user_timeout ? tp->probes_out && idle >= msecs_to_jiffies(tp->user_timeout) :
			       tp->probes_out >= limit) {
		strata_tcp_send_active_reset(sk, GFP_ATOMIC);
		strata_tcp_give_up(sk);
		return 0;
	}
	tp->probes_out++;
	strata_inc(strata_sk_net(sk), TCPEXT_KEEPALIVE);
	tp->todo |= STRATA_TODO_KEEPALIVE;
	strata_tcp_output(sk);
	return keepalive_intvl(tp);
}

/*
 * An orphan in FIN-WAIT-2: what its timer has waited for is over, or only what is more than an
 * object in TIME-WAIT can stand for
 */
static void fin_wait2_run(struct sock *sk)
{
	if (strata_tcp_sk(sk)->linger2 >= 0 &&
	    strata_tcp_fin_timeout(sk) > STRATA_TCP_TIMEWAIT_LEN) {
		strata_tcp_time_wait(sk, TCP_FIN_WAIT2, STRATA_TCP_TIMEWAIT_LEN);
		return;
	}
	strata_tcp_send_active_reset(sk, GFP_ATOMIC);
	strata_tcp_done(sk);
}

void strata_tcp_slow_fire(struct timer_list *t)
{
	struct sock *sk = container_of(t, struct sock, sk_timer);
	unsigned long next = 0;

	bh_lock_sock(sk);
	if (sock_owned_by_user(sk)) {
		/* unless the owner has set it anew since it fired */
		next = timer_pending(t) ? 0 : HZ / 20;
	} else if (sk->sk_state == TCP_FIN_WAIT2 && sock_flag(sk, SOCK_DEAD)) {
		fin_wait2_run(sk);
	} else if (sock_flag(sk, SOCK_KEEPOPEN) &&
		   !((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT))) {
		strata_tcp_mstamp(strata_tcp_sk(sk));
		next = keepalive_run(sk);
	}
	if (next)
		strata_tcp_keepalive_set(sk, next);
	bh_unlock_sock(sk);
	sock_put(sk);
}
