/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the cases of explicit congestion notification (RFC 3168) say besides the words of wire.h:
 * connections that have agreed on it.
 */
#ifndef STRATA_WIRE_ECN_H
#define STRATA_WIRE_ECN_H

#include "wire.h"

/* the peer opens, @rtt ms away, and ECN is agreed on; the accepted socket */
static inline int open_ecn_rtt(int rtt, int lfd, const char *opts)
{
	w.ts = !!strstr(opts, "ts");
	if (!w_in("SEC 0 %s", opts) || !w_out(-1, "SAE 0 ack 1 ecn 0"))
		return -1;
	if (rtt)
		sleep_s(rtt / 1000.0);
	return w_in("A 1 ack 1") ? w_accept(lfd) : -1;
}

static inline int open_ecn(int lfd, const char *opts)
{
	return open_ecn_rtt(0, lfd, opts);
}

/* we open, asking for ECN, and the peer answers with these flags; the socket */
static inline int ask_ecn(const char *flags)
{
	int fd = w_socket();

	if (!w_sysctl("tcp_ecn", "1") || !w_connect(fd) || !w_out(-1, "SEC 0 ecn 0") ||
	    !w_in("%s 0 ack 1 mss 1000", flags) || !w_out(-1, "A 1 ack 1 ecn 0") ||
	    !w_poll(fd, POLLOUT, 1000))
		return -1;
	return fd;
}

static inline struct tcp_info info_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info;
}

/* ten segments of 1000 octets are out; where time is real no timer is near */
static inline int ten_out(int lfd)
{
	int fd = open_ecn_rtt(w.sim ? 0 : 500, lfd, "mss 1000 sackok"), i;

	if (fd < 0 || w_put(fd, 30000, 0) != 30000)
		return -1;
	for (i = 0; i < 10; i++)
		if (!w_out(-1, "A %u+1000 ecn 2", 1 + i * 1000))
			return -1;
	return fd;
}

#endif
