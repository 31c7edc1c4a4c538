/* SPDX-License-Identifier: MIT */
#ifndef IMPTRACE_BPF_OPEN_H
#define IMPTRACE_BPF_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "notes.h"

enum { OPEN_OPS_MAX = 3 };

struct open_op {
	uint8_t op;
	uint32_t flags;
};

/* What an open is about; @stats: also if it only asks. Returns how many. */
int open_ops(const struct note *note, bool stats, struct open_op *ops);

#endif
