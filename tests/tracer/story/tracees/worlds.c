/* SPDX-License-Identifier: MIT */
/* Other roots and other mounts: paths have the names that the host has for them. */
#include <sched.h>
#include <sys/mount.h>

#include "story.h"

/*
 * Inside a chroot, absolute paths and links and `..` begin at its root.
 *
 *   needs   root
 *   given   jail/ jail/inner/ jail/link->/inner
 *   make    jail/absolute
 *   make    jail/inner/through-link
 *   make    jail/dots
 *   make    jail/inner/relative
 *   left    jail/absolute created, jail/inner/through-link created, jail/dots created
 *   left    jail/inner/relative created
 */
TRACEE(chroot_jail)
{
	DO(chroot("jail"));
	MAKE("/absolute");
	MAKE("/link/through-link");
	MAKE("/../../dots");
	DO(chdir("/inner"));
	MAKE("relative");
}

/*
 * A directory from outside stays usable inside a chroot.
 *
 *   needs   root
 *   given   jail/ outside/
 *   read    outside
 *   make    outside/file
 *   make    here
 *   left    outside/file created, here created
 */
TRACEE(chroot_with_a_directory_from_outside)
{
	int outside = OPEN("outside");

	DO(chroot("jail"));
	DO(openat(outside, "file", O_CREAT | O_EXCL | O_WRONLY, 0600));
	MAKE("here");
}

static void own_mounts(void)
{
	DO(unshare(CLONE_NEWNS));
	DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/*
 * A bind mount that only the program has: files have the host's names.
 *
 *   needs   root
 *   given   here/ there/
 *   make    here/file
 *   make    here/relative
 *   left    here/file created, here/relative created
 */
TRACEE(bind_mount_of_its_own)
{
	own_mounts();
	DO(mount("here", "there", NULL, MS_BIND, NULL));
	MAKE("there/file");
	DO(chdir("there"));
	MAKE("relative");
}

/*
 * A file system that only the program has: the host has no name for its files.
 *
 *   needs   root
 *   given   hidden/
 *   make    hidden/file [private-mount]
 *   make    seen
 *   left    hidden/file unchanged, seen created
 */
TRACEE(file_system_of_its_own)
{
	own_mounts();
	DO(mount("none", "hidden", "tmpfs", 0, NULL));
	MAKE("hidden/file");
	MAKE("seen");
}

/*
 * A mount is taken away again.
 *
 *   needs   root
 *   given   here/ there/
 *   make    here/a
 *   make    there/b
 *   left    here/a created, there/b created
 */
TRACEE(mount_taken_away)
{
	own_mounts();
	DO(mount("here", "there", NULL, MS_BIND, NULL));
	close(MAKE("there/a"));
	DO(umount("there"));
	MAKE("there/b");
}

/*
 * pivot_root, as containers do it.
 *
 *   needs   root
 *   given   root/ root/old/ root/dir/
 *   make    root/file
 *   make    root/dir/below
 *   left    root/file created, root/dir/below created
 */
TRACEE(pivoted_root)
{
	own_mounts();
	DO(mount("root", "root", NULL, MS_BIND, NULL));
	DO(chdir("root"));
	DO(syscall(SYS_pivot_root, ".", "old"));
	DO(chroot("."));
	DO(chdir("/"));
	MAKE("/file");
	DO(chdir("dir"));
	MAKE("below");
}

/*
 * A child in a mount namespace of its own, its parent in the host's.
 *
 *   needs   root
 *   given   here/ there/
 *   make    here/child by 2
 *   process 2 child of 1
 *   make    there/parent
 *   left    here/child created, there/parent created
 */
TRACEE(child_with_its_own_mounts)
{
	pid_t child = fork();

	if (!child) {
		own_mounts();
		DO(mount("here", "there", NULL, MS_BIND, NULL));
		MAKE("there/child");
		_exit(0);
	}
	join(child);
	MAKE("there/parent");
}
