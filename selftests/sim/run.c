// SPDX-License-Identifier: GPL-2.0-only
/* The clock: what comes next, of four kinds of event, happens; and then all must still be well. */
#include "sim.h"

struct module shim_module;

#define LIMIT_US	(4 * 3600 * 1000000ULL)	/* a transfer that takes longer never ends */

void sim_run(const struct sim_cell *cell, struct sim_result *res)
{
	struct sim_receiver rcv;
	struct sim_sender snd;
	struct sim_link link;
	u64 now = START_US;
	const char *why;
	u32 events = 0;

	memset(res, 0, sizeof(*res));
	link_init(&link, cell);
	rcv_init(&rcv, cell, &link);
	snd_init(&snd, cell, &link, rcv.rwnd.wnd, res);
	snd_start(&snd, now);
	while (snd.una - ISS != cell->segs * MSS && !res->broken && now < LIMIT_US) {
		u64 data = link_next_data(&link), ack = link_next_ack(&link);
		u64 timer = snd_timer(&snd), delack = rcv_timer(&rcv);

		now = data < ack ? data : ack;
		now = now < timer ? now : timer;
		now = now < delack ? now : delack;
		if (now == NEVER) {
			res->broken = "nothing will ever happen again";
		} else if (now == data) {
			rcv_data(&rcv, now, &link.data[link.data_out++ & (link.size - 1)]);
		} else if (now == ack) {
			snd_ack(&snd, now, &link.acks[link.acks_out++ & (link.size - 1)]);
		} else if (now == timer) {
			snd_timer_fired(&snd, now);
		} else {
			rcv_timer_fired(&rcv, now);
		}
		why = snd_check(&snd, !(++events & 63));
		if (why && !res->broken)
			res->broken = why;
	}
	res->max_queue = link.max_queue;
	res->drops = link.drops;
	res->losses = link.losses;
	res->done_us = rcv.done_us;
	if (rcv.done_us != NEVER) {
		res->done_us -= START_US;
		res->goodput = (u32)((u64)cell->segs * MSS * 8 * 1000 / res->done_us);
	}
	snd_exit(&snd);
	rcv_exit(&rcv);
	link_exit(&link);
	if (shim_module.refs)
		res->broken = "a reference on the algorithm is left";
}
