/* SPDX-License-Identifier: MIT */
/* Names are made, moved and removed. */
#include <sys/sysmacros.h>

#include "story.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

static long rename2(const char *from, const char *to, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

/*
 * Directories are made, one of them below a descriptor.
 *
 *   mkdir   dir
 *   read    dir
 *   mkdir   dir/below
 *   mkdir   file fails EEXIST
 *   mkdir   missing/below fails ENOENT
 *   given   file
 *   left    dir created, dir/below created, file unchanged, missing/below unchanged
 */
TRACEE(mkdir_makes)
{
	DO(old_mkdir("dir", 0700));
	DO(mkdirat(OPEN("dir"), "below", 0700));
	REFUSED(EEXIST, mkdirat(AT_FDCWD, "file", 0700));
	REFUSED(ENOENT, mkdirat(AT_FDCWD, "missing/below", 0700));
}

/*
 * Nodes: an ordinary file and a named pipe.
 *
 *   create  file
 *   create  pipe
 *   left    file created, pipe created
 */
TRACEE(mknod_makes)
{
	DO(old_mknod("file", S_IFREG | 0600, 0));
	DO(mknodat(AT_FDCWD, "pipe", S_IFIFO | 0600, 0));
}

/*
 * A device node.
 *
 *   needs   root
 *   create  null
 *   left    null created
 */
TRACEE(mknod_makes_a_device)
{
	DO(mknodat(AT_FDCWD, "null", S_IFCHR | 0600, makedev(1, 3)));
}

/*
 * rename moves a name.
 *
 *   given   a b c d/
 *   rename  a -> a2
 *   rename  b -> d/b
 *   rename  missing -> x fails ENOENT
 *   rename  c -> missing/c fails ENOENT
 *   left    a deleted, a2 created, b deleted, d/b created
 *   left    missing unchanged, x unchanged, c unchanged, missing/c unchanged
 */
TRACEE(rename_moves)
{
	DO(old_rename("a", "a2"));
	DO(old_rename("b", "d/b"));
	REFUSED(ENOENT, old_rename("missing", "x"));
	REFUSED(ENOENT, old_rename("c", "missing/c"));
}

/*
 * rename replaces what had the name.
 *
 *   given   new old
 *   rename  new -> old
 *   left    new deleted, old modified
 *   log     left old created instead of left old modified: nothing told that it was there
 */
TRACEE(rename_replaces)
{
	DO(old_rename("new", "old"));
}

/*
 * renameat between two directories.
 *
 *   given   from/ to/ from/file
 *   read    from
 *   read    to
 *   rename  from/file -> to/file
 *   left    from/file deleted, to/file created
 */
TRACEE(renameat_moves)
{
	DO(renameat(OPEN("from"), "file", OPEN("to"), "file"));
}

/*
 * renameat2 that must not replace.
 *
 *   given   a b
 *   rename  a -> b fails EEXIST
 *   rename  a -> c
 *   left    a deleted, b unchanged, c created
 */
TRACEE(rename_without_replacing)
{
	REFUSED(EEXIST, rename2("a", "b", RENAME_NOREPLACE));
	DO(rename2("a", "c", RENAME_NOREPLACE));
}

/*
 * Two files change places.
 *
 *   given   a b=other
 *   rename  a -> b [exchange]
 *   left    a modified, b modified
 */
TRACEE(rename_exchange)
{
	DO(rename2("a", "b", RENAME_EXCHANGE));
}

/*
 * Two directories change places: what was changed in them comes along, and what may have been
 * in the other goes back.
 *
 *   given   a/ b/
 *   make    a/file
 *   rename  a -> b [exchange]
 *   carried b/file from a/file
 *   carried a/file from b/file
 *   left    a modified, b modified, a/file unchanged, b/file created
 */
TRACEE(rename_exchange_of_directories)
{
	MAKE("a/file");
	DO(rename2("a", "b", RENAME_EXCHANGE));
}

/*
 * A directory is renamed: what was made in it comes along.
 *
 *   mkdir   tmp
 *   make    tmp/inside
 *   rename  tmp -> place
 *   carried place/inside from tmp/inside
 *   left    tmp unchanged, tmp/inside unchanged, place created, place/inside created
 */
TRACEE(rename_of_a_directory)
{
	DO(mkdir("tmp", 0700));
	MAKE("tmp/inside");
	DO(rename("tmp", "place"));
}

/*
 * Neither a directory nor a file takes the place of the other, nor of a directory with something
 * in it, nor of one that it holds.
 *
 *   given   dir/ full/ full/x file
 *   rename  file -> dir fails EISDIR
 *   left    file unchanged, dir unchanged
 */
TRACEE(rename_of_a_file_over_a_directory)
{
	REFUSED(EISDIR, rename("file", "dir"));
}

/*
 * The other way around.
 *
 *   given   dir/ file
 *   rename  dir -> file fails ENOTDIR
 *   left    file unchanged, dir unchanged
 */
TRACEE(rename_of_a_directory_over_a_file)
{
	REFUSED(ENOTDIR, rename("dir", "file"));
}

/*
 * A directory does not take the place of one that is not empty.
 *
 *   given   dir/ full/ full/x
 *   rename  dir -> full fails ENOTEMPTY
 *   left    dir unchanged, full unchanged
 */
TRACEE(rename_over_a_full_directory)
{
	REFUSED(ENOTEMPTY, rename("dir", "full"));
}

/*
 * A directory cannot move into itself.
 *
 *   given   dir/
 *   rename  dir -> dir/below fails EINVAL
 *   left    dir unchanged, dir/below unchanged
 */
TRACEE(rename_into_itself)
{
	REFUSED(EINVAL, rename("dir", "dir/below"));
}

/*
 * A file gets more names.
 *
 *   given   file d/
 *   link    file -> second
 *   read    d
 *   link    second -> d/third
 *   link    missing -> x fails ENOENT
 *   left    file unchanged, second created, d/third created, missing unchanged, x unchanged
 */
TRACEE(link_adds_a_name)
{
	DO(old_link("file", "second"));
	DO(linkat(AT_FDCWD, "second", OPEN("d"), "third", 0));
	REFUSED(ENOENT, old_link("missing", "x"));
}

/*
 * A name that is taken.
 *
 *   given   file other
 *   link    file -> other fails EEXIST
 *   left    file unchanged, other unchanged
 */
TRACEE(link_does_not_replace)
{
	REFUSED(EEXIST, link("file", "other"));
}

/*
 * A directory has one name.
 *
 *   given   dir/
 *   link    dir -> second fails EPERM
 *   left    dir unchanged, second unchanged
 */
TRACEE(link_of_a_directory)
{
	REFUSED(EPERM, link("dir", "second"));
}

/*
 * link takes a symbolic link itself, linkat with AT_SYMLINK_FOLLOW what it points to.
 *
 *   given   file link->file
 *   link    link -> second
 *   link    file -> third
 *   left    file unchanged, link unchanged, second created, third created
 */
TRACEE(link_of_a_symbolic_link)
{
	DO(linkat(AT_FDCWD, "link", AT_FDCWD, "second", 0));
	DO(linkat(AT_FDCWD, "link", AT_FDCWD, "third", AT_SYMLINK_FOLLOW));
}

/*
 * Symbolic links.
 *
 *   given   d/ taken
 *   symlink plain -> a/text
 *   read    d
 *   symlink d/below -> /elsewhere
 *   symlink taken -> x fails EEXIST
 *   left    plain created, d/below created, taken unchanged
 */
TRACEE(symlink_makes)
{
	DO(old_symlink("a/text", "plain"));
	DO(symlinkat("/elsewhere", OPEN("d"), "below"));
	REFUSED(EEXIST, symlink("x", "taken"));
}

/*
 * Files are removed.
 *
 *   given   a d/ d/b link->a c
 *   delete  link
 *   delete  a
 *   read    d
 *   delete  d/b
 *   delete  missing fails ENOENT
 *   delete  c/below fails ENOTDIR
 *   left    link deleted, a deleted, d/b deleted, missing unchanged, c/below unchanged
 */
TRACEE(unlink_removes)
{
	DO(old_unlink("link"));
	DO(old_unlink("a"));
	DO(unlinkat(OPEN("d"), "b", 0));
	REFUSED(ENOENT, old_unlink("missing"));
	REFUSED(ENOTDIR, old_unlink("c/below"));
}

/*
 * What was made is removed.
 *
 *   make    file
 *   delete  file
 *   left    file unchanged
 */
TRACEE(unlink_of_what_was_made)
{
	MAKE("file");
	DO(unlink("file"));
}

/*
 * A directory is not unlinked, and only a directory is removed as one.
 *
 *   given   dir/ file
 *   delete  dir fails EISDIR
 *   delete  file fails ENOTDIR
 *   left    dir unchanged, file unchanged
 */
TRACEE(unlink_of_the_wrong_kind)
{
	REFUSED(EISDIR, unlink("dir"));
	REFUSED(ENOTDIR, rmdir("file"));
}

/*
 * Empty directories are removed.
 *
 *   given   a/ d/ d/b/
 *   delete  a
 *   read    d
 *   delete  d/b
 *   left    a deleted, d/b deleted
 */
TRACEE(rmdir_removes)
{
	DO(old_rmdir("a"));
	DO(unlinkat(OPEN("d"), "b", AT_REMOVEDIR));
}

/*
 * A directory with something in it stays.
 *
 *   given   dir/ dir/file
 *   delete  dir fails ENOTEMPTY
 *   left    dir unchanged
 */
TRACEE(rmdir_of_a_full_directory)
{
	REFUSED(ENOTEMPTY, rmdir("dir"));
}
