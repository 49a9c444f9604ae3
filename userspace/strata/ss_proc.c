// SPDX-License-Identifier: GPL-2.0-only
/* Which processes have a socket open: /proc/PID/fd/N -> socket:[INODE]. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ss.h"

static void read_comm(int pid, char *comm, size_t size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(comm, size, f))
		snprintf(comm, size, "?");
	comm[strcspn(comm, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void read_process(int pid, struct rt_list *users)
{
	struct ss_user u = { .pid = pid };
	char path[64], target[64];
	const struct dirent *e;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((e = readdir(dir))) {
		len = readlinkat(dirfd(dir), e->d_name, target,
				 sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (sscanf(target, "socket:[%u]", &u.inode) != 1)
			continue;
		if (!u.comm[0])
			read_comm(pid, u.comm, sizeof(u.comm));
		u.fd = atoi(e->d_name);
		rt_list_add(users, &u);
	}
	closedir(dir);
}

static int by_inode(const void *a, const void *b)
{
	const struct ss_user *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->fd - y->fd;
}

int ss_users_read(struct rt_list *users)
{
	const struct dirent *e;
	DIR *dir = opendir("/proc");
	int pid;

	if (!dir)
		return -1;
	while ((e = readdir(dir))) {
		pid = atoi(e->d_name);
		if (pid > 0)
			read_process(pid, users);
	}
	closedir(dir);
	if (users->count)
		qsort(users->item, users->count, users->size, by_inode);
	return 0;
}

const struct ss_user *ss_users_find(const struct rt_list *users, uint32_t inode)
{
	const struct ss_user *u = users->item;
	unsigned int low = 0, high = users->count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (u[mid].inode < inode)
			low = mid + 1;
		else
			high = mid;
	}
	return inode && low < users->count && u[low].inode == inode ?
	       &u[low] : NULL;
}
