// SPDX-License-Identifier: GPL-2.0-only
/*
 * The caller of socket(): its network namespace and its identity.
 *
 * A socket belongs to the namespace, and its owner is the file system user, of
 * whoever opened it, so the helper goes where the caller is and becomes who
 * the caller is for the moment of opening. The caller waits meanwhile.
 *
 * Namespace: a thread may be in another one than its process, so everything
 * goes through /proc/TID. A descriptor of that folder stands for the very
 * thread, also after its number has been reused.
 *
 * A caller that has shut itself off (PR_SET_DUMPABLE, or a program that nobody
 * may read) hides ns/net from a helper without rights, but not net/: files there
 * have numbers of their own in every namespace. Such a caller gets a socket if it
 * is seen to be at home, and none if it has gone or cannot be seen (hidepid).
 *
 * Identity: taken on only by a helper that is root; any other helper and its
 * callers have one and the same user, for none of them can change it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run.h"

/* More groups than this are cut off: they only matter for ping_group_range. */
#define MAX_GROUPS	64

struct identity {
	uid_t	euid, fsuid;
	gid_t	egid, fsgid;
	gid_t	groups[MAX_GROUPS];
	size_t	ngroups;
};

int run_here_init(struct run_here *here)
{
	char self[16] = "";
	struct stat st;

	here->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here->proc < 0)
		return -errno;
	/* another pid namespace's: the numbers of callers would be those of strangers there */
	if (readlinkat(here->proc, "self", self, sizeof(self) - 1) <= 0 || atoi(self) != getpid())
		return -EXDEV;
	here->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (here->home < 0 || fstat(here->home, &st))
		return -errno;

	here->home_dev = st.st_dev;
	here->home_ino = st.st_ino;
	here->dev = st.st_dev;
	here->ino = st.st_ino;
	here->root = geteuid() == 0;
	return 0;
}

bool run_here_away(const struct run_here *here)
{
	return here->ino != here->home_ino || here->dev != here->home_dev;
}

/* A namespace lives as long as somebody is in it: do not be the last one. */
void run_here_return(struct run_here *here)
{
	if (!run_here_away(here) || setns(here->home, CLONE_NEWNET))
		return;
	here->dev = here->home_dev;
	here->ino = here->home_ino;
}

int run_caller_open(const struct run_here *here, pid_t tid)
{
	char name[16];
	int fd;

	if (tid <= 0)	/* in a pid namespace that cannot be seen from here */
		return -ESRCH;
	snprintf(name, sizeof(name), "%d", tid);
	fd = openat(here->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -EACCES;	/* it is there, for it waits: hidden (hidepid=4) */
	return fd < 0 ? -errno : fd;
}

static ssize_t read_file(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	buf[len > 0 ? len : 0] = '\0';
	return len;
}

void run_caller_name(int caller, char *name, size_t size)
{
	if (read_file(caller, "comm", name, size) <= 0)
		snprintf(name, size, "?");
	name[strcspn(name, "\n")] = '\0';
}

/*
 * Is the caller at home? The numbers of both namespaces' files are compared while
 * both are in use, the caller's because it waits: equal are those of one and the same.
 */
static bool at_home(const struct run_here *here, int caller)
{
	struct stat theirs, ours;

	return !run_here_away(here) && !fstatat(caller, "net/dev", &theirs, 0) &&
	       !fstatat(here->proc, "self/net/dev", &ours, 0) &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

int run_caller_enter(struct run_here *here, int caller)
{
	struct stat st;
	int ns, err = 0;

	if (fstatat(caller, "ns/net", &st, 0)) {
		/* by itself EACCES, by hidepid=1 EPERM, by hidepid=2 ENOENT */
		if (errno != EACCES && errno != EPERM && errno != ENOENT)
			return -errno;
		run_here_return(here);
		return at_home(here, caller) ? 0 : -EACCES;
	}
	if (st.st_ino == here->ino && st.st_dev == here->dev)
		return 0;

	ns = openat(caller, "ns/net", O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return -errno;
	/* The caller waits, but be exact: ask what has really been opened. */
	if (fstat(ns, &st) || setns(ns, CLONE_NEWNET)) {
		err = -errno;
	} else {
		here->dev = st.st_dev;
		here->ino = st.st_ino;
	}
	close(ns);
	return err;
}

/*
 * (The caller's own user namespace can be another, further in, without rights in its network's.
 * Where the owner is the one that the helper is in, EINVAL, there is nothing to gain.)
 */
int run_caller_join(int caller)
{
	int err = 0, owner, net = openat(caller, "ns/net", O_RDONLY | O_CLOEXEC);

	if (net < 0)
		return -errno;
	owner = ioctl(net, NS_GET_USERNS);
	if (owner < 0 || setns(owner, CLONE_NEWUSER) || setns(net, CLONE_NEWNET))
		err = errno == EINVAL ? -EPERM : -errno;
	if (owner >= 0)
		close(owner);
	close(net);
	return err;
}

/* Find "Name:" in the text of /proc/TID/status; what follows it, or NULL. */
static const char *status_field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : NULL;
}

static int read_identity(int caller, struct identity *who)
{
	char status[4096];
	const char *at;
	char *end;
	ssize_t len = read_file(caller, "status", status, sizeof(status));

	if (len < 0)
		return len;

	at = status_field(status, "\nUid:");
	if (!at || sscanf(at, "%*u %u %*u %u", &who->euid, &who->fsuid) != 2)
		return -EPROTO;
	at = status_field(status, "\nGid:");
	if (!at || sscanf(at, "%*u %u %*u %u", &who->egid, &who->fsgid) != 2)
		return -EPROTO;

	who->ngroups = 0;
	at = status_field(status, "\nGroups:");
	while (at && who->ngroups < MAX_GROUPS) {
		while (*at == ' ' || *at == '\t')
			at++;
		who->groups[who->ngroups] = strtoul(at, &end, 10);
		if (end == at)
			break;
		who->ngroups++;
		at = end;
	}
	return 0;
}

/* A thread may have descriptors of its own: is the one here the caller's? */
static bool same_file(int caller, int theirs, int ours)
{
	struct stat a, b;
	char name[32];

	snprintf(name, sizeof(name), "fd/%d", theirs);
	return !fstatat(caller, name, &a, 0) && !fstat(ours, &b) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int run_caller_fd(int caller, int fd)
{
	char status[4096];
	const char *at;
	int process, got, pid;
	ssize_t len = read_file(caller, "status", status, sizeof(status));

	if (len < 0)
		return len;
	at = status_field(status, "\nTgid:");
	if (!at || sscanf(at, "%d", &pid) != 1)
		return -EPROTO;
	process = syscall(SYS_pidfd_open, pid, 0);
	if (process < 0)
		return -errno;
	got = syscall(SYS_pidfd_getfd, process, fd, 0);
	if (got < 0) {
		got = -errno;
	} else if (!same_file(caller, fd, got)) {
		close(got);
		got = -EBADF;
	}
	close(process);
	return got;
}

static bool is_root(const struct identity *who)
{
	return who->euid == 0 && who->fsuid == 0 &&
	       who->egid == 0 && who->fsgid == 0;
}

/*
 * In a user namespace groups may be fixed (EPERM) or without a number
 * (EINVAL); then the helper's own must do.
 */
static bool set_groups(const gid_t *groups, size_t n)
{
	return !setgroups(n, groups) || errno == EPERM || errno == EINVAL;
}

/*
 * Groups first and the user last, for a user who is not root may not change
 * groups. The real and saved users stay root's, which is the way back. Users
 * that have no number in the helper's user namespace cannot be taken on.
 */
static int become(const struct identity *who)
{
	if (!set_groups(who->groups, who->ngroups))
		return -errno;
	if (setegid(who->egid))
		return -errno;
	setfsgid(who->fsgid);
	if (seteuid(who->euid))
		return -errno;
	setfsuid(who->fsuid);
	return 0;
}

static int become_root(void)
{
	if (seteuid(0) || setegid(0) || !set_groups(NULL, 0))
		return -errno;
	return 0;
}

static int open_socket(const struct run_call *call)
{
	int fd = socket(call->domain, call->type | SOCK_CLOEXEC,
			call->protocol);

	return fd < 0 ? -errno : fd;
}

bool run_caller_is_us(int caller)
{
	struct identity who;

	return !read_identity(caller, &who) && is_root(&who);
}

int run_caller_socket(const struct run_here *here, int caller,
		      const struct run_call *call)
{
	struct identity who;
	int fd;

	if (!here->root)
		return open_socket(call);

	fd = read_identity(caller, &who);
	if (fd < 0)
		return fd;
	if (is_root(&who))
		return open_socket(call);

	fd = become(&who);
	if (!fd)
		fd = open_socket(call);
	if (become_root())
		abort();	/* the way back is always open to root */
	return fd;
}
