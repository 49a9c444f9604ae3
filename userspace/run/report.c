// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report of "strata run --report": what became of the sockets, one line
 * for each kind of socket of each program, with their number.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* A program that makes up names gets one line for all the further ones. */
#define MAX_ROWS	256
#define NAME_SIZE	16

struct row {
	enum run_action	action;
	int		error;
	const char	*kind;
	const char	*why;
	char		name[NAME_SIZE];
	unsigned long	count;
};

struct run_report {
	size_t		nrows;
	unsigned long	total[RUN_ACTIONS];
	struct row	rows[MAX_ROWS];
};

static const char *const labels[RUN_ACTIONS] = {
	[RUN_MOVE]	= "on Strata",
	[RUN_REFUSE]	= "refused",
	[RUN_NATIVE]	= "native",
};

struct run_report *run_report_new(void)
{
	return calloc(1, sizeof(struct run_report));
}

static bool row_is(const struct row *row, const struct run_verdict *v,
		   const char *name)
{
	return row->action == v->action && row->error == v->error &&
	       row->kind == v->kind && row->why == v->why &&
	       !strcmp(row->name, name);
}

void run_report_add(struct run_report *rep, const struct run_verdict *v,
		    const char *name)
{
	struct row *row;
	size_t i;

	rep->total[v->action]++;
	for (i = 0; i < rep->nrows; i++) {
		if (row_is(&rep->rows[i], v, name)) {
			rep->rows[i].count++;
			return;
		}
	}

	if (rep->nrows == MAX_ROWS)	/* the last line takes the rest */
		return;
	row = &rep->rows[rep->nrows++];
	*row = (struct row){ .action = v->action, .error = v->error,
			     .kind = v->kind, .why = v->why, .count = 1 };
	snprintf(row->name, sizeof(row->name), "%s", name);
}

static void print_row(const struct row *row, FILE *to)
{
	fprintf(to, "  %-9s %6lu  %-10s  %s", labels[row->action], row->count,
		row->kind, row->name);
	if (row->error)
		fprintf(to, ": %s", strerror(row->error));
	if (row->why)
		fprintf(to, "%s%s", row->error ? "; " : ": ", row->why);
	fputc('\n', to);
}

void run_report_print(const struct run_report *rep, bool alive, FILE *to)
{
	unsigned int action;
	size_t i;

	fprintf(to, "strata run: sockets: %lu on Strata, %lu refused, %lu native\n",
		rep->total[RUN_MOVE], rep->total[RUN_REFUSE],
		rep->total[RUN_NATIVE]);

	for (action = 0; action < RUN_ACTIONS; action++)
		for (i = 0; i < rep->nrows; i++)
			if (rep->rows[i].action == action)
				print_row(&rep->rows[i], to);

	if (rep->nrows == MAX_ROWS)
		fputs("  (further lines left out)\n", to);
	if (alive)
		fputs("  (the program left processes behind that go on under Strata; their later sockets are not counted here)\n",
		      to);
}
