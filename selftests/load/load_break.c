// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_break NAMESPACE DEVICE ADDRESS SECONDS: takes away what connections stand on, while
 * load_race has them made. One process ends sockets by SOCK_DESTROY as soon as a dump shows
 * them, one removes the address and adds it again, one asks to unload the module, which a
 * socket of ours keeps. Exits 0 if each did so and was told nothing but what makes sense: what
 * was shown is gone, the module is in use, there is no memory.
 */
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/syscall.h>
#include "../lib/rtnl.h"

#ifndef SOCK_DESTROY
#define SOCK_DESTROY	21
#endif

#define MAX_SOCKS	256

static const char *device, *address;
static double end;
static unsigned int seed;
static int odd;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static bool more(void)
{
	return now_s() < end;
}

/* @err: 0 or -errno; true if it is 0, else it must be @fine or want of memory */
static bool check(const char *what, int err, int fine)
{
	if (!err)
		return true;
	if (err != -fine && err != -ENOMEM && err != -ENOBUFS && odd++ < 10)
		printf("# %s: %s\n", what, strerror(-err));
	return false;
}

struct socks {
	struct inet_diag_sockid id[MAX_SOCKS];
	int n;
};

static void keep_sock(const struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *m = NLMSG_DATA(nlh);
	struct socks *s = arg;

	if (s->n < MAX_SOCKS)
		s->id[s->n++] = m->id;
}

static int diag(struct rtnl *r, int type, int flags, int protocol,
		const struct inet_diag_sockid *id, struct socks *socks)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = TEST_FAMILY, .sdiag_protocol = protocol, .idiag_states = ~0U,
	};
	struct rtnl_req q;

	if (id)
		req.id = *id;
	rtnl_begin(&q, type, flags, &req, sizeof(req));
	return rtnl_talk(r, &q, keep_sock, socks);
}

static int diag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		err(1, "NETLINK_SOCK_DIAG");
	return fd;
}

/* what the dump showed may be gone, or be another one */
static unsigned long destroy(void)
{
	static struct socks socks;
	unsigned long n = 0;
	struct rtnl r = { .fd = diag_open() };
	int i, err, protocol = IPPROTO_TCP;

	while (more()) {
		socks.n = 0;
		protocol = protocol == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
		err = diag(&r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, protocol, NULL, &socks);
		if (!check("dump", err < 0 ? err : 0, 0)) {
			/* netlink keeps a dump that had no memory, and says EBUSY to the next */
			close(r.fd);
			r.fd = diag_open();
		}
		for (i = 0; i < socks.n; i++) {
			if (rnd(4))
				continue;
			err = diag(&r, SOCK_DESTROY, NLM_F_ACK, protocol, &socks.id[i], &socks);
			n += check("SOCK_DESTROY", err == -ESTALE ? -ENOENT : err, ENOENT);
		}
		sleep_s(0.001 * rnd(100));
	}
	return n;
}

static unsigned long unplug(void)
{
	unsigned long n = 0;
	struct rtnl r;
	int err;

	if (rtnl_open(&r))
		return 0;
	while (more()) {
		sleep_s(0.001 * (20 + rnd(300)));
		n += check("RTM_DELADDR", addr_del(&r, device, address, 24), 0);
		sleep_s(0.001 * rnd(20));
		do {
			err = addr_add(&r, device, address, 24);
		} while (!check("RTM_NEWADDR", err, EEXIST) && err != -EEXIST && more());
	}
	return n;
}

static unsigned long unload(void)
{
	unsigned long n = 0;
	int err;

	for (; more(); sleep_s(0.001 * rnd(20))) {
		err = syscall(SYS_delete_module, "strata", O_NONBLOCK) ? -errno : -ECHILD;
		check("delete_module", err, EWOULDBLOCK);
		n += err == -EWOULDBLOCK;
	}
	return n;
}

/* holds the module; its allocations may fail for now */
static bool hold(void)
{
	while (socket(TEST_FAMILY, SOCK_STREAM, 0) < 0) {
		if ((errno != ENOMEM && errno != ENOBUFS) || !more())
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *done;
		unsigned long (*fn)(void);
	} part[] = {
		{ "sockets ended", destroy }, { "times without the address", unplug },
		{ "times not unloaded", unload },
	};
	int i, status, bad = 0, ns;
	char path[256];

	if (argc != 5)
		return 2;
	device = argv[2];
	address = argv[3];
	snprintf(path, sizeof(path), "/run/netns/%s", argv[1]);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	end = now_s() + atoi(argv[4]);
	if (ns < 0 || setns(ns, CLONE_NEWNET) || !hold()) {
		printf("# %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (i = 0; i < 3; i++) {
		unsigned long n;

		if (fork())
			continue;
		alarm(atoi(argv[4]) + 60);	/* a call that hangs ends the test */
		seed = i + 1;
		n = part[i].fn();
		printf("# %lu %s\n", n, part[i].done);
		fflush(stdout);
		_exit(odd || !n);
	}
	while (wait(&status) > 0)
		bad |= status;
	return bad != 0;
}
