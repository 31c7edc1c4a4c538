/* SPDX-License-Identifier: MIT */
/*
 * The recorder's door: a socket where shims bring the listeners of the processes that they are
 * about to become. The other side of tracer/notify/shim.h.
 */
#ifndef IMPTRACE_DOOR_H
#define IMPTRACE_DOOR_H

#include <stdbool.h>
#include <stdint.h>

/* The name under which listeners are kept by the service manager: imptrace.record.service.recorder. */
#define DEPOSIT_LISTENER "listener"

struct door {
	int socket;		/* listening, non-blocking; -1 once closed */
	const char *unit;	/* who may come in: processes of this unit */
	bool user_manager;	/* units of a user's manager, which lie below its own unit */
	uint32_t options;	/* SHIM_*: what is offered */
};

/*
 * Accepts one connection and makes the offer. Returns a non-blocking descriptor that the caller
 * owns; -1 if there was none, or it came from elsewhere.
 */
int door_admit(const struct door *door);

/* Receives the listener from @client; the caller owns it. -1: there was none. */
int door_receive(int client);

/* Tells @client that its listener is in good hands. */
void door_confirm(const struct door *door, int client);

/*
 * Whether the cgroup of @text, the contents of a /proc/PID/cgroup, belongs to @unit. A name that
 * a user may give to a cgroup in a subtree of theirs does not count for the system manager.
 */
bool door_is_inside(const char *text, const char *unit, bool user_manager);

/*
 * Gives the service manager a copy of @fd to keep as @name. Should we be killed, whoever is
 * started in our place gets it, and meanwhile nobody's syscalls fail.
 */
void door_deposit(int fd, const char *name);

#endif
