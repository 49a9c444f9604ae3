// SPDX-License-Identifier: GPL-2.0-only
/* What the rtnetlink objects share: lists, dumps, names, JSON output. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"
#include "strata.h"

void rt_list_add(struct rt_list *list, const void *item)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		list->item = reallocarray(list->item, list->room, list->size);
		if (!list->item) {
			fputs("Error: out of memory.\n", stderr);
			exit(EXIT_KERNEL);
		}
	}
	memcpy((char *)list->item + list->count++ * list->size, item, list->size);
}

void rt_list_free(struct rt_list *list)
{
	free(list->item);
	list->item = NULL;
	list->count = 0;
	list->room = 0;
}

static void add_link(const struct nlmsghdr *nlh, void *data)
{
	struct rt_link l;

	if (rt_link_read(nlh, &l))
		rt_list_add(data, &l);
}

static void add_addr(const struct nlmsghdr *nlh, void *data)
{
	struct rt_addr a;

	if (rt_addr_read(nlh, &a))
		rt_list_add(data, &a);
}

static void add_route(const struct nlmsghdr *nlh, void *data)
{
	struct rt_route r;

	if (rt_route_read(nlh, &r))
		rt_list_add(data, &r);
}

static void add_neigh(const struct nlmsghdr *nlh, void *data)
{
	struct rt_neigh n;

	if (rt_neigh_read(nlh, &n))
		rt_list_add(data, &n);
}

int rt_links(struct nl *nl, struct rt_list *list)
{
	char buf[NL_REQUEST_SIZE] = "";
	struct nlmsghdr *nlh = nl_request(buf, RTM_GETLINK, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nl_talk(nl, nlh, add_link, list) ? EXIT_KERNEL : 0;
}

/* All of Strata's objects of one kind; @size: of the header, which begins with the family. */
static int dump(struct nl *nl, uint16_t type, size_t size,
		nl_reply_fn add, struct rt_list *list)
{
	char buf[NL_REQUEST_SIZE] = "";
	struct nlmsghdr *nlh = nl_request(buf, type, NLM_F_DUMP);
	struct rtgenmsg *head = mnl_nlmsg_put_extra_header(nlh, size);

	head->rtgen_family = opt.family;
	return nl_talk(nl, nlh, add, list) ? EXIT_KERNEL : 0;
}

int rt_addrs(struct nl *nl, struct rt_list *list)
{
	return dump(nl, RTM_GETADDR, sizeof(struct ifaddrmsg), add_addr, list);
}

int rt_routes(struct nl *nl, struct rt_list *list)
{
	return dump(nl, RTM_GETROUTE, sizeof(struct rtmsg), add_route, list);
}

int rt_neighs(struct nl *nl, struct rt_list *list)
{
	return dump(nl, RTM_GETNEIGH, sizeof(struct ndmsg), add_neigh, list);
}

/* How often a list is read again when the kernel did not find what it showed. */
#define FLUSH_ROUNDS 10

/*
 * What one list shows; @missed: how many of it the kernel did not find. One that it refuses to
 * remove, for which its words are printed, does not keep the others.
 */
static int flush_round(struct nl *nl, const struct rt_flush *f, const void *words,
		       unsigned int *missed)
{
	struct rt_list list = { .size = f->size };
	int err = f->read(nl, &list);
	unsigned int i, n = err ? 0 : list.count;
	const char *item = list.item;

	*missed = 0;
	for (i = 0; i < n; i++, item += f->size) {
		int left = f->takes(words, item) ? f->remove(nl, item) : 0;

		if (left < 0)
			err = EXIT_KERNEL;
		*missed += left > 0;
	}
	rt_list_free(&list);
	return err;
}

int rt_flush(const struct rt_flush *f, const void *words)
{
	unsigned int missed, rounds = 0;
	struct nl nl;
	int err;

	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	/* what is missed went by itself or with another, most likely: then it is not shown again */
	do {
		err = flush_round(&nl, f, words, &missed);
	} while (!err && missed && ++rounds < FLUSH_ROUNDS);
	nl_close(&nl);
	if (!err && missed) {
		fprintf(stderr,
			"Error: %u %s could not be removed: shown by the kernel, and not found.\n",
			missed, missed == 1 ? f->one : f->many);
		err = EXIT_KERNEL;
	}
	return err;
}

int rt_one_request(struct nlmsghdr *nlh)
{
	struct nl nl;
	int err;

	if (!family_require() || nl_open(&nl, NETLINK_ROUTE))
		return EXIT_KERNEL;
	err = nl_talk(&nl, nlh, NULL, NULL);
	nl_close(&nl);
	return err ? EXIT_KERNEL : 0;
}

const char *rt_ifname(int index)
{
	static char name[IFNAMSIZ + 8];

	if (!index)
		return "*";
	if (!if_indextoname(index, name))
		snprintf(name, sizeof(name), "if%d", index);
	return name;
}

const char *rt_lladdr(const struct lladdr *ll)
{
	static char text[3 * sizeof(ll->byte) + 1];
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < ll->len; i++)
		sprintf(text + (i ? 3 * i - 1 : 0), "%s%02x", i ? ":" : "",
			ll->byte[i]);
	return text;
}

const char *rt_ipv4(struct in_addr a)
{
	static char text[4][INET_ADDRSTRLEN];
	static unsigned int turn;
	char *to = text[turn++ % 4];

	return inet_ntop(AF_INET, &a, to, INET_ADDRSTRLEN);
}

void json_out(json_t *json)
{
	json_dumpf(json, stdout, JSON_REAL_PRECISION(9) |
		   (opt.pretty ? JSON_INDENT(4) : JSON_COMPACT));
	putchar('\n');
	json_decref(json);
}

json_t *json_text(const char *s)
{
	json_t *json = json_string(s);
	char text[256], *c;

	if (json)
		return json;
	snprintf(text, sizeof(text), "%s", s);
	for (c = text; *c; c++)
		if (*c & 0x80)
			*c = '?';
	return json_string(text);
}

json_t *json_names(const struct name_value *bits, unsigned int value)
{
	json_t *names = json_array();

	for (; bits->name; bits++)
		if (value & bits->value)
			json_array_append_new(names, json_string(bits->name));
	return names;
}
