/* SPDX-License-Identifier: MIT */
/*
 * From a syscall that a tracee is about to make to records in the journal.
 *
 * In two steps, so that whoever knows what the call returned can say so: observe_entry looks
 * while the tracee waits, observe_commit writes.
 */
#ifndef IMPTRACE_OBSERVE_H
#define IMPTRACE_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "resolve.h"

struct syscall_site {
	pid_t tid;
	uint32_t arch;		/* AUDIT_ARCH_* */
	int nr;
	uint64_t args[6];
	uint64_t ip;		/* behind the instruction that makes the call; 0: not known */
};

enum { STAGED_MAX = 4, TEXTS_MAX = 2 };

/* A path as it stood in the tracee's memory. */
struct text {
	uint64_t address;
	size_t size;		/* with the NUL */
	char bytes[PATH_MAX];
};

struct staged_access {
	uint8_t op, outcome;
	uint32_t flags;
	int error;
	bool two_paths;		/* places[0] and places[1]; else only @place */
	uint8_t place;
};

/* What the supervisor may assume of the processes it watches. */
struct observe_options {
	bool privileged;	/* setuid programs keep their privilege */
	bool stats;		/* questions are wanted too */
};

/* What one call is about to do. */
struct staging {
	struct process *process;	/* NULL: nothing to record */
	const struct observe_options *options;
	struct staged_access accesses[STAGED_MAX];
	int count;
	struct place places[2];
	int place_count;
	bool is_exec;
	char text[PATH_MAX + 1];	/* the text of a new symbolic link */
	/* For what is looked at next: */
	bool changes;		/* the call changes what is there */
	uint64_t resolve;	/* RESOLVE_* of openat2(2) */
	/* What was read, to be compared when all has been looked at: */
	pid_t tid;
	struct text texts[TEXTS_MAX];
	int text_count;
	bool crowded;		/* somebody else may change them */
	bool changed;		/* somebody did, which was counted */
};

void observe_configure(const struct observe_options *options);

/* Looks at the call. @staging is to be handed to observe_commit, always. */
void observe_entry(const struct syscall_site *site, struct staging *staging);

enum call_end {
	CALL_WAITS,		/* it is about to be made: what comes of it is foretold */
	CALL_RETURNED,
	CALL_UNKNOWN,		/* its thread was killed in it */
};

struct call_result {
	enum call_end end;
	int64_t value;		/* of CALL_RETURNED: >= 0, or a negated errno */
};

/*
 * Writes what was staged and releases it. CALL_RETURNED and 0 for an exec, before the new image
 * makes its first call, starts that image.
 */
void observe_commit(struct staging *staging, const struct call_result *result);

/*
 * Whether the call at @site can wait in the kernel for somebody: for the other end of a FIFO, for the
 * holder of a lease.
 */
bool observe_can_wait(const struct syscall_site *site);

/* Whether a path that was read is another one now; to be counted where its caller still waits. */
bool observe_changed(const struct staging *staging);
void observe_count_changed(struct staging *staging);

/* Whether the call gives another name to what names lead through: a directory, a symbolic link. */
bool observe_moves_names(const struct staging *staging);

/* Whether a path of the call lies at or below one of what @mover moves. */
bool observe_is_moved_by(const struct staging *staging, const struct staging *mover);

/* Releases what was staged: the call was never made. */
void observe_discard(struct staging *staging);

/* @process has executed something, which nobody saw it ask for. */
void observe_unseen_exec(struct process *process);

/* A descriptor, or a mapping, that a process had before it was attached to. */
struct holding {
	struct process *process;
	int fd;			/* -1 for a mapping */
	int open_flags;		/* as of open(2) */
	const char *path;	/* of a mapping */
	bool writable;		/* the mapping writes to the file */
};

/* Writes that; nothing where it is no path. */
void observe_holding(const struct holding *holding);

/* The process has ended with wait status @status (-1: not known): writes that, forgets it. */
void observe_exit(struct process *process, int status);

/* Writes counts that were held back. */
void observe_flush(void);

#endif
