"""What each syscall that names a path does, by the name that strace and the kernel give it.

The same facts stand in calls.c for the recorders that meet numbers instead of names; a test
holds the two together.
"""

import os
from enum import Enum
from errno import EACCES, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, EPERM
from typing import Final, NamedTuple

from imptrace.tracer.events import AccessFlag, Op, Outcome


class Naming(Enum):
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

    kind: Naming
    op: Op | None = None
    dirfd: int | None = None
    path: int | None = None
    flags: int | None = None
    dirfd2: int | None = None
    path2: int | None = None
    directory: bool = False
    """What the path names is a directory if the call succeeds."""


def _one(kind: Naming, op: Op | None, *, path: int = 0, flags: int | None = None) -> Syscall:
    return Syscall(kind, op, None, path, flags)


def _at(kind: Naming, op: Op | None, *, flags: int | None = None) -> Syscall:
    return Syscall(kind, op, 0, 1, flags)


def _fd(op: Op) -> Syscall:
    return Syscall(Naming.FD, op, 0)


SYSCALLS: Final[dict[str, Syscall]] = {
    "open": _one(Naming.OPEN, None, flags=1),
    "openat": _at(Naming.OPEN, None, flags=2),
    "openat2": _at(Naming.OPENAT2, None, flags=2),
    "creat": _one(Naming.OPEN, Op.CREATE),
    "mkdir": _one(Naming.LPATH, Op.MKDIR)._replace(directory=True),
    "mkdirat": _at(Naming.LPATH, Op.MKDIR)._replace(directory=True),
    "mknod": _one(Naming.LPATH, Op.CREATE),
    "mknodat": _at(Naming.LPATH, Op.CREATE),
    "unlink": _one(Naming.LPATH, Op.DELETE),
    "unlinkat": _at(Naming.LPATH, Op.DELETE, flags=2),
    "rmdir": _one(Naming.LPATH, Op.DELETE)._replace(directory=True),
    "rename": Syscall(Naming.RENAME, Op.RENAME, path=0, path2=1),
    "renameat": Syscall(Naming.RENAME, Op.RENAME, 0, 1, None, 2, 3),
    "renameat2": Syscall(Naming.RENAME, Op.RENAME, 0, 1, 4, 2, 3),
    "link": Syscall(Naming.LINK, Op.LINK, path=0, path2=1),
    "linkat": Syscall(Naming.LINK, Op.LINK, 0, 1, 4, 2, 3),
    "symlink": Syscall(Naming.SYMLINK, Op.SYMLINK, path=1, path2=0),
    "symlinkat": Syscall(Naming.SYMLINK, Op.SYMLINK, 1, 2, path2=0),
    "truncate": _one(Naming.PATH, Op.TRUNCATE),
    "truncate64": _one(Naming.PATH, Op.TRUNCATE),
    "chmod": _one(Naming.PATH, Op.CHMOD),
    "fchmodat": _at(Naming.PATH, Op.CHMOD),
    "fchmodat2": _at(Naming.ATPATH, Op.CHMOD, flags=3),
    "fchmod": _fd(Op.CHMOD),
    "chown": _one(Naming.PATH, Op.CHOWN),
    "chown32": _one(Naming.PATH, Op.CHOWN),
    "lchown": _one(Naming.LPATH, Op.CHOWN),
    "lchown32": _one(Naming.LPATH, Op.CHOWN),
    "fchownat": _at(Naming.ATPATH, Op.CHOWN, flags=4),
    "fchown": _fd(Op.CHOWN),
    "fchown32": _fd(Op.CHOWN),
    "utime": _one(Naming.PATH, Op.UTIME),
    "utimes": _one(Naming.PATH, Op.UTIME),
    "futimesat": _at(Naming.PATH, Op.UTIME),
    "utimensat": _at(Naming.ATPATH, Op.UTIME, flags=3),
    "utimensat_time64": _at(Naming.ATPATH, Op.UTIME, flags=3),
    "setxattr": _one(Naming.PATH, Op.XATTR),
    "lsetxattr": _one(Naming.LPATH, Op.XATTR),
    "fsetxattr": _fd(Op.XATTR),
    "setxattrat": _at(Naming.ATPATH, Op.XATTR, flags=2),
    "removexattr": _one(Naming.PATH, Op.XATTR),
    "lremovexattr": _one(Naming.LPATH, Op.XATTR),
    "fremovexattr": _fd(Op.XATTR),
    "removexattrat": _at(Naming.ATPATH, Op.XATTR, flags=2),
    "execve": _one(Naming.EXEC, Op.EXEC),
    "execveat": _at(Naming.EXEC, Op.EXEC, flags=4),
    "bind": _one(Naming.SOCKET, Op.BIND, path=1),
    "connect": _one(Naming.SOCKET, Op.CONNECT, path=1),
    "stat": _one(Naming.PATH, Op.STAT),
    "stat64": _one(Naming.PATH, Op.STAT),
    "lstat": _one(Naming.LPATH, Op.STAT),
    "lstat64": _one(Naming.LPATH, Op.STAT),
    "newfstatat": _at(Naming.ATPATH, Op.STAT, flags=3),
    "fstatat64": _at(Naming.ATPATH, Op.STAT, flags=3),
    "statx": _at(Naming.ATPATH, Op.STAT, flags=2),
    "access": _one(Naming.PATH, Op.STAT),
    "faccessat": _at(Naming.PATH, Op.STAT),
    "faccessat2": _at(Naming.ATPATH, Op.STAT, flags=3),
    "readlink": _one(Naming.LPATH, Op.STAT),
    "readlinkat": _at(Naming.LPATH, Op.STAT),
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
    if kind is Naming.PATH or kind is Naming.LPATH:
        return kind is Naming.PATH
    if kind is Naming.ATPATH or kind is Naming.EXEC:
        return not flags & AT_SYMLINK_NOFOLLOW
    if kind is Naming.OPEN or kind is Naming.OPENAT2:
        return not flags & os.O_NOFOLLOW and not is_exclusive(flags)
    if kind is Naming.LINK:
        return bool(flags & AT_SYMLINK_FOLLOW)
    return syscall.op is Op.CONNECT


def is_exclusive(open_flags: int) -> bool:
    """Whether an open insists that nothing is there yet."""
    both = os.O_CREAT | os.O_EXCL
    return open_flags & both == both


_TELL_NOTHING: Final = frozenset({EISDIR, EINVAL, ENOTDIR, ELOOP})


def open_creates(open_flags: int, *, missing: bool, error: int) -> bool:
    """Tell whether an open was about a file that was not there, as tracer/native/opens.h does.

    `missing`: as far as anybody knows. Some errors mean that the kernel has not looked.
    """
    if not open_flags & os.O_CREAT:
        return False
    return is_exclusive(open_flags) or (missing and error not in _TELL_NOTHING)


def open_ops(open_flags: int, *, creates: bool, error: int) -> tuple[tuple[Op, AccessFlag], ...]:
    """Tell what an open is about. `creates`: see `open_creates`."""
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
    if open_flags & os.O_TRUNC and error not in (EISDIR, EINVAL):
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
