/* SPDX-License-Identifier: MIT */
#include "recorder.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../native/clock.h"
#include "images.h"
#include "places.h"
#include "take.h"

enum {
	LOOK_MS = 20,		/* how often the ring is looked at: nothing wakes us for it */
	REPEATS_S = 1,
	PORTION = 1 << 20,	/* bytes of records that are handed over at once, and little more */
	BATCH = 1024,
	REMEMBERED = 1 << 17,	/* accesses of which repeats are told */
};

/* Takes a note; -1 to have a pause: whoever reads holds all of a portion in memory several times. */
static int take(void *context, void *data, size_t size)
{
	struct listeners *listeners = context;

	take_note(listeners, data, size);
	return listeners->machine.output.used > PORTION ? -1 : 0;
}

static void add_device(void *context, uint32_t device)
{
	machine_device(context, device, false);
}

static bool are_counted(struct teller *const tellers[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tellers[i]->counts)
			return true;
	return false;
}

/* How often what was told before was done again. */
static void read_repeats(void *context)
{
	struct recorder *recorder = context;
	static char keys[BATCH * 64];
	static struct repeat values[BATCH];
	uint32_t in = 0, out = 0, count = BATCH;
	struct teller *tellers[TELLERS_MAX];
	size_t teller_count = listeners_all(&recorder->listeners, tellers);
	void *from = NULL;
	int result;

	recorder->repeats_read = clock_ns();
	recorder->listeners.ended_at = 0;
	if (!recorder->machine.counters->repeated || !are_counted(tellers, teller_count))
		return;
	recorder->machine.counters->repeated = 0;
	do {
		count = BATCH;
		result = bpf_map_lookup_batch(recorder->machine.repeats, from, &out, keys, values,
					      &count, NULL);
		if (result && errno != ENOENT)
			return;
		for (uint32_t i = 0; i < count; i++)
			for (size_t each = 0; values[i].count && each < teller_count; each++)
				tell_repeat(tellers[each], &values[i]);
		in = out;
		from = &in;
	} while (!result);
}

int recorder_open(struct recorder *recorder, const struct machine_options *options,
		  uint64_t start)
{
	uint32_t remembered = options->scope == SCOPE_MACHINE ? 0 : REMEMBERED;

	memset(recorder, 0, sizeof(*recorder));
	recorder->pidfd = -1;
	recorder->scope = options->scope;
	recorder->machine.failed = "memory";
	recorder->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (recorder->waker < 0 ||
	    !teller_open(&recorder->listeners.machine, MACHINE_BIT, start, remembered))
		return -1;
	recorder->listeners.machine.stats = options->stats;
	recorder->listeners.read_repeats = read_repeats;
	recorder->listeners.context = recorder;
	if (machine_open(&recorder->machine, options, take, &recorder->listeners))
		return -1;
	mounts_read(add_device, &recorder->machine);
	recorder->machine.failed = "leaving itself out";
	return recorder_ignore(recorder, getpid());
}

void recorder_close(struct recorder *recorder)
{
	witness_end(&recorder->witness);
	machine_close(&recorder->machine);
	listeners_close(&recorder->listeners);
	images_forget();
	mounts_forget();
	if (recorder->waker >= 0)
		close(recorder->waker);
	recorder->waker = -1;
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
	image_found(*image, pid, uid, gid, false);
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

void recorder_held(struct teller *teller, uint32_t image, uint8_t op, uint32_t flags,
		   const char *path)
{
	struct telling telling = { .image = image, .op = op, .flags = flags, .path = path };
	struct note_state state;
	bool known;

	state = state_now(path, &known);
	telling.at = clock_ns();
	if (known)
		telling.before = &state;
	if (known && S_ISREG(state.mode) && !state.size)
		telling.flags |= FLAG_EMPTY;
	tell_image(teller, image, telling.at);
	tell_access(teller, &telling);
}

/* What was lost since the last look. Of whom is not for those who listen to a part to know. */
static void read_losses(struct recorder *recorder)
{
	struct teller *tellers[TELLERS_MAX];
	struct loss loss;
	uint64_t group;

	if (!recorder->machine.counters->lost)
		return;
	while (!bpf_map_get_next_key(recorder->machine.losses, NULL, &group)) {
		if (!bpf_map_lookup_elem(recorder->machine.losses, &group, &loss)) {
			size_t count = listeners_all(&recorder->listeners, tellers);

			for (size_t i = 0; i < count; i++)
				tell_loss(tellers[i], &loss, i ? UINT64_MAX : group);
		}
		if (bpf_map_delete_elem(recorder->machine.losses, &group))
			break;
	}
}

static void say_gone(struct recorder *recorder)
{
	read_repeats(recorder);
	read_losses(recorder);
	tell_omissions(&recorder->listeners.machine);
	if (!recorder->gone)
		output_record(&recorder->listeners.machine.output, sizeof(struct record), RECORD_ALL_GONE);
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
		tell_end(&recorder->listeners.machine, RECORD_ROOT_STOPPED, 0, status, 0, clock_ns());
		return;
	}
	/* What it did last was written before it could be waited for. */
	machine_consume(&recorder->machine);
	read_repeats(recorder);
	read_losses(recorder);
	tell_omissions(&recorder->listeners.machine);
	if (pid > 0)
		tell_end(&recorder->listeners.machine, RECORD_ROOT_EXITED, 0, status,
			 images_running(), clock_ns());
	recorder->program = 0;
	close(recorder->pidfd);
	recorder->pidfd = -1;
}

static void look(struct recorder *recorder)
{
	if (mounts_changed())
		mounts_read(add_device, &recorder->machine);
	machine_consume_some(&recorder->machine);
	read_losses(recorder);
	if (recorder->program)
		look_after_program(recorder);
	if (clock_ns() > recorder->repeats_read + REPEATS_S * NSEC_PER_SEC)
		read_repeats(recorder);
	if (recorder->ends && !recorder->program && !images_running() && !recorder->gone)
		say_gone(recorder);
}

unsigned int recorder_listen(struct recorder *recorder, int pid, uint32_t user)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct tree *tree;
	unsigned int number = 0;
	uint32_t image;

	if (pidfd < 0)
		return 0;
	/* That it was started is to be known before. */
	machine_consume(&recorder->machine);
	if (!machine_listen_to(&recorder->machine, pidfd, true, &image)) {
		errno = EUSERS;
		number = tree_add(&recorder->listeners, image, user);
	}
	tree = tree_numbered(&recorder->listeners, number);
	if (tree)
		tree->pidfd = pidfd;
	else
		close(pidfd);
	return number;
}

unsigned int recorder_join(struct recorder *recorder, unsigned int number, int pid, int pidfd,
			   uint32_t user, uint32_t gid, uint32_t *image)
{
	unsigned int joined;

	machine_consume(&recorder->machine);
	if (machine_listen_to(&recorder->machine, pidfd, true, image))
		return 0;
	if (!image_find(*image))
		image_found(*image, pid, user, gid, false);
	joined = tree_join(&recorder->listeners, number, *image, user);
	errno = EUSERS;
	return joined;
}

/* A tree that nobody listens to any more. */
struct forgotten {
	struct recorder *recorder;
	uint8_t tree;
};

static void forget_tree(void *context, struct image *image)
{
	const struct forgotten *forgotten = context;
	struct recorder *recorder = forgotten->recorder;
	uint32_t number;
	int pidfd;

	if (image->tree != forgotten->tree || image->pid <= 0)
		return;
	pidfd = (int)syscall(SYS_pidfd_open, image->pid, 0);
	if (pidfd < 0)
		return;
	machine_listen_to(&recorder->machine, pidfd, false, &number);
	close(pidfd);
}

void recorder_unlisten(struct recorder *recorder, unsigned int number)
{
	struct tree *tree = tree_numbered(&recorder->listeners, number);

	if (!tree)
		return;
	/* Where it stands in another tree, that one is listened to. */
	if (tree->running && !tree->outer)
		images_each(forget_tree, &(struct forgotten){ recorder, (uint8_t)number });
	tree_drop(&recorder->listeners, (uint8_t)number);
}

void recorder_taken(struct tree *tree)
{
	tree->teller.output.used = 0;
	tree_tell_loss(tree);
}

void recorder_wake(struct recorder *recorder)
{
	uint64_t one = 1;

	if (write(recorder->waker, &one, sizeof(one)) < 0)
		return; /* it is awake */
}

static bool is_heard(const struct recorder *recorder, uint32_t ready)
{
	for (size_t i = 0; i < TREES_MAX; i++)
		if (recorder->listeners.trees[i].used && ready >> (i + 1) & 1 &&
		    recorder->listeners.trees[i].teller.output.used)
			return true;
	return false;
}

/* Waits a moment, or until the program ends, or one that somebody listens to, or for a wake-up. */
static bool pause_is_over(struct recorder *recorder)
{
	struct pollfd polled[2 + TREES_MAX] = { { .fd = recorder->pidfd, .events = POLLIN },
						{ .fd = recorder->waker, .events = POLLIN } };
	nfds_t count = 2;
	uint64_t wakes;

	for (size_t i = 0; i < TREES_MAX; i++)
		if (recorder->listeners.trees[i].used && recorder->listeners.trees[i].pidfd >= 0)
			polled[count++] = (struct pollfd){
				.fd = recorder->listeners.trees[i].pidfd, .events = POLLIN };
	poll(polled, count, LOOK_MS);
	/* What it did last was written before it ended: once is enough to look at once. */
	for (size_t i = 0, at = 2; i < TREES_MAX && at < count; i++) {
		struct tree *tree = &recorder->listeners.trees[i];

		if (!tree->used || tree->pidfd != polled[at].fd)
			continue;
		if (polled[at++].revents) {
			close(tree->pidfd);
			tree->pidfd = -1;
		}
	}
	return polled[1].revents && read(recorder->waker, &wakes, sizeof(wakes)) > 0;
}

void recorder_wait(struct recorder *recorder, int timeout, uint32_t ready)
{
	uint64_t end = clock_ns() + (uint64_t)timeout * 1000000;
	bool over = false;

	for (;;) {
		look(recorder);
		if (recorder->leaving)
			leave(recorder);
		if (recorder->listeners.machine.output.used || is_heard(recorder, ready) || over ||
		    clock_ns() >= end)
			return;
		over = pause_is_over(recorder);
	}
}
