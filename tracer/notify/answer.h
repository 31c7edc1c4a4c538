/* SPDX-License-Identifier: MIT */
/* How a call that waits for the supervisor is let go on. */
#ifndef IMPTRACE_ANSWER_H
#define IMPTRACE_ANSWER_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

/* @size: that of this kernel's struct seccomp_notif_resp. To be called first; -1 without memory. */
int answer_prepare(size_t size);

/* Lets call @id of @listener be made. Returns -1 with errno if its caller is gone. */
int answer_go_on(int listener, uint64_t id);

/*
 * Has the kernel end the call unmade and make it again, after a stop that its thread was asked for
 * already. -1 as above.
 */
int answer_again(int listener, uint64_t id);

/* Whether who made call @id, which was answered, has not gone on yet. */
bool answer_waits(int listener, uint64_t id);

/* Fails call @id of @listener with @error, an errno, unmade. -1 as above. */
int answer_fail(int listener, uint64_t id, int error);

#endif
