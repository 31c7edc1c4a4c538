/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../native/records.h"

enum { FIRST_CAPACITY = 256 << 10, LARGEST = 512 << 20 };

/* Whether a record is dropped where too much waits: those that say how something ended are not. */
static bool is_bounded(uint8_t type)
{
	return type == RECORD_ACCESS || type == RECORD_REPEAT || type == RECORD_PROCESS;
}

void *output_record(struct output *output, size_t size, uint8_t type)
{
	size_t aligned = (size + RING_ALIGN - 1) & ~(size_t)(RING_ALIGN - 1);
	struct record *record;

	if (output->limit && output->used + aligned > output->limit && is_bounded(type)) {
		output->dropped++;
		return NULL;
	}
	if (output->used + aligned > output->capacity) {
		size_t capacity = output->capacity ? output->capacity : FIRST_CAPACITY;
		char *bigger;

		while (capacity < output->used + aligned)
			capacity *= 2;
		bigger = capacity <= LARGEST ? realloc(output->bytes, capacity) : NULL;
		if (!bigger) {
			output->dropped++;
			return NULL;
		}
		output->bytes = bigger;
		output->capacity = capacity;
	}
	record = (struct record *)(output->bytes + output->used);
	memset(record, 0, aligned);
	record->size = (uint32_t)aligned;
	record->type = type;
	output->used += aligned;
	return record;
}
