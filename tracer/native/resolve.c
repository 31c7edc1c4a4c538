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
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mounts.h"
#include "names.h"
#include "paths.h"
#include "walk.h"

enum {
	LINKS_MAX = 40,
	MISSING_MAX = 8, /* names behind the last directory that is there */
};

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

/* Name of the directory that a relative path begins in; false if it has none. */
static bool name_of_start(const struct query *query, char *path, size_t size)
{
	char link[64];
	ssize_t length;

	path_start(query, link, sizeof(link));
	length = readlink(link, path, size - 1);
	if (length < 1 || path[0] != '/')
		return false;
	path[length] = '\0';
	return true;
}

/* The same of the working directory, which seldom changes and is asked for all the time. */
static bool name_of_cwd(const struct query *query, char *path, size_t size)
{
	bool steady = process_cwd_is_steady(query->process);
	const char *known;
	char key[32];

	/* No directory is called so. */
	snprintf(key, sizeof(key), "cwd %llu", (unsigned long long)query->process->cwd_serial);
	known = steady ? names_find(key) : NULL;
	if (known) {
		strcpy(path, known);
		return true;
	}
	if (!name_of_start(query, path, size))
		return false;
	if (steady)
		names_keep(key, path);
	return true;
}

/*
 * Makes the query's path absolute text, as far as that is safe to do: @path then names the same
 * object for the tracee and for us.
 */
static bool as_absolute(const struct query *query, char *path, size_t size)
{
	bool known;

	if (!strncmp(query->raw, "/proc/", 6))
		return false; /* may mean somebody else's */
	if (query->raw[0] == '/')
		return (size_t)snprintf(path, size, "%s", query->raw) < size;
	known = query->dirfd == AT_FDCWD ? name_of_cwd(query, path, size) :
					   name_of_start(query, path, size);
	/* By the name of what is gone, nothing can be told of what is made in it. */
	return known && !path_is_marked_deleted(path) && path_join(path, size, query->raw);
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

/* Looks at the entry @name of a directory, called @path, that was resolved a moment ago. */
static bool look_in_known(const char *path, const char *name, struct place *place)
{
	const char *directory = names_find(path);

	if (!directory)
		return false;
	strcpy(place->path, directory);
	if (!path_join(place->path, sizeof(place->path), name) ||
	    mounts_waits(mounts_host(), place->path))
		return false;
	place->error = lstat(place->path, &place->st) ? errno : 0;
	return true;
}

/*
 * Of a directory on the way to @name a moment ago nothing was known, maybe because it is not there:
 * programs look for the same missing files again and again.
 */
static bool walk_missing(char *path, char *name, struct place *place)
{
	const char *names[MISSING_MAX];
	int count = 0;

	do {
		names[count++] = name;
		if (count == MISSING_MAX || !*path || !split(path, &name))
			return false;
	} while (!look_in_known(path, name, place));
	if (place->error != ENOENT)
		return false;
	while (count)
		if (!path_join(place->path, sizeof(place->path), names[--count]))
			return false;
	return true;
}

/* Replaces @path by that to which the link at @place leads; false if that cannot be told simply. */
static bool follow_known(struct place *place, char *path, size_t size)
{
	char target[PATH_MAX];
	ssize_t length = readlink(place->path, target, sizeof(target) - 1);

	if (length < 1 || !strncmp(place->path, "/proc/", 6))
		return false;
	target[length] = '\0';
	if (target[0] == '/')
		return strncmp(target, "/proc", 5) && (size_t)snprintf(path, size, "%s", target) < size;
	*strrchr(place->path, '/') = '\0';
	strcpy(path, place->path);
	return path_join(path, size, target);
}

/* The directory was resolved a moment ago: @name in what the tracee calls @directory. */
static bool walk_known(const struct query *query, const char *directory, const char *named,
		       struct place *place)
{
	char path[PLACE_PATH_MAX], *name;
	int links = 0;

	strcpy(path, directory);
	if (!path_join(path, sizeof(path), named))
		return false;
	for (;;) {
		if (!split(path, &name))
			return false;
		if (!look_in_known(path, name, place))
			return walk_missing(path, name, place);
		if (place->error || !query->follow || !S_ISLNK(place->st.st_mode))
			break;
		if (++links > LINKS_MAX || !follow_known(place, path, sizeof(path)))
			return false;
		place->through_link = true;
	}
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

/* Keeps the name of the last directory on @path that is there. */
static void keep_existing(char *path)
{
	char resolved[PLACE_PATH_MAX], *name;
	int fd = -1;

	while (*path && (fd = open(path, DIRECTORY_FLAGS)) < 0)
		if (errno != ENOENT || !split(path, &name))
			return;
	if (fd < 0)
		return;
	if (name_of(fd, resolved, sizeof(resolved)) && strncmp(resolved, "/proc/", 6))
		names_keep(path, resolved);
	close(fd);
}

/* @directory, which may be cut, is what the tracee called the directory of @place. */
static void keep_name(char *directory, struct place *place)
{
	char *slash = strrchr(place->path, '/');

	if (!place->has_parent) {
		if (place->error == ENOENT && !mounts_host()->waits)
			keep_existing(directory);
		return;
	}
	/* Not if it is the directory itself; and a process may find its own number in /proc. */
	if (strcmp(slash + 1, place->name) || !strncmp(place->path, "/proc/", 6))
		return;
	*slash = '\0';
	/* Where a link at the end led elsewhere, that directory has only its own name. */
	names_keep(place->through_link ? place->path : directory, place->path);
	*slash = '/';
}

/* Whether openat2(2) refuses the way to the place: what its flags forbid, the kernel knows best. */
static int refusal(const struct query *query)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (query->follow ? 0U : (unsigned int)O_NOFOLLOW),
		.resolve = query->resolve & ~(uint64_t)RESOLVE_CACHED,
	};
	char link[64];
	int error, start, fd;

	path_start(query, link, sizeof(link));
	start = open(link, DIRECTORY_FLAGS);
	fd = (int)syscall(SYS_openat2, start, query->raw, &how, sizeof(how));
	error = fd < 0 && (errno == EXDEV || errno == ELOOP) ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (start >= 0)
		close(start);
	return error;
}

static bool resolve_restricted(const struct query *query, struct place *place)
{
	int error;

	if (!walk_carefully(query, place))
		return false;
	place->has_parent = place->parent >= 0;
	error = query->process->root_kind == ROOT_OURS && place->error != NOT_LOOKED &&
				!mounts_host()->waits ?
			refusal(query) :
			0;
	if (error)
		place->error = error;
	return true;
}

bool resolve(const struct query *query, struct place *place)
{
	char link[64], path[PLACE_PATH_MAX], *name;
	bool known_name;

	place->parent = -1;
	place->has_parent = false;
	place->through_link = place->led_back = false;
	place->private_mount = place->too_long = place->overlaid = false;
	place->name[0] = '\0';
	if (query->resolve)
		return resolve_restricted(query, place);
	if (!*query->raw && query->dirfd != AT_FDCWD &&
	    query->process->root_kind == ROOT_OURS) {
		path_start(query, link, sizeof(link));
		return place_from_link(link, place);
	}
	known_name = query->process->root_kind == ROOT_OURS &&
		     as_absolute(query, path, sizeof(path)) && split(path, &name);
	if (known_name && walk_known(query, path, name, place))
		return true;
	place->through_link = false;
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
