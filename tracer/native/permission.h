/* SPDX-License-Identifier: MIT */
/* How a call will end, told from what can be seen before it is made. */
#ifndef IMPTRACE_PERMISSION_H
#define IMPTRACE_PERMISSION_H

#include <stdint.h>

#include "resolve.h"

/* Splits @error (0, an errno, or NOT_LOOKED) into enum outcome and, where it failed, errno. */
void permission_set_outcome(uint8_t *outcome, int *failed, int error);

/*
 * The errno that @op on @place (and @other, if not NULL) will meet for lack of permission, on a
 * read-only file system or in a deleted directory; 0 for none. From mode bits: access control
 * lists and capabilities of an unprivileged user are not asked.
 */
int permission_error(const struct process *process, uint8_t op, struct place *place,
		     struct place *other);

#endif
