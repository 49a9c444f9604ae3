// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading counters. /proc/net/strata/snmp and netstat have the native format:
 *
 *	Ip: Forwarding DefaultTTL InReceives
 *	Ip: 1 64 1500
 *
 * A counter is called by table and name together, "IpInReceives", the tables
 * of extensions (TcpExt and the like) included.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snmp.h"
#include "strata.h"

static bool add(struct snmp *t, const char *table, const char *name,
		const char *text)
{
	struct snmp_counter *c;
	char *end;

	if (t->count == t->room) {
		unsigned int room = t->room ? 2 * t->room : 64;

		c = reallocarray(t->counter, room, sizeof(*c));
		if (!c)
			return false;
		t->counter = c;
		t->room = room;
	}
	c = &t->counter[t->count];
	errno = 0;
	c->value = strtoll(text, &end, 10);
	if (errno || *end || end == text)
		return false;
	snprintf(c->name, sizeof(c->name), "%s%s", table, name);
	t->count++;
	return true;
}

/* Cut "Table: rest" in two; NULL if it is no such line. */
static char *cut_table(char *line)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static bool parse_table(struct snmp *t, char *names, char *values)
{
	char *n = cut_table(names), *v = cut_table(values);
	char *name, *value, *n_at, *v_at;

	if (!n || !v || strcmp(names, values))
		return false;
	name = strtok_r(n, " \n", &n_at);
	value = strtok_r(v, " \n", &v_at);
	while (name && value) {
		if (!add(t, names, name, value))
			return false;
		name = strtok_r(NULL, " \n", &n_at);
		value = strtok_r(NULL, " \n", &v_at);
	}
	return !name && !value;
}

bool snmp_parse(struct snmp *t, FILE *f)
{
	char *names = NULL, *values = NULL;
	size_t n_size = 0, v_size = 0;
	bool ok = true;

	while (ok && getline(&names, &n_size, f) > 0)
		ok = getline(&values, &v_size, f) > 0 &&
		     parse_table(t, names, values);
	free(names);
	free(values);
	return ok && !ferror(f);
}

bool snmp_parse_pairs(struct snmp *t, FILE *f)
{
	char *line = NULL, *rest, *name, *value, *at;
	size_t size = 0;
	bool ok = true;

	while (ok && getline(&line, &size, f) > 0) {
		rest = cut_table(line);
		if (!rest) {
			ok = false;
			break;
		}
		name = strtok_r(rest, " \n", &at);
		while (ok && name) {
			value = strtok_r(NULL, " \n", &at);
			ok = value && add(t, line, name, value);
			name = strtok_r(NULL, " \n", &at);
		}
	}
	free(line);
	return ok && !ferror(f);
}

static int read_file(struct snmp *t, const char *path,
		     bool (*parse)(struct snmp *t, FILE *f))
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f) {
		fprintf(stderr, "Error: cannot read %s: %s%s.\n", path,
			strerror(errno),
			errno == ENOENT ? " (is the module loaded?)" : "");
		return EXIT_KERNEL;
	}
	ok = parse(t, f);
	fclose(f);
	if (ok)
		return 0;
	fprintf(stderr, "Error: %s has a line that is not understood.\n", path);
	return EXIT_KERNEL;
}

int snmp_read(struct snmp *t, const char *path)
{
	return read_file(t, path, snmp_parse);
}

int snmp_read_pairs(struct snmp *t, const char *path)
{
	return read_file(t, path, snmp_parse_pairs);
}

const struct snmp_counter *snmp_find(const struct snmp *t, const char *name)
{
	unsigned int i;

	for (i = 0; i < t->count; i++)
		if (!strcmp(t->counter[i].name, name))
			return &t->counter[i];
	return NULL;
}

void snmp_free(struct snmp *t)
{
	free(t->counter);
	memset(t, 0, sizeof(*t));
}
