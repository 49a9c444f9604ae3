// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's way from "strata run" to PROGRAM: start the helper, install
 * the filter, hand over the notification descriptor, execute.
 *
 * The helper is born before the filter, or it would be under it and never see
 * its end. It must not be PROGRAM's child, which PROGRAM could wait for: a
 * child in between starts it and ends at once, without a SIGCHLD that would
 * stay pending for PROGRAM where that signal is blocked.
 *
 * Where PROGRAM takes in orphans (process 1, a subreaper) the helper would come
 * back to it that way, and a program that waits until no child is left would
 * wait for ever. There it is a child whose end is told by no signal and stays
 * one: wait() does not know of such children but with __WALL or __WCLONE.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

/*
 * fork() whose child's end is told by no signal. Not by clone3(): filters of containers and
 * services answer ENOSYS to that, for they cannot look at what it is asked for.
 */
static pid_t fork_silently(void)
{
	return syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
}

static void forget(pid_t pid)
{
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static bool takes_in_orphans(void)
{
	int subreaper = 0;

	return getpid() == 1 || (!prctl(PR_GET_CHILD_SUBREAPER, &subreaper) && subreaper);
}

static int start_helper(const struct run_config *cfg, int ctl, int report_fd)
{
	bool child = takes_in_orphans();
	pid_t pid = fork_silently();

	if (pid < 0)
		return -errno;
	if (pid) {
		if (!child)
			forget(pid);
		return 0;
	}

	/* A session of its own: no terminal, no job, no one's group. */
	setsid();
	if (child || !fork())
		run_helper(cfg, ctl, report_fd);
	_exit(0);	/* a failed fork() shows as a closed ctl */
}

static int send_listener(int ctl, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(ctl, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static bool helper_is_ready(int ctl)
{
	char byte;
	ssize_t n;

	do {
		n = read(ctl, &byte, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Are IPv4 sockets of this process moved already, by an outer strata run? */
static bool moved_already(const struct run_config *cfg)
{
	int domain = -1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(domain);

	if (fd < 0)
		return false;
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	close(fd);
	return domain == cfg->family;
}

/* Put this process under a filter that the helper answers for. */
static int supervise_me(const struct run_config *cfg, int ctl)
{
	int listener = run_filter_install(cfg);
	int err;

	/* The kernel has one such filter per process; the outer one will do. */
	if (listener == -EBUSY && moved_already(cfg)) {
		if (cfg->report)
			run_error("already under strata run: no report of its own");
		if (cfg->ipv6_native)
			run_error("already under strata run: what it does to IPv6 stays");
		return 0;
	}
	if (listener == -EBUSY) {
		run_error("another program already answers seccomp notifications for this process, and the kernel allows one only");
		return RUN_EXIT_SELF;
	}
	if (listener < 0) {
		run_error("cannot install the seccomp filter: %s",
			  strerror(-listener));
		return RUN_EXIT_SELF;
	}

	err = send_listener(ctl, listener);
	close(listener);
	if (err || !helper_is_ready(ctl)) {
		run_error("the helper could not start%s%s (it needs /proc, of its own pid namespace)",
			  err ? ": " : "", err ? strerror(-err) : "");
		return RUN_EXIT_SELF;
	}
	return 0;
}

int run_socket_pair(int pair[2])
{
	int low[2], i;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, low))
		return -errno;
	for (i = 0; i < 2; i++) {
		pair[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(low[i]);
	}
	return pair[0] < 0 || pair[1] < 0 ? -EMFILE : 0;
}

int run_exec(const struct run_config *cfg, char **argv, int report_fd)
{
	int ctl[2] = { -1, -1 }, err, status;

	err = run_socket_pair(ctl);
	if (!err)
		err = start_helper(cfg, ctl[1], report_fd);
	if (err) {
		run_error("cannot start the helper: %s", strerror(-err));
		return RUN_EXIT_SELF;
	}
	close(ctl[1]);

	status = supervise_me(cfg, ctl[0]);
	close(ctl[0]);
	if (status)
		return status;

	execvp(argv[0], argv);
	err = errno;
	run_error("%s: %s", argv[0], strerror(err));
	return err == ENOENT ? RUN_EXIT_NOENT : RUN_EXIT_NOEXEC;
}

int run_program(const struct run_config *cfg, char **argv)
{
	return cfg->report ? run_supervised(cfg, argv) :
			     run_exec(cfg, argv, -1);
}
