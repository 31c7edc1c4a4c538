/* SPDX-License-Identifier: MIT */
/*
 * A ring of records in shared memory: one writer (the supervisor), one reader (imptrace).
 *
 *	| struct ring | data: size bytes, a power of two                    |
 *	              [ record ][ record ][ filler ]  ... wraps at the end
 *
 * A record is contiguous; where the rest of the data is too short for one, a filler covers it.
 * Positions only grow (2^64 bytes are never reached); offset = position & (size - 1).
 */
#ifndef IMPTRACE_RING_H
#define IMPTRACE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_ALIGN = 8, RING_SIGNALS = 65 };

struct ring {
	_Atomic uint64_t written;	/* moved by the writer only */
	_Atomic uint64_t read;		/* moved by the reader only */
	_Atomic uint32_t reader_gone;	/* set by the reader: nobody will read any more */
	_Atomic uint32_t urgent;	/* the writer wants the reader now, whatever the fill */
	/* Signals that the writer got: sent to all of the process group, as nobody knows its pid. */
	_Atomic uint32_t signals[RING_SIGNALS];
	uint64_t size;
	uint64_t dropped;		/* the writer's: records lost since the last report */
	_Alignas(64) unsigned char data[];
};

/* Every record begins so. Sizes include the header and are multiples of RING_ALIGN. */
struct record {
	uint32_t size;
	uint8_t type;		/* enum record_type, 0 for a filler */
	uint8_t op;		/* enum op */
	uint8_t outcome;	/* enum outcome */
	uint8_t has;		/* what follows: HAS_* */
};

/* Maps a new ring of @size bytes (a power of two); NULL with errno. Unmap with ring_free. */
struct ring *ring_new(size_t size);
void ring_free(struct ring *ring);

/*
 * Returns room for a record of @size bytes, valid until ring_push; NULL if there is none now that
 * would leave @spare bytes. @size must be at most a quarter of the ring.
 */
struct record *ring_reserve(struct ring *ring, size_t size, size_t spare);
void ring_push(struct ring *ring, const struct record *record);

/* How many bytes wait to be read. */
size_t ring_fill(struct ring *ring);

/* Copies up to @size bytes of whole records to @to and frees their room; returns the bytes. */
size_t ring_read(struct ring *ring, void *to, size_t size);

#endif
