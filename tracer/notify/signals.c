/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <dirent.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../native/calls.h"
#include "../native/journal.h"
#include "../native/memory.h"
#include "answer.h"
#include "registers.h"

enum { BUCKETS = 1 << 10, NR_I386_SIGNAL = 48, NR_I386_SIGACTION = 67 };

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)

/* A thread that is seized. */
struct thread {
	struct thread *next;	/* in its bucket */
	pid_t tid;
	bool leaving;		/* to be let go at its next stop */
	struct syscall_site answered;	/* its latest call that was let go on */
};

/* A ptrace(2) that waits until its tracee has been let go. */
struct waiter {
	struct waiter *next;
	pid_t tracee;
	int listener;
	uint64_t id;
};

static struct thread *threads[BUCKETS];
static struct waiter *waiters;
static struct filter_options wanted;

void signals_configure(const struct filter_options *options)
{
	wanted = *options;
}

static long request(int what, pid_t tid, void *data)
{
	return syscall(SYS_ptrace, what, tid, 0, data);
}

static struct thread **slot_of(pid_t tid)
{
	struct thread **slot = &threads[(size_t)tid % BUCKETS];

	while (*slot && (*slot)->tid != tid)
		slot = &(*slot)->next;
	return slot;
}

/* NULL without memory: its stops are then answered all the same. */
static struct thread *remember(pid_t tid)
{
	struct thread **slot = slot_of(tid);

	if (!*slot) {
		*slot = calloc(1, sizeof(**slot));
		if (*slot)
			(*slot)->tid = tid;
	}
	return *slot;
}

void signals_ended(pid_t tid)
{
	struct thread **slot = slot_of(tid), *thread = *slot;

	for (struct waiter **next = &waiters; *next;) {
		struct waiter *waiter = *next;

		if (waiter->tracee != tid) {
			next = &waiter->next;
			continue;
		}
		answer_go_on(waiter->listener, waiter->id);
		*next = waiter->next;
		free(waiter);
	}
	if (thread) {
		*slot = thread->next;
		free(thread);
	}
}

static bool has_tracer(pid_t tid)
{
	char status[4096];
	ssize_t length = tracee_proc_file(tid, "status", status, sizeof(status) - 1);
	const char *line;

	status[length > 0 ? length : 0] = '\0';
	line = strstr(status, "\nTracerPid:");
	return line && atoi(line + strlen("\nTracerPid:"));
}

static bool seize(pid_t tid)
{
	static bool warned;

	if (*slot_of(tid))
		return false;
	if (!request(PTRACE_SEIZE, tid, (void *)OPTIONS))
		return remember(tid);
	/* What somebody else traces is his: a debugger shows and decides what signals do. */
	if (errno == EPERM && !warned && !has_tracer(tid)) {
		warned = true;
		journal_count(RECORD_WARNING, 0, WARN_SIGNALS);
	}
	return false;
}

/* All threads of the process of @tid, those included that come while we look. */
static void seize_process(pid_t tid)
{
	char path[64];
	bool more = seize(tid);

	snprintf(path, sizeof(path), "/proc/%d/task", tid);
	while (more) {
		DIR *tasks = opendir(path);
		struct dirent *task;

		more = false;
		while (tasks && (task = readdir(tasks)))
			if (task->d_name[0] != '.')
				more |= seize(atoi(task->d_name));
		if (tasks)
			closedir(tasks);
	}
}

/* Whether a handler is installed that lets calls fail: it is no SIG_DFL or SIG_IGN. */
static bool is_interrupting(const struct syscall_site *site)
{
	bool is_i386 = site->arch == AUDIT_ARCH_I386;
	uint64_t wide[2] = { 0 };	/* handler, flags */
	uint32_t narrow[3] = { 0 };	/* handler, flags; of the oldest call a mask between them */
	uint64_t handler, flags;

	if (is_i386 && site->nr == NR_I386_SIGNAL)
		return (uint32_t)site->args[1] > 1;
	if (is_i386 ? tracee_read(site->tid, (uint32_t)site->args[1], narrow, sizeof(narrow)) :
		      tracee_read(site->tid, site->args[1], wide, sizeof(wide)))
		return errno != EFAULT; /* of one that cannot be read nothing good is assumed */
	handler = is_i386 ? narrow[0] : wide[0];
	flags = !is_i386 ? wide[1] : narrow[site->nr == NR_I386_SIGACTION ? 2 : 1];
	return handler > 1 && !(flags & SA_RESTART);
}

void signals_handler(const struct syscall_site *site)
{
	if (!*slot_of(site->tid) && is_interrupting(site))
		seize_process(site->tid);
}

void signals_answering(const struct syscall_site *site)
{
	struct thread *thread = *slot_of(site->tid);

	if (thread)
		thread->answered = *site;
}

/* A number that a tracer in a pid namespace of its own gives, as we know it; 0 if we do not. */
static pid_t named_by(pid_t tracer, pid_t tracee)
{
	char ours[64], theirs[64], status[4096];

	if (tracee_proc_link(tracer, "ns/pid", theirs, sizeof(theirs)) < 0 ||
	    tracee_proc_link(getpid(), "ns/pid", ours, sizeof(ours)) < 0 || !strcmp(ours, theirs))
		return tracee;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct thread *thread = threads[i]; thread; thread = thread->next) {
			ssize_t length = tracee_proc_file(thread->tid, "status", status,
							  sizeof(status) - 1);
			char *line, *last;

			status[length > 0 ? length : 0] = '\0';
			line = strstr(status, "\nNSpid:");
			if (!line)
				continue;
			line[1 + strcspn(line + 1, "\n")] = '\0';
			last = strrchr(line, '\t');
			if (last && atoi(last + 1) == tracee &&
			    tracee_proc_link(thread->tid, "ns/pid", ours, sizeof(ours)) >= 0 &&
			    !strcmp(ours, theirs))
				return thread->tid;
		}
	}
	return 0;
}

bool signals_make_way(const struct syscall_site *site, int listener, uint64_t id)
{
	bool itself = (int)site->args[0] == PTRACE_TRACEME;
	pid_t tracee = itself ? site->tid : named_by(site->tid, (pid_t)site->args[1]);
	struct thread *thread = *slot_of(tracee);
	struct waiter *waiter;

	if (!thread)
		return false;
	if (itself) {
		/* It can stop only when its call is over: so it makes it again after the stop. */
		thread->leaving = true;
		return !request(PTRACE_INTERRUPT, tracee, NULL) && !answer_again(listener, id);
	}
	waiter = malloc(sizeof(*waiter));
	if (!waiter || request(PTRACE_INTERRUPT, tracee, NULL)) {
		free(waiter);
		return false;
	}
	thread->leaving = true;
	*waiter = (struct waiter){ waiters, tracee, listener, id };
	waiters = waiter;
	return true;
}

/*
 * Whether the call at @site never reached us. What we let go on may have been interrupted where it
 * really waits; a call that looks the same as the latest of those is taken for it then.
 */
static bool was_not_received(const struct thread *thread, const struct syscall_site *site)
{
	const struct syscall_site *answered = &thread->answered;
	const struct call *call = call_find(site->arch, site->nr);

	if (!call)
		return false;
	if (call->kind == CALL_HANDLER || call->kind == CALL_TRACER || call->kind == CALL_RING)
		return true;
	if (!filter_wants(&wanted, call, site->args))
		return false;
	return answered->nr != site->nr || answered->arch != site->arch ||
	       answered->ip != site->ip ||
	       memcmp(answered->args, site->args, sizeof(site->args)) != 0 ||
	       !observe_can_wait(site);
}

static uint64_t signals_of(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? strtoull(line + strlen(name), NULL, 16) : 0;
}

/* Whether @number is thrown away, and no handler waits to run: untraced, nobody would wake up. */
static bool is_thrown_away(pid_t tid, int number)
{
	const uint64_t ignored_by_default = UINT64_C(1) << (SIGCHLD - 1) |
					    UINT64_C(1) << (SIGCONT - 1) |
					    UINT64_C(1) << (SIGURG - 1) |
					    UINT64_C(1) << (SIGWINCH - 1);
	uint64_t bit = UINT64_C(1) << (number - 1), caught, pending;
	char status[4096];
	ssize_t length = tracee_proc_file(tid, "status", status, sizeof(status) - 1);

	if (length <= 0)
		return false;
	status[length] = '\0';
	caught = signals_of(status, "\nSigCgt:");
	pending = (signals_of(status, "\nSigPnd:") | signals_of(status, "\nShdPnd:")) &
		  ~signals_of(status, "\nSigBlk:");
	return !(pending & caught) && !(bit & caught) &&
	       bit & (signals_of(status, "\nSigIgn:") | ignored_by_default);
}

/* Signal @number is about to be delivered. */
static void mend(const struct thread *thread, int number)
{
	struct syscall_site site;

	if (registers_interrupted(thread->tid, &site)) {
		if (was_not_received(thread, &site))
			registers_repeat(thread->tid);
	} else if (registers_gave_up(thread->tid) && is_thrown_away(thread->tid, number)) {
		/* Only a tracer makes an ignored signal wake somebody up. */
		registers_repeat(thread->tid);
	}
}

static pid_t event_message(pid_t tid)
{
	unsigned long message = 0;

	request(PTRACE_GETEVENTMSG, tid, &message);
	return (pid_t)message;
}

static bool is_job_control(int number)
{
	return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/* Lets a thread that is stopped go on with @number delivered, or go for good. */
static void go_on(struct thread *thread, long number)
{
	if (!thread->leaving) {
		request(PTRACE_CONT, thread->tid, (void *)number);
		return;
	}
	request(PTRACE_DETACH, thread->tid, (void *)number);
	signals_ended(thread->tid);
}

bool signals_stopped(pid_t tid, int status, bool *job_stop)
{
	int event = status >> 16, number = WSTOPSIG(status);
	struct thread *thread = *slot_of(tid);

	/* The first stop of a newborn may come before its parent's report of it. */
	if (!thread && event == PTRACE_EVENT_STOP)
		thread = remember(tid);
	*job_stop = false;
	if (!thread) {
		if (event)
			request(PTRACE_DETACH, tid, NULL);
		return event;
	}
	switch (event) {
	case PTRACE_EVENT_STOP:
		*job_stop = is_job_control(number);
		if (*job_stop && !thread->leaving)
			request(PTRACE_LISTEN, tid, NULL); /* until it is continued */
		else
			go_on(thread, 0);
		return true;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		remember(event_message(tid));
		go_on(thread, 0);
		return true;
	case PTRACE_EVENT_EXEC:
		/* Not the leader, perhaps, whose number it has now; and it has no handlers now. */
		if (event_message(tid) != tid)
			signals_ended(event_message(tid));
		thread->leaving = true;
		go_on(thread, 0);
		return true;
	default:
		mend(thread, number);
		go_on(thread, number);
		return true;
	}
}
