/* SPDX-License-Identifier: MIT */
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS = 65, STOPPED = 0, LOOK_MS = 50, LOOKS = 10 };

static bool is_stopped(pid_t pid)
{
	char path[32], text[512], *end;
	ssize_t length = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	end = strrchr(text, ')'); /* its name may hold anything */
	return end && (end[2] == 'T' || end[2] == 't');
}

/* While the program is stopped: looks whether it goes on. */
static void look_at_stopped(volatile uint32_t *counts, pid_t parent, int *looks)
{
	if (is_stopped((pid_t)counts[STOPPED])) {
		*looks = 0;
	} else if (is_stopped(parent)) {
		kill(parent, SIGCONT);
	} else if (++*looks > LOOKS) {
		/* It would have stopped by now, with what has gone on already. */
		counts[STOPPED] = 0;
		*looks = 0;
	}
}

/* Counts first and takes then: imptrace, which asks for the one and the other, misses none. */
static void count_pending(volatile uint32_t *counts)
{
	const struct timespec at_once = { 0 };
	sigset_t pending, one;

	if (sigpending(&pending))
		return;
	for (int number = 1; number < SIGNALS; number++) {
		if (sigismember(&pending, number) != 1)
			continue;
		counts[number]++;
		sigemptyset(&one);
		sigaddset(&one, number);
		sigtimedwait(&one, NULL, &at_once);
	}
}

/* Counts until it is killed. Never returns. */
static void watch(volatile uint32_t *counts, pid_t parent)
{
	struct pollfd come = { .events = POLLIN };
	int looks = 0;
	sigset_t all;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	/* "pkill imptrace" would be counted, and is not for the program. */
	prctl(PR_SET_NAME, "signal-witness");
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	syscall(SYS_close_range, 3, ~0U, 0);
	if (chdir("/"))
		errno = 0; /* a directory kept busy is a nuisance, no more */
	sigfillset(&all);
	come.fd = signalfd(-1, &all, SFD_CLOEXEC); /* says that one is there, and is never read */
	if (come.fd < 0)
		_exit(1);
	for (;;) {
		if (counts[STOPPED])
			look_at_stopped(counts, parent, &looks);
		poll(&come, 1, counts[STOPPED] ? LOOK_MS : -1);
		count_pending(counts);
	}
}

int witness_start(struct witness *witness)
{
	pid_t parent = getpid();
	sigset_t all, before;
	void *memory;

	memory = mmap(NULL, SIGNALS * sizeof(uint32_t), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -1;
	witness->counts = memory;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	witness->pid = fork();
	if (!witness->pid)
		watch(witness->counts, parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (witness->pid > 0)
		return 0;
	witness->pid = 0;
	return -1;
}

void witness_end(struct witness *witness)
{
	if (witness->pid) {
		kill(witness->pid, SIGKILL);
		while (waitpid(witness->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (witness->counts)
		munmap((void *)witness->counts, SIGNALS * sizeof(uint32_t));
	witness->pid = 0;
	witness->counts = NULL;
}

void witness_continuation(const struct witness *witness, pid_t program)
{
	if (!witness->pid)
		return;
	witness->counts[STOPPED] = (uint32_t)program;
	kill(witness->pid, SIGURG); /* it waits for signals, and nobody asks for this one */
}

uint32_t witness_count(const struct witness *witness, int number)
{
	return witness->counts && number > 0 && number < SIGNALS ? witness->counts[number] : 0;
}
