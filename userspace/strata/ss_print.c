// SPDX-License-Identifier: GPL-2.0-only
/*
 * The columns of strata ss, those of ss(8). The widths come from the rows, so
 * the text of every row is made first.
 */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "ss.h"
#include "strata.h"

enum { COL_NETID, COL_STATE, COL_RECVQ, COL_SENDQ, COL_LADDR, COL_LPORT,
       COL_PADDR, COL_PPORT, COLS };

struct row {
	char col[COLS][48];
};

const char *const ss_skmem_names[SS_SKMEM_VARS] = {
	"r", "rb", "t", "tb", "f", "w", "o", "bl", "d"
};

const char *ss_timer_name(const struct ss_sock *s)
{
	static const char *const names[] = {
		"off", "on", "keepalive", "timewait", "persist"
	};

	return s->timer < 5 ? names[s->timer] : "unknown";
}

/* @ifindex: the device the socket is bound to, or 0 */
static void put_addr(char *addr, char *port, size_t size, struct in_addr a,
		     unsigned int ifindex, uint16_t p, bool udp, bool numeric)
{
	const struct servent *se = NULL;

	snprintf(addr, size, "%s%s%s", rt_ipv4(a), ifindex ? "%" : "",
		 ifindex ? rt_ifname(ifindex) : "");
	if (p && !numeric)
		se = getservbyport(htons(p), udp ? "udp" : "tcp");
	if (!p)
		strcpy(port, "*");
	else if (se)
		snprintf(port, size, "%s", se->s_name);
	else
		snprintf(port, size, "%u", p);
}

static void make_row(struct row *r, const struct ss_sock *s, bool numeric)
{
	const size_t size = sizeof(r->col[0]);
	bool udp = s->proto == SS_UDP;

	/* A ping socket's "port" is its identifier: no service has it. */
	numeric |= s->proto == SS_ICMP;
	strcpy(r->col[COL_NETID], ss_proto_name(s->proto));
	strcpy(r->col[COL_STATE], ss_state_name(s));
	snprintf(r->col[COL_RECVQ], size, "%u", s->rqueue);
	snprintf(r->col[COL_SENDQ], size, "%u", s->wqueue);
	put_addr(r->col[COL_LADDR], r->col[COL_LPORT], size, s->src,
		 s->id.idiag_if, s->sport, udp, numeric);
	put_addr(r->col[COL_PADDR], r->col[COL_PPORT], size, s->dst,
		 0, s->dport, udp, numeric);
}

/* As ss(8): no column for what only one was asked of. */
static void print_row(const struct row *r, const int *width,
		      const struct ss_opts *o)
{
	if (o->protos & (o->protos - 1))
		printf("%-*s ", width[COL_NETID], r->col[COL_NETID]);
	if (o->states & (o->states - 1))
		printf("%-*s ", width[COL_STATE], r->col[COL_STATE]);
	printf("%-*s %-*s %*s:%-*s %*s:%-*s",
	       width[COL_RECVQ], r->col[COL_RECVQ],
	       width[COL_SENDQ], r->col[COL_SENDQ],
	       width[COL_LADDR], r->col[COL_LADDR],
	       width[COL_LPORT], r->col[COL_LPORT],
	       width[COL_PADDR], r->col[COL_PADDR],
	       width[COL_PPORT], r->col[COL_PPORT]);
}

static void print_users(const struct ss_sock *s, const struct rt_list *users)
{
	const struct ss_user *u = ss_users_find(users, s->inode), *end;
	const char *sep = "";

	if (!u)
		return;
	end = (const struct ss_user *)users->item + users->count;
	fputs(" users:(", stdout);
	for (; u < end && u->inode == s->inode; u++) {
		printf("%s(\"%s\",pid=%d,fd=%d)", sep, u->comm, u->pid, u->fd);
		sep = ",";
	}
	putchar(')');
}

static void print_timer(const struct ss_sock *s)
{
	unsigned int min = s->expires / 60000, sec = s->expires / 1000 % 60;
	unsigned int ms = s->expires % 1000;

	if (!s->timer)
		return;
	printf(" timer:(%s,", ss_timer_name(s));
	if (min)
		printf("%umin", min);
	/* what reads ss(8) reads 1.5 seconds as "1.500ms" */
	if (sec && min <= 9)
		printf(!min && sec <= 9 && ms ? "%u." : "%usec", sec);
	if (ms && !min && sec <= 9)
		printf("%03ums", ms);
	printf(",%u)", s->retrans);
}

static void print_extended(const struct ss_sock *s)
{
	if (s->uid)
		printf(" uid:%u", s->uid);
	printf(" ino:%u sk:%llx", s->inode, (unsigned long long)s->cookie);
	if (s->mark)
		printf(" fwmark:0x%x", s->mark);
	if (s->cgroup_id)
		printf(" cgroup:%s", ss_cgroup_path(s->cgroup_id));
	if (s->has_shutdown)
		printf(" %c-%c", s->shutdown & 1 ? '-' : '<',
		       s->shutdown & 2 ? '-' : '>');
}

static void print_skmem(const struct ss_sock *s)
{
	unsigned int i;

	if (!s->has_skmem) {
		if (s->has_meminfo)
			printf(" mem:(r%u,w%u,f%u,t%u)", s->meminfo.idiag_rmem,
			       s->meminfo.idiag_wmem, s->meminfo.idiag_fmem,
			       s->meminfo.idiag_tmem);
		return;
	}
	fputs(" skmem:(", stdout);
	for (i = 0; i < SS_SKMEM_VARS; i++)
		printf("%s%s%u", i ? "," : "", ss_skmem_names[i], s->skmem[i]);
	putchar(')');
}

static void print_details(const struct ss_sock *s, const struct rt_list *users,
			  const struct ss_opts *o)
{
	if (o->processes)
		print_users(s, users);
	if (o->timer)
		print_timer(s);
	if (o->extended)
		print_extended(s);
	if ((o->memory && (s->has_skmem || s->has_meminfo)) ||
	    (o->info && (s->info_len || s->cong[0])))
		fputs(o->oneline ? "" : "\n\t", stdout);
	if (o->memory)
		print_skmem(s);
	if (o->info)
		ss_print_info(s, o);
	putchar('\n');
}

void ss_print(const struct rt_list *socks, const struct rt_list *users,
	      const struct ss_opts *o)
{
	static const struct row header = { {
		"Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port",
		"Peer Address", "Port"
	} };
	const struct ss_sock *s = socks->item;
	int width[COLS] = { 0 }, len;
	struct row *rows;
	unsigned int i, c;

	rows = calloc(socks->count + 1, sizeof(*rows));
	if (!rows)
		return;
	rows[0] = header;
	for (i = 0; i < socks->count; i++)
		make_row(&rows[i + 1], &s[i], o->numeric);
	for (i = o->no_header; i <= socks->count; i++) {
		for (c = 0; c < COLS; c++) {
			len = strlen(rows[i].col[c]);
			if (len > width[c])
				width[c] = len;
		}
	}
	if (!o->no_header) {
		print_row(&rows[0], width, o);
		puts(" Process");
	}
	for (i = 0; i < socks->count; i++) {
		print_row(&rows[i + 1], width, o);
		print_details(&s[i], users, o);
	}
	free(rows);
}
