"""Files that somebody names, or that stand where others may write: never without an end."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

LARGEST: Final = 64 << 20
"""Bytes: a configuration has a few hundred thousand, a line of evidence some more."""


def read_regular(file: Path) -> bytes:
    """Read a file that was found, and nothing that waits or has no end. Raises OSError."""
    # Looked at first: to open a device may do something already.
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no file", file)
    return read_given(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))


def read_given(file: Path | str | bytes | int) -> bytes:
    """Read a file, or a pipe, to its end. Raises OSError, also if there is none."""
    with open(file, "rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), file)
    return content
