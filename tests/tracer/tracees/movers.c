// SPDX-License-Identifier: MIT
// WRITERS processes make FILES each in directories that another one renames all the time.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAUSE = 300, WRITERS_MAX = 8 };

static void move(void)
{
	for (;;) {
		rename("d0", "d2");
		rename("d1", "d0");
		rename("d2", "d1");
		usleep(PAUSE);
	}
}

static void write_files(int writer, int files)
{
	char path[64];

	for (int i = 0; i < files; i++) {
		int fd;

		snprintf(path, sizeof(path), "d%d/%d.%d", i & 1, writer, i);
		while ((fd = open(path, O_CREAT | O_WRONLY, 0600)) < 0)
			;
		close(fd);
	}
}

int main(int count, char **words) /* FILES WRITERS */
{
	int files = atoi(words[1]), writers = atoi(words[count - 1]);
	pid_t mover, writing[WRITERS_MAX];

	mkdir("d0", 0755);
	mkdir("d1", 0755);
	mover = fork();
	if (!mover)
		move();
	for (int i = 0; i < writers && i < WRITERS_MAX; i++) {
		writing[i] = fork();
		if (!writing[i]) {
			write_files(i, files);
			_exit(0);
		}
	}
	for (int i = 0; i < writers && i < WRITERS_MAX; i++)
		waitpid(writing[i], NULL, 0);
	kill(mover, SIGKILL);
	return 0;
}
