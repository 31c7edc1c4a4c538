/* SPDX-License-Identifier: MIT */
/* The records that every recorder writes (records.h), of what the kernel's programs have noted. */
#ifndef IMPTRACE_BPF_TELL_H
#define IMPTRACE_BPF_TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../native/records.h"
#include "images.h"
#include "notes.h"
#include "output.h"

enum { TOPS_MAX = 64, DEVICES_MAX = 256 };

/* Whoever records are written for: the recording itself, or somebody who listens to a part. */
struct teller {
	struct output output;
	uint32_t bit;		/* which one it is: struct image .told */
	uint64_t start;		/* CLOCK_MONOTONIC: times are told from it on */
	bool stats;
	bool counts;		/* repeats are counted: whoever reads remembers each access for that */
	bool writes_only;
	uint32_t user;		/* is told only what he may know; 0: everything */
	uint32_t last_id;
	char *tops[TOPS_MAX];	/* only what lies below one of these, if there are any */
	int top_count;
	uint32_t devices[DEVICES_MAX];	/* only what lies on one of these, if there are any */
	int device_count;
	uint64_t unsure;	/* paths that were followed after the call */
	uint32_t too_long, too_long_told;	/* paths that did not fit into a note */
	uint32_t moved, moved_told;	/* paths in directories that moved meanwhile */
	uint32_t hidden, hidden_told;	/* programs with other rights than the user's */
	uint32_t refused, refused_told;	/* calls of which he is told nothing */
	struct told *told;	/* accesses by the serial of their note */
	uint32_t told_mask;
};

/* An access, as it is to be written. */
struct telling {
	uint32_t image, flags;
	uint8_t op;
	int error;
	uint64_t at;
	const char *path, *path2;	/* path2: NULL for none */
	const struct note_state *before, *before2; /* NULL: not known */
};

/* @remembered: how many accesses are remembered to tell repeats of; a power of two, 0 for none. */
bool teller_open(struct teller *teller, uint32_t bit, uint64_t start, uint32_t remembered);
/* Leaves out what does not lie below this directory, or another that was named; -1: too many. */
int teller_only_below(struct teller *teller, const char *top);
/* Leaves out what does not lie on this file system, or on another that was named. */
void teller_only_on(struct teller *teller, uint32_t device);
void teller_close(struct teller *teller);

/* Writes the process record of an image, if it was not written yet; the other, in any case. */
void tell_image(struct teller *teller, uint32_t number, uint64_t at);
void tell_image_anew(struct teller *teller, struct image *image, uint64_t at);

/* The image, or the nearest one that it came from, whose record has been written; 0 for none. */
uint32_t teller_nearest(const struct teller *teller, const struct image *image);

void tell_access(struct teller *teller, const struct telling *telling);

/* Says that the accesses told since @first are those of a note that `repeats` counts. */
void tell_repeatable(struct teller *teller, uint32_t serial, uint32_t first);

/* Tells of repeats that were not told of yet. */
void tell_repeat(struct teller *teller, const struct repeat *repeat);

void tell_count(struct teller *teller, enum record_type type, uint32_t image, uint64_t count);
/* @loss: since, until and how many, by CLOCK_MONOTONIC; @group: of whom. */
void tell_loss(struct teller *teller, const struct loss *loss, uint64_t group);
/* What a process calls a mount or its root directory, and we do; @host empty: nothing. */
void tell_mount(struct teller *teller, const char *inside, const char *host);
/* Says how many paths and programs could not be told, if it is more than was said. */
void tell_omissions(struct teller *teller);
void tell_end(struct teller *teller, enum record_type type, uint32_t image, int status,
	      uint32_t left, uint64_t at);

/* A process that runs already, and whose image has this number. */
void image_found(uint32_t image, int pid, uint32_t uid, uint32_t gid, bool privileged);

#endif
