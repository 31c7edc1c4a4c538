/* SPDX-License-Identifier: MIT */
/*
 * Changes the working directory in every way there is, and makes a file by a relative name after
 * each change: by chdir, by fchdir, by a thread while others go on, by a process that shares it.
 * Prints where each file was made.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 20, STACK = 64 << 10 };

static int made;

static void make_here(void)
{
	char name[32], here[PATH_MAX];

	snprintf(name, sizeof(name), "file%d", made++);
	if (close(open(name, O_CREAT | O_EXCL | O_WRONLY, 0600)) || !getcwd(here, sizeof(here)))
		exit(1);
	printf("%s/%s\n", here, name);
}

static int enter(void *directory)
{
	if (chdir(directory))
		_exit(1);
	return 0;
}

static void *enter_in_thread(void *directory)
{
	enter(directory);
	return NULL;
}

static void by_thread(char *directory)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, enter_in_thread, directory) || pthread_join(thread, NULL))
		exit(1);
}

static void by_process(char *directory)
{
	static char stack[STACK] __attribute__((aligned(16)));
	int status, pid = clone(enter, stack + STACK, CLONE_FS | SIGCHLD, directory);

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		exit(1);
}

int main(void)
{
	char top[PATH_MAX], one[PATH_MAX + 8], other[PATH_MAX + 8];
	int directory;

	if (!getcwd(top, sizeof(top)))
		return 1;
	snprintf(one, sizeof(one), "%s/one", top);
	snprintf(other, sizeof(other), "%s/other", top);
	if (mkdir(one, 0700) || mkdir(other, 0700))
		return 1;
	directory = open(top, O_RDONLY | O_DIRECTORY);
	for (int round = 0; round < ROUNDS; round++) {
		make_here();
		enter(one);
		make_here();
		by_thread(other);
		make_here();
		by_process(one);
		make_here();
		if (fchdir(directory))
			return 1;
	}
	return 0;
}
