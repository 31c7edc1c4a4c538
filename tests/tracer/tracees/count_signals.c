// SPDX-License-Identifier: MIT
// Counts real-time signals, which queue, in a handler until standard input ends; prints the count.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t count;

static void handle(int number)
{
	(void)number;
	count++;
}

int main(void)
{
	struct sigaction action = { .sa_handler = handle };
	char byte;

	sigaction(SIGRTMIN, &action, NULL);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (;;) {
		ssize_t got = read(0, &byte, 1);

		if (got == 0 || (got < 0 && errno != EINTR))
			break;
	}
	printf("%d\n", (int)count);
	return 0;
}
