// SPDX-License-Identifier: GPL-2.0-only
/*
 * udp_echo: a UDP echo server and its client.
 *
 *	udp_echo -l [-a ADDRESS] [-p PORT]		server
 *	udp_echo [-c COUNT] [-p PORT] -a ADDRESS	client
 *
 * The client sends numbered datagrams, one at a time, waits a second for each
 * answer and says how many were lost: exit status 0 if none was.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <linux/strata.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static int open_socket(void)
{
	int fd = socket(AF_STRATA, SOCK_DGRAM, 0);

	if (fd < 0)
		err(1, "socket(AF_STRATA): is the module loaded?");
	return fd;
}

static int serve(const struct sockaddr_in *addr)
{
	static char buf[65536];		/* no IPv4 datagram is longer */
	int fd = open_socket();

	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		err(1, "bind");
	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0,
				     (struct sockaddr *)&from, &len);

		if (n < 0 || sendto(fd, buf, n, 0,
				    (struct sockaddr *)&from, len) < 0)
			warn("echo");	/* one client's trouble, not ours */
	}
}

/* One question. Late answers to earlier ones are passed over. */
static bool ask(int fd, int number)
{
	char question[32], answer[sizeof(question)];
	int len = snprintf(question, sizeof(question), "datagram %d", number);
	ssize_t n;

	if (send(fd, question, len, 0) < 0)
		err(1, "send");
	while ((n = recv(fd, answer, sizeof(answer), 0)) >= 0)
		if (n == len && !memcmp(question, answer, len))
			return true;
	if (errno != EAGAIN)	/* ECONNREFUSED: nobody listens there */
		err(1, "recv");
	return false;
}

static int query(const struct sockaddr_in *addr, int count)
{
	struct timeval second = { .tv_sec = 1 };
	int fd = open_socket();
	int i, lost = 0;

	/* A connected socket hears of ICMP errors and of this peer alone. */
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		err(1, "connect");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)))
		err(1, "SO_RCVTIMEO");

	for (i = 0; i < count; i++)
		lost += !ask(fd, i);
	printf("%d sent, %d lost\n", count, lost);
	return lost != 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(7) };
	bool server = false;
	int c, count = 10;

	while ((c = getopt(argc, argv, "la:p:c:h")) != -1) {
		switch (c) {
		case 'l':
			server = true;
			break;
		case 'a':
			if (inet_pton(AF_INET, optarg, &addr.sin_addr) != 1)
				errx(2, "-a %s: expected an IPv4 address", optarg);
			break;
		case 'p':
			addr.sin_port = htons(atoi(optarg));
			break;
		case 'c':
			count = atoi(optarg);
			break;
		default:
			fprintf(c == 'h' ? stdout : stderr,
				"Usage: %s -l [-a ADDRESS] [-p PORT]\n"
				"       %s [-c COUNT] [-p PORT] -a ADDRESS\n",
				argv[0], argv[0]);
			return c == 'h' ? 0 : 2;
		}
	}
	return server ? serve(&addr) : query(&addr, count);
}
