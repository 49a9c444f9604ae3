// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a reader of a TCP socket waits for: as much as SO_RCVLOWAT says (socket(7)), or all it
 * asked for (MSG_WAITALL, recv(2)); and what ends that before: the peer's FIN or RST, SO_RCVTIMEO,
 * a signal. The wire tests show that a full buffer does, too (tcp_recv.c).
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include "sock_env.h"

ENV_FIXTURE(lowat)

static char buf[1 << 20];

static bool ready(int fd, int events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) == 1 && (p.revents & events) == events;
}

/* another process sends @words, one every 100 ms; "." is the FIN, "!" a RST */
static void later(int fd, const char *words)
{
	struct linger hard = { 1, 0 };
	char text[128], *word, *save;

	if (fork())
		return;
	snprintf(text, sizeof(text), "%s", words);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		usleep(100000);
		if (*word == '.')
			shutdown(fd, SHUT_WR);
		else if (*word == '!')
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		else if (send(fd, word, strlen(word), MSG_NOSIGNAL) != (ssize_t)strlen(word))
			_exit(1);
	}
	_exit(0);
}

/* recv() of up to @len octets gives @want, after @ms and well before a second more */
static bool gives(int fd, int len, int flags, const char *want, int ms)
{
	int64_t begin = env_ms(), took;
	int n = recv(fd, buf, len, flags);

	took = env_ms() - begin;
	if (n == (int)strlen(want) && !memcmp(buf, want, n) && took >= ms - 5 && took < ms + 1000)
		return true;
	printf("# \"%.*s\" (%d) after %d ms instead of \"%s\" after %d\n", n < 0 ? 0 : n, buf,
	       n < 0 ? -errno : n, (int)took, want, ms);
	return false;
}

static int set_timeo(int fd, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* a pair whose reader waits for @n octets, and gives up after five seconds */
static int pair(int family, int *a, int *b, int n)
{
	return env_joined(family, a, b) || env_setopt(*b, SOL_SOCKET, SO_RCVLOWAT, n) ||
	       set_timeo(*b, 5000);
}

/* ---- SO_RCVLOWAT ---- */

TEST_F(lowat, poll)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int a, b, ep = epoll_create1(0);

	ASSERT_EQ(0, pair(self->family, &a, &b, 10));
	EXPECT_EQ(10, env_getopt(b, SOL_SOCKET, SO_RCVLOWAT));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev));
	later(a, "123456789 0");
	/* neither when it is looked at, nor by being woken */
	EXPECT_FALSE(ready(b, POLLIN, 150));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 1000));
	EXPECT_TRUE(ready(b, POLLIN, 0));
	EXPECT_TRUE(gives(b, 4, 0, "1234", 0));
	EXPECT_FALSE(ready(b, POLLIN, 0));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	/* less is asked for: it is there */
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_RCVLOWAT, 6));
	EXPECT_TRUE(ready(b, POLLIN, 0));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 0));
	wait(NULL);
}

TEST_F(lowat, epoll_edge)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int a, b, ep = epoll_create1(0);

	ASSERT_EQ(0, pair(self->family, &a, &b, 10));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev));
	later(a, "12345 67890 x");
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 150));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 1000));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 1000));
	wait(NULL);
}

/* who sleeps is told when less is asked for */
TEST_F(lowat, lowered)
{
	int64_t begin;
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 10));
	ASSERT_EQ(5, send(a, "12345", 5, 0));
	begin = env_ms();
	if (!fork()) {
		usleep(100000);
		_exit(env_setopt(b, SOL_SOCKET, SO_RCVLOWAT, 5));
	}
	EXPECT_TRUE(ready(b, POLLIN, 5000));
	EXPECT_LE(95, env_ms() - begin);
	EXPECT_GT(2000, env_ms() - begin);
	wait(NULL);
}

TEST_F(lowat, recv)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 10));
	later(a, "1234 567890 abc");
	EXPECT_TRUE(gives(b, 64, 0, "1234567890", 200));
	wait(NULL);
	/* what is shorter waits for itself alone */
	EXPECT_TRUE(gives(b, 3, 0, "abc", 0));
	later(a, "1234 5678901234");
	EXPECT_TRUE(gives(b, 64, MSG_PEEK, "12345678901234", 200));
	EXPECT_TRUE(gives(b, 64, 0, "12345678901234", 0));
	wait(NULL);
}

/*
 * What is there when the call begins is taken; then the rest is less than SO_RCVLOWAT, for which
 * who sleeps is not woken: until the time is over, on both stacks
 */
TEST_F(lowat, recv_part)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 10));
	ASSERT_EQ(4, send(a, "1234", 4, 0));
	EXPECT_FALSE(ready(b, POLLIN, 50));
	later(a, "567890");
	EXPECT_TRUE(gives(b, 64, 0, "1234567890", 5000));
	wait(NULL);
}

TEST_F(lowat, recv_ends)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 10));
	/* without waiting: what there is */
	EXPECT_ERRNO(EAGAIN, recv(b, buf, 64, MSG_DONTWAIT));
	ASSERT_EQ(4, send(a, "1234", 4, 0));
	EXPECT_FALSE(ready(b, POLLIN, 50));
	EXPECT_TRUE(gives(b, 64, MSG_DONTWAIT, "1234", 0));
	/* SO_RCVTIMEO */
	ASSERT_EQ(0, set_timeo(b, 300));
	later(a, "567");
	EXPECT_TRUE(gives(b, 64, 0, "567", 300));
	EXPECT_ERRNO(EAGAIN, recv(b, buf, 64, 0));
	wait(NULL);
	/* the FIN */
	ASSERT_EQ(0, set_timeo(b, 5000));
	later(a, "89 .");
	EXPECT_TRUE(gives(b, 64, 0, "89", 200));
	EXPECT_TRUE(gives(b, 64, 0, "", 0));
	wait(NULL);
}

TEST_F(lowat, poll_fin)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 10));
	later(a, "123 .");
	EXPECT_FALSE(ready(b, POLLIN, 150));
	EXPECT_TRUE(ready(b, POLLIN | POLLRDHUP, 1000));
	EXPECT_TRUE(gives(b, 64, 0, "123", 0));
	EXPECT_TRUE(ready(b, POLLIN | POLLRDHUP, 0));
	wait(NULL);
}

/* the most is half the buffer, or what the buffer may become */
TEST_F(lowat, bounds)
{
	FILE *f = fopen(variant->stack == NATIVE ? "/proc/sys/net/ipv4/tcp_rmem" :
			"/proc/sys/net/strata/tcp_rmem", "r");
	int a, b, most = 0;

	ASSERT_EQ(0, env_joined(self->family, &a, &b));
	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fscanf(f, "%*d %*d %d", &most));
	fclose(f);
	EXPECT_EQ(1, env_getopt(b, SOL_SOCKET, SO_RCVLOWAT));
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_RCVLOWAT, 0));
	EXPECT_EQ(1, env_getopt(b, SOL_SOCKET, SO_RCVLOWAT));
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_RCVLOWAT, -1));
	EXPECT_EQ(most / 2, env_getopt(b, SOL_SOCKET, SO_RCVLOWAT));
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_RCVLOWAT, 400000));
	EXPECT_EQ(400000, env_getopt(b, SOL_SOCKET, SO_RCVLOWAT));
	EXPECT_LE(400000, env_getopt(b, SOL_SOCKET, SO_RCVBUF));
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_RCVBUF, 20000));
	ASSERT_EQ(0, env_setopt(b, SOL_SOCKET, SO_RCVLOWAT, 1 << 20));
	EXPECT_EQ(20000, env_getopt(b, SOL_SOCKET, SO_RCVLOWAT));
	EXPECT_EQ(40000, env_getopt(b, SOL_SOCKET, SO_RCVBUF));
}

/* ---- MSG_WAITALL ---- */

TEST_F(lowat, waitall)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 1));
	later(a, "12 345 6 7890 abc");
	EXPECT_TRUE(gives(b, 8, MSG_WAITALL, "12345678", 400));
	EXPECT_TRUE(gives(b, 4, MSG_WAITALL, "90ab", 100));
	EXPECT_TRUE(gives(b, 9, MSG_WAITALL | MSG_DONTWAIT, "c", 0));
	EXPECT_ERRNO(EAGAIN, recv(b, buf, 9, MSG_WAITALL | MSG_DONTWAIT));
	wait(NULL);
}

/* beside SO_RCVLOWAT it is the call that says how much */
TEST_F(lowat, waitall_lowat)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 4));
	later(a, "1234 5678 90ab");
	EXPECT_TRUE(gives(b, 12, MSG_WAITALL, "1234567890ab", 300));
	wait(NULL);
}

/* and the last piece is less than SO_RCVLOWAT */
TEST_F(lowat, waitall_rest)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 4));
	later(a, "12345 67");
	EXPECT_TRUE(gives(b, 7, MSG_WAITALL, "1234567", 5000));
	wait(NULL);
}

/* more than the buffer holds at first */
TEST_F(lowat, waitall_large)
{
	int a, b, i, n;

	ASSERT_EQ(0, pair(self->family, &a, &b, 1));
	if (!fork()) {
		for (i = 0; i < (int)sizeof(buf); i++)
			buf[i] = i % 251;
		_exit(send(a, buf, sizeof(buf), 0) != sizeof(buf));
	}
	n = recv(b, buf, sizeof(buf), MSG_WAITALL);
	ASSERT_EQ(sizeof(buf), n);
	for (i = 0; i < n; i++) {
		ASSERT_EQ((char)(i % 251), buf[i]) TH_LOG("octet %d", i);
	}
	wait(NULL);
}

TEST_F(lowat, waitall_fin)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 1));
	later(a, "12 34 .");
	EXPECT_TRUE(gives(b, 20, MSG_WAITALL, "1234", 300));
	EXPECT_TRUE(gives(b, 20, MSG_WAITALL, "", 0));
	wait(NULL);
}

TEST_F(lowat, waitall_reset)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 1));
	later(a, "12 34 !");
	close(a);
	EXPECT_TRUE(gives(b, 20, MSG_WAITALL, "1234", 300));
	EXPECT_ERRNO(ECONNRESET, recv(b, buf, 20, MSG_WAITALL));
	wait(NULL);
}

TEST_F(lowat, waitall_timeo)
{
	int a, b;

	ASSERT_EQ(0, pair(self->family, &a, &b, 1));
	ASSERT_EQ(0, set_timeo(b, 250));
	later(a, "12 34");
	/* the time is the call's, not each piece's */
	EXPECT_TRUE(gives(b, 20, MSG_WAITALL, "1234", 250));
	EXPECT_ERRNO(EAGAIN, recv(b, buf, 20, MSG_WAITALL));
	wait(NULL);
}

static void nothing(int sig)
{
}

/* a signal comes in @ms */
static int alarm_ms(int ms, int flags)
{
	struct sigaction sa = { .sa_handler = nothing, .sa_flags = flags };
	struct itimerval it = { .it_value = { .tv_usec = ms * 1000 } };

	return sigaction(SIGALRM, &sa, NULL) || setitimer(ITIMER_REAL, &it, NULL);
}

TEST_F(lowat, waitall_signal)
{
	int a, b;

	ASSERT_EQ(0, env_joined(self->family, &a, &b));
	later(a, "12 34");
	ASSERT_EQ(0, alarm_ms(250, 0));
	EXPECT_TRUE(gives(b, 20, MSG_WAITALL, "1234", 250));
	ASSERT_EQ(0, alarm_ms(100, 0));
	EXPECT_ERRNO(EINTR, recv(b, buf, 20, MSG_WAITALL));
	wait(NULL);
	/* SA_RESTART: only if nothing was read, and there is no SO_RCVTIMEO */
	later(a, "12 34");
	ASSERT_EQ(0, alarm_ms(150, SA_RESTART));
	EXPECT_TRUE(gives(b, 4, MSG_WAITALL, "12", 150));
	EXPECT_TRUE(gives(b, 2, MSG_WAITALL, "34", 50));
	wait(NULL);
	later(a, "12 34");
	ASSERT_EQ(0, alarm_ms(50, SA_RESTART));
	EXPECT_TRUE(gives(b, 4, MSG_WAITALL, "1234", 200));
	wait(NULL);
	ASSERT_EQ(0, set_timeo(b, 1000));
	ASSERT_EQ(0, alarm_ms(50, SA_RESTART));
	EXPECT_ERRNO(EINTR, recv(b, buf, 4, MSG_WAITALL));
}

TEST_HARNESS_MAIN
