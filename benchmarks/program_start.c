// SPDX-License-Identifier: MIT
// program_start: prints CLOCK_MONOTONIC, in nanoseconds, as the first thing it does.
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int main(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%" PRId64 "\n", (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	return 0;
}
