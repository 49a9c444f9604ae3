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

/* native keeps what helps a sender in slow start, whoever reads */
#define AT_ONCE	"the first ACKs of a connection always go at once"

CASE(answer_carries, "RFC 1122 4.2.3.2: a program that waits answers soon: one segment for both")
{
	struct asked a = { .fd = w_passive(self->lfd, "mss 1460"), .answer = 5 };
	pthread_t thread;

	ASSERT_LE(0, a.fd);
	ASK(a, thread);
	if (NATIVE(AT_ONCE))
		out("A 1 ack 11");
	out_within(100, "PA 1+5 ack 11");
	quiet(50);
	pthread_join(thread, NULL);
	ASSERT_EQ(10, a.ret);
}

CASE(fin_carries, "RFC 1122 4.2.3.2: or it closes, and the FIN does")
{
	struct asked a = { .fd = w_active("mss 1460") };
	pthread_t thread;

	ASSERT_LE(0, a.fd);
	ASK(a, thread);
	if (NATIVE(AT_ONCE))
		out("A 1 ack 11");
	pthread_join(thread, NULL);
	close(a.fd);
	out_within(100, "FA 1 ack 11");
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
	int fd = w_active("mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10 ack 1");
	in("PA 1+10 ack 11");
	if (NATIVE(AT_ONCE))
		out("A 11 ack 11");
	sleep_s(0.001);
	close(fd);
	out_within(50, "RA 11 ack 11");
}

TEST_HARNESS_MAIN
