/* SPDX-License-Identifier: MIT */
/* Threads, children, and other programs. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "story.h"

/* What pthread_create and its like return, as a system call would. */
static int posix(int error)
{
	errno = error;
	return error ? -1 : 0;
}

static void *make_one(void *number)
{
	char name[16];

	snprintf(name, sizeof(name), "dir/%ld", (long)number);
	MAKE(name);
	return NULL;
}

static void run_thread(void *(*run)(void *), void *argument)
{
	pthread_t thread;

	DO(posix(pthread_create(&thread, NULL, run, argument)));
	DO(posix(pthread_join(thread, NULL)));
}

/*
 * Threads are one process.
 *
 *   given   dir/
 *   make    dir/0
 *   make    dir/1
 *   make    dir/2
 *   make    dir/3
 *   left    dir/0 created, dir/1 created, dir/2 created, dir/3 created
 */
TRACEE(threads)
{
	pthread_t threads[4];

	for (long i = 0; i < 4; i++)
		DO(posix(pthread_create(&threads[i], NULL, make_one, (void *)i)));
	for (long i = 0; i < 4; i++)
		DO(posix(pthread_join(threads[i], NULL)));
}

static void *change_directory(void *directory)
{
	DO(chdir(directory));
	return NULL;
}

/*
 * Threads share a working directory.
 *
 *   given   dir/
 *   make    dir/file
 *   left    dir/file created
 */
TRACEE(thread_changes_directory_of_all)
{
	run_thread(change_directory, "dir");
	MAKE("file");
}

static void *change_own_directory(void *directory)
{
	DO(unshare(CLONE_FS));
	DO(chdir(directory));
	MAKE("own");
	return NULL;
}

/*
 * A thread leaves the shared working directory.
 *
 *   given   dir/
 *   make    dir/own
 *   make    all
 *   left    dir/own created, all created
 */
TRACEE(thread_with_its_own_directory)
{
	run_thread(change_own_directory, "dir");
	MAKE("all");
}

static void *use_own_descriptors(void *number)
{
	int fd = (int)(long)number;

	DO(unshare(CLONE_FILES));
	close(fd);
	if (OPEN("own") != fd)
		_exit(EXIT_FAILURE);
	DO(openat(fd, "file", O_CREAT | O_EXCL | O_WRONLY, 0600));
	return NULL;
}

/*
 * A thread has descriptors of its own: one number means two directories.
 *
 *   given   all/ own/
 *   read    all
 *   read    own
 *   make    own/file
 *   make    all/file
 *   left    own/file created, all/file created
 */
TRACEE(thread_with_its_own_descriptors)
{
	int fd = OPEN("all");

	run_thread(use_own_descriptors, (void *)(long)fd);
	DO(openat(fd, "file", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

/*
 * Children and their children.
 *
 *   make    parent
 *   make    child by 2
 *   make    grandchild by 3
 *   process 2 child of 1
 *   process 3 child of 2
 *   left    parent created, child created, grandchild created
 */
TRACEE(forks)
{
	pid_t child;

	MAKE("parent");
	child = fork();
	if (!child) {
		MAKE("child");
		child = fork();
		if (!child)
			MAKE("grandchild");
		else
			join(child);
		_exit(0);
	}
	join(child);
}

/*
 * A child that borrows the memory of its parent.
 *
 *   make    parent
 *   make    child by 2
 *   process 2 child of 1
 *   make    later
 *   left    parent created, child created, later created
 */
TRACEE(vforks)
{
	pid_t child;

	MAKE("parent");
	child = vfork();
	if (!child) {
		syscall(SYS_openat, AT_FDCWD, "child", O_CREAT | O_EXCL | O_WRONLY, 0600);
		_exit(0);
	}
	join(child);
	MAKE("later");
}

/*
 * A child changes its own directory only.
 *
 *   given   dir/
 *   make    dir/child by 2
 *   make    parent
 *   process 2 child of 1
 *   left    dir/child created, parent created
 */
TRACEE(child_changes_its_directory)
{
	pid_t child = fork();

	if (!child) {
		DO(chdir("dir"));
		MAKE("child");
		_exit(0);
	}
	join(child);
	MAKE("parent");
}

/*
 * A daemon: its parent ends, and it goes on in another session and directory.
 *
 *   given   dir/
 *   make    before
 *   make    between by 2
 *   make    early by 3
 *   make    dir/daemon by 3
 *   process 2 child of 1
 *   process 3 child of 2
 *   left    before created, between created, early created, dir/daemon created
 */
TRACEE(daemon_outlives_its_parent)
{
	int begun[2], done[2];
	char byte = 0;
	pid_t child;

	MAKE("before");
	DO(pipe(begun));
	DO(pipe(done));
	child = fork();
	if (!child) {
		pid_t middle = getpid();

		MAKE("between");
		if (fork()) {
			DO(read(begun[0], &byte, 1));
			_exit(0);
		}
		DO(setsid());
		MAKE("early");
		DO(write(begun[1], &byte, 1));
		while (getppid() == middle)
			usleep(1000);
		DO(chdir("dir"));
		MAKE("daemon");
		_exit(0);
	}
	close(done[1]);
	join(child);
	DO(read(done[0], &byte, 1));
}

/*
 * Another program takes over: what the process did before is that of another image.
 *
 *   make    before
 *   exec    program
 *   given   program*
 *   read    program by 2
 *   process 2 image of 1
 *   left    before created
 */
TRACEE(exec_takes_over)
{
	char *const argv[] = { "program", NULL };
	char *const environ[] = { NULL };

	MAKE("before");
	DO(syscall(SYS_execve, "program", argv, environ));
}

/*
 * execveat, by a descriptor.
 *
 *   given   dir/ dir/program*
 *   read    dir
 *   exec    dir/program
 *   read    dir/program by 2
 *   process 2 image of 1
 */
TRACEE(execveat_takes_over)
{
	char *const argv[] = { "program", NULL };
	char *const environ[] = { NULL };

	DO(syscall(SYS_execveat, DO(open("dir", O_RDONLY)), "program", argv, environ, 0));
}

/*
 * What cannot be executed.
 *
 *   given   file dir/
 *   exec    missing fails ENOENT
 *   exec    file fails EACCES
 *   exec    dir fails EACCES
 */
TRACEE(exec_fails)
{
	char *const argv[] = { "program", NULL };
	char *const environ[] = { NULL };

	REFUSED(ENOENT, execve("missing", argv, environ));
	REFUSED(EACCES, execve("file", argv, environ));
	REFUSED(EACCES, execve("dir", argv, environ));
}

/*
 * A child runs a program: its parent is the one who executes.
 *
 *   given   program*
 *   make    before
 *   exec    program
 *   read    program by 2
 *   process 2 child of 1
 *   left    before created
 */
TRACEE(child_executes)
{
	char *const argv[] = { "program", NULL };
	char *const environ[] = { NULL };
	pid_t child;

	MAKE("before");
	child = vfork();
	if (!child) {
		syscall(SYS_execve, "program", argv, environ);
		_exit(1);
	}
	join(child);
}

static void *wait_forever(void *unused)
{
	pause();
	return unused;
}

static void *execute(void *unused)
{
	char *const argv[] = { "program", NULL };
	char *const environ[] = { NULL };

	MAKE("before");
	DO(execve("program", argv, environ));
	return unused;
}

/*
 * A thread executes: the others are gone, and it has the process to itself.
 *
 *   given   program*
 *   make    before
 *   exec    program
 *   read    program by 2
 *   process 2 image of 1
 *   left    before created
 */
TRACEE(exec_from_a_thread)
{
	pthread_t waiting, executing;

	DO(posix(pthread_create(&waiting, NULL, wait_forever, NULL)));
	DO(posix(pthread_create(&executing, NULL, execute, NULL)));
	pause();
}
