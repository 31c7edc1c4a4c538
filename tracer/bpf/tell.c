/* SPDX-License-Identifier: MIT */
#include "tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "images.h"

enum { ANCESTORS_MAX = 64 };

/* Which accesses a note was told as. */
struct told {
	uint32_t serial, first, count, repeats;
};

bool teller_open(struct teller *teller, uint32_t bit, uint64_t start, uint32_t remembered)
{
	memset(teller, 0, sizeof(*teller));
	teller->bit = bit;
	teller->start = start;
	teller->counts = remembered;
	if (!remembered)
		return true;
	teller->told_mask = remembered - 1;
	teller->told = calloc(remembered, sizeof(*teller->told));
	return teller->told;
}

void teller_only_on(struct teller *teller, uint32_t device)
{
	if (teller->device_count < DEVICES_MAX)
		teller->devices[teller->device_count++] = device;
}

int teller_only_below(struct teller *teller, const char *top)
{
	char *copy = teller->top_count < TOPS_MAX ? strdup(top) : NULL;

	if (!copy)
		return -1;
	teller->tops[teller->top_count++] = copy;
	return 0;
}

void teller_close(struct teller *teller)
{
	for (int i = 0; i < teller->top_count; i++)
		free(teller->tops[i]);
	free(teller->output.bytes);
	free(teller->told);
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

void tell_loss(struct teller *teller, const struct loss *loss, uint64_t group)
{
	const struct text *name = images_group(group);
	size_t length = name ? name->length : 0;
	struct lost_record *record =
		output_record(&teller->output, sizeof(*record) + length, RECORD_LOST);

	if (!record)
		return;
	record->count = loss->count;
	record->since = since_start(teller, loss->since);
	record->until = since_start(teller, loss->until);
	record->cgroup_length = (uint32_t)length;
	append((char *)(record + 1), name ? name->bytes : NULL, length);
}

void tell_mount(struct teller *teller, const char *inside, const char *host)
{
	size_t inside_length = strlen(inside), host_length = strlen(host);
	struct name_record *record = output_record(
		&teller->output, sizeof(*record) + inside_length + host_length, RECORD_NAME);

	if (!record)
		return;
	record->inside_length = (uint32_t)inside_length;
	record->host_length = (uint32_t)host_length;
	append(append((char *)(record + 1), inside, inside_length), host, host_length);
}

static void tell_omitted(struct teller *teller, uint32_t count, uint32_t *told, enum warning what)
{
	if (count != *told)
		tell_count(teller, RECORD_WARNING, count, what);
	*told = count;
}

void tell_omissions(struct teller *teller)
{
	tell_omitted(teller, teller->too_long, &teller->too_long_told, WARN_TOO_LONG);
	tell_omitted(teller, teller->moved, &teller->moved_told, WARN_CHANGED_PATH);
	tell_omitted(teller, teller->hidden, &teller->hidden_told, WARN_NOT_HIS);
	tell_omitted(teller, teller->refused, &teller->refused_told, WARN_REFUSED);
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
	struct told *told = teller->told + (repeat->serial & teller->told_mask);

	if (!teller->counts || told->serial != repeat->serial || repeat->count == told->repeats ||
	    told->first + REPEATED_MAX < teller->last_id)
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

void tell_repeatable(struct teller *teller, uint32_t serial, uint32_t first)
{
	if (teller->counts)
		teller->told[serial & teller->told_mask] =
			(struct told){ serial, first, teller->last_id + 1 - first, 0 };
}

uint32_t teller_nearest(const struct teller *teller, const struct image *image)
{
	while (image && !(image->told & teller->bit))
		image = image_find(image->parent);
	return image ? image->number : 0;
}

void tell_image_anew(struct teller *teller, struct image *image, uint64_t at)
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
	record->parent = teller_nearest(teller, image_find(image->parent));
	record->previous = image->previous_told & teller->bit ? image->previous : 0;
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
	image->told |= teller->bit;
}

/* Whoever it came from, the first of them first: who belongs to whom is told by nothing else. */
static void tell_above(struct teller *teller, const struct image *image, uint64_t at)
{
	struct image *above[ANCESTORS_MAX];
	size_t count = 0;

	for (struct image *each = image_find(image->parent);
	     each && !(each->told & teller->bit); each = image_find(each->parent)) {
		if (count == ANCESTORS_MAX)
			break;
		if (each->heard & teller->bit)
			above[count++] = each;
	}
	while (count--)
		tell_image_anew(teller, above[count], at);
}

void tell_image(struct teller *teller, uint32_t number, uint64_t at)
{
	struct image *image = image_find(number);

	if (!image)
		image = image_add(number, NULL); /* the note of its start was lost */
	if (image && !(image->told & teller->bit)) {
		image_refresh(image);
		tell_above(teller, image, at);
		tell_image_anew(teller, image, at);
	}
}

void image_found(uint32_t number, int pid, uint32_t uid, uint32_t gid, bool privileged)
{
	struct image *image = image_add(number, NULL);

	if (!image)
		return;
	image->pid = pid;
	image->uid = uid;
	image->gid = gid;
	image->privileged = privileged;
	image_read(image);
}
