// SPDX-License-Identifier: GPL-2.0-only
/*
 * The number of the address family. The module's parameter "family" may move
 * it, so the number is read from the loaded module; where none is loaded yet,
 * opening a socket of the default number asks the kernel to load it
 * (alias net-pf-18).
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "strata.h"

static int family_read(void)
{
	FILE *f = fopen(STRATA_FAMILY_PARAM, "re");
	int family = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%d", &family) != 1 || family <= 0 || family >= AF_MAX)
		family = 0;
	fclose(f);
	return family;
}

static bool family_opens(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int family_number(void)
{
	int family = family_read();

	if (family)
		return family;
	if (family_opens(AF_STRATA))
		family = family_read();
	return family ? family : AF_STRATA;
}

bool family_require(void)
{
	int family = family_read();

	if (family || family_opens(opt.family))
		return true;
	fputs("Error: the kernel has no address family strata: load the module (modprobe strata).\n",
	      stderr);
	return false;
}
