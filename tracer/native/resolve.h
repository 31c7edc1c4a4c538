/* SPDX-License-Identifier: MIT */
/*
 * From the path that a tracee gave to the path that the host knows: absolute, symbolic links
 * resolved, as the kernel is about to resolve it for the waiting call.
 */
#ifndef IMPTRACE_RESOLVE_H
#define IMPTRACE_RESOLVE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "tracee.h"

enum { PLACE_PATH_MAX = 2 * PATH_MAX };

/* The lookup was not made: it might have waited for somebody. */
#define NOT_LOOKED (-1)

struct place {
	char path[PLACE_PATH_MAX];
	struct stat st;		/* of what is there, if @error is 0 */
	int error;		/* 0, an errno, or NOT_LOOKED */
	bool wants_directory;	/* the path ends with a slash: nothing else will do */
	bool has_parent;	/* its directory is there: place_parent() may open it */
	int parent;		/* O_PATH descriptor of its directory, owned; -1 if not open */
	char name[NAME_MAX + 1];	/* its name there; "" if @parent is the object itself */
	bool through_link;	/* a symbolic link at the end was followed, maybe to elsewhere */
	bool too_long;		/* resolve() failed because the kernel tells no name so long */
	bool overlaid;		/* the path is one of an overlay's upper directory, @st of the merged one */
	bool upper_there;	/* something is at the path then: @upper */
	struct stat upper;
	bool led_back;		/* to a name beside or above a directory that is not there: by text only */
	bool private_mount;	/* the host cannot see it; path is the tracee's own */
};

struct query {
	struct process *process;
	pid_t tid;
	int dirfd;		/* a descriptor of the tracee, or AT_FDCWD */
	const char *raw;	/* the path as the tracee gave it; "" for dirfd itself */
	bool follow;		/* a symbolic link at the end */
	bool changes;		/* what is there is about to be changed */
	uint64_t resolve;	/* RESOLVE_* of openat2(2) */
};

/*
 * Fills in @place. Returns false if it is no path at all (a pipe, a socket, a descriptor that
 * is not open). To be released with place_release in both cases.
 */
bool resolve(const struct query *query, struct place *place);
void place_release(struct place *place);

/* Returns place->parent, opened if need be; -1 if there is none. */
int place_parent(struct place *place);

#endif
