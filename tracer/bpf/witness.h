/* SPDX-License-Identifier: MIT */
/*
 * A process that only counts the signals that it gets. Nobody knows it: what it gets was sent to
 * all of its process group, and so to the program as well.
 */
#ifndef IMPTRACE_BPF_WITNESS_H
#define IMPTRACE_BPF_WITNESS_H

#include <stdint.h>
#include <sys/types.h>

struct witness {
	pid_t pid;		/* 0: none */
	volatile uint32_t *counts; /* by signal */
};

/* Forks it; it ends with us. Returns 0, or -1 with errno. */
int witness_start(struct witness *witness);
void witness_end(struct witness *witness);

/* How often the group got a signal. */
uint32_t witness_count(const struct witness *witness, int number);

#endif
