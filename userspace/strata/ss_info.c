// SPDX-License-Identifier: GPL-2.0-only
/*
 * What strata ss -i prints of struct tcp_info, in ss(8)'s words. The members
 * stand in one table in the order they are printed; each has its offset, as
 * the kernel may know more members than the headers this was built with.
 */
#include <stddef.h>
#include <string.h>

#include "ss.h"

enum field_how {
	F_PLAIN,	/* NAME:VALUE if not 0 */
	F_ALWAYS,	/* NAME:VALUE */
	F_MSEC,		/* microseconds, shown as milliseconds */
	F_RATE,		/* bytes a second, shown as bits */
	F_LONG,		/* a limit that is left out while unlimited */
};

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
	{ "cwnd", AT(tcpi_snd_cwnd), F_ALWAYS },
	{ "ssthresh", AT(tcpi_snd_ssthresh), F_LONG },
	{ "bytes_sent", AT(tcpi_bytes_sent), F_PLAIN },
	{ "bytes_retrans", AT(tcpi_bytes_retrans), F_PLAIN },
	{ "bytes_acked", AT(tcpi_bytes_acked), F_PLAIN },
	{ "bytes_received", AT(tcpi_bytes_received), F_PLAIN },
	{ "segs_out", AT(tcpi_segs_out), F_PLAIN },
	{ "segs_in", AT(tcpi_segs_in), F_PLAIN },
	{ "data_segs_out", AT(tcpi_data_segs_out), F_PLAIN },
	{ "data_segs_in", AT(tcpi_data_segs_in), F_PLAIN },
	{ "lastsnd", AT(tcpi_last_data_sent), F_PLAIN },
	{ "lastrcv", AT(tcpi_last_data_recv), F_PLAIN },
	{ "lastack", AT(tcpi_last_ack_recv), F_PLAIN },
	{ "pacing_rate", AT(tcpi_pacing_rate), F_RATE },
	{ "delivery_rate", AT(tcpi_delivery_rate), F_RATE },
	{ "delivered", AT(tcpi_delivered), F_PLAIN },
	{ "delivered_ce", AT(tcpi_delivered_ce), F_PLAIN },
	{ "busy", AT(tcpi_busy_time), F_MSEC },
	{ "rwnd_limited", AT(tcpi_rwnd_limited), F_MSEC },
	{ "sndbuf_limited", AT(tcpi_sndbuf_limited), F_MSEC },
	{ "unacked", AT(tcpi_unacked), F_PLAIN },
	{ "lost", AT(tcpi_lost), F_PLAIN },
	{ "sacked", AT(tcpi_sacked), F_PLAIN },
	{ "dsack_dups", AT(tcpi_dsack_dups), F_PLAIN },
	{ "reordering", AT(tcpi_reordering), F_PLAIN },
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
	if (f->how == F_ALWAYS)
		return true;
	if (f->how == F_LONG)
		return v < 0xffff;
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

static void print_rate(const char *name, uint64_t bytes)
{
	double bits = (double)bytes * 8;
	const char *unit = "";

	if (bits >= 1e9) {
		bits /= 1e9;
		unit = "G";
	} else if (bits >= 1e6) {
		bits /= 1e6;
		unit = "M";
	} else if (bits >= 1e3) {
		bits /= 1e3;
		unit = "k";
	}
	printf(" %s %.3g%sbps", name, bits, unit);
}

static void print_options(const struct ss_sock *s)
{
	const struct tcp_info *ti = &s->info.tcp;

	if (ti->tcpi_options & TCPI_OPT_TIMESTAMPS)
		fputs(" ts", stdout);
	if (ti->tcpi_options & TCPI_OPT_SACK)
		fputs(" sack", stdout);
	if (ti->tcpi_options & TCPI_OPT_ECN)
		fputs(" ecn", stdout);
	if (ti->tcpi_options & TCPI_OPT_ECN_SEEN)
		fputs(" ecnseen", stdout);
	if (ti->tcpi_options & TCPI_OPT_SYN_DATA)
		fputs(" fastopen", stdout);
	if (s->cong[0])
		printf(" %s", s->cong);
	if (ti->tcpi_options & TCPI_OPT_WSCALE)
		printf(" wscale:%u,%u", ti->tcpi_snd_wscale,
		       ti->tcpi_rcv_wscale);
}

static void print_field(const struct ss_sock *s, const struct field *f)
{
	uint64_t v = value(s, f);

	if (!shown(f, v))
		return;
	if (f->how == F_MSEC)
		print_msec(f->name, v);
	else if (f->how == F_RATE)
		print_rate(f->name, v);
	else
		printf(" %s:%llu", f->name, (unsigned long long)v);
}

void ss_print_info(const struct ss_sock *s)
{
	const struct tcp_info *ti = &s->info.tcp;
	unsigned int i;

	if (!s->info_len) {
		if (s->cong[0])
			printf(" %s", s->cong);
		return;
	}
	print_options(s);
	if (ti->tcpi_rto && s->state != SS_LISTEN)
		print_msec("rto", ti->tcpi_rto);
	if (ti->tcpi_backoff)
		printf(" backoff:%u", ti->tcpi_backoff);
	if (ti->tcpi_rtt)
		printf(" rtt:%g/%g", (double)ti->tcpi_rtt / 1000,
		       (double)ti->tcpi_rttvar / 1000);
	for (i = 0; i < FIELDS; i++)
		print_field(s, &fields[i]);
	if (ti->tcpi_retrans || ti->tcpi_total_retrans)
		printf(" retrans:%u/%u", ti->tcpi_retrans,
		       ti->tcpi_total_retrans);
	if (ti->tcpi_delivery_rate_app_limited)
		fputs(" app_limited", stdout);
}

/* Every member that came, in the kernel's units. */
json_t *ss_info_json(const struct ss_sock *s)
{
	const struct tcp_info *ti = &s->info.tcp;
	unsigned int i;
	json_t *j;

	j = json_pack("{sb sb sb si si sI sI sI si sI sI}",
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
		      "total_retrans", (json_int_t)ti->tcpi_total_retrans);
	for (i = 0; i < FIELDS; i++) {
		char name[32];

		if (fields[i].offset + fields[i].size > s->info_len)
			continue;
		snprintf(name, sizeof(name), "%s%s", fields[i].name,
			 fields[i].how == F_MSEC ? "_us" : "");
		json_object_set_new(j, name,
				    json_integer(value(s, &fields[i])));
	}
	return j;
}
