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

/* Asks the kernel for the addresses of what tells it. */
void names_find_symbols(struct settings *settings);

/* What `prepare` has read: returns how many places it may be at, the likeliest first. */
int names_find_places(const volatile struct counters *counters, struct names_place *places);

#endif
