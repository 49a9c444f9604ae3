// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_flow SERVER CLIENT ADDRESS FLOWS SECONDS: so many connections, each sending as much as
 * it can both ways. What arrives is compared with what was sent. Exits 0 if no call failed and
 * every direction of every flow moves at the end of the time, or soon after: a timeout may
 * have doubled a few times. SECONDS 0: until something fails.
 */
#include <stdbool.h>
#include <sys/epoll.h>
#include "load.h"

#define MAX_FLOWS	64
#define CHUNK		8192
#define PATIENCE	10	/* seconds */

struct end {
	int fd;
	unsigned long sent, got;	/* bytes */
	unsigned long before;		/* got when the time was over */
};

static struct end ends[2 * MAX_FLOWS];
static int n_ends;

/* byte @at of every stream */
static unsigned char byte_at(unsigned long at)
{
	return at * 2654435761UL >> 13;
}

static void fill(unsigned char *buf, unsigned long at)
{
	int i;

	for (i = 0; i < CHUNK; i++)
		buf[i] = byte_at(at + i);
}

static bool failed(const struct end *e, const char *call)
{
	printf("# flow %d, %s: %s: %s after %lu sent, %lu received\n", (int)(e - ends) / 2,
	       (e - ends) % 2 ? "server" : "client", call, strerror(errno), e->sent, e->got);
	return false;
}

static bool pump(struct end *e)
{
	unsigned char out[CHUNK], in[CHUNK];
	ssize_t n;
	int i;

	fill(out, e->sent);
	n = send(e->fd, out, CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		return failed(e, "send");
	if (n > 0)
		e->sent += n;
	while ((n = recv(e->fd, in, CHUNK, MSG_DONTWAIT)) > 0) {
		for (i = 0; i < n; i++) {
			if (in[i] != byte_at(e->got + i)) {
				errno = EBADMSG;
				return failed(e, "not what was sent");
			}
		}
		e->got += n;
	}
	if (!n)
		errno = EPIPE;
	return n < 0 && errno == EAGAIN ? true : failed(e, "recv");
}

static bool open_flows(const struct side *server, const struct side *client, const char *address,
		       int flows)
{
	int l = side_listen(server, address, port(), flows, 0), i;

	for (i = 0; l >= 0 && i < flows; i++) {
		ends[2 * i].fd = side_socket(client, 0);
		if (connect_to(ends[2 * i].fd, address, port()))
			return false;
		ends[2 * i + 1].fd = accept(l, NULL, NULL);
		if (ends[2 * i + 1].fd < 0)
			return false;
	}
	n_ends = 2 * flows;
	return l >= 0 && !close(l);
}

static bool turn(int ep)
{
	struct epoll_event ev[2 * MAX_FLOWS];
	int i, n = epoll_wait(ep, ev, 2 * MAX_FLOWS, 100);

	for (i = 0; i < n; i++)
		if (!pump(&ends[ev[i].data.u32]))
			return false;
	breathe(20);
	return true;
}

/* does every direction move? */
static bool moved(bool tell)
{
	bool ok = true;
	int i;

	for (i = 0; i < n_ends; i++) {
		if (ends[i].got > ends[i].before)
			continue;
		ok = false;
		if (tell)
			printf("# flow %d, %s: stands still at %lu bytes\n", i / 2,
			       i % 2 ? "server" : "client", ends[i].got);
	}
	return ok;
}

int main(int argc, char **argv)
{
	double start, seconds;
	struct side server, client;
	unsigned long sum = 0;
	int ep, i;

	if (argc != 6 || atoi(argv[4]) > MAX_FLOWS)
		return 2;
	server = side_parse(argv[1]);
	client = side_parse(argv[2]);
	seconds = atof(argv[5]);
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (!open_flows(&server, &client, argv[3], atoi(argv[4]))) {
		printf("# cannot connect: %s\n", strerror(errno));
		return 1;
	}
	printf("# connected\n");
	fflush(stdout);
	for (i = 0; i < n_ends; i++) {
		struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.u32 = i };

		epoll_ctl(ep, EPOLL_CTL_ADD, ends[i].fd, &e);
	}
	for (start = now_s(); !seconds || now_s() < start + seconds;)
		if (!turn(ep))
			return 1;
	for (i = 0; i < n_ends; i++) {
		ends[i].before = ends[i].got;
		sum += ends[i].got;
	}
	while (!moved(false) && now_s() < start + seconds + PATIENCE)
		if (!turn(ep))
			return 1;
	printf("# %lu bytes\n", sum);
	return !moved(true);
}
