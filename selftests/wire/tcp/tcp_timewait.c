// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME-WAIT, and which SYN is believed to open a successor (RFC 6191 2): younger by its
 * timestamp, or else by its number. What is not believed is answered with an ACK.
 */
#include "wire_state.h"

/*
 * a connection with these options, closed by us and then the peer: in TIME-WAIT. The numbers go
 * on counting from its ISNs; its last timestamp is w.ts_sent
 */
static bool time_wait(int lfd, const char *opts)
{
	int fd;

	/* what came in the first second after a boot has no age (of seconds, 0: none) */
	sleep_s(1);
	fd = w_passive(lfd, opts);
	return fd >= 0 && !close(fd) && w_out(-1, "FA 1 ack 1") && w_in("FA 1 ack 2") &&
	       w_out(-1, "A 2 ack 2") && w_proc_state() == st_time_wait;
}

/* @syn comes: a new connection, which acknowledges @ack, begins in its stead */
static bool succeeds(const char *syn, const char *ack)
{
	uint32_t old = w.isn;

	w_peer(PEER_PORT);
	return w_in("%s", syn) && w_out(-1, "SA 0 ack %s", ack) &&
	       w_proc_state() == st_syn_received && (int32_t)(w.isn - old) > 0;
}

/* @syn comes: an ACK of the old connection is all, and TIME-WAIT goes on */
static bool refused(const char *syn)
{
	w.ts = false;
	return w_in("%s", syn) && w_out(-1, "A 2 ack 2") && w_proc_state() == st_time_wait;
}

#define TS	"mss 1460 ts"

CASE(younger, "RFC 6191 2: a younger timestamp opens, though the number is old")
{
	ASSERT_TRUE(time_wait(self->lfd, TS));
	ASSERT_TRUE(succeeds("S -5000 mss 1460 ts+1000", "-4999 ts"));
	in("A -4999 ack 1 ts+1000");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(younger_beyond, "RFC 6191 2: and where both are beyond")
{
	ASSERT_TRUE(time_wait(self->lfd, TS));
	ASSERT_TRUE(succeeds("S 5000 mss 1460 ts+1000", "5001 ts"));
}

CASE(same_beyond, "RFC 6191 2: the same timestamp, and a number beyond")
{
	char syn[128];

	ASSERT_TRUE(time_wait(self->lfd, TS));
	snprintf(syn, sizeof(syn), "S 5000 mss 1460 opt 0101080a%08x00000000", w.ts_sent);
	ASSERT_TRUE(succeeds(syn, "5001 ts"));
}

CASE(same_old, "RFC 6191 2: the same timestamp, and an old number: refused")
{
	char syn[128];

	ASSERT_TRUE(time_wait(self->lfd, TS));
	snprintf(syn, sizeof(syn), "S -5000 mss 1460 opt 0101080a%08x00000000", w.ts_sent);
	ASSERT_TRUE(refused(syn));
}

CASE(older, "RFC 6191 2: an older timestamp: refused, whatever the number")
{
	ASSERT_TRUE(time_wait(self->lfd, TS));
	ASSERT_TRUE(refused("S 5000 mss 1460 ts-1000"));
	sleep_s(0.6);
	ASSERT_TRUE(refused("S -5000 mss 1460 ts-1000"));
}

CASE(without_beyond, "RFC 6191 2: without a timestamp any more the number decides")
{
	ASSERT_TRUE(time_wait(self->lfd, TS));
	ASSERT_TRUE(succeeds("S 5000 mss 1460", "5001 no-ts"));
}

CASE(without_old, "RFC 6191 2: without a timestamp any more, and an old number: refused")
{
	ASSERT_TRUE(time_wait(self->lfd, TS));
	ASSERT_TRUE(refused("S -5000 mss 1460"));
}

CASE(never_beyond, "RFC 6191 2: there never were any: the number decides")
{
	ASSERT_TRUE(time_wait(self->lfd, "mss 1460"));
	ASSERT_TRUE(succeeds("S 5000 mss 1460", "5001 no-ts"));
}

CASE(never_old, "RFC 6191 2: there never were any, and an old number: refused")
{
	ASSERT_TRUE(time_wait(self->lfd, "mss 1460"));
	ASSERT_TRUE(refused("S -5000 mss 1460"));
}

CASE(first_beyond, "RFC 6191 2: the new one is the first with timestamps")
{
	ASSERT_TRUE(time_wait(self->lfd, "mss 1460"));
	ASSERT_TRUE(succeeds("S 5000 mss 1460 ts", "5001 ts"));
}

CASE(rst_old_timestamp, "RFC 7323 5.2 (MUST NOT): PAWS is not for a RST, in TIME-WAIT either")
{
	ASSERT_TRUE(time_wait(self->lfd, TS));
	in("R 2 ts-1000");
	quiet(50);
	if (NATIVE("applies PAWS to it for a minute after the last timestamp"))
		return;
	ASSERT_EQ(st_gone, w_proc_state());
}

CASE(old_duplicate, "RFC 1337 1: an old segment is answered; whoever knows nothing of it may reset")
{
	ASSERT_TRUE(time_wait(self->lfd, "mss 1460"));
	in("PA -44+10 ack -66");
	out("A 2 ack 2");
	in("R 2");
	quiet(50);
	ASSERT_EQ(st_gone, w_proc_state());
}

CASE(old_duplicate_rfc1337, "RFC 1337 3 (F1), tcp_rfc1337: but not end TIME-WAIT with it")
{
	ASSERT_TRUE(w_sysctl("tcp_rfc1337", "1"));
	ASSERT_TRUE(time_wait(self->lfd, "mss 1460"));
	in("PA -44+10 ack -66");
	out("A 2 ack 2");
	in("R 2");
	quiet(50);
	ASSERT_EQ(st_time_wait, w_proc_state());
}

CASE(new_survives_old_ack,
     "RFC 1337 2.4 (H3), RFC 5961 3.2: the RST an old ACK brings about ends no new request")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("R 24");			/* in the window, not the next number */
	out("A 1 ack 1");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

TEST_HARNESS_MAIN
