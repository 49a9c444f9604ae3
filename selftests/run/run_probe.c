// SPDX-License-Identifier: GPL-2.0-only
/*
 * run_probe WHAT [ARGUMENT]...: a static program that is run under the
 * launcher and prints what it sees. Exit status 0: it could look; 4: what it
 * needs is not there (the test skips).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_probe.h"

int domain_of(int fd)
{
	int domain = -1;
	socklen_t len = sizeof(domain);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	return domain;
}

/* socket DOMAIN TYPE PROTOCOL: "domain D cloexec C nonblock N" or "errno E" */
static int probe_socket(int argc, char **argv)
{
	int fd;

	if (argc != 4)
		return 2;
	fd = socket(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
	if (fd < 0)
		printf("errno %d\n", errno);
	else
		printf("domain %d cloexec %d nonblock %d\n", domain_of(fd),
		       !!(fcntl(fd, F_GETFD) & FD_CLOEXEC),
		       !!(fcntl(fd, F_GETFL) & O_NONBLOCK));
	return 0;
}

/* process: pid, what it has inherited and whether it has children */
static int probe_process(int argc, char **argv)
{
	sigset_t pending;
	int fd, open = 0;

	for (fd = 0; fd < 1024; fd++)
		open += fcntl(fd, F_GETFD) >= 0;
	sigpending(&pending);
	printf("pid %d fds %d child %d pending %d nnp %d\n", getpid(), open,
	       !(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD),
	       sigismember(&pending, SIGCHLD),
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return 0;
}

/* open and close n sockets; how many were of the family asked for */
static long churn(long n, int family)
{
	long moved = 0;
	int fd;

	while (n--) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0)
			continue;
		moved += domain_of(fd) == family;
		close(fd);
	}
	return moved;
}

/* many N FAMILY */
static int probe_many(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	printf("moved %ld\n", churn(atol(argv[1]), atoi(argv[2])));
	return 0;
}

static void *churn_thread(void *arg)
{
	char **argv = arg;

	return (void *)churn(atol(argv[1]), atoi(argv[2]));
}

/* threads N FAMILY: eight threads at once, N sockets each */
static int probe_threads(int argc, char **argv)
{
	long moved = 0;
	pthread_t t[8];
	void *n;
	int i;

	if (argc != 3)
		return 2;
	for (i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, churn_thread, argv);
	for (i = 0; i < 8; i++) {
		pthread_join(t[i], &n);
		moved += (long)n;
	}
	printf("moved %ld\n", moved);
	return 0;
}

static void nothing(int sig)
{
	(void)sig;
}

/* storm N FAMILY: N sockets under a timer that fires 5 000 times a second */
static int probe_storm(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct itimerval it = { { 0, 200 }, { 0, 200 } };

	if (argc != 3)
		return 2;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	printf("moved %ld\n", churn(atol(argv[1]), atoi(argv[2])));
	return 0;
}

/* daemon FILE: go to the background, open a socket later, write to FILE */
static int probe_daemon(int argc, char **argv)
{
	FILE *f;

	if (daemon(0, 0))
		return 1;
	usleep(300000);
	f = fopen(argv[1], "w");
	if (!f)
		return 1;
	fprintf(f, "domain %d\n", domain_of(socket(AF_INET, SOCK_STREAM, 0)));
	fclose(f);
	return 0;
}

/* full: the table of descriptors is full */
static int probe_full(int argc, char **argv)
{
	struct rlimit few = { 8, 8 };
	int n = 0;

	setrlimit(RLIMIT_NOFILE, &few);
	while (socket(AF_INET, SOCK_STREAM, 0) >= 0)
		n++;
	printf("opened %d errno %d\n", n, errno);
	return 0;
}

/* sigchld: is it ignored? wait: until a signal comes */
static int probe_sigchld(int argc, char **argv)
{
	struct sigaction sa;

	sigaction(SIGCHLD, NULL, &sa);
	printf("ignored %d\n", sa.sa_handler == SIG_IGN);
	return 0;
}

static int probe_wait(int argc, char **argv)
{
	printf("waiting\n");
	fflush(stdout);
	while (pause())
		;
	return 0;
}

static const struct {
	const char *name;
	int (*probe)(int argc, char **argv);
} probes[] = {
	{ "socket", probe_socket },	{ "process", probe_process },
	{ "many", probe_many },		{ "threads", probe_threads },
	{ "storm", probe_storm },	{ "daemon", probe_daemon },
	{ "full", probe_full },		{ "sigchld", probe_sigchld },
	{ "wait", probe_wait },		{ "netns", probe_netns },
	{ "thread_netns", probe_thread_netns },
	{ "userns", probe_userns },	{ "shut_off", probe_shut_off },
	{ "place", probe_place },	{ "away", probe_away },
	{ "uid", probe_uid },		{ "compat", probe_compat },
	{ "sandbox", probe_sandbox },	{ "listener", probe_listener },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(probes) / sizeof(probes[0]); i++)
		if (!strcmp(argv[1], probes[i].name))
			return probes[i].probe(argc - 1, argv + 1);
	fprintf(stderr, "run_probe: no such probe\n");
	return 2;
}
