/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections as ladders: the local socket's states on the left, an arrow for
 * every segment, the peer on the right. Knows nothing of tracefs: events go
 * in, text or JSON comes out.
 */
#ifndef STRATA_LADDER_H
#define STRATA_LADDER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum trace_kind {
	TRACE_STATE, TRACE_XMIT, TRACE_RCV, TRACE_RETRANSMIT, TRACE_DROP
};

/* Flags of the TCP header, as in its octet 13. */
enum {
	TH_FLAG_FIN = 1, TH_FLAG_SYN = 2, TH_FLAG_RST = 4, TH_FLAG_PSH = 8,
	TH_FLAG_ACK = 16, TH_FLAG_URG = 32, TH_FLAG_ECE = 64, TH_FLAG_CWR = 128
};

/**
 * struct trace_event - one event of the stack
 * @ts:		time, ns
 * @saddr:	address of the local socket, as @sport; @daddr, @dport the peer's
 * @seq:	sequence numbers as on the wire
 * @wnd:	window in bytes, scaled
 * @mss:	option of a SYN, 0: absent; @wscale: 255: absent
 * @state:	of the local socket at the time
 * @layer:	where a packet was dropped, and @reason why
 */
struct trace_event {
	enum trace_kind kind;
	uint64_t ts;
	struct in_addr saddr, daddr;
	uint16_t sport, dport;
	uint8_t oldstate, newstate;
	uint32_t seq, ack_seq, len, wnd;
	uint16_t flags, mss;
	uint8_t wscale, sack_ok, state;
	uint32_t tsval, tsecr;
	uint8_t layer;
	uint16_t reason;
};

struct ladder;

/* @color: for a terminal; @json: an object a line instead of the drawing. */
struct ladder *ladder_new(FILE *out, bool color, bool json);

/* @drop_name names the reason of a TRACE_DROP, else NULL. */
void ladder_event(struct ladder *l, const struct trace_event *e,
		  const char *drop_name);

/* Print what is held back and free everything. */
void ladder_free(struct ladder *l);

const char *ladder_state_name(unsigned int state);
const char *ladder_flags(unsigned int flags);

#endif
