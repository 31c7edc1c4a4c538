/* SPDX-License-Identifier: MIT */
#include "calls.h"

#define ONE(name, x, i, a, kind, op, path) \
	{ name, x, i, a, kind, op, NO_ARG, path, NO_ARG, NO_ARG, NO_ARG }
#define AT(name, x, i, a, kind, op, dirfd, path, flags) \
	{ name, x, i, a, kind, op, dirfd, path, flags, NO_ARG, NO_ARG }
#define BARE(name, x, i, a, kind) ONE(name, x, i, a, kind, 0, NO_ARG)

const struct call calls[] = {
	/* name, x86-64, i386, aarch64 */
	AT("open", 2, 5, -1, CALL_OPEN, 0, NO_ARG, 0, 1),
	AT("openat", 257, 295, 56, CALL_OPEN, 0, 0, 1, 2),
	AT("openat2", 437, 437, 437, CALL_OPENAT2, 0, 0, 1, 2),
	ONE("creat", 85, 8, -1, CALL_OPEN, OP_CREATE, 0),

	ONE("mkdir", 83, 39, -1, CALL_LPATH, OP_MKDIR, 0),
	AT("mkdirat", 258, 296, 34, CALL_LPATH, OP_MKDIR, 0, 1, NO_ARG),
	ONE("mknod", 133, 14, -1, CALL_LPATH, OP_CREATE, 0),
	AT("mknodat", 259, 297, 33, CALL_LPATH, OP_CREATE, 0, 1, NO_ARG),
	ONE("unlink", 87, 10, -1, CALL_LPATH, OP_DELETE, 0),
	AT("unlinkat", 263, 301, 35, CALL_LPATH, OP_DELETE, 0, 1, 2),
	ONE("rmdir", 84, 40, -1, CALL_LPATH, OP_DELETE, 0),

	{ "rename", 82, 38, -1, CALL_RENAME, OP_RENAME, NO_ARG, 0, NO_ARG, NO_ARG, 1 },
	{ "renameat", 264, 302, 38, CALL_RENAME, OP_RENAME, 0, 1, NO_ARG, 2, 3 },
	{ "renameat2", 316, 353, 276, CALL_RENAME, OP_RENAME, 0, 1, 4, 2, 3 },
	{ "link", 86, 9, -1, CALL_LINK, OP_LINK, NO_ARG, 0, NO_ARG, NO_ARG, 1 },
	{ "linkat", 265, 303, 37, CALL_LINK, OP_LINK, 0, 1, 4, 2, 3 },
	{ "symlink", 88, 83, -1, CALL_SYMLINK, OP_SYMLINK, NO_ARG, 1, NO_ARG, NO_ARG, 0 },
	{ "symlinkat", 266, 304, 36, CALL_SYMLINK, OP_SYMLINK, 1, 2, NO_ARG, NO_ARG, 0 },

	ONE("truncate", 76, 92, 45, CALL_PATH, OP_TRUNCATE, 0),
	ONE("truncate64", -1, 193, -1, CALL_PATH, OP_TRUNCATE, 0),

	ONE("chmod", 90, 15, -1, CALL_PATH, OP_CHMOD, 0),
	AT("fchmodat", 268, 306, 53, CALL_PATH, OP_CHMOD, 0, 1, NO_ARG),
	AT("fchmodat2", 452, 452, 452, CALL_ATPATH, OP_CHMOD, 0, 1, 3),
	AT("fchmod", 91, 94, 52, CALL_FD, OP_CHMOD, 0, NO_ARG, NO_ARG),
	ONE("chown", 92, 212, -1, CALL_PATH, OP_CHOWN, 0),
	ONE("chown16", -1, 182, -1, CALL_PATH, OP_CHOWN, 0),
	ONE("lchown", 94, 198, -1, CALL_LPATH, OP_CHOWN, 0),
	ONE("lchown16", -1, 16, -1, CALL_LPATH, OP_CHOWN, 0),
	AT("fchownat", 260, 298, 54, CALL_ATPATH, OP_CHOWN, 0, 1, 4),
	AT("fchown", 93, 207, 55, CALL_FD, OP_CHOWN, 0, NO_ARG, NO_ARG),
	AT("fchown16", -1, 95, -1, CALL_FD, OP_CHOWN, 0, NO_ARG, NO_ARG),
	ONE("utime", 132, 30, -1, CALL_PATH, OP_UTIME, 0),
	ONE("utimes", 235, 271, -1, CALL_PATH, OP_UTIME, 0),
	AT("futimesat", 261, 299, -1, CALL_PATH, OP_UTIME, 0, 1, NO_ARG),
	AT("utimensat", 280, 320, 88, CALL_ATPATH, OP_UTIME, 0, 1, 3),
	AT("utimensat_time64", -1, 412, -1, CALL_ATPATH, OP_UTIME, 0, 1, 3),
	ONE("setxattr", 188, 226, 5, CALL_PATH, OP_XATTR, 0),
	ONE("lsetxattr", 189, 227, 6, CALL_LPATH, OP_XATTR, 0),
	AT("fsetxattr", 190, 228, 7, CALL_FD, OP_XATTR, 0, NO_ARG, NO_ARG),
	AT("setxattrat", 463, 463, 463, CALL_ATPATH, OP_XATTR, 0, 1, 2),
	ONE("removexattr", 197, 235, 14, CALL_PATH, OP_XATTR, 0),
	ONE("lremovexattr", 198, 236, 15, CALL_LPATH, OP_XATTR, 0),
	AT("fremovexattr", 199, 237, 16, CALL_FD, OP_XATTR, 0, NO_ARG, NO_ARG),
	AT("removexattrat", 466, 466, 466, CALL_ATPATH, OP_XATTR, 0, 1, 2),

	ONE("execve", 59, 11, 221, CALL_EXEC, OP_EXEC, 0),
	AT("execveat", 322, 358, 281, CALL_EXEC, OP_EXEC, 0, 1, 4),
	ONE("bind", 49, 361, 200, CALL_SOCKET, OP_BIND, 1),
	ONE("connect", 42, 362, 203, CALL_SOCKET, OP_CONNECT, 1),
	ONE("socketcall", -1, 102, -1, CALL_SOCKETCALL, 0, 1),

	ONE("stat", 4, 106, -1, CALL_PATH, OP_STAT, 0),
	ONE("stat64", -1, 195, -1, CALL_PATH, OP_STAT, 0),
	ONE("lstat", 6, 107, -1, CALL_LPATH, OP_STAT, 0),
	ONE("lstat64", -1, 196, -1, CALL_LPATH, OP_STAT, 0),
	AT("newfstatat", 262, 300, 79, CALL_ATPATH, OP_STAT, 0, 1, 3),
	AT("statx", 332, 383, 291, CALL_ATPATH, OP_STAT, 0, 1, 2),
	ONE("access", 21, 33, -1, CALL_PATH, OP_STAT, 0),
	AT("faccessat", 269, 307, 48, CALL_PATH, OP_STAT, 0, 1, NO_ARG),
	AT("faccessat2", 439, 439, 439, CALL_ATPATH, OP_STAT, 0, 1, 3),
	ONE("readlink", 89, 85, -1, CALL_LPATH, OP_STAT, 0),
	AT("readlinkat", 267, 305, 78, CALL_LPATH, OP_STAT, 0, 1, NO_ARG),

	BARE("exit", 60, 1, 93, CALL_EXIT),
	BARE("chdir", 80, 12, 49, CALL_CHDIR),
	BARE("fchdir", 81, 133, 50, CALL_CHDIR),
	BARE("chroot", 161, 61, 51, CALL_WORLD),
	BARE("pivot_root", 155, 217, 41, CALL_WORLD),
	BARE("mount", 165, 21, 40, CALL_WORLD),
	BARE("umount", -1, 22, -1, CALL_WORLD),
	BARE("umount2", 166, 52, 39, CALL_WORLD),
	BARE("move_mount", 429, 429, 429, CALL_WORLD),
	BARE("setns", 308, 346, 268, CALL_WORLD),
	AT("unshare", 272, 310, 97, CALL_WORLD, 0, NO_ARG, NO_ARG, 0),
	BARE("seccomp", 317, 354, 277, CALL_LISTENER),
	BARE("userfaultfd", 323, 374, 282, CALL_FAULTS),
	BARE("rt_sigaction", 13, 174, 134, CALL_HANDLER),
	BARE("sigaction", -1, 67, -1, CALL_HANDLER),
	BARE("signal", -1, 48, -1, CALL_HANDLER),
	BARE("ptrace", 101, 26, 117, CALL_TRACER),
	BARE("io_uring_setup", NR_IO_URING_SETUP, NR_IO_URING_SETUP, NR_IO_URING_SETUP, CALL_RING),
};

const size_t calls_count = sizeof(calls) / sizeof(calls[0]);

const uint32_t call_arches[] = {
#if defined(__x86_64__)
	AUDIT_ARCH_X86_64, AUDIT_ARCH_I386,
#elif defined(__aarch64__)
	AUDIT_ARCH_AARCH64,
#else
#error "imptrace knows the syscalls of x86-64 (with i386) and aarch64"
#endif
	0,
};

int call_number(const struct call *call, uint32_t arch)
{
	switch (arch) {
	case AUDIT_ARCH_X86_64:
		return call->x86_64;
	case AUDIT_ARCH_I386:
		return call->i386;
	case AUDIT_ARCH_AARCH64:
		return call->aarch64;
	default:
		return -1;
	}
}

const struct call *call_find(uint32_t arch, int nr)
{
	/*
	 * Called once per traced syscall: an index by number, filled on first use, for each
	 * architecture. Entries are one past the position in calls[], 0 for none.
	 */
	enum { HIGHEST = 512 };
	static uint8_t index[2][HIGHEST];
	static bool filled;
	int row = arch == call_arches[0] ? 0 : arch == call_arches[1] ? 1 : -1;

	_Static_assert(sizeof(calls) / sizeof(calls[0]) < 255, "positions fit a byte");
	if (!filled) {
		for (int r = 0; r < 2 && call_arches[r]; r++) {
			for (size_t i = 0; i < calls_count; i++) {
				int number = call_number(&calls[i], call_arches[r]);

				if (number >= 0 && number < HIGHEST)
					index[r][number] = (uint8_t)(i + 1);
			}
		}
		filled = true;
	}
	if (row < 0 || nr < 0 || nr >= HIGHEST || !index[row][nr])
		return NULL;
	return &calls[index[row][nr] - 1];
}

bool call_is_question(const struct call *call)
{
	return call->op == OP_STAT;
}

bool op_changes(uint8_t op)
{
	return op != OP_READ && op != OP_EXEC && op != OP_CONNECT && op != OP_STAT;
}
