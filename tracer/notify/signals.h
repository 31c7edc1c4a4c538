/* SPDX-License-Identifier: MIT */
/*
 * Signals must not fail a call because it is recorded.
 *
 * A call waits for the supervisor like for a slow device: until the supervisor has received it, a
 * handler without SA_RESTART makes it fail with EINTR, which mkdir or rename never do. So the threads
 * of a process that installs such a handler are seized with ptrace(2), for signals alone: when one
 * takes a thread out of that wait, the call is repeated whatever the handler says.
 *
 * A new image has no handlers and is let go again, and so is whoever wants to be traced by somebody
 * else.
 */
#ifndef IMPTRACE_SIGNALS_H
#define IMPTRACE_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../native/filter.h"
#include "../native/observe.h"

/* What the filter hands over; copied. To be called first. */
void signals_configure(const struct filter_options *options);

/* A thread is about to install a handler (CALL_HANDLER). */
void signals_handler(const struct syscall_site *site);

/* The call at @site, which is not one of those two kinds, is about to be let go on. */
void signals_answering(const struct syscall_site *site);

/*
 * A thread is about to trace, or to be traced (CALL_TRACER). Returns true if call @id of @listener
 * is answered by this module, as soon as the one that is to be traced has been let go.
 */
bool signals_make_way(const struct syscall_site *site, int listener, uint64_t id);

/*
 * What waitpid said of @tid. Returns true if it was a stop of a thread that is seized, which is dealt
 * with then. @job_stop: set if a signal for job control has stopped it.
 */
bool signals_stopped(pid_t tid, int status, bool *job_stop);

/* Thread @tid has ended. */
void signals_ended(pid_t tid);

#endif
