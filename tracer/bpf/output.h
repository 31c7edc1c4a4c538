/* SPDX-License-Identifier: MIT */
/* A buffer of whole records that grows. */
#ifndef IMPTRACE_BPF_OUTPUT_H
#define IMPTRACE_BPF_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct output {
	char *bytes;
	size_t used, capacity;
	size_t limit;		/* of what may wait, but for records that end something; 0: none */
	uint64_t dropped;	/* records for which there was no room */
};

/* Room for a record of @size bytes, wiped but for its header; NULL without memory. */
void *output_record(struct output *output, size_t size, uint8_t type);

#endif
