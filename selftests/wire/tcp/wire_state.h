/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One segment for a connection in a known state (RFC 9293 3.10.7): what is answered, and which
 * state it is then in. A table of
 *
 *	SEG(state, name, rfc, segment, answer, state after)
 *
 * Numbers in these segments count from what is expected next: SEQ 0 is RCV.NXT, "ack 0" is
 * SND.NXT, and so in the answer. In SYN-SENT and LISTEN the peer's numbers are its ISN's.
 * Sent again meanwhile, the stack's own SYN or FIN is no answer. DIFF() is for what native
 * does otherwise: its answer, its state, and why that is no reason to do the same.
 */
#ifndef STRATA_WIRE_STATE_H
#define STRATA_WIRE_STATE_H

#include "wire.h"

#define NOTHING		""

enum {
	st_gone = 0,
	st_established = TCP_ESTABLISHED,
	st_syn_sent = TCP_SYN_SENT, st_syn_received = TCP_SYN_RECV,
	st_fin_wait_1 = TCP_FIN_WAIT1, st_fin_wait_2 = TCP_FIN_WAIT2, st_time_wait = TCP_TIME_WAIT,
	st_close_wait = TCP_CLOSE_WAIT, st_last_ack = TCP_LAST_ACK, st_listen = TCP_LISTEN,
	st_closing = TCP_CLOSING,
};

/* the state of the conversation as /proc shows it; 0: nobody knows it */
static inline int w_proc_state(void)
{
	FILE *f = fopen(w.native ? "/proc/net/tcp" : "/proc/net/strata/tcp", "r");
	unsigned int lport, raddr, rport, state;
	char line[512];
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*u: %*x:%x %x:%x %x", &lport, &raddr, &rport, &state) == 4 &&
		    lport == w.port && rport == w.peer_port && raddr)
			found = state;
	if (f)
		fclose(f);
	return found;
}

/* the next segment of these flags, and count what it brings */
static inline bool w_take(int flags)
{
	struct wseg s;

	return w_next(1000, &s) && (s.flags & ~8) == flags;
}

/* count from here: @rcv is RCV.NXT, @snd SND.NXT */
static inline void w_origin(uint32_t rcv, uint32_t snd)
{
	w.irs += rcv;
	w.isn += snd;
	w.seen = 0;
}

/* a connection that the peer opened, brought into @state; its socket */
static inline int w_reach_passive(int lfd, int state)
{
	int fd = w_passive(lfd, "mss 1460");
	bool first = state == st_fin_wait_1 || state == st_fin_wait_2 || state == st_closing ||
		     state == st_time_wait;
	bool fin = state != st_established && state != st_fin_wait_1 && state != st_fin_wait_2;

	if (fd < 0 || (first && (shutdown(fd, SHUT_WR) || !w_take(0x11))))
		return -1;
	if ((state == st_fin_wait_2 || state == st_time_wait) && !w_in("A 1 ack 2"))
		return -1;
	/* the peer's FIN; in CLOSING it crossed ours */
	if (fin && (!w_in("FA 1 ack %d", state == st_time_wait ? 2 : 1) || !w_take(0x10)))
		return -1;
	if (state == st_last_ack && (shutdown(fd, SHUT_WR) || !w_take(0x11)))
		return -1;
	w_origin(fin ? 2 : 1, first || state == st_last_ack ? 2 : 1);
	return fd;
}

static inline int w_reach(int lfd, int state)
{
	struct wseg s;
	int fd;

	switch (state) {
	case st_listen:
		return lfd;
	case st_syn_sent:
		fd = w_socket();
		if (!w_connect(fd) || !w_take(0x02))
			return -1;
		w_origin(0, 1);
		return fd;
	case st_syn_received:
		if (!w_in("S 0 mss 1460") || !w_next(1000, &s) || s.flags != 0x12)
			return -1;
		w_origin(1, 1);
		return lfd;
	default:
		return w_reach_passive(lfd, state);
	}
}

/* the next segment that is not the stack's SYN or FIN again */
static inline bool w_answer(int ms, struct wseg *s)
{
	while (w_next(ms, s))
		if (!((s->flags & 3) && s->seq == (uint32_t)-1) || (s->flags & 0x12) == 0x12)
			return true;
	return false;
}

/* @segment comes, @answer goes, and @after is the state */
static inline bool w_answers(const char *segment, const char *answer, int after)
{
	struct wseg want, is;
	int now;

	if (!w_in("%s", segment))
		return false;
	if (!*answer) {
		if (w_answer(w.sim ? 100 : 50, &is)) {
			w_say("nothing should be answered, but ", &is);
			return false;
		}
	} else if (!w_parse(&want, answer)) {
		return false;
	} else if (!w_answer(w.sim ? 150 : 1000, &is)) {
		fprintf(stderr, "# expected %s, nothing came\n", answer);
		return false;
	} else if (!w_like(&want, &is)) {
		fprintf(stderr, "# expected %s\n", answer);
		w_say("      got ", &is);
		return false;
	}
	now = w_proc_state();
	if (now != after)
		fprintf(stderr, "# state %d after it, expected %d\n", now, after);
	return now == after;
}

static inline bool w_seg(int lfd, int state, const char *segment, const char *answer, int after)
{
	if (w_reach(lfd, state) < 0 || (state != st_listen && w_proc_state() != state)) {
		fprintf(stderr, "# could not be brought into the state: %d\n", w_proc_state());
		return false;
	}
	return w_answers(segment, answer, after);
}

#define SEG(state, name, rfc, segment, answer, after)			\
	CASE(state##_##name, rfc)					\
	{								\
		ASSERT_TRUE(w_seg(self->lfd, st_##state, segment, answer, st_##after)); \
	}

#define DIFF(state, name, rfc, segment, answer, after, why, n_answer, n_after) \
	CASE(state##_##name, rfc)					\
	{								\
		ASSERT_TRUE(w_seg(self->lfd, st_##state, segment,	\
				  NATIVE(why) ? n_answer : answer,	\
				  w.native ? st_##n_after : st_##after)); \
	}

#endif
