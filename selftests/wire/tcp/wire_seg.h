/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TCP segment in the words of wire.h, and as octets on a TUN device: what a case says
 * becomes a packet, what the stack sends becomes something to compare and to print.
 */
#ifndef STRATA_WIRE_SEG_H
#define STRATA_WIRE_SEG_H

#include <netinet/tcp.h>
#include <stddef.h>
#include "../../lib/tun.h"

#define PEER_ISN	0xfffff000u	/* wraps after 4 KB; w.irs, unless a case says otherwise */
#define PORT		5000
#define PEER_PORT	40000

struct wire {
	int tun;
	int family;
	uint32_t source;	/* the stack's address in this conversation */
	bool native, sim;
	uint16_t port, peer_port;
	uint32_t irs;		/* the peer's ISN */
	uint32_t isn;		/* the stack's, once seen */
	bool isn_known;
	uint32_t seen;		/* behind the highest octet the stack sent, relative */
	bool ts;		/* the connection uses timestamps */
	uint32_t ts_last;	/* the stack's last TSval */
	uint32_t ts_sent;	/* and the peer's */
	double mark;		/* when the last line happened */
	double soonest;		/* it may have happened then, but not before */
	uint32_t got, put;	/* octets read and written by the program, for the pattern */
	int fo_len;		/* Fast Open option of the last segment seen: octets, -1 none */
	bool fo_exp;		/* in its experimental form */
	uint8_t fo[40];
	struct rtnl rtnl;
};

static struct wire w;

/* a packet was sent that is wrong in itself: the case fails by it, whatever it looked for */
static bool w_bad;

/* ---- a segment in words ---- */

enum {
	W_ACK = 1, W_WIN = 2, W_MSS = 4, W_WS = 8, W_SACKOK = 16, W_TS = 32, W_SACK = 64,
	W_URG = 128, W_SUM = 256, W_ECHO = 512, W_ECN = 1024,
};

struct wseg {
	uint8_t flags;
	uint32_t seq, len, ack, win, mss, ws, urg, tsval, tsecr;
	uint32_t sack[4][2];
	int nsack;
	unsigned int has, not;	/* W_* */
	int ts_off, ecr_off;
	uint8_t opt[40];
	int optlen, doff, cut, ecn, ttl;
};

static const char w_letters[] = "FSRPAUEC";

static inline bool w_hex(struct wseg *s, const char *p)
{
	unsigned int v;

	for (; p && p[0] && p[1] && s->optlen < 40; p += 2) {
		if (sscanf(p, "%2x", &v) != 1)
			return false;
		s->opt[s->optlen++] = v;
	}
	return p && !*p;
}

/* one word of a segment and, in @arg, what follows it; -1: not understood, 1: took @arg */
static inline int w_word(struct wseg *s, const char *word, const char *arg)
{
	static const struct { const char *name; int bit; size_t at; } numbers[] = {
		{ "ack", W_ACK, offsetof(struct wseg, ack) },
		{ "win", W_WIN, offsetof(struct wseg, win) },
		{ "mss", W_MSS, offsetof(struct wseg, mss) },
		{ "ws", W_WS, offsetof(struct wseg, ws) },
		{ "urg", W_URG, offsetof(struct wseg, urg) },
		{ "ecn", W_ECN, offsetof(struct wseg, ecn) },
		{ "doff", 0, offsetof(struct wseg, doff) },
		{ "cut", 0, offsetof(struct wseg, cut) },
		{ "ttl", 0, offsetof(struct wseg, ttl) },
	};
	static const struct { const char *name; int bit; } bare[] = {
		{ "sackok", W_SACKOK }, { "badsum", W_SUM }, { "ts", W_TS },
		{ "echo", W_ECHO },
	};
	static const struct { const char *name; int bit; } not[] = {
		{ "no-mss", W_MSS }, { "no-ws", W_WS }, { "no-sackok", W_SACKOK },
		{ "no-ts", W_TS }, { "no-sack", W_SACK }, { "no-ack", W_ACK },
	};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (!strcmp(word, numbers[i].name) && arg) {
			*(uint32_t *)((char *)s + numbers[i].at) = strtoul(arg, NULL, 0);
			s->has |= numbers[i].bit;
			return 1;
		}
	for (i = 0; i < sizeof(bare) / sizeof(*bare); i++)
		if (!strcmp(word, bare[i].name))
			return s->has |= bare[i].bit, 0;
	for (i = 0; i < sizeof(not) / sizeof(*not); i++)
		if (!strcmp(word, not[i].name))
			return s->not |= not[i].bit, 0;
	if (!strncmp(word, "ts", 2) && (word[2] == '+' || word[2] == '-')) {
		s->ts_off = atoi(word + 2);
		return s->has |= W_TS, 0;
	}
	if (sscanf(word, "ecr-%d", &s->ecr_off) == 1)
		return 0;
	if (!strcmp(word, "opt"))
		return w_hex(s, arg) ? 1 : -1;
	if (!strcmp(word, "sack") && arg && s->nsack < 4 &&
	    sscanf(arg, "%u-%u", &s->sack[s->nsack][0], &s->sack[s->nsack][1]) == 2)
		return s->nsack++, s->has |= W_SACK, 1;
	return -1;
}

static inline bool w_parse(struct wseg *s, const char *text)
{
	char buf[256], *word, *arg, *save;
	int took = 0;

	memset(s, 0, sizeof(*s));
	snprintf(buf, sizeof(buf), "%s", text);
	word = strtok_r(buf, " ", &save);
	for (; word && *word; word++)
		if (*word != '-' && strchr(w_letters, *word))
			s->flags |= 1 << (strchr(w_letters, *word) - w_letters);
	word = strtok_r(NULL, " ", &save);
	if (!word || sscanf(word, "%u+%u", &s->seq, &s->len) < 1)
		goto bad;
	for (word = strtok_r(NULL, " ", &save); word; word = took ? strtok_r(NULL, " ", &save) : arg) {
		arg = strtok_r(NULL, " ", &save);
		took = w_word(s, word, arg);
		if (took < 0)
			goto bad;
	}
	return true;
bad:
	fprintf(stderr, "# not a segment: \"%s\", at %s\n", text, word ? word : "its end");
	return false;
}

static inline void w_say(const char *what, const struct wseg *s)
{
	int i;

	fprintf(stderr, "# %s", what);
	for (i = 0; w_letters[i]; i++)
		if (s->flags & 1 << i)
			fputc(w_letters[i], stderr);
	fprintf(stderr, " %u+%u win %u ecn %d", s->seq, s->len, s->win, s->ecn);
	if (s->has & W_ACK)
		fprintf(stderr, " ack %u", s->ack);
	if (s->has & W_MSS)
		fprintf(stderr, " mss %u", s->mss);
	if (s->has & W_WS)
		fprintf(stderr, " ws %u", s->ws);
	if (s->has & W_SACKOK)
		fprintf(stderr, " sackok");
	if (s->has & W_TS)
		fprintf(stderr, " ts %u:%u", s->tsval, s->tsecr);
	for (i = 0; i < s->nsack; i++)
		fprintf(stderr, " sack %u-%u", s->sack[i][0], s->sack[i][1]);
	if (s->has & W_URG)
		fprintf(stderr, " urg %u", s->urg);
	fputc('\n', stderr);
}

/* ---- to and from the wire ---- */

static inline void w_put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, 4);
}

static inline uint32_t w_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return ntohl(v);
}

static inline uint8_t w_octet(uint32_t at)
{
	return at * 7 + (at >> 8);
}

static inline uint32_t w_ms(void)
{
	return (uint64_t)(now_s() * 1000);
}

static inline uint16_t w_sum(const struct pkt *p)
{
	int len = p->len - 20;
	uint8_t buf[12 + 65536];

	memcpy(buf, &p->ip.saddr, 8);
	buf[8] = 0;
	buf[9] = IPPROTO_TCP;
	buf[10] = len >> 8;
	buf[11] = len;
	memcpy(buf + 12, p->b + 20, len);
	return sum16(buf, 12 + len);
}

static inline int w_options(const struct wseg *s, uint8_t *o)
{
	uint8_t *begin = o;
	int i;

	if (s->has & W_MSS) {
		*o++ = 2, *o++ = 4, *o++ = s->mss >> 8, *o++ = s->mss;
	}
	if (s->has & W_SACKOK) {
		*o++ = 4, *o++ = 2, *o++ = 1, *o++ = 1;
	}
	if ((s->has & W_TS || w.ts) && !(s->not & W_TS)) {
		*o++ = 1, *o++ = 1, *o++ = 8, *o++ = 10;
		w.ts_sent = w_ms() + 1000000 + s->ts_off;
		w_put32(o, w.ts_sent);
		w_put32(o + 4, w.ts_last - s->ecr_off);
		o += 8;
	}
	if (s->has & W_WS) {
		*o++ = 1, *o++ = 3, *o++ = 3, *o++ = s->ws;
	}
	if (s->nsack) {
		*o++ = 1, *o++ = 1, *o++ = 5, *o++ = 2 + 8 * s->nsack;
		for (i = 0; i < s->nsack; i++, o += 8) {
			w_put32(o, s->sack[i][0] + w.isn);
			w_put32(o + 4, s->sack[i][1] + w.isn);
		}
	}
	memcpy(o, s->opt, s->optlen);
	o += s->optlen;
	while ((o - begin) % 4)
		*o++ = 0;
	return o - begin;
}

static inline void w_build(const struct wseg *s, struct pkt *p)
{
	uint8_t h[65536] = { 0 };
	int optlen = w_options(s, h + 20), hdrlen = 20 + optlen;
	uint32_t i, win = s->has & W_WIN ? s->win : 65535;

	h[0] = w.peer_port >> 8, h[1] = w.peer_port;
	h[2] = w.port >> 8, h[3] = w.port;
	w_put32(h + 4, s->seq + w.irs);
	if (s->flags & 0x10)
		w_put32(h + 8, (s->has & W_ACK ? s->ack : w.seen) + w.isn);
	h[12] = (s->doff ? s->doff : hdrlen / 4) << 4;
	h[13] = s->flags;
	h[14] = win >> 8, h[15] = win;
	h[18] = s->urg >> 8, h[19] = s->urg;
	for (i = 0; i < s->len; i++)
		h[hdrlen + i] = w_octet(s->seq + !!(s->flags & 2) + i - 1);
	ip_make(p, IPPROTO_TCP, h, s->cut ? s->cut : hdrlen + s->len);
	if (p->len < 38)
		return;
	p->ip.tos = s->ecn;
	if (s->ttl)
		p->ip.ttl = s->ttl;
	ip_sum(p);
	*(uint16_t *)(p->b + 36) = 0;
	*(uint16_t *)(p->b + 36) = w_sum(p) ^ (s->has & W_SUM ? 0x5555 : 0);
}

static inline void w_got_cookie(const uint8_t *val, int len, bool exp)
{
	w.fo_len = len;
	w.fo_exp = exp;
	memcpy(w.fo, val, len);
}

static inline void w_parse_options(struct wseg *s, const uint8_t *o, const uint8_t *end)
{
	for (; o < end && *o; o += *o == 1 ? 1 : o[1]) {
		if (*o == 1)
			continue;
		if (o + 1 >= end || o[1] < 2)
			return;
		switch (*o) {
		case 2:
			s->has |= W_MSS;
			s->mss = o[2] << 8 | o[3];
			break;
		case 3:
			s->has |= W_WS;
			s->ws = o[2];
			break;
		case 4:
			s->has |= W_SACKOK;
			break;
		case 5:
			s->has |= W_SACK;
			for (s->nsack = 0; s->nsack < (o[1] - 2) / 8; s->nsack++) {
				s->sack[s->nsack][0] = w_get32(o + 2 + 8 * s->nsack) - w.irs;
				s->sack[s->nsack][1] = w_get32(o + 6 + 8 * s->nsack) - w.irs;
			}
			break;
		case 8:
			s->has |= W_TS;
			s->tsval = w_get32(o + 2);
			s->tsecr = w_get32(o + 6);
			break;
		case 34:
			w_got_cookie(o + 2, o[1] - 2, false);
			break;
		case 254:
			if (o[1] >= 4 && o[2] == 0xf9 && o[3] == 0x89)
				w_got_cookie(o + 4, o[1] - 4, true);
			break;
		}
	}
}

static inline bool w_wrong(const char *what)
{
	fprintf(stderr, "# a packet was sent with a wrong %s\n", what);
	w_bad = true;
	return false;
}

/* the packet as a segment of this conversation; false: something else, or wrong in itself */
static inline bool w_read(struct pkt *p, struct wseg *s)
{
	const uint8_t *h = p->b + 20;
	int hdrlen = (h[12] >> 4) * 4;
	uint32_t i;

	memset(s, 0, sizeof(*s));
	if (sum16(p->b, p->ip.ihl * 4))
		return w_wrong("checksum of its IP header");
	if (ntohs(p->ip.tot_len) != p->len)
		return w_wrong("total length");
	if (p->ip.protocol != IPPROTO_TCP || p->ip.ihl != 5 || p->len < 40)
		return false;
	if (hdrlen < 20 || 20 + hdrlen > p->len)
		return w_wrong("data offset");
	if (w_sum(p))
		return w_wrong("TCP checksum");
	if (p->ip.daddr != inet_addr(ME) || (h[0] << 8 | h[1]) != w.port ||
	    (h[2] << 8 | h[3]) != w.peer_port)
		return false;
	if (p->ip.saddr != w.source)
		return w_wrong("source address");
	s->flags = h[13];
	s->seq = w_get32(h + 4);
	if (!w.isn_known && s->flags & 2) {
		w.isn = s->seq;
		w.isn_known = true;
	}
	s->seq -= w.isn;
	s->len = p->len - 20 - hdrlen;
	if (s->flags & 0x10) {
		s->has |= W_ACK;
		s->ack = w_get32(h + 8) - w.irs;
	}
	s->has |= W_ECN;
	s->ecn = p->ip.tos & 3;
	s->win = h[14] << 8 | h[15];
	if (s->flags & 0x20) {
		s->has |= W_URG;
		s->urg = h[18] << 8 | h[19];
	}
	w.fo_len = -1;
	w_parse_options(s, h + 20, h + hdrlen);
	if (s->has & W_TS)
		w.ts_last = s->tsval;
	if ((int32_t)(s->seq + s->len + !!(s->flags & 3) - w.seen) > 0)
		w.seen = s->seq + s->len + !!(s->flags & 3);
	for (i = 0; i < s->len; i++)
		if (h[hdrlen + i] != w_octet(s->seq + !!(s->flags & 2) + i - 1)) {
			fprintf(stderr, "# octet %u of the data sent is wrong\n", s->seq + i);
			return w_wrong("payload");
		}
	return true;
}

#endif
