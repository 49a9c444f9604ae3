// SPDX-License-Identifier: GPL-2.0-only
/*
 * A segment in LISTEN, SYN-SENT and SYN-RECEIVED: RFC 9293 3.10.7.2 to 3.10.7.4.
 */
#include "wire_state.h"

/* ---- LISTEN ---- */

SEG(listen, syn, "RFC 9293 3.10.7.2 third",
    "S 0 mss 1460", "SA 0 ack 1", syn_received)
SEG(listen, syn_psh, "RFC 9293 3.10.7.2 third",
    "SP 0 mss 1460", "SA 0 ack 1", syn_received)
SEG(listen, syn_urg, "RFC 9293 3.10.7.2 third",
    "SU 0 mss 1460 urg 1", "SA 0 ack 1", syn_received)
SEG(listen, syn_data, "RFC 9293 3.10.7.2 third: text may be queued or asked for again",
    "S 0+10 mss 1460", "SA 0 ack 1", syn_received)
SEG(listen, syn_fin, "RFC 9293 3.10.7.2 third; RFC 1122 4.2.2.2 allows none",
    "SF 0", NOTHING, gone)
SEG(listen, rst, "RFC 9293 3.10.7.2 first",
    "R 0", NOTHING, gone)
SEG(listen, rst_ack, "RFC 9293 3.10.7.2 first",
    "RA 0 ack 0", NOTHING, gone)
SEG(listen, rst_syn, "RFC 9293 3.10.7.2 first",
    "SR 0", NOTHING, gone)
SEG(listen, ack, "RFC 9293 3.10.7.2 second",
    "A 5 ack 7", "R 7", gone)
SEG(listen, ack_data, "RFC 9293 3.10.7.2 second",
    "PA 5+10 ack 7", "R 7", gone)
SEG(listen, ack_zero, "RFC 9293 3.10.7.2 second",
    "A 0 ack 0", "R 0", gone)
SEG(listen, syn_ack, "RFC 9293 3.10.7.2 second",
    "SA 0 ack 9", "R 9", gone)
SEG(listen, fin_ack, "RFC 9293 3.10.7.2 second",
    "FA 5 ack 7", "R 7", gone)
SEG(listen, fin, "RFC 9293 3.10.7.2 fourth",
    "F 0", NOTHING, gone)
SEG(listen, no_flags, "RFC 9293 3.10.7.2 fourth",
    "- 0", NOTHING, gone)
SEG(listen, data, "RFC 9293 3.10.7.2 fourth",
    "P 0+10", NOTHING, gone)
SEG(listen, all_flags, "RFC 9293 3.10.7.2 first",
    "SFRPUA 0 ack 0 urg 1", NOTHING, gone)
SEG(listen, all_but_rst, "RFC 9293 3.10.7.2 second",
    "SFPUA 0 ack 5 urg 1", "R 5", gone)

/* ---- SYN-SENT ---- */

SEG(syn_sent, syn_ack, "RFC 9293 3.10.7.3 fourth",
    "SA 0 ack 0 mss 1460", "A 0 ack 1", established)
SEG(syn_sent, syn_ack_old, "RFC 9293 3.10.7.3 first",
    "SA 0 ack -1", "R -1", syn_sent)
SEG(syn_sent, syn_ack_future, "RFC 9293 3.10.7.3 first",
    "SA 0 ack 1", "R 1", syn_sent)
SEG(syn_sent, syn, "RFC 9293 3.10.7.3 fourth",
    "S 0 mss 1460", "SA -1 ack 1", syn_received)
SEG(syn_sent, ack_old, "RFC 9293 3.10.7.3 first",
    "A 0 ack -1", "R -1", syn_sent)
SEG(syn_sent, ack_future, "RFC 9293 3.10.7.3 first",
    "A 0 ack 100", "R 100", syn_sent)
SEG(syn_sent, ack_exact, "RFC 9293 3.10.7.3 fifth",
    "A 0 ack 0", NOTHING, syn_sent)
SEG(syn_sent, data, "RFC 9293 3.10.7.3 fifth",
    "PA 0+10 ack 0", NOTHING, syn_sent)
SEG(syn_sent, data_future_ack, "RFC 9293 3.10.7.3 first",
    "PA 0+10 ack 9", "R 9", syn_sent)
SEG(syn_sent, fin, "RFC 9293 3.10.7.3 fifth",
    "F 0", NOTHING, syn_sent)
SEG(syn_sent, fin_ack, "RFC 9293 3.10.7.3 fifth",
    "FA 0 ack 0", NOTHING, syn_sent)
SEG(syn_sent, no_flags, "RFC 9293 3.10.7.3 fifth",
    "- 0", NOTHING, syn_sent)
SEG(syn_sent, rst, "RFC 9293 3.10.7.3 second, RFC 5961 3.2",
    "R 0", NOTHING, syn_sent)
SEG(syn_sent, rst_ack, "RFC 9293 3.10.7.3 second, RFC 5961 3.2",
    "RA 0 ack 0", NOTHING, gone)
SEG(syn_sent, rst_ack_old, "RFC 9293 3.10.7.3 second, RFC 5961 3.2",
    "RA 0 ack -1", NOTHING, syn_sent)
SEG(syn_sent, rst_ack_future, "RFC 9293 3.10.7.3 second, RFC 5961 3.2",
    "RA 0 ack 1", NOTHING, syn_sent)
SEG(syn_sent, syn_rst_ack, "RFC 9293 3.10.7.3 second, RFC 5961 3.2",
    "SRA 0 ack 0", NOTHING, gone)
SEG(syn_sent, all_flags, "RFC 9293 3.10.7.3 second, RFC 5961 3.2",
    "SFRPUA 0 ack 0 urg 1", NOTHING, gone)
DIFF(syn_sent, syn_ack_data, "RFC 9293 3.10.7.3 fourth: text goes on to the sixth step",
     "SA 0+10 ack 0 mss 1460", "A 0 ack 11", established,
     "takes no text with a SYN-ACK, it comes again", "A 0 ack 1", established)
DIFF(syn_sent, syn_ack_fin, "RFC 9293 3.10.7.3 fourth: so does a FIN",
     "SFA 0 ack 0 mss 1460", "A 0 ack 2", close_wait,
     "takes no FIN with a SYN-ACK, it comes again", "A 0 ack 1", established)

/* ---- SYN-RECEIVED, the peer's SYN came first ---- */

SEG(syn_received, ack, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 0", NOTHING, established)
SEG(syn_received, ack_data, "RFC 9293 3.10.7.4 fifth",
    "PA 0+10 ack 0", "A 0 ack 10", established)
SEG(syn_received, ack_fin, "RFC 9293 3.10.7.4 fifth",
    "FA 0 ack 0", "A 0 ack 1", close_wait)
SEG(syn_received, ack_old, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack -1", "R -1", syn_received)
SEG(syn_received, ack_future, "RFC 9293 3.10.7.4 fifth",
    "A 0 ack 1", "R 1", syn_received)
SEG(syn_received, ack_data_future, "RFC 9293 3.10.7.4 fifth",
    "PA 0+10 ack 100", "R 100", syn_received)
SEG(syn_received, rst_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 0", NOTHING, gone)
SEG(syn_received, rst_ack_exact, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "RA 0 ack 0", NOTHING, gone)
SEG(syn_received, rst_in_window, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 100", "A 0 ack 0", syn_received)
SEG(syn_received, rst_old, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R -100", NOTHING, syn_received)
SEG(syn_received, rst_future, "RFC 9293 3.10.7.4 second, RFC 5961 3.2",
    "R 1000000", NOTHING, syn_received)
SEG(syn_received, syn_again, "RFC 9293 3.10.7.4 first",
    "S -1 mss 1460", "SA -1 ack 0", syn_received)
SEG(syn_received, syn_future, "RFC 9293 3.10.7.4 first",
    "S 1000000 mss 1460", "A 0 ack 0", syn_received)
SEG(syn_received, no_flags, "RFC 9293 3.10.7.4 fifth",
    "- 0", NOTHING, syn_received)
SEG(syn_received, no_ack, "RFC 9293 3.10.7.4 fifth",
    "P 0+10", NOTHING, syn_received)
SEG(syn_received, fin_no_ack, "RFC 9293 3.10.7.4 fifth",
    "F 0", NOTHING, syn_received)
SEG(syn_received, data_beyond, "RFC 9293 3.10.7.4 first",
    "PA 1000000+10 ack 0", "A 0 ack 0", syn_received)
SEG(syn_received, ack_old_seq, "RFC 9293 3.10.7.4 first",
    "A -100 ack 0", "A 0 ack 0", syn_received)
SEG(syn_received, data_hole, "RFC 9293 3.10.7.4 seventh",
    "PA 10+10 ack 0", "A 0 ack 0", established)
SEG(syn_received, fin_hole, "RFC 9293 3.10.7.4 eighth",
    "FA 10 ack 0", "A 0 ack 0", established)

DIFF(syn_received, old_syn_text,
     "RFC 9293 3.10.7.4 first: what lies before the window is cut off, here the SYN",
     "SA -1+10 ack 0 mss 1460", "A 0 ack 10", established,
     "makes the socket and challenges the SYN", "A 0 ack 0", syn_received)
DIFF(syn_received, old_syn_fin,
     "RFC 9293 3.10.7.4 first: what lies before the window is cut off, here the SYN",
     "SFA -1 ack 0 mss 1460", "A 0 ack 1", close_wait,
     "makes the socket and challenges the SYN", "A 0 ack 0", syn_received)

TEST_HARNESS_MAIN
