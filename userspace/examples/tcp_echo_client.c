// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcp_echo_client: send standard input to an echo server, print what comes
 * back.
 *
 *	tcp_echo_client [-p PORT] ADDRESS
 *
 * Sending and receiving go on at the same time. A client that first sends all
 * and then receives hangs as soon as the buffers of both directions are full.
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <linux/strata.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const struct sockaddr_in *addr)
{
	int fd = socket(AF_STRATA, SOCK_STREAM, 0);

	if (fd < 0)
		err(1, "socket(AF_STRATA): is the module loaded?");
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		err(1, "connect");
	return fd;
}

static void write_all(const char *buf, ssize_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n < 0)
			err(1, "standard output");
		buf += n;
		len -= n;
	}
}

static void talk(int fd)
{
	static char out[16384], in[16384];
	size_t sent = 0, have = 0;
	struct pollfd p[2] = {
		{ .events = POLLIN },
		{ .fd = fd },
	};
	bool more = true;
	ssize_t n;

	for (;;) {
		/* Read more input only when the last piece is sent. */
		p[0].fd = more && sent == have ? STDIN_FILENO : -1;
		p[1].events = POLLIN | (sent < have ? POLLOUT : 0);
		if (poll(p, 2, -1) < 0)
			err(1, "poll");

		if (p[0].revents) {
			n = read(STDIN_FILENO, out, sizeof(out));
			if (n < 0)
				err(1, "standard input");
			more = n > 0;
			if (!more)	/* our direction is at its end */
				shutdown(fd, SHUT_WR);
			sent = 0;
			have = n;
		}
		if (p[1].revents & POLLOUT) {
			n = send(fd, out + sent, have - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n < 0)
				err(1, "send");
			sent += n;
		}
		if (p[1].revents & (POLLIN | POLLHUP | POLLERR)) {
			n = recv(fd, in, sizeof(in), 0);
			if (n < 0)
				err(1, "recv");
			if (n == 0)	/* the server's too */
				return;
			write_all(in, n);
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(7) };
	int c;

	while ((c = getopt(argc, argv, "p:h")) != -1) {
		if (c == 'p') {
			addr.sin_port = htons(atoi(optarg));
			continue;
		}
		fprintf(c == 'h' ? stdout : stderr,
			"Usage: %s [-p PORT] ADDRESS\n", argv[0]);
		return c == 'h' ? 0 : 2;
	}
	if (optind != argc - 1 ||
	    inet_pton(AF_INET, argv[optind], &addr.sin_addr) != 1)
		errx(2, "expected one IPv4 address (see -h)");

	talk(connect_to(&addr));
	return 0;
}
