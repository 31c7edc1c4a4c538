/* SPDX-License-Identifier: MIT */
/* From the text of a note to the absolute path that the host has for it. */
#ifndef IMPTRACE_BPF_PLACES_H
#define IMPTRACE_BPF_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notes.h"

enum { PLACE_MAX = TEXT_MAX + PLACED_MAX };

/* A path that was made, and what is to be said of it. */
struct spot {
	char path[PLACE_MAX];
	size_t length;
	bool is_private;	/* on a mount that the host does not have */
	bool is_unsure;		/* may be another: it was followed after the call */
};

/* Writes the path of @text, whose bytes are @bytes; false if it leads to no path. */
bool spot_make(const struct note_text *text, const char *bytes, int pid, struct spot *spot);

/* Reads the host's mounts anew; calls @each with the number of each file system. */
void mounts_read(void (*each)(void *context, uint32_t device), void *context);

/* Whether they have changed since they were read. */
bool mounts_changed(void);
void mounts_forget(void);

#endif
