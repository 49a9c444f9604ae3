// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP Fast Open, the client (RFC 7413 4.1.3, 4.2.1): asking for a cookie, data on the SYN, and
 * what becomes of it when the SYN-ACK does not acknowledge it.
 */
#include <fcntl.h>
#include <pthread.h>
#include "wire_fastopen.h"

CASE(ask, "RFC 7413 4.1.3, 3: without a cookie the SYN asks for one and carries no data")
{
	int fd = w_socket();

	sends(fd, 10, -EINPROGRESS);
	out("S 0 mss 1460");
	ASSERT_EQ(0, w.fo_len);
	ASSERT_FALSE(w.fo_exp);
	in("SA 0 ack 1 " GIVES);
	out("A 1 ack 1");
	ASSERT_EQ(TFO_COOKIE_UNAVAILABLE, f_why(fd));
	ASSERT_FALSE(SYN_DATA(fd));
	put(fd, 10);
	out("PA 1+10 ack 1");
}

CASE(ask_refused, "RFC 7413 4.1.3: a SYN that asks and is reset: as any other")
{
	int fd = w_socket();

	sends(fd, 10, -EINPROGRESS);
	out("S 0");
	in("RA 0 ack 1");
	quiet(20);
	ASSERT_EQ(ECONNREFUSED, w_error(fd));
}

CASE(ask_again_bare, "RFC 7413 4.1.3.1: a SYN sent again does not ask")
{
	int fd = w_socket();

	sends(fd, 10, -EINPROGRESS);
	out("S 0");
	ASSERT_EQ(0, w.fo_len);
	out_at(1000, "S 0 mss 1460");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
}

CASE(data_on_syn, "RFC 7413 4.2.1, 3.1: with a cookie the SYN carries data; acknowledged, it is done with")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10 mss 1460");
	ASSERT_TRUE(f_got(C8));
	in("SA 0 ack 11 mss 1460");
	out("A 11 ack 1");
	ASSERT_TRUE(SYN_DATA(fd));
	ASSERT_EQ(0, f_why(fd));
	ASSERT_EQ(1, f_count("TCPFastOpenActive"));
	ASSERT_EQ(0, f_count("TCPFastOpenActiveFail"));
	quiet(300);
	put(fd, 10);
	out("PA 11+10 ack 1");
}

CASE(data_with_options, "RFC 7413 4.1.1: the cookie stands beside timestamps, scaling and SACK")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 100, 100);
	out("S 0+100 mss 1460 ts sackok ws 255");
	ASSERT_TRUE(f_got(C8));
	w.ts = true;
	in("SA 0 ack 101 mss 1460 sackok ws 7");
	out("A 101 ack 1 ts echo");
}

CASE(answer_with_synack, "RFC 7413 4.2.1, 3.1: the server's data may come right behind its SYN-ACK, and before our ACK")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("SA 0 ack 11 mss 1460");
	in("PA 1+100 ack 11");
	out("A 11 ack 1");
	out("A 11 ack 101");
	get(fd, 100);
}

CASE(not_acked, "RFC 7413 4.2.1: the SYN-ACK acknowledges the SYN alone: the data goes again at once")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("SA 0 ack 1 mss 1460");
	out("PA 1+10 ack 1");
	ASSERT_FALSE(SYN_DATA(fd));
	ASSERT_EQ(TFO_DATA_NOT_ACKED, f_why(fd));
	ASSERT_EQ(1, f_count("TCPFastOpenActiveFail"));
	ASSERT_EQ(0, f_count("TCPFastOpenActive"));
	ASSERT_EQ(1, f_info(fd).tcpi_total_retrans);
	in("A 1 ack 11");
	quiet(300);
	put(fd, 10);
	out("PA 11+10 ack 1");
	ASSERT_LE(10, f_info(fd).tcpi_snd_cwnd);
}

CASE(not_acked_lost, "RFC 7413 4.2.1, RFC 6298 5: and if it is lost then, again after a timeout")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("SA 0 ack 1 mss 1460");
	out("PA 1+10 ack 1");
	out_within(1000, "PA 1+10 ack 1");
	in("A 1 ack 11");
	quiet(300);
}

CASE(partly_acked, "RFC 7413 4.2.1: what of the data is not acknowledged goes again")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("SA 0 ack 5 mss 1460");
	out("PA 5+6 ack 1");
	in("A 1 ack 11");
	quiet(300);
}

CASE(beyond_acked, "RFC 7413 4.2.1, RFC 9293 3.10.7.3: a SYN-ACK of more than was sent: RST")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("SA 0 ack 12 mss 1460");
	out("R 12");
	in("SA 0 ack 11 mss 1460");
	out("A 11 ack 1");
}

CASE(new_cookie, "RFC 7413 4.1.3: a cookie with the SYN-ACK replaces the old one")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("SA 0 ack 1 mss 1460 opt 220a99aabbccddeeff00");
	out("PA 1+10 ack 1");
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	ASSERT_TRUE(f_got("99aabbccddeeff00"));
}

CASE(long_cookie, "RFC 7413 4.1.1: cookies of 4 and of 16 octets")
{
	int fd;

	learn("mss 1460 opt 2212000102030405060708090a0b0c0d0e0f");
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10 mss 1460 ts sackok ws 255");
	ASSERT_TRUE(f_got("000102030405060708090a0b0c0d0e0f"));
	in("SA 0 ack 1 mss 1460 opt 220601020304");
	out("PA 1+10 ack 1");
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	ASSERT_TRUE(f_got("01020304"));
}

CASE(unasked_cookie, "RFC 7413 4.1.3: a cookie that nobody asked for is not kept")
{
	int fd = w_socket();

	ASSERT_TRUE(w_connect(fd));
	out("S 0");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
	in("SA 0 ack 1 " GIVES);
	out("A 1 ack 1");
	fd = f_again();
	sends(fd, 10, -EINPROGRESS);
	out("S 0");
	ASSERT_EQ(0, w.fo_len);
}

CASE(timeout, "RFC 7413 4.1.3.1: a SYN sent again has neither data nor cookie")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	out_at(1000, "S 0 mss 1460");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
	in("SA 0 ack 1 mss 1460");
	out("PA 1+10 ack 1");
	ASSERT_EQ(TFO_SYN_RETRANSMITTED, f_why(fd));
}

CASE(timeout_acked, "RFC 7413 4.2.1: the first SYN had arrived after all")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	out_at(1000, "S 0 mss 1460");
	in("SA 0 ack 11 mss 1460");
	out("A 11 ack 1");
	ASSERT_TRUE(SYN_DATA(fd));
	quiet(300);
}

/* a SYN with data is lost, one without is answered */
static bool lose(void)
{
	int fd = f_again();

	w.put = 0;
	return f_send(fd, 10) == 10 && w_out(-1, "S 0+10") && w_out(1000, "S 0") &&
	       w_in("SA 0 ack 1 mss 1460") && w_out(-1, "PA 1+10 ack 1") && w_in("R 1") &&
	       !close(fd);
}

CASE(loss_rests, "RFC 7413 4.1.3.1: two lost SYNs with data: Fast Open rests on that path")
{
	int fd;

	LONG(130);
	learn(GIVES);
	ASSERT_TRUE(lose());
	ASSERT_TRUE(lose());
	fd = f_again();
	w.put = 0;
	if (NATIVE("it counts the losses and goes on, as tcp_fastopen_blackhole_timeout_sec is 0; RFC 7413 4.1.3.1 asks for the rest (MUST)")) {
		sends(fd, 10, 10);
		out("S 0+10");
		return;
	}
	sends(fd, 10, -EINPROGRESS);
	out("S 0");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
	close(fd);
	sleep_s(121);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
}

CASE(blackhole, "RFC 7413 4.1.3.1, tcp_fastopen_blackhole_timeout_sec: three timeouts: it rests everywhere")
{
	int fd;

	LONG(20);
	ASSERT_TRUE(w_sysctl("tcp_fastopen_blackhole_timeout_sec", "60"));
	ASSERT_TRUE(w_sysctl("tcp_syn_retries", "2"));
	w_sysctl("tcp_syn_linear_timeouts", "0");	/* 6.1 has none */
	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	out_at(1000, "S 0");
	out_at(2000, "S 0");
	quiet(3500);
	sleep_s(2);
	ASSERT_EQ(ETIMEDOUT, w_error(fd));
	ASSERT_EQ(1, f_count("TCPFastOpenBlackhole"));
	fd = f_again();
	w.put = 0;
	sends(fd, 10, -EINPROGRESS);
	out("S 0");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
	close(fd);
	sleep_s(60);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
}

CASE(large, "RFC 7413 4.2.1: the SYN takes what a packet holds beside 40 octets of options, the rest follows")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 3000, 1420);
	out("S 0+1420");
	in("SA 0 ack 1421 mss 1460");
	out("A 1421 ack 1");
	put(fd, 1580);
	out("A 1421+1460 ack 1");
	out("PA 2881+120 ack 1");
}

CASE(cached_mss, "RFC 7413 4.1.3: the data fits the MSS that the server told with the cookie")
{
	int fd;

	learn("mss 536 opt 220a" C8);
	fd = f_again();
	w.put = 0;
	sends(fd, 3000, 496);
	out("S 0+496");
}

CASE(user_mss, "RFC 7413 4.2.1: and TCP_MAXSEG")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_MAXSEG, 700));
	sends(fd, 3000, 660);
	out("S 0+660 mss 700");
}

CASE(no_data, "RFC 7413 4.2.1: nothing to send: the cookie alone")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	sends(fd, 0, -EINPROGRESS);
	out("S 0");
	ASSERT_TRUE(f_got(C8));
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
}

CASE(experimental, "RFC 7413 4.1.1: an option that is not answered is tried in its experimental form, once")
{
	int fd = w_socket();

	sends(fd, 1, -EINPROGRESS);
	out("S 0");
	ASSERT_EQ(0, w.fo_len);
	ASSERT_FALSE(w.fo_exp);
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
	fd = f_again();
	sends(fd, 1, -EINPROGRESS);
	out("S 0");
	ASSERT_EQ(0, w.fo_len);
	ASSERT_TRUE(w.fo_exp);
	in("SA 0 ack 1 mss 1460");
	out("A 1 ack 1");
	fd = f_again();
	sends(fd, 1, -EINPROGRESS);
	out("S 0");
	ASSERT_EQ(0, w.fo_len);
	ASSERT_FALSE(w.fo_exp);
}

CASE(experimental_cookie, "RFC 7413 4.1.1: a cookie that came in option 254 goes back in it")
{
	int fd;

	learn("mss 1460 opt fe0cf989" C8);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	ASSERT_TRUE(f_got(C8));
	ASSERT_TRUE(w.fo_exp);
}

CASE(no_cookie_sysctl, "RFC 7413 4.2.1: tcp_fastopen 4: data without a cookie")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_fastopen", "5"));
	sends(fd, 10, 10);
	out("S 0+10");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
	in("SA 0 ack 11 mss 1460");
	out("A 11 ack 1");
	ASSERT_TRUE(SYN_DATA(fd));
}

CASE(no_cookie_socket, "RFC 7413 4.2.1: TCP_FASTOPEN_NO_COOKIE likewise")
{
	int fd = w_socket();

	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
	sends(fd, 10, 10);
	out("S 0+10");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
	in("SA 0 ack 1 mss 1460");
	out("PA 1+10 ack 1");
}

static int deferred(void)
{
	int fd = f_again();
	struct sockaddr_in to = f_peer();

	w.put = 0;
	if (w_set(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	f_port(fd);
	return fd;
}

CASE(deferred, "RFC 7413 4.2.1, TCP_FASTOPEN_CONNECT: connect() sends nothing, the first write opens")
{
	struct sockaddr_in to = f_peer();
	int fd;

	learn(GIVES);
	fd = deferred();
	ASSERT_LE(0, fd);
	quiet(300);
	ASSERT_TRUE(w_poll(fd, POLLOUT, 0));
	ASSERT_EQ(-1, connect(fd, (struct sockaddr *)&to, sizeof(to)));
	ASSERT_EQ(EISCONN, errno);
	put(fd, 10);
	out("S 0+10");
	ASSERT_TRUE(f_got(C8));
	ASSERT_FALSE(w_poll(fd, POLLOUT, 0));
	in("SA 0 ack 11 mss 1460");
	out("A 11 ack 1");
	ASSERT_TRUE(w_poll(fd, POLLOUT, 0));
	put(fd, 10);
	out("PA 11+10 ack 1");
}

CASE(deferred_asks, "RFC 7413 4.1.3, TCP_FASTOPEN_CONNECT: without a cookie connect() asks for one")
{
	struct sockaddr_in to = f_peer();
	int fd = w_socket();

	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1));
	ASSERT_EQ(-1, connect(fd, (struct sockaddr *)&to, sizeof(to)));
	ASSERT_EQ(EINPROGRESS, errno);
	f_port(fd);
	out("S 0");
	ASSERT_EQ(0, w.fo_len);
	in("SA 0 ack 1 " GIVES);
	out("A 1 ack 1");
	put(fd, 10);
	out("PA 1+10 ack 1");
}

CASE(deferred_closed, "RFC 7413 4.2.1: closed before the first write: nothing was ever sent")
{
	int fd;

	learn(GIVES);
	fd = deferred();
	ASSERT_LE(0, fd);
	close(fd);
	quiet(300);
	ASSERT_EQ(st_gone, w_proc_state());
}

CASE(deferred_strangers, "RFC 9293 3.10.7.3: before the SYN has left nothing can acknowledge it")
{
	int fd;

	learn(GIVES);
	fd = deferred();
	ASSERT_LE(0, fd);
	in("SA 0 ack 1 mss 1460");
	out("R 1");
	ASSERT_EQ(TCP_SYN_SENT, w_state(fd));
	put(fd, 10);
	out("S 0+10");
}

CASE(too_large, "RFC 7413 4.2.1, RFC 1191 6.4: the SYN with data is too large: again without")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 1420, 1420);
	out("S 0+1420");
	ASSERT_TRUE(w_icmp(3, 4, 1000, 0));
	out("S 0");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
	in("SA 0 ack 1 mss 1460");
	out("A 1+960 ack 1");
	out("PA 961+460 ack 1");
}

CASE(too_large_twice, "RFC 7413 4.2.1, RFC 1191 6.4: said twice, it goes without once, and any of the SYNs may be answered")
{
	struct wseg first;
	int fd;

	learn(GIVES);
	fd = f_again();
	w.ts = true;
	w.put = 0;
	sends(fd, 1420, 1420);
	ASSERT_TRUE(w_next(1000, &first));
	ASSERT_EQ(2, first.flags);
	sleep_s(0.01);
	ASSERT_TRUE(w_icmp(3, 4, 1000, 0));
	out("S 0");
	ASSERT_EQ(NO_COOKIE, w.fo_len);
	sleep_s(0.01);
	if (!NATIVE("every such message is answered by another SYN"))
		ASSERT_TRUE(w_icmp(3, 4, 1000, 0));
	quiet(50);
	/* the echo is the first's */
	ASSERT_TRUE(w_in("SA 0 ack 1 mss 1460 ecr-%d",
			 NATIVE("an echo from before its last SYN is reset") ? 0 : 10));
	out_within(100, "A 1+948 ack 1");
	ASSERT_EQ(TCP_ESTABLISHED, w_state(fd));
}

/* what the thread below has been told */
struct told {
	int fd, ret;
};

static void *write_all(void *arg)
{
	struct told *t = arg;

	t->ret = f_send(t->fd, 60000);
	return NULL;
}

CASE(reset_behind_syn, "RFC 7413 4.2.1, RFC 9293 3.10.7.4: reset before more than the SYN's octets were taken: these are told, the error is the next call's")
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(6001),
	};
	struct told t;
	pthread_t thread;
	char c;

	if (NATIVE_BEFORE(605, "its SYN takes no more than a page"))
		SKIP(return, "a SYN before Linux 6.5 does not fill the least buffer");
	ASSERT_EQ(0, run("ip link set t0 mtu 9000"));
	learn("mss 8960 opt 220a" C8);
	t.fd = f_again();
	w.put = 0;
	/* the SYN is there before the call ends */
	ASSERT_EQ(0, bind(t.fd, (struct sockaddr *)&at, sizeof(at)));
	f_port(t.fd);
	ASSERT_EQ(0, fcntl(t.fd, F_SETFL, 0));
	ASSERT_EQ(0, w_set(t.fd, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_all, &t));
	out_within(1000, "S 0+8920");
	/* it goes again, and is more than the buffer takes: the thread waits for its end */
	in("SA 0 ack 1 mss 8960");
	out_within(100, "PA 1+8920 ack 1");
	quiet(50);
	in("R 1");
	pthread_join(thread, NULL);
	ASSERT_EQ(8920, t.ret);
	ASSERT_EQ(-1, recv(t.fd, &c, 1, MSG_DONTWAIT));
	ASSERT_EQ(ECONNRESET, errno);
}

CASE(blackhole_fin, "RFC 7413 4.1.3.1, tcp_fastopen_blackhole_timeout_sec: data swallowed and its FIN there, then reset: it rests")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_fastopen_blackhole_timeout_sec", "60"));
	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("SA 0 ack 11 mss 1460 sackok");
	out("A 11 ack 1");
	in("FA 101 ack 11");
	out("A 11 ack 1");
	in("R 1");
	quiet(20);
	ASSERT_EQ(ECONNRESET, w_error(fd));
	close(fd);
	ASSERT_EQ(1, f_count("TCPFastOpenBlackhole"));
}

CASE(simultaneous, "RFC 7413 4.2.1, RFC 9293 3.5: the SYNs cross: the data goes after the handshake")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	if (NATIVE("the data waits for the retransmission timer, though it is known not to have been taken")) {
		out_within(4000, "PA 1+10 ack 1");
		return;
	}
	out("PA 1+10 ack 1");
}

CASE(refused, "RFC 7413 4.2.1: a SYN with data that is reset")
{
	int fd;

	learn(GIVES);
	fd = f_again();
	w.put = 0;
	sends(fd, 10, 10);
	out("S 0+10");
	in("RA 0 ack 11");
	quiet(20);
	ASSERT_EQ(ECONNREFUSED, w_error(fd));
}

CASE(off, "RFC 7413 4.2.1: MSG_FASTOPEN where it is switched off is refused, and nothing is sent")
{
	int fd = w_socket();

	ASSERT_TRUE(w_sysctl("tcp_fastopen", "2"));
	sends(fd, 10, -EOPNOTSUPP);
	ASSERT_EQ(-1, w_set(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1));
	ASSERT_EQ(EOPNOTSUPP, errno);
	quiet(50);
}

TEST_HARNESS_MAIN
