/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the cases of Fast Open (RFC 7413) say besides the words of wire.h: cookies, counters,
 * and send(MSG_FASTOPEN).
 */
#ifndef STRATA_WIRE_FASTOPEN_H
#define STRATA_WIRE_FASTOPEN_H

#include "wire_state.h"

#ifndef TCP_FASTOPEN_KEY
#define TCP_FASTOPEN_KEY	33
#define TCP_FASTOPEN_NO_COOKIE	34
#endif

#define FO_ASK		"opt 2202"		/* a request for a cookie */
#define FO_ASK_EXP	"opt fe04f989"		/* in the experimental option (RFC 6994) */
#define FO_BAD		"opt 220a0102030405060708"

#define F_KEY		"00000001-00000002-00000003-00000004"
#define F_KEY2		"0000000a-0000000b-0000000c-0000000d"

#define NO_COOKIE	(-1)

/* SipHash-2-4 of 8 octets (Aumasson, Bernstein: "SipHash: a fast short-input PRF") */
#define F_ROTL(x, b)	((x) << (b) | (x) >> (64 - (b)))

static inline void f_round(uint64_t v[4])
{
	v[0] += v[1], v[1] = F_ROTL(v[1], 13), v[1] ^= v[0], v[0] = F_ROTL(v[0], 32);
	v[2] += v[3], v[3] = F_ROTL(v[3], 16), v[3] ^= v[2];
	v[0] += v[3], v[3] = F_ROTL(v[3], 21), v[3] ^= v[0];
	v[2] += v[1], v[1] = F_ROTL(v[1], 17), v[1] ^= v[2], v[2] = F_ROTL(v[2], 32);
}

static inline uint64_t f_siphash(uint64_t k0, uint64_t k1, uint64_t m)
{
	uint64_t v[4] = {
		k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL,
		k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL,
	};
	const uint64_t block[2] = { m, 8ULL << 56 };
	int i;

	for (i = 0; i < 2; i++) {
		v[3] ^= block[i];
		f_round(v);
		f_round(v);
		v[0] ^= block[i];
	}
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		f_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* the cookie that a server at HOST with this key (as tcp_fastopen_key has it) gives the peer */
static inline const char *f_cookie_of(const char *key)
{
	static char hex[2][17];
	static int turn;
	uint32_t k[4], addr[2] = { inet_addr(ME), inet_addr(HOST) };
	uint64_t m, c;
	int i;

	sscanf(key, "%x-%x-%x-%x", &k[0], &k[1], &k[2], &k[3]);
	memcpy(&m, addr, sizeof(m));
	c = f_siphash(k[0] | (uint64_t)k[1] << 32, k[2] | (uint64_t)k[3] << 32, m);
	turn = !turn;
	for (i = 0; i < 8; i++)
		sprintf(hex[turn] + 2 * i, "%02x", (unsigned int)(c >> 8 * i & 0xff));
	return hex[turn];
}

/* did the last segment bring this cookie? */
static inline bool f_got(const char *hex)
{
	char is[81] = "";
	int i;

	for (i = 0; i < w.fo_len; i++)
		sprintf(is + 2 * i, "%02x", w.fo[i]);
	if (w.fo_len == (int)strlen(hex) / 2 && !strcmp(is, hex))
		return true;
	fprintf(stderr, "# expected cookie %s, got %s (%d octets)\n", hex, is, w.fo_len);
	return false;
}

static inline long f_count(const char *name)
{
	return w_counted(name);
}

static inline struct tcp_info f_info(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info;
}

/* tcpi_fastopen_client_fail; the C library's struct does not know it */
static inline int f_why(int fd)
{
	struct tcp_info info = f_info(fd);

	return ((uint8_t *)&info)[7] >> 1 & 3;
}

enum { TFO_COOKIE_UNAVAILABLE = 1, TFO_DATA_NOT_ACKED, TFO_SYN_RETRANSMITTED };

#define SYN_DATA(fd)	(!!(f_info(fd).tcpi_options & TCPI_OPT_SYN_DATA))

/* ---- the server's side ---- */

/* a server with Fast Open, this key and so many places */
static inline bool f_server(int lfd, const char *key, int qlen)
{
	return w_sysctl("tcp_fastopen", "3") && w_sysctl("tcp_fastopen_key", key) &&
	       !w_set(lfd, SOL_TCP, TCP_FASTOPEN, qlen);
}

#define COUNTED(name, n)	ASSERT_EQ(n, f_count("TCPFastOpen" name))
#define cookie(hex)		ASSERT_TRUE(f_got(hex))
#define no_option()		ASSERT_EQ(NO_COOKIE, w.fo_len)

/* ---- the client's ---- */

static inline struct sockaddr_in f_peer(void)
{
	return (struct sockaddr_in) {
		.sin_family = AF_INET, .sin_port = htons(PEER_PORT),
		.sin_addr.s_addr = inet_addr(ME),
	};
}

static inline void f_port(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (!getsockname(fd, (struct sockaddr *)&sin, &len))
		w.port = ntohs(sin.sin_port);
}

/* the program writes its first @n octets with MSG_FASTOPEN: how many were taken, or -errno */
static inline int f_send(int fd, uint32_t n)
{
	static uint8_t buf[1 << 16];
	struct sockaddr_in to = f_peer();
	uint32_t i;
	int ret;

	for (i = 0; i < n; i++)
		buf[i] = w_octet(w.put + i);
	w_mark();
	ret = sendto(fd, buf, n, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to));
	if (ret < 0)
		ret = -errno;
	else
		w.put += ret;
	f_port(fd);
	return ret;
}

/* the next conversation */
static inline int f_again(void)
{
	w_peer(PEER_PORT);
	return w_socket();
}

/* learn a cookie from a first conversation, in which the peer's SYN-ACK says @opts */
static inline bool f_learn(const char *opts)
{
	int fd = f_again();
	struct wseg s;

	if (f_send(fd, 1) != -EINPROGRESS || !w_next(1000, &s) || s.flags != 2 || w.fo_len ||
	    !w_in("SA 0 ack 1 %s", opts) || !w_next(1000, &s) || s.flags != 0x10)
		return false;
	return w_in("R 1") && !close(fd);
}

#define C8	"1122334455667788"
#define GIVES	"mss 1460 opt 220a" C8

#define sends(fd, n, ret)	ASSERT_EQ(ret, f_send(fd, n))
#define learn(opts)		ASSERT_TRUE(f_learn(opts))

#endif
