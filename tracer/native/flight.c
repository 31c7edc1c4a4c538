/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal.h"
#include "paths.h"

enum { FLIGHTS = 64, YIELDS = 8 };

/* What has not come about by then may be undone since, by somebody whom nobody sees. */
#define MEANINGFUL_NS UINT64_C(1000000000)
#define PATIENCE_NS UINT64_C(20000000)
#define LOOK_EVERY_NS 20000L

struct flight {
	pid_t tid;	/* 0: free */
	bool present, unsure, verify;
	ino_t inode;
	dev_t device;
	uint64_t since;
	char *path;	/* owned, kept when the flight is over */
	size_t length, capacity;
};

static struct flight flights[FLIGHTS];
static size_t next_victim, under_way;

static struct flight *flight_of(pid_t tid)
{
	for (size_t i = 0; under_way && i < FLIGHTS; i++)
		if (flights[i].tid == tid)
			return &flights[i];
	return NULL;
}

static struct flight *free_flight(void)
{
	for (size_t i = 0; i < FLIGHTS; i++)
		if (!flights[i].tid)
			return &flights[i];
	next_victim = (next_victim + 1) % FLIGHTS;
	under_way--;
	return &flights[next_victim];
}

static bool has_landed(const struct flight *flight)
{
	struct stat st;

	if (lstat(flight->path, &st))
		return !flight->present && errno == ENOENT;
	return flight->present &&
	       (!flight->inode || (st.st_ino == flight->inode && st.st_dev == flight->device));
}

static bool is_younger(const struct flight *flight, uint64_t age)
{
	return journal_now() < flight->since + age;
}

static void forget(struct flight *flight)
{
	flight->tid = 0;
	under_way--;
}

/* Of two at one path, or one above the other, it is not told which is last. */
static void disturb(pid_t tid, const struct expected *expected, size_t length, bool *verify)
{
	for (size_t i = 0; under_way && i < FLIGHTS; i++) {
		struct flight *other = &flights[i];

		if (!other->tid || other->tid == tid)
			continue;
		if (path_is_at_or_below(other->path, other->length, expected->path, length))
			other->verify = false;
		if (path_is_at_or_below(expected->path, length, other->path, other->length))
			*verify = false;
	}
}

void flight_begin(pid_t tid, const struct expected *expected, bool verify)
{
	size_t length = strlen(expected->path);
	struct flight *flight;
	char *path;

	disturb(tid, expected, length, &verify);
	flight = flight_of(tid);
	if (flight)
		forget(flight);
	flight = free_flight();
	flight->tid = 0;
	if (flight->capacity <= length) {
		path = realloc(flight->path, length + 1);
		if (!path)
			return;
		flight->path = path;
		flight->capacity = length + 1;
	}
	memcpy(flight->path, expected->path, length + 1);
	flight->tid = tid;
	flight->length = length;
	flight->present = expected->present;
	flight->unsure = expected->unsure;
	flight->inode = expected->inode;
	flight->device = expected->device;
	flight->verify = verify;
	flight->since = journal_now();
	under_way++;
}

void flight_over(pid_t tid)
{
	struct flight *flight = flight_of(tid);

	if (!flight)
		return;
	if (flight->verify && is_younger(flight, MEANINGFUL_NS) && !has_landed(flight))
		journal_changed_path();
	forget(flight);
}

/* Whether it came about in time. */
static bool await(struct flight *flight)
{
	const struct timespec moment = { .tv_nsec = LOOK_EVERY_NS };
	uint64_t end = journal_now() + PATIENCE_NS;

	for (int tries = 0; !has_landed(flight) && journal_now() < end; tries++) {
		/* It may wait for this very processor. */
		if (tries < YIELDS)
			sched_yield();
		else
			nanosleep(&moment, NULL);
	}
	return journal_now() < end;
}

void flight_await_below(pid_t tid, const char *directory)
{
	size_t length = strlen(directory);

	for (size_t i = 0; under_way && i < FLIGHTS; i++) {
		struct flight *flight = &flights[i];

		if (!flight->tid || flight->tid == tid || !is_younger(flight, PATIENCE_NS) ||
		    !path_is_at_or_below(flight->path, flight->length, directory, length))
			continue;
		if (flight->unsure || !await(flight)) {
			journal_changed_path();
			forget(flight);
		}
	}
}

void flight_await(pid_t tid)
{
	struct flight *flight = flight_of(tid);

	if (flight)
		await(flight);
}
