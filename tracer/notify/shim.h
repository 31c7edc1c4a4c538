/* SPDX-License-Identifier: MIT */
/*
 * What the shim and the recorder say to each other, over a Unix socket of type SEQPACKET:
 *
 *	shim		connects
 *	recorder	struct shim_offer: is alive, and wants this to be recorded
 *	shim		struct shim_answer, with the listener as SCM_RIGHTS
 *	recorder	struct shim_offer again: has the listener and answers on it
 *	shim		becomes the program
 *
 * Nothing is installed before the offer, since a filter that nobody answers cannot be removed.
 */
#ifndef IMPTRACE_SHIM_H
#define IMPTRACE_SHIM_H

#include <stdint.h>

enum { SHIM_MAGIC = 0x31706d69 /* "imp1" */ };

enum { SHIM_STATS = 1, SHIM_WRITES_ONLY = 2, SHIM_IO_URING = 4 };

struct shim_offer {
	uint32_t magic;
	uint32_t options;	/* SHIM_*: struct filter_options as bits */
};

struct shim_answer {
	uint32_t magic;
	uint32_t reserved;
};

#endif
