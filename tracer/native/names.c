/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "tracee.h"

enum { SLOTS = 512, CHANGES_MAX = 32 };

/* Others may change directories too, without our seeing it: a name is trusted only so long. */
#define TRUSTED_NS UINT64_C(50000000)

/* A change that was looked at may be made a little later; one that nobody hears of is over then. */
#define SOON_NS UINT64_C(5000000)
#define ENDLESS_NS UINT64_C(1000000000)

/* A call that changes where names lead, and that nobody knows to be over. */
struct change {
	pid_t tid;
	int nr;
	uint64_t at;
};

struct name {
	char *directory, *resolved;	/* one allocation, owned; NULL if free */
	uint64_t generation, at;
};

static struct name names[SLOTS];
static uint64_t current = 1;
static struct change changes[CHANGES_MAX];
static size_t change_count;
static uint64_t crowded_until;

/* FNV-1a. Which slot serves is all that depends on it. */
static struct name *slot_of(const char *directory)
{
	uint32_t hash = 2166136261;

	for (const unsigned char *c = (const unsigned char *)directory; *c; c++)
		hash = (hash ^ *c) * 16777619;
	return &names[hash % SLOTS];
}

const char *names_find(const char *directory)
{
	const struct name *name = slot_of(directory);

	if (name->generation != current || strcmp(name->directory, directory) ||
	    journal_now() > name->at + TRUSTED_NS)
		return NULL;
	return name->resolved;
}

void names_keep(const char *directory, const char *resolved)
{
	struct name *name;
	size_t size = strlen(directory) + 1, resolved_size = strlen(resolved) + 1;
	char *texts;

	if (!names_steady())
		return;
	name = slot_of(directory);
	texts = realloc(name->directory, size + resolved_size);
	if (!texts)
		return;
	memcpy(texts, directory, size);
	memcpy(texts + size, resolved, resolved_size);
	*name = (struct name){ texts, texts + size, current, journal_now() };
}

void names_changed(pid_t tid)
{
	for (size_t i = 0; i < change_count; i++)
		if (changes[i].tid == tid)
			changes[i--] = changes[--change_count];
}

void names_changing(pid_t tid, int nr)
{
	current++;
	names_changed(tid);
	if (change_count == CHANGES_MAX)
		crowded_until = journal_now() + ENDLESS_NS;
	else
		changes[change_count++] = (struct change){ tid, nr, journal_now() };
}

/* Whether the thread has come back from the call, as far as /proc tells. */
static bool is_over(const struct change *change)
{
	char text[64];
	ssize_t length = tracee_proc_file(change->tid, "syscall", text, sizeof(text) - 1);

	/* On a processor it may be in the middle of the call; nothing is shown of a stranger. */
	if (length <= 0 || !strncmp(text, "running", length < 7 ? (size_t)length : 7))
		return journal_now() > change->at + ENDLESS_NS;
	text[length] = '\0';
	return atoi(text) != change->nr;
}

bool names_steady(void)
{
	for (size_t i = 0; i < change_count;) {
		if (journal_now() > changes[i].at + SOON_NS && is_over(&changes[i]))
			changes[i] = changes[--change_count];
		else
			i++;
	}
	return !change_count && journal_now() >= crowded_until;
}

uint64_t names_generation(void)
{
	return current;
}
