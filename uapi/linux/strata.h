/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Strata: the address family, for the kernel and for programs.
 *
 *	int fd = socket(AF_STRATA, SOCK_STREAM, 0);
 *
 * gives a socket whose TCP, IPv4, ICMP and ARP are Strata's.  Everything
 * else stays as it is with AF_INET:
 *
 *  - Addresses are struct sockaddr_in.  bind(), connect() and sendto() take
 *    sin_family AF_INET or AF_STRATA; accept(), getsockname(), getpeername()
 *    and recvfrom() return AF_INET.
 *  - The types and protocols are
 *	SOCK_STREAM	0 or IPPROTO_TCP
 *	SOCK_DGRAM	0 or IPPROTO_UDP
 *	SOCK_DGRAM	IPPROTO_ICMP (echo requests and replies: ping)
 *    Another type gives ESOCKTNOSUPPORT, another protocol EPROTONOSUPPORT.
 *  - Socket options, ioctls, errno values and poll events are those of
 *    AF_INET.
 *  - Addresses, routes and neighbours are set by rtnetlink messages whose
 *    family is AF_STRATA; sockets are listed by sock_diag with sdiag_family
 *    AF_STRATA in the layout of <linux/inet_diag.h>.
 */
#ifndef _UAPI_LINUX_STRATA_H
#define _UAPI_LINUX_STRATA_H

/*
 * Families are numbers below NPROTO, all of them named, so this one takes
 * the number of AF_ASH, which Linux never implemented.  Where that collides
 * with another module, strata.ko's parameter `family' moves it: tools that
 * must work there read the number from STRATA_FAMILY_PARAM (a decimal number
 * and a newline) and use AF_STRATA while the file does not exist, that is
 * before the module is loaded.
 */
#define AF_STRATA		18
#define PF_STRATA		AF_STRATA

/*
 * setsockopt() at this level is setsockopt() at SOL_SOCKET for SO_REUSEPORT,
 * SO_ZEROCOPY and SO_TIMESTAMPING.  Before Linux 6.2 the kernel's core answers
 * those itself at SOL_SOCKET, and has EOPNOTSUPP for families but AF_INET.
 */
#define SOL_STRATA		0x5354

#define STRATA_FAMILY_PARAM	"/sys/module/strata/parameters/family"

#endif /* _UAPI_LINUX_STRATA_H */
