/* SPDX-License-Identifier: MIT */
#include "take.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../native/calls.h"
#include "environ.h"
#include "images.h"
#include "open.h"
#include "places.h"

static const struct note_state nothing; /* .mode 0 */

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

	teller->too_long += !!(note->texts[which].marks & TEXT_CUT);
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
		telling.image = teller_nearest(previous);
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
	tell_image_anew(teller, image, note->at);
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
	if (note->serial)
		tell_repeatable(teller, note->serial, first);
}

static void note_mount(struct teller *teller, const struct note *note)
{
	const char *bytes = (const char *)(note + 1) + note->texts[0].length;
	char inside[PLACED_MAX + 1] = "/";
	struct spot spot;

	if (note->texts[1].length > PLACED_MAX || !make_spot(teller, note, 0, 0, &spot))
		return;
	if (note->texts[1].length) {
		memcpy(inside, bytes, note->texts[1].length);
		inside[note->texts[1].length] = '\0';
	}
	if (spot.is_private || strcmp(inside, spot.path) != 0)
		tell_mount(teller, inside, spot.is_private ? "" : spot.path);
}

void take_note(struct teller *teller, const void *data, size_t size)
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
	case NOTE_MOUNT:
		note_mount(teller, note);
		break;
	case NOTE_RING:
		if (teller_of(teller, note))
			tell_count(teller, RECORD_WARNING, note->image, WARN_IO_URING);
		break;
	}
}
