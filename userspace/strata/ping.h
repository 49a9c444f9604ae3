/* SPDX-License-Identifier: GPL-2.0-only */
/* strata ping: ping.c sends and receives, ping_print.c reports. */
#ifndef STRATA_PING_H
#define STRATA_PING_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define PING_MAX_DATA	65507	/* 65535 - IP header - ICMP header */

/**
 * struct ping - one run
 * @name, @dst:	host as given and its address
 * @interval:	between requests, @wait for the last reply, @deadline for all:
 *		in ns; 0: none given
 * @sent_at:	time of each sequence number's request, ns; 0: none or answered
 * @answered:	a bit for each sequence number
 * @rtt_*:	in ns
 */
struct ping {
	const char *name;
	struct sockaddr_in dst;
	const char *source;
	unsigned int count, size, ttl;
	int64_t interval, wait, deadline;
	bool quiet;
	int fd;

	int64_t start, last;
	uint64_t sent, received, duplicates, errors, corrupted;
	int64_t rtt_min, rtt_max;
	double rtt_sum, rtt_sum2;
	int64_t sent_at[65536];
	uint8_t answered[65536 / 8];
	unsigned char packet[8 + PING_MAX_DATA];
	json_t *replies;
};

void ping_print_start(const struct ping *p);
void ping_print_reply(struct ping *p, const struct sockaddr_in *from,
		      unsigned int len, unsigned int seq, int ttl, int64_t rtt,
		      bool duplicate, bool corrupted);
/* An ICMP error about one of the requests, or an error of the socket. */
void ping_print_icmp(struct ping *p, const struct sockaddr_in *from,
		     unsigned int seq, unsigned int type, unsigned int code);
void ping_print_errno(struct ping *p, int error);
void ping_print_summary(struct ping *p);

#endif
