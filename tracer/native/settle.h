/* SPDX-License-Identifier: MIT */
/* What a process does to become a supervisor that lives for itself. */
#ifndef IMPTRACE_SETTLE_H
#define IMPTRACE_SETTLE_H

#include <stddef.h>

/*
 * Lets go of terminal, working directory and every descriptor but those of @kept (all > 2, in any
 * order, repeated if need be; sorted by this), and takes @name and limits that suit a supervisor.
 */
void settle(const char *name, int *kept, size_t count);

#endif
