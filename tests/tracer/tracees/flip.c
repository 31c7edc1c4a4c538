// SPDX-License-Identifier: MIT
// Makes files whose names another thread changes all the time.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile char name[64];
static volatile int stop;

static void *flip(void *unused)
{
	(void)unused;
	for (unsigned int i = 0; !stop; i++) {
		name[6] = i & 1 ? 'a' : 'b';
		for (volatile int wait = 0; wait < 30; wait++)
			;
	}
	return NULL;
}

int main(int count, char **words) /* FILES */
{
	pthread_t thread;

	(void)count;
	pthread_create(&thread, NULL, flip, NULL);
	for (int i = 0; i < atoi(words[1]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "p%05da", i);
		memcpy((char *)name, text, strlen(text) + 1);
		close(open((char *)name, O_CREAT | O_WRONLY, 0600));
	}
	stop = 1;
	pthread_join(thread, NULL);
	return 0;
}
