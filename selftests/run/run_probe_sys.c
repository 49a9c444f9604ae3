// SPDX-License-Identifier: GPL-2.0-only
/* Probes that make system calls by hand and filters of their own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run_probe.h"

#define SKIP 4

#ifdef __x86_64__
/* The gate of 32-bit programs, open to 64-bit ones too. */
static int int80(int nr, int a, long b, int c)
{
	int ret;

	__asm__ volatile("int $0x80" : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static void no_gate(int sig)
{
	(void)sig;
	_exit(SKIP);
}

/* compat: i386's socket() and socketcall(SYS_SOCKET) */
int probe_compat(int argc, char **argv)
{
	int *args = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int fd;

	signal(SIGSEGV, no_gate);
	if (args == MAP_FAILED || int80(20, 0, 0, 0) != getpid())
		return SKIP;
	fd = int80(359, AF_INET, SOCK_STREAM, 0);
	printf("socket %d\n", fd < 0 ? fd : domain_of(fd));
	args[0] = AF_INET;
	args[1] = SOCK_DGRAM;
	fd = int80(102, 1, (long)args, 0);
	printf("socketcall %d\n", fd < 0 ? fd : domain_of(fd));
	args[0] = AF_INET6;
	printf("socketcall6 %d\n", int80(102, 1, (long)args, 0));
	printf("fault %d\n", int80(102, 1, 8, 0));
	return 0;
}
#else
int probe_compat(int argc, char **argv)
{
	return SKIP;
}
#endif

static int filter_socket(unsigned int what, unsigned int flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, what),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, insns };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* sandbox: a filter that allows socket() and then one that forbids it */
int probe_sandbox(int argc, char **argv)
{
	int fd;

	if (filter_socket(SECCOMP_RET_ALLOW, 0))
		return SKIP;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	printf("allowed: domain %d\n", domain_of(fd));
	if (filter_socket(SECCOMP_RET_ERRNO | EACCES, 0))
		return SKIP;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	printf("forbidden: errno %d\n", fd < 0 ? errno : 0);
	return 0;
}

/* listener PROGRAM...: under a notifier of somebody else, run PROGRAM */
int probe_listener(int argc, char **argv)
{
	int fd = filter_socket(SECCOMP_RET_ALLOW,
			       SECCOMP_FILTER_FLAG_NEW_LISTENER);

	if (fd < 0)
		return SKIP;
	fcntl(fd, F_SETFD, 0);	/* as long as it is open there is no other */
	execv(argv[1], argv + 1);
	return 1;
}
