/* SPDX-License-Identifier: MIT */
/*
 * What is inside for a tracee with another root directory or mount namespace, and outside of it,
 * for the host. Both names of each root and mount that is used go into the journal.
 */
#ifndef IMPTRACE_OUTSIDE_H
#define IMPTRACE_OUTSIDE_H

#include "mounts.h"
#include "resolve.h"

/*
 * Sets the path of @place, and whether the host sees it, from @at: a path below the root directory
 * of the query's tracee ("" for that itself) or, with @below_root off, of its namespace; on mount @mount_id of @table (-1: it is not known).
 */
void outside_name(const struct query *query, const struct mount_table *table, const char *at,
		  bool below_root, int mount_id, struct place *place);

#endif
