/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, as one list: X(SYMBOL, "Group", "Name"). The names are those of RFC
 * 4293, 4022 and 4113 as /proc/net/snmp and /proc/net/netstat print them; the
 * order is the order of the columns. report/mib.c prints them, everybody counts.
 */
#ifndef _STRATA_STATS_H
#define _STRATA_STATS_H

#include <linux/percpu.h>
#include "strata.h"
#include "trace.h"

#define STRATA_MIB_IP(X) \
	X(IP_INRECEIVES,	"Ip", "InReceives") \
	X(IP_INHDRERRORS,	"Ip", "InHdrErrors") \
	X(IP_INADDRERRORS,	"Ip", "InAddrErrors") \
	X(IP_FORWDATAGRAMS,	"Ip", "ForwDatagrams") \
	X(IP_INUNKNOWNPROTOS,	"Ip", "InUnknownProtos") \
	X(IP_INDISCARDS,	"Ip", "InDiscards") \
	X(IP_INDELIVERS,	"Ip", "InDelivers") \
	X(IP_OUTREQUESTS,	"Ip", "OutRequests") \
	X(IP_OUTDISCARDS,	"Ip", "OutDiscards") \
	X(IP_OUTNOROUTES,	"Ip", "OutNoRoutes") \
	X(IP_REASMTIMEOUT,	"Ip", "ReasmTimeout") \
	X(IP_REASMREQDS,	"Ip", "ReasmReqds") \
	X(IP_REASMOKS,		"Ip", "ReasmOKs") \
	X(IP_REASMFAILS,	"Ip", "ReasmFails") \
	X(IP_FRAGOKS,		"Ip", "FragOKs") \
	X(IP_FRAGFAILS,		"Ip", "FragFails") \
	X(IP_FRAGCREATES,	"Ip", "FragCreates") \
	X(IP_OUTTRANSMITS,	"Ip", "OutTransmits")

#define STRATA_MIB_ICMP(X) \
	X(ICMP_INMSGS,		"Icmp", "InMsgs") \
	X(ICMP_INERRORS,	"Icmp", "InErrors") \
	X(ICMP_INCSUMERRORS,	"Icmp", "InCsumErrors") \
	X(ICMP_INDESTUNREACHS,	"Icmp", "InDestUnreachs") \
	X(ICMP_INTIMEEXCDS,	"Icmp", "InTimeExcds") \
	X(ICMP_INPARMPROBS,	"Icmp", "InParmProbs") \
	X(ICMP_INSRCQUENCHS,	"Icmp", "InSrcQuenchs") \
	X(ICMP_INREDIRECTS,	"Icmp", "InRedirects") \
	X(ICMP_INECHOS,		"Icmp", "InEchos") \
	X(ICMP_INECHOREPS,	"Icmp", "InEchoReps") \
	X(ICMP_INTIMESTAMPS,	"Icmp", "InTimestamps") \
	X(ICMP_INTIMESTAMPREPS,	"Icmp", "InTimestampReps") \
	X(ICMP_INADDRMASKS,	"Icmp", "InAddrMasks") \
	X(ICMP_INADDRMASKREPS,	"Icmp", "InAddrMaskReps") \
	X(ICMP_OUTMSGS,		"Icmp", "OutMsgs") \
	X(ICMP_OUTERRORS,	"Icmp", "OutErrors") \
	X(ICMP_OUTRATELIMITGLOBAL, "Icmp", "OutRateLimitGlobal") \
	X(ICMP_OUTRATELIMIT,	"Icmp", "OutRateLimitHost") \
	X(ICMP_OUTDESTUNREACHS,	"Icmp", "OutDestUnreachs") \
	X(ICMP_OUTTIMEEXCDS,	"Icmp", "OutTimeExcds") \
	X(ICMP_OUTPARMPROBS,	"Icmp", "OutParmProbs") \
	X(ICMP_OUTSRCQUENCHS,	"Icmp", "OutSrcQuenchs") \
	X(ICMP_OUTREDIRECTS,	"Icmp", "OutRedirects") \
	X(ICMP_OUTECHOS,	"Icmp", "OutEchos") \
	X(ICMP_OUTECHOREPS,	"Icmp", "OutEchoReps") \
	X(ICMP_OUTTIMESTAMPS,	"Icmp", "OutTimestamps") \
	X(ICMP_OUTTIMESTAMPREPS, "Icmp", "OutTimestampReps") \
	X(ICMP_OUTADDRMASKS,	"Icmp", "OutAddrMasks") \
	X(ICMP_OUTADDRMASKREPS,	"Icmp", "OutAddrMaskReps")

#define STRATA_MIB_TCP(X) \
	X(TCP_ACTIVEOPENS,	"Tcp", "ActiveOpens") \
	X(TCP_PASSIVEOPENS,	"Tcp", "PassiveOpens") \
	X(TCP_ATTEMPTFAILS,	"Tcp", "AttemptFails") \
	X(TCP_ESTABRESETS,	"Tcp", "EstabResets") \
	X(TCP_CURRESTAB,	"Tcp", "CurrEstab") \
	X(TCP_INSEGS,		"Tcp", "InSegs") \
	X(TCP_OUTSEGS,		"Tcp", "OutSegs") \
	X(TCP_RETRANSSEGS,	"Tcp", "RetransSegs") \
	X(TCP_INERRS,		"Tcp", "InErrs") \
	X(TCP_OUTRSTS,		"Tcp", "OutRsts") \
	X(TCP_INCSUMERRORS,	"Tcp", "InCsumErrors")

#define STRATA_MIB_UDP(X) \
	X(UDP_INDATAGRAMS,	"Udp", "InDatagrams") \
	X(UDP_NOPORTS,		"Udp", "NoPorts") \
	X(UDP_INERRORS,		"Udp", "InErrors") \
	X(UDP_OUTDATAGRAMS,	"Udp", "OutDatagrams") \
	X(UDP_RCVBUFERRORS,	"Udp", "RcvbufErrors") \
	X(UDP_SNDBUFERRORS,	"Udp", "SndbufErrors") \
	X(UDP_INCSUMERRORS,	"Udp", "InCsumErrors") \
	X(UDP_IGNOREDMULTI,	"Udp", "IgnoredMulti") \
	X(UDP_MEMERRORS,	"Udp", "MemErrors")

/* names of native's TcpExt where the event is the same */
#define STRATA_MIB_TCPEXT(X) \
	X(TCPEXT_SYNCOOKIESSENT,	"TcpExt", "SyncookiesSent") \
	X(TCPEXT_SYNCOOKIESRECV,	"TcpExt", "SyncookiesRecv") \
	X(TCPEXT_SYNCOOKIESFAILED,	"TcpExt", "SyncookiesFailed") \
	X(TCPEXT_EMBRYONICRSTS,		"TcpExt", "EmbryonicRsts") \
	X(TCPEXT_PRUNECALLED,		"TcpExt", "PruneCalled") \
	X(TCPEXT_RCVPRUNED,		"TcpExt", "RcvPruned") \
	X(TCPEXT_OFOPRUNED,		"TcpExt", "OfoPruned") \
	X(TCPEXT_TW,			"TcpExt", "TW") \
	X(TCPEXT_TWRECYCLED,		"TcpExt", "TWRecycled") \
	X(TCPEXT_TWOVERFLOW,		"TcpExt", "TCPTimeWaitOverflow") \
	X(TCPEXT_PAWSACTIVE,		"TcpExt", "PAWSActive") \
	X(TCPEXT_PAWSESTAB,		"TcpExt", "PAWSEstab") \
	X(TCPEXT_DELAYEDACKS,		"TcpExt", "DelayedACKs") \
	X(TCPEXT_DELAYEDACKLOCKED,	"TcpExt", "DelayedACKLocked") \
	X(TCPEXT_DELAYEDACKLOST,	"TcpExt", "DelayedACKLost") \
	X(TCPEXT_LISTENOVERFLOWS,	"TcpExt", "ListenOverflows") \
	X(TCPEXT_LISTENDROPS,		"TcpExt", "ListenDrops") \
	X(TCPEXT_PUREACKS,		"TcpExt", "TCPPureAcks") \
	X(TCPEXT_SACKRECOVERY,		"TcpExt", "TCPSackRecovery") \
	X(TCPEXT_RENORECOVERY,		"TcpExt", "TCPRenoRecovery") \
	X(TCPEXT_SACKRENEGING,		"TcpExt", "TCPSACKReneging") \
	X(TCPEXT_SACKREORDER,		"TcpExt", "TCPSACKReorder") \
	X(TCPEXT_FULLUNDO,		"TcpExt", "TCPFullUndo") \
	X(TCPEXT_PARTIALUNDO,		"TcpExt", "TCPPartialUndo") \
	X(TCPEXT_DSACKUNDO,		"TcpExt", "TCPDSACKUndo") \
	X(TCPEXT_LOSSUNDO,		"TcpExt", "TCPLossUndo") \
	X(TCPEXT_LOSTRETRANSMIT,	"TcpExt", "TCPLostRetransmit") \
	X(TCPEXT_FASTRETRANS,		"TcpExt", "TCPFastRetrans") \
	X(TCPEXT_SLOWSTARTRETRANS,	"TcpExt", "TCPSlowStartRetrans") \
	X(TCPEXT_TIMEOUTS,		"TcpExt", "TCPTimeouts") \
	X(TCPEXT_LOSSPROBES,		"TcpExt", "TCPLossProbes") \
	X(TCPEXT_LOSSPROBERECOVERY,	"TcpExt", "TCPLossProbeRecovery") \
	X(TCPEXT_SPURIOUSRTOS,		"TcpExt", "TCPSpuriousRTOs") \
	X(TCPEXT_BACKLOGCOALESCE,	"TcpExt", "TCPBacklogCoalesce") \
	X(TCPEXT_BACKLOGDROP,		"TcpExt", "TCPBacklogDrop") \
	X(TCPEXT_MINTTLDROP,		"TcpExt", "TCPMinTTLDrop") \
	X(TCPEXT_RCVQDROP,		"TcpExt", "TCPRcvQDrop") \
	X(TCPEXT_OFOQUEUE,		"TcpExt", "TCPOFOQueue") \
	X(TCPEXT_OFODROP,		"TcpExt", "TCPOFODrop") \
	X(TCPEXT_OFOMERGE,		"TcpExt", "TCPOFOMerge") \
	X(TCPEXT_RCVCOALESCE,		"TcpExt", "TCPRcvCoalesce") \
	X(TCPEXT_DSACKOLDSENT,		"TcpExt", "TCPDSACKOldSent") \
	X(TCPEXT_DSACKOFOSENT,		"TcpExt", "TCPDSACKOfoSent") \
	X(TCPEXT_DSACKRECV,		"TcpExt", "TCPDSACKRecv") \
	X(TCPEXT_DSACKOFORECV,		"TcpExt", "TCPDSACKOfoRecv") \
	X(TCPEXT_ABORTONDATA,		"TcpExt", "TCPAbortOnData") \
	X(TCPEXT_ABORTONCLOSE,		"TcpExt", "TCPAbortOnClose") \
	X(TCPEXT_ABORTONMEMORY,		"TcpExt", "TCPAbortOnMemory") \
	X(TCPEXT_ABORTONTIMEOUT,	"TcpExt", "TCPAbortOnTimeout") \
	X(TCPEXT_ABORTONLINGER,		"TcpExt", "TCPAbortOnLinger") \
	X(TCPEXT_MEMORYPRESSURES,	"TcpExt", "TCPMemoryPressures") \
	X(TCPEXT_CHALLENGEACK,		"TcpExt", "TCPChallengeACK") \
	X(TCPEXT_SYNCHALLENGE,		"TcpExt", "TCPSYNChallenge") \
	X(TCPEXT_FASTOPENACTIVE,	"TcpExt", "TCPFastOpenActive") \
	X(TCPEXT_FASTOPENACTIVEFAIL,	"TcpExt", "TCPFastOpenActiveFail") \
	X(TCPEXT_FASTOPENPASSIVE,	"TcpExt", "TCPFastOpenPassive") \
	X(TCPEXT_FASTOPENPASSIVEFAIL,	"TcpExt", "TCPFastOpenPassiveFail") \
	X(TCPEXT_FASTOPENOVERFLOW,	"TcpExt", "TCPFastOpenListenOverflow") \
	X(TCPEXT_FASTOPENCOOKIEREQD,	"TcpExt", "TCPFastOpenCookieReqd") \
	X(TCPEXT_FASTOPENBLACKHOLE,	"TcpExt", "TCPFastOpenBlackhole") \
	X(TCPEXT_REQQFULLDROP,		"TcpExt", "TCPReqQFullDrop") \
	X(TCPEXT_REQQFULLDOCOOKIES,	"TcpExt", "TCPReqQFullDoCookies") \
	X(TCPEXT_SPURIOUSRTXHOSTQUEUES,	"TcpExt", "TCPSpuriousRtxHostQueues") \
	X(TCPEXT_RETRANSFAIL,		"TcpExt", "TCPRetransFail") \
	X(TCPEXT_MTUPFAIL,		"TcpExt", "TCPMTUPFail") \
	X(TCPEXT_MTUPSUCCESS,		"TcpExt", "TCPMTUPSuccess") \
	X(TCPEXT_AUTOCORKING,		"TcpExt", "TCPAutoCorking") \
	X(TCPEXT_ORIGDATASENT,		"TcpExt", "TCPOrigDataSent") \
	X(TCPEXT_ACKSKIPPEDSYNRECV,	"TcpExt", "TCPACKSkippedSynRecv") \
	X(TCPEXT_ACKSKIPPEDPAWS,	"TcpExt", "TCPACKSkippedPAWS") \
	X(TCPEXT_ACKSKIPPEDSEQ,		"TcpExt", "TCPACKSkippedSeq") \
	X(TCPEXT_ACKSKIPPEDCHALLENGE,	"TcpExt", "TCPACKSkippedChallenge") \
	X(TCPEXT_KEEPALIVE,		"TcpExt", "TCPKeepAlive") \
	X(TCPEXT_WINPROBE,		"TcpExt", "TCPWinProbe") \
	X(TCPEXT_ACKCOMPRESSED,		"TcpExt", "TCPAckCompressed") \
	X(TCPEXT_DELIVEREDCE,		"TcpExt", "TCPDeliveredCE") \
	X(TCPEXT_ZEROWINDOWDROP,	"TcpExt", "TCPZeroWindowDrop") \
	X(TCPEXT_TOZEROWINDOWADV,	"TcpExt", "TCPToZeroWindowAdv") \
	X(TCPEXT_FROMZEROWINDOWADV,	"TcpExt", "TCPFromZeroWindowAdv") \
	X(TCPEXT_WANTZEROWINDOWADV,	"TcpExt", "TCPWantZeroWindowAdv") \
	X(TCPEXT_HPHITS,		"TcpExt", "TCPHPHits") \
	X(TCPEXT_WQUEUETOOBIG,		"TcpExt", "TCPWqueueTooBig") \
	X(TCPEXT_MIGRATEREQSUCCESS,	"TcpExt", "TCPMigrateReqSuccess") \
	X(TCPEXT_MIGRATEREQFAILURE,	"TcpExt", "TCPMigrateReqFailure") \
	X(TCPEXT_FASTOPENALTKEY,	"TcpExt", "TCPFastOpenPassiveAltKey")

#define STRATA_MIB_ARP(X) \
	X(ARP_INREQUESTS,	"ArpExt", "InRequests") \
	X(ARP_INREPLIES,	"ArpExt", "InReplies") \
	X(ARP_INERRORS,		"ArpExt", "InErrors") \
	X(ARP_OUTREQUESTS,	"ArpExt", "OutRequests") \
	X(ARP_OUTREPLIES,	"ArpExt", "OutReplies") \
	X(ARP_RESFAILED,	"ArpExt", "ResolutionFailed") \
	X(ARP_TABLEFULL,	"ArpExt", "TableFull") \
	X(ARP_QUEUEDROPS,	"ArpExt", "QueueDrops") \
	X(ARP_CONFLICTS,	"ArpExt", "AddressConflicts")

#define STRATA_MIB_IPEXT(X) \
	X(IPEXT_INNOROUTES,	"IpExt", "InNoRoutes") \
	X(IPEXT_INTRUNCATEDPKTS,	"IpExt", "InTruncatedPkts") \
	X(IPEXT_INCSUMERRORS,	"IpExt", "InCsumErrors") \
	X(IPEXT_INMCASTPKTS,	"IpExt", "InMcastPkts") \
	X(IPEXT_INBCASTPKTS,	"IpExt", "InBcastPkts") \
	X(IPEXT_OUTBCASTPKTS,	"IpExt", "OutBcastPkts") \
	X(IPEXT_OUTMCASTPKTS,	"IpExt", "OutMcastPkts") \
	X(IPEXT_INOCTETS,	"IpExt", "InOctets") \
	X(IPEXT_OUTOCTETS,	"IpExt", "OutOctets") \
	X(IPEXT_INNOECTPKTS,	"IpExt", "InNoECTPkts") \
	X(IPEXT_INECT1PKTS,	"IpExt", "InECT1Pkts") \
	X(IPEXT_INECT0PKTS,	"IpExt", "InECT0Pkts") \
	X(IPEXT_INCEPKTS,	"IpExt", "InCEPkts") \
	X(IPEXT_REASMOVERLAPS,	"IpExt", "ReasmOverlaps")

#define STRATA_MIB_ALL(X) \
	STRATA_MIB_IP(X) STRATA_MIB_ICMP(X) STRATA_MIB_TCP(X) STRATA_MIB_UDP(X) \
	STRATA_MIB_TCPEXT(X) STRATA_MIB_IPEXT(X) STRATA_MIB_ARP(X)

#define STRATA_MIB_ENUM(sym, group, name) STRATA_MIB_##sym,
enum strata_mib_id {
	STRATA_MIB_ALL(STRATA_MIB_ENUM)
	STRATA_MIB_SOCKETS,	/* that exist, of all protocols: in no group, sockstat's */
	STRATA_MIB_MAX
};
#undef STRATA_MIB_ENUM

struct strata_mib {
	unsigned long	v[STRATA_MIB_MAX];
};

/** strata_inc() - count one event of the namespace; any context */
#define strata_inc(sn, sym)	this_cpu_inc((sn)->mib->v[STRATA_MIB_##sym])
/** strata_add() - count @n events or octets; any context */
#define strata_add(sn, sym, n)	this_cpu_add((sn)->mib->v[STRATA_MIB_##sym], n)

/* layers as seen by the drop trace event */
enum strata_layer_id {
	STRATA_LAYER_DEV, STRATA_LAYER_ARP, STRATA_LAYER_IP, STRATA_LAYER_ICMP,
	STRATA_LAYER_UDP, STRATA_LAYER_TCP, STRATA_LAYER_SOCK,
};

/**
 * strata_drop() - the end of a packet that does not reach anybody
 * @skb: consumed
 * @layer: who gives it up
 * @why: SKB_DROP_REASON_*; must not be SKB_NOT_DROPPED_YET
 *
 * Fires the drop trace event and frees with the reason. The caller has counted
 * the protocol's own counter. Any context.
 */
static inline void strata_drop(struct sk_buff *skb, enum strata_layer_id layer,
			       enum skb_drop_reason why)
{
	trace_strata_drop(skb, layer, why);
	kfree_skb_reason(skb, why);
}

#endif /* _STRATA_STATS_H */
