/* SPDX-License-Identifier: MIT */
#include "observe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "changes.h"
#include "flight.h"
#include "image.h"
#include "journal.h"
#include "memory.h"
#include "names.h"
#include "paths.h"
#include "permission.h"
#include "stage.h"

static struct observe_options options;

void observe_configure(const struct observe_options *wanted)
{
	options = *wanted;
}

/* How often the paths of a process are read again that was seen to change one. */
enum { LOOKS = 8 };

static bool texts_differ(const struct staging *staging)
{
	char now[PATH_MAX];

	for (int i = 0; i < staging->text_count; i++) {
		const struct text *text = &staging->texts[i];

		if (!tracee_read(staging->tid, text->address, now, text->size) &&
		    memcmp(now, text->bytes, text->size) != 0)
			return true;
	}
	return false;
}

bool observe_changed(const struct staging *staging)
{
	return staging->crowded && !staging->changed && texts_differ(staging);
}

void observe_count_changed(struct staging *staging)
{
	staging->changed = staging->process->racing = true;
	journal_changed_path();
}

/* A path that another thread changes while the call waits may not be the one that is used. */
static void compare_texts(struct staging *staging)
{
	int looks = staging->process->racing ? LOOKS : 1;

	staging->crowded = staging->text_count && process_has_threads(staging->process);
	while (staging->crowded && !staging->changed && looks--)
		if (texts_differ(staging))
			observe_count_changed(staging);
}

/* The call renames a directory, and what is below it with it. */
static bool moves_directory(const struct staging *staging)
{
	const struct staged_access *access = &staging->accesses[0];

	return staging->count && access->op == OP_RENAME && access->outcome == OUTCOME_OK &&
	       (access->flags & FLAG_DIRECTORY ||
		(access->flags & FLAG_EXCHANGE && S_ISDIR(staging->places[1].st.st_mode)));
}

static bool leads_on(const struct place *place)
{
	return !place->error && (S_ISDIR(place->st.st_mode) || S_ISLNK(place->st.st_mode));
}

bool observe_moves_names(const struct staging *staging)
{
	const struct staged_access *access = &staging->accesses[0];

	return staging->count && access->op == OP_RENAME && access->outcome == OUTCOME_OK &&
	       (leads_on(&staging->places[0]) || leads_on(&staging->places[1]));
}

bool observe_is_moved_by(const struct staging *staging, const struct staging *mover)
{
	for (int i = 0; i < staging->place_count; i++)
		for (int j = 0; j < mover->place_count; j++) {
			const char *path = staging->places[i].path, *moved = mover->places[j].path;

			if (path_is_at_or_below(path, strlen(path), moved, strlen(moved)))
				return true;
		}
	return false;
}

/* Whether anybody but its own caller can make a call now. */
static bool is_alone(const struct staging *staging)
{
	return process_count() < 2 && !process_has_threads(staging->process);
}

static void clear(struct staging *staging)
{
	staging->process = NULL;
	staging->options = &options;
	staging->count = staging->place_count = staging->text_count = 0;
	staging->is_exec = staging->changes = staging->crowded = staging->changed = false;
	staging->resolve = 0;
}

void observe_entry(const struct syscall_site *site, struct staging *staging)
{
	const struct call *call = call_find(site->arch, site->nr);

	clear(staging);
	staging->tid = site->tid;
	names_changed(site->tid); /* its call before this one is over */
	flight_over(site->tid);
	if (!call || !journal_is_read())
		return;
	staging->process = process_of(site->tid);
	if (staging->process && process_is_another(staging->process)) {
		observe_exit(staging->process, -1);
		staging->process = process_of(site->tid);
	}
	if (!staging->process) {
		journal_count(RECORD_UNSEEN, 0, 1);
		return;
	}
	if (staging->process->exec_path)
		image_after_exec(staging->process);
	process_chdir_ends(staging->process, site->tid);
	if (staging->process->world_tid)
		process_examine_root(staging->process, site->tid);
	stage_call(site, staging, call);
	if (moves_directory(staging)) {
		flight_await_below(site->tid, staging->places[0].path);
		flight_await_below(site->tid, staging->places[1].path);
	}
	compare_texts(staging);
}

/* Whether somebody holds a lease of the file, so that who opens it waits until it is given back. */
static bool is_leased(const struct stat *st)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256], kind[16];
	unsigned int major, minor;
	unsigned long inode;
	bool found = false;

	while (locks && !found && fgets(line, sizeof(line), locks))
		found = sscanf(line, "%*s %15s %*s %*s %*s %x:%x:%lu", kind, &major, &minor,
			       &inode) == 4 &&
			(!strcmp(kind, "LEASE") || !strcmp(kind, "DELEG")) && inode == st->st_ino;
	if (locks)
		fclose(locks);
	return found;
}

bool observe_can_wait(const struct syscall_site *site)
{
	static struct staging staging;
	const struct call *call = call_find(site->arch, site->nr);
	bool can_wait;

	if (call->kind != CALL_OPEN && call->kind != CALL_OPENAT2 && call->kind != CALL_SOCKET &&
	    call->kind != CALL_SOCKETCALL && call->op != OP_TRUNCATE)
		return false;
	clear(&staging);
	staging.process = process_of(site->tid);
	if (!staging.process)
		return true;
	stage_call(site, &staging, call);
	can_wait = !staging.place_count;
	for (int i = 0; i < staging.place_count; i++) {
		const struct place *place = &staging.places[i];

		if (place->error)
			can_wait |= place->error == NOT_LOOKED;
		else if (S_ISREG(place->st.st_mode))
			can_wait |= is_leased(&place->st);
		else
			can_wait |= !S_ISDIR(place->st.st_mode);
	}
	observe_discard(&staging);
	return can_wait;
}

/*
 * Whether the place is called so and not otherwise. Behind a directory that is not there the path
 * is only text, which may lead back: `missing/../there`. It may be there by the time of the call.
 */
static bool is_sure_name(const struct place *place)
{
	size_t length = strlen(place->path);

	return place->has_parent || (!place->led_back && !strstr(place->path, "/../") &&
				     (length < 3 || strcmp(place->path + length - 3, "/..")));
}

static struct before before_change(const struct place *place)
{
	if (place->overlaid)
		return (struct before){ .looked = changes_first(place->path),
					.st = place->upper_there ? &place->upper : NULL };
	if (place->error && (place->error != ENOENT || !is_sure_name(place)))
		return (struct before){ .looked = false };
	if (place->private_mount || !changes_first(place->path))
		return (struct before){ .looked = false };
	return (struct before){ .looked = true, .st = place->error ? NULL : &place->st };
}

/* Whether the call will be refused: an open to read and write fails for both if it may do but one. */
static int refusal_of(const struct staging *staging, struct place *place, struct place *other)
{
	int error = 0;

	for (int i = 0; !error && i < staging->count; i++)
		error = permission_error(staging->process, staging->accesses[i].op, place, other);
	return error;
}

/* Returns what is believed of it, an enum outcome; of repeats nothing. */
static uint8_t write_access(struct staging *staging, const struct staged_access *staged,
			    uint32_t image, const struct call_result *result)
{
	struct place *place = &staging->places[staged->place];
	struct place *other = staged->two_paths ? &staging->places[1] : NULL;
	bool nameless = staged->flags & FLAG_TMPFILE;
	struct access access = {
		.image = image,
		.op = staged->op,
		.outcome = staged->outcome,
		.error = staged->error,
		.flags = staged->flags,
		.path = place->path,
		.path2 = other		       ? other->path :
			 staged->op == OP_SYMLINK ? staging->text :
						    NULL,
	};
	uint64_t key;

	if (result->end == CALL_RETURNED)
		permission_set_outcome(&access.outcome, &access.error,
				       result->value < 0 ? (int)-result->value : 0);
	else if (result->end == CALL_UNKNOWN && access.outcome == OUTCOME_OK)
		access.outcome = OUTCOME_UNKNOWN;
	if (staged->op == OP_LINK) { /* the event speaks of the new name first */
		place = &staging->places[1];
		other = nameless ? NULL : &staging->places[0];
		access.path = place->path;
		access.path2 = other ? other->path : NULL;
	}
	if (moves_directory(staging))
		journal_moves();
	key = journal_key(&access);
	if (journal_repeat(key))
		return OUTCOME_UNKNOWN;
	if (result->end == CALL_WAITS && access.outcome == OUTCOME_OK)
		permission_set_outcome(&access.outcome, &access.error,
				       refusal_of(staging, place, other));
	if (op_changes(staged->op)) {
		access.before = before_change(place);
		if (other)
			access.before2 = before_change(other);
	}
	journal_write(key, &access);
	return access.outcome;
}

/* What is at which path when the call is over, as foretold; false where that shows nothing. */
static bool expect(const struct staging *staging, const struct staged_access *staged,
		   struct expected *expected)
{
	const struct place *from = &staging->places[0], *place = &staging->places[staged->place];

	if (staged->two_paths)
		place = &staging->places[1];
	*expected = (struct expected){ .path = place->path, .present = staged->op != OP_DELETE };
	switch (staged->op) {
	case OP_RENAME:
	case OP_LINK:
		if (from->error || from->private_mount)
			return false;
		expected->inode = from->st.st_ino;
		expected->device = from->st.st_dev;
		break;
	case OP_CREATE:
	case OP_MKDIR:
	case OP_SYMLINK:
	case OP_BIND:
	case OP_DELETE:
		break;
	default:
		return false;
	}
	expected->unsure = staged->op == OP_CREATE && staged->outcome == OUTCOME_MISSING;
	return (staged->outcome == OUTCOME_OK || expected->unsure) && !place->private_mount &&
	       !place->overlaid;
}

/* The call is on its way. */
static void follow(const struct staging *staging, uint8_t outcome)
{
	struct expected expected;

	if (!expect(staging, &staging->accesses[0], &expected))
		return;
	flight_begin(staging->tid, &expected,
		     outcome == OUTCOME_OK && staging->crowded && !staging->changed);
	/* Others look only when it is done: they would name what they find by the old name. */
	if (moves_directory(staging) && !is_alone(staging))
		flight_await(staging->tid);
}

void observe_discard(struct staging *staging)
{
	while (staging->place_count)
		place_release(&staging->places[--staging->place_count]);
}

void observe_commit(struct staging *staging, const struct call_result *result)
{
	struct process *process = staging->process;
	uint8_t outcome = OUTCOME_UNKNOWN;

	if (result->end == CALL_RETURNED) {
		names_changed(staging->tid);
		if (!staging->is_exec && observe_changed(staging))
			observe_count_changed(staging);
	}
	for (int i = 0; i < staging->count; i++) {
		if (staging->is_exec) {
			/* The fork that only execs is nobody yet: its parent runs the program. */
			uint32_t caller = process->image ? process->image : process->parent;

			if (caller)
				write_access(staging, &staging->accesses[i], caller, result);
			if (result->end == CALL_WAITS && staging->accesses[i].outcome == OUTCOME_OK)
				process_exec_begins(process, staging->places[0].path);
			else if (result->end == CALL_RETURNED && !result->value)
				image_replace(process, staging->places[0].path);
			continue;
		}
		image_ensure(process);
		outcome = write_access(staging, &staging->accesses[i], process->image, result);
	}
	if (staging->count && !staging->is_exec && result->end == CALL_WAITS)
		follow(staging, outcome);
	observe_discard(staging);
}

void observe_unseen_exec(struct process *process)
{
	image_replace(process, NULL);
}

void observe_holding(const struct holding *holding)
{
	static const struct call_result held = { .end = CALL_RETURNED };
	static struct staging staging;

	clear(&staging);
	staging.process = holding->process;
	stage_holding(holding, &staging);
	observe_commit(&staging, &held);
}

void observe_exit(struct process *process, int status)
{
	if (process->exec_path)
		image_after_exec(process);
	if (process->unseen)
		journal_count(RECORD_UNSEEN, process->image, process->unseen);
	if (process->image)
		journal_exit(RECORD_EXIT, process->image, status, 0);
	process_forget(process);
}

static void flush_one(struct process *process, void *context)
{
	(void)context;
	if (process->unseen && process->image)
		journal_count(RECORD_UNSEEN, process->image, process->unseen);
	process->unseen = 0;
}

void observe_flush(void)
{
	process_each(flush_one, NULL);
	journal_flush();
}
