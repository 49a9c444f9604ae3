// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACK of a request and the program that will answer it: they share a segment on Strata,
 * whose first ACKs have a tick's time where a program waits for the data.
 */
#include <fcntl.h>
#include <pthread.h>
#include "wire.h"

/* a program that waits in recv() for a request of ten octets; what it does then */
struct asked {
	int fd, answer;
	bool again;
	int ret;
};

static void *asked_run(void *arg)
{
	struct asked *a = arg;

	a->ret = w_recv(a->fd, 10);
	if (a->again)
		a->ret += w_recv(a->fd, 10);
	if (a->answer)
		w_put(a->fd, a->answer, 0);
	return NULL;
}

/* the program waits, and ten octets come for it */
#define ASK(a, thread)								\
	do {									\
		ASSERT_EQ(0, fcntl((a).fd, F_SETFL, 0));			\
		ASSERT_EQ(0, pthread_create(&(thread), NULL, asked_run, &(a)));	\
		sleep_s(0.05);							\
		in("PA 1+10 ack 1");						\
	} while (0)

#define TICK	0.004	/* s: what the ACK waits */
#define TRIES	10

enum { CARRIED, ALONE, SLOW };

/*
 * A request has just come: does @answer, of @flags, carry its ACK? Where time is real the program
 * may need longer than a tick: then the ACK goes alone, and shows nothing. SLOW is what the wire
 * shows: the answer came more than a tick after the request, and the ACK well before the answer
 */
static int carried(const char *answer, uint8_t flags)
{
	double asked = w.mark;
	struct wseg want, s;

	if (!w_parse(&want, answer) || !w_next(w.sim ? 100 : 700, &s))
		return ALONE;
	if (w_like(&want, &s))
		return CARRIED;
	w_say("not the answer but ", &s);
	if (w.sim || s.flags != 0x10 || s.len || !w_next(700, &s) || (s.flags & ~8) != flags)
		return ALONE;
	return now_s() - asked > TICK ? SLOW : ALONE;
}

/* native keeps what helps a sender in slow start, whoever reads */
#define AT_ONCE	"the first ACKs of a connection always go at once"

CASE(answer_carries, "RFC 1122 4.2.3.2: a program that waits answers soon: one segment for both")
{
	int i, what = SLOW;

	for (i = 0; i < TRIES && what == SLOW; i++) {
		struct asked a = { .answer = 5 };
		pthread_t thread;

		w_peer(PEER_PORT + i);
		a.fd = w_passive(self->lfd, "mss 1460");
		ASSERT_LE(0, a.fd);
		ASK(a, thread);
		if (NATIVE(AT_ONCE))
			out("A 1 ack 11");
		what = carried("PA 1+5 ack 11", 0x10);
		quiet(50);
		pthread_join(thread, NULL);
		ASSERT_EQ(10, a.ret);
	}
	if (what == SLOW)
		SKIP(return, "a program here needs longer than a tick to answer");
	ASSERT_EQ(CARRIED, what);
}

CASE(fin_carries, "RFC 1122 4.2.3.2: or it closes, and the FIN does")
{
	int i, what = SLOW;

	for (i = 0; i < TRIES && what == SLOW; i++) {
		struct asked a = { };
		pthread_t thread;

		w_peer(PEER_PORT);
		a.fd = w_active("mss 1460");
		ASSERT_LE(0, a.fd);
		ASK(a, thread);
		if (NATIVE(AT_ONCE))
			out("A 1 ack 11");
		pthread_join(thread, NULL);
		close(a.fd);
		what = carried("FA 1 ack 11", 0x11);
	}
	if (what == SLOW)
		SKIP(return, "a program here needs longer than a tick to close");
	ASSERT_EQ(CARRIED, what);
}

CASE(no_answer, "RFC 1122 4.2.3.2: nothing comes of it: the ACK goes alone, and from now on at once")
{
	struct asked a = { .fd = w_passive(self->lfd, "mss 1460") };
	pthread_t thread;
	struct wseg s;

	ASSERT_LE(0, a.fd);
	ASK(a, thread);
	pthread_join(thread, NULL);
	ASSERT_TRUE(w_out(NATIVE(AT_ONCE) ? -1 : -30, "A 1 ack 11"));
	w.put = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, asked_run, &a));
	sleep_s(0.05);
	in("PA 11+10 ack 1");
	/* sooner than a tick */
	ASSERT_TRUE(w_next(w.sim ? 2 : 600, &s));
	ASSERT_EQ(0x10, s.flags);
	pthread_join(thread, NULL);
}

CASE(waits_again, "RFC 1122 4.2.3.2: it waits for more: the peer may need the ACK to go on")
{
	struct asked a = { .fd = w_passive(self->lfd, "mss 1460"), .again = true, .answer = 5 };
	pthread_t thread;

	ASSERT_LE(0, a.fd);
	ASK(a, thread);
	out_within(3, "A 1 ack 11");
	in("PA 11+10 ack 1");
	if (NATIVE(AT_ONCE))
		out("A 1 ack 21");
	out_within(100, "PA 1+5 ack 21");
	pthread_join(thread, NULL);
	ASSERT_EQ(20, a.ret);
}

CASE(asked_quickack, "tcp(7) TCP_QUICKACK: whoever asks for ACKs at once has them at once")
{
	struct asked a = { .fd = w_passive(self->lfd, "mss 1460"), .answer = 5 };
	pthread_t thread;

	ASSERT_LE(0, a.fd);
	ASSERT_EQ(0, w_set(a.fd, SOL_TCP, TCP_QUICKACK, 1));
	ASK(a, thread);
	out("A 1 ack 11");
	out_within(100, "PA 1+5 ack 11");
	pthread_join(thread, NULL);
}

CASE(answer_itself, "RFC 1122 4.2.3.2: what answers a request, and carries its ACK, waits for the next one or the FIN")
{
	int i, what = SLOW;

	for (i = 0; i < TRIES && what == SLOW; i++) {
		int fd;

		w_peer(PEER_PORT);
		fd = w_active("mss 1460");
		ASSERT_LE(0, fd);
		put(fd, 10);
		out("PA 1+10 ack 1");
		in("PA 1+10 ack 11");
		if (NATIVE(AT_ONCE))
			out("A 11 ack 11");
		sleep_s(0.001);
		close(fd);
		what = carried("RA 11 ack 11", 0x14);
	}
	if (what == SLOW)
		SKIP(return, "a program here needs longer than a tick to close");
	ASSERT_EQ(CARRIED, what);
}

TEST_HARNESS_MAIN
