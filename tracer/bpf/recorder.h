/* SPDX-License-Identifier: MIT */
/* A recording: the programs in the kernel, and the records that are made of their notes. */
#ifndef IMPTRACE_BPF_RECORDER_H
#define IMPTRACE_BPF_RECORDER_H

#include "../native/start.h"
#include "../native/witness.h"
#include "listeners.h"
#include "load.h"

struct recorder {
	struct machine machine;
	struct listeners listeners;
	enum scope scope;
	struct witness witness;
	int program, pidfd;	/* what was launched; 0 and -1: nothing, or it has ended */
	volatile bool leaving;	/* asked for by another thread than that which waits */
	bool gone;		/* RECORD_ALL_GONE was written */
	bool ends;		/* it ends when nothing that is recorded runs any more */
	uint64_t repeats_read;	/* when; CLOCK_MONOTONIC */
	int waker;		/* readable when recorder_wait is to return at once */
};

/* Returns 0, or -1 with errno and .machine.failed; recorder_close is to be called in any case. */
int recorder_open(struct recorder *recorder, const struct machine_options *options,
		  uint64_t start);
void recorder_close(struct recorder *recorder);

pid_t recorder_launch(struct recorder *recorder, const struct start *start, const char **stage);
int recorder_follow(struct recorder *recorder, int pid, uint32_t uid, uint32_t gid,
		    uint32_t *image);
int recorder_ignore(struct recorder *recorder, int pid);
/* Tells from now on also of what was done before, as if it were new. */
void recorder_renew(struct recorder *recorder);
void recorder_held(struct teller *teller, uint32_t image, uint8_t op, uint32_t flags,
		   const char *path);

/*
 * Has a user listen to the program that the process @pid is about to execute, and to all that it
 * starts. Returns the number of the tree, or 0 with errno. These are for the thread that
 * calls recorder_wait.
 */
unsigned int recorder_listen(struct recorder *recorder, int pid, uint32_t user);
/* The same for a process of his that runs already, in the tree @number, or in a new one (0). */
unsigned int recorder_join(struct recorder *recorder, unsigned int number, int pid, int pidfd,
			   uint32_t user, uint32_t gid, uint32_t *image);
void recorder_unlisten(struct recorder *recorder, unsigned int tree);
/* Says in the tree's records what was dropped since they were taken, which they are now. */
void recorder_taken(struct tree *tree);

/*
 * Fills .listeners.machine.output with what was recorded; waits for it, up to @timeout
 * milliseconds, or until there is something in the trees @ready (a bit each), or recorder_wake.
 */
void recorder_wait(struct recorder *recorder, int timeout, uint32_t ready);
/* For any thread. */
void recorder_wake(struct recorder *recorder);

#endif
