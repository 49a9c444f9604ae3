// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network: a wire of a rate behind a drop-tail buffer counted in packets, a delay, and
 * random loss, before the buffer for data. Generators are seeded, one for each way, so that
 * the fate of the nth packet does not depend on anything else.
 */
#include "sim.h"

enum { SIZE = 1 << 13 };	/* packets in the buffer and on their way */

void link_init(struct sim_link *l, const struct sim_cell *cell)
{
	memset(l, 0, sizeof(*l));
	l->pkt_ns = 8ULL * WIRE * 1000000000 / cell->rate;
	l->delay_us = cell->rtt_ms * 1000ULL / 2;
	l->loss[0] = cell->loss;
	l->loss[1] = cell->data_loss_only ? 0 : cell->loss;
	l->buffer = cell->buffer;
	l->rnd[0] = cell->seed * 4 + 1;
	l->rnd[1] = cell->seed * 4 + 3;
	l->size = SIZE;
	l->data = calloc(SIZE, sizeof(*l->data));
	l->gone_ns = calloc(SIZE, sizeof(*l->gone_ns));
	l->acks = calloc(SIZE, sizeof(*l->acks));
	if (!l->data || !l->gone_ns || !l->acks)
		abort();
}

void link_exit(struct sim_link *l)
{
	free(l->data);
	free(l->gone_ns);
	free(l->acks);
}

static bool is_lost(struct sim_link *l, int way)
{
	l->rnd[way] = l->rnd[way] * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(((l->rnd[way] >> 32) * 10000) >> 32) < l->loss[way];
}

bool link_send(struct sim_link *l, u64 now, const struct sim_data *d)
{
	u64 now_ns = now * 1000;
	struct sim_data *to;
	u32 queued;

	if (is_lost(l, 0)) {
		l->losses++;
		return false;
	}
	while (l->gone_out != l->data_in && l->gone_ns[l->gone_out & (SIZE - 1)] <= now_ns)
		l->gone_out++;
	queued = l->data_in - l->gone_out;
	if (queued >= l->buffer) {
		l->drops++;
		return false;
	}
	if (l->data_in - l->data_out >= SIZE)
		abort();
	if (queued + 1 > l->max_queue)
		l->max_queue = queued + 1;
	l->free_ns = (l->free_ns > now_ns ? l->free_ns : now_ns) + l->pkt_ns;
	l->gone_ns[l->data_in & (SIZE - 1)] = l->free_ns;
	to = &l->data[l->data_in++ & (SIZE - 1)];
	*to = *d;
	to->at = (l->free_ns + 999) / 1000 + l->delay_us;
	return true;
}

void link_ack(struct sim_link *l, u64 now, const struct sim_ack *a)
{
	struct sim_ack *to;

	if (is_lost(l, 1))
		return;
	if (l->acks_in - l->acks_out >= SIZE)
		abort();
	to = &l->acks[l->acks_in++ & (SIZE - 1)];
	*to = *a;
	to->at = now + l->delay_us;
}
