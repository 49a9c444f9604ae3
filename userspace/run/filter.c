// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seccomp filter: a notification for socket(AF_INET, ...), and where the
 * kernel needs it for setsockopt() of two options, nothing else.
 *
 * The two are SO_REUSEPORT and SO_ZEROCOPY. Before Linux 6.2 the core handles all
 * of SOL_SOCKET by itself (there is no SOCK_CUSTOM_SOCKOPT for a family to take it
 * over) and answers EOPNOTSUPP for them where the family is none that it knows. So
 * the helper sets them at level SOL_STRATA. Whether that is needed is tried at the
 * start (run.c); where it is not, no setsockopt() is intercepted.
 *
 * The kernel computes once which system calls the filter lets pass whatever
 * their arguments and does not even run it for them, so that programs under
 * the filter pay for socket() alone.
 *
 * AF_INET6 is refused by the filter itself; only --report has it told to the
 * helper, to be counted. 32-bit programs on a 64-bit kernel have numbers of
 * their own, and i386 also the older socketcall(), whose arguments lie in
 * memory where a filter cannot look: socketcall(SYS_SOCKET) is always told.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif

#include "filter.h"
#include "run.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* Every instruction has a name, and jumps go to names. */
enum {
	LD_ARCH, IS_NATIVE, IS_COMPAT,
	LD_NR, IS_SOCKET, IS_X32_SOCKET,
	IS_SETSOCKOPT, LD_LEVEL, IS_SOL_SOCKET, LD_OPTION, IS_REUSEPORT, IS_ZEROCOPY,
	LD_COMPAT_NR, IS_COMPAT_SOCKET, IS_SOCKETCALL,
	LD_SOCKETCALL, IS_SYS_SOCKET,
	LD_DOMAIN, IS_INET, IS_INET6,
	RET_ALLOW, RET_NOTIFY, RET_INET6,
	LENGTH
};

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(value) \
	BPF_STMT(BPF_RET | BPF_K, (value))
#define IF(here, value, yes, no) \
	[here] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), \
			  (yes) - (here) - 1, (no) - (here) - 1)

/* args[0] is an int and both machines are little-endian: its low half. */
static const struct sock_filter program[LENGTH] = {
	[LD_ARCH] = LOAD(arch),
	IF(IS_NATIVE, RUN_ARCH, LD_NR, IS_COMPAT),
	IF(IS_COMPAT, RUN_COMPAT_ARCH, LD_COMPAT_NR, RET_ALLOW),

	[LD_NR] = LOAD(nr),
	IF(IS_SOCKET, __NR_socket, LD_DOMAIN, IS_X32_SOCKET),
	IF(IS_X32_SOCKET, RUN_X32_SOCKET, LD_DOMAIN, IS_SETSOCKOPT),

	IF(IS_SETSOCKOPT, __NR_setsockopt, LD_LEVEL, RET_ALLOW),	/* see below */
	[LD_LEVEL] = LOAD(args[1]),
	IF(IS_SOL_SOCKET, SOL_SOCKET, LD_OPTION, RET_ALLOW),
	[LD_OPTION] = LOAD(args[2]),
	IF(IS_REUSEPORT, SO_REUSEPORT, RET_NOTIFY, IS_ZEROCOPY),
	IF(IS_ZEROCOPY, SO_ZEROCOPY, RET_NOTIFY, RET_ALLOW),

	[LD_COMPAT_NR] = LOAD(nr),
	IF(IS_COMPAT_SOCKET, RUN_COMPAT_SOCKET, LD_DOMAIN, IS_SOCKETCALL),
	IF(IS_SOCKETCALL, RUN_COMPAT_SOCKETCALL, LD_SOCKETCALL, RET_ALLOW),

	[LD_SOCKETCALL] = LOAD(args[0]),
	IF(IS_SYS_SOCKET, SYS_SOCKET, RET_NOTIFY, RET_ALLOW),

	[LD_DOMAIN] = LOAD(args[0]),
	IF(IS_INET, AF_INET, RET_NOTIFY, IS_INET6),
	IF(IS_INET6, AF_INET6, RET_INET6, RET_ALLOW),

	[RET_ALLOW] = RET(SECCOMP_RET_ALLOW),
	[RET_NOTIFY] = RET(SECCOMP_RET_USER_NOTIF),
	[RET_INET6] = RET(SECCOMP_RET_ALLOW),	/* set below */
};

static int install(struct sock_filter *insns, unsigned long flags)
{
	struct sock_fprog prog = { .len = LENGTH, .filter = insns };
	int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			 SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &prog);

	return fd < 0 ? -errno : fd;
}

/*
 * Once the helper has taken a call up, only a deadly signal shall end the
 * wait: otherwise a program with a busy timer (Go's preemption signal) would
 * repeat the call without end. Kernels before 5.19 do not know the flag.
 */
static int install_killable(struct sock_filter *insns)
{
	int fd = install(insns, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	return fd == -EINVAL ? install(insns, 0) : fd;
}

int run_filter_install(const struct run_config *cfg)
{
	struct sock_filter insns[LENGTH];
	int fd;

	memcpy(insns, program, sizeof(insns));
	if (!cfg->options)
		insns[IS_SETSOCKOPT].k = NO_SUCH_CALL;
	if (cfg->report)
		insns[RET_INET6].k = SECCOMP_RET_USER_NOTIF;
	else if (!cfg->ipv6_native)
		insns[RET_INET6].k = SECCOMP_RET_ERRNO | EAFNOSUPPORT;

	/*
	 * CAP_SYS_ADMIN may install a filter as it is. Others must give up
	 * gaining rights by execve first, so set-user-id programs keep theirs
	 * only when they are started by root.
	 */
	fd = install_killable(insns);
	if (fd == -EACCES && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fd = install_killable(insns);
	return fd;
}
