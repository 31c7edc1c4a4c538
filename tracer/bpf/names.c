/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 16, LINE_MAX = 256, CONSTANTS_MAX = 4 };

static const char wanted[SYMBOLS][SYMBOL_SIZE] = {
	[SYMBOL_TABLE] = "dentry_hashtable",
	[SYMBOL_SHIFT] = "d_hash_shift",
	[SYMBOL_LOOKUP] = "__d_lookup_rcu",
};

void names_want_symbols(volatile struct counters *counters)
{
	for (int i = 0; i < SYMBOLS; i++)
		for (int at = 0; at < SYMBOL_SIZE; at++)
			counters->symbol_names[i][at] = wanted[i][at];
}

static void take_symbol(volatile struct counters *counters, const char *line)
{
	for (int i = 0; i < SYMBOLS; i++) {
		size_t length = strlen(line), name = strlen(wanted[i]);

		if (length > name && line[length - name - 1] == ' ' &&
		    !strcmp(line + length - name, wanted[i]))
			counters->symbols[i] = strtoull(line, NULL, 16);
	}
}

void names_find_symbols(volatile struct counters *counters)
{
	int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	char *chunk = malloc(CHUNK + 1), line[LINE_MAX];
	size_t held = 0;
	ssize_t got;

	while (chunk && fd >= 0 && (got = read(fd, chunk + held, CHUNK - held)) > 0) {
		char *at = chunk, *end;

		held += (size_t)got;
		chunk[held] = '\0';
		for (; (end = strchr(at, '\n')); at = end + 1) {
			size_t length = (size_t)(end - at);

			if (length >= sizeof(line))
				continue;
			memcpy(line, at, length);
			line[length] = '\0';
			take_symbol(counters, line);
		}
		held -= (size_t)(at - chunk);
		memmove(chunk, at, held);
	}
	free(chunk);
	if (fd >= 0)
		close(fd);
}

#if defined(__x86_64__)
/* movabs $table, %reg and shr $shift, %reg: constants that the kernel has put into its code. */
static int constants_of(const unsigned char *code, struct names_place *places)
{
	uint64_t tables[CONSTANTS_MAX];
	uint32_t shifts[CONSTANTS_MAX];
	int table_count = 0, shift_count = 0, count = 0;

	for (int i = 0; i + 10 <= CODE_SIZE; i++) {
		uint64_t value;

		memcpy(&value, code + i + 2, sizeof(value));
		if ((code[i] == 0x48 || code[i] == 0x49) && (code[i + 1] & 0xf8) == 0xb8 &&
		    value >> 48 == 0xffff && table_count < CONSTANTS_MAX)
			tables[table_count++] = value;
		if (code[i] == 0xc1 && (code[i + 1] & 0xf8) == 0xe8 && code[i + 2] < 32 &&
		    shift_count < CONSTANTS_MAX)
			shifts[shift_count++] = code[i + 2];
	}
	for (int t = 0; t < table_count; t++)
		for (int s = 0; s < shift_count; s++)
			places[count++] = (struct names_place){ tables[t], shifts[s] };
	return count;
}
#else
/* Elsewhere such a constant is spread over several instructions. */
static int constants_of(const unsigned char *code, struct names_place *places)
{
	(void)code;
	(void)places;
	return 0;
}
#endif

int names_find_places(const volatile struct counters *counters, struct names_place *places)
{
	unsigned char code[CODE_SIZE];

	if (counters->names_table && counters->names_shift < 32) {
		*places = (struct names_place){ counters->names_table, counters->names_shift };
		return 1;
	}
	for (int i = 0; i < CODE_SIZE; i++)
		code[i] = counters->lookup_code[i];
	return constants_of(code, places);
}
