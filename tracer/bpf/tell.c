/* SPDX-License-Identifier: MIT */
#include "tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../native/calls.h"
#include "environ.h"
#include "images.h"
#include "open.h"
#include "places.h"

enum { TOLD_MASK = (1 << 17) - 1, ANCESTORS_MAX = 64 };

/* Which accesses a note was told as. */
struct told {
	uint32_t serial, first, count, repeats;
};

static const struct note_state nothing; /* .mode 0 */

bool teller_open(struct teller *teller, uint64_t start, bool stats, bool counts)
{
	memset(teller, 0, sizeof(*teller));
	teller->start = start;
	teller->stats = stats;
	teller->counts = counts;
	teller->told = calloc(TOLD_MASK + 1, sizeof(*teller->told));
	return teller->told;
}

int teller_only_below(struct teller *teller, const char *top)
{
	char *copy = teller->top_count < TOPS_MAX ? strdup(top) : NULL;

	if (!copy)
		return -1;
	teller->tops[teller->top_count++] = copy;
	return 0;
}

static bool is_wanted(const struct teller *teller, const struct spot *spot)
{
	for (int i = 0; i < teller->top_count; i++) {
		size_t length = strlen(teller->tops[i]);

		while (length && teller->tops[i][length - 1] == '/')
			length--;
		if (!strncmp(spot->path, teller->tops[i], length) &&
		    (!spot->path[length] || spot->path[length] == '/'))
			return true;
	}
	return !teller->top_count;
}

void teller_close(struct teller *teller)
{
	for (int i = 0; i < teller->top_count; i++)
		free(teller->tops[i]);
	free(teller->output.bytes);
	free(teller->told);
	images_forget();
	memset(teller, 0, sizeof(*teller));
}

static uint64_t since_start(const struct teller *teller, uint64_t at)
{
	return at > teller->start ? at - teller->start : 0;
}

static uint8_t outcome_of(int error)
{
	switch (error) {
	case 0:
		return OUTCOME_OK;
	case ENOENT:
	case ENOTDIR:
		return OUTCOME_MISSING;
	case EACCES:
	case EPERM:
		return OUTCOME_DENIED;
	default:
		return OUTCOME_FAILED;
	}
}

static char *append(char *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
	return to + size;
}

static char *append_state(char *to, const struct note_state *state)
{
	const struct state_record record = {
		.mode = state->mode, .uid = state->uid, .gid = state->gid, .size = state->size,
		.inode = state->inode,
		.device = makedev(state->device >> 20, state->device & 0xfffff),
		.mtime_ns = state->mtime_s * 1000000000LL + state->mtime_ns,
		.ctime_ns = state->ctime_s * 1000000000LL + state->ctime_ns,
	};

	return append(to, &record, sizeof(record));
}

void tell_access(struct teller *teller, const struct telling *telling)
{
	size_t length = strlen(telling->path), length2 = telling->path2 ? strlen(telling->path2) : 0;
	size_t size = sizeof(struct access_record) + length + length2 +
		      (telling->before ? sizeof(struct state_record) : 0) +
		      (telling->before2 ? sizeof(struct state_record) : 0);
	struct access_record *record = output_record(&teller->output, size, RECORD_ACCESS);
	char *to = (char *)(record + 1);

	if (!record)
		return;
	record->header.op = telling->op;
	record->header.outcome = outcome_of(telling->error);
	record->error = record->header.outcome == OUTCOME_FAILED ? telling->error : 0;
	record->id = teller->counts ? ++teller->last_id : 0;
	record->process = telling->image;
	record->flags = telling->flags;
	record->at = since_start(teller, telling->at);
	record->path_length = (uint32_t)length;
	record->path2_length = (uint32_t)length2;
	if (telling->before) {
		record->header.has |= HAS_BEFORE;
		to = append_state(to, telling->before);
	}
	if (telling->before2) {
		record->header.has |= HAS_BEFORE2;
		to = append_state(to, telling->before2);
	}
	to = append(to, telling->path, length);
	if (telling->path2) {
		record->header.has |= HAS_PATH2;
		append(to, telling->path2, length2);
	}
}

void tell_count(struct teller *teller, enum record_type type, uint32_t image, uint64_t count)
{
	struct count_record *record = output_record(&teller->output, sizeof(*record), type);

	if (!record)
		return;
	record->process = image;
	record->count = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

void tell_loss(struct teller *teller, const struct loss *loss)
{
	struct lost_record *record = output_record(&teller->output, sizeof(*record), RECORD_LOST);

	if (!record)
		return;
	record->count = loss->count;
	record->since = since_start(teller, loss->since);
	record->until = since_start(teller, loss->until);
}

void tell_end(struct teller *teller, enum record_type type, uint32_t image, int status,
	      uint32_t left, uint64_t at)
{
	struct exit_record *record = output_record(&teller->output, sizeof(*record), type);

	if (!record)
		return;
	record->process = image;
	record->status = status;
	record->left = left;
	record->at = since_start(teller, at);
}

void tell_repeat(struct teller *teller, const struct repeat *repeat)
{
	struct told *told = &teller->told[repeat->serial & TOLD_MASK];

	if (!teller->counts || told->serial != repeat->serial || repeat->count == told->repeats)
		return;
	for (uint32_t i = 0; i < told->count; i++) {
		struct repeat_record *record =
			output_record(&teller->output, sizeof(*record), RECORD_REPEAT);

		if (!record)
			return;
		record->id = told->first + i;
		record->count = repeat->count - told->repeats;
		record->last = since_start(teller, repeat->last);
	}
	told->repeats = repeat->count;
}

/* Itself, or the one that it came from, whose record has been written. */
static uint32_t nearest_told(const struct image *image)
{
	while (image && !image->told)
		image = image_find(image->parent);
	return image ? image->number : 0;
}

static void tell_process(struct teller *teller, struct image *image, uint64_t at)
{
	struct text *const texts[] = { image->exe, image->argv, image->cwd, image->cgroup,
				       image->environ };
	struct process_record *record;
	size_t size = sizeof(*record);
	uint32_t *lengths;
	char *to;

	for (size_t i = 0; i < 5; i++)
		size += texts[i] ? texts[i]->length : 0;
	record = output_record(&teller->output, size, RECORD_PROCESS);
	if (!record)
		return;
	record->process = image->number;
	record->parent = nearest_told(image_find(image->parent));
	record->previous = image->previous;
	record->pid = image->pid;
	record->uid = image->uid;
	record->gid = image->gid;
	record->at = since_start(teller, at);
	lengths = &record->exe_length;
	to = (char *)(record + 1);
	for (size_t i = 0; i < 5; i++) {
		lengths[i] = texts[i] ? (uint32_t)texts[i]->length : 0;
		to = append(to, texts[i] ? texts[i]->bytes : NULL, lengths[i]);
	}
	image->told = true;
}

/* Whoever it came from, the first of them first: who belongs to whom is told by nothing else. */
static void tell_above(struct teller *teller, const struct image *image, uint64_t at)
{
	struct image *above[ANCESTORS_MAX];
	size_t count = 0;

	for (struct image *each = image_find(image->parent); each && !each->told;
	     each = image_find(each->parent)) {
		if (count == ANCESTORS_MAX)
			break;
		above[count++] = each;
	}
	while (count--)
		tell_process(teller, above[count], at);
}

void tell_image(struct teller *teller, uint32_t number, uint64_t at)
{
	struct image *image = image_find(number);

	if (!image)
		image = image_add(number, NULL); /* the note of its start was lost */
	if (image && !image->told) {
		image_refresh(image);
		tell_above(teller, image, at);
		tell_process(teller, image, at);
	}
}

/* The image of a note, told if it was not yet; NULL if it is not known. */
static struct image *teller_of(struct teller *teller, const struct note *note)
{
	tell_image(teller, note->image, note->at);
	return image_find(note->image);
}

static void note_whose(const struct note *note, struct image *image)
{
	image->pid = note->pid;
	image->uid = note->uid;
	image->gid = note->gid;
	image->group = note->group;
}

static void note_fork(const struct note *note)
{
	struct image *parent = image_find(note->other);
	struct image *image = image_add(note->image, parent);

	if (!image)
		return;
	note_whose(note, image);
	if (parent) {
		image->parent = parent->number;
		parent->users++;
	}
}

static bool make_spot(struct teller *teller, const struct note *note, int which, int pid,
		      struct spot *spot)
{
	const char *bytes = (const char *)(note + 1) + (which ? note->texts[0].length : 0);

	if (!spot_make(&note->texts[which], bytes, pid, spot))
		return false;
	teller->unsure += spot->is_unsure;
	return true;
}

static void note_exec(struct teller *teller, const struct note *note)
{
	struct image *previous = image_find(note->other), *image;
	struct telling telling = { .op = OP_EXEC, .at = note->at };
	struct spot spot;

	if (note->marks & MARK_ROOT)
		previous = NULL;
	if (previous && make_spot(teller, note, 0, note->pid, &spot)) {
		telling.path = spot.path;
		telling.flags = spot.is_private ? FLAG_PRIVATE_MOUNT : 0;
		telling.image = nearest_told(previous);
		if (telling.image && is_wanted(teller, &spot))
			tell_access(teller, &telling);
	}
	image = image_add(note->image, previous);
	if (!image)
		return;
	note_whose(note, image);
	if (previous) {
		struct image *parent = image_find(previous->parent);

		image->parent = parent ? parent->number : 0;
		image->previous = previous->told ? previous->number : 0;
		if (parent)
			parent->users++;
	}
	text_set(&image->argv, NULL);
	text_set(&image->environ, NULL);
	if (make_spot(teller, note, 1, note->pid, &spot))
		text_set(&image->exe, text_make(spot.path, spot.length));
	if ((note->marks & MARK_ROOT || !image->parent) && !telling.image &&
	    make_spot(teller, note, 0, note->pid, &spot))
		text_set(&image->executed, text_make(spot.path, spot.length + 1));
	image_read_group(image);
	previous = image_find(note->other);
	if (previous)
		image_gone(previous);
}

/* The rest of what an exec has to say: first the working directory, then the words. */
static void note_words(struct teller *teller, const struct note *note)
{
	struct image *image = image_find(note->image);
	const char *bytes = (const char *)(note + 1);
	struct telling telling = { .op = OP_EXEC, .at = note->at, .image = note->image };
	struct spot spot;

	if (!image)
		return;
	if (note->kind) {
		if (make_spot(teller, note, 0, image->pid, &spot))
			text_set(&image->cwd, text_make(spot.path, spot.length));
		return;
	}
	text_set(&image->argv, text_make(bytes, note->texts[0].length));
	text_set(&image->environ,
		 environ_kept(bytes + note->texts[0].length, note->texts[1].length));
	if (teller->top_count)
		return; /* told of when it does something there */
	tell_process(teller, image, note->at);
	if (image->executed) {
		/* The first program of all: nobody else can be said to have executed it. */
		telling.path = image->executed->bytes;
		tell_access(teller, &telling);
		text_set(&image->executed, NULL);
	}
}

static void note_exit(struct teller *teller, const struct note *note)
{
	struct image *image = image_find(note->image);

	if (!image)
		return;
	if (image->told)
		tell_end(teller, RECORD_EXIT, image->number, note->result, 0, note->at);
	image_gone(image);
}

void tell_found(struct teller *teller, uint32_t number, int pid, uint32_t uid, uint32_t gid)
{
	struct image *image = image_add(number, NULL);

	(void)teller;
	if (!image)
		return;
	image->pid = pid;
	image->uid = uid;
	image->gid = gid;
	image_read(image);
}

/* What is known to have stood there before the call; NULL if it is not. */
static const struct note_state *before_of(const struct note *note, uint8_t op, int error)
{
	if (op == OP_READ || op == OP_EXEC || op == OP_CONNECT || op == OP_STAT)
		return NULL;
	if (error)
		return note->marks & MARK_THERE ? &note->before : NULL;
	if (note->marks & MARK_CREATED || op == OP_MKDIR || op == OP_SYMLINK || op == OP_BIND ||
	    op == OP_LINK || op == OP_CREATE)
		return &nothing;
	return note->marks & MARK_BEFORE ? &note->before : NULL;
}

/* One op of a note whose first path is @spot. */
static void tell_op(struct teller *teller, const struct note *note, const struct spot *spot,
		    uint8_t op, uint32_t flags)
{
	struct telling telling = {
		.image = note->image, .op = op, .at = note->at, .path = spot->path,
		.error = note->result < 0 ? -note->result : 0, .flags = flags,
	};

	if (note->marks & MARK_DIRECTORY)
		telling.flags |= FLAG_DIRECTORY;
	if (spot->is_private)
		telling.flags |= FLAG_PRIVATE_MOUNT;
	telling.before = before_of(note, op, telling.error);
	tell_access(teller, &telling);
}

static void tell_open(struct teller *teller, const struct note *note, const struct spot *spot)
{
	struct open_op ops[OPEN_OPS_MAX];
	int count = open_ops(note, teller->stats, ops);

	for (int i = 0; i < count; i++)
		tell_op(teller, note, spot, ops[i].op, ops[i].flags);
}

/* The event of a link speaks of the new name first, that of a rename of the old one. */
static void tell_two(struct teller *teller, const struct note *note, const struct spot *first,
		     const struct spot *second)
{
	bool link = note->kind == CALL_LINK, nameless = link && note->marks & MARK_NAMELESS;
	int error = note->result < 0 ? -note->result : 0;
	struct telling telling = {
		.image = note->image, .op = note->op, .at = note->at, .error = error,
		.path = link ? second->path : first->path,
		.path2 = nameless ? NULL : link ? first->path : second->path,
	};

	if (note->marks & MARK_DIRECTORY ||
	    (note->marks & MARK_BEFORE && S_ISDIR(note->before.mode)))
		telling.flags |= FLAG_DIRECTORY;
	if (nameless)
		telling.flags |= FLAG_TMPFILE;
	if (!link && note->flags & 2 /* RENAME_EXCHANGE */)
		telling.flags |= FLAG_EXCHANGE;
	if (first->is_private)
		telling.flags |= FLAG_PRIVATE_MOUNT;
	if (link) {
		telling.before = error ? NULL : &nothing;
		telling.before2 = !nameless && note->marks & MARK_THERE ? &note->before : NULL;
	} else {
		telling.before = note->marks & MARK_BEFORE ? &note->before : NULL;
		telling.before2 = note->marks & MARK_BEFORE2 ? &note->before2 : NULL;
	}
	tell_access(teller, &telling);
}

static void tell_symlink(struct teller *teller, const struct note *note, const struct spot *spot)
{
	struct telling telling = { .image = note->image, .op = OP_SYMLINK, .at = note->at,
				   .path = spot->path };
	char text[TEXT_MAX + 1];

	memcpy(text, (const char *)(note + 1) + note->texts[0].length, note->texts[1].length);
	text[note->texts[1].length] = '\0';
	telling.path2 = text;
	telling.error = note->result < 0 ? -note->result : 0;
	telling.flags = spot->is_private ? FLAG_PRIVATE_MOUNT : 0;
	telling.before = before_of(note, OP_SYMLINK, telling.error);
	tell_access(teller, &telling);
}

static void note_call(struct teller *teller, const struct note *note)
{
	struct image *image = image_find(note->image);
	bool two = note->kind == CALL_RENAME || note->kind == CALL_LINK;
	uint32_t first = teller->last_id + 1;
	struct spot spot, other;
	struct told *told;
	int pid = image ? image->pid : 0;

	if (!make_spot(teller, note, 0, pid, &spot) ||
	    (two && !make_spot(teller, note, 1, pid, &other)))
		return;
	if (!is_wanted(teller, &spot) && !(two && is_wanted(teller, &other)))
		return;
	if (!teller_of(teller, note))
		return;
	switch (note->kind) {
	case CALL_OPEN:
		tell_open(teller, note, &spot);
		break;
	case CALL_RENAME:
	case CALL_LINK:
		tell_two(teller, note, &spot, &other);
		break;
	case CALL_SYMLINK:
		tell_symlink(teller, note, &spot);
		break;
	default:
		tell_op(teller, note, &spot, note->op, 0);
	}
	if (!note->serial)
		return;
	told = &teller->told[note->serial & TOLD_MASK];
	*told = (struct told){ note->serial, first, teller->last_id + 1 - first, 0 };
}

void tell_note(struct teller *teller, const void *data, size_t size)
{
	const struct note *note = data;

	if (size < sizeof(*note) ||
	    (size_t)note->texts[0].length + note->texts[1].length > size - sizeof(*note))
		return;
	switch ((enum note_type)note->type) {
	case NOTE_CALL:
		note_call(teller, note);
		break;
	case NOTE_FORK:
		note_fork(note);
		break;
	case NOTE_EXEC:
		note_exec(teller, note);
		break;
	case NOTE_WORDS:
		note_words(teller, note);
		break;
	case NOTE_EXIT:
		note_exit(teller, note);
		break;
	case NOTE_FOUND:
		tell_found(teller, note->image, note->pid, note->uid, note->gid);
		break;
	case NOTE_RING:
		if (teller_of(teller, note))
			tell_count(teller, RECORD_WARNING, note->image, WARN_IO_URING);
		break;
	}
}
