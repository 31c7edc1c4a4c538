/* SPDX-License-Identifier: MIT */
/* Images of processes, and when they are written to the journal. */
#ifndef IMPTRACE_IMAGE_H
#define IMPTRACE_IMAGE_H

#include "tracee.h"

/* Writes the process's image to the journal if that has not been done. */
void image_ensure(struct process *process);

/* An exec was under way: if it has happened, writes the new image. */
void image_after_exec(struct process *process);

/* An exec of @path (NULL: not known what) has just happened: writes the new image. */
void image_replace(struct process *process, const char *path);

#endif
