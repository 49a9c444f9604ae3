// SPDX-License-Identifier: GPL-2.0-only
/*
 * The helper: answers the notifications of one "strata run" until the last
 * process under its filter is gone.
 *
 * A single thread, no allocation per call. Signals are blocked for good: the
 * helper ends by itself, and a SIGTERM meant for a whole control group must
 * not take the helper away from programs that are still closing down.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <linux/strata.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"
#include "run.h"

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND	(1UL << 1)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	_IOW('!', 4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* How long to stay in a caller's network namespace, and to look for the end
 * of the last process when the report is wanted (milliseconds).
 */
#define STAY_AWAY	200
#define LAST_BREATH	50

/* Descriptors 0 to 2 are /dev/null's. */
#define FIRST_FD	3

struct helper {
	const struct run_config	*cfg;
	int			listener;
	int			report_fd;
	struct run_here		here;
	struct run_report	*report;	/* NULL: nobody wants one */
	char			name[17];	/* the caller's, for the report */
	struct seccomp_notif	*req;
	size_t			req_size;
	struct seccomp_notif_resp *resp;
	size_t			resp_size;
};

/* ---- answers ------------------------------------------------------------ */

/* The caller may be gone (ENOENT): then there is nobody to answer. */
static void answer(struct helper *h, int error, __u32 flags)
{
	memset(h->resp, 0, h->resp_size);
	h->resp->id = h->req->id;
	h->resp->error = error;
	h->resp->flags = flags;
	ioctl(h->listener, SECCOMP_IOCTL_NOTIF_SEND, h->resp);
}

/*
 * Give the caller fd as the result of its call. Returns a negative errno if
 * it could not take it (EMFILE) and still waits.
 */
static int answer_fd(struct helper *h, int fd, int type)
{
	struct seccomp_notif_addfd add = {
		.id = h->req->id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = fd,
		.newfd_flags = type & SOCK_CLOEXEC ? O_CLOEXEC : 0,
	};
	int got;

	if (ioctl(h->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0)
		return 0;
	if (errno != EINVAL)
		return -errno;

	add.flags = 0;	/* before 5.14: in two steps */
	got = ioctl(h->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	if (got < 0)
		return -errno;
	memset(h->resp, 0, h->resp_size);
	h->resp->id = h->req->id;
	h->resp->val = got;
	ioctl(h->listener, SECCOMP_IOCTL_NOTIF_SEND, h->resp);
	return 0;
}

static bool still_waits(const struct helper *h)
{
	return !ioctl(h->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &h->req->id);
}

/* ---- one call ----------------------------------------------------------- */

static bool is_socketcall(const struct seccomp_data *data)
{
	return data->arch == RUN_COMPAT_ARCH &&
	       (__u32)data->nr == RUN_COMPAT_SOCKETCALL;
}

/* i386's socketcall() keeps its arguments in the caller's memory. */
static int read_call(const struct seccomp_notif *req, struct run_call *call)
{
	__s32 args[3];
	struct iovec to = { args, sizeof(args) };
	struct iovec from = { (void *)(unsigned long)req->data.args[1],
			      sizeof(args) };

	if (!is_socketcall(&req->data)) {
		*call = (struct run_call){ req->data.args[0],
					   req->data.args[1],
					   req->data.args[2] };
		return 0;
	}
	if (process_vm_readv(req->pid, &to, 1, &from, 1, 0) !=
	    (ssize_t)sizeof(args))
		return -EFAULT;
	*call = (struct run_call){ args[0], args[1], args[2] };
	return 0;
}

/*
 * The caller is in a namespace of a user namespace that only a process that
 * joins it for good can enter: a child does, and answers. There users have other
 * numbers, or none: a caller whose user the child has already is asked for here.
 */
static int move_by_child(struct helper *h, int caller,
			 const struct run_call *call)
{
	int status, fd, err;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		h->here.root = h->here.root && !run_caller_is_us(caller);
		err = run_caller_join(caller);
		fd = err ? err : run_caller_socket(&h->here, caller, call);
		err = fd < 0 ? fd : answer_fd(h, fd, call->type);
		_exit(-err);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ENOMEM;
	return -WEXITSTATUS(status);
}

/* Open the socket on Strata and hand it over; negative errno: not yet. */
static int move(struct helper *h, int caller, const struct run_call *asked)
{
	struct run_call call = *asked;
	int fd, err;

	call.domain = h->cfg->family;
	err = run_caller_enter(&h->here, caller);
	if (err == -EPERM)
		return move_by_child(h, caller, &call);
	if (err)
		return err;

	fd = run_caller_socket(&h->here, caller, &call);
	if (fd < 0)
		return fd;
	err = answer_fd(h, fd, call.type);
	close(fd);
	return err;
}

static void count(struct helper *h, const struct run_verdict *v)
{
	if (h->report)
		run_report_add(h->report, v, h->name);
}

static void serve_move(struct helper *h, int caller,
		       const struct run_call *call, struct run_verdict *v)
{
	int err = caller < 0 ? caller : move(h, caller, call);

	if (!err)
		return;
	v->action = RUN_REFUSE;
	v->error = -err;
	v->why = "Strata could not open it";
	answer(h, err, 0);
}

static void serve(struct helper *h, int caller)
{
	struct run_verdict v;
	struct run_call call;

	/* Now: with its answer the caller may be gone. */
	if (h->report)
		run_caller_name(caller, h->name, sizeof(h->name));

	if (read_call(h->req, &call))
		v = (struct run_verdict){ RUN_NATIVE, 0, "32-bit",
			"the arguments of socketcall() could not be read" };
	else
		v = run_policy(h->cfg, &call);

	if (v.action == RUN_MOVE)
		serve_move(h, caller, &call, &v);
	else if (v.action == RUN_REFUSE)
		answer(h, -v.error, 0);
	else
		answer(h, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	count(h, &v);
}

static bool is_setsockopt(const struct seccomp_data *data)
{
	return data->arch == RUN_ARCH && data->nr == __NR_setsockopt;
}

/*
 * An option that the kernel's core refuses to families it does not know: set it
 * at Strata's own level. Sockets of others, and what is wrong with the call, are
 * left to the kernel.
 */
static void serve_option(struct helper *h, int caller)
{
	const __u64 *arg = h->req->data.args;
	int val, domain = -1, err = 0, fd;
	socklen_t len = sizeof(domain);
	struct iovec to = { &val, sizeof(val) };
	struct iovec from = { (void *)(unsigned long)arg[3], sizeof(val) };
	bool ours;

	fd = caller < 0 ? caller : run_caller_fd(caller, arg[0]);
	ours = fd >= 0 && (int)arg[4] >= (int)sizeof(val) &&
	       !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	       domain == h->cfg->family &&
	       process_vm_readv(h->req->pid, &to, 1, &from, 1, 0) == sizeof(val);
	if (ours && setsockopt(fd, SOL_STRATA, arg[2], &val, sizeof(val)))
		err = -errno;
	answer(h, err, ours ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	if (fd >= 0)
		close(fd);
}

static void serve_next(struct helper *h)
{
	int caller;

	memset(h->req, 0, h->req_size);
	/* ENOENT: killed before it was heard. */
	if (ioctl(h->listener, SECCOMP_IOCTL_NOTIF_RECV, h->req))
		return;

	/*
	 * If the caller still waits after its folder in /proc was opened, the
	 * folder is the caller's and not a successor's with the same number.
	 */
	caller = run_caller_open(&h->here, h->req->pid);
	if (!still_waits(h))
		;	/* nobody to answer */
	else if (is_setsockopt(&h->req->data))
		serve_option(h, caller);
	else
		serve(h, caller);
	if (caller >= 0)
		close(caller);
}

/* ---- the helper's life -------------------------------------------------- */

/* Print into the launcher's socket; that it can be gone does not matter. */
static void send_report(struct helper *h, bool alive)
{
	FILE *to = fdopen(h->report_fd, "w");

	h->report_fd = -1;
	if (to) {
		run_report_print(h->report, alive, to);
		fclose(to);
	}
	free(h->report);
	h->report = NULL;
}

static bool all_gone(const struct helper *h)
{
	struct pollfd p = { .fd = h->listener };

	return poll(&p, 1, LAST_BREATH) > 0 && (p.revents & POLLHUP);
}

static void answer_all(struct helper *h)
{
	struct pollfd p[2] = {
		{ .fd = h->listener, .events = POLLIN },
		{ .fd = h->report_fd, .events = POLLIN },
	};
	int n;

	for (;;) {
		p[1].fd = h->report_fd;	/* poll() passes over -1 */
		n = poll(p, 2, run_here_away(&h->here) ? STAY_AWAY : -1);
		if (n < 0 && errno != EINTR)
			return;
		if (n == 0)
			run_here_return(&h->here);
		if (n <= 0)
			continue;

		if (p[0].revents & POLLIN)
			serve_next(h);
		else if (p[0].revents)
			break;
		else if (p[1].revents)	/* PROGRAM itself has ended */
			send_report(h, !all_gone(h));
	}
	if (h->report_fd >= 0)
		send_report(h, false);
}

static int receive_listener(int ctl)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(ctl, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -1;	/* the launcher gave up */
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* Let go of everything inherited but the two sockets. */
static bool let_go(int *ctl, int *report_fd)
{
	int keep[2], null, i;

	/* Out of the way of the numbers they are moved to. */
	keep[0] = fcntl(*ctl, F_DUPFD_CLOEXEC, FIRST_FD + 2);
	keep[1] = *report_fd < 0 ? -1 :
		  fcntl(*report_fd, F_DUPFD_CLOEXEC, FIRST_FD + 2);
	if (keep[0] < 0 || (*report_fd >= 0 && keep[1] < 0))
		return false;
	for (i = 0; i < 2; i++)
		if (keep[i] >= 0 && dup3(keep[i], FIRST_FD + i, O_CLOEXEC) < 0)
			return false;
	*ctl = FIRST_FD;
	if (*report_fd >= 0)
		*report_fd = FIRST_FD + 1;
	else
		close(FIRST_FD + 1);
	close_range(FIRST_FD + 2, ~0U, 0);

	/* Standard descriptors that are nothing, lest a pipe never ends. */
	null = open("/dev/null", O_RDWR);
	for (i = 0; i < FIRST_FD; i++)
		if (null < 0 || dup2(null, i) < 0)
			close(i);
	if (null >= FIRST_FD)
		close(null);
	return !chdir("/");
}

static bool allocate(struct helper *h)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		return false;
	/* A newer kernel's structures may be larger than ours, or smaller. */
	h->req_size = sizes.seccomp_notif > sizeof(*h->req) ?
		      sizes.seccomp_notif : sizeof(*h->req);
	h->resp_size = sizes.seccomp_notif_resp > sizeof(*h->resp) ?
		       sizes.seccomp_notif_resp : sizeof(*h->resp);
	h->req = calloc(1, h->req_size);
	h->resp = calloc(1, h->resp_size);
	if (h->cfg->report && h->report_fd >= 0)
		h->report = run_report_new();
	return h->req && h->resp && (h->report_fd < 0 || h->report);
}

void run_helper(const struct run_config *cfg, int ctl, int report_fd)
{
	struct helper h = { .cfg = cfg };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);	/* move_by_child() wants its status */
	prctl(PR_SET_NAME, "strata-run");

	if (!let_go(&ctl, &report_fd))
		_exit(RUN_EXIT_SELF);
	h.report_fd = report_fd;
	h.listener = receive_listener(ctl);
	if (h.listener < 0 || !allocate(&h) || run_here_init(&h.here))
		_exit(RUN_EXIT_SELF);

	/* 6.6 and later: wake the other side on this very processor. */
	ioctl(h.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	      SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);

	/* The launcher waits for this byte: from now on calls are answered. */
	if (send(ctl, "", 1, MSG_NOSIGNAL) != 1)
		_exit(RUN_EXIT_SELF);
	close(ctl);

	answer_all(&h);
	_exit(0);
}
