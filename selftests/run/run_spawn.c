// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests' process is a subreaper: daemons of a command, the launcher's
 * helper among them, become its children, so it can tell when they end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_spawn.h"

#define PATIENCE	5000	/* milliseconds */

const char *beside(const char *name)
{
	static char paths[4][512];
	static int turn;
	char *path = paths[turn++ % 4];
	ssize_t n = readlink("/proc/self/exe", path, 400);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash ? slash + 1 : path, 100, "%s", name);
	return path;
}

struct running spawn_start(void (*setup)(void), char *const argv[])
{
	struct running r;
	int out[2], err[2];

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		abort();
	r.pid = fork();
	if (!r.pid) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		close_range(3, ~0U, 0);
		if (setup)
			setup();
		execvp(argv[0], argv);
		_exit(99);
	}
	close(out[1]);
	close(err[1]);
	r.out = out[0];
	r.err = err[0];
	return r;
}

/* Append what fd has; false at its end. */
static bool gather(int fd, char *buf, size_t size)
{
	size_t have = strlen(buf);
	ssize_t n = read(fd, buf + have, size - 1 - have);

	if (n > 0)
		buf[have + n] = '\0';
	return n > 0;
}

static int reap_strays(void)
{
	int waited, left = 0;
	pid_t pid = 1;

	for (waited = 0; waited < PATIENCE; waited += 10) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0)
			return 0;
		usleep(10000);
	}
	while ((pid = find_helper()) > 0) {
		left++;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return left ? left : 1;
}

void spawn_finish(struct running *r, struct outcome *o)
{
	struct pollfd p[2] = { { r->out, POLLIN, 0 }, { r->err, POLLIN, 0 } };

	memset(o, 0, sizeof(*o));
	o->pid = r->pid;
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		poll(p, 2, -1);
		if (p[0].revents && !gather(r->out, o->out, sizeof(o->out)))
			p[0].fd = -1;
		if (p[1].revents && !gather(r->err, o->err, sizeof(o->err)))
			p[1].fd = -1;
	}
	close(r->out);
	close(r->err);
	waitpid(r->pid, &o->status, 0);
	o->left = reap_strays();
}

void spawn(struct outcome *o, void (*setup)(void), ...)
{
	char *argv[24] = { NULL };
	struct running r;
	va_list ap;
	int n = 0;

	va_start(ap, setup);
	while (n < 23 && (argv[n] = va_arg(ap, char *)))
		n++;
	va_end(ap);
	r = spawn_start(setup, argv);
	spawn_finish(&r, o);
}

bool await_text(int fd, const char *text)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char buf[4096] = "";

	while (!strstr(buf, text))
		if (poll(&p, 1, PATIENCE) <= 0 || !gather(fd, buf, sizeof(buf)))
			return false;
	return true;
}

/* @parent's child with @name (in brackets), or any for "". */
static pid_t find_child(pid_t parent, const char *name)
{
	char path[300], text[512];
	struct dirent *e;
	pid_t found = 0;
	DIR *d = opendir("/proc");
	int ppid;
	FILE *f;

	while (d && !found && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		f = atoi(e->d_name) > 0 ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (fgets(text, sizeof(text), f) &&
		    strstr(text, name) &&
		    sscanf(strrchr(text, ')'), ") %*c %d", &ppid) == 1 &&
		    ppid == parent)
			found = atoi(e->d_name);
		fclose(f);
	}
	if (d)
		closedir(d);
	return found;
}

pid_t find_helper(void)
{
	return find_child(getpid(), "(strata-run)");
}

pid_t child_of(pid_t parent)
{
	return find_child(parent, "");
}

pid_t spawn_job(char *const argv[], int *master)
{
	struct winsize size = { 24, 80, 0, 0 };
	int slave, sig;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (openpty(master, &slave, NULL, NULL, &size))
		abort();
	/* The session's leader stays in between: the job's group has a
	 * parent in its session, as under a shell, and can be stopped.
	 */
	setsid();
	ioctl(slave, TIOCSCTTY, 1);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		tcsetpgrp(slave, getpid());
		/* Whoever started the tests may have them ignored. */
		for (sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_DFL);
		dup2(slave, 0);
		dup2(slave, 1);
		dup2(slave, 2);
		close_range(3, ~0U, 0);
		execvp(argv[0], argv);
		_exit(99);
	}
	close(slave);
	return pid;
}
