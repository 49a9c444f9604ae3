// SPDX-License-Identifier: GPL-2.0-only
/*
 * sendfile() and splice() on TCP sockets: what comes is what is in the file, from any offset on,
 * and the file's pages are sent themselves: what is changed before the peer has read it changes
 * what the peer reads. On UDP sockets: one sendfile() is one datagram.
 */
#include <signal.h>
#include <sys/sendfile.h>
#include "sock_env.h"

#define SIZE	300000

FIXTURE(sendfile) {
	int family;
	int a, b;	/* a connected pair that does not block */
	int file;	/* SIZE octets */
	uint8_t *data;	/* what is in it */
};

FIXTURE_VARIANT(sendfile) {
	int stack;
};

FIXTURE_VARIANT_ADD(sendfile, native) { .stack = NATIVE };
FIXTURE_VARIANT_ADD(sendfile, strata) { .stack = STRATA };

/* a connected pair; the reader's buffer is of @rcvbuf octets if that is not 0 */
static int joined(int family, int rcvbuf, int *a, int *b)
{
	int lst = socket(family, SOCK_STREAM, 0);

	if (rcvbuf)
		env_setopt(lst, SOL_SOCKET, SO_RCVBUF, rcvbuf);
	*a = socket(family, SOCK_STREAM, 0);
	if (env_bind(lst, "127.0.0.1", 0) || listen(lst, 1) ||
	    env_connect(*a, "127.0.0.1", env_port(lst)))
		return -1;
	*b = accept4(lst, NULL, NULL, SOCK_NONBLOCK);
	close(lst);
	return *b < 0 || fcntl(*a, F_SETFL, O_NONBLOCK) ? -1 : 0;
}

FIXTURE_SETUP(sendfile)
{
	int i;

	signal(SIGPIPE, SIG_IGN);
	self->family = env_family(variant->stack);
	if (self->family < 0)
		SKIP(return, "the module is not loaded");
	ASSERT_EQ(0, env_unshare());
	self->data = malloc(SIZE);
	srandom(1);
	for (i = 0; i < SIZE; i++)
		self->data[i] = random();
	self->file = memfd_create("file", MFD_CLOEXEC);
	ASSERT_EQ(SIZE, pwrite(self->file, self->data, SIZE, 0));
	ASSERT_EQ(0, joined(self->family, 0, &self->a, &self->b));
}

FIXTURE_TEARDOWN(sendfile)
{
	free(self->data);
}

/* exactly @n octets of @want are there to be read, within seconds */
static bool reads(int fd, const uint8_t *want, int n)
{
	static uint8_t buf[SIZE];
	int got = 0, ret;

	while (got < n) {
		if (env_readable(fd) != 1)
			return false;
		ret = recv(fd, buf + got, n - got, 0);
		if (ret <= 0)
			return false;
		got += ret;
	}
	return !memcmp(buf, want, n) && recv(fd, buf, 1, 0) < 0 && errno == EAGAIN;
}

/* all of @len from @at on, as often as it takes; the reader reads meanwhile. Is it right? */
static bool carries(int to, int file, int from, const uint8_t *data, off_t at, int len)
{
	static uint8_t buf[SIZE];
	off_t pos = at;
	int got = 0, ret;

	while (got < len) {
		if (pos < at + len) {
			ret = sendfile(to, file, &pos, at + len - pos);
			if (!ret || (ret < 0 && errno != EAGAIN))
				return false;
		}
		if (env_readable(from) != 1)
			return false;
		ret = recv(from, buf + got, sizeof(buf) - got, 0);
		if (ret <= 0)
			return false;
		got += ret;
	}
	return pos == at + len && got == len && !memcmp(buf, data + at, len);
}

TEST_F(sendfile, content)
{
	static const int part[][2] = {
		{ 0, SIZE }, { 0, 1 }, { 0, 4096 }, { 1, 4095 }, { 1, 4096 }, { 4095, 2 },
		{ 4096, 8192 }, { 12345, 100000 }, { 65535, 65537 }, { SIZE - 1, 1 },
		{ SIZE - 5000, 5000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(part); i++) {
		EXPECT_TRUE(carries(self->a, self->file, self->b, self->data, part[i][0],
				    part[i][1])) {
			TH_LOG("%d octets at %d", part[i][1], part[i][0]);
		}
	}
}

/* of a file of a file system, too, which is longer than it was when it was opened */
TEST_F(sendfile, disk)
{
	char path[] = "/tmp/strata-sendfile-XXXXXX";
	int file = mkstemp(path);

	ASSERT_LE(0, file);
	unlink(path);
	ASSERT_EQ(SIZE, write(file, self->data, SIZE));
	EXPECT_TRUE(carries(self->a, file, self->b, self->data, 0, SIZE));
	EXPECT_TRUE(carries(self->a, file, self->b, self->data, 777, 99999));
}

/* without an offset the file's own position counts and moves; its end is 0, not an error */
TEST_F(sendfile, position)
{
	off_t at = SIZE;

	ASSERT_EQ(100, lseek(self->file, 100, SEEK_SET));
	EXPECT_EQ(1000, sendfile(self->a, self->file, NULL, 1000));
	EXPECT_EQ(1100, lseek(self->file, 0, SEEK_CUR));
	EXPECT_TRUE(reads(self->b, self->data + 100, 1000));
	EXPECT_EQ(0, sendfile(self->a, self->file, &at, 10));
	at = SIZE - 10;
	EXPECT_EQ(10, sendfile(self->a, self->file, &at, 1000));
	EXPECT_EQ(SIZE, at);
	EXPECT_TRUE(reads(self->b, self->data + SIZE - 10, 10));
	EXPECT_EQ(0, sendfile(self->a, self->file, &at, 0));
	EXPECT_ERRNO(EAGAIN, recv(self->b, &at, 1, 0));
}

/* a header, the file, a trailer: in order, whatever of it is copied */
TEST_F(sendfile, between)
{
	uint8_t want[3004];
	off_t at = 50;

	ASSERT_EQ(2, send(self->a, "ab", 2, MSG_MORE));
	ASSERT_EQ(3000, sendfile(self->a, self->file, &at, 3000));
	ASSERT_EQ(2, send(self->a, "yz", 2, 0));
	memcpy(want, "ab", 2);
	memcpy(want + 2, self->data + 50, 3000);
	memcpy(want + 3002, "yz", 2);
	EXPECT_TRUE(reads(self->b, want, sizeof(want)));
}

TEST_F(sendfile, states)
{
	int fd = socket(self->family, SOCK_STREAM, 0);
	off_t at = 0;

	EXPECT_ERRNO(EPIPE, sendfile(fd, self->file, &at, 10));
	EXPECT_EQ(0, at);
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_ERRNO(EPIPE, sendfile(self->a, self->file, &at, 10));
	EXPECT_EQ(0, at);
	/* from a socket to a socket there is no sendfile() */
	EXPECT_ERRNO(EINVAL, sendfile(fd, self->b, NULL, 10));
}

/* ---- the pages themselves ---- */

/* what was sent is at the reader's, who has not read it yet */
TEST_F(sendfile, no_copy)
{
	off_t at = 0;

	ASSERT_EQ(20000, sendfile(self->a, self->file, &at, 20000));
	usleep(50000);
	memset(self->data, 'x', 20000);
	ASSERT_EQ(20000, pwrite(self->file, self->data, 20000, 0));
	EXPECT_TRUE(reads(self->b, self->data, 20000));
}

/* it waits in the send buffer, as the peer's window is closed */
TEST_F(sendfile, no_copy_unsent)
{
	static uint8_t buf[SIZE];
	int a, b, n, got, ret;
	off_t at = 0;

	ASSERT_EQ(0, joined(self->family, 8192, &a, &b));
	ASSERT_EQ(0, env_setopt(a, SOL_SOCKET, SO_SNDBUF, 1 << 20));
	n = sendfile(a, self->file, &at, 100000);
	ASSERT_LT(30000, n);
	usleep(50000);
	memset(self->data + 20000, 'x', SIZE - 20000);
	ASSERT_EQ(SIZE - 20000, pwrite(self->file, self->data + 20000, SIZE - 20000, 20000));
	for (got = 0; got < n; got += ret) {
		ASSERT_EQ(1, env_readable(b));
		ret = recv(b, buf + got, sizeof(buf) - got, 0);
		ASSERT_LT(0, ret);
	}
	EXPECT_EQ(n, got);
	EXPECT_EQ(0, memcmp(buf, self->data, n));
}

/* splice() from the file through a pipe */
TEST_F(sendfile, no_copy_splice)
{
	loff_t at = 4096;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(8192, splice(self->file, &at, p[1], NULL, 8192, 0));
	ASSERT_EQ(8192, splice(p[0], NULL, self->a, NULL, 8192, 0));
	memset(self->data, 'x', 16384);
	ASSERT_EQ(16384, pwrite(self->file, self->data, 16384, 0));
	EXPECT_TRUE(reads(self->b, self->data + 4096, 8192));
}

/* nor does splice() from the socket, on the same host: the file's page lies in the pipe */
TEST_F(sendfile, no_copy_read)
{
	static uint8_t buf[8192];
	off_t at = 0;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(8192, sendfile(self->a, self->file, &at, 8192));
	ASSERT_EQ(1, env_readable(self->b));
	ASSERT_EQ(8192, splice(self->b, NULL, p[1], NULL, 8192, 0));
	memset(self->data, 'x', 8192);
	ASSERT_EQ(8192, pwrite(self->file, self->data, 8192, 0));
	ASSERT_EQ(8192, read(p[0], buf, 8192));
	EXPECT_EQ(0, memcmp(buf, self->data, 8192));
}

/* send() does copy: the buffer is the program's again at once */
TEST_F(sendfile, send_copies)
{
	static uint8_t buf[20000];

	memcpy(buf, self->data, sizeof(buf));
	ASSERT_EQ(20000, send(self->a, buf, sizeof(buf), 0));
	memset(buf, 'x', sizeof(buf));
	EXPECT_TRUE(reads(self->b, self->data, 20000));
}

/* ---- datagrams ---- */

/* the octets of the next datagram, or -1 if none comes at once */
static int datagram(int fd, uint8_t *buf)
{
	usleep(20000);
	return recv(fd, buf, SIZE, MSG_DONTWAIT);
}

/* all that one sendfile() has is one datagram, however many pages of the file it lies in */
TEST_F(sendfile, datagram)
{
	int rx = socket(self->family, SOCK_DGRAM, 0), tx = socket(self->family, SOCK_DGRAM, 0);
	static uint8_t buf[SIZE];
	off_t at = 100;

	ASSERT_EQ(0, env_bind(rx, "127.0.0.1", 0));
	ASSERT_EQ(0, env_connect(tx, "127.0.0.1", env_port(rx)));
	ASSERT_EQ(8192, sendfile(tx, self->file, &at, 8192));
	EXPECT_EQ(8192, datagram(rx, buf));
	EXPECT_EQ(0, memcmp(buf, self->data + 100, 8192));
	EXPECT_EQ(-1, datagram(rx, buf));
	/* a header before it */
	at = 4096;
	ASSERT_EQ(3, send(tx, "abc", 3, MSG_MORE));
	ASSERT_EQ(10000, sendfile(tx, self->file, &at, 10000));
	EXPECT_EQ(10003, datagram(rx, buf));
	EXPECT_EQ(0, memcmp(buf + 3, self->data + 4096, 10000));
	/* UDP_CORK waits for its end, whatever is sent */
	ASSERT_EQ(0, env_setopt(tx, SOL_UDP, UDP_CORK, 1));
	at = SIZE - 50;
	ASSERT_EQ(50, sendfile(tx, self->file, &at, 100));
	EXPECT_EQ(-1, datagram(rx, buf));
	ASSERT_EQ(0, env_setopt(tx, SOL_UDP, UDP_CORK, 0));
	EXPECT_EQ(50, datagram(rx, buf));
}

/* the file ends before what was asked for: that sends the datagram */
TEST_F(sendfile, datagram_end)
{
	int rx = socket(self->family, SOCK_DGRAM, 0), tx = socket(self->family, SOCK_DGRAM, 0);
	static uint8_t buf[SIZE];
	off_t at = SIZE - 5000;

	ASSERT_EQ(0, env_bind(rx, "127.0.0.1", 0));
	ASSERT_EQ(0, env_connect(tx, "127.0.0.1", env_port(rx)));
	ASSERT_EQ(5000, sendfile(tx, self->file, &at, 100000));
	EXPECT_EQ(5000, datagram(rx, buf));
	EXPECT_EQ(0, memcmp(buf, self->data + SIZE - 5000, 5000));
	ASSERT_EQ(1, send(tx, "x", 1, 0));
	EXPECT_EQ(1, datagram(rx, buf));
}

TEST_HARNESS_MAIN
