/* SPDX-License-Identifier: MIT */
/* Descriptors: many, copied, handed on, mapped. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "story.h"

enum { MANY = 3000 };

/*
 * Very many descriptors, of which the last is a directory.
 *
 *   given   dir/ file
 *   read    file x3000
 *   read    dir
 *   make    dir/file
 *   left    dir/file created
 */
TRACEE(very_many_descriptors)
{
	struct rlimit limit;

	DO(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	DO(setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i < MANY; i++)
		OPEN("file");
	DO(openat(OPEN("dir"), "file", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

/*
 * Copies stand for the same directory when what they were copied from is closed.
 *
 *   given   dir/
 *   read    dir
 *   make    dir/a
 *   make    dir/b
 *   make    dir/c
 *   left    dir/a created, dir/b created, dir/c created
 */
TRACEE(copies)
{
	int dir = OPEN("dir"), copy = (int)DO(dup(dir)), third = (int)DO(fcntl(dir, F_DUPFD, 500));

	close(dir);
	DO(openat(copy, "a", O_CREAT | O_EXCL | O_WRONLY, 0600));
	DO(openat(third, "b", O_CREAT | O_EXCL | O_WRONLY, 0600));
	DO(dup2(third, 600));
	close(third);
	DO(openat(600, "c", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

/*
 * A number is used again for another directory.
 *
 *   given   a/ b/
 *   read    a
 *   make    a/file
 *   read    b
 *   make    b/file
 *   left    a/file created, b/file created
 */
TRACEE(number_used_again)
{
	int dir = OPEN("a");

	close((int)DO(openat(dir, "file", O_CREAT | O_EXCL | O_WRONLY, 0600)));
	close(dir);
	if (OPEN("b") != dir)
		_exit(EXIT_FAILURE);
	DO(openat(dir, "file", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

static void send_descriptor(int channel, int fd)
{
	char space[CMSG_SPACE(sizeof(fd))] = { 0 }, byte = 'x';
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	DO(sendmsg(channel, &message, 0));
}

static int receive_descriptor(int channel)
{
	char space[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *header;
	int fd;

	DO(recvmsg(channel, &message, 0));
	header = CMSG_FIRSTHDR(&message);
	if (!header)
		_exit(EXIT_FAILURE);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/*
 * A directory that another process opened is handed over a socket.
 *
 *   given   dir/
 *   read    dir by 2
 *   make    dir/file
 *   process 2 child of 1
 *   left    dir/file created
 */
TRACEE(descriptor_is_handed_over)
{
	int channel[2];
	pid_t child;

	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, channel));
	child = fork();
	if (!child) {
		send_descriptor(channel[1], OPEN("dir"));
		_exit(0);
	}
	DO(openat(receive_descriptor(channel[0]), "file", O_CREAT | O_EXCL | O_WRONLY, 0600));
	join(child);
}

/*
 * Written by way of memory, after the file was closed.
 *
 *   given   file
 *   read    file
 *   write   file
 *   left    file modified
 */
TRACEE(written_through_memory)
{
	int fd = (int)DO(open("file", O_RDWR));
	char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	DO(memory == MAP_FAILED ? -1 : 0);
	close(fd);
	memory[0] = 'X';
	DO(msync(memory, 4096, MS_SYNC));
}

/*
 * A server and its client; the name of its socket is a path, an abstract name is none.
 *
 *   bind    socket
 *   connect socket
 *   connect missing fails ENOENT
 *   bind    taken fails EADDRINUSE
 *   given   taken
 *   delete  socket
 *   left    socket unchanged, taken unchanged
 */
TRACEE(sockets)
{
	struct sockaddr_un name = { AF_UNIX, "socket" }, missing = { AF_UNIX, "missing" };
	struct sockaddr_un taken = { AF_UNIX, "taken" }, abstract = { AF_UNIX, "\0story" };
	int server = (int)DO(socket(AF_UNIX, SOCK_STREAM, 0));
	int client = (int)DO(socket(AF_UNIX, SOCK_STREAM, 0));
	int other = (int)DO(socket(AF_UNIX, SOCK_STREAM, 0));

	DO(bind(server, (struct sockaddr *)&name, sizeof(name)));
	DO(listen(server, 1));
	DO(connect(client, (struct sockaddr *)&name, sizeof(name)));
	REFUSED(ENOENT, connect(other, (struct sockaddr *)&missing, sizeof(missing)));
	REFUSED(EADDRINUSE, bind(other, (struct sockaddr *)&taken, sizeof(taken)));
	REFUSED(ECONNREFUSED, connect(other, (struct sockaddr *)&abstract, sizeof(abstract)));
	DO(unlink("socket"));
}
