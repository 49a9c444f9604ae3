// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP Fast Open, the server (RFC 7413 4.1.2, 4.2.2, 5.1): cookies, data on the SYN, the answer
 * before the third segment, and what an attacker may use up.
 */
#include "wire_fastopen.h"

/* the peer's SYN with @n octets and a cookie by @key */
#define fast_syn(n, key)	in("S 0+%d mss 1460 opt 220a%s", n, f_cookie_of(key))
#define server(qlen)		ASSERT_TRUE(f_server(self->lfd, F_KEY, qlen))
#define accepted(fd)		do { fd = w_accept(self->lfd); ASSERT_LE(0, fd); } while (0)
#define nobody()		ASSERT_FALSE(w_poll(self->lfd, POLLIN, 50))

CASE(off, "RFC 7413 4.2.2: without Fast Open the option is ignored, and the data not acknowledged")
{
	in("S 0 mss 1460 " FO_ASK);
	out("SA 0 ack 1");
	no_option();
	COUNTED("CookieReqd", 1);
	w_peer(PEER_PORT + 1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 1");
	no_option();
	nobody();
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(off_sysctl, "RFC 7413 4.2.2: tcp_fastopen decides, whatever the listener wants")
{
	server(5);
	ASSERT_TRUE(w_sysctl("tcp_fastopen", "1"));
	in("S 0 mss 1460 " FO_ASK);
	out("SA 0 ack 1");
	no_option();
}

CASE(cookie_asked, "RFC 7413 4.1.2, 3: who asks gets a cookie of 8 octets, the same every time")
{
	char hex[17];
	int i;

	server(5);
	ASSERT_TRUE(w_sysctl("tcp_fastopen_key", F_KEY2));
	in("S 0 mss 1460 " FO_ASK);
	out("SA 0 ack 1 mss 1460");
	ASSERT_EQ(8, w.fo_len);
	ASSERT_FALSE(w.fo_exp);
	for (i = 0; i < 8; i++)
		sprintf(hex + 2 * i, "%02x", w.fo[i]);
	w_peer(PEER_PORT + 1);
	in("S 0 mss 1460 " FO_ASK);
	out("SA 0 ack 1");
	cookie(hex);
	w_peer(PEER_PORT + 2);
	ASSERT_TRUE(w_sysctl("tcp_fastopen_key", F_KEY));
	in("S 0 mss 1460 " FO_ASK);
	out("SA 0 ack 1");
	ASSERT_EQ(8, w.fo_len);
	ASSERT_FALSE(f_got(hex));
	COUNTED("CookieReqd", 3);
	COUNTED("Passive", 0);
}

CASE(cookie_octets, "RFC 7413 4.1.2: SipHash of both addresses, as every server with the same key")
{
	server(5);
	in("S 0 mss 1460 " FO_ASK);
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY));
}

CASE(cookie_asked_twice, "RFC 7413 4.1.2: a SYN-ACK sent again has no cookie")
{
	server(5);
	in("S 0 mss 1460 " FO_ASK);
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY));
	out_at(1000, "SA 0 ack 1");
	no_option();
}

CASE(cookie_asked_with_data, "RFC 7413 4.2.2: data beside a request is not taken, a cookie is given")
{
	server(5);
	in("S 0+10 mss 1460 " FO_ASK);
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY));
	nobody();
	in("A 1+10 ack 1");
	out("A 1 ack 11");
	ASSERT_LE(0, w_accept(self->lfd));
}

CASE(options_beside_cookie, "RFC 7413 4.1.1: the cookie stands beside all other options")
{
	server(5);
	w.ts = true;
	in("S 0 mss 1460 sackok ws 7 " FO_ASK);
	out("SA 0 ack 1 mss 1460 sackok ws 255 ts");
	cookie(f_cookie_of(F_KEY));
}

CASE(data_taken, "RFC 7413 4.2.2, 3.1: a good cookie: data is acknowledged, and there before the third segment")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	no_option();
	accepted(fd);
	ASSERT_EQ(TCP_SYN_RECV, w_state(fd));
	ASSERT_EQ(st_syn_received, w_proc_state());
	ASSERT_TRUE(w_poll(fd, POLLIN, 0));
	ASSERT_TRUE(w_poll(fd, POLLOUT, 0));
	get(fd, 10);
	ASSERT_TRUE(SYN_DATA(fd));
	COUNTED("Passive", 1);
	in("A 11 ack 1");
	quiet(50);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
	in("PA 11+20");
	out("A 1 ack 31");
	get(fd, 20);
	put(fd, 5);
	out("PA 1+5 ack 31");
}

CASE(data_with_options, "RFC 7413 4.2.2: with timestamps, scaling and SACK as without")
{
	int fd;

	server(5);
	w.ts = true;
	in("S 0+700 mss 1460 sackok ws 7 opt 220a%s", f_cookie_of(F_KEY));
	out("SA 0 ack 701 mss 1460 sackok ws 255 ts echo");
	accepted(fd);
	get(fd, 700);
	put(fd, 100);
	out("PA 1+100 ack 701 ts");
	/* now the window is scaled */
	in("A 701 ack 101 win 1000");
	put(fd, 2000);
	out("A 101+1448 ack 701");
	out("PA 1549+552 ack 701");
}

CASE(data_full, "RFC 7413 4.2.2: a SYN with all that fits a packet")
{
	int fd;

	server(5);
	fast_syn(1420, F_KEY);
	out("SA 0 ack 1421");
	accepted(fd);
	get(fd, 1420);
	in("A 1421 ack 1");
	quiet(50);
}

CASE(cookie_without_data, "RFC 7413 4.2.2: a good cookie alone: the server may speak first")
{
	int fd;

	server(5);
	fast_syn(0, F_KEY);
	out("SA 0 ack 1");
	accepted(fd);
	put(fd, 30);
	out("PA 1+30 ack 1");
	ASSERT_FALSE(SYN_DATA(fd));
	in("A 1 ack 31");
	quiet(50);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(answer, "RFC 7413 3.1, 4.2.2: the answer leaves before the third segment, as far as SYN's window lets it")
{
	int fd;

	server(5);
	in("S 0+10 mss 1000 win 2000 opt 220a%s", f_cookie_of(F_KEY));
	out("SA 0 ack 11");
	accepted(fd);
	get(fd, 10);
	put(fd, 4000);
	out("A 1+1000 ack 11");
	out("A 1001+1000 ack 11");
	quiet(300);
	in("A 11 ack 2001 win 65535");
	out("A 2001+1000 ack 11");
	out("PA 3001+1000 ack 11");
}

CASE(answer_and_close, "RFC 7413 3.1: an answer and FIN before the third segment")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	get(fd, 10);
	put(fd, 100);
	out("PA 1+100 ack 11");
	close(fd);
	out("FA 101 ack 11");
	ASSERT_EQ(st_fin_wait_1, w_proc_state());
	in("A 11 ack 1");
	quiet(50);
	ASSERT_EQ(st_fin_wait_1, w_proc_state());
	in("A 11 ack 102");
	quiet(50);
	in("FA 11 ack 102");
	out("A 102 ack 12");
}

CASE(unread_close, "RFC 7413 4.2.2: closed with the SYN's data unread: RST (RFC 2525 2.17)")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	close(fd);
	out("RA 1 ack 11");
	ASSERT_EQ(st_gone, w_proc_state());
}

CASE(bad_cookie, "RFC 7413 4.2.2: a wrong cookie: data not acknowledged, and a good one comes")
{
	int fd;

	server(5);
	in("S 0+10 mss 1460 " FO_BAD);
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY));
	nobody();
	COUNTED("PassiveFail", 1);
	COUNTED("Passive", 0);
	in("A 1+10 ack 1");
	out("A 1 ack 11");
	accepted(fd);
	get(fd, 10);
	ASSERT_FALSE(SYN_DATA(fd));
}

CASE(cookie_length, "RFC 7413 4.1.1, 4.2.2: a cookie of another length is a wrong one")
{
	server(5);
	in("S 0+10 mss 1460 opt 22120102030405060708090a0b0c0d0e0f10");
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY));
	w_peer(PEER_PORT + 1);
	in("S 0+10 mss 1460 opt 220601020304");
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY));
	COUNTED("PassiveFail", 2);
}

CASE(cookie_malformed, "RFC 7413 4.1.1: an option of an odd or impossible length is none")
{
	server(5);
	in("S 0+10 mss 1460 opt 22090102030405060700");
	out("SA 0 ack 1");
	no_option();
	w_peer(PEER_PORT + 1);
	in("S 0+10 mss 1460 opt 22040102");
	out("SA 0 ack 1");
	no_option();
	COUNTED("PassiveFail", 0);
}

CASE(data_without_option, "RFC 7413 4.2.2: data on a SYN without a cookie is not taken")
{
	int fd;

	server(5);
	in("S 0+10 mss 1460");
	out("SA 0 ack 1");
	no_option();
	nobody();
	in("A 1+10 ack 1");
	out("A 1 ack 11");
	accepted(fd);
	get(fd, 10);
}

CASE(experimental, "RFC 7413 4.1.1, 7: a request in option 254 is answered in option 254")
{
	int fd;

	server(5);
	in("S 0 mss 1460 " FO_ASK_EXP);
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY));
	ASSERT_TRUE(w.fo_exp);
	w_peer(PEER_PORT + 1);
	in("S 0+10 mss 1460 opt fe0cf989%s", f_cookie_of(F_KEY));
	out("SA 0 ack 11");
	accepted(fd);
	get(fd, 10);
}

CASE(experiment_of_others, "RFC 6994 3: another experiment is not Fast Open")
{
	server(5);
	in("S 0+10 mss 1460 opt fe0cf988%s", f_cookie_of(F_KEY));
	out("SA 0 ack 1");
	no_option();
	nobody();
}

CASE(backup_key, "RFC 7413 4.1.2: the old key's cookie is taken still, and the new one's comes")
{
	int fd;

	server(5);
	ASSERT_TRUE(w_sysctl("tcp_fastopen_key", F_KEY2 "," F_KEY));
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	cookie(f_cookie_of(F_KEY2));
	accepted(fd);
	get(fd, 10);
	COUNTED("Passive", 1);
	COUNTED("PassiveAltKey", 1);
	w_peer(PEER_PORT + 1);
	fast_syn(10, F_KEY2);
	out("SA 0 ack 11");
	no_option();
	COUNTED("PassiveAltKey", 1);
}

CASE(old_key, "RFC 7413 4.1.2: a key that is gone proves nothing")
{
	server(5);
	ASSERT_TRUE(w_sysctl("tcp_fastopen_key", F_KEY2));
	fast_syn(10, F_KEY);
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY2));
}

CASE(listener_key, "RFC 7413 4.1.2, TCP_FASTOPEN_KEY: a listener's own key comes before the namespace's")
{
	uint32_t key[4] = { htole32(0xa), htole32(0xb), htole32(0xc), htole32(0xd) };
	int fd;

	server(5);
	ASSERT_EQ(0, setsockopt(self->lfd, SOL_TCP, TCP_FASTOPEN_KEY, key, sizeof(key)));
	fast_syn(10, F_KEY);
	out("SA 0 ack 1");
	cookie(f_cookie_of(F_KEY2));
	w_peer(PEER_PORT + 1);
	fast_syn(10, F_KEY2);
	out("SA 0 ack 11");
	accepted(fd);
	get(fd, 10);
}

CASE(limit, "RFC 7413 5.1, 4.2.2: so many pending, the next go the long way, and get no cookie")
{
	int fd;

	server(2);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	w_peer(PEER_PORT + 1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	w_peer(PEER_PORT + 2);
	fast_syn(10, F_KEY);
	out("SA 0 ack 1");
	no_option();
	w_peer(PEER_PORT + 3);
	in("S 0 mss 1460 " FO_ASK);
	out("SA 0 ack 1");
	no_option();
	COUNTED("ListenOverflow", 2);
	COUNTED("Passive", 2);
	accepted(fd);
	get(fd, 10);
}

CASE(limit_ends, "RFC 7413 5.1: the third segment makes room for the next")
{
	int fd;

	server(1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	in("A 11 ack 1");
	quiet(20);
	w_peer(PEER_PORT + 1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	COUNTED("ListenOverflow", 0);
	accepted(fd);
}

CASE(limit_zero, "RFC 7413 5.1: TCP_FASTOPEN 0 ends it")
{
	server(5);
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_FASTOPEN, 0));
	fast_syn(10, F_KEY);
	out("SA 0 ack 1");
	no_option();
	COUNTED("ListenOverflow", 0);
}

CASE(reset_keeps_place, "RFC 7413 5.1: a child that its peer resets takes its place for a minute")
{
	int fd;

	LONG(61);
	server(1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	in("R 11");
	quiet(20);
	ASSERT_EQ(ECONNRESET, w_error(fd));
	w_peer(PEER_PORT + 1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 1");
	COUNTED("ListenOverflow", 1);
	in("R 1");
	sleep_s(61);
	w_peer(PEER_PORT + 2);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	COUNTED("ListenOverflow", 1);
}

CASE(reset_before_accept, "RFC 7413 4.2.2: reset before somebody accepts: accept() gives it all the same")
{
	int fd;

	server(1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	in("R 11");
	quiet(20);
	accepted(fd);
	ASSERT_EQ(TCP_CLOSE, w_state(fd));
	get(fd, 10);
	ASSERT_EQ(-ECONNRESET, w_recv(fd, 10));
	ASSERT_EQ(0, close(fd));
}

CASE(reset_in_window, "RFC 7413 4.2.2, RFC 5961 3.2: a RST that is not exact ends nothing")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	in("R 100");
	out("A 1 ack 11");
	in("A 11 ack 1");
	accepted(fd);
	get(fd, 10);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(syn_again, "RFC 7413 4.2.2: the client's SYN again, bare: the SYN-ACK again")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	get(fd, 10);
	sleep_s(0.6);
	in("S 0 mss 1460");
	out("SA 0 ack 11");
	no_option();
	in("A 11 ack 1");
	quiet(50);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(synack_again, "RFC 7413 4.2.2, RFC 6298 5: the SYN-ACK goes again, data of ours waits for its ACK")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	put(fd, 100);
	out("PA 1+100 ack 11");
	out_within(1200, "SA 0 ack 11");
	out_at(2000, "SA 0 ack 11");
	in("A 11 ack 1");
	/* and now it is the data's turn */
	out_within(4000, "PA 1+100 ack 11");
	in("A 11 ack 101");
	quiet(50);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(gives_up, "RFC 7413 4.2.2: nobody answers the SYN-ACK: one try more than tcp_synack_retries")
{
	int fd, i;

	LONG(30);
	server(5);
	ASSERT_TRUE(w_sysctl("tcp_synack_retries", "2"));
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	for (i = 0; i < 3; i++)
		out_at(1000 << i, "SA 0 ack 11");
	quiet(7500);
	sleep_s(2);
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	ASSERT_EQ(TCP_CLOSE, w_state(fd));
}

CASE(wrong_ack, "RFC 7413 4.2.2, RFC 9293 3.10.7.4: an ACK of what was not sent: RST, and it stays")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	in("A 11 ack 5");
	out("R 5");
	in("A 11 ack 1");
	quiet(50);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(third_with_data, "RFC 7413 4.2.2: the third segment may carry data")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	in("PA 11+10 ack 1");
	out("A 1 ack 21");
	get(fd, 20);
}

CASE(third_with_fin, "RFC 7413 4.2.2: and FIN")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	in("FA 11 ack 1");
	out("A 1 ack 12");
	get(fd, 10);
	ASSERT_EQ(0, w_recv(fd, 10));
	ASSERT_EQ(TCP_CLOSE_WAIT, w_state(fd));
}

CASE(syn_fin, "RFC 7413 4.2.2, RFC 9293 3.10.7.2: FIN on the SYN is dropped as ever")
{
	server(5);
	in("SF 0+10 mss 1460 opt 220a%s", f_cookie_of(F_KEY));
	quiet(50);
}

CASE(listener_closes, "RFC 7413 4.2.2, RFC 9293 3.10.4: a listener's end is that of children nobody accepted")
{
	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	w_peer(PEER_PORT + 1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	close(self->lfd);
	/* of which of the two is another conversation's business */
	out("RA 1 ack 11");
	ASSERT_EQ(st_gone, w_proc_state());
}

CASE(listener_closes_after_accept, "RFC 7413 4.2.2: one that was accepted lives on without its listener")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	close(self->lfd);
	quiet(20);
	get(fd, 10);
	put(fd, 10);
	out("PA 1+10 ack 11");
	in("A 11 ack 11");
	quiet(50);
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

CASE(reset_after_listener, "RFC 7413 5.1: reset when the listener is gone: there is no place to keep")
{
	int fd;

	server(1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	close(self->lfd);
	in("R 11");
	quiet(20);
	ASSERT_EQ(ECONNRESET, w_error(fd));
	ASSERT_EQ(0, close(fd));
}

CASE(unreachable, "RFC 7413 4.2.2, RFC 5461: an ICMP error ends one nobody accepted, and no other")
{
	int fd;

	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	accepted(fd);
	ASSERT_TRUE(w_icmp(3, 1, 0, 0));
	quiet(20);
	ASSERT_EQ(TCP_SYN_RECV, w_state(fd));
	w_peer(PEER_PORT + 1);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	ASSERT_TRUE(w_icmp(3, 1, 0, 0));
	quiet(20);
	ASSERT_EQ(st_gone, w_proc_state());
}

CASE(no_cookie_sysctl, "RFC 7413 4.2.2: tcp_fastopen 0x200: data is taken without a cookie")
{
	int fd;

	server(5);
	ASSERT_TRUE(w_sysctl("tcp_fastopen", "515"));	/* 0x203 */
	in("S 0+10 mss 1460");
	out("SA 0 ack 11");
	no_option();
	accepted(fd);
	get(fd, 10);
	w_peer(PEER_PORT + 1);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	nobody();
}

CASE(no_cookie_listener, "RFC 7413 4.2.2: TCP_FASTOPEN_NO_COOKIE likewise")
{
	int fd;

	server(5);
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
	in("S 0+10 mss 1460 " FO_BAD);
	out("SA 0 ack 11");
	no_option();
	accepted(fd);
	get(fd, 10);
	COUNTED("PassiveFail", 0);
}

CASE(all_listeners, "RFC 7413 4.2.2: tcp_fastopen 0x400: a listener need not ask")
{
	socklen_t len = sizeof(int);
	int lfd, fd, qlen;

	close(self->lfd);
	ASSERT_TRUE(w_sysctl("tcp_fastopen", "1027"));	/* 0x403 */
	ASSERT_TRUE(w_sysctl("tcp_fastopen_key", F_KEY));
	lfd = w_listen(7);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, getsockopt(lfd, SOL_TCP, TCP_FASTOPEN, &qlen, &len));
	ASSERT_EQ(7, qlen);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	fd = w_accept(lfd);
	ASSERT_LE(0, fd);
	get(fd, 10);
}

CASE(queue_full, "RFC 7413 4.2.2: a full accept queue has no room for these children either")
{
	int i;

	ASSERT_EQ(0, listen(self->lfd, 0));
	server(5);
	fast_syn(10, F_KEY);
	out("SA 0 ack 11");
	for (i = 1; i < 3; i++) {
		w_peer(PEER_PORT + i);
		fast_syn(10, F_KEY);
		quiet(50);
	}
	COUNTED("Passive", 1);
}

CASE(ecn, "RFC 7413 4.2.2, RFC 3168 6.1.1: the SYN-ACK agrees to ECN as ever")
{
	int fd;

	server(5);
	ASSERT_TRUE(w_sysctl("tcp_ecn", "1"));
	in("SEC 0+10 mss 1460 opt 220a%s", f_cookie_of(F_KEY));
	out("SAE 0 ack 11");
	accepted(fd);
	get(fd, 10);
	in("A 11 ack 1");
	put(fd, 10);
	out("PA 1+10 ack 11 ecn 2");
}

TEST_HARNESS_MAIN
