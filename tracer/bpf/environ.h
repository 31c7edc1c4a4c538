/* SPDX-License-Identifier: MIT */
#ifndef IMPTRACE_BPF_ENVIRON_H
#define IMPTRACE_BPF_ENVIRON_H

#include "images.h"

/* Of an environment, the variables that say where the program looks for its files. */
struct text *environ_kept(const char *bytes, size_t length);

#endif
