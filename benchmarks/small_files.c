// SPDX-License-Identifier: MIT
// small_files OPERATIONS: what a mail server does, as PostMark has it: a pool of small files
// which are created, appended to, read and deleted in a random order that is always the same.
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POOL = 4000, DIRECTORIES = 40 };

static bool exists[POOL];

static unsigned next_random(void)
{
	static unsigned state = 1;

	state = state * 1103515245u + 12345u;
	return state >> 16;
}

static void name_of(unsigned file, char name[32])
{
	snprintf(name, 32, "d%u/mail%u", file % DIRECTORIES, file);
}

static bool append(const char *name, int extra_flags)
{
	static const char text[2048];
	ssize_t size = 200 + next_random() % 1800;
	int fd = open(name, O_WRONLY | O_APPEND | extra_flags, 0600);

	if (fd < 0)
		return false;
	bool written = write(fd, text, size) == size;
	return close(fd) == 0 && written;
}

static bool read_all(const char *name)
{
	char buffer[4096];
	ssize_t got;
	int fd = open(name, O_RDONLY);

	if (fd < 0)
		return false;
	do {
		got = read(fd, buffer, sizeof(buffer));
	} while (got > 0);
	return close(fd) == 0 && got == 0;
}

static bool operate(unsigned file)
{
	char name[32];

	name_of(file, name);
	if (!exists[file]) {
		exists[file] = true;
		return append(name, O_CREAT | O_EXCL);
	}
	switch (next_random() % 3) {
	case 0:
		return append(name, 0);
	case 1:
		return read_all(name);
	default:
		exists[file] = false;
		return unlink(name) == 0;
	}
}

int main(int argc, char **argv)
{
	long operations = argc == 2 ? atol(argv[1]) : 0;
	char name[32];

	for (unsigned i = 0; i < DIRECTORIES; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		if (mkdir(name, 0700) != 0)
			return 1;
	}
	for (long i = 0; i < operations; i++) {
		if (!operate(next_random() % POOL))
			return 1;
	}
	return 0;
}
