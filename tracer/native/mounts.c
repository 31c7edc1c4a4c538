/* SPDX-License-Identifier: MIT */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "tracee.h"

enum { TABLES = 64, TEXT_MAX = 4 << 20 };

#define LOOK_EVERY_NS (NSEC_PER_SEC / 4)
#define SUSPECT_NS (2 * NSEC_PER_SEC)

static struct mount_table tables[TABLES]; /* [0] is the host's */
static size_t next_victim = 1;
static uint64_t suspect_until;
static bool ever_waited;

static bool type_waits(const char *type)
{
	static const char *const types[] = {
		"autofs", "nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "coda", "lustre",
	};

	if (!strncmp(type, "fuse", 4))
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* Undoes the \ooo escapes of mountinfo in place. */
static void unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from;) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* The value of a mount option, "name=value,...", cut out in place; NULL for NULL. */
static char *take_option(char *option)
{
	char *value = option ? strchr(option, '=') + 1 : NULL;

	if (value) {
		value[strcspn(value, ",")] = '\0';
		unescape(value);
	}
	return value;
}

/* "36 35 98:0 /root /point options [tags] - type source options" */
static bool parse_line(char *line, struct mount *mount)
{
	char *field[5] = { NULL }, *rest = line, *type, *name;

	for (int i = 0; i < 5; i++) {
		field[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	type = strstr(rest, " - ");
	if (!type || strlen(field[2]) >= sizeof(mount->device))
		return false;
	type += 3;
	*mount = (struct mount){ .id = atoi(field[0]) };
	strcpy(mount->device, field[2]);
	mount->root = field[3];
	mount->point = field[4];
	unescape(mount->root);
	unescape(mount->point);
	name = strsep(&type, " ");
	mount->waits = type_waits(name);
	if (type && !strcmp(name, "overlay")) {
		mount->lower = strstr(type, "lowerdir=");
		mount->upper = strstr(type, "upperdir=");
		mount->lower = take_option(mount->lower);
		mount->upper = take_option(mount->upper);
	}
	return true;
}

static char *read_text(int fd)
{
	size_t size = 16 << 10, length = 0;
	char *text = malloc(size + 1);

	if (lseek(fd, 0, SEEK_SET))
		length = 0;
	while (text) {
		ssize_t got = read(fd, text + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
		if (length == size) {
			char *bigger = size < TEXT_MAX ? realloc(text, size * 2 + 1) : NULL;

			if (!bigger)
				break;
			text = bigger;
			size *= 2;
		}
	}
	if (text)
		text[length] = '\0';
	return text;
}

/* The part of @path behind @prefix, beginning with '/' or empty; NULL if it is not below. */
static const char *below(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	if (length && prefix[length - 1] == '/')
		length--;
	if (strncmp(path, prefix, length) || (path[length] && path[length] != '/'))
		return NULL;
	return path + length;
}

/* Whether an overlay lies on something that waits; where that cannot be told, it may. */
static bool lies_on_waiting(const struct mount_table *table, const struct mount *overlay)
{
	char *list = strdup(overlay->lower ? overlay->lower : ""), *rest = list, *directory;
	bool waits = !list || (overlay->upper && mounts_waits(table, overlay->upper));

	while (!waits && (directory = strsep(&rest, ":")))
		waits = *directory && (directory[0] != '/' || mounts_waits(table, directory));
	free(list);
	return waits;
}

static void load(struct mount_table *table)
{
	char *text = read_text(table->fd), *rest = text, *line;
	size_t capacity = 0;

	if (!text)
		return; /* out of memory: the old table is better than none */
	free(table->text);
	table->text = text;
	table->loads++;
	table->count = 0;
	table->waits = false;
	for (const char *c = text; *c; c++)
		capacity += *c == '\n';
	free(table->mounts);
	table->mounts = calloc(capacity + 1, sizeof(*table->mounts));
	while (table->mounts && table->count < capacity && (line = strsep(&rest, "\n"))) {
		struct mount *mount = &table->mounts[table->count];

		if (!parse_line(line, mount))
			continue;
		/* Whatever serves the root serves us too: it cannot be waiting for us. */
		if (!strcmp(mount->point, "/"))
			mount->waits = false;
		table->waits |= mount->waits;
		table->count++;
	}
	for (size_t i = 0; table->waits && i < table->count; i++)
		if (table->mounts[i].lower && strcmp(table->mounts[i].point, "/"))
			table->mounts[i].waits |= lies_on_waiting(table, &table->mounts[i]);
	ever_waited |= table->waits;
}

static struct mount_table *refreshed(struct mount_table *table)
{
	struct pollfd changed = { .fd = table->fd, .events = POLLPRI };
	uint64_t now = clock_ns();

	if (table->fd < 0 || (now > suspect_until && now < table->looked_at + LOOK_EVERY_NS))
		return table;
	table->looked_at = now;
	if (poll(&changed, 1, 0) > 0 && changed.revents & (POLLPRI | POLLERR))
		load(table);
	return table;
}

static struct mount_table *fill(struct mount_table *table, pid_t pid, uint64_t namespace,
				const struct statx *root)
{
	char path[64], name[PATH_MAX];

	if (table->namespace && table->fd >= 0)
		close(table->fd);
	table->namespace = namespace;
	table->root_mount = root->stx_mnt_id;
	table->root_inode = root->stx_ino;
	table->count = 0;
	table->waits = false;
	table->whole = tracee_proc_link(pid, "root", name, sizeof(name)) == 1; /* "/" */
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	table->fd = open(path, O_RDONLY | O_CLOEXEC);
	table->looked_at = clock_ns();
	if (table->fd >= 0)
		load(table);
	return table;
}

uint64_t mounts_namespace(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

struct mount_table *mounts_host(void)
{
	struct statx root = { 0 };

	if (tables[0].namespace)
		return refreshed(&tables[0]);
	return fill(&tables[0], getpid(), mounts_namespace(getpid()), &root);
}

struct mount_table *mounts_of(pid_t pid)
{
	uint64_t namespace = mounts_namespace(pid);
	struct statx root;
	char path[64];

	if (!namespace || namespace == mounts_host()->namespace)
		return namespace ? mounts_host() : NULL;
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID, &root))
		return NULL;
	/* The mount too: a sandbox may mount the old root anew and pivot into it. */
	for (size_t i = 1; i < TABLES; i++)
		if (tables[i].namespace == namespace && tables[i].root_mount == root.stx_mnt_id &&
		    tables[i].root_inode == root.stx_ino)
			return refreshed(&tables[i]);
	if (next_victim >= TABLES)
		next_victim = 1;
	return fill(&tables[next_victim++], pid, namespace, &root);
}

struct mount_table *mounts_whole(const struct mount_table *table)
{
	for (size_t i = 0; i < TABLES; i++)
		if (tables[i].whole && tables[i].namespace == table->namespace)
			return refreshed(&tables[i]);
	return NULL;
}

void mounts_suspect(void)
{
	suspect_until = clock_ns() + SUSPECT_NS;
}

bool mounts_ever_waited(void)
{
	return ever_waited;
}

bool mounts_waits(const struct mount_table *table, const char *path)
{
	for (size_t i = 0; table->waits && i < table->count; i++)
		if (table->mounts[i].waits && below(path, table->mounts[i].point))
			return true;
	return false;
}

bool mounts_is_point(const struct mount_table *table, const char *path)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->mounts[i].point, path))
			return true;
	return false;
}

static const struct mount *by_id(const struct mount_table *table, int id)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->mounts[i].id == id)
			return &table->mounts[i];
	return NULL;
}

/* The mount that @path lies on: of those at the longest mount point the last one mounted. */
static const struct mount *covering(const struct mount_table *table, const char *path)
{
	const struct mount *best = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const struct mount *mount = &table->mounts[i];

		if (below(path, mount->point) &&
		    (!best || strlen(mount->point) >= strlen(best->point)))
			best = mount;
	}
	return best;
}

const char *mounts_point(const struct mount_table *table, int mount_id)
{
	const struct mount *mount = by_id(table, mount_id);

	return mount ? mount->point : NULL;
}

bool mounts_to_host(const struct mount_table *table, int mount_id, char *path, size_t size)
{
	const struct mount_table *host = mounts_host();
	const struct mount *mount = by_id(table, mount_id);
	const char *rest = mount ? below(path, mount->point) : NULL;
	char *inside, *candidate;
	bool found = false;

	if (!rest)
		return false;
	/* The path inside its file system, whatever part of that is mounted here. */
	if (!strcmp(rest, "/"))
		rest = ""; /* the root directory itself */
	if (asprintf(&inside, "%s%s", strcmp(mount->root, "/") ? mount->root : "", rest) < 0)
		return false;
	for (size_t i = 0; i < host->count && !found; i++) {
		const struct mount *seen = &host->mounts[i];
		const char *suffix = below(inside, seen->root);

		if (strcmp(seen->device, mount->device) || !suffix)
			continue;
		if (asprintf(&candidate, "%s%s", strcmp(seen->point, "/") ? seen->point : "",
			     suffix) < 0)
			break;
		/* Not if another mount hides that place. */
		if (covering(host, candidate) == seen && strlen(candidate) < size) {
			strcpy(path, *candidate ? candidate : "/");
			found = true;
		}
		free(candidate);
	}
	free(inside);
	return found;
}

bool mounts_upper(const struct mount_table *table, int mount_id, char *host, size_t size)
{
	const struct mount *mount = by_id(table, mount_id), *under;

	/* It was named by who mounted it, from his directory if it is a relative path. */
	if (!mount || !mount->upper || mount->upper[0] != '/' || strlen(mount->upper) >= size)
		return false;
	under = covering(table, mount->upper);
	strcpy(host, mount->upper);
	return under && mounts_to_host(table, under->id, host, size);
}
