/* SPDX-License-Identifier: MIT */
#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "flight.h"
#include "journal.h"
#include "mounts.h"
#include "names.h"

enum { BUCKETS = 1 << 14, DESCRIPTORS_SPARE = 12 };

#define THREADS_TRUSTED_NS UINT64_C(10000000)

struct thread {
	struct thread *next;
	pid_t tid;
	struct process *process;
};

static struct process *processes[BUCKETS];
static struct thread *threads[BUCKETS]; /* only those whose tid is not their pid */
static size_t known;

static size_t bucket(pid_t id)
{
	return (size_t)id & (BUCKETS - 1);
}

struct process *process_known(pid_t pid)
{
	struct process *process = processes[bucket(pid)];

	while (process && process->pid != pid)
		process = process->next;
	return process;
}

static struct thread **thread_slot(pid_t tid)
{
	struct thread **slot = &threads[bucket(tid)];

	while (*slot && (*slot)->tid != tid)
		slot = &(*slot)->next;
	return slot;
}

void process_thread_exits(pid_t tid)
{
	struct thread **slot = thread_slot(tid), *thread = *slot;

	names_changed(tid);
	flight_over(tid);
	if (!thread)
		return;
	*slot = thread->next;
	thread->process->threads--;
	free(thread);
}

static void forget_threads(struct process *process)
{
	for (size_t i = 0; process->threads && i < BUCKETS; i++) {
		for (struct thread **slot = &threads[i]; *slot;) {
			struct thread *thread = *slot;

			if (thread->process != process) {
				slot = &thread->next;
				continue;
			}
			*slot = thread->next;
			process->threads--;
			free(thread);
		}
	}
}

void process_forget(struct process *process)
{
	struct process **slot = &processes[bucket(process->pid)];

	while (*slot != process)
		slot = &(*slot)->next;
	*slot = process->next;
	known--;
	names_changed(process->pid);
	flight_over(process->pid);
	forget_threads(process);
	if (process->pidfd >= 0)
		close(process->pidfd);
	free(process->exec_path);
	free(process->exe);
	free(process);
}

void process_each(void (*visit)(struct process *, void *), void *context)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct process *process = processes[i], *next; process; process = next) {
			next = process->next;
			visit(process, context);
		}
	}
}

size_t process_count(void)
{
	return known;
}

ssize_t tracee_proc_file(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[64];
	size_t length = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (length < size && (got = read(fd, buffer + length, size - length)) > 0)
		length += (size_t)got;
	close(fd);
	return (ssize_t)length;
}

ssize_t tracee_proc_link(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	length = readlink(path, buffer, size - 1);
	if (length >= 0)
		buffer[length] = '\0';
	return length;
}

static void read_groups(struct process *process, const char *text)
{
	char *end;

	process->group_count = 0;
	while (process->group_count < GROUPS_KEPT) {
		unsigned long group = strtoul(text, &end, 10);

		if (end == text || strchr(text, '\n') < end)
			return;
		process->groups[process->group_count++] = (gid_t)group;
		text = end;
	}
}

struct status {
	char text[4096];
	pid_t tgid, parent;
};

static bool read_status(pid_t tid, struct status *status)
{
	ssize_t length = tracee_proc_file(tid, "status", status->text, sizeof(status->text) - 1);
	const char *line;

	if (length <= 0)
		return false;
	status->text[length] = '\0';
	line = strstr(status->text, "\nTgid:");
	if (!line || sscanf(line, "\nTgid: %d", &status->tgid) != 1)
		return false;
	line = strstr(line, "\nPPid:");
	return line && sscanf(line, "\nPPid: %d", &status->parent) == 1;
}

static void read_credentials(struct process *process, const struct status *status)
{
	const char *line = strstr(status->text, "\nUid:");

	if (line)
		sscanf(line, "\nUid: %u %*u %*u %u", &process->uid, &process->fsuid);
	line = strstr(status->text, "\nGid:");
	if (line)
		sscanf(line, "\nGid: %u %*u %*u %u", &process->gid, &process->fsgid);
	line = strstr(status->text, "\nGroups:");
	if (line)
		read_groups(process, line + strlen("\nGroups:"));
}

/* A field of /proc/@pid/stat; 0 if that is not shown. */
static uint64_t read_stat_number(pid_t pid, int number)
{
	char text[1024], *field;
	ssize_t length = tracee_proc_file(pid, "stat", text, sizeof(text) - 1);
	unsigned long long value = 0;

	if (length <= 0)
		return 0;
	text[length] = '\0';
	field = strrchr(text, ')'); /* the name before it may hold anything */
	for (int i = 2; field && i < number; i++)
		field = strchr(field + 1, ' ');
	if (field)
		sscanf(field, " %llu", &value);
	return value;
}

/* Where the arguments of the current image lie. */
static uint64_t read_arguments(pid_t pid)
{
	return read_stat_number(pid, 48);
}

static void read_image(struct process *process)
{
	char exe[PATH_MAX];

	free(process->exe);
	process->exe = NULL;
	if (tracee_proc_link(process->pid, "exe", exe, sizeof(exe)) >= 0)
		process->exe = strdup(exe);
	process->arguments = read_arguments(process->pid);
	process->unreadable = process->crowd = false;
	process->counted_at = 0;
}

bool process_has_threads(struct process *process)
{
	char path[64];
	struct stat st;
	uint64_t now = journal_now();

	if (process->crowd || process->threads)
		return true;
	if (process->counted_at && now < process->counted_at + THREADS_TRUSTED_NS)
		return false;
	process->counted_at = now;
	snprintf(path, sizeof(path), "/proc/%d/task", process->pid);
	process->crowd = stat(path, &st) || st.st_nlink > 3; /* ".", "..", one thread */
	return process->crowd;
}

void process_examine_root(struct process *process, pid_t tid)
{
	char root[PATH_MAX];
	uint64_t namespace = mounts_namespace(tid);

	if (process->world_tid == tid)
		process->world_tid = 0; /* its call has returned */
	if (!namespace)
		return;
	if (namespace != mounts_host()->namespace)
		process->root_kind = ROOT_FOREIGN;
	else if (tracee_proc_link(tid, "root", root, sizeof(root)) < 0 || !strcmp(root, "/"))
		process->root_kind = ROOT_OURS;
	else
		process->root_kind = ROOT_CHANGED;
}

/*
 * Whether @process and its parent have one working directory, or may have: clone(2) with CLONE_FS
 * makes it so also for what are two processes.
 */
static void compare_cwd(struct process *process, pid_t parent_pid)
{
	struct process *parent = process_known(parent_pid);

	process->cwd_unsure =
		syscall(SYS_kcmp, process->pid, parent_pid, KCMP_FS, 0UL, 0UL) <= 0;
	if (process->cwd_unsure && parent)
		parent->cwd_unsure = true;
}

static uint64_t next_cwd(void)
{
	static uint64_t last;

	return ++last;
}

void process_chdir_begins(struct process *process, pid_t tid)
{
	/* Of two at the same time it is not told who ends last. */
	process->cwd_unsure = process->cwd_unsure || process->chdir_tid;
	process->chdir_tid = tid;
}

void process_chdir_ends(struct process *process, pid_t tid)
{
	if (process->chdir_tid != tid)
		return;
	process->chdir_tid = 0;
	process->cwd_serial = next_cwd();
}

bool process_cwd_is_steady(const struct process *process)
{
	return !process->chdir_tid && !process->world_tid && !process->cwd_unsure;
}

/* linux/pidfd.h: PIDFD_GET_INFO, since Linux 6.13; the first version of the struct. */
struct info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define GET_INFO _IOWR(0xFF, 11, struct info)

/*
 * What can be told of a process that /proc does not show to us (hidepid, or none is mounted). False
 * for a thread, whose process cannot be told then.
 */
static bool ask_status(pid_t tid, struct status *status)
{
	struct info info = { .mask = 0 };
	int pidfd = (int)syscall(SYS_pidfd_open, tid, 0);

	if (pidfd < 0)
		return false;
	*status->text = '\0';
	status->tgid = tid;
	status->parent = ioctl(pidfd, GET_INFO, &info) ? 0 : (pid_t)info.ppid;
	close(pidfd);
	return true;
}

/* When the process was started (field 22 of stat); 0 if that is not shown. */
static uint64_t read_birth(pid_t pid)
{
	return read_stat_number(pid, 22);
}

bool process_is_another(const struct process *process)
{
	return process->pidfd < 0 && read_birth(process->pid) != process->born;
}

/* One descriptor for each process, as far as there are enough for all else. */
static int open_pidfd(pid_t pid)
{
	struct rlimit files;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0 && !getrlimit(RLIMIT_NOFILE, &files) &&
	    (rlim_t)fd + DESCRIPTORS_SPARE > files.rlim_cur) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static struct process *make_known(const struct status *status)
{
	struct process *process = calloc(1, sizeof(*process)), *parent;

	if (!process)
		return NULL;
	process->pid = status->tgid;
	process->pidfd = open_pidfd(status->tgid);
	process->born = process->pidfd < 0 ? read_birth(status->tgid) : 0;
	parent = process_known(status->parent);
	if (parent)
		process->parent = parent->image ? parent->image : parent->parent;
	read_credentials(process, status);
	read_image(process);
	compare_cwd(process, status->parent);
	process->cwd_serial = next_cwd();
	process_examine_root(process, process->pid);
	process->next = processes[bucket(process->pid)];
	processes[bucket(process->pid)] = process;
	known++;
	return process;
}

struct process *process_of(pid_t tid)
{
	struct process *process = process_known(tid);
	struct thread *thread;
	struct status status;

	if (process)
		return process;
	thread = *thread_slot(tid);
	if (thread)
		return thread->process;
	if (!read_status(tid, &status) && !ask_status(tid, &status))
		return NULL;
	process = process_known(status.tgid);
	if (!process)
		process = make_known(&status);
	if (!process || status.tgid == tid)
		return process;
	thread = calloc(1, sizeof(*thread));
	if (thread) {
		*thread = (struct thread){ threads[bucket(tid)], tid, process };
		threads[bucket(tid)] = thread;
		process->threads++;
	}
	return process;
}

void process_exec_begins(struct process *process, const char *path)
{
	free(process->exec_path);
	process->exec_path = strdup(path);
}

bool process_exec_happened(struct process *process, char **path)
{
	char exe[PATH_MAX];
	bool same;

	*path = process->exec_path;
	process->exec_path = NULL;
	if (tracee_proc_link(process->pid, "exe", exe, sizeof(exe)) < 0) {
		same = false; /* unreadable now: only an exec makes a readable process so */
	} else {
		same = process->exe && !strcmp(exe, process->exe) &&
		       read_arguments(process->pid) == process->arguments;
	}
	return !same;
}

void process_renew(struct process *process)
{
	struct status status;

	if (read_status(process->pid, &status))
		read_credentials(process, &status);
	read_image(process);
	forget_threads(process);
}
