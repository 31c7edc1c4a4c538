/* SPDX-License-Identifier: MIT */
/*
 * Three ways. A directory that was resolved a moment ago is known by name: one lstat. Else the
 * fast way lets the kernel walk: open the directory with O_PATH, ask /proc/self/fd for its name,
 * lstat the last component. Both serve where the tracee sees the same root directory as we do
 * and the directory is there; the fast one only if nothing on the way can wait.
 *
 * The careful one walks component by component. It stays inside the tracee's root, follows
 * links itself, reads /proc/self as the tracee would, and stops before anything that can wait:
 * a FUSE server may be a tracee, waiting for us.
 */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mounts.h"
#include "names.h"

enum { LINKS_MAX = 40 };

#define DIRECTORY_FLAGS (O_PATH | O_CLOEXEC | O_DIRECTORY)

/* The state of a careful walk. */
struct walk {
	const struct query *query;
	const struct mount_table *table;	/* names mounts as `at` does; NULL if unknown */
	int root;		/* the tracee's root directory, owned; -1 if it cannot be had */
	int fd;			/* where we are, owned */
	char at[PLACE_PATH_MAX];	/* its path inside the tracee's root, "" for the root */
	char rest[PLACE_PATH_MAX];	/* what is still to walk */
	bool in_our_proc;	/* `at` is in our /proc, which the tracee may not have */
	int links;
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

/* A name that the kernel marked as gone, without the mark. */
static void strip_deleted(char *path, const struct stat *st)
{
	static const char mark[] = " (deleted)";
	size_t length = strlen(path);

	if (!st->st_nlink && length > sizeof(mark) - 1 &&
	    !strcmp(path + length - (sizeof(mark) - 1), mark))
		path[length - (sizeof(mark) - 1)] = '\0';
}

static bool join(char *path, size_t size, const char *name)
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

/* Where relative paths of the query begin, as a link of /proc: "/proc/TID/cwd". */
static void start_link(const struct query *query, char *link, size_t size)
{
	if (query->dirfd == AT_FDCWD)
		snprintf(link, size, "/proc/%d/cwd", query->tid);
	else
		snprintf(link, size, "/proc/%d/fd/%d", query->tid, query->dirfd);
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
		start_link(query, link, sizeof(link));
		length = snprintf(path, size, "%s%s%s", link, *raw ? "/" : "", raw);
	}
	return length > 0 && (size_t)length < size;
}

/* An open descriptor itself, or what a magic link of /proc leads to. */
static bool from_link(const char *link, struct place *place)
{
	struct stat st;
	ssize_t length = readlink(link, place->path, sizeof(place->path) - 1);

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
		strip_deleted(place->path, &st);
		if (!strncmp(place->path, "/memfd:", 7))
			return false;
	}
	return true;
}

/*
 * A magic link leads where no path need lead. Its directory is named /proc/PID/fd, /map_files,
 * /ns or /task/TID/fd, or it is one of exe, cwd and root.
 */
static bool is_magic_link(const char *directory, const struct stat *st)
{
	return !strncmp(directory, "/proc/", 6) && directory[6] >= '0' && directory[6] <= '9' &&
	       S_ISLNK(st->st_mode);
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
	start_link(query, link, sizeof(link));
	length = readlink(link, path, size - 1);
	if (length < 1 || path[0] != '/')
		return false;
	path[length] = '\0';
	return join(path, size, query->raw);
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

/* The directory was resolved a moment ago. @path is cut to that directory's name. */
static bool walk_known(const struct query *query, char *path, struct place *place)
{
	const char *directory;
	char *name;

	if (!split(path, &name) || !(directory = names_find(path)))
		return false;
	strcpy(place->path, directory);
	if (!join(place->path, sizeof(place->path), name) ||
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
		if (is_magic_link(place->path, &place->st)) {
			name[-1] = '/';
			close(place->parent);
			return from_link(path, place) ? DONE : NO_PATH;
		}
		ssize_t got = readlinkat(place->parent, name, link, sizeof(link) - 1);

		if (got < 0 || ++links > LINKS_MAX)
			return CAREFUL;
		link[got] = '\0';
		if (link[0] == '/')
			strcpy(path, link);
		else if (strcpy(path, place->path), !join(path, sizeof(path), link))
			return CAREFUL;
		close(place->parent);
		place->parent = -1;
	}
	if (place->error) {
		struct stat directory;

		/* The last name of a deleted directory is not where a file could be. */
		if (!fstat(place->parent, &directory))
			strip_deleted(place->path, &directory);
	}
	return join(place->path, sizeof(place->path), place->name) ? DONE : CAREFUL;
}

/* Moves up or stays at the root. */
static void walk_up(struct walk *walk)
{
	char *slash = strrchr(walk->at, '/');
	int up = -1;

	if (!slash)
		return;
	*slash = '\0';
	up = *walk->at ? openat(walk->fd, "..", DIRECTORY_FLAGS) :
			 fcntl(walk->root, F_DUPFD_CLOEXEC, 0);
	close(walk->fd);
	walk->fd = up;
}

static bool walk_restart(struct walk *walk)
{
	close(walk->fd);
	walk->fd = fcntl(walk->root, F_DUPFD_CLOEXEC, 0);
	walk->at[0] = '\0';
	walk->in_our_proc = false;
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
		if (!strcmp(name, "..") && strrchr(walk->at, '/'))
			*strrchr(walk->at, '/') = '\0';
		else if (strcmp(name, ".") && strcmp(name, "..") &&
			 !join(walk->at, sizeof(walk->at), name))
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
	if (!join(next, sizeof(next), name)) {
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
	if (query->raw[0] == '/') {
		walk->fd = fcntl(walk->root, F_DUPFD_CLOEXEC, 0);
		return walk->fd >= 0;
	}
	start_link(query, link, sizeof(link));
	if (readlink(link, at, sizeof(walk->at) - 1) < 1 || at[0] != '/') {
		at[0] = '\0';
		return false;
	}
	/* The name is from the namespace's root; the walk counts from the tracee's. */
	if (tracee_proc_link(query->tid, "root", root, sizeof(root)) > 1) {
		length = strlen(root);
		if (!strncmp(at, root, length) && (!at[length] || at[length] == '/'))
			memmove(at, at + length, strlen(at + length) + 1);
	}
	if (!strcmp(at, "/"))
		at[0] = '\0';
	if (!walk->table || mounts_waits(walk->table, at)) {
		finish_as_text(walk, place, NOT_LOOKED);
		return true;
	}
	walk->fd = open(link, O_PATH | O_CLOEXEC);
	if (walk->fd >= 0 && !fstat(walk->fd, &st))
		strip_deleted(at, &st);
	return walk->fd >= 0;
}

/* Turns the walk's path inside the tracee's root into the host's. */
static void to_host(struct walk *walk, struct place *place)
{
	const struct query *query = walk->query;
	char root[PATH_MAX];
	struct statx stx;

	strcpy(place->path, *walk->at ? walk->at : "/");
	if (query->process->root_kind == ROOT_CHANGED && !walk->in_our_proc) {
		if (tracee_proc_link(query->tid, "root", root, sizeof(root)) > 1 &&
		    strlen(root) + strlen(walk->at) < sizeof(place->path)) {
			strcpy(place->path, root);
			strcat(place->path, walk->at);
		}
		return;
	}
	if (query->process->root_kind != ROOT_FOREIGN || walk->in_our_proc)
		return;
	/* The mount of the object itself where there is one, else of the last directory. */
	if (!walk->table || walk->fd < 0 ||
	    syscall(SYS_statx, place->parent >= 0 && !place->error ? place->parent : walk->fd,
		    place->parent >= 0 && !place->error ? place->name : "",
		    AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) ||
	    !(stx.stx_mask & STATX_MNT_ID) ||
	    !mounts_to_host(walk->table, (int)stx.stx_mnt_id, place->path, sizeof(place->path)))
		place->private_mount = true;
}

/* Our own /proc, whatever the tracee has mounted there: /proc/self of a pid namespace. */
static bool magic_of_walk(struct walk *walk, const char *name, struct place *place)
{
	char path[PLACE_PATH_MAX];

	strcpy(path, walk->at);
	return join(path, sizeof(path), name) && from_link(path, place);
}

static bool walk_carefully(const struct query *query, struct place *place)
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
		found = query->raw[0] == '/';
		finish_as_text(&walk, place, NOT_LOOKED);
		goto out;
	}
	while (!place->error && next_component(&walk, name, sizeof(name), &last)) {
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) {
			walk_up(&walk);
			continue;
		}
		if (last && query->follow && !fstatat(walk.fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
		    is_magic_link(walk.at, &st) && query->process->root_kind != ROOT_CHANGED) {
			found = magic_of_walk(&walk, name, place);
			goto out;
		}
		if (!walk_step(&walk, place, name, last))
			break;
	}
	if (!place->error && place->parent < 0)
		stay_here(&walk, place);
	to_host(&walk, place);
out:
	if (walk.fd >= 0)
		close(walk.fd);
	if (walk.root >= 0)
		close(walk.root);
	return found;
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

	if (!place->has_parent || !*place->name || strcmp(slash + 1, place->name))
		return; /* a link led elsewhere */
	*slash = '\0';
	names_keep(directory, place->path);
	*slash = '/';
}

bool resolve(const struct query *query, struct place *place)
{
	char link[64], path[PLACE_PATH_MAX];
	bool known_name;

	place->parent = -1;
	place->has_parent = false;
	place->private_mount = false;
	place->name[0] = '\0';
	if (!*query->raw && query->dirfd != AT_FDCWD &&
	    query->process->root_kind == ROOT_OURS) {
		start_link(query, link, sizeof(link));
		return from_link(link, place);
	}
	known_name = query->process->root_kind == ROOT_OURS && as_absolute(query, path, sizeof(path));
	if (known_name && walk_known(query, path, place))
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

void resolve_forget(void)
{
	names_forget();
}

void place_release(struct place *place)
{
	if (place->parent >= 0)
		close(place->parent);
	place->parent = -1;
}
