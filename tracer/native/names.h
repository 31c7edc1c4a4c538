/* SPDX-License-Identifier: MIT */
/*
 * Resolved names of directories, kept for a moment: programs work in few directories at a time.
 *
 * Only names are kept, no descriptors: those would keep a file system busy that somebody wants
 * to unmount.
 */
#ifndef IMPTRACE_NAMES_H
#define IMPTRACE_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Returns the resolved name of @directory, valid until the next call; NULL if it is not known. */
const char *names_find(const char *directory);

/* Whether what is found out now still holds at the next call. */
bool names_steady(void);

/* Both texts are copied. Does nothing unless names are steady. */
void names_keep(const char *directory, const char *resolved);

/*
 * Thread @tid, in its system call @nr, is about to change where names lead: all are forgotten, and
 * none is kept until that call is over.
 */
void names_changing(pid_t tid, int nr);
void names_changed(pid_t tid);

/* A number that changes whenever names are forgotten, for whatever else depends on them. */
uint64_t names_generation(void);

#endif
