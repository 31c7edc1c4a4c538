/* SPDX-License-Identifier: MIT */
/*
 * Calls that named something in a directory while another one moved it.
 *
 * A call is told when it has been made, by the path that leads there then. Where the two overlap, it
 * is not known which of them came first: the path may be that of before, or told as if it were.
 */
#ifndef IMPTRACE_BPF_MOVES_H
#define IMPTRACE_BPF_MOVES_H

#include <stdint.h>

#include "notes.h"

enum { MOVES_KEPT = 32, CALLS_KEPT = 1 << 17 };

/* A directory that was moved: its old name and its new one. */
struct move {
	uint64_t at;		/* when it was known to be done */
	uint32_t bits;		/* to whom it was told */
	char *names[2];
};

/* The newest calls, one after the other: a struct call_made and its two paths each. */
struct calls_made {
	uint32_t used;
	_Alignas(uint64_t) char bytes[CALLS_KEPT];
};

struct moves {
	struct move moved[MOVES_KEPT];
	unsigned int next;
	uint64_t last_at;
	struct calls_made calls[2];	/* when one is full, the other is emptied */
	unsigned int filled;
};

void moves_close(struct moves *moves);

/* A call has been noted and told to those of @bits: whether a directory on its way moved meanwhile. */
uint32_t moves_call(struct moves *moves, const struct note *note, uint32_t bits,
		    const char *path, const char *path2);

/*
 * A directory has been moved, and told to those of @bits. Says of each call that it overlapped, and
 * that was told before, to @overlaps: to whom both were told.
 */
void moves_add(struct moves *moves, const struct note *note, uint32_t bits, const char *from,
	       const char *to, void (*overlaps)(void *context, uint32_t bits), void *context);

#endif
