// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closing on the wire: FIN from either side, from both at once, half of a connection, close()
 * with SO_LINGER and with unread data, orphans, TIME-WAIT, and RST.
 */
#include "wire.h"

CASE(active, "RFC 9293 3.6 case 1, 3.10.7.4 eighth: FIN-WAIT-1, -2, TIME-WAIT")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("A 1 ack 2");
	in("FA 1 ack 2");
	out("A 2 ack 2");
	in("FA 1 ack 2");	/* our ACK was lost */
	out("A 2 ack 2");
}

CASE(passive, "RFC 9293 3.6 case 2: CLOSE-WAIT, LAST-ACK, CLOSED")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("FA 1 ack 1");
	out("A 1 ack 2");
	get(fd, 0);
	ASSERT_EQ(TCP_CLOSE_WAIT, w_state(fd));
	close(fd);
	out("FA 1 ack 2");
	in("A 2 ack 2");
	quiet(50);
	in("A 2 ack 2");	/* nobody is there any more */
	out("R 2");
}

CASE(passive_at_once, "RFC 9293 3.6 case 2, RFC 1122 4.2.3.2: our FIN carries the ACK of theirs")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("FA 1 ack 1");
	close(fd);
	out("FA 1 ack 2");
	in("A 2 ack 2");
	quiet(300);
}

CASE(simultaneous, "RFC 9293 3.6 figure 13: CLOSING")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("FA 1 ack 1");
	out("A 2 ack 2");
	in("A 2 ack 2");
	quiet(50);
	in("FA 1 ack 2");	/* TIME-WAIT answers */
	out("A 2 ack 2");
}

CASE(fin_acked_with_fin, "RFC 9293 3.10.7.4: FIN-WAIT-1 to TIME-WAIT by one segment")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("FA 1 ack 2");
	out("A 2 ack 2");
}

CASE(half_close, "RFC 9293 3.6, RFC 1122 4.2.2.13: data comes after our FIN")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	out("FA 1 ack 1");
	in("A 1 ack 2");
	in("PA 1+1000 ack 2");
	out("A 2 ack 1001");
	get(fd, 1000);
	ASSERT_EQ(-EPIPE, w_put(fd, 1, 0));
	in("FA 1001 ack 2");
	out("A 2 ack 1002");
	get(fd, 0);
}

CASE(half_close_peer, "RFC 9293 3.6: and goes after the peer's")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("FA 1 ack 1");
	out("A 1 ack 2");
	put(fd, 1000);
	out("PA 1+1000 ack 2");
	in("A 2 ack 1001");
	close(fd);
	out("FA 1001 ack 2");
}

CASE(data_then_fin, "RFC 9293 3.10.4: CLOSE sends what is queued, FIN behind it")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	put(fd, 2500);
	close(fd);
	out("A 1+1000");
	out("A 1001+1000");
	out("PA 2001+500");
	out("FA 2501");
	in("A 1 ack 2502");
	quiet(50);
}

CASE(fin_out_of_order, "RFC 9293 3.10.7.4 eighth: a FIN waits for what is before it")
{
	int fd = w_passive(self->lfd, "mss 1460 sackok");

	ASSERT_LE(0, fd);
	in("FA 101+100 ack 1");
	out("A 1 ack 1 sack 101-202");
	ASSERT_EQ(-EAGAIN, w_recv(fd, 10));
	in("A 1+100 ack 1");
	out("A 1 ack 202");
	get(fd, 200);
	get(fd, 0);
}

CASE(linger_0, "RFC 9293 3.10.5: SO_LINGER with 0 is ABORT")
{
	struct linger l = { 1, 0 };
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
	out("RA 1 ack 1");
	in("A 1 ack 1");
	out("R 1");
}

CASE(linger_2s, "RFC 9293 3.10.4, socket(7): close() waits for the FIN's ACK, then gives up")
{
	struct linger l = { 1, 2 };
	int fd = w_passive(self->lfd, "mss 1460");
	double took;

	ASSERT_LE(0, fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	took = now_s();
	ASSERT_EQ(0, close(fd));
	took = now_s() - took;
	ASSERT_LT(1.9, took);
	ASSERT_GT(2.9, took);
	out("FA 1 ack 1");	/* and again, while it waited; an orphan now */
	while (w_next(1, &(struct wseg){}))
		;
	in("A 1 ack 2");
	in("FA 1 ack 2");
	out("A 2 ack 2");
}

CASE(unread, "RFC 1122 4.2.2.13, RFC 2525 2.17: unread data: RST instead of FIN")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("PA 1+100 ack 1");
	out("A 1 ack 101");
	close(fd);
	out("RA 1 ack 101");
}

CASE(data_after_close, "RFC 1122 4.2.2.13: data nobody will read is answered with RST")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("PA 1+100 ack 2");
	out("R 2");
}

CASE(data_in_fin_wait_2, "RFC 1122 4.2.2.13: also when the FIN is acknowledged already")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("A 1 ack 2");
	in("PA 1+100 ack 2");
	out("R 2");
}

CASE(orphan_again, "RFC 9293 3.10.4, RFC 6298 5: an orphan's FIN is sent again")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	out_at(205, "FA 1 ack 1");
	out_at(410, "FA 1 ack 1");
	in("A 1 ack 2");
	quiet(2000);
}

CASE(orphan_gives_up, "RFC 9293 3.8.3: tcp_orphan_retries, then nobody is there")
{
	int fd = w_passive(self->lfd, "mss 1460"), n = 0;
	struct wseg s;

	LONG(200);
	ASSERT_LE(0, fd);
	close(fd);
	while (w_next(300000, &s) && (s.flags & 1) && n < 50)
		n++;
	ASSERT_LE(7, n);
	ASSERT_GE(10, n);
	in("A 1 ack 2");
	out("R 2");
}

CASE(fin_wait_2_ends, "tcp(7) tcp_fin_timeout: FIN-WAIT-2 without an owner ends after 60 s")
{
	int fd = w_passive(self->lfd, "mss 1460");

	LONG(61);
	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("A 1 ack 2");
	quiet(59000);
	in("A 1 ack 2");	/* still there, or it would be RST */
	quiet(2000);
	in("FA 1 ack 2");
	out("R 2");
}

CASE(time_wait_length, "RFC 9293 3.6.1: 2 MSL, 60 s as native")
{
	int fd = w_passive(self->lfd, "mss 1460");

	LONG(62);
	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("FA 1 ack 2");
	out("A 2 ack 2");
	quiet(59000);
	in("FA 1 ack 2");	/* restarts it (3.10.7.4 eighth) */
	out("A 2 ack 2");
	quiet(59000);
	in("FA 1 ack 2");
	out("A 2 ack 2");
	quiet(69000);
	in("FA 1 ack 2");
	out("R 2");
}

CASE(time_wait_reuse, "RFC 9293 3.6.1 (MAY-2), RFC 6191: a SYN beyond the old numbers opens")
{
	int fd = w_passive(self->lfd, "mss 1460");
	uint32_t old;

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("FA 1 ack 2");
	out("A 2 ack 2");
	old = w.isn;
	w_peer(PEER_PORT);
	in("S 5000 mss 1460");
	out("SA 0 ack 5001");
	ASSERT_LT(0, (int32_t)(w.isn - old));
	in("A 5001 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(time_wait_reuse_cookies, "RFC 9293 3.6.1 (MAY-2), RFC 6191: also where every other SYN gets a cookie: the numbers go on")
{
	int fd = w_passive(self->lfd, "mss 1460");
	uint32_t old;

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("FA 1 ack 2");
	out("A 2 ack 2");
	ASSERT_TRUE(w_sysctl("tcp_syncookies", "2"));
	old = w.isn;
	w_peer(PEER_PORT);
	in("S 5000 mss 1460");
	out("SA 0 ack 5001");
	/* 65535 + 2 beyond what was sent: no cookie would be */
	if (!NATIVE_BEFORE(610, "forgets the numbers on the way to the listener: a cookie"))
		ASSERT_EQ(2 + 65537, w.isn - old);
}

/* connect from port 6000; the socket, -1: not now */
static int connect_6000(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(6000) };
	int fd = w_socket();

	w_peer(PEER_PORT);
	w_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || !w_connect(fd)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* a connection from port 6000, with timestamps or not, becomes a TIME-WAIT */
static bool time_wait_6000(bool ts)
{
	int fd;

	/* what came in the first second after a boot has no age (of seconds, 0: none) */
	sleep_s(1);
	fd = connect_6000();
	if (fd < 0 || !w_out(-1, "S 0 ts"))
		return false;
	w.ts = ts;
	if (!w_in("SA 0 ack 1 mss 1460") || !w_out(-1, ts ? "A 1 ack 1 ts" : "A 1 ack 1 no-ts"))
		return false;
	close(fd);
	return w_out(-1, "FA 1 ack 1") && w_in("FA 1 ack 2") && w_out(-1, "A 2 ack 2");
}

CASE(time_wait_connect,
     "RFC 6191 2, 3, RFC 1122 4.2.2.13: connect() from its port opens anew: its timestamps tell")
{
	uint32_t old;

	/* that is about ports that are chosen */
	ASSERT_TRUE(w_sysctl("tcp_tw_reuse", "0"));
	ASSERT_TRUE(time_wait_6000(true));
	old = w.isn;
	ASSERT_LE(0, connect_6000());
	out("S 0 ts");
	ASSERT_EQ(2 + 65535 + 2, w.isn - old);
}

CASE(time_wait_connect_no_ts, "RFC 9293 3.6.1: but not without timestamps, for 2 MSL")
{
	LONG(60);
	ASSERT_TRUE(w_sysctl("tcp_tw_reuse", "1"));
	ASSERT_TRUE(time_wait_6000(false));
	sleep_s(2.5);
	ASSERT_EQ(-1, connect_6000());
	ASSERT_EQ(EADDRNOTAVAIL, errno);
	sleep_s(60);
	ASSERT_LE(0, connect_6000());
	out("S 0 ts");
}

CASE(time_wait_old_syn, "RFC 9293 3.10.7.4 fourth, RFC 5961 4: an old one gets an ACK")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("FA 1+100 ack 2");
	out("R 2");		/* data for nobody: over */
	w_peer(PEER_PORT + 1);
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	in("FA 1 ack 2");
	out("A 2 ack 2");
	in("S 0 mss 1460");
	out("A 2 ack 2");
}

CASE(reset_established, "RFC 9293 3.10.7.4 second: ECONNRESET")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("R 1");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(-ECONNRESET, w_recv(fd, 1));
	ASSERT_EQ(0, w_recv(fd, 1));
}

CASE(reset_close_wait, "RFC 9293 3.10.7.4 second: EPIPE after the peer's FIN, as native")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("FA 1 ack 1");
	out("A 1 ack 2");
	in("R 2");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(EPIPE, w_error(fd));
}

CASE(reset_last_ack, "RFC 9293 3.10.7.4 second: LAST-ACK just ends")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	in("FA 1 ack 1");
	out("A 1 ack 2");
	close(fd);
	out("FA 1 ack 2");
	in("R 2");
	quiet(1000);
}

CASE(listener_closed, "RFC 9293 3.10.4: closing a listener resets who waits for accept()")
{
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_TRUE(w_poll(self->lfd, POLLIN, 100));
	close(self->lfd);
	out("RA 1 ack 1");
}

TEST_HARNESS_MAIN
