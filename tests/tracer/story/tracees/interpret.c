/* SPDX-License-Identifier: MIT */
/*
 * Does what the lines of its input say, each of six words: what to do, a slot, a path, another
 * slot, another path, a number. Slots hold descriptors; -1 as that of a directory is the working
 * directory. A call may fail: then it has failed, and the next one is made.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOTS = 4, NAME_SIZE = 256, DATA_SIZE = 64 };

struct step {
	char what[16];
	int slot, slot2;
	char path[NAME_SIZE], path2[NAME_SIZE];
	long number;
};

static int slots[SLOTS] = { -1, -1, -1, -1 };

static int at(int slot)
{
	return slot < 0 ? AT_FDCWD : slots[slot];
}

static void put(int slot, int fd)
{
	if (slots[slot] >= 0)
		close(slots[slot]);
	slots[slot] = fd;
}

/* Goes back if the step has led out of what belongs to this program. */
static void stay_inside(const char *top, const char *within)
{
	char here[PATH_MAX];

	if (getcwd(here, sizeof(here)) && strncmp(here, within, strlen(within)) && chdir(top))
		exit(EXIT_FAILURE);
}

static void make_link_to(int fd, int directory, const char *name)
{
	char path[32];

	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW);
}

static void perform(const struct step *step)
{
	const char *what = step->what, *path = step->path, *path2 = step->path2;
	char data[DATA_SIZE] = "data";
	int slot = step->slot, slot2 = step->slot2;
	long number = step->number;

	if (!strcmp(what, "open"))
		put(slot2, openat(at(slot), path, (int)number, 0644));
	else if (!strcmp(what, "write"))
		(void)!write(slots[slot], data, (size_t)number);
	else if (!strcmp(what, "read"))
		(void)!read(slots[slot], data, sizeof(data));
	else if (!strcmp(what, "close"))
		put(slot, -1);
	else if (!strcmp(what, "dup"))
		put(slot2, dup(slots[slot]));
	else if (!strcmp(what, "mkdir"))
		mkdirat(at(slot), path, 0755);
	else if (!strcmp(what, "remove"))
		unlinkat(at(slot), path, (int)number);
	else if (!strcmp(what, "rename"))
		syscall(SYS_renameat2, at(slot), path, at(slot2), path2, number);
	else if (!strcmp(what, "link"))
		linkat(at(slot), path, at(slot2), path2, (int)number);
	else if (!strcmp(what, "name"))
		make_link_to(slots[slot], at(slot2), path2);
	else if (!strcmp(what, "symlink"))
		(void)!symlinkat(path, at(slot2), path2);
	else if (!strcmp(what, "truncate"))
		(void)!truncate(path, number);
	else if (!strcmp(what, "chmod"))
		fchmodat(at(slot), path, (mode_t)number, 0);
	else if (!strcmp(what, "fchmod"))
		fchmod(slots[slot], (mode_t)number);
	else if (!strcmp(what, "chdir"))
		(void)!chdir(path);
	else if (!strcmp(what, "fchdir"))
		(void)!fchdir(slots[slot]);
	else
		exit(EXIT_FAILURE);
}

/* interpret DIRECTORY: which the working directory must stay in. */
int main(int argc, char **argv)
{
	char top[PATH_MAX];
	struct step step;

	if (argc != 2 || !getcwd(top, sizeof(top)))
		return EXIT_FAILURE;
	while (scanf("%15s %d %255s %d %255s %ld", step.what, &step.slot, step.path, &step.slot2,
		     step.path2, &step.number) == 6) {
		perform(&step);
		stay_inside(top, argv[1]);
	}
	return EXIT_SUCCESS;
}
