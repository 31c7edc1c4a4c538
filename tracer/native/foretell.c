/* SPDX-License-Identifier: MIT */
#include "foretell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mounts.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

int foretell_new(const struct place *place, bool directory)
{
	if (!place->error)
		return EEXIST;
	if (place->error == ENOENT && place->has_parent)
		return place->wants_directory && !directory ? ENOENT : 0;
	return place->error;
}

/* Whether O_CREAT with O_DIRECTORY is refused outright: since Linux 6.4 (commit 43b450632676). */
static bool refuses_new_directory(void)
{
	static int refuses = -1;

	if (refuses < 0) {
		int fd = open("/", O_RDONLY | O_CREAT | O_DIRECTORY | O_CLOEXEC, 0600);

		refuses = fd < 0 && errno == EINVAL;
		if (fd >= 0)
			close(fd);
	}
	return refuses;
}

int foretell_open(const struct place *place, int flags)
{
	bool missing = place->error == ENOENT && place->has_parent;
	bool directory = !place->error && S_ISDIR(place->st.st_mode);

	if (flags & O_CREAT && flags & O_DIRECTORY && refuses_new_directory())
		return EINVAL;
	if (flags & O_CREAT && place->wants_directory && (missing || !place->error))
		return EISDIR;
	if (flags & O_CREAT && (missing || flags & O_EXCL))
		return foretell_new(place, false);
	if (place->error)
		return place->error;
	if (directory && flags & (O_ACCMODE | O_TRUNC | O_CREAT))
		return EISDIR;
	if (!directory && flags & O_DIRECTORY)
		return ENOTDIR;
	if (S_ISLNK(place->st.st_mode))
		return ELOOP;
	return S_ISSOCK(place->st.st_mode) ? ENXIO : 0;
}

/* Whether there is anything in the directory @place; false where that cannot be told. */
static bool is_full(struct place *place)
{
	char entries[4096];
	bool full = false;
	long size;
	int fd;

	if (place_parent(place) < 0 || !*place->name)
		return false;
	fd = openat(place->parent, place->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	while (fd >= 0 && !full && (size = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < size && !full;) {
			const struct dirent64 *entry = (const struct dirent64 *)(entries + at);

			full = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
			at += entry->d_reclen;
		}
	}
	if (fd >= 0)
		close(fd);
	return full;
}

/* Whether something is mounted there, for the tracee: no entry that is one is moved or removed. */
static bool is_mount_point(const struct place *place)
{
	struct statx stx;

	if (place->error == NOT_LOOKED || place->parent < 0)
		return !place->private_mount && mounts_is_point(mounts_host(), place->path);
	/* The descriptor is one of the tracee's own mounts, wherever that lies. */
	return !place->error && *place->name &&
	       !statx(place->parent, place->name,
		      AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &stx) &&
	       stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* Whether the path ends with no name of an entry: it is the root directory, or ends with a dot. */
static bool is_no_entry(const struct place *place)
{
	return !place->error && !*place->name;
}

static int if_removed(struct place *place, bool as_directory)
{
	bool directory = !place->error && S_ISDIR(place->st.st_mode);

	if (place->error && place->error != NOT_LOOKED)
		return place->error;
	if (directory && !as_directory)
		return EISDIR;
	if (is_no_entry(place))
		return strcmp(place->path, "/") ? EINVAL : EBUSY;
	if (!place->error && !directory && (as_directory || place->wants_directory))
		return ENOTDIR;
	if (is_mount_point(place))
		return EBUSY;
	return directory && is_full(place) ? ENOTEMPTY : place->error;
}

static int if_truncated(const struct place *place)
{
	if (place->error || S_ISREG(place->st.st_mode))
		return place->error;
	return S_ISDIR(place->st.st_mode) ? EISDIR : EINVAL;
}

int foretell_change(const struct call *call, int flags, struct place *place)
{
	switch (call->op) {
	case OP_MKDIR:
		return foretell_new(place, true);
	case OP_CREATE:
		return foretell_new(place, false);
	case OP_DELETE:
		return if_removed(place, flags & AT_REMOVEDIR || !strcmp(call->name, "rmdir"));
	case OP_TRUNCATE:
		return if_truncated(place);
	default:
		return place->error;
	}
}

static bool is_below(const struct place *place, const struct place *directory)
{
	size_t length = strlen(directory->path);

	return !strncmp(place->path, directory->path, length) && place->path[length] == '/';
}

static int if_replaced(const struct place *from, struct place *to, bool exchange)
{
	bool directory = S_ISDIR(from->st.st_mode);

	if (!directory && (from->wants_directory || (to->wants_directory && !exchange)))
		return ENOTDIR;
	if (exchange && to->wants_directory && !S_ISDIR(to->st.st_mode))
		return ENOTDIR;
	if (is_below(to, from))
		return EINVAL;
	if (is_below(from, to))
		return exchange ? EINVAL : ENOTEMPTY;
	/* What was looked at lies on the mount, and not where the entry is. */
	if (is_mount_point(from) || is_mount_point(to))
		return EBUSY;
	if (to->error || exchange ||
	    (from->st.st_ino == to->st.st_ino && from->st.st_dev == to->st.st_dev))
		return 0;
	if (directory != S_ISDIR(to->st.st_mode))
		return directory ? ENOTDIR : EISDIR;
	return directory && is_full(to) ? ENOTEMPTY : 0;
}

int foretell_rename(const struct place *from, struct place *to, unsigned int flags)
{
	if (from->error == NOT_LOOKED || to->error == NOT_LOOKED)
		return is_mount_point(from) || is_mount_point(to) ? EBUSY : NOT_LOOKED;
	if (is_no_entry(from) || is_no_entry(to))
		return EBUSY;
	if (from->error)
		return from->error;
	if (to->error && (flags & RENAME_EXCHANGE || to->error != ENOENT || !to->has_parent))
		return to->error;
	if (!to->error && flags & RENAME_NOREPLACE)
		return EEXIST;
	return if_replaced(from, to, flags & RENAME_EXCHANGE);
}

int foretell_link(const struct place *from, const struct place *to)
{
	int error = from->error ? from->error : foretell_new(to, false);

	return !error && S_ISDIR(from->st.st_mode) ? EPERM : error;
}

int foretell_bind(const struct place *place)
{
	int error = foretell_new(place, false);

	return error == EEXIST ? EADDRINUSE : error;
}

int foretell_connect(const struct place *place)
{
	if (place->error)
		return place->error;
	return S_ISSOCK(place->st.st_mode) ? 0 : ECONNREFUSED;
}

int foretell_exec(const struct place *place)
{
	if (place->error)
		return place->error;
	return S_ISREG(place->st.st_mode) && place->st.st_mode & 0111 ? 0 : EACCES;
}
