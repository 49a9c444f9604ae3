// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data in every order: split, overlapping, early, again; what SACK and D-SACK say of it; and
 * all that where sequence numbers wrap and where their sign changes.
 */
#include "wire_state.h"

/* pieces of the stream in the order they come, as OFFSET+LENGTH; then @n octets are there */
#define PIECES(name, rfc, n, ...)					\
	CASE(pieces_##name, rfc)					\
	{								\
		static const char * const piece[] = { __VA_ARGS__ };	\
		int fd = w_passive(self->lfd, "mss 1460 sackok"), got = 0, r; \
		size_t i;						\
									\
		ASSERT_LE(0, fd);					\
		for (i = 0; i < sizeof(piece) / sizeof(*piece); i++)	\
			in("PA %s ack 1", piece[i]);			\
		sleep_s(0.05);						\
		while ((r = w_recv(fd, 1 << 20)) > 0)			\
			got += r;					\
		ASSERT_EQ(-EAGAIN, r);					\
		ASSERT_EQ(n, got);					\
	}

#define TEXT	"RFC 9293 3.10.7.4 seventh, 3.4: "

PIECES(in_order, TEXT "one after the other", 300, "1+100", "101+100", "201+100")
PIECES(reversed, TEXT "the last one first", 300, "201+100", "101+100", "1+100")
PIECES(interleaved, TEXT "odd ones, then even ones", 500,
       "1+100", "201+100", "401+100", "101+100", "301+100")
PIECES(twice, TEXT "each one twice", 200, "1+100", "1+100", "101+100", "101+100")
PIECES(overlap_left, TEXT "its beginning was there", 150, "1+100", "51+100")
PIECES(overlap_right, TEXT "its end is there already", 200, "101+100", "1+150")
PIECES(overlap_both, TEXT "between two, over both", 300, "1+100", "201+100", "51+200")
PIECES(covers, TEXT "all of an early one is in it", 300, "101+50", "1+300")
PIECES(covers_two, TEXT "of two early ones", 400, "101+50", "251+50", "1+400")
PIECES(inside, TEXT "it is within an early one", 300, "101+200", "151+50", "1+100")
PIECES(early_extends_left, TEXT "an early one grows to the left", 300, "151+150", "101+100", "1+100")
PIECES(early_extends_right, TEXT "to the right", 300, "101+100", "151+150", "1+100")
PIECES(early_joins, TEXT "two early ones joined by an overlap", 400,
       "101+100", "301+100", "151+200", "1+100")
PIECES(early_swallows, TEXT "three early ones in a fourth", 700,
       "101+100", "301+100", "501+100", "51+650", "1+100")
PIECES(same_start_longer, TEXT "from the same octet, longer", 300, "101+100", "101+200", "1+100")
PIECES(same_end_longer, TEXT "to the same octet, longer", 300, "201+100", "101+200", "1+100")
PIECES(one_octet_hole, TEXT "a hole of one octet", 201, "1+100", "102+100", "101+1")
PIECES(one_octet_overlap, TEXT "an overlap of one octet", 199, "1+100", "100+100")
PIECES(gap_stays, TEXT "what is behind a hole is not given", 100, "1+100", "102+100")
PIECES(many_copies, TEXT "one early one ten times", 200, "101+100", "101+100", "101+100",
       "101+100", "101+100", "101+100", "101+100", "101+100", "101+100", "1+100")
PIECES(staircase, TEXT "each overlaps the one before by half", 250,
       "1+100", "51+100", "101+100", "151+100")
PIECES(staircase_down, TEXT "from behind", 250, "151+100", "101+100", "51+100", "1+100")

/* ---- where the numbers wrap ---- */

/*
 * RCV.NXT is @before octets below the border @at: in order, early, again, beyond the window and
 * FIN across it
 */
static bool w_border(int lfd, uint32_t at, uint32_t before)
{
	int fd;

	w.irs = at - before - 1;
	fd = w_passive(lfd, "mss 1460 sackok");
	return fd >= 0 && w_in("PA 101+100 ack 1") && w_out(-1, "A 1 ack 1 sack 101-201") &&
	       w_in("PA 1+100 ack 1") && w_out(-1, "A 1 ack 201") &&
	       w_in("PA 1+100 ack 1") && w_out(-1, "A 1 ack 201 sack 1-101") &&
	       w_in("PA 1000201+100 ack 1") && w_out(-1, "A 1 ack 201") &&
	       w_in("R 1000201") && w_quiet(50) &&
	       w_recv(fd, 1 << 20) == 200 &&
	       w_in("FPA 201+50 ack 1") && w_out(-200, "A 1 ack 252") &&
	       w_recv(fd, 1 << 20) == 50 && w_recv(fd, 1) == 0;
}

#define BORDER(name, at, before)					\
	CASE(border_##name, "RFC 9293 3.4: arithmetic modulo 2^32")	\
	{								\
		ASSERT_TRUE(w_border(self->lfd, at, before));		\
	}

BORDER(wrap, 0, 0)
BORDER(wrap_in_1, 0, 1)
BORDER(wrap_in_50, 0, 50)
BORDER(wrap_in_100, 0, 100)
BORDER(wrap_in_101, 0, 101)
BORDER(wrap_in_200, 0, 200)
BORDER(wrap_in_251, 0, 251)
BORDER(wrap_past, 0, 0xffffffff)
BORDER(sign, 0x80000000, 0)
BORDER(sign_in_1, 0x80000000, 1)
BORDER(sign_in_100, 0x80000000, 100)
BORDER(sign_in_101, 0x80000000, 101)
BORDER(sign_in_200, 0x80000000, 200)
BORDER(sign_in_251, 0x80000000, 251)
BORDER(sign_past, 0x80000000, 0xffffffff)
BORDER(window_wraps, 0, 40000)
BORDER(window_at_sign, 0x80000000, 40000)

#undef BORDER

/* ---- what is said of it ---- */

CASE(sack_newest_first, "RFC 2018 4 (a): the block with the segment that caused the ACK")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 101+100");
	out("A 1 ack 1 sack 101-201");
	in("PA 301+100");
	out("A 1 ack 1 sack 301-401 sack 101-201");
	in("PA 201+50");	/* extends the older: it is the newest now */
	out("A 1 ack 1 sack 101-251 sack 301-401");
}

CASE(sack_contiguous, "RFC 2018 4: a block is as long as what is contiguous")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");
	int i;

	ASSERT_LE(0, fd);
	for (i = 1; i <= 10; i++) {
		in("PA %d+100", 1 + i * 100);
		out("A 1 ack 1 sack 101-%d", 101 + i * 100);
	}
}

CASE(sack_four, "RFC 2018 3: four blocks without timestamps, the most recent ones")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");
	struct wseg s;
	int i;

	ASSERT_LE(0, fd);
	for (i = 1; i <= 6; i++) {
		in("PA %d+100", 1 + 200 * i);
		ASSERT_TRUE(w_next(100, &s));
	}
	ASSERT_EQ(4, s.nsack);
	ASSERT_EQ(1201, s.sack[0][0]);
	ASSERT_EQ(601, s.sack[3][0]);
}

CASE(sack_in_data, "RFC 2018 4: data carries blocks, too, and makes room for them")
{
	int fd = w_passive(self->lfd, "mss 1000 sackok");

	ASSERT_LE(0, fd);
	in("PA 101+100");
	out("A 1 ack 1 sack 101-201");
	put(fd, 2000);
	out("A 1+988 ack 1 sack 101-201");
}

CASE(sack_until_filled, "RFC 2018 4: no blocks below the acknowledgment")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 101+100");
	out("A 1 ack 1 sack 101-201");
	in("PA 1+150");		/* fills it and overlaps */
	out("A 1 ack 201");
	in("PA 201+10");
	out_within(200, "A 1 ack 211 no-sack");
}

CASE(sack_true, "RFC 2018 8 (MUST NOT): nothing is told of that was thrown away")
{
	struct wseg s = { };
	int fd, i;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	fd = w_passive(self->lfd, "mss 1460 sackok");
	ASSERT_LE(0, fd);
	for (i = 20; i; i--) {
		in("PA %d+100", 1 + i * 100);
		while (w_next(5, &s))
			;
	}
	ASSERT_LE(1, s.nsack);
	/* all before the block that is highest comes: so must what the last ACK told of be there */
	for (i = 1; i < s.nsack; i++)
		ASSERT_GT(s.sack[0][0], s.sack[i][0]);
	in("PA 1+%u", s.sack[0][0] - 1);
	out("A 1 ack %u", s.sack[0][1]);
}

/* the windows of the ACKs of the first and last of twenty early segments of @opt's connection */
static bool early_windows(int lfd, const char *opt, int *first, int *last)
{
	struct wseg s;
	int i, fd;

	if (w_set(lfd, SOL_SOCKET, SO_RCVBUF, 200000))
		return false;
	fd = w_passive(lfd, opt);
	if (fd < 0)
		return false;
	for (i = 0; i < 20; i++) {
		if (!w_in("PA %u+1460", 1 + 1460 * (i + 1)) || !w_next(100, &s) || s.flags != 0x10 || s.ack != 1)
			return false;
		*(i ? last : first) = s.win;
	}
	return true;
}

CASE(window_grows_early, "RFC 6675 5: SACKed data must not stop the peer from sending new data")
{
	int first, last = 0;

	ASSERT_TRUE(early_windows(self->lfd, "mss 1460 sackok ws 7", &first, &last));
	ASSERT_LT(first, last);
}

CASE(window_still_early, "RFC 5681 2: duplicate ACKs have one window, or they would not be duplicates")
{
	int first, last = 0;

	ASSERT_TRUE(early_windows(self->lfd, "mss 1460 ws 7", &first, &last));
	ASSERT_EQ(first, last);
}

CASE(dsack_covered, "RFC 2883 4.1: a whole old segment")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 1+300");
	out("A 1 ack 301 no-sack");
	in("PA 101+100");
	out("A 1 ack 301 sack 101-201");
}

CASE(dsack_partial, "RFC 2883 4.2: the part of it that was there")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 1+300");
	out("A 1 ack 301 no-sack");
	in("PA 201+200");
	out("A 1 ack 401 sack 201-301");
}

CASE(dsack_early, "RFC 2883 4.2: of an early one, with the block it lies in second")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 101+200");
	out("A 1 ack 1 sack 101-301");
	in("PA 151+50");
	out("A 1 ack 1 sack 151-201 sack 101-301");
}

CASE(dsack_two_parts, "RFC 2883 4.2.2: of two parts that were there the first is reported")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 1+100");
	out("A 1 ack 101 no-sack");
	in("PA 201+100");
	out("A 1 ack 101 sack 201-301");
	in("PA 401+100");
	out("A 1 ack 101 sack 401-501 sack 201-301");
	in("PA 51+250");
	out("A 1 ack 301 sack 51-101 sack 401-501");
}

CASE(dsack_two_early, "RFC 2883 4.2.3: also beyond the ACK, with the block that they lie in second")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 101+100");
	out("A 1 ack 1 sack 101-201");
	in("PA 301+100");
	out("A 1 ack 1 sack 301-401 sack 101-201");
	in("PA 101+300");
	out("A 1 ack 1 sack 101-201 sack 101-401");
}

CASE(dsack_once, "RFC 2883 4: reported once")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("PA 1+100");
	out("A 1 ack 101 no-sack");
	in("PA 1+100");
	out("A 1 ack 101 sack 1-101");
	in("PA 101+100");
	out_within(200, "A 1 ack 201 no-sack");
}

CASE(dsack_off, "RFC 2883 4: tcp_dsack=0")
{
	int fd;

	ASSERT_EQ(0, run("sysctl -qw net.%s.tcp_dsack=0", w.native ? "ipv4" : "strata"));
	fd = w_passive(self->lfd, "mss 1460 sackok");
	ASSERT_LE(0, fd);
	in("PA 1+100");
	out("A 1 ack 101 no-sack");
	in("PA 1+100");
	out("A 1 ack 101 no-sack");
}

CASE(fin_twice, "RFC 9293 3.10.7.4 eighth: a FIN again, with its data")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("FPA 1+100 ack 1");
	out_within(200, "A 1 ack 102");
	in("FPA 1+100 ack 1");
	out("A 1 ack 102");
	get(fd, 100);
	get(fd, 0);
}

CASE(fin_alone_then_data, "RFC 9293 3.10.7.4 eighth: data before a FIN that came first")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("FA 201 ack 1");
	out("A 1 ack 1 sack 201-202");
	in("PA 101+100");
	out("A 1 ack 1 sack 101-202");
	in("PA 1+100");
	out("A 1 ack 202");
	get(fd, 200);
	get(fd, 0);
}

CASE(data_behind_fin, "RFC 9293 3.10.7.4 seventh: text behind an early FIN is not given")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 201+100 ack 1");
	out("A 1 ack 1");
	in("FA 101+50 ack 1");
	out("A 1 ack 1");
	in("PA 1+100 ack 1");
	out("A 1 ack 152");
	get(fd, 150);
	get(fd, 0);
}

TEST_HARNESS_MAIN
