/* SPDX-License-Identifier: MIT */
#include "paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mounts.h"

static const char mark[] = " (deleted)";

bool path_is_marked_deleted(const char *path)
{
	size_t length = strlen(path);

	return length > sizeof(mark) - 1 && !strcmp(path + length - (sizeof(mark) - 1), mark);
}

void path_strip_deleted(char *path, const struct stat *st)
{
	if (!st->st_nlink && path_is_marked_deleted(path))
		path[strlen(path) - (sizeof(mark) - 1)] = '\0';
}

bool path_is_at_or_below(const char *path, size_t size, const char *directory, size_t length)
{
	return size >= length && !memcmp(path, directory, length) &&
	       (path[length] == '/' || !path[length]);
}

bool path_join(char *path, size_t size, const char *name)
{
	size_t length = strlen(path), more = strlen(name);

	if (length == 1 && path[0] == '/')
		length = 0;
	if (length + 1 + more >= size)
		return false;
	path[length] = '/';
	memcpy(path + length + 1, name, more + 1);
	return true;
}

void path_start(const struct query *query, char *link, size_t size)
{
	if (query->dirfd == AT_FDCWD)
		snprintf(link, size, "/proc/%d/cwd", query->tid);
	else
		snprintf(link, size, "/proc/%d/fd/%d", query->tid, query->dirfd);
}

bool place_from_link(const char *link, struct place *place)
{
	struct stat st;
	ssize_t length = readlink(link, place->path, sizeof(place->path) - 1);

	place->too_long = length < 0 && errno == ENAMETOOLONG;
	if (length < 1 || place->path[0] != '/')
		return false; /* pipe:[1], socket:[1], anon_inode:..., not open */
	place->path[length] = '\0';
	place->parent = -1;
	if (mounts_waits(mounts_host(), place->path)) {
		place->error = NOT_LOOKED;
		return true;
	}
	place->error = stat(link, &st) ? errno : 0;
	if (!place->error) {
		place->st = st;
		path_strip_deleted(place->path, &st);
		if (!strncmp(place->path, "/memfd:", 7))
			return false;
	}
	return true;
}

void place_from_host(const char *path, struct place *place)
{
	*place->path = place->name[0] = '\0';
	strncat(place->path, path, sizeof(place->path) - 1);
	place->parent = -1;
	place->has_parent = place->private_mount = place->led_back = false;
	if (mounts_waits(mounts_host(), place->path))
		place->error = NOT_LOOKED;
	else
		place->error = lstat(place->path, &place->st) ? errno : 0;
}

bool path_is_magic_link(const char *directory, const struct stat *st)
{
	return !strncmp(directory, "/proc/", 6) && directory[6] >= '0' && directory[6] <= '9' &&
	       S_ISLNK(st->st_mode);
}
