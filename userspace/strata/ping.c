// SPDX-License-Identifier: GPL-2.0-only
/*
 * strata ping: ICMP echo (RFC 792) from a datagram ping socket of Strata. The
 * kernel owns the identifier; sequence numbers are counted here, and the time
 * a request was sent is kept by its number, so that packets of any size are
 * timed. The payload is a known pattern, checked in every reply.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "args.h"
#include "ping.h"
#include "strata.h"

#define NSEC 1000000000LL

static const char help[] =
"Usage: strata ping [OPTIONS] HOST\n"
"\n"
"  -c COUNT     stop after so many requests    -i SECONDS  between requests (1)\n"
"  -s BYTES     of data in a request (56)      -W SECONDS  wait for the last reply\n"
"  -w SECONDS   stop after so long             -t TTL      time to live\n"
"  -I ADDRESS|DEVICE  to send from             -q          print the summary alone\n"
"  -j           print JSON\n"
"\n"
"Exit status: 0 a reply came, 1 none came, 2 another error.\n";

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

static bool read_seconds(const char *word, int64_t *to)
{
	char *end;
	double v = strtod(word, &end);

	if (!isdigit((unsigned char)*word) || *end || v > 86400)
		return false;
	*to = (int64_t)(v * NSEC);
	return true;
}

/* -I names a device or one of our addresses. */
static int use_source(const struct ping *p)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	if (!p->source)
		return 0;
	if (arg_ipv4.parse(p->source, &a.sin_addr))
		return bind(p->fd, (struct sockaddr *)&a, sizeof(a));
	return setsockopt(p->fd, SOL_SOCKET, SO_BINDTODEVICE, p->source,
			  strlen(p->source));
}

static int open_socket(struct ping *p)
{
	int one = 1;

	p->fd = socket(opt.family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (p->fd < 0) {
		fprintf(stderr, "Error: cannot open a ping socket: %s.\n",
			strerror(errno));
		return EXIT_KERNEL;
	}
	setsockopt(p->fd, SOL_IP, IP_RECVTTL, &one, sizeof(one));
	setsockopt(p->fd, SOL_IP, IP_RECVERR, &one, sizeof(one));
	if (p->ttl && setsockopt(p->fd, SOL_IP, IP_TTL, &p->ttl, sizeof(int))) {
		fprintf(stderr, "Error: cannot set the time to live: %s.\n",
			strerror(errno));
		return EXIT_KERNEL;
	}
	if (use_source(p)) {
		fprintf(stderr, "Error: cannot send from %s: %s.\n", p->source,
			strerror(errno));
		return EXIT_KERNEL;
	}
	return 0;
}

static void send_request(struct ping *p)
{
	struct icmphdr *icmp = (void *)p->packet;
	unsigned int seq = (p->sent + 1) & 0xffff, i;

	memset(icmp, 0, sizeof(*icmp));
	icmp->type = ICMP_ECHO;
	icmp->un.echo.sequence = htons(seq);
	for (i = 0; i < p->size; i++)
		p->packet[sizeof(*icmp) + i] = i;
	p->sent++;
	p->sent_at[seq] = now();
	p->answered[seq / 8] &= ~(1 << seq % 8);
	if (sendto(p->fd, p->packet, sizeof(*icmp) + p->size, 0,
		   (struct sockaddr *)&p->dst, sizeof(p->dst)) < 0 &&
	    errno != EINTR)
		ping_print_errno(p, errno);
}

static int64_t count_reply(struct ping *p, unsigned int seq, bool duplicate)
{
	int64_t rtt;

	if (duplicate)
		p->duplicates++;
	else
		p->received++;
	p->answered[seq / 8] |= 1 << seq % 8;
	if (!p->sent_at[seq])
		return -1;
	rtt = now() - p->sent_at[seq];
	if (duplicate)
		return rtt;
	if (p->received == 1 || rtt < p->rtt_min)
		p->rtt_min = rtt;
	if (rtt > p->rtt_max)
		p->rtt_max = rtt;
	p->rtt_sum += (double)rtt;
	p->rtt_sum2 += (double)rtt * (double)rtt;
	return rtt;
}

static bool data_differs(const struct ping *p, const unsigned char *data,
			 size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (data[i] != (unsigned char)i)
			return true;
	return len != p->size;
}

static int reply_ttl(struct msghdr *msg)
{
	struct cmsghdr *c;
	int ttl;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) {
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
			return ttl;
		}
	}
	return -1;
}

/* An error from the network, quoting our request; false if there is none. */
static bool read_error(struct ping *p)
{
	unsigned char data[sizeof(struct icmphdr)];
	union { char buf[512]; struct cmsghdr align; } control;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	const struct sock_extended_err *ee;
	const struct icmphdr *icmp = (void *)data;
	struct cmsghdr *c;

	if (recvmsg(p->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_IP || c->cmsg_type != IP_RECVERR)
			continue;
		ee = (void *)CMSG_DATA(c);
		if (ee->ee_origin == SO_EE_ORIGIN_ICMP)
			ping_print_icmp(p, (void *)SO_EE_OFFENDER(ee),
					ntohs(icmp->un.echo.sequence),
					ee->ee_type, ee->ee_code);
		else
			ping_print_errno(p, ee->ee_errno);
	}
	return true;
}

static void read_replies(struct ping *p)
{
	static unsigned char data[65536];
	union { char buf[256]; struct cmsghdr align; } control;
	const struct icmphdr *icmp = (void *)data;
	struct sockaddr_in from;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg;
	unsigned int seq;
	bool dup, bad;
	ssize_t len;

	for (;;) {
		memset(&msg, 0, sizeof(msg));
		msg = (struct msghdr){
			.msg_name = &from, .msg_namelen = sizeof(from),
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control.buf,
			.msg_controllen = sizeof(control.buf),
		};
		len = recvmsg(p->fd, &msg, MSG_DONTWAIT);
		if (len < 0) {
			int error = errno;

			if (error != EAGAIN && error != EINTR && !read_error(p))
				ping_print_errno(p, error);
			return;
		}
		if (len < (ssize_t)sizeof(*icmp) || icmp->type != ICMP_ECHOREPLY)
			continue;
		seq = ntohs(icmp->un.echo.sequence);
		dup = p->answered[seq / 8] & (1 << seq % 8);
		bad = data_differs(p, data + sizeof(*icmp), len - sizeof(*icmp));
		p->corrupted += bad;
		ping_print_reply(p, &from, len, seq, reply_ttl(&msg),
				 count_reply(p, seq, dup), dup, bad);
	}
}

/* Wait for packets until @until. */
static void wait_until(struct ping *p, int64_t until)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	int64_t left = until - now();
	struct timespec t;

	if (left < 0)
		left = 0;
	t = (struct timespec){ .tv_sec = left / NSEC, .tv_nsec = left % NSEC };
	if (ppoll(&pfd, 1, &t, NULL) <= 0)
		return;
	if (pfd.revents & POLLERR)
		read_error(p);
	read_replies(p);
}

/* After the last request: the time its reply may take. */
static int64_t last_wait(const struct ping *p)
{
	if (p->wait)
		return p->wait;
	if (!p->received)
		return 10 * NSEC;
	return 2 * p->rtt_max > NSEC ? 2 * p->rtt_max : NSEC;
}

static void run(struct ping *p)
{
	int64_t next, end;
	bool all_sent = false;

	p->start = now();
	next = p->start;
	while (!stopped) {
		if (!all_sent && now() >= next) {
			send_request(p);
			next += p->interval;
			if (next < now())
				next = now();
			all_sent = p->count && p->sent >= p->count;
			if (all_sent)
				next = now() + last_wait(p);
		}
		end = next;
		if (p->deadline && p->start + p->deadline < end)
			end = p->start + p->deadline;
		wait_until(p, end);
		if (all_sent && p->received + p->errors >= p->count)
			break;
		if (now() >= end && (all_sent || end < next))
			break;
	}
	p->last = now();
}

static int take_number(const char *word, unsigned int *to, unsigned int min,
		       unsigned int max, const char *what)
{
	if (parse_u32(word, to, max) && *to >= min)
		return 0;
	return usage_error("%s from %u to %u is expected rather than \"%s\".",
			   what, min, max, word);
}

static int take_seconds(const char *word, int64_t *to)
{
	if (read_seconds(word, to))
		return 0;
	return usage_error("a number of seconds is expected rather than \"%s\".",
			   word);
}

static int take_option(struct ping *p, int c, const char *word)
{
	switch (c) {
	case 'c':
		return take_number(word, &p->count, 1, UINT32_MAX, "a count");
	case 's':
		return take_number(word, &p->size, 0, PING_MAX_DATA, "a size");
	case 't':
		return take_number(word, &p->ttl, 1, 255, "a time to live");
	case 'i':
		return take_seconds(word, &p->interval);
	case 'W':
		return take_seconds(word, &p->wait);
	case 'w':
		return take_seconds(word, &p->deadline);
	case 'I':
		p->source = word;
		return 0;
	case 'q':
		p->quiet = true;
		return 0;
	case 'j':
		opt.json = true;
		return 0;
	case 'n':
		return 0;
	case ':':
		return usage_error("a value is expected after \"-%c\".", optopt);
	}
	return usage_error("an option (-c -i -s -W -w -t -I -q -j -h) is expected rather than \"-%c\".",
			   optopt);
}

static int resolve(struct ping *p)
{
	struct addrinfo hint = { .ai_family = AF_INET }, *ai;
	int err = getaddrinfo(p->name, NULL, &hint, &ai);

	if (err) {
		fprintf(stderr, "Error: %s: %s.\n", p->name, gai_strerror(err));
		return EXIT_KERNEL;
	}
	p->dst = *(struct sockaddr_in *)(void *)ai->ai_addr;
	freeaddrinfo(ai);
	return 0;
}

static int ping(struct ping *p)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int err;

	err = resolve(p);
	if (!err && !family_require())
		err = EXIT_KERNEL;
	if (!err)
		err = open_socket(p);
	if (err)
		return err;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	ping_print_start(p);
	run(p);
	ping_print_summary(p);
	if (p->deadline && p->count && p->received < p->count)
		return 1;
	return !p->received;
}

int cmd_ping(int argc, char **argv)
{
	static struct ping p;
	int c, err;

	p = (struct ping){ .fd = -1, .size = 56, .interval = NSEC };
	opterr = 0;
	optind = 0;
	if (argc == 2 && is_help(argv[1])) {
		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	while ((c = getopt(argc, argv, ":c:i:s:W:w:t:I:qjnh4")) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		err = c == '4' ? 0 : take_option(&p, c, optarg);
		if (err)
			return err;
	}
	if (optind + 1 != argc)
		return usage_error("one host is expected.");
	p.name = argv[optind];
	err = ping(&p);
	if (p.fd >= 0)
		close(p.fd);
	return err;
}
