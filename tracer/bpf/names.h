/* SPDX-License-Identifier: MIT */
/* Finding the kernel's table of names, which names.bpf.h looks into. */
#ifndef IMPTRACE_BPF_NAMES_H
#define IMPTRACE_BPF_NAMES_H

#include <stdint.h>

#include "notes.h"

enum { NAMES_PLACES_MAX = 16 };

/* Where the table may be, and by how much a hash is shifted to an index. */
struct names_place {
	uint64_t table;
	uint32_t shift;
};

/* Says what `find_symbols` is to ask the kernel for; the other finds it among all symbols. */
void names_want_symbols(volatile struct counters *counters);
void names_find_symbols(volatile struct counters *counters);

/* What `prepare` has read: returns how many places it may be at, the likeliest first. */
int names_find_places(const volatile struct counters *counters, struct names_place *places);

#endif
