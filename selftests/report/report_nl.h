/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of sock_diag, and one socket's message taken apart. */
#ifndef REPORT_NL_H
#define REPORT_NL_H

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include "report_env.h"

#define REQ(nlh)	((struct inet_diag_req_v2 *)NLMSG_DATA(nlh))
#define REQ_ROOM	512

static inline struct nlmsghdr *request(char *buf, int family, int type, int flags, int proto,
				       unsigned int states)
{
	struct nlmsghdr *nlh = (void *)buf;
	struct inet_diag_req_v2 *req = NLMSG_DATA(nlh);

	memset(buf, 0, REQ_ROOM);
	nlh->nlmsg_len = NLMSG_LENGTH(sizeof(*req));
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	req->sdiag_family = family;
	req->sdiag_protocol = proto;
	req->idiag_states = states;
	return nlh;
}

static inline void attr(struct nlmsghdr *nlh, int type, const void *data, int len)
{
	struct nlattr *nla = (void *)((char *)nlh + NLMSG_ALIGN(nlh->nlmsg_len));

	nla->nla_type = type;
	nla->nla_len = NLA_HDRLEN + len;
	memcpy((char *)nla + NLA_HDRLEN, data, len);
	nlh->nlmsg_len = NLMSG_ALIGN(nlh->nlmsg_len) + NLA_ALIGN(nla->nla_len);
}

/* what was said of one socket */
#define ATTRS		32
#define ATTR_ROOM	320

struct msg {
	struct inet_diag_msg m;
	int len[ATTRS];		/* -1: no such attribute */
	union {
		unsigned char data[ATTR_ROOM];
		uint8_t u8;
		uint32_t u32[ATTR_ROOM / 4];
	} attr[ATTRS];
};

static inline void msg_parse(struct msg *msg, const struct nlmsghdr *h)
{
	const char *at = (char *)NLMSG_DATA(h) + sizeof(msg->m), *end = (char *)h + h->nlmsg_len;

	memcpy(&msg->m, NLMSG_DATA(h), sizeof(msg->m));
	memset(msg->attr, 0, sizeof(msg->attr));
	for (int i = 0; i < ATTRS; i++)
		msg->len[i] = -1;
	while (end - at >= NLA_HDRLEN) {
		const struct nlattr *a = (void *)at;
		int len = a->nla_len - NLA_HDRLEN;

		if (a->nla_type < ATTRS && len >= 0 && len <= ATTR_ROOM) {
			msg->len[a->nla_type] = len;
			memcpy(msg->attr[a->nla_type].data, at + NLA_HDRLEN, len);
		}
		at += NLA_ALIGN(a->nla_len);
	}
}

/* ask for a dump; how many have these ports, the last of them in @msg; -errno */
static inline int msg_ask(int nl, const struct nlmsghdr *nlh, int lport, int rport,
			  struct msg *msg)
{
	static char buf[65536];
	int n = 0, len;

	if (send(nl, nlh, nlh->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		len = recv(nl, buf, sizeof(buf), 0);
		if (len < 0)
			return -errno;
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, (unsigned int)len);
		     h = NLMSG_NEXT(h, len)) {
			const struct inet_diag_msg *m = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == NLMSG_DONE)
				return n;
			if (ntohs(m->id.idiag_sport) != lport || ntohs(m->id.idiag_dport) != rport)
				continue;
			msg_parse(msg, h);
			n++;
		}
	}
}

/* the same of all sockets of a protocol, each attribute asked for */
static inline int msg_get(int nl, int family, int proto, int lport, int rport, struct msg *msg)
{
	char req[REQ_ROOM];
	struct nlmsghdr *nlh = request(req, family, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, proto, ~0U);

	REQ(nlh)->idiag_ext = 0xff;
	return msg_ask(nl, nlh, lport, rport, msg);
}

/* SOCK_DESTROY of what @m describes; 0 or -errno */
static inline int msg_destroy(int nl, int family, int proto, const struct inet_diag_msg *m)
{
	char buf[REQ_ROOM];
	struct nlmsghdr *nlh = request(buf, family, SOCK_DESTROY, NLM_F_ACK, proto, ~0U);

	REQ(nlh)->id = m->id;
	if (send(nl, nlh, nlh->nlmsg_len, 0) < 0 || recv(nl, buf, sizeof(buf), 0) < 0)
		return -errno;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
}

#endif /* REPORT_NL_H */
