/* SPDX-License-Identifier: GPL-2.0-only */
/* Netlink requests over libmnl, with the kernel's own words on errors. */
#ifndef STRATA_NL_H
#define STRATA_NL_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>

struct nl {
	struct mnl_socket *sock;
	const char *who;	/* "RTNETLINK", for errors without a text */
	unsigned int seq;
	unsigned int portid;
};

/* Room for one request of ours. */
#define NL_REQUEST_SIZE 1024

typedef void (*nl_reply_fn)(const struct nlmsghdr *nlh, void *data);

/*
 * Open a socket to @bus (NETLINK_ROUTE, NETLINK_SOCK_DIAG); 0 or EXIT_KERNEL
 * with the reason printed.
 */
int nl_open(struct nl *nl, int bus);
void nl_close(struct nl *nl);

/* Header of a request of @type in @buf (NL_REQUEST_SIZE bytes). */
struct nlmsghdr *nl_request(char *buf, uint16_t type, uint16_t flags);

/*
 * Send @nlh and read to the end of the answer, handing every message of data
 * to @fn (may be NULL). Returns 0 or a negative errno; nl_talk() has then
 * printed the kernel's words, nl_ask() leaves them in @why of @size bytes.
 */
int nl_ask(struct nl *nl, struct nlmsghdr *nlh, nl_reply_fn fn, void *data,
	   char *why, size_t size);
int nl_talk(struct nl *nl, struct nlmsghdr *nlh, nl_reply_fn fn, void *data);

/*
 * nl_talk() to delete what a dump has shown: that the kernel does not find it, as when it went
 * by itself meanwhile, is 1 and nothing is printed.
 */
int nl_delete(struct nl *nl, struct nlmsghdr *nlh);

/*
 * Sort the attributes behind a header of @offset bytes into @tb, indexed by
 * type up to @max; what is too new to know is left out.
 */
void nl_attrs(const struct nlmsghdr *nlh, unsigned int offset,
	      const struct nlattr **tb, unsigned int max);
void nl_nested(const struct nlattr *nest, const struct nlattr **tb,
	       unsigned int max);

/* Values of attributes, checked for length; false if absent or short. */
bool nl_get_u32(const struct nlattr *a, uint32_t *to);
bool nl_get(const struct nlattr *a, void *to, size_t size);

#endif
