// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options on the wire: every way to write one wrongly, in every place and order, what is
 * agreed with whom, and what a connection does with those nobody agreed on.
 */
#include "wire_state.h"

/* what a SYN with these octets for options is answered with */
#define SYN(name, rfc, octets, answer)			\
	CASE(syn_##name, rfc)				\
	{						\
		in("S 0 opt " octets);			\
		out("SA 0 ack 1 mss 1460 " answer);	\
	}

#define NONE	"no-ws no-sackok no-ts"

SYN(end, "RFC 9293 3.1: end of option list", "00000000", NONE)
SYN(end_hides, "RFC 9293 3.1: nothing behind the end of the list counts", "0004020000000000", NONE)
SYN(nops, "RFC 9293 3.1: no-operation anywhere (MUST-4)", "0101010104020101", "sackok no-ws no-ts")
SYN(unaligned, "RFC 9293 3.2 (MUST-64): options at any octet", "010402010303070101", "sackok ws 255")
SYN(unknown, "RFC 9293 3.1 (MUST-6): an unknown kind is skipped by its length", "4d06ffffffff0402", "sackok no-ts")
SYN(unknown_2, "RFC 9293 3.1 (MUST-6): the shortest unknown one", "4d0204020303070000", "sackok ws 255")
SYN(unknown_255, "RFC 9293 3.1 (MUST-6): kind 255", "ff03000402", "sackok no-ts no-ws")
SYN(unknown_first_40, "RFC 9293 3.1 (MUST-6): one that fills the header",
    "4d280000000000000000000000000000000000000000000000000000000000000000000000000000", NONE)
SYN(length_0, "RFC 9293 3.1 (MUST-7): length 0 ends the parsing", "4d000402", NONE)
SYN(length_1, "RFC 9293 3.1 (MUST-7): length 1 does, too", "4d010402", NONE)
SYN(length_0_known, "RFC 9293 3.1 (MUST-7): of a known kind", "0400030307", NONE)
SYN(before_length_0, "RFC 9293 3.1 (MUST-7): what stood before it counts", "04024d000303", "sackok no-ws")
SYN(length_beyond, "RFC 9293 3.1 (MUST-7): an option longer than the header", "04024dff", "sackok no-ws")
SYN(length_beyond_by_1, "RFC 9293 3.1 (MUST-7): by one octet", "04024d03", "sackok no-ws")
SYN(length_missing, "RFC 9293 3.1 (MUST-7): the header ends before the length", "0402014d", "sackok no-ws")
SYN(mss_short, "RFC 9293 3.2: MSS of length 3 is none", "020304040200", "sackok")
SYN(mss_long, "RFC 9293 3.2: MSS of length 5 is none", "0205040000040200", "sackok")
SYN(mss_cut, "RFC 9293 3.1: MSS cut by the header's end", "04020204", "sackok no-ws")
SYN(ws_short, "RFC 7323 2.2: window scale of length 2 is none", "03020402", "sackok no-ws")
SYN(ws_long, "RFC 7323 2.2: window scale of length 4 is none", "030407000402", "sackok no-ws")
SYN(ws_zero, "RFC 7323 2.2: a shift of 0 still agrees", "01030300", "ws 255 no-sackok")
SYN(ws_14, "RFC 7323 2.3: the largest shift", "0103030e", "ws 255 no-sackok")
SYN(ws_15, "RFC 7323 2.3: above 14 is no reason to refuse it", "0103030f", "ws 255 no-sackok")
SYN(ws_255, "RFC 7323 2.3: nor is 255", "010303ff", "ws 255 no-sackok")
SYN(ws_twice, "RFC 7323 2.2: twice", "0303070303020000", "ws 255 no-sackok")
SYN(sackok_long, "RFC 2018 2: SACK-permitted of length 3 is none", "0403000303070000", "no-sackok ws 255")
SYN(sackok_twice, "RFC 2018 2: twice is once", "04020402", "sackok no-ws no-ts")
SYN(sack_on_syn, "RFC 2018 3: SACK blocks in a SYN mean nothing", "0101050a0000000100000002", NONE)
SYN(ts_short, "RFC 7323 3.2: timestamps of length 9 are none", "0809000000010000000402", "no-ts sackok")
SYN(ts_long, "RFC 7323 3.2: of length 11", "080b0000000100000000000402", "no-ts sackok")
SYN(ts_length_2, "RFC 7323 3.2: of length 2", "08020402", "no-ts sackok")
SYN(ts_cut, "RFC 9293 3.1: cut by the header's end", "0402080a00000001", "no-ts sackok")
SYN(ts_unaligned, "RFC 7323 appendix A: NOPs before it are a habit, no rule",
    "080a000000010000000004020000", "ts sackok no-ws")
SYN(ts_zero, "RFC 7323 3.2: a TSval of 0 is a value", "0101080a0000000000000000", "ts no-sackok")
SYN(experiment, "RFC 6994: experiments of others are skipped", "fe04abcd04020000", "sackok no-ws")
SYN(experiment_253, "RFC 6994: also of kind 253", "fd04abcd04020000", "sackok no-ws")

/* was its kernel built to know signatures? */
static bool knows_md5(int fd)
{
	int none = 0;

	return setsockopt(fd, SOL_TCP, TCP_MD5SIG, &none, sizeof(none)) && errno == EINVAL;
}

CASE(syn_md5, "RFC 2385: a signature nobody asked for is skipped on a SYN")
{
	in("S 0 opt 131200000000000000000000000000000000");
	if (NATIVE("drops it, where its kernel was built to know signatures") &&
	    knows_md5(self->lfd)) {
		quiet(100);
		return;
	}
	out("SA 0 ack 1 mss 1460 " NONE);
}

SYN(all, "RFC 9293 3.2: all that is known at once",
    "020405b40402080a000000010000000001030307", "ts sackok ws 255")
SYN(all_reversed, "RFC 9293 3.2: in any order",
    "03030701080a00000001000000000402020405b4", "ts sackok ws 255")

/* ---- the MSS that is then used ---- */

/* a SYN with these options; 3000 octets are sent in segments of this size */
#define MSS(name, rfc, options, size)			\
	CASE(mss_##name, rfc)				\
	{						\
		int fd = w_passive(self->lfd, options);	\
							\
		ASSERT_LE(0, fd);			\
		put(fd, 5000);				\
		out("A 1+%d", size);			\
		out("A %d+%d", 1 + size, size);		\
	}

MSS(absent, "RFC 9293 3.7.1 (MUST-15)", "", 536)
MSS(536, "RFC 9293 3.7.1 (MUST-16)", "mss 536", 536)
MSS(88, "RFC 9293 3.7.1", "mss 88", 88)
MSS(47, "RFC 9293 3.7.1: not below tcp_min_snd_mss", "mss 47", 48)
MSS(zero, "RFC 9293 3.7.1: 0 counts as absent", "mss 0", 536)
MSS(1000, "RFC 9293 3.7.1 (MUST-16)", "mss 1000", 1000)
MSS(1460, "RFC 9293 3.7.1 (MUST-16)", "mss 1460", 1460)
MSS(1461, "RFC 9293 3.7.1 (MUST-16): not above the path's MTU", "mss 1461", 1460)
MSS(65535, "RFC 9293 3.7.1 (MUST-16): the largest", "mss 65535", 1460)
MSS(with_ts, "RFC 6691 2: options are taken from it", "mss 1460 ts", 1448)
MSS(536_with_ts, "RFC 6691 2", "mss 536 ts", 524)
MSS(absent_with_ts, "RFC 6691 2", "ts", 524)

CASE(mss_twice, "RFC 9293 3.7.1: the last of two counts")
{
	int fd;

	in("S 0 opt 020405b402040200");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 2000);
	out("A 1+512");
}

CASE(mss_later, "RFC 9293 3.2 (MUST-65): an MSS in another segment than a SYN means nothing")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 1 opt 02040200");
	out("A 1 ack 11");
	put(fd, 2000);
	out("A 1+1460");
}

CASE(mss_syn_only, "RFC 9293 3.2 (MUST-65): no segment but a SYN has the option")
{
	int fd;

	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 1460");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	in("PA 1+10 ack 1");
	out("A 1 ack 11 no-mss");
	put(fd, 10);
	out("PA 1+10 no-mss");
	in("A 11 ack 11");
	in("S 5000 mss 1460");
	out("A 11 ack 11 no-mss");
	ASSERT_EQ(10, w_recv(fd, 100));
	close(fd);
	out("FA 11 no-mss");
}

CASE(mss_of_mtu,
     "RFC 9293 3.7.1 (MUST-67), RFC 1122 4.2.2.6: what is announced is what the device can take")
{
	int fd = w_socket();

	ASSERT_EQ(0, run("ip link set t0 mtu 1000"));
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 960");
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(fd));
	out("S 0 mss 960");
}

CASE(everywhere, "RFC 9293 3.1 (MUST-5), RFC 1122 4.2.2.5: options in segments of every kind")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	in("SA 0 ack 1 mss 1460 opt 4d04abcd");
	out("A 1 ack 1");
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11 opt 4d04abcd");
	in("PA 1+10 ack 11 opt 0101014d04abcd01");
	out("A 11 ack 11");
	get(fd, 10);
	in("FA 11 ack 11 opt 4d04abcd");
	out_within(200, "A 11 ack 12");
	get(fd, 0);
	in("R 12 opt 4d04abcd");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(EPIPE, w_error(fd));
}

CASE(maxseg, "tcp(7) TCP_MAXSEG: what is announced and what is sent")
{
	int fd;

	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_MAXSEG, 700));
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 700");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 2000);
	out("A 1+700");
}

CASE(maxseg_active, "tcp(7) TCP_MAXSEG: the same for connect()")
{
	int fd = w_socket();

	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_MAXSEG, 700));
	ASSERT_TRUE(w_connect(fd));
	out("S 0 mss 700");
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
	put(fd, 2000);
	out("A 1+700");
}

/* ---- what our own SYN offered and the answer left out ---- */

#define ANSWER(name, rfc, options, ack)			\
	CASE(answer_##name, rfc)			\
	{						\
		int fd = w_socket();			\
							\
		ASSERT_TRUE(w_connect(fd));		\
		out("S 0 mss 1460 sackok ts ws 255");	\
		w.ts = !!strstr(options, "ts");	\
		in("SA 0 ack 1 " options);		\
		out("A 1 ack 1 " ack);			\
		in("PA 101+100 ack 1");			\
		out("A 1 ack 1 " ack);			\
	}

ANSWER(nothing, "RFC 7323 2.2 3.2, RFC 2018 2: not agreed, not used", "mss 1460", "no-ts no-sack")
ANSWER(ts, "RFC 7323 3.2: timestamps alone", "mss 1460 ts", "ts no-sack")
ANSWER(all, "RFC 7323 3.2, RFC 2018 2: all", "mss 1460 sackok ts ws 7", "ts")
ANSWER(ws, "RFC 7323 2.2: window scale alone", "mss 1460 ws 7", "no-ts no-sack")

CASE(answer_sackok, "RFC 2018 2, 3: SACK alone, four blocks fit")
{
	int fd = w_active("mss 1460 sackok"), i;
	struct wseg s;

	ASSERT_LE(0, fd);
	for (i = 1; i <= 5; i++) {
		in("PA %d+100 ack 1", 1 + 200 * i);
		ASSERT_TRUE(w_next(100, &s));
	}
	ASSERT_EQ(4, s.nsack);
}

CASE(sackok_only_syn, "RFC 2018 2 (MUST NOT): SACK-permitted is on SYNs alone")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10 no-sackok");
	in("PA 101+10 ack 11");
	out("A 11 ack 1 sack 101-111 no-sackok");
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	out("FA 11 no-sackok");
	fd = w_socket();
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(fd));
	out("S 0 sackok");
	in("SA 0 ack 1 mss 1460 sackok");
	out("A 1 ack 1 no-sackok");
}

CASE(sack_unasked, "RFC 2018 3: SACK blocks without agreement are ignored")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	put(fd, 5000);
	for (int i = 0; i < 5; i++)
		out("%s %d+1000", i < 4 ? "A" : "PA", 1 + i * 1000);
	in("A 1 ack 1001 sack 2001-5001");
	quiet(100);
}

CASE(ts_unasked, "RFC 7323 3.2: timestamps without agreement are ignored")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 1 ts");
	out("A 1 ack 11 no-ts");
	in("PA 11+10 ack 1 ts-100000");		/* so PAWS cannot refuse this */
	out_within(200, "A 1 ack 21 no-ts");
}

CASE(ts_sysctl_off, "RFC 7323 3.2: neither offered nor agreed to when switched off")
{
	int fd = w_socket();

	ASSERT_EQ(0, run("sysctl -qw net.%s.tcp_timestamps=0", w.native ? "ipv4" : "strata"));
	in("S 0 mss 1460 ts");
	out("SA 0 ack 1 no-ts");
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(fd));
	out("S 0 no-ts");
}

CASE(sack_sysctl_off, "RFC 2018 2: likewise SACK")
{
	int fd = w_socket();

	ASSERT_EQ(0, run("sysctl -qw net.%s.tcp_sack=0", w.native ? "ipv4" : "strata"));
	in("S 0 mss 1460 sackok");
	out("SA 0 ack 1 no-sackok");
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(fd));
	out("S 0 no-sackok");
}

CASE(ws_sysctl_off, "RFC 7323 2.2: likewise window scale")
{
	int fd = w_socket();

	ASSERT_EQ(0, run("sysctl -qw net.%s.tcp_window_scaling=0", w.native ? "ipv4" : "strata"));
	in("S 0 mss 1460 ws 7");
	out("SA 0 ack 1 no-ws");
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(fd));
	out("S 0 no-ws");
}

CASE(ws_later, "RFC 7323 2.2: window scale in another segment than a SYN means nothing")
{
	int fd = w_passive(self->lfd, "mss 1000 ws 2");

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	in("PA 11+10 ack 1 win 500 ws 7");
	out_within(200, "A 1 ack 21");
	put(fd, 5000);			/* 2000 octets, not 64000 */
	out("A 1+1000");
	out("A 1001+1000");
	quiet(50);
}

CASE(syn_window_unscaled, "RFC 7323 2.2: the window of a SYN is never scaled")
{
	int fd;

	in("S 0 mss 1000 ws 7 win 2000");
	out("SA 0 ack 1 ws 255");
	in("A 1 ack 1 win 16");		/* 2048 by the shift */
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 8000);
	out("A 1+1000");
	out("A 1001+1000");
	quiet(50);
}

/* ---- the window we offer ---- */

/* the window of the last segment, as the peer reads it; it is that of the handshake, or near it */
#define OFFERED(shift)							\
	do {								\
		ASSERT_LE(60000, s.win << (shift));			\
		ASSERT_GE(132000, s.win << (shift));			\
	} while (0)

CASE(offer_scaled,
     "RFC 7323 2.2, 2.3 (MUST, MUST NOT): the window is scaled as our SYN said, the SYN's is not")
{
	int fd = w_socket();
	struct wseg s;
	uint32_t shift;

	ASSERT_TRUE(w_connect(fd));
	ASSERT_TRUE(w_next(100, &s));
	OFFERED(0);
	ASSERT_TRUE(s.has & W_WS);
	shift = s.ws;
	ASSERT_LT(0, shift);
	in("SA 0 ack 1 mss 1460 ws 3");
	ASSERT_TRUE(w_next(100, &s));
	OFFERED(shift);
	in("PA 1+100 ack 1");
	ASSERT_TRUE(w_next(100, &s));
	OFFERED(shift);
}

CASE(offer_scaled_passive, "RFC 7323 2.3 (SHOULD, MUST): the same for who is asked")
{
	struct wseg s;
	uint32_t shift;

	in("S 0 mss 1460 ws 3");
	ASSERT_TRUE(w_next(100, &s));
	OFFERED(0);
	ASSERT_TRUE(s.has & W_WS);
	shift = s.ws;
	ASSERT_LT(0, shift);
	in("A 1 ack 1");
	in("PA 1+100 ack 1");
	ASSERT_TRUE(w_next(100, &s));
	OFFERED(shift);
}

CASE(offer_refused,
     "RFC 7323 2.2, 2.3 (MUST): the peer does not scale: neither do we, in neither direction")
{
	int fd = w_socket(), i;
	struct wseg s;

	ASSERT_TRUE(w_connect(fd));
	out("S 0 ws 255");
	in("SA 0 ack 1 mss 1000 win 3000");
	ASSERT_TRUE(w_next(100, &s));
	OFFERED(0);
	in("PA 1+100 ack 1 win 3000");
	ASSERT_TRUE(w_next(100, &s));
	OFFERED(0);
	put(fd, 8000);
	for (i = 0; i < 3; i++)
		out("A %d+1000", 1 + i * 1000);
	quiet(50);
}

CASE(offer_zero, "RFC 7323 2.2 (SHOULD): a window that needs no scaling offers a shift of 0")
{
	int fd = w_socket();
	struct wseg s;

	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_WINDOW_CLAMP, 30000));
	ASSERT_TRUE(w_connect(fd));
	out("S 0 ws 0");
	in("SA 0 ack 1 mss 1000 ws 2 win 2000");
	out("A 1 ack 1");
	in("PA 1+100 ack 1 win 500");
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_LE(20000, s.win);
	put(fd, 8000);			/* and takes the peer's: 2000 octets */
	out("A 1+1000");
	out("A 1001+1000");
	quiet(50);
}

CASE(offer_kept,
     "RFC 7323 2.4 (MUST): what fits a window that was offered is taken, whatever came after it")
{
	uint32_t edge;
	struct wseg s;
	int i;

	in("S 0 mss 1460 ws 7 sackok");
	ASSERT_TRUE(w_next(100, &s));
	edge = 1 + s.win;
	in("A 1 ack 1");
	/* a window in units of 128 that ends at an octet in between */
	for (i = 0; i < 5; i++) {
		in("PA %d+1 ack 1", 1 + i);
		ASSERT_TRUE(w_next(300, &s));
	}
	in("PA %u+10 ack 1", edge - 10);
	out("A 1 ack 6 sack %u-%u", edge - 10, edge);
}

TEST_HARNESS_MAIN
