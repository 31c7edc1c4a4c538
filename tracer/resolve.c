/* SPDX-License-Identifier: MIT */
/*
 * Three ways. A directory that was resolved a moment ago is known by name: one lstat. Else the
 * fast way lets the kernel walk: open the directory with O_PATH, ask /proc/self/fd for its name,
 * lstat the last component. Both serve where the tracee sees the same root directory as we do
 * and the directory is there; the fast one only if nothing on the way can wait.
 *
 * The careful one is in walk.c.
 */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mounts.h"
#include "names.h"
#include "paths.h"
#include "walk.h"

enum { LINKS_MAX = 40 };

/* Name of the directory behind our @fd; false if that cannot be told. */
static bool name_of(int fd, char *path, size_t size)
{
	char link[32];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, size - 1);
	if (length < 1 || path[0] != '/')
		return false;
	path[length] = '\0';
	return true;
}

/*
 * The path that makes *our* kernel walk begin where the tracee's would: /proc/self must be the
 * tracee's, and a relative path begins at its directory.
 */
static bool for_our_walk(const struct query *query, char *path, size_t size)
{
	const char *raw = query->raw;
	char link[64];
	int length;

	if (!strncmp(raw, "/proc/self/", 11)) {
		length = snprintf(path, size, "/proc/%d/%s", query->process->pid, raw + 11);
	} else if (!strncmp(raw, "/proc/thread-self/", 18)) {
		length = snprintf(path, size, "/proc/%d/task/%d/%s", query->process->pid, query->tid,
				  raw + 18);
	} else if (raw[0] == '/') {
		length = snprintf(path, size, "%s", raw);
	} else {
		path_start(query, link, sizeof(link));
		length = snprintf(path, size, "%s%s%s", link, *raw ? "/" : "", raw);
	}
	return length > 0 && (size_t)length < size;
}

enum verdict { DONE, NO_PATH, CAREFUL };

/*
 * Makes the query's path absolute text, as far as that is safe to do: @path then names the same
 * object for the tracee and for us.
 */
static bool as_absolute(const struct query *query, char *path, size_t size)
{
	char link[64];
	ssize_t length;

	if (!strncmp(query->raw, "/proc/", 6))
		return false; /* may mean somebody else's */
	if (query->raw[0] == '/')
		return (size_t)snprintf(path, size, "%s", query->raw) < size;
	path_start(query, link, sizeof(link));
	length = readlink(link, path, size - 1);
	if (length < 1 || path[0] != '/')
		return false;
	path[length] = '\0';
	return path_join(path, size, query->raw);
}

/* Splits off the last component; false if it is none that names an entry of a directory. */
static bool split(char *path, char **name)
{
	size_t length = strlen(path);
	char *slash;

	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	slash = strrchr(path, '/');
	*name = slash + 1;
	if (!**name || !strcmp(*name, ".") || !strcmp(*name, "..") || strlen(*name) > NAME_MAX)
		return false;
	*slash = '\0';
	return true;
}

/* The directory was resolved a moment ago: @name in what the tracee calls @path. */
static bool walk_known(const struct query *query, const char *path, const char *name,
		       struct place *place)
{
	const char *directory = names_find(path);

	if (!directory)
		return false;
	strcpy(place->path, directory);
	if (!path_join(place->path, sizeof(place->path), name) ||
	    mounts_waits(mounts_host(), place->path))
		return false;
	place->error = lstat(place->path, &place->st) ? errno : 0;
	if (!place->error && query->follow && S_ISLNK(place->st.st_mode))
		return false;
	strcpy(place->name, name);
	place->has_parent = true;
	return true;
}

static enum verdict walk_fast(const struct query *query, struct place *place)
{
	char path[PLACE_PATH_MAX], link[PLACE_PATH_MAX], own[32], *name;
	int own_length = snprintf(own, sizeof(own), "/proc/%d/", getpid());
	int links = 0;

	if (!for_our_walk(query, path, sizeof(path)))
		return CAREFUL;
	for (;;) {
		if (!split(path, &name))
			return CAREFUL;
		place->parent = open(*path ? path : "/", DIRECTORY_FLAGS);
		if (place->parent < 0 || !name_of(place->parent, place->path, sizeof(place->path)))
			return CAREFUL;
		if (!strncmp(place->path, own, (size_t)own_length))
			return CAREFUL; /* through a link to /proc/self: ours, not the tracee's */
		strcpy(place->name, name);
		place->error = fstatat(place->parent, name, &place->st, AT_SYMLINK_NOFOLLOW) ? errno : 0;
		if (place->error || !query->follow || !S_ISLNK(place->st.st_mode))
			break;
		if (path_is_magic_link(place->path, &place->st)) {
			name[-1] = '/';
			close(place->parent);
			return place_from_link(path, place) ? DONE : NO_PATH;
		}
		ssize_t got = readlinkat(place->parent, name, link, sizeof(link) - 1);

		if (got < 0 || ++links > LINKS_MAX)
			return CAREFUL;
		link[got] = '\0';
		if (link[0] == '/')
			strcpy(path, link);
		else if (strcpy(path, place->path), !path_join(path, sizeof(path), link))
			return CAREFUL;
		close(place->parent);
		place->parent = -1;
		place->through_link = true;
	}
	if (place->error) {
		struct stat directory;

		/* The last name of a deleted directory is not where a file could be. */
		if (!fstat(place->parent, &directory))
			path_strip_deleted(place->path, &directory);
	}
	return path_join(place->path, sizeof(place->path), place->name) ? DONE : CAREFUL;
}

static bool resolve_unknown(const struct query *query, struct place *place)
{
	enum verdict verdict = CAREFUL;

	if (query->process->root_kind == ROOT_OURS && !mounts_host()->waits)
		verdict = walk_fast(query, place);
	if (verdict == CAREFUL) {
		place_release(place);
		return walk_carefully(query, place);
	}
	return verdict == DONE;
}

/* @directory is what the tracee called the directory of @place. */
static void keep_name(const char *directory, struct place *place)
{
	char *slash = strrchr(place->path, '/');

	if (!place->has_parent || place->through_link || strcmp(slash + 1, place->name))
		return; /* that is another directory */
	*slash = '\0';
	names_keep(directory, place->path);
	*slash = '/';
}

bool resolve(const struct query *query, struct place *place)
{
	char link[64], path[PLACE_PATH_MAX], *name;
	bool known_name;

	place->parent = -1;
	place->has_parent = false;
	place->through_link = false;
	place->private_mount = false;
	place->name[0] = '\0';
	if (!*query->raw && query->dirfd != AT_FDCWD &&
	    query->process->root_kind == ROOT_OURS) {
		path_start(query, link, sizeof(link));
		return place_from_link(link, place);
	}
	known_name = query->process->root_kind == ROOT_OURS &&
		     as_absolute(query, path, sizeof(path)) && split(path, &name);
	if (known_name && walk_known(query, path, name, place))
		return true;
	if (!resolve_unknown(query, place))
		return false;
	place->has_parent = place->parent >= 0;
	if (known_name)
		keep_name(path, place);
	return true;
}

int place_parent(struct place *place)
{
	char *slash = strrchr(place->path, '/');

	if (place->parent < 0 && place->has_parent) {
		*slash = '\0';
		place->parent = open(*place->path ? place->path : "/", DIRECTORY_FLAGS);
		*slash = '/';
	}
	return place->parent;
}

void place_release(struct place *place)
{
	if (place->parent >= 0)
		close(place->parent);
	place->parent = -1;
}
