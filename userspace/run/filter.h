/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers of socket() on each machine: native, x32, and 32-bit programs
 * on a 64-bit kernel.
 */
#ifndef STRATA_RUN_FILTER_H
#define STRATA_RUN_FILTER_H

#define NO_SUCH_CALL		0xffffffffu

#if defined(__x86_64__) && !defined(__ILP32__)
#define RUN_ARCH		AUDIT_ARCH_X86_64
#define RUN_X32_SOCKET		(0x40000000 | __NR_socket)
#define RUN_COMPAT_ARCH		AUDIT_ARCH_I386
#define RUN_COMPAT_SOCKET	359
#define RUN_COMPAT_SOCKETCALL	102
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define RUN_ARCH		AUDIT_ARCH_AARCH64
#define RUN_X32_SOCKET		NO_SUCH_CALL
#define RUN_COMPAT_ARCH		AUDIT_ARCH_ARM
#define RUN_COMPAT_SOCKET	281
#define RUN_COMPAT_SOCKETCALL	NO_SUCH_CALL
#else
#error "strata run: add the numbers of socket() on this machine"
#endif

#endif /* STRATA_RUN_FILTER_H */
