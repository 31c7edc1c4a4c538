/* SPDX-License-Identifier: MIT */
#ifndef IMPTRACE_VARIABLES_H
#define IMPTRACE_VARIABLES_H

#include <stdbool.h>

/* Whether a variable (NAME=VALUE) says where a program looks for its files: only those are kept. */
bool variable_is_kept(const char *variable);

#endif
