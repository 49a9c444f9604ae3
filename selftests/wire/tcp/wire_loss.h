/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For cases about losses: a connection with a flight of segments and a known round trip, and
 * what tcp_info says of its window.
 */
#ifndef STRATA_WIRE_LOSS_H
#define STRATA_WIRE_LOSS_H

#include "wire_state.h"

/* after one sample of 40 ms: it, the floor of 200 and the clock's tick */
#define RTO	244

/*
 * a connection with a round trip of @rtt ms that has sent @n segments of 1000 octets, the first
 * ACKs of which are due now; @more are ready. Or -1
 */
static inline int sent_rtt(int rtt, int lfd, const char *opts, int n, int more)
{
	int fd, i, len = 1000 - (strstr(opts, "ts") ? 12 : 0);
	struct wseg s;

	w.ts = strstr(opts, "ts");
	if (!w_in("S 0 %s", opts) || !w_next(1000, &s))
		return -1;
	sleep_s(rtt / 1000.0);
	if (!w_in("A 1 ack 1"))
		return -1;
	fd = w_accept(lfd);

	if (fd < 0 || w_put(fd, (n + more) * len, 0) != (n + more) * len)
		return -1;
	for (i = 0; i < n; i++)
		if (!w_next(100, &s) || s.seq != 1 + i * len || s.len != len)
			return -1;
	sleep_s(rtt / 1000.0);
	return fd;
}

static inline int sent(int lfd, const char *opts, int n, int more)
{
	return sent_rtt(40, lfd, opts, n, more);
}

/* one that leaves time for a pause or a look where time is real; a tenth of it is sim's */
static inline int long_rtt(void)
{
	return w.sim ? 40 : 400;
}

static inline int info_u32(int fd, size_t at)
{
	struct tcp_info info = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return *(uint32_t *)((char *)&info + at);
}

#define INFO(fd, field)	info_u32(fd, offsetof(struct tcp_info, field))

/* the same, and its congestion control is Reno, whose numbers are round */
static inline int sent_reno(int lfd, const char *opts, int n, int more)
{
	return setsockopt(lfd, SOL_TCP, TCP_CONGESTION, "reno", 4) ? -1 : sent(lfd, opts, n, more);
}

/* segments with data sent within @ms after the one before */
static inline int segments(int ms)
{
	struct wseg s;
	int n = 0;

	while (w_next(ms, &s))
		n += s.len > 0;
	return n;
}

#endif
