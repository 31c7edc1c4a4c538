/* SPDX-License-Identifier: MIT */
/* A recording: the programs in the kernel, and the records that are made of their notes. */
#ifndef IMPTRACE_BPF_RECORDER_H
#define IMPTRACE_BPF_RECORDER_H

#include "launch.h"
#include "load.h"
#include "tell.h"
#include "witness.h"

struct recorder {
	struct machine machine;
	struct teller teller;
	enum scope scope;
	struct witness witness;
	int program, pidfd;	/* what was launched; 0 and -1: nothing, or it has ended */
	volatile bool leaving;	/* asked for by another thread than that which waits */
	bool gone;		/* RECORD_ALL_GONE was written */
	bool ends;		/* it ends when nothing that is recorded runs any more */
	uint64_t repeats_read;	/* when; CLOCK_MONOTONIC */
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
void recorder_held(struct recorder *recorder, uint32_t image, uint8_t op, uint32_t flags,
		   const char *path);

/* Fills .teller.output with what was recorded; waits for it, up to @timeout milliseconds. */
void recorder_wait(struct recorder *recorder, int timeout);

#endif
