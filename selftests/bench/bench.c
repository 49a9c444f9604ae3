// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: what one unit of work costs on a stack, both ends included.
 *
 * Two processes, one in each network namespace, speak over the veth pair that joins them; the
 * client measures with CLOCK_MONOTONIC. On the counting machine (one CPU, one instruction a
 * nanosecond) the result is instructions per unit. A tenth of the work is done first, unmeasured.
 *
 * The name of a test may carry "@" and a word, which is printed with it (tcp_rr@own: the run
 * where client and server share a namespace and speak over its own address).
 *
 * Prints one line: TEST FAMILY UNITS NS NS-PER-UNIT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT		7777
#define CHUNK		65536
#define BURST		32	/* datagrams between two acknowledgements, one way */
#define DGRAM		64
#define CONNS		1000	/* connections in one epoll loop */
#define FLOWS		8	/* streams at once */

/* what where.c looks for: a no-operation with a displacement that is a word */
static inline void mark_begin(void)
{
	asm volatile("nopl 0x30525453(%rax)");	/* STR0 */
}

static inline void mark_end(void)
{
	asm volatile("nopl 0x31525453(%rax)");	/* STR1 */
}

struct bench {
	const char *name;
	int type;
	void (*serve)(int fd);
	void (*work)(int family, const struct sockaddr_in *sin, long units);
};

static void enter(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "cannot enter namespace %s", netns);
	close(fd);
}

static int open_socket(int family, int type)
{
	int one = 1, fd = socket(family, type, 0);

	if (fd < 0)
		err(1, "socket");
	if (type == SOCK_STREAM && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "TCP_NODELAY");
	return fd;
}

static int open_connected(int family, int type, const struct sockaddr_in *sin)
{
	int fd = open_socket(family, type);

	if (connect(fd, (const struct sockaddr *)sin, sizeof(*sin)))
		err(1, "connect");
	return fd;
}

static void send_all(int fd, const void *buf, size_t len)
{
	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0)
			err(1, "send");
		buf = (const char *)buf + n;
		len -= n;
	}
}

/* one byte must come */
static void recv_byte(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	if (n != 1)
		err(1, "recv: %zd", n);
}

/* servers: each gets the listening or bound socket and never returns */

static void serve_echo(int fd)
{
	char c;
	int conn;

	for (;;) {
		conn = accept(fd, NULL, NULL);
		if (conn < 0)
			err(1, "accept");
		if (setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)))
			err(1, "TCP_NODELAY");
		while (recv(conn, &c, 1, 0) == 1)
			send_all(conn, &c, 1);
		close(conn);
	}
}

/* reads; answers a byte for each total announced in the first 8 bytes */
static void sink(int conn)
{
	static char buf[CHUNK];
	unsigned long left;
	ssize_t n;

	while (recv(conn, &left, sizeof(left), MSG_WAITALL) == sizeof(left)) {
		while (left) {
			n = recv(conn, buf, left < CHUNK ? left : CHUNK, 0);
			if (n <= 0)
				errx(1, "stream ended early");
			left -= n;
		}
		send_all(conn, "", 1);
	}
	close(conn);
}

static void serve_sink(int fd)
{
	int conn;

	for (;;) {
		conn = accept(fd, NULL, NULL);
		if (conn < 0)
			err(1, "accept");
		sink(conn);
	}
}

/* a process for each connection */
static void serve_sinks(int fd)
{
	pid_t pid;
	int conn;

	for (;;) {
		conn = accept(fd, NULL, NULL);
		if (conn < 0)
			err(1, "accept");
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fd);
			sink(conn);
			_exit(0);
		}
		close(conn);
	}
}

/* answers each message of CHUNK bytes by one of the same size */
static void serve_message(int fd)
{
	static char buf[CHUNK];
	int conn;

	for (;;) {
		conn = accept(fd, NULL, NULL);
		if (conn < 0)
			err(1, "accept");
		while (recv(conn, buf, CHUNK, MSG_WAITALL) == CHUNK)
			send_all(conn, buf, CHUNK);
		close(conn);
	}
}

static void poll_for(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		err(1, "epoll_ctl");
}

/* one process, one epoll loop, any number of connections */
static void serve_poll(int fd)
{
	struct epoll_event ev[64];
	int ep = epoll_create1(0);
	int i, n, conn;
	char c;

	poll_for(ep, fd);
	for (;;) {
		n = epoll_wait(ep, ev, 64, -1);
		for (i = 0; i < n; i++) {
			if (ev[i].data.fd == fd) {
				conn = accept(fd, NULL, NULL);
				if (conn < 0)
					err(1, "accept");
				poll_for(ep, conn);
			} else if (recv(ev[i].data.fd, &c, 1, 0) == 1) {
				send_all(ev[i].data.fd, &c, 1);
			} else {
				close(ev[i].data.fd);
			}
		}
	}
}

static void serve_dgram(int fd)
{
	struct sockaddr_in peer;
	socklen_t len;
	char buf[DGRAM];
	ssize_t n;

	for (;;) {
		len = sizeof(peer);
		n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&peer, &len);
		if (n < 0)
			err(1, "recvfrom");
		/* the first octet says whether an answer is wanted */
		if (buf[0] && sendto(fd, buf, n, 0, (struct sockaddr *)&peer, len) != n)
			err(1, "sendto");
	}
}

/*
 * One way the receiver must not take the only CPU from the sender each time one datagram is
 * there, or not, as the scheduler's clock happens to stand: it reads when the sender waits
 */
static void serve_dgram_behind(int fd)
{
	struct sched_param none = { 0 };

	if (sched_setscheduler(0, SCHED_BATCH, &none))
		err(1, "sched_setscheduler");
	serve_dgram(fd);
}

/* clients: do so many units */

static int persistent = -1;	/* the connection of the tests that keep one */

static int connection(int family, int type, const struct sockaddr_in *sin)
{
	if (persistent < 0)
		persistent = open_connected(family, type, sin);
	return persistent;
}

static void stream(int fd, unsigned long left)
{
	static const char buf[CHUNK];

	send_all(fd, &left, sizeof(left));
	while (left) {
		size_t n = left < CHUNK ? left : CHUNK;

		send_all(fd, buf, n);
		left -= n;
	}
	recv_byte(fd);
}

static void work_stream(int family, const struct sockaddr_in *sin, long bytes)
{
	stream(connection(family, SOCK_STREAM, sin), bytes);
}

struct flow {
	pthread_t thread;
	int fd;
	long bytes;
};

static void *flow_thread(void *arg)
{
	struct flow *flow = arg;

	stream(flow->fd, flow->bytes);
	return NULL;
}

/* so many bytes in all, each flow its share */
static void work_streams(int family, const struct sockaddr_in *sin, long bytes)
{
	static struct flow flows[FLOWS];
	int i;

	for (i = 0; i < FLOWS; i++) {
		if (!flows[i].fd)
			flows[i].fd = open_connected(family, SOCK_STREAM, sin);
		flows[i].bytes = bytes / FLOWS;
		if (pthread_create(&flows[i].thread, NULL, flow_thread, &flows[i]))
			errx(1, "pthread_create");
	}
	for (i = 0; i < FLOWS; i++)
		pthread_join(flows[i].thread, NULL);
}

static void work_rr(int family, const struct sockaddr_in *sin, long n)
{
	int fd = connection(family, SOCK_STREAM, sin);

	while (n--) {
		send_all(fd, "x", 1);
		recv_byte(fd);
	}
}

static void work_crr(int family, const struct sockaddr_in *sin, long n)
{
	while (n--) {
		int fd = open_connected(family, SOCK_STREAM, sin);

		send_all(fd, "x", 1);
		recv_byte(fd);
		close(fd);
	}
}

static void work_message(int family, const struct sockaddr_in *sin, long n)
{
	static char buf[CHUNK];
	int fd = connection(family, SOCK_STREAM, sin);

	while (n--) {
		send_all(fd, buf, CHUNK);
		if (recv(fd, buf, CHUNK, MSG_WAITALL) != CHUNK)
			err(1, "recv");
	}
}

/* every connection has one byte under way until n have come back in all */
static void work_poll(int family, const struct sockaddr_in *sin, long n)
{
	static int ep = -1, fd[CONNS];
	struct epoll_event ev[64];
	int i, ready;
	long sent = 0;

	if (ep < 0) {
		ep = epoll_create1(0);
		for (i = 0; i < CONNS; i++) {
			fd[i] = open_connected(family, SOCK_STREAM, sin);
			poll_for(ep, fd[i]);
		}
	}
	for (; sent < CONNS && sent < n; sent++)
		send_all(fd[sent], "x", 1);
	while (n > 0) {
		ready = epoll_wait(ep, ev, 64, -1);
		for (i = 0; i < ready; i++, n--) {
			recv_byte(ev[i].data.fd);
			if (n > CONNS)
				send_all(ev[i].data.fd, "x", 1);
		}
	}
}

static void udp_round(int fd)
{
	char buf[DGRAM] = { 1 };

	send_all(fd, buf, sizeof(buf));
	if (recv(fd, buf, sizeof(buf), 0) != sizeof(buf))
		err(1, "recv");
}

static void work_udp_rr(int family, const struct sockaddr_in *sin, long n)
{
	int fd = connection(family, SOCK_DGRAM, sin);

	while (n--)
		udp_round(fd);
}

static void work_udp_one_way(int family, const struct sockaddr_in *sin, long n)
{
	int fd = connection(family, SOCK_DGRAM, sin);
	char buf[DGRAM] = { 0 };

	while (n--) {
		if (n % BURST == 0)
			udp_round(fd);
		else
			send_all(fd, buf, sizeof(buf));
	}
}

static const struct bench benches[] = {
	{ "tcp_stream",	 SOCK_STREAM, serve_sink,  work_stream },
	{ "tcp_streams", SOCK_STREAM, serve_sinks, work_streams },
	{ "tcp_rr",	 SOCK_STREAM, serve_echo,  work_rr },
	{ "tcp_crr",	 SOCK_STREAM, serve_echo,  work_crr },
	{ "tcp_message", SOCK_STREAM, serve_message, work_message },
	{ "tcp_epoll",	 SOCK_STREAM, serve_poll,  work_poll },
	{ "udp_rr",	 SOCK_DGRAM,  serve_dgram, work_udp_rr },
	{ "udp_one_way", SOCK_DGRAM,  serve_dgram_behind, work_udp_one_way },
};

/* fork the server; returns when it listens */
static pid_t start_server(const struct bench *b, int family, const char *netns,
			  const struct sockaddr_in *sin)
{
	int ready[2], one = 1, fd;
	pid_t pid;
	char c;

	if (pipe(ready))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter(netns);
		fd = open_socket(family, b->type);
		if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
		    bind(fd, (const struct sockaddr *)sin, sizeof(*sin)) ||
		    (b->type == SOCK_STREAM && listen(fd, CONNS)))
			err(1, "server");
		if (write(ready[1], "", 1) != 1)
			err(1, "pipe");
		b->serve(fd);
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		errx(1, "the server did not start");
	close(ready[0]);
	return pid;
}

static unsigned long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int family_number(const char *name)
{
	unsigned int n = 18;
	FILE *f;

	if (!strcmp(name, "native"))
		return AF_INET;
	if (strcmp(name, "strata"))
		errx(2, "family is native or strata, not \"%s\"", name);
	f = fopen("/sys/module/strata/parameters/family", "r");
	if (!f || fscanf(f, "%u", &n) != 1)
		errx(1, "the module strata is not loaded");
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct rlimit files = { 4 * CONNS, 4 * CONNS };
	const struct bench *b = benches;
	unsigned long long t;
	size_t name;
	long units;
	pid_t pid;
	int family;

	if (argc != 7) {
		fprintf(stderr, "usage: bench TEST native|strata UNITS SERVER-NETNS CLIENT-NETNS SERVER-ADDRESS\n");
		return 2;
	}
	name = strcspn(argv[1], "@");
	while (strlen(b->name) != name || strncmp(b->name, argv[1], name))
		if (++b == benches + sizeof(benches) / sizeof(*benches))
			errx(2, "no test \"%s\"", argv[1]);
	family = family_number(argv[2]);
	units = atol(argv[3]);
	if (units < 10)
		errx(2, "at least 10 units");
	if (inet_pton(AF_INET, argv[6], &sin.sin_addr) != 1)
		errx(2, "\"%s\" is not an IPv4 address", argv[6]);

	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "setrlimit");
	pid = start_server(b, family, argv[4], &sin);
	enter(argv[5]);
	b->work(family, &sin, units / 10);
	mark_begin();
	t = now();
	b->work(family, &sin, units);
	t = now() - t;
	mark_end();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%s %s %ld %llu %.2f\n", argv[1], argv[2], units, t, (double)t / units);
	return 0;
}
