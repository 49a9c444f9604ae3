/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For C tests of what lies under the sockets: namespaces joined by a veth pair, and
 * rtnetlink requests put together by hand, so that they may be wrong.
 *
 *	ns a: va (Strata)  ------  vb :ns b (raw frames, native)
 */
#ifndef STRATA_TEST_RTNL_H
#define STRATA_TEST_RTNL_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define TEST_FAMILY	18

struct rtnl_req {
	struct nlmsghdr nlh;
	char body[1024];
};

/* the family's messages and what the kernel said to the last one */
struct rtnl {
	int fd;
	uint32_t seq;
	char said[256];
};

static inline int __attribute__((format(printf, 1, 2))) run(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd);
}

/* 0 when the module is in the kernel */
static inline int need_module(void)
{
	if (!access("/sys/module/strata", F_OK))
		return 0;
	return run("insmod \"$STRATA_KO\" 2>/dev/null || modprobe strata");
}

/* a new network namespace, entered; its descriptor */
static inline int ns_new(void)
{
	if (unshare(CLONE_NEWNET))
		return -1;
	return open("/proc/self/ns/net", O_RDONLY);
}

/* two namespaces and the pair between them; ends in a. 0 if all is there */
static inline int ns_pair(int *a, int *b)
{
	*b = ns_new();
	*a = ns_new();
	if (*a < 0 || *b < 0)
		return -1;
	return run("ip link add va address 02:00:00:00:00:0a type veth "
		   "peer name vb address 02:00:00:00:00:0b netns /proc/self/fd/%d && "
		   "ip link set va up && nsenter --net=/proc/self/fd/%d ip link set vb up",
		   *b, *b);
}

static inline double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static inline void sleep_s(double s)
{
	struct timespec ts = { .tv_sec = s, .tv_nsec = (s - (long)s) * 1e9 };

	nanosleep(&ts, NULL);
}

/* ---- requests ---- */

static inline int rtnl_open(struct rtnl *r)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	struct timeval tv = { .tv_sec = 10 };
	int one = 1;

	memset(r, 0, sizeof(*r));
	r->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (r->fd < 0)
		return -1;
	setsockopt(r->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return bind(r->fd, (struct sockaddr *)&nl, sizeof(nl));
}

static inline void rtnl_strict(struct rtnl *r)
{
	int one = 1;

	setsockopt(r->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
}

static inline void rtnl_begin(struct rtnl_req *q, int type, int flags, const void *head, int len)
{
	memset(q, 0, sizeof(*q));
	q->nlh.nlmsg_type = type;
	q->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	q->nlh.nlmsg_len = NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&q->nlh), head, len);
}

static inline void rtnl_attr(struct rtnl_req *q, int type, const void *data, int len)
{
	struct rtattr *rta = (void *)((char *)q + NLMSG_ALIGN(q->nlh.nlmsg_len));

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), data, len);
	q->nlh.nlmsg_len = NLMSG_ALIGN(q->nlh.nlmsg_len) + RTA_ALIGN(rta->rta_len);
}

static inline void rtnl_attr_ip(struct rtnl_req *q, int type, const char *ip)
{
	struct in_addr a;

	inet_pton(AF_INET, ip, &a);
	rtnl_attr(q, type, &a, sizeof(a));
}

static inline void rtnl_keep_said(struct rtnl *r, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = NLMSG_DATA(nlh);
	unsigned int off = NLMSG_LENGTH(sizeof(*e));
	const struct rtattr *rta;
	int len;

	r->said[0] = 0;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		off += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	rta = (const void *)((const char *)nlh + off);
	len = (int)nlh->nlmsg_len - (int)off;
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == NLMSGERR_ATTR_MSG)
			snprintf(r->said, sizeof(r->said), "%s", (const char *)RTA_DATA(rta));
}

typedef void (*rtnl_fn)(const struct nlmsghdr *nlh, void *arg);

/*
 * Send and read to the end of the answer. Returns 0 or -errno as the kernel said it;
 * @fn gets each message of a dump or reply
 */
static inline int rtnl_talk(struct rtnl *r, struct rtnl_req *q, rtnl_fn fn, void *arg)
{
	static char buf[32768];
	struct nlmsghdr *nlh;
	int len;

	q->nlh.nlmsg_seq = ++r->seq;
	/* the bits of NLM_F_DUMP mean other things in requests that are no GET */
	if (q->nlh.nlmsg_type % 4 != RTM_GETADDR % 4 || !(q->nlh.nlmsg_flags & NLM_F_DUMP))
		q->nlh.nlmsg_flags |= NLM_F_ACK;
	if (send(r->fd, q, q->nlh.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		len = recv(r->fd, buf, sizeof(buf), 0);
		if (len < 0)
			return -errno;
		for (nlh = (void *)buf; NLMSG_OK(nlh, (unsigned int)len);
		     nlh = NLMSG_NEXT(nlh, len)) {
			if (nlh->nlmsg_seq != r->seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				rtnl_keep_said(r, nlh);
				return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			}
			if (nlh->nlmsg_type == NLMSG_DONE)
				return *(int *)NLMSG_DATA(nlh);
			if (fn)
				fn(nlh, arg);
		}
	}
}

/* ---- addresses ---- */

static inline void addr_req(struct rtnl_req *q, int type, int flags, const char *dev,
			    const char *ip, int plen)
{
	struct ifaddrmsg ifa = {
		.ifa_family = TEST_FAMILY,
		.ifa_prefixlen = plen,
		.ifa_index = if_nametoindex(dev),
	};

	rtnl_begin(q, type, flags, &ifa, sizeof(ifa));
	if (ip)
		rtnl_attr_ip(q, IFA_LOCAL, ip);
}

static inline int addr_add(struct rtnl *r, const char *dev, const char *ip, int plen)
{
	struct rtnl_req q;

	addr_req(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, dev, ip, plen);
	return rtnl_talk(r, &q, NULL, NULL);
}

static inline int addr_del(struct rtnl *r, const char *dev, const char *ip, int plen)
{
	struct rtnl_req q;

	addr_req(&q, RTM_DELADDR, 0, dev, ip, plen);
	rtnl_attr_ip(&q, IFA_ADDRESS, ip);
	return rtnl_talk(r, &q, NULL, NULL);
}

static inline void count_msg(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtgenmsg *g = NLMSG_DATA(nlh);

	if (g->rtgen_family == TEST_FAMILY)
		++*(int *)arg;
}

/* addresses of Strata on all devices, or -errno */
static inline int addr_count(struct rtnl *r)
{
	struct ifaddrmsg ifa = { .ifa_family = TEST_FAMILY };
	struct rtnl_req q;
	int n = 0, err;

	rtnl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	err = rtnl_talk(r, &q, count_msg, &n);
	return err < 0 ? err : n;
}

/* ---- neighbours ---- */

static inline void neigh_req(struct rtnl_req *q, int type, int flags, const char *dev,
			     const char *ip, int state)
{
	struct ndmsg ndm = {
		.ndm_family = TEST_FAMILY,
		.ndm_ifindex = if_nametoindex(dev),
		.ndm_state = state,
	};

	rtnl_begin(q, type, flags, &ndm, sizeof(ndm));
	if (ip)
		rtnl_attr_ip(q, NDA_DST, ip);
}

static inline int neigh_add(struct rtnl *r, const char *dev, const char *ip, const void *ha,
			    int state)
{
	struct rtnl_req q;

	neigh_req(&q, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, dev, ip, state);
	if (ha)
		rtnl_attr(&q, NDA_LLADDR, ha, 6);
	return rtnl_talk(r, &q, NULL, NULL);
}

/* resolve or check it, as a packet to it would */
static inline int neigh_use(struct rtnl *r, const char *dev, const char *ip)
{
	struct rtnl_req q;

	neigh_req(&q, RTM_NEWNEIGH, NLM_F_CREATE, dev, ip, 0);
	((struct ndmsg *)NLMSG_DATA(&q.nlh))->ndm_flags = NTF_USE;
	return rtnl_talk(r, &q, NULL, NULL);
}

struct neigh_seen {
	int state;
	uint8_t ha[6];
};

static inline void neigh_keep(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *ndm = NLMSG_DATA(nlh);
	struct neigh_seen *seen = arg;
	const struct rtattr *rta = (const void *)((const char *)ndm + NLMSG_ALIGN(sizeof(*ndm)));
	int len = NLMSG_PAYLOAD(nlh, sizeof(*ndm));

	seen->state = ndm->ndm_state;
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == NDA_LLADDR && RTA_PAYLOAD(rta) == 6)
			memcpy(seen->ha, RTA_DATA(rta), 6);
}

/* the state of a neighbour, or -errno */
static inline int neigh_get(struct rtnl *r, const char *dev, const char *ip, uint8_t *ha)
{
	struct neigh_seen seen = { 0 };
	struct rtnl_req q;
	int err;

	neigh_req(&q, RTM_GETNEIGH, 0, dev, ip, 0);
	err = rtnl_talk(r, &q, neigh_keep, &seen);
	if (ha)
		memcpy(ha, seen.ha, 6);
	return err ? err : seen.state;
}

static inline int neigh_count(struct rtnl *r)
{
	struct ndmsg ndm = { .ndm_family = TEST_FAMILY };
	struct rtnl_req q;
	int n = 0, err;

	rtnl_begin(&q, RTM_GETNEIGH, NLM_F_DUMP, &ndm, sizeof(ndm));
	err = rtnl_talk(r, &q, count_msg, &n);
	return err < 0 ? err : n;
}

/* ---- listening ---- */

static inline int listen_open(int group)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&nl, sizeof(nl)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return -1;
	return fd;
}

struct rtnl_echo {
	int type;
	uint32_t seq, port;
};

static inline void echo_keep(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_echo *echo = arg;

	echo->type = nlh->nlmsg_type;
	echo->seq = nlh->nlmsg_seq;
	echo->port = nlh->nlmsg_pid;
}

/* the notice that comes back to who sent the request, if type is not 0 */
static inline int rtnl_echoed(struct rtnl *r, struct rtnl_req *q, struct rtnl_echo *echo)
{
	memset(echo, 0, sizeof(*echo));
	q->nlh.nlmsg_flags |= NLM_F_ECHO;
	return rtnl_talk(r, q, echo_keep, echo);
}

static inline uint32_t rtnl_port(const struct rtnl *r)
{
	struct sockaddr_nl nl = { 0 };
	socklen_t len = sizeof(nl);

	getsockname(r->fd, (struct sockaddr *)&nl, &len);
	return nl.nl_pid;
}

/* the type of the next message of our family within @ms, 0: none */
static inline int listen_next(int fd, int ms, struct nlmsghdr *out, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double end = now_s() + ms / 1000.0;
	ssize_t len;

	while (now_s() <= end && poll(&p, 1, ms) > 0) {
		len = recv(fd, out, size, 0);
		if (len > 0 && ((struct rtgenmsg *)NLMSG_DATA(out))->rtgen_family == TEST_FAMILY)
			return out->nlmsg_type;
	}
	return 0;
}

#endif
