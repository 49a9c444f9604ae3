// SPDX-License-Identifier: GPL-2.0-only
/*
 * A segment in CLOSING, LAST-ACK and TIME-WAIT: RFC 9293 3.10.7.4.
 */
#include "wire_state.h"

/* ---- CLOSING: "ack -1" leaves our FIN out, "ack 0" acknowledges it ---- */

SEG(closing, rst_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 0", NOTHING, gone)
SEG(closing, rst_ack_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "RA 0 ack 0", NOTHING, gone)
SEG(closing, rst_in_window, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 100", "A 0 ack 0", closing)
SEG(closing, rst_old, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R -100", NOTHING, closing)
SEG(closing, rst_future, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 1000000", NOTHING, closing)
SEG(closing, syn_exact, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 0 mss 1460", "A 0 ack 0", closing)
SEG(closing, syn_in_window, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 100 mss 1460", "A 0 ack 0", closing)
SEG(closing, syn_old, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S -100 mss 1460", "A 0 ack 0", closing)
SEG(closing, syn_future, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 1000000 mss 1460", "A 0 ack 0", closing)
SEG(closing, syn_ack, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SA -1 ack 0", "A 0 ack 0", closing)
SEG(closing, ack_future, "RFC 9293 3.10.7.4 fifth, RFC 5961 5.2",
    "A 0 ack 100", "A 0 ack 0", closing)
SEG(closing, ack_too_old, "RFC 5961 5.2",
    "A 0 ack -200000", "A 0 ack 0", closing)
SEG(closing, no_flags, "RFC 9293 3.10.7.4 fifth",
    "- 0", NOTHING, closing)
SEG(closing, no_ack, "RFC 9293 3.10.7.4 fifth",
    "P 0+10", NOTHING, closing)
DIFF(closing, no_ack_old, "RFC 9293 3.10.7.4 first",
     "P -100+10", "A 0 ack 0", closing,
     "looks for the ACK bit before the number: nobody sends such a segment", NOTHING, closing)
SEG(closing, fin_no_ack, "RFC 9293 3.10.7.4 fifth",
    "F 0", NOTHING, closing)
SEG(closing, old_ack_seq, "RFC 9293 3.10.7.4 first",
    "A -100 ack 0", "A 0 ack 0", closing)
SEG(closing, data_old, "RFC 9293 3.10.7.4 first",
    "PA -100+10 ack 0", "A 0 ack 0", closing)
SEG(closing, data_beyond, "RFC 9293 3.10.7.4 first",
    "PA 1000000+10 ack 0", "A 0 ack 0", closing)
SEG(closing, all_flags, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "SFRPUA 0 ack 0 urg 1", NOTHING, gone)
SEG(closing, all_but_rst, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SFPUA 0 ack 0 urg 1", "A 0 ack 0", closing)
SEG(closing, syn_fin, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SF 0", "A 0 ack 0", closing)
SEG(closing, ack, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 0", NOTHING, time_wait)
SEG(closing, ack_before_fin, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack -1", NOTHING, closing)
SEG(closing, data, "RFC 9293 3.10.7.4 seventh: what follows the FIN is ignored",
    "PA 0+10 ack -1", NOTHING, closing)
DIFF(closing, data_overlap, "RFC 9293 3.10.7.4 seventh: what follows the FIN is ignored",
     "PA -1+10 ack -1", NOTHING, closing,
     "aborts the connection, which the RFC does not ask for", "R -1", gone)
SEG(closing, fin_again, "RFC 9293 3.10.7.4 eighth",
    "FA -1 ack -1", "A 0 ack 0", closing)
DIFF(closing, fin_again_ack, "RFC 9293 3.10.7.4 eighth",
     "FA -1 ack 0", "A 0 ack 0", time_wait,
     "takes the ACK and is silent about the FIN, which then comes once more", NOTHING, time_wait)
SEG(closing, rst_before_fin, "RFC 9293 3.10.7.4 second, as native: the peer forgot its FIN",
    "R -1", NOTHING, gone)

/* ---- LAST-ACK ---- */

SEG(last_ack, rst_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 0", NOTHING, gone)
SEG(last_ack, rst_ack_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "RA 0 ack 0", NOTHING, gone)
SEG(last_ack, rst_in_window, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 100", "A 0 ack 0", last_ack)
SEG(last_ack, rst_old, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R -100", NOTHING, last_ack)
SEG(last_ack, rst_future, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 1000000", NOTHING, last_ack)
SEG(last_ack, syn_exact, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 0 mss 1460", "A 0 ack 0", last_ack)
SEG(last_ack, syn_in_window, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 100 mss 1460", "A 0 ack 0", last_ack)
SEG(last_ack, syn_old, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S -100 mss 1460", "A 0 ack 0", last_ack)
SEG(last_ack, syn_future, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 1000000 mss 1460", "A 0 ack 0", last_ack)
SEG(last_ack, syn_ack, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SA -1 ack 0", "A 0 ack 0", last_ack)
SEG(last_ack, ack_future, "RFC 9293 3.10.7.4 fifth, RFC 5961 5.2",
    "A 0 ack 100", "A 0 ack 0", last_ack)
SEG(last_ack, ack_too_old, "RFC 5961 5.2",
    "A 0 ack -200000", "A 0 ack 0", last_ack)
SEG(last_ack, no_flags, "RFC 9293 3.10.7.4 fifth",
    "- 0", NOTHING, last_ack)
SEG(last_ack, no_ack, "RFC 9293 3.10.7.4 fifth",
    "P 0+10", NOTHING, last_ack)
DIFF(last_ack, no_ack_old, "RFC 9293 3.10.7.4 first",
     "P -100+10", "A 0 ack 0", last_ack,
     "looks for the ACK bit before the number: nobody sends such a segment", NOTHING, last_ack)
SEG(last_ack, fin_no_ack, "RFC 9293 3.10.7.4 fifth",
    "F 0", NOTHING, last_ack)
SEG(last_ack, old_ack_seq, "RFC 9293 3.10.7.4 first",
    "A -100 ack 0", "A 0 ack 0", last_ack)
SEG(last_ack, data_old, "RFC 9293 3.10.7.4 first",
    "PA -100+10 ack 0", "A 0 ack 0", last_ack)
SEG(last_ack, data_beyond, "RFC 9293 3.10.7.4 first",
    "PA 1000000+10 ack 0", "A 0 ack 0", last_ack)
SEG(last_ack, all_flags, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "SFRPUA 0 ack 0 urg 1", NOTHING, gone)
SEG(last_ack, all_but_rst, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SFPUA 0 ack 0 urg 1", "A 0 ack 0", last_ack)
SEG(last_ack, syn_fin, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SF 0", "A 0 ack 0", last_ack)
SEG(last_ack, ack, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 0", NOTHING, gone)
SEG(last_ack, ack_before_fin, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack -1", NOTHING, last_ack)
SEG(last_ack, data, "RFC 9293 3.10.7.4 seventh: what follows the FIN is ignored",
    "PA 0+10 ack -1", NOTHING, last_ack)
DIFF(last_ack, data_overlap, "RFC 9293 3.10.7.4 seventh: what follows the FIN is ignored",
     "PA -1+10 ack -1", NOTHING, last_ack,
     "aborts the connection, which the RFC does not ask for", "R -1", gone)
SEG(last_ack, fin_again, "RFC 9293 3.10.7.4 eighth",
    "FA -1 ack -1", "A 0 ack 0", last_ack)
SEG(last_ack, fin_again_ack, "RFC 9293 3.10.7.4 eighth",
    "FA -1 ack 0", NOTHING, gone)
SEG(last_ack, rst_before_fin, "RFC 9293 3.10.7.4 second, as native: the peer forgot its FIN",
    "R -1", NOTHING, gone)

/* ---- TIME-WAIT ---- */

SEG(time_wait, rst_exact, "RFC 9293 3.10.7.4 second; RFC 1337 3 advises against, tcp_rfc1337",
    "R 0", NOTHING, gone)
SEG(time_wait, rst_in_window, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 100", NOTHING, time_wait)
SEG(time_wait, rst_old, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R -100", NOTHING, time_wait)
SEG(time_wait, rst_future, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 1000000", NOTHING, time_wait)
CASE(time_wait_syn_beyond, "RFC 9293 3.6.1 (MAY-2), RFC 6191 2: a new incarnation")
{
	uint32_t isn = 65537;

	ASSERT_LE(0, w_reach(self->lfd, st_time_wait));
	ASSERT_EQ(st_time_wait, w_proc_state());
	if (NATIVE_BEFORE(610, "forgets the old numbers on the way to the listener")) {
		w.isn_known = false;
		w.isn = 0;
		isn = 0;
	}
	in("S 1000 mss 1460");
	out("SA %u ack 1001", isn);
	ASSERT_EQ(st_syn_received, w_proc_state());
}

SEG(time_wait, syn_old, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S -100 mss 1460", "A 0 ack 0", time_wait)
SEG(time_wait, syn_ack, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SA 100 ack 0", "A 0 ack 0", time_wait)
SEG(time_wait, syn_rst, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "SR 100", NOTHING, time_wait)
SEG(time_wait, ack, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 0", NOTHING, time_wait)
SEG(time_wait, ack_old, "RFC 9293 3.10.7.4 first",
    "A -100 ack 0", "A 0 ack 0", time_wait)
SEG(time_wait, ack_future_seq, "RFC 9293 3.10.7.4 first",
    "A 100 ack 0", "A 0 ack 0", time_wait)
SEG(time_wait, fin_again, "RFC 9293 3.10.7.4 eighth",
    "FA -1 ack 0", "A 0 ack 0", time_wait)
SEG(time_wait, fin_new, "RFC 9293 3.10.7.4 eighth",
    "FA 0 ack 0", "A 0 ack 0", time_wait)
SEG(time_wait, data, "RFC 9293 3.10.7.4 seventh",
    "PA 0+10 ack 0", "A 0 ack 0", time_wait)
SEG(time_wait, data_old, "RFC 9293 3.10.7.4 first",
    "PA -100+10 ack 0", "A 0 ack 0", time_wait)
SEG(time_wait, data_beyond, "RFC 9293 3.10.7.4 first",
    "PA 1000000+10 ack 0", "A 0 ack 0", time_wait)
SEG(time_wait, no_flags, "RFC 9293 3.10.7.4 fifth",
    "- 0", NOTHING, time_wait)

TEST_HARNESS_MAIN
