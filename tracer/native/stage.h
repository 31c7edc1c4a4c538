/* SPDX-License-Identifier: MIT */
/* What a call is about to do to which paths, told from its arguments and from what is there. */
#ifndef IMPTRACE_STAGE_H
#define IMPTRACE_STAGE_H

#include "calls.h"
#include "observe.h"

/*
 * Fills in @staging, whose process and options are set and which is otherwise empty, for @call at
 * @site. Thread ends and changes of root or mounts are noted in the process.
 */
void stage_call(const struct syscall_site *site, struct staging *staging, const struct call *call);

/* The same for what a process that was attached to has open or mapped. */
void stage_holding(const struct holding *holding, struct staging *staging);

#endif
