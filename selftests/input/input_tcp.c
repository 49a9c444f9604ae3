// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments that do not belong: truncated, lying, with bad sums and options; and in each
 * state every mix of SYN, FIN, RST and ACK with sequence and acknowledgment numbers in and out
 * of their windows, on both stacks. What is answered, where the socket is then and what it
 * can read is to be the same (RFC 9293 3.10.7, RFC 5961, RFC 1337). One mix in five,
 * STRATA_FULL=1: all; on the debug machine one in 25, and in five.
 */
#include <netinet/tcp.h>
#include <sys/resource.h>
#include "../kselftest_harness.h"
#include "wire.h"

#define LISTEN_PORT	7
#define ARRAY_LEN(a)	((int)(sizeof(a) / sizeof((a)[0])))

/* a stack on a device of its own in a namespace of its own */
struct rig {
	int family, ns, tun, lst;
	struct rtnl r;
};

FIXTURE(seg) {
	struct rig rig[2];	/* native, Strata */
};

static int rig_open(struct rig *g, int family)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(LISTEN_PORT) };

	g->family = family;
	g->ns = ns_new();
	if (g->ns < 0)
		return -1;
	g->tun = tun_device("t0", IFF_TUN);
	if (g->tun < 0 || fcntl(g->tun, F_SETFL, O_NONBLOCK))
		return -1;
	if (family == AF_INET ? run("ip addr add 10.0.0.2/24 dev t0") :
	    rtnl_open(&g->r) || addr_add(&g->r, "t0", "10.0.0.2", 24))
		return -1;
	g->lst = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	return g->lst < 0 || bind(g->lst, (void *)&sin, sizeof(sin)) || listen(g->lst, 1024);
}

FIXTURE_SETUP(seg)
{
	struct rlimit many = { 4096, 4096 };

	setrlimit(RLIMIT_NOFILE, &many);
	ASSERT_EQ(0, need_module());
	ASSERT_EQ(0, rig_open(&self->rig[0], AF_INET));
	ASSERT_EQ(0, rig_open(&self->rig[1], TEST_FAMILY));
}

FIXTURE_TEARDOWN(seg)
{
}

/* ---- into a state ---- */

enum state { CLOSED, LISTENING, SYN_SENT, SYN_RECEIVED, ESTAB, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT,
	     CLOSING_, LAST_ACK_, TIME_WAIT_, STATES };

static const char *const state_name[] = {
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2",
	"CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
};

/*
 * A conversation: @seq is the test's next octet as the host expects it, @ack the host's next
 * octet; @port: the host's, @peer: the test's
 */
struct talk {
	struct rig *g;
	int fd, port, peer;
	uint32_t seq, ack;
};

static const uint8_t syn_opt[8] = { 2, 4, 5, 0xb4, 1, 3, 3, 2 };
static struct pkt p;

static bool put(struct talk *t, int flags, uint32_t seq, uint32_t ack, int len)
{
	static const char data[] = "0123456789";
	struct seg s = {
		.from = t->peer, .to = t->port, .seq = seq, .ack = ack, .flags = flags,
		.opt = syn_opt, .optlen = flags & SYN ? sizeof(syn_opt) : 0,
		.data = data, .len = len,
	};

	return pkt_send(t->g->tun, seg_make(&p, &s));
}

static bool get(struct talk *t, int flags, struct seg *s)
{
	while (seg_next(t->g->tun, ANSWER_MS, t->peer, &p, s))
		if ((s->flags & 63 & ~PSH) == flags)
			return true;
	return false;
}

static bool enter_syn_sent(struct talk *t)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(t->peer),
				  .sin_addr.s_addr = inet_addr(ME) };
	struct seg s;

	if (setns(t->g->ns, CLONE_NEWNET))
		return false;
	t->fd = socket(t->g->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!connect(t->fd, (void *)&to, sizeof(to)) || errno != EINPROGRESS || !get(t, SYN, &s))
		return false;
	t->port = s.from;
	t->ack = s.seq + 1;
	return true;
}

static bool enter_estab(struct talk *t, enum state to)
{
	struct seg s;

	if (!put(t, SYN, t->seq - 1, 0, 0) || !get(t, SYN | ACK, &s))
		return false;
	t->ack = s.seq + 1;
	if (to == SYN_RECEIVED)
		return true;
	if (!put(t, ACK, t->seq, t->ack, 0))
		return false;
	t->fd = accept4(t->g->lst, NULL, NULL, SOCK_NONBLOCK);
	return t->fd >= 0;
}

static bool we_fin(struct talk *t)
{
	struct seg s;

	if (shutdown(t->fd, SHUT_WR) || !get(t, FIN | ACK, &s))
		return false;
	t->ack++;
	return true;
}

/* with its acknowledgment, be it delayed */
static bool peer_fin(struct talk *t, uint32_t ack)
{
	bool ok = put(t, FIN | ACK, t->seq, ack, 0);
	struct seg s;

	t->seq++;
	while (ok && (ok = get(t, ACK, &s)) && s.ack != t->seq)
		;
	return ok;
}

/* a new conversation up to where @to is reached */
static bool enter(struct talk *t, struct rig *g, enum state to, int peer)
{
	*t = (struct talk){ .g = g, .fd = -1, .port = to == CLOSED ? 9 : LISTEN_PORT,
			    .peer = peer, .seq = 1000001 };
	if (to == CLOSED || to == LISTENING)
		return true;
	if (to == SYN_SENT)
		return enter_syn_sent(t);
	if (!enter_estab(t, to))
		return false;
	switch (to) {
	case FIN_WAIT_1:
		return we_fin(t);
	case FIN_WAIT_2:
		return we_fin(t) && put(t, ACK, t->seq, t->ack, 0);
	case CLOSE_WAIT:
		return peer_fin(t, t->ack);
	case CLOSING_:
		return we_fin(t) && peer_fin(t, t->ack - 1);
	case LAST_ACK_:
		return peer_fin(t, t->ack) && we_fin(t);
	case TIME_WAIT_:
		return we_fin(t) && put(t, ACK, t->seq, t->ack, 0) && peer_fin(t, t->ack);
	default:
		return true;
	}
}

/* nothing of it stays, on either side */
static void leave(struct talk *t)
{
	struct linger now = { .l_onoff = 1 };
	int fd;

	if (t->fd >= 0) {
		setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(t->fd);
	}
	put(t, RST, t->seq, 0, 0);
	while ((fd = accept4(t->g->lst, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
	}
	while (pkt_next(t->g->tun, 0, &p))
		;
}

/* ---- what comes of a segment ---- */

/*
 * @answers: how many; @flags, @seq, @ack: of the first, relative to what the host would send;
 * @state: as TCP_INFO says; @err: of the socket; @data: octets to read; @taken: a new connection
 * can be accepted
 */
struct outcome {
	int answers, flags, seq, ack;
	int state, err, data, taken;
};

/* a number of the host's in words that are the same for both stacks */
static int relative(uint32_t n, uint32_t base, uint32_t asked)
{
	if (!n)
		return 1 << 30;
	if (n - base + 1024 < 2048)
		return n - base;
	return (1 << 30) + (n == asked ? 1 : 2);	/* what was said, or a new ISN */
}

/* how long an answer may wait for the queue of the device, or for a busy machine, ms */
static int patience = 10;

static struct outcome look(struct talk *t, uint32_t seq, uint32_t ack, int len)
{
	struct outcome o = { .state = -1, .flags = -1 };
	struct pollfd pfd = { .fd = t->g->lst, .events = POLLIN };
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	char buf[64];
	struct seg s;

	while (seg_next(t->g->tun, o.answers ? 0 : patience, t->peer, &p, &s)) {
		/* a slow machine's timers send again what was sent before */
		if ((s.flags & 63) == SYN || (s.flags & FIN && s.seq == t->ack - 1))
			continue;
		if (o.answers++)
			continue;
		o.flags = s.flags & 63 & ~PSH;
		o.seq = relative(s.seq, t->ack, ack);
		o.ack = relative(s.ack, t->seq, seq + len);
	}
	o.taken = poll(&pfd, 1, 0);
	if (t->fd < 0)
		return o;
	if (!getsockopt(t->fd, SOL_TCP, TCP_INFO, &info, &size))
		o.state = info.tcpi_state;
	size = sizeof(o.err);
	getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &o.err, &size);
	o.data = recv(t->fd, buf, sizeof(buf), MSG_DONTWAIT);
	return o;
}

static void forget_ack(struct outcome *o)
{
	if (o->flags >= 0 && o->flags & (RST | SYN))
		return;
	o->answers = 0;
	o->flags = -1;
	o->seq = 0;
	o->ack = 0;
}

struct trial {
	enum state state;
	int flags, len;
	int seq, ack;		/* beside what is expected */
};

/* an acceptable segment, or what is new of one, may be acknowledged now or later (9293 3.8.6.3) */
static bool may_wait(const struct trial *tr)
{
	bool new_part = tr->seq == -1 && tr->len && !(tr->flags & SYN);

	if (!(tr->flags & ACK) || (tr->seq && !new_part))
		return false;
	if (tr->state == SYN_RECEIVED)
		return !tr->ack && !(tr->flags & SYN);
	return tr->state > SYN_RECEIVED && tr->ack <= 0 && tr->ack >= -1;
}

static bool try_one(struct rig *g, const struct trial *tr, int peer, struct outcome *o)
{
	struct talk t;
	uint32_t seq, ack;

	if (!enter(&t, g, tr->state, peer))
		return false;
	while (pkt_next(g->tun, 0, &p))
		;
	seq = t.seq + tr->seq;
	ack = tr->flags & ACK ? t.ack + tr->ack : 0;
	put(&t, tr->flags, seq, ack, tr->len);
	*o = look(&t, seq, ack, tr->len);
	if (may_wait(tr))
		forget_ack(o);
	leave(&t);
	return true;
}

/* one bare ACK that says where we are, and nothing else happened */
static bool only_acked(const struct outcome *o, const struct outcome *native)
{
	return o->answers == 1 && o->flags == ACK && !o->seq && !o->ack && !o->err &&
	       o->data == native->data && o->state == native->state;
}

/* the differences there are, each with the reason why Strata's way is right; NULL: none is known */
static const char *why_other(const struct trial *tr, const struct outcome *native,
			     const struct outcome *ours)
{
	bool synced = tr->state >= ESTAB;

	if (synced && !(tr->flags & (ACK | SYN | RST)) && only_acked(ours, native))
		return "the sequence number is looked at before the ACK bit (9293 3.10.7.4)";
	if (synced && tr->flags & ACK && tr->ack > 0 && only_acked(ours, native))
		return "what acknowledges the unsent is answered by an ACK (9293 3.10.7.4)";
	if (tr->flags & RST && tr->seq == -1 && !ours->answers && !ours->err)
		return "a reset that ends at RCV.NXT is outside the window (5961 3.2)";
	if (tr->state == SYN_SENT && (tr->flags & (SYN | ACK)) == (SYN | ACK) &&
	    (tr->flags & FIN || tr->len) && ours->answers == 1 && ours->flags == ACK)
		return "text and FIN of a SYN-ACK are taken (9293 3.10.7.3)";
	if (tr->state == SYN_RECEIVED && (tr->flags & (SYN | ACK | RST)) == (SYN | ACK) &&
	    tr->seq == -1 && !tr->ack && ours->taken && !(ours->answers && ours->flags != ACK))
		return "a SYN before the window is cut off, the rest is taken (9293 3.10.7.4)";
	if (tr->state >= CLOSE_WAIT && (tr->len || tr->flags & FIN) && !ours->err &&
	    !(ours->answers && ours->flags & RST))
		return "text behind a FIN is ignored (9293 3.10.7.4 seventh)";
	return NULL;
}

static void say(char *buf, int size, const struct outcome *o)
{
	snprintf(buf, size, "%d answers, first %#x seq %d ack %d; state %d error %d data %d new %d",
		 o->answers, o->flags, o->seq, o->ack, o->state, o->err, o->data, o->taken);
}

/* the numbers around the edges of windows (65535 octets here) */
static const int seqs[] = { 0, -1, 1, 500, -70000, 1 << 20, 1 << 30 };
static const int acks[] = { 0, -1, 1, -70000, 70000 };

#define MIXES	(16 * 2 * ARRAY_LEN(seqs) * ARRAY_LEN(acks))

static void mix(struct trial *tr, int n)
{
	int f = n % 16;

	n /= 16;
	tr->flags = (f & 1 ? FIN : 0) | (f & 2 ? SYN : 0) | (f & 4 ? RST : 0) | (f & 8 ? ACK : 0);
	tr->len = n % 2 * 10;
	n /= 2;
	tr->seq = seqs[n % ARRAY_LEN(seqs)];
	n /= ARRAY_LEN(seqs);
	tr->ack = acks[n];
}

static void all_mixes(struct __test_metadata *_metadata, FIXTURE_DATA(seg) *self, enum state state)
{
	int part = (getenv("STRATA_FULL") ? 1 : 5) * (slow_machine() ? 5 : 1);
	int n, i, peer = 1024, tries = 0, wrong = 0;
	struct trial tr = { .state = state };
	struct outcome o[2];
	char a[160], b[160];

	for (n = 0; n < MIXES; n++) {
		mix(&tr, n);
		if (!(tr.flags & ACK) && tr.ack)
			continue;
		/* one in so many, not always the same columns */
		if ((n * 7 + n / 16) % part)
			continue;
		tries++;
		/* a difference must show when there is time, too */
		for (patience = 10; patience; patience = patience < 300 ? 300 : 0) {
			peer++;
			for (i = 0; i < 2; i++) {
				ASSERT_TRUE(try_one(&self->rig[i], &tr, peer, &o[i])) {
					TH_LOG("%s: stack %d does not get there, try %d",
					       state_name[state], i, tries);
				}
			}
			if (!memcmp(&o[0], &o[1], sizeof(o[0])) || why_other(&tr, &o[0], &o[1]))
				break;
		}
		if (patience)
			continue;
		wrong++;
		say(a, sizeof(a), &o[0]);
		say(b, sizeof(b), &o[1]);
		TH_LOG("%s, flags %#x seq %+d ack %+d len %d: native: %s; strata: %s",
		       state_name[state], tr.flags, tr.seq, tr.ack, tr.len, a, b);
	}
	EXPECT_EQ(0, wrong) TH_LOG("%s: %d of %d differ", state_name[state], wrong, tries);
}

#define STATE(name, state)					\
TEST_F_TIMEOUT(seg, name, 300)					\
{								\
	all_mixes(_metadata, self, state);			\
}

STATE(closed, CLOSED)
STATE(listen, LISTENING)
STATE(syn_sent, SYN_SENT)
STATE(syn_received, SYN_RECEIVED)
STATE(established, ESTAB)
STATE(fin_wait_1, FIN_WAIT_1)
STATE(fin_wait_2, FIN_WAIT_2)
STATE(close_wait, CLOSE_WAIT)
STATE(closing, CLOSING_)
STATE(last_ack, LAST_ACK_)
STATE(time_wait, TIME_WAIT_)

/* ---- headers that lie: not a word, and the connection goes on ---- */

static bool goes_on(struct talk *t)
{
	char buf[16];

	while (pkt_next(t->g->tun, 0, &p))
		;
	if (!put(t, ACK | PSH, t->seq, t->ack, 10) || recv(t->fd, buf, sizeof(buf), 0) != 10)
		return false;
	t->seq += 10;
	return send(t->fd, "x", 1, 0) == 1 && pkt_next(t->g->tun, ANSWER_MS, &p);
}

/* a good segment with 10 octets in p, to be spoiled */
static void good(struct talk *t)
{
	struct seg s = { .from = t->peer, .to = t->port, .seq = t->seq, .ack = t->ack,
			 .flags = ACK, .data = "abcdefghij", .len = 10 };

	seg_make(&p, &s);
}

TEST_F_TIMEOUT(seg, lying_headers, 120)
{
	int i, n, quiet;
	struct talk t;
	char c;

	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(enter(&t, &self->rig[i], ESTAB, 2000));
		for (n = 1; n < 20; n++) {	/* cut short */
			good(&t);
			p.len = 20 + n;
			p.ip.tot_len = htons(p.len);
			l4_sum(&p, 16);
			ip_sum(&p);
			pkt_send(t.g->tun, &p);
		}
		for (n = 0; n < 16; n++) {	/* the header's own length */
			good(&t);
			p.b[32] = n << 4;
			l4_sum(&p, 16);
			if (n != 5 && n != 6 && n != 7)
				pkt_send(t.g->tun, &p);
		}
		for (n = 0; n < 16; n++) {	/* sums */
			good(&t);
			p.b[36 + n / 8] ^= 1 << n % 8;
			pkt_send(t.g->tun, &p);
		}
		for (n = 8 * 20; n < 8 * 50; n++) {	/* any one bit */
			if (n / 8 == 36 || n / 8 == 37)
				continue;
			good(&t);
			p.b[n / 8] ^= 1 << n % 8;
			pkt_send(t.g->tun, &p);
		}
		quiet = !pkt_next(t.g->tun, 0, &p);
		EXPECT_TRUE(quiet) TH_LOG("stack %d", i);
		EXPECT_EQ(-1, recv(t.fd, &c, 1, MSG_DONTWAIT));
		EXPECT_TRUE(goes_on(&t)) TH_LOG("stack %d", i);
		leave(&t);
	}
}

/* options that end in the middle, have no length or a wrong one (RFC 9293 3.1) */
TEST_F_TIMEOUT(seg, bad_options, 120)
{
	static const uint8_t opts[][12] = {
		{ 2 }, { 2, 0 }, { 2, 1 }, { 2, 3, 1 }, { 2, 5, 1, 1, 1 }, { 2, 40 },
		{ 1, 2, 4, 0 },
		{ 1, 1, 1, 2 }, { 3, 0 }, { 3, 3, 15 }, { 3, 3, 255 }, { 3, 4, 1 }, { 4, 0 },
		{ 4, 3 }, { 5, 0 }, { 5, 9, 1 }, { 5, 10, 1 }, { 5, 255 }, { 8, 9 }, { 8, 10 },
		{ 8, 12, 1 }, { 30, 0 }, { 30, 255 }, { 255, 255 }, { 0, 2, 4, 5 }, { 253, 1 },
		{ 2, 4, 0, 0 }, { 2, 4, 0, 1 }, { 19, 18 }, { 34, 2 }, { 34, 3 }, { 254, 255 },
	};
	struct seg s, a[2];
	struct talk t[2];
	int i, n, k;

	for (n = 0; n < ARRAY_LEN(opts); n++)
		for (k = 4; k <= 12; k += 4) {
			for (i = 0; i < 2; i++) {
				ASSERT_TRUE(enter(&t[i], &self->rig[i], LISTENING,
						  3000 + n * 8 + k));
				s = (struct seg){ .from = t[i].peer, .to = LISTEN_PORT,
						  .seq = 1000000, .flags = SYN, .opt = opts[n],
						  .optlen = k };
				pkt_send(t[i].g->tun, seg_make(&p, &s));
				a[i] = (struct seg){ 0 };
				if (!seg_next(t[i].g->tun, 0, t[i].peer, &p, &a[i]))
					a[i].flags = -1;
				leave(&t[i]);
			}
			EXPECT_EQ(a[0].flags, a[1].flags) TH_LOG("options %d, %d octets", n, k);
		}
}

/* what overlaps is delivered once, the first to come first (RFC 9293 3.10.7.4) */
TEST_F_TIMEOUT(seg, overlaps, 120)
{
	static const struct {
		int from, to;
	} parts[] = { { 10, 30 }, { 20, 40 }, { 5, 15 }, { 60, 70 }, { 50, 80 }, { 0, 3 }, { 0, 8 },
		      { 35, 55 }, { 0, 90 } };
	char buf[2][128], data[128];
	struct talk t;
	struct seg s;
	int i, n;

	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(enter(&t, &self->rig[i], ESTAB, 4000));
		memset(buf[i], 0, sizeof(buf[i]));
		for (n = 0; n < ARRAY_LEN(parts); n++) {
			memset(data, 'a' + n, sizeof(data));
			s = (struct seg){ .from = t.peer, .to = t.port, .flags = ACK,
					  .seq = t.seq + parts[n].from, .ack = t.ack,
					  .data = data, .len = parts[n].to - parts[n].from };
			pkt_send(t.g->tun, seg_make(&p, &s));
		}
		EXPECT_EQ(90, recv(t.fd, buf[i], sizeof(buf[i]), 0));
		t.seq += 90;
		EXPECT_TRUE(goes_on(&t));
		leave(&t);
	}
	EXPECT_STREQ(buf[0], buf[1]);
}

/* to many, or from many: no connection, no answer (RFC 9293 3.10.7.1, RFC 1122 4.2.3.10) */
TEST_F_TIMEOUT(seg, not_for_one, 120)
{
	static const char *const to[] = { "10.0.0.255", "255.255.255.255", "224.0.0.1" };
	struct talk t;
	int i, n, quiet;

	for (i = 0; i < 2; i++)
		for (n = 0; n < 2 * ARRAY_LEN(to); n++) {
			ASSERT_TRUE(enter(&t, &self->rig[i], n % 2 ? CLOSED : LISTENING, 5000 + n));
			struct seg s = { .from = t.peer, .to = t.port, .seq = 1, .flags = SYN };

			seg_make(&p, &s);
			p.ip.daddr = inet_addr(to[n / 2]);
			ip_sum(&p);
			l4_sum(&p, 16);
			pkt_send(t.g->tun, &p);
			quiet = !pkt_next(t.g->tun, 0, &p);
			EXPECT_TRUE(quiet) TH_LOG("stack %d to %s", i, to[n / 2]);
		}
}

TEST_HARNESS_MAIN
