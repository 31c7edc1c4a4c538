"""Places in the store that nobody can put a link in the way of, while root writes there.

What lies in a store belongs to users as well: whoever owns a directory can replace what is in it.
So directories are opened, none of them through a link, and named through their descriptors.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from imptrace.facts.paths import parent_of

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o700


@contextmanager
def directory_of(storage: bytes, path: bytes) -> Iterator[bytes]:
    """Name the directory of the store that holds a path's copy. Raises OSError at a link."""
    descriptor = os.open(storage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in parent_of(path).split(b"/"):
            if name:
                inner = os.open(name, _FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
        yield _name(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def inside(part: bytes, *, is_directory: bool) -> Iterator[bytes]:
    """Name a copy that is being made; a directory is made here, for its maker alone."""
    if not is_directory:
        yield part
        return
    with suppress(FileExistsError):
        os.mkdir(part, _PRIVATE)
    descriptor = os.open(part, _FLAGS)
    try:
        yield _name(descriptor)
    finally:
        os.close(descriptor)


def _name(descriptor: int) -> bytes:
    # The dot makes it the directory itself, where the number alone is a link to it.
    return b"/proc/self/fd/%d/." % descriptor
