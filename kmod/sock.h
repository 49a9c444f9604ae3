/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sock: the address family, the top of the stack.
 */
#ifndef _STRATA_SOCK_H
#define _STRATA_SOCK_H

/**
 * strata_family_init() - register the struct protos and the family, whose number is then ours
 * Returns 0, -EEXIST (another module has the family's number), -EINVAL (no such number), -ENOMEM.
 */
int strata_family_init(void);
/** strata_family_open() - from now on sockets may be made. Returns 0 */
int strata_family_open(void);
void strata_family_exit(void);

#endif /* _STRATA_SOCK_H */
