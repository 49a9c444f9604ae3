// SPDX-License-Identifier: GPL-2.0-only
/* Probes that go to other namespaces or become somebody else. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run_probe.h"

#define SKIP 4

static ino_t inode(int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) ? 0 : st.st_ino;
}

/* Is the socket among those of this namespace's AF_UNIX? */
static bool listed(ino_t ino)
{
	FILE *f = fopen("/proc/thread-self/net/unix", "r");
	unsigned long at;
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*s %*s %*s %*s %*s %lu", &at) == 1 && at == ino;
	if (f)
		fclose(f);
	return found;
}

/*
 * Is a socket opened now in the network namespace this thread is in? (The kernel tells those who
 * have rights there; others look for it.)
 */
static void print_place(const char *where)
{
	int ns = open("/proc/thread-self/ns/net", O_RDONLY);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int of = ioctl(fd, SIOCGSKNS);

	printf("%s domain %d here %d\n", where, domain_of(fd),
	       of >= 0 ? inode(of) == inode(ns) : listed(inode(fd)));
	close(of);
	close(fd);
	close(ns);
}

/* netns: at home, away, in another one, home again */
int probe_netns(int argc, char **argv)
{
	int home = open("/proc/self/ns/net", O_RDONLY);

	print_place("home");
	if (unshare(CLONE_NEWNET))
		return SKIP;
	print_place("away");
	if (unshare(CLONE_NEWNET))
		return 1;
	print_place("farther");
	if (setns(home, CLONE_NEWNET))
		return 1;
	print_place("back");
	return 0;
}

static void *go_away(void *arg)
{
	if (unshare(CLONE_NEWNET))
		exit(SKIP);
	print_place("thread");
	return NULL;
}

/* thread_netns: one thread elsewhere, its process at home */
int probe_thread_netns(int argc, char **argv)
{
	pthread_t t;

	pthread_create(&t, NULL, go_away, NULL);
	pthread_join(t, NULL);
	print_place("main");
	return 0;
}

/* userns: a namespace that only its user namespace can enter */
int probe_userns(int argc, char **argv)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return SKIP;
	print_place("own");
	return 0;
}

/* place: is it here? */
int probe_place(int argc, char **argv)
{
	print_place("own");
	return 0;
}

/*
 * shut_off [away]: not dumpable, and with "away" in namespaces of its own, as a sandbox makes
 * them: without execve() and without any right kept
 */
int probe_shut_off(int argc, char **argv)
{
	int fd;

	if (prctl(PR_SET_DUMPABLE, 0))
		return 1;
	if (argc > 1) {
		struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
		struct __user_cap_data_struct none[2] = { { 0 } };

		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			return SKIP;
		if (syscall(SYS_capset, &head, none))
			return 1;
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		printf("errno %d\n", errno);
	else
		printf("domain %d\n", domain_of(fd));
	return 0;
}

/* away: leave a namespace behind that nobody but a helper could hold */
int probe_away(int argc, char **argv)
{
	int home = open("/proc/self/ns/net", O_RDONLY);

	if (unshare(CLONE_NEWNET))
		return SKIP;
	close(socket(AF_INET, SOCK_STREAM, 0));
	if (setns(home, CLONE_NEWNET))
		return 1;
	printf("waiting\n");
	fflush(stdout);
	for (;;)
		pause();
}

/* uid UID GID: the owner of sockets, before and after becoming UID */
int probe_uid(int argc, char **argv)
{
	struct stat st;
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || fstat(fd, &st))
			return 1;
		printf("uid %d gid %d\n", st.st_uid, st.st_gid);
		if (i == 0 && (setegid(atoi(argv[2])) || seteuid(atoi(argv[1]))))
			return SKIP;
	}
	return 0;
}
