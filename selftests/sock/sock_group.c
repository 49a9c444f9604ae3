// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of sockets that share a port by SO_REUSEPORT (socket(7)): who gets a connection or a
 * datagram, by the flow's hash or by a program of the group (SO_ATTACH_REUSEPORT_CBPF, _EBPF),
 * and who belongs to it.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <sys/syscall.h>
#include "sock_env.h"

#define MEMBERS		4
#define CONNS		200
#define ERR_NOTSUPP	524	/* ENOTSUPP of the kernel's inside, which it lets out here */

ENV_FIXTURE(group)

/* before 6.2 the core keeps SO_REUSEPORT for AF_INET */
static int share(int fd)
{
	if (!env_setopt(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		return 0;
	return errno == EOPNOTSUPP ? env_setopt(fd, SOL_STRATA, SO_REUSEPORT, 1) : -1;
}

static int sharer(int family, int type)
{
	int fd = socket(family, type | SOCK_NONBLOCK, 0);

	return share(fd) ? -1 : fd;
}

/* bound, and listening where that is to be done, beside what is there */
static int enter(int fd, const char *addr, int port)
{
	int type = env_getopt(fd, SOL_SOCKET, SO_TYPE);

	return env_bind(fd, addr, port) || (type == SOCK_STREAM && listen(fd, CONNS)) ? -1 : 0;
}

static bool members(int family, int type, int *fd, const char *addr, int port)
{
	int i;

	for (i = 0; i < MEMBERS; i++) {
		fd[i] = sharer(family, type);
		if (fd[i] < 0 || enter(fd[i], addr, port))
			return false;
	}
	return true;
}

/* @conns connect to @addr; false: one of them could not */
static bool clients(int family, const char *addr, int port, int conns)
{
	int i, fd;

	for (i = 0; i < conns; i++) {
		fd = socket(family, SOCK_STREAM, 0);
		if (env_connect(fd, addr, port))
			return false;
		close(fd);
	}
	return true;
}

/* how many wait at this listener; @by: -1, or what the peers' ports must say */
static int waiting(int fd, int by)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int child, n = 0;

	while ((child = accept(fd, (struct sockaddr *)&sin, &len)) >= 0) {
		close(child);
		if (by >= 0 && (ntohs(sin.sin_port) >> 1 & 3) != by)
			return -1;
		n++;
	}
	return n;
}

/* the shares of @conns connections to @addr; their sum, or -1 */
static int shares(int family, const int *fd, int n, const char *addr, int port, int conns,
		  int *got)
{
	int i, sum = 0;

	if (!clients(family, addr, port, conns))
		return -1;
	usleep(20000);
	for (i = 0; i < n; i++) {
		got[i] = fd[i] < 0 ? 0 : waiting(fd[i], -1);
		sum += got[i];
	}
	return sum;
}

/* each of @n has a reasonable share of @sum */
static bool even(const int *got, int n, int sum)
{
	int i;

	for (i = 0; i < n; i++)
		if (got[i] < sum / n / 2 || got[i] > sum / n * 2)
			return false;
	return true;
}

static int attach(int fd, struct sock_filter *code, int n)
{
	struct sock_fprog prog = { .len = n, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog));
}

/* a program that names the member @index */
static int attach_index(int fd, int index)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, index) };

	return attach(fd, code, 1);
}

static int detach(int fd)
{
	return env_setopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0);
}

/* a program of the new kind that returns @value; -1: errno */
static int load(int type, int value)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = value },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = type, .insn_cnt = 2, .insns = (uintptr_t)code,
		.license = (uintptr_t)"GPL",
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* all of them came to member @i */
#define EXPECT_ALL_AT(i, fd, port) do {							\
	int all[MEMBERS] = { }, k;							\
	EXPECT_EQ(20, shares(self->family, fd, MEMBERS, "127.0.0.1", port, 20, all));	\
	for (k = 0; k < MEMBERS; k++) {							\
		EXPECT_EQ(k == (i) ? 20 : 0, all[k]) TH_LOG("member %d", k);		\
	}										\
} while (0)

#define EXPECT_SPREAD(fd, port) do {							\
	int all[MEMBERS] = { };								\
	EXPECT_EQ(CONNS, shares(self->family, fd, MEMBERS, "127.0.0.1", port, CONNS, all)); \
	EXPECT_TRUE(even(all, MEMBERS, CONNS))						\
		TH_LOG("%d %d %d %d", all[0], all[1], all[2], all[3]);			\
} while (0)

TEST_F(group, spread)
{
	int fd[MEMBERS];

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	EXPECT_SPREAD(fd, 5000);
}

TEST_F(group, by_index)
{
	int fd[MEMBERS], i;

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	/* any member's program is the group's; the last one counts */
	for (i = 0; i < MEMBERS; i++) {
		ASSERT_EQ(0, attach_index(fd[3 - i], i));
		EXPECT_ALL_AT(i, fd, 5000);
	}
	/* nobody has that number */
	ASSERT_EQ(0, attach_index(fd[0], MEMBERS));
	EXPECT_SPREAD(fd, 5000);
}

/* by an octet of the header: the lower one of the peer's port */
TEST_F(group, by_octet)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 20 + 1),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 3),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	int fd[MEMBERS], i, n, sum = 0;

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach(fd[0], code, ARRAY_SIZE(code)));
	ASSERT_TRUE(clients(self->family, "127.0.0.1", 5000, 60));
	usleep(20000);
	for (i = 0; i < MEMBERS; i++) {
		n = waiting(fd[i], i);
		EXPECT_LT(0, n);
		sum += n;
	}
	EXPECT_EQ(60, sum);
}

/* the program begins behind the header: a SYN without data is empty */
TEST_F(group, by_length)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	int fd[MEMBERS];

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach(fd[0], code, ARRAY_SIZE(code)));
	EXPECT_ALL_AT(1, fd, 5000);
}

TEST_F(group, new_kind)
{
	int fd[MEMBERS], prog;

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	prog = load(BPF_PROG_TYPE_SOCKET_FILTER, 2);
	if (prog < 0)
		SKIP(return, "bpf(2): %s", strerror(errno));
	ASSERT_EQ(0, env_setopt(fd[1], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, prog));
	EXPECT_ALL_AT(2, fd, 5000);
	ASSERT_EQ(0, detach(fd[0]));
	EXPECT_SPREAD(fd, 5000);
	EXPECT_ERRNO(EBADF, env_setopt(fd[1], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, -1));

	/* the kind made for this the core keeps for AF_INET */
	prog = load(BPF_PROG_TYPE_SK_REUSEPORT, 1);
	if (prog < 0)
		return;
	if (variant->stack == NATIVE) {
		EXPECT_EQ(0, env_setopt(fd[1], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, prog));
		return;
	}
	EXPECT_ERRNO(ERR_NOTSUPP, env_setopt(fd[1], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, prog));
}

TEST_F(group, detach)
{
	int fd[MEMBERS], one = socket(self->family, SOCK_STREAM, 0);

	EXPECT_ERRNO(EINVAL, attach_index(one, 0));
	EXPECT_ERRNO(EINVAL, detach(one));
	ASSERT_EQ(0, share(one));
	EXPECT_ERRNO(ENOENT, detach(one));

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	EXPECT_ERRNO(ENOENT, detach(fd[0]));
	ASSERT_EQ(0, attach_index(fd[0], 1));
	EXPECT_ALL_AT(1, fd, 5000);
	EXPECT_EQ(0, detach(fd[2]));
	EXPECT_ERRNO(ENOENT, detach(fd[0]));
	EXPECT_SPREAD(fd, 5000);
}

/* a program may be there before the port is: the first one's is the group's */
TEST_F(group, before_listen)
{
	int fd[MEMBERS], own, i;

	for (i = 0; i < MEMBERS; i++) {
		fd[i] = sharer(self->family, SOCK_STREAM);
		ASSERT_LE(0, fd[i]);
		if (!i)
			ASSERT_EQ(0, attach_index(fd[i], 3));
		ASSERT_EQ(0, enter(fd[i], "127.0.0.1", 5000));
	}
	EXPECT_ALL_AT(3, fd, 5000);
	EXPECT_EQ(0, detach(fd[1]));
	EXPECT_SPREAD(fd, 5000);

	/* who brings one along joins nobody, not even to ask for the port */
	for (i = 0; i < 2; i++) {
		own = sharer(self->family, i ? SOCK_STREAM : SOCK_DGRAM);
		ASSERT_LE(0, own);
		ASSERT_EQ(0, attach_index(own, 0));
		if (!i)
			ASSERT_EQ(0, enter(sharer(self->family, SOCK_DGRAM), "127.0.0.1", 5000));
		EXPECT_ERRNO(EADDRINUSE, env_bind(own, "127.0.0.1", 5000));
		EXPECT_EQ(0, env_bind(own, "127.0.0.1", 5001));
	}
}

/* the last member takes the number of one that leaves */
TEST_F(group, leave)
{
	int fd[MEMBERS], got[MEMBERS];

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach_index(fd[0], 1));
	close(fd[1]);
	fd[1] = -1;
	EXPECT_ALL_AT(3, fd, 5000);
	ASSERT_EQ(0, detach(fd[2]));
	EXPECT_EQ(CONNS, shares(self->family, fd, MEMBERS, "127.0.0.1", 5000, CONNS, got));
	got[1] = got[3];
	EXPECT_TRUE(even(got, 3, CONNS)) TH_LOG("%d %d %d", got[0], got[1], got[2]);

	/* a listener that ends is none of it either, and may come back */
	ASSERT_EQ(0, shutdown(fd[0], SHUT_RDWR));
	EXPECT_EQ(CONNS, shares(self->family, fd, MEMBERS, "127.0.0.1", 5000, CONNS, got));
	EXPECT_EQ(0, got[0]);
	ASSERT_EQ(0, listen(fd[0], CONNS));
	ASSERT_EQ(0, attach_index(fd[2], 2));
	EXPECT_ALL_AT(0, fd, 5000);

	/* who is alone is found all the same */
	close(fd[0]);
	close(fd[3]);
	fd[0] = -1;
	fd[3] = -1;
	EXPECT_ALL_AT(2, fd, 5000);
}

TEST_F(group, all_leave)
{
	int fd[MEMBERS], one, i;

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach_index(fd[0], 1));
	for (i = 0; i < MEMBERS; i++)
		close(fd[i]);
	one = socket(self->family, SOCK_STREAM, 0);
	EXPECT_ERRNO(ECONNREFUSED, env_connect(one, "127.0.0.1", 5000));
	/* a new group has no program */
	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	EXPECT_SPREAD(fd, 5000);
}

/* one group for each address; the more specific one is asked, and it alone */
TEST_F(group, addresses)
{
	int any[MEMBERS], own[MEMBERS], got[MEMBERS];

	ASSERT_TRUE(members(self->family, SOCK_STREAM, any, "0.0.0.0", 5000));
	ASSERT_TRUE(members(self->family, SOCK_STREAM, own, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach_index(any[0], 2));
	EXPECT_SPREAD(own, 5000);
	EXPECT_EQ(20, shares(self->family, any, MEMBERS, "127.0.0.2", 5000, 20, got));
	EXPECT_EQ(20, got[2]);
}

/* one for each device */
TEST_F(group, devices)
{
	int any[MEMBERS], lo[MEMBERS], i;

	ASSERT_TRUE(members(self->family, SOCK_STREAM, any, "0.0.0.0", 5000));
	for (i = 0; i < MEMBERS; i++) {
		lo[i] = sharer(self->family, SOCK_STREAM);
		ASSERT_LE(0, lo[i]);
		ASSERT_EQ(0, setsockopt(lo[i], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
		ASSERT_EQ(0, enter(lo[i], "0.0.0.0", 5000));
	}
	ASSERT_EQ(0, attach_index(any[0], 0));
	ASSERT_EQ(0, attach_index(lo[0], 1));
	EXPECT_ALL_AT(1, lo, 5000);
}

/* the same port in another namespace is another group */
TEST_F(group, namespaces)
{
	int fd[MEMBERS], own[MEMBERS], i;

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach_index(fd[0], 2));
	ASSERT_EQ(0, env_unshare());
	ASSERT_TRUE(members(self->family, SOCK_STREAM, own, "127.0.0.1", 5000));
	EXPECT_SPREAD(own, 5000);
	for (i = 0; i < MEMBERS; i++)
		EXPECT_EQ(0, waiting(fd[i], -1));
}

/* connections are in no group: the program goes on with the listener */
TEST_F(group, accepted)
{
	int fd[MEMBERS], cli = socket(self->family, SOCK_STREAM, 0), child;

	ASSERT_TRUE(members(self->family, SOCK_STREAM, fd, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach_index(fd[0], 1));
	ASSERT_EQ(0, env_connect(cli, "127.0.0.1", 5000));
	ASSERT_EQ(1, env_readable(fd[1]));
	child = accept(fd[1], NULL, NULL);
	ASSERT_LE(0, child);
	EXPECT_ERRNO(EINVAL, attach_index(child, 0));
	EXPECT_ERRNO(ENOENT, detach(child));
	close(child);
	EXPECT_ALL_AT(1, fd, 5000);
}

/* many more than a group begins with */
TEST_F(group, many)
{
	enum { MANY = 300 };
	int fd[MANY], i, n, sum = 0, none = 0;

	for (i = 0; i < MANY; i++) {
		fd[i] = sharer(self->family, SOCK_STREAM);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, enter(fd[i], "127.0.0.1", 5000));
	}
	ASSERT_EQ(0, attach_index(fd[7], MANY - 1));
	ASSERT_TRUE(clients(self->family, "127.0.0.1", 5000, 20));
	usleep(20000);
	EXPECT_EQ(20, waiting(fd[MANY - 1], -1));
	ASSERT_EQ(0, detach(fd[8]));
	ASSERT_TRUE(clients(self->family, "127.0.0.1", 5000, 2 * MANY));
	usleep(20000);
	for (i = 0; i < MANY; i++) {
		n = waiting(fd[i], -1);
		sum += n;
		none += !n;
	}
	EXPECT_EQ(2 * MANY, sum);
	EXPECT_GT(MANY / 3, none);	/* an e-squared-th, by chance */
}

/* datagrams: the same groups, and the program sees the payload */

static int queued(int fd)
{
	char c;
	int n = 0;

	while (recv(fd, &c, 1, MSG_DONTWAIT) == 1)
		n++;
	return n;
}

TEST_F(group, datagrams)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	int fd[MEMBERS], tx = socket(self->family, SOCK_DGRAM, 0), i, k;
	char c;

	ASSERT_TRUE(members(self->family, SOCK_DGRAM, fd, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach(fd[2], code, ARRAY_SIZE(code)));
	for (i = 0; i < 20; i++) {
		c = i % 4;
		ASSERT_EQ(1, env_sendto(tx, &c, 1, 0, "127.0.0.1", 5000));
	}
	usleep(20000);
	for (k = 0; k < MEMBERS; k++) {
		for (i = 0; recv(fd[k], &c, 1, 0) == 1; i++)
			EXPECT_EQ(k, c);
		EXPECT_EQ(5, i);
	}

	/* the last one takes the number of who leaves */
	close(fd[1]);
	c = 1;
	ASSERT_EQ(1, env_sendto(tx, &c, 1, 0, "127.0.0.1", 5000));
	ASSERT_EQ(1, env_readable(fd[3]));
	EXPECT_EQ(1, queued(fd[3]));

	/* without it the flow decides */
	ASSERT_EQ(0, detach(fd[0]));
	EXPECT_ERRNO(ENOENT, detach(fd[0]));
	for (i = 0; i < 20; i++) {
		c = i;
		ASSERT_EQ(1, env_sendto(tx, &c, 1, 0, "127.0.0.1", 5000));
	}
	usleep(20000);
	for (k = 0; k < MEMBERS; k++)
		if (k != 1) {
			i = queued(fd[k]);
			EXPECT_TRUE(!i || i == 20);
		}
}

/* a connected socket has what its peer sends, whatever the program says */
TEST_F(group, datagrams_connected)
{
	int fd[MEMBERS], tx = socket(self->family, SOCK_DGRAM, 0), i;
	int other = socket(self->family, SOCK_DGRAM, 0);

	ASSERT_TRUE(members(self->family, SOCK_DGRAM, fd, "127.0.0.1", 5000));
	ASSERT_EQ(0, attach_index(fd[0], 1));
	ASSERT_EQ(0, env_bind(tx, "127.0.0.1", 5001));
	ASSERT_EQ(0, env_connect(fd[2], "127.0.0.1", 5001));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, env_sendto(tx, "x", 1, 0, "127.0.0.1", 5000));
		ASSERT_EQ(1, env_sendto(other, "x", 1, 0, "127.0.0.1", 5000));
	}
	usleep(20000);
	EXPECT_EQ(4, queued(fd[2]));
	EXPECT_EQ(4, queued(fd[1]));
	/* no number leads a stranger to it: connect(2). Native's comes to it, or to nobody */
	if (variant->stack == NATIVE)
		return;
	ASSERT_EQ(0, attach_index(fd[0], 2));
	ASSERT_EQ(1, env_sendto(other, "x", 1, 0, "127.0.0.1", 5000));
	usleep(20000);
	EXPECT_EQ(0, queued(fd[2]));
	EXPECT_EQ(1, queued(fd[0]) + queued(fd[1]) + queued(fd[3]));
}

TEST_HARNESS_MAIN
