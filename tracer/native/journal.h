/* SPDX-License-Identifier: MIT */
/*
 * What has been seen, written to the ring: each distinct access once, its repeats as counts.
 */
#ifndef IMPTRACE_JOURNAL_H
#define IMPTRACE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "records.h"

/* What was there before a first change. */
struct before {
	bool looked;		/* false: not known */
	const struct stat *st;	/* NULL: nothing was there */
};

struct access {
	uint32_t image;
	uint8_t op, outcome;	/* enum op, enum outcome */
	int error;		/* errno where the outcome is OUTCOME_FAILED, else 0 */
	uint32_t flags;
	const char *path, *path2;	/* path2 may be NULL; neither is kept */
	struct before before, before2;
};

/*
 * @ring stays the caller's. @kick is an eventfd that wakes the reader; @reader a pidfd of it, or
 * -1; both stay the caller's. @start: CLOCK_MONOTONIC ns of the run's time 0.
 */
int journal_open(struct ring *ring, int kick, int reader, uint64_t start);

/* Nanoseconds since the start of the run. */
uint64_t journal_now(void);

/* Whether somebody still reads. Without a reader nothing is written, and nothing waits. */
bool journal_is_read(void);
void journal_reader_died(void);

/* A key for @access, as far as it tells it from others. */
uint64_t journal_key(const struct access *access);

/*
 * A directory is about to get another name: what is done at names below it from now on is no repeat
 * of what was done before.
 */
void journal_moves(void);

/* If the access with @key was written before, counts it once more and returns true. */
bool journal_repeat(uint64_t key);

/* Writes @access, seen for the first time, and remembers it as @key. */
void journal_write(uint64_t key, const struct access *access);

uint32_t journal_new_image(void);

struct process_texts {
	const char *exe, *argv, *cwd, *cgroup, *environ;
	size_t exe_length, argv_length, cwd_length, cgroup_length, environ_length;
};

/* Writes @record, whose lengths are filled in from @texts. */
void journal_process(struct process_record *record, const struct process_texts *texts);
/* @inside, a mount point or root directory of a tracee, is @host here; NULL: nothing is. */
void journal_name(const char *inside, const char *host);
/* What is said once, with how often it was: */
void journal_changed_path(void);	/* a path was another one by the time its call was made */
void journal_too_long(void);		/* a path is longer than the kernel tells */

/* Signal @number came to this process, which wants none itself. */
void journal_signalled(int number);
void journal_exit(uint8_t type, uint32_t image, int status, uint32_t left);
void journal_count(uint8_t type, uint32_t image, uint32_t count);

/* Writes out the counts of repeats and of losses. */
void journal_flush(void);

#endif
