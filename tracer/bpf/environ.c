/* SPDX-License-Identifier: MIT */
#include "environ.h"

#include <string.h>

#include "../native/variables.h"

enum { KEPT_MAX = 4 << 10 };

struct text *environ_kept(const char *bytes, size_t length)
{
	char kept[KEPT_MAX];
	size_t size = 0;

	for (size_t at = 0; at < length;) {
		size_t left = length - at, one = strnlen(bytes + at, left);

		/* One that is cut at the end is left out: a wrong directory is worse than none. */
		if (one < left && variable_is_kept(bytes + at) && size + one + 1 <= sizeof(kept)) {
			memcpy(kept + size, bytes + at, one + 1);
			size += one + 1;
		}
		at += one + 1;
	}
	return text_make(kept, size);
}
