// SPDX-License-Identifier: GPL-2.0-only
/*
 * A segment in ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2 and CLOSE-WAIT: RFC 9293 3.10.7.4.
 */
#include "wire_state.h"

/* ---- ESTABLISHED ---- */

SEG(established, rst_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 0", NOTHING, gone)
SEG(established, rst_data, "RFC 9293 3.5.3 (SHLD-2), RFC 1122 4.2.2.12: a RST may have text",
    "RA 0+10 ack 0", NOTHING, gone)
SEG(established, rst_ack_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "RA 0 ack 0", NOTHING, gone)
SEG(established, rst_in_window, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 100", "A 0 ack 0", established)
SEG(established, rst_old, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R -100", NOTHING, established)
SEG(established, rst_future, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 1000000", NOTHING, established)
SEG(established, syn_exact, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 0 mss 1460", "A 0 ack 0", established)
SEG(established, syn_in_window, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 100 mss 1460", "A 0 ack 0", established)
SEG(established, syn_old, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S -100 mss 1460", "A 0 ack 0", established)
SEG(established, syn_future, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 1000000 mss 1460", "A 0 ack 0", established)
SEG(established, syn_ack, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SA -1 ack 0", "A 0 ack 0", established)
DIFF(established, ack_future, "RFC 9293 3.10.7.4 fifth, RFC 5961 5.2",
     "A 0 ack 100", "A 0 ack 0", established,
     "is silent in this one state, against RFC 5961 5.2", NOTHING, established)
SEG(established, ack_too_old, "RFC 5961 5.2",
    "A 0 ack -200000", "A 0 ack 0", established)
SEG(established, no_flags, "RFC 9293 3.10.7.4 fifth",
    "- 0", NOTHING, established)
SEG(established, no_ack, "RFC 9293 3.10.7.4 fifth",
    "P 0+10", NOTHING, established)
DIFF(established, no_ack_old, "RFC 9293 3.10.7.4 first",
     "P -100+10", "A 0 ack 0", established,
     "looks for the ACK bit before the number: nobody sends such a segment", NOTHING, established)
SEG(established, fin_no_ack, "RFC 9293 3.10.7.4 fifth",
    "F 0", NOTHING, established)
SEG(established, old_ack_seq, "RFC 9293 3.10.7.4 first",
    "A -100 ack 0", "A 0 ack 0", established)
SEG(established, data_old, "RFC 9293 3.10.7.4 first",
    "PA -100+10 ack 0", "A 0 ack 0", established)
SEG(established, data_beyond, "RFC 9293 3.10.7.4 first",
    "PA 1000000+10 ack 0", "A 0 ack 0", established)
SEG(established, all_flags, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "SFRPUA 0 ack 0 urg 1", NOTHING, gone)
SEG(established, all_but_rst, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SFPUA 0 ack 0 urg 1", "A 0 ack 0", established)
SEG(established, syn_fin, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SF 0", "A 0 ack 0", established)
SEG(established, data, "RFC 9293 3.10.7.4 seventh",
    "PA 0+10 ack 0", "A 0 ack 10", established)
SEG(established, data_overlap, "RFC 9293 3.10.7.4 seventh",
    "PA -5+20 ack 0", "A 0 ack 15", established)
SEG(established, data_hole, "RFC 9293 3.10.7.4 seventh",
    "PA 10+10 ack 0", "A 0 ack 0", established)
SEG(established, data_urgent, "RFC 9293 3.10.7.4 sixth",
    "UPA 0+10 ack 0 urg 5", "A 0 ack 10", established)
SEG(established, fin_hole, "RFC 9293 3.10.7.4 eighth",
    "FA 10 ack 0", "A 0 ack 0", established)
SEG(established, ack, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 0", NOTHING, established)
SEG(established, fin, "RFC 9293 3.10.7.4 eighth",
    "FA 0 ack 0", "A 0 ack 1", close_wait)
SEG(established, fin_data, "RFC 9293 3.10.7.4 eighth",
    "FPA 0+10 ack 0", "A 0 ack 11", close_wait)

/* ---- FIN-WAIT-1: "ack -1" leaves our FIN out, "ack 0" acknowledges it ---- */

SEG(fin_wait_1, rst_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 0", NOTHING, gone)
SEG(fin_wait_1, rst_ack_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "RA 0 ack 0", NOTHING, gone)
SEG(fin_wait_1, rst_in_window, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 100", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, rst_old, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R -100", NOTHING, fin_wait_1)
SEG(fin_wait_1, rst_future, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 1000000", NOTHING, fin_wait_1)
SEG(fin_wait_1, syn_exact, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 0 mss 1460", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, syn_in_window, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 100 mss 1460", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, syn_old, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S -100 mss 1460", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, syn_future, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 1000000 mss 1460", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, syn_ack, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SA -1 ack 0", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, ack_future, "RFC 9293 3.10.7.4 fifth, RFC 5961 5.2",
    "A 0 ack 100", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, ack_too_old, "RFC 5961 5.2",
    "A 0 ack -200000", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, no_flags, "RFC 9293 3.10.7.4 fifth",
    "- 0", NOTHING, fin_wait_1)
SEG(fin_wait_1, no_ack, "RFC 9293 3.10.7.4 fifth",
    "P 0+10", NOTHING, fin_wait_1)
DIFF(fin_wait_1, no_ack_old, "RFC 9293 3.10.7.4 first",
     "P -100+10", "A 0 ack 0", fin_wait_1,
     "looks for the ACK bit before the number: nobody sends such a segment", NOTHING, fin_wait_1)
SEG(fin_wait_1, fin_no_ack, "RFC 9293 3.10.7.4 fifth",
    "F 0", NOTHING, fin_wait_1)
SEG(fin_wait_1, old_ack_seq, "RFC 9293 3.10.7.4 first",
    "A -100 ack 0", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, data_old, "RFC 9293 3.10.7.4 first",
    "PA -100+10 ack 0", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, data_beyond, "RFC 9293 3.10.7.4 first",
    "PA 1000000+10 ack 0", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, all_flags, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "SFRPUA 0 ack 0 urg 1", NOTHING, gone)
SEG(fin_wait_1, all_but_rst, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SFPUA 0 ack 0 urg 1", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, syn_fin, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SF 0", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, ack, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 0", NOTHING, fin_wait_2)
SEG(fin_wait_1, ack_before_fin, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack -1", NOTHING, fin_wait_1)
SEG(fin_wait_1, data, "RFC 9293 3.10.7.4 seventh",
    "PA 0+10 ack -1", "A 0 ack 10", fin_wait_1)
SEG(fin_wait_1, data_and_ack, "RFC 9293 3.10.7.4 seventh",
    "PA 0+10 ack 0", "A 0 ack 10", fin_wait_2)
SEG(fin_wait_1, data_overlap, "RFC 9293 3.10.7.4 seventh",
    "PA -5+20 ack -1", "A 0 ack 15", fin_wait_1)
SEG(fin_wait_1, data_hole, "RFC 9293 3.10.7.4 seventh",
    "PA 10+10 ack -1", "A 0 ack 0", fin_wait_1)
SEG(fin_wait_1, fin, "RFC 9293 3.10.7.4 eighth",
    "FA 0 ack -1", "A 0 ack 1", closing)
SEG(fin_wait_1, fin_and_ack, "RFC 9293 3.10.7.4 eighth",
    "FA 0 ack 0", "A 0 ack 1", time_wait)
SEG(fin_wait_1, fin_data, "RFC 9293 3.10.7.4 eighth",
    "FPA 0+10 ack 0", "A 0 ack 11", time_wait)
SEG(fin_wait_1, fin_hole, "RFC 9293 3.10.7.4 eighth",
    "FA 10 ack -1", "A 0 ack 0", fin_wait_1)

/* ---- FIN-WAIT-2 ---- */

SEG(fin_wait_2, rst_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 0", NOTHING, gone)
SEG(fin_wait_2, rst_ack_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "RA 0 ack 0", NOTHING, gone)
SEG(fin_wait_2, rst_in_window, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 100", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, rst_old, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R -100", NOTHING, fin_wait_2)
SEG(fin_wait_2, rst_future, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 1000000", NOTHING, fin_wait_2)
SEG(fin_wait_2, syn_exact, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 0 mss 1460", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, syn_in_window, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 100 mss 1460", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, syn_old, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S -100 mss 1460", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, syn_future, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 1000000 mss 1460", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, syn_ack, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SA -1 ack 0", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, ack_future, "RFC 9293 3.10.7.4 fifth, RFC 5961 5.2",
    "A 0 ack 100", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, ack_too_old, "RFC 5961 5.2",
    "A 0 ack -200000", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, no_flags, "RFC 9293 3.10.7.4 fifth",
    "- 0", NOTHING, fin_wait_2)
SEG(fin_wait_2, no_ack, "RFC 9293 3.10.7.4 fifth",
    "P 0+10", NOTHING, fin_wait_2)
DIFF(fin_wait_2, no_ack_old, "RFC 9293 3.10.7.4 first",
     "P -100+10", "A 0 ack 0", fin_wait_2,
     "looks for the ACK bit before the number: nobody sends such a segment", NOTHING, fin_wait_2)
SEG(fin_wait_2, fin_no_ack, "RFC 9293 3.10.7.4 fifth",
    "F 0", NOTHING, fin_wait_2)
SEG(fin_wait_2, old_ack_seq, "RFC 9293 3.10.7.4 first",
    "A -100 ack 0", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, data_old, "RFC 9293 3.10.7.4 first",
    "PA -100+10 ack 0", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, data_beyond, "RFC 9293 3.10.7.4 first",
    "PA 1000000+10 ack 0", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, all_flags, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "SFRPUA 0 ack 0 urg 1", NOTHING, gone)
SEG(fin_wait_2, all_but_rst, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SFPUA 0 ack 0 urg 1", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, syn_fin, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SF 0", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, data, "RFC 9293 3.10.7.4 seventh",
    "PA 0+10 ack 0", "A 0 ack 10", fin_wait_2)
SEG(fin_wait_2, data_overlap, "RFC 9293 3.10.7.4 seventh",
    "PA -5+20 ack 0", "A 0 ack 15", fin_wait_2)
SEG(fin_wait_2, data_hole, "RFC 9293 3.10.7.4 seventh",
    "PA 10+10 ack 0", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, data_urgent, "RFC 9293 3.10.7.4 sixth",
    "UPA 0+10 ack 0 urg 5", "A 0 ack 10", fin_wait_2)
SEG(fin_wait_2, fin_hole, "RFC 9293 3.10.7.4 eighth",
    "FA 10 ack 0", "A 0 ack 0", fin_wait_2)
SEG(fin_wait_2, ack, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 0", NOTHING, fin_wait_2)
SEG(fin_wait_2, ack_before_fin, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack -1", NOTHING, fin_wait_2)
SEG(fin_wait_2, fin, "RFC 9293 3.10.7.4 eighth",
    "FA 0 ack 0", "A 0 ack 1", time_wait)
SEG(fin_wait_2, fin_data, "RFC 9293 3.10.7.4 eighth",
    "FPA 0+10 ack 0", "A 0 ack 11", time_wait)

/* ---- CLOSE-WAIT ---- */

SEG(close_wait, rst_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 0", NOTHING, gone)
SEG(close_wait, rst_ack_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "RA 0 ack 0", NOTHING, gone)
SEG(close_wait, rst_in_window, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 100", "A 0 ack 0", close_wait)
SEG(close_wait, rst_old, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R -100", NOTHING, close_wait)
SEG(close_wait, rst_future, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 1000000", NOTHING, close_wait)
SEG(close_wait, syn_exact, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 0 mss 1460", "A 0 ack 0", close_wait)
SEG(close_wait, syn_in_window, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 100 mss 1460", "A 0 ack 0", close_wait)
SEG(close_wait, syn_old, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S -100 mss 1460", "A 0 ack 0", close_wait)
SEG(close_wait, syn_future, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "S 1000000 mss 1460", "A 0 ack 0", close_wait)
SEG(close_wait, syn_ack, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SA -1 ack 0", "A 0 ack 0", close_wait)
SEG(close_wait, ack_future, "RFC 9293 3.10.7.4 fifth, RFC 5961 5.2",
    "A 0 ack 100", "A 0 ack 0", close_wait)
SEG(close_wait, ack_too_old, "RFC 5961 5.2",
    "A 0 ack -200000", "A 0 ack 0", close_wait)
SEG(close_wait, no_flags, "RFC 9293 3.10.7.4 fifth",
    "- 0", NOTHING, close_wait)
SEG(close_wait, no_ack, "RFC 9293 3.10.7.4 fifth",
    "P 0+10", NOTHING, close_wait)
DIFF(close_wait, no_ack_old, "RFC 9293 3.10.7.4 first",
     "P -100+10", "A 0 ack 0", close_wait,
     "looks for the ACK bit before the number: nobody sends such a segment", NOTHING, close_wait)
SEG(close_wait, fin_no_ack, "RFC 9293 3.10.7.4 fifth",
    "F 0", NOTHING, close_wait)
SEG(close_wait, old_ack_seq, "RFC 9293 3.10.7.4 first",
    "A -100 ack 0", "A 0 ack 0", close_wait)
SEG(close_wait, data_old, "RFC 9293 3.10.7.4 first",
    "PA -100+10 ack 0", "A 0 ack 0", close_wait)
SEG(close_wait, data_beyond, "RFC 9293 3.10.7.4 first",
    "PA 1000000+10 ack 0", "A 0 ack 0", close_wait)
SEG(close_wait, all_flags, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "SFRPUA 0 ack 0 urg 1", NOTHING, gone)
SEG(close_wait, all_but_rst, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SFPUA 0 ack 0 urg 1", "A 0 ack 0", close_wait)
SEG(close_wait, syn_fin, "RFC 9293 3.10.7.4 fourth, RFC 5961 4.2",
    "SF 0", "A 0 ack 0", close_wait)
SEG(close_wait, ack, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 0", NOTHING, close_wait)
SEG(close_wait, rst_before_fin, "RFC 9293 3.10.7.4 second, as native: the peer forgot its FIN",
    "R -1", NOTHING, gone)
SEG(close_wait, data, "RFC 9293 3.10.7.4 seventh: what follows the FIN is ignored",
    "PA 0+10 ack 0", NOTHING, close_wait)
DIFF(close_wait, data_overlap, "RFC 9293 3.10.7.4 seventh: what follows the FIN is ignored",
     "PA -1+10 ack 0", NOTHING, close_wait,
     "aborts the connection, which the RFC does not ask for", "R 0", gone)
SEG(close_wait, fin_again, "RFC 9293 3.10.7.4 eighth",
    "FA -1 ack 0", "A 0 ack 0", close_wait)

TEST_HARNESS_MAIN
