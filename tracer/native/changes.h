/* SPDX-License-Identifier: MIT */
/* The paths of which a change was asked for: what stood there before is told with the first one. */
#ifndef IMPTRACE_CHANGES_H
#define IMPTRACE_CHANGES_H

#include <stdbool.h>

/* To be called once, when there is a seed for hashes; -1 without memory. */
int changes_open(void);

/* Whether no change of @path was asked for before; from now on, one was. */
bool changes_first(const char *path);

#endif
