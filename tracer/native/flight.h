/* SPDX-License-Identifier: MIT */
/*
 * Calls that were let go on and are not known to be over. Nobody tells when they are; but what they
 * are to leave behind can be looked for. So it is noticed when that is not what was foretold, and a
 * rename of a directory is written in the order in which it came among what was made in there.
 */
#ifndef IMPTRACE_FLIGHT_H
#define IMPTRACE_FLIGHT_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* What is expected at a path when the call is over. */
struct expected {
	const char *path;	/* copied */
	bool present;
	bool unsure;		/* it is made only if a directory comes back before the call */
	ino_t inode;		/* that it has then; 0: any */
	dev_t device;
};

/*
 * Thread @tid was let go on with a call. @verify: what does not come about is counted, unless it was
 * counted already or somebody else had to do with that path meanwhile.
 */
void flight_begin(pid_t tid, const struct expected *expected, bool verify);

/* The last call of thread @tid is over. */
void flight_over(pid_t tid);

/*
 * Waits, for a moment at most, for what others are doing at or below @directory, which is about to
 * get another name. What may be done before or after that is counted.
 */
void flight_await_below(pid_t tid, const char *directory);

/* The same for the call of thread @tid. */
void flight_await(pid_t tid);

#endif
