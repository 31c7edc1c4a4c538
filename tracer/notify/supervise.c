/* SPDX-License-Identifier: MIT */
#include "supervise.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "door.h"
#include "signals.h"
#include "../native/calls.h"
#include "../native/journal.h"
#include "../native/mounts.h"
#include "../native/observe.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* linux/pidfd.h: PIDFD_GET_INFO, with PIDFD_INFO_EXIT since Linux 6.15 */
struct pidfd_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_GET_INFO _IOWR(0xFF, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT (UINT64_C(1) << 3)

enum { TICK_MS = 250, EVENTS = 16, STOPPED = -1 };

/* epoll data: this in the upper half; in the lower a pid for WATCH_PROCESS, else a descriptor. */
enum watch_kind {
	WATCH_PROCESS,
	WATCH_SIGNALS,
	WATCH_READER,
	WATCH_DOOR,
	WATCH_CLIENT,
	WATCH_LEAVE,
	WATCH_LISTENER,
};

struct loop {
	const struct supervision *own;
	int epoll, signals;
	struct seccomp_notif *request;	/* as large as this kernel's */
	size_t request_size;
	struct staging staging;
	uint64_t flushed_at;
	size_t listeners;	/* that somebody still uses */
	bool program_ended, leaving;
	int wake_reader;	/* how many ticks more the reader is told to go on */
};

static uint64_t watch_data(enum watch_kind kind, int value)
{
	return (uint64_t)kind << 32 | (uint32_t)value;
}

static bool watch(struct loop *loop, int fd, enum watch_kind kind, int value)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = watch_data(kind, value) };

	return !epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Begins to answer on @listener. */
static bool add_listener(struct loop *loop, int listener)
{
	/*
	 * Wake the other side on this very processor (Linux 6.6+, refused before): it waits for
	 * us and we for it, never both at work, and a hand-off between processors takes longer
	 * than most of the calls.
	 */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	if (!watch(loop, listener, WATCH_LISTENER, listener))
		return false;
	loop->listeners++;
	return true;
}

/* How the process behind @pidfd ended, as waitpid would say; -1 if that cannot be known. */
static int exit_status(int pidfd)
{
	struct pidfd_info info = { .mask = PIDFD_INFO_EXIT };

	if (pidfd < 0 || ioctl(pidfd, PIDFD_GET_INFO, &info) || !(info.mask & PIDFD_INFO_EXIT))
		return -1;
	return info.exit_code;
}

static void count_running(struct process *process, void *context)
{
	struct pollfd ended = { .fd = process->pidfd, .events = POLLIN };

	if (process->pidfd >= 0 && poll(&ended, 1, 0) == 0)
		++*(uint32_t *)context;
}

static void listener_unused(struct loop *loop, int listener)
{
	/* Told once already: the event of a batch may be older than the look of is_last(). */
	if (epoll_ctl(loop->epoll, EPOLL_CTL_DEL, listener, NULL))
		return;
	close(listener);
	loop->listeners--;
}

/* The program ended: whether its listener was its own alone. */
static bool is_last(struct loop *loop)
{
	struct pollfd listener = { .fd = loop->own->listener };

	if (loop->listeners && poll(&listener, 1, 0) > 0 && listener.revents & POLLHUP)
		listener_unused(loop, listener.fd);
	return !loop->listeners;
}

static void program_ended(struct loop *loop, int status)
{
	struct process *process = process_known(loop->own->program);
	uint32_t image = process ? process->image : 0, left = 0;

	loop->program_ended = true;
	if (process)
		observe_exit(process, status);
	if (!is_last(loop)) {
		process_each(count_running, &left);
		left = left ? left : 1; /* one that has made no traced call yet */
	}
	observe_flush();
	journal_exit(RECORD_ROOT_EXITED, image, status, left);
}

/* Process or thread @pid, a child of ours or one that is seized, has ended. */
static void ended(struct loop *loop, pid_t pid, int status)
{
	struct process *process = process_known(pid);

	signals_ended(pid);
	if (pid == loop->own->program)
		program_ended(loop, status);
	else if (process)
		observe_exit(process, status);
	else
		process_thread_exits(pid);
}

/* imptrace stops with it, so that a shell sees its job stopped. */
static void program_stopped(struct loop *loop, int status)
{
	loop->wake_reader = STOPPED;
	journal_exit(RECORD_ROOT_STOPPED, 0, status & 0xffff, 0);
}

static void wake_reader(struct loop *loop)
{
	loop->wake_reader--;
	if (loop->own->reader >= 0 && journal_is_read())
		syscall(SYS_pidfd_send_signal, loop->own->reader, SIGCONT, NULL, 0);
}

/* By somebody who knows nothing of imptrace, which may be about to stop only now. */
static void program_continued(struct loop *loop)
{
	if (loop->wake_reader != STOPPED)
		return;
	loop->wake_reader = 3;
	wake_reader(loop);
}

/* Counts first and takes then: imptrace, which asks for the one and the other, misses none. */
static void count_signals(void)
{
	const struct timespec at_once = { 0 };
	sigset_t pending, one;

	while (!sigpending(&pending) && !sigisemptyset(&pending))
		for (int number = 1; number <= SIGRTMAX; number++) {
			if (sigismember(&pending, number) != 1)
				continue;
			if (number != SIGCHLD)
				journal_signalled(number);
			sigemptyset(&one);
			sigaddset(&one, number);
			sigtimedwait(&one, NULL, &at_once);
		}
}

static void reap(struct loop *loop)
{
	int status;
	pid_t pid;

	count_signals();
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED | __WALL)) > 0) {
		bool job_stop = true;

		if (WIFSTOPPED(status)) {
			bool is_ours = signals_stopped(pid, status, &job_stop);

			if (pid == loop->own->program && (job_stop || !is_ours))
				program_stopped(loop, status);
			else if (pid == loop->own->program && status >> 16 == PTRACE_EVENT_STOP)
				program_continued(loop);
		} else if (WIFCONTINUED(status)) {
			if (pid == loop->own->program)
				program_continued(loop);
		} else {
			ended(loop, pid, status);
		}
	}
}

/* Nobody sees what goes through a ring: a program does without, or it is said that it has one. */
static void answer_ring(const struct loop *loop, int listener, uint64_t id)
{
	static bool said;
	bool allowed = loop->own->filter->io_uring;

	if (!said && journal_is_read()) {
		said = true;
		journal_count(RECORD_WARNING, 0, allowed ? WARN_IO_URING : WARN_RING_REFUSED);
	}
	if (allowed)
		answer_go_on(listener, id);
	else
		answer_fail(listener, id, ENOSYS);
}

/* A call that is looked at only for how it is to be answered. Returns whether it was one. */
static bool answer_unrecorded(const struct loop *loop, const struct syscall_site *site,
			      int listener, uint64_t id)
{
	const struct call *call = call_find(site->arch, site->nr);

	if (!call || (call->kind != CALL_HANDLER && call->kind != CALL_TRACER &&
		      call->kind != CALL_RING))
		return false;
	if (call->kind == CALL_RING) {
		answer_ring(loop, listener, id);
		return true;
	}
	if (call->kind == CALL_HANDLER)
		signals_handler(site);
	else if (signals_make_way(site, listener, id))
		return true;
	answer_go_on(listener, id);
	return true;
}

/* A system call of the program waits: look, let it go on, then write down what was seen. */
static void answer(struct loop *loop, int listener)
{
	static const struct call_result waits = { .end = CALL_WAITS };
	struct syscall_site site;

	memset(loop->request, 0, loop->request_size);
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, loop->request))
		return; /* ENOENT: the caller was killed meanwhile, or called away by a signal */
	site = (struct syscall_site){
		.tid = (pid_t)loop->request->pid,
		.arch = loop->request->data.arch,
		.nr = loop->request->data.nr,
		.ip = loop->request->data.instruction_pointer,
	};
	for (size_t i = 0; i < 6; i++)
		site.args[i] = loop->request->data.args[i];
	if (answer_unrecorded(loop, &site, listener, loop->request->id))
		return;
	observe_entry(&site, &loop->staging);
	signals_answering(&site);
	if (answer_go_on(listener, loop->request->id)) {
		/* Its caller died: memory and names may have been those of another by then. */
		observe_discard(&loop->staging);
		return;
	}
	if (!loop->staging.process)
		return;
	if (observe_changed(&loop->staging) && answer_waits(listener, loop->request->id))
		observe_count_changed(&loop->staging);
	if (!loop->staging.process->watched && loop->staging.process->pidfd >= 0) {
		loop->staging.process->watched = true;
		watch(loop, loop->staging.process->pidfd, WATCH_PROCESS,
		      loop->staging.process->pid);
	}
	observe_commit(&loop->staging, &waits);
}

/*
 * Readable: it has ended. Hung up: it was waited for, and only then does its pidfd tell how it
 * ended (Linux 6.15+); where it never will, there is nothing to wait for.
 */
static void process_ended(struct loop *loop, pid_t pid, uint32_t events)
{
	struct process *process = process_known(pid);
	struct pidfd_info info = { .mask = PIDFD_INFO_EXIT };
	struct epoll_event hung_up = { .data.u64 = watch_data(WATCH_PROCESS, pid) };

	if (!process)
		return;
	if (!(events & EPOLLHUP) && !ioctl(process->pidfd, PIDFD_GET_INFO, &info))
		epoll_ctl(loop->epoll, EPOLL_CTL_MOD, process->pidfd, &hung_up);
	else
		observe_exit(process, exit_status(process->pidfd));
}

static void tick(struct loop *loop)
{
	uint64_t now = journal_now();

	if (now - loop->flushed_at < TICK_MS * UINT64_C(1000000))
		return;
	loop->flushed_at = now;
	observe_flush();
	if (loop->wake_reader > 0)
		wake_reader(loop);
}

/* A shim has sent its listener, or gone away. */
static void receive_listener(struct loop *loop, int client)
{
	int listener = door_receive(client);

	if (listener >= 0 && add_listener(loop, listener)) {
		/* First kept, then confirmed: from then on somebody depends on it. */
		door_deposit(listener, DEPOSIT_LISTENER);
		door_confirm(loop->own->door, client);
	} else if (listener >= 0) {
		close(listener);
	}
	close(client);
}

static void admit(struct loop *loop)
{
	int client = door_admit(loop->own->door);

	if (client >= 0 && !watch(loop, client, WATCH_CLIENT, client))
		close(client);
}

/* Nobody else is let in; the end comes when the last listener is unused. */
static void leave(struct loop *loop)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->own->leave, NULL);
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->own->door->socket, NULL);
	close(loop->own->door->socket);
	loop->leaving = true;
}

static void dispatch(struct loop *loop, const struct epoll_event *event)
{
	int value = (int)(uint32_t)event->data.u64;

	switch ((enum watch_kind)(event->data.u64 >> 32)) {
	case WATCH_LISTENER:
		if (event->events & EPOLLIN)
			answer(loop, value);
		else if (event->events & (EPOLLHUP | EPOLLERR))
			listener_unused(loop, value);
		break;
	case WATCH_SIGNALS:
		reap(loop);
		break;
	case WATCH_READER:
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->own->reader, NULL);
		journal_reader_died();
		break;
	case WATCH_DOOR:
		admit(loop);
		break;
	case WATCH_CLIENT:
		receive_listener(loop, value);
		break;
	case WATCH_LEAVE:
		leave(loop);
		break;
	case WATCH_PROCESS:
		if (value != loop->own->program) /* that one is waited for */
			process_ended(loop, value, event->events);
		break;
	}
}

static bool is_from_listener(const struct epoll_event *event)
{
	return event->data.u64 >> 32 == WATCH_LISTENER;
}

/* Ends of processes first: a pid may be somebody else's by the time of the next call. */
static void dispatch_all(struct loop *loop, const struct epoll_event *events, int count)
{
	for (int i = 0; i < count; i++)
		if (!is_from_listener(&events[i]))
			dispatch(loop, &events[i]);
	for (int i = 0; i < count; i++)
		if (is_from_listener(&events[i]))
			dispatch(loop, &events[i]);
}

/*
 * Takes over the listeners of a supervisor that was killed. One call may have been handed to it
 * and never answered; which one stands on the page that it shared with us.
 */
static void adopt(struct loop *loop)
{
	const struct supervision *own = loop->own;

	for (size_t i = 0; i < own->adopted_count; i++) {
		answer_go_on(own->adopted[i], loop->request->id);
		add_listener(loop, own->adopted[i]);
	}
}

static bool prepare(struct loop *loop)
{
	struct seccomp_notif_sizes sizes;
	sigset_t signals;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		return false;
	loop->request_size = sizes.seccomp_notif > sizeof(*loop->request) ?
				     sizes.seccomp_notif : sizeof(*loop->request);
	loop->request = loop->own->page ? loop->own->page : calloc(1, loop->request_size);
	signals_configure(loop->own->filter);
	sigfillset(&signals); /* all but SIGCHLD are only counted */
	loop->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->request && !answer_prepare(sizes.seccomp_notif_resp) && loop->signals >= 0 &&
	       loop->epoll >= 0;
}

/* Whether there is, or may come, a call to answer or a process to wait for. */
static bool has_work(const struct loop *loop)
{
	if (loop->own->door)
		return loop->listeners || !loop->leaving;
	return loop->listeners || !loop->program_ended;
}

static bool watch_all(struct loop *loop)
{
	const struct supervision *own = loop->own;

	if (own->door) {
		adopt(loop);
		if (!watch(loop, own->door->socket, WATCH_DOOR, own->door->socket) ||
		    !watch(loop, own->leave, WATCH_LEAVE, own->leave))
			return false;
	} else if (!add_listener(loop, own->listener)) {
		return false;
	}
	return watch(loop, loop->signals, WATCH_SIGNALS, loop->signals) &&
	       (own->reader < 0 || watch(loop, own->reader, WATCH_READER, own->reader));
}

void supervise(const struct supervision *supervision)
{
	static struct loop loop;
	struct epoll_event events[EVENTS];

	loop.own = supervision;
	mounts_host();
	if (!prepare(&loop) || !watch_all(&loop))
		_exit(1); /* nothing runs yet that would depend on us */
	while (has_work(&loop)) {
		int count = epoll_wait(loop.epoll, events, EVENTS, journal_is_read() ? TICK_MS : -1);

		dispatch_all(&loop, events, count > 0 ? count : 0);
		tick(&loop);
	}
	observe_flush();
	journal_exit(RECORD_ALL_GONE, 0, -1, 0);
}
