// SPDX-License-Identifier: GPL-2.0-only
/*
 * A path with a narrow link in it (RFC 1191): the router that cannot pass a packet with DF says
 * so, and TCP and UDP go on with smaller ones.
 *
 *	tested: v0 10.9.0.1 ---- r0 10.9.0.254 :router: r1 10.9.1.254 ---- v1 10.9.1.2 :peer
 *	           MTU 1500                        MTU 1000
 */
#include "sock_env.h"

#define PEER	"10.9.1.2"

FIXTURE(path) {
	int family;
	int here;	/* namespaces */
	int there;
};

FIXTURE_VARIANT(path) {
	int stack;
};

FIXTURE_VARIANT_ADD(path, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(path, strata) { .stack = STRATA };

static int ns_new(void)
{
	return env_unshare() ? -1 : open("/proc/self/ns/net", O_RDONLY);
}

FIXTURE_SETUP(path)
{
	const char *tool = variant->stack == NATIVE ? "ip" : "strata";
	char cmd[512];
	int router;

	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	self->there = ns_new();
	router = ns_new();
	self->here = ns_new();
	ASSERT_LE(0, self->here);
	snprintf(cmd, sizeof(cmd),
		 "ip link add v0 type veth peer name r0 netns /proc/%d/fd/%d && ip link set v0 up && "
		 "%s addr add 10.9.0.1/24 dev v0", getpid(), router, tool);
	ASSERT_EQ(0, system(cmd));
	ASSERT_EQ(0, setns(router, CLONE_NEWNET));
	snprintf(cmd, sizeof(cmd),
		 "ip link add r1 mtu 1000 type veth peer name v1 netns /proc/%d/fd/%d && "
		 "ip link set r0 up && ip link set r1 up && ip addr add 10.9.0.254/24 dev r0 && "
		 "ip addr add 10.9.1.254/24 dev r1 && sysctl -qw net.ipv4.ip_forward=1",
		 getpid(), self->there);
	ASSERT_EQ(0, system(cmd));
	ASSERT_EQ(0, setns(self->there, CLONE_NEWNET));
	ASSERT_EQ(0, system("ip link set v1 mtu 1500 up && ip addr add 10.9.1.2/24 dev v1 && "
			    "ip route add default via 10.9.1.254"));
	ASSERT_EQ(0, setns(self->here, CLONE_NEWNET));
	ASSERT_EQ(0, env_run("%s route add default via 10.9.0.254%s", tool, ""));
}

FIXTURE_TEARDOWN(path)
{
}

static int peer_socket(int there, int here, int type)
{
	int fd;

	if (setns(there, CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, type, 0);
	return setns(here, CLONE_NEWNET) ? -1 : fd;
}

static uint8_t octet(size_t at)
{
	return at * 7 + at / 1000;
}

/* Read @len octets of octet() within 20 s each; how many came */
static size_t read_all(int fd, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	static uint8_t buf[16384];
	size_t at = 0;
	ssize_t n, i;

	while (at < len && poll(&pfd, 1, 20000) == 1) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			break;
		for (i = 0; i < n; i++)
			if (buf[i] != octet(at + i))
				return at + i;
		at += n;
	}
	return at;
}

TEST_F(path, tcp)
{
	int lsk = peer_socket(self->there, self->here, SOCK_STREAM), con;
	int fd = socket(self->family, SOCK_STREAM, 0);
	static uint8_t data[200000];
	size_t i;
	pid_t pid;

	for (i = 0; i < sizeof(data); i++)
		data[i] = octet(i);
	ASSERT_EQ(0, env_bind(lsk, PEER, 80));
	ASSERT_EQ(0, listen(lsk, 1));
	ASSERT_EQ(0, env_connect(fd, PEER, 80));
	EXPECT_EQ(1500, env_getopt(fd, SOL_IP, IP_MTU));
	con = accept(lsk, NULL, NULL);
	ASSERT_LE(0, con);
	pid = fork();
	if (!pid)
		_exit(send(fd, data, sizeof(data), 0) != sizeof(data));
	EXPECT_EQ(sizeof(data), read_all(con, sizeof(data)));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(1000, env_getopt(fd, SOL_IP, IP_MTU));
	EXPECT_EQ(0, env_getopt(fd, SOL_SOCKET, SO_ERROR));
}

TEST_F(path, udp)
{
	int peer = peer_socket(self->there, self->here, SOCK_DGRAM);
	int fd = socket(self->family, SOCK_DGRAM, 0);
	static char buf[2000];
	struct pollfd pfd = { .fd = fd };

	ASSERT_EQ(0, env_bind(peer, PEER, 7));
	ASSERT_EQ(0, env_connect(fd, PEER, 7));
	EXPECT_EQ(1500, env_getopt(fd, SOL_IP, IP_MTU));
	/* the first one does not arrive, its sender learns why */
	ASSERT_EQ(1400, send(fd, buf, 1400, 0));
	ASSERT_EQ(1, poll(&pfd, 1, 2000));
	EXPECT_EQ(EMSGSIZE, env_getopt(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(1000, env_getopt(fd, SOL_IP, IP_MTU));
	/* the next one is cut to what fits */
	ASSERT_EQ(1400, send(fd, buf, 1400, 0));
	ASSERT_EQ(1, env_readable(peer));
	EXPECT_EQ(1400, recv(peer, buf, sizeof(buf), 0));
	ASSERT_EQ(0, env_setopt(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	EXPECT_ERRNO(EMSGSIZE, send(fd, buf, 973, 0));
	ASSERT_EQ(972, send(fd, buf, 972, 0));
	ASSERT_EQ(1, env_readable(peer));
	EXPECT_EQ(972, recv(peer, buf, sizeof(buf), 0));
}

TEST_HARNESS_MAIN
