/* SPDX-License-Identifier: GPL-2.0-only */
/* Start a command, catch its output, and count what it leaves behind. */
#ifndef RUN_SPAWN_H
#define RUN_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct outcome - what became of a command
 * @pid:	its process
 * @status:	its wait status
 * @out:	its standard output
 * @err:	its standard error
 * @left:	processes it left behind that did not end within five seconds
 */
struct outcome {
	pid_t	pid;
	int	status;
	char	out[8192];
	char	err[8192];
	int	left;
};

/* A file beside the running test program. */
const char *beside(const char *name);

/*
 * Run a command (NULL-terminated words) to its end and to the end of all its
 * descendants. setup() runs in the child before execve.
 */
void spawn(struct outcome *o, void (*setup)(void), ...);

/* In two halves, to do something to the command meanwhile. */
struct running {
	pid_t	pid;
	int	out, err;
};

struct running spawn_start(void (*setup)(void), char *const argv[]);
void spawn_finish(struct running *r, struct outcome *o);

/* Read from fd until text appears; false at its end or after five seconds. */
bool await_text(int fd, const char *text);

/* The helper: a child of this (subreaper) process by that name; 0: none. */
pid_t find_helper(void);

/* A child of that process; 0: none. */
pid_t child_of(pid_t parent);

/*
 * A command as the foreground job of a terminal of its own, as a shell does
 * it. The master is set to the terminal's other side.
 */
pid_t spawn_job(char *const argv[], int *master);

#endif
