// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table-driven grammar (args.h) and the kinds of values all commands use.
 *
 * A word is first looked up as a keyword in full; then it may be a value that
 * stands alone (an address, a prefix); then a unique prefix of a keyword.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "strata.h"

/* Is @word one of @list's, which have a blank between two? */
static bool among(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	for (at = list; len && !strchr(word, ' ') && (at = strstr(at, word)); at++)
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static bool is_named(const struct arg *a, const char *word)
{
	return a->name && (!strcmp(a->name, word) || (a->alias && among(a->alias, word)));
}

static struct arg *find_exact(struct arg *spec, unsigned int n, const char *word)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (is_named(&spec[i], word))
			return &spec[i];
	return NULL;
}

/* Does @word say nothing, because of what comes next? */
static bool leads(struct arg *spec, unsigned int n, const char *word, const char *next)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!spec[i].lead || strcmp(spec[i].lead, word))
			continue;
		if (spec[i].name ? is_named(&spec[i], next) : spec[i].kind->parse(next, spec[i].to))
			return true;
	}
	return false;
}

static struct arg *find_short(struct arg *spec, unsigned int n, const char *word)
{
	struct arg *found = NULL;
	unsigned int i;

	for (i = 0; i < n && *word; i++) {
		if (!spec[i].name || strncmp(spec[i].name, word, strlen(word)))
			continue;
		if (found)
			return NULL;
		found = &spec[i];
	}
	return found;
}

static bool take_bare(struct arg *spec, unsigned int n, const char *word)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!spec[i].bare || spec[i].given || !spec[i].kind->parse(word, spec[i].to))
			continue;
		spec[i].given = true;
		return true;
	}
	return false;
}

/* One line: every word that could have stood here. */
static int unexpected(const struct arg *spec, unsigned int n, const char *word)
{
	const char *sep = "one of ";
	unsigned int i, left = 0;

	for (i = 0; i < n; i++) {
		left += !spec[i].given;
		/* What cannot be left out is most likely what was meant. */
		if (spec[i].bare && spec[i].need && !spec[i].given)
			return usage_error("%s is expected rather than \"%s\".",
					   spec[i].kind->what, word);
	}
	if (!left)
		return usage_error("no further word is expected, but \"%s\" follows.",
				   word);
	fputs("Error: ", stderr);
	for (i = 0; i < n; i++) {
		if (spec[i].given)
			continue;
		if (left == 1)
			sep = "";
		if (spec[i].name) {
			fprintf(stderr, "%s\"%s\"", sep, spec[i].name);
			sep = ", ";
		}
		if (spec[i].bare) {
			fprintf(stderr, "%s%s", sep, spec[i].kind->what);
			sep = ", ";
		}
	}
	fprintf(stderr, " is expected rather than \"%s\".\n", word);
	return EXIT_USAGE;
}

static int take_value(struct arg *a, const char *word)
{
	if (!a->kind->parse(word, a->to))
		return usage_error("%s is expected rather than \"%s\".",
				   a->kind->what, word);
	a->given = true;
	return 0;
}

static int take_keyword(struct arg *a, const char *next)
{
	if (a->given && !a->many)
		return usage_error("\"%s\" is given twice.", a->name);
	if (!a->kind) {
		*(bool *)a->to = true;
		a->given = true;
		return 0;
	}
	if (!next)
		return usage_error("%s is expected after \"%s\".",
				   a->kind->what, a->name);
	return take_value(a, next);
}

static int check_needs(const struct arg *spec, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!spec[i].need || spec[i].given)
			continue;
		if (!spec[i].bare)
			return usage_error("\"%s\" is needed, with %s.",
					   spec[i].name, spec[i].kind->what);
		return usage_error("%s is needed.", spec[i].kind->what);
	}
	return 0;
}

bool args_cut(const char *after, const char *word, int *argc, char **argv)
{
	int i;

	for (i = 1; i + 1 < *argc; i++) {
		if (strcmp(argv[i], after) || strcmp(argv[i + 1], word))
			continue;
		(*argc)--;
		memmove(argv + i + 1, argv + i + 2, (*argc - i) * sizeof(*argv));
		return true;
	}
	return false;
}

int args_parse(struct arg *spec, unsigned int n, int argc, char **argv)
{
	struct arg *a;
	int i, err;

	for (i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (next && leads(spec, n, argv[i], next))
			continue;
		a = find_exact(spec, n, argv[i]);
		if (!a && take_bare(spec, n, argv[i]))
			continue;
		if (!a)
			a = find_short(spec, n, argv[i]);
		if (!a)
			return unexpected(spec, n, argv[i]);
		err = take_keyword(a, next);
		if (err)
			return err;
		if (a->kind)
			i++;
	}
	return check_needs(spec, n);
}

bool parse_u32(const char *word, uint32_t *to, uint32_t max)
{
	unsigned long long v;
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	v = strtoull(word, &end, 0);
	if (errno || *end || v > max)
		return false;
	*to = v;
	return true;
}

/* One to four numbers with dots between: as in ip(8), those that miss at the end are 0. */
static bool parse_octets(const char *word, struct in_addr *a)
{
	uint32_t octet, value = 0;
	char *end;
	int i;

	for (i = 0; i < 4; i++) {
		if (*word < '0' || *word > '9')
			return false;
		errno = 0;
		octet = strtoul(word, &end, 10);
		/* (a leading zero is octal to some) */
		if (errno || octet > 255 || end - word > 3 || (*word == '0' && end - word > 1))
			return false;
		value |= octet << (24 - 8 * i);
		if (!*end)
			break;
		if (*end != '.')
			return false;
		word = end + 1;
	}
	if (i == 4)
		return false;
	a->s_addr = htonl(value);
	return true;
}

bool parse_prefix(const char *word, struct prefix *p)
{
	const char *slash = strchr(word, '/');
	char addr[INET_ADDRSTRLEN];
	size_t len = slash ? (size_t)(slash - word) : strlen(word);
	struct in_addr a;
	uint32_t bits = 32;

	if (!strcmp(word, "default") || !strcmp(word, "any") ||
	    !strcmp(word, "all")) {
		*p = (struct prefix){ .has_len = true };
		return true;
	}
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, word, len);
	addr[len] = '\0';
	if (!parse_octets(addr, &a))
		return false;
	if (slash && !parse_u32(slash + 1, &bits, 32))
		return false;
	*p = (struct prefix){ .addr = a, .len = bits, .has_len = slash };
	return true;
}

bool prefix_covers(const struct prefix *p, struct in_addr a)
{
	uint32_t mask = p->len ? ~0U << (32 - p->len) : 0;

	return !((ntohl(p->addr.s_addr) ^ ntohl(a.s_addr)) & mask);
}

const char *name_of(const struct name_value *table, unsigned int value)
{
	static char number[16];

	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	snprintf(number, sizeof(number), "%u", value);
	return number;
}

bool name_value(const struct name_value *table, const char *name,
		unsigned int *value)
{
	uint32_t number;

	for (; table->name; table++) {
		if (!strcmp(table->name, name)) {
			*value = table->value;
			return true;
		}
	}
	if (!parse_u32(name, &number, 255))
		return false;
	*value = number;
	return true;
}

static bool kind_ipv4(const char *word, void *to)
{
	struct in_addr a;

	if (inet_pton(AF_INET, word, &a) != 1)
		return false;
	*(struct in_addr *)to = a;
	return true;
}

static bool kind_prefix(const char *word, void *to)
{
	return parse_prefix(word, to);
}

static bool kind_ifaddr(const char *word, void *to)
{
	return *word >= '0' && *word <= '9' && parse_prefix(word, to);
}

static bool kind_dev(const char *word, void *to)
{
	unsigned int index = if_nametoindex(word);

	if (index)
		*(int *)to = index;
	return index;
}

static bool kind_u32(const char *word, void *to)
{
	return parse_u32(word, to, UINT32_MAX);
}

static bool kind_mtu(const char *word, void *to)
{
	uint32_t v;

	if (!parse_u32(word, &v, 65535) || v < 68)
		return false;
	*(uint32_t *)to = v;
	return true;
}

static bool kind_lladdr(const char *word, void *to)
{
	struct lladdr ll = { .len = 0 };
	char *end;
	unsigned long v;

	for (;;) {
		if (!strchr("0123456789abcdefABCDEF", *word) || !*word)
			return false;
		v = strtoul(word, &end, 16);
		if (v > 0xff || end - word > 2 || ll.len == sizeof(ll.byte))
			return false;
		ll.byte[ll.len++] = v;
		if (!*end)
			break;
		if (*end != ':')
			return false;
		word = end + 1;
	}
	*(struct lladdr *)to = ll;
	return true;
}

static bool kind_word(const char *word, void *to)
{
	*(const char **)to = word;
	return true;
}

const struct arg_kind arg_ipv4 = { "an IPv4 address like 192.0.2.1", kind_ipv4 };
const struct arg_kind arg_prefix = {
	"a prefix like 192.0.2.0/24 or \"default\"", kind_prefix
};
const struct arg_kind arg_ifaddr = {
	"an address with prefix length like 192.0.2.1/24", kind_ifaddr
};
const struct arg_kind arg_dev = { "the name of a device that exists", kind_dev };
const struct arg_kind arg_u32 = { "a number from 0 to 4294967295", kind_u32 };
const struct arg_kind arg_mtu = { "an MTU from 68 to 65535", kind_mtu };
const struct arg_kind arg_lladdr = {
	"a link address like 02:00:00:00:00:01", kind_lladdr
};
const struct arg_kind arg_word = { "a word", kind_word };
