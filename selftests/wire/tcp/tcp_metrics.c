// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a route says of the connections by it (RTA_METRICS, ip-route(8)), seen on the wire.
 */
#include "wire_fastopen.h"

struct metric {
	int		type;	/* RTAX_*, 0: no more */
	uint32_t	val;
	const char	*name;	/* RTAX_CC_ALGO */
};

/* the way to the peer, with these metrics; replaces one that is there */
static int route(const struct metric *m)
{
	struct rtmsg rtm = {
		.rtm_family = w.native ? AF_INET : TEST_FAMILY, .rtm_dst_len = 32,
		.rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_LINK, .rtm_type = RTN_UNICAST,
	};
	uint32_t oif = if_nametoindex("t0");
	uint8_t nest[256];
	struct rtnl_req q;
	int len = 0;

	memset(nest, 0, sizeof(nest));
	for (; m->type; m++) {
		struct rtattr *a = (void *)(nest + len);
		int n = m->name ? strlen(m->name) + 1 : sizeof(m->val);

		a->rta_type = m->type;
		a->rta_len = RTA_LENGTH(n);
		memcpy(RTA_DATA(a), m->name ? (const void *)m->name : &m->val, n);
		len += RTA_SPACE(n);
	}
	rtnl_begin(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &rtm, sizeof(rtm));
	rtnl_attr_ip(&q, RTA_DST, ME);
	rtnl_attr(&q, RTA_OIF, &oif, sizeof(oif));
	rtnl_attr(&q, RTA_METRICS | NLA_F_NESTED, nest, len);
	return rtnl_talk(&w.rtnl, &q, NULL, NULL);
}

#define ROUTE(...) \
	ASSERT_EQ(0, route((const struct metric[]){ __VA_ARGS__, { 0, 0, NULL } }))
#define LOCK(metric)	{ RTAX_LOCK, 1 << (metric), NULL }

CASE(advmss_connect, "RFC 9293 3.7.1, ip-route(8) advmss: what the SYN offers")
{
	ROUTE({ RTAX_ADVMSS, 1000, NULL });
	ASSERT_TRUE(w_connect(w_socket()));
	out("S 0 mss 1000");
}

CASE(advmss_request,
     "RFC 9293 3.7.1, ip-route(8) advmss: and the SYN-ACK; TCP_MAXSEG may want less")
{
	ROUTE({ RTAX_ADVMSS, 1000, NULL });
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 1000");
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_MAXSEG, 600));
	w_peer(PEER_PORT + 1);
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 600");
}

CASE(advmss_least, "RFC 9293 3.7.1, ip-route(8) advmss: 88 at least")
{
	ROUTE({ RTAX_ADVMSS, 10, NULL });
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 88");
}

CASE(window,
     "RFC 9293 3.8.6, ip-route(8) window: what is offered at most, in whole segments at first")
{
	ROUTE({ RTAX_WINDOW, 20000, NULL });
	in("S 0 mss 1460 ws 7");
	out("SA 0 ack 1 win 18980 ws 0");
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(w_socket()));
	out("S 0 win 18980 ws 0");
}

CASE(window_later, "RFC 9293 3.8.6, ip-route(8) window: also when data has come and was read")
{
	struct wseg s;
	int fd, i;

	ROUTE({ RTAX_WINDOW, 20000, NULL });
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	for (i = 0; i < 40; i++) {
		in("PA %d+1460", 1 + 1460 * i);
		ASSERT_TRUE(w_next(1000, &s));
		ASSERT_EQ(0x10, s.flags & ~8);
		if (NATIVE("lets the window grow beyond it with the buffer"))
			return;
		ASSERT_GE(20000, s.win);
		get(fd, 1460);
	}
}

CASE(window_user, "RFC 9293 3.8.6, tcp(7) TCP_WINDOW_CLAMP: goes before the route's")
{
	ROUTE({ RTAX_WINDOW, 20000, NULL });
	ASSERT_EQ(0, w_set(self->lfd, SOL_TCP, TCP_WINDOW_CLAMP, 10000));
	in("S 0 mss 1460");
	out("SA 0 ack 1 win 8760");
}

CASE(initrwnd, "RFC 9293 3.8.6, ip-route(8) initrwnd: segments that the first window is for")
{
	ROUTE({ RTAX_INITRWND, 4, NULL });
	in("S 0 mss 1460");
	out("SA 0 ack 1 win 5840");
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(w_socket()));
	out("S 0 win 5840");
	w_peer(PEER_PORT + 1);
	w.port = PORT;
	in("S 0 mss 1460 ts");
	/* 12 octets of each are the timestamp's */
	out("SA 0 ack 1 win 5792 ts");
}

CASE(initcwnd, "RFC 6928 2, RFC 5681 3.1, ip-route(8) initcwnd: segments sent before the first ACK")
{
	int fd;

	ASSERT_TRUE(w_no_tail_probe());
	ROUTE({ RTAX_INITCWND, 3, NULL });
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 14600);
	out("A 1+1460");
	out("A 1461+1460");
	out("A 2921+1460");
	quiet(100);
	in("A 1 ack 4381");
	out("A 4381+1460");
}

CASE(initcwnd_active, "RFC 6928 2, RFC 5681 3.1, ip-route(8) initcwnd: more than ten, too")
{
	int fd, i;

	ASSERT_TRUE(w_no_tail_probe());
	ROUTE({ RTAX_INITCWND, 13, NULL });
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 15 * 1460);
	for (i = 0; i < 13; i++)
		out("A %d+1460", 1 + 1460 * i);
	quiet(100);
}

CASE(cwnd, "RFC 5681 3.1, ip-route(8) cwnd lock: the congestion window grows no further")
{
	int fd, i, sent = 1;
	struct wseg s;

	ASSERT_TRUE(w_no_tail_probe());
	ROUTE({ RTAX_CWND, 4, NULL }, LOCK(RTAX_CWND));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 30 * 1460);
	if (NATIVE("has it from its cache, which learns of it when a connection ends"))
		return;
	for (i = 0; i < 3; i++) {
		int n;

		for (n = 0; w_next(100, &s); n++)
			sent += s.len;
		ASSERT_EQ(4, n);
		in("A 1 ack %d", sent);
	}
}

/* the socket's connection is over; it may open another */
static int over(int fd)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	int err = connect(fd, &sa, sizeof(sa));

	w_peer(PEER_PORT);
	return err;
}

/* @fd opens again, by w_active()'s way */
static bool opens(int fd, const char *opts)
{
	struct wseg s;

	return w_connect(fd) && w_next(1000, &s) && s.flags == 0x02 &&
	       w_in("SA 0 ack 1 %s", opts) && w_next(1000, &s) && s.flags == 0x10;
}

CASE(cwnd_again, "RFC 5681 3.1, RFC 6298 2.4: nothing of it is left when the socket is used anew")
{
	struct wseg old;
	int fd, i;

	ASSERT_TRUE(w_no_tail_probe());
	ROUTE({ RTAX_CWND, 4, NULL }, { RTAX_INITCWND, 2, NULL }, { RTAX_WINDOW, 8000, NULL },
	      { RTAX_RTO_MIN, 5000, NULL },
	      { RTAX_LOCK, 1 << RTAX_CWND | 1 << RTAX_RTO_MIN, NULL });
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, over(fd));
	ROUTE({ RTAX_HOPLIMIT, 64, NULL });
	while (w_next(50, &old))
		;	/* the reset */
	ASSERT_TRUE(opens(fd, "mss 1460"));
	put(fd, 14600);
	for (i = 0; i < 9; i++)
		out("A %d+1460", 1 + 1460 * i);
	out("PA 13141+1460 win 64240");
	out_within(1000, "A 1+1460");
}

CASE(restart, "RFC 2861 3.1, ip-route(8) initcwnd: after an idle time the window is no smaller")
{
	int fd, i, sent = 1, n;
	struct wseg s;

	ASSERT_TRUE(w_no_tail_probe());
	ROUTE({ RTAX_INITCWND, 14, NULL });
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		put(fd, 20 * 1460);
		for (n = 0; w_next(100, &s); n++)
			sent += s.len;
		ASSERT_EQ(14, n);
		in("A 1 ack %d", sent);
		for (; w_next(100, &s); n++)
			sent += s.len;
		ASSERT_EQ(20, n);
		in("A 1 ack %d", sent);
		quiet(3000);
	}
}

CASE(ssthresh, "RFC 5681 3.1, ip-route(8) ssthresh: where slow start ends, if such are kept at all")
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int fd;

	ROUTE({ RTAX_SSTHRESH, 20, NULL });
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	ASSERT_EQ(0x7fffffff, info.tcpi_snd_ssthresh);
	ASSERT_TRUE(w_sysctl("tcp_no_ssthresh_metrics_save", "0"));
	w_peer(PEER_PORT + 1);
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	if (NATIVE("has it from its cache, which learns of it when a connection ends"))
		return;
	ASSERT_EQ(20, info.tcpi_snd_ssthresh);
}

CASE(reordering, "RFC 6675 5, ip-route(8) reordering: DupThresh to begin with")
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int fd;

	ROUTE({ RTAX_REORDERING, 8, NULL });
	fd = w_active("mss 1460 sackok");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len));
	if (NATIVE("has it from its cache, which learns of it when a connection ends"))
		return;
	ASSERT_EQ(8, info.tcpi_reordering);
}

CASE(rtt, "RFC 6298 2, ip-route(8) rtt: the first RTO of data is three times as long, no less")
{
	int fd;

	ASSERT_TRUE(w_no_tail_probe());
	ROUTE({ RTAX_RTT, 8 * 500, NULL });
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	if (NATIVE("has it from its cache, which learns of it when a connection ends"))
		return;
	out_at(1500, "PA 1+100");
}

CASE(rtt_fastopen,
     "RFC 7413 4.2.2, RFC 6298 2.1: not of the SYN-ACK of Fast Open, after 1 s as ever")
{
	ASSERT_TRUE(f_server(self->lfd, F_KEY, 5));
	ROUTE({ RTAX_FASTOPEN_NO_COOKIE, 1, NULL }, { RTAX_RTT, 8 * 5, NULL });
	in("S 0+10 mss 1460");
	out("SA 0 ack 11");
	out_at(1000, "SA 0 ack 11");
}

CASE(rto_min, "RFC 6298 2.4, ip-route(8) rto_min: the least RTO by this way")
{
	int fd;

	ASSERT_TRUE(w_no_tail_probe());
	ROUTE({ RTAX_RTO_MIN, 1200, NULL }, LOCK(RTAX_RTO_MIN));
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	out_at(1200, "PA 1+100");
	w_peer(PEER_PORT);
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	out_at(1200, "PA 1+100");
}

CASE(rto_min_unlocked, "RFC 6298 2.4: one that is not locked has no effect")
{
	int fd;

	ASSERT_TRUE(w_no_tail_probe());
	ROUTE({ RTAX_RTO_MIN, 3000, NULL });
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	put(fd, 100);
	out("PA 1+100");
	out_within(1000, "PA 1+100");
}

/* the field of /proc/net/tcp, of the only connection; -1: there is none */
static int quick_and_pingpong(void)
{
	FILE *f = fopen(w.native ? "/proc/net/tcp" : "/proc/net/strata/tcp", "r");
	int state, found, val = -1;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*d: %*s %*s %x %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d",
			   &state, &found) == 2 && state == 1)
			val = found;
	if (f)
		fclose(f);
	return val;
}

CASE(quickack, "RFC 1122 4.2.3.2, ip-route(8) quickack: no ACK is delayed, whatever the answers")
{
	int fd, i, seq = 1, mine = 1;

	ROUTE({ RTAX_QUICKACK, 1, NULL });
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	/* an interactive session, in which ACKs would ride on the answers */
	for (i = 0; i < 20; i++) {
		in("PA %d+10 ack %d", seq, mine);
		seq += 10;
		out("A %d ack %d", mine, seq);
		get(fd, 10);
		put(fd, 10);
		out("PA %d+10 ack %d", mine, seq);
		mine += 10;
	}
	/* no credit is left of the first ACKs, and the session counts as interactive */
	ASSERT_EQ(1, quick_and_pingpong());
}

CASE(congctl,
     "RFC 5681 3, ip-route(8) congctl: congestion control by the way; one may choose another")
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int fd;

	ROUTE({ RTAX_CC_ALGO, 0, "reno" });
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	ASSERT_STREQ("reno", name);
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "cubic", 5));
	w_peer(PEER_PORT);
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	len = sizeof(name);
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	ASSERT_STREQ("reno", name);
}

CASE(congctl_locked,
     "RFC 5681 3, ip-route(8) congctl lock: nobody may; a socket used anew may again")
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	int fd;

	ROUTE({ RTAX_CC_ALGO, 0, "reno" }, LOCK(RTAX_CC_ALGO));
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(-1, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "cubic", 5));
	ASSERT_EQ(EPERM, errno);
	ASSERT_EQ(0, connect(fd, &sa, sizeof(sa)));
	if (NATIVE("keeps it"))
		return;
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "cubic", 5));
}

CASE(congctl_again, "RFC 5681 3, ip-route(8) congctl: a socket used anew has the default again")
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int fd;

	ROUTE({ RTAX_CC_ALGO, 0, "reno" });
	fd = w_active("mss 1460");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, over(fd));
	ASSERT_EQ(0, getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	if (NATIVE("keeps it"))
		return;
	ASSERT_STREQ("cubic", name);
}

CASE(cookie, "RFC 4987 3.6, RFC 9293 3.8.6: windows and MSS of a connection by a SYN cookie, too")
{
	int fd;

	ASSERT_TRUE(w_sysctl("tcp_syncookies", "2"));
	ROUTE({ RTAX_ADVMSS, 1000, NULL }, { RTAX_WINDOW, 20000, NULL }, { RTAX_INITRWND, 5, NULL },
	      { RTAX_INITCWND, 2, NULL });
	in("S 0 mss 1460");
	out("SA 0 ack 1 mss 1000 win 5000");
	in("A 1 ack 1");
	fd = w_accept(self->lfd);
	ASSERT_LE(0, fd);
	put(fd, 4 * 1460);
	if (NATIVE("takes the peer's segments for its own when the cookie comes back"))
		return;
	out("A 1+1460 win 5000");
	out("A 1461+1460");
	quiet(100);
}

CASE(extremes, "RFC 9293 3.8.6, ip-route(8): the largest numbers and the smallest do no harm")
{
	const uint32_t all = ~0U;
	int fd;

	if (NATIVE("warns of its own congestion window: an initcwnd above 2^31 makes it negative"))
		return;
	ROUTE({ RTAX_WINDOW, all, NULL }, { RTAX_RTT, all, NULL }, { RTAX_RTTVAR, all, NULL },
	      { RTAX_SSTHRESH, all, NULL }, { RTAX_CWND, all, NULL }, { RTAX_ADVMSS, all, NULL },
	      { RTAX_REORDERING, all, NULL }, { RTAX_HOPLIMIT, all, NULL },
	      { RTAX_INITCWND, all, NULL }, { RTAX_RTO_MIN, all, NULL },
	      { RTAX_INITRWND, all, NULL }, { RTAX_QUICKACK, all, NULL },
	      { RTAX_LOCK, all, NULL });
	fd = w_passive(self->lfd, "mss 1460 sackok");
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out("PA 1+1460");
	in("PA 1+10 ack 1461");
	out("A 1461 ack 11");
	get(fd, 10);
	ROUTE({ RTAX_WINDOW, 1, NULL }, { RTAX_RTT, 1, NULL }, { RTAX_CWND, 1, NULL },
	      { RTAX_ADVMSS, 1, NULL }, { RTAX_REORDERING, 1, NULL }, { RTAX_HOPLIMIT, 1, NULL },
	      { RTAX_INITCWND, 1, NULL }, { RTAX_INITRWND, 1, NULL }, { RTAX_LOCK, all, NULL });
	w_peer(PEER_PORT + 1);
	fd = w_passive(self->lfd, "mss 1460 sackok");
	ASSERT_LE(0, fd);
	put(fd, 1460);
	out_within(1000, "PA 1+1460");
	in("PA 1+1 ack 1461");
	ASSERT_TRUE(w_poll(fd, POLLIN, 1000));
	get(fd, 1);
}

CASE(hoplimit,
     "RFC 1122 3.2.1.7, ip-route(8) hoplimit: the TTL by this way, unless the socket has one")
{
	struct pkt p;
	int fd;

	ROUTE({ RTAX_HOPLIMIT, 9, NULL });
	in("S 0 mss 1460");
	ASSERT_TRUE(pkt_next(w.tun, 1000, &p));
	ASSERT_EQ(9, p.ip.ttl);
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(w_socket()));
	ASSERT_TRUE(pkt_next(w.tun, 1000, &p));
	ASSERT_EQ(9, p.ip.ttl);
	fd = w_socket();
	ASSERT_EQ(0, w_set(fd, SOL_IP, IP_TTL, 33));
	w_peer(PEER_PORT);
	ASSERT_TRUE(w_connect(fd));
	ASSERT_TRUE(pkt_next(w.tun, 1000, &p));
	ASSERT_EQ(33, p.ip.ttl);
}

CASE(no_cookie, "RFC 7413 5.1, ip-route(8) fastopen_no_cookie: data comes with the SYN, both ways")
{
	int fd;

	ASSERT_TRUE(f_server(self->lfd, F_KEY, 5));
	ROUTE({ RTAX_FASTOPEN_NO_COOKIE, 1, NULL });
	in("S 0+10 mss 1460");
	out("SA 0 ack 11");
	ASSERT_LE(0, w_accept(self->lfd));
	fd = f_again();
	sends(fd, 10, 10);
	out("S 0+10");
}

CASE(ecn_by_congctl, "RFC 8257 3.4, ip-route(8) congctl: DCTCP by the way asks for ECN, and agrees")
{
	ASSERT_TRUE(w_load_dctcp());
	if (w.native &&
	    route((const struct metric[]){ { RTAX_CC_ALGO, 0, "dctcp" }, { 0, 0, NULL } }))
		SKIP(return, "this kernel has no dctcp");
	ASSERT_TRUE(w_sysctl("tcp_ecn", "0"));
	ROUTE({ RTAX_CC_ALGO, 0, "dctcp" });
	ASSERT_TRUE(w_connect(w_socket()));
	out("SEC 0");
	w_peer(PEER_PORT + 1);
	w.port = PORT;
	in("SEC 0 mss 1460");
	out("SAE 0 ack 1");
}

CASE(later,
     "RFC 6928 2, ip-route(8): a route that changes: the TTL at once, the rest for those to come")
{
	struct pkt p;
	int fd;

	ASSERT_TRUE(w_no_tail_probe());
	fd = w_passive(self->lfd, "mss 1460");
	ASSERT_LE(0, fd);
	ROUTE({ RTAX_INITCWND, 3, NULL }, { RTAX_HOPLIMIT, 9, NULL });
	put(fd, 4 * 1460);
	out("A 1+1460");
	out("A 1461+1460");
	out("A 2921+1460");
	ASSERT_TRUE(pkt_next(w.tun, 1000, &p));
	ASSERT_EQ(9, p.ip.ttl);
	ASSERT_EQ(40 + 1460, ntohs(p.ip.tot_len));
}

TEST_HARNESS_MAIN
