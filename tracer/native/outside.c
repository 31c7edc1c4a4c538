/* SPDX-License-Identifier: MIT */
#include "outside.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "paths.h"

/* Whether this is new: names that were told lately need not be told again. */
static bool is_news(uint64_t a, uint64_t b)
{
	static uint64_t told[256];
	uint64_t key = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	uint64_t *slot = &told[key >> 56];

	if (*slot == key)
		return false;
	*slot = key;
	return true;
}

/* What the tracee calls the mount, and what the host does, where that differs. */
static void tell_mount(const struct mount_table *table, int mount_id)
{
	char host[PLACE_PATH_MAX];
	const char *point;

	if (!is_news(table->namespace ^ table->root_mount << 32 ^ table->root_inode,
		     (uint64_t)table->loads << 32 | (uint32_t)mount_id))
		return;
	point = mounts_point(table, mount_id);
	if (!point || (size_t)snprintf(host, sizeof(host), "%s", point) >= sizeof(host))
		return;
	if (!mounts_to_host(table, mount_id, host, sizeof(host)))
		journal_name(point, NULL);
	else if (strcmp(host, point))
		journal_name(point, host);
}

static void tell_root(const char *host)
{
	uint64_t key = 0;

	for (const char *c = host; *c; c++)
		key = (key ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	if (is_news(key, 0))
		journal_name("/", host);
}

/* Puts the name of the tracee's root directory before the walk's path; false: there is no room. */
static bool from_root(const struct query *query, const char *at, char *path, size_t size)
{
	char root[PATH_MAX];

	return tracee_proc_link(query->tid, "root", root, sizeof(root)) > 1 &&
	       (size_t)snprintf(path, size, "%s%s", root, at) < size;
}

/*
 * A root directory inside a mount, not at its top, is on none of the mounts that can be seen
 * from it: a chroot within a private namespace.
 */
static bool of_chroot(const struct query *query, const struct mount_table *table, const char *at,
		      bool below_root, int mount_id, char *path, size_t size)
{
	const struct mount_table *whole = mounts_whole(table);
	char name[PLACE_PATH_MAX];

	strcpy(name, at);
	if (!whole || (below_root && !from_root(query, at, name, sizeof(name))) ||
	    !mounts_to_host(whole, mount_id, name, sizeof(name)) || strlen(name) >= size)
		return false;
	strcpy(path, name);
	return true;
}

/* If the host's @path ends as the tracee's @at does, what is before that is its root's. */
static void tell_chroot(const char *at, const char *path)
{
	size_t length = strlen(path), tail = strlen(at);
	char root[PLACE_PATH_MAX];

	if (length <= tail || strcmp(path + length - tail, at) != 0)
		return;
	memcpy(root, path, length - tail);
	root[length - tail] = '\0';
	tell_root(root);
}

/*
 * On an overlay that the host does not see: what is changed lies in its upper directory, and so does
 * what was changed before.
 */
static bool of_overlay(const struct query *query, const struct mount_table *table, int mount_id,
		       struct place *place)
{
	char host[PLACE_PATH_MAX];
	const char *point = mounts_point(table, mount_id);
	size_t length = point ? strlen(point) : 0;

	if (!point || strncmp(place->path, point, length) != 0 ||
	    !mounts_upper(table, mount_id, host, sizeof(host)))
		return false;
	if (is_news(table->namespace, (uint64_t)table->loads << 32 | (uint32_t)mount_id))
		journal_name(point, host);
	if (place->path[length] && !path_join(host, sizeof(host), place->path + length + 1))
		return false;
	place->upper_there = !lstat(host, &place->upper);
	if (!query->changes && !place->upper_there)
		return false;
	strcpy(place->path, host);
	place->overlaid = true;
	return true;
}

void outside_name(const struct query *query, const struct mount_table *table, const char *at,
		  bool below_root, int mount_id, struct place *place)
{
	enum root_kind kind = query->process->root_kind;
	char path[PLACE_PATH_MAX];
	bool is_known = table && mount_id >= 0;

	strcpy(place->path, *at ? at : "/");
	if (kind == ROOT_OURS)
		return;
	if (kind == ROOT_CHANGED) {
		if (below_root && from_root(query, at, path, sizeof(path))) {
			strcpy(place->path, path);
			tell_chroot(at, path);
		}
	} else if (is_known && mounts_to_host(table, mount_id, place->path, sizeof(place->path))) {
		tell_mount(table, mount_id);
	} else if (is_known &&
		   of_chroot(query, table, at, below_root, mount_id, place->path,
			     sizeof(place->path))) {
		if (below_root)
			tell_chroot(at, place->path);
	} else if (is_known && of_overlay(query, table, mount_id, place)) {
		return;
	} else {
		place->private_mount = true;
		if (is_known)
			tell_mount(table, mount_id);
	}
}
