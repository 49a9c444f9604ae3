// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of level SOL_TCP, to read: values, lengths and errors are the native stack's. An
 * int is cut to the length the caller has room for; structures and names are too, and the
 * length says how much was given.
 */

#include <linux/inet_diag.h>	/* union tcp_cc_info */
#include "tcp_int.h"

/* seconds in which @n SYN-ACKs are sent */
static int synacks_to_secs(u8 n)
{
	int gap = 1, sum = 0;

	while (n--) {
		sum += gap;
		gap = min(gap * 2, (int)(STRATA_RTO_MAX_US / USEC_PER_SEC));
	}
	return sum;
}

static bool unconnected(const struct sock *sk)
{
	return (1 << READ_ONCE(sk->sk_state)) & (TCPF_CLOSE | TCPF_LISTEN);
}

static int get_maxseg(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	int user_mss = READ_ONCE(tp->snd.user_mss);

	return user_mss && unconnected(sk) ? user_mss : READ_ONCE(tp->snd.mss);
}

static int get_window_clamp(const struct sock *sk)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);

	return unconnected(sk) ? READ_ONCE(tp->window_clamp) : READ_ONCE(tp->rwnd.clamp);
}

static int get_linger2(const struct strata_tcp_sock *tp)
{
	int val = READ_ONCE(tp->linger2);

	if (val < 0)
		return val;
	return (val ?: READ_ONCE(strata_sk_net(&tp->ep.sk)->conf.tcp_fin_timeout)) / HZ;
}

/* TSval of a segment sent now, ms */
static u32 get_timestamp(const struct strata_tcp_sock *tp)
{
	return (u32)div_u64(strata_tcp_clock_us(), USEC_PER_MSEC) + READ_ONCE(tp->ts_offset);
}

/* options of one int: 0 and *@val, or -ENOPROTOOPT */
static int get_int(const struct sock *sk, int optname, int *val)
{
	const struct strata_tcp_sock *tp = strata_tcp_sk(sk);
	const struct strata_net_conf *conf = &strata_sk_net(sk)->conf;

	switch (optname) {
	case TCP_MAXSEG:
		*val = get_maxseg(sk);
		return 0;
	case TCP_NODELAY:
		*val = tp->nodelay;
		return 0;
	case TCP_CORK:
		*val = tp->cork;
		return 0;
	case TCP_KEEPIDLE:
		*val = strata_tcp_keepalive_time(tp) / HZ;
		return 0;
	case TCP_KEEPINTVL:
		*val = (READ_ONCE(tp->keepalive_intvl) ?:
			READ_ONCE(conf->tcp_keepalive_intvl)) / HZ;
		return 0;
	case TCP_KEEPCNT:
		*val = READ_ONCE(tp->keepalive_probes) ?: READ_ONCE(conf->tcp_keepalive_probes);
		return 0;
	case TCP_SYNCNT:
		*val = READ_ONCE(tp->syn_retries) ?: READ_ONCE(conf->tcp_syn_retries);
		return 0;
	case TCP_LINGER2:
		*val = get_linger2(tp);
		return 0;
	case TCP_DEFER_ACCEPT:
		*val = synacks_to_secs(READ_ONCE(tp->defer_accept));
		return 0;
	case TCP_WINDOW_CLAMP:
		*val = get_window_clamp(sk);
		return 0;
	case TCP_QUICKACK:
		*val = !strata_tcp_interactive(tp);
		return 0;
	case TCP_THIN_LINEAR_TIMEOUTS:
		*val = tp->thin_lto;
		return 0;
	case TCP_THIN_DUPACK:
		*val = 0;
		return 0;
	case TCP_USER_TIMEOUT:
		*val = READ_ONCE(tp->user_timeout);
		return 0;
	case TCP_NOTSENT_LOWAT:
		*val = READ_ONCE(tp->notsent_lowat);
		return 0;
	case TCP_FASTOPEN:
		*val = READ_ONCE(tp->lst.fo_max);
		return 0;
	case TCP_FASTOPEN_CONNECT:
		*val = tp->fo_connect;
		return 0;
	case TCP_FASTOPEN_NO_COOKIE:
		*val = tp->fo_no_cookie;
		return 0;
	case TCP_TIMESTAMP:	/* the lowest bit would say that it counts in µs */
		*val = get_timestamp(tp) & ~1U;
		return 0;
	case TCP_SAVE_SYN:
		*val = READ_ONCE(tp->save_syn);
		return 0;
	case TCP_TX_DELAY:
		*val = READ_ONCE(tp->tx_delay);
		return 0;
	case TCP_INQ:
		*val = tp->inq_cmsg;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int put_value(char __user *optval, int __user *optlen, const void *val, int len)
{
	if (put_user(len, optlen))
		return -EFAULT;
	if (copy_to_user(optval, val, len))
		return -EFAULT;
	return 0;
}

static int get_info(struct sock *sk, char __user *optval, int __user *optlen, int len)
{
	struct tcp_info info;

	lock_sock(sk);
	strata_tcp_get_info(sk, &info);
	release_sock(sk);
	return put_value(optval, optlen, &info, min_t(int, len, sizeof(info)));
}

static int get_cc_info(struct sock *sk, char __user *optval, int __user *optlen, int len)
{
	union tcp_cc_info info;
	size_t size;
	int attr;

	memset(&info, 0, sizeof(info));
	lock_sock(sk);
	size = strata_tcp_cc_info(sk, ~0U, &attr, &info);
	release_sock(sk);
	return put_value(optval, optlen, &info, min_t(int, len, size));
}

static int get_fastopen_key(struct sock *sk, char __user *optval, int __user *optlen, int len)
{
	u8 key[STRATA_FASTOPEN_KEYS * STRATA_FASTOPEN_KEY_LEN];
	int n = strata_tcp_fastopen_get_keys(sk, key);

	return put_value(optval, optlen, key, min_t(int, len, n * STRATA_FASTOPEN_KEY_LEN));
}

static int get_cong(struct sock *sk, char __user *optval, int __user *optlen, int len)
{
	char name[STRATA_CC_NAME_MAX] = "";

	lock_sock(sk);
	strscpy(name, strata_tcp_cong_name(sk), sizeof(name));
	release_sock(sk);
	return put_value(optval, optlen, name, min_t(int, len, sizeof(name)));
}

int strata_tcp_getsockopt(struct sock *sk, int level, int optname, char __user *optval,
			  int __user *optlen)
{
	int len, val, err;

	if (level != SOL_TCP)
		return -ENOPROTOOPT;
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	switch (optname) {
	case TCP_INFO:
		return get_info(sk, optval, optlen, len);
	case TCP_CC_INFO:
		return get_cc_info(sk, optval, optlen, len);
	case TCP_FASTOPEN_KEY:
		return get_fastopen_key(sk, optval, optlen, len);
	case TCP_SAVED_SYN:
		return strata_tcp_syn_get(sk, optval, optlen);
	case TCP_CONGESTION:
		return get_cong(sk, optval, optlen, len);
	case TCP_ZEROCOPY_RECEIVE:
		return strata_tcp_get_zerocopy(sk, optval, optlen, len);
	}
	err = get_int(sk, optname, &val);
	if (err)
		return err;
	return put_value(optval, optlen, &val, min_t(int, len, sizeof(val)));
}
