"""Calls of Linux that Python has no functions for."""

import ctypes
import os
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
