/* SPDX-License-Identifier: MIT */
/* Path names as text, and the links of /proc that stand for what a tracee has open. */
#ifndef IMPTRACE_PATHS_H
#define IMPTRACE_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "resolve.h"

/* How directories are opened: only to be walked through. */
#define DIRECTORY_FLAGS (O_PATH | O_CLOEXEC | O_DIRECTORY)

/* Appends "/@name" to @path, which has room for @size bytes; false, changing nothing, if it has not. */
bool path_join(char *path, size_t size, const char *name);

/* Whether @path, of @size bytes, is @directory, of @length bytes, or lies below it. */
bool path_is_at_or_below(const char *path, size_t size, const char *directory, size_t length);

/* Whether it ends with the mark that the kernel puts behind the name of what is gone; a name may too. */
bool path_is_marked_deleted(const char *path);

/* Takes off the mark that the kernel puts behind the name of what is gone, if @st says so. */
void path_strip_deleted(char *path, const struct stat *st);

/* Where relative paths of the query begin, as a link of /proc: "/proc/TID/cwd". */
void path_start(const struct query *query, char *link, size_t size);

/*
 * Whether the entry @st of @directory is a magic link, which leads where no path need lead. Its
 * directory is named /proc/PID/fd, /map_files, /ns or /task/TID/fd, or it is one of exe, cwd and root.
 */
bool path_is_magic_link(const char *directory, const struct stat *st);

/* Fills in @place with what the magic link @link leads to; false if that is no path. */
bool place_from_link(const char *link, struct place *place);

/* Fills in @place with @path, which is the host's name and leads through no symbolic link. */
void place_from_host(const char *path, struct place *place);

#endif
