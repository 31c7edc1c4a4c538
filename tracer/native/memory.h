/* SPDX-License-Identifier: MIT */
/*
 * Reading the memory of a tracee without waiting for it.
 *
 * A page that is not there yet is fetched from where it lies, which may be a file system or a
 * handler (userfaultfd) that the program itself serves, and whose own calls wait for us.
 */
#ifndef IMPTRACE_MEMORY_H
#define IMPTRACE_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* From now on pages may be served by the program. */
void memory_suspect(void);

/*
 * Reads exactly @size bytes, at most PATH_MAX; 0, or -1 with errno: ETIMEDOUT if they did not come.
 */
int tracee_read(pid_t tid, uint64_t address, void *buffer, size_t size);

/*
 * Reads a NUL-terminated text of the tracee into @buffer.
 * Returns its length; or size if there is no NUL within @size bytes (then not terminated);
 * -1 with errno if it cannot be read.
 */
ssize_t tracee_read_text(pid_t tid, uint64_t address, char *buffer, size_t size);

#endif
