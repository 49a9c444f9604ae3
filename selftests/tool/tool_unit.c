// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool's parsers and printers, called directly: the grammar of words,
 * filters of ss, counter files, messages as the kernel sends them (short ones
 * too), and the drawing of a connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ladder.h"
#include "rt.h"
#include "snmp.h"
#include "ss.h"
#include "strata.h"

#include "../kselftest_harness.h"

/* What is written to stderr between begin and end. */
static int saved_stderr;
static FILE *captured;

static void capture_begin(void)
{
	fflush(stderr);
	captured = tmpfile();
	saved_stderr = dup(2);
	dup2(fileno(captured), 2);
}

static const char *capture_end(void)
{
	static char text[1024];
	size_t n;

	fflush(stderr);
	dup2(saved_stderr, 2);
	close(saved_stderr);
	rewind(captured);
	n = fread(text, 1, sizeof(text) - 1, captured);
	text[n] = '\0';
	fclose(captured);
	return text;
}

/* Words of one string, "a b c", with the verb in front. */
static int split(const char *text, char **argv)
{
	static char copy[512];
	int argc = 0;
	char *word;

	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

static int nothing(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

TEST(commands_by_prefix)
{
	static const struct command table[] = {
		{ "route", nothing }, { "run", nothing }, { "r", nothing },
		{ NULL, NULL }
	};

	EXPECT_EQ(command_find(table, "ro"), &table[0]);
	EXPECT_EQ(command_find(table, "ru"), &table[1]);
	EXPECT_EQ(command_find(table, "r"), &table[2]);
	EXPECT_EQ(command_find(table, "routes"), NULL);
	EXPECT_EQ(command_find(table, ""), NULL);
}

static int parse_words(const char *words, struct prefix *p, int *dev,
		       uint32_t *mtu, bool *up)
{
	struct arg spec[] = {
		{ .kind = &arg_prefix, .to = p, .need = true, .bare = true },
		{ .name = "dev", .alias = "oif interface", .kind = &arg_dev, .to = dev },
		{ .name = "mtu", .kind = &arg_mtu, .to = mtu },
		{ .name = "up", .to = up },
	};
	char *argv[32];
	int argc = split(words, argv);

	return args_parse(ARGS(spec), argc, argv);
}

TEST(args_taken)
{
	struct prefix p;
	uint32_t mtu = 0;
	bool up = false;
	int dev = 0;

	ASSERT_EQ(parse_words("add 10.1.0.0/16 dev lo mtu 1400 up", &p, &dev,
			      &mtu, &up), 0);
	EXPECT_EQ(p.addr.s_addr, htonl(0x0a010000));
	EXPECT_EQ(p.len, 16);
	EXPECT_EQ(dev, 1);
	EXPECT_EQ(mtu, 1400);
	EXPECT_TRUE(up);
	/* Order is free, other spellings and unique prefixes are understood. */
	ASSERT_EQ(parse_words("add oif lo m 68 default", &p, &dev, &mtu, &up), 0);
	EXPECT_EQ(p.len, 0);
	EXPECT_EQ(mtu, 68);
}

TEST(args_other_spellings)
{
	struct prefix p;
	uint32_t mtu = 0;
	bool up = false;
	int dev = 0;

	EXPECT_EQ(parse_words("add 10.1.0.0/16 oif lo", &p, &dev, &mtu, &up), 0);
	EXPECT_EQ(parse_words("add 10.1.0.0/16 interface lo", &p, &dev, &mtu, &up), 0);
	EXPECT_EQ(parse_words("add 10.1.0.0/16 inter lo", &p, &dev, &mtu, &up), EXIT_USAGE);
	EXPECT_EQ(parse_words("add 10.1.0.0/16 face lo", &p, &dev, &mtu, &up), EXIT_USAGE);
}

TEST(args_word_cut)
{
	char *argv[32];
	int argc = split("add mtu mtu lock 1300 lock", argv);

	EXPECT_FALSE(args_cut("mtu", "up", &argc, argv));
	EXPECT_FALSE(args_cut("lock", "up", &argc, argv));
	ASSERT_TRUE(args_cut("mtu", "lock", &argc, argv));
	ASSERT_EQ(argc, 5);
	EXPECT_STREQ(argv[2], "mtu");
	EXPECT_STREQ(argv[3], "1300");
	EXPECT_STREQ(argv[4], "lock");
	EXPECT_EQ(argv[5], NULL);
	EXPECT_FALSE(args_cut("1300", "nothing", &argc, argv));
}

TEST(args_refused)
{
	static const struct {
		const char *words, *error;
	} cases[] = {
		{ "add", "Error: a prefix like 192.0.2.0/24 or \"default\" is needed.\n" },
		{ "add 10.0.0.0/33", "Error: a prefix like 192.0.2.0/24 or \"default\" is expected rather than \"10.0.0.0/33\".\n" },
		{ "add 10.0.0.0/8 dev", "Error: the name of a device that exists is expected after \"dev\".\n" },
		{ "add 10.0.0.0/8 dev nosuch0", "Error: the name of a device that exists is expected rather than \"nosuch0\".\n" },
		{ "add 10.0.0.0/8 mtu 67", "Error: an MTU from 68 to 65535 is expected rather than \"67\".\n" },
		{ "add 10.0.0.0/8 mtu 1400x", "Error: an MTU from 68 to 65535 is expected rather than \"1400x\".\n" },
		{ "add 10.0.0.0/8 mtu -1", "Error: an MTU from 68 to 65535 is expected rather than \"-1\".\n" },
		{ "add 10.0.0.0/8 up up", "Error: \"up\" is given twice.\n" },
		{ "add 10.0.0.0/8 10.0.0.0/8", "Error: one of \"dev\", \"mtu\", \"up\" is expected rather than \"10.0.0.0/8\".\n" },
		{ "add 10.0.0.0/8 dev lo mtu 100 bogus", "Error: \"up\" is expected rather than \"bogus\".\n" },
		{ "add 10.0.0.0/8 dev lo mtu 100 up more", "Error: no further word is expected, but \"more\" follows.\n" },
	};
	struct prefix p;
	uint32_t mtu;
	bool up;
	int dev, err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		capture_begin();
		err = parse_words(cases[i].words, &p, &dev, &mtu, &up);
		EXPECT_STREQ(cases[i].error, capture_end());
		EXPECT_EQ(err, EXIT_USAGE);
	}
}

/* A word that is no such value leaves what is there. */
TEST(values_kept)
{
	static const struct {
		const struct arg_kind *kind;
		const char *bad[6];
	} cases[] = {
		{ &arg_ipv4, { "", "10.0.0", "10.0.0.256", "default", "10.0.0.1/8" } },
		{ &arg_prefix, { "", "10.", "10.0.0.0/33", "10.0.0.0/", "1.2.3.4.5", "scope" } },
		{ &arg_ifaddr, { "", "default", "10.0.0.0/33", "1.2.3.4.5" } },
		{ &arg_dev, { "", "nosuch0", "sc" } },
		{ &arg_u32, { "", "-1", "4294967296", "1x" } },
		{ &arg_mtu, { "", "67", "65536" } },
		{ &arg_lladdr, { "", "02:", "02:00:x", "002:00" } },
	};
	unsigned char as_was[64], value[64];
	struct rt_metrics m = { .has = 0 };
	struct arg words[RTAX_MAX];
	size_t i, j;

	memset(as_was, 0x5a, sizeof(as_was));
	memset(value, 0x5a, sizeof(value));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (j = 0; j < 6 && cases[i].bad[j]; j++) {
			EXPECT_FALSE(cases[i].kind->parse(cases[i].bad[j], value));
			EXPECT_EQ(0, memcmp(as_was, value, sizeof(value)))
				TH_LOG("%s: %s", cases[i].kind->what, cases[i].bad[j]);
		}
	}
	for (i = rt_metrics_words(&m, words); i--;) {
		EXPECT_FALSE(words[i].kind->parse("", value));
		EXPECT_FALSE(words[i].kind->parse("sixteen-letters-", value));
		EXPECT_EQ(0, memcmp(as_was, value, sizeof(value)))
			TH_LOG("%s", words[i].name);
	}
}

/* Two entries for one value: that a word is tried as one leaves what the other said. */
TEST(args_two_ways)
{
	struct prefix p = { .len = 1 };
	uint32_t scope = 0;
	int dev = 0;
	struct arg spec[] = {
		{ .name = "dev", .kind = &arg_dev, .to = &dev },
		{ .name = "scope", .kind = &arg_u32, .to = &scope },
		{ .name = "to", .kind = &arg_prefix, .to = &p },
		{ .kind = &arg_dev, .to = &dev, .bare = true },
		{ .kind = &arg_prefix, .to = &p, .bare = true },
	};
	char *argv[32];
	int argc = split("flush dev lo to 10.0.0.0/8 sc 2", argv);

	ASSERT_EQ(args_parse(ARGS(spec), argc, argv), 0);
	EXPECT_EQ(dev, 1);
	EXPECT_EQ(scope, 2);
	EXPECT_EQ(p.len, 8);
	EXPECT_EQ(p.addr.s_addr, htonl(0x0a000000));
}

TEST(values)
{
	static const char *const bad_prefix[] = {
		"", "/", "/8", "10.", "10./8", "10.0.0.0/", "10.0.0.0/-1",
		"10.0.0.0/8/8", "10.0.0.256", "1.2.3.4.5",
		"111.111.111.1111111111111", "::1", "10.0.0.0/0x",
	};
	static const char *const bad_ll[] = {
		"", ":", "02:", "02::01", "002:00", "0g:00", " 02:00", "-2:00",
		"+2:00",
	};
	struct lladdr ll;
	struct prefix p;
	uint32_t v;
	size_t i;

	for (i = 0; i < sizeof(bad_prefix) / sizeof(bad_prefix[0]); i++) {
		EXPECT_FALSE(parse_prefix(bad_prefix[i], &p))
			TH_LOG("prefix %s", bad_prefix[i]);
	}
	for (i = 0; i < sizeof(bad_ll) / sizeof(bad_ll[0]); i++) {
		EXPECT_FALSE(arg_lladdr.parse(bad_ll[i], &ll))
			TH_LOG("lladdr %s", bad_ll[i]);
	}
	ASSERT_TRUE(arg_lladdr.parse("2:0:ff:A0:0b:1", &ll));
	EXPECT_EQ(ll.len, 6);
	EXPECT_EQ(ll.byte[3], 0xa0);
	EXPECT_STREQ(rt_lladdr(&ll), "02:00:ff:a0:0b:01");
	EXPECT_TRUE(parse_u32("4294967295", &v, UINT32_MAX));
	EXPECT_EQ(v, UINT32_MAX);
	EXPECT_FALSE(parse_u32("4294967296", &v, UINT32_MAX));
	EXPECT_FALSE(parse_u32("99999999999999999999999", &v, UINT32_MAX));
	EXPECT_FALSE(parse_u32("-1", &v, UINT32_MAX));
	EXPECT_FALSE(parse_u32("", &v, UINT32_MAX));
	ASSERT_TRUE(parse_prefix("192.0.2.7/31", &p));
	EXPECT_TRUE(prefix_covers(&p, (struct in_addr){ htonl(0xc0000206) }));
	EXPECT_FALSE(prefix_covers(&p, (struct in_addr){ htonl(0xc0000208) }));
	ASSERT_TRUE(parse_prefix("192.0.2.7", &p));
	EXPECT_EQ(p.len, 32);
	EXPECT_FALSE(p.has_len);
	ASSERT_TRUE(parse_prefix("10.1/16", &p));
	EXPECT_EQ(p.addr.s_addr, htonl(0x0a010000));
	EXPECT_EQ(p.len, 16);
	ASSERT_TRUE(parse_prefix("10", &p));
	EXPECT_EQ(p.addr.s_addr, htonl(0x0a000000));
	EXPECT_EQ(p.len, 32);
}

static struct ss_sock sock_of(const char *src, uint16_t sport, const char *dst,
			      uint16_t dport)
{
	struct ss_sock s = { .proto = SS_TCP, .sport = sport, .dport = dport };

	inet_pton(AF_INET, src, &s.src);
	inet_pton(AF_INET, dst, &s.dst);
	s.id.idiag_if = 1;
	return s;
}

TEST(ss_filters)
{
	static const struct {
		const char *filter;
		bool takes;
	} cases[] = {
		{ "", true },
		{ "sport = :80", true }, { "sport :80", true },
		{ "sport == 80", true }, { "sport eq :80", true },
		{ "sport=:80", true }, { "sport!=:80", false },
		{ "sport = :http", true }, { "sport ne :80", false },
		{ "sport > :79 and sport < :81", true },
		{ "sport >= :80 sport <= :80", true },
		{ "sport gt :80", false }, { "sport lt :80", false },
		{ "sport geq :80", true }, { "sport leq :79", false },
		{ "dport = :40000", true }, { "dport = :80", false },
		{ "src 10.0.0.1", true }, { "src = 10.0.0.1", true },
		{ "src 10.0.0.1:80", true }, { "src 10.0.0.1:81", false },
		{ "src 10.0.0.0/24", true }, { "src 10.0.1.0/24", false },
		{ "src 10.0.0.0/24:80", true }, { "src :80", true },
		{ "src *:80", true }, { "src *", true }, { "src *:*", true },
		{ "src != 10.0.0.1", false }, { "src != 10.0.0.1:81", true },
		{ "dst 192.0.2.9", true }, { "dst 0.0.0.0/0", true },
		{ "not dst 192.0.2.9", false }, { "! dst 192.0.2.8", true },
		{ "!dst 192.0.2.8", true },
		{ "( sport = :80 or sport = :443 ) and dst 192.0.2.0/24", true },
		{ "(sport = :81 or sport = :443) and dst 192.0.2.0/24", false },
		{ "\\( sport = :80 \\)", true },
		/* "and" binds closer than "or" */
		{ "sport = :80 or sport = :81 and dport = :1", true },
		{ "( sport = :80 or sport = :81 ) and dport = :1", false },
		{ "sport = :81 | sport = :80", true },
		{ "sport = :80 && dport = :1 || src 10.0.0.1", true },
		{ "not ( sport = :80 or dport = :1 )", false },
		{ "not not sport = :80", true },
		{ "dev = lo", true }, { "dev lo", true }, { "dev != lo", false },
	};
	struct ss_sock s = sock_of("10.0.0.1", 80, "192.0.2.9", 40000);
	struct ss_filter *f;
	unsigned int states = SS_ALL;
	char *argv[32];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = ss_filter_parse(split(cases[i].filter, argv), argv, &states);
		ASSERT_NE(f, NULL) TH_LOG("%s", cases[i].filter);
		EXPECT_EQ(ss_filter_takes(f, &s), cases[i].takes)
			TH_LOG("%s", cases[i].filter);
		ss_filter_free(f);
	}
	EXPECT_EQ(states, SS_ALL);
}

TEST(ss_filters_refused)
{
	static const struct {
		const char *filter, *error;
	} cases[] = {
		{ "sport", "Error: a port like :80 is expected at the end of the filter.\n" },
		{ "sport = :x", "Error: a port like :80 is expected rather than \":x\".\n" },
		{ "sport = :65536", "Error: a port like :80 is expected rather than \":65536\".\n" },
		{ "( sport = :80", "Error: \")\" is expected at the end of the filter.\n" },
		{ "sport = :80 )", "Error: \"and\", \"or\" or the end of the filter is expected rather than \")\".\n" },
		{ "src > 10.0.0.1", "Error: \"=\" or \"!=\" before an address is expected rather than \"10.0.0.1\".\n" },
		{ "dst 10.0.0.0/99", "Error: an address like 192.0.2.0/24, :80 or 192.0.2.1:80 is expected rather than \"10.0.0.0/99\".\n" },
		{ "dev nosuch0", "Error: the name of a device that exists is expected rather than \"nosuch0\".\n" },
	};
	char deep[256] = "";
	unsigned int states;
	char *argv[128];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		capture_begin();
		EXPECT_EQ(ss_filter_parse(split(cases[i].filter, argv), argv,
					  &states), NULL);
		EXPECT_STREQ(cases[i].error, capture_end());
	}
	memset(deep, '(', sizeof(deep) - 1);
	capture_begin();
	EXPECT_EQ(ss_filter_parse(split(deep, argv), argv, &states), NULL);
	EXPECT_NE(strstr(capture_end(), "less deeply nested"), NULL);
}

TEST(ss_states)
{
	static const struct {
		const char *filter;
		unsigned int states;
	} cases[] = {
		{ "state established", SS_BIT(SS_ESTABLISHED) },
		{ "state ESTABLISHED", SS_BIT(SS_ESTABLISHED) },
		{ "state listening state time-wait",
		  SS_BIT(SS_LISTEN) | SS_BIT(SS_TIME_WAIT) },
		{ "exclude time-wait", SS_ALL & ~SS_BIT(SS_TIME_WAIT) },
		{ "state all exclude listen exclude closed",
		  SS_ALL & ~(SS_BIT(SS_LISTEN) | SS_BIT(SS_CLOSE)) },
		{ "state connected", SS_ALL & ~(SS_BIT(SS_LISTEN) |
						SS_BIT(SS_CLOSE)) },
		{ "state synchronized sport = :80",
		  SS_ALL & ~(SS_BIT(SS_LISTEN) | SS_BIT(SS_CLOSE) |
			     SS_BIT(SS_SYN_SENT)) },
	};
	struct ss_filter *f;
	unsigned int states;
	char *argv[32];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = ss_filter_parse(split(cases[i].filter, argv), argv, &states);
		ASSERT_NE(f, NULL);
		EXPECT_EQ(states, cases[i].states) TH_LOG("%s", cases[i].filter);
		ss_filter_free(f);
	}
	capture_begin();
	EXPECT_EQ(ss_filter_parse(split("state open", argv), argv, &states), NULL);
	EXPECT_NE(strstr(capture_end(), "is expected rather than \"open\""), NULL);
}

/* The kernel is only told of ports that every match must have. */
TEST(ss_port_hints)
{
	static const struct {
		const char *filter;
		uint16_t sport, dport;
	} cases[] = {
		{ "sport = :80 and dport = :81", 80, 81 },
		{ "src 10.0.0.1:80", 80, 0 }, { "dst :81", 0, 81 },
		{ "sport = :80 or dport = :81", 0, 0 },
		{ "not sport = :80", 0, 0 }, { "sport > :80", 0, 0 },
		{ "sport != :80", 0, 0 }, { "", 0, 0 },
		{ "( sport = :80 or sport = :81 ) dport = :9", 0, 9 },
	};
	struct ss_filter *f;
	uint16_t sport, dport;
	unsigned int states;
	char *argv[32];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = ss_filter_parse(split(cases[i].filter, argv), argv, &states);
		ASSERT_NE(f, NULL);
		sport = 0;
		dport = 0;
		ss_filter_ports(f, &sport, &dport);
		EXPECT_EQ(sport, cases[i].sport) TH_LOG("%s", cases[i].filter);
		EXPECT_EQ(dport, cases[i].dport) TH_LOG("%s", cases[i].filter);
		ss_filter_free(f);
	}
}

static bool parse_snmp(struct snmp *t, const char *text, bool pairs)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	bool ok;

	memset(t, 0, sizeof(*t));
	ok = pairs ? snmp_parse_pairs(t, f) : snmp_parse(t, f);
	fclose(f);
	return ok;
}

TEST(counters)
{
	struct snmp t;

	ASSERT_TRUE(parse_snmp(&t, "Ip: InReceives OutRequests\nIp: 12 7\n"
			       "TcpExt: TCPLoss\nTcpExt: 3\n"
			       "Tcp: MaxConn\nTcp: -1\n", false));
	ASSERT_EQ(t.count, 4);
	EXPECT_EQ(snmp_find(&t, "IpInReceives")->value, 12);
	EXPECT_EQ(snmp_find(&t, "TcpExtTCPLoss")->value, 3);
	EXPECT_EQ(snmp_find(&t, "TcpMaxConn")->value, -1);
	EXPECT_EQ(snmp_find(&t, "IpOther"), NULL);
	snmp_free(&t);
	EXPECT_FALSE(parse_snmp(&t, "Ip: A B\nIp: 1\n", false));
	snmp_free(&t);
	EXPECT_FALSE(parse_snmp(&t, "Ip: A\nIp: 1 2\n", false));
	snmp_free(&t);
	EXPECT_FALSE(parse_snmp(&t, "Ip: A\nTcp: 1\n", false));
	snmp_free(&t);
	EXPECT_FALSE(parse_snmp(&t, "Ip: A\n", false));
	snmp_free(&t);
	EXPECT_FALSE(parse_snmp(&t, "Ip: A\nIp: x\n", false));
	snmp_free(&t);
	ASSERT_TRUE(parse_snmp(&t, "sockets: used 5\nTCP: inuse 3 tw 1\n", true));
	EXPECT_EQ(snmp_find(&t, "TCPtw")->value, 1);
	snmp_free(&t);
	EXPECT_FALSE(parse_snmp(&t, "TCP: inuse\n", true));
	snmp_free(&t);
	ASSERT_EQ(snmp_read(&t, "/proc/net/snmp"), 0);
	EXPECT_NE(snmp_find(&t, "IpInReceives"), NULL);
	snmp_free(&t);
}

static struct nlmsghdr *message(char *buf, uint16_t type, const void *head,
				size_t size)
{
	struct nlmsghdr *nlh = nl_request(buf, type, 0);

	memcpy(mnl_nlmsg_put_extra_header(nlh, size), head, size);
	return nlh;
}

TEST(route_messages)
{
	struct rtmsg rtm = { .rtm_family = AF_STRATA, .rtm_dst_len = 24,
			     .rtm_type = RTN_UNICAST, .rtm_table = RT_TABLE_MAIN,
			     .rtm_tos = 0x10 };
	char buf[NL_REQUEST_SIZE] = "";
	struct nlmsghdr *nlh = message(buf, RTM_NEWROUTE, &rtm, sizeof(rtm));
	struct nlattr *nest;
	struct rt_route r;

	mnl_attr_put_u32(nlh, RTA_DST, htonl(0x0a000000));
	mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(0x0a000001));
	mnl_attr_put_u16(nlh, RTA_PREFSRC, 1);		/* short: not taken */
	nest = mnl_attr_nest_start(nlh, RTA_METRICS);
	mnl_attr_put_u32(nlh, RTAX_MTU, 1400);
	mnl_attr_put_u32(nlh, RTAX_LOCK, 1 << RTAX_MTU);
	mnl_attr_put_u16(nlh, RTAX_CWND, 1);		/* short: not taken */
	mnl_attr_put(nlh, RTAX_CC_ALGO, 4, "reno");	/* as ip(8) sends it, without an end */
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put_u32(nlh, 1000, 1);			/* unknown */
	ASSERT_TRUE(rt_route_read(nlh, &r));
	EXPECT_EQ(r.dst.len, 24);
	EXPECT_TRUE(r.has_via);
	EXPECT_FALSE(r.has_src);
	EXPECT_EQ(r.mx.has, 1 << RTAX_MTU | 1 << RTAX_LOCK | 1 << RTAX_CC_ALGO);
	EXPECT_EQ(r.mx.val[RTAX_MTU], 1400);
	EXPECT_EQ(r.mx.val[RTAX_LOCK], 1 << RTAX_MTU);
	EXPECT_STREQ(r.mx.cong, "reno");
	EXPECT_EQ(r.tos, 0x10);
	/* Another family's routes come too where a kernel knows none of ours. */
	((struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_family = AF_INET;
	EXPECT_FALSE(rt_route_read(nlh, &r));
	nlh->nlmsg_len = NLMSG_HDRLEN + 1;
	EXPECT_FALSE(rt_route_read(nlh, &r));
}

TEST(route_metrics_put_and_read)
{
	struct rt_metrics m = { .has = 1 << RTAX_RTT | 1 << RTAX_CC_ALGO | 1 << RTAX_WINDOW,
				.cong = "fifteen-letters" }, got;
	char buf[NL_REQUEST_SIZE] = "", name[64];
	struct nlmsghdr *nlh = nl_request(buf, RTM_NEWROUTE, 0);
	struct nlattr *nest;

	m.val[RTAX_RTT] = UINT32_MAX;
	rt_metrics_put(nlh, &m);
	rt_metrics_read(mnl_nlmsg_get_payload(nlh), &got);
	EXPECT_EQ(memcmp(&m, &got, sizeof(m)), 0);
	/* a name longer than any is cut; of none at all nothing is put, and all is 0 */
	memset(buf, 0, sizeof(buf));
	nlh = nl_request(buf, RTM_NEWROUTE, 0);
	memset(name, 'x', sizeof(name));
	nest = mnl_attr_nest_start(nlh, RTA_METRICS);
	mnl_attr_put(nlh, RTAX_CC_ALGO, sizeof(name), name);
	mnl_attr_put_u32(nlh, RTAX_MAX + 1, 1);
	mnl_attr_nest_end(nlh, nest);
	rt_metrics_read(nest, &got);
	EXPECT_EQ(strlen(got.cong), sizeof(got.cong) - 1);
	EXPECT_EQ(got.has, 1 << RTAX_CC_ALGO);
	rt_metrics_read(NULL, &got);
	nlh = nl_request(buf, RTM_NEWROUTE, 0);
	rt_metrics_put(nlh, &got);
	EXPECT_EQ(nlh->nlmsg_len, NLMSG_HDRLEN);
	EXPECT_EQ(rt_metrics_json(&got), NULL);
}

TEST(route_metrics_words)
{
	static const struct {
		const char *word;
		bool taken;
		uint32_t rtt;
	} cases[] = {
		{ "100", true, 100 }, { "100ms", true, 800 }, { "1.5s", true, 12000 },
		{ "1.01ms", true, 16 }, { "0.1", true, 1 }, { "4294967295", true, UINT32_MAX },
		{ "536870911ms", true, 4294967288U }, { "536870912ms", false, 0 },
		{ "4294967296", false, 0 }, { "1m", false, 0 }, { "1 ms", false, 0 },
		{ "ms", false, 0 }, { "", false, 0 }, { ".", false, 0 }, { "-1", false, 0 },
		{ "nan", false, 0 }, { "1.5.5s", false, 0 },
	};
	struct arg words[RTAX_MAX], *rtt = NULL;
	struct rt_metrics m = { 0 };
	unsigned int i, n = rt_metrics_words(&m, words);
	char *argv[32];
	int argc = split("add rtt lock 5 rto_min lock congctl lock lock", argv);

	EXPECT_EQ(n, 16);
	for (i = 0; i < n; i++)
		if (!strcmp(words[i].name, "rtt"))
			rtt = &words[i];
	ASSERT_NE(rtt, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m.val[RTAX_RTT] = 0;
		EXPECT_EQ(rtt->kind->parse(cases[i].word, rtt->to), cases[i].taken) {
			TH_LOG("%s", cases[i].word);
		}
		EXPECT_EQ(m.val[RTAX_RTT], cases[i].rtt);
	}
	rt_metrics_lock(&m, &argc, argv);
	EXPECT_EQ(m.val[RTAX_LOCK], 1 << RTAX_RTT | 1 << RTAX_CC_ALGO);
	EXPECT_EQ(argc, 7);
	rtt->given = true;
	rt_metrics_given(&m, words);
	EXPECT_EQ(m.has, 1 << RTAX_RTT | 1 << RTAX_LOCK);
}

static unsigned int flush_reads, flush_asked;

static int three_items(struct nl *nl, struct rt_list *list)
{
	unsigned int i;

	flush_reads++;
	for (i = 0; i < 3; i++)
		rt_list_add(list, &i);
	return 0;
}

static bool any_item(const void *words, const void *item)
{
	return true;
}

/* The first is refused, the second not found. */
static int ask(struct nl *nl, const void *item)
{
	unsigned int i = *(const unsigned int *)item;

	flush_asked |= 1U << i;
	return i == 0 ? -EPERM : i == 1;
}

TEST(flush_goes_on)
{
	static const struct rt_flush flush = {
		"item", "items", sizeof(unsigned int), three_items, any_item, ask
	};

	opt.family = AF_INET;
	EXPECT_EQ(rt_flush(&flush, NULL), EXIT_KERNEL);
	EXPECT_EQ(flush_reads, 1);
	EXPECT_EQ(flush_asked, 7);
}

TEST(addr_and_neigh_messages)
{
	struct ifaddrmsg ifa = { .ifa_family = AF_STRATA, .ifa_prefixlen = 24,
				 .ifa_index = 1 };
	struct ndmsg ndm = { .ndm_family = AF_STRATA, .ndm_ifindex = 1,
			     .ndm_state = NUD_REACHABLE };
	char buf[NL_REQUEST_SIZE] = "", huge[64] = "";
	struct nlmsghdr *nlh = message(buf, RTM_NEWADDR, &ifa, sizeof(ifa));
	struct rt_neigh n;
	struct rt_addr a;

	EXPECT_FALSE(rt_addr_read(nlh, &a));		/* no address */
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(0x0a000001));
	ASSERT_TRUE(rt_addr_read(nlh, &a));
	EXPECT_FALSE(a.has_peer);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(0x0a000002));
	ASSERT_TRUE(rt_addr_read(nlh, &a));
	EXPECT_TRUE(a.has_peer);
	EXPECT_EQ(a.metric, 0);
	mnl_attr_put_u32(nlh, IFA_RT_PRIORITY, 7);
	ASSERT_TRUE(rt_addr_read(nlh, &a));
	EXPECT_EQ(a.metric, 7);

	memset(buf, 0, sizeof(buf));
	nlh = message(buf, RTM_NEWNEIGH, &ndm, sizeof(ndm));
	EXPECT_FALSE(rt_neigh_read(nlh, &n));
	mnl_attr_put_u32(nlh, NDA_DST, htonl(0x0a000001));
	mnl_attr_put(nlh, NDA_LLADDR, sizeof(huge), huge);
	ASSERT_TRUE(rt_neigh_read(nlh, &n));
	EXPECT_EQ(n.lladdr.len, 0);			/* longer than any */
}

TEST(diag_messages)
{
	struct inet_diag_msg m = { .idiag_family = AF_STRATA, .idiag_state = 1,
				   .idiag_inode = 7 };
	char buf[NL_REQUEST_SIZE] = "", info[40];
	struct nlmsghdr *nlh;
	struct ss_sock s;

	m.id.idiag_sport = htons(80);
	nlh = message(buf, SOCK_DIAG_BY_FAMILY, &m, sizeof(m));
	/* A kernel with a shorter tcp_info: what is missing reads as 0. */
	memset(info, 0xff, sizeof(info));
	mnl_attr_put(nlh, INET_DIAG_INFO, sizeof(info), info);
	mnl_attr_put(nlh, INET_DIAG_SKMEMINFO, 4, info);
	mnl_attr_put(nlh, INET_DIAG_CONG, 3, "abc");	/* not terminated */
	ASSERT_TRUE(ss_sock_read(nlh, SS_TCP, &s));
	EXPECT_EQ(s.sport, 80);
	EXPECT_EQ(s.info_len, sizeof(info));
	EXPECT_EQ(s.info.tcp.tcpi_bytes_acked, 0);
	EXPECT_FALSE(s.has_skmem);
	EXPECT_EQ(s.cong[0], '\0');
	nlh->nlmsg_len = NLMSG_HDRLEN + sizeof(m) - 1;
	EXPECT_FALSE(ss_sock_read(nlh, SS_TCP, &s));
}

/* --- the ladder --- */

static struct trace_event event_of(enum trace_kind kind, uint64_t us)
{
	struct trace_event e = { .kind = kind, .ts = 1000000000 + us * 1000,
				 .sport = 40000, .dport = 80, .wscale = 255 };

	inet_pton(AF_INET, "192.0.2.1", &e.saddr);
	inet_pton(AF_INET, "192.0.2.2", &e.daddr);
	return e;
}

static struct trace_event segment(enum trace_kind kind, uint64_t us,
				  unsigned int flags, uint32_t seq, uint32_t ack,
				  uint32_t len)
{
	struct trace_event e = event_of(kind, us);

	e.flags = flags;
	e.seq = seq;
	e.ack_seq = ack;
	e.len = len;
	e.wnd = 1000;
	return e;
}

static void feed_handshake(struct ladder *l)
{
	struct trace_event e = event_of(TRACE_STATE, 0);

	e.oldstate = 7;
	e.newstate = 2;
	ladder_event(l, &e, NULL);
	/* The sequence number wraps within the handshake. */
	e = segment(TRACE_XMIT, 10, TH_FLAG_SYN, 0xffffffff, 0, 0);
	e.mss = 1460;
	e.sack_ok = 1;
	e.tsval = 5;
	e.wscale = 7;
	ladder_event(l, &e, NULL);
	e = segment(TRACE_RCV, 50, TH_FLAG_SYN | TH_FLAG_ACK, 5000, 0, 0);
	ladder_event(l, &e, NULL);
	e = event_of(TRACE_STATE, 51);
	e.oldstate = 2;
	e.newstate = 1;
	ladder_event(l, &e, NULL);
	e = segment(TRACE_XMIT, 52, TH_FLAG_ACK, 0, 5001, 0);
	ladder_event(l, &e, NULL);
}

static char *draw(void (*feed)(struct ladder *l), bool json)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	struct ladder *l = ladder_new(out, false, json);

	feed(l);
	ladder_free(l);
	fclose(out);
	return text;
}

TEST(ladder_handshake)
{
	char *text = draw(feed_handshake, false);

	EXPECT_STREQ(
"#1                           192.0.2.1:40000                                         192.0.2.2:80\n"
"#1         0.000 SYN-SENT    |                                                                  |\n"
"#1         0.010             |-- SYN seq 0 win 1000 mss 1460 sack ts wscale 7 ----------------->|\n"
"#1         0.050             |<- SYN ACK seq 0 ack 1 win 1000 ----------------------------------|\n"
"#1         0.051 ESTAB       |                                                                  |\n"
"#1         0.052             |-- ACK seq 1 ack 1 win 1000 ------------------------------------->|\n",
		text);
	free(text);
}

static void feed_retransmissions(struct ladder *l)
{
	struct trace_event e;

	feed_handshake(l);
	e = segment(TRACE_XMIT, 100, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	/* announced before its segment, after it, and without one */
	e = segment(TRACE_RETRANSMIT, 200000, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_XMIT, 200001, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_XMIT, 400000, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_RETRANSMIT, 400001, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_RETRANSMIT, 800000, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	/* a busy machine; and once more soon after, as an ACK asks for it */
	e = segment(TRACE_XMIT, 1000000, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_RETRANSMIT, 1003000, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_XMIT, 1010000, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_RETRANSMIT, 1013000, TH_FLAG_ACK, 0, 5001, 10);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_RCV, 1100000, TH_FLAG_ACK, 5001, 10, 0);
	ladder_event(l, &e, NULL);
}

TEST(ladder_retransmissions)
{
	char *text = draw(feed_retransmissions, false);
	const char *at = text;
	unsigned int lines = 0;

	while ((at = strstr(at, "(retransmitted)"))) {
		lines++;
		at++;
	}
	EXPECT_EQ(lines, 5);
	EXPECT_NE(strstr(text, "1000.000"), NULL);
	EXPECT_EQ(strstr(text, "1003.000"), NULL);
	EXPECT_NE(strstr(text, "1010.000"), NULL);
	EXPECT_NE(strstr(text, "200.001"), NULL);
	EXPECT_NE(strstr(text, "400.000"), NULL);
	EXPECT_NE(strstr(text, "800.000"), NULL);
	EXPECT_EQ(strstr(text, "400.001"), NULL);
	free(text);
}

/* Joining late: numbers start where they are, at 1. */
static void feed_middle(struct ladder *l)
{
	struct trace_event e;

	e = segment(TRACE_RCV, 0, TH_FLAG_ACK | TH_FLAG_PSH, 7000, 900, 100);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_XMIT, 10, TH_FLAG_ACK, 900, 7100, 0);
	ladder_event(l, &e, NULL);
	e = segment(TRACE_XMIT, 20, TH_FLAG_RST, 900, 0, 0);
	ladder_event(l, &e, NULL);
}

TEST(ladder_joined_late)
{
	char *text = draw(feed_middle, false);

	EXPECT_NE(strstr(text, "PSH ACK seq 1 ack 1 len 100 win 1000 -"), NULL);
	EXPECT_NE(strstr(text, "-- ACK seq 1 ack 101 win 1000 -"), NULL);
	EXPECT_NE(strstr(text, "-- RST seq 1 --"), NULL);
	free(text);
}

/* The same two ends again after a close are another connection. */
static void feed_two(struct ladder *l)
{
	struct trace_event e;

	feed_handshake(l);
	e = event_of(TRACE_STATE, 1000);
	e.oldstate = 1;
	e.newstate = 7;
	ladder_event(l, &e, NULL);
	e = segment(TRACE_XMIT, 2000, TH_FLAG_SYN, 77, 0, 0);
	ladder_event(l, &e, NULL);
	e = event_of(TRACE_DROP, 3000);
	e.layer = 5;
	e.reason = 4;
	ladder_event(l, &e, "TCP_CSUM");
}

TEST(ladder_numbers)
{
	char *text = draw(feed_two, false), *json = draw(feed_two, true);
	json_error_t error;
	unsigned int lines = 0;
	char *line, *at;
	json_t *j;

	EXPECT_NE(strstr(text, "#2         0.000             |-- SYN seq 0"), NULL);
	EXPECT_NE(strstr(text, "dropped by tcp: TCP_CSUM\n"), NULL);
	for (line = strtok_r(json, "\n", &at); line;
	     line = strtok_r(NULL, "\n", &at)) {
		j = json_loads(line, 0, &error);
		ASSERT_NE(j, NULL) TH_LOG("%s", line);
		EXPECT_TRUE(json_is_string(json_object_get(j, "event")));
		json_decref(j);
		lines++;
	}
	EXPECT_EQ(lines, 8);
	free(text);
	free(json);
}

TEST_HARNESS_MAIN
