// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ladder. A connection is known by its two ends; it gets a number when it
 * is first seen, and its times and sequence numbers are counted from there.
 *
 *	#1  192.0.2.1:40000                                      192.0.2.2:80
 *	#1       0.000 SYN-SENT    |                                        |
 *	#1       0.011             |-- SYN seq 0 win 64240 mss 1460 ... --->|
 *	#1       0.094             |<- SYN ACK seq 0 ack 1 win 65160 ... ---|
 *
 * Sequence numbers are relative to the first of each direction: that of the
 * SYN, or one below the first seen when the SYN was missed (RFC 9293 3.4).
 *
 * A retransmission is reported by an event of its own beside the one of the
 * segment, before it or after it; both become one line.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ladder.h"
#include "rt.h"
#include "strata.h"

#define BUCKETS		4096
#define BODY		66		/* columns between the two uprights */
#define FORGET_NS	(120ULL * 1000000000)
/*
 * The two events of one segment are at most so far apart: on a busy machine milliseconds may lie
 * between them. Each belongs to one other, for ACKs and SYNs may ask for more within that time.
 */
#define SAME_NS		100000000

/**
 * struct side - one direction of sequence numbers
 * @base:	sequence number shown as 0
 * @next:	highest number seen, to know a retransmission
 */
struct side {
	bool known;
	uint32_t base, next;
};

/**
 * struct conn - a connection seen
 * @start:	time of the first event, ns
 * @last:	the last segment sent, to match a retransmission to it
 * @held:	a retransmission whose segment has not been seen yet
 */
struct conn {
	struct conn *link;
	struct in_addr saddr, daddr;
	uint16_t sport, dport;
	unsigned int number;
	uint64_t start, seen;
	bool closed, has_last, has_held;
	struct side local, remote;
	struct trace_event last, held;
};

struct ladder {
	FILE *out;
	bool color, json;
	unsigned int numbers;
	uint64_t start;
	struct conn *bucket[BUCKETS];
};

#define RED	"\033[31m"
#define BOLD	"\033[1m"
#define NORMAL	"\033[0m"

struct ladder *ladder_new(FILE *out, bool color, bool json)
{
	struct ladder *l = calloc(1, sizeof(*l));

	if (!l) {
		fputs("Error: out of memory.\n", stderr);
		exit(EXIT_KERNEL);
	}
	l->out = out;
	l->color = color;
	l->json = json;
	return l;
}

const char *ladder_state_name(unsigned int state)
{
	static const char *const names[] = {
		"?", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1",
		"FIN-WAIT-2", "TIME-WAIT", "CLOSED", "CLOSE-WAIT", "LAST-ACK",
		"LISTEN", "CLOSING", "SYN-RECV"
	};

	return names[state < sizeof(names) / sizeof(names[0]) ? state : 0];
}

const char *ladder_flags(unsigned int flags)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	/* As people say it: SYN ACK, FIN ACK, PSH ACK. */
	static const uint8_t order[] = { 1, 2, 0, 3, 4, 5, 6, 7 };
	static char text[40];
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < 8; i++) {
		if (!(flags & 1 << order[i]))
			continue;
		if (text[0])
			strcat(text, " ");
		strcat(text, names[order[i]]);
	}
	return text[0] ? text : "-";
}

static struct conn **slot(struct ladder *l, const struct trace_event *e)
{
	uint32_t h = e->saddr.s_addr * 31 + e->daddr.s_addr;

	h = (h * 31 + e->sport) * 31 + e->dport;
	h ^= h >> 16;
	return &l->bucket[h % BUCKETS];
}

static bool is_opening(const struct trace_event *e)
{
	if (e->kind == TRACE_STATE)
		return e->newstate == 2 || e->newstate == 3 || e->newstate == 12;
	return (e->flags & (TH_FLAG_SYN | TH_FLAG_ACK)) == TH_FLAG_SYN;
}

static bool same_ends(const struct conn *c, const struct trace_event *e)
{
	return c->saddr.s_addr == e->saddr.s_addr && c->sport == e->sport &&
	       c->daddr.s_addr == e->daddr.s_addr && c->dport == e->dport;
}

static void print_ends(struct ladder *l, const struct conn *c)
{
	char local[32], remote[32];

	if (l->json)
		return;
	snprintf(local, sizeof(local), "%s:%u", rt_ipv4(c->saddr), c->sport);
	snprintf(remote, sizeof(remote), "%s:%u", rt_ipv4(c->daddr), c->dport);
	fprintf(l->out, "%s#%-4u%24s%-*s%*s%s\n", l->color ? BOLD : "",
		c->number, "", BODY / 2 + 1, local, BODY / 2 + 1, remote,
		l->color ? NORMAL : "");
}

/* The connection of an event; closed ones are forgotten after a while. */
static struct conn *find(struct ladder *l, const struct trace_event *e)
{
	struct conn **at = slot(l, e), **head = at, *c;

	while ((c = *at)) {
		bool old = c->closed && e->ts - c->seen > FORGET_NS;
		bool again = c->closed && same_ends(c, e) && is_opening(e);

		if (old || again) {
			*at = c->link;
			free(c);
			continue;
		}
		if (same_ends(c, e))
			return c;
		at = &c->link;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->saddr = e->saddr;
	c->daddr = e->daddr;
	c->sport = e->sport;
	c->dport = e->dport;
	c->start = e->ts;
	c->number = ++l->numbers;
	c->link = *head;
	*head = c;
	print_ends(l, c);
	return c;
}

/* Octets of sequence space a segment takes: data, SYN and FIN. */
static uint32_t seq_len(const struct trace_event *e)
{
	return e->len + !!(e->flags & TH_FLAG_SYN) + !!(e->flags & TH_FLAG_FIN);
}

/*
 * Account a segment in its direction. True if it carries nothing new: a
 * retransmission of ours, or one of the peer's that we had already.
 */
static bool account(struct side *from, struct side *to,
		    const struct trace_event *e)
{
	uint32_t len = seq_len(e), end = e->seq + len;
	bool again = false;

	if (e->flags & TH_FLAG_SYN && (!from->known || from->base != e->seq)) {
		from->known = true;
		from->base = e->seq;
		from->next = e->seq;
	} else if (!from->known && !(e->flags & TH_FLAG_RST && !e->seq)) {
		from->known = true;
		from->base = e->seq - 1;
		from->next = e->seq;
	}
	if (!to->known && e->flags & TH_FLAG_ACK) {
		to->known = true;
		to->base = e->ack_seq - 1;
		to->next = e->ack_seq;
	}
	if (from->known && len) {
		again = (int32_t)(end - from->next) <= 0;
		if (!again)
			from->next = end;
	}
	return again;
}

static void margin(struct ladder *l, const struct conn *c,
		   const struct trace_event *e, const char *state)
{
	fprintf(l->out, "#%-4u %10.3f %s%-11s%s", c->number,
		(double)(e->ts - c->start) / 1e6, l->color ? BOLD : "", state,
		l->color ? NORMAL : "");
}

static void segment_text(char *text, size_t size, const struct conn *c,
			 const struct trace_event *e, bool sent, bool again)
{
	const struct side *from = sent ? &c->local : &c->remote;
	const struct side *to = sent ? &c->remote : &c->local;
	size_t n;

	n = snprintf(text, size, "%s seq %u", ladder_flags(e->flags),
		     e->seq - from->base);
	if (e->flags & TH_FLAG_ACK)
		n += snprintf(text + n, size - n, " ack %u",
			      e->ack_seq - to->base);
	if (e->len)
		n += snprintf(text + n, size - n, " len %u", e->len);
	if (!(e->flags & TH_FLAG_RST))
		n += snprintf(text + n, size - n, " win %u", e->wnd);
	if (e->flags & TH_FLAG_SYN) {
		if (e->mss)
			n += snprintf(text + n, size - n, " mss %u", e->mss);
		if (e->sack_ok)
			n += snprintf(text + n, size - n, " sack");
		if (e->tsval)
			n += snprintf(text + n, size - n, " ts");
		if (e->wscale != 255)
			n += snprintf(text + n, size - n, " wscale %u", e->wscale);
	}
	if (again)
		snprintf(text + n, size - n, sent ? " (retransmitted)" :
						     " (again)");
}

static void draw_segment(struct ladder *l, const struct conn *c,
			 const struct trace_event *e, bool sent, bool again)
{
	static const char dashes[] =
		"--------------------------------------------------------------------";
	char text[160];
	int fill;

	segment_text(text, sizeof(text), c, e, sent, again);
	fill = BODY - (int)strlen(text) - 5;
	if (fill < 1)
		fill = 1;
	margin(l, c, e, "");
	fprintf(l->out, " %s%s %s %.*s%s%s\n", again && l->color ? RED : "",
		sent ? "|--" : "|<-", text, fill, dashes, sent ? ">|" : "-|",
		again && l->color ? NORMAL : "");
}

static json_t *event_json(const struct ladder *l, const struct conn *c,
			  const struct trace_event *e, const char *what)
{
	return json_pack("{sf sI ss ss si ss si}",
			 "time", (double)(e->ts - l->start) / 1e9,
			 "conn", (json_int_t)c->number, "event", what,
			 "local", rt_ipv4(e->saddr), "local_port", (int)e->sport,
			 "peer", rt_ipv4(e->daddr), "peer_port", (int)e->dport);
}

static void put_json(struct ladder *l, json_t *j)
{
	json_dumpf(j, l->out, JSON_COMPACT | JSON_REAL_PRECISION(9));
	fputc('\n', l->out);
	json_decref(j);
}

static void segment_json(struct ladder *l, const struct conn *c,
			 const struct trace_event *e, bool sent, bool again)
{
	const struct side *from = sent ? &c->local : &c->remote;
	const struct side *to = sent ? &c->remote : &c->local;
	json_t *j = event_json(l, c, e, sent ? "xmit" : "rcv");

	json_object_set_new(j, "flags", json_string(ladder_flags(e->flags)));
	json_object_set_new(j, "seq", json_integer(e->seq - from->base));
	if (e->flags & TH_FLAG_ACK)
		json_object_set_new(j, "ack",
				    json_integer(e->ack_seq - to->base));
	json_object_set_new(j, "len", json_integer(e->len));
	json_object_set_new(j, "win", json_integer(e->wnd));
	json_object_set_new(j, "seq_abs", json_integer(e->seq));
	json_object_set_new(j, "ack_abs", json_integer(e->ack_seq));
	json_object_set_new(j, "tsval", json_integer(e->tsval));
	json_object_set_new(j, "tsecr", json_integer(e->tsecr));
	json_object_set_new(j, "state",
			    json_string(ladder_state_name(e->state)));
	if (e->flags & TH_FLAG_SYN) {
		json_object_set_new(j, "mss", json_integer(e->mss));
		json_object_set_new(j, "sack_ok", json_boolean(e->sack_ok));
		if (e->wscale != 255)
			json_object_set_new(j, "wscale",
					    json_integer(e->wscale));
	}
	json_object_set_new(j, "again", json_boolean(again));
	put_json(l, j);
}

static void show_segment(struct ladder *l, struct conn *c,
			 const struct trace_event *e, bool marked)
{
	bool sent = e->kind != TRACE_RCV;
	bool again = sent ? account(&c->local, &c->remote, e) :
			    account(&c->remote, &c->local, e);

	if (l->json)
		segment_json(l, c, e, sent, again || marked);
	else
		draw_segment(l, c, e, sent, again || marked);
}

static void release_held(struct ladder *l, struct conn *c)
{
	if (!c->has_held)
		return;
	c->has_held = false;
	show_segment(l, c, &c->held, true);
}

static void show_state(struct ladder *l, struct conn *c,
		       const struct trace_event *e)
{
	json_t *j;

	c->closed = e->newstate == 7;
	if (!l->json) {
		margin(l, c, e, ladder_state_name(e->newstate));
		fprintf(l->out, " |%*s|\n", BODY, "");
		return;
	}
	j = event_json(l, c, e, "state");
	json_object_set_new(j, "old",
			    json_string(ladder_state_name(e->oldstate)));
	json_object_set_new(j, "new",
			    json_string(ladder_state_name(e->newstate)));
	put_json(l, j);
}

/* The layers of the stack, in the order of enum strata_layer_id. */
static const char *layer_name(unsigned int layer)
{
	static const char *const names[] = {
		"dev", "arp", "ip", "icmp", "udp", "tcp", "sock"
	};

	return layer < sizeof(names) / sizeof(names[0]) ? names[layer] : "?";
}

static void show_drop(struct ladder *l, const struct trace_event *e,
		      const char *name)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", e->reason);
	if (l->json)
		put_json(l, json_pack("{sf ss ss ss}",
				      "time", (double)(e->ts - l->start) / 1e9,
				      "event", "drop",
				      "layer", layer_name(e->layer),
				      "reason", name ? name : number));
	else
		fprintf(l->out, "%sdropped by %s: %s%s\n", l->color ? RED : "",
			layer_name(e->layer), name ? name : number,
			l->color ? NORMAL : "");
}

static bool same_segment(const struct trace_event *a, const struct trace_event *b)
{
	uint64_t apart = a->ts > b->ts ? a->ts - b->ts : b->ts - a->ts;

	return a->seq == b->seq && apart < SAME_NS;
}

void ladder_event(struct ladder *l, const struct trace_event *e,
		  const char *drop_name)
{
	struct conn *c;

	if (!l->start)
		l->start = e->ts;
	if (e->kind == TRACE_DROP) {
		show_drop(l, e, drop_name);
		return;
	}
	c = find(l, e);
	if (!c)
		return;
	c->seen = e->ts;
	if (e->kind == TRACE_RETRANSMIT) {
		release_held(l, c);
		if (c->has_last && same_segment(&c->last, e)) {
			c->has_last = false;	/* one event for each */
			return;
		}
		c->held = *e;
		c->has_held = true;
		return;
	}
	if (e->kind == TRACE_XMIT && c->has_held && same_segment(&c->held, e)) {
		c->has_held = false;
		c->has_last = false;
		show_segment(l, c, e, true);
		return;
	}
	release_held(l, c);
	if (e->kind == TRACE_STATE)
		show_state(l, c, e);
	else
		show_segment(l, c, e, false);
	if (e->kind == TRACE_XMIT) {
		c->last = *e;
		c->has_last = true;
	}
}

void ladder_free(struct ladder *l)
{
	struct conn *c;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		while ((c = l->bucket[i])) {
			release_held(l, c);
			l->bucket[i] = c->link;
			free(c);
		}
	}
	fflush(l->out);
	free(l);
}
