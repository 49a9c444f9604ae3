// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program asks for by socket options and flags, or an administrator by sysctls, as it
 * shows on the wire: TCP_DEFER_ACCEPT, TCP_LINGER2, SYN cookies, windows clamped, and so on.
 */
#include "wire_state.h"

static int sysctl_set(const char *name, const char *value)
{
	return run("sysctl -qw net.%s.%s=\"%s\"", w.native ? "ipv4" : "strata", name, value);
}

CASE(defer_accept, "tcp(7) TCP_DEFER_ACCEPT: accept() waits for data, not for the handshake")
{
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_DEFER_ACCEPT, 5));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_FALSE(w_poll(self->lfd, POLLIN, 50));
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(defer_accept_fin, "tcp(7) TCP_DEFER_ACCEPT: a FIN wakes it, too")
{
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_DEFER_ACCEPT, 5));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_FALSE(w_poll(self->lfd, POLLIN, 50));
	in("FA 1 ack 1");
	out_within(200, "A 1 ack 2");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(linger2_negative, "tcp(7) TCP_LINGER2: below 0: no FIN-WAIT-2 without an owner")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_LINGER2, -1));
	close(fd);
	out("FA 1 ack 1");
	in("A 1 ack 2");
	out("R 2");
	ASSERT_EQ(st_gone, w_proc_state());
}

CASE(linger2_short, "tcp(7) TCP_LINGER2: its seconds instead of tcp_fin_timeout")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_LINGER2, 2));
	close(fd);
	out("FA 1 ack 1");
	in("A 1 ack 2");
	sleep_s(1.5);
	ASSERT_EQ(st_fin_wait_2, w_proc_state());
	sleep_s(1.5);
	ASSERT_EQ(st_gone, w_proc_state());
}

/* an orphan in FIN-WAIT-2, which is no socket any more */
static bool orphan(int lfd, const char *segment, const char *answer, int after)
{
	int fd = w_passive(lfd, "mss 1460");

	if (fd < 0 || close(fd) || !w_take(0x11) || !w_in("A 1 ack 2") || w_proc_state() != st_fin_wait_2)
		return false;
	w_origin(1, 2);
	return w_answers(segment, answer, after);
}

CASE(orphan_rst, "RFC 9293 3.10.7.4 second: an orphan in FIN-WAIT-2 ends by the exact number")
{
	ASSERT_TRUE(orphan(self->lfd, "R 0", NOTHING, st_gone));
}

CASE(orphan_rst_in_window, "RFC 5961 3.2: and by no other")
{
	if (NATIVE("believes any number in the window, against RFC 5961"))
		return;
	ASSERT_TRUE(orphan(self->lfd, "R 100", "A 0 ack 0", st_fin_wait_2));
}

CASE(orphan_rst_future, "RFC 5961 3.2: outside of the window nothing is answered")
{
	if (NATIVE("answers it with an ACK, against RFC 5961"))
		return;
	ASSERT_TRUE(orphan(self->lfd, "R 1000000", NOTHING, st_fin_wait_2));
}

CASE(orphan_syn, "RFC 5961 4.2: a SYN is asked about")
{
	if (NATIVE("ends the connection, against RFC 5961"))
		return;
	ASSERT_TRUE(orphan(self->lfd, "S 100 mss 1460", "A 0 ack 0", st_fin_wait_2));
}

CASE(orphan_fin, "RFC 9293 3.10.7.4 eighth: its FIN begins TIME-WAIT")
{
	ASSERT_TRUE(orphan(self->lfd, "FA 0 ack 0", "A 0 ack 1", st_time_wait));
}

CASE(orphan_old, "RFC 9293 3.10.7.4 first: an old segment is answered")
{
	ASSERT_TRUE(orphan(self->lfd, "A -100 ack 0", "A 0 ack 0", st_fin_wait_2));
}

CASE(rfc1337, "RFC 1337 3: tcp_rfc1337: a RST does not end TIME-WAIT")
{
	ASSERT_EQ(0, sysctl_set("tcp_rfc1337", "1"));
	ASSERT_LE(0, w_reach(self->lfd, st_time_wait));
	in("R 0");
	quiet(50);
	ASSERT_EQ(st_time_wait, w_proc_state());
}

CASE(cookies_always, "RFC 4987 3.6: tcp_syncookies=2: nothing is kept, the ACK brings it back")
{
	int fd;

	ASSERT_EQ(0, sysctl_set("tcp_syncookies", "2"));
	in("S 0 mss 1000");
	out("SA 0 ack 1 mss 1460");
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	get(fd, 10);
	put(fd, 2000);
	ASSERT_TRUE(w_next(100, &(struct wseg){}));
}

CASE(cookies_once, "RFC 4987 3.6: a cookie is never sent again by a timer")
{
	ASSERT_EQ(0, sysctl_set("tcp_syncookies", "2"));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	quiet(4000);
}

CASE(cookies_wrong, "RFC 4987 3.6: an ACK of no cookie is answered with RST")
{
	ASSERT_EQ(0, sysctl_set("tcp_syncookies", "2"));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 2");
	out("R 2");
	in("A 1000 ack 1");	/* of another SYN */
	out("R 1");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(synack_retries, "tcp(7) tcp_synack_retries: so often the SYN-ACK comes again, then it is over")
{
	ASSERT_EQ(0, sysctl_set("tcp_synack_retries", "1"));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	out_at(1000, "SA 0 ack 1");
	quiet(5000);
	in("A 1 ack 1");
	out("R 1");
}

/* half-open from PEER_PORT; then as many connections as listen(2) lets wait fill the queue */
static bool queue_full(int lfd)
{
	uint32_t isn;
	int i;

	if (listen(lfd, 2) || !w_in("S 0 mss 1460") || !w_take(0x12))
		return false;
	isn = w.isn;
	for (i = 1; i <= 3; i++) {
		w_peer(PEER_PORT + i);
		if (!w_in("S 0 mss 1460") || !w_take(0x12) || !w_in("A 1 ack 1") ||
		    w_proc_state() != st_established)
			return false;
	}
	w_peer(PEER_PORT);
	w.isn = isn;
	w.isn_known = true;
	return w_proc_state() == st_syn_received;
}

CASE(abort_on_overflow, "tcp(7) tcp_abort_on_overflow: who finds the queue full is reset")
{
	ASSERT_EQ(0, sysctl_set("tcp_abort_on_overflow", "1"));
	ASSERT_TRUE(queue_full(self->lfd));
	in("A 1 ack 1");
	out("R 1");
	ASSERT_EQ(st_gone, w_proc_state());
	/* those before it are as they were */
	for (int i = 0; i < 3; i++)
		ASSERT_LE(0, w_accept(self->lfd));
	ASSERT_FALSE(w_poll(self->lfd, POLLIN, 0));
}

CASE(silent_overflow, "tcp(7) tcp_abort_on_overflow 0: its ACK is dropped, and may come again")
{
	ASSERT_TRUE(queue_full(self->lfd));
	in("A 1 ack 1");
	quiet(50);
	ASSERT_EQ(st_syn_received, w_proc_state());
	ASSERT_LE(0, w_accept(self->lfd));
	in("A 1 ack 1");
	ASSERT_EQ(st_established, w_proc_state());
	for (int i = 0; i < 3; i++)
		ASSERT_LE(0, w_accept(self->lfd));
	ASSERT_FALSE(w_poll(self->lfd, POLLIN, 0));
}

CASE(rcvbuf_window, "socket(7) SO_RCVBUF: a small buffer, a small window from the first")
{
	struct wseg s;

	ASSERT_EQ(0, w_set(self->lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	in("S 0 mss 1460");
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_GE(8192, s.win);
	ASSERT_LT(0, s.win);
}

CASE(sndbuf_first, "tcp(7) tcp_wmem: a send buffer of two initial windows")
{
	socklen_t len = sizeof(int);
	int fd, size = 0;

	fd = w_passive(self->lfd, "mss 1460 sackok");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len));
	/* an skb each, its head a power of two and its struct sk_buff */
	ASSERT_LE(2 * 10 * (2048 + 192), size);
}

CASE(window_clamp, "tcp(7) TCP_WINDOW_CLAMP: no window above it")
{
	struct wseg s;

	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_WINDOW_CLAMP, 5000));
	in("S 0 mss 1460");
	ASSERT_TRUE(w_next(100, &s));
	ASSERT_GE(5000, s.win);
	ASSERT_LE(1460, s.win);
}

CASE(quickack, "tcp(7) TCP_QUICKACK: the ACK that is owed goes at once")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_QUICKACK, 0));
	in("PA 1+10");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 10);
	quiet(10);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_QUICKACK, 1));
	out("A 1 ack 11");
}

CASE(oob_inline, "socket(7) SO_OOBINLINE, RFC 6093 4: the urgent octet stays in the stream")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_OOBINLINE, 1));
	in("UPA 1+10 urg 5");
	ASSERT_TRUE(w_poll(fd, POLLPRI, 1000));
	ASSERT_EQ(4, w_recv(fd, 100));
	ASSERT_EQ(6, w_recv(fd, 100));
}

CASE(oob_pointer_ahead, "RFC 9293 3.8.5: the pointer may come before its octet")
{
	int fd = w_passive(self->lfd, "mss 1460");
	char c;

	ASSERT_LE(0, fd);
	in("UPA 1+10 urg 15");
	out("A 1 ack 11");
	ASSERT_EQ(-1, recv(fd, &c, 1, MSG_OOB | MSG_DONTWAIT));
	ASSERT_EQ(EAGAIN, errno);
	in("PA 11+10");
	ASSERT_TRUE(w_poll(fd, POLLPRI, 1000));
	ASSERT_EQ(1, recv(fd, &c, 1, MSG_OOB));
	ASSERT_EQ(w_octet(14), (uint8_t)c);
}

CASE(shutdown_rd, "shutdown(2) SHUT_RD: data is taken and acknowledged all the same")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, shutdown(fd, SHUT_RD));
	quiet(50);
	in("PA 1+10");
	out("A 1 ack 11");
}

CASE(disconnect, "RFC 9293 3.10.5: connect() with AF_UNSPEC aborts")
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, connect(fd, &sa, sizeof(sa)));
	out("RA 1 ack 1");
}

CASE(disconnect_ssthresh, "RFC 5681 3.1, connect(2): what one connection learned of its path is over")
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int fd = w_active("mss 1460");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	out_at(200, "PA 1+10");		/* a timeout: ssthresh is known */
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	ASSERT_GT(100, info.tcpi_snd_ssthresh);
	ASSERT_EQ(0, connect(fd, &sa, sizeof(sa)));
	out("RA 11 ack 1");
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(fd));
	out("S 0 mss 1460");
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
	len = sizeof(info);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	ASSERT_EQ(0x7fffffff, info.tcpi_snd_ssthresh);
}

CASE(more_then_full, "send(2) MSG_MORE: full segments do not wait")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ASSERT_EQ(2500, w_put(fd, 2500, MSG_MORE));
	out("A 1+1000");
	out("A 1001+1000");
	quiet(50);
	put(fd, 500);
	out("PA 2001+1000");
}

CASE(nagle_full, "RFC 9293 3.7.4: a full segment goes beside a short one in flight")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	put(fd, 10);
	out("PA 1+10");
	put(fd, 1500);
	out("A 11+1000");
	quiet(20);
	in("A 1 ack 11");
	in("A 1 ack 1011");
	out("PA 1011+500");
}

CASE(keepalive_late, "RFC 9293 3.8.4: whatever comes puts the probe off")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPIDLE, 2));
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	sleep_s(1.5);
	in("PA 1+10");
	out("A 1 ack 11");
	quiet(1500);
	out_within(1000, "A 0 ack 11");
}

CASE(keepalive_rst, "RFC 9293 3.8.4: a peer that has forgotten answers the probe with RST")
{
	int fd = w_passive(self->lfd, "mss 1460");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, w_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	w_mark();
	out_at(1000, "A 0 ack 1");
	in("R 1");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNRESET, w_error(fd));
}

CASE(syn_user_timeout, "RFC 5482, tcp(7) TCP_USER_TIMEOUT: also of an opening")
{
	int fd = w_socket();
	double began = now_s();

	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 2500));
	ASSERT_TRUE(w_connect(fd));
	ASSERT_TRUE(w_poll(fd, POLLERR, 20000));
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	ASSERT_LT(2.45, now_s() - began);
	ASSERT_GT(w.sim ? 2.7 : 2.95, now_s() - began);
}

CASE(zero_window_user_timeout, "RFC 5482, RFC 9293 3.8.6.1: a window that stays closed")
{
	int fd = w_passive(self->lfd, "mss 1460");
	double began;

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	in("PA 11+10 ack 1 win 0");
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_USER_TIMEOUT, 2000));
	put(fd, 100);
	began = now_s();
	ASSERT_TRUE(w_poll(fd, POLLERR, 20000));
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	/* from the first probe, after 0.2 s */
	ASSERT_LT(2.15, now_s() - began);
	ASSERT_GT(w.sim ? 2.4 : 2.9, now_s() - began);
}

/* SOCK_DESTROY of all that is not a listener, as "ss -K" asks for it */
static int destroy_all(void)
{
	return run("%s -K -t state connected >/dev/null", w.native ? "ss" : "strata ss");
}

/* the RST for it; what timers send again while ss(8) starts is no answer where time is real */
static bool reset(struct wseg *s)
{
	while (w_next(w_late(0), s))
		if (w.sim || s->flags & 4)
			return s->flags == 0x14 && !s->len;
	return false;
}

CASE(destroyed, "sock_diag(7) SOCK_DESTROY, RFC 9293 3.10.5: a RST with our next number")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct wseg s;

	ASSERT_LE(0, fd);
	in("PA 1+10 ack 1");
	out("A 1 ack 11");
	put(fd, 100);
	out("PA 1+100 ack 11");
	ASSERT_EQ(0, destroy_all());
	ASSERT_TRUE(reset(&s));
	ASSERT_EQ(101, s.seq);
	ASSERT_EQ(11, s.ack);
	ASSERT_EQ(ECONNABORTED, w_error(fd));
	ASSERT_EQ(st_gone, w_proc_state());
	in("A 11 ack 101");
	out("R 101");
}

CASE(destroyed_opening, "sock_diag(7) SOCK_DESTROY, RFC 9293 3.10.5: SYN-SENT ends without a RST")
{
	int fd = w_socket();
	struct wseg s;

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_EQ(0, destroy_all());
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(ECONNABORTED, w_error(fd));
	/* sent again meanwhile */
	while (!w.sim && w_next(0, &s))
		ASSERT_EQ(2, s.flags);
	quiet(2000);
}

CASE(destroyed_closing, "sock_diag(7) SOCK_DESTROY, RFC 9293 3.10.5: an orphan, too")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct wseg s;

	ASSERT_LE(0, fd);
	close(fd);
	out("FA 1 ack 1");
	ASSERT_EQ(0, destroy_all());
	ASSERT_TRUE(reset(&s));
	ASSERT_EQ(2, s.seq);
	ASSERT_EQ(1, s.ack);
	ASSERT_EQ(st_gone, w_proc_state());
	quiet(2000);
}

TEST_HARNESS_MAIN
