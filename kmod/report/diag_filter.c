// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters of sock_diag: the mask of states, ports, and the byte code that ss(8) makes of its
 * expressions (INET_DIAG_REQ_BYTECODE).
 *
 * A program is a row of instructions; each tests something and goes on, forward only, at
 * offset @yes or @no from itself. One that arrives exactly at the end takes the object; one
 * that arrives 4 bytes behind it does not. It is checked once, before it runs: following
 * @yes from the start must meet the end exactly, every instruction on this way must have room
 * for its operands before the next one, and every @no must lead to one of them, to the end, or
 * to 4 behind it. So a run reads only what was checked and ends after at most one pass.
 */

#include <linux/bitmap.h>
#include <linux/cgroup.h>
#include "diag_int.h"

#define BC_UNIT	sizeof(struct inet_diag_bc_op)
#define BC_MAX	(64 * 1024)

static const struct inet_diag_bc_op *op_at(const void *bc, unsigned int off)
{
	return bc + off;
}

/* a host condition and the address behind it; its length with the instruction, 0: malformed */
static unsigned int cond_len(const struct inet_diag_bc_op *op, unsigned int left)
{
	const struct inet_diag_hostcond *cond = (const void *)(op + 1);
	unsigned int len = sizeof(*op) + sizeof(*cond), addr_len;

	if (left < len)
		return 0;
	switch (cond->family) {
	case AF_UNSPEC:
		addr_len = 0;
		break;
	case AF_INET6:
		addr_len = sizeof(struct in6_addr);
		break;
	default:
		if (cond->family != AF_INET && cond->family != strata_family)
			return 0;
		addr_len = sizeof(struct in_addr);
	}
	if (left < len + addr_len || cond->prefix_len > 8 * addr_len)
		return 0;
	return len + addr_len;
}

/* a cgroup's number; only a socket has one */
#ifdef CONFIG_SOCK_CGROUP_DATA
#define CGROUP_LEN	(sizeof(struct inet_diag_bc_op) + sizeof(u64))

static bool cgroup_match(const struct inet_diag_bc_op *op, const struct strata_tcp_view *view)
{
	return view->sk && cgroup_id(sock_cgroup_ptr(&view->sk->sk_cgrp_data)) ==
			   get_unaligned((const u64 *)(op + 1));
}
#else
#define CGROUP_LEN	0	/* not known, as native */

static bool cgroup_match(const struct inet_diag_bc_op *op, const struct strata_tcp_view *view)
{
	return false;
}
#endif

/* bytes of an instruction with its operands, 0: not one we know, or cut off */
static unsigned int op_len(const struct inet_diag_bc_op *op, unsigned int left)
{
	unsigned int len;

	switch (op->code) {
	case INET_DIAG_BC_NOP:
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_AUTO:
		len = sizeof(*op);
		break;
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_D_EQ:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
		len = 2 * sizeof(*op);	/* the port is the `no` of a second one */
		break;
	case INET_DIAG_BC_DEV_COND:
		len = sizeof(*op) + sizeof(u32);
		break;
	case INET_DIAG_BC_MARK_COND:
		len = sizeof(*op) + sizeof(struct inet_diag_markcond);
		break;
	case INET_DIAG_BC_CGROUP_COND:
		len = CGROUP_LEN;
		break;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		return cond_len(op, left);
	default:
		return 0;
	}
	return len <= left ? len : 0;
}

/* follow `yes` through the program and mark where instructions begin */
static int check_ops(const void *bc, unsigned int len, bool net_admin, unsigned long *starts)
{
	const struct inet_diag_bc_op *op;
	unsigned int off, n;

	for (off = 0; off < len; off += op->yes) {
		if (len - off < BC_UNIT)
			return -EINVAL;
		op = op_at(bc, off);
		n = op_len(op, len - off);
		if (!n || op->yes < n || op->yes > len - off || op->yes % BC_UNIT)
			return -EINVAL;
		if (op->code == INET_DIAG_BC_MARK_COND && !net_admin)
			return -EPERM;
		__set_bit(off / BC_UNIT, starts);
	}
	return 0;
}

/* every jump must lead to one of the marks, forward */
static bool check_jumps(const void *bc, unsigned int len, const unsigned long *starts)
{
	const struct inet_diag_bc_op *op;
	unsigned int off;

	for (off = 0; off < len; off += op->yes) {
		op = op_at(bc, off);
		if (op->code == INET_DIAG_BC_NOP)
			continue;
		if (op->no < BC_UNIT || op->no % BC_UNIT || op->no > len - off + BC_UNIT)
			return false;
		if (op->no < len - off && !test_bit((off + op->no) / BC_UNIT, starts))
			return false;
	}
	return true;
}

int strata_diag_bc_check(const void *bc, unsigned int len, bool net_admin)
{
	unsigned long *starts;
	int err;

	if (len % BC_UNIT || len > BC_MAX)
		return -EINVAL;
	starts = bitmap_zalloc(len / BC_UNIT + 1, GFP_KERNEL);
	if (!starts)
		return -ENOMEM;
	err = check_ops(bc, len, net_admin, starts);
	if (!err && !check_jumps(bc, len, starts))
		err = -EINVAL;
	bitmap_free(starts);
	return err;
}

static bool addr_match(const struct inet_diag_bc_op *op, __be32 addr, __be16 port)
{
	const struct inet_diag_hostcond *cond = (const void *)(op + 1);

	if (cond->port != -1 && cond->port != ntohs(port))
		return false;
	if (cond->family == AF_UNSPEC || !cond->prefix_len)
		return cond->family != AF_INET6;
	if (cond->family == AF_INET6)
		return false;
	return !((addr ^ cond->addr[0]) & htonl(~0U << (32 - cond->prefix_len)));
}

static bool op_true(const struct inet_diag_bc_op *op, const struct strata_tcp_view *view)
{
	const struct inet_diag_markcond *mark;
	u32 val;

	switch (op->code) {
	case INET_DIAG_BC_NOP:
		return true;
	case INET_DIAG_BC_S_EQ:
		return ntohs(view->lport) == op[1].no;
	case INET_DIAG_BC_S_GE:
		return ntohs(view->lport) >= op[1].no;
	case INET_DIAG_BC_S_LE:
		return ntohs(view->lport) <= op[1].no;
	case INET_DIAG_BC_D_EQ:
		return ntohs(view->rport) == op[1].no;
	case INET_DIAG_BC_D_GE:
		return ntohs(view->rport) >= op[1].no;
	case INET_DIAG_BC_D_LE:
		return ntohs(view->rport) <= op[1].no;
	case INET_DIAG_BC_AUTO:
		return !view->sk || !(view->sk->sk_userlocks & SOCK_BINDPORT_LOCK);
	case INET_DIAG_BC_S_COND:
		return addr_match(op, view->laddr, view->lport);
	case INET_DIAG_BC_D_COND:
		return addr_match(op, view->raddr, view->rport);
	case INET_DIAG_BC_DEV_COND:
		return *(const u32 *)(op + 1) == view->ifindex;
	case INET_DIAG_BC_MARK_COND:
		mark = (const void *)(op + 1);
		val = view->sk ? READ_ONCE(view->sk->sk_mark) : view->mark;
		return (val & mark->mask) == mark->mark;
	case INET_DIAG_BC_CGROUP_COND:
		return cgroup_match(op, view);
	default:	/* INET_DIAG_BC_JMP */
		return false;
	}
}

static bool bc_run(const void *bc, unsigned int len, const struct strata_tcp_view *view)
{
	const struct inet_diag_bc_op *op;
	unsigned int off = 0;

	while (off < len) {
		op = op_at(bc, off);
		off += op_true(op, view) ? op->yes : op->no;
	}
	return off == len;
}

bool strata_diag_match(const struct strata_diag_query *q, const struct strata_tcp_view *view)
{
	if (!(q->states & (1 << view->state)))
		return false;
	if ((q->sport && q->sport != view->lport) || (q->dport && q->dport != view->rport))
		return false;
	return !q->bc || bc_run(q->bc, q->bc_len, view);
}
