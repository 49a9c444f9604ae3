// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_race SERVER CLIENT ADDRESS SECONDS [CREWS [gone] [memory]]: threads that get into each
 * other's way. In each crew two connect and share every descriptor with one that shuts down,
 * closes, polls, sends and receives on whatever it finds there; one accepts and another does
 * the same to what was accepted. One more closes the listener and opens it again, with
 * connections in its queue, and three share UDP and ping sockets. No call may hang, and none
 * may answer an errno that makes no sense: "gone": addresses go (load_break), "memory":
 * allocations fail. What the kernel thinks of it, its checkers say.
 */
#include <pthread.h>
#include <stdbool.h>
#include "load.h"

#define SLOTS	8
#define CREW	5	/* threads */
#define CREWS	8
#define ALONE	5	/* threads beside the crews */
#define GRAMS	3	/* few, so that threads meet */

static struct side server, client;
static const char *address;
static volatile bool stop;
static bool gone, memory;
static int listener = -1;
static int made[SLOTS], taken[SLOTS];	/* descriptors, -1: none */
static int grams[GRAMS];
static unsigned long connected, accepted, sent, odd;

static unsigned int rnd(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

/* descriptors are closed under other threads: any of these may come */
static void check(const char *call, int ret)
{
	static const int fine[] = {
		EBADF, ENOTCONN, EPIPE, ECONNRESET, ECONNREFUSED, EAGAIN, EINPROGRESS, EALREADY,
		EISCONN, EINVAL, ECONNABORTED, ETIMEDOUT, EADDRINUSE, EADDRNOTAVAIL, ENOTSOCK,
		EOPNOTSUPP, EDESTADDRREQ,
	};
	unsigned int i;
	int err = errno;

	if (ret >= 0)
		return;
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (err == fine[i])
			return;
	/* down: the device was no longer Strata's while a datagram was on its way there */
	if (gone && (err == ENETUNREACH || err == EHOSTUNREACH || err == ENETDOWN))
		return;
	if (memory && (err == ENOMEM || err == ENOBUFS))
		return;
	if (__sync_fetch_and_add(&odd, 1) < 10)
		printf("# %s: %s\n", call, strerror(err));
}

static void put(int *slots, int n, unsigned int *seed, int fd)
{
	int old = __sync_lock_test_and_set(&slots[rnd(seed, n)], fd);

	if (old >= 0)
		close(old);
}

static void meddle(int *slots, unsigned int *seed)
{
	static char buf[20000];
	unsigned int i = rnd(seed, SLOTS);
	/* abort, or wait a second for the peer */
	struct linger lg = { 1, rnd(seed, 2) };
	struct pollfd pfd;
	int fd = slots[i];

	if (fd < 0) {
		usleep(100);
		return;
	}
	switch (rnd(seed, 8)) {
	case 0:
		check("shutdown", shutdown(fd, rnd(seed, 3)));
		break;
	case 1:
		fd = __sync_lock_test_and_set(&slots[i], -1);
		if (fd >= 0)
			close(fd);
		break;
	case 2:
		pfd = (struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };
		check("poll", poll(&pfd, 1, rnd(seed, 5)));
		break;
	case 3:
		check("send", send(fd, buf, 1 + rnd(seed, sizeof(buf) - 1),
				   MSG_DONTWAIT | MSG_NOSIGNAL));
		break;
	case 4:
		check("recv", recv(fd, buf, sizeof(buf) / 2, MSG_DONTWAIT));
		break;
	case 5:
		/* closed with a reset by whoever closes it */
		check("linger", setsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg)));
		break;
	case 6:
		check("connect again", connect_to(fd, address, port()));
		break;
	case 7:
		check("disconnect", connect(fd, &(struct sockaddr){ AF_UNSPEC },
					    sizeof(struct sockaddr_in)));
		break;
	}
}

static void *connector(void *arg)
{
	unsigned int seed = (long)arg;
	struct timeval tv = { .tv_usec = 200000 };

	while (!stop) {
		int fd = side_socket(&client, rnd(&seed, 2) ? SOCK_NONBLOCK : 0), ret;

		if (fd < 0) {
			check("socket", fd);
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		put(made, SLOTS, &seed, fd);
		ret = connect_to(fd, address, port());
		check("connect", ret);
		if (!ret)
			__sync_fetch_and_add(&connected, 1);
	}
	return NULL;
}

static void *meddler_of_made(void *arg)
{
	unsigned int seed = (long)arg;

	while (!stop)
		meddle(made, &seed);
	return NULL;
}

static void *meddler_of_taken(void *arg)
{
	unsigned int seed = (long)arg;

	while (!stop)
		meddle(taken, &seed);
	return NULL;
}

static void *acceptor(void *arg)
{
	unsigned int seed = (long)arg;
	struct pollfd pfd = { .events = POLLIN };

	while (!stop) {
		int fd;

		pfd.fd = listener;
		check("poll listener", poll(&pfd, 1, 10));
		fd = accept4(pfd.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		check("accept", fd);
		if (fd >= 0) {
			__sync_fetch_and_add(&accepted, 1);
			put(taken, SLOTS, &seed, fd);
		}
	}
	return NULL;
}

/* one of a group, so that two may be there */
static int group_listen(int backlog)
{
	struct sockaddr_in sin = addr_of(address, port());
	int fd = side_socket(&server, SOCK_NONBLOCK), one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* before 6.2 the core keeps SO_REUSEPORT for AF_INET; native has no such level */
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(fd, SOL_STRATA, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, backlog)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* listeners come and go, with an heir for what they have begun (tcp_migrate_req) and without */
static void *listener_mover(void *arg)
{
	unsigned int seed = (long)arg;
	int old, next;

	while (!stop) {
		old = rnd(&seed, 3) ? -1 : __sync_lock_test_and_set(&listener, -1);
		if (old >= 0)
			close(old);
		next = group_listen(1 + rnd(&seed, 8));
		if (next < 0) {
			check("listen", next);
			usleep(1000);
			continue;
		}
		old = __sync_lock_test_and_set(&listener, next);
		if (old >= 0 && rnd(&seed, 2))
			shutdown(old, SHUT_RDWR);
		if (old >= 0)
			close(old);
		usleep(2000 + rnd(&seed, 40000));
	}
	close(__sync_lock_test_and_set(&listener, -1));
	return NULL;
}

/* ---- UDP, and ping where it may be had ---- */

static void *gram_maker(void *arg)
{
	unsigned int seed = (long)arg;
	struct sockaddr_in sin = addr_of(address, port());

	while (!stop) {
		bool ping = !rnd(&seed, 4);
		int fd = -1;

		if (!side_enter(&client))
			fd = socket(client.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    ping ? IPPROTO_ICMP : 0);
		if (fd < 0 && (!ping || errno != EACCES))
			check("datagram socket", fd);
		if (fd < 0)
			continue;
		/* somebody's port, now and then that of all */
		sin.sin_port = htons(rnd(&seed, 2) ? port() : 0);
		sin.sin_addr.s_addr = 0;
		if (!rnd(&seed, 4))
			check("bind", bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
		put(grams, GRAMS, &seed, fd);
		usleep(rnd(&seed, 500));
	}
	return NULL;
}

static void *gram_meddler(void *arg)
{
	static const struct sockaddr none = { AF_UNSPEC };
	static const char echo[64] = { 8 };
	unsigned int seed = (long)arg;
	char buf[64];

	while (!stop) {
		unsigned int i = rnd(&seed, GRAMS);
		int fd = grams[i], n;

		switch (fd < 0 ? -1 : (int)rnd(&seed, 8)) {
		case 0:
		case 1:
		case 2:
			check("connect", connect_to(fd, address, port() + rnd(&seed, 3)));
			break;
		case 3:
		case 4:
			check("disconnect", connect(fd, &none, sizeof(struct sockaddr_in)));
			break;
		case 5:
			n = send(fd, echo, sizeof(echo), MSG_DONTWAIT | MSG_NOSIGNAL);
			check("send", n);
			__sync_fetch_and_add(&sent, n > 0);
			break;
		case 6:
			check("recv", recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
			break;
		case 7:
			fd = rnd(&seed, 8) ? -1 : __sync_lock_test_and_set(&grams[i], -1);
			if (fd >= 0)
				close(fd);
			break;
		default:
			usleep(100);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	void *(*const alone[ALONE])(void *) = {
		listener_mover, listener_mover, gram_maker, gram_meddler, gram_meddler,
	};
	void *(*const crew[CREW])(void *) = {
		connector, connector, meddler_of_made, meddler_of_taken, acceptor,
	};
	pthread_t t[CREW * CREWS + ALONE];
	int i, n;

	n = CREW * (argc > 5 ? atoi(argv[5]) : 1);
	if (argc < 5 || n < CREW || n > CREW * CREWS)
		return 2;
	for (i = 6; i < argc; i++) {
		gone |= !strcmp(argv[i], "gone");
		memory |= !strcmp(argv[i], "memory");
	}
	many_files();
	server = side_parse(argv[1]);
	client = side_parse(argv[2]);
	address = argv[3];
	for (i = 0; i < SLOTS; i++) {
		made[i] = -1;
		taken[i] = -1;
	}
	for (i = 0; i < GRAMS; i++)
		grams[i] = -1;
	alarm(atoi(argv[4]) + 60);	/* a call that hangs ends the test */
	for (i = 0; i < n + ALONE; i++)
		if (pthread_create(&t[i], NULL, i < n ? crew[i % CREW] : alone[i - n],
				   (void *)(long)(i + 1)))
			return 1;
	sleep(atoi(argv[4]));
	stop = true;
	for (i = 0; i < n + ALONE; i++)
		pthread_join(t[i], NULL);
	printf("# %lu connected at once, %lu accepted, %lu datagrams\n", connected, accepted, sent);
	return odd || !accepted || !sent;
}
