/* SPDX-License-Identifier: MIT */
/* Starting a program as a child of ours that is recorded from its exec on. */
#ifndef IMPTRACE_START_H
#define IMPTRACE_START_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct start {
	const char *path;
	char *const *argv, *const *envp;
	bool change_user;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
	sigset_t mask;		/* of the program */
	/* Called by the child, before it waits for @mark; 0, or -1 with errno. NULL: nothing. */
	int (*introduce)(void *context);
};

/*
 * Forks, calls @mark with the child's pidfd, and lets it execute; both calls get @context. Returns its pid when it has, and
 * leaves its pidfd in @pidfd; or -1 with errno, and the stage that failed in @stage.
 */
pid_t start_program(const struct start *start, int (*mark)(void *context, int pidfd), void *context,
		    int *pidfd, const char **stage);

#endif
