// SPDX-License-Identifier: GPL-2.0-only
/* What strata ping prints, in ping(8)'s words, or collects for JSON. */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

#include "ping.h"
#include "rt.h"
#include "strata.h"

static double msec(int64_t nsec)
{
	return (double)nsec / 1e6;
}

void ping_print_start(const struct ping *p)
{
	if (opt.json)
		return;
	printf("PING %s (%s) %u(%u) bytes of data.\n", p->name,
	       rt_ipv4(p->dst.sin_addr), p->size, p->size + 28);
	fflush(stdout);
}

static void add_json(struct ping *p, json_t *j)
{
	if (!p->replies)
		p->replies = json_array();
	json_array_append_new(p->replies, j);
}

/* With a digit more the shorter it took, as ping does. */
static void print_time(int64_t rtt)
{
	double ms = msec(rtt);

	if (rtt >= 0)
		printf(" time=%.*f ms", ms >= 100 ? 0 : ms >= 10 ? 1 :
		       ms >= 1 ? 2 : 3, ms);
}

void ping_print_reply(struct ping *p, const struct sockaddr_in *from,
		      unsigned int len, unsigned int seq, int ttl, int64_t rtt,
		      bool duplicate, bool corrupted)
{
	if (p->quiet)
		return;
	if (opt.json) {
		add_json(p, json_pack("{ss sI sI si sf sb sb}",
				      "from", rt_ipv4(from->sin_addr),
				      "bytes", (json_int_t)len,
				      "icmp_seq", (json_int_t)seq, "ttl", ttl,
				      "time_ms", msec(rtt),
				      "duplicate", duplicate,
				      "corrupted", corrupted));
		return;
	}
	printf("%u bytes from %s: icmp_seq=%u", len, rt_ipv4(from->sin_addr),
	       seq);
	if (ttl >= 0)
		printf(" ttl=%d", ttl);
	print_time(rtt);
	if (duplicate)
		fputs(" (DUP!)", stdout);
	if (corrupted)
		fputs(" (DATA DIFFERS!)", stdout);
	putchar('\n');
	fflush(stdout);
}

static const char *icmp_text(unsigned int type, unsigned int code)
{
	static const char *const unreachable[] = {
		"Destination Net Unreachable", "Destination Host Unreachable",
		"Destination Protocol Unreachable",
		"Destination Port Unreachable", "Frag needed and DF set",
		"Source Route Failed", "Destination Net Unknown",
		"Destination Host Unknown",
	};

	if (type == ICMP_DEST_UNREACH)
		return code < sizeof(unreachable) / sizeof(unreachable[0]) ?
		       unreachable[code] : "Destination Unreachable";
	if (type == ICMP_TIME_EXCEEDED)
		return code ? "Frag reassembly time exceeded" :
			      "Time to live exceeded";
	return type == ICMP_PARAMETERPROB ? "Parameter problem" : "ICMP error";
}

void ping_print_icmp(struct ping *p, const struct sockaddr_in *from,
		     unsigned int seq, unsigned int type, unsigned int code)
{
	p->errors++;
	if (p->quiet)
		return;
	if (opt.json)
		add_json(p, json_pack("{ss sI ss}", "from",
				      rt_ipv4(from->sin_addr), "icmp_seq",
				      (json_int_t)seq, "error",
				      icmp_text(type, code)));
	else
		printf("From %s icmp_seq=%u %s\n", rt_ipv4(from->sin_addr), seq,
		       icmp_text(type, code));
	fflush(stdout);
}

void ping_print_errno(struct ping *p, int error)
{
	p->errors++;
	if (p->quiet)
		return;
	if (opt.json)
		add_json(p, json_pack("{ss}", "error", strerror(error)));
	else
		printf("ping: %s\n", strerror(error));
	fflush(stdout);
}

static double loss(const struct ping *p)
{
	if (!p->sent || p->received >= p->sent)
		return 0;
	return 100.0 * (double)(p->sent - p->received) / (double)p->sent;
}

static double mean(const struct ping *p)
{
	return p->received ? p->rtt_sum / (double)p->received : 0;
}

static double deviation(const struct ping *p)
{
	double m = mean(p), v;

	if (!p->received)
		return 0;
	v = p->rtt_sum2 / (double)p->received - m * m;
	return v > 0 ? sqrt(v) : 0;
}

static void summary_json(struct ping *p)
{
	json_t *j;

	j = json_pack("{ss ss sI sI sI sI sI sf sf}",
		      "host", p->name, "address", rt_ipv4(p->dst.sin_addr),
		      "transmitted", (json_int_t)p->sent,
		      "received", (json_int_t)p->received,
		      "duplicates", (json_int_t)p->duplicates,
		      "errors", (json_int_t)p->errors,
		      "corrupted", (json_int_t)p->corrupted,
		      "loss_percent", loss(p),
		      "time_ms", msec(p->last - p->start));
	if (p->received)
		json_object_set_new(j, "rtt_ms",
				    json_pack("{sf sf sf sf}",
					      "min", msec(p->rtt_min),
					      "avg", mean(p) / 1e6,
					      "max", msec(p->rtt_max),
					      "mdev", deviation(p) / 1e6));
	json_object_set_new(j, "replies", p->replies ? p->replies : json_array());
	p->replies = NULL;
	json_out(json_pack("[o]", j));
}

void ping_print_summary(struct ping *p)
{
	if (opt.json) {
		summary_json(p);
		return;
	}
	printf("\n--- %s ping statistics ---\n", p->name);
	printf("%llu packets transmitted, %llu received",
	       (unsigned long long)p->sent, (unsigned long long)p->received);
	if (p->duplicates)
		printf(", +%llu duplicates", (unsigned long long)p->duplicates);
	if (p->corrupted)
		printf(", +%llu corrupted", (unsigned long long)p->corrupted);
	if (p->errors)
		printf(", +%llu errors", (unsigned long long)p->errors);
	printf(", %.4g%% packet loss, time %.0fms\n", loss(p),
	       msec(p->last - p->start));
	if (p->received)
		printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
		       msec(p->rtt_min), mean(p) / 1e6, msec(p->rtt_max),
		       deviation(p) / 1e6);
}
