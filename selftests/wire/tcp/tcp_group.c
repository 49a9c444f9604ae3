// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listeners that come and go during a handshake. A connection is the pair of its sockets (RFC
 * 9293 3.3.1), so what the peer sends next is for the request that answered its SYN, whichever
 * listener of a group (SO_REUSEPORT), or at a more specific address, would get a new SYN now.
 */
#include "wire.h"

#define SOL_OURS	0x5354	/* SOL_STRATA: before 6.2 the core keeps SO_REUSEPORT for AF_INET */
#define PEERS		8

/* a listener among others of its group, at @addr (NULL: any) */
static int group_listen(const char *addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = w_socket();

	if (addr)
		sin.sin_addr.s_addr = inet_addr(addr);
	if (w_set(fd, SOL_SOCKET, SO_REUSEPORT, 1) && w_set(fd, SOL_OURS, SO_REUSEPORT, 1))
		return -1;
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, PEERS))
		return -1;
	return fd;
}

/* the first of a group, alone for now */
static int group_first(int lfd)
{
	close(lfd);
	return group_listen(NULL);
}

/* each peer's SYN is answered; the stack's ISNs, which w knows of one peer only */
static bool group_syns(uint32_t *isn)
{
	int i;

	for (i = 0; i < PEERS; i++) {
		w_peer(PEER_PORT + i);
		if (!w_in("S 0 mss 1460") || !w_out(-1, "SA 0 ack 1"))
			return false;
		isn[i] = w.isn;
	}
	return true;
}

static void group_peer(int i, const uint32_t *isn)
{
	w_peer(PEER_PORT + i);
	w.isn = isn[i];
	w.isn_known = true;
	w.seen = 1;
}

/* all peers' ACKs come, and @lfd has their connections, in order */
static bool group_acks(int lfd, const uint32_t *isn)
{
	struct sockaddr_in from;
	socklen_t len;
	int i;

	for (i = 0; i < PEERS; i++) {
		group_peer(i, isn);
		if (!w_in("A 1 ack 1"))
			return false;
		if (!w_poll(lfd, POLLIN, 1000)) {
			fprintf(stderr, "# peer %d did not come to its listener\n", i);
			return false;
		}
		len = sizeof(from);
		if (accept(lfd, (struct sockaddr *)&from, &len) < 0 ||
		    from.sin_port != htons(PEER_PORT + i) || !w_quiet(20))
			return false;
	}
	return true;
}

CASE(joined, "RFC 9293 3.3.1: who listens too by then does not matter")
{
	int lfd = group_first(self->lfd), i;
	uint32_t isn[PEERS];

	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, group_listen(NULL));
	ASSERT_TRUE(group_acks(lfd, isn));
}

CASE(left, "RFC 9293 3.3.1: nor who does no longer")
{
	int lfd = group_first(self->lfd), fd[4], i;
	uint32_t isn[PEERS];

	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	for (i = 0; i < 4; i++) {
		fd[i] = group_listen(NULL);
		ASSERT_LE(0, fd[i]);
	}
	close(fd[1]);
	close(fd[0]);
	ASSERT_TRUE(group_acks(lfd, isn));
}

CASE(specific, "RFC 9293 3.3.1: a listener at the very address comes too late")
{
	int lfd = group_first(self->lfd);
	uint32_t isn[PEERS];

	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	ASSERT_LE(0, group_listen(HOST));
	ASSERT_TRUE(group_acks(lfd, isn));
	/* but not for who opens now */
	w_peer(PEER_PORT + PEERS);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_FALSE(w_poll(lfd, POLLIN, 50));
}

CASE(syn_again, "RFC 9293 3.10.7.4: the SYN again gets the same SYN-ACK")
{
	int lfd = group_first(self->lfd), i;
	uint32_t isn[PEERS];

	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, group_listen(i & 1 ? HOST : NULL));
	for (i = 0; i < PEERS; i++) {
		group_peer(i, isn);
		in("S 0 mss 1460");
		out("SA 0 ack 1");
	}
	ASSERT_TRUE(group_acks(lfd, isn));
}

CASE(reset_request, "RFC 9293 3.10.7.4 second: a reset ends what it is for")
{
	int lfd = group_first(self->lfd), i;
	uint32_t isn[PEERS];

	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, group_listen(NULL));
	for (i = 0; i < PEERS; i++) {
		group_peer(i, isn);
		in("R 1");
		in("A 1 ack 1");
		out("R 1");
	}
	ASSERT_FALSE(w_poll(lfd, POLLIN, 50));
}

CASE(unreachable, "RFC 1122 4.2.3.9, RFC 5927 4.1: and so does an ICMP error")
{
	int lfd = group_first(self->lfd), i;
	uint32_t isn[PEERS];

	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, group_listen(NULL));
	for (i = 0; i < PEERS; i++) {
		group_peer(i, isn);
		ASSERT_TRUE(w_icmp(3, 1, 0, 0));
		in("A 1 ack 1");
		out("R 1");
	}
	ASSERT_FALSE(w_poll(lfd, POLLIN, 50));
}

CASE(closed, "RFC 9293 3.10.4: what a listener has begun ends with it")
{
	int lfd = group_first(self->lfd), other, i;
	uint32_t isn[PEERS];

	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	other = group_listen(NULL);
	ASSERT_LE(0, other);
	close(lfd);
	for (i = 0; i < PEERS; i++) {
		group_peer(i, isn);
		in("A 1 ack 1");
		out("R 1");
	}
	ASSERT_FALSE(w_poll(other, POLLIN, 50));
	/* nothing of it is left in the way of a new handshake */
	w_peer(PEER_PORT);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(other));
}

/* ---- tcp_migrate_req ---- */

/* who has connected to @peers waits at @lfd, in any order */
static bool group_accepted(int lfd, int peers)
{
	bool seen[2 * PEERS] = { false };
	struct sockaddr_in from;
	socklen_t len;
	int i, n;

	for (n = 0; n < peers; n++) {
		len = sizeof(from);
		if (!w_poll(lfd, POLLIN, 1000) ||
		    accept(lfd, (struct sockaddr *)&from, &len) < 0) {
			fprintf(stderr, "# %d of %d were accepted\n", n, peers);
			return false;
		}
		i = ntohs(from.sin_port) - PEER_PORT;
		if (i < 0 || i >= peers || seen[i])
			return false;
		seen[i] = true;
	}
	return !w_poll(lfd, POLLIN, 50);
}

/* the first @n peers are connected, and wait to be accepted */
static bool group_waits(int n, const uint32_t *isn)
{
	int i;

	for (i = 0; i < n; i++) {
		group_peer(i, isn);
		if (!w_in("A 1 ack 1"))
			return false;
	}
	return true;
}

CASE(migrate_accepted,
     "RFC 9293 3.10.4, tcp_migrate_req: who waits to be accepted is accepted by another of the group")
{
	int lfd = group_first(self->lfd), other;
	uint32_t isn[PEERS];

	ASSERT_TRUE(w_sysctl("tcp_migrate_req", "1"));
	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	ASSERT_TRUE(group_waits(PEERS, isn));
	other = group_listen(NULL);
	ASSERT_LE(0, other);
	close(lfd);
	ASSERT_TRUE(group_accepted(other, PEERS));
	ASSERT_EQ(PEERS, w_counted("TCPMigrateReqSuccess"));
	quiet(50);
}

CASE(migrate_shutdown, "RFC 9293 3.10.4, tcp_migrate_req: also when shutdown(2) ends the listener")
{
	int lfd = group_first(self->lfd), other;
	uint32_t isn[PEERS];

	ASSERT_TRUE(w_sysctl("tcp_migrate_req", "1"));
	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	ASSERT_TRUE(group_waits(PEERS, isn));
	other = group_listen(NULL);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, shutdown(lfd, SHUT_RDWR));
	ASSERT_TRUE(group_accepted(other, PEERS));
}

CASE(migrate_requests, "RFC 9293 3.10.4, tcp_migrate_req: nor is who is still opening reset")
{
	int lfd = group_first(self->lfd), fd[3], i, n = 0;
	uint32_t isn[PEERS];

	ASSERT_TRUE(w_sysctl("tcp_migrate_req", "1"));
	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	for (i = 0; i < 3; i++) {
		fd[i] = group_listen(NULL);
		ASSERT_LE(0, fd[i]);
	}
	close(lfd);
	close(fd[0]);
	for (i = 0; i < PEERS; i++) {
		group_peer(i, isn);
		in("PA 1+10 ack 1");
		out("A 1 ack 11");
	}
	for (i = 1; i < 3; i++)
		for (; w_poll(fd[i], POLLIN, 50); n++)
			ASSERT_LE(0, accept(fd[i], NULL, NULL));
	ASSERT_EQ(PEERS, n);
}

CASE(migrate_timer, "RFC 9293 3.8.1, tcp_migrate_req: the SYN-ACK is sent again as before")
{
	int lfd = group_first(self->lfd), other;
	uint32_t isn;

	ASSERT_TRUE(w_sysctl("tcp_migrate_req", "1"));
	ASSERT_LE(0, lfd);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	isn = w.isn;
	other = group_listen(NULL);
	ASSERT_LE(0, other);
	close(lfd);
	out_within(1200, "SA 0 ack 1");
	ASSERT_EQ(isn, w.isn);
	in("A 1 ack 1");
	ASSERT_TRUE(group_accepted(other, 1));
}

CASE(migrate_saved_syn, "tcp(7) TCP_SAVE_SYN, tcp_migrate_req, RFC 9293 3.10.4: its SYN goes along")
{
	int lfd = group_first(self->lfd), other, fd;
	socklen_t len = 200;
	uint8_t syn[200];

	ASSERT_TRUE(w_sysctl("tcp_migrate_req", "1"));
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, w_set(lfd, SOL_TCP, TCP_SAVE_SYN, 1));
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	other = group_listen(NULL);
	ASSERT_LE(0, other);
	close(lfd);
	in("A 1 ack 1");
	fd = w_accept(other);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_SAVED_SYN, syn, &len));
	ASSERT_EQ(44, len);
	ASSERT_EQ(0x45, syn[0]);
}

CASE(migrate_own_group,
     "RFC 9293 3.10.4, tcp_migrate_req: another of the group, also where a new SYN would be somebody else's")
{
	int lfd = group_first(self->lfd), other, best, i;
	uint32_t isn[PEERS];

	ASSERT_TRUE(w_sysctl("tcp_migrate_req", "1"));
	ASSERT_LE(0, lfd);
	ASSERT_TRUE(group_syns(isn));
	ASSERT_TRUE(group_waits(PEERS / 2, isn));
	other = group_listen(NULL);
	ASSERT_LE(0, other);
	best = group_listen(HOST);
	ASSERT_LE(0, best);
	close(lfd);
	for (i = PEERS / 2; i < PEERS; i++) {
		group_peer(i, isn);
		in("A 1 ack 1");
	}
	ASSERT_TRUE(group_accepted(other, PEERS));
	ASSERT_FALSE(w_poll(best, POLLIN, 50));
}

CASE(migrate_nobody, "RFC 9293 3.10.4, tcp_migrate_req: where nobody of the group is left they end as ever")
{
	int lfd = group_first(self->lfd), other;

	ASSERT_TRUE(w_sysctl("tcp_migrate_req", "1"));
	ASSERT_LE(0, lfd);
	other = group_listen(HOST);	/* of another group */
	ASSERT_LE(0, other);
	close(other);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	in("A 1 ack 1");
	other = group_listen(HOST);
	ASSERT_LE(0, other);
	close(lfd);
	out("RA 1 ack 1");
	ASSERT_FALSE(w_poll(other, POLLIN, 50));
	ASSERT_EQ(0, w_counted("TCPMigrateReqSuccess"));
}

CASE(connect_meets_request, "RFC 9293 3.3.1: no second connection of the same pair")
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = w_socket();

	close(self->lfd);
	self->lfd = group_listen(NULL);
	ASSERT_LE(0, self->lfd);
	w_peer(PEER_PORT);
	in("S 0 mss 1460");
	out("SA 0 ack 1");
	ASSERT_EQ(0, w_set(fd, w.native ? SOL_SOCKET : SOL_OURS, SO_REUSEPORT, 1));
	sin.sin_addr.s_addr = inet_addr(HOST);
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
	sin.sin_addr.s_addr = inet_addr(ME);
	sin.sin_port = htons(PEER_PORT);
	ASSERT_EQ(-1, connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_EQ(EADDRNOTAVAIL, errno);
	in("A 1 ack 1");
	ASSERT_LE(0, w_accept(self->lfd));
}

TEST_HARNESS_MAIN
