/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of rtnetlink as the tool sees them: read from messages, printed
 * as text in ip(8)'s form or as JSON with ip(8)'s keys. rt_*.c, one object
 * each; the commands (addr.c, route.c, ...) and monitor.c use them.
 */
#ifndef STRATA_RT_H
#define STRATA_RT_H

#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "args.h"
#include "nl.h"

struct rt_link {
	int index;
	int peer;		/* IFLA_LINK, 0: none */
	char name[IFNAMSIZ];
	unsigned int flags;	/* IFF_* */
	uint32_t mtu;
	uint8_t operstate;	/* IF_OPER_* */
	uint16_t type;		/* ARPHRD_* */
	struct lladdr lladdr;
	struct lladdr broadcast;
};

struct rt_addr {
	int ifindex;
	unsigned int len;
	unsigned int scope;
	uint32_t flags;		/* IFA_F_* */
	uint32_t metric;	/* of its route; 0: none of its own */
	bool has_peer, has_broadcast;
	struct in_addr local, peer, broadcast;
};

/**
 * struct rt_metrics - RTA_METRICS of a route: rt_metrics.c
 * @val:	by RTAX_*, in the units of the message; [RTAX_LOCK]: a bit for each that is locked
 * @has:	a bit for each that is there
 * @cong:	RTAX_CC_ALGO
 */
struct rt_metrics {
	uint32_t val[RTAX_MAX + 1];
	uint32_t has;
	char cong[16];
};

struct rt_route {
	struct prefix dst;
	unsigned int table, protocol, scope, type, flags, tos;
	int oif;
	bool has_via, has_src, has_metric;
	struct in_addr via, src;
	uint32_t metric;
	struct rt_metrics mx;
};

struct rt_neigh {
	int ifindex;
	unsigned int state;	/* NUD_* */
	unsigned int flags;	/* NTF_* */
	struct in_addr dst;
	struct lladdr lladdr;	/* len 0: unknown */
	bool has_cacheinfo;
	uint32_t used, confirmed, updated, refs;	/* in 1/USER_HZ s */
	uint32_t probes;
};

/* Read a message; false if it is short, lacks its address or is not ours. */
bool rt_link_read(const struct nlmsghdr *nlh, struct rt_link *l);
bool rt_addr_read(const struct nlmsghdr *nlh, struct rt_addr *a);
bool rt_route_read(const struct nlmsghdr *nlh, struct rt_route *r);
bool rt_neigh_read(const struct nlmsghdr *nlh, struct rt_neigh *n);

/* The metrics of a route: read from its message, where @nest may be NULL, and put into one. */
void rt_metrics_read(const struct nlattr *nest, struct rt_metrics *m);
void rt_metrics_put(struct nlmsghdr *nlh, const struct rt_metrics *m);
/* As text, with a blank before each; as JSON, NULL without any. */
void rt_metrics_print(const struct rt_metrics *m);
json_t *rt_metrics_json(const struct rt_metrics *m);
/*
 * Their words: the entries of a table for args_parse(), which has room for RTAX_MAX, and how
 * many; before it parses, "lock" is taken out; afterwards it is noted what was given.
 */
unsigned int rt_metrics_words(struct rt_metrics *m, struct arg *words);
void rt_metrics_lock(struct rt_metrics *m, int *argc, char **argv);
void rt_metrics_given(struct rt_metrics *m, const struct arg *words);

/* Text, with the newline; an address is a line of its device's block. */
void rt_link_print(const struct rt_link *l);
void rt_addr_print(const struct rt_addr *a);
void rt_route_print(const struct rt_route *r);
void rt_neigh_print(const struct rt_neigh *n);

json_t *rt_link_json(const struct rt_link *l);
json_t *rt_addr_json(const struct rt_addr *a);
json_t *rt_route_json(const struct rt_route *r);
json_t *rt_neigh_json(const struct rt_neigh *n);

extern const struct name_value rt_scopes[], rt_tables[], rt_protocols[],
			       rt_types[], rt_tos[], rt_nud[], rt_operstates[];

/* A growing array of one kind of object. */
struct rt_list {
	void *item;
	unsigned int count, room;
	size_t size;		/* of an item */
};

#define RT_LIST(type) { .size = sizeof(type) }

void rt_list_add(struct rt_list *list, const void *item);
void rt_list_free(struct rt_list *list);

/*
 * Read all objects of one kind; the list is to be freed in any case. Returns 0
 * or EXIT_KERNEL with the reason printed.
 */
int rt_links(struct nl *nl, struct rt_list *list);
int rt_addrs(struct nl *nl, struct rt_list *list);
int rt_routes(struct nl *nl, struct rt_list *list);
int rt_neighs(struct nl *nl, struct rt_list *list);

/**
 * struct rt_flush - how objects of one kind are removed
 * @one:	its name, for errors
 * @many:	the name of several
 * @size:	of an object
 * @read:	all of them: rt_addrs(), rt_routes(), rt_neighs()
 * @takes:	is @item one of those that @words, the caller's, are about?
 * @remove:	ask the kernel, with nl_delete() as the last word
 */
struct rt_flush {
	const char *one, *many;
	size_t size;
	int (*read)(struct nl *nl, struct rt_list *list);
	bool (*takes)(const void *words, const void *item);
	int (*remove)(struct nl *nl, const void *item);
};

/* Remove all that a list shows and @words take; 0 or EXIT_KERNEL with the reason printed. */
int rt_flush(const struct rt_flush *f, const void *words);

/* Is one of the addresses on that device? Then Strata is bound to it. */
bool rt_addrs_on(const struct rt_list *addrs, int ifindex);

/* Name of a device, "ifN" when it has gone; in a static buffer. */
const char *rt_ifname(int index);
const char *rt_lladdr(const struct lladdr *ll);
const char *rt_ipv4(struct in_addr a);

/* One request of a command's: open, talk, close; the exit status. */
int rt_one_request(struct nlmsghdr *nlh);

/* Print and free; the tool's one way to write JSON. */
void json_out(json_t *json);
/* A string; what is no UTF-8 (names of programs and devices may be anything) with "?" for it. */
json_t *json_text(const char *s);
json_t *json_names(const struct name_value *bits, unsigned int value);

#endif
