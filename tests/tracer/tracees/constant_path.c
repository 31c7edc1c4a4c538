// SPDX-License-Identifier: MIT
// Opens a file whose name is a constant on a page of its own.
#include <fcntl.h>
#include <stdio.h>

static const char before[400000] = { 1 };
static const char path[] = "/etc/passwd";
static const char after[400000] = { 1 };

int main(int count, char **words)
{
	volatile int where = count;

	(void)words;
	puts(open(path, O_RDONLY) < 0 ? "failed" : "opened");
	return before[where] + after[where];
}
