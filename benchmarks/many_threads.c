// SPDX-License-Identifier: MIT
// many_threads COUNT: so many threads that each open and close a file every ten milliseconds, until
// standard input ends.
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void *work(void *unused)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

	(void)unused;
	for (;;) {
		int fd = open("/dev/null", O_RDONLY);

		if (fd >= 0)
			close(fd);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long count = argc == 2 ? atol(argv[1]) : 0;
	pthread_t thread;
	char byte;

	for (long i = 0; i < count; i++)
		if (pthread_create(&thread, NULL, work, NULL))
			return 1;
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
