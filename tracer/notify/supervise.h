/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: answers every traced call of the program, and records it while somebody reads.
 *
 *	imptrace --fork--> supervisor --fork--> program
 *
 * It is a process of its own so that the program outlives imptrace: if the listener were closed,
 * every traced call of the program would fail with ENOSYS.
 */
#ifndef IMPTRACE_SUPERVISE_H
#define IMPTRACE_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "door.h"
#include "../native/filter.h"
#include "../native/ring.h"

enum launch_stage { STAGE_STARTED, STAGE_SUPERVISOR, STAGE_FILTER, STAGE_USER, STAGE_EXEC };

struct launch {
	const char *path;	/* of the program, used as it is */
	char *const *argv, *const *envp;
	const struct filter_options *filter;
	sigset_t mask;		/* signals that the program finds blocked */
	unsigned int closed;	/* bits of the standard descriptors that it finds closed */
	bool change_user;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
	bool adopt_orphans;	/* be a subreaper, so that daemons stay readable descendants */
	bool privileged;	/* setuid programs keep their privilege */
	uint64_t start;		/* CLOCK_MONOTONIC ns of the run's time 0 */
};

struct launched {
	pid_t supervisor, program;
	enum launch_stage failed;	/* if launch_program returned -1 */
};

/*
 * Starts supervisor and program. Records go to @ring, and @kick (an eventfd) is written to when
 * the reader should hurry; both stay the caller's. Must be called while the process has one
 * thread. Returns when the program has been executed, or could not be: -1 with errno.
 */
int launch_program(const struct launch *launch, struct ring *ring, int kick,
		   struct launched *launched);

/*
 * A supervisor without a program of its own: the processes of a service bring their listeners
 * through @door. It goes on until @leave (an eventfd) is written to and no listener is in use.
 */
struct service {
	const struct door *door;
	int leave;
	const int *adopted;	/* listeners of a supervisor that was killed */
	size_t adopted_count;
	int page;		/* a memfd, SERVICE_PAGE bytes, that outlives the supervisor */
	bool privileged;
	uint64_t start;		/* CLOCK_MONOTONIC ns of the run's time 0 */
};

enum { SERVICE_PAGE = 4096 };

/* Starts it. Returns its pid, or -1 with errno. To be called while the process has one thread. */
pid_t launch_service(const struct service *service, struct ring *ring, int kick);

/* What the loop needs, all owned by the supervisor process, which ends with it. */
struct supervision {
	const struct filter_options *filter;
	int listener;		/* the program's */
	int reader;		/* pidfd of imptrace; -1 if it is gone already */
	pid_t program;
	/* Of a service's supervisor, which has no program and no first listener: */
	const struct door *door;
	int leave;
	const int *adopted;
	size_t adopted_count;
	void *page;		/* holds the request that is being answered */
};

/* Answers until nothing that is traced is left. All signals must be blocked. */
void supervise(const struct supervision *supervision);

#endif
