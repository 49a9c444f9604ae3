// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink side of strata ss: SOCK_DIAG_BY_FAMILY dumps and SOCK_DESTROY
 * with struct inet_diag_req_v2, answers in struct inet_diag_msg.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>

#include "ss.h"
#include "strata.h"

struct dump {
	unsigned int proto;
	const struct ss_opts *o;
	struct rt_list *list;
};

const char *ss_proto_name(unsigned int proto)
{
	return proto == SS_TCP ? "tcp" : proto == SS_UDP ? "udp" : "icmp";
}

static uint8_t ip_proto(unsigned int proto)
{
	return proto == SS_TCP ? IPPROTO_TCP :
	       proto == SS_UDP ? IPPROTO_UDP : IPPROTO_ICMP;
}

static void read_attrs(const struct nlmsghdr *nlh, struct ss_sock *s)
{
	const struct nlattr *tb[INET_DIAG_MAX + 1], *a;
	size_t len;

	nl_attrs(nlh, sizeof(struct inet_diag_msg), tb, INET_DIAG_MAX);
	s->has_skmem = nl_get(tb[INET_DIAG_SKMEMINFO], s->skmem,
			      sizeof(s->skmem));
	s->has_meminfo = nl_get(tb[INET_DIAG_MEMINFO], &s->meminfo,
				sizeof(s->meminfo));
	s->has_shutdown = nl_get(tb[INET_DIAG_SHUTDOWN], &s->shutdown, 1);
	nl_get(tb[INET_DIAG_MARK], &s->mark, sizeof(s->mark));
	nl_get(tb[INET_DIAG_CGROUP_ID], &s->cgroup_id, sizeof(s->cgroup_id));
	s->has_bbr = nl_get(tb[INET_DIAG_BBRINFO], &s->bbr, sizeof(s->bbr));
	s->has_dctcp = nl_get(tb[INET_DIAG_DCTCPINFO], &s->dctcp, sizeof(s->dctcp));
	a = tb[INET_DIAG_CONG];
	if (a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		snprintf(s->cong, sizeof(s->cong), "%s", mnl_attr_get_str(a));
	a = tb[INET_DIAG_INFO];
	if (!a || s->proto != SS_TCP)
		return;
	len = mnl_attr_get_payload_len(a);
	if (len > sizeof(s->info))
		len = sizeof(s->info);
	memcpy(&s->info, mnl_attr_get_payload(a), len);
	s->info_len = len;
}

bool ss_sock_read(const struct nlmsghdr *nlh, unsigned int proto,
		  struct ss_sock *s)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);

	memset(s, 0, sizeof(*s));
	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return false;
	s->proto = proto;
	s->state = m->idiag_state;
	s->timer = m->idiag_timer;
	s->retrans = m->idiag_retrans;
	s->id = m->id;
	s->src.s_addr = m->id.idiag_src[0];
	s->dst.s_addr = m->id.idiag_dst[0];
	s->sport = ntohs(m->id.idiag_sport);
	s->dport = ntohs(m->id.idiag_dport);
	s->cookie = m->id.idiag_cookie[0] |
		    (uint64_t)m->id.idiag_cookie[1] << 32;
	s->expires = m->idiag_expires;
	s->rqueue = m->idiag_rqueue;
	s->wqueue = m->idiag_wqueue;
	s->uid = m->idiag_uid;
	s->inode = m->idiag_inode;
	read_attrs(nlh, s);
	return true;
}

static void add_sock(const struct nlmsghdr *nlh, void *data)
{
	struct dump *d = data;
	struct ss_sock s;

	if (!ss_sock_read(nlh, d->proto, &s))
		return;
	if (s.state < SS_STATES && !(d->o->states & SS_BIT(s.state)))
		return;
	if (ss_filter_takes(d->o->filter, &s))
		rt_list_add(d->list, &s);
}

static uint8_t extensions(const struct ss_opts *o)
{
	uint8_t ext = 0;

	if (o->memory || o->json)
		ext |= 1 << (INET_DIAG_MEMINFO - 1) |
		       1 << (INET_DIAG_SKMEMINFO - 1);
	if (o->info || o->json)
		ext |= 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1) |
		       1 << (INET_DIAG_VEGASINFO - 1);
	if (o->extended || o->json)
		ext |= 1 << (INET_DIAG_SHUTDOWN - 1);
	return ext;
}

int ss_dump(struct nl *nl, const struct ss_opts *o, unsigned int proto,
	    struct rt_list *list)
{
	struct dump d = { .proto = proto, .o = o, .list = list };
	char buf[NL_REQUEST_SIZE] = "";
	uint16_t sport = 0, dport = 0;
	struct inet_diag_req_v2 *req;
	struct nlmsghdr *nlh;
	char why[256];
	int err;

	nlh = nl_request(buf, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = opt.family;
	req->sdiag_protocol = ip_proto(proto);
	req->idiag_states = o->states;
	req->idiag_ext = extensions(o);
	ss_filter_ports(o->filter, &sport, &dport);
	req->id.idiag_sport = htons(sport);
	req->id.idiag_dport = htons(dport);
	err = nl_ask(nl, nlh, add_sock, &d, why, sizeof(why));
	/* A protocol the kernel cannot list has no sockets to show. */
	if (!err || err == -ENOENT)
		return 0;
	fprintf(stderr, "Error: cannot list %s sockets: %s.\n",
		ss_proto_name(proto), *why ? why : strerror(-err));
	return EXIT_KERNEL;
}

int ss_destroy(struct nl *nl, const struct ss_sock *s)
{
	char buf[NL_REQUEST_SIZE] = "", why[256];
	struct inet_diag_req_v2 *req;
	struct nlmsghdr *nlh;
	int err;

	nlh = nl_request(buf, SOCK_DESTROY, NLM_F_ACK);
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = opt.family;
	req->sdiag_protocol = ip_proto(s->proto);
	req->idiag_states = SS_ALL;
	req->id = s->id;
	err = nl_ask(nl, nlh, NULL, NULL, why, sizeof(why));
	/* It may have gone since it was listed: that is what was wanted. */
	if (!err || err == -ENOENT)
		return err ? -ENOENT : 0;
	fprintf(stderr, "Error: cannot close %s:%u: %s.\n", rt_ipv4(s->src),
		s->sport, *why ? why : strerror(-err));
	return err;
}
