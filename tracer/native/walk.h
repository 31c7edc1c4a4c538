/* SPDX-License-Identifier: MIT */
/*
 * The careful way to resolve a path: component by component. It stays inside the tracee's root,
 * follows links itself, reads /proc/self as the tracee would, and stops before anything that can
 * wait: a FUSE server may be a tracee, waiting for us.
 */
#ifndef IMPTRACE_WALK_H
#define IMPTRACE_WALK_H

#include "resolve.h"

/* As resolve(), which calls it where the other ways do not serve. */
bool walk_carefully(const struct query *query, struct place *place);

#endif
