// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcp_echo_server: send back what every client sends, one process per client.
 *
 *	tcp_echo_server [-a ADDRESS] [-p PORT]
 *
 * Nothing here is particular to Strata but the first argument of socket():
 * put AF_INET there and the same program runs on the kernel's own stack.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <linux/strata.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A stream may take less than it was offered: go on until all is taken. */
static int send_all(int fd, const char *buf, size_t len)
{
	while (len) {
		/* MSG_NOSIGNAL: an error, not SIGPIPE, if the peer is gone */
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf += n;
		len -= n;
	}
	return 0;
}

static void echo(int fd)
{
	char buf[16384];
	ssize_t n;

	/* 0 is the end: the client has shut down its direction. */
	while ((n = recv(fd, buf, sizeof(buf), 0)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err(1, "recv");
		if (send_all(fd, buf, n))
			err(1, "send");
	}
}

static int listen_on(const struct sockaddr_in *addr)
{
	int fd = socket(AF_STRATA, SOCK_STREAM, 0);
	int on = 1;

	if (fd < 0)
		err(1, "socket(AF_STRATA): is the module loaded?");
	/* Do not wait for old connections in TIME-WAIT when restarted. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "SO_REUSEADDR");
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		err(1, "bind");
	if (listen(fd, SOMAXCONN))
		err(1, "listen");
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(7) };
	int c, fd, client;

	while ((c = getopt(argc, argv, "a:p:h")) != -1) {
		switch (c) {
		case 'a':
			if (inet_pton(AF_INET, optarg, &addr.sin_addr) != 1)
				errx(2, "-a %s: expected an IPv4 address", optarg);
			break;
		case 'p':
			addr.sin_port = htons(atoi(optarg));
			break;
		default:
			fprintf(c == 'h' ? stdout : stderr,
				"Usage: %s [-a ADDRESS] [-p PORT]\n", argv[0]);
			return c == 'h' ? 0 : 2;
		}
	}

	signal(SIGCHLD, SIG_IGN);	/* nobody waits for the children */
	fd = listen_on(&addr);
	for (;;) {
		client = accept(fd, NULL, NULL);
		if (client < 0) {
			/* ECONNABORTED: gone before we took it. No reason to end. */
			warn("accept");
			continue;
		}
		if (fork() == 0) {
			close(fd);
			echo(client);
			return 0;
		}
		close(client);
	}
}
