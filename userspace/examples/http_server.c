// SPDX-License-Identifier: GPL-2.0-only
/*
 * http_server: serve the files of a folder by HTTP, one process per client.
 *
 *	http_server [-a ADDRESS] [-p PORT] [FOLDER]
 *
 * GET only, one request per connection. sendfile() moves the files' bytes.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/strata.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void answer(int client, const char *status, long long length)
{
	dprintf(client, "HTTP/1.1 %s\r\nContent-Length: %lld\r\nConnection: close\r\n\r\n",
		status, length);
}

/* Read up to the blank line after the headers, however it comes in pieces. */
static const char *read_request(int client, char *buf, size_t size)
{
	size_t have = 0;
	ssize_t n;

	do {
		n = recv(client, buf + have, size - 1 - have, 0);
		if (n <= 0)	/* too long, at its end or in error */
			return NULL;
		have += n;
		buf[have] = '\0';
	} while (!strstr(buf, "\r\n\r\n"));
	return buf;
}

/* The kernel itself refuses "..", and links that lead out of the folder. */
static int open_below(int folder, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH };

	return syscall(SYS_openat2, folder, path, &how, sizeof(how));
}

static void serve(int client, int folder)
{
	char request[8192], method[8], path[4096] = "index.html";
	struct stat st;
	off_t at = 0;
	int file;

	if (!read_request(client, request, sizeof(request)) ||
	    sscanf(request, "%7s /%4095[^ ?#\r\n]", method, path) < 1 ||
	    strcmp(method, "GET")) {
		answer(client, "400 Bad Request", 0);
		return;
	}
	file = open_below(folder, path);
	if (file < 0 || fstat(file, &st) || !S_ISREG(st.st_mode)) {
		answer(client, "404 Not Found", 0);
		return;
	}
	answer(client, "200 OK", st.st_size);
	while (at < st.st_size && sendfile(client, file, &at, 1 << 30) > 0)
		;
}

static int listen_on(const struct sockaddr_in *addr)
{
	int on = 1, fd = socket(AF_STRATA, SOCK_STREAM, 0);

	if (fd < 0)
		err(1, "socket(AF_STRATA): is the module loaded?");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
	    listen(fd, SOMAXCONN))
		err(1, "cannot listen on port %d", ntohs(addr->sin_port));
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(80) };
	int c, fd, client, folder;

	while ((c = getopt(argc, argv, "a:p:h")) != -1) {
		if (c == 'p')
			addr.sin_port = htons(atoi(optarg));
		if (c == 'p' || (c == 'a' && inet_pton(AF_INET, optarg, &addr.sin_addr) == 1))
			continue;
		fprintf(c == 'h' ? stdout : stderr,
			"Usage: %s [-a ADDRESS] [-p PORT] [FOLDER]\n", argv[0]);
		return c == 'h' ? 0 : 2;
	}
	folder = open(optind < argc ? argv[optind] : ".", O_PATH | O_DIRECTORY);
	if (folder < 0)
		err(1, "%s", argv[optind]);
	signal(SIGCHLD, SIG_IGN);	/* nobody waits for the children */
	signal(SIGPIPE, SIG_IGN);	/* sendfile() to a client that is gone */
	fd = listen_on(&addr);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			serve(client, folder);
			return 0;	/* closes it: the end of the answer */
		}
		close(client);
	}
	err(1, "accept");
}
