/* SPDX-License-Identifier: MIT */
/* Starting the supervisor and the program. Between fork and exec only system calls are made. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../native/journal.h"
#include "../native/observe.h"
#include "../native/settle.h"
#include "supervise.h"

/* What is told to imptrace while the program starts; the pipe closes by itself at its exec. */
struct report {
	int32_t stage, error;
	pid_t program;
};

static void tell(int pipe, enum launch_stage stage, int error, pid_t program)
{
	struct report report = { .stage = (int32_t)stage, .error = error, .program = program };

	if (write(pipe, &report, sizeof(report)) < 0)
		return; /* nobody waits for it any more */
}

static int send_descriptor(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Returns a descriptor that the caller owns, or -1 if the other end closed without sending. */
static int receive_descriptor(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Becomes the program. Never returns. */
static void run_program(const struct launch *launch, int report, int socket)
{
	int listener;

	sigprocmask(SIG_SETMASK, &launch->mask, NULL);
	listener = filter_install(launch->filter);
	if (listener < 0 || send_descriptor(socket, listener)) {
		tell(report, STAGE_FILTER, errno, 0);
		_exit(127);
	}
	close(listener);
	/* Nothing of ours for somebody else: neither our terminal, to type into, nor what is open. */
	if (launch->change_user) {
		setsid();
		syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	}
	if (launch->change_user &&
	    (setgroups(launch->group_count, launch->groups) ||
	     setresgid(launch->gid, launch->gid, launch->gid) ||
	     setresuid(launch->uid, launch->uid, launch->uid))) {
		tell(report, STAGE_USER, errno, 0);
		_exit(127);
	}
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (launch->closed & 1U << fd)
			close(fd);
	execve(launch->path, launch->argv, launch->envp);
	tell(report, STAGE_EXEC, errno, 0);
	_exit(127);
}

/* Becomes the supervisor. Never returns. */
static void run_supervisor(const struct launch *launch, struct ring *ring, int kick, int report,
			   pid_t parent)
{
	const struct observe_options options = { .privileged = launch->privileged,
						 .stats = launch->filter->stats };
	struct supervision own = {
		.filter = launch->filter,
		.reader = (int)syscall(SYS_pidfd_open, parent, 0),
	};
	int pair[2], kept[3];

	if (getppid() != parent && own.reader >= 0) {
		close(own.reader);
		own.reader = -1;
	}
	if (launch->adopt_orphans)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ||
	    journal_open(ring, kick, own.reader, launch->start))
		goto failed;
	observe_configure(&options);
	own.program = fork();
	if (!own.program) {
		close(pair[0]);
		run_program(launch, report, pair[1]);
	}
	if (own.program < 0)
		goto failed;
	close(pair[1]);
	tell(report, STAGE_STARTED, 0, own.program);
	close(report);
	own.listener = receive_descriptor(pair[0]);
	if (own.listener < 0)
		_exit(1); /* the program has said why */
	kept[0] = own.listener;
	kept[1] = kick;
	kept[2] = own.reader >= 0 ? own.reader : kick;
	settle("notify-answers", kept, 3);
	supervise(&own);
	_exit(0);
failed:
	tell(report, STAGE_SUPERVISOR, errno, 0);
	_exit(1);
}

/* Reads reports until the program's exec closes the pipe. */
static int await_exec(int pipe, struct launched *launched)
{
	struct report report;
	ssize_t got;
	int error = 0;

	launched->failed = STAGE_SUPERVISOR;
	launched->program = 0;
	for (;;) {
		got = read(pipe, &report, sizeof(report));
		if (got < 0 && errno == EINTR)
			continue;
		if (got != sizeof(report))
			break;
		if (report.stage == STAGE_STARTED) {
			launched->program = report.program;
			continue;
		}
		launched->failed = (enum launch_stage)report.stage;
		error = report.error;
	}
	if (!error && !launched->program)
		error = ECHILD;
	errno = error;
	return error ? -1 : 0;
}

int launch_program(const struct launch *launch, struct ring *ring, int kick,
		   struct launched *launched)
{
	sigset_t all, mask;
	int report[2], result;
	pid_t parent = getpid();

	launched->failed = STAGE_SUPERVISOR;
	if (pipe2(report, O_CLOEXEC))
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	launched->supervisor = fork();
	if (!launched->supervisor) {
		close(report[0]);
		run_supervisor(launch, ring, kick, report[1], parent);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(report[1]);
	result = launched->supervisor < 0 ? -1 : await_exec(report[0], launched);
	close(report[0]);
	if (result && launched->supervisor > 0) {
		int error = errno;

		while (waitpid(launched->supervisor, NULL, 0) < 0 && errno == EINTR)
			;
		errno = error;
	}
	return result;
}
