"""Calls of Linux that Python has no functions for."""

import ctypes
import os
import signal
from functools import cache

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@cache
def libc() -> ctypes.CDLL:
    """Load the C library that this process runs with."""
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, what: bytes | str) -> None:
    """Raise the OSError of a call that failed."""
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def exchange(one: bytes, other: bytes) -> None:
    """Let two paths of one file system swap their names in one step. Raises OSError."""
    call = libc().renameat2
    check(call(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE), other)


def sync_file_system(descriptor: int) -> None:
    """Write all that the file system of an open file has in memory. Raises OSError."""
    check(libc().syncfs(descriptor), f"descriptor {descriptor}")


CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 1, 32, 4096, 8192, 16384, 1 << 18
CAP_NET_ADMIN = 12
OF_THE_MACHINE = {
    "CAP_SYS_MODULE": 16,
    "CAP_SYS_RAWIO": 17,
    "CAP_SYS_TIME": 25,
    "CAP_MKNOD": 27,
    "CAP_AUDIT_CONTROL": 30,
    "CAP_SYSLOG": 34,
    "CAP_WAKE_ALARM": 35,
    "CAP_BLOCK_SUSPEND": 36,
}
"""Capabilities over what no namespace sets apart, by name."""
_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def unshare(flags: int) -> None:
    """Leave namespaces for new ones. Raises OSError."""
    check(libc().unshare(flags), "unshare")


def mount(source: bytes, target: bytes, kind: bytes, flags: int, data: bytes = b"") -> None:
    """Mount something. Raises OSError."""
    check(libc().mount(source, target, kind, ctypes.c_ulong(flags), data), target)


def unmount(target: bytes) -> None:
    """Take a mount out of sight. Raises OSError."""
    check(libc().umount2(target, _MNT_DETACH), target)


def change_root(root: bytes) -> None:
    """Make a mount point the root of this process's mount namespace. Raises OSError."""
    os.chdir(root)
    check(libc().syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), root)
    unmount(b".")
    os.chdir("/")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose parent ends. Raises OSError."""
    check(libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def die_with_parent() -> None:
    """Be killed as soon as the process that started this one ends. Raises OSError."""
    check(libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def drop_capability(number: int) -> None:
    """Give a capability up, for all programs that are executed from here. Raises OSError."""
    check(libc().prctl(_PR_CAPBSET_DROP, number, 0, 0, 0), "prctl")
