"""What btrfs says of a subvolume: when it was made, and whether it is a copy of another."""

import fcntl
import os
import struct
from contextlib import suppress
from typing import NamedTuple

_INFO = 0x81F8943C
"""BTRFS_IOC_GET_SUBVOL_INFO of linux/btrfs.h, with the places in its answer."""
_SIZE, _FLAGS, _PARENT, _MADE = 504, 288, 312, 392
_READ_ONLY = 1
_NO_PARENT = bytes(16)
_OWN_DIRECTORY, _LEFT_OUT = 256, 2
"""Inodes: of every subvolume's own directory, and of the empty one that a snapshot has instead."""


class Subvolume(NamedTuple):
    """A subvolume of btrfs."""

    made_ns: int
    is_snapshot: bool
    """It cannot be written to, and was another one's copy when it was made."""


def subvolume(path: bytes) -> Subvolume | None:
    """Look at the subvolume of a path; None where there is none."""
    with suppress(OSError):
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return _at(directory)
        finally:
            os.close(directory)
    return None


def subvolume_made(path: bytes) -> int | None:
    """Tell when the subvolume of a path was made, in nanoseconds."""
    found = subvolume(path)
    return None if found is None else found.made_ns


def is_snapshot(directory: int) -> bool:
    """Whether an open directory is the top of a read-only snapshot."""
    if os.fstat(directory).st_ino != _OWN_DIRECTORY:
        return False
    found = _at(directory)
    return found is not None and found.is_snapshot


def is_left_out(directory: int) -> bool:
    """Whether an open directory stands for a subvolume that a snapshot has left out."""
    if os.fstat(directory).st_ino != _LEFT_OUT:
        return False
    with suppress(OSError):
        # It answers nothing itself.
        above = os.open("..", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
        try:
            return _at(above) is not None
        finally:
            os.close(above)
    return False


def _at(directory: int) -> Subvolume | None:
    try:
        answer = fcntl.ioctl(directory, _INFO, bytes(_SIZE))
    except OSError:
        return None
    seconds, nanoseconds = struct.unpack_from("=QI", answer, _MADE)
    (flags,) = struct.unpack_from("=Q", answer, _FLAGS)
    is_copy = answer[_PARENT : _PARENT + len(_NO_PARENT)] != _NO_PARENT
    return Subvolume(
        int(seconds) * 1_000_000_000 + int(nanoseconds), bool(flags & _READ_ONLY) and is_copy
    )
