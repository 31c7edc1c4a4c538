/* SPDX-License-Identifier: MIT */
#include "recorder.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "images.h"
#include "places.h"
#include "take.h"

enum {
	LOOK_MS = 20,		/* how often the ring is looked at: nothing wakes us for it */
	REPEATS_S = 1,
	BATCH = 1024,
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int take(void *context, void *data, size_t size)
{
	take_note(context, data, size);
	return 0;
}

static void add_device(void *context, uint32_t device)
{
	machine_device(context, device, false);
}

int recorder_open(struct recorder *recorder, const struct machine_options *options,
		  uint64_t start)
{
	memset(recorder, 0, sizeof(*recorder));
	recorder->pidfd = -1;
	recorder->scope = options->scope;
	recorder->machine.failed = "memory";
	if (!teller_open(&recorder->teller, start, options->stats, options->scope != SCOPE_MACHINE))
		return -1;
	if (machine_open(&recorder->machine, options, take, &recorder->teller))
		return -1;
	mounts_read(add_device, &recorder->machine);
	recorder->machine.failed = "leaving itself out";
	return recorder_ignore(recorder, getpid());
}

void recorder_close(struct recorder *recorder)
{
	witness_end(&recorder->witness);
	machine_close(&recorder->machine);
	teller_close(&recorder->teller);
	mounts_forget();
	if (recorder->pidfd >= 0)
		close(recorder->pidfd);
	recorder->pidfd = -1;
}

/* What is recorded from its exec on. */
static int mark_asked(void *context, int pidfd)
{
	uint32_t image;

	return machine_mark(context, pidfd, PROCESS_TRACED | PROCESS_ASKED, &image);
}

pid_t recorder_launch(struct recorder *recorder, const struct start *start, const char **stage)
{
	pid_t pid;

	*stage = "start";
	if (!recorder->witness.pid && witness_start(&recorder->witness))
		return -1;
	pid = start_program(start, mark_asked, &recorder->machine, &recorder->pidfd, stage);
	recorder->ends = true;
	recorder->program = pid > 0 ? pid : 0;
	return pid;
}

static int mark_pid(struct recorder *recorder, int pid, uint32_t marks, uint32_t *image)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), result, error;

	if (pidfd < 0)
		return -1;
	result = machine_mark(&recorder->machine, pidfd, marks, image);
	error = errno;
	close(pidfd);
	errno = error;
	return result;
}

int recorder_follow(struct recorder *recorder, int pid, uint32_t uid, uint32_t gid,
		    uint32_t *image)
{
	recorder->ends = recorder->scope == SCOPE_TREE;
	if (mark_pid(recorder, pid, PROCESS_TRACED, image))
		return -1;
	tell_found(&recorder->teller, *image, pid, uid, gid);
	return 0;
}

int recorder_ignore(struct recorder *recorder, int pid)
{
	uint32_t image;

	return mark_pid(recorder, pid, PROCESS_OURS, &image);
}

static struct note_state state_now(const char *path, bool *known)
{
	struct note_state state = { 0 };
	struct stat st;

	*known = !lstat(path, &st);
	if (*known)
		state = (struct note_state){
			.mode = st.st_mode, .uid = st.st_uid, .gid = st.st_gid,
			.device = major(st.st_dev) << 20 | minor(st.st_dev),
			.size = (uint64_t)st.st_size, .inode = st.st_ino,
			.mtime_s = st.st_mtim.tv_sec, .mtime_ns = (uint32_t)st.st_mtim.tv_nsec,
			.ctime_s = st.st_ctim.tv_sec, .ctime_ns = (uint32_t)st.st_ctim.tv_nsec,
		};
	return state;
}

void recorder_renew(struct recorder *recorder)
{
	__atomic_fetch_add(&recorder->machine.counters->epoch, 1, __ATOMIC_RELAXED);
}

void recorder_held(struct recorder *recorder, uint32_t image, uint8_t op, uint32_t flags,
		   const char *path)
{
	struct telling telling = { .image = image, .op = op, .flags = flags, .path = path };
	struct note_state state;
	bool known;

	state = state_now(path, &known);
	telling.at = now();
	if (known)
		telling.before = &state;
	if (known && S_ISREG(state.mode) && !state.size)
		telling.flags |= FLAG_EMPTY;
	tell_image(&recorder->teller, image, telling.at);
	tell_access(&recorder->teller, &telling);
}

/* What was lost since the last look. */
static void read_losses(struct recorder *recorder)
{
	struct loss loss;
	uint64_t group;

	if (!recorder->machine.counters->lost)
		return;
	while (!bpf_map_get_next_key(recorder->machine.losses, NULL, &group)) {
		if (!bpf_map_lookup_elem(recorder->machine.losses, &group, &loss))
			tell_loss(&recorder->teller, &loss, group);
		if (bpf_map_delete_elem(recorder->machine.losses, &group))
			break;
	}
}

/* How often what was told before was done again. */
static void read_repeats(struct recorder *recorder)
{
	static char keys[BATCH * 64];
	static struct repeat values[BATCH];
	uint32_t in = 0, out = 0, count = BATCH;
	void *from = NULL;
	int result;

	recorder->repeats_read = now();
	if (!recorder->machine.counters->repeated)
		return;
	recorder->machine.counters->repeated = 0;
	do {
		count = BATCH;
		result = bpf_map_lookup_batch(recorder->machine.repeats, from, &out, keys, values,
					      &count, NULL);
		if (result && errno != ENOENT)
			return;
		for (uint32_t i = 0; i < count; i++)
			if (values[i].count)
				tell_repeat(&recorder->teller, &values[i]);
		in = out;
		from = &in;
	} while (!result);
}

static void say_gone(struct recorder *recorder)
{
	read_repeats(recorder);
	read_losses(recorder);
	tell_too_long(&recorder->teller);
	if (!recorder->gone)
		output_record(&recorder->teller.output, sizeof(struct record), RECORD_ALL_GONE);
	recorder->gone = true;
}

static void leave(struct recorder *recorder)
{
	recorder->leaving = false;
	machine_leave(&recorder->machine);
	machine_consume(&recorder->machine);
	say_gone(recorder);
}

/* Says what became of the program itself. */
static void look_after_program(struct recorder *recorder)
{
	int status;
	pid_t pid = waitpid(recorder->program, &status, WNOHANG | WUNTRACED);

	if (!pid || (pid < 0 && errno == EINTR))
		return;
	if (pid > 0 && WIFSTOPPED(status)) {
		witness_continuation(&recorder->witness, recorder->program);
		tell_end(&recorder->teller, RECORD_ROOT_STOPPED, 0, status, 0, now());
		return;
	}
	/* What it did last was written before it could be waited for. */
	machine_consume(&recorder->machine);
	read_repeats(recorder);
	read_losses(recorder);
	tell_too_long(&recorder->teller);
	if (pid > 0)
		tell_end(&recorder->teller, RECORD_ROOT_EXITED, 0, status, images_running(), now());
	recorder->program = 0;
	close(recorder->pidfd);
	recorder->pidfd = -1;
}

static void look(struct recorder *recorder)
{
	if (mounts_changed())
		mounts_read(add_device, &recorder->machine);
	machine_consume(&recorder->machine);
	read_losses(recorder);
	if (recorder->program)
		look_after_program(recorder);
	if (now() > recorder->repeats_read + REPEATS_S * UINT64_C(1000000000))
		read_repeats(recorder);
	if (recorder->ends && !recorder->program && !images_running() && !recorder->gone)
		say_gone(recorder);
}

void recorder_wait(struct recorder *recorder, int timeout)
{
	uint64_t end = now() + (uint64_t)timeout * 1000000;

	for (;;) {
		struct pollfd program = { .fd = recorder->pidfd, .events = POLLIN };

		look(recorder);
		if (recorder->leaving)
			leave(recorder);
		if (recorder->teller.output.used || now() >= end)
			return;
		poll(&program, 1, LOOK_MS);
	}
}
