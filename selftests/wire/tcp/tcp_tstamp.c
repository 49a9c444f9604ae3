// SPDX-License-Identifier: GPL-2.0-only
/*
 * SO_TIMESTAMPING of TCP (Documentation/networking/timestamping.rst 1.3, 1.4): when the last
 * octet of a write was queued (SCHED), left (SND) and was acknowledged (ACK), read from the
 * error queue; and when octets came.
 */
#include <time.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include "wire.h"

#define TX_ALL	(SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_ACK)
#define ON	(SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID)
#define TSONLY	SOF_TIMESTAMPING_OPT_TSONLY

/* TCP_NLA_* of linux/tcp.h, which does not go with netinet/tcp.h */
enum {
	DATA_SEGS_OUT = 4, TOTAL_RETRANS, SND_CWND = 8, SNDQ_SIZE = 13, BYTES_SENT = 18,
	BYTES_RETRANS, SRTT = 22, BYTES_NOTSENT = 24, EDT, TTL, REHASH, ATTRS,
};

/* octets of each, as native has them since Linux 6.2; EDT and TTL are not always there */
static const uint8_t attr_len[ATTRS] = {
	0, 8, 8, 8, 8, 8, 8, 8, 4, 4, 4, 1, 1, 4, 1, 4, 4, 4, 8, 8, 4, 4, 4, 2, 4, 8, 1, 4,
};

static double real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* what one message of the error queue said */
struct stamp {
	int type;		/* SCM_TSTAMP_*; -1: there is none */
	uint32_t id;
	double at;
	int len, origin, err;
	int ifindex;		/* of IP_PKTINFO */
	/* SCM_TIMESTAMPING_OPT_STATS: octets of each attribute, 0: not there; and what it says */
	uint8_t attr_len[ATTRS];
	uint64_t attr[ATTRS];
};

static void stats_read(struct stamp *s, const uint8_t *p, int len)
{
	while (len >= 4) {
		uint16_t size, type;

		memcpy(&size, p, 2);
		memcpy(&type, p + 2, 2);
		if (size < 4 || size > len)
			return;
		if (type < ATTRS && size <= 12) {
			s->attr_len[type] = size - 4;
			memcpy(&s->attr[type], p + 4, size - 4);
		}
		size = (size + 3) & ~3;
		p += size;
		len -= size;
	}
}

static struct stamp stamp_read(int fd, int flags)
{
	struct stamp s = { .type = -1 };
	char data[4096], ctl[1024];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;

	s.len = recvmsg(fd, &m, flags | MSG_DONTWAIT);
	if (s.len < 0)
		return s;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING) {
			struct timespec *ts = (void *)CMSG_DATA(c);

			s.at = ts[0].tv_sec + ts[0].tv_nsec / 1e9;
		} else if (c->cmsg_level == SOL_SOCKET &&
			   c->cmsg_type == SCM_TIMESTAMPING_OPT_STATS) {
			stats_read(&s, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
		} else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) {
			struct sock_extended_err *ee = (void *)CMSG_DATA(c);

			s.type = ee->ee_info;
			s.id = ee->ee_data;
			s.origin = ee->ee_origin;
			s.err = ee->ee_errno;
		} else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			s.ifindex = ((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex;
		}
	}
	return s;
}

/* is the next stamp this one, taken @ms after @began? */
static bool stamped(int fd, int type, uint32_t id, double began, int ms)
{
	struct stamp s = stamp_read(fd, MSG_ERRQUEUE);
	double after = (s.at - began) * 1000;

	if (s.type == type && s.id == id && s.origin == SO_EE_ORIGIN_TIMESTAMPING &&
	    s.err == ENOMSG && after > ms - 1 && after < ms + (w.sim ? 1 : 400))
		return true;
	fprintf(stderr, "# stamp %d id %u after %.3f ms, origin %d errno %d; expected %d id %u after %d ms\n",
		s.type, s.id, after, s.origin, s.err, type, id, ms);
	return false;
}

#define STAMP(...)	ASSERT_TRUE(stamped(__VA_ARGS__))
#define NO_STAMP(fd)	ASSERT_EQ(-1, stamp_read(fd, MSG_ERRQUEUE).type)

static bool ask(int fd, unsigned int flags)
{
	return !w_set(fd, SOL_SOCKET, SO_TIMESTAMPING, flags);
}

CASE(tx_all, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.1: queued, sent, acknowledged, in this order")
{
	int fd = w_passive(self->lfd, "mss 1460");
	double began;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, TX_ALL | ON | TSONLY));
	ASSERT_FALSE(w_poll(fd, POLLERR, 0));
	began = real_now();
	put(fd, 100);
	out("PA 1+100");
	ASSERT_TRUE(w_poll(fd, POLLERR, 0));
	STAMP(fd, SCM_TSTAMP_SCHED, 99, began, 0);
	STAMP(fd, SCM_TSTAMP_SND, 99, began, 0);
	NO_STAMP(fd);
	ASSERT_FALSE(w_poll(fd, POLLERR, 0));
	sleep_s(0.1);
	in("A 1 ack 101");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	STAMP(fd, SCM_TSTAMP_ACK, 99, began, 100);
	NO_STAMP(fd);
	ASSERT_EQ(0, w_error(fd));
}

CASE(tx_id, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.4 OPT_ID: octets since the option; OPT_ID_TCP: unsent ones do not count")
{
	int fd = w_passive(self->lfd, "mss 1460");
	double began;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_NODELAY, 1));
	put(fd, 50);
	out("PA 1+50");
	began = real_now();
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_ACK | ON | TSONLY));
	put(fd, 10);
	out("PA 51+10");
	in("A 1 ack 61");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	STAMP(fd, SCM_TSTAMP_ACK, 59, began, 0);
	ASSERT_TRUE(ask(fd, 0));
	put(fd, 50);
	out("PA 61+50");
	/* not before Linux 6.2 */
	if (!ask(fd, SOF_TIMESTAMPING_TX_ACK | ON | TSONLY | 1 << 16))
		SKIP(return, "no SOF_TIMESTAMPING_OPT_ID_TCP");
	put(fd, 10);
	out("PA 111+10");
	in("A 1 ack 121");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	STAMP(fd, SCM_TSTAMP_ACK, 9, began, 0);
	NO_STAMP(fd);
}

CASE(tx_id_taken, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.4 OPT_ID: the octet was counted when the stamp was taken")
{
	int fd = w_passive(self->lfd, "mss 1460");
	double began = real_now();

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_ACK | ON | TSONLY));
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_TRUE(ask(fd, 0));
	put(fd, 50);
	out("PA 11+50");
	in("A 1 ack 61");
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_ACK | ON | TSONLY));
	put(fd, 10);
	out("PA 61+10");
	in("A 1 ack 71");
	STAMP(fd, SCM_TSTAMP_ACK, 9, began, 0);
	STAMP(fd, SCM_TSTAMP_ACK, 9, began, 0);
	NO_STAMP(fd);
}

/* is the next stamp of @type, and all there that describes the connection? */
static bool described(int fd, int type, struct stamp *s)
{
	int i;

	*s = stamp_read(fd, MSG_ERRQUEUE);
	if (s->type != type) {
		fprintf(stderr, "# stamp %d instead of %d\n", s->type, type);
		return false;
	}
	for (i = 1; i < ATTRS; i++) {
		int len = i == TTL && type != SCM_TSTAMP_ACK ? 0 : attr_len[i];

		if (s->attr_len[i] == len || (!w.sim && !s->attr_len[i] && i == REHASH))
			continue;
		fprintf(stderr, "# attribute %d has %d octets, not %d\n", i, s->attr_len[i], len);
		return false;
	}
	return true;
}

CASE(tx_stats, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.4 OPT_STATS: how the connection was then, beside each stamp")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct timespec mono;
	struct stamp s;
	double began;

	ASSERT_LE(0, fd);
	ASSERT_FALSE(ask(fd, TX_ALL | ON | SOF_TIMESTAMPING_OPT_STATS));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(ask(fd, TX_ALL | ON | TSONLY | SOF_TIMESTAMPING_OPT_STATS));
	clock_gettime(CLOCK_MONOTONIC, &mono);
	began = mono.tv_sec + mono.tv_nsec / 1e9;
	put(fd, 100);
	out("PA 1+100");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_TRUE(described(fd, SCM_TSTAMP_SCHED, &s));
	ASSERT_EQ(99, s.id);
	ASSERT_TRUE(described(fd, SCM_TSTAMP_SND, &s));
	ASSERT_EQ(100, s.attr[SNDQ_SIZE]);
	ASSERT_EQ(0, s.attr[TOTAL_RETRANS]);
	ASSERT_EQ(10, s.attr[SND_CWND]);
	ASSERT_GT(w.sim ? 0.001 : 0.5, s.attr[EDT] / 1e9 - began);
	ASSERT_LT(-0.001, s.attr[EDT] / 1e9 - began);
	out_within(1000, "PA 1+100");
	ASSERT_TRUE(described(fd, SCM_TSTAMP_SCHED, &s));
	ASSERT_TRUE(described(fd, SCM_TSTAMP_SND, &s));
	/* and it is written when the stamp is taken, not when it is read */
	in("A 1 ack 101");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	put(fd, 1000);
	ASSERT_TRUE(described(fd, SCM_TSTAMP_ACK, &s));
	ASSERT_EQ(200, s.attr[BYTES_SENT]);
	ASSERT_EQ(100, s.attr[BYTES_RETRANS]);
	ASSERT_EQ(1, s.attr[TOTAL_RETRANS]);
	ASSERT_EQ(2, s.attr[DATA_SEGS_OUT]);
	ASSERT_EQ(0, s.attr[SNDQ_SIZE]);
	ASSERT_EQ(64, s.attr[TTL]);
	ASSERT_LT(w.sim ? 0.19 : 0.1, s.attr[EDT] / 1e9 - began);
}

CASE(tx_no_id, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.4: without OPT_ID no number")
{
	int fd = w_passive(self->lfd, "mss 1460");
	double began = real_now();

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE | TSONLY));
	put(fd, 10);
	out("PA 1+10");
	in("A 1 ack 11");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	STAMP(fd, SCM_TSTAMP_ACK, 0, began, 0);
}

CASE(tx_last_octet, "socket(7) SO_TIMESTAMPING, timestamping.rst 2.1.1: one stamp for a write of many segments: its last octet's")
{
	int fd = w_passive(self->lfd, "mss 1000");
	double began;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_ACK | ON | TSONLY));
	began = real_now();
	put(fd, 12500);
	for (uint32_t i = 0; i < 10; i++)
		out("A %u+1000", 1 + i * 1000);
	NO_STAMP(fd);
	sleep_s(0.05);
	in("A 1 ack 9001");
	out("A 10001+1000");
	out("A 11001+1000");
	out("PA 12001+500");
	STAMP(fd, SCM_TSTAMP_SND, 12499, began, 50);
	NO_STAMP(fd);
	sleep_s(0.05);
	in("A 1 ack 12001");
	sleep_s(0.05);
	NO_STAMP(fd);
	in("A 1 ack 12501");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	STAMP(fd, SCM_TSTAMP_ACK, 12499, began, 150);
	NO_STAMP(fd);
}

CASE(tx_rest_without, "socket(7) SO_TIMESTAMPING, timestamping.rst 2.1.1: what is appended to the segment later is not waited for")
{
	int fd = w_passive(self->lfd, "mss 1000");
	double began;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_ACK | ON | TSONLY));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 1));
	began = real_now();
	put(fd, 600);
	ASSERT_TRUE(ask(fd, ON | TSONLY));
	put(fd, 1900);
	out("A 1+1000");
	out("A 1001+1000");
	in("A 1 ack 1001");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	STAMP(fd, SCM_TSTAMP_ACK, 599, began, 0);
	in("A 1 ack 2001");
	sleep_s(0.02);
	NO_STAMP(fd);
}

CASE(tx_cmsg, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.4: SO_TIMESTAMPING beside sendmsg() for this write alone")
{
	uint32_t want = SOF_TIMESTAMPING_TX_SOFTWARE;
	union { char b[CMSG_SPACE(4)]; struct cmsghdr c; } ctl = {
		.c = { CMSG_LEN(4), SOL_SOCKET, SO_TIMESTAMPING },
	};
	uint8_t data[10];
	struct iovec iov = { data, 10 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};
	int fd = w_passive(self->lfd, "mss 1460");
	double began;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, ON | TSONLY));
	began = real_now();
	put(fd, 10);
	out("PA 1+10");
	NO_STAMP(fd);
	for (int i = 0; i < 10; i++)
		data[i] = w_octet(10 + i);
	memcpy(CMSG_DATA(&ctl.c), &want, 4);
	in("A 1 ack 11");
	ASSERT_EQ(10, sendmsg(fd, &m, 0));
	out("PA 11+10");
	STAMP(fd, SCM_TSTAMP_SND, 19, began, 0);
	NO_STAMP(fd);
	want = SOF_TIMESTAMPING_SOFTWARE;	/* not which, but how to report */
	memcpy(CMSG_DATA(&ctl.c), &want, 4);
	ASSERT_EQ(-1, sendmsg(fd, &m, 0));
	ASSERT_EQ(EINVAL, errno);
}

CASE(tx_packet, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.4: without OPT_TSONLY the packet comes back; OPT_CMSG: with its device")
{
	int fd = w_passive(self->lfd, "mss 1460"), lo = 1;
	struct stamp s;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_SOFTWARE | ON | SOF_TIMESTAMPING_OPT_CMSG));
	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_PKTINFO, 1));
	put(fd, 100);
	out("PA 1+100");
	s = stamp_read(fd, MSG_ERRQUEUE);
	ASSERT_EQ(SCM_TSTAMP_SND, s.type);
	ASSERT_EQ(99, s.id);
	ASSERT_EQ(140, s.len);
	ASSERT_LT(lo, s.ifindex);
}

CASE(tx_packet_unread, "socket(7) SO_TIMESTAMPING, RFC 9293 3.8.1: a packet on the error queue holds up no retransmission")
{
	int fd = w_passive(self->lfd, "mss 1000");

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_ACK | ON));
	ASSERT_EQ(0, w_set(fd, SOL_TCP, TCP_CORK, 1));
	put(fd, 600);
	ASSERT_TRUE(ask(fd, ON));
	put(fd, 1900);
	out("A 1+1000");
	out("A 1001+1000");
	in("A 1 ack 1001");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	/* the copy that waits to be read is of both segments */
	if (!NATIVE("takes the copy on the error queue for one that has not left yet"))
		out_within(1000, "A 1001+1000");
	in("A 1 ack 2001");
	ASSERT_EQ(SCM_TSTAMP_ACK, stamp_read(fd, MSG_ERRQUEUE).type);
	NO_STAMP(fd);
}

CASE(tx_again, "socket(7) SO_TIMESTAMPING, timestamping.rst 2.1.1: what is sent again is stamped again")
{
	int fd = w_passive(self->lfd, "mss 1460");
	double began;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_ACK | ON | TSONLY));
	began = real_now();
	put(fd, 100);
	out("PA 1+100");
	STAMP(fd, SCM_TSTAMP_SND, 99, began, 0);
	out_within(1000, "PA 1+100");
	ASSERT_EQ(SCM_TSTAMP_SND, stamp_read(fd, MSG_ERRQUEUE).type);
	in("A 1 ack 101");
	ASSERT_TRUE(w_poll(fd, POLLERR, 100));
	ASSERT_EQ(SCM_TSTAMP_ACK, stamp_read(fd, MSG_ERRQUEUE).type);
	NO_STAMP(fd);
}

CASE(id_needs_connection, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.4: OPT_ID of a socket without octets: EINVAL")
{
	/* what tells Linux 6.1, where Strata does not see the option */
	if (w_set(self->lfd, SOL_SOCKET, 60 /* SO_ZEROCOPY */, 1))
		SKIP(return, "the core does not ask the family before Linux 6.2");
	ASSERT_FALSE(ask(self->lfd, ON));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(ask(self->lfd, SOF_TIMESTAMPING_SOFTWARE));
}

CASE(rx, "socket(7) SO_TIMESTAMPING, timestamping.rst 1.3.1 RX_SOFTWARE, 1.1 SO_TIMESTAMPNS: when the last octet read came")
{
	int fd = w_passive(self->lfd, "mss 1460");
	struct stamp s;
	double began;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(ask(fd, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE));
	sleep_s(0.2);	/* the switch takes a moment */
	began = real_now();
	in("PA 1+100");
	sleep_s(0.1);
	in("PA 101+100");
	sleep_s(0.1);
	s = stamp_read(fd, 0);
	ASSERT_EQ(200, s.len);
	ASSERT_GT(w.sim ? 0.001 : 0.09,
		  s.at - began < 0.1 ? 0.1 - (s.at - began) : s.at - began - 0.1);
	in("PA 201+10");
	sleep_s(0.02);
	ASSERT_TRUE(ask(fd, 0));
	s = stamp_read(fd, 0);
	ASSERT_EQ(10, s.len);
	ASSERT_EQ(0, s.at);
}

TEST_HARNESS_MAIN
