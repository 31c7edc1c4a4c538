/* SPDX-License-Identifier: MIT */
/*
 * A process that counts the signals that it gets, and sees a stopped program go on. Nobody knows
 * it: what it gets was sent to all of its process group, and so to the program as well.
 */
#ifndef IMPTRACE_WITNESS_H
#define IMPTRACE_WITNESS_H

#include <stdint.h>
#include <sys/types.h>

struct witness {
	pid_t pid;		/* 0: none */
	volatile uint32_t *counts; /* by signal; 0: the program that was stopped, 0 for none */
};

/* Forks it; it ends with us. Returns 0, or -1 with errno. */
int witness_start(struct witness *witness);
void witness_end(struct witness *witness);

/* The program was stopped, and we stop with it: has us go on when somebody lets it go on. */
void witness_continuation(const struct witness *witness, pid_t program);

/* How often the group got a signal. */
uint32_t witness_count(const struct witness *witness, int number);

#endif
