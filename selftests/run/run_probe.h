/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUN_PROBE_H
#define RUN_PROBE_H

/* The families a socket can turn out to be of. */
int domain_of(int fd);

/* run_probe_ns.c: namespaces and identity */
int probe_netns(int argc, char **argv);
int probe_thread_netns(int argc, char **argv);
int probe_userns(int argc, char **argv);
int probe_place(int argc, char **argv);
int probe_shut_off(int argc, char **argv);
int probe_away(int argc, char **argv);
int probe_uid(int argc, char **argv);

/* run_probe_sys.c: system calls by hand */
int probe_compat(int argc, char **argv);
int probe_sandbox(int argc, char **argv);
int probe_listener(int argc, char **argv);

#endif
