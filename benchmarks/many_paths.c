// SPDX-License-Identifier: MIT
// many_paths CALLS PATHS: opens PATHS files for appending, in turn, CALLS times in all, then
// prints CLOCK_MONOTONIC in nanoseconds. They lie a thousand to a directory.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PER_DIRECTORY = 1000 };

int main(int argc, char **argv)
{
	long calls = argc == 3 ? atol(argv[1]) : 0;
	long paths = argc == 3 ? atol(argv[2]) : 1;
	struct timespec now;
	char name[64];

	for (long i = 0; i * PER_DIRECTORY < paths; i++) {
		snprintf(name, sizeof(name), "directory%ld", i);
		if (mkdir(name, 0755) != 0)
			return 1;
	}
	for (long i = 0; i < calls; i++) {
		long file = i % paths;

		snprintf(name, sizeof(name), "directory%ld/file%ld", file / PER_DIRECTORY, file);
		int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);

		if (fd < 0 || close(fd) != 0)
			return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%" PRId64 "\n", (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	return 0;
}
