/* SPDX-License-Identifier: MIT */
/*
 * Which syscalls are traced, and what each does to paths.
 *
 * One table serves the seccomp filter, the supervisor and the ptrace recorder. Numbers are
 * those of the kernel's syscall tables; tests compare them with the kernel's headers.
 */
#ifndef IMPTRACE_CALLS_H
#define IMPTRACE_CALLS_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call_kinds.h"

#define NO_ARG (-1)
#define NR_IO_URING_SETUP 425 /* the same on every architecture */

struct call {
	const char *name;
	int16_t x86_64, i386, aarch64;	/* -1: that architecture has no such call */
	uint8_t kind;			/* enum call_kind */
	uint8_t op;			/* enum op, where the kind does not say it */
	int8_t dirfd, path, flags;	/* argument positions, NO_ARG where there is none */
	int8_t dirfd2, path2;
};

extern const struct call calls[];
extern const size_t calls_count;

/* Returns the number of @call on audit architecture @arch, or -1. */
int call_number(const struct call *call, uint32_t arch);

/* Returns the call with number @nr on @arch, or NULL if it is not one that is traced. */
const struct call *call_find(uint32_t arch, int nr);

/* Whether @call can only ask, never change: such calls are left alone unless wanted. */
bool call_is_question(const struct call *call);

/* Whether enum op @op asks for a change of what is at a path. */
bool op_changes(uint8_t op);

/* The architectures whose calls this build traces, native first; ends with 0. */
extern const uint32_t call_arches[];

#endif
