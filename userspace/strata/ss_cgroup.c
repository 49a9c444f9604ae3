// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of a cgroup by its number: in the mounted hierarchy of version 2 a
 * cgroup's number is its folder's inode.
 */
#include <ftw.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ss.h"

static uint64_t wanted;
static size_t root_len;		/* of the mount point's path */
static char found[4096];

static int look(const char *path, const struct stat *st, int type,
		struct FTW *ftw)
{
	(void)ftw;
	if (type != FTW_D || st->st_ino != wanted)
		return 0;
	snprintf(found, sizeof(found), "%s", path[root_len] ? path + root_len : "/");
	return 1;
}

static bool search(void)
{
	FILE *f = setmntent("/proc/mounts", "r");
	struct mntent *m;
	bool hit = false;

	while (f && (m = getmntent(f))) {
		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		root_len = strlen(m->mnt_dir);
		hit = nftw(m->mnt_dir, look, 64, FTW_PHYS | FTW_MOUNT) == 1;
		break;
	}
	if (f)
		endmntent(f);
	return hit;
}

const char *ss_cgroup_path(uint64_t id)
{
	/* Most sockets of a list are of one cgroup. */
	if (id == wanted && found[0])
		return found;
	wanted = id;
	if (!search())
		snprintf(found, sizeof(found), "unreachable:%llx",
			 (unsigned long long)id);
	return found;
}
