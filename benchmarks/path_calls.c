// SPDX-License-Identifier: MIT
// path_calls ROUNDS: three path syscalls a round, in the working directory: an open for writing
// (with a write and a close), a stat, and an open of a file that is not there. It does not
// truncate: ext4 then writes to the disk at every close (auto_da_alloc), which takes milliseconds.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long rounds = argc == 2 ? atol(argv[1]) : 0;
	struct stat st;

	for (long i = 0; i < rounds; i++) {
		int fd = open("file", O_WRONLY | O_CREAT, 0644);

		if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0)
			return 1;
		if (stat("file", &st) != 0 || st.st_size != 1)
			return 1;
		if (open("missing", O_RDONLY) != -1 || errno != ENOENT)
			return 1;
	}
	return 0;
}
