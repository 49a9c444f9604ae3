// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYN cookies (RFC 4987 3.6): a request that is not kept. Its SYN-ACK says all that is to be
 * known of it, the cookie (tcp_isn.c) in its sequence number the MSS, its timestamp the other
 * options (tcp_options.c), and the peer's ACK brings both back.
 *
 * An ACK is only taken for one that brings a cookie while there can be any: for two minutes
 * after the last was sent, as native; else anybody could guess at any time.
 *
 * A peer without timestamps gets no options but the MSS, and no ECN. What is chosen anew when the
 * ACK comes, as our window's shift, is what it was if nobody has changed the listener meanwhile.
 */

#include <net/inet_ecn.h>
#include "tcp_req.h"

#define COOKIE_VALID	(2 * 60 * HZ)	/* what strata_tcp_cookie_check() takes */

/* once a second is enough, and leaves the cache line alone */
static void cookie_note(struct strata_net *sn)
{
	unsigned long last = READ_ONCE(sn->tcp_cookie_sent);

	if (!last || !time_in_range_open(jiffies, last, last + HZ))
		WRITE_ONCE(sn->tcp_cookie_sent, jiffies ?: 1);
}

/* may there be cookies under way? */
static bool cookie_out(const struct strata_net *sn)
{
	unsigned long last = READ_ONCE(sn->tcp_cookie_sent);

	/* one older than @last may still have been noted by it: a second more */
	return last && time_in_range(jiffies, last - HZ, last + COOKIE_VALID + HZ);
}

void strata_tcp_cookie_send(struct strata_net *sn, struct strata_tcp_req *req)
{
	u16 mss = (req->opts.flags & STRATA_OPT_MSS) ? req->opts.mss : 536;
	u32 now_ms = (u32)div_u64(strata_tcp_clock_us(), USEC_PER_MSEC);

	if (!(req->opts.flags & STRATA_OPT_TS)) {
		req->opts.flags &= STRATA_OPT_MSS;
		req->ecn_ok = false;
		req->tos &= ~INET_ECN_MASK;
		req->rwnd.wscale = 0;
	}
	req->iss = strata_tcp_cookie(req->laddr, req->raddr, req->lport, req->rport, req->irs,
				     &mss);
	cookie_note(sn);
	strata_inc(sn, TCPEXT_SYNCOOKIESSENT);
	strata_tcp_req_synack(sn, req, NULL,
			      strata_tcp_cookie_ts(now_ms, &req->opts, req->ecn_ok));
}

u16 strata_tcp_cookie_mss(struct strata_net *sn, const struct sk_buff *skb)
{
	const struct strata_tcp_seg *seg = STRATA_TCP_SEG(skb);
	u16 mss;

	if (!READ_ONCE(sn->conf.tcp_syncookies) || !cookie_out(sn))
		return 0;
	mss = strata_tcp_cookie_check(ip_hdr(skb)->daddr, ip_hdr(skb)->saddr,
				      tcp_hdr(skb)->dest, tcp_hdr(skb)->source,
				      seg->seq - 1, seg->ack - 1);
	if (mss)
		strata_inc(sn, TCPEXT_SYNCOOKIESRECV);
	else
		strata_inc(sn, TCPEXT_SYNCOOKIESFAILED);
	return mss;
}

bool strata_tcp_cookie_restore(struct strata_net *sn, struct strata_tcp_req *req,
			       const struct strata_tcp_seg *seg, u16 mss)
{
	struct strata_tcp_opts *o = &req->opts;
	bool ecn = false;

	req->irs = seg->seq - 1;
	req->iss = seg->ack - 1;
	req->cookie = true;
	req->sent_us = 0;	/* no RTT sample */
	/* req_options() has looked at tcp_timestamps */
	o->flags = STRATA_OPT_MSS | (o->flags & STRATA_OPT_TS);
	o->mss = mss;
	o->wscale = 0;
	if (o->flags & STRATA_OPT_TS)
		ecn = strata_tcp_cookie_ts_read(o->tsecr ? o->tsecr - req->ts_offset : 0, o);
	req->ecn_ok = req->ecn_ok && ecn;
	/* what we would not have agreed on we did not say */
	return !((o->flags & STRATA_OPT_SACKOK) && !READ_ONCE(sn->conf.tcp_sack)) &&
	       !((o->flags & STRATA_OPT_WSCALE) && !READ_ONCE(sn->conf.tcp_window_scaling));
}
