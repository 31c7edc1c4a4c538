/* SPDX-License-Identifier: MIT */
/* Each way to open a file. */
#include <linux/openat2.h>

#include "story.h"

/*
 * Opened to be read.
 *
 *   given   file
 *   read    file
 *   read    missing fails ENOENT
 */
TRACEE(open_to_read)
{
	DO(old_open("file", O_RDONLY));
	REFUSED(ENOENT, old_open("missing", O_RDONLY));
}

/*
 * Opened to be written, and not written.
 *
 *   given   file
 *   write   file
 *   left    file unchanged
 *   log     left file modified instead of left file unchanged: it holds no state before
 */
TRACEE(open_and_write_nothing)
{
	DO(old_open("file", O_WRONLY));
}

/*
 * Opened to be read and written.
 *
 *   given   file
 *   read    file
 *   write   file
 *   left    file modified
 */
TRACEE(open_to_read_and_write)
{
	int fd = (int)DO(old_open("file", O_RDWR));

	DO(write(fd, "x", 1));
}

/*
 * Opened to be written at its end.
 *
 *   given   file
 *   write   file
 *   left    file modified
 */
TRACEE(open_to_append)
{
	int fd = (int)DO(old_open("file", O_WRONLY | O_APPEND));

	DO(write(fd, "x", 1));
}

/*
 * Emptied while it is opened: what was in it is not read, even if it could be.
 *
 *   given    file
 *   truncate file x2
 *   write    file x2
 *   left     file modified
 */
TRACEE(open_and_truncate)
{
	DO(old_open("file", O_WRONLY | O_TRUNC));
	DO(old_open("file", O_RDWR | O_TRUNC));
}

/*
 * Made by an open that had to make it.
 *
 *   create  file [exclusive]
 *   write   file [exclusive]
 *   left    file created
 */
TRACEE(open_exclusively)
{
	DO(old_open("file", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

/*
 * Had to be made, but was there.
 *
 *   given   file
 *   create  file fails EEXIST [exclusive]
 *   write   file fails EEXIST [exclusive]
 *   left    file unchanged
 */
TRACEE(open_exclusively_in_vain)
{
	REFUSED(EEXIST, old_open("file", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

/*
 * Looked for, and then made.
 *
 *   read    file fails ENOENT
 *   create  file
 *   write   file
 *   left    file created
 */
TRACEE(open_creates)
{
	REFUSED(ENOENT, old_open("file", O_RDONLY));
	DO(old_open("file", O_CREAT | O_RDWR, 0600));
}

/*
 * Made by an open that would have taken what was there.
 *
 *   create  file
 *   write   file
 *   left    file created
 *   log     truncate file instead of create file: success tells not what O_CREAT did
 *   log     left file modified instead of left file created: the same
 */
TRACEE(creat_makes)
{
	DO(old_creat("file", 0600));
}

/*
 * Might have been made, but was there.
 *
 *   given    file
 *   truncate file
 *   write    file
 *   left     file modified
 */
TRACEE(creat_truncates)
{
	DO(old_creat("file", 0600));
}

/*
 * Made only to be there: opened to be read.
 *
 *   create  file [exclusive]
 *   left    file created
 */
TRACEE(open_creates_to_read)
{
	DO(open("file", O_CREAT | O_EXCL | O_RDONLY, 0600));
}

/*
 * openat: below a directory that is open, below the working directory, and with an absolute path.
 *
 *   given   dir/ dir/file
 *   read    dir
 *   read    dir/file x3
 */
TRACEE(openat_reads)
{
	char path[PATH_MAX];
	int fd = OPEN("dir");

	DO(getcwd(path, sizeof(path) - 16) ? 0 : -1);
	strcat(path, "/dir/file");
	DO(syscall(SYS_openat, fd, "file", O_RDONLY));
	DO(syscall(SYS_openat, AT_FDCWD, "dir/file", O_RDONLY));
	DO(syscall(SYS_openat, -1, path, O_RDONLY));
}

/*
 * openat2: its flags are in memory.
 *
 *   given   dir/ dir/file
 *   read    dir
 *   read    dir/file
 *   create  dir/new [exclusive]
 *   write   dir/new [exclusive]
 *   left    dir/new created
 */
TRACEE(openat2_reads_and_makes)
{
	struct open_how how = { .flags = O_RDONLY };
	int fd = OPEN("dir");

	DO(syscall(SYS_openat2, fd, "file", &how, sizeof(how)));
	how = (struct open_how){ .flags = O_CREAT | O_EXCL | O_WRONLY, .mode = 0600 };
	DO(syscall(SYS_openat2, fd, "new", &how, sizeof(how)));
}

/*
 * openat2 with RESOLVE_IN_ROOT: an absolute path begins at the descriptor.
 *
 *   given   dir/ dir/file
 *   read    dir
 *   read    dir/file
 */
TRACEE(openat2_in_root)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT };

	DO(syscall(SYS_openat2, OPEN("dir"), "/file", &how, sizeof(how)));
}

/*
 * Opened only to name it.
 *
 *   given   file
 *   stat    file
 */
TRACEE(open_path)
{
	DO(open("file", O_PATH));
}

/*
 * A directory cannot be written, nor a file be listed.
 *
 *   given   dir/ file
 *   write   dir fails EISDIR
 *   read    file fails ENOTDIR
 *   left    dir unchanged
 */
TRACEE(open_of_the_wrong_kind)
{
	REFUSED(EISDIR, open("dir", O_WRONLY));
	REFUSED(ENOTDIR, open("file", O_RDONLY | O_DIRECTORY));
}

/*
 * What asks for a new file, and is refused before anybody looks what is there: with a slash behind,
 * as a directory, below a file. It is told as if something were there, by every recorder.
 *
 *   given   file dir/ link->gone
 *   read    file fails EISDIR
 *   write   file fails EISDIR x2
 *   read    dir fails EISDIR
 *   write   dir fails EISDIR x2
 *   read    gone fails EISDIR
 *   write   gone fails EISDIR
 *   write   link fails EISDIR
 *   write   file/below fails ENOTDIR
 *   left    file unchanged, dir unchanged, gone unchanged, link unchanged, file/below unchanged
 */
TRACEE(new_where_none_can_be)
{
	REFUSED(EISDIR, open("file/", O_RDWR | O_CREAT, 0600));
	REFUSED(EISDIR, open("file/", O_WRONLY | O_CREAT | O_TRUNC, 0600));
	REFUSED(EISDIR, open("dir/", O_RDWR | O_CREAT, 0600));
	REFUSED(EISDIR, creat("dir", 0600));
	REFUSED(EISDIR, open("gone/", O_RDWR | O_CREAT, 0600));
	REFUSED(EISDIR, open("link/", O_WRONLY | O_CREAT, 0600));
	REFUSED(ENOTDIR, open("file/below", O_WRONLY | O_CREAT, 0600));
}

/*
 * By the name of a file that never had one, nothing can be made; nor in a directory that is gone.
 *
 *   given   dir/
 *   read    dir
 *   delete  dir
 *   mkdir   dir/new fails ENOENT x2
 *   left    dir deleted, dir/new unchanged
 */
TRACEE(new_in_a_directory_that_is_gone)
{
	int fd = OPEN("dir");

	DO(rmdir("dir"));
	REFUSED(ENOENT, mkdirat(fd, "new", 0700));
	REFUSED(ENOENT, mkdirat(fd, "new", 0700));
}

/*
 * A symbolic link that is not to be followed.
 *
 *   given   file link->file
 *   read    link fails ELOOP
 *   write   link fails ELOOP
 *   left    link unchanged
 */
TRACEE(open_no_follow)
{
	REFUSED(ELOOP, open("link", O_RDONLY | O_NOFOLLOW));
	REFUSED(ELOOP, open("link", O_WRONLY | O_NOFOLLOW));
}

/*
 * A file without a name gets one by way of its descriptor.
 *
 *   read    .
 *   link    -> named [tmpfile]
 *   left    named created
 */
TRACEE(nameless_file_gets_a_name)
{
	char path[32];
	int fd = (int)DO(open(".", O_TMPFILE | O_WRONLY, 0600));

	DO(write(fd, "x", 1));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	DO(linkat(AT_FDCWD, path, OPEN("."), "named", AT_SYMLINK_FOLLOW));
}

/*
 * The same with AT_EMPTY_PATH, which takes a capability.
 *
 *   needs   root
 *   link    -> named [tmpfile]
 *   left    named created
 */
TRACEE(nameless_file_gets_a_name_by_descriptor)
{
	int fd = (int)DO(open(".", O_TMPFILE | O_WRONLY, 0600));

	DO(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
}

/*
 * A file that never gets a name.
 */
TRACEE(nameless_file_stays_nameless)
{
	int fd = (int)DO(open(".", O_TMPFILE | O_RDWR, 0600));

	DO(write(fd, "x", 1));
}
