/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's counter files: two lines a table, names and values. */
#ifndef STRATA_SNMP_H
#define STRATA_SNMP_H

#include <stdbool.h>
#include <stdio.h>

struct snmp_counter {
	char name[64];		/* table and name in one, as nstat: TcpInSegs */
	long long value;
};

struct snmp {
	struct snmp_counter *counter;
	unsigned int count, room;
};

/* Add the counters of a file; false if a line does not fit its names. */
bool snmp_parse(struct snmp *t, FILE *f);

/* The same from a path; 0, or EXIT_KERNEL with the reason printed. */
int snmp_read(struct snmp *t, const char *path);

/* "TCP: inuse 5 orphan 0": name and value in turn, as in sockstat. */
bool snmp_parse_pairs(struct snmp *t, FILE *f);
int snmp_read_pairs(struct snmp *t, const char *path);

const struct snmp_counter *snmp_find(const struct snmp *t, const char *name);
void snmp_free(struct snmp *t);

#endif
