/* SPDX-License-Identifier: MIT */
/*
 * What the ring carries. Native byte order: writer and reader are one machine. The Python side
 * is tracer/native/ring.py; tests/tracer/test_tables.py decodes every field of each record.
 */
#ifndef IMPTRACE_RECORDS_H
#define IMPTRACE_RECORDS_H

#include <stdint.h>

#include "ring.h"

enum record_type {
	RECORD_FILLER,
	RECORD_ACCESS,		/* struct access_record, states, path, second path */
	RECORD_REPEAT,		/* struct repeat_record */
	RECORD_PROCESS,		/* struct process_record, texts */
	RECORD_EXIT,		/* struct exit_record: a process ended */
	RECORD_LOST,		/* struct lost_record */
	RECORD_UNSEEN,		/* struct count_record */
	RECORD_WARNING,		/* struct count_record: .count is an enum warning */
	RECORD_ROOT_EXITED,	/* struct exit_record: the program itself ended */
	RECORD_ROOT_STOPPED,	/* struct exit_record: .status is what waitpid said */
	RECORD_ALL_GONE,	/* nothing that is traced is left; the last record */
	RECORD_NAME,		/* struct name_record, two texts */
};

enum outcome { OUTCOME_OK, OUTCOME_MISSING, OUTCOME_DENIED, OUTCOME_FAILED, OUTCOME_UNKNOWN };

enum { HAS_BEFORE = 1, HAS_BEFORE2 = 2, HAS_PATH2 = 4 };

/* tracer/events.py: AccessFlag */
enum {
	FLAG_EXCLUSIVE = 1,
	FLAG_TMPFILE = 2,
	FLAG_EXCHANGE = 4,
	FLAG_DIRECTORY = 8,
	FLAG_EMPTY = 16,
	FLAG_ALREADY_OPEN = 128,
	FLAG_MAPPED = 256,
	FLAG_PRIVATE_MOUNT = 1024,
};

enum warning {
	WARN_SETUID = 1,	/* a setuid program was executed without its privilege */
	WARN_LISTENER,		/* a program asked for a user notification listener of its own */
	WARN_UNREADABLE,	/* a process cannot be read */
	WARN_IO_URING,		/* a process uses io_uring, whose operations are not seen */
	WARN_SIGNALS,		/* a process cannot be kept from EINTR when its handlers run */
	WARN_SETGID,		/* a setgid program was executed without its group */
	WARN_RING_REFUSED,	/* a program was kept from io_uring */
	WARN_SERVICE_GONE,	/* the machine's recorder ended before the program */
	/* With how often, in .process: */
	WARN_CHANGED_PATH = 16,	/* a path was changed while its call waited */
	WARN_TOO_LONG,		/* a path is too long to be told */
	WARN_NOT_HIS,		/* a program had other rights than those of who asked */
	WARN_REFUSED,		/* a call was refused, and its path may be another's secret */
};

struct state_record {
	uint32_t mode;		/* st_mode; 0: nothing is there */
	uint32_t uid, gid;
	uint32_t reserved;
	uint64_t size, inode, device;
	int64_t mtime_ns, ctime_ns;
};

struct access_record {
	struct record header;
	uint32_t id;		/* for repeats; 0: there will be none */
	uint32_t process;
	uint32_t flags;
	int32_t error;
	uint64_t at;
	uint32_t path_length, path2_length;
};

/* No record repeats an access that so many others follow: the reader has forgotten it. */
enum { REPEATED_MAX = 1 << 18 };

struct repeat_record {
	struct record header;
	uint32_t id, count;
	uint64_t last;
};

struct process_record {
	struct record header;
	uint32_t process, parent, previous;	/* 0: none */
	int32_t pid;
	uint32_t uid, gid;
	uint64_t at;
	/* NUL-separated lists as /proc gives them, cut where they are too long */
	uint32_t exe_length, argv_length, cwd_length, cgroup_length, environ_length, reserved;
};

struct exit_record {
	struct record header;
	uint32_t process;
	int32_t status;		/* waitpid(2)'s; -1: cannot be known */
	uint64_t at;
	uint32_t left;		/* processes that still run */
	uint32_t reserved;
};

/* What a process calls a mount that it used, and what the host calls it. */
struct name_record {
	struct record header;
	uint32_t inside_length, host_length;	/* the latter 0: the host cannot see it */
};

/* Records that had to be dropped, between two moments; of a cgroup, as /proc gives that. */
struct lost_record {
	struct record header;
	uint64_t count, since, until;
	uint32_t cgroup_length, reserved;
};

struct count_record {
	struct record header;
	uint32_t process;
	uint32_t count;
};

#endif
