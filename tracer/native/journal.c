/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "changes.h"
#include "clock.h"
#include "hash.h"

#define NSEC_PER_MSEC UINT64_C(1000000)

/* A reader that takes nothing for so long is taken for stuck: the program must not wait for it. */
#define READER_PATIENCE_NS (2 * NSEC_PER_SEC)

enum {
	FIRST_CAPACITY = 1 << 12,
	/* 16 bytes each: past it the table starts anew, and accesses are written once more */
	LAST_CAPACITY = REPEATED_MAX,
	DIRTY_MAX = 1 << 14,
	/* bytes of the ring that only records of ends and losses may take: they are never dropped */
	SPARE = 1 << 12,
};

struct entry {
	uint64_t key;		/* 0: free */
	uint32_t id, pending;	/* repeats not yet written */
};

struct number {
	uint32_t count, said;
};

static struct number changed_paths, too_long;
static struct ring *ring;
static int kick_fd, reader_fd;
static uint64_t start_ns;
static bool dropping;
static uint64_t dropped_since;

static struct entry *entries;
static size_t capacity, used;
static uint32_t dirty[DIRTY_MAX];
static size_t dirty_count;
static uint32_t last_id, last_image;
static uint64_t moves; /* directories that got another name */

uint64_t journal_now(void)
{
	return clock_ns() - start_ns;
}

int journal_open(struct ring *to, int kick, int reader, uint64_t start)
{
	ring = to;
	kick_fd = kick;
	reader_fd = reader;
	start_ns = start;
	capacity = FIRST_CAPACITY;
	entries = calloc(capacity, sizeof(*entries));
	hash_seed(start);
	return entries && !changes_open() ? 0 : -1;
}

uint64_t journal_key(const struct access *access)
{
	uint64_t kind = (uint64_t)access->image << 32 | (uint64_t)access->op << 24 |
			(uint64_t)access->outcome << 20 | (access->flags & 0xfff) << 8 |
			((uint32_t)access->error & 0xff);
	uint64_t key = hash_of(kind, access->path);

	key = access->path2 ? hash_of(key, access->path2) : key;
	if (moves && op_changes(access->op))
		key ^= moves * UINT64_C(0x9e3779b97f4a7c15);
	return key ? key : 1;
}

void journal_moves(void)
{
	journal_flush();
	moves++;
}

bool journal_is_read(void)
{
	return reader_fd >= 0 && !atomic_load_explicit(&ring->reader_gone, memory_order_relaxed);
}

void journal_reader_died(void)
{
	reader_fd = -1; /* the descriptor is the caller's to close */
}

static void kick(void)
{
	uint64_t one = 1;

	if (write(kick_fd, &one, sizeof(one)) < 0)
		return; /* already as awake as it can be */
}

static void nap(void)
{
	struct timespec millisecond = { .tv_nsec = NSEC_PER_MSEC };
	struct pollfd reader = { .fd = reader_fd, .events = POLLIN };

	nanosleep(&millisecond, NULL);
	if (poll(&reader, 1, 0) > 0)
		journal_reader_died();
}

/* Records that must arrive whatever is dropped: without them nobody knows how the program ended. */
static bool is_vital(uint8_t type)
{
	return type == RECORD_LOST || (type >= RECORD_ROOT_EXITED && type <= RECORD_ALL_GONE);
}

/*
 * Room for a record. Waits for the reader while the ring is full, as nothing may be lost; but
 * not for one that is gone or has been stopped, as the program must go on.
 */
static void *reserve(size_t size, uint8_t type)
{
	struct record *record;
	uint64_t since = 0, taken = 0;

	size = (size + RING_ALIGN - 1) & ~(size_t)(RING_ALIGN - 1);
	while (journal_is_read()) {
		if (dropping && ring_fill(ring) < ring->size / 2)
			dropping = false;
		if (is_vital(type))
			record = ring_reserve(ring, size, 0);
		else
			record = dropping ? NULL : ring_reserve(ring, size, SPARE);
		if (record) {
			uint32_t kept = record->size;

			memset(record, 0, size);
			record->size = kept;
			record->type = type;
			return record;
		}
		if (!since || atomic_load(&ring->read) != taken) {
			taken = atomic_load(&ring->read);
			since = journal_now();
		}
		if (dropping || journal_now() > since + READER_PATIENCE_NS) {
			if (!ring->dropped++)
				dropped_since = journal_now();
			dropping = true;
			return NULL;
		}
		kick();
		nap();
	}
	return NULL;
}

static void push(void *record)
{
	struct record *header = record;

	ring_push(ring, header);
	if (header->type >= RECORD_ROOT_EXITED || ring_fill(ring) > ring->size / 4)
		kick();
}

static struct entry *slot_of(uint64_t key)
{
	size_t i = key & (capacity - 1);

	while (entries[i].key && entries[i].key != key)
		i = (i + 1) & (capacity - 1);
	return &entries[i];
}

bool journal_repeat(uint64_t key)
{
	struct entry *entry = slot_of(key);

	if (!entry->key)
		return false;
	if (!entry->pending++) {
		if (dirty_count == DIRTY_MAX)
			journal_flush();
		dirty[dirty_count++] = (uint32_t)(entry - entries);
	}
	return true;
}

/* Makes room for one more; a table that may not grow is emptied, which costs only repeats. */
static void grow_entries(void)
{
	struct entry *old = entries;
	size_t old_capacity = capacity;
	struct entry *bigger = NULL;

	journal_flush(); /* dirty[] holds positions */
	if (capacity < LAST_CAPACITY)
		bigger = calloc(capacity * 2, sizeof(*entries));
	if (!bigger) {
		memset(entries, 0, capacity * sizeof(*entries));
		used = 0;
		return;
	}
	entries = bigger;
	capacity *= 2;
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].key)
			*slot_of(old[i].key) = old[i];
	free(old);
}

static void remember(uint64_t key, uint32_t id)
{
	if (used >= capacity / 4 * 3)
		grow_entries();
	*slot_of(key) = (struct entry){ .key = key, .id = id };
	used++;
}

static struct state_record state_of(const struct stat *st)
{
	if (!st)
		return (struct state_record){ 0 };
	return (struct state_record){
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = (uint64_t)st->st_size,
		.inode = st->st_ino,
		.device = st->st_dev,
		.mtime_ns = st->st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st->st_mtim.tv_nsec,
		.ctime_ns = st->st_ctim.tv_sec * (int64_t)NSEC_PER_SEC + st->st_ctim.tv_nsec,
	};
}

static char *append(char *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
	return to + size;
}

void journal_write(uint64_t key, const struct access *access)
{
	size_t length = strlen(access->path), length2 = access->path2 ? strlen(access->path2) : 0;
	struct state_record state;
	struct access_record *record =
		reserve(sizeof(*record) + 2 * sizeof(state) + length + length2, RECORD_ACCESS);
	char *to = (char *)(record + 1);

	if (!record)
		return;
	record->header.op = access->op;
	record->header.outcome = access->outcome;
	record->id = ++last_id;
	record->process = access->image;
	record->flags = access->flags;
	record->error = access->error;
	record->at = journal_now();
	record->path_length = (uint32_t)length;
	record->path2_length = (uint32_t)length2;
	if (access->before.looked) {
		record->header.has |= HAS_BEFORE;
		state = state_of(access->before.st);
		to = append(to, &state, sizeof(state));
	}
	if (access->before2.looked) {
		record->header.has |= HAS_BEFORE2;
		state = state_of(access->before2.st);
		to = append(to, &state, sizeof(state));
	}
	to = append(to, access->path, length);
	if (access->path2) {
		record->header.has |= HAS_PATH2;
		append(to, access->path2, length2);
	}
	push(record);
	remember(key, last_id);
}

uint32_t journal_new_image(void)
{
	return ++last_image;
}

void journal_process(struct process_record *fields, const struct process_texts *texts)
{
	size_t size = sizeof(*fields) + texts->exe_length + texts->argv_length +
		      texts->cwd_length + texts->cgroup_length + texts->environ_length;
	struct process_record *record = reserve(size, RECORD_PROCESS);
	char *to = (char *)(record + 1);

	if (!record)
		return;
	fields->header = record->header;
	fields->at = journal_now();
	fields->exe_length = (uint32_t)texts->exe_length;
	fields->argv_length = (uint32_t)texts->argv_length;
	fields->cwd_length = (uint32_t)texts->cwd_length;
	fields->cgroup_length = (uint32_t)texts->cgroup_length;
	fields->environ_length = (uint32_t)texts->environ_length;
	*record = *fields;
	to = append(to, texts->exe, texts->exe_length);
	to = append(to, texts->argv, texts->argv_length);
	to = append(to, texts->cwd, texts->cwd_length);
	to = append(to, texts->cgroup, texts->cgroup_length);
	append(to, texts->environ, texts->environ_length);
	push(record);
}

void journal_name(const char *inside, const char *host)
{
	size_t inside_length = strlen(inside), host_length = host ? strlen(host) : 0;
	struct name_record *record = reserve(sizeof(*record) + inside_length + host_length,
					     RECORD_NAME);

	if (!record)
		return;
	record->inside_length = (uint32_t)inside_length;
	record->host_length = (uint32_t)host_length;
	append(append((char *)(record + 1), inside, inside_length), host, host_length);
	push(record);
}

void journal_signalled(int number)
{
	if (journal_is_read() && number > 0 && number < RING_SIGNALS)
		atomic_fetch_add(&ring->signals[number], 1);
}

void journal_changed_path(void)
{
	changed_paths.count++;
}

void journal_too_long(void)
{
	too_long.count++;
}

void journal_count(uint8_t type, uint32_t image, uint32_t count)
{
	struct count_record *record = reserve(sizeof(*record), type);

	if (!record)
		return;
	record->process = image;
	record->count = count;
	push(record);
}

static void say_lost(void)
{
	struct lost_record *record;

	if (!ring->dropped)
		return;
	record = reserve(sizeof(*record), RECORD_LOST);
	if (!record)
		return;
	record->count = ring->dropped;
	record->since = dropped_since;
	record->until = journal_now();
	ring->dropped = 0;
	push(record);
}

static void say_number(struct number *number, uint32_t warning)
{
	if (number->count != number->said)
		journal_count(RECORD_WARNING, number->count, warning);
	number->said = number->count;
}

/* To be called when something ends: each text is kept once. */
static void say_numbers(void)
{
	say_number(&changed_paths, WARN_CHANGED_PATH);
	say_number(&too_long, WARN_TOO_LONG);
}

void journal_exit(uint8_t type, uint32_t image, int status, uint32_t left)
{
	struct exit_record *record;

	if (type == RECORD_ROOT_EXITED || type == RECORD_ALL_GONE) {
		say_numbers();
		say_lost();
	}
	record = reserve(sizeof(*record), type);
	if (!record)
		return;
	record->process = image;
	record->status = status;
	record->at = journal_now();
	record->left = left;
	push(record);
}

void journal_flush(void)
{
	for (size_t i = 0; i < dirty_count; i++) {
		struct entry *entry = &entries[dirty[i]];
		struct repeat_record *record = reserve(sizeof(*record), RECORD_REPEAT);

		if (record) {
			record->id = entry->id;
			record->count = entry->pending;
			record->last = journal_now(); /* at most a tick late */
			push(record);
		}
		entry->pending = 0;
	}
	dirty_count = 0;
	if (!dropping)
		say_lost();
}
