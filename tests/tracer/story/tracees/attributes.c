/* SPDX-License-Identifier: MIT */
/* Size, mode, owner, times and extended attributes. */
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

#include "story.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_removexattrat 466
#endif

/*
 * truncate.
 *
 *   given    file dir/
 *   truncate file
 *   truncate missing fails ENOENT
 *   truncate dir fails EISDIR
 *   left     file modified, missing unchanged, dir unchanged
 */
TRACEE(truncate_changes)
{
	DO(truncate("file", 1));
	REFUSED(ENOENT, truncate("missing", 1));
	REFUSED(EISDIR, truncate("dir", 1));
}

/*
 * ftruncate: the open tells of it.
 *
 *   given   file
 *   write   file
 *   left    file modified
 */
TRACEE(ftruncate_changes)
{
	DO(ftruncate((int)DO(open("file", O_WRONLY)), 1));
}

/*
 * Each way to change a mode.
 *
 *   given   file dir/ dir/below link->file
 *   chmod   file x4
 *   read    file
 *   read    dir
 *   chmod   dir/below
 *   chmod   missing fails ENOENT
 *   left    file modified, dir/below modified, missing unchanged
 */
TRACEE(chmod_changes)
{
	DO(old_chmod("file", 0640));
	DO(old_chmod("link", 0644));
	DO(syscall(SYS_fchmodat, OPEN("dir"), "below", 0640));
	DO(syscall(SYS_fchmodat, AT_FDCWD, "file", 0640));
	DO(fchmod(OPEN("file"), 0641));
	REFUSED(ENOENT, old_chmod("missing", 0600));
}

/*
 * fchmodat2, which takes flags.
 *
 *   given   file
 *   chmod   file
 *   left    file modified
 *   log     may miss chmod file, left file modified: strace before 6.6
 */
TRACEE(fchmodat2_changes)
{
	DO(syscall(SYS_fchmodat2, AT_FDCWD, "file", 0640, AT_SYMLINK_NOFOLLOW));
}

/*
 * A mode that it has already.
 *
 *   given   file
 *   chmod   file
 *   left    file unchanged
 *   log     left file modified instead of left file unchanged: it holds no state before
 *   bpf     left file modified instead of left file unchanged: the name was not in memory yet
 */
TRACEE(chmod_to_the_same)
{
	DO(chmod("file", 0600));
}

/*
 * Each way to change an owner.
 *
 *   needs   root
 *   given   file dir/ dir/below link->file
 *   chown   file x3
 *   chown   link x2
 *   read    dir
 *   chown   dir/below
 *   read    file
 *   left    file modified, link modified, dir/below modified
 */
TRACEE(chown_changes)
{
	DO(old_chown("file", 1, 1));
	DO(old_chown("link", 2, 2));
	DO(old_lchown("link", 3, 3));
	DO(fchownat(OPEN("dir"), "below", 4, 4, 0));
	DO(fchownat(AT_FDCWD, "link", 5, 5, AT_SYMLINK_NOFOLLOW));
	DO(fchown(OPEN("file"), 6, 6));
}

/*
 * An owner that it has already, which takes no privilege.
 *
 *   given   file
 *   read    file
 *   chown   file x2
 *   left    file unchanged
 *   log     left file modified instead of left file unchanged: it holds no state before
 */
TRACEE(chown_to_the_same)
{
	int fd = OPEN("file");

	DO(fchown(fd, (uid_t)-1, (gid_t)-1));
	DO(fchownat(fd, "", (uid_t)-1, (gid_t)-1, AT_EMPTY_PATH));
}

/*
 * Each way to set times.
 *
 *   given   file dir/ dir/below link->file
 *   utime   file x5
 *   utime   link
 *   read    dir
 *   utime   dir/below x2
 *   write   file
 *   utime   missing fails ENOENT
 *   left    file modified, link modified, dir/below modified, missing unchanged
 */
TRACEE(utimes_change)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };
	struct timeval values[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };
	struct utimbuf both = { 1, 2 };
	int dir = OPEN("dir");

	DO(old_utime("file", &both));
	DO(old_utimes("file", values));
	DO(old_utimes("link", values));
	DO(old_futimesat(dir, "below", values));
	DO(utimensat(dir, "below", times, 0));
	DO(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
	DO(utimensat(AT_FDCWD, "link", times, 0));
	DO(futimens((int)DO(open("file", O_WRONLY)), times));
	REFUSED(ENOENT, utimensat(AT_FDCWD, "missing", times, 0));
}

/*
 * Extended attributes, set and removed.
 *
 *   given   file link->file
 *   xattr   file x5
 *   write   file
 *   left    file modified
 */
TRACEE(xattr_changes)
{
	int fd = (int)DO(open("file", O_WRONLY));

	DO(setxattr("file", "user.a", "1", 1, 0));
	DO(setxattr("link", "user.b", "1", 1, 0));
	DO(fsetxattr(fd, "user.c", "1", 1, 0));
	DO(removexattr("link", "user.b"));
	DO(fremovexattr(fd, "user.c"));
}

/*
 * Extended attributes of a symbolic link itself.
 *
 *   needs   root
 *   given   file link->file
 *   xattr   link x3
 *   left    link modified
 */
TRACEE(xattr_of_a_symbolic_link)
{
	DO(lsetxattr("link", "trusted.a", "1", 1, 0));
	DO(lsetxattr("link", "trusted.b", "1", 1, 0));
	DO(lremovexattr("link", "trusted.a"));
}

/*
 * The calls that take a directory and flags.
 *
 *   given   dir/ dir/file
 *   read    dir
 *   xattr   dir/file x3
 *   left    dir/file modified
 *   log     may miss xattr dir/file x3, left dir/file modified: strace before 6.14
 */
TRACEE(xattr_below_a_descriptor)
{
	struct {
		unsigned long long value;
		unsigned int size, flags;
	} one = { (unsigned long long)(unsigned long)"1", 1, 0 };
	int dir = OPEN("dir");

	DO(syscall(SYS_setxattrat, dir, "file", 0, "user.a", &one, sizeof(one)));
	DO(syscall(SYS_setxattrat, dir, "file", 0, "user.b", &one, sizeof(one)));
	DO(syscall(SYS_removexattrat, dir, "file", 0, "user.a"));
}

/*
 * Asked about in each way, and changed in none.
 *
 *   given   file dir/ dir/below link->file
 *   stat    file x5
 *   read    dir
 *   stat    dir/below x2
 *   stat    link x3
 *   stat    missing fails ENOENT
 */
TRACEE(questions)
{
	char text[16];
	struct statx found;
	int dir = OPEN("dir");

	DO(syscall(SYS_statx, AT_FDCWD, "file", 0, STATX_ALL, &found));
	DO(syscall(SYS_statx, AT_FDCWD, "link", 0, STATX_ALL, &found));
	DO(syscall(SYS_statx, AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_ALL, &found));
	DO(syscall(SYS_statx, dir, "below", 0, STATX_ALL, &found));
	DO(syscall(SYS_faccessat, AT_FDCWD, "file", R_OK));
	DO(syscall(SYS_faccessat, AT_FDCWD, "link", R_OK));
	DO(syscall(SYS_faccessat, dir, "below", R_OK));
	DO(syscall(SYS_faccessat2, AT_FDCWD, "file", R_OK, AT_EACCESS));
	DO(syscall(SYS_faccessat2, AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
	DO(syscall(SYS_readlinkat, AT_FDCWD, "link", text, sizeof(text)));
	REFUSED(ENOENT, syscall(SYS_faccessat, AT_FDCWD, "missing", F_OK));
}
