/* SPDX-License-Identifier: MIT */
#include "take.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../native/calls.h"
#include "environ.h"
#include "images.h"
#include "open.h"
#include "places.h"

static const struct note_state nothing; /* .mode 0 */

/* Ends are this far from each other before repeats are read: half of what a reader waits for them. */
static const uint64_t ENDS_NS = UINT64_C(1000000000);

static bool is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	while (length && top[length - 1] == '/')
		length--;
	return !strncmp(path, top, length) && (!path[length] || path[length] == '/');
}

/* Whether it lies below one of ours: what only others have mounted there does not, whatever its name. */
static bool is_wanted(const struct teller *teller, const struct spot *spot)
{
	for (int i = 0; i < teller->top_count; i++)
		if (!spot->is_private && is_below(spot->path, teller->tops[i]))
			return true;
	return !teller->top_count;
}

static bool is_wanted_device(const struct teller *teller, uint32_t device)
{
	for (int i = 0; i < teller->device_count; i++)
		if (teller->devices[i] == device)
			return true;
	return !teller->device_count;
}

/* The image of a note, told if it was not yet; NULL if it is not known. */
static struct image *teller_of(struct teller *teller, const struct note *note)
{
	struct image *image;

	tell_image(teller, note->image, note->at);
	image = image_find(note->image);
	return image && image->told & teller->bit ? image : NULL;
}

static void note_whose(const struct note *note, struct image *image)
{
	image->pid = note->pid;
	image->uid = note->uid;
	image->gid = note->gid;
	image->group = note->group;
	image->privileged = note->marks & MARK_PRIVILEGED;
}

static void note_fork(struct listeners *all, const struct note *note)
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
	tree_enter(all, image, parent);
}

static bool make_spot(struct listeners *all, const struct note *note, int which, int pid,
		      struct spot *spot)
{
	const char *bytes = (const char *)(note + 1) + (which ? note->texts[0].length : 0);
	struct teller *tellers[TELLERS_MAX];
	size_t count = note->texts[which].marks & TEXT_CUT ?
			       listeners_of(all, image_find(note->image), tellers) : 0;

	for (size_t i = 0; i < count; i++)
		tellers[i]->too_long++;
	if (!spot_make(&note->texts[which], bytes, pid, spot))
		return false;
	all->machine.unsure += spot->is_unsure;
	return true;
}

/* Tells that the image before executed something; to whom, by their bits. */
static uint32_t tell_executed(struct listeners *all, const struct note *note,
			      const struct image *previous)
{
	struct telling telling = { .op = OP_EXEC, .at = note->at };
	struct teller *tellers[TELLERS_MAX];
	size_t count = listeners_of(all, previous, tellers);
	struct spot spot;
	uint32_t bits = 0;

	if (!make_spot(all, note, 0, note->pid, &spot))
		return 0;
	telling.path = spot.path;
	telling.flags = spot.is_private ? FLAG_PRIVATE_MOUNT : 0;
	for (size_t i = 0; i < count; i++) {
		telling.image = teller_nearest(tellers[i], previous);
		if (telling.image && is_wanted(tellers[i], &spot))
			tell_access(tellers[i], &telling);
		bits |= telling.image ? tellers[i]->bit : 0;
	}
	return bits;
}

/* To whom is to be told that a program executed itself, as nobody else can be said to have. */
static uint32_t unsaid_of(struct listeners *all, const struct note *note,
			  const struct image *image, uint32_t said)
{
	bool first = note->marks & MARK_ROOT || !image->parent;
	uint32_t unsaid = first && !(said & MACHINE_BIT) ? MACHINE_BIT : 0;

	for (unsigned int i = 1; i <= TREES_MAX; i++) {
		struct tree *tree = tree_numbered(all, i);

		if (tree && tree->root == image->number)
			unsaid |= tree->teller.bit & ~said;
	}
	return unsaid;
}

/*
 * An image ends: what it repeated is told before that is forgotten, or said to be over. The map is
 * read now and then anyway; but notes can wait, and an end be told long before the next time.
 */
static void read_repeats_before(struct listeners *all, const struct image *image, uint64_t at,
				bool exits)
{
	if ((exits && tree_is_over(all, image)) || (all->ended_at && at > all->ended_at + ENDS_NS))
		all->read_repeats(all->context);
	if (!all->ended_at)
		all->ended_at = at;
}

static void note_exec(struct listeners *all, const struct note *note)
{
	struct image *previous = image_find(note->other), *image;
	struct spot spot;
	uint32_t said;

	if (previous)
		read_repeats_before(all, previous, note->at, false);
	if (note->marks & MARK_ROOT)
		previous = NULL;
	said = previous ? tell_executed(all, note, previous) : 0;
	image = image_add(note->image, previous);
	if (!image)
		return;
	note_whose(note, image);
	if (previous) {
		struct image *parent = image_find(previous->parent);

		image->parent = parent ? parent->number : 0;
		image->previous = previous->number;
		image->previous_told = previous->told;
		if (parent)
			parent->users++;
	}
	tree_enter(all, image, previous);
	text_set(&image->argv, NULL);
	text_set(&image->environ, NULL);
	if (make_spot(all, note, 1, note->pid, &spot))
		text_set(&image->exe, text_make(spot.path, spot.length));
	image->unsaid = unsaid_of(all, note, image, said);
	if (image->unsaid && make_spot(all, note, 0, note->pid, &spot))
		text_set(&image->executed, text_make(spot.path, spot.length + 1));
	image->has_group = image_read_group(image);
	previous = image_find(note->other);
	if (previous) {
		tree_leave(all, previous);
		image_gone(previous);
	}
}

/* The rest of what an exec has to say: first the working directory, then the words. */
static void note_words(struct listeners *all, const struct note *note)
{
	struct image *image = image_find(note->image);
	const char *bytes = (const char *)(note + 1);
	struct telling telling = { .op = OP_EXEC, .at = note->at, .image = note->image };
	struct teller *tellers[TELLERS_MAX];
	struct spot spot;
	size_t count;

	if (!image)
		return;
	if (note->kind) {
		if (make_spot(all, note, 0, image->pid, &spot))
			text_set(&image->cwd, text_make(spot.path, spot.length));
		/* Gone already: what it was started from is in another one. */
		if (!image->has_group && note->texts[1].length)
			image_set_group(image, bytes + note->texts[0].length,
					note->texts[1].length);
		return;
	}
	text_set(&image->argv, text_make(bytes, note->texts[0].length));
	text_set(&image->environ,
		 environ_kept(bytes + note->texts[0].length, note->texts[1].length));
	count = listeners_of(all, image, tellers);
	for (size_t i = 0; i < count; i++) {
		if (tellers[i]->top_count)
			continue; /* told of when it does something there */
		tell_image_anew(tellers[i], image, note->at);
		if (!image->executed || !(image->unsaid & tellers[i]->bit))
			continue;
		telling.path = image->executed->bytes;
		tell_access(tellers[i], &telling);
	}
	if (!all->machine.top_count)
		text_set(&image->executed, NULL);
}

static void note_exit(struct listeners *all, const struct note *note)
{
	struct image *image = image_find(note->image);
	struct teller *tellers[TELLERS_MAX];
	size_t count;

	if (!image)
		return;
	read_repeats_before(all, image, note->at, true);
	count = listeners_of(all, image, tellers);
	for (size_t i = 0; i < count; i++)
		if (image->told & tellers[i]->bit)
			tell_end(tellers[i], RECORD_EXIT, image->number, note->result, 0, note->at);
	tree_exited(all, image, note->result, note->at);
	tree_leave(all, image);
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

/* Whether somebody is told of a call: where refused, its path may be another user's secret. */
static bool may_know(struct teller *teller, const struct note *note)
{
	bool asks = note->op == OP_READ || note->op == OP_CONNECT || note->op == OP_STAT;
	bool writes = note->kind == CALL_OPEN && note->flags & (O_ACCMODE | O_CREAT | O_TRUNC);

	if ((teller->writes_only && asks && !writes) || (note->op == OP_STAT && !teller->stats))
		return false;
	if (!teller->user || (note->result != -EACCES && note->result != -EPERM))
		return true;
	teller->refused++;
	return false;
}

static void tell_call(struct teller *teller, const struct note *note, const struct spot *spot,
		      const struct spot *other)
{
	uint32_t first = teller->last_id + 1;

	switch (note->kind) {
	case CALL_OPEN:
		tell_open(teller, note, spot);
		break;
	case CALL_RENAME:
	case CALL_LINK:
		tell_two(teller, note, spot, other);
		break;
	case CALL_SYMLINK:
		tell_symlink(teller, note, spot);
		break;
	default:
		tell_op(teller, note, spot, note->op, 0);
	}
	if (note->serial)
		tell_repeatable(teller, note->serial, first);
}

/* Counts a path that may be another one, for those who were told of both calls. */
static void count_moved(void *context, uint32_t bits)
{
	struct listeners *all = context;
	struct teller *tellers[TELLERS_MAX];
	size_t count = listeners_all(all, tellers);

	for (size_t i = 0; i < count; i++)
		tellers[i]->moved += !!(tellers[i]->bit & bits);
}

/* Whether it may have moved a directory. */
static bool moves_directory(const struct note *note)
{
	bool other = note->marks & MARK_BEFORE2 && S_ISDIR(note->before2.mode);

	return note->kind == CALL_RENAME &&
	       (!(note->marks & MARK_BEFORE) || S_ISDIR(note->before.mode) || other);
}

/* Looks whether a call that was told to those of @bits overlapped a move; @path2: NULL for none. */
static void look_for_moves(struct listeners *all, const struct note *note, uint32_t bits,
			   const char *path, const char *path2)
{
	uint32_t overlapped;

	if (note->result < 0 || !bits)
		return;
	overlapped = moves_call(&all->moves, note, bits, path, path2);
	if (overlapped)
		count_moved(all, overlapped);
	if (moves_directory(note))
		moves_add(&all->moves, note, bits, path, path2, count_moved, all);
}

static void note_call(struct listeners *all, const struct note *note)
{
	struct image *image = image_find(note->image);
	bool two = note->kind == CALL_RENAME || note->kind == CALL_LINK;
	struct teller *tellers[TELLERS_MAX];
	size_t count = listeners_of(all, image, tellers);
	struct spot spot, other;
	int pid = image ? image->pid : 0;
	uint32_t bits = 0;

	if (!make_spot(all, note, 0, pid, &spot) ||
	    (two && !make_spot(all, note, 1, pid, &other)))
		return;
	for (size_t i = 0; i < count; i++) {
		struct teller *teller = tellers[i];

		if (!is_wanted(teller, &spot) && !(two && is_wanted(teller, &other)))
			continue;
		if (!is_wanted_device(teller, note->texts[two].device) || !may_know(teller, note))
			continue;
		if (teller_of(teller, note)) {
			tell_call(teller, note, &spot, &other);
			bits |= teller->bit;
		}
	}
	look_for_moves(all, note, bits, spot.path, two ? other.path : NULL);
}

static void note_mount(struct listeners *all, const struct note *note)
{
	const char *bytes = (const char *)(note + 1) + note->texts[0].length;
	struct teller *tellers[TELLERS_MAX];
	size_t count = listeners_of(all, image_find(note->image), tellers);
	char inside[PLACED_MAX + 1] = "/";
	struct spot spot;

	if (note->texts[1].length > PLACED_MAX || !make_spot(all, note, 0, 0, &spot))
		return;
	if (note->texts[1].length) {
		memcpy(inside, bytes, note->texts[1].length);
		inside[note->texts[1].length] = '\0';
	}
	if (!spot.is_private && !strcmp(inside, spot.path))
		return;
	for (size_t i = 0; i < count; i++)
		tell_mount(tellers[i], inside, spot.is_private ? "" : spot.path);
}

static void note_ring(struct listeners *all, const struct note *note)
{
	struct teller *tellers[TELLERS_MAX];
	size_t count = listeners_of(all, image_find(note->image), tellers);

	for (size_t i = 0; i < count; i++)
		if (teller_of(tellers[i], note))
			tell_count(tellers[i], RECORD_WARNING, note->image, WARN_IO_URING);
}

void take_note(struct listeners *all, const void *data, size_t size)
{
	const struct note *note = data;

	if (size < sizeof(*note) ||
	    (size_t)note->texts[0].length + note->texts[1].length > size - sizeof(*note))
		return;
	switch ((enum note_type)note->type) {
	case NOTE_CALL:
		note_call(all, note);
		break;
	case NOTE_FORK:
		note_fork(all, note);
		break;
	case NOTE_EXEC:
		note_exec(all, note);
		break;
	case NOTE_WORDS:
		note_words(all, note);
		break;
	case NOTE_EXIT:
		note_exit(all, note);
		break;
	case NOTE_FOUND:
		image_found(note->image, note->pid, note->uid, note->gid,
			    note->marks & MARK_PRIVILEGED);
		break;
	case NOTE_MOUNT:
		note_mount(all, note);
		break;
	case NOTE_RING:
		note_ring(all, note);
		break;
	}
}
