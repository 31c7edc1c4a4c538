/* SPDX-License-Identifier: MIT */
#include "places.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct host_mount {
	uint32_t device;	/* as the kernel numbers it */
	char *root, *point;
};

static struct host_mount *mounts;
static size_t mount_count;
static int watched = -1;

void mounts_forget(void)
{
	for (size_t i = 0; i < mount_count; i++) {
		free(mounts[i].root);
		free(mounts[i].point);
	}
	free(mounts);
	mounts = NULL;
	mount_count = 0;
	if (watched >= 0)
		close(watched);
	watched = -1;
}

bool mounts_changed(void)
{
	struct pollfd changed = { .fd = watched, .events = POLLPRI };

	return watched < 0 || (poll(&changed, 1, 0) > 0 && changed.revents & (POLLPRI | POLLERR));
}

/* Undoes the escapes of mountinfo: a backslash and three octal digits. */
static char *unescaped(const char *text)
{
	char *plain = malloc(strlen(text) + 1), *to = plain;

	if (!plain)
		return NULL;
	while (*text) {
		if (*text == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
	return plain;
}

static void add_mount(uint32_t device, const char *root, const char *point)
{
	struct host_mount *bigger = realloc(mounts, (mount_count + 1) * sizeof(*mounts));

	if (!bigger)
		return;
	mounts = bigger;
	mounts[mount_count] = (struct host_mount){ device, unescaped(root), unescaped(point) };
	if (mounts[mount_count].root && mounts[mount_count].point)
		mount_count++;
}

void mounts_read(void (*each)(void *context, uint32_t device), void *context)
{
	char *line = NULL, root[PATH_MAX], point[PATH_MAX];
	unsigned int major, minor;
	size_t size = 0;
	FILE *file;

	mounts_forget();
	file = fopen("/proc/self/mountinfo", "re");
	watched = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	mounts_changed(); /* from now on */
	while (file && getline(&line, &size, file) > 0) {
		if (sscanf(line, "%*d %*d %u:%u %4095s %4095s", &major, &minor, root, point) != 4)
			continue;
		add_mount(major << 20 | minor, root, point);
		each(context, major << 20 | minor);
	}
	free(line);
	if (file)
		fclose(file);
}

static bool is_below(const char *path, const char *directory, size_t length)
{
	return !strncmp(path, directory, length) &&
	       (!path[length] || path[length] == '/' || (length && directory[length - 1] == '/'));
}

static void spot_set(struct spot *spot, const char *first, const char *second)
{
	int length = snprintf(spot->path, sizeof(spot->path), "%s%s", first, second);

	spot->length = length < 0 ? 0 : (size_t)length < PLACE_MAX ? (size_t)length : PLACE_MAX - 1;
}

/* Names what counts from the top of a file system as a mount of the host shows it. */
static bool to_host(uint32_t device, const char *path, struct spot *spot)
{
	const struct host_mount *best = NULL;
	size_t best_length = 0;

	for (size_t i = 0; i < mount_count; i++) {
		size_t length = strcmp(mounts[i].root, "/") ? strlen(mounts[i].root) : 0;

		if (mounts[i].device == device && is_below(path, mounts[i].root, length) &&
		    (!best || length > best_length)) {
			best = &mounts[i];
			best_length = length;
		}
	}
	if (!best)
		return false;
	spot_set(spot, strcmp(best->point, "/") ? best->point : "", path + best_length);
	return true;
}

/* Adds what was only taken over, name by name: `..` takes the name before it away. */
static void add_rest(struct spot *spot, const char *rest)
{
	while (*rest) {
		size_t length;

		rest += strspn(rest, "/");
		length = strcspn(rest, "/");
		if (length == 2 && !strncmp(rest, "..", 2)) {
			char *slash = memrchr(spot->path, '/', spot->length);

			spot->length = slash ? (size_t)(slash - spot->path) : 0;
		} else if (length && !(length == 1 && *rest == '.') &&
			   spot->length + length + 2 < PLACE_MAX) {
			spot->path[spot->length++] = '/';
			memcpy(spot->path + spot->length, rest, length);
			spot->length += length;
		}
		spot->path[spot->length] = '\0';
		rest += length;
	}
}

/* Puts a process's number in the place of "self" behind /proc. */
static const char *own_rest(const struct spot *spot, const char *rest, int pid, char *buffer,
			    size_t size)
{
	static const char *const selves[] = { "/self", "/thread-self" };

	if (strcmp(spot->path, "/proc") != 0)
		return rest;
	for (size_t i = 0; i < 2; i++) {
		size_t length = strlen(selves[i]);

		if (is_below(rest, selves[i], length)) {
			snprintf(buffer, size, "/%d%s", pid, rest + length);
			return buffer;
		}
	}
	return rest;
}

/* Follows the links on the way, which the kernel did not have in memory, as they are now. */
static void join(struct spot *spot, const char *rest, bool follow)
{
	char whole[PLACE_MAX], found[PATH_MAX], *last;

	if ((size_t)snprintf(whole, sizeof(whole), "%s%s", spot->path, rest) >= sizeof(whole)) {
		add_rest(spot, rest);
		return;
	}
	if (follow && realpath(whole, found)) {
		spot_set(spot, found, "");
		return;
	}
	last = strrchr(whole, '/');
	if (!last || !strcmp(last, "/..") || !strcmp(last, "/.") || !last[1]) {
		add_rest(spot, rest);
		return;
	}
	*last = '\0';
	if (!realpath(*whole ? whole : "/", found)) {
		add_rest(spot, rest);
		return;
	}
	*last = '/';
	spot_set(spot, strcmp(found, "/") ? found : "", last);
}

bool spot_make(const struct note_text *text, const char *bytes, int pid, struct spot *spot)
{
	char base[PLACED_MAX + 1], rest[TEXT_MAX + 1], own[TEXT_MAX + 32];
	size_t rest_length = text->rest < text->length ? text->rest : text->length;
	size_t base_length = text->length - rest_length;
	const char *left = rest;

	spot->is_private = spot->is_unsure = false;
	if (text->marks & (TEXT_DETACHED | TEXT_CUT) || base_length > PLACED_MAX || rest_length > TEXT_MAX)
		return false;
	memcpy(base, bytes, base_length);
	base[base_length] = '\0';
	memcpy(rest, bytes + base_length, rest_length);
	rest[rest_length] = '\0';
	if (!(text->marks & TEXT_DEVICE) || !to_host(text->device, base, spot)) {
		spot->is_private = text->marks & TEXT_FOREIGN;
		spot_set(spot, base, "");
	}
	if (text->marks & TEXT_JOIN && !spot->is_private) {
		spot->is_unsure = true;
		left = own_rest(spot, rest, pid, own, sizeof(own));
		join(spot, left, text->marks & TEXT_FOLLOW);
	} else {
		add_rest(spot, left);
	}
	if (!spot->length)
		spot_set(spot, "/", "");
	return true;
}
