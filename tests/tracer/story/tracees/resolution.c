/* SPDX-License-Identifier: MIT */
/* How a path leads to a file: each is recorded as the kernel resolved it. */
#include "story.h"

/*
 * Relative to a working directory that changes.
 *
 *   given   dir/ dir/inner/
 *   make    at-first
 *   make    dir/below
 *   make    dir/inner/deeper
 *   make    dir/up
 *   left    at-first created, dir/below created, dir/inner/deeper created, dir/up created
 */
TRACEE(chdir_moves)
{
	MAKE("at-first");
	DO(chdir("dir"));
	MAKE("below");
	DO(chdir("inner"));
	MAKE("./deeper");
	DO(chdir(".."));
	MAKE("up");
}

/*
 * fchdir.
 *
 *   given   dir/ other/
 *   read    dir
 *   read    .
 *   make    dir/below
 *   make    back
 *   left    dir/below created, back created
 */
TRACEE(fchdir_moves)
{
	int dir = OPEN("dir"), here = OPEN(".");

	DO(fchdir(dir));
	MAKE("below");
	DO(fchdir(here));
	MAKE("back");
}

/*
 * The working directory is renamed: relative paths go on from its new name.
 *
 *   given   dir/
 *   make    dir/before
 *   rename  dir -> moved
 *   carried moved/before from dir/before
 *   make    moved/after
 *   left    dir deleted, moved created, dir/before unchanged, moved/before created
 *   left    moved/after created
 */
TRACEE(working_directory_is_renamed)
{
	DO(chdir("dir"));
	MAKE("before");
	DO(rename("../dir", "../moved"));
	MAKE("after");
}

/*
 * The working directory is removed: nothing can be made in it.
 *
 *   mkdir   gone
 *   delete  gone
 *   create  gone/file fails ENOENT
 *   write   gone/file fails ENOENT
 *   left    gone unchanged, gone/file unchanged
 */
TRACEE(working_directory_is_removed)
{
	DO(mkdir("gone", 0700));
	DO(chdir("gone"));
	DO(rmdir("../gone"));
	REFUSED(ENOENT, open("file", O_CREAT | O_WRONLY, 0600));
}

/*
 * Behind a directory that is not there, `..` leads nowhere: what is beside it was there before.
 *
 *   given   file dir/
 *   rename  dir -> moved
 *   truncate file fails ENOENT
 *   left    dir deleted, moved created, file unchanged
 */
TRACEE(missing_directory_does_not_lead_back)
{
	DO(rename("dir", "moved"));
	REFUSED(ENOENT, truncate("dir/../file", 1));
}

/*
 * An open directory is renamed: what is opened below it has its new name.
 *
 *   given   dir/
 *   read    dir
 *   rename  dir -> moved
 *   make    moved/file
 *   left    dir deleted, moved created, moved/file created
 */
TRACEE(open_directory_is_renamed)
{
	int dir = OPEN("dir");

	DO(rename("dir", "moved"));
	DO(openat(dir, "file", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

/*
 * Dots, doubled slashes, and slashes at the end.
 *
 *   given   dir/ dir/inner/ file
 *   make    dir/a
 *   make    b
 *   mkdir   dir/made
 *   read    dir
 *   read    file fails ENOTDIR
 *   write   dir/none fails EISDIR
 *   delete  dir/inner
 *   left    dir/a created, b created, dir/made created, dir/none unchanged, dir/inner deleted
 */
TRACEE(dots_and_slashes)
{
	MAKE("dir/../dir/.//a");
	MAKE("./dir/inner/../..//b");
	DO(mkdir("dir/made//", 0700));
	OPEN("dir/.");
	REFUSED(ENOTDIR, open("file/", O_RDONLY));
	REFUSED(EISDIR, open("dir/none/", O_CREAT | O_WRONLY, 0600));
	DO(rmdir("dir/inner/"));
}

/*
 * Symbolic links on the way and at the end; `..` leads up from where a link led.
 *
 *   given   real/ real/inner/ real/file link->real/inner up->link/../file file-link->real/new
 *   make    real/inner/a
 *   make    real/b
 *   read    real/file
 *   read    real/new fails ENOENT
 *   create  real/new
 *   write   real/new
 *   left    real/inner/a created, real/b created, real/new created
 */
TRACEE(symbolic_links)
{
	MAKE("link/a");
	MAKE("link/../b");
	OPEN("up");
	REFUSED(ENOENT, open("file-link", O_RDONLY));
	DO(open("file-link", O_CREAT | O_WRONLY, 0600));
}

/*
 * A link to a file elsewhere: the names beside the link are not there.
 *
 *   given   other/ other/file other/same link->other/file same->other/same beside
 *   read    other/file
 *   read    other/same
 *   read    beside x2
 *   make    new
 *   left    new created
 */
TRACEE(symbolic_link_leaves_its_neighbours)
{
	OPEN("link");
	OPEN("beside");
	OPEN("same");
	OPEN("beside");
	MAKE("new");
}

/*
 * A link that is replaced leads elsewhere.
 *
 *   given   old/ new/ link->old
 *   make    old/file
 *   delete  link
 *   symlink link -> new
 *   make    new/file
 *   left    old/file created, new/file created, link modified
 */
TRACEE(symbolic_link_is_replaced)
{
	MAKE("link/file");
	DO(unlink("link"));
	DO(symlink("new", "link"));
	MAKE("link/file");
}

/*
 * A link that leads to itself.
 *
 *   given   loop->loop
 *   read    loop fails ELOOP
 */
TRACEE(symbolic_link_to_itself)
{
	REFUSED(ELOOP, open("loop", O_RDONLY));
}

/*
 * What acts on the link itself, though a slash or `/.` behind it would lead on.
 *
 *   given   dir/ a->dir b->dir
 *   rename  a -> c
 *   delete  b
 *   make    dir/file
 *   left    a deleted, c created, b deleted, dir/file created
 */
TRACEE(symbolic_links_themselves)
{
	DO(rename("a", "c"));
	DO(unlink("b"));
	MAKE("c/./file");
}

/*
 * Descriptors as paths: below a directory, of a file, and the working directory.
 *
 *   given   dir/ file
 *   read    dir
 *   read    file x2
 *   make    dir/a
 *   make    b
 *   left    dir/a created, b created
 */
TRACEE(descriptors_as_paths)
{
	char path[64];
	int dir = OPEN("dir"), file = OPEN("file");

	snprintf(path, sizeof(path), "/proc/self/fd/%d/a", dir);
	MAKE(path);
	snprintf(path, sizeof(path), "/dev/fd/%d", file);
	OPEN(path);
	MAKE("/proc/self/cwd/b");
}

/*
 * What is done to a file that has lost its name is done to no path.
 *
 *   given   file
 *   read    file
 *   delete  file
 *   left    file deleted
 */
TRACEE(descriptor_of_a_removed_file)
{
	int fd = OPEN("file");

	DO(unlink("file"));
	DO(fchmod(fd, 0640));
}

/*
 * Descriptors of other processes.
 *
 *   given   dir/
 *   read    dir
 *   make    dir/file by 2
 *   process 2 child of 1
 *   left    dir/file created
 */
TRACEE(descriptor_of_another_process)
{
	char path[64];
	int dir = OPEN("dir");
	pid_t child;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d/file", getpid(), dir);
	child = fork();
	if (!child) {
		close(dir);
		MAKE(path);
		_exit(0);
	}
	join(child);
}

/*
 * Names with any byte.
 *
 *   make    a\nb\\c\xff\x1b
 *   left    a\nb\\c\xff\x1b created
 */
TRACEE(any_byte)
{
	MAKE("a\nb\\c\xff\x1b");
}

/*
 * A path that is too long is no path, and neither is an address that cannot be read.
 */
TRACEE(no_path)
{
	static char path[2 * PATH_MAX];

	memset(path, 'x', sizeof(path) - 1);
	REFUSED(ENAMETOOLONG, open(path, O_RDONLY));
	REFUSED(EFAULT, syscall(SYS_openat, AT_FDCWD, 1, O_RDONLY));
	REFUSED(ENOENT, open("", O_RDONLY));
	REFUSED(EBADF, openat(1000000, "file", O_RDONLY));
}
