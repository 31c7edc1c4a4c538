/* SPDX-License-Identifier: MIT */
/*
 * What a call will meet, going by what stands where it is about to act: 0, an errno, or
 * NOT_LOOKED. Permissions and mounts are another matter: permission.h.
 */
#ifndef IMPTRACE_FORETELL_H
#define IMPTRACE_FORETELL_H

#include <stdbool.h>

#include "calls.h"
#include "resolve.h"

/* Makes a directory or something else at @place. */
int foretell_new(const struct place *place, bool directory);

/* Opens with open(2)'s @flags. */
int foretell_open(const struct place *place, int flags);

/* Acts on one path: @call, with its flags argument, 0 if it has none. */
int foretell_change(const struct call *call, int flags, struct place *place);

/* Renames with renameat2(2)'s @flags. */
int foretell_rename(const struct place *from, struct place *to, unsigned int flags);

/* Gives what is at @from the name @to. */
int foretell_link(const struct place *from, const struct place *to);

int foretell_bind(const struct place *place);
int foretell_connect(const struct place *place);
int foretell_exec(const struct place *place);

#endif
