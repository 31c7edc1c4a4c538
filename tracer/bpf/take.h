/* SPDX-License-Identifier: MIT */
/* What the notes of the kernel's programs mean: which process, which path, what came of it. */
#ifndef IMPTRACE_BPF_TAKE_H
#define IMPTRACE_BPF_TAKE_H

#include <stddef.h>

#include "listeners.h"

/* Takes one note of the ring. */
void take_note(struct listeners *all, const void *data, size_t size);

#endif
