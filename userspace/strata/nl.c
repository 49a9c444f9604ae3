// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink conversations. One request is sent at a time; its answer ends with
 * an ack, an error or the end of a dump. Extended acks are asked for, so that
 * a refusal is shown in the kernel's words.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nl.h"
#include "strata.h"

#define NL_BUFFER_SIZE 65536

int nl_open(struct nl *nl, int bus)
{
	int one = 1;

	nl->who = bus == NETLINK_ROUTE ? "RTNETLINK" : "SOCK_DIAG";
	nl->seq = 0;
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		fprintf(stderr, "Error: cannot open a netlink socket: %s.\n",
			strerror(errno));
		if (nl->sock)
			mnl_socket_close(nl->sock);
		return EXIT_KERNEL;
	}
	nl->portid = mnl_socket_get_portid(nl->sock);
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	return 0;
}

void nl_close(struct nl *nl)
{
	mnl_socket_close(nl->sock);
}

struct nlmsghdr *nl_request(char *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlh;
}

/* The text of an extended ack behind @payload bytes, if there is one. */
static void copy_extack(const struct nlmsghdr *nlh, unsigned int payload,
			char *why, size_t size)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(attr, nlh, payload) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(why, size, "%s", mnl_attr_get_str(attr));
	}
}

static int read_error(const struct nlmsghdr *nlh, char *why, size_t size)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	unsigned int payload = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		payload += e->msg.nlmsg_len - sizeof(e->msg);
	if (e->error)
		copy_extack(nlh, payload, why, size);
	return e->error;
}

static int read_done(const struct nlmsghdr *nlh, char *why, size_t size)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(error))
		return 0;
	memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	if (error < 0)
		copy_extack(nlh, sizeof(error), why, size);
	return error < 0 ? error : 0;
}

/**
 * struct answer - an answer being read
 * @fn:		takes the messages of data, with @data
 * @acked:	an ack or the end of a dump follows the data
 * @torn:	the kernel's list changed under the dump
 * @err:	how it ended, with the kernel's words in @why of @size bytes
 */
struct answer {
	nl_reply_fn fn;
	void *data;
	bool acked;
	bool torn;
	int err;
	char *why;
	size_t size;
};

/* One message; true when it ended the answer. */
static bool read_message(struct answer *an, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		an->torn = true;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		an->err = read_error(nlh, an->why, an->size);
		return true;
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		an->err = read_done(nlh, an->why, an->size);
		return true;
	}
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return false;
	if (an->fn)
		an->fn(nlh, an->data);
	return !(nlh->nlmsg_flags & NLM_F_MULTI) && !an->acked;
}

static bool read_datagram(const struct nl *nl, struct answer *an,
			  const char *buf, int len)
{
	const struct nlmsghdr *nlh = (const void *)buf;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (!mnl_nlmsg_seq_ok(nlh, nl->seq) ||
		    !mnl_nlmsg_portid_ok(nlh, nl->portid))
			continue;
		if (read_message(an, nlh))
			return true;
	}
	return false;
}

int nl_ask(struct nl *nl, struct nlmsghdr *nlh, nl_reply_fn fn, void *data,
	   char *why, size_t size)
{
	struct answer an = {
		.fn = fn, .data = data, .why = why, .size = size,
		.acked = nlh->nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP),
	};
	ssize_t len;
	char *buf;

	*why = '\0';
	buf = malloc(NL_BUFFER_SIZE);
	if (!buf)
		return -ENOMEM;
	nlh->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0) {
		an.err = -errno;
		goto out;
	}
	do {
		len = mnl_socket_recvfrom(nl->sock, buf, NL_BUFFER_SIZE);
		if (len < 0 && errno != EINTR) {
			an.err = -errno;
			goto out;
		}
	} while (len < 0 || !read_datagram(nl, &an, buf, len));
	if (an.torn)
		fputs("Warning: the list changed while it was read and may be inconsistent.\n",
		      stderr);
out:
	free(buf);
	return an.err;
}

static int complain(const struct nl *nl, int err, const char *why)
{
	size_t len = strlen(why);

	fflush(stdout);
	if (len)
		fprintf(stderr, "Error: %s%s\n", why,
			why[len - 1] == '.' ? "" : ".");
	else
		fprintf(stderr, "%s answers: %s\n", nl->who, strerror(-err));
	return err;
}

int nl_talk(struct nl *nl, struct nlmsghdr *nlh, nl_reply_fn fn, void *data)
{
	char why[256];
	int err = nl_ask(nl, nlh, fn, data, why, sizeof(why));

	return err ? complain(nl, err, why) : 0;
}

int nl_delete(struct nl *nl, struct nlmsghdr *nlh)
{
	char why[256];
	int err = nl_ask(nl, nlh, NULL, NULL, why, sizeof(why));

	if (!err)
		return 0;
	if (err == -ENOENT || err == -ESRCH || err == -EADDRNOTAVAIL || err == -ENODEV)
		return 1;
	return complain(nl, err, why);
}

void nl_attrs(const struct nlmsghdr *nlh, unsigned int offset,
	      const struct nlattr **tb, unsigned int max)
{
	const struct nlattr *attr;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	mnl_attr_for_each(attr, nlh, offset)
		if (mnl_attr_get_type(attr) <= max)
			tb[mnl_attr_get_type(attr)] = attr;
}

void nl_nested(const struct nlattr *nest, const struct nlattr **tb,
	       unsigned int max)
{
	const struct nlattr *attr;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) <= max)
			tb[mnl_attr_get_type(attr)] = attr;
}

bool nl_get(const struct nlattr *a, void *to, size_t size)
{
	if (!a || mnl_attr_get_payload_len(a) < size)
		return false;
	memcpy(to, mnl_attr_get_payload(a), size);
	return true;
}

bool nl_get_u32(const struct nlattr *a, uint32_t *to)
{
	return nl_get(a, to, sizeof(*to));
}
