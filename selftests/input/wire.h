/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP and UDP by hand over lib/tun.h's device, and the counters of the namespace. */
#ifndef INPUT_WIRE_H
#define INPUT_WIRE_H

#include "../lib/tun.h"

#define PEER_PORT	40000

/* the debug machine checks every access to memory: the same there, but less of it */
static inline bool slow_machine(void)
{
	const char *machine = getenv("STRATA_MACHINE");

	return machine && !strcmp(machine, "debug");
}

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

/* a segment; sums and lengths are put in by seg_make() */
struct seg {
	uint16_t from, to;
	uint32_t seq, ack;
	int flags;
	const void *opt;
	int optlen;
	const void *data;
	int len;
};

/* the checksum of TCP and UDP, over the pseudo header too; @at: where the sum stands */
static inline void l4_sum(struct pkt *p, int at)
{
	int hlen = p->ip.ihl * 4, len = p->len - hlen;
	uint8_t *l4 = p->b + hlen, pseudo[12];
	uint32_t s;

	if (len < at + 2)
		return;
	memcpy(pseudo, &p->ip.saddr, 8);
	pseudo[8] = 0;
	pseudo[9] = p->ip.protocol;
	pseudo[10] = len >> 8;
	pseudo[11] = len;
	l4[at] = 0;
	l4[at + 1] = 0;
	s = (uint16_t)~ntohs(sum16(pseudo, 12));
	s += (uint16_t)~ntohs(sum16(l4, len));
	s = (s & 0xffff) + (s >> 16);
	s = ~((s & 0xffff) + (s >> 16));
	l4[at] = s >> 8;
	l4[at + 1] = s;
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static inline uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline struct pkt *seg_make(struct pkt *p, const struct seg *s)
{
	uint8_t tcp[60] = { 0 };
	int hlen = 20 + s->optlen;

	put16(tcp, s->from);
	put16(tcp + 2, s->to);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[12] = hlen << 2;
	tcp[13] = s->flags;
	put16(tcp + 14, 65535);
	memcpy(tcp + 20, s->opt, s->optlen);
	ip_make(p, IPPROTO_TCP, tcp, hlen);
	memcpy(p->b + 20 + hlen, s->data, s->len);
	p->len += s->len;
	p->ip.tot_len = htons(p->len);
	ip_sum(p);
	l4_sum(p, 16);
	return p;
}

static inline struct pkt *udp_make(struct pkt *p, int from, int to, int len)
{
	uint8_t udp[8 + 1500];
	int i;

	put16(udp, from);
	put16(udp + 2, to);
	put16(udp + 4, 8 + len);
	put16(udp + 6, 0);
	for (i = 0; i < len; i++)
		udp[8 + i] = i;
	ip_make(p, IPPROTO_UDP, udp, 8 + len);
	l4_sum(p, 6);
	return p;
}

/* the next TCP segment to @port within @ms, taken apart; data stays in @p */
static inline bool seg_next(int fd, int ms, int port, struct pkt *p, struct seg *s)
{
	const uint8_t *t;

	while (pkt_next(fd, ms, p)) {
		t = p->b + p->ip.ihl * 4;
		if (p->ip.protocol != IPPROTO_TCP || p->len < 40 || get16(t + 2) != port)
			continue;
		*s = (struct seg){
			.from = get16(t), .to = port, .seq = get32(t + 4), .ack = get32(t + 8),
			.flags = t[13], .data = t + (t[12] >> 4) * 4,
		};
		s->len = p->b + p->len - (const uint8_t *)s->data;
		return true;
	}
	return false;
}

/* the counter @name of @group in /proc/net/<file>, -1: there is none */
static inline long counter(const char *file, const char *group, const char *name)
{
	static char names[16384], values[16384];
	char path[64], *n, *v, *np, *vp;
	long val = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/thread-self/net/%s", file);
	f = fopen(path, "r");
	while (f && val < 0 && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		if (strncmp(names, group, strlen(group)) || names[strlen(group)] != ':')
			continue;
		n = strtok_r(names, " \n", &np);
		v = strtok_r(values, " \n", &vp);
		while (n && v && val < 0) {
			if (!strcmp(n, name))
				val = atol(v);
			n = strtok_r(NULL, " \n", &np);
			v = strtok_r(NULL, " \n", &vp);
		}
	}
	if (f)
		fclose(f);
	return val;
}

#endif /* INPUT_WIRE_H */
