/* SPDX-License-Identifier: MIT */
/* 200 processes and then 200 threads, each waiting until all are there before it makes a file. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CROWD = 200 };

static int make(const char *kind, long number)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-%ld", kind, number);
	return open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
}

static pthread_barrier_t *barrier;

static void *thread(void *number)
{
	pthread_barrier_wait(barrier);
	return make("thread", (long)number) < 0 ? number : NULL;
}

int main(void)
{
	pthread_barrierattr_t shared;
	pthread_t threads[CROWD];
	int status, failed = 0;
	void *result;

	barrier = mmap(NULL, sizeof(*barrier), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(barrier, &shared, CROWD);
	for (long i = 0; i < CROWD; i++) {
		if (!fork()) {
			pthread_barrier_wait(barrier);
			_exit(make("process", i) < 0);
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	for (long i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, thread, (void *)i);
	for (long i = 0; i < CROWD; i++) {
		pthread_join(threads[i], &result);
		failed |= result != NULL;
	}
	return failed != 0;
}
