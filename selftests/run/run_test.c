// SPDX-License-Identifier: GPL-2.0-only
/*
 * What "strata run" promises to programs, tested with AF_UNIX in the place of
 * AF_STRATA: sockets that were moved say so by SO_DOMAIN. STRATA_FULL=1: more of them, but
 * on the debug machine, where one takes 15 ms.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "run_spawn.h"

#define TO "1"			/* AF_UNIX, as a word */
#define MOVED "domain 1 cloexec 0 nonblock 0\n"

FIXTURE(run) {
	struct outcome o;
	char *as, *probe;
};

FIXTURE_SETUP(run)
{
	self->as = strdup(beside("run_as"));
	self->probe = strdup(beside("run_probe"));
}

/* No test may leave a process behind. */
FIXTURE_TEARDOWN(run)
{
	EXPECT_EQ(0, self->o.left);
	free(self->as);
	free(self->probe);
}

#define RUN(...) \
	spawn(&self->o, NULL, self->as, TO, __VA_ARGS__, NULL)
#define RUN_WITH(setup, ...) \
	spawn(&self->o, setup, self->as, TO, __VA_ARGS__, NULL)
#define EXIT_STATUS() \
	(WIFEXITED(self->o.status) ? WEXITSTATUS(self->o.status) : -1)
#define SKIP_IF_MISSING(what) \
	do { if (EXIT_STATUS() == 4) SKIP(return, what); } while (0)

/* On the debug machine, where a socket takes 14 ms, a tenth of them must do. */
static int sockets(int n)
{
	const char *machine = getenv("STRATA_MACHINE");

	return machine && !strcmp(machine, "debug") ? n / 10 : n;
}

/* Run "run_probe WHAT N"; it must say that times * N sockets were moved. */
#define RUN_MANY(what, n, times) do {					\
	int n_ = sockets(n);						\
	char count_[16], moved_[32];					\
									\
	snprintf(count_, sizeof(count_), "%d", n_);			\
	snprintf(moved_, sizeof(moved_), "moved %d\n", n_ * (times));	\
	RUN(self->probe, what, count_, TO);				\
	EXPECT_STREQ(moved_, self->o.out);				\
} while (0)

/* ---- which sockets are moved -------------------------------------------- */

TEST_F(run, moves_stream_and_datagram)
{
	RUN(self->probe, "socket", "2", "1", "0");
	EXPECT_STREQ(MOVED, self->o.out);
	EXPECT_EQ(0, EXIT_STATUS());
	EXPECT_STREQ("", self->o.err);
	RUN(self->probe, "socket", "2", "2", "0");
	EXPECT_STREQ(MOVED, self->o.out);
}

TEST_F(run, keeps_cloexec_and_nonblock)
{
	char type[16];

	snprintf(type, sizeof(type), "%d", SOCK_STREAM | SOCK_CLOEXEC);
	RUN(self->probe, "socket", "2", type, "0");
	EXPECT_STREQ("domain 1 cloexec 1 nonblock 0\n", self->o.out);
	snprintf(type, sizeof(type), "%d", SOCK_STREAM | SOCK_NONBLOCK);
	RUN(self->probe, "socket", "2", type, "0");
	EXPECT_STREQ("domain 1 cloexec 0 nonblock 1\n", self->o.out);
}

TEST_F(run, refuses_ipv6)
{
	char text[32];

	snprintf(text, sizeof(text), "errno %d\n", EAFNOSUPPORT);
	RUN(self->probe, "socket", "10", "1", "0");
	EXPECT_STREQ(text, self->o.out);
	RUN("--ipv6=off", self->probe, "socket", "10", "2", "0");
	EXPECT_STREQ(text, self->o.out);
	RUN("--report", self->probe, "socket", "10", "1", "0");
	EXPECT_STREQ(text, self->o.out);
}

TEST_F(run, leaves_ipv6_when_asked)
{
	char native[sizeof(self->o.out)];

	spawn(&self->o, NULL, self->probe, "socket", "10", "1", "0", NULL);
	strcpy(native, self->o.out);
	RUN("--ipv6=native", self->probe, "socket", "10", "1", "0");
	EXPECT_STREQ(native, self->o.out);
	RUN("--ipv6=native", "--report", self->probe, "socket", "10", "1", "0");
	EXPECT_STREQ(native, self->o.out);
}

/* Whatever is not moved gets the answer it gets without the launcher. */
TEST_F(run, leaves_the_rest_alone)
{
	static const char *const calls[][3] = {
		{ "2", "3", "1" },	/* raw ICMP */
		{ "2", "1", "132" },	/* SCTP */
		{ "2", "1", "17" },	/* a stream of UDP: an error */
		{ "2", "5", "0" },	/* SOCK_SEQPACKET: an error */
		{ "2", "17", "0" },	/* an unknown flag: an error */
		{ "1", "1", "0" },	/* AF_UNIX */
		{ "16", "3", "0" },	/* netlink */
		{ "17", "3", "0" },	/* packet */
		{ "99", "1", "0" },	/* no such family: an error */
	};
	char native[sizeof(self->o.out)];
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		spawn(&self->o, NULL, self->probe, "socket", calls[i][0],
		      calls[i][1], calls[i][2], NULL);
		strcpy(native, self->o.out);
		RUN(self->probe, "socket", calls[i][0], calls[i][1],
		    calls[i][2]);
		EXPECT_STREQ(native, self->o.out) {
			TH_LOG("socket(%s, %s, %s)", calls[i][0], calls[i][1],
			       calls[i][2]);
		}
	}
}

TEST_F(run, refuses_mptcp_as_a_kernel_without_it)
{
	char text[32];

	snprintf(text, sizeof(text), "errno %d\n", EPROTONOSUPPORT);
	RUN(self->probe, "socket", "2", "1", "262");
	EXPECT_STREQ(text, self->o.out);
}

/* AF_UNIX knows no IPPROTO_TCP: the family's own error reaches the caller. */
TEST_F(run, passes_on_the_familys_error)
{
	char text[32];

	snprintf(text, sizeof(text), "errno %d\n", EPROTONOSUPPORT);
	RUN(self->probe, "socket", "2", "1", "6");
	EXPECT_STREQ(text, self->o.out);
}

TEST_F(run, full_table_is_emfile)
{
	char text[32];

	snprintf(text, sizeof(text), "opened 5 errno %d\n", EMFILE);
	RUN(self->probe, "full");
	EXPECT_STREQ(text, self->o.out);
}

TEST_F(run, i386_calls)
{
	char text[160];

	RUN(self->probe, "compat");
	SKIP_IF_MISSING("no 32-bit system calls here");
	snprintf(text, sizeof(text),
		 "socket 1\nsocketcall 1\nsocketcall6 %d\nfault %d\n",
		 -EAFNOSUPPORT, -EFAULT);
	EXPECT_STREQ(text, self->o.out);
}

/* ---- the process -------------------------------------------------------- */

TEST_F(run, exit_statuses)
{
	RUN("sh", "-c", "exit 7");
	EXPECT_EQ(7, EXIT_STATUS());
	RUN("--report", "sh", "-c", "exit 7");
	EXPECT_EQ(7, EXIT_STATUS());
	RUN("--", "true");
	EXPECT_EQ(0, EXIT_STATUS());
}

TEST_F(run, no_such_program)
{
	RUN("/nonexistent/program");
	EXPECT_EQ(127, EXIT_STATUS());
	EXPECT_STREQ("strata run: /nonexistent/program: No such file or directory\n",
		     self->o.err);
	RUN("nosuchprogram");
	EXPECT_EQ(127, EXIT_STATUS());
	RUN("--report", "nosuchprogram");
	EXPECT_EQ(127, EXIT_STATUS());
	RUN("/etc/passwd");
	EXPECT_EQ(126, EXIT_STATUS());
	EXPECT_STREQ("strata run: /etc/passwd: Permission denied\n",
		     self->o.err);
}

TEST_F(run, bad_words)
{
	RUN("--ipv6=maybe", "true");
	EXPECT_EQ(125, EXIT_STATUS());
	EXPECT_STREQ("strata run: --ipv6=maybe: expected native or off\n",
		     self->o.err);
	RUN("--frobnicate", "true");
	EXPECT_EQ(125, EXIT_STATUS());
	RUN("--");
	EXPECT_EQ(125, EXIT_STATUS());
	RUN("--help");
	EXPECT_EQ(0, EXIT_STATUS());
	EXPECT_TRUE(self->o.out == strstr(self->o.out, "Usage: strata run "));
	EXPECT_STREQ("", self->o.err);
}

/* The program's own words are not the launcher's, whatever they look like. */
TEST_F(run, options_of_the_program)
{
	RUN("echo", "--report", "--ipv6=x", "--", "-h");
	EXPECT_STREQ("--report --ipv6=x -- -h\n", self->o.out);
}

TEST_F(run, death_by_signal)
{
	RUN("sh", "-c", "kill -KILL $$");
	EXPECT_TRUE(WIFSIGNALED(self->o.status));
	EXPECT_EQ(SIGKILL, WTERMSIG(self->o.status));
	RUN("--report", "sh", "-c", "kill -SEGV $$");
	EXPECT_TRUE(WIFSIGNALED(self->o.status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(self->o.status));
}

static void block_sigchld(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

TEST_F(run, same_process_and_nothing_inherited)
{
	char text[80];

	RUN_WITH(block_sigchld, self->probe, "process");
	snprintf(text, sizeof(text), "pid %d fds 3 child 0 pending 0 nnp %d\n",
		 self->o.pid, geteuid() != 0);
	EXPECT_STREQ(text, self->o.out);
}

static void take_in_orphans(void)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		_exit(98);
}

/* One that waits until it has no child left must not wait for the helper. */
TEST_F(run, program_that_takes_in_orphans)
{
	RUN_WITH(take_in_orphans, self->probe, "process");
	EXPECT_TRUE(!!strstr(self->o.out, " child 0 pending 0 "));
	RUN_WITH(take_in_orphans, self->probe, "socket", "2", "1", "0");
	EXPECT_STREQ(MOVED, self->o.out);
	if (geteuid())
		return;
	spawn(&self->o, NULL, "unshare", "-p", "-f", "--mount-proc", self->as, TO, self->probe,
	      "process", NULL);
	EXPECT_TRUE(!!strstr(self->o.out, "pid 1 "));
	EXPECT_TRUE(!!strstr(self->o.out, " child 0 pending 0 "));
	spawn(&self->o, NULL, "unshare", "-p", "-f", "--mount-proc", self->as, TO, self->probe,
	      "socket", "2", "1", "0", NULL);
	EXPECT_STREQ(MOVED, self->o.out);
}

static void no_clone3(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, insns };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(98);
}

/* as in a container, and in a service with RestrictNamespaces= (there ENOSYS) */
TEST_F(run, where_clone3_is_filtered)
{
	RUN_WITH(no_clone3, self->probe, "socket", "2", "1", "0");
	EXPECT_STREQ(MOVED, self->o.out);
	EXPECT_STREQ("", self->o.err);
}

static void close_all(void)
{
	close(0);
	close(2);
}

TEST_F(run, closed_standard_descriptors)
{
	RUN_WITH(close_all, self->probe, "process");
	EXPECT_TRUE(!!strstr(self->o.out, " fds 1 "));
}

static void close_input(void)
{
	close(0);
}

static void close_output(void)
{
	close(1);
}

TEST_F(run, report_with_standard_descriptors_closed)
{
	RUN_WITH(close_input, "--report", self->probe, "socket", "2", "1", "0");
	EXPECT_TRUE(!!strstr(self->o.err, "1 on Strata"));
	RUN_WITH(close_output, "--report", self->probe, "socket", "2", "1", "0");
	EXPECT_TRUE(!!strstr(self->o.err, "1 on Strata"));
}

static void ignore_sigchld(void)
{
	signal(SIGCHLD, SIG_IGN);
}

TEST_F(run, ignored_sigchld)
{
	RUN_WITH(ignore_sigchld, self->probe, "sigchld");
	EXPECT_STREQ("ignored 1\n", self->o.out);
	RUN_WITH(ignore_sigchld, "--report", self->probe, "sigchld");
	EXPECT_STREQ("ignored 1\n", self->o.out);
	RUN_WITH(ignore_sigchld, "--report", "sh", "-c", "exit 5");
	EXPECT_EQ(5, EXIT_STATUS());
}

TEST_F(run, standard_input)
{
	RUN("sh", "-c", "echo hello | cat");
	EXPECT_STREQ("hello\n", self->o.out);
	spawn(&self->o, NULL, "sh", "-c", "echo word | $0 $1 --report cat",
	      self->as, TO, NULL);
	EXPECT_STREQ("word\n", self->o.out);
}

/* ---- signals and the terminal ------------------------------------------- */

static void signal_reaches(struct __test_metadata *_metadata,
			   struct outcome *o, char *const argv[], int sig)
{
	struct running r = spawn_start(NULL, argv);

	EXPECT_TRUE(await_text(r.out, "waiting"));
	kill(r.pid, sig);
	spawn_finish(&r, o);
	EXPECT_TRUE(WIFSIGNALED(o->status));
	EXPECT_EQ(sig, WTERMSIG(o->status));
}

TEST_F(run, signals_reach_the_program)
{
	char *plain[] = { self->as, TO, self->probe, "wait", NULL };
	char *report[] = { self->as, TO, "--report", self->probe, "wait", NULL };

	signal_reaches(_metadata, &self->o, plain, SIGTERM);
	signal_reaches(_metadata, &self->o, plain, SIGUSR1);
	signal_reaches(_metadata, &self->o, report, SIGTERM);
	signal_reaches(_metadata, &self->o, report, SIGUSR1);
	EXPECT_TRUE(!!strstr(self->o.err, "strata run: sockets: 0 on"));
}

/* Ctrl-Z, then on again, then Ctrl-C. */
static void terminal_keys(struct __test_metadata *_metadata,
			  char *const argv[])
{
	int master, status;
	pid_t pid = spawn_job(argv, &master);

	EXPECT_TRUE(await_text(master, "waiting"));
	EXPECT_EQ(1, write(master, "\032", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGTSTP, WSTOPSIG(status));
	kill(-pid, SIGCONT);
	usleep(200000);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG | WUNTRACED));
	EXPECT_EQ(1, write(master, "\003", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGINT, WTERMSIG(status));
	close(master);
}

TEST_F(run, terminal)
{
	char *argv[] = { self->as, TO, self->probe, "wait", NULL };

	terminal_keys(_metadata, argv);
}

TEST_F(run, terminal_with_report)
{
	char *argv[] = { self->as, TO, "--report", self->probe, "wait", NULL };

	terminal_keys(_metadata, argv);
}

/* The state of a process, 'T' for stopped; 0: there is none. */
static char state_of(pid_t pid)
{
	char path[64], text[512] = "", *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	at = strrchr(text, ')');
	return at && at[1] ? at[2] : 0;
}

static bool await_state(pid_t pid, char state)
{
	int waited;

	for (waited = 0; waited < 5000; waited += 10) {
		if (state_of(pid) == state)
			return true;
		usleep(10000);
	}
	return false;
}

/* SIGSTOP and SIGCONT to the program alone: the parent that stays must not be left stopped. */
TEST_F(run, program_stopped_alone_with_report)
{
	char *argv[] = { self->as, TO, "--report", self->probe, "wait", NULL };
	struct running r = spawn_start(NULL, argv);
	pid_t program;

	EXPECT_TRUE(await_text(r.out, "waiting"));
	program = child_of(r.pid);
	ASSERT_GT(program, 0);
	kill(program, SIGSTOP);
	EXPECT_TRUE(await_state(program, 'T'));
	usleep(200000);
	kill(program, SIGCONT);
	EXPECT_TRUE(await_state(program, 'S'));
	EXPECT_EQ('S', state_of(r.pid));
	kill(r.pid, SIGCONT);	/* lest a failed test hangs */
	kill(r.pid, SIGTERM);
	spawn_finish(&r, &self->o);
	EXPECT_TRUE(WIFSIGNALED(self->o.status));
	EXPECT_EQ(SIGTERM, WTERMSIG(self->o.status));
}

/* Ctrl-Z on a program that has stopped itself brings the shell back. */
TEST_F(run, terminal_of_a_program_stopped_alone)
{
	char *argv[] = { self->as, TO, "--report", self->probe, "wait", NULL };
	int master, status;
	pid_t pid = spawn_job(argv, &master), program;

	EXPECT_TRUE(await_text(master, "waiting"));
	program = child_of(pid);
	ASSERT_GT(program, 0);
	kill(program, SIGSTOP);
	EXPECT_TRUE(await_state(program, 'T'));
	usleep(200000);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG | WUNTRACED));
	EXPECT_EQ(1, write(master, "\032", 1));
	EXPECT_TRUE(await_state(pid, 'T'));
	kill(-pid, SIGCONT);
	EXPECT_TRUE(await_state(program, 'S'));
	EXPECT_EQ(1, write(master, "\003", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	close(master);
}

/* A timer that fires all the time must not keep calls from being answered. */
TEST_F_TIMEOUT(run, storm_of_signals, 180)
{
	RUN_MANY("storm", 2000, 1);
}

/* ---- descendants, threads and the helper's life ------------------------- */

TEST_F_TIMEOUT(run, threads, 180)
{
	RUN_MANY("threads", 500, 8);
}

TEST_F(run, shells_and_grandchildren)
{
	RUN("sh", "-c", "(sh -c \"$0 socket 2 1 0; true\"); exit 3",
	    self->probe);
	EXPECT_STREQ(MOVED, self->o.out);
	EXPECT_EQ(3, EXIT_STATUS());
}

static void read_and_unlink(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "r");

	text[0] = '\0';
	if (f) {
		if (!fgets(text, size, f))
			text[0] = '\0';
		fclose(f);
	}
	unlink(path);
}

TEST_F(run, daemon_after_its_parent)
{
	char path[] = "/tmp/strata-run-XXXXXX", text[64];

	close(mkstemp(path));
	RUN(self->probe, "daemon", path);	/* waits for all to end */
	EXPECT_EQ(0, EXIT_STATUS());
	read_and_unlink(path, text, sizeof(text));
	EXPECT_STREQ("domain 1\n", text);
}

/* A helper that held the program's pipe would keep its reader waiting. */
TEST_F(run, helper_holds_nothing_of_the_program)
{
	char *argv[] = { self->as, TO, self->probe, "wait", NULL };
	struct running r = spawn_start(NULL, argv);
	char path[64], to[64];
	ssize_t n;
	int fd;

	EXPECT_TRUE(await_text(r.out, "waiting"));
	for (fd = 0; fd < 3; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", find_helper(), fd);
		n = readlink(path, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		EXPECT_STREQ("/dev/null", to);
	}
	snprintf(path, sizeof(path), "/proc/%d/cwd", find_helper());
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	EXPECT_STREQ("/", to);
	kill(r.pid, SIGTERM);
	spawn_finish(&r, &self->o);
}

/* SIGTERM to a whole control group: the helper stays for those who need it. */
TEST_F(run, helper_outlives_sigterm_but_not_the_program)
{
	char *argv[] = { self->as, TO, self->probe, "wait", NULL };
	struct running r = spawn_start(NULL, argv);
	pid_t helper;

	EXPECT_TRUE(await_text(r.out, "waiting"));
	helper = find_helper();
	ASSERT_GT(helper, 0);
	EXPECT_NE(getsid(helper), getsid(0));
	kill(helper, SIGTERM);
	kill(helper, SIGINT);
	kill(helper, SIGHUP);
	usleep(100000);
	EXPECT_EQ(helper, find_helper());
	EXPECT_EQ(0, waitpid(helper, NULL, WNOHANG));
	kill(r.pid, SIGTERM);
	spawn_finish(&r, &self->o);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* The machine's own measure: n bytes to a process and back, milliseconds. */
static double round_trips(int n)
{
	double start = now_ms();
	int fd[2], i;
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		abort();
	if (!fork()) {
		close(fd[0]);
		while (read(fd[1], &c, 1) == 1 && write(fd[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(fd[1]);
	for (i = 0; i < n; i++)
		if (write(fd[0], "x", 1) != 1 || read(fd[0], &c, 1) != 1)
			abort();
	close(fd[0]);
	wait(NULL);
	return now_ms() - start;
}

/*
 * A socket that is moved costs a round trip to the helper and about fifteen
 * system calls there: less than 25 round trips, on slow machines too.
 */
TEST_F_TIMEOUT(run, many_sockets, 280)
{
	const char *machine = getenv("STRATA_MACHINE");
	bool full = getenv("STRATA_FULL") && !(machine && !strcmp(machine, "debug"));
	const char *count = full ? "10000" : "2000";
	double trips = round_trips(atoi(count)), start = now_ms();
	char moved[32];

	RUN(self->probe, "many", count, TO);
	start = now_ms() - start;
	snprintf(moved, sizeof(moved), "moved %s\n", count);
	EXPECT_STREQ(moved, self->o.out);
	TH_LOG("%s sockets in %.0f ms; as many round trips in %.0f ms",
	       count, start, trips);
	EXPECT_LE(start, trips * 25);	/* both 0 in virtual time */
}

/* ---- namespaces and identity -------------------------------------------- */

TEST_F(run, network_namespaces)
{
	if (geteuid())
		SKIP(return, "needs root");
	RUN(self->probe, "netns");
	EXPECT_STREQ("home domain 1 here 1\naway domain 1 here 1\n"
		     "farther domain 1 here 1\nback domain 1 here 1\n",
		     self->o.out);
	RUN("unshare", "-n", self->probe, "netns");
	EXPECT_TRUE(self->o.out == strstr(self->o.out, "home domain 1 here 1\n"));
	RUN(self->probe, "thread_netns");
	EXPECT_STREQ("thread domain 1 here 1\nmain domain 1 here 1\n",
		     self->o.out);
}

static ino_t netns_of(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* A namespace that the program has left must not live on in the helper. */
TEST_F(run, helper_returns_home)
{
	char *argv[] = { self->as, TO, self->probe, "away", NULL };
	struct running r;

	if (geteuid())
		SKIP(return, "needs root");
	r = spawn_start(NULL, argv);
	EXPECT_TRUE(await_text(r.out, "waiting"));
	sleep(1);
	EXPECT_EQ(netns_of(getpid()), netns_of(find_helper()));
	kill(r.pid, SIGTERM);
	spawn_finish(&r, &self->o);
}

static void become_nobody(void)
{
	if (setgid(65534) || setuid(65534))
		_exit(98);
}

TEST_F(run, user_namespace_of_an_ordinary_user)
{
	if (geteuid())
		SKIP(return, "needs root, to become an ordinary user");
	RUN_WITH(become_nobody, self->probe, "userns");
	if (EXIT_STATUS() == 99)
		SKIP(return, "an ordinary user cannot reach this folder");
	SKIP_IF_MISSING("ordinary users may not make user namespaces");
	EXPECT_STREQ("own domain 1 here 1\n", self->o.out);
}

/* The network namespace belongs to a user namespace further out than the caller's. */
TEST_F(run, network_of_an_outer_user_namespace)
{
	if (geteuid())
		SKIP(return, "needs root, to become an ordinary user");
	RUN_WITH(become_nobody, "unshare", "-Urn", "unshare", "-U", self->probe, "place");
	if (EXIT_STATUS() == 99 || !*self->o.out)
		SKIP(return, "ordinary users may not make user namespaces, or cannot reach this folder");
	EXPECT_STREQ("own domain 1 here 1\n", self->o.out);
}

static void drop_sys_admin(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct cap[2];

	if (prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN) || syscall(SYS_capget, &head, cap))
		_exit(98);
	cap[0].effective &= ~(1U << CAP_SYS_ADMIN);
	cap[0].permitted &= ~(1U << CAP_SYS_ADMIN);
	cap[0].inheritable = 0;
	cap[1].inheritable = 0;
	if (syscall(SYS_capset, &head, cap))
		_exit(98);
}

/* Root of a container: it may make user namespaces, and enters others by them alone. */
TEST_F(run, user_namespace_of_a_root_without_rights)
{
	if (geteuid())
		SKIP(return, "needs root");
	RUN_WITH(drop_sys_admin, self->probe, "userns");
	SKIP_IF_MISSING("no user namespaces");
	EXPECT_STREQ("own domain 1 here 1\n", self->o.out);
	RUN_WITH(drop_sys_admin, "unshare", "-Urn", self->probe, "place");
	EXPECT_STREQ("own domain 1 here 1\n", self->o.out);
}

/* A sandbox that isolates itself must not keep the network it came from. */
TEST_F(run, shut_off_from_an_ordinary_user)
{
	char text[32];

	if (geteuid())
		SKIP(return, "needs root, to become an ordinary user");
	RUN_WITH(become_nobody, self->probe, "shut_off");
	if (EXIT_STATUS() == 99)
		SKIP(return, "an ordinary user cannot reach this folder");
	EXPECT_STREQ("domain 1\n", self->o.out);
	RUN_WITH(become_nobody, self->probe, "shut_off", "away");
	SKIP_IF_MISSING("ordinary users may not make user namespaces");
	snprintf(text, sizeof(text), "errno %d\n", EACCES);
	EXPECT_STREQ(text, self->o.out);
}

/* In a /proc that hides what may not be traced nothing is known of such a caller. */
TEST_F(run, shut_off_and_hidden)
{
	static const char *const ways[] = { "hidepid=1", "hidepid=2", "hidepid=4" };
	static const char script[] =
		"mount -t proc -o $1 proc /proc && shift && exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"";
	char text[32];
	size_t i;

	if (geteuid())
		SKIP(return, "needs root");
	snprintf(text, sizeof(text), "errno %d\n", EACCES);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		spawn(&self->o, NULL, "unshare", "-m", "sh", "-c", script, "sh", ways[i],
		      self->as, TO, self->probe, "socket", "2", "1", "0", NULL);
		EXPECT_STREQ(MOVED, self->o.out)
			TH_LOG("%s: %s", ways[i], self->o.err);
		spawn(&self->o, NULL, "unshare", "-m", "sh", "-c", script, "sh", ways[i],
		      self->as, TO, self->probe, "shut_off", NULL);
		EXPECT_STREQ(text, self->o.out)
			TH_LOG("%s: %s", ways[i], self->o.err);
	}
}

/* the numbers of callers are those of the launcher's pid namespace */
TEST_F(run, proc_of_another_pid_namespace)
{
	if (geteuid())
		SKIP(return, "needs root");
	spawn(&self->o, NULL, "unshare", "-p", "-f", self->as, TO, self->probe, "socket", "2", "1",
	      "0", NULL);
	EXPECT_EQ(125, EXIT_STATUS());
	EXPECT_TRUE(!!strstr(self->o.err, "of its own pid namespace"));
	spawn(&self->o, NULL, "unshare", "-p", "-f", "--mount-proc", self->as, TO, self->probe,
	      "socket", "2", "1", "0", NULL);
	EXPECT_EQ(0, EXIT_STATUS());
}

TEST_F(run, owner_of_the_socket)
{
	if (geteuid())
		SKIP(return, "needs root");
	RUN(self->probe, "uid", "1234", "2345");
	EXPECT_STREQ("uid 0 gid 0\nuid 1234 gid 2345\n", self->o.out);
}

/* ---- other users of seccomp --------------------------------------------- */

TEST_F(run, nested)
{
	RUN(self->as, TO, self->probe, "socket", "2", "1", "0");
	EXPECT_STREQ(MOVED, self->o.out);
	EXPECT_STREQ("", self->o.err);
	RUN("--report", self->as, TO, "sh", "-c", "exit 6");
	EXPECT_EQ(6, EXIT_STATUS());
	RUN(self->as, TO, "--report", self->probe, "socket", "2", "1", "0");
	EXPECT_STREQ(MOVED, self->o.out);
	EXPECT_STREQ("strata run: already under strata run: no report of its own\n",
		     self->o.err);
}

TEST_F(run, sandboxed_program)
{
	char text[64];

	RUN(self->probe, "sandbox");
	SKIP_IF_MISSING("no filter");
	snprintf(text, sizeof(text), "allowed: domain 1\nforbidden: errno %d\n",
		 EACCES);
	EXPECT_STREQ(text, self->o.out);
}

TEST_F(run, somebody_else_answers)
{
	spawn(&self->o, NULL, self->probe, "listener", self->as, TO, "true",
	      NULL);
	SKIP_IF_MISSING("no listener");
	EXPECT_EQ(125, EXIT_STATUS());
	EXPECT_TRUE(!!strstr(self->o.err, "the kernel allows one only"));
}

/* ---- the report --------------------------------------------------------- */

TEST_F(run, report)
{
	RUN("--report", "sh", "-c",
	    "for a in '2 1 0' '2 1 0' '2 2 0' '10 1 0' '2 1 6' '16 3 0'; do $0 socket $a; done",
	    self->probe);
	EXPECT_STREQ("strata run: sockets: 3 on Strata, 2 refused, 0 native\n"
		     "  on Strata      2  TCP         run_probe\n"
		     "  on Strata      1  UDP         run_probe\n"
		     "  refused        1  IPv6 TCP    run_probe: Address family not supported by protocol; no IPv6 on Strata yet (--ipv6=native leaves it alone)\n"
		     "  refused        1  TCP         run_probe: Protocol not supported; Strata could not open it\n",
		     self->o.err);
}

/* With a daemon left the report comes at the program's own end. */
TEST_F(run, report_with_a_daemon)
{
	char path[] = "/tmp/strata-run-XXXXXX";

	close(mkstemp(path));
	RUN("--report", self->probe, "daemon", path);
	EXPECT_TRUE(!!strstr(self->o.err, "left processes behind"));
	unlink(path);
}

TEST_HARNESS_MAIN
