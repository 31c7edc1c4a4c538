/* SPDX-License-Identifier: MIT */
#include "changes.h"

#include <stdint.h>
#include <stdlib.h>

#include "hash.h"

enum { FIRST_CAPACITY = 1 << 12 };

static uint64_t *changed; /* keys of paths, 0: free */
static size_t capacity, used;

int changes_open(void)
{
	capacity = FIRST_CAPACITY;
	changed = calloc(capacity, sizeof(*changed));
	return changed ? 0 : -1;
}

static uint64_t *slot_of(uint64_t key)
{
	size_t i = key & (capacity - 1);

	while (changed[i] && changed[i] != key)
		i = (i + 1) & (capacity - 1);
	return &changed[i];
}

bool changes_first(const char *path)
{
	uint64_t key = hash_of(0, path), *slot = slot_of(key);

	if (*slot)
		return false;
	if (used >= capacity / 4 * 3) {
		uint64_t *old = changed, *bigger = calloc(capacity * 2, sizeof(*changed));
		size_t count = capacity;

		if (!bigger)
			return false; /* out of memory: the state before is then not known */
		changed = bigger;
		capacity *= 2;
		for (size_t i = 0; i < count; i++)
			if (old[i])
				*slot_of(old[i]) = old[i];
		free(old);
		slot = slot_of(key);
	}
	*slot = key;
	used++;
	return true;
}
