// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses of other families, of wrong lengths, of hosts that cannot be, in every call that
 * takes one, on both stacks: the same answer.
 */
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include "input_env.h"

INPUT_FIXTURE(names)

#define OWN	(-2)	/* the socket's own family */

struct name {
	int family, len;
	const char *addr;
	int port;
};

union any {
	struct sockaddr sa;
	struct sockaddr_in sin;
	struct sockaddr_storage ss;
	char octets[256];
};

static void fill(union any *a, const struct name *n, int family)
{
	memset(a, 0, sizeof(*a));
	a->sin = env_addr(n->addr, n->port);
	a->sa.sa_family = n->family == OWN ? family : n->family;
}

enum call { BIND, CONNECT, SENDTO, SENDMSG, CON_SENDTO, CON_CONNECT, CALLS };

static const char *const call_name[] = {
	"bind", "connect", "sendto", "sendmsg", "sendto when connected", "connect again",
};

static struct said call(int fd, enum call c, union any *a, int len)
{
	struct icmphdr echo = { .type = ICMP_ECHO };
	struct iovec iov = { &echo, sizeof(echo) };
	struct msghdr msg = {
		.msg_name = a, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1,
	};

	switch (c) {
	case BIND:
		return said(bind(fd, &a->sa, len));
	case CONNECT:
	case CON_CONNECT:
		return said(connect(fd, &a->sa, len));
	case SENDTO:
	case CON_SENDTO:
		return said(sendto(fd, &echo, sizeof(echo), MSG_NOSIGNAL, &a->sa, len));
	default:
		return said(sendmsg(fd, &msg, MSG_NOSIGNAL));
	}
}

/*
 * The answer of a new socket, and what it is bound to and connected to then. The port is
 * looked at after bind() only: native leaves the last one in sight when a connection failed
 */
static struct said ask(int family, enum kind kind, enum call c, const struct name *n)
{
	int fd = kind_socket(family, kind), lst = -1;
	struct sockaddr_in name = { };
	socklen_t len = sizeof(name);
	struct said s;
	union any a;

	if (c == CON_SENDTO || c == CON_CONNECT) {
		if (kind == STREAM) {
			lst = socket(family, SOCK_STREAM, 0);
			env_bind(lst, "127.0.0.1", 0);
			listen(lst, 1);
		}
		if (env_connect(fd, "127.0.0.1", kind == STREAM ? env_port(lst) : 9))
			return (struct said){ .ret = -2 };
	} else {
		env_setopt(fd, SOL_SOCKET, SO_SNDTIMEO, 0);
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	fill(&a, n, family);
	s = call(fd, c, &a, n->len);
	if (!getpeername(fd, (void *)&name, &len))
		s.more = (long)name.sin_addr.s_addr * 2 + (name.sin_port == htons(n->port));
	if (!getsockname(fd, (void *)&name, &len))
		s.more = s.more * 31 + name.sin_addr.s_addr * 2 + (c == BIND && name.sin_port);
	close(fd);
	if (lst >= 0)
		close(lst);
	return s;
}

/*
 * Native's lo has a broadcast address and carries multicasts. Strata has no such device: 127/8 is
 * this host, all of it (RFC 1122 3.2.1.3 (g))
 */
static bool is_lo_to_many(enum call c, const struct name *n)
{
	static const char *const many[] = { "224.0.0.1", "239.255.255.255", "255.255.255.255" };
	int i;

	if (!strcmp(n->addr, "127.255.255.255"))
		return true;
	for (i = 0; i < ARRAY_SIZE(many); i++)
		if (!strcmp(n->addr, many[i]))
			return c == CON_SENDTO || c == CON_CONNECT;
	return false;
}

static void compare(struct __test_metadata *_metadata, int strata, enum kind kind,
		    const struct name *n)
{
	struct said native, ours;
	enum call c;

	for (c = 0; c < CALLS; c++) {
		if (is_lo_to_many(c, n))
			continue;
		native = ask(AF_INET, kind, c, n);
		ours = ask(strata, kind, c, n);
		EXPECT_TRUE(said_same(native, ours)) {
			TH_LOG("%s family %d length %d %s port %d: native %ld errno %d %#lx, strata %ld errno %d %#lx",
			       call_name[c], n->family, n->len, n->addr, n->port, native.ret,
			       native.err, native.more, ours.ret, ours.err, ours.more);
		}
		EXPECT_NE(-2, native.ret);
	}
}

TEST_F_TIMEOUT(names, lengths_and_families, 240)
{
	static const int families[] = {
		AF_INET, OWN, AF_UNSPEC, AF_UNIX, AF_INET6, AF_NETLINK, AF_PACKET, 99, 65535,
	};
	static const int lens[] = { -1, 0, 1, 2, 3, 7, 8, 15, 16, 17, 28, 110, 128, 129, 4096,
				    INT32_MAX, INT32_MIN };
	struct name n = { .addr = "127.0.0.1", .port = 9 };
	int i, k;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		for (k = 0; k < ARRAY_SIZE(lens); k++) {
			n.family = families[i];
			n.len = lens[k];
			compare(_metadata, self->strata, variant->kind, &n);
		}
}

TEST_F_TIMEOUT(names, hosts, 240)
{
	static const char *const addrs[] = {
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.1.2.3", "127.255.255.255", "10.0.0.1",
		"192.0.2.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	};
	static const int ports[] = { 0, 1, 9999, 65535 };
	static const int families[] = { AF_INET, AF_UNSPEC };
	struct name n = { .len = sizeof(struct sockaddr_in) };
	int i, k, f;

	for (f = 0; f < ARRAY_SIZE(families); f++)
		for (i = 0; i < ARRAY_SIZE(addrs); i++)
			for (k = 0; k < ARRAY_SIZE(ports); k++) {
				n.family = families[f];
				n.addr = addrs[i];
				n.port = ports[k];
				compare(_metadata, self->strata, variant->kind, &n);
			}
}

/* who may not, may not */
TEST_F_TIMEOUT(names, nobody, 240)
{
	static const int ports[] = { 0, 1, 1023, 1024 };
	struct name n = { .len = sizeof(struct sockaddr_in), .family = AF_INET,
			  .addr = "127.0.0.1" };
	int k;

	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	for (k = 0; k < ARRAY_SIZE(ports); k++) {
		n.port = ports[k];
		compare(_metadata, self->strata, variant->kind, &n);
	}
}

/* socket() itself: types and protocols beside the three that are there */
TEST_F_TIMEOUT(names, types, 240)
{
	/* not those that native may have by modules. For each that is not there it looks */
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RDM, 0, 11, -1, 1 << 20 };
	static const int protos[] = { -1, 0, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, 254, 300,
				      65536, INT32_MAX };
	struct said native, ours;
	int i, k, fd;

	if (variant->kind != STREAM)
		SKIP(return, "the same for all kinds");
	for (i = 0; i < ARRAY_SIZE(types); i++)
		for (k = 0; k < ARRAY_SIZE(protos); k++) {
			fd = socket(AF_INET, types[i], protos[k]);
			native = said(fd < 0 ? -1 : 0);
			close(fd);
			fd = socket(self->strata, types[i], protos[k]);
			ours = said(fd < 0 ? -1 : 0);
			close(fd);
			EXPECT_TRUE(said_same(native, ours)) {
				TH_LOG("type %d protocol %d: native errno %d, strata errno %d",
				       types[i], protos[k], native.err, ours.err);
			}
		}
}

TEST_HARNESS_MAIN
