/* SPDX-License-Identifier: MIT */
/* Starting the supervisor of a service, whose processes systemd starts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "door.h"
#include "shim.h"
#include "../native/journal.h"
#include "../native/observe.h"
#include "../native/settle.h"
#include "supervise.h"

/* Becomes the supervisor. Never returns. */
static void run_supervisor(const struct service *service, struct ring *ring, int kick, pid_t parent)
{
	const struct observe_options options = { .privileged = service->privileged };
	const struct filter_options filter = {
		.stats = service->door->options & SHIM_STATS,
		.writes_only = service->door->options & SHIM_WRITES_ONLY,
		.io_uring = service->door->options & SHIM_IO_URING,
	};
	struct supervision own = {
		.filter = &filter,
		.listener = -1,
		.reader = (int)syscall(SYS_pidfd_open, parent, 0),
		.door = service->door,
		.leave = service->leave,
		.adopted = service->adopted,
		.adopted_count = service->adopted_count,
	};
	size_t count = service->adopted_count + 4;
	int *kept = calloc(count, sizeof(*kept));

	own.page = mmap(NULL, SERVICE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, service->page, 0);
	if (!kept || own.page == MAP_FAILED || own.reader < 0 || getppid() != parent ||
	    journal_open(ring, kick, own.reader, service->start))
		_exit(1);
	observe_configure(&options);
	if (own.adopted_count)
		memcpy(kept, own.adopted, own.adopted_count * sizeof(*kept));
	kept[count - 4] = service->door->socket;
	kept[count - 3] = service->leave;
	kept[count - 2] = kick;
	kept[count - 1] = own.reader;
	settle("notify-answers", kept, count);
	free(kept);
	supervise(&own);
	_exit(0);
}

pid_t launch_service(const struct service *service, struct ring *ring, int kick)
{
	sigset_t all, mask;
	pid_t parent = getpid(), supervisor;
	int error;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	supervisor = fork();
	if (!supervisor)
		run_supervisor(service, ring, kick, parent);
	error = errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = error;
	return supervisor;
}
