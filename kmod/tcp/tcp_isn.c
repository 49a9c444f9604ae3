// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers a stranger must not guess: initial sequence numbers (RFC 6528), timestamp
 * offsets (RFC 7323 5.4) and SYN cookies (RFC 4987 3.6). All are keyed hashes
 * (SipHash) of the addresses with secrets drawn once per load of the module.
 *
 * A cookie says which of four MSS values the peer announced, and when, in units of 64 s:
 *
 *	cookie = hash(addresses) + irs + (minute << 24)
 *	         + ((hash(addresses, minute) + mss index) mod 2^24)
 */

#include <linux/random.h>
#include <linux/siphash.h>
#include "tcp_int.h"

#define COOKIE_PERIOD_SEC	64
#define COOKIE_MAX_AGE		2	/* periods */
#define COOKIE_BITS		24
#define COOKIE_MASK		((1U << COOKIE_BITS) - 1)

static siphash_aligned_key_t isn_key __read_mostly;
static siphash_aligned_key_t ts_key __read_mostly;
static siphash_aligned_key_t cookie_key[2] __read_mostly;

/* ascending; chosen where real peers' values cluster */
static const u16 cookie_mss[] = { 536, 1300, 1440, 1460 };

void strata_tcp_isn_init(void)
{
	get_random_bytes(&isn_key, sizeof(isn_key));
	get_random_bytes(&ts_key, sizeof(ts_key));
	get_random_bytes(cookie_key, sizeof(cookie_key));
}

static u32 ports_word(__be16 sport, __be16 dport)
{
	return (__force u32)sport << 16 | (__force u32)dport;
}

/* ISN = M + F(addresses, secret); M ticks every 64 ns, wrapping in 274 s (RFC 6528 3) */
u32 strata_tcp_isn(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport)
{
	u32 f = siphash_3u32((__force u32)saddr, (__force u32)daddr, ports_word(sport, dport),
			     &isn_key);

	return f + (u32)(ktime_get_real_ns() >> 6);
}

u32 strata_tcp_ts_off(const struct strata_net *sn, __be32 saddr, __be32 daddr)
{
	if (READ_ONCE(sn->conf.tcp_timestamps) != 1)
		return 0;
	return siphash_3u32((__force u32)saddr, (__force u32)daddr, sn->key, &ts_key);
}

static u32 cookie_hash(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport, u32 count, int c)
{
	u64 a = (u64)(__force u32)saddr << 32 | (__force u32)daddr;
	u64 b = (u64)ports_word(sport, dport) << 32 | count;

	return siphash_2u64(a, b, &cookie_key[c]);
}

static u32 cookie_time(void)
{
	return div_u64(ktime_get_seconds(), COOKIE_PERIOD_SEC);
}

u32 strata_tcp_cookie(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport, u32 irs, u16 *mss)
{
	u32 count = cookie_time();
	int i = ARRAY_SIZE(cookie_mss) - 1;

	while (i && *mss < cookie_mss[i])
		i--;
	*mss = cookie_mss[i];
	return cookie_hash(saddr, daddr, sport, dport, 0, 0) + irs + (count << COOKIE_BITS) +
	       ((cookie_hash(saddr, daddr, sport, dport, count, 1) + i) & COOKIE_MASK);
}

u16 strata_tcp_cookie_check(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport, u32 irs,
			    u32 cookie)
{
	u32 now = cookie_time(), age, i;

	cookie -= cookie_hash(saddr, daddr, sport, dport, 0, 0) + irs;
	age = (now - (cookie >> COOKIE_BITS)) & (U32_MAX >> COOKIE_BITS);
	if (age >= COOKIE_MAX_AGE)
		return 0;
	i = (cookie - cookie_hash(saddr, daddr, sport, dport, now - age, 1)) & COOKIE_MASK;
	return i < ARRAY_SIZE(cookie_mss) ? cookie_mss[i] : 0;
}
