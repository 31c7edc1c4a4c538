/* SPDX-License-Identifier: MIT */
/* The traced processes: who they are, and reading their /proc entries. */
#ifndef IMPTRACE_TRACEE_H
#define IMPTRACE_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { GROUPS_KEPT = 64 };

enum root_kind {
	ROOT_OURS,	/* same mount namespace and root directory as the supervisor */
	ROOT_CHANGED,	/* chroot in our mount namespace */
	ROOT_FOREIGN,	/* another mount namespace */
};

struct process {
	struct process *next;	/* in its bucket */
	pid_t pid;		/* the kernel's tgid */
	int pidfd;		/* readable when the process has ended; -1 if there was no descriptor */
	bool watched;		/* the supervisor waits for pidfd */
	uint64_t born;		/* when it was started, if there is no pidfd */
	bool crowd;		/* it has, or had, more than one thread */
	uint64_t counted_at;	/* when its threads were counted */
	bool racing;		/* a thread of it changed a path while another waited */
	uint32_t image;		/* the id in the records; 0 while it has done nothing but exec */
	uint32_t parent;	/* image id, 0 if not known */
	uint32_t threads;	/* known tids other than pid */
	uint32_t unseen;	/* calls without a readable path since the last report */
	bool unreadable;	/* memory cannot be read: the process made itself undumpable */
	pid_t world_tid;	/* this thread is changing root or namespace; 0: none is */
	enum root_kind root_kind;
	pid_t chdir_tid;	/* this thread is changing the working directory; 0: none is */
	bool cwd_unsure;	/* not all who have it, or can change it, are threads of this process */
	uint64_t cwd_serial;	/* of the working directory: another one after each change */
	char *exec_path;	/* owned: an exec of this is under way; NULL if none */
	char *exe;		/* owned: /proc/PID/exe when the image began; NULL if unreadable */
	uint64_t arguments;	/* where the image's arguments lie: differs between images */
	uid_t uid, fsuid;
	gid_t gid, fsgid;
	gid_t groups[GROUPS_KEPT];
	size_t group_count;
};

/*
 * Returns the process of thread @tid, made known if it was not; NULL if it is gone.
 * Owned by this module, valid until process_forget.
 */
struct process *process_of(pid_t tid);

/* Returns the process whose tgid is @pid if it is known, else NULL. */
struct process *process_known(pid_t pid);

/* Whether the process that was known by that pid is gone, and another one has it. */
bool process_is_another(const struct process *process);

/* Whether somebody may change its memory while a thread of it waits. */
bool process_has_threads(struct process *process);

/* Thread @tid is about to end. */
void process_thread_exits(pid_t tid);

/* The process has ended: frees it. */
void process_forget(struct process *process);

/* Calls @visit for each known process; @visit may forget the one it is given. */
void process_each(void (*visit)(struct process *, void *), void *context);
size_t process_count(void);

/* Thread @tid is about to change the working directory; it makes its next call when it has. */
void process_chdir_begins(struct process *process, pid_t tid);
void process_chdir_ends(struct process *process, pid_t tid);

/* Whether the working directory stays the same until process_chdir_begins is called. */
bool process_cwd_is_steady(const struct process *process);

/* Looks again at root directory and mount namespace. */
void process_examine_root(struct process *process, pid_t tid);

/* An exec of @path (copied) is under way. */
void process_exec_begins(struct process *process, const char *path);

/*
 * If an exec was under way: whether it has happened. Clears exec_path in both cases, handing it
 * to @path (owned by the caller).
 */
bool process_exec_happened(struct process *process, char **path);

/* An exec has happened: brings credentials, exe and threads up to date. */
void process_renew(struct process *process);

/* Reads /proc/@pid/@name, at most @size bytes; returns the bytes, -1 with errno. */
ssize_t tracee_proc_file(pid_t pid, const char *name, char *buffer, size_t size);

/* Reads the link /proc/@pid/@name into @buffer, terminated; returns its length, -1 with errno. */
ssize_t tracee_proc_link(pid_t pid, const char *name, char *buffer, size_t size);

#endif
