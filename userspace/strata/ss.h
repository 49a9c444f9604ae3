/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * strata ss: sockets from sock_diag, in inet_diag's layout.
 *
 *	ss.c		options, the order of work
 *	ss_diag.c	netlink: list and destroy
 *	ss_filter.c	states and the expression language
 *	ss_print.c	the columns		ss_info.c	the line of -i
 *	ss_json.c	JSON			ss_proc.c	who has a socket open
 *	ss_summary.c	-s			ss_cgroup.c	the path of a cgroup
 */
#ifndef STRATA_SS_H
#define STRATA_SS_H

#include <jansson.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "nl.h"
#include "rt.h"

/* Protocols, as bits of a selection and in the order they are listed. */
enum { SS_ICMP = 1, SS_UDP = 2, SS_TCP = 4, SS_PROTOS = 7 };

/* States by TCP's numbers: 1 established ... 7 close, 10 listen, 11 closing. */
#define SS_BIT(state)	(1u << (state))
#define SS_ALL		0xffeu
enum {
	SS_ESTABLISHED = 1, SS_SYN_SENT, SS_SYN_RECV, SS_FIN_WAIT1,
	SS_FIN_WAIT2, SS_TIME_WAIT, SS_CLOSE, SS_CLOSE_WAIT, SS_LAST_ACK,
	SS_LISTEN, SS_CLOSING, SS_STATES
};

#define SS_SKMEM_VARS 9		/* SK_MEMINFO_VARS */

/**
 * struct ss_sock - one socket as the kernel reports it
 * @proto:	SS_TCP, SS_UDP or SS_ICMP
 * @id:		the identity, to hand back when destroying
 * @sport:	local port, host order, as @dport
 * @mark:	SO_MARK, 0: none, or not to be known
 * @cgroup_id:	the cgroup of version 2, 0: the kernel knows none
 * @info:	tcp_info, zeroed behind the @info_len bytes that came
 */
struct ss_sock {
	unsigned int proto;
	uint8_t state, timer, retrans, shutdown;
	struct inet_diag_sockid id;
	struct in_addr src, dst;
	uint16_t sport, dport;
	uint64_t cookie, cgroup_id;
	uint32_t expires, rqueue, wqueue, uid, inode, mark;
	bool has_skmem, has_meminfo, has_shutdown;
	uint32_t skmem[SS_SKMEM_VARS];
	struct inet_diag_meminfo meminfo;
	char cong[16];
	/* what BBR or DCTCP says of itself, if it does */
	bool has_bbr, has_dctcp;
	struct tcp_bbr_info bbr;
	struct tcp_dctcp_info dctcp;
	unsigned int info_len;
	union {
		struct tcp_info tcp;
		unsigned char byte[320];
	} info;
};

struct ss_filter;

/* What was asked for. */
struct ss_opts {
	unsigned int protos, states;
	bool numeric, processes, timer, extended, memory, info;
	bool no_header, oneline, kill, summary, json;
	struct ss_filter *filter;
};

/*
 * ss_filter.c: the words after the options. NULL with the reason printed. Without @states neither
 * states nor devices are taken.
 */
struct ss_filter *ss_filter_parse(int argc, char **argv, unsigned int *states);
bool ss_filter_takes(const struct ss_filter *f, const struct ss_sock *s);
void ss_filter_free(struct ss_filter *f);
/* Ports every match must have, 0 if there is none: a hint for the kernel. */
void ss_filter_ports(const struct ss_filter *f, uint16_t *sport, uint16_t *dport);
const char *ss_state_name(const struct ss_sock *s);

/* ss_diag.c */
bool ss_sock_read(const struct nlmsghdr *nlh, unsigned int proto,
		  struct ss_sock *s);
int ss_dump(struct nl *nl, const struct ss_opts *o, unsigned int proto,
	    struct rt_list *list);
int ss_destroy(struct nl *nl, const struct ss_sock *s);
const char *ss_proto_name(unsigned int proto);

/* ss_proc.c: which processes have the socket with this inode open. */
struct ss_user {
	uint32_t inode;
	int pid, fd;
	char comm[64];
};

int ss_users_read(struct rt_list *users);
const struct ss_user *ss_users_find(const struct rt_list *users, uint32_t inode);

/* ss_cgroup.c: "/a/b", or "unreachable:ID". Valid until the next call. */
const char *ss_cgroup_path(uint64_t id);

/* Output. @users may be empty. */
void ss_print(const struct rt_list *socks, const struct rt_list *users,
	      const struct ss_opts *o);
void ss_print_json(const struct rt_list *socks, const struct rt_list *users,
		   const struct ss_opts *o);
void ss_print_info(const struct ss_sock *s, const struct ss_opts *o);
json_t *ss_info_json(const struct ss_sock *s);
const char *ss_timer_name(const struct ss_sock *s);
int ss_summary(const struct ss_opts *o);

extern const char *const ss_skmem_names[SS_SKMEM_VARS];

#endif
