"""Files that somebody names, or that stand where others may write: never without an end."""

import errno
import os
from pathlib import Path
from typing import Final

LARGEST: Final = 64 << 20
"""Bytes: a configuration has a few hundred thousand, a line of evidence some more."""


def read_given(file: Path | str | bytes) -> bytes:
    """Read a file, or a pipe, to its end. Raises OSError, also if there is none."""
    with open(file, "rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), file)
    return content
