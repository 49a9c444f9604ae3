// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/strata: one folder per namespace. Files that exist in /proc/net have the native
 * format, so that programs which read those can read these: tcp, udp, icmp, arp, route,
 * snmp, netstat, sockstat. The file `sockets` is for people.
 *
 * A list is read item by item. The reader keeps where it stands in the table it reads; the
 * file position only counts items, so that a reader who goes on from where it stopped finds
 * its place at once, and one who seeks back counts from the beginning.
 */

#include "proc_int.h"

static struct strata_reader *reader(struct seq_file *seq)
{
	return seq->private;
}

static void list_drop(struct strata_reader *r)
{
	if (r->list->drop)
		r->list->drop(r);
}

static void list_rewind(struct strata_reader *r)
{
	r->ord = 0;
	r->pos = 0;
	r->key = 0;
	r->stage = 0;
}

static void *list_fetch(struct strata_reader *r)
{
	return r->list->fetch(r) ? r : NULL;
}

/* the item behind the current one, whose content has been dropped */
static void *list_advance(struct strata_reader *r)
{
	if (r->ord++)
		r->pos++;
	return list_fetch(r);
}

static void *list_start(struct seq_file *seq, loff_t *pos)
{
	struct strata_reader *r = reader(seq);
	void *item;

	r->list = pde_data(file_inode(seq->file));
	r->sn = strata_net(seq_file_net(seq));
	if (!*pos) {
		list_rewind(r);
		return SEQ_START_TOKEN;
	}
	if (*pos == r->ord)
		return list_fetch(r);

	list_rewind(r);
	for (;;) {
		item = list_advance(r);
		if (!item || r->ord == *pos)
			return item;
		list_drop(r);
	}
}

static void *list_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct strata_reader *r = reader(seq);

	if (v != SEQ_START_TOKEN)
		list_drop(r);
	v = list_advance(r);
	*pos = r->ord;
	return v;
}

static void list_stop(struct seq_file *seq, void *v)
{
	if (v && v != SEQ_START_TOKEN)
		list_drop(reader(seq));
}

static int list_show(struct seq_file *seq, void *v)
{
	struct strata_reader *r = reader(seq);

	if (v == SEQ_START_TOKEN)
		r->list->header(seq);
	else
		r->list->show(seq, r);
	return 0;
}

static const struct seq_operations list_ops = {
	.start	= list_start,
	.next	= list_next,
	.stop	= list_stop,
	.show	= list_show,
};

static const struct {
	const char			*name;
	const struct strata_list	*list;
} lists[] = {
	{ "tcp",	&strata_proc_list_tcp },
	{ "udp",	&strata_proc_list_udp },
	{ "icmp",	&strata_proc_list_icmp },
	{ "sockets",	&strata_proc_list_sockets },
	{ "arp",	&strata_proc_list_arp },
	{ "route",	&strata_proc_list_route },
};

static const struct {
	const char	*name;
	int		(*show)(struct seq_file *seq, void *v);
} singles[] = {
	{ "snmp",	strata_mib_snmp_show },
	{ "netstat",	strata_mib_netstat_show },
	{ "sockstat",	strata_mib_sockstat_show },
};

int strata_proc_net_init(struct strata_net *sn)
{
	unsigned int i;

	sn->proc = proc_net_mkdir(sn->net, "strata", sn->net->proc_net);
	if (!sn->proc)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		if (!proc_create_net_data(lists[i].name, 0444, sn->proc, &list_ops,
					  sizeof(struct strata_reader), (void *)lists[i].list))
			goto err;
	for (i = 0; i < ARRAY_SIZE(singles); i++)
		if (!proc_create_net_single(singles[i].name, 0444, sn->proc, singles[i].show,
					    NULL))
			goto err;
	return 0;
err:
	strata_proc_net_exit(sn);
	return -ENOMEM;
}

void strata_proc_net_exit(struct strata_net *sn)
{
	proc_remove(sn->proc);
	sn->proc = NULL;
}
