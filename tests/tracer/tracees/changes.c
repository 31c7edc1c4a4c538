/* SPDX-License-Identifier: MIT */
/* Does each kind of change once, in the current directory. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utime.h>

int main(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = open("file", O_CREAT | O_WRONLY, 0600), server, client;

	if (fd < 0 || write(fd, "x", 1) != 1 || fchmod(fd, 0640) || chmod("file", 0600) ||
	    utime("file", NULL) || close(fd))
		return 1;
	if (rename("file", "renamed") || link("renamed", "linked") || truncate("renamed", 0) ||
	    unlink("renamed") || unlink("linked"))
		return 2;
	if (mkdir("directory", 0700) || rmdir("directory") || symlink("text", "symlink"))
		return 3;
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(server, (struct sockaddr *)&name, sizeof(name)) || listen(server, 1) ||
	    connect(client, (struct sockaddr *)&name, sizeof(name)) || unlink("socket"))
		return 4;
	return 0;
}
