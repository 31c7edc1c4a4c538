// SPDX-License-Identifier: MIT
// Makes a file in a grandchild whose parent ends at once.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	if (!fork()) {
		setsid();
		if (!fork())
			close(open("late", O_CREAT | O_WRONLY, 0600));
		_exit(0);
	}
	wait(NULL);
	return 0;
}
