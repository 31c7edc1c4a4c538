// SPDX-License-Identifier: MIT
// Makes calls that never fail with EINTR while signals storm in, whose handlers lack SA_RESTART:
// in two threads, in a child that was forked, and in both by turns. Prints how many failed so.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile long handled;
static long calls, failed;
static double seconds;

static void handle(int number)
{
	(void)number;
	handled++;
}

static void check(int result)
{
	__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	if (result < 0 && errno == EINTR)
		__atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *work(void *name)
{
	char directory[32], one[64], two[64];

	snprintf(directory, sizeof(directory), "%s", (const char *)name);
	snprintf(one, sizeof(one), "%s/one", directory);
	snprintf(two, sizeof(two), "%s/two", directory);
	for (double end = now() + seconds; now() < end;) {
		struct sigaction action = { .sa_handler = handle };
		int fd;

		check(mkdir(directory, 0700));
		check(fd = open(one, O_CREAT | O_RDWR, 0600));
		if (fd >= 0)
			close(fd);
		for (int i = 0; i < 3; i++) { /* from one place, with the same arguments */
			check(fd = open(one, O_RDONLY));
			if (fd >= 0)
				close(fd);
		}
		check(rename(one, two));
		check(chmod(two, 0640));
		check(truncate(two, 0));
		check(symlink("two", one));
		check(chdir("."));
		check(unlink(one));
		check(unlink(two));
		check(rmdir(directory));
		check(sigaction(SIGUSR1, &action, NULL));
	}
	return NULL;
}

static void storm(void)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };

	setitimer(ITIMER_REAL, &often, NULL);
}

int main(int count, char **words) /* SECONDS [HANDLERS_BEFORE_THREADS] */
{
	struct sigaction action = { .sa_handler = handle };
	pthread_t threads[2];
	pid_t child;
	int status;

	seconds = atof(words[1]);
	if (count > 2)
		sigaction(SIGALRM, &action, NULL);
	pthread_create(&threads[0], NULL, work, "a");
	pthread_create(&threads[1], NULL, work, "b");
	sigaction(SIGALRM, &action, NULL);
	storm();
	child = fork();
	if (!child) {
		storm();
		work("c");
		dprintf(1, "child: %ld calls, %d handled, %ld failed\n", calls, handled > 0, failed);
		_exit(failed > 0);
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	while (waitpid(child, &status, 0) < 0)
		;
	dprintf(1, "parent: %ld calls, %d handled, %ld failed\n", calls, handled > 0, failed);
	return failed || !handled || status;
}
