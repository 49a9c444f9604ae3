/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests that ask both stacks the same wrong question and compare what they say. Both
 * have 127.0.0.0/8 for themselves, so one namespace with lo serves them.
 */
#ifndef INPUT_ENV_H
#define INPUT_ENV_H

#include "../sock/sock_env.h"

enum kind { STREAM, DGRAM, PING, KINDS };

static const char *const kind_name[] = { "stream", "dgram", "ping" };

#define K_STREAM	(1 << STREAM)
#define K_DGRAM		(1 << DGRAM)
#define K_PING		(1 << PING)
#define K_MSG		(K_DGRAM | K_PING)
#define K_ALL		(K_STREAM | K_MSG)

/* what a call said: @err is errno if @ret is -1; @more: whatever else is to be the same */
struct said {
	long ret;
	int err;
	long more;
};

static inline struct said said(long ret)
{
	return (struct said){ .ret = ret, .err = ret == -1 ? errno : 0 };
}

static inline struct said said_more(long ret, long more)
{
	struct said s = said(ret);

	s.more = more;
	return s;
}

static inline int said_same(struct said a, struct said b)
{
	return a.ret == b.ret && a.err == b.err && a.more == b.more;
}

static inline int kind_socket(int family, enum kind kind)
{
	return socket(family, kind == STREAM ? SOCK_STREAM : SOCK_DGRAM,
		      kind == PING ? IPPROTO_ICMP : 0);
}

/* lo in a namespace of our own; ping sockets for everybody, on both stacks */
static inline int input_unshare(void)
{
	return env_unshare() ||
	       system("echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range && "
		      "echo 0 2147483647 > /proc/sys/net/strata/ping_group_range");
}

/*
 * A fixture that compares: @native and @strata are the two families. The variant is the kind
 * of socket.
 */
#define INPUT_FIXTURE(name)					\
FIXTURE(name) {							\
	int strata;						\
};								\
FIXTURE_VARIANT(name) {						\
	enum kind kind;						\
};								\
FIXTURE_VARIANT_ADD(name, stream) { .kind = STREAM };		\
FIXTURE_VARIANT_ADD(name, dgram) { .kind = DGRAM };		\
FIXTURE_VARIANT_ADD(name, ping) { .kind = PING };		\
FIXTURE_SETUP(name)						\
{								\
	self->strata = env_family(STRATA);			\
	if (self->strata < 0)					\
		SKIP(return, "the module is not loaded");	\
	ASSERT_EQ(0, input_unshare());				\
}								\
FIXTURE_TEARDOWN(name)						\
{								\
}

#endif /* INPUT_ENV_H */
