/* SPDX-License-Identifier: MIT */
/*
 * Resolved names of directories, kept for a moment: programs work in few directories at a time.
 *
 * Only names are kept, no descriptors: those would keep a file system busy that somebody wants
 * to unmount.
 */
#ifndef IMPTRACE_NAMES_H
#define IMPTRACE_NAMES_H

#include <stdint.h>

/* Returns the resolved name of @directory, valid until the next call; NULL if it is not known. */
const char *names_find(const char *directory);

/* Both texts are copied. */
void names_keep(const char *directory, const char *resolved);

/* Forgets all. */
void names_forget(void);

/* A number that changes whenever names are forgotten, for whatever else depends on them. */
uint64_t names_generation(void);

#endif
