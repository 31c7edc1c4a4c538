/* SPDX-License-Identifier: MIT */
/* What an open that is refused was about: one rule for all recorders, as syscalls.py has it for logs. */
#ifndef IMPTRACE_OPENS_H
#define IMPTRACE_OPENS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

/* Refused for what it asks: the kernel has not looked, or not said, what is at the path. */
static inline bool open_tells_nothing(int error)
{
	return error == EISDIR || error == EINVAL || error == ENOTDIR || error == ELOOP;
}

/* Whether it was about a file that was not there; @missing: as far as anybody looked. */
static inline bool open_creates(int flags, bool missing, int error)
{
	return flags & O_CREAT && (flags & O_EXCL || (missing && !open_tells_nothing(error)));
}

/* Whether it was about content that goes. */
static inline bool open_truncates(int flags, bool directory, int error)
{
	return flags & O_TRUNC && !directory && error != EISDIR && error != EINVAL;
}

#endif
