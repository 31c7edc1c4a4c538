/* SPDX-License-Identifier: MIT */
#include "images.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environ.h"

enum { FIRST_CAPACITY = 1024, READ_SIZE = 64 << 10 };

static struct image **table; /* by number, open addressing */
static size_t capacity, used;
static unsigned int running;

static size_t slot_of(uint32_t number)
{
	size_t slot = (number * UINT32_C(0x9e3779b1)) & (capacity - 1);

	while (table[slot] && table[slot]->number != number)
		slot = (slot + 1) & (capacity - 1);
	return slot;
}

static bool grow(void)
{
	size_t old_capacity = capacity;
	struct image **old = table, **bigger;

	bigger = calloc(capacity ? capacity * 2 : FIRST_CAPACITY, sizeof(struct image *));
	if (!bigger)
		return false;
	capacity = capacity ? capacity * 2 : FIRST_CAPACITY;
	table = bigger;
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i])
			table[slot_of(old[i]->number)] = old[i];
	free(old);
	return true;
}

struct image *image_find(uint32_t number)
{
	return number && capacity ? table[slot_of(number)] : NULL;
}

struct text *text_make(const char *bytes, size_t length)
{
	struct text *text = malloc(sizeof(*text) + length);

	if (text) {
		text->users = 0;
		text->length = length;
		memcpy(text->bytes, bytes, length);
	}
	return text;
}

void text_set(struct text **place, struct text *text)
{
	if (text)
		text->users++;
	if (*place && !--(*place)->users)
		free(*place);
	*place = text;
}

struct image *image_add(uint32_t number, const struct image *like)
{
	struct image *image = image_find(number);

	if (image)
		return image;
	if (used >= capacity / 2 && !grow())
		return NULL;
	image = calloc(1, sizeof(*image));
	if (!image)
		return NULL;
	image->number = number;
	image->users = 1;
	image->heard = MACHINE_BIT;
	if (like) {
		image->uid = like->uid;
		image->gid = like->gid;
		text_set(&image->exe, like->exe);
		text_set(&image->argv, like->argv);
		text_set(&image->cwd, like->cwd);
		text_set(&image->environ, like->environ);
		text_set(&image->cgroup, like->cgroup);
	}
	table[slot_of(number)] = image;
	used++;
	running++;
	return image;
}

/* Takes an entry out, and moves up what had to give way to it. */
static void table_remove(uint32_t number)
{
	size_t hole = slot_of(number), next = hole;

	table[hole] = NULL;
	for (;;) {
		struct image *image;

		next = (next + 1) & (capacity - 1);
		image = table[next];
		if (!image)
			return;
		table[next] = NULL;
		table[slot_of(image->number)] = image;
	}
}

static void image_drop(struct image *image)
{
	while (image && !--image->users) {
		struct image *parent = image_find(image->parent);

		table_remove(image->number);
		used--;
		text_set(&image->exe, NULL);
		text_set(&image->argv, NULL);
		text_set(&image->cwd, NULL);
		text_set(&image->environ, NULL);
		text_set(&image->cgroup, NULL);
		text_set(&image->executed, NULL);
		free(image);
		image = parent;
	}
}

void image_gone(struct image *image)
{
	running--;
	image_drop(image);
}

void images_each(void (*each)(void *context, struct image *image), void *context)
{
	for (size_t i = 0; i < capacity; i++)
		if (table[i])
			each(context, table[i]);
}

unsigned int images_running(void)
{
	return running;
}

const struct text *images_group(uint64_t group)
{
	for (size_t i = 0; i < capacity; i++)
		if (table[i] && table[i]->group == group && table[i]->cgroup)
			return table[i]->cgroup;
	return NULL;
}

void images_forget(void)
{
	for (size_t i = 0; i < capacity; i++) {
		if (!table[i])
			continue;
		text_set(&table[i]->exe, NULL);
		text_set(&table[i]->argv, NULL);
		text_set(&table[i]->cwd, NULL);
		text_set(&table[i]->environ, NULL);
		text_set(&table[i]->cgroup, NULL);
		text_set(&table[i]->executed, NULL);
		free(table[i]);
	}
	free(table);
	table = NULL;
	capacity = used = running = 0;
}

static struct text *read_file(int pid, const char *name, bool is_environ)
{
	static char buffer[READ_SIZE];
	char path[64];
	struct text *text;
	ssize_t got;
	size_t length = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while (length < sizeof(buffer) &&
	       (got = read(fd, buffer + length, sizeof(buffer) - length)) > 0)
		length += (size_t)got;
	close(fd);
	if (!length)
		return NULL;
	text = is_environ ? environ_kept(buffer, length) : text_make(buffer, length);
	if (is_environ)
		explicit_bzero(buffer, length);
	return text;
}

static struct text *read_link(int pid, const char *name)
{
	static const char mark[] = " (deleted)";
	char path[64], target[PATH_MAX];
	size_t tail = sizeof(mark) - 1;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	length = readlink(path, target, sizeof(target));
	if (length > (ssize_t)tail && !memcmp(target + length - tail, mark, tail))
		length -= (ssize_t)tail;
	return length > 0 ? text_make(target, (size_t)length) : NULL;
}

void image_read(struct image *image)
{
	if (image->pid <= 0)
		return;
	if (!image->exe)
		text_set(&image->exe, read_link(image->pid, "exe"));
	if (!image->cwd)
		text_set(&image->cwd, read_link(image->pid, "cwd"));
	if (!image->argv)
		text_set(&image->argv, read_file(image->pid, "cmdline", false));
	if (!image->environ)
		text_set(&image->environ, read_file(image->pid, "environ", true));
	if (!image->cgroup)
		text_set(&image->cgroup, read_file(image->pid, "cgroup", false));
}

bool image_read_group(struct image *image)
{
	struct text *group = image->pid > 0 ? read_file(image->pid, "cgroup", false) : NULL;

	if (group)
		text_set(&image->cgroup, group);
	return group;
}

void image_set_group(struct image *image, const char *path, size_t length)
{
	static const char unified[] = "0::";
	char line[READ_SIZE];

	if (length >= sizeof(line) - sizeof(unified))
		return;
	memcpy(line, unified, sizeof(unified) - 1);
	memcpy(line + sizeof(unified) - 1, path, length);
	text_set(&image->cgroup, text_make(line, sizeof(unified) - 1 + length));
}

void image_refresh(struct image *image)
{
	struct text *cwd = image->pid > 0 ? read_link(image->pid, "cwd") : NULL;

	if (cwd)
		text_set(&image->cwd, cwd);
	image_read(image);
}
