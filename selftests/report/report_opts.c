// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of level SOL_TCP and struct tcp_info, on the native stack and on Strata: the same
 * ranges, values and errors.
 */
#include "report_env.h"

ENV_FIXTURE(opts)

/* what setting gives (0 or errno), and what is read back then */
static const struct {
	int opt, val, err, back;
} ints[] = {
	{ TCP_NODELAY, 1, 0, 1 },		{ TCP_NODELAY, 7, 0, 1 },
	{ TCP_CORK, 1, 0, 1 },			{ TCP_CORK, 0, 0, 0 },
	{ TCP_MAXSEG, 87, EINVAL, 536 },	{ TCP_MAXSEG, 88, 0, 88 },
	{ TCP_MAXSEG, 32767, 0, 32767 },	{ TCP_MAXSEG, 32768, EINVAL, 32767 },
	{ TCP_MAXSEG, 0, 0, 536 },
	{ TCP_KEEPIDLE, 0, EINVAL, 7200 },	{ TCP_KEEPIDLE, 32767, 0, 32767 },
	{ TCP_KEEPIDLE, 32768, EINVAL, 32767 },
	{ TCP_KEEPINTVL, 0, EINVAL, 75 },	{ TCP_KEEPINTVL, 9, 0, 9 },
	{ TCP_KEEPCNT, 128, EINVAL, 9 },	{ TCP_KEEPCNT, 127, 0, 127 },
	{ TCP_SYNCNT, 0, EINVAL, 6 },		{ TCP_SYNCNT, 3, 0, 3 },
	{ TCP_LINGER2, 5, 0, 5 },		{ TCP_LINGER2, -4, 0, -1 },
	{ TCP_LINGER2, 100000, 0, 120 },	{ TCP_LINGER2, 0, 0, 60 },
	{ TCP_DEFER_ACCEPT, 0, 0, 0 },		{ TCP_DEFER_ACCEPT, 1, 0, 1 },
	{ TCP_DEFER_ACCEPT, 2, 0, 3 },		{ TCP_DEFER_ACCEPT, 8, 0, 15 },
	{ TCP_USER_TIMEOUT, -1, EINVAL, 0 },	{ TCP_USER_TIMEOUT, 4321, 0, 4321 },
	{ TCP_NOTSENT_LOWAT, 4096, 0, 4096 },	{ TCP_QUICKACK, 0, 0, 0 },
	{ TCP_QUICKACK, 1, 0, 1 },		{ TCP_INQ, 2, EINVAL, 0 },
	{ TCP_INQ, 1, 0, 1 },			{ TCP_WINDOW_CLAMP, 50000, 0, 50000 },
	{ TCP_WINDOW_CLAMP, 0, 0, 0 },
};

TEST_F(opts, ranges)
{
	int fd = socket(self->family, SOCK_STREAM, 0);

	ASSERT_GE(fd, 0);
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		int opt = ints[i].opt, val = ints[i].val;
		int err = env_setopt(fd, SOL_TCP, opt, val) ? errno : 0;
		socklen_t len = sizeof(int);
		int back = -99;

		EXPECT_EQ(ints[i].err, err) TH_LOG("option %d = %d", opt, val);
		EXPECT_EQ(0, getsockopt(fd, SOL_TCP, opt, &back, &len));
		EXPECT_EQ(ints[i].back, back) TH_LOG("option %d after %d", opt, val);
		EXPECT_EQ(sizeof(int), len);
	}
	close(fd);
}

TEST_F(opts, lengths_and_pointers)
{
	int fd = socket(self->family, SOCK_STREAM, 0), val = 1;
	socklen_t len = 1, bad = -1;
	char name[64];

	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_TCP, TCP_NODELAY, &val, 3));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_TCP, 9999, &val, 3));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_TCP, TCP_NODELAY, NOWHERE, sizeof(val)));
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fd, SOL_TCP, 9999, &val, sizeof(val)));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 0));
	EXPECT_ERRNO(ENOENT, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "no such", 7));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_TCP, TCP_CONGESTION, NOWHERE, 4));
	EXPECT_EQ(0, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno and more", 4));
	len = sizeof(name);
	EXPECT_EQ(0, getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	EXPECT_EQ(16, len);
	EXPECT_STREQ("reno", name);

	EXPECT_ERRNO(EINVAL, getsockopt(fd, SOL_TCP, TCP_NODELAY, &val, &bad));
	EXPECT_ERRNO(EFAULT, getsockopt(fd, SOL_TCP, TCP_NODELAY, &val, NOWHERE));
	len = sizeof(val);
	EXPECT_ERRNO(EFAULT, getsockopt(fd, SOL_TCP, TCP_NODELAY, NOWHERE, &len));
	len = 2;
	EXPECT_EQ(0, getsockopt(fd, SOL_TCP, TCP_NODELAY, &val, &len));
	EXPECT_EQ(2, len);
	len = sizeof(val);
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(fd, SOL_TCP, 9999, &val, &len));
	close(fd);
}

TEST_F(opts, info_of_a_listener)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	struct trio t;

	ASSERT_TRUE(trio_open(&t, self->family, 8002));
	ASSERT_EQ(0, getsockopt(t.lsk, SOL_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(TCP_LISTEN, info.tcpi_state);
	EXPECT_EQ(0, info.tcpi_unacked);
	EXPECT_EQ(7, info.tcpi_sacked);
	trio_close(&t);
}

TEST_F(opts, info_of_a_connection)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	char data[5000] = "";
	struct trio t;

	ASSERT_TRUE(trio_open(&t, self->family, 8003));
	ASSERT_EQ(sizeof(data), send(t.client, data, sizeof(data), 0));
	ASSERT_EQ(sizeof(data), recv(t.server, data, sizeof(data), MSG_WAITALL));
	usleep(300000);
	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, getsockopt(t.client, SOL_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(TCP_ESTABLISHED, info.tcpi_state);
	EXPECT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE,
		  info.tcpi_options & 7);
	EXPECT_EQ(0, info.tcpi_unacked);
	EXPECT_EQ(0, info.tcpi_retransmits);
	EXPECT_EQ(0, info.tcpi_total_retrans);
	/* in virtual time lo takes none; Strata still tells a sample from none */
	if (variant->stack == STRATA)
		EXPECT_GT(info.tcpi_rtt, 0);
	EXPECT_LT(info.tcpi_rtt, 5000000);
	EXPECT_GE(info.tcpi_rto, 200000);
	EXPECT_GE(info.tcpi_snd_cwnd, 2);
	EXPECT_GE(info.tcpi_last_data_sent, 250);
	EXPECT_LT(info.tcpi_last_data_sent, 60000);

	len = sizeof(info);
	ASSERT_EQ(0, getsockopt(t.server, SOL_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(sizeof(info), len);
	if (variant->stack == STRATA) {
		EXPECT_GT(info.tcpi_rtt, 0) TH_LOG("the handshake gives the server a sample");
	}
	len = 1;
	ASSERT_EQ(0, getsockopt(t.server, SOL_TCP, TCP_INFO, &info, &len));
	EXPECT_EQ(1, len);
	trio_close(&t);
}

TEST_HARNESS_MAIN
