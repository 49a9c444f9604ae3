/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long a connection had data to send, and what held it back: tcp_chrono.c. Included by
 * tcp_alg.h, whose conventions hold.
 */
#ifndef _STRATA_TCP_CHRONO_H
#define _STRATA_TCP_CHRONO_H

#include <linux/types.h>

/* what the sender is doing; of several the last counts */
enum strata_chrono {
	STRATA_CHRONO_IDLE,	/* nothing to send, all acknowledged */
	STRATA_CHRONO_BUSY,
	STRATA_CHRONO_RWND,	/* the peer's window is too small for what waits */
	STRATA_CHRONO_SNDBUF,	/* all was sent, and the writer has no room for more */
	STRATA_CHRONO_MAX,
};

/* at any time one of them is counted; time spent idle is not kept */
struct strata_tcp_chrono {
	u64	us[STRATA_CHRONO_MAX];	/* spent before @since_us */
	u64	since_us;		/* when @now began */
	u8	now;			/* enum strata_chrono */
};

/* @what begins; nothing changes while what counts before it lasts */
void strata_chrono_start(struct strata_tcp_chrono *c, enum strata_chrono what, u64 now_us);
/* @what ended, BUSY goes on unless @idle: both queues are empty, which ends all */
void strata_chrono_stop(struct strata_tcp_chrono *c, enum strata_chrono what, bool idle,
			u64 now_us);
/* time spent in @what up to now, µs; readable without the owner's lock */
u64 strata_chrono_read(const struct strata_tcp_chrono *c, enum strata_chrono what, u64 now_us);

#endif /* _STRATA_TCP_CHRONO_H */
