/* SPDX-License-Identifier: MIT */
#include "settle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void guard_against_oom(void)
{
	static const char guard[] = "-500";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, guard, sizeof(guard) - 1) < 0)
		errno = 0; /* not root; nothing depends on it */
	close(fd);
}

/* Keeps the descriptors of @kept (ascending, all > 2) and closes the rest. */
static void close_others(const int *kept, size_t count)
{
	unsigned int from = 3;

	for (size_t i = 0; i < count; i++) {
		if ((unsigned int)kept[i] > from)
			syscall(SYS_close_range, from, (unsigned int)kept[i] - 1, 0);
		from = (unsigned int)kept[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

static void sort(int *numbers, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t j = i; j && numbers[j] < numbers[j - 1]; j--) {
			int swap = numbers[j];

			numbers[j] = numbers[j - 1];
			numbers[j - 1] = swap;
		}
}

void settle(const char *name, int *kept, size_t count)
{
	struct rlimit files;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	/* The program has it as it was; for us, whose children would vanish, it may not be ignored. */
	signal(SIGCHLD, SIG_DFL);
	if (chdir("/"))
		errno = 0; /* a directory kept busy is a nuisance, no more */
	/* "pkill imptrace" must not hit it: the program would lose its system calls. */
	prctl(PR_SET_NAME, name);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max; /* a descriptor for each traced process */
		setrlimit(RLIMIT_NOFILE, &files);
	}
	guard_against_oom();
	sort(kept, count);
	close_others(kept, count);
}
