"""What each syscall that names a path does, by the name that strace and the kernel give it.

The same facts stand in calls.c for the recorders that meet numbers instead of names; a test
holds the two together.
"""

import os
from enum import Enum
from errno import EACCES, ENOENT, ENOTDIR, EPERM
from typing import Final, NamedTuple

from imptrace.tracer.events import AccessFlag, Op, Outcome


class Kind(Enum):
    """How a syscall names what it acts on."""

    OPEN = "open"
    """A path, and open flags."""
    OPENAT2 = "openat2"
    """A path, and a struct open_how."""
    PATH = "path"
    """One path; a symbolic link at its end is followed."""
    LPATH = "lpath"
    """One path; a symbolic link at its end is not followed."""
    ATPATH = "atpath"
    """One path; AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH in a flags argument."""
    FD = "fd"
    """An open descriptor."""
    RENAME = "rename"
    LINK = "link"
    SYMLINK = "symlink"
    """`path` is the new link, `path2` its text."""
    EXEC = "exec"
    SOCKET = "socket"
    """A socket address, which may be a path."""


class Syscall(NamedTuple):
    """One syscall; the numbers are positions of its arguments, None where it has no such one."""

    kind: Kind
    op: Op | None = None
    dirfd: int | None = None
    path: int | None = None
    flags: int | None = None
    dirfd2: int | None = None
    path2: int | None = None
    directory: bool = False
    """What the path names is a directory if the call succeeds."""


def _one(kind: Kind, op: Op | None, *, path: int = 0, flags: int | None = None) -> Syscall:
    return Syscall(kind, op, None, path, flags)


def _at(kind: Kind, op: Op | None, *, flags: int | None = None) -> Syscall:
    return Syscall(kind, op, 0, 1, flags)


def _fd(op: Op) -> Syscall:
    return Syscall(Kind.FD, op, 0)


SYSCALLS: Final[dict[str, Syscall]] = {
    "open": _one(Kind.OPEN, None, flags=1),
    "openat": _at(Kind.OPEN, None, flags=2),
    "openat2": _at(Kind.OPENAT2, None, flags=2),
    "creat": _one(Kind.OPEN, Op.CREATE),
    "mkdir": _one(Kind.LPATH, Op.MKDIR)._replace(directory=True),
    "mkdirat": _at(Kind.LPATH, Op.MKDIR)._replace(directory=True),
    "mknod": _one(Kind.LPATH, Op.CREATE),
    "mknodat": _at(Kind.LPATH, Op.CREATE),
    "unlink": _one(Kind.LPATH, Op.DELETE),
    "unlinkat": _at(Kind.LPATH, Op.DELETE, flags=2),
    "rmdir": _one(Kind.LPATH, Op.DELETE)._replace(directory=True),
    "rename": Syscall(Kind.RENAME, Op.RENAME, path=0, path2=1),
    "renameat": Syscall(Kind.RENAME, Op.RENAME, 0, 1, None, 2, 3),
    "renameat2": Syscall(Kind.RENAME, Op.RENAME, 0, 1, 4, 2, 3),
    "link": Syscall(Kind.LINK, Op.LINK, path=0, path2=1),
    "linkat": Syscall(Kind.LINK, Op.LINK, 0, 1, 4, 2, 3),
    "symlink": Syscall(Kind.SYMLINK, Op.SYMLINK, path=1, path2=0),
    "symlinkat": Syscall(Kind.SYMLINK, Op.SYMLINK, 1, 2, path2=0),
    "truncate": _one(Kind.PATH, Op.TRUNCATE),
    "truncate64": _one(Kind.PATH, Op.TRUNCATE),
    "chmod": _one(Kind.PATH, Op.CHMOD),
    "fchmodat": _at(Kind.PATH, Op.CHMOD),
    "fchmodat2": _at(Kind.ATPATH, Op.CHMOD, flags=3),
    "fchmod": _fd(Op.CHMOD),
    "chown": _one(Kind.PATH, Op.CHOWN),
    "chown32": _one(Kind.PATH, Op.CHOWN),
    "lchown": _one(Kind.LPATH, Op.CHOWN),
    "lchown32": _one(Kind.LPATH, Op.CHOWN),
    "fchownat": _at(Kind.ATPATH, Op.CHOWN, flags=4),
    "fchown": _fd(Op.CHOWN),
    "fchown32": _fd(Op.CHOWN),
    "utime": _one(Kind.PATH, Op.UTIME),
    "utimes": _one(Kind.PATH, Op.UTIME),
    "futimesat": _at(Kind.PATH, Op.UTIME),
    "utimensat": _at(Kind.ATPATH, Op.UTIME, flags=3),
    "utimensat_time64": _at(Kind.ATPATH, Op.UTIME, flags=3),
    "setxattr": _one(Kind.PATH, Op.XATTR),
    "lsetxattr": _one(Kind.LPATH, Op.XATTR),
    "fsetxattr": _fd(Op.XATTR),
    "setxattrat": _at(Kind.ATPATH, Op.XATTR, flags=2),
    "removexattr": _one(Kind.PATH, Op.XATTR),
    "lremovexattr": _one(Kind.LPATH, Op.XATTR),
    "fremovexattr": _fd(Op.XATTR),
    "removexattrat": _at(Kind.ATPATH, Op.XATTR, flags=2),
    "execve": _one(Kind.EXEC, Op.EXEC),
    "execveat": _at(Kind.EXEC, Op.EXEC, flags=4),
    "bind": _one(Kind.SOCKET, Op.BIND, path=1),
    "connect": _one(Kind.SOCKET, Op.CONNECT, path=1),
    "stat": _one(Kind.PATH, Op.STAT),
    "stat64": _one(Kind.PATH, Op.STAT),
    "lstat": _one(Kind.LPATH, Op.STAT),
    "lstat64": _one(Kind.LPATH, Op.STAT),
    "newfstatat": _at(Kind.ATPATH, Op.STAT, flags=3),
    "fstatat64": _at(Kind.ATPATH, Op.STAT, flags=3),
    "statx": _at(Kind.ATPATH, Op.STAT, flags=2),
    "access": _one(Kind.PATH, Op.STAT),
    "faccessat": _at(Kind.PATH, Op.STAT),
    "faccessat2": _at(Kind.ATPATH, Op.STAT, flags=3),
    "readlink": _one(Kind.LPATH, Op.STAT),
    "readlinkat": _at(Kind.LPATH, Op.STAT),
}
"""Every syscall that is recorded. `fstatat64` is the newfstatat of 32-bit programs."""


def outcome_of(errno: int) -> Outcome:
    """Tell the outcome of a call that ended with `errno` (0: it did not fail)."""
    if not errno:
        return Outcome.OK
    if errno in (ENOENT, ENOTDIR):
        return Outcome.MISSING
    return Outcome.DENIED if errno in (EACCES, EPERM) else Outcome.FAILED


def follows(syscall: Syscall, flags: int) -> bool:
    """Whether a symbolic link at the end of the path is followed."""
    kind = syscall.kind
    if kind is Kind.PATH or kind is Kind.LPATH:
        return kind is Kind.PATH
    if kind is Kind.ATPATH or kind is Kind.EXEC:
        return not flags & AT_SYMLINK_NOFOLLOW
    if kind is Kind.OPEN or kind is Kind.OPENAT2:
        return not flags & os.O_NOFOLLOW and not is_exclusive(flags)
    if kind is Kind.LINK:
        return bool(flags & AT_SYMLINK_FOLLOW)
    return syscall.op is Op.CONNECT


def is_exclusive(open_flags: int) -> bool:
    """Whether an open insists that nothing is there yet."""
    both = os.O_CREAT | os.O_EXCL
    return open_flags & both == both


def open_ops(open_flags: int, *, creates: bool) -> tuple[tuple[Op, AccessFlag], ...]:
    """Tell what an open is about. `creates`: it has O_CREAT, and nothing was there before."""
    mode = open_flags & os.O_ACCMODE
    ops: list[tuple[Op, AccessFlag]] = []
    if open_flags & os.O_PATH:
        return ((Op.STAT, AccessFlag(0)),)
    if creates:
        detail = AccessFlag.EXCLUSIVE if is_exclusive(open_flags) else AccessFlag(0)
        ops.append((Op.CREATE, detail))
        if mode != os.O_RDONLY:
            ops.append((Op.WRITE, detail))
        return tuple(ops)
    detail = AccessFlag.DIRECTORY if open_flags & os.O_DIRECTORY else AccessFlag(0)
    if mode != os.O_WRONLY and not (open_flags & os.O_TRUNC and mode == os.O_RDWR):
        ops.append((Op.READ, detail))
    if open_flags & os.O_TRUNC:
        ops.append((Op.TRUNCATE, detail))
    if mode != os.O_RDONLY:
        ops.append((Op.WRITE, detail))
    return tuple(ops)


CREAT_FLAGS: Final = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
"""What creat(2) stands for."""

# include/uapi/linux/fcntl.h
AT_FDCWD: Final = -100
AT_SYMLINK_NOFOLLOW: Final = 0x100
AT_REMOVEDIR: Final = 0x200
AT_SYMLINK_FOLLOW: Final = 0x400
AT_EMPTY_PATH: Final = 0x1000

# include/uapi/linux/fs.h
RENAME_NOREPLACE: Final = 1
RENAME_EXCHANGE: Final = 2

# include/uapi/linux/sched.h
CLONE_FS: Final = 0x200
CLONE_FILES: Final = 0x400
CLONE_PARENT: Final = 0x8000
CLONE_THREAD: Final = 0x10000
CLONE_NEWNS: Final = 0x20000
