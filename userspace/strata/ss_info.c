// SPDX-License-Identifier: GPL-2.0-only
/*
 * What strata ss -i prints of struct tcp_info, in ss(8)'s words and order. The members
 * stand in one table in the order they are printed; each has its offset, as
 * the kernel may know more members than the headers this was built with.
 */
#include <stddef.h>
#include <string.h>

#include "ss.h"

enum field_how {
	F_PLAIN,	/* NAME:VALUE if not 0 */
	F_MSEC,		/* microseconds, shown as milliseconds */
	F_RATE,		/* bytes a second, shown as bits */
	F_LONG,		/* a limit that is left out while unlimited */
	F_NOT_3,	/* left out while it is Linux's initial 3 */
	F_BUSY,		/* microseconds, shown as whole milliseconds */
	F_SHARE,	/* that, and its share of the busy time */
	F_OTHER,	/* made of several members, by print_other() */
};

enum other { O_CONG = 1, O_SEND, O_PACING, O_APP_LIMITED, O_RETRANS };

struct field {
	const char *name;
	uint16_t offset;
	uint8_t size;
	uint8_t how;
};

#define AT(member)	offsetof(struct tcp_info, member), \
			sizeof(((struct tcp_info *)0)->member)

static const struct field fields[] = {
	{ "ato", AT(tcpi_ato), F_MSEC },
	{ "mss", AT(tcpi_snd_mss), F_PLAIN },
	{ "pmtu", AT(tcpi_pmtu), F_PLAIN },
	{ "rcvmss", AT(tcpi_rcv_mss), F_PLAIN },
	{ "advmss", AT(tcpi_advmss), F_PLAIN },
	{ "cwnd", AT(tcpi_snd_cwnd), F_PLAIN },
	{ "ssthresh", AT(tcpi_snd_ssthresh), F_LONG },
	{ "bytes_sent", AT(tcpi_bytes_sent), F_PLAIN },
	{ "bytes_retrans", AT(tcpi_bytes_retrans), F_PLAIN },
	{ "bytes_acked", AT(tcpi_bytes_acked), F_PLAIN },
	{ "bytes_received", AT(tcpi_bytes_received), F_PLAIN },
	{ "segs_out", AT(tcpi_segs_out), F_PLAIN },
	{ "segs_in", AT(tcpi_segs_in), F_PLAIN },
	{ "data_segs_out", AT(tcpi_data_segs_out), F_PLAIN },
	{ "data_segs_in", AT(tcpi_data_segs_in), F_PLAIN },
	{ NULL, O_CONG, 0, F_OTHER },
	{ NULL, O_SEND, 0, F_OTHER },
	{ "lastsnd", AT(tcpi_last_data_sent), F_PLAIN },
	{ "lastrcv", AT(tcpi_last_data_recv), F_PLAIN },
	{ "lastack", AT(tcpi_last_ack_recv), F_PLAIN },
	{ NULL, O_PACING, 0, F_OTHER },
	{ "delivery_rate", AT(tcpi_delivery_rate), F_RATE },
	{ "delivered", AT(tcpi_delivered), F_PLAIN },
	{ "delivered_ce", AT(tcpi_delivered_ce), F_PLAIN },
	{ NULL, O_APP_LIMITED, 0, F_OTHER },
	{ "busy", AT(tcpi_busy_time), F_BUSY },
	{ "rwnd_limited", AT(tcpi_rwnd_limited), F_SHARE },
	{ "sndbuf_limited", AT(tcpi_sndbuf_limited), F_SHARE },
	{ "unacked", AT(tcpi_unacked), F_PLAIN },
	{ NULL, O_RETRANS, 0, F_OTHER },
	{ "lost", AT(tcpi_lost), F_PLAIN },
	{ "sacked", AT(tcpi_sacked), F_PLAIN },
	{ "dsack_dups", AT(tcpi_dsack_dups), F_PLAIN },
	{ "reordering", AT(tcpi_reordering), F_NOT_3 },
	{ "reord_seen", AT(tcpi_reord_seen), F_PLAIN },
	{ "rcv_rtt", AT(tcpi_rcv_rtt), F_MSEC },
	{ "rcv_space", AT(tcpi_rcv_space), F_PLAIN },
	{ "rcv_ssthresh", AT(tcpi_rcv_ssthresh), F_PLAIN },
	{ "notsent", AT(tcpi_notsent_bytes), F_PLAIN },
	{ "minrtt", AT(tcpi_min_rtt), F_MSEC },
	{ "rcv_ooopack", AT(tcpi_rcv_ooopack), F_PLAIN },
	{ "snd_wnd", AT(tcpi_snd_wnd), F_PLAIN },
	{ "rcv_wnd", offsetof(struct tcp_info, tcpi_snd_wnd) + 4, 4, F_PLAIN },
	{ "rehash", offsetof(struct tcp_info, tcpi_snd_wnd) + 8, 4, F_PLAIN },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* The value of a member, 0 if the kernel did not send it. */
static uint64_t value(const struct ss_sock *s, const struct field *f)
{
	uint32_t v32;
	uint64_t v64;

	if (f->offset + f->size > s->info_len)
		return 0;
	if (f->size == sizeof(v64)) {
		memcpy(&v64, s->info.byte + f->offset, sizeof(v64));
		return v64;
	}
	memcpy(&v32, s->info.byte + f->offset, sizeof(v32));
	return v32;
}

static bool shown(const struct field *f, uint64_t v)
{
	if (f->how == F_LONG)
		return v && v < 0xffff;
	if (f->how == F_NOT_3)
		return v != 3;
	if (f->how == F_RATE && v == ~0ULL)
		return false;
	if (f->how == F_MSEC && v == ~0U)	/* no sample yet */
		return false;
	return v;
}

/* 3 significant digits and more are not lost: 1.5, 0.042, 200. */
static void print_msec(const char *name, uint64_t usec)
{
	printf(" %s:%g", name, (double)usec / 1000);
}

static void print_rate(double bits, bool exact)
{
	static const struct {
		double from;
		const char *unit;
	} units[] = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } };
	size_t i;

	for (i = 0; !exact && i < sizeof(units) / sizeof(units[0]); i++) {
		if (bits >= units[i].from) {
			printf("%.3g%sbps", bits / units[i].from, units[i].unit);
			return;
		}
	}
	printf(exact ? "%.0fbps" : "%gbps", bits);
}

static void print_options(const struct ss_sock *s, bool all)
{
	const struct tcp_info *ti = &s->info.tcp;
	unsigned int options = all ? ti->tcpi_options : 0;

	if (options & TCPI_OPT_TIMESTAMPS)
		fputs(" ts", stdout);
	if (options & TCPI_OPT_SACK)
		fputs(" sack", stdout);
	if (options & TCPI_OPT_ECN)
		fputs(" ecn", stdout);
	if (options & TCPI_OPT_ECN_SEEN)
		fputs(" ecnseen", stdout);
	if (options & TCPI_OPT_SYN_DATA)
		fputs(" fastopen", stdout);
	if (s->cong[0])
		printf(" %s", s->cong);
	if (ti->tcpi_options & TCPI_OPT_WSCALE)
		printf(" wscale:%u,%u", ti->tcpi_snd_wscale,
		       ti->tcpi_rcv_wscale);
}

/* A window of data each round trip. */
static double send_rate(const struct tcp_info *ti)
{
	if (!ti->tcpi_rtt)
		return 0;
	return (double)ti->tcpi_snd_cwnd * ti->tcpi_snd_mss * 8e6 / ti->tcpi_rtt;
}

static uint64_t bbr_bw(const struct ss_sock *s)
{
	return (uint64_t)s->bbr.bbr_bw_hi << 32 | s->bbr.bbr_bw_lo;
}

static void print_cong(const struct ss_sock *s, bool exact)
{
	if (s->has_dctcp && s->dctcp.dctcp_enabled)
		printf(" dctcp:(ce_state:%u,alpha:%u,ab_ecn:%u,ab_tot:%u)",
		       s->dctcp.dctcp_ce_state, s->dctcp.dctcp_alpha,
		       s->dctcp.dctcp_ab_ecn, s->dctcp.dctcp_ab_tot);
	else if (s->has_dctcp)
		fputs(" dctcp:fallback_mode", stdout);
	if (!s->has_bbr)
		return;
	fputs(" bbr:(bw:", stdout);
	print_rate((double)bbr_bw(s) * 8, exact);
	printf(",mrtt:%g", (double)s->bbr.bbr_min_rtt / 1000);
	if (s->bbr.bbr_pacing_gain)
		printf(",pacing_gain:%g", (double)s->bbr.bbr_pacing_gain / 256);
	if (s->bbr.bbr_cwnd_gain)
		printf(",cwnd_gain:%g", (double)s->bbr.bbr_cwnd_gain / 256);
	putchar(')');
}

static void print_other(const struct ss_sock *s, enum other what, bool exact)
{
	const struct tcp_info *ti = &s->info.tcp;
	const uint64_t unlimited = ~0ULL;

	if (what == O_CONG) {
		print_cong(s, exact);
	} else if (what == O_SEND && send_rate(ti) > 0) {
		fputs(" send ", stdout);
		print_rate(send_rate(ti), exact);
	} else if (what == O_PACING && ti->tcpi_pacing_rate &&
		   ti->tcpi_pacing_rate != unlimited) {
		fputs(" pacing_rate ", stdout);
		print_rate((double)ti->tcpi_pacing_rate * 8, exact);
		if (ti->tcpi_max_pacing_rate &&
		    ti->tcpi_max_pacing_rate != unlimited) {
			putchar('/');
			print_rate((double)ti->tcpi_max_pacing_rate * 8, exact);
		}
	} else if (what == O_APP_LIMITED && ti->tcpi_delivery_rate_app_limited) {
		fputs(" app_limited", stdout);
	} else if (what == O_RETRANS &&
		   (ti->tcpi_retrans || ti->tcpi_total_retrans)) {
		printf(" retrans:%u/%u", ti->tcpi_retrans, ti->tcpi_total_retrans);
	}
}

static void print_field(const struct ss_sock *s, const struct field *f, bool exact)
{
	uint64_t v = value(s, f);

	if (f->how == F_OTHER) {
		print_other(s, f->offset, exact);
		return;
	}
	/* A listener's member means another thing. */
	if (!shown(f, v) ||
	    (s->state == SS_LISTEN && f->offset == offsetof(struct tcp_info, tcpi_sacked)))
		return;
	if (f->how == F_MSEC) {
		print_msec(f->name, v);
	} else if (f->how == F_RATE) {
		printf(" %s ", f->name);
		print_rate((double)v * 8, exact);
	} else if (f->how == F_BUSY || f->how == F_SHARE) {
		printf(" %s:%llums", f->name, (unsigned long long)v / 1000);
		if (f->how == F_SHARE)
			printf("(%.1f%%)", 100.0 * (double)v /
					   (double)s->info.tcp.tcpi_busy_time);
	} else {
		printf(" %s:%llu", f->name, (unsigned long long)v);
	}
}

void ss_print_info(const struct ss_sock *s, const struct ss_opts *o)
{
	const struct tcp_info *ti = &s->info.tcp;
	unsigned int i;

	if (!s->info_len) {
		if (s->cong[0])
			printf(" %s", s->cong);
		return;
	}
	print_options(s, o->timer);
	/* 3 s: none has been measured, as native says it */
	if (ti->tcpi_rto && ti->tcpi_rto != 3000000)
		print_msec("rto", ti->tcpi_rto);
	if (ti->tcpi_backoff)
		printf(" backoff:%u", ti->tcpi_backoff);
	if (ti->tcpi_rtt)
		printf(" rtt:%g/%g", (double)ti->tcpi_rtt / 1000,
		       (double)ti->tcpi_rttvar / 1000);
	for (i = 0; i < FIELDS; i++)
		print_field(s, &fields[i], o->numeric);
}

/* Every member that came, in the kernel's units. */
json_t *ss_info_json(const struct ss_sock *s)
{
	const struct tcp_info *ti = &s->info.tcp;
	unsigned int i;
	json_t *j;

	j = json_pack("{sb sb sb si si sI sI sI si sI sI sI sI sb}",
		      "ts", !!(ti->tcpi_options & TCPI_OPT_TIMESTAMPS),
		      "sack", !!(ti->tcpi_options & TCPI_OPT_SACK),
		      "ecn", !!(ti->tcpi_options & TCPI_OPT_ECN),
		      "snd_wscale", (int)ti->tcpi_snd_wscale,
		      "rcv_wscale", (int)ti->tcpi_rcv_wscale,
		      "rto_us", (json_int_t)ti->tcpi_rto,
		      "rtt_us", (json_int_t)ti->tcpi_rtt,
		      "rttvar_us", (json_int_t)ti->tcpi_rttvar,
		      "backoff", (int)ti->tcpi_backoff,
		      "retrans", (json_int_t)ti->tcpi_retrans,
		      "total_retrans", (json_int_t)ti->tcpi_total_retrans,
		      "send_bps", (json_int_t)send_rate(ti),
		      "pacing_rate", (json_int_t)ti->tcpi_pacing_rate,
		      "app_limited", ti->tcpi_delivery_rate_app_limited);
	for (i = 0; i < FIELDS; i++) {
		char name[32];

		if (fields[i].how == F_OTHER ||
		    fields[i].offset + fields[i].size > s->info_len)
			continue;
		snprintf(name, sizeof(name), "%s%s", fields[i].name,
			 fields[i].how == F_MSEC || fields[i].how == F_BUSY ||
			 fields[i].how == F_SHARE ? "_us" : "");
		json_object_set_new(j, name,
				    json_integer(value(s, &fields[i])));
	}
	if (s->has_bbr)
		json_object_set_new(j, "bbr",
				    json_pack("{sI sI sI sI}", "bw", (json_int_t)bbr_bw(s),
					      "min_rtt_us", (json_int_t)s->bbr.bbr_min_rtt,
					      "pacing_gain_256", (json_int_t)s->bbr.bbr_pacing_gain,
					      "cwnd_gain_256", (json_int_t)s->bbr.bbr_cwnd_gain));
	if (s->has_dctcp)
		json_object_set_new(j, "dctcp",
				    json_pack("{sb sI sI sI sI}",
					      "enabled", (int)s->dctcp.dctcp_enabled,
					      "ce_state", (json_int_t)s->dctcp.dctcp_ce_state,
					      "alpha_1024", (json_int_t)s->dctcp.dctcp_alpha,
					      "ab_ecn", (json_int_t)s->dctcp.dctcp_ab_ecn,
					      "ab_tot", (json_int_t)s->dctcp.dctcp_ab_tot));
	return j;
}
