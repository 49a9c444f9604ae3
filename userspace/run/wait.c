// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parent that stays with --report: PROGRAM is its child and sits in the
 * same process group, so that the terminal treats both as one job. The parent
 *
 *  - lets signals of the terminal be (PROGRAM gets them too) and passes on
 *    those that somebody sent to it alone, as the process known to the caller;
 *  - stops when PROGRAM stops for the terminal's sake, and continues it when it
 *    is continued. Not for a SIGSTOP: who sends that, sends SIGCONT to PROGRAM
 *    alone, too, and nothing would wake the parent;
 *  - ends as PROGRAM ended, by exit status or signal, after the report.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

/* Stop as the child did; on waking up, wake it as well. */
static void stop_too(pid_t child, int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);		/* pending: all signals are blocked */
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(child, SIGCONT);
}

/* Returns true with its wait status when the child has ended; *halted: by SIGSTOP. */
static bool child_ended(pid_t child, int *status, bool *halted)
{
	while (waitpid(child, status, WNOHANG | WUNTRACED | WCONTINUED) == child) {
		*halted = WIFSTOPPED(*status) && WSTOPSIG(*status) == SIGSTOP;
		if (WIFSTOPPED(*status) && !*halted)
			stop_too(child, WSTOPSIG(*status));
		else if (!WIFSTOPPED(*status) && !WIFCONTINUED(*status))
			return true;
	}
	return false;
}

static int wait_for(pid_t child, const sigset_t *all)
{
	bool halted = false;
	siginfo_t info;
	int status;

	while (!child_ended(child, &status, &halted)) {
		if (sigwaitinfo(all, &info) < 0)
			continue;
		/* Ctrl-Z, and PROGRAM cannot stop a second time for us to see */
		if (info.si_signo == SIGTSTP && info.si_code > 0 && halted)
			stop_too(child, SIGTSTP);
		/* si_code > 0: the kernel's, for the whole job */
		if (info.si_signo != SIGCHLD && info.si_code <= 0 &&
		    info.si_pid != child)
			kill(child, info.si_signo);
	}
	return status;
}

/* Ask the helper for the report and print it in one piece. */
static void print_report(int fd)
{
	char buf[4096];
	ssize_t n;

	shutdown(fd, SHUT_WR);
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n > 0)
			n = write(STDERR_FILENO, buf, n);
		if (n < 0 && errno != EINTR)
			break;
	}
	close(fd);
}

static int end_as(int status)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t set;
	int sig;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);

	sig = WTERMSIG(status);	/* the core file is PROGRAM's, if any */
	setrlimit(RLIMIT_CORE, &no_core);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + sig;
}

/* Its reader shall see the end of a pipe when PROGRAM closes it. */
static void let_go_of_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int run_supervised(const struct run_config *cfg, char **argv)
{
	struct sigaction chld, dfl = { .sa_handler = SIG_DFL };
	sigset_t all, mask;
	int fd[2], status, err;
	pid_t child;

	err = run_socket_pair(fd);
	if (err) {
		run_error("no socket for the report: %s", strerror(-err));
		return RUN_EXIT_SELF;
	}

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	sigaction(SIGCHLD, &dfl, &chld);	/* ignored: no wait status */

	child = fork();
	if (!child) {
		close(fd[0]);
		sigaction(SIGCHLD, &chld, NULL);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		_exit(run_exec(cfg, argv, fd[1]));
	}
	close(fd[1]);
	if (child < 0) {
		run_error("fork: %s", strerror(errno));
		return RUN_EXIT_SELF;
	}

	let_go_of_stdio();
	status = wait_for(child, &all);
	print_report(fd[0]);
	return end_as(status);
}
