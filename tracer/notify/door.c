/* SPDX-License-Identifier: MIT */
#include "door.h"

#include <errno.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim.h"
#include "../native/tracee.h"

/* Sends @size bytes, with @fd (-1: none) as SCM_RIGHTS; never waits. */
static bool send_with(int socket, const struct sockaddr_un *to, socklen_t to_size,
		      const void *data, size_t size, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(fd)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)data, size };
	struct msghdr message = { .msg_name = (void *)to, .msg_namelen = to_size,
				  .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

static bool offer(const struct door *door, int client)
{
	const struct shim_offer offer = { .magic = SHIM_MAGIC, .options = door->options };

	return send_with(client, NULL, 0, &offer, sizeof(offer), -1);
}

/* Whether the cgroup path from @path to @end leads into @unit. */
static bool path_is_inside(const char *path, const char *end, const char *unit, bool user_manager)
{
	size_t length = strlen(unit);

	while (path < end) {
		const char *next = memchr(path, '/', (size_t)(end - path));
		size_t part = (size_t)((next ? next : end) - path);

		if (part == length && !memcmp(path, unit, length))
			return true;
		if (!user_manager && part > 5 && !memcmp(path, "user@", 5))
			return false;
		path += part + 1;
	}
	return false;
}

bool door_is_inside(const char *text, const char *unit, bool user_manager)
{
	/* "0::/path" or, with the old hierarchies, "1:name=systemd:/path" */
	while (*text) {
		const char *end = strchrnul(text, '\n');
		const char *colon = memchr(text, ':', (size_t)(end - text));
		const char *path = colon ? memchr(colon + 1, ':', (size_t)(end - colon - 1)) : NULL;

		if (path && (path == colon + 1 || !strncmp(colon + 1, "name=systemd:", 13)) &&
		    path_is_inside(path + 1, end, unit, user_manager))
			return true;
		text = *end ? end + 1 : end;
	}
	return false;
}

static bool may_come_in(const struct door *door, int client)
{
	char text[PATH_MAX];
	struct ucred peer;
	socklen_t size = sizeof(peer);
	ssize_t got;

	if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	got = tracee_proc_file(peer.pid, "cgroup", text, sizeof(text) - 1);
	if (got < 0)
		return false;
	text[got] = '\0';
	return door_is_inside(text, door->unit, door->user_manager);
}

int door_admit(const struct door *door)
{
	int client = accept4(door->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client >= 0 && may_come_in(door, client) && offer(door, client))
		return client;
	if (client >= 0)
		close(client);
	return -1;
}

static bool is_listener(int fd)
{
	uint64_t id = 0;

	return !ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) || errno == ENOENT;
}

int door_receive(int client)
{
	struct shim_answer answer;
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &answer, sizeof(answer) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	int listener = -1;
	ssize_t got = recvmsg(client, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	header = got < 0 ? NULL : CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(listener)))
		memcpy(&listener, CMSG_DATA(header), sizeof(listener));
	if (listener >= 0 &&
	    (got != sizeof(answer) || answer.magic != SHIM_MAGIC || !is_listener(listener))) {
		close(listener);
		return -1;
	}
	return listener;
}

void door_confirm(const struct door *door, int client)
{
	offer(door, client);
}

void door_deposit(int fd, const char *name)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un manager = { .sun_family = AF_UNIX };
	char text[64];
	size_t length = path ? strlen(path) : 0;
	int socket_fd, size;

	if (!length || length >= sizeof(manager.sun_path))
		return;
	memcpy(manager.sun_path, path, length);
	if (*path == '@')
		manager.sun_path[0] = '\0';
	socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (socket_fd < 0)
		return;
	size = snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	send_with(socket_fd, &manager,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length), text, (size_t)size,
		  fd);
	close(socket_fd);
}
