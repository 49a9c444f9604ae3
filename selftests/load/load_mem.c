// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_mem SERVER CLIENT ADDRESS: the account of socket memory. All that a socket holds was
 * charged in whole pages, so what is queued and what is left over of the pages (SO_MEMINFO)
 * add up to whole pages again, and the sums of all sockets to what sockstat says; and
 * /proc/net/protocols counts them. And a
 * segment that a socket filter cuts counts as long as what is left of it.
 */
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "load.h"

#define PAIRS	16

static struct side server, client;
static const char *address;
static int page;

static bool expect(const char *what, long got, long want)
{
	if (got == want)
		return true;
	printf("# %s: %ld, expected %ld\n", what, got, want);
	return false;
}

/* TCP's "mem" of /proc/net/strata/sockstat, pages; -1: not there */
static long sockstat_mem(void)
{
	FILE *f = fopen("/proc/thread-self/net/strata/sockstat", "r");
	char line[256], *at;
	long mem = -1;

	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, " mem ");
		if (!strncmp(line, "TCP:", 4) && at)
			mem = atol(at + 5);
	}
	if (f)
		fclose(f);
	return mem;
}

/* sockets of Strata's TCP in the server's namespace, as /proc/net/protocols counts them */
static int sockets(void)
{
	FILE *f = side_enter(&server) ? NULL : fopen("/proc/thread-self/net/protocols", "r");
	char line[256];
	int n = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "STRATA-TCP %*d %d", &n);
	if (f)
		fclose(f);
	return n;
}

/* wait until @fd has @len bytes to read */
static bool arrived(int fd, int len)
{
	int i, n = 0;

	for (i = 0; i < 5000; i++) {
		if (!ioctl(fd, FIONREAD, &n) && n >= len)
			break;
		usleep(1000);
	}
	return expect("bytes to read", n, len);
}

/* pages of a socket; -1: they do not add up */
static int pages_of(int fd, const char *who)
{
	unsigned int mem[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(mem);
	int sum, n = 0;

	ioctl(fd, FIONREAD, &n);
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len))
		return -1;
	sum = mem[SK_MEMINFO_RMEM_ALLOC] + mem[SK_MEMINFO_WMEM_QUEUED] +
	      mem[SK_MEMINFO_FWD_ALLOC];
	if ((int)mem[SK_MEMINFO_FWD_ALLOC] >= 0 && (int)mem[SK_MEMINFO_RMEM_ALLOC] >= n &&
	    !(sum % page))
		return sum / page;
	printf("# %s: %d to read, rmem %u, wmem %u, left over %d\n", who, n,
	       mem[SK_MEMINFO_RMEM_ALLOC], mem[SK_MEMINFO_WMEM_QUEUED],
	       (int)mem[SK_MEMINFO_FWD_ALLOC]);
	return -1;
}

/* all read: nothing is held any more, but a page for next time where Strata may keep one */
static bool kept(int pages, bool strata)
{
	if (strata && pages == 1)
		return true;
	return expect("pages when read", pages, 0);
}

static bool same_ns(void)
{
	struct stat a, b;

	return !fstat(server.ns, &a) && !fstat(client.ns, &b) && a.st_ino == b.st_ino;
}

static bool check_account(void)
{
	static const int sizes[] = { 1, 100, 1448, 5000, 30000 };
	bool strata = server.family != AF_INET && client.family != AF_INET, ok = true;
	int l = side_listen(&server, address, port(), PAIRS, 0), c[PAIRS], s[PAIRS], i, len, n;
	static char buf[30000];
	bool counted = true;
	long sum = 0, start;

	start = sockstat_mem();
	if (strata)
		ok = expect("pages before", start, 0);
	for (i = 0; i < PAIRS; i++) {
		c[i] = side_socket(&client, 0);
		ok = expect("connect", connect_to(c[i], address, port()), 0) && ok;
		len = sizes[i % 5];
		ok = expect("send", send(c[i], buf, len, 0), len) && ok;
	}
	for (i = 0; ok && i < PAIRS; i++) {
		s[i] = accept(l, NULL, NULL);
		ok = arrived(s[i], sizes[i % 5]);
	}
	/* with the listener */
	n = 1 + PAIRS + (client.family == server.family && same_ns() ? PAIRS : 0);
	counted = !ok || server.family == AF_INET || expect("sockets", sockets(), n);
	usleep(300000);		/* the last delayed ACK */
	for (i = 0; ok && i < PAIRS; i++) {
		n = pages_of(s[i], "receiver");
		ok = n > 0;
		sum += n;
		n = pages_of(c[i], "sender");
		ok = ok && n >= 0;
		sum += n;
	}
	if (ok && strata)
		ok = expect("pages, sockstat and all sockets", sockstat_mem(), sum);
	for (i = 0; ok && i < PAIRS; i++)
		ok = expect("recv", recv(s[i], buf, sizeof(buf), 0), sizes[i % 5]) &&
		     kept(pages_of(s[i], "receiver"), server.family != AF_INET);
	for (i = 0; i < PAIRS; i++) {
		close(c[i]);
		close(s[i]);
	}
	close(l);
	if (strata)
		ok = expect("pages after", sockstat_mem(), 0) && ok;
	return ok && counted;
}

/* TCP_DEFER_ACCEPT: data opens the connection, and the listener's filter cuts it */
static bool check_filter(void)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 32 + 10);
	struct sock_fprog prog = { .len = 1, .filter = &code };
	int l = side_listen(&server, address, port(), PAIRS, 0), c, s, defer = 10, i;
	unsigned char buf[100], got[200];
	bool ok;

	for (i = 0; i < 100; i++)
		buf[i] = i + 1;
	c = side_socket(&client, 0);
	ok = expect("filter", setsockopt(l, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)),
		    0) &&
	     expect("defer", setsockopt(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer)),
		    0) &&
	     expect("connect", connect_to(c, address, port()), 0) &&
	     expect("send", send(c, buf, 100, 0), 100);
	s = ok ? accept(l, NULL, NULL) : -1;
	/* headers of 32 bytes and 10 of data; the rest comes with the sender's retransmissions */
	ok = ok && arrived(s, 10) && expect("recv", recv(s, got, sizeof(got), 0), 10) &&
	     arrived(s, 10) && expect("recv", recv(s, got + 10, 100, 0), 10) &&
	     expect("compared", memcmp(buf, got, 20), 0);
	close(s);
	close(c);
	close(l);
	return ok;
}

int main(int argc, char **argv)
{
	bool ok;

	if (argc != 4)
		return 2;
	page = sysconf(_SC_PAGESIZE);
	server = side_parse(argv[1]);
	client = side_parse(argv[2]);
	address = argv[3];
	ok = check_account();
	return !(check_filter() && ok);
}
