// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters of strata ss, in ss(8)'s language:
 *
 *	filter  := { "state" STATE | "exclude" STATE } [ expr ]
 *	expr    := term { "or" term }
 *	term    := factor { [ "and" ] factor }
 *	factor  := "not" factor | "(" expr ")" | test
 *	test    := ( "sport" | "dport" ) [ op ] [ ":" ] PORT
 *	         | ( "src" | "dst" ) [ op ] [ ADDRESS [ "/" LENGTH ] ] [ ":" PORT ]
 *	         | "dev" [ op ] DEVICE
 *
 * What has ends and nothing else (the events of strata trace) is filtered by them alone: without
 * "state", "exclude" and "dev".
 *
 * The expression becomes a tree that is evaluated here for every socket, so
 * that the result does not depend on what the kernel can filter by itself;
 * the kernel is only told states and ports that every match must have.
 */
#include <ctype.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "ss.h"
#include "strata.h"

enum node_kind { N_AND, N_OR, N_NOT, N_SPORT, N_DPORT, N_SRC, N_DST, N_DEV };
enum node_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

/**
 * struct ss_filter - a node of the expression
 * @left, @right:	operands of and, or; not has @left alone
 * @has_port:		src and dst may name a port, an address or both
 */
struct ss_filter {
	enum node_kind kind;
	enum node_op op;
	struct ss_filter *left, *right;
	struct prefix prefix;
	bool has_port;
	uint16_t port;
	unsigned int ifindex;
};

/* The words, cut up: @word is the token in hand, empty at the end. */
struct lexer {
	char *text, *at;
	char word[128];
	unsigned int depth;
	bool ends_only;		/* what is filtered has no state and no device */
};

#define MAX_DEPTH 100

static const struct state_name {
	const char *name;
	unsigned int bits;
} state_names[] = {
	{ "all", SS_ALL },
	{ "connected", SS_ALL & ~(SS_BIT(SS_CLOSE) | SS_BIT(SS_LISTEN)) },
	{ "synchronized", SS_ALL & ~(SS_BIT(SS_CLOSE) | SS_BIT(SS_LISTEN) |
				     SS_BIT(SS_SYN_SENT)) },
	{ "bucket", SS_BIT(SS_SYN_RECV) | SS_BIT(SS_TIME_WAIT) },
	{ "big", SS_ALL & ~(SS_BIT(SS_SYN_RECV) | SS_BIT(SS_TIME_WAIT)) },
	{ "established", SS_BIT(SS_ESTABLISHED) },
	{ "estab", SS_BIT(SS_ESTABLISHED) },
	{ "syn-sent", SS_BIT(SS_SYN_SENT) },
	{ "syn-recv", SS_BIT(SS_SYN_RECV) },
	{ "fin-wait-1", SS_BIT(SS_FIN_WAIT1) },
	{ "fin-wait-2", SS_BIT(SS_FIN_WAIT2) },
	{ "time-wait", SS_BIT(SS_TIME_WAIT) },
	{ "closed", SS_BIT(SS_CLOSE) },
	{ "close", SS_BIT(SS_CLOSE) },
	{ "unconnected", SS_BIT(SS_CLOSE) },
	{ "unconn", SS_BIT(SS_CLOSE) },
	{ "close-wait", SS_BIT(SS_CLOSE_WAIT) },
	{ "last-ack", SS_BIT(SS_LAST_ACK) },
	{ "listening", SS_BIT(SS_LISTEN) },
	{ "listen", SS_BIT(SS_LISTEN) },
	{ "closing", SS_BIT(SS_CLOSING) },
};

const char *ss_state_name(const struct ss_sock *s)
{
	static const char *const names[SS_STATES] = {
		"UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1",
		"FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT", "LAST-ACK",
		"LISTEN", "CLOSING",
	};

	if (s->state >= SS_STATES)
		return names[s->state == 12 ? SS_SYN_RECV : 0];
	if (s->state == SS_CLOSE && s->proto == SS_TCP)
		return "CLOSED";
	return names[s->state];
}

static unsigned int state_bits(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++)
		if (!strcasecmp(state_names[i].name, name))
			return state_names[i].bits;
	return 0;
}

static void next(struct lexer *lx)
{
	static const char *const signs[] = {
		"&&", "||", "==", "!=", "<=", ">=",
		"(", ")", "&", "|", "!", "=", "<", ">",
	};
	size_t len, i;

	while (isspace((unsigned char)*lx->at) || *lx->at == '\\')
		lx->at++;
	len = strcspn(lx->at, " \t\n\\()&|!=<>");
	for (i = 0; !len && i < sizeof(signs) / sizeof(signs[0]); i++)
		if (!strncmp(lx->at, signs[i], strlen(signs[i])))
			len = strlen(signs[i]);
	if (len >= sizeof(lx->word))
		len = sizeof(lx->word) - 1;
	memcpy(lx->word, lx->at, len);
	lx->word[len] = '\0';
	lx->at += len;
}

static bool take(struct lexer *lx, const char *a, const char *b, const char *c)
{
	if (strcmp(lx->word, a) && strcmp(lx->word, b) && strcmp(lx->word, c))
		return false;
	next(lx);
	return true;
}

static void *expected(const struct lexer *lx, const char *what)
{
	if (*lx->word)
		usage_error("%s is expected rather than \"%s\".", what, lx->word);
	else
		usage_error("%s is expected at the end of the filter.", what);
	return NULL;
}

static enum node_op take_op(struct lexer *lx)
{
	if (take(lx, "!=", "ne", "neq"))
		return OP_NE;
	if (take(lx, ">=", "ge", "geq"))
		return OP_GE;
	if (take(lx, "<=", "le", "leq"))
		return OP_LE;
	if (take(lx, ">", "gt", ">"))
		return OP_GT;
	if (take(lx, "<", "lt", "<"))
		return OP_LT;
	take(lx, "=", "==", "eq");
	return OP_EQ;
}

static bool read_port(const char *word, uint16_t *port)
{
	const struct servent *se;
	uint32_t v;

	if (parse_u32(word, &v, 65535)) {
		*port = v;
		return true;
	}
	se = *word ? getservbyname(word, NULL) : NULL;
	if (!se)
		return false;
	*port = ntohs(se->s_port);
	return true;
}

static bool read_address(const char *word, struct prefix *p)
{
	struct addrinfo hint = { .ai_family = AF_INET }, *ai;

	if (parse_prefix(word, p))
		return true;
	if (strchr(word, '/') || getaddrinfo(word, NULL, &hint, &ai))
		return false;
	p->addr = ((struct sockaddr_in *)(void *)ai->ai_addr)->sin_addr;
	p->len = 32;
	freeaddrinfo(ai);
	return true;
}

/* "ADDRESS", "ADDRESS/LENGTH", "ADDRESS:PORT", ":PORT", "*", "*:PORT". */
static bool read_host(char *word, struct ss_filter *f)
{
	char *colon = strrchr(word, ':');

	if (colon) {
		*colon = '\0';
		if (strcmp(colon + 1, "*")) {
			if (!read_port(colon + 1, &f->port))
				return false;
			f->has_port = true;
		}
	}
	if (!*word && !colon)
		return false;
	if (!*word || !strcmp(word, "*"))
		return parse_prefix("all", &f->prefix);
	return read_address(word, &f->prefix);
}

static struct ss_filter *node(enum node_kind kind, struct ss_filter *left,
			      struct ss_filter *right)
{
	struct ss_filter *f = calloc(1, sizeof(*f));

	if (!f) {
		fputs("Error: out of memory.\n", stderr);
		exit(EXIT_KERNEL);
	}
	f->kind = kind;
	f->left = left;
	f->right = right;
	return f;
}

static struct ss_filter *bad_value(struct ss_filter *f, const struct lexer *lx,
				   const char *what)
{
	ss_filter_free(f);
	return expected(lx, what);
}

static struct ss_filter *parse_ports(struct lexer *lx, enum node_kind kind)
{
	struct ss_filter *f = node(kind, NULL, NULL);
	const char *port;

	f->op = take_op(lx);
	port = lx->word + (lx->word[0] == ':');
	if (!read_port(port, &f->port))
		return bad_value(f, lx, "a port like :80");
	f->has_port = true;
	next(lx);
	return f;
}

static struct ss_filter *parse_host(struct lexer *lx, enum node_kind kind)
{
	struct ss_filter *f = node(kind, NULL, NULL);
	char word[sizeof(lx->word)];

	f->op = take_op(lx);
	if (f->op != OP_EQ && f->op != OP_NE)
		return bad_value(f, lx, "\"=\" or \"!=\" before an address");
	strcpy(word, lx->word);
	if (!read_host(word, f))
		return bad_value(f, lx,
				 "an address like 192.0.2.0/24, :80 or 192.0.2.1:80");
	next(lx);
	return f;
}

static struct ss_filter *parse_dev(struct lexer *lx)
{
	struct ss_filter *f = node(N_DEV, NULL, NULL);

	f->op = take_op(lx);
	f->ifindex = if_nametoindex(lx->word);
	if (!f->ifindex || (f->op != OP_EQ && f->op != OP_NE))
		return bad_value(f, lx,
				 "the name of a device that exists");
	next(lx);
	return f;
}

static struct ss_filter *parse_expr(struct lexer *lx);

static struct ss_filter *parse_factor(struct lexer *lx)
{
	struct ss_filter *f = NULL;

	if (lx->depth > MAX_DEPTH)
		return expected(lx, "a filter less deeply nested");
	lx->depth++;
	if (take(lx, "not", "!", "!")) {
		f = parse_factor(lx);
		f = f ? node(N_NOT, f, NULL) : NULL;
	} else if (take(lx, "(", "(", "(")) {
		f = parse_expr(lx);
		if (f && !take(lx, ")", ")", ")")) {
			ss_filter_free(f);
			f = expected(lx, "\")\"");
		}
	} else if (take(lx, "sport", "sport", "sport")) {
		f = parse_ports(lx, N_SPORT);
	} else if (take(lx, "dport", "dport", "dport")) {
		f = parse_ports(lx, N_DPORT);
	} else if (take(lx, "src", "src", "src")) {
		f = parse_host(lx, N_SRC);
	} else if (take(lx, "dst", "dst", "dst")) {
		f = parse_host(lx, N_DST);
	} else if (lx->ends_only) {
		expected(lx, "one of \"sport\", \"dport\", \"src\", \"dst\", \"not\", \"(\"");
	} else if (take(lx, "dev", "dev", "dev")) {
		f = parse_dev(lx);
	} else {
		expected(lx, "one of \"sport\", \"dport\", \"src\", \"dst\", \"dev\", \"not\", \"(\", \"state\", \"exclude\"");
	}
	lx->depth--;
	return f;
}

static bool term_ends(const struct lexer *lx)
{
	return !*lx->word || !strcmp(lx->word, ")") || !strcmp(lx->word, "or") ||
	       !strcmp(lx->word, "|") || !strcmp(lx->word, "||");
}

static struct ss_filter *parse_term(struct lexer *lx)
{
	struct ss_filter *f = parse_factor(lx), *right;

	while (f && !term_ends(lx)) {
		take(lx, "and", "&", "&&");
		right = parse_factor(lx);
		if (!right) {
			ss_filter_free(f);
			return NULL;
		}
		f = node(N_AND, f, right);
	}
	return f;
}

static struct ss_filter *parse_expr(struct lexer *lx)
{
	struct ss_filter *f = parse_term(lx), *right;

	while (f && take(lx, "or", "|", "||")) {
		right = parse_term(lx);
		if (!right) {
			ss_filter_free(f);
			return NULL;
		}
		f = node(N_OR, f, right);
	}
	return f;
}

/* "state X" adds to the states, "exclude X" takes away; false if X is none. */
static bool parse_states(struct lexer *lx, unsigned int *states)
{
	unsigned int bits, chosen = 0;
	bool exclude;

	for (;;) {
		exclude = !strcmp(lx->word, "exclude") || !strcmp(lx->word, "excl");
		if (!exclude && strcmp(lx->word, "state"))
			break;
		next(lx);
		bits = state_bits(lx->word);
		if (!bits) {
			expected(lx, "a state (established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait, last-ack, listening, closing, all, connected, synchronized, bucket, big)");
			return false;
		}
		if (exclude)
			chosen = (chosen ? chosen : SS_ALL) & ~bits;
		else
			chosen |= bits;
		*states = chosen;
		next(lx);
	}
	return true;
}

static char *join(int argc, char **argv)
{
	size_t len = 1;
	char *text;
	int i;

	for (i = 0; i < argc; i++)
		len += strlen(argv[i]) + 1;
	text = calloc(1, len);
	for (i = 0; text && i < argc; i++) {
		strcat(text, argv[i]);
		strcat(text, " ");
	}
	return text;
}

struct ss_filter *ss_filter_parse(int argc, char **argv, unsigned int *states)
{
	struct lexer lx = { .text = join(argc, argv), .ends_only = !states };
	struct ss_filter *f = NULL;

	lx.at = lx.text;
	if (!lx.text)
		return expected(&lx, "more memory");
	next(&lx);
	if (states && !parse_states(&lx, states))
		goto out;
	if (!*lx.word) {
		/* No expression: one that is always true. */
		f = node(N_SRC, NULL, NULL);
		goto out;
	}
	f = parse_expr(&lx);
	if (f && *lx.word) {
		ss_filter_free(f);
		f = expected(&lx, "\"and\", \"or\" or the end of the filter");
	}
out:
	free(lx.text);
	return f;
}

void ss_filter_free(struct ss_filter *f)
{
	if (!f)
		return;
	ss_filter_free(f->left);
	ss_filter_free(f->right);
	free(f);
}

static bool compare(enum node_op op, unsigned int a, unsigned int b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	}
	return false;
}

static bool host_is(const struct ss_filter *f, struct in_addr a, uint16_t port)
{
	bool is = prefix_covers(&f->prefix, a) &&
		  (!f->has_port || f->port == port);

	return is == (f->op == OP_EQ);
}

bool ss_filter_takes(const struct ss_filter *f, const struct ss_sock *s)
{
	switch (f->kind) {
	case N_AND:
		return ss_filter_takes(f->left, s) && ss_filter_takes(f->right, s);
	case N_OR:
		return ss_filter_takes(f->left, s) || ss_filter_takes(f->right, s);
	case N_NOT:
		return !ss_filter_takes(f->left, s);
	case N_SPORT:
		return compare(f->op, s->sport, f->port);
	case N_DPORT:
		return compare(f->op, s->dport, f->port);
	case N_SRC:
		return host_is(f, s->src, s->sport);
	case N_DST:
		return host_is(f, s->dst, s->dport);
	case N_DEV:
		return compare(f->op, s->id.idiag_if, f->ifindex);
	}
	return false;
}

void ss_filter_ports(const struct ss_filter *f, uint16_t *sport, uint16_t *dport)
{
	if (f->kind == N_AND) {
		ss_filter_ports(f->left, sport, dport);
		ss_filter_ports(f->right, sport, dport);
	} else if (f->has_port && f->op == OP_EQ) {
		if (f->kind == N_SPORT || f->kind == N_SRC)
			*sport = f->port;
		else if (f->kind == N_DPORT || f->kind == N_DST)
			*dport = f->port;
	}
}
