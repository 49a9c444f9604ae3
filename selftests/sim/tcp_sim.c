// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bulk transfer over 8 loss rates x 5 round trips x 4 buffers, with CUBIC and with Reno, in
 * virtual time, with seeded chance.
 *
 *	tcp_sim				the grid, compared with snapshots/ALGORITHM.tsv; KTAP
 *	tcp_sim --update		write the snapshots anew: a change was meant
 *	tcp_sim ALGORITHM LOSS RTT BUFFER	one cell; LOSS in 1/10000, RTT in ms
 *
 * What must hold whatever the snapshots say is in "invariants": all octets arrive, the
 * scoreboard's counters are those of its marks, nothing is sent again where nothing is lost,
 * the link is filled where nothing stands against it, and no cell is a cliff between its
 * neighbours. Snapshots show the rest: which of 320 cells a change of the code changed.
 */
#include "sim.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define RATE		10000000	/* bit/s */
#define RUNS		3

static const u32 losses[] = { 0, 1, 10, 50, 100, 200, 500, 1000 };	/* in 10 000 */
static const u32 rtts[] = { 1, 10, 50, 100, 300 };			/* ms */
static const u32 buffers[] = { 10, 50, 200, 1000 };			/* packets */

enum { LOSSES = COUNT(losses), RTTS = COUNT(rtts), BUFFERS = COUNT(buffers) };

struct grid {
	struct sim_result cell[LOSSES][RTTS][BUFFERS];
};

static const struct strata_tcp_cong_ops *const algorithms[] = { &strata_cubic, &strata_reno };

static unsigned int results, failures;
static const char *snapshots = SNAPSHOTS;

static void result(bool ok, const char *algorithm, const char *what)
{
	failures += !ok;
	printf("%sok %u %s: %s\n", ok ? "" : "not ", ++results, algorithm, what);
}

/* Each cell's transfer takes 8 seconds and 40 round trips of the full link, or longer. */
static void cell_init(struct sim_cell *cell, const struct strata_tcp_cong_ops *ops, u32 loss,
		      u32 rtt, u32 buffer)
{
	memset(cell, 0, sizeof(*cell));
	cell->ops = ops;
	cell->loss = loss;
	cell->rtt_ms = rtt;
	cell->buffer = buffer;
	cell->rate = RATE;
	cell->segs = (u32)((u64)RATE * (8000 + 40 * rtt) / 1000 / (8 * WIRE));
}

/* packets that the link holds without a buffer */
static u32 bdp(u32 rtt)
{
	return (u32)((u64)RATE * rtt / 1000 / (8 * WIRE));
}

/* RUNS times where there is chance: counts are of all, goodput is that of the whole time */
static void run_cell(struct sim_cell *cell, struct sim_result *all)
{
	u32 runs = cell->loss ? RUNS : 1, i;
	struct sim_result one;

	memset(all, 0, sizeof(*all));
	for (i = 0; i < runs; i++) {
		cell->seed = i + 1;
		sim_run(cell, &one);
		all->retrans += one.retrans;
		all->spurious += one.spurious;
		all->timeouts += one.timeouts;
		all->recoveries += one.recoveries;
		all->undone += one.undone;
		all->probes += one.probes;
		all->drops += one.drops;
		all->losses += one.losses;
		if (one.max_queue > all->max_queue)
			all->max_queue = one.max_queue;
		if (one.broken)
			all->broken = one.broken;
		if (one.done_us == NEVER || all->done_us == NEVER)
			all->done_us = NEVER;
		else
			all->done_us += one.done_us;
	}
	if (all->done_us != NEVER)
		all->goodput = (u32)((u64)runs * cell->segs * MSS * 8 * 1000 / all->done_us);
}

static void run_grid(struct grid *g, const struct strata_tcp_cong_ops *ops)
{
	struct sim_cell cell;
	u32 l, r, b;

	for (l = 0; l < LOSSES; l++)
		for (r = 0; r < RTTS; r++)
			for (b = 0; b < BUFFERS; b++) {
				cell_init(&cell, ops, losses[l], rtts[r], buffers[b]);
				run_cell(&cell, &g->cell[l][r][b]);
			}
}

/* --- what must hold whatever the snapshots say ------------------------------------- */

/* the link's share of payload, kbit/s */
#define LINK_KBIT	(u32)((u64)RATE * MSS / WIRE / 1000)

static const char *check_sound(const struct grid *g, u32 l, u32 r, u32 b)
{
	return g->cell[l][r][b].broken;
}

static const char *check_delivered(const struct grid *g, u32 l, u32 r, u32 b)
{
	return g->cell[l][r][b].done_us == NEVER ? "not all octets arrived" : NULL;
}

static const char *check_rate(const struct grid *g, u32 l, u32 r, u32 b)
{
	return g->cell[l][r][b].goodput > LINK_KBIT ? "faster than the link" : NULL;
}

/* nothing is lost, by the buffer neither: nothing is sent again, and no timer fires */
static const char *check_calm(const struct grid *g, u32 l, u32 r, u32 b)
{
	const struct sim_result *c = &g->cell[l][r][b];

	if (!c->losses && !c->drops && (c->retrans || c->timeouts || c->recoveries))
		return "losses were seen where there were none";
	return NULL;
}

/* the buffer alone loses: what it lost goes again, once, and little besides; no timeout */
static const char *check_exact(const struct grid *g, u32 l, u32 r, u32 b)
{
	const struct sim_result *c = &g->cell[l][r][b];

	if (losses[l])
		return NULL;
	if (c->spurious)
		return "sent again without need";
	if (c->retrans > c->drops)
		return "more was sent again than was lost";
	return c->timeouts ? "a timeout, though ACKs kept coming" : NULL;
}

static const char *check_full(const struct grid *g, u32 l, u32 r, u32 b)
{
	if (losses[l] || buffers[b] < bdp(rtts[r]) ||
	    g->cell[l][r][b].goodput >= LINK_KBIT * 9 / 10)
		return NULL;
	return "less than 0.9 of an idle link with a buffer of a round trip";
}

/* RFC 5681 and 9438 alike: sqrt(3/2) / sqrt(p) segments per round trip at least, in the mean */
static const char *check_formula(const struct grid *g, u32 l, u32 r, u32 b)
{
	const struct sim_result *c = &g->cell[l][r][b];
	u64 wnd2, rate;
	u32 wnd = 0, rtt_us;

	/* beyond it timeouts rule, which the formula does not know */
	if (!losses[l] || losses[l] > 200)
		return NULL;
	wnd2 = 3ULL * 10000 * 1000000 / (2 * losses[l]);	/* its square, in 1/1000 segments */
	while ((u64)(wnd + 1) * (wnd + 1) <= wnd2)
		wnd++;
	/* a full buffer and the ticks of delayed ACKs are part of the round trip */
	rtt_us = rtts[r] * 1000 + (buffers[b] < 50 ? buffers[b] : 50) * (8000000ULL * WIRE / RATE);
	rate = (u64)wnd * MSS * 8 / rtt_us;	/* (1/1000 segments) / us: kbit/s */
	if (rate > LINK_KBIT)
		rate = LINK_KBIT;
	return c->goodput < rate / 2 ? "less than half of what the formula of Mathis gives" : NULL;
}

/*
 * No cliffs: more loss, a longer round trip or a smaller buffer does not help by a half. The
 * same packets are lost in all cells, by their number, and with more loss others besides
 */
static const char *check_cliff(const struct grid *g, u32 l, u32 r, u32 b)
{
	u32 mine = g->cell[l][r][b].goodput;

	if (l + 1 < LOSSES && g->cell[l + 1][r][b].goodput * 2ULL > mine * 3ULL)
		return "much slower than with more loss";
	if (r + 1 < RTTS && g->cell[l][r + 1][b].goodput * 2ULL > mine * 3ULL)
		return "much slower than with a longer round trip";
	if (b && g->cell[l][r][b - 1].goodput * 2ULL > mine * 3ULL)
		return "much slower than with a smaller buffer";
	return NULL;
}

/* retransmissions are of what was lost; ACKs that are lost and timeouts explain a few more */
static const char *check_spurious(const struct grid *g, u32 l, u32 r, u32 b)
{
	const struct sim_result *c = &g->cell[l][r][b];

	return c->spurious > 20 * RUNS + c->retrans / 5 ? "a fifth was sent again without need" : NULL;
}

static const struct {
	const char *what;
	const char *(*check)(const struct grid *g, u32 l, u32 r, u32 b);
} invariants[] = {
	{ "counters are those of the marks, cwnd and in_flight are possible", check_sound },
	{ "all octets arrive", check_delivered },
	{ "no faster than the link", check_rate },
	{ "no retransmission without a loss", check_calm },
	{ "what the buffer drops goes again once, without a timeout", check_exact },
	{ "an idle link is filled", check_full },
	{ "half of what the formula gives, or more", check_formula },
	{ "no cliffs", check_cliff },
	{ "few needless retransmissions", check_spurious },
};

static void check_invariants(const struct grid *g, const char *algorithm)
{
	u32 i, l, r, b;

	for (i = 0; i < COUNT(invariants); i++) {
		bool ok = true;

		for (l = 0; l < LOSSES; l++)
			for (r = 0; r < RTTS; r++)
				for (b = 0; b < BUFFERS; b++) {
					const char *why = invariants[i].check(g, l, r, b);

					if (!why)
						continue;
					ok = false;
					printf("# %s %u %u %u (%u kbit/s): %s\n", algorithm,
					       losses[l], rtts[r], buffers[b],
					       g->cell[l][r][b].goodput, why);
				}
		result(ok, algorithm, invariants[i].what);
	}
}

/* --- snapshots ---------------------------------------------------------------------- */

#define HEAD	"# loss/10000\tRTT ms\tbuffer\tgoodput kbit/s\tretrans\tspurious\ttimeouts\t" \
		"recoveries\tundone\tprobes\tmax queue\n"

static void line(char *to, size_t size, u32 loss, u32 rtt, u32 buffer, const struct sim_result *c)
{
	snprintf(to, size, "%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\n", loss, rtt, buffer,
		 c->goodput, c->retrans, c->spurious, c->timeouts, c->recoveries, c->undone,
		 c->probes, c->max_queue);
}

static FILE *snapshot(const char *algorithm, const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.tsv", snapshots, algorithm);
	f = fopen(path, mode);
	if (!f)
		printf("# %s: cannot be opened\n", path);
	return f;
}

static bool write_snapshot(const struct grid *g, const char *algorithm)
{
	FILE *f = snapshot(algorithm, "w");
	char now[256];
	u32 l, r, b;

	if (!f)
		return false;
	fputs(HEAD, f);
	for (l = 0; l < LOSSES; l++)
		for (r = 0; r < RTTS; r++)
			for (b = 0; b < BUFFERS; b++) {
				line(now, sizeof(now), losses[l], rtts[r], buffers[b],
				     &g->cell[l][r][b]);
				fputs(now, f);
			}
	return !fclose(f);
}

/* one result for each loss rate */
static void compare_snapshot(const struct grid *g, const char *algorithm)
{
	FILE *f = snapshot(algorithm, "r");
	char now[256], then[256], name[64];
	u32 l, r, b;

	if (f && (!fgets(then, sizeof(then), f) || strcmp(then, HEAD)))
		printf("# %s: the snapshot has other columns\n", algorithm);
	for (l = 0; l < LOSSES; l++) {
		bool ok = true;

		for (r = 0; r < RTTS; r++)
			for (b = 0; b < BUFFERS; b++) {
				line(now, sizeof(now), losses[l], rtts[r], buffers[b],
				     &g->cell[l][r][b]);
				if (!f || !fgets(then, sizeof(then), f))
					strcpy(then, "nothing\n");
				if (!strcmp(now, then))
					continue;
				if (ok)
					printf("# %s %s", algorithm, &HEAD[2]);
				ok = false;
				printf("# was\t%s# is\t%s", then, now);
			}
		snprintf(name, sizeof(name), "loss %u.%02u %%: as in the snapshot",
			 losses[l] / 100, losses[l] % 100);
		result(ok, algorithm, name);
	}
	if (f && fgets(then, sizeof(then), f))
		printf("# %s: more lines than cells\n", algorithm);
	if (f)
		fclose(f);
}

static int one_cell(char **arg)
{
	struct sim_result res;
	struct sim_cell cell;
	char text[256];
	u32 i;

	for (i = 0; i < COUNT(algorithms); i++)
		if (!strcmp(arg[0], algorithms[i]->name))
			break;
	if (i == COUNT(algorithms)) {
		fprintf(stderr, "tcp_sim: no algorithm %s\n", arg[0]);
		return 2;
	}
	cell_init(&cell, algorithms[i], atoi(arg[1]), atoi(arg[2]), atoi(arg[3]));
	run_cell(&cell, &res);
	line(text, sizeof(text), cell.loss, cell.rtt_ms, cell.buffer, &res);
	printf("%s%s# dropped by the buffer %u, lost by chance %u, %llu us\n", HEAD, text,
	       res.drops, res.losses, res.done_us);
	if (res.broken)
		printf("# %s\n", res.broken);
	return !!res.broken;
}

int main(int argc, char **argv)
{
	static struct grid grid[COUNT(algorithms)];
	bool update = argc == 2 && !strcmp(argv[1], "--update");
	u32 i;

	if (argc == 5)
		return one_cell(argv + 1);
	if (argc != 1 && !update) {
		fprintf(stderr, "usage: tcp_sim [--update | ALGORITHM LOSS RTT BUFFER]\n");
		return 2;
	}
	printf("TAP version 13\n1..%u\n", (u32)((COUNT(invariants) + (update ? 1 : LOSSES)) *
						COUNT(algorithms)));
	for (i = 0; i < COUNT(algorithms); i++) {
		const char *name = algorithms[i]->name;

		run_grid(&grid[i], algorithms[i]);
		check_invariants(&grid[i], name);
		if (update)
			result(write_snapshot(&grid[i], name), name, "snapshot written");
		else
			compare_snapshot(&grid[i], name);
	}
	return !!failures;
}
