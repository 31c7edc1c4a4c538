/* SPDX-License-Identifier: MIT */
/* The registers of a thread that stopped because a signal is about to be delivered to it. */
#ifndef IMPTRACE_REGISTERS_H
#define IMPTRACE_REGISTERS_H

#include <linux/audit.h>
#include <stdbool.h>

#include "../native/observe.h"

/*
 * If @tid was taken out of a call that a handler without SA_RESTART would let fail with EINTR:
 * fills in the call and returns true.
 */
bool registers_interrupted(pid_t tid, struct syscall_site *site);

/*
 * Whether @tid was taken out of a wait that ends with EINTR even if the signal is ignored after all,
 * and that can be begun anew.
 */
bool registers_gave_up(pid_t tid);

/* The call that one of these has told of is made again, whatever the handler says. */
void registers_repeat(pid_t tid);

#endif
