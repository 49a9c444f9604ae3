// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every option of every level, set and read with every length and value that is near an edge,
 * on both stacks: the same answer, the same octets; TCP's also of a listener and of a
 * connection. Where Strata differs a line below says
 * why; a line without a difference is wrong, too.
 */
#include <stdarg.h>
#include <stdbool.h>
#include "input_env.h"

#define LOOK	256	/* octets of an answer that are compared */
#define OPTS	130	/* numbers 0 to this one are tried at each level */

/* @some: not on every kernel */
struct except {
	int kinds, level, first, last;
	const char *why;
	bool some;
};

/* what Strata does not have: ENOPROTOOPT whatever the arguments */
static const struct except absent[] = {
	{ K_ALL, SOL_IP, IP_RETOPTS, IP_RETOPTS, "no IP options are sent" },
	{ K_ALL, SOL_IP, 9, 9, "IP_PKTOPTIONS, likewise" },
	{ K_ALL, SOL_IP, IP_IPSEC_POLICY, IP_PASSSEC, "no IPsec" },
	{ K_ALL, SOL_IP, IP_TRANSPARENT, IP_TRANSPARENT, "packets to others are never Strata's" },
	{ K_ALL, SOL_IP, IP_ADD_MEMBERSHIP, IP_MULTICAST_ALL, "no multicast membership" },
	{ K_STREAM, SOL_TCP, 14, 14, "TCP_MD5SIG" },
	{ K_STREAM, SOL_TCP, TCP_REPAIR, TCP_QUEUE_SEQ, "repair" },
	{ K_STREAM, SOL_TCP, TCP_REPAIR_OPTIONS, TCP_REPAIR_OPTIONS, "repair" },
	{ K_STREAM, SOL_TCP, 29, 29, "TCP_REPAIR_WINDOW" },
	{ K_STREAM, SOL_TCP, 32, 32, "TCP_MD5SIG_EXT" },
	{ K_STREAM, SOL_TCP, 38, 43, "AO, MPTCP" },
	{ K_DGRAM, SOL_UDP, 10, 11, "UDP-Lite's coverage" },
	{ K_DGRAM, SOL_UDP, UDP_ENCAP, UDP_NO_CHECK6_RX, "no tunnels, no IPv6" },
};

/* what is answered in another way */
static const struct except differs[] = {
	{ K_ALL, SOL_SOCKET, SO_REUSEPORT, SO_REUSEPORT, "before 6.2 the core keeps it for AF_INET",
	  true },
	{ K_STREAM, SOL_SOCKET, SO_PEEK_OFF, SO_PEEK_OFF, "native has it since 6.9", true },
	{ K_STREAM, SOL_SOCKET, SO_ATTACH_FILTER, SO_ATTACH_FILTER,
	  "the core asks for CAP_NET_ADMIN where the TCP is its own", true },
	{ K_STREAM, SOL_SOCKET, SO_TIMESTAMPING, SO_TIMESTAMPING,
	  "before 6.2 the core asks whose TCP it is", true },
	{ K_STREAM, SOL_SOCKET, 65, 65, "SO_TIMESTAMPING_NEW, likewise", true },
	{ K_STREAM, SOL_SOCKET, SO_ZEROCOPY, SO_ZEROCOPY, "likewise", true },
	{ K_DGRAM, SOL_SOCKET, SO_ZEROCOPY, SO_ZEROCOPY,
	  "before 6.2 the core keeps it for its own", true },
	{ K_STREAM, SOL_SOCKET, 78, 80, "SO_DEVMEM_*, likewise", true },
	{ K_ALL, SOL_IP, IP_OPTIONS, IP_OPTIONS, "none can be set: none are sent" },
	{ K_MSG, SOL_IP, IP_MULTICAST_IF, IP_MULTICAST_IF, "lo is no device of Strata's" },
	{ K_STREAM, SOL_TCP, TCP_ULP, TCP_ULP, "absent; native reads no name" },
};

static const int levels[] = { SOL_SOCKET, SOL_IP, SOL_TCP, SOL_UDP, IPPROTO_ICMP, SOL_IPV6, 255 };

static const struct except *find(const struct except *list, int n, enum kind kind, int level,
				 int opt)
{
	for (; n--; list++)
		if (list->kinds & 1 << kind && list->level == level && list->first <= opt &&
		    opt <= list->last)
			return list;
	return NULL;
}

#define FIND(list, kind, level, opt)	find(list, ARRAY_SIZE(list), kind, level, opt)

/* options of which one word would start programs: by name, or not at all */
static int is_name(int level, int opt)
{
	return level == SOL_TCP && (opt == TCP_CONGESTION || opt == TCP_ULP);
}

/* values that tell of the socket or the moment, not of the arguments */
static int value_is_own(int level, int opt)
{
	if (level == SOL_SOCKET)
		return opt == SO_COOKIE || opt == SO_DOMAIN || opt == SO_PROTOCOL ||
		       opt == SO_MEMINFO || opt == SO_INCOMING_CPU || opt == SO_INCOMING_NAPI_ID;
	return level == SOL_TCP && (opt == TCP_INFO || opt == TCP_CC_INFO ||
				    opt == TCP_TIMESTAMP);
}

/* those that tell of a connection's path, too */
static int value_is_path(int state, int level, int opt)
{
	return state == TCP_ESTABLISHED && level == SOL_TCP &&
	       (opt == TCP_MAXSEG || opt == TCP_WINDOW_CLAMP);
}

struct probe {
	enum kind kind;
	int state;		/* TCP_LISTEN, TCP_ESTABLISHED, 0: new */
	int level, opt;
	int fd[2];		/* native, Strata */
	int peer[2];		/* of a connection */
	bool absent, lacks;	/* Strata, native know nothing of it */
	int differences;
	char first[256];	/* the first difference in words */
};

static unsigned int octets(const char *p, int n)
{
	unsigned int h = 1;

	while (n--)
		h = h * 31 + (unsigned char)*p++;
	return h;
}

static struct said get_len(const struct probe *p, int fd, int len)
{
	static char buf[65536];		/* more than any option has */
	socklen_t n = len;
	struct said s;

	memset(buf, 0x5a, LOOK);
	s = said(getsockopt(fd, p->level, p->opt, buf, &n));
	s.more = (long)(int)n << 32;
	if (!value_is_own(p->level, p->opt) && !value_is_path(p->state, p->level, p->opt))
		s.more |= octets(buf, LOOK);
	return s;
}

static struct said get_fault(const struct probe *p, int fd, int what)
{
	socklen_t n = 4;
	char buf[64];

	if (what)
		return said(getsockopt(fd, p->level, p->opt, buf, NOWHERE));
	return said_more(getsockopt(fd, p->level, p->opt, NOWHERE, &n), n);
}

/* @pattern: four octets over and over */
static struct said set_len(const struct probe *p, int fd, int len, int pattern)
{
	static int buf[16384];
	int i;

	if (buf[1023] != pattern)
		for (i = 0; i < 1024; i++)
			buf[i] = pattern;
	return said(setsockopt(fd, p->level, p->opt, buf, len));
}

static struct said set_fault(const struct probe *p, int fd, int len)
{
	return said(setsockopt(fd, p->level, p->opt, NOWHERE, len));
}

static void __attribute__((format(printf, 4, 5))) compare(struct probe *p, struct said native,
							   struct said ours, const char *fmt, ...)
{
	char what[64];
	va_list ap;

	if (said_same(native, ours) || p->differences++)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(p->first, sizeof(p->first),
		 "%s: native %ld errno %d %#lx, strata %ld errno %d %#lx", what, native.ret,
		 native.err, native.more, ours.ret, ours.err, ours.more);
}

static void ask_get(struct probe *p, const char *when)
{
	static const int lens[] = { -1, 0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 255, 65536, INT32_MAX };
	int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++)
		compare(p, get_len(p, p->fd[0], lens[i]), get_len(p, p->fd[1], lens[i]),
			"%s get length %d", when, lens[i]);
	for (i = 0; i < 2; i++)
		compare(p, get_fault(p, p->fd[0], i), get_fault(p, p->fd[1], i),
			"%s get to nowhere %d", when, i);
}

static void ask_set(struct probe *p)
{
	static const int lens[] = { -1, 0, 1, 2, 3, 4, 5, 8, 12, 16, 255, 4096, 65536, INT32_MIN };
	static const int vals[] = {
		0, 1, -1, 2, 3, 4, 5, 6, 7, 8, 63, 64, 87, 88, 127, 128, 255, 256, 32767, 32768,
		65535, 65536, 1 << 20, INT32_MAX, INT32_MIN, 0x01010101,
	};
	int i, k;

	for (i = 0; i < ARRAY_SIZE(lens); i++)
		for (k = 0; k < 3; k++)
			compare(p, set_len(p, p->fd[0], lens[i], vals[k]),
				set_len(p, p->fd[1], lens[i], vals[k]), "set length %d to %d",
				lens[i], vals[k]);
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		compare(p, set_fault(p, p->fd[0], lens[i]), set_fault(p, p->fd[1], lens[i]),
			"set from nowhere length %d", lens[i]);
	for (i = 0; i < ARRAY_SIZE(vals); i++) {
		compare(p, set_len(p, p->fd[0], 4, vals[i]), set_len(p, p->fd[1], 4, vals[i]),
			"set to %d", vals[i]);
		compare(p, get_len(p, p->fd[0], 4), get_len(p, p->fd[1], 4), "get after set to %d",
			vals[i]);
	}
	ask_get(p, "after");
}

static void ask_name(struct probe *p)
{
	static const char *const names[] = { "", "r", "reno", "reno and more", "cubic", "cub" };
	int i, len;

	if (p->opt == TCP_ULP)
		return;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		for (len = -1; len < 20; len++) {
			if (!strncmp(names[i], "cubic", len < 0 ? 3 : len))
				continue;	/* would look for a module of half a name */
			compare(p,
				said(setsockopt(p->fd[0], p->level, p->opt, names[i], len)),
				said(setsockopt(p->fd[1], p->level, p->opt, names[i], len)),
				"set \"%s\" length %d", names[i], len);
		}
}

/* does the stack of @fd know nothing of it? */
static bool is_unknown(const struct probe *p, int fd)
{
	struct said g = get_len(p, fd, 4), s = set_len(p, fd, 4, 1);

	return g.ret == -1 && s.ret == -1 && s.err == ENOPROTOOPT &&
	       (g.err == ENOPROTOOPT || g.err == EOPNOTSUPP);
}

/* the sockets of @p in its state; 0 or -1 */
static int probe_open(struct probe *p, int i, int family)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);
	int lfd = kind_socket(family, p->kind);

	p->fd[i] = lfd;
	p->peer[i] = -1;
	if (!p->state)
		return 0;
	if (bind(lfd, (void *)&sin, len) || listen(lfd, 1) ||
	    getsockname(lfd, (void *)&sin, &len))
		return -1;
	if (p->state == TCP_LISTEN)
		return 0;
	p->peer[i] = kind_socket(family, p->kind);
	if (connect(p->peer[i], (void *)&sin, len))
		return -1;
	p->fd[i] = accept(lfd, NULL, NULL);
	close(lfd);
	return p->fd[i] < 0 ? -1 : 0;
}

static void probe_close(struct probe *p)
{
	int i;

	for (i = 0; i < 2; i++) {
		close(p->fd[i]);
		if (p->peer[i] >= 0)
			close(p->peer[i]);
	}
}

static void probe_one(struct __test_metadata *_metadata, int strata, struct probe *p)
{
	const struct except *no = FIND(absent, p->kind, p->level, p->opt);
	const struct except *other = FIND(differs, p->kind, p->level, p->opt);

	ASSERT_EQ(0, probe_open(p, 0, AF_INET));
	ASSERT_EQ(0, probe_open(p, 1, strata));
	p->differences = 0;
	p->lacks = is_unknown(p, p->fd[0]);
	p->absent = is_unknown(p, p->fd[1]);
	if (is_name(p->level, p->opt)) {
		ask_get(p, "before");
		ask_name(p);
	} else if (p->absent && !p->lacks) {
		EXPECT_NE(NULL, no) {
			TH_LOG("%s level %d option %d is absent", kind_name[p->kind], p->level,
			       p->opt);
		}
		no = NULL;
	} else if (!p->absent || !p->lacks) {
		ask_get(p, "before");
		ask_set(p);
	} else {
		compare(p, get_len(p, p->fd[0], -1), get_len(p, p->fd[1], -1), "get length -1");
		compare(p, set_len(p, p->fd[0], 0, 0), set_len(p, p->fd[1], 0, 0), "set nothing");
		compare(p, get_fault(p, p->fd[0], 1), get_fault(p, p->fd[1], 1), "get to nowhere");
	}
	probe_close(p);
	/* a kernel built without it lacks it, too */
	if (!p->lacks) {
		EXPECT_EQ(NULL, no) {
			TH_LOG("%s level %d option %d is there", kind_name[p->kind], p->level,
			       p->opt);
		}
	}
	if (other && other->some)
		return;
	EXPECT_EQ(!!other, !!p->differences) {
		TH_LOG("%s level %d option %d: %d differences; first: %s", kind_name[p->kind],
		       p->level, p->opt, p->differences, p->differences ? p->first : "none");
	}
}

static void probe_all(struct __test_metadata *_metadata, int strata, enum kind kind)
{
	struct probe p = { .kind = kind };
	int i;

	for (i = 0; i < ARRAY_SIZE(levels); i++)
		for (p.level = levels[i], p.opt = 0; p.opt <= OPTS; p.opt++)
			probe_one(_metadata, strata, &p);
}

INPUT_FIXTURE(opts)

TEST_F_TIMEOUT(opts, as_root, 1200)
{
	probe_all(_metadata, self->strata, variant->kind);
}

/* EPERM and EACCES where native says so, in native's order */
TEST_F_TIMEOUT(opts, as_nobody, 1200)
{
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	probe_all(_metadata, self->strata, variant->kind);
}

TEST_F_TIMEOUT(opts, in_state, 1200)
{
	static const int states[] = { TCP_LISTEN, TCP_ESTABLISHED };
	struct probe p = { .kind = STREAM, .level = SOL_TCP };
	int i;

	if (variant->kind != STREAM)
		SKIP(return, "they have no states");
	for (i = 0; i < ARRAY_SIZE(states); i++)
		for (p.state = states[i], p.opt = 0; p.opt <= OPTS; p.opt++)
			probe_one(_metadata, self->strata, &p);
}

TEST_HARNESS_MAIN
