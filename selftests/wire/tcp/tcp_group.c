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
