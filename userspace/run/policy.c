// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which socket() call is moved to Strata, which refused, which left alone.
 *
 * AF_INET	SOCK_STREAM	0, TCP		moved
 *		SOCK_DGRAM	0, UDP, ICMP	moved
 *		SOCK_STREAM	MPTCP		refused with EPROTONOSUPPORT, the
 *						answer of a kernel without
 *						MPTCP: programs (all of Go's
 *						listeners among them) go on
 *						with TCP, which is moved
 *		the rest			left alone: raw sockets, SCTP,
 *						UDP-Lite, mistakes
 * AF_INET6	refused with EAFNOSUPPORT, so that programs fall back to IPv4;
 *		left alone with --ipv6=native
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "run.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* The low bits are the type, the others flags (include/linux/net.h). */
#define TYPE_MASK	0xf

enum kind { TCP, MPTCP, UDP, PING, RAW, OTHER };

static const char *const names[][2] = {
	[TCP]	= { "TCP",   "IPv6 TCP" },
	[MPTCP]	= { "MPTCP", "IPv6 MPTCP" },
	[UDP]	= { "UDP",   "IPv6 UDP" },
	[PING]	= { "ping",  "IPv6 ping" },
	[RAW]	= { "raw",   "IPv6 raw" },
	[OTHER]	= { "other", "IPv6 other" },
};

static enum kind kind_of(const struct run_call *call)
{
	bool v6 = call->domain == AF_INET6;

	if (call->type & ~(TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return OTHER;

	switch (call->type & TYPE_MASK) {
	case SOCK_STREAM:
		if (call->protocol == 0 || call->protocol == IPPROTO_TCP)
			return TCP;
		return call->protocol == IPPROTO_MPTCP ? MPTCP : OTHER;
	case SOCK_DGRAM:
		if (call->protocol == 0 || call->protocol == IPPROTO_UDP)
			return UDP;
		if (call->protocol == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
			return PING;
		return OTHER;
	case SOCK_RAW:
		return RAW;
	default:
		return OTHER;
	}
}

static struct run_verdict judge_inet6(const struct run_config *cfg,
				      const char *kind)
{
	if (cfg->ipv6_native)
		return (struct run_verdict){
			RUN_NATIVE, 0, kind, "left alone by --ipv6=native" };
	return (struct run_verdict){
		RUN_REFUSE, EAFNOSUPPORT, kind,
		"no IPv6 on Strata yet (--ipv6=native leaves it alone)" };
}

struct run_verdict run_policy(const struct run_config *cfg,
			      const struct run_call *call)
{
	enum kind kind = kind_of(call);

	if (call->domain == AF_INET6)
		return judge_inet6(cfg, names[kind][1]);
	if (call->domain != AF_INET)
		return (struct run_verdict){
			RUN_NATIVE, 0, names[OTHER][0], "not an IP socket" };

	switch (kind) {
	case TCP:
	case UDP:
	case PING:
		return (struct run_verdict){
			RUN_MOVE, 0, names[kind][0], NULL };
	case MPTCP:
		return (struct run_verdict){
			RUN_REFUSE, EPROTONOSUPPORT, names[kind][0],
			"no MPTCP on Strata: programs go on with TCP" };
	case RAW:
		return (struct run_verdict){
			RUN_NATIVE, 0, names[kind][0],
			"raw sockets stay on the native stack" };
	default:
		return (struct run_verdict){
			RUN_NATIVE, 0, names[kind][0],
			"a type or protocol that Strata does not have" };
	}
}
