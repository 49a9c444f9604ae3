// SPDX-License-Identifier: GPL-2.0-only
/* The metrics of a route (RTA_METRICS): their words, read and printed as "ip route" does. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"

/*
 * As ip(8) reads a time: a number alone is in the units of the message; with a unit it is in
 * milliseconds, which the message has in @parts. What is no whole number is rounded up.
 */
static bool parse_time(const char *word, unsigned int parts, uint32_t *to)
{
	static const struct name_value units[] = {
		{ "s", 1000 }, { "sec", 1000 }, { "secs", 1000 },
		{ "ms", 1 }, { "msec", 1 }, { "msecs", 1 }, { NULL, 0 }
	};
	const struct name_value *u;
	char *end;
	double v;

	if (!isdigit((unsigned char)*word) && *word != '.')
		return false;
	if (strchr(word, '.'))
		v = strtod(word, &end);
	else
		v = strtoull(word, &end, 0);
	if (end == word)
		return false;
	for (u = units; *end && u->name && strcasecmp(u->name, end); u++)
		;
	if (!u->name)
		return false;
	v = *end ? ceil(v * u->value) * parts : ceil(v);
	if (v > UINT32_MAX)
		return false;
	*to = v;
	return true;
}

static bool kind_rtt(const char *word, void *to)
{
	return parse_time(word, 8, to);
}

static bool kind_rttvar(const char *word, void *to)
{
	return parse_time(word, 4, to);
}

static bool kind_time(const char *word, void *to)
{
	return parse_time(word, 1, to);
}

static bool kind_hops(const char *word, void *to)
{
	return parse_u32(word, to, 255);
}

static bool kind_bool(const char *word, void *to)
{
	return parse_u32(word, to, 1);
}

static bool kind_features(const char *word, void *to)
{
	if (strcmp(word, "ecn"))
		return false;
	*(uint32_t *)to = RTAX_FEATURE_ECN;
	return true;
}

static bool kind_cong(const char *word, void *to)
{
	size_t len = strlen(word);

	if (!len || len >= sizeof(((struct rt_metrics *)NULL)->cong))
		return false;
	memcpy(to, word, len + 1);
	return true;
}

#define A_TIME "a time like 100ms or 1.5s"

static const struct arg_kind arg_rtt = { A_TIME, kind_rtt };
static const struct arg_kind arg_rttvar = { A_TIME, kind_rttvar };
static const struct arg_kind arg_time = { A_TIME, kind_time };
static const struct arg_kind arg_hops = { "a number of hops from 0 to 255", kind_hops };
static const struct arg_kind arg_bool = { "0 or 1", kind_bool };
static const struct arg_kind arg_features = { "\"ecn\"", kind_features };
static const struct arg_kind arg_cong = {
	"the name of a congestion control like cubic", kind_cong
};

/**
 * struct metric - one of them
 * @name:	its word
 * @kind:	of its value
 * @parts:	of a millisecond; 0: it is no time
 * @fixed:	"lock" may not be said of it
 */
static const struct metric {
	const char *name;
	const struct arg_kind *kind;
	unsigned int parts;
	bool fixed;
} metrics[RTAX_MAX + 1] = {
	[RTAX_MTU] = { "mtu", &arg_mtu, 0, false },
	[RTAX_WINDOW] = { "window", &arg_u32, 0, false },
	[RTAX_RTT] = { "rtt", &arg_rtt, 8, false },
	[RTAX_RTTVAR] = { "rttvar", &arg_rttvar, 4, false },
	[RTAX_SSTHRESH] = { "ssthresh", &arg_u32, 0, false },
	[RTAX_CWND] = { "cwnd", &arg_u32, 0, false },
	[RTAX_ADVMSS] = { "advmss", &arg_u32, 0, false },
	[RTAX_REORDERING] = { "reordering", &arg_u32, 0, false },
	[RTAX_HOPLIMIT] = { "hoplimit", &arg_hops, 0, false },
	[RTAX_INITCWND] = { "initcwnd", &arg_u32, 0, false },
	[RTAX_FEATURES] = { "features", &arg_features, 0, true },
	[RTAX_RTO_MIN] = { "rto_min", &arg_time, 1, true },
	[RTAX_INITRWND] = { "initrwnd", &arg_u32, 0, false },
	[RTAX_QUICKACK] = { "quickack", &arg_bool, 0, true },
	[RTAX_CC_ALGO] = { "congctl", &arg_cong, 0, false },
	[RTAX_FASTOPEN_NO_COOKIE] = { "fastopen_no_cookie", &arg_bool, 0, true },
};

static bool locked(const struct rt_metrics *m, int i)
{
	return m->val[RTAX_LOCK] & (1U << i);
}

/* A lock alone is shown, too: of the value 0. */
static bool shown(const struct rt_metrics *m, int i)
{
	if (i == RTAX_FEATURES)
		return m->val[i] & RTAX_FEATURE_ECN;
	if (i == RTAX_CC_ALGO)
		return m->cong[0];
	return metrics[i].name && (m->has & (1U << i) || locked(m, i));
}

/* ---- words ---- */

unsigned int rt_metrics_words(struct rt_metrics *m, struct arg *words)
{
	unsigned int i, n = 0;

	for (i = 1; i <= RTAX_MAX; i++) {
		struct arg word = { .name = metrics[i].name, .kind = metrics[i].kind,
				    .to = &m->val[i] };

		if (i == RTAX_CC_ALGO)
			word.to = m->cong;
		if (word.name)
			words[n++] = word;
	}
	return n;
}

void rt_metrics_lock(struct rt_metrics *m, int *argc, char **argv)
{
	unsigned int i;

	for (i = 1; i <= RTAX_MAX; i++)
		if (metrics[i].name && !metrics[i].fixed &&
		    args_cut(metrics[i].name, "lock", argc, argv))
			m->val[RTAX_LOCK] |= 1U << i;
}

void rt_metrics_given(struct rt_metrics *m, const struct arg *words)
{
	unsigned int i;

	for (i = 1; i <= RTAX_MAX; i++)
		if (metrics[i].name && words++->given)
			m->has |= 1U << i;
	if (m->has & (1U << RTAX_RTO_MIN))
		m->val[RTAX_LOCK] |= 1U << RTAX_RTO_MIN;
	if (m->val[RTAX_LOCK])
		m->has |= 1U << RTAX_LOCK;
}

/* ---- messages ---- */

void rt_metrics_read(const struct nlattr *nest, struct rt_metrics *m)
{
	const struct nlattr *tb[RTAX_MAX + 1];
	unsigned int i;

	memset(m, 0, sizeof(*m));
	if (!nest)
		return;
	nl_nested(nest, tb, RTAX_MAX);
	for (i = 1; i <= RTAX_MAX; i++)
		if (i != RTAX_CC_ALGO && nl_get_u32(tb[i], &m->val[i]))
			m->has |= 1U << i;
	/* (with or without a zero at its end) */
	if (tb[RTAX_CC_ALGO]) {
		snprintf(m->cong, sizeof(m->cong), "%.*s",
			 (int)mnl_attr_get_payload_len(tb[RTAX_CC_ALGO]),
			 mnl_attr_get_str(tb[RTAX_CC_ALGO]));
		m->has |= 1U << RTAX_CC_ALGO;
	}
}

void rt_metrics_put(struct nlmsghdr *nlh, const struct rt_metrics *m)
{
	struct nlattr *nest;
	unsigned int i;

	if (!m->has)
		return;
	nest = mnl_attr_nest_start(nlh, RTA_METRICS);
	for (i = 1; i <= RTAX_MAX; i++) {
		if (!(m->has & (1U << i)))
			continue;
		if (i == RTAX_CC_ALGO)
			mnl_attr_put_strz(nlh, i, m->cong);
		else
			mnl_attr_put_u32(nlh, i, m->val[i]);
	}
	mnl_attr_nest_end(nlh, nest);
}

/* ---- text and JSON ---- */

static void print_time(uint32_t ms)
{
	if (ms < 1000)
		printf(" %ums", ms);
	else
		printf(" %gs", ms / 1000.0);
}

void rt_metrics_print(const struct rt_metrics *m)
{
	unsigned int i;

	for (i = 1; i <= RTAX_MAX; i++) {
		if (!shown(m, i))
			continue;
		printf(" %s%s", metrics[i].name, locked(m, i) ? " lock" : "");
		if (i == RTAX_FEATURES)
			fputs(" ecn", stdout);
		else if (i == RTAX_CC_ALGO)
			printf(" %s", m->cong);
		else if (metrics[i].parts)
			print_time(m->val[i] / metrics[i].parts);
		else
			printf(" %u", m->val[i]);
	}
}

/* (As in ip(8)'s JSON, times are in milliseconds, and what is locked is not said.) */
json_t *rt_metrics_json(const struct rt_metrics *m)
{
	unsigned int i;
	json_t *j;

	if (!m->has)
		return NULL;
	j = json_object();
	for (i = 1; i <= RTAX_MAX; i++) {
		unsigned int parts = metrics[i].parts ? metrics[i].parts : 1;

		if (!shown(m, i))
			continue;
		if (i == RTAX_FEATURES)
			json_object_set_new(j, "ecn", json_null());
		else if (i == RTAX_CC_ALGO)
			json_object_set_new(j, "congestion", json_text(m->cong));
		else
			json_object_set_new(j, metrics[i].name, json_integer(m->val[i] / parts));
	}
	return json_pack("[o]", j);
}
