// SPDX-License-Identifier: GPL-2.0-only
/* strata ss -j: one object a socket. */
#include <string.h>

#include "ss.h"
#include "strata.h"

static json_t *users_json(const struct ss_sock *s, const struct rt_list *users)
{
	const struct ss_user *u = ss_users_find(users, s->inode), *end;
	json_t *list = json_array();

	end = (const struct ss_user *)users->item + users->count;
	for (; u && u < end && u->inode == s->inode; u++)
		json_array_append_new(list, json_pack("{so si si}",
						      "name", json_text(u->comm),
						      "pid", u->pid,
						      "fd", u->fd));
	return list;
}

static json_t *skmem_json(const struct ss_sock *s)
{
	json_t *j = json_object();
	unsigned int i;

	for (i = 0; i < SS_SKMEM_VARS; i++)
		json_object_set_new(j, ss_skmem_names[i],
				    json_integer(s->skmem[i]));
	return j;
}

static json_t *sock_json(const struct ss_sock *s, const struct rt_list *users,
			 const struct ss_opts *o)
{
	json_t *j;

	j = json_pack("{ss ss sI sI ss si ss si sI sI sI}",
		      "netid", ss_proto_name(s->proto),
		      "state", ss_state_name(s),
		      "recv_q", (json_int_t)s->rqueue,
		      "send_q", (json_int_t)s->wqueue,
		      "local", rt_ipv4(s->src), "local_port", (int)s->sport,
		      "peer", rt_ipv4(s->dst), "peer_port", (int)s->dport,
		      "uid", (json_int_t)s->uid, "inode", (json_int_t)s->inode,
		      "cookie", (json_int_t)s->cookie);
	if (s->timer)
		json_object_set_new(j, "timer",
				    json_pack("{ss sI si}",
					      "name", ss_timer_name(s),
					      "expires_ms", (json_int_t)s->expires,
					      "retrans", (int)s->retrans));
	if (s->mark)
		json_object_set_new(j, "fwmark", json_integer(s->mark));
	if (s->cgroup_id)
		json_object_set_new(j, "cgroup",
				    json_text(ss_cgroup_path(s->cgroup_id)));
	if (o->processes)
		json_object_set_new(j, "users", users_json(s, users));
	if (s->has_skmem)
		json_object_set_new(j, "skmem", skmem_json(s));
	if (s->cong[0])
		json_object_set_new(j, "cong", json_string(s->cong));
	if (s->info_len)
		json_object_set_new(j, "info", ss_info_json(s));
	return j;
}

void ss_print_json(const struct rt_list *socks, const struct rt_list *users,
		   const struct ss_opts *o)
{
	const struct ss_sock *s = socks->item;
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < socks->count; i++)
		json_array_append_new(list, sock_json(&s[i], users, o));
	json_out(list);
}
