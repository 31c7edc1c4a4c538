/* SPDX-License-Identifier: MIT */
/* A thread executes another program while the main thread and a second one wait. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static void *wait_forever(void *unused)
{
	open("other-thread", O_RDONLY);
	pause();
	return unused;
}

static void *execute(void *unused)
{
	open("before", O_CREAT | O_WRONLY, 0600);
	usleep(50000);
	execl("/bin/sh", "sh", "-c", ": > after; exit 3", (char *)NULL);
	return unused;
}

int main(void)
{
	pthread_t waiting, executing;

	pthread_create(&waiting, NULL, wait_forever, NULL);
	pthread_create(&executing, NULL, execute, NULL);
	pause();
	return 1;
}
