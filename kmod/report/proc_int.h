/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files behind /proc/net/strata share: one reader for all that is a list. */
#ifndef _STRATA_PROC_INT_H
#define _STRATA_PROC_INT_H

#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include "../route.h"
#include "../tcp.h"
#include "../udp.h"
#include "../report.h"

struct strata_reader;

/**
 * struct strata_list - a list as a file of /proc
 * @header: its first line
 * @fetch: put the first item at or behind (reader->stage, reader->pos) into the reader and
 *	leave the two on it; false: there is none. May sleep
 * @drop: give back what the item holds, may be NULL
 * @show: print the item
 */
struct strata_list {
	void (*header)(struct seq_file *seq);
	bool (*fetch)(struct strata_reader *r);
	void (*drop)(struct strata_reader *r);
	void (*show)(struct seq_file *seq, struct strata_reader *r);
};

/**
 * struct strata_reader - one open file
 * @p: must be first: the namespace
 * @list: what is read
 * @sn: its namespace
 * @ord: number of the item, 1 for the first; 0: the header
 * @stage: which of several lists (protocols); @pos: place in it, as its walk defines; @key: of
 *	routes, with it
 * @view, @route, @neigh, @dev: the item; view.sk is counted
 */
struct strata_reader {
	struct seq_net_private		p;
	const struct strata_list	*list;
	struct strata_net		*sn;
	loff_t				ord;
	unsigned int			stage;
	long				pos;
	u32				key;
	union {
		struct strata_tcp_view		view;
		struct strata_route_cfg		route;
		struct strata_neigh_info	neigh;
	};
	char				dev[IFNAMSIZ];
	unsigned int			dev_type;
	unsigned int			dev_alen;
};

extern const struct strata_list strata_proc_list_tcp, strata_proc_list_udp, strata_proc_list_icmp;
extern const struct strata_list strata_proc_list_sockets;
extern const struct strata_list strata_proc_list_arp, strata_proc_list_route;

/* proc_sock.c */

/* stages of a reader of sockets, in the order they are shown */
enum strata_report_proto {
	STRATA_REPORT_TCP,
	STRATA_REPORT_UDP,
	STRATA_REPORT_ICMP,
	STRATA_REPORT_PROTOS,
};

/** strata_proc_fetch_sock() - the next socket of protocol reader->stage, into reader->view */
bool strata_proc_fetch_sock(struct strata_reader *r);
void strata_proc_drop_sock(struct strata_reader *r);
/** strata_proc_dgram_view() - fill @view from a UDP or ping socket, as far as it applies */
void strata_proc_dgram_view(struct sock *sk, struct strata_tcp_view *view);

/* mib.c: seq_file's single show functions; the namespace is seq->private */

int strata_mib_snmp_show(struct seq_file *seq, void *v);
int strata_mib_netstat_show(struct seq_file *seq, void *v);
int strata_mib_sockstat_show(struct seq_file *seq, void *v);

#endif /* _STRATA_PROC_INT_H */
