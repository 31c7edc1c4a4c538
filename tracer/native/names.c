/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"

enum { SLOTS = 512 };

/* Others may change directories too, without our seeing it: a name is trusted only so long. */
#define TRUSTED_NS UINT64_C(50000000)

struct name {
	char *directory, *resolved;	/* one allocation, owned; NULL if free */
	uint64_t generation, at;
};

static struct name names[SLOTS];
static uint64_t current = 1;

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
	struct name *name = slot_of(directory);
	size_t size = strlen(directory) + 1, resolved_size = strlen(resolved) + 1;
	char *texts = realloc(name->directory, size + resolved_size);

	if (!texts)
		return;
	memcpy(texts, directory, size);
	memcpy(texts + size, resolved, resolved_size);
	*name = (struct name){ texts, texts + size, current, journal_now() };
}

void names_forget(void)
{
	current++;
}

uint64_t names_generation(void)
{
	return current;
}
