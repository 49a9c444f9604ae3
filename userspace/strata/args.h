/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The grammar of ip(8) as a table: each command lists the keywords it takes,
 * and one parser walks the words, stores the values and, for a word that does
 * not fit, prints the one line that says what was expected.
 */
#ifndef STRATA_ARGS_H
#define STRATA_ARGS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct arg_kind - a kind of value
 * @what:	its name in an error: "WHAT is expected rather than ..."
 * @parse:	reads @word into @to; false if it is no such value: then @to is as it was, for the
 *		word may be another and @to have a value already
 */
struct arg_kind {
	const char *what;
	bool (*parse)(const char *word, void *to);
};

/**
 * struct arg - one keyword of a command
 * @name:	the keyword; NULL for a word that always stands alone
 * @alias:	other spellings, with a blank between two, or NULL
 * @kind:	kind of the value after it; NULL for a flag, @to is then a bool
 * @to:		where the value goes
 * @need:	the command cannot do without it
 * @many:	may come again; @kind->parse() adds to what is there
 * @bare:	the value may stand alone, without @name; true where there is none
 * @lead:	a word that may stand before @name (before the value, where there is no @name),
 *		and says nothing
 * @given:	set by the parser
 */
struct arg {
	const char *name;
	const char *alias;
	const struct arg_kind *kind;
	void *to;
	const char *lead;
	bool need;
	bool many;
	bool bare;
	bool given;
};

struct prefix {
	struct in_addr addr;
	unsigned int len;
	bool has_len;
};

struct lladdr {
	unsigned char byte[32];
	unsigned int len;
};

/*
 * Read argv[1..] after the verb argv[0] by @spec, which has @n entries.
 * Returns 0, or EXIT_USAGE with the reason printed.
 */
int args_parse(struct arg *spec, unsigned int n, int argc, char **argv);

/* Take @word out where it stands between the keyword @after and a value; true if it does. */
bool args_cut(const char *after, const char *word, int *argc, char **argv);

#define ARGS(spec) (spec), sizeof(spec) / sizeof((spec)[0])

extern const struct arg_kind arg_ipv4;		/* struct in_addr */
extern const struct arg_kind arg_prefix;	/* struct prefix */
extern const struct arg_kind arg_ifaddr;	/* struct prefix, an address of ours */
extern const struct arg_kind arg_dev;		/* int: index of a device that exists */
extern const struct arg_kind arg_u32;		/* uint32_t */
extern const struct arg_kind arg_mtu;		/* uint32_t, 68 and up (RFC 791) */
extern const struct arg_kind arg_lladdr;	/* struct lladdr */
extern const struct arg_kind arg_word;		/* const char * */

/* "*": every prefix; "default" is 0.0.0.0/0. */
bool parse_u32(const char *word, uint32_t *to, uint32_t max);
bool parse_prefix(const char *word, struct prefix *p);
bool prefix_covers(const struct prefix *p, struct in_addr a);

/* A name for a number and back; tables end with a NULL name. */
struct name_value {
	const char *name;
	unsigned int value;
};

const char *name_of(const struct name_value *table, unsigned int value);
bool name_value(const struct name_value *table, const char *name,
		unsigned int *value);

#endif
