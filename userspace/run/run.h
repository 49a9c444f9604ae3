/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * strata run: start a program whose IPv4 sockets are Strata's.
 *
 * Who is who (-> starts, => becomes by execve):
 *
 *	launcher => PROGRAM	same pid, so exit status, signals, terminal and
 *	   |			job control need no help at all
 *	   +-> (gone) -> helper	a daemon in a session of its own that answers the
 *				socket() calls of PROGRAM and its descendants
 *
 * (Where PROGRAM takes in orphans, as process 1 does, the helper is its child and
 * wait() does not know: launch.c.)
 *
 * With --report there is one more process, because something must print
 * after PROGRAM has ended and before the shell's prompt:
 *
 *	launcher (stays, waits, prints) -> child => PROGRAM
 *
 * The launcher installs a seccomp filter that turns socket(AF_INET) into a
 * notification, gives the notification's descriptor to the helper and executes
 * PROGRAM. The helper opens the socket and puts it into the caller's table of
 * descriptors: what the program gets is a real socket, and no other system
 * call is touched, but setsockopt() of SO_REUSEPORT and SO_ZEROCOPY before
 * Linux 6.2, whose core has them for families that it knows. The kernel tells
 * the helper when the last process under the filter is gone; then it ends.
 *
 * One file, one job:
 *	run.c		options, help, is the module there?
 *	launch.c	the helper's birth, the filter, execve
 *	wait.c		the parent that stays with --report
 *	filter.c	the BPF program
 *	policy.c	which call is moved, refused or left alone (pure)
 *	helper.c	the helper's loop
 *	caller.c	the caller's namespace and identity
 *	report.c	the table that --report prints
 */
#ifndef STRATA_RUN_H
#define STRATA_RUN_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit statuses of the launcher itself, those of env(1) and nohup(1). */
enum {
	RUN_EXIT_SELF		= 125,	/* strata run itself failed */
	RUN_EXIT_NOEXEC		= 126,	/* PROGRAM cannot be executed */
	RUN_EXIT_NOENT		= 127,	/* PROGRAM was not found */
};

/**
 * struct run_config - what the command line asked for
 * @family:	address family the sockets are moved to (tests use another)
 * @report:	count and print what became of every socket
 * @ipv6_native: leave AF_INET6 alone instead of refusing it
 * @options:	set options that the kernel's core refuses to Strata's sockets
 */
struct run_config {
	int	family;
	bool	report;
	bool	ipv6_native;
	bool	options;
};

/* run.c: the command; returns its exit status or becomes PROGRAM. */
int strata_cmd_run(int argc, char **argv);

/*
 * run.c: read the options in argv[1..] into cfg. Returns PROGRAM and its
 * arguments, or NULL after having printed the help or what was wrong: leave
 * with *status.
 */
char **run_parse(int argc, char **argv, struct run_config *cfg, int *status);

/* run.c: print "strata run: ..." on standard error in one write. */
void run_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * launch.c: two connected sockets, above the descriptors that a shell may have closed for
 * PROGRAM. Returns 0 or -errno
 */
int run_socket_pair(int pair[2]);

/*
 * launch.c: run argv as cfg says. Returns an exit status if it could not or,
 * with --report, when it has ended.
 */
int run_program(const struct run_config *cfg, char **argv);

/*
 * launch.c: start the helper, install the filter and become argv. report_fd
 * goes to the helper (-1: none). Returns an exit status if that fails.
 */
int run_exec(const struct run_config *cfg, char **argv, int report_fd);

/* wait.c: run_exec() in a child, wait for it, print the report. */
int run_supervised(const struct run_config *cfg, char **argv);

/*
 * filter.c: put this process under the filter. Returns the notification
 * descriptor (close-on-exec) or a negative errno: -EBUSY where another
 * process already answers notifications for this one.
 */
int run_filter_install(const struct run_config *cfg);

/* policy.c */
enum run_action {
	RUN_MOVE,	/* open it on Strata */
	RUN_REFUSE,	/* answer .error */
	RUN_NATIVE,	/* let the kernel go on */
	RUN_ACTIONS
};

struct run_call {
	int	domain;
	int	type;		/* with SOCK_CLOEXEC and SOCK_NONBLOCK */
	int	protocol;
};

/**
 * struct run_verdict - what to do with a call, in words too
 * @action:	what to do
 * @error:	errno value of a refusal, positive
 * @kind:	the socket in one word or two ("TCP", "IPv6 UDP")
 * @why:	the reason it is not moved, NULL if it is
 */
struct run_verdict {
	enum run_action	action;
	int		error;
	const char	*kind;
	const char	*why;
};

struct run_verdict run_policy(const struct run_config *cfg,
			      const struct run_call *call);

/*
 * helper.c: the helper's whole life. ctl is the launcher's socket: the
 * notification descriptor comes in on it and one byte goes back.
 */
void run_helper(const struct run_config *cfg, int ctl, int report_fd)
	__attribute__((noreturn));

/**
 * struct run_here - where and who the helper is at the moment
 * @proc:	descriptor of /proc
 * @home:	descriptor of the network namespace the helper began in
 * @home_dev:	its identity
 * @home_ino:	its identity
 * @dev:	identity of the namespace the helper is in now
 * @ino:	identity of the namespace the helper is in now
 * @root:	the helper may take on the identity of others
 */
struct run_here {
	int	proc;
	int	home;
	dev_t	home_dev, dev;
	ino_t	home_ino, ino;
	bool	root;
};

/* caller.c; errors are negative errno values */
int run_here_init(struct run_here *here);
bool run_here_away(const struct run_here *here);
void run_here_return(struct run_here *here);

/* A descriptor that stands for thread tid even after the number is reused. */
int run_caller_open(const struct run_here *here, pid_t tid);
void run_caller_name(int caller, char *name, size_t size);

/*
 * Go to the caller's network namespace. -EPERM: only a process that joins the
 * user namespace it belongs to for good can; fork one and use run_caller_join().
 * -EACCES: it cannot be seen which that is.
 */
int run_caller_enter(struct run_here *here, int caller);
int run_caller_join(int caller);

/* Of a helper that is root: is the caller root, too? */
bool run_caller_is_us(int caller);

/* The caller's descriptor fd, here too: another one of the same socket. */
int run_caller_fd(int caller, int fd);

/* socket() as the caller: its user, groups and file system user. */
int run_caller_socket(const struct run_here *here, int caller,
		      const struct run_call *call);

/* report.c */
struct run_report;

struct run_report *run_report_new(void);
void run_report_add(struct run_report *rep, const struct run_verdict *v,
		    const char *name);
void run_report_print(const struct run_report *rep, bool alive, FILE *to);

#endif /* STRATA_RUN_H */
