/* SPDX-License-Identifier: MIT */
/* Hashes of texts that come from a program, which must not be able to make them collide. */
#ifndef IMPTRACE_HASH_H
#define IMPTRACE_HASH_H

#include <stdint.h>

/* Takes a seed from the kernel; @otherwise is mixed in where that has none. To be called first. */
void hash_seed(uint64_t otherwise);

/* Of a number and a text. Never 0, which marks a free slot of a table. */
uint64_t hash_of(uint64_t number, const char *text);

#endif
