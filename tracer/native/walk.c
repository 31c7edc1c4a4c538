/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mounts.h"
#include "outside.h"
#include "paths.h"

enum { LINKS_MAX = 40 };

/* The state of a careful walk. */
struct walk {
	const struct query *query;
	const struct mount_table *table;	/* names mounts as `at` does; NULL if unknown */
	int root;		/* the tracee's root directory, owned; -1 if it cannot be had */
	size_t floor;		/* length of the part of `at` that is not left: RESOLVE_IN_ROOT */
	int fd;			/* where we are, owned */
	char at[PLACE_PATH_MAX];	/* its path inside the tracee's root, "" for the root */
	char rest[PLACE_PATH_MAX];	/* what is still to walk */
	bool in_our_proc;	/* `at` is in our /proc, which the tracee may not have */
	bool outside;		/* `at` is not below the tracee's root: it is the host's name */
	int links;
};

/* Moves up or stays at the root. */
static void walk_up(struct walk *walk)
{
	char *slash = strrchr(walk->at, '/');
	int up = -1;

	if (!slash || strlen(walk->at) <= walk->floor)
		return;
	*slash = '\0';
	up = strlen(walk->at) > walk->floor || (walk->outside && !walk->floor) ? openat(walk->fd, "..", DIRECTORY_FLAGS) :
					  fcntl(walk->root, F_DUPFD_CLOEXEC, 0);
	close(walk->fd);
	walk->fd = up;
}

static bool walk_restart(struct walk *walk)
{
	close(walk->fd);
	walk->fd = fcntl(walk->root, F_DUPFD_CLOEXEC, 0);
	walk->at[walk->floor] = '\0';
	walk->in_our_proc = false;
	walk->outside = walk->outside && walk->floor;
	return walk->fd >= 0;
}

/* Goes on in our own /proc, where the tracee has a number that we know. */
static bool walk_our_proc(struct walk *walk, const char *directory)
{
	close(walk->fd);
	walk->fd = open(directory, DIRECTORY_FLAGS);
	strcpy(walk->at, directory);
	walk->in_our_proc = true;
	return walk->fd >= 0;
}

/* Prepends the text of a link to what is still to walk. */
static bool walk_link(struct walk *walk, const char *target)
{
	char rest[PLACE_PATH_MAX];

	strcpy(rest, walk->rest);
	if (++walk->links > LINKS_MAX ||
	    (size_t)snprintf(walk->rest, sizeof(walk->rest), "%s%s%s", target, *rest ? "/" : "",
			     rest) >= sizeof(walk->rest))
		return false;
	return target[0] != '/' || walk_restart(walk);
}

/* Takes the next component off the rest into @name; false at the end. */
static bool next_component(struct walk *walk, char *name, size_t size, bool *last)
{
	char *rest = walk->rest;
	size_t length;

	rest += strspn(rest, "/");
	length = strcspn(rest, "/");
	if (!length)
		return false;
	*last = !rest[length + strspn(rest + length, "/")];
	if (length >= size)
		length = size - 1; /* too long for any file system: the lookup will say so */
	memcpy(name, rest, length);
	name[length] = '\0';
	rest += strcspn(rest, "/");
	memmove(walk->rest, rest, strlen(rest) + 1);
	return true;
}

/* Gives up looking: the rest is taken as text. */
static void finish_as_text(struct walk *walk, struct place *place, int error)
{
	char name[NAME_MAX + 2];
	bool last;

	while (next_component(walk, name, sizeof(name), &last)) {
		place->led_back = place->led_back || !strcmp(name, "..");
		if (!strcmp(name, "..") && strrchr(walk->at, '/') &&
		    strlen(walk->at) > walk->floor)
			*strrchr(walk->at, '/') = '\0';
		else if (strcmp(name, ".") && strcmp(name, "..") &&
			 !path_join(walk->at, sizeof(walk->at), name))
			break;
	}
	place->error = error;
}

static void stay_here(struct walk *walk, struct place *place)
{
	struct stat st;

	place->parent = fcntl(walk->fd, F_DUPFD_CLOEXEC, 0);
	place->name[0] = '\0';
	place->error = fstat(walk->fd, &st) ? errno : 0;
	place->st = st;
}

/* "self" and "thread-self" of a /proc are made for whoever reads them. */
static bool proc_self(const struct walk *walk, const char *name, char *target, size_t size)
{
	if (strcmp(walk->at, "/proc"))
		return false;
	if (!strcmp(name, "self"))
		snprintf(target, size, "/proc/%d", walk->query->process->pid);
	else if (!strcmp(name, "thread-self"))
		snprintf(target, size, "/proc/%d/task/%d", walk->query->process->pid,
			 walk->query->tid);
	else
		return false;
	return true;
}

/*
 * One component. Returns false when the walk is over: place->error tells how; @place has
 * parent and name then, unless the lookup was not made.
 */
static bool walk_step(struct walk *walk, struct place *place, const char *name, bool last)
{
	char next[PLACE_PATH_MAX], target[PATH_MAX + 1];
	bool follow = !last || walk->query->follow;
	int fd;

	strcpy(next, walk->at);
	if (!path_join(next, sizeof(next), name)) {
		finish_as_text(walk, place, ENAMETOOLONG);
		return false;
	}
	if (proc_self(walk, name, target, sizeof(target)) && follow) {
		if (walk_our_proc(walk, target))
			return true;
		finish_as_text(walk, place, ENOENT);
		return false;
	}
	if (!walk->table || mounts_waits(walk->table, next)) {
		strcpy(walk->at, next);
		finish_as_text(walk, place, NOT_LOOKED);
		return false;
	}
	if (fstatat(walk->fd, name, &place->st, AT_SYMLINK_NOFOLLOW)) {
		int error = errno;

		if (last) {
			place->parent = fcntl(walk->fd, F_DUPFD_CLOEXEC, 0);
			memcpy(place->name, name, strnlen(name, NAME_MAX) + 1);
			place->name[NAME_MAX] = '\0';
		}
		strcpy(walk->at, next);
		finish_as_text(walk, place, error);
		return false;
	}
	if (S_ISLNK(place->st.st_mode) && follow) {
		ssize_t length = readlinkat(walk->fd, name, target, sizeof(target) - 1);

		if (length >= 0 && length < (ssize_t)sizeof(target) - 1) {
			target[length] = '\0';
			place->through_link = place->through_link || last;
			if (target[0] && walk_link(walk, target))
				return true;
		}
		strcpy(walk->at, next);
		finish_as_text(walk, place, ELOOP);
		return false;
	}
	if (last) {
		place->parent = fcntl(walk->fd, F_DUPFD_CLOEXEC, 0);
		strcpy(place->name, name);
		strcpy(walk->at, next);
		place->error = 0;
		return false;
	}
	fd = openat(walk->fd, name, DIRECTORY_FLAGS | O_NOFOLLOW);
	if (fd < 0) {
		int error = errno;

		strcpy(walk->at, next);
		finish_as_text(walk, place, error);
		return false;
	}
	close(walk->fd);
	walk->fd = fd;
	strcpy(walk->at, next);
	return true;
}

/* Opens the tracee's root and the directory that the path begins in. */
static bool walk_begin(struct walk *walk, struct place *place)
{
	const struct query *query = walk->query;
	char link[64], root[PATH_MAX], *at = walk->at;
	struct stat st;
	size_t length;

	snprintf(link, sizeof(link), "/proc/%d/root", query->tid);
	walk->root = open(link, DIRECTORY_FLAGS);
	if (walk->root < 0)
		return false;
	if (query->raw[0] == '/' && !(query->resolve & RESOLVE_IN_ROOT)) {
		walk->fd = fcntl(walk->root, F_DUPFD_CLOEXEC, 0);
		return walk->fd >= 0;
	}
	path_start(query, link, sizeof(link));
	if (readlink(link, at, sizeof(walk->at) - 1) < 1 || at[0] != '/') {
		place->too_long = errno == ENAMETOOLONG;
		at[0] = '\0';
		return false;
	}
	/* The name is from the namespace's root; the walk counts from the tracee's. */
	if (tracee_proc_link(query->tid, "root", root, sizeof(root)) > 1) {
		length = strlen(root);
		if (!strncmp(at, root, length) && (!at[length] || at[length] == '/'))
			memmove(at, at + length, strlen(at + length) + 1);
		else
			walk->outside = true;
	}
	if (!strcmp(at, "/"))
		at[0] = '\0';
	if (!walk->table || mounts_waits(walk->table, at)) {
		finish_as_text(walk, place, NOT_LOOKED);
		return true;
	}
	walk->fd = open(link, O_PATH | O_CLOEXEC);
	if (walk->fd >= 0 && !fstat(walk->fd, &st))
		path_strip_deleted(at, &st);
	if (query->resolve & RESOLVE_IN_ROOT && walk->fd >= 0) {
		walk->floor = strlen(at);
		close(walk->root);
		walk->root = fcntl(walk->fd, F_DUPFD_CLOEXEC, 0);
	}
	return walk->fd >= 0;
}

/*
 * The mount of the object itself where there is one, else of the last directory. -1: not known,
 * or in our own namespace, where nobody asks.
 */
static int mount_of(const struct walk *walk, const struct place *place)
{
	bool is_there = place->parent >= 0 && !place->error;
	struct statx stx;

	if (walk->query->process->root_kind != ROOT_FOREIGN || !walk->table || walk->fd < 0 ||
	    syscall(SYS_statx, is_there ? place->parent : walk->fd, is_there ? place->name : "",
		    AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) ||
	    !(stx.stx_mask & STATX_MNT_ID))
		return -1;
	return (int)stx.stx_mnt_id;
}

/* Our own /proc, whatever the tracee has mounted there: /proc/self of a pid namespace. */
static bool magic_of_walk(struct walk *walk, const char *name, struct place *place)
{
	char path[PLACE_PATH_MAX];

	strcpy(path, walk->at);
	return path_join(path, sizeof(path), name) && place_from_link(path, place);
}

bool walk_carefully(const struct query *query, struct place *place)
{
	struct walk walk = { .query = query, .root = -1, .fd = -1 };
	char name[NAME_MAX + 2];
	bool last = false, found = true;
	struct stat st;

	walk.table = query->process->root_kind == ROOT_FOREIGN ? mounts_of(query->tid) :
								   mounts_host();
	strcpy(walk.rest, query->raw);
	place->error = 0;
	if (!walk_begin(&walk, place)) {
		/* Without the tracee's directory a relative path means nothing. */
		found = query->raw[0] == '/' && !place->too_long;
		finish_as_text(&walk, place, NOT_LOOKED);
		goto out;
	}
	while (!place->error && next_component(&walk, name, sizeof(name), &last)) {
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) {
			walk_up(&walk);
			if (walk.fd < 0)
				finish_as_text(&walk, place, errno); /* not a directory */
			continue;
		}
		if (last && query->follow && !fstatat(walk.fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
		    path_is_magic_link(walk.at, &st) && query->process->root_kind != ROOT_CHANGED) {
			found = magic_of_walk(&walk, name, place);
			goto out;
		}
		if (!walk_step(&walk, place, name, last))
			break;
	}
	if (!place->error && place->parent < 0)
		stay_here(&walk, place);
	if (walk.in_our_proc)
		strcpy(place->path, walk.at);
	else
		outside_name(query, walk.table, walk.at, !walk.outside, mount_of(&walk, place),
			     place);
out:
	if (walk.fd >= 0)
		close(walk.fd);
	if (walk.root >= 0)
		close(walk.root);
	return found;
}
