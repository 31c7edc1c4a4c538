/* SPDX-License-Identifier: MIT */
/* Whether the kernel tells of what io_uring is given to do: 6.0 and newer. */
#ifndef IMPTRACE_BPF_RINGS_H
#define IMPTRACE_BPF_RINGS_H

struct settings;

/* What it is called since 6.4. */
#define RINGS_TRACEPOINT "io_uring_submit_req"

/* The tracepoint by which it says that an operation was taken; NULL if it does not tell enough. */
const char *rings_tracepoint(void);

/* Says which calls the operations are like. */
void rings_set(struct settings *settings);

#endif
