/* SPDX-License-Identifier: MIT */
#include "moves.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct call_made {
	uint64_t sent;
	uint32_t bits, size;	/* of this and the paths */
};

void moves_close(struct moves *moves)
{
	for (size_t i = 0; i < MOVES_KEPT; i++)
		for (size_t which = 0; which < 2; which++)
			free(moves->moved[i].names[which]);
	memset(moves->moved, 0, sizeof(moves->moved));
}

static bool lies_in(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return !strncmp(path, directory, length) && path[length] == '/';
}

static bool lies_in_one(const char *path, const char *path2, const char *from, const char *to)
{
	return lies_in(path, from) || lies_in(path, to) ||
	       (path2 && (lies_in(path2, from) || lies_in(path2, to)));
}

static void keep_call(struct moves *moves, const struct note *note, uint32_t bits,
		      const char *path, const char *path2)
{
	size_t length = strlen(path) + 1, length2 = path2 ? strlen(path2) + 1 : 1;
	size_t size = (sizeof(struct call_made) + length + length2 + 7) & ~(size_t)7;
	struct calls_made *calls = &moves->calls[moves->filled];
	struct call_made *call;

	if (calls->used + size > CALLS_KEPT) {
		moves->filled ^= 1;
		calls = &moves->calls[moves->filled];
		calls->used = 0;
	}
	call = (struct call_made *)(calls->bytes + calls->used);
	*call = (struct call_made){ note->sent, bits, (uint32_t)size };
	memcpy(call + 1, path, length);
	memcpy((char *)(call + 1) + length, path2 ? path2 : "", length2);
	calls->used += (uint32_t)size;
}

uint32_t moves_call(struct moves *moves, const struct note *note, uint32_t bits,
		    const char *path, const char *path2)
{
	uint32_t overlapped = 0;

	for (size_t i = 0; note->at < moves->last_at && i < MOVES_KEPT; i++) {
		const struct move *move = &moves->moved[i];

		if (note->at < move->at && move->bits & bits &&
		    lies_in_one(path, path2, move->names[0], move->names[1]))
			overlapped |= move->bits & bits;
	}
	keep_call(moves, note, bits & ~overlapped, path, path2);
	return overlapped;
}

static void find_calls(struct calls_made *calls, const struct note *note, const struct move *move,
		       void (*overlaps)(void *context, uint32_t bits), void *context)
{
	struct call_made *call;

	for (uint32_t at = 0; at < calls->used; at += call->size) {
		const char *path, *path2;

		call = (struct call_made *)(calls->bytes + at);
		path = (const char *)(call + 1);
		path2 = path + strlen(path) + 1;
		if (call->sent <= note->entered || !(call->bits & move->bits) ||
		    !lies_in_one(path, path2, move->names[0], move->names[1]))
			continue;
		overlaps(context, call->bits & move->bits);
		call->bits &= ~move->bits;
	}
}

void moves_add(struct moves *moves, const struct note *note, uint32_t bits, const char *from,
	       const char *to, void (*overlaps)(void *context, uint32_t bits), void *context)
{
	struct move *move = &moves->moved[moves->next++ % MOVES_KEPT];

	free(move->names[0]);
	free(move->names[1]);
	*move = (struct move){ note->at, bits, { strdup(from), strdup(to) } };
	if (!move->names[0] || !move->names[1]) {
		free(move->names[0]);
		free(move->names[1]);
		memset(move, 0, sizeof(*move));
		return;
	}
	if (note->at > moves->last_at)
		moves->last_at = note->at;
	for (size_t i = 0; i < 2; i++)
		find_calls(&moves->calls[i], note, move, overlaps, context);
}
