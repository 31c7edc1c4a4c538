/* SPDX-License-Identifier: MIT */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum stage { STAGE_START, STAGE_USER, STAGE_EXEC, STAGE_INTRODUCED };

struct report {
	int stage, error;
};

static void tell(int pipe, enum stage stage, int error)
{
	struct report report = { stage, error };

	if (write(pipe, &report, sizeof(report)) < 0)
		return; /* nobody waits for it any more */
}

/* Becomes the program as soon as the other end of @ready says so. Never returns. */
static void become(const struct start *start, void *context, int ready, int report)
{
	char go;

	sigprocmask(SIG_SETMASK, &start->mask, NULL);
	if (start->introduce)
		tell(report, STAGE_INTRODUCED, start->introduce(context) ? errno : 0);
	if (read(ready, &go, 1) != 1)
		_exit(127);
	/* Nothing of ours for somebody else: neither our terminal, to type into, nor what is open. */
	if (start->change_user) {
		setsid();
		syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	}
	if (start->change_user && (setgroups(start->group_count, start->groups) ||
				   setresgid(start->gid, start->gid, start->gid) ||
				   setresuid(start->uid, start->uid, start->uid))) {
		tell(report, STAGE_USER, errno);
		_exit(127);
	}
	execve(start->path, start->argv, start->envp);
	tell(report, STAGE_EXEC, errno);
	_exit(127);
}

/* Waits for a report, or until the exec closes the pipe; 0, or the errno that was reported. */
static int await_report(int pipe, const char **stage)
{
	static const char *const stages[] = { "start", "user", "exec", "introduced" };
	struct report report;
	ssize_t got;

	do
		got = read(pipe, &report, sizeof(report));
	while (got < 0 && errno == EINTR);
	if (got != sizeof(report))
		return 0;
	*stage = stages[report.stage];
	return report.error;
}

pid_t start_program(const struct start *start, int (*mark)(void *context, int pidfd), void *context,
		    int *pidfd, const char **stage)
{
	int ready[2], report[2], error = 0;
	sigset_t all, before;
	pid_t child;

	*stage = "start";
	*pidfd = -1;
	if (pipe2(ready, O_CLOEXEC))
		return -1;
	if (pipe2(report, O_CLOEXEC)) {
		close(ready[0]);
		close(ready[1]);
		return -1;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (!child) {
		close(ready[1]);
		become(start, context, ready[0], report[1]);
	}
	error = child < 0 ? errno : 0;
	signal(SIGCHLD, SIG_DFL); /* ignored, it would hide how the program ends, which waits yet */
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ready[0]);
	close(report[1]);
	if (child > 0 && start->introduce)
		error = await_report(report[0], stage);
	if (child > 0 && !error) {
		*pidfd = (int)syscall(SYS_pidfd_open, child, 0);
		*stage = "filter";
		if (*pidfd < 0 || mark(context, *pidfd) || write(ready[1], "", 1) != 1)
			error = errno;
	}
	close(ready[1]);
	if (!error)
		error = await_report(report[0], stage);
	close(report[0]);
	if (!error)
		return child;
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	if (*pidfd >= 0)
		close(*pidfd);
	*pidfd = -1;
	errno = error;
	return -1;
}
