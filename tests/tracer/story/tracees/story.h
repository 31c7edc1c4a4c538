/* SPDX-License-Identifier: MIT */
/*
 * What the tracees share. Each is a function that answers one question, below a comment that
 * declares what a recorder must tell of it (declared.py has the words). It runs in an
 * empty directory of its own, and checks that each of its calls does what it is there for.
 */
#ifndef STORY_H
#define STORY_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_HERE = 77 };	/* the kernel has no such call */

struct tracee {
	const char *name;
	void (*run)(void);
};

#define TRACEE(question)                                                                           \
	static void question(void);                                                                \
	static const struct tracee question##_entry                                                \
		__attribute__((used, section("tracees"), aligned(sizeof(void *)))) = {             \
			#question, question                                                        \
		};                                                                                 \
	static void question(void)

static inline long checked(long result, int expected, const char *call, int line)
{
	int found = result < 0 ? errno : 0;

	if (found == ENOSYS)
		_exit(EXIT_NOT_HERE);
	if (found != expected) {
		dprintf(STDERR_FILENO, "%d: %s: %s\n", line, call, strerror(found));
		_exit(EXIT_FAILURE);
	}
	return result;
}

#define DO(call) checked((long)(call), 0, #call, __LINE__)
#define REFUSED(error, call) checked((long)(call), error, #call, __LINE__)

static inline int opened(const char *path, int flags, int line)
{
	return (int)checked(open(path, flags | O_CLOEXEC, 0600), 0, path, line);
}

/* Makes a new file, or opens one; the declaration of the first is `make`, of the second `read`. */
#define MAKE(path) opened(path, O_CREAT | O_EXCL | O_WRONLY, __LINE__)
#define OPEN(path) opened(path, O_RDONLY, __LINE__)

static inline void join(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || status)
		_exit(EXIT_FAILURE);
}

/* The older calls themselves, where the architecture has them. */
#ifdef SYS_open
#define old_open(...) syscall(SYS_open, __VA_ARGS__)
#define old_creat(...) syscall(SYS_creat, __VA_ARGS__)
#define old_mkdir(...) syscall(SYS_mkdir, __VA_ARGS__)
#define old_mknod(...) syscall(SYS_mknod, __VA_ARGS__)
#define old_rename(...) syscall(SYS_rename, __VA_ARGS__)
#define old_link(...) syscall(SYS_link, __VA_ARGS__)
#define old_symlink(...) syscall(SYS_symlink, __VA_ARGS__)
#define old_unlink(...) syscall(SYS_unlink, __VA_ARGS__)
#define old_rmdir(...) syscall(SYS_rmdir, __VA_ARGS__)
#define old_chmod(...) syscall(SYS_chmod, __VA_ARGS__)
#define old_chown(...) syscall(SYS_chown, __VA_ARGS__)
#define old_lchown(...) syscall(SYS_lchown, __VA_ARGS__)
#define old_utime(...) syscall(SYS_utime, __VA_ARGS__)
#define old_utimes(...) syscall(SYS_utimes, __VA_ARGS__)
#define old_futimesat(...) syscall(SYS_futimesat, __VA_ARGS__)
#else
#define old_open open
#define old_creat creat
#define old_mkdir mkdir
#define old_mknod mknod
#define old_rename rename
#define old_link link
#define old_symlink symlink
#define old_unlink unlink
#define old_rmdir rmdir
#define old_chmod chmod
#define old_chown chown
#define old_lchown lchown
#define old_utime utime
#define old_utimes utimes
#define old_futimesat futimesat
#endif

#endif
