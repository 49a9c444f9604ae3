// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of level SOL_TCP, to set: names, ranges and errors are the native stack's (tcp(7)).
 * The order of checks is too: a string option looks at its own length; all others are ints,
 * so a short buffer is EINVAL, an unreadable one EFAULT, and only then is the name looked
 * at (ENOPROTOOPT).
 *
 * RFC 9293 3.8.4 (keepalive), 3.7.1 (MSS), 3.7.4 (Nagle), 5482 (user timeout).
 */

#include "tcp_int.h"

#define TCP_MIN_USER_MSS	88
#define TCP_MAX_USER_MSS	32767
#define TCP_MAX_KEEPIDLE	32767	/* seconds */
#define TCP_MAX_KEEPINTVL	32767	/* seconds */
#define TCP_MAX_COUNT		127	/* TCP_KEEPCNT, TCP_SYNCNT */
#define TCP_MAX_LINGER2		120	/* seconds */

#define STATES_DATA	(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT | TCPF_FIN_WAIT1 | \
			 TCPF_CLOSING | TCPF_LAST_ACK)

static bool in_state(const struct sock *sk, int states)
{
	return (1 << sk->sk_state) & states;
}

/* what waited for a full segment may go */
static void push_pending(struct sock *sk)
{
	if (!in_state(sk, STATES_DATA) || skb_queue_empty(&sk->sk_write_queue))
		return;
	strata_tcp_sk(sk)->todo |= STRATA_TODO_DATA | STRATA_TODO_PUSH;
	strata_tcp_output(sk);
}

static int set_cong(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	char name[STRATA_CC_NAME_MAX];
	long len;

	if (optlen < 1)
		return -EINVAL;
	len = strncpy_from_sockptr(name, optval, min_t(long, sizeof(name) - 1, optlen));
	if (len < 0)
		return -EFAULT;
	name[len] = '\0';
	return strata_tcp_set_cong(sk, name);
}

static int set_fastopen_key(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	u8 key[STRATA_FASTOPEN_KEYS * STRATA_FASTOPEN_KEY_LEN];

	if (optlen != STRATA_FASTOPEN_KEY_LEN && optlen != sizeof(key))
		return -EINVAL;
	if (copy_from_sockptr(key, optval, optlen))
		return -EFAULT;
	return strata_tcp_fastopen_set_keys(sk, key, optlen / STRATA_FASTOPEN_KEY_LEN);
}

/* RFC 7413 A.1: the three options that are ints */
static int set_fastopen(struct sock *sk, int optname, int val)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	bool closed = in_state(sk, TCPF_CLOSE | TCPF_LISTEN);

	if (val < 0 || (val > 1 && optname != TCP_FASTOPEN))
		return -EINVAL;
	switch (optname) {
	case TCP_FASTOPEN:
		if (!closed)
			return -EINVAL;
		strata_tcp_fastopen_tune(sk, val);
		return 0;
	case TCP_FASTOPEN_CONNECT:
		if (!(READ_ONCE(strata_sk_net(sk)->conf.tcp_fastopen) & STRATA_FASTOPEN_CLIENT))
			return -EOPNOTSUPP;
		if (sk->sk_state != TCP_CLOSE)
			return -EINVAL;
		tp->fo_connect = val;
		return 0;
	default:
		if (!closed)
			return -EINVAL;
		tp->fo_no_cookie = val;
		return 0;
	}
}

/* how many SYN-ACKs are sent in @secs: after 1, 3, 7 ... seconds */
static u8 secs_to_synacks(int secs)
{
	int gap = 1, sum = 1;
	u8 n = 1;

	if (secs <= 0)
		return 0;
	while (sum < secs && n < U8_MAX) {
		gap = min(gap * 2, (int)(STRATA_RTO_MAX_US / USEC_PER_SEC));
		sum += gap;
		n++;
	}
	return n;
}

static int set_linger2(struct strata_tcp_sock *tp, int secs)
{
	WRITE_ONCE(tp->linger2, secs < 0 ? -1 : min(secs, TCP_MAX_LINGER2) * HZ);
	return 0;
}

/* true: done, *err says how. These need no lock: nobody else writes more than one word */
static bool set_unlocked(struct strata_tcp_sock *tp, int optname, int val, int *err)
{
	*err = 0;
	switch (optname) {
	case TCP_SYNCNT:
		if (val < 1 || val > TCP_MAX_COUNT)
			*err = -EINVAL;
		else
			WRITE_ONCE(tp->syn_retries, val);
		return true;
	case TCP_USER_TIMEOUT:
		if (val < 0)
			*err = -EINVAL;
		else
			WRITE_ONCE(tp->user_timeout, val);
		return true;
	case TCP_KEEPINTVL:
		if (val < 1 || val > TCP_MAX_KEEPINTVL)
			*err = -EINVAL;
		else
			WRITE_ONCE(tp->keepalive_intvl, val * HZ);
		return true;
	case TCP_KEEPCNT:
		if (val < 1 || val > TCP_MAX_COUNT)
			*err = -EINVAL;
		else
			WRITE_ONCE(tp->keepalive_probes, val);
		return true;
	case TCP_LINGER2:
		*err = set_linger2(tp, val);
		return true;
	case TCP_DEFER_ACCEPT:
		WRITE_ONCE(tp->defer_accept, secs_to_synacks(val));
		return true;
	default:
		return false;
	}
}

static int set_keepidle(struct sock *sk, int val)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 now = (u32)jiffies, idle;

	if (val < 1 || val > TCP_MAX_KEEPIDLE)
		return -EINVAL;
	WRITE_ONCE(tp->keepalive_time, val * HZ);
	if (!sock_flag(sk, SOCK_KEEPOPEN) || in_state(sk, TCPF_CLOSE | TCPF_LISTEN))
		return 0;
	/* the new time counts from when the peer was last heard */
	idle = min(now - (u32)tp->ack.lrcvtime, now - tp->ack_time);
	strata_tcp_keepalive_set(sk, tp->keepalive_time > idle ? tp->keepalive_time - idle : 0);
	return 0;
}

static int set_window_clamp(struct sock *sk, int val)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	u32 clamp, old;

	if (!val) {
		if (sk->sk_state != TCP_CLOSE)
			return -EINVAL;
		WRITE_ONCE(tp->window_clamp, 0);
		return 0;
	}
	clamp = max_t(u32, val, SOCK_MIN_RCVBUF / 2);
	WRITE_ONCE(tp->window_clamp, clamp);
	if (in_state(sk, TCPF_CLOSE | TCPF_LISTEN))
		return 0;
	old = tp->rwnd.clamp;
	WRITE_ONCE(tp->rwnd.clamp, clamp);
	if (clamp < old)
		tp->rcv.ssthresh = min(tp->rcv.ssthresh, clamp);
	else
		tp->rcv.ssthresh = max(tp->rcv.ssthresh, min(tp->rwnd.wnd, clamp));
	return 0;
}

/* 0: interactive, delay ACKs; else send the one that is owed, and if odd stay quick */
static void set_quickack(struct sock *sk, int val)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	if (!val) {
		strata_tcp_set_interactive(tp);
		return;
	}
	tp->ack.pingpong = 0;
	tp->ack_alone = 1;
	if (!in_state(sk, TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) ||
	    !(tp->ack.pending & STRATA_ACK_SCHED))
		return;
	tp->todo |= STRATA_TODO_ACK;
	strata_tcp_output(sk);
	if (!(val & 1))
		strata_tcp_set_interactive(tp);
}

static void set_nodelay(struct sock *sk, bool on)
{
	strata_tcp_sk(sk)->nodelay = on;
	if (on)
		push_pending(sk);
}

static void set_cork(struct sock *sk, bool on)
{
	strata_tcp_sk(sk)->cork = on;
	if (!on)
		push_pending(sk);
}

static int set_locked(struct sock *sk, int optname, int val)
{
	struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	switch (optname) {
	case TCP_MAXSEG:
		if (val && (val < TCP_MIN_USER_MSS || val > TCP_MAX_USER_MSS))
			return -EINVAL;
		WRITE_ONCE(tp->snd.user_mss, val);
		return 0;
	case TCP_NODELAY:
		set_nodelay(sk, val);
		return 0;
	case TCP_CORK:
		set_cork(sk, val);
		return 0;
	case TCP_KEEPIDLE:
		return set_keepidle(sk, val);
	case TCP_WINDOW_CLAMP:
		return set_window_clamp(sk, val);
	case TCP_QUICKACK:
		set_quickack(sk, val);
		return 0;
	case TCP_THIN_LINEAR_TIMEOUTS:
		if (val < 0 || val > 1)
			return -EINVAL;
		tp->thin_lto = val;
		return 0;
	case TCP_THIN_DUPACK:	/* without effect, as in the native stack */
		return val < 0 || val > 1 ? -EINVAL : 0;
	case TCP_NOTSENT_LOWAT:
		WRITE_ONCE(tp->notsent_lowat, val);
		sk->sk_write_space(sk);
		return 0;
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
	case TCP_FASTOPEN_NO_COOKIE:
		return set_fastopen(sk, optname, val);
	case TCP_SAVE_SYN:
		if (val < 0 || val > STRATA_SAVE_SYN_LINK)
			return -EINVAL;
		WRITE_ONCE(tp->save_syn, val);
		return 0;
	case TCP_TIMESTAMP:	/* the clock is set by TCP_REPAIR alone, which is not done */
		return -EPERM;
	case TCP_TX_DELAY:
		strata_tcp_set_tx_delay(sk, val);
		return 0;
	case TCP_INQ:
		if (val < 0 || val > 1)
			return -EINVAL;
		tp->inq_cmsg = val;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int strata_tcp_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
			  unsigned int optlen)
{
	int val, err;

	if (level != SOL_TCP)
		return -ENOPROTOOPT;
	if (optname == TCP_CONGESTION)
		return set_cong(sk, optval, optlen);
	if (optname == TCP_FASTOPEN_KEY)
		return set_fastopen_key(sk, optval, optlen);
	if (optname == TCP_ULP)
		return -ENOPROTOOPT;
	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (set_unlocked(strata_tcp_sk(sk), optname, val, &err))
		return err;
	lock_sock(sk);
	err = set_locked(sk, optname, val);
	release_sock(sk);
	return err;
}

/* the core sets SOCK_KEEPOPEN after this returns */
void strata_tcp_set_keepalive(struct sock *sk, int on)
{
	if (in_state(sk, TCPF_CLOSE | TCPF_LISTEN))
		return;
	if (on && !sock_flag(sk, SOCK_KEEPOPEN))
		strata_tcp_keepalive_set(sk, strata_tcp_keepalive_time(strata_tcp_sk(sk)));
	else if (!on)
		strata_tcp_keepalive_clear(sk);
}
