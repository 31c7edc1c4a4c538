// SPDX-License-Identifier: MIT
// ln -sfn, then a file through the link, ROUNDS times, while READERS processes read through it.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void make(const char *path)
{
	close(open(path, O_CREAT | O_WRONLY, 0600));
}

int main(int count, char **words) /* ROUNDS READERS [directories] */
{
	int rounds = atoi(words[1]), readers = atoi(words[2]);
	pid_t children[8];
	char to[8], path[64];

	mkdir("d0", 0755);
	mkdir("d1", 0755);
	make("d0/x");
	make("d1/x");
	if (symlink("d0", "current"))
		return 1;
	for (int r = 0; r < readers; r++)
		if (!(children[r] = fork()))
			for (;;)
				close(open("current/x", O_RDONLY));
	for (int i = 0; i < rounds; i++) {
		if (count > 3) { /* of the directories themselves */
			rename("d0", "d2");
			rename("d1", "d0");
			rename("d2", "d1");
		}
		snprintf(to, sizeof(to), "d%d", i & 1);
		if (symlink(to, "new") || rename("new", "current"))
			return 1;
		snprintf(path, sizeof(path), "current/%d", i);
		make(path);
	}
	for (int r = 0; r < readers; r++)
		kill(children[r], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
