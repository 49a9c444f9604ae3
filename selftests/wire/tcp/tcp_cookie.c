// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYN cookies (RFC 4987 3.6) and the options of the SYN, which the timestamp of the SYN-ACK keeps.
 */
#include "wire.h"
#include "wire_fastopen.h"

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info;
}

/* a SYN @syn, which gets a cookie; into @synack the answer */
static bool ask(const char *syn, struct wseg *synack)
{
	w.ts = !!strstr(syn, " ts");
	return w_sysctl("tcp_syncookies", "2") && w_in("%s", syn) && w_next(1000, synack);
}

#define ALL	(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE | TCPI_OPT_ECN)

/* the first: native gets the options of its first cookie after boot wrong */
CASE(time, "RFC 7323 5.3, 5.4: later timestamps are not before the SYN-ACK's, nor far behind")
{
	struct wseg s;
	uint32_t first;
	int fd, i;

	for (i = 0; i < 20; i++) {
		w_peer(PEER_PORT + i);
		ASSERT_TRUE(ask("SEC 0 mss 1460 ws 14 sackok ts", &s));
		first = s.tsval;
		in("A 1 ack 1");
		fd = w_accept(self->lfd);
		ASSERT_LE(0, fd);
		put(fd, 10);
		ASSERT_TRUE(w_next(100, &s));
		ASSERT_EQ(10, s.len);
		if (!NATIVE("changes the offset of its timestamps after its first cookie since boot")) {
			ASSERT_LE(0, (int32_t)(s.tsval - first));
			ASSERT_GE(w.sim ? 75 : 300, (int32_t)(s.tsval - first));
		}
		in("A 1 ack 11");
		close(fd);
		sleep_s(0.019);
	}
}

CASE(none_out, "RFC 4987 3.6, RFC 5961 1: an ACK is looked at as a cookie's only if one may be out")
{
	struct wseg s;
	long failed;

	ASSERT_TRUE(w_sysctl("tcp_syncookies", "1"));
	failed = f_count("SyncookiesFailed");
	ASSERT_LE(0, failed);
	in("A 1 ack 12345");
	out("R 12345");
	ASSERT_EQ(failed, f_count("SyncookiesFailed"));
	/* one is sent, and guesses are guesses */
	ASSERT_TRUE(ask("S 0 mss 1460", &s));
	in("A 1 ack 12345");
	out("R 12345");
	ASSERT_EQ(failed + 1, f_count("SyncookiesFailed"));
}

CASE(options, "RFC 4987 3.6, RFC 7323 1.3, RFC 2018 2: with timestamps nothing is lost")
{
	struct tcp_info info;
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("S 0 mss 1460 ws 7 sackok ts", &s));
	ASSERT_EQ(0x12, s.flags);
	ASSERT_EQ(W_MSS | W_WS | W_SACKOK | W_TS, s.has & (W_MSS | W_WS | W_SACKOK | W_TS));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	info = info_of(fd);
	ASSERT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE, info.tcpi_options & ALL);
	ASSERT_EQ(7, (uint32_t)info.tcpi_snd_wscale);
	ASSERT_EQ(s.ws, (uint32_t)info.tcpi_rcv_wscale);
	ASSERT_EQ(1448, info.tcpi_snd_mss);
	in("PA 11+10");
	out("A 1 ack 1 sack 11-21");
}

CASE(window, "RFC 7323 2.3: and so the peer's window is what it means")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("S 0 mss 1460 ws 5 ts", &s));
	in("A 1 ack 1 win 181");	/* 5792: four segments */
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 10000);
	while (w_next(100, &s))
		;
	ASSERT_EQ(5793, w.seen);
}

CASE(initial_window, "RFC 6928 2: no SYN-ACK was lost, as far as is known: ten segments")
{
	struct wseg s;
	int fd, i;

	ASSERT_TRUE(ask("S 0 mss 1460 ts", &s));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 14480);
	for (i = 0; i < 10; i++)
		out("%s %u+1448", i < 9 ? "A" : "PA", 1 + i * 1448);
}

CASE(every_shift, "RFC 7323 2.2, 2.3: each shift there is")
{
	struct wseg s;
	int fd, i;

	for (i = 0; i <= 14; i++) {
		char syn[64];

		w_peer(PEER_PORT + i);
		snprintf(syn, sizeof(syn), "S 0 mss 1460 ws %d ts", i);
		ASSERT_TRUE(ask(syn, &s));
		in("A 1 ack 1");
		fd = w_accept(self->lfd);
		ASSERT_LE(0, fd);
		ASSERT_EQ(i, (uint32_t)info_of(fd).tcpi_snd_wscale);
		ASSERT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE, info_of(fd).tcpi_options & ALL);
		close(fd);
		sleep_s(0.017);		/* at all times of a 64th of a second */
	}
}

CASE(no_scaling, "RFC 7323 2.2: nor is there what the SYN did not have")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("S 0 mss 1460 sackok ts", &s));
	ASSERT_EQ(W_SACKOK | W_TS, s.has & (W_WS | W_SACKOK | W_TS));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK, info_of(fd).tcpi_options & ALL);
}

CASE(no_sack, "RFC 2018 2: no SACK either")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("S 0 mss 1460 ws 0 ts", &s));
	ASSERT_EQ(W_WS | W_TS, s.has & (W_WS | W_SACKOK | W_TS));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE, info_of(fd).tcpi_options & ALL);
	in("PA 11+10");
	out("A 1 ack 1 no-sack");
}

CASE(no_timestamps, "RFC 4987 3.6: without timestamps only the MSS is kept, and only that agreed on")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("SEC 0 mss 1460 ws 7 sackok", &s));
	ASSERT_EQ(0x12, s.flags);
	ASSERT_EQ(W_MSS, s.has & (W_MSS | W_WS | W_SACKOK | W_TS));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, info_of(fd).tcpi_options & ALL);
	ASSERT_EQ(1460, info_of(fd).tcpi_snd_mss);
}

CASE(timestamps_off, "RFC 4987 3.6, tcp_timestamps 0: the same")
{
	struct wseg s;

	ASSERT_TRUE(w_sysctl("tcp_timestamps", "0"));
	ASSERT_TRUE(ask("S 0 mss 1460 ws 7 sackok ts", &s));
	ASSERT_EQ(W_MSS, s.has & (W_MSS | W_WS | W_SACKOK | W_TS));
}

CASE(ecn, "RFC 4987 3.6, RFC 3168 6.1.1: and ECN")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("SEC 0 mss 1460 ts", &s));
	ASSERT_EQ(0x52, s.flags);
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_ECN, info_of(fd).tcpi_options & ALL);
	put(fd, 10);
	out("PA 1+10 ecn 2");
	in("PA 1+10 ack 11 ecn 3");
	out("AE 11 ack 11");
}

CASE(ecn_off, "RFC 3168 6.1.1: not if it has been turned off meanwhile")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("SEC 0 mss 1460 ts", &s));
	ASSERT_EQ(0x52, s.flags);
	ASSERT_TRUE(w_sysctl("tcp_ecn", "0"));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10 ecn 0");
}

CASE(no_offset, "RFC 7323 5.4, tcp_timestamps 2: the same without an offset of the peer's")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_timestamps", "2"));
	ASSERT_TRUE(ask("S 0 mss 1460 ws 9 sackok ts", &s));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(9, (uint32_t)info_of(fd).tcpi_snd_wscale);
	ASSERT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE,
		  info_of(fd).tcpi_options & ALL);
}

CASE(ack_without, "RFC 7323 3.2: a peer that leaves the timestamps out now has no options at all")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("S 0 mss 1460 ws 7 sackok ts", &s));
	in("A 1 ack 1 no-ts");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, info_of(fd).tcpi_options & ALL);
}

CASE(not_ours, "RFC 4987 3.6: an ACK with an option that we do not use is of no SYN-ACK of ours")
{
	struct wseg s;

	ASSERT_TRUE(ask("S 0 mss 1460 ws 7 sackok ts", &s));
	ASSERT_TRUE(w_sysctl("tcp_sack", "0"));
	in("A 1 ack 1");
	out("R 1");
	ASSERT_TRUE(w_sysctl("tcp_sack", "1"));
	ASSERT_TRUE(w_sysctl("tcp_window_scaling", "0"));
	in("A 1 ack 1");
	out("R 1");
	ASSERT_TRUE(w_sysctl("tcp_window_scaling", "1"));
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(timestamps_off_later, "RFC 7323 3.2, tcp_timestamps 0 meanwhile: as if there were none")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("S 0 mss 1460 ws 7 sackok ts", &s));
	ASSERT_TRUE(w_sysctl("tcp_timestamps", "0"));
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, info_of(fd).tcpi_options & ALL);
}

CASE(data_on_syn, "RFC 4987 3.6: data on the SYN is not kept, and comes again")
{
	struct wseg s;
	int fd;

	ASSERT_TRUE(ask("S 0+10 mss 1460", &s));
	ASSERT_EQ(0x12, s.flags);
	ASSERT_EQ(1, s.ack);
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	get(fd, 10);
}

CASE(too_old, "RFC 4987 3.6: the time is part of it: after two of its minutes it opens nothing")
{
	struct wseg s;
	uint32_t isn;

	LONG(180);
	ASSERT_TRUE(ask("S 0 mss 1460", &s));
	sleep_s(50);
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
	w_peer(PEER_PORT + 1);
	ASSERT_TRUE(ask("S 0 mss 1460", &s));
	isn = w.isn;
	sleep_s(130);
	w_peer(PEER_PORT + 2);	/* another, so that cookies are looked at at all */
	ASSERT_TRUE(ask("S 0 mss 1460", &s));
	w_peer(PEER_PORT + 1);
	w.isn = isn;
	w.isn_known = true;
	in("A 1 ack 1");
	out("R 1");
}

CASE(when_full, "RFC 4987 3.7, 4, tcp_syncookies 1: requests are kept while there is room, then cookies")
{
	uint32_t isn = 0;
	int i;

	ASSERT_EQ(0, listen(self->lfd, 2));
	for (i = 0; i < 10; i++) {
		w_peer(PEER_PORT + i);
		in("S 0 mss 1460");
		out("SA 0 ack 1");
		isn = w.isn;
	}
	w_peer(PEER_PORT);
	out_within(1200, "SA 0 ack 1");		/* kept, and so sent again */
	w_peer(PEER_PORT + 9);
	quiet(2500);
	w.isn = isn;
	w.isn_known = true;
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

/* "sockets: used" of sockstat */
static long sockets_used(void)
{
	FILE *f = fopen(w.native ? "/proc/net/sockstat" : "/proc/net/strata/sockstat", "r");
	long used = -1;

	if (!f)
		return -1;
	if (fscanf(f, "sockets: used %ld", &used) != 1)
		used = -1;
	fclose(f);
	return used;
}

CASE(child_in_the_way, "RFC 4987 3.6, RFC 9293 3.3: the ACK of a cookie finds a connection of its 4-tuple on another device")
{
	struct wseg s;
	int fd, i;
	long used;

	ASSERT_TRUE(w_sysctl("tcp_syncookies", "2"));
	ASSERT_EQ(0, run("ip link add d0 type dummy && ip link set d0 up"));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "d0", 2));
	used = sockets_used();
	ASSERT_LT(0, used);
	if (NATIVE("makes a second connection of the 4-tuple, as the first is another device's"))
		return;
	for (i = 0; i < 10; i++) {
		w.isn_known = false;
		in("S %d mss 1460", i * 1000);
		ASSERT_TRUE(w_next(1000, &s));
		ASSERT_EQ(0x12, s.flags);
		in("A %d ack 1", i * 1000 + 1);
		while (w_next(5, &s))
			;
	}
	/* none of them became one */
	ASSERT_EQ(used, sockets_used());
	ASSERT_GT(0, w_accept(self->lfd));
}

TEST_HARNESS_MAIN
