/* SPDX-License-Identifier: MIT */
/*
 * Mount tables, one for each mount namespace that is seen.
 *
 * They answer two questions: may a lookup at this path wait for somebody (a FUSE server that is
 * itself traced, a network, an automounter), and how does the host call a path of another
 * mount namespace.
 */
#ifndef IMPTRACE_MOUNTS_H
#define IMPTRACE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mount {
	int id;
	char device[24];	/* "major:minor" */
	char *root, *point;	/* unescaped; in the table's text */
	char *lower;		/* of an overlay: the list of its lower directories. As above */
	char *upper;		/* of an overlay: where what is changed lies; NULL: nowhere. As above */
	bool waits;		/* a lookup may wait for somebody else */
};

struct mount_table {
	uint64_t namespace;	/* inode number; 0 for a free slot */
	uint64_t root_mount, root_inode; /* mount points are named from this root directory */
	int fd;			/* mountinfo, kept open: poll(2) tells of changes; -1 if unreadable */
	char *text;		/* owned */
	struct mount *mounts;	/* owned */
	size_t count;
	uint64_t looked_at;	/* when it was last asked whether it changed, CLOCK_MONOTONIC ns */
	bool waits;		/* some mount other than the root waits */
	bool whole;		/* seen from the root directory of the namespace itself */
	uint32_t loads;		/* how often it was read */
};

/*
 * Returns the table of @pid's mount namespace, as seen from its root directory, loaded if need
 * be; owned by this module, valid until the next call. NULL if the process is gone or may not be
 * read.
 */
struct mount_table *mounts_of(pid_t pid);

/*
 * Returns a table of the same namespace as @table that is seen from the namespace's own root
 * directory; NULL if no process with that root was met lately. Owned as above.
 */
struct mount_table *mounts_whole(const struct mount_table *table);

/* The table of our own namespace. Loaded by the first call, which must come early. */
struct mount_table *mounts_host(void);

/* Returns the inode number of @pid's mount namespace, 0 if it cannot be told. */
uint64_t mounts_namespace(pid_t pid);

/* A call that changes mounts is under way: for a while tables are checked at every use. */
void mounts_suspect(void);

/* Whether any mount that was met so far waits. */
bool mounts_ever_waited(void);

/* Whether a lookup of @path (absolute, in the table's namespace) may wait for somebody. */
bool mounts_waits(const struct mount_table *table, const char *path);

/* Whether something is mounted at @path (absolute, in the table's namespace). */
bool mounts_is_point(const struct mount_table *table, const char *path);

/*
 * Rewrites @path, which lies on mount @mount_id of @table, as the host names it. @path has room
 * for @size bytes. Returns false, leaving it alone, where the host cannot see that mount.
 */
bool mounts_to_host(const struct mount_table *table, int mount_id, char *path, size_t size);

/*
 * Writes to @host, which has room for @size bytes, what the host calls the upper directory of the
 * overlay @mount_id of @table. False if it is no overlay, or the host cannot see that directory.
 */
bool mounts_upper(const struct mount_table *table, int mount_id, char *host, size_t size);

/* Returns where mount @mount_id of @table is mounted, owned by the table; NULL if it is not in it. */
const char *mounts_point(const struct mount_table *table, int mount_id);

#endif
