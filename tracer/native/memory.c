/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "mounts.h"

enum { PAGE = 4096, KEPT = 16 };

/* How long a page may take to come; the tracee waits meanwhile. */
#define PATIENCE_NS 250000000L
/* linux/Documentation/admin-guide/mm/pagemap.rst: in memory, or swapped out */
#define IS_THERE (UINT64_C(3) << 62)

/* A read that somebody else makes. Freed by whoever is the last to look at it. */
struct job {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done, abandoned;
	pid_t tid;
	uint64_t address;
	size_t size;
	int error;
	unsigned char data[PATH_MAX];
};

/* /proc/TID/pagemap, open: it stays that of the memory that it was opened for. */
struct pagemap {
	pid_t tid;
	int fd;
};

static bool suspect;

void memory_suspect(void)
{
	suspect = true;
}

static int read_now(pid_t tid, uint64_t address, void *buffer, size_t size)
{
	struct iovec local = { buffer, size }, remote = { (void *)(uintptr_t)address, size };
	ssize_t got = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	if (got == (ssize_t)size)
		return 0;
	if (got >= 0)
		errno = EFAULT;
	return -1;
}

static bool page_is_there(int fd, uint64_t address)
{
	uint64_t entry;

	return pread(fd, &entry, sizeof(entry), (off_t)(address / PAGE * sizeof(entry))) ==
		       sizeof(entry) &&
	       entry & IS_THERE;
}

static bool are_there(int fd, uint64_t address, size_t size)
{
	for (uint64_t page = address / PAGE; page <= (address + size - 1) / PAGE; page++)
		if (!page_is_there(fd, page * PAGE))
			return false;
	return true;
}

/* Whether reading does not wait: the pages are in memory. */
static bool is_in_memory(pid_t tid, uint64_t address, size_t size)
{
	static struct pagemap kept[KEPT];
	struct pagemap *map = &kept[(size_t)tid % KEPT];
	char path[64];

	if (map->tid == tid && are_there(map->fd, address, size))
		return true;
	/* Maybe it has other memory since. */
	if (map->tid)
		close(map->fd);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", tid);
	map->fd = open(path, O_RDONLY | O_CLOEXEC);
	map->tid = map->fd < 0 ? 0 : tid;
	return map->tid && are_there(map->fd, address, size);
}

static void job_free(struct job *job)
{
	pthread_mutex_destroy(&job->lock);
	pthread_cond_destroy(&job->changed);
	free(job);
}

static void *job_run(void *argument)
{
	struct job *job = argument;
	int error = read_now(job->tid, job->address, job->data, job->size) ? errno : 0;
	bool last;

	pthread_mutex_lock(&job->lock);
	job->error = error;
	job->done = true;
	last = job->abandoned;
	pthread_cond_signal(&job->changed);
	pthread_mutex_unlock(&job->lock);
	if (last)
		job_free(job);
	return NULL;
}

static struct job *job_new(pid_t tid, uint64_t address, size_t size)
{
	struct job *job = calloc(1, sizeof(*job));
	pthread_condattr_t clock;
	pthread_t thread;

	if (!job)
		return NULL;
	job->tid = tid;
	job->address = address;
	job->size = size;
	pthread_mutex_init(&job->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&job->changed, &clock);
	pthread_condattr_destroy(&clock);
	if (pthread_create(&thread, NULL, job_run, job)) {
		job_free(job);
		return NULL;
	}
	pthread_detach(thread);
	return job;
}

static int read_by_another(pid_t tid, uint64_t address, void *buffer, size_t size)
{
	struct job *job = size <= PATH_MAX ? job_new(tid, address, size) : NULL;
	struct timespec end;
	int error = ETIMEDOUT;
	bool done;

	if (!job) {
		errno = ETIMEDOUT;
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += PATIENCE_NS;
	end.tv_sec += end.tv_nsec / 1000000000L;
	end.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&job->lock);
	while (!job->done && !pthread_cond_timedwait(&job->changed, &job->lock, &end))
		;
	if (job->done) {
		error = job->error;
		memcpy(buffer, job->data, size);
	}
	done = job->done;
	job->abandoned = !done;
	pthread_mutex_unlock(&job->lock);
	if (done)
		job_free(job);
	errno = error;
	return error ? -1 : 0;
}

int tracee_read(pid_t tid, uint64_t address, void *buffer, size_t size)
{
	if ((suspect || mounts_ever_waited()) && !is_in_memory(tid, address, size))
		return read_by_another(tid, address, buffer, size);
	return read_now(tid, address, buffer, size);
}

ssize_t tracee_read_text(pid_t tid, uint64_t address, char *buffer, size_t size)
{
	size_t length = 0;

	while (length < size) {
		/* Page by page: the text may end right before memory that is not mapped. */
		size_t chunk = PAGE - ((address + length) & (PAGE - 1));
		const char *end;

		if (chunk > size - length)
			chunk = size - length;
		if (tracee_read(tid, address + length, buffer + length, chunk))
			return -1;
		end = memchr(buffer + length, '\0', chunk);
		if (end)
			return end - buffer;
		length += chunk;
	}
	return (ssize_t)size;
}
